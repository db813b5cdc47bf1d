import threading
import time
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tests.common import TransactionCase
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...models.action.lane import Lane
from ...spapi.enums import FEED_REFUND
from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED
from .test_stop import StopCommon

DE, FR = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"


@tagged("post_install", "-at_install")
class TestBreaker(StopCommon):
    """So much money may leave in refunds of an account within an hour."""

    def setUp(self):
        super().setUp()
        self.company.currency_id = self.env.ref("base.EUR")

    def ask(self, ref, amount):
        sale_order = self.create_sale_order(ref)
        sku = sale_order.amazon_order_id.line_ids[0].sku
        return self.ask_refund(sale_order, amounts={sku: amount})

    def dispatch(self):
        self.run_jobs("_job_dispatch", "_job_poll", "_job_apply_report")

    def test_refunds_within_the_maximum_leave(self):
        self.account.breaker_amount = 30
        actions = self.ask(SHIPPED, 10) | self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.assertNotIn("queued", actions.mapped("state"))
        self.assertFalse(self.stops())

    def test_what_fits_leaves_and_the_rest_is_stopped(self):
        self.account.breaker_amount = 25
        first, second = self.ask(SHIPPED, 10), self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.assertNotEqual(first.state, "queued")
        self.assertEqual(second.state, "queued")
        stop = self.stops()
        self.assertEqual((stop.account_id, stop.kind), (self.account, "refund"))
        self.assertTrue(stop.is_automatic)
        self.assertIn(second.name, stop.reason)
        self.settle()
        self.assertEqual(second.state, "queued")
        self.assertEqual(self.feeds(), 1)

    def test_sum_of_the_hour_counts_over_several_feeds(self):
        self.account.breaker_amount = 25
        first = self.ask(SHIPPED, 10)
        self.dispatch()
        second = self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.assertNotEqual(first.state, "queued")
        self.assertEqual(second.state, "queued")
        self.assertEqual(len(self.stops()), 1)
        self.assertEqual(self.feeds(), 1)

    def test_what_left_before_the_hour_does_not_count(self):
        self.account.breaker_amount = 25
        first = self.ask(SHIPPED, 10)
        self.dispatch()
        first.feed_id.sending_at -= timedelta(minutes=61)
        second = self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.assertNotEqual(second.state, "queued")
        self.assertFalse(self.stops())

    def test_what_amazon_did_not_take_does_not_count(self):
        self.account.breaker_amount = 25
        first = self.ask(SHIPPED, 20)
        feeds = type(self.env["amazon.feed"])
        not_sent = "_record_not_sent", "Amazon could not be reached", None
        with patch.object(feeds, "_create_feed", lambda *args: not_sent):
            self.run_jobs("_job_dispatch")
        self.assertEqual(first.state, "queued")
        self.settle()
        self.assertNotEqual(first.state, "queued")
        self.assertFalse(self.stops())

    def test_what_a_person_records_as_executed_goes_on_counting(self):
        self.account.breaker_amount = 25
        first = self.ask(SHIPPED, 10)
        feeds = type(self.env["amazon.feed"])
        unknown = "_record_unknown", "Amazon did not answer."
        with patch.object(feeds, "_create_feed", lambda *args: unknown):
            self.run_jobs("_job_dispatch")
        self.assertEqual(first.state, "unknown")
        first.with_user(self.agent)._decide_executed("Seen in Seller Central")
        self.assertEqual(first.state, "assisted")
        second = self.ask(GIFT_WRAPPED, 20)
        self.run_jobs("_job_dispatch")
        self.assertEqual(second.state, "queued")
        self.assertIn("within an hour", self.stops().reason)

    def blocked_alarm(self):
        self.run_jobs("_job_tell_tripped")
        return self.env["amazon.alarm"].search(
            [("kind", "=", "breaker_blocked"), ("state", "=", "open")]
        )

    def test_refund_that_alone_is_above_the_maximum_is_blocked_and_others_go_on(self):
        self.account.breaker_amount = 15
        too_much, other = self.ask(GIFT_WRAPPED, 20), self.ask(SHIPPED, 10)
        self.settle()
        self.assertEqual(too_much.state, "blocked")
        self.assertFalse(too_much.feed_id)
        for part in ("20.00", "alone is above", "15.00", self.admin.name):
            self.assertIn(part, too_much.state_message)
        self.assertEqual(other.state, "confirmed")
        self.assertFalse(self.stops())
        self.assertIn("alone is above", too_much._get_origin().message_ids[0].body)

    def test_administrators_are_told_of_what_was_blocked_until_a_day_later(self):
        self.account.breaker_amount = 5
        action = self.ask(SHIPPED, 10)
        self.dispatch()
        alarm = self.blocked_alarm()
        self.assertEqual((alarm.account_id, alarm.count), (self.account, 1))
        self.assertIn(action.name, alarm.message)
        self.assertIn("alone is above", alarm.message)
        self.assertEqual(alarm.activity_ids.user_id, self.admin)
        action.last_state_change -= timedelta(hours=25)
        self.env["amazon.watch"].sudo()._cron_watch()
        self.assertEqual(alarm.state, "over")

    def test_what_was_blocked_is_asked_for_again_when_the_maximum_is_raised(self):
        self.account.breaker_amount = 5
        self.ask(SHIPPED, 10)
        self.dispatch()
        self.account.with_user(self.admin).breaker_amount = 15
        again = self.ask(SHIPPED, 10)
        self.settle()
        self.assertEqual(again.state, "confirmed")

    def test_what_was_blocked_does_not_count(self):
        self.account.breaker_amount = 15
        self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        action = self.ask(SHIPPED, 15)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_cancellations_go_on(self):
        self.tripped()
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertIn(cancel.state, ("accepted", "confirmed"))

    def test_without_a_maximum_nothing_is_counted(self):
        action = self.ask(SHIPPED, 10)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_other_currencies_are_counted_in_the_companys(self):
        self.company.currency_id = self.env.ref("base.USD")
        self.env["res.currency.rate"].search([]).unlink()
        self.enter_rate(0.5)
        self.account.breaker_amount = 35
        first, second = self.ask(SHIPPED, 10), self.ask(GIFT_WRAPPED, 10)
        self.dispatch()
        # 20 dollars each
        self.assertNotEqual(first.state, "queued")
        self.assertEqual(second.state, "queued")

    def ask_without_rate(self, amount):
        """Ask for a refund in a currency that has no rate."""
        self.company.currency_id = self.env.ref("base.USD")
        self.env["res.currency.rate"].search([]).unlink()
        action = self.ask(SHIPPED, amount)
        self.assertTrue(action.is_rate_missing)
        return action

    def enter_rate(self, rate):
        self.env["res.currency.rate"].create(
            {
                "name": "2020-01-01",
                "currency_id": self.env.ref("base.EUR").id,
                "company_id": self.company.id,
                "rate": rate,
            }
        )

    def test_refund_without_a_rate_is_blocked_and_others_go_on(self):
        self.account.breaker_amount = 15
        action = self.ask_without_rate(10)
        self.enter_rate(1)
        other = self.ask(GIFT_WRAPPED, 10)
        self.env["res.currency.rate"].search([]).unlink()
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("knows no rate for EUR", action.state_message)
        self.assertEqual(other.state, "confirmed")
        self.assertFalse(self.stops())
        self.assertIn("no rate", self.blocked_alarm().message)

    def test_rate_that_was_entered_meanwhile_counts(self):
        self.account.breaker_amount = 35
        action = self.ask_without_rate(10)
        self.enter_rate(0.5)
        other = self.ask(GIFT_WRAPPED, 10)
        self.dispatch()
        self.assertEqual(action.amount_company, 20)
        self.assertFalse(action.is_rate_missing)
        self.assertNotIn(action.state, ("queued", "blocked"))
        # 40 dollars together
        self.assertEqual(other.state, "queued")
        self.assertTrue(self.stops())

    def test_trip_at_the_moment_of_a_stop_by_hand_leaves_that_one(self):
        self.account.breaker_amount = 5
        action = self.ask(SHIPPED, 10)
        stop = self.stop(self.account, "By hand", "refund")
        with mute_logger("odoo.sql_db"):
            self.env["amazon.gatekeeper.breaker"]._trip(self.account, action)
        self.assertEqual(self.stops(), stop)

    # === RESUMING === #

    def tripped(self):
        self.account.breaker_amount = 25
        first, second = self.ask(SHIPPED, 10), self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.settle()
        # whole seconds: the resume shall be later
        first.feed_id.sending_at -= timedelta(seconds=5)
        return second

    def test_resumed_by_hand_the_sum_starts_anew(self):
        action = self.tripped()
        self.resume_as(self.admin, self.stops(), "Looked at, all are right")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertFalse(self.stops())

    def test_agent_cannot_resume(self):
        self.tripped()
        with self.assertRaises(AccessError):
            self.stops().with_user(self.agent).action_resume()

    def test_it_trips_again_after_it_was_resumed(self):
        action = self.tripped()
        self.resume_as(self.admin, self.stops())
        third = self.ask(SHIPPED, 8)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(third.state, "queued")
        self.assertEqual(len(self.stops()), 1)

    def test_it_can_be_withdrawn_while_the_breaker_holds_it(self):
        action = self.tripped()
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")

    # === TELLING === #

    def test_administrators_are_told_once_and_it_is_over_by_itself(self):
        self.tripped()
        alarm = self.env["amazon.alarm"].search([("kind", "=", "breaker")])
        self.assertEqual(len(alarm), 1)
        self.assertEqual(alarm.account_id, self.account)
        self.assertEqual(alarm.count, 1)
        self.assertEqual(alarm.activity_ids.user_id, self.admin)
        notified = alarm.message_ids.notification_ids
        self.assertEqual(notified.res_partner_id, self.admin.partner_id)
        told = alarm.message_ids
        self.env["amazon.watch"].sudo()._cron_watch()
        self.assertEqual(alarm.message_ids, told)
        self.resume_as(self.admin, self.stops())
        self.env["amazon.watch"].sudo()._cron_watch()
        self.assertEqual(alarm.state, "over")

    def test_watch_tells_it_where_the_job_was_lost(self):
        self.account.breaker_amount = 15
        self.ask(SHIPPED, 10)
        self.ask(SHIPPED, 10)
        self.ask(GIFT_WRAPPED, 20)
        self.dispatch()
        self.pending_jobs().write({"state": "done"})
        self.env["amazon.watch"].sudo()._cron_watch()
        alarms = self.env["amazon.alarm"].search([("state", "=", "open")])
        kinds = set(alarms.mapped("kind"))
        self.assertLessEqual({"breaker", "breaker_blocked"}, kinds)

    def test_trip_is_journaled_and_shown(self):
        action = self.tripped()
        entry = self.stop_entries()
        self.assertEqual(len(entry), 1)
        self.assertEqual(entry.user_id.id, SUPERUSER_ID)
        self.assertEqual(entry.account_id, self.account)
        self.assertIn(action.name, entry.message)
        self.assertIn("circuit breaker", self.account.stop_message)
        shown = self.panel_of(action.order_id)
        self.assertIn("circuit breaker", shown["actions"][0]["stop_message"])
        self.assertIn(
            "breaker", [a["kind"] for a in self.panel_of(action.order_id)["alarms"]]
        )

    # === SETTING === #

    def test_maximum_below_zero_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "below zero"):
            self.account.breaker_amount = -1

    def test_change_of_the_maximum_is_journaled(self):
        self.account.with_user(self.admin).breaker_amount = 500
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("event", "=", "account")], order="id desc", limit=1)
        )
        self.assertEqual(entry.user_id, self.admin)
        self.assertIn("500", entry.message)

    def test_agent_cannot_change_the_maximum(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.agent).breaker_amount = 0


