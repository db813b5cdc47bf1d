"""What a person plans to refund, as values that know no Odoo.

A :class:`RefundToPlan` is what is typed, beside what is known of the order: it works
out what each component of each item gets. What a dialog has shown of that is a
:class:`RefundPlan`, which the engine checks with the order taken.
"""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from .allocation import COMPONENT_GROUPS, allocate, share_of, spread

# Below zero: what the seller keeps back. All others are above.
FEE = "RestockingFee"
# Bounded by its item and the order, and by no charge of its own.
GOODWILL = "Goodwill"
# "tax-only refunds for orders shipped to a state where Amazon manages tax collection
# automatically will be processed by Amazon Customer Service" (Seller Central help
# U7K5N5GUP67M4X9). Where Amazon does is not known here, so never a tax alone.
TAXES = ("Tax", "ShippingTax", "GiftWrapTax")
OF_SHIPPING = ("Shipping", "ShippingTax")
# What the amount of an item is split over.
CHARGED = tuple(name for group in COMPONENT_GROUPS for name in group)

# Ways to type a refund, as the dialog has them: a part of what was paid, by units or
# percent; an amount, of the order or of each item; and those in which the seller may
# keep something back.
SHARED_MODES = ("items", "percent")
FEE_MODES = ("full", "items", "amount", "components")


class ItemToPlan(NamedTuple):
    """An item of an order: what is known of it, and what is typed for it.

    :param int shipped: units
    :param dict limits: how much of each component can be asked for, or recorded
    :param dict paid: by component, what a part is taken of
    :param Decimal left: how much of the item can be asked for, or recorded
    :param Decimal offered: what of it a full refund offers
    :param bool is_done: whether that is what Amazon shows already, so that nothing
        limits it
    :param int units: typed
    :param float percentage: typed, from 0 to 100
    :param Decimal amount: typed
    """

    shipped: int
    limits: dict
    paid: dict
    left: Decimal
    offered: Decimal
    is_done: bool = False
    units: int = 0
    percentage: float = 0.0
    amount: Decimal = Decimal(0)

    def share(self, mode):
        """Return the part of the item that is refunded, from 0 to 1.

        :param str mode: how it is typed
        :rtype: Fraction
        """
        if not self.shipped:
            return Fraction(0)
        percent = Fraction(100 if mode == "items" else str(self.percentage))
        share = Fraction(self.units, self.shipped) * percent / 100
        return min(max(share, Fraction(0)), Fraction(1))

    def split(self, unit):
        """Split the amount of the item over what is left of its components.

        What is beyond that stays with the item price: it is shown as it was typed, with
        the sentence that says that it is too much.

        :param Decimal unit: the smallest amount of the currency
        :return: Decimal by component
        :rtype: dict
        """
        most = sum((self.limits.get(name, 0) for name in CHARGED), Decimal(0))
        fits = min(max(self.amount, Decimal(0)), most)
        parts = allocate(fits, self.limits, unit)
        beyond = self.amount - fits
        parts["Principal"] = parts.get("Principal", Decimal(0)) + beyond
        return parts

    def capped(self, shares):
        """Return these amounts by component, none above what can be asked for."""
        return {name: min(part, self.limits[name]) for name, part in shares.items()}

    def of_shipping(self):
        """Return all that can be asked for of its shipping."""
        return {name: self.limits[name] for name in OF_SHIPPING if name in self.limits}


class RefundToPlan(NamedTuple):
    """A refund while it is typed.

    :param str mode: how it is typed
    :param dict items: an :class:`ItemToPlan` by whatever names the item
    :param Decimal left: how much of the order can be asked for
    :param Decimal unit: the smallest amount of the currency
    :param Decimal amount: typed, of the order
    :param Decimal fee: typed, what the seller keeps back
    :param bool with_shipping: whether a part of the shipping is refunded, too
    """

    mode: str
    items: dict
    left: Decimal
    unit: Decimal
    amount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    with_shipping: bool = False

    def amounts(self):
        """Return the amount of each item where the mode says it, else nothing.

        :return: Decimal by item
        :rtype: dict
        """
        if self.mode == "full":
            return self._all_that_is_left()
        if self.mode in ("amount", "goodwill"):
            return self._spread()
        return {}

    def parts(self):
        """Return what each component of each item gets.

        :return: dict of Decimal by component, by item
        :rtype: dict
        """
        if self.mode in SHARED_MODES:
            shares = self.shares()
            return {key: item.capped(shares[key]) for key, item in self.items.items()}
        if self.mode == "shipping":
            return {key: item.of_shipping() for key, item in self.items.items()}
        if self.mode == "goodwill":
            return {key: {GOODWILL: item.amount} for key, item in self.items.items()}
        return {key: item.split(self.unit) for key, item in self.items.items()}

    def shares(self):
        """Return the part of what was paid that is asked for, over all items together,
        so that 20 % off three items is 20 % of their sum, to the cent.

        :return: dict of Decimal by component, by item
        :rtype: dict
        """
        shares = {key: {} for key in self.items}
        if self.mode not in SHARED_MODES:
            return shares
        paid = {
            (key, component): amount
            for key, item in self.items.items()
            for component, amount in item.paid.items()
            if self.with_shipping or component not in OF_SHIPPING
        }
        factors = {key: self.items[key[0]].share(self.mode) for key in paid}
        for (key, component), part in share_of(paid, factors, self.unit).items():
            shares[key][component] = part
        return shares

    def fees(self, gross):
        """Return what is kept back of each item.

        :param dict gross: what the buyer gets of each item before that
        :return: Decimal by item
        :rtype: dict
        """
        if self.mode not in FEE_MODES or self.fee <= 0:
            return dict.fromkeys(self.items, Decimal(0))
        weights = {key: max(gross[key], Decimal(0)) for key in self.items}
        return spread(self.fee, weights, self.unit)

    def _all_that_is_left(self):
        """All that is refundable of each item, as far as the order has it left."""
        left, amounts = self.left, {}
        for key, item in self.items.items():
            offered = item.offered if item.is_done else min(item.offered, left)
            amounts[key] = offered
            left -= offered
        return amounts

    def _spread(self):
        """The amount of the order, over its items in proportion to what is left."""
        weights = {key: item.left for key, item in self.items.items()}
        if self.amount <= 0 or not any(weights.values()):
            # shown as it was typed, with the sentence that says what is wrong
            typed = [self.amount] + [Decimal(0)] * len(weights)
            return dict(zip(self.items, typed, strict=False))
        return spread(self.amount, weights, self.unit)


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
