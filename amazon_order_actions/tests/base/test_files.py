import io
import zipfile

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tests.common import JsonRpcException, new_test_user

from ..common import SHIPPED
from ..evidence.test_evidence import NOTE, EvidenceCommon

FILES_LOG = "odoo.addons.amazon_order_actions.models.base.file"
UNKNOWN_FILE = 2**31 - 1


class FilesCommon(EvidenceCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(
            cls.env,
            login="amazon_customer",
            groups="base.group_portal",
            partner_id=cls.buyer.id,
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.elsewhere = cls._create_company(name="Elsewhere")
        cls.stranger = new_test_user(
            cls.env,
            login="amazon_elsewhere",
            groups="sales_team.group_sale_manager,"
            "amazon_order_actions.group_refund,"
            "amazon_order_actions.group_journal",
            company_id=cls.elsewhere.id,
            company_ids=[Command.set(cls.elsewhere.ids)],
        )
        # who administers Odoo, and has every right of ours, too
        cls.system = cls._create_user(
            "amazon_system",
            "base.group_system",
            "base.group_erp_manager",
            "base.group_allow_export",
            "sales_team.group_sale_manager",
            "amazon_order_actions.group_admin",
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_journal",
        )

    def setUp(self):
        super().setUp()
        self.document = self.create_case()
        self.document.message_subscribe(self.buyer.ids)
        self.note(self.document)

    def make_pack(self, **options):
        return self.make_files(self.document, with_notes=True, **options)

    def rpc(self, user, model, method, *args, **context):
        """Call a method as a person does over RPC, with their companies active."""
        self.env.invalidate_all()
        context = {"allowed_company_ids": user.company_ids.ids, **context}
        env = self.env(user=user, su=False, context={})
        return call_kw(env[model], method, list(args), {"context": context})


class FilesHttpCommon(HttpCase, FilesCommon):
    """A real client."""

    def tells(self, content):
        """Whether an answer holds anything of the pack, opened as a person opens it."""
        if content.startswith(b"%PDF"):
            content = self.text_of(content).encode()
        elif content.startswith(b"PK"):
            archive = zipfile.ZipFile(io.BytesIO(content))
            content = b"".join(map(archive.read, archive.namelist()))
        return any(word in content for word in (NOTE.encode(), b"evidence-"))


@tagged("post_install", "-at_install")
class TestFilesOverHttp(FilesHttpCommon):
    """What people get who are not to have a file, with a real client."""

    # === OUR ROUTE === #

    def test_file_is_sent_to_who_may_read_it_as_it_was_made(self):
        pdf, packed = self.make_pack()
        self.authenticate(self.agent.login, self.agent.login)
        for file in (pdf, packed):
            answer = self.url_open(file._url())
            self.assertEqual(answer.status_code, 200)
            self.assertEqual(answer.content, file._bytes())
            self.assertEqual(answer.headers["Content-Type"], file.mimetype)
            self.assertIn("attachment", answer.headers["Content-Disposition"])
            self.assertIn(file.name, answer.headers["Content-Disposition"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_who_may_not_read_it_cannot_tell_it_from_one_that_is_not_there(self):
        packs = self.make_pack()
        own = self._create_own_agent()
        self.document.user_id = self.agent
        self.env.flush_all()
        strangers = (self.portal, self.trainee, self.auditor, self.stranger, own)
        for user in strangers:
            self.authenticate(user.login, user.login)
            answers = [
                self.url_open(f"/amazon_order_actions/file/{number}")
                for number in (0, UNKNOWN_FILE, 10**18, *packs.ids)
            ]
            with self.subTest(user=user.login):
                self.assertEqual({answer.status_code for answer in answers}, {404})
                self.assertEqual(len({answer.content for answer in answers}), 1)

    def test_who_is_not_logged_in_is_asked_to_log_in_whatever_there_is(self):
        pdf, _packed = self.make_pack()
        self.authenticate(None, None)
        for number in (pdf.id, UNKNOWN_FILE):
            for query in ("", "?access_token=1", "?access_token="):
                url = f"/amazon_order_actions/file/{number}{query}"
                answer = self.url_open(url, allow_redirects=False)
                self.assertEqual(answer.status_code, 303)
                self.assertIn("/web/login", answer.headers["Location"])

    def test_pack_with_entries_of_the_journal_is_sent_to_its_readers_alone(self):
        document = self.as_user(self.document, self.reader)
        pdf, packed = document.env["amazon.evidence"]._make(document, with_journal=True)
        for user, statuses in ((self.reader, (200, 200)), (self.agent, (200, 404))):
            self.authenticate(user.login, user.login)
            for file, status in zip((pdf, packed), statuses, strict=True):
                answer = self.url_open(file._url())
                self.assertEqual(answer.status_code, status, user.login)

    def test_feed_and_report_are_sent_to_readers_of_the_journal_alone(self):
        self.ask_refund(self.document)
        self.settle()
        feed = self.last_action().feed_id
        for user, status in (
            (self.auditor, 200),
            (self.agent, 404),
            (self.trainee, 404),
            (self.stranger, 404),
        ):
            self.authenticate(user.login, user.login)
            for file in (feed.payload_file_id, feed.report_file_id):
                answer = self.url_open(file._url())
                with self.subTest(user=user.login, file=file.name):
                    self.assertEqual(answer.status_code, status)
                    self.assertEqual(answer.content == file._bytes(), status == 200)

    def test_file_that_was_changed_in_the_database_is_not_sent(self):
        pdf, packed = self.make_pack()
        self.tamper(pdf, b"%PDF-1.4 another")
        self.authenticate(self.agent.login, self.agent.login)
        with self.assertLogs(FILES_LOG, "ERROR") as logs:
            answer = self.url_open(pdf._url())
        self.assertEqual(answer.status_code, 422)
        self.assertIn(pdf.name, answer.text)
        self.assertIn("does not match its digest", answer.text)
        self.assertNotIn("another", answer.text.replace("Another", ""))
        self.assertIn(str(pdf.id), logs.output[0])
        self.assertEqual(self.url_open(packed._url()).status_code, 200)

    # === ODOO'S OWN ROUTES === #

    def test_odoos_own_routes_for_files_send_none_of_ours(self):
        pdf, _packed = self.make_pack()
        pdf_id = pdf.id
        for user in (self.agent, self.system, self.trainee, self.portal, None):
            login = user and user.login
            self.authenticate(login, login)
            for url in (
                f"/web/content/amazon.file/{pdf_id}/content",
                f"/web/content/amazon.file/{pdf_id}/content?download=true",
                f"/web/content?model=amazon.file&id={pdf_id}&field=content",
                f"/web/content?model=amazon.file&id={pdf_id}&field=digest",
                f"/web/image/amazon.file/{pdf_id}/content",
                f"/web/image?model=amazon.file&id={pdf_id}&field=content&download=1",
                f"/web/content/{pdf_id}?model=amazon.file&access_token=x",
            ):
                with self.subTest(user=login, url=url):
                    answer = self.url_open(url)
                    self.assertFalse(self.tells(answer.content))
                    self.assertNotIn(b"%PDF", answer.content)

    def test_export_has_no_content(self):
        pdf, _packed = self.make_pack()
        self.authenticate(self.system.login, self.system.login)
        with self.assertRaises(JsonRpcException):
            self.make_jsonrpc_request(
                "/web/dataset/call_kw/amazon.file/export_data",
                {
                    "model": "amazon.file",
                    "method": "export_data",
                    "args": [pdf.ids, ["content"]],
                    "kwargs": {},
                },
            )


@tagged("post_install", "-at_install")
class TestFiles(FilesCommon):
    """Whom a file belongs to, and that it stays as it was made."""

    # === NOTHING IS AN ATTACHMENT === #

    def test_nothing_of_ours_is_an_attachment_that_can_be_shared_or_moved(self):
        before = self.env["ir.attachment"].search([("id", "!=", 0)])
        self.make_pack()
        self.make_files(self.create_sale_order(SHIPPED))
        self.make_files(self.document._get_amazon_order())
        self.ask_refund(self.document)
        self.settle()
        self.assertTrue(self.last_action().feed_id.report_file_id)
        self.assertEqual(self.env["ir.attachment"].search([("id", "!=", 0)]), before)
        self.assertFalse(self.document.message_ids.attachment_ids)

    # === NOBODY CHANGES IT === #

    def test_nobody_changes_moves_copies_or_deletes_a_file(self):
        pdf, _packed = self.make_pack()
        other = self.create_case()
        before = pdf.read()
        calls = [
            ("write", [pdf.id], {name: value})
            for name, value in (
                ("content", "QQ=="),
                ("digest", "0" * 64),
                ("name", "other.pdf"),
                ("mimetype", "text/html"),
                ("size", 1),
                ("kind", "feed"),
                ("with_journal", False),
                ("res_id", other.id),
                ("res_model", "res.partner"),
                ("company_id", self.elsewhere.id),
                ("create_uid", self.trainee.id),
            )
        ]
        calls += [
            ("unlink", [pdf.id]),
            ("copy", [pdf.id]),
            ("create", {"name": "A", "res_model": "res.partner", "res_id": 1}),
            ("web_save", [pdf.id], {"name": "A"}, {}),
        ]
        for user in (self.trainee, self.agent, self.reader, self.admin, self.system):
            for call in calls:
                with (
                    self.subTest(user=user.login, call=call),
                    self.assertRaises(AccessError),
                ):
                    self.rpc(user, "amazon.file", *call)
        self.assertEqual(pdf.read(), before)

    def test_code_in_sudo_mode_neither_changes_nor_deletes_a_file(self):
        pdf, _packed = self.make_pack()
        with self.assertRaises(AccessError):
            pdf.sudo().name = "other.pdf"
        with self.assertRaises(AccessError):
            pdf.sudo().write({"content": b"A", "res_id": 1})
        with self.assertRaises(AccessError):
            pdf.sudo().unlink()

    def test_document_that_has_a_pack_is_not_deleted(self):
        packs = self.make_pack()
        with self.assertRaises(UserError) as refusal:
            self.document.unlink()
        self.assertIn(self.document.display_name, str(refusal.exception))
        packs._remove()
        self.document.unlink()
        self.assertFalse(self.document.exists())

    # === WHO READS === #

    def test_content_is_read_by_nobody(self):
        pdf, _packed = self.make_pack()
        for user in (self.agent, self.reader, self.system):
            self.assertTrue(self.rpc(user, "amazon.file", "read", pdf.ids, ["digest"]))
            for call in (
                ("read", pdf.ids, ["content"]),
                ("web_read", pdf.ids, {"content": {}}),
                ("search_read", [("id", "=", pdf.id)], ["content"]),
                ("search", [("content", "!=", False)]),
                ("export_data", pdf.ids, ["content"]),
            ):
                for context in ({}, {"bin_size": True}):
                    with (
                        self.subTest(user=user.login, call=call),
                        # also where the right to export is wanting
                        self.assertRaises(UserError),
                    ):
                        self.rpc(user, "amazon.file", *call, **context)
            everything = self.rpc(user, "amazon.file", "read", pdf.ids)
            self.assertNotIn("content", everything[0])

    def test_nobody_finds_counts_or_groups_what_is_not_theirs(self):
        pdf, _packed = self.make_pack()
        self.env["amazon.file"]._keep(
            self.last_document(), self.company, "pack", "x", b"x", mimetype="a/b"
        )
        ours = [("id", "=", pdf.id)]
        calls = (
            ("search", ours),
            ("search", [("digest", "=", pdf.digest)]),
            ("search", [("size", ">", 0)], 0, 5, "size desc"),
            ("search_read", ours, ["name"]),
            ("search_count", ours),
            ("name_search", pdf.name),
            ("formatted_read_group", ours, ["res_id"], []),
        )
        alone = self._create_user("amazon_alone", "amazon_order_actions.group_refund")
        for user in (alone, self.auditor, self.stranger):
            for call in calls:
                with self.subTest(user=user.login, call=call):
                    self.assertFalse(self.rpc(user, "amazon.file", *call))
            for method, args in (("read", (["name"],)), ("action_download", ())):
                with self.subTest(user=user.login), self.assertRaises(AccessError):
                    self.rpc(user, "amazon.file", method, pdf.ids, *args)
        for call in calls:
            with self.subTest(call=call):
                self.assertTrue(self.rpc(self.agent, "amazon.file", *call))
                with self.assertRaises(AccessError):
                    self.rpc(self.trainee, "amazon.file", *call)

    def last_document(self):
        """Return another document that the agent may read and has a pack of."""
        return self.create_case(user_id=self.agent.id)

    def test_of_several_files_each_is_judged_alone(self):
        own = self._create_own_agent()
        mine = self.create_case(user_id=own.id)
        theirs = self.create_case(user_id=self.agent.id)
        packs = self.make_files(mine) + self.make_files(theirs)
        readable = self.as_user(packs, own).sudo(False)._filtered_access("read")
        self.assertEqual(readable.sudo(), packs[:2])
        found = self.rpc(own, "amazon.file", "search", [("id", "in", packs.ids)])
        self.assertEqual(sorted(found), sorted(packs[:2].ids))
        with self.assertRaises(AccessError) as refusal:
            self.rpc(own, "amazon.file", "read", packs.ids, ["name"])
        self.assertNotIn(str(packs[0].id), str(refusal.exception))

    def test_who_loses_the_document_loses_its_files(self):
        pdf, _packed = self.make_pack()
        own = self._create_own_agent()
        file = self.as_user(pdf, own).sudo(False)
        self.document.user_id = own
        self.assertTrue(file.has_access("read"))
        self.document.user_id = self.agent
        self.assertFalse(file.has_access("read"))

    def test_file_is_read_in_its_company_alone(self):
        pdf, _packed = self.make_pack()
        self.agent.company_ids += self.elsewhere
        for companies, found in ((self.company, pdf.ids), (self.elsewhere, [])):
            context = {"allowed_company_ids": companies.ids}
            domain = [("id", "=", pdf.id)]
            call = (self.agent, "amazon.file", "search", domain)
            self.assertEqual(self.rpc(*call, **context), found)

    def test_name_of_a_file_is_not_told_to_who_makes_up_its_number(self):
        """An activity that nobody saves names its document in sudo mode."""
        pdf, _packed = self.make_pack()
        model = self.env["ir.model"]._get_id("amazon.file")
        values = {"res_model_id": model, "res_id": pdf.id}
        asked = dict.fromkeys(("res_model_id", "res_model", "res_id", "res_name"), {})
        call = ("mail.activity", "onchange", [], values, ["res_id"], asked)
        for user in (self.trainee, self.auditor, self.stranger):
            with self.subTest(user=user.login):
                self.assertNotIn(SHIPPED, str(self.rpc(user, *call)))
        self.assertIn(SHIPPED, str(self.rpc(self.agent, *call)))

    def test_list_of_a_document_shows_each_reader_what_is_theirs(self):
        self.make_pack()
        document = self.as_user(self.document, self.reader)
        document.env["amazon.evidence"]._make(document, with_journal=True)
        for user, count in ((self.reader, 4), (self.agent, 3)):
            action = self.as_user(self.document, user).action_amazon_files()
            with self.subTest(user=user.login):
                found = self.rpc(user, "amazon.file", "search", action["domain"])
                self.assertEqual(len(found), count)

    def test_list_of_a_document_has_its_files_alone(self):
        packs = self.make_pack()
        self.make_files(self.create_case())
        action = self.as_user(self.document, self.agent).action_amazon_files()
        found = self.rpc(self.agent, "amazon.file", "search", action["domain"])
        self.assertEqual(sorted(found), sorted(packs.ids))
        with self.assertRaises(AccessError):
            self.as_user(self.document, self.trainee).action_amazon_files()

    # === WHAT AMAZON ANSWERED === #

    def test_report_that_was_changed_after_it_was_kept_settles_nothing(self):
        """Neither is money freed, nor anything sent again, by what Amazon did not
        say."""
        action = self.ask_refund(self.document)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_poll")
        feed = action.feed_id
        report = feed.report_file_id._bytes()
        self.assertEqual(action.state, "submitted")
        self.tamper(feed.report_file_id, report.replace(b"Complete", b"Rejected"))
        self.run_jobs("_job_apply_report")
        self.run_jobs("_job_move_actions")
        self.assertEqual(action.state, "unknown")
        self.assertIn("does not match the digest", action.state_message)
        self.assertEqual(len(self.simulator.ledger()["feeds"]), 1)
