from odoo import fields, models


class AmazonOrderRefund(models.Model):
    """One component of a refund that Amazon's finances show, whoever asked for it."""

    _name = "amazon.order.refund"
    _inherit = "amazon.own.defaults"
    _description = "Refund Seen at Amazon"
    _order = "posted_at, id"
    _rec_name = "charge_id"

    order_id = fields.Many2one(
        "amazon.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="order_id.company_id", store=True)
    currency_id = fields.Many2one(related="order_id.currency_id")
    charge_id = fields.Many2one(
        "amazon.order.charge",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="Empty where it fits none of the items.",
    )
    amount = fields.Monetary(readonly=True, help="Positive: to the buyer.")
    posted_at = fields.Datetime(readonly=True)
    event_key = fields.Char(
        required=True,
        readonly=True,
        help="Tells this row of Amazon's answer from the others of the same order.",
    )
    adjustment_ref = fields.Char(
        "Amazon Adjustment",
        readonly=True,
        help="Amazon's number of the adjustment, the same in both of its lists.",
    )
    source = fields.Selection(
        [
            ("events", "Financial events of the order"),
            ("transactions", "List of transactions"),
        ],
        default="events",
        required=True,
        readonly=True,
        help="Which of Amazon's lists showed it first; it counts only there.",
    )
    action_id = fields.Many2one(
        "amazon.action",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        help="The action that asked for it. Empty: nobody asked for it here.",
    )

    _event_uniq = models.Constraint(
        "unique(order_id, event_key)",
        "A refund event of Amazon is recorded only once.",
    )


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _last_refund_id(self):
        """Return the id of the refund that was recorded last. Who records one, and who
        asks for one, takes the order first, so a later one has a greater id."""
        return max(self.refund_ids.ids, default=0)
