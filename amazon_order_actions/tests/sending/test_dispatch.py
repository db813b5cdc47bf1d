from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.sending import dispatch as amazon_feed_dispatch
from ..common import (
    GIFT_WRAPPED,
    PARTLY_REFUNDED,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

DISPATCH = "odoo.addons.amazon_order_actions.models.sending.dispatch"


@tagged("post_install", "-at_install")
class TestDispatch(AmazonOrderCommon):
    """What leaves when: undo, quotas, urgency, envelopes."""

    def feeds_sent(self):
        return self.simulator.ledger()["calls"].get("createFeed", 0)

    def leave_tokens(self, tokens):
        """Leave so many tokens of createFeed."""
        self.account._quota().take(amazon_feed_dispatch.CREATE_FEED)
        self.env.cr.execute(
            "UPDATE amazon_quota SET tokens = %s WHERE operation = 'createFeed'",
            [tokens],
        )

    def refund_without_job(self, ref):
        """Ask for a refund whose dispatch does not run."""
        action = self.ask_refund(self.create_sale_order(ref))
        self.pending_jobs("_job_dispatch").state = "cancelled"
        return action

    def dispatch(self, action):
        """Run a dispatch of the lane of an action."""
        self.env.flush_all()
        action._enqueue_dispatch()
        return self.run_jobs("_job_dispatch")

    def _lane(self, action):
        return action.account_id.id, action.marketplace, action._kind()._feed_type

    # === UNDO === #

    def test_nothing_leaves_before_the_time_to_take_it_back_is_over(self):
        self.set_undo("refund", 60)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.feeds_sent(), 0)
        action.due_at -= timedelta(seconds=61)
        self.dispatch(action)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_job_is_due_when_the_time_to_take_it_back_is_over(self):
        self.set_undo("refund", 60)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        for job in self.pending_jobs("_job_dispatch"):
            self.assertGreaterEqual(job.eta, action.due_at)

    def test_action_can_be_taken_back_in_time_and_nothing_is_sent(self):
        self.set_undo("refund", 60)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action.with_user(self.agent).action_withdraw()
        action.due_at -= timedelta(seconds=61)
        self.settle()
        self.assertEqual(action.state, "withdrawn")
        self.assertEqual(self.feeds_sent(), 0)

    def test_action_that_has_left_cannot_be_taken_back(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        with self.assertRaises(UserError):
            action.with_user(self.agent).action_withdraw()

    def test_recorded_action_needs_no_undo(self):
        self.set_undo("refund", 60)
        action = self.ask_refund(
            self.create_sale_order("406-7753190-2268415"), note="Done in Seller Central"
        )
        self.assertEqual(action.due_at, action.asked_at)

    # === QUOTAS === #

    def test_free_token_sends_at_once(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")

    def test_scarce_token_collects(self):
        self.leave_tokens(3)
        first = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        second = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.run_jobs("_job_dispatch")
        self.assertEqual((first | second).mapped("state"), ["queued"] * 2)
        self.leave_tokens(4.5)
        self.run_jobs("_job_dispatch")
        self.assertEqual((first | second).mapped("state"), ["submitted"] * 2)
        self.assertEqual(first.feed_id, second.feed_id)
        self.assertEqual(self.feeds_sent(), 1)

    def one_known_one_not(self):
        """Return two actions, of which only the order of the first can be read."""
        first = self.refund_without_job(SHIPPED)
        second = self.refund_without_job(GIFT_WRAPPED)
        self.simulator.fault("html_503", "getOrder", times=3, skip=1)
        return first, second

    def test_last_token_waits_for_orders_that_amazon_shows_soon(self):
        first, second = self.one_known_one_not()
        self.leave_tokens(4.5)
        self.dispatch(first)
        self.assertEqual((first | second).mapped("state"), ["queued"] * 2)
        first.due_at -= timedelta(minutes=5)
        self.dispatch(first)
        self.assertEqual(first.state, "submitted", "but not for ever")

    def test_token_that_is_not_the_last_waits_for_no_order(self):
        first, second = self.one_known_one_not()
        self.leave_tokens(6.5)
        self.dispatch(first)
        self.assertEqual(first.state, "submitted")
        self.assertEqual(second.state, "queued")

    def test_cancellation_takes_from_the_reserve(self):
        self.leave_tokens(1.5)
        refund = self.ask_refund(self.create_sale_order(SHIPPED))
        cancellation = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.run_jobs("_job_dispatch")
        self.assertEqual(refund.state, "queued")
        self.assertEqual(cancellation.state, "submitted")

    def test_lane_that_has_waited_longer_goes_first(self):
        self.leave_tokens(4.5)
        first = self.refund_without_job(SHIPPED)
        first.due_at -= timedelta(minutes=1)
        other = self.refund_without_job(GIFT_WRAPPED)
        other.marketplace = "A13V1IB3VIYZZH"
        self.dispatch(other)
        self.assertEqual(other.state, "queued")
        self.pending_jobs("_job_dispatch").state = "cancelled"
        self.dispatch(first)
        self.assertEqual(first.state, "submitted")

    def test_waiting_for_a_token_reads_no_order(self):
        self.leave_tokens(0)
        self.ask_refund(self.create_sale_order(SHIPPED))
        before = self.simulator.ledger()["calls"]
        self.run_jobs("_job_dispatch")
        self.assertEqual(self.simulator.ledger()["calls"], before)

    def test_dispatch_comes_back_when_the_token_is_due(self):
        self.leave_tokens(0)
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        due = max(self.pending_jobs("_job_dispatch").mapped("eta"))
        # four tokens: three are kept for what is urgent
        wait = (due - fields.Datetime.now()).total_seconds()
        self.assertAlmostEqual(wait, 4 / 0.0083, delta=10)

    def test_click_that_commits_after_its_dispatch_looked_is_swept_up(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_due", lambda *args: action.browse()):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        sweep = self.pending_jobs("_job_dispatch")
        self.assertEqual(len(sweep), 1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        self.assertFalse(self.pending_jobs("_job_dispatch"), "it ends")

    # === ENVELOPES === #

    def test_most_urgent_fill_the_envelope_first(self):
        first = self.refund_without_job(SHIPPED)
        urgent = self.refund_without_job(GIFT_WRAPPED)
        urgent.urgent_from = fields.Datetime.now() - timedelta(minutes=1)
        with patch.object(amazon_feed_dispatch, "MAX_ACTIONS_PER_FEED", 1):
            self.dispatch(first)
        self.assertEqual(urgent.state, "submitted")
        self.assertEqual(first.state, "queued")

    def test_envelope_is_split_where_amazon_advises_no_more(self):
        actions = self.env["amazon.action"]
        for ref in (SHIPPED, GIFT_WRAPPED, PARTLY_REFUNDED):
            actions |= self.refund_without_job(ref)
        with patch.object(amazon_feed_dispatch, "MAX_FEED_BYTES", 1600):
            self.dispatch(actions[0])
            sent = actions.filtered(lambda action: action.state == "submitted")
            self.assertTrue(0 < len(sent) < 3, actions.mapped("state"))
            self.settle()
        self.assertEqual(actions.mapped("state"), ["confirmed"] * 3)
        self.assertGreater(self.feeds_sent(), 1)

    # === INTERRUPTIONS === #

    def test_actions_follow_a_feed_whose_sender_died_after_amazon_answered(self):
        action = self.refund_without_job(SHIPPED)
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_follow"):
            self.dispatch(action)
        self.assertEqual(action.state, "sending")
        self.assertEqual(action.feed_id.state, "submitted")
        self.dispatch(action)
        self.assertEqual(action.state, "submitted")
        self.assertEqual(self.feeds_sent(), 1)

    @mute_logger(DISPATCH)
    def test_late_proof_that_nothing_was_sent_brings_it_back(self):
        action = self._unknown_action()
        feed = action.feed_id
        feed._record_not_sent(feed.id, "Amazon could not be reached", None)
        self._follow(feed)
        self.assertEqual(action.state, "queued")
        self.assertFalse(action.feed_id)

    @mute_logger(DISPATCH)
    def test_late_word_of_the_sender_does_not_undo_what_is_known(self):
        action = self._unknown_action()
        feed = action.feed_id
        feed._record_submitted(feed.id, "4711", "r-1")
        feed._record_not_sent(feed.id, "Amazon could not be reached", None)
        self._follow(feed)
        self.assertEqual(feed.state, "submitted")
        self.assertEqual(action.state, "submitted")

    def _unknown_action(self):
        """Return an action whose sender lost the lane on the way."""
        action = self.refund_without_job(SHIPPED)
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_create_feed", side_effect=KeyboardInterrupt):
            try:
                self.env.flush_all()
                # not as a job, whose savepoint would roll back what must survive
                feeds._job_dispatch(self.env["amazon.feed"], *self._lane(action))
            except KeyboardInterrupt:
                self.env.invalidate_all()
        self.env["amazon.feed"]._settle_interrupted(action.feed_id._lane())
        self.env.invalidate_all()
        self.assertEqual(action.state, "unknown")
        return action

    def _follow(self, feed):
        self.env.flush_all()
        feed._job_follow()
        self.env.invalidate_all()
