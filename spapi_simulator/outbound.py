"""Multi-Channel Fulfillment: orders of a shop of the seller's own that Amazon ships.

Fulfillment Outbound 2020-07-01, as far as a seller changes an order that is there. When
Amazon still takes an update is told by no document: "with an order hold on it" (model)
and nothing about its status. Here it is taken until the picking begins.
"""

import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from . import marketplaces
from .bodies import COUNTRY, Keys, Many, Moment, Text, Whole
from .clock import iso
from .errors import ApiError, SeedError, invalid_input, not_found
from .orders import choice, moment

NEW, RECEIVED, PLANNING, PROCESSING = "NEW", "RECEIVED", "PLANNING", "PROCESSING"
CANCELLED, COMPLETE = "CANCELLED", "COMPLETE"
# Our word -> the model's `FulfillmentOrderStatus`
STATUSES = {
    NEW: "New",
    RECEIVED: "Received",
    PLANNING: "Planning",
    PROCESSING: "Processing",
    CANCELLED: "Cancelled",
    COMPLETE: "Complete",
    "COMPLETE_PARTIALLED": "CompletePartialled",
    "UNFULFILLABLE": "Unfulfillable",
    "INVALID": "Invalid",
}
# "The seller can cancel a fulfillment order that has a status of Received", "Planning",
# "cannot" of Processing (model)
CANCELLABLE = (NEW, RECEIVED, PLANNING)
_WAY = (NEW, RECEIVED, PLANNING, PROCESSING, COMPLETE)
MAX_ID = 40

_SPEEDS = ("Standard", "Expedited", "Priority", "ScheduledDelivery")
_ACTIONS = ("Ship", "Hold")
_POLICIES = ("FillOrKill", "FillAll", "FillAllAvailable")
ADDRESS = Keys(
    required={
        "name": Text(),
        "addressLine1": Text(),
        "postalCode": Text(),
        "countryCode": COUNTRY,
    },
    optional={
        name: Text(least=0)
        for name in (
            "addressLine2",
            "addressLine3",
            "city",
            "districtOrCounty",
            "stateOrRegion",
            "phone",
        )
    },
)
_MONEY = Keys(required={"currencyCode": Text(pattern="[A-Z]{3}"), "value": Text()})
UPDATE = Keys(
    optional={
        "marketplaceId": Text(),
        "displayableOrderId": Text(most=40),
        "displayableOrderDate": Moment(),
        "displayableOrderComment": Text(most=750),
        "shippingSpeedCategory": Text(choices=_SPEEDS),
        "destinationAddress": ADDRESS,
        "fulfillmentAction": Text(choices=_ACTIONS),
        "fulfillmentPolicy": Text(choices=_POLICIES),
        "shipFromCountryCode": COUNTRY,
        "notificationEmails": Many(Text(most=64)),
        "featureConstraints": Many(
            Keys(
                optional={
                    "featureName": Text(),
                    "featureFulfillmentPolicy": Text(
                        choices=("Required", "NotRequired")
                    ),
                }
            )
        ),
        "items": Many(
            Keys(
                required={
                    "sellerFulfillmentOrderItemId": Text(most=50),
                    "quantity": Whole(),
                },
                optional={
                    "sellerSku": Text(),
                    "giftMessage": Text(most=512),
                    "displayableComment": Text(most=250),
                    "fulfillmentNetworkSku": Text(),
                    "orderItemDisposition": Text(),
                    "perUnitDeclaredValue": _MONEY,
                    "perUnitPrice": _MONEY,
                    "perUnitTax": _MONEY,
                },
            )
        ),
    }
)
_ITEM_TEXTS = ("giftMessage", "displayableComment")


@dataclass
class FulfillmentItem:
    """One item of a fulfillment order."""

    id: str
    sku: str
    quantity: int
    cancelled: int = 0
    unfulfillable: int = 0
    texts: dict = field(default_factory=dict)

    def to_api(self):
        """Return the model `FulfillmentOrderItem`."""
        return {
            "sellerFulfillmentOrderItemId": self.id,
            "sellerSku": self.sku,
            "quantity": self.quantity,
            "cancelledQuantity": self.cancelled,
            "unfulfillableQuantity": self.unfulfillable,
            **self.texts,
        }


