from odoo import fields, models

from .authority import Asked


class AmazonAction(models.Model):
    """What an action counts against the limits of who asks for it."""

    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_company = fields.Monetary(
        "Counted",
        currency_field="company_currency_id",
        readonly=True,
        help="What counts against the limits of who asked for it, in the company's "
        "currency, at the rate of the day when it was asked for; if there was none, of "
        "the day when the circuit breaker counted it.",
    )
    is_rate_missing = fields.Boolean(
        "Without a Rate",
        readonly=True,
        help="Its currency had no rate when it was asked for, so it counts nothing "
        "until there is one and the circuit breaker counts it.",
    )

    # The sums of a day, of a person and of a group: what a company asked for on that
    # day, however much there was before.
    _day_idx = models.Index("(company_id, asked_at, user_id) WHERE amount_company > 0")

    def _prepare_counted(self, asked):
        """Return the values of an action that is asked for.

        :param Asked asked: as it was judged
        """
        return {
            "amount_company": asked.amount,
            "is_rate_missing": asked.amount is None,
        }

    def _asked(self, right):
        """Return where it was asked for and what it counts, as it was judged then.

        :param str right: the right that it is judged by now
        :rtype: Asked
        """
        self.ensure_one()
        return Asked(
            right=right,
            company_id=self.company_id.id,
            account_id=self.account_id.id,
            marketplace=self.marketplace,
            amount=None if self.is_rate_missing else self.amount_company,
        )
