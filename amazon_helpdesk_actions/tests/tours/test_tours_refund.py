from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.kinds.test_refund_dialog import RefundCommon

from ..common import FBA_SHIPPED, SHIPPED
from .test_tours import ToursCommon


@tagged("post_install", "-at_install")
class TestRefundTours(ToursCommon, RefundCommon):
    """The refund dialog in a browser: what is typed, what is shown, what is asked."""

    def asked(self):
        action = self.last_action()
        return {
            (line.order_line_id.sku, line.component): line.amount
            for line in action.line_ids
        }

    def test_full_refund_is_one_click(self):
        self.account.refund_reason = "CustomerReturn"
        self.run_tour(self.create_ticket(SHIPPED), "amazon_refund_one_click")
        self.assertEqual(self.last_action().amount, 44.94)

    def test_twenty_percent_off_one_of_three_items(self):
        ticket = self.create_ticket(self.add_three())
        self.run_tour(ticket, "amazon_refund_percentage")
        self.assertEqual(self.asked(), {("POT", "Principal"): 2.0})

    def test_every_mode_recalculates_and_what_was_shown_last_is_asked(self):
        self.account.refund_reason = "GeneralAdjustment"
        ticket = self.create_ticket(self.add_three())
        self.run_tour(ticket, "amazon_refund_modes")
        self.assertEqual(self.asked(), {("LID", "Principal"): 1.23})

    def test_second_refund_must_be_meant(self):
        self.account.refund_reason = "GeneralAdjustment"
        ticket = self.create_ticket(SHIPPED)
        self.ask_refund(ticket, amounts={"NW-KESSEL-12-SW": 10})
        self.run_tour(ticket, "amazon_refund_second")
        self.assertAlmostEqual(self.last_action().amount, 34.94)

    def test_rejected_refund_of_an_fba_order_is_recorded_from_the_panel(self):
        self.account.fba_refund_by_feed = True
        ticket = self.create_ticket(FBA_SHIPPED)
        sku = ticket.amazon_order_id.line_ids[0].sku
        self.ask_refund(ticket, amounts={sku: 4})
        self.settle()
        self.run_tour(ticket, "amazon_refund_fba_rejected")
        self.assertEqual(self.last_action().state, "assisted")
