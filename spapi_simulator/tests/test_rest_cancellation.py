"""cancelOrder: off as with Amazon, or accepted at once and done a while later."""

import pytest
import requests

from .amazon import (
    CANCEL,
    SHIPPED,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
)
from .conftest import PROCESSING_SECONDS


@pytest.fixture
def offered(simulator):
    """The simulator as if Amazon offered cancelOrder."""
    simulator.change(rest_cancellation="on")
    return simulator


@pytest.mark.parametrize(
    ("switch", "status", "code"),
    [(None, 403, "Unauthorized"), ("not_found", 404, "NotFound")],
)
def test_not_offered_until_it_is_switched_on(simulator, amazon, switch, status, code):
    if switch:
        simulator.change(rest_cancellation=switch)
    answer = amazon.cancel_order(UNSHIPPED)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    simulator.advance(PROCESSING_SECONDS)
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
    assert simulator.ledger()["rest_cancellations"] == []


def test_accepted_order_is_cancelled_a_while_later_by_the_merchant(offered, amazon):
    answer = amazon.cancel_order(UNSHIPPED, "CUSTOMER_EXCHANGE")
    assert (answer.status_code, answer.content) == (202, b"")
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
    (row,) = offered.ledger()["rest_cancellations"]
    assert (row["state"], row["executed_at"]) == ("processing", None)
    assert row["request_id"] == answer.headers["x-amzn-RequestId"]
    assert offered.ledger()["executed"]["rest_cancellations"] == 0
    offered.advance(PROCESSING_SECONDS)
    order = amazon.order(UNSHIPPED)
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    for item in order["orderItems"]:
        assert item["cancellation"]["cancellationExecution"] == {
            "cancelledBy": "MERCHANT",
            "cancelReason": "CUSTOMER_EXCHANGE",
        }
    (row,) = offered.ledger()["rest_cancellations"]
    assert (row["state"], row["reason"]) == ("executed", "CUSTOMER_EXCHANGE")
    assert offered.ledger()["executed"]["rest_cancellations"] == 1
    assert offered.ledger()["cancellations"] == []


def test_a_second_request_is_refused(offered, amazon):
    amazon.cancel_order(UNSHIPPED)
    assert amazon.cancel_order(UNSHIPPED).status_code == 400
    offered.advance(PROCESSING_SECONDS)
    assert amazon.cancel_order(UNSHIPPED).status_code == 400
    assert len(offered.ledger()["rest_cancellations"]) == 1


def test_order_shipped_meanwhile_is_not_cancelled(offered, amazon):
    amazon.cancel_order(UNSHIPPED)
    offered.happen(UNSHIPPED, "ship")
    offered.advance(PROCESSING_SECONDS)
    assert amazon.status(UNSHIPPED) == "SHIPPED"
    assert offered.ledger()["rest_cancellations"][0]["state"] == "failed"
    assert offered.ledger()["executed"]["rest_cancellations"] == 0


def test_feed_that_comes_later_finds_the_order_cancelled(offered, amazon, run):
    amazon.cancel_order(UNSHIPPED)
    _, results = run(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS))
    assert "already cancelled" in results[1][1]
    assert offered.ledger()["cancellations"] == []


@pytest.mark.parametrize(
    ("order_id", "status"),
    [
        ("TEST_CASE_400", 400),
        ("302-0000000-0000000", 404),
        ("S02-4417308-1920563", 404),
        (SHIPPED, 400),
        ("302-9057741-6620389", 400),
        ("404-6612388-0457172", 400),
        ("408-2294871-5503946", 400),
        ("305-6608213-9947150", 400),
    ],
    ids="bad unknown mcf shipped pending partly-shipped cancelled fba".split(),
)
def test_order_that_cannot_be_cancelled(offered, amazon, order_id, status):
    answer = amazon.cancel_order(order_id)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["message"]
    assert offered.ledger()["rest_cancellations"] == []


def test_bad_number_is_refused_in_amazons_words(offered, amazon):
    answer = amazon.cancel_order("TEST_CASE_400")
    assert answer.json()["errors"][0]["message"] == (
        "OrderId: TEST_CASE_400 is invalid, should be in 3-7-7 format."
    )


@pytest.mark.parametrize(
    "body", [{}, {"cancelReasonCode": "BuyerCanceled"}, {"cancelReasonCode": 1}, []]
)
def test_bad_body(offered, amazon, body):
    path = f"/orders/2026-01-01/orders/{UNSHIPPED}/cancellation"
    assert amazon.call("PUT", path, json=body).status_code == 400
    assert offered.ledger()["rest_cancellations"] == []


@pytest.mark.parametrize(("kind", "executed"), [("cut_before", 0), ("cut_after", 1)])
def test_a_lost_answer(offered, amazon, kind, executed):
    offered.fault(kind, "cancelOrder")
    with pytest.raises(requests.ConnectionError):
        amazon.cancel_order(UNSHIPPED)
    offered.advance(PROCESSING_SECONDS)
    assert offered.ledger()["executed"]["rest_cancellations"] == executed
