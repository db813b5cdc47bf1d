"""QuantityCancelled: open units of an order are cancelled by an adjustment feed."""

import pytest

from .amazon import (
    CANCEL,
    ES,
    FR,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
    cut,
    refund,
)

LAMP, BULBS = UNSHIPPED_ITEMS  # 1 and 2 units, 54.90 and 25.98
HOOKS, HOOK = "303-5519402-7740128", "147645420375788"  # 3 units, 74.70 and 3.99
PARTLY = "404-6612388-0457172"
PARTLY_SENT, PARTLY_OPEN = "147645420376101", "147645420376102"


def item_of(amazon, order_id, item_id):
    """Return one item of an order as Amazon shows it."""
    rows = amazon.order(order_id)["orderItems"]
    return next(row for row in rows if row["orderItemId"] == item_id)


def test_cut_units_are_no_longer_ordered_nor_open_nor_paid(simulator, amazon, run):
    before = amazon.order(HOOKS)
    assert run(REFUND, cut(HOOKS, {HOOK: 1}, "CustomerCancel", "c-1")) == (1, {})
    order = amazon.order(HOOKS)
    item = item_of(amazon, HOOKS, HOOK)
    assert item["quantityOrdered"] == 2
    assert item["fulfillment"] == {"quantityFulfilled": 0, "quantityUnfulfilled": 2}
    assert item["proceeds"]["proceedsTotal"]["amount"] == "52.46"
    assert item["product"]["price"]["unitPrice"]["amount"] == "24.90"
    assert "cancellationExecution" not in item["cancellation"]
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    assert order["lastUpdatedTime"] > before["lastUpdatedTime"]
    (row,) = simulator.ledger()["quantity_cancellations"]
    assert {key: row[key] for key in sorted(row) if key != "executed_at"} == {
        "feed_id": simulator.ledger()["feeds"][0]["feed_id"],
        "merchant_adjustment_item_id": "c-1",
        "message_id": 1,
        "order_id": HOOKS,
        "order_item_id": HOOK,
        "quantity": 1,
        "reason": "CustomerCancel",
    }
    assert simulator.ledger()["executed"]["quantity_cancellations"] == 1
    assert simulator.ledger()["refunds"] == []


def test_order_is_cancelled_with_its_last_unit(amazon, run):
    run(REFUND, cut(HOOKS, {HOOK: 2}))
    assert amazon.status(HOOKS) == "UNSHIPPED"
    run(REFUND, cut(HOOKS, {HOOK: 1}))
    assert amazon.status(HOOKS) == "CANCELLED"
    item = item_of(amazon, HOOKS, HOOK)
    assert item["quantityOrdered"] == 0
    assert item["cancellation"]["cancellationExecution"] == {
        "cancelledBy": "MERCHANT",
        "cancelReason": "NO_INVENTORY",
    }


def test_item_without_units_is_cancelled_and_the_others_go_on(amazon, run):
    assert run(REFUND, cut(UNSHIPPED, {BULBS: 2})) == (1, {})
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
    item = item_of(amazon, UNSHIPPED, BULBS)
    assert item["cancellation"]["cancellationExecution"]["cancelledBy"] == "MERCHANT"
    assert "cancellation" not in item_of(amazon, UNSHIPPED, LAMP)
    assert amazon.order(UNSHIPPED)["proceeds"]["grandTotal"]["amount"] == "54.90"
    assert amazon.confirm(UNSHIPPED, {LAMP: 1}).status_code == 204
    assert amazon.status(UNSHIPPED) == "SHIPPED"


def test_rest_of_an_order_shipped_in_part_is_cut(amazon, run):
    assert run(REFUND, cut(PARTLY, {PARTLY_OPEN: 1}), marketplaces=[FR]) == (1, {})
    assert amazon.status(PARTLY) == "SHIPPED"
    over = refund(PARTLY, PARTLY_SENT, Principal="29.91")
    good = refund(PARTLY, PARTLY_SENT, Principal="29.90", Shipping="5.90")
    _, results = run(REFUND, over, good, marketplaces=[FR])
    assert list(results) == [1]


def test_refund_and_cut_of_one_order_go_in_one_message(simulator, run):
    start, end = "<AdjustedItem>", "</OrderAdjustment>"
    first = refund(PARTLY, PARTLY_SENT, Principal="5.00")
    second = cut(PARTLY, {PARTLY_OPEN: 1})
    inner = second[second.index(start) : second.index(end)]
    assert run(REFUND, first.replace(end, inner + end), marketplaces=[FR]) == (1, {})
    executed = simulator.ledger()["executed"]
    assert (executed["refunds"], executed["quantity_cancellations"]) == (1, 1)


