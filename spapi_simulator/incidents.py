"""What happens to an order at Amazon without the addon: for tests, by the control.

In Seller Central, in the warehouse, at the buyer's, at Amazon itself.
"""

from datetime import timedelta
from decimal import InvalidOperation

from .orders import CANCELLED, SHIPPED, UNSHIPPED, money

MONEY_KINDS = ("refund", "claim", "chargeback")
KINDS = ("ship", "cancel", "cancel_request", *MONEY_KINDS)


def happen(simulator, order_id, kind, **details):
    """Let something happen to an order now.

    Only what changes the order itself changes its time of update: money given back
    does not, as with Amazon.

    :param Simulator simulator: locked and settled
    :param str order_id: of an order of any seller
    :param str kind: one of `KINDS`
    :param details: `by` and `reason` of a cancellation, `reason` of the buyer's request
        for one, `items` ({item id: {component: amount}}) of money given back
    :raise ValueError: when it cannot happen, with a sentence
    """
    order = next((row for row in simulator.orders.values() if row.id == order_id), None)
    if order is None:
        raise ValueError(f"There is no order {order_id}.")
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}.")
    try:
        handler(simulator, order, simulator.clock.now(), **details)
    except (TypeError, AttributeError, InvalidOperation):
        raise ValueError(f"{kind}: these details do not fit.") from None


def _ship(simulator, order, now):
    if order.status != UNSHIPPED:
        raise ValueError(f"The order {order.id} is {order.status}.")
    quantities = {item.id: item.quantity_open for item in order.items}
    order.ship(quantities, now, _delay(simulator))


def _cancel(simulator, order, now, by="BUYER", reason="BUYER_CANCELLED"):
    if order.status in (SHIPPED, CANCELLED):
        raise ValueError(f"The order {order.id} is {order.status}.")
    order.cancel(by, {item.id: reason for item in order.items}, now)


def _request_cancellation(simulator, order, now, reason="BUYER_CANCELLED"):
    for item in order.items:
        item.cancel_request = reason
    order.updated = now


def _give_back(kind):
    def handler(simulator, order, now, items):
        lines = {
            str(item_id): {name: money(amount) for name, amount in components.items()}
            for item_id, components in items.items()
        }
        if not lines or not all(map(order.item, lines)):
            raise ValueError(f"Name items of the order {order.id}.")
        order.give_back(lines)
        order.add_event(kind, now, lines, _delay(simulator))

    return handler


def _delay(simulator):
    return timedelta(seconds=simulator.settings.finance_delay_seconds)


_HANDLERS = {
    "ship": _ship,
    "cancel": _cancel,
    "cancel_request": _request_cancellation,
    **{kind: _give_back(kind) for kind in MONEY_KINDS},
}
