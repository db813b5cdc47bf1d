"""What happens to an order at Amazon without the addon: for tests, by the control.

In Seller Central, in the warehouse, at the buyer's, at Amazon itself.
"""

from datetime import timedelta
from decimal import InvalidOperation

from .messaging import TYPES
from .orders import CANCELLED, SHIPPED, UNSHIPPED, choice, money
from .outbound import STATUSES

MONEY_KINDS = ("refund", "claim", "chargeback")
KINDS = ("ship", "cancel", "cancel_request", "message_types", *MONEY_KINDS)
MCF_KINDS = ("mcf_status",)


def happen(simulator, order_id, kind, **details):
    """Let something happen to an order now.

    Only what changes the order itself changes its time of update: money given back
    does not, as with Amazon.

    :param Simulator simulator: locked and settled
    :param str order_id: of an order or fulfillment order of any seller
    :param str kind: one of `KINDS`, or of `MCF_KINDS` for a fulfillment order
    :param details: `by` and `reason` of a cancellation, `reason` of the buyer's request
        for one, `types` of messages that the buyer may be sent from now on, `items`
        ({item id: {component: amount}}) of money given back, `status` and `packages`
        ([{"carrier", "number"}]) of a fulfillment order
    :raise ValueError: when it cannot happen, with a sentence
    """
    is_mcf = kind in MCF_KINDS
    known = simulator.fulfillment_orders if is_mcf else simulator.orders
    order = next((row for row in known.values() if row.id == order_id), None)
    if order is None:
        raise ValueError(f"There is no order {order_id}.")
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS + MCF_KINDS)}.")
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


def _allow_messages(simulator, order, now, types):
    unknown = sorted(set(types) - set(TYPES))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: none of {', '.join(TYPES)}.")
    order.message_types = tuple(types)


def _move_fulfillment(simulator, order, now, status, packages=None):
    order.move(choice(status, tuple(STATUSES), "status"), now)
    order.packages = order.packages if packages is None else list(packages)


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
    "message_types": _allow_messages,
    "mcf_status": _move_fulfillment,
    **{kind: _give_back(kind) for kind in MONEY_KINDS},
}
