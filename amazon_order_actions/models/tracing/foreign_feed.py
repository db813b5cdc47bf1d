from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ...spapi.errors import MalformedAnswer
from ..base.background import in_own_transaction
from ..base.clock import CLOCK_TOLERANCE_MINUTES, as_utc, database_now
from ..base.private_log import private_logger
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# Seconds. The list is read from so long before the sending, so that a feed that lies
# before its window is seen, too.
LISTING_TOLERANCE_SECONDS = 120

# Seconds after the sending in which Amazon must have created our feed. We wait at most
# 100 seconds for its answer (spapi.transport); what is created much later is not ours.
ADOPT_SECONDS = 300

# Each listing of an account's feeds begins so long before the one before ended, in
# minutes: feeds are listed late. After a pause it begins so many hours ago at most:
# getFeeds shows 100 feeds a page.
LOOK_OVERLAP_MINUTES, LOOK_BACK_HOURS = 60, 72

# Days for which an account is said to have another program that sends feeds, since the
# last one; and days for which such feeds are kept (Amazon lists 90 days).
FOREIGN_DAYS, FOREIGN_KEPT_DAYS = 30, 90

FEED_TYPES = [FEED_REFUND, FEED_CANCEL]

# Feeds of ours that Amazon may have under an id which is not known here yet.
# Where a person decides, no later look gives it one.
NAMELESS = Domain("state", "in", ("sending", "unknown")) & Domain(
    "handed_at", "=", False
)
# Feeds of ours that were found in Amazon's list, perhaps wrongly.
DOUBTFUL = Domain("is_adopted", "=", True) & Domain("is_proven", "=", False)


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

    @api.model
    def _first_seen(self, account, listed):
        """Return since when those listed feeds are known that are other programs'.

        :rtype: dict[str, datetime]
        """
        refs = [row.ref for row in listed]
        known = self.search_fetch(
            [("account_id", "=", account.id), ("feed_ref", "in", refs)],
            ["feed_ref", "first_seen_at"],
        )
        return {foreign.feed_ref: foreign.first_seen_at for foreign in known}

    @api.model
    def _maybe(self, feed, since):
        """Return the first that may be a feed of ours, though none was found for it.

        :param amazon.feed feed: a feed of ours that was called absent, or that a person
            decided on
        :param datetime since: seen for the first time after that
        :rtype: amazon.foreign.feed
        """
        start, end = feed._window()
        lane = self._of_lane(feed.account_id, feed.feed_type, feed.marketplace, start)
        return lane.filtered(
            lambda late: (
                late.created_at <= end
                and late.first_seen_at >= since
                # a person who decided has seen those
                and late.feed_ref not in (feed.listing or "").split()
            )
        )[-1:]

    # === BUSINESS METHODS === #

    @api.model
    def _forget(self, feed):
        """Drop a feed that turns out to be ours: its sender told so late.

        :param amazon.feed feed: whose id at Amazon is known by now
        """
        self.search(
            [
                ("account_id", "=", feed.account_id.id),
                ("feed_ref", "=", feed.feed_ref),
            ]
        ).unlink()

    @api.model
    def _keep(self, feed):
        """Keep a feed that was taken for one of ours, and surely is not.

        :param amazon.feed feed: which it was taken for
        """
        self.create(
            {
                "account_id": feed.account_id.id,
                "feed_ref": feed.feed_ref,
                "feed_type": feed.feed_type,
                "marketplace": feed.marketplace,
                "created_at": feed.amazon_created_at or feed.sending_at,
                "processing_status": feed.processing_status,
                "first_seen_at": database_now(self.env),
            }
        )

    @api.model
    def _record(self, account, listed):
        """Keep what Amazon lists and this database does not know.

        :param amazon.seller.account account: whose feeds they are
        :param list[Listed] listed: what Amazon lists
        """
        ours = self.env["amazon.feed"]._known_refs(account, listed)
        rows = {row.ref: row for row in listed}
        known = self.search(
            [("account_id", "=", account.id), ("feed_ref", "in", list(rows))]
        )
        known.filtered(lambda foreign: foreign.feed_ref in ours).unlink()
        for foreign in known.exists():
            foreign.processing_status = rows.pop(foreign.feed_ref).status
        nameless = self.env["amazon.feed"]._nameless(account, rows.values())
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


