from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.amazon_order_actions.models.action.kind import NOT_CANCELLED_MINUTES

# It may still happen at Amazon.
OPEN_AT_AMAZON = ("to_approve", "queued", "sending", "submitted", "unknown")
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
            if _is_taken_to_be_cancelled(action):
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

    @api.model
    def _hold_for(self, action):
        """Put the open deliveries of the order on hold.

        :param amazon.action action: the cancellation
        """
        pickings = action.order_id._open_deliveries()
        new = pickings.filtered(lambda picking: action not in picking.amazon_hold_ids)
        if not new:
            return
        new._change_holds(Command.link(action.id))
        new._note_amazon(
            self.env._(
                "On hold: %(action)s, %(sentence)s Do not ship it before Amazon has "
                "answered.",
                action=action.name,
                sentence=action.state_message,
            )
        )
        action._post(
            lambda action: self.env._(
                "%(action)s: on hold until Amazon has answered: %(deliveries)s.",
                action=action.name,
                deliveries=", ".join(new.mapped("name")),
            )
        )

    @api.model
    def _lift_for(self, action):
        """Let the open deliveries go on that this action holds; others may hold them,
        too.

        :param amazon.action action: the cancellation
        """
        held = self.search(
            [("amazon_hold_ids", "in", action.ids), ("state", "not in", CLOSED)]
        )
        held._change_holds(Command.unlink(action.id))
        held._note_amazon(
            self.env._(
                "Not on hold any more for %(action)s: %(sentence)s",
                action=action.name,
                sentence=action.state_message,
            )
        )

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


def _is_taken_to_be_cancelled(action):
    """Whether Amazon has accepted to cancel the whole order, and its data has had no
    time yet to show whether it did."""
    if action.kind != "cancel" or action.state != "accepted":
        return False
    known = action.order_id.known_until
    wait = timedelta(minutes=NOT_CANCELLED_MINUTES)
    return not known or known < action.accepted_at + wait
