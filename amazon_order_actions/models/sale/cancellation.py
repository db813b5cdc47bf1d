"""What a cancellation at Amazon does to the sale orders in Odoo."""

from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.fields import Domain

from ..action.action import CONFIRM_ALERT_DAYS
from ..base.background import in_background

CANCELLING = ("cancel", "cancel_items")
# Amazon has taken or shown it, or a person saw it there.
DONE_AT_AMAZON = ("accepted", "confirmed", "assisted")
# It did not happen.
NOT_DONE = ("rejected", "blocked", "withdrawn", "refused", "expired")


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # Cancelling is the safer default: the buyer of a cancelled order pays nothing, so
    # goods that leave are lost, while a sale order can be set back to a quotation.
    cancel_in_odoo = fields.Selection(
        [
            ("cancel", "Cancel the sale order"),
            ("tell", "Only tell the salesperson"),
        ],
        "After a Cancellation",
        default="cancel",
        required=True,
        help="What happens in Odoo when Amazon has accepted the cancellation of a "
        "whole order.",
    )


class AmazonAction(models.Model):
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    is_followed = fields.Boolean(
        "Followed in Odoo",
        readonly=True,
        copy=False,
        help="Sale orders, and what hangs on them, have followed the cancellation.",
    )

    # Which cancellations the sale orders have not followed.
    _unfollowed_idx = models.Index(
        "(account_id, last_state_change)"
        " WHERE kind IN ('cancel', 'cancel_items') AND is_followed IS NOT TRUE"
    )

    def _follow_cancellations(self):
        """Follower: have sale orders follow what is cancelled, whoever did it."""
        for action in self:
            if action._cancels_own_shipping() and (
                action.state in DONE_AT_AMAZON
                or (action.state in NOT_DONE and action._is_order_cancelled())
            ):
                action._enqueue_follow_in_odoo()

    def _cancels_own_shipping(self):
        """Whether it cancels what the seller ships: Amazon itself ships the other
        orders."""
        return self.kind in CANCELLING and self.order_id.channel == "fbm"

    def _is_order_cancelled(self):
        return self.order_id.fulfillment_status == "CANCELLED"

    def _enqueue_follow_in_odoo(self):
        """Have sale orders follow, in a job: that is other people's data, and much of
        it, so it must not hold up what Amazon says."""
        if self.is_followed:
            return
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Follow the cancellation {self.name} in Odoo",
        )._job_follow_in_odoo()

    def _job_follow_in_odoo(self):
        """Cancel the sale orders of a cancelled order, or tell the salesperson. Job;
        safe to run twice."""
        self.ensure_one()
        if not self.is_followed:
            self.is_followed = True
            self._guarded(self._follow_in_odoo, self._follow_failed())
            self.order_id._notify_forms()

    def _follow_failed(self):
        """Hook: say that following failed, and what to do now."""
        return self.env._(
            "The sale order could not follow this cancellation. Cancel it by hand."
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
        """Hook: say what a person takes out of the sale order. Invoices hang on its
        lines, and Amazon's items do not name them, so nobody else can."""
        return self.env._("Take %s out of the sale order.", self._kind()._units(self))

    def _obstacle(self, sale_order):
        """Hook: return why a person must cancel this sale order, or False."""
        if sale_order.state == "cancel":
            return False
        if self.account_id.cancel_in_odoo == "tell":
            return self.env._("Cancel %s.", sale_order.name)
        if sale_order.locked or "posted" in sale_order.invoice_ids.mapped("state"):
            return self.env._(
                "%s is locked or has a posted invoice, so cancel it yourself.",
                sale_order.name,
            )
        return False


class SaleOrder(models.Model):
    _inherit = "sale.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _cancel_for_amazon(self, action):
        """Cancel the sale order.

        :param amazon.action action: the cancellation at Amazon
        :return: the note of it
        :rtype: str
        """
        documents = [self.name, *self._cancelled_along()]
        self.action_cancel()
        sentence = self.env._(
            "Cancelled in Odoo, too: %(documents)s (%(action)s).",
            documents=", ".join(documents),
            action=action.name,
        )
        self._message_log(body=sentence)
        return sentence

    def _cancelled_along(self):
        """Hook: return the names of what is cancelled with the sale order.

        :rtype: list[str]
        """
        return []

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
