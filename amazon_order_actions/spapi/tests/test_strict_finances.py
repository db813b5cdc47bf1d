"""Reading the financial events of an order."""

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from spapi.errors import MalformedAnswer
from spapi.finances import parse_events

SEED = 20261122  # of all generated examples below
ORDER = "302-1234567-1234567"


def charge(kind, amount, currency="EUR"):
    return {
        "ChargeType": kind,
        "ChargeAmount": {"CurrencyCode": currency, "CurrencyAmount": amount},
    }


def adjustment(*charges, promotions=(), **parts):
    return {
        "SellerSKU": "SKU-1",
        "OrderAdjustmentItemId": "adj-1",
        "QuantityShipped": 1,
        "ItemChargeAdjustmentList": list(charges),
        "ItemFeeAdjustmentList": [
            {"FeeType": "Commission", "FeeAmount": {"CurrencyAmount": 1.5}}
        ],
        "ItemTaxWithheldList": [{"TaxesWithheld": [charge("X", 9.0)]}],
        "PromotionAdjustmentList": [
            {
                "PromotionType": "PromotionMetaDataDefinitionValue",
                "PromotionId": name,
                "PromotionAmount": {"CurrencyCode": "EUR", "CurrencyAmount": amount},
            }
            for name, amount in promotions
        ],
        **parts,
    }


def refund(*adjustments, order=ORDER, posted="2026-11-03T08:00:00Z"):
    return {
        "AmazonOrderId": order,
        "PostedDate": posted,
        "ShipmentItemAdjustmentList": list(adjustments),
    }


def rows(*adjustments, prices_include_tax=False):
    events = {"RefundEventList": [refund(*adjustments)]}
    reading = parse_events(events, ORDER, prices_include_tax)
    return [(row.component, str(row.amount)) for row in reading.refunds]


def test_a_refund_is_read_as_money_to_the_buyer():
    events = {"RefundEventList": [refund(adjustment(charge("Principal", -12.3)))]}
    (row,) = parse_events(events, ORDER, prices_include_tax=True).refunds
    assert row.posted_date == datetime(2026, 11, 3, 8, tzinfo=timezone.utc)
    assert (row.sku, row.order_adjustment_item_id) == ("SKU-1", "adj-1")
    assert (row.component, row.amount) == ("Principal", Decimal("12.3"))
    assert row.currency == "EUR"


@pytest.mark.parametrize(
    ("charge_type", "component"),
    [
        ("Principal", "Principal"),
        ("Tax", "Tax"),
        ("ShippingCharge", "Shipping"),
        ("ShippingTax", "ShippingTax"),
        ("Giftwrap", "GiftWrap"),
        ("GiftWrap", "GiftWrap"),
        ("GiftwrapTax", "GiftWrapTax"),
        ("GiftWrapTax", "GiftWrapTax"),
        ("Goodwill", "Goodwill"),
        ("RestockingFee", "RestockingFee"),
        ("ReturnShipping", "ReturnShipping"),
        ("SomethingNew", "SomethingNew"),
    ],
)
def test_charges_have_the_names_of_the_refund_feed(charge_type, component):
    assert rows(adjustment(charge(charge_type, -5))) == [(component, "5")]


def test_where_prices_include_tax_refunded_tax_is_part_of_its_component():
    found = rows(
        adjustment(
            charge("Principal", -10.0),
            charge("Tax", -1.9),
            charge("ShippingTax", -0.5),
            charge("GiftwrapTax", -0.2),
        ),
        prices_include_tax=True,
    )
    assert found == [
        ("Principal", "11.9"),
        ("Shipping", "0.5"),
        ("GiftWrap", "0.2"),
    ]


def test_what_the_buyer_is_charged_is_negative():
    assert rows(adjustment(charge("RestockingFee", 3))) == [("RestockingFee", "-3")]


