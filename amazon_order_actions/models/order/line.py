from odoo import api, fields, models

from .amounts import Amounts, is_overdrawn, paid_share, rounding


class AmazonOrderLine(models.Model):
    """One item of an Amazon order, as last read."""

    _name = "amazon.order.line"
    _inherit = ["amazon.own.defaults", "amazon.company.name", "amazon.plain.export"]
    _description = "Amazon Order Item"
    _order = "order_id, id"
    _rec_name = "title"

    order_id = fields.Many2one(
        "amazon.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True)
    currency_id = fields.Many2one(related="order_id.currency_id")
    amazon_item_ref = fields.Char("Amazon Item", required=True, readonly=True)
    sku = fields.Char("SKU", readonly=True)
    asin = fields.Char("ASIN", readonly=True)
    title = fields.Char("Item", readonly=True)
    quantity_ordered = fields.Integer("Ordered", readonly=True)
    quantity_fulfilled = fields.Integer("Shipped", readonly=True)
    promotion_refs = fields.Json(
        readonly=True, help="Amazon's ids of the promotions that lowered its price."
    )
    quantity_open = fields.Integer(
        "To Ship", readonly=True, help="Units that Amazon still wants to be shipped."
    )
    quantity_at_first = fields.Integer(
        "Ordered at First",
        readonly=True,
        help="The most units that Amazon has ever shown for this item.",
    )
    quantity_cancelled = fields.Integer("Cancelled", readonly=True)
    quantity_unfulfillable = fields.Integer(
        "Unfulfillable",
        readonly=True,
        help="Units of a fulfillment order that Amazon cannot send.",
    )
    cancel_requested = fields.Boolean(
        "Buyer Asks to Cancel",
        readonly=True,
        help="The buyer asked for the cancellation of this item in Your Orders.",
    )
    cancel_request_reason = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    cancelled_by = fields.Selection(
        [("BUYER", "Buyer"), ("MERCHANT", "Seller"), ("AMAZON", "Amazon")],
        readonly=True,
    )
    charge_ids = fields.One2many("amazon.order.charge", "line_id", readonly=True)
    charged = fields.Monetary(compute="_compute_amounts", compute_sudo=True)
    paid = fields.Monetary(
        compute="_compute_amounts",
        compute_sudo=True,
        help="What the buyer was charged for the units that are shipped.",
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

    _item_uniq = models.Constraint(
        "unique(order_id, amazon_item_ref)",
        "An item is listed only once in an Amazon order.",
    )

    _buyer_idx = models.Index("(order_id) WHERE cancel_request_reason IS NOT NULL")

    @api.depends(
        "charge_ids.charged",
        "charge_ids.paid",
        "charge_ids.refunded",
        "charge_ids.reserved",
        "charge_ids.refundable",
    )
    def _compute_amounts(self):
        for line in self:
            of_charges = [Amounts.of_record(charge) for charge in line.charge_ids]
            rounded = rounding(line.order_id.currency_id)
            Amounts.of_whole(of_charges, rounded).put(line)

    def _units_vals(self, item):
        """Return what Amazon says of the units of this item, which may be new.

        Amazon's model has no number of cancelled units (Orders 2026-01-01). Assumed:
        with a unit that is cancelled, what remains to be shipped becomes less
        (``quantityUnfulfilled``), whether what was ordered does so, too, or not. So
        what was ordered at first and is neither shipped nor to be shipped is cancelled.

        :param spapi.orders.OrderLineReading item: the item as parsed
        """
        at_first = max(self.quantity_at_first, item.quantity_ordered)
        left = item.quantity_unfulfilled
        if left is None:
            left = max(item.quantity_ordered - item.quantity_fulfilled, 0)
        return {
            "quantity_at_first": at_first,
            "quantity_open": left if item.quantity_ordered else 0,
            "quantity_cancelled": max(at_first - item.quantity_fulfilled - left, 0),
        }

    def _units_left(self):
        """Return the units of a fulfillment order's item that are not cancelled."""
        return self.quantity_ordered - self.quantity_cancelled

    def _paid_share(self):
        """Return the share of the item that the buyer has paid and that is still with
        the seller, from 0 to 1.
        """
        self.ensure_one()
        order = self.order_id
        return paid_share(
            self.quantity_ordered,
            self.quantity_fulfilled,
            order.claim_found or order.chargeback_found,
        )

    def _label(self):
        """Return how a person finds the item: Amazon may name no title."""
        self.ensure_one()
        return self.title or self.sku or self.amazon_item_ref

    def _is_overdrawn(self):
        """Whether more is refunded and asked for than was paid."""
        return is_overdrawn(self)

    def _get_charge(self, component):
        """Return the charge of a component, a new one of zero where there is none."""
        self.ensure_one()
        charge = self.charge_ids.filtered(lambda charge: charge.component == component)
        return charge or self.env["amazon.order.charge"].create(
            {"line_id": self.id, "component": component}
        )
