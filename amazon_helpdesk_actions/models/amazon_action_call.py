import hashlib
import json
import logging
from datetime import timedelta
from math import ceil

from odoo import api, fields, models

from odoo.addons.queue_job.exception import RetryableJobError

from ..const import (
    CALL_NO_TRACE_HOURS,
    CALL_RETRY_SECONDS,
    CONFIRM_ALERT_DAYS,
    LANE_BUSY_SECONDS,
    LOOK_MAX_SECONDS,
    LOOK_MIN_SECONDS,
)
from ..spapi.errors import IncompleteCredentials, NotSent, Refused, Throttled
from ..spapi.operations import OPERATIONS
from .background import in_background, in_own_transaction

_logger = logging.getLogger(__name__)

# An action in one of these states needs what was noted for its call no more.
OVER = ("confirmed", "rejected", "blocked", "withdrawn", "assisted")
# States in which the outcome of a call is looked for at Amazon.
LOOKED_FOR = ("submitted", "unknown")


class AmazonAction(models.Model):
    """How an action that is a call of its own is sent to Amazon: a REST operation that
    concerns one order.

    As with feeds (amazon_feed_dispatch.py): the state *sending* is COMMITTED before the
    one call, and what came of it after it. A call whose sender died is *unknown*, never
    sent again by itself; its outcome is looked for in Amazon's own data.
    """

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # What the call needs beyond the order. May name the buyer: for the program alone,
    # and not kept when the action is over.
    details = fields.Json(readonly=True, copy=False, groups=fields.NO_ACCESS)
    sending_at = fields.Datetime(readonly=True, copy=False)
    request_ref = fields.Char(
        "Amazon Request",
        readonly=True,
        copy=False,
        help="Amazon's id of the request (x-amzn-RequestId).",
    )
    call_digest = fields.Char(
        "Call SHA-256", readonly=True, copy=False, help="Digest of what was sent."
    )

    # === BUSINESS METHODS - SENDING === #

    def _enqueue_call(self):
        """Enqueue the call of each action for when it is due."""
        for action in self:
            in_background(action, action.company_id).with_delay(
                priority=5,
                max_retries=0,
                eta=action.due_at,
                description=f"Send {action.name} to Amazon",
            )._job_call()

    def _job_call(self):
        """Make the call of this action. Job; safe to run twice.

        This job's own transaction does nothing but hold the action's call.

        :raise RetryableJobError: when it should be run again later
        """
        self.ensure_one()
        self._hold_call()
        if not self._in_own("_is_call_due"):
            return
        if not self._is_verified():
            self._in_own("_verify_order")
        account = self.account_id
        quota = account._quota()
        operation = OPERATIONS[self._kind()._call_operation(self)]
        wait = quota.prepay(operation, 1)
        if wait:
            raise self._call_later("Amazon's quota is used up.", wait)
        try:
            with account._client(quota) as client:
                self._call_with(client)
        except IncompleteCredentials as error:
            self._in_own("_block_call", account._describe_error(error))
        finally:
            quota.give_back(operation)

    def _hold_call(self):
        """Keep others from making the call until this transaction ends, however it
        ends: whoever holds it knows that a *sending* has lost its sender.

        :raise RetryableJobError: when somebody else holds it
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"amazon_helpdesk_actions/call/{self.id}"],
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
        if self.state == "sending":
            self._record_call_unknown(
                self.env._(
                    "The program was stopped while it sent this to Amazon, so it is "
                    "unknown whether Amazon has it. It is looked for at Amazon; it is "
                    "not simply sent again."
                )
            )
            return False
        if self.state != "queued" or not self.account_id._may_send():
            return False
        wait = self.due_at and (self.due_at - fields.Datetime.now()).total_seconds()
        if wait and wait > 0:
            raise self._call_later("It can still be taken back.", wait)
        return True

    def _verify_order(self):
        """Ask Amazon about the order, after the agent asked."""
        answers = self.order_id._read_from_amazon()
        if not answers.is_complete():
            problem = self.order_id.read_message or self.order_id.finances_message
            self.state_message = self.env._(
                "Not sent yet: the order must be read first. %s", problem or ""
            )
        self.order_id._notify_forms()

    def _call_with(self, client):
        call = self._in_own("_begin_call")
        if not call:
            return
        method, args = call
        try:
            request_ref = getattr(client, method)(*args)
        except (NotSent, Throttled) as error:
            record = "_record_call_not_sent", str(error), getattr(error, "wait", None)
        except Refused as error:
            record = "_record_call_refused", str(error), error.code, error.http_status
            if error.may_be_repeated:
                record = "_record_call_not_sent", str(error), None
        except Exception as error:
            # Whatever it was, the request may have left: nobody knows.
            _logger.warning("%s of %s: %s", method, self.name, type(error).__name__)
            record = "_record_call_unknown", self._unanswered()
        else:
            record = "_record_call_answered", request_ref
        self._in_own(*record)

    def _begin_call(self):
        """Check once more, and mark the action as being sent. The commit after this is
        the last one before the irreversible call.

        :return: the method of the client and its arguments, or None
        :rtype: tuple[str, tuple] | None
        """
        action = self.try_lock_for_update(allow_referencing=True)
        if not action or action.state != "queued" or not action.account_id._may_send():
            return None
        if not action._is_verified():
            raise action._call_later("The order is not known yet.", CALL_RETRY_SECONDS)
        handler = action._kind()
        reason = handler._late_blocker(action)
        if reason:
            action._set_blocked(reason)
            return None
        call = handler._build_call(action)
        sent = json.dumps(call, sort_keys=True, default=str)
        action.write(
            {
                "sending_at": fields.Datetime.now(),
                "call_digest": hashlib.sha256(sent.encode()).hexdigest(),
            }
        )
        action._set_sending()
        return call

    def _call_later(self, reason, seconds):
        return RetryableJobError(
            reason, seconds=ceil(max(seconds, 1)), ignore_retry=True
        )

    def _unanswered(self):
        return self.env._(
            "Amazon did not answer when this was sent, so it is unknown whether Amazon "
            "has it. It is looked for at Amazon; it is not simply sent again."
        )

    # === BUSINESS METHODS - RECORDING WHAT CAME OF IT === #

    def _record_call_answered(self, request_ref):
        """Amazon has taken the call.

        :param str request_ref: Amazon's id of the request
        """
        self.request_ref = request_ref
        if self._kind()._answered_state == "accepted":
            self._set_accepted()
        else:
            self._set_submitted()
        self._kind()._after_answer(self)

    def _record_call_not_sent(self, reason, wait):
        """It is proven that Amazon has nothing; it waits again."""
        self._set_back_to_queued(
            self.env._(
                "Not sent yet: Amazon could not take it at the moment. It is tried "
                "again by itself."
            )
        )
        _logger.info("%s not sent: %s", self.name, reason)
        self.due_at = fields.Datetime.now() + timedelta(
            seconds=ceil(wait or CALL_RETRY_SECONDS)
        )
        self._enqueue_call()

    def _record_call_refused(self, reason, code, http_status):
        """Amazon said no before it executed anything."""
        self._set_rejected(code or str(http_status or ""), reason)

    def _record_call_unknown(self, reason):
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
        self._set_blocked(self.env._("Nothing was sent. %s", reason))

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

    def _job_look(self):
        """Look for the outcome in what Amazon shows of the order. Job.

        :raise RetryableJobError: as long as it does not show
        """
        self.ensure_one()
        age = self._seconds_since_sending()
        if self.state not in LOOKED_FOR or age > CONFIRM_ALERT_DAYS * 24 * 3600:
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
        if self.state not in LOOKED_FOR:
            return True
        disproof = self._kind()._disproof(self)
        if disproof:
            self._set_rejected(False, disproof)
            return True
        overdue = self._seconds_since_sending() > CALL_NO_TRACE_HOURS * 3600
        if self.state == "unknown" and overdue and not self.needs_person:
            self._hand_to_person(
                self.env._(
                    "Amazon's own data has not shown within %s hours what became of "
                    "it. Look at the order in Seller Central and decide.",
                    CALL_NO_TRACE_HOURS,
                )
            )
        return False

    def _seconds_since_sending(self):
        """Return the seconds since the call was made."""
        since = self.sending_at or self.last_state_change
        return (fields.Datetime.now() - since).total_seconds()

    # === BUSINESS METHODS - FORGETTING === #

    def _react(self):
        """Override to forget what only the call needed: it may name the buyer."""
        super()._react()
        for action in self.filtered("details"):
            if action._is_over():
                action.details = action._kind()._kept_details(action.details)

    def _is_over(self):
        """Whether nothing is sent or looked for any more."""
        known = ("accepted", "assisted")
        is_shown = self._kind()._is_shown_by_amazon
        return self.state in OVER or (self.state in known and not is_shown)

    @api.model
    def _lost_calls(self, accounts, before):
        """Return the calls that nobody makes or looks for any more.

        :param amazon.seller.account accounts: whose calls
        :param datetime before: last moved before then
        :rtype: amazon.action
        """
        kinds = [
            kind
            for kind, _label in self._fields["kind"].selection
            if not self.env[f"amazon.action.kind.{kind}"]._feed_type
        ]
        waiting = self.search(
            [
                ("account_id", "in", accounts.ids),
                ("kind", "in", kinds),
                ("state", "in", ("queued", "sending", *LOOKED_FOR)),
                ("needs_person", "=", False),
                ("last_state_change", "<", before),
                ("last_state_change", ">", before - timedelta(days=CONFIRM_ALERT_DAYS)),
            ]
        )
        if not waiting:
            return waiting
        self.env["queue.job"].flush_model()
        self.env.cr.execute(
            """
            SELECT ((records #>> '{}')::jsonb -> 'ids' ->> 0)::integer
              FROM queue_job
             WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started')
               AND model_name = 'amazon.action'
               AND method_name IN ('_job_call', '_job_look')
            """
        )
        with_job = {action_id for (action_id,) in self.env.cr.fetchall()}
        return waiting.filtered(lambda action: action.id not in with_job)

    def _mend_call(self):
        """Enqueue what a lost job would have done."""
        for action in self:
            if action.state in LOOKED_FOR:
                action._enqueue_look()
            elif action.state == "sending" or action.account_id._may_send():
                action._enqueue_call()
