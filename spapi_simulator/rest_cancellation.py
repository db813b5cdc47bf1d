"""cancelOrder of Orders 2026-01-01, which Amazon published and withdrew three times.

Its contract stands in the history of models/orders-api-model/orders_2026-01-01.json of
selling-partner-api-models (commits adc5701, dff2711, c5f589c). Off at first, as it is
with Amazon. How long the cancellation takes, and what becomes of it when the order is
shipped meanwhile, is assumed.
"""

from datetime import timedelta

from .bodies import Keys, Text
from .clock import iso
from .errors import invalid_input, not_found, unauthorized
from .orders import CANCELLED, ORDER_ID, PENDING, SHIPPED, UNSHIPPED

REASONS = (
    "NO_INVENTORY",
    "BUYER_CANCELLED",
    "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CUSTOMER_EXCHANGE",
    "PRICING_ERROR",
)
_BODY = Keys(required={"cancelReasonCode": Text(choices=REASONS)})
_REFUSALS = {
    PENDING: "The order is Pending: only the buyer can cancel it.",
    SHIPPED: "The order has been shipped.",
    CANCELLED: "The order is already cancelled.",
}


class Cancellations:
    """The cancellations that Amazon accepted and works on.

    :param Simulator simulator: whose orders they are about
    """

    def __init__(self, simulator):
        self.simulator = simulator
        self._open = []

    def has(self, order):
        """Tell whether a cancellation of the order is being processed."""
        return any(known is order for known, _, _ in self._open)

    def add(self, order, row, due):
        """Cancel an order at a later time.

        :param dict row: its row of the ledger
        """
        self._open.append((order, row, due))

    def settle(self):
        """Do what is due by now; a shipment that came first wins."""
        now = self.simulator.clock.now()
        due = [entry for entry in self._open if entry[2] <= now]
        self._open = [entry for entry in self._open if entry[2] > now]
        for order, row, moment in due:
            row["state"] = "failed"
            if order.status == UNSHIPPED:
                reasons = {item.id: row["reason"] for item in order.items}
                order.cancel("MERCHANT", reasons, moment)
                row["state"] = "executed"
            row["executed_at"] = iso(moment, milliseconds=True)


def cancel_order(simulator, call):
    """Answer cancelOrder: 202 with an empty body; the outcome shows in the order."""
    switch = simulator.settings.rest_cancellation
    if switch == "forbidden":
        raise unauthorized()
    if switch == "not_found":
        raise not_found()
    order_id = call.path["orderId"]
    if not ORDER_ID.match(order_id):
        raise invalid_input(
            f"OrderId: {order_id} is invalid, should be in 3-7-7 format."
        )
    reason = call.read_body(_BODY)["cancelReasonCode"]
    order = simulator.orders.get((call.seller.seller_id, order_id))
    if order is None or order.channel == "MCF":
        raise not_found(f"Order {order_id} not found.")
    _check(simulator, order)
    row = {
        "order_id": order.id,
        "reason": reason,
        "state": "processing",
        **call.trace(simulator),
        "executed_at": None,
    }
    simulator.ledger.rest_cancellations.append(row)
    seconds = simulator.settings.processing_seconds
    due = simulator.clock.now() + timedelta(seconds=seconds)
    simulator.cancellations.add(order, row, due)
    return 202, None


def _check(simulator, order):
    if order.channel != "FBM":
        raise invalid_input("Orders fulfilled by Amazon cannot be cancelled.")
    if order.status in _REFUSALS:
        raise invalid_input(_REFUSALS[order.status])
    if order.status != UNSHIPPED:
        raise invalid_input(
            "A part of the order has been shipped. Partial cancellations are not"
            " supported."
        )
    if simulator.cancellations.has(order):
        raise invalid_input("The order is being cancelled already.")
