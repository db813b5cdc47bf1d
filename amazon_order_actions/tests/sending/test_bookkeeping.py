from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...spapi.client import SellerClient
from ..common import CLAIMED, FBA_SHIPPED, SHIPPED, AmazonOrderCommon

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
SKU = "NW-KESSEL-12-SW"


def refund_event(sku, charges, adjustment="5001", posted=None, currency="EUR"):
    """Return a refund as Amazon's Finances v0 shows it.

    :param dict charges: amount to the buyer by Amazon's charge type
    :param str adjustment: Amazon's adjustment item id, or None
    """
    posted = posted or datetime.now(timezone.utc)
    item = {
        "SellerSKU": sku,
        "QuantityShipped": 1,
        "ItemChargeAdjustmentList": [
            {
                "ChargeType": charge_type,
                "ChargeAmount": {"CurrencyCode": currency, "CurrencyAmount": -amount},
            }
            for charge_type, amount in charges.items()
        ],
    }
    if adjustment:
        item["OrderAdjustmentItemId"] = adjustment
    return {
        "PostedDate": posted.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ShipmentItemAdjustmentList": [item],
    }


def finances(*events):
    """Let Amazon's finances of every order show these refunds."""
    return patch.object(
        SellerClient,
        "list_financial_events",
        lambda client, order_id: {"RefundEventList": list(events)},
    )


