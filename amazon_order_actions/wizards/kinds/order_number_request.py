from odoo import api, fields, models


class AmazonOrderNumberRequest(models.TransientModel):
    _name = "amazon.order_number.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Seller Order Number"

    _kind = "order_number"

    merchant_order_id = fields.Char(
        "Seller Order Number",
        compute="_compute_merchant_order_id",
        store=True,
        readonly=False,
    )
    seller_order_ref = fields.Char(
        "Number at Amazon", related="order_id.seller_order_ref", related_sudo=False
    )

    @api.depends("order_id", "origin_model", "origin_id")
    def _compute_merchant_order_id(self):
        """Offer the number of the sale order in Odoo.

        Checked here as well: a dialog that is not saved meets no constraint.
        """
        self._check_readable()
        for request in self:
            # sudo: of the sale order, its number alone
            order_sudo = request.order_id.sudo()
            sale_order = request._asked_from()
            if not sale_order or sale_order._name != "sale.order":
                sale_order = self.env["sale.order"]._of_amazon_orders(order_sudo)[:1]
            request.merchant_order_id = sale_order.sudo().name

    def _title(self):
        return self.env._("Seller Order Number of %s", self.amazon_order_ref)

    def action_send_number(self):
        """Ask Amazon to keep the number. Nothing is sent here."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}

    def _details(self):
        """Override: the number."""
        return {"merchant_order_id": (self.merchant_order_id or "").strip()}
