from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestDeletion(AmazonCommon):
    """Deleting a ticket."""

    def test_ticket_with_an_action_cannot_be_deleted(self):
        ticket = self.create_ticket(SHIPPED)
        self.ask_refund(ticket)
        with self.assertRaisesRegex(UserError, "something was asked of Amazon"):
            ticket.unlink()

    def test_ticket_is_deleted_with_its_order_taken(self):
        """No key in the database holds it: who asks from it at the same moment must
        meet the deletion, and the later one sees what the earlier one did."""
        ticket = self.create_ticket(SHIPPED)
        order = ticket.amazon_order_id
        before = order.take_count
        ticket.unlink()
        order.invalidate_recordset(["take_count"])
        self.assertGreater(order.take_count, before)
        # nothing is taken for what is about no order
        self.create_ticket().unlink()
