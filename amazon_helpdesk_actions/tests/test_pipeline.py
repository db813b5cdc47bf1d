from odoo.tests import tagged

from .common import SHIPPED, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestPipeline(AmazonCommon):
    """From the click to Amazon's own data, over HTTP to the simulator."""

    def test_full_refund_is_confirmed_and_executed_once(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.ask_refund(ticket)
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.simulator.ledger()["refunds"], [])
        self.settle()
        self.assertEqual(action.state, "confirmed")
        refunds = self.simulator.ledger()["refunds"]
        self.assertEqual(len(refunds), 1)
        self.assertEqual(refunds[0]["amount"], "44.94")
        self.assertEqual(
            refunds[0]["components"], {"Principal": "39.95", "Shipping": "4.99"}
        )
        self.assertEqual(
            self.journal(action),
            [
                (False, "queued"),
                ("queued", "sending"),
                ("sending", "submitted"),
                ("submitted", "accepted"),
                ("accepted", "confirmed"),
            ],
        )

    def test_cancellation_is_confirmed_and_executed_once(self):
        ticket = self.create_ticket(UNSHIPPED)
        action = self.ask_cancel(ticket)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.fulfillment_status, "CANCELLED")
        cancellations = self.simulator.ledger()["cancellations"]
        self.assertEqual([row["order_id"] for row in cancellations], [UNSHIPPED])
