"""Clocks that are wrong for a moment or for long, and what they must not make true."""

import time
from datetime import timedelta
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.base.background import CHUNK
from ...models.base.clock import CLOCK_SECONDS, database_now
from ...models.upkeep.future import DUE_AHEAD_SECONDS
from ...spapi.operations import OPERATIONS
from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

CREATE_FEED = OPERATIONS["createFeed"]
CLOCK = "odoo.addons.amazon_order_actions.models.watch.host_clock"
# What puts right the times of models that have several writers.
MENDERS = {"amazon.action": "amazon.mend.action", "queue.job": "amazon.mend.job"}
FUTURE = "odoo.addons.amazon_order_actions.models.upkeep.future"


class ClockCommon(AmazonOrderCommon):
    """Helpers: what happened while a clock was ahead, and time that passes."""

    def now(self):
        return database_now(self.env)

    def claim(self, order):
        """Let Amazon grant an A-to-z claim for the first item."""
        item = order.line_ids[0].amazon_item_ref
        self.simulator.happen(
            order.amazon_order_ref, "claim", items={item: {"Principal": "39.95"}}
        )

    def refunded(self):
        return self.simulator.ledger()["refunds"]

    def mark(self, subject):
        return self.account.sudo().watermark_ids.filtered(
            lambda mark: mark.subject == subject
        )

    def watch(self):
        self.env.ref("amazon_order_actions.ir_cron_watch").method_direct_trigger()
        self.env.flush_all()
        self.env.invalidate_all()

    def alarms(self, kind):
        return self.env["amazon.alarm"].search(
            [
                ("company_id", "=", self.company.id),
                ("kind", "=", kind),
                ("state", "=", "open"),
            ]
        )

    def mend(self, model, limit=CHUNK):
        mender = MENDERS.get(model, model)
        mended = self.env[mender]._mend_future(self.account.ids, limit)
        self.env.flush_all()
        return mended


