from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..approval.test_approval import ApprovalCommon
from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
SKU = "NW-KESSEL-12-SW"


@tagged("post_install", "-at_install")
class TestUnknownDecision(AmazonOrderCommon):
    """What a person can decide where nobody knows the outcome, and who may."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 86400, quotas=False
        )
        self.action = self.ask_refund(self.create_sale_order(SHIPPED))
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
        self.assertIn(
            "seen in Seller Central", self.notes(self.action._get_origin())[0]
        )
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
        self.assertIn("Nobody knows", self.notes(self.action._get_origin())[0])

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
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_cancel",
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
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
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
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        with self.assertRaises(AccessError):
            decision.with_user(other).read(["listing"])
        with self.assertRaises(AccessError):
            decision.with_user(other).action_executed()

    def test_decision_cannot_be_pointed_at_what_its_owner_may_not_decide(self):
        refunder = self._create_user(
            "refunder",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        decision = self.open(refunder)
        with self.assertRaises(AccessError):
            decision.write({"action_id": cancel.id})


@tagged("post_install", "-at_install")
class TestSecondPersonAgain(ApprovalCommon):
    """What needed a second person needs one for each further time that it is sent."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 86400, quotas=False
        )

    def send(self, fault="cut_before"):
        """Send what waits, without an answer from Amazon, and hand it to a person."""
        self.simulator.fault(fault, "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.action.feed_id._hand_over("Nobody knows.")
        self.run_jobs("_job_move_actions")
        self.assertTrue(self.action.needs_person)

    def approved_and_unknown(self, fault="cut_before"):
        """A refund above the limit that was approved, and of which nobody knows."""
        self.waiting()
        self.deciding(self.approver).action_approve()
        self.send(fault)
        return self.action

    def send_again(self, user=None):
        window = self.by(user or self.agent).action_decide_unknown()
        decision = self.env[window["res_model"]].browse(window["res_id"])
        decision = self.by(user or self.agent, decision)
        decision.note = "No refund in Seller Central at noon"
        decision.action_send_again()

    def test_asker_alone_has_nothing_sent_again_that_was_approved(self):
        action = self.approved_and_unknown()
        self.send_again()
        self.assertEqual(action.state, "to_approve")
        self.assertEqual(action.approval_ids.mapped("state"), ["waiting", "approved"])
        self.assertFalse(self.approval.decided_at)
        self.assertGreater(self.approval.expires_at, fields.Datetime.now())
        for part in (
            "saw in Seller Central",
            "was sent before",
            "above the limit",
        ):
            self.assertIn(part, action.state_message)
        self.assertEqual(
            self.activities().user_id, self.approver | self.second_approver
        )
        self.settle()
        self.assertFalse(self.refunds())
        self.assertTrue(action.order_id.reserved)

    def test_it_is_sent_again_once_a_second_person_approved_that(self):
        action = self.approved_and_unknown()
        self.send_again()
        with self.assertRaises(AccessError):
            self.deciding(self.agent).action_approve()
        # the same as before, whose first approval does not count any more
        window = self.deciding(self.approver).action_decide()
        dialog = self.by(self.approver, self.env[window["res_model"]])
        dialog = dialog.browse(window["res_id"])
        self.assertIn("at noon", dialog.decision_note)
        self.assertFalse(dialog.obstacles)
        dialog.action_approve()
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.approval.decided_by_id, self.approver)
        self.assertNotIn("Nothing is sent", action.state_message)
        self.settle()
        self.assertEqual(action.state, "accepted")
        self.assertEqual(len({row["feed_id"] for row in self.refunds()}), 1)
        self.assertEqual(
            self.entries("decided").mapped(lambda e: (e.state_from, e.state_to)),
            [
                ("to_approve", "queued"),
                ("unknown", "to_approve"),
                ("to_approve", "queued"),
            ],
        )

    def test_who_says_that_it_is_absent_does_not_approve_it(self):
        both = self._create_user(
            "amazon_both",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_approve",
        )
        action = self.approved_and_unknown()
        self.send_again(both)
        with self.assertRaisesRegex(AccessError, "asked to send .* again yourself"):
            self.deciding(both).action_approve()
        self.delegate(both, self.trainee)
        with self.assertRaises(AccessError):
            self.deciding(self.trainee).action_approve()
        self.assertEqual(action.state, "to_approve")

    def test_refused_again_is_unknown_and_keeps_its_money(self):
        action = self.approved_and_unknown()
        self.send_again()
        self.deciding(self.approver).action_refuse("I see it at Amazon.")
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertIn("I see it at Amazon.", action.state_message)
        self.assertNotIn("Nothing was sent", action.state_message)
        self.assertTrue(action.order_id.reserved)
        self.assertFalse(self.activities())
        self.assertIn("still unknown", self.notified(self.agent)[0].body)
        # and once more: what was refused then does not count now
        refused = self.approval
        self.send_again()
        with self.assertRaisesRegex(UserError, "asked for again since"):
            self.by(self.approver, refused).action_approve()
        self.deciding(self.approver).action_refuse("I still see it.")
        action.invalidate_recordset(["approval_ids"])
        self.assertEqual(
            action.approval_ids.mapped(lambda one: (one.state, one.refusal_reason)),
            [
                ("refused", "I still see it."),
                ("refused", "I see it at Amazon."),
                ("approved", False),
            ],
        )
        self.assertIn("I still see it.", action.state_message)
        self.settle()
        self.assertFalse(self.refunds())

    def test_not_approved_again_in_time_is_unknown(self):
        action = self.approved_and_unknown()
        self.send_again()
        self.approval.expires_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(action.approval_ids.mapped("state"), ["expired", "approved"])
        self.assertTrue(action.needs_person)
        self.assertIn("Nobody approved", action.state_message)
        self.assertNotIn("Nothing was sent", action.state_message)

    def test_what_amazon_shows_by_then_is_not_approved(self):
        action = self.approved_and_unknown("cut_after")
        self.send_again()
        self.simulator.advance(31 * 86400)
        action.order_id._read_from_amazon()
        with self.assertRaisesRegex(UserError, "It may be"):
            self.deciding(self.approver).action_approve()
        self.assertEqual(action.state, "to_approve")

    def test_what_was_within_the_limits_goes_alone_again_and_is_not_counted_twice(self):
        self.env["amazon.authority"].search(
            [("right", "=", "refund"), ("company_id", "=", self.company.id)]
        ).write({"limit_action": 0, "limit_order": 30, "limit_person_day": 30})
        self.action = self.ask_refund(
            self.create_sale_order(SHIPPED), amounts={SKU: 20}
        )
        self.assertEqual(self.action.state, "queued")
        self.send()
        self.send_again()
        self.assertEqual(self.action.state, "queued")

    def test_limit_that_is_exceeded_by_now_needs_a_second_person(self):
        self.action = self.ask_refund(
            self.create_sale_order(SHIPPED), amounts={SKU: 20}
        )
        self.assertEqual(self.action.state, "queued")
        self.send()
        self.env["amazon.authority"].search(
            [("right", "=", "refund"), ("company_id", "=", self.company.id)]
        ).write({"limit_action": 10})
        self.send_again()
        self.assertEqual(self.action.state, "to_approve")
        self.assertIn("above the limit", self.approval.why)

    def test_who_is_not_covered_by_the_matrix_has_nothing_sent_again(self):
        action = self.approved_and_unknown()
        other = self._create_account(seller_id="A2OTHER", name="Other account")
        self.env["amazon.authority"].search(
            [("right", "=", "refund"), ("company_id", "=", self.company.id)]
        ).write({"account_id": other.id})
        with self.assertRaisesRegex(AccessError, "no row of the matrix"):
            self.send_again()
        self.assertEqual(action.state, "unknown")

    def test_pack_tells_who_approved_what(self):
        self.approved_and_unknown()
        self.send_again()
        self.deciding(self.second_approver).action_refuse("No")
        self.send_again()
        self.deciding(self.second_approver).action_approve()
        facts = self.env["amazon.evidence"].sudo()._facts(self.sale_order, False, False)
        happened = [event.what for event in facts.events if event.request]
        self.assertEqual(
            [what for what in happened if what not in ("sending", "submitted")],
            [
                *("to_approve", "approved", "unknown", "handed"),
                *("asked_again", "not_again", "handed"),
                *("asked_again", "approved"),
            ],
        )
        self.assertEqual(facts.requests[0].approved_by, self.second_approver.name)
