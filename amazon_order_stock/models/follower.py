from odoo import models

from odoo.addons.amazon_order_actions.models.action.states import BEFORE_SENDING
from odoo.addons.amazon_order_actions.models.sale.cancellation import (
    NOT_DONE,
    cancels_own_shipping,
    is_order_cancelled,
)


class AmazonActionFollowerHold(models.AbstractModel):
    """The warehouse stops first: deliveries are held when a cancellation is asked for.
    What is unknown keeps them on hold."""

    _name = "amazon.action.follower.hold"
    _inherit = "amazon.action.follower"
    _description = "Hold of Deliveries for Amazon Cancellations"

    _place = 40

    def _follow(self, actions):
        for action in actions:
            if cancels_own_shipping(action) and action.state in BEFORE_SENDING:
                self.env["stock.picking"]._hold_for(action)

    def _failed(self):
        return self.env._(
            "The deliveries in Odoo could not be put on hold. Tell the warehouse not "
            "to ship this order."
        )


class AmazonActionFollowerLift(models.AbstractModel):
    """The deliveries go whose cancellation did not happen."""

    _name = "amazon.action.follower.lift"
    _inherit = "amazon.action.follower"
    _description = "End of the Hold of Deliveries for Amazon Cancellations"

    _place = 50

    def _follow(self, actions):
        for action in actions:
            if (
                cancels_own_shipping(action)
                and action.state in NOT_DONE
                and not is_order_cancelled(action)
            ):
                self.env["stock.picking"]._lift_for(action)

    def _failed(self):
        return self.env._(
            "The hold of the deliveries could not be lifted. Tell the warehouse, which "
            "can release them."
        )


class AmazonActionFollowerCancellation(models.AbstractModel):
    """Deliveries hang on the sale orders that follow."""

    _inherit = "amazon.action.follower.cancellation"

    def _failed(self):
        """Override to name the deliveries, too."""
        return self.env._(
            "The sale order and its deliveries could not follow this cancellation. "
            "Cancel them by hand; the deliveries stay on hold."
        )

    def _units_to_take_out(self, action):
        """Override: the units hang on the deliveries, too."""
        return self.env._(
            "Take %s out of the sale order and of its deliveries, which are on hold, "
            "then release the deliveries.",
            action._kind()._units(action),
        )

    def _obstacle(self, action, sale_order):
        """Override: what has left is stopped or taken back by a person; and whatever
        a person must cancel stays on hold."""
        obstacle = super()._obstacle(action, sale_order)
        if sale_order.state == "cancel":
            return obstacle
        if action.account_id.cancel_in_odoo != "tell" and sale_order._delivered_lines():
            return self.env._(
                "Goods of %s have left. Stop the parcel or take it back: the buyer "
                "does not pay for it.",
                sale_order.name,
            )
        return obstacle and self.env._("%s Its deliveries are on hold.", obstacle)
