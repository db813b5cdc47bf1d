"""The calls of SP-API that the addon needs, on behalf of one seller account."""

import io
import re
from typing import NamedTuple

from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from .bodies import package_problem, update_problem
from .documents import FEED_CONTENT_TYPE, MAX_FEED_BYTES, Documents
from .enums import CANCEL_ORDER_REASONS, MESSAGE_LIMITS
from .errors import MalformedAnswer, NotSent, OutcomeUnknown, Refused
from .library import (
    StrictFeeds,
    StrictFinances,
    StrictFinancesV0,
    StrictFulfillmentOutbound,
    StrictMessaging,
    StrictOrders,
    StrictOrdersV0,
    StrictSellers,
)
from .operations import MESSAGE_OPERATIONS
from .quota import NoQuota
from .transport import (
    CONNECT_TIMEOUT,
    READ_TIMEOUT,
    MemoryTokenStore,
    Session,
    request_id_of,
)
from .values import MAX_NAME, object_of, objects_of, text_of

#: What the panel of an order needs. No RECIPIENT and no BUYER: the addon keeps no
#: address, and these need restricted roles. PACKAGES has the seller's address alone.
ORDER_DATA = (
    "PROCEEDS",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
)

#: Retries of what may be repeated: at most this many requests, and no new one when
#: this many seconds have passed.
ATTEMPTS = 3
RETRY_SECONDS = 8.0
MAX_RETRY_WAIT = 2.0

#: Pages of one list; more than that is an error, never a list cut in silence.
MAX_PAGES = 50
#: getFeeds has a burst of 10, then one request in 45 seconds.
MAX_FEED_PAGES = 10
#: Characters of the token of a page, which becomes a part of the address.
MAX_PAGE_TOKEN = 8192

#: Amazon order ids have the form 3-7-7; those of Multi-Channel Fulfillment begin with
#: a letter (S01-...). XSD of OrderAdjustment: ``\w{3}-\w{7}-\w{7}``.
ORDER_ID = re.compile(r"[A-Z0-9]{3}-[0-9]{7}-[0-9]{7}")


class CreatedFeed(NamedTuple):
    """What Amazon answered to createFeed.

    :param str feed_id: Amazon's ``feedId``
    :param str request_id: Amazon's ``x-amzn-RequestId``, empty where it named none
    """

    feed_id: str
    request_id: str


class Page(NamedTuple):
    """One page of a list.

    :param list items: Amazon's dicts
    :param next_token: for the next page with the same arguments, None on the last page
    :param last_updated_before: searchOrders only: up to when the answer is complete
    """

    items: list
    next_token: str | None
    last_updated_before: str | None = None


