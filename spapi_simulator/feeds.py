"""Feeds: documents, the queue, processing on the simulated clock, reports."""

import gzip
import hashlib
import itertools
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from . import envelope
from .clock import iso
from .errors import invalid_input, not_found
from .execution import INVALID_DATA, Context, Refusal
from .faults import FEED_KINDS, Fault
from .foreign import ERROR, ForeignFeed
from .report import Report, Result

URL_LIFETIME = timedelta(minutes=5)
INPUT_LIFETIME = timedelta(days=2)
RESULT_LIFETIME = timedelta(days=28)
FEED_LIFETIME = timedelta(days=90)
DEFAULT_PAGE_SIZE = 10
# Part of the processing time that a feed waits in the queue.
QUEUE_SHARE = 0.25

IN_QUEUE, IN_PROGRESS = "IN_QUEUE", "IN_PROGRESS"
DONE, CANCELLED, FATAL = "DONE", "CANCELLED", "FATAL"


@dataclass
class Document:
    """A feed document: what a seller uploads, or a report."""

    id: str
    seller_id: str
    content_type: str
    expires: datetime
    available_from: datetime | None = None
    data: bytes | None = None
    compressed: bool = False


@dataclass
class Link:
    """A presigned URL: good for one method on one document, for five minutes."""

    document: Document
    method: str
    expires: datetime
    content_encoding: str | None = None


@dataclass
class Feed:
    """One feed. Its times are fixed when it is created.

    `foreign`: set when another program of the seller sent it, through no request here.
    """

    id: str
    seller_id: str
    feed_type: str
    marketplace_ids: tuple
    data: bytes
    created: datetime
    starts: datetime
    ends: datetime
    faults: dict = field(default_factory=dict)
    foreign: ForeignFeed | None = None
    status: str = IN_QUEUE
    messages: int | None = None
    result_document_id: str | None = None

    @cached_property
    def digest(self):
        """SHA-256 of the uploaded bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def listed_from(self):
        """When getFeeds starts to show it."""
        lag = self.faults.get("getfeeds_lag")
        seconds = lag.options["seconds"] if lag else 0
        return self.created + timedelta(seconds=seconds)

    def to_api(self):
        """Return the model `Feed`."""
        data = {
            "feedId": self.id,
            "feedType": self.feed_type,
            "createdTime": iso(self.created, milliseconds=True),
            "processingStatus": self.status,
        }
        if self.marketplace_ids:
            data["marketplaceIds"] = list(self.marketplace_ids)
        if self.status in (IN_PROGRESS, DONE, FATAL):
            data["processingStartTime"] = iso(self.starts, milliseconds=True)
        if self.status in (DONE, FATAL):
            data["processingEndTime"] = iso(self.ends, milliseconds=True)
        if self.result_document_id:
            data["resultFeedDocumentId"] = self.result_document_id
        return data

    def to_ledger(self):
        """Return the ledger's row. `messages`: None before it was read."""
        return {
            "feed_id": self.id,
            "feed_type": self.feed_type,
            "marketplace_ids": list(self.marketplace_ids),
            "status": self.status,
            "created_time": iso(self.created, milliseconds=True),
            "end_time": iso(self.ends, milliseconds=True),
            "messages": self.messages,
            "seller_id": self.seller_id,
            "input_digest": self.digest,
            "foreign": self.foreign is not None,
        }


# Ids never repeat, not even after a reset or a restart, as Amazon's do not.
_feed_numbers = itertools.count(int(time.time() * 1000))


