from odoo import models


class AmazonActionFollowerForget(models.AbstractModel):
    """What only the sending needed is forgotten: it may name the buyer."""

    _name = "amazon.action.follower.forget"
    _inherit = "amazon.action.follower"
    _description = "What Names the Buyer in Amazon Actions"

    _place = 30

    def _follow(self, actions):
        actions._forget_details()

    def _failed(self):
        return self.env._(
            "What names the buyer could not be removed from it. Tell an administrator."
        )
