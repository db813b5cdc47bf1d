from odoo import api, fields, models

from ..base.groups import ADMIN


class AmazonOrder(models.Model):
    """What the buyer wrote to Amazon is read by who may read a document of the order.

    The stored words are for the program alone; people are shown a field that cannot be
    searched or grouped by, or it would be guessed letter by letter.
    """

    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    shown_cancel_reason = fields.Char(
        "Cancel Request Reason", compute="_compute_shown_cancel_reason"
    )

    @api.depends("cancel_request_reason")
    @api.depends_context("uid", "allowed_company_ids")
    def _compute_shown_cancel_reason(self):
        self.shown_cancel_reason = False
        told = self.filtered(lambda order: order.sudo().cancel_request_reason)
        for order in told._with_readable_document():
            order.shown_cancel_reason = order.sudo().cancel_request_reason

    @api.model
    def _document_models(self):
        """Override: those with the mixin that are no mixin themselves.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.order.mixin"], "_inherit")
        models_found = [self.env[name] for name in names]
        return [documents for documents in models_found if not documents._abstract]

    @api.model
    def _document(self, model, record_id):
        """Override: a document by model and id; an empty sale order where it is none.

        :param str model: name of a model of documents; anything else names nothing
        """
        for documents in self._document_models():
            if documents._name == model:
                return documents.browse(record_id or None)
        return self.env["sale.order"]

    def _with_readable_document(self):
        """Return those orders of which the user may read a document; all of them to
        administrators of the addon."""
        if not self or self.env.su or self.env.user.has_group(ADMIN):
            return self
        found = self.browse()
        for documents in self._document_models():
            # sudo: to find them is not to read them
            of_orders = documents.sudo().search([("amazon_order_id", "in", self.ids)])
            readable = of_orders.sudo(False)._filtered_access("read")
            found |= readable.sudo().amazon_order_id.sudo(False)
        return self & found
