from odoo import api, models
from odoo.fields import Domain


class AmazonSellerAccount(models.Model):
    """What an account means for what was asked of it."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    @api.model
    def _held_by(self):
        """Override: its actions."""
        return [*super()._held_by(), "amazon.action"]

    def _resume_sending(self, kind=False):
        """Override to enqueue a dispatch for every lane in which actions wait."""
        result = super()._resume_sending(kind)
        waiting = Domain("account_id", "in", self.ids) & Domain("state", "=", "queued")
        if kind:
            waiting &= Domain("kind", "=", kind)
        self.env["amazon.action"].sudo().search(waiting)._enqueue_dispatch()
        return result
