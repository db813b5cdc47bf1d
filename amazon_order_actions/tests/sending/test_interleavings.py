from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import new_test_user
from odoo.tools import mute_logger

from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
HOUR = 3600


@tagged("post_install", "-at_install")
class TestInterleavings(AmazonOrderCommon):
    """Hosts that stand still, lose their lane, or learn of something late."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 24 * HOUR, quotas=False
        )

    def executed(self, ref=SHIPPED):
        rows = [r for r in self.simulator.ledger()["refunds"] if r["order_id"] == ref]
        return {(row["feed_id"], row["message_id"]) for row in rows}

    def sku(self, action):
        return action.order_id.line_ids.sku

    def ask_a_little(self):
        """Ask for so little that Amazon would do it twice."""
        sale_order = self.create_sale_order(SHIPPED)
        sku = sale_order.amazon_order_id.line_ids.sku
        return self.ask_refund(sale_order, amounts={sku: 5})

    def unknown_feed(self):
        """A feed that another dispatch called unknown while its sender lives on."""
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = self.env["amazon.feed"]
        with (
            mute_logger(FEED),
            patch.object(
                type(feeds),
                "_create_feed",
                lambda *args: ("_record_unknown", "another dispatch says so"),
            ),
        ):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        return action, action.feed_id

    # === late news of the sender after the hand-over === #

    def test_handed_over_feed_whose_sender_lives_is_not_sent_twice(self):
        action = self.ask_a_little()
        feeds = type(self.env["amazon.feed"])
        create_feed, told = feeds._create_feed, []

        def slow(model, client, sending):
            told.append(create_feed(model, client, sending))
            return "_record_unknown", "another dispatch says so"

        with mute_logger(FEED), patch.object(feeds, "_create_feed", slow):
            self.run_jobs("_job_dispatch")
        feed = action.feed_id
        feed._hand_over("Amazon lists feeds that nobody accounts for")
        self.env.flush_all()
        getattr(feed, told[0][0])(feed.id, *told[0][1:])
        self.env.flush_all()
        feed._follow(feed.id)
        self.env.invalidate_all()
        self.run_jobs("_job_move_actions")
        self.env.invalidate_all()
        if action.needs_person:
            action.order_id._read_from_amazon()
            action.with_user(self.agent)._decide_absent("I saw nothing")
            self.run_jobs("_job_dispatch")
        self.assertEqual(len(self.executed()), 1)

    def test_feed_that_was_called_absent_meanwhile_does_not_leave(self):
        action = self.ask_a_little()
        feeds = type(self.env["amazon.feed"])
        prepare = feeds._prepare

        def frozen(model, *args):
            """The host stands still, right after it has marked the feed."""
            sending = prepare(model, *args)
            feed = model.browse(sending.feed_id)
            feed._record_unknown(feed.id, "its sender is silent")
            feed._follow_chunk(feed.id)
            feed.sending_at -= timedelta(hours=5)
            feed._declare_absent(feed.id, fields.Datetime.now())
            feed._follow_chunk(feed.id)
            return sending

        with mute_logger(FEED), patch.object(feeds, "_prepare", frozen):
            self.run_jobs("_job_dispatch")
        self.env.invalidate_all()
        self.assertEqual(action.state, "queued")
        self.run_jobs("_job_dispatch")
        self.assertEqual(len(self.executed()), 1)

    def test_sender_that_tells_after_it_was_called_absent_holds_the_resend(self):
        action, feed = self.unknown_feed()
        feed._declare_absent(feed.id, fields.Datetime.now())
        self.env.flush_all()
        feed._follow(feed.id)
        self.env.invalidate_all()
        self.assertEqual(action.state, "queued")
        self.assertEqual(action.first_sending_at, feed.sending_at)
        # the sender stood still, and tells only now what Amazon has answered
        with mute_logger(FEED):
            feed._record_submitted(feed.id, "2000000001", "r-1")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        self.assertIn("after all", action.state_message)

    def test_feed_that_was_called_unknown_before_it_left_waits_again(self):
        action = self.ask_a_little()
        feeds = type(self.env["amazon.feed"])
        prepare = feeds._prepare

        def overtaken(model, *args):
            sending = prepare(model, *args)
            model._record_unknown(sending.feed_id, "another dispatch says so")
            return sending

        with mute_logger(FEED), patch.object(feeds, "_prepare", overtaken):
            self.run_jobs("_job_dispatch")
        self.env.invalidate_all()
        self.assertFalse(self.executed())
        self.assertEqual(action.state, "queued")

    def test_late_news_of_the_sender_are_not_undone_by_the_hand_over(self):
        action, feed = self.unknown_feed()
        feed._hand_over("Amazon lists feeds that nobody accounts for")
        self.env.flush_all()
        # now the sender learns what Amazon has answered, and records it
        feed._record_submitted(feed.id, "2000000001", "r-1")
        self.env.flush_all()
        feed._follow(feed.id)
        self.env.invalidate_all()
        self.assertEqual(action.state, "submitted")
        self.run_jobs("_job_move_actions")
        self.assertEqual(action.state, "submitted")
        self.assertFalse(action.needs_person)

    # === an old answer must not undo newer knowledge === #

    def test_reading_that_was_overtaken_by_a_list_does_not_undo_it(self):
        order = self.create_sale_order(UNSHIPPED).amazon_order_id
        answers = order._ask_amazon()
        self.assertEqual(answers.order.status, "UNSHIPPED")
        # meanwhile the lists show something newer
        order.write(
            {
                "fulfillment_status": "SHIPPED",
                "last_update_at": order.last_update_at + timedelta(minutes=1),
            }
        )
        order._take()
        order._record(answers)
        self.assertEqual(order.fulfillment_status, "SHIPPED")

    def test_action_asked_for_after_the_reading_of_its_order_waits_for_another(self):
        first = self.ask_a_little()
        feeds = type(self.env["amazon.feed"])
        read_orders, asked = feeds._read_single_orders, []

        def click_meanwhile(model, order_ids):
            read = read_orders(model, order_ids)
            self.env.invalidate_all()
            if not asked:
                asked.append(
                    self.ask_refund(first._get_origin(), amounts={self.sku(first): 6})
                )
                asked[0].asked_at += timedelta(seconds=2)
                self.env.flush_all()
            return read

        with patch.object(feeds, "_read_single_orders", click_meanwhile):
            self.run_jobs("_job_dispatch")
        self.env.invalidate_all()
        self.assertEqual(first.state, "submitted")
        self.assertEqual(asked[0].state, "queued")

    # === jobs that swallow each other === #

    def test_action_that_is_due_for_long_gets_a_second_look_later(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_order_read")
        self.pending_jobs("_job_dispatch").write({"state": "done"})
        action.due_at -= timedelta(hours=2)
        now = fields.Datetime.now()
        action._enqueue_dispatch()
        etas = self.pending_jobs("_job_dispatch").mapped("eta")
        self.assertGreater(max(etas), now)

    # === archived account === #

    def test_what_waits_in_an_archived_account_is_told(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.account.active = False
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_action SET last_state_change = last_state_change - "
            "interval '2 hours', due_at = due_at - interval '2 hours' WHERE id = %s",
            [action.id],
        )
        self.env.invalidate_all()
        self.env["amazon.watch"].sudo()._cron_watch()
        alarms = self.env["amazon.alarm"].search(
            [("company_id", "=", self.company.id), ("state", "=", "open")]
        )
        self.assertIn("stopped", alarms.mapped("kind"))

    def test_feed_of_an_archived_account_is_not_left_in_sending(self):
        action, feed = self.unknown_feed()
        self.env["queue.job"].search([("id", ">=", self.first_job)]).write(
            {"state": "done"}
        )
        feed.state = action.state = "sending"
        self.account.active = False
        action.feed_id.sending_at -= timedelta(hours=1)
        self.env.flush_all()
        self.env["amazon.watch"].sudo()._cron_watch()
        self.assertTrue(self.pending_jobs("_job_dispatch"))

    # === late news, and killed before the actions were told === #

    def unknown_action_of_a_feed_not_sent(self):
        """The sender proved late that nothing had left, and died before it said so."""
        action, feed = self.unknown_feed()
        feed._record_not_sent(feed.id, "Amazon could not be reached", None)
        self.env.flush_all()
        self.assertEqual((feed.state, action.state), ("not_sent", "unknown"))
        return action

    def test_next_dispatch_brings_back_what_was_proven_late(self):
        action = self.unknown_action_of_a_feed_not_sent()
        self.run_jobs("_job_dispatch")
        self.env.invalidate_all()
        self.assertIn(action.state, ("queued", "submitted"))
        self.settle()
        self.assertEqual(len(self.executed()), 1)

    def test_watch_brings_back_what_was_proven_late(self):
        action = self.unknown_action_of_a_feed_not_sent()
        self.pending_jobs().write({"state": "cancelled"})
        feed = action.feed_id
        self.env.cr.execute(
            "UPDATE amazon_feed SET write_date = write_date - interval '1 hour'"
            " WHERE id = %s",
            [feed.id],
        )
        self.env.invalidate_all()
        self.env["amazon.watch"].sudo()._cron_watch()
        self.run_jobs("_job_follow")
        self.env.invalidate_all()
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.executed())

    # === drop === #

    def drop_unfollowed(self):
        """A feed whose sender told late, dropped before its actions followed."""
        action, feed = self.unknown_feed()
        feed.write(
            {
                "state": "submitted",
                "feed_ref": "2000000002",
                "submitted_at": fields.Datetime.now(),
                "processing_status": "IN_QUEUE",
            }
        )
        action.with_user(self.agent).action_cancel_feed()
        feed._settle("CANCELLED")
        self.env.flush_all()
        return action, feed

    def test_unknown_action_of_a_dropped_feed_is_withdrawn(self):
        action, feed = self.drop_unfollowed()
        feed._follow(feed.id)
        self.env.invalidate_all()
        self.run_jobs("_job_withdraw_dropped")
        self.assertEqual(action.state, "withdrawn")

    def test_watch_mends_a_dropped_feed_as_withdrawn(self):
        action, feed = self.drop_unfollowed()
        action._set_submitted()
        self.env["queue.job"].search([("id", ">=", self.first_job)]).write(
            {"state": "done"}
        )
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_feed SET write_date = write_date - interval '1 hour'"
        )
        self.env.invalidate_all()
        self.env["amazon.watch"].sudo()._cron_watch()
        self.run_jobs("_job_move_actions", "_job_withdraw_dropped")
        self.assertEqual(action.state, "withdrawn")

    # === another's feed === #

    def test_end_of_another_feed_proves_nothing_of_ours(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.run_jobs("_job_dispatch")
        feed = action.feed_id
        done = fields.Datetime.now() - timedelta(hours=1)
        feed.write({"state": "done", "done_at": done, "is_adopted": True})
        feed.sending_at -= timedelta(hours=2)
        feed._refute("it was another one")
        self.run_jobs("_job_move_actions")
        self.assertEqual(action.state, "unknown")
        # the order, as known now, is not cancelled yet: ours may still be in the queue
        action.order_id.complete_at = fields.Datetime.now()
        feed._judge_orders(feed.id, 0)
        self.assertEqual(action.state, "unknown")

    # === evidence that comes while absence is applied === #

    def test_absence_is_not_applied_once_a_sibling_is_seen_executed(self):
        sale_orders = [self.create_sale_order(ref) for ref in (SHIPPED, GIFT_WRAPPED)]
        first, second = (self.ask_refund(sale_order) for sale_order in sale_orders)
        feeds = self.env["amazon.feed"]
        with (
            mute_logger(FEED),
            patch.object(
                type(feeds), "_create_feed", lambda *args: ("_record_unknown", "?")
            ),
        ):
            self.run_jobs("_job_dispatch")
        feed = first.feed_id
        self.assertEqual(feed, second.feed_id)
        feed._declare_absent(feed.id, fields.Datetime.now())
        self.assertEqual(feed.state, "absent")
        # a reading shows one of them before the job lets them follow
        first._set_confirmed()
        self.env.flush_all()
        self.run_jobs("_job_follow")
        self.assertEqual(second.state, "unknown")

    def test_action_does_not_leave_by_another_account_than_its_orders(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        # a reading has found that the order belongs to another account
        other = self._create_account(seller_id="A2OTHERSELLER")
        action.order_id.account_id = other
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
        self.assertFalse(self.executed())

    def test_withdrawn_after_an_unknown_outcome_does_not_say_that_nothing_was_sent(
        self,
    ):
        action, feed = self.unknown_feed()
        feed._hand_over("Look at the order")
        self.run_jobs("_job_move_actions")
        action.order_id._read_from_amazon()
        action.with_user(self.agent)._decide_absent("I saw nothing")
        action.with_user(self.agent).action_withdraw()
        self.assertNotIn("Nothing was sent", action.state_message)

    def test_absence_says_nothing_of_orders_whose_finances_are_refused(self):
        action, feed = self.unknown_feed()
        action.order_id.write({"finances_state": "failed", "finances_refused": True})
        self.env.flush_all()
        feed._declare_absent(feed.id, fields.Datetime.now())
        self.assertNotIn("the order does not show it either", feed.state_message)

    # === access === #

    def test_evidence_of_another_company_is_not_shown_by_onchange(self):
        action, feed = self.unknown_feed()
        feed.listing = "feed 4711 of the other company"
        other = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="review_stranger",
            groups="base.group_user,sales_team.group_sale_salesman_all_leads,"
            "amazon_order_actions.group_refund",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        decision = (
            self.env["amazon.unknown.decision"]
            .with_user(stranger)
            .with_context(allowed_company_ids=other.ids)
        )
        spec = {"action_id": {}, "listing": {}, "feed_ref": {}, "payload_digest": {}}
        try:
            shown = decision.onchange({"action_id": action.id}, ["action_id"], spec)
        except AccessError:
            return
        self.assertNotIn("4711", str(shown))

    def test_warnings_of_another_company_are_not_shown_by_onchange(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        other = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="review_stranger2",
            groups="base.group_user,sales_team.group_sale_salesman_all_leads,"
            "amazon_order_actions.group_refund",
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        request = (
            self.env["amazon.refund.request"]
            .with_user(stranger)
            .with_context(allowed_company_ids=other.ids)
        )
        spec = {"order_id": {}, "remaining": {}, "blockers": {}, "warnings": {}}
        try:
            shown = request.onchange({"order_id": order.id}, ["order_id"], spec)
        except AccessError:
            return
        self.assertFalse(shown["value"].get("remaining"), shown)
