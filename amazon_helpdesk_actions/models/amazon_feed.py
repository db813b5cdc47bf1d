from typing import NamedTuple

from odoo import fields, models

from ..const import FEED_STATES
from .amazon_seller_participation import marketplace_selection


class Lane(NamedTuple):
    """What one envelope can carry: one account, one marketplace, one feed type."""

    account_id: int
    marketplace: str
    feed_type: str

    def domain(self):
        return [(name, "=", value) for name, value in self._asdict().items()]


class AmazonFeed(models.Model):
    """One envelope on its way to Amazon, and what Amazon answered.

    How it is sent stands in amazon_feed_dispatch.py, how the answer is read in
    amazon_feed_poll.py.
    """

    _name = "amazon.feed"
    _inherit = ["amazon.own.defaults", "amazon.set.aside", "amazon.file.document"]
    _description = "Amazon Feed"
    _order = "id desc"
    _rec_name = "feed_ref"

    account_id = fields.Many2one(
        "amazon.seller.account", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, index=True
    )
    marketplace = fields.Selection(marketplace_selection, required=True, readonly=True)
    feed_type = fields.Char(required=True, readonly=True)
    state = fields.Selection(FEED_STATES, required=True, readonly=True)
    state_message = fields.Char("Known", readonly=True)
    action_ids = fields.One2many("amazon.action", "feed_id", readonly=True)
    feed_ref = fields.Char("Amazon Feed", readonly=True, index="btree_not_null")
    request_ref = fields.Char(
        "Amazon Request",
        readonly=True,
        help="Amazon's id of the createFeed request (x-amzn-RequestId).",
    )
    document_ref = fields.Char("Amazon Document", readonly=True)
    payload_file_id = fields.Many2one(
        "amazon.file", readonly=True, index="btree_not_null"
    )
    payload_digest = fields.Char("Payload SHA-256", readonly=True)
    report_file_id = fields.Many2one(
        "amazon.file", readonly=True, index="btree_not_null"
    )
    report_digest = fields.Char("Report SHA-256", readonly=True)
    sending_at = fields.Datetime(readonly=True)
    amazon_sent_after = fields.Datetime(
        readonly=True, help="Amazon's own clock right before it was sent."
    )
    message_count = fields.Integer("Messages", readonly=True)
    processing_status = fields.Char(
        "Status of the Feed", readonly=True, help="As Amazon last said."
    )
    polled_at = fields.Datetime(
        readonly=True, help="When Amazon was last asked about it."
    )
    submitted_at = fields.Datetime(readonly=True)
    done_at = fields.Datetime(readonly=True)

    _sending_idx = models.Index(
        "(account_id, marketplace, feed_type) WHERE state = 'sending'"
    )

    # === HELPERS === #

    def _lane(self):
        """Return the lane that it belongs to.

        :rtype: Lane
        """
        self.ensure_one()
        return Lane(self.account_id.id, self.marketplace, self.feed_type)

    def _keep_file(self, kind, content):
        """Keep what was sent or answered beside the feed, readable by whoever may read
        the feed.

        :param str kind: "feed" or "report"
        :param bytes content: the document
        :rtype: amazon.file
        """
        name = f"{self.feed_type}-{self.id}-{kind}.xml"
        return self.env["amazon.file"]._keep(
            self, self.company_id, kind, name, content, mimetype="text/xml"
        )
