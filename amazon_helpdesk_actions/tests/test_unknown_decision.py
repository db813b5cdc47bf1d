from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import SHIPPED, UNSHIPPED, AmazonCommon

FEED = "odoo.addons.amazon_helpdesk_actions.models.amazon_feed_dispatch"


@tagged("post_install", "-at_install")
class TestUnknownDecision(AmazonCommon):
    """What a person can decide where nobody knows the outcome, and who may."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 86400, quotas=False
        )
        self.action = self.ask_refund(self.create_ticket(SHIPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.assertEqual(self.action.state, "unknown")

    def hand_over(self):
        self.action.feed_id._hand_over("Nobody knows.")
        self.run_jobs("_job_move_actions")
        self.assertTrue(self.action.needs_person)

    def open(self, user=None):
        user = user or self.agent
        action = self.action.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )
        window = action.action_decide_unknown()
        return action.env[window["res_model"]].browse(window["res_id"])

    def events(self):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search([("action_id", "=", self.action.id)], order="id")

    def refunds(self):
        return self.simulator.ledger()["refunds"]

    # === WHAT CAN BE DECIDED === #

    def test_screen_shows_the_evidence(self):
        self.action.feed_id.listing = "4711 (2026-01-01 00:00:00 UTC, DONE)"
        decision = self.open()
        with Form(decision) as form:
            self.assertEqual(form.state_message, self.action.state_message)
            self.assertIn("4711", form.listing)
            self.assertEqual(form.payload_digest, self.action.feed_id.payload_digest)
            self.assertEqual(form.fulfillment_status, "SHIPPED")
            self.assertEqual(len(form.line_ids), 2)
            form.note = "-"

    def test_executed_is_recorded_with_the_persons_words(self):
        decision = self.open()
        decision.note = "Refunded on Monday, seen in Seller Central"
        decision.action_executed()
        self.assertEqual(self.action.state, "assisted")
        self.assertEqual(self.action.decision_note, decision.note)
        self.assertIn("seen in Seller Central", self.notes(self.action.ticket_id)[0])
        recorded = self.events().filtered(lambda entry: entry.event == "recorded")
        self.assertEqual(recorded.user_id, self.agent)
        self.assertEqual(recorded.state_to, "assisted")
        self.assertNotIn("Monday", "".join(self.events().mapped("message")))
        self.settle()
        self.assertEqual(self.refunds(), [], "nothing is sent")

    def test_absent_is_sent_again_once(self):
        self.hand_over()
        decision = self.open()
        decision.note = "No refund in Seller Central"
        decision.action_send_again()
        self.assertEqual(self.action.state, "queued")
        self.assertFalse(self.action.needs_person)
        decided = self.events().filtered(lambda entry: entry.event == "decided")
        self.assertEqual(decided.user_id, self.agent)
        self.settle()
        self.assertEqual(self.action.state, "accepted")
        self.assertEqual(len({row["feed_id"] for row in self.refunds()}), 1)

    def test_handing_over_is_journaled_and_said(self):
        self.hand_over()
        self.assertEqual(self.events()[-1].event, "handed")
        self.assertIn("Nobody knows", self.notes(self.action.ticket_id)[0])

    def test_what_becomes_known_needs_no_person_any_more(self):
        self.hand_over()
        self.action._set_confirmed()
        self.assertFalse(self.action.needs_person)

    # === WHAT CANNOT === #

    def test_nothing_is_decided_without_words(self):
        self.hand_over()
        decision = self.open()
        decision.note = "  "
        for method in (decision.action_executed, decision.action_send_again):
            with self.assertRaisesRegex(UserError, "Write down"):
                method()
        self.assertEqual(self.action.state, "unknown")

    def test_nothing_is_sent_again_while_it_is_looked_for(self):
        decision = self.open()
        decision.note = "Not there"
        with self.assertRaisesRegex(UserError, "still looked for"):
            decision.action_send_again()
        self.assertEqual(self.action.state, "unknown")

    def test_nothing_is_sent_again_on_an_old_reading_of_the_order(self):
        self.hand_over()
        decision = self.open()
        decision.note = "Not there"
        self.action.order_id.complete_at = "2020-01-01"
        self.env["amazon.watermark"].search([]).sudo().known_until = False
        with self.assertRaisesRegex(UserError, "not read from Amazon lately"):
            decision.action_send_again()

    def test_state_that_changed_meanwhile_is_said_and_stays(self):
        self.hand_over()
        decision = self.open()
        decision.note = "Not there"
        self.action._set_confirmed()
        for method in (decision.action_executed, decision.action_send_again):
            with self.assertRaisesRegex(UserError, "not unknown any more"):
                method()
        self.assertEqual(self.action.state, "confirmed")
        with self.assertRaisesRegex(UserError, "not unknown any more"):
            self.open()

    def test_double_click_decides_once(self):
        self.hand_over()
        decision = self.open()
        decision.note = "Not there"
        decision.action_send_again()
        decision.action_send_again()
        self.assertEqual(len(self.events().filtered(lambda e: e.event == "decided")), 1)
        self.settle()
        self.assertEqual(len({row["feed_id"] for row in self.refunds()}), 1)

    def test_second_screen_decides_nothing_more(self):
        self.hand_over()
        first, second = self.open(), self.open()
        (first | second).note = "Not there"
        first.action_send_again()
        with self.assertRaisesRegex(UserError, "not unknown any more"):
            second.action_executed()

    # === WHO MAY === #

    def test_people_without_the_right_are_refused(self):
        self.hand_over()
        canceller = self._create_user(
            "canceller",
            "helpdesk_mgmt.group_helpdesk_user",
            "amazon_helpdesk_actions.group_cancel",
        )
        for user in (self.trainee, self.auditor, canceller):
            with self.subTest(user.login):
                action = self.action.with_user(user)
                with self.assertRaises(AccessError):
                    self.open(user)
                with self.assertRaises(AccessError):
                    action._decide_executed("I say so")
                with self.assertRaises(AccessError):
                    action._decide_absent("I say so")
                with self.assertRaises(AccessError):
                    self.env["amazon.unknown.decision"].with_user(user).create(
                        {"action_id": self.action.id}
                    )
        self.assertEqual(self.action.state, "unknown")

    def test_sudo_of_a_caller_does_not_open_it(self):
        self.hand_over()
        action = self.action.with_user(self.trainee).sudo()
        with self.assertRaises(AccessError):
            action.action_decide_unknown()
        with self.assertRaises(AccessError):
            action._decide_absent("I say so")

    def test_person_of_another_company_is_refused(self):
        self.hand_over()
        company = self._create_company(name="Elsewhere")
        stranger = self._create_user(
            "stranger",
            "helpdesk_mgmt.group_helpdesk_user",
            "amazon_helpdesk_actions.group_refund",
        )
        stranger.write(
            {"company_ids": [Command.set(company.ids)], "company_id": company.id}
        )
        with self.assertRaises(AccessError):
            self.open(stranger)
        decisions = self.env["amazon.unknown.decision"].with_user(stranger)
        with self.assertRaises(AccessError):
            decisions.with_context(allowed_company_ids=company.ids).create(
                {"action_id": self.action.id}
            )

    def test_decision_of_another_person_cannot_be_used(self):
        self.hand_over()
        decision = self.open()
        other = self._create_user(
            "other_agent",
            "helpdesk_mgmt.group_helpdesk_user",
            "amazon_helpdesk_actions.group_refund",
        )
        with self.assertRaises(AccessError):
            decision.with_user(other).read(["listing"])
        with self.assertRaises(AccessError):
            decision.with_user(other).action_executed()

    def test_decision_cannot_be_pointed_at_what_its_owner_may_not_decide(self):
        refunder = self._create_user(
            "refunder",
            "helpdesk_mgmt.group_helpdesk_user",
            "amazon_helpdesk_actions.group_refund",
        )
        cancel = self.ask_cancel(self.create_ticket(UNSHIPPED))
        decision = self.open(refunder)
        with self.assertRaises(AccessError):
            decision.write({"action_id": cancel.id})
