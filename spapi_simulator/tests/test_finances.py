"""Finances v0 by order, and transactions of 2024-06-19."""

import pytest

from .amazon import (
    GB,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    US,
    Amazon,
    refund,
)
from .conftest import FINANCE_DELAY_SECONDS
from .test_orders import ago

MUGS, MUG = "305-2260917-9913547", "147645420375120"
TRANSACTIONS = "/finances/2024-06-19/transactions"


def charges(event):
    """Return {charge type: amount} of a refund event's first item."""
    item = event["ShipmentItemAdjustmentList"][0]
    return {
        row["ChargeType"]: row["ChargeAmount"]["CurrencyAmount"]
        for row in item["ItemChargeAdjustmentList"]
    }


def leaves(breakdowns):
    """Return {type: amount} of the innermost breakdowns."""
    found = {}
    for row in breakdowns:
        if row["breakdowns"]:
            found |= leaves(row["breakdowns"])
        else:
            found[row["breakdownType"]] = row["breakdownAmount"]["currencyAmount"]
    return found


def by_order(amazon, order_id, **query):
    """Return the transactions of one order."""
    return amazon.transactions(
        relatedIdentifierName="ORDER_ID", relatedIdentifierValue=order_id, **query
    )


def test_refund_appears_after_the_delay_with_negative_amounts(simulator, amazon, run):
    run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="39.95", Shipping="4.99"))
    executed = simulator.ledger()["refunds"][0]["executed_at"]
    assert amazon.events(SHIPPED, "RefundEventList") == []
    assert [row["transactionType"] for row in by_order(amazon, SHIPPED)] == ["Shipment"]
    simulator.advance(FINANCE_DELAY_SECONDS)
    (event,) = amazon.events(SHIPPED, "RefundEventList")
    assert charges(event) == {"Principal": -39.95, "ShippingCharge": -4.99}
    item = event["ShipmentItemAdjustmentList"][0]
    assert item["SellerSKU"] == "NW-KESSEL-12-SW"
    assert item["OrderAdjustmentItemId"] != SHIPPED_ITEM
    assert "OrderItemId" not in item
    # posted when it happened, although nobody could see it then
    assert event["PostedDate"][:16] == executed[:16]
    row = by_order(amazon, SHIPPED)[-1]
    assert (row["transactionType"], row["description"]) == ("Refund", "Refund Order")
    assert row["transactionStatus"] == "RELEASED"
    names = {x["relatedIdentifierName"] for x in row["relatedIdentifiers"]}
    assert names == {"ORDER_ID", "REFUND_ID"}
    amounts = leaves(row["items"][0]["breakdowns"])
    assert amounts["OurPricePrincipal"] == -39.95
    assert amounts["ShippingPrincipal"] == -4.99
    assert row["totalAmount"]["currencyAmount"] == pytest.approx(sum(amounts.values()))


def test_gift_wrap_has_the_finances_own_name_and_vat_stands_apart(
    simulator, amazon, run
):
    run(REFUND, refund(MUGS, MUG, Principal="51.96", GiftWrap="9.80"))
    simulator.advance(FINANCE_DELAY_SECONDS)
    (event,) = amazon.events(MUGS, "RefundEventList")
    found = charges(event)
    assert set(found) == {"Principal", "Tax", "Giftwrap", "GiftwrapTax"}
    assert found["Principal"] + found["Tax"] == pytest.approx(-51.96)
    assert found["Giftwrap"] + found["GiftwrapTax"] == pytest.approx(-9.80)
    assert found["Tax"] == pytest.approx(-8.30)


def test_shipment_event_shows_what_was_charged(amazon):
    (event,) = amazon.events("202-5540973-4417536", "ShipmentEventList")
    (item,) = event["ShipmentItemList"]
    found = {
        row["ChargeType"]: row["ChargeAmount"]["CurrencyAmount"]
        for row in item["ItemChargeList"]
    }
    assert found == {"Principal": 49.99, "ShippingCharge": 3.49}
    assert item["PromotionList"] == [
        {
            "PromotionType": "PromotionMetaDataDefinitionValue",
            "PromotionId": "NORDLICHT-AUTUMN-5",
            "PromotionAmount": {"CurrencyCode": "GBP", "CurrencyAmount": -5.0},
        }
    ]


def test_each_promotion_has_its_own_id(amazon):
    (event,) = amazon.events("305-4402178-6613095", "ShipmentEventList")
    (item,) = event["ShipmentItemList"]
    assert {
        row["PromotionId"]: row["PromotionAmount"]["CurrencyAmount"]
        for row in item["PromotionList"]
    } == {"NORDLICHT-HERBST-10": -8.99, "DE-FREE-SHIPPING": -4.99}


def test_claims_are_a_list_of_their_own(amazon):
    order_id = "203-9981462-3306718"
    (event,) = amazon.events(order_id, "GuaranteeClaimEventList")
    assert charges(event) == {"Principal": -32.5, "ShippingCharge": -3.49}
    assert amazon.events(order_id, "RefundEventList") == []


def test_chargebacks_are_a_list_of_their_own(simulator, amazon):
    simulator.add_order(
        {
            "id": "302-5555555-5555555",
            "marketplace": "DE",
            "status": "shipped",
            "items": [
                {"id": "111111111111111", "sku": "s", "asin": "B000000000"}
                | {"title": "t", "price": "10.00"}
            ],
            "chargeback": [
                {"when": "1 hour ago", "items": {"111111111111111": {"Principal": 10}}}
            ],
        }
    )
    (event,) = amazon.events("302-5555555-5555555", "ChargebackEventList")
    assert charges(event) == {"Principal": -10.0}


