import re
from datetime import timedelta

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...spapi.marketplaces import seller_central_order_url
from ..account.participation import marketplace_selection
from ..account.stays_in_company import is_working_in
from ..base.clock import DATABASE_NOW, latest_credible
from ..base.fetching import columns_held, fetch_family, remember
from .amounts import Amounts, is_overdrawn, rounding
from .reading import ORDER_STALE_AFTER

# Fulfillment statuses of Orders 2026-01-01 (``order.fulfillment.fulfillmentStatus``).
# Source: amzn/selling-partner-api-models, models/orders-api-model/
# orders_2026-01-01.json.
FULFILLMENT_STATUSES = [
    ("PENDING_AVAILABILITY", "Pending availability"),
    ("PENDING", "Pending"),
    ("UNSHIPPED", "Unshipped"),
    ("PARTIALLY_SHIPPED", "Partially shipped"),
    ("SHIPPED", "Shipped"),
    ("CANCELLED", "Cancelled"),
    ("UNFULFILLABLE", "Unfulfillable"),
    # only in Amazon's migration data (Brazil)
    ("INVOICE_UNCONFIRMED", "Invoice unconfirmed"),
    # Whatever Amazon may add: shown as it came, and no action is offered.
    ("OTHER", "Other"),
]

# Statuses of an order that has left, or never will.
LEFT = ("SHIPPED", "CANCELLED", "UNFULFILLABLE")

# Amazon's order number, 3-7-7. Source: amzn/selling-partner-api-models, Orders
# 2026-01-01 ("should be in 3-7-7 format"); orders of Multi-Channel Fulfillment begin
# with a letter. The look-arounds keep it from matching inside a longer number.
ORDER_REF = re.compile(r"(?<![\w-])([0-9A-Z][0-9]{2}-[0-9]{7}-[0-9]{7})(?![\w-])")


