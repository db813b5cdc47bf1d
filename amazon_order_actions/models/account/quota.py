from collections import Counter

import psycopg2
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from odoo import api, fields, models

from ..base.clock import database_now, latest_credible
from ..base.private_log import private_logger

_logger = private_logger(__name__)

# Relative change of a rate that is worth a write.
RATE_TOLERANCE = 0.01


class AmazonQuota(models.Model):
    """How often Amazon may be called now: one token bucket per account and operation.

    Amazon counts per application and seller (Usage Plans and Rate Limits in the
    SP-API), and so do these rows, for all workers and hosts: PostgreSQL's clock fills
    them. Nobody sleeps on an empty bucket; a job is postponed instead.
    """

    _name = "amazon.quota"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Quota"
    _order = "account_id, operation"
    _rec_name = "operation"
    _log_access = False

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, readonly=True, ondelete="cascade"
    )
    operation = fields.Char(
        required=True, readonly=True, help="Amazon's name of the operation."
    )
    tokens = fields.Float(
        readonly=True,
        digits=False,
        help="Calls that were allowed when it was last counted.",
    )
    refilled_at = fields.Datetime("Counted", readonly=True)
    rate = fields.Float(
        readonly=True, digits=False, help="Calls a second, as Amazon last said."
    )
    burst = fields.Integer(readonly=True, help="Calls at once, after a rest.")

    _operation_uniq = models.Constraint(
        "unique(account_id, operation)",
        "There is one quota for each account and operation.",
    )

    @api.model
    def _mend_future(self, account_ids, limit):
        """The bucket is as full as it was counted, and fills from now on."""
        now = database_now(self.env)
        quotas = self.search(
            [
                ("account_id", "in", account_ids),
                ("refilled_at", ">", latest_credible(now)),
            ],
            limit=limit,
        )
        quotas.refilled_at = now
        return len(quotas)


# The bucket as it is at this moment. PostgreSQL's clock: the hosts' may differ. Where
# that was ahead when it was counted, nothing is known of the time since then.
NOW = "(clock_timestamp() AT TIME ZONE 'UTC')"
PASSED = f"GREATEST(EXTRACT(EPOCH FROM {NOW} - refilled_at), 0)"
FILLED = f"LEAST(burst, tokens + rate * {PASSED})::float8"


