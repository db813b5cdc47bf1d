from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..action.kind import KINDS_THAT_MAY_NAME_A_BUYER
from ..base.background import CHUNK, in_background

# Days after which nothing that may name a buyer is kept. Source: Amazon's Data
# Protection Policy (https://developer-docs.amazon.com/sp-api/docs/
# policies-and-agreements), retention: at most 30 days after the delivery of the order.
# The delivery is not always known; the shipment, which comes before it, is.
BUYER_DAYS = 30

# At least: claims of the A-to-z Guarantee are open for 90 days after the latest day of
# delivery, and appeals follow.
RETENTION_LEAST_DAYS = 120

# States of an action that may still need what was written down with it.
NEEDS_ITS_WORDS = ("to_approve", "queued", "sending")

# What the scheduled action calls for each company, until each says that it is done.
ERASERS = ("_erase_orders", "_erase_actions", "_erase_documents", "_erase_packs")

# What may name a buyer, or be a buyer's words; docs/journal.md has the whole list.
OF_ORDERS = ("mcf_comment", "cancel_request_reason", "destination_digest")
OF_ACTIONS = ("note", "decision_note")


class AmazonRetention(models.AbstractModel):
    """Removes what is not needed any more: buyers' data and old documents.

    The journal names no buyer and has digests of the documents, so that nothing of it
    changes.
    """

    _name = "amazon.retention"
    _description = "Amazon Retention"

    @api.model
    def _cron_erase(self):
        """Remove what is due, chunk by chunk. Scheduled action, daily."""
        failures = self.env["amazon.failure"]
        for company in self.env["res.company"].search([]):
            eraser = in_background(self, company)
            for erase in ERASERS:
                # What is removed stays so, whatever comes after.
                while failures._run_apart("erase", eraser, erase):
                    if self.env["ir.cron"]._commit_progress(1) <= 0:
                        return

    def _erase_orders(self):
        """Remove buyers' words from orders that have left. One chunk.

        :return: whether there may be more
        """
        before = fields.Datetime.now() - timedelta(days=BUYER_DAYS)
        company = Domain("company_id", "=", self.env.company.id)
        left = Domain("left_at", "<", before)
        words = Domain.OR(Domain(name, "!=", False) for name in OF_ORDERS)
        orders = self.env["amazon.order"].search(
            company & left & words, limit=CHUNK, order="left_at"
        )
        orders.write(dict.fromkeys(OF_ORDERS, False))
        lines = self.env["amazon.order.line"].search(
            company
            & Domain("cancel_request_reason", "!=", False)
            & Domain("order_id.left_at", "<", before),
            limit=CHUNK,
        )
        lines.cancel_request_reason = False
        self._journal_erased(
            len(orders | lines.order_id),
            before,
            self.env._("Buyers' words on orders that had left"),
        )
        return CHUNK in (len(orders), len(lines))

    def _erase_actions(self):
        """Remove what people wrote down with actions that are over. One chunk.

        :return: whether there may be more
        """
        before = fields.Datetime.now() - timedelta(days=BUYER_DAYS)
        words = Domain.OR(
            Domain(name, "!=", False)
            for name in (*OF_ACTIONS, "details", "amazon_text")
        )
        actions = self.env["amazon.action"].search(
            Domain("company_id", "=", self.env.company.id)
            & Domain("last_state_change", "<", before)
            & Domain("erased_at", "=", False)
            & Domain("state", "not in", NEEDS_ITS_WORDS)
            & words,
            limit=CHUNK,
            order="last_state_change",
        )
        self._erase_words(actions)
        self._journal_erased(
            len(actions), before, self.env._("What was written down with actions")
        )
        return len(actions) == CHUNK

    def _erase_words(self, actions):
        """Remove what may name the buyer; digests of it stay."""
        for action in actions:
            vals = {
                "note": False,
                "decision_note": False,
                "details": action.details
                and action._kind()._kept_details(action.details),
                "erased_at": fields.Datetime.now(),
            }
            if action.kind in KINDS_THAT_MAY_NAME_A_BUYER and action.amazon_text:
                vals["amazon_text"] = False
                vals["state_message"] = self.env._(
                    "Amazon answered with the code %s; its words were removed.",
                    action.amazon_code or self.env._("none"),
                )
            action.write(vals)

    def _erase_documents(self):
        """Remove feeds and reports that are older than the administrator wants them.
        One chunk.

        :return: whether there may be more
        """
        company = self.env.company
        before = self._documents_before()
        feeds = self.env["amazon.feed"].search(
            Domain("company_id", "=", company.id)
            & Domain("sending_at", "<", before)
            & (
                Domain("payload_file_id", "!=", False)
                | Domain("report_file_id", "!=", False)
            ),
            limit=CHUNK,
            order="sending_at",
        )
        # also reports of feeds that turned out to be another program's
        documents = self.env["amazon.file"].search(
            [("res_model", "=", "amazon.feed"), ("res_id", "in", feeds.ids)]
        )
        count = len(documents)
        documents._remove()
        self._journal_erased(count, before, self.env._("Feeds and Amazon's reports"))
        return len(feeds) == CHUNK

    def _erase_packs(self):
        """Remove evidence packs that are older than the administrator wants documents.
        One chunk.

        :return: whether there may be more
        """
        before = self._documents_before()
        packs = self.env["amazon.file"].search(
            Domain("company_id", "=", self.env.company.id)
            & Domain("kind", "=", "pack")
            & Domain("create_date", "<", before),
            limit=CHUNK,
            order="create_date",
        )
        count = len(packs)
        packs._remove()
        self._journal_erased(count, before, self.env._("Evidence packs"))
        return count == CHUNK

    def _documents_before(self):
        """Return the time before which documents are not kept any more."""
        days = max(self.env.company.amazon_retention_days, RETENTION_LEAST_DAYS)
        return fields.Datetime.now() - timedelta(days=days)

    def _journal_erased(self, count, before, what):
        """Journal what was removed; nothing where nothing was.

        :param int count: of what was removed
        :param datetime before: older than this
        :param str what: in words
        """
        if not count:
            return
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "erased",
                    "company_id": self.env.company.id,
                    "message": self.env._(
                        "%(what)s were removed: %(count)s, from before %(date)s.",
                        what=what,
                        count=count,
                        date=fields.Date.to_string(before.date()),
                    ),
                }
            ]
        )
