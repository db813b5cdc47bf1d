"""Reading an order of Amazon."""

import copy
import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from spapi.errors import MalformedAnswer
from spapi.orders import parse_order

SEED = 20261121  # of all generated examples below

DE, US = "A1PA6795UKMFR9", "ATVPDKIKX0DER"


def money(amount, currency="EUR"):
    return {"amount": amount, "currencyCode": currency}


def breakdown(kind, amount, currency="EUR", **details):
    """One row of proceeds; details as ITEM="1.00"."""
    row = {"type": kind, "subtotal": money(amount, currency)}
    if details:
        row["detailedBreakdowns"] = [
            {"subtype": subtype, "value": money(value, currency)}
            for subtype, value in details.items()
        ]
    return row


def item(*breakdowns, total=None, **parts):
    proceeds = {"breakdowns": list(breakdowns)}
    if total:
        proceeds["proceedsTotal"] = total
    return {
        "orderItemId": "123456789012345",
        "quantityOrdered": 3,
        "product": {"asin": "B0", "title": "Kettle", "sellerSku": "SKU-1"},
        "proceeds": proceeds,
        "fulfillment": {"quantityFulfilled": 2, "quantityUnfulfilled": 1},
        **parts,
    }


def order(*items, marketplace=DE, **parts):
    return {
        "orderId": "302-1234567-1234567",
        "createdTime": "2026-11-01T10:00:00Z",
        "lastUpdatedTime": "2026-11-02T11:30:15.123Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace},
        "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"},
        "orderItems": list(items or [item(breakdown("ITEM", "30.00"))]),
        **parts,
    }


def charges(*breakdowns, marketplace=DE, total=None):
    read = parse_order(order(item(*breakdowns, total=total), marketplace=marketplace))
    return {name: str(amount) for name, amount in read.lines[0].charges.items()}


def test_an_order_is_read():
    read = parse_order(order())
    assert read.order_id == "302-1234567-1234567"
    assert (read.marketplace_id, read.status, read.channel) == (DE, "SHIPPED", "fbm")
    assert read.currency == "EUR"
    assert read.purchase_date == datetime(2026, 11, 1, 10, tzinfo=timezone.utc)
    assert read.last_update == datetime(2026, 11, 2, 11, 30, 15, tzinfo=timezone.utc)
    (line,) = read.lines
    assert (line.order_item_id, line.sku, line.asin) == (
        "123456789012345",
        "SKU-1",
        "B0",
    )
    assert (line.title, line.quantity_ordered, line.quantity_fulfilled) == (
        "Kettle",
        3,
        2,
    )
    assert line.charges == {"Principal": Decimal("30.00")}
    assert not read.cancel_requested and read.cancelled_by == ""


def test_each_kind_of_charge_becomes_its_component():
    assert charges(
        breakdown("ITEM", "30.00"),
        breakdown("SHIPPING", "4.99"),
        breakdown("GIFT_WRAP", "2.50"),
        breakdown("COD_FEE", "1.00"),
    ) == {"Principal": "30.00", "Shipping": "4.99", "GiftWrap": "2.50"}


@pytest.mark.parametrize("sign", ["", "-"])
def test_discounts_are_taken_off_whatever_their_sign(sign):
    assert charges(
        breakdown("ITEM", "30.00"),
        breakdown("SHIPPING", "4.99"),
        breakdown(
            "DISCOUNT", sign + "7.99", ITEM=sign + "3.00", SHIPPING=sign + "4.99"
        ),
    ) == {"Principal": "27.00"}


def test_a_discount_without_details_belongs_to_the_item():
    found = charges(breakdown("ITEM", "30.00"), breakdown("DISCOUNT", "5.00"))
    assert found == {"Principal": "25.00"}


def test_a_discount_bigger_than_the_price_leaves_no_charge():
    assert charges(breakdown("ITEM", "5.00"), breakdown("DISCOUNT", "9.00")) == {}


