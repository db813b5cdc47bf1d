from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.amazon_helpdesk_actions.tests.common import UNSHIPPED
from odoo.addons.amazon_helpdesk_actions.tests.tours.test_tours import ToursCommon


@tagged("post_install", "-at_install")
class TestToursCancelDelivery(ToursCommon):
    """What people and the warehouse see of a cancellation in a browser."""

    def create_delivery(self, ref):
        """Create a confirmed sale order with a delivery that is ready to be shipped."""
        product = self.env["product.product"].create({"name": "Lamp", "type": "consu"})
        sale_order = self.create_sale_order(ref)
        sale_order.order_line = [Command.create({"product_id": product.id})]
        sale_order.action_confirm()
        return sale_order

    def allow_warehouse(self):
        self.agent.group_ids = [Command.link(self.env.ref("stock.group_stock_user").id)]

    def test_cancellation_stops_the_delivery_and_then_cancels_it(self):
        self.allow_warehouse()
        sale_order = self.create_delivery(UNSHIPPED)
        self.run_tour(
            sale_order, "amazon_cancel_with_hold", at_once=("_job_follow_in_odoo",)
        )
        self.assertEqual(self.last_action().state, "confirmed")
        self.assertEqual(sale_order.state, "cancel")
        self.assertEqual(sale_order.picking_ids.state, "cancel")
        self.assertEqual(
            [row["order_id"] for row in self.executed("cancellations")], [UNSHIPPED]
        )

    def test_delivery_that_is_done_leads_to_the_refund(self):
        sale_order = self.create_delivery(UNSHIPPED)
        picking = sale_order.picking_ids
        picking.move_ids.quantity = 1
        picking.move_ids.picked = True
        picking._action_done()
        self.run_tour(sale_order, "amazon_cancel_delivered")
        self.assertFalse(self.executed("feeds"))