@tagged("post_install", "-at_install")
class TestBookkeeping(AmazonOrderCommon):
    """What is refundable follows what Amazon's finances show, whatever they show."""

    def accept(self):
        """Bring what is queued to the point where Amazon's report is applied."""
        for job in ("_job_dispatch", "_job_poll", "_job_apply_report"):
            self.run_jobs(job)

    def add_order(self, ref, *items, status="shipped"):
        self.simulator.add_order(
            {
                "id": ref,
                "marketplace": "DE",
                "status": status,
                "purchased": "6 days ago",
                "shipped": "5 days ago",
                "items": [
                    {"asin": "B0BX4K7Q2M", "title": item["sku"], **item}
                    for item in items
                ],
            }
        )
        return ref

    # === CONFIRMING === #

    def test_reading_that_shows_the_refund_confirms_it_at_once(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order, amounts={SKU: 10})
        self.accept()
        self.assertEqual(action.state, "accepted")
        sale_order.amazon_order_id._job_read()
        self.assertEqual(action.state, "confirmed")
        self.assertAlmostEqual(sale_order.amazon_order_id.refundable, 34.94)

    def test_second_partial_refund_is_not_blocked_by_the_first(self):
        sale_order = self.create_sale_order(SHIPPED)
        first = self.ask_refund(sale_order, amounts={SKU: 30})
        self.accept()
        second = self.ask_refund(sale_order, amounts={SKU: 14.94})
        self.settle()
        self.assertEqual((first | second).mapped("state"), ["confirmed", "confirmed"])

    def test_reading_that_shows_a_submitted_refund_confirms_it(self):
        sale_order = self.create_sale_order(SHIPPED)
        first = self.ask_refund(sale_order, amounts={SKU: 30})
        self.run_jobs("_job_dispatch")
        self.simulator.advance(1)
        self.assertEqual(first.state, "submitted")
        second = self.ask_refund(sale_order, amounts={SKU: 14.94})
        self.settle()
        self.assertEqual((first | second).mapped("state"), ["confirmed", "confirmed"])

    def test_reading_that_shows_an_unknown_refund_confirms_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_after", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.simulator.advance(1)
        action.order_id._job_read()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.reserved, 0)

    def test_clocks_that_differ_by_minutes_do_not_matter(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=999999, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 10})
        self.accept()
        earlier = datetime.now(timezone.utc) - timedelta(minutes=5)
        with finances(refund_event(SKU, {"Principal": 10}, posted=earlier)):
            self.run_jobs("_job_confirm")
        self.assertEqual(action.state, "confirmed")

    def test_refund_posted_before_ours_was_sent_does_not_confirm_it(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=999999, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 10})
        self.env.cr.execute(
            "UPDATE amazon_action SET asked_at = asked_at - interval '1 hour'"
            " WHERE id = %s",
            [action.id],
        )
        half_an_hour_ago = datetime.now(timezone.utc) - timedelta(minutes=30)
        with finances(refund_event(SKU, {"Principal": 10}, posted=half_an_hour_ago)):
            self.accept()
            self.run_jobs("_job_confirm")
        self.assertEqual(action.state, "accepted")
        self.assertAlmostEqual(action.order_id.refundable, 24.94)

    def test_refund_of_one_of_two_items_with_the_same_sku_is_confirmed(self):
        ref = self.add_order(
            "302-1111111-1111111",
            {"id": "147645420399901", "sku": "SAME", "price": 20.0},
            {"id": "147645420399902", "sku": "SAME", "price": 20.0},
        )
        request = self.open_request(self.create_sale_order(ref), "refund")
        request.reason = "Other"
        request.line_ids.sorted("id")[0].amount = 0
        request.action_refund()
        action = self.last_action()
        self.settle()
        self.assertEqual(action.state, "confirmed")
        items = action.order_id.line_ids.sorted("id")
        self.assertEqual(items.mapped("refunded"), [0, 20])
        self.assertEqual(action.order_id.refundable, 20)

    def test_of_two_items_with_the_same_sku_what_waits_to_be_sent_again_is_seen(self):
        ref = self.add_order(
            "302-1111111-1111112",
            {"id": "147645420399901", "sku": "SAME", "price": 20.0},
            {"id": "147645420399902", "sku": "SAME", "price": 20.0},
        )
        request = self.open_request(self.create_sale_order(ref), "refund")
        request.reason = "Other"
        first, second = request.line_ids.sorted("id")
        first.amount, second.amount = 0, 5
        request.action_refund()
        action = self.last_action()
        self.simulator.fault("cut_after", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
        action._set_sent_again("Amazon's list does not show it.")
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)

    def test_assisted_refund_that_finances_show_already_is_recorded(self):
        order = self.create_sale_order(FBA_SHIPPED).amazon_order_id
        event = refund_event(order.line_ids.sku, {"Principal": order.charged})
        with finances(event):
            order._job_read()
            action = self.ask_refund(
                self.create_sale_order(FBA_SHIPPED), note="By hand"
            )
            self.assertEqual(action.amount, order.charged)
            self.settle(rounds=3)
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(order.reserved, 0)

    def test_assisted_refunds_are_told_from_older_ones_of_the_same_item(self):
        order = self.create_sale_order(FBA_SHIPPED).amazon_order_id
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        events = [
            refund_event(order.line_ids.sku, {"Principal": 5}, "1", yesterday),
            refund_event(order.line_ids.sku, {"Principal": 6, "Goodwill": 1}, "2"),
        ]
        sale_order = self.create_sale_order(FBA_SHIPPED)
        amounts = {order.line_ids.sku: 7}
        action = self.ask_refund(sale_order, amounts=amounts, note="By hand")
        with finances(*events):
            self.settle(rounds=3)
        self.assertEqual(action.state, "confirmed")
        self.assertEqual((order.refunded, order.reserved), (12, 0))

    # === WHAT AMAZON'S FINANCES MAY SHOW === #

    def test_claim_that_was_seen_stays_when_an_answer_comes_without_it(self):
        order = self.create_sale_order(CLAIMED).amazon_order_id
        self.assertTrue(order.claim_found)
        with finances():
            order._job_read()
        self.assertTrue(order.claim_found)
        self.assertEqual(order.refundable, 0)

    def test_charge_type_that_the_feed_does_not_know_lowers_what_is_left(self):
        event = refund_event(SKU, {"Principal": 5, "PaymentMethodFee": 1})
        with finances(event):
            order = self.create_sale_order(SHIPPED).amazon_order_id
        self.assertEqual(order.read_state, "read")
        self.assertEqual(order.refunded, 6)
        self.assertAlmostEqual(order.refundable, 38.94)

    def test_refund_of_an_unknown_sku_counts_for_the_order_and_warns(self):
        event = refund_event("OLD-SKU", {"Principal": 39.95, "ShippingCharge": 4.99})
        with finances(event):
            sale_order = self.create_sale_order(SHIPPED)
        order = sale_order.amazon_order_id
        self.assertAlmostEqual(order.refunded, 44.94)
        self.assertEqual(order.refundable, 0)
        with finances(refund_event("OLD-SKU", {"Principal": 10})):
            other = self.create_sale_order("305-2260917-9913547")
        request = self.open_request(other, "refund")
        self.assertIn("fits none of the items", request.warnings)
        self.assertAlmostEqual(request.total, 68.24)

    def test_refund_in_another_currency_warns_and_is_not_mixed_up(self):
        with finances(refund_event(SKU, {"Principal": 39.95}, currency="GBP")):
            sale_order = self.create_sale_order(SHIPPED)
        order = sale_order.amazon_order_id
        self.assertEqual(order.refunded, 0)
        self.assertEqual(order.finances_state, "failed")
        self.assertIn("GBP", self.open_request(sale_order, "refund").warnings)

    def test_goodwill_lowers_what_the_dialog_offers(self):
        with finances(refund_event(SKU, {"Goodwill": 10})):
            sale_order = self.create_sale_order(SHIPPED)
            action = self.ask_refund(sale_order)
        self.assertAlmostEqual(action.amount, 34.94)

    def test_fee_that_was_kept_back_is_not_refundable(self):
        event = refund_event(
            SKU, {"Principal": 39.95, "ShippingCharge": 4.99, "RestockingFee": -5}
        )
        with finances(event):
            order = self.create_sale_order(SHIPPED).amazon_order_id
        self.assertAlmostEqual(order.refunded, 39.94)
        self.assertEqual(order.refundable, 0)

    def test_events_without_adjustment_id_are_recorded_once_in_any_order(self):
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        later = yesterday + timedelta(hours=3)
        one = refund_event(SKU, {"Principal": 5}, None, yesterday)
        two = refund_event(SKU, {"Principal": 6}, None, later)
        with finances(one):
            order = self.create_sale_order(SHIPPED).amazon_order_id
        with finances(two, one):
            order._job_read()
        self.assertEqual(order.refunded, 11)

    # === WHAT THE ORDER MAY SHOW === #

    def test_item_of_which_a_part_is_shipped_is_refundable_in_proportion(self):
        ref = self.add_order(
            "302-1111111-2222222",
            {
                "id": "147645420399903",
                "sku": "THREE",
                "price": 30.0,
                "quantity": 3,
                "quantity_shipped": 1,
            },
            status="partially shipped",
        )
        sale_order = self.create_sale_order(ref)
        self.assertEqual(sale_order.amazon_order_id.charged, 30)
        action = self.ask_refund(sale_order)
        self.assertEqual(action.amount, 10)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_refund_of_the_shipped_part_leaves_nothing_of_the_order(self):
        ref = self.add_order(
            "302-1111111-4444444",
            {
                "id": "147645420399907",
                "sku": "TWO",
                "price": 20.0,
                "quantity": 2,
                "quantity_shipped": 1,
            },
            status="partially shipped",
        )
        for event in (
            refund_event("OLD-SKU", {"Principal": 10}),
            refund_event("TWO", {"Goodwill": 10}),
        ):
            with finances(event):
                order = self.create_sale_order(ref).amazon_order_id
                order.refund_ids.unlink()
                order._job_read()
            self.assertEqual(order.refundable, 0)

    def test_charge_and_item_that_amazon_lists_no_more_count_zero(self):
        first = {"id": "147645420399905", "sku": "A", "price": 30.0, "shipping": 4.99}
        second = {"id": "147645420399906", "sku": "B", "price": 20.0}
        ref = self.add_order("302-1111111-3333333", first, second)
        order = self.create_sale_order(ref).amazon_order_id
        self.assertAlmostEqual(order.charged, 54.99)
        del first["shipping"]
        self.add_order(ref, first)
        order._job_read()
        self.assertEqual(order.charged, 30)
        self.assertEqual(order.refundable, 30)