def test_a_restocking_fee_is_a_component_of_its_own_with_its_tax():
    charges = (
        charge("Principal", -20),
        charge("RestockingFee", 2.52),
        charge("RestockingFeeTax", 0.48),
    )
    assert rows(adjustment(*charges)) == [
        ("Principal", "20"),
        ("RestockingFee", "-2.52"),
        ("RestockingFeeTax", "-0.48"),
    ]
    assert rows(adjustment(*charges), prices_include_tax=True) == [
        ("Principal", "20"),
        ("RestockingFee", "-3.00"),
    ]


COUPON, FREE_SHIPPING = "VPC-1Coupon", "DE Core Free Shipping 2018/04/24 20-00-00"

#: Promotions taken back -> net of what was given back: 20 of the price, 5 of shipping.
PROMOTIONS = {
    "of the price": ([(COUPON, 3.5)], {"Principal": "16.5", "Shipping": "5"}),
    "named for shipping": (
        [(FREE_SHIPPING, 2)],
        {"Principal": "20", "Shipping": "3"},
    ),
    "all of the shipping": ([(COUPON, 5.0)], {"Principal": "20"}),
    "both, under one name": (
        [(COUPON, 5.0), (COUPON, 4.0)],
        {"Principal": "16.0"},
    ),
    "named for shipping, but more than it": (
        [(FREE_SHIPPING, 6)],
        {"Principal": "14", "Shipping": "5"},
    ),
    "the same shipping twice": (
        [(FREE_SHIPPING, 5), (FREE_SHIPPING, 5)],
        {"Principal": "15"},
    ),
    "all of the price": ([(COUPON, 20)], {"Shipping": "5"}),
    "of nothing": (
        [(COUPON, 0), (FREE_SHIPPING, 0)],
        {"Principal": "20", "Shipping": "5"},
    ),
}


@pytest.mark.parametrize("case", PROMOTIONS)
def test_what_was_given_back_is_net_of_promotions(case):
    promotions, expected = PROMOTIONS[case]
    charges = charge("Principal", -20), charge("ShippingCharge", -5)
    found = rows(adjustment(*charges, promotions=promotions))
    assert dict(found) == expected


def test_a_promotion_bigger_than_the_refund_of_the_price_is_one_of_shipping():
    only_shipping = adjustment(charge("ShippingCharge", -5), promotions=[(COUPON, 2)])
    assert rows(only_shipping) == [("Shipping", "3")]


def test_a_promotion_and_its_tax_are_taken_off_the_gross_amount():
    """Seen in issue 197: -20.66 and -4.34 of one promotion of 25.00."""
    found = rows(
        adjustment(
            charge("Principal", -82.64),
            charge("Tax", -17.36),
            promotions=[(COUPON, 20.66), (COUPON, 4.34)],
        ),
        prices_include_tax=True,
    )
    assert found == [("Principal", "75.00")]


def test_free_shipping_in_two_parts_is_taken_off_the_shipping():
    found = rows(
        adjustment(
            charge("Principal", -20),
            charge("ShippingCharge", -4.19),
            charge("ShippingTax", -0.8),
            promotions=[(COUPON, 4.19), (COUPON, 0.8)],
        ),
        prices_include_tax=True,
    )
    assert found == [("Principal", "20")]


def test_each_item_bears_its_own_promotions():
    first = adjustment(charge("Principal", -20), promotions=[(COUPON, 5)])
    second = adjustment(charge("Principal", -8))
    assert rows(first, second) == [("Principal", "15"), ("Principal", "8")]


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(st.integers(0, 999), max_size=4),
    st.lists(st.integers(0, 999), max_size=4),
    st.lists(st.tuples(st.sampled_from([COUPON, FREE_SHIPPING]), st.integers(0, 999))),
    st.booleans(),
)
def test_no_money_gets_lost_between_promotions_and_charges(
    prices, postages, promotions, prices_include_tax
):
    charges = [charge("Principal", -amount / 100) for amount in prices]
    charges += [charge("ShippingCharge", -amount / 100) for amount in postages]
    taken = [(name, amount / 100) for name, amount in promotions]
    found = rows(
        adjustment(*charges, promotions=taken), prices_include_tax=prices_include_tax
    )
    paid = sum(prices) + sum(postages) - sum(amount for _name, amount in promotions)
    assert sum(Decimal(amount) for _component, amount in found) * 100 == paid
    components = [component for component, _amount in found]
    assert len(components) == len(set(components))


