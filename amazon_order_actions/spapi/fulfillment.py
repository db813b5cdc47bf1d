"""Read a fulfillment order of Multi-Channel Fulfillment.

Shape: Amazon's model fulfillmentOutbound_2020-07-01 (GetFulfillmentOrderResult).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from .enums import FULFILLMENT_ACTIONS, FULFILLMENT_STATUSES
from .errors import MalformedAnswer
from .values import object_of, objects_of, read_of, text_of, time_of, units_of

_OPERATION = "getFulfillmentOrder"

#: ``maxLength`` of displayableOrderComment where Amazon's model takes it.
MAX_COMMENT = 750

#: Of a status that is not in Amazon's model.
OTHER = "OTHER"

#: Amazon's model spells CompletePartialled, published answers COMPLETE_PARTIALLED.
_STATUSES = {status.replace("_", ""): status for status in FULFILLMENT_STATUSES}

#: ``fulfillmentShipmentStatus`` of a shipment that never left.
_CANCELLED_SHIPMENTS = ("CANCELLED_BY_FULFILLER", "CANCELLED_BY_SELLER")


@dataclass(frozen=True)
class FulfillmentItemReading:
    """One item of a fulfillment order.

    :param str seller_fulfillment_order_item_id: the seller's own id of the item
    :param str seller_sku: the seller's SKU
    :param int quantity: units
    :param int cancelled_quantity: units that were cancelled
    :param int unfulfillable_quantity: units that Amazon cannot send
    """

    seller_fulfillment_order_item_id: str
    seller_sku: str
    quantity: int
    cancelled_quantity: int
    unfulfillable_quantity: int


class FulfillmentPackage(NamedTuple):
    """One package that Amazon sends.

    :param str carrier_code: Amazon's code of the carrier
    :param str tracking_number: empty where Amazon shows none
    :param int package_number: within the order, as Amazon counts
    """

    carrier_code: str
    tracking_number: str
    package_number: int


@dataclass(frozen=True)
class FulfillmentOrderReading:
    """A fulfillment order as Amazon shows it; its text hides what is the buyer's.

    :param str seller_fulfillment_order_id: the seller's own id
    :param str marketplace_id: where the order was placed
    :param str displayable_order_id: as the buyer knows it
    :param datetime displayable_order_date: aware, UTC
    :param str displayable_order_comment: printed on the packing slip
    :param str status: one of `enums.FULFILLMENT_STATUSES`, or `OTHER`
    :param str shipping_speed_category: such as ``Standard``
    :param str fulfillment_action: ``Ship``, ``Hold``, or empty where Amazon is silent
    :param str fulfillment_policy: such as ``FillOrKill``
    :param datetime received_date: aware, UTC
    :param datetime status_updated_date: aware, UTC
    :param dict destination_address: Amazon's keys; **the buyer's data**
    :param tuple items: `FulfillmentItemReading`
    :param tuple packages: `FulfillmentPackage`, of shipments that are not cancelled
    """

    seller_fulfillment_order_id: str
    marketplace_id: str
    displayable_order_id: str
    displayable_order_date: datetime
    displayable_order_comment: str = field(repr=False)
    status: str
    shipping_speed_category: str
    fulfillment_action: str
    fulfillment_policy: str
    received_date: datetime
    status_updated_date: datetime
    destination_address: dict = field(repr=False)
    items: tuple
    packages: tuple


def parse_fulfillment_order(payload):
    """Read the ``payload`` of getFulfillmentOrder.

    :param dict payload: what `SellerClient.get_fulfillment_order` returned
    :rtype: FulfillmentOrderReading
    :raises MalformedAnswer: a part that is needed is missing; names it
    """
    order = object_of(_OPERATION, payload, "fulfillmentOrder")
    items = objects_of(_OPERATION, payload, "fulfillmentOrderItems")
    action = _text(order, "fulfillmentAction")
    return FulfillmentOrderReading(
        seller_fulfillment_order_id=_string(order, "sellerFulfillmentOrderId"),
        marketplace_id=_text(order, "marketplaceId"),
        displayable_order_id=_text(order, "displayableOrderId"),
        displayable_order_date=_time(order, "displayableOrderDate"),
        displayable_order_comment=read_of(
            _OPERATION, order, "displayableOrderComment", MAX_COMMENT
        ),
        status=_status(_string(order, "fulfillmentOrderStatus")),
        shipping_speed_category=_text(order, "shippingSpeedCategory"),
        fulfillment_action=action if action in FULFILLMENT_ACTIONS else "",
        fulfillment_policy=_text(order, "fulfillmentPolicy"),
        received_date=_time(order, "receivedDate"),
        status_updated_date=_time(order, "statusUpdatedDate"),
        destination_address=object_of(_OPERATION, order, "destinationAddress"),
        items=tuple(_item(row) for row in items),
        packages=tuple(_packages(payload)),
    )


def _status(text):
    """Return Amazon's status as the other APIs spell theirs."""
    return _STATUSES.get(text.replace("_", "").upper(), OTHER)


def _item(row):
    return FulfillmentItemReading(
        seller_fulfillment_order_item_id=_string(row, "sellerFulfillmentOrderItemId"),
        seller_sku=_text(row, "sellerSku"),
        quantity=_count(row, "quantity"),
        cancelled_quantity=_count(row, "cancelledQuantity"),
        unfulfillable_quantity=_count(row, "unfulfillableQuantity"),
    )


def _packages(payload):
    for shipment in objects_of(_OPERATION, payload, "fulfillmentShipments"):
        if shipment.get("fulfillmentShipmentStatus") in _CANCELLED_SHIPMENTS:
            continue
        for row in objects_of(_OPERATION, shipment, "fulfillmentShipmentPackage"):
            yield FulfillmentPackage(
                carrier_code=_text(row, "carrierCode"),
                tracking_number=_text(row, "trackingNumber"),
                package_number=_count(row, "packageNumber"),
            )


def _text(node, name):
    return text_of(_OPERATION, node, name)


def _string(node, name):
    text = _text(node, name)
    if not text:
        raise _missing(name)
    return text


def _time(node, name):
    return time_of(_OPERATION, node.get(name), name)


def _count(node, name):
    number = units_of(node, name)
    if number is None:
        raise _missing(name)
    return number


def _missing(name):
    return MalformedAnswer(_OPERATION, f"The fulfillment order has no usable {name}.")
