import time
from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain

from ...spapi.enums import FEED_FINAL_STATUSES
from ...spapi.errors import IncompleteCredentials, Refused, SpApiError
from ..account.connection import is_access_refused
from ..action.action import CONFIRM_ALERT_DAYS
from ..action.kind import NOT_CANCELLED_MINUTES
from ..action.states import OPEN_STATES
from ..base.background import CHUNK, in_background, in_own_transaction
from ..base.clock import as_utc, database_now
from ..base.containment import contained
from ..base.private_log import private_logger
from ..base.set_aside import contained_job
from ..sending.pace import POLL_MIN_SECONDS, VERIFY_SECONDS
from .foreign_feed import ADOPT_SECONDS, DOUBTFUL, LISTING_TOLERANCE_SECONDS, Listed

_logger = private_logger(__name__)

# Seconds between two looks for a feed in Amazon's list: half of the time that has
# passed since it was sent, within these bounds. getFeeds allows 10 calls at once, then
# one in 45 seconds.
RECONCILE_MIN_SECONDS, RECONCILE_MAX_SECONDS = 10, 900

# Amazon's list may lag. A feed that it does not show is called absent after so many
# minutes where a later feed of ours is shown, and after so many hours in any case.
ABSENT_MINUTES, ABSENT_ALONE_HOURS = 60, 4

# Seconds until the orders are asked again where an absence cannot be declared yet.
ABSENT_RETRY_SECONDS = 60

# Hours between two looks at the orders of actions whose outcome is unknown, and after
# which a person is asked. Amazon: "Orders from the last 48 hours might not be included"
# (listFinancialEvents).
ORDER_LOOK_HOURS, NO_TRACE_HOURS = 6, 72

# Orders that are read one by one; where they are more, Amazon's lists are read first.
SINGLE_READS = 30

# What waits for no decision of a person.
NOT_HANDED = [("needs_person", "=", False)]


class Evidence(NamedTuple):
    """What Amazon's list says of one feed of ours.

    :param list[Listed] candidates: what was created in its window
    :param bool is_contested: whether one of these may be another feed of ours as well
    :param set[Listed] unexplained: what nobody accounts for and may speak of it
    :param list[datetime] seen: when those feeds were created that are surely ours
    :param bool is_foreign_about: whether other programs lately sent feeds
    """

    candidates: list
    is_contested: bool
    unexplained: set
    seen: list
    is_foreign_about: bool