class SellerClient:
    """Calls SP-API for one seller account; safe to share between threads.

    Reads, and the preparation of a feed, are retried within a few seconds when Amazon
    could not be reached or gave no clear answer. Every other write causes one HTTP
    request to SP-API at most. Throttling is never slept on. Every method raises the
    errors of `errors`: `NotSent`, `Throttled`, `Refused`, `OutcomeUnknown`, and
    `MalformedAnswer` when a part of the answer is missing.

    :param Credentials credentials: LWA credentials of the account
    :param Endpoint endpoint: where to call
    :param token_store: keeps the access token, see `transport.MemoryTokenStore`; None
        for one in memory that lives as long as this object
    :param quota: asked before every request to SP-API, see `quota.NoQuota`; None for
        one that lets everything pass
    :param float connect_timeout: seconds
    :param float read_timeout: seconds between two pieces of an answer
    :param float max_retry_wait: seconds between two attempts at most
    """

    def __init__(
        self,
        credentials,
        endpoint,
        token_store=None,
        quota=None,
        *,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        max_retry_wait=MAX_RETRY_WAIT,
    ):
        store = MemoryTokenStore() if token_store is None else token_store
        self._session = Session(
            endpoint,
            credentials,
            store,
            NoQuota() if quota is None else quota,
            connect_timeout,
            read_timeout,
        )
        self._documents = Documents(endpoint, connect_timeout, read_timeout)
        self._orders = StrictOrders(self._session)
        self._orders_v0 = StrictOrdersV0(self._session)
        self._fulfillment = StrictFulfillmentOutbound(self._session)
        self._messaging = StrictMessaging(self._session)
        self._feeds = StrictFeeds(self._session)
        self._finances_v0 = StrictFinancesV0(self._session)
        self._finances = StrictFinances(self._session)
        self._sellers = StrictSellers(self._session)
        self._max_retry_wait = max_retry_wait

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def close(self):
        """Close the connections; the object cannot be used afterwards."""
        self._session.close()

    def amazon_now(self):
        """Return the time by Amazon's clock, for spans that Amazon measures.

        From the ``Date`` of the last answer and the time that has passed here since:
        never ahead of Amazon's clock, behind it by a second or so.

        :return: aware, in UTC; None before any answer
        :rtype: datetime | None
        """
        return self._session.amazon_now()

    def prepare_write(self, operation):
        """Have at hand what a write needs beside itself: an access token that is good
        for it. So nothing but the write itself can go wrong afterwards.

        :param str operation: Amazon's name of it, such as ``confirmShipment``
        :raises NotSent, Throttled, Refused: by the token service; nothing was sent
        """
        self._session.prepare_write(operation)

    # === READS === #

    def get_order(self, order_id, included_data=ORDER_DATA):
        """Read one order (Orders 2026-01-01 getOrder).

        :param str order_id: in the form 3-7-7
        :param included_data: names of Amazon's data sets
        :return: Amazon's ``order`` object; see `orders.parse_order`
        :rtype: dict
        """
        _check_order_id("getOrder", order_id)
        answer = self._read(
            self._orders.get_order, order_id, includedData=list(included_data)
        )
        order = _part("getOrder", answer, "order", dict)
        _check_same("getOrder", order, "orderId", order_id)
        return order

    def search_orders(
        self,
        *,
        last_updated_after=None,
        last_updated_before=None,
        created_after=None,
        created_before=None,
        marketplace_ids=(),
        fulfillment_statuses=(),
        fulfilled_by=(),
        included_data=ORDER_DATA,
        page_size=100,
        next_token=None,
    ):
        """Read one page of orders (Orders 2026-01-01 searchOrders).

        Amazon wants exactly one of `last_updated_after` and `created_after`, and one
        page costs three minutes of quota, so the caller decides on the next page.

        :rtype: Page
        """
        answer = self._read(
            self._orders.search_orders,
            lastUpdatedAfter=last_updated_after,
            lastUpdatedBefore=last_updated_before,
            createdAfter=created_after,
            createdBefore=created_before,
            marketplaceIds=list(marketplace_ids) or None,
            fulfillmentStatuses=list(fulfillment_statuses) or None,
            fulfilledBy=list(fulfilled_by) or None,
            includedData=list(included_data),
            maxResultsPerPage=page_size,
            paginationToken=next_token,
        )
        operation = "searchOrders"
        return Page(
            _rows(operation, answer, "orders"),
            _next(object_of(operation, answer, "pagination"), operation),
            answer.get("lastUpdatedBefore"),
        )

    def list_financial_events(self, order_id):
        """Read all financial events of an order (Finances v0), pages merged.

        An empty answer means "not known yet", not "none": orders of the last 48 hours
        may be missing, deferred events are.

        :param str order_id: in the form 3-7-7
        :return: Amazon's ``FinancialEvents`` object; see `finances.parse_events`
        :rtype: dict
        """
        operation = "listFinancialEventsByOrderId"
        _check_order_id(operation, order_id)
        events, token = {}, None
        for _page in range(MAX_PAGES):
            answer = self._read(
                self._finances_v0.get_financial_events_for_order,
                order_id,
                MaxResultsPerPage=100,
                NextToken=token,
            )
            payload = _part(operation, answer, "payload", dict)
            page = object_of(operation, payload, "FinancialEvents")
            for name in page:
                events.setdefault(name, []).extend(objects_of(operation, page, name))
            token = _next(payload, operation, "NextToken")
            if not token:
                return events
        raise _endless(operation)

    def list_transactions(
        self,
        *,
        order_id=None,
        posted_after=None,
        posted_before=None,
        marketplace_id=None,
        transaction_status=None,
        next_token=None,
    ):
        """Read one page of transactions (Finances 2024-06-19 listTransactions).

        Amazon wants `order_id` or `posted_after`, times more than two minutes in the
        past, and the same arguments with each `next_token`. A page may be empty while
        more follow.

        :rtype: Page
        """
        operation = "listTransactions"
        if order_id is not None:
            _check_order_id(operation, order_id)
        answer = self._read(
            self._finances.list_transactions,
            relatedIdentifierName="ORDER_ID" if order_id else None,
            relatedIdentifierValue=order_id,
            postedAfter=posted_after,
            postedBefore=posted_before,
            marketplaceId=marketplace_id,
            transactionStatus=transaction_status,
            nextToken=next_token,
        )
        payload = _part(operation, answer, "payload", dict)
        return Page(
            objects_of(operation, payload, "transactions"), _next(payload, operation)
        )

    def get_marketplace_participations(self):
        """Read where the seller sells (Sellers v1); the test of a connection.

        :return: Amazon's participation objects
        :rtype: list
        """
        operation = "getMarketplaceParticipations"
        answer = self._read(self._sellers.get_marketplace_participation)
        rows = _rows(operation, answer, "payload")
        for row in rows:
            _part(operation, _part(operation, row, "marketplace", dict), "id", str)
            _part(operation, row, "participation", dict)
        return rows

    def get_feed(self, feed_id):
        """Read the state of a feed (Feeds 2021-06-30 getFeed).

        :rtype: dict
        """
        _check_id("getFeed", feed_id)
        answer = self._read(self._feeds.get_feed, feed_id)
        _check_same("getFeed", answer, "feedId", feed_id)
        _part("getFeed", answer, "processingStatus", str)
        return answer

    def get_feeds(
        self,
        feed_types,
        created_since,
        created_until=None,
        marketplace_ids=(),
        processing_statuses=(),
    ):
        """Read all feeds of some types in a span of time (getFeeds), pages merged.

        :param feed_types: 1 to 10 names of feed types
        :param datetime created_since: in UTC
        :param datetime created_until: in UTC, now when None
        :return: Amazon's feed objects
        :rtype: list
        """
        query = {
            "feedTypes": list(feed_types),
            "createdSince": created_since,
            "createdUntil": created_until,
            "marketplaceIds": list(marketplace_ids) or None,
            "processingStatuses": list(processing_statuses) or None,
            "pageSize": 100,
        }
        feeds = []
        for _page in range(MAX_FEED_PAGES):
            answer = self._read(self._feeds.get_feeds, **query)
            feeds += _rows("getFeeds", answer, "feeds")
            token = _next(answer, "getFeeds")
            if not token:
                return feeds
            # "include this token as the only parameter" (model of getFeeds)
            query = {"nextToken": token}
        raise _endless("getFeeds")

    def read_report(self, feed_document_id):
        """Read a result document (getFeedDocument, then its download), unpacked.

        getFeedDocument allows one call in 45 seconds: read once and keep it.

        :param str feed_document_id: ``resultFeedDocumentId`` of a feed
        :rtype: bytes
        """
        _check_id("getFeedDocument", feed_document_id)
        answer = self._read(self._feeds.describe_feed_document, feed_document_id)
        url = _part("getFeedDocument", answer, "url", str)
        compression = answer.get("compressionAlgorithm") or None
        return self._repeat(self._documents.download, url, compression)

    def get_fulfillment_order(self, seller_fulfillment_order_id):
        """Read one order of Multi-Channel Fulfillment (Fulfillment Outbound
        2020-07-01 getFulfillmentOrder).

        The answer holds the recipient's address.

        :param str seller_fulfillment_order_id: the seller's own id of it
        :return: Amazon's ``payload``; see `fulfillment.parse_fulfillment_order`
        :rtype: dict
        """
        operation = "getFulfillmentOrder"
        _check_id(operation, seller_fulfillment_order_id)
        answer = self._read(
            self._fulfillment.get_fulfillment_order, seller_fulfillment_order_id
        )
        payload = _part(operation, answer, "payload", dict)
        order = object_of(operation, payload, "fulfillmentOrder")
        _check_same(
            operation, order, "sellerFulfillmentOrderId", seller_fulfillment_order_id
        )
        return payload

    def get_messaging_actions(self, order_id, marketplace_id):
        """Read which messages the buyer of an order may be sent now (Messaging v1
        getMessagingActionsForOrder).

        :param str order_id: in the form 3-7-7
        :param str marketplace_id: of the order
        :return: Amazon's names such as ``unexpectedProblem``, those included that this
            layer does not send; none is a usual answer
        :rtype: list[str]
        """
        operation = "getMessagingActionsForOrder"
        _check_order_id(operation, order_id)
        _check_id(operation, marketplace_id)
        answer = self._read(
            self._messaging.get_messaging_actions_for_order,
            order_id,
            marketplaceIds=[marketplace_id],
        )
        links = _part(operation, answer, "_links", dict)
        _part(operation, links, "actions", list)
        names = (
            text_of(operation, action, "name")
            for action in objects_of(operation, links, "actions")
        )
        # The model lets a name be missing; what has none cannot be asked for.
        return [name for name in names if name]

    def get_buyer_locale(self, order_id, marketplace_id):
        """Read the language that the buyer of an order prefers (Messaging v1
        GetAttributes); a message must be written in it.

        :param str order_id: in the form 3-7-7
        :param str marketplace_id: of the order
        :return: such as ``en-GB``, empty where Amazon does not tell
        :rtype: str
        """
        operation = "GetAttributes"
        _check_order_id(operation, order_id)
        _check_id(operation, marketplace_id)
        answer = self._read(
            self._messaging.get_attributes, order_id, marketplaceIds=[marketplace_id]
        )
        return text_of(operation, object_of(operation, answer, "buyer"), "locale")

    # === WRITES === #

    def prepare_feed(self, payload, content_type=FEED_CONTENT_TYPE):
        """Reserve a document and upload `payload`; has no effect at Amazon by itself.

        :param payload: the envelope, encoded: bytes, or a binary file that can seek,
            which is sent from its start and a piece at a time
        :param str content_type: of the payload
        :return: ``feedDocumentId``, for `create_feed` within two days
        :rtype: str
        :raises ValueError: `payload` is empty, not binary, or bigger than Amazon
            advises
        """
        size = _size(payload)
        if not size:
            raise ValueError("The feed must be bytes, and not empty.")
        if size > MAX_FEED_BYTES:
            raise ValueError(
                f"The feed is bigger than {MAX_FEED_BYTES // 1024 // 1024} MiB; send "
                "fewer messages in one feed."
            )
        return self._repeat(self._prepare_feed, payload, content_type)

    def _prepare_feed(self, payload, content_type):
        answer = self._feeds.create_feed_document(None, content_type).payload
        document_id = _part("createFeedDocument", answer, "feedDocumentId", str)
        url = _part("createFeedDocument", answer, "url", str)
        self._documents.upload(url, payload, content_type)
        return document_id

    def create_feed(self, feed_type, marketplace_ids, feed_document_id):
        """Hand a prepared feed to Amazon: **irreversible, one HTTP request at most**.

        Record the intent before. After `NotSent`, `Throttled` and `Refused` Amazon has
        no feed. After `OutcomeUnknown`, and after any exception that is no
        `SpApiError`, it may have one: never call again with the same messages.

        :param str feed_type: such as ``POST_PAYMENT_ADJUSTMENT_DATA``
        :param marketplace_ids: marketplaces the feed is for
        :param str feed_document_id: what `prepare_feed` returned
        :return: Amazon's ids of the feed and of the request
        :rtype: CreatedFeed
        :raises ValueError: an argument is empty; nothing was sent
        """
        if not feed_type or not feed_document_id or not marketplace_ids:
            raise ValueError(
                "A feed needs a type, a document and at least one marketplace."
            )
        answer = self._feeds.create_feed(
            feed_type, feed_document_id, marketplaceIds=list(marketplace_ids)
        )
        feed_id = answer.payload.get("feedId")
        if not isinstance(feed_id, str) or not feed_id:
            raise OutcomeUnknown(
                "createFeed", "Amazon answered with success, but without a feedId."
            )
        return CreatedFeed(feed_id, _request_id(answer))

    def cancel_feed(self, feed_id):
        """Ask Amazon to drop a feed that is still IN_QUEUE (cancelFeed), once.

        :param str feed_id: what `create_feed` returned
        """
        _check_id("cancelFeed", feed_id)
        self._feeds.cancel_feed(feed_id)

    # The writes below raise as `create_feed` does, and the same holds after it. What
    # can be seen to be wrong without Amazon is `Refused` here, and costs no request.

    def cancel_order(self, order_id, reason_code):
        """Ask Amazon to cancel a whole order of the seller's own fulfilment (Orders
        2026-01-01 cancelOrder), once: **irreversible**.

        Amazon answers 202, which accepts the request: the order tells the outcome.
        The operation is not generally available, see `operations`.

        :param str order_id: in the form 3-7-7
        :param str reason_code: one of `enums.CANCEL_ORDER_REASONS`
        :return: ``x-amzn-RequestId``, empty where Amazon tells none
        :rtype: str
        """
        operation = "cancelOrder"
        _check_order_id(operation, order_id)
        if reason_code not in CANCEL_ORDER_REASONS:
            raise _invalid(operation, f"Amazon knows no cancel reason {reason_code!r}.")
        return _request_id(
            self._orders.cancel_order(order_id, cancelReasonCode=reason_code)
        )

    def confirm_shipment(
        self, order_id, marketplace_id, package_detail, cod_collection_method=None
    ):
        """Tell Amazon that a package of an order was sent (Orders v0 confirmShipment),
        once: Amazon charges the buyer, and this **cannot be undone**.

        :param str order_id: in the form 3-7-7
        :param str marketplace_id: of the order
        :param dict package_detail: as in Amazon's model; checked here
        :param str cod_collection_method: ``DirectPayment`` (Japan only), or None
        :return: ``x-amzn-RequestId``, empty where Amazon tells none
        :rtype: str
        """
        operation = "confirmShipment"
        _check_order_id(operation, order_id)
        _check_id(operation, marketplace_id)
        problem = package_problem(package_detail)
        if not problem and cod_collection_method not in (None, "DirectPayment"):
            problem = "codCollectionMethod can only be DirectPayment."
        if problem:
            raise _invalid(operation, problem)
        return _request_id(
            self._orders_v0.confirm_shipment(
                order_id,
                marketplaceId=marketplace_id,
                packageDetail=package_detail,
                codCollectionMethod=cod_collection_method,
            )
        )

    def cancel_fulfillment_order(self, seller_fulfillment_order_id):
        """Ask Amazon to stop an order of Multi-Channel Fulfillment (Fulfillment
        Outbound 2020-07-01 cancelFulfillmentOrder), once.

        A success says that Amazon took the request; `get_fulfillment_order` tells
        the outcome.

        :param str seller_fulfillment_order_id: the seller's own id of it
        :return: ``x-amzn-RequestId``, empty where Amazon tells none
        :rtype: str
        """
        _check_id("cancelFulfillmentOrder", seller_fulfillment_order_id)
        return _request_id(
            self._fulfillment.cancel_fulfillment_order(seller_fulfillment_order_id)
        )

    def update_fulfillment_order(self, seller_fulfillment_order_id, body):
        """Change an order of Multi-Channel Fulfillment, or let it go or hold it
        (Fulfillment Outbound 2020-07-01 updateFulfillmentOrder), once.

        :param str seller_fulfillment_order_id: the seller's own id of it
        :param dict body: what to change, as in Amazon's model; checked here
        :return: ``x-amzn-RequestId``, empty where Amazon tells none
        :rtype: str
        """
        operation = "updateFulfillmentOrder"
        _check_id(operation, seller_fulfillment_order_id)
        problem = update_problem(body)
        if problem:
            raise _invalid(operation, problem)
        return _request_id(
            self._fulfillment.update_fulfillment_order(
                seller_fulfillment_order_id, **body
            )
        )

    def send_message(self, order_id, marketplace_id, message_type, text):
        """Send the buyer of an order a message (Messaging v1), once.

        Amazon's rules for the text (no HTML, no mail addresses, hardly any links, the
        buyer's language) are the caller's to keep; only its length is checked here.

        :param str order_id: in the form 3-7-7
        :param str marketplace_id: of the order
        :param str message_type: one of `enums.MESSAGE_LIMITS`, and among what
            `get_messaging_actions` gave
        :param str text: what the buyer reads
        :return: ``x-amzn-RequestId``, empty where Amazon tells none
        :rtype: str
        """
        operation = MESSAGE_OPERATIONS.get(message_type, "sendMessage")
        _check_order_id(operation, order_id)
        _check_id(operation, marketplace_id)
        limit = MESSAGE_LIMITS.get(message_type)
        if limit is None:
            raise _invalid(operation, f"There is no message type {message_type!r}.")
        if not isinstance(text, str) or not text.strip():
            raise _invalid(operation, "The message has no text.")
        if len(text) > limit:
            raise _invalid(
                operation,
                f"The message has {len(text)} characters; Amazon takes {limit}.",
            )
        return _request_id(
            self._messaging.send_message(order_id, message_type, marketplace_id, text)
        )

    # === RETRIES === #

    def _read(self, method, *args, **kwargs):
        """Call a method of the library that reads; return Amazon's body."""
        given = {key: value for key, value in kwargs.items() if value is not None}
        return self._repeat(lambda: method(*args, **given).payload)

    def _repeat(self, function, *args):
        """Call `function` again when it failed without an effect; bounded in time."""
        retrying = Retrying(
            retry=retry_if_exception_type((NotSent, OutcomeUnknown)),
            stop=stop_after_attempt(ATTEMPTS) | stop_after_delay(RETRY_SECONDS),
            wait=wait_random_exponential(multiplier=0.5, max=self._max_retry_wait),
            reraise=True,
        )
        return retrying(function, *args)


