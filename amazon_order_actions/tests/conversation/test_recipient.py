import hashlib
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..common import SHIPPED, UNSHIPPED
from .test_reply import BUYER, ReplyCommon

# A buyer of another order, who knows the number of this one.
STRANGER = "q7w3e9r1t5z2u8i@marketplace.amazon.de"


class RecipientCommon(ReplyCommon):
    def change_as_trainee(self, record, **values):
        """Write as a colleague who may write contacts, and has no right of Amazon's."""
        self.trainee.group_ids = [
            Command.link(self.env.ref("base.group_partner_manager").id)
        ]
        record.with_user(self.trainee).with_context(
            allowed_company_ids=self.company.ids
        ).write(values)

    def all_mails(self):
        """Return the mails of replies, to whomever."""
        return self.env["mail.mail"].search(
            [("email_to", "in", (BUYER, STRANGER))], order="id"
        )

    def stranger_order(self, ref=SHIPPED, **values):
        return self.create_sale_order(ref, **{"email": STRANGER, **values})

    def last_entry(self):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search([("event", "=", "replied")], limit=1)


@tagged("post_install", "-at_install")
class TestFixedRecipient(RecipientCommon):
    """The recipient is fixed with the click."""

    def test_address_written_after_the_click_gets_nothing_and_a_person_decides(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.change_as_trainee(sale_order.partner_id, email=STRANGER)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertIn("has changed since this reply", " ".join(self.notes(sale_order)))
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)
        self.assertNotIn(STRANGER, " ".join(self.notes(sale_order)))

    def test_address_of_a_contact_stops_the_replies_of_all_its_orders(self):
        buyer = self.env["res.partner"].create({"name": "B", "email": BUYER})
        refunded = self.create_sale_order(SHIPPED, partner_id=buyer.id)
        cancelled = self.create_sale_order(UNSHIPPED, partner_id=buyer.id)
        refund = self.refund_with_reply(refunded)
        self.ask_cancel(cancelled, reply_state="confirmed")
        buyer.email = STRANGER
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(refund.reply_ids.state, "failed")
        self.assertEqual(self.last_action().reply_ids.state, "failed")

    def test_same_address_written_another_way_is_the_same(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.refund_with_reply(sale_order)
        sale_order.partner_id.email = f"Jonas <{BUYER.upper()}>"
        self.settle()
        self.assertEqual(len(self.mails()), 1)

    def test_sale_order_moved_to_another_order_stops_the_reply(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.refund_with_reply(sale_order)
        self.run_jobs("_job_dispatch")
        sale_order.amazon_order_ref = UNSHIPPED
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")

    def test_address_that_was_not_there_at_the_click_gets_nothing(self):
        self.account.messaging_enabled = True
        sale_order = self.create_sale_order(SHIPPED, email=False)
        action = self.refund_with_reply(sale_order)
        self.change_as_trainee(sale_order.partner_id, email=STRANGER)
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")

    def test_several_addresses_in_one_field_get_nothing(self):
        sale_order = self.create_sale_order(SHIPPED, email=f"{BUYER}, {STRANGER}")
        with self.assertRaisesRegex(UserError, "no address of a buyer"):
            self.refund_with_reply(sale_order)

    def test_one_of_several_replies_is_stopped_and_the_other_leaves(self):
        changed = self.create_sale_order(SHIPPED)
        kept = self.create_sale_order(UNSHIPPED)
        refund = self.refund_with_reply(changed)
        self.ask_cancel(kept, reply_state="confirmed")
        self.change_as_trainee(changed.partner_id, email=STRANGER)
        self.settle()
        self.assertEqual(refund.reply_ids.state, "failed")
        self.assertEqual(self.last_action().reply_ids.state, "sent")
        self.assertEqual(self.all_mails().mail_message_id.res_id, kept.id)

    def test_address_changed_while_the_dialog_is_open_is_refused_in_words(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        request = self.write_reply(sale_order)
        self.change_as_trainee(sale_order.partner_id, email=STRANGER)
        request.is_recipient_meant = True
        with self.assertRaisesRegex(UserError, "has changed since this reply"):
            request.action_send()
        self.assertFalse(self.all_mails())
        self.write_reply(sale_order).action_send()
        self.assertEqual(self.all_mails().email_to, STRANGER)

    def test_journal_proves_where_it_went_to_who_holds_the_address(self):
        for ref, address in ((UNSHIPPED, BUYER), (SHIPPED, STRANGER)):
            request = self.open_reply(self.create_sale_order(ref, email=address))
            request.write({"subject": ref, "text": f"Hallo {ref}"})
            request.action_send()
            digest = hashlib.sha256(f"{ref}\n{address}".encode()).hexdigest()
            entry = self.last_entry()
            self.assertEqual(entry.value_after, f"recipient sha256:{digest}")
            self.assertNotIn(address, str(entry.read()))
            self.assertNotIn(address.partition("@")[0], str(entry.read()))


@tagged("post_install", "-at_install")
class TestKnownRecipient(RecipientCommon):
    """An address that something contradicts needs a person's word."""

    def doubt_of(self, document):
        return self.open_reply(document).recipient_doubt

    def test_relay_of_a_stranger_is_warned_of_and_needs_a_tick(self):
        first = self.create_sale_order(UNSHIPPED)
        sale_order = self.stranger_order(UNSHIPPED)
        request = self.write_reply(sale_order)
        self.assertIn(first.name, request.recipient_doubt)
        for address in (BUYER, STRANGER):
            self.assertNotIn(address, request.recipient_doubt)
            self.assertIn(f"{address[:3]}…@", request.recipient_doubt)
        with self.assertRaisesRegex(UserError, "Tick that this address"):
            request.action_send()
        self.assertFalse(self.all_mails())
        request.is_recipient_meant = True
        request.action_send()
        self.assertEqual(self.all_mails().email_to, STRANGER)
        self.assertIn("said that this one is meant", self.last_entry().message)

    def test_reply_with_an_action_is_refused_before_money_is_asked_for(self):
        self.create_sale_order(SHIPPED)
        sale_order = self.stranger_order()
        with self.assertRaisesRegex(UserError, "Tick that this address"):
            self.refund_with_reply(sale_order)
        self.assertFalse(self.env["amazon.action"].search([]))
        action = self.refund_with_reply(sale_order, is_recipient_meant=True)
        self.settle()
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertIn("said that this one is meant", self.last_entry().message)

    def test_tick_where_nothing_is_in_doubt_says_nothing(self):
        request = self.write_reply(self.create_sale_order(UNSHIPPED))
        request.is_recipient_meant = True
        request.action_send()
        self.assertNotIn("is meant", self.last_entry().message)

    def test_action_without_a_reply_is_asked_for_as_before(self):
        self.create_sale_order(SHIPPED)
        sale_order = self.stranger_order()
        request = self.open_request(sale_order, "refund")
        self.assertFalse(request.recipient_doubt)
        self.assertTrue(self.ask_refund(sale_order))

    def test_address_in_the_name_of_an_address_gets_nothing(self):
        for address in (
            '"evil@x.example"@marketplace.amazon.de',
            '"a, evil@x.example,"@marketplace.amazon.de',
            "evil%x.example@marketplace.amazon.de",
            "x!evil@marketplace.amazon.de",
        ):
            with self.subTest(address=address):
                sale_order = self.create_sale_order(UNSHIPPED, email=address)
                with self.assertRaisesRegex(UserError, "no address of a buyer"):
                    self.refund_with_reply(sale_order)

    def test_same_buyer_is_no_doubt(self):
        self.create_sale_order(SHIPPED, email=BUYER.upper())
        conversation = BUYER.replace("@", "+c0ffee@")
        sale_order = self.create_sale_order(SHIPPED, email=f"Jonas <{conversation}>")
        self.assertFalse(self.doubt_of(sale_order))

    def test_other_orders_and_other_companies_are_no_doubt(self):
        self.stranger_order(UNSHIPPED)
        other = self._create_company(name="Another")
        self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"]
                .create({"name": "x", "email": STRANGER})
                .id,
                "company_id": other.id,
                "amazon_order_ref": SHIPPED,
            }
        )
        self.assertFalse(self.doubt_of(self.create_sale_order(SHIPPED)))

    def test_address_that_is_not_amazons_is_no_buyers(self):
        self.create_sale_order(SHIPPED, email="jonas@mail.example")
        self.assertFalse(self.doubt_of(self.create_sale_order(SHIPPED)))

    def test_sale_order_that_the_agent_may_not_read_is_not_named(self):
        first = self.create_sale_order(UNSHIPPED)
        user = self._create_user(
            "amazon_own",
            "sales_team.group_sale_salesman",
            "amazon_order_actions.group_message",
        )
        sale_order = self.stranger_order(UNSHIPPED, user_id=user.id)
        self.assertTrue(sale_order.with_user(user).has_access("read"))
        self.assertFalse(first.with_user(user).has_access("read"))
        doubt = self.open_reply(sale_order, user).recipient_doubt
        self.assertIn("another document", doubt)
        self.assertNotIn(first.name, doubt)

    def test_message_goes_by_the_order_and_needs_no_tick(self):
        self.account.messaging_enabled = True
        self.create_sale_order(SHIPPED)
        request = self.open_reply(self.stranger_order())
        self.assertTrue(request.recipient_doubt)
        request.way = "message"
        self.assertFalse(request.recipient_doubt)
        request.write({"text": "Hello", "message_type": "unexpectedProblem"})
        request.action_send()
        self.assertEqual(self.last_action().kind, "message")

    def test_fixed_address_cannot_be_written_by_a_client(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        other = self.stranger_order(UNSHIPPED)
        forged = self.open_reply(other).recipient
        request = self.open_reply(sale_order)
        fixed = request.recipient
        request.write({"recipient": forged, "nonce": "x"})
        self.assertEqual(request.recipient, fixed)
        created = request.create(
            {
                "order_id": sale_order.amazon_order_id.id,
                "origin_model": sale_order._name,
                "origin_id": sale_order.id,
                "recipient": forged,
            }
        )
        self.assertEqual(created.recipient, fixed)


@tagged("post_install", "-at_install")
class TestMailThatWaits(RecipientCommon):
    """What waits in the mail queue leaves as it was checked, or not at all."""

    def setUp(self):
        super().setUp()
        self.sent = []
        # tests send nothing, unless they say so
        self.startPatcher(patch.object(IrMail_Server, "_disable_send", lambda _s: 0))
        self.startPatcher(
            patch.object(
                IrMail_Server,
                "send_email",
                lambda _s, message, *_a, **_k: self.note_sent(message),
            )
        )
        self.startPatcher(
            patch.object(IrMail_Server, "_connect__", lambda *_a, **_k: None)
        )

    def note_sent(self, message):
        """Keep what leaves for outside; the agent is told of what there is to do."""
        if self.agent.email not in message["To"]:
            self.sent.append(message)
        return message["Message-Id"]

    def reply(self, sale_order):
        self.write_reply(sale_order).action_send()
        return self.mails().filtered(lambda mail: mail.res_id == sale_order.id)

    def test_reply_leaves_as_it_was_written(self):
        mail = self.reply(self.create_sale_order(UNSHIPPED))
        mail.send()
        self.assertEqual([message["To"] for message in self.sent], [BUYER])

    def test_reply_that_somebody_changed_is_held_and_told_and_others_leave(self):
        changed = self.create_sale_order(UNSHIPPED)
        kept = self.create_sale_order(UNSHIPPED)
        mails = self.reply(changed) | self.reply(kept)
        message = mails.filtered(lambda mail: mail.res_id == changed.id).mail_message_id
        message.subject = "Buy at EVIL.COM"
        mails.send()
        self.assertEqual(len(self.sent), 1)
        self.assertNotIn("EVIL", self.sent[0]["Subject"])
        held = mails.exists()
        self.assertEqual(held.state, "exception")
        self.assertIn("was changed", " ".join(self.notes(changed)))
        self.assertEqual(changed.activity_ids.user_id, self.agent)
        self.assertEqual(message.notification_ids.notification_status, "exception")
        self.assertFalse(kept.activity_ids)

    def test_nobody_hangs_a_file_on_a_reply_that_waits(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        mail = self.reply(sale_order)
        file = self.env["ir.attachment"].create(
            {"name": "x.txt", "raw": b"x", "res_model": sale_order._name}
        )
        mail.mail_message_id.attachment_ids = file
        mail.send()
        self.assertFalse(self.sent)

    def test_reply_leaves_by_no_other_server(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        mail = self.reply(sale_order)
        server = self.env["ir.mail_server"].create(
            {"name": "Other", "smtp_host": "x.example", "from_filter": "x.example"}
        )
        self.change_as_trainee(mail.mail_message_id, mail_server_id=server.id)
        mail.send()
        self.assertFalse(self.sent)
        self.assertEqual(mail.state, "exception")
        self.assertEqual(sale_order.activity_ids.user_id, self.agent)

    def test_nobody_deletes_a_reply_that_waits(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        mail = self.reply(sale_order)
        message = mail.mail_message_id
        of_trainee = message.with_user(self.trainee).with_context(
            allowed_company_ids=self.company.ids
        )
        with self.assertRaisesRegex(UserError, "waits in Odoo's mail queue"):
            of_trainee.unlink()
        mail.send()
        self.assertEqual(len(self.sent), 1)
        of_trainee.unlink()
        self.assertFalse(message.exists())

    def test_nobody_changes_what_the_buyer_was_written(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        mail = self.reply(sale_order)
        reply = mail.mail_message_id
        mail.send()
        other = sale_order.with_user(self.trainee).message_post(body="Just a thought")
        for user in (self.trainee, self.agent, self.env.ref("base.user_admin")):
            user.company_ids += self.company
            of_user = reply.with_user(user).with_context(
                allowed_company_ids=self.company.ids
            )
            for vals in ({"body": "We owe you nothing."}, {"is_internal": False}):
                with self.subTest(user=user.login, vals=vals):
                    with self.assertRaisesRegex(UserError, "was written"):
                        of_user.write(vals)
                    with self.assertRaisesRegex(UserError, "was written"):
                        of_user.sudo().write(vals)
        # Odoo's own way to edit a message, and one that no buyer got
        as_trainee = sale_order.with_user(self.trainee)
        with self.assertRaises(UserError):
            as_trainee._message_update_content(
                reply.with_user(self.trainee), body="We owe you nothing."
            )
        other.with_user(self.trainee).body = "Another thought"
        self.assertIn("thought", other.body)
        self.assertNotIn("owe", reply.body)

    def test_other_address_in_the_queue_gets_nothing(self):
        mail = self.reply(self.create_sale_order(UNSHIPPED))
        mail.email_to = STRANGER
        mail.send()
        self.assertFalse(self.sent)

    def test_mails_of_others_are_left_alone(self):
        mail = self.env["mail.mail"].create(
            {"subject": "x", "body_html": "x", "email_to": "a@b.example"}
        )
        mail.subject = "y"
        mail.send()
        self.assertEqual(len(self.sent), 1)