class AmazonFeedSearch(models.AbstractModel):
    """How a feed is looked for whose sending had no clear answer.

    Amazon's list of feeds is the evidence. It names no document, so a feed is taken for
    ours where it is the only one of its lane that nobody accounts for, created right
    after ours was sent, and the list has caught up. Sendings of a lane never overlap,
    so each has a window of its own: from Amazon's time right before it to that of the
    next one. What is listed is judged in a transaction that begins after the list was
    read: a feed that another worker has just sent is then known here.

    A feed that was taken for ours may still be another program's. So its end and its
    report free no money and tell nobody an outcome, unless the report names our order;
    and it is let go as soon as something speaks against it.
    """

    _name = "amazon.feed.search"
    _description = "Amazon Search for Feeds"

    is_adopted = fields.Boolean(
        "Found at Amazon", readonly=True, help="Found in Amazon's list of feeds."
    )
    is_proven = fields.Boolean(
        "Names Our Orders",
        readonly=True,
        help="Found in Amazon's list, and its report names an order that we sent.",
    )
    amazon_created_at = fields.Datetime(
        "Created at Amazon",
        readonly=True,
        help="By Amazon's clock, as its list of feeds says.",
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

    @contained_job
    def _job_reconcile(self):
        """Look for the feed in Amazon's list. Job; safe to run twice.

        One reading of the list serves all feeds of the account and type.

        :raise RetryableJobError: as long as nothing is proven
        """
        self.ensure_one()
        if self not in self._sought(self.account_id.id, self.feed_type):
            return
        if self.is_adopted and not self._actions_in(OPEN_STATES, limit=1):
            return
        pause = min(
            max(self._age(self.sending_at) / 2, RECONCILE_MIN_SECONDS),
            RECONCILE_MAX_SECONDS,
        )
        try:
            verdict, amazon_now = self._look_for_it()
        except (SpApiError, IncompleteCredentials) as error:
            wait = max(pause, getattr(error, "wait", 0))
            raise self._later(str(error), wait) from None
        if verdict in ("open", "watched"):
            raise self._later("Amazon's list may still show others", pause)
        if verdict == "absent":
            self._conclude_absent(amazon_now)

    def _look_for_it(self):
        """Read Amazon's list and judge it; where it takes that, the report of the feed
        that may be this one, too.

        :return: what is known now, see ``_judge``, and Amazon's time
        :rtype: tuple[str, datetime]
        """
        account = self.account_id
        lists = self.env["amazon.feed.list"]
        rows, amazon_now = lists._read(account, self._listed_since())
        listed = [Listed.parse(row) for row in rows]
        in_own_transaction(lists, "_compare", account.id, listed, amazon_now)
        verdicts = self._in_own_transaction(
            "_judge_listing",
            account.id,
            self.feed_type,
            [row for row in listed if row.feed_type == self.feed_type],
            amazon_now,
        )
        verdict = verdicts.get(self.id, "over")
        if isinstance(verdict, Listed):
            report = self._read_report_of(verdict)
            verdict = self._in_own_transaction(
                "_judge_report", self.id, verdict, report, amazon_now
            )
        return verdict, amazon_now

    def _listed_since(self):
        """Return from when on Amazon's list is needed: from before the oldest of ours
        that is looked for."""
        sought = self._sought(self.account_id.id, self.feed_type)
        since = min(feed._window_start() for feed in sought | self)
        return since - timedelta(seconds=LISTING_TOLERANCE_SECONDS)

    def _read_report_of(self, row):
        """Read the report of a feed in Amazon's list.

        :param Listed row: a feed that is processed
        :return: the report, False where there is none
        :rtype: bytes | bool
        :raise SpApiError: when Amazon does not say
        """
        with self.account_id._client() as client:
            report_ref = client.get_feed(row.ref).get("resultFeedDocumentId")
            try:
                return bool(report_ref) and client.read_report(report_ref)
            except Refused as error:
                if is_access_refused(error):
                    raise
                return False

    @api.model
    def _sought(self, account_id, feed_type):
        """Return the feeds that are looked for in Amazon's list.

        :rtype: amazon.feed
        """
        of_type = [("account_id", "=", account_id), ("feed_type", "=", feed_type)]
        return self.search(Domain(of_type) & self._sought_domain(), order="id")

    @api.model
    def _sought_domain(self):
        """Return the domain of what is looked for: what is unknown, and what was found,
        for as long as Amazon's list may yet show a feed that fits as well."""
        unknown = Domain(
            [
                ("state", "=", "unknown"),
                ("handed_at", "=", False),
                ("set_aside_at", "=", False),
            ]
        )
        lag = timedelta(hours=ABSENT_ALONE_HOURS)
        found = DOUBTFUL & Domain("sending_at", ">", fields.Datetime.now() - lag)
        return unknown | found

    # === BUSINESS METHODS - JUDGING === #

    @api.model
    def _judge_listing(self, account_id, feed_type, listed, amazon_now):
        """Judge what Amazon lists, for every feed that is looked for.

        :param list[Listed] listed: all feeds of this type
        :param datetime amazon_now: Amazon's time after that
        :return: what is known now of each feed, see ``_judge``
        :rtype: dict
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        account._note_listed(amazon_now)
        sought = self._sought(account_id, feed_type)
        known = self._known_refs(account, listed)
        surely = self._known_refs(account, listed, surely=True)
        seen = [row.created for row in listed if row.ref in surely]
        of_lane = {
            marketplace: feeds._assign(
                [
                    row
                    for row in listed
                    if row.ref not in known
                    and row.may_be_of(marketplace)
                    and not feeds._is_being_sent_elsewhere(row)
                ]
            )
            for marketplace, feeds in sought.grouped("marketplace").items()
        }
        fits = Counter(
            row
            for candidates, _strays in of_lane.values()
            for rows in candidates.values()
            for row in rows
        )
        earlier = self.env["amazon.foreign.feed"]._first_seen(account, listed)
        lately = account in self.env["amazon.foreign.feed"]._lately(account)
        verdicts = {}
        for feed in sought:
            by_feed, strays = of_lane[feed.marketplace]
            candidates = by_feed.get(feed, [])
            evidence = Evidence(
                candidates,
                any(fits[row] > 1 for row in candidates),
                feed._unexplained(candidates + strays, earlier),
                seen,
                lately,
            )
            verdicts[feed.id] = feed._judge(evidence, amazon_now)
        sought.listed_at = fields.Datetime.now()
        return verdicts

    def _is_being_sent_elsewhere(self, row):
        """Whether a feed may be one that another lane sends right now, and whose sender
        is about to say so: Amazon need not name the marketplace."""
        others = self.search(
            [
                ("account_id", "=", self.account_id.id),
                ("marketplace", "!=", self[0].marketplace),
                ("state", "=", "sending"),
            ]
        )
        return any(feed._may_be(row) for feed in others)

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
            if owner and owner._is_open_to(row):
                candidates.setdefault(owner, []).append(row)
            else:
                strays.append(row)
        for feed, rows in candidates.items():
            if len(rows) > 1 or feed not in self:
                strays += rows
        return candidates, strays

    def _is_open_to(self, row):
        """Whether a feed that nobody accounts for may be this one."""
        limit = self._window_start() + timedelta(seconds=ADOPT_SECONDS)
        nameless = self.state == "unknown" or (self.is_adopted and not self.is_proven)
        return nameless and row.created <= limit

    def _unexplained(self, rows, earlier):
        """Return those feeds that may speak of this one: without those that another
        program had sent before it, as was seen right before it was sent.

        :param list[Listed] rows: feeds of the lane that nobody accounts for
        :param dict earlier: since when feeds of other programs are known, by id
        :rtype: set[Listed]
        """
        start = self._window_start()
        since = start - timedelta(seconds=LISTING_TOLERANCE_SECONDS)
        return {
            row
            for row in rows
            if row.created >= since
            and not (
                row.created < start
                and row.ref in earlier
                and earlier[row.ref] <= self.sending_at
            )
        }

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

    def _judge(self, evidence, amazon_now):
        """Say what is known of this feed by Amazon's list, and record it.

        :param Evidence evidence: what the list says of it
        :param datetime amazon_now: Amazon's time after the list was read
        :return: "open", "absent", "adopted", "watched" (adopted before), "person", or
            the feed whose report decides
        :rtype: str | Listed
        """
        if self.is_adopted:
            return self._judge_adopted(evidence)
        listing = _lines(evidence.unexplained)
        is_news = listing != self.listing
        self.listing = listing
        is_lone = len(evidence.unexplained) == 1 and not evidence.is_contested
        if is_lone and evidence.candidates:
            return self._judge_lone(evidence, is_news, amazon_now)
        if evidence.unexplained:
            self._hand_over(
                self.env._(
                    "Amazon's list of feeds shows feeds that nobody here accounts for "
                    "(%s), so it cannot be said which of them is this one, or whether "
                    "any is. Look at the order in Seller Central and decide.",
                    self.listing.replace("\n", "; "),
                )
            )
            return "person"
        start = self._absent_from()
        age = amazon_now - start
        enough = timedelta(minutes=ABSENT_MINUTES)
        if not any(created > start for created in evidence.seen):
            enough = timedelta(hours=ABSENT_ALONE_HOURS)
        return "absent" if age >= enough else "open"

    def _judge_lone(self, evidence, is_news, amazon_now):
        """Judge the only feed that may be this one. It is taken where its report names
        our order; where no other program sends feeds, also once the list must show all
        that there is.

        :param bool is_news: whether Amazon listed it otherwise the last time
        """
        row = evidence.candidates[0]
        caught_up = any(created > row.created for created in evidence.seen)
        age = amazon_now - self._window_start()
        is_processed = row.status in FEED_FINAL_STATUSES
        if evidence.is_foreign_about:
            if is_processed:
                return row
            if age >= timedelta(hours=ABSENT_ALONE_HOURS):
                return self._hand_over_lone(row)
        elif caught_up or age >= timedelta(minutes=ABSENT_MINUTES):
            self._adopt(row, self._lone_sentence(row, amazon_now))
            return "adopted"
        elif is_processed and is_news:
            # once: reports can be read as seldom as lists
            return row
        return "open"

    def _judge_adopted(self, evidence):
        """Let go of the feed that was taken for this one where another one may be it
        just as well: what was created in its window, or, by a clock of Amazon's that
        is not exact, right before it."""
        start = self._window_start()
        before = {row for row in evidence.unexplained if row.created < start}
        rivals = before.union(evidence.candidates)
        if not rivals:
            return "watched"
        self.listing = _lines(rivals)
        self._refute(
            self.env._(
                "The feed %(feed)s at Amazon was taken for this one, but Amazon's list "
                "by now shows others that it may be as well (%(others)s). So it is "
                "unknown again which of them is this one, or whether any is. Look at "
                "the order in Seller Central and decide.",
                feed=self.feed_ref,
                others=self.listing.replace("\n", "; "),
            )
        )
        return "person"

    @api.model
    def _judge_report(self, feed_id, row, report, amazon_now):
        """Judge the only feed that may be one of ours by its report.

        :param Listed row: the feed at Amazon
        :param bytes report: its report, False where there is none
        :return: "adopted", "open", "person", or "over" where nobody looks for it any
            more
        :rtype: str
        """
        feed = self.browse(feed_id)
        if feed.state != "unknown" or feed.handed_at:
            return "over"
        if self._known_refs(feed.account_id, [row]):
            # its sender has told meanwhile
            return "open"
        if not feed._is_named_in(report):
            account = feed.account_id
            if account in self.env["amazon.foreign.feed"]._lately(account):
                return feed._hand_over_lone(row)
            return "open"
        feed._adopt(
            row,
            self.env._(
                "Amazon has it after all: Amazon's list of feeds, read on %(now)s, "
                "shows the feed %(ref)s, created on %(created)s, right after this was "
                "sent, and its report names an order that was in it.",
                now=as_utc(amazon_now),
                ref=row.ref,
                created=as_utc(row.created),
            ),
        )
        feed.is_proven = True
        return "adopted"

    def _hand_over_lone(self, row):
        self._hand_over(
            self.env._(
                "Amazon's list of feeds shows one feed that may be this one "
                "(%(feed)s), but another program sends feeds for this account, too, "
                "and nothing in its report says whose it is. Look at the order in "
                "Seller Central and decide.",
                feed=row,
            )
        )
        return "person"

    def _lone_sentence(self, row, amazon_now):
        return self.env._(
            "Amazon seems to have it after all: Amazon's list of feeds, read on "
            "%(now)s, shows exactly one feed that nobody here accounts for, %(ref)s, "
            "created on %(created)s, right after this was sent.",
            now=as_utc(amazon_now),
            ref=row.ref,
            created=as_utc(row.created),
        )

    def _adopt(self, row, evidence):
        """The feed that Amazon lists is taken for this one.

        :param Listed row: the feed at Amazon
        :param str evidence: the sentence that says why
        """
        self.write(
            {
                "state": "submitted",
                "feed_ref": row.ref,
                "is_adopted": True,
                "amazon_created_at": row.created.replace(microsecond=0),
                "submitted_at": database_now(self.env),
                "processing_status": row.status,
                "state_message": evidence,
            }
        )
        self.env["amazon.foreign.feed"]._forget(self)
        self._enqueue_reconcile()
        self._enqueue_follow()
        self._enqueue_poll(POLL_MIN_SECONDS)

    def _refute(self, reason):
        """The feed at Amazon that was taken for this one may be another."""
        self._let_go()
        self._hand_over(reason)

    def _let_go(self):
        """Neither the end nor the report of the feed that was taken for this one says
        anything of it. The report stays among the documents."""
        self.write(
            {
                "state": "unknown",
                "feed_ref": False,
                "is_adopted": False,
                "is_proven": False,
                "amazon_created_at": False,
                "processing_status": False,
                "done_at": False,
                "report_file_id": False,
                "report_digest": False,
            }
        )

    def _correct_adoption(self, feed_ref):
        """Its sender was alive, and tells late under which id Amazon has it.

        :param str feed_ref: Amazon's id
        """
        if self.feed_ref != feed_ref:
            self._let_go()
            return
        self.is_adopted = False
        if self.report_file_id:
            self._enqueue_apply_report()

    def _disown(self, reason):
        """The feed at Amazon that was taken for this one is surely another program's.

        :param str reason: the sentence that says why
        """
        self.env["amazon.foreign.feed"]._keep(self)
        self._refute(reason)

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
                    now=as_utc(amazon_now),
                    start=as_utc(feed._window_start()),
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
            self.env["amazon.range.reading"]._read_ranges(self.account_id)
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

    @contained_job
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
        goes_on = self.env["amazon.action"]._goes_on_domain()
        return bool(self.browse(feed_id)._actions_in(["unknown"], 1, goes_on))

    @api.model
    def _judge_orders(self, feed_id, after):
        """Reject what the orders show as not executed; hand over what they do not show
        for too long.

        :param int after: number of the message after which to go on
        :return: the same for the next call, None at the end
        :rtype: int | None
        """
        feed = self.browse(feed_id)
        rest = Domain("message_number", ">", after)
        goes_on = self.env["amazon.action"]._goes_on_domain()
        actions = feed._actions_in(["unknown"], CHUNK, rest & goes_on)
        contained(
            actions,
            feed._judge_by_order,
            lambda action, error: action._set_aside(error),
        )
        return actions[-1].message_number if len(actions) == CHUNK else None

    def _judge_by_order(self, actions):
        disproofs = actions.grouped(lambda action: action._kind()._disproof(action))
        for disproof, disproved in disproofs.items():
            if disproof:
                self._apply_disproof(disproved, disproof)
        if self.done_at and self._age(self.done_at) >= NO_TRACE_HOURS * 3600:
            actions.filtered(lambda action: not action.needs_person)._hand_to_person(
                self.env._(
                    "Amazon has not said what became of it, and its own data has not "
                    "shown it within %s hours. Look at the order in Seller Central "
                    "and decide.",
                    NO_TRACE_HOURS,
                )
            )

    def _apply_disproof(self, actions, disproof):
        """Reject what the orders show as not executed. They show it by the end of the
        feed: where that may be another program's, ours may still be in the queue."""
        if not self.is_adopted or self.is_proven:
            actions._set_rejected(self.processing_status, disproof)
        elif self._age(self.sending_at) >= ABSENT_ALONE_HOURS * 3600:
            actions.filtered(lambda action: not action.needs_person)._hand_to_person(
                self.env._(
                    "Amazon's data does not show it, and the feed %s that was taken "
                    "for it is processed. But that feed may be another program's. Look "
                    "at the order in Seller Central and decide.",
                    self.feed_ref,
                )
            )


def _lines(rows):
    """Return feeds as Amazon lists them, one in a line; False where there is none."""
    return "\n".join(map(str, sorted(rows, key=_by_creation))) or False


def _by_creation(row):
    return row.created
