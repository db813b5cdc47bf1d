import json
import logging

from odoo import models
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..permission_http_table import (
    BUTTONS,
    CALLS,
    FILES,
    MARKS,
    MODELS,
    PAGES,
    PEOPLE,
    ROUTES,
)
from ..permission_http_world import NAVIGATES, HttpWorld
from ..permission_table import MODELS as OF_COMPANY
from ..permission_table import OWN, SHARED
from .test_permission_matrix import RECORDS

_logger = logging.getLogger(__name__)

# Fields that a spreadsheet has, and that rows are grouped by.
PLAIN = ("char", "text", "html", "selection", "many2one")
WORDLESS = ("integer", "float", "monetary", "boolean", "binary")
GROUPED = ("char", "selection", "many2one")
# The methods that do something, and what they are called on.
OF_BUTTONS = {
    "helpdesk.ticket.action_amazon_refund": "ticket",
    "helpdesk.ticket.action_amazon_reply": "ticket",
    "helpdesk.ticket.action_amazon_evidence": "ticket",
    "sale.order.action_amazon_refund": "sale",
    "amazon.order.action_amazon_evidence": "busy",
    "amazon.order.action_refresh": "busy",
    "amazon.action.action_withdraw": "queued_refund",
    "amazon.action.action_decide_unknown": "unknown_refund",
    "amazon.approval.action_approve": "approval",
    "amazon.alarm.action_try_again": "alarm",
    "amazon.audit.entry.action_verify": "entry",
    "amazon.audit.entry.action_export": "entry",
    "amazon.seller.account.action_reencrypt": "account",
    "amazon.stop.action_resume": "stop",
}


