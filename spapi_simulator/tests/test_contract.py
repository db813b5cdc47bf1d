"""Requests and answers are those of Amazon's models."""

import re

import pytest

from .. import generate, messaging, outbound, shipments
from ..operations import MESSAGE_OPERATIONS, OPERATIONS
from ..orders import STATUSES
from . import models
from .amazon import (
    CANCEL,
    DE,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    Amazon,
    cancel,
    refund,
)

pytestmark = models.needs_models

ALL_DATA = (
    "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,"
    "PAYMENT,FULFILLMENT_ORDERS"
)
OUTBOUND = "/fba/outbound/2020-07-01/fulfillmentOrders"
OTHER_SELLERS = {
    "ADEMOSELLER02": "Atzr|demo-refresh-token-us",
    "ADEMOSELLER03": "Atzr|demo-refresh-token-jp",
}


# Amazon withdrew cancelOrder from its models.
IN_MODELS = [row for row in OPERATIONS if row.name != "cancelOrder"]


@pytest.mark.parametrize("operation", IN_MODELS, ids=lambda row: row.name)
class TestRequests:
    def test_path_and_method_are_the_models(self, operation):
        path, method, _ = models.operation(operation.name)
        assert (operation.path, operation.method) == (path, method)

    def test_rate_and_burst_are_the_models(self, operation):
        description = models.operation(operation.name)[2]["description"]
        row = re.search(r"^\| ([\d.]+) \| (\d+) \|$", description, re.MULTILINE)
        assert (operation.rate, operation.burst) == (float(row[1]), int(row[2]))

    def test_query_parameters_are_the_models(self, operation):
        _, _, model = models.operation(operation.name)
        expected = {
            row["name"]: row for row in model["parameters"] if row["in"] == "query"
        }
        assert {param.name for param in operation.params} == set(expected)
        for param in operation.params:
            row = expected[param.name]
            assert param.many == (row["type"] == "array")
            inner = row["items"] if param.many else row
            kind = inner.get("format", inner["type"])
            assert param.kind == {"int32": "integer"}.get(kind, kind)
            if "enum" in inner:
                assert set(param.choices) == set(inner["enum"])
            for bound in ("minimum", "maximum"):
                if bound in row:
                    assert getattr(param, bound) == row[bound]
            assert param.max_items == row.get("maxItems")
            assert param.required == row.get("required", False)


def bodies_of(name):
    """Return (required keys, all keys) of an operation's body."""
    _, _, model = models.operation(name)
    reference = model["parameters"][0]["schema"]["$ref"].split("/")[-1]
    schema = models.load(models.FILES[name])["definitions"][reference]
    return set(schema["required"]), set(schema["properties"])


@pytest.mark.parametrize("name", ["createFeed", "createFeedDocument"])
def test_body_needs_the_keys_of_the_model_and_no_other(name, amazon):
    document_id = amazon.upload(amazon.envelope(REFUND))
    body = {
        "feedType": REFUND,
        "marketplaceIds": [DE],
        "inputFeedDocumentId": document_id,
        "feedOptions": {},
        "contentType": "text/xml; charset=UTF-8",
    }
    required, known = bodies_of(name)
    body = {key: value for key, value in body.items() if key in known}
    path = models.operation(name)[0]
    for key in required:
        partial = {other: body[other] for other in body if other != key}
        answer = amazon.call("POST", path, json=partial)
        assert answer.status_code == 400
        models.check_answer(name, answer)
    for stray in ("path", "MarketplaceIds"):
        answer = amazon.call("POST", path, json=body | {stray: "x"})
        assert answer.status_code == 400
        assert stray in answer.json()["errors"][0]["message"]
    assert amazon.call("POST", path, json=body).status_code in (201, 202)


def test_every_demo_order_has_the_shape_of_the_model(simulator, amazon):
    simulator.reset(quotas=False)
    clients = [amazon] + [Amazon(simulator.url, *row) for row in OTHER_SELLERS.items()]
    seen = 0
    for client in clients:
        page = client.get(
            "/orders/2026-01-01/orders",
            createdAfter="2020-01-01T00:00:00Z",
            includedData=ALL_DATA,
        )
        models.check_answer("searchOrders", page)
        for order in page.json()["orders"]:
            path = f"/orders/2026-01-01/orders/{order['orderId']}"
            for included in ({}, {"includedData": ALL_DATA}):
                answer = client.get(path, **included)
                models.check_answer("getOrder", answer)
                assert answer.status_code == 200
            events = f"/finances/v0/orders/{order['orderId']}/financialEvents"
            models.check_answer("listFinancialEventsByOrderId", client.get(events))
            market = order["salesChannel"].get("marketplaceId", DE)
            messaging = f"/messaging/v1/orders/{order['orderId']}"
            for name, tail in (
                ("getMessagingActionsForOrder", ""),
                ("GetAttributes", "/attributes"),
            ):
                answer = client.get(messaging + tail, marketplaceIds=market)
                models.check_answer(name, answer)
                assert answer.status_code == 200
            seen += 1
        found = client.get(
            "/finances/2024-06-19/transactions", postedAfter="2026-01-01T00:00:00Z"
        )
        models.check_answer("listTransactions", found)
        assert found.json()["payload"]["transactions"]
        participations = client.get("/sellers/v1/marketplaceParticipations")
        models.check_answer("getMarketplaceParticipations", participations)
        assert participations.status_code == 200
    assert seen == 21


@pytest.mark.parametrize("number", range(1001, 1005))
def test_every_fulfillment_order_has_the_shape_of_the_model(amazon, number):
    answer = amazon.get(f"{OUTBOUND}/SHOP-{number}")
    models.check_answer("getFulfillmentOrder", answer)
    assert answer.status_code == 200


def keys_of(body):
    """Return the keys of a checked body as a JSON schema would list them."""
    return set(body.required), set(body.required) | set(body.optional)


@pytest.mark.parametrize(
    ("file_name", "name", "body"),
    [
        ("ordersV0.json", "ConfirmShipmentRequest", shipments.BODY),
        (
            "ordersV0.json",
            "PackageDetail",
            shipments.BODY.required["packageDetail"],
        ),
        (
            "ordersV0.json",
            "ConfirmShipmentOrderItem",
            shipments.BODY.required["packageDetail"].required["orderItems"].of,
        ),
        (
            "fulfillmentOutbound_2020-07-01.json",
            "UpdateFulfillmentOrderRequest",
            outbound.UPDATE,
        ),
        ("fulfillmentOutbound_2020-07-01.json", "Address", outbound.ADDRESS),
        (
            "fulfillmentOutbound_2020-07-01.json",
            "UpdateFulfillmentOrderItem",
            outbound.UPDATE.optional["items"].of,
        ),
    ],
)
def test_nested_bodies_have_the_keys_and_limits_of_the_model(file_name, name, body):
    model = models.definition(file_name, name)
    required, known = keys_of(body)
    assert required == set(model.get("required", ()))
    assert known == set(model["properties"])
    for key, row in model["properties"].items():
        checked = (body.required | body.optional)[key]
        if "maxLength" in row:
            assert checked.most == row["maxLength"]
        if "$ref" in row:
            row = model["definitions"][row["$ref"].split("/")[-1]]
        if "enum" in row:
            assert set(checked.choices) == set(row["enum"])


def test_messages_have_the_limits_of_the_model():
    for message_type, most in messaging.MAX_LENGTH.items():
        name = message_type[0].upper() + message_type[1:]
        model = models.definition("messaging.json", f"Create{name}Request")
        assert model["properties"]["text"]["maxLength"] == most


def test_generated_orders_and_released_money_have_the_shape_of_the_model(
    simulator, amazon
):
    simulator.reset(quotas=False)
    for status in STATUSES:
        simulator.add_orders(generate.orders(10, status=status, deferral="1 hour"))
    found = amazon.get(
        "/orders/2026-01-01/orders",
        createdAfter="2020-01-01T00:00:00Z",
        includedData=ALL_DATA,
    )
    models.check_answer("searchOrders", found)
    assert len(found.json()["orders"]) >= 10 * len(STATUSES)
    found = amazon.get(
        "/finances/2024-06-19/transactions", postedAfter="2026-01-01T00:00:00Z"
    )
    models.check_answer("listTransactions", found)
    assert "DEFERRED_TRANSACTION_ID" in found.text