# === discounts === #


def prices(*breakdowns, **options):
    """Charges and discounts of a line, as text."""
    marketplace = options.pop("marketplace", DE)
    read = parse_order(order(item(*breakdowns, **options), marketplace=marketplace))
    (line,) = read.lines
    return tuple(
        {name: str(amount) for name, amount in amounts.items()}
        for amounts in (line.charges, line.discounts)
    )


@pytest.mark.parametrize("sign", ["", "-"])
def test_what_discounts_took_off_stands_beside_the_net_charges(sign):
    assert prices(
        breakdown("ITEM", "30.00"),
        breakdown("SHIPPING", "4.99"),
        breakdown(
            "DISCOUNT", sign + "7.99", ITEM=sign + "3.00", SHIPPING=sign + "4.99"
        ),
    ) == ({"Principal": "27.00"}, {"Principal": "3.00", "Shipping": "4.99"})


def test_a_discount_without_details_is_one_of_the_item():
    rows = breakdown("ITEM", "30.00"), breakdown("DISCOUNT", "5.00")
    assert prices(*rows) == ({"Principal": "25.00"}, {"Principal": "5.00"})


def test_a_discount_takes_off_no_more_than_the_price():
    rows = breakdown("ITEM", "5.00"), breakdown("DISCOUNT", "9.00")
    assert prices(*rows) == ({}, {"Principal": "5.00"})


def test_without_a_discount_there_is_none():
    assert prices(breakdown("ITEM", "5.00"))[1] == {}


def test_a_discount_of_the_gift_wrap_cannot_be_offset_and_is_left_out():
    """The refund feed has promotions of Principal and Shipping only."""
    assert prices(
        breakdown("ITEM", "5.00"),
        breakdown("GIFT_WRAP", "3.00"),
        breakdown("DISCOUNT", "1.00", GIFT_WRAP="1.00"),
    ) == ({"Principal": "5.00", "GiftWrap": "2.00"}, {})


def test_a_discount_is_one_before_tax_where_the_tax_is_separate():
    rows = (
        breakdown("ITEM", "30.00", "USD"),
        breakdown("TAX", "2.00", "USD", ITEM="2.40", DISCOUNT="0.40"),
        breakdown("DISCOUNT", "5.00", "USD", ITEM="5.00"),
    )
    assert prices(*rows, marketplace=US) == (
        {"Principal": "25.00", "Tax": "2.00"},
        {"Principal": "5.00"},
    )


_CENTS = st.integers(0, 10**6).map(lambda cents: Decimal(cents).scaleb(-2))


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(_CENTS, _CENTS, _CENTS, _CENTS, st.sampled_from([DE, US]))
def test_net_charges_and_discounts_add_up_to_the_prices(
    price, postage, off_price, off_postage, marketplace
):
    details = {"ITEM": str(off_price), "SHIPPING": str(off_postage)}
    read = parse_order(
        order(
            item(
                breakdown("ITEM", str(price)),
                breakdown("SHIPPING", str(postage)),
                breakdown("DISCOUNT", str(off_price + off_postage), **details),
            ),
            marketplace=marketplace,
        )
    )
    (line,) = read.lines
    for component, before in (("Principal", price), ("Shipping", postage)):
        net = line.charges.get(component, Decimal(0))
        assert net + line.discounts.get(component, Decimal(0)) == before
    amounts = [*line.charges.values(), *line.discounts.values()]
    assert all(amount > 0 for amount in amounts)


def test_promotions_are_named_once_each():
    rows = [{"promotionId": name} for name in ("B", "A", None, "", "B")]
    read = parse_order(order(item(promotion={"breakdowns": rows})))
    assert read.lines[0].promotion_ids == ("B", "A")
    assert parse_order(order()).lines[0].promotion_ids == ()


# === packages === #


def package(reference="1", **parts):
    return {
        "packageReferenceId": reference,
        "carrier": "DHL",
        "trackingNumber": "T1",
        "shipTime": "2026-11-02T11:30:15.123Z",
        "packageStatus": {"status": "SHIPPED"},
        **parts,
    }


