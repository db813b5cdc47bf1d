from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestFeedCancel(AmazonOrderCommon):
    """Asking Amazon to drop what it has received and not begun to process."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=60, finance_delay_seconds=0, quotas=False
        )
        self.sale_order = self.create_sale_order(SHIPPED)
        self.other = self.create_sale_order(GIFT_WRAPPED)
        self.action = self.ask_refund(self.sale_order)
        self.companion = self.ask_refund(self.other, self.colleague)
        self.run_jobs("_job_dispatch")
        self.feed = self.action.feed_id
        self.assertEqual(self.feed.action_ids, self.action | self.companion)
        # as Amazon said when it was asked
        self.feed.processing_status = "IN_QUEUE"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls._create_user(
            "amazon_colleague",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )

    def drop(self, user=None):
        return self.action.with_user(user or self.agent).action_cancel_feed()

    def executed_orders(self):
        return {row["order_id"] for row in self.simulator.ledger()["refunds"]}

    def shown(self, user=None):
        self.env.invalidate_all()
        panel = self.sale_order.with_user(user or self.agent).amazon_order_panel
        return panel["order"]["actions"][0]

    # === DROPPED === #

    def test_dropped_feed_withdraws_all_its_actions_and_nothing_is_executed(self):
        self.drop()
        self.assertEqual(self.action.state, "submitted")
        self.settle()
        for action in (self.action, self.companion):
            self.assertEqual(action.state, "withdrawn")
            self.assertIn("Nothing was executed", action.state_message)
            self.assertIn(self.agent.name, action.state_message)
        self.assertEqual(self.feed.state, "cancelled")
        self.assertFalse(self.executed_orders())
        self.assertTrue(self.sale_order.amazon_order_id.refundable)

    def test_wish_is_journaled_and_told_by_name(self):
        self.drop()
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", self.action.id)], limit=1)
        )
        self.assertEqual(entry.event, "drop")
        self.assertEqual(entry.user_id, self.agent)
        self.assertIn("not known yet", self.notes(self.sale_order)[0])
        self.assertIn("not known yet", self.shown()["drop_message"])

    def test_amazon_is_not_called_by_the_click(self):
        before = self.simulator.ledger()["calls"]
        self.drop()
        self.assertEqual(self.simulator.ledger()["calls"], before)

    def test_question_says_how_many_actions_of_whom(self):
        question = self.action.with_user(self.agent).action_cancel_feed_question()
        self.assertIn("all 2 actions", question)
        for name in (self.agent.name, self.colleague.name):
            self.assertIn(f"{name}: 1", question)

    # === NOT DROPPED === #

    def test_feed_that_amazon_began_to_process_goes_on(self):
        self.drop()
        self.simulator.advance(120)
        self.settle()
        self.assertEqual(self.action.state, "confirmed")
        self.assertEqual(self.executed_orders(), {SHIPPED, GIFT_WRAPPED})

    def test_amazons_no_is_shown_and_changes_nothing(self):
        self.drop()
        self.simulator.advance(120)
        self.run_jobs("_job_drop")
        self.assertEqual(self.action.state, "submitted")
        self.assertIn("may not drop", self.shown()["drop_message"])

    def test_wish_whose_answer_is_lost_counts_when_amazon_heard_it(self):
        self.simulator.fault("cut_after", "cancelFeed", times=1)
        self.drop()
        self.run_jobs("_job_drop")
        self.assertEqual(self.action.state, "submitted")
        self.settle()
        self.assertEqual(self.action.state, "withdrawn")
        self.assertFalse(self.executed_orders())

    def test_wish_whose_answer_is_lost_changes_nothing_when_amazon_did_not_hear_it(
        self,
    ):
        self.simulator.fault("cut_before", "cancelFeed", times=1)
        self.drop()
        self.run_jobs("_job_drop")
        self.assertEqual(self.action.state, "submitted")
        self.simulator.advance(120)
        self.settle()
        self.assertEqual(self.action.state, "confirmed")
        self.assertEqual(self.executed_orders(), {SHIPPED, GIFT_WRAPPED})

    def test_wish_that_is_sent_twice_after_a_kill_still_takes_all_back(self):
        self.drop()
        self.env.flush_all()
        self.feed._job_drop()
        # the worker was killed before the job was done, so it is run again
        self.run_jobs("_job_drop")
        self.assertNotIn("goes on", self.feed.drop_message)
        self.settle()
        self.assertEqual(self.action.state, "withdrawn")
        self.assertFalse(self.executed_orders())

    def test_throttled_wish_is_sent_again(self):
        self.simulator.fault("throttle", "cancelFeed", times=9)
        self.drop()
        self.assertTrue(self.run_jobs("_job_drop"))
        self.simulator.clear_faults()
        self.settle()
        self.assertEqual(self.action.state, "withdrawn")

    def test_feed_that_amazon_cancels_unasked_is_rejected(self):
        with self.account._client() as client:
            client.cancel_feed(self.feed.feed_ref)
        self.settle()
        self.assertEqual(self.action.state, "rejected")

    # === WHO AND WHEN === #

    def test_button_is_there_in_amazons_queue_only(self):
        self.assertTrue(self.shown()["can_drop"])
        self.feed.processing_status = "IN_PROGRESS"
        self.assertFalse(self.shown()["can_drop"])
        with self.assertRaisesRegex(UserError, "not in Amazon's queue"):
            self.drop()

    def test_second_click_is_told_that_it_is_asked(self):
        self.drop()
        self.assertFalse(self.shown()["can_drop"])
        with self.assertRaisesRegex(UserError, "already"):
            self.drop()
        self.assertEqual(len(self.pending_jobs("_job_drop")), 1)

    def test_user_without_the_right_is_refused(self):
        self.assertFalse(self.shown(self.trainee)["can_drop"])
        for method in ("action_cancel_feed", "action_cancel_feed_question"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(self.action.with_user(self.trainee), method)()
        self.assertFalse(self.feed.drop_asked_at)

    def test_user_of_another_company_is_refused(self):
        company = self._create_company(name="Elsewhere")
        self.colleague.write(
            {"company_id": company.id, "company_ids": [(6, 0, company.ids)]}
        )
        with self.assertRaises(AccessError):
            self.drop(self.colleague)
        self.assertFalse(self.feed.drop_asked_at)

    def test_action_that_amazon_has_cannot_be_taken_back_past_amazon(self):
        with self.assertRaisesRegex(UserError, "not queued any more"):
            self.action.with_user(self.agent).action_withdraw()
        self.assertEqual(self.action.state, "submitted")

    def test_queued_action_has_no_feed_to_drop(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        with self.assertRaisesRegex(UserError, "not in Amazon's queue"):
            action.with_user(self.agent).action_cancel_feed()
