from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.kinds.test_mcf import ON_HOLD

from ..common import SHIPPED, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestTickets(AmazonCommon):
    """A ticket beside the sale order of the same order, and beside mails."""

    def test_ticket_and_sale_order_know_their_fulfillment_order(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=f" {ON_HOLD} ")
        ticket = self.create_ticket(amazon_fulfillment_ref=ON_HOLD)
        order = ticket.amazon_order_id
        self.assertTrue(order.is_fulfillment_order)
        self.assertEqual(order.read_state, "read")
        self.assertEqual(sale_order.amazon_order_id, order)
        self.assertEqual(ticket.sale_order_ids, sale_order)

    def test_mail_does_not_move_a_ticket_to_another_order(self):
        ticket = self.create_ticket(amazon_fulfillment_ref=ON_HOLD)
        ticket.message_update({"subject": f"About {SHIPPED}", "body": ""})
        self.assertFalse(ticket.amazon_order_ref)

    def test_ticket_offers_the_number_of_the_sale_order_of_the_same_order(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        request = self.open_request(self.create_ticket(UNSHIPPED), "order_number")
        self.assertEqual(request.merchant_order_id, sale_order.name)