class AmazonOrder(models.Model):
    """An order at Amazon as it was last read: Amazon's truth, never edited here."""

    _name = "amazon.order"
    _inherit = [
        "amazon.order.fulfillment",
        "amazon.own.defaults",
        "amazon.file.document",
        "amazon.company.name",
        "amazon.plain.export",
    ]
    _description = "Amazon Order"
    _rec_name = "amazon_order_ref"
    _order = "id desc"
    _keeps_account = True
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
    left_at = fields.Datetime(
        "Left",
        compute="_compute_left_at",
        store=True,
        readonly=True,
        help="When it was first seen as shipped or cancelled: Amazon's time of that.",
    )
    purchased_at = fields.Datetime("Purchased", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    cancel_requested = fields.Boolean(
        "Buyer Asks to Cancel",
        readonly=True,
        help="The buyer asked for the cancellation in Your Orders.",
    )
    cancel_request_reason = fields.Char(
        "Stored Cancel Request Reason", readonly=True, groups=fields.NO_ACCESS
    )
    # What the buyer wrote to Amazon is read by who may read a document of the order.
    # The stored words are for the program alone; people are shown a field that cannot
    # be searched or grouped by, or it would be guessed letter by letter.
    shown_cancel_reason = fields.Char(
        "Cancel Request Reason", compute="_compute_shown_cancel_reason"
    )
    cancelled_by = fields.Selection(
        [("BUYER", "Buyer"), ("MERCHANT", "Seller"), ("AMAZON", "Amazon")],
        readonly=True,
    )
    claim_found = fields.Boolean("A-to-z Claim Paid", readonly=True)
    chargeback_found = fields.Boolean("Chargeback", readonly=True)
    seller_order_ref = fields.Char(
        "Seller Order Number",
        readonly=True,
        help="The seller's own number of the order, as Amazon shows it.",
    )
    packages = fields.Json(
        readonly=True,
        help="Packages that Amazon shows: reference, carrier, tracking_number.",
    )
    package_references = fields.Json(
        readonly=True, help="The seller's ids of all packages, also cancelled ones."
    )
    line_ids = fields.One2many("amazon.order.line", "order_id", readonly=True)
    charge_ids = fields.One2many("amazon.order.charge", "order_id", readonly=True)
    refund_ids = fields.One2many("amazon.order.refund", "order_id", readonly=True)
    action_ids = fields.One2many("amazon.action", "order_id", readonly=True)

    read_state = fields.Selection(
        [
            ("waiting", "Waits to be read"),
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
    take_count = fields.Integer(
        default=0,
        readonly=True,
        help="Raised by whoever takes the order, so that two at once cannot both "
        "promise the same money.",
    )

    known_until = fields.Datetime(
        compute="_compute_known_until",
        help="What Amazon said of this order is known up to then.",
    )
    is_known_lately = fields.Boolean(compute="_compute_known_until")
    charged = fields.Monetary(compute="_compute_amounts", compute_sudo=True)
    paid = fields.Monetary(
        compute="_compute_amounts",
        compute_sudo=True,
        help="What the buyer was charged for what is shipped.",
    )
    refunded = fields.Monetary(
        "Refunded at Amazon", compute="_compute_amounts", compute_sudo=True
    )
    reserved = fields.Monetary(
        compute="_compute_amounts",
        compute_sudo=True,
        help="Asked for here, and not yet seen in Amazon's finances.",
    )
    refundable = fields.Monetary(compute="_compute_amounts", compute_sudo=True)
    seller_central_url = fields.Char(compute="_compute_seller_central_url")

    _ref_uniq = models.Constraint(
        "unique(amazon_order_ref, company_id)",
        "An Amazon order is recorded only once in a company.",
    )
    _requested_idx = models.Index("(account_id) WHERE read_state = 'requested'")
    # What may name the buyer, and is not removed yet.
    _buyer_idx = models.Index(
        "(left_at) WHERE mcf_comment IS NOT NULL OR cancel_request_reason IS NOT NULL"
        " OR destination_digest IS NOT NULL"
    )

    # === COMPUTE METHODS === #

    @api.depends("account_id", "complete_at", "finances_refused")
    def _compute_known_until(self):
        now, covers = self.env["amazon.watermark"]._covers(self.account_id)
        lately = now - timedelta(seconds=ORDER_STALE_AFTER)
        for order in self:
            known = order._known_until(covers.get(order.account_id.id, {}))
            if known and known > latest_credible(now):
                # a clock was ahead when that was written down
                known = False
            order.known_until = known
            order.is_known_lately = bool(known) and known >= lately

    @api.depends("fulfillment_status")
    def _compute_left_at(self):
        for order in self:
            if order.fulfillment_status not in LEFT:
                order.left_at = False
            elif not order.left_at:
                order.left_at = order.last_update_at or fields.Datetime.now()

    @api.depends(
        "charge_ids.charged",
        "charge_ids.paid",
        "line_ids.refundable",
        "charge_ids.reserved",
        "refund_ids.amount",
    )
    def _compute_amounts(self):
        for order in self:
            # by way of the items, which are needed as well: charge_ids is a search more
            of_items = [Amounts.of_record(line) for line in order.line_ids]
            # all that Amazon shows, also what fits none of the items
            refunded = sum(order.refund_ids.mapped("amount"))
            rounded = rounding(order.currency_id)
            Amounts.of_whole(of_items, rounded, refunded).put(order)

    @api.depends("amazon_order_ref", "marketplace", "channel", "is_fulfillment_order")
    def _compute_seller_central_url(self):
        for order in self:
            if order.is_fulfillment_order:
                # Seller Central has no documented page for the seller's own id
                order.seller_central_url = False
                continue
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

    @api.depends("cancel_request_reason")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_shown_cancel_reason(self):
        self.shown_cancel_reason = False
        told = self.filtered(lambda order: order.sudo().cancel_request_reason)
        for order in self.env["amazon.document"]._readable_orders(told):
            order.shown_cancel_reason = order.sudo().cancel_request_reason

    # === FILES === #

    @api.model
    def _amazon_file_domain(self):
        """Override: an Amazon order can be read by many who may not make evidence of
        it, so its files are for who made them alone."""
        return Domain("create_uid", "=", self.env.uid)

    # === ACTION METHODS === #

    def action_refresh(self):
        """Have the order read from Amazon again, in the background."""
        self.check_access("read")
        self.sudo()._request_read()
        return True

    def refresh_if_stale(self):
        """Have those orders read again that are not known up to now.

        Called by the form when it opens. Asks Amazon nothing itself.
        """
        self.check_access("read")
        self.sudo().filtered(lambda order: order._is_stale())._request_read()
        return True

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

        :param str ref: Amazon's order number, 3-7-7; any other is the id that the
            seller gave to a fulfillment order
        :param res.company company: the company that it is looked up for
        :param str marketplace: id of the marketplace it probably belongs to
        :return: the order, or an empty recordset where the company has no account
        :rtype: amazon.order
        :raise AccessError: when the user is not working in the company
        """
        self._check_working_in(company, ref)
        order = self.search(
            [("amazon_order_ref", "=", ref), ("company_id", "=", company.id)]
        )
        if order:
            if order.read_state == "waiting":
                order._request_first_read()
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
                        **self._prepare_by_ref(ref),
                    }
                )
        except UniqueViolation:
            # Somebody else records it at this moment; Odoo runs the request again and
            # then finds it.
            raise ConcurrencyError(
                f"The Amazon order {ref} is being recorded"
            ) from None
        order._request_first_read()
        return order

    @api.model
    def _check_working_in(self, company, subject):
        """Refuse to work in a company that the real user is not working in, also in
        sudo mode.

        :param res.company company: the company
        :param str subject: what the sentence names
        :raise AccessError: when it is none of the user's active companies
        """
        if not is_working_in(self.env, company):
            raise AccessError(
                self.env._(
                    "%s is in a company that you are not working in. Switch to that "
                    "company first.",
                    subject,
                )
            )

    def _prepare_by_ref(self, ref):
        """Return what the form of a number says of the order: what is no number of
        Amazon's is the id of a fulfillment order.

        :rtype: dict
        """
        if ORDER_REF.fullmatch(ref):
            return {}
        return {"is_fulfillment_order": True, "channel": "mcf"}

    # === TELLING === #

    def _notify_forms(self):
        """Tell the forms that show these orders that something changed."""
        bus = self.env["bus.bus"].with_context(amazon_short_wake=True)
        for order in self:
            bus._sendone(order, "amazon_order_changed", {"id": order.id})

    # === BUSINESS METHODS - AMOUNTS === #

    def _is_overdrawn(self):
        """Whether more is refunded and asked for than was paid."""
        return is_overdrawn(self)

    # === BUSINESS METHODS - LOCKING === #

    def _take(self):
        """Take the order for the rest of this transaction, to promise money on it or to
        record what Amazon says of it.

        The row is changed, not just locked: a transaction that waited for the lock
        then fails to serialize, is run again by Odoo, and sees what the other one
        did. With a lock alone it would go on with its old snapshot.

        :return: the time by PostgreSQL's clock, once the order is taken
        :rtype: datetime
        """
        return self._take_asking()[0]

    def _take_asking(self, *questions):
        """Take the order, see :meth:`_take`, and read it, in one statement.

        :param SQL questions: what else is asked, an expression each; the order is
            ``amazon_order`` there
        :return: the time, and the answers
        :rtype: tuple
        """
        self.ensure_one()
        self.flush_recordset()
        order_sudo = self.sudo()
        held = columns_held(order_sudo)
        columns = [order_sudo._field_to_sql(self._table, name) for name in held]
        asked = SQL(DATABASE_NOW), *questions
        [row] = self.env.execute_query(
            SQL(
                """
                UPDATE amazon_order SET take_count = take_count + 1 WHERE id = %s
             RETURNING %s
                """,
                self.id,
                SQL(", ").join([*asked, *columns]),
            )
        )
        self.invalidate_recordset()
        # without reading which ones they are
        self.env["amazon.order.line"].invalidate_model()
        self.env["amazon.order.charge"].invalidate_model()
        self.env["amazon.order.refund"].invalidate_model()
        remember(order_sudo, held, [row[len(asked) :]])
        return row[: len(asked)]

    def _fetch_to_ask(self):
        """Read what every kind needs where somebody asks for something: the account,
        the company and who asks; the items, and what was charged for them."""
        self.ensure_one()
        self.account_id._fetch_to_ask(self.currency_id)
        items = fetch_family(
            self.env["amazon.order.line"], [("order_id", "=", self.id)], "charge_ids"
        )
        self._fields["line_ids"]._insert_cache(self, [items._ids])

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
