from odoo import api, fields, models
from odoo.exceptions import UserError

# What makes an account a sample, and keeps it from ever calling Amazon.
FIXED = {"seller_id", "region", "environment", "company_id"}


class AmazonSellerAccount(models.Model):
    """Samples: accounts at the simulator, to try this out in a company's own Odoo.

    Nothing real happens there, so nothing of it is journaled, and it has no part in the
    life of the database: a sample can be removed with all that came of it
    (``amazon.sample.request``). PostgreSQL itself keeps it at the simulator.
    """

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    is_sample = fields.Boolean(
        "Sample",
        readonly=True,
        copy=False,
        help="Connected to the simulator to try things out. It never calls Amazon, "
        "is not journaled, and can be removed.",
    )

    _sample_at_simulator = models.Constraint(
        "CHECK (NOT is_sample OR environment = 'simulator')",
        "A sample account stays at the simulator.",
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override: a sample stays one, and no other account becomes one.

        :raise UserError: where it would be another authorisation
        """
        if "is_sample" in vals or (FIXED & set(vals) and any(self.mapped("is_sample"))):
            raise UserError(
                self.env._(
                    "A sample account stays at the simulator. Remove it, and connect "
                    "your own account beside it."
                )
            )
        return super().write(vals)

    # === BUSINESS METHODS === #

    @api.model
    def _candidates(self, company, marketplace=None):
        """Override: nothing of a company's own is looked for at a sample, once another
        account is connected."""
        accounts = super()._candidates(company, marketplace)
        return accounts.filtered(lambda account: not account.is_sample) or accounts

    def _journal_existence(self, sentence, side):
        """Override: that a sample came or went is not journaled."""
        return super(
            AmazonSellerAccount, self.filtered(lambda account: not account.is_sample)
        )._journal_existence(sentence, side)
