from odoo import models


class AmazonPanelSectionReply(models.AbstractModel):
    """What became of the reply to the buyer that belongs to an action."""

    _name = "amazon.panel.section.reply"
    _inherit = "amazon.panel.section"
    _description = "Replies in the Panel of Amazon Orders"

    def _columns(self, query):
        """Override: the reply of each action; there is one at most."""
        replies = self.env["amazon.reply"]
        reply = query.left_join(query.table, "id", "amazon_reply", "action_id", "reply")
        return {
            "reply_awaited": replies._field_to_sql(reply, "awaited_state", query),
            "reply_state": replies._field_to_sql(reply, "state", query),
        }

    def _add(self, panel, rows):
        """Override to say it beside the action."""
        for action, row in zip(panel["actions"], rows, strict=True):
            action["reply"] = self._sentence(row)

    def _sentence(self, row):
        """Return the sentence on the reply that belongs to an action, or False."""
        waiting = {
            "submitted": self.env._(
                "The buyer is written to as soon as Amazon has received it."
            ),
            "accepted": self.env._(
                "The buyer is written to as soon as Amazon has accepted it."
            ),
            "confirmed": self.env._(
                "The buyer is written to as soon as Amazon's data shows it."
            ),
        }
        return {
            "waiting": waiting.get(row["reply_awaited"]),
            "sent": self.env._("The buyer was written to."),
            "failed": self.env._("The reply could not be sent. Write to the buyer."),
            "dropped": self.env._("The buyer was not written to about it."),
            "corrected": self.env._("The buyer was sent a correction."),
            "correcting": self.env._(
                "The buyer was written to, and that does not hold: correct it with "
                "Reply."
            ),
        }.get(row["reply_state"], False)
