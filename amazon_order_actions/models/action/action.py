from datetime import timedelta
from functools import partial

from markupsafe import Markup

from odoo import Command, api, fields, models
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...spapi.operations import OPERATIONS
from ..account.participation import marketplace_selection
from ..base.background import in_background
from ..base.clock import database_now
from ..base.containment import contained, log_failure, worked_together
from ..base.groups import ACTORS_AND_JOURNAL, ADMIN, APPROVE
from ..base.private_log import private_logger
from ..order.reading import (
    CONFIRM_MIN_SECONDS,
    ORDER_FRESH_SECONDS,
    PER_ORDER,
)
from .kind import KINDS_THAT_MAY_NAME_A_BUYER, kind_selection
from .states import (
    ACTION_STATES,
    ACTION_TRANSITIONS,
    APPROVAL_STATES,
    AWAITED_STATES,
    BEFORE_SENDING,
    SURPASSED,
)

_logger = private_logger(__name__)

# Orders that are read by themselves at the first look for their outcome; where more
# were accepted at once, the lists of the account show it.
CONFIRM_SINGLE_ORDERS = 10

# Days after which an accepted action that Amazon's own data does not show is reported.
# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents);
# deferred money appears when it is released.
CONFIRM_ALERT_DAYS = 14

# Who holds it may create actions. It is no value that could come in by RPC.
_DOOR = object()

# Who accounts for every action of a company, whatever document it was asked from.
ACCOUNTABLE = (APPROVE, "amazon_order_actions.group_journal", ADMIN)

# Who sees which credit notes are about a refund: not the customer, who may read them.
BOOKKEEPERS = "account.group_account_invoice,account.group_account_readonly"


