from odoo import models


class AmazonOrderMixin(models.AbstractModel):
    """How an order is edited at Amazon from a document of it."""

    _inherit = "amazon.order.mixin"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # === ACTION METHODS === #

    def action_amazon_edit(self):
        """Open the dialog that shows what can be edited now. Sends nothing."""
        self.ensure_one()
        self.check_access("read")
        order = self._get_amazon_order()._require_one()
        return self.env["amazon.edit.request"]._open(order, self)

    def action_amazon_ship(self):
        """Open the dialog that asks to confirm a shipment. Sends nothing."""
        return self._open_amazon_request("ship")

    def action_amazon_order_number(self):
        """Open the dialog for the seller's own number of the order. Sends nothing."""
        return self._open_amazon_request("order_number")

    def action_amazon_cancel(self):
        """Override: a fulfillment order is cancelled in a way of its own."""
        self.ensure_one()
        if self._get_amazon_order().is_fulfillment_order:
            return self._open_amazon_request(
                "mcf_cancel", "amazon.fulfillment.cancel.request"
            )
        return super().action_amazon_cancel()

    def action_amazon_fulfillment(self):
        """Open the dialog that asks Amazon to change a fulfillment order. Sends
        nothing."""
        return self._open_amazon_request("mcf_update", "amazon.fulfillment.request")
