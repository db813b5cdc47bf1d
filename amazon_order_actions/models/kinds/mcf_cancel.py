from datetime import timedelta

from odoo import models
from odoo.tools.translate import LazyTranslate

from ..action.kind import NOT_EXECUTED_MINUTES
from ..action.states import RESERVING_STATES
from ..order.fulfillment_order import MCF_OPEN

_lt = LazyTranslate(__name__)


class AmazonActionMcf(models.AbstractModel):
    """What the kinds of action on a fulfillment order have in common.

    Amazon answers the call at once and acts later, so the outcome is looked for in the
    fulfillment order itself. Allowed as long as no unit is picked: "The seller can
    cancel a fulfillment order that has a status of" Received or Planning (model
    fulfillmentOutbound_2020-07-01, FulfillmentOrderStatus). For New, which comes before
    Received, and for changes the model does not say it: assumed.
    """

    _name = "amazon.action.kind.mcf"
    _inherit = "amazon.action.kind"
    _description = "Amazon Fulfillment Action"

    _answered_state = "submitted"
    # Kinds that must not be on their way at the same time
    _excludes = ()

    def _blockers(self, order):
        if not order.is_fulfillment_order:
            return [
                self.env._(
                    "%s is no fulfillment order (Multi-Channel Fulfillment), so this "
                    "is not possible for it.",
                    order.amazon_order_ref,
                )
            ]
        blocker = (
            self._not_read_blocker(order)
            or self._status_blocker(order)
            or self._pending_blocker(order)
        )
        return [blocker] if blocker else []

    def _status_blocker(self, order):
        if order.mcf_status in MCF_OPEN:
            return False
        return {
            "PROCESSING": self.env._(
                "Amazon is picking this order already. It can be neither cancelled "
                "nor changed any more; when the parcel is back, refund it where the "
                "buyer paid."
            ),
            "CANCELLED": self.env._("This order is cancelled at Amazon already."),
            "COMPLETE": self.env._(
                "Amazon has shipped this order. It can be neither cancelled nor "
                "changed any more; refund it where the buyer paid."
            ),
            "COMPLETE_PARTIALLED": self.env._(
                "Amazon has shipped a part of this order, and the rest is over. "
                "Nothing can be cancelled or changed any more; refund it where the "
                "buyer paid."
            ),
            "UNFULFILLABLE": self.env._(
                "Amazon found no stock for this order and sends nothing. Order anew, "
                "or refund it where the buyer paid."
            ),
            "INVALID": self.env._(
                "Amazon could not validate this order (address or stock) and sends "
                "nothing. Order anew, or refund it where the buyer paid."
            ),
        }.get(
            order.mcf_status,
            self.env._(
                "Nothing can be done from here with an order in this status. Look at "
                "it in Seller Central."
            ),
        )

    def _pending_blocker(self, order):
        # sudo: what is asked for counts, whoever looks
        asked = order.sudo().action_ids.filtered(
            lambda action: (
                action.kind in self._excludes and action.state in RESERVING_STATES
            )
        )
        return asked and self.env._(
            "Something was asked for this order already, and its outcome is open: "
            "%(action)s, %(state)s",
            action=asked[0].name,
            state=asked[0].state_message,
        )

    def _late_blocker(self, action):
        return self._status_blocker(action.order_id)

    # === HOW IT IS CONFIRMED === #

    def _is_read_since(self, action):
        """Whether the order was asked for after the call."""
        asked, sent = action.order_id.complete_at, action._left_by()
        return bool(asked and sent and asked > sent)

    def _is_late(self, action):
        """Whether the order was read so long after the call that what it does not show
        was not executed."""
        known, sent = action.order_id.known_until, action._left_by()
        wait = timedelta(minutes=NOT_EXECUTED_MINUTES)
        return bool(known and sent and known >= sent + wait)

    def _status_label(self, order):
        """Return the status of the fulfillment order in the user's language."""
        return self.env["amazon.order.panel"]._label(order, "mcf_status") or ""


class AmazonActionMcfCancel(models.AbstractModel):
    """Cancellation of a fulfillment order: a request that Amazon stops it.

    PUT cancelFulfillmentOrder, without a body; the answer says that the request has
    arrived. Done when the order says CANCELLED.
    """

    _name = "amazon.action.kind.mcf_cancel"
    _inherit = "amazon.action.kind.mcf"
    _description = "Amazon Cancellation of a Fulfillment Order"

    _label = _lt("Cancellation of a Fulfillment Order")
    _sequence = 60
    _dialog = "amazon.fulfillment.cancel.request"
    _group = "amazon_order_actions.group_cancel"
    _excludes = ("mcf_cancel",)
    _sentences = {
        "queued": _lt(
            "%(user)s asks to cancel the fulfillment order %(order)s. Nothing is sent "
            "to Amazon yet."
        ),
        "sending": _lt(
            "The cancellation of the fulfillment order %(order)s is being sent to "
            "Amazon."
        ),
        "submitted": _lt(
            "Amazon has received the request to cancel the fulfillment order "
            "%(order)s. The order does not show it yet, and may still be shipped."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the cancellation of the fulfillment "
            "order %(order)s. The order is looked at until it shows."
        ),
        "confirmed": _lt("Amazon shows the fulfillment order %(order)s as cancelled."),
        "rejected": _lt(
            "Amazon has not cancelled the fulfillment order %(order)s: %(text)s (code "
            "%(code)s)."
        ),
        "withdrawn": _lt(
            "The cancellation of the fulfillment order %(order)s was withdrawn. "
            "Nothing was sent to Amazon."
        ),
    }

    def _refusal(self):
        return self.env["amazon.action.kind.cancel"]._refusal()

    # === WHAT IS SENT === #

    def _call_operation(self, action):
        return "cancelFulfillmentOrder"

    def _build_call(self, action):
        return "cancel_fulfillment_order", (action.order_id.amazon_order_ref,)

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return action.order_id.mcf_status == "CANCELLED"

    def _disproof(self, action):
        """An order that Amazon picks or has shipped; or one without a trace of a
        request that Amazon has never answered. To ask again is harmless then: it can
        only be cancelled once."""
        order = action.order_id
        if not self._is_read_since(action):
            return False
        is_over = order.mcf_status not in (*MCF_OPEN, "CANCELLED")
        if is_over or (action.state == "unknown" and self._is_late(action)):
            return self.env._(
                "the order is not cancelled, its status at Amazon is %(status)s",
                status=self._status_label(order),
            )
        return False

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        return {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "code": action.amazon_code or self.env._("none"),
            "text": action.amazon_text or "",
        }
