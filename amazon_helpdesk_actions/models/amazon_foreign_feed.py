import logging
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain

from ..const import (
    ADOPT_SECONDS,
    FOREIGN_DAYS,
    FOREIGN_KEPT_DAYS,
    LISTING_TOLERANCE_SECONDS,
    LOOK_BACK_HOURS,
    LOOK_OVERLAP_MINUTES,
)
from ..spapi.enums import FEED_CANCEL, FEED_REFUND
from ..spapi.errors import MalformedAnswer
from .background import in_own_transaction
from .clock import database_now

_logger = logging.getLogger(__name__)

FEED_TYPES = [FEED_REFUND, FEED_CANCEL]

# States of a feed of ours that Amazon may have under an id which is not known here yet.
NAMELESS = ("sending", "unknown")


class Listed(NamedTuple):
    """A feed as Amazon lists it.

    :param str ref: Amazon's id
    :param str feed_type: Amazon's name of its type
    :param datetime created: by Amazon's clock, UTC, naive
    :param tuple marketplaces: ids, empty where Amazon does not say
    :param str status: processing status
    """

    ref: str
    feed_type: str
    created: datetime
    marketplaces: tuple
    status: str

    @classmethod
    def parse(cls, row):
        """Read Amazon's model ``Feed`` (Feeds 2021-06-30).

        :raise MalformedAnswer: where a part is missing
        """
        try:
            created = datetime.fromisoformat(row["createdTime"])
            created = created.astimezone(timezone.utc).replace(tzinfo=None)
            marketplaces = tuple(row.get("marketplaceIds") or ())
            status = row["processingStatus"]
            return cls(row["feedId"], row["feedType"], created, marketplaces, status)
        except (KeyError, TypeError, ValueError):
            raise MalformedAnswer(
                "getFeeds",
                "A feed in Amazon's list lacks its id, its type, its time or its "
                "status.",
            ) from None

    def may_be_of(self, marketplace):
        """Whether it can be ours: our feeds are for exactly one marketplace."""
        return not self.marketplaces or self.marketplaces == (marketplace,)

    def __str__(self):
        return f"{self.ref} ({as_utc(self.created)}, {self.status})"


class AmazonForeignFeed(models.Model):
    """A feed at Amazon that this database does not know: another program's.

    Seen when the account's feeds are compared with ours, before each sending. It sends
    nothing and stops nothing; it changes what is believed: where other programs send
    feeds, one that fits a sending of ours is less surely ours.
    """

    _name = "amazon.foreign.feed"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Feed of Another Program"
    _order = "created_at desc, id desc"
    _rec_name = "feed_ref"

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    feed_ref = fields.Char("Amazon Feed", required=True, readonly=True)
    feed_type = fields.Char(required=True, readonly=True)
    marketplace = fields.Char(
        readonly=True,
        help="Amazon's id of it; empty where Amazon does not say, or names several.",
    )
    created_at = fields.Datetime(
        "Created", required=True, readonly=True, help="By Amazon's clock."
    )
    processing_status = fields.Char(
        "Status", readonly=True, help="As Amazon last listed it."
    )
    first_seen_at = fields.Datetime("First Seen", required=True, readonly=True)

    _feed_uniq = models.Constraint(
        "unique(account_id, feed_ref)", "This feed is known already."
    )
    _lane_idx = models.Index("(account_id, feed_type, created_at)")

    # === FINDING === #

    @api.model
    def _of_lane(self, account, feed_type, marketplace, since):
        """Return those that may belong to a lane.

        :param amazon.seller.account account: of the lane
        :param str feed_type: of the lane
        :param str marketplace: id of the lane's marketplace
        :param datetime since: by Amazon's clock, naive, in UTC: created then or later
        :rtype: amazon.foreign.feed
        """
        return self.search(
            [
                ("account_id", "=", account.id),
                ("feed_type", "=", feed_type),
                ("marketplace", "in", (marketplace, False)),
                ("created_at", ">=", since),
            ]
        )

    @api.model
    def _lately(self, accounts):
        """Return how many feeds other programs sent lately, and when the last one, for
        each account where there are such.

        :rtype: dict
        """
        since = database_now(self.env) - timedelta(days=FOREIGN_DAYS)
        groups = self._read_group(
            [("account_id", "in", accounts.ids), ("created_at", ">=", since)],
            ["account_id"],
            ["__count", "created_at:max"],
        )
        return {account: (count, last) for account, count, last in groups}

    # === BUSINESS METHODS === #

    @api.model
    def _record(self, account, listed):
        """Keep what Amazon lists and this database does not know.

        :param amazon.seller.account account: whose feeds they are
        :param list[Listed] listed: what Amazon lists
        """
        ours = self.env["amazon.feed"]._known_refs(account, listed)
        of_account = Domain("account_id", "=", account.id)
        rows = {row.ref: row for row in listed}
        known = self.search(of_account & Domain("feed_ref", "in", list(rows)))
        known.filtered(lambda foreign: foreign.feed_ref in ours).unlink()
        for foreign in known.exists():
            foreign.processing_status = rows.pop(foreign.feed_ref).status
        nameless = self.env["amazon.feed"].search(
            of_account & Domain("state", "in", NAMELESS)
        )
        now = database_now(self.env)
        self.create(
            [
                {
                    "account_id": account.id,
                    "feed_ref": row.ref,
                    "feed_type": row.feed_type,
                    "marketplace": len(row.marketplaces) == 1 and row.marketplaces[0],
                    "created_at": row.created.replace(microsecond=0),
                    "processing_status": row.status,
                    "first_seen_at": now,
                }
                for row in rows.values()
                if row.ref not in ours
                and not any(feed._may_be(row) for feed in nameless)
            ]
        )

    @api.autovacuum
    def _gc_old(self):
        """Drop what Amazon does not list any more, either."""
        limit = fields.Datetime.now() - timedelta(days=FOREIGN_KEPT_DAYS)
        self.search([("created_at", "<", limit)]).unlink()


