from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_open

from odoo.addons.amazon_order_actions.models.conversation.recipient import (
    ADDRESSES_SHOWN,
)

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
