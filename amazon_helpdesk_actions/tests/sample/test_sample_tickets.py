"""With the help desk a sample brings tickets, which go with it."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import SHIPPED, UNSHIPPED, AmazonCommon

REMOVAL = "odoo.addons.amazon_order_actions.models.sample.removal"


@tagged("post_install", "-at_install")
class TestSampleTickets(AmazonCommon):
    def test_tickets_come_and_go_with_the_sample(self):
        self.account.environment = "sandbox"
        tickets = self.env["helpdesk.ticket"].with_context(active_test=False)
        before = tickets.search([])
        request = (
            self.env["amazon.sample.request"]
            .with_user(self.admin)
            .create({"simulator_url": self.simulator.url})
        )
        opened = request.action_connect()
        sample = self.env["amazon.seller.account"].browse(opened["res_id"])
        made = tickets.search([]) - before
        self.assertEqual(set(made.mapped("amazon_order_ref")), {SHIPPED, UNSHIPPED})
        self.assertEqual(made.amazon_order_id.account_id, sample)
        self.run_jobs("_job_read")
        ticket = made.filtered(lambda one: one.amazon_order_ref == SHIPPED)
        self.ask_refund(ticket)
        self.settle()
        with mute_logger(REMOVAL):
            sample.with_user(self.admin).action_remove_sample()
        self.env.invalidate_all()
        self.assertEqual(tickets.search([]), before)
