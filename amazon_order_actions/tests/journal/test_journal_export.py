import csv
import gzip
import io
import json
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged

from ...models.journal.uninstall import LAST_EXPORT
from ...verify_journal import verify
from ...wizards.journal.audit_export import neutral
from ..common import SHIPPED
from .test_journal_chain import JournalCommon

EXPORT = "odoo.addons.amazon_order_actions.models.journal.export"


@tagged("post_install", "-at_install")
class TestJournalExport(JournalCommon):
    """Auditors export the journal, whole or in part; that is journaled."""

    def setUp(self):
        super().setUp()
        self.fill(5)
        self.env.flush_all()

    def dialog(self, user=None, **context):
        action = (
            self.env["amazon.audit.entry"]
            .with_user(user or self.auditor)
            .with_context(**context)
            .action_export()
        )
        return (
            self.env["amazon.audit.export"]
            .with_user(user or self.auditor)
            .browse(action["res_id"])
        )

    def file(self, dialog):
        self.env.flush_all()
        return b"".join(dialog._chunks()).decode()

    def test_whole_journal_is_sealed_and_holds(self):
        dialog = self.dialog()
        self.assertEqual((dialog.scope, dialog.file_format), ("all", "jsonl"))
        with patch(f"{EXPORT}.READ_CHUNK", 2):
            report = verify(self.file(dialog).splitlines())
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.entries, 5)
        (chain,) = report.chains
        self.assertTrue(chain.complete)
        self.assertEqual(chain.sealed, 5)

    def test_part_is_what_the_list_shows(self):
        dialog = self.dialog(active_domain=[["message", "in", ["Entry 1", "Entry 3"]]])
        self.assertEqual(dialog.scope, "part")
        self.assertEqual(dialog.entry_count, 2)
        lines = self.file(dialog).splitlines()
        report = verify(lines)
        self.assertTrue(report.holds, report.text())
        self.assertFalse(report.chains[0].complete)
        messages = [json.loads(line)["message"] for line in lines[1:]]
        self.assertEqual(messages, ["Entry 1", "Entry 3"])

    def test_part_is_what_was_selected(self):
        entry = self.entries()[2]
        dialog = self.dialog(active_ids=entry.ids, active_domain=[])
        self.assertEqual((dialog.scope, dialog.entry_count), ("part", 1))

    def test_csv_has_all_columns_and_no_formulas(self):
        self.fill(1, message="=HYPERLINK(A1)", value_after="@x", value_before="+1")
        dialog = self.dialog()
        dialog.file_format = "csv"
        content = self.file(dialog)
        self.assertTrue(content.startswith("\ufeff"))
        rows = list(csv.DictReader(io.StringIO(content[1:])))
        self.assertEqual(len(rows), 6)
        last = rows[-1]
        self.assertEqual(last["message"], "'=HYPERLINK(A1)")
        self.assertEqual((last["value_after"], last["value_before"]), ("'@x", "'+1"))
        self.assertEqual(last["number"], "6")
        for start in "=+-@\t\r":
            self.assertEqual(neutral(f"{start}x"), f"'{start}x")
        self.assertEqual((neutral("x="), neutral(5), neutral(None)), ("x=", 5, None))

    def test_own_export_of_odoo_works_and_is_journaled(self):
        self.auditor.group_ids += self.env.ref("base.group_allow_export")
        self.fill(1, message="=HYPERLINK(A1)")
        entries = self.entries().filtered("message")[-2:].with_user(self.auditor)
        rows = entries.export_data(["message"])["datas"]
        self.assertEqual(rows[-1], ["'=HYPERLINK(A1)"])
        entry = self.entries()[-1]
        self.assertEqual((entry.event, entry.user_id), ("journal", self.auditor))

    def test_nothing_to_export_is_said(self):
        dialog = self.dialog(active_domain=[["message", "=", "nowhere"]])
        with self.assertRaisesRegex(UserError, "no entries"):
            dialog.action_download()

    def test_only_auditors_export(self):
        for user in (self.agent, self.admin, self.trainee):
            with self.assertRaises(AccessError):
                self.dialog(user)

    def test_journal_of_another_company_is_not_exported(self):
        other = self._create_company(name="Other")
        self.fill(2, company_id=other.id, message="secret")
        dialog = self.dialog()
        dialog.sudo().company_id = other
        with self.assertRaises(AccessError):
            dialog.action_download()
        dialog = self.dialog(active_domain=[["message", "=", "secret"]])
        self.assertEqual(dialog.entry_count, 0)
        dialog.domain = [["message", "=", "secret"]]
        self.assertEqual(dialog.entry_count, 0)
        self.assertNotIn("secret", self.file(dialog))

    def test_dialog_of_somebody_else_is_refused(self):
        dialog = self.dialog()
        other = self.auditor.copy({"login": "second_auditor"})
        with self.assertRaises(AccessError):
            dialog.with_user(other).check_access("read")


