"""Build the XML envelopes of the feeds that refund and cancel.

Structure and order of the elements follow Amazon's feed schemas, release 4.1
(amzn-envelope, OrderAdjustment revision 12, OrderAcknowledgement revision 7); both
payloads are an ``xsd:sequence``, so the order counts.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from .enums import (
    ADJUSTMENT_COMPONENTS,
    ADJUSTMENT_REASONS,
    CANCEL_REASONS,
    CURRENCY_DECIMALS,
)
from .errors import InvalidMessage

DOCUMENT_VERSION = "1.01"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"

#: 3-7-7. Amazon's schema says ``\w{3}-\w{7}-\w{7}``; orders of Amazon's own shops have
#: digits only, and only those can be refunded or cancelled by feed.
_ORDER_ID = re.compile(r"[0-9]{3}-[0-9]{7}-[0-9]{7}")
#: The schema's ``\d{14}`` is outdated, ids of 15 digits exist; so only the alphabet.
_ITEM_ID = re.compile(r"[0-9]{1,30}")
#: Our own id; schema: 1 to 50 characters. Printable ASCII, since it comes back in
#: reports of any encoding.
_ADJUSTMENT_ID = re.compile(r"[\x21-\x7e]{1,50}")
_SELLER_ID = re.compile(r"[A-Za-z0-9]{1,50}")
_MAX_MESSAGE_ID = 10**20 - 1
_MAX_DIGITS = 20


@dataclass(frozen=True)
class RefundItem:
    """What one order item gets back.

    :param str order_item_id: Amazon's order item id
    :param str merchant_adjustment_item_id: the seller's own id of this refund, 1 to 50
        characters; comes back in the settlement report
    :param str reason: one of `enums.ADJUSTMENT_REASONS`
    :param tuple components: pairs of a type of `enums.ADJUSTMENT_COMPONENTS` and a
        positive Decimal amount for the whole line, not for one unit
    :param quantity: units that the refund is for, or None; does not multiply amounts
    """

    order_item_id: str
    merchant_adjustment_item_id: str
    reason: str
    components: tuple
    quantity: int | None = None


@dataclass(frozen=True)
class RefundMessage:
    """The refund of one order.

    :param int message_id: unique in the envelope; the report names it
    :param str amazon_order_id: in the form 3-7-7
    :param str currency: ISO 4217, of all amounts
    :param tuple items: `RefundItem`, one for each order item
    """

    message_id: int
    amazon_order_id: str
    currency: str
    items: tuple


@dataclass(frozen=True)
class CancelItem:
    """An order item to cancel.

    :param str order_item_id: Amazon's order item id
    :param str reason: one of `enums.CANCEL_REASONS`
    """

    order_item_id: str
    reason: str


@dataclass(frozen=True)
class CancelMessage:
    """The cancellation of one whole order.

    :param int message_id: unique in the envelope; the report names it
    :param str amazon_order_id: in the form 3-7-7
    :param tuple items: `CancelItem` for **every** item of the order: a cancellation
        that lists no items was seen to do nothing
    """

    message_id: int
    amazon_order_id: str
    items: tuple


def order_adjustment(seller_id, messages):
    """Return the feed POST_PAYMENT_ADJUSTMENT_DATA that refunds `messages`.

    :param str seller_id: the merchant identifier of the account
    :param messages: `RefundMessage`
    :rtype: bytes
    :raises InvalidMessage: something in it cannot be right; names the order
    """
    messages = tuple(messages)
    envelope = _envelope(seller_id, "OrderAdjustment", messages)
    adjustment_ids = [
        item.merchant_adjustment_item_id
        for message in messages
        for item in message.items
    ]
    for message in messages:
        for item in message.items:
            if adjustment_ids.count(item.merchant_adjustment_item_id) > 1:
                raise InvalidMessage(
                    f"Order {message.amazon_order_id}: the adjustment id "
                    f"{item.merchant_adjustment_item_id!r} is used twice."
                )
        _add_adjustment(_add_message(envelope, message), message)
    return _bytes(envelope)


def order_acknowledgement(seller_id, messages):
    """Return the feed POST_ORDER_ACKNOWLEDGEMENT_DATA that cancels `messages`.

    :param str seller_id: the merchant identifier of the account
    :param messages: `CancelMessage`
    :rtype: bytes
    :raises InvalidMessage: something in it cannot be right; names the order
    """
    messages = tuple(messages)
    envelope = _envelope(seller_id, "OrderAcknowledgement", messages)
    for message in messages:
        node = etree.SubElement(_add_message(envelope, message), "OrderAcknowledgement")
        _add(node, "AmazonOrderID", message.amazon_order_id)
        _add(node, "StatusCode", "Failure")
        for item in message.items:
            order = message.amazon_order_id
            _check_choice(order, "cancel reason", item.reason, CANCEL_REASONS)
            child = etree.SubElement(node, "Item")
            _add(child, "AmazonOrderItemCode", item.order_item_id)
            _add(child, "CancelReason", item.reason)
    return _bytes(envelope)


def _add_adjustment(parent, message):
    order = message.amazon_order_id
    if message.currency not in CURRENCY_DECIMALS:
        raise InvalidMessage(
            f"Order {order}: Amazon takes no refund by feed in the currency "
            f"{message.currency!r}."
        )
    node = etree.SubElement(parent, "OrderAdjustment")
    _add(node, "AmazonOrderID", order)
    # Optional in the schema; says that this is a refund and no partial cancellation.
    _add(node, "ActionType", "Refund")
    for item in message.items:
        _check_refund_item(order, item)
        child = etree.SubElement(node, "AdjustedItem")
        _add(child, "AmazonOrderItemCode", item.order_item_id)
        _add(child, "MerchantAdjustmentItemID", item.merchant_adjustment_item_id)
        _add(child, "AdjustmentReason", item.reason)
        prices = etree.SubElement(child, "ItemPriceAdjustments")
        for kind, amount in item.components:
            component = etree.SubElement(prices, "Component")
            _add(component, "Type", kind)
            text = _amount(order, kind, amount, message.currency)
            _add(component, "Amount", text).set("currency", message.currency)
        if item.quantity is not None:
            _add(child, "Quantity", str(item.quantity))


def _check_refund_item(order, item):
    _check_choice(order, "refund reason", item.reason, ADJUSTMENT_REASONS)
    _check_text(
        order, "adjustment id", item.merchant_adjustment_item_id, _ADJUSTMENT_ID
    )
    if not item.components:
        raise InvalidMessage(
            f"Order {order}: item {item.order_item_id} has no amount to refund."
        )
    kinds = [kind for kind, _amount in item.components]
    for kind in kinds:
        _check_choice(order, "component", kind, ADJUSTMENT_COMPONENTS)
        if kinds.count(kind) > 1:
            raise InvalidMessage(
                f"Order {order}: item {item.order_item_id} has the component {kind} "
                "twice."
            )
    if item.quantity is not None and not _is_whole(item.quantity):
        raise InvalidMessage(
            f"Order {order}: the quantity of item {item.order_item_id} must be a whole "
            "number above zero."
        )


def _envelope(seller_id, message_type, messages):
    """Return an envelope without messages, after checking what all kinds share."""
    if not isinstance(seller_id, str) or not _SELLER_ID.fullmatch(seller_id):
        raise InvalidMessage("The seller id of the account is missing or not valid.")
    if not messages:
        raise InvalidMessage("A feed needs at least one message.")
    seen = set()
    for message in messages:
        _check_message(message)
        if message.message_id in seen:
            raise InvalidMessage(
                f"Order {message.amazon_order_id}: the message id "
                f"{message.message_id} is used twice."
            )
        seen.add(message.message_id)
    envelope = etree.Element("AmazonEnvelope", nsmap={"xsi": _XSI})
    envelope.set(f"{{{_XSI}}}noNamespaceSchemaLocation", "amzn-envelope.xsd")
    header = etree.SubElement(envelope, "Header")
    _add(header, "DocumentVersion", DOCUMENT_VERSION)
    _add(header, "MerchantIdentifier", seller_id)
    _add(envelope, "MessageType", message_type)
    return envelope


def _check_message(message):
    order = message.amazon_order_id
    if not isinstance(order, str) or not _ORDER_ID.fullmatch(order):
        raise InvalidMessage(
            f"{order!r} is not an Amazon order number; it must look like "
            "123-1234567-1234567."
        )
    if not _is_whole(message.message_id) or message.message_id > _MAX_MESSAGE_ID:
        raise InvalidMessage(
            f"Order {order}: the message id must be a whole number above zero."
        )
    if not message.items:
        raise InvalidMessage(f"Order {order}: the message lists no items.")
    item_ids = [item.order_item_id for item in message.items]
    for item_id in item_ids:
        _check_text(order, "order item id", item_id, _ITEM_ID)
        if item_ids.count(item_id) > 1:
            raise InvalidMessage(f"Order {order}: item {item_id} is listed twice.")


def _check_choice(order, what, value, choices):
    if value not in choices:
        raise InvalidMessage(f"Order {order}: Amazon knows no {what} {value!r}.")


def _check_text(order, what, value, pattern):
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidMessage(f"Order {order}: the {what} {value!r} is not valid.")


def _is_whole(number):
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _amount(order, kind, amount, currency):
    """Return an amount as Amazon's schema wants it: at most 20 digits, 2 of a fraction.

    :param Decimal amount: in units of `currency`
    """
    problem = None
    decimals = CURRENCY_DECIMALS[currency]
    if not isinstance(amount, Decimal) or not amount.is_finite():
        problem = "is not a number"
    elif amount <= 0:
        problem = "must be above zero"
    elif amount.adjusted() >= _MAX_DIGITS - decimals:
        problem = "is too big"
    elif amount != round(amount, decimals):
        problem = f"has more than {decimals} decimals"
    if problem:
        raise InvalidMessage(
            f"Order {order}: the amount {amount} {currency} of {kind} {problem}."
        )
    return f"{amount:.{decimals}f}"


def _add_message(envelope, message):
    node = etree.SubElement(envelope, "Message")
    _add(node, "MessageID", str(message.message_id))
    return node


def _add(parent, name, text):
    node = etree.SubElement(parent, name)
    node.text = text
    return node


def _bytes(envelope):
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)
