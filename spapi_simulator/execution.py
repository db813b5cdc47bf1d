"""Does what the messages of a feed say, or refuses as Amazon would.

Amazon publishes no list of the error codes of these feeds. Where public reports
show a code, it is used; every other refusal of a well-formed message carries 18028
("incomplete or invalid") and a text that says what is wrong.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_UP, Decimal

from .charges import CHARGE_OF, TAX_CHARGE_OF, promotion_of, refundable, step
from .envelope import Message, OrderAcknowledgement
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

# Sellers report that Amazon takes this one and does nothing with it.
IGNORED_COMPONENTS = frozenset({"ReturnShipping", "FreeReplacementReturnShipping"})

# What the buyer can be charged for by a refund: these may be negative, and never give
# anything.
FEE_COMPONENTS = frozenset({"RestockingFee", "RestockingFeeTax"})

# OrderAdjustment's reason -> the reason shown in Orders 2026-01-01.
SHOWN_ADJUSTMENT_REASONS = {
    "CustomerCancel": "BUYER_CANCELLED",
    "NoInventory": "NO_INVENTORY",
    "ProductOutofStock": "NO_INVENTORY",
    "Undeliverable": "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CustomerAddressIncorrect": "SHIPPING_ADDRESS_UNDELIVERABLE",
    "Exchange": "CUSTOMER_EXCHANGE",
    "PriceError": "PRICING_ERROR",
}

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
    not show a refund. `fba_refunds`: whether refunds of FBA orders are taken.
    `cut_units_keep_proceeds`, `unshipped_refunds_wait`: as the settings say.
    """

    feed_id: str
    seller_id: str
    marketplace_ids: tuple
    at: object
    finance_delay: timedelta
    fba_refunds: bool = False
    cut_units_keep_proceeds: bool = False
    unshipped_refunds_wait: bool = False


@dataclass(frozen=True)
class WaitingRefund:
    """A refund that was accepted and waits until its order is shipped.

    `items`: those of the message that it refunds. `row`: its row in the ledger.
    """

    message: Message
    context: Context
    order_id: str
    items: list
    row: dict

    def is_due(self, order):
        """Tell whether everything that it refunds is shipped, as far as it will be."""
        items = [order.item(wanted.item_id) for wanted in self.items]
        return order.status == SHIPPED or all(
            item is None or item.quantity_shipped for item in items
        )


