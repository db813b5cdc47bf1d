from odoo import models


class AmazonFeed(models.Model):
    """What became of an envelope that has left: its parts stand in this room, each in a
    file of its own."""

    _name = "amazon.feed"
    _inherit = [
        "amazon.feed",
        "amazon.feed.drop",
        "amazon.feed.poll",
        "amazon.feed.search",
        "amazon.feed.listed",
        "amazon.feed.jobs",
    ]

    def _forget_listed(self):
        """Override: a feed of Amazon's list turns out to be ours."""
        result = super()._forget_listed()
        self.env["amazon.foreign.feed"]._forget(self)
        return result