@tagged("post_install", "-at_install")
class TestPermissionHttp(HttpWorld):
    """Each cell of the table, tried with the browser of that person."""

    def check(self, tables, probe):
        """Try each cell of a table.

        :param dict tables: rows
        :param probe: function of a person and a row's name, returning the answers
        """
        wrong, count = [], 0
        for row, cells in tables.items():
            for person in PEOPLE:
                found = self.outcome(*probe(person, row))
                count += 1
                if found != cells[person]:
                    wrong.append(f"{row}, {person}: wanted {cells[person]}: {found}")
        _logger.info("%s cells", count)
        self.assertFalse(wrong, "\n".join(["", *wrong]))

    # === ADDRESSES === #

    def test_pages_show_what_the_table_says(self):
        self.check(PAGES, lambda person, row: getattr(self, f"page_{row}")(person))

    def page_ticket(self, person):
        """The ticket's page, and each file that it links to."""
        page = self.get(person, f"/my/ticket/{self.ticket.id}")
        return [page, *self.follow_links(person, page)]

    def page_ticket_by_link(self, person):
        """The same by the link that the stranger was mailed; others make one up."""
        url = f"/my/ticket/{self.ticket.id}?access_token={self.token(person)}"
        page = self.get(person, url)
        return [page, *self.follow_links("anonymous", page)]

    def page_ticket_close(self, person):
        """The button of the ticket's page, which leads to that page again."""
        stage = self.ticket.stage_id
        return [
            self.get(
                person,
                f"/ticket/close?ticket_id={self.ticket.id}&stage_id={stage.id}",
            )
        ]

    def page_tickets(self, person):
        url = "/my/tickets"
        return [self.get(person, url), self.get(person, f"{url}?search=zx")]

    def page_sale_order(self, person):
        page = self.get(person, f"/my/orders/{self.sale.id}")
        return [page, *self.follow_links(person, page)]

    def page_sale_orders(self, person):
        return [self.get(person, f"/my/{name}") for name in ("orders", "quotes")]

    def page_mails(self, person):
        """Each link of each mail that the person got, and what lies behind it."""
        answers = []
        for url in self.mailed_links(person):
            page = self.get(person, url)
            answers += [page, *self.follow_links("anonymous", page)]
        return answers

    def page_mail_view(self, person):
        records = (self.ticket, self.sale, self.own.queued_refund, self.own.busy)
        return [
            self.get(person, f"/mail/view?model={each._name}&res_id={each.id}")
            for each in records
        ]

    def page_mail_message(self, person):
        return [self.get(person, f"/mail/message/{note.id}") for note in self.note]

    def page_text_as_file(self, person):
        """Odoo's routes for files, asked for fields that are none."""
        return [
            self.get(person, f"/web/content/{record._name}/{record.id}/{name}")
            for record, name in (
                (self.ticket, "name"),
                (self.ticket, "description"),
                (self.note[0], "body"),
                (self.own.busy, "cancel_request_reason"),
                (self.own.queued_refund, "note"),
                (self.own.account, "lwa_client_secret"),
            )
        ]

    def page_report(self, person):
        return [self.get(person, f"/report/html/sale.report_saleorder/{self.sale.id}")]

    def page_json_ticket(self, person):
        return self.json_views(person, self.ticket)

    def page_json_action(self, person):
        return self.json_views(person, self.own.queued_refund)

    def page_json_order(self, person):
        return self.json_views(person, self.own.busy)

    def json_views(self, person, record):
        url = f"/json/1/{record._name}"
        return [
            self.get(person, f"{url}/{record.id}", headers=NAVIGATES),
            self.get(person, f"{url}?view_type=list", headers=NAVIGATES),
        ]

    def token(self, person):
        """Return the token of the ticket that the stranger was mailed; one that others
        made up."""
        return self.ticket._portal_ensure_token() if person == "stranger" else "0"

    # === FILES === #

    def test_files_are_sent_as_the_table_says(self):
        self.assertEqual(set(FILES), {name.replace(" ", "_") for name in self.links})
        self.check(FILES, lambda person, row: self.file(person, row.replace("_", " ")))

    def file(self, person, name):
        """A file by its own address, and by all that Odoo has for files."""
        link = self.links[name]
        number = "".join(filter(str.isdigit, link.partition("?")[0]))
        if link.startswith("/web/content"):
            place = f"ir.attachment/{number}/raw"
            others = [
                f"/web/content/{number}?access_token=0",
                f"/mail/attachment/pdf_first_page/{number}",
            ]
        else:
            place, others = f"amazon.file/{number}/content", []
        urls = [
            link,
            f"/web/content/{place}",
            f"/web/image/{place}?download=true",
            *others,
        ]
        with mute_logger("odoo.tools.pdf"):
            return [self.get(person, url) for url in urls]

    def test_pack_of_an_order_tells_nothing_of_a_document_that_its_maker_cannot_read(
        self,
    ):
        dialog = self._open(self.own.busy, "evidence", "own_refund")
        dialog.write({"with_notes": True})
        for make in (dialog.action_pdf, dialog.action_zip):
            file = self.get("own_refund", make()["url"])
            self.assertTrue(file.ok)
            told = {mark for mark, word in MARKS.items() if word in self.text(file)}
            with self.subTest(make.__name__):
                self.assertFalse(told & set("TDCNRUJZS"))

    # === ROUTES OF THE ADDON === #

    def test_routes_answer_as_the_table_says(self):
        self.check(ROUTES, self.route)

    def route(self, person, row):
        export = self.dialogs["amazon.audit.export"]
        if person in self.users:
            # what is asked for is one's own
            self._hand_over({"export": export}, self.users[person])
        pack = self.links["ticket's pack"].rpartition("/")[2]
        url = row.replace("<int:export_id>", str(export.id))
        return [self.get(person, url.replace("<int:file_id>", pack))]

    def test_every_route_has_a_row(self):
        self.assertEqual(self.routes(), set(ROUTES))

    def test_dialog_of_somebody_else_sends_no_file(self):
        export = self.dialogs["amazon.audit.export"]
        self._hand_over({"export": export}, self.colleague)
        for person in PEOPLE:
            answer = self.get(person, f"/amazon_order_actions/journal/{export.id}")
            with self.subTest(person):
                self.assertEqual(self.outcome(answer), ".")

    # === CALLS === #

    def test_calls_answer_what_the_table_says(self):
        self.check(CALLS, lambda person, row: getattr(self, f"call_{row}")(person))

    def threads(self, person):
        """Yield what a client names a thread by, without and with a token."""
        for document in (self.ticket, self.sale):
            thread = {"thread_model": document._name, "thread_id": document.id}
            yield thread
            yield {**thread, "token": self.token(person)}

    def call_messages(self, person):
        return [
            self.call(person, "/mail/thread/messages", **thread)
            for thread in self.threads(person)
            if "token" not in thread
        ]

    def call_chatter(self, person):
        """The chatter of a portal page, and the files in it."""
        return self.with_files(
            self.call(person, route, **thread)
            for thread in self.threads(person)
            for route in ("/mail/chatter_fetch", "/portal/chatter_init")
        )

    def call_thread(self, person):
        """What the form of a document asks about its chatter."""
        wanted = ["activities", "attachments", "followers", "suggestedRecipients"]
        asked = [
            {
                **thread,
                "request_list": wanted,
                "access_params": {"token": thread.pop("token", None)},
            }
            for thread in self.threads(person)
        ]
        return self.with_files(
            self.call(person, "/mail/data", fetch_params=[["mail.thread", params]])
            for params in asked
        )

    def call_activities(self, person):
        return [
            self.call(person, "/mail/data", fetch_params=["systray_get_activities"])
        ]

    def with_files(self, answers):
        """Yield answers, and the files that they have a token for."""
        for answer in answers:
            yield answer
            yield from self.follow_tokens("anonymous", answer)

    # === MODELS === #

    def test_models_are_read_as_the_table_says(self):
        self.check(MODELS, lambda person, row: self.ways(person, self.records(row)))

    def test_every_model_has_a_row(self):
        self.assertLessEqual({*OF_COMPANY, *SHARED}, set(MODELS))

    def records(self, model):
        """Return what there is of a model: of the order and ticket that it is about,
        as far as it is about them."""
        mails = [("model", "=", self.ticket._name), ("res_id", "=", self.ticket.id)]
        found = {
            "helpdesk.ticket": self.ticket,
            "sale.order": self.sale,
            "amazon.action": self.own.busy.action_ids,
            "amazon.audit.entry": [("company_id", "=", self.company.id)],
            "mail.message": mails,
            "mail.mail": mails,
            "mail.activity": [
                ("res_model", "=", "amazon.action"),
                ("res_id", "in", self.own.busy.action_ids.ids),
            ],
            "ir.attachment": self.attachments,
        }.get(model)
        if isinstance(found, list):
            return self.env[model].sudo().search(found)
        return RECORDS[model](self.own) if found is None else found.sudo()

    def ways(self, person, records):
        """Read records in each way in which a client does."""
        model, itself = records._name, [("id", "in", records.ids)]
        names = self.readable(person, records)
        fields = records._fields
        plain = [name for name in names if fields[name].type in PLAIN]
        grouped = [
            name
            for name in plain
            if fields[name].type in GROUPED and fields[name].store
        ]
        shown = {
            name: {"fields": {"display_name": {}}} if fields[name].relational else {}
            for name in names
        }
        exported = {
            "model": model,
            "fields": [{"name": name, "label": name} for name in plain],
            "ids": records.ids,
            "domain": [],
            "import_compat": False,
        }
        kinds = ("csv", "xlsx") if model == "amazon.action" else ("csv",)
        calls = [
            ("search_read", itself, names),
            ("web_search_read", itself, shown),
            ("formatted_read_group", itself, grouped, ["__count"]),
            ("name_search", "", itself),
            # one by one: none is refused because of another
            *(("read", [record.id], names) for record in records),
        ]
        user = self.users.get(person)
        if not user or not self.env[model].with_user(user).has_access("read"):
            # what is refused the same way in each, test_permission_matrix.py tries
            calls = calls[:1]
        answers = [self.call_kw(person, model, *call) for call in calls]
        answers += [
            self.get(
                person, f"/web/export/{kind}", params={"data": json.dumps(exported)}
            )
            for kind in kinds
        ]
        return answers

    def readable(self, person, records):
        """Return the names of the fields that a person may read and that may hold
        words; of relations those whose records the person may read."""
        user = self.users.get(person)
        if not user:
            return ["display_name"]
        records = records.with_user(user)
        return [
            name
            for name, field in records._fields.items()
            if records._has_field_access(field, "read")
            and (field.type not in WORDLESS or name == "datas")
            and not (
                field.comodel_name
                and not records.env[field.comodel_name].has_access("read")
            )
        ]

    def test_dialogs_of_somebody_else_are_read_by_nobody(self):
        self._hand_over(self.dialogs, self.colleague)
        found = set()
        for model in OWN:
            dialog = self.dialogs[model]
            for person in PEOPLE:
                answer = self.call_kw(person, model, "read", dialog.ids)
                if self.outcome(answer) != ".":
                    found.add((model, person))
        self.assertFalse(found)

    # === BUTTONS === #

    def test_buttons_work_for_whom_the_table_says(self):
        wrong = []
        for row, cells in BUTTONS.items():
            for person in PEOPLE:
                found = self.press(person, row)
                if found != cells[person]:
                    wrong.append(f"{row}, {person}: wanted {cells[person]}: {found}")
        self.assertFalse(wrong, "\n".join(["", *wrong]))

    def press(self, person, row):
        """Press a button and undo what it did.

        :return: "+" it went through, a dot: refused; with the letters that it told
        """
        model, _dot, method = row.rpartition(".")
        name = OF_BUTTONS[row]
        # some names are those of methods, too
        record = getattr(self, name, None)
        if not isinstance(record, models.BaseModel):
            record = self.own[name]
        savepoint = self.env.cr.savepoint()
        try:
            answer = self.call_kw(person, model, method, record.ids, button=True)
        finally:
            savepoint.close(rollback=True)
        told = self.outcome(answer).strip(".0")
        went = answer.ok and "error" not in answer.json()
        return ("+" if went else ".") + told
