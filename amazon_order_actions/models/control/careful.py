from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...spapi.marketplaces import MARKETPLACES
from ..action.states import COUNTED_STATES

# The rights that move money, and so are limited before anybody has given freedom.
CAREFUL_RIGHTS = ("refund",)

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

# A limit is said before the click where less than this part of it would be left.
NEAR = 0.2


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

    @api.model_create_multi
    def create(self, vals_list):
        """Override to journal who set which limit."""
        rows = super().create(vals_list)
        rows._journal({}, rows._texts())
        return rows

    def write(self, vals):
        """Override to journal what was changed.

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
        before = self._texts()
        result = super().write(vals)
        self._journal(before, self._texts())
        return result

    def unlink(self):
        """Override to journal that what is proposed counts again."""
        self._journal(self._texts(), {})
        return super().unlink()

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

    def _texts(self):
        """Return what each row says, as the journal keeps it.

        :rtype: dict
        """
        return {row: row._text() for row in self.sudo()}

    def _text(self):
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

    def _journal(self, before, after):
        """Journal the limits that were set, changed or removed.

        :param dict before: what each row said, in words
        :param dict after: what it says now
        """
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "authority",
                    "company_id": row.company_id.id,
                    "account_id": row.account_id.id,
                    "value_before": before.get(row, False),
                    "value_after": after.get(row, False),
                    "message": self._journal_sentence(row, before, after),
                }
                for row in self
                if before.get(row) != after.get(row)
            ]
        )

    def _journal_sentence(self, row, before, after):
        if row not in before:
            return self.env._("Careful limit set: %s.", row.currency_id.name)
        if row not in after:
            return self.env._("Careful limit removed: %s.", row.currency_id.name)
        return self.env._("Careful limit changed: %s.", row.currency_id.name)


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    careful_limit_ids = fields.One2many(
        "amazon.careful.limit",
        "account_id",
        "Careful Limits",
        groups="amazon_order_actions.group_admin,amazon_order_actions.group_journal",
    )

    def _careful_currencies(self):
        """Return the currencies that refunds of this account may be in: of the
        marketplaces it sells in, of its orders, and of the limits it has.

        :rtype: res.currency
        """
        self.ensure_one()
        account_sudo = self.sudo()
        codes = {
            MARKETPLACES[row.marketplace].currency
            for row in account_sudo.participation_ids
        }
        currencies_sudo = account_sudo.env["res.currency"].with_context(
            active_test=False
        )
        of_markets = currencies_sudo.search([("name", "in", list(codes))])
        of_orders = account_sudo.env["amazon.order"]._read_group(
            [("account_id", "=", self.id), ("currency_id", "!=", False)],
            ["currency_id"],
        )
        found = of_markets.union(
            *(currency for (currency,) in of_orders),
            account_sudo.careful_limit_ids.currency_id,
        )
        return found.sorted("name")

    def _propose_careful_limits(self):
        """Set the limits that are proposed, where none is set yet."""
        self.ensure_one()
        known = self.sudo().careful_limit_ids.currency_id
        self.env["amazon.careful.limit"].create(
            [
                {
                    "account_id": self.id,
                    "currency_id": currency.id,
                    "limit_action": CAREFUL[currency.name][0],
                    "limit_person_day": CAREFUL[currency.name][1],
                }
                for currency in self._careful_currencies() - known
                if currency.name in CAREFUL
            ]
        )

    def _careful_sentences(self, user=None):
        """Say the limits of this account, one sentence for each currency.

        :param res.users user: whose use of today is said, too; nobody's where None
        :rtype: list[str]
        """
        self.ensure_one()
        authority = self.env["amazon.authority"]
        return [
            authority._careful_sentence(self, currency, user)
            for currency in self._careful_currencies()
        ]


class AmazonAuthority(models.Model):
    """What counts where no row of the matrix is about a right that moves money."""

    _inherit = "amazon.authority"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _judge_carefully(self, asked):
        """Return the sentence that says why a second person is needed while no row is
        about the right, or False.

        :param Asked asked: what is asked for
        """
        if not self._is_careful(asked):
            return False
        currency = self.env["res.currency"].browse(asked.currency_id)
        limit = self.env["amazon.careful.limit"]._of(asked.account_id, currency)
        why = self._above_careful_action(limit, currency, asked)
        if why:
            return why
        # As for the limits of a row: who asks at the same moment waits here, and the
        # sum is read after that, in a transaction that sees what was committed.
        self._lock_keys({self._person_key(asked)})
        domain = self._careful_day_domain(asked, currency, self.env.user)
        (used,) = self._sums_by_now([domain], "amount")
        return self._above_careful_day(limit, used, currency, asked)

    def _foresee_carefully(self, asked):
        """Say before the click what will be said of it. Waits for nobody, so what a
        person asks for elsewhere at the same moment may be missing.

        :param Asked asked: what is asked for
        :return: the sentence that says why a second person is needed, and the one that
            says which limit is near; each False where there is none
        :rtype: tuple
        """
        if not self._is_careful(asked):
            return False, False
        currency = self.env["res.currency"].browse(asked.currency_id)
        limit = self.env["amazon.careful.limit"]._of(asked.account_id, currency)
        used = self._careful_used(asked, currency, self.env.user)
        why = self._above_careful_action(limit, currency, asked)
        why = why or self._above_careful_day(limit, used, currency, asked)
        if why:
            return why, False
        left = min(limit.action, limit.day - used)
        is_near = left - asked.amount_of_order < NEAR * left
        # sudo: its limits count for everybody
        account = self.env["amazon.seller.account"].sudo().browse(asked.account_id)
        near = is_near and self._careful_sentence(account, currency, self.env.user)
        return False, near and self.env._("Near a careful limit: %s", near)

    def _is_careful(self, asked):
        return asked.right in CAREFUL_RIGHTS and bool(asked.amount_of_order)

    def _above_careful_action(self, limit, currency, asked):
        if currency.compare_amounts(asked.amount_of_order, limit.action) <= 0:
            return False
        amount = self._money(asked.amount_of_order, currency)
        if not limit.action:
            return self.env._(
                "%(amount)s: in %(currency)s nothing is refunded alone as long as this "
                "account has no limit for it.",
                amount=amount,
                currency=currency.name,
            )
        return self.env._(
            "%(amount)s is above the careful limit of one refund, %(limit)s.",
            amount=amount,
            limit=self._money(limit.action, currency),
        )

    def _above_careful_day(self, limit, used, currency, asked):
        left = limit.day - used
        if currency.compare_amounts(asked.amount_of_order, left) <= 0:
            return False
        return self.env._(
            "%(amount)s is above what is left of the careful limit of one person and "
            "day: of %(limit)s, %(used)s is used today and %(left)s left.",
            amount=self._money(asked.amount_of_order, currency),
            limit=self._money(limit.day, currency),
            used=self._money(used, currency),
            left=self._money(max(left, 0), currency),
        )

    def _careful_sentence(self, account, currency, user=None):
        """Say the limits of an account in a currency.

        :param res.users user: whose use of today is said, too
        :rtype: str
        """
        limit = self.env["amazon.careful.limit"]._of(account.id, currency)
        if not limit.action:
            return self.env._("%s: nothing is refunded alone.", currency.name)
        values = {
            "action": self._money(limit.action, currency),
            "day": self._money(limit.day, currency),
        }
        if user is None:
            return self.env._(
                "%(action)s for one refund, %(day)s for one person and day.", **values
            )
        asked = self._nothing_asked(account)
        used = self._careful_used(asked, currency, user)
        return self.env._(
            "%(action)s for one refund, %(day)s for one person and day (%(used)s used "
            "today).",
            used=self._money(used, currency),
            **values,
        )

    def _careful_used(self, asked, currency, user):
        """Return what a person has asked for today, as far as this transaction sees."""
        domain = self._careful_day_domain(asked, currency, user)
        # sudo: what is used counts, whoever looks
        actions_sudo = self.env["amazon.action"].sudo()
        [(used,)] = actions_sudo._read_group(domain, aggregates=["amount:sum"])
        return used or 0.0

    def _careful_day_domain(self, asked, currency, user):
        """Return what counts on the same day for the careful limit of a person."""
        begins, ends = self._day_of(asked)
        return fields.Domain(
            [
                ("account_id", "=", asked.account_id),
                ("user_id", "=", user.id),
                ("currency_id", "=", currency.id),
                ("id", "!=", asked.action_id),
                ("kind", "in", self._kinds_of(asked.right)),
                ("state", "in", COUNTED_STATES),
                ("asked_at", ">=", begins),
                ("asked_at", "<", ends),
                ("amount", ">", 0),
            ]
        )
