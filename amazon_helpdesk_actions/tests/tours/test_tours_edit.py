from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.kinds.test_ship import BULBS

from ..common import FBA_SHIPPED, UNSHIPPED
from .test_tours import ToursCommon

# What the jobs do between two looks of the agent, stage by stage.
STAGES = (("_job_call",), ("_job_confirm",))


@tagged("post_install", "-at_install")
class TestEditTours(ToursCommon):
    """How an agent edits an order in a browser."""

    def test_shipment_from_ticket_shows_each_state_without_reload(self):
        ticket = self.create_ticket(UNSHIPPED)
        self.run_tour(ticket, "amazon_ticket_ship", stages=STAGES)
        self.assertEqual(self.last_action().state, "confirmed")
        (row,) = self.executed("shipments")
        self.assertEqual(row["carrier_code"], "DPD")
        self.assertEqual(row["tracking_number"], "01126819")
        item = self.last_action().line_ids.order_line_id
        self.assertEqual(item.sku, BULBS)
        self.assertEqual(row["items"], {item.amazon_item_ref: 2})

    def test_seller_order_number_from_sale_order(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.run_tour(sale_order, "amazon_sale_order_number", stages=())
        action = self.last_action()
        self.assertEqual(action.kind, "order_number")
        self.assertEqual(action._kind()._order_number(action), sale_order.name)

    def test_order_that_amazon_ships_says_why_it_cannot_be_edited(self):
        self.run_tour(self.create_ticket(FBA_SHIPPED), "amazon_ticket_edit_impossible")
