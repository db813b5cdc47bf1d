import hashlib
import tempfile
import time
from datetime import timedelta
from functools import partial
from math import ceil
from typing import NamedTuple

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.client import MAX_FEED_BYTES
from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ...spapi.envelopes import (
    check_message,
    write_order_acknowledgement,
    write_order_adjustment,
)
from ...spapi.errors import (
    IncompleteCredentials,
    InvalidMessage,
    NotSent,
    Refused,
    SpApiError,
    Throttled,
)
from ...spapi.operations import OPERATIONS
from ..action.lane import LANE_BUSY_SECONDS, Lane
from ..action.states import BEFORE_SENDING
from ..base.background import CHUNK, in_background, in_own_transaction
from ..base.clock import database_now
from ..base.containment import PASSED_ON, contained, log_failure
from ..base.private_log import private_logger
from ..base.set_aside import contained_job
from ..holding.gatekeeper import NotNow
from ..order.reading import is_final
from .pace import POLL_MIN_SECONDS, VERIFY_SECONDS

_logger = private_logger(__name__)

# Actions in one envelope: what one dispatch works off in reasonable time. Amazon
# advises at most 10 MiB (feeds guide), which hold more messages than this.
MAX_ACTIONS_PER_FEED = 5000

# createFeed allows 15 calls at once, then one in 120 seconds, for all feed types of an
# account together. So many tokens are kept for what cannot wait: cancellations that
# race the warehouse, and tickets near the end of their answer time.
URGENT_RESERVE = 3

# Seconds until a range that is read by last update or posting date shows what happened
# now: Amazon leaves the last 120 seconds out (searchOrders, listTransactions).
RANGE_LAG_SECONDS = 130

# Seconds that an action which could leave waits at most for others that Amazon will
# soon show, where they are more, or where it would take the last token of createFeed.
COLLECT_SECONDS = 240

# Bounds of the wait for it, in seconds.
NEXT_FEED_MIN_SECONDS, NEXT_FEED_MAX_SECONDS = 15, 60

# Seconds: clicks within so many seconds share a dispatch job.
DISPATCH_SLOT_SECONDS = 2

# Another job, at least this much later, finds what a click committed only after that
# one had looked.
DISPATCH_SWEEP_SECONDS = 60

# Seconds to wait before a dispatch that could not be done is tried again, where
# Amazon did not say how long.
DISPATCH_RETRY_SECONDS = 30

# Seconds for which a list serves where the quota of getFeeds is used up.
LOOK_FRESH_SECONDS = 60

CREATE_FEED = OPERATIONS["createFeed"]

# What writes the envelope of a feed; several kinds of action may share one.
WRITERS = {
    FEED_REFUND: write_order_adjustment,
    FEED_CANCEL: write_order_acknowledgement,
}

# States of a feed that say more than *unknown*, which an action may have been called
# meanwhile.
BETTER_KNOWN = ("submitted", "not_sent", "refused", "absent")


# Actions that were called unknown, and whose feed knows better by now. What waits for a
# person although the others are sent again has no part in their absence.
BEHIND_UNKNOWN = [
    ("state", "=", "unknown"),
    ("feed_id.state", "in", BETTER_KNOWN),
    *["|", ("feed_id.state", "!=", "absent"), ("needs_person", "=", False)],
]


class Sending(NamedTuple):
    """All that the irreversible call needs, known before it."""

    feed_id: int
    lane: Lane
    document_ref: str


