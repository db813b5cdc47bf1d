"""Calls of every kind with an answer that fits, shared by several tests."""

from datetime import datetime, timezone

from fake_amazon import Answer

ORDER_ID = "302-1234567-1234567"
ORDERS = "/orders/2026-01-01/orders"
ORDER = f"{ORDERS}/{ORDER_ID}"
EVENTS = f"/finances/v0/orders/{ORDER_ID}/financialEvents"
TRANSACTIONS = "/finances/2024-06-19/transactions"
PARTICIPATIONS = "/sellers/v1/marketplaceParticipations"
FEEDS = "/feeds/2021-06-30/feeds"
FEED = f"{FEEDS}/77"
DOCUMENTS = "/feeds/2021-06-30/documents"
DOCUMENT = f"{DOCUMENTS}/amzn1.tortuga.4.eu.doc"

CANCELLATION = f"{ORDER}/cancellation"
SHIPMENT = f"/orders/v0/orders/{ORDER_ID}/shipmentConfirmation"
FULFILLMENT_ORDER = "/fba/outbound/2020-07-01/fulfillmentOrders/WEB-1001"
MESSAGING = f"/messaging/v1/orders/{ORDER_ID}"

PACKAGE = {
    "packageReferenceId": "1",
    "carrierCode": "DHL",
    "trackingNumber": "00340434161094042557",
    "shipDate": "2026-11-21T10:00:00Z",
    "orderItems": [{"orderItemId": "123456789012345", "quantity": 1}],
}

SINCE = datetime(2026, 11, 1, 12, 30, 15, 999999, tzinfo=timezone.utc)

FEED_TYPE = "POST_PAYMENT_ADJUSTMENT_DATA"
DE = "A1PA6795UKMFR9"
FR = "A13V1IB3VIYZZH"


def create_feed(client):
    """The irreversible call."""
    return client.create_feed(FEED_TYPE, [DE], "doc-1").feed_id


#: name -> (call, method, path, an answer of success)
READS = {
    "getOrder": (
        lambda client: client.get_order(ORDER_ID),
        "GET",
        ORDER,
        Answer(200, {"order": {"orderId": ORDER_ID}}),
    ),
    "searchOrders": (
        lambda client: client.search_orders(
            last_updated_after=SINCE, marketplace_ids=[DE, FR]
        ),
        "GET",
        ORDERS,
        Answer(200, {"orders": []}),
    ),
    "listFinancialEventsByOrderId": (
        lambda client: client.list_financial_events(ORDER_ID),
        "GET",
        EVENTS,
        Answer(200, {"payload": {"FinancialEvents": {}}}),
    ),
    "listTransactions": (
        lambda client: client.list_transactions(order_id=ORDER_ID, posted_after=SINCE),
        "GET",
        TRANSACTIONS,
        Answer(200, {"payload": {"transactions": []}}),
    ),
    "getMarketplaceParticipations": (
        lambda client: client.get_marketplace_participations(),
        "GET",
        PARTICIPATIONS,
        Answer(200, {"payload": []}),
    ),
    "getFeed": (
        lambda client: client.get_feed("77"),
        "GET",
        FEED,
        Answer(200, {"feedId": "77", "processingStatus": "IN_QUEUE"}),
    ),
    "getFeeds": (
        lambda client: client.get_feeds([FEED_TYPE, "POST_PRODUCT_DATA"], SINCE),
        "GET",
        FEEDS,
        Answer(200, {"feeds": []}),
    ),
    "getFulfillmentOrder": (
        lambda client: client.get_fulfillment_order("WEB-1001"),
        "GET",
        FULFILLMENT_ORDER,
        Answer(
            200,
            {"payload": {"fulfillmentOrder": {"sellerFulfillmentOrderId": "WEB-1001"}}},
        ),
    ),
    "getMessagingActionsForOrder": (
        lambda client: client.get_messaging_actions(ORDER_ID, DE),
        "GET",
        MESSAGING,
        Answer(200, {"_links": {"self": {"href": "/"}, "actions": []}}),
    ),
    "GetAttributes": (
        lambda client: client.get_buyer_locale(ORDER_ID, DE),
        "GET",
        f"{MESSAGING}/attributes",
        Answer(200, {"buyer": {"locale": "de-DE"}}),
    ),
}


def _message(message_type):
    return (
        lambda client: client.send_message(ORDER_ID, DE, message_type, "Guten Tag!"),
        "POST",
        f"{MESSAGING}/messages/{message_type}",
        Answer(201, {}),
    )


WRITES = {
    "createFeed": (create_feed, "POST", FEEDS, Answer(202, {"feedId": "77"})),
    "cancelFeed": (
        lambda client: client.cancel_feed("77"),
        "DELETE",
        FEED,
        Answer(200),
    ),
    "cancelOrder": (
        lambda client: client.cancel_order(ORDER_ID, "NO_INVENTORY"),
        "PUT",
        CANCELLATION,
        Answer(202),
    ),
    "confirmShipment": (
        lambda client: client.confirm_shipment(ORDER_ID, DE, PACKAGE),
        "POST",
        SHIPMENT,
        Answer(204),
    ),
    "updateFulfillmentOrder": (
        lambda client: client.update_fulfillment_order(
            "WEB-1001", {"fulfillmentAction": "Ship"}
        ),
        "PUT",
        FULFILLMENT_ORDER,
        Answer(200, {}),
    ),
    "cancelFulfillmentOrder": (
        lambda client: client.cancel_fulfillment_order("WEB-1001"),
        "PUT",
        f"{FULFILLMENT_ORDER}/cancel",
        Answer(200, {}),
    ),
    "createConfirmOrderDetails": _message("confirmOrderDetails"),
    "createConfirmDeliveryDetails": _message("confirmDeliveryDetails"),
    "createConfirmServiceDetails": _message("confirmServiceDetails"),
    "confirmCustomizationDetails": _message("confirmCustomizationDetails"),
    "createUnexpectedProblem": _message("unexpectedProblem"),
}


def accept_documents(amazon, compression=None, report=b"<x/>"):
    """Let `amazon` serve creation, upload and download of a document."""
    upload = f"{amazon.url}/documents/up?X-Amz-Signature=up-secret&X-Amz-Expires=300"
    download = f"{amazon.url}/documents/down?X-Amz-Signature=down-secret"
    amazon.script(
        "POST", DOCUMENTS, Answer(201, {"feedDocumentId": "doc-1", "url": upload})
    )
    amazon.script("PUT", "/documents/up", Answer(200))
    description = {"feedDocumentId": "amzn1.tortuga.4.eu.doc", "url": download}
    if compression:
        description["compressionAlgorithm"] = compression
    amazon.script("GET", DOCUMENT, Answer(200, description))
    amazon.script("GET", "/documents/down", Answer(200, report))
