from odoo import models


class AmazonActionFollowerApprovers(models.AbstractModel):
    """Nothing is left to do for the approvers of what is decided."""

    _name = "amazon.action.follower.approvers"
    _inherit = "amazon.action.follower"
    _description = "Activities of Approvers of Amazon Actions"

    _place = 20

    def _follow(self, actions):
        moved = actions.filtered(lambda action: action.state != "to_approve")
        if moved.approval_id:
            moved.approval_id._drop_activities()

    def _failed(self):
        return self.env._("The activities of its approvers could not be closed.")
