import re

from odoo import models

from odoo.addons.amazon_order_actions.models.action.states import (
    RESERVING_STATES,
)
from odoo.addons.amazon_order_actions.models.action.units import left_to_ship
from odoo.addons.amazon_order_actions.models.order.carriers import (
    CARRIERS,
    OTHER_CARRIER,
)


class AmazonOrder(models.Model):
    """What Odoo has shipped of an Amazon order."""

    _inherit = "amazon.order"

    def _next_delivery(self):
        """Return the oldest delivery that was done in Odoo and is in no shipment
        confirmation yet.

        :rtype: stock.picking
        """
        sale_orders = self.env["sale.order"]._of_amazon_orders(self)
        done = sale_orders.picking_ids.filtered(
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
                taken = min(int(quantity), left_to_ship(line) - units[line])
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