class AmazonFeedListed(models.AbstractModel):
    """What Amazon's list of feeds says of a feed of ours."""

    _name = "amazon.feed.listed"
    _description = "Amazon Feeds in Its List"

    @api.model
    def _doubtful(self):
        """Return which feeds were found in Amazon's list, perhaps wrongly.

        :rtype: Domain
        """
        return DOUBTFUL

    @api.model
    def _listed_after_all(self, action):
        """Return the feed that has come to light since it was found that Amazon does
        not have this action, and that was created right after it was sent.

        :param amazon.action action: sent before, and waiting to be sent again
        :rtype: amazon.foreign.feed
        """
        listed = self.env["amazon.foreign.feed"]
        sent = self.search(
            [
                ("account_id", "=", action.account_id.id),
                ("marketplace", "=", action.marketplace),
                ("feed_type", "=", action.feed_type),
                ("sending_at", ">=", action.first_sending_at),
                # by the program, or by a person
                *["|", ("state", "=", "absent")],
                *["&", ("state", "=", "unknown"), ("handed_at", "!=", False)],
            ]
        )
        for feed in sent:
            late = listed._maybe(feed, action.sent_again_at)
            if late:
                return late
        return listed

    @api.model
    def _listed_of_lost_time(self, action):
        """Return a feed of the time that was lost, and of this action's lane, that has
        come to light since it was found that it was not sent in that time.

        :param amazon.action action: as a restored backup has it
        :rtype: amazon.foreign.feed
        """
        feeds = self.env["amazon.foreign.feed"]
        if not action.restored_at or not action.sent_again_at or not action.feed_type:
            return feeds
        end = action.account_id.life_listed_at or datetime.max
        since = action.asked_at - timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        return feeds._of_lane(
            action.account_id, action.feed_type, action.marketplace, since
        ).filtered(
            lambda late: (
                late.created_at <= end and late.first_seen_at >= action.sent_again_at
            )
        )[-1:]

    @api.model
    def _known_refs(self, account, listed, surely=False):
        """Return the ids of those listed feeds that are ours.

        :param bool surely: without those that were only taken for ours
        :rtype: set[str]
        """
        refs = [row.ref for row in listed]
        domain = Domain([("account_id", "=", account.id), ("feed_ref", "in", refs)])
        if surely:
            domain &= ~DOUBTFUL
        known = self.search_fetch(domain, ["feed_ref"])
        return set(known.mapped("feed_ref"))

    @api.model
    def _nameless(self, account, rows):
        """Return the feeds of ours that one of these may be.

        :param rows: what Amazon lists, not known here
        :rtype: amazon.feed
        """
        if not rows:
            return self.browse()
        earliest = min(row.created for row in rows) - timedelta(seconds=ADOPT_SECONDS)
        lately = Domain("amazon_sent_after", ">=", earliest)
        lately |= Domain("amazon_sent_after", "=", False)
        of_account = Domain("account_id", "=", account.id)
        return self.search(of_account & lately & (NAMELESS | DOUBTFUL))

    def _window_start(self):
        """Return Amazon's time before which it cannot have created this feed."""
        return self.amazon_sent_after or self.sending_at

    def _absent_from(self):
        """Return Amazon's time from which on its list must show this feed: where the
        database was restored, another life may have sent it again until then.

        :rtype: datetime
        """
        return max(self._window_start(), self.account_id.life_listed_at or datetime.min)

    def _may_be(self, row):
        """Whether a feed that Amazon lists may be this one, generously.

        :param Listed row: what Amazon lists
        """
        since, until = self._window()
        return (
            row.feed_type == self.feed_type
            and row.may_be_of(self.marketplace)
            and since <= row.created <= until
        )

    def _window(self):
        """Return from when to when Amazon may have created this feed, generously.

        :rtype: tuple[datetime, datetime]
        """
        start = self._window_start()
        return (
            start - timedelta(seconds=LISTING_TOLERANCE_SECONDS),
            start + timedelta(seconds=ADOPT_SECONDS),
        )


