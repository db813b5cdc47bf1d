from odoo import models
from odoo.tools import SQL

from ..watch.health import Metric, Sample
from .quota import FILLED


class AmazonHealthAccount(models.AbstractModel):
    """Measures what Amazon still lets us do."""

    _name = "amazon.health.account"
    _inherit = "amazon.health"
    _description = "Amazon Health of Accounts"

    _metrics = (
        Metric("quota_left", "Calls that Amazon allows now."),
        Metric("quota_burst", "Calls that Amazon allows after a rest."),
    )

    def _measure(self, accounts):
        """Override."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account_id, operation, %s, burst FROM amazon_quota
                 WHERE account_id = ANY(%s) ORDER BY account_id, operation
                """,
                SQL(FILLED),
                accounts.ids,
            )
        )
        names = {account.id: account.name for account in accounts}
        for account_id, operation, left, burst in rows:
            labels = {"account": names[account_id], "operation": operation}
            # A bucket may be in debt where Amazon has lowered its rate.
            yield Sample("quota_left", max(left, 0), labels)
            yield Sample("quota_burst", burst, labels)
