from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_repr

from ...models.kinds.allocation import COMPONENT_GROUPS, allocate, share_of
from ...models.kinds.refund_plan import PlannedItem

# What can be refunded of an item, and the field that holds it.
COMPONENTS = {
    "Principal": "principal",
    "Tax": "tax",
    "Shipping": "shipping",
    "ShippingTax": "shipping_tax",
    "GiftWrap": "gift_wrap",
    "GiftWrapTax": "gift_wrap_tax",
    "Goodwill": "goodwill",
}
FEE_FIELD = ("RestockingFee", "restocking_fee")
CHARGED = [name for group in COMPONENT_GROUPS for name in group]
INPUTS = {"quantity", "percentage", "amount"}
OF_SHIPPING = ("Shipping", "ShippingTax")


class AmazonRefundRequestLine(models.TransientModel):
    """One item in the refund dialog: what is entered for it, and what comes of that."""

    _name = "amazon.refund.request.line"
    _inherit = ["amazon.typed.numbers", "amazon.item.shown"]
    _description = "Item of an Amazon Refund Request"

    request_id = fields.Many2one(
        "amazon.refund.request", required=True, ondelete="cascade", index=True
    )
    quantity_fulfilled = fields.Integer(
        related="order_line_id.quantity_fulfilled", related_sudo=False
    )
    currency_id = fields.Many2one(
        related="order_line_id.currency_id", related_sudo=False
    )
    charged = fields.Monetary(related="order_line_id.charged", related_sudo=False)
    refunded = fields.Monetary(related="order_line_id.refunded", related_sudo=False)
    reserved = fields.Monetary(related="order_line_id.reserved", related_sudo=False)
    refundable = fields.Monetary(related="order_line_id.refundable", related_sudo=False)

    # What is entered.
    quantity = fields.Integer("Units")
    percentage = fields.Float("%", digits=(5, 2))
    amount = fields.Monetary()

    # What comes of it; entered, too, where the refund is by component.
    principal = fields.Monetary("Item Price")
    tax = fields.Monetary()
    shipping = fields.Monetary()
    shipping_tax = fields.Monetary()
    gift_wrap = fields.Monetary()
    gift_wrap_tax = fields.Monetary()
    goodwill = fields.Monetary()
    restocking_fee = fields.Monetary(help="Kept back from what the buyer gets.")
    total = fields.Monetary("Refund", compute="_compute_total")

    _item_uniq = models.Constraint(
        "unique(request_id, order_line_id)",
        "Each item stands only once in a refund.",
    )

    # === COMPUTE METHODS === #

    @api.depends(*COMPONENTS.values(), "restocking_fee")
    def _compute_total(self):
        for line in self:
            line.total = line._gross() - line.restocking_fee

    # === CONSTRAINT METHODS === #

    @api.constrains("request_id", "order_line_id")
    def _check_same_order(self):
        """Refuse an item that the refund is not about: its amounts would be shown."""
        for line in self:
            if line.order_line_id.order_id != line.request_id.order_id:
                raise ValidationError(
                    self.env._("An item belongs to another order than the refund.")
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to work out again what comes of it, unless that is written, too, or
        a form has shown it."""
        result = super().write(vals)
        parts = {*COMPONENTS.values(), FEE_FIELD[1]}
        shown = self.env.context.get("amazon_refund_as_shown")
        if INPUTS & set(vals) and not parts & set(vals) and not shown:
            for request in self.request_id:
                request._recalculate()
        return result

    # === WHAT IS ENTERED === #

    def _parts(self):
        """Return the amount of each component, above zero: to the buyer."""
        return {component: self[field] for component, field in COMPONENTS.items()}

    def _gross(self):
        """Return what the buyer gets before a fee is kept back."""
        return sum(self._parts().values())

    def _signed(self):
        """Return the amount of each component; a fee is below zero."""
        component, field = FEE_FIELD
        return {**self._parts(), component: -self[field]}

    def _entered(self):
        """Return the amounts by component, without zeros; a fee is below zero."""
        return {
            name: amount
            for name, amount in self._signed().items()
            if amount and not self.currency_id.is_zero(amount)
        }

    def _planned(self):
        """Return what is planned of the item, as a value: as it was typed, since only
        the order, once it is taken, says in which currency."""
        shared = self._is_shared()
        return PlannedItem(
            # also of a dialog that is not saved
            item_id=self.order_line_id._origin.id,
            parts={name: amount for name, amount in self._signed().items() if amount},
            units=self.quantity if shared else None,
            percentage=self.percentage if shared else None,
        )

    def _notices(self):
        """Say where less is refunded than was entered, since no more is left."""
        asked = self._shares()
        notices = []
        for line in self.filtered(lambda line: line._is_shared()):
            wanted = float(sum(asked[line].values()))
            if line.currency_id.compare_amounts(line._gross(), wanted) < 0:
                notices.append(
                    self.env._(
                        "%(item)s: only %(left)s is left of the %(wanted)s that you "
                        "entered.",
                        item=line.order_line_id._label(),
                        left=line.currency_id.format(line._gross()),
                        wanted=line.currency_id.format(wanted),
                    )
                )
        return notices

    # === PLANNING === #

    def _is_shared(self):
        """Whether a part of what was paid is refunded, by units or percent."""
        return self.request_id.mode in ("items", "percent")

    def _limits(self):
        """Return how much of each component can be asked for, or recorded.

        :return: Decimal by component
        :rtype: dict
        """
        assisted = self.request_id.is_assisted
        return {
            charge.component: to_decimal(charge._limit(assisted), self.currency_id)
            for charge in self.order_line_id.charge_ids
            if charge.component in COMPONENTS
        }

    def _left(self):
        """Return how much of the item can be asked for, or recorded."""
        return self.charged if self.request_id.is_assisted else self.refundable

    def _full_amount(self, left):
        """Return what is offered for an item: all that is refundable of it, as far as
        the order has it left. What was done in Seller Central may show already.

        :param float left: of the order
        """
        if self.request_id.is_assisted and not self.refundable:
            unclaimed = self.order_line_id.charge_ids.refund_ids.filtered(
                lambda refund: not refund.action_id
            )
            return sum(unclaimed.mapped("amount"))
        return min(self.refundable, left)

    def _plan_parts(self):
        """Return what each component of each item gets.

        :return: dict of Decimal by component, by line
        """
        mode = self.request_id.mode
        if mode in ("items", "percent"):
            shares = self._shares()
            return {line: line._capped(shares[line]) for line in self}
        if mode == "shipping":
            return {line: line._shipping_alone() for line in self}
        if mode == "goodwill":
            return {
                line: {"Goodwill": to_decimal(line.amount, line.currency_id)}
                for line in self
            }
        return {line: line._split_amount() for line in self}

    def _shipping_alone(self):
        limits = self._limits()
        return {name: limits[name] for name in OF_SHIPPING if name in limits}

    def _split_amount(self):
        """Split the amount of the item over what is left of its components.

        What is beyond that stays with the item price: it is shown as it was typed, with
        the sentence that says that it is too much.
        """
        currency = self.currency_id
        amount, limits = to_decimal(self.amount, currency), self._limits()
        most = sum((limits.get(name, 0) for name in CHARGED), Decimal(0))
        fits = min(max(amount, Decimal(0)), most)
        parts = allocate(fits, limits, to_decimal(currency.rounding, currency))
        parts["Principal"] = parts.get("Principal", Decimal(0)) + amount - fits
        return parts

    def _shares(self):
        """Return the part of what was paid that is asked for, over all items together,
        so that 20 % off three items is 20 % of their sum, to the cent.

        :return: dict of Decimal by component, by line
        """
        shares = {line: {} for line in self}
        shared = self.filtered(lambda line: line._is_shared())
        if not shared:
            return shares
        currency = shared.currency_id
        paid = {
            (line, charge.component): to_decimal(line._paid(charge), currency)
            for line in shared
            for charge in line.order_line_id.charge_ids
            if line._is_chosen(charge.component)
        }
        factors = {key: key[0].request_id._plan_share(key[0]) for key in paid}
        unit = to_decimal(currency.rounding, currency)
        for (line, component), part in share_of(paid, factors, unit).items():
            shares[line][component] = part
        return shares

    def _paid(self, charge):
        """Return what a part is taken of. Amazon may show by now what is recorded."""
        return charge.charged if self.request_id.is_assisted else charge.paid

    def _is_chosen(self, component):
        """Whether a part of the item concerns this component."""
        if component in OF_SHIPPING:
            return self.request_id.with_shipping
        return component in COMPONENTS

    def _capped(self, shares):
        limits = self._limits()
        return {name: min(part, limits[name]) for name, part in shares.items()}


def to_decimal(amount, currency):
    """Return an amount exactly, with the digits of its currency.

    :param float amount: in units of the currency
    :param res.currency currency: rounds it
    :rtype: Decimal
    """
    return Decimal(float_repr(currency.round(amount), currency.decimal_places))
