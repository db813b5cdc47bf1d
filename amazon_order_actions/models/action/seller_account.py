from odoo import api, fields, models, tools
from odoo.fields import Domain

from .kind import UNDO_SECONDS
from .states import BEFORE_SENDING, OPEN_STATES


class AmazonSellerAccount(models.Model):
    """What an account means for what was asked of it."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    kind_ids = fields.One2many(
        "amazon.account.kind",
        "account_id",
        "Time to Take Back",
        # of an addon that is gone, the rows wait until it is back
        domain=lambda self: [
            ("kind", "in", self.env["amazon.action.kind"]._names_set_alone())
        ],
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to add a setting for each kind of action."""
        accounts = super().create(vals_list)
        self.env["amazon.account.kind"].sudo()._create_missing(accounts.sudo())
        return accounts

    # === BUSINESS METHODS === #

    def _forgotten_since(self, former):
        """Override: what is under way is looked for where it never was."""
        said = super()._forgotten_since(former)
        # sudo: what is under way counts, whoever looks
        count = (
            self.env["amazon.action"]
            .sudo()
            .search_count(
                [
                    ("account_id", "=", former.id),
                    ("state", "in", (*BEFORE_SENDING, *OPEN_STATES)),
                ]
            )
        )
        if count:
            said.append(
                self.env._(
                    "Actions that are under way (%s) go on where the account is then, "
                    "and nothing is known of them there. Take back what waits, and let "
                    "the rest end first.",
                    count,
                )
            )
        return said

    def _resume_sending(self, kind=False):
        """Override to enqueue a dispatch for every lane in which actions wait, and to
        let go on what follows."""
        result = super()._resume_sending(kind)
        waiting = Domain("account_id", "in", self.ids) & Domain("state", "=", "queued")
        if kind:
            waiting &= Domain("kind", "=", kind)
        self.env["amazon.action"].sudo().search(waiting)._enqueue_dispatch()
        for follower in self.env["amazon.action.follower"]._in_order():
            follower._resume(self, kind)
        return result

    @tools.ormcache("self.id", "kind")
    def _undo_seconds(self, kind):
        """Return the seconds for which an action stays here, so that it can be taken
        back.

        :param str kind: that has the setting
        :rtype: int
        """
        rows = self.env["amazon.account.kind"].sudo()
        row = rows.search([("account_id", "=", self.id), ("kind", "=", kind)])
        return row.undo_seconds if row else UNDO_SECONDS

    def _journaled_settings(self):
        """Override to add those of the kinds of action."""
        settings = self.env["amazon.account.kind"]
        return "\n".join(
            [
                super()._journaled_settings(),
                *(
                    f"{settings._setting_label(kind)}: {self._undo_seconds(kind)}"
                    for kind in self.env["amazon.action.kind"]._names_set_alone()
                ),
            ]
        )