def test_events_of_an_unknown_order_are_empty_and_a_bad_number_is_refused(amazon):
    assert amazon.events("302-0000000-0000000", "ShipmentEventList") == []
    answer = amazon.get("/finances/v0/orders/BAD-ORDER/financialEvents")
    assert answer.status_code == 400


def test_events_come_in_pages_with_the_same_arguments(simulator, amazon, run):
    run(REFUND, *[refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")] * 4)
    simulator.advance(FINANCE_DELAY_SECONDS)
    path = f"/finances/v0/orders/{SHIPPED}/financialEvents"
    page = amazon.get(path, MaxResultsPerPage=2).json()["payload"]
    assert amazon.get(path, NextToken=page["NextToken"]).status_code == 400
    found = 0
    while True:
        lists = page["FinancialEvents"].values()
        assert sum(map(len, lists)) <= 2
        found += len(page["FinancialEvents"]["RefundEventList"])
        if "NextToken" not in page:
            break
        query = {"MaxResultsPerPage": 2, "NextToken": page["NextToken"]}
        page = amazon.get(path, **query).json()["payload"]
    assert found == 4


def related(row):
    """Return the related identifiers of a transaction by name."""
    return {
        entry["relatedIdentifierName"]: entry["relatedIdentifierValue"]
        for entry in row["relatedIdentifiers"]
    }


def test_deferred_money_shows_as_deferred_and_not_at_all_in_v0(simulator):
    american = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    order_id, item_id = "112-3957204-8816273", "147645420371108"
    american.submit(
        REFUND, refund(order_id, item_id, "USD", Principal="1.00"), marketplaces=[US]
    )
    simulator.advance(60 + FINANCE_DELAY_SECONDS)
    row = by_order(american, order_id)[-1]
    assert row["transactionStatus"] == "DEFERRED"
    assert row["contexts"][0]["contextType"] == "DeferredContext"
    assert american.events(order_id, "RefundEventList") == []
    simulator.advance(7 * 24 * 3600)
    american.access_token = american.login().json()["access_token"]
    row, release = (
        row
        for row in by_order(american, order_id)
        if row["transactionType"] == "Refund"
    )
    assert row["transactionStatus"] == "DEFERRED_RELEASED"
    assert related(row)["RELEASE_TRANSACTION_ID"] == release["transactionId"]
    assert release["transactionStatus"] == "RELEASED"
    assert related(release)["DEFERRED_TRANSACTION_ID"] == row["transactionId"]
    assert release["postedDate"] > row["postedDate"]
    assert release["items"] == row["items"]
    assert len(american.events(order_id, "RefundEventList")) == 1


def test_transactions_by_range(simulator, amazon, run):
    start = simulator.now()
    run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="1.00"))
    simulator.advance(FINANCE_DELAY_SECONDS + 130)
    (row,) = amazon.transactions(postedAfter=start)
    assert row["transactionType"] == "Refund"
    assert amazon.transactions(postedAfter=ago(days=400), postedBefore=start) == []
    british = amazon.transactions(postedAfter=ago(days=90), marketplaceId=GB)
    assert {row["marketplaceDetails"]["marketplaceId"] for row in british} == {GB}
    refunds = amazon.transactions(postedAfter=ago(days=90))
    days = [row["postedDate"] for row in refunds]
    assert days == sorted(days)


def test_last_two_minutes_are_left_out_of_a_range(simulator, amazon):
    simulator.reset(processing_seconds=0, finance_delay_seconds=0)
    start = simulator.now()
    simulator.advance(130)
    amazon.submit(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="1.00"))
    assert amazon.transactions(postedAfter=start) == []
    assert len(by_order(amazon, SHIPPED)) == 2
    simulator.advance(130)
    assert len(amazon.transactions(postedAfter=start)) == 1


def test_marketplace_filter_loses_merchant_orders_of_the_united_states(simulator):
    american = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    assert american.transactions(postedAfter=ago(days=90))
    assert american.transactions(postedAfter=ago(days=90), marketplaceId=US) == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"relatedIdentifierName": "ORDER_ID"},
        {"relatedIdentifierValue": SHIPPED},
        {"relatedIdentifierName": "REFUND_ID", "relatedIdentifierValue": "1"},
        {"postedAfter": ago(seconds=30)},
        {"postedAfter": ago(days=2), "postedBefore": ago(seconds=30)},
        {"postedAfter": ago(days=2), "postedBefore": ago(days=3)},
        {"postedAfter": ago(days=2), "transactionStatus": "Released"},
        {"postedAfter": ago(days=2), "marketplaceIds": GB},
        {"postedAfter": ago(days=2), "nextToken": "made-up"},
    ],
)
def test_transactions_refuse_what_the_model_forbids(amazon, query):
    answer = amazon.get(TRANSACTIONS, **query)
    assert answer.status_code == 400, answer.text


def test_transactions_come_in_pages_with_the_same_arguments(simulator, amazon):
    item = {"id": "111111111111111", "sku": "s", "asin": "B000000000", "title": "t"}
    for number in range(110):
        simulator.add_order(
            {
                "id": f"302-3333333-{number:07d}",
                "marketplace": "DE",
                "status": "shipped",
                "purchased": "2 days ago",
                "items": [item | {"price": "10.00"}],
            }
        )
    query = {"postedAfter": ago(days=3)}
    first = amazon.get(TRANSACTIONS, **query).json()["payload"]
    assert len(first["transactions"]) == 100
    token = first["nextToken"]
    other = amazon.get(TRANSACTIONS, postedAfter=ago(days=4), nextToken=token)
    assert other.status_code == 400
    second = amazon.get(TRANSACTIONS, nextToken=token, **query).json()["payload"]
    ids = [
        row["transactionId"] for page in (first, second) for row in page["transactions"]
    ]
    assert len(ids) == len(set(ids)) >= 110