@tagged("post_install", "-at_install")
class TestJournalDownload(HttpCase, JournalCommon):
    """The file comes over HTTP, while it is read."""

    def setUp(self):
        super().setUp()
        self.fill(3)
        self.seal()
        for user in (self.auditor, self.agent):
            user.password = user.login
        self.env.flush_all()

    def test_auditor_downloads_what_the_verifier_takes(self):
        self.authenticate("amazon_auditor", "amazon_auditor")
        dialog = (
            self.env["amazon.audit.export"]
            .with_user(self.auditor)
            .create({"scope": "all", "company_id": self.company.id})
        )
        self.env.flush_all()
        answer = self.url_open(dialog.action_download()["url"])
        self.assertEqual(answer.status_code, 200)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        report = verify(answer.text.splitlines())
        self.assertTrue(report.holds, report.text())
        # that it was exported is in the export
        self.assertEqual(report.entries, 4)
        self.env.invalidate_all()
        entry = self.entries()[-1]
        self.assertEqual(entry.event, "journal")
        self.assertEqual(entry.user_id, self.auditor)
        self.env["amazon.audit.anchor"]._make(self.company, "")
        self.env.flush_all()
        anchors = self.url_open("/amazon_order_actions/journal/anchors")
        report = verify(answer.text.splitlines(), anchors.text.splitlines())
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.chains[0].compared, 1)

    def test_journal_of_another_company_is_not_sent(self):
        other = self._create_company(name="Other")
        self.fill(2, company_id=other.id, message="of another company")
        # Python refuses it, too, not the rule of the dialogs alone.
        rules = self.env["ir.rule"].search([("model_id", "=", "amazon.audit.export")])
        rules.filtered(lambda rule: "company" in rule.domain_force).active = False
        dialog = (
            self.env["amazon.audit.export"]
            .with_user(self.auditor)
            .create({"scope": "all", "company_id": self.company.id})
        )
        url = dialog.action_download()["url"]
        dialog.company_id = other
        before = len(self.env["amazon.audit.entry"].sudo().search([]))
        self.env.flush_all()
        self.authenticate("amazon_auditor", "amazon_auditor")
        answer = self.url_open(url)
        self.assertEqual(answer.status_code, 403)
        self.assertIn("You do not belong to the company", answer.text)
        self.assertNotIn("of another company", answer.text)
        after = len(self.env["amazon.audit.entry"].sudo().search([]))
        self.assertEqual(before, after)

    def test_part_is_journaled_in_each_company_that_it_has_entries_of(self):
        other = self._create_company(name="Other")
        self.auditor.sudo().company_ids += other
        self.fill(2, company_id=other.id)
        dialog = (
            self.env["amazon.audit.export"]
            .with_user(self.auditor)
            .create(
                {
                    "scope": "part",
                    "company_id": self.company.id,
                    "domain": [["message", "in", ["Entry 0", "Entry 1", "Entry 2"]]],
                }
            )
        )
        self.env.flush_all()
        self.authenticate("amazon_auditor", "amazon_auditor")
        answer = self.url_open(f"/amazon_order_actions/journal/{dialog.id}")
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(verify(answer.text.splitlines()).entries, 5)
        self.env.invalidate_all()
        journal = self.env["amazon.audit.entry"].sudo()
        for company, count in ((self.company, 3), (other, 2)):
            entry = journal.search([("company_id", "=", company.id)], limit=1)
            self.assertEqual((entry.event, entry.user_id), ("journal", self.auditor))
            self.assertIn(f"{count} entries of the journal were", entry.message)

    def test_others_get_nothing(self):
        dialog = (
            self.env["amazon.audit.export"]
            .with_user(self.auditor)
            .create({"scope": "all", "company_id": self.company.id})
        )
        self.env.flush_all()
        self.authenticate("amazon_agent", "amazon_agent")
        for path in (str(dialog.id), "anchors"):
            answer = self.url_open(f"/amazon_order_actions/journal/{path}")
            self.assertEqual(answer.status_code, 403)
            self.assertNotIn("Entry", answer.text)
        self.authenticate(None, None)
        answer = self.url_open(
            f"/amazon_order_actions/journal/{dialog.id}", allow_redirects=False
        )
        self.assertEqual(answer.status_code, 303)


