"""Reading the transactions of a range."""

import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from conftest import REPOSITORY
from spapi.client import SellerClient
from spapi.credentials import Credentials, Endpoint
from spapi.errors import MalformedAnswer
from spapi.finances import RefundEvent, parse_events
from spapi.marketplaces import MARKETPLACES, by_country
from spapi.transactions import parse_transactions

ORDER = "302-1234567-1234567"
DE, US = by_country("DE").id, by_country("US").id
POSTED = datetime(2026, 11, 3, 8, tzinfo=timezone.utc)


def money(amount, currency="EUR"):
    return {"currencyCode": currency, "currencyAmount": amount}


def part(kind, amount, *parts, currency="EUR"):
    """A breakdown, with its parts."""
    return {
        "breakdownType": kind,
        "breakdownAmount": money(amount, currency),
        "breakdowns": list(parts) or None,
    }


def item(*parts, total=None, adjustment="adj-1", **changes):
    """An item of a transaction; its total is the sum of its parts."""
    if total is None:
        amounts = [entry["breakdownAmount"]["currencyAmount"] for entry in parts]
        total = float(sum((Decimal(str(amount)) for amount in amounts), Decimal(0)))
    return {
        "totalAmount": money(total),
        "breakdowns": list(parts),
        "contexts": [
            {"contextType": "PaymentsContext"},
            {"contextType": "ProductContext", "sku": "SKU-1", "asin": "B0"},
        ],
        "relatedIdentifiers": [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": adjustment,
            }
        ],
        **changes,
    }


def transaction(*items, market=DE, related=(), **changes):
    """A transaction, a refund unless told otherwise."""
    identifiers = {"ORDER_ID": ORDER, "REFUND_ID": "r-1", **dict(related)}
    return {
        "transactionType": "Refund",
        "transactionId": "t-1",
        "transactionStatus": "Released",
        "description": "Refund Order",
        "postedDate": "2026-11-03T08:00:00Z",
        "marketplaceDetails": {"marketplaceId": market},
        "relatedIdentifiers": [
            {"relatedIdentifierName": name, "relatedIdentifierValue": value}
            for name, value in identifiers.items()
        ],
        "items": list(items),
        **changes,
    }


def read(row):
    """Read one transaction."""
    (reading,) = parse_transactions([row])
    return reading


def amounts(row):
    """Component and amount of each row of a readable refund."""
    reading = read(row)
    assert reading.is_readable
    return [(event.component, str(event.amount)) for event in reading.refunds]


# === READABLE === #


def test_a_refund_is_read_as_the_events_of_its_order_are():
    reading = read(
        transaction(
            item(part("ProductCharges", -12.3, part("OurPricePrincipal", -12.3)))
        )
    )
    assert (reading.order_id, reading.transaction_id) == (ORDER, "t-1")
    assert (reading.kind, reading.status) == ("refund", "RELEASED")
    assert (reading.posted_date, reading.releases) == (POSTED, "")
    assert reading.refunds == (
        RefundEvent(POSTED, "SKU-1", "adj-1", "Principal", Decimal("12.3"), "EUR"),
    )


@pytest.mark.parametrize(
    ("name", "component"),
    [
        ("OurPricePrincipal", "Principal"),
        ("OurPriceTax", "Tax"),
        ("ShippingPrincipal", "Shipping"),
        ("ShippingTax", "ShippingTax"),
        ("GiftwrapPrincipal", "GiftWrap"),
        ("GiftwrapTax", "GiftWrapTax"),
        ("GoodwillPrincipal", "Goodwill"),
        ("RestockingDeductionPrincipal", "RestockingFee"),
        ("RestockingDeductionTax", "RestockingFeeTax"),
        ("COD", "COD"),
        # groups that were seen without parts
        ("ProductCharges", "Principal"),
        ("Shipping", "Shipping"),
        ("Tax", "Tax"),
    ],
)
def test_names_are_those_of_the_feed(name, component):
    assert amounts(transaction(item(part(name, -1.5)), market=US)) == [
        (component, "1.5")
    ]


def test_tax_belongs_to_the_gross_amount_where_prices_include_it():
    parts = (
        part("ProductCharges", -8.4, part("OurPricePrincipal", -8.4)),
        part("Tax", -2.0, part("OurPriceTax", -1.6), part("ShippingTax", -0.4)),
    )
    gross = [("Principal", "10.0"), ("Shipping", "0.4")]
    net = [("Principal", "8.4"), ("Tax", "1.6"), ("ShippingTax", "0.4")]
    assert amounts(transaction(item(*parts))) == gross
    assert amounts(transaction(item(*parts), market=US)) == net


