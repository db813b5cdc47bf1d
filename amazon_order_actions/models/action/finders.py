from datetime import timedelta

from odoo import fields

from ..watch.check import tally
from .lane import Lane

# The next dispatch of a lane is enqueued by the one before it, at most a minute ahead,
# or for when Amazon's quota allows it; a lane without any for longer was lost.
STALLED_AFTER = timedelta(minutes=10)


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
