import gzip
import tempfile
from pathlib import Path

from odoo import models
from odoo.exceptions import UserError

from ... import verify_journal
from ..base.background import in_own_transaction

# The journal goes with the addon; its last export is told by this description.
LAST_EXPORT = "amazon_order_actions: journal exported before uninstalling"


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    def button_uninstall(self):
        """Override to refuse to drop a journal that was not exported, or cannot be.

        :raise UserError: with the sentence that says how to export it
        """
        if not self.env.is_admin():
            # refused by `base`; what is not exported is not for everybody to know
            return super().button_uninstall()
        modules = self | self.downstream_dependencies()
        if "amazon_order_actions" in modules.mapped("name"):
            exports = self.env["amazon.audit.last.export"].sudo()
            owner = exports._foreign_owner()
            if owner:
                raise UserError(
                    self.env._(
                        "The tables of the Amazon journal belong to the database role "
                        "%s, so Odoo cannot remove them. Give them back to Odoo's role "
                        "first: docs/journal.md says how.",
                        owner,
                    )
                )
            missing = exports._companies_not_exported()
            if missing:
                raise UserError(
                    self.env._(
                        "Uninstalling removes the journal of all Amazon actions for "
                        "good, and it has entries that were not exported (%s). Open "
                        "Apps, choose Uninstall at Amazon Order Actions, and click "
                        "Export the Amazon Journal there first.",
                        ", ".join(missing.mapped("name")),
                    )
                )
        return super().button_uninstall()


class AmazonAuditLastExport(models.AbstractModel):
    """The whole journal, kept where it stays when the addon goes."""

    _name = "amazon.audit.last.export"
    _description = "Amazon Journal's Last Export"

    def _foreign_owner(self):
        """Return the role that the journal was given to, False where it is Odoo's own
        (`journal_owner.sql`)."""
        self.env.cr.execute(
            "SELECT pg_get_userbyid(proowner) FROM pg_proc"
            " WHERE proname = 'amazon_audit_refuse'"
            " AND NOT pg_has_role(current_user, proowner, 'USAGE')"
        )
        row = self.env.cr.fetchone()
        return row[0] if row else False

    def _companies_not_exported(self):
        """Return the companies whose journal has grown since it was last exported."""
        entries = self.env["amazon.audit.entry"]
        exported = set(self._last_exports().mapped("name"))
        return (
            self.env["res.company"]
            .search([])
            .filtered(
                lambda company: (
                    entries.search_count([("company_id", "=", company.id)], limit=1)
                    and self._last_file_name(company) not in exported
                )
            )
        )

    def _last_exports(self):
        """Return the files that an administrator of Odoo has exported to: everybody may
        make an attachment, and name and describe it like one."""
        return (
            self.env["ir.attachment"]
            .sudo()
            .search([("description", "=", LAST_EXPORT), ("res_model", "=", False)])
            .filtered(lambda export: export.create_uid._is_system())
        )

    def _last_file_name(self, company):
        """Return the name of the file that has all entries of a company, by the id of
        the last one and their number: one with a lower id may be committed later."""
        domain = [("company_id", "=", company.id)]
        entries = self.env["amazon.audit.entry"]
        last = entries.search(domain, limit=1, order="id desc")
        count = entries.search_count(domain)
        return f"amazon-journal-{company.id}-{last.id}-{count}.jsonl.gz"

    def _sentence_exported(self):
        names = self._last_exports().mapped("name")
        if not names:
            return self.env._("The Amazon journal is empty.")
        return self.env._(
            "The Amazon journal was exported. You find it under Settings > Technical > "
            "Attachments (developer mode), where it stays: %s.",
            ", ".join(names),
        )

    def _export_before_uninstall(self):
        """Export what was not exported yet, with the anchors and the verifier, to
        attachments that belong to no model of the addon. In transactions of its own,
        so that the files have what was sealed for them."""
        for company in self._companies_not_exported():
            in_own_transaction(self, "_journal_last_export", company.id)
            self.env["amazon.audit.link"]._seal(company, of_all_time=True)
        in_own_transaction(self, "_attach_all")

    def _journal_last_export(self, company_id):
        """Journal that the whole journal is exported."""
        sentence = self.env._("The whole journal was exported before uninstalling.")
        self.env["amazon.audit.entry"]._append(
            [{"event": "journal", "company_id": company_id, "message": sentence}]
        )

    def _attach_all(self):
        for company in self._companies_not_exported():
            self._attach(self._last_file_name(company), self._packed(company))
        anchors = self.env["amazon.audit.anchor"].search([])
        self._attach("amazon-journal-anchors.jsonl", "".join(anchors._lines()).encode())
        verifier = Path(verify_journal.__file__).read_bytes()
        self._attach("verify_journal.py", verifier)

    def _packed(self, company):
        """Return the journal of a company, packed by gzip."""
        with tempfile.TemporaryFile() as file:
            with gzip.GzipFile(fileobj=file, mode="wb") as packed:
                for line in self.env["amazon.audit.entry"]._all_lines(company):
                    packed.write(line.encode())
            file.seek(0)
            return file.read()

    def _attach(self, name, content):
        attachments = self.env["ir.attachment"].sudo()
        attachments.search(
            [("description", "=", LAST_EXPORT), ("name", "=", name)]
        ).unlink()
        attachments.create({"name": name, "raw": content, "description": LAST_EXPORT})
