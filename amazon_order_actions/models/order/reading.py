from datetime import datetime
from typing import NamedTuple

from psycopg2 import OperationalError

from odoo import api, fields, models

from ...spapi import finances as spapi_finances
from ...spapi import orders as spapi_orders
from ...spapi.enums import ADJUSTMENT_COMPONENTS
from ...spapi.errors import IncompleteCredentials, Refused, SpApiError, Throttled
from ...spapi.marketplaces import MARKETPLACES
from ..base.background import in_background
from ..base.clock import database_now, latest_credible, naive_utc
from ..base.private_log import private_logger

_logger = private_logger(__name__)

# Seconds. What Amazon said of an order may be this old when an action of it is sent.
# By range it can be known 120 seconds late (searchOrders and listTransactions leave the
# last two minutes out), and searchOrders allows one call in 178 seconds.
ORDER_FRESH_SECONDS = 600

# Seconds. An order that was read longer ago is read again in the background when
# somebody opens a form that shows it. getOrder allows 0.5 calls a second.
ORDER_STALE_AFTER = 600

# Seconds until the first look for the outcome of an action in Amazon's data.
CONFIRM_MIN_SECONDS = 10

# What reading one order costs of Amazon's quotas.
PER_ORDER = ("getOrder", "listFinancialEventsByOrderId")

# Readings in a row that could not be recorded, after which nobody waits for the next.
UNRECORDED_LIMIT = 3


class NoAccount(Exception):
    """No account of the order's own company can be asked about it."""


class Answers(NamedTuple):
    """What Amazon said: the order and its finances, each parsed or an error."""

    account: object
    asked_at: datetime
    order: object = None
    order_error: Exception | None = None
    finances: object = None
    finances_error: Exception | None = None

    def is_complete(self):
        """Whether Amazon has said all that it will say: both were read, or were
        refused for good. Without the role for finances there is nothing to wait for."""
        error = self.order_error or self.finances_error
        return error is None or is_final(error)

    def is_throttled(self):
        """Whether Amazon's quota is used up, so that the next order can wait, too."""
        return any(
            isinstance(error, Throttled)
            for error in (self.order_error, self.finances_error)
        )


