"""Orders: read from the orders file, shown in the shape of Orders 2026-01-01."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal, InvalidOperation

from . import charges, marketplaces
from .clock import iso
from .errors import SeedError

ORDER_ID = re.compile(r"[0-9A-Z]{3}-\d{7}-\d{7}$")
# Old schemas say 14 digits; orders of today carry 15.
ITEM_ID = re.compile(r"\d{14,15}$")

# What a buyer can be charged for on an item, in the words of Orders 2026-01-01.
CHARGE_TYPES = ("ITEM", "SHIPPING", "GIFT_WRAP", "COD_FEE")

PENDING, UNSHIPPED, SHIPPED = "PENDING", "UNSHIPPED", "SHIPPED"
PARTIALLY_SHIPPED, CANCELLED = "PARTIALLY_SHIPPED", "CANCELLED"
STATUSES = (PENDING, UNSHIPPED, PARTIALLY_SHIPPED, SHIPPED, CANCELLED)
CHANNELS = ("FBM", "FBA", "MCF")

_AGO = re.compile(r"(\d+(?:\.\d+)?) (minute|hour|day|week)s? ago$")
_SPAN = re.compile(r"(\d+(?:\.\d+)?) (minute|hour|day|week)s?$")


@dataclass
class Item:
    """One item of an order. Amounts are totals of the line, in the order's currency.

    `charges` and `taxes` are by charge type; `discounts` are positive.
    `charged` (what the buyer was charged so far, taxes apart) and `refunded` are by
    component of the OrderAdjustment feed, promotions negative; see `charges`.
    `uncut`: the line as the proceeds go on showing it after units were cancelled.
    """

    id: str
    sku: str
    asin: str
    title: str
    quantity: int
    quantity_shipped: int
    charges: dict
    taxes: dict
    discounts: dict
    promotion_ids: tuple = ()
    gift_wrap_level: str | None = None
    cancel_request: str | None = None
    cancelled_by: str | None = None
    cancel_reason: str | None = None
    charged: dict = field(default_factory=dict)
    refunded: dict = field(default_factory=dict)
    uncut: "Item | None" = None

    @property
    def quantity_open(self):
        """Units that are neither shipped nor cancelled one by one."""
        return self.quantity - self.quantity_shipped

    def promotion_on(self, charge):
        """Return the id of the promotion that takes off a charge, "" if it has none.

        With several ids each discount has its own, in their order.
        """
        position = min(list(self.discounts).index(charge), len(self.promotion_ids) - 1)
        return self.promotion_ids[position] if self.promotion_ids else ""

    def keep_proceeds(self):
        """Let the proceeds show what they show now, whatever units are cancelled."""
        self.uncut = self.uncut or replace(
            self,
            charges=dict(self.charges),
            taxes=dict(self.taxes),
            discounts=dict(self.discounts),
        )

    @property
    def total(self):
        """What the buyer pays for the line."""
        plus = sum(self.charges.values()) + sum(self.taxes.values())
        return plus - sum(self.discounts.values())

    @property
    def total_refunded(self):
        """What the buyer got back for the line."""
        return sum(self.refunded.values(), Decimal(0))


@dataclass
class MoneyEvent:
    """Money that moved for an order: a shipment, a refund, a claim, a chargeback.

    `lines`: {item id: {component of the feed: amount}}: of a shipment what the buyer
    paid, else what the buyer got. `quantities`: {item id: units} of a shipment.
    `told_by`: the Finances APIs that have told of it.
    """

    kind: str
    posted: datetime
    lines: dict
    visible_from: datetime
    released_at: datetime
    number: int = 0
    quantities: dict = field(default_factory=dict)
    told_by: set = field(default_factory=set)


@dataclass
class Package:
    """One package of an order. `items`: {item id: units}."""

    reference_id: str
    carrier: str
    tracking_number: str
    ship_time: datetime
    created: datetime
    items: dict
    shipping_service: str | None = None

    def to_api(self):
        """Return the model `OrderPackage` of Orders 2026-01-01."""
        data = {
            "packageReferenceId": self.reference_id,
            "createdTime": iso(self.created),
            "packageStatus": {"status": "SHIPPED"},
            "carrier": self.carrier,
            "shipTime": iso(self.ship_time),
            "trackingNumber": self.tracking_number,
            "packageItems": [
                {"orderItemId": item_id, "quantity": quantity}
                for item_id, quantity in self.items.items()
            ],
        }
        if self.shipping_service:
            data["shippingService"] = self.shipping_service
        return data


@dataclass
class Order:
    """One order of one seller.

    `deferral`: how long Amazon holds the money back after the finances know it.
    `vat_rate`: percent; the finances then show net amounts and the tax beside them,
    as Amazon does for sellers in its VAT calculation service. `message_types`: what the
    buyer may be sent; by the status of the order when None.
    """

    id: str
    seller_id: str
    marketplace: marketplaces.Marketplace
    channel: str
    status: str
    created: datetime
    updated: datetime
    shipped_at: datetime | None
    items: list
    events: list = field(default_factory=list)
    deferral: timedelta = timedelta(0)
    vat_rate: Decimal | None = None
    service_level: str = "STANDARD"
    seller_order_id: str | None = None
    packages: list = field(default_factory=list)
    buyer_locale: str | None = None
    message_types: tuple | None = None

    @property
    def currency(self):
        """ISO 4217 code of every amount of the order."""
        return self.marketplace.currency

    @property
    def fulfilled_by(self):
        """Amazon's word for who ships."""
        return "MERCHANT" if self.channel == "FBM" else "AMAZON"

    def item(self, item_id):
        """Return the item with this id, or None."""
        return next((item for item in self.items if item.id == item_id), None)

    # === READ THE ORDERS FILE === #

    @classmethod
    def from_seed(cls, seed, sellers, now):
        """Build an order from its entry in the orders file.

        :param dict seed: the entry, see the head of `demo_orders.yaml`
        :param dict sellers: authorisations by seller id; the first is the default
        :param datetime now: what "3 days ago" counts from
        :raise SeedError: with a sentence that names the order and the fault
        """
        name = seed.get("id") if isinstance(seed, dict) else seed
        try:
            return cls._from_seed(dict(seed), sellers, now)
        except KeyError as error:
            raise SeedError(f"Order {name}: {error} is missing.") from error
        except (TypeError, ValueError, InvalidOperation) as error:
            raise SeedError(f"Order {name}: {error}") from error

    @classmethod
    def _from_seed(cls, seed, sellers, now):
        order_id = str(seed.pop("id"))
        if not ORDER_ID.match(order_id):
            raise ValueError("the id is not in 3-7-7 format")
        seller_id = seed.pop("seller", None) or next(iter(sellers))
        if seller_id not in sellers:
            raise ValueError(f"no authorisation has the seller id {seller_id}")
        status = choice(seed.pop("status"), STATUSES, "status")
        created = moment(seed.pop("purchased", "1 day ago"), now)
        shipped_at = None
        if status in (SHIPPED, PARTIALLY_SHIPPED):
            shipped_at = moment(seed.pop("shipped", created), now)
        order = cls(
            id=order_id,
            seller_id=seller_id,
            marketplace=marketplaces.lookup(seed.pop("marketplace")),
            channel=choice(seed.pop("channel", "FBM"), CHANNELS, "channel"),
            status=status,
            created=created,
            updated=moment(seed.pop("updated", shipped_at or created), now),
            shipped_at=shipped_at,
            items=[_item_from_seed(item, status) for item in seed.pop("items")],
            deferral=span(seed.pop("deferral", "0 days")),
            vat_rate=_percent(seed.pop("vat_rate", None)),
            service_level=seed.pop("service_level", "STANDARD"),
            seller_order_id=seed.pop("seller_order_id", None),
            buyer_locale=seed.pop("buyer_locale", None),
            message_types=_names(seed.pop("message_types", None)),
        )
        order._seed_package(seed.pop("tracking", None))
        order._mark_cancelled(seed.pop("cancelled", None))
        order._seed_events(seed, now)
        seed.pop("note", None)
        if seed:
            raise ValueError(f"unknown key {', '.join(sorted(map(str, seed)))}")
        return order

    def _mark_cancelled(self, seed):
        if self.status != CANCELLED:
            return
        seed = seed or {"by": "AMAZON", "reason": "NO_INVENTORY"}
        self.cancel(seed["by"], {item.id: seed["reason"] for item in self.items})

    def _seed_package(self, tracking):
        if tracking and self.shipped_at:
            package = Package(
                reference_id="1",
                carrier=tracking["carrier"],
                tracking_number=tracking["number"],
                ship_time=self.shipped_at,
                created=self.shipped_at,
                items=self._shipped_quantities(),
            )
            self.packages.append(package)

    def _shipped_quantities(self):
        return {
            item.id: item.quantity_shipped
            for item in self.items
            if item.quantity_shipped
        }

    def _seed_events(self, seed, now):
        if self.shipped_at and self.channel != "MCF":
            quantities = self._shipped_quantities()
            for item_id in quantities:
                self.item(item_id).quantity_shipped = 0
            self._charge(quantities, self.shipped_at)
        for key, kind in (
            ("refunded", "refund"),
            ("claim", "claim"),
            ("chargeback", "chargeback"),
        ):
            for entry in seed.pop(key, ()):
                lines = {
                    str(item_id): {name: money(x) for name, x in components.items()}
                    for item_id, components in entry["items"].items()
                }
                self.give_back(lines)
                self.add_event(kind, moment(entry["when"], now), lines)

    # === CHANGE === #

    def give_back(self, lines):
        """Book money returned to the buyer on the items.

        :param dict lines: {item id: {component: amount to the buyer}}
        :raise ValueError: when an item is not in the order
        """
        for item_id, components in lines.items():
            item = self.item(item_id)
            if item is None:
                raise ValueError(f"no item {item_id}")
            for name, amount in components.items():
                item.refunded[name] = item.refunded.get(name, Decimal(0)) + amount

    def ship(self, quantities, at, delay):
        """Ship open units, and charge the buyer for them.

        :param dict quantities: {item id: units}, of each no more than are open
        :param timedelta delay: how long the finances do not show it
        :return: what the buyer pays for them
        """
        event = self._charge(quantities, at, delay)
        self.shipped_at = self.shipped_at or at
        self._follow_quantities(at)
        amounts = (sum(parts.values()) for parts in event.lines.values())
        return sum(amounts, Decimal(0))

    def _charge(self, quantities, at, delay=timedelta(0)):
        lines = {}
        for item_id, quantity in quantities.items():
            item = self.item(item_id)
            lines[item_id] = charges.charge(item, quantity, self.currency)
            item.quantity_shipped += quantity
        event = self.add_event("shipment", at, lines, delay)
        event.quantities = dict(quantities)
        return event

    def cut(self, quantities, reasons, at, keeps_proceeds=False):
        """Cancel open units; with the last of them the whole order.

        :param dict quantities: {item id: units}, of each no more than are open
        :param dict reasons: {item id: reason}
        :param bool keeps_proceeds: the proceeds show the units as before
        """
        for item_id, quantity in quantities.items():
            item = self.item(item_id)
            if keeps_proceeds:
                item.keep_proceeds()
            charges.cut(item, quantity, self.currency)
            if not item.quantity:
                item.cancelled_by, item.cancel_reason = "MERCHANT", reasons[item_id]
        self._follow_quantities(at)

    def _follow_quantities(self, at):
        """Set the status that follows from what is open and what is shipped."""
        shipped = any(item.quantity_shipped for item in self.items)
        if any(item.quantity_open for item in self.items):
            self.status = PARTIALLY_SHIPPED if shipped else UNSHIPPED
        else:
            self.status = SHIPPED if shipped else CANCELLED
        self.updated = at

    def package(self, reference_id):
        """Return the package with this reference, or None."""
        found = (row for row in self.packages if row.reference_id == reference_id)
        return next(found, None)

    def add_event(self, kind, posted, lines, delay=timedelta(0)):
        """Record money that moved, for the finances.

        :param timedelta delay: how long the finances do not show it
        """
        visible_from = posted + delay
        event = MoneyEvent(
            kind=kind,
            posted=posted,
            lines=lines,
            visible_from=visible_from,
            released_at=visible_from + self.deferral,
            number=len(self.events) + 1,
        )
        self.events.append(event)
        return event

    def cancel(self, cancelled_by, reasons, at=None):
        """Cancel what is left of the order.

        :param str cancelled_by: BUYER, MERCHANT or AMAZON
        :param dict reasons: {item id: reason}
        :param datetime at: when; the order keeps its time of change without it
        """
        self.status = CANCELLED
        for item in self.items:
            if not item.cancelled_by:
                item.cancelled_by = cancelled_by
                item.cancel_reason = reasons[item.id]
        self.updated = at or self.updated

    # === SHOW === #

    def to_api(self, included=()):
        """Return the order as the model `Order` of Orders 2026-01-01.

        :param included: values of `includedData`
        """
        data = {
            "orderId": self.id,
            "createdTime": iso(self.created),
            "lastUpdatedTime": iso(self.updated),
            "salesChannel": self._sales_channel(),
            "orderItems": [self._item_to_api(item, included) for item in self.items],
        }
        if self.seller_order_id:
            alias = {"aliasId": self.seller_order_id, "aliasType": "SELLER_ORDER_ID"}
            data["orderAliases"] = [alias]
        if "PROCEEDS" in included and self.shows_money:
            data["proceeds"] = self._proceeds()
        if "FULFILLMENT" in included:
            data["fulfillment"] = self._fulfillment()
        if "BUYER" in included and self.channel == "FBM":
            relay = f"buyer-{self.id}@marketplace.{self.marketplace.name.lower()}"
            data["buyer"] = {"buyerEmail": relay}
        if "PACKAGES" in included and self.packages:
            data["packages"] = [package.to_api() for package in self.packages]
        return data

    @property
    def shows_money(self):
        """Whether Amazon tells prices: not for Pending, cancelled or MCF orders."""
        return self.status not in (PENDING, CANCELLED) and self.channel != "MCF"

    def _sales_channel(self):
        if self.channel == "MCF":
            return {"channelName": "NON_AMAZON", "marketplaceName": "Non-Amazon"}
        return {
            "channelName": "AMAZON",
            "marketplaceId": self.marketplace.id,
            "marketplaceName": self.marketplace.name,
        }

    def _fulfillment(self):
        ship_by = {
            "earliestDateTime": iso(self.created),
            "latestDateTime": iso(self.created + timedelta(days=2)),
        }
        deliver_by = {
            "earliestDateTime": iso(self.created + timedelta(days=2)),
            "latestDateTime": iso(self.created + timedelta(days=6)),
        }
        return {
            "fulfillmentStatus": self.status,
            "fulfilledBy": self.fulfilled_by,
            "fulfillmentServiceLevel": self.service_level,
            "shipByWindow": ship_by,
            "deliverByWindow": deliver_by,
        }

    def _proceeds(self):
        totals = {}
        for item in self.items:
            for row in self._breakdowns(item.uncut or item):
                kind, amount = row["type"], Decimal(row["subtotal"]["amount"])
                totals[kind] = totals.get(kind, Decimal(0)) + amount
        return {
            "grandTotal": self._money(sum(totals.values(), Decimal(0))),
            "breakdowns": [
                {"type": kind, "subtotal": self._money(amount)}
                for kind, amount in totals.items()
            ],
        }

    def _item_to_api(self, item, included):
        data = {
            "orderItemId": item.id,
            "quantityOrdered": item.quantity,
            "product": self._product(item),
        }
        if "PROCEEDS" in included and self.shows_money:
            shown = item.uncut or item
            data["proceeds"] = {
                "proceedsTotal": self._money(shown.total),
                "breakdowns": self._breakdowns(shown),
            }
        if "PROMOTION" in included and item.promotion_ids:
            promotions = [{"promotionId": name} for name in item.promotion_ids]
            data["promotion"] = {"breakdowns": promotions}
        if "FULFILLMENT" in included:
            data["fulfillment"] = self._item_fulfillment(item)
        if "CANCELLATION" in included:
            cancellation = _cancellation(item)
            if cancellation:
                data["cancellation"] = cancellation
        if "TAX" in included and item.taxes:
            collection = {
                "model": "MARKETPLACE_FACILITATOR",
                "responsibleParty": "Amazon Services, Inc.",
            }
            data["tax"] = {"taxCollections": [collection]}
        return data

    def _product(self, item):
        product = {
            "asin": item.asin,
            "title": item.title,
            "sellerSku": item.sku,
            "condition": {"conditionType": "NEW", "conditionSubtype": "NEW"},
        }
        if self.shows_money and item.quantity:
            unit = (item.charges["ITEM"] / item.quantity).quantize(Decimal("0.01"))
            product["price"] = {"unitPrice": self._money(unit)}
        return product

    def _breakdowns(self, item):
        """Return the proceeds of an item; they add up to what the buyer pays.

        Amazon publishes no example of DISCOUNT; a negative subtotal keeps the sum.
        """
        rows = [
            {"type": kind, "subtotal": self._money(amount)}
            for kind, amount in item.charges.items()
        ]
        for kind, parts, sign in (
            ("TAX", item.taxes, 1),
            ("DISCOUNT", item.discounts, -1),
        ):
            if parts:
                rows.append(
                    {
                        "type": kind,
                        "subtotal": self._money(sign * sum(parts.values())),
                        "detailedBreakdowns": [
                            {"subtype": subtype, "value": self._money(sign * amount)}
                            for subtype, amount in parts.items()
                        ],
                    }
                )
        return rows

    def _item_fulfillment(self, item):
        open_quantity = item.quantity_open
        if self.status == CANCELLED:
            open_quantity = 0
        data = {
            "quantityFulfilled": item.quantity_shipped,
            "quantityUnfulfilled": open_quantity,
        }
        if item.gift_wrap_level:
            gift = {"giftWrapLevel": item.gift_wrap_level}
            data["packing"] = {"giftOption": gift}
        return data

    def _money(self, amount):
        return {
            "amount": decimal_text(amount, self.currency),
            "currencyCode": self.currency,
        }


