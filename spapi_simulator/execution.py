"""Does what the messages of a feed say, or refuses as Amazon would.

Amazon publishes no list of the error codes of these feeds. Where public reports
show a code, it is used; every other refusal of a well-formed message carries 18028
("incomplete or invalid") and a text that says what is wrong.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal

from .clock import iso
from .envelope import OrderAcknowledgement
from .orders import (
    CANCELLED,
    PARTIALLY_SHIPPED,
    PENDING,
    SHIPPED,
    UNSHIPPED,
    decimal_text,
)

INVALID_DATA = "18028"
QUANTITY_TOO_LARGE = "18021"

ZERO = Decimal(0)

# Component of the feed -> the charge it gives back, and its tax component.
CHARGE_OF = {
    "Principal": "ITEM",
    "Shipping": "SHIPPING",
    "GiftWrap": "GIFT_WRAP",
    "COD": "COD_FEE",
}
TAX_CHARGE_OF = {
    "Tax": "ITEM",
    "ShippingTax": "SHIPPING",
    "GiftWrapTax": "GIFT_WRAP",
    "CODTax": "COD_FEE",
}
# Sellers report that Amazon takes this one and does nothing with it.
IGNORED_COMPONENTS = frozenset({"ReturnShipping", "FreeReplacementReturnShipping"})

# OrderAcknowledgement's reason -> the reason shown in Orders 2026-01-01.
SHOWN_REASONS = {
    "BuyerCanceled": "BUYER_CANCELLED",
    "NoInventory": "NO_INVENTORY",
    "ShippingAddressUndeliverable": "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CustomerExchange": "CUSTOMER_EXCHANGE",
    "PricingError": "PRICING_ERROR",
}


class Refusal(Exception):
    """A message that Amazon would refuse.

    :param str code: Amazon's ResultMessageCode
    :param str text: Amazon's ResultDescription
    """

    def __init__(self, text, code=INVALID_DATA, item_id=None):
        super().__init__(text)
        self.text = text
        self.code = code
        self.item_id = item_id


def _invalid(reason, item_id=None):
    text = f"The data you submitted is incomplete or invalid. {reason}"
    return Refusal(text, item_id=item_id)


@dataclass(frozen=True)
class Context:
    """The feed on whose behalf a message is executed.

    `at`: the simulated time of execution. `finance_delay`: how long the finances do
    not show a refund.
    """

    feed_id: str
    seller_id: str
    marketplace_ids: tuple
    at: object
    finance_delay: timedelta


class Executor:
    """Executes messages on the orders and writes the ledger.

    Each message is checked as a whole before anything is changed.

    :param dict orders: orders by (seller id, order id)
    :param Ledger ledger: what was really done
    """

    def __init__(self, orders, ledger):
        self.orders = orders
        self.ledger = ledger

    def execute(self, message, context):
        """Execute one message.

        :raise Refusal: when Amazon would refuse it; nothing has changed then
        """
        if isinstance(message.payload, OrderAcknowledgement):
            self._acknowledge(message, context)
        else:
            self._adjust(message, context)

    def _find(self, context, order_id, merchant_order_id=None):
        order = self.orders.get((context.seller_id, order_id))
        if merchant_order_id:
            order = self._find_by_alias(context.seller_id, merchant_order_id)
        if order and order.channel != "MCF":
            if order.marketplace.id in context.marketplace_ids:
                return order
        raise Refusal(
            f"Your order cannot be found using Merchant ID {context.seller_id} and"
            f" order {order_id or merchant_order_id}."
        )

    def _find_by_alias(self, seller_id, merchant_order_id):
        for order in self.orders.values():
            own = order.seller_id == seller_id
            if own and order.seller_order_id == merchant_order_id:
                return order
        return None

    # === REFUND === #

    def _adjust(self, message, context):
        adjustment = message.payload
        order = self._find(context, adjustment.order_id, adjustment.merchant_order_id)
        self._check_refundable(order, adjustment)
        before = {item.id: dict(item.refunded) for item in order.items}
        lines, rows = {}, []
        try:
            for wanted in adjustment.items:
                item_id, components = self._check_item(order, wanted)
                order.give_back({item_id: components})
                self._check_limits(order, order.item(item_id))
                _add(lines.setdefault(item_id, {}), components)
                if components:
                    rows.append((wanted, item_id, components))
            net = sum((sum(parts.values()) for parts in lines.values()), ZERO)
            if rows and net <= 0:
                raise _invalid("The total must be a credit to the buyer.")
        except Refusal:
            for item in order.items:
                item.refunded = before[item.id]
            raise
        if rows:
            order.add_event("refund", context.at, lines, context.finance_delay)
        for wanted, item_id, components in rows:
            self.ledger.add_refund(message, context, order, item_id, wanted, components)

    def _check_refundable(self, order, adjustment):
        if order.channel != "FBM":
            raise _invalid(
                "Orders fulfilled by Amazon are refunded by Amazon Customer Service."
            )
        if order.status in (PENDING, UNSHIPPED):
            # Amazon would keep it pending until the dispatch is confirmed.
            raise _invalid("The order has not been shipped: cancel it instead.")
        if order.status not in (SHIPPED, PARTIALLY_SHIPPED):
            raise _invalid("The order is cancelled: nothing was charged.")
        cuts = any(item.quantity_cancelled for item in adjustment.items)
        direct = any(item.direct_payments for item in adjustment.items)
        if adjustment.action == "Cancel" or cuts or direct:
            raise _invalid("The simulator executes refunds of charges only.")

    def _check_item(self, order, wanted):
        """Return the item's id and the components that will be given back."""
        item = order.item(wanted.item_id)
        if item is None:
            raise _invalid(
                f"The order has no item {wanted.item_id or wanted.merchant_item_id}.",
                wanted.item_id,
            )
        if not item.quantity_shipped:
            raise _invalid("The item has not been shipped.", item.id)
        if wanted.quantity and wanted.quantity > item.quantity_shipped:
            raise Refusal(
                f"The quantity {wanted.quantity} is larger than could be fulfilled"
                f" ({item.quantity_shipped}).",
                QUANTITY_TOO_LARGE,
                item.id,
            )
        if not wanted.components:
            raise _invalid("There is no component to refund.", item.id)
        components = {}
        for kind, amount, currency in wanted.components + wanted.promotions:
            self._check_component(order, item, kind, amount, currency)
            if kind not in IGNORED_COMPONENTS and amount:
                _add(components, {kind: amount})
        if not components and not any(
            kind in IGNORED_COMPONENTS for kind, _, _ in wanted.components
        ):
            raise _invalid("The total must be a credit to the buyer.", item.id)
        return item.id, components

    def _check_component(self, order, item, kind, amount, currency):
        if currency is not None and currency != order.currency:
            raise _invalid(
                f"The currency {currency} is not the order's ({order.currency}).",
                item.id,
            )
        if order.currency == "JPY" and amount != amount.to_integral_value():
            raise _invalid("Amounts in JPY have no decimals.", item.id)
        gross = order.marketplace.prices_include_tax
        taxed = TAX_CHARGE_OF.get(kind)
        if taxed and (gross or taxed not in item.taxes):
            raise Refusal(
                "The requested refund amount for the tax or shipping tax is not"
                " eligible.",
                item_id=item.id,
            )

    def _check_limits(self, order, item):
        limits = refundable(order, item)
        for kind, limit in limits.items():
            given = item.refunded.get(kind, ZERO)
            if given > limit:
                self._refuse_excess(order, item, kind, given, limit)
        known = set(limits)
        unknown = (set(CHARGE_OF) | set(TAX_CHARGE_OF)) - known
        for kind in unknown:
            if item.refunded.get(kind, ZERO) > 0:
                self._refuse_excess(order, item, kind, item.refunded[kind], ZERO)
        total = sum(limits.values(), ZERO)
        if item.total_refunded > total:
            self._refuse_excess(order, item, "total", item.total_refunded, total)

    def _refuse_excess(self, order, item, kind, given, limit):
        shown = decimal_text(given, order.currency)
        charged = decimal_text(limit, order.currency)
        raise _invalid(
            f"The refund of {kind} would come to {shown} {order.currency}, above the"
            f" {charged} that was charged.",
            item.id,
        )

    # === ACKNOWLEDGE AND CANCEL === #

    def _acknowledge(self, message, context):
        acknowledgement = message.payload
        order = self._find(context, acknowledgement.order_id)
        for wanted in acknowledgement.items:
            if order.item(wanted.item_id) is None:
                raise _invalid(f"The order has no item {wanted.item_id}.")
        if acknowledgement.status == "Failure":
            self._cancel(message, context, order)
        elif any(wanted.cancel_reason for wanted in acknowledgement.items):
            raise _invalid("A CancelReason needs the StatusCode Failure.")
        elif acknowledgement.merchant_order_id:
            order.seller_order_id = acknowledgement.merchant_order_id
            order.updated = context.at

    def _cancel(self, message, context, order):
        items = message.payload.items
        self._check_cancellable(order)
        listed = [wanted.item_id for wanted in items]
        if sorted(listed) != sorted(item.id for item in order.items):
            raise _invalid("To cancel the order, list each of its items once.")
        for wanted in items:
            if not wanted.cancel_reason:
                raise _invalid("CancelReason is missing.", wanted.item_id)
            ordered = order.item(wanted.item_id).quantity
            if wanted.quantity and wanted.quantity != ordered:
                raise _invalid(
                    "A part of an order is cancelled by the order adjustment feed.",
                    wanted.item_id,
                )
        reasons = {wanted.item_id: wanted.cancel_reason for wanted in items}
        shown = {
            item_id: SHOWN_REASONS.get(reason, reason)
            for item_id, reason in reasons.items()
        }
        order.cancel("MERCHANT", shown, context.at)
        self.ledger.add_cancellation(message, context, order, reasons)

    def _check_cancellable(self, order):
        if order.channel != "FBM":
            raise _invalid("Orders fulfilled by Amazon cannot be cancelled by a feed.")
        reasons = {
            CANCELLED: "The order is already cancelled.",
            PENDING: "The order is Pending: only the buyer can cancel it.",
            SHIPPED: "The order has been shipped: refund it instead.",
            PARTIALLY_SHIPPED: "A part of the order has been shipped: refund it"
            " instead.",
        }
        if order.status in reasons:
            raise _invalid(reasons[order.status])


