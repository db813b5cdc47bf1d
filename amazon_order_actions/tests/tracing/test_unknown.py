import contextlib
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ...spapi.envelopes import RefundItem, RefundMessage, order_adjustment
from ..common import (
    CANCEL_REQUESTED,
    GIFT_WRAPPED,
    PARTLY_REFUNDED,
    PROMOTION,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
HOUR = 3600
SKU = "NW-KESSEL-12-SW"


@tagged("post_install", "-at_install")
class TestUnknown(AmazonOrderCommon):
    """What becomes of an action whose outcome nobody could say at first."""

    def setUp(self):
        super().setUp()
        # Nothing shows by Amazon's finances unless a test waits for it.
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 24 * HOUR, quotas=False
        )

    # === HELPERS === #

    def send(self, kind=None, ref=SHIPPED, **options):
        """Ask for a refund, with a fault in createFeed, and dispatch it."""
        action = self.ask_refund(self.create_sale_order(ref))
        if kind:
            self.simulator.fault(kind, "createFeed", times=1, **options)
        self.dispatch()
        return action

    def dispatch(self):
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")

    def reconcile(self):
        """Look for unknown feeds once, and let the actions follow."""
        postponed = self.run_jobs("_job_reconcile")
        self.run_jobs("_job_follow", "_job_move_actions")
        return postponed

    def find(self):
        """Look for unknown feeds when Amazon's list must show all that there is."""
        self.simulator.advance(61 * 60)
        return self.reconcile()

    def executed(self, ref=SHIPPED):
        """Return the messages about an order that Amazon executed."""
        rows = [r for r in self.simulator.ledger()["refunds"] if r["order_id"] == ref]
        return {(row["feed_id"], row["message_id"]) for row in rows}

    def upload_elsewhere(self, ref=PARTLY_REFUNDED, marketplace="A1PA6795UKMFR9"):
        """Upload a refund feed as other software of the same seller does."""
        price = (("Principal", Decimal(1)),)
        item = RefundItem("12345678901234", "elsewhere", "Other", price, None)
        message = RefundMessage(1, ref, "EUR", (item,))
        payload = order_adjustment(self.account.seller_id, [message])
        with self.account._client() as client:
            document = client.prepare_feed(payload)
            return client.create_feed(FEED_REFUND, [marketplace], document).feed_id

    def age(self, feed, **span):
        """Let a feed have been sent and processed so long ago, by our clock."""
        for name in ("sending_at", "submitted_at", "done_at"):
            if feed[name]:
                feed[name] -= timedelta(**span)

    def postpone(self, job):
        """Run a job that wants to come again, and keep what it did in transactions of
        its own: here they are part of the test's."""
        try:
            self.env.flush_all()
            job()
        except RetryableJobError:
            self.env.invalidate_all()
        else:
            self.fail("it does not come again")

    # === FOUND === #

    def test_feed_that_amazon_has_after_all_is_found_and_settled(self):
        for kind in ("cut_after", "timeout_after"):
            with self.subTest(kind):
                self.setUp()
                options = {"seconds": 1} if kind == "timeout_after" else {}
                with patch.object(
                    type(self.account), "_client", _impatient(type(self.account))
                ):
                    action = self.send(
                        kind, SHIPPED if not options else GIFT_WRAPPED, **options
                    )
                self.assertEqual(action.state, "unknown")
                feed = action.feed_id
                self.assertTrue(self.reconcile(), "the list may lag")
                self.assertEqual(action.state, "unknown")
                self.find()
                self.assertEqual(action.state, "submitted")
                self.assertEqual(feed.state, "submitted")
                self.assertTrue(feed.is_adopted)
                listed = self.simulator.ledger()["feeds"][-1]["feed_id"]
                self.assertEqual(feed.feed_ref, listed)
                self.assertIn(listed, action.state_message)
                self.finish()
                # it may be another program's: only Amazon's own data settles it
                self.assertEqual(action.state, "unknown")
                self.assertIn("lists no error", action.state_message)
                self.assertFalse(action.needs_person)
                self.assertEqual(
                    len(self.executed(action.order_id.amazon_order_ref)), 1
                )
                self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 1)

    def test_evidence_is_in_journal_and_chatter(self):
        action = self.send("cut_after")
        self.find()
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id)], order="id desc", limit=1)
        )
        self.assertEqual(entry.state_to, "submitted")
        self.assertIn("exactly one feed", entry.message)
        self.assertEqual(entry.feed_ref, action.feed_ref)
        self.assertIn("exactly one feed", self.notes(action._get_origin())[0])

    def test_feed_whose_sender_was_killed_after_sending_is_found(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = type(self.env["amazon.feed"])
        create_feed = feeds._create_feed

        def send_and_die(*args):
            create_feed(*args)
            raise KeyboardInterrupt

        with patch.object(feeds, "_create_feed", send_and_die):
            self._dispatch_and_die(action)
        self.assertEqual(action.state, "sending")
        self._dispatch_and_die(action)
        self.assertEqual(action.state, "unknown")
        self.find()
        self.assertEqual(action.state, "submitted")
        self.assertEqual(len(self.executed()), 1)

    def _dispatch_and_die(self, action):
        self.env.flush_all()
        # not assertRaises: it would roll back what must survive
        with contextlib.suppress(KeyboardInterrupt):
            self.env["amazon.feed"]._job_dispatch(
                action.account_id.id, action.marketplace, action._kind()._feed_type
            )
        self.env.invalidate_all()

    def test_list_that_lags_proves_nothing_until_it_shows_the_feed(self):
        self.simulator.fault("getfeeds_lag", seconds=600)
        action = self.send("cut_after")
        self.assertEqual(len(self.reconcile()), 1, "it looks again")
        self.assertEqual(action.state, "unknown")
        self.simulator.advance(601)
        self.reconcile()
        self.assertEqual(action.state, "unknown", "another one may be listed yet")
        self.find()
        self.assertEqual(action.state, "submitted")
        self.assertEqual(len(self.executed()), 1)

    def test_list_that_cannot_be_read_proves_nothing(self):
        action = self.send("cut_before")
        self.simulator.advance(5 * HOUR)
        self.simulator.fault("html_503", "getFeeds", times=3)
        self.assertEqual(len(self.reconcile()), 1)
        self.simulator.fault("throttle", "getFeeds", times=1)
        self.assertEqual(len(self.reconcile()), 1)
        self.assertEqual(action.state, "unknown")

    def test_two_unknown_feeds_of_a_lane_are_each_found(self):
        first = self.send("cut_after")
        self.simulator.advance(60)
        second = self.send("cut_after", GIFT_WRAPPED)
        self.find()
        self.assertEqual((first | second).mapped("state"), ["submitted"] * 2)
        refs = [row["feed_id"] for row in self.simulator.ledger()["feeds"]]
        self.assertEqual([first.feed_ref, second.feed_ref], refs)

    def test_of_two_unknown_feeds_the_one_that_amazon_lacks_is_sent_again_alone(self):
        lost = self.send("cut_before")
        self.simulator.advance(60)
        found = self.send("cut_after", GIFT_WRAPPED)
        self.simulator.advance(60)
        later = self.send(None, PARTLY_REFUNDED)
        self.reconcile()
        self.assertEqual(lost.state, "unknown")
        self.assertEqual(found.state, "submitted", "a later one of ours is listed")
        self.assertEqual(later.state, "submitted")
        self.find()
        self.assertEqual(lost.state, "queued")
        self.dispatch()
        self.assertEqual(len(self.executed()), 1)
        self.assertEqual(len(self.executed(GIFT_WRAPPED)), 1)

    def test_feed_that_its_sender_is_about_to_record_is_nobody_elses(self):
        lost = self.send("cut_before")
        self.simulator.advance(60)
        sent = self.send(None, GIFT_WRAPPED)
        feed = sent.feed_id
        feed.write({"state": "sending", "feed_ref": False})
        self.assertEqual(len(self.reconcile()), 1)
        self.assertEqual(lost.state, "unknown")
        self.assertFalse(lost.needs_person)
        self.assertEqual(feed.state, "sending")

    def test_feed_that_was_taken_for_ours_and_holds_other_messages_is_let_go(self):
        action = self.send("cut_after")
        self.find()
        feed = action.feed_id
        feed.message_count = 2
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.run_jobs("_job_move_actions")
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertFalse(feed.feed_ref)
        self.assertIn("processed 1 messages", action.state_message)
        self.assertEqual(self.reconcile(), [], "the search is over")

    def test_feed_that_amazon_gave_up_in_the_middle_may_still_be_ours(self):
        action = self.send("cut_after")
        self.find()
        feed = action.feed_id
        feed.message_count = 2
        self.run_jobs("_job_poll")
        feed.state = "fatal"
        self.assertTrue(feed._fits_report(feed.report_file_id._bytes()))
        feed.message_count = 0
        self.assertTrue(feed._fits_report(feed.report_file_id._bytes()))
        self.assertEqual(feed.state, "fatal")

    # === PROVEN ABSENT === #

    def test_feed_that_amazon_never_got_is_sent_again_when_that_is_proven(self):
        action = self.send("cut_before")
        self.assertEqual(len(self.reconcile()), 1)
        self.simulator.advance(2 * HOUR)
        self.assertEqual(len(self.reconcile()), 1, "no later feed is shown yet")
        self.simulator.advance(2 * HOUR + 60)
        feed = action.feed_id
        self.assertEqual(self.reconcile(), [])
        self.assertEqual(feed.state, "absent")
        self.assertEqual(action.state, "queued")
        self.assertFalse(action.feed_id)
        self.assertIn("It is not at Amazon", action.state_message)
        self.dispatch()
        self.assertEqual(len(self.executed()), 1)

    def test_later_feed_in_the_list_proves_it_earlier(self):
        action = self.send("cut_before")
        self.simulator.advance(60)
        self.send(None, GIFT_WRAPPED)
        self.simulator.advance(50 * 60)
        self.assertEqual(len(self.reconcile()), 1, "the list may lag so long")
        self.simulator.advance(10 * 60)
        self.reconcile()
        self.assertEqual(action.state, "queued")

    def test_nothing_is_sent_again_while_the_order_cannot_be_read(self):
        action = self.send("cut_before")
        self.simulator.advance(5 * HOUR)
        self.simulator.fault("html_503", "getOrder", times=3)
        self.assertEqual(len(self.reconcile()), 1)
        self.assertEqual(action.state, "unknown")
        self.reconcile()
        self.assertEqual(action.state, "queued")

    def test_what_the_finances_show_wins_over_a_list_without_it(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        self.simulator.fault("getfeeds_lag", seconds=48 * HOUR)
        action = self.send("cut_after")
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.executed()), 1)

    def test_feed_of_which_a_part_is_seen_executed_is_never_called_absent(self):
        first = self.ask_refund(self.create_sale_order(SHIPPED))
        second = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.dispatch()
        first._set_confirmed()
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(second.state, "unknown")
        self.assertTrue(second.needs_person)
        self.assertIn(first.name, second.state_message)
        self.assertFalse(first.needs_person)

    def test_persons_word_on_a_part_of_it_is_not_called_amazons_data(self):
        first = self.ask_refund(self.create_sale_order(SHIPPED))
        second = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.dispatch()
        first.with_user(self.agent)._decide_executed("Seen in Seller Central.")
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(second.state, "unknown")
        self.assertTrue(second.needs_person)
        self.assertNotIn("Amazon's data shows", second.state_message)
        self.assertIn(
            f"{self.agent.name} recorded that Amazon has executed {first.name}",
            second.state_message,
        )

    # === SENT AGAIN, AND SHOWN LATE === #

    def wait_to_be_sent_again(self, amounts=None):
        """Have a small refund executed that neither Amazon's list nor its finances show
        for hours, so that it waits to be sent again."""
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=6 * HOUR, quotas=False
        )
        self.simulator.fault("getfeeds_lag", seconds=48 * HOUR)
        sale_order = self.create_sale_order(SHIPPED)
        # so little that Amazon would do it twice
        action = self.ask_refund(sale_order, amounts=amounts or {SKU: 5})
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.dispatch()
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(action.state, "queued")
        self.assertEqual(len(self.executed()), 1)
        return action

    def test_refund_that_is_shown_while_it_waits_again_is_not_sent_twice(self):
        action = self.wait_to_be_sent_again()
        self.simulator.advance(2 * HOUR)
        self.dispatch()
        self.assertEqual(len(self.executed()), 1)
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertIn("It may be", action.state_message)
        self.assertIn(action.name, action.state_message)
        self.assertIn("It may be", self.notes(action._get_origin())[0])
        decision = self.env["amazon.unknown.decision"].with_user(self.agent)
        decision = decision.create({"action_id": action.id})
        self.assertTrue(decision.sending_at)
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed", "as any other that is unknown")

    def test_whole_refund_that_is_shown_while_it_waits_again_is_not_called_unsent(self):
        action = self.wait_to_be_sent_again({SKU: 44.94})
        self.simulator.advance(2 * HOUR)
        self.dispatch()
        self.assertEqual(len(self.executed()), 1)
        self.assertEqual(action.state, "unknown")
        self.assertNotIn("Nothing was sent", action.state_message)

    def test_what_is_blocked_when_it_waits_again_is_said_to_have_been_sent(self):
        action = self.wait_to_be_sent_again()
        self.account.breaker_amount = 1
        self.dispatch()
        self.assertEqual(action.state, "blocked")
        self.assertIn("It was sent before", action.state_message)

    def test_what_is_withdrawn_when_it_waits_again_is_said_to_have_been_sent(self):
        action = self.wait_to_be_sent_again()
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertIn("It was sent before", action.state_message)
        self.assertNotIn("Nothing was sent", action.state_message)

    def test_reading_before_the_absence_was_found_does_not_let_it_leave(self):
        action = self.wait_to_be_sent_again()
        action.asked_at -= timedelta(hours=1)
        reads = self.simulator.ledger()["calls"]["getOrder"]
        self.dispatch()
        self.assertEqual(self.simulator.ledger()["calls"]["getOrder"], reads + 1)
        self.assertEqual(action.state, "submitted")

    def test_refund_that_another_action_explains_does_not_hold_it_up(self):
        self.simulator.fault("cut_before", "createFeed", times=1)
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order, amounts={SKU: 5})
        self.dispatch()
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(action.state, "queued")
        action.due_at += timedelta(hours=1)
        self.simulator.change(finance_delay_seconds=0)
        other = self.ask_refund(sale_order, amounts={SKU: 5})
        self.dispatch()
        self.finish()
        action.order_id._read_from_amazon()
        self.assertEqual(other.state, "confirmed")
        action.due_at -= timedelta(hours=1)
        self.dispatch()
        self.assertEqual(action.state, "submitted")
        self.assertEqual(len(self.executed()), 2)

    def test_refund_before_it_was_sent_first_does_not_hold_it_up(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        sale_order = self.create_sale_order(SHIPPED)
        item = sale_order.amazon_order_id.line_ids.amazon_item_ref
        self.refund_elsewhere(SHIPPED, item, "5.00")
        self.simulator.advance(HOUR)
        action = self.ask_refund(sale_order, amounts={SKU: 5})
        action.order_id._read_from_amazon()
        # recorded after the click, and posted long before it
        action.order_id.refund_ids.posted_at -= timedelta(hours=1)
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.dispatch()
        action.feed_id.sending_at += timedelta(hours=1)
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(action.order_id.refunded, 5)
        self.dispatch()
        self.assertEqual(action.state, "submitted")

    # === A PERSON === #

    def test_feed_of_other_software_in_the_window_needs_a_person(self):
        action = self.send("cut_after")
        foreign = self.upload_elsewhere()
        self.reconcile()
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertIn(foreign, action.state_message)
        self.assertIn(foreign, action.feed_id.listing)
        self.assertEqual(self.reconcile(), [], "the search is over")
        self.simulator.advance(5 * HOUR)
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 2)

    def test_feed_of_other_software_long_after_it_is_not_taken_for_ours(self):
        action = self.send("cut_before")
        self.simulator.advance(1800)
        self.upload_elsewhere()
        self.reconcile()
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertFalse(action.feed_ref)

    def test_feed_of_another_marketplace_or_type_or_time_is_no_candidate(self):
        self.upload_elsewhere()
        self.simulator.advance(600)
        action = self.send("cut_after")
        self.upload_elsewhere(PROMOTION, "A1F83G8C2ARO7P")
        self.cancel_elsewhere(self.create_sale_order(UNSHIPPED).amazon_order_id)
        feed = action.feed_id
        self.find()
        self.assertEqual(len(feed.listing.splitlines()), 1)
        self.assertIn(self.simulator.ledger()["feeds"][1]["feed_id"], feed.listing)
        # but others are about, and the report of a success names no order
        self.assertTrue(action.needs_person)
        self.assertIn("another program sends feeds", action.state_message)

    def test_cancellation_and_refund_are_looked_for_apart(self):
        refund = self.send("cut_after")
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.dispatch()
        self.find()
        self.assertEqual((refund | cancel).mapped("state"), ["submitted"] * 2)
        by_ref = {
            row["feed_id"]: row["feed_type"] for row in self.simulator.ledger()["feeds"]
        }
        self.assertEqual(by_ref[refund.feed_ref], FEED_REFUND)
        self.assertEqual(by_ref[cancel.feed_ref], FEED_CANCEL)

    # === AMAZON HAS IT, AND DOES NOT SAY WHAT BECAME OF IT === #

    def finish(self):
        """Poll, and let the actions follow."""
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.run_jobs("_job_move_actions")

    def test_report_that_comes_late_settles(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_late", seconds=2 * HOUR)
        self.dispatch()
        self.finish()
        self.assertEqual(action.state, "unknown")
        self.assertIn("no report of it yet", action.state_message)
        self.assertEqual(len(self.run_jobs("_job_late_report")), 1)
        self.simulator.advance(2 * HOUR + 1)
        self.assertEqual(self.run_jobs("_job_late_report"), [])
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")

    def test_late_report_can_reject(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_late", seconds=2 * HOUR)
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        self.dispatch()
        self.finish()
        self.simulator.advance(2 * HOUR + 1)
        self.run_jobs("_job_late_report")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "rejected")

    def test_report_that_is_gone_is_not_asked_for_after_amazon_deletes_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_gone")
        self.dispatch()
        self.finish()
        self.assertEqual(len(self.run_jobs("_job_late_report")), 1)
        self.age(action.feed_id, days=29)
        self.assertEqual(self.run_jobs("_job_late_report"), [])
        self.assertEqual(action.state, "unknown")

    def test_order_that_stays_as_it_was_disproves_a_cancellation(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.simulator.fault("fatal")
        self.dispatch()
        self.finish()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(len(self.run_jobs("_job_look_at_orders")), 1)
        self.assertEqual(action.state, "unknown", "too early to say")
        self.age(action.feed_id, minutes=31)
        self.assertEqual(self.run_jobs("_job_look_at_orders"), [])
        self.assertEqual(action.state, "rejected")
        self.assertIn("is not cancelled", action.state_message)
        self.assertFalse(self.simulator.ledger()["cancellations"])

    def test_cancelled_order_confirms_a_cancellation_without_report(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.simulator.fault("fatal_partial")
        self.dispatch()
        self.finish()
        self.assertEqual(action.state, "unknown")
        self.run_jobs("_job_look_at_orders")
        self.assertEqual(action.state, "confirmed")

    def test_refund_that_the_finances_show_is_confirmed_without_report(self):
        # once: after a reset the simulator gives the same ids again
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        faults = (
            ("fatal_partial", {}),
            ("report_missing", {"order_id": SHIPPED}),
            ("report_gone", {}),
            ("report_bad_xml", {}),
        )
        for amount, (fault, options) in enumerate(faults, start=1):
            with self.subTest(fault):
                sale_order = self.create_sale_order(SHIPPED)
                action = self.ask_refund(sale_order, amounts={SKU: amount})
                self.simulator.fault(fault, **options)
                self.dispatch()
                self.finish()
                self.assertEqual(action.state, "unknown")
                self.run_jobs("_job_look_at_orders")
                self.assertEqual(action.state, "confirmed")

    def test_refund_without_a_trace_is_never_rejected_and_needs_a_person(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("fatal")
        self.dispatch()
        self.finish()
        self.age(action.feed_id, hours=71)
        self.postpone(action.feed_id._job_look_at_orders)
        self.assertEqual(action.state, "unknown")
        self.assertFalse(action.needs_person)
        self.age(action.feed_id, hours=2)
        self.postpone(action.feed_id._job_look_at_orders)
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        notes = self.notes(action._get_origin())
        self.postpone(action.feed_id._job_look_at_orders)
        self.assertEqual(self.notes(action._get_origin()), notes, "it is said once")

    def test_stuck_feed_is_asked_about_and_its_status_is_kept(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("stuck")
        self.dispatch()
        self.postpone(action.feed_id._job_poll)
        self.assertEqual(action.state, "submitted")
        self.assertEqual(action.feed_id.processing_status, "IN_PROGRESS")
        self.assertTrue(action.feed_id.polled_at)

    def test_stuck_feed_that_was_executed_is_confirmed_by_the_finances(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("stuck", executed=True)
        self.dispatch()
        self.run_jobs("_job_poll")
        action.order_id._request_read()
        self.run_jobs("_job_read")
        self.assertEqual(action.state, "confirmed")

    def test_feed_that_amazon_forgot_is_unknown_only_after_a_day(self):
        action = self.send()
        feed = action.feed_id
        feed.feed_ref = "1"
        self.assertEqual(len(self.run_jobs("_job_poll")), 1)
        self.assertEqual(action.state, "submitted")
        self.age(feed, hours=25)
        self.finish()
        self.assertEqual(action.state, "unknown")
        self.assertIn("does not know the feed 1", action.state_message)

    def test_orders_are_judged_in_pieces(self):
        actions = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        actions |= self.ask_cancel(self.create_sale_order(CANCEL_REQUESTED))
        self.simulator.fault("fatal")
        self.dispatch()
        self.finish()
        feed = actions.feed_id
        self.age(feed, minutes=31)
        reconcile = "odoo.addons.amazon_order_actions.models.tracing.reconcile"
        with patch(f"{reconcile}.CHUNK", 1):
            self.assertEqual(self.run_jobs("_job_look_at_orders"), [])
        self.assertEqual(actions.mapped("state"), ["rejected"] * 2)
        self.assertFalse(any(actions.mapped("needs_person")))

    def test_report_is_applied_in_pieces(self):
        actions = self.ask_refund(self.create_sale_order(SHIPPED))
        actions |= self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.dispatch()
        poll = "odoo.addons.amazon_order_actions.models.tracing.poll"
        with patch(f"{poll}.CHUNK", 1):
            self.run_jobs("_job_poll")
            self.run_jobs("_job_apply_report")
            self.assertEqual(
                actions.sorted("message_number").mapped("state"),
                ["accepted", "submitted"],
            )
            self.run_jobs("_job_apply_report")
        self.assertEqual(actions.mapped("state"), ["accepted"] * 2)


def _impatient(account_class):
    """Return an `_client` whose client waits a third of a second for an answer."""
    client = account_class._client

    def _client(self, *args):
        ready = client(self, *args)
        ready._session._http._client.timeout = 0.3
        return ready

    return _client
