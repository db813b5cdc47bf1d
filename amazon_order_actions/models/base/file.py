import hashlib

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

from .private_log import private_logger

_logger = private_logger(__name__)


class AmazonFile(models.Model):
    """A file of the addon: an evidence pack, a feed as it was sent, Amazon's report.

    It hangs on a document by model and id, and is no attachment: portal pages and mails
    show a document's attachments to its customer, and who may write the document may
    change them. The content stands in a column that no user can read, and leaves by one
    route alone (controllers/file.py). Nobody changes a file; retention removes it.
    """

    _name = "amazon.file"
    _inherit = "amazon.own.defaults"
    _description = "Amazon File"
    _order = "id desc"

    name = fields.Char("File", required=True, readonly=True)
    kind = fields.Selection(
        [
            ("pack", "Evidence"),
            ("feed", "Feed as sent"),
            ("report", "Amazon's report"),
        ],
        required=True,
        readonly=True,
    )
    res_model = fields.Char("Document Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        "Document", model_field="res_model", required=True, readonly=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    with_journal = fields.Boolean(
        "With Journal Entries",
        readonly=True,
        help="Only who may read the journal can have it.",
    )
    mimetype = fields.Char("Type", required=True, readonly=True)
    size = fields.Integer("Size (Bytes)", readonly=True)
    digest = fields.Char("SHA-256", required=True, readonly=True)
    content = fields.Binary(
        attachment=False,
        readonly=True,
        copy=False,
        exportable=False,
        groups=fields.NO_ACCESS,
    )

    _document_idx = models.Index("(res_model, res_id)")
    # Evidence packs, which hold what buyers wrote: the oldest first.
    _packs_idx = models.Index("(company_id, create_date) WHERE kind = 'pack'")

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: who may not read a file is told its number, not its name.

        Odoo works out the name of what a many2one points to in sudo mode, also of an id
        that a client made up.
        """
        if self.env.uid == SUPERUSER_ID:
            return super()._compute_display_name()
        told = (
            self.browse(self._origin.ids).exists().sudo(False)._filtered_access("read")
        )
        hidden = self.filtered(lambda file: file._origin not in told)
        for file in hidden:
            file.display_name = f"{file._name} {file._origin.id}"
        return super(AmazonFile, self - hidden)._compute_display_name()

    # === WHO MAY READ === #

    @api.model
    def _readable_domain(self):
        """Return which files the user may read, besides rights and companies: those of
        documents that the user may read, as each kind of document narrows it.

        :rtype: Domain
        """
        readable = Domain.FALSE
        document = "amazon.file.document"
        for name in self.env.registry.descendants([document], "_inherit"):
            documents = self.env[name].sudo(False).with_context(active_test=False)
            if documents._abstract or not documents.has_access("read"):
                continue
            readable |= (
                Domain("res_model", "=", name)
                & Domain("res_id", "in", documents._search(Domain.TRUE))
                & documents._amazon_file_domain()
            )
        if not self.env.user.has_group("amazon_order_actions.group_journal"):
            readable &= Domain("with_journal", "=", False)
        return readable

    def _check_access(self, operation):
        """Override: a file is for who may read its document."""
        result = super()._check_access(operation)
        files = self - result[0] if result else self
        if not any(files._ids):
            return result
        readable = self.sudo().search(
            Domain("id", "in", files.ids) & self._readable_domain()
        )
        hidden = files - readable
        if not hidden:
            return result
        if result:
            return result[0] + hidden, result[1]
        return hidden, lambda: AccessError(
            self.env._(
                "You may not read the file %(ids)s. It is for those who may read its "
                "document; a pack with entries of the journal is for those who may "
                "read the journal, too, and one of an Amazon order for who made it.",
                ids=", ".join(map(str, hidden.ids)),
            )
        )

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Override: nobody finds, counts or groups a file without reading its
        document."""
        if not (self.env.su or bypass_access):
            self.browse().check_access("read")
            domain = Domain(domain) & self._readable_domain()
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

    def _can_return_content(self, field_name=None, access_token=None):
        """Override: Odoo's own routes for files do not ask whether a field may be
        read, and know no digest."""
        raise AccessError(
            self.env._("This file is sent by its own address alone: %s", self._url())
        )

    # === CRUD METHODS === #

    def write(self, vals):  # pylint: disable=unknown-option-value,method-required-super
        """Refuse: a file stays as it was made, where it was made."""
        raise AccessError(self.env._("Files of Amazon actions cannot be changed."))

    def unlink(self):  # pylint: disable=unknown-option-value,method-required-super
        """Refuse: only retention removes a file."""
        self._refuse_deletion()

    def _refuse_deletion(self):
        raise AccessError(
            self.env._(
                "Files of Amazon actions cannot be deleted. They are removed after the "
                "days that an administrator sets in the Journal Settings."
            )
        )

    # === ACTION METHODS === #

    def action_download(self):
        """Download it.

        :raise AccessError: when the user may not read it
        """
        self.ensure_one()
        self.check_access("read")
        return {"type": "ir.actions.act_url", "url": self._url()}

    # === BUSINESS METHODS === #

    @api.model
    def _keep(self, document, company, kind, name, content, **values):
        """Keep a file beside a document.

        :param document: whose readers may read it
        :param res.company company: in which it may be read
        :param str kind: one of the field
        :param bytes content: of the file
        :return: the file, in sudo mode
        :rtype: amazon.file
        """
        # sudo: nobody creates files but the program; who made it stays in create_uid
        return self.sudo().create(
            {
                "kind": kind,
                "name": name,
                "res_model": document._name,
                "res_id": document.id,
                "company_id": company.id,
                "content": content,
                "size": len(content),
                "digest": self._digest(content),
                **values,
            }
        )

    @api.model
    def _digest(self, content):
        """Return the SHA-256 of a content, in hexadecimal digits."""
        return hashlib.sha256(content).hexdigest()

    def _url(self):
        return f"/amazon_order_actions/file/{self.id}"

    def _bytes(self):
        """Return the content as it stands there, whatever its digest says."""
        self.ensure_one()
        # a client may ask for the size instead, by the context
        plain = self.sudo().with_context(bin_size=False, bin_size_content=False)
        return plain.content or b""

    def _checked_bytes(self):
        """Return the content that was kept.

        :raise UserError: when it is another one by now
        """
        content = self._bytes()
        if self._digest(content) == self.sudo().digest:
            return content
        _logger.error(
            "The file %s of %s,%s does not match its digest",
            self.id,
            self.sudo().res_model,
            self.sudo().res_id,
        )
        raise UserError(
            self.env._(
                "The file %(name)s (number %(id)s) is not given out: it was changed in "
                "the database after it was kept, and does not match its digest any "
                "more. Tell an administrator. Another evidence pack can be made at any "
                "time.",
                name=self.sudo().name,
                id=self.id,
            )
        )

    def _remove(self):
        """Remove files that are not to be kept any longer."""
        return super().unlink()


