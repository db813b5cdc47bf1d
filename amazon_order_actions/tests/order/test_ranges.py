from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...spapi.client import Page, SellerClient
from ...spapi.errors import Throttled
from ..common import CLAIMED, GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon
from ..sending.test_bookkeeping import SKU, finances, refund_event

RANGES = "odoo.addons.amazon_order_actions.models.order.range_reading"
PER_ORDER = ("getOrder", "listFinancialEventsByOrderId")


def money(amount, currency="EUR"):
    return {"currencyAmount": amount, "currencyCode": currency}


def transaction(order_ref, adjustment="5001", amount=10.0, **values):
    """Return a refund as Amazon's list of transactions shows it.

    :param str adjustment: Amazon's adjustment item id, or None
    """
    currency = values.pop("currency", "EUR")
    posted = values.pop("posted", datetime.now(timezone.utc) - timedelta(minutes=3))
    sku = values.pop("sku", SKU)
    lost = money(-amount, currency)
    item = {
        "totalAmount": lost,
        "breakdowns": [
            {
                "breakdownType": "ProductCharges",
                "breakdownAmount": lost,
                "breakdowns": [
                    {
                        "breakdownType": "OurPricePrincipal",
                        "breakdownAmount": lost,
                        "breakdowns": [],
                    }
                ],
            }
        ],
        "contexts": [{"contextType": "ProductContext", "sku": sku}],
    }
    if adjustment:
        item["relatedIdentifiers"] = [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": adjustment,
            }
        ]
    return {
        "transactionType": "Refund",
        "transactionId": f"T-{adjustment}",
        "transactionStatus": "RELEASED",
        "description": "Refund Order",
        "postedDate": posted.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "totalAmount": lost,
        "relatedIdentifiers": [
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": order_ref}
        ],
        "marketplaceDetails": {"marketplaceId": "A1PA6795UKMFR9"},
        "items": [item],
        **values,
    }


def transactions(*rows):
    """Let Amazon's list of transactions show these rows."""
    return patch.object(
        SellerClient, "list_transactions", lambda client, **query: Page([*rows], None)
    )


@tagged("post_install", "-at_install")
class RangesCommon(AmazonOrderCommon):
    def setUp(self):
        super().setUp()
        # The cover begins before the orders of the tests are read.
        self.read_ranges()

    def read_ranges(self):
        """Read the ranges, and return the seconds after which to read on."""
        self.env.flush_all()
        wait = self.env["amazon.range.reading"]._read_ranges(self.account)
        self.env.invalidate_all()
        return wait

    def read_later(self):
        """Let Amazon's lists show what has just happened, and read them."""
        self.simulator.advance(130)
        return self.read_ranges()

    def read_order(self, ref):
        return self.create_sale_order(ref).amazon_order_id

    def mark(self, subject):
        return self.env["amazon.watermark"].search(
            [("account_id", "=", self.account.id), ("subject", "=", subject)]
        )

    def age(self, records, **fields_by_hours):
        """Make times of records older by so many hours."""
        for record in records:
            for name, hours in fields_by_hours.items():
                record[name] -= timedelta(hours=hours)

    def calls(self, *operations):
        calls = self.simulator.ledger()["calls"]
        return sum(calls.get(name, 0) for name in operations)

    def accept(self):
        """Bring what is queued to the point where Amazon's report is applied."""
        for job in ("_job_dispatch", "_job_poll", "_job_apply_report"):
            self.run_jobs(job)


