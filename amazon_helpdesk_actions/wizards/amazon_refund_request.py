from decimal import Decimal

from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_repr

from ..allocation import allocate
from ..models.amazon_action_refund import REFUND_REASONS


class AmazonRefundRequest(models.TransientModel):
    _name = "amazon.refund.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Refund"

    _kind = "refund"

    reason = fields.Selection(REFUND_REASONS)
    line_ids = fields.One2many("amazon.refund.request.line", "request_id")
    total = fields.Monetary("Refund to the Buyer", compute="_compute_total")
    remaining = fields.Monetary("Refundable After It", compute="_compute_total")

    @api.depends("line_ids.amount", "order_id")
    def _compute_total(self):
        for request in self:
            request.total = sum(request.line_ids.mapped("amount"))
            request.remaining = request.order_id.refundable - request.total

    @api.model_create_multi
    def create(self, vals_list):
        """Override to list the items of the order, each with all that is refundable."""
        requests = super().create(vals_list)
        for request in requests:
            left = request.order_id.refundable
            commands = []
            for line in request.order_id.line_ids:
                amount = request._default_amount(line, left)
                left -= amount
                commands.append(
                    Command.create({"order_line_id": line.id, "amount": amount})
                )
            request.line_ids = commands
        return requests

    def _default_amount(self, line, left):
        """Return what is offered for an item: all that is refundable of it, as far as
        the order has it left. What was done in Seller Central may show already."""
        if self.is_assisted and not line.refundable:
            unclaimed = line.charge_ids.refund_ids.filtered(
                lambda refund: not refund.action_id
            )
            return sum(unclaimed.mapped("amount"))
        return min(line.refundable, left)

    def _title(self):
        return self.env._("Refund %s", self.amazon_order_ref)

    def action_refund(self):
        """Ask for the refund; in the assisted way, record it as done."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}

    def _collect(self):
        super()._collect()
        return self._split_amounts()

    def _split_amounts(self):
        """Split the amount of each item over what was charged for it.

        :return: amount for each charge
        :rtype: dict
        :raise UserError: when more is asked for than is refundable
        """
        amounts = {}
        for line in self.line_ids:
            if line.currency_id.compare_amounts(line.amount, 0) < 0:
                raise UserError(
                    self.env._("The amount for %s is below zero.", line.title)
                )
            amounts.update(line._split_amount())
        return amounts


class AmazonRefundRequestLine(models.TransientModel):
    _name = "amazon.refund.request.line"
    _description = "Item of an Amazon Refund Request"

    request_id = fields.Many2one(
        "amazon.refund.request", required=True, ondelete="cascade", index=True
    )
    order_line_id = fields.Many2one("amazon.order.line", required=True, readonly=True)
    title = fields.Char(related="order_line_id.title", related_sudo=False)
    sku = fields.Char(related="order_line_id.sku", related_sudo=False)
    quantity_ordered = fields.Integer(
        related="order_line_id.quantity_ordered", related_sudo=False
    )
    currency_id = fields.Many2one(
        related="order_line_id.currency_id", related_sudo=False
    )
    charged = fields.Monetary(related="order_line_id.charged", related_sudo=False)
    refunded = fields.Monetary(related="order_line_id.refunded", related_sudo=False)
    reserved = fields.Monetary(related="order_line_id.reserved", related_sudo=False)
    refundable = fields.Monetary(related="order_line_id.refundable", related_sudo=False)
    amount = fields.Monetary("Refund")

    _item_uniq = models.Constraint(
        "unique(request_id, order_line_id)",
        "Each item stands only once in a refund.",
    )

    @api.constrains("request_id", "order_line_id")
    def _check_same_order(self):
        """Refuse an item that the refund is not about: its amounts would be shown."""
        for line in self:
            if line.order_line_id.order_id != line.request_id.order_id:
                raise ValidationError(
                    self.env._("An item belongs to another order than the refund.")
                )

    def _split_amount(self):
        """Return the amount for each charge of this item."""
        self.ensure_one()
        currency = self.currency_id
        charges = {charge.component: charge for charge in self.order_line_id.charge_ids}
        try:
            shares = allocate(
                _decimal(self.amount, currency),
                {
                    component: _decimal(self._limit(charge), currency)
                    for component, charge in charges.items()
                },
                _decimal(currency.rounding, currency),
            )
        except ValueError:
            raise UserError(
                self.env._(
                    "For %(item)s at most %(left)s can still be refunded.",
                    item=self.title,
                    left=currency.format(
                        sum(self._limit(charge) for charge in charges.values())
                    ),
                )
            ) from None
        return {charges[name]: float(share) for name, share in shares.items()}

    def _limit(self, charge):
        """Return how much of a charge can be asked for, or recorded as refunded."""
        return charge.charged if self.request_id.is_assisted else charge.refundable


def _decimal(amount, currency):
    """Return an amount exactly, with the digits of its currency."""
    return Decimal(float_repr(currency.round(amount), currency.decimal_places))
