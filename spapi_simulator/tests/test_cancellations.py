"""What an acknowledgement feed does."""

import pytest

from .amazon import (
    CANCEL,
    DE,
    ES,
    FR,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
    refund,
)


def test_cancelled_order_says_who_and_why(simulator, amazon, run):
    before = amazon.order(UNSHIPPED)
    assert run(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS)) == (1, {})
    order = amazon.order(UNSHIPPED)
    assert order["fulfillment"]["fulfillmentStatus"] == "CANCELLED"
    assert order["lastUpdatedTime"] > before["lastUpdatedTime"]
    for item in order["orderItems"]:
        assert item["cancellation"]["cancellationExecution"] == {
            "cancelledBy": "MERCHANT",
            "cancelReason": "BUYER_CANCELLED",
        }
        assert item["fulfillment"]["quantityUnfulfilled"] == 0
    (row,) = simulator.ledger()["cancellations"]
    assert row["order_id"] == UNSHIPPED
    assert row["reasons"] == ["BuyerCanceled", "BuyerCanceled"]
    assert row["message_id"] == 1


def test_order_is_cancelled_once_only(simulator, run):
    message = cancel(UNSHIPPED, *UNSHIPPED_ITEMS)
    run(CANCEL, message)
    _, results = run(CANCEL, message)
    assert "already cancelled" in results[1][1]
    assert len(simulator.ledger()["cancellations"]) == 1


def test_buyers_request_stays_visible_beside_the_execution(amazon, run):
    run(CANCEL, cancel("303-1146280-7735914", "147645420375455"))
    item = amazon.order("303-1146280-7735914")["orderItems"][0]
    assert set(item["cancellation"]) == {
        "cancellationRequest",
        "cancellationExecution",
    }


def test_cancellation_moves_no_money(simulator, amazon, run):
    run(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS))
    simulator.advance(1200)
    assert amazon.events(UNSHIPPED, "RefundEventList") == []
    _, results = run(REFUND, refund(UNSHIPPED, UNSHIPPED_ITEMS[0], Principal="1.00"))
    assert list(results) == [1]


@pytest.mark.parametrize(
    ("name", "message", "markets"),
    [
        ("shipped", cancel(SHIPPED, SHIPPED_ITEM), [DE]),
        (
            "partially shipped",
            cancel("404-6612388-0457172", "147645420376101", "147645420376102"),
            [FR],
        ),
        ("pending", cancel("302-9057741-6620389", "147645420375344"), [DE]),
        ("cancelled", cancel("408-2294871-5503946", "147645420378604"), [ES]),
        ("FBA", cancel("305-6608213-9947150", "147645420375566"), [DE]),
        ("MCF", cancel("S02-4417308-1920563", "147645420379001"), [DE]),
        ("unknown order", cancel("302-0000000-0000000", SHIPPED_ITEM), [DE]),
        ("other marketplace", cancel(UNSHIPPED, *UNSHIPPED_ITEMS), [FR]),
        ("no items", cancel(UNSHIPPED), [DE]),
        ("not every item", cancel(UNSHIPPED, UNSHIPPED_ITEMS[0]), [DE]),
        ("item twice", cancel(UNSHIPPED, UNSHIPPED_ITEMS[0], *UNSHIPPED_ITEMS), [DE]),
        ("foreign item", cancel(UNSHIPPED, *UNSHIPPED_ITEMS, SHIPPED_ITEM), [DE]),
        (
            "no reason",
            cancel(UNSHIPPED, *UNSHIPPED_ITEMS).replace(
                "<CancelReason>BuyerCanceled</CancelReason>", "", 1
            ),
            [DE],
        ),
        (
            "part of a quantity",
            cancel(UNSHIPPED, *UNSHIPPED_ITEMS).replace(
                "</CancelReason></Item></Order",
                "</CancelReason><Quantity>1</Quantity></Item></Order",
            ),
            [DE],
        ),
        (
            "reason without failure",
            cancel(UNSHIPPED, *UNSHIPPED_ITEMS).replace("Failure", "Success"),
            [DE],
        ),
    ],
)
def test_cancellation_that_amazon_would_refuse(
    simulator, amazon, run, name, message, markets
):
    processed, results = run(CANCEL, message, marketplaces=markets)
    assert processed == 1 and list(results) == [1], name
    assert simulator.ledger()["cancellations"] == []
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
