import logging
import time
from datetime import timedelta, timezone

from odoo import api, fields, models

from ..const import (
    ABSENT_ALONE_HOURS,
    ABSENT_MINUTES,
    ABSENT_RETRY_SECONDS,
    ADOPT_SECONDS,
    CHUNK,
    CONFIRM_ALERT_DAYS,
    LISTING_TOLERANCE_SECONDS,
    NO_TRACE_HOURS,
    NOT_CANCELLED_MINUTES,
    ORDER_LOOK_HOURS,
    POLL_MIN_SECONDS,
    RECONCILE_MAX_SECONDS,
    RECONCILE_MIN_SECONDS,
    SINGLE_READS,
    VERIFY_SECONDS,
)
from ..spapi.errors import IncompleteCredentials, MalformedAnswer, SpApiError
from .amazon_foreign_feed import Listed
from .amazon_foreign_feed import as_utc as _utc
from .background import in_background
from .clock import database_now

_logger = logging.getLogger(__name__)

# What waits for no decision of a person.
NOT_HANDED = [("needs_person", "=", False)]


class AmazonFeed(models.Model):
    """How a feed is looked for whose sending had no clear answer.

    Amazon's list of feeds is the evidence. It names no document, so a feed is ours
    where it is the only one of its lane that nobody accounts for, created right after
    ours was sent. Sendings of a lane never overlap, so each has a window of its own:
    from Amazon's time right before it to that of the next one. What is listed is judged
    in a transaction that begins after the list was read: a feed that another worker has
    just sent is then known here.
    """

    _inherit = "amazon.feed"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    is_adopted = fields.Boolean(
        "Found at Amazon", readonly=True, help="Found in Amazon's list of feeds."
    )
    listed_at = fields.Datetime(
        "Looked For", readonly=True, help="When it was last looked for at Amazon."
    )
    listing = fields.Text(
        "Listed at Amazon",
        readonly=True,
        help="Feeds in Amazon's list that nobody here accounts for.",
    )
    handed_at = fields.Datetime(
        "Handed to a Person", readonly=True, help="The search ended without a result."
    )

    _unknown_idx = models.Index("(account_id, feed_type) WHERE state = 'unknown'")
    _lane_idx = models.Index("(account_id, marketplace, feed_type, id)")

    # === BUSINESS METHODS - LOOKING FOR IT === #

    def _enqueue_reconcile(self):
        """Look for it at Amazon, soon."""
        for feed in self:
            in_background(feed, feed.company_id).with_delay(
                priority=10,
                eta=RECONCILE_MIN_SECONDS,
                max_retries=0,
                description=f"Look for the {feed.feed_type} {feed.id} at Amazon",
            )._job_reconcile()

    def _job_reconcile(self):
        """Look for the feed in Amazon's list. Job; safe to run twice.

        One reading of the list serves all feeds of the account and type.

        :raise RetryableJobError: as long as nothing is proven
        """
        self.ensure_one()
        if self.state != "unknown" or self.handed_at:
            return
        pause = min(
            max(self._age(self.sending_at) / 2, RECONCILE_MIN_SECONDS),
            RECONCILE_MAX_SECONDS,
        )
        try:
            listed, amazon_now = self._list_feeds()
        except (SpApiError, IncompleteCredentials) as error:
            wait = max(pause, getattr(error, "wait", 0))
            raise self._later(str(error), wait) from None
        verdicts = self._in_own_transaction(
            "_judge_listing", self.account_id.id, self.feed_type, listed, amazon_now
        )
        if verdicts.get(self.id) == "open":
            raise self._later("Amazon's list does not say yet", pause)
        if verdicts.get(self.id) == "absent":
            self._conclude_absent(amazon_now)

    def _list_feeds(self):
        """Read Amazon's list of the feeds of this type, from before the oldest of
        ours that is looked for.

        :return: the feeds, and Amazon's time after it
        :rtype: tuple[list[Listed], datetime]
        """
        sought = self.search(self._sought_domain(self.account_id.id, self.feed_type))
        since = min(feed._window_start() for feed in sought | self)
        since -= timedelta(seconds=LISTING_TOLERANCE_SECONDS)
        with self.account_id._client() as client:
            rows = client.get_feeds(
                [self.feed_type], since.replace(tzinfo=timezone.utc)
            )
            now = client.amazon_now()
        if not now:
            raise MalformedAnswer("getFeeds", "Amazon's answer has no date.")
        return [Listed.parse(row) for row in rows], now.replace(tzinfo=None)

    def _sought_domain(self, account_id, feed_type):
        return [
            ("account_id", "=", account_id),
            ("feed_type", "=", feed_type),
            ("state", "=", "unknown"),
            ("handed_at", "=", False),
        ]

    # === BUSINESS METHODS - JUDGING === #

    @api.model
    def _judge_listing(self, account_id, feed_type, listed, amazon_now):
        """Judge what Amazon lists, for every feed that is looked for.

        :param list[Listed] listed: all feeds of this type
        :param datetime amazon_now: Amazon's time after that
        :return: "open", "absent", "adopted" or "person" for each feed
        :rtype: dict
        """
        self.env["amazon.seller.account"].browse(account_id)._note_listed(amazon_now)
        sought = self.search(self._sought_domain(account_id, feed_type), order="id")
        refs = [row.ref for row in listed]
        claimed = self.search(
            [("account_id", "=", account_id), ("feed_ref", "in", refs)]
        )
        known = set(claimed.mapped("feed_ref"))
        seen = [row.created for row in listed if row.ref in known]
        verdicts = {}
        for marketplace, feeds in sought.grouped("marketplace").items():
            unclaimed = [
                row
                for row in listed
                if row.ref not in known and row.may_be_of(marketplace)
            ]
            candidates, strays = feeds._assign(unclaimed)
            for feed in feeds:
                verdicts[feed.id] = feed._judge(
                    candidates.get(feed, []), strays, seen, amazon_now
                )
        sought.listed_at = fields.Datetime.now()
        return verdicts

    def _assign(self, unclaimed):
        """Put each feed that nobody accounts for into the window that it lies in.

        :param list[Listed] unclaimed: feeds of the lane
        :return: the candidates of each feed that is looked for, and what fits none
        :rtype: tuple[dict, list[Listed]]
        """
        sent = self._sent_since()
        candidates, strays = {}, []
        for row in unclaimed:
            before = [feed for feed in sent if feed._window_start() <= row.created]
            owner = before[-1] if before else None
            if owner and owner.state == "sending":
                # its sender is about to say so
                continue
            if owner and owner.state == "unknown" and owner._is_in_time(row):
                candidates.setdefault(owner, []).append(row)
            else:
                strays.append(row)
        for feed, rows in candidates.items():
            if len(rows) > 1 or feed not in self:
                strays += rows
        return candidates, strays

    def _sent_since(self):
        """Return the feeds of this lane from the first of these on, as they were sent:
        one after the other."""
        first = self[0]
        return self.search(
            [
                ("account_id", "=", first.account_id.id),
                ("marketplace", "=", first.marketplace),
                ("feed_type", "=", first.feed_type),
                ("id", ">=", first.id),
            ],
            order="id",
        )

    def _is_in_time(self, row):
        limit = self._window_start() + timedelta(seconds=ADOPT_SECONDS)
        return row.created <= limit

    def _judge(self, candidates, strays, seen, amazon_now):
        """Say what is known of this feed by Amazon's list, and record it.

        :param list[Listed] candidates: feeds in its window
        :param list[Listed] strays: feeds of the lane that nobody accounts for
        :param list seen: when the feeds were created that are accounted for
        :param datetime amazon_now: Amazon's time after the list was read
        :rtype: str
        """
        start = self._window_start()
        since = start - timedelta(seconds=LISTING_TOLERANCE_SECONDS)
        unexplained = {row for row in strays if row.created >= since}
        unexplained.update(candidates)
        self.listing = (
            "\n".join(map(str, sorted(unexplained, key=_by_creation))) or False
        )
        if len(unexplained) == 1 and candidates:
            self._adopt(candidates[0], amazon_now)
            return "adopted"
        if unexplained:
            self._hand_over(
                self.env._(
                    "Amazon's list of feeds shows feeds that nobody here accounts for "
                    "(%s), so it cannot be said which of them is this one, or whether "
                    "any is. Look at the order in Seller Central and decide.",
                    self.listing.replace("\n", "; "),
                )
            )
            return "person"
        listed_from = self._absent_from()
        age = amazon_now - listed_from
        shown_later = any(created > listed_from for created in seen)
        enough = timedelta(minutes=ABSENT_MINUTES)
        if not shown_later:
            enough = timedelta(hours=ABSENT_ALONE_HOURS)
        return "absent" if age >= enough else "open"

    def _adopt(self, row, amazon_now):
        """The feed that Amazon lists is this one."""
        self.write(
            {
                "state": "submitted",
                "feed_ref": row.ref,
                "is_adopted": True,
                "submitted_at": database_now(self.env),
                "processing_status": row.status,
                "state_message": self.env._(
                    "Amazon has it after all: Amazon's list of feeds, read on "
                    "%(now)s, shows exactly one feed that nobody here accounts for, "
                    "%(ref)s, created on %(created)s, right after this was sent.",
                    now=_utc(amazon_now),
                    ref=row.ref,
                    created=_utc(row.created),
                ),
            }
        )
        self._enqueue_follow()
        self._enqueue_poll(POLL_MIN_SECONDS)

    def _refute(self, reason):
        """The feed at Amazon that was taken for this one is another: neither its end
        nor its report says anything of ours. The report stays among the documents."""
        self.write(
            {
                "state": "unknown",
                "feed_ref": False,
                "is_adopted": False,
                "processing_status": False,
                "done_at": False,
                "report_attachment_id": False,
                "report_digest": False,
            }
        )
        self._hand_over(reason)

    def _hand_over(self, reason):
        """The search is over without a result: a person decides."""
        self.write({"handed_at": fields.Datetime.now(), "state_message": reason})
        self._enqueue_move("person")
        self._enqueue_look_at_orders()

    # === BUSINESS METHODS - ABSENCE === #

    def _conclude_absent(self, amazon_now):
        """Amazon's list proves that it is not there: what the orders show wins.

        :raise RetryableJobError: as long as an order could not be read
        """
        account = self.account_id
        since = max(
            self.sending_at + timedelta(minutes=ABSENT_MINUTES),
            # what was known of a database before it was restored
            account.life_known_at or account.life_found_at or self.sending_at,
        )
        if not self._know_orders(since):
            raise self._later("The orders must be read first", ABSENT_RETRY_SECONDS)
        self._in_own_transaction("_declare_absent", self.id, amazon_now)

    @api.model
    def _declare_absent(self, feed_id, amazon_now):
        """Let the actions of a feed be sent again that is not at Amazon."""
        feed = self.browse(feed_id)
        if feed.state != "unknown" or feed.handed_at:
            return
        if feed._executed():
            feed._doubt_absence()
            return
        undecided = feed._actions_in(["sending", "unknown"])
        if undecided and all(undecided.mapped("needs_person")):
            feed._hand_over(undecided._unrecorded_sentence())
            return
        feed.write(
            {
                "state": "absent",
                "state_message": self.env._(
                    "It is not at Amazon: Amazon's list of feeds, read on %(now)s, "
                    "shows no feed of this kind that was created since %(start)s and "
                    "that nobody here accounts for, and what can be read of the order "
                    "shows nothing of it. It is sent again by itself.",
                    now=_utc(amazon_now),
                    start=_utc(feed._window_start()),
                ),
            }
        )
        feed._enqueue_follow()

    def _doubt_absence(self):
        """A part of it was executed, so it is at Amazon although the list does not
        show it. What is not sent again yet must not be."""
        self.state = "unknown"
        self._hand_over(self._doubt_of_absence())

    def _doubt_of_absence(self):
        """Say what speaks against the absence: Amazon's data, or else the word of
        people."""
        executed = self._executed()
        shown = executed.filtered(lambda action: action.state != "assisted")
        if shown:
            return self.env._(
                "Amazon's list of feeds does not show it, but Amazon's data shows "
                "the outcome of %s, which was sent with it. Look at the order in "
                "Seller Central and decide.",
                ", ".join(shown[:5].mapped("name")),
            )
        return self.env._(
            "Amazon's list of feeds does not show it, but %(people)s recorded that "
            "Amazon has executed %(actions)s, which was sent with it. Look at the "
            "order in Seller Central and decide.",
            people=", ".join(executed[:5]._recorded_by().mapped("name")),
            actions=", ".join(executed[:5].mapped("name")),
        )

    def _executed(self):
        """Return the actions of this feed that somebody saw executed: the others left
        with them."""
        return self._actions_in(["accepted", "confirmed", "assisted"])

    # === BUSINESS METHODS - WHAT THE ORDERS SHOW === #

    def _know_orders(self, since):
        """Read the orders of the actions whose outcome is unknown, as far as quota and
        time allow. Nobody waits for an order that cannot be recorded: a person decides
        on its actions.

        :param datetime since: an order that was read since then is known
        :return: whether all the others are known
        :rtype: bool
        """
        unread = self._in_own_transaction("_unread_orders", self.id, since)
        if len(unread) > SINGLE_READS:
            self.account_id._read_ranges()
            unread = self._in_own_transaction("_unread_orders", self.id, since)
        end = time.monotonic() + VERIFY_SECONDS
        told = set()
        for order_id in unread:
            answers = self._in_own_transaction("_read_order", order_id)
            if answers.is_complete():
                told.add(order_id)
            if answers.is_throttled() or time.monotonic() > end:
                break
        self._in_own_transaction("_hand_over_unrecorded", self.id)
        left = self._in_own_transaction("_unread_orders", self.id, since)
        return told.issuperset(left)

    @api.model
    def _unread_orders(self, feed_id, since):
        actions = self.browse(feed_id)._actions_in(["sending", "unknown"])
        return [
            order.id
            for order in actions.order_id
            if (not order.known_until or order.known_until < since)
            and not order._is_given_up()
        ]

    @api.model
    def _hand_over_unrecorded(self, feed_id):
        """Hand the actions of orders to a person that could not be recorded again and
        again: what Amazon says of them is not known, so they are judged by nothing."""
        stuck = (
            self.browse(feed_id)
            ._actions_in(["sending", "unknown"], domain=NOT_HANDED)
            .filtered(lambda action: action.order_id._is_given_up())
        )
        stuck._hand_over_unrecorded()

    @api.model
    def _read_order(self, order_id):
        """Read an order and confirm what it shows.

        :rtype: Answers
        """
        order = self.env["amazon.order"].browse(order_id)
        answers = order._read_from_amazon()
        order._notify_forms()
        return answers

    def _enqueue_look_at_orders(self):
        """Look at the orders of the actions whose outcome is unknown, from when on
        Amazon's data can say something."""
        in_background(self, self.company_id).with_delay(
            priority=20,
            eta=NOT_CANCELLED_MINUTES * 60,
            max_retries=0,
            description=f"Look at the orders of the feed {self.feed_ref or self.id}",
            identity_key=f"amazon_look_at_orders_{self.id}",
        )._job_look_at_orders()

    def _job_look_at_orders(self):
        """Look for what the orders show of the actions whose outcome is unknown. Job.

        :raise RetryableJobError: as long as there are such actions
        """
        self.ensure_one()
        age = self._age(self.done_at or self.sending_at)
        if age > CONFIRM_ALERT_DAYS * 24 * 3600:
            return
        is_known = self._know_orders(self._look_since())
        after = 0
        while after is not None:
            after = self._in_own_transaction("_judge_orders", self.id, after)
        if self._in_own_transaction("_has_unknown", self.id):
            pause = ORDER_LOOK_HOURS * 3600
            if not is_known:
                pause = ABSENT_RETRY_SECONDS
            elif age < NOT_CANCELLED_MINUTES * 60:
                pause = NOT_CANCELLED_MINUTES * 60
            raise self._later("The orders do not say yet", pause)

    def _look_since(self):
        """Return the moment since which an order must have been read, so that a look
        at many orders comes to an end and their data can say something."""
        telling = timedelta(minutes=NOT_CANCELLED_MINUTES)
        recent = database_now(self.env) - timedelta(hours=ORDER_LOOK_HOURS / 2)
        return max((self.done_at or self.sending_at) + telling, recent)

    @api.model
    def _has_unknown(self, feed_id):
        return bool(self.browse(feed_id)._actions_in(["unknown"], limit=1))

    @api.model
    def _judge_orders(self, feed_id, after):
        """Reject what the orders show as not executed; hand over what they do not show
        for too long.

        :param int after: number of the message after which to go on
        :return: the same for the next call, None at the end
        :rtype: int | None
        """
        feed = self.browse(feed_id)
        rest = [("message_number", ">", after)]
        actions = feed._actions_in(["unknown"], CHUNK, rest)
        disproofs = actions.grouped(feed._disproof_of)
        for disproof, disproved in disproofs.items():
            if disproof:
                disproved._set_rejected(feed.processing_status, disproof)
        if feed.done_at and feed._age(feed.done_at) >= NO_TRACE_HOURS * 3600:
            actions.filtered(lambda action: not action.needs_person)._hand_to_person(
                self.env._(
                    "Amazon has not said what became of it, and its own data has not "
                    "shown it within %s hours. Look at the order in Seller Central "
                    "and decide.",
                    NO_TRACE_HOURS,
                )
            )
        return actions[-1].message_number if len(actions) == CHUNK else None

    def _disproof_of(self, action):
        """Return by what Amazon's data shows that an action was not executed, or False;
        one that cannot be judged keeps none of the others."""
        with self.env["amazon.failure"]._contain("judge", action):
            return action._kind()._disproof(action)
        return False


def _by_creation(row):
    return row.created
