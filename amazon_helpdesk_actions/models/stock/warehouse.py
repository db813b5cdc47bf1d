"""The warehouse stops first: what a cancellation at Amazon does to the deliveries and
sale orders in Odoo."""

from datetime import timedelta

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from ..action.action import CONFIRM_ALERT_DAYS
from ..action.kind import NOT_CANCELLED_MINUTES
from ..action.states import BEFORE_SENDING, RESERVING_STATES
from ..base.background import in_background

CANCELLING = ("cancel", "cancel_items")
# Amazon has taken or shown it, or a person saw it there.
DONE_AT_AMAZON = ("accepted", "confirmed", "assisted")
# It did not happen.
NOT_DONE = ("rejected", "blocked", "withdrawn", "refused", "expired")
# It may still happen.
OPEN_AT_AMAZON = ("to_approve", "queued", "sending", "submitted", "unknown")


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # Cancelling is the safer default: the buyer of a cancelled order pays nothing, so
    # goods that leave are lost, while a sale order can be set back to a quotation.
    cancel_in_odoo = fields.Selection(
        [
            ("cancel", "Cancel deliveries and sale order"),
            ("tell", "Only tell the salesperson"),
        ],
        "After a Cancellation",
        default="cancel",
        required=True,
        help="What happens in Odoo when Amazon has accepted the cancellation of a "
        "whole order. The deliveries are on hold from the click in any case.",
    )


