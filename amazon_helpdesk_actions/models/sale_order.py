from odoo import Command, models


class SaleOrder(models.Model):
    _inherit = "sale.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

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
