from odoo import api, fields, models

from ..models.amazon_action_cancel import CANCEL_REASONS


class AmazonCancelRequest(models.TransientModel):
    _name = "amazon.cancel.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Cancellation"

    _kind = "cancel"

    reason = fields.Selection(
        CANCEL_REASONS, compute="_compute_reason", store=True, readonly=False
    )
    order_line_ids = fields.One2many(related="order_id.line_ids", related_sudo=False)
    cancel_requested = fields.Boolean(
        related="order_id.cancel_requested", related_sudo=False
    )
    cancel_request_reason = fields.Char(
        related="order_id.cancel_request_reason", related_sudo=False
    )

    @api.depends("order_id")
    def _compute_reason(self):
        """Where the buyer asked for it in the official way, that is the reason."""
        for request in self:
            request.reason = request.cancel_requested and "BuyerCanceled"

    def _title(self):
        return self.env._("Cancel %s", self.amazon_order_ref)

    def action_cancel_order(self):
        """Ask for the cancellation; in the assisted way, record it as asked for."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}