@tagged("post_install", "-at_install")
class TestJournalAnchor(JournalCommon):
    """Every day the chain's head leaves the database."""

    def setUp(self):
        super().setUp()
        self.fill(2)
        self.seal()
        self.company.sudo().amazon_anchor_emails = "audit@example.com, tax@example.com"

    def mails(self):
        return (
            self.env["mail.mail"]
            .sudo()
            .search([("model", "=", "amazon.audit.anchor")], order="id")
        )

    def test_anchor_is_mailed_with_what_the_verifier_takes(self):
        anchor = self.env["amazon.audit.anchor"]._make(self.company, "It holds.")
        mail = self.mails()[-1]
        self.assertEqual(mail.email_to, "audit@example.com, tax@example.com")
        self.assertIn("It holds.", mail.body_html)
        self.assertEqual((anchor.number, anchor.mail_state), (2, "waiting"))
        self.assertIn(anchor.hash, mail.body_html)
        report = verify(self.entries()._export_lines(), anchor._lines())
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.chains[0].compared, 1)

    def test_mail_that_fails_is_shown_and_raises_an_alarm(self):
        anchor = self.env["amazon.audit.anchor"]._make(self.company, "")
        self.mails()[-1].write({"state": "exception", "failure_reason": "no such host"})
        anchor.invalidate_recordset()
        self.assertEqual(anchor.mail_state, "failed")
        self.assertEqual(anchor.mail_problem, "no such host")
        alarms = self.env["amazon.alarm"].with_company(self.company)
        watch = self.env["amazon.watch"].with_company(self.company)
        watch._watch(self.account)
        alarm = alarms.search([("kind", "=", "anchor"), ("state", "=", "open")])
        self.assertIn("no such host", alarm.message)
        self.assertIn(self.auditor, alarm.activity_ids.user_id)
        self.mails()[-1].state = "sent"
        anchor.invalidate_recordset()
        watch._watch(self.account)
        self.assertEqual(alarm.state, "over")

    def test_without_an_address_nothing_is_mailed_and_that_is_shown(self):
        self.company.sudo().amazon_anchor_emails = False
        anchor = self.env["amazon.audit.anchor"]._make(self.company, "")
        self.assertEqual(anchor.mail_state, "none")
        self.assertFalse(self.mails())
        check = self.verify()
        self.assertEqual(check.state, "holds")
        self.assertIn("No address is set", check.summary)
        self.company.sudo().amazon_anchor_emails = "audit@example.com"
        self.assertNotIn("No address is set", self.verify().summary)

    def test_empty_journal_has_no_anchor(self):
        other = self._create_company(name="Other")
        self.assertFalse(self.env["amazon.audit.anchor"]._make(other, ""))

    def test_every_day_the_journal_is_checked_and_anchored_once(self):
        checks = self.env["amazon.audit.check"]
        companies = type(self.env["res.company"])
        with (
            patch.object(
                companies, "search", lambda rows, *_args, **_kwargs: self.company
            ),
            # a test must not commit
            patch.object(
                type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: 60
            ),
        ):
            checks._cron_check()
            checks._cron_check()
        found = checks.search([("company_id", "=", self.company.id)])
        self.assertEqual(found.mapped("state"), ["holds"])
        anchors = self.env["amazon.audit.anchor"].search(
            [("company_id", "=", self.company.id), ("number", ">", 0)]
        )
        # the check's own entry is among them
        self.assertEqual(anchors.mapped("number"), [3])
        self.assertEqual(len(self.mails()), 1)
        self.assertIn("The journal holds", self.mails().body_html)

    def test_administrator_sets_the_addresses_and_that_is_journaled(self):
        settings = self.env["amazon.audit.settings"].with_user(self.admin)
        dialog = settings.browse(settings.action_open()["res_id"])
        self.assertIn("audit@example.com", dialog.anchor_emails)
        dialog.anchor_emails = "new@example.com"
        dialog.action_save()
        self.assertEqual(self.company.sudo().amazon_anchor_emails, "new@example.com")
        entry = self.entries()[-1]
        self.assertEqual((entry.event, entry.user_id), ("journal", self.admin))
        self.assertEqual(entry.value_after, "new@example.com")
        self.assertIn("audit@example.com", entry.value_before)

    def test_wrong_address_and_too_short_time_are_refused(self):
        settings = self.env["amazon.audit.settings"].with_user(self.admin)
        dialog = settings.browse(settings.action_open()["res_id"])
        with self.assertRaisesRegex(ValidationError, "is no mail address"):
            dialog.anchor_emails = "audit@example.com, nobody"
        with self.assertRaisesRegex(ValidationError, "at least"):
            dialog.retention_days = 30

    def test_others_do_not_set_them(self):
        settings = self.env["amazon.audit.settings"]
        for user in (self.agent, self.auditor, self.trainee):
            with self.assertRaises(AccessError):
                settings.with_user(user).action_open()


