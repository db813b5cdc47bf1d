from odoo import api, models
from odoo.tools import LazyTranslate

from ..account.setup import IN_ORDER, LOOK, TO_DO, SetupCheck

_lt = LazyTranslate(__name__)

# People that a sentence names.
NAMED = 5


class AmazonSetupStepPeople(models.AbstractModel):
    """Who may do what, and up to how much alone."""

    _name = "amazon.setup.step.people"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Who May Do What"

    _place = 80
    _label = _lt("Who may do what")

    @api.model
    def _checks(self, account):
        """Override: who may refund, who may approve, and the limits."""
        refunders = self._people(account, "refund")
        approvers = self._people(account, "approve")
        return [
            self._check_refunders(refunders),
            self._check_approvers(refunders, approvers),
        ]

    @api.model
    def _people(self, account, right):
        """Return who has a right in the company of the account, in sudo mode."""
        group = self.env.ref(f"amazon_order_actions.group_{right}")
        return (
            self.env["res.users"]
            .sudo()
            .search(
                [
                    ("all_group_ids", "in", group.ids),
                    ("company_ids", "in", account.company_id.ids),
                    ("share", "=", False),
                ]
            )
        )

    @api.model
    def _names(self, people):
        names = people[:NAMED].mapped("name")
        if len(people) > NAMED:
            names.append(self.env._("%s more", len(people) - NAMED))
        return ", ".join(names)

    @api.model
    def _check_refunders(self, refunders):
        title = self.env._("Refunds")
        if not refunders:
            return SetupCheck(
                TO_DO,
                title,
                self.env._(
                    "Nobody in this company may refund yet. Under Settings > Users, "
                    "choose a person and give Refunds, under Amazon orders. An "
                    "administrator of this addon may not refund without it either."
                ),
            )
        return SetupCheck(
            IN_ORDER, title, self.env._("These may refund: %s.", self._names(refunders))
        )

    @api.model
    def _check_approvers(self, refunders, approvers):
        """Look whether there is a second person for each who may refund."""
        title = self.env._("Second person")
        if not approvers:
            sentence = self.env._(
                "Nobody in this company may approve, so what is above a limit waits "
                "and expires. Give Approvals to a person, under Amazon orders."
            )
            return SetupCheck(TO_DO, title, sentence)
        if len(approvers) == 1 and approvers in refunders:
            sentence = self.env._(
                "%s alone may approve, and nobody approves what they have asked for "
                "themselves. Give Approvals to another person, too.",
                approvers.name,
            )
            return SetupCheck(LOOK, title, sentence)
        sentence = self.env._("These may approve: %s.", self._names(approvers))
        return SetupCheck(IN_ORDER, title, sentence)
