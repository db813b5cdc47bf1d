from odoo import models

from odoo.addons.amazon_order_actions.models.action.states import (
    RESERVING_STATES,
)
from odoo.addons.amazon_order_actions.models.sale.cancellation import (
    cancels_own_shipping,
)

from .stock_picking import CLOSED


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _link_amazon_order(self, marketplace=None):
        """Override to stop the deliveries of a sale order that comes to a cancellation
        late."""
        result = super()._link_amazon_order(marketplace)
        self.sudo()._follow_amazon_holds()
        return result

    def _open_deliveries(self):
        """Return the transfers that have not left; none that bring something back."""
        return self.picking_ids.filtered(
            lambda picking: (
                picking.state not in CLOSED
                and picking.picking_type_code != "incoming"
                and picking.location_id.usage != "customer"
            )
        )

    def _delivered_lines(self):
        """Return the lines of which goods have left the warehouse and are not back."""
        return self.order_line.filtered(
            lambda line: (
                line.qty_delivered_method == "stock_move"
                and line.product_uom_id.compare(line.qty_delivered, 0) > 0
            )
        )

    def _follow_amazon_holds(self):
        """Put open deliveries on hold for the cancellations that are on their way."""
        orders = self.filtered("amazon_order_id").amazon_order_id
        for action in orders.action_ids:
            if cancels_own_shipping(action) and action.state in RESERVING_STATES:
                self.env["stock.picking"]._hold_for(action)

    def _cancelled_along(self):
        """Override: `sale_stock` cancels the open deliveries with the sale order."""
        return [
            *super()._cancelled_along(),
            *self._open_deliveries().mapped("name"),
        ]

    def _cancel_for_amazon(self, action):
        """Override to note it on the deliveries that are cancelled with it."""
        pickings = self._open_deliveries()
        sentence = super()._cancel_for_amazon(action)
        pickings._note_amazon(sentence)
        return sentence


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock`: deliveries that are made while a cancellation is on
        its way are on hold from the start."""
        result = super()._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
        self.order_id.sudo()._follow_amazon_holds()
        return result
