"""Amazon's usage plans on the simulated clock."""

import pytest

from ..operations import MESSAGE_OPERATIONS, OPERATIONS
from .amazon import REFUND, SHIPPED, Amazon

MESSAGING = f"/messaging/v1/orders/{SHIPPED}"
OUTBOUND = "/fba/outbound/2020-07-01/fulfillmentOrders/SHOP-1001"

PATHS = {
    "getOrder": ("GET", f"/orders/2026-01-01/orders/{SHIPPED}"),
    "searchOrders": ("GET", "/orders/2026-01-01/orders"),
    "createFeedDocument": ("POST", "/feeds/2021-06-30/documents"),
    "createFeed": ("POST", "/feeds/2021-06-30/feeds"),
    "getFeed": ("GET", "/feeds/2021-06-30/feeds/99"),
    "getFeeds": ("GET", "/feeds/2021-06-30/feeds"),
    "cancelFeed": ("DELETE", "/feeds/2021-06-30/feeds/99"),
    "getFeedDocument": ("GET", "/feeds/2021-06-30/documents/x"),
    "listFinancialEventsByOrderId": (
        "GET",
        f"/finances/v0/orders/{SHIPPED}/financialEvents",
    ),
    "listTransactions": ("GET", "/finances/2024-06-19/transactions"),
    "getMarketplaceParticipations": ("GET", "/sellers/v1/marketplaceParticipations"),
    "confirmShipment": ("POST", f"/orders/v0/orders/{SHIPPED}/shipmentConfirmation"),
    "cancelOrder": ("PUT", f"/orders/2026-01-01/orders/{SHIPPED}/cancellation"),
    "getFulfillmentOrder": ("GET", OUTBOUND),
    "updateFulfillmentOrder": ("PUT", OUTBOUND),
    "cancelFulfillmentOrder": ("PUT", f"{OUTBOUND}/cancel"),
    "getMessagingActionsForOrder": ("GET", MESSAGING),
    "GetAttributes": ("GET", f"{MESSAGING}/attributes"),
} | {
    name: ("POST", f"{MESSAGING}/messages/{message_type}")
    for message_type, name in MESSAGE_OPERATIONS.items()
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda row: row.name)
def test_burst_then_one_call_for_each_interval_of_the_clock(
    simulator, amazon, operation
):
    method, path = PATHS[operation.name]

    def call():
        return amazon.call(method, path)

    # Slow operations only gain a part of a call while the burst is spent.
    for _ in range(operation.burst):
        assert call().status_code != 429
    answers = [call().status_code for _ in range(10)]
    assert 429 in answers
    simulator.advance(1 / operation.rate)
    assert call().status_code != 429


def test_refusal_tells_neither_limit_nor_time_to_wait(simulator, amazon):
    method, path = PATHS["createFeed"]
    answers = [amazon.call(method, path) for _ in range(16)]
    last = answers[-1]
    assert last.status_code == 429
    assert last.json()["errors"][0]["code"] == "QuotaExceeded"
    assert not {"x-amzn-RateLimit-Limit", "Retry-After"} & set(last.headers)
    assert answers[0].headers["x-amzn-RateLimit-Limit"] == "0.0083"
    assert last.headers["x-amzn-RequestId"]


def test_other_feed_types_share_the_bucket_and_nothing_is_executed(simulator, amazon):
    document_id = amazon.upload(amazon.envelope(REFUND))
    for _ in range(15):
        amazon.create_feed("POST_ORDER_ACKNOWLEDGEMENT_DATA", document_id)
    assert amazon.create_feed(REFUND, document_id).status_code == 429
    assert len(simulator.ledger()["feeds"]) == 15


def test_each_seller_and_each_operation_has_its_own_bucket(simulator, amazon):
    method, path = PATHS["getFeeds"]
    for _ in range(11):
        last = amazon.call(method, path)
    assert last.status_code == 429
    assert amazon.get(PATHS["getOrder"][1]).status_code == 200
    other = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    assert other.call(method, path).status_code == 400


def test_bucket_never_holds_more_than_its_burst(simulator, amazon):
    method, path = PATHS["getFeeds"]
    amazon.call(method, path)
    simulator.advance(3000)
    statuses = [amazon.call(method, path).status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_quotas_can_be_switched_off(simulator, amazon):
    simulator.reset(quotas=False)
    method, path = PATHS["getFeeds"]
    assert {amazon.call(method, path).status_code for _ in range(30)} == {400}


def test_told_limit_counts_by_the_callers_clock(simulator, amazon):
    simulator.reset(clock_factor=60)
    answer = amazon.call(*PATHS["createFeed"])
    assert answer.headers["x-amzn-RateLimit-Limit"] == "0.498"


def test_without_quotas_nobody_is_told_to_hold_back(simulator, amazon):
    simulator.reset(quotas=False)
    answer = amazon.call(*PATHS["createFeed"])
    assert answer.headers["x-amzn-RateLimit-Limit"] == "1000"
