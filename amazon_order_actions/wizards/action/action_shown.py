from odoo import fields, models


class AmazonActionShown(models.AbstractModel):
    """What a dialog shows of an action that somebody decides on, and of its order.

    By the rights of who looks: none of it is read in sudo mode.
    """

    _name = "amazon.action.shown"
    _description = "Amazon Action Shown in a Dialog"

    action_id = fields.Many2one("amazon.action", readonly=True)
    name = fields.Char(related="action_id.name", related_sudo=False)
    kind = fields.Selection(related="action_id.kind", related_sudo=False)
    state_message = fields.Char(related="action_id.state_message", related_sudo=False)
    user_id = fields.Many2one(related="action_id.user_id", related_sudo=False)
    asked_at = fields.Datetime(related="action_id.asked_at", related_sudo=False)
    currency_id = fields.Many2one(related="action_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="action_id.amount", related_sudo=False)
    line_ids = fields.One2many(
        string="Asked For", related="action_id.line_ids", related_sudo=False
    )
    order_id = fields.Many2one(related="action_id.order_id", related_sudo=False)
    fulfillment_status = fields.Selection(
        related="order_id.fulfillment_status", related_sudo=False
    )
    read_at = fields.Datetime(related="order_id.read_at", related_sudo=False)
    refund_ids = fields.One2many(related="order_id.refund_ids", related_sudo=False)
    seller_central_url = fields.Char(
        related="order_id.seller_central_url", related_sudo=False
    )


class AmazonItemShown(models.AbstractModel):
    """What a row of a dialog shows of an item of the order, by the rights of who
    looks."""

    _name = "amazon.item.shown"
    _description = "Amazon Order Item Shown in a Dialog"

    order_line_id = fields.Many2one("amazon.order.line", required=True, readonly=True)
    title = fields.Char(related="order_line_id.title", related_sudo=False)
    sku = fields.Char(related="order_line_id.sku", related_sudo=False)
    quantity_ordered = fields.Integer(
        related="order_line_id.quantity_ordered", related_sudo=False
    )
