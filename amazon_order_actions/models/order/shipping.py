from odoo import fields, models

from .amounts import RESERVING_STATES

# Kinds of action that take units away from those that are left to ship.
TAKING_UNITS = ("ship", "cancel_items")


class AmazonOrder(models.Model):
    """What Amazon says of the shipping of an order that the seller ships."""

    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    packages = fields.Json(
        readonly=True,
        help="Packages that Amazon shows: reference, carrier, tracking_number.",
    )
    package_references = fields.Json(
        readonly=True, help="The seller's ids of all packages, also cancelled ones."
    )

    # === RECORDING === #

    def _record_order(self, order):
        """Override to record the packages."""
        result = super()._record_order(order)
        self.packages = [
            {
                "reference": package.reference,
                "carrier": package.carrier,
                "tracking_number": package.tracking_number,
            }
            for package in order.packages
        ]
        self.package_references = list(order.package_references)
        return result

    def _record_items(self, items):
        """Override: of what Amazon does not list any more, nothing is left to ship."""
        result = super()._record_items(items)
        gone = self.line_ids.filtered(lambda line: not line.quantity_ordered)
        gone.quantity_open = 0
        return result

    def _record_item(self, item):
        """Override to record how many units Amazon still expects."""
        line = super()._record_item(item)
        left = item.quantity_unfulfilled
        if left is None:
            left = max(item.quantity_ordered - item.quantity_fulfilled, 0)
        line.quantity_open = left
        return line


class AmazonOrderLine(models.Model):
    _inherit = "amazon.order.line"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    quantity_open = fields.Integer(
        "To Ship", readonly=True, help="Units that Amazon still wants to be shipped."
    )

    def _left_to_ship(self, before=None):
        """Return how many units nobody has shipped, or has asked here to ship or to
        cancel.

        :param amazon.action before: count only what was asked for before this action
        :rtype: int
        """
        self.ensure_one()
        # sudo: what is asked for counts, whoever looks
        asked = self.sudo().order_id.action_ids.filtered(
            lambda action: (
                action.kind in TAKING_UNITS
                and action.state in RESERVING_STATES
                and (not before or action.id < before.id)
            )
        )
        lines = asked.line_ids._standing().filtered(
            lambda line: line.order_line_id == self
        )
        return max(self.quantity_open - sum(lines.mapped("quantity")), 0)