def test_what_moves_between_amazon_and_the_seller_is_left_out():
    parts = (
        part("ProductCharges", -10.0, part("OurPricePrincipal", -10.0)),
        part(
            "AmazonFees",
            1.2,
            part("Commission", 1.5, part("Base", 1.3), part("Tax", 0.2)),
            part("RefundCommission", -0.3),
        ),
        part("Tax", 0.0, part("MarketplaceFacilitatorTax-Principal", 0.8)),
        part("ShippingChargeback", 2.0),
        part("LowValueGoodsTax-Principal", 0.1),
    )
    assert amounts(transaction(item(*parts, total=-5.9), market=US)) == [
        ("Principal", "10.0")
    ]


def test_money_taken_back_from_the_buyer_is_negative():
    row = item(
        part("OurPricePrincipal", -10.0), part("RestockingDeductionPrincipal", 2.0)
    )
    assert amounts(transaction(row)) == [
        ("Principal", "10.0"),
        ("RestockingFee", "-2.0"),
    ]


#: Groups of promotions taken back -> net, in Germany: of the price 20, of the shipping
#: 5, of the gift wrap 3.
PROMOTIONS = {
    "of the price": (
        part("PromoRebates", 3.5, part("OurPriceDiscount", 3.5)),
        {"Principal": "16.5", "Shipping": "5.0", "GiftWrap": "3.0"},
    ),
    "and its tax": (
        part(
            "PromoRebates",
            3.5,
            part("OurPriceDiscount", 3.0),
            part("OurPriceTaxDiscount", 0.5),
        ),
        {"Principal": "16.5", "Shipping": "5.0", "GiftWrap": "3.0"},
    ),
    "of the shipping": (
        part("PromoRebates", 2.0, part("ShippingDiscount", 2.0)),
        {"Principal": "20.0", "Shipping": "3.0", "GiftWrap": "3.0"},
    ),
    "of the gift wrap": (
        part("PromoRebates", 3.0, part("GiftwrapDiscount", 3.0)),
        {"Principal": "20.0", "Shipping": "5.0"},
    ),
    "of the price and the shipping": (
        part(
            "PromoRebates",
            5.0,
            part("OurPriceDiscount", 4.0),
            part("ShippingDiscount", 1.0),
        ),
        {"Principal": "16.0", "Shipping": "4.0", "GiftWrap": "3.0"},
    ),
    "of something": (
        part("PromoRebates", 4.0),
        {"Principal": "16.0", "Shipping": "5.0", "GiftWrap": "3.0"},
    ),
    "of all the shipping, by its amount": (
        part("Promo", 5.0),
        {"Principal": "20.0", "GiftWrap": "3.0"},
    ),
}


@pytest.mark.parametrize("case", PROMOTIONS)
def test_what_was_given_back_is_net_of_promotions(case):
    promotion, expected = PROMOTIONS[case]
    row = item(
        part("ProductCharges", -20.0, part("OurPricePrincipal", -20.0)),
        part("Shipping", -5.0, part("ShippingPrincipal", -5.0)),
        part("Giftwrap", -3.0, part("GiftwrapPrincipal", -3.0)),
        promotion,
    )
    assert dict(amounts(transaction(row))) == expected


def test_the_tax_of_a_promotion_stays_with_the_tax_where_that_is_separate():
    row = item(
        part("OurPricePrincipal", -20.0),
        part("OurPriceTax", -2.0),
        part("OurPriceDiscount", 5.0),
        part("OurPriceTaxDiscount", 0.5),
    )
    assert amounts(transaction(row, market=US)) == [
        ("Principal", "15.0"),
        ("Tax", "1.5"),
    ]


def test_a_restocking_fee_is_gross_where_prices_are():
    row = item(
        part("OurPricePrincipal", -20.0),
        part("RestockingDeductionPrincipal", 2.52),
        part("RestockingDeductionTax", 0.48),
    )
    assert amounts(transaction(row)) == [
        ("Principal", "20.0"),
        ("RestockingFee", "-3.00"),
    ]


def test_each_item_has_its_own_adjustment():
    first = item(part("OurPricePrincipal", -1.0), adjustment="adj-1")
    second = item(part("OurPricePrincipal", -2.0), adjustment="adj-2")
    events = read(transaction(first, second)).refunds
    assert [
        (event.order_adjustment_item_id, str(event.amount)) for event in events
    ] == [
        ("adj-1", "1.0"),
        ("adj-2", "2.0"),
    ]


