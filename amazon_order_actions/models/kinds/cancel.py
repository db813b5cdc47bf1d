from datetime import timedelta

from odoo import fields, models
from odoo.tools.translate import LazyTranslate

from ...spapi.enums import FEED_CANCEL
from ...spapi.envelopes import CancelItem, CancelMessage
from ..action.kind import NOT_CANCELLED_MINUTES, NOT_EXECUTED_MINUTES
from ..action.states import RESERVING_STATES

_lt = LazyTranslate(__name__)

# The same reasons for cancelOrder, which knows only these (its model, see
# spapi.operations). What is cancelled for another reason goes by feed.
REST_REASONS = {
    "BuyerCanceled": "BUYER_CANCELLED",
    "NoInventory": "NO_INVENTORY",
    "ShippingAddressUndeliverable": "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CustomerExchange": "CUSTOMER_EXCHANGE",
    "PricingError": "PRICING_ERROR",
}

# Answers to cancelOrder that send it by feed: the account may not use the operation, or
# Amazon does not offer it. Both say no before anything is executed; no other answer
# does for sure.
NOT_OFFERED = (403, 404)

# Cancellations of units that are on their way: the whole order waits for them.
PARTS_ON_THEIR_WAY = ("to_approve", "queued", "sending", "submitted", "unknown")

# Statuses that say for sure that an order was not cancelled.
NOT_CANCELLED = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")


