import logging
from typing import NamedTuple

from odoo import fields, models

from ..const import FULFILLMENT_STATUSES
from ..spapi import finances as spapi_finances
from ..spapi import orders as spapi_orders
from ..spapi.enums import ADJUSTMENT_COMPONENTS
from ..spapi.errors import IncompleteCredentials, Refused, SpApiError, Throttled
from ..spapi.marketplaces import MARKETPLACES
from .background import in_background

_logger = logging.getLogger(__name__)

# Parts of the order asked of getOrder. Nothing that names the buyer.
INCLUDED_DATA = ("PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "TAX")

# States of an action that waits for its refund to be seen at Amazon.
AWAITED_STATES = ("submitted", "unknown", "accepted", "assisted")


class Answers(NamedTuple):
    """What Amazon said: the order and its finances, each parsed or an error."""

    account: object
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


class AmazonOrder(models.Model):
    """How an order is read from Amazon, and how what Amazon says is recorded."""

    _inherit = "amazon.order"

    def _request_read(self):
        """Enqueue a reading of each order. One waiting reading is enough."""
        for order in self:
            order.read_state = "requested"
            in_background(order, order.company_id).with_delay(
                priority=20,
                max_retries=0,
                description=f"Read Amazon order {order.amazon_order_ref}",
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
        stays valid as what it is: old.

        :rtype: Answers
        """
        self.ensure_one()
        answers = self._ask_amazon()
        # Before the first row is added: two readers of one order must meet here,
        # where the second one is run again, and not in a unique index.
        self._take()
        self._record(answers)
        return answers

    # === ASKING === #

    def _ask_amazon(self):
        """Ask Amazon for the order and what was refunded. Records nothing.

        :rtype: Answers
        """
        account, order, error = self._ask_for_order()
        if error:
            return Answers(account, order_error=error)
        finances, error = self._ask_for_finances(account, order)
        return Answers(account, order, None, finances, error)

    def _ask_for_order(self):
        """Ask the order's account for it, then the other accounts of the company.

        :return: account, parsed order or None, error or None. The error of the first
            account that could not say; "not found" only where all say so
        :rtype: tuple
        """
        failed, failure = self.account_id, None
        for account in self.account_id | self.account_id._candidates(
            self.company_id, self.marketplace
        ):
            try:
                with account._client() as client:
                    answer = client.get_order(
                        self.amazon_order_ref, included_data=INCLUDED_DATA
                    )
                return account, spapi_orders.parse_order(answer), None
            except (SpApiError, IncompleteCredentials) as error:
                _logger.info(
                    "%s not read from %s: %s",
                    self.amazon_order_ref,
                    account.name,
                    error,
                )
                if failure is None or is_not_found(failure):
                    failed, failure = account, error
                if isinstance(error, SpApiError) and not is_final(error):
                    # No answer is no reason to ask elsewhere, and costs time.
                    break
        return failed, None, failure

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
            _logger.info("Finances of %s not read: %s", self.amazon_order_ref, error)
            return None, error

    # === RECORDING === #

    def _record(self, answers):
        """Record what Amazon said, and confirm the actions that it shows."""
        if answers.order_error:
            self._record_failure(answers)
            return
        self._record_order(answers)
        self._record_items(answers.order.lines)
        if answers.finances_error:
            self.finances_state = "failed"
            self.finances_message = answers.account._describe_error(
                answers.finances_error, self.amazon_order_ref
            )
        else:
            self._record_finances(answers.finances)
        self._confirm_actions()

    def _record_failure(self, answers):
        refused = is_final(answers.order_error)
        self.read_state = "refused" if refused else "failed"
        self.read_message = answers.account._describe_error(
            answers.order_error, self.amazon_order_ref
        )

    def _record_order(self, answers):
        order = answers.order
        self.write(
            {
                "account_id": answers.account.id,
                "marketplace": _known(order.marketplace_id, MARKETPLACES),
                "channel": order.channel,
                "fulfillment_status": _known(order.status, dict(FULFILLMENT_STATUSES))
                or "OTHER",
                "purchased_at": _naive_utc(order.purchase_date),
                "currency_id": self._get_currency(order.currency).id,
                "cancel_requested": order.cancel_requested,
                "cancel_request_reason": next(
                    (i.cancel_reason for i in order.lines if i.cancel_requested), False
                ),
                "cancelled_by": _known(
                    order.cancelled_by, dict(self._fields["cancelled_by"].selection)
                ),
                "read_state": "read",
                "read_message": False,
                "read_at": fields.Datetime.now(),
            }
        )

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
                listed |= charge
        (self.charge_ids - listed).charged = 0.0
        (self.line_ids - lines).write({"quantity_ordered": 0, "quantity_fulfilled": 0})

    def _record_item(self, item):
        vals = {
            "sku": item.sku,
            "asin": item.asin,
            "title": item.title,
            "quantity_ordered": item.quantity_ordered,
            "quantity_fulfilled": item.quantity_fulfilled,
        }
        line = self.line_ids.filtered(
            lambda line: line.amazon_item_ref == item.order_item_id
        )
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
        foreign = [r for r in finances.refunds if r.currency != self.currency_id.name]
        self.finances_state = "failed" if foreign else "read"
        self.finances_message = foreign and self.env._(
            "Amazon shows a refund in %s, which is not the currency of this order. "
            "Look at the order in Seller Central before you refund.",
            foreign[0].currency,
        )
        self._record_refunds([r for r in finances.refunds if r not in foreign])

    def _record_refunds(self, refunds):
        """Record refunds that Amazon shows and that are not recorded yet.

        What fits no item is recorded without one: it is money of the order all the
        same.
        """
        known = set(self.refund_ids.mapped("event_key"))
        for key, rows in _by_key(refunds).items():
            if key in known:
                continue
            component = _charged_as(rows[0])
            amount = float(sum(row.amount for row in rows))
            line = self._find_refunded_line(rows[0].sku, component, amount)
            self.env["amazon.order.refund"].create(
                {
                    "order_id": self.id,
                    "charge_id": line._get_charge(component).id if line else False,
                    "amount": amount,
                    "posted_at": _naive_utc(rows[0].posted_date),
                    "event_key": key,
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
            if line._get_charge(component)._awaits(amount, AWAITED_STATES):
                return line
        for line in lines:
            charge = line._get_charge(component)
            left = charge.charged - charge.refunded
            if line.currency_id.compare_amounts(left, amount) >= 0:
                return line
        return lines[:1]

    def _confirm_actions(self):
        """Confirm the actions whose outcome Amazon's data, as just read, shows.

        At once, so that a refund does not count as refunded and as reserved.
        """
        for action in self.action_ids.sorted("id"):
            if action.state in AWAITED_STATES and action._kind()._is_confirmed(action):
                action._set_confirmed()


def is_final(error):
    """Tell whether Amazon has said no, so that asking again is useless."""
    return isinstance(error, Refused) and not error.may_be_repeated


def is_not_found(error):
    """Tell whether Amazon does not know what was asked for."""
    return isinstance(error, Refused) and error.http_status == 404


def _known(value, options):
    """Return a value of Amazon's where it is one that we know, else False."""
    return value if value in options else False


def _naive_utc(moment):
    """Return an aware datetime as Odoo keeps it: UTC, without a time zone."""
    if not moment:
        return False
    return (moment - moment.utcoffset()).replace(tzinfo=None)


def _charged_as(refund):
    """Return the component whose charge a refund event concerns.

    What was charged is kept net of promotions, so a promotion that is taken back with
    a refund belongs to the item price. The finances have charge types that the Order
    Adjustment does not have (such as PaymentMethodFee).
    """
    if refund.component == "Promotion":
        return "Principal"
    return refund.component if refund.component in ADJUSTMENT_COMPONENTS else "Other"


def _by_key(refunds):
    """Group refund events by a key that is the same at every reading.

    What Amazon adjusts together belongs together: the same adjustment of an item and
    the same component. Equal events without Amazon's adjustment id are counted.
    """
    groups, counts = {}, {}
    for refund in refunds:
        parts = [
            refund.posted_date.isoformat(),
            refund.sku or "",
            _charged_as(refund),
        ]
        if refund.order_adjustment_item_id:
            parts.append(refund.order_adjustment_item_id)
        else:
            equal = (*parts, refund.amount)
            counts[equal] = counts.get(equal, 0) + 1
            parts += [str(refund.amount), f"#{counts[equal]}"]
        groups.setdefault("|".join(parts), []).append(refund)
    return groups
