from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.amazon_order_actions.models.conversation.reply_rules import (
    FAILED_STATES,
)
from odoo.addons.amazon_order_actions.tests.conversation.test_reply import (
    BUYER,
    SENDER,
)
from odoo.addons.amazon_order_actions.tests.conversation.test_reply import (
    ReplyCommon as OrderReplyCommon,
)

from ..common import CANCEL_REQUESTED, SHIPPED, UNSHIPPED, AmazonCommon


class ReplyCommon(OrderReplyCommon, AmazonCommon):
    """The same with tickets, which are closed with the reply."""

    def create_ticket(self, ref=False, read=True, **values):
        return super().create_ticket(ref, read, **{"partner_email": BUYER, **values})

    def refund_with_reply(self, document, state="accepted", **values):
        return super().refund_with_reply(
            document, state, **{"close_document": True, **values}
        )


@tagged("post_install", "-at_install")
class TestReplyAfterAction(ReplyCommon):
    """One click to refund, reply and close the ticket."""

    def test_buyer_is_written_to_once_amazon_has_accepted_it(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        self.run_jobs("_job_reply")
        self.assertFalse(self.mails())
        self.assertFalse(ticket.closed)
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")
        self.run_jobs("_job_reply")
        mail = self.mails()
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.state, "outgoing")
        self.assertIn(SENDER, mail.email_from)
        self.assertIn(SENDER, mail.reply_to)
        self.assertIn(SHIPPED, mail.subject)
        text = self.text_of(mail)
        self.assertIn("44,94 €", text)
        self.assertIn("Wasserkessel", text)
        self.assertIn(action.name, text)
        self.assertIn(action.feed_ref, text)
        self.assertIn("angenommen", text)
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertTrue(action.reply_ids.sent_at)
        self.assertTrue(ticket.closed)

    def test_closing_sends_no_other_mail_to_the_buyer(self):
        ticket = self.create_ticket(SHIPPED)
        stages = ticket.team_id._get_applicable_stages()
        self.assertTrue(stages.filtered("closed")[:1].mail_template_id)
        action = self.refund_with_reply(ticket, "submitted")
        self.run_jobs("_job_dispatch")
        tickets = type(self.env["helpdesk.ticket"])
        with patch.object(tickets, "_track_template", return_value={}) as of_stage:
            # tests run without tracking, which sends the mail of a stage
            tracked = action.reply_ids.with_context(
                tracking_disable=False, mail_notrack=False
            )
            tracked._job_reply()
            self.env.cr.precommit.run()
        self.assertTrue(ticket.closed)
        of_stage.assert_not_called()

    def test_crash_after_the_mail_was_handed_over_leaves_neither(self):
        """Mail and state are one transaction."""
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        self.run_jobs("_job_dispatch", "_job_poll")
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        tickets = type(self.env["helpdesk.ticket"])
        crash = patch.object(tickets, "_close_after_reply", side_effect=KeyError)
        with crash, self.assertRaises(KeyError), self.env.cr.savepoint():
            action.reply_ids._job_reply()
        self.env.invalidate_all()
        self.assertFalse(self.mails())
        self.assertEqual(action.reply_ids.state, "waiting")
        action.reply_ids._job_reply()
        self.assertEqual(len(self.mails()), 1)

    def test_cancellation_with_reply(self):
        ticket = self.create_ticket(UNSHIPPED)
        self.ask_cancel(ticket, reply_state="confirmed", close_document=True)
        self.settle()
        self.assertIn("ist bei Amazon storniert", self.text_of(self.mails()))
        self.assertTrue(ticket.closed)

    def test_withdrawn_action_tells_the_buyer_nothing_and_says_so(self):
        self.set_undo("refund", 600)
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        action.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(action.reply_ids.state, "dropped")
        self.assertFalse(self.mails())
        self.assertFalse(ticket.closed)
        self.assertIn("the buyer was told nothing", " ".join(self.notes(ticket)))

    def reply_and_reject(self):
        ticket = self.create_ticket(SHIPPED)
        self.reject_next(SHIPPED)
        action = self.refund_with_reply(ticket, "submitted")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.assertTrue(ticket.closed)
        self.settle()
        self.assertEqual(action.state, "rejected")
        return ticket, action

    def test_rejection_after_a_reply_reopens_the_ticket_with_a_draft(self):
        ticket, action = self.reply_and_reject()
        self.assertFalse(ticket.closed)
        self.assertEqual(action.reply_ids.state, "correcting")
        activity = ticket.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.assertIn("können wir die Erstattung nicht bestätigen", activity.note)
        self.assertEqual(len(self.mails()), 1)

    def test_correction_is_asked_for_also_without_a_text_for_it(self):
        self.templates(situation="refund", stage="correction").unlink()
        ticket, action = self.reply_and_reject()
        self.assertFalse(ticket.closed)
        self.assertEqual(ticket.activity_ids.user_id, self.agent)

    def reply_that_waits_for_approval(self):
        """Return the refund, and the message about it that a second person decides."""
        self.env["amazon.authority"].create(
            {
                "company_id": self.company.id,
                "right": "message",
                "group_id": self.env.ref("amazon_order_actions.group_message").id,
                "mode": "always",
            }
        )
        self.account.messaging_enabled = True
        ticket = self.create_ticket(SHIPPED, partner_email=False)
        action = self.refund_with_reply(ticket)
        self.settle()
        message = action.search([("kind", "=", "message")])
        self.assertEqual(message.state, "to_approve")
        return action, message

    def test_message_that_waits_for_approval_is_not_called_sent(self):
        action, message = self.reply_that_waits_for_approval()
        self.assertEqual(action.reply_ids.state, "waiting")
        self.assertFalse(action._get_origin().closed)
        approver = self._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )
        message.approval_id.with_user(approver).action_approve()
        self.settle()
        self.assertEqual(message.state, "accepted")
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertTrue(action._get_origin().closed)

    def test_refused_message_leaves_the_ticket_open_and_asks_the_agent(self):
        action, message = self.reply_that_waits_for_approval()
        message._update_state("refused", "Call the buyer instead.")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertFalse(action._get_origin().closed)
        self.assertTrue(action._get_origin().activity_ids)

    def test_unknown_outcome_for_a_person_reopens_the_ticket(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket, "submitted")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.assertTrue(ticket.closed)
        action._set_unknown("Nobody knows.")
        self.assertTrue(ticket.closed)
        action._hand_to_person("Look at it.")
        self.assertFalse(ticket.closed)
        self.assertEqual(action.reply_ids.state, "correcting")
        self.assertEqual(self.open_reply(ticket).template_id.stage, "correction")

    def test_way_that_closed_meanwhile_is_said_and_the_ticket_stays_open(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        self.account.approved_sender = False
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertFalse(ticket.closed)
        self.assertIn("no approved sender", " ".join(self.notes(ticket)))
        self.assertEqual(ticket.activity_ids.user_id, self.agent)

    def test_team_without_a_closed_stage_keeps_the_ticket_and_says_so(self):
        closed = self.env["helpdesk.ticket.stage"].search([("closed", "=", True)])
        ticket = self.create_ticket(SHIPPED)
        closed.active = False
        self.refund_with_reply(ticket)
        self.settle()
        self.assertEqual(len(self.mails()), 1)
        self.assertIn("has no stage for closed", " ".join(self.notes(ticket)))


@tagged("post_install", "-at_install")
class TestReplyDialog(ReplyCommon):
    """Writing now to the buyer who wrote the ticket."""

    def test_official_way_is_offered_to_a_buyer_who_wrote_and_not_asked_there(self):
        def offers(ticket):
            situations = self.open_reply(ticket).offered_template_ids
            return "ask_official_cancel" in situations.mapped("situation")

        self.assertTrue(offers(self.create_ticket(UNSHIPPED)))
        self.assertFalse(offers(self.create_ticket(CANCEL_REQUESTED)))
        self.assertFalse(offers(self.create_ticket(SHIPPED)))

    def test_dialog_can_be_opened_for_a_situation(self):
        ticket = self.create_ticket(UNSHIPPED)
        self.set_undo("cancel", 600)
        self.ask_cancel(ticket)
        self.assertEqual(self.open_reply(ticket).template_id.situation, "cancel")
        ticket = ticket.with_context(default_situation="ask_official_cancel")
        action = ticket.with_user(self.agent).action_amazon_reply()
        request = self.env["amazon.reply.request"].browse(action["res_id"])
        self.assertEqual(request.template_id.situation, "ask_official_cancel")

    def test_sent_by_mail_and_closed(self):
        ticket = self.create_ticket(UNSHIPPED)
        request = self.open_reply(ticket)
        self.assertEqual(request.way, "mail")
        self.assertIn(BUYER, request.way_hint)
        self.assertFalse(request.known)
        request.close_document = True
        request.action_send()
        self.assertIn("Stornierung beantragen", self.text_of(self.mails()))
        self.assertTrue(ticket.closed)


@tagged("post_install", "-at_install")
class TestMessageAfterAction(ReplyCommon):
    """What becomes of the ticket where the reply goes through Amazon."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.messaging_enabled = True

    def sent(self):
        return self.simulator.ledger()["messages"]

    def refund_and_message(self):
        ticket = self.create_ticket(SHIPPED, partner_email=False)
        action = self.refund_with_reply(ticket)
        self.settle(6)
        self.assertEqual(action.state, "confirmed")
        return ticket, action

    def test_reply_goes_through_amazon_where_no_mail_can(self):
        ticket, action = self.refund_and_message()
        self.settle()
        self.assertEqual(len(self.sent()), 1)
        self.assertIn("44,94 €", self.sent()[0]["text"])
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertTrue(ticket.closed)
        message = self.last_action()
        self.assertEqual(message.kind, "message")
        self.assertEqual(message.user_id, self.agent)

    def test_reply_that_amazon_refuses_reopens_the_ticket(self):
        self.simulator.fault("forbidden_plain", "createUnexpectedProblem", times=None)
        ticket, action = self.refund_and_message()
        self.settle()
        self.assertIn(self.last_action().state, FAILED_STATES)
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertFalse(ticket.closed)
        self.assertEqual(ticket.activity_ids.user_id, self.agent)
