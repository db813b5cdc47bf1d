import time
import uuid
from datetime import timedelta
from math import ceil
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.errors import (
    IncompleteCredentials,
    InvalidMessage,
    NotSent,
    Refused,
    Throttled,
)
from ...spapi.operations import OPERATIONS
from ..action.action import CONFIRM_ALERT_DAYS
from ..action.lane import LANE_BUSY_SECONDS, Lane
from ..base.background import in_background, in_own_transaction
from ..base.clock import database_now
from ..base.containment import PASSED_ON
from ..base.groups import JOURNAL
from ..base.private_log import private_logger
from ..base.set_aside import contained_job
from ..holding.gatekeeper import NotNow
from ..order.reading import is_final
from .pace import VERIFY_SECONDS

_logger = private_logger(__name__)

# Seconds until a call is tried again that was proven not to have left, where Amazon did
# not say how long: half of the time since it was asked for, within these bounds.
CALL_RETRY_SECONDS, CALL_RETRY_MAX_SECONDS = 30, 300

# Seconds between two looks for the outcome of a call at Amazon: half of the time that
# has passed, within these bounds.
LOOK_MIN_SECONDS, LOOK_MAX_SECONDS = 30, 3600

# Hours after a call without an answer after which a person is asked.
CALL_NO_TRACE_HOURS = 24

# An action in one of these states needs what was noted for its call no more.
OVER = (
    "confirmed",
    "rejected",
    "blocked",
    "withdrawn",
    "refused",
    "expired",
    "assisted",
)
# States in which the outcome of a call is looked for at Amazon.
LOOKED_FOR = ("submitted", "unknown")


class Leaving(NamedTuple):
    """A call that is about to leave: all that is needed for it, known before."""

    method: str
    args: tuple


