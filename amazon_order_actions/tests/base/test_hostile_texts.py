import io
import json
import re
import time
import zipfile
from email import message_from_bytes, policy
from pathlib import Path

from lxml import etree

from odoo import http
from odoo.exceptions import UserError, ValidationError
from odoo.tests import HttpCase, tagged

from ...models.base.plain_export import plain
from ...models.conversation.reply_content import MAX_TEXT, forbidden
from ...models.conversation.reply_rules import render
from ...models.order.order import ORDER_REF
from ..common import SHIPPED, AmazonOrderCommon
from ..conversation.test_reply import SENDER, ReplyCommon
from ..order.test_hostile_answers import HostileCommon

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
FORMULA = '=HYPERLINK("https://evil.example","Open")'
#: What is run where a text is taken for a template.
TEMPLATES = (
    "${shop}",
    "${object.env.cr.execute('x')}",
    "{{ 7 * 7 }}",
    "<t t-out='7 * 7'/>",
    "%(amount)s %s {0} {shop}",
)


class HostileTexts(HostileCommon):
    def order_titled(self, title, **product):
        """Return a sale order of one item with this title."""
        sale_order = self.create_sale_order(SHIPPED)
        said = self.order_json(SHIPPED)
        said["orderItems"][0]["product"].update({"title": title, **product})
        said["lastUpdatedTime"] = "2999-01-01T00:00:00Z"
        self.says("getOrder", {"order": said})
        order = sale_order.amazon_order_id
        order._request_read()
        self.run_jobs("_job_read")
        self.simulator.clear_faults()
        self.assertEqual(order.line_ids.title, title)
        return sale_order

    def assert_escaped(self, html):
        """No element in it is from a text, though the text may stand in it."""
        for name in ("script", "img", "iframe", "svg", "a"):
            found = etree.HTML(f"<div>{html}</div>").findall(f".//{name}")
            hostile = [e for e in found if "alert" in etree.tostring(e).decode()]
            self.assertFalse(hostile, html)


@tagged("post_install", "-at_install")
class TestHostileTexts(HostileTexts):
    """What a buyer, a seller or Amazon writes is a text wherever it is shown."""

    def test_markup_of_titles_and_errors_is_text_in_every_note_and_activity(self):
        for text in (SCRIPT, IMAGE):
            with self.subTest(text):
                sale_order = self.order_titled(f"{text} Kettle", sellerSku=text)
                self.simulator.fault(
                    "report_error", order_id=SHIPPED, code="<b>", text=text
                )
                action = self.ask_refund(sale_order, amounts={text: 1.0}, note=text)
                self.settle()
                self.assertEqual(action.state, "rejected")
                self.assertIn("alert(1)", action.state_message)
                bodies = [*sale_order.message_ids.mapped("body")]
                bodies += sale_order.activity_ids.mapped("note")
                bodies += sale_order.activity_ids.mapped("summary")
                self.assertTrue(any("alert(1)" in str(body) for body in bodies))
                for body in filter(None, bodies):
                    self.assert_escaped(body)
                # The panel is data, put into the page as text (t-esc).
                panel = sale_order.with_user(self.agent).amazon_order_panel["order"]
                self.assertIn(text, panel["lines"][0]["title"])
                json.dumps(panel, allow_nan=False, default=str)

    def test_the_web_client_puts_no_text_into_the_page_as_markup(self):
        root = Path(__file__).parents[3]
        paths = [
            path
            for path in root.glob("amazon_*/static/src/**/*")
            if path.suffix in (".js", ".xml")
        ]
        self.assertTrue(paths)
        for path in paths:
            source = path.read_text()
            for word in ("t-out", "t-raw", "markup(", "innerHTML", "outerHTML"):
                self.assertNotIn(word, source, path)

    def test_finding_an_order_number_takes_time_by_the_length_of_the_mail(self):
        for text in ("1" * 10**6, "302-" * 10**5, "302-1234567-" * 10**5, "-" * 10**6):
            started = time.thread_time()
            self.assertFalse(ORDER_REF.findall(text))
            self.assertLess(time.thread_time() - started, 2)

    def test_a_fulfillment_id_that_is_a_path_is_only_ever_a_name(self):
        for ref in (
            "../../orders/v0/orders",
            "a/b?c=d#e",
            "%2e%2e%2f",
            "'; DROP --",
            "%",
        ):
            with self.subTest(ref):
                sale_order = self.create_sale_order(
                    read=False, amazon_fulfillment_ref=ref
                )
                self.run_jobs("_job_read")
                order = sale_order.amazon_order_id
                self.assertEqual(order.amazon_order_ref, ref)
                self.assertEqual(order.read_state, "refused")
                self.assert_words(order.read_message, ref)
        with self.assertRaisesRegex(ValidationError, "at most"):
            self.create_sale_order(read=False, amazon_fulfillment_ref="x" * 5000)

    def test_an_order_number_of_sql_wildcards_finds_nobodys_order(self):
        self.create_sale_order(SHIPPED)
        for ref in ("%", "302-4481516-234210_", "___-_______-_______"):
            with self.assertRaises(ValidationError):
                self.create_sale_order(read=False, amazon_order_ref=ref)


