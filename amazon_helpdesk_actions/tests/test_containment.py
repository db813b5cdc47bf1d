from unittest.mock import patch

from odoo.tests import tagged

from .common import THREE_UNITS, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestContainment(AmazonCommon):
    """A failure stays as small as what failed."""

    def test_feed_of_several_cancellations_that_was_not_sent_is_sent_again(self):
        actions = self.ask_cancel(self.create_ticket(UNSHIPPED))
        ticket = self.create_ticket(THREE_UNITS)
        sku = ticket.amazon_order_id.line_ids.sku
        for _time in range(2):
            actions |= self.ask_cancel_items(ticket, {sku: 1})
        not_sent = "_record_not_sent", "Amazon could not be reached", None
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_create_feed", lambda *args: not_sent):
            self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"queued"})
        self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"submitted"})