def test_packages_are_read():
    pending = package("2", shipTime=None, trackingNumber=None, carrier=None)
    read = parse_order(order(packages=[package(), pending]))
    shipped = datetime(2026, 11, 2, 11, 30, 15, tzinfo=timezone.utc)
    assert read.packages == (("1", "DHL", "T1", shipped), ("2", "", "", None))
    assert read.package_references == ("1", "2")


def test_a_cancelled_package_does_not_count_but_its_id_is_taken():
    gone = package("7", packageStatus={"status": "CANCELLED"})
    read = parse_order(order(packages=[gone, package("8", packageStatus=None)]))
    assert [entry.tracking_number for entry in read.packages] == ["T1"]
    assert read.package_references == ("7", "8")


def test_an_order_may_show_no_packages():
    read = parse_order(order())
    assert (read.packages, read.package_references) == ((), ())


@pytest.mark.parametrize("packages", ["x", [1], [{}], [package(shipTime="today")]])
def test_packages_of_another_form_are_malformed(packages):
    with pytest.raises(MalformedAnswer):
        parse_order(order(packages=packages))


def test_the_sellers_own_number_is_read_from_the_aliases():
    other = {"aliasId": "X-1", "aliasType": "ELSEWHERE"}
    own = {"aliasId": "S00042", "aliasType": "SELLER_ORDER_ID"}
    assert parse_order(order(orderAliases=[other, own])).seller_order_id == "S00042"
    assert parse_order(order(orderAliases=[other])).seller_order_id == ""
    assert parse_order(order()).seller_order_id == ""


def test_units_that_are_still_to_be_shipped_are_read_where_amazon_tells():
    assert parse_order(order()).lines[0].quantity_unfulfilled == 1
    silent = item(breakdown("ITEM", "1.00"), fulfillment={"quantityFulfilled": 0})
    assert parse_order(order(silent)).lines[0].quantity_unfulfilled is None


# === taxes === #


TAXED = (
    breakdown("ITEM", "30.00"),
    breakdown("SHIPPING", "4.00"),
    breakdown("TAX", "6.46", ITEM="5.70", SHIPPING="0.76"),
)


def test_where_prices_include_tax_there_is_no_component_for_it():
    assert charges(*TAXED) == {"Principal": "30.00", "Shipping": "4.00"}
    assert charges(*TAXED, total=money("34.00")) == {
        "Principal": "30.00",
        "Shipping": "4.00",
    }


def test_where_the_total_proves_the_tax_on_top_the_gross_is_shown():
    """As in Amazon's own example for the United Kingdom."""
    assert charges(*TAXED, total=money("40.46")) == {
        "Principal": "35.70",
        "Shipping": "4.76",
    }


def test_the_proof_of_tax_on_top_knows_discounts():
    rows = (*TAXED, breakdown("DISCOUNT", "-10.00", ITEM="-10.00"))
    assert charges(*rows, total=money("30.46"))["Principal"] == "25.70"
    assert charges(*rows, total=money("24.00"))["Principal"] == "20.00"


def test_where_prices_have_the_tax_on_top_it_has_components_of_its_own():
    rows = (
        breakdown("ITEM", "30.00", "USD"),
        breakdown("SHIPPING", "4.00", "USD"),
        breakdown("GIFT_WRAP", "2.00", "USD"),
        breakdown("TAX", "3.1", "USD", ITEM="2.4", SHIPPING="0.4", GIFT_WRAP="0.3"),
    )
    assert charges(*rows, marketplace=US) == {
        "Principal": "30.00",
        "Tax": "2.4",
        "Shipping": "4.00",
        "ShippingTax": "0.4",
        "GiftWrap": "2.00",
        "GiftWrapTax": "0.3",
    }


