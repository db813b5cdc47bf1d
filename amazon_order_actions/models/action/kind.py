from datetime import timedelta

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from ..base.private_log import private_logger
from ..base.words import translated

_logger = private_logger(__name__)

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


PREFIX = "amazon.action.kind."


def kind_selection(model):
    """The kinds of action as the options of a selection field, in their order, with
    their labels in the user's language."""
    kinds = model.env["amazon.action.kind"]
    return [
        (kind, translated(model.env, kinds._named(kind)._label))
        for kind in kinds._names()
    ]


class AmazonActionKind(models.AbstractModel):
    """What a kind of action has to say. One model ``amazon.action.kind.<kind>`` each.

    The engine (``amazon.action``, ``amazon.feed``) knows no kind; it asks this one. A
    model that inherits this one and has a label is a kind, in whatever addon it is.
    Where the addon goes, its actions stay on record, see ``amazon.action.kind.gone``.
    """

    _name = "amazon.action.kind"
    _description = "Amazon Action Kind"

    # What people call it (a lazy translation), and its place in lists
    _label = None
    _sequence = 100
    # The model of the dialog that asks for it; None: amazon.<kind>.request
    _dialog = None
    # XML id of the group whose members may ask for it
    _group = None
    # The feed that carries it to Amazon; None where it is a call of its own
    _feed_type = None
    # What a success of its own call says: "accepted" (Amazon has checked and taken it)
    # or "submitted" (asked for, and the outcome shows later)
    _answered_state = None
    # What is said of an action, by its state, or by what `_case` makes of it: lazy
    # translations, one for each state that the kind can reach
    _sentences = {}
    # Whether Amazon wants to know why
    _needs_reason = False
    # Whether Amazon's own data shows the outcome, sooner or later
    _is_shown_by_amazon = True
    # The kind whose time to take it back counts for it, too; None: it has its own
    _undo_like = None

    def init(self):
        """Override: accounts get a setting for a kind that an addon brings."""
        result = super().init()
        if self._label and not self._undo_like:
            self.pool.post_init(self.env["amazon.account.kind"]._create_missing)
        return result

    @api.model
    def _names(self):
        """Return the names of all kinds, in their order.

        :rtype: list[str]
        """
        kinds = [
            self.env[name]
            for name in self.pool.descendants(["amazon.action.kind"], "_inherit")
            if self.env[name]._label
        ]
        kinds.sort(key=lambda kind: (kind._sequence, kind._name))
        return [kind._kind_name() for kind in kinds]

    @api.model
    def _names_set_alone(self):
        """Return the names of the kinds for which an account has a setting.

        :rtype: list[str]
        """
        return [name for name in self._names() if not self._named(name)._undo_like]

    @api.model
    def _named(self, kind):
        """Return the model of a kind; where its addon is not installed any more, the
        one that stands for it.

        :param str kind: as an action has it
        """
        name = f"{PREFIX}{kind}"
        return self.env[name if name in self.env else f"{PREFIX}gone"]

    def _dialog_model(self):
        """Return the name of the model of the dialog that asks for it."""
        return self._dialog or f"amazon.{self._kind_name()}.request"

    def _kind_name(self):
        """Return its name, as an action has it."""
        return self._name.removeprefix(PREFIX)

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
            warnings += [
                self.env._(
                    "%s What you ask for waits until an administrator resumes it.",
                    hold.tell(),
                )
                for hold in order.account_id._holds_of(self._kind_name())
            ]
        return warnings

    def _is_assisted(self, order):
        """Hook: whether Amazon offers no operation for it, so that a person does it
        in Seller Central and records it here."""
        return False

    def _settle(self, order, request):
        """Hook: return the request with what only the order, once it is taken, can
        say of it.

        :param amazon.order order: the order, taken for this transaction
        :param ActionRequest request: what is asked for
        :rtype: ActionRequest
        """
        return request

    def _check_filled_in(self, order, request):
        """Refuse what is blocked, or not filled in by the person who asks.

        :param amazon.order order: the order, taken for this transaction
        :param ActionRequest request: what is asked for
        :raise UserError: with the sentences that say why
        """
        blockers = self._blockers(order)
        if blockers:
            raise UserError("\n".join(blockers))
        if self._needs_reason and not request.reason:
            raise UserError(self.env._("Choose the reason first."))
        if self._is_assisted(order) and not (request.note or "").strip():
            raise UserError(
                self.env._("Write down what you did in Seller Central, and when.")
            )

    def _check_plan(self, order, plan):
        """Hook: refuse a plan that is possible, but cannot be meant.

        :param amazon.order order: the order, taken for this transaction
        :param plan: the kind's own value, or None
        :raise UserError: with the sentence that says why
        """

    def _check_possible(self, order, amounts):
        """Hook: refuse amounts that are not possible.

        :param amazon.order order: the order, taken for this transaction
        :param dict amounts: amount for each charge, in the order's currency
        :raise UserError: with the sentences that say why
        """

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

    def _is_verified(self, action, is_read=False, now=None):
        """Hook for what is a call of its own: whether Amazon was asked what the sending
        depends on: what it says of the order, unless a kind depends on something else.

        :param amazon.action action: waits to be sent
        :param bool is_read: see `amazon.action._is_order_verified`
        :param datetime now: by PostgreSQL's clock, where many are looked at
        """
        return action._is_order_verified(is_read, now)

    def _verify(self, action):
        """Hook for what is a call of its own: ask Amazon what its sending depends on.

        :return: whether that is known, and the action still waits
        :rtype: bool
        """
        return action._verify_by_order()

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
        if self._is_assisted(order):
            return 0
        return order.account_id._undo_seconds(self._undo_like or self._kind_name())

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

    def _kept_refusal(self, action, text):
        """Hook: what of Amazon's words may be kept with an action whose call Amazon
        refuses: they may repeat what they refuse.

        :param str text: Amazon's words
        :rtype: str
        """
        return text

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

    def _may_record_by_hand(self, order, state):
        """Hook: whether Amazon has rejected it as what only a person can do, in Seller
        Central.

        :param amazon.order order: the order that it is about
        :param str state: of the action
        """
        return False

    def _open_record_by_hand(self, action):
        """Open the dialog that records that. Kinds that may be recorded override.

        :raise UserError: where it may not be recorded
        """
        raise UserError(
            self.env._("%s is not to be done in Seller Central.", action.name)
        )

    def _sentence(self, action, state):
        """Return what the chatter says of an action that reached ``state``."""
        sentence = self._sentences[self._case(action, state)]
        return self._fill_in(sentence, self._sentence_values(action))

    def _case(self, action, state):
        """Hook: return which of the sentences fits, where more than the state
        decides."""
        return state

    def _sentence_values(self, action):
        """Hook: return what the sentences name.

        :rtype: dict
        """
        raise NotImplementedError

    def _fill_in(self, sentence, values):
        """Return a sentence in the user's language, with what it names; in English
        where its translation is spoilt.

        :param sentence: a lazy translation
        :param dict values: what it names
        """
        try:
            return translated(self.env, sentence) % values
        except (TypeError, ValueError, KeyError):
            _logger.exception("Bad translation of %r", sentence)
            english = self.with_context(lang="en_US").env
            return translated(english, sentence) % values

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
