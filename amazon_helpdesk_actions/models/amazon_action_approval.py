from odoo import fields, models


class AmazonAction(models.Model):
    """What a second person decides on, before anything may be sent."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    why_approval = fields.Char(
        "Why Approval Is Needed",
        readonly=True,
        help="Why the person who asked for it may not have it sent alone.",
    )

    def _ask_approval(self):
        """Tell those who may approve these actions that they wait."""

    def _set_approved(self, reason=None):
        """A second person approved it: from now on it is sent like any other."""
        moved = self._update_state("queued", reason)
        moved._enqueue_dispatch()
        return moved

    def _set_refused(self, reason):
        """A second person refused it: nothing is sent."""
        return self._update_state("refused", reason)

    def _set_expired(self):
        """Nobody decided in time: nothing is sent."""
        return self._update_state("expired")

    def _approval_sentence(self):
        """What is known of an action in a state of its approval."""
        sentences = {
            "to_approve": lambda: self.env._(
                "Nothing is sent to Amazon before a second person approves it. %(why)s",
                why=self.why_approval,
            ),
            "refused": lambda: self.env._(
                "A second person refused it. Nothing was sent to Amazon."
            ),
            "expired": lambda: self.env._(
                "Nobody approved it in time. Nothing was sent to Amazon."
            ),
        }
        return sentences[self.state]()