class AmazonAction(models.Model):
    """How an action leaves for Amazon: in a feed (sending/dispatch.py), or as a call of
    its own, a REST operation that concerns one order.

    As with feeds, the state *sending* is COMMITTED before the one call, together with a
    row of this sending (`amazon.call`), and what came of it after it. A call whose
    sender died is *unknown*, never sent again by itself; its outcome is looked for in
    Amazon's own data.
    """

    _name = "amazon.action"
    _inherit = ["amazon.action", "amazon.action.drop"]

    feed_id = fields.Many2one(
        "amazon.feed",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        check_company=True,
    )
    message_number = fields.Integer(
        readonly=True, copy=False, help="Number of its message in the feed."
    )
    feed_ref = fields.Char(related="feed_id.feed_ref", string="Amazon Feed")
    # The last of them, whatever came of it: a sender that stood still may find another.
    call_id = fields.Many2one(
        "amazon.call",
        "Last Call",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
        check_company=True,
    )
    call_ids = fields.One2many(
        "amazon.call", "action_id", "Calls", readonly=True, copy=False, groups=JOURNAL
    )
    request_ref = fields.Char(
        related="call_id.request_ref",
        string="Amazon Request",
        help="Amazon's id of the request (x-amzn-RequestId).",
    )

    # === BUSINESS METHODS - SENDING === #

    def _enqueue_dispatch(self):
        """Have these actions sent: by a dispatch of every lane that they wait in, or
        each by its own call."""
        calls = self.filtered(lambda action: not action.feed_type)
        calls._enqueue_call()
        due = {}
        for action in self - calls:
            lane = Lane(action.account_id.id, action.marketplace, action.feed_type)
            due.setdefault(lane, set()).add(action.due_at)
        for lane, moments in due.items():
            for due_at in {min(moments), max(moments)}:
                self.env["amazon.feed"]._enqueue_dispatch(lane, due_at)

    def _sent_at(self):
        """Override: its feed says so, or its last call."""
        return self.feed_id.sending_at or self.call_id.sending_at

    def _not_sent_vals(self):
        """Override: it is in no feed any more."""
        return {"feed_id": False, "message_number": 0}

    def _journal_sent(self):
        """Override to name the feed, or the call."""
        feed, call = self.feed_id, self.call_id
        return {
            "feed_ref": feed.feed_ref,
            "request_ref": call.request_ref or feed.request_ref,
            "payload_digest": feed.payload_digest or call.digest,
            "answer_digest": feed.report_digest,
        }

    # === BUSINESS METHODS - CALLS === #

    def _enqueue_call(self):
        """Enqueue the call of each action for when it is due."""
        for action in self:
            in_background(action, action.company_id).with_delay(
                priority=5,
                max_retries=0,
                eta=action.set_aside_until or action.due_at,
                description=f"Send {action.name} to Amazon",
            )._job_call()

    def _job_call(self):
        """Make the call of this action. Job; safe to run twice.

        This job's own transaction does nothing but hold the action's call. Its snapshot
        grows old meanwhile, so all that counts is read in transactions of their own.

        :raise RetryableJobError: when it should be run again later
        """
        self.ensure_one()
        self._hold_call()
        self.env["amazon.host.clock"]._compare()
        try:
            self._call_if_due()
        except PASSED_ON:
            raise
        except Exception as error:
            self._in_own("_set_call_aside", error)

    def _call_if_due(self):
        if not self._in_own("_is_call_due") or not self._is_life_in_order():
            return
        is_read = not self._is_verified()
        if is_read and not self._read_order():
            return
        account = self.account_id
        quota = account._quota()
        operation = OPERATIONS[self._kind()._call_operation(self)]
        wait = quota.prepay(operation, 1)
        if wait:
            raise self._call_later("Amazon's quota is used up.", wait)
        try:
            with account._client(quota) as client:
                client.prepare_write(operation.name)
                self._call_with(client, is_read)
        except IncompleteCredentials as error:
            self._in_own("_block_call", account._describe_error(error))
        except (NotSent, Throttled) as error:
            wait = getattr(error, "wait", None) or self._retry_seconds()
            raise self._call_later(str(error), wait) from None
        except Refused as error:
            # of the access token: nothing was sent
            self._in_own("_block_call", account._describe_error(error))
        finally:
            quota.give_back(operation)

    def _set_call_aside(self, error):
        """Set the action aside for what was raised. What is still queued is tried again
        by itself: it may be no fault of its own."""
        if self.state != "queued":
            self._set_aside(error)
            return
        self._set_aside_for_a_while(
            error,
            self.env._(
                "Nothing was sent: there was an error in the program. It is tried "
                "again by itself, and an administrator is told."
            ),
        )
        self._enqueue_call()

    def _hold_call(self):
        """Keep others from making the call until this transaction ends, however it
        ends: whoever holds it knows that a *sending* has lost its sender.

        :raise RetryableJobError: when somebody else holds it
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"amazon_order_actions/call/{self.id}"],
        )
        if not self.env.cr.fetchone()[0]:
            raise self._call_later("This call is being made.", LANE_BUSY_SECONDS)

    def _in_own(self, method, *args):
        """Call a method of this action in a transaction of its own, and commit."""
        return in_own_transaction(self, method, *args)

    def _is_call_due(self):
        """Whether the call may be made now; settles one that was interrupted.

        :raise RetryableJobError: when it can still be taken back for a while
        """
        if self.feed_type:
            # Amazon refused the call, and a feed carries it by now.
            return False
        if not self._goes_on():
            if self.set_aside_until:
                aside = self.set_aside_until - database_now(self.env)
                raise self._call_later("Set aside for a while.", aside.total_seconds())
            return False
        if self.state == "sending":
            self.env["amazon.call"]._lose(self)
            self._mark_call_unknown(
                self.env._(
                    "The program was stopped while it sent this to Amazon, so it is "
                    "unknown whether Amazon has it. It is looked for at Amazon; it is "
                    "not simply sent again."
                )
            )
            return False
        if self.state != "queued" or not self.account_id._may_send(self.kind):
            return False
        wait = self.due_at and (self.due_at - database_now(self.env)).total_seconds()
        if wait and wait > 0:
            raise self._call_later("It can still be taken back.", wait)
        return True

    def _is_life_in_order(self):
        """Whether this database is the one that sent last; stops its accounts where it
        is not.

        :raise RetryableJobError: where this host cannot say so
        """
        try:
            return self.env["amazon.gatekeeper"]._is_ready()
        except NotNow as error:
            self._in_own("_say_why_held")
            raise self._call_later(str(error), self._retry_seconds()) from None

    def _say_why_held(self):
        """Say that this host cannot send it, and why."""
        problem = self.env["amazon.gatekeeper"]._why_nothing_leaves()
        if problem and self._is_queued():
            self.state_message = problem

    def _read_order(self):
        """Ask Amazon about the order, now that the agent has asked.

        :return: whether there is something left to send
        :rtype: bool
        :raise RetryableJobError: when the order could not be read, or only so slowly
            that Odoo might end this request in the middle of the call
        """
        begun = time.monotonic()
        if not self._in_own("_verify_order"):
            if self._in_own("_is_queued"):
                wait = self._retry_seconds()
                raise self._call_later("The order could not be read.", wait)
            return False
        if time.monotonic() - begun > VERIFY_SECONDS:
            raise self._call_later("Reading the order took long.", 1)
        return True

    def _is_queued(self):
        return self.state == "queued"

    def _verify_order(self):
        """Ask Amazon what the call depends on, as its kind has it.

        :return: whether that is known, and the action still waits
        :rtype: bool
        """
        return self._kind()._verify(self)

    def _verify_by_order(self):
        """Read the order; block the action where Amazon does not show the order, and
        will not.

        :return: whether the order is known, and the action still waits
        :rtype: bool
        """
        answers = self.order_id._read_from_amazon()
        if answers.order_error and is_final(answers.order_error):
            self._set_blocked(self.order_id.read_message)
        elif not answers.is_complete():
            problem = self.order_id.read_message or self.order_id.finances_message
            self.state_message = self.env._(
                "Not sent yet: the order must be read first. %s", problem or ""
            )
        self.order_id._notify_forms()
        return answers.is_complete() and self._is_queued()

    def _call_with(self, client, is_read):
        token, name = uuid.uuid4().hex, self.name
        try:
            leaving = self._in_own("_begin_call", token, is_read)
        except PASSED_ON:
            raise
        except Exception as error:
            # It lies with this action alone, and nothing of it has left.
            self._set_aside_in_own(error)
            return
        if not leaving:
            return
        may_leave = self.env["amazon.gatekeeper"]._may_leave(self.account_id)
        if may_leave and self._in_own("_may_call_leave", token):
            outcome = self.env["amazon.call"]._make(client, *leaving, name)
        else:
            # Stopped at this moment; or this host stood still, and another one has
            # called it unknown meanwhile.
            reason = "Stopped, or somebody else took over."
            outcome = "not_sent", None, reason, None
        self._in_own("_record_call", token, *outcome)

    def _call_of(self, token):
        """Return the sending that a sender has made: by its token, since a database
        that was restored meanwhile may have another one by its number.

        :rtype: amazon.call
        """
        return self.env["amazon.call"].search(
            [("action_id", "=", self.id), ("token", "=", token)]
        )

    def _may_call_leave(self, token):
        """Whether that sending is still on, and nobody has stopped it since."""
        return self._call_of(token)._may_leave()

    def _record_call(self, token, *outcome):
        """Record what came of that sending.

        :param outcome: what `amazon.call._record` takes
        """
        call = self._call_of(token)
        if call:
            call._record(*outcome)
        else:
            # The database was restored meanwhile; its life's record says that it has
            # sent, and what waits is verified.
            _logger.warning("%s: no sending to record: %s", self.name, outcome[0])

    def _begin_call(self, token, is_read):
        """Check once more, and mark the action as being sent. The commit after this is
        the last one before the irreversible call.

        :param str token: names this sending
        :param bool is_read: whether this job has read the order, so after the click
        :return: what leaves now, or None
        :rtype: Leaving | None
        :raise RetryableJobError: when it should be tried again later
        """
        action = self.try_lock_for_update(allow_referencing=True)
        if not action:
            # Somebody withdraws it at this moment, or tries to.
            raise self._call_later("Somebody else is at it.", LANE_BUSY_SECONDS)
        call = action.call_id
        if call.token == token and call._is_current():
            # PostgreSQL has it, but its answer to the commit was lost.
            return Leaving(*action._kind()._build_call(action))
        if action.state != "queued" or action.feed_type:
            return None
        if not action.account_id._may_send(action.kind):
            return None
        if not action._is_verified(is_read):
            raise action._call_later("The order is not known yet.", CALL_RETRY_SECONDS)
        if action._is_of_lost_life():
            self.env["amazon.gatekeeper"]._tell("_verify_first", action)
            return None
        doubt = action._late_doubt()
        if doubt:
            action._doubt(doubt)
            return None
        reason = action._late_blocker()
        if reason:
            action._set_blocked(reason)
            return None
        try:
            sent = action._kind()._build_call(action)
        except InvalidMessage as error:
            action._set_blocked(
                self.env._("Amazon's form does not take it: %s", str(error))
            )
            return None
        call = action.call_id = call._begin(action, token, sent)
        if not action._set_sending():
            call.state = "not_sent"
            return None
        return Leaving(*sent)

    def _retry_seconds(self):
        """Return after how many seconds to try again where Amazon did not say."""
        age = (database_now(self.env) - self._decided_at()).total_seconds()
        return min(max(age / 2, CALL_RETRY_SECONDS), CALL_RETRY_MAX_SECONDS)

    def _call_later(self, reason, seconds):
        return RetryableJobError(
            reason, seconds=ceil(max(seconds, 1)), ignore_retry=True
        )

    def _mark_call_unknown(self, reason):
        """Nobody can say whether Amazon has it."""
        self._set_unknown(reason)
        if self._kind()._is_shown_by_amazon:
            self._enqueue_look()
        else:
            self._hand_to_person(
                self.env._(
                    "It is unknown whether Amazon has it, and Amazon offers no way to "
                    "find out by program. Look in Seller Central and decide."
                )
            )

    def _block_call(self, reason):
        self._set_blocked(self.env._("Nothing was executed at Amazon. %s", reason))

    def _send_by_feed(self, feed_type, reason):
        """Let a feed carry what Amazon does not take as a call, and has not executed.

        :param str feed_type: Amazon's name of the feed
        :param str reason: what Amazon said
        """
        moved = self._update_state(
            "queued",
            self.env._(
                "Amazon does not take it as a call (%s), and has executed nothing of "
                "it. It is sent by feed instead.",
                reason,
            ),
            {"feed_type": feed_type},
        )
        moved._enqueue_dispatch()

    # === BUSINESS METHODS - LOOKING FOR THE OUTCOME === #

    def _enqueue_look(self):
        """Have the outcome looked for in Amazon's own data."""
        for action in self:
            in_background(action, action.company_id).with_delay(
                priority=15,
                eta=LOOK_MIN_SECONDS,
                max_retries=0,
                description=f"Look for the outcome of {action.name} at Amazon",
                identity_key=f"amazon_look_{action.id}",
            )._job_look()

    @contained_job
    def _job_look(self):
        """Look for the outcome in what Amazon shows of the order. Job.

        :raise RetryableJobError: as long as it does not show
        """
        self.ensure_one()
        age = self._seconds_since_sending()
        if not self._is_looked_for() or age > CONFIRM_ALERT_DAYS * 24 * 3600:
            return
        self._in_own("_read_order_of_call")
        if not self._in_own("_judge_call"):
            wait = min(max(age / 2, LOOK_MIN_SECONDS), LOOK_MAX_SECONDS)
            raise self._call_later("Amazon does not show it yet.", wait)

    def _read_order_of_call(self):
        self.order_id._read_from_amazon()
        self.order_id._notify_forms()

    def _judge_call(self):
        """Reject what Amazon's data shows as not executed; hand over what it does not
        show for too long.

        :return: whether there is nothing left to look for
        :rtype: bool
        """
        # Whoever records what Amazon says of the order meets us here.
        self.order_id._take()
        if not self._is_looked_for():
            return True
        disproof = self._kind()._disproof(self)
        if disproof and self._is_of_lost_time():
            reason = self.env._(
                "This database was restored from a backup, and this was not sent in "
                "the time that it lost: %s. It waits again.",
                disproof,
            )
            self.env["amazon.gatekeeper"]._tell("_let_wait_again", self, reason)
            return True
        if disproof:
            self._set_rejected(False, disproof)
            return True
        is_stuck = self.state == "unknown" and self.order_id._is_given_up()
        if is_stuck and not self.needs_person:
            self._hand_over_unrecorded()
        overdue = self._seconds_since_sending() > CALL_NO_TRACE_HOURS * 3600
        if overdue and not self.needs_person:
            reason = self.env._(
                "Amazon's own data has not shown within %s hours what became of it. "
                "Look at the order in Seller Central and decide.",
                CALL_NO_TRACE_HOURS,
            )
            if self.state == "submitted":
                # Amazon took it, and has not said since what it did with it.
                self._set_unknown(reason)
            self._hand_to_person(reason)
        return False

    def _is_looked_for(self):
        """Whether what became of a call is to be seen in Amazon's data of the order."""
        return not self.feed_type and self.state in LOOKED_FOR

    def _seconds_since_sending(self):
        """Return the seconds since the call was made."""
        since = self._left_by() or self.last_state_change
        return (database_now(self.env) - since).total_seconds()

    # === BUSINESS METHODS - FORGETTING === #

    def _forget_details(self):
        """Follower: forget what only the call needed, which may name the buyer."""
        for action in self.filtered("details"):
            if action._is_over():
                action.details = action._kind()._kept_details(action.details)

    def _is_over(self):
        """Whether nothing is sent or looked for any more."""
        known = ("accepted", "assisted")
        is_shown = self._kind()._is_shown_by_amazon
        return self.state in OVER or (self.state in known and not is_shown)

    # === BUSINESS METHODS - WHAT WAS LOST === #

    @api.model
    def _lost_calls(self, accounts, before):
        """Return the calls that nobody makes or looks for any more.

        :param amazon.seller.account accounts: whose calls
        :param datetime before: last moved before then
        :rtype: amazon.action
        """
        oldest = fields.Datetime.now() - timedelta(days=CONFIRM_ALERT_DAYS)
        waiting = self.search(
            Domain("account_id", "in", accounts.ids)
            & Domain("feed_type", "=", False)
            & Domain("needs_person", "=", False)
            & Domain("last_state_change", "<", before)
            & self._goes_on_domain()
            & (
                Domain("state", "=", "sending")
                | (Domain("state", "=", "queued") & ~accounts._held_domain())
                | (
                    Domain("state", "in", LOOKED_FOR)
                    & Domain("last_state_change", ">", oldest)
                )
            )
        )
        with_job = waiting and self._with_call_job()
        return waiting.filtered(
            lambda action: (action.id, action._call_job()) not in with_job
        )

    def _call_job(self):
        """Return the name of the job that this action needs."""
        return "_job_look" if self.state in LOOKED_FOR else "_job_call"

    def _with_call_job(self):
        """Return the actions that a job will look at, each as (id, name of the job)."""
        jobs = self.env["queue.job"]._under_way(
            "amazon.action", "_job_call", "_job_look"
        )
        return {(job.record_id, job.method) for job in jobs}

    def _mend_call(self):
        """Enqueue what a lost job would have done."""
        for action in self:
            if action.state in LOOKED_FOR:
                action._enqueue_look()
            else:
                action._enqueue_call()
