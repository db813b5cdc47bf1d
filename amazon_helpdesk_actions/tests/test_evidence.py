import io
import os
import zipfile
from datetime import timedelta
from pathlib import Path

from pypdf import PdfReader

from odoo import fields

from .common import SHIPPED, AmazonCommon

BUYER = "buyer-4711@marketplace.amazon.de"


class EvidenceCommon(AmazonCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.env["res.partner"].create(
            {"name": "Berta Beispiel", "email": BUYER}
        )
        cls.company.partner_id.tz = "Europe/Berlin"
        cls.agent.name = "Anna Agentin"

    def receive(self, ticket, body, minutes_ago=0, **values):
        """Let a mail of the buyer come in."""
        at = fields.Datetime.now() - timedelta(minutes=minutes_ago)
        return ticket.message_post(
            body=body,
            body_is_html=True,
            message_type="email",
            subtype_xmlid="mail.mt_comment",
            author_id=self.buyer.id,
            email_from=f'"Berta Beispiel" <{BUYER}>',
            date=at,
            **values,
        )

    def answer(self, ticket, body, user=None):
        """Let an agent answer publicly."""
        return (
            ticket.with_user(user or self.agent)
            .sudo()
            .message_post(
                body=body,
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                author_id=(user or self.agent).partner_id.id,
            )
        )

    def make(self, document, user=None, **options):
        """Make a pack as a user does.

        :return: text of the PDF, files of the ZIP by name, the attachments
        """
        user = user or self.agent
        document = document.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )
        attachments = document.env["amazon.evidence"]._make(document, **options)
        pdf, packed = attachments.sudo()
        text = self.text_of(pdf.raw)
        archive = zipfile.ZipFile(io.BytesIO(packed.raw))
        files = {name: archive.read(name) for name in archive.namelist()}
        return text, files, attachments.sudo()

    def text_of(self, pdf):
        """Return the text of a PDF, with all blanks alike."""
        pages = PdfReader(io.BytesIO(pdf)).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())


class TestEvidence(EvidenceCommon):
    def test_the_pack_tells_a_refund_from_the_mail_to_the_confirmation(self):
        ticket = self.create_ticket(SHIPPED, partner_id=self.buyer.id)
        self.receive(ticket, "<p>Der Kessel ist <b>undicht</b>.</p>", minutes_ago=83)
        self.answer(ticket, "Das tut uns leid, wir erstatten Ihnen den Kaufpreis.")
        action = self.ask_refund(ticket)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        for lang in ("de", "en", "fr", "es"):
            text, files, attachments = self.make(ticket, language=lang)
            out = os.environ.get("EVIDENCE_OUT")
            if out:
                Path(out, f"refund-{lang}.pdf").write_bytes(attachments[0].raw)
                Path(out, f"refund-{lang}.zip").write_bytes(attachments[1].raw)
        self.assertIn(SHIPPED, text)