class FeedDesk:
    """All feeds and documents of all sellers.

    :param SimulatedClock clock: the clock that processes them
    :param Settings settings: processing time and so on
    :param Faults faults: the rules in force
    :param Executor executor: does what accepted messages say
    """

    def __init__(self, clock, settings, faults, executor):
        self.clock = clock
        self.settings = settings
        self.faults = faults
        self.executor = executor
        self.feeds = {}
        self._open = []
        self.documents = {}
        self.links = {}

    # === DOCUMENTS === #

    def create_document(self, seller_id, content_type):
        """Make an empty document to upload into.

        :return: (Document, signature of its URL)
        """
        if not content_type.strip() or "/" not in content_type:
            raise invalid_input("contentType is not a media type.")
        document = Document(
            id=_document_id(),
            seller_id=seller_id,
            content_type=content_type,
            expires=self.clock.now() + INPUT_LIFETIME,
        )
        self.documents[document.id] = document
        return document, self._sign(document, "PUT")

    def get_document(self, seller_id, document_id, encoding_header=False):
        """Return a document with a fresh URL to download it.

        :raise ApiError: 404 when the seller has no such document any more
        """
        document = self._document(seller_id, document_id)
        if document is None or document.data is None:
            raise not_found("The feed document does not exist.")
        encoding = "gzip" if document.compressed and encoding_header else None
        return document, self._sign(document, "GET", encoding)

    def _document(self, seller_id, document_id):
        document = self.documents.get(document_id)
        if document is None or document.seller_id != seller_id:
            return None
        now = self.clock.now()
        if document.available_from and now < document.available_from:
            return None
        return document if document.expires > now else None

    def _sign(self, document, method, encoding=None):
        signature = secrets.token_hex(32)
        expires = self.clock.now() + URL_LIFETIME
        self.links[signature] = Link(document, method, expires, encoding)
        return signature

    # === FEEDS === #

    def create_feed(self, seller, feed_type, marketplace_ids, document_id):
        """Accept a feed. From here on it will be executed, once.

        :raise ApiError: 400 when the request does not hold
        """
        if feed_type not in envelope.FEED_MESSAGE_TYPES:
            raise invalid_input(f"The feed type {feed_type} is not valid.")
        known = {marketplace.id for marketplace in seller.marketplaces}
        foreign = sorted(set(marketplace_ids) - known)
        if foreign:
            raise invalid_input(
                f"The seller does not participate in {', '.join(foreign)}."
            )
        document = self._document(seller.seller_id, document_id)
        if document is None:
            raise invalid_input("The input feed document does not exist.")
        if document.data is None:
            raise invalid_input("Nothing was uploaded to the input feed document.")
        faults = self.faults.for_feed()
        return self._add(seller, feed_type, marketplace_ids, document.data, faults)

    def add_foreign_feed(self, seller, feed_type, marketplace_ids, work):
        """Add a feed of another program of the seller. It catches no fault of a rule.

        :param ForeignFeed work: what becomes of it
        """
        outcome = work.outcome
        faults = {outcome: Fault(outcome)} if outcome in FEED_KINDS else {}
        return self._add(seller, feed_type, marketplace_ids, b"", faults, work)

    def _add(self, seller, feed_type, marketplace_ids, data, faults, foreign=None):
        created = self.clock.now()
        seconds = self.settings.processing_seconds
        if "slow_processing" in faults:
            seconds = faults["slow_processing"].options["seconds"]
        feed = Feed(
            id=str(next(_feed_numbers)),
            seller_id=seller.seller_id,
            feed_type=feed_type,
            marketplace_ids=tuple(marketplace_ids),
            data=data,
            created=created,
            starts=created + timedelta(seconds=seconds * QUEUE_SHARE),
            ends=created + timedelta(seconds=seconds),
            faults=faults,
            foreign=foreign,
        )
        self.feeds[feed.id] = feed
        self._open.append(feed)
        return feed

    def get_feed(self, seller_id, feed_id):
        """Return one feed of a seller.

        :raise ApiError: 400 or 404 when there is none
        """
        if not feed_id.isdigit():
            raise invalid_input(f"The feed id {feed_id} is not valid.")
        feed = self.feeds.get(feed_id)
        expired = feed and feed.created + FEED_LIFETIME < self.clock.now()
        if feed is None or expired or feed.seller_id != seller_id:
            raise not_found("The feed does not exist.")
        return feed

    def cancel_feed(self, seller_id, feed_id):
        """Cancel a feed that is still in the queue.

        :raise ApiError: 400 when its processing has begun
        """
        feed = self.get_feed(seller_id, feed_id)
        if feed.status != IN_QUEUE:
            raise invalid_input(
                f"The feed cannot be cancelled, its status is {feed.status}."
            )
        feed.status = CANCELLED

    def list_feeds(self, seller_id, query):
        """Return the feeds that a getFeeds query asks for, newest first."""
        now = self.clock.now()
        since = query.get("createdSince", now - FEED_LIFETIME)
        until = query.get("createdUntil", now)
        statuses = query.get("processingStatuses")
        markets = query.get("marketplaceIds")
        rows = [
            feed
            for feed in self.feeds.values()
            if feed.seller_id == seller_id
            and feed.feed_type in query["feedTypes"]
            and max(since, now - FEED_LIFETIME) <= feed.created <= until
            and feed.listed_from <= now
            and (not feed.foreign or self.settings.lists_foreign_feeds)
            and (not statuses or feed.status in statuses)
            and (not markets or set(markets) & set(feed.marketplace_ids))
        ]
        return sorted(rows, key=lambda feed: feed.created, reverse=True)

    # === PROCESSING === #

    def settle(self):
        """Bring every feed to where it stands now, in the order of their ends.

        Called before anything is read or changed, so that a feed is executed exactly
        once, at its own time, whether somebody asks for it or not.
        """
        now = self.clock.now()
        self.executor.settle()
        due = [feed for feed in self._open if feed.starts <= now]
        if not due:
            return
        for feed in sorted(due, key=lambda feed: (feed.ends, feed.id)):
            if feed.status == IN_QUEUE:
                cancelled = "cancelled" in feed.faults
                feed.status = CANCELLED if cancelled else IN_PROGRESS
                if "stuck" in feed.faults:
                    self._finish_stuck(feed)
            if feed.status == IN_PROGRESS and feed.ends <= now:
                self._finish(feed)
        self._open = [
            feed for feed in self._open if feed.status in (IN_QUEUE, IN_PROGRESS)
        ]

    def _finish_stuck(self, feed):
        """A stuck feed stays IN_PROGRESS; what it did before is the rule's choice."""
        if feed.faults["stuck"].options.get("executed"):
            self._process(feed)

    def _finish(self, feed):
        if "stuck" in feed.faults:
            return
        if "fatal" in feed.faults:
            feed.status = FATAL
            return
        if "fatal_partial" in feed.faults:
            limit = feed.faults["fatal_partial"].options.get("executed", 1)
            self._process(feed, limit)
            feed.status = FATAL
            return
        report = self._process(feed)
        feed.status = DONE
        self._publish(feed, report)

    def _process(self, feed, limit=None):
        """Execute the messages of a feed.

        :param int limit: how many of them, all by default
        :return: the Report
        """
        report = Report(feed.id, feed.seller_id)
        if feed.foreign:
            self._report_foreign(feed, report)
            return report
        try:
            messages = envelope.read(feed.data, feed.feed_type, feed.seller_id)
        except envelope.SchemaError as error:
            text = f"The XML document is malformed or invalid: {error}"
            report.results.append(Result("0", envelope.INVALID_XML, text))
            return report
        feed.messages = len(messages)
        context = Context(
            feed_id=feed.id,
            seller_id=feed.seller_id,
            marketplace_ids=feed.marketplace_ids,
            at=feed.ends,
            finance_delay=timedelta(seconds=self.settings.finance_delay_seconds),
            fba_refunds=self.settings.fba_refunds,
            cut_units_keep_proceeds=self.settings.cut_units_keep_proceeds,
            unshipped_refunds_wait=self.settings.unshipped_refunds_wait,
        )
        for message in messages[:limit]:
            self._process_message(message, context, report)
        return report

    def _report_foreign(self, feed, report):
        """Report what another program sent; it does nothing to the orders here."""
        feed.messages = report.processed = feed.foreign.messages
        if feed.foreign.outcome != ERROR:
            return
        known = {order_id for _, order_id in self.executor.orders}
        for number in range(1, feed.messages + 1):
            text = "The data you submitted is incomplete or invalid."
            order_id = feed.foreign.named_order(feed.id, number, known)
            self._add_error(report, str(number), INVALID_DATA, text, order_id)

    def _process_message(self, message, context, report):
        if message.error:
            text = f"The message is malformed or invalid XML: {message.error}"
            report.processed += 1
            report.results.append(Result(message.id, envelope.INVALID_XML, text))
            return
        order_id = message.payload.order_id
        failure = self.faults.for_message("report_error", order_id)
        if failure:
            self._fail_message(message, context, report, failure)
            return
        item_ids = [item.item_id for item in message.payload.items]
        failure, item_id = self.faults.for_item(order_id, item_ids)
        if failure:
            self._fail_item(message, context, report, failure, item_id)
            return
        missing = self.faults.for_message("report_missing", order_id)
        if missing:
            if missing.options.get("executed", True):
                self._try(message, context)
            return
        report.processed += 1
        self._add_refusal(message, report, self._try(message, context))

    def _fail_message(self, message, context, report, failure):
        """Report an error of a message; do it all the same if the rule says so."""
        report.processed += 1
        code = str(failure.options.get("code", INVALID_DATA))
        text = failure.options.get("text", "The data you submitted is invalid.")
        self._add_error(report, message.id, code, text, message.payload.order_id)
        if failure.options.get("executed", False):
            self._try(message, context)

    def _fail_item(self, message, context, report, failure, item_id):
        """Report an error that names one item; do the others if the rule says so."""
        report.processed += 1
        order_id = message.payload.order_id
        order = self.executor.orders.get((context.seller_id, order_id))
        item = order and order.item(item_id)
        report.results.append(
            Result(
                message.id,
                str(failure.options.get("code", INVALID_DATA)),
                failure.options.get("text", "The data you submitted is invalid."),
                order_id=order_id,
                item_id=item_id,
                sku=item.sku if item else None,
            )
        )
        if failure.options["others_executed"]:
            refusal = self._try(message, context, without=item_id)
            self._add_refusal(message, report, refusal)

    def _add_refusal(self, message, report, refusal):
        if refusal:
            self._add_error(
                report,
                message.id,
                refusal.code,
                refusal.text,
                message.payload.order_id,
                refusal.item_id,
            )

    def _add_error(self, report, message_id, code, text, order_id, item_id=None):
        """Add an error that names what it is about, where reports do so."""
        if not self.settings.reports_name_orders:
            order_id = item_id = None
        result = Result(message_id, code, text, order_id=order_id, item_id=item_id)
        report.results.append(result)

    def _try(self, message, context, without=None):
        """Execute one message; return the Refusal, or None when it was done.

        :param without: id of an item that is left out
        """
        try:
            if without is None:
                self.executor.execute(message, context)
            else:
                self.executor.execute_others(message, context, without)
        except Refusal as refusal:
            return refusal
        return None

    def _publish(self, feed, report):
        data = report.to_xml()
        if "report_bad_xml" in feed.faults:
            data = data[: len(data) // 2]
        compressed = self.settings.gzip_reports
        document = Document(
            id=_document_id(),
            seller_id=feed.seller_id,
            content_type="text/xml; charset=UTF-8",
            expires=feed.ends + RESULT_LIFETIME,
            data=gzip.compress(data) if compressed else data,
            compressed=compressed,
        )
        if "report_late" in feed.faults:
            late = feed.faults["report_late"].options["seconds"]
            document.available_from = feed.ends + timedelta(seconds=late)
        if "report_gone" not in feed.faults:
            self.documents[document.id] = document
        feed.result_document_id = document.id


def _document_id():
    return f"amzn1.tortuga.4.eu.{uuid.uuid4()}"
