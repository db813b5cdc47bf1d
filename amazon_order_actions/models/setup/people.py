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
    _looks_at = (
        "careful_limit_ids.limit_action",
        "careful_limit_ids.limit_person_day",
    )

    @api.model
    def _checks(self, account):
        """Override: who may refund, who may approve, and the limits."""
        refunders = self._people(account, "refund")
        approvers = self._people(account, "approve")
        return [
            self._check_refunders(refunders),
            self._check_limits(account),
            self._check_approvers(account, refunders, approvers),
        ]

    @api.model
    def _enter(self, account):
        """Override to propose careful limits, which are changed here."""
        self.env["amazon.authority"]._propose_careful_limits(account)

    @api.model
    def _check_limits(self, account):
        """Say which limits count for refunds: the careful ones, or the matrix."""
        title = self.env._("Limits")
        rows = self.env["amazon.authority"]._rows(account.company_id.id, "refund")
        if rows:
            sentence = self.env._(
                "Who May Do What says who may refund how much (rows: %s), so the "
                "careful limits do not count.",
                len(rows),
            )
            return SetupCheck(IN_ORDER, title, sentence)
        limits = self.env["amazon.authority"]._careful_sentences(account)
        sentence = self.env._(
            "Whoever may refund does so alone up to a careful limit; above it a second "
            "person decides. That holds until Who May Do What has a row for refunds. "
            "In the limits above you can change them."
        )
        return SetupCheck(IN_ORDER, title, sentence, "\n".join(limits))

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
    def _check_approvers(self, account, refunders, approvers):
        """Look whether there is a second person for each who may refund."""
        title = self.env._("Second person")
        if not approvers:
            return SetupCheck(
                TO_DO,
                title,
                self.env._(
                    "Nobody in this company may approve, so what is above a limit "
                    "waits %(hours)s hours and expires. %(advice)s",
                    hours=account.approval_hours,
                    advice=self._advice(refunders),
                ),
            )
        if len(approvers) == 1 and approvers in refunders:
            sentence = self.env._(
                "%(name)s alone may approve, and nobody approves what they have asked "
                "for themselves. %(advice)s",
                name=approvers.name,
                advice=self._advice(refunders),
            )
            return SetupCheck(LOOK, title, sentence)
        sentence = self.env._("These may approve: %s.", self._names(approvers))
        return SetupCheck(IN_ORDER, title, sentence)

    @api.model
    def _advice(self, refunders):
        """Say how there is a second person, or how somebody who is alone goes
        without."""
        if len(refunders) != 1:
            return self.env._(
                "Give Approvals to another person, under Amazon orders in the user."
            )
        return self.env._(
            "Give Approvals to another person, under Amazon orders in the user. Where "
            "%(name)s works alone: open Who May Do What, click New, choose the right "
            "Refund and the person %(name)s, and enter the limits (0: none). The row "
            "counts instead of the careful limits, and the journal keeps who made it.",
            name=refunders.name,
        )