@tagged("post_install", "-at_install")
class TestCover(RangesCommon):
    """What the watermarks promise about an order, and what they do not."""

    def test_order_is_known_up_to_where_both_lists_reach(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=1)
        self.age(self.mark("orders"), known_since=2, known_until=0.5)
        self.age(self.mark("transactions"), known_since=2, known_until=0.25)
        self.assertEqual(order.known_until, self.mark("orders").known_until)

    def test_order_read_before_the_cover_began_is_known_up_to_its_reading(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=1)
        self.assertEqual(order.known_until, order.complete_at)

    def test_cover_of_one_list_alone_is_none(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=1)
        self.age(self.mark("orders"), known_since=2)
        self.assertEqual(order.known_until, order.complete_at)

    def test_reading_that_could_not_say_all_is_no_knowledge(self):
        self.simulator.fault("html_503", "listFinancialEventsByOrderId", times=3)
        order = self.read_order(SHIPPED)
        self.assertEqual(order.read_state, "read")
        self.assertFalse(order.known_until)

    def test_without_the_role_for_finances_the_orders_alone_count(self):
        self.simulator.fault("forbidden", "listFinancialEventsByOrderId", times=1)
        self.simulator.fault("forbidden", "listTransactions", times=None)
        order = self.read_order(SHIPPED)
        self.read_ranges()
        self.assertTrue(self.mark("transactions").is_refused)
        self.age(order, complete_at=1)
        self.age(self.mark("orders"), known_since=2)
        self.assertEqual(order.known_until, self.mark("orders").known_until)

    def test_role_for_finances_that_came_back_must_be_used_for_the_order_first(self):
        self.simulator.fault("forbidden", "listFinancialEventsByOrderId", times=1)
        order = self.read_order(SHIPPED)
        self.assertTrue(order.finances_refused)
        self.age(order, complete_at=1)
        self.age(self.mark("orders"), known_since=2)
        self.assertEqual(order.known_until, order.complete_at)

    def test_last_two_minutes_are_not_promised(self):
        before = self.mark("orders").known_until
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.read_ranges()
        self.assertGreaterEqual(self.mark("orders").known_until, before)
        self.assertLess(self.mark("orders").known_until, action.asked_at)
        self.assertLess(self.mark("transactions").known_until, action.asked_at)

    def test_what_lists_show_later_is_promised_then(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=0.1)
        reached = []
        for subject in ("orders", "transactions"):
            mark = self.mark(subject)
            self.age(mark, known_since=1)
            reached.append(mark.mark_at)
            self.read_later()
            self.assertGreaterEqual(mark.known_until, reached[-1])
        # both lists are needed, and the second may have ended on a later second
        self.assertGreaterEqual(order.known_until, min(reached))

    def test_long_gap_begins_the_cover_anew(self):
        order = self.read_order(SHIPPED)
        mark = self.mark("orders")
        self.age(mark, known_since=50, known_until=30, position=30)
        since = mark.known_since
        self.age(order, complete_at=29)
        self.read_ranges()
        self.assertGreater(mark.known_since, since)
        self.assertEqual(order.known_until, order.complete_at)

    def test_gap_of_an_hour_is_caught_up(self):
        order = self.read_order(SHIPPED)
        mark = self.mark("orders")
        self.age(mark, known_since=50, known_until=1, position=1)
        since = mark.known_since
        self.read_ranges()
        self.assertEqual(mark.known_since, since)
        self.assertGreater(mark.known_until, order.complete_at - timedelta(minutes=30))

    def test_clock_that_goes_back_begins_the_cover_anew(self):
        self.simulator.advance(86400)
        self.read_ranges()
        position = self.mark("orders").position
        self.simulator.reset(quotas=False)
        self.read_ranges()
        self.assertLess(self.mark("orders").position, position)
        self.assertLess(self.mark("transactions").position, position)

    def test_another_seller_is_not_covered(self):
        self.assertTrue(self.account.watermark_ids)
        self.account.seller_id = "ANOTHER"
        self.assertFalse(self.account.watermark_ids)

    def test_form_of_a_covered_order_costs_no_call(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=1)
        self.age(self.mark("orders") | self.mark("transactions"), known_since=2)
        order.with_user(self.agent).refresh_if_stale()
        self.assertFalse(self.pending_jobs("_job_read"))

    def test_form_of_an_order_without_cover_has_it_read(self):
        order = self.read_order(SHIPPED)
        self.age(order, complete_at=1)
        order.with_user(self.agent).refresh_if_stale()
        self.assertTrue(self.pending_jobs("_job_read"))


