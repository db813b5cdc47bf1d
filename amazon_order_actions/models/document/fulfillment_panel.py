from odoo import models

from ..order.fulfillment_order import MCF_OPEN


class AmazonOrder(models.Model):
    """What the panel shows of a fulfillment order."""

    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _panel_data(self):
        """Override to show the fulfillment instead of money."""
        data = super()._panel_data()
        order = self.sudo()
        data["fulfillment"] = order._panel_fulfillment()
        if data["fulfillment"]:
            data["status"] = order.mcf_status
            data["status_label"] = order._label("mcf_status")
        return data

    def _panel_line(self, row):
        """Override to tell what a fulfillment order tells of its items."""
        return super()._panel_line(row) | {
            "quantity_cancelled": row["quantity_cancelled"],
            "quantity_unfulfillable": row["quantity_unfulfillable"],
        }

    def _panel_fulfillment(self):
        """Return what is shown of a fulfillment order, False for other orders."""
        if not self.is_fulfillment_order:
            return False
        return {
            "speed": self._label("mcf_speed"),
            "policy": self._label("mcf_policy"),
            "is_on_hold": self.mcf_action == "Hold" and self.mcf_status in MCF_OPEN,
            "displayed_ref": self.mcf_displayed_ref,
            "comment": self.mcf_comment,
            "packages": self.mcf_packages or [],
        }
