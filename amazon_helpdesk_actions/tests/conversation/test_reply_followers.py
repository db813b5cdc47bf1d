import json

from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import mute_logger

from ..common import SHIPPED, UNSHIPPED
from .test_reply import BUYER, ReplyCommon

# As somebody writes it who wants a contact of the shop to read along.
FORGED = """Return-Path: <{sender}>
From: Jonas <{sender}>
To: orders@shop.example
Cc: {cc}
Message-ID: <forged-{number}@evil.example>
Subject: Order {ref}
Content-Type: text/plain; charset=UTF-8

Where is my parcel?
"""
TEXT = f"Ihre Bestellung {UNSHIPPED} ist unterwegs, Kennwort Heckenrose."
SECRET = "Heckenrose"


@tagged("post_install", "-at_install")
class TestReplyFollowers(HttpCase, ReplyCommon):
    """What is written to the buyer is read by the buyer and by colleagues alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._open_mailbox()
        cls.team.alias_contact = "everyone"
        cls.portal = new_test_user(
            cls.env,
            login="amazon_portal",
            groups="base.group_portal",
            email="known@contact.example",
            company_id=cls.company.id,
        )
        cls.agent.password = "amazon_agent"

    def receive(self, sender=BUYER, cc="known@contact.example", ref=UNSHIPPED):
        number = self.env["mail.message"].search([], order="id desc", limit=1).id
        raw = FORGED.format(sender=sender, cc=cc, ref=ref, number=number)
        thread_id = self.env["mail.thread"].message_process(False, raw)
        self.run_jobs("_job_read_mailed")
        return self.env["helpdesk.ticket"].browse(thread_id)

    def write_to_buyer(self, ticket):
        request = self.open_reply(ticket)
        request.write({"subject": f"Order {UNSHIPPED}", "text": TEXT})
        request.action_send()
        self.env.flush_all()
        return self.mails().mail_message_id[-1:]

    def rpc(self, user, model, method, *args, **kwargs):
        """Call a method as a person over JSON-RPC.

        :return: the answer, or the refusal, as a text
        """
        self.authenticate(user.login, user.login)
        try:
            with mute_logger("odoo.http"):
                answer = self.make_jsonrpc_request(
                    f"/web/dataset/call_kw/{model}/{method}",
                    {"model": model, "method": method, "args": args, "kwargs": kwargs},
                )
        except JsonRpcException as refusal:
            return str(refusal)
        return json.dumps(answer)

    def ask(self, user, route, **params):
        self.authenticate(user.login, user.login)
        try:
            with mute_logger("odoo.http"):
                return json.dumps(self.make_jsonrpc_request(route, params))
        except JsonRpcException as refusal:
            return str(refusal)

    def what_is_seen(self, user, ticket, messages):
        """Return all that a person gets of messages by the ways there are."""
        self.authenticate(user.login, user.login)
        page = self.url_open(f"/my/ticket/{ticket.id}")
        seen = [page.text if page.ok else ""]
        thread = {"thread_model": ticket._name, "thread_id": ticket.id}
        seen.append(self.ask(user, "/mail/chatter_fetch", **thread))
        token = ticket._portal_ensure_token()
        self.env.flush_all()
        seen.append(self.ask(user, "/mail/chatter_fetch", **thread, token=token))
        seen.append(self.ask(user, "/mail/thread/messages", **thread))
        seen.append(self.ask(user, "/portal/chatter_init", **thread))
        for message in messages:
            seen.append(self.ask(user, "/mail/link_preview", message_id=message.id))
            seen.append(
                self.ask(user, "/mail/message/translate", message_id=message.id)
            )
        fields = ["body", "subject", "preview", "outgoing_email_to"]
        seen.append(self.rpc(user, "mail.message", "read", messages.ids, fields))
        for message in messages:
            seen.append(self.rpc(user, "mail.message", "read", [message.id], fields))
            seen.append(
                self.rpc(user, "mail.message", "web_read", [message.id], {"body": {}})
            )
        seen.append(
            self.rpc(
                user,
                "mail.message",
                "search_read",
                [("res_id", "=", ticket.id), ("model", "=", ticket._name)],
                fields,
            )
        )
        seen.append(
            self.rpc(
                user, "mail.message", "search_count", [("body", "ilike", SECRET)]
            ).replace("0", "")
        )
        seen.append(self.rpc(user, "mail.notification", "search_read", []))
        return "\n".join(seen)

    def test_cc_of_a_forged_mail_follows_and_reads_no_reply(self):
        ticket = self.receive()
        self.assertIn(self.portal.partner_id, ticket.message_partner_ids)
        message = self.write_to_buyer(ticket)
        seen = self.what_is_seen(self.portal, ticket, message)
        # the page is hers, the reply is not
        self.assertIn("Where is my parcel?", seen)
        self.assertNotIn(SECRET, seen)
        self.assertNotIn(
            BUYER, self.rpc(self.portal, "mail.message", "read", message.ids)
        )

    def test_customer_who_is_not_the_buyer_reads_no_reply(self):
        """The agent moved the ticket to a contact, or the contact wrote it."""
        ticket = self.create_ticket(
            UNSHIPPED, partner_id=self.portal.partner_id.id, partner_email=BUYER
        )
        message = self.write_to_buyer(ticket)
        self.assertNotIn(SECRET, self.what_is_seen(self.portal, ticket, message))

    def test_nobody_but_the_buyer_gets_the_mail(self):
        ticket = self.receive()
        before = self.env["mail.mail"].search([])
        self.write_to_buyer(ticket)
        mails = self.env["mail.mail"].search([]) - before
        self.assertEqual(mails.mapped("email_to"), [BUYER])
        self.assertFalse(mails.recipient_ids)
        self.assertFalse(mails.email_cc)
        self.assertFalse(mails.mail_message_id.notified_partner_ids)

    def test_reply_after_an_action_is_not_read_by_followers_either(self):
        ticket = self.receive(ref=SHIPPED)
        self.refund_with_reply(ticket, "submitted", reply_lang="en")
        self.settle()
        message = self.mails().mail_message_id
        self.assertTrue(message)
        seen = self.what_is_seen(self.portal, ticket, message)
        self.assertNotIn("refund", seen.lower())

    def test_colleagues_read_it_in_the_chatter_as_before(self):
        ticket = self.receive()
        message = self.write_to_buyer(ticket)
        seen = self.what_is_seen(self.agent, ticket, message)
        self.assertIn(SECRET, seen)

    def test_customer_cannot_make_a_reply_public(self):
        ticket = self.receive()
        message = self.write_to_buyer(ticket)
        self.ask(
            self.portal,
            "/mail/update_is_internal",
            message_id=message.id,
            is_internal=False,
        )
        self.rpc(
            self.portal, "mail.message", "write", message.ids, {"is_internal": False}
        )
        self.env.invalidate_all()
        self.assertTrue(message.is_internal)

    def test_message_through_amazon_is_not_read_by_followers(self):
        self.account.messaging_enabled = True
        ticket = self.receive()
        request = self.open_reply(ticket)
        request.write({"way": "message", "text": TEXT})
        request.action_send()
        self.env.flush_all()
        note = self.last_action().sudo().text_message_id
        self.assertIn(SECRET, note.body)
        self.assertNotIn(SECRET, self.what_is_seen(self.portal, ticket, note))
        self.assertIn(SECRET, self.rpc(self.agent, "mail.message", "read", note.ids))

    def test_stranger_reads_nothing_of_what_happened_to_the_order(self):
        ticket = self.create_ticket(
            SHIPPED,
            partner_id=self.portal.partner_id.id,
            partner_email=self.portal.email,
        )
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(ticket)
        self.settle()
        self.env.flush_all()
        notes = ticket.message_ids
        self.assertIn("refund", " ".join(self.notes(ticket)).lower())
        seen = self.what_is_seen(self.portal, ticket, notes)
        self.assertNotIn("refund", seen.lower())
        self.assertNotIn(self.agent.name, seen)
        self.assertNotIn(sale_order.name, seen)
        seen = self.rpc(
            self.portal, "helpdesk.ticket", "read", ticket.ids, ["sale_order_ids"]
        )
        self.assertNotIn(str(sale_order.id), seen.replace(str(ticket.id), ""))
        for name in ("amazon_order_panel", "amazon_order_id", "amazon_mail_sender"):
            seen = self.rpc(self.portal, "helpdesk.ticket", "read", ticket.ids, [name])
            self.assertIn("Access", seen)