class AmazonAction(models.Model):
    """One thing asked of Amazon for one order, and what is known of its outcome.

    The rows are the outbox: what is in state *queued* will be sent, and only the state
    decides that, never a job. All changes of state go through :meth:`_update_state`.

    Who reads it: who may read the document that it was asked from; who asked for it;
    who accounts for all of the company (approvers and who stands in for one, readers of
    the journal, administrators of the addon); of what was asked from no document,
    whoever may read Amazon orders of the company. Nobody reads more of the document by
    that: to who may not read it, it is a number. What is promised counts all actions,
    in sudo mode, whoever looks.
    """

    _name = "amazon.action"
    _inherit = [
        "amazon.action.items",
        "amazon.document.access",
        "amazon.own.defaults",
        "amazon.set.aside",
        "amazon.company.name",
        "amazon.plain.export",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Amazon Action"
    _order = "id desc"
    _keeps_account = True
    _check_company_auto = True

    name = fields.Char("Reference", required=True, readonly=True, copy=False)
    kind = fields.Selection(kind_selection, required=True, readonly=True)
    # Decided when it is asked for, so that no setting changes the way of what waits.
    feed_type = fields.Char(
        compute="_compute_feed_type",
        store=True,
        # or else Odoo drops what is given at the creation; nobody may write actions
        readonly=False,
        precompute=True,
        help="The feed that carries it to Amazon; empty: a call of its own.",
    )
    state = fields.Selection(
        ACTION_STATES, required=True, readonly=True, copy=False, index=True
    )
    state_message = fields.Char("Known", readonly=True, copy=False)
    last_state_change = fields.Datetime("Since", readonly=True, copy=False)
    order_id = fields.Many2one(
        "amazon.order",
        required=True,
        readonly=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        required=True,
        readonly=True,
        ondelete="restrict",
        check_company=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    marketplace = fields.Selection(marketplace_selection, readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Without the items that Amazon has rejected alone."
    )
    line_ids = fields.One2many("amazon.action.line", "action_id", readonly=True)
    reason = fields.Char(
        readonly=True, help="Amazon's code of the reason that was given."
    )
    note = fields.Text(
        readonly=True,
        help="What the person who asked wrote down.",
        groups=ACTORS_AND_JOURNAL,
    )
    user_id = fields.Many2one(
        "res.users", "Asked by", required=True, readonly=True, ondelete="restrict"
    )
    asked_at = fields.Datetime(required=True, readonly=True)
    due_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Not sent before: until then it can surely be taken back.",
    )
    urgent_from = fields.Datetime(
        readonly=True, copy=False, help="From then on it is sent before the others."
    )
    # By model and id: which documents there are is for others to say.
    origin_model = fields.Char(readonly=True, copy=False)
    origin_id = fields.Many2oneReference(
        "Document",
        model_field="origin_model",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )
    origin_name = fields.Char(
        "Asked From",
        readonly=True,
        copy=False,
        help="The number of the document that it was asked from.",
    )
    nonce = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        help="Made when the dialog opened, so that one dialog asks only once.",
    )
    # What only its kind understands. May name the buyer: for the program alone, and not
    # kept when the action is over.
    details = fields.Json(readonly=True, copy=False, groups=fields.NO_ACCESS)
    submitted_at = fields.Datetime(readonly=True, copy=False)
    accepted_at = fields.Datetime(readonly=True, copy=False)
    confirmed_at = fields.Datetime(readonly=True, copy=False)
    unconfirmed_noted_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When it was noted that Amazon's own data does not show it.",
    )
    amazon_code = fields.Char("Amazon's Code", readonly=True, copy=False)
    amazon_text = fields.Text("Amazon's Text", readonly=True, copy=False)
    # The feed that carries it may stand still, too.
    feed_set_aside_message = fields.Text(
        related="feed_id.set_aside_message", string="Why Its Feed Stands Still"
    )
    erased_at = fields.Datetime(
        "Words Removed",
        readonly=True,
        copy=False,
        help="What people and Amazon had written was removed then, since it may name "
        "the buyer. What was done, by whom and when stays.",
    )
    is_followed = fields.Boolean(
        "Followed in Odoo",
        readonly=True,
        copy=False,
        help="Sale orders, and what hangs on them, have followed the cancellation.",
    )
    credit_note_ids = fields.One2many(
        "account.move", "amazon_action_id", readonly=True, groups=BOOKKEEPERS
    )
    follower_failed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When something that should have followed from its state failed, the "
        "last time.",
    )
    follower_trace = fields.Text(
        "Traceback of What Did Not Follow", readonly=True, copy=False, groups=ADMIN
    )

    _nonce_uniq = models.Constraint(
        "unique(nonce)", "This was asked for already, from the same dialog."
    )
    # What a dispatcher looks for: few rows, however many actions there have been.
    _queued_idx = models.Index(
        "(account_id, marketplace, feed_type, due_at) WHERE state = 'queued'"
    )
    # What is on its way, for whoever looks after it: few rows, too.
    _moving_idx = models.Index(
        "(account_id, state, id) WHERE state IN ('sending', 'submitted', 'unknown')"
    )

    _set_aside_idx = models.Index("(account_id) WHERE set_aside_at IS NOT NULL")
    # What may name the buyer, and is not removed yet.
    _words_idx = models.Index(
        "(last_state_change) WHERE erased_at IS NULL AND (note IS NOT NULL"
        " OR decision_note IS NOT NULL OR details IS NOT NULL"
        " OR amazon_text IS NOT NULL)"
    )
    # What Amazon's own data may still confirm.
    _awaited_idx = models.Index(
        f"(account_id, last_state_change) WHERE state IN {AWAITED_STATES}"
    )
    # Which cancellations the sale orders have not followed.
    _unfollowed_idx = models.Index(
        "(account_id, last_state_change)"
        " WHERE kind IN ('cancel', 'cancel_items') AND is_followed IS NOT TRUE"
    )
    _follower_failed_idx = models.Index(
        "(account_id, follower_failed_at) WHERE follower_failed_at IS NOT NULL"
    )

    # === COMPUTE METHODS === #

    @api.depends("kind")
    def _compute_feed_type(self):
        for action in self:
            action.feed_type = action._kind()._feed_type

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to refuse what was not reserved: nobody would know of its money and
        units.

        :raise AccessError: from anywhere but :meth:`amazon.reservation._reserve`
        """
        if self.env.context.get("amazon_door") is not _DOOR:
            raise AccessError(
                self.env._(
                    "An action at Amazon comes only from asking for it on the order, "
                    "where its money and units are reserved."
                )
            )
        inside = self.with_context(amazon_door=False)
        return super(AmazonAction, inside).create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("What was asked of Amazon stays on record; it is not deleted.")
        )

    # === ACTION METHODS === #

    def action_open_origin(self):
        """Open the document that it was asked from.

        :raise AccessError: when the user may not read the action, or the document
        :raise UserError: when the document is not there any more
        """
        self.ensure_one()
        self.check_access("read")
        origin = self.sudo()._get_origin().exists().sudo(False)
        if not origin:
            raise UserError(
                self.env._(
                    "The document %s is not in Odoo any more.", self.origin_name or ""
                )
            )
        origin.check_access("read")
        return origin._get_records_action()

    def action_withdraw(self):
        """Take back what waits for approval or is queued, before anything is sent.

        :raise UserError: when one of them is neither any more
        """
        for action in self:
            action.check_access("read")
            action._kind()._check_right()
            action_sudo = action.sudo()
            try:
                action_sudo.lock_for_update(allow_referencing=True)
            except LockError:
                raise UserError(
                    self.env._(
                        "%(action)s is being made ready for Amazon at this moment. "
                        "Look at it again in a minute.",
                        action=action.name,
                    )
                ) from None
            action_sudo.invalidate_recordset(["state"])
            if action_sudo.state not in BEFORE_SENDING or not action_sudo._take_back():
                raise UserError(
                    self.env._(
                        "%(action)s is not queued any more, so it cannot be withdrawn.",
                        action=action.name,
                    )
                )
        return True

    def action_try_again(self):
        """Override to try its feed again, too."""
        result = super().action_try_again()
        self.sudo().feed_id._try_again()
        return result

    def action_record_by_hand(self):
        """Open the dialog that records what was done in Seller Central instead of what
        Amazon has rejected. Sends nothing.

        :raise AccessError: when the user may not ask for this kind
        :raise UserError: where it was not rejected, or Amazon takes it from here
        """
        self.ensure_one()
        self.check_access("read")
        self._kind()._check_right()
        return self._kind()._open_record_by_hand(self)

    def _take_back(self):
        """Withdraw it; where it had left once, do not say that nothing was sent.

        :return: the action, where it moved
        """
        reason = None
        if self.first_sending_at:
            reason = self.env._(
                "%(action)s was withdrawn and is not sent again. %(before)s It was not "
                "found at Amazon.",
                action=self.name,
                before=self._sent_before(),
            )
        return self._set_withdrawn(reason)

    # === WHO READS IT === #

    @api.model
    def _access_domain(self):
        """Override: see what the class says of readers."""
        if any(map(self.env.user.has_group, ACCOUNTABLE)):
            return Domain.TRUE
        return Domain.OR(
            [
                Domain("user_id", "=", self.env.uid),
                self._accounted_for(),
                Domain("origin_model", "=", False),
                *map(self._asked_from, self.env["amazon.document"]._document_models()),
            ]
        )

    @api.model
    def _accounted_for(self):
        """Hook: return which actions the user accounts for without a group that does.

        :rtype: Domain
        """
        return Domain.FALSE

    @api.model
    def _of_readable(self, name):
        """Return which records belong to an action that the user may read.

        :param str name: their field with the action
        :rtype: Domain
        """
        if self._access_domain().is_true():
            return Domain.TRUE
        return Domain(name, "in", self._search([]))

    def _asked_from(self, documents):
        """Return what was asked from those documents of a model that the user may read.

        :rtype: Domain
        """
        if not documents.has_access("read"):
            return Domain.FALSE
        readable = documents._search([], active_test=False)
        of_model = Domain("origin_model", "=", documents._name)
        return of_model & Domain("origin_id", "in", readable)

    # === BUSINESS METHODS - ASKING === #

    def _next_name(self):
        """Return the next reference. By the sequence's own id: to look for it by its
        code would be a query more with each click."""
        self.env["amazon.gatekeeper"]._tell("_before_asking")
        sequence_id = self.env["ir.model.data"]._xmlid_to_res_id(
            "amazon_order_actions.sequence_amazon_action", raise_if_not_found=True
        )
        return self.env["ir.sequence"].sudo().browse(sequence_id)._next_in_one_query()

    @api.model
    def _asked_before_sql(self, nonce):
        """Return the question which action a nonce stands for, if any.

        :param str nonce: of the dialog
        :rtype: SQL
        """
        self.flush_model(["nonce"])
        return SQL("(SELECT id FROM amazon_action WHERE nonce = %s)", nonce)

    def _prepare_lines(self, order, amounts, quantities):
        # known here; computed, the company would cost an UPDATE
        company = {
            "company_id": order.company_id.id,
            # before the amount, or it is looked for by way of the action to round
            "currency_id": order.currency_id.id,
        }
        of_amounts = [
            {"charge_id": charge.id, "order_line_id": charge.line_id.id, "amount": left}
            for charge, left in amounts.items()
        ]
        of_units = [
            {"order_line_id": line.id, "quantity": quantity}
            for line, quantity in quantities.items()
        ]
        return [Command.create(company | vals) for vals in of_amounts + of_units]

    def _create_reserved(self, vals):
        """Create an action whose order is taken, and that is possible.

        :param dict vals: values of the action
        :return: the action
        """
        # no log and no followers: the documents have them, and the click is short
        inside = self.with_context(amazon_door=_DOOR, tracking_disable=True)
        return inside.create(vals).with_env(self.env)

    @api.model
    def _begin(self, vals, note):
        """Create an action whose order is taken, and that is possible; record what was
        asked for, tell it, and have it go on.

        :param dict vals: values of the action
        :param str note: what the person who asked wrote down
        :return: the action
        :rtype: amazon.action
        """
        begun = []

        def begin(actions):
            # with its words, which would be an UPDATE more
            action = actions._create_reserved(vals | actions._prepare_words(vals))
            action._tell_asked(note)
            begun.append(action)

        if worked_together(self, begin):
            [action] = begun
        else:
            action = self._create_reserved(vals)
            action._tell_asked(note)
        self.env["amazon.gatekeeper"]._tell("_note_asked", action)
        action._start_off()
        return action

    def _prepare_words(self, vals):
        """Return the sentence of an action that is about to be created. One that waits
        for a second person has it only with its approval.

        :param dict vals: values of the action
        """
        if vals["state"] in APPROVAL_STATES:
            return {}
        return {"state_message": self.new(vals)._sentence()}

    def _tell_asked(self, note):
        """Say what was asked for: in words, in the journal and wherever it follows.

        :param str note: what the person who asked wrote down
        """
        if not self.state_message:
            self._write_sentence()
        self._kind()._note_state(self)
        self._journal(
            "recorded" if self.state == "assisted" else "asked",
            state_to=self.state,
            message=self._asked_message(),
        )
        self.with_context(amazon_note=note)._let_follow()

    def _start_off(self):
        """Have what is asked for go on by itself: to Amazon, to a second person, or to
        be looked for."""
        if self.state == "assisted":
            self._enqueue_confirm()
        elif self.state == "to_approve":
            self._ask_approval()
        else:
            self._enqueue_dispatch()

    def _kind(self):
        """Return the model that knows this action's kind."""
        return self.env["amazon.action.kind"]._named(self.kind)

    @api.model
    def _kinds_shown(self):
        """Return the kinds of action whose outcome Amazon's own data shows."""
        kinds = self.env["amazon.action.kind"]
        return [
            kind for kind in kinds._names() if kinds._named(kind)._is_shown_by_amazon
        ]

    # === BUSINESS METHODS - STATES === #

    def _set_sending(self):
        """The one call that cannot be repeated may leave from now on."""
        return self._update_state("sending")

    def _set_back_to_queued(self, reason):
        """It is proven that Amazon got nothing; it will be sent again."""
        return self._update_state("queued", reason, self._not_sent_vals())

    def _set_submitted(self, reason=None):
        """Amazon has taken the feed."""
        return self._update_state(
            "submitted", reason, {"submitted_at": database_now(self.env)}
        )

    @api.model
    def _perhaps_taken(self):
        """Return which actions are submitted by a feed that was taken for theirs, and
        may be another program's.

        :rtype: Domain
        """
        doubtful = self.browse().feed_id._doubtful()
        return Domain("state", "=", "submitted") & Domain("feed_id", "any", doubtful)

    def _set_unknown(self, reason):
        """Nobody can say whether Amazon has executed it. It is never sent again."""
        return self._update_state("unknown", reason)

    def _set_accepted(self, code=None, text=None):
        """Amazon's report covers it and lists no error for it."""
        return self._update_state(
            "accepted",
            vals={
                "accepted_at": database_now(self.env),
                "amazon_code": code,
                "amazon_text": text,
            },
        )

    def _set_rejected(self, code, text):
        """Amazon did not do it, with Amazon's own code and text."""
        return self._update_state(
            "rejected", vals={"amazon_code": code, "amazon_text": text}
        )

    def _set_confirmed(self):
        """Amazon's own data shows it."""
        return self._update_state(
            "confirmed", vals={"confirmed_at": database_now(self.env)}
        )

    def _set_blocked(self, reason):
        """It did not happen and will not: nothing was executed at Amazon. Of what had
        left once before, it is said first."""
        again = self.filtered("first_sending_at")
        blocked = (self - again)._update_state("blocked", reason)
        for action in again:
            said = self.env._(
                "%(before)s It was not found at Amazon. This time: %(reason)s",
                before=action._sent_before(),
                reason=reason,
            )
            blocked |= action._update_state("blocked", said)
        return blocked

    def _set_withdrawn(self, reason=None):
        """Somebody took it back, and Amazon has executed nothing of it."""
        return self._update_state("withdrawn", reason)

    def _set_assisted(self, reason):
        """A person saw in Seller Central that it is done."""
        return self._update_state("assisted", reason)

    def _update_state(self, target, reason=None, vals=None):
        """Move those actions to ``target`` that may go there; the only way to move.

        News that come twice change nothing. Illegal news change nothing and are
        logged, since a crash here would hide the news that matter. What cannot be moved
        together with its journal is set aside, and the others move.

        :param str target: the new state
        :param str reason: the sentence to show, instead of the kind's own
        :param dict vals: further values to write
        :return: the actions that moved
        :rtype: amazon.action
        """
        moved = contained(
            self.filtered(lambda action: action._may_become(target)),
            lambda actions: actions._move(target, reason, vals),
            lambda action, error: action._set_aside(error),
        )
        moved._let_follow()
        return moved

    # === BUSINESS METHODS - STANDING STILL === #

    # Set aside, nothing sends it, and nothing moves it but Amazon's own data of its
    # order, or a person.

    def _aside_sentence(self):
        if self.state not in BEFORE_SENDING:
            return self.env._(
                "An error in the program keeps %s from going on. Amazon may have it: "
                "do not do it a second time. An administrator is told.",
                self.name,
            )
        return self.env._(
            "An error in the program keeps %s from going on. Nothing is sent until an "
            "administrator, who is told, has it tried again.",
            self.name,
        )

    def _journal_try_again(self):
        self._journal(
            "again",
            state_from=self.state,
            state_to=self.state,
            message=self.set_aside_message,
        )

    def _go_on(self):
        if self.state == "queued":
            self._enqueue_dispatch()
        elif not self.feed_type:
            self._mend_call()
        elif self.feed_id:
            self.feed_id._go_on()
        elif self._is_of_lost_time() and not self.needs_person:
            self.env["amazon.gatekeeper"]._tell("_verify_on", self)
        self.order_id._notify_forms()

    def _check_moved(self, moved):
        """Undo what a person decided where it did not move what it was about.

        :param amazon.action moved: what `_update_state` returned
        :raise UserError: when this is not among it
        """
        if self not in moved:
            raise UserError(
                self.env._(
                    "Your decision on %s could not be recorded, because of an error in "
                    "the program. Nothing has changed. Tell an administrator, who "
                    "finds the error in the server's log.",
                    self.name,
                )
            )

    def _move(self, target, reason, vals):
        """Write the state, what is known, and the journal: all or nothing."""
        sources = {action: action.state for action in self}
        self.write(
            {
                # whatever moves stands still no more
                **self._not_aside(),
                **(vals or {}),
                # whatever becomes known needs no person any more, and what is written
                # down from now on has its own time
                "needs_person": False,
                "erased_at": False,
                "state": target,
                "last_state_change": database_now(self.env),
            }
        )
        if reason:
            self.state_message = reason
        else:
            self._write_sentence()
        for action in self:
            action._kind()._note_state(action)
        self.env["amazon.audit.entry"]._append(
            [
                action._prepare_journal_entry(
                    "state", state_from=sources[action], state_to=target
                )
                for action in self
            ]
        )

    def _write_sentence(self):
        """Write what is known of each action; its mere state where words fail."""

        def write(actions):
            for action in actions:
                action.state_message = action._sentence()

        def write_plain(action, error):
            log_failure(action, f"no words for {action.state}", error)
            action.state_message = action._state_label()

        contained(self, write, write_plain)

    def _state_label(self):
        labels = dict(self._fields["state"]._description_selection(self.env))
        return labels[self.state]

    def _may_become(self, target):
        """Tell whether the table of moves allows it; log what it does not."""
        source = self.state
        if source == target or target in SURPASSED.get(source, ()):
            _logger.info("%s is %s already, not %s", self.name, source, target)
            return False
        if source not in ACTION_TRANSITIONS[target]:
            _logger.warning(
                "%s: refused to go from %s to %s", self.name, source, target
            )
            return False
        return True

    # === BUSINESS METHODS - WHAT FOLLOWS === #

    def _let_follow(self):
        """Do all that follows from the state of these actions."""
        self.env["amazon.action.follower"]._let_follow(self)

    def _enqueue_follow_in_odoo(self):
        """Have other people's data follow, in a job: there is much of it, and it must
        not hold up what Amazon says."""
        if self.is_followed:
            return
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Follow the cancellation {self.name} in Odoo",
        )._job_follow_in_odoo()

    def _job_follow_in_odoo(self):
        """Let other people's data follow, once. Job; safe to run twice."""
        self.ensure_one()
        if self.is_followed:
            return
        self.is_followed = True
        for follower in self.env["amazon.action.follower"]._in_order():
            follower._guarded(
                self, partial(follower._follow_later, self), follower._failed()
            )
        self.order_id._notify_forms()

    # === BUSINESS METHODS - SENDING === #

    def _is_urgent(self):
        """Whether it goes before the others by now."""
        return bool(self.urgent_from) and self.urgent_from <= fields.Datetime.now()

    def _is_verified(self, is_read=False, now=None):
        """Whether Amazon was asked after the decision to act, and not too long ago,
        what the sending depends on; as its kind has it: see `_is_order_verified`."""
        return self._kind()._is_verified(self, is_read, now)

    def _is_order_verified(self, is_read=False, now=None):
        """Whether Amazon was asked about the order after it was decided to act on it,
        and not too long ago.

        :param bool is_read: whether it is known that the order was read after that:
            times are kept in whole seconds, and then the same one counts
        :param datetime now: by PostgreSQL's clock, where many are looked at
        """
        known_until = self.order_id.known_until
        now = now or database_now(self.env)
        oldest = now - timedelta(seconds=ORDER_FRESH_SECONDS)
        if not known_until or known_until <= oldest:
            return False
        decided = self._decided_at()
        return known_until > decided or (is_read and known_until == decided)

    def _decided_at(self):
        """Return since when it is decided to act on the order: asked for, approved
        where that was needed, sent again. What Amazon said before is too old.

        :rtype: datetime
        """
        decisions = (
            self.asked_at,
            self._approved_at(),
            self.sent_again_at,
            # what was known of a database before it was restored or moved
            self.account_id.life_found_at,
        )
        return max(filter(None, decisions))

    def _late_blocker(self):
        """Return why an action that waits cannot be sent any more, or False."""
        account = self.order_id.account_id
        if account != self.account_id:
            return self.env._(
                "The order belongs to the seller account %s, as Amazon says by now. "
                "Nothing was sent. Ask for it again.",
                account.name,
            )
        return self._lane_blocker() or self._kind()._late_blocker(self)

    def _lane_blocker(self):
        """Return why no feed can carry it, or False: a lane is of one marketplace."""
        if not self.feed_type or self.marketplace:
            return False
        unlisted = self._kind()._marketplace_blocker(self.order_id)
        return unlisted or self.env._(
            "Its marketplace was not supported when it was asked for. Nothing was "
            "sent. Ask for it again."
        )

    # === HOOKS - SENDING === #

    def _enqueue_dispatch(self):
        """Hook: have these actions sent, each as soon as it is due."""
        raise NotImplementedError

    def _sent_at(self):
        """Hook: return when it was sent the last time, or may have been; False."""
        return False

    def _not_sent_vals(self):
        """Hook: return the values of what is on its way no more."""
        return {}

    def _journal_sent(self):
        """Hook: return what the journal says of how it was sent."""
        return {}

    # === HOOKS - THE GATE === #

    # Whoever keeps the gate says whether what a person asks for may leave, or waits for
    # a second person. Where nobody keeps it, all may leave that may be asked for.

    @api.model
    def _gate(self, handler, order, request, now):
        """Hook: judge what the current user asks for.

        :param handler: the kind of action, in the user's environment
        :param amazon.order order: the order, taken for this transaction, in sudo mode
        :param ActionRequest request: settled, and possible
        :param datetime now: when the order was taken, by PostgreSQL's clock
        :return: values of the action; the state *to_approve* where it has to wait
        :rtype: dict
        :raise AccessError: when the user may not have it sent at all
        """
        return {}

    @api.model
    def _foresee_gate(self, handler, order, origin, amount):
        """Hook: return what the gate will say, before anybody has filled in the rest.

        :param handler: the kind of action, in the user's environment
        :param amazon.order order: the order
        :param origin: the document that it is asked from
        :param float amount: what counts against limits, in the order's currency
        :return: a sentence that refuses it, and one that says why it will wait; False
        """
        return False, False

    @api.model
    def _foresee_limit(self, handler, order, origin, amount):
        """Hook: return the sentence that says which limit is near, though not reached;
        False where none is.

        :param handler: the kind of action, in the user's environment
        :param amazon.order order: the order
        :param origin: the document that it is asked from
        :param float amount: what counts against limits, in the order's currency
        """
        return False

    @api.model
    def _why_no_mail(self, handler, order, document):
        """Hook: return why the current user may not write to a buyer by mail, which
        cannot wait for a second person, or False.

        :param handler: the kind of action that a message is
        :param amazon.order order: in sudo mode
        :param document: what it is written from, in sudo mode
        :raise AccessError: when the user may not write to buyers at all
        """
        return False

    def _ask_approval(self):
        """Hook: tell those who may decide on these actions that they wait."""

    def _why_may_not_approve(self, user):
        """Hook: return why a user may not be the second person for it, or False.

        Says nothing of delegation, nor of who has asked for it.

        :param res.users user: who wants to approve it
        """
        return False

    def _why_second_person_before(self):
        """Hook: return why a second person decided on it before, or False."""
        return False

    def _why_not_again_alone(self):
        """Hook: return why the current user may not have it sent again alone, or False.

        :raise AccessError: when the user may not have it sent at all
        """
        return False

    def _ask_to_send_again(self, why):
        """Hook: have a second person decide whether it is sent again.

        :param str why: why a second person is needed
        """
        raise NotImplementedError

    def _approved_at(self):
        """Hook: return since when it is decided by a second person, or False."""
        return False

    def _is_gap_approved(self, gap):
        """Hook: whether it may leave although something is not known.

        :param str gap: what is not known
        """
        return False

    def _spend_approval(self):
        """Hook: the one sending is over that may have been approved without knowing
        all."""

    def _approval_sentence(self):
        """Hook: return what is known of an action in a state of its approval."""
        return self._state_label()

    def _panel_approvals(self):
        """Hook: return what the panel shows of these actions, which wait.

        :return: `can_approve` and `approval_until` by id of the action
        :rtype: dict
        """
        return {}

    # === BUSINESS METHODS - CONFIRMING === #

    def _may_show(self):
        """Whether Amazon's data may come to show it: it has left, also where it waits
        to be sent again."""
        waits_again = self.first_sending_at and self.state in BEFORE_SENDING
        return self.state in AWAITED_STATES or bool(waits_again)

    def _enqueue_confirm(self):
        """Have the outcome looked for in Amazon's own data: soon, then by range."""
        ranges = self.env["amazon.range.reading"]
        ranges._enqueue(self.account_id, CONFIRM_MIN_SECONDS)
        sent_together = max(self.feed_id.mapped("message_count"), default=0)
        if max(sent_together, len(self)) > CONFIRM_SINGLE_ORDERS:
            return
        for action in self:
            in_background(action, action.company_id).with_delay(
                priority=15,
                eta=CONFIRM_MIN_SECONDS,
                max_retries=0,
                description=f"Look for the outcome of {action.name} at Amazon",
            )._job_confirm()

    def _job_confirm(self):
        """Look for the outcome in Amazon's data of this order, once. Job.

        Only while Amazon's quota is plentiful; whatever is not seen then, the lists of
        the account show later.
        """
        self.ensure_one()
        if self.state not in ACTION_TRANSITIONS["confirmed"]:
            return
        if any(
            self.account_id._quota_wait(name, OPERATIONS[name].burst // 2)
            for name in PER_ORDER
        ):
            return
        self.order_id._read_from_amazon()
        self.order_id._notify_forms()

    def _note_unconfirmed(self):
        """Note on the documents that Amazon's data has not shown these actions."""
        self._post(
            lambda action: action.env._(
                "%(action)s: Amazon's own data has not shown it within %(days)s days. "
                "Check the order in Seller Central.",
                action=action.name,
                days=CONFIRM_ALERT_DAYS,
            )
        )
        self.unconfirmed_noted_at = fields.Datetime.now()

    # === LOGGING HELPERS === #

    def _sentence(self):
        """What is known, in one sentence for a person; of what is left of an action,
        also what is not."""
        if self.state in APPROVAL_STATES:
            sentence = self._approval_sentence()
        else:
            sentence = self._kind()._sentence(self, self.state)
        rejected = self._rejected_sentence()
        return f"{sentence} {rejected}" if rejected else sentence

    def _journal(self, event, **vals):
        """Append to the journal what has just happened to these actions."""
        self.env["amazon.audit.entry"]._append(
            [action._prepare_journal_entry(event, **vals) for action in self]
        )

    def _prepare_journal_entry(self, event, **vals):
        return {
            "event": event,
            "company_id": self.company_id.id,
            "account_id": self.account_id.id,
            "amazon_order_ref": self.order_id.amazon_order_ref,
            "action_id": self.id,
            "action_kind": self.kind,
            "origin_model": self.origin_model,
            "origin_id": self.origin_id,
            "origin_name": self.origin_name,
            # before the amount, or the ORM reads it back from the new row to round
            "currency_id": self.currency_id.id,
            "amount": self.amount,
            "message": self._journal_message(),
            **self._journal_sent(),
            **vals,
        }

    def _journal_message(self):
        """Return the sentence for the journal, which can never be removed: without
        Amazon's words where they may name the buyer."""
        if self.amazon_text and self.kind in KINDS_THAT_MAY_NAME_A_BUYER:
            return self.env._(
                "Amazon answered with the code %(code)s. Its words, which may name the "
                "buyer, stand with %(action)s for a while.",
                code=self.amazon_code or self.env._("none"),
                action=self.name,
            )
        return self.state_message

    def _asked_message(self):
        """Hook: return the sentence for the journal when it is asked for."""
        return self._journal_message()

    def _get_origin(self):
        """Return the document that it was asked from; of none, an empty sale order."""
        return self.env["amazon.document"]._document(self.origin_model, self.origin_id)

    def _record_for(self, user):
        """Return where to tell a user of it, since a mail and an activity name that:
        the document, or the action itself where the user may not read the document (any
        more).

        :param res.users user: who asked, or may look after the document
        """
        document = self._get_origin()
        return document if document and document._is_readable_by(user) else self

    def _post_sentence(self, note=False):
        """Post what is known now; nothing while the call is on its way.

        :param str note: what the person wrote down who asked or decided; the context
            says it where it follows from that
        """
        note = note or self.env.context.get("amazon_note")
        self.filtered(lambda action: action.state != "sending")._post(
            lambda action: self.env._(
                "%(action)s: %(sentence)s",
                action=action.name,
                sentence=action.state_message,
            ),
            note,
        )

    def _post(self, sentence_of, note=False):
        """Post a note on the documents of the Amazon orders.

        By whoever works: the person who clicked, or OdooBot in a job.

        :param sentence_of: returns the sentence of an action
        :param str note: what a person wrote down
        """
        bodies = {}
        for action, documents in self._documents().items():
            sentence = Markup("<p>%s</p>") % sentence_of(action)
            noted = sentence + Markup("<p>%s</p>") % note if note else sentence
            for document in documents:
                # what is written down in a document is for its readers
                body = noted if document == action._get_origin() else sentence
                by_id = bodies.setdefault(document._name, {})
                by_id[document.id] = by_id.get(document.id, Markup()) + body
        for model, by_id in bodies.items():
            self._log_notes(model, by_id)

    def _log_notes(self, model, bodies):
        """Log a note on each document, on the others even where one refuses it: state
        and journal are the record, whatever other code does with a note."""
        contained(
            self.env[model].browse(bodies),
            lambda documents: documents._message_log_batch(
                bodies={document.id: bodies[document.id] for document in documents}
            ),
            lambda document, error: log_failure(document, "no note", error),
        )

    def _documents(self):
        """Return the documents to tell for each action: where it was asked from first,
        then the sale orders of the same Amazon order.

        :rtype: dict
        """
        sale_orders = self.env["sale.order"].search(
            [("amazon_order_id", "in", self.order_id.ids)]
        )
        by_order = sale_orders.grouped("amazon_order_id")
        none = sale_orders.browse()
        documents = {}
        for action in self:
            origin = action._get_origin()
            others = by_order.get(action.order_id, none)
            documents[action] = [
                *origin,
                *(other for other in others if other != origin),
            ]
        return documents
