from odoo import api, fields, models
from odoo.fields import Domain

from ..base.groups import ADMIN, APPROVE

# Who accounts for every action of a company, whatever document it was asked from.
ACCOUNTABLE = (APPROVE, "amazon_order_actions.group_journal", ADMIN)


class AmazonDocumentAccess(models.AbstractModel):
    """Narrows who may read records to who may read what they are about.

    As `mail.activity` does it, and on top of rights and record rules: in Python and in
    SQL, so that reading, searching, grouping and exporting go the same way. It is a
    condition of the query: nothing is read to be thrown away, however many there are.
    """

    _name = "amazon.document.access"
    _description = "Access by Document"

    @api.model
    def _access_domain(self):
        """Hook: return which records the current user may read; none, unless said.

        :rtype: Domain
        """
        return Domain.FALSE

    @api.model
    def _search(
        self, domain, offset=0, limit=None, order=None, *, bypass_access=False, **kwargs
    ):
        """Override to find only what the user may read."""
        if not (self.env.su or bypass_access):
            domain = Domain(domain) & self._access_domain()
        return super()._search(
            domain, offset, limit, order, bypass_access=bypass_access, **kwargs
        )

    def _check_access(self, operation):
        """Override to refuse what the user may not read, whatever is to be done."""
        result = super()._check_access(operation)
        allowed = self - result[0] if result else self
        # new records are about nothing yet
        allowed = allowed.browse(filter(None, allowed._ids))
        if not allowed:
            return result
        domain = self._access_domain()
        if domain.is_true():
            return result
        query = self.sudo()._search(
            Domain("id", "in", allowed.ids) & domain, active_test=False
        )
        refused = allowed - self.browse(query)
        if not refused:
            return result
        forbidden = refused | result[0] if result else refused
        rules = self.env["ir.rule"]
        return forbidden, lambda: rules._make_access_error(operation, forbidden)


class AmazonAction(models.Model):
    """Who reads an action:

    - who may read the document that it was asked from;
    - who asked for it;
    - who accounts for all of the company: approvers and who stands in for one, readers
      of the journal, administrators of the addon;
    - of what was asked from no document, whoever may read Amazon orders of the company.

    Nobody reads more of the document by that: to who may not read it, it is a number.
    What is promised counts all actions, in sudo mode, whoever looks.
    """

    _name = "amazon.action"
    _inherit = ["amazon.action", "amazon.document.access"]

    @api.model
    def _access_domain(self):
        """Override: see the class."""
        if any(map(self.env.user.has_group, ACCOUNTABLE)):
            return Domain.TRUE
        return Domain.OR(
            [
                Domain("user_id", "=", self.env.uid),
                self._accounted_for(),
                Domain("origin_model", "=", False),
                *map(self._asked_from, self.env["amazon.order"]._document_models()),
            ]
        )

    @api.model
    def _accounted_for(self):
        """Hook: return which actions the user accounts for without a group that does.

        :rtype: Domain
        """
        return Domain.FALSE

    @api.model
    def _of_readable(self, name):
        """Return which records belong to an action that the user may read.

        :param str name: their field with the action
        :rtype: Domain
        """
        if self._access_domain().is_true():
            return Domain.TRUE
        return Domain(name, "in", self._search([]))

    def _asked_from(self, documents):
        """Return what was asked from those documents of a model that the user may read.

        :rtype: Domain
        """
        if not documents.has_access("read"):
            return Domain.FALSE
        readable = documents._search([], active_test=False)
        of_model = Domain("origin_model", "=", documents._name)
        return of_model & Domain("origin_id", "in", readable)


class AmazonActionLine(models.Model):
    """What an action concerns is read by who may read the action."""

    _name = "amazon.action.line"
    _inherit = ["amazon.action.line", "amazon.document.access"]

    @api.model
    def _access_domain(self):
        """Override: see the class."""
        return self.env["amazon.action"]._of_readable("action_id")


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
        """Return the models of documents that belong to Amazon orders, each empty.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.order.mixin"], "_inherit")
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