class Executor:
    """Executes messages on the orders and writes the ledger.

    Each message is checked as a whole before anything is changed.

    :param dict orders: orders by (seller id, order id)
    :param Ledger ledger: what was really done
    """

    def __init__(self, orders, ledger):
        self.orders = orders
        self.ledger = ledger
        self._waiting = []

    def execute(self, message, context):
        """Execute one message.

        :raise Refusal: when Amazon would refuse it; nothing has changed then
        """
        if isinstance(message.payload, OrderAcknowledgement):
            self._acknowledge(message, context)
        else:
            self._adjust(message, context)

    def execute_others(self, message, context, item_id):
        """Execute one message as if it did not name an item.

        What is left of a cancellation cancels the units of the other items.

        :raise Refusal: as `execute`
        """
        payload = message.payload
        others = [item for item in payload.items if item.item_id != item_id]
        if not others:
            return
        rest = replace(message, payload=replace(payload, items=others))
        if isinstance(payload, OrderAcknowledgement) and payload.status == "Failure":
            self._cancel_items(rest, context)
        else:
            self.execute(rest, context)

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

    # === REFUND AND CUT === #

    def _adjust(self, message, context):
        adjustment = message.payload
        order = self._find(context, adjustment.order_id, adjustment.merchant_order_id)
        self._check_adjustment(adjustment)
        cuts = [item for item in adjustment.items if item.quantity_cancelled]
        refunds = [item for item in adjustment.items if not item.quantity_cancelled]
        wanted = self._check_cuts(order, cuts)
        if refunds:
            self._refund(message, context, order, refunds)
        if wanted:
            self._cut(message, context, order, cuts, wanted)

    def _check_adjustment(self, adjustment):
        for item in adjustment.items:
            money = item.components or item.promotions or item.direct_payments
            if item.direct_payments:
                raise _invalid(
                    "The simulator executes no direct payments.", item.item_id
                )
            if item.quantity_cancelled and money:
                raise _invalid(
                    "Units that are cancelled were not charged: there is nothing to"
                    " refund for them.",
                    item.item_id,
                )
            if adjustment.action == "Cancel" and not item.quantity_cancelled:
                raise _invalid(
                    "The ActionType Cancel needs a QuantityCancelled.", item.item_id
                )

    def _check_cuts(self, order, cuts):
        """Return {item id: units to cancel}."""
        if cuts and order.channel != "FBM":
            raise _invalid("Orders fulfilled by Amazon cannot be cancelled by a feed.")
        if cuts and order.status in _NO_CUT:
            raise _invalid(_NO_CUT[order.status])
        wanted = {}
        for cut in cuts:
            item = self._item(order, cut)
            wanted[item.id] = wanted.get(item.id, 0) + cut.quantity_cancelled
            if wanted[item.id] > item.quantity_open:
                raise Refusal(
                    f"The quantity {wanted[item.id]} is larger than could be fulfilled"
                    f" ({item.quantity_open}). Take into account the units that are"
                    " already cancelled or fulfilled.",
                    QUANTITY_TOO_LARGE,
                    item.id,
                )
        return wanted

    def _cut(self, message, context, order, cuts, wanted):
        reasons = {cut.item_id: _shown(cut.reason) for cut in cuts}
        order.cut(wanted, reasons, context.at, context.cut_units_keep_proceeds)
        for cut in cuts:
            self.ledger.add_quantity_cancellation(
                message,
                context,
                order,
                cut.item_id,
                cut.quantity_cancelled,
                cut.reason,
                cut.merchant_adjustment_item_id,
            )

    def _item(self, order, wanted):
        item = order.item(wanted.item_id)
        if item is None:
            raise _invalid(
                f"The order has no item {wanted.item_id or wanted.merchant_item_id}.",
                wanted.item_id,
            )
        return item

    def _refund(self, message, context, order, items):
        self._check_channel(order, context)
        if context.unshipped_refunds_wait and order.status in (PENDING, UNSHIPPED):
            self._wait(message, context, order, items)
            return
        self._check_refundable(order)
        before = {item.id: dict(item.refunded) for item in order.items}
        lines, rows = {}, []
        try:
            for wanted in items:
                item_id, components = self._check_item(order, wanted)
                order.give_back({item_id: components})
                self._check_limits(order, order.item(item_id))
                _add(lines.setdefault(item_id, {}), components)
                if components:
                    rows.append((wanted, item_id, components))
        except Refusal:
            for item in order.items:
                item.refunded = before[item.id]
            raise
        if rows:
            order.add_event("refund", context.at, lines, context.finance_delay)
        for wanted, item_id, components in rows:
            self.ledger.add_refund(message, context, order, item_id, wanted, components)

    def _check_channel(self, order, context):
        if order.channel != "FBM" and not context.fba_refunds:
            raise _invalid(
                "Orders fulfilled by Amazon are refunded by Amazon Customer Service."
            )

    def _check_refundable(self, order):
        if order.status in (PENDING, UNSHIPPED):
            # Sellers are told that Amazon keeps it pending: see unshipped_refunds_wait.
            raise _invalid("The order has not been shipped: cancel it instead.")
        if order.status not in (SHIPPED, PARTIALLY_SHIPPED):
            raise _invalid("The order is cancelled: nothing was charged.")

    def _check_item(self, order, wanted):
        """Return the item's id and the components that will be given back."""
        item = self._item(order, wanted)
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
        for kind, amount, currency in wanted.components:
            self._check_component(order, item, kind, amount, currency)
            if kind not in IGNORED_COMPONENTS and amount:
                _add(components, {kind: amount})
        for kind, amount, currency in wanted.promotions:
            self._check_amount(order, item, amount, currency)
            if amount > 0:
                raise _invalid("A promotion is taken back: negative.", item.id)
            if amount:
                _add(components, {promotion_of(kind): amount})
        ignored = any(kind in IGNORED_COMPONENTS for kind, _, _ in wanted.components)
        net = sum(components.values(), ZERO)
        if net < 0 or (net == 0 and (components or not ignored)):
            raise _invalid("The total must be a credit to the buyer.", item.id)
        return item.id, components

    def _check_amount(self, order, item, amount, currency):
        if currency is not None and currency != order.currency:
            raise _invalid(
                f"The currency {currency} is not the order's ({order.currency}).",
                item.id,
            )
        if order.currency == "JPY" and amount != amount.to_integral_value():
            raise _invalid("Amounts in JPY have no decimals.", item.id)

    def _check_component(self, order, item, kind, amount, currency):
        self._check_amount(order, item, amount, currency)
        gross = order.marketplace.prices_include_tax
        taxed = TAX_CHARGE_OF.get(kind)
        no_tax = taxed and taxed not in item.taxes
        if no_tax or (gross and (taxed or kind == "RestockingFeeTax")):
            raise Refusal(
                "The requested refund amount for the tax or shipping tax is not"
                " eligible.",
                item_id=item.id,
            )
        if kind in FEE_COMPONENTS and amount > 0:
            raise _invalid(f"{kind} is charged to the buyer: negative.", item.id)
        if kind not in FEE_COMPONENTS and amount < 0:
            raise _invalid(f"{kind} is given to the buyer: positive.", item.id)

    def _check_limits(self, order, item):
        """Refuse what would come to more than was charged, by component and in all."""
        charged, given = refundable(order, item), item.refunded
        for kind in (*CHARGE_OF, *TAX_CHARGE_OF):
            promotion = promotion_of(kind)
            limit, back = charged.get(kind, ZERO), given.get(kind, ZERO)
            offset, discount = given.get(promotion, ZERO), charged.get(promotion, ZERO)
            if back > limit:
                self._refuse_excess(order, item, kind, back, limit)
            if back > 0 and back + offset > limit + discount:
                self._refuse_excess(order, item, kind, back + offset, limit + discount)
            share = _share(discount, back, limit, order.currency)
            if offset < share:
                raise _invalid(
                    f"The promotion on {kind} would be taken back by"
                    f" {decimal_text(-offset, order.currency)} {order.currency}, above"
                    f" its share of {decimal_text(-share, order.currency)}.",
                    item.id,
                )
        total = sum(charged.values(), ZERO)
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

    # === REFUNDS THAT WAIT === #

    def settle(self):
        """Do the refunds that waited for a shipment, where it has come."""
        self._waiting = [row for row in self._waiting if not self._settle(row)]

    def _settle(self, waiting):
        """Return whether a refund waits no longer."""
        order = self.orders[waiting.context.seller_id, waiting.order_id]
        if order.status == CANCELLED:
            waiting.row["state"] = "dropped"
            return True
        if not waiting.is_due(order):
            return False
        times = [event.posted for event in order.events if event.kind == "shipment"]
        context = replace(waiting.context, at=max([waiting.context.at, *times]))
        try:
            self._refund(waiting.message, context, order, waiting.items)
            waiting.row["state"] = "executed"
        except Refusal:
            waiting.row["state"] = "refused"
        return True

    def _wait(self, message, context, order, items):
        for wanted in items:
            self._item(order, wanted)
        row = self.ledger.add_waiting_refund(message, context, order)
        self._waiting.append(WaitingRefund(message, context, order.id, items, row))

    # === ACKNOWLEDGE AND CANCEL === #

    def _acknowledge(self, message, context):
        acknowledgement = message.payload
        order = self._find(context, acknowledgement.order_id)
        for wanted in acknowledgement.items:
            if order.item(wanted.item_id) is None:
                raise _invalid(
                    f"The order has no item {wanted.item_id}.", wanted.item_id
                )
        if acknowledgement.status == "Failure":
            self._cancel(message, context, order)
        elif any(wanted.cancel_reason for wanted in acknowledgement.items):
            raise _invalid("A CancelReason needs the StatusCode Failure.")
        elif acknowledgement.merchant_order_id:
            order.seller_order_id = acknowledgement.merchant_order_id
            order.updated = context.at
            self.ledger.add_order_number(message, context, order)

    def _cancel(self, message, context, order):
        items = message.payload.items
        self._check_cancellable(order)
        listed = [wanted.item_id for wanted in items]
        left = {item.id for item in order.items if item.quantity}
        if len(set(listed)) < len(listed) or not left <= set(listed):
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

    def _cancel_items(self, message, context):
        """Cancel the items of a message and leave the rest of the order as it is."""
        order = self._find(context, message.payload.order_id)
        self._check_cancellable(order)
        listed = {item.item_id: item.cancel_reason for item in message.payload.items}
        if not all(map(order.item, listed)):
            raise _invalid("The order has no such item.")
        wanted = {item_id: order.item(item_id).quantity_open for item_id in listed}
        reasons = {
            item_id: SHOWN_REASONS.get(reason, reason)
            for item_id, reason in listed.items()
        }
        order.cut(wanted, reasons, context.at, context.cut_units_keep_proceeds)
        for item_id, reason in listed.items():
            self.ledger.add_quantity_cancellation(
                message, context, order, item_id, wanted[item_id], reason
            )

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


_NO_CUT = {
    CANCELLED: "The order is already cancelled.",
    PENDING: "The order is Pending: only the buyer can cancel it.",
    SHIPPED: "The order has been shipped: refund it instead.",
}


def _shown(reason):
    return SHOWN_ADJUSTMENT_REASONS.get(reason, reason)


def _share(discount, back, charged, currency):
    """Return how much of a promotion may be taken back with a refund, negative."""
    if not charged or not discount:
        return ZERO
    return (discount * back / charged).quantize(step(currency), ROUND_UP)


def _add(target, components):
    for kind, amount in components.items():
        target[kind] = target.get(kind, ZERO) + amount
