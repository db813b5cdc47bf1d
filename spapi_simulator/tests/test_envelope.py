"""Envelopes are checked as strictly as Amazon's schema would."""

import pytest

from .. import envelope as reader
from .amazon import (
    CANCEL,
    DE,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    adjustment,
    cancel,
    components,
    envelope,
    refund,
)

SELLER = "ADEMOSELLER01"
ITEM = f"<AmazonOrderItemCode>{SHIPPED_ITEM}</AmazonOrderItemCode>"
ADJUSTMENT_ID = "<MerchantAdjustmentItemID>a</MerchantAdjustmentItemID>"
REASON = "<AdjustmentReason>CustomerReturn</AdjustmentReason>"
PRICES = f"<ItemPriceAdjustments>{components(Principal='1.00')}</ItemPriceAdjustments>"
PROMOTION = (
    "<PromotionAdjustments><MerchantPromotionID>P</MerchantPromotionID>"
    f"{components(Principal='-0.10')}</PromotionAdjustments>"
)
DIRECT = (
    f"<DirectPaymentAdjustments>{components(Anything='1')}</DirectPaymentAdjustments>"
)
GOOD = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")


def message(payload, number=1):
    """Return one message."""
    return f"<Message><MessageID>{number}</MessageID>{payload}</Message>"


def read(data, feed_type=REFUND):
    """Read a document as a feed of the demo seller."""
    return reader.read(data, feed_type, SELLER)


def error_of(payload, feed_type=REFUND):
    """Return what is wrong with the only message of an envelope."""
    (row,) = read(envelope(message(payload), feed_type), feed_type)
    assert (row.error is None) == (row.payload is not None)
    return row.error


def test_a_good_refund_is_read_in_full():
    item = (
        f"{ITEM}{ADJUSTMENT_ID}{REASON}{PRICES}{PROMOTION}{DIRECT}"
        "<QuantityCancelled>1</QuantityCancelled><Quantity>2</Quantity>"
    )
    (row,) = read(envelope(message(adjustment(SHIPPED, item))))
    assert row.error is None
    assert row.payload.order_id == SHIPPED
    (adjusted,) = row.payload.items
    assert adjusted.item_id == SHIPPED_ITEM
    assert adjusted.merchant_adjustment_item_id == "a"
    assert [str(amount) for _, amount, _ in adjusted.components] == ["1.00"]
    assert [str(amount) for _, amount, _ in adjusted.promotions] == ["-0.10"]
    assert (adjusted.quantity_cancelled, adjusted.quantity) == (1, 2)


