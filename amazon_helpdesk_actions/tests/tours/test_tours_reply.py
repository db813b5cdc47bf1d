from odoo.tests import tagged

from ..common import SHIPPED, UNSHIPPED
from ..conversation.test_reply import ReplyCommon
from .test_tours import ToursCommon


@tagged("post_install", "-at_install")
class TestToursReply(ReplyCommon, ToursCommon):
    """An agent writes to buyers, in a browser."""

    def test_one_click_refunds_replies_and_closes_the_ticket(self):
        ticket = self.create_ticket(SHIPPED)
        self.run_tour(
            ticket, "amazon_ticket_refund_reply_close", at_once=("_job_reply",)
        )
        self.assertEqual(len(self.executed("refunds")), 1)
        self.assertEqual(len(self.mails()), 1)
        self.assertEqual(self.last_action().reply_ids.state, "sent")
        self.assertTrue(ticket.closed)

    def test_reply_is_changed_checked_and_sent(self):
        self.run_tour(self.create_ticket(UNSHIPPED), "amazon_ticket_reply")
        self.assertIn("We look into your order", self.text_of(self.mails()))

    def test_ticket_without_the_buyers_address_says_why(self):
        ticket = self.create_ticket(UNSHIPPED, partner_email=False)
        self.run_tour(ticket, "amazon_ticket_reply_blocked")
        self.assertFalse(self.mails())
