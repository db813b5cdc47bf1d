from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..order.reading import AWAITED_STATES
from ..watch.check import Check, Finding, tally
from .action import CONFIRM_ALERT_DAYS
from .lane import Lane

_lt = LazyTranslate(__name__)

# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents).
UNCONFIRMED_AFTER = timedelta(days=3)
# The next dispatch of a lane is enqueued by the one before it, at most a minute ahead,
# or for when Amazon's quota allows it; a lane without any for longer was lost.
STALLED_AFTER = timedelta(minutes=10)
# Notes posted in one run, so that a run stays short; the rest follows in the next ones.
NOTES_PER_RUN = 200


# Forms that are told of an alarm at once; the others see it when they are read again.
FORMS_TOLD = 200


class AmazonAlarm(models.Model):
    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _notify_panels(self):
        """Override: the forms of the orders of which something waits to be sent."""
        domain = [("company_id", "=", self.company_id.id), ("state", "=", "queued")]
        if self.account_id:
            domain.append(("account_id", "=", self.account_id.id))
        actions = self.env["amazon.action"].search(domain, limit=FORMS_TOLD)
        actions.order_id._notify_forms()


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


def waiting(accounts, at_least, which):
    """Count the actions of each account that are due for so long.

    :param amazon.seller.account accounts: whose
    :param timedelta at_least: due for longer
    :param Domain which: those of these
    :return: for each account with such actions, how many, and the oldest time
    :rtype: dict
    """
    return by_account(accounts, waiting_lanes(accounts, at_least, which))


def waiting_lanes(accounts, at_least, which):
    """Count them of each lane.

    :rtype: dict[Lane, tuple]
    """
    limit = fields.Datetime.now() - at_least
    actions = accounts.env["amazon.action"]
    groups = actions._read_group(
        [
            ("account_id", "in", accounts.ids),
            ("state", "=", "queued"),
            ("last_state_change", "<", limit),
            *["|", ("due_at", "=", False), ("due_at", "<", limit)],
            *actions._goes_on_domain(),
            *which,
        ],
        ["account_id", "marketplace", "feed_type"],
        ["__count", "last_state_change:min"],
    )
    lanes = {}
    for account, marketplace, feed_type, count, since in groups:
        tally(lanes, Lane(account.id, marketplace, feed_type), count, since)
    return lanes


def by_account(accounts, lanes):
    """Sum up what was counted of lanes.

    :param amazon.seller.account accounts: any, for their environment
    :param dict lanes: how many of each lane, and the oldest time
    :rtype: dict
    """
    numbers = {}
    for lane, (count, since) in lanes.items():
        tally(numbers, accounts.browse(lane.account_id), count, since)
    return numbers
