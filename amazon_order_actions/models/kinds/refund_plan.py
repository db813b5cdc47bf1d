"""What a person plans to refund, as a value: the dialog makes it, the engine checks it
with the order taken. Knows no Odoo."""

from typing import NamedTuple

# Below zero: what the seller keeps back. All others are above.
FEE = "RestockingFee"
# Bounded by its item and the order, and by no charge of its own.
GOODWILL = "Goodwill"
# "tax-only refunds for orders shipped to a state where Amazon manages tax collection
# automatically will be processed by Amazon Customer Service" (Seller Central help
# U7K5N5GUP67M4X9). Where Amazon does is not known here, so never a tax alone.
TAXES = ("Tax", "ShippingTax", "GiftWrapTax")


class PlannedItem(NamedTuple):
    """What is planned of one item of an order.

    :param int item_id: id of the item
    :param dict parts: amount by component, as it was typed; a fee is below zero
    :param units: units that a share was typed for, or None where none was
    :param percentage: percentage that was typed, or None where none was
    """

    item_id: int
    parts: dict
    units: int | None = None
    percentage: float | None = None

    def exceeds_units(self, shipped):
        """Whether more units are meant than were shipped, or less than none."""
        return self.units is not None and not 0 <= self.units <= shipped

    def exceeds_percentage(self):
        """Whether the percentage is none from 0 to 100."""
        return self.percentage is not None and not 0 <= self.percentage <= 100


class RefundPlan(NamedTuple):
    """A refund as it was typed and shown.

    :param tuple items: a :class:`PlannedItem` for each item
    :param float fee: restocking fee as it was typed
    :param bool is_second_meant: whether a second refund of an item is meant
    """

    items: tuple
    fee: float = 0.0
    is_second_meant: bool = False

    def amounts(self, is_zero):
        """Return the amounts by item and component.

        :param is_zero: function that says whether an amount is none in the currency of
            the order
        :rtype: dict
        """
        return {
            (item.item_id, component): amount
            for item in self.items
            for component, amount in item.parts.items()
            if not is_zero(amount)
        }

    def refunded_items(self, is_zero):
        """Return the ids of the items of which something is refunded.

        :param is_zero: see :meth:`amounts`
        :rtype: set
        """
        return {item_id for item_id, _component in self.amounts(is_zero)}