@tagged("post_install", "-at_install")
class TestHostileReplies(HostileTexts, ReplyCommon):
    """What lands in a mail to a buyer is written once, and never looked at again."""

    def test_a_value_that_looks_like_a_template_is_not_one(self):
        for text in TEMPLATES:
            rendered = render("A ${items} B", {"items": text, "shop": "S"})
            self.assertEqual(rendered, f"A {text} B")

    def test_a_title_that_looks_like_a_template_is_not_run_in_a_reply(self):
        for text in TEMPLATES:
            with self.subTest(text):
                sale_order = self.order_titled(f"{text} Kettle")
                template = self.env["amazon.reply.template"]._find(
                    "refund", "asked", "de", self.company
                )
                values = dict(items=text, order=SHIPPED, amount="1", shop="S")
                _subject, body = template._render(values)
                self.assertNotIn("49", body)
                self.assertIn(text, body)
                if "${" in text or "<t" in text:
                    # so nothing is sent, in a sentence
                    with self.assertRaises(UserError):
                        sale_order._send_reply_mail(
                            f"Order {SHIPPED}", body, self.agent
                        )
                else:
                    sale_order._send_reply_mail(f"Order {SHIPPED}", body, self.agent)
                    self.assertIn(text, self.text_of(self.mails()[-1]))

    def test_markup_in_a_reply_is_refused_in_words(self):
        sale_order = self.create_sale_order(SHIPPED)
        for text in (SCRIPT, IMAGE, "<a href='x'>y</a>", "&#60;b>", "\u202eevil"):
            with self.assertRaisesRegex(UserError, "in the text"):
                sale_order._send_reply_mail("x", f"{SHIPPED} {text}", self.agent)
        self.assertFalse(self.mails())

    def test_a_subject_makes_no_header(self):
        sale_order = self.create_sale_order(SHIPPED)
        for subject in ("a\nBcc: evil@evil.example", "a\r\nX: y", "a\rb", "a\u2028b"):
            with self.assertRaisesRegex(UserError, "single line"):
                sale_order._send_reply_mail(subject, f"{SHIPPED} Hello", self.agent)
        self.assertFalse(self.mails())

    def test_a_shop_name_makes_no_header(self):
        self.account.shop_name = 'Nord"\nBcc: evil@evil.example\n, <b> licht'
        sale_order = self.create_sale_order(SHIPPED)
        sale_order._send_reply_mail("Order", f"{SHIPPED} Hello", self.agent)
        mail = self.mails()[-1]
        server = self.env["ir.mail_server"]
        message = server._build_email__(
            email_from=mail.email_from,
            email_to=[mail.email_to],
            subject=mail.subject,
            body=mail.body_html,
            subtype="html",
        )
        parsed = message_from_bytes(message.as_bytes(), policy=policy.SMTP)
        self.assertNotIn("Bcc", parsed)
        self.assertEqual(parsed["From"].addresses[0].addr_spec, SENDER)
        self.assertEqual(len(parsed["From"].addresses), 1)

    def test_no_text_takes_longer_to_check_than_its_length(self):
        for text in (
            "<a" * 10**6,
            "a" * MAX_TEXT,
            "a." * (MAX_TEXT // 2),
            "a-" * (MAX_TEXT // 2),
            "a@" * (MAX_TEXT // 2),
            "0" * MAX_TEXT,
            "0 " * (MAX_TEXT // 2),
            "+(" * (MAX_TEXT // 2),
            "<a" * (MAX_TEXT // 2),
            "&a" * (MAX_TEXT // 2),
            "${" * (MAX_TEXT // 2),
            "www" * (MAX_TEXT // 3),
            "1." * (MAX_TEXT // 2),
            "1:" * (MAX_TEXT // 2),
            "@a" * (MAX_TEXT // 2),
            "call " * (MAX_TEXT // 5),
            "telegram " * (MAX_TEXT // 9),
            "01-02-2024" * (MAX_TEXT // 10),
            ". " * (MAX_TEXT // 2),
        ):
            with self.subTest(text[:10], length=len(text)):
                started = time.thread_time()
                forbidden(text)
                render(text, {})
                self.assertLess(time.thread_time() - started, 2)
        self.assertEqual(list(forbidden("a" * (MAX_TEXT + 1))), ["long"])


class ExportCommon(AmazonOrderCommon, HttpCase):
    """Odoo's own export of what was asked of Amazon and of what Amazon said."""

    def export(self, kind, model, names, ids):
        self.agent.sudo().group_ids += self.env.ref("base.group_allow_export")
        self.authenticate("amazon_agent", "amazon_agent")
        params = {
            "model": model,
            "fields": [{"name": name, "label": name, "type": "char"} for name in names],
            "ids": ids,
            "domain": [],
            "groupby": [],
            "import_compat": False,
            "context": {"allowed_company_ids": self.company.ids},
        }
        response = self.url_open(
            f"/web/export/{kind}",
            data={
                "data": json.dumps(params),
                "csrf_token": http.Request.csrf_token(self),
            },
        )
        self.assertEqual(response.status_code, 200, response.text[:500])
        return response.content

    def assert_no_formula(self, model, names, ids):
        """Check that a formula is exported as a text, to both sorts of table."""
        self.env.flush_all()
        table = self.export("csv", model, names, ids).decode("utf-8-sig")
        self.assertNotRegex(table, r'(?m)(^|,)"[=@+\t\r-]')
        book = self.export("xlsx", model, names, ids)
        with zipfile.ZipFile(io.BytesIO(book)) as sheet:
            page = sheet.read("xl/worksheets/sheet1.xml").decode()
            texts = sheet.read("xl/sharedStrings.xml").decode()
        self.assertFalse(re.search(r"<f[ >]|<hyperlink", page), page)
        self.assertIn("'=HYPERLINK", texts)


@tagged("post_install", "-at_install")
class TestHostileExports(HostileTexts, ExportCommon):
    """What is exported is a text, whatever a program would take it for."""

    def test_what_looks_like_a_formula_is_a_text(self):
        for text in (
            FORMULA,
            " =1",
            "\t=1",
            "{=1}",
            "@SUM(1)",
            "\r+1",
            "external:c:\\x",
        ):
            self.assertEqual(plain(text), f"'{text}")
            self.assertEqual(plain(plain(text)), f"'{text}")
        for value in ("Kettle", "a=b", "+49 30 1234", "-5 %", "", False, 5, -1.5, None):
            self.assertEqual(plain(value), value)

    def test_no_export_of_odoo_holds_a_formula(self):
        sale_order = self.order_titled(FORMULA, sellerSku="@SUM(1+1)")
        sale_order.client_order_ref = FORMULA
        line = sale_order.amazon_order_id.line_ids
        charge = line.charge_ids[:1]
        for model, names, ids in (
            ("amazon.order.line", ["title", "sku"], line.ids),
            ("amazon.order.charge", ["line_id", "component"], charge.ids),
            ("amazon.order", ["amazon_order_ref", "line_ids/title"], line.order_id.ids),
            ("sale.order", ["client_order_ref"], sale_order.ids),
        ):
            with self.subTest(model):
                self.assert_no_formula(model, names, ids)
