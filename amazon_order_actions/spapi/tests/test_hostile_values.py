"""Amounts, times, units and texts that are made to hurt."""

import json
import time
from decimal import Decimal

import pytest
from spapi.errors import MalformedAnswer
from spapi.finances import parse_events
from spapi.fulfillment import parse_fulfillment_order
from spapi.orders import MAX_ITEMS, parse_order
from spapi.redact import HIDDEN, redact
from spapi.strict_json import loads
from spapi.transactions import OTHER, REFUND, parse_transactions
from spapi.values import MAX_READ, amount_of, time_of, units_of
from test_strict_finances import adjustment, charge
from test_strict_fulfillment import payload
from test_strict_orders import breakdown, item, order
from test_strict_transactions import item as transaction_item
from test_strict_transactions import part, transaction

AMOUNTS = [
    "1e999999999",
    "1e-999999999",
    "1e400",
    "-1e400",
    "NaN",
    "sNaN",
    "Infinity",
    "1_000",
    "1,000.00",
    " 1",
    "1 ",
    "+1",
    "١٢",
    "1.",
    ".5",
    "0x10",
    "",
    "9" * 5000,
    "0." + "0" * 5000 + "1",
    "1000000000000",
    10**12,
    10**5000,
    float("nan"),
    float("inf"),
    1e300,
    True,
    None,
    [],
    {},
]


@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda amount: repr(type(amount)))
def test_what_is_no_amount_is_never_read_as_one(amount):
    with pytest.raises(MalformedAnswer, match="price is missing or no amount"):
        amount_of("getOrder", {"amount": amount, "currencyCode": "EUR"}, "price")


@pytest.mark.parametrize(
    "amount", ["12.30", 12.3, 12, "-0.01", "999999999999.99", 1e-7]
)
def test_an_amount_is_read_as_it_is(amount):
    read, _currency = amount_of("x", {"amount": amount, "currencyCode": "EUR"}, "y")
    assert read == Decimal(str(amount))


@pytest.mark.parametrize(
    "currency", ["", "eur", "EURO", "E\u202eR", "<b>", None, 5, []]
)
def test_a_currency_has_three_letters(currency):
    with pytest.raises(MalformedAnswer):
        amount_of("getOrder", {"amount": "1", "currencyCode": currency}, "price")


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1969-12-31T23:59:59Z",
        "２０２６-11-01T00:00:00Z",
        "2026-11-01T00:00:00",
        "2026-11-01",
        "2026-11-01T00:00:00Z" + " " * 1000,
        "2026-11-01T00:00:00." + "9" * 10**6 + "Z",
        1,
        None,
        {},
    ],
    ids=lambda text: str(text)[:40],
)
def test_what_is_no_time_is_never_read_as_one(text):
    with pytest.raises(MalformedAnswer, match="no time"):
        time_of("getOrder", text, "createdTime")


@pytest.mark.parametrize("units", [-1, 10**6 + 1, 2**31, 2**63, 1.0, "1", True, None])
def test_what_is_no_number_of_units_is_never_read_as_one(units):
    assert units_of({"quantity": units}, "quantity") is None
    with pytest.raises(MalformedAnswer):
        parse_order(order(item(breakdown("ITEM", "30.00"), quantityOrdered=units)))


@pytest.mark.parametrize("amount", ["1e999999", "1e400", "NaN", "9" * 30])
def test_an_order_with_an_amount_that_is_none_is_malformed(amount):
    """Decimal reads all of them, and some fail only when they are added up."""
    with pytest.raises(MalformedAnswer):
        parse_order(order(item(breakdown("ITEM", amount), breakdown("ITEM", amount))))


def test_an_order_with_more_items_than_orders_have_is_malformed():
    one = item(breakdown("ITEM", "30.00"))
    assert len(parse_order(order(*[one] * MAX_ITEMS)).lines) == MAX_ITEMS
    with pytest.raises(MalformedAnswer, match="orderItems"):
        parse_order(order(*[one] * (MAX_ITEMS + 1)))


