from odoo.tests import tagged

from ..common import SHIPPED, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestLinking(AmazonCommon):
    """Tickets and sale orders of the same Amazon order."""

    def test_ticket_and_sale_order_of_one_number_find_each_other(self):
        sale_order = self.create_sale_order(SHIPPED)
        ticket = self.create_ticket(SHIPPED)
        self.assertEqual(ticket.sale_order_ids, sale_order)
        late = self.create_sale_order(UNSHIPPED)
        early = self.create_ticket(UNSHIPPED)
        self.assertEqual(late.ticket_ids, early)
        self.assertEqual(ticket.amazon_order_id, sale_order.amazon_order_id)
