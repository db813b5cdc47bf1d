"""What was really executed: the truth that tests compare with."""

from decimal import Decimal

from .charges import PROMOTION
from .clock import iso
from .orders import decimal_text

LISTS = (
    "refunds",
    "cancellations",
    "quantity_cancellations",
    "order_numbers",
    "rest_cancellations",
    "shipments",
    "messages",
    "mcf_cancellations",
    "mcf_updates",
)


class Ledger:
    """Lists of rows, in the order of their execution.

    A row of `rest_cancellations` and `mcf_cancellations` is written when Amazon takes
    the request; its `state` is `processing`, later `executed` or `failed`. A row of
    `shipments` with `update` changed a package that was there, and charged nobody.
    `waiting_refunds` are no executions: `refunds` has a row when one is done.
    """

    def __init__(self):
        for name in LISTS:
            setattr(self, name, [])
        self.waiting_refunds = []

    def to_json(self):
        """Return the lists, and by list how often something was executed."""
        data = {name: list(getattr(self, name)) for name in LISTS}
        executed = {name: sum(map(_is_executed, rows)) for name, rows in data.items()}
        waiting = list(self.waiting_refunds)
        return data | {"waiting_refunds": waiting, "executed": executed}

    def add_refund(self, message, context, order, item_id, wanted, components):
        """Write one row for each item of an executed refund message."""
        currency = order.currency
        given = {
            kind: decimal_text(amount, currency) for kind, amount in components.items()
        }
        row = {
            "order_id": order.id,
            "order_item_id": item_id,
            "components": {
                kind: amount
                for kind, amount in given.items()
                if not kind.startswith(PROMOTION)
            },
            "amount": decimal_text(sum(components.values(), Decimal(0)), currency),
            "currency": currency,
            **_of_feed(message, context),
            "merchant_adjustment_item_id": wanted.merchant_adjustment_item_id,
            "reason": wanted.reason,
        }
        promotions = {
            kind.removeprefix(PROMOTION): amount
            for kind, amount in given.items()
            if kind.startswith(PROMOTION)
        }
        if promotions:
            row["promotions"] = promotions
        if wanted.quantity:
            row["quantity"] = wanted.quantity
        self.refunds.append(row)

    def add_waiting_refund(self, message, context, order):
        """Write the row of a refund message that waits for a shipment, and return it.

        Its `state` is `waiting`, later `executed`, `refused` or `dropped`.
        """
        row = {
            "order_id": order.id,
            "feed_id": context.feed_id,
            "message_id": int(message.id),
            "state": "waiting",
        }
        self.waiting_refunds.append(row)
        return row

    def add_cancellation(self, message, context, order, reasons):
        """Write the row of an executed cancellation."""
        self.cancellations.append(
            {
                "order_id": order.id,
                "reasons": [
                    reasons[item.id] for item in order.items if item.id in reasons
                ],
                **_of_feed(message, context),
            }
        )

    def add_quantity_cancellation(
        self, message, context, order, item_id, quantity, reason, adjustment_id=None
    ):
        """Write one row for each item of which units were cancelled."""
        self.quantity_cancellations.append(
            {
                "order_id": order.id,
                "order_item_id": item_id,
                "quantity": quantity,
                "reason": reason,
                "merchant_adjustment_item_id": adjustment_id,
                **_of_feed(message, context),
            }
        )

    def add_order_number(self, message, context, order):
        """Write the row of a seller's order number that Amazon keeps."""
        self.order_numbers.append(
            {
                "order_id": order.id,
                "merchant_order_id": order.seller_order_id,
                **_of_feed(message, context),
            }
        )


def _of_feed(message, context):
    return {
        "feed_id": context.feed_id,
        "message_id": int(message.id),
        "executed_at": iso(context.at, milliseconds=True),
    }


def _is_executed(row):
    return row.get("state", "executed") == "executed" and not row.get("update")