class SlowClient:
    """Uploads a document, and lets something else happen meanwhile."""

    def __init__(self, meanwhile=lambda: None):
        self.meanwhile = meanwhile

    def prepare_feed(self, payload):
        self.meanwhile()
        return "document"

    def amazon_now(self):
        return datetime.now(timezone.utc)


@tagged("post_install", "-at_install")
class TestBreakerAtOnce(TransactionCase):
    """Two marketplaces of one account that send at the same moment, each in real
    transactions of its own. Together they are above the maximum."""

    def setUp(self):
        super().setUp()
        # the journal cannot be cleaned up again
        journal = type(self.env["amazon.audit.entry"])
        self.patch(journal, "_append", lambda *args: None)
        feeds = type(self.env["amazon.feed"])
        self.patch(feeds, "_drop_blocked", lambda self, actions, verified: actions)
        self.patch(feeds, "_write_payload", lambda self, *args: args[-1])
        self.made = {}
        self.in_real_transaction(self.make_data)
        self.addCleanup(self.in_real_transaction, self.remove_data)

    def in_real_transaction(self, function):
        with self.env.registry.cursor() as cr:
            return function(api.Environment(cr, SUPERUSER_ID, {}))

    def make_data(self, env):
        account = env["amazon.seller.account"].search([], limit=1)
        env.cr.execute(
            "UPDATE amazon_seller_account SET breaker_amount = 15 WHERE id = %s",
            [account.id],
        )
        made = [self.make_action(env, account, place) for place in (DE, FR)]
        self.made = {
            "account": account.id,
            "actions": [action.id for action in made],
            "orders": [action.order_id.id for action in made],
        }

    def make_action(self, env, account, marketplace):
        now = fields.Datetime.now()
        shared = {
            "account_id": account.id,
            "company_id": account.company_id.id,
            "marketplace": marketplace,
            "currency_id": account.company_id.currency_id.id,
        }
        order = env["amazon.order"].create(
            {**shared, "amazon_order_ref": f"breaker {marketplace}"}
        )
        return env["amazon.action"]._create_reserved(
            {
                **shared,
                "name": f"BREAKER/{marketplace}",
                "kind": "refund",
                "state": "queued",
                "order_id": order.id,
                "amount": 10,
                "amount_company": 10,
                "user_id": SUPERUSER_ID,
                "asked_at": now,
                "due_at": now,
                "last_state_change": now,
                "nonce": f"breaker-{marketplace}",
            }
        )

    def remove_data(self, env):
        account_id = self.made["account"]
        for query, value in (
            (
                "UPDATE amazon_seller_account SET breaker_amount = 0 WHERE id = %s",
                account_id,
            ),
            ("DELETE FROM amazon_stop WHERE account_id = %s", account_id),
            ("DELETE FROM amazon_action WHERE id = ANY(%s)", self.made["actions"]),
            ("DELETE FROM amazon_order WHERE id = ANY(%s)", self.made["orders"]),
            ("DELETE FROM amazon_feed WHERE document_ref = %s", "document"),
            ("DELETE FROM queue_job WHERE method_name = %s", "_job_tell_tripped"),
        ):
            env.cr.execute(query, [value])

    def send(self, number, client):
        """Do what a dispatch does, up to the commit before the irreversible call."""
        lane = Lane(self.made["account"], (DE, FR)[number], FEED_REFUND)
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            # the job's own transaction: its snapshot is as old as can be
            cr.execute("SELECT 1 FROM amazon_action LIMIT 1")
            feeds = env["amazon.feed"]
            with env["amazon.gatekeeper"]._counting(lane):
                return feeds._in_own_transaction(
                    "_prepare", client, lane, {self.made["actions"][number]: False}
                )

    def states(self):
        return self.in_real_transaction(
            lambda env: (
                env["amazon.action"].browse(self.made["actions"]).mapped("state")
            )
        )

    def count_open_stops(self):
        domain = [("account_id", "=", self.made["account"]), ("ended_at", "=", False)]
        return self.in_real_transaction(
            lambda env: env["amazon.stop"].search_count(domain)
        )

    @mute_logger("odoo.sql_db")
    def test_second_lane_waits_and_then_sees_what_the_first_has_sent(self):
        came = []

        def other_lane():
            try:
                came.append(self.send(1, SlowClient()))
            except RetryableJobError as error:
                came.append(error)

        def meanwhile():
            thread = threading.Thread(target=other_lane)
            thread.start()
            thread.join(timeout=30)

        self.assertTrue(self.send(0, SlowClient(meanwhile)))
        self.assertIsInstance(came[0], RetryableJobError)
        self.assertFalse(self.send(1, SlowClient()))
        self.assertEqual(self.states(), ["sending", "queued"])
        self.assertEqual(self.count_open_stops(), 1)

    @mute_logger("odoo.sql_db")
    def test_lanes_that_try_at_once_never_both_pass_and_trip_once(self):
        at_once = threading.Barrier(2)
        passed = []

        def dispatch(number):
            at_once.wait(timeout=30)
            for _attempt in range(200):
                try:
                    passed.append(bool(self.send(number, SlowClient())))
                    return
                except RetryableJobError:
                    time.sleep(0.05)

        threads = [
            threading.Thread(target=dispatch, args=(number,)) for number in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        self.assertEqual(sorted(passed), [False, True])
        self.assertEqual(sorted(self.states()), ["queued", "sending"])
        self.assertEqual(self.count_open_stops(), 1)

    @mute_logger("odoo.sql_db")
    def test_without_the_lock_both_would_pass(self):
        """What the lock is for: two snapshots, each without the other's refund."""

        def meanwhile():
            thread = threading.Thread(target=self.send, args=(1, SlowClient()))
            thread.start()
            thread.join(timeout=30)

        breaker = type(self.env["amazon.gatekeeper.breaker"])
        with patch.object(breaker, "_has_breaker", lambda *args: False):
            self.send(0, SlowClient(meanwhile))
        self.assertEqual(self.states(), ["sending", "sending"])