@tagged("post_install", "-at_install")
class TestJournalUninstall(JournalCommon):
    """The journal goes with the addon, so it is exported first."""

    def setUp(self):
        super().setUp()
        # of the demo data
        self.env["amazon.audit.last.export"].sudo()._export_before_uninstall()
        self.addon = self.env["ir.module.module"].search(
            [("name", "=", "amazon_order_actions")]
        )

    def test_uninstalling_is_refused_until_all_is_exported(self):
        self.fill(3)
        with self.assertRaisesRegex(UserError, "Export the Amazon Journal"):
            self.addon.button_uninstall()
        beneath = self.env["ir.module.module"].search([("name", "=", "queue_job")])
        with self.assertRaises(UserError):
            beneath.button_uninstall()
        self.assertEqual(self.addon.state, "installed")
        dialog = self.env["base.module.uninstall"].create(
            {"module_ids": [Command.set(self.addon.ids)]}
        )
        self.assertTrue(dialog.amazon_journal_missing)
        dialog.action_export_amazon_journal()
        dialog.invalidate_recordset()
        self.assertFalse(dialog.amazon_journal_missing)
        self.assertIn("Attachments", dialog.amazon_journal_message)
        self.addon.button_uninstall()
        self.assertEqual(self.addon.state, "to remove")

    def test_one_more_entry_asks_for_another_export(self):
        self.fill(1)
        journal = self.env["amazon.audit.last.export"].sudo()
        journal._export_before_uninstall()
        self.assertFalse(journal._companies_not_exported())
        self.fill(1)
        self.assertEqual(journal._companies_not_exported(), self.company)

    def test_file_that_anybody_else_made_is_taken_for_no_export(self):
        self.fill(1)
        journal = self.env["amazon.audit.last.export"].sudo()
        name = journal._last_file_name(self.company)
        values = {"name": name, "raw": b"", "description": LAST_EXPORT}
        self.env["ir.attachment"].with_user(self.auditor).create(values)
        self.assertEqual(journal._companies_not_exported(), self.company)

    def test_exports_are_for_administrators_of_odoo_alone(self):
        self.fill(1)
        self.env["amazon.audit.last.export"].sudo()._export_before_uninstall()
        exports = self.env["amazon.audit.last.export"]._last_exports()
        self.assertTrue(exports)
        for user in (self.agent, self.auditor, self.admin):
            theirs = exports.with_user(user)
            self.assertFalse(theirs._filtered_access("read"))
            self.assertFalse(theirs.search([("id", "in", exports.ids)]))
            with self.assertRaises(AccessError):
                theirs.generate_access_token()

    def test_entry_that_is_committed_late_asks_for_another_export(self):
        self.fill(1)
        journal = self.env["amazon.audit.last.export"].sudo()
        journal._export_before_uninstall()
        # a transaction that began earlier has taken a lower id
        self.env.cr.execute(
            "INSERT INTO amazon_audit_entry"
            " (id, company_id, user_id, event, occurred_at, version)"
            " SELECT min(id) - 1, %s, %s, 'account', now(), 1 FROM amazon_audit_entry",
            [self.company.id, self.agent.id],
        )
        self.assertEqual(journal._companies_not_exported(), self.company)

    def test_what_is_exported_survives_and_can_be_verified(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.env["amazon.audit.last.export"].sudo()._export_before_uninstall()
        kept = self.env["ir.attachment"].search(
            [("description", "=", LAST_EXPORT), ("res_model", "=", False)]
        )
        by_name = {attachment.name: attachment for attachment in kept}
        (name,) = [
            n for n in by_name if n.startswith(f"amazon-journal-{self.company.id}-")
        ]
        lines = gzip.decompress(by_name[name].raw).splitlines()
        anchors = by_name["amazon-journal-anchors.jsonl"].raw.splitlines()
        report = verify(lines, anchors)
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.entries, len(self.entries()))
        self.assertEqual(report.chains[0].sealed, report.entries)
        self.assertIn("verify_journal.py", by_name)

    def test_dialog_of_other_modules_says_nothing(self):
        other = self.env["ir.module.module"].search(
            [("state", "=", "installed"), ("name", "=", "queue_job_batch")]
        ) or self.env["ir.module.module"].search([("name", "=", "web_tour")], limit=1)
        dialog = self.env["base.module.uninstall"].create(
            {"module_ids": [Command.set(other.ids)]}
        )
        if self.addon not in dialog._get_modules():
            self.assertFalse(dialog.amazon_journal_message)