def test_units_that_are_left_are_charged_in_full(simulator, amazon, run):
    run(REFUND, cut(HOOKS, {HOOK: 1}))
    amazon.confirm(HOOKS, {HOOK: 1})
    run(REFUND, cut(HOOKS, {HOOK: 1}))
    assert amazon.status(HOOKS) == "SHIPPED"
    (row,) = simulator.ledger()["shipments"]
    assert row["amount"] == "26.23"
    over = refund(HOOKS, HOOK, Principal="24.91")
    good = refund(HOOKS, HOOK, Principal="24.90", Shipping="1.33")
    assert list(run(REFUND, over, good)[1]) == [1]


@pytest.mark.parametrize(
    ("name", "message", "markets", "code"),
    [
        ("more than open", cut(HOOKS, {HOOK: 4}), None, "18021"),
        ("one line twice", cut(HOOKS, {HOOK: 2}), None, "18021"),
        ("one good, one bad", cut(UNSHIPPED, {LAMP: 1, BULBS: 3}), None, "18021"),
        ("shipped", cut(SHIPPED, {SHIPPED_ITEM: 1}), None, "18028"),
        ("shipped item", cut(PARTLY, {PARTLY_SENT: 1}), [FR], "18021"),
        (
            "cancelled",
            cut("408-2294871-5503946", {"147645420378604": 1}),
            [ES],
            "18028",
        ),
        ("pending", cut("302-9057741-6620389", {"147645420375344": 1}), None, "18028"),
        ("FBA", cut("305-6608213-9947150", {"147645420375566": 1}), None, "18028"),
        ("MCF", cut("S02-4417308-1920563", {"147645420379001": 1}), None, "18028"),
        ("unknown order", cut("302-0000000-0000000", {HOOK: 1}), None, "18028"),
        ("unknown item", cut(HOOKS, {LAMP: 1}), None, "18028"),
        ("zero", cut(HOOKS, {HOOK: 0}), None, "5000"),
    ],
)
def test_cut_that_amazon_would_refuse(
    simulator, amazon, run, name, message, markets, code
):
    if name == "one line twice":
        item = message[message.index("<Adj") : message.index("</OrderAdj")]
        message = message.replace(item, item + item)
    options = {"marketplaces": markets} if markets else {}
    processed, results = run(REFUND, message, **options)
    assert (processed, [row[0] for row in results.values()]) == (1, [code])
    assert simulator.ledger()["quantity_cancellations"] == []
    assert item_of(amazon, HOOKS, HOOK)["quantityOrdered"] == 3


@pytest.mark.parametrize("change", ["action", "amount"])
def test_refund_and_cut_are_not_mixed_in_one_item(simulator, run, change):
    message = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")
    if change == "amount":
        end = "</AdjustedItem>"
        quantity = f"<QuantityCancelled>1</QuantityCancelled>{end}"
        message = message.replace(end, quantity)
    else:
        start = "<AdjustedItem>"
        message = message.replace(start, f"<ActionType>Cancel</ActionType>{start}")
    assert list(run(REFUND, message)[1]) == [1]
    assert simulator.ledger()["refunds"] == []


def test_the_action_cancel_goes_with_a_cut(simulator, run):
    message = cut(HOOKS, {HOOK: 1}).replace(
        "<AdjustedItem>", "<ActionType>Cancel</ActionType><AdjustedItem>"
    )
    assert run(REFUND, message) == (1, {})


def test_whole_order_is_cancelled_after_a_cut(simulator, amazon, run):
    run(REFUND, cut(UNSHIPPED, {BULBS: 1}))
    assert run(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS)) == (1, {})
    assert amazon.status(UNSHIPPED) == "CANCELLED"


def test_item_that_is_gone_need_not_be_listed_to_cancel_the_rest(
    simulator, amazon, run
):
    run(REFUND, cut(UNSHIPPED, {BULBS: 2}, "NoInventory"))
    assert run(CANCEL, cancel(UNSHIPPED, LAMP)) == (1, {})
    assert amazon.status(UNSHIPPED) == "CANCELLED"
    assert simulator.ledger()["cancellations"][0]["reasons"] == ["BuyerCanceled"]
    gone = item_of(amazon, UNSHIPPED, BULBS)["cancellation"]["cancellationExecution"]
    assert gone["cancelReason"] == "NO_INVENTORY"
