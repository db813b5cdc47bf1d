from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.enums import FEED_REFUND
from ..action.lane import LANE_BUSY_SECONDS
from ..base.background import in_background, in_own_transaction
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


class AmazonGatekeeperBreaker(models.AbstractModel):
    """The circuit breaker: so much money may leave in refunds of an account within an
    hour, and not more. What is above it does not leave: refunds of the account are
    stopped (`amazon.stop`) until an administrator resumes them by hand. A refund that
    no resuming could let pass, since it is above the maximum alone or cannot be
    counted, is blocked, and stops no other.
    """

    _name = "amazon.gatekeeper.breaker"
    _inherit = "amazon.gatekeeper"
    _description = "Amazon Circuit Breaker"

    _place = 30

    @contextmanager
    def _count(self, lane):
        """Override to hold the circuit breaker of the lane's account, where it has one.

        Several lanes of an account are sent at the same time. Each must see what the
        other has marked as being sent, so it takes the breaker before the transaction
        begins (REPEATABLE READ) that counts and marks, and lets it go after its commit:
        for the time of an upload, never over createFeed. With it, no other lock is
        waited for, and nobody waits for it.
        """
        if not in_own_transaction(self, "_has_breaker", lane):
            yield
            return
        cr = self.env.registry.cursor()
        try:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"amazon_order_actions/breaker/{lane.account_id}"],
            )
            if not cr.fetchone()[0]:
                raise RetryableJobError(
                    "Another lane of the account is counted.",
                    seconds=LANE_BUSY_SECONDS,
                    ignore_retry=True,
                )
            yield
        finally:
            _let_go(cr)

    def _has_breaker(self, lane):
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        return lane.feed_type == FEED_REFUND and bool(account.breaker_amount)

    def _let_pass(self, account, actions, left_since):
        """Override to return the first ones that fit, and to trip where one does not.
        Refunds alone are counted; those that can never fit are blocked.

        The caller holds the breaker (`_count`) since before its snapshot, and marks
        what it returns as being sent in the same transaction.
        """
        account.ensure_one()
        refunds = actions.filtered(lambda action: action.kind == KIND)
        if not refunds or not account.breaker_amount:
            return actions
        refunds._convert_again()
        blocked = self._block_unfit(account, refunds)
        actions -= blocked
        refunds -= blocked
        left = left_since(FEED_REFUND, KIND, self._counted_since(account))
        for number, action in enumerate(refunds):
            left += action.amount_company
            if self._is_above_maximum(account, left):
                self._trip(account, action)
                return actions - refunds[number:]
        return actions

    def _is_above_maximum(self, account, amount):
        currency = account.company_currency_id
        return currency.compare_amounts(amount, account.breaker_amount) > 0

    def _block_unfit(self, account, refunds):
        """Block the refunds that can never fit, and have the administrators told.

        Were they held, the account would stop at them again after each resume.

        :return: those that were blocked
        """
        unfit = refunds.filtered(
            lambda action: (
                action.is_rate_missing
                or self._is_above_maximum(account, action.amount_company)
            )
        )
        for action in unfit:
            action._set_blocked(self._why_unfit(account, action))
        if unfit:
            unfit.is_breaker_blocked = True
            self._enqueue_tell_tripped(account)
        return unfit

    def _why_unfit(self, account, action):
        handler = self.env["amazon.action.kind"]
        currency = account.company_currency_id
        values = {
            "account": account.name,
            "maximum": handler._money(account.breaker_amount, currency),
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
            whom=authority._administrators(account.company_id.id),
            **values,
        )

    def _counted_since(self, account):
        """Return since when refunds count: an hour ago, or when an administrator
        resumed what the breaker had stopped since then."""
        now = database_now(self.env)
        hour_ago = now - HOUR
        resumed = (
            self.env["amazon.stop"]
            .sudo()
            .search(
                [
                    ("account_id", "=", account.id),
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

    def _trip(self, account, action):
        """Stop the refunds of an account, and have the administrators told.

        :param amazon.seller.account account: the account
        :param amazon.action action: the first that would exceed the maximum
        """
        reason = self._why_tripped(account, action)
        try:
            with self.env.cr.savepoint():
                self.env["amazon.stop"]._open(
                    account.company_id, reason, account, KIND, is_automatic=True
                )
        except psycopg2.errors.UniqueViolation:
            # an administrator has just stopped them by hand
            return
        self._enqueue_tell_tripped(account)

    def _why_tripped(self, account, action):
        handler = self.env["amazon.action.kind"]
        return self.env._(
            "With %(action)s, more than %(maximum)s would leave in refunds within an "
            "hour.",
            action=action.name,
            maximum=handler._money(account.breaker_amount, account.company_currency_id),
        )

    def _enqueue_tell_tripped(self, account):
        in_background(self, account.company_id).with_delay(
            priority=1,
            description=f"Tell what the circuit breaker of {account.name} has held",
        )._job_tell_tripped(account.id)

    @api.model
    def _job_tell_tripped(self, account_id):
        """Tell the administrators that the breaker has tripped, or blocked a refund.
        Job; safe to run twice.

        What this misses, the watch tells within minutes.

        :param int account_id: id of the account
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        alarms = self.env["amazon.alarm"]
        of_company = [("company_id", "=", account.company_id.id)]
        accounts = account.with_context(active_test=False).search(of_company)
        checks = self.env["amazon.check.breaker"]
        alarms._report("breaker", checks._find_breaker(accounts))
        alarms._report("breaker_blocked", checks._find_breaker_blocked(accounts))
        held = self.env["amazon.action"].search(_tripped_domain(account))
        held.order_id._notify_forms()


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
        stops = self.env["amazon.stop"]._open_of(accounts).filtered("is_automatic")
        return [
            Finding(
                stop.account_id,
                self.env["amazon.action"].search_count(
                    _tripped_domain(stop.account_id)
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


def _tripped_domain(account):
    """Return the domain of what the breaker holds of an account."""
    return [
        ("account_id", "=", account.id),
        ("state", "=", "queued"),
        ("kind", "=", KIND),
    ]


def _let_go(cr):
    """End the transaction that holds a lock, and never fail: what the lock guarded may
    be committed already."""
    try:
        with cr:
            pass
    except psycopg2.Error:
        _logger.warning("A connection was lost with its lock", exc_info=True)
