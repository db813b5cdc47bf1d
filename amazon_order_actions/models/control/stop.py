from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate, format_datetime

from ..action.finders import STALLED_AFTER, waiting
from ..base.clock import database_now, latest_credible
from ..base.groups import ADMIN
from ..holding.gatekeeper import Hold
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# A reason is kept for ever: it stands in the journal, too.
REASON_SIZE = 500
# What a person can say of a database that is not the one that sent last.
DECISIONS = [
    ("moved", "Moved or renamed: nothing else sends for this account"),
    ("restored", "Restored from a backup: verify all that waits"),
    ("copy", "A copy: never send from here"),
]
REASON_HELP = (
    "Shown to everybody who waits for it, and kept in the journal for ever. Do not "
    "name buyers."
)


def kind_selection(model):
    """The kinds of action as the options of a selection field."""
    return model.env["amazon.action"]._fields["kind"]._description_selection(model.env)


class AmazonStop(models.Model):
    """Something that is not sent to Amazon until an administrator resumes it.

    An open row (``ended_at`` is empty) stops what it names: one kind of action or all,
    of one account or of all accounts of the company. It takes effect at once, also for
    what is queued: it is looked for before each sending, and once more right before the
    call that cannot be repeated. What is stopped stays queued, and goes on when the
    stop ends. Reading goes on, and so does taking back what Amazon has (cancelFeed).
    """

    _name = "amazon.stop"
    _inherit = "amazon.own.defaults"
    _description = "Stop of Sending to Amazon"
    _order = "id desc"
    _check_company_auto = True
    _keeps_account = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", index=True
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        readonly=True,
        ondelete="restrict",
        check_company=True,
        index="btree_not_null",
        help="Empty: all accounts of the company.",
    )
    kind = fields.Selection(
        kind_selection, readonly=True, help="Empty: all kinds of action."
    )
    reason = fields.Char(
        required=True, readonly=True, size=REASON_SIZE, help=REASON_HELP
    )
    started_at = fields.Datetime("Since", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users",
        "Administrator",
        readonly=True,
        ondelete="restrict",
        help="Empty: the program.",
    )
    author = fields.Char("Stopped By", compute="_compute_author", compute_sudo=True)
    is_automatic = fields.Boolean(
        "By the Circuit Breaker",
        readonly=True,
        help="The maximum of money per hour of the account was reached.",
    )
    needs_decision = fields.Boolean(
        "Database Restored, Copied or Moved",
        readonly=True,
        help="The database was found to be restored, copied or moved; an administrator "
        "decides which.",
    )
    decision = fields.Selection(
        DECISIONS, readonly=True, help="What an administrator said that it is."
    )
    ended_at = fields.Datetime("Resumed", readonly=True)
    ended_by_id = fields.Many2one(
        "res.users", "Resumed by", readonly=True, ondelete="restrict"
    )
    end_reason = fields.Char("Reason to Resume", readonly=True, size=REASON_SIZE)

    # What each sending looks through: few rows, however many stops there have been.
    _open_uniq = models.UniqueIndex(
        "(company_id, COALESCE(account_id, 0), COALESCE(kind, ''), "
        "COALESCE(needs_decision, false)) WHERE ended_at IS NULL",
        "This is stopped already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id", "account_id", "kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(kind_selection(self))
        for stop in self:
            place = stop.account_id or stop.company_id
            kind = kinds[stop.kind] if stop.kind else self.env._("everything")
            stop.display_name = f"{place.sudo().name}: {kind}"

    @api.depends("user_id", "is_automatic")
    @api.depends_context("lang")
    def _compute_author(self):
        for stop in self:
            if stop.is_automatic:
                stop.author = self.env._("the circuit breaker")
            else:
                stop.author = stop.user_id.name or self.env._("the program")

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What was stopped stays on record; it is not deleted.")
        )

    # === ACTION METHODS === #

    def action_resume(self):
        """Open the dialog that ends these stops. Changes nothing.

        :raise AccessError: when the user does not administer their companies
        :raise UserError: when all of them have ended
        """
        self.check_access("read")
        self._check_admin(self.company_id)
        stops = self.filtered(lambda stop: not stop.ended_at)
        if not stops:
            raise UserError(self.env._("This is not stopped any more."))
        request = self.env["amazon.stop.end.request"].create({"stop_ids": stops.ids})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Resume"),
            "res_model": request._name,
            "res_id": request.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_decide(self):
        """Open the dialog in which an administrator says whether this database was
        moved, restored, or is a copy. Changes nothing.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is nothing to decide
        """
        self.ensure_one()
        self.check_access("read")
        self._check_admin(self.company_id)
        self._check_undecided()
        return self.account_id.action_decide_life()

    # === BUSINESS METHODS === #

    def _check_undecided(self):
        """Refuse where there is nothing to decide."""
        if not self.needs_decision or self.ended_at:
            raise UserError(self.env._("There is nothing to decide here any more."))

    @api.model
    def _start(self, company, reason, account=None, kind=False):
        """Stop something for the current user, an administrator of the company.

        :param res.company company: what is stopped belongs to it
        :param str reason: why, at most 500 characters
        :param amazon.seller.account account: all of the company where None
        :param str kind: kind of action, all where False
        :return: the stop
        :rtype: amazon.stop
        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is no reason, or it is stopped already
        """
        self._check_admin(company | (account.sudo().company_id if account else company))
        reason = self._check_reason(reason)
        stop = self._find_open(company, account, kind)
        if stop:
            raise UserError(stop._sentence())
        return self._open(company, reason, account, kind)

    @api.model
    def _start_everything(self, companies, reason):
        """Stop everything of several companies; what is stopped already stays so.

        :param res.company companies: companies that the user administers
        :param str reason: why
        :raise AccessError: when the user does not administer one of them
        """
        self._check_admin(companies)
        reason = self._check_reason(reason)
        for company in companies:
            if not self._find_open(company):
                self._open(company, reason)

    def _end(self, reason):
        """End stops for the current user, and send what has waited for that.

        :param str reason: why it may go on
        :raise AccessError: when the user does not administer their companies
        :raise UserError: when there is no reason
        """
        stops_sudo = self.sudo().filtered(lambda stop: not stop.ended_at)
        self._check_admin(stops_sudo.company_id)
        stops_sudo._check_no_decision()
        reason = self._check_reason(reason)
        stops_sudo._finish(reason)

    def _check_no_decision(self):
        """Refuse to resume what needs a decision.

        :raise UserError: where the database was found to be restored, copied or moved
        """
        undecided = self.filtered("needs_decision")
        if undecided:
            raise UserError(
                self.env._(
                    "%s To go on, open the account and choose Decide: say whether this "
                    "database was moved, restored, or is a copy.",
                    undecided[0]._sentence(),
                )
            )

    def _finish(self, reason):
        """End stops, by whoever works, and send what has waited for that.

        :param str reason: why it may go on
        """
        stops_sudo = self.sudo()
        stops_sudo.write(
            {
                "ended_at": database_now(self.env),
                "ended_by_id": self.env.uid,
                "end_reason": reason,
            }
        )
        stops_sudo._journal("stopped", "resumed", reason)
        accounts_sudo = self.env["amazon.seller.account"].sudo()
        for stop in stops_sudo:
            of_stop = stop.account_id or accounts_sudo.search(
                [("company_id", "=", stop.company_id.id)]
            )
            of_stop._resume_sending(stop.kind)

    def _check_admin(self, companies):
        """Refuse users who do not administer the companies.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.
        """
        user = self.env.user
        if user.id == SUPERUSER_ID:
            return
        if not user.has_group(ADMIN) or companies - user.sudo().company_ids:
            raise AccessError(
                self.env._(
                    "Only an Amazon administrator of the company may stop or resume "
                    "sending to Amazon."
                )
            )

    def _check_reason(self, reason):
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Say why: the others will ask."))
        return reason[:REASON_SIZE]

    def _find_open(self, company, account=None, kind=False):
        """Return the open stop of exactly this, or an empty recordset."""
        return self.sudo().search(
            [
                ("ended_at", "=", False),
                ("company_id", "=", company.id),
                ("account_id", "=", account.id if account else False),
                ("kind", "=", kind),
                ("needs_decision", "=", False),
            ]
        )

    def _open(self, company, reason, account=None, kind=False, **options):
        """Stop something, by whoever works; see `_start`.

        :param options: ``is_automatic``, by the circuit breaker; or ``needs_decision``,
            where an administrator decides what this database is
        :return: the stop
        :rtype: amazon.stop
        """
        # sudo: nobody has the right to create a stop by hand; the callers have checked
        stop = self.sudo().create(
            {
                "company_id": company.id,
                "account_id": account.id if account else False,
                "kind": kind,
                "reason": reason[:REASON_SIZE],
                "started_at": database_now(self.env),
                "user_id": False if any(options.values()) else self.env.uid,
                **options,
            }
        )
        stop._journal(False, "stopped", reason)
        return stop.with_env(self.env)

    @api.model
    def _open_of(self, accounts):
        """Return the open stops that concern these accounts, asked of the database each
        time, in sudo mode.

        :rtype: amazon.stop
        """
        return self.sudo().search_fetch(
            Domain("ended_at", "=", False)
            & (
                Domain("account_id", "in", accounts.ids)
                | Domain("account_id", "=", False)
                & Domain("company_id", "in", accounts.sudo().company_id.ids)
            ),
            [
                *("company_id", "account_id", "kind", "is_automatic"),
                *("needs_decision", "decision"),
            ],
        )

    def _concerning(self, account):
        """Return those of these stops that concern an account.

        :param amazon.seller.account account: one
        :rtype: amazon.stop
        """
        company = account.sudo().company_id
        return self.filtered(
            lambda stop: (
                stop.account_id == account
                or (not stop.account_id and stop.company_id == company)
            )
        )

    def _journal(self, state_from, state_to, reason):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "stop",
                    "company_id": stop.company_id.id,
                    "account_id": stop.account_id.id,
                    "action_kind": stop.kind,
                    "state_from": state_from,
                    "state_to": state_to,
                    "message": f"{stop.display_name}. {reason}",
                }
                for stop in self
            ]
        )

    # === GETTERS === #

    def _sentence(self):
        """Say what is stopped, since when, by whom and why."""
        stop = self.sudo()
        return self.env._(
            "Sending to Amazon is stopped (%(what)s) since %(since)s by %(user)s: "
            "“%(reason)s”.",
            what=stop.display_name,
            since=stop._since(),
            user=stop.author,
            reason=stop.reason.rstrip("."),
        )

    def _since(self):
        # a job has no time zone, and says so
        zone = str(self.env.tz)
        moment = format_datetime(self.env, self.started_at, dt_format="short")
        return f"{moment} UTC" if zone == "UTC" else moment

    def _sentences(self):
        return "\n".join(stop._sentence() for stop in self)

    @api.model
    def _mend_future(self, account_ids, limit):
        """It has ended by now, and the circuit breaker counts from now on."""
        now = database_now(self.env)
        accounts = self.env["amazon.seller.account"].browse(account_ids)
        stops = self.search(
            [
                ("company_id", "in", accounts.company_id.ids),
                ("ended_at", ">", latest_credible(now)),
            ],
            limit=limit,
        )
        stops.ended_at = now
        return len(stops)


