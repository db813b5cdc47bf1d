"""Reading the financial events of an order."""

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from spapi.errors import MalformedAnswer
from spapi.finances import parse_events

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
                "PromotionId": "p",
                "PromotionAmount": {"CurrencyCode": "EUR", "CurrencyAmount": amount},
            }
            for amount in promotions
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
        ("Principal", "10.0"),
        ("Principal", "1.9"),
        ("Shipping", "0.5"),
        ("GiftWrap", "0.2"),
    ]


def test_what_the_buyer_is_charged_is_negative():
    assert rows(adjustment(charge("RestockingFee", 3))) == [("RestockingFee", "-3")]


def test_a_promotion_that_is_taken_back_is_a_row_of_its_own():
    found = rows(adjustment(charge("Principal", -20), promotions=[5.0]))
    assert found == [("Principal", "20"), ("Promotion", "-5.0")]


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
