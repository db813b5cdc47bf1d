from odoo import api, fields, models

from ...spapi.marketplaces import MARKETPLACES
from ..account.careful_limit import CAREFUL
from ..action.states import COUNTED_STATES

# The rights that move money, and so are limited before anybody has given freedom.
CAREFUL_RIGHTS = ("refund",)

# A limit is said before the click where less than this part of it would be left.
NEAR = 0.2


class AmazonAuthorityCareful(models.AbstractModel):
    """What counts where no row of the matrix is about a right that moves money."""

    _name = "amazon.authority.careful"
    _inherit = "amazon.authority.usage"
    _description = "Amazon Careful Limits"

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

    # === SET-UP === #

    @api.model
    def _careful_currencies(self, account):
        """Return the currencies that refunds of an account may be in: of the
        marketplaces it sells in, of its orders, and of the limits it has.

        :rtype: res.currency
        """
        account_sudo = account.sudo()
        codes = {
            MARKETPLACES[row.marketplace].currency
            for row in account_sudo.participation_ids
        }
        currencies_sudo = account_sudo.env["res.currency"].with_context(
            active_test=False
        )
        of_markets = currencies_sudo.search([("name", "in", list(codes))])
        of_orders = account_sudo.env["amazon.order"]._read_group(
            [("account_id", "=", account.id), ("currency_id", "!=", False)],
            ["currency_id"],
        )
        found = of_markets.union(
            *(currency for (currency,) in of_orders),
            account_sudo.careful_limit_ids.currency_id,
        )
        return found.sorted("name")

    @api.model
    def _propose_careful_limits(self, account):
        """Set the limits that are proposed, where none is set yet."""
        known = account.sudo().careful_limit_ids.currency_id
        self.env["amazon.careful.limit"].create(
            [
                {
                    "account_id": account.id,
                    "currency_id": currency.id,
                    "limit_action": CAREFUL[currency.name][0],
                    "limit_person_day": CAREFUL[currency.name][1],
                }
                for currency in self._careful_currencies(account) - known
                if currency.name in CAREFUL
            ]
        )

    @api.model
    def _careful_sentences(self, account, user=None):
        """Say the limits of this account, one sentence for each currency.

        :param res.users user: whose use of today is said, too; nobody's where None
        :rtype: list[str]
        """
        return [
            self._careful_sentence(account, currency, user)
            for currency in self._careful_currencies(account)
        ]
