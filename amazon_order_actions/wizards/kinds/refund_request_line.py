from decimal import Decimal
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import float_repr

from ...models.kinds.refund_plan import SHARED_MODES, ItemToPlan, PlannedItem

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
INPUTS = {"quantity", "percentage", "amount"}


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

    # === PLANNING === #

    def _is_shared(self):
        """Whether a part of what was paid is refunded, by units or percent."""
        return self.request_id.mode in SHARED_MODES

    def _to_plan(self):
        """Return what is known of the item and typed for it, as a value.

        :rtype: ItemToPlan
        """
        exact = partial(to_decimal, currency=self.currency_id)
        assisted = self.request_id.is_assisted
        charges = self.order_line_id.charge_ids.filtered(
            lambda charge: charge.component in COMPONENTS
        )
        # What was done in Seller Central may show already.
        taken_of = "charged" if assisted else "paid"
        is_done = assisted and not self.refundable
        return ItemToPlan(
            shipped=self.quantity_fulfilled,
            limits={one.component: exact(one._limit(assisted)) for one in charges},
            paid={one.component: exact(one[taken_of]) for one in charges},
            left=exact(self.charged if assisted else self.refundable),
            offered=exact(self._unclaimed() if is_done else self.refundable),
            is_done=is_done,
            units=self.quantity,
            percentage=self.percentage,
            amount=exact(self.amount),
        )

    def _unclaimed(self):
        """Return what Amazon shows as refunded of it that no action accounts for."""
        refunds = self.order_line_id.charge_ids.refund_ids
        return sum(refunds.filtered(lambda one: not one.action_id).mapped("amount"))

    def _notice(self, shares):
        """Say it where less is refunded than was entered, since no more is left.

        :param dict shares: what was entered, by component
        """
        wanted = float(sum(shares.values()))
        if self.currency_id.compare_amounts(self._gross(), wanted) >= 0:
            return False
        return self.env._(
            "%(item)s: only %(left)s is left of the %(wanted)s that you entered.",
            item=self.order_line_id._label(),
            left=self.currency_id.format(self._gross()),
            wanted=self.currency_id.format(wanted),
        )


def to_decimal(amount, currency):
    """Return an amount exactly, with the digits of its currency.

    :param float amount: in units of the currency
    :param res.currency currency: rounds it
    :rtype: Decimal
    """
    return Decimal(float_repr(currency.round(amount), currency.decimal_places))
