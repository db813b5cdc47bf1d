from datetime import timedelta

from odoo import Command, api, models

from odoo.addons.amazon_order_actions.models.action.followers import Follower
from odoo.addons.amazon_order_actions.models.action.kind import NOT_CANCELLED_MINUTES
from odoo.addons.amazon_order_actions.models.action.states import BEFORE_SENDING
from odoo.addons.amazon_order_actions.models.sale.cancellation import NOT_DONE

from .stock_picking import CLOSED


class AmazonAction(models.Model):
    """The warehouse stops first: what a cancellation at Amazon does to the deliveries
    in Odoo."""

    _inherit = "amazon.action"

    # === WHAT FOLLOWS FROM A STATE === #

    @api.model
    def _followers(self):
        """Override: deliveries are stopped, or let go, before sale orders follow."""
        followers = super()._followers()
        names = [follower.method for follower in followers]
        place = names.index("_follow_cancellations")
        followers[place:place] = [
            Follower(
                "_hold_deliveries",
                self.env._(
                    "The deliveries in Odoo could not be put on hold. Tell the "
                    "warehouse not to ship this order."
                ),
            ),
            Follower(
                "_lift_deliveries",
                self.env._(
                    "The hold of the deliveries could not be lifted. Tell the "
                    "warehouse, which can release them."
                ),
            ),
        ]
        return followers

    def _hold_deliveries(self):
        """Follower: stop the deliveries when a cancellation is asked for. What is
        unknown keeps them on hold."""
        for action in self:
            if action._cancels_own_shipping() and action.state in BEFORE_SENDING:
                action._hold()

    def _lift_deliveries(self):
        """Follower: let the deliveries go whose cancellation did not happen."""
        for action in self:
            if (
                action._cancels_own_shipping()
                and action.state in NOT_DONE
                and not action._is_order_cancelled()
            ):
                action._lift()

    # === HOLDING === #

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

    def _is_taken_to_be_cancelled(self):
        """Whether Amazon has accepted to cancel the whole order, and its data has had
        no time yet to show whether it did."""
        if self.kind != "cancel" or self.state != "accepted":
            return False
        known = self.order_id.known_until
        wait = timedelta(minutes=NOT_CANCELLED_MINUTES)
        return not known or known < self.accepted_at + wait

    # === FOLLOWING === #

    def _follow_failed(self):
        """Override to name the deliveries, too."""
        return self.env._(
            "The sale order and its deliveries could not follow this cancellation. "
            "Cancel them by hand; the deliveries stay on hold."
        )

    def _units_to_take_out(self):
        """Override: the units hang on the deliveries, too."""
        return self.env._(
            "Take %s out of the sale order and of its deliveries, which are on hold, "
            "then release the deliveries.",
            self._kind()._units(self),
        )

    def _obstacle(self, sale_order):
        """Override: what has left is stopped or taken back by a person; and whatever
        a person must cancel stays on hold."""
        obstacle = super()._obstacle(sale_order)
        if sale_order.state == "cancel":
            return obstacle
        if self.account_id.cancel_in_odoo != "tell" and sale_order._delivered_lines():
            return self.env._(
                "Goods of %s have left. Stop the parcel or take it back: the buyer "
                "does not pay for it.",
                sale_order.name,
            )
        return obstacle and self.env._("%s Its deliveries are on hold.", obstacle)