def _size(payload):
    """Return the size of bytes or of a binary file, 0 for anything else."""
    if isinstance(payload, bytes):
        return len(payload)
    is_file = hasattr(payload, "seek") and not isinstance(payload, io.TextIOBase)
    return payload.seek(0, io.SEEK_END) if is_file else 0


def _request_id(answer):
    """Return Amazon's id of the request that an answer of the library belongs to."""
    return request_id_of(answer.headers) or ""


def _part(operation, answer, name, kind):
    """Return a part of an answer.

    :raises MalformedAnswer: it is missing or of another type
    """
    part = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(part, kind) or part == "":
        raise _malformed(operation, name)
    return part


def _rows(operation, answer, name):
    """Return a list of objects that an answer must have.

    :raises MalformedAnswer: it is missing or something else
    """
    _part(operation, answer, name, list)
    return objects_of(operation, answer, name)


def _next(node, operation, name="nextToken"):
    """Return the token of the next page, None where there is none.

    :raises MalformedAnswer: it is something else than a text
    """
    return text_of(operation, node, name, MAX_PAGE_TOKEN) or None


def _check_same(operation, answer, name, asked):
    """Refuse the answer to another question.

    :raises MalformedAnswer: it names something else than was asked for
    """
    if _part(operation, answer, name, str) != asked:
        raise MalformedAnswer(
            operation, f"Amazon's answer is about another {name} than was asked for."
        )


def _malformed(operation, name):
    return MalformedAnswer(operation, f"The answer of Amazon has no usable {name}.")


def _endless(operation):
    return MalformedAnswer(
        operation,
        "Amazon's list has more pages than this layer reads.",
    )


def _check_order_id(operation, order_id):
    """Refuse what is no order number before it costs quota.

    :raises Refused: not in the form 3-7-7
    """
    if not isinstance(order_id, str) or not ORDER_ID.fullmatch(order_id):
        raise _invalid(
            operation,
            "This is not an Amazon order number; it must look like "
            "123-1234567-1234567.",
        )


def _check_id(operation, value):
    """Refuse an id that would change the path of the request.

    :raises Refused: empty, no text, only dots, or nothing that can be an id
    """
    if not isinstance(value, str) or not value.strip("."):
        raise _invalid(operation, "The id is missing.")
    if len(value) > MAX_NAME or not value.isprintable():
        raise _invalid(operation, "This is not an id of Amazon's.")


def _invalid(operation, message):
    return Refused(operation, message, code="InvalidInput")
