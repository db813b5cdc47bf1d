from odoo import models

from .reply import REACHED
from .reply_rules import FAILED_STATES

# States of a message that the buyer has, as far as anybody knows.
MESSAGE_GONE = ("accepted", "assisted")
# States that replies wait for, or that they do not hold in.
CONCERNED = {*REACHED["submitted"], *FAILED_STATES, "unknown"}


class AmazonActionFollowerReply(models.AbstractModel):
    """The buyer is written to, or what was written is corrected."""

    _name = "amazon.action.follower.reply"
    _inherit = "amazon.action.follower"
    _description = "Replies to Buyers After Amazon Actions"

    _place = 80

    def _follow(self, actions):
        concerned = actions.filtered(lambda action: action.state in CONCERNED)
        if not concerned:
            # nothing is looked up with the click
            return
        replies = self.env["amazon.reply"].sudo()
        by_action = replies._take_of(concerned)
        for action in concerned:
            reply = by_action.get(action)
            if action.kind == "message" and (
                action.state in FAILED_STATES or action.needs_person
            ):
                replies._open_again(action)
            elif action.kind == "message" and action.state in MESSAGE_GONE:
                replies._settle(action)
            elif reply:
                reply._follow()

    def _resume(self, accounts, kind):
        """Override to write to the buyers whose replies were held."""
        if kind not in (False, "message"):
            return
        held = (
            self.env["amazon.reply"]
            .sudo()
            .search([("account_id", "in", accounts.ids), ("state", "=", "waiting")])
        )
        self._follow_contained(held.action_id)

    def _failed(self):
        return self.env._(
            "The reply to the buyer could not be taken care of. Look at it."
        )