def refundable(order, item):
    """Return what was charged for an item, by component of the refund feed.

    Discounts are taken off. Where prices include tax, the tax belongs to the gross
    amount. Of a line shipped in part, the buyer is charged for that part.

    :return: {component: Decimal}
    """
    limits = {}
    gross = order.marketplace.prices_include_tax
    for component, charge in CHARGE_OF.items():
        if charge in item.charges:
            limits[component] = item.charges[charge] - item.discounts.get(charge, ZERO)
            if gross:
                limits[component] += item.taxes.get(charge, ZERO)
    if not gross:
        for component, charge in TAX_CHARGE_OF.items():
            if charge in item.taxes:
                limits[component] = item.taxes[charge]
    step = Decimal(1) if order.currency == "JPY" else Decimal("0.01")
    return {
        component: (amount * item.quantity_shipped / item.quantity).quantize(
            step, ROUND_DOWN
        )
        for component, amount in limits.items()
    }


def _add(target, components):
    for kind, amount in components.items():
        target[kind] = target.get(kind, ZERO) + amount


class Ledger:
    """What was really executed: the truth that tests compare with."""

    def __init__(self):
        self.refunds = []
        self.cancellations = []

    def add_refund(self, message, context, order, item_id, wanted, components):
        """Write one row for each item of an executed refund message."""
        currency = order.currency
        self.refunds.append(
            {
                "order_id": order.id,
                "order_item_id": item_id,
                "components": {
                    kind: decimal_text(amount, currency)
                    for kind, amount in components.items()
                },
                "amount": decimal_text(sum(components.values(), ZERO), currency),
                "currency": currency,
                "feed_id": context.feed_id,
                "message_id": int(message.id),
                "merchant_adjustment_item_id": wanted.merchant_adjustment_item_id,
                "reason": wanted.reason,
                "executed_at": iso(context.at, milliseconds=True),
            }
        )

    def add_cancellation(self, message, context, order, reasons):
        """Write the row of an executed cancellation."""
        self.cancellations.append(
            {
                "order_id": order.id,
                "feed_id": context.feed_id,
                "message_id": int(message.id),
                "reasons": [reasons[item.id] for item in order.items],
                "executed_at": iso(context.at, milliseconds=True),
            }
        )
