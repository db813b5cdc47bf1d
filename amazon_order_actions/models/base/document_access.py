from odoo import api, models
from odoo.fields import Domain


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