class AmazonFeedList(models.AbstractModel):
    """How the feeds that Amazon lists for an account are compared with ours."""

    _name = "amazon.feed.list"
    _description = "Amazon List of Feeds"

    # === BUSINESS METHODS === #

    @api.model
    def _look(self, account, client=None):
        """Compare Amazon's list of feeds with ours, and keep what is not ours.

        What is judged happens in a transaction that begins after the list was read: a
        feed that another worker has just sent is then known here.

        :param amazon.seller.account account: whose feeds
        :param SellerClient client: of this account, a new one when None
        :return: Amazon's time after the list, UTC, naive
        :rtype: datetime
        :raise SpApiError: when Amazon does not give its list
        :raise IncompleteCredentials: when a credential is missing
        """
        rows, amazon_now = self._read_lately(account, client)
        in_own_transaction(self, "_compare", account.id, readable(rows), amazon_now)
        return amazon_now

    def _read_lately(self, account, client):
        """Read Amazon's list since the one before. After a pause there may be more than
        the strict layer reads: then the latest."""
        since = self._listing_since(account)
        try:
            return self._read(account, since, client)
        except MalformedAnswer:
            overlap = timedelta(minutes=LOOK_OVERLAP_MINUTES)
            latest = database_now(self.env) - overlap
            if since >= latest - overlap:
                raise
            return self._read(account, latest, client)

    def _listing_since(self, account):
        """Return from which moment on the list is to be read, by Amazon's clock: a
        little before the end of the one before."""
        now = database_now(self.env)
        back = timedelta(hours=LOOK_BACK_HOURS)
        reached = min(account.feeds_listed_at or now - back, now)
        return max(reached - timedelta(minutes=LOOK_OVERLAP_MINUTES), now - back)

    @api.model
    def _read(self, account, since, client=None):
        """Read Amazon's list of the feeds of our types.

        :param amazon.seller.account account: whose feeds
        :param datetime since: UTC, naive
        :param SellerClient client: of this account, a new one when None
        :return: Amazon's feed objects, and its time after them
        :rtype: tuple[list[dict], datetime]
        :raise SpApiError: when Amazon does not give its list
        :raise IncompleteCredentials: when a credential is missing
        """
        with nullcontext(client) if client else account._client() as client:
            rows = client.get_feeds(FEED_TYPES, since.replace(tzinfo=timezone.utc))
            now = client.amazon_now()
        if not now:
            raise MalformedAnswer("getFeeds", "Amazon's answer has no date.")
        return rows, now.replace(tzinfo=None)

    @api.model
    def _compare(self, account_id, listed, amazon_now):
        """Keep what Amazon lists and this database does not know, in a transaction of
        its own.

        :param int account_id: id of the account
        :param list[Listed] listed: what Amazon lists
        :param datetime amazon_now: its time after that
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        # First: who compares at the same time waits for this row, fails to serialize,
        # and then sees what was kept.
        account.write(
            {
                "feeds_listed_at": amazon_now.replace(microsecond=0),
                "feeds_read_at": database_now(self.env),
            }
        )
        account.flush_recordset()
        self.env["amazon.foreign.feed"]._record(account, listed)


class AmazonGatekeeperListing(models.AbstractModel):
    """Amazon's feeds are compared with ours before another one is sent."""

    _name = "amazon.gatekeeper.listing"
    _inherit = "amazon.gatekeeper"
    _description = "Amazon Gatekeeper That Looks at the List"

    _place = 40

    def _look(self, account, client):
        self.env["amazon.feed.list"]._look(account, client)


class AmazonCheckForeign(models.AbstractModel):
    """Finds feeds of other programs."""

    _name = "amazon.check.foreign"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Other Programs"

    _checks = (Check("foreign", _lt("Another program sends feeds"), on_account=True),)

    def _find_foreign(self, accounts):
        """Another program sends feeds for an account. They stop nothing."""
        lately = self.env["amazon.foreign.feed"]._lately(accounts)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Another program sends feeds for this account: %(count)s in the "
                    "last %(days)s days, the last one on %(last)s. If Amazon's answer "
                    "to a sending of ours is lost, a person will often have to look "
                    "for the outcome. Find out which program it is, and keep it from "
                    "refunding and cancelling.",
                    count=count,
                    days=FOREIGN_DAYS,
                    last=as_utc(last),
                ),
            )
            for account, (count, last) in lately.items()
        ]


def readable(rows):
    """Return the feeds in Amazon's list. One that cannot be read is left out: it must
    not keep everything from being sent."""
    listed = []
    for row in rows:
        try:
            listed.append(Listed.parse(row))
        except MalformedAnswer as error:
            _logger.warning("%s", error)
    return listed
