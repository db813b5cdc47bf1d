import time
from dataclasses import asdict

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import LazyTranslate

from ...verify_journal import Chain, by_number
from ..base.background import in_background, in_own_transaction
from ..base.groups import JOURNAL
from ..watch.check import Check, Finding
from .export import READ_CHUNK

_lt = LazyTranslate(__name__)

# Seconds that a person waits for a check; the rest is done in the background.
CLICK_SECONDS = 20
# Seconds that the scheduled action checks before it commits how far it got.
CRON_SECONDS = 10

# Hours after which a company is checked again.
CHECK_HOURS = 20


class AmazonAuditCheck(models.Model):
    """One check of a company's journal, from its beginning to its end.

    It reads the chain in chunks and keeps how far it got, so that a long one goes on
    in the background. What it checks with is verify_journal.py.
    """

    _name = "amazon.audit.check"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Journal Check"
    _order = "id desc"
    _rec_name = "started_at"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade"
    )
    user_id = fields.Many2one("res.users", "Asked by", readonly=True)
    state = fields.Selection(
        [
            ("running", "Running"),
            ("holds", "The journal holds"),
            ("broken", "The journal is broken"),
        ],
        "Result",
        required=True,
        readonly=True,
        default="running",
    )
    started_at = fields.Datetime("When", required=True, readonly=True)
    finished_at = fields.Datetime(readonly=True)
    entries = fields.Integer(
        "Entries Checked", compute="_compute_progress", aggregator=None
    )
    number = fields.Integer("Last Number", compute="_compute_progress", aggregator=None)
    hash = fields.Char("Last Hash", compute="_compute_progress")
    problem_count = fields.Integer("Problems", compute="_compute_progress")
    first_problem = fields.Char(compute="_compute_progress")
    summary = fields.Text(compute="_compute_summary")
    details = fields.Text(readonly=True, help="As the stand-alone verifier says it.")
    # How far it got: the fields of verify_journal.Chain.
    progress = fields.Json(readonly=True)

    _running_idx = models.Index("(company_id) WHERE state = 'running'")
    _company_idx = models.Index("(company_id, id DESC)")

    # === COMPUTE METHODS === #

    @api.depends("progress")
    def _compute_progress(self):
        for check in self:
            progress = check.progress or {}
            check.entries = progress.get("entries", 0)
            check.number = progress.get("number", 0)
            check.hash = progress.get("head")
            check.problem_count = progress.get("problem_count", 0)
            check.first_problem = next(iter(progress.get("problems", ())), False)

    @api.depends("progress", "state")
    @api.depends_context("lang")
    def _compute_summary(self):
        for check in self:
            check.summary = check._summary()

    def _summary(self):
        values = {"entries": self.entries, "number": self.number, "hash": self.hash}
        if self.state == "running":
            return self.env._(
                "%(entries)s entries were checked so far. The rest is checked in the "
                "background; you find the result here in some minutes.",
                **values,
            )
        if self.state == "broken":
            return self.env._(
                "The journal does not hold: %(count)s problems in %(entries)s entries. "
                "The first: %(problem)s",
                count=self.problem_count,
                problem=self.first_problem,
                **values,
            )
        if not self.number:
            return self.env._("The journal is empty: there is nothing to check.")
        holds = self.env._(
            "The journal holds: %(entries)s entries were checked, none was changed, "
            "removed or inserted. The last one is number %(number)s, its hash "
            "%(hash)s.",
            **values,
        )
        if self.company_id.sudo().amazon_anchor_emails:
            return holds
        no_anchor = self.env._(
            "No address is set that anchors are mailed to (Amazon > Configuration > "
            "Journal Settings): nothing outside of this database shows that the whole "
            "chain was not built anew."
        )
        return f"{holds} {no_anchor}"

    # === BUSINESS METHODS === #

    @api.model
    def _check_right(self):
        """Refuse those who may not read the journal.

        :raise AccessError: with the sentence
        """
        if not self.env.user.has_group(JOURNAL):
            raise AccessError(
                self.env._(
                    "Only who may read the Amazon journal may check or export it. Ask "
                    "an administrator for the right."
                )
            )

    @api.model
    def _start(self, company):
        """Begin a check of all that is committed.

        :param res.company company: whose journal
        :rtype: amazon.audit.check
        """
        self.env["amazon.audit.link"]._seal(company, of_all_time=True)
        return self.sudo().create(
            {
                "company_id": company.id,
                "user_id": self.env.uid,
                "started_at": fields.Datetime.now(),
            }
        )

    def _run(self, seconds=None):
        """Go on with a check.

        :param float seconds: after which it stops, wherever it is; None: what a person
            who clicked waits for
        :return: its state by then
        :rtype: str
        """
        deadline = time.monotonic() + (CLICK_SECONDS if seconds is None else seconds)
        chain = self._chain()
        is_done = False
        while not is_done and time.monotonic() < deadline:
            # In transactions of their own: this one was there before the sealing.
            with self.env.registry.cursor() as cr:
                journal = self.env(cr=cr, su=True)["amazon.audit.entry"]
                rows = list(journal._chain_rows(self.company_id.id, chain.number))
                is_done = len(rows) < READ_CHUNK
                # as of the same moment: more are sealed meanwhile
                linked = is_done and journal._count_linked(self.company_id.id)
            for row in rows:
                chain.take(row)
        if is_done:
            chain.compare_count(linked)
            chain.end()
        self._keep(chain)
        if is_done:
            self._finish(chain)
        return self.state

    def _chain(self):
        """Return what checks the rest of the chain."""
        anchors = self.env["amazon.audit.anchor"].sudo()
        progress = self.progress or {"company_id": self.company_id.id}
        chain = Chain(
            **progress,
            complete=True,
            company=self.company_id.name,
            database=anchors._beginning(self.company_id).database_uuid or None,
            anchors=by_number(
                anchor._as_dict()
                for anchor in anchors.search(
                    [("company_id", "=", self.company_id.id)], order="id"
                )
            ),
        )
        chain.begin()
        return chain

    def _keep(self, chain):
        """Keep how far the check got; not what it is given each time."""
        given = ("anchors", "complete", "company", "database", "announced", "met")
        self.progress = {k: v for k, v in asdict(chain).items() if k not in given}

    def _finish(self, chain):
        self.write(
            {
                "state": "broken" if chain.problem_count else "holds",
                "finished_at": fields.Datetime.now(),
                "details": "\n".join(chain.sentences()),
            }
        )
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "journal",
                    "company_id": self.company_id.id,
                    "state_to": self.state,
                    "message": self.summary,
                }
            ]
        )
        self._raise_alarm()

    def _raise_alarm(self):
        """Tell administrators and auditors of a journal that does not hold; end the
        alarm where it holds."""
        findings = []
        if self.state == "broken":
            no_account = self.env["amazon.seller.account"]
            findings = [Finding(no_account, self.problem_count, self.summary)]
        alarms = self.env["amazon.alarm"].sudo()
        in_background(alarms, self.company_id)._report("journal", findings)

    def _show(self):
        """Return the action that shows these checks: one in a dialog, more in a
        list."""
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Check of the Journal"),
            "res_model": self._name,
        }
        if len(self) == 1:
            return {
                **action,
                "view_mode": "form",
                "views": [(False, "form")],
                "res_id": self.id,
                "target": "new",
            }
        return {
            **action,
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("id", "in", self.ids)],
        }

    # === BUSINESS METHODS - EVERY DAY === #

    @api.model
    def _cron_check(self):
        """Check each company's journal once a day, and anchor it then; go on with what
        was begun by a click. Scheduled action."""
        waiting = self.sudo().search([("state", "=", "running")], order="id")
        for check in waiting:
            check._run_in_cron()
        for company in self.env["res.company"].search([]):
            begun = self.env["amazon.failure"]._run_apart(
                "check", in_background(self, company), "_begin_if_due"
            )
            if begun:
                # It is seen by a new transaction only.
                self.env["ir.cron"]._commit_progress()
                self.browse(begun)._run_in_cron()

    def _begin_if_due(self):
        """Begin the check of the day for the current company.

        :return: the id of the check, None where none is due or one is under way
        :rtype: int | None
        """
        company = self.env.company
        under_way = [("company_id", "=", company.id), ("state", "=", "running")]
        if self._is_due(company) and not self.search_count(under_way, limit=1):
            return self._start(company).id
        return None

    def _is_due(self, company):
        since = fields.Datetime.subtract(fields.Datetime.now(), hours=CHECK_HOURS)
        has_anchor = self.env["amazon.audit.anchor"].search_count(
            [
                ("company_id", "=", company.id),
                ("anchored_at", ">=", since),
                ("number", ">", 0),
            ],
            limit=1,
        )
        return not has_anchor and self.env["amazon.audit.entry"].search_count(
            [("company_id", "=", company.id)], limit=1
        )

    def _run_in_cron(self):
        """Finish the check, step by step; anchor what was checked."""
        cron, failures = self.env["ir.cron"], self.env["amazon.failure"]
        check = in_background(self, self.company_id)
        state = self.state
        while state == "running":
            # How far it got must not be lost with a server that is restarted.
            state = failures._run_apart("check", check, "_run", CRON_SECONDS)
            if cron._commit_progress(1) <= 0 and state == "running":
                cron._commit_progress(remaining=1)
                return
        if state:
            failures._run_apart("check", check, "_anchor")
            cron._commit_progress(1)

    def _anchor(self):
        """Anchor what was checked, once a day."""
        company = self.company_id
        if self._is_due(company):
            self.env["amazon.audit.link"]._seal(company)
            # What was just sealed is seen by a new transaction only.
            anchors = self.env["amazon.audit.anchor"]
            in_own_transaction(anchors, "_make", company, self.summary)


class AmazonCheckJournal(models.AbstractModel):
    """Finds anchors that did not leave."""

    _name = "amazon.check.journal"
    _inherit = "amazon.check"
    _description = "Amazon Checks of the Journal"

    _checks = (
        Check("journal", _lt("Journal does not hold"), tells_auditors=True, turn=None),
        Check("anchor", _lt("Anchor not mailed"), tells_auditors=True),
    )

    def _find_anchor(self, accounts):
        """The mail with the last anchor could not be sent."""
        anchor = self.env["amazon.audit.anchor"].search(
            [("company_id", "=", self.env.company.id), ("number", ">", 0)], limit=1
        )
        if anchor.mail_state != "failed":
            return []
        message = self.env._(
            "The mail with the journal's last anchor could not be sent: %(problem)s. "
            "Check the addresses under Amazon > Configuration > Journal Settings and "
            "the outgoing mail server. Until it leaves, nothing outside of this "
            "database proves that the journal was not rewritten.",
            problem=anchor.mail_problem or self.env._("no reason was given"),
        )
        no_account = self.env["amazon.seller.account"]
        return [Finding(no_account, 1, message, anchor.anchored_at)]
