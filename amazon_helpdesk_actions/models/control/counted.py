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
    team_id = fields.Many2one(
        "helpdesk.ticket.team",
        readonly=True,
        ondelete="restrict",
        help="The team of the ticket when it was asked for.",
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
            "team_id": asked.team_id,
        }

    def _asked_message(self):
        """Override: with the team by whose rows it was judged, since a ticket can be
        moved to another one."""
        message = super()._asked_message()
        if not self.team_id:
            return message
        return self.env._(
            "%(message)s The ticket was in the team %(team)s (%(id)s).",
            message=message,
            team=self.team_id.name,
            id=self.team_id.id,
        )

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
            team_id=self.team_id.id,
            marketplace=self.marketplace,
            amount=None if self.is_rate_missing else self.amount_company,
        )