@tagged("post_install", "-at_install")
class TestPages(RangesCommon):
    """Lists of several pages, whatever happens between two of them."""

    def setUp(self):
        super().setUp()
        self.refs = [f"302-0000000-{number:07d}" for number in range(250)]
        self.simulator.add_orders([self.prepare(ref, "unshipped") for ref in self.refs])
        # one on each page
        self.orders = self.env["amazon.order"]
        known = self.refs[0], self.refs[120], self.refs[240]
        for ref in known:
            self.orders |= self.read_order(ref)
        self.simulator.add_orders([self.prepare(ref, "cancelled") for ref in known])

    def prepare(self, ref, status):
        """Return an order for the simulator, changed some minutes ago, in the order of
        their numbers."""
        minutes = 6 - 3 * int(ref[-7:]) / len(self.refs)
        return {
            "id": ref,
            "marketplace": "DE",
            "status": status,
            "purchased": "1 hour ago",
            "updated": f"{minutes:.3f} minutes ago",
            "items": [
                {
                    "id": f"1476454{ref[-7:]}1",
                    "sku": SKU,
                    "asin": "B0BX4K7Q2M",
                    "title": "Kettle",
                    "price": 20.0,
                }
            ],
        }

    def statuses(self):
        self.env.invalidate_all()
        return self.orders.mapped("fulfillment_status")

    def test_all_pages_are_read_and_only_what_we_know_is_recorded(self):
        count = self.env["amazon.order"].search_count([])
        before = self.calls("searchOrders")
        self.assertEqual(self.read_ranges(), 0.0)
        self.assertEqual(self.calls("searchOrders") - before, 3)
        self.assertEqual(self.statuses(), ["CANCELLED"] * 3)
        self.assertEqual(self.env["amazon.order"].search_count([]), count)
        self.assertFalse(self.mark("orders").page_token)

    def test_failure_in_the_middle_is_resumed_and_promises_nothing_before(self):
        known_until = self.mark("orders").known_until
        asked = self.mark("orders").asked_at
        self.simulator.fault("html_503", "searchOrders", times=3, skip=1)
        self.assertGreater(self.read_ranges(), 0.0)
        self.assertEqual(self.statuses(), ["CANCELLED", "UNSHIPPED", "UNSHIPPED"])
        mark = self.mark("orders")
        self.assertTrue(mark.page_token)
        self.assertEqual((mark.known_until, mark.asked_at), (known_until, asked))
        before = self.calls("searchOrders")
        self.assertEqual(self.read_ranges(), 0.0)
        self.assertEqual(self.calls("searchOrders") - before, 2, "the pages left")
        self.assertEqual(self.statuses(), ["CANCELLED"] * 3)

    def test_server_error_is_told_and_tried_again(self):
        self.simulator.fault("html_503", "searchOrders", times=3)
        self.assertGreater(self.read_ranges(), 0.0)
        self.assertTrue(self.mark("orders").message)
        self.assertFalse(self.mark("orders").is_refused)
        self.read_ranges()
        self.assertFalse(self.mark("orders").message)
        self.assertEqual(self.statuses(), ["CANCELLED"] * 3)

    def test_refusal_is_told_and_left_to_the_cron(self):
        self.simulator.fault("forbidden", "searchOrders", times=1)
        self.assertEqual(self.read_ranges(), 0.0)
        self.assertTrue(self.mark("orders").is_refused)
        self.assertIn("roles", self.mark("orders").message)

    def test_expired_token_begins_the_list_anew(self):
        self.simulator.fault("html_503", "searchOrders", times=3, skip=1)
        self.read_ranges()
        self.mark("orders").page_token = "expired"
        self.assertGreater(self.read_ranges(), 0.0)
        self.assertFalse(self.mark("orders").page_token)
        self.read_ranges()
        self.assertEqual(self.statuses(), ["CANCELLED"] * 3)

    def test_death_between_two_pages_loses_nothing(self):
        ranges = type(self.env["amazon.range.reading"])
        record = ranges._record_page
        pages = []

        def die(reading, account, subject, page):
            pages.append(page)
            if len(pages) == 2:
                raise KeyboardInterrupt
            return record(reading, account, subject, page)

        with (
            patch.object(ranges, "_record_page", die),
            # In a test its cursor is around the others, and would undo what they did.
            patch.object(ranges, "_hold_range", lambda *args: nullcontext(True)),
        ):
            try:
                self.read_ranges()
            except KeyboardInterrupt:
                # not assertRaises: it would roll back what must survive
                self.env.invalidate_all()
        self.assertEqual(self.statuses(), ["CANCELLED", "UNSHIPPED", "UNSHIPPED"])
        self.read_ranges()
        self.assertEqual(self.statuses(), ["CANCELLED"] * 3)

    def test_one_bad_order_does_not_stop_the_page_and_is_read_by_itself(self):
        bad = self.orders[0]
        orders = type(self.orders)
        record = orders._record_listed

        def fail(order, row):
            if order == bad:
                raise ZeroDivisionError
            return record(order, row)

        with patch.object(orders, "_record_listed", fail), mute_logger(RANGES):
            self.assertEqual(self.read_ranges(), 0.0)
        self.assertEqual(self.statuses(), ["UNSHIPPED", "CANCELLED", "CANCELLED"])
        self.assertFalse(bad.known_until)
        self.run_jobs("_job_read")
        self.assertEqual(bad.fulfillment_status, "CANCELLED")
        self.assertTrue(bad.known_until)

    def test_page_that_is_older_than_the_last_reading_changes_nothing(self):
        self.orders[0].last_update_at = datetime.now()
        self.read_ranges()
        self.assertEqual(self.statuses(), ["UNSHIPPED", "CANCELLED", "CANCELLED"])

    def test_run_ends_in_time_and_goes_on_later(self):
        with patch(f"{RANGES}.RANGE_RUN_SECONDS", 0):
            self.assertGreater(self.read_ranges(), 0.0)
        self.assertEqual(self.statuses(), ["UNSHIPPED"] * 3)


