from contextlib import contextmanager
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...models.conversation.reply_content import forbidden
from ...models.conversation.reply_rules import (
    LANGUAGES,
    SITUATIONS,
    STAGES,
    known_placeholders,
)
from ..common import (
    FBA_SHIPPED,
    MCF,
    NOWHERE,
    PARTIALLY_SHIPPED,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

SENDER = "amazon@nordlicht.example"
BUYER = "8x2k1f0q9v3m7tz@marketplace.amazon.de"


class ReplyCommon(AmazonOrderCommon):
    """A shop that may write to buyers by mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write({"approved_sender": SENDER, "shop_name": "Nordlicht Wohnen"})
        # no server replaces the sender
        cls.env["ir.mail_server"].search([]).active = False

    def create_sale_order(self, ref=False, read=True, email=BUYER, **values):
        """Create one whose contact has the address of the buyer at Amazon.

        :param email: another address, or False for none
        """
        if "partner_id" not in values:
            buyer = self.env["res.partner"].create({"name": "A buyer", "email": email})
            values["partner_id"] = buyer.id
        return super().create_sale_order(ref, read, **values)

    def open_reply(self, document, user=None):
        return self.open_request(document, "reply", user)

    def write_reply(self, document, user=None):
        """Open the dialog and write something that Amazon allows."""
        request = self.open_reply(document, user)
        ref = request.amazon_order_ref
        request.write({"subject": f"Re {ref}", "text": f"Hallo {ref}"})
        return request

    def refund_with_reply(self, document, state="accepted", **values):
        return self.ask_refund(document, reply_state=state, **values)

    def mails(self):
        """Return the mails to buyers that wait in Odoo's queue."""
        return self.env["mail.mail"].search([("email_to", "=", BUYER)], order="id")

    def text_of(self, mail):
        return html2plaintext(mail.body_html)

    def templates(self, **values):
        domain = [(name, "=", value) for name, value in values.items()]
        return self.env["amazon.reply.template"].search(domain)

    def reject_next(self, ref):
        self.simulator.fault(
            "report_error", order_id=ref, code="18028", text="It is invalid."
        )


@tagged("post_install", "-at_install")
class TestReplyTemplate(ReplyCommon):
    """What buyers are told: nothing but what is known."""

    def values(self):
        names = set().union(
            *(
                known_placeholders(situation, stage)
                for situation, _label in SITUATIONS
                for stage, _other in STAGES
            )
        )
        return {name: f"<{name}>".replace("<", "(").replace(">", ")") for name in names}

    def test_each_situation_has_a_text_in_every_language_at_every_stage(self):
        for situation, _label in SITUATIONS:
            official = situation == "ask_official_cancel"
            stages = {name for name, _label in STAGES if (name == "none") == official}
            for stage in stages:
                found = self.templates(situation=situation, stage=stage)
                self.assertEqual(
                    set(found.mapped("lang")), {lang for lang, _name in LANGUAGES}
                )

    def test_each_text_renders_whole_and_is_allowed_by_amazon(self):
        for template in self.templates():
            with self.subTest(template=template.display_name):
                subject, text = template._render(self.values())
                self.assertIn("(order)", subject)
                self.assertIn("(order)", text)
                self.assertIn("(shop)", text)
                self.assertFalse(forbidden(f"{subject}\n{text}"))
                self.assertLess(len(text), 1000)

    def test_each_text_is_allowed_by_the_simulator_of_amazon_too(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.account.messaging_enabled = True
        text = self.templates(situation="refund", stage="confirmed", lang="fr")
        action = (
            self.env["amazon.action.kind.message"]
            .with_user(self.agent)
            .with_context(allowed_company_ids=self.company.ids)
            ._ask(
                sale_order.amazon_order_id,
                "nonce",
                sale_order,
                "unexpectedProblem",
                text._render(self.values())[1],
            )
        )
        self.settle()
        self.assertEqual(action.state, "accepted")

    def test_placeholder_that_is_not_known_yet_is_refused_in_words(self):
        forbidden_names = [
            ("refund", "submitted", "confirmation"),
            ("refund", "accepted", "refund_id"),
            ("refund", "correction", "feed"),
            ("cancel", "confirmed", "amount"),
            ("cancel", "confirmed", "refund_id"),
            ("ask_official_cancel", "none", "items"),
            ("refund", "confirmed", "env"),
            ("refund", "confirmed", "object.env.cr"),
        ]
        for situation, stage, name in forbidden_names:
            template = self.templates(situation=situation, stage=stage, lang="en")
            with (
                self.subTest(situation=situation, stage=stage, name=name),
                self.assertRaisesRegex(ValidationError, "is not known when"),
                self.env.cr.savepoint(),
            ):
                own = template.with_user(self.admin).copy()
                own.body += f"\n${{{name}}}"

    def test_template_with_a_link_is_refused_in_words(self):
        template = self.templates(situation="refund", stage="asked", lang="de")
        with self.assertRaisesRegex(ValidationError, "link"):
            template.body = "Siehe www.nordlicht.example"

    def test_administrators_edit_texts_and_agents_read_them(self):
        template = self.templates(situation="refund", stage="asked", lang="de")
        own = template.with_user(self.admin).copy()
        own.body = "Wir erstatten ${amount} zu ${order}."
        self.assertTrue(own.with_user(self.agent).body)
        with self.assertRaises(AccessError):
            own.with_user(self.agent).body = "x"

    def test_line_with_a_number_that_amazon_has_not_told_is_left_out(self):
        template = self.templates(situation="refund", stage="confirmed", lang="en")
        text = template._render({**self.values(), "refund_id": ""})[1]
        self.assertNotIn("refund number", text)
        self.assertIn("(feed)", text)

    def test_missing_amount_is_left_to_be_seen_and_not_sent(self):
        template = self.templates(situation="refund", stage="asked", lang="en")
        text = template._render({**self.values(), "amount": ""})[1]
        self.assertEqual(list(forbidden(text)), ["placeholder"])

    def test_value_is_not_taken_for_a_placeholder(self):
        template = self.templates(situation="refund", stage="asked", lang="en")
        text = template._render({**self.values(), "items": "${order}"})[1]
        self.assertIn("(${order})", text)


@tagged("post_install", "-at_install")
class TestReplyAfterAction(ReplyCommon):
    """One click to refund and to reply."""

    def test_buyer_is_written_to_once_amazon_has_accepted_it(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        self.run_jobs("_job_reply")
        self.assertFalse(self.mails())
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

    def test_confirmed_reply_names_amazons_refund(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order, "confirmed", reply_lang="en")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        refund = self.env["amazon.order.refund"].search([("action_id", "=", action.id)])
        self.assertIn(refund[0].adjustment_ref, self.text_of(self.mails()))
        self.assertIn("has issued", self.text_of(self.mails()))

    def test_mail_is_these_words_alone_and_goes_to_the_buyer_alone(self):
        sale_order = self.create_sale_order(SHIPPED)
        follower = self.env["res.partner"].create({"name": "F", "email": "f@x.example"})
        sale_order.message_subscribe(follower.ids)
        before = self.env["mail.mail"].search([])
        self.refund_with_reply(sale_order)
        self.settle()
        mails = self.env["mail.mail"].search([]) - before
        self.assertEqual(mails, self.mails())
        self.assertFalse(mails.recipient_ids)
        self.assertNotIn("href", mails.body_html)
        self.assertNotIn("<img", mails.body_html)

    def test_mail_is_seen_in_the_document_with_its_author(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.refund_with_reply(sale_order)
        self.settle()
        message = self.mails().mail_message_id
        self.assertIn(message, sale_order.message_ids)
        self.assertEqual(message.author_id, self.agent.partner_id)
        self.assertEqual(message.notification_ids.mail_email_address, BUYER)

    def test_reply_is_handed_over_once_however_often_the_job_runs(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.settle()
        for _again in range(3):
            action.reply_ids._job_reply()
            self.env["amazon.action.follower.reply"]._follow(action)
            self.settle()
        self.assertEqual(len(self.mails()), 1)

    def test_double_click_asks_for_one_reply(self):
        sale_order = self.create_sale_order(SHIPPED)
        request = self.open_request(sale_order, "refund")
        request.write({"reason": "CustomerReturn", "reply_state": "submitted"})
        request.action_refund()
        request.action_refund()
        self.settle()
        self.assertEqual(len(self.mails()), 1)

    def test_crash_after_the_mail_was_handed_over_leaves_neither(self):
        """Mail and state are one transaction."""
        action = self.refund_with_reply(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch", "_job_poll")
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        replies = type(self.env["amazon.reply"])
        crash = patch.object(replies, "_set_sent", side_effect=KeyError)
        with crash, self.assertRaises(KeyError), self.env.cr.savepoint():
            action.reply_ids._job_reply()
        self.env.invalidate_all()
        self.assertFalse(self.mails())
        self.assertEqual(action.reply_ids.state, "waiting")
        action.reply_ids._job_reply()
        self.assertEqual(len(self.mails()), 1)

    def test_answer_of_amazon_that_got_lost_leads_to_one_reply(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.simulator.fault("cut_after", "createFeed")
        action = self.refund_with_reply(sale_order, "submitted")
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.run_jobs("_job_reply")
        self.assertFalse(self.mails())
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.mails()), 1)

    def test_assisted_refund_is_told_as_passed_on(self):
        sale_order = self.create_sale_order(FBA_SHIPPED)
        action = self.refund_with_reply(
            sale_order, "submitted", note="Done in Seller Central.", reply_lang="en"
        )
        self.assertEqual(action.state, "assisted")
        self.run_jobs("_job_reply")
        self.assertIn("We have passed on to Amazon", self.text_of(self.mails()))

    def test_cancellation_with_reply(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_cancel(sale_order, reply_state="confirmed")
        self.settle()
        self.assertIn("ist bei Amazon storniert", self.text_of(self.mails()))

    def test_withdrawn_action_tells_the_buyer_nothing_and_says_so(self):
        self.set_undo("refund", 600)
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        action.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(action.reply_ids.state, "dropped")
        self.assertFalse(self.mails())
        self.assertIn("the buyer was told nothing", " ".join(self.notes(sale_order)))

    def test_panel_says_what_becomes_of_the_reply(self):
        def shown(sale_order):
            self.env.invalidate_all()
            panel = sale_order.with_user(self.agent).amazon_order_panel
            return panel["order"]["actions"][0]["reply"]

        sale_order = self.create_sale_order(SHIPPED)
        self.refund_with_reply(sale_order)
        self.assertIn("as soon as Amazon has accepted it", shown(sale_order))
        self.settle()
        self.assertEqual(shown(sale_order), "The buyer was written to.")
        other = self.create_sale_order(UNSHIPPED)
        self.ask_cancel(other)
        self.assertFalse(shown(other))

    def test_rejection_before_a_reply_tells_the_buyer_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.reject_next(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertEqual(action.reply_ids.state, "dropped")
        self.assertFalse(self.mails())
        self.assertFalse(sale_order.activity_ids)

    # === CORRECTIONS === #

    def reply_and_reject(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.reject_next(SHIPPED)
        action = self.refund_with_reply(sale_order, "submitted")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.settle()
        self.assertEqual(action.state, "rejected")
        return sale_order, action

    def test_rejection_after_a_reply_asks_for_a_correction_with_a_draft(self):
        sale_order, action = self.reply_and_reject()
        self.assertEqual(action.reply_ids.state, "correcting")
        activity = sale_order.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.assertIn("können wir die Erstattung nicht bestätigen", activity.note)
        self.assertEqual(len(self.mails()), 1)

    def test_correction_is_in_the_dialog_and_sent_by_a_person_alone(self):
        sale_order, action = self.reply_and_reject()
        request = self.open_reply(sale_order)
        self.assertEqual(request.template_id.stage, "correction")
        self.assertEqual(request.template_id.lang, "de")
        self.assertIn("44,94 €", request.text)
        request.action_send()
        self.assertEqual(len(self.mails()), 2)
        self.assertIn("müssen wir das berichtigen", self.text_of(self.mails()[1]))
        self.assertFalse(sale_order.activity_ids)
        self.assertEqual(action.reply_ids.state, "corrected")
        self.assertNotEqual(self.open_reply(sale_order).template_id.stage, "correction")

    def test_correction_of_one_action_leaves_that_of_another_to_be_sent(self):
        sale_order = self.create_sale_order(PARTIALLY_SHIPPED)
        item = self.open_request(sale_order, "cancel").line_ids[:1].sku
        reply = {"reply_state": "submitted"}
        refund = self.ask_refund(sale_order, **reply)
        cancellation = self.ask_cancel_items(sale_order, {item: 1}, **reply)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        both = refund | cancellation
        self.assertEqual(both.reply_ids.mapped("state"), ["sent", "sent"])
        both._set_rejected("18028", "It is invalid.")
        self.assertEqual(both.reply_ids.mapped("state"), ["correcting", "correcting"])
        request = self.open_reply(sale_order)
        first = both.filtered(
            lambda action: action.kind == request.template_id.situation
        )
        request.action_send()
        self.assertEqual(first.reply_ids.state, "corrected")
        self.assertEqual((both - first).reply_ids.state, "correcting")
        self.assertTrue(sale_order.activity_ids)
        request = self.open_reply(sale_order)
        request.template_id = request.offered_template_ids.filtered(
            lambda template: template.stage == "correction"
        )
        request.action_send()
        self.assertEqual((both - first).reply_ids.state, "corrected")
        self.assertFalse(sale_order.activity_ids)

    def test_late_good_news_make_the_correction_needless(self):
        sale_order, action = self.reply_and_reject()
        action._set_accepted()
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertFalse(sale_order.activity_ids)

    def test_good_news_of_one_action_leave_what_is_to_do_about_another(self):
        sale_order, action = self.reply_and_reject()
        other = self.refund_with_reply(sale_order, "submitted")
        self.reject_next(SHIPPED)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.settle()
        self.assertEqual(other.reply_ids.state, "correcting")
        self.assertEqual(len(sale_order.activity_ids), 2)
        action._set_accepted()
        self.assertIn(other.name, sale_order.activity_ids.note)

    def test_correction_is_asked_for_also_without_a_text_for_it(self):
        self.templates(situation="refund", stage="correction").unlink()
        sale_order, action = self.reply_and_reject()
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)

    def test_right_that_was_taken_away_meanwhile_is_respected(self):
        sale_order = self.create_sale_order(SHIPPED, email=False)
        self.account.messaging_enabled = True
        action = self.refund_with_reply(sale_order)
        self.agent.group_ids = [
            Command.unlink(self.env.ref("amazon_order_actions.group_message").id)
        ]
        self.settle()
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertIn("may not write", " ".join(self.notes(sale_order)))
        self.assertFalse(self.simulator.ledger()["messages"])

    def test_message_that_went_out_after_all_is_not_asked_for_again(self):
        sale_order = self.create_sale_order(SHIPPED, email=False)
        self.account.messaging_enabled = True
        action = self.refund_with_reply(sale_order)
        self.simulator.fault("cut_after", "createUnexpectedProblem")
        self.settle()
        message = action.search([("kind", "=", "message")])
        self.assertEqual(message.state, "unknown")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertTrue(sale_order.activity_ids)
        message.with_user(self.agent)._decide_executed("Seen in Seller Central.")
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertFalse(sale_order.activity_ids)

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
        sale_order = self.create_sale_order(SHIPPED, email=False)
        action = self.refund_with_reply(sale_order)
        self.settle()
        message = action.search([("kind", "=", "message")])
        self.assertEqual(message.state, "to_approve")
        return action, message

    def test_message_that_waits_for_approval_is_not_called_sent(self):
        action, message = self.reply_that_waits_for_approval()
        self.assertEqual(action.reply_ids.state, "waiting")
        approver = self._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )
        message.approval_id.with_user(approver).action_approve()
        self.settle()
        self.assertEqual(message.state, "accepted")
        self.assertEqual(action.reply_ids.state, "sent")

    def test_refused_message_asks_the_agent(self):
        action, message = self.reply_that_waits_for_approval()
        message._update_state("refused", "Call the buyer instead.")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertTrue(action._get_origin().activity_ids)

    def test_message_that_waits_is_taken_back_when_it_does_not_hold_any_more(self):
        action, message = self.reply_that_waits_for_approval()
        action.state = "submitted"
        action._set_rejected("18028", "It is invalid.")
        self.assertEqual(message.state, "withdrawn")
        self.assertEqual(action.reply_ids.state, "dropped")

    def test_unknown_outcome_for_a_person_asks_for_a_correction(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order, "submitted")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        action._set_unknown("Nobody knows.")
        action._hand_to_person("Look at it.")
        self.assertEqual(action.reply_ids.state, "correcting")
        self.assertEqual(self.open_reply(sale_order).template_id.stage, "correction")

    def test_reply_and_correction_of_what_a_sale_order_asked_for_are_on_it(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.reject_next(SHIPPED)
        action = self.refund_with_reply(sale_order, "submitted", close_document=True)
        self.assertFalse(action.reply_ids.close_document)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_reply")
        self.assertIn(self.mails().mail_message_id, sale_order.message_ids)
        self.settle()
        self.assertEqual(action.reply_ids.state, "correcting")
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)
        self.assertEqual(self.open_reply(sale_order).template_id.stage, "correction")

    def test_job_waits_while_somebody_else_changes_the_action(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order, "submitted")
        self.run_jobs("_job_dispatch")
        actions = type(action)
        none = action.browse()
        locked = patch.object(actions, "try_lock_for_update", return_value=none)
        with locked, self.assertRaises(RetryableJobError):
            action.reply_ids._job_reply()
        self.assertFalse(self.mails())

    # === WHERE IT CANNOT GO === #

    def test_reply_without_any_way_is_refused_before_money_is_asked_for(self):
        sale_order = self.create_sale_order(SHIPPED, email="jonas@mail.example")
        with self.assertRaisesRegex(UserError, "no address of a buyer at Amazon"):
            self.refund_with_reply(sale_order)
        self.assertFalse(self.env["amazon.action"].search([]))

    def test_way_that_closed_meanwhile_is_said_and_the_agent_is_asked(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.account.approved_sender = False
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertIn("no approved sender", " ".join(self.notes(sale_order)))
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)

    def test_right_to_refund_is_no_right_to_write_to_buyers(self):
        self.agent.group_ids = [
            Command.unlink(self.env.ref("amazon_order_actions.group_message").id)
        ]
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaisesRegex(AccessError, "may not write to Amazon's buyers"):
            self.refund_with_reply(sale_order)
        self.ask_refund(sale_order)

    def test_reply_is_taken_with_news_and_not_looked_up_with_the_click(self):
        """Whoever moves the action waits for a job that is sending the reply."""
        sale_order = self.create_sale_order(SHIPPED)
        with self.queries() as asked:
            action = self.ask_refund(sale_order)
            action._set_sending()
        self.assertFalse([query for query in asked if "amazon_reply" in query])
        with self.queries() as asked:
            action._set_submitted()
        taken = [query for query in asked if "FOR NO KEY UPDATE" in query]
        self.assertEqual(len([query for query in taken if "amazon_reply" in query]), 1)

    def test_action_has_one_reply_at_most(self):
        action = self.refund_with_reply(self.create_sale_order(SHIPPED))
        reply = {"awaited_state": "submitted", "lang": "en"}
        self.env["amazon.reply"]._ask_for(action, reply)
        self.assertEqual(action.reply_ids.awaited_state, "accepted")
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            self.env["amazon.reply"].create({**reply, "action_id": action.id})

    @contextmanager
    def queries(self):
        """Collect what PostgreSQL is asked."""
        asked, execute = [], Cursor.execute

        def collect(cr, query, *args, **kwargs):
            asked.append(str(getattr(query, "code", query)))
            return execute(cr, query, *args, **kwargs)

        self.env.flush_all()
        with patch.object(Cursor, "execute", collect):
            yield asked

    def test_failure_of_the_reply_does_not_undo_the_news(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        replies = type(self.env["amazon.reply"])
        crash = patch.object(replies, "_enqueue", side_effect=KeyError("x"))
        with crash, self.assertLogs("odoo.addons.amazon_order_actions", "ERROR"):
            self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertIn("could not be taken care of", " ".join(self.notes(sale_order)))


@tagged("post_install", "-at_install")
class TestReplyDialog(ReplyCommon):
    """Writing to the buyer now."""

    def test_language_is_that_of_the_marketplace(self):
        for ref, lang in (
            (SHIPPED, "de"),
            ("402-3378105-8841269", "fr"),
            ("202-1735509-6648827", "en"),
            ("408-2294871-5503946", "es"),
        ):
            with self.subTest(lang=lang):
                request = self.open_reply(self.create_sale_order(ref))
                self.assertEqual(request.reply_lang, lang)

    def test_order_that_was_never_read_takes_the_language_of_the_address(self):
        sale_order = self.create_sale_order(
            NOWHERE, email="abc@marketplace.amazon.fr", read=False
        )
        request = self.open_reply(sale_order)
        self.assertEqual(request.reply_lang, "fr")
        self.assertFalse(request.template_id)
        self.assertFalse(request.blockers)
        request.write({"subject": f"Re {NOWHERE}", "text": "Bonjour."})
        request.action_send()
        self.assertEqual(
            self.env["mail.mail"].search([], order="id desc", limit=1).email_to,
            "abc@marketplace.amazon.fr",
        )

    def test_text_fits_the_newest_action_and_its_state(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        self.assertEqual(self.open_reply(sale_order).template_id.stage, "asked")
        self.run_jobs("_job_dispatch")
        request = self.open_reply(sale_order)
        self.assertIn("has not processed it yet", request.known)
        self.assertEqual(request.template_id.stage, "submitted")
        self.assertNotIn("accepted", request.offered_template_ids.mapped("stage"))
        self.settle()
        request = self.open_reply(sale_order)
        self.assertEqual(request.template_id.stage, "confirmed")
        self.assertIn("ausgeführt", request.text)

    def test_rejected_action_without_a_reply_offers_no_text(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.reject_next(SHIPPED)
        self.ask_refund(sale_order)
        self.settle()
        self.assertFalse(self.open_reply(sale_order).offered_template_ids)

    def test_other_language_keeps_the_situation(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        request = self.open_reply(sale_order)
        request.reply_lang = "es"
        self.assertEqual(request.template_id.stage, "asked")
        self.assertIn("Estamos preparando", request.text)

    def test_sent_by_mail(self):
        request = self.write_reply(self.create_sale_order(UNSHIPPED))
        self.assertEqual(request.way, "mail")
        self.assertIn(BUYER, request.way_hint)
        self.assertFalse(request.known)
        request.action_send()
        self.assertIn(f"Hallo {UNSHIPPED}", self.text_of(self.mails()))

    def test_double_click_sends_once(self):
        request = self.write_reply(self.create_sale_order(UNSHIPPED))
        request.action_send()
        request.action_send()
        self.assertEqual(len(self.mails()), 1)

    def test_sale_order_of_the_buyer_can_be_written_from(self):
        sale_order = self.create_sale_order(UNSHIPPED, email=False)
        self.assertTrue(self.open_reply(sale_order).blockers)
        sale_order.partner_id.email = BUYER
        request = self.open_reply(sale_order)
        request.write({"subject": UNSHIPPED, "text": "Hallo"})
        request.action_send()
        self.assertIn(self.mails().mail_message_id, sale_order.message_ids)

    # === RULES === #

    def test_text_that_amazon_does_not_allow_is_refused_in_words(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        for text, sentence in (
            ("See https://nordlicht.example", "link"),
            ("See www.nordlicht.example", "link"),
            ("Visit nordlicht.shop", "link"),
            ("Write to info@nordlicht.example", "e-mail address"),
            ("Call +49 30 1234567", "telephone number"),
            ("<b>Hello</b>", "HTML"),
            ("We refund ${amount}", "placeholder"),
            (" ", "empty"),
        ):
            request = self.write_reply(sale_order)
            request.text = text
            with self.subTest(text=text), self.assertRaisesRegex(UserError, sentence):
                request.action_send()
        self.assertFalse(self.mails())

    def test_numbers_of_order_and_feed_are_no_telephone_numbers(self):
        self.assertFalse(forbidden(f"{SHIPPED} 50000012345 0,00 EUR AMZ/00012-3"))

    def test_mail_without_the_number_of_the_order_is_refused_in_words(self):
        request = self.open_reply(self.create_sale_order(UNSHIPPED))
        request.write({"subject": "Hello", "text": "Hello"})
        with self.assertRaisesRegex(UserError, UNSHIPPED):
            request.action_send()

    # === SENDER === #

    def test_account_without_approved_sender_is_said(self):
        self.account.approved_sender = False
        request = self.open_reply(self.create_sale_order(UNSHIPPED))
        self.assertIn("no approved sender", request.blockers)

    def test_server_that_would_replace_the_sender_is_said(self):
        domain = self.env["mail.alias.domain"].create({"name": "shop.example"})
        self.company.alias_domain_id = domain
        self.env["ir.mail_server"].create(
            {
                "name": "S",
                "smtp_host": "127.0.0.1",
                "smtp_port": 9,
                "from_filter": "shop.example",
            }
        )
        sale_order = self.create_sale_order(UNSHIPPED)
        request = self.open_reply(sale_order)
        self.assertIn(f"approved sender {SENDER}", request.blockers)
        self.assertIn(domain.default_from_email, request.blockers)
        request.write(
            {"way": "mail", "subject": UNSHIPPED, "text": f"Hallo {UNSHIPPED}"}
        )
        with self.assertRaisesRegex(UserError, "approved sender"):
            request.action_send()
        self.assertFalse(self.mails())
        self.account.approved_sender = domain.default_from_email
        self.assertFalse(self.open_reply(sale_order).blockers)

    def test_approved_sender_must_be_an_address(self):
        with self.assertRaisesRegex(ValidationError, "not a mail address"):
            self.account.approved_sender = "Nordlicht"

    # === RIGHTS === #

    def test_agent_without_the_right_gets_no_dialog(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with self.assertRaisesRegex(AccessError, "may not write"):
            self.open_reply(sale_order, self.trainee)
        request = self.write_reply(sale_order)
        with self.assertRaises(AccessError):
            request.with_user(self.trainee).action_send()

    def test_dialog_of_another_person_is_refused(self):
        request = self.write_reply(self.create_sale_order(UNSHIPPED))
        other = self._create_user(
            "amazon_other",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_message",
        )
        with self.assertRaises(AccessError):
            request.with_user(other).action_send()

    def test_sale_order_of_another_company_is_refused(self):
        company = self._create_company(name="Another")
        sale_order = self.create_sale_order(UNSHIPPED)
        outsider = self.env["res.users"].create(
            {
                "name": "Outsider",
                "login": "amazon_outsider",
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [
                    Command.set(
                        [
                            self.env.ref("sales_team.group_sale_salesman_all_leads").id,
                            self.env.ref("amazon_order_actions.group_message").id,
                        ]
                    )
                ],
            }
        )
        with self.assertRaises(AccessError):
            self.open_reply(sale_order, outsider)
        with self.assertRaises(AccessError):
            self.env["amazon.reply.request"].with_user(outsider).create(
                {
                    "order_id": sale_order.amazon_order_id.id,
                    "origin_model": sale_order._name,
                    "origin_id": sale_order.id,
                }
            )

    def test_text_about_an_order_of_another_company_is_not_shown_by_onchange(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        order = sale_order.amazon_order_id
        company = self._create_company(name="Another")
        self.agent.write(
            {
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
            }
        )
        requests = (
            self.env["amazon.reply.request"]
            .with_user(self.agent)
            .with_context(allowed_company_ids=company.ids)
        )
        for name in ("known", "text", "subject", "way_hint"):
            with self.subTest(name=name), self.assertRaises(AccessError):
                requests.onchange({"order_id": order.id}, ["order_id"], {name: {}})

    # === CHANNELS OF THE ORDER === #

    def test_mcf_order_has_no_buyer_at_amazon(self):
        request = self.open_reply(self.create_sale_order(MCF))
        self.assertIn("bought elsewhere", request.blockers)

    def test_fba_buyer_can_be_answered(self):
        request = self.open_reply(self.create_sale_order(FBA_SHIPPED))
        self.assertFalse(request.blockers)

    # === WHAT IS KEPT === #

    def test_journal_has_the_digest_and_not_the_text(self):
        request = self.write_reply(self.create_sale_order(UNSHIPPED))
        secret = f"Sehr geehrter Herr Brandt {UNSHIPPED}"
        request.text = secret
        with self.assertNoLogs("odoo.addons.amazon_order_actions", "WARNING"):
            request.action_send()
        entry = self.env["amazon.audit.entry"].sudo().search([], limit=1)
        self.assertEqual(entry.event, "replied")
        self.assertEqual(entry.user_id, self.agent)
        self.assertTrue(entry.payload_digest)
        self.assertNotIn("Brandt", str(entry.read()))
        self.assertNotIn(BUYER, str(entry.read()))

    def test_rules_hold_for_the_subject_too(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        for subject, sentence in (
            (f"{UNSHIPPED} at EVIL.COM", "link"),
            (f"{UNSHIPPED} info@nordlicht.example", "e-mail address"),
            (f"{UNSHIPPED} WhatsApp +49 151 23456789", "telephone number"),
            (f"{UNSHIPPED} a\u200bb", "cannot be seen"),
            (f"{UNSHIPPED}\nBcc: a", "a single line"),
            (f"{UNSHIPPED}\n", "a single line"),
        ):
            request = self.write_reply(sale_order)
            request.subject = subject
            with self.subTest(subject), self.assertRaisesRegex(UserError, sentence):
                request.action_send()
        self.assertFalse(self.mails())

    def test_rules_hold_for_values_and_what_was_found_is_shown(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order, "submitted", reply_lang="en")
        self.run_jobs("_job_dispatch")
        sale_order.amazon_order_id.sudo().line_ids[0].title = "Kettle of evil.io"
        self.run_jobs("_job_reply")
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertIn("link in the text: evil.io", " ".join(self.notes(sale_order)))
        self.assertFalse(self.mails())

    def test_rules_hold_for_the_name_of_the_shop(self):
        self.account.shop_name = "nordlicht.shop"
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        request = self.open_reply(sale_order)
        with self.assertRaisesRegex(UserError, "link in the text: nordlicht.shop"):
            request.action_send()

    def test_what_cannot_be_seen_in_a_title_keeps_no_reply_back(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.refund_with_reply(sale_order, "submitted", reply_lang="en")
        self.run_jobs("_job_dispatch")
        sale_order.amazon_order_id.sudo().line_ids[0].title = "Ket\u00adtle\u200c"
        self.run_jobs("_job_reply")
        self.assertIn("Kettle", self.text_of(self.mails()))
