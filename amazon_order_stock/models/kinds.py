"""What the deliveries in Odoo tell of an order before Amazon does."""

from odoo import models


class AmazonActionCancel(models.AbstractModel):
    _inherit = "amazon.action.kind.cancel"

    def _delivered_blocker(self, order):
        """Override: the deliveries in Odoo tell before Amazon does."""
        return order._delivered_blocker()


class AmazonActionCancelItems(models.AbstractModel):
    _inherit = "amazon.action.kind.cancel_items"

    def _delivered_blocker(self, order):
        """Override: items can be cancelled as long as one delivery is open."""
        return order._all_delivered_blocker()

    def _warnings(self, order):
        """Override to name what has left."""
        warnings = super()._warnings(order)
        if order._delivered_units():
            warnings.append(
                self.env._(
                    "By the deliveries in Odoo these goods have left already: %s. "
                    "Cancel only what is still there.",
                    order._delivered_units(),
                )
            )
        return warnings


class AmazonActionRefund(models.AbstractModel):
    _inherit = "amazon.action.kind.refund"

    def _status_blocker(self, order):
        """Override: what has left the warehouse is not cancelled instead."""
        blocker = super()._status_blocker(order)
        if order.fulfillment_status == "UNSHIPPED" and order._delivered_units():
            return self.env._(
                "By the deliveries in Odoo this order has left, but Amazon does not "
                "show it as shipped, so the buyer has not been charged. Confirm the "
                "shipment to Amazon, then refund it."
            )
        return blocker