def test_the_tax_of_a_discount_is_taken_off_the_tax():
    rows = (
        breakdown("ITEM", "30.00", "USD"),
        breakdown("DISCOUNT", "10.00", "USD", ITEM="10.00"),
        breakdown("TAX", "2.00", "USD", ITEM="3.00", DISCOUNT="-1.00"),
    )
    found = charges(*rows, marketplace=US)
    assert found == {"Principal": "20.00", "Tax": "2.00"}


def test_amounts_are_exact_decimals():
    found = parse_order(order(item(breakdown("ITEM", "0.1"), breakdown("ITEM", "0.2"))))
    assert found.lines[0].charges["Principal"] == Decimal("0.3")


def test_a_pending_order_shows_no_prices_and_the_currency_of_its_marketplace():
    pending = order(item())
    pending["orderItems"][0].pop("proceeds")
    pending["fulfillment"]["fulfillmentStatus"] = "PENDING"
    read = parse_order(pending)
    assert (read.status, read.currency, read.lines[0].charges) == ("PENDING", "EUR", {})


def test_an_unknown_status_is_kept():
    fulfillment = {"fulfillmentStatus": "SOMETHING_NEW", "fulfilledBy": "AMAZON"}
    read = parse_order(order(fulfillment=fulfillment))
    assert (read.status, read.channel) == ("SOMETHING_NEW", "fba")


@pytest.mark.parametrize("marketplace", ["", None, US])
def test_an_order_from_outside_of_amazon_is_multi_channel(marketplace):
    channel = {"channelName": "NON_AMAZON", "marketplaceId": marketplace}
    fulfillment = {"fulfillmentStatus": "UNFULFILLABLE", "fulfilledBy": "AMAZON"}
    read = parse_order(order(salesChannel=channel, fulfillment=fulfillment))
    assert (read.channel, read.marketplace_id) == ("mcf", marketplace or "")


def test_an_unknown_marketplace_adds_no_tax():
    found = charges(*TAXED, marketplace="ANEWMARKETPLACE")
    assert found == {"Principal": "30.00", "Shipping": "4.00"}


def test_the_wish_of_the_buyer_to_cancel_is_read():
    wish = {"requester": "BUYER", "cancelReason": "Changed mind"}
    line = item(cancellation={"cancellationRequest": wish})
    read = parse_order(order(item(), line))
    assert read.cancel_requested
    assert [one.cancel_requested for one in read.lines] == [False, True]
    assert read.lines[1].cancel_reason == "Changed mind"
    assert read.cancelled_by == ""


@pytest.mark.parametrize(
    ("parties", "together"),
    [
        (["MERCHANT", "MERCHANT"], "MERCHANT"),
        (["BUYER"], "BUYER"),
        (["MERCHANT", "BUYER"], ""),
        (["MERCHANT", None], ""),
        (["SOMEBODY_NEW"], "SOMEBODY_NEW"),
    ],
)
def test_who_cancelled_is_named_when_it_is_one_alone(parties, together):
    lines = [
        item(
            cancellation={
                "cancellationExecution": {"cancelledBy": party, "cancelReason": "x"}
            }
        )
        if party
        else item()
        for party in parties
    ]
    assert parse_order(order(*lines)).cancelled_by == together


def test_tax_that_amazon_collects_is_marked():
    tax = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]}
    assert parse_order(order(item(tax=tax))).lines[0].tax_by_amazon
    assert not parse_order(order(item())).lines[0].tax_by_amazon


