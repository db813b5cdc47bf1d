from odoo import fields, models


class AmazonActionLine(models.Model):
    """What an action concerns of one item: an amount of one component, or units."""

    _name = "amazon.action.line"
    _description = "Amazon Action Line"
    _order = "action_id, id"
    _rec_name = "order_line_id"

    action_id = fields.Many2one(
        "amazon.action", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="action_id.company_id", store=True)
    order_line_id = fields.Many2one(
        "amazon.order.line", required=True, readonly=True, ondelete="restrict"
    )
    charge_id = fields.Many2one(
        "amazon.order.charge", readonly=True, ondelete="restrict", index=True
    )
    component = fields.Selection(related="charge_id.component")
    currency_id = fields.Many2one(related="action_id.currency_id")
    amount = fields.Monetary(readonly=True)
    quantity = fields.Integer(readonly=True, help="Units of the item.")

    _amount_positive = models.Constraint(
        "CHECK(charge_id IS NULL OR amount > 0)",
        "An amount to refund must be above zero.",
    )
    _quantity_positive = models.Constraint(
        "CHECK(charge_id IS NOT NULL OR quantity > 0)",
        "A quantity must be above zero.",
    )
