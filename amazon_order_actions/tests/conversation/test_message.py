import hashlib
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ...models.conversation.reply_rules import FAILED_STATES
from ..common import FBA_SHIPPED, SHIPPED, UNSHIPPED
from .test_reply import ReplyCommon

TEXT = "Der Karton war beschädigt, wir packen neu."


@tagged("post_install", "-at_install")
class TestMessage(ReplyCommon):
    """Messages through Amazon's Messaging API: a call of its own, never sent twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.messaging_enabled = True

    def ask_message(self, document, user=None, **values):
        request = self.open_reply(document, user)
        request.write({"way": "message", "text": TEXT, **values})
        request.action_send()
        return self.last_action()

    def sent(self):
        return self.simulator.ledger()["messages"]

    # === ALLOWED === #

    def test_message_is_sent_once_and_accepted(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_message(sale_order)
        self.assertEqual(action.kind, "message")
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.sent())
        self.settle()
        self.assertEqual(action.state, "accepted")
        self.assertEqual(
            [
                (row["order_id"], row["message_type"], row["text"])
                for row in self.sent()
            ],
            [(SHIPPED, "unexpectedProblem", TEXT)],
        )
        self.assertEqual(
            self.journal(action),
            [(False, "queued"), ("queued", "sending"), ("sending", "accepted")],
        )
        self.assertTrue(action.request_ref)
        self.assertIn("Amazon has taken the message", self.notes(sale_order)[0])

    def test_nothing_but_length_and_digest_is_kept_of_the_text(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        with self.assertLogs("odoo", "DEBUG") as logs:
            self.settle()
        digest = hashlib.sha256(TEXT.encode()).hexdigest()
        self.assertEqual(action.sudo().details, {"length": len(TEXT), "sha256": digest})
        self.assertTrue(action.call_id.digest)
        entries = self.env["amazon.audit.entry"].sudo()
        rows = entries.search([("action_id", "=", action.id)]).read()
        self.assertNotIn(TEXT, str(rows))
        ours = [
            record.getMessage()
            for record in logs.records
            if "amazon_order_actions" in record.name
        ]
        self.assertNotIn(TEXT, "\n".join(ours))

    def test_agent_finds_in_the_document_what_was_written(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_message(sale_order)
        self.settle()
        self.assertIn(TEXT, " ".join(self.notes(sale_order)))

    def test_amazon_is_asked_again_before_the_message_leaves(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_message(sale_order)
        self.simulator.happen(SHIPPED, "message_types", types=["sendInvoice"])
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("does not allow this type", action.state_message)
        self.assertFalse(self.sent())
        self.assertNotIn("text", action.sudo().details)

    def test_dialog_says_what_amazon_allows(self):
        sale_order = self.create_sale_order(SHIPPED, email=False)
        request = self.open_reply(sale_order)
        self.assertEqual(request.way, "message")
        self.assertIn("Unexpected problem", request.way_hint)
        self.assertIn("Arrangement of the delivery", request.way_hint)
        self.assertFalse(request.way_problem)
        request.message_type = "confirmServiceDetails"
        self.assertIn("does not allow this type", request.way_problem)

    def test_dialog_names_another_language_of_the_buyer(self):
        sale_order = self.create_sale_order(SHIPPED, email=False)
        request = self.open_reply(sale_order)
        self.assertNotIn("language", request.way_hint)
        request.reply_lang = "fr"
        self.assertIn("de-DE", request.way_hint)

    def test_fba_buyer_cannot_be_written_to_through_amazon(self):
        sale_order = self.create_sale_order(FBA_SHIPPED, email=False)
        request = self.open_reply(sale_order)
        self.assertIn("does not allow this type", request.way_problem)

    def test_text_that_is_too_long_is_refused_in_words(self):
        with self.assertRaisesRegex(UserError, "801 characters; Amazon takes 800"):
            self.ask_message(
                self.create_sale_order(UNSHIPPED),
                message_type="confirmCustomizationDetails",
                text="x" * 801,
            )

    def test_double_click_is_one_message(self):
        request = self.open_reply(self.create_sale_order(SHIPPED))
        request.write({"way": "message", "text": TEXT})
        request.action_send()
        request.action_send()
        self.settle()
        self.assertEqual(len(self.sent()), 1)

    # === NOT ALLOWED === #

    def test_switched_off_messaging_is_said_in_words(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.account.messaging_enabled = False
        with self.assertRaisesRegex(UserError, "switched off for the account"):
            self.ask_message(sale_order)

    def test_missing_role_is_said_and_nothing_is_sent(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        self.simulator.fault("forbidden", "getMessagingActionsForOrder", times=None)
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("must check the roles", action.state_message)
        self.assertFalse(self.sent())

    def test_agent_without_the_right_is_refused(self):
        sale_order = self.create_sale_order(SHIPPED)
        order = sale_order.amazon_order_id
        with self.assertRaisesRegex(AccessError, "may not write"):
            self.env["amazon.action.kind.message"].with_user(self.trainee)._ask(
                order, "nonce", sale_order, "unexpectedProblem", TEXT
            )

    # === REJECTED, UNKNOWN, UNDONE === #

    def test_rejected_message_is_said_with_amazons_words(self):
        templates = type(self.env["amazon.reply.template"])
        module = "odoo.addons.amazon_order_actions.models.conversation.message"
        # Amazon knows more rules than we do
        with (
            patch.object(templates, "_check_reply"),
            patch(f"{module}.forbidden", return_value=[]),
        ):
            sale_order = self.create_sale_order(SHIPPED)
            action = self.ask_message(sale_order, text="See www.nordlicht.example/a")
            self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertIn("must not contain a link", action.state_message)
        self.assertIn("The buyer did not get it", action.state_message)
        self.assertNotIn("text", action.sudo().details)
        self.assertFalse(self.sent())

    def test_message_without_an_answer_goes_to_a_person_and_is_not_sent_again(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_after", "createUnexpectedProblem")
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.settle()
        self.assertEqual(len(self.sent()), 1)
        self.assertEqual(action.sudo().details["text"], TEXT)
        action.with_user(self.agent)._decide_executed("Seen in Seller Central.")
        self.assertEqual(action.state, "assisted")
        self.assertNotIn("text", action.sudo().details)

    def test_interrupted_sending_is_unknown_and_not_repeated(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        action._set_sending()
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertFalse(self.sent())

    def test_throttled_message_is_sent_later_once(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        self.simulator.fault("throttle", "createUnexpectedProblem")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        action.due_at = False
        self.env["amazon.quota"].search([]).unlink()
        self.settle()
        self.assertEqual(action.state, "accepted")
        self.assertEqual(len(self.sent()), 1)

    def test_unreachable_amazon_is_asked_again_later(self):
        action = self.ask_message(self.create_sale_order(SHIPPED))
        self.simulator.fault("html_503", "getMessagingActionsForOrder", times=3)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.sent())
        self.settle()
        self.assertEqual(action.state, "accepted")
        self.assertEqual(len(self.sent()), 1)

    def test_queued_message_can_be_withdrawn(self):
        self.set_undo("message", 600)
        action = self.ask_message(self.create_sale_order(SHIPPED))
        action.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(action.state, "withdrawn")
        self.assertFalse(self.sent())
        self.assertNotIn("text", action.sudo().details)

    def test_orders_with_sent_messages_are_not_read_for_ever(self):
        self.ask_message(self.create_sale_order(SHIPPED))
        self.settle()
        self.env["amazon.order"].search([]).complete_at = "2026-01-01 00:00:00"
        self.env["amazon.range.reading"]._read_leftovers(self.account)
        self.assertFalse(self.pending_jobs("_job_read"))

    # === AFTER AN ACTION === #

    def refund_and_message(self):
        sale_order = self.create_sale_order(SHIPPED, email=False)
        action = self.refund_with_reply(sale_order)
        self.settle(6)
        self.assertEqual(action.state, "confirmed")
        return sale_order, action

    def test_reply_goes_through_amazon_where_no_mail_can(self):
        sale_order, action = self.refund_and_message()
        self.settle()
        self.assertEqual(len(self.sent()), 1)
        self.assertIn("44,94 €", self.sent()[0]["text"])
        self.assertEqual(action.reply_ids.state, "sent")
        message = self.last_action()
        self.assertEqual(message.kind, "message")
        self.assertEqual(message.user_id, self.agent)

    def test_reply_that_amazon_refuses_asks_the_agent(self):
        self.simulator.fault("forbidden_plain", "createUnexpectedProblem", times=None)
        sale_order, action = self.refund_and_message()
        self.settle()
        self.assertIn(self.last_action().state, FAILED_STATES)
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)

    # === CONNECTION === #

    def test_connection_test_tells_of_messaging_where_it_is_switched_on(self):
        def state():
            self.account.with_user(self.admin).action_test_connection()
            rows = {row.capability: row for row in self.account.capability_ids}
            return rows.get("messaging")

        self.assertEqual(state().state, "works")
        self.simulator.fault("forbidden", "getMessagingActionsForOrder", times=None)
        self.assertEqual(state().state, "refused")
        self.account.messaging_enabled = False
        self.assertIsNone(state())
