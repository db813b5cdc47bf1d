from odoo import fields, models


class AmazonSellerCapability(models.Model):
    """What one part of the SP-API answered to this account when it was last tried."""

    _name = "amazon.seller.capability"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Capability"
    _order = "id"

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    capability = fields.Selection(
        [
            ("sellers", "Marketplaces (Sellers)"),
            ("orders", "Reading orders (Orders)"),
            ("feeds", "Refunds and cancellations (Feeds)"),
            ("finances", "Refunds made at Amazon (Finances)"),
            ("messaging", "Messages to buyers (Messaging)"),
        ],
        required=True,
    )
    state = fields.Selection(
        [
            ("works", "Works"),
            ("refused", "Refused"),
            ("unreachable", "No answer"),
        ],
        required=True,
    )
    message = fields.Char()
    checked_at = fields.Datetime(required=True)

    _capability_uniq = models.Constraint(
        "unique(account_id, capability)",
        "Each capability is listed only once in an account.",
    )
