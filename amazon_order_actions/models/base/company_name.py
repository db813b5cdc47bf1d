from odoo import SUPERUSER_ID, api, models


class AmazonCompanyName(models.AbstractModel):
    """Keeps the names of records inside their company.

    Odoo works out the name of what a many2one points to in sudo mode, also of an id
    that a client made up and sent in an onchange. So the real user is asked here.
    """

    _name = "amazon.company.name"
    _description = "Name within a Company"

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: outside its active companies a record has a number, not a name.

        OdooBot sees all: jobs tell of every company.
        """
        if self.env.uid == SUPERUSER_ID:
            return super()._compute_display_name()
        foreign = self.filtered(
            lambda record: (
                record.company_id and record.company_id not in self.env.companies
            )
        )
        for record in foreign:
            record.display_name = f"{record._name} {record.id}"
        return super(AmazonCompanyName, self - foreign)._compute_display_name()