@tagged("post_install", "-at_install")
class TestTransactions(RangesCommon):
    """Refunds are counted once, whichever of Amazon's two lists shows them first."""

    def test_refund_that_the_range_shows_first_is_counted_once(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED)):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        with finances(refund_event(SKU, {"Principal": 10})):
            order._job_read()
        self.assertEqual(order.refunded, 10)
        self.assertEqual(order.refund_ids.source, "transactions")

    def test_refund_that_the_order_shows_first_is_counted_once(self):
        order = self.read_order(SHIPPED)
        with finances(refund_event(SKU, {"Principal": 10})):
            order._job_read()
        with transactions(transaction(SHIPPED)):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        self.assertEqual(order.refund_ids.source, "events")

    def test_refund_that_both_lists_number_differently_is_counted_once(self):
        posted = datetime.now(timezone.utc) - timedelta(minutes=3)
        for ref, first in ((SHIPPED, "events"), (GIFT_WRAPPED, "transactions")):
            order = self.read_order(ref)
            sku = order.line_ids[0].sku
            with (
                self.subTest(first),
                transactions(transaction(ref, "85001", sku=sku, posted=posted)),
                finances(refund_event(sku, {"Principal": 10}, posted=posted)),
            ):
                if first == "events":
                    order._job_read()
                for _time in range(2):
                    self.read_ranges()
                    order._job_read()
                self.assertEqual(order.refunded, 10)
                self.assertEqual(order.refund_ids.source, first)
                self.assertEqual(order.finances_state, "read")
                self.assertTrue(order.known_until)

    def test_second_refund_of_the_same_sum_counts_though_numbers_differ(self):
        order = self.read_order(SHIPPED)
        posted = datetime.now(timezone.utc) - timedelta(minutes=9)
        later = posted + timedelta(minutes=6)
        first = refund_event(SKU, {"Principal": 10}, posted=posted)
        second = refund_event(SKU, {"Principal": 10}, "5002", posted=later)
        with finances(first):
            order._job_read()
        with transactions(transaction(SHIPPED, "85001", posted=posted)):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        with transactions(
            transaction(SHIPPED, "85001", posted=posted),
            transaction(SHIPPED, "85002", posted=later),
        ):
            self.read_ranges()
            self.assertEqual(order.refunded, 20)
            with finances(first, second):
                order._job_read()
            self.read_ranges()
        self.assertEqual(order.refunded, 20)

    def test_two_refunds_of_one_second_count_twice_though_numbers_differ(self):
        order = self.read_order(SHIPPED)
        posted = datetime.now(timezone.utc) - timedelta(minutes=3)
        events = [
            refund_event(SKU, {"Principal": 10}, number, posted=posted)
            for number in ("5001", "5002")
        ]
        listed = [
            transaction(SHIPPED, number, posted=posted) for number in ("85001", "85002")
        ]
        with transactions(*listed), finances(*events):
            order._job_read()
            self.read_ranges()
            order._job_read()
        self.assertEqual(order.refunded, 20)
        self.assertEqual(set(order.refund_ids.mapped("twin_ref")), {"85001", "85002"})

    def test_refund_of_another_number_and_time_has_the_order_read_by_itself(self):
        order = self.read_order(SHIPPED)
        posted = datetime.now(timezone.utc) - timedelta(minutes=9)
        with finances(refund_event(SKU, {"Principal": 10}, posted=posted)):
            order._job_read()
        with transactions(transaction(SHIPPED, "85001")):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        self.assertFalse(order.known_until)
        self.assertTrue(self.pending_jobs("_job_read"))

    def test_event_of_another_number_and_time_is_said_and_not_added(self):
        order = self.read_order(SHIPPED)
        posted = datetime.now(timezone.utc) - timedelta(minutes=9)
        with transactions(transaction(SHIPPED, "85001")):
            self.read_ranges()
        with finances(refund_event(SKU, {"Principal": 10}, posted=posted)):
            order._job_read()
        self.assertEqual(order.refunded, 10)
        self.assertIn("may be the same", order.finances_message)

    def test_two_equal_refunds_are_two(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED), transaction(SHIPPED, "5002")):
            self.read_ranges()
            self.read_ranges()
        self.assertEqual(order.refunded, 20)

    def test_deferred_refund_counts_at_once_and_only_once_when_it_is_released(self):
        order = self.read_order(SHIPPED)
        deferred = transaction(SHIPPED, transactionStatus="DEFERRED")
        released = transaction(
            SHIPPED,
            transactionStatus="DEFERRED_RELEASED",
            postedDate="2026-01-01T00:00:00Z",
        )
        with transactions(deferred):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        with transactions(released):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)

    def test_deferred_and_released_on_one_page_count_once(self):
        order = self.read_order(SHIPPED)
        with transactions(
            transaction(SHIPPED, transactionStatus="DEFERRED"),
            transaction(SHIPPED, transactionStatus="DEFERRED_RELEASED"),
        ):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)

    def test_claim_in_the_list_blocks_refunds(self):
        for kind, field in (
            ("GuaranteeClaim", "claim_found"),
            ("Chargeback", "chargeback_found"),
        ):
            with self.subTest(kind):
                order = self.read_order(SHIPPED)
                with transactions(transaction(SHIPPED, transactionType=kind)):
                    self.read_ranges()
                self.assertTrue(order[field])
                self.assertFalse(order.refundable)

    def test_refund_that_cannot_be_understood_has_the_order_read_by_itself(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED, items=[])):
            self.read_ranges()
        self.assertFalse(order.known_until)
        self.assertTrue(self.pending_jobs("_job_read"))
        self.assertEqual(order.refunded, 0)

    def test_refund_without_amazons_number_has_the_order_read_by_itself(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED, adjustment=None)):
            self.read_ranges()
        self.assertFalse(order.known_until)
        self.assertEqual(order.refunded, 0)

    def test_refund_that_may_be_one_that_is_counted_is_left_to_the_order(self):
        order = self.read_order(SHIPPED)
        with finances(refund_event(SKU, {"Principal": 10}, adjustment=None)):
            order._job_read()
        with transactions(transaction(SHIPPED)):
            self.read_ranges()
        self.assertEqual(order.refunded, 10)
        self.assertFalse(order.known_until)

    def test_event_that_may_be_a_counted_transaction_is_said_and_not_added(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED)):
            self.read_ranges()
        with finances(refund_event(SKU, {"Principal": 10}, adjustment=None)):
            order._job_read()
        self.assertEqual(order.refunded, 10)
        self.assertIn("may be the same", order.finances_message)

    def test_refund_in_another_currency_is_said_and_not_added(self):
        order = self.read_order(SHIPPED)
        with transactions(transaction(SHIPPED, currency="SEK")):
            self.read_ranges()
        self.assertEqual(order.refunded, 0)
        self.assertIn("SEK", order.finances_message)

    def test_transaction_that_comes_late_is_seen_by_the_daily_sweep(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=7200, quotas=False
        )
        order = self.read_order(SHIPPED)
        self.refund_elsewhere(SHIPPED, order.line_ids.amazon_item_ref, "39.95")
        self.simulator.advance(3600)
        self.read_ranges()
        self.simulator.advance(3600)
        self.read_later()
        self.assertEqual(order.refunded, 0, "its posting date is long read")
        self.mark("late").asked_at -= timedelta(hours=2)
        self.read_ranges()
        self.assertEqual(order.refunded, 39.95)


