import logging
import re
from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError

from ..const import FULFILLMENT_STATUSES, ORDER_STALE_AFTER
from ..spapi import finances as spapi_finances
from ..spapi import orders as spapi_orders
from ..spapi.errors import IncompleteCredentials, Refused, SpApiError
from ..spapi.marketplaces import MARKETPLACES, seller_central_order_url
from .amazon_seller_participation import marketplace_selection

_logger = logging.getLogger(__name__)

# Amazon's order number, 3-7-7. Source: amzn/selling-partner-api-models, Orders
# 2026-01-01 ("should be in 3-7-7 format"); orders of Multi-Channel Fulfillment begin
# with a letter. The look-arounds keep it from matching inside a longer number.
ORDER_REF = re.compile(r"(?<![\w-])([0-9A-Z][0-9]{2}-[0-9]{7}-[0-9]{7})(?![\w-])")

# Parts of the order asked of getOrder. Nothing that names the buyer.
INCLUDED_DATA = ("PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "TAX")


class AmazonOrder(models.Model):
    """An order at Amazon as it was last read: Amazon's truth, never edited here."""

    _name = "amazon.order"
    _description = "Amazon Order"
    _rec_name = "amazon_order_ref"
    _order = "id desc"
    _check_company_auto = True

    amazon_order_ref = fields.Char(
        "Amazon Order", required=True, readonly=True, index=True
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    marketplace = fields.Selection(marketplace_selection, readonly=True)
    channel = fields.Selection(
        [("fbm", "FBM"), ("fba", "FBA"), ("mcf", "MCF")],
        readonly=True,
        help="FBM: shipped by the seller. FBA: shipped by Amazon. MCF: an order from "
        "elsewhere that Amazon ships (Multi-Channel Fulfillment).",
    )
    fulfillment_status = fields.Selection(
        FULFILLMENT_STATUSES, "Status at Amazon", readonly=True
    )
    purchased_at = fields.Datetime("Purchased", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    cancel_requested = fields.Boolean(
        "Buyer Asks to Cancel",
        readonly=True,
        help="The buyer asked for the cancellation in Your Orders.",
    )
    cancel_request_reason = fields.Char(readonly=True)
    cancelled_by = fields.Selection(
        [("BUYER", "Buyer"), ("MERCHANT", "Seller"), ("AMAZON", "Amazon")],
        readonly=True,
    )
    claim_found = fields.Boolean("A-to-z Claim Paid", readonly=True)
    chargeback_found = fields.Boolean("Chargeback", readonly=True)
    line_ids = fields.One2many("amazon.order.line", "order_id", readonly=True)
    charge_ids = fields.One2many("amazon.order.charge", "order_id", readonly=True)
    refund_ids = fields.One2many("amazon.order.refund", "order_id", readonly=True)
    action_ids = fields.One2many("amazon.action", "order_id", readonly=True)

    read_state = fields.Selection(
        [
            ("requested", "Being read"),
            ("read", "Read"),
            ("failed", "No answer"),
            ("refused", "Refused by Amazon"),
        ],
        default="requested",
        required=True,
        readonly=True,
    )
    read_message = fields.Char(readonly=True)
    read_at = fields.Datetime(
        "Last Read", readonly=True, help="When Amazon last told us about this order."
    )
    finances_state = fields.Selection(
        [
            ("read", "Read"),
            ("failed", "Could not be read"),
        ],
        readonly=True,
    )
    finances_message = fields.Char(readonly=True)
    reservation_count = fields.Integer(
        default=0,
        readonly=True,
        help="Raised by every action asked for, so that two at once cannot both "
        "promise the same money.",
    )

    charged = fields.Monetary(compute="_compute_amounts")
    refunded = fields.Monetary("Refunded at Amazon", compute="_compute_amounts")
    reserved = fields.Monetary(
        compute="_compute_amounts",
        help="Asked for here, and not yet seen in Amazon's finances.",
    )
    refundable = fields.Monetary(compute="_compute_amounts")
    seller_central_url = fields.Char(compute="_compute_seller_central_url")

    _ref_uniq = models.Constraint(
        "unique(amazon_order_ref, company_id)",
        "An Amazon order is recorded only once in a company.",
    )

    # === COMPUTE METHODS === #

    @api.depends("charge_ids.charged", "charge_ids.refunded", "charge_ids.reserved")
    def _compute_amounts(self):
        for order in self:
            charges = order.charge_ids
            order.charged = sum(charges.mapped("charged"))
            order.refunded = sum(charges.mapped("refunded"))
            order.reserved = sum(charges.mapped("reserved"))
            # A goodwill refund takes nothing from a component, but from the order.
            order.refundable = max(
                min(
                    sum(charges.mapped("refundable")),
                    order.charged - order.refunded - order.reserved,
                ),
                0.0,
            )

    @api.depends("amazon_order_ref", "marketplace", "channel")
    def _compute_seller_central_url(self):
        for order in self:
            marketplace = order.marketplace
            if order.channel == "mcf":
                # An order from elsewhere has no marketplace of its own.
                participations = order.account_id.sudo().participation_ids
                marketplace = participations[:1].marketplace
            order.seller_central_url = (
                order.read_at
                and marketplace
                and seller_central_order_url(marketplace, order.amazon_order_ref)
            )

    # === ACTION METHODS === #

    def action_refresh(self):
        """Have the order read from Amazon again, in the background."""
        self.check_access("read")
        self.sudo()._request_read()

    def refresh_if_stale(self):
        """Have those orders read again whose last reading is old.

        Called by the form when it opens. Asks Amazon nothing itself.
        """
        self.check_access("read")
        limit = fields.Datetime.now() - timedelta(seconds=ORDER_STALE_AFTER)
        self.sudo().filtered(
            lambda order: not order.read_at or order.read_at < limit
        )._request_read()

    # === BUSINESS METHODS - FINDING === #

    @api.model
    def _find_refs(self, *texts):
        """Return the Amazon order numbers that occur in the texts, each once.

        :param str texts: plain texts, or False
        :rtype: list[str]
        """
        found = (ref for text in texts if text for ref in ORDER_REF.findall(text))
        return list(dict.fromkeys(found))

    @api.model
    def _get_or_create(self, ref, company, marketplace=None):
        """Return the order with this number, asking Amazon for it where it is new.

        :param str ref: Amazon's order number, 3-7-7
        :param res.company company: the company that it is looked up for
        :param str marketplace: id of the marketplace it probably belongs to
        :return: the order, or an empty recordset where the company has no account
        :rtype: amazon.order
        """
        order = self.search(
            [("amazon_order_ref", "=", ref), ("company_id", "=", company.id)]
        )
        if order:
            return order
        accounts = self.env["amazon.seller.account"]._candidates(company, marketplace)
        if not accounts:
            return self
        try:
            with self.env.cr.savepoint():
                order = self.create(
                    {
                        "amazon_order_ref": ref,
                        "company_id": company.id,
                        "account_id": accounts[0].id,
                        "marketplace": marketplace,
                    }
                )
        except UniqueViolation:
            # Somebody else records it at this moment; Odoo runs the request again and
            # then finds it.
            raise ConcurrencyError(
                f"The Amazon order {ref} is being recorded"
            ) from None
        order._request_read()
        return order

    # === BUSINESS METHODS - READING === #

    def _request_read(self):
        """Enqueue a reading of each order. One waiting reading is enough."""
        for order in self:
            order.read_state = "requested"
            order.with_delay(
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
        """Read order and refunds from Amazon and record them.

        A failure is recorded in words and raises nothing, since the former reading
        stays valid as what it is: old.

        :return: whether all is known now that Amazon will say: order and refunds were
            read, or were refused to this account
        :rtype: bool
        """
        self.ensure_one()
        try:
            reading = self._fetch_order()
        except (SpApiError, IncompleteCredentials) as error:
            _logger.info("%s not read: %s", self.amazon_order_ref, error)
            refused = isinstance(error, Refused)
            self.write(
                {
                    "read_state": "refused" if refused else "failed",
                    "read_message": self.account_id._describe_error(
                        error, self.amazon_order_ref
                    ),
                }
            )
            return refused
        self._apply_order(reading)
        return self._read_finances()

    def _fetch_order(self):
        """Ask the order's account for it, then the other accounts of the company.

        :raise SpApiError: when no account could read it; the first account's error,
            unless that was only that it does not know the order
        """
        accounts = self.account_id | self.account_id._candidates(
            self.company_id, self.marketplace
        )
        failure = None
        for account in accounts:
            try:
                with account._client() as client:
                    answer = client.get_order(
                        self.amazon_order_ref, included_data=INCLUDED_DATA
                    )
            except Refused as error:
                if failure is None or failure.http_status == 404:
                    failure = error
                continue
            self.account_id = account
            return spapi_orders.parse_order(answer)
        raise failure

    def _apply_order(self, reading):
        """Record what Amazon says of the order.

        :param spapi.orders.OrderReading reading: the parsed answer
        """
        statuses = dict(FULFILLMENT_STATUSES)
        self.write(
            {
                "marketplace": reading.marketplace_id
                if reading.marketplace_id in MARKETPLACES
                else False,
                "channel": reading.channel,
                "fulfillment_status": reading.status
                if reading.status in statuses
                else "OTHER",
                "purchased_at": _naive_utc(reading.purchase_date),
                "currency_id": self._get_currency(reading.currency).id,
                "cancel_requested": reading.cancel_requested,
                "cancel_request_reason": next(
                    (
                        item.cancel_reason
                        for item in reading.lines
                        if item.cancel_reason
                    ),
                    False,
                ),
                "cancelled_by": reading.cancelled_by
                if reading.cancelled_by in dict(self._fields["cancelled_by"].selection)
                else False,
                "read_state": "read",
                "read_message": False,
                "read_at": fields.Datetime.now(),
            }
        )
        for item in reading.lines:
            self._apply_item(item)

    def _apply_item(self, item):
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
        else:
            vals.update(order_id=self.id, amazon_item_ref=item.order_item_id)
            line = self.env["amazon.order.line"].create(vals)
        for component, amount in item.charges.items():
            line._get_charge(component).charged = float(amount)

    def _prices_include_tax(self):
        market = MARKETPLACES.get(self.marketplace)
        return bool(market and market.prices_include_tax)

    def _get_currency(self, code):
        return (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", code)])
        )

    def _read_finances(self):
        """Read what Amazon has refunded. An empty answer means: not known yet.

        :return: whether Amazon has said all that it will say
        :rtype: bool
        """
        try:
            with self.account_id._client() as client:
                events = client.list_financial_events(self.amazon_order_ref)
            reading = spapi_finances.parse_events(
                events, self.amazon_order_ref, self._prices_include_tax()
            )
        except (SpApiError, IncompleteCredentials) as error:
            _logger.info("Finances of %s not read: %s", self.amazon_order_ref, error)
            self.write(
                {
                    "finances_state": "failed",
                    "finances_message": self.account_id._describe_error(
                        error, self.amazon_order_ref
                    ),
                }
            )
            # Without the role for finances there is nothing to wait for.
            return isinstance(error, Refused)
        self.write(
            {
                "finances_state": "read",
                "finances_message": False,
                "claim_found": reading.claim_found,
                "chargeback_found": reading.chargeback_found,
            }
        )
        self._apply_refunds(reading.refunds)
        return True

    def _apply_refunds(self, refunds):
        """Record refunds that Amazon shows and that are not recorded yet."""
        known = set(self.refund_ids.mapped("event_key"))
        for key, rows in _by_key(refunds).items():
            if key in known:
                continue
            refund = rows[0]
            amount = float(sum(row.amount for row in rows))
            line = self._find_refunded_line(refund, amount)
            if not line:
                _logger.warning(
                    "%s: a refund names SKU %s, which the order does not have",
                    self.amazon_order_ref,
                    refund.sku,
                )
                continue
            self.env["amazon.order.refund"].create(
                {
                    "order_id": self.id,
                    "charge_id": line._get_charge(_charged_as(refund)).id,
                    "amount": amount,
                    "posted_at": _naive_utc(refund.posted_date),
                    "event_key": key,
                }
            )

    def _find_refunded_line(self, refund, amount):
        """Return the item that a refund event speaks of.

        By SKU, since item ids differ between orders and finances (amzn/
        selling-partner-api-models issue 427). Where the SKU stands in several items,
        the one that this refund still fits.
        """
        lines = self.line_ids.filtered(lambda line: line.sku == refund.sku)
        for line in lines:
            charge = line._get_charge(_charged_as(refund))
            left = charge.charged - charge.refunded
            if line.currency_id.compare_amounts(left, amount) >= 0:
                return line
        return lines[:1]

    def _panel_data(self):
        """Return what the panel in a form shows, ready for people's eyes.

        :return: plain values; amounts are formatted in the order's currency, times
            are in UTC
        :rtype: dict
        """
        self.ensure_one()
        order = self.sudo()
        labels = {
            name: dict(order._fields[name]._description_selection(self.env))
            for name in (
                "fulfillment_status",
                "channel",
                "marketplace",
                "cancelled_by",
            )
        }
        return {
            "id": order.id,
            "ref": order.amazon_order_ref,
            "status": order.fulfillment_status,
            "status_label": labels["fulfillment_status"].get(order.fulfillment_status),
            "channel": order.channel,
            "channel_label": labels["channel"].get(order.channel),
            "marketplace_label": labels["marketplace"].get(order.marketplace),
            "seller_central_url": order.seller_central_url,
            "purchased_at": fields.Datetime.to_string(order.purchased_at),
            "read_state": order.read_state,
            "read_message": order.read_message,
            "read_at": fields.Datetime.to_string(order.read_at),
            "finances_state": order.finances_state,
            "finances_message": order.finances_message,
            "cancel_requested": order.cancel_requested,
            "cancel_request_reason": order.cancel_request_reason,
            "cancelled_by": labels["cancelled_by"].get(order.cancelled_by),
            "claim_found": order.claim_found,
            "chargeback_found": order.chargeback_found,
            "totals": order._panel_amounts(order),
            "lines": [
                {
                    "id": line.id,
                    "title": line.title,
                    "sku": line.sku,
                    "quantity_ordered": line.quantity_ordered,
                    "quantity_fulfilled": line.quantity_fulfilled,
                    **order._panel_amounts(line),
                }
                for line in order.line_ids
            ],
            "actions": [
                action.with_env(self.env)._panel_data() for action in order.action_ids
            ],
        }

    def _panel_amounts(self, record):
        """Return the four amounts of an order or an item as text, False where zero."""
        currency = self.currency_id
        return {
            name: currency.format(record[name])
            if currency and (record[name] or name == "charged")
            else False
            for name in ("charged", "refunded", "reserved", "refundable")
        }

    def _notify_forms(self):
        """Tell the forms that show these orders that something changed."""
        for order in self:
            self.env["bus.bus"]._sendone(
                order, "amazon_order_changed", {"id": order.id}
            )

    # === BUSINESS METHODS - RESERVING === #

    def _lock_for_request(self):
        """Take the order for the rest of this transaction, to promise money on it.

        The row is changed, not just locked: a transaction that waited for the lock
        then fails to serialize, is run again by Odoo, and sees what was promised
        meanwhile.
        """
        self.ensure_one()
        self.flush_recordset()
        self.env.cr.execute(
            "UPDATE amazon_order SET reservation_count = reservation_count + 1"
            " WHERE id = %s",
            [self.id],
        )
        self.invalidate_recordset()
        self.charge_ids.invalidate_recordset()
        self.line_ids.invalidate_recordset()

    def _require_one(self):
        """Return the order itself, or say what is missing.

        :raise UserError: when there is no order to act on
        """
        if not self:
            raise UserError(
                self.env._(
                    "There is no Amazon order here yet. Type the Amazon order number "
                    "first, and save."
                )
            )
        self.ensure_one()
        return self


def _naive_utc(moment):
    """Return an aware datetime as Odoo keeps it: UTC, without a time zone."""
    if not moment:
        return False
    return (moment - moment.utcoffset()).replace(tzinfo=None)


def _charged_as(refund):
    """Return the component whose charge a refund event concerns.

    What was charged is kept net of promotions, so a promotion that is taken back with
    a refund belongs to the item price.
    """
    return "Principal" if refund.component == "Promotion" else refund.component


def _by_key(refunds):
    """Group refund events by a key that is the same at every reading.

    What Amazon adjusts together belongs together: the same adjustment of an item and
    the same component. Events without Amazon's adjustment id are told apart by
    counting them.
    """
    groups = {}
    for number, refund in enumerate(refunds):
        adjustment = refund.order_adjustment_item_id or f"#{number}"
        key = "|".join(
            [
                refund.posted_date.isoformat(),
                refund.sku or "",
                adjustment,
                _charged_as(refund),
            ]
        )
        groups.setdefault(key, []).append(refund)
    return groups
