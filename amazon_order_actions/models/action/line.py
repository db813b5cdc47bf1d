from odoo import api, fields, models


class AmazonActionLine(models.Model):
    """What an action concerns of one item: an amount of one component, or units."""

    _name = "amazon.action.line"
    _inherit = [
        "amazon.document.access",
        "amazon.own.defaults",
        "amazon.plain.export",
    ]
    _description = "Amazon Action Line"
    _order = "action_id, id"
    _rec_name = "order_line_id"

    action_id = fields.Many2one(
        "amazon.action", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="action_id.company_id", store=True)
    order_line_id = fields.Many2one(
        "amazon.order.line",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    charge_id = fields.Many2one(
        "amazon.order.charge", readonly=True, ondelete="restrict", index=True
    )
    component = fields.Selection(related="charge_id.component")
    # stored, as the company: both are known where lines are made
    currency_id = fields.Many2one(related="action_id.currency_id", store=True)
    amount = fields.Monetary(
        readonly=True,
        help="What the buyer gets; below zero: what is kept back from it.",
    )
    quantity = fields.Integer(readonly=True, help="Units of the item.")
    quantity_before = fields.Integer(
        "Cancelled Otherwise",
        readonly=True,
        help="Units of the item that Amazon showed as cancelled before, and that no "
        "action here accounts for.",
    )
    discount = fields.Monetary(
        readonly=True,
        help="The part of a promotion that is taken back with it: the message names "
        "amount and discount together, and takes the discount off again.",
    )

    is_rejected = fields.Boolean(
        "Rejected",
        readonly=True,
        copy=False,
        help="Amazon's report rejects this item alone: it counts no more, and is not "
        "sent again.",
    )
    amazon_code = fields.Char("Amazon's Code", readonly=True, copy=False)
    amazon_text = fields.Text("Amazon's Text", readonly=True, copy=False)

    _amount_not_zero = models.Constraint(
        "CHECK(charge_id IS NULL OR amount <> 0)",
        "An amount to refund must not be zero.",
    )
    _quantity_positive = models.Constraint(
        "CHECK(charge_id IS NOT NULL OR (quantity > 0 AND COALESCE(amount, 0) = 0))",
        "A quantity must be above zero, and has no amount.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to note which part of a promotion goes with the amount, as it is
        before this amount is reserved."""
        charges = self.env["amazon.order.charge"]
        for vals in vals_list:
            if vals.get("charge_id") and vals.get("amount"):
                charge = charges.browse(vals["charge_id"])
                vals["discount"] = charge._discount_of(vals["amount"])
        return super().create(vals_list)

    @api.model
    def _access_domain(self):
        """Override: who may read the action may read what it concerns."""
        return self.env["amazon.action"]._of_readable("action_id")

    def _standing(self):
        """Return those that Amazon has not rejected: what an action is still about."""
        return self.filtered(lambda line: not line.is_rejected)

    def _is_split_by_amazon(self):
        """Whether Amazon's finances may show these in other parts than they were asked
        for: with a promotion, or with what was kept back."""
        return any(line.discount or line.amount < 0 for line in self)