class AmazonFeedDispatch(models.AbstractModel):
    """How what is queued is sent to Amazon: a part of `amazon.feed`.

    The pipeline (docs/architecture.md): a dispatch takes the lane, waits for a token of
    createFeed, makes sure that the orders are known as of after the click, uploads the
    document, COMMITS the state *sending*, calls createFeed once, and commits what came
    of it. Whatever dies in between leaves a feed in *sending*, and the next dispatch of
    the lane turns it into *unknown*, never back into a sending.
    """

    _name = "amazon.feed.dispatch"
    _description = "Amazon Dispatch of Feeds"

    # === BUSINESS METHODS - ENQUEUEING === #

    @api.model
    def _enqueue_dispatch(self, lane, due_at=None):
        """Enqueue a dispatch for something new in a lane.

        Clicks of the same moment share a job, see `_enqueue_sweep`.

        :param datetime due_at: when it may be sent, now when None
        """
        # What is due for long is enqueued for now: a job of a past moment starts, and
        # may have looked, before this transaction commits. A click, which has begun
        # just before, knows its moment by the same clock, and asks no second time.
        if not due_at or due_at < self.env.cr.now().replace(microsecond=0):
            due_at = database_now(self.env)
        due = due_at.timestamp()
        slot = (due // DISPATCH_SLOT_SECONDS + 1) * DISPATCH_SLOT_SECONDS
        self._enqueue_dispatch_at(lane, slot, int(slot))

    def _enqueue_sweep(self, lane):
        """Have the lane looked at again later: a click that shares the job which runs
        now may commit only after this has looked."""
        now = database_now(self.env).timestamp()
        moment = (now // DISPATCH_SWEEP_SECONDS + 2) * DISPATCH_SWEEP_SECONDS
        self._enqueue_dispatch_at(lane, moment, f"sweep{int(moment)}", is_sweep=True)

    def _enqueue_return(self, lane, wait):
        """Enqueue the next dispatch for what still waits in a lane.

        One such job for each lane is enough: only the holder of the lane enqueues it,
        and the one that waits already will look after the lane is free.

        :param float wait: seconds before which it should not start
        """
        moment = database_now(self.env).timestamp() + wait
        self._enqueue_dispatch_at(lane, moment, "left")

    def _enqueue_dispatch_at(self, lane, moment, name, **options):
        account = self.env["amazon.seller.account"].sudo().browse(lane.account_id)
        in_background(self, account.company_id).with_delay(
            priority=5,
            max_retries=0,
            eta=_from_timestamp(moment),
            description=f"Send {lane.feed_type} to Amazon",
            identity_key="amazon_dispatch_{}_{}_{}_{}".format(*lane, name),
        )._job_dispatch(*lane, **options)

    # === BUSINESS METHODS - DISPATCHING === #

    @api.model
    def _job_dispatch(self, account_id, marketplace, feed_type, is_sweep=False):
        """Send what waits in a lane, in one envelope. Job; safe to run twice.

        This job's own transaction does nothing but hold the lane. All that must
        survive a crash is done in transactions of their own.

        :param bool is_sweep: nothing else needs to look after this one
        :raise RetryableJobError: when it should be run again later
        """
        lane = Lane(account_id, marketplace, feed_type)
        self._take_lane(lane)
        self.env["amazon.host.clock"]._compare()
        if not is_sweep:
            self._in_own_transaction("_enqueue_sweep", lane)
        try:
            self._settle_interrupted(lane)
            self._check_ready(lane)
            if not self._in_own_transaction("_is_open", lane):
                return
            verified = self._verify_orders(lane)
            if verified:
                self._send(lane, verified)
        except PASSED_ON:
            raise
        except Exception as error:
            self._in_own_transaction("_set_lane_aside", lane, error)
        self._in_own_transaction("_come_back", lane)

    def _set_lane_aside(self, lane, error):
        """Let all that waits in a lane wait for a while, since no one of it is to blame
        for what was raised. Only what is queued: nothing of it has left.

        :param Exception error: what was raised
        """
        log_failure(self, f"dispatch of {lane}", error)
        due = self._due(lane)
        alone = due.filtered(lambda action: not self._is_writable(action))
        if alone != due:
            alone._set_aside(error)
        if not alone or alone == due:
            due._set_aside_for_a_while(error, self._lane_aside_sentence(error))
        due.order_id._notify_forms()

    def _is_writable(self, action):
        """Whether an envelope with this action alone can be written."""
        with tempfile.TemporaryFile() as payload:
            return contained(
                action,
                lambda one: self._write_payload(payload, one.feed_type, one),
                lambda one, error: log_failure(one, "cannot be written", error),
            )

    def _lane_aside_sentence(self, error):
        if isinstance(error, InvalidMessage):
            return self.env._(
                "Nothing was sent. %s An administrator is told and has to correct it; "
                "then it leaves by itself.",
                error,
            )
        return self.env._(
            "Nothing was sent: an error in the program concerns all that waits to be "
            "sent together. It is tried again by itself, and an administrator is told."
        )

    def _take_lane(self, lane):
        """Hold the lane until this transaction ends, however it ends.

        PostgreSQL lets it go when the process dies, so whoever holds the lane knows
        that a feed in state *sending* has lost its sender.

        :raise RetryableJobError: when somebody else holds it
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            ["amazon_order_actions/{}/{}/{}".format(*lane)],
        )
        if not self.env.cr.fetchone()[0]:
            raise self._later("Another dispatch of this lane runs.", LANE_BUSY_SECONDS)

    @api.model
    def _in_own_transaction(self, method, *args):
        """Call a method of this model in a transaction of its own, and commit."""
        return in_own_transaction(self, method, *args)

    def _check_ready(self, lane):
        """Have the gatekeepers look whether anything may leave. Where one finds that it
        may not, what it has stopped is not due any more.

        :raise RetryableJobError: where this host cannot say so
        """
        try:
            self.env["amazon.gatekeeper"]._is_ready()
        except NotNow as error:
            self._in_own_transaction("_say_why_held", lane)
            raise self._later(str(error)) from None

    def _say_why_held(self, lane):
        """Say of what is due that this host cannot send it, and why."""
        problem = self.env["amazon.gatekeeper"]._why_nothing_leaves()
        if problem:
            self._due(lane).write({"state_message": problem})

    # --- what was interrupted --- #

    def _settle_interrupted(self, lane):
        """Finish what a dispatch of this lane did not live to finish."""
        self._in_own_transaction("_settle_abandoned", lane)
        for feed_id in self._in_own_transaction("_feeds_to_follow", lane):
            self._follow(feed_id)

    def _settle_abandoned(self, lane):
        """Say of feeds whose sender died that nobody knows whether Amazon has them."""
        reason = self.env._(
            "The program was stopped while it sent this to Amazon, so it is unknown "
            "whether Amazon has it. It is looked for at Amazon; it is not simply sent "
            "again."
        )
        of_lane = [*lane.domain(), ("state", "=", "sending")]
        for feed in self.search([*of_lane, *self._goes_on_domain()]):
            contained(
                feed,
                lambda one: one._record_unknown(one.id, reason),
                lambda one, error: one._set_aside(error),
            )

    def _feeds_to_follow(self, lane):
        """Return the ids of feeds of the lane that know more than their actions."""
        of_lane = Domain(
            [
                ("account_id", "=", lane.account_id),
                ("marketplace", "=", lane.marketplace),
                ("feed_id.feed_type", "=", lane.feed_type),
                ("feed_id.set_aside_at", "=", False),
            ]
        )
        of_lane &= self.env["amazon.action"]._goes_on_domain()
        behind = Domain(
            [("state", "=", "sending"), ("feed_id.state", "!=", "sending")]
        ) | Domain(BEHIND_UNKNOWN)
        left = self.env["amazon.action"]._read_group(of_lane & behind, ["feed_id"])
        return [feed.id for (feed,) in left]

    # --- whether and when --- #

    def _is_open(self, lane):
        """Whether something of the lane may be sent now; comes back later where only
        the quota is missing.

        :rtype: bool
        """
        due = self._due(lane)
        if not due:
            self._return_for_aside(lane)
            return False
        problem = due.account_id._sending_problem()
        if problem:
            # Its end enqueues a dispatch (amazon.seller.account.write).
            due.state_message = problem
            due.order_id._notify_forms()
            return False
        wait = self._quota_of(lane).wait(CREATE_FEED, self._tokens_needed(lane, due))
        if wait:
            self._enqueue_return(lane, max(wait, 1))
        return not wait

    def _quota_of(self, lane):
        return self.env["amazon.seller.account"].browse(lane.account_id)._quota()

    def _tokens_needed(self, lane, due):
        """Return how many tokens of createFeed must be there for this lane to take one.

        A scarce token goes first to what is urgent, then to the lane that has waited
        longest; what is ordinary leaves a reserve.

        :param amazon.action due: what would be sent, the most urgent first
        """
        if due[0]._is_urgent():
            return 1
        return 1 + URGENT_RESERVE + self._lanes_before(lane, due)

    def _lanes_before(self, lane, due):
        """Return how many other lanes of the account have waited longer."""
        oldest = min(due.mapped("due_at"))
        waiting = self.env["amazon.action"]._read_group(
            [
                ("account_id", "=", lane.account_id),
                ("state", "=", "queued"),
                ("due_at", "<", oldest),
                *self._not_held(lane),
                *self.env["amazon.action"]._goes_on_domain(),
            ],
            ["marketplace", "feed_type"],
        )
        others = set(waiting) - {(lane.marketplace, lane.feed_type)}
        return sum(1 for _marketplace, feed_type in others if feed_type)

    def _waiting_domain(self, lane):
        return [
            ("account_id", "=", lane.account_id),
            ("marketplace", "=", lane.marketplace),
            ("feed_type", "=", lane.feed_type),
            ("state", "=", "queued"),
        ]

    def _not_held(self, lane):
        """Return the domain of what is not stopped, by what is committed by now."""
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        return ~account._held_domain()

    def _due(self, lane):
        """Return the actions that may leave now, the most urgent and oldest first.

        Several kinds share a lane, and each may be stopped by itself.
        """
        now = database_now(self.env)
        due = self.env["amazon.action"].search(
            [
                *self._waiting_domain(lane),
                ("due_at", "<=", now),
                *self._not_held(lane),
                *self.env["amazon.action"]._goes_on_domain(),
            ],
            order="urgent_from, id",
            limit=MAX_ACTIONS_PER_FEED,
        )
        return due.sorted(lambda action: not action._is_urgent())

    # --- what Amazon says by then --- #

    def _verify_orders(self, lane):
        """Make sure that Amazon was asked about the orders after the agent asked.

        By range where there are many and Amazon shows them already; single orders are
        read only where that leaves a gap.

        :return: the ids of the actions whose orders are known well enough, each with
            why Amazon does not show the order, or False
        :rtype: dict
        """
        begun = database_now(self.env)
        unread = self._in_own_transaction("_unverified", lane)
        if any(action.by_range for action in unread):
            account = self.env["amazon.seller.account"].browse(lane.account_id)
            self.env["amazon.range.reading"]._read_ranges(account)
            unread = self._in_own_transaction("_unverified", lane)
        read = self._read_single_orders([action.order_id for action in unread])
        return self._in_own_transaction("_verified", lane, read, begun)

    def _unverified(self, lane):
        """Return what has to be asked of Amazon before the due actions can leave.

        :rtype: list[Unverified]
        """
        now = database_now(self.env)
        shown = now - timedelta(seconds=RANGE_LAG_SECONDS)
        return [
            Unverified(action.order_id.id, action._decided_at() <= shown)
            for action in self._due(lane)
            if not action._is_order_verified(now=now)
        ]

    def _verified(self, lane, read, begun):
        """Return what may leave; see `_verify_orders`.

        :param dict read: orders that were read since then
        :param datetime begun: what was asked for later is not known by that
        """
        now = database_now(self.env)
        return {
            action.id: read.get(action.order_id.id, False)
            for action in self._due(lane)
            if action._is_order_verified(now=now)
            or (action.order_id.id in read and action._decided_at() <= begun)
        }

    def _read_single_orders(self, order_ids):
        """Read orders one by one, as far as quota and time allow.

        :return: the ids of the orders of which Amazon has said all that it will say,
            each with why Amazon does not show it, or False
        :rtype: dict
        """
        read = {}
        end = time.monotonic() + VERIFY_SECONDS
        for order_id in dict.fromkeys(order_ids):
            try:
                answers, reason = self._in_own_transaction(
                    "_read_single_order", order_id
                )
            except Exception:
                # One order that cannot be recorded must not stop the others.
                _logger.exception("The order %s could not be recorded", order_id)
                continue
            if answers.is_complete():
                read[order_id] = reason
            if answers.is_throttled() or time.monotonic() > end:
                break
        return read

    def _read_single_order(self, order_id):
        order = self.env["amazon.order"].browse(order_id)
        answers = order._read_from_amazon()
        return answers, answers.order_error and order.read_message

    # --- the envelope --- #

    def _send(self, lane, verified):
        """Send the actions, as far as one envelope holds them.

        :param dict verified: see `_verify_orders`
        :raise RetryableJobError: when it should be run again later
        """
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        quota = account._quota()
        needed = self._in_own_transaction("_needed_now", lane, verified)
        if not needed or quota.prepay(CREATE_FEED, needed):
            # nothing to send, or somebody else was faster
            return
        try:
            client = account._client(quota)
        except IncompleteCredentials as error:
            quota.give_back(CREATE_FEED)
            self._in_own_transaction("_block", lane, verified, error)
            return
        except NotSent as error:
            # this server cannot decrypt them; what waits is not lost for that
            quota.give_back(CREATE_FEED)
            raise self._later(str(error), None) from None
        try:
            with client:
                self._send_with(client, lane, verified)
        finally:
            quota.give_back(CREATE_FEED)

    def _needed_now(self, lane, verified):
        """Return the tokens that must be there, or 0 where nothing should leave."""
        due = self._due(lane)
        ready = due.filtered(lambda action: action.id in verified)
        if not ready:
            return 0
        needed = self._tokens_needed(lane, ready)
        if ready != due and not ready[0]._is_urgent():
            unread = due - ready
            is_burst = len(unread) > len(ready)
            is_last = self._quota_of(lane).wait(CREATE_FEED, needed + 1)
            if (is_burst or is_last) and self._is_worth_waiting(ready, unread):
                return 0
        return needed

    def _is_worth_waiting(self, ready, unread):
        """Whether a token should wait for those that Amazon will soon show: it then
        carries all of them, and the next one comes only in two minutes.

        :param amazon.action ready: what could leave now
        :param amazon.action unread: what cannot, since its order is not known
        """
        newest = max(action._decided_at() for action in unread)
        now = database_now(self.env)
        shown = (now - newest).total_seconds() > RANGE_LAG_SECONDS
        waited = (now - min(ready.mapped("due_at"))).total_seconds()
        return not shown and waited < COLLECT_SECONDS

    def _send_with(self, client, lane, verified):
        self._look_first(client, lane)
        try:
            with self.env["amazon.gatekeeper"]._counting(lane):
                sending = self._in_own_transaction("_prepare", client, lane, verified)
        except SpApiError as error:
            if is_final(error):
                self._in_own_transaction("_block", lane, verified, error)
                return
            # createFeedDocument and the upload move nothing: tried again as a whole.
            raise self._later(str(error), getattr(error, "wait", None)) from None
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        if not sending:
            # Where PostgreSQL's answer to the commit was lost, the feed is marked as
            # being sent, and nobody sends it.
            self._settle_interrupted(lane)
            return
        may_leave = self.env["amazon.gatekeeper"]._may_leave(account)
        if may_leave and self._in_own_transaction("_may_leave", sending.feed_id):
            record, *args = self._create_feed(client, sending)
        else:
            reason = "Stopped, or another dispatch took over."
            record, *args = "_record_not_sent", reason, None
        self._in_own_transaction(record, sending.feed_id, *args)
        self._follow(sending.feed_id)

    def _look_first(self, client, lane):
        """Compare Amazon's feeds with ours before another one is sent.

        Where the quota for that is used up, a list that was read just now will do.

        :raise RetryableJobError: as long as Amazon does not give its list
        """
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        try:
            self.env["amazon.gatekeeper"]._look_first(account, client)
        except (SpApiError, IncompleteCredentials) as error:
            is_throttled = isinstance(error, Throttled)
            if is_throttled and self._in_own_transaction("_is_just_listed", lane):
                return
            self._in_own_transaction("_tell_not_listed", lane, str(error))
            raise self._later(str(error), getattr(error, "wait", None)) from None
        except PASSED_ON:
            raise
        except Exception:
            # What is kept of other programs' feeds is no reason to send nothing.
            _logger.exception("The feeds of %s could not be compared", account.name)

    def _is_just_listed(self, lane):
        """Whether Amazon's feeds were compared with ours a moment ago."""
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        if not account.feeds_read_at:
            return False
        age = database_now(self.env) - account.feeds_read_at
        return timedelta() <= age <= timedelta(seconds=LOOK_FRESH_SECONDS)

    def _tell_not_listed(self, lane, problem):
        """Say what those wait for that would leave now."""
        due = self._due(lane)
        for action in due:
            action.state_message = self.env._(
                "Not sent yet: the list of the account's feeds must be read at Amazon "
                "first. %s",
                problem,
            )
        due.order_id._notify_forms()

    def _may_leave(self, feed_id):
        """Whether the feed is still ours to send, and nobody has stopped a kind that it
        carries since it was made ready.

        A host that stood still, or that PostgreSQL cut off, has lost the lane. Another
        dispatch has called the feed unknown by then, and it may even be sent again.
        """
        feed = self.browse(feed_id)
        if feed.state != "sending" or not feed.account_id.active:
            return False
        holds = self.env["amazon.gatekeeper"]._all_holds(feed.account_id)
        # What the circuit breaker lets pass was counted before it tripped.
        kinds = {
            hold.kind for hold in holds[feed.account_id] if not hold.spares_counted
        }
        return not kinds or (
            False not in kinds and not kinds & set(feed.action_ids.mapped("kind"))
        )

    def _prepare(self, client, lane, verified):
        """Take what may be sent, upload its document, and mark it as being sent.

        The commit after this is the last one before the irreversible call.

        :param SellerClient client: of the lane's account
        :param Lane lane: the lane, which this dispatch holds
        :param dict verified: see `_verify_orders`
        :return: what to send, or None
        :rtype: Sending | None
        :raise SpApiError: when the document could not be uploaded
        """
        due = self._due(lane).filtered(lambda action: action.id in verified)
        actions = self._drop_blocked(
            due.try_lock_for_update(allow_referencing=True), verified
        )
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        left_since = partial(self.env["amazon.feed"]._left_since, account)
        actions = self.env["amazon.gatekeeper"]._those_that_pass(
            account, actions, left_since
        )
        if not actions:
            return None
        with tempfile.TemporaryFile() as payload:
            actions = self._write_payload(payload, lane.feed_type, actions)
            document_ref = client.prepare_feed(payload)
            feed = self._create_sending(client, lane, actions, document_ref, payload)
        actions.feed_id = feed
        moved = actions._set_sending()
        if moved != actions:
            # Its message is in the document, so that does not leave. The others wait
            # again, and leave with the next one.
            (actions - moved).feed_id = False
            self._record_not_sent(feed.id, "An action was set aside.", None)
            return None
        return Sending(feed.id, lane, document_ref)

    def _create_sending(self, client, lane, actions, document_ref, payload):
        payload.seek(0)
        content = payload.read()
        feed = self.create(
            {
                **lane._asdict(),
                "state": "sending",
                "message_count": len(actions),
                "document_ref": document_ref,
                "payload_digest": hashlib.sha256(content).hexdigest(),
                "sending_at": database_now(self.env),
                "amazon_sent_after": _naive(client.amazon_now()),
            }
        )
        feed.payload_file_id = feed._keep_file("feed", content)
        return feed

    def _drop_blocked(self, actions, verified):
        """Block the actions that Amazon's data, as of now, speaks against, and those
        that cannot be expressed; hand over what may be at Amazon already; return the
        others."""
        judged = contained(
            actions,
            lambda some: self._judge_late(some, verified),
            lambda action, error: action._set_aside(error),
        )
        return judged.filtered(
            lambda action: action.state == "queued" and action._goes_on()
        )

    def _judge_late(self, actions, verified):
        """Block what cannot be sent any more, and hand over what may be at Amazon."""
        for action in actions:
            if action._is_of_lost_life():
                self.env["amazon.gatekeeper"]._tell("_verify_first", action)
                continue
            # first: to be blocked says that nothing happened
            doubt = action._late_doubt()
            if doubt:
                action._doubt(doubt)
                continue
            reason = verified[action.id] or self._late_blocker(action)
            if reason:
                action._set_blocked(reason)

    def _late_blocker(self, action):
        """Return why an action cannot be sent any more, or False."""
        blocker = action._late_blocker()
        if blocker:
            return blocker
        try:
            # alone, so that it cannot spoil the envelope of the others
            action.message_number = 1
            check_message(action._kind()._build_message(action))
        except InvalidMessage as error:
            return self.env._("Amazon's form does not take it: %s", error)
        return False

    def _write_payload(self, payload, feed_type, actions):
        """Number the actions and write their messages, as many as Amazon takes at once.

        :param payload: binary file
        :param str feed_type: Amazon's name of the feed
        :return: the actions whose messages are in it
        """
        for number, action in enumerate(actions, start=1):
            action.message_number = number
        messages = (action._kind()._build_message(action) for action in actions)
        written = WRITERS[feed_type](
            payload, actions.account_id.seller_id, messages, MAX_FEED_BYTES
        )
        payload.seek(0)
        return actions[:written]

    def _block(self, lane, verified, error):
        """Block what would have been sent: Amazon, or we, said no for good."""
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        due = self._due(lane).filtered(lambda action: action.id in verified)
        due._set_blocked(
            self.env._("Nothing was sent. %s", account._describe_error(error))
        )

    def _create_feed(self, client, sending):
        """Make the one call that cannot be repeated.

        :return: the method that records what came of it, and its arguments
        :rtype: tuple
        """
        lane = sending.lane
        try:
            created = client.create_feed(
                lane.feed_type, [lane.marketplace], sending.document_ref
            )
        except (NotSent, Throttled) as error:
            return "_record_not_sent", str(error), getattr(error, "wait", None)
        except Refused as error:
            if error.may_be_repeated:
                return "_record_not_sent", str(error), None
            return "_record_refused", str(error)
        except Exception as error:
            # Whatever it was, the request may have left: nobody knows.
            _logger.warning("createFeed of feed %s: %s", sending.feed_id, error)
            return "_record_unknown", self._unknown_sentence()
        # For a person, should the database be gone at this very moment.
        _logger.info("createFeed of feed %s: Amazon's %s", sending.feed_id, created)
        return "_record_submitted", created.feed_id, created.request_id

    def _unknown_sentence(self):
        return self.env._(
            "Amazon did not answer when this was sent, so it is unknown whether Amazon "
            "has it. It is looked for at Amazon; it is not simply sent again."
        )

    # --- what is left --- #

    def _come_back(self, lane):
        """Enqueue the next dispatch for what still waits, and say what it waits for."""
        left = self._due(lane)
        if not left:
            self._return_for_aside(lane)
            return
        now = database_now(self.env)
        unread = left.filtered(lambda action: not action._is_order_verified(now=now))
        for action in unread:
            problem = action.order_id.read_message or action.order_id.finances_message
            if problem:
                action.state_message = self.env._(
                    "Not sent yet: the order must be read first. %s", problem
                )
        unread.order_id._notify_forms()
        newest = max(action._decided_at() for action in left)
        shown_in = RANGE_LAG_SECONDS - (now - newest).total_seconds()
        wait = min(max(shown_in, NEXT_FEED_MIN_SECONDS), NEXT_FEED_MAX_SECONDS)
        self._enqueue_return(lane, wait)

    def _return_for_aside(self, lane):
        """Enqueue a dispatch for what was set aside for a while."""
        waiting = self.env["amazon.action"].search(
            [*self._waiting_domain(lane), ("set_aside_until", "!=", False)],
            order="set_aside_until",
            limit=1,
        )
        if waiting:
            wait = -self._age(waiting.set_aside_until)
            self._enqueue_return(lane, max(wait, NEXT_FEED_MIN_SECONDS))

    def _later(self, reason, seconds=None):
        return RetryableJobError(
            reason, seconds=ceil(seconds or DISPATCH_RETRY_SECONDS), ignore_retry=True
        )

    # === BUSINESS METHODS - RECORDING WHAT CAME OF IT === #

    # On the feed alone, so that what Amazon said is kept at once, however many actions
    # it concerns. They follow in chunks.

    def _record_submitted(self, feed_id, feed_ref, request_ref):
        """Amazon has taken the feed under ``feed_ref``, by the request of that id."""
        feed = self.browse(feed_id)
        if feed.is_adopted:
            feed._correct_adoption(feed_ref)
        if feed.state == "absent":
            feed._doubt_resends(feed_ref)
        if feed._record(
            {
                "state": "submitted",
                "state_message": False,
                "feed_ref": feed_ref,
                "request_ref": request_ref,
                "submitted_at": database_now(self.env),
            }
        ):
            feed._forget_listed()
            feed._enqueue_poll(POLL_MIN_SECONDS)

    def _forget_listed(self):
        """Hook: Amazon's id of this feed is known by now, so that a feed of Amazon's
        list by that id is nobody else's."""

    def _doubt_resends(self, feed_ref):
        """The sender of a feed that was called absent tells, very late, that Amazon has
        it: what waits to be sent again for that must not be.

        :param str feed_ref: Amazon's id
        """
        self.env["amazon.action"].search(
            [
                *self._lane().domain(),
                ("state", "in", BEFORE_SENDING),
                ("first_sending_at", "=", self.sending_at),
            ]
        )._doubt(
            self.env._(
                "Amazon has it after all, under the feed %s, as the server that sent "
                "it has told only now. So it is not sent again. Look at the order in "
                "Seller Central and decide.",
                feed_ref,
            )
        )

    def _record_not_sent(self, feed_id, reason, wait):
        """It is proven that Amazon has nothing; the actions wait again."""
        feed = self.browse(feed_id)
        if feed._record({"state": "not_sent", "state_message": reason}):
            self._enqueue_return(feed._lane(), wait or DISPATCH_RETRY_SECONDS)

    def _record_refused(self, feed_id, reason):
        """Amazon said no before it executed anything."""
        self.browse(feed_id)._record({"state": "refused", "state_message": reason})

    def _record_unknown(self, feed_id, reason):
        """Nobody can say whether Amazon has it."""
        feed = self.browse(feed_id)
        if feed._record({"state": "unknown", "state_message": reason}):
            feed._enqueue_reconcile()

    def _record(self, vals):
        """Write what came of createFeed, unless more is known already.

        The sender may learn it late: where PostgreSQL was restarted, it lost the lane,
        and another dispatch has called the feed unknown.

        :return: whether it was news
        :rtype: bool
        """
        if self.state not in ("sending", "unknown"):
            _logger.warning("Feed %s is %s, not %s", self.id, self.state, vals)
            return False
        self.write(vals)
        return True

    # --- the actions follow --- #

    def _follow(self, feed_id):
        """Let the actions of a feed follow what is known of it, chunk by chunk."""
        try:
            while self._in_own_transaction("_follow_chunk", feed_id):
                pass
        except PASSED_ON:
            raise
        except Exception as error:
            self.browse(feed_id)._set_aside_in_own(error)

    def _enqueue_follow(self):
        """Let the actions follow what is known of the feed now.

        Without an identity key: a job that is about to start may not see it yet.
        """
        in_background(self, self.company_id).with_delay(
            priority=5,
            max_retries=0,
            description=f"Tell the actions of the feed {self.feed_ref or self.id}",
        )._job_follow()

    @contained_job
    def _job_follow(self):
        """Let the actions follow what is known of the feed. Job; safe to run twice."""
        self.ensure_one()
        self._follow(self.id)

    def _follow_chunk(self, feed_id):
        """Move some of the actions on that are behind their feed.

        :return: whether there may be more
        :rtype: bool
        """
        feed = self.browse(feed_id)
        if feed.state == "sending" or not feed._goes_on():
            return False
        behind = Domain("state", "=", "sending") | Domain(BEHIND_UNKNOWN)
        actions = self.env["amazon.action"].search(
            Domain("feed_id", "=", feed.id)
            & behind
            & self.env["amazon.action"]._goes_on_domain(),
            order="id",
            limit=CHUNK,
        )
        if feed.state == "absent" and feed._executed():
            feed._doubt_absence()
            return False
        contained(
            actions,
            feed._pass_on,
            lambda action, error: action._set_aside(error),
        )
        return len(actions) == CHUNK

    def _pass_on(self, actions):
        """Move actions to what is known of this feed."""
        if self.state == "not_sent":
            for kind, of_kind in actions.grouped("kind").items():
                reason = self.account_id._not_sent_sentence(kind)
                of_kind._set_back_to_queued(reason)
        elif self.state == "refused":
            actions._set_blocked(
                self.env._(
                    "Amazon refused to take it: %s. Nothing was executed. Tell an "
                    "administrator.",
                    self.state_message,
                )
            )
        elif self.state == "absent":
            actions._set_sent_again(self.state_message)._enqueue_dispatch()
        elif self.state == "unknown":
            # Amazon's own data settles it sooner than its list of feeds can
            actions._set_unknown(self.state_message)._enqueue_confirm()
        else:
            # Amazon has it, and may even have processed it meanwhile.
            actions._set_submitted(self.is_adopted and self.state_message)


class Unverified(NamedTuple):
    """An order that must be asked for before an action leaves.

    :param int order_id: id of the order
    :param bool by_range: whether a range read now could show it
    """

    order_id: int
    by_range: bool


def _from_timestamp(moment):
    return fields.Datetime.to_datetime("1970-01-01 00:00:00") + timedelta(
        seconds=moment
    )


def _naive(moment):
    """Return a moment as Odoo keeps it, False where there is none."""
    return moment.replace(tzinfo=None, microsecond=0) if moment else False
