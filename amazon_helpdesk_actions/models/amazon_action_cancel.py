from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..const import NOT_CANCELLED_MINUTES, RESERVING_STATES, UNDO_SECONDS
from ..spapi.enums import FEED_CANCEL
from ..spapi.envelopes import CancelItem, CancelMessage

# CancelReason of the Order Acknowledgement, as in spapi.enums; those that fit most
# tickets first.
CANCEL_REASONS = [
    ("BuyerCanceled", "Cancelled by the buyer"),
    ("NoInventory", "No inventory"),
    ("ShippingAddressUndeliverable", "Shipping address undeliverable"),
    ("CustomerExchange", "Customer exchange"),
    ("PricingError", "Pricing error"),
    ("GeneralAdjustment", "General adjustment"),
    ("CarrierCreditDecision", "Carrier credit decision"),
    ("RiskAssessmentInformationNotValid", "Risk assessment information not valid"),
    ("CarrierCoverageFailure", "Carrier coverage failure"),
    ("CustomerReturn", "Customer return"),
    ("MerchandiseNotReceived", "Merchandise not received"),
    ("CannotVerifyInformation", "Cannot verify information"),
    ("RejectOrder", "Order rejected"),
    ("WeatherDelay", "Weather delay"),
]

# Statuses that say for sure that an order was not cancelled.
NOT_CANCELLED = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")


class AmazonAction(models.Model):
    # A kind is one file: it adds itself here, beside what it says.
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    kind = fields.Selection(
        selection_add=[("cancel", "Cancellation")], ondelete={"cancel": "cascade"}
    )


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    cancel_undo_seconds = fields.Integer(
        "Undo of Cancellations",
        default=UNDO_SECONDS,
        help="Seconds for which it stays here, so that it can surely be taken back.",
    )

    _cancel_undo_seconds = models.Constraint(
        "CHECK(cancel_undo_seconds BETWEEN 0 AND 3600)",
        "The time to take it back must be between 0 and 3600 seconds.",
    )