class QuotaStore:
    """The quota of one account as the strict layer asks for it.

    In cursors of its own: a token is spent whatever becomes of the caller's
    transaction, and no transaction waits for another's token.

    :param registry: of the database
    :param int account_id: id of the account
    """

    def __init__(self, registry, account_id):
        self._registry = registry
        self._account_id = account_id
        self._prepaid = Counter()
        self._rates = {}

    def take(self, operation):
        """Take a token for one call.

        :param Operation operation: a row of ``spapi.operations``
        :return: 0.0 when it was taken, else seconds after which one is due
        :rtype: float
        """
        if self._prepaid[operation.name]:
            self._prepaid[operation.name] -= 1
            return 0.0
        return self._in_own_transaction(self._take, operation, 1.0)

    def prepay(self, operation, needed):
        """Take the token of the next call now, while nothing depends on it.

        The call itself then needs no database, so that its outcome is never in doubt
        because of ours.

        :param Operation operation: a row of ``spapi.operations``
        :param float needed: tokens that must be there for one to be taken: what is
            above one is kept for others
        :return: 0.0 when it was taken, else seconds after which so many are due
        :rtype: float
        """
        wait = self._in_own_transaction(self._take, operation, needed)
        if not wait:
            self._prepaid[operation.name] += 1
        return wait

    def give_back(self, operation):
        """Return a prepaid token that nobody used."""
        if self._prepaid[operation.name]:
            self._prepaid[operation.name] -= 1
            self._in_own_transaction(self._give_back, operation)

    def wait(self, operation, needed=1.0):
        """Return seconds until so many tokens are there; takes nothing.

        :param Operation operation: a row of ``spapi.operations``
        :rtype: float
        """
        return self._in_own_transaction(self._wait, operation, needed)

    def learn(self, operation, rate):
        """Take over the rate that Amazon names in ``x-amzn-RateLimit-Limit``.

        Best effort: the answer it came with matters more than this note.

        :param float rate: calls a second
        """
        known = self._rates.get(operation.name, operation.rate)
        if abs(rate - known) <= known * RATE_TOLERANCE:
            return
        self._rates[operation.name] = rate
        self._best_effort(self._learn, operation, rate)

    def exhausted(self, operation, _wait):
        """Empty the bucket: Amazon said 429, so somebody else uses this quota too.

        It fills again with the rate that is known; a 429 itself names none.
        """
        self._best_effort(self._exhausted, operation)

    # === IN THE DATABASE === #

    def _take(self, cr, operation, needed):
        self._provide(cr, operation)
        self._execute(
            cr,
            f"""
            UPDATE amazon_quota SET tokens = {FILLED} - 1, refilled_at = {NOW}
             WHERE account_id = %s AND operation = %s AND {FILLED} >= %s
         RETURNING id
            """,  # noqa: S608 - of NOW and FILLED alone
            [self._account_id, operation.name, needed],
        )
        return 0.0 if cr.fetchone() else self._wait(cr, operation, needed) or 1.0

    def _give_back(self, cr, operation):
        self._execute(
            cr,
            "UPDATE amazon_quota SET tokens = LEAST(tokens + 1, burst)"
            " WHERE account_id = %s AND operation = %s",
            [self._account_id, operation.name],
        )

    def _wait(self, cr, operation, needed):
        self._execute(
            cr,
            f"""
            SELECT (%s - {FILLED}) / rate, refilled_at > {NOW} FROM amazon_quota
             WHERE account_id = %s AND operation = %s
            """,  # noqa: S608 - of NOW and FILLED alone
            [needed, self._account_id, operation.name],
        )
        wait, is_ahead = cr.fetchone() or (0.0, False)
        if is_ahead:
            # or it would stay as empty as it is until that time has come
            self._count_from_now(cr, operation)
        return max(wait, 0.0)

    def _count_from_now(self, cr, operation):
        self._execute(
            cr,
            f"UPDATE amazon_quota SET refilled_at = {NOW}"  # noqa: S608 - of NOW alone
            " WHERE account_id = %s AND operation = %s",
            [self._account_id, operation.name],
        )

    def _learn(self, cr, operation, rate):
        self._provide(cr, operation)
        self._execute(
            cr,
            f"""
            UPDATE amazon_quota
               SET tokens = {FILLED}, refilled_at = {NOW}, rate = %s
             WHERE account_id = %s AND operation = %s AND abs(rate - %s) > rate * %s
            """,  # noqa: S608 - of NOW and FILLED alone
            [rate, self._account_id, operation.name, rate, RATE_TOLERANCE],
        )

    def _exhausted(self, cr, operation):
        self._provide(cr, operation)
        self._execute(
            cr,
            f"""
            UPDATE amazon_quota SET tokens = LEAST({FILLED}, 0), refilled_at = {NOW}
             WHERE account_id = %s AND operation = %s
            """,  # noqa: S608 - of NOW and FILLED alone
            [self._account_id, operation.name],
        )

    def _provide(self, cr, operation):
        """Add the row of an operation that is used for the first time, full."""
        self._execute(
            cr,
            "SELECT 1 FROM amazon_quota WHERE account_id = %s AND operation = %s",
            [self._account_id, operation.name],
        )
        if not cr.fetchone():
            self._execute(
                cr,
                f"""
                INSERT INTO amazon_quota
                       (account_id, operation, tokens, refilled_at, rate, burst)
                VALUES (%s, %s, %s, {NOW}, %s, %s)
                    ON CONFLICT DO NOTHING
                """,  # noqa: S608 - of NOW and FILLED alone
                [
                    self._account_id,
                    operation.name,
                    operation.burst,
                    operation.rate,
                    operation.burst,
                ],
            )

    def _execute(self, cr, query, values):
        """Execute a statement. Where two were at it at once it is done again by
        `_in_own_transaction`, which is no error for the server's log; whatever else
        fails reaches the caller."""
        cr.execute(query, values, log_exceptions=False)

    def _in_own_transaction(self, method, *args):
        """Call a method with a cursor of its own, again where two took at once.

        :raise psycopg2.Error: when the database cannot be used; nothing was taken
        """
        retrying = Retrying(
            retry=retry_if_exception_type(psycopg2.errors.SerializationFailure),
            wait=wait_random_exponential(multiplier=0.01, max=0.3),
            stop=stop_after_attempt(20),
            reraise=True,
        )
        return retrying(self._once, method, args)

    def _once(self, method, args):
        with self._registry.cursor() as cr:
            return method(cr, *args)

    def _best_effort(self, method, *args):
        try:
            self._in_own_transaction(method, *args)
        except psycopg2.Error as error:
            _logger.warning("A quota could not be noted: %s", error)
