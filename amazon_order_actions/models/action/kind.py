from datetime import timedelta

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

# Hours in which Amazon wants a buyer's message answered (Seller Central, Contact
# Response Time), and how long before its end an action from the ticket goes first.
ANSWER_HOURS = 24
ANSWER_RESERVE_HOURS = 2

# Seconds in which an action can be taken back, unless the account says otherwise.
UNDO_SECONDS = 10

# Minutes after the end of a feed from which on an order that is not cancelled proves
# that its cancellation was not executed.
NOT_CANCELLED_MINUTES = 30

# Minutes after a call without an answer from which on what Amazon's data does not show
# was not executed, where a kind can tell.
NOT_EXECUTED_MINUTES = 30

# Kinds that send what may name the buyer (an address, a message), so that Amazon's
# answer may repeat it. Their words are not journaled: nobody could remove them again.
KINDS_THAT_MAY_NAME_A_BUYER = ("mcf_update", "message")


class AmazonActionKind(models.AbstractModel):
    """What a kind of action has to say. One model ``amazon.action.kind.<kind>`` each.

    The engine (``amazon.action``, ``amazon.feed``) knows no kind; it asks this one.
    """

    _name = "amazon.action.kind"
    _description = "Amazon Action Kind"

    # XML id of the group whose members may ask for it
    _group = None
    # The feed that carries it to Amazon; None where it is a call of its own
    _feed_type = None
    # What a success of its own call says: "accepted" (Amazon has checked and taken it)
    # or "submitted" (asked for, and the outcome shows later)
    _answered_state = None
    # Whether Amazon's own data shows the outcome, sooner or later
    _is_shown_by_amazon = True
    # Field of the account: seconds in which it can be taken back
    _undo_field = None

    @api.model
    def _check_right(self):
        """Refuse users who may not ask for this kind.

        Asked of the real user also in sudo mode, so that no caller's sudo opens it.

        :raise AccessError: when the user is not in the group of this kind
        """
        if not self.env.user.has_group(self._group):
            raise AccessError(self._refusal())

    def _right(self):
        """Return the right that its group stands for, as in `amazon.authority`."""
        return self._group.rpartition("group_")[2]

    def _authority_amount(self, order, amounts, quantities):
        """Return what counts against the limits of who asks, in the order's currency.

        :param amazon.order order: the order, taken for this transaction
        :param dict amounts: amount for each charge
        :param dict quantities: units of each item
        :rtype: float
        """
        return sum(amounts.values())

    def _refusal(self):
        """Hook: the sentence for a user without the right."""
        raise NotImplementedError

    def _blockers(self, order):
        """Hook: sentences that say why it is not possible for this order now.

        :param amazon.order order: one order
        :rtype: list[str]
        """
        raise NotImplementedError

    def _warnings(self, order):
        """Return sentences that a person should read before asking for it. Kinds add
        their own."""
        warnings = []
        if order.read_message and order.read_at:
            warnings.append(
                self.env._("This is an old reading. %s", order.read_message)
            )
        if not self._is_assisted(order):
            kind = self._name.removeprefix("amazon.action.kind.")
            warnings += [
                self.env._(
                    "%s What you ask for waits until an administrator resumes it.",
                    stop._sentence(),
                )
                for stop in order.account_id._stops_of(kind)
            ]
        return warnings

    def _is_assisted(self, order):
        """Hook: whether Amazon offers no operation for it, so that a person does it
        in Seller Central and records it here."""
        return False

    def _check_possible(self, order, amounts):
        """Hook: refuse what is not possible.

        :param amazon.order order: the order, taken for this transaction
        :param dict amounts: amount for each charge, in the order's currency
        :raise UserError: with the sentences that say why
        """
        raise NotImplementedError

    def _check_quantities(self, order, quantities):
        """Hook: refuse units that are not possible.

        :param amazon.order order: the order, taken for this transaction
        :param dict quantities: units of each item
        :raise UserError: with the sentences that say why
        """

    def _check_details(self, order, details):
        """Hook: refuse what else is asked for where it is not possible.

        :param amazon.order order: the order, taken for this transaction
        :param dict details: what the kind needs to carry it out
        :raise UserError: with the sentences that say why
        """

    def _gap(self, order):
        """Hook: what must be known of an order before money leaves for it, and is not,
        in the words that the order keeps; or False.

        :param amazon.order order: the order to act on
        :rtype: str | bool
        """
        return False

    def _not_known(self, order):
        """Hook: the sentence for a person that says what is not known
        (:meth:`_gap`) and what to do, or False. It needs a second person then.

        :param amazon.order order: the order to act on
        :rtype: str | bool
        """
        return False

    def _late_blocker(self, action):
        """Hook: why an action that waits may not be sent any more, or False."""
        raise NotImplementedError

    def _late_doubt(self, action):
        """Hook: what Amazon's data shows of an action that was sent before and waits to
        be sent again, so that it may be at Amazon after all; or False.

        :rtype: str | bool
        """
        return False

    def _undo_seconds(self, order):
        """Return the seconds for which it stays here, so that it can be taken back.

        :param amazon.order order: the order to act on
        :rtype: int
        """
        return 0 if self._is_assisted(order) else order.account_id[self._undo_field]

    def _urgent_from(self, origin):
        """Return the time from which it is sent before the others, or False.

        Amazon wants a buyer's message answered within a day, so what is asked for from
        a case goes first near the end of that time.

        :param origin: the document that it is asked from
        """
        if not origin._is_case():
            return False
        hours = ANSWER_HOURS - ANSWER_RESERVE_HOURS
        return origin.create_date + timedelta(hours=hours)

    def _feed_type_for(self, order, reason):
        """Hook: the feed that carries an action which is asked for now, or False where
        it is a call of its own.

        :param amazon.order order: the order to act on
        :param str reason: Amazon's code of the reason
        """
        return self._feed_type

    def _build_message(self, action):
        """Hook for what a feed carries: the message of one action, as the envelope
        takes it; its ``message_number`` says which one it is."""
        raise NotImplementedError

    def _message_items(self, action):
        """Return the items of the order that the message of an action names.

        :rtype: amazon.order.line
        """
        return action.line_ids.order_line_id

    def _build_call(self, action):
        """Hook for what is a call of its own: the method of
        :class:`spapi.client.SellerClient` and its arguments, all known before.

        :rtype: tuple[str, tuple]
        """
        raise NotImplementedError

    def _call_operation(self, action):
        """Hook for what is a call of its own: Amazon's name of the operation."""
        raise NotImplementedError

    def _feed_instead(self, http_status):
        """Hook for what is a call of its own: the feed that carries it where Amazon
        refuses the call, or False. Only for answers which say that nothing was done.

        :param int http_status: status of Amazon's answer
        """
        return False

    def _refusal_kept(self, action, reason):
        """Hook for what is a call of its own: Amazon's words where it refuses the call,
        as they may be kept.

        :param str reason: Amazon's words
        :rtype: str
        """
        return reason

    def _after_answer(self, action):
        """Have the outcome looked for, once Amazon has answered the call."""
        if action.state == "submitted":
            action._enqueue_look()
        elif self._is_shown_by_amazon:
            action._enqueue_confirm()

    def _kept_details(self, details):
        """Hook: what stays of the details of an action that is over; not what names or
        addresses a buyer, nor what was written to one.

        :param dict details: what was asked for
        :rtype: dict | bool
        """
        return details

    def _is_complete(self, details):
        """Hook: whether the details still have all that is needed to send it; after a
        time, what names or addresses a buyer is removed from them.

        :param dict details: what is left of what was asked for
        :rtype: bool
        """
        return True

    def _note_state(self, action):
        """Hook: note what its outcome will be judged by, with each state that it
        reaches. Where that fails, it does not reach the state."""

    def _is_confirmed(self, action):
        """Hook: whether Amazon's own data, as just read, shows the outcome."""
        raise NotImplementedError

    def _disproof(self, action):
        """Hook: the sentence that says by what Amazon's own data shows that it was not
        executed, or False where it cannot be known."""
        return False

    def _sentence(self, action, state):
        """Hook: what the chatter says of an action that reached ``state``."""
        raise NotImplementedError

    # === HELPERS === #

    def _not_read_blocker(self, order):
        """What is said of an order that Amazon has not told us about yet."""
        return not order.read_at and self.env._(
            "The order %(order)s has not been read from Amazon yet. %(problem)s",
            order=order.amazon_order_ref,
            problem=order.read_message or self.env._("Refresh it first."),
        )

    def _marketplace_blocker(self, order):
        """Return why an order cannot go by feed whose marketplace is none that we know,
        or False: an envelope is for exactly one. Kinds say what to do instead."""
        return not order.marketplace and self.env._(
            "This order is from a marketplace that is not supported. Do it in Seller "
            "Central."
        )

    def _check_way(self, order, reason):
        """Refuse what no feed could carry.

        :param amazon.order order: the order to act on
        :param str reason: Amazon's code of the reason
        :raise UserError: where its marketplace is none that we know
        """
        if self._is_assisted(order) or not self._feed_type_for(order, reason):
            return
        unlisted = self._marketplace_blocker(order)
        if unlisted:
            raise UserError(unlisted)

    def _reason_label(self, request_model, reason, field="reason"):
        """Return the label of a reason in the user's language."""
        selection = self.env[request_model]._fields[field]
        labels = dict(selection._description_selection(self.env))
        return labels.get(reason, reason)

    def _money(self, amount, currency):
        """Return an amount as a person reads it."""
        return formatLang(self.env, amount, currency_obj=currency)
