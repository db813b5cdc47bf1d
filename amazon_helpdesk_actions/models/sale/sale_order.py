from odoo import Command, api, fields, models

from ..action.order_mixin import READERS


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "amazon.order.mixin", "amazon.plain.export"]

    amazon_action_ids = fields.One2many(
        "amazon.action", "sale_order_id", readonly=True, groups=READERS
    )

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: who may not read it sees its number."""
        named = self._name_by_number()
        return super(SaleOrder, self - named)._compute_display_name()

    # === BUSINESS METHODS === #

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


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _sale_orders(self):
        """Return the sale orders of these orders, in sudo mode, for whoever may act on
        the Amazon order."""
        return (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("amazon_order_id", "in", self.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )
