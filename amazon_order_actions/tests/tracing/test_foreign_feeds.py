from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ...spapi.errors import MalformedAnswer
from ...spapi.operations import OPERATIONS
from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
LOOK = "odoo.addons.amazon_order_actions.models.tracing.foreign_feed"
HOUR = 3600
GERMANY, FRANCE = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
SKU = "NW-KESSEL-12-SW"


class ForeignCommon(AmazonOrderCommon):
    """Another program of the same seller sends feeds."""

    def setUp(self):
        super().setUp()
        self.reset()

    def reset(self, **settings):
        """Begin anew; the finances show nothing unless a test waits for it."""
        self.simulator.reset(
            **{
                "processing_seconds": 0,
                "finance_delay_seconds": 30 * 24 * HOUR,
                "quotas": False,
                **settings,
            }
        )

    def send_elsewhere(self, outcome="done", **options):
        """Let the other program send a feed, and return Amazon's id of it."""
        return self.simulator.foreign_feed(
            **{
                "feed_type": FEED_REFUND,
                "marketplace_ids": [GERMANY],
                "messages": 1,
                "outcome": outcome,
                **options,
            }
        )

    def dispatch(self):
        with mute_logger(FEED):
            postponed = self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        return postponed

    def reconcile(self):
        """Look for feeds at Amazon once, and let the actions follow."""
        postponed = self.run_jobs("_job_reconcile")
        self.run_jobs("_job_follow", "_job_move_actions")
        return postponed

    def finish(self):
        """Poll, and let the actions follow."""
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.run_jobs("_job_move_actions", "_job_follow")

    def lose(self, *actions, lag=None, fault="cut_after"):
        """Send actions in one envelope; Amazon's answer to createFeed is lost.

        :param int lag: seconds for which Amazon's list does not show the feed
        """
        if lag:
            self.simulator.fault("getfeeds_lag", times=1, seconds=lag)
        self.simulator.fault(fault, "createFeed", times=1)
        self.dispatch()
        self.assertEqual({action.state for action in actions}, {"unknown"})
        self.simulator.clear_faults()

    def foreign(self):
        return self.env["amazon.foreign.feed"].search(
            [("account_id", "=", self.account.id)]
        )

    def age_foreign(self, days):
        """Let other programs' feeds be so much older."""
        for foreign in self.foreign():
            foreign.created_at -= timedelta(days=days)