class AmazonOrderReading(models.AbstractModel):
    """How an order is read from Amazon, and how what Amazon says is recorded.

    A part of `amazon.order`, which alone inherits it.
    """

    _name = "amazon.order.reading"
    _description = "Reading of Amazon Orders"

    complete_at = fields.Datetime(
        "Asked for Alone",
        readonly=True,
        help="When Amazon was last asked for this order alone, and told all that it "
        "tells of it.",
    )
    last_update_at = fields.Datetime(
        "Changed at Amazon", readonly=True, help="By Amazon's clock."
    )
    finances_refused = fields.Boolean(
        readonly=True, help="Amazon does not let the account read the finances."
    )
    unrecorded_count = fields.Integer(
        "Readings Not Recorded",
        readonly=True,
        copy=False,
        help="Readings in a row whose answer could not be recorded, because of an "
        "error in the program.",
    )
    # Whether an account has business, and which of its orders were left alone.
    _account_read_idx = models.Index("(account_id, read_at)")
    _complete_idx = models.Index("(account_id, complete_at)")
    _unrecorded_idx = models.Index("(account_id) WHERE unrecorded_count > 0")

    def _known_until(self, cover):
        """Return up to when this order is known, by PostgreSQL's clock.

        It is known up to its own reading. Where the lists cover all that happened since
        that reading, it is known up to where they reach.

        :param dict cover: what the lists of the account cover, by subject
        """
        if not self.complete_at:
            return False
        needed = [cover.get("orders"), cover.get("transactions")]
        if self.finances_refused and needed[1] and needed[1].is_refused:
            # Without the role for finances there is nothing to wait for.
            needed.pop()
        if all(mark and mark.covers_since(self.complete_at) for mark in needed):
            return max(self.complete_at, min(mark.known_until for mark in needed))
        return self.complete_at

    def _is_stale(self):
        """Whether what is known is so old that a form asks Amazon again. It does not
        where the lists tell already."""
        return not self.is_known_lately

    def _distrust(self):
        """Have the order read by itself, before anything is sent for it: a list speaks
        of it in a way that cannot be recorded."""
        self.complete_at = False
        self._request_read()

    def _forget_ahead(self, now):
        """Hold those orders for unread that seem to be known up to a time which has not
        come yet: a clock was ahead for a moment.

        Called where it is decided to act on them. Once that time has come, it would
        look like a time after the decision.

        :param datetime now: by PostgreSQL's clock
        """
        of_ahead = self.env["amazon.watermark"].sudo()._ahead_of(self.account_id, now)
        for order in self:
            order._forget_where_ahead(now, order.account_id in of_ahead)

    def _forget_where_ahead(self, now, is_list_ahead):
        """The same for one order.

        :param datetime now: by PostgreSQL's clock
        :param bool is_list_ahead: whether a list of its account is, see
            `amazon.watermark._is_ahead_sql`
        """
        if self.complete_at and (is_list_ahead or self.complete_at > now):
            self.complete_at = False

    @api.model
    def _mend_future(self, account_ids, limit):
        """What is known up to a time in the future is not known: read again."""
        orders = self.search(
            [
                ("account_id", "in", account_ids),
                ("complete_at", ">", latest_credible(database_now(self.env))),
            ],
            limit=limit,
        )
        orders.complete_at = False
        orders._request_read()
        return len(orders)

    def _request_first_read(self):
        """Have orders read that somebody names here for the first time."""
        self._request_read()

    def _request_read(self):
        """Enqueue a reading of each order. One waiting reading is enough."""
        for order in self:
            order.read_state = "requested"
            in_background(order, order.company_id).with_delay(
                priority=20,
                max_retries=0,
                description=f"Read the Amazon order with the id {order.id}",
                identity_key=f"amazon_order_read_{order.id}",
            )._job_read()
        self._notify_forms()

    def _job_read(self):
        """Read the order from Amazon and show what came of it. Job."""
        self.ensure_one()
        self._read_from_amazon()
        self._notify_forms()

    def _read_from_amazon(self):
        """Read order and refunds from Amazon, record them, and confirm the actions that
        they show.

        A failure is recorded in words and raises nothing, since the former reading
        stays valid as what it is: old. That holds for a surprise in the program, too:
        one order must not end the work on others.

        :rtype: Answers
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                return self._ask_and_record()
        except OperationalError:
            # whoever called is run again
            raise
        except Exception as error:
            _logger.exception("The order %s could not be recorded", self.id)
            return self._note_unrecorded(error)

    def _ask_and_record(self):
        answers = self._ask_amazon()
        self._note_access(answers)
        # Before the first row is added: two readers of one order must meet here,
        # where the second one is run again, and not in a unique index.
        self._take()
        self._record(answers)
        return answers

    def _note_unrecorded(self, error):
        """Say that what Amazon says could not be recorded, and count it.

        :param Exception error: what was raised
        :rtype: Answers
        """
        self.write(
            {
                "read_state": "failed",
                "read_message": self.env._(
                    "What Amazon says of this order could not be recorded, because of "
                    "an error in the program. What is shown is the former reading. "
                    "Tell an administrator, who finds the error in the server's log."
                ),
                "unrecorded_count": self.unrecorded_count + 1,
            }
        )
        return Answers(self.account_id, fields.Datetime.now(), order_error=error)

    def _is_given_up(self):
        """Whether it could not be recorded so often that nobody waits for it."""
        return self.unrecorded_count >= UNRECORDED_LIMIT

    # === ASKING === #

    def _ask_amazon(self):
        """Ask Amazon for the order and what was refunded. Records nothing.

        :rtype: Answers
        """
        # before the first question: what happens meanwhile may be missing
        now = database_now(self.env)
        account, order, error = self._ask_for_order()
        if error:
            return Answers(account, now, order_error=error)
        finances, error = self._ask_for_finances(account, order)
        return Answers(account, now, order, None, finances, error)

    def _ask_for_order(self):
        """Ask the order's account for it, then the other accounts of the company.

        :return: account, parsed order or None, error or None. The error of the first
            account that could not say; "not found" only where all say so
        :rtype: tuple
        """
        failed, failure = self.account_id, None
        accounts = self._accounts_to_ask()
        if not accounts:
            return failed, None, NoAccount()
        for account in accounts:
            try:
                with account._client() as client:
                    return account, self._ask_client(client), None
            except (SpApiError, IncompleteCredentials) as error:
                _logger.info("%s not read from %s: %s", self, account, error)
                if failure is None or is_not_found(failure):
                    failed, failure = account, error
                if isinstance(error, SpApiError) and not is_final(error):
                    # No answer is no reason to ask elsewhere, and costs time.
                    break
        return failed, None, failure

    def _accounts_to_ask(self):
        """Return the accounts that the order may belong to, the likeliest first."""
        accounts = self.account_id | self.account_id._candidates(
            self.company_id, self.marketplace
        )
        # An account that was moved elsewhere has the secrets of another company.
        return accounts.filtered(lambda a: a.company_id == self.company_id)

    def _ask_client(self, client):
        """Ask Amazon for the order itself.

        :param SellerClient client: of an account that it may belong to
        :return: the order as parsed
        """
        return spapi_orders.parse_order(client.get_order(self.amazon_order_ref))

    def _ask_for_finances(self, account, order):
        """Ask what was refunded. An empty answer means: not known yet.

        :return: parsed finances or None, error or None
        :rtype: tuple
        """
        market = MARKETPLACES.get(order.marketplace_id)
        try:
            with account._client() as client:
                events = client.list_financial_events(self.amazon_order_ref)
            return (
                spapi_finances.parse_events(
                    events,
                    self.amazon_order_ref,
                    bool(market and market.prices_include_tax),
                ),
                None,
            )
        except (SpApiError, IncompleteCredentials) as error:
            _logger.info("Finances of %s not read: %s", self, error)
            return None, error

    def _note_access(self, answers):
        """Keep in mind whether Amazon lets the account in."""
        answers.account._note_access(answers.order_error)

    # === RECORDING === #

    def _record(self, answers):
        """Record what Amazon said, and confirm the actions that it shows."""
        if answers.order_error:
            self._record_failure(answers)
            return
        self.write(
            {
                "account_id": answers.account.id,
                "read_state": "read",
                "read_message": False,
                "read_at": answers.asked_at,
                "unrecorded_count": 0,
            }
        )
        self._record_answer(answers)
        self._let_follow()

    def _record_answer(self, answers):
        """Record the order and its finances, as Amazon has just told them."""
        if not self._is_newer_than(answers.order):
            self._record_order(answers.order)
            self._record_items(answers.order.lines)
        if answers.finances_error:
            self.finances_state = "failed"
            self.finances_message = answers.account._describe_error(
                answers.finances_error, self.amazon_order_ref
            )
        else:
            self._record_finances(answers.finances)
        if answers.is_complete():
            self.complete_at = answers.asked_at
            self.finances_refused = bool(answers.finances_error)

    def _is_newer_than(self, order):
        """Whether we know more than this answer: a page may be older than what was read
        since, and a reading that took long older than a page.

        :param spapi.orders.OrderReading order: the order as parsed
        """
        known = self.last_update_at
        return bool(known) and naive_utc(order.last_update) < known

    def _record_failure(self, answers):
        refused = is_final(answers.order_error)
        self.read_state = "refused" if refused else "failed"
        if isinstance(answers.order_error, NoAccount):
            self.read_message = self.env._(
                "The seller account of this order belongs to another company, so it "
                "is not read. Tell an administrator."
            )
            return
        self.read_message = self._describe_failure(answers)

    def _describe_failure(self, answers):
        """Say in a sentence why the order could not be read."""
        return answers.account._describe_error(
            answers.order_error, self.amazon_order_ref
        )

    def _read_sentence(self):
        """Return what is to be said of the reading, or False."""
        return self.read_message

    def _record_order(self, order):
        """Record what Amazon says of the order as a whole.

        :param spapi.orders.OrderReading order: the order as parsed
        """
        self.write(
            {
                "marketplace": order.marketplace_id in MARKETPLACES
                and order.marketplace_id,
                "channel": order.channel,
                "fulfillment_status": self._known("fulfillment_status", order.status)
                or "OTHER",
                "purchased_at": naive_utc(order.purchase_date),
                "last_update_at": naive_utc(order.last_update),
                "currency_id": self._get_currency(order.currency).id,
                "cancel_requested": order.cancel_requested,
                "cancel_request_reason": next(
                    (i.cancel_reason for i in order.lines if i.cancel_requested), False
                ),
                "cancelled_by": self._known("cancelled_by", order.cancelled_by),
                "seller_order_ref": order.seller_order_id or False,
                "packages": [
                    {
                        "reference": package.reference,
                        "carrier": package.carrier,
                        "tracking_number": package.tracking_number,
                    }
                    for package in order.packages
                ],
                "package_references": list(order.package_references),
            }
        )

    def _known(self, name, value):
        """Return a value of Amazon's where a selection field has it, else False."""
        return value if value in dict(self._fields[name].selection) else False

    def _record_items(self, items):
        """Record items and charges; what Amazon does not list any more counts zero."""
        listed = self.env["amazon.order.charge"]
        lines = self.env["amazon.order.line"]
        for item in items:
            line = self._record_item(item)
            lines |= line
            for component, amount in item.charges.items():
                charge = line._get_charge(component)
                charge.charged = float(amount)
                charge.discount = float(item.discounts.get(component, 0))
                listed |= charge
        (self.charge_ids - listed).write({"charged": 0.0, "discount": 0.0})
        for line in self.line_ids - lines:
            line.write(
                {
                    "quantity_ordered": 0,
                    "quantity_fulfilled": 0,
                    "quantity_open": 0,
                    "quantity_cancelled": line.quantity_at_first,
                }
            )

    def _record_item(self, item):
        line = self.line_ids.filtered(
            lambda line: line.amazon_item_ref == item.order_item_id
        )
        vals = {
            "sku": item.sku,
            "asin": item.asin,
            "title": item.title,
            "quantity_ordered": item.quantity_ordered,
            "quantity_fulfilled": item.quantity_fulfilled,
            "promotion_refs": list(item.promotion_ids),
            **line._units_vals(item),
            "cancel_requested": item.cancel_requested,
            "cancel_request_reason": item.cancel_requested and item.cancel_reason,
            "cancelled_by": self._known("cancelled_by", item.cancelled_by),
        }
        if line:
            line.write(vals)
            return line
        vals.update(order_id=self.id, amazon_item_ref=item.order_item_id)
        return self.env["amazon.order.line"].create(vals)

    def _get_currency(self, code):
        return (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", code)])
        )

    def _record_finances(self, finances):
        # Once seen, it stays: an answer without it means "not known yet".
        self.claim_found |= finances.claim_found
        self.chargeback_found |= finances.chargeback_found
        self.finances_state = "read"
        self.finances_message = False
        self._record_refunds(self._refunds_to_count(finances.refunds, "events"))

    def _refunds_to_count(self, refunds, source):
        """Return the refunds that can be counted, and say of the others that a person
        must look."""
        foreign = [r for r in refunds if r.currency != self.currency_id.name]
        elsewhere = self.refund_ids.filtered(lambda row: row.source != source)
        _twins, unknown = self.refund_ids._twins(refunds, source)
        doubtful = [
            refund
            for refund in refunds
            if (elsewhere and not refund.order_adjustment_item_id)
            or refund.order_adjustment_item_id in unknown
        ]
        message = False
        if foreign:
            message = self.env._(
                "Amazon shows a refund in %s, which is not the currency of this order. "
                "Look at the order in Seller Central before you refund.",
                foreign[0].currency,
            )
        elif doubtful:
            message = self.env._(
                "Amazon shows a refund that may be the same as another one. Look at "
                "the order in Seller Central before you refund."
            )
        if message:
            self.write({"finances_state": "failed", "finances_message": message})
        return [r for r in refunds if r not in foreign and r not in doubtful]

    def _record_refunds(self, refunds, source="events"):
        """Record refunds that Amazon shows and that are not recorded yet.

        What fits no item is recorded without one: it is money of the order all the
        same. Amazon has two lists of its finances; an adjustment belongs to the one
        that showed it first, and counts only there, by whatever number the other one
        shows it.

        :param refunds: `spapi.finances.RefundEvent` rows
        :param str source: the list that they are from
        """
        for number, rows in self.refund_ids._twins(refunds, source)[0].items():
            rows.twin_ref = number
        known = set(self.refund_ids.mapped("event_key"))
        elsewhere = self.refund_ids._numbers_elsewhere(source)
        for key, rows in _by_key(refunds, source).items():
            adjustment = rows[0].order_adjustment_item_id or False
            if key in known or adjustment in elsewhere:
                continue
            component = _charged_as(rows[0])
            amount = float(sum(row.amount for row in rows))
            line = self._find_refunded_line(rows[0].sku, component, amount)
            self.env["amazon.order.refund"].create(
                {
                    "order_id": self.id,
                    "charge_id": line._get_charge(component).id if line else False,
                    "amount": amount,
                    "sku": rows[0].sku,
                    "posted_at": naive_utc(rows[0].posted_date),
                    "event_key": key,
                    "adjustment_ref": adjustment,
                    "source": source,
                }
            )

    def _find_refunded_line(self, sku, component, amount):
        """Return the item that a refund event speaks of, if there is one.

        By SKU, since item ids differ between orders and finances (amzn/
        selling-partner-api-models issue 427). Where the SKU stands in several items:
        the one whose refund of that amount is awaited, else the one that it still
        fits.
        """
        lines = self.line_ids.filtered(lambda line: line.sku == sku)
        for line in lines:
            if self._is_awaited(line._get_charge(component), amount):
                return line
        for line in lines:
            charge = line._get_charge(component)
            left = charge.charged - charge.refunded
            if line.currency_id.compare_amounts(left, amount) >= 0:
                return line
        return lines[:1]

    def _is_awaited(self, charge, amount):
        """Whether a refund is one that was asked for here, and not seen so far."""
        registered = self.env["amazon.order.asked"]._all()
        return any(asked._awaits(charge, amount) for asked in registered)

    # === RECORDING WHAT A LIST SAYS === #

    def _record_listed(self, row):
        """Record what a list of orders says of this one.

        :param dict row: Amazon's ``order`` object
        :raise MalformedAnswer: when a part of it is missing
        """
        listed = spapi_orders.parse_order(row)
        if self._is_newer_than(listed):
            return
        self._take()
        self._record_order(listed)
        self._record_items(listed.lines)
        self._let_follow()
        self._notify_forms()

    def _record_transactions(self, transactions):
        """Record what a list of transactions says of this order.

        :param transactions: `spapi.transactions` rows of this order
        """
        claimed = any(row.kind == "claim" for row in transactions)
        charged_back = any(row.kind == "chargeback" for row in transactions)
        refunds = [
            row.refunds
            for row in transactions
            if row.kind == "refund" and row.is_readable
        ]
        if not self._is_clear(transactions, refunds):
            self._distrust()
            refunds = []
        if not (
            any(self._has_news(rows) for rows in refunds)
            or claimed > self.claim_found
            or charged_back > self.chargeback_found
        ):
            return
        self._take()
        self.claim_found |= claimed
        self.chargeback_found |= charged_back
        for rows in refunds:
            # One by one: what is deferred and then released may be listed twice, and
            # must not be added up.
            rows = self._refunds_to_count(rows, "transactions")
            self._record_refunds(rows, "transactions")
        self._let_follow()
        self._notify_forms()

    def _is_clear(self, transactions, refunds):
        """Whether the list can be counted: all of it was understood, Amazon names each
        adjustment here and in what is counted already, and none may be the same as one
        that counts under another number."""
        understood = all(
            row.is_readable or row.kind in ("claim", "chargeback")
            for row in transactions
        )
        return (
            understood
            and all(row.order_adjustment_item_id for rows in refunds for row in rows)
            and (not refunds or all(self.refund_ids.mapped("adjustment_ref")))
            and not self.refund_ids._twins(
                [row for rows in refunds for row in rows], "transactions"
            )[1]
        )

    def _has_news(self, refunds):
        """Whether one of the refunds of a transaction is not recorded yet."""
        known = set(self.refund_ids.mapped("event_key"))
        elsewhere = self.refund_ids._numbers_elsewhere("transactions")
        return any(
            key not in known and rows[0].order_adjustment_item_id not in elsewhere
            for key, rows in _by_key(refunds, "transactions").items()
        )

    def _let_follow(self):
        """Let what was asked of this order here follow what was just read."""
        for asked in self.env["amazon.order.asked"]._all():
            asked._follow(self)


