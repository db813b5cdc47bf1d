from odoo.tests import tagged

from ..common import SHIPPED, AmazonOrderCommon

SKU = "NW-KESSEL-12-SW"


@tagged("post_install", "-at_install")
class TestLateDoubt(AmazonOrderCommon):
    """A refund that somebody else has paid since it was asked for is not paid twice."""

    def ask(self, amount=10, user=None):
        return self.ask_refund(self.sale_order, user, {SKU: amount})

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        self.order = self.sale_order.amazon_order_id
        self.item = self.order.line_ids.amazon_item_ref

    def refund_by_hand(self, amount="10.00"):
        self.refund_elsewhere(SHIPPED, self.item, amount)

    def refunds(self):
        """Return how many refunds Amazon has executed."""
        return len(self.simulator.ledger()["refunds"])

    def test_equal_refund_after_the_click_goes_to_a_person(self):
        action = self.ask()
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        self.assertIn("Since", action.state_message)
        self.assertEqual(self.refunds(), 1)

    def test_reading_does_not_decide_it_for_the_person(self):
        action = self.ask()
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.order._read_from_amazon()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_equal_refund_that_was_seen_when_asking_does_not_hold_it(self):
        self.refund_by_hand()
        self.order._read_from_amazon()
        action = self.ask()
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))

    def test_other_amount_does_not_hold_it(self):
        action = self.ask()
        self.refund_by_hand("10.01")
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))

    def test_refund_that_another_action_accounts_for_does_not_hold_it(self):
        first = self.ask()
        self.run_jobs("_job_dispatch")
        second = self.ask()
        self.settle()
        self.assertEqual((first.state, second.state), ("confirmed", "confirmed"))
        self.assertEqual(self.refunds(), 2)

    def test_one_of_several_goes_to_a_person_and_the_others_leave(self):
        doubtful = self.ask()
        others = self.ask(3) | self.ask(4)
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.assertEqual(doubtful.state, "unknown")
        self.assertEqual(
            set(others.mapped("state")) - {"submitted", "accepted", "confirmed"}, set()
        )

    def test_person_who_says_that_it_is_another_one_is_believed_once(self):
        action = self.ask()
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.order._read_from_amazon()
        action.with_user(self.agent)._decide_absent("That was another refund.")
        self.assertEqual(action.state, "queued")
        self.assertNotIn("again", action.state_message)
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))
        self.assertEqual(self.refunds(), 2)

    def test_another_refund_after_that_decision_goes_to_a_person_again(self):
        action = self.ask()
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.order._read_from_amazon()
        action.with_user(self.agent)._decide_absent("That was another refund.")
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_person_who_says_that_it_is_the_same_ends_it(self):
        action = self.ask()
        self.refund_by_hand()
        self.run_jobs("_job_dispatch")
        action.with_user(self.agent)._decide_executed("It is the same.")
        self.order._read_from_amazon()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.refunds(), 1)

    def test_it_is_not_approved_any_more_either(self):
        action = self.ask()
        self.let_wait(action)
        self.refund_by_hand()
        self.order._read_from_amazon()
        self.assertIn("may be the same", action.approval_id._blocker())
