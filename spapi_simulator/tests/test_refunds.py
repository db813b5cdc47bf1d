"""What a refund feed does: the ledger is exact to the cent."""

from decimal import Decimal

import pytest

from .amazon import (
    DE,
    ES,
    FR,
    GB,
    JP,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    US,
    Amazon,
    adjustment,
    components,
    refund,
    refund_with_promotions,
)
from .conftest import FINANCE_DELAY_SECONDS

MUGS = "305-2260917-9913547"
MUG, SIEVE = "147645420375120", "147645420375121"
PROMO, PROMO_ITEM = "202-5540973-4417536", "147645420377301"
TAXED, TAXED_ITEM = "202-1735509-6648827", "147645420377523"
AMERICAN, AMERICAN_ITEM = "112-3957204-8816273", "147645420371108"
BOWLS, BOWL = "305-4402178-6613095", "147645420375677"
JAPANESE, JAPANESE_ITEM = "250-6184470-7729031", "147645420372219"


@pytest.fixture
def american(simulator):
    """The client of the seller in the US."""
    return Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")


@pytest.fixture
def japanese(simulator):
    """The client of the seller in Japan."""
    return Amazon(simulator.url, "ADEMOSELLER03", "Atzr|demo-refresh-token-jp")


def shipped_order(order_id, *item_ids, **changes):
    """Return an order of 10.00 an item, for the control endpoint."""
    items = [
        {"id": item_id, "sku": item_id, "asin": "B000000000", "title": "t"}
        | {"price": "10.00"}
        for item_id in item_ids
    ]
    order = {"id": order_id, "marketplace": "DE", "status": "shipped", "items": items}
    return order | changes


def test_full_refund_is_in_the_ledger_component_by_component(simulator, run):
    feed = run(
        REFUND,
        refund(SHIPPED, SHIPPED_ITEM, "EUR", "a-1", Principal="39.95", Shipping="4.99"),
    )
    assert feed == (1, {})
    (row,) = simulator.ledger()["refunds"]
    assert row["feed_id"] == simulator.ledger()["feeds"][0]["feed_id"]
    assert {key: row[key] for key in sorted(row) if key != "executed_at"} == {
        "amount": "44.94",
        "components": {"Principal": "39.95", "Shipping": "4.99"},
        "currency": "EUR",
        "feed_id": row["feed_id"],
        "merchant_adjustment_item_id": "a-1",
        "message_id": 1,
        "order_id": SHIPPED,
        "order_item_id": SHIPPED_ITEM,
        "reason": "CustomerReturn",
    }


def test_every_cent_can_be_refunded_once_and_not_one_more(simulator, run):
    parts = ["0.01", "39.93", "0.01"]
    messages = [refund(SHIPPED, SHIPPED_ITEM, Principal=part) for part in parts]
    assert run(REFUND, *messages) == (3, {})
    processed, results = run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="0.01"))
    assert list(results) == [1]
    assert results[1][0] == "18028" and "39.95" in results[1][1]
    rows = simulator.ledger()["refunds"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("39.95")


def test_same_feed_twice_shows_as_two_refunds(simulator, run):
    message = refund(SHIPPED, SHIPPED_ITEM, Principal="10.00")
    run(REFUND, message)
    run(REFUND, message)
    assert [row["amount"] for row in simulator.ledger()["refunds"]] == ["10.00"] * 2


def test_order_does_not_show_that_it_was_refunded(amazon, run):
    before = amazon.order(SHIPPED)
    run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="39.95", Shipping="4.99"))
    assert amazon.order(SHIPPED) == before


