from odoo import fields, models


class AmazonFulfillmentCancelRequest(models.TransientModel):
    _name = "amazon.fulfillment.cancel.request"
    _inherit = "amazon.action.request"
    _description = "Request of a Fulfillment Cancellation"

    _kind = "mcf_cancel"

    order_line_ids = fields.One2many(related="order_id.line_ids", related_sudo=False)
    mcf_status = fields.Selection(related="order_id.mcf_status", related_sudo=False)

    def _title(self):
        return self.env._("Cancel %s", self.amazon_order_ref)

    def action_cancel_order(self):
        """Ask for the cancellation. Nothing is sent here."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}