def test_the_marketplace_may_stand_with_the_seller():
    row = transaction(
        item(part("OurPriceTax", -1.0)),
        marketplaceDetails=None,
        sellingPartnerMetadata={"marketplaceId": US},
    )
    assert amounts(row) == [("Tax", "1.0")]


# === KINDS === #


@pytest.mark.parametrize(
    ("name", "description", "kind"),
    [
        ("Refund", "Refund Order", "refund"),
        ("REFUND", None, "refund"),
        ("Refund", "Chargeback Refund", "chargeback"),
        ("Chargeback", "Chargeback", "chargeback"),
        ("GuaranteeClaim", "A-to-z Guarantee Claim", "claim"),
        ("Refund", "A-to-z Guarantee Refund", "claim"),
        ("Shipment", "Order Payment", "shipment"),
        ("Retrocharge", "RetroChargeRefund", "other"),
        ("ServiceFee", "FBA storage", "other"),
        (None, None, "other"),
    ],
)
def test_kinds_are_told_by_amazons_names(name, description, kind):
    row = transaction(
        item(part("OurPricePrincipal", -1.0)),
        transactionType=name,
        description=description,
    )
    reading = read(row)
    assert (reading.kind, reading.is_readable) == (kind, True)
    assert bool(reading.refunds) == (kind == "refund")


def test_the_release_of_deferred_money_is_no_second_refund():
    row = transaction(
        item(part("OurPricePrincipal", -1.0)),
        related={"DEFERRED_TRANSACTION_ID": "t-0"},
    )
    reading = read(row)
    assert (reading.kind, reading.releases, reading.refunds) == ("other", "t-0", ())
    assert reading.order_id == ORDER


def test_deferred_money_that_was_released_counts_itself():
    row = transaction(
        item(part("OurPricePrincipal", -1.0)),
        related={"RELEASE_TRANSACTION_ID": "t-2"},
        transactionStatus="DEFERRED_RELEASED",
    )
    assert amounts(row) == [("Principal", "1.0")]


# === UNREADABLE === #

GOOD = item(part("OurPricePrincipal", -1.0))

UNREADABLE = {
    "no items": transaction(),
    "items are null": transaction(items=None),
    "items are no list": transaction(items={}),
    "item without amounts": transaction(item(total=-1.0)),
    "amounts are null": transaction(item(total=-1.0, breakdowns=None)),
    "unknown amount": transaction(item(part("Cashback", -1.0))),
    "unknown part": transaction(item(part("ProductCharges", -1.0, part("X", -1.0)))),
    "amounts miss the total": transaction(
        item(part("OurPricePrincipal", -1.0), total=-2.0)
    ),
    "no total": transaction(item(part("OurPricePrincipal", -1.0), totalAmount=None)),
    "no amount": transaction(item(part("OurPricePrincipal", None), total=-1.0)),
    "no number": transaction(item(part("OurPricePrincipal", "x"), total=-1.0)),
    "other currency": transaction(
        item(part("OurPricePrincipal", -1.0, currency="USD"), total=-1.0)
    ),
    "no adjustment id": transaction(item(*GOOD["breakdowns"], adjustment=None)),
    "identifiers of the item are null": transaction(
        item(*GOOD["breakdowns"], relatedIdentifiers=None)
    ),
    "one of two items": transaction(GOOD, item(part("Cashback", -1.0))),
    "tax in an unknown marketplace": transaction(
        item(part("OurPriceTax", -1.0)), market="A000000000000"
    ),
    "marketplace is no text": transaction(
        GOOD, marketplaceDetails={"marketplaceId": []}
    ),
    "no date": transaction(GOOD, postedDate=None),
    "no time": transaction(GOOD, postedDate="2026-11-03"),
    "contexts are no list": transaction(item(*GOOD["breakdowns"], contexts="x")),
}


@pytest.mark.parametrize("problem", UNREADABLE)
def test_a_refund_that_is_not_understood_is_told_as_such(problem):
    reading = read(UNREADABLE[problem])
    assert (reading.kind, reading.order_id) == ("refund", ORDER)
    assert not reading.is_readable
    assert reading.refunds == ()


@pytest.mark.parametrize("related", [None, "x", [None], [{}], [{"a": 1}]])
def test_a_refund_without_its_order_is_told_as_unreadable(related):
    reading = read(transaction(GOOD, relatedIdentifiers=related))
    assert (reading.kind, reading.order_id) == ("refund", "")
    assert not reading.is_readable