class AmazonActionCancel(models.AbstractModel):
    """Cancellation of a whole order that the seller ships and has not shipped.

    Carried by the feed POST_ORDER_ACKNOWLEDGEMENT_DATA, StatusCode Failure, every item
    listed. No money moves: the buyer is charged when the shipment is confirmed (Seller
    Central help RXAS2XTAYEF77BG).
    """

    _name = "amazon.action.kind.cancel"
    _inherit = "amazon.action.kind"
    _description = "Amazon Cancellation"

    _group = "amazon_helpdesk_actions.group_cancel"
    _feed_type = FEED_CANCEL
    _undo_field = "cancel_undo_seconds"

    # === WHO AND WHEN === #

    def _refusal(self):
        return self.env._(
            "You may not cancel Amazon orders. An administrator can grant it to you "
            "(Amazon orders: Cancellations)."
        )

    def _is_assisted(self, order):
        """Orders that Amazon ships cannot be cancelled by the seller's API for Amazon
        orders; Seller Central can ask for it."""
        return order.channel in ("fba", "mcf")

    def _blockers(self, order):
        blockers = [
            self._not_read_blocker(order)
            or self._status_blocker(order)
            or self._pending_blocker(order)
        ]
        return [sentence for sentence in blockers if sentence]

    def _status_blocker(self, order):
        if order.fulfillment_status == "UNSHIPPED":
            if not order.marketplace and not self._is_assisted(order):
                return self.env._(
                    "This order is from a marketplace that is not supported. Cancel "
                    "it in Seller Central."
                )
            return False
        shipped = self.env._(
            "This order is shipped, so it cannot be cancelled any more."
        )
        refund_instead = self.env._("Refund it instead.")
        return {
            "SHIPPED": shipped
            if order.channel == "mcf"
            else f"{shipped} {refund_instead}",
            "PARTIALLY_SHIPPED": self.env._(
                "A part of this order is shipped, so it cannot be cancelled as a "
                "whole. Cancel the rest in Seller Central."
            ),
            "PENDING": self.env._(
                "Amazon is still checking the payment of this order, and until then "
                "only the buyer can cancel it, in Your Orders."
            ),
            "CANCELLED": self.env._("This order is cancelled at Amazon already."),
        }.get(
            order.fulfillment_status,
            self.env._(
                "An order in this status cannot be cancelled from here. Look at it in "
                "Seller Central."
            ),
        )

    def _pending_blocker(self, order):
        asked = order.action_ids.filtered(
            lambda action: action.kind == "cancel" and action.state in RESERVING_STATES
        )
        return asked and self.env._(
            "The cancellation of this order is asked for already: %(action)s, "
            "%(state)s.",
            action=asked[0].name,
            state=asked[0].state_message,
        )

    def _warnings(self, order):
        warnings = super()._warnings(order)
        if not order.cancel_requested and not self._is_assisted(order):
            warnings.append(
                self.env._(
                    "The buyer has not asked for it in Your Orders. A cancellation "
                    "that the buyer asked for only in a message counts against your "
                    "cancellation rate."
                )
            )
        return warnings

    def _check_possible(self, order, amounts):
        blockers = self._blockers(order)
        if blockers:
            raise UserError("\n".join(blockers))

    def _late_blocker(self, action):
        return self._status_blocker(action.order_id)

    def _urgent_from(self, origin):
        """At once: the warehouse may ship the order at any moment."""
        return fields.Datetime.now()

    # === WHAT IS SENT === #

    def _build_message(self, action):
        return CancelMessage(
            message_id=action.message_number,
            amazon_order_id=action.order_id.amazon_order_ref,
            # Amazon does nothing for an order whose items are not all listed.
            items=tuple(
                CancelItem(order_item_id=line.amazon_item_ref, reason=action.reason)
                for line in action.order_id.line_ids
            ),
        )

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return action.order_id.fulfillment_status == "CANCELLED"

    def _disproof(self, action):
        """An order that stays as it was, long after Amazon has processed the feed."""
        order, ended = action.order_id, action.feed_id.done_at
        wait = timedelta(minutes=NOT_CANCELLED_MINUTES)
        known = order.known_until
        if not (ended and known and known >= ended + wait):
            return False
        if order.fulfillment_status not in NOT_CANCELLED:
            return False
        return self.env._(
            "Amazon failed to process it: the order, as known up to %s UTC, is not "
            "cancelled",
            fields.Datetime.to_string(known),
        )

    # === WHAT IS SAID === #

    def _sentence(self, action, state):
        values = {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "reason": self._reason_label("amazon.cancel.request", action.reason),
            "feed": action.feed_id.feed_ref or "",
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
            "by": self._cancelled_by_label(action.order_id),
        }
        sentences = {
            "queued": lambda: self.env._(
                "%(user)s asks to cancel the order %(order)s (%(reason)s). Nothing is "
                "sent to Amazon yet.",
                **values,
            ),
            "sending": lambda: self.env._(
                "The cancellation of %(order)s is being sent to Amazon.", **values
            ),
            "submitted": lambda: self.env._(
                "Amazon has received the cancellation of %(order)s (feed %(feed)s) and "
                "has not processed it yet.",
                **values,
            ),
            "unknown": lambda: self.env._(
                "It is unknown whether Amazon has the cancellation of %(order)s. It is "
                "not sent again. Look at the order in Seller Central.",
                **values,
            ),
            "accepted": lambda: self.env._(
                "Amazon has accepted the cancellation of %(order)s (feed %(feed)s). "
                "The order does not show it yet.",
                **values,
            ),
            "confirmed": lambda: self.env._(
                "Amazon shows the order %(order)s as cancelled (by: %(by)s).", **values
            ),
            "rejected": lambda: self.env._(
                "Amazon has rejected the cancellation of %(order)s: %(text)s (code "
                "%(code)s). Correct it and ask again, or look at it in Seller Central.",
                **values,
            ),
            "withdrawn": lambda: self.env._(
                "The cancellation of %(order)s was withdrawn. Nothing was sent to "
                "Amazon.",
                **values,
            ),
            "assisted": lambda: self.env._(
                "%(user)s recorded that the cancellation of %(order)s was asked for in "
                "Seller Central. The order does not show it yet.",
                **values,
            ),
        }
        return sentences[state]()

    def _cancelled_by_label(self, order):
        """Who cancelled it, as Amazon says: it may have been the buyer after all."""
        selection = order._fields["cancelled_by"]._description_selection(self.env)
        return dict(selection).get(order.cancelled_by) or self.env._("not said")