@tagged("post_install", "-at_install")
class TestAdoption(ForeignCommon):
    """Whose feed is it that Amazon lists, where our createFeed had no answer?"""

    def refund(self, amount=5):
        return self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: amount})

    def lose_refund(self, **options):
        action = self.refund()
        self.lose(action, **options)
        self.left = action.order_id.refundable
        return action

    def adopt_foreign(self, outcome, **options):
        """Have a foreign feed taken for ours, which Amazon's list shows very late."""
        action = self.lose_refund(lag=2 * HOUR)
        self.simulator.advance(30)
        self.send_elsewhere(outcome, **options)
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted, action.feed_id.state_message)
        return action

    def assert_nothing_is_said(self, action):
        """Assert that neither the money is free nor somebody was told an outcome."""
        self.assertEqual(action.state, "unknown")
        self.assertEqual(action.order_id.refundable, self.left)
        reached = {target for _source, target in self.journal(action)}
        self.assertFalse(reached & {"accepted", "rejected", "withdrawn", "blocked"})

    # === BEFORE IT IS ADOPTED === #

    def test_foreign_feed_says_nothing_of_ours_that_the_list_shows_later(self):
        for outcome in ("error", "done", "cancelled", "fatal"):
            with self.subTest(outcome):
                self.setUp()
                action = self.lose_refund(lag=600)
                self.simulator.advance(10)
                self.send_elsewhere(outcome)
                self.assertEqual(len(self.reconcile()), 1, "it looks again")
                self.finish()
                self.assertFalse(action.feed_id.feed_ref)
                self.assert_nothing_is_said(action)
                self.simulator.advance(601)
                self.reconcile()
                self.finish()
                self.assertTrue(action.needs_person)
                self.assert_nothing_is_said(action)
                self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)

    def test_foreign_feed_says_nothing_of_ours_that_never_arrived(self):
        for outcome in ("error", "done", "cancelled", "fatal"):
            with self.subTest(outcome):
                self.setUp()
                action = self.lose_refund(fault="cut_before")
                self.simulator.advance(10)
                self.send_elsewhere(outcome)
                for _round in range(3):
                    self.reconcile()
                    self.finish()
                    self.simulator.advance(31 * 60)
                self.assert_nothing_is_said(action)
                self.assertFalse(self.simulator.ledger()["refunds"])

    # === ADOPTED, AND NOT OURS === #

    def test_adopted_feed_that_names_another_order_is_let_go(self):
        action = self.adopt_foreign("error")
        foreign = action.feed_ref
        self.finish()
        self.assert_nothing_is_said(action)
        self.assertTrue(action.needs_person)
        self.assertFalse(action.feed_ref)
        self.assertIn(foreign, action.state_message)
        self.assertEqual(self.foreign().feed_ref, foreign)

    def test_adopted_feed_never_says_that_ours_was_done_or_not(self):
        for outcome in ("done", "cancelled", "fatal"):
            with self.subTest(outcome):
                self.setUp()
                action = self.adopt_foreign(outcome)
                self.finish()
                self.assert_nothing_is_said(action)
                self.assertIn(action.feed_ref, action.state_message)

    def test_adopted_feed_with_another_number_of_messages_is_let_go(self):
        action = self.adopt_foreign("done", messages=2)
        foreign = action.feed_ref
        self.finish()
        self.assert_nothing_is_said(action)
        self.assertTrue(action.needs_person)
        self.assertIn("processed 2 messages", action.state_message)
        self.assertEqual(self.foreign().feed_ref, foreign)

    def test_later_candidate_refutes_what_was_adopted(self):
        action = self.adopt_foreign("done")
        foreign = action.feed_ref
        self.finish()
        self.assertTrue(self.reconcile(), "it is looked for on")
        self.simulator.advance(HOUR)
        self.reconcile()
        self.assert_nothing_is_said(action)
        self.assertTrue(action.needs_person)
        self.assertIn(foreign, action.state_message)
        self.assertIn(self.ours(), action.state_message)
        self.assertFalse(action.feed_ref)
        self.assertEqual(self.reconcile(), [], "the search is over")

    def test_adopted_feed_writes_to_no_buyer_that_amazon_has_it(self):
        action = self.refund()
        self.account.write({"approved_sender": "a@nordlicht.example", "shop_name": "N"})
        action._get_origin().partner_id.email = "8x2k1f@marketplace.amazon.de"
        self.env["amazon.reply"]._ask_for(
            action, {"awaited_state": "submitted", "lang": "en"}
        )
        self.lose(action)
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.assertEqual(action.state, "submitted")
        self.assertTrue(action.feed_id.is_adopted)
        self.run_jobs("_job_reply")
        self.assertEqual(action.reply_ids.state, "waiting")
        self.env["amazon.check.orders"]._find_undone(self.account)
        self.assertFalse(self.pending_jobs("_job_reply"))
        feed = action.feed_id
        feed._record_submitted(feed.id, feed.feed_ref, "request")
        self.finish()
        self.run_jobs("_job_reply")
        self.assertEqual(action.state, "accepted")
        self.assertNotEqual(action.reply_ids.state, "waiting")

    def test_feeds_that_a_person_looks_at_show_that_another_program_is_about(self):
        self.lose_refund()
        self.simulator.advance(10)
        other = self.send_elsewhere()
        self.reconcile()
        self.env["amazon.feed.list"]._look(self.account)
        self.assertIn(other, self.foreign().mapped("feed_ref"))
        self.assertTrue(self.account.notice)

    def ours(self):
        """Return Amazon's id of the first feed that we sent."""
        feeds = self.simulator.ledger()["feeds"]
        return next(row["feed_id"] for row in feeds if not row["foreign"])

    def test_foreign_feed_long_after_refutes_nothing(self):
        action = self.lose_refund()
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted)
        self.send_elsewhere()
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted)
        self.assertFalse(action.needs_person)

    def test_what_is_settled_or_old_is_not_looked_for_on(self):
        action = self.adopt_foreign("done")
        feed = action.feed_id
        self.assertEqual(len(self.reconcile()), 1)
        feed.sending_at -= timedelta(hours=4)
        self.assertEqual(self.reconcile(), [])
        feed.sending_at += timedelta(hours=4)
        action._set_confirmed()
        feed._enqueue_reconcile()
        self.assertEqual(self.reconcile(), [])

    def test_news_that_our_sender_tells_late_replaces_what_was_adopted(self):
        action = self.adopt_foreign("done")
        self.finish()
        feed = action.feed_id
        feed._record_submitted(feed.id, self.ours(), "request")
        self.run_jobs("_job_follow")
        self.assertEqual(feed.feed_ref, self.ours())
        self.assertFalse(feed.is_adopted)
        self.assertFalse(feed.report_file_id)
        feed._follow(feed.id)
        self.finish()
        self.assertEqual(action.state, "accepted")

    def test_news_that_our_sender_tells_late_prove_what_was_adopted(self):
        action = self.lose_refund()
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.finish()
        self.assertEqual(action.state, "unknown")
        feed = action.feed_id
        feed._record_submitted(feed.id, self.ours(), "request")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")

    # === ADOPTED, AND OURS === #

    def test_adopted_success_waits_for_amazons_own_data(self):
        self.reset(finance_delay_seconds=90 * 60)
        action = self.lose_refund()
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.finish()
        self.assert_nothing_is_said(action)
        self.assertIn("lists no error", action.state_message)
        self.assertFalse(action.needs_person)
        self.simulator.advance(HOUR)
        self.run_jobs("_job_confirm")
        self.assertEqual(action.state, "confirmed")

    def test_adopted_success_that_nothing_shows_is_a_persons_after_the_known_time(self):
        action = self.lose_refund()
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.finish()
        action.feed_id.done_at -= timedelta(hours=73)
        action.feed_id._judge_orders(action.feed_id.id, 0)
        self.assertTrue(action.needs_person)
        self.assert_nothing_is_said(action)

    def test_report_frees_the_money_of_those_alone_whose_order_it_names(self):
        actions = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
        actions |= self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.dispatch()
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.finish()
        self.assertEqual(actions.mapped("state"), ["rejected", "unknown"])
        self.assertEqual(actions[0].amazon_text, "No")
        self.assertIn("lists no error", actions[1].state_message)
        self.assertTrue(actions.feed_id.is_proven)
        # and what is proven is not let go for a feed that shows up later
        self.assertEqual(self.reconcile(), [])

    def test_report_that_names_our_order_settles_it_before_the_list_has_caught_up(self):
        action = self.refund()
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.dispatch()
        self.reconcile()
        self.assertTrue(action.feed_id.is_proven)
        self.finish()
        self.assertEqual(action.state, "rejected")

    def test_report_of_a_lone_feed_is_read_once_while_the_list_may_lag(self):
        action = self.lose_refund()
        for _round in range(3):
            self.assertTrue(self.look_for(action.feed_id))
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.simulator.ledger()["calls"]["getFeedDocument"], 1)

    def look_for(self, feed):
        """Look for a feed, and keep what was written in transactions of its own."""
        self.env.flush_all()
        try:
            feed._job_reconcile()
        except RetryableJobError as error:
            return str(error)
        finally:
            self.env.invalidate_all()

    def test_report_that_refuses_without_a_name_frees_nothing(self):
        action = self.lose_refund(fault="cut_after")
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.run_jobs("_job_poll")
        with patch(
            "odoo.addons.amazon_order_actions.models.tracing.poll.parse_report"
        ) as parse:
            parse.side_effect = lambda _report, numbers: {
                number: _Refusal() for number in numbers
            }
            self.run_jobs("_job_apply_report")
        self.assert_nothing_is_said(action)
        self.assertIn("without naming an order (No)", action.state_message)

    # === OTHER PROGRAMS ARE ABOUT === #

    def be_about(self):
        """Have another program's feed in Amazon's list, long before ours is sent."""
        self.send_elsewhere()
        self.simulator.advance(HOUR)

    def test_lone_success_is_a_persons_where_other_programs_send(self):
        self.be_about()
        action = self.lose_refund()
        self.assertEqual(len(self.foreign()), 1)
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertTrue(action.needs_person)
        self.assertFalse(action.feed_ref)
        self.assertIn("another program sends feeds", action.state_message)
        self.assert_nothing_is_said(action)

    def test_lone_feed_that_names_our_order_is_adopted_at_once(self):
        self.be_about()
        action = self.refund()
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.dispatch()
        self.reconcile()
        self.assertEqual(action.state, "submitted")
        self.assertIn("its report names an order", action.state_message)
        self.finish()
        self.assertEqual(action.state, "rejected")

    def test_lone_feed_that_names_another_order_is_not_adopted(self):
        self.be_about()
        action = self.lose_refund(lag=5 * HOUR)
        self.send_elsewhere("error")
        self.reconcile()
        self.assertTrue(action.needs_person)
        self.assert_nothing_is_said(action)

    def test_lone_feed_is_waited_for_until_it_is_processed(self):
        self.be_about()
        self.simulator.change(processing_seconds=600)
        action = self.lose_refund()
        self.assertEqual(len(self.reconcile()), 1)
        self.assertFalse(action.needs_person)
        self.simulator.change(processing_seconds=24 * HOUR)
        self.simulator.advance(601)
        self.reconcile()
        self.assertTrue(action.needs_person)

    def test_foreign_feeds_of_long_ago_change_nothing(self):
        self.be_about()
        action = self.lose_refund()
        self.age_foreign(31)
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted)

    def test_feed_that_was_there_before_ours_left_is_no_rival(self):
        foreign = self.send_elsewhere()
        self.simulator.advance(30)
        action = self.lose_refund()
        self.age_foreign(31)
        self.simulator.advance(61 * 60)
        with patch(f"{LOOK}.FOREIGN_DAYS", 0):
            self.reconcile()
        self.assertEqual(action.feed_ref, self.ours())
        self.assertNotEqual(action.feed_ref, foreign)

    # === MARKETPLACES THAT AMAZON DOES NOT NAME === #

    def test_feed_that_another_lane_is_sending_is_not_taken(self):
        action = self.lose_refund(fault="cut_before")
        self.simulator.advance(30)
        ref = self.send_elsewhere(marketplace_ids=[])
        sending = action.feed_id.copy(
            {
                "marketplace": FRANCE,
                "state": "sending",
                "sending_at": fields.Datetime.now(),
            }
        )
        sending.amazon_sent_after = action.feed_id.amazon_sent_after
        self.simulator.advance(61 * 60)
        self.assertTrue(self.reconcile())
        self.assertFalse(action.feed_id.feed_ref)
        self.assertFalse(action.needs_person)
        self.assertFalse(self.foreign(), "it may be the other lane's")
        sending.write({"state": "submitted", "feed_ref": ref})
        self.reconcile()
        self.assertFalse(action.feed_id.feed_ref)
        self.assertFalse(self.foreign())

    def test_feed_that_may_be_that_of_two_lanes_is_nobodys(self):
        action = self.lose_refund(fault="cut_before")
        other = action.feed_id.copy(
            {
                "marketplace": FRANCE,
                "state": "unknown",
                "sending_at": action.feed_id.sending_at,
            }
        )
        other.amazon_sent_after = action.feed_id.amazon_sent_after
        self.simulator.advance(30)
        self.send_elsewhere(marketplace_ids=[])
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.assertFalse((action.feed_id | other).filtered("feed_ref"))
        self.assertTrue(action.needs_person)

    def test_foreign_feed_in_the_window_of_the_next_sending_is_no_rival(self):
        action = self.lose_refund()
        self.simulator.advance(60)
        self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.dispatch()
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted, "a later one of ours is listed")
        self.send_elsewhere()
        self.reconcile()
        self.assertTrue(action.feed_id.is_adopted)

    # === CANCELLATIONS === #

    def lose_cancellation(self, **options):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.lose(action, **options)
        self.simulator.advance(30)
        return action

    def test_success_of_an_adopted_feed_disproves_no_cancellation(self):
        self.try_to_disprove("done")

    def test_cancelled_adopted_feed_disproves_no_cancellation(self):
        self.try_to_disprove("cancelled")

    def test_adopted_feed_that_amazon_gave_up_disproves_no_cancellation(self):
        self.try_to_disprove("fatal")

    def try_to_disprove(self, outcome):
        action = self.lose_cancellation(lag=10 * HOUR, fault="cut_before")
        self.send_elsewhere(outcome, feed_type=FEED_CANCEL)
        self.simulator.advance(61 * 60)
        self.reconcile()
        self.finish()
        feed = action.feed_id
        self.assertTrue(feed.is_adopted)
        feed.done_at -= timedelta(hours=1)
        action.order_id.complete_at = fields.Datetime.now()
        feed._judge_orders(feed.id, 0)
        self.assertEqual(action.state, "unknown")
        self.assertFalse(action.needs_person, "ours may still be in the queue")
        feed.sending_at -= timedelta(hours=5)
        feed._judge_orders(feed.id, 0)
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)

    def test_amazon_is_not_asked_to_drop_an_adopted_feed(self):
        self.simulator.change(processing_seconds=10 * HOUR)
        action = self.lose_refund()
        self.simulator.advance(61 * 60)
        self.reconcile()
        feed = action.feed_id
        feed.processing_status = "IN_QUEUE"
        self.assertEqual((feed.state, action.state), ("submitted", "submitted"))
        for method in ("action_cancel_feed_question", "action_cancel_feed"):
            with self.assertRaisesRegex(UserError, "another program's"):
                getattr(action.with_user(self.agent), method)()
        shown = action._get_origin().with_user(self.agent).amazon_order_panel
        self.assertFalse(shown["order"]["actions"][0]["can_drop"])
        feed.write({"drop_asked_at": fields.Datetime.now()})
        feed._job_drop()
        self.assertNotIn("cancelFeed", self.simulator.ledger()["calls"])
        feed._settle("CANCELLED")
        self.run_jobs("_job_move_actions", "_job_withdraw_dropped")
        self.assert_nothing_is_said(action)

    def test_watch_brings_on_what_an_adopted_feed_left(self):
        action = self.adopt_foreign("cancelled")
        self.run_jobs("_job_poll")
        self.assertEqual(action.state, "submitted")
        for state in ("submitted", "unknown"):
            self.pending_jobs().write({"state": "cancelled"})
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE amazon_feed SET write_date = write_date - interval '1 hour'"
            )
            self.env.invalidate_all()
            self.assertEqual(action.state, state)
            self.env["amazon.watch"].sudo()._cron_watch()
            self.run_jobs("_job_move_actions")
        methods = set(self.pending_jobs().mapped("method_name"))
        self.assertIn("_job_look_at_orders", methods)
        self.assertIn("_job_reconcile", methods)
        self.assert_nothing_is_said(action)


