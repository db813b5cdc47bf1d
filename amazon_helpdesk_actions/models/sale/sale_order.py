from odoo import api, models


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "amazon.order.mixin", "amazon.plain.export"]

    # === COMPUTE METHODS === #

    @api.depends_context("uid", "allowed_company_ids")
    def _compute_display_name(self):
        """Override: who may not read it sees its number."""
        named = self._name_by_number()
        return super(SaleOrder, self - named)._compute_display_name()
