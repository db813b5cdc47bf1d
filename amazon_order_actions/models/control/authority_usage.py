from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from odoo import models
from odoo.fields import Domain

from ..action.states import COUNTED_STATES
from ..base.clock import database_now
from .calendar_day import day_at, day_bounds

# Limits that begin anew each day.
DAYS = ("limit_person_day", "limit_group_day")


class Asked(NamedTuple):
    """What is judged: who asks for what is known from the environment."""

    right: str
    company_id: int
    account_id: int
    marketplace: str | bool
    # in the company's currency; None: not known, since its currency has no rate
    amount: float | None
    # the same in the currency of the order, where people know it by that
    amount_of_order: float = 0.0
    currency_id: int | bool = False
    # what is judged again counts already, and must not count twice
    action_id: int | bool = False
    # when, by PostgreSQL's clock; None: now
    at: datetime | None = None
    # of the document, where its kind has teams
    team_id: int | bool = False


class AmazonAuthorityUsage(models.AbstractModel):
    """What was asked for before, as the limits of the matrix count it."""

    _name = "amazon.authority.usage"
    _description = "Amazon Sums for Limits"

    def _weigh(self, handler, order, origin, amount, at=None):
        """Return what is asked for as it is judged and counted.

        :param handler: the kind of action
        :param amazon.order order: the order, in sudo mode
        :param origin: the document that it is asked from, in sudo mode
        :param float amount: what counts against limits, in the order's currency
        :param datetime at: when, by PostgreSQL's clock; now where None
        :rtype: Asked
        """
        company, currency = order.company_id, order.currency_id
        return Asked(
            right=handler._right(),
            company_id=company.id,
            account_id=order.account_id.id,
            marketplace=order.marketplace,
            amount=self._in_company_currency(amount, currency, company, at),
            amount_of_order=amount,
            currency_id=currency.id,
            at=at,
            team_id=self._team_of(origin),
        )

    def _in_company_currency(self, amount, currency, company, at=None):
        """Convert an amount at the rate of a day, as ``res.currency._convert`` does.

        Odoo takes 1.0 where a currency has no rate at all; here that is not known.

        :return: the amount, or None where the currency has no rate
        """
        own = company.currency_id
        if not amount or currency == own:
            return amount
        # the company's day: whoever asks chooses the time zone of the context
        day = day_at(at or database_now(self.env), company.sudo().amazon_tz)
        rates = (currency | own).sudo()._get_rates(company, day)
        # a rate of exactly 1.0 may be none
        if rates.get(currency.id, 1.0) == 1.0 and not self._has_rate(currency, company):
            return None
        return own.round(amount * rates[own.id] / rates[currency.id])

    def _has_rate(self, currency, company):
        domain = [
            ("currency_id", "=", currency.id),
            ("company_id", "in", (False, company.root_id.id)),
        ]
        return bool(self.env["res.currency.rate"].sudo().search_count(domain, limit=1))

    # === SUMS === #

    def _used_on(self, order, asked):
        """Return what anybody asked for on an order by a right, besides what is judged.

        Nobody else asks on it meanwhile: the order is taken.
        """
        kinds = self._kinds_of(asked.right)
        return sum(
            # sudo: what is asked for counts, whoever looks
            order.sudo()
            .action_ids.filtered(
                lambda action: (
                    action.id != asked.action_id
                    and action.kind in kinds
                    and action.state in COUNTED_STATES
                )
            )
            .mapped("amount_company")
        )

    def _exceeded_today(self, rows, asked):
        """Return for each row the limit of the day that is exceeded, or None.

        Who asks at the same moment waits here until the other one commits; the sums are
        read after that, so they know what it did.
        """
        self._lock_days(rows, asked)
        needed = [(row, name) for row in rows for name in DAYS if getattr(row, name)]
        domains = [
            self._day_domain(name, row, asked, self.env.user) for row, name in needed
        ]
        gaps = {row: [] for row in rows}
        for (row, name), used in zip(needed, self._sums_by_now(domains), strict=True):
            gaps[row].append(self._gap(name, row, used, asked))
        return [
            min(filter(None, of_row), key=itemgetter("left"), default=None)
            for of_row in gaps.values()
        ]

    def _lock_days(self, rows, asked):
        """Let one transaction at a time judge by these limits; always in the same
        order, so that two never wait for each other."""
        right = self._right_key(asked)
        keys = {f"{right}/row/{row.id}" for row in rows if row.limit_group_day}
        if any(row.limit_person_day for row in rows):
            keys.add(self._person_key(asked))
        self._lock_keys(keys)

    def _right_key(self, asked):
        return f"amazon_order_actions/authority/{asked.company_id}/{asked.right}"

    def _person_key(self, asked):
        return f"{self._right_key(asked)}/user/{self.env.uid}"

    def _lock_keys(self, keys):
        for key in sorted(keys):
            self.env.cr.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key]
            )

    def _sums_by_now(self, domains, name="amount_company"):
        """Return for each domain the sum of what is committed by now, and of what this
        transaction has asked for itself.

        In a transaction of its own, since ours sees what was committed when it began.

        :param domains: what counts, for each sum
        :param str name: the field of actions that is added up
        """
        actions = self.env["amazon.action"].sudo().with_context(active_test=False)
        own = Domain("create_date", ">=", self.env.cr.now())
        sums = []
        with self.env.registry.cursor() as cr:
            fresh = actions.with_env(actions.env(cr=cr))
            for domain in domains:
                [(own_sum, own_ids)] = actions._read_group(
                    domain & own, aggregates=[f"{name}:sum", "id:array_agg"]
                )
                others = Domain("id", "not in", own_ids or [])
                [(others_sum,)] = fresh._read_group(
                    domain & others, aggregates=[f"{name}:sum"]
                )
                sums.append((own_sum or 0.0) + (others_sum or 0.0))
        return sums

    def _day_domain(self, name, row, asked, user):
        """Return what counts on the same day for a limit of a row.

        :param str name: the limit: of one person, or of the group together
        :param res.users user: the person
        """
        begins, ends = self._day_of(asked)
        if name == "limit_person_day":
            who = Domain("user_id", "=", user.id)
        else:
            who = Domain("user_id.all_group_ids", "in", [row.group_id])
        scope = [(field, "=", getattr(row, field)) for field in self._scope()]
        return who & Domain(
            [
                ("company_id", "=", asked.company_id),
                ("id", "!=", asked.action_id),
                ("kind", "in", self._kinds_of(asked.right)),
                ("state", "in", COUNTED_STATES),
                ("asked_at", ">=", begins),
                ("asked_at", "<", ends),
                ("amount_company", ">", 0),
                *(leaf for leaf in scope if leaf[2]),
            ]
        )

    def _kinds_of(self, right):
        """Return the kinds of action that a right is about."""
        kinds = self.env["amazon.action.kind"]
        return [kind for kind in kinds._names() if kinds._named(kind)._right() == right]

    def _day_of(self, asked):
        """Return when the calendar day of what is judged begins and ends, in UTC.

        By PostgreSQL's clock, as what is counted: by a host's that is behind, what was
        asked for just now would be tomorrow's, and count nowhere.

        :rtype: tuple[datetime, datetime]
        """
        zone = self.env["res.company"].sudo().browse(asked.company_id).amazon_tz
        return day_bounds(day_at(asked.at or database_now(self.env), zone), zone)
