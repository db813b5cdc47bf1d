from odoo import models

from ..base.clock import database_now
from ..watch.health import Metric, Sample, seconds


class AmazonHealthOrder(models.AbstractModel):
    """Measures how far Amazon's lists are read, and how its clock differs from ours."""

    _name = "amazon.health.order"
    _inherit = "amazon.health"
    _description = "Amazon Health of Reading"

    _metrics = (
        Metric("read_seconds", "Seconds since up to when Amazon's lists are known."),
        Metric("amazon_clock_seconds", "Seconds by which Amazon's clock is ahead."),
    )

    def _measure(self, accounts):
        """Override."""
        now = database_now(self.env)
        watermarks = self.env["amazon.watermark"].search_fetch(
            [("account_id", "in", accounts.ids), ("account_id.active", "=", True)],
            ["account_id", "subject", "known_until", "mark_at", "mark_seen_at"],
        )
        for mark in watermarks:
            labels = {"account": mark.account_id.name, "subject": mark.subject}
            if mark.known_until:
                age = seconds(mark.known_until, now)
                yield Sample("read_seconds", age, labels)
            if mark.mark_at and mark.mark_seen_at:
                # Both clocks at one answer; a mark is true to about two seconds.
                ahead = (mark.mark_seen_at - mark.mark_at).total_seconds()
                yield Sample("amazon_clock_seconds", ahead, labels)
