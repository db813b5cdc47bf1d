from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..base.clock import (
    CLOCK_TOLERANCE_MINUTES,
    DATABASE_NOW,
    database_now,
    latest_credible,
)

# Seconds. Both ranges are read again this far back, for what Amazon shows a little
# later than its time says.
RANGE_OVERLAP_SECONDS = 300

# Hours. A longer gap is not caught up (searchOrders gives 100 orders in 178 seconds):
# the cover begins anew, and each order must be read once by itself.
RANGE_GAP_HOURS = 24

# listTransactions leaves out the last two minutes before the request; the rest is for
# the way there.
TRANSACTIONS_LAG_SECONDS = 125

# "Financial events might not include orders from the last 48 hours" (both Finances
# models): so far back transactions are listed again, once in so many seconds.
LATE_HOURS, LATE_EVERY_SECONDS = 48, 3600

# What is read by range, in this order. "late" are the transactions that Amazon lists
# only long after their posting date; it adds to the cover, but promises nothing.
SUBJECTS = [
    ("orders", "Orders"),
    ("transactions", "Transactions"),
    ("late", "Late transactions"),
]


# What says up to when an order is known.
COVER_FIELDS = ("known_since", "known_until", "is_refused")
# What is told by our clock, not by Amazon's, and says how far is known or when to ask.
OUR_TIMES = ("known_since", "known_until", "asked_at", "mark_at", "page_asked_at")


class Cover(NamedTuple):
    """What a watermark says of how much is known."""

    known_since: datetime
    known_until: datetime | None
    is_refused: bool

    def covers_since(self, moment):
        """Whether nothing was missed since a moment, by PostgreSQL's clock."""
        return bool(self.known_until) and self.known_since <= moment


class RangeQuery(NamedTuple):
    """One question about a range, and how far it is answered.

    `after`, `before`, `seen_at` are by Amazon's clock, `asked_at` by PostgreSQL's; all
    without a time zone, in UTC. `before` is None until Amazon has said it. `token` is
    that of the next page, None for the first one.
    """

    subject: str
    after: datetime
    before: datetime | None
    asked_at: datetime
    seen_at: datetime | None
    token: str | None


