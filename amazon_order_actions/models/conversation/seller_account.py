from odoo import models


class AmazonSellerAccount(models.Model):
    """Who is written to when an account may send again."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _resume_sending(self, kind=False):
        """Override to write to the buyers whose replies were held."""
        result = super()._resume_sending(kind)
        if kind in (False, "message"):
            held = (
                self.env["amazon.reply"]
                .sudo()
                .search([("account_id", "in", self.ids), ("state", "=", "waiting")])
                .action_id
            )
            held.env["amazon.action.follower.reply"]._follow_contained(held)
        return result
