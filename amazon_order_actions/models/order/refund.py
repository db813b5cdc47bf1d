from odoo import fields, models

from ..base.clock import naive_utc


class AmazonOrderRefund(models.Model):
    """One component of a refund that Amazon's finances show, whoever asked for it."""

    _name = "amazon.order.refund"
    _inherit = ["amazon.own.defaults", "amazon.plain.export"]
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
    sku = fields.Char(readonly=True, help="As Amazon names it with the refund.")
    posted_at = fields.Datetime(readonly=True)
    event_key = fields.Char(
        required=True,
        readonly=True,
        help="Tells this row of Amazon's answer from the others of the same order.",
    )
    adjustment_ref = fields.Char(
        "Amazon Adjustment",
        readonly=True,
        help="Amazon's number of the adjustment in the list that showed it first.",
    )
    twin_ref = fields.Char(
        "Amazon Adjustment in the Other List",
        readonly=True,
        help="Number under which Amazon's other list shows the same adjustment.",
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

    def _is_like(self, events):
        """Whether these rows of one adjustment give the same for the same item as
        events of the other list do.

        :param list events: `spapi.finances.RefundEvent` rows of one adjustment
        """
        total = float(sum(event.amount for event in events))
        return (self[0].sku or "") == (
            events[0].sku or ""
        ) and not self.currency_id.compare_amounts(sum(self.mapped("amount")), total)

    def _is_posted_with(self, events):
        """Whether these rows were posted in the same second as events of the other
        list."""
        posted_at = naive_utc(events[0].posted_date)
        return self[0].posted_at.replace(microsecond=0) == posted_at.replace(
            microsecond=0
        )

    def _twins(self, refunds, source):
        """Find adjustments that the other list has shown under another number. Called
        on all that is recorded of an order.

        Amazon does not promise that its two lists number an adjustment alike. The same
        SKU, sum and time of posting are the same refund. Where only the time differs
        nobody knows: it may have moved, or somebody refunded the same sum again.

        :param refunds: `spapi.finances.RefundEvent` rows
        :param str source: the list that they are from
        :return: rows by the number that this list gives them, and the numbers of which
            nobody knows
        :rtype: tuple(dict, set)
        """
        numbered = {}
        for refund in refunds:
            numbered.setdefault(refund.order_adjustment_item_id, []).append(refund)
        counted = self._numbers_elsewhere(source).union(self.mapped("adjustment_ref"))
        free = [
            rows
            for number, rows in self.filtered(
                lambda row: row.source != source and not row.twin_ref
            )
            .grouped("adjustment_ref")
            .items()
            if number and number not in numbered
        ]
        twins, unknown = {}, set()
        for number, events in numbered.items():
            if not number or number in counted:
                continue
            alike = [rows for rows in free if rows._is_like(events)]
            same = [rows for rows in alike if rows._is_posted_with(events)]
            if same:
                twins[number] = same[0]
                free.remove(same[0])
            elif alike:
                unknown.add(number)
        return twins, unknown

    def _numbers_elsewhere(self, source):
        """Return the numbers of adjustments that count in the other list: its own, and
        those that this list gives them.

        :param str source: this list
        :rtype: set
        """
        elsewhere = self.filtered(lambda row: row.source != source)
        numbers = elsewhere.mapped("adjustment_ref") + elsewhere.mapped("twin_ref")
        return set(filter(None, numbers))

    def _last_id(self):
        """Return the id of the one that was recorded last. Who records one, and who
        asks for one, takes the order first, so a later one has a greater id."""
        return max(self.ids, default=0)
