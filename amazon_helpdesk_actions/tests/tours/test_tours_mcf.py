from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.kinds.test_mcf import (
    COMPLETE,
    ON_HOLD,
    PLANNING,
    McfCommon,
)

from .test_tours import ToursCommon

STAGES = (("_job_call",), ("_job_look",))


@tagged("post_install", "-at_install")
class TestToursMcf(McfCommon, ToursCommon):
    """What people do with fulfillment orders in a browser."""

    def test_change_from_ticket_shows_each_state_without_reload(self):
        ticket = self.create_ticket(amazon_fulfillment_ref=ON_HOLD)
        self.run_tour(ticket, "amazon_ticket_mcf_change", stages=STAGES)
        action = self.last_action()
        self.assertEqual((action.kind, action.state), ("mcf_update", "confirmed"))
        (update,) = self.executed("mcf_updates")
        self.assertEqual(
            update["changes"]["destinationAddress"],
            {
                "name": "Erika Beispiel",
                "addressLine1": "Lindenallee 77",
                "postalCode": "23552",
                "city": "Lübeck",
                "countryCode": "DE",
            },
        )
        self.assertEqual(update["changes"]["fulfillmentAction"], "Ship")
        self.assertEqual(update["changes"]["items"][0]["quantity"], 1)

    def test_cancellation_from_sale_order_shows_each_state_without_reload(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=PLANNING)
        self.run_tour(sale_order, "amazon_sale_order_mcf_cancel", stages=STAGES)
        action = self.last_action()
        self.assertEqual((action.kind, action.state), ("mcf_cancel", "confirmed"))
        self.assertEqual(len(self.executed("mcf_cancellations")), 1)

    def test_order_that_is_shipped_says_why_nothing_can_be_changed(self):
        self.run_tour(
            self.create_ticket(amazon_fulfillment_ref=COMPLETE),
            "amazon_ticket_mcf_blocked",
        )
