from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from ...spapi.enums import ADJUSTMENT_COMPONENTS
from ..base.fetching import remember
from .amounts import Amounts, is_overdrawn, rounding


class AmazonOrderCharge(models.Model):
    """What was charged for one component (item price, shipping, ...) of one item."""

    _name = "amazon.order.charge"
    _inherit = ["amazon.own.defaults", "amazon.plain.export"]
    _description = "Amazon Order Charge"
    _order = "line_id, id"
    _rec_name = "component"

    line_id = fields.Many2one(
        "amazon.order.line",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    order_id = fields.Many2one(related="line_id.order_id", store=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True)
    currency_id = fields.Many2one(related="line_id.currency_id")
    component = fields.Selection(
        [(component, component) for component in ADJUSTMENT_COMPONENTS],
        required=True,
        readonly=True,
        help="Amazon's name of the component, as in an Order Adjustment.",
    )
    charged = fields.Monetary(readonly=True)
    discount = fields.Monetary(
        readonly=True,
        help="What promotions took off. It is not part of what was charged.",
    )
    paid = fields.Monetary(
        compute="_compute_amounts",
        compute_sudo=True,
        help="What the buyer was charged for the share that is shipped. Zero where a "
        "claim or a chargeback took the money back.",
    )
    refund_ids = fields.One2many("amazon.order.refund", "charge_id", readonly=True)
    action_line_ids = fields.One2many("amazon.action.line", "charge_id", readonly=True)
    refunded = fields.Monetary(
        "Refunded at Amazon", compute="_compute_amounts", compute_sudo=True
    )
    reserved = fields.Monetary(
        compute="_compute_amounts",
        compute_sudo=True,
        help="Asked for here, and not yet seen in Amazon's finances.",
    )
    refundable = fields.Monetary(compute="_compute_amounts", compute_sudo=True)

    _component_uniq = models.Constraint(
        "unique(line_id, component)",
        "A component is listed only once for each item.",
    )

    @api.depends(
        "charged",
        "refund_ids.amount",
        "action_line_ids.action_id.state",
        "action_line_ids.is_rejected",
        "line_id.quantity_ordered",
        "line_id.quantity_fulfilled",
        "order_id.claim_found",
        "order_id.chargeback_found",
    )
    def _compute_amounts(self):
        reserved = self._fetch_given()
        # by way of the order, which needs all of its refunds as well
        refunds = self.order_id.refund_ids.grouped("charge_id")
        none = self.env["amazon.order.refund"]
        for charge in self:
            Amounts.of_charge(
                charge.charged,
                charge.line_id._paid_share(),
                sum(refunds.get(charge, none).mapped("amount")),
                reserved.get(charge.id, 0.0),
                rounding(charge.order_id.currency_id),
            ).put(charge)

    def _fetch_given(self):
        """Read the refunds of the orders of these charges, and what is reserved of the
        charges, in one query.

        :return: what is reserved, by id of the charge
        :rtype: dict
        """
        orders, refunds = self.order_id, self.env["amazon.order.refund"]
        refunds.flush_model(["order_id", "charge_id", "amount", "posted_at"])
        seen = SQL(
            """
            SELECT id, order_id, charge_id, amount, posted_at
              FROM amazon_order_refund
             WHERE order_id = ANY(%s)
            """,
            orders.ids,
        )
        reserved = [
            SQL(
                "SELECT NULL, NULL, charge_id, amount, NULL"
                " FROM (%s) AS reserved (charge_id, amount)",
                asked._reserved(self),
            )
            for asked in self.env["amazon.order.asked"]._all()
        ]
        rows = self.env.execute_query(
            SQL("%s ORDER BY posted_at, id", SQL(" UNION ALL ").join([seen, *reserved]))
        )
        of_order = {order_id: [] for order_id in orders.ids}
        seen = [row[:4] for row in rows if row[0]]
        for refund_id, order_id, *_values in seen:
            of_order[order_id].append(refund_id)
        remember(
            refunds.browse(row[0] for row in seen),
            ["order_id", "charge_id", "amount"],
            [row[1:] for row in seen],
        )
        orders._fields["refund_ids"]._insert_cache(
            orders, map(tuple, of_order.values())
        )
        given = defaultdict(float)
        for refund_id, _order_id, charge_id, amount, _posted_at in rows:
            if not refund_id:
                given[charge_id] += amount
        return given

    def _limit(self, assisted):
        """Return how much of it can be asked for, or recorded as refunded by hand.

        :param bool assisted: whether it is done already, so that Amazon may show it
        :rtype: float
        """
        return self.charged if assisted else self.refundable

    def _is_overdrawn(self):
        """Whether more is refunded and asked for than was paid."""
        return is_overdrawn(self)

    def _discount_of(self, amount):
        """Return the part of the discount that goes with a further refund.

        A refund names the price before the promotion, and takes the promotion back
        beside it. In proportion, and counted on from what was refunded before: when all
        is refunded, all of the discount is taken back, to the cent.

        :param float amount: what the buyer gets of this charge
        :rtype: float
        """
        self.ensure_one()
        if not self.discount or not self.charged:
            return 0.0
        before = self.refunded + self.reserved
        return self.currency_id.round(
            self._discount_up_to(before + amount) - self._discount_up_to(before)
        )

    def _discount_up_to(self, refunded):
        share = min(max(refunded / self.charged, 0.0), 1.0)
        return self.currency_id.round(self.discount * share)
