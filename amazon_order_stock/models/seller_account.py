from odoo import fields, models


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"

    # The same choice, which is about the deliveries, too.
    cancel_in_odoo = fields.Selection(
        selection_add=[("cancel", "Cancel deliveries and sale order"), ("tell",)],
        help="What happens in Odoo when Amazon has accepted the cancellation of a "
        "whole order. The deliveries are on hold from the click in any case.",
    )
