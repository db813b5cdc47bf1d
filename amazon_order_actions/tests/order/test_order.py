from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from ..common import (
    CANCEL_REQUESTED,
    CLAIMED,
    FBA_SHIPPED,
    FULLY_REFUNDED,
    GIFT_WRAPPED,
    MCF,
    NOWHERE,
    PARTLY_REFUNDED,
    PENDING,
    PROMOTION,
    SHIPPED,
    AmazonOrderCommon,
)


@tagged("post_install", "-at_install")
class TestOrder(AmazonOrderCommon):
    """What is read from Amazon, and what is shown when it cannot be read."""

    def read_order(self, ref):
        return self.create_sale_order(ref).amazon_order_id

    def calls(self):
        return self.simulator.ledger()["calls"]

    # === READING === #

    def test_shipped_order_is_read_with_items_and_amounts(self):
        order = self.read_order(SHIPPED)
        self.assertEqual(order.read_state, "read")
        self.assertEqual(order.fulfillment_status, "SHIPPED")
        self.assertEqual(order.channel, "fbm")
        self.assertEqual(order.marketplace, "A1PA6795UKMFR9")
        self.assertEqual(order.currency_id.name, "EUR")
        self.assertEqual(order.line_ids.sku, "NW-KESSEL-12-SW")
        self.assertEqual(order.line_ids.quantity_ordered, 1)
        self.assertEqual(
            {charge.component: charge.charged for charge in order.charge_ids},
            {"Principal": 39.95, "Shipping": 4.99},
        )
        self.assertAlmostEqual(order.refundable, 44.94)

    def test_refund_whose_date_moves_at_amazon_is_counted_once(self):
        order = self.read_order(SHIPPED)
        self.simulator.change(posted_date_moves_seconds=60)
        self.refund_elsewhere(SHIPPED, order.line_ids.amazon_item_ref, "5.00")
        order._read_from_amazon()
        posted_at = order.refund_ids.posted_at
        self.simulator.advance(600)
        for _reading in range(2):
            order._read_from_amazon()
        events = order.refund_ids
        self.assertEqual(len(events), 1)
        self.assertEqual(events.posted_at, posted_at)
        self.assertAlmostEqual(order.refunded, 5)
        self.assertAlmostEqual(order.refundable, 39.94)

    def test_channels_are_told_apart(self):
        channels = [self.read_order(ref).channel for ref in (SHIPPED, FBA_SHIPPED, MCF)]
        self.assertEqual(channels, ["fbm", "fba", "mcf"])

    def test_refunds_made_elsewhere_are_shown(self):
        order = self.read_order(PARTLY_REFUNDED)
        self.assertEqual(order.refunded, 59.5)
        self.assertAlmostEqual(order.refundable, 64.49)
        self.assertFalse(order.refund_ids.action_id, "nobody asked for it here")

    def test_full_refund_made_elsewhere_leaves_nothing(self):
        self.assertEqual(self.read_order(FULLY_REFUNDED).refundable, 0)

    def test_reading_twice_records_each_refund_once(self):
        order = self.read_order(PARTLY_REFUNDED)
        order._job_read()
        self.assertEqual(order.refunded, 59.5)

    def test_claim_is_found(self):
        self.assertTrue(self.read_order(CLAIMED).claim_found)

    def test_buyers_cancellation_request_is_found(self):
        order = self.read_order(CANCEL_REQUESTED)
        self.assertTrue(order.cancel_requested)
        self.assertTrue(order.cancel_request_reason)

    def test_pending_order_has_no_amounts(self):
        order = self.read_order(PENDING)
        self.assertEqual(order.fulfillment_status, "PENDING")
        self.assertEqual(order.charged, 0)

    def test_price_is_net_of_the_promotion(self):
        self.assertAlmostEqual(self.read_order(PROMOTION).charged, 48.48)

    def test_no_data_of_the_buyer_is_asked_for_or_kept(self):
        order = self.read_order(SHIPPED)
        names = " ".join(order._fields)
        for word in ("email", "address", "phone", "partner", "buyer_name"):
            self.assertNotIn(word, names)

    # === FAILING === #

    def test_unknown_order_is_a_sentence_and_the_document_works(self):
        sale_order = self.create_sale_order(NOWHERE)
        order = sale_order.amazon_order_id
        self.assertEqual(order.read_state, "refused")
        self.assertIn("does not know the order", order.read_message)
        self.assertIn(NOWHERE, order.read_message)
        sale_order.with_user(self.agent).client_order_ref = "Still editable"

    def test_account_without_rights_is_a_sentence(self):
        self.simulator.fault("forbidden", "getOrder", times=1)
        order = self.read_order(SHIPPED)
        self.assertEqual(order.read_state, "refused")
        self.assertIn("must check the roles", order.read_message)

    def test_amazon_down_is_a_sentence(self):
        self.simulator.fault("html_503", "getOrder", times=3)
        order = self.read_order(SHIPPED)
        self.assertEqual(order.read_state, "failed")
        self.assertIn("did not answer", order.read_message)

    def test_quota_used_up_is_a_sentence(self):
        self.simulator.fault("throttle", "getOrder", times=1)
        self.assertIn("quota", self.read_order(SHIPPED).read_message)

    def test_missing_credentials_are_a_sentence(self):
        self.account.lwa_client_secret = False
        order = self.read_order(SHIPPED)
        self.assertIn("no complete credentials", order.read_message)
        self.account.lwa_client_secret = "wrong-secret"
        order._job_read()
        self.assertIn("authorise", order.read_message)

    def test_failed_reading_keeps_the_former_one(self):
        order = self.read_order(SHIPPED)
        self.simulator.fault("html_503", "getOrder", times=3)
        order._job_read()
        self.assertEqual(order.fulfillment_status, "SHIPPED")
        self.assertTrue(order.read_message)

    def test_refused_finances_are_a_sentence_and_the_order_is_shown(self):
        self.simulator.fault("forbidden", "listFinancialEventsByOrderId", times=1)
        order = self.read_order(SHIPPED)
        self.assertEqual(order.read_state, "read")
        self.assertEqual(order.finances_state, "failed")
        self.assertTrue(order.finances_message)

    # === REFRESHING === #

    def test_opening_a_form_calls_amazon_never(self):
        sale_order = self.create_sale_order(SHIPPED)
        before = self.calls()
        sale_order.with_user(self.agent).web_read(
            {"amazon_order_ref": {}, "amazon_order_panel": {}}
        )
        sale_order.amazon_order_id.with_user(self.agent).refresh_if_stale()
        self.assertEqual(self.calls(), before)

    def test_fresh_reading_is_not_asked_for_again(self):
        order = self.read_order(SHIPPED)
        order.with_user(self.agent).refresh_if_stale()
        self.assertFalse(self.pending_jobs("_job_read"))

    def test_old_reading_is_asked_for_again_in_the_background(self):
        order = self.read_order(SHIPPED)
        order.complete_at = fields.Datetime.now() - timedelta(hours=1)
        order.with_user(self.agent).refresh_if_stale()
        self.assertEqual(len(self.pending_jobs("_job_read")), 1)

    def test_refresh_button_reads_again_in_the_background(self):
        order = self.read_order(SHIPPED)
        before = self.calls()
        order.with_user(self.trainee).action_refresh()
        order.with_user(self.trainee).action_refresh()
        self.assertEqual(self.calls(), before)
        self.assertEqual(len(self.pending_jobs("_job_read")), 1)
        self.run_jobs("_job_read")
        self.assertGreater(self.calls()["getOrder"], before["getOrder"])

    # === LINKING === #

    def test_typed_number_is_cleaned_and_found(self):
        sale_order = self.create_sale_order(f" {MCF.lower()} ")
        self.assertEqual(sale_order.amazon_order_ref, MCF)
        self.assertEqual(sale_order.amazon_order_id.read_state, "read")

    def test_wrong_number_gets_a_sentence_that_names_the_record(self):
        sale_order = self.create_sale_order()
        with self.assertRaisesRegex(ValidationError, sale_order.name):
            sale_order.amazon_order_ref = "12345"

    def test_numbers_that_only_look_alike_are_not_taken(self):
        find = self.env["amazon.order"]._find_refs
        self.assertEqual(find("Order 302-4481516-2342108."), [SHIPPED])
        self.assertEqual(find(f"(#{SHIPPED})", SHIPPED), [SHIPPED])
        for text in (
            "1302-4481516-2342108",
            "302-4481516-23421089",
            "302-4481516-2342108-1",
            "302 4481516 2342108",
            False,
        ):
            self.assertEqual(find(text), [])

    def test_number_that_is_taken_out_unlinks(self):
        sale_order = self.create_sale_order(SHIPPED)
        sale_order.amazon_order_ref = False
        self.assertFalse(sale_order.amazon_order_id)

    def test_company_without_account_gets_a_sentence(self):
        company = self._create_company(name="Without")
        self.env.user.write({"company_ids": [(4, company.id)]})
        sale_order = self.create_sale_order(SHIPPED, company_id=company.id)
        self.assertFalse(sale_order.amazon_order_id)
        self.assertIn(
            "No Amazon account is connected", sale_order.amazon_order_panel["notice"]
        )

    def test_order_is_looked_for_in_every_account_of_the_company(self):
        self.account.sequence = 99
        self._create_account(
            sequence=1,
            name="US",
            seller_id="ADEMOSELLER02",
            region="na",
            lwa_refresh_token="Atzr|demo-refresh-token-us",
        )
        order = self.read_order(SHIPPED)
        self.assertEqual(order.account_id, self.account)
        self.assertEqual(order.read_state, "read")

    # === THE PANEL === #

    def test_panel_shows_status_items_and_amounts(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        panel = sale_order.with_user(self.trainee).amazon_order_panel
        order = panel["order"]
        self.assertFalse(panel["notice"])
        self.assertEqual(order["status_label"], "Shipped")
        self.assertEqual(order["channel_label"], "FBM")
        self.assertEqual(len(order["lines"]), 2)
        self.assertEqual(order["currency"]["name"], "EUR")
        self.assertAlmostEqual(order["totals"]["charged"], 78.24)
        self.assertAlmostEqual(order["totals"]["refundable"], 78.24)

    def test_panel_shows_what_is_reserved_and_who_may_withdraw(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        order = sale_order.with_user(self.agent).amazon_order_panel["order"]
        self.assertAlmostEqual(order["totals"]["reserved"], 44.94)
        self.assertEqual(order["actions"][0]["name"], action.name)
        self.assertTrue(order["actions"][0]["can_withdraw"])
        seen = sale_order.with_user(self.trainee).amazon_order_panel["order"]
        self.assertFalse(seen["actions"][0]["can_withdraw"])

    def test_change_is_told_to_open_forms(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.env["bus.bus"].search([]).unlink()
        self.ask_refund(sale_order)
        self.env.cr.precommit.run()
        messages = self.env["bus.bus"].search([]).mapped("message")
        self.assertTrue([m for m in messages if "amazon_order_changed" in m])
