import contextlib
import time
from datetime import timedelta
from math import ceil

from odoo import api, fields, models
from odoo.fields import Domain

from ...spapi.client import ORDER_DATA
from ...spapi.errors import (
    IncompleteCredentials,
    NotSent,
    Refused,
    SpApiError,
    Throttled,
)
from ...spapi.operations import OPERATIONS
from ...spapi.transactions import parse_transactions
from ...spapi.values import time_of
from ..account.connection import is_access_refused
from ..account.watermark import SUBJECTS
from ..base.background import in_background, in_own_transaction
from ..base.clock import database_now, naive_utc
from ..base.private_log import private_logger
from .reading import CONFIRM_MIN_SECONDS, PER_ORDER

_logger = private_logger(__name__)

# Seconds between two questions about the same range where half of the quota is used up;
# with more than half of it at hand there is no need to wait.
RANGE_EVERY_SECONDS = 240

# Seconds that one run may take; what is left is for the next one.
RANGE_RUN_SECONDS = 40

# Seconds until a run that failed, or found somebody else at it, looks again.
RANGE_RETRY_SECONDS, RANGE_BUSY_SECONDS = 60, 5

# Seconds: requests to read within so many seconds share a job.
RANGE_SLOT_SECONDS = 10

# Days. The ranges of an account are read while an order of it was read so lately.
RANGE_IDLE_DAYS = 60

# Orders that a run has read by themselves where Amazon's lists have not confirmed their
# actions for a day, as may be after a gap.
RANGE_LEFTOVERS = 10

ALL_SUBJECTS = [subject for subject, _label in SUBJECTS]
OPERATION_OF = {
    "orders": "searchOrders",
    "transactions": "listTransactions",
    "late": "listTransactions",
}
# Kinds of transactions that give money back to the buyer.
GIVEN_BACK = ("refund", "claim", "chargeback")


