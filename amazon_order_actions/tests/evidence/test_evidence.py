import ast
import hashlib
import io
import json
import os
import zipfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import polib
from pypdf import PdfReader

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.modules import Manifest
from odoo.tests import tagged
from odoo.tests.common import new_test_user

from ...models.control.authority_rights import RIGHT_GROUPS
from ...models.evidence import facts as amazon_evidence_facts
from ...report import evidence_text
from ...spapi.excerpts import OTHER_ORDER, WHOLE_FEED
from ...verify_journal import verify
from ..common import (
    CLAIMED,
    GIFT_WRAPPED,
    MCF,
    PARTLY_REFUNDED,
    PROMOTION,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

BUYER = "buyer-4711@marketplace.amazon.de"
COMPLAINT = "Der Kessel ist undicht."
ANSWER = "Das tut uns leid, wir erstatten Ihnen den Kaufpreis."
NOTE = "Der Kunde hat schon zweimal reklamiert."


class EvidenceCommon(AmazonOrderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.buyer = cls.env["res.partner"].create(
            {"name": "Berta Beispiel", "email": BUYER}
        )
        cls.company.partner_id.tz = "Europe/Berlin"
        cls.agent.name = "Anna Agentin"
        # who reads sale orders and the journal
        cls.reader = cls._create_user(
            "amazon_reader",
            "sales_team.group_sale_manager",
            "amazon_order_actions.group_journal",
        )

    # === WHAT IS WRITTEN === #

    def create_case(self, ref=SHIPPED, **values):
        return self.create_sale_order(ref, partner_id=self.buyer.id, **values)

    def create_told_case(self):
        """A complaint that was answered, and a refund that Amazon confirms."""
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=83)
        self.answer(sale_order)
        self.ask_refund(sale_order)
        self.settle()
        return sale_order

    def receive(self, sale_order, body=f"<p>{COMPLAINT}</p>", minutes_ago=0, **values):
        """Let a mail of the buyer come in."""
        return sale_order.message_post(
            **{
                "body": body,
                "body_is_html": True,
                "message_type": "email",
                "subtype_xmlid": "mail.mt_comment",
                "author_id": self.buyer.id,
                "email_from": f'"Berta Beispiel" <{BUYER}>',
                "date": fields.Datetime.now() - timedelta(minutes=minutes_ago),
                **values,
            }
        )

    def answer(self, sale_order, body=ANSWER, sent=True, **values):
        """Let an agent answer, by a mail to the buyer that leaves."""
        message = sale_order.with_user(self.agent).message_post(
            body=body,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=self.buyer.ids if sent else [],
            **values,
        )
        self.let_leave(message)
        return message

    def let_leave(self, message):
        """Let the mail of a message leave, as Odoo writes it down when it has."""
        message.sudo().mail_ids._postprocess_sent_message([], [])

    def reply(self, sale_order):
        """Let an agent answer by the dialog, and return the mail, which waits."""
        self.account.approved_sender = "amazon@nordlicht.example"
        self.env["ir.mail_server"].search([]).active = False
        request = self.open_request(sale_order, "reply")
        request.write({"subject": SHIPPED, "text": ANSWER})
        request.action_send()
        return sale_order.message_ids.filtered("outgoing_email_to")[:1]

    def note(self, sale_order, body=NOTE):
        """Let an agent write something down for colleagues."""
        return sale_order.with_user(self.agent).message_post(
            body=body, message_type="comment", subtype_xmlid="mail.mt_note"
        )

    # === WHAT IS MADE === #

    def as_user(self, document, user):
        return document.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    def make(self, document, user=None, **options):
        """Make a pack as a user does.

        :return: text of the PDF, and the files of the ZIP by name
        """
        pdf, packed = self.make_files(document, user, **options)
        return self.text_of(pdf._bytes()), self.files_of(packed._bytes())

    def make_files(self, document, user=None, **options):
        document = self.as_user(document, user or self.agent)
        return document.env["amazon.evidence"]._make(document, **options).sudo()

    def text_of(self, pdf):
        """Return the text of a PDF, with all blanks alike."""
        return " ".join(" ".join(self.pages_of(pdf)).split())

    def pages_of(self, pdf):
        return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]

    def files_of(self, packed):
        archive = zipfile.ZipFile(io.BytesIO(packed))
        return {name: archive.read(name) for name in archive.namelist()}

    def plain(self, files):
        """Return all that stands in the files of a ZIP beside the PDF."""
        return "".join(
            f"{name}\n{content.decode()}\n"
            for name, content in files.items()
            if not name.endswith(".pdf")
        )

    def facts(self, document):
        document = self.as_user(document, self.agent)
        return document.env["amazon.evidence"]._facts(document, True, False)

    def happened(self, document):
        return [event.what for event in self.facts(document).events]


