from odoo.tests import tagged

from ..permission_http_table import MARKS
from ..permission_http_world import HttpWorld

# What the chatter of a form asks for.
ASKED = (
    "activities",
    "attachments",
    "contact_fields",
    "display_name",
    "followers",
    "scheduledMessages",
    "suggestedRecipients",
)


@tagged("post_install", "-at_install", "amazon_permission")
class TestShownToCustomers(HttpWorld):
    """What of a document's messages is shown to people from outside."""

    def search(self, person, model, path, mark):
        """Look for a secret as a client does; return how many records have it."""
        condition = [path, "ilike", MARKS[mark]]
        answer = self.call_kw(person, model, "search_count", [condition]).json()
        return answer.get("result", 0)

    def post(self, document, subtype, name, content):
        """Write on a document as an agent, with a file."""
        document.with_user(self.users["agent"]).with_context(
            allowed_company_ids=self.company.ids
        ).message_post(
            body=name,
            message_type="comment",
            subtype_xmlid=subtype,
            attachments=[(name, content.encode())],
        )

    def ask(self, person, document, *asked):
        """Ask about the chatter of a document, by the link of a mail."""
        params = {
            "thread_model": document._name,
            "thread_id": document.id,
            "request_list": asked,
            "access_params": {"token": document._portal_ensure_token()},
        }
        self.env.flush_all()
        return self.call(person, "/mail/data", fetch_params=[["mail.thread", params]])

    def test_notes_and_replies_are_not_guessed_letter_by_letter(self):
        for model, path in (
            ("helpdesk.ticket", "message_ids"),
            ("helpdesk.ticket", "website_message_ids"),
            ("helpdesk.ticket", "partner_id.helpdesk_ticket_ids.message_ids"),
            ("helpdesk.ticket.team", "ticket_ids.message_ids"),
            ("sale.order", "message_ids"),
            ("res.partner", "sale_order_ids.message_ids"),
        ):
            for mark in "NR":
                for person in ("customer", "customer2", "follower"):
                    with self.subTest(person, model=model, path=path, mark=mark):
                        found = self.search(person, model, f"{path}.body", mark)
                        self.assertEqual(found, 0)

    def test_documents_are_found_by_what_one_is_shown(self):
        for person in ("customer", "follower", "agent"):
            with self.subTest(person):
                path = "message_ids.body"
                self.assertTrue(self.search(person, "helpdesk.ticket", path, "C"))
        for mark in "NR":
            with self.subTest(mark):
                path = "message_ids.body"
                self.assertTrue(self.search("agent", "helpdesk.ticket", path, mark))

    def test_page_has_the_files_of_what_it_shows_and_of_no_note(self):
        self.post(self.ticket, "mail.mt_note", "note.txt", MARKS["N"])
        self.post(self.ticket, "mail.mt_comment", "comment.txt", MARKS["C"])
        link = f"/my/ticket/{self.ticket.id}"
        token = self.ticket._portal_ensure_token()
        self.env.flush_all()
        for person in ("customer", "follower", "stranger"):
            page = self.get(person, f"{link}?access_token={token}")
            files = self.follow_links("anonymous", page)
            with self.subTest(person):
                self.assertNotIn("note.txt", page.text)
                self.assertIn("comment.txt", page.text)
                found = set().union(*map(self.marks, files))
                self.assertEqual(found & {*"NCU"}, {*"CU"})

    def test_link_of_a_mail_tells_nothing_of_what_is_among_colleagues(self):
        for document in (self.ticket, self.sale):
            # who is offered as a recipient
            document.partner_id = self.partners["customer"]
            self.post(document, "mail.mt_note", "note.txt", MARKS["N"])
            document.activity_schedule(
                "mail.mail_activity_data_todo",
                note=MARKS["N"],
                user_id=self.users["agent"].id,
            )
            self.env["mail.scheduled.message"].create(
                {
                    "model": document._name,
                    "res_id": document.id,
                    "body": MARKS["N"],
                    "author_id": self.partners["agent"].id,
                    "is_note": True,
                    "scheduled_date": "2999-01-01",
                }
            )
            # who is shown nothing of the document but by the link
            for person in ("stranger", "customer2", "own_refund"):
                for asked in ASKED:
                    answer = self.ask(person, document, asked)
                    files = self.follow_tokens("anonymous", answer)
                    told = set().union(*map(self.marks, [answer, *files]))
                    with self.subTest(person, document=document, asked=asked):
                        self.assertTrue(answer.ok)
                        self.assertFalse(told & {*"TDNR"})
                        for name in ("follower@", "customer@", "note.txt"):
                            self.assertNotIn(name, answer.text)
            # the question is a good one: a colleague is told
            answer = self.ask("agent", document, *ASKED)
            with self.subTest(document=document):
                self.assertIn("N", self.marks(answer))
                for name in ("follower@", "customer@", "note.txt"):
                    self.assertIn(name, answer.text)

    def test_page_links_to_the_next_ticket_until_it_is_lost(self):
        own = self.own.ticket_bare
        own.partner_id = self.partners["customer"]
        self.env.flush_all()
        self.get("customer", "/my/tickets")
        link = f"/my/ticket/{self.ticket.id}?access_token="
        self.assertIn(link, self.get("customer", f"/my/ticket/{own.id}").text)
        self.ticket.partner_id = self.partners["customer2"]
        self.ticket.message_unsubscribe(self.ticket.message_partner_ids.ids)
        self.env.flush_all()
        page = self.get("customer", f"/my/ticket/{own.id}")
        self.assertIn(own.name, page.text)
        self.assertNotIn(link, page.text)

    def test_nobody_closes_the_ticket_of_somebody_else(self):
        closed = self.env["helpdesk.ticket.stage"].create(
            {"name": "Closed by the customer", "close_from_portal": True}
        )
        url = f"/ticket/close?ticket_id={self.ticket.id}&stage_id={closed.id}"
        for person in ("anonymous", "stranger", "customer2", "own_refund", "other"):
            self.get(person, url)
            with self.subTest(person):
                self.assertNotEqual(self.ticket.stage_id, closed)
        for number in ("", "x", "999999999"):
            page = self.get("customer", f"/ticket/close?ticket_id={number}")
            self.assertEqual(page.status_code, 404)
        self.get("customer", url)
        self.assertEqual(self.ticket.stage_id, closed)