class AmazonFileDocument(models.AbstractModel):
    """A document that has files of the addon: who may read it may read them."""

    _name = "amazon.file.document"
    _description = "Document With Amazon Files"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_amazon_files(self):
        """Keep what files hang on: with it nobody could read them any more."""
        kept = (
            self.env["amazon.file"]
            .sudo()
            .search(
                [("res_model", "=", self._name), ("res_id", "in", self.ids)], limit=1
            )
        )
        if kept:
            raise UserError(
                self.env._(
                    "%s cannot be deleted: there is Amazon evidence of it. Archive or "
                    "cancel it instead.",
                    self.browse(kept.res_id).display_name,
                )
            )

    def action_amazon_files(self):
        """Open the list of the files that hang on it.

        :raise AccessError: when the user may not read it, or no files at all
        """
        self.ensure_one()
        self.check_access("read")
        self.env["amazon.file"].check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Evidence Files"),
            "res_model": "amazon.file",
            "view_mode": "list,form",
            "domain": [("res_model", "=", self._name), ("res_id", "=", self.id)],
            "help": self.env._("No evidence has been kept here that you may read."),
        }

    @api.model
    def _amazon_file_domain(self):
        """Return which files of such documents are for who may read the document.

        :rtype: Domain
        """
        return Domain.TRUE
