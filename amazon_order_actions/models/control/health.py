from odoo import models

from ..watch.health import Metric, Sample


class AmazonHealthStop(models.AbstractModel):
    """Measures what is stopped."""

    _name = "amazon.health.stop"
    _inherit = "amazon.health"
    _description = "Amazon Health of Stops"

    _metrics = (Metric("stops", "Stops of sending that are in force."),)

    def _measure(self, accounts):
        """Override."""
        groups = self.env["amazon.stop"]._read_group(
            [("company_id", "=", self.env.company.id), ("ended_at", "=", False)],
            ["account_id", "kind"],
            ["__count"],
        )
        # An empty label: all of them.
        for account, kind, count in groups:
            labels = {"account": account.name or "", "kind": kind or ""}
            yield Sample("stops", count, labels)
        if not groups:
            yield Sample("stops", 0, {"account": "", "kind": ""})
