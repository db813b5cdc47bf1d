from odoo import fields, models


class AmazonShipRequest(models.TransientModel):
    _inherit = "amazon.ship.request"

    # The delivery that it is filled in from: of its number alone, since who may confirm
    # a shipment need not see the stock.
    picking_id = fields.Integer(readonly=True)
    delivery_name = fields.Char("Delivery in Odoo", readonly=True)

    def _fill_in(self):
        """Override: the next package is the next delivery."""
        result = super()._fill_in()
        # sudo: of the delivery, only what Amazon is to be told
        order_sudo = self.order_id.sudo()
        delivery_sudo = order_sudo._next_delivery()
        if delivery_sudo:
            self.write(self._prepare_delivery(order_sudo, delivery_sudo))
            units = order_sudo._units_of(delivery_sudo)
            for line in self.line_ids:
                line.quantity = units[line.order_line_id]
        return result

    def _prepare_delivery(self, order, delivery):
        code, name = order._carrier_of(delivery)
        return {
            "picking_id": delivery.id,
            "delivery_name": delivery.name,
            "carrier_code": code,
            "carrier_name": name,
            "tracking_number": delivery.carrier_tracking_ref,
            "ship_date": delivery.date_done,
        }

    def _details(self):
        """Override to keep which delivery it tells of, so that the next dialog is
        about another one."""
        return {**super()._details(), "picking_id": self.picking_id}