def _cancellation(item):
    data = {}
    if item.cancel_request:
        data["cancellationRequest"] = {
            "requester": "BUYER",
            "cancelReason": item.cancel_request,
        }
    if item.cancelled_by:
        data["cancellationExecution"] = {
            "cancelledBy": item.cancelled_by,
            "cancelReason": item.cancel_reason,
        }
    return data


# === HELPERS === #


def decimal_text(amount, currency):
    """Write an amount with the decimals of its currency (yen have none)."""
    return f"{amount:.0f}" if currency == "JPY" else f"{amount:.2f}"


def money(value):
    """Read an amount from the orders file, with at most two decimals.

    :raise ValueError: when it is no such amount
    """
    amount = Decimal(str(value))
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01"), ROUND_DOWN):
        raise ValueError(f"{value!r} is not an amount with two decimals")
    return amount


def moment(value, now):
    """Read a time: `3 days ago`, or ISO 8601, or an aware datetime.

    :raise ValueError: when it is none of them
    """
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=now.tzinfo)
    if value == "now":
        return now
    match = _AGO.match(str(value))
    if match:
        return now - span(f"{match[1]} {match[2]}")
    return datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def span(value):
    """Read a duration such as `3 days`.

    :raise ValueError: when it is none
    """
    match = _SPAN.match(str(value))
    if not match:
        raise ValueError(f"{value!r} is not a duration such as '3 days'")
    return timedelta(**{f"{match[2]}s": float(match[1])})


