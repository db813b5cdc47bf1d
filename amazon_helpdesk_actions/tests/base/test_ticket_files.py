import re
from urllib.parse import urlsplit

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.base.test_files import (
    FilesCommon,
    FilesHttpCommon,
)
from odoo.addons.amazon_order_actions.tests.evidence.test_evidence import ANSWER, NOTE

from ..evidence.test_evidence import EvidenceCommon

LINK = re.compile(r"""(?:href|src)=["']([^"'#]+)["']""")


class TicketFilesCommon(FilesCommon, EvidenceCommon):
    """A ticket of a customer, who follows it."""

    def setUp(self):
        super().setUp()
        self.ticket = self.document


@tagged("post_install", "-at_install")
class TestPagesOfTickets(TicketFilesCommon, FilesHttpCommon):
    """What the customer of a ticket gets, with a real client."""

    def assert_leads_nowhere(self, page, follow=True):
        """Open each link of a page, and each of the pages that it leads to."""
        links = {link.replace("&amp;", "&") for link in LINK.findall(page)}
        for link in sorted(links):
            parts = urlsplit(link)
            path = f"{parts.path}?{parts.query}"
            if not re.match(r"/(my|mail|amazon_|web/(content|image))", path):
                continue
            with self.subTest(link=path):
                answer = self.url_open(path)
                self.assertFalse(self.tells(answer.content))
            if follow and "html" in answer.headers.get("Content-Type", ""):
                self.assert_leads_nowhere(answer.text, follow=False)

    def test_page_of_the_ticket_has_no_pack_for_the_customer(self):
        self.make_pack()
        self.authenticate(self.portal.login, self.portal.login)
        page = self.url_open(f"/my/ticket/{self.ticket.id}")
        self.assertIn(self.ticket.name, page.text)
        self.assertFalse(self.tells(page.content))
        self.assert_leads_nowhere(page.text)

    def test_messages_on_the_page_of_the_ticket_do_not_name_the_pack(self):
        self.make_pack()
        self.answer(self.ticket)
        self.authenticate(self.portal.login, self.portal.login)
        found = self.make_jsonrpc_request(
            "/mail/thread/messages",
            {"thread_model": "helpdesk.ticket", "thread_id": self.ticket.id},
        )
        self.assertIn(ANSWER, str(found))
        self.assertNotIn("evidence-", str(found))
        self.assertNotIn(NOTE, str(found))

    def test_links_of_a_mail_lead_nobody_to_the_pack_without_a_login(self):
        self.make_pack()
        message = self.ticket.with_user(self.agent).message_post(
            body=ANSWER,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.buyer.ids,
        )
        mails = message.sudo().mail_ids
        self.assertTrue(mails)
        self.assertFalse(mails.attachment_ids)
        text = "".join(mails.mapped("body_html"))
        self.assertIn("access_token", text)
        self.authenticate(None, None)
        self.assert_leads_nowhere(text)
        token = self.ticket._portal_ensure_token()
        self.env.flush_all()
        page = self.url_open(f"/my/ticket/{self.ticket.id}?access_token={token}")
        self.assertIn(self.ticket.name, page.text)
        self.assertFalse(self.tells(page.content))
        self.assert_leads_nowhere(page.text)


@tagged("post_install", "-at_install")
class TestFilesOfTickets(TicketFilesCommon):
    """Files of tickets."""

    def test_document_that_has_a_pack_is_not_deleted(self):
        packs = self.make_pack()
        with self.assertRaises(UserError) as refusal:
            self.ticket.unlink()
        self.assertIn(self.ticket.display_name, str(refusal.exception))
        packs._remove()
        self.ticket.unlink()
        self.assertFalse(self.ticket.exists())

    def test_archived_document_keeps_its_files(self):
        pdf, _packed = self.make_pack()
        self.ticket.active = False
        self.assertTrue(self.as_user(pdf, self.agent).sudo(False).has_access("read"))
