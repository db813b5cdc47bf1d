from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import FBA_SHIPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon
from .test_ranges import transaction, transactions

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
ORDER = "odoo.addons.amazon_order_actions.models.order.reading"


@tagged("post_install", "-at_install")
class TestFinancesKnown(AmazonOrderCommon):
    """What Amazon has refunded must be known before money leaves, or a second person
    decides knowing that it is not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id = cls.env.ref("base.EUR")
        cls.approver = cls._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )

    def forbid(self, times=None):
        """Have Amazon let the account read no finances."""
        for operation in ("listFinancialEventsByOrderId", "listTransactions"):
            self.simulator.fault("forbidden", operation, times=times)

    def ask_unknown(self, **values):
        """Ask for a refund of an order whose finances Amazon does not show."""
        self.forbid()
        return self.ask_refund(self.create_sale_order(SHIPPED), **values)

    def by(self, user, record):
        return record.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    def decide(self, action, user=None):
        window = self.by(user or self.approver, action.approval_id).action_decide()
        decisions = self.by(user or self.approver, self.env[window["res_model"]])
        return decisions.browse(window["res_id"])

    def refunds(self):
        return self.simulator.ledger()["refunds"]

    def last_entry(self, action):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search(
            [("action_id", "=", action.id), ("event", "=", "decided")], limit=1
        )

    # === ASKING === #

    def test_dialog_says_what_is_not_known_and_that_it_will_wait(self):
        self.forbid()
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        self.assertFalse(request.blockers)
        self.assertIn("second person must approve", request.warnings)
        self.assertIn("has refunded on this order is not known", request.warnings)
        self.assertIn("Seller Central", request.warnings)

    def test_dialog_says_nothing_where_the_finances_are_known(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        self.assertNotIn("not known", request.warnings or "")

    def test_refund_waits_for_a_second_person_though_no_row_wants_one(self):
        action = self.ask_unknown()
        self.assertEqual(action.state, "to_approve")
        self.assertIn("is not known", action.approval_id.why)
        self.assertIn("is not known", action.state_message)
        self.settle()
        self.assertEqual(action.state, "to_approve")
        self.assertFalse(self.refunds())

    def test_refund_in_another_currency_waits_too(self):
        sale_order = self.create_sale_order(SHIPPED)
        with transactions(transaction(SHIPPED, currency="SEK")):
            self.env.flush_all()
            self.env["amazon.range.reading"]._read_ranges(self.account)
            self.env.invalidate_all()
        action = self.ask_refund(sale_order)
        self.assertEqual(action.state, "to_approve")
        self.assertIn("SEK", action.approval_id.why)

    def test_both_reasons_are_said(self):
        self.env["amazon.authority"].create(
            {
                "company_id": self.company.id,
                "right": "refund",
                "group_id": self.env.ref("amazon_order_actions.group_refund").id,
                "limit_action": 20,
            }
        )
        action = self.ask_unknown()
        self.assertIn("20.00", action.approval_id.why)
        self.assertIn("is not known", action.approval_id.why)

    def test_refund_of_known_finances_leaves_alone(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_cancellation_leaves_without_finances(self):
        self.forbid()
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))

    def test_refund_that_was_done_in_seller_central_is_recorded(self):
        self.forbid()
        action = self.ask_refund(
            self.create_sale_order(FBA_SHIPPED), note="Done there, just now"
        )
        self.assertEqual(action.state, "assisted")

    # === DECIDING === #

    def test_approval_dialog_shows_what_is_not_known(self):
        action = self.ask_unknown()
        decision = self.decide(action)
        with Form(decision) as form:
            self.assertIn("is not known", form.not_known)
            self.assertFalse(form.without_knowing)

    def test_approval_without_the_tick_is_refused(self):
        action = self.ask_unknown()
        with self.assertRaisesRegex(UserError, "Approve Without Knowing"):
            self.decide(action).action_approve()
        self.assertEqual(action.state, "to_approve")
        self.assertFalse(action.approval_id.gap)

    def test_knowing_approval_is_sent_and_journaled(self):
        action = self.ask_unknown()
        decision = self.decide(action)
        decision.without_knowing = True
        decision.action_approve()
        self.assertEqual(action.state, "queued")
        entry = self.last_entry(action)
        self.assertEqual(entry.user_id, self.approver)
        self.assertIn("without Amazon's finances being known", entry.message)
        self.settle()
        self.assertEqual(len(self.refunds()), 1)
        self.assertEqual(action.state, "accepted")

    def test_asker_cannot_approve_it(self):
        self.agent.group_ids += self.env.ref("amazon_order_actions.group_approve")
        action = self.ask_unknown()
        with self.assertRaises(AccessError):
            self.by(self.agent, action.approval_id).action_approve(without_knowing=True)

    def test_finances_that_became_known_need_no_tick(self):
        action = self.ask_unknown()
        self.simulator.clear_faults()
        action.order_id._read_from_amazon()
        decision = self.decide(action)
        self.assertFalse(decision.not_known)
        decision.action_approve()
        self.assertFalse(action.approval_id.gap)
        self.assertNotIn("without Amazon's finances", self.last_entry(action).message)

    # === SENDING === #

    def test_finances_that_are_refused_after_the_click_block_the_refund(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.forbid()
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("Nothing was sent", action.state_message)
        self.assertIn("is not known", action.state_message)
        self.assertIn("ask for it again", action.state_message)
        self.assertFalse(self.refunds())
        self.assertEqual(action.order_id.reserved, 0)

    @mute_logger(FEED, ORDER)
    def test_finances_that_are_refused_before_a_resend_leave_it_to_a_person(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_follow")
        feed = action.feed_id
        feed._declare_absent(feed.id, fields.Datetime.now())
        self.env.flush_all()
        feed._follow(feed.id)
        self.env.invalidate_all()
        self.assertEqual(action.state, "queued")
        self.forbid()
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        self.assertIn("cannot be seen", action.state_message)
        self.assertFalse(self.refunds())

    def test_another_gap_than_the_approved_one_blocks_the_refund(self):
        action = self.ask_unknown()
        self.by(self.approver, action.approval_id).action_approve(without_knowing=True)
        action.approval_id.gap = "Another one."
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertFalse(self.refunds())

    def test_knowing_approval_holds_where_nothing_has_left(self):
        action = self.ask_unknown()
        self.by(self.approver, action.approval_id).action_approve(without_knowing=True)
        self.simulator.fault("throttle", "createFeed", times=None)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertTrue(action.approval_id.gap)
        self.assertFalse(action._late_blocker())

    @mute_logger(FEED, ORDER)
    def test_knowing_approval_holds_for_one_sending_only(self):
        action = self.ask_unknown()
        self.by(self.approver, action.approval_id).action_approve(without_knowing=True)
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_follow")
        self.assertEqual(action.state, "unknown")
        action.feed_id._hand_over("Nobody knows.")
        self.run_jobs("_job_move_actions")
        action.order_id._read_from_amazon()
        self.by(self.agent, action)._decide_absent("Not in Seller Central")
        self.assertEqual(action.state, "to_approve")
        self.assertFalse(action.approval_id.gap)
        self.assertIn("is not known", action.state_message)
        with self.assertRaisesRegex(UserError, "Approve Without Knowing"):
            self.by(self.approver, action.approval_id).action_approve()
        self.by(self.approver, action.approval_id).action_approve(without_knowing=True)
        self.settle()
        self.assertEqual(len(self.refunds()), 1)
