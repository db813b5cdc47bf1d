"""OrderAcknowledgement with Success: Amazon keeps the seller's number of an order."""

import pytest

from .amazon import (
    CANCEL,
    DE,
    FR,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
    order_number,
    refund,
)


def alias(amazon, order_id):
    """Return the aliases of an order."""
    return amazon.order(order_id).get("orderAliases")


def test_number_is_shown_as_an_alias_of_the_order(simulator, amazon, run):
    assert run(CANCEL, order_number(UNSHIPPED, "S00042")) == (1, {})
    expected = [{"aliasId": "S00042", "aliasType": "SELLER_ORDER_ID"}]
    assert alias(amazon, UNSHIPPED) == expected
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
    ledger = simulator.ledger()
    (row,) = ledger["order_numbers"]
    assert (row["order_id"], row["merchant_order_id"]) == (UNSHIPPED, "S00042")
    assert (row["message_id"], ledger["executed"]["order_numbers"]) == (1, 1)
    assert ledger["cancellations"] == []


def test_later_number_replaces_the_earlier(simulator, amazon, run):
    run(CANCEL, order_number(UNSHIPPED, "S1"), order_number(UNSHIPPED, "S2"))
    assert alias(amazon, UNSHIPPED)[0]["aliasId"] == "S2"
    assert simulator.ledger()["executed"]["order_numbers"] == 2


@pytest.mark.parametrize(
    ("order_id", "markets"), [("302-0000000-0000000", [DE]), (UNSHIPPED, [FR])]
)
def test_unknown_order_is_an_error(simulator, run, order_id, markets):
    _, results = run(CANCEL, order_number(order_id, "S1"), marketplaces=markets)
    assert "cannot be found" in results[1][1]
    assert simulator.ledger()["order_numbers"] == []


def test_number_of_more_than_50_characters_is_no_valid_xml(simulator, run):
    _, results = run(CANCEL, order_number(UNSHIPPED, "S" * 51))
    assert results[1][0] == "5000"
    assert simulator.ledger()["order_numbers"] == []


def test_numbers_and_cancellations_go_in_one_feed(simulator, run):
    both = order_number(SHIPPED, "S1"), cancel(UNSHIPPED, *UNSHIPPED_ITEMS)
    assert run(CANCEL, *both) == (2, {})
    executed = simulator.ledger()["executed"]
    assert (executed["order_numbers"], executed["cancellations"]) == (1, 1)


def test_finances_name_it_and_a_refund_may(simulator, amazon, run):
    run(CANCEL, order_number(SHIPPED, "S00042"))
    message = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00").replace(
        f"<AmazonOrderID>{SHIPPED}</AmazonOrderID>",
        "<MerchantOrderID>S00042</MerchantOrderID>",
    )
    assert run(REFUND, message) == (1, {})
    (event,) = amazon.events(SHIPPED, "ShipmentEventList")
    assert event["SellerOrderId"] == "S00042"
