"""The operations of the Selling Partner API: one function for each.

A handler gets the simulator (locked, settled) and the call, and returns the HTTP
status and the JSON body. It raises ApiError to refuse.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

from . import (
    feeds,
    finances,
    messaging,
    outbound,
    rest_cancellation,
    shipments,
)
from .clock import iso
from .errors import ApiError, invalid_input, not_found
from .operations import MESSAGE_OPERATIONS
from .orders import ORDER_ID

ORDERS_PER_PAGE = 100
# createdBefore and lastUpdatedBefore: "at least two minutes before the time of the
# request" (model of Orders 2026-01-01); without them, so much is left out.
ORDERS_SETTLING_TIME = timedelta(minutes=2)


@dataclass
class Call:
    """One request that passed token, role and quota.

    `base_url`: scheme, host and port, for presigned URLs. `request_id`: the answer's
    `x-amzn-RequestId`.
    """

    seller: object
    path: dict
    query: dict
    body: bytes
    content_type: str
    base_url: str
    request_id: str = ""

    def json(self):
        """Return the JSON body.

        :raise ApiError: 415 or 400 when it is anything else
        """
        if self.content_type.split(";")[0].strip().lower() != "application/json":
            raise ApiError(415, "UnsupportedMediaType", "Expected application/json.")
        try:
            return json.loads(self.body)
        except ValueError:
            raise invalid_input("The body is not JSON.") from None

    def read_body(self, model):
        """Return the JSON body as its model reads it, see `bodies`."""
        return model.read(self.json(), "")

    def trace(self, simulator):
        """Return what the ledger keeps of a write beside what it did."""
        return {
            "seller_id": self.seller.seller_id,
            "request_id": self.request_id,
            "executed_at": iso(simulator.clock.now(), milliseconds=True),
        }

    def json_object(self, required, optional=()):
        """Return the JSON body, with exactly the keys of the model.

        :raise ApiError: 415 or 400 when it is anything else
        """
        data = self.json()
        if not isinstance(data, dict):
            raise invalid_input("The body is not a JSON object.")
        for name in required:
            if name not in data:
                raise invalid_input(f"{name} is missing.")
        for name in data:
            if name not in (*required, *optional):
                raise invalid_input(f"{name} is not a key of the body.")
        return data

    def document_url(self, document, signature):
        """Return the presigned URL of a document."""
        return f"{self.base_url}/documents/{document.id}?signature={signature}"


def _is_text(value):
    return isinstance(value, str) and value != ""


def _arguments(query, *left_out):
    """Return a query as something that can be compared."""
    rows = ((name, repr(value)) for name, value in query.items())
    return tuple(sorted(row for row in rows if row[0] not in left_out))


# === ORDERS === #


def get_order(simulator, call):
    """Answer getOrder."""
    order_id = call.path["orderId"]
    if not ORDER_ID.match(order_id):
        raise invalid_input(
            f"OrderId: {order_id} is invalid, should be in 3-7-7 format."
        )
    order = simulator.orders.get((call.seller.seller_id, order_id))
    if order is None:
        raise not_found(f"Order {order_id} not found.")
    return 200, {"order": order.to_api(call.query.get("includedData", ()))}


def search_orders(simulator, call):
    """Answer searchOrders."""
    query = call.query
    _check_search(query, simulator.clock.now())
    owner = (
        call.seller.seller_id,
        "searchOrders",
        _arguments(query, "paginationToken"),
    )
    key, window = _search_window(query, simulator.clock.now())
    if "paginationToken" in query:
        rows, token = simulator.pager.next(owner, query["paginationToken"])
    else:
        orders = simulator.orders_of(call.seller.seller_id)
        found = [(window[1], order) for order in _search(orders, query, key, window)]
        size = query.get("maxResultsPerPage", ORDERS_PER_PAGE)
        rows, token = simulator.pager.first(owner, found, size)
    included = query.get("includedData", ())
    answer = {"orders": [order.to_api(included) for _, order in rows]}
    if token:
        answer["pagination"] = {"nextToken": token}
    # Later pages belong to the search of the first.
    answer[f"{key}Before"] = iso(rows[0][0] if rows else window[1])
    return 200, answer


def _check_search(query, now):
    if ("createdAfter" in query) == ("lastUpdatedAfter" in query):
        raise invalid_input(
            "Exactly one of createdAfter and lastUpdatedAfter must be given."
        )
    used, other = "created", "lastUpdated"
    if "lastUpdatedAfter" in query:
        used, other = other, used
    if f"{other}Before" in query:
        raise invalid_input(f"{other}Before does not go with {used}After.")
    before = query.get(f"{used}Before")
    if before and before < query[f"{used}After"]:
        raise invalid_input(f"{used}Before is before {used}After.")
    if before and before > now - ORDERS_SETTLING_TIME:
        raise invalid_input(f"{used}Before must be at least two minutes ago.")


def _search_window(query, now):
    key = "created" if "createdAfter" in query else "lastUpdated"
    before = query.get(f"{key}Before", now - ORDERS_SETTLING_TIME)
    return key, (query[f"{key}After"], before)


def _search(orders, query, key, window):
    def changed(order):
        return order.created if key == "created" else order.updated

    markets = query.get("marketplaceIds")
    statuses = query.get("fulfillmentStatuses")
    parties = query.get("fulfilledBy")
    rows = [
        order
        for order in orders
        if window[0] <= changed(order) <= window[1]
        and (not statuses or order.status in statuses)
        and (not parties or order.fulfilled_by in parties)
        and (
            not markets or (order.channel != "MCF" and order.marketplace.id in markets)
        )
    ]
    return sorted(rows, key=lambda order: (changed(order), order.id))


# === FEEDS === #


def create_feed_document(simulator, call):
    """Answer createFeedDocument."""
    content_type = call.json_object(["contentType"])["contentType"]
    if not _is_text(content_type):
        raise invalid_input("contentType must be a string.")
    seller_id = call.seller.seller_id
    document, signature = simulator.feeds.create_document(seller_id, content_type)
    url = call.document_url(document, signature)
    return 201, {"feedDocumentId": document.id, "url": url}


def create_feed(simulator, call):
    """Answer createFeed."""
    body = call.json_object(
        ["feedType", "marketplaceIds", "inputFeedDocumentId"], ["feedOptions"]
    )
    markets = body["marketplaceIds"]
    if not isinstance(markets, list) or not all(map(_is_text, markets)):
        raise invalid_input("marketplaceIds must be a list of strings.")
    if not 1 <= len(markets) <= 25:
        raise invalid_input("marketplaceIds takes 1 to 25 values.")
    for name in ("feedType", "inputFeedDocumentId"):
        if not _is_text(body[name]):
            raise invalid_input(f"{name} must be a string.")
    options = body.get("feedOptions", {})
    if not isinstance(options, dict) or not all(map(_is_text, options.values())):
        raise invalid_input("feedOptions must map names to strings.")
    feed = simulator.feeds.create_feed(
        call.seller, body["feedType"], markets, body["inputFeedDocumentId"]
    )
    return 202, {"feedId": feed.id}


def get_feed(simulator, call):
    """Answer getFeed."""
    feed = simulator.feeds.get_feed(call.seller.seller_id, call.path["feedId"])
    return 200, feed.to_api()


def get_feeds(simulator, call):
    """Answer getFeeds."""
    query = call.query
    owner = call.seller.seller_id, "getFeeds"
    if "nextToken" in query:
        if len(query) > 1:
            raise invalid_input("nextToken must be the only parameter.")
        rows, token = simulator.pager.next(owner, query["nextToken"])
    elif "feedTypes" not in query:
        raise invalid_input("Either feedTypes or nextToken is required.")
    else:
        found = simulator.feeds.list_feeds(call.seller.seller_id, query)
        size = query.get("pageSize", feeds.DEFAULT_PAGE_SIZE)
        rows, token = simulator.pager.first(owner, found, size)
    answer = {"feeds": [feed.to_api() for feed in rows]}
    if token:
        answer["nextToken"] = token
    return 200, answer


def cancel_feed(simulator, call):
    """Answer cancelFeed."""
    simulator.feeds.cancel_feed(call.seller.seller_id, call.path["feedId"])
    return 200, {}


def get_feed_document(simulator, call):
    """Answer getFeedDocument."""
    document, signature = simulator.feeds.get_document(
        call.seller.seller_id,
        call.path["feedDocumentId"],
        call.query.get("enableContentEncodingUrlHeader", False),
    )
    url = call.document_url(document, signature)
    answer = {"feedDocumentId": document.id, "url": url}
    if document.compressed:
        answer["compressionAlgorithm"] = "GZIP"
    return 200, answer


# === FINANCES === #


def list_financial_events_by_order_id(simulator, call):
    """Answer listFinancialEventsByOrderId of Finances v0."""
    query, order_id = call.query, call.path["orderId"]
    if not ORDER_ID.match(order_id):
        raise invalid_input("Bad order ID provided.")
    seller_id = call.seller.seller_id
    owner = seller_id, "v0 events", order_id, _arguments(query, "NextToken")
    if "NextToken" in query:
        rows, token = simulator.pager.next(owner, query["NextToken"])
    else:
        order = simulator.orders.get((seller_id, order_id))
        now, settings = simulator.clock.now(), simulator.settings
        found = finances.financial_events(order, now, settings)
        size = query.get("MaxResultsPerPage", finances.EVENTS_PER_PAGE)
        rows, token = simulator.pager.first(owner, found, size)
    return 200, {"payload": finances.events_payload(rows, token)}


def list_transactions(simulator, call):
    """Answer listTransactions of Finances 2024-06-19."""
    query, now, settings = call.query, simulator.clock.now(), simulator.settings
    finances.check_transactions_query(query, now)
    seller_id = call.seller.seller_id
    owner = seller_id, "transactions", _arguments(query, "nextToken")
    if "nextToken" in query:
        rows, token = simulator.pager.next(owner, query["nextToken"])
    else:
        orders = _orders_asked(simulator, call)
        found = finances.transactions(orders, query, now, settings)
        size = finances.TRANSACTIONS_PER_PAGE
        rows, token = simulator.pager.first(owner, found, size)
    shown = [finances.transaction(*row, now, settings) for row in rows]
    payload = {"transactions": shown}
    if token:
        payload["nextToken"] = token
    return 200, {"payload": payload}


def _orders_asked(simulator, call):
    """Return the orders of the seller that a listTransactions query can be about."""
    seller_id, query = call.seller.seller_id, call.query
    if query.get("relatedIdentifierName") != "ORDER_ID":
        return simulator.orders_of(seller_id)
    order = simulator.orders.get((seller_id, query["relatedIdentifierValue"]))
    return [order] if order else []


# === SELLERS === #


def get_marketplace_participations(simulator, call):
    """Answer getMarketplaceParticipations."""
    return 200, {"payload": call.seller.participations()}


HANDLERS = {
    "getOrder": get_order,
    "searchOrders": search_orders,
    "createFeedDocument": create_feed_document,
    "createFeed": create_feed,
    "getFeed": get_feed,
    "getFeeds": get_feeds,
    "cancelFeed": cancel_feed,
    "getFeedDocument": get_feed_document,
    "listFinancialEventsByOrderId": list_financial_events_by_order_id,
    "listTransactions": list_transactions,
    "getMarketplaceParticipations": get_marketplace_participations,
    "confirmShipment": shipments.confirm_shipment,
    "cancelOrder": rest_cancellation.cancel_order,
    "getFulfillmentOrder": outbound.get_fulfillment_order,
    "updateFulfillmentOrder": outbound.update_fulfillment_order,
    "cancelFulfillmentOrder": outbound.cancel_fulfillment_order,
    "getMessagingActionsForOrder": messaging.get_messaging_actions,
    "GetAttributes": messaging.get_attributes,
} | {
    name: messaging.sender(message_type)
    for message_type, name in MESSAGE_OPERATIONS.items()
}
