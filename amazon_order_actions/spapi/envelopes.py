"""Build the XML envelopes of the feeds that refund, cancel and acknowledge.

Structure and order of the elements follow Amazon's feed schemas, release 4.1
(amzn-envelope, OrderAdjustment revision 12, OrderAcknowledgement revision 7); both
payloads are an ``xsd:sequence``, so the order counts.
"""

import io
import re
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from .enums import (
    ADJUSTMENT_COMPONENTS,
    ADJUSTMENT_REASONS,
    CANCEL_REASONS,
    CURRENCY_DECIMALS,
    KEPT_BACK_COMPONENTS,
    PROMOTION_COMPONENTS,
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
#: The seller's order number; schema: at most 50 characters. Printable ASCII, as above,
#: with blanks only inside.
_MERCHANT_ORDER_ID = re.compile(r"(?! )[\x20-\x7e]{1,50}(?<! )")
_MAX_PROMOTION_ID = 80
_SELLER_ID = re.compile(r"[A-Za-z0-9]{1,50}")
_MAX_MESSAGE_ID = 10**20 - 1
_MAX_DIGITS = 20

_TAIL = b"</AmazonEnvelope>"


@dataclass(frozen=True)
class PromotionAdjustment:
    """What a promotion had taken off, taken off the refund again.

    Amazon does not document the sign; negative amounts are those of the published
    examples of this element.

    :param str component: one of `enums.PROMOTION_COMPONENTS`
    :param Decimal amount: negative, for the whole line
    :param promotion_id: Amazon's id of the promotion, 1 to 80 characters, or None
    """

    component: str
    amount: Decimal
    promotion_id: str | None = None


@dataclass(frozen=True)
class RefundItem:
    """What one order item gets back: the sum of all its amounts, above zero.

    :param str order_item_id: Amazon's order item id
    :param str merchant_adjustment_item_id: the seller's own id of this refund, 1 to 50
        characters; comes back in the settlement report
    :param str reason: one of `enums.ADJUSTMENT_REASONS`
    :param tuple components: pairs of a type of `enums.ADJUSTMENT_COMPONENTS` and a
        Decimal amount for the whole line, not for one unit: positive, but negative for
        those of `enums.KEPT_BACK_COMPONENTS`
    :param quantity: units that the refund is for, or None; does not multiply amounts
    :param tuple promotions: `PromotionAdjustment`; where there are any, the component
        that they belong to is the price before them
    """

    order_item_id: str
    merchant_adjustment_item_id: str
    reason: str
    components: tuple
    quantity: int | None = None
    promotions: tuple = ()


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
class CancelQuantityItem:
    """Units of an order item that will not be sent.

    :param str order_item_id: Amazon's order item id
    :param str merchant_adjustment_item_id: the seller's own id, 1 to 50 characters
    :param str reason: one of `enums.ADJUSTMENT_REASONS`
    :param int quantity: how many units to cancel
    """

    order_item_id: str
    merchant_adjustment_item_id: str
    reason: str
    quantity: int


@dataclass(frozen=True)
class CancelQuantityMessage:
    """The cancellation of items or units of an order that is not shipped.

    For a whole order see `CancelMessage` (Seller Central, help G201722390).

    :param int message_id: unique in the envelope; the report names it
    :param str amazon_order_id: in the form 3-7-7
    :param tuple items: `CancelQuantityItem`, one for each order item
    """

    message_id: int
    amazon_order_id: str
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


@dataclass(frozen=True)
class OrderNumberMessage:
    """The seller's own number of an order, for Amazon to keep beside its own.

    :param int message_id: unique in the envelope; the report names it
    :param str amazon_order_id: in the form 3-7-7
    :param str merchant_order_id: 1 to 50 printable characters of ASCII
    """

    message_id: int
    amazon_order_id: str
    merchant_order_id: str


def order_adjustment(seller_id, messages):
    """Return the feed POST_PAYMENT_ADJUSTMENT_DATA of `messages`.

    See `write_order_adjustment`.

    :rtype: bytes
    """
    return _in_memory(write_order_adjustment, seller_id, messages)


def order_acknowledgement(seller_id, messages):
    """Return the feed POST_ORDER_ACKNOWLEDGEMENT_DATA of `messages`.

    See `write_order_acknowledgement`.

    :rtype: bytes
    """
    return _in_memory(write_order_acknowledgement, seller_id, messages)


def write_order_adjustment(file, seller_id, messages, max_bytes=None):
    """Write the feed POST_PAYMENT_ADJUSTMENT_DATA of `messages`.

    One message at a time is in memory. Where it raises, the file holds a beginning
    that must not be sent.

    :param file: binary file, written from where it stands
    :param str seller_id: the merchant identifier of the account
    :param messages: iterable of `RefundMessage` and `CancelQuantityMessage`, mixed
    :param int max_bytes: the document ends before the message that would make it
        longer; None for no limit
    :return: how many messages were written, the first ones; one more may have been
        taken from `messages`
    :rtype: int
    :raises InvalidMessage: something in a message cannot be right, or there is none
    """
    return _write(file, seller_id, "OrderAdjustment", messages, max_bytes)


def write_order_acknowledgement(file, seller_id, messages, max_bytes=None):
    """Write the feed POST_ORDER_ACKNOWLEDGEMENT_DATA of `messages`.

    See `write_order_adjustment`.

    :param messages: iterable of `CancelMessage` and `OrderNumberMessage`, mixed
    """
    return _write(file, seller_id, "OrderAcknowledgement", messages, max_bytes)


def is_seller_id(text):
    """Tell whether an envelope takes this as the merchant identifier: letters and
    digits, 50 at most."""
    return isinstance(text, str) and bool(_SELLER_ID.fullmatch(text))


def check_message(message):
    """Check one message alone, as it is checked before it is written.

    :param message: any of the messages above
    :raises InvalidMessage: something in it cannot be right; names the order
    """
    _message(message)


# === WRITE === #


def _in_memory(write, seller_id, messages):
    file = io.BytesIO()
    write(file, seller_id, messages)
    return file.getvalue()


def _write(file, seller_id, message_type, messages, max_bytes):
    head = _head(seller_id, message_type)
    size = len(head) + len(_TAIL)
    file.write(head)
    count, seen = 0, _Seen()
    for message in messages:
        written = _serialize(_message(message, message_type))
        size += len(written)
        if max_bytes is not None and size > max_bytes:
            if count:
                break
            raise InvalidMessage(
                f"Order {message.amazon_order_id}: the message is too long for a feed."
            )
        seen.add(message)
        file.write(written)
        count += 1
    if not count:
        raise InvalidMessage("A feed needs at least one message.")
    file.write(_TAIL)
    return count


def _head(seller_id, message_type):
    """Return all that stands before the first message."""
    if not is_seller_id(seller_id):
        raise InvalidMessage("The seller id of the account is missing or not valid.")
    envelope = etree.Element("AmazonEnvelope", nsmap={"xsi": _XSI})
    envelope.set(f"{{{_XSI}}}noNamespaceSchemaLocation", "amzn-envelope.xsd")
    header = _add(envelope, "Header")
    _add(header, "DocumentVersion", DOCUMENT_VERSION)
    _add(header, "MerchantIdentifier", seller_id)
    _add(envelope, "MessageType", message_type)
    return _serialize(envelope, xml_declaration=True).removesuffix(_TAIL)


class _Seen:
    """The ids of an envelope, none of which may stand there twice."""

    def __init__(self):
        self._message_ids = set()
        self._adjustment_ids = set()

    def add(self, message):
        """Note the ids of a message.

        :raises InvalidMessage: one of them was there before
        """
        if message.message_id in self._message_ids:
            raise InvalidMessage(
                f"Order {message.amazon_order_id}: the message id "
                f"{message.message_id} is used twice."
            )
        self._message_ids.add(message.message_id)
        if isinstance(message, RefundMessage | CancelQuantityMessage):
            for item in message.items:
                self._add_adjustment(message, item.merchant_adjustment_item_id)

    def _add_adjustment(self, message, adjustment_id):
        if adjustment_id in self._adjustment_ids:
            raise InvalidMessage(
                f"Order {message.amazon_order_id}: the adjustment id "
                f"{adjustment_id!r} is used twice."
            )
        self._adjustment_ids.add(adjustment_id)


def _message(message, message_type=None):
    """Return the element of one message, after checking it.

    :raises InvalidMessage: something in it cannot be right
    :raises TypeError: it is no message of this type
    """
    kind, add = _PAYLOADS.get(type(message), (None, None))
    if not kind or message_type not in (None, kind):
        raise TypeError(f"{type(message).__name__} does not go into this feed.")
    _check_message(message)
    node = etree.Element("Message")
    _add(node, "MessageID", str(message.message_id))
    add(_add(node, kind), message)
    return node


def _add_refund(node, message):
    order = message.amazon_order_id
    if message.currency not in CURRENCY_DECIMALS:
        raise InvalidMessage(
            f"Order {order}: Amazon takes no refund by feed in the currency "
            f"{message.currency!r}."
        )
    _check_items(message)
    _add(node, "AmazonOrderID", order)
    # Optional in the schema; says that this is a refund and no partial cancellation.
    _add(node, "ActionType", "Refund")
    for item in message.items:
        _check_refund_item(order, item)
        _add_refund_item(node, message, item)


def _add_refund_item(node, message, item):
    child = _add_adjusted_item(node, item)
    prices = _add(child, "ItemPriceAdjustments")
    for kind, amount in item.components:
        sign = -1 if kind in KEPT_BACK_COMPONENTS else 1
        _add_component(prices, message, kind, amount, sign)
    for promotion in item.promotions:
        part = _add(child, "PromotionAdjustments")
        if promotion.promotion_id is not None:
            _add(part, "MerchantPromotionID", promotion.promotion_id)
        _add_component(part, message, promotion.component, promotion.amount, -1)
    if item.quantity is not None:
        _add(child, "Quantity", str(item.quantity))
    # After the amounts are known to be numbers.
    _check_credit(message.amazon_order_id, item)


def _add_adjusted_item(node, item):
    """Add what every adjustment of an item begins with."""
    child = _add(node, "AdjustedItem")
    _add(child, "AmazonOrderItemCode", item.order_item_id)
    _add(child, "MerchantAdjustmentItemID", item.merchant_adjustment_item_id)
    _add(child, "AdjustmentReason", item.reason)
    return child


def _add_component(node, message, kind, amount, sign):
    text = _amount(message.amazon_order_id, kind, amount, message.currency, sign)
    component = _add(node, "Component")
    _add(component, "Type", kind)
    _add(component, "Amount", text).set("currency", message.currency)


def _add_quantity_cancellation(node, message):
    order = message.amazon_order_id
    _check_items(message)
    _add(node, "AmazonOrderID", order)
    # Assumed: Amazon does not document how it goes together with QuantityCancelled.
    # It says that this is no refund.
    _add(node, "ActionType", "Cancel")
    for item in message.items:
        _check_adjusted_item(order, item)
        _check_quantity(order, item)
        child = _add_adjusted_item(node, item)
        _add(child, "QuantityCancelled", str(item.quantity))


def _add_cancellation(node, message):
    order = message.amazon_order_id
    _check_items(message)
    _add(node, "AmazonOrderID", order)
    _add(node, "StatusCode", "Failure")
    for item in message.items:
        _check_choice(order, "cancel reason", item.reason, CANCEL_REASONS)
        child = _add(node, "Item")
        _add(child, "AmazonOrderItemCode", item.order_item_id)
        _add(child, "CancelReason", item.reason)


def _add_order_number(node, message):
    order, number = message.amazon_order_id, message.merchant_order_id
    _check_text(order, "seller order number", number, _MERCHANT_ORDER_ID)
    _add(node, "AmazonOrderID", order)
    _add(node, "MerchantOrderID", number)
    _add(node, "StatusCode", "Success")


_PAYLOADS = {
    RefundMessage: ("OrderAdjustment", _add_refund),
    CancelQuantityMessage: ("OrderAdjustment", _add_quantity_cancellation),
    CancelMessage: ("OrderAcknowledgement", _add_cancellation),
    OrderNumberMessage: ("OrderAcknowledgement", _add_order_number),
}


def _add(parent, name, text=None):
    node = etree.SubElement(parent, name)
    if text is not None:
        node.text = text
    return node


def _serialize(node, **options):
    return etree.tostring(node, encoding="UTF-8", **options)


# === CHECK === #


def _check_refund_item(order, item):
    _check_adjusted_item(order, item)
    if not item.components:
        raise InvalidMessage(
            f"Order {order}: item {item.order_item_id} has no amount to refund."
        )
    seen = set()
    for kind, _amount_of_it in item.components:
        _check_choice(order, "component", kind, ADJUSTMENT_COMPONENTS)
        if kind in seen:
            raise InvalidMessage(
                f"Order {order}: item {item.order_item_id} has the component {kind} "
                "twice."
            )
        seen.add(kind)
    for promotion in item.promotions:
        _check_promotion(order, promotion)
    if item.quantity is not None:
        _check_quantity(order, item)


def _check_adjusted_item(order, item):
    _check_choice(order, "refund reason", item.reason, ADJUSTMENT_REASONS)
    _check_text(
        order, "adjustment id", item.merchant_adjustment_item_id, _ADJUSTMENT_ID
    )


def _check_promotion(order, promotion):
    _check_choice(
        order,
        "component of a promotion",
        promotion.component,
        PROMOTION_COMPONENTS,
    )
    name = promotion.promotion_id
    if name is None:
        return
    usable = isinstance(name, str) and name.isprintable() and name == name.strip()
    if not usable or not 1 <= len(name) <= _MAX_PROMOTION_ID:
        raise InvalidMessage(f"Order {order}: the promotion id {name!r} is not valid.")


def _check_credit(order, item):
    """Check that the buyer gets something, and no promotion takes off too much.

    "Net must be a credit to the buyer" (help of the XML guide); that of a message is
    one where that of each of its items is.
    """
    amounts = dict(item.components)
    for promotion in item.promotions:
        kind = promotion.component
        amounts[kind] = amounts.get(kind, 0) + promotion.amount
        if amounts[kind] < 0:
            raise InvalidMessage(
                f"Order {order}: the promotions of item {item.order_item_id} take off "
                f"more than the refund of {kind}."
            )
    if sum(amounts.values()) <= 0:
        raise InvalidMessage(
            f"Order {order}: what item {item.order_item_id} gets back in all must be "
            "above zero."
        )


def _check_quantity(order, item):
    if not _is_whole(item.quantity):
        raise InvalidMessage(
            f"Order {order}: the quantity of item {item.order_item_id} must be a whole "
            "number above zero."
        )


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


def _check_items(message):
    """Check the item ids of a message."""
    order = message.amazon_order_id
    if not message.items:
        raise InvalidMessage(f"Order {order}: the message lists no items.")
    seen = set()
    for item in message.items:
        item_id = item.order_item_id
        _check_text(order, "order item id", item_id, _ITEM_ID)
        if item_id in seen:
            raise InvalidMessage(f"Order {order}: item {item_id} is listed twice.")
        seen.add(item_id)


def _check_choice(order, what, value, choices):
    if value not in choices:
        raise InvalidMessage(f"Order {order}: Amazon knows no {what} {value!r}.")


def _check_text(order, what, value, pattern):
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidMessage(f"Order {order}: the {what} {value!r} is not valid.")


def _is_whole(number):
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _amount(order, kind, amount, currency, sign):
    """Return an amount as Amazon's schema wants it: at most 20 digits, 2 of a fraction.

    :param Decimal amount: in units of `currency`
    :param int sign: that it must have, 1 or -1
    """
    problem = None
    decimals = CURRENCY_DECIMALS[currency]
    if not isinstance(amount, Decimal) or not amount.is_finite():
        problem = "is not a number"
    elif sign > 0 and amount <= 0:
        problem = "must be above zero"
    elif sign < 0 and amount >= 0:
        problem = "must be below zero"
    elif amount.adjusted() >= _MAX_DIGITS - decimals:
        problem = "is too big"
    elif amount != round(amount, decimals):
        problem = f"has more than {decimals} decimals"
    if problem:
        raise InvalidMessage(
            f"Order {order}: the amount {amount} {currency} of {kind} {problem}."
        )
    return f"{amount:.{decimals}f}"
