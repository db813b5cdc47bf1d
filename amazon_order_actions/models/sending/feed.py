from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..account.participation import marketplace_selection
from ..action.lane import Lane
from ..base.clock import CLOCK_TOLERANCE_MINUTES, any_ahead, bring_back, database_now

FEED_STATES = [
    ("sending", "Sending"),
    ("not_sent", "Not sent"),
    ("submitted", "Submitted"),
    ("unknown", "Unknown"),
    ("absent", "Not at Amazon"),
    ("refused", "Refused"),
    ("done", "Processed"),
    ("cancelled", "Cancelled by Amazon"),
    ("fatal", "Failed at Amazon"),
]

# What was sent is looked for at Amazon from its sending on. Where a clock was wrong, it
# may have left a while before that is noticed: rather look further back.
SENT_BEFORE = timedelta(minutes=CLOCK_TOLERANCE_MINUTES)


# States of an action whose money left, or may have, where a feed carried it; assisted:
# its outcome was unknown, and a person saw at Amazon that it is executed.
LEFT_STATES = (
    "sending",
    "submitted",
    "unknown",
    "accepted",
    "confirmed",
    "assisted",
)
# States of a feed which say that nothing of it happened, before its actions follow.
NOTHING_LEFT = ("not_sent", "absent", "refused", "cancelled")


class AmazonFeed(models.Model):
    """One envelope on its way to Amazon, and what Amazon answered.

    How it is sent stands in sending/dispatch.py, how the answer is read in
    tracing/poll.py.
    """

    _name = "amazon.feed"
    _inherit = [
        "amazon.feed.dispatch",
        "amazon.own.defaults",
        "amazon.set.aside",
        "amazon.file.document",
        "amazon.company.name",
        "amazon.plain.export",
    ]
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
    _submitted_idx = models.Index(
        "(account_id, feed_type, submitted_at) WHERE state = 'submitted'"
    )
    _answered_idx = models.Index(
        "(account_id, feed_type, done_at) WHERE done_at IS NOT NULL"
    )
    # What left within the last hour.
    _sent_idx = models.Index("(account_id, feed_type, sending_at)")
    _set_aside_idx = models.Index("(account_id) WHERE set_aside_at IS NOT NULL")
    # What of its documents is not removed yet, the oldest first.
    _documents_idx = models.Index(
        "(company_id, sending_at) WHERE payload_file_id IS NOT NULL"
        " OR report_file_id IS NOT NULL"
    )

    # === BUSINESS METHODS - SET ASIDE === #

    def _aside_sentence(self):
        return self.env._(
            "An error in the program keeps the feed %s from going on. Amazon may have "
            "it: do not do a second time what it carries. An administrator is told.",
            self.feed_ref or self.id,
        )

    def _journal_try_again(self):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "again",
                    "company_id": self.company_id.id,
                    "account_id": self.account_id.id,
                    "state_from": self.state,
                    "state_to": self.state,
                    "message": self.set_aside_message,
                    "feed_ref": self.feed_ref,
                    "request_ref": self.request_ref,
                    "payload_digest": self.payload_digest,
                }
            ]
        )

    def _go_on(self):
        if self.state == "sending":
            self._enqueue_return(self._lane(), 0)
            return
        self._enqueue_follow()
        if self.report_file_id:
            self._enqueue_apply_report()
        for _method, domain, enqueue in self._needed_jobs():
            if self.search_count([("id", "=", self.id), *domain]):
                enqueue(self)

    # === BUSINESS METHODS - CLOCKS === #

    @api.model
    def _mend_future(self, account_ids, limit):
        """It was sent lately, and what came of it is known since now."""
        now = database_now(self.env)
        times = ("sending_at", "submitted_at", "done_at")
        feeds = self.search(
            Domain("account_id", "in", account_ids) & any_ahead(times, now),
            limit=limit,
        )
        bring_back(feeds, times[1:], now)
        bring_back(feeds, times[:1], now, SENT_BEFORE)
        return len(feeds)

    # === BUSINESS METHODS - MONEY === #

    @api.model
    def _left_since(self, account, feed_type, kind, moment):
        """Return the money of the actions of a kind that were sent since then, or may
        have been, in the company's currency.

        :param amazon.seller.account account: whose
        :param str feed_type: that carries the kind
        :param str kind: kind of action
        :param datetime moment: by PostgreSQL's clock
        :rtype: float
        """
        feeds = self.search(
            [
                ("account_id", "=", account.id),
                ("feed_type", "=", feed_type),
                ("sending_at", ">=", moment),
                ("state", "not in", NOTHING_LEFT),
            ]
        )
        ((money,),) = self.env["amazon.action"]._read_group(
            [
                ("feed_id", "in", feeds.ids),
                ("kind", "=", kind),
                ("state", "in", LEFT_STATES),
            ],
            aggregates=["amount_company:sum"],
        )
        return money or 0.0

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
