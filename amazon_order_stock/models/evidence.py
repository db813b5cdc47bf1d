from odoo import models

from odoo.addons.amazon_order_actions.report.evidence_facts import Package


class AmazonEvidence(models.AbstractModel):
    _inherit = "amazon.evidence"

    def _packages(self, order):
        """Override to add what has left the warehouse."""
        sale_orders = self.env["sale.order"]._of_amazon_orders(order)
        deliveries = sale_orders.picking_ids.filtered(
            lambda picking: (
                picking.state == "done" and picking.picking_type_id.code == "outgoing"
            )
        )
        left = [self._package_of(picking) for picking in deliveries]
        return super()._packages(order) + left

    def _package_of(self, picking):
        """Hook: return a delivery that left as a parcel.

        :param stock.picking picking: in sudo mode
        :rtype: Package
        """
        return Package(
            source="seller",
            ref=picking.name,
            carrier="",
            tracking="",
            at=picking.date_done,
        )
