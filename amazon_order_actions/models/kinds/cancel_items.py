from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ...spapi.enums import FEED_REFUND
from ...spapi.envelopes import CancelQuantityItem, CancelQuantityMessage
from ..action.states import RESERVING_STATES
from ..action.units import left_to_ship

_lt = LazyTranslate(__name__)


class AmazonActionCancelItems(models.AbstractModel):
    """Cancellation of single items or units of an order that the seller ships and has
    not shipped wholly.

    Carried by the feed POST_PAYMENT_ADJUSTMENT_DATA as an Order Adjustment with
    QuantityCancelled and no amounts: "For a partial cancellation, upload an Order
    Adjustment Feed" (Seller Central help G201722390). No money moves for units that
    were not shipped.
    """

    _name = "amazon.action.kind.cancel_items"
    _inherit = "amazon.action.kind.cancel"
    _description = "Amazon Cancellation of Items"

    _label = _lt("Cancellation of Items")
    _sequence = 50
    _feed_type = FEED_REFUND
    _answered_state = None
    _undo_like = "cancel"
    _sentences = {
        "queued": _lt(
            "%(user)s asks to cancel %(units)s of the order %(order)s (%(reason)s). "
            "Nothing is sent to Amazon yet."
        ),
        "sending": _lt("The cancellation of %(units)s is being sent to Amazon."),
        "submitted": _lt(
            "Amazon has received the cancellation of %(units)s (feed %(feed)s) and has "
            "not processed it yet."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the cancellation of %(units)s. It is not "
            "sent again. Look at the order in Seller Central."
        ),
        "accepted": _lt(
            "Amazon has accepted the cancellation of %(units)s (feed %(feed)s). The "
            "order does not show it yet."
        ),
        "confirmed": _lt("Amazon's order %(order)s shows %(units)s as cancelled."),
        "confirmed_by_other": _lt(
            "Amazon's order %(order)s shows %(units)s as cancelled, and says that "
            "%(by)s did it."
        ),
        "rejected": _lt(
            "Amazon has rejected the cancellation of %(units)s: %(text)s (code "
            "%(code)s). Correct it and ask again, or look at the order in Seller "
            "Central."
        ),
        "withdrawn": _lt(
            "The cancellation of %(units)s was withdrawn. Nothing was sent to Amazon."
        ),
    }

    # === WHEN === #

    def _is_assisted(self, order):
        """It is never recorded by hand: an order that Amazon ships is cancelled as a
        whole."""
        return False

    def _status_blocker(self, order):
        if order.channel in ("fba", "mcf"):
            return self.env._(
                "Amazon ships this order, and takes no cancellation of single items. "
                "Choose the whole order instead."
            )
        if order.fulfillment_status == "PARTIALLY_SHIPPED":
            return self._marketplace_blocker(order)
        return super()._status_blocker(order)

    def _pending_blocker(self, order):
        whole = self._asked(order, "cancel", RESERVING_STATES)
        return whole and self.env._(
            "The cancellation of the whole order is asked for already: %(action)s, "
            "%(state)s",
            action=whole.name,
            state=whole.state_message,
        )

    def _blockers(self, order):
        blockers = super()._blockers(order)
        if not blockers and not any(map(self._cancellable, order.line_ids)):
            blockers.append(
                self.env._("Nothing is left of this order that could be cancelled.")
            )
        return blockers

    def _check_quantities(self, order, quantities):
        problem = (
            self._quantity_problem(order, quantities)
            or self._too_many(order, quantities)
            or self._whole_order_problem(order, quantities)
        )
        if problem:
            raise UserError(problem)

    def _quantity_problem(self, order, quantities):
        if not quantities or any(quantity <= 0 for quantity in quantities.values()):
            return self.env._("Enter how many units to cancel.")
        if any(line.order_id != order for line in quantities):
            return self.env._("An item belongs to another order.")
        return False

    def _too_many(self, order, quantities):
        for line, quantity in quantities.items():
            left = self._cancellable(line)
            if quantity > left:
                return self.env._(
                    "Of %(item)s at most %(left)s can still be cancelled.",
                    item=line.title,
                    left=left,
                )
        return False

    def _whole_order_problem(self, order, quantities):
        """Amazon wants a whole order cancelled by the Order Acknowledgement (the same
        help page). What is left of an order that is shipped in part is none."""
        if order.fulfillment_status != "UNSHIPPED" or any(
            line.quantity_open - self._reserved(line) > quantities.get(line, 0)
            for line in order.line_ids
        ):
            return False
        return self.env._(
            "With these units nothing is left of the order. Choose the whole order "
            "instead."
        )

    def _authority_amount(self, order, amounts, quantities):
        """Override: the share of what was charged for each item."""
        return order.currency_id.round(
            sum(
                line.charged * quantity / max(line.quantity_ordered, quantity)
                for line, quantity in quantities.items()
            )
        )

    def _late_blocker(self, action):
        blocker = super()._late_blocker(action)
        if blocker:
            return blocker
        for line in action.line_ids._standing().order_line_id:
            if line.quantity_open < self._reserved(line):
                return self.env._(
                    "Meanwhile Amazon shows only %(left)s of %(item)s as still to be "
                    "shipped. Nothing was sent.",
                    left=line.quantity_open,
                    item=line.title,
                )
        return False

    # === COUNTING UNITS === #

    @api.model
    def _cancellable(self, line):
        """Return the units of an item that can still be cancelled.

        :param amazon.order.line line: an item
        :rtype: int
        """
        return left_to_ship(line)

    @api.model
    def _reserved(self, line):
        """Return the units of an item that are asked for here, and not seen in the
        order yet.

        :param amazon.order.line line: an item
        :rtype: int
        """
        return self._units_asked_for(line, RESERVING_STATES)

    def _units_asked_for(self, line, states):
        # sudo: what is asked for counts, whoever looks
        asked = line.sudo().order_id.action_ids.filtered(
            lambda action: action.kind == "cancel_items" and action.state in states
        )
        lines = asked.line_ids._standing().filtered(
            lambda of_action: of_action.order_line_id == line
        )
        return sum(lines.mapped("quantity"))

    def _cancelled_otherwise(self, line):
        """Return the units of an item that Amazon shows as cancelled and that no
        confirmed action accounts for."""
        accounted = self._units_asked_for(line, ("confirmed",))
        return max(line.quantity_cancelled - accounted, 0)

    # === WHAT IS SENT === #

    def _feed_type_for(self, order, reason):
        return self._feed_type

    def _build_message(self, action):
        return CancelQuantityMessage(
            message_id=action.message_number,
            amazon_order_id=action.order_id.amazon_order_ref,
            items=tuple(
                CancelQuantityItem(
                    order_item_id=line.order_line_id.amazon_item_ref,
                    merchant_adjustment_item_id=f"{action.name}-{line.id}",
                    reason=action.reason,
                    quantity=line.quantity,
                )
                for line in action.line_ids._standing()
            ),
        )

    def _message_items(self, action):
        return action.line_ids.order_line_id

    # === HOW IT IS CONFIRMED === #

    def _note_state(self, action):
        """Note what was cancelled otherwise when units are asked for, and again when
        they are sent: that is no evidence for them."""
        if action.state in ("to_approve", "queued", "sending"):
            for line in action.line_ids._standing():
                item = line.order_line_id
                line.quantity_before = self._cancelled_otherwise(item)

    def _is_confirmed(self, action):
        """Whether the order shows as many units less as were asked for, besides what
        was cancelled otherwise and by other actions. What was held since somebody
        else may have done it is for a person to decide."""
        is_held = action.state == "unknown" and not action._has_left()
        return not is_held and self._is_cut(action)

    def _is_cut(self, action):
        return all(
            self._cancelled_otherwise(line.order_line_id) - line.quantity_before
            >= line.quantity
            for line in action.line_ids._standing()
        )

    def _late_doubt(self, action):
        """Override: the same units may be cancelled already."""
        if not self._is_cut(action):
            return False
        values = {"action": action.name, "units": self._units(action)}
        if not action._has_left():
            return self.env._(
                "Since %(action)s was asked for, Amazon's order shows %(units)s as "
                "cancelled, and nobody here accounts for that. It may be the same "
                "cancellation, so %(action)s is not sent. Look at the order in Seller "
                "Central and decide.",
                **values,
            )
        return self.env._(
            "Amazon's order shows %(units)s as cancelled by now, and nobody here "
            "accounts for that. It may be %(action)s itself, so it is not sent again. "
            "Look at the order in Seller Central and decide.",
            **values,
        )

    def _disproof(self, action):
        """Nothing: how Amazon shows cancelled units is assumed (amazon.order.line), and
        who believed that they are not cancelled would cancel as many again."""
        return False

    # === WHAT IS SAID === #

    def _units(self, action):
        """Return the units of each item, as a person reads them."""
        return ", ".join(
            f"{line.quantity} × {line.order_line_id.title}"
            for line in action.line_ids._standing() or action.line_ids
        )

    def _sentence_values(self, action):
        return {
            "units": self._units(action),
            "by": self._others_words(action),
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "reason": self._reason_label(
                "amazon.cancel.request", action.reason, "items_reason"
            ),
            "feed": action.feed_id.feed_ref or "",
            "code": action.amazon_code or "",
            "text": action.amazon_text or "",
        }

    def _case(self, action, state):
        is_of_other = state == "confirmed" and self._others(action)
        return "confirmed_by_other" if is_of_other else state

    def _others(self, action):
        """Override: Amazon names somebody for an item, not for a unit."""
        items = action.line_ids._standing().order_line_id
        return set(items.mapped("cancelled_by")) - {"MERCHANT", False}
