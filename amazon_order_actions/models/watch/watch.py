from psycopg2 import OperationalError

from odoo import api, models
from odoo.tools import LazyTranslate

from ..base.background import in_background
from ..base.private_log import private_logger
from .check import Check, Finding

_logger = private_logger(__name__)
_lt = LazyTranslate(__name__)


class AmazonWatch(models.AbstractModel):
    """The watch: finds rows that nobody moves, and says so.

    Independent of the job runner, by a scheduled action. Nothing depends on it: the
    state rows decide what may be sent. It mends only by enqueueing a job that is safe
    to run at any time. Each check counts; none walks through the rows it counts.

    What is looked for stands beside its subject, in the room that knows it
    (`amazon.check`).
    """

    _name = "amazon.watch"
    _description = "Amazon Watch"

    @api.model
    def _cron_watch(self):
        """Look at all companies. Scheduled action, every five minutes."""
        registered = self.env["amazon.check"]._registered()
        for checks in registered:
            checks._before_watch()
        active = self.env["amazon.seller.account"].search([])
        accounts = active.union(*(of._accounts_to_watch() for of in registered))
        open_alarms = self.env["amazon.alarm"].search([("state", "=", "open")])
        failures = self.env["amazon.failure"]
        noted = failures.search([])
        companies = accounts.company_id | open_alarms.company_id | noted.company_id
        for company in companies:
            of_company = accounts.filtered_domain([("company_id", "=", company.id)])
            failures._run_apart(
                "watch", in_background(self, company), "_watch", of_company
            )

    @api.model
    def _cron_watch_runner(self):
        """Look whether the job runner starts our jobs. Scheduled action, every minute;
        also called shortly after a click (`look_soon.py`).

        :return: whether jobs wait, or it is too early to say so
        :rtype: bool
        """
        checks = self.env["amazon.check.runner"]
        if checks._is_too_early():
            return True
        companies = checks._companies()
        for company in companies:
            self.env["amazon.failure"]._run_apart(
                "watch", in_background(self, company), "_watch_runner"
            )
        return bool(companies)

    def _watch_runner(self):
        """Report what the job runner does for the current company, unless somebody else
        does so at this moment."""
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"amazon_order_actions/runner/{self.env.company.id}"],
        )
        if not self.env.cr.fetchone()[0]:
            return
        accounts = self.env["amazon.seller.account"]
        findings = self.env["amazon.check.runner"]._find_runner(accounts)
        self.env["amazon.alarm"]._report("runner", findings)

    def _watch(self, accounts):
        """Run the checks for the current company.

        :param amazon.seller.account accounts: those of the company
        """
        accounts = accounts.with_env(self.env)
        alarms = self.env["amazon.alarm"]
        open_alarms = alarms.search(
            [("company_id", "=", self.env.company.id), ("state", "=", "open")]
        )
        alarmed = set(open_alarms.mapped("kind"))
        registered = self.env["amazon.check"]._all()
        failed = [
            kind
            for kind, (checks, check) in registered.items()
            if check.turn is not None
            and not self._check(checks, kind, accounts, kind in alarmed)
        ]
        for alarm in open_alarms:
            # of an addon that is not there any more
            if alarm.kind not in registered:
                alarm._end()
        if failed or "check_failed" in alarmed:
            alarms._try_to_tell(
                lambda: alarms._report(
                    "check_failed", self._failed_checks(accounts, failed)
                )
            )

    def _check(self, checks, kind, accounts, is_alarmed):
        """Look for one kind of trouble and report it.

        :param amazon.check checks: whose check it is
        :param str kind: the kind of trouble
        :param amazon.seller.account accounts: those of the company
        :param bool is_alarmed: whether an alarm of this kind is open, and may be over
        :return: whether that worked: one check that fails must not silence the others
        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                findings = getattr(checks, f"_find_{kind}")(accounts)
            # Apart: telling that fails must not undo what the check has mended.
            if findings or is_alarmed:
                with self.env.cr.savepoint():
                    self.env["amazon.alarm"]._report(kind, findings)
        except OperationalError:
            # The watch of this company is run again.
            raise
        except Exception:
            _logger.exception("The check %s failed", kind)
            return False
        return True

    def _failed_checks(self, accounts, kinds):
        """Return the finding that says which checks failed."""
        if not kinds:
            return []
        labels = self.env["amazon.check"]._labels(kinds)
        message = self.env._(
            "The watch could not look for everything, because of an error in the "
            "program: %(checks)s. An alarm of that kind may be missing or out of date. "
            "The server's log has the errors.",
            checks=", ".join(labels.values()),
        )
        return [Finding(accounts.browse(), len(kinds), message)]


class AmazonCheckWatch(models.AbstractModel):
    """The watch itself reports which checks failed."""

    _name = "amazon.check.watch"
    _inherit = "amazon.check"
    _description = "Amazon Checks of the Watch"

    _checks = (Check("check_failed", _lt("Check of the watch failed"), turn=None),)
