from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..base.clock import database_now
from ..base.groups import ACTORS_AND_JOURNAL
from ..order.reading import ORDER_STALE_AFTER


class AmazonActionUnknown(models.AbstractModel):
    """What a person can do where the search for an outcome has ended without one.

    A part of `amazon.action`, which alone inherits it.
    """

    _name = "amazon.action.unknown"
    _description = "Unknown Outcomes of Amazon Actions"

    needs_person = fields.Boolean(
        "Waits for a Decision",
        readonly=True,
        copy=False,
        help="Its outcome is unknown, and the search at Amazon has ended without one.",
    )
    decision_note = fields.Text(
        "Decision",
        readonly=True,
        copy=False,
        help="What the person wrote down who decided on the unknown outcome.",
        groups=ACTORS_AND_JOURNAL,
    )

    first_sending_at = fields.Datetime(
        "Sent First",
        readonly=True,
        copy=False,
        help="When it was sent the first time, where it is sent again although nobody "
        "knows for sure what became of that: Amazon may show it late.",
    )
    sent_again_at = fields.Datetime(
        "Decided to Send Again",
        readonly=True,
        copy=False,
        help="When it was found, the last time, that Amazon does not have it.",
    )
    absent_by_id = fields.Many2one(
        "res.users",
        "Seen Absent by",
        readonly=True,
        copy=False,
        ondelete="restrict",
        help="Who saw, the last time, that Amazon does not have it.",
    )

    restored_at = fields.Datetime(
        "Verified Since the Restore of",
        readonly=True,
        copy=False,
        help="It waited in a backup that was found to be restored then.",
    )
    seen_refund_id = fields.Integer(
        readonly=True,
        copy=False,
        help="The last refund of the order that was recorded when this was asked for, "
        "or when a person saw that Amazon does not have it. One that is recorded later "
        "may be this one.",
    )

    _needs_person_idx = models.Index("(company_id) WHERE needs_person")

    # === ACTION METHODS === #

    def action_decide_unknown(self):
        """Open the screen that shows what is known of an unknown outcome, and lets a
        person decide. Sends nothing.

        :raise AccessError: when the user may not ask for this kind
        :raise UserError: when its outcome is not unknown any more
        """
        self.ensure_one()
        self.check_access("read")
        self._kind()._check_right()
        self._check_unknown()
        # What Amazon shows by now belongs to the evidence.
        self.sudo().order_id.refresh_if_stale()
        return self.env["amazon.unknown.decision"]._open(self)

    # === BUSINESS METHODS === #

    def _hand_to_person(self, reason):
        """The search has ended without a result: a person must look at these.

        :param str reason: the sentence that says why
        """
        unknown = self.filtered(lambda action: action.state == "unknown")
        unknown.write({"needs_person": True, "state_message": reason})
        unknown._journal("handed", state_from="unknown", state_to="unknown")
        unknown._let_follow()

    def _hand_over_unrecorded(self):
        """What Amazon says of the orders of these cannot be recorded, whatever is
        tried: a person must look."""
        reason = self._unrecorded_sentence()
        self.filtered(lambda action: action.state == "sending")._set_unknown(reason)
        self._hand_to_person(reason)

    def _unrecorded_sentence(self):
        return self.env._(
            "It is unknown whether Amazon has it, and what Amazon says of the order "
            "could not be recorded several times, because of an error in the program. "
            "Look at the order in Seller Central and decide; tell an administrator, "
            "too."
        )

    def _set_doubtful(self, reason):
        """Something speaks of the outcome that does not decide it.

        :param str reason: the sentence that says what
        """
        unknown = self.filtered(lambda action: action.state == "unknown")
        (self - unknown)._set_unknown(reason)
        for action in unknown:
            action.state_message = reason
        unknown._journal("state", state_from="unknown", state_to="unknown")
        unknown._let_follow()

    def _refused_by_name(self, outcome, named):
        """Return those whose messages Amazon's report refuses by naming their orders.

        :param MessageOutcome outcome: what it says of the messages of all of these
        :param dict named: orders by message, see ``spapi.reports.named_orders``
        """
        if outcome.status != "rejected":
            return self.browse()
        return self.filtered(lambda action: action._is_named_in(named))

    def _is_named_in(self, named):
        """Whether Amazon's report names this action's order for its message.

        :param dict named: orders by message, see ``spapi.reports.named_orders``
        """
        orders = named.get(self.message_number, ())
        return self.order_id.amazon_order_ref in orders

    def _decide_executed(self, note):
        """Record that a person saw at Amazon that it is executed.

        :param str note: the person's words
        """
        action_sudo = self._take_unknown(note)
        action_sudo._set_assisted(
            self.env._(
                "%s saw in Seller Central that Amazon has executed it, and recorded "
                "that.",
                self.env.user.name,
            )
        )
        action_sudo._journal("recorded", state_from="unknown", state_to="assisted")
        action_sudo._enqueue_confirm()

    def _recorded_by(self):
        """Return who recorded that Amazon has executed these.

        :rtype: res.users
        """
        domain = [("action_id", "in", self.ids), ("event", "=", "recorded")]
        return self.env["amazon.audit.entry"].sudo().search(domain).user_id

    def _decide_absent(self, note):
        """Let it be sent again, since a person saw that Amazon does not have it; where
        a second person must decide on it, once that person has.

        :param str note: the person's words
        :raise AccessError: when the user may not have it sent
        :raise UserError: as long as it is searched for, where Amazon's data is old, or
            what was asked for is not kept any more
        """
        action_sudo = self._take_unknown(note)
        if not action_sudo.needs_person:
            raise UserError(
                self.env._(
                    "%s is still looked for at Amazon. It can be sent again when that "
                    "has ended without a result.",
                    self.name,
                )
            )
        action_sudo._check_order_known()
        action_sudo._check_complete()
        why_approval = action_sudo._why_not_again_alone()
        action_sudo.write(
            {
                "absent_by_id": self.env.user.id,
                "seen_refund_id": action_sudo.order_id.refund_ids._last_id(),
            }
        )
        if why_approval:
            action_sudo._ask_to_send_again(why_approval)
            return
        action_sudo._journal("decided", state_from="unknown", state_to="queued")
        moved = action_sudo._set_sent_again(action_sudo._absent_sentence())
        action_sudo._check_moved(moved)
        action_sudo._enqueue_dispatch()

    def _absent_sentence(self):
        """Say that the current user saw that Amazon does not have it."""
        if self._has_left():
            return self.env._(
                "%s saw in Seller Central that Amazon does not have it. It is sent "
                "again.",
                self.env.user.name,
            )
        return self.env._(
            "%s saw in Seller Central that Amazon does not have it. It is sent.",
            self.env.user.name,
        )

    def _has_left(self):
        """Whether it was sent once, or may have been."""
        return bool(self.first_sending_at or self.feed_id or self._sent_at())

    def _sent_before(self):
        """Say that it was sent before; of what a restored backup knows only as asked
        for, that it may have been."""
        if self.restored_at and self.first_sending_at == self.asked_at:
            return self.env._(
                "It may have been sent before, in the time that a restored backup lost."
            )
        return self.env._("It was sent before.")

    def _set_sent_again(self, reason):
        """Nothing shows that Amazon has it: it is sent again.

        That is no proof like that of a request which never left: Amazon's lists may
        lag, and people may overlook something. So it stays known when it left first.

        :param str reason: the sentence that says what was found
        :return: the actions that moved
        :rtype: amazon.action
        """
        self._note_sending_again()
        return self._set_back_to_queued(reason)

    def _note_sending_again(self):
        """Keep when these left first, and that what is known of their orders is too old
        to send them again."""
        now = database_now(self.env)
        self.order_id._forget_ahead(now)
        for action in self:
            action.write(
                {
                    "first_sending_at": action.first_sending_at or action._sent_at(),
                    "sent_again_at": now,
                }
            )
        self._spend_approval()

    def _late_doubt(self):
        """Return why what an action asks for may be at Amazon already, or False: by
        what the order shows, or by other evidence."""
        doubt = self._kind()._late_doubt(self)
        return doubt or self.env["amazon.action.doubt"]._of(self)

    def _doubt(self, reason):
        """Amazon may have it after all: it is not sent again, and a person decides.

        :param str reason: the sentence that says what Amazon shows
        """
        self._set_unknown(reason)._hand_to_person(reason)

    def _take_unknown(self, note):
        """Check again all that allows a decision, with the order taken.

        :return: the action in sudo mode
        :rtype: amazon.action
        """
        self.ensure_one()
        self.check_access("read")
        self._kind()._check_right()
        if not (note or "").strip():
            raise UserError(
                self.env._("Write down what you saw in Seller Central, and when.")
            )
        action_sudo = self.sudo().with_context(amazon_note=note)
        # Whoever else moves it takes the order, too, or changes the same row.
        action_sudo.order_id._take()
        action_sudo.invalidate_recordset(["state", "needs_person"])
        action_sudo._check_unknown()
        action_sudo.decision_note = note
        return action_sudo

    def _check_unknown(self):
        if self.state != "unknown":
            raise UserError(
                self.env._(
                    "The outcome of %(action)s is not unknown any more: %(message)s",
                    action=self.name,
                    message=self.state_message,
                )
            )

    def _check_order_known(self):
        """Refuse to send again what Amazon's data may show by now."""
        order = self.order_id
        oldest = database_now(self.env) - timedelta(seconds=ORDER_STALE_AFTER)
        if not order.known_until or order.known_until < oldest:
            raise UserError(
                self.env._(
                    "The order %s was not read from Amazon lately. Refresh it, look at "
                    "what it shows, and try again.",
                    order.amazon_order_ref,
                )
            )

    def _check_complete(self):
        """Refuse to send again what is not kept as it was asked for."""
        if not self._kind()._is_complete(self.details or {}):
            raise UserError(
                self.env._(
                    "%s cannot be sent again: what names or addresses the buyer was "
                    "removed from it meanwhile, as it must be after a time. Ask for it "
                    "again.",
                    self.name,
                )
            )

    # === BUSINESS METHODS - THE TIME THAT A RESTORED BACKUP LOST === #

    def _is_of_lost_life(self):
        """Whether it was asked for before a backup was restored, and nobody has
        verified since that it was not sent in the time that was lost.

        :rtype: bool
        """
        restored_at = self.account_id.restored_at
        return bool(
            restored_at
            and self.asked_at <= restored_at
            and (not self.restored_at or self.restored_at < restored_at)
        )

    def _is_of_lost_time(self):
        """Whether what is unknown of it is what was sent in the time that was lost.

        :rtype: bool
        """
        sent_at = self.call_id.sending_at
        return bool(
            self.state == "unknown"
            and self.restored_at
            and not self.feed_id
            and not (sent_at and sent_at > self.restored_at)
        )

    def _left_by(self):
        """Return the latest time at which the call of this action may have been made,
        or False."""
        moments = [m for m in (self.call_id.sending_at, self.restored_at) if m]
        return max(moments, default=False)

    def _left_from(self):
        """Return the earliest time at which the call of this action may have been made,
        or False."""
        moments = [m for m in (self.call_id.sending_at, self.first_sending_at) if m]
        return min(moments, default=False)