class AmazonActionCancel(models.AbstractModel):
    """Cancellation of a whole order that the seller ships and has not shipped.

    Carried by the feed POST_ORDER_ACKNOWLEDGEMENT_DATA, StatusCode Failure, every item
    listed. No money moves: the buyer is charged when the shipment is confirmed (Seller
    Central help RXAS2XTAYEF77BG).

    Where the account says so, it is the call cancelOrder of Orders 2026-01-01 instead,
    and the feed takes over where Amazon does not offer it. Its answer 202 says that
    Amazon has taken it; the order tells the outcome.
    """

    _name = "amazon.action.kind.cancel"
    _inherit = "amazon.action.kind"
    _description = "Amazon Cancellation"

    _label = _lt("Cancellation")
    _sequence = 20
    _group = "amazon_order_actions.group_cancel"
    _feed_type = FEED_CANCEL
    _needs_reason = True
    _answered_state = "submitted"
    _sentences = {
        "queued": _lt(
            "%(user)s asks to cancel the order %(order)s (%(reason)s). Nothing is sent "
            "to Amazon yet."
        ),
        "sending": _lt("The cancellation of %(order)s is being sent to Amazon."),
        "submitted": _lt(
            "Amazon has received the cancellation of %(order)s (%(way)s) and has not "
            "processed it yet."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the cancellation of %(order)s. It is not "
            "sent again. Look at the order in Seller Central."
        ),
        "accepted": _lt(
            "Amazon has accepted the cancellation of %(order)s (%(way)s). The order "
            "does not show it yet."
        ),
        "confirmed": _lt(
            "Amazon shows the order %(order)s as cancelled, and does not say by whom."
        ),
        "confirmed_by_seller": _lt(
            "Amazon shows the order %(order)s as cancelled by the seller."
        ),
        "confirmed_by_other": _lt(
            "Amazon shows the order %(order)s as cancelled, and says that %(by)s did "
            "it."
        ),
        "rejected": _lt(
            "Amazon has rejected the cancellation of %(order)s: %(text)s (code "
            "%(code)s). Correct it and ask again, or look at it in Seller Central."
        ),
        "withdrawn": _lt(
            "The cancellation of %(order)s was withdrawn. Nothing was sent to Amazon."
        ),
        "assisted": _lt(
            "%(user)s recorded that the cancellation of %(order)s was asked for in "
            "Seller Central. The order does not show it yet."
        ),
    }

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
        blocker = (
            self._not_read_blocker(order)
            or self._status_blocker(order)
            or self._pending_blocker(order)
            or self._delivered_blocker(order)
        )
        return [blocker] if blocker else []

    def _status_blocker(self, order):
        if order.fulfillment_status == "UNSHIPPED":
            return not self._is_assisted(order) and self._marketplace_blocker(order)
        shipped = self.env._(
            "This order is shipped, so it cannot be cancelled any more."
        )
        refund_instead = self.env._("Refund it instead.")
        return {
            "SHIPPED": shipped
            if order.channel == "mcf"
            else f"{shipped} {refund_instead}",
            "PARTIALLY_SHIPPED": self._partly_shipped_blocker(order),
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

    def _marketplace_blocker(self, order):
        return not order.marketplace and self.env._(
            "This order is from a marketplace that is not supported. Cancel it in "
            "Seller Central."
        )

    def _partly_shipped_blocker(self, order):
        if self._is_assisted(order):
            return self.env._(
                "A part of this order is shipped, so it cannot be cancelled as a "
                "whole. Ask for the rest in Seller Central."
            )
        return self.env._(
            "A part of this order is shipped, so it cannot be cancelled as a whole. "
            "Choose the items that are not shipped instead."
        )

    def _pending_blocker(self, order):
        whole = self._asked(order, "cancel", RESERVING_STATES)
        if whole:
            return self.env._(
                "The cancellation of this order is asked for already: %(action)s, "
                "%(state)s",
                action=whole.name,
                state=whole.state_message,
            )
        part = self._asked(order, "cancel_items", PARTS_ON_THEIR_WAY)
        return part and self.env._(
            "The cancellation of single items is on its way: %(action)s, %(state)s "
            "Wait for its outcome, or take it back.",
            action=part.name,
            state=part.state_message,
        )

    def _delivered_blocker(self, order):
        """Hook: why goods that have left cannot be cancelled, or False. Amazon's own
        word is the status."""
        return False

    def _asked(self, order, kind, states):
        """Return the newest action of a kind that is in one of these states."""
        return order.sudo().action_ids.filtered(
            lambda action: action.kind == kind and action.state in states
        )[:1]

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

    def _authority_amount(self, order, amounts, quantities):
        """Override: no money moves back, but what was ordered is not sold."""
        return order.charged

    def _late_blocker(self, action):
        order = action.order_id
        return self._status_blocker(order) or self._delivered_blocker(order)

    def _urgent_from(self, origin):
        """At once: the warehouse may ship the order at any moment."""
        return fields.Datetime.now()

    # === WHAT IS SENT === #

    def _feed_type_for(self, order, reason):
        by_rest = order.account_id.cancel_by_rest and reason in REST_REASONS
        return False if by_rest and not self._is_assisted(order) else self._feed_type

    def _build_call(self, action):
        reason = REST_REASONS[action.reason]
        return "cancel_order", (action.order_id.amazon_order_ref, reason)

    def _call_operation(self, action):
        return "cancelOrder"

    def _feed_instead(self, http_status):
        return self._feed_type if http_status in NOT_OFFERED else False

    def _build_message(self, action):
        return CancelMessage(
            message_id=action.message_number,
            amazon_order_id=action.order_id.amazon_order_ref,
            # Amazon does nothing for an order whose items are not all listed.
            items=tuple(
                CancelItem(order_item_id=line.amazon_item_ref, reason=action.reason)
                for line in self._message_items(action)
            ),
        )

    def _message_items(self, action):
        return action.order_id.line_ids

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return action.order_id.fulfillment_status == "CANCELLED"

    def _disproof(self, action):
        """An order that stays as it was, long after Amazon has processed the feed or
        has been called."""
        order, known = action.order_id, action.order_id.known_until
        if action.feed_type:
            ended, minutes = action.feed_id.done_at, NOT_CANCELLED_MINUTES
        else:
            ended, minutes = action._left_by(), NOT_EXECUTED_MINUTES
        if not (ended and known and known >= ended + timedelta(minutes=minutes)):
            return False
        if order.fulfillment_status not in self._disproving_statuses(action):
            return False
        return self.env._(
            "Amazon failed to process it: the order, as known up to %s UTC, is not "
            "cancelled",
            fields.Datetime.to_string(known),
        )

    def _disproving_statuses(self, action):
        """Return the statuses that say for sure that it was not executed. A call that
        Amazon has taken may still be worked on, as long as nothing is shipped."""
        if action.feed_type or action.state != "submitted":
            return NOT_CANCELLED
        return NOT_CANCELLED[1:]

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        return {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "reason": self._reason_label("amazon.cancel.request", action.reason),
            "way": self._way(action),
            "by": self._others_words(action),
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
        }

    def _way(self, action):
        """Return how Amazon was told, with the number to ask Amazon by."""
        if action.feed_type:
            return self.env._("feed %s", action.feed_id.feed_ref or "")
        return self.env._("request %s", action.request_ref or "")

    def _case(self, action, state):
        """Override: of a cancelled order Amazon may say by whom; it may have been the
        buyer after all."""
        if state != "confirmed":
            return state
        if self._others(action):
            return "confirmed_by_other"
        by_seller = action.order_id.cancelled_by == "MERCHANT"
        return "confirmed_by_seller" if by_seller else state

    def _others(self, action):
        """Return who else cancelled, as Amazon says: BUYER, AMAZON, both or none.

        :rtype: set[str]
        """
        return {action.order_id.cancelled_by} - {"MERCHANT", False}

    def _others_words(self, action):
        """Return who else cancelled, as a part of a sentence."""
        return ", ".join(self._other_party(by) for by in sorted(self._others(action)))

    def _other_party(self, party):
        """Return who else cancelled, as a part of a sentence."""
        return {
            "BUYER": self.env._("the buyer"),
            "AMAZON": self.env._("Amazon itself"),
        }[party]
