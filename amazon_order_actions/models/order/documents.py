from odoo import api, models

from ..base.groups import ADMIN


class AmazonDocument(models.AbstractModel):
    """What the orders' documents are to those that need not know which there are.

    A model that inherits from this one, and is not abstract, is one of them: that
    registers it. It has the order in ``amazon_order_id``.
    """

    _name = "amazon.document"
    _description = "Documents of Amazon Orders"

    @api.model
    def _document_models(self):
        """Return the models of documents that belong to Amazon orders, each empty.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.document"], "_inherit")
        models_found = [self.env[name] for name in names]
        return [documents for documents in models_found if not documents._abstract]

    @api.model
    def _document(self, model, record_id):
        """Return a document by model and id; an empty sale order where it is none.

        :param str model: name of a model of documents; anything else names nothing
        """
        for documents in self._document_models():
            if documents._name == model:
                return documents.browse(record_id or None)
        return self.env["sale.order"]

    @api.model
    def _readable_orders(self, orders):
        """Return those orders of which the user may read a document; all of them to
        administrators of the addon.

        :param amazon.order orders: any number
        """
        if not orders or self.env.su or self.env.user.has_group(ADMIN):
            return orders
        found = orders.browse()
        for documents in self._document_models():
            # sudo: to find them is not to read them
            of_orders = documents.sudo().search([("amazon_order_id", "in", orders.ids)])
            readable = of_orders.sudo(False)._filtered_access("read")
            found |= readable.sudo().amazon_order_id.sudo(False)
        return orders & found
