import logging
from contextlib import contextmanager
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..const import LANE_BUSY_SECONDS
from ..spapi.enums import FEED_REFUND
from .amazon_alarm import Finding
from .background import in_background

_logger = logging.getLogger(__name__)

# The kind of action that the circuit breaker counts and stops. What moves no money goes
# on, cancellations that race the warehouse above all.
KIND = "refund"
HOUR = timedelta(hours=1)

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
    stopped (`amazon.stop`) until an administrator resumes them by hand.
    """

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    company_currency_id = fields.Many2one(related="company_id.currency_id")
    breaker_amount = fields.Monetary(
        "Most Refunds in an Hour",
        currency_field="company_currency_id",
        help="The most money that may be sent to Amazon in refunds of this account "
        "within 60 minutes, in the company's currency; 0: no maximum. When it is "
        "reached, refunds of this account are stopped until an administrator resumes "
        "them; the hour is then counted anew.",
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
        where one does not. Refunds alone are counted.

        The caller holds the breaker (`amazon.feed._breaker_held`) since before its
        snapshot, and marks what it returns as being sent in the same transaction.

        :param amazon.action actions: in the order in which they should leave
        :rtype: amazon.action
        """
        self.ensure_one()
        refunds = actions.filtered(lambda action: action.kind == KIND)
        if not refunds or not self.breaker_amount:
            return actions
        currency = self.company_currency_id
        left = self._left_since(self._counted_since())
        for number, action in enumerate(refunds):
            left += action.amount_company
            is_above = currency.compare_amounts(left, self.breaker_amount) > 0
            # What has no rate cannot be counted, so a person looks at it.
            if is_above or action.is_rate_missing:
                self._trip(action)
                return actions - refunds[number:]
        return actions

    def _counted_since(self):
        """Return since when refunds count: an hour ago, or when an administrator
        resumed what the breaker had stopped since then."""
        hour_ago = fields.Datetime.now() - HOUR
        resumed = (
            self.env["amazon.stop"]
            .sudo()
            .search(
                [
                    ("account_id", "=", self.id),
                    ("is_automatic", "=", True),
                    ("ended_at", ">", hour_ago),
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
        in_background(self, self.company_id).with_delay(
            priority=1, description=f"Tell that refunds of {self.name} are stopped"
        )._job_tell_tripped()

    def _why_tripped(self, action):
        currency = self.company_currency_id
        handler = self.env["amazon.action.kind.refund"]
        values = {
            "action": action.name,
            "maximum": handler._money(self.breaker_amount, currency),
        }
        if action.is_rate_missing:
            return self.env._(
                "%(action)s cannot be counted: its currency had no rate when it was "
                "asked for.",
                **values,
            )
        if currency.compare_amounts(action.amount_company, self.breaker_amount) > 0:
            return self.env._(
                "%(action)s alone is above %(maximum)s, the most refunds in an hour.",
                **values,
            )
        return self.env._(
            "With %(action)s, more than %(maximum)s would leave in refunds within an "
            "hour.",
            **values,
        )

    def _job_tell_tripped(self):
        """Tell the administrators that the breaker has tripped. Job; safe to run twice.

        What this misses, the watch tells within minutes.
        """
        alarms = self.env["amazon.alarm"]
        of_company = [("company_id", "=", self.company_id.id)]
        accounts = self.with_context(active_test=False).search(of_company)
        alarms._report("breaker", alarms._find_breaker(accounts))
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
                [f"amazon_helpdesk_actions/breaker/{lane.account_id}"],
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


class AmazonAlarm(models.Model):
    _inherit = "amazon.alarm"

    kind = fields.Selection(
        selection_add=[("breaker", "Refunds stopped by the circuit breaker")],
        ondelete={"breaker": "cascade"},
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


def _let_go(cr):
    """End the transaction that holds a lock, and never fail: what the lock guarded may
    be committed already."""
    try:
        with cr:
            pass
    except psycopg2.Error:
        _logger.warning("A connection was lost with its lock", exc_info=True)