class AmazonRangeReading(models.AbstractModel):
    """How what concerns many orders is read from Amazon: by range.

    getOrder and the finances of one order allow one call in two seconds. A page of
    searchOrders tells of 100 orders, one of listTransactions of as many transactions.
    HTTP and recording never share a transaction; each page is noted when all of it is
    recorded, so that whoever comes after a crash reads at most one page again.

    What is read is read for a seller account; how far, its watermarks say.
    """

    _name = "amazon.range.reading"
    _description = "Amazon Reading by Range"

    # === BUSINESS METHODS - ENQUEUEING === #

    @api.model
    def _enqueue(self, accounts, wait=0):
        """Have the ranges of accounts read in the background.

        Requests for about the same moment share a job; one for an earlier moment does
        not wait for a later one.

        :param amazon.seller.account accounts: whose ranges
        :param float wait: seconds before which it should not start
        """
        moment = fields.Datetime.now().timestamp() + wait
        for account in accounts:
            self._enqueue_job(account, wait, int(moment // RANGE_SLOT_SECONDS))

    def _enqueue_job(self, account, wait, name, subjects=None):
        in_background(self, account.company_id).with_delay(
            priority=12,
            eta=ceil(wait) or None,
            max_retries=0,
            description=f"Read what changed at Amazon for {account.name}",
            identity_key=f"amazon_read_ranges_{account.id}_{name}",
        )._job_read_ranges(account.id, subjects)

    @api.model
    def _job_read_ranges(self, account_id, subjects=None):
        """Read the ranges of an account, and come again while something is left or
        awaited. Job.

        :param int account_id: id of the account
        :param subjects: what to read, all when None
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        self.env["amazon.host.clock"]._compare()
        if not account.active:
            return
        waits = self._read_subjects(account, subjects or ALL_SUBJECTS)
        for subject, wait in waits.items():
            if wait:
                self._enqueue_job(account, wait, f"on_{subject}", [subject])
        wait = self._seconds_to_next_look(account)
        if wait:
            self._enqueue_job(account, wait, "next")

    def _seconds_to_next_look(self, account):
        """Return when to look again for what is awaited: after half of the time that
        has passed. Zero where that is the cron's business.

        :rtype: float
        """
        registered = self.env["amazon.order.asked"]._all()
        since = [asked._awaited_since(account) for asked in registered]
        if not any(since):
            return 0.0
        age = (fields.Datetime.now() - max(filter(None, since))).total_seconds()
        wait = max(age / 2, CONFIRM_MIN_SECONDS)
        return wait if wait < RANGE_EVERY_SECONDS else 0.0

    @api.model
    def _cron_read_ranges(self):
        """Keep the ranges of all accounts read that have something to do."""
        for account in self.env["amazon.seller.account"].search([]):
            self.env["amazon.failure"]._run_apart(
                "ranges",
                in_background(self, account.company_id),
                "_keep_read",
                account.id,
                subject=account,
            )

    def _keep_read(self, account_id):
        """Have what there is to read of an account read: ranges, and what waits in
        line for it, also where its job was lost."""
        account = self.env["amazon.seller.account"].browse(account_id)
        if self._has_business(account):
            self._enqueue(account)
            self._read_leftovers(account)
        self.env["amazon.mail.reading"]._keep_read(account)

    def _has_business(self, account):
        """Whether an order of the account was read lately, so that people may ask."""
        since = fields.Datetime.now() - timedelta(days=RANGE_IDLE_DAYS)
        return bool(
            self.env["amazon.order"].search_count(
                [
                    ("account_id", "=", account.id),
                    ("read_at", ">=", since),
                    # of which the lists tell
                    ("is_fulfillment_order", "=", False),
                ],
                limit=1,
            )
        )

    def _read_leftovers(self, account):
        """Have a few orders read by themselves whose actions wait for long: Amazon's
        lists may have shown them while nobody read."""
        if any(account._quota_wait(name, 15) for name in PER_ORDER):
            return
        limit = fields.Datetime.now() - timedelta(days=1)
        registered = self.env["amazon.order.asked"]._all()
        self.env["amazon.order"].search(
            Domain(
                [
                    ("account_id", "=", account.id),
                    # not known at all: a list spoke of it that could not be recorded
                    *["|", ("complete_at", "=", False), ("complete_at", "<", limit)],
                    ("read_state", "!=", "requested"),
                ]
            )
            & Domain.OR(asked._awaiting() for asked in registered),
            # those first that were not tried for longest
            order="write_date",
            limit=RANGE_LEFTOVERS,
        )._request_read()

    # === BUSINESS METHODS - READING === #

    @api.model
    def _read_ranges(self, account):
        """Read on in all ranges of an account, as far as time and quotas allow.

        Never sleeps. What is recorded stays, whatever becomes of the caller's
        transaction, and confirms the actions that it shows.

        :return: seconds after which it makes sense to read on, 0.0 when all is read
        :rtype: float
        """
        waits = self._read_subjects(account, ALL_SUBJECTS)
        return min(filter(None, waits.values()), default=0.0)

    def _read_subjects(self, account, subjects):
        """Read on in some of the ranges.

        :param amazon.seller.account account: whose ranges
        :param subjects: keys of `SUBJECTS`
        :return: seconds after which to read on, for each of them
        :rtype: dict
        """
        end = time.monotonic() + RANGE_RUN_SECONDS
        try:
            client = account._client()
        except IncompleteCredentials as error:
            account._note_access(error)
            message = account._describe_error(error)
            for subject in subjects:
                self._in_own("_fail_range", account, subject, message, True)
            return dict.fromkeys(subjects, 0.0)
        except NotSent as error:
            message = account._describe_error(error)
            for subject in subjects:
                self._in_own("_fail_range", account, subject, message, False)
            return dict.fromkeys(subjects, RANGE_RETRY_SECONDS)
        with client:
            return {
                subject: self._try_range(account, client, subject, end)
                for subject in subjects
            }

    def _try_range(self, account, client, subject, end):
        try:
            return self._read_range(account, client, subject, end)
        except Exception:
            # A surprise in one list must stop neither the others nor the dispatch
            # that wants to know more; what was recorded stays, the watch tells.
            _logger.exception("%s: %s could not be read", account.name, subject)
            return RANGE_RETRY_SECONDS

    def _read_range(self, account, client, subject, end):
        with self._hold_range(account, subject) as is_held:
            if not is_held:
                return RANGE_BUSY_SECONDS
            if not self._in_own("_is_range_due", account, subject):
                return 0.0
            while time.monotonic() < end:
                wait = self._wait_for_others(account, subject)
                if not wait:
                    wait = self._read_page(account, client, subject)
                if wait is not None:
                    return wait
            return 1.0

    @contextlib.contextmanager
    def _hold_range(self, account, subject):
        """Hold the range while it is read, on all hosts, as long as we live.

        :return: whether it is held; False when somebody else reads it
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"amazon_order_actions/range/{account.id}/{subject}"],
            )
            yield cr.fetchone()[0]

    def _in_own(self, method, account, *args):
        """Call a method of this model in a transaction of its own, by the id of the
        account, and commit."""
        return in_own_transaction(self, method, account.id, *args)

    def _is_range_due(self, account_id, subject):
        """Whether to ask now. With more than half of the quota at hand, always; else
        only as often as the cover needs it, so that a burst is left for others."""
        watermark = self.env["amazon.watermark"]._provide(account_id, subject)
        if subject == "late" and not watermark._is_late_due():
            return False
        if watermark.page_token or not watermark.asked_at:
            return True
        account = self.env["amazon.seller.account"].browse(account_id)
        if not self._wait_for_half(account, subject):
            return True
        since = database_now(self.env) - timedelta(seconds=RANGE_EVERY_SECONDS)
        return watermark.asked_at <= since

    def _wait_for_others(self, account, subject):
        """Return seconds that what can wait leaves the quota to what cannot."""
        if subject != "late":
            return 0.0
        return self._wait_for_half(account, subject)

    def _wait_for_half(self, account, subject):
        """Return seconds until more than half of the quota is at hand."""
        operation = OPERATION_OF[subject]
        return account._quota_wait(operation, OPERATIONS[operation].burst // 2 + 1)

    def _read_page(self, account, client, subject):
        """Ask for one page and record it.

        :return: None when there is another page, 0.0 when the list is done, else the
            seconds to wait
        :rtype: float | None
        """
        query = self._in_own(
            "_next_range_query", account, subject, _seconds(client.amazon_now())
        )
        try:
            query, page = self._ask_page(client, query)
            self._record_page(account, subject, page)
        except Throttled as error:
            return error.wait
        except SpApiError as error:
            return self._settle_range_error(account, query, error)
        if subject == "orders":
            account._note_access(None)
        self._in_own("_advance_range", account, query, page.next_token)
        return None if page.next_token else 0.0

    def _next_range_query(self, account_id, subject, amazon_now):
        return (
            self.env["amazon.watermark"]
            ._provide(account_id, subject)
            ._next_query(amazon_now)
        )

    def _advance_range(self, account_id, query, token):
        self.env["amazon.watermark"]._provide(account_id, query.subject)._advance(
            query, token
        )

    def _fail_range(self, account_id, subject, message, refused):
        watermark = self.env["amazon.watermark"]._provide(account_id, subject)
        watermark._fail(message, refused)

    def _drop_range_page(self, account_id, subject):
        self.env["amazon.watermark"]._provide(account_id, subject)._drop_page()

    def _ask_page(self, client, query):
        """Ask Amazon for one page.

        :return: the query with what Amazon said of its bounds, and the page
        :rtype: tuple
        """
        if query.subject == "orders":
            page = client.search_orders(
                last_updated_after=query.after,
                included_data=ORDER_DATA,
                next_token=query.token,
            )
        else:
            page = client.list_transactions(
                posted_after=query.after,
                posted_before=query.before,
                next_token=query.token,
            )
        if query.token:
            return query, page
        # The Date header has whole seconds, so Amazon's clock was less than one ahead.
        # An answer without it: by our clock.
        seen = _seconds(client.amazon_now()) or database_now(self.env)
        before = query.before or _last_updated_before(page)
        return (
            query._replace(before=before, seen_at=seen + timedelta(seconds=1)),
            page,
        )

    def _settle_range_error(self, account, query, error):
        """Note why a page could not be read.

        :return: seconds after which to try again, 0.0 where the cron is soon enough
        :rtype: float
        """
        refused = isinstance(error, Refused) and not error.may_be_repeated
        if refused and query.token and not is_access_refused(error):
            # a page can be asked for during 24 hours only
            _logger.info("%s: list of %s begun anew: %s", account.name, query, error)
            self._in_own("_drop_range_page", account, query.subject)
            return RANGE_BUSY_SECONDS
        _logger.info("%s: %s not read: %s", account.name, query.subject, error)
        if query.subject == "orders":
            # The finances are a role of their own; without it all else works.
            account._note_access(error)
        self._in_own(
            "_fail_range",
            account,
            query.subject,
            account._describe_error(error),
            refused and is_access_refused(error),
        )
        return 0.0 if refused else RANGE_RETRY_SECONDS

    # === BUSINESS METHODS - RECORDING === #

    def _record_page(self, account, subject, page):
        """Record what a page says of the orders that we know, each in a transaction of
        its own: a click on one of them never waits for the others."""
        if subject == "orders":
            said = {row.get("orderId"): row for row in page.items}
            method = "_record_listed"
        else:
            said = {}
            for transaction in parse_transactions(page.items):
                if transaction.kind not in GIVEN_BACK:
                    continue
                if not transaction.order_id:
                    _logger.warning("%s: a refund names no order", account.name)
                said.setdefault(transaction.order_id, []).append(transaction)
            method = "_record_transactions"
        known = self._in_own("_known_orders", account, [ref for ref in said if ref])
        for ref, order_id in known.items():
            order = self.env["amazon.order"].browse(order_id)
            try:
                in_own_transaction(order, method, said[ref])
            except Exception:
                # One order must not stop the page; it is read by itself.
                self._distrust_listed(order)

    def _distrust_listed(self, order):
        """Have an order read by itself of which a list could not be recorded. Called
        where the exception is at hand."""
        _logger.exception("What Amazon lists of %s was not recorded", order)
        try:
            in_own_transaction(order, "_distrust")
        except Exception:
            # Nor may this stop the page: no page after it would ever be read.
            _logger.exception("%s could not be distrusted", order)

    def _known_orders(self, account_id, refs):
        """Return the ids of those orders of the account that were read before."""
        account = self.env["amazon.seller.account"].browse(account_id)
        orders = self.env["amazon.order"].search(
            [
                ("amazon_order_ref", "in", refs),
                ("account_id", "=", account.id),
                # not what an account has left in another company
                ("company_id", "=", account.company_id.id),
                ("read_at", "!=", False),
            ],
            order="id",
        )
        return {order.amazon_order_ref: order.id for order in orders}


def _seconds(moment):
    """Return a time of Amazon's as Odoo keeps it, in whole seconds; None for none."""
    return naive_utc(moment).replace(microsecond=0) if moment else None


def _last_updated_before(page):
    moment = time_of("searchOrders", page.last_updated_before, "lastUpdatedBefore")
    return _seconds(moment)