class AmazonAction(models.Model):
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    is_followed = fields.Boolean(
        "Followed in Odoo",
        readonly=True,
        copy=False,
        help="Deliveries and sale orders have followed the cancellation.",
    )

    # Which cancellations the deliveries have not followed.
    _unfollowed_idx = models.Index(
        "(account_id, last_state_change)"
        " WHERE kind IN ('cancel', 'cancel_items') AND is_followed IS NOT TRUE"
    )

    def _hold_deliveries(self):
        """Follower: stop the deliveries when a cancellation is asked for. What is
        unknown keeps them on hold."""
        for action in self._concerning_warehouse():
            if action.state in BEFORE_SENDING:
                action._hold()

    def _lift_deliveries(self):
        """Follower: let the deliveries go whose cancellation did not happen."""
        for action in self._concerning_warehouse():
            if action.state in NOT_DONE and not action._is_order_cancelled():
                action._lift()

    def _follow_cancellations(self):
        """Follower: have deliveries and sale orders follow what is cancelled, whoever
        did it."""
        for action in self._concerning_warehouse():
            if action.state in DONE_AT_AMAZON or (
                action.state in NOT_DONE and action._is_order_cancelled()
            ):
                action._enqueue_follow_in_odoo()

    def _concerning_warehouse(self):
        return self.filtered(lambda action: action._concerns_warehouse())

    def _is_order_cancelled(self):
        return self.order_id.fulfillment_status == "CANCELLED"

    def _concerns_warehouse(self):
        """Whether it stops deliveries: Amazon itself ships the other orders."""
        return self.kind in CANCELLING and self.order_id.channel == "fbm"

    def _is_taken_to_be_cancelled(self):
        """Whether Amazon has accepted to cancel the whole order, and its data has had
        no time yet to show whether it did."""
        if self.kind != "cancel" or self.state != "accepted":
            return False
        known, wait = (
            self.order_id.known_until,
            timedelta(minutes=NOT_CANCELLED_MINUTES),
        )
        return not known or known < self.accepted_at + wait

    # === BUSINESS METHODS - HOLDING === #

    def _hold(self):
        """Put the open deliveries of the order on hold."""
        pickings = self.order_id._open_deliveries()
        new = pickings.filtered(lambda picking: self not in picking.amazon_hold_ids)
        if not new:
            return
        new._change_holds(Command.link(self.id))
        new._note_amazon(
            self.env._(
                "On hold: %(action)s, %(sentence)s Do not ship it before Amazon has "
                "answered.",
                action=self.name,
                sentence=self.state_message,
            )
        )
        self._post(
            lambda action: self.env._(
                "%(action)s: on hold until Amazon has answered: %(deliveries)s.",
                action=action.name,
                deliveries=", ".join(new.mapped("name")),
            )
        )

    def _lift(self):
        """Let the deliveries go on that only this action holds."""
        held = self._held_deliveries()
        held._change_holds(Command.unlink(self.id))
        held._note_amazon(
            self.env._(
                "Not on hold any more for %(action)s: %(sentence)s",
                action=self.name,
                sentence=self.state_message,
            )
        )

    def _held_deliveries(self):
        """Return the open deliveries that this action holds."""
        return self.env["stock.picking"].search(
            [("amazon_hold_ids", "in", self.ids), ("state", "not in", CLOSED)]
        )

    # === BUSINESS METHODS - FOLLOWING === #

    def _enqueue_follow_in_odoo(self):
        """Have deliveries and sale orders follow, in a job: that is other people's
        data, and much of it, so it must not hold up what Amazon says."""
        if self.is_followed:
            return
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Follow the cancellation {self.name} in Odoo",
        )._job_follow_in_odoo()

    def _job_follow_in_odoo(self):
        """Cancel deliveries and sale orders of a cancelled order, or tell the
        salesperson. Job; safe to run twice."""
        self.ensure_one()
        if not self.is_followed:
            self.is_followed = True
            self._guarded(self._follow_in_odoo, self._follow_failed())
            self.order_id._notify_forms()

    def _follow_failed(self):
        return self.env._(
            "The sale order and its deliveries could not follow this cancellation. "
            "Cancel them by hand; the deliveries stay on hold."
        )

    def _follow_in_odoo(self):
        for sale_order in self.order_id._sale_orders():
            if self.kind == "cancel_items":
                sale_order._tell_salesperson(self, self._units_to_take_out())
                continue
            obstacle = self._obstacle(sale_order)
            if obstacle:
                sale_order._tell_salesperson(self, obstacle)
            elif sale_order.state != "cancel":
                sale_order._cancel_for_amazon(self)

    def _units_to_take_out(self):
        """Deliveries and invoices hang on the lines, and Amazon's items do not name
        them: so a person takes the units out."""
        return self.env._(
            "Take %s out of the sale order and of its deliveries, which are on hold, "
            "then release the deliveries.",
            self._units(),
        )

    def _obstacle(self, sale_order):
        """Return why a person must cancel this sale order, or False."""
        if sale_order.state == "cancel":
            return False
        if self.account_id.cancel_in_odoo == "tell":
            return self.env._(
                "Cancel %s and its deliveries, which are on hold.", sale_order.name
            )
        if sale_order._delivered_lines():
            return self.env._(
                "Goods of %s have left. Stop the parcel or take it back: the buyer "
                "does not pay for it.",
                sale_order.name,
            )
        if sale_order.locked or "posted" in sale_order.invoice_ids.mapped("state"):
            return self.env._(
                "%s is locked or has a posted invoice, so cancel it yourself. Its "
                "deliveries are on hold.",
                sale_order.name,
            )
        return False


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _sale_orders(self):
        """Return the sale orders of these orders, in sudo mode, for whoever may act on
        the Amazon order."""
        return (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("amazon_order_id", "in", self.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )

    def _open_deliveries(self):
        """Return the deliveries that have not left, with the steps before them."""
        return self._sale_orders()._open_deliveries()

    def _delivered_blocker(self):
        """Why goods that have left cannot be cancelled, or False."""
        return bool(self._delivered_units()) and self.env._(
            "By the deliveries in Odoo these goods have left already: %s. An order "
            "that is shipped is not cancelled: have it returned or refund it. Amazon "
            "takes the refund when it shows the order as shipped.",
            self._delivered_units(),
        )

    def _all_delivered_blocker(self):
        """The same, where no delivery is open any more."""
        return not self._open_deliveries() and self._delivered_blocker()

    def _delivered_units(self):
        """Return what has left the warehouse and is not back, as a person reads it;
        nothing of what Amazon ships."""
        if self.channel != "fbm":
            return ""
        return ", ".join(
            f"{line.qty_delivered:g} × {line.product_id.display_name}"
            for line in self._sale_orders()._delivered_lines()
        )


class AmazonActionRefund(models.AbstractModel):
    _inherit = "amazon.action.kind.refund"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _status_blocker(self, order):
        """Override: what has left the warehouse is not cancelled instead."""
        blocker = super()._status_blocker(order)
        if order.fulfillment_status == "UNSHIPPED" and order._delivered_units():
            return self.env._(
                "By the deliveries in Odoo this order has left, but Amazon does not "
                "show it as shipped, so the buyer has not been charged. Confirm the "
                "shipment to Amazon, then refund it."
            )
        return blocker


class SaleOrder(models.Model):
    _inherit = "sale.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _link_amazon_order(self, marketplace=None):
        """Override to stop the deliveries of a sale order that comes to a cancellation
        late."""
        result = super()._link_amazon_order(marketplace)
        self.sudo()._follow_amazon_holds()
        return result

    def _open_deliveries(self):
        """Return the transfers that have not left; none that bring something back."""
        return self.picking_ids.filtered(
            lambda picking: (
                picking.state not in CLOSED
                and picking.picking_type_code != "incoming"
                and picking.location_id.usage != "customer"
            )
        )

    def _delivered_lines(self):
        """Return the lines of which goods have left the warehouse and are not back."""
        return self.order_line.filtered(
            lambda line: (
                line.qty_delivered_method == "stock_move"
                and line.product_uom_id.compare(line.qty_delivered, 0) > 0
            )
        )

    def _follow_amazon_holds(self):
        """Put open deliveries on hold for the cancellations that are on their way."""
        orders = self.filtered("amazon_order_id").amazon_order_id
        for action in orders.action_ids:
            if action._concerns_warehouse() and action.state in RESERVING_STATES:
                action._hold()

    def _cancel_for_amazon(self, action):
        """Cancel the sale order with its deliveries.

        :param amazon.action action: the cancellation at Amazon
        """
        pickings = self._open_deliveries()
        self.action_cancel()
        sentence = self.env._(
            "Cancelled in Odoo, too: %(documents)s (%(action)s).",
            documents=", ".join([self.name, *pickings.mapped("name")]),
            action=action.name,
        )
        self._message_log(body=sentence)
        pickings._note_amazon(sentence)

    def _tell_salesperson(self, action, sentence):
        """Schedule an activity for whoever has to change the sale order.

        :param amazon.action action: the cancellation at Amazon
        :param str sentence: what there is to do
        """
        known = f"{action.state_message} {sentence}"
        person = self.user_id if self.user_id.active else action.user_id
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            summary=self.env._("Cancelled at Amazon"),
            # a title of Amazon's may hold markup
            note=Markup("<p>%s</p>") % known,
            user_id=person.id,
        )
        self._message_log(body=f"{action.name}: {known}")


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock`: deliveries that are made while a cancellation is on
        its way are on hold from the start."""
        result = super()._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
        self.order_id.sudo()._follow_amazon_holds()
        return result


# States of a transfer in which nothing can be stopped any more.
CLOSED = ("done", "cancel")


class StockPicking(models.Model):
    _inherit = "stock.picking"

    amazon_hold_ids = fields.Many2many(
        "amazon.action",
        string="Amazon Cancellations",
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
    )
    amazon_hold_changes = fields.Integer(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="Raised by whoever changes the holds, so that nobody validates the "
        "transfer at the same time.",
    )
    amazon_is_held = fields.Boolean(
        "On Hold for Amazon",
        compute="_compute_amazon_hold",
        search="_search_amazon_is_held",
        compute_sudo=True,
        help="A cancellation at Amazon was asked for: do not ship.",
    )
    amazon_hold_message = fields.Text(compute="_compute_amazon_hold", compute_sudo=True)
    amazon_may_release = fields.Boolean(
        compute="_compute_amazon_hold", compute_sudo=True
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "amazon_hold_ids.state", "amazon_hold_ids.state_message")
    def _compute_amazon_hold(self):
        for picking in self:
            actions = picking._amazon_holds()
            picking.amazon_is_held = bool(actions)
            picking.amazon_hold_message = "\n".join(
                f"{action.name}: {action.state_message}" for action in actions
            )
            picking.amazon_may_release = (
                bool(actions) and not picking._release_blocker()
            )

    @api.model
    def _search_amazon_is_held(self, operator, value):
        if operator != "in":
            return NotImplemented
        held = self.sudo()._search(
            [("amazon_hold_ids", "!=", False), ("state", "not in", CLOSED)]
        )
        return [("id", "in" if True in value else "not in", held)]

    def _amazon_holds(self):
        """Return the cancellations that hold this transfer."""
        if self.state in CLOSED:
            return self.env["amazon.action"]
        return self.sudo().amazon_hold_ids

    # === ACTION METHODS === #

    def button_validate(self):
        """Override of `stock` to refuse what a cancellation at Amazon holds, before any
        question is asked."""
        self._check_amazon_hold()
        return super().button_validate()

    def action_amazon_release(self):
        """Let transfers go on whose cancellation is over, once a person has taken out
        what is cancelled.

        :raise AccessError: when the user does not work in the warehouse
        :raise UserError: as long as Amazon has not answered, or where the whole order
            is cancelled
        """
        self.check_access("write")
        if not self.env.user.has_group("stock.group_stock_user"):
            raise AccessError(
                self.env._(
                    "Only the warehouse may release what a cancellation at Amazon "
                    "holds (Inventory: User)."
                )
            )
        for picking in self.sudo():
            blocker = picking._release_blocker()
            if blocker:
                raise UserError(blocker)
            actions = picking._amazon_holds()
            picking._change_holds(Command.clear())
            picking._note_amazon(
                self.env._(
                    "%(user)s released it: %(actions)s.",
                    user=self.env.user.name,
                    actions=", ".join(actions.mapped("name")),
                )
            )
        return True

    # === BUSINESS METHODS === #

    def _release_blocker(self):
        """Return why the hold cannot be lifted by hand, or False."""
        for action in self._amazon_holds():
            if action.state in OPEN_AT_AMAZON:
                return self.env._(
                    "%(transfer)s is on hold for %(action)s, and its outcome at Amazon "
                    "is not known yet: %(sentence)s",
                    transfer=self.name,
                    action=action.name,
                    sentence=action.state_message,
                )
            if action._is_taken_to_be_cancelled():
                return self.env._(
                    "Amazon has accepted %(action)s, and the order does not show it "
                    "yet. %(transfer)s can be released when the order is known to be "
                    "open all the same; else cancel it.",
                    action=action.name,
                    transfer=self.name,
                )
            if action.order_id.fulfillment_status == "CANCELLED":
                return self.env._(
                    "The order %(order)s is cancelled at Amazon, and its buyer does "
                    "not pay. Cancel %(transfer)s instead.",
                    order=action.order_id.amazon_order_ref,
                    transfer=self.name,
                )
        return False

    def _check_amazon_hold(self):
        """Refuse to ship what a cancellation at Amazon holds.

        :raise UserError: names the transfer and the action
        """
        for picking in self:
            actions = picking._amazon_holds()
            if actions:
                raise UserError(
                    self.env._(
                        "%(transfer)s is on hold: the order %(order)s is being "
                        "cancelled at Amazon (%(actions)s). %(sentence)s",
                        transfer=picking.name,
                        order=actions[0].order_id.amazon_order_ref,
                        actions=", ".join(actions.mapped("name")),
                        sentence=actions[0].state_message,
                    )
                )

    def _change_holds(self, command):
        """Change who holds these transfers.

        Their rows are changed, too: whoever validates one at the same moment then
        fails to serialize, is run again by Odoo, and sees the hold; or the hold does,
        and sees that the goods have left.
        """
        if not self:
            return
        self.flush_recordset()
        self.env.cr.execute(
            "UPDATE stock_picking SET amazon_hold_changes ="
            " COALESCE(amazon_hold_changes, 0) + 1 WHERE id IN %s",
            [self._ids],
        )
        self.invalidate_recordset(["amazon_hold_changes", "state"])
        self.amazon_hold_ids = [command]

    def _note_amazon(self, sentence):
        """Log a note on these transfers."""
        self.env["amazon.action"]._log_notes(
            self._name, dict.fromkeys(self.ids, sentence)
        )


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_done(self, cancel_backorder=False):
        """Override of `stock`: nothing ships a transfer on hold, not by itself."""
        self.picking_id._check_amazon_hold()
        return super()._action_done(cancel_backorder=cancel_backorder)


class AmazonAlarm(models.Model):
    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _needed_jobs_beside(self, before):
        """Override to have cancellations followed in Odoo whose job is lost."""
        watched_since = before - timedelta(days=CONFIRM_ALERT_DAYS)
        done = Domain("state", "in", DONE_AT_AMAZON) | (
            Domain("state", "in", NOT_DONE)
            & Domain("order_id.fulfillment_status", "=", "CANCELLED")
        )
        unfollowed = [
            ("kind", "in", CANCELLING),
            ("is_followed", "=", False),
            ("last_state_change", "<", before),
            ("last_state_change", ">", watched_since),
            ("order_id.channel", "=", "fbm"),
            *done,
        ]
        return [
            *super()._needed_jobs_beside(before),
            (
                "amazon.action",
                "_job_follow_in_odoo",
                unfollowed,
                lambda action: action._enqueue_follow_in_odoo(),
            ),
        ]
