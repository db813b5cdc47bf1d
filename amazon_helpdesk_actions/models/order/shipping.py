import re

from odoo import fields, models

from .amounts import RESERVING_STATES
from .carriers import CARRIERS, OTHER_CARRIER

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

    # === GETTERS - WHAT ODOO HAS SHIPPED === #

    def _sale_orders(self):
        """Return the sale orders of this Amazon order, the oldest first."""
        return self.env["sale.order"].search(
            [
                ("amazon_order_id", "=", self.id),
                ("company_id", "=", self.company_id.id),
            ],
            order="id",
        )

    def _next_delivery(self):
        """Return the oldest delivery that was done in Odoo and is in no shipment
        confirmation yet.

        :rtype: stock.picking
        """
        done = self._sale_orders().picking_ids.filtered(
            lambda picking: (
                picking.state == "done" and picking.picking_type_id.code == "outgoing"
            )
        )
        # sudo: what is asked for counts, whoever looks
        told = self.sudo().action_ids.filtered(
            lambda action: (
                action.kind == "ship"
                and action.state in (*RESERVING_STATES, "confirmed")
            )
        )
        told_ids = {(action.details or {}).get("picking_id") for action in told}
        left = done.filtered(lambda picking: picking.id not in told_ids)
        return left.sorted(lambda picking: (picking.date_done, picking.id))[:1]

    def _units_of(self, delivery):
        """Return how many units of each item are in a delivery, as far as Amazon still
        expects them.

        :param stock.picking delivery: done in Odoo
        :rtype: dict
        """
        units = dict.fromkeys(self.line_ids, 0)
        for move in delivery.move_ids.filtered(lambda move: move.state == "done"):
            quantity = move.product_uom._compute_quantity(
                move.quantity, move.product_id.uom_id
            )
            for line in self._lines_of(move):
                taken = min(int(quantity), line._left_to_ship() - units[line])
                units[line] += taken
                quantity -= taken
        return units

    def _lines_of(self, move):
        """Return the items that a stock move may be about: by Amazon's item, where the
        sale order line knows it (as with the Enterprise addon sale_amazon), else by
        SKU."""
        item_ref = (
            "amazon_item_ref" in move.sale_line_id
            and (move.sale_line_id["amazon_item_ref"])
        )
        if item_ref:
            return self.line_ids.filtered(lambda line: line.amazon_item_ref == item_ref)
        sku = move.product_id.default_code
        return self.line_ids.filtered(lambda line: sku and line.sku == sku)

    def _carrier_of(self, delivery):
        """Return Amazon's code of the carrier of a delivery, and its name where Amazon
        has no code for it.

        :rtype: tuple[str | bool, str | bool]
        """
        name = delivery.carrier_id.name
        if not name:
            return False, False
        # the longest first: "Correos Express" is not "Correos"
        for code, _label in sorted(CARRIERS, key=lambda row: -len(row[0])):
            if re.search(rf"(?i)\b{re.escape(code)}\b", name) and code != OTHER_CARRIER:
                return code, False
        return OTHER_CARRIER, name

    # === GETTERS === #

    def _next_package_reference(self):
        """Return a number that no package of this order has, here or at Amazon.

        Amazon wants a positive number that is unique within the order (ordersV0, model
        of PackageReferenceId). It stays with the action, so that whatever is told twice
        is about the same package.

        :rtype: str
        """
        asked = self.sudo().action_ids.filtered(lambda action: action.kind == "ship")
        used = [*(self.package_references or [])]
        used += [action._package()["packageReferenceId"] for action in asked]
        return str(1 + max((int(ref) for ref in used if ref.isdecimal()), default=0))


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
