from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..action.action import CONFIRM_ALERT_DAYS
from ..action.states import AWAITED_STATES
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents).
UNCONFIRMED_AFTER = timedelta(days=3)
# Notes posted in one run, so that a run stays short; the rest follows in the next ones.
NOTES_PER_RUN = 200
# Forms that are told of an alarm at once; the others see it when they are read again.
FORMS_TOLD = 200


class AmazonCheckActions(models.AbstractModel):
    """Finds actions whose outcome nobody knows or Amazon does not show."""

    _name = "amazon.check.actions"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Actions"

    _checks = (
        Check("unknown", _lt("Outcome unknown")),
        Check("unconfirmed", _lt("Confirmation overdue")),
    )

    @api.model
    def _accounts_to_watch(self):
        """Override: the archived accounts that left something on its way."""
        on_the_way = self.env["amazon.action"]._read_group(
            [("state", "in", ("queued", "sending", "submitted", "unknown"))],
            ["account_id"],
        )
        return self.env["amazon.seller.account"].union(*(row[0] for row in on_the_way))

    @api.model
    def _notify_panels(self, alarm):
        """Override: the forms of the orders of which something waits to be sent."""
        domain = [("company_id", "=", alarm.company_id.id), ("state", "=", "queued")]
        if alarm.account_id:
            domain.append(("account_id", "=", alarm.account_id.id))
        actions = self.env["amazon.action"].search(domain, limit=FORMS_TOLD)
        actions.order_id._notify_forms()

    def _find_unknown(self, accounts):
        """The search at Amazon ended without an outcome: a person must look."""
        groups = self.env["amazon.action"]._read_group(
            [
                ("company_id", "=", self.env.company.id),
                ("account_id", "in", accounts.ids),
                ("needs_person", "=", True),
            ],
            ["account_id"],
            ["__count", "last_state_change:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions whose outcome nobody knows, and that wait for a decision: "
                    "%s. They are not sent again. Look at their orders in Seller "
                    "Central.",
                    count,
                ),
                since,
            )
            for account, count, since in groups
        ]

    def _find_unconfirmed(self, accounts):
        """Amazon accepted it, and its own data does not show it. After a time, the
        tickets are told, too."""
        self._note_unconfirmed(accounts)
        limit = fields.Datetime.now() - UNCONFIRMED_AFTER
        groups = self.env["amazon.action"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                *["|", ("state", "=", "accepted")],
                *["&", ("state", "=", "submitted"), ("feed_id", "=", False)],
                ("kind", "in", self.env["amazon.action"]._kinds_shown()),
                ("last_state_change", "<", limit),
            ],
            ["account_id"],
            ["__count", "last_state_change:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that Amazon accepted more than %(days)s days ago, and "
                    "that its own data does not show: %(count)s. Look at their orders "
                    "in Seller Central.",
                    days=UNCONFIRMED_AFTER.days,
                    count=count,
                ),
                since,
            )
            for account, count, since in groups
        ]

    def _note_unconfirmed(self, accounts):
        """Say once on the ticket of each action that Amazon's data does not show it."""
        limit = fields.Datetime.now() - timedelta(days=CONFIRM_ALERT_DAYS)
        overdue = self.env["amazon.action"].search(
            [
                ("account_id", "in", accounts.ids),
                ("state", "in", AWAITED_STATES),
                ("kind", "in", self.env["amazon.action"]._kinds_shown()),
                ("last_state_change", "<", limit),
                ("unconfirmed_noted_at", "=", False),
            ],
            limit=NOTES_PER_RUN,
        )
        overdue._note_unconfirmed()