@tagged("post_install", "-at_install")
class TestEvidence(EvidenceCommon):
    """What the PDF tells: readable without Odoo, and never more than is known."""

    def test_it_tells_a_refund_from_the_buyers_mail_to_amazons_records(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=83)
        self.answer(sale_order)
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        text, _files = self.make(sale_order, language="en")
        refund = action.order_id.refund_ids[0]
        for expected in (
            SHIPPED,
            "Amazon.de (Germany)",
            "Nordlicht Wohnen",
            "Anna Agentin",
            "1 h 23 min (within the 24 hours that Amazon asks for)",
            "Refund of €44.94",
            "Amazon's own financial records show this refund.",
            action.name,
            action.feed_ref,
            refund.adjustment_ref,
            f"{action.name}-{action.line_ids[0].id}",
            action.feed_id.payload_digest,
            action.feed_id.report_digest,
            "00340434161094042557",
            "€39.95",
            "€4.99",
            COMPLAINT,
            ANSWER,
            "Europe/Berlin",
            "UTC",
        ):
            self.assertIn(expected, text)

    def test_events_stand_in_the_order_in_which_they_happened(self):
        sale_order = self.create_told_case()
        facts = self.facts(sale_order)
        moments = [event.at for event in facts.events]
        self.assertEqual(moments, sorted(moments))
        mine = ["purchased", "received", "answered", "queued", "sending", "submitted"]
        self.assertEqual([event.what for event in facts.events][:6], mine)
        # what Amazon has posted comes before what it confirms
        whats = [event.what for event in facts.events]
        self.assertLess(whats.index("posted"), whats.index("confirmed"))
        known = [event.what for event in facts.events if event.request]
        self.assertEqual(
            known, ["queued", "sending", "submitted", "accepted", "confirmed"]
        )

    def test_who_did_it_is_a_person_or_amazon_or_the_software(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.settle()
        by = {event.what: event.who for event in self.facts(sale_order).events}
        self.assertEqual(by["queued"], "Anna Agentin")
        self.assertEqual(by["sending"], "software")
        self.assertEqual(by["accepted"], "amazon")
        self.assertEqual(by["posted"], "amazon")

    def test_it_is_in_the_language_of_the_marketplace(self):
        headings = {
            PROMOTION: ("At a glance", "Page 1 of"),
            SHIPPED: ("Auf einen Blick", "Seite 1 von"),
        }
        for ref, (heading, page) in headings.items():
            text, _files = self.make(self.create_case(ref))
            self.assertIn(heading, text)
            self.assertIn(page, text)

    def test_each_language_can_be_chosen_though_none_is_installed(self):
        sale_order = self.create_told_case()
        self.assertFalse(self.env["res.lang"]._get_data(code="fr_FR"))
        expected = {
            "en": "Amazon has processed it and reported no error.",
            "de": "Amazon hat es verarbeitet und keinen Fehler gemeldet.",
            "fr": "Amazon l’a traité sans signaler d’erreur.",
            "es": "Amazon lo ha procesado sin comunicar ningún error.",
        }
        for language, sentence in expected.items():
            pdf, packed = self.make_files(sale_order, language=language)
            self._keep(f"refund-{language}", pdf, packed)
            text = self.text_of(pdf._bytes())
            self.assertIn(sentence, text)
            for other, theirs in expected.items():
                if other != language:
                    self.assertNotIn(theirs, text)

    def _keep(self, name, *files):
        """Leave the files for whoever wants to look at them."""
        folder = os.environ.get("AMAZON_EVIDENCE_FOLDER")
        for file in files if folder else ():
            suffix = file.mimetype.rpartition("/")[2]
            Path(folder, f"{name}.{suffix}").write_bytes(file._bytes())

    def test_every_term_is_translated(self):
        addon = Path(Manifest.for_addon("amazon_order_actions").path)
        terms = {
            ast.literal_eval(node.args[0])
            for path in (addon / "report").glob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_lt"
        }
        self.assertGreater(len(terms), 150)
        for language in ("de", "fr", "es"):
            catalog = polib.pofile(str(addon / "i18n" / f"{language}.po"))
            done = {entry.msgid for entry in catalog if entry.translated()}
            self.assertFalse(terms - done, language)
        # Odoo takes a translation only of what is in the template.
        template = polib.pofile(str(addon / "i18n/amazon_order_actions.pot"))
        self.assertFalse(terms - {entry.msgid for entry in template})

    def test_each_page_has_the_order_and_its_number(self):
        sale_order = self.create_case()
        self.receive(sale_order, "<p>Zeile</p>" * 150)
        pdf, _packed = self.make_files(sale_order, language="de")
        pages = self.pages_of(pdf._bytes())
        self.assertGreater(len(pages), 2)
        for number, text in enumerate(pages, start=1):
            self.assertIn(SHIPPED, text)
            self.assertIn(f"Seite {number} von {len(pages)}", text)
            self.assertIn("Erstellt am", text)

    def test_it_is_small(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.settle()
        pdf, packed = self.make_files(sale_order)
        self.assertLess(pdf.size, 120_000)
        self.assertLess(packed.size, 120_000)

    def test_us_orders_are_on_letter_and_others_on_a4(self):
        sale_order = self.create_case()
        pdf, _packed = self.make_files(sale_order)
        box = PdfReader(io.BytesIO(pdf._bytes())).pages[0].mediabox
        self.assertEqual([round(box.width), round(box.height)], [595, 842])
        sale_order._get_amazon_order().marketplace = "ATVPDKIKX0DER"
        pdf, _packed = self.make_files(sale_order)
        box = PdfReader(io.BytesIO(pdf._bytes())).pages[0].mediabox
        self.assertEqual([round(box.width), round(box.height)], [612, 792])

    # === OUTCOMES === #

    def test_queued_is_not_told_as_more(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        text, files = self.make(sale_order, language="en")
        self.assertIn("Amazon has nothing yet.", text)
        self.assertNotIn("Amazon has processed it", text)
        self.assertFalse([name for name in files if name.startswith("amazon/")])
        self.assertIn("Requested, not shown yet €44.94", text)

    def test_accepted_is_not_told_as_confirmed(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=99 * 24 * 3600, quotas=False
        )
        sale_order = self.create_case()
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "accepted")
        text, _files = self.make(sale_order, language="en")
        self.assertIn("This is not yet a proof that it was executed.", text)
        self.assertNotIn("financial records show this refund", text)
        self.assertIn("Refunded, as Amazon shows €0.00", text)

    def test_rejected_is_told_with_amazons_words(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.simulator.fault(
            "report_error", order_id=SHIPPED, code="13057", text="Not <b>eligible</b>"
        )
        self.settle()
        text, _files = self.make(sale_order, language="en")
        self.assertIn("Amazon has rejected it. It was not executed.", text)
        self.assertIn("Code 13057: Not <b>eligible</b>", text)

    def test_unknown_is_told_as_unknown(self):
        sale_order = self.create_case()
        action = self.ask_refund(sale_order)
        self.simulator.fault("fatal")
        self.settle()
        self.assertEqual(action.state, "unknown")
        text, _files = self.make(sale_order, language="en")
        self.assertIn("It is not known whether Amazon has executed it.", text)
        self.assertNotIn("reported no error", text)

    def test_claim_is_told_and_what_was_not_read_is_not_called_none(self):
        text, _files = self.make(self.create_case(CLAIMED), language="en")
        self.assertIn("A-to-z claim Found in Amazon's financial records", text)
        sale_order = self.create_case()
        sale_order._get_amazon_order().finances_state = "failed"
        text, _files = self.make(sale_order, language="en")
        self.assertIn("A-to-z claim Not known", text)

    def test_refund_from_elsewhere_is_told_as_such(self):
        text, _files = self.make(self.create_case(PARTLY_REFUNDED), language="en")
        self.assertIn("Amazon's financial records show a refund of €59.50.", text)
        self.assertIn("Not from here (for instance Seller Central)", text)

    def require_approval(self):
        """Have refunds wait for a second person, and return that one."""
        self.env["amazon.authority"].create(
            {
                "company_id": self.company.id,
                "right": "refund",
                "group_id": self.env.ref("amazon_order_actions.group_refund").id,
                "limit_action": 1,
            }
        )
        approver = self._create_user(
            "amazon_approver",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_approve",
        )
        approver.name = "Bert Zweitperson"
        return approver

    def test_approval_is_told_with_who_gave_it(self):
        approver = self.require_approval()
        sale_order = self.create_case()
        action = self.ask_refund(sale_order)
        self.assertEqual(action.state, "to_approve")
        self.as_user(action.approval_id, approver).action_approve()
        self.assertEqual(self.happened(sale_order)[-2:], ["to_approve", "approved"])
        text, _files = self.make(sale_order, language="en")
        self.assertIn("A second person approved it.", text)
        self.assertIn("Approved by Bert Zweitperson", text)

    def test_internal_words_of_a_refusal_are_told_by_nothing_but_the_journal(self):
        approver = self.require_approval()
        sale_order = self.create_case()
        action = self.ask_refund(sale_order, note="NOTE-OF-THE-AGENT")
        limits = action.state_message
        self.assertIn("limit", action.approval_id.why)
        self.as_user(action.approval_id, approver).action_refuse("NEVER-THAT-BUYER")
        self.assertEqual(action.state, "refused")
        text, files = self.make(sale_order, language="en", with_notes=False)
        self.assertIn("A second person refused it. Nothing was sent", text)
        everything = text + self.plain(files)
        for words in (
            "NEVER-THAT-BUYER",
            "NOTE-OF-THE-AGENT",
            action.approval_id.why,
            limits,
            self.agent.login,
            approver.login,
        ):
            self.assertNotIn(words, everything)
        _text, files = self.make(sale_order, self.reader, with_journal=True)
        self.assertIn("NEVER-THAT-BUYER", self.plain(files))

    def test_order_from_elsewhere_has_no_amounts(self):
        sale_order = self.create_case(MCF)
        order = sale_order._get_amazon_order()
        order.channel = "mcf"
        text, _files = self.make(sale_order, language="en")
        self.assertNotIn("A-to-z claim", text)
        self.assertIn("Multi-Channel Fulfillment", text)

    # === THE CONVERSATION === #

    def test_without_the_tick_nothing_of_the_conversation_is_in_it(self):
        sale_order = self.create_case()
        self.receive(sale_order)
        self.answer(sale_order)
        self.note(sale_order)
        text, files = self.make(sale_order, with_messages=False)
        everything = text + "".join(
            content.decode("latin1")
            for name, content in files.items()
            if not name.endswith(".pdf")
        )
        for words in (COMPLAINT, ANSWER, NOTE):
            self.assertNotIn(words, everything)
        self.assertNotIn("messages.txt", files)
        # that the buyer wrote is told all the same, but not what
        self.assertIn("received", self.happened(sale_order))

    def test_internal_notes_are_in_it_only_where_a_tick_says_so(self):
        sale_order = self.create_case()
        self.receive(sale_order)
        self.note(sale_order)
        text, files = self.make(sale_order)
        self.assertIn(COMPLAINT, text)
        self.assertNotIn(NOTE, text + files["messages.txt"].decode())
        text, files = self.make(sale_order, with_notes=True, language="en")
        self.assertIn(NOTE, text)
        self.assertIn("Internal note of the seller (Anna Agentin)", text)

    def test_what_did_not_go_to_the_buyer_is_no_answer(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=30)
        self.answer(sale_order, "Nur auf dem Auftrag.", sent=False)
        self.assertIsNone(self.facts(sale_order).answer_seconds())
        text, _files = self.make(sale_order, language="en")
        self.assertIn("No answer is known to have left.", text)
        self.assertIn("(not known to have left for the buyer)", text)

    def test_mail_counts_as_an_answer_only_once_it_has_left(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=30)
        message = self.answer(sale_order)
        text, _files = self.make(sale_order, language="en")
        self.assertIn("30 min (within the 24 hours", text)
        self.assertIn("It has left since; the time at which it left is not", text)
        for status in ("ready", "process", "exception", "bounce", "canceled"):
            message.sudo().notification_ids.notification_status = status
            with self.subTest(status=status):
                self.assertIsNone(self.facts(sale_order).answer_seconds())
                self.assertNotIn("answered", self.happened(sale_order))

    def test_reply_of_the_dialog_counts_as_an_answer_only_once_it_has_left(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=30)
        message = self.reply(sale_order)
        self.assertEqual(self.happened(sale_order).count("written"), 1)
        self.assertIsNone(self.facts(sale_order).answer_seconds())
        text, _files = self.make(sale_order, language="en")
        self.assertIn("No answer is known to have left.", text)
        self.assertNotIn("It has left since", text)
        self.let_leave(message)
        self.assertEqual(self.happened(sale_order).count("left"), 1)
        self.assertNotIn("written", self.happened(sale_order))
        text, _files = self.make(sale_order, language="en")
        self.assertIn("min (within the 24 hours", text)
        message.sudo().notification_ids.notification_status = "exception"
        self.assertIsNone(self.facts(sale_order).answer_seconds())

    def test_answer_after_a_day_is_not_told_as_in_time(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=25 * 60)
        self.answer(sale_order)
        text, _files = self.make(sale_order, language="en")
        self.assertIn("1 d 1 h", text)
        self.assertIn("Amazon asks for an answer within 24 hours", text)

    def test_mail_cannot_come_later_than_it_was_received(self):
        sale_order = self.create_case()
        message = self.receive(sale_order, minutes_ago=-3 * 24 * 60)
        [event] = [e for e in self.facts(sale_order).events if e.what == "received"]
        self.assertEqual(event.at, message.create_date)

    def test_nobody_here_can_date_back_what_was_written(self):
        sale_order = self.create_case()
        self.receive(sale_order, minutes_ago=30 * 60)
        earlier = fields.Datetime.now() - timedelta(hours=29)
        answer = self.answer(sale_order, date=earlier)
        note = self.note(sale_order)
        note.sudo().date = earlier
        reply = self.reply(sale_order)
        self.let_leave(reply)
        reply.sudo().date = earlier
        self.assertEqual(answer.date, earlier)
        facts = self.as_user(sale_order, self.agent).env["amazon.evidence"]
        facts = facts._facts(sale_order.with_user(self.agent), True, True)
        self.assertGreater(facts.answer_seconds(), 29.5 * 3600)
        written = [m.at for m in facts.messages if m.who in ("seller", "note")]
        self.assertEqual(written, [answer.create_date] * 3)

    def test_message_through_amazon_is_in_it_once_amazon_has_it(self):
        self.account.messaging_enabled = True
        sale_order = self.create_case()
        request = self.open_request(sale_order, "reply")
        words = "Der Karton war beschädigt, wir packen neu."
        request.write({"way": "message", "text": words})
        request.action_send()
        text, _files = self.make(sale_order, language="en")
        self.assertNotIn(words, text)
        self.settle()
        self.assertEqual(self.last_action().state, "accepted")
        self.receive(sale_order, minutes_ago=10)
        self.assertIsNotNone(self.facts(sale_order).first("received"))
        text, _files = self.make(sale_order, language="en")
        self.assertIn(words, text)
        self.assertIn("Amazon does not tell whether the buyer has read it.", text)

    def test_mail_of_somebody_else_is_not_called_the_buyers(self):
        sale_order = self.create_case()
        carrier = self.env["res.partner"].create(
            {"name": "Carrier", "email": "info@carrier.example"}
        )
        self.receive(
            sale_order,
            "Wir haben zugestellt.",
            author_id=carrier.id,
            email_from="info@carrier.example",
        )
        text, _files = self.make(sale_order, language="en")
        self.assertIn("Another sender (Carrier)", text)
        self.assertNotIn("received", self.happened(sale_order))

    def test_buyer_of_another_order_is_not_called_the_buyer(self):
        """Though that one writes from an address that Amazon made, too."""
        sale_order = self.create_case()
        other = self.env["res.partner"].create(
            {"name": "Otto", "email": "other-0815@marketplace.amazon.de"}
        )
        self.receive(
            sale_order,
            "Wo ist es?",
            author_id=other.id,
            email_from=other.email,
            date=None,
        )
        text, _files = self.make(sale_order, language="en")
        self.assertIn("Another sender (Otto)", text)
        self.assertNotIn("received", self.happened(sale_order))

    def test_who_was_the_customer_before_is_not_called_the_buyer_any_more(self):
        sale_order = self.create_case()
        self.receive(sale_order)
        self.assertIn("received", self.happened(sale_order))
        other = self.env["res.partner"].create({"name": "O", "email": "o@x.example"})
        sale_order.partner_id = other
        text, _files = self.make(sale_order, language="en")
        self.assertIn("Another sender (Berta Beispiel)", text)
        self.assertNotIn("received", self.happened(sale_order))

    # === TEXTS OF OTHERS === #

    def test_markup_in_texts_is_shown_and_never_read(self):
        sale_order = self.create_case()
        bad = (
            "&lt;b&gt;fett&lt;/b&gt; &amp; "
            "&lt;img src=&quot;file:///etc/passwd&quot;/&gt; "
            "&lt;font name=&quot;x&quot;&gt; ${object.company_id} {{ 7*7 }} "
            "&lt;a href=&quot;http://evil.example&quot;&gt;"
        )
        self.receive(
            sale_order,
            f'<p>{bad}</p><script>alert("script")</script><style>p{{}}</style>'
            '<img src="http://127.0.0.1:9/pixel.png"/>'
            '<p style="color:red" onclick="x()">Ende</p>',
        )
        self.answer(sale_order, "</para><para>& <br> <unknown>")
        pdf, _packed = self.make_files(sale_order)
        text = self.text_of(pdf._bytes())
        self.assertIn("<b>fett</b> &", text)
        self.assertIn('<img src="file:///etc/passwd"/>', text)
        self.assertIn("${object.company_id} {{ 7*7 }}", text)
        self.assertIn("</para><para>& <br> <unknown>", text)
        self.assertNotIn("alert", text)
        self.assertNotIn("root:", text)
        for page in PdfReader(io.BytesIO(pdf._bytes())).pages:
            self.assertFalse(page.images)
            self.assertFalse(page.annotations)

    def test_markup_in_item_titles_and_names_is_shown_and_never_read(self):
        sale_order = self.create_case()
        order = sale_order._get_amazon_order()
        order.line_ids.title = "Kessel <img src='file:///etc/passwd'> & Co. <b>"
        self.agent.name = "Anna <i>&"
        self.account.name = "Shop <font color=red> %(x)s %s"
        self.ask_refund(sale_order)
        text, _files = self.make(sale_order)
        self.assertIn("<img src='file:///etc/passwd'> & Co. <b>", text)
        self.assertIn("Anna <i>&", text)
        self.assertIn("Shop <font color=red> %(x)s %s", text)

    def test_long_words_and_long_mails_are_cut_with_a_sentence(self):
        sale_order = self.create_case()
        self.receive(sale_order, "W" * 5000 + "<br>" + "<br>".join(["Zeile"] * 10_000))
        pdf, packed = self.make_files(sale_order, language="en")
        self.assertIn("Cut here:", self.text_of(pdf._bytes()))
        self.assertLess(len(self.pages_of(pdf._bytes())), 20)
        whole = self.files_of(packed._bytes())["messages.txt"].decode()
        self.assertEqual(whole.count("Zeile"), 10_000)

    def test_many_messages_are_bounded_and_said_to_be(self):
        sale_order = self.create_case()
        for _number in range(12):
            self.receive(sale_order, "lang " * 2200)
        self.receive(sale_order, "Ende")
        self.patch(amazon_evidence_facts, "MAX_MESSAGES", 12)
        text, files = self.make(sale_order, language="en")
        self.assertIn("later messages are in the file messages.txt", text)
        self.assertIn("1 later messages are not part of this document", text)
        self.assertNotIn("Ende", files["messages.txt"].decode())

    def test_signs_that_no_font_has_do_not_stop_it(self):
        sale_order = self.create_case()
        words = "Zażółć ğış Ελληνικά Привет 日本語 שלום مرحبا 😀 \u202etxet\u202c"
        self.receive(sale_order, f"<p>{words}</p>")
        pdf, packed = self.make_files(sale_order, language="en")
        text = self.text_of(pdf._bytes())
        for shown in ("Zażółć", "ğış", "Ελληνικά", "Привет"):
            self.assertIn(shown, text)
        self.assertIn("10 signs cannot be shown here", text)
        whole = self.files_of(packed._bytes())["messages.txt"].decode()
        self.assertIn("שלום مرحبا 😀", whole)
        self.assertNotIn("\u202e", whole)
        self._keep("signs", pdf)

    def test_text_of_a_mail_keeps_its_lines_and_nothing_hidden(self):
        text = evidence_text.from_html(
            "<div>Guten Tag,<br>mein <b>Kessel</b></div><p>ist&nbsp;kaputt.</p>"
            "<ul><li>eins</li><li>zwei</li></ul><!-- c --> und <title>t</title>"
            "<table><tr><td>a</td><td>b</td></tr></table>\x00\x07"
        )
        lines = "Guten Tag,\nmein Kessel\n\nist\xa0kaputt.\n\neins\nzwei\n\nund\n\na b"
        self.assertEqual(text, lines)
        self.assertEqual(evidence_text.from_html(False), "")
        self.assertEqual(evidence_text.from_html("<p></p>"), "")


@tagged("post_install", "-at_install")
class TestEvidenceFiles(EvidenceCommon):
    """What the ZIP holds, and how it is checked."""

    def refund_two(self):
        """Refund two orders in one feed."""
        first, second = self.create_case(), self.create_case(GIFT_WRAPPED)
        actions = self.ask_refund(first) | self.ask_refund(second)
        self.simulator.fault(
            "report_error",
            order_id=GIFT_WRAPPED,
            code="13057",
            text=f"Order {GIFT_WRAPPED} is not eligible",
        )
        self.settle()
        self.assertEqual(len(actions.feed_id), 1)
        return first, second, actions.feed_id

    def test_documents_are_byte_by_byte_what_was_sent_and_answered(self):
        sale_order = self.create_case()
        action = self.ask_refund(sale_order)
        self.settle()
        _text, files = self.make(sale_order)
        feed = action.feed_id
        sent = files[f"amazon/feed-{feed.feed_ref}-sent.xml"]
        answer = files[f"amazon/feed-{feed.feed_ref}-answer.xml"]
        self.assertEqual(hashlib.sha256(sent).hexdigest(), feed.payload_digest)
        self.assertEqual(hashlib.sha256(answer).hexdigest(), feed.report_digest)

    def test_nothing_of_another_order_in_the_same_feed_is_told(self):
        first, second, feed = self.refund_two()
        for sale_order, other in ((first, GIFT_WRAPPED), (second, SHIPPED)):
            mine = sale_order.amazon_order_ref
            text, files = self.make(sale_order, language="en")
            sent = files[f"amazon/feed-{feed.feed_ref}-sent.xml"].decode()
            self.assertIn(mine, sent)
            self.assertEqual(sent.count("<MessageID>"), 1)
            self.assertIn("Excerpt", sent)
            self.assertIn(feed.payload_digest, text)
            packed = "".join(
                content.decode("latin1")
                for name, content in files.items()
                if not name.endswith(".pdf")
            )
            order = self.env["amazon.order"].search([("amazon_order_ref", "=", other)])
            for secret in (
                other,
                *order.line_ids.mapped("amazon_item_ref"),
                *order.line_ids.mapped("sku"),
                *order.action_ids.mapped("name"),
            ):
                self.assertNotIn(secret, text)
                self.assertNotIn(secret, packed)

    def test_amazons_words_about_a_feed_with_other_orders_are_left_out(self):
        first, _second, feed = self.refund_two()
        report = feed.report_file_id._bytes().replace(
            b"</ProcessingSummary>",
            b"</ProcessingSummary><Result><MessageID>0</MessageID>"
            b"<ResultCode>Warning</ResultCode><ResultMessageCode>1</ResultMessageCode>"
            b"<ResultDescription>See SKU-4711</ResultDescription></Result>",
        )
        self.tamper(feed.report_file_id, report)
        _text, files = self.make(first)
        answer = files[f"amazon/feed-{feed.feed_ref}-answer.xml"].decode()
        self.assertIn(WHOLE_FEED, answer)
        self.assertNotIn("SKU-4711", answer)

    def test_amazons_words_about_a_feed_of_one_order_are_kept(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.settle()
        feed = self.last_action().feed_id
        report = feed.report_file_id._bytes().replace(
            b"</ProcessingSummary>",
            b"</ProcessingSummary><Result><MessageID>0</MessageID>"
            b"<ResultCode>Warning</ResultCode><ResultMessageCode>1</ResultMessageCode>"
            b"<ResultDescription>See SKU-4711</ResultDescription></Result>",
        )
        self.tamper(feed.report_file_id, report)
        _text, files = self.make(sale_order)
        answer = files[f"amazon/feed-{feed.feed_ref}-answer.xml"]
        self.assertEqual(answer, report)

    def test_number_of_another_order_in_amazons_words_is_masked_in_the_pdf(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        words = f"{SHIPPED} is as wrong as {GIFT_WRAPPED}"
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text=words)
        self.settle()
        self.assertIn(GIFT_WRAPPED, self.last_action().amazon_text)
        text, _files = self.make(sale_order, language="en")
        self.assertIn(f"{SHIPPED} is as wrong as {OTHER_ORDER}", text)
        self.assertNotIn(GIFT_WRAPPED, text)

    def test_file_that_was_changed_or_is_gone_is_told(self):
        sale_order = self.create_case()
        action = self.ask_refund(sale_order)
        self.settle()
        payload, report = action.feed_id.payload_file_id, action.feed_id.report_file_id
        self.tamper(payload, payload._bytes() + b"\n")
        text, _files = self.make(sale_order, language="en")
        self.assertIn("It does not match the digest any more", text)
        payload._remove()
        self.tamper(report, b"<html>")
        text, files = self.make(sale_order, language="en")
        self.assertEqual(text.count("Not in the ZIP"), 2)
        self.assertIn(action.feed_id.payload_digest, text)
        self.assertFalse([name for name in files if name.startswith("amazon/")])

    def test_all_digests_agree(self):
        sale_order = self.create_case()
        self.receive(sale_order)
        self.ask_refund(sale_order)
        self.settle()
        pdf, packed = self.make_files(sale_order)
        files = self.files_of(packed._bytes())
        sums = dict(
            reversed(line.split("  "))
            for line in files.pop("SHA256SUMS.txt").decode().splitlines()
        )
        digests = {n: hashlib.sha256(c).hexdigest() for n, c in files.items()}
        self.assertEqual(sums, digests)
        [name] = [name for name in files if name.endswith(".pdf")]
        self.assertEqual(files[name], pdf._bytes())
        text = self.text_of(pdf._bytes())
        for name, digest in digests.items():
            if not name.endswith(".pdf"):
                self.assertIn(digest, text, name)

    def test_making_it_is_journaled_with_the_digests(self):
        sale_order = self.create_case()
        pdf, packed = self.make_files(sale_order)
        entry = self.env["amazon.audit.entry"].search([("event", "=", "evidence")])
        self.assertEqual(entry.user_id, self.agent)
        self.assertEqual(entry.amazon_order_ref, SHIPPED)
        self.assertEqual(entry.origin_name, sale_order.name)
        self.assertEqual(
            json.loads(entry.value_after),
            {
                "pdf": hashlib.sha256(pdf._bytes()).hexdigest(),
                "zip": hashlib.sha256(packed._bytes()).hexdigest(),
            },
        )

    def test_journal_of_the_order_can_be_checked_without_odoo(self):
        sale_order = self.create_case()
        other = self.create_case(UNSHIPPED)
        self.ask_refund(sale_order)
        self.ask_cancel(other)
        self.settle()
        self.env.flush_all()
        self.env["amazon.audit.link"]._seal(self.company)
        self.env.invalidate_all()
        text, files = self.make(
            sale_order, self.reader, language="en", with_journal=True
        )
        lines = files["journal/journal.jsonl"].decode().splitlines()
        report = verify(lines)
        self.assertTrue(report.holds)
        self.assertEqual(files["journal/verification.txt"].decode(), report.text())
        rows = [json.loads(line) for line in lines][1:]
        self.assertEqual({row["amazon_order_ref"] for row in rows}, {SHIPPED})
        self.assertTrue(all(row["number"] for row in rows))
        for row in rows:
            self.assertIn(row["entry_digest"], text)
        head = self.env["amazon.audit.link"]._head(self.company.id)
        self.assertIn(head.hash, text)
        self.assertNotIn("not linked into the chain", text)
        self.assertIn(b"def verify(", files["journal/verify_journal.py"])
        self.assertIn("holds the journal's", text)
        self.assertNotIn("can be had from whoever", text)

    def test_pack_without_the_entries_has_their_digests_and_says_who_has_them(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.settle()
        # also for who may read the journal, and has not ticked it
        for user in (self.agent, self.reader):
            text, files = self.make(sale_order, user, language="en")
            names = {name for name in files if name.startswith("journal/")}
            self.assertEqual(names, {"journal/digests.txt", "journal/verification.txt"})
            listed = files["journal/digests.txt"].decode()
            entries = self.env["amazon.audit.entry"].search(
                [("amazon_order_ref", "=", SHIPPED), ("event", "!=", "evidence")]
            )
            for entry in entries:
                self.assertIn(entry.digest, listed)
                self.assertIn(entry.digest, text)
            said = "can be had from whoever at the seller may read the journal"
            self.assertIn(said, text)
            self.assertIn(said, listed)
            self.assertNotIn(self.agent.login, text + self.plain(files))

    def check_journal(self, state="holds", number=4711, days_ago=0):
        """Have a check of the whole journal made that ended so."""
        at = fields.Datetime.now() - timedelta(days=days_ago)
        return self.env["amazon.audit.check"].create(
            {
                "company_id": self.company.id,
                "state": state,
                "started_at": at,
                "finished_at": state != "running" and at,
                "progress": {"number": number},
            }
        )

    def test_what_is_told_of_the_whole_journal_is_its_last_check(self):
        fits = "Each entry on this order fits its digest, and its seal in the chain."
        found_none = "found no entry changed, left out or put in"
        found = "found problems. Until they are explained, nothing shows"
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.settle()
        self.env["amazon.audit.check"].search([]).unlink()
        self.check_journal("running")
        elsewhere = self._create_company(name="Elsewhere")
        self.check_journal().company_id = elsewhere
        text, _files = self.make(sale_order, language="en")
        self.assertIn("The whole journal has not been checked yet.", text)
        self.assertNotIn(fits, text)
        self.check_journal("broken", days_ago=2)
        text, _files = self.make(sale_order, language="en")
        self.assertIn(found, text)
        self.assertNotIn(fits, text)
        self.assertNotIn(found_none, text)
        self.check_journal("holds", number=7, days_ago=1)
        # one that takes long, or is not finished, is not the last
        self.check_journal("broken", days_ago=3)
        self.check_journal("running")
        text, _files = self.make(sale_order, language="en")
        self.assertIn(fits, text)
        self.assertIn("up to number 7, found no entry changed", text)
        self.assertRegex(text, r"\d+ of the entries on this order are later than that")

    def test_entry_that_was_changed_is_told_whatever_the_last_check_said(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.check_journal()
        with patch(
            "odoo.addons.amazon_order_actions.verify_journal.entry_digest",
            return_value="0" * 64,
        ):
            text, files = self.make(sale_order, language="en")
        self.assertIn("The check found a problem; the file verification.txt", text)
        self.assertNotIn("fits its digest", text)
        self.assertIn(
            b"does not match its own digest", files["journal/verification.txt"]
        )

    def test_entries_that_are_not_sealed_yet_are_told(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        self.check_journal()
        text, files = self.make(sale_order, language="en")
        self.assertIn("1 of them are not linked into the chain yet.", text)
        self.assertIn(b"Not sealed yet: 1.", files["journal/verification.txt"])

    def test_document_has_both_files_once_and_a_note_without_the_buyers_words(self):
        sale_order = self.create_case()
        self.receive(sale_order)
        pdf, packed = self.make_files(sale_order)
        for file in (pdf, packed):
            self.assertEqual(file.res_model, "sale.order")
            self.assertEqual(file.res_id, sale_order.id)
        note = sale_order.message_ids[0]
        self.assertFalse(note.attachment_ids)
        self.assertIn(pdf.name, note.body)
        self.assertNotIn("href", note.body)
        self.assertTrue(note.subtype_id.internal)
        self.assertEqual(note.author_id, self.agent.partner_id)
        self.assertNotIn(COMPLAINT, note.body)
        self.assertFalse(note.notification_ids)
        found = self.env["amazon.file"].search(
            [("res_model", "=", "sale.order"), ("res_id", "=", sale_order.id)]
        )
        self.assertEqual(found, pdf | packed)
        attachments = self.env["ir.attachment"].search(
            [("res_model", "=", "sale.order"), ("res_id", "=", sale_order.id)]
        )
        self.assertFalse(attachments)

    def test_it_asks_little_of_the_database(self):
        sale_order = self.create_case()
        for _number in range(5):
            self.receive(sale_order)
        self.ask_refund(sale_order)
        self.settle()
        self.make(sale_order)
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.make(sale_order)
        self.assertLess(self.env.cr.sql_log_count - before, 80)


@tagged("post_install", "-at_install")
class TestEvidenceAccess(EvidenceCommon):
    """Who may make it, and who may read it afterwards."""

    def open(self, document, user):
        action = self.as_user(document, user).action_amazon_evidence()
        return (
            self.env["amazon.evidence.request"]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
            .browse(action["res_id"])
        )

    def test_dialog_offers_the_marketplaces_language_and_gives_both_files(self):
        sale_order = self.create_case()
        request = self.open(sale_order, self.agent)
        self.assertEqual(request.language, "de")
        self.assertTrue(request.with_messages)
        self.assertFalse(request.with_notes)
        request.language = "fr"
        action = request.action_pdf()
        self.assertEqual(action["type"], "ir.actions.act_url")
        files = self.env["amazon.file"].search([("res_id", "=", sale_order.id)])
        pdf = files.filtered(lambda each: each.mimetype == "application/pdf")
        self.assertEqual(action["url"], f"/amazon_order_actions/file/{pdf.id}")
        self.assertIn("En bref", self.text_of(pdf._bytes()))
        zip_url = request.action_zip()["url"]
        self.assertNotEqual(zip_url, action["url"])

    def test_it_can_be_made_from_any_document_and_from_the_amazon_order(self):
        case = self.create_case()
        self.receive(case)
        other = self.create_sale_order(SHIPPED)
        for document in (other, case._get_amazon_order()):
            self.open(document, self.agent).action_zip()
            files = self.env["amazon.file"].search(
                [("kind", "=", "pack"), ("res_model", "=", document._name)]
            )
            self.assertEqual(len(files), 2)
            text, files = self.make(document)
            # what was written on a document stays with those who may read it
            self.assertNotIn(COMPLAINT, text + str(files))

    def test_who_has_none_of_the_rights_is_refused(self):
        sale_order = self.create_case()
        with self.assertRaises(AccessError):
            self.open(sale_order, self.trainee)
        with self.assertRaises(AccessError):
            self.make(sale_order, self.trainee)
        with self.assertRaises(AccessError):
            self.as_user(sale_order, self.trainee).sudo().env["amazon.evidence"]._make(
                sale_order
            )

    def test_each_of_the_rights_is_enough_with_the_right_to_read(self):
        sale_order = self.create_case()
        for name in RIGHT_GROUPS:
            user = self._create_user(
                f"amazon_only_{name}",
                "sales_team.group_sale_salesman_all_leads",
                f"amazon_order_actions.group_{name}",
            )
            self.open(sale_order, user).action_pdf()

    def test_who_may_not_read_the_document_is_refused(self):
        own = self._create_own_agent()
        sale_order = self.create_case(user_id=self.agent.id)
        with self.assertRaises(AccessError):
            self.open(sale_order, own)
        with self.assertRaises(AccessError):
            self.make(sale_order, own)
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaises(AccessError):
            self.make(sale_order, self.auditor)

    def test_dialog_cannot_be_pointed_at_what_the_user_may_not_read(self):
        own = self._create_own_agent()
        mine = self.create_case(user_id=own.id)
        theirs = self.create_case(GIFT_WRAPPED, user_id=self.agent.id)
        with self.assertRaises(AccessError):
            self.env["amazon.evidence.request"].with_user(own).create(
                {"origin_model": theirs._name, "origin_id": theirs.id, "language": "de"}
            )
        request = self.open(mine, own)
        with self.assertRaises(AccessError):
            request.write({"origin_model": theirs._name, "origin_id": theirs.id})
        with self.assertRaises(AccessError):
            self.as_user(request, self.agent).action_pdf()

    def test_portal_users_neither_make_nor_read_it(self):
        sale_order = self.create_case()
        pdf, packed = self.make_files(sale_order)
        portal = new_test_user(
            self.env,
            login="amazon_portal",
            groups="base.group_portal",
            partner_id=self.buyer.id,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.as_user(sale_order, portal).check_access("read")
        with self.assertRaises(AccessError):
            self.make(sale_order, portal)
        for file in (pdf, packed):
            with self.assertRaises(AccessError):
                file.with_user(portal).sudo(False).check_access("read")

    def test_who_may_not_read_the_document_cannot_read_its_pack(self):
        own = self._create_own_agent()
        sale_order = self.create_case(user_id=self.agent.id)
        for file in self.make_files(sale_order):
            with self.assertRaises(AccessError):
                self.as_user(file, own).sudo(False).check_access("read")
            self.as_user(file, self.agent).sudo(False).check_access("read")

    def test_pack_of_an_amazon_order_is_for_who_made_it_alone(self):
        """Who works with sale orders reads the Amazon order, without any right."""
        order = self.create_case()._get_amazon_order()
        salesman = self._create_user("amazon_sales", "sales_team.group_sale_manager")
        packs = self.make_files(order)
        for user in (self.trainee, salesman, self.reader):
            self.as_user(order, user).check_access("read")
            theirs = self.as_user(packs, user).sudo(False)
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                theirs.check_access("read")
            if theirs.browse().has_access("read"):
                self.assertFalse(theirs.search([("kind", "=", "pack")]))
        self.as_user(packs, self.agent).sudo(False).check_access("read")

    def test_entries_of_the_journal_are_only_for_who_may_read_it(self):
        sale_order = self.create_case()
        for document in (sale_order, sale_order.sudo()):
            with self.assertRaises(AccessError):
                self.make(document, with_journal=True)
        request = self.open(sale_order, self.agent)
        request.with_journal = True
        with self.assertRaises(AccessError):
            request.action_zip()
        self.assertFalse(self.env["amazon.file"].search([("kind", "=", "pack")]))

    def test_box_for_the_entries_is_shown_to_who_may_read_the_journal_alone(self):
        for user, is_shown in ((self.agent, False), (self.reader, True)):
            request = self.env["amazon.evidence.request"].with_user(user)
            with self.subTest(user=user.login):
                arch = request.get_view(view_type="form")["arch"]
                self.assertEqual("with_journal" in arch, is_shown)

    def test_zip_with_entries_is_kept_where_only_readers_of_the_journal_find_it(self):
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        request = self.open(sale_order, self.reader)
        request.with_journal = True
        request.action_zip()
        packs = self.env["amazon.file"].search([("kind", "=", "pack")])
        packed = packs.filtered(lambda each: each.mimetype == "application/zip")
        self.assertIn("journal/journal.jsonl", self.files_of(packed._bytes()))
        for user in (self.agent, self.trainee, self.auditor):
            # the auditor reads the journal and not the document
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.as_user(packed, user).sudo(False).check_access("read")
        self.as_user(packed, self.reader).sudo(False).check_access("read")
        self.as_user(packs - packed, self.agent).sudo(False).check_access("read")
        [entry] = self.env["amazon.audit.entry"].search([("event", "=", "evidence")])
        self.assertEqual(
            entry.message, "An evidence pack was made, with entries of the journal."
        )

    def test_another_company_neither_makes_nor_reads_it(self):
        elsewhere = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="amazon_stranger",
            groups="base.group_user,sales_team.group_sale_manager,"
            "amazon_order_actions.group_refund,"
            "amazon_order_actions.group_journal",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        sale_order = self.create_case()
        pdf, _packed = self.make_files(sale_order)
        for document in (sale_order, sale_order._get_amazon_order()):
            with self.assertRaises(AccessError):
                self.make(document, stranger)
            with self.assertRaises(AccessError):
                self.open(document, stranger)
        with self.assertRaises(AccessError):
            pdf.with_user(stranger).sudo(False).check_access("read")

    def test_journal_of_the_same_order_number_elsewhere_is_not_told(self):
        elsewhere = self._create_company(name="Elsewhere")
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "alarm",
                    "company_id": elsewhere.id,
                    "amazon_order_ref": SHIPPED,
                    "message": "ELSEWHERE",
                }
            ]
        )
        sale_order = self.create_case()
        self.ask_refund(sale_order)
        _text, files = self.make(sale_order, self.reader, with_journal=True)
        self.assertNotIn(b"ELSEWHERE", files["journal/journal.jsonl"])

    def test_document_without_an_order_and_unknown_language_are_refused(self):
        sale_order = self.create_case(ref=False)
        with self.assertRaises(UserError):
            self.make(sale_order)
        with self.assertRaises(UserError):
            self.open(sale_order, self.agent)
        with self.assertRaises(UserError):
            self.make(self.create_case(), language="xx")
        lost = (
            self.env["amazon.evidence.request"]
            .with_user(self.agent)
            .create({"language": "de"})
        )
        with self.assertRaises(UserError):
            lost.action_pdf()
