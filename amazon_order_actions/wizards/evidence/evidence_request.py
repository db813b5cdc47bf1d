from odoo import api, fields, models
from odoo.exceptions import UserError

from ...models.conversation.reply_rules import LANGUAGES, language_of


class AmazonEvidenceRequest(models.TransientModel):
    """The dialog that makes an evidence pack."""

    _name = "amazon.evidence.request"
    _inherit = "amazon.typed.numbers"
    _description = "Request of an Amazon Evidence Pack"

    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", readonly=True)
    order_id = fields.Many2one("amazon.order", readonly=True)
    language = fields.Selection(LANGUAGES, required=True)
    with_messages = fields.Boolean(
        "Conversation",
        default=True,
        help="What was written between the buyer and you on this document.",
    )
    with_notes = fields.Boolean(
        "Internal Notes",
        help="What your colleagues wrote among themselves. Amazon and the buyer may "
        "read it then.",
    )

    with_journal = fields.Boolean(
        "Journal entries as they are: internal words, logins",
        help="The reasons of those who approve or refuse, limits, logins, and numbers "
        "of other documents. Only who may read the journal can tick it; without it the "
        "ZIP holds the digests of the entries.",
    )

    @api.constrains("origin_model", "origin_id", "order_id")
    def _check_readable(self):
        """Refuse documents that the user may not read: all that are named, since each
        of them shows its name.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        for request in self.sudo(False):
            for document in filter(None, (request.order_id, request._asked_from())):
                self.env["amazon.evidence"]._check_right(document)

    @api.model
    def _open(self, document):
        """Return the action that opens a new dialog.

        :param document: an Amazon order, or a document of one
        """
        document.ensure_one()
        evidence = self.env["amazon.evidence"]
        evidence._check_right(document)
        order = evidence._order_of(document)._require_one()
        about = {"order_id": document.id}
        if document._name != "amazon.order":
            about = {"origin_model": document._name, "origin_id": document.id}
        request = self.create({**about, "language": language_of(order.marketplace)})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Evidence for %s", order.amazon_order_ref),
            "res_model": self._name,
            "res_id": request.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def action_pdf(self):
        """Make the pack and download its PDF."""
        return self._download("application/pdf")

    def action_zip(self):
        """Make the pack and download its ZIP."""
        return self._download("application/zip")

    # === HELPERS === #

    def _document(self):
        return self._asked_from() or self.order_id

    def _asked_from(self):
        """Return the document that the dialog was opened from."""
        return self.env["amazon.document"]._document(self.origin_model, self.origin_id)

    def _download(self, mimetype):
        self.ensure_one()
        self._check_readable()
        document = self._document()
        if not document:
            raise UserError(
                self.env._("Open it from an Amazon order or a document of one.")
            )
        files = self.env["amazon.evidence"]._make(
            document,
            self.language,
            self.with_messages,
            self.with_notes,
            self.with_journal,
        )
        file = files.filtered(lambda each: each.mimetype == mimetype)
        # so that the form below shows the note and both files
        return {**file.sudo(False).action_download(), "close": True}
