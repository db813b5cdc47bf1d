"""The envelopes of refunds, cancellations and acknowledgements."""

import io
from decimal import Decimal

import pytest
from hypothesis import assume, given, seed, settings
from hypothesis import strategies as st
from lxml import etree
from spapi.enums import (
    ADJUSTMENT_COMPONENTS,
    ADJUSTMENT_REASONS,
    CANCEL_REASONS,
    CURRENCY_DECIMALS,
    KEPT_BACK_COMPONENTS,
)
from spapi.envelopes import (
    CancelItem,
    CancelMessage,
    CancelQuantityItem,
    CancelQuantityMessage,
    OrderNumberMessage,
    PromotionAdjustment,
    RefundItem,
    RefundMessage,
    check_message,
    order_acknowledgement,
    order_adjustment,
    write_order_acknowledgement,
    write_order_adjustment,
)
from spapi.errors import InvalidMessage

SEED = 20261121  # of all generated examples below
#: Components that go to the buyer.
GIVEN = [name for name in ADJUSTMENT_COMPONENTS if name not in KEPT_BACK_COMPONENTS]
SELLER = "ADEMOSELLER01"
ORDER = "302-1234567-1234567"
ITEM = "123456789012345"


def refund(message_id=1, order=ORDER, currency="EUR", items=None, **item):
    """A refund of one item, with some of its parts replaced."""
    values = {
        "order_item_id": ITEM,
        "merchant_adjustment_item_id": f"R{message_id}-1",
        "reason": "CustomerReturn",
        "components": (("Principal", Decimal("12.30")), ("Shipping", Decimal("4"))),
        "quantity": 2,
        **item,
    }
    items = (RefundItem(**values),) if items is None else items
    return RefundMessage(message_id, order, currency, items)


def cancel(message_id=1, order=ORDER, items=None):
    """A cancellation of two items."""
    if items is None:
        items = (
            CancelItem("11111111111111", "BuyerCanceled"),
            CancelItem(ITEM, "NoInventory"),
        )
    return CancelMessage(message_id, order, items)


def cut(message_id=1, order=ORDER, items=None, **item):
    """A cancellation of two units of one item, with some of its parts replaced."""
    values = {
        "order_item_id": ITEM,
        "merchant_adjustment_item_id": f"C{message_id}-1",
        "reason": "NoInventory",
        "quantity": 2,
        **item,
    }
    items = (CancelQuantityItem(**values),) if items is None else items
    return CancelQuantityMessage(message_id, order, items)


def number(message_id=1, order=ORDER, merchant_order_id="S00042"):
    """A seller's order number."""
    return OrderNumberMessage(message_id, order, merchant_order_id)


def promotion(amount="-2.30", component="Principal", promotion_id="SUMMER-5"):
    return PromotionAdjustment(component, Decimal(amount), promotion_id)


REFUND_XML = """<?xml version='1.0' encoding='UTF-8'?>
<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">
<Header>
<DocumentVersion>1.01</DocumentVersion>
<MerchantIdentifier>ADEMOSELLER01</MerchantIdentifier>
</Header>
<MessageType>OrderAdjustment</MessageType>
<Message>
<MessageID>1</MessageID>
<OrderAdjustment>
<AmazonOrderID>302-1234567-1234567</AmazonOrderID>
<ActionType>Refund</ActionType>
<AdjustedItem>
<AmazonOrderItemCode>123456789012345</AmazonOrderItemCode>
<MerchantAdjustmentItemID>R1-1</MerchantAdjustmentItemID>
<AdjustmentReason>CustomerReturn</AdjustmentReason>
<ItemPriceAdjustments>
<Component><Type>Principal</Type><Amount currency="EUR">12.30</Amount></Component>
<Component><Type>Shipping</Type><Amount currency="EUR">4.00</Amount></Component>
</ItemPriceAdjustments>
<Quantity>2</Quantity>
</AdjustedItem>
</OrderAdjustment>
</Message>
</AmazonEnvelope>"""