class AmazonFeed(models.Model):
    _inherit = "amazon.feed"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    @api.model
    def _known_refs(self, account, listed):
        """Return the ids of those listed feeds that are known to be ours.

        :rtype: set[str]
        """
        refs = [row.ref for row in listed]
        known = self.search_fetch(
            [("account_id", "=", account.id), ("feed_ref", "in", refs)], ["feed_ref"]
        )
        return set(known.mapped("feed_ref"))

    def _window_start(self):
        """Return Amazon's time before which it cannot have created this feed."""
        return self.amazon_sent_after or self.sending_at

    def _may_be(self, row):
        """Whether a feed that Amazon lists may be this one, generously.

        :param Listed row: what Amazon lists
        """
        since = self._window_start() - timedelta(seconds=LISTING_TOLERANCE_SECONDS)
        until = self._window_start() + timedelta(seconds=ADOPT_SECONDS)
        return (
            row.feed_type == self.feed_type
            and row.may_be_of(self.marketplace)
            and since <= row.created <= until
        )


class AmazonSellerAccount(models.Model):
    """How the feeds at Amazon are compared with ours."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    feeds_listed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="By Amazon's clock: up to then its feeds were compared with ours.",
    )
    feeds_read_at = fields.Datetime(
        readonly=True, copy=False, help="When that list was asked for."
    )

    # === BUSINESS METHODS === #

    def _look_at_feeds(self):
        """Compare Amazon's list of feeds with ours, and keep what is not ours.

        What is judged happens in a transaction that begins after the list was read: a
        feed that another worker has just sent is then known here.

        :return: Amazon's time after the list, UTC, naive
        :rtype: datetime
        :raise SpApiError: when Amazon does not give its list
        :raise IncompleteCredentials: when a credential is missing
        """
        self.ensure_one()
        listed, amazon_now = self._list_feeds(self._listing_since())
        in_own_transaction(self, "_compare_feeds", listed, amazon_now)
        return amazon_now

    def _listing_since(self):
        """Return from which moment on the list is to be read, by Amazon's clock: a
        little before the end of the one before."""
        now = database_now(self.env)
        back = timedelta(hours=LOOK_BACK_HOURS)
        reached = min(self.feeds_listed_at or now - back, now)
        return max(reached - timedelta(minutes=LOOK_OVERLAP_MINUTES), now - back)

    def _list_feeds(self, since):
        """Read Amazon's list of the feeds of our types.

        :param datetime since: UTC, naive
        :return: the feeds, and Amazon's time after it
        :rtype: tuple[list[Listed], datetime]
        :raise SpApiError: when Amazon does not give its list
        :raise IncompleteCredentials: when a credential is missing
        """
        with self._client() as client:
            rows = client.get_feeds(FEED_TYPES, since.replace(tzinfo=timezone.utc))
            now = client.amazon_now()
        if not now:
            raise MalformedAnswer("getFeeds", "Amazon's answer has no date.")
        return [Listed.parse(row) for row in rows], now.replace(tzinfo=None)

    def _compare_feeds(self, listed, amazon_now):
        """Keep what Amazon lists and this database does not know, in a transaction of
        its own.

        :param list[Listed] listed: what Amazon lists
        :param datetime amazon_now: its time after that
        """
        # First: who compares at the same time waits for this row, fails to serialize,
        # and then sees what was kept.
        self.write(
            {
                "feeds_listed_at": amazon_now.replace(microsecond=0),
                "feeds_read_at": database_now(self.env),
            }
        )
        self.flush_recordset()
        self.env["amazon.foreign.feed"]._record(self, listed)


def as_utc(moment):
    """Return a moment as people and journal read it, whatever their time zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
