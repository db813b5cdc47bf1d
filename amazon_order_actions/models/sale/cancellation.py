"""What a cancellation at Amazon does to the sale orders in Odoo."""

from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain

from ..action.action import CONFIRM_ALERT_DAYS
from ..watch.check import NeededJob

CANCELLING = ("cancel", "cancel_items")
# Amazon has taken or shown it, or a person saw it there.
DONE_AT_AMAZON = ("accepted", "confirmed", "assisted")
# It did not happen.
NOT_DONE = ("rejected", "blocked", "withdrawn", "refused", "expired")


def cancels_own_shipping(action):
    """Whether an action cancels what the seller ships: Amazon itself ships the other
    orders."""
    return action.kind in CANCELLING and action.order_id.channel == "fbm"


def is_order_cancelled(action):
    """Whether Amazon shows the order of an action as cancelled."""
    return action.order_id.fulfillment_status == "CANCELLED"


class AmazonActionFollowerCancellation(models.AbstractModel):
    """Sale orders follow what is cancelled, whoever did it: they are cancelled, or the
    salesperson is told."""

    _name = "amazon.action.follower.cancellation"
    _inherit = "amazon.action.follower"
    _description = "Sale Orders of Cancelled Amazon Orders"

    _place = 60

    def _follow(self, actions):
        for action in actions:
            if cancels_own_shipping(action) and (
                action.state in DONE_AT_AMAZON
                or (action.state in NOT_DONE and is_order_cancelled(action))
            ):
                action._enqueue_follow_in_odoo()

    def _failed(self):
        return self.env._(
            "The sale order could not follow this cancellation. Cancel it by hand."
        )

    def _follow_later(self, action):
        for sale_order in self.env["sale.order"]._of_amazon_orders(action.order_id):
            if action.kind == "cancel_items":
                sale_order._tell_salesperson(action, self._units_to_take_out(action))
                continue
            obstacle = self._obstacle(action, sale_order)
            if obstacle:
                sale_order._tell_salesperson(action, obstacle)
            elif sale_order.state != "cancel":
                sale_order._cancel_for_amazon(action)

    def _units_to_take_out(self, action):
        """Hook: say what a person takes out of the sale order. Invoices hang on its
        lines, and Amazon's items do not name them, so nobody else can."""
        units = action._kind()._units(action)
        return self.env._("Take %s out of the sale order.", units)

    def _obstacle(self, action, sale_order):
        """Hook: return why a person must cancel this sale order, or False."""
        if sale_order.state == "cancel":
            return False
        if action.account_id.cancel_in_odoo == "tell":
            return self.env._("Cancel %s.", sale_order.name)
        if sale_order.locked or "posted" in sale_order.invoice_ids.mapped("state"):
            return self.env._(
                "%s is locked or has a posted invoice, so cancel it yourself.",
                sale_order.name,
            )
        return False


class AmazonCheckCancellation(models.AbstractModel):
    """Has cancellations followed in Odoo whose job is lost."""

    _name = "amazon.check.cancellation"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Cancellations"

    @api.model
    def _needed_jobs(self, before):
        """Override: cancellations that Odoo does not follow yet."""
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
            NeededJob(
                "amazon.action",
                "_job_follow_in_odoo",
                unfollowed,
                lambda action: action._enqueue_follow_in_odoo(),
            ),
        ]
