from odoo import models


class AmazonActionKindGone(models.AbstractModel):
    """Stands for every kind whose addon is not installed any more.

    What was asked of Amazon stays on record, with what is known of it. What still
    waited is not sent, and who may approve actions can take it back or decide on it.
    """

    _name = "amazon.action.kind.gone"
    _inherit = "amazon.action.kind"
    _description = "Amazon Action of an Addon That Is Gone"

    _group = "amazon_order_actions.group_approve"
    _is_shown_by_amazon = False

    def _refusal(self):
        return self.env._(
            "The addon that this was asked for with is not installed any more. Only "
            "who may approve actions can act on it."
        )

    def _late_blocker(self, action):
        return self.env._(
            "Nothing was sent: the addon that this was asked for with is not installed "
            "any more."
        )

    def _is_confirmed(self, action):
        return False

    def _sentence(self, action, state):
        return self.env._(
            "%(state)s. The addon that this was asked for with is not installed any "
            "more.",
            state=action._state_label(),
        )