@pytest.mark.parametrize(
    ("name", "order_id", "item_id", "markets", "amounts"),
    [
        ("above the item", SHIPPED, SHIPPED_ITEM, [DE], {"Principal": "39.96"}),
        ("above shipping", SHIPPED, SHIPPED_ITEM, [DE], {"Shipping": "5.00"}),
        ("never charged", SHIPPED, SHIPPED_ITEM, [DE], {"GiftWrap": "0.01"}),
        ("goodwill above all", SHIPPED, SHIPPED_ITEM, [DE], {"Goodwill": "44.95"}),
        ("nothing", SHIPPED, SHIPPED_ITEM, [DE], {"Principal": "0.00"}),
        ("a charge", SHIPPED, SHIPPED_ITEM, [DE], {"Principal": "-1.00"}),
        (
            "half is back",
            "304-8830155-1274690",
            "147645420375233",
            [DE],
            {"Principal": "59.51"},
        ),
        (
            "all is back",
            "402-3378105-8841269",
            "147645420376215",
            [FR],
            {"Shipping": "0.01"},
        ),
        (
            "claim was paid",
            "203-9981462-3306718",
            "147645420377412",
            [GB],
            {"Principal": "0.01"},
        ),
        ("promotion", PROMO, PROMO_ITEM, [GB], {"Principal": "45.00"}),
        ("gross", TAXED, TAXED_ITEM, [GB], {"Principal": "60.01"}),
        (
            "unknown order",
            "302-0000000-0000000",
            SHIPPED_ITEM,
            [DE],
            {"Principal": "1"},
        ),
        ("unknown item", SHIPPED, "999999999999999", [DE], {"Principal": "1"}),
        ("item of another order", SHIPPED, MUG, [DE], {"Principal": "1"}),
        ("other marketplace", SHIPPED, SHIPPED_ITEM, [FR], {"Principal": "1"}),
        ("unshipped", UNSHIPPED, UNSHIPPED_ITEMS[0], [DE], {"Principal": "1"}),
        ("pending", "302-9057741-6620389", "147645420375344", [DE], {"Principal": "1"}),
        (
            "cancelled",
            "408-2294871-5503946",
            "147645420378604",
            ["A1RKKUPIHCS9HS"],
            {"Principal": "1"},
        ),
        (
            "FBA",
            "406-7753190-2268415",
            "147645420378715",
            ["A1RKKUPIHCS9HS"],
            {"Principal": "1"},
        ),
        ("MCF", "S02-4417308-1920563", "147645420379001", [DE], {"Principal": "1"}),
        (
            "not shipped item",
            "404-6612388-0457172",
            "147645420376102",
            [FR],
            {"Principal": "1"},
        ),
    ],
)
def test_refund_that_amazon_would_refuse(
    simulator, run, name, order_id, item_id, markets, amounts
):
    currency = "GBP" if markets == [GB] else "EUR"
    message = refund(order_id, item_id, currency, **amounts)
    processed, results = run(REFUND, message, marketplaces=markets)
    assert processed == 1 and list(results) == [1], name
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize(
    ("order_id", "item_id", "markets", "amounts"),
    [
        (SHIPPED, SHIPPED_ITEM, [DE], {"Goodwill": "44.94"}),
        ("304-8830155-1274690", "147645420375233", [DE], {"Principal": "59.50"}),
        (PROMO, PROMO_ITEM, [GB], {"Principal": "44.99"}),
        (TAXED, TAXED_ITEM, [GB], {"Principal": "60.00", "Shipping": "3.50"}),
        ("404-6612388-0457172", "147645420376101", [FR], {"Principal": "29.90"}),
        (MUGS, MUG, [DE], {"Principal": "51.96", "GiftWrap": "9.80"}),
        (SHIPPED, SHIPPED_ITEM, [DE], {"Principal": "39.95", "RestockingFee": "-5"}),
    ],
)
def test_refund_up_to_what_was_charged_is_accepted(
    simulator, run, order_id, item_id, markets, amounts
):
    currency = "GBP" if markets == [GB] else "EUR"
    message = refund(order_id, item_id, currency, **amounts)
    assert run(REFUND, message, marketplaces=markets) == (1, {})
    (row,) = simulator.ledger()["refunds"]
    assert Decimal(row["amount"]) == sum(map(Decimal, amounts.values()))


# === PROMOTIONS AND FEES === #


def test_promotion_may_be_taken_off_in_its_own_element(simulator, run):
    message = refund_with_promotions(
        PROMO, PROMO_ITEM, "GBP", {"Principal": "49.99"}, {"Principal": "-5.00"}
    )
    assert run(REFUND, message, marketplaces=[GB]) == (1, {})
    (row,) = simulator.ledger()["refunds"]
    assert row["amount"] == "44.99"
    assert row["components"] == {"Principal": "49.99"}
    assert row["promotions"] == {"Principal": "-5.00"}


