import hashlib
import logging

from odoo import fields, models

from ..const import POLL_MAX_SECONDS, POLL_MIN_SECONDS
from ..spapi.enums import FEED_FINAL_STATUSES
from ..spapi.errors import IncompleteCredentials, Refused, SpApiError, UnreadableReport
from ..spapi.reports import parse_report
from .amazon_seller_account import is_access_refused
from .background import in_background

_logger = logging.getLogger(__name__)


class AmazonFeed(models.Model):
    """How Amazon's answer to a feed is waited for, kept and applied."""

    _inherit = "amazon.feed"

    # === BUSINESS METHODS - POLLING === #

    def _enqueue_poll(self, wait):
        in_background(self, self.company_id).with_delay(
            priority=10,
            eta=wait,
            max_retries=0,
            description=f"Ask Amazon about the feed {self.feed_ref}",
        )._job_poll()

    def _job_poll(self):
        """Ask Amazon whether the feed is processed. Job.

        :raise RetryableJobError: as long as it is not
        """
        self.ensure_one()
        if self.state != "submitted":
            return
        try:
            with self.account_id._client() as client:
                answer = client.get_feed(self.feed_ref)
                status = answer["processingStatus"]
                report_ref = answer.get("resultFeedDocumentId")
                if status in FEED_FINAL_STATUSES and report_ref:
                    self._keep_report(client, report_ref)
        except (SpApiError, IncompleteCredentials) as error:
            raise self._poll_later(str(error), getattr(error, "wait", 0)) from None
        if status not in FEED_FINAL_STATUSES:
            raise self._poll_later(status)
        self._settle(status)

    def _poll_later(self, reason, at_least=0):
        """Half of the time that has passed since Amazon took it, within bounds."""
        age = (fields.Datetime.now() - self.submitted_at).total_seconds()
        wait = min(max(age / 2, POLL_MIN_SECONDS), POLL_MAX_SECONDS)
        return self._later(reason, max(wait, at_least))

    def _keep_report(self, client, report_ref):
        """Read the report and keep it: Amazon lets it be read once in 45 seconds.

        Amazon deletes it after 28 days; one that is gone is no report.
        """
        try:
            report = client.read_report(report_ref)
        except Refused as error:
            if is_access_refused(error):
                raise
            _logger.warning("The report of the feed %s is gone", self.feed_ref)
            return
        self.report_digest = hashlib.sha256(report).hexdigest()
        self.report_attachment_id = self._attach("report", report)

    def _settle(self, status):
        """Record the end of the feed's processing at Amazon."""
        self.done_at = fields.Datetime.now()
        if status == "CANCELLED":
            self.state = "cancelled"
            self.action_ids._set_rejected(
                status,
                self.env._("Amazon cancelled the feed before it processed anything"),
            )
            return
        self.state = "done" if status == "DONE" else "fatal"
        if self.report_attachment_id:
            # in a transaction of its own, so that the report stays kept
            in_background(self, self.company_id).with_delay(
                priority=10,
                max_retries=0,
                description=f"Apply Amazon's report of the feed {self.feed_ref}",
            )._job_apply_report()
        else:
            self.action_ids._set_unknown(
                self.env._(
                    "Amazon has processed the feed %(feed)s (%(status)s), but there is "
                    "no report of it, so the outcome is unknown. Look at the order in "
                    "Seller Central.",
                    feed=self.feed_ref,
                    status=status,
                )
            )

    def _job_apply_report(self):
        """Give every action the outcome that Amazon's report says. Job."""
        self.ensure_one()
        by_number = {action.message_number: action for action in self.action_ids}
        try:
            outcomes = parse_report(self.report_attachment_id.raw, by_number)
        except UnreadableReport as error:
            self.action_ids._set_unknown(
                self.env._(
                    "Amazon's report about the feed %(feed)s cannot be read "
                    "(%(error)s), so the outcome is unknown. Look at the order in "
                    "Seller Central.",
                    feed=self.feed_ref,
                    error=error,
                )
            )
            return
        for number, outcome in outcomes.items():
            self._apply_outcome(by_number[number], outcome)

    def _apply_outcome(self, action, outcome):
        if outcome.status == "accepted":
            action._set_accepted(outcome.code, outcome.text)._enqueue_confirm()
        elif outcome.status == "rejected":
            action._set_rejected(outcome.code, outcome.text)
        else:
            action._set_unknown(
                self.env._(
                    "Amazon's report about the feed %s does not say what became of "
                    "this. Look at the order in Seller Central.",
                    self.feed_ref,
                )
            )