def test_fees_and_withheld_taxes_are_no_money_to_the_buyer():
    found = rows(adjustment(charge("MarketplaceFacilitatorTax-Principal", 2)))
    assert found == []


def test_zero_amounts_are_left_out():
    assert rows(adjustment(charge("Principal", 0.0))) == []


def test_floats_of_json_become_the_decimals_that_amazon_wrote():
    amount = json.loads("-19.99")
    assert rows(adjustment(charge("Principal", amount))) == [("Principal", "19.99")]


@pytest.mark.parametrize("events", [{}, {"RefundEventList": None}])
def test_an_empty_answer_has_no_rows_and_no_flags(events):
    reading = parse_events(events, ORDER, prices_include_tax=True)
    assert reading.refunds == ()
    assert not reading.claim_found and not reading.chargeback_found


def test_claims_and_chargebacks_are_found():
    claim = parse_events({"GuaranteeClaimEventList": [refund()]}, ORDER, True)
    assert claim.claim_found and not claim.chargeback_found
    chargeback = parse_events({"ChargebackEventList": [refund()]}, ORDER, True)
    assert chargeback.chargeback_found and not chargeback.claim_found


def test_events_of_other_orders_do_not_count():
    other = refund(adjustment(charge("Principal", -5)), order="302-7654321-7654321")
    events = {"RefundEventList": [other], "ChargebackEventList": [other]}
    reading = parse_events(events, ORDER, prices_include_tax=True)
    assert reading.refunds == () and not reading.chargeback_found


def test_an_event_that_names_no_order_counts():
    """The question was for one order; to overlook a refund is the worse mistake."""
    event = refund(adjustment(charge("Principal", -5)), order=None)
    reading = parse_events({"RefundEventList": [event]}, ORDER, True)
    assert len(reading.refunds) == 1


MALFORMED = {
    "no date": {"RefundEventList": [refund(adjustment(), posted=None)]},
    "no zone": {"RefundEventList": [refund(posted="2026-11-03T08:00:00")]},
    "no list": {"RefundEventList": {"x": 1}},
    "no objects": {"RefundEventList": ["x"]},
    "no adjustments": {"RefundEventList": [refund("x")]},
    "promotion without amount": {
        "RefundEventList": [refund(adjustment(promotions=[(COUPON, None)]))]
    },
    "promotions no list": {
        "RefundEventList": [refund(adjustment(PromotionAdjustmentList="x"))]
    },
    "no type": {"RefundEventList": [refund(adjustment({"ChargeAmount": {}}))]},
    "no amount": {"RefundEventList": [refund(adjustment({"ChargeType": "Tax"}))]},
    "no number": {"RefundEventList": [refund(adjustment(charge("Tax", "x")))]},
    "no currency": {"RefundEventList": [refund(adjustment(charge("Tax", 1, None)))]},
    "true": {"RefundEventList": [refund(adjustment(charge("Tax", True)))]},
    "nan": {"RefundEventList": [refund(adjustment(charge("Tax", float("nan"))))]},
    "claims no list": {"GuaranteeClaimEventList": "x"},
}


@pytest.mark.parametrize("damage", MALFORMED)
def test_a_malformed_answer_is_said_to_be_one(damage):
    with pytest.raises(MalformedAnswer):
        parse_events(MALFORMED[damage], ORDER, prices_include_tax=True)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-03T08:00:00Z", 8),
        ("2026-11-03T08:00:00.1234567Z", 8),
        ("2026-11-03T08:00:00+02:00", 6),
        ("2026-11-03T08:00:00.5-01:00", 9),
    ],
)
def test_times_of_any_precision_and_zone_become_utc(text, hour):
    event = refund(adjustment(charge("Principal", -5)), posted=text)
    (row,) = parse_events({"RefundEventList": [event]}, ORDER, True).refunds
    assert row.posted_date == datetime(2026, 11, 3, hour, tzinfo=timezone.utc)
