from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ...spapi.enums import FEED_CANCEL
from ...spapi.envelopes import OrderNumberMessage
from ..action.kind import NOT_EXECUTED_MINUTES
from ..action.states import RESERVING_STATES

_lt = LazyTranslate(__name__)

# Statuses in which Amazon knows the order for sure and it is not over.
NUMBERED = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED")

# Amazon's XSD of the Order Acknowledgement: a text of 1 to 50 characters.
MAX_NUMBER = 50


class AmazonActionOrderNumber(models.AbstractModel):
    """The seller's own number of an order, for Amazon to keep beside its own.

    Carried by the feed POST_ORDER_ACKNOWLEDGEMENT_DATA, StatusCode Success with
    MerchantOrderID. Moves no money. Orders 2026-01-01 shows it as an alias of the type
    SELLER_ORDER_ID.
    """

    _name = "amazon.action.kind.order_number"
    _inherit = "amazon.action.kind"
    _description = "Amazon Seller Order Number"

    _label = _lt("Seller Order Number")
    _sequence = 40
    _group = "amazon_order_actions.group_edit"
    _feed_type = FEED_CANCEL
    _sentences = {
        "queued": _lt(
            "%(user)s asks Amazon to keep %(number)s as seller order number of "
            "%(order)s. Nothing is sent to Amazon yet."
        ),
        "sending": _lt("The seller order number of %(order)s is being sent to Amazon."),
        "submitted": _lt(
            "Amazon has received the seller order number %(number)s of %(order)s (feed "
            "%(feed)s) and has not processed it yet."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the seller order number %(number)s of "
            "%(order)s. It is not sent again. Look at the order in Seller Central."
        ),
        "accepted": _lt(
            "Amazon has accepted the seller order number %(number)s of %(order)s (feed "
            "%(feed)s). The order does not show it yet."
        ),
        "confirmed": _lt(
            "Amazon shows %(number)s as seller order number of %(order)s."
        ),
        "rejected": _lt(
            "Amazon has rejected the seller order number %(number)s of %(order)s: "
            "%(text)s (code %(code)s). Correct it and ask again."
        ),
        "withdrawn": _lt(
            "The seller order number of %(order)s was withdrawn. Nothing was sent to "
            "Amazon."
        ),
    }

    # === WHO AND WHEN === #

    def _refusal(self):
        return self.env._(
            "You may not edit Amazon orders. An administrator can grant it to you "
            "(Amazon orders: Edits)."
        )

    def _blockers(self, order):
        blockers = [
            self._not_read_blocker(order)
            or self._order_blocker(order)
            or self._pending_blocker(order)
        ]
        return [sentence for sentence in blockers if sentence]

    def _order_blocker(self, order):
        if order.channel != "fbm":
            return self.env._(
                "Amazon ships this order, and takes a seller order number only for "
                "orders that you ship."
            )
        if order.fulfillment_status not in NUMBERED:
            return self.env._(
                "Amazon takes a seller order number only for orders whose payment is "
                "checked and that are not cancelled."
            )
        return self._marketplace_blocker(order)

    def _pending_blocker(self, order):
        # sudo: what is asked for counts, whoever looks
        asked = order.sudo().action_ids.filtered(
            lambda action: (
                action.kind in ("cancel", "order_number")
                and action.state in RESERVING_STATES
            )
        )
        return asked and self.env._(
            "Another request for this order is on its way: %(action)s, %(state)s",
            action=asked[0].name,
            state=asked[0].state_message,
        )

    def _check_details(self, order, details):
        number = details.get("merchant_order_id")
        if not number:
            raise UserError(self.env._("Type the number first."))
        if len(number) > MAX_NUMBER or not (number.isascii() and number.isprintable()):
            raise UserError(
                self.env._(
                    "Amazon takes a number of at most %s letters, digits and marks, "
                    "without umlauts or accents.",
                    MAX_NUMBER,
                )
            )
        if number == order.seller_order_ref:
            raise UserError(self.env._("Amazon shows this number already."))

    def _late_blocker(self, action):
        return self._order_blocker(action.order_id)

    # === WHAT IS SENT === #

    def _order_number(self, action):
        """Return the number that was asked for."""
        # sudo: whoever may read the action may know the number
        return (action.sudo().details or {}).get("merchant_order_id", "")

    def _build_message(self, action):
        return OrderNumberMessage(
            message_id=action.message_number,
            amazon_order_id=action.order_id.amazon_order_ref,
            merchant_order_id=self._order_number(action),
        )

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return action.order_id.seller_order_ref == self._order_number(action)

    def _disproof(self, action):
        """An order that does not show the number, long after Amazon has processed the
        feed. That Amazon shows it within that time is an assumption."""
        known, ended = action.order_id.known_until, action.feed_id.done_at
        wait = timedelta(minutes=NOT_EXECUTED_MINUTES)
        if not (ended and known and known >= ended + wait):
            return False
        return self.env._(
            "Amazon failed to process it: the order, as known up to %s UTC, does not "
            "show the number",
            fields.Datetime.to_string(known),
        )

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        return {
            "number": self._order_number(action),
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "feed": action.feed_id.feed_ref or "",
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
        }