def test_promotions_on_item_and_shipping_are_taken_off_apart(simulator, run):
    message = refund_with_promotions(
        BOWLS,
        BOWL,
        "EUR",
        {"Principal": "89.85", "Shipping": "4.99"},
        {"Principal": "-8.99", "Shipping": "-4.99"},
    )
    assert run(REFUND, message) == (1, {})
    (row,) = simulator.ledger()["refunds"]
    assert row["amount"] == "80.86"


@pytest.mark.parametrize(
    ("principal", "promotion", "refused"),
    [
        ("29.95", "-3.00", False),  # a third, rounded to the cent either way
        ("29.95", "-2.99", False),
        ("29.95", "-3.01", True),
        ("89.85", "-8.99", False),
        ("89.85", "-9.00", True),
        ("89.85", "-8.98", True),  # one cent more than was paid
        ("50.00", "0.01", True),
        ("8.99", "-8.99", True),
    ],
)
def test_promotion_is_taken_off_in_proportion_at_most(
    run, principal, promotion, refused
):
    message = refund_with_promotions(
        BOWLS, BOWL, "EUR", {"Principal": principal}, {"Principal": promotion}
    )
    assert bool(run(REFUND, message)[1]) == refused


def test_parts_with_their_promotions_add_up_to_what_was_paid(simulator, run):
    part = {"Principal": "29.95"}, {"Principal": "-3.00"}
    last = {"Principal": "29.95"}, {"Principal": "-2.99"}
    over = {"Principal": "0.01"}, {"Principal": "0.00"}
    messages = [
        refund_with_promotions(BOWLS, BOWL, "EUR", *row)
        for row in (part, part, last, over)
    ]
    processed, results = run(REFUND, *messages)
    assert (processed, list(results)) == (4, [4])
    rows = simulator.ledger()["refunds"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("80.86")


def test_promotion_that_was_never_given_cannot_be_taken_off(run):
    message = refund_with_promotions(
        SHIPPED, SHIPPED_ITEM, "EUR", {"Principal": "10.00"}, {"Principal": "-0.01"}
    )
    assert "promotion" in run(REFUND, message)[1][1][1]


def test_finances_show_promotions_and_fees_apart(simulator, amazon, run):
    message = refund_with_promotions(
        BOWLS,
        BOWL,
        "EUR",
        {"Principal": "89.85", "RestockingFee": "-10.00"},
        {"Principal": "-8.99"},
    )
    assert run(REFUND, message) == (1, {})
    assert simulator.ledger()["refunds"][0]["amount"] == "70.86"
    simulator.advance(FINANCE_DELAY_SECONDS)
    (event,) = amazon.events(BOWLS, "RefundEventList")
    (item,) = event["ShipmentItemAdjustmentList"]
    charges = {
        row["ChargeType"]: row["ChargeAmount"]["CurrencyAmount"]
        for row in item["ItemChargeAdjustmentList"]
    }
    assert charges == {"Principal": -89.85, "RestockingFee": 10.0}
    (promotion,) = item["PromotionAdjustmentList"]
    assert promotion["PromotionAmount"]["CurrencyAmount"] == 8.99
    row = amazon.transactions(
        relatedIdentifierName="ORDER_ID", relatedIdentifierValue=BOWLS
    )[-1]
    groups = {
        group["breakdownType"]: group["breakdownAmount"]["currencyAmount"]
        for group in row["items"][0]["breakdowns"]
    }
    assert groups["ProductCharges"] == -89.85
    assert groups["PromoRebates"] == 8.99
    assert groups["RestockingDeduction"] == 10.0
    assert row["totalAmount"]["currencyAmount"] == pytest.approx(sum(groups.values()))


@pytest.mark.parametrize(
    "amounts",
    [
        {"Principal": "5.00", "RestockingFee": "-5.00"},
        {"Principal": "5.00", "RestockingFee": "-5.01"},
        {"Principal": "5.00", "RestockingFee": "1.00"},
        {"Principal": "5.00", "Shipping": "-1.00"},
        {"Principal": "5.00", "Goodwill": "-1.00"},
        {"Principal": "5.00", "RestockingFee": "-1.00", "RestockingFeeTax": "-0.19"},
    ],
)
def test_only_a_fee_is_charged_and_something_is_left_for_the_buyer(
    simulator, run, amounts
):
    assert run(REFUND, refund(SHIPPED, SHIPPED_ITEM, **amounts))[1]
    assert simulator.ledger()["refunds"] == []


def test_quantity_of_a_refund_is_kept(simulator, run):
    message = refund(BOWLS, BOWL, Principal="29.95").replace(
        "</AdjustedItem>", "<Quantity>1</Quantity></AdjustedItem>"
    )
    run(REFUND, message)
    assert simulator.ledger()["refunds"][0]["quantity"] == 1


def test_orders_fulfilled_by_amazon_are_refunded_where_the_switch_says_so(
    simulator, run
):
    message = refund("406-7753190-2268415", "147645420378715", Principal="5.00")
    _, results = run(REFUND, message, marketplaces=[ES])
    assert "Amazon Customer Service" in results[1][1]
    simulator.change(fba_refunds=True)
    assert run(REFUND, message, marketplaces=[ES]) == (1, {})
    assert simulator.ledger()["executed"]["refunds"] == 1


def test_goodwill_and_principal_share_what_was_charged(simulator, run):
    run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Goodwill="10.00"))
    _, results = run(
        REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="39.95", Shipping="4.99")
    )
    assert list(results) == [1]
    assert [row["amount"] for row in simulator.ledger()["refunds"]] == ["10.00"]


