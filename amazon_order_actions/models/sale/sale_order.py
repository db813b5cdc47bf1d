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


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _sale_orders(self):
        """Return the sale orders of these orders, in sudo mode, for whoever may act on
        the Amazon order."""
        return (
            self.env["sale.order"]
            .sudo()
            .search(
                [
                    ("amazon_order_id", "in", self.ids),
                    ("company_id", "in", self.company_id.ids),
                ]
            )
        )
