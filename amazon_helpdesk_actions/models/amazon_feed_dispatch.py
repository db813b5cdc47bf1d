import hashlib
import logging
import time
from datetime import timedelta
from math import ceil
from typing import NamedTuple

import psycopg2
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from odoo import api, fields, models

from odoo.addons.queue_job.exception import RetryableJobError

from ..const import (
    DISPATCH_RETRY_SECONDS,
    LANE_BUSY_SECONDS,
    MAX_ACTIONS_PER_FEED,
    NEXT_FEED_SECONDS,
    POLL_MIN_SECONDS,
    VERIFY_SECONDS,
)
from ..spapi.errors import (
    IncompleteCredentials,
    InvalidMessage,
    NotSent,
    Refused,
    SpApiError,
    Throttled,
)
from .amazon_feed import Lane
from .amazon_order_reading import is_final
from .background import in_background

_logger = logging.getLogger(__name__)


class Sending(NamedTuple):
    """All that the irreversible call needs, known before it."""

    feed_id: int
    client: object
    lane: Lane
    document_ref: str


class AmazonFeed(models.Model):
    """How what is queued is sent to Amazon.

    The pipeline (docs/architecture.md): a dispatch takes the lane, checks the orders,
    uploads the document, COMMITS the state *sending*, calls createFeed once, and
    commits what came of it. Whatever dies in between leaves a feed in *sending*, and
    the next dispatch of the lane turns it into *unknown*, never back into a sending.
    """

    _inherit = "amazon.feed"

    # === BUSINESS METHODS - DISPATCHING === #

    @api.model
    def _enqueue_dispatch(self, lane):
        """Enqueue a dispatch for something new in a lane.

        One job for each request and no identity key: a job that is about to start may
        have looked before this transaction commits. A dispatch that finds nothing to
        send costs a few milliseconds.
        """
        self._at_work(lane).with_delay(
            priority=5, max_retries=0, description=f"Send {lane.feed_type} to Amazon"
        )._job_dispatch(*lane)

    def _enqueue_return(self, lane, wait):
        """Enqueue the next dispatch for what still waits in a lane.

        One such job for each lane is enough: only the holder of the lane enqueues it,
        and the one that waits already will look after the lane is free.

        :param float wait: seconds before which it should not start
        """
        self._at_work(lane).with_delay(
            priority=5,
            max_retries=0,
            eta=ceil(wait),
            description=f"Send {lane.feed_type} to Amazon, what is left",
            identity_key="amazon_dispatch_{}_{}_{}".format(*lane),
        )._job_dispatch(*lane)

    def _at_work(self, lane):
        account = self.env["amazon.seller.account"].sudo().browse(lane.account_id)
        return in_background(self, account.company_id)

    @api.model
    def _job_dispatch(self, account_id, marketplace, feed_type):
        """Send what waits in a lane, in one envelope. Job; safe to run twice.

        This job's own transaction does nothing but hold the lane. All that must
        survive a crash is done in transactions of their own.

        :raise RetryableJobError: when it should be run again later
        """
        lane = Lane(account_id, marketplace, feed_type)
        self._take_lane(lane)
        self._in_own_transaction("_settle_abandoned", lane)
        if not self._in_own_transaction("_may_send", lane):
            return
        if self._in_own_transaction("_wait_for_quota", lane):
            return
        verified = self._verify_orders(lane)
        try:
            sending = self._in_own_transaction("_prepare", lane, verified)
        except SpApiError as error:
            # createFeedDocument and the upload move nothing: tried again as a whole.
            raise self._later(str(error), getattr(error, "wait", None)) from None
        if sending:
            with sending.client:
                record, *args = self._create_feed(sending)
            self._in_own_transaction(record, sending.feed_id, *args)
        else:
            # Where PostgreSQL's answer to the commit was lost, the feed is marked as
            # being sent, and nobody sends it.
            self._in_own_transaction("_settle_abandoned", lane)
        self._in_own_transaction("_come_back", lane, verified)

    def _take_lane(self, lane):
        """Hold the lane until this transaction ends, however it ends.

        PostgreSQL lets it go when the process dies, so whoever holds the lane knows
        that a feed in state *sending* has lost its sender.

        :raise RetryableJobError: when somebody else holds it
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            ["amazon_helpdesk_actions/{}/{}/{}".format(*lane)],
        )
        if not self.env.cr.fetchone()[0]:
            raise self._later("Another dispatch of this lane runs.", LANE_BUSY_SECONDS)

    @api.model
    @retry(
        retry=retry_if_exception_type(
            (psycopg2.OperationalError, psycopg2.InterfaceError)
        ),
        wait=wait_random_exponential(multiplier=0.1, max=5),
        stop=stop_after_delay(120),
        reraise=True,
    )
    def _in_own_transaction(self, method, *args):
        """Call a method of this model in a transaction of its own, and commit.

        Tried again when PostgreSQL could not serialize it or was restarted.
        """
        with self.env.registry.cursor() as cr:
            return getattr(self.with_env(self.env(cr=cr)), method)(*args)

    def _settle_abandoned(self, lane):
        """Say of feeds whose sender died that nobody knows whether Amazon has them."""
        for feed in self.search([*lane.domain(), ("state", "=", "sending")]):
            self._record_unknown(
                feed.id,
                self.env._(
                    "The program was stopped while it sent this to Amazon, so it is "
                    "unknown whether Amazon has it. It is not sent again. Look at the "
                    "order in Seller Central."
                ),
            )

    def _may_send(self, lane):
        return self.env["amazon.seller.account"].browse(lane.account_id)._may_send()

    def _wait_for_quota(self, lane):
        """Come back later where Amazon has just said that the quota is used up.

        Saves the reading of orders for a feed that Amazon would not take.

        :return: whether it is so
        :rtype: bool
        """
        now = fields.Datetime.now()
        throttled = self.search(
            [
                ("account_id", "=", lane.account_id),
                ("state", "=", "not_sent"),
                ("not_before", ">", now),
            ],
            order="not_before desc",
            limit=1,
        )
        if throttled:
            self._enqueue_return(lane, (throttled.not_before - now).total_seconds())
        return bool(throttled)

    def _verify_orders(self, lane):
        """Read the orders of the actions that would be sent next, each in a transaction
        of its own: Amazon is asked right before it is told.

        :return: for each order of which all is known that Amazon will say: why Amazon
            does not show it, or False
        :rtype: dict
        """
        verified = {}
        end = time.monotonic() + VERIFY_SECONDS
        for order_id in self._in_own_transaction("_orders_to_verify", lane):
            try:
                verified |= self._in_own_transaction("_verify_order", order_id)
            except Exception:
                # One order that cannot be recorded must not stop the others.
                _logger.exception("The order %s could not be recorded", order_id)
            if time.monotonic() > end:
                break
        return verified

    def _orders_to_verify(self, lane):
        """Return the ids of the orders to read, those that failed last time last."""
        orders = self._waiting(lane).order_id
        return orders.sorted(lambda order: bool(order.read_message)).ids

    def _verify_order(self, order_id):
        """Read one order.

        :return: the order with why Amazon does not show it or False, or nothing where
            Amazon has not said all
        :rtype: dict
        """
        order = self.env["amazon.order"].browse(order_id)
        answers = order._read_from_amazon()
        if not answers.is_complete():
            return {}
        return {order_id: answers.order_error and order.read_message}

    def _waiting(self, lane):
        """Return the actions that wait to be sent in this lane, oldest first."""
        kinds = [
            kind
            for kind, _label in self.env["amazon.action"]._fields["kind"].selection
            if self.env[f"amazon.action.kind.{kind}"]._feed_type == lane.feed_type
        ]
        return self.env["amazon.action"].search(
            [
                ("account_id", "=", lane.account_id),
                ("marketplace", "=", lane.marketplace),
                ("kind", "in", kinds),
                ("state", "=", "queued"),
            ],
            order="id",
            limit=MAX_ACTIONS_PER_FEED,
        )

    def _prepare(self, lane, verified):
        """Take what may be sent, upload its document, and mark it as being sent.

        The commit after this is the last one before the irreversible call.

        :param Lane lane: the lane, which this dispatch holds
        :param dict verified: the orders that were just read, see `_verify_orders`
        :return: what to send, or None
        :rtype: Sending | None
        """
        if not self._may_send(lane):
            # switched off while the orders were read
            return None
        waiting = self._waiting(lane).try_lock_for_update(allow_referencing=True)
        actions = self._drop_blocked(
            waiting.filtered(lambda action: action.order_id.id in verified), verified
        )
        if not actions:
            return None
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        payload = self._build_payload(account, actions)
        try:
            client = account._client()
            document_ref = client.prepare_feed(payload)
        except (SpApiError, IncompleteCredentials) as error:
            if isinstance(error, SpApiError) and not is_final(error):
                raise
            actions._set_blocked(
                self.env._("Nothing was sent. %s", account._describe_error(error))
            )
            return None
        feed = self.create(
            {
                **lane._asdict(),
                "state": "sending",
                "document_ref": document_ref,
                "payload_digest": hashlib.sha256(payload).hexdigest(),
                "sending_at": fields.Datetime.now(),
                "amazon_sent_after": _naive(client.amazon_now()),
                "message_count": len(actions),
            }
        )
        feed.payload_attachment_id = feed._attach("payload", payload)
        actions.feed_id = feed
        actions._set_sending()
        return Sending(feed.id, client, lane, document_ref)

    def _drop_blocked(self, actions, verified):
        """Block the actions that Amazon's data, as of now, speaks against, and those
        that cannot be expressed; number and return the others."""
        for action in actions:
            reason = verified[action.order_id.id] or self._late_blocker(action)
            if reason:
                action._set_blocked(reason)
        ready = actions.filtered(lambda action: action.state == "queued")
        for number, action in enumerate(ready, start=1):
            action.message_number = number
        return ready

    def _late_blocker(self, action):
        """Return why an action cannot be sent any more, or False."""
        handler = action._kind()
        blocker = handler._late_blocker(action)
        if blocker:
            return blocker
        try:
            # alone, so that it cannot spoil the envelope of the others
            action.message_number = 1
            handler._build_envelope(action.account_id.seller_id, action)
        except InvalidMessage as error:
            return self.env._("Amazon's form does not take it: %s", error)
        return False

    def _build_payload(self, account, actions):
        return actions[0]._kind()._build_envelope(account.seller_id, actions)

    def _create_feed(self, sending):
        """Make the one call that cannot be repeated.

        :return: the method that records what came of it, and its arguments
        :rtype: tuple
        """
        lane = sending.lane
        try:
            feed_ref = sending.client.create_feed(
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
        _logger.info("createFeed of feed %s: Amazon's %s", sending.feed_id, feed_ref)
        return "_record_submitted", feed_ref

    def _unknown_sentence(self):
        return self.env._(
            "Amazon did not answer when this was sent, so it is unknown whether Amazon "
            "has it. It is not sent again. Look at the order in Seller Central."
        )

    def _come_back(self, lane, verified):
        """Enqueue the next dispatch for what still waits, and say what it waits for."""
        waiting = self._waiting(lane)
        if not waiting:
            return
        unread = waiting.filtered(lambda action: action.order_id.id not in verified)
        for action in unread:
            problem = action.order_id.read_message or action.order_id.finances_message
            if problem:
                action.state_message = self.env._(
                    "Not sent yet: the order must be read first. %s", problem
                )
        unread.order_id._notify_forms()
        self._enqueue_return(lane, NEXT_FEED_SECONDS)

    def _later(self, reason, seconds=None):
        return RetryableJobError(
            reason, seconds=ceil(seconds or DISPATCH_RETRY_SECONDS), ignore_retry=True
        )

    # === BUSINESS METHODS - RECORDING WHAT CAME OF IT === #

    def _record_submitted(self, feed_id, feed_ref):
        """Amazon has taken the feed under ``feed_ref``."""
        feed = self.browse(feed_id)
        now = fields.Datetime.now()
        feed.write(
            {
                "state": "submitted",
                "state_message": False,
                "feed_ref": feed_ref,
                "submitted_at": now,
            }
        )
        feed.action_ids._set_submitted()
        feed._enqueue_poll(POLL_MIN_SECONDS)

    def _record_not_sent(self, feed_id, reason, wait):
        """It is proven that Amazon has nothing; the actions wait again."""
        feed = self.browse(feed_id)
        wait = wait or DISPATCH_RETRY_SECONDS
        feed.write(
            {
                "state": "not_sent",
                "state_message": reason,
                "not_before": fields.Datetime.now() + timedelta(seconds=wait),
            }
        )
        feed.action_ids._set_back_to_queued(
            self.env._(
                "Not sent yet: Amazon could not take it at the moment. It is tried "
                "again by itself."
            )
        )
        lane = Lane(feed.account_id.id, feed.marketplace, feed.feed_type)
        self._enqueue_return(lane, wait)

    def _record_refused(self, feed_id, reason):
        """Amazon said no before it executed anything."""
        feed = self.browse(feed_id)
        feed.write({"state": "refused", "state_message": reason})
        feed.action_ids._set_blocked(
            self.env._(
                "Amazon refused to take it: %s. Nothing was executed. Tell an "
                "administrator.",
                reason,
            )
        )

    def _record_unknown(self, feed_id, reason):
        """Nobody can say whether Amazon has it."""
        feed = self.browse(feed_id)
        feed.write({"state": "unknown", "state_message": reason})
        feed.action_ids._set_unknown(reason)
        feed._enqueue_reconcile()


def _naive(moment):
    """Return a moment as Odoo keeps it, False where there is none."""
    return moment.replace(tzinfo=None, microsecond=0) if moment else False