def test_currency_must_be_the_orders(simulator, run):
    _, results = run(REFUND, refund(SHIPPED, SHIPPED_ITEM, "USD", Principal="1.00"))
    assert "USD" in results[1][1]
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize(("quantity", "refused"), [(4, False), (5, True)])
def test_quantity_is_limited_by_what_was_shipped(run, quantity, refused):
    message = refund(MUGS, MUG, Principal="1.00").replace(
        "</AdjustedItem>", f"<Quantity>{quantity}</Quantity></AdjustedItem>"
    )
    _, results = run(REFUND, message)
    assert [code for code, _ in results.values()] == (["18021"] if refused else [])


def test_quantity_does_not_multiply_the_amount(simulator, run):
    message = refund(MUGS, MUG, Principal="25.98").replace(
        "</AdjustedItem>", "<Quantity>2</Quantity></AdjustedItem>"
    )
    run(REFUND, message)
    assert simulator.ledger()["refunds"][0]["amount"] == "25.98"


def test_return_shipping_is_taken_and_ignored(simulator, run):
    assert run(REFUND, refund(SHIPPED, SHIPPED_ITEM, ReturnShipping="5.00")) == (1, {})
    assert simulator.ledger()["refunds"] == []


# === TAX === #


@pytest.mark.parametrize("kind", ["Tax", "ShippingTax"])
def test_tax_component_is_refused_where_prices_include_tax(simulator, run, kind):
    message = refund(TAXED, TAXED_ITEM, "GBP", Principal="10.00", **{kind: "0.10"})
    _, results = run(REFUND, message, marketplaces=[GB])
    assert "tax or shipping tax is not eligible" in results[1][1]
    assert simulator.ledger()["refunds"] == []


def test_japan_takes_the_gross_amount_and_no_tax(simulator, japanese, run):
    tax = refund(JAPANESE, JAPANESE_ITEM, "JPY", Principal="5436", Tax="544")
    decimals = refund(JAPANESE, JAPANESE_ITEM, "JPY", Principal="10.50")
    gross = refund(JAPANESE, JAPANESE_ITEM, "JPY", Principal="5980", COD="330")
    processed, results = run(
        REFUND, tax, decimals, gross, client=japanese, marketplaces=[JP]
    )
    assert (processed, sorted(results)) == (3, [1, 2])
    (row,) = simulator.ledger()["refunds"]
    assert row["components"] == {"Principal": "5980", "COD": "330"}
    assert (row["amount"], row["currency"]) == ("6310", "JPY")


