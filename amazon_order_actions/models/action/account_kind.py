from odoo import api, fields, models
from odoo.exceptions import UserError

from .kind import UNDO_SECONDS, kind_selection


class AmazonAccountKind(models.Model):
    """What one account has set for one kind of action.

    There is a row for each kind that has a setting of its own; where there is none, the
    default counts. The program makes them: with an account, and with the addon that
    brings a kind.
    """

    _name = "amazon.account.kind"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Setting for a Kind of Action"
    _order = "account_id, id"
    _rec_name = "kind"

    account_id = fields.Many2one(
        "amazon.seller.account",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    kind = fields.Selection(kind_selection, required=True, readonly=True)
    undo_seconds = fields.Integer(
        "Seconds",
        default=UNDO_SECONDS,
        help="Seconds for which it stays here, so that it can surely be taken back.",
    )

    _kind_uniq = models.Constraint(
        "unique(account_id, kind)", "An account has one setting for each kind."
    )
    _undo_seconds = models.Constraint(
        "CHECK(undo_seconds BETWEEN 0 AND 3600)",
        "The time to take it back must be between 0 and 3600 seconds.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override: what was known to be missing is not any more."""
        rows = super().create(vals_list)
        self.env.registry.clear_cache()
        return rows

    def write(self, vals):
        """Override to journal what decides how long something stays here.

        :raise UserError: where a row was to become another one
        """
        self._check_same(vals)
        before = {row: row.undo_seconds for row in self}
        result = super().write(vals)
        self.env.registry.clear_cache()
        for row, seconds in before.items():
            if row.undo_seconds != seconds:
                row._journal_change(seconds)
        return result

    # === BUSINESS METHODS === #

    def _check_same(self, vals):
        """Refuse to make another row of one: nobody would journal what ends.

        :param dict vals: as they are written
        """
        for row in self:
            is_other = vals.get("kind", row.kind) != row.kind
            if (
                is_other
                or vals.get("account_id", row.account_id.id) != row.account_id.id
            ):
                raise UserError(
                    self.env._(
                        "A setting stays with its account and its kind of action."
                    )
                )

    @api.model
    def _create_missing(self, accounts=None):
        """Create the rows that accounts do not have yet.

        :param amazon.seller.account accounts: all, where none are named
        """
        if accounts is None:
            every = self.env["amazon.seller.account"].with_context(active_test=False)
            accounts = every.search([])
        known = {(row.account_id, row.kind) for row in self.search([])}
        missing = [
            {"account_id": account.id, "kind": kind}
            for account in accounts
            for kind in self.env["amazon.action.kind"]._names_set_alone()
            if (account, kind) not in known
        ]
        if missing:
            self.create(missing)

    def _journal_change(self, before):
        """Journal that the seconds were changed.

        :param int before: the seconds until now
        """
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "company_id": self.company_id.id,
                    "account_id": self.account_id.id,
                    "event": "account",
                    "value_before": str(before),
                    "value_after": str(self.undo_seconds),
                    "message": self.env._(
                        "%(field)s changed: %(value)s",
                        field=self._setting_label(self.kind),
                        value=self.undo_seconds,
                    ),
                }
            ]
        )

    @api.model
    def _setting_label(self, kind):
        """Return what people call the setting of a kind."""
        labels = dict(kind_selection(self))
        return self.env._("Time to Take Back (%s)", labels.get(kind, kind))
