"""What is asked from a sale order, in an Odoo without a help desk and without stock."""

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import (
    NOWHERE,
    PARTLY_REFUNDED,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)


@tagged("post_install", "-at_install")
class TestSaleOrder(AmazonOrderCommon):
    def refunds(self, ref):
        ledger = self.simulator.ledger()["refunds"]
        return [row["components"] for row in ledger if row["order_id"] == ref]

    def test_refund_is_sent_once_and_comes_back_confirmed(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(
            self.refunds(SHIPPED), [{"Principal": "39.95", "Shipping": "4.99"}]
        )
        self.assertIn("finances show", self.notes(sale_order)[0])

    def test_second_refund_finds_nothing_left(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        request = self.open_request(sale_order, "refund")
        self.assertTrue(request.blockers)

    def test_cancellation_is_confirmed(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        (cancelled,) = self.simulator.ledger()["cancellations"]
        self.assertEqual(cancelled["order_id"], UNSHIPPED)

    def test_action_names_the_sale_order_by_its_number_and_opens_it(self):
        sale_order = self.create_sale_order(PARTLY_REFUNDED)
        action = self.ask_refund(sale_order).with_user(self.agent)
        self.assertEqual(action.origin_name, sale_order.name)
        opened = action.action_open_origin()
        self.assertEqual(opened["res_model"], "sale.order")
        self.assertEqual(opened["res_id"], sale_order.id)
        self.assertEqual(sale_order.amazon_action_ids, self.last_action())

    def test_two_sale_orders_of_an_order_hold_their_own_actions(self):
        first, second = (self.create_sale_order(SHIPPED) for _count in range(2))
        action = self.ask_refund(second)
        self.assertFalse(first.amazon_action_ids)
        self.assertEqual(second.amazon_action_ids, action)

    def test_who_has_no_right_asks_for_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "refund", self.trainee)

    def test_order_that_amazon_does_not_know_says_so(self):
        order = self.create_sale_order(NOWHERE).amazon_order_id
        self.assertNotEqual(order.read_state, "read")
        self.assertIn(NOWHERE, order.read_message)

    def test_nothing_is_closed_after_a_reply(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        self.assertFalse(request.can_close)