def test_every_answer_about_a_feed_has_the_shape_of_the_model(simulator, amazon):
    document = amazon.create_document()
    models.check_answer("createFeedDocument", document)
    refunds = amazon.upload(
        amazon.envelope(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="1.00"))
    )
    answer = amazon.create_feed(REFUND, refunds)
    models.check_answer("createFeed", answer)
    feed_path = f"/feeds/2021-06-30/feeds/{answer.json()['feedId']}"
    for seconds, status in ((0, "IN_QUEUE"), (30, "IN_PROGRESS"), (40, "DONE")):
        simulator.advance(seconds)
        feed = amazon.get(feed_path)
        models.check_answer("getFeed", feed)
        assert feed.json()["processingStatus"] == status
    result = feed.json()["resultFeedDocumentId"]
    models.check_answer(
        "getFeedDocument", amazon.get(f"/feeds/2021-06-30/documents/{result}")
    )
    second = amazon.submit(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS))
    cancelled = amazon.call("DELETE", f"/feeds/2021-06-30/feeds/{second}")
    models.check_answer("cancelFeed", cancelled)
    feeds = amazon.get(
        "/feeds/2021-06-30/feeds", feedTypes=f"{REFUND},{CANCEL}", pageSize=1
    )
    models.check_answer("getFeeds", feeds)
    assert feeds.json()["nextToken"]


REFUSED = {
    "getOrder": ("GET", "/orders/2026-01-01/orders/1-2-3"),
    "searchOrders": ("GET", "/orders/2026-01-01/orders"),
    "getFeeds": ("GET", "/feeds/2021-06-30/feeds"),
    "getFeed": ("GET", "/feeds/2021-06-30/feeds/x"),
    "cancelFeed": ("DELETE", "/feeds/2021-06-30/feeds/x"),
    "createFeed": ("POST", "/feeds/2021-06-30/feeds"),
    "createFeedDocument": ("POST", "/feeds/2021-06-30/documents"),
    "listFinancialEventsByOrderId": ("GET", "/finances/v0/orders/x/financialEvents"),
    "listTransactions": ("GET", "/finances/2024-06-19/transactions"),
    "getMarketplaceParticipations": ("GET", "/sellers/v1/marketplaceParticipations"),
    "getFeedDocument": ("GET", "/feeds/2021-06-30/documents/x"),
    "confirmShipment": ("POST", "/orders/v0/orders/x/shipmentConfirmation"),
    "getFulfillmentOrder": ("GET", f"{OUTBOUND}/x"),
    "updateFulfillmentOrder": ("PUT", f"{OUTBOUND}/x"),
    "cancelFulfillmentOrder": ("PUT", f"{OUTBOUND}/x/cancel"),
    "getMessagingActionsForOrder": ("GET", "/messaging/v1/orders/x"),
    "GetAttributes": ("GET", "/messaging/v1/orders/x/attributes"),
} | {
    name: ("POST", f"/messaging/v1/orders/x/messages/{message_type}")
    for message_type, name in MESSAGE_OPERATIONS.items()
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refusals_have_the_shape_of_the_model(name, amazon):
    method, path = REFUSED[name]
    stray = amazon.call(method, path, params={"MarketplaceIds": DE})
    assert stray.status_code == 400
    models.check_answer(name, stray)
    if name not in ("getMarketplaceParticipations", "createFeed", "createFeedDocument"):
        bad = amazon.call(method, path)
        assert bad.status_code in (400, 404)
        models.check_answer(name, bad)
    anonymous = amazon.call(method, path, headers={"x-amz-access-token": ""})
    assert anonymous.status_code == 403
    models.check_answer(name, anonymous)