@pytest.mark.parametrize("item_id", ["12345678901234", "123456789012345"])
def test_item_ids_have_14_or_15_digits(item_id):
    assert error_of(refund(SHIPPED, item_id, Principal="1.00")) is None


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("13 digits", refund(SHIPPED, "1234567890123", Principal="1")),
        ("16 digits", refund(SHIPPED, "1234567890123456", Principal="1")),
        ("letters", refund(SHIPPED, "14764542037496X", Principal="1")),
        ("order number", refund("302-44815-2342108", SHIPPED_ITEM, Principal="1")),
        ("order number spaced", refund(f" {SHIPPED}", SHIPPED_ITEM, Principal="1")),
        ("three decimals", refund(SHIPPED, SHIPPED_ITEM, Principal="1.001")),
        ("comma", refund(SHIPPED, SHIPPED_ITEM, Principal="1,00")),
        ("exponent", refund(SHIPPED, SHIPPED_ITEM, Principal="1e1")),
        ("21 digits", refund(SHIPPED, SHIPPED_ITEM, Principal="1" * 21)),
        ("no amount", refund(SHIPPED, SHIPPED_ITEM, Principal="")),
        ("component type", refund(SHIPPED, SHIPPED_ITEM, Postage="1.00")),
        ("charge name", refund(SHIPPED, SHIPPED_ITEM, ShippingCharge="1.00")),
        ("currency", refund(SHIPPED, SHIPPED_ITEM, "CHF", Principal="1.00")),
        ("long id", refund(SHIPPED, SHIPPED_ITEM, "EUR", "x" * 51, Principal="1")),
        ("empty id", refund(SHIPPED, SHIPPED_ITEM, "EUR", "", Principal="1")),
        ("no component", refund(SHIPPED, SHIPPED_ITEM)),
        ("no item", adjustment(SHIPPED)),
        ("no reason", adjustment(SHIPPED, ITEM + PRICES)),
        ("reason twice", adjustment(SHIPPED, ITEM + REASON + REASON + PRICES)),
        (
            "reason of the other feed",
            adjustment(
                SHIPPED,
                f"{ITEM}<AdjustmentReason>BuyerCanceled</AdjustmentReason>{PRICES}",
            ),
        ),
        (
            "amount without component",
            adjustment(
                SHIPPED,
                f"{ITEM}{REASON}<ItemPriceAdjustments><Type>Principal</Type>"
                '<Amount currency="EUR">1.00</Amount></ItemPriceAdjustments>',
            ),
        ),
        (
            "reason under the order",
            f"<OrderAdjustment><AmazonOrderID>{SHIPPED}</AmazonOrderID>{REASON}"
            "</OrderAdjustment>",
        ),
        ("order: reason before id", adjustment(SHIPPED, REASON + ITEM + PRICES)),
        (
            "order: reason before adjustment id",
            adjustment(SHIPPED, ITEM + REASON + ADJUSTMENT_ID + PRICES),
        ),
        ("order: prices before reason", adjustment(SHIPPED, ITEM + PRICES + REASON)),
        (
            "order: promotion before prices",
            adjustment(SHIPPED, ITEM + REASON + PROMOTION + PRICES),
        ),
        (
            "order: quantity before prices",
            adjustment(SHIPPED, f"{ITEM}{REASON}<Quantity>1</Quantity>{PRICES}"),
        ),
        (
            "order: quantity before cancelled quantity",
            adjustment(
                SHIPPED,
                f"{ITEM}{REASON}{PRICES}<Quantity>1</Quantity>"
                "<QuantityCancelled>1</QuantityCancelled>",
            ),
        ),
        (
            "order: amount before type",
            adjustment(
                SHIPPED,
                f"{ITEM}{REASON}<ItemPriceAdjustments><Component>"
                "<Amount>1.00</Amount><Type>Principal</Type></Component>"
                "</ItemPriceAdjustments>",
            ),
        ),
        (
            "quantity of zero",
            adjustment(SHIPPED, f"{ITEM}{REASON}{PRICES}<Quantity>0</Quantity>"),
        ),
        (
            "both order numbers",
            GOOD.replace(
                "<AdjustedItem>", "<MerchantOrderID>1</MerchantOrderID><AdjustedItem>"
            ),
        ),
        ("unknown element", GOOD.replace("</AdjustedItem>", "<Note/></AdjustedItem>")),
        ("stray text", GOOD.replace("<AdjustedItem>", "<AdjustedItem>text")),
        ("other payload", cancel(UNSHIPPED, SHIPPED_ITEM)),
        ("two payloads", GOOD + GOOD),
        ("no payload", ""),
    ],
)
def test_refund_message_outside_the_structure_is_refused(name, payload):
    assert error_of(payload), name


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("reason", cancel(UNSHIPPED, SHIPPED_ITEM, reason="CustomerCancel")),
        ("REST reason", cancel(UNSHIPPED, SHIPPED_ITEM, reason="BUYER_CANCELLED")),
        ("item id", cancel(UNSHIPPED, "123")),
        (
            "no order",
            "<OrderAcknowledgement><StatusCode>Failure</StatusCode>"
            "</OrderAcknowledgement>",
        ),
        ("status", cancel(UNSHIPPED, SHIPPED_ITEM).replace("Failure", "Cancel")),
        (
            "order: items before status",
            "<OrderAcknowledgement>"
            f"<AmazonOrderID>{UNSHIPPED}</AmazonOrderID><Item>{ITEM}</Item>"
            "<StatusCode>Failure</StatusCode></OrderAcknowledgement>",
        ),
        (
            "order: reason before item id",
            cancel(UNSHIPPED).replace(
                "</StatusCode>",
                "</StatusCode><Item><CancelReason>BuyerCanceled</CancelReason>"
                f"{ITEM}</Item>",
            ),
        ),
        ("other payload", GOOD),
    ],
)
def test_cancel_message_outside_the_structure_is_refused(name, payload):
    assert error_of(payload, CANCEL), name