def test_a_title_of_megabytes_is_cut_and_an_id_of_megabytes_is_malformed():
    product = {"asin": "B0", "title": "K" * 10**6, "sellerSku": "SKU-1"}
    (line,) = parse_order(order(item(product=product))).lines
    assert len(line.title) == MAX_READ and line.title.endswith("…")
    for hostile in (
        {**product, "sellerSku": "S" * 10**6},
        {**product, "asin": "B" * 999},
    ):
        with pytest.raises(MalformedAnswer, match="more than 200 characters"):
            parse_order(order(item(product=hostile)))
    with pytest.raises(MalformedAnswer, match="orderItemId"):
        parse_order(order(item(orderItemId="1" * 10**6)))
    with pytest.raises(MalformedAnswer, match="orderId"):
        parse_order(order(orderId="1" * 10**6))


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("https://evil.example")',
    "${amount} {{ 7 * 7 }} <t t-out='7 * 7'/> %(name)s {0}",
    "'; DROP TABLE amazon_order; --",
    "% _ \\",
    "../../etc/passwd",
    "a\r\nBcc: evil@example.com",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_read_as_the_text_that_it_is(text):
    """It is for those who show it to escape it; here nothing is lost or run."""
    product = {"asin": "B0", "title": text, "sellerSku": text}
    (line,) = parse_order(
        loads(json.dumps(order(item(product=product))).encode())
    ).lines
    assert (line.title, line.sku) == (text, text)


def test_a_refund_with_an_amount_that_is_none_is_malformed():
    for amount in (float("inf"), 10**20, "1e999999999", "1_0"):
        events = {
            "RefundEventList": [
                {
                    "AmazonOrderId": "302-1234567-1234567",
                    "PostedDate": "2026-11-03T08:00:00Z",
                    "ShipmentItemAdjustmentList": [
                        adjustment(charge("Principal", amount))
                    ],
                }
            ]
        }
        with pytest.raises(MalformedAnswer):
            parse_events(events, "302-1234567-1234567", True)


def test_a_transaction_that_cannot_be_read_is_said_to_be_unreadable():
    for amount in ("1e999999999", float("nan"), 10**400, "1_0"):
        row = transaction(transaction_item(part("ProductCharges", -1.0)))
        row["items"][0]["breakdowns"][0]["breakdownAmount"]["currencyAmount"] = amount
        (read,) = parse_transactions([row])
        assert (read.kind, read.is_readable, read.refunds) == (REFUND, False, ())


def test_a_refund_with_a_description_of_megabytes_is_still_a_refund():
    row = transaction(
        transaction_item(part("ProductCharges", -1.0)), description="x" * 10**6
    )
    (read,) = parse_transactions([row])
    assert read.kind == REFUND
    row["relatedIdentifiers"][0]["relatedIdentifierValue"] = "3" * 10**6
    (read,) = parse_transactions([row])
    assert (read.order_id, read.is_readable) == ("", False)
    (read,) = parse_transactions([{**row, "transactionType": 5, "description": []}])
    assert read.kind == OTHER


def test_a_refund_that_names_no_order_has_no_amounts():
    """Found by fuzzing: it was said to be unreadable, and had amounts."""
    row = transaction(transaction_item(part("ProductCharges", -1.0)))
    (read,) = parse_transactions([{**row, "relatedIdentifiers": None}])
    assert (read.kind, read.is_readable, read.refunds) == (REFUND, False, ())


def test_a_fulfillment_order_with_hostile_parts_is_cut_or_malformed():
    read = parse_fulfillment_order(payload(displayableOrderComment="x" * 10**6))
    assert len(read.displayable_order_comment) == 750
    for parts in (
        {"displayableOrderId": "x" * 10**6},
        {"receivedDate": "0001-01-01T00:00:00+23:59"},
        {"fulfillmentOrderStatus": "x" * 10**6},
        {"marketplaceId": ["x"]},
        {"destinationAddress": "x"},
    ):
        with pytest.raises(MalformedAnswer):
            parse_fulfillment_order(payload(**parts))


# === TIME === #


@pytest.mark.parametrize(
    "text",
    [
        "?" * 10**6,
        "?x-amz-" * 10**5,
        "?" + "x-amz-a" * 10**5,
        "Atza|" * 10**5,
        "amzn1.oa2-cs." * 10**5,
        "client_secret" * 10**5,
        "client_secret" + " " * 10**6,
        "client_secret:" + '\\"' * 10**5,
        "access_token = b'" * 10**5,
    ],
    ids=lambda text: text[:20],
)
def test_looking_for_secrets_takes_time_by_the_length_of_the_text(text):
    started = time.thread_time()
    redact(text)
    assert time.thread_time() - started < 2


def test_a_signed_address_is_hidden_where_it_is_told_as_a_secret():
    """Found by fuzzing: the first half was hidden, and what told of the second."""
    assert "s3cr3t" not in redact(
        "client_secret: https://x/y?a=b&X-Amz-Signature=s3cr3t"
    )


def test_a_signed_address_is_hidden_among_many_question_marks():
    text = "???" * 100 + " see https://x/y?a=b&X-Amz-Signature=s3cr3t&c=d what?"
    assert "s3cr3t" not in redact(text)
    assert redact("https://x/y?a=b&X-Amz-Signature=s3cr3t") == f"https://x/y?{HIDDEN}"
    assert redact("really? yes?a=b") == "really? yes?a=b"