class AmazonWatermark(models.Model):
    """Up to where the lists of an account have been read at Amazon.

    Amazon lists orders by their last update and transactions by their posting date. As
    long as each list is read on from where the one before ended, nothing of it is
    missed: that is the cover, from `known_since` to `known_until`. A list is done when
    its last page is recorded, and only then the watermark rises.
    """

    _name = "amazon.watermark"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Range Read"
    _order = "account_id, id"
    _rec_name = "subject"

    account_id = fields.Many2one(
        "amazon.seller.account",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    subject = fields.Selection(SUBJECTS, required=True, readonly=True)
    position = fields.Datetime(
        "Read up to",
        required=True,
        readonly=True,
        help="By Amazon's clock. The next list begins a little before.",
    )
    known_since = fields.Datetime(
        required=True,
        readonly=True,
        help="By our clock: from then on nothing was missed.",
    )
    known_until = fields.Datetime(
        readonly=True, help="By our clock: up to then nothing was missed."
    )
    asked_at = fields.Datetime(
        "Last Asked", readonly=True, help="When the last complete list was asked for."
    )
    # A moment by both clocks, taken at an answer. When a list reaches it, we know that
    # we know all up to it, however fast Amazon's clock runs.
    mark_at = fields.Datetime(readonly=True)
    mark_seen_at = fields.Datetime(readonly=True)
    # The list that is being read, while pages of it are left.
    page_token = fields.Char(readonly=True)
    page_after = fields.Datetime(readonly=True)
    page_before = fields.Datetime(readonly=True)
    page_asked_at = fields.Datetime(readonly=True)
    page_seen_at = fields.Datetime(readonly=True)
    message = fields.Char(
        "Problem", readonly=True, help="Why it cannot be read at the moment."
    )
    is_refused = fields.Boolean(
        "Refused by Amazon",
        readonly=True,
        help="Amazon does not let this account read it.",
    )

    _subject_uniq = models.Constraint(
        "unique(account_id, subject)",
        "There is one watermark for each account and subject.",
    )

    # === FINDING === #

    @api.model
    def _provide(self, account_id, subject):
        """Return the watermark, a new one that covers nothing yet where there is none.

        Its caller holds the range (`_hold_range`), so that nobody else adds it.

        :rtype: amazon.watermark
        """
        watermark = self.search(
            [("account_id", "=", account_id), ("subject", "=", subject)]
        )
        return watermark or self.create(
            {"account_id": account_id, "subject": subject, **self._beginning()}
        )

    @api.model
    def _covers(self, accounts):
        """Return the time by PostgreSQL's clock, and what is covered of each account by
        subject: in one question, since every form asks it. What claims to reach into
        the future covers nothing.

        :return: the time, and a `Cover` by account and subject
        :rtype: tuple[datetime, dict]
        """
        self.flush_model(["account_id", "subject", *COVER_FIELDS])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT now, account_id, subject, known_since, known_until, is_refused
                  FROM (SELECT %s AS now) AS clock
                  LEFT JOIN amazon_watermark ON account_id = ANY(%s)
                """,
                SQL(DATABASE_NOW),
                accounts.ids,
            )
        )
        now, covers = rows[0][0], {}
        for _now, account_id, subject, *values in rows:
            cover = Cover(*values)
            if not cover.known_until or cover.known_until <= latest_credible(now):
                covers.setdefault(account_id, {})[subject] = cover
        return now, covers

    @api.model
    def _ahead_of(self, accounts, moment):
        """Return those accounts that have a time written down which is later than a
        moment.

        :rtype: amazon.seller.account
        """
        of_accounts = Domain("account_id", "in", accounts.ids)
        return self.search(of_accounts & self._ahead_domain(moment)).account_id

    @api.model
    def _is_ahead_sql(self):
        """Return the question whether a list of the account of ``amazon_order`` has a
        time written down that has not come yet.

        :rtype: SQL
        """
        self.flush_model(["account_id", *OUR_TIMES])
        return SQL(
            """
            EXISTS (SELECT FROM amazon_watermark mark
                     WHERE mark.account_id = amazon_order.account_id
                       AND GREATEST(%s) > %s)
            """,
            SQL(", ").join(SQL.identifier("mark", name) for name in OUR_TIMES),
            SQL(DATABASE_NOW),
        )

    @api.model
    def _ahead_domain(self, moment):
        return Domain.OR(Domain(name, ">", moment) for name in OUR_TIMES)

    def _is_ahead(self, now):
        """Whether a clock was ahead when something of this was written down.

        :param datetime now: by PostgreSQL's clock
        """
        ahead = self._ahead_domain(latest_credible(now))
        return bool(self.filtered_domain(ahead))

    @api.model
    def _mend_future(self, account_ids, limit):
        """The cover begins anew."""
        latest = latest_credible(database_now(self.env))
        of_accounts = Domain("account_id", "in", account_ids)
        marks = self.search(of_accounts & self._ahead_domain(latest), limit=limit)
        for mark in marks:
            mark._restart()
        return len(marks)

    # === BUSINESS METHODS === #

    def _next_query(self, amazon_now):
        """Return what to ask Amazon next: the page that is left, or a new list.

        :param datetime amazon_now: Amazon's clock, None where it is not known
        :rtype: RangeQuery
        """
        now = database_now(self.env)
        self._restart_where_useless(now)
        if self.page_token:
            return RangeQuery(
                self.subject,
                self.page_after,
                self.page_before,
                self.page_asked_at,
                self.page_seen_at,
                self.page_token,
            )
        after = self.position - timedelta(seconds=RANGE_OVERLAP_SECONDS)
        before = None
        if self.subject != "orders":
            lag = timedelta(seconds=TRANSACTIONS_LAG_SECONDS)
            before = (amazon_now or self._guess_amazon_now(now)) - lag
            if self.subject == "late":
                after = before - timedelta(hours=LATE_HOURS)
            # Amazon refuses an empty range
            after = min(after, before - timedelta(seconds=1))
        return RangeQuery(self.subject, after, before, now, None, None)

    def _guess_amazon_now(self, now):
        """Return Amazon's time where this client has no answer yet; not too late, since
        Amazon refuses times that are not well past."""
        reached = self.position + timedelta(seconds=TRANSACTIONS_LAG_SECONDS)
        if not self.mark_at:
            return reached
        # a mark is up to a second ahead
        passed = now - self.mark_at - timedelta(seconds=2)
        return max(reached, self.mark_seen_at + passed)

    def _restart_where_useless(self, now):
        """Begin the cover anew where there is too much to catch up, or where a clock
        was ahead when it was written down."""
        reached = max(self.known_until or self.known_since, self.known_since)
        gap = timedelta(hours=RANGE_GAP_HOURS)
        is_late = self.subject != "late" and now - reached > gap
        if is_late or self._is_ahead(now):
            self._restart()

    def _restart(self):
        """Begin the cover anew: nothing is known but what is read from now on."""
        self.write(
            {
                **self._beginning(),
                **_no_page(),
                "known_until": False,
                "asked_at": False,
            }
        )

    def _is_late_due(self):
        """Whether it is time to list the last days again."""
        every = timedelta(seconds=LATE_EVERY_SECONDS)
        return (
            bool(self.page_token)
            or not self.asked_at
            or (database_now(self.env) - self.asked_at >= every)
        )

    def _advance(self, query, token):
        """Note that a page is recorded: the next one is due, or the list is done.

        :param RangeQuery query: what was asked, with what Amazon said of its bounds
        :param str token: that of the next page, None after the last one
        """
        if (self.page_token or None) != query.token:
            # somebody else read on, after this connection had lost its lock
            return
        self.write({"message": False, "is_refused": False})
        if token:
            self.write(
                {
                    "page_token": token,
                    "page_after": query.after,
                    "page_before": query.before,
                    "page_asked_at": query.asked_at,
                    "page_seen_at": query.seen_at,
                }
            )
        elif query.before < self.position - timedelta(seconds=RANGE_OVERLAP_SECONDS):
            # Amazon's clock is behind what was read already: it was another clock.
            self._restart()
            self.position = query.before
        else:
            self._raise_or_restart(query)

    def _raise_or_restart(self, query):
        """Raise the watermark, unless our clock was ahead when the list was begun or
        when the one before was: nobody knows then up to when it is read."""
        now = database_now(self.env)
        if query.asked_at > latest_credible(now) or self._is_ahead(now):
            self._restart()
        else:
            self._raise(query)

    def _raise(self, query):
        """Raise the watermark: the list is read to its end."""
        lag = max(query.seen_at - query.before, timedelta())
        reached = [self.known_until, query.asked_at - lag]
        mark = {}
        if not self.mark_at or self.mark_seen_at <= query.before:
            reached.append(self.mark_at)
            mark = {"mark_at": query.asked_at, "mark_seen_at": query.seen_at}
        self.write(
            {
                **mark,
                **_no_page(),
                "position": max(query.before, self.position),
                "known_until": max(filter(None, reached)),
                "asked_at": query.asked_at,
            }
        )

    def _drop_page(self):
        """Forget the page that Amazon does not give any more; the list begins anew
        where it began."""
        self.write(_no_page())

    def _fail(self, message, refused):
        """Note why it cannot be read.

        :param str message: a sentence for a person
        :param bool refused: whether Amazon does not let this account read it
        """
        self.write({"message": message, "is_refused": refused})

    @api.model
    def _beginning(self):
        """Return the values of a cover that begins now.

        It begins earlier than now, so that a difference of the clocks makes no hole.
        """
        now = database_now(self.env)
        tolerance = timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        return {
            "position": now - tolerance,
            "known_since": now,
            "mark_at": False,
            "mark_seen_at": False,
        }


def _no_page():
    return dict.fromkeys(
        ("page_token", "page_after", "page_before", "page_asked_at", "page_seen_at"),
        False,
    )
