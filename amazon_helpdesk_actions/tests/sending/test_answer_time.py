from odoo.tests import tagged

from odoo.addons.amazon_order_actions.models.sending import (
    dispatch as amazon_feed_dispatch,
)

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestAnswerTime(AmazonCommon):
    """A ticket near the time by which Amazon wants an answer."""

    def leave_tokens(self, tokens):
        """Leave so many tokens of createFeed."""
        self.account._quota().take(amazon_feed_dispatch.CREATE_FEED)
        self.env.cr.execute(
            "UPDATE amazon_quota SET tokens = %s WHERE operation = 'createFeed'",
            [tokens],
        )

    def test_ticket_near_its_answer_time_takes_from_the_reserve(self):
        self.leave_tokens(1.5)
        ticket = self.create_ticket(SHIPPED)
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET create_date = create_date - interval '23 hours'"
            " WHERE id = %s",
            [ticket.id],
        )
        ticket.invalidate_recordset()
        action = self.ask_refund(ticket)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