@tagged("post_install", "-at_install")
class TestActionsByRange(RangesCommon):
    """Actions are confirmed, and stopped, by what the lists show."""

    def test_refund_is_confirmed_by_the_list_without_a_call_for_the_order(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.accept()
        before = self.calls(*PER_ORDER)
        self.read_later()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.calls(*PER_ORDER), before)
        self.assertEqual(action.order_id.refunded, 44.94)
        self.assertEqual(action.order_id.reserved, 0)
        self.assertEqual(action.order_id.refund_ids.action_id, action)

    def test_refund_of_net_amounts_and_tax_is_confirmed_by_the_list(self):
        action = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.accept()
        self.read_later()
        self.assertEqual(action.state, "confirmed")

    def test_cancellation_is_confirmed_by_the_list(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.accept()
        self.assertEqual(action.state, "accepted")
        self.read_later()
        self.assertEqual(action.state, "confirmed")

    def test_refund_elsewhere_that_the_list_shows_cannot_be_made_again(self):
        sale_order = self.create_sale_order(SHIPPED)
        item = sale_order.amazon_order_id.line_ids.amazon_item_ref
        request = self.open_request(sale_order, "refund")
        request.reason = "CustomerReturn"
        self.refund_elsewhere(SHIPPED, item, "39.95")
        self.read_later()
        with self.assertRaisesRegex(UserError, "can still be refunded"):
            request.action_refund()

    def test_cancellation_elsewhere_that_the_list_shows_stops_ours(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.cancel_elsewhere(action.order_id)
        self.read_later()
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "blocked")

    def test_later_looks_are_by_range_alone(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=100, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.accept()
        self.run_jobs("_job_confirm")
        self.assertEqual(action.state, "accepted")
        self.assertFalse(self.pending_jobs("_job_confirm"))
        self.simulator.advance(230)
        self.run_jobs("_job_read_ranges")
        self.assertEqual(action.state, "confirmed")

    def test_scarce_quota_is_left_to_what_is_not_sent_yet(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.accept()
        before = self.calls(*PER_ORDER)
        with patch.object(type(self.account), "_quota_wait", lambda *args: 7.0):
            self.run_jobs("_job_confirm")
        self.assertEqual(self.calls(*PER_ORDER), before)
        self.assertEqual(action.state, "accepted")

    def test_many_at_once_are_not_looked_for_one_by_one(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        action.feed_id.message_count = 2000
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")
        self.assertFalse(self.pending_jobs("_job_confirm"))
        self.assertTrue(self.pending_jobs("_job_read_ranges"))

    def test_refund_that_the_lists_missed_is_found_by_reading_the_order(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.accept()
        self.simulator.advance(1)
        action.order_id.complete_at -= timedelta(days=2)
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.run_jobs("_job_read")
        self.assertEqual(action.state, "confirmed")


@tagged("post_install", "-at_install")
class TestRangeJobs(RangesCommon):
    """When the ranges are read, by whom, and who may see it."""

    def test_cron_reads_for_accounts_with_orders_of_late(self):
        self.read_order(SHIPPED)
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.assertEqual(len(self.range_jobs()), 1)

    def test_cron_leaves_idle_and_archived_accounts_alone(self):
        order = self.read_order(SHIPPED)
        order.read_at -= timedelta(days=61)
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.assertFalse(self.range_jobs())
        order.read_at += timedelta(days=61)
        self.account.active = False
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.assertFalse(self.range_jobs())

    def test_account_that_was_archived_meanwhile_is_not_read(self):
        self.env["amazon.range.reading"]._enqueue(self.account)
        self.account.active = False
        before = self.calls("searchOrders")
        self.run_jobs("_job_read_ranges")
        self.assertEqual(self.calls("searchOrders"), before)

    def test_job_comes_again_while_something_is_left(self):
        self.simulator.fault("throttle", "searchOrders", times=1)
        self.env["amazon.range.reading"]._enqueue(self.account)
        self.run_jobs("_job_read_ranges")
        self.assertEqual(len(self.range_jobs()), 1)
        self.run_jobs("_job_read_ranges")
        self.assertFalse(self.range_jobs())

    def test_job_comes_again_for_what_was_accepted_lately(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=999999, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.accept()
        self.run_jobs("_job_read_ranges")
        self.assertEqual(len(self.range_jobs()), 1)
        action.last_state_change -= timedelta(hours=1)
        self.run_jobs("_job_read_ranges")
        self.assertFalse(self.range_jobs(), "the cron goes on")

    def test_surprise_in_one_list_stops_neither_the_others_nor_the_caller(self):
        before = self.calls("listTransactions")
        with (
            patch.object(SellerClient, "search_orders", side_effect=ZeroDivisionError),
            mute_logger(RANGES),
        ):
            self.assertGreater(self.read_ranges(), 0.0)
        self.assertGreater(self.calls("listTransactions"), before)

    def test_only_the_list_that_is_left_is_read_on(self):
        self.simulator.fault("throttle", "searchOrders", times=1)
        self.env["amazon.range.reading"]._enqueue(self.account)
        self.run_jobs("_job_read_ranges")
        self.assertEqual(
            self.range_jobs().mapped("args"), [[self.account.id, ["orders"]]]
        )

    def test_sweep_of_the_last_days_leaves_half_of_the_quota_to_the_others(self):
        mark = self.mark("late")
        mark.asked_at -= timedelta(hours=2)
        asked_at = mark.asked_at
        with patch.object(type(self.account), "_quota_wait", lambda *args: 7.0):
            self.assertEqual(self.read_ranges(), 7.0)
        self.assertEqual(mark.asked_at, asked_at)
        self.read_ranges()
        self.assertGreater(mark.asked_at, asked_at)

    def range_jobs(self):
        jobs = self.pending_jobs("_job_read_ranges")
        return jobs.filtered(lambda job: job.args[0] == self.account.id)

    def test_scarce_quota_is_not_spent_on_every_request(self):
        before = self.calls("searchOrders")
        with patch.object(type(self.account), "_quota_wait", lambda *args: 7.0):
            self.assertEqual(self.read_ranges(), 0.0)
        self.assertEqual(self.calls("searchOrders"), before)
        self.mark("orders").asked_at -= timedelta(hours=1)
        with patch.object(type(self.account), "_quota_wait", lambda *args: 7.0):
            self.read_ranges()
        self.assertEqual(self.calls("searchOrders"), before + 1)

    def test_empty_bucket_postpones_and_nobody_sleeps(self):
        def empty(client, **query):
            raise Throttled("searchOrders", "empty", wait=150.0, local=True)

        with patch.object(SellerClient, "search_orders", empty):
            self.assertEqual(self.read_ranges(), 150.0)
        self.assertFalse(self.mark("orders").message)

    def test_other_range_is_read_while_one_is_throttled(self):
        before = self.calls("listTransactions")
        self.simulator.fault("throttle", "searchOrders", times=1)
        self.assertGreater(self.read_ranges(), 0.0)
        self.assertGreater(self.calls("listTransactions"), before)

    def test_two_hosts_do_not_read_the_same_range(self):
        # One that nobody has read yet: the transaction of a test keeps its locks.
        account = self._create_account(seller_id="ANOTHER")
        before = self.calls("searchOrders")
        with self.elsewhere_held(account, "orders"):
            wait = self.env["amazon.range.reading"]._read_ranges(account)
        self.assertGreater(wait, 0.0)
        self.assertEqual(self.calls("searchOrders"), before)
        self.env["amazon.range.reading"]._read_ranges(account)
        self.assertEqual(self.calls("searchOrders"), before + 1)

    @contextmanager
    def elsewhere_held(self, account, subject):
        """Hold a range from another connection, as another host does."""
        with db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"amazon_order_actions/range/{account.id}/{subject}"],
            )
            self.assertTrue(cr.fetchone()[0])
            yield

    def test_page_that_somebody_else_recorded_meanwhile_does_not_count_twice(self):
        mark = self.mark("orders")
        query = mark._next_query(None)._replace(
            before=datetime(2030, 1, 1), seen_at=datetime(2030, 1, 1)
        )
        mark.page_token = "of somebody else"
        before = mark.position
        mark._advance(query, None)
        self.assertEqual(mark.position, before)

    def test_account_without_credentials_says_so(self):
        self.account.lwa_client_secret = False
        self.assertEqual(self.read_ranges(), 0.0)
        self.assertIn("credentials", self.mark("orders").message)

    def test_claim_is_known_from_the_order_alone_as_well(self):
        self.assertTrue(self.read_order(CLAIMED).claim_found)

    def test_watermarks_are_shown_to_administrators_and_auditors_alone(self):
        marks = self.mark("orders")
        for user in (self.admin, self.auditor):
            self.assertTrue(marks.with_user(user).position)
        for user in (self.agent, self.trainee):
            with self.subTest(user.login), self.assertRaises(AccessError):
                marks.with_user(user).read(["position"])

    def test_form_of_the_account_shows_administrators_how_far_it_is_read(self):
        view = {"watermark_ids": {"fields": {"known_until": {}, "message": {}}}}
        shown = self.account.with_user(self.admin).web_read(view)[0]
        self.assertEqual(len(shown["watermark_ids"]), 3)
        with self.assertRaises(AccessError):
            self.account.with_user(self.agent).web_read(view)

    def test_nobody_moves_a_watermark_by_hand(self):
        for user in (self.admin, self.auditor):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.mark("orders").with_user(user).known_until = "2030-01-01"

    def test_agent_sees_up_to_when_an_order_is_known(self):
        order = self.read_order(SHIPPED)
        self.assertTrue(order.with_user(self.agent).known_until)
