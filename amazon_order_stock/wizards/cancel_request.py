from odoo import api, fields, models


class AmazonCancelRequest(models.TransientModel):
    _inherit = "amazon.cancel.request"

    deliveries = fields.Char(
        compute="_compute_deliveries", help="They are put on hold by the click."
    )

    @api.depends("order_id")
    def _compute_deliveries(self):
        for request in self:
            order = request.order_id
            pickings = order._open_deliveries() if order.channel == "fbm" else ()
            request.deliveries = ", ".join(picking.name for picking in pickings)

    def _has_left(self):
        """Override: the deliveries in Odoo tell before Amazon does."""
        return super()._has_left() or bool(self.order_id._delivered_units())