def test_united_states_take_tax_apart(simulator, american, run):
    good = refund(
        AMERICAN, AMERICAN_ITEM, "USD", Principal="44.99", Tax="3.71", Shipping="5.99"
    )
    over = refund(AMERICAN, AMERICAN_ITEM, "USD", ShippingTax="0.50")
    gross = refund(AMERICAN, AMERICAN_ITEM, "USD", Principal="0.49")
    processed, results = run(
        REFUND, good, over, gross, client=american, marketplaces=[US]
    )
    assert (processed, sorted(results)) == (3, [2, 3])
    assert simulator.ledger()["refunds"][0]["amount"] == "54.69"


def test_united_states_take_gift_wrap_tax_and_the_tax_of_a_fee(
    simulator, american, run
):
    kettle, item = "112-8840127-3305918", "147645420371219"
    good = refund(
        kettle,
        item,
        "USD",
        Principal="89.98",
        Tax="7.42",
        GiftWrapTax="0.66",
        RestockingFee="-9.00",
        RestockingFeeTax="-0.74",
    )
    over = refund(kettle, item, "USD", ShippingTax="0.75")
    _, results = run(REFUND, good, over, client=american, marketplaces=[US])
    assert list(results) == [2]
    assert simulator.ledger()["refunds"][0]["amount"] == "88.32"


def test_yen_with_a_promotion(simulator, japanese, run):
    cups, item = "250-7731906-4482015", "147645420372330"
    third = {"Principal": "1980"}, {"Principal": "-100"}
    over = {"Principal": "3960"}, {"Principal": "-201"}
    messages = [
        refund_with_promotions(cups, item, "JPY", *row) for row in (third, over)
    ]
    _, results = run(REFUND, *messages, client=japanese, marketplaces=[JP])
    assert list(results) == [2]
    assert simulator.ledger()["refunds"][0]["amount"] == "1880"


# === ATOMICITY === #


def test_message_with_one_bad_item_refunds_none_of_its_items(simulator, run):
    def item(item_id, amount):
        prices = components(Principal=amount)
        return (
            f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
            "<AdjustmentReason>Other</AdjustmentReason>"
            f"<ItemPriceAdjustments>{prices}</ItemPriceAdjustments>"
        )

    bad = adjustment(MUGS, item(MUG, "51.96"), item(SIEVE, "11.50"))
    _, results = run(REFUND, bad)
    assert list(results) == [1]
    assert simulator.ledger()["refunds"] == []
    good = adjustment(MUGS, item(MUG, "51.96"), item(SIEVE, "11.49"))
    assert run(REFUND, good) == (1, {})
    assert [row["amount"] for row in simulator.ledger()["refunds"]] == [
        "51.96",
        "11.49",
    ]


def test_same_item_twice_in_one_message_counts_twice(simulator, run):
    item = refund(SHIPPED, SHIPPED_ITEM, Principal="20.00")
    inner = item[item.index("<AdjustedItem>") : item.index("</OrderAdjustment>")]
    message = item.replace(inner, inner + inner)
    _, results = run(REFUND, message)
    assert list(results) == [1]
    assert simulator.ledger()["refunds"] == []


def test_many_messages_for_many_orders_in_one_feed(simulator, run):
    order_ids = [f"302-1111111-{number:07d}" for number in range(200)]
    for order_id in order_ids:
        simulator.add_order(shipped_order(order_id, "111111111111111"))
    messages = [
        refund(order_id, "111111111111111", Principal="10.00") for order_id in order_ids
    ]
    assert run(REFUND, *messages) == (200, {})
    rows = simulator.ledger()["refunds"]
    assert [row["order_id"] for row in rows] == order_ids
    assert {row["amount"] for row in rows} == {"10.00"}


def test_line_shipped_in_part_was_charged_in_part(simulator, run):
    order = shipped_order("302-2222222-2222222", "111111111111111")
    order["status"] = "partially shipped"
    order["items"][0] |= {"quantity": 3, "quantity_shipped": 2, "price": "10.00"}
    simulator.add_order(order)
    over = refund(order["id"], "111111111111111", Principal="6.67")
    good = refund(order["id"], "111111111111111", Principal="6.66")
    processed, results = run(REFUND, over, good)
    assert (processed, list(results)) == (2, [1])