def test_one_that_is_not_understood_spoils_no_other():
    rows = [transaction(GOOD), UNREADABLE["unknown amount"], transaction(GOOD)]
    assert [row.is_readable for row in parse_transactions(rows)] == [True, False, True]


def test_a_row_that_is_no_object_spoils_the_page():
    with pytest.raises(MalformedAnswer):
        list(parse_transactions([transaction(GOOD), None]))


# === THE SAME MONEY IN BOTH APIS === #

sys.path.append(str(REPOSITORY))
generate = pytest.importorskip("spapi_simulator.generate")
process = pytest.importorskip("spapi_simulator.process")


@pytest.fixture(scope="module")
def simulator():
    with process.SimulatorProcess(no_quotas=True) as running:
        running.add_orders(
            [
                *_refunded(generate.orders(40, 1, marketplaces=("DE", "GB", "ES"))),
                *_refunded(generate.orders(40, 2, vat_rate=19)),
                *_refunded(
                    generate.orders(40, 3, marketplaces=("US",), seller="ADEMOSELLER02")
                ),
                *_refunded(
                    generate.orders(20, 4, marketplaces=("JP",), seller="ADEMOSELLER03")
                ),
                *_refunded(generate.orders(20, 5, deferral="1 minute")),
            ]
        )
        yield running


def _refunded(orders):
    """Give something back of each order, twice, in several components."""
    for number, order in enumerate(orders):
        first, last = order["items"][0], order["items"][-1]
        given = {"Principal": number + 2}
        if first.get("shipping"):
            given["Shipping"] = 1
        if "gift_wrap" in first:
            given["GiftWrap"] = 3
        if "tax" in first:
            given["Tax"] = 1
        if number % 3 == 0:
            given |= {"Goodwill": 2, "RestockingFee": -1}
        order["refunded"] = [
            {"when": "2 hours ago", "items": {first["id"]: given}},
            {"when": "1 hour ago", "items": {last["id"]: {"Principal": 1}}},
        ]
        if number % 7 == 0:
            kind = "claim" if number % 2 else "chargeback"
            order[kind] = [
                {"when": "30 minutes ago", "items": {last["id"]: {"Principal": 1}}}
            ]
    return orders


@pytest.mark.parametrize("account", ["", "-us", "-jp"])
def test_both_apis_of_finances_tell_the_same_refunds(simulator, account):
    credentials = Credentials(
        simulator.CLIENT_ID, simulator.CLIENT_SECRET, simulator.REFRESH_TOKEN + account
    )
    endpoint = Endpoint.simulator(simulator.url)
    with SellerClient(credentials, endpoint, max_retry_wait=0.01) as client:
        rows = _all_transactions(client)
        readings = list(parse_transactions(rows))
        assert all(reading.is_readable for reading in readings)
        by_range, kinds = _sums(readings)
        markets = _markets(rows)
        by_order = defaultdict(Decimal)
        for order_id, market in markets.items():
            gross = MARKETPLACES[market].prices_include_tax
            events = client.list_financial_events(order_id)
            reading = parse_events(events, order_id, gross)
            for row in reading.refunds:
                by_order[_key(order_id, row)] += row.amount
            assert ("claim" in kinds[order_id]) == reading.claim_found
            assert ("chargeback" in kinds[order_id]) == reading.chargeback_found
    assert len(markets) > 5
    assert dict(by_range) == dict(by_order)


def _all_transactions(client):
    query = {"posted_after": datetime.now(timezone.utc) - timedelta(days=90)}
    page = client.list_transactions(**query)
    rows = list(page.items)
    while page.next_token:
        page = client.list_transactions(**query, next_token=page.next_token)
        rows += page.items
    return rows


def _sums(readings):
    sums, kinds = defaultdict(Decimal), defaultdict(set)
    for reading in readings:
        kinds[reading.order_id].add(reading.kind)
        for row in reading.refunds:
            sums[_key(reading.order_id, row)] += row.amount
    return sums, kinds


def _key(order_id, row):
    """What both APIs call the same money."""
    return order_id, row.order_adjustment_item_id, row.sku, row.component, row.currency


def _markets(rows):
    """The marketplace of each order."""
    return {
        identifier["relatedIdentifierValue"]: row["marketplaceDetails"]["marketplaceId"]
        for row in rows
        for identifier in row["relatedIdentifiers"]
        if identifier["relatedIdentifierName"] == "ORDER_ID"
    }
