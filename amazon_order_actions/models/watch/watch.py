import logging

from psycopg2 import OperationalError

from odoo import api, fields, models

from ..base.background import in_background
from .alarm import Finding

_logger = logging.getLogger(__name__)


class AmazonAlarm(models.Model):
    """The watch: finds rows that nobody moves, and says so.

    Independent of the job runner, by a scheduled action. Nothing depends on it: the
    state rows decide what may be sent. It mends only by enqueueing a job that is safe
    to run at any time. Each check counts; none walks through the rows it counts.

    What is looked for stands beside its subject, in the room that knows it (`_checks`).
    """

    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    kind = fields.Selection(
        selection_add=[("check_failed", "Check of the watch failed")],
        ondelete={"check_failed": "cascade"},
    )

    @api.model
    def _cron_watch(self):
        """Look at all companies. Scheduled action, every five minutes."""
        self._before_watch()
        accounts = self._accounts_to_watch()
        open_alarms = self.search([("state", "=", "open")])
        failures = self.env["amazon.failure"]
        noted = failures.search([])
        companies = accounts.company_id | open_alarms.company_id | noted.company_id
        for company in companies:
            of_company = accounts.filtered_domain([("company_id", "=", company.id)])
            failures._run_apart(
                "watch", in_background(self, company), "_watch", of_company
            )

    @api.model
    def _before_watch(self):
        """Hook: what is done once before the companies are looked at."""

    @api.model
    def _accounts_to_watch(self):
        """Hook: return the active accounts. Others add those that left something on its
        way.

        :rtype: amazon.seller.account
        """
        return self.env["amazon.seller.account"].search([])

    def _watch(self, accounts):
        """Run the checks for the current company.

        :param amazon.seller.account accounts: those of the company
        """
        accounts = accounts.with_env(self.env)
        alarms = self.search(
            [("company_id", "=", self.env.company.id), ("state", "=", "open")]
        )
        alarmed = set(alarms.mapped("kind"))
        checks = sorted(self._checks(), key=lambda check: check.turn)
        failed = [
            check.kind
            for check in checks
            if not self._check(check.kind, accounts, check.kind in alarmed)
        ]
        if failed or "check_failed" in alarmed:
            self._try_to_tell(
                lambda: self._report(
                    "check_failed", self._failed_checks(accounts, failed)
                )
            )

    def _check(self, kind, accounts, is_alarmed):
        """Look for one kind of trouble and report it.

        :param str kind: one of `_checks`
        :param amazon.seller.account accounts: those of the company
        :param bool is_alarmed: whether an alarm of this kind is open, and may be over
        :return: whether that worked: one check that fails must not silence the others
        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                findings = getattr(self, f"_find_{kind}")(accounts)
            # Apart: telling that fails must not undo what the check has mended.
            if findings or is_alarmed:
                with self.env.cr.savepoint():
                    self._report(kind, findings)
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
        labels = dict(self._fields["kind"]._description_selection(self.env))
        message = self.env._(
            "The watch could not look for everything, because of an error in the "
            "program: %(checks)s. An alarm of that kind may be missing or out of date. "
            "The server's log has the errors.",
            checks=", ".join(labels[kind] for kind in kinds),
        )
        return [Finding(accounts.browse(), len(kinds), message)]
