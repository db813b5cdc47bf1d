import uuid
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.fields import Domain
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.action.finders import waiting_lanes
from ...models.kinds.cancel import REST_REASONS
from ...spapi import enums
from ...spapi.client import SellerClient
from ...spapi.errors import NotSent, Refused
from ..common import FBA_UNSHIPPED, UNSHIPPED, AmazonOrderCommon

CALL = "odoo.addons.amazon_order_actions.models.sending.call"
ACTION = "odoo.addons.amazon_order_actions.models.action.action"

# What records that Amazon does not offer the operation.
REFUSED = "refused", None, "No", "NotFound", 404


@tagged("post_install", "-at_install")
class TestCancelByRest(AmazonOrderCommon):
    """Whole orders cancelled by a call, and by feed where Amazon does not offer it."""

    def setUp(self):
        super().setUp()
        self.account.cancel_by_rest = True
        self.offer("on")

    def offer(self, value):
        self.simulator.change(rest_cancellation=value)

    def executed(self):
        """Return what the simulator has done: (by call, by feed)."""
        ledger = self.simulator.ledger()
        calls = [
            row for row in ledger["rest_cancellations"] if row["state"] == "executed"
        ]
        return len(calls), len(ledger["cancellations"])

    def ask(self, **values):
        return self.ask_cancel(self.create_sale_order(UNSHIPPED), **values)

    def begin(self, action):
        """Mark an action as being sent, and return this sending."""
        # after the click, as the job does
        action.order_id._read_from_amazon()
        self.assertTrue(action._begin_call(uuid.uuid4().hex, True))
        return action.call_id

    def call(self, action):
        with mute_logger(CALL):
            self.run_jobs("_job_call")
        return action.state

    # === BY THE CALL === #

    def test_switch_is_off_at_first(self):
        account = self._create_account(seller_id="ANOTHER")
        self.assertFalse(account.cancel_by_rest)

    def test_call_is_submitted_and_confirmed_by_the_order(self):
        action = self.ask()
        self.assertFalse(action.feed_type)
        self.assertEqual(self.call(action), "submitted")
        self.assertTrue(action.request_ref)
        self.assertIn(f"request {action.request_ref}", action.state_message)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertIn("by the seller", action.state_message)
        self.assertEqual(self.executed(), (1, 0))
        self.assertFalse(action.feed_id)
        calls = self.simulator.ledger()["rest_cancellations"]
        self.assertEqual(calls[0]["reason"], "NO_INVENTORY")

    def test_taken_is_not_cancelled(self):
        self.simulator.reset(
            processing_seconds=9999, quotas=False, rest_cancellation="on"
        )
        action = self.ask()
        self.call(action)
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "submitted")
        self.assertEqual(action.order_id.fulfillment_status, "UNSHIPPED")

    def test_reasons_that_the_call_does_not_know_go_by_feed(self):
        action = self.ask(reason="WeatherDelay")
        self.assertEqual(action.feed_type, enums.FEED_CANCEL)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.executed(), (0, 1))

    def test_reasons_are_amazons(self):
        self.assertEqual(set(REST_REASONS.values()), set(enums.CANCEL_ORDER_REASONS))
        self.assertLessEqual(set(REST_REASONS), set(enums.CANCEL_REASONS))

    def test_way_is_decided_when_it_is_asked_for(self):
        by_call = self.ask()
        self.account.cancel_by_rest = False
        self.settle()
        self.assertEqual(by_call.state, "confirmed")
        self.assertEqual(self.executed(), (1, 0))

    def test_switching_it_on_does_not_change_what_waits(self):
        self.account.cancel_by_rest = False
        by_feed = self.ask()
        self.account.cancel_by_rest = True
        self.settle()
        self.assertEqual(by_feed.state, "confirmed")
        self.assertEqual(self.executed(), (0, 1))

    def test_order_that_amazon_ships_is_never_called(self):
        sale_order = self.create_sale_order(FBA_UNSHIPPED)
        action = self.ask_cancel(sale_order, note="Case 1234")
        self.assertEqual(action.state, "assisted")
        self.settle(rounds=3)
        self.assertNotIn("cancelOrder", self.simulator.ledger()["calls"])

    def test_it_can_be_taken_back_before_it_leaves(self):
        action = self.ask()
        action.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(action.state, "withdrawn")
        self.assertEqual(self.executed(), (0, 0))

    def test_stop_keeps_it(self):
        action = self.ask()
        self.stop(self.account, "A test")
        self.assertEqual(self.call(action), "queued")
        self.assertEqual(self.executed(), (0, 0))

    def test_order_shipped_meanwhile_blocks_it(self):
        action = self.ask()
        self.simulator.happen(UNSHIPPED, "ship")
        self.assertEqual(self.call(action), "blocked")
        self.assertNotIn("cancelOrder", self.simulator.ledger()["calls"])

    # === BY FEED INSTEAD === #

    def assert_goes_by_feed_once(self, offered):
        self.offer(offered)
        action = self.ask()
        self.assertEqual(self.call(action), "queued")
        self.assertEqual(action.feed_type, enums.FEED_CANCEL)
        self.assertIn("sent by feed instead", action.state_message)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.executed(), (0, 1))
        self.assertEqual(
            self.journal(action)[:4],
            [
                (False, "queued"),
                ("queued", "sending"),
                ("sending", "queued"),
                ("queued", "sending"),
            ],
        )
        self.assertEqual(self.simulator.ledger()["calls"]["cancelOrder"], 1)

    def test_forbidden_call_goes_by_feed_once(self):
        self.assert_goes_by_feed_once("forbidden")

    def test_call_that_is_not_found_goes_by_feed_once(self):
        self.assert_goes_by_feed_once("not_found")

    def test_refusal_on_the_merits_is_rejected_and_never_sent_by_feed(self):
        action = self.ask()
        refused = Refused(
            "cancelOrder", "OrderId is invalid", code="InvalidInput", http_status=400
        )
        with patch.object(SellerClient, "cancel_order", side_effect=refused):
            self.assertEqual(self.call(action), "rejected")
        self.assertIn("OrderId is invalid", action.state_message)
        self.settle()
        self.assertEqual(self.executed(), (0, 0))

    def test_no_other_answer_goes_by_feed(self):
        kind = self.env["amazon.action.kind.cancel"]
        for status in (None, 200, 202, 400, 401, 409, 429, 500, 502, 503, 504):
            self.assertFalse(kind._feed_instead(status), status)
        for status in (403, 404):
            self.assertEqual(kind._feed_instead(status), enums.FEED_CANCEL)

    def test_used_up_quota_waits_for_the_call(self):
        action = self.ask()
        self.simulator.fault("throttle", "cancelOrder", times=1)
        self.assertEqual(self.call(action), "queued")
        self.assertFalse(action.feed_type)

    def test_request_that_did_not_leave_is_called_again(self):
        action = self.ask()
        lost = NotSent("cancelOrder", "No connection")
        with patch.object(SellerClient, "cancel_order", side_effect=lost):
            self.assertEqual(self.call(action), "queued")
        self.assertFalse(action.feed_type)
        action.due_at = fields.Datetime.now()
        self.settle()
        self.assertEqual(self.executed(), (1, 0))

    # === UNKNOWN === #

    def test_lost_answer_is_unknown_and_looked_for_at_amazon(self):
        action = self.ask()
        self.simulator.fault("cut_after", "cancelOrder", times=1)
        self.assertEqual(self.call(action), "unknown")
        self.assertFalse(action.feed_type)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.executed(), (1, 0))

    def test_server_error_is_unknown_and_never_sent_by_feed(self):
        action = self.ask()
        self.simulator.fault("html_503", "cancelOrder", times=1)
        self.assertEqual(self.call(action), "unknown")
        self.settle(rounds=4)
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.executed(), (0, 0))

    def test_call_that_left_no_trace_for_long_is_rejected(self):
        action = self.ask()
        self.simulator.fault("cut_before", "cancelOrder", times=1)
        self.call(action)
        action.call_id.sending_at = fields.Datetime.now() - timedelta(minutes=31)
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "rejected")
        self.assertIn("is not cancelled", action.state_message)

    def test_taken_call_is_not_called_failed_while_nothing_is_shipped(self):
        self.simulator.reset(
            processing_seconds=99999, quotas=False, rest_cancellation="on"
        )
        action = self.ask()
        self.call(action)
        action.call_id.sending_at = fields.Datetime.now() - timedelta(minutes=31)
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "submitted")
        self.simulator.happen(UNSHIPPED, "ship")
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "rejected")

    def test_taken_call_without_a_trace_goes_to_a_person_after_a_day(self):
        self.simulator.reset(
            processing_seconds=999999, quotas=False, rest_cancellation="on"
        )
        action = self.ask()
        self.call(action)
        action.call_id.sending_at = fields.Datetime.now() - timedelta(hours=25)
        self.assertFalse(action._judge_call(), "it is looked for all the same")
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)

    def test_sender_that_died_leaves_it_unknown(self):
        action = self.ask()
        self.begin(action)
        self.assertEqual(self.call(action), "unknown")
        self.assertNotIn("cancelOrder", self.simulator.ledger()["calls"])

    # === LATE AND OLD JOBS === #

    def test_old_job_of_the_call_leaves_what_a_feed_carries_alone(self):
        self.offer("not_found")
        action = self.ask()
        self.call(action)
        action._enqueue_call()
        action._enqueue_look()
        # the feed has left, and its outcome is not recorded yet
        action._set_sending()
        action.call_id.sending_at = fields.Datetime.now() - timedelta(hours=25)
        self.run_jobs("_job_call", "_job_look")
        self.assertEqual(action.state, "sending")
        action._set_unknown("?")
        action._enqueue_look()
        self.run_jobs("_job_look")
        self.assertFalse(action.needs_person)
        self.assertNotIn(
            action,
            action._lost_calls(self.account, fields.Datetime.now() + timedelta(days=1)),
        )

    def test_late_refusal_of_an_unknown_call_goes_by_feed(self):
        action = self.ask()
        call = self.begin(action)
        call._record("unknown", None, "?")
        call._record(*REFUSED)
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.executed(), (0, 1))

    def test_late_refusal_of_a_first_call_says_nothing_of_the_second(self):
        action = self.ask()
        first = self.begin(action)
        first._record("unknown", None, "?")
        action._set_back_to_queued("A person saw that it is not there.")
        second = self.begin(action)
        self.assertNotEqual(first, second)
        with mute_logger(CALL):
            first._record(*REFUSED)
            first._record("not_sent", None, "No", None)
        self.assertEqual(action.state, "sending")
        self.assertFalse(action.feed_type)

    def test_late_refusal_of_what_a_person_has_settled_changes_nothing(self):
        action = self.ask()
        call = self.begin(action)
        call._record("unknown", None, "?")
        action._set_assisted("Seen in Seller Central.")
        with mute_logger(ACTION):
            call._record(*REFUSED)
        self.assertEqual(action.state, "assisted")
        self.assertFalse(action.feed_type)
        self.assertFalse(self.pending_jobs("_job_dispatch"))

    # === THE WATCH === #

    def test_watch_finds_a_call_without_a_job(self):
        action = self.ask()
        self.pending_jobs("_job_call").state = "cancelled"
        lost = action._lost_calls(
            self.account, fields.Datetime.now() + timedelta(hours=1)
        )
        self.assertEqual(lost, action)

    def test_watch_does_not_count_it_among_what_waits_for_a_feed(self):
        action = self.ask()
        lanes = waiting_lanes(self.account.sudo(), timedelta(seconds=-10), Domain.TRUE)
        self.assertEqual([lane.feed_type for lane in lanes], [False])
        self.assertEqual(
            self.panel_of(action.order_id)["actions"][0]["state"], "queued"
        )