@dataclass
class FulfillmentOrder:
    """One fulfillment order. `details`: what the seller gave and may change, as API.

    `packages`: {"carrier", "number"} of each; shown from PROCESSING on.
    `cancels_at`: when a requested cancellation is done, with its row of the ledger.
    `steps_from`: since when it could have moved on by itself.
    """

    id: str
    seller_id: str
    marketplace: marketplaces.Marketplace
    status: str
    received: datetime
    status_updated: datetime
    details: dict
    items: list
    steps_from: datetime
    packages: list = field(default_factory=list)
    cancels_at: tuple | None = None

    @property
    def is_on_hold(self):
        """Whether it waits for the seller."""
        return self.details.get("fulfillmentAction") == "Hold"

    def item(self, item_id):
        """Return the item with this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    # === READ THE ORDERS FILE === #

    @classmethod
    def from_seed(cls, seed, sellers, now):
        """Build a fulfillment order from its entry in the orders file.

        :raise SeedError: with a sentence that names the order and the fault
        """
        name = seed.get("id") if isinstance(seed, dict) else seed
        try:
            return cls._from_seed(dict(seed), sellers, now)
        except KeyError as error:
            raise SeedError(f"Fulfillment order {name}: {error} is missing.") from error
        except (TypeError, ValueError, ApiError) as error:
            raise SeedError(f"Fulfillment order {name}: {error}") from error

    @classmethod
    def _from_seed(cls, seed, sellers, now):
        order_id = str(seed.pop("id"))
        if not 1 <= len(order_id) <= MAX_ID:
            raise ValueError(f"the id has more than {MAX_ID} characters")
        seller_id = seed.pop("seller", None) or next(iter(sellers))
        if seller_id not in sellers:
            raise ValueError(f"no authorisation has the seller id {seller_id}")
        received = moment(seed.pop("received", "1 day ago"), now)
        details = {
            "displayableOrderId": str(seed.pop("displayable_id", order_id)),
            "displayableOrderDate": iso(moment(seed.pop("ordered", received), now)),
            "displayableOrderComment": seed.pop("comment", "Thank you for your order."),
            "shippingSpeedCategory": seed.pop("speed", "Standard"),
            "fulfillmentAction": seed.pop("action", "Ship"),
            "fulfillmentPolicy": seed.pop("policy", "FillAll"),
            "destinationAddress": ADDRESS.read(seed.pop("address"), "address"),
            "notificationEmails": list(seed.pop("emails", ())),
        }
        UPDATE.read(details, "")
        order = cls(
            id=order_id,
            seller_id=seller_id,
            marketplace=marketplaces.lookup(seed.pop("marketplace")),
            status=choice(seed.pop("status"), tuple(STATUSES), "status"),
            received=received,
            status_updated=moment(seed.pop("status_updated", received), now),
            details=details,
            items=[FulfillmentItem(**item) for item in seed.pop("items")],
            steps_from=now,
            packages=list(seed.pop("packages", ())),
        )
        if order.status == CANCELLED:
            order._cancel_items()
        seed.pop("note", None)
        if seed:
            raise ValueError(f"unknown key {', '.join(sorted(map(str, seed)))}")
        return order

    # === CHANGE === #

    def move(self, status, at):
        """Bring the order to a status."""
        self.status = status
        self.status_updated = self.steps_from = at
        if status == CANCELLED:
            self._cancel_items()

    def _cancel_items(self):
        for item in self.items:
            item.cancelled = item.quantity

    def settle(self, now, step_seconds):
        """Let happen what is due by now.

        :param float step_seconds: how long it stays in each status, 0: for ever
        """
        step = timedelta(seconds=step_seconds)
        while True:
            moves_at = self._moves_at(step)
            if self.cancels_at and (not moves_at or self.cancels_at[0] <= moves_at):
                if self.cancels_at[0] > now:
                    return
                self._finish_cancellation()
            elif moves_at and moves_at <= now:
                self.move(_WAY[_WAY.index(self.status) + 1], moves_at)
            else:
                return

    def _moves_at(self, step):
        moving = self.status in _WAY[:-1] and not self.is_on_hold
        return self.steps_from + step if step and moving else None

    def _finish_cancellation(self):
        at, row = self.cancels_at
        self.cancels_at = None
        row["state"] = "failed"
        if self.status in CANCELLABLE:
            self.move(CANCELLED, at)
            row["state"] = "executed"
        row["executed_at"] = iso(at, milliseconds=True)

    # === SHOW === #

    def to_api(self):
        """Return the model `GetFulfillmentOrderResult`."""
        return {
            "fulfillmentOrder": {
                "sellerFulfillmentOrderId": self.id,
                "marketplaceId": self.marketplace.id,
                **self.details,
                "receivedDate": iso(self.received),
                "fulfillmentOrderStatus": STATUSES[self.status],
                "statusUpdatedDate": iso(self.status_updated),
            },
            "fulfillmentOrderItems": [item.to_api() for item in self.items],
            "fulfillmentShipments": self._shipments(),
            "returnItems": [],
            "returnAuthorizations": [],
        }

    def _shipments(self):
        if self.status not in (PROCESSING, COMPLETE, "COMPLETE_PARTIALLED"):
            return []
        is_pending = self.status == PROCESSING
        packages = [] if is_pending else self.packages
        arrival = iso(self.status_updated + timedelta(days=2))
        shipment = {
            "amazonShipmentId": f"D{zlib.crc32(self.id.encode()):010d}",
            "fulfillmentCenterId": "LEJ1",
            "fulfillmentShipmentStatus": "PENDING" if is_pending else "SHIPPED",
            "shippingDate": iso(self.status_updated),
            "estimatedArrivalDate": arrival,
            "fulfillmentShipmentItem": [
                {
                    "sellerSku": item.sku,
                    "sellerFulfillmentOrderItemId": item.id,
                    "quantity": item.quantity - item.cancelled - item.unfulfillable,
                }
                | ({"packageNumber": 1} if packages else {})
                for item in self.items
            ],
            "fulfillmentShipmentPackage": [
                {
                    "packageNumber": number,
                    "carrierCode": package["carrier"],
                    "trackingNumber": package["number"],
                    "estimatedArrivalDate": arrival,
                }
                for number, package in enumerate(packages, 1)
            ],
        }
        return [shipment]


def get_fulfillment_order(simulator, call):
    """Answer getFulfillmentOrder."""
    return 200, {"payload": _find(simulator, call).to_api()}


def cancel_fulfillment_order(simulator, call):
    """Answer cancelFulfillmentOrder: 200, and the order is cancelled a while later."""
    order = _find(simulator, call)
    if order.status not in CANCELLABLE:
        raise invalid_input(
            f"The fulfillment order {order.id} cannot be cancelled: its status is"
            f" {STATUSES[order.status]}."
        )
    if order.cancels_at:
        raise invalid_input(
            f"The fulfillment order {order.id} is being cancelled already."
        )
    row = {
        "seller_fulfillment_order_id": order.id,
        "state": "processing",
        **call.trace(simulator),
        "executed_at": None,
    }
    simulator.ledger.mcf_cancellations.append(row)
    seconds = simulator.settings.processing_seconds
    order.cancels_at = simulator.clock.now() + timedelta(seconds=seconds), row
    return 200, {}


def update_fulfillment_order(simulator, call):
    """Answer updateFulfillmentOrder: done at once."""
    order = _find(simulator, call)
    body = call.read_body(UPDATE)
    _check_update(order, body)
    if order.is_on_hold:
        order.steps_from = simulator.clock.now()
    for name, value in body.items():
        if name in order.details:
            order.details[name] = iso(value) if isinstance(value, datetime) else value
    if "featureConstraints" in body:
        order.details["featureConstraints"] = body["featureConstraints"]
    for row in body.get("items", ()):
        item = order.item(row["sellerFulfillmentOrderItemId"])
        item.quantity = row["quantity"]
        item.texts |= {name: row[name] for name in _ITEM_TEXTS if name in row}
    simulator.ledger.mcf_updates.append(
        {
            "seller_fulfillment_order_id": order.id,
            "changes": call.json(),
            **call.trace(simulator),
        }
    )
    return 200, {}


def _find(simulator, call):
    order_id = call.path["sellerFulfillmentOrderId"]
    if len(order_id) > MAX_ID:
        raise invalid_input(
            f"sellerFulfillmentOrderId has more than {MAX_ID} characters."
        )
    key = call.seller.seller_id, order_id
    order = simulator.fulfillment_orders.get(key)
    if order is None:
        raise not_found(f"There is no fulfillment order {order_id}.")
    return order


def _check_update(order, body):
    if not body:
        raise invalid_input("The body names nothing to update.")
    if order.status not in CANCELLABLE or order.cancels_at:
        shown = "being cancelled" if order.cancels_at else STATUSES[order.status]
        raise invalid_input(
            f"The fulfillment order {order.id} cannot be updated: it is {shown}."
        )
    if body.get("marketplaceId", order.marketplace.id) != order.marketplace.id:
        raise invalid_input("marketplaceId is not the fulfillment order's.")
    _check_speed(order, body)
    if "destinationAddress" in body:
        _check_address(body["destinationAddress"])
    for row in body.get("items", ()):
        item = order.item(row["sellerFulfillmentOrderItemId"])
        if item is None:
            raise invalid_input(
                f"The fulfillment order has no item"
                f" {row['sellerFulfillmentOrderItemId']}."
            )
        if row.get("sellerSku", item.sku) != item.sku:
            raise invalid_input(f"The sellerSku of item {item.id} cannot change.")


def _check_speed(order, body):
    action = body.get("fulfillmentAction", order.details["fulfillmentAction"])
    speed = body.get("shippingSpeedCategory", order.details["shippingSpeedCategory"])
    if body.get("fulfillmentAction") == "Hold" and order.status == PLANNING:
        raise invalid_input("The fulfillment order is planned: it cannot be held.")
    if speed == "ScheduledDelivery" and order.marketplace.country != "JP":
        raise invalid_input("ScheduledDelivery is only available in JP.")
    if speed == "ScheduledDelivery" and action == "Hold":
        raise invalid_input("Hold does not go with ScheduledDelivery.")


def _check_address(address):
    in_japan = address["countryCode"] == "JP"
    if in_japan and address.get("city"):
        raise invalid_input("destinationAddress.city must not be used in Japan.")
    if not in_japan and not address.get("city"):
        raise invalid_input("destinationAddress.city is missing.")
