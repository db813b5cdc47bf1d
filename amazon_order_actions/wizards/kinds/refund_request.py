from functools import partial

from odoo import Command, api, fields, models

from ...models.account.reasons import REFUND_REASONS
from ...models.base.fetching import fetch_family
from ...models.kinds.refund import FITTING_REASONS
from ...models.kinds.refund_plan import SHARED_MODES, RefundPlan, RefundToPlan
from .refund_request_line import COMPONENTS, to_decimal

MODES = [
    ("full", "Full refund"),
    ("items", "Items"),
    ("percent", "Percentage"),
    ("amount", "Amount"),
    ("shipping", "Shipping only"),
    ("goodwill", "Goodwill"),
    ("components", "By component"),
]

# What the items follow.
INPUTS = {"mode", "percentage", "amount", "with_shipping", "restocking_fee"}


class AmazonRefundRequest(models.TransientModel):
    """The refund dialog: what the buyer gets is worked out while it is typed.

    What a person enters (mode, percentage, amounts, quantities) is turned into an
    amount for each component of each item; these are what is asked for.
    """

    _name = "amazon.refund.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Refund"

    _kind = "refund"

    reason = fields.Selection(REFUND_REASONS)
    fitting_reasons = fields.Char(compute="_compute_fitting_reasons")
    mode = fields.Selection(MODES, "Refund", default="full", required=True)
    percentage = fields.Float(digits=(5, 2), help="Off the price of each item.")
    amount = fields.Monetary(
        help="Spread over the items, in proportion to their price."
    )
    with_shipping = fields.Boolean("Shipping Too")
    restocking_fee = fields.Monetary(
        "Keep Back", help="A restocking fee: the buyer gets so much less."
    )
    line_ids = fields.One2many("amazon.refund.request.line", "request_id")
    has_tax = fields.Boolean(compute="_compute_has")
    has_shipping = fields.Boolean(compute="_compute_has")
    has_gift_wrap = fields.Boolean(compute="_compute_has")
    total = fields.Monetary("Refund to the Buyer", compute="_compute_total")
    remaining = fields.Monetary("Refundable After It", compute="_compute_total")
    problems = fields.Text(compute="_compute_total")
    notices = fields.Text(compute="_compute_total")
    hints = fields.Text(compute="_compute_total")
    typed = fields.Integer(
        help="Counts what was typed. A form that sends it sends all that it has shown, "
        "so that nothing is worked out again."
    )
    is_second = fields.Boolean(compute="_compute_is_second")
    is_second_meant = fields.Boolean("This Second Refund Is Meant")

    # === COMPUTE METHODS === #

    @api.depends("mode", "order_id")
    def _compute_fitting_reasons(self):
        for request in self:
            fitting = FITTING_REASONS[request.mode or "full"]
            if request.order_id.cancel_requested:
                fitting = ("CustomerCancel", *fitting)
            request.fitting_reasons = ",".join(dict.fromkeys(fitting))

    @api.depends("order_id")
    def _compute_has(self):
        for request in self:
            charges = request.order_id.charge_ids.filtered("charged")
            names = set(charges.mapped("component"))
            request.has_tax = bool(names & {"Tax", "ShippingTax", "GiftWrapTax"})
            request.has_shipping = "Shipping" in names
            request.has_gift_wrap = "GiftWrap" in names

    @api.depends(
        "order_id",
        "mode",
        "restocking_fee",
        "line_ids.total",
        "line_ids.quantity",
        "line_ids.percentage",
    )
    def _compute_total(self):
        handler = self.env["amazon.action.kind.refund"]
        for request in self:
            order, entered = request.order_id, request._entered()
            request.total = sum(entered.values())
            request.remaining = handler._left_after(order, entered)
            request.problems = request.notices = request.hints = False
            if request.blockers:
                continue
            request.problems = "\n".join(handler._plan_problems(order, request._plan()))
            notices = request._notices()
            _refusal, approval = request._forecast(request.total)
            if approval and approval not in (request.warnings or ""):
                notices.append(approval)
            if not approval:
                notices += filter(None, [request._near_limit(request.total)])
            request.notices = "\n".join(notices)
            is_partial = order.currency_id.compare_amounts(request.remaining, 0) > 0
            request.hints = "\n".join(handler._hints(order, is_partial))

    @api.depends("line_ids.total")
    def _compute_is_second(self):
        handler = self.env["amazon.action.kind.refund"]
        for request in self:
            request.is_second = handler._is_second(request.order_id, request._plan())

    # === ONCHANGE METHODS === #

    @api.onchange("mode")
    def _onchange_mode(self):
        self._start_mode()
        self._show_again()

    @api.onchange("percentage")
    def _onchange_percentage(self):
        self.line_ids.update({"percentage": self.percentage})
        self._show_again()

    @api.onchange("amount")
    def _onchange_amount(self):
        self._take_amounts(self._plan_amounts())
        self._show_again()

    @api.onchange("with_shipping", "restocking_fee", "line_ids")
    def _onchange_items(self):
        self._show_again()

    def _show_again(self):
        self._recalculate()
        self.typed += 1

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to list the items of the order, each with all that is refundable,
        and the usual reason of the account."""
        requests = super().create(vals_list)
        for request in requests:
            request.line_ids = [
                Command.create({"order_line_id": line.id})
                for line in request.order_id.line_ids
            ]
            request._start_mode()
            request._recalculate()
            if not request.reason:
                # sudo: a setting of the account, which not everybody may read
                request.reason = request.order_id.sudo().account_id.refund_reason
        return requests

    def write(self, vals):
        """Override to work out again what depends on it, unless it is from a form,
        which has shown all of it already."""
        if "typed" in vals:
            return super(AmazonRefundRequest, self._as_shown()).write(vals)
        lines = {name: vals[name] for name in vals if name == "line_ids"}
        result = super().write({k: v for k, v in vals.items() if k not in lines})
        if INPUTS & set(vals):
            for request in self:
                request._start_mode()
                request._recalculate()
        return super().write(lines) if lines else result

    # === ACTION METHODS === #

    def action_refund(self):
        """Ask for the refund; in the assisted way, record it as done."""
        self.ensure_one()
        fetch_family(self, [("id", "=", self.id)], "line_ids")
        self._ask()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _title(self):
        return self.env._("Refund %s", self.amazon_order_ref)

    @api.model
    def _open_like(self, action):
        """Return the action that opens a new dialog with the amounts of an action.

        :param amazon.action action: an earlier refund of the same order
        """
        opened = self._open(action.order_id, action._get_origin())
        request = self.browse(opened["res_id"])
        amounts = {
            (line.order_line_id, line.component): line.amount
            for line in action.line_ids
        }
        fees = sum(amount for amount in amounts.values() if amount < 0)
        request.write(
            {"mode": "components", "reason": action.reason, "restocking_fee": -fees}
        )
        for line in request.line_ids:
            line.write(
                {
                    field: amounts.get((line.order_line_id, component), 0.0)
                    for component, field in COMPONENTS.items()
                }
            )
        return opened

    def _plan(self):
        """Override to return what was shown, as a value.

        :rtype: RefundPlan
        """
        return RefundPlan(
            items=tuple(line._planned() for line in self.line_ids),
            fee=self.restocking_fee,
            is_second_meant=self.is_second_meant,
        )

    def _entered(self):
        """Return what is entered: amounts by item and component, without zeros.

        :rtype: dict
        """
        return {
            (line.order_line_id, component): amount
            for line in self.line_ids
            for component, amount in line._entered().items()
        }

    # === PLANNING === #

    def _as_shown(self):
        """Return it so that nothing is worked out again for what is written."""
        return self.with_context(amazon_refund_as_shown=True)

    def _start_mode(self):
        """Fill in for each item what the mode begins with."""
        lines = self._as_shown().line_ids
        picks_items = self.mode == "items" and len(lines) > 1
        for line in lines:
            line.update(
                {
                    "quantity": 0 if picks_items else line.quantity_fulfilled,
                    "percentage": self.percentage,
                }
            )
        self._take_amounts(self._plan_amounts())

    def _take_amounts(self, planned):
        for line in self._as_shown().line_ids:
            line.amount = float(planned.get(line, 0))

    def _recalculate(self):
        """Work out what each component of each item gets, and what is kept back."""
        if not self.currency_id:
            return  # Amazon shows no amounts of this order
        planned = self._to_plan()
        if self.mode != "components":
            parts = planned.parts()
            for line in self.line_ids:
                line.update(
                    {
                        field: float(parts[line].get(component, 0))
                        for component, field in COMPONENTS.items()
                    }
                )
        gross = {
            line: to_decimal(line._gross(), self.currency_id) for line in self.line_ids
        }
        fees = planned.fees(gross)
        for line in self.line_ids:
            line.restocking_fee = float(fees[line])

    def _plan_amounts(self):
        """Return the amount of each item where the mode says it, else nothing.

        :return: Decimal by line
        :rtype: dict
        """
        return self._to_plan().amounts() if self.currency_id else {}

    def _to_plan(self):
        """Return what is typed, and known of the order, as a value.

        :rtype: RefundToPlan
        """
        exact = partial(to_decimal, currency=self.currency_id)
        return RefundToPlan(
            mode=self.mode,
            items={line: line._to_plan() for line in self.line_ids},
            left=exact(self.order_id.refundable),
            unit=exact(self.currency_id.rounding),
            amount=exact(self.amount),
            fee=exact(self.restocking_fee),
            with_shipping=self.with_shipping,
        )

    def _notices(self):
        """Say where less is refunded than was entered, since no more is left."""
        if self.mode not in SHARED_MODES or not self.currency_id:
            return []
        shares = self._to_plan().shares()
        return list(
            filter(None, (line._notice(shares[line]) for line in self.line_ids))
        )