@tagged("post_install", "-at_install")
class TestReadingAhead(ClockCommon):
    """What was read while a clock was ahead says nothing of a click after that."""

    def assert_claim_stops(self, sale_order, **later):
        """Let an agent click, and Amazon grant a claim after that; the refund must not
        leave.

        :param later: how much later the dispatch runs
        """
        action = self.ask_refund(sale_order)
        self.claim(sale_order.amazon_order_id)
        with self.database_ahead(**later):
            self.run_jobs("_job_dispatch")
        self.assertFalse(self.refunded())
        self.assertEqual(action.state, "blocked")

    def test_host_an_hour_ahead(self):
        with self.host_ahead(hours=1):
            sale_order = self.create_sale_order(SHIPPED)
        self.assert_claim_stops(sale_order)

    def test_database_an_hour_ahead(self):
        with self.database_ahead(hours=1):
            sale_order = self.create_sale_order(SHIPPED)
        self.assert_claim_stops(sale_order)

    def test_database_a_minute_ahead_and_sent_when_that_minute_has_passed(self):
        with self.database_ahead(minutes=1):
            sale_order = self.create_sale_order(SHIPPED)
        self.assert_claim_stops(sale_order, minutes=2)

    def test_lists_read_by_a_database_a_minute_ahead(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.env["amazon.range.reading"]._read_ranges(self.account)
        with self.database_ahead(minutes=4):
            self.env["amazon.range.reading"]._read_ranges(self.account)
        self.assertTrue(self.mark("orders").known_until)
        self.assert_claim_stops(sale_order, minutes=5)

    def test_order_that_was_read_by_right_clocks_is_not_read_at_the_click(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.env["amazon.range.reading"]._read_ranges(self.account)
        self.ask_refund(sale_order)
        self.assertTrue(sale_order.amazon_order_id.complete_at)
        self.assertTrue(sale_order.amazon_order_id.known_until)

    def test_refund_without_a_claim_leaves_all_the_same(self):
        with self.database_ahead(hours=1):
            sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_host_ahead_at_the_click_waits_for_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.host_ahead(hours=1):
            action = self.ask_refund(sale_order)
        self.assertLessEqual(action.asked_at, self.now())
        self.assertLessEqual(action.due_at, self.now())
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_host_behind_at_the_click_lets_no_older_reading_count(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.host_ahead(hours=-1):
            action = self.ask_refund(sale_order)
        self.assertFalse(action._is_verified())

    def test_host_ahead_in_the_dispatch_sends_nothing_that_can_be_taken_back(self):
        self.set_undo("refund", 600)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with self.host_ahead(hours=1), mute_logger(CLOCK):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.refunded())

    def test_approval_lets_no_reading_from_ahead_count(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.let_wait(action)
        with self.database_ahead(minutes=1):
            sale_order.amazon_order_id._read_from_amazon()
        action.approval_id._approve(self.agent)
        self.assertFalse(sale_order.amazon_order_id.complete_at)

    def test_sending_again_lets_no_reading_from_ahead_count(self):
        sale_orders = [self.create_sale_order(ref) for ref in (SHIPPED, GIFT_WRAPPED)]
        actions = self.env["amazon.action"].union(*map(self.ask_refund, sale_orders))
        with self.database_ahead(minutes=1):
            sale_orders[0].amazon_order_id._read_from_amazon()
        actions._note_sending_again()
        known = [bool(action.order_id.complete_at) for action in actions]
        self.assertEqual(known, [False, True])
        self.env["amazon.action"]._note_sending_again()


@tagged("post_install", "-at_install")
class TestKnownAhead(ClockCommon):
    """Times ahead of the database's clock count as unknown."""

    def set_ahead(self, record, *names, **delta):
        self.env.flush_all()
        record.write(dict.fromkeys(names, self.now() + timedelta(**delta)))
        self.env.flush_all()
        self.env.invalidate_all()

    def test_reading_in_the_future_is_unknown_stale_and_read_again(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        self.assertTrue(order.known_until)
        self.assertFalse(order._is_stale())
        self.set_ahead(order, "complete_at", minutes=1)
        self.assertFalse(order.known_until)
        self.assertTrue(order._is_stale())

    def test_reading_a_second_ahead_is_known(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        self.set_ahead(order, "complete_at", seconds=1)
        self.assertTrue(order.known_until)

    def test_of_several_orders_only_what_is_ahead_is_unknown(self):
        refs = (SHIPPED, UNSHIPPED, GIFT_WRAPPED)
        orders = self.env["amazon.order"].union(
            *(self.create_sale_order(ref).amazon_order_id for ref in refs)
        )
        self.set_ahead(orders[1], "complete_at", hours=1)
        self.assertEqual(
            [bool(order.known_until) for order in orders], [True, False, True]
        )
        orders.browse()._forget_ahead(self.now())
        orders._forget_ahead(self.now())
        self.assertEqual(
            [bool(order.complete_at) for order in orders], [True, False, True]
        )

    def test_list_in_the_future_covers_nothing(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        self.env["amazon.range.reading"]._read_ranges(self.account)
        for mark in self.mark("orders"), self.mark("transactions"):
            mark.known_since = order.complete_at - timedelta(hours=1)
        self.set_ahead(self.mark("orders"), "known_until", minutes=30)
        self.set_ahead(self.mark("transactions"), "known_until", minutes=30)
        self.assertEqual(order.known_until, order.complete_at)

    def test_person_cannot_send_again_by_a_reading_from_ahead(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action._check_order_known()
        self.set_ahead(action.order_id, "complete_at", hours=1)
        with self.assertRaisesRegex(Exception, "was not read from Amazon lately"):
            action._check_order_known()

    def test_message_that_was_allowed_in_the_future_is_asked_for_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action.kind = "message"
        for seconds, is_verified in ((0, True), (60, False)):
            allowed = self.now() + timedelta(seconds=seconds)
            action.details = {"allowed_at": str(allowed)}
            self.assertEqual(action._is_verified(), is_verified)

    def test_resuming_in_the_future_does_not_blind_the_breaker(self):
        hour_ago = self.now() - timedelta(hours=1)
        stop = self.env["amazon.stop"]._open(
            self.company, "Too much.", self.account, "refund", is_automatic=True
        )
        self.set_ahead(stop.sudo(), "ended_at", minutes=30)
        since = self.env["amazon.gatekeeper.breaker"]._counted_since(self.account)
        self.assertLess(since, hour_ago + timedelta(minutes=1))
        self.assertEqual(self.mend("amazon.stop"), 1)
        self.assertLessEqual(stop.sudo().ended_at, self.now())


@tagged("post_install", "-at_install")
class TestWatermarkAhead(ClockCommon):
    """A list that was begun or read while the clock was ahead begins anew."""

    def test_future_does_not_win_by_being_later(self):
        self.env["amazon.range.reading"]._read_ranges(self.account)
        with self.database_ahead(hours=1):
            self.env["amazon.range.reading"]._read_ranges(self.account)
        self.env["amazon.range.reading"]._read_ranges(self.account)
        for subject in ("orders", "transactions"):
            mark = self.mark(subject)
            self.assertLessEqual(mark.known_until, self.now(), subject)
            self.assertLessEqual(mark.known_since, self.now(), subject)
            self.assertLessEqual(mark.mark_at, self.now(), subject)

    def test_page_that_was_asked_for_ahead_raises_nothing(self):
        self.env["amazon.range.reading"]._read_ranges(self.account)
        mark = self.mark("orders")
        with self.database_ahead(hours=1):
            query = mark._next_query(None)
        mark._advance(query._replace(before=mark.position, seen_at=mark.position), None)
        self.assertFalse(mark.known_until)
        self.assertLessEqual(mark.known_since, self.now())

    def test_late_transactions_are_listed_again_within_the_hour(self):
        self.env["amazon.range.reading"]._read_ranges(self.account)
        late = self.mark("late")
        late.asked_at = self.now() + timedelta(hours=5)
        self.assertEqual(self.mend("amazon.watermark"), 1)
        self.assertTrue(late._is_late_due())

    def test_right_clock_restarts_nothing(self):
        self.env["amazon.range.reading"]._read_ranges(self.account)
        since = self.mark("orders").known_since
        self.env["amazon.range.reading"]._read_ranges(self.account)
        self.assertEqual(self.mend("amazon.watermark"), 0)
        self.assertEqual(self.mark("orders").known_since, since)


@tagged("post_install", "-at_install")
class TestQuotaAhead(ClockCommon):
    """A bucket neither runs backwards nor stays empty."""

    def setUp(self):
        super().setUp()
        self.quota = self.account._quota()

    def test_bucket_that_was_counted_ahead_keeps_what_it_had(self):
        with self.database_ahead(hours=1):
            for _call in range(5):
                self.quota.take(CREATE_FEED)
        taken = [self.quota.take(CREATE_FEED) for _call in range(11)]
        self.assertEqual([bool(wait) for wait in taken], [False] * 10 + [True])

    def test_empty_bucket_that_was_counted_ahead_fills_from_now_on(self):
        with self.database_ahead(hours=1):
            for _call in range(15):
                self.quota.take(CREATE_FEED)
        self.assertLess(self.quota.wait(CREATE_FEED), 125)
        with self.database_ahead(seconds=130):
            self.assertFalse(self.quota.take(CREATE_FEED))

    def test_watch_counts_all_buckets_from_now_on(self):
        with self.database_ahead(hours=1):
            for name in ("createFeed", "getFeed", "getFeeds"):
                self.quota.take(OPERATIONS[name])
        self.assertEqual(self.mend("amazon.quota"), 3)
        self.assertEqual(self.mend("amazon.quota"), 0)


@tagged("post_install", "-at_install")
class TestMending(ClockCommon):
    """The watch puts right what lies in the future, before that has come."""

    def test_orders_are_read_again(self):
        refs = (SHIPPED, UNSHIPPED, GIFT_WRAPPED)
        orders = [self.create_sale_order(ref).amazon_order_id for ref in refs]
        with self.database_ahead(hours=1):
            for order in orders[:2]:
                order._read_from_amazon()
        self.assertEqual(self.mend("amazon.order"), 2)
        self.assertEqual([bool(o.complete_at) for o in orders], [False, False, True])
        self.assertEqual(len(self.pending_jobs("_job_read")), 2)
        self.assertEqual(self.mend("amazon.order"), 0)

    def test_nothing_is_to_mend_where_nothing_is(self):
        for model in ("order", "watermark", "quota", "stop", "feed", "action"):
            self.assertEqual(self.mend(f"amazon.{model}"), 0, model)
        self.assertEqual(self.mend("queue.job"), 0)

    def test_click_by_a_clock_ahead_leaves_after_the_usual_time(self):
        self.set_undo("refund", 60)
        sale_order = self.create_sale_order(SHIPPED)
        right = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        due_at = right.due_at
        with self.database_ahead(hours=5):
            action = self.ask_refund(sale_order)
        self.assertEqual(self.mend("amazon.action"), 1)
        self.assertLessEqual(action.asked_at, self.now())
        self.assertLessEqual(action.due_at, self.now() + timedelta(seconds=60))
        self.assertGreater(action.due_at, self.now() + timedelta(seconds=50))
        self.assertEqual(right.due_at, due_at)
        with self.database_ahead(minutes=3):
            self.settle()
        self.assertEqual((action | right).mapped("state"), ["confirmed"] * 2)

    def test_many_actions_are_put_right_a_part_at_a_time(self):
        refs = (SHIPPED, GIFT_WRAPPED)
        actions = self.env["amazon.action"].union(
            *(self.ask_refund(self.create_sale_order(ref)) for ref in refs)
        )
        actions.asked_at = self.now() + timedelta(hours=1)
        self.let_wait(actions[1])
        checks = self.env["amazon.check.future"]
        self.assertEqual(self.mend("amazon.action", limit=1), 1)
        with patch(f"{FUTURE}.CHUNK", 1):
            self.assertEqual(checks._mend_table("amazon.mend.action", self.account), 1)
        self.assertEqual(checks._mend_table("amazon.mend.action", self.account), 0)

    def test_due_further_ahead_than_can_be_is_due_now(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action.due_at = self.now() + timedelta(seconds=DUE_AHEAD_SECONDS - 60)
        self.assertEqual(self.mend("amazon.action"), 0)
        action.due_at = self.now() + timedelta(seconds=DUE_AHEAD_SECONDS + 60)
        self.assertEqual(self.mend("amazon.action"), 1)
        self.assertLessEqual(action.due_at, self.now())
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_approval_does_not_wait_for_a_time_that_nobody_meant(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        ahead = self.now() + timedelta(days=9)
        self.let_wait(action, expires_at=ahead)
        action.asked_at = ahead
        self.assertEqual(self.mend("amazon.action"), 1)
        limit = self.now() + timedelta(hours=self.account.approval_hours)
        self.assertLessEqual(action.approval_id.expires_at, limit)

    def test_decision_that_was_made_ahead_was_made_now(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.let_wait(action)
        action.approval_id.write(
            {"state": "approved", "decided_at": self.now() + timedelta(days=9)}
        )
        self.assertEqual(self.mend("amazon.approval"), 1)
        self.assertLessEqual(action.approval_id.decided_at, self.now())
        self.assertEqual(self.mend("amazon.approval"), 0)

    def test_what_was_sent_is_looked_for_from_before_on(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        ahead = self.now() + timedelta(hours=1)
        action.write({"first_sending_at": ahead, "last_state_change": ahead})
        action.feed_id.write({"sending_at": ahead, "submitted_at": ahead})
        self.assertEqual(self.mend("amazon.feed"), 1)
        self.assertEqual(self.mend("amazon.action"), 1)
        early = self.now() - timedelta(minutes=14)
        self.assertLess(action.first_sending_at, early)
        self.assertLess(action.feed_id.sending_at, early)
        self.assertGreater(action.last_state_change, early)
        self.assertGreater(action.feed_id.submitted_at, early)

    def test_finding_of_a_restored_database_does_not_keep_the_account(self):
        """All that Amazon said before the finding is too old."""
        later = self.now() + timedelta(hours=3)
        self.account.write({"life_found_at": later, "restored_at": later})
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action.restored_at = later
        self.watch()
        for record in (self.account, action):
            self.assertLessEqual(record.restored_at, self.now())
        self.assertLessEqual(self.account.life_found_at, self.now())
        self.assertFalse(action._is_of_lost_life())
        self.assertEqual(self.mend("amazon.seller.account"), 0)

    def test_job_of_a_host_ahead_does_not_keep_its_lane(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.create_sale_order(UNSHIPPED, read=False)
        lane = self.pending_jobs("_job_dispatch")
        lane.eta = self.now() + timedelta(hours=5)
        late = self.pending_jobs("_job_read")
        late.eta = self.now() + timedelta(hours=23)
        self.assertTrue(lane and late)
        self.assertEqual(self.mend("queue.job"), len(lane))
        self.assertLessEqual(max(lane.mapped("eta")), self.now())
        self.assertGreater(min(late.mapped("eta")), self.now())

    def test_watch_mends_and_tells_once(self):
        with self.database_ahead(hours=1):
            order = self.create_sale_order(SHIPPED).amazon_order_id
        self.watch()
        self.assertFalse(order.complete_at)
        alarm = self.alarms("future")
        self.assertIn("times in the future were found", alarm.message)
        self.assertTrue(alarm.is_told)
        self.watch()
        self.assertFalse(self.alarms("future"))

    @mute_logger(CLOCK)
    def test_table_that_fails_keeps_no_other(self):
        with self.database_ahead(hours=1):
            order = self.create_sale_order(SHIPPED).amazon_order_id
            self.env["amazon.range.reading"]._read_ranges(self.account)
        orders = type(self.env["amazon.order"])
        with patch.object(orders, "_mend_future", side_effect=ValueError):
            self.watch()
        self.assertTrue(order.complete_at)
        self.assertFalse(self.mark("orders").known_until)


@tagged("post_install", "-at_install")
class TestHostClock(ClockCommon):
    """A host whose clock is wrong is named, also by a watch that runs elsewhere."""

    def setUp(self):
        super().setUp()
        self.clocks = self.env["amazon.host.clock"]

    def compare(self, host, **delta):
        """Let a host work whose clock is ahead."""
        with (
            patch("socket.gethostname", lambda: host),
            self.host_ahead(**delta),
            mute_logger(CLOCK),
        ):
            self.clocks._compare()
        self.env.invalidate_all()

    def test_right_clock_leaves_no_row(self):
        self.compare("right")
        self.watch()
        self.assertFalse(self.clocks.search([]))
        self.assertFalse(self.alarms("clock"))

    def test_few_seconds_are_no_matter(self):
        self.compare("nearly", seconds=CLOCK_SECONDS - 1)
        self.assertFalse(self.clocks.search([]))

    def test_alarm_names_each_host_and_its_seconds(self):
        self.compare("alpha", seconds=90)
        self.compare("beta", hours=-1)
        self.compare("gamma")
        self.watch()
        alarm = self.alarms("clock")
        self.assertEqual(alarm.count, 2)
        self.assertRegex(alarm.message, r"alpha is (89|90) seconds ahead")
        self.assertRegex(alarm.message, r"beta is 3600 seconds behind")
        self.assertNotIn("gamma", alarm.message)

    def test_clock_that_is_set_right_ends_the_alarm(self):
        self.compare("alpha", seconds=90)
        self.watch()
        self.compare("alpha", seconds=30)
        self.assertIn(self.clocks.search([]).ahead_seconds, (29, 30))
        self.compare("alpha")
        self.watch()
        self.assertFalse(self.alarms("clock"))

    def test_host_that_is_gone_is_forgotten(self):
        self.compare("alpha", seconds=90)
        self.clocks.search([]).noted_at -= timedelta(days=2)
        self.watch()
        self.assertFalse(self.clocks.search([]))

    def test_dispatch_call_and_range_reading_notice_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        lane = (self.account.id, action.marketplace, action.feed_type)
        for method in (
            lambda: self.env["amazon.feed"]._job_dispatch(*lane),
            lambda: self.env["amazon.range.reading"]._job_read_ranges(self.account.id),
            lambda: action._job_call(),
        ):
            self.clocks.search([]).unlink()
            with self.host_ahead(minutes=3), mute_logger(CLOCK):
                method()
            self.env.invalidate_all()
            self.assertEqual(len(self.clocks.search([])), 1)

    def test_question_that_took_long_says_nothing(self):
        times = iter([time.time() - 60, time.time() + 60])
        with patch(f"{CLOCK}.time.time", lambda: next(times)):
            self.assertEqual(self.clocks._seconds_ahead(), 0)