CANCEL_XML = """<?xml version='1.0' encoding='UTF-8'?>
<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">
<Header>
<DocumentVersion>1.01</DocumentVersion>
<MerchantIdentifier>ADEMOSELLER01</MerchantIdentifier>
</Header>
<MessageType>OrderAcknowledgement</MessageType>
<Message>
<MessageID>1</MessageID>
<OrderAcknowledgement>
<AmazonOrderID>302-1234567-1234567</AmazonOrderID>
<StatusCode>Failure</StatusCode>
<Item>
<AmazonOrderItemCode>11111111111111</AmazonOrderItemCode>
<CancelReason>BuyerCanceled</CancelReason>
</Item>
<Item>
<AmazonOrderItemCode>123456789012345</AmazonOrderItemCode>
<CancelReason>NoInventory</CancelReason>
</Item>
</OrderAcknowledgement>
</Message>
</AmazonEnvelope>"""


def _one_line(text):
    return text.replace("\n ", " ").replace("?>\n", "?>").replace(">\n<", "><")


def test_a_refund_is_written_in_the_order_of_amazons_schema():
    data = order_adjustment(SELLER, [refund()]).decode()
    assert data.replace("?>\n", "?>") == _one_line(REFUND_XML)


def test_a_cancellation_lists_every_item_with_its_reason():
    data = order_acknowledgement(SELLER, [cancel()]).decode()
    assert data.replace("?>\n", "?>") == _one_line(CANCEL_XML)


def test_without_a_quantity_there_is_no_element_for_it():
    assert b"Quantity" not in order_adjustment(SELLER, [refund(quantity=None)])


def test_many_orders_share_one_envelope_in_their_order():
    orders = [f"302-1234567-000000{n}" for n in range(3)]
    data = order_adjustment(SELLER, [refund(n + 1, orders[n]) for n in range(3)])
    root = etree.fromstring(data)
    assert [node.text for node in root.iter("MessageID")] == ["1", "2", "3"]
    assert [node.text for node in root.iter("AmazonOrderID")] == orders


ITEM_XML = """<AdjustedItem>
<AmazonOrderItemCode>123456789012345</AmazonOrderItemCode>
<MerchantAdjustmentItemID>R1-1</MerchantAdjustmentItemID>
<AdjustmentReason>CustomerReturn</AdjustmentReason>
<ItemPriceAdjustments>
<Component><Type>Principal</Type><Amount currency="EUR">12.30</Amount></Component>
<Component><Type>Shipping</Type><Amount currency="EUR">4.00</Amount></Component>
<Component><Type>RestockingFee</Type><Amount currency="EUR">-1.50</Amount></Component>
</ItemPriceAdjustments>
<PromotionAdjustments>
<MerchantPromotionID>SUMMER-5</MerchantPromotionID>
<Component><Type>Principal</Type><Amount currency="EUR">-2.30</Amount></Component>
</PromotionAdjustments>
<PromotionAdjustments>
<Component><Type>Shipping</Type><Amount currency="EUR">-4.00</Amount></Component>
</PromotionAdjustments>
<Quantity>2</Quantity>
</AdjustedItem>"""


def test_promotions_and_a_restocking_fee_are_taken_off_in_their_own_place():
    message = refund(
        components=(
            ("Principal", Decimal("12.30")),
            ("Shipping", Decimal("4")),
            ("RestockingFee", Decimal("-1.5")),
        ),
        promotions=(promotion(), promotion("-4", "Shipping", None)),
    )
    data = order_adjustment(SELLER, [message]).decode()
    assert ITEM_XML.replace(">\n<", "><") in data


CUT_XML = """<OrderAdjustment>
<AmazonOrderID>302-1234567-1234567</AmazonOrderID>
<ActionType>Cancel</ActionType>
<AdjustedItem>
<AmazonOrderItemCode>123456789012345</AmazonOrderItemCode>
<MerchantAdjustmentItemID>C1-1</MerchantAdjustmentItemID>
<AdjustmentReason>NoInventory</AdjustmentReason>
<QuantityCancelled>2</QuantityCancelled>
</AdjustedItem>
</OrderAdjustment>"""


