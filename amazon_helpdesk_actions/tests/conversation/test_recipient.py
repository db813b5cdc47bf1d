import hashlib
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_open

from odoo.addons.amazon_order_actions.models.conversation.recipient import (
    ADDRESSES_SHOWN,
)
from odoo.addons.base.models.ir_mail_server import IrMail_Server

from ..common import SHIPPED, UNSHIPPED
from .test_reply import BUYER, ReplyCommon

# A buyer of another order, who knows the number of this one.
STRANGER = "q7w3e9r1t5z2u8i@marketplace.amazon.de"


class RecipientCommon(ReplyCommon):
    def change_as_trainee(self, document, **values):
        """Write a document as a colleague without any right of Amazon's."""
        self.trainee.group_ids = [
            Command.link(self.env.ref("helpdesk_mgmt.group_helpdesk_manager").id)
        ]
        document.with_user(self.trainee).with_context(
            allowed_company_ids=self.company.ids
        ).write(values)

    def all_mails(self):
        """Return the mails of replies, to whomever."""
        return self.env["mail.mail"].search(
            [("email_to", "in", (BUYER, STRANGER))], order="id"
        )

    def stranger_ticket(self, ref=SHIPPED, **values):
        return self.create_ticket(ref, **{"partner_email": STRANGER, **values})

    def last_entry(self):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search([("event", "=", "replied")], limit=1)


