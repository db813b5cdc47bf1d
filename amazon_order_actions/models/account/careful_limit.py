from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

# What is proposed, by the currency of the order: for one refund, and for one person and
# day. Round amounts near 100 and 500 euros, so that an ordinary return goes alone and a
# mistake costs little. Of any other currency nothing goes alone.
CAREFUL = {
    "AED": (400, 2000),
    "AUD": (150, 750),
    "BRL": (500, 2500),
    "CAD": (150, 750),
    "EGP": (5000, 25000),
    "EUR": (100, 500),
    "GBP": (100, 500),
    "INR": (10000, 50000),
    "JPY": (15000, 75000),
    "MXN": (2000, 10000),
    "PLN": (400, 2000),
    "SAR": (400, 2000),
    "SEK": (1000, 5000),
    "SGD": (150, 750),
    "TRY": (4000, 20000),
    "USD": (100, 500),
    "ZAR": (2000, 10000),
}


class Careful(NamedTuple):
    """Up to how much one person may refund alone, in the currency of the order."""

    action: float
    day: float


class AmazonCarefulLimit(models.Model):
    """Limits before freedom: up to how much a person may refund alone while no row of
    the matrix (`amazon.authority`) is about refunds.

    In the currency of the order, so that no rate is needed. Where an account has no row
    for a currency, what is proposed counts (`CAREFUL`). They cannot be lifted, only
    changed: who is to have no limit gets a row of the matrix.
    """

    _name = "amazon.careful.limit"
    _inherit = "amazon.journaled.row"
    _description = "Amazon Careful Limit"
    _order = "account_id, id"
    _rec_name = "currency_id"

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        ondelete="restrict",
        help="Of the orders that it is about.",
    )
    limit_action = fields.Monetary(
        "One Refund",
        required=True,
        aggregator=None,
        help="Up to this much one refund goes alone; above it a second person decides.",
    )
    limit_person_day = fields.Monetary(
        "Person and Day",
        required=True,
        aggregator=None,
        help="Up to this much the refunds of one person go alone on one day. What "
        "waits for approval counts. A day begins at midnight in the time zone under "
        "Amazon > Configuration > Journal Settings.",
    )

    _currency_uniq = models.Constraint(
        "unique(account_id, currency_id)",
        "An account has one careful limit for each currency.",
    )
    _above_zero = models.Constraint(
        "CHECK(LEAST(limit_action, limit_person_day) > 0)",
        "A careful limit is above zero. Who is to refund without a limit gets a row "
        "under Amazon > Configuration > Who May Do What.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to keep it about what it is about.

        :raise UserError: where a row was to become another one
        """
        for row in self:
            if any(
                vals.get(name, row[name].id) != row[name].id
                for name in ("account_id", "currency_id")
            ):
                raise UserError(
                    self.env._("A careful limit stays with its account and currency.")
                )
        return super().write(vals)

    # === BUSINESS METHODS === #

    @api.model
    def _of(self, account_id, currency):
        """Return the limit of an account for orders in a currency.

        :param int account_id: whose orders
        :param res.currency currency: of the order
        :rtype: Careful
        """
        # sudo: it counts for everybody. Read anew each time, as the matrix is.
        row_sudo = self.sudo().search_fetch(
            [("account_id", "=", account_id), ("currency_id", "=", currency.id)],
            ["limit_action", "limit_person_day"],
        )
        if row_sudo:
            return Careful(row_sudo.limit_action, row_sudo.limit_person_day)
        return Careful(*CAREFUL.get(currency.name, (0, 0)))

    def _text(self):
        """Override: all that it says."""
        names = ("account_id", "currency_id", "limit_action", "limit_person_day")
        shown = {
            "account_id": f"{self.account_id.display_name} ({self.account_id.id})",
            "currency_id": self.currency_id.name,
        }
        return "\n".join(
            f"{self._fields[name]._description_string(self.env)}: "
            f"{shown.get(name, self[name])}"
            for name in names
        )

    def _journal_sentence(self, row, before, after):
        """Override: by its currency."""
        if row not in before:
            return self.env._("Careful limit set: %s.", row.currency_id.name)
        if row not in after:
            return self.env._("Careful limit removed: %s.", row.currency_id.name)
        return self.env._("Careful limit changed: %s.", row.currency_id.name)
