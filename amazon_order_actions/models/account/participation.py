from odoo import fields, models

from ...spapi.marketplaces import MARKETPLACES


def marketplace_selection(_model=None):
    """Amazon's marketplaces as the options of a selection field, by id."""
    return [(mp.id, mp.name) for mp in MARKETPLACES.values()]


class AmazonSellerParticipation(models.Model):
    """One marketplace that a seller account sells in, as Amazon answers to
    getMarketplaceParticipations (Sellers API v1)."""

    _name = "amazon.seller.participation"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Marketplace Participation"
    _rec_name = "marketplace"

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    marketplace = fields.Selection(
        marketplace_selection, required=True, help="Amazon's marketplace."
    )
    is_participating = fields.Boolean(default=True)
    has_suspended_listings = fields.Boolean()

    _marketplace_uniq = models.Constraint(
        "unique(account_id, marketplace)",
        "Each marketplace can be listed only once in an account.",
    )