def _percent(value):
    return None if value is None else Decimal(str(value))


def choice(value, choices, key):
    """Read one of the choices, written in any case and with spaces.

    :raise ValueError: when it is none of them
    """
    found = str(value).upper().replace(" ", "_")
    if found not in choices:
        raise ValueError(f"{key} {value!r} is none of {', '.join(choices)}")
    return found


def _item_from_seed(seed, status):
    seed = dict(seed)
    item_id = str(seed.pop("id"))
    if not ITEM_ID.match(item_id):
        raise ValueError(f"item id {item_id} has not 14 or 15 digits")
    quantity = int(seed.pop("quantity", 1))
    default_shipped = quantity if status == SHIPPED else 0
    amounts = {"ITEM": money(seed.pop("price"))}
    for key in ("shipping", "gift_wrap", "cod_fee"):
        if key in seed:
            amounts[key.upper()] = money(seed.pop(key))
    item = Item(
        id=item_id,
        sku=seed.pop("sku"),
        asin=seed.pop("asin"),
        title=seed.pop("title"),
        quantity=quantity,
        quantity_shipped=int(seed.pop("quantity_shipped", default_shipped)),
        charges=amounts,
        taxes=_by_charge(seed.pop("tax", {})),
        discounts=_by_charge(seed.pop("discount", {})),
        promotion_ids=_names(seed.pop("promotion", ())),
        gift_wrap_level=seed.pop("gift_wrap_level", None),
        cancel_request=seed.pop("cancel_request", None),
    )
    if seed:
        raise ValueError(f"item {item_id}: unknown key {', '.join(sorted(seed))}")
    return item


def _names(value):
    """Read one name or a list of names; None stays None."""
    if value is None:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _by_charge(parts):
    """Turn {item: 1.00, shipping: 0.50} into charge types."""
    return {
        choice(name, CHARGE_TYPES, "charge"): money(amount)
        for name, amount in parts.items()
    }