class _Refusal:
    """A message that a report refuses without naming its order."""

    status, code, text, item_errors = "rejected", "1", "No", ()


@tagged("post_install", "-at_install")
class TestLook(ForeignCommon):
    """Amazon's feeds are compared with ours before another one is sent."""

    def look(self):
        self.env.flush_all()
        now = self.env["amazon.feed.list"]._look(self.account)
        self.env.invalidate_all()
        return now

    def send(self, ref=SHIPPED):
        action = self.ask_refund(self.create_sale_order(ref))
        self.dispatch()
        return action

    # === WHAT IS FOREIGN === #

    def test_nothing_is_foreign_where_only_we_send(self):
        self.send()
        now = self.look()
        self.assertFalse(self.foreign())
        self.assertFalse(self.account.notice)
        self.assertEqual(self.account.feeds_listed_at, now.replace(microsecond=0))

    def test_other_programs_feeds_are_kept_once_of_whatever_kind(self):
        refs = [
            self.send_elsewhere(),
            self.send_elsewhere(marketplace_ids=[]),
            self.send_elsewhere(marketplace_ids=[GERMANY, FRANCE]),
            self.send_elsewhere("error", feed_type=FEED_CANCEL, messages=7),
        ]
        self.send()
        self.look()
        self.assertEqual(self.foreign().sorted("feed_ref").mapped("feed_ref"), refs)
        self.assertEqual(
            self.foreign().sorted("feed_ref").mapped("marketplace"),
            [GERMANY, False, False, GERMANY],
        )
        self.assertEqual(set(self.foreign().mapped("processing_status")), {"DONE"})
        self.assertEqual(self.foreign().company_id, self.company)

    def test_lane_is_told_which_foreign_feeds_may_belong_to_it(self):
        germany = self.send_elsewhere()
        unnamed = self.send_elsewhere(marketplace_ids=[])
        self.send_elsewhere(marketplace_ids=[FRANCE])
        self.send_elsewhere(feed_type=FEED_CANCEL)
        now = self.look()
        foreign = self.env["amazon.foreign.feed"]
        lane = (self.account, FEED_REFUND, GERMANY)
        of_lane = foreign._of_lane(*lane, now - timedelta(hours=1))
        self.assertEqual(set(of_lane.mapped("feed_ref")), {germany, unnamed})
        self.assertFalse(foreign._of_lane(*lane, now + timedelta(hours=1)))

    def test_feed_that_a_sender_is_about_to_record_is_not_foreign(self):
        feed = self.send().feed_id
        ref = feed.feed_ref
        for state in ("sending", "unknown"):
            feed.write({"state": state, "feed_ref": False})
            self.look()
            self.assertFalse(self.foreign(), state)
        feed.write({"state": "not_sent"})
        self.look()
        self.assertEqual(self.foreign().feed_ref, ref)
        feed.write({"state": "unknown"})
        feed._record_submitted(feed.id, ref, "request")
        self.assertFalse(self.foreign(), "its sender has told")

    def test_status_is_kept_up_to_date(self):
        self.simulator.change(processing_seconds=60)
        self.send_elsewhere()
        self.look()
        self.assertEqual(self.foreign().processing_status, "IN_QUEUE")
        self.simulator.advance(61)
        self.look()
        self.assertEqual(self.foreign().processing_status, "DONE")

    def test_list_is_read_from_a_little_before_the_last_one(self):
        self.assertLess(self.since(), fields.Datetime.now() - timedelta(hours=71))
        self.look()
        self.assertGreater(self.since(), fields.Datetime.now() - timedelta(minutes=62))
        self.account.feeds_listed_at = fields.Datetime.now() + timedelta(days=9)
        self.assertLess(self.since(), fields.Datetime.now() - timedelta(minutes=59))

    def since(self):
        return self.env["amazon.feed.list"]._listing_since(self.account)

    def test_row_that_cannot_be_read_is_left_out(self):
        self.send_elsewhere()
        lists = type(self.env["amazon.feed.list"])
        read = lists._read

        def with_a_bad_row(listing, *args):
            rows, now = read(listing, *args)
            return [{"feedId": "1"}, *rows], now

        with (
            patch.object(lists, "_read", with_a_bad_row),
            mute_logger(LOOK),
        ):
            self.look()
        self.assertEqual(len(self.foreign()), 1)

    def test_old_ones_are_dropped(self):
        self.send_elsewhere()
        self.send_elsewhere()
        self.look()
        self.foreign()[0].created_at -= timedelta(days=91)
        self.env["amazon.foreign.feed"]._gc_old()
        self.assertEqual(len(self.foreign()), 1)

    # === WHAT PEOPLE SEE === #

    def test_account_says_that_another_program_sends_and_goes_on_sending(self):
        self.send_elsewhere()
        self.send_elsewhere()
        action = self.send()
        self.assertEqual(action.state, "submitted")
        self.assertIn(": 2 in the last 30 days", self.account.notice)
        alarms = self.env["amazon.alarm"].sudo()
        watch = self.env["amazon.watch"].sudo()
        watch._cron_watch()
        alarm = alarms.search([("kind", "=", "foreign"), ("state", "=", "open")])
        self.assertEqual((alarm.account_id, alarm.count), (self.account, 2))
        self.assertIn("Another program sends feeds", alarm.message)
        self.age_foreign(31)
        self.env.invalidate_all()
        self.assertFalse(self.account.notice)
        watch._cron_watch()
        self.assertEqual(alarm.state, "over")

    def test_administrators_and_auditors_read_them_and_agents_do_not(self):
        self.send_elsewhere()
        self.look()
        for user in (self.admin, self.auditor):
            self.assertTrue(self.foreign().with_user(user).read(["feed_ref"]))
        with self.assertRaises(AccessError):
            self.foreign().with_user(self.agent).read(["feed_ref"])
        with self.assertRaises(AccessError):
            self.foreign().with_user(self.admin).write({"processing_status": "x"})

    # === QUOTA, AND LISTS THAT CANNOT BE READ === #

    def use_up(self):
        """Use up the quota of getFeeds, which the simulator does not limit here."""
        self.env.cr.execute(
            "UPDATE amazon_quota SET tokens = 0, rate = %s, refilled_at ="
            " clock_timestamp() AT TIME ZONE 'UTC'"
            " WHERE account_id = %s AND operation = 'getFeeds'",
            [OPERATIONS["getFeeds"].rate, self.account.id],
        )

    def test_list_of_a_moment_ago_serves_where_the_quota_is_used_up(self):
        self.look()
        self.use_up()
        self.assertEqual(self.send().state, "submitted")

    def test_lane_waits_for_the_quota_where_the_list_is_older(self):
        self.look()
        self.use_up()
        for age in (timedelta(seconds=61), timedelta(hours=-1)):
            self.account.feeds_read_at = fields.Datetime.now() - age
            action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
            tokens = self.account._quota_wait("createFeed", 15)
            self.dispatch_in_vain(action)
            self.assertEqual(action.state, "queued")
            self.assertIn("list of the account's feeds", action.state_message)
            self.assertFalse(self.simulator.ledger()["feeds"])
            self.assertAlmostEqual(
                self.account._quota_wait("createFeed", 15), tokens, delta=5
            )
        self.env.cr.execute("UPDATE amazon_quota SET tokens = 10")
        self.dispatch()
        self.assertEqual(action.state, "submitted")

    def dispatch_in_vain(self, action):
        """Dispatch, and keep what was said meanwhile: in a test it is part of what is
        rolled back with the job."""
        self.env.flush_all()
        try:
            self.env["amazon.feed"]._job_dispatch(
                action.account_id.id, action.marketplace, action.feed_type
            )
        except RetryableJobError:
            self.env.invalidate_all()
        else:
            self.fail("it does not come again")

    def test_nothing_leaves_while_the_list_cannot_be_read(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("html_503", "getFeeds", times=3)
        self.assertEqual(len(self.dispatch()), 1)
        self.assertEqual(action.state, "queued")
        self.dispatch()
        self.assertEqual(action.state, "submitted")

    def test_failure_of_the_comparison_stops_no_lane(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with (
            patch.object(
                type(self.env["amazon.foreign.feed"]), "_record", side_effect=KeyError
            ),
            mute_logger(FEED),
        ):
            self.dispatch()
        self.assertEqual(action.state, "submitted")

    def test_more_feeds_than_are_read_after_a_pause_are_read_in_part(self):
        self.send_elsewhere()
        self.simulator.advance(10 * HOUR)
        for _feed in range(3):
            self.send_elsewhere()
        lists, asked = type(self.env["amazon.feed.list"]), []
        read = lists._read

        def too_many_at_first(listing, account, since, client=None):
            asked.append(since)
            if len(asked) == 1:
                raise MalformedAnswer("getFeeds", "too many")
            return read(listing, account, since, client)

        with patch.object(lists, "_read", too_many_at_first):
            self.look()
        self.assertEqual(len(asked), 2)
        self.assertGreater(asked[1] - asked[0], timedelta(hours=60))

    def test_burst_of_feeds_makes_at_most_as_many_lists_as_the_quota_holds(self):
        self.reset(quotas=True)
        sale_order = self.create_sale_order(SHIPPED)
        for number in range(12):
            self.ask_refund(sale_order, amounts={SKU: 1 + number / 10})
            self.dispatch()
        calls = self.simulator.ledger()["calls"]
        self.assertEqual(calls["createFeed"], 12)
        # one more, where the machine is slow: the quota allows one in 45 seconds
        self.assertIn(calls["getFeeds"], (10, 11))

    # === SENT AGAIN, AND LISTED LATE === #

    def wait_to_be_sent_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
        self.lose(action, lag=6 * HOUR)
        self.simulator.advance(5 * HOUR)
        self.reconcile()
        self.assertEqual(action.state, "queued")
        return action

    def test_feed_that_is_listed_while_ours_waits_again_holds_it_up(self):
        action = self.wait_to_be_sent_again()
        self.simulator.advance(2 * HOUR)
        self.account.feeds_listed_at = False
        self.dispatch()
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertIn("may contain it", action.state_message)

    def test_person_who_has_seen_that_feed_can_have_it_sent(self):
        action = self.wait_to_be_sent_again()
        self.simulator.advance(2 * HOUR)
        self.account.feeds_listed_at = False
        self.dispatch()
        action.order_id._read_from_amazon()
        self.foreign().first_seen_at -= timedelta(minutes=1)
        action.with_user(self.agent)._decide_absent("It is not there.")
        self.dispatch()
        self.assertEqual(action.state, "submitted")

    def decide_absent(self, action):
        action.order_id._read_from_amazon()
        action.with_user(self.agent)._decide_absent("It is not there.")
        self.assertEqual(action.state, "queued")

    def test_feed_that_is_listed_after_a_person_decided_holds_it_up(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
        self.lose(action, lag=HOUR)
        action.feed_id._hand_over("Nobody knows.")
        self.run_jobs("_job_move_actions")
        self.decide_absent(action)
        self.simulator.advance(2 * HOUR)
        self.account.feeds_listed_at = False
        self.dispatch()
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)
        self.assertEqual(action.state, "unknown")
        self.assertIn("may contain it", action.state_message)

    def test_feeds_that_a_person_saw_who_decided_do_not_hold_it_up(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
        self.lose(action)
        self.simulator.advance(10)
        self.send_elsewhere()
        self.reconcile()
        self.assertTrue(action.needs_person)
        self.decide_absent(action)
        self.dispatch()
        self.assertEqual(action.state, "submitted")

    def test_foreign_feeds_of_other_times_do_not_hold_it_up(self):
        action = self.wait_to_be_sent_again()
        self.send_elsewhere()
        self.dispatch()
        self.assertEqual(action.state, "submitted")