def is_final(error):
    """Tell whether Amazon has said no, so that asking again is useless."""
    return isinstance(error, Refused) and not error.may_be_repeated


def is_not_found(error):
    """Tell whether Amazon does not know what was asked for."""
    return isinstance(error, Refused) and error.http_status == 404


def _charged_as(refund):
    """Return the component whose charge a refund event concerns. The finances have
    charge types that the Order Adjustment does not have (such as PaymentMethodFee)."""
    return refund.component if refund.component in ADJUSTMENT_COMPONENTS else "Other"


def _by_key(refunds, source):
    """Group refund events by a key that is the same at every reading.

    What Amazon adjusts together belongs together: the same adjustment of an item and
    the same component, whenever it was posted: that date may change, for instance when
    Amazon releases what it deferred. Equal events without Amazon's adjustment id are
    counted.

    :param str source: the list that they are from, "events" or "transactions"
    """
    groups, counts = {}, {}
    for refund in refunds:
        adjustment = refund.order_adjustment_item_id
        parts = [refund.sku or "", _charged_as(refund)]
        if source == "transactions" or adjustment:
            parts = [source, *parts]
        else:
            parts = [refund.posted_date.isoformat(), *parts]
        if adjustment:
            parts.append(adjustment)
        else:
            equal = (*parts, refund.amount)
            counts[equal] = counts.get(equal, 0) + 1
            parts += [str(refund.amount), f"#{counts[equal]}"]
        groups.setdefault("|".join(parts), []).append(refund)
    return groups
