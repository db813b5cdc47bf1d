from odoo import Command, fields, models

from .amazon_order_mixin import READERS


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "amazon.order.mixin"]

    amazon_action_ids = fields.One2many(
        "amazon.action", "sale_order_id", readonly=True, groups=READERS
    )

    def _link_amazon_order(self, marketplace=None):
        """Override to link the tickets of the same Amazon order, too."""
        result = super()._link_amazon_order(marketplace)
        for order_sudo in self.sudo().filtered("amazon_order_id"):
            tickets = (
                self.env["helpdesk.ticket"]
                .sudo()
                .search([("amazon_order_id", "=", order_sudo.amazon_order_id.id)])
            )
            order_sudo.ticket_ids = [Command.link(ticket.id) for ticket in tickets]
        return result
