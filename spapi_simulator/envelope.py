"""AmazonEnvelope: reads a feed and checks it as strictly as Amazon's schema would.

Written from a description of the structure; Amazon's schema files are confidential
and not part of this project. A fault of the envelope refuses the whole document
(MessageID 0), a fault inside one message refuses that message.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

# "malformed or invalid XML": the code seen in public for documents and messages
# that do not follow the schema.
INVALID_XML = "5000"

ORDER_ADJUSTMENT = "OrderAdjustment"
ORDER_ACKNOWLEDGEMENT = "OrderAcknowledgement"

FEED_MESSAGE_TYPES = {
    "POST_PAYMENT_ADJUSTMENT_DATA": ORDER_ADJUSTMENT,
    "POST_ORDER_ACKNOWLEDGEMENT_DATA": ORDER_ACKNOWLEDGEMENT,
}

ADJUSTMENT_REASONS = frozenset(
    "NoInventory CustomerReturn GeneralAdjustment CouldNotShip DifferentItem Abandoned"
    " CustomerCancel PriceError ProductOutofStock CustomerAddressIncorrect Exchange"
    " Other CarrierCreditDecision RiskAssessmentInformationNotValid"
    " CarrierCoverageFailure TransactionRecord Undeliverable RefusedDelivery".split()
)
CANCEL_REASONS = frozenset(
    "NoInventory ShippingAddressUndeliverable CustomerExchange BuyerCanceled"
    " GeneralAdjustment CarrierCreditDecision RiskAssessmentInformationNotValid"
    " CarrierCoverageFailure CustomerReturn MerchandiseNotReceived"
    " CannotVerifyInformation PricingError RejectOrder WeatherDelay".split()
)
COMPONENT_TYPES = frozenset(
    "Principal Shipping Tax ShippingTax RestockingFee RestockingFeeTax GiftWrap"
    " GiftWrapTax Surcharge ReturnShipping Goodwill ExportCharge COD CODTax Other"
    " FreeReplacementReturnShipping".split()
)
CURRENCIES = frozenset(
    "USD GBP EUR JPY CAD CNY INR MXN BRL AUD TRY SGD SEK PLN AED SAR EGP".split()
)

_ORDER_ID = r"\w{3}-\w{7}-\w{7}"
_ITEM_ID = r"\d{14,15}"
_MESSAGE_ID = r"\d{1,20}"
_AMOUNT = r"[-+]?(\d+(\.\d{0,2})?|\.\d{1,2})"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class SchemaError(ValueError):
    """The document or a message does not follow the structure."""


@dataclass
class Message:
    """One message. `error` is set when it does not follow the structure."""

    id: str
    payload: object = None
    error: str | None = None


@dataclass
class AdjustedItem:
    """One item of an OrderAdjustment.

    `components` and `promotions` are lists of (type, Decimal, currency or None).
    """

    item_id: str | None
    merchant_item_id: str | None
    merchant_adjustment_item_id: str | None
    reason: str
    components: list
    promotions: list
    direct_payments: list
    quantity_cancelled: int | None
    quantity: int | None


@dataclass
class OrderAdjustment:
    """What one message of a refund feed asks for."""

    order_id: str | None
    merchant_order_id: str | None
    action: str | None
    items: list


@dataclass
class AcknowledgedItem:
    """One item of an OrderAcknowledgement."""

    item_id: str
    merchant_item_id: str | None
    cancel_reason: str | None
    quantity: int | None


@dataclass
class OrderAcknowledgement:
    """What one message of an acknowledgement feed asks for."""

    order_id: str
    merchant_order_id: str | None
    status: str
    items: list


class _Sequence:
    """Reads the children of an element in the order of an xsd:sequence."""

    def __init__(self, element):
        self.element = element
        if element.text and element.text.strip():
            raise SchemaError(f"text is not allowed in {element.tag}")
        self._children = [child for child in element if isinstance(child.tag, str)]
        self._at = 0

    def peek(self):
        """Return the name of the next child, or None."""
        if self._at < len(self._children):
            return self._children[self._at].tag
        return None

    def many(self, name, at_least=0):
        """Take every next child of this name."""
        found = []
        while self.peek() == name:
            found.append(self._children[self._at])
            self._at += 1
        if len(found) < at_least:
            expected = f"expected {name} in {self.element.tag}"
            raise SchemaError(f"{expected}, found {self.peek() or 'its end'}")
        return found

    def optional(self, name):
        """Take the next child when it has this name."""
        if self.peek() != name:
            return None
        child = self._children[self._at]
        self._at += 1
        return child

    def required(self, name):
        """Take the next child, which must have this name."""
        child = self.optional(name)
        if child is None:
            expected = f"expected {name} in {self.element.tag}"
            raise SchemaError(f"{expected}, found {self.peek() or 'its end'}")
        return child

    def text(self, name, pattern=None, choices=None, required=True):
        """Take the text of the next child and check it."""
        child = self.required(name) if required else self.optional(name)
        return None if child is None else _text(child, pattern, choices)

    def end(self):
        """Check that no child is left."""
        if self.peek() is not None:
            raise SchemaError(f"unexpected {self.peek()} in {self.element.tag}")


def read(data, feed_type, seller_id):
    """Read a feed document.

    :param bytes data: the document as uploaded
    :param str feed_type: the type given to createFeed
    :param str seller_id: the seller whose feed it is
    :return: list of Message
    :raise SchemaError: when the document as a whole is refused
    """
    root = _parse(data)
    _no_attributes(root, allowed={_XSI + "noNamespaceSchemaLocation"})
    if root.tag != "AmazonEnvelope":
        raise SchemaError(f"the document is {root.tag}, not AmazonEnvelope")
    envelope = _Sequence(root)
    _read_header(envelope.required("Header"), seller_id)
    expected = FEED_MESSAGE_TYPES[feed_type]
    envelope.text("MessageType", choices={expected})
    envelope.text("PurgeAndReplace", choices={"true", "false"}, required=False)
    envelope.text("EffectiveDate", required=False)
    messages = [
        _read_message(element, expected)
        for element in envelope.many("Message", at_least=1)
    ]
    envelope.end()
    ids = [int(message.id) for message in messages]
    if len(set(ids)) < len(ids):
        raise SchemaError("the message ids are not unique")
    return messages


def _parse(data):
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise SchemaError(f"XML parsing error: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise SchemaError("a document type is not allowed")
    return root


def _read_header(element, seller_id):
    header = _Sequence(element)
    header.text("DocumentVersion", pattern=r"\d{1,2}\.\d{1,2}")
    merchant = header.text("MerchantIdentifier", pattern=r".{1,50}")
    header.text("OverrideReleaseId", required=False)
    header.end()
    if merchant != seller_id:
        raise SchemaError(
            f"MerchantIdentifier {merchant} is not the seller of the feed"
        )


def _read_message(element, expected):
    """Read one message; only its id can refuse the whole document."""
    children = _Sequence(element)
    message_id = children.text("MessageID", pattern=_MESSAGE_ID)
    if int(message_id) < 1:
        raise SchemaError("a MessageID must be positive")
    message = Message(message_id)
    try:
        operations = {"Update", "Delete", "PartialUpdate"}
        children.text("OperationType", choices=operations, required=False)
        payload = children.required(expected)
        children.end()
        message.payload = _PAYLOADS[expected](payload)
    except SchemaError as error:
        message.error = str(error)
    return message


def _read_adjustment(element):
    children = _Sequence(element)
    order_id = merchant_order_id = None
    if children.peek() == "MerchantOrderID":
        merchant_order_id = children.text("MerchantOrderID", pattern=r".{1,50}")
    else:
        order_id = children.text("AmazonOrderID", pattern=_ORDER_ID)
    action = children.text("ActionType", choices={"Refund", "Cancel"}, required=False)
    children.text("CODCollectionMethod", choices={"DirectPayment"}, required=False)
    items = [_read_item(item) for item in children.many("AdjustedItem", at_least=1)]
    children.end()
    return OrderAdjustment(order_id, merchant_order_id, action, items)


def _read_item(element):
    children = _Sequence(element)
    item_id = merchant_item_id = None
    if children.peek() == "MerchantOrderItemID":
        merchant_item_id = children.text("MerchantOrderItemID", pattern=r".{1,50}")
    else:
        item_id = children.text("AmazonOrderItemCode", pattern=_ITEM_ID)
    adjustment_id = children.text(
        "MerchantAdjustmentItemID", pattern=r".{1,50}", required=False
    )
    reason = children.text("AdjustmentReason", choices=ADJUSTMENT_REASONS)
    prices = children.optional("ItemPriceAdjustments")
    promotions = children.many("PromotionAdjustments")
    direct = children.optional("DirectPaymentAdjustments")
    item = AdjustedItem(
        item_id=item_id,
        merchant_item_id=merchant_item_id,
        merchant_adjustment_item_id=adjustment_id,
        reason=reason,
        components=_read_components(prices, COMPONENT_TYPES),
        promotions=[
            component
            for promotion in promotions
            for component in _read_promotion(promotion)
        ],
        direct_payments=_read_components(direct, None),
        quantity_cancelled=_quantity(children, "QuantityCancelled"),
        quantity=_quantity(children, "Quantity"),
    )
    children.end()
    return item


def _read_promotion(element):
    children = _Sequence(element)
    children.text("PromotionClaimCode", pattern=r".{6,12}", required=False)
    children.text("MerchantPromotionID", pattern=r".{1,80}", required=False)
    types = {"Principal", "Shipping"}
    rows = [_read_component(row, types) for row in children.many("Component", 1)]
    children.end()
    return rows


def _read_components(element, types):
    if element is None:
        return []
    children = _Sequence(element)
    rows = [_read_component(row, types) for row in children.many("Component", 1)]
    children.end()
    return rows


def _read_component(element, types):
    children = _Sequence(element)
    kind = children.text("Type", choices=types)
    amount = children.required("Amount")
    children.end()
    text = _text(amount, _AMOUNT, None, attributes={"currency"})
    if sum(character.isdigit() for character in text) > 20:
        raise SchemaError("Amount has more than 20 digits")
    currency = amount.get("currency")
    if currency is not None and currency not in CURRENCIES:
        raise SchemaError(f"currency {currency!r} is not one of the values")
    return kind, Decimal(text), currency


def _read_acknowledgement(element):
    children = _Sequence(element)
    order_id = children.text("AmazonOrderID", pattern=_ORDER_ID)
    merchant_id = children.text("MerchantOrderID", pattern=r".{1,50}", required=False)
    status = children.text("StatusCode", choices={"Success", "Failure"})
    items = [_read_acknowledged(item) for item in children.many("Item")]
    children.end()
    return OrderAcknowledgement(order_id, merchant_id, status, items)


def _read_acknowledged(element):
    children = _Sequence(element)
    item = AcknowledgedItem(
        item_id=children.text("AmazonOrderItemCode", pattern=_ITEM_ID),
        merchant_item_id=children.text(
            "MerchantOrderItemID", pattern=r".{1,50}", required=False
        ),
        cancel_reason=children.text(
            "CancelReason", choices=CANCEL_REASONS, required=False
        ),
        quantity=_quantity(children, "Quantity"),
    )
    children.end()
    return item


_PAYLOADS = {
    ORDER_ADJUSTMENT: _read_adjustment,
    ORDER_ACKNOWLEDGEMENT: _read_acknowledgement,
}


def _quantity(children, name):
    text = children.text(name, pattern=r"\+?0*[1-9]\d*", required=False)
    return None if text is None else int(text)


def _text(element, pattern=None, choices=None, attributes=frozenset()):
    """Return the text of a leaf and check it against pattern and choices."""
    if len(element):
        raise SchemaError(f"{element.tag} must not contain elements")
    _no_attributes(element, allowed=attributes)
    text = element.text or ""
    if choices is not None and text not in choices:
        raise SchemaError(f"{element.tag} {text!r} is not one of the values")
    if pattern is not None and not re.fullmatch(pattern, text, re.ASCII | re.DOTALL):
        raise SchemaError(f"{element.tag} {text!r} does not fit its pattern")
    return text


def _no_attributes(element, allowed):
    for name in element.attrib:
        if name not in allowed:
            raise SchemaError(f"attribute {name} is not allowed in {element.tag}")