def test_units_are_cancelled_without_any_amount():
    data = order_adjustment(SELLER, [cut()]).decode()
    assert CUT_XML.replace(">\n<", "><") in data
    assert "Amount" not in data


NUMBER_XML = """<OrderAcknowledgement>
<AmazonOrderID>302-1234567-1234567</AmazonOrderID>
<MerchantOrderID>S00042</MerchantOrderID>
<StatusCode>Success</StatusCode>
</OrderAcknowledgement>"""


def test_a_sellers_order_number_acknowledges_the_order():
    data = order_acknowledgement(SELLER, [number()]).decode()
    assert NUMBER_XML.replace(">\n<", "><") in data


def test_kinds_of_one_feed_share_an_envelope():
    adjusted = order_adjustment(SELLER, [refund(1), cut(2), refund(3)])
    actions = [node.text for node in etree.fromstring(adjusted).iter("ActionType")]
    assert actions == ["Refund", "Cancel", "Refund"]
    acknowledged = order_acknowledgement(SELLER, [number(1), cancel(2), number(3)])
    codes = [node.text for node in etree.fromstring(acknowledged).iter("StatusCode")]
    assert codes == ["Success", "Failure", "Success"]


@pytest.mark.parametrize(
    ("currency", "amount", "written"),
    [
        ("JPY", "1099", "1099"),
        ("JPY", "1099.00", "1099"),
        ("JPY", "1E+3", "1000"),
        ("EUR", "12.3", "12.30"),
        ("EUR", "12.300", "12.30"),
        ("USD", "1E+2", "100.00"),
        ("GBP", "0.01", "0.01"),
        ("EUR", "999999999999999999.99", "999999999999999999.99"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(currency, amount, written):
    components = (("Principal", Decimal(amount)),)
    data = order_adjustment(SELLER, [refund(currency=currency, components=components)])
    (node,) = etree.fromstring(data).iter("Amount")
    assert (node.text, node.get("currency")) == (written, currency)


def _amount(value, **message):
    return refund(components=(("Principal", value),), **message)


BAD_REFUNDS = {
    "negative": _amount(Decimal("-1")),
    "zero": _amount(Decimal("0")),
    "minus zero": _amount(Decimal("-0.00")),
    "nan": _amount(Decimal("NaN")),
    "signalling nan": _amount(Decimal("sNaN")),
    "infinite": _amount(Decimal("Infinity")),
    "float": _amount(12.3),
    "text": _amount("12.30"),
    "three decimals": _amount(Decimal("1.005")),
    "decimals of yen": _amount(Decimal("10.5"), currency="JPY"),
    "too big": _amount(Decimal("1E+19")),
    "far too big": _amount(Decimal("1E+999999")),
    "unknown component": refund(components=(("Shiping", Decimal(1)),)),
    "component twice": refund(components=(("Tax", Decimal(1)), ("Tax", Decimal(2)))),
    "no component": refund(components=()),
    "unknown reason": refund(reason="BuyerCanceled"),
    "unknown currency": refund(currency="XXX"),
    "currency outside of the schema": refund(currency="ZAR"),
    "no currency": refund(currency=None),
    "empty adjustment id": refund(merchant_adjustment_item_id=""),
    "long adjustment id": refund(merchant_adjustment_item_id="x" * 51),
    "adjustment id with control character": refund(merchant_adjustment_item_id="a\x01"),
    "adjustment id with line break": refund(merchant_adjustment_item_id="a\n"),
    "item id with markup": refund(order_item_id="<x/>"),
    "empty item id": refund(order_item_id=""),
    "quantity zero": refund(quantity=0),
    "quantity negative": refund(quantity=-1),
    "quantity true": refund(quantity=True),
    "quantity float": refund(quantity=1.0),
    **{
        f"{kind} {amount}": refund(
            components=(("Principal", Decimal(9)), (kind, Decimal(amount)))
        )
        for kind in ADJUSTMENT_COMPONENTS
        if kind != "Principal"
        for amount in (["0", "1"] if kind in KEPT_BACK_COMPONENTS else ["0", "-1"])
    },
    "fee as big as the refund": refund(
        components=(("Principal", Decimal(9)), ("RestockingFee", Decimal(-9)))
    ),
    "fee and its tax above the refund": refund(
        components=(
            ("Principal", Decimal(9)),
            ("RestockingFee", Decimal(-8)),
            ("RestockingFeeTax", Decimal("-1.01")),
        )
    ),
    "only a fee": refund(components=(("RestockingFee", Decimal(-9)),)),
    "one item without a credit": refund(
        items=refund().items
        + (
            RefundItem(
                "2",
                "R1-2",
                "Other",
                (("Principal", Decimal(1)), ("RestockingFee", Decimal(-2))),
            ),
        )
    ),
    "positive promotion": refund(promotions=(promotion("2.30"),)),
    "promotion of zero": refund(promotions=(promotion("0"),)),
    "float promotion": refund(promotions=(PromotionAdjustment("Principal", -2.3),)),
    "promotion with three decimals": refund(promotions=(promotion("-0.005"),)),
    "promotion of the tax": refund(promotions=(promotion(component="Tax"),)),
    "promotion above its component": refund(promotions=(promotion("-12.31"),)),
    "promotions above their component": refund(
        promotions=(promotion("-8"), promotion("-4.31"))
    ),
    "promotion of what is not refunded": refund(
        components=(("Shipping", Decimal(4)),), promotions=(promotion("-1"),)
    ),
    "promotions of everything": refund(
        promotions=(promotion("-12.30"), promotion("-4", "Shipping"))
    ),
    "promotion and fee of everything": refund(
        components=(("Principal", Decimal(9)), ("RestockingFee", Decimal(-4))),
        promotions=(promotion("-5"),),
    ),
    **{
        f"promotion id {name!r}": refund(promotions=(promotion(promotion_id=name),))
        for name in ("", "x" * 81, "a\n", "a\x00b", " a", "a ", "\ud800", 7)
    },
    "no items": refund(items=()),
    "item twice": refund(items=refund().items * 2),
    "message id zero": refund(0),
    "message id negative": refund(-1),
    "message id true": refund(True),
    "message id text": refund("1"),
    "message id too long": refund(10**20),
}


@pytest.mark.parametrize("problem", BAD_REFUNDS)
def test_a_refund_that_cannot_be_right_is_refused_naming_the_order(problem):
    good = refund(2, "302-7654321-7654321")
    with pytest.raises(InvalidMessage, match=ORDER) as caught:
        order_adjustment(SELLER, [good, BAD_REFUNDS[problem]])
    assert str(caught.value).endswith(".")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "order",
    ["", None, "302-1234567-123456", "302-1234567-12345678", "S01-1234567-1234567"]
    + ["302-1234567-1234567\n", " 302-1234567-1234567", "３02-1234567-1234567", 7],
)
@pytest.mark.parametrize("build", [refund, cut, cancel, number])
def test_what_is_no_order_number_is_refused(order, build):
    write = order_adjustment if build in (refund, cut) else order_acknowledgement
    with pytest.raises(InvalidMessage, match="order number"):
        write(SELLER, [build(1, order)])


BAD_CUTS = {
    "no items": cut(items=()),
    "item twice": cut(items=cut().items * 2),
    "bad item id": cut(order_item_id="x"),
    "reason of an acknowledgement": cut(reason="BuyerCanceled"),
    "no adjustment id": cut(merchant_adjustment_item_id=""),
    "long adjustment id": cut(merchant_adjustment_item_id="x" * 51),
    "message id zero": cut(0),
    **{
        f"quantity {value!r}": cut(quantity=value) for value in (0, -1, True, 1.0, None)
    },
}


@pytest.mark.parametrize("problem", BAD_CUTS)
def test_a_cut_that_cannot_be_right_is_refused_naming_the_order(problem):
    with pytest.raises(InvalidMessage, match=ORDER):
        order_adjustment(SELLER, [BAD_CUTS[problem]])


@pytest.mark.parametrize("name", ["", None, "x" * 51, " S1", "S1 ", "S\n1", "é", 7])
def test_a_sellers_number_that_cannot_be_one_is_refused_naming_the_order(name):
    with pytest.raises(InvalidMessage, match=ORDER):
        order_acknowledgement(SELLER, [number(merchant_order_id=name)])


@pytest.mark.parametrize("name", ["1", "x" * 50, "SO 2026/11 <&>"])
def test_a_sellers_number_may_have_any_form(name):
    data = order_acknowledgement(SELLER, [number(merchant_order_id=name)])
    assert etree.fromstring(data).findtext(".//MerchantOrderID") == name


def test_an_adjustment_id_of_a_refund_and_a_cut_is_used_once():
    messages = [refund(1), cut(2, merchant_adjustment_item_id="R1-1")]
    with pytest.raises(InvalidMessage, match="R1-1"):
        order_adjustment(SELLER, messages)


def test_message_ids_are_unique_across_kinds():
    with pytest.raises(InvalidMessage, match="message id 1"):
        order_acknowledgement(SELLER, [cancel(1), number(1)])


@pytest.mark.parametrize(
    "name", ["x" * 80, "DE Core Free Shipping 2018/04/24 20-00-00"]
)
def test_a_promotion_has_amazons_own_name(name):
    message = refund(promotions=(promotion(promotion_id=name),))
    root = etree.fromstring(order_adjustment(SELLER, [message]))
    assert root.findtext(".//MerchantPromotionID") == name


@pytest.mark.parametrize("write", [order_adjustment, order_acknowledgement])
def test_an_envelope_without_messages_is_refused(write):
    with pytest.raises(InvalidMessage):
        write(SELLER, [])


@pytest.mark.parametrize("seller", ["", None, "A B", "x" * 51, "é", "A\n"])
def test_a_seller_id_that_cannot_be_one_is_refused(seller):
    with pytest.raises(InvalidMessage, match="seller id"):
        order_adjustment(seller, [refund()])


def test_a_message_id_that_is_used_twice_is_refused():
    other = "302-7654321-7654321"
    messages = [refund(1), refund(1, other, merchant_adjustment_item_id="R2")]
    with pytest.raises(InvalidMessage, match=other):
        order_adjustment(SELLER, messages)


def test_an_adjustment_id_that_is_used_twice_is_refused():
    messages = [refund(1), refund(2, merchant_adjustment_item_id="R1-1")]
    with pytest.raises(InvalidMessage, match="R1-1"):
        order_adjustment(SELLER, messages)


@pytest.mark.parametrize(
    "items",
    [
        (),
        (CancelItem(ITEM, "CustomerCancel"),),
        (CancelItem(ITEM, ""),),
        (CancelItem(ITEM, "NoInventory"),) * 2,
        (CancelItem("x", "NoInventory"),),
    ],
    ids=["none", "reason of a refund", "no reason", "twice", "bad id"],
)
def test_a_cancellation_that_cannot_be_right_is_refused_naming_the_order(items):
    with pytest.raises(InvalidMessage, match=ORDER):
        order_acknowledgement(SELLER, [cancel(items=items)])


# === as a stream === #


def _orders(count):
    """Refunds of so many orders, all of one length."""
    return [refund(n, f"302-1234567-{n:07d}") for n in range(101, 101 + count)]


def _written(messages, **options):
    """Write refunds; return how many were written, and the document."""
    file = io.BytesIO()
    count = write_order_adjustment(file, SELLER, messages, **options)
    return count, file.getvalue()


def test_a_stream_is_the_same_document():
    messages = _orders(5)
    assert _written(iter(messages)) == (5, order_adjustment(SELLER, messages))
    file = io.BytesIO()
    assert write_order_acknowledgement(file, SELLER, iter([cancel()])) == 1
    assert file.getvalue() == order_acknowledgement(SELLER, [cancel()])


def test_a_document_goes_up_to_its_limit_and_not_beyond():
    messages = _orders(5)
    three = order_adjustment(SELLER, messages[:3])
    for limit, count in ((len(three), 3), (len(three) + 1, 3), (len(three) - 1, 2)):
        assert _written(messages, max_bytes=limit) == (
            count,
            order_adjustment(SELLER, messages[:count]),
        )


def test_what_was_not_written_makes_the_next_document():
    messages, sent = _orders(7), []
    limit = len(order_adjustment(SELLER, messages[:3]))
    while messages:
        count, data = _written(messages, max_bytes=limit)
        sent += [node.text for node in etree.fromstring(data).iter("AmazonOrderID")]
        messages = messages[count:]
    assert sent == [message.amazon_order_id for message in _orders(7)]


def test_messages_are_taken_one_at_a_time():
    taken = []

    def messages():
        for message in _orders(100):
            taken.append((message, file.tell()))
            yield message

    file = io.BytesIO()
    limit = len(order_adjustment(SELLER, _orders(10)))
    assert write_order_adjustment(file, SELLER, messages(), limit) == 10
    positions = [position for _message, position in taken]
    assert len(positions) == 11
    assert positions == sorted(set(positions))


def test_a_message_longer_than_a_whole_document_is_refused():
    with pytest.raises(InvalidMessage, match=ORDER):
        _written([refund()], max_bytes=400)


@pytest.mark.parametrize("problem", ["zero", "message id zero", "item twice"])
def test_nothing_is_written_of_a_message_that_cannot_be_right(problem):
    file = io.BytesIO()
    good = refund(2, "302-7654321-7654321")
    with pytest.raises(InvalidMessage, match=ORDER):
        write_order_adjustment(file, SELLER, [good, BAD_REFUNDS[problem]])
    assert b"302-7654321-7654321" in file.getvalue()
    assert ORDER.encode() not in file.getvalue()


@pytest.mark.parametrize("problem", BAD_REFUNDS)
def test_a_refund_can_be_checked_alone(problem):
    check_message(refund())
    with pytest.raises(InvalidMessage, match=ORDER):
        check_message(BAD_REFUNDS[problem])


def test_a_cancellation_can_be_checked_alone():
    for message in (cancel(), refund(), cut(), number()):
        check_message(message)
    with pytest.raises(InvalidMessage, match=ORDER):
        check_message(cancel(items=(CancelItem(ITEM, "CustomerCancel"),)))


def test_a_message_of_another_feed_does_not_get_in():
    for write, message in (
        (order_adjustment, cancel()),
        (order_adjustment, number()),
        (order_acknowledgement, refund()),
        (order_acknowledgement, cut()),
        (order_adjustment, "no message"),
    ):
        with pytest.raises(TypeError):
            write(SELLER, [message])


# === generated === #


def _amounts(currency):
    places = CURRENCY_DECIMALS[currency]
    top = Decimal(10) ** 9
    return st.decimals(
        min_value=Decimal(1).scaleb(-places), max_value=top, places=places
    )


@st.composite
def _lists(draw, currency):
    """Components and promotions of an item, with a credit in all."""
    kinds = st.lists(st.sampled_from(GIVEN), min_size=1, max_size=4, unique=True)
    components = [(kind, draw(_amounts(currency))) for kind in draw(kinds)]
    left = dict(components)
    promotions = []
    for kind in ("Principal", "Shipping"):
        if kind in left and draw(st.booleans()):
            amount = min(left[kind], draw(_amounts(currency)))
            left[kind] -= amount
            name = draw(st.none() | st.sampled_from(["P-1", "Sommer & Söhne <5>"]))
            promotions.append(PromotionAdjustment(kind, -amount, name))
    assume(any(left.values()))
    least = Decimal(1).scaleb(-CURRENCY_DECIMALS[currency])
    fee = min(sum(left.values()) - least, draw(_amounts(currency)))
    if fee > 0 and draw(st.booleans()):
        components.append(("RestockingFee", -fee))
    return tuple(components), tuple(promotions)


@st.composite
def refunds(draw):
    """Valid refunds of one to four orders."""
    messages = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        currency = draw(st.sampled_from(sorted(CURRENCY_DECIMALS)))
        items = []
        for index in range(draw(st.integers(1, 3))):
            components, promotions = draw(_lists(currency))
            items.append(
                RefundItem(
                    order_item_id=str(10**13 + index),
                    merchant_adjustment_item_id=f"{number}/{index}&<",
                    reason=draw(st.sampled_from(ADJUSTMENT_REASONS)),
                    components=components,
                    quantity=draw(st.none() | st.integers(1, 99)),
                    promotions=promotions,
                )
            )
        messages.append(RefundMessage(number, ORDER, currency, tuple(items)))
    return messages


def _component(node):
    return node.findtext("Type"), Decimal(node.findtext("Amount"))


ITEM_ORDER = [
    "AmazonOrderItemCode",
    "MerchantAdjustmentItemID",
    "AdjustmentReason",
    "ItemPriceAdjustments",
    "PromotionAdjustments",
    "Quantity",
]


@seed(SEED)
@settings(max_examples=100, deadline=None, database=None)
@given(refunds())
def test_every_valid_refund_can_be_read_back_exactly(messages):
    root = etree.fromstring(order_adjustment(SELLER, messages))
    nodes = root.findall("Message")
    assert len(nodes) == len(messages)
    for node, message in zip(nodes, messages, strict=True):
        adjusted = node.findall("OrderAdjustment/AdjustedItem")
        for item_node, item in zip(adjusted, message.items, strict=True):
            names = [child.tag for child in item_node]
            assert names == sorted(names, key=ITEM_ORDER.index)
            prices = item_node.find("ItemPriceAdjustments")
            assert tuple(map(_component, prices)) == item.components
            promotions = tuple(
                PromotionAdjustment(
                    *_component(part.find("Component")),
                    part.findtext("MerchantPromotionID"),
                )
                for part in item_node.findall("PromotionAdjustments")
            )
            assert promotions == item.promotions
            written = [amount.text for amount in item_node.iter("Amount")]
            assert all(len(text.strip("-").replace(".", "")) <= 20 for text in written)
            assert sum(map(Decimal, written)) > 0
            quantity = item_node.findtext("Quantity")
            assert quantity == (str(item.quantity) if item.quantity else None)
            assert (
                item_node.findtext("MerchantAdjustmentItemID")
                == item.merchant_adjustment_item_id
            )


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=20), st.decimals())
def test_no_input_gets_past_the_checks_into_broken_xml(item_id, own_id, reason, amount):
    message = refund(
        order_item_id=item_id,
        merchant_adjustment_item_id=own_id,
        reason=reason,
        components=(("Principal", amount),),
    )
    try:
        data = order_adjustment(SELLER, [message])
    except InvalidMessage as problem:
        assert ORDER in str(problem)
    else:
        assert etree.fromstring(data).findtext(".//AmazonOrderItemCode") == item_id


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.text(max_size=90), st.text(max_size=60), st.decimals())
def test_no_name_gets_past_the_checks_into_broken_xml(name, order_number, amount):
    taken_off = (PromotionAdjustment("Principal", amount, name),)
    try:
        data = order_adjustment(SELLER, [refund(promotions=taken_off)])
    except InvalidMessage as problem:
        assert ORDER in str(problem)
    else:
        assert etree.fromstring(data).findtext(".//MerchantPromotionID") == name
    try:
        data = order_acknowledgement(SELLER, [number(merchant_order_id=order_number)])
    except InvalidMessage as problem:
        assert ORDER in str(problem)
    else:
        assert etree.fromstring(data).findtext(".//MerchantOrderID") == order_number


@seed(SEED)
@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(st.sampled_from(CANCEL_REASONS), min_size=1, max_size=5))
def test_every_valid_cancellation_can_be_read_back_exactly(reasons):
    items = tuple(CancelItem(str(n), reason) for n, reason in enumerate(reasons))
    root = etree.fromstring(order_acknowledgement(SELLER, [cancel(items=items)]))
    assert [node.text for node in root.iter("CancelReason")] == reasons
    assert [node.text for node in root.iter("StatusCode")] == ["Failure"]