@tagged("post_install", "-at_install")
class TestFixedRecipient(RecipientCommon):
    """The recipient is fixed with the click."""

    def test_address_written_after_the_click_gets_nothing_and_a_person_decides(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        self.change_as_trainee(ticket, partner_email=STRANGER)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertFalse(ticket.closed)
        self.assertIn("has changed since this reply", " ".join(self.notes(ticket)))
        self.assertEqual(ticket.activity_ids.user_id, self.agent)
        self.assertNotIn(STRANGER, " ".join(self.notes(ticket)))

    def test_address_of_the_contact_written_after_the_click_stops_the_reply(self):
        buyer = self.env["res.partner"].create({"name": "B", "email": BUYER})
        ticket = self.create_ticket(SHIPPED, partner_email=False, partner_id=buyer.id)
        sale_order = self.create_sale_order(UNSHIPPED, partner_id=buyer.id)
        refund = self.refund_with_reply(ticket)
        self.ask_cancel(sale_order, reply_state="confirmed")
        buyer.email = STRANGER
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(refund.reply_ids.state, "failed")
        self.assertEqual(self.last_action().reply_ids.state, "failed")

    def test_same_address_written_another_way_is_the_same(self):
        ticket = self.create_ticket(SHIPPED)
        self.refund_with_reply(ticket)
        ticket.partner_email = f"Jonas <{BUYER.upper()}>"
        self.settle()
        self.assertEqual(len(self.mails()), 1)

    def test_ticket_moved_to_another_order_stops_the_reply(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund_with_reply(ticket)
        self.run_jobs("_job_dispatch")
        ticket.amazon_order_ref = UNSHIPPED
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")

    def test_address_that_was_not_there_at_the_click_gets_nothing(self):
        self.account.messaging_enabled = True
        ticket = self.create_ticket(SHIPPED, partner_email=False)
        action = self.refund_with_reply(ticket)
        self.change_as_trainee(ticket, partner_email=STRANGER)
        self.settle()
        self.assertFalse(self.all_mails())
        self.assertEqual(action.reply_ids.state, "failed")

    def test_several_addresses_in_one_field_get_nothing(self):
        ticket = self.create_ticket(SHIPPED, partner_email=f"{BUYER}, {STRANGER}")
        with self.assertRaisesRegex(UserError, "no address of a buyer"):
            self.refund_with_reply(ticket)

    def test_one_of_several_replies_is_stopped_and_the_other_leaves(self):
        changed, kept = self.create_ticket(SHIPPED), self.create_ticket(UNSHIPPED)
        refund = self.refund_with_reply(changed)
        self.ask_cancel(kept, reply_state="confirmed")
        self.change_as_trainee(changed, partner_email=STRANGER)
        self.settle()
        self.assertEqual(refund.reply_ids.state, "failed")
        self.assertEqual(self.last_action().reply_ids.state, "sent")
        self.assertEqual(self.all_mails().mail_message_id.res_id, kept.id)

    def test_address_changed_while_the_dialog_is_open_is_refused_in_words(self):
        ticket = self.create_ticket(UNSHIPPED)
        request = self.open_reply(ticket)
        self.change_as_trainee(ticket, partner_email=STRANGER)
        request.is_recipient_meant = True
        with self.assertRaisesRegex(UserError, "has changed since this reply"):
            request.action_send()
        self.assertFalse(self.all_mails())
        request = self.open_reply(ticket)
        request.action_send()
        self.assertEqual(self.all_mails().email_to, STRANGER)

    def test_journal_proves_where_it_went_to_who_holds_the_address(self):
        for ref, address in ((UNSHIPPED, BUYER), (SHIPPED, STRANGER)):
            request = self.open_reply(self.create_ticket(ref, partner_email=address))
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
        first = self.create_ticket(UNSHIPPED)
        ticket = self.stranger_ticket(UNSHIPPED)
        request = self.open_reply(ticket)
        self.assertIn(first.number, request.recipient_doubt)
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
        self.create_ticket(SHIPPED)
        ticket = self.stranger_ticket()
        with self.assertRaisesRegex(UserError, "Tick that this address"):
            self.refund_with_reply(ticket)
        self.assertFalse(self.env["amazon.action"].search([]))
        action = self.refund_with_reply(ticket, is_recipient_meant=True)
        self.settle()
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertIn("said that this one is meant", self.last_entry().message)

    def test_tick_where_nothing_is_in_doubt_says_nothing(self):
        request = self.open_reply(self.create_ticket(UNSHIPPED))
        request.is_recipient_meant = True
        request.action_send()
        self.assertNotIn("is meant", self.last_entry().message)

    def test_action_without_a_reply_is_asked_for_as_before(self):
        self.create_ticket(SHIPPED)
        ticket = self.stranger_ticket()
        request = self.open_request(ticket, "refund")
        self.assertFalse(request.recipient_doubt)
        self.assertTrue(self.ask_refund(ticket))

    def test_whatever_names_another_buyer_of_the_order_is_told(self):
        buyer = self.env["res.partner"].create({"name": "B", "email": BUYER})
        cases = {
            "contact of the ticket": lambda: self.stranger_ticket(partner_id=buyer.id),
            "sale order": lambda: (
                self.create_sale_order(SHIPPED, partner_id=buyer.id),
                self.stranger_ticket(),
            )[1],
            "archived ticket": lambda: (
                self.create_ticket(SHIPPED, active=False),
                self.stranger_ticket(),
            )[1],
            "mail that came in": lambda: self.told_and_edited(),
        }
        for name, make in cases.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.assertTrue(self.doubt_of(make()))
                savepoint.rollback()
                self.env.invalidate_all()

    def told_and_edited(self):
        """A ticket that the buyer's mail came to, and whose address was changed."""
        ticket = self.create_ticket(SHIPPED)
        ticket.message_post(body="Hello", message_type="email", email_from=BUYER)
        ticket.partner_email = STRANGER
        return ticket

    def test_flood_of_mails_hides_no_other_buyer(self):
        ticket = self.stranger_ticket()
        for number in range(ADDRESSES_SHOWN + 1):
            ticket.message_post(
                body="x",
                message_type="email",
                author_id=False,
                email_from=f'"n{number}" <{STRANGER.replace("@", f"+{number}@")}>',
            )
        # each is read after the mails
        buyer = self.env["res.partner"].create({"name": "B", "email": BUYER})
        for create in (
            lambda: self.create_sale_order(SHIPPED, partner_id=buyer.id),
            lambda: self.create_ticket(SHIPPED),
        ):
            other = create()
            self.assertIn("may not be the buyer", self.doubt_of(ticket))
            other.amazon_order_ref = False
            self.assertFalse(self.doubt_of(ticket))

    def test_address_in_the_name_of_an_address_gets_nothing(self):
        for address in (
            '"evil@x.example"@marketplace.amazon.de',
            '"a, evil@x.example,"@marketplace.amazon.de',
            "evil%x.example@marketplace.amazon.de",
            "x!evil@marketplace.amazon.de",
        ):
            with self.subTest(address=address):
                ticket = self.create_ticket(UNSHIPPED, partner_email=address)
                with self.assertRaisesRegex(UserError, "no address of a buyer"):
                    self.refund_with_reply(ticket)

    def test_same_buyer_is_no_doubt(self):
        self.create_ticket(SHIPPED, partner_email=BUYER.upper())
        conversation = BUYER.replace("@", "+c0ffee@")
        ticket = self.create_ticket(SHIPPED, partner_email=f"Jonas <{conversation}>")
        self.assertFalse(self.doubt_of(ticket))

    def test_other_orders_and_other_companies_are_no_doubt(self):
        self.stranger_ticket(UNSHIPPED)
        other = self._create_company(name="Another")
        self.env["helpdesk.ticket"].create(
            {
                "name": "x",
                "description": "x",
                "company_id": other.id,
                "partner_email": STRANGER,
                "amazon_order_ref": SHIPPED,
            }
        )
        self.assertFalse(self.doubt_of(self.create_ticket(SHIPPED)))

    def test_address_that_is_not_amazons_is_no_buyers(self):
        self.create_ticket(SHIPPED, partner_email="jonas@mail.example")
        self.assertFalse(self.doubt_of(self.create_ticket(SHIPPED)))

    def test_ticket_that_the_agent_may_not_read_is_not_named(self):
        first = self.create_ticket(UNSHIPPED)
        user = self._create_user(
            "amazon_own",
            "helpdesk_mgmt.group_helpdesk_user_own",
            "amazon_order_actions.group_message",
        )
        ticket = self.stranger_ticket(UNSHIPPED, user_id=user.id)
        self.assertTrue(ticket.with_user(user).has_access("read"))
        self.assertFalse(first.with_user(user).has_access("read"))
        doubt = self.open_reply(ticket, user).recipient_doubt
        self.assertIn("another document", doubt)
        self.assertNotIn(first.number, doubt)

    def test_message_goes_by_the_order_and_needs_no_tick(self):
        self.account.messaging_enabled = True
        self.create_ticket(SHIPPED)
        request = self.open_reply(self.stranger_ticket())
        self.assertTrue(request.recipient_doubt)
        request.way = "message"
        self.assertFalse(request.recipient_doubt)
        request.write({"text": "Hello", "message_type": "unexpectedProblem"})
        request.action_send()
        self.assertEqual(self.last_action().kind, "message")

    def test_fixed_address_cannot_be_written_by_a_client(self):
        ticket, other = self.create_ticket(UNSHIPPED), self.stranger_ticket(UNSHIPPED)
        forged = self.open_reply(other).recipient
        request = self.open_reply(ticket)
        fixed = request.recipient
        request.write({"recipient": forged, "nonce": "x"})
        self.assertEqual(request.recipient, fixed)
        created = request.create(
            {
                "order_id": ticket.amazon_order_id.id,
                "origin_model": ticket._name,
                "origin_id": ticket.id,
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

    def reply(self, ticket):
        self.open_reply(ticket).action_send()
        return self.mails().filtered(lambda mail: mail.res_id == ticket.id)

    def test_reply_leaves_as_it_was_written(self):
        mail = self.reply(self.create_ticket(UNSHIPPED))
        mail.send()
        self.assertEqual([message["To"] for message in self.sent], [BUYER])

    def test_reply_that_somebody_changed_is_held_and_told_and_others_leave(self):
        changed, kept = self.create_ticket(UNSHIPPED), self.create_ticket(UNSHIPPED)
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
        ticket = self.create_ticket(UNSHIPPED)
        mail = self.reply(ticket)
        file = self.env["ir.attachment"].create(
            {"name": "x.txt", "raw": b"x", "res_model": ticket._name}
        )
        mail.mail_message_id.attachment_ids = file
        mail.send()
        self.assertFalse(self.sent)

    def test_reply_leaves_by_no_other_server(self):
        ticket = self.create_ticket(UNSHIPPED)
        mail = self.reply(ticket)
        server = self.env["ir.mail_server"].create(
            {"name": "Other", "smtp_host": "x.example", "from_filter": "x.example"}
        )
        self.change_as_trainee(mail.mail_message_id, mail_server_id=server.id)
        mail.send()
        self.assertFalse(self.sent)
        self.assertEqual(mail.state, "exception")
        self.assertEqual(ticket.activity_ids.user_id, self.agent)

    def test_nobody_deletes_a_reply_that_waits(self):
        ticket = self.create_ticket(UNSHIPPED)
        mail = self.reply(ticket)
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
        ticket = self.create_ticket(UNSHIPPED)
        mail = self.reply(ticket)
        reply = mail.mail_message_id
        mail.send()
        other = ticket.with_user(self.trainee).message_post(body="Just a thought")
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
        as_trainee = ticket.with_user(self.trainee)
        with self.assertRaises(UserError):
            as_trainee._message_update_content(
                reply.with_user(self.trainee), body="We owe you nothing."
            )
        other.with_user(self.trainee).body = "Another thought"
        self.assertIn("thought", other.body)
        self.assertNotIn("owe", reply.body)

    def test_other_address_in_the_queue_gets_nothing(self):
        mail = self.reply(self.create_ticket(UNSHIPPED))
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


@tagged("post_install", "-at_install")
class TestStranger(RecipientCommon):
    """Who names an order is not therefore its buyer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._open_mailbox()

    def receive(self, sender=BUYER, number="0001"):
        path = "amazon_helpdesk_actions/tests/data/relay_de_number_in_subject.eml"
        with file_open(path, "rb") as file:
            raw = file.read()
        for old, new in (
            (b"amazon@nordlicht.example", b"orders@shop.example"),
            (BUYER.encode(), sender.encode()),
            (b"relay-de-0001", f"relay-de-{number}".encode()),
        ):
            raw = raw.replace(old, new)
        thread_id = self.env["mail.thread"].message_process(False, raw)
        self.run_jobs("_job_read_mailed")
        return self.env["helpdesk.ticket"].browse(thread_id)

    def red(self, ticket):
        self.env.invalidate_all()
        return ticket.with_user(self.agent).amazon_order_panel["stranger"]

    def test_mail_of_the_buyer_is_not_red(self):
        ticket = self.receive()
        self.assertTrue(ticket.amazon_order_id)
        self.assertFalse(self.red(ticket))
        self.assertFalse(self.red(self.receive(number="0002")))

    def test_mail_that_did_not_come_through_amazon_is_red(self):
        ticket = self.receive("mallory@evil.example")
        self.assertIn("did not come through Amazon", self.red(ticket))

    def test_mail_of_another_relay_is_red_and_names_the_difference(self):
        first = self.receive()
        ticket = self.receive(STRANGER, "0002")
        self.assertIn(first.number, self.red(ticket))
        self.assertIn("may not be the buyer", self.red(ticket))
        self.assertNotIn(BUYER, self.red(ticket))

    def test_form_of_a_mailed_ticket_costs_one_query_more(self):
        mailed = self.receive()
        typed = self.create_ticket(SHIPPED)
        counts = []
        for ticket in (typed, mailed, typed, mailed):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            ticket.with_user(self.agent).web_read({"amazon_order_panel": {}})
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[-1] - counts[-2], 1)

    def test_red_stays_whatever_the_ticket_says_later(self):
        ticket = self.receive("mallory@evil.example")
        self.change_as_trainee(ticket, partner_email=BUYER)
        self.assertTrue(self.red(ticket))

    def test_ticket_without_an_order_and_typed_in_by_a_colleague_are_not_red(self):
        ticket = self.receive("mallory@evil.example")
        ticket.amazon_order_ref = False
        self.assertFalse(self.red(ticket))
        self.assertFalse(self.red(self.create_ticket(SHIPPED)))
        sale_order = self.create_sale_order(SHIPPED)
        self.assertFalse(self.red(sale_order))

    def test_sender_forged_by_rpc_is_not_taken(self):
        ticket = self.receive("mallory@evil.example")
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.change_as_trainee(ticket, amazon_mail_sender=BUYER)
        self.assertTrue(self.red(ticket))

    def test_stranger_gets_no_reply_and_no_word(self):
        ticket = self.receive("mallory@evil.example")
        before = self.env["mail.mail"].search([])
        with self.assertRaisesRegex(UserError, "no address of a buyer"):
            self.refund_with_reply(ticket)
        self.ask_refund(ticket)
        self.settle()
        self.assertFalse(self.env["mail.mail"].search([]) - before)
