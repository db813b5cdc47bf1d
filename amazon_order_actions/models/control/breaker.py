from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import LazyTranslate

from ...spapi.enums import FEED_REFUND
from ..action.lane import LANE_BUSY_SECONDS
from ..base.background import in_background
from ..base.clock import database_now, latest_credible
from ..base.private_log import private_logger
from ..watch.check import Check, Finding

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# The kind of action that the circuit breaker counts and stops. What moves no money goes
# on, cancellations that race the warehouse above all.
KIND = "refund"
HOUR = timedelta(hours=1)
# So long the administrators see that a refund was blocked.
BLOCKED_SHOWN = timedelta(days=1)

# States of an action whose money left, or may have, where a feed carried it; assisted:
# its outcome was unknown, and a person saw at Amazon that it is executed.
LEFT_STATES = (
    "sending",
    "submitted",
    "unknown",
    "accepted",
    "confirmed",
    "assisted",
)
# States of a feed which say that nothing of it happened, before its actions follow.
NOTHING_LEFT = ("not_sent", "absent", "refused", "cancelled")


class AmazonSellerAccount(models.Model):
    """The circuit breaker: so much money may leave in refunds of an account within an
    hour, and not more. What is above it does not leave: refunds of the account are
    stopped (`amazon.stop`) until an administrator resumes them by hand. A refund that
    no resuming could let pass, since it is above the maximum alone or cannot be
    counted, is blocked, and stops no other.
    """

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    company_currency_id = fields.Many2one(related="company_id.currency_id")
    breaker_amount = fields.Monetary(
        "Most Refunds in an Hour",
        currency_field="company_currency_id",
        help="The most money that may be sent to Amazon in refunds of this account "
        "within 60 minutes, in the company's currency; 0: no maximum. When it is "
        "reached, refunds of this account are stopped until an administrator resumes "
        "them; the hour is then counted anew. A refund that is above it alone, or "
        "whose currency has no rate, is not sent at all.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("breaker_amount")
    def _check_breaker_amount(self):
        for account in self:
            currency = account.company_currency_id
            if currency.compare_amounts(account.breaker_amount, 0) < 0:
                raise ValidationError(
                    self.env._(
                        "The most refunds in an hour of the account %s cannot be below "
                        "zero. 0 means that there is no maximum.",
                        account.name,
                    )
                )

    # === BUSINESS METHODS === #

    def _breaker_lets_pass(self, actions):
        """Return those of the actions that may leave now, the first ones that fit; trip
        where one does not. Refunds alone are counted; those that can never fit are
        blocked.

        The caller holds the breaker (`amazon.feed._breaker_held`) since before its
        snapshot, and marks what it returns as being sent in the same transaction.

        :param amazon.action actions: in the order in which they should leave
        :rtype: amazon.action
        """
        self.ensure_one()
        refunds = actions.filtered(lambda action: action.kind == KIND)
        if not refunds or not self.breaker_amount:
            return actions
        refunds._convert_again()
        blocked = self._block_unfit(refunds)
        actions -= blocked
        refunds -= blocked
        left = self._left_since(self._counted_since())
        for number, action in enumerate(refunds):
            left += action.amount_company
            if self._is_above_maximum(left):
                self._trip(action)
                return actions - refunds[number:]
        return actions

    def _is_above_maximum(self, amount):
        currency = self.company_currency_id
        return currency.compare_amounts(amount, self.breaker_amount) > 0

    def _block_unfit(self, refunds):
        """Block the refunds that can never fit, and have the administrators told.

        Were they held, the account would stop at them again after each resume.

        :return: those that were blocked
        """
        unfit = refunds.filtered(
            lambda action: (
                action.is_rate_missing or self._is_above_maximum(action.amount_company)
            )
        )
        for action in unfit:
            action._set_blocked(self._why_unfit(action))
        if unfit:
            unfit.is_breaker_blocked = True
            self._enqueue_tell_tripped()
        return unfit

    def _why_unfit(self, action):
        handler = self.env["amazon.action.kind"]
        currency = self.company_currency_id
        values = {
            "account": self.name,
            "maximum": handler._money(self.breaker_amount, currency),
        }
        if action.is_rate_missing:
            return self.env._(
                "Nothing was sent: Odoo knows no rate for %(currency)s, so it cannot "
                "be counted against %(maximum)s, the most refunds in an hour of "
                "%(account)s. Have a rate entered under Currencies, and ask for it "
                "again then.",
                currency=action.currency_id.name,
                **values,
            )
        authority = self.env["amazon.authority"]
        return self.env._(
            "Nothing was sent: %(amount)s alone is above %(maximum)s, the most refunds "
            "in an hour of %(account)s. %(whom)s can raise that maximum in the seller "
            "account; ask for it again then.",
            amount=handler._money(action.amount_company, currency),
            whom=authority._administrators(self.company_id.id),
            **values,
        )

    def _counted_since(self):
        """Return since when refunds count: an hour ago, or when an administrator
        resumed what the breaker had stopped since then."""
        now = database_now(self.env)
        hour_ago = now - HOUR
        resumed = (
            self.env["amazon.stop"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("is_automatic", "=", True),
                    ("ended_at", ">", hour_ago),
                    # by a clock that was not ahead
                    ("ended_at", "<=", latest_credible(now)),
                ],
                order="ended_at desc",
                limit=1,
            )
        )
        return resumed.ended_at or hour_ago

    def _left_since(self, moment):
        """Return the money of the refunds that were sent since then, or may have been,
        in the company's currency.

        :rtype: float
        """
        feeds = self.env["amazon.feed"].search(
            [
                ("account_id", "=", self.id),
                ("feed_type", "=", FEED_REFUND),
                ("sending_at", ">=", moment),
                ("state", "not in", NOTHING_LEFT),
            ]
        )
        ((money,),) = self.env["amazon.action"]._read_group(
            [
                ("feed_id", "in", feeds.ids),
                ("kind", "=", KIND),
                ("state", "in", LEFT_STATES),
            ],
            aggregates=["amount_company:sum"],
        )
        return money or 0.0

    def _trip(self, action):
        """Stop the refunds of this account, and have the administrators told.

        :param amazon.action action: the first that would exceed the maximum
        """
        reason = self._why_tripped(action)
        try:
            with self.env.cr.savepoint():
                self.env["amazon.stop"]._open(
                    self.company_id, reason, self, KIND, is_automatic=True
                )
        except psycopg2.errors.UniqueViolation:
            # an administrator has just stopped them by hand
            return
        self._enqueue_tell_tripped()

    def _why_tripped(self, action):
        handler = self.env["amazon.action.kind"]
        return self.env._(
            "With %(action)s, more than %(maximum)s would leave in refunds within an "
            "hour.",
            action=action.name,
            maximum=handler._money(self.breaker_amount, self.company_currency_id),
        )

    def _enqueue_tell_tripped(self):
        in_background(self, self.company_id).with_delay(
            priority=1,
            description=f"Tell what the circuit breaker of {self.name} has held",
        )._job_tell_tripped()

    def _job_tell_tripped(self):
        """Tell the administrators that the breaker has tripped, or blocked a refund.
        Job; safe to run twice.

        What this misses, the watch tells within minutes.
        """
        alarms = self.env["amazon.alarm"]
        of_company = [("company_id", "=", self.company_id.id)]
        accounts = self.with_context(active_test=False).search(of_company)
        checks = self.env["amazon.check.breaker"]
        alarms._report("breaker", checks._find_breaker(accounts))
        alarms._report("breaker_blocked", checks._find_breaker_blocked(accounts))
        held = self.env["amazon.action"].search(self._tripped_domain())
        held.order_id._notify_forms()

    def _tripped_domain(self):
        """Return the domain of what the breaker holds."""
        return [
            ("account_id", "=", self.id),
            ("state", "=", "queued"),
            ("kind", "=", KIND),
        ]


