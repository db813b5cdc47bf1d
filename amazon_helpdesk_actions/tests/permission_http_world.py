import base64
import html
import io
import json
import re
import zipfile
from urllib.parse import urlsplit

from pypdf import PdfReader

from odoo.fields import Command
from odoo.tests import HttpCase
from odoo.tools import mute_logger

from .permission_http_table import MARKS, PEOPLE
from .permission_world import PermissionWorld

# What a browser says when somebody enters an address; Odoo's /json asks for it.
NAVIGATES = {
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-User": "?1",
}
# The links of a page that may lead to a file.
LINK = re.compile(
    r'(?:href|src|data-src)="'
    r'(?:https?://[^/"]+)?(/(?:web/content|web/image|mail|amazon_)[^"]+)"'
)
SPREADSHEET = "spreadsheetml"
# The errors of Odoo that say no.
REFUSALS = r"AccessError|UserError|MissingError|SessionExpired|NotFound|Forbidden"
# What the fields of an attachment are called that let somebody have it without a login.
TOKENS = ("access_token", "raw_access_token")


class HttpWorld(HttpCase, PermissionWorld):
    """A ticket with a secret in each of its corners, and the people around it, each
    with a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("web.json.enabled", True)
        cls.ticket, cls.sale = cls.own.ticket_busy, cls.own.sale_busy
        cls._create_people()
        cls._plant_words()
        cls._plant_messages()
        cls._plant_files()
        cls.dialogs = cls._create_dialogs(cls.own)
        cls._hand_over(cls.dialogs, cls.colleague)
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _create_people(cls):
        """Create the person of each column; who writes mails alone is a contact."""
        cls.users, cls.partners = {}, {}
        for name in sorted(PEOPLE, key=lambda name: name == "stranger"):
            groups = PEOPLE[name]
            company = cls.other_company if name == "other" else cls.company
            partner = cls.env["res.partner"].create(
                {"name": f"{name} person", "email": f"{name}@contact.example"}
            )
            cls.partners[name] = partner
            # a contact of the customer's
            partner.parent_id = name == "stranger" and cls.partners["customer"]
            if not groups:
                continue
            cls.users[name] = (
                cls.env["res.users"]
                .with_context(no_reset_password=True)
                .create(
                    {
                        "login": f"http_{name}",
                        "partner_id": partner.id,
                        "company_id": company.id,
                        "company_ids": [Command.set(company.ids)],
                        "group_ids": [
                            Command.set([cls.env.ref(group).id for group in groups])
                        ],
                    }
                )
            )

    @classmethod
    def _plant_words(cls):
        cls.own.team.name = "Team"
        cls.ticket.write(
            {
                "name": MARKS["T"],
                "description": f"<p>{MARKS['D']}</p>",
                "partner_id": cls.partners["stranger"].id,
            }
        )
        cls.own.ticket_bare.partner_id = cls.partners["customer2"]
        cls.sale.partner_id = cls.partners["customer"]
        cls.own.busy.cancel_request_reason = MARKS["B"]
        cls.own.busy.line_ids.cancel_request_reason = MARKS["B"]
        cls.own.queued_refund.write({"note": MARKS["A"], "decision_note": MARKS["A"]})
        approver = cls.users["approver"] + cls.users["approver0"]
        cls.own.approval._schedule(approver)
        cls.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "asked",
                    "company_id": cls.company.id,
                    "action_id": cls.own.queued_refund.id,
                    "amazon_order_ref": cls.own.busy.amazon_order_ref,
                    "message": MARKS["J"],
                }
            ]
        )

    @classmethod
    def _plant_messages(cls):
        """Write to the followers, among colleagues, and to the buyer."""
        told = cls.partners["stranger"] + cls.partners["follower"]
        for document in (cls.ticket, cls.sale):
            document.message_subscribe(told.ids)
            by_agent = document.with_user(cls.users["agent"]).with_context(
                allowed_company_ids=cls.company.ids
            )
            for mark, subtype in (("C", "mail.mt_comment"), ("N", "mail.mt_note")):
                by_agent.message_post(
                    body=MARKS[mark], message_type="comment", subtype_xmlid=subtype
                )
        cls.own.queued_refund._post_sentence(MARKS["N"])
        cls.note = cls.ticket.message_ids.filtered(lambda note: MARKS["N"] in note.body)
        reply = cls._open(cls.ticket, "reply", "agent")
        ref = cls.own.busy.amazon_order_ref
        reply.write({"way": "mail", "subject": ref, "text": f"{MARKS['R']} {ref}"})
        reply.action_send()

    @classmethod
    def _plant_files(cls):
        """Let people make evidence packs, and the customer send a file."""
        cls.uploaded = cls.env["ir.attachment"].create(
            {
                "name": "photo.txt",
                "raw": MARKS["U"].encode(),
                "res_model": cls.ticket._name,
                "res_id": cls.ticket.id,
            }
        )
        cls.links = {
            "ticket's pack": cls._make_pack(cls.ticket, "agent"),
            "sale order's pack": cls._make_pack(cls.sale, "agent"),
            "order's pack": cls._make_pack(cls.own.busy, "agent"),
            "pack with journal": cls._make_pack(
                cls.ticket, "auditor", with_journal=True
            ),
            "file of the customer": cls._link(cls.uploaded),
        }
        feed = cls.own.feed
        for part in ("payload", "report"):
            kept = next(
                name
                for name, field in feed._fields.items()
                if field.type == "many2one" and name.startswith(f"{part}_")
            )
            cls.links[f"{part} of a feed"] = cls._link(feed[kept])

    @classmethod
    def _link(cls, file):
        if file._name == "ir.attachment":
            return f"/web/content/{file.id}"
        return file._url()

    @property
    def attachments(self):
        """Return those files that are attachments of Odoo's."""
        return self.env["ir.attachment"].browse(
            int("".join(filter(str.isdigit, link.partition("?")[0])))
            for link in self.links.values()
            if link.startswith("/web/content")
        )

    @classmethod
    def _open(cls, document, kind, person):
        """Click a button as a person and return the dialog that opens."""
        document = document.with_user(cls.users[person]).with_context(
            allowed_company_ids=cls.company.ids
        )
        action = getattr(document, f"action_amazon_{kind}")()
        return document.env[action["res_model"]].browse(action["res_id"])

    @classmethod
    def _make_pack(cls, document, person, **options):
        """Make the pack of a document with all that there is; return its address."""
        dialog = cls._open(document, "evidence", person)
        dialog.write({"with_notes": True, **options})
        return dialog.action_zip()["url"]

    def setUp(self):
        super().setUp()
        self.packs = []
        self.openers = {name: self._log_in(name) for name in PEOPLE}
        for person, link in (
            ("agent", "ticket's pack"),
            ("agent", "sale order's pack"),
            ("agent", "order's pack"),
            ("auditor", "pack with journal"),
        ):
            sent = self.get(person, self.links[link])
            self.assertTrue(sent.ok, link)
            self.packs.append(sent.content)

    def _log_in(self, person):
        # each keeps the session of before otherwise
        self.session = None
        user = self.users.get(person)
        self.authenticate(user and user.login, user and user.login)
        return self.opener

    # === ASKING === #

    def get(self, person, url, **options):
        """Open an address as a person."""
        self.opener = self.openers[person]
        with mute_logger("odoo.http", "odoo.addons.web.controllers.export"):
            return self.url_open(url, timeout=60, **options)

    def call(self, person, route, **params):
        """Call a JSON route as a person."""
        self.opener = self.openers[person]
        with mute_logger("odoo.http"):
            return self.url_open(route, json=self.build_rpc_payload(params), timeout=60)

    def call_kw(self, person, model, method, *args, button=False, **kwargs):
        """Call a method of a model as a person."""
        company = self.other_company if person == "other" else self.company
        kwargs = {"context": {"allowed_company_ids": company.ids}, **kwargs}
        way = "call_button" if button else "call_kw"
        return self.call(
            person,
            f"/web/dataset/{way}/{model}/{method}",
            model=model,
            method=method,
            args=list(args),
            kwargs=kwargs,
        )

    # === WHAT WAS TOLD === #

    def marks(self, response):
        """Return the letters of the secrets in an answer.

        :rtype: set[str]
        """
        content = response.content
        if SPREADSHEET in response.headers.get("Content-Type", ""):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                content = b"".join(map(archive.read, archive.namelist()))
        if content in self.packs:
            return {"E"}
        found = {mark for mark, word in MARKS.items() if self._has(content, word)}
        if any(self._has_bytes(content, pack[:150]) for pack in self.packs):
            found.add("E")
        return found

    def text(self, pack):
        """Return the words of an evidence pack that was sent.

        :rtype: str
        """
        if pack.content.startswith(b"%PDF"):
            pages = PdfReader(io.BytesIO(pack.content)).pages
            return " ".join(page.extract_text() for page in pages)
        with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
            files = map(archive.read, archive.namelist())
            return b" ".join(files).decode(errors="replace")

    def _has(self, content, word):
        plain = word.encode()
        forms = (plain, html.escape(word).encode(), json.dumps(word)[1:-1].encode())
        return any(form in content for form in forms) or self._has_bytes(content, plain)

    def _has_bytes(self, content, part):
        """Whether a file that begins with a part is in it, as Odoo sends it."""
        coded = base64.b64encode(part[: len(part) // 3 * 3])
        return part in content or coded in content

    def outcome(self, *answers):
        """Return the cell of what a person got: the letters of what was in it, ``0``
        where there was nothing of it, a dot where all was refused or empty.

        :rtype: str
        """
        found = set().union(*map(self.marks, answers))
        if found:
            return "".join(mark for mark in (*MARKS, "E") if mark in found)
        return "0" if any(map(self._is_answered, answers)) else "."

    def _is_answered(self, response):
        """Whether it is no refusal. That a probe is asked wrong is none, either.

        :raise AssertionError: for an error that is no refusal
        """
        if response.status_code == 500:
            self.assertRegex(response.text, REFUSALS)
        if not response.ok:
            return False
        first = response.history[0] if response.history else response
        if urlsplit(first.url).path != urlsplit(response.url).path:
            return False  # sent elsewhere: to log in, or home
        if "json" not in response.headers.get("Content-Type", ""):
            return bool(response.content)
        answer = response.json()
        if isinstance(answer, dict) and "jsonrpc" in answer:
            if "error" in answer:
                self.assertRegex(answer["error"]["data"]["name"], REFUSALS)
            answer = answer.get("result")
        return not self._is_empty(answer)

    def _is_empty(self, answer):
        if isinstance(answer, dict):
            return all(map(self._is_empty, answer.values()))
        if isinstance(answer, list):
            return all(map(self._is_empty, answer))
        return not answer

    # === FOLLOWING WHAT WAS TOLD === #

    def follow_links(self, person, page):
        """Open each file that a page links to."""
        links = {html.unescape(link) for link in LINK.findall(page.text)}
        return [self.get(person, link) for link in sorted(links)]

    def follow_tokens(self, person, response):
        """Open each file that an answer in JSON names with a token, without a login."""
        opened = []
        for row in self._rows_in(response.json()):
            for name in TOKENS:
                if row.get(name) and isinstance(row.get("id"), int):
                    url = f"/web/content/{row['id']}?access_token={row[name]}"
                    opened.append(self.get(person, url))
        return opened

    def _rows_in(self, answer):
        if isinstance(answer, dict):
            yield answer
            answer = list(answer.values())
        if isinstance(answer, list):
            for value in answer:
                yield from self._rows_in(value)

    def mailed_links(self, person):
        """Return the links of all mails that a person got."""
        mails = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.partners[person].ids)]
        )
        bodies = " ".join(mails.mapped("body_html"))
        return sorted(
            {html.unescape(url) for url in re.findall(r'href="([^"]+)"', bodies)}
        )