def test_a_good_acknowledgement_is_read_in_full():
    payload = cancel(UNSHIPPED, SHIPPED_ITEM, reason="NoInventory")
    (row,) = read(envelope(message(payload), CANCEL), CANCEL)
    assert row.error is None
    assert (row.payload.order_id, row.payload.status) == (UNSHIPPED, "Failure")
    assert row.payload.items[0].cancel_reason == "NoInventory"


WHOLE = envelope(message(GOOD)).decode()
DOCTYPE = '?><!DOCTYPE AmazonEnvelope [<!ENTITY e "1">]>'


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("empty", ""),
        ("not XML", "order-id\torder-item-id"),
        ("cut off", WHOLE[:-20]),
        ("other root", WHOLE.replace("AmazonEnvelope", "Envelope")),
        ("namespace", WHOLE.replace("<AmazonEnvelope ", '<AmazonEnvelope xmlns="x" ')),
        ("document type", WHOLE.replace("?>", DOCTYPE, 1)),
        ("attribute", WHOLE.replace("<AmazonEnvelope ", '<AmazonEnvelope a="1" ')),
        ("other merchant", WHOLE.replace(SELLER, "AOTHERSELLER99")),
        ("merchant with space", WHOLE.replace(SELLER, f"{SELLER} ")),
        ("version", WHOLE.replace("1.01", "1")),
        (
            "no header",
            WHOLE.replace("<Header>", "<Head>").replace("</Header>", "</Head>"),
        ),
        (
            "order: type before header",
            WHOLE.replace("<MessageType>OrderAdjustment</MessageType>", "").replace(
                "<Header>", "<MessageType>OrderAdjustment</MessageType><Header>"
            ),
        ),
        (
            "type of the other feed",
            WHOLE.replace(
                "OrderAdjustment</MessageType>", "OrderAcknowledgement</MessageType>"
            ),
        ),
        ("no message", envelope("").decode()),
        ("message id of zero", envelope(message(GOOD, 0)).decode()),
        ("message id with letters", envelope(message(GOOD, "A1")).decode()),
        ("same id twice", envelope(message(GOOD) + message(GOOD)).decode()),
        ("same number twice", envelope(message(GOOD) + message(GOOD, "01")).decode()),
        ("no id", envelope(f"<Message>{GOOD}</Message>").decode()),
        ("element behind", envelope(f"{message(GOOD)}<End/>").decode()),
    ],
)
def test_document_outside_the_structure_is_refused_as_a_whole(name, document):
    with pytest.raises(reader.SchemaError):
        read(document.encode())


def test_report_of_an_unreadable_document_names_message_zero(simulator, amazon):
    document_id = amazon.upload(b"<AmazonEnvelope>")
    feed_id = amazon.create_feed(REFUND, document_id, [DE]).json()["feedId"]
    simulator.advance(60)
    processed, results = amazon.report(feed_id)
    assert processed == 0
    assert list(results) == [0]
    assert results[0][0] == "5000"
    assert simulator.ledger()["refunds"] == []


def test_one_malformed_message_does_not_stop_the_others(simulator, run):
    bad = refund(SHIPPED, SHIPPED_ITEM, Postage="1.00")
    processed, results = run(REFUND, bad, GOOD)
    assert processed == 2
    assert list(results) == [1]
    assert results[1][0] == "5000"
    assert [row["message_id"] for row in simulator.ledger()["refunds"]] == [2]