class AmazonFeed(models.Model):
    _inherit = "amazon.feed"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # What left within the last hour.
    _sent_idx = models.Index("(account_id, feed_type, sending_at)")

    @contextmanager
    def _breaker_held(self, lane):
        """Hold the circuit breaker of the lane's account, where it has one.

        Several lanes of an account are sent at the same time. Each must see what the
        other has marked as being sent, so it takes the breaker before the transaction
        begins (REPEATABLE READ) that counts and marks, and lets it go after its commit:
        for the time of an upload, never over createFeed. With it, no other lock is
        waited for, and nobody waits for it.

        :param Lane lane: the lane, which this dispatch holds
        :raise RetryableJobError: when another lane holds it
        """
        if not self._in_own_transaction("_has_breaker", lane):
            yield
            return
        cr = self.env.registry.cursor()
        try:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"amazon_order_actions/breaker/{lane.account_id}"],
            )
            if not cr.fetchone()[0]:
                raise self._later(
                    "Another lane of the account is counted.", LANE_BUSY_SECONDS
                )
            yield
        finally:
            _let_go(cr)

    def _has_breaker(self, lane):
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        return lane.feed_type == FEED_REFUND and bool(account.breaker_amount)


class AmazonCheckBreaker(models.AbstractModel):
    """Finds what the circuit breaker holds."""

    _name = "amazon.check.breaker"
    _inherit = "amazon.check"
    _description = "Amazon Checks of the Circuit Breaker"

    _checks = (
        Check("breaker", _lt("Refunds stopped by the circuit breaker"), on_panel=True),
        Check("breaker_blocked", _lt("Refunds blocked by the circuit breaker")),
    )

    def _find_breaker(self, accounts):
        """The circuit breaker has stopped the refunds of an account."""
        stops = accounts._open_stops().filtered("is_automatic")
        return [
            Finding(
                stop.account_id,
                self.env["amazon.action"].search_count(
                    stop.account_id._tripped_domain()
                ),
                self.env._(
                    "%(reason)s Nothing is lost: refunds of the account stay queued. "
                    "An administrator looks at them, withdraws what is wrong or raises "
                    "the maximum, and resumes them under Amazon > Configuration > "
                    "Stops.",
                    reason=stop.reason,
                ),
                stop.started_at,
            )
            for stop in stops
        ]

    def _find_breaker_blocked(self, accounts):
        """The circuit breaker has blocked refunds of an account lately."""
        actions = self.env["amazon.action"]
        groups = actions._read_group(
            [
                ("is_breaker_blocked", "=", True),
                ("account_id", "in", accounts.ids),
                ("last_state_change", ">", fields.Datetime.now() - BLOCKED_SHOWN),
            ],
            ["account_id"],
            ["__count", "id:max", "last_state_change:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Refunds that the circuit breaker did not let leave in the last "
                    "%(hours)s hours: %(count)s. The others go on. The newest is "
                    "%(action)s: %(reason)s",
                    hours=BLOCKED_SHOWN // HOUR,
                    count=count,
                    action=actions.browse(newest).name,
                    reason=actions.browse(newest).state_message,
                ),
                since,
            )
            for account, count, newest, since in groups
        ]


def _let_go(cr):
    """End the transaction that holds a lock, and never fail: what the lock guarded may
    be committed already."""
    try:
        with cr:
            pass
    except psycopg2.Error:
        _logger.warning("A connection was lost with its lock", exc_info=True)
