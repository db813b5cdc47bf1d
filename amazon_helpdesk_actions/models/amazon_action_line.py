from odoo import fields, models


class AmazonActionLine(models.Model):
    """An amount that an action moves: one component of one item."""

    _name = "amazon.action.line"
    _description = "Amazon Action Line"
    _order = "action_id, id"
    _rec_name = "charge_id"

    action_id = fields.Many2one(
        "amazon.action", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="action_id.company_id", store=True)
    charge_id = fields.Many2one(
        "amazon.order.charge",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    order_line_id = fields.Many2one(related="charge_id.line_id")
    component = fields.Selection(related="charge_id.component")
    currency_id = fields.Many2one(related="action_id.currency_id")
    amount = fields.Monetary(required=True, readonly=True)

    _amount_positive = models.Constraint(
        "CHECK(amount > 0)", "An amount to refund must be above zero."
    )
