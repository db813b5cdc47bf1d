from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from ...models.account.reasons import CANCEL_ITEMS_REASONS, CANCEL_REASONS


class AmazonCancelRequest(models.TransientModel):
    """The dialog that cancels an order, or items of it.

    Two kinds of action: they go different ways at Amazon, with different reasons.
    """

    _name = "amazon.cancel.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Cancellation"

    _kind = "cancel"

    scope = fields.Selection(
        [("order", "The whole order"), ("items", "Some items")],
        string="Cancel",
        compute="_compute_scope",
        store=True,
        readonly=False,
    )
    reason = fields.Selection(
        CANCEL_REASONS, compute="_compute_reason", store=True, readonly=False
    )
    items_reason = fields.Selection(
        CANCEL_ITEMS_REASONS,
        "Reason for the Items",
        compute="_compute_reason",
        store=True,
        readonly=False,
    )
    line_ids = fields.One2many(
        "amazon.cancel.request.line", "request_id", string="Items to Cancel"
    )
    order_line_ids = fields.One2many(related="order_id.line_ids", related_sudo=False)
    cancel_requested = fields.Boolean(
        related="order_id.cancel_requested", related_sudo=False
    )
    cancel_request_reason = fields.Char(
        related="order_id.shown_cancel_reason", related_sudo=False
    )
    can_choose_scope = fields.Boolean(compute="_compute_ways")
    can_reply = fields.Boolean(compute="_compute_ways")
    can_refund = fields.Boolean(compute="_compute_ways")

    # === COMPUTE METHODS === #

    @api.depends("order_id")
    def _compute_scope(self):
        """What is shipped in part, or asked for in part, is cancelled in part."""
        for request in self:
            order = request.order_id
            asked = set(order.line_ids.mapped("cancel_requested"))
            in_part = order.channel == "fbm" and (
                order.fulfillment_status == "PARTIALLY_SHIPPED" or len(asked) > 1
            )
            request.scope = "items" if in_part else "order"

    @api.depends("order_id")
    def _compute_reason(self):
        """Where the buyer asked for it in the official way, that is the reason."""
        for request in self:
            account = request.order_id.account_id
            asked = request.cancel_requested
            request.reason = "BuyerCanceled" if asked else account.cancel_reason
            request.items_reason = (
                "CustomerCancel" if asked else account.cancel_items_reason
            )

    # The sentences say what the chosen kind of action says.
    @api.depends("scope")
    def _compute_sentences(self):
        return super()._compute_sentences()

    def _counted(self):
        """Override: of the whole order it is known at once."""
        if self._asked_kind() != "cancel":
            return super()._counted()
        return self._handler()._authority_amount(self.order_id, {}, {})

    @api.depends("scope")
    def _compute_is_assisted(self):
        return super()._compute_is_assisted()

    @api.depends("scope")
    def _compute_reply_preview(self):
        return super()._compute_reply_preview()

    @api.depends("order_id", "scope", "blockers")
    def _compute_ways(self):
        """What else can be done from here."""
        user = self.env.user
        may_refund = user.has_group("amazon_order_actions.group_refund")
        may_write = user.has_group("amazon_order_actions.group_message")
        cancellable = self.env["amazon.action.kind.cancel_items"]._cancellable
        for request in self:
            order = request.order_id
            fbm = order.channel == "fbm"
            request.can_choose_scope = fbm and any(map(cancellable, order.line_ids))
            request.can_reply = (
                may_write
                and fbm
                and not request.cancel_requested
                and not request.blockers
            )
            request.can_refund = may_refund and request._has_left()

    def _has_left(self):
        """Hook: whether goods have left, so that a refund is what there is to do."""
        order = self.order_id
        return order.channel != "mcf" and order.fulfillment_status in (
            "SHIPPED",
            "PARTIALLY_SHIPPED",
        )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to list the items that can be cancelled, with what the buyer has
        asked to cancel filled in."""
        requests = super().create(vals_list)
        cancellable = self.env["amazon.action.kind.cancel_items"]._cancellable
        for request in requests:
            request.line_ids = [
                Command.create(
                    {
                        "order_line_id": line.id,
                        "quantity": left if line.cancel_requested else 0,
                    }
                )
                for line in request.order_id.line_ids
                if (left := cancellable(line))
            ]
        return requests

    # === ACTION METHODS === #

    def action_cancel_order(self):
        """Ask for the cancellation; in the assisted way, record it as asked for."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}

    def action_refund_instead(self):
        """Open the dialog that refunds the order: what has left is not cancelled."""
        self.ensure_one()
        return self._asked_from().action_amazon_refund()

    def action_reply_official_way(self):
        """Open the reply that tells the buyer how to ask in Your Orders."""
        self.ensure_one()
        document = self._asked_from()
        context = {"default_situation": "ask_official_cancel"}
        return document.with_context(**context).action_amazon_reply()

    # === BUSINESS METHODS === #

    def _title(self):
        return self.env._("Cancel %s", self.amazon_order_ref)

    def _asked_kind(self):
        return "cancel_items" if self.scope == "items" else "cancel"

    def _asked_reason(self):
        return self.items_reason if self.scope == "items" else self.reason

    def _collect_quantities(self):
        if self.scope != "items":
            return {}
        return {
            line.order_line_id: line.quantity for line in self.line_ids if line.quantity
        }


class AmazonCancelRequestLine(models.TransientModel):
    _name = "amazon.cancel.request.line"
    _inherit = ["amazon.typed.numbers", "amazon.item.shown"]
    _description = "Item of an Amazon Cancellation Request"

    request_id = fields.Many2one(
        "amazon.cancel.request", required=True, ondelete="cascade", index=True
    )
    cancel_requested = fields.Boolean(
        related="order_line_id.cancel_requested", related_sudo=False
    )
    quantity_cancellable = fields.Integer(
        "Can Be Cancelled", compute="_compute_quantity_cancellable"
    )
    quantity = fields.Integer("Cancel")

    _item_uniq = models.Constraint(
        "unique(request_id, order_line_id)",
        "Each item stands only once in a cancellation.",
    )

    @api.depends("order_line_id")
    def _compute_quantity_cancellable(self):
        cancellable = self.env["amazon.action.kind.cancel_items"]._cancellable
        for line in self:
            item = line.order_line_id
            line.quantity_cancellable = item and cancellable(item)

    @api.constrains("request_id", "order_line_id")
    def _check_same_order(self):
        """Refuse an item that the cancellation is not about: it would be shown."""
        for line in self:
            if line.order_line_id.order_id != line.request_id.order_id:
                raise ValidationError(
                    self.env._(
                        "An item belongs to another order than the cancellation."
                    )
                )