class AmazonGatekeeperStop(models.AbstractModel):
    """What is stopped does not leave."""

    _name = "amazon.gatekeeper.stop"
    _inherit = "amazon.gatekeeper"
    _description = "Amazon Gatekeeper of Stops"

    _place = 20

    def _holds(self, accounts):
        stops = self.env["amazon.stop"]._open_of(accounts)
        return {
            account: [
                Hold(stop.kind, stop._sentence, stop.is_automatic, stop.needs_decision)
                for stop in stops._concerning(account)
            ]
            for account in accounts
        }

    def _resume_dialog(self, account):
        stops = self.env["amazon.stop"]._open_of(account).with_env(self.env)
        undecided = stops.filtered("needs_decision")
        if undecided and undecided == stops.filtered("account_id"):
            return undecided[0].action_decide()
        stops -= undecided
        return (stops.filtered("account_id") or stops).action_resume()


class AmazonCheckStop(models.AbstractModel):
    """Finds what is stopped."""

    _name = "amazon.check.stop"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Stops"

    _checks = (Check("stopped", _lt("Sending stopped"), on_panel=True),)

    def _find_stopped(self, accounts):
        """Actions wait because somebody stopped them, or archived the account. What
        the program alone has stopped has an alarm of its own."""
        by_people = accounts.filtered(
            lambda account: (
                not account.active
                or not all(
                    stop.is_automatic or stop.needs_decision
                    for stop in self.env["amazon.stop"]._open_of(account)
                )
            )
        )
        held = waiting(by_people, STALLED_AFTER, by_people._held_domain())
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions of %(account)s that are stopped: %(count)s. %(why)s",
                    account=account.name,
                    count=count,
                    why=self._why_stopped(account),
                ),
                since,
            )
            for account, (count, since) in held.items()
        ]

    def _why_stopped(self, account):
        if not account.active:
            return self.env._("The account is archived.")
        return self.env["amazon.stop"]._open_of(account)._sentences()