def test_nothing_about_the_buyer_is_read():
    full = order(buyer={"buyerName": "Erika"}, recipient={"deliveryAddress": {}})
    assert "Erika" not in repr(parse_order(full))


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("orderId", "orderId"),
        ("createdTime", "createdTime"),
        ("lastUpdatedTime", "lastUpdatedTime"),
        ("salesChannel", "salesChannel"),
        ("salesChannel.marketplaceId", "marketplaceId"),
        ("fulfillment", "fulfillment"),
        ("fulfillment.fulfillmentStatus", "fulfillmentStatus"),
        ("fulfillment.fulfilledBy", "fulfilledBy"),
        ("orderItems", "orderItems"),
        ("orderItems.0.orderItemId", "orderItemId"),
        ("orderItems.0.quantityOrdered", "quantityOrdered"),
        ("orderItems.0.product", "product"),
        ("orderItems.0.proceeds.breakdowns.0.subtotal", "subtotal of ITEM|proceeds"),
        ("orderItems.0.proceeds.breakdowns.0.subtotal.amount", "amount"),
        ("orderItems.0.proceeds.breakdowns.0.subtotal.currencyCode", "amount"),
    ],
)
@pytest.mark.parametrize("damage", ["absent", None, "", [], 7.5])
def test_a_missing_part_is_named_and_no_other_error_comes(path, named, damage):
    damaged = copy.deepcopy(order())
    *way, last = path.split(".")
    node = damaged
    for step in way:
        node = node[int(step)] if step.isdigit() else node[step]
    if damage == "absent":
        del node[last]
    else:
        node[last] = damage
    if path.endswith(".amount") and damage == 7.5:
        return  # a number instead of a text is good enough
    with pytest.raises(MalformedAnswer, match=named):
        parse_order(damaged)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "12,30", "1 000", True])
def test_an_amount_that_is_none_is_named(amount):
    with pytest.raises(MalformedAnswer, match="ITEM|proceeds"):
        parse_order(order(item(breakdown("ITEM", amount))))


def test_an_order_of_two_currencies_is_refused():
    with pytest.raises(MalformedAnswer, match="EUR.*USD"):
        parse_order(
            order(item(breakdown("ITEM", "1"), breakdown("SHIPPING", "1", "USD")))
        )


def _nodes(node, way=()):
    """The way to every part of a JSON value."""
    yield way
    if isinstance(node, dict | list):
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in pairs:
            yield from _nodes(child, (*way, key))


FULL = order(
    item(
        *TAXED,
        total=money("34.00"),
        tax={"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]},
        cancellation={
            "cancellationRequest": {"requester": "BUYER", "cancelReason": "x"},
            "cancellationExecution": {"cancelledBy": "BUYER", "cancelReason": "x"},
        },
    ),
    proceeds={"grandTotal": money("34.00")},
)
WAYS = [way for way in _nodes(FULL) if way]


@seed(SEED)
@settings(max_examples=500, deadline=None, database=None)
@given(
    st.sampled_from(WAYS),
    st.sampled_from([None, "", "x", 0, -1, 1.5, True, [], [1], {}, {"x": 1}, [[]]]),
)
def test_whatever_stands_in_any_place_is_read_or_said_to_be_malformed(way, junk):
    damaged = copy.deepcopy(FULL)
    node = damaged
    for step in way[:-1]:
        node = node[step]
    node[way[-1]] = junk
    try:
        read = parse_order(damaged)
    except MalformedAnswer:
        return
    assert all(amount > 0 for line in read.lines for amount in line.charges.values())


def test_the_examples_of_amazons_model_are_read(contract):
    model = json.loads((contract / "orders_2026-01-01.json").read_text())
    path = model["paths"]["/orders/2026-01-01/orders/{orderId}"]["get"]
    example = path["responses"]["200"]["examples"]["application/json"]["order"]
    read = parse_order(example)
    assert (read.channel, read.currency) == ("fbm", "GBP")
    assert read.lines[0].charges == {
        "Principal": Decimal("92.97"),
        "Shipping": Decimal("11.00"),
    }
    path = model["paths"]["/orders/2026-01-01/orders"]["get"]
    examples = path["responses"]["200"]["examples"]["application/json"]["orders"]
    (read,) = map(parse_order, examples)
    assert read.cancel_requested
    assert read.lines[0].charges == {
        "Principal": Decimal("99.98"),
        "Tax": Decimal("0.02"),
    }
