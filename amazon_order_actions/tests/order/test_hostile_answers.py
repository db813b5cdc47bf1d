import base64
import contextlib
import gzip
import json

from odoo.tests import tagged

from ...spapi.errors import SpApiError
from ..common import SHIPPED, THREE_UNITS, AmazonOrderCommon

LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">'
    for n in range(10)
)
REPORTS = {
    "billion laughs": f"<!DOCTYPE A [{LAUGHS}]><AmazonEnvelope>&l9;</AmazonEnvelope>",
    "external entity": '<!DOCTYPE A [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    "<AmazonEnvelope>&f;</AmazonEnvelope>",
    "HTML": "<html><script>alert(1)</script></html>",
    "another character set": "<AmazonEnvelope/>".encode("utf-16"),
    "too many elements": b"<AmazonEnvelope>" + b"<a/>" * 1_100_000,
    "packed again": gzip.compress(b"<AmazonEnvelope/>"),
}
INSIDE = (
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:8069/web/database/manager",
    "file:///etc/passwd",
    "https://sellingpartnerapi-eu.amazon.com@evil.example/",
    "https://[broken/",
)


class HostileCommon(AmazonOrderCommon):
    """An Amazon, or somebody in between, that answers what it likes."""

    def says(self, operation, body, times=None, **options):
        """Let the simulator answer this to an operation, for ever unless told."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.simulator.fault(
            "says",
            operation,
            body=base64.b64encode(body).decode(),
            times=times,
            **options,
        )

    def order_json(self, ref):
        """What Amazon says of an order, to be changed and said again."""
        with self.account._client() as client:
            return client.get_order(ref)

    def assert_words(self, text, *words):
        """A sentence for a person: the words, and nothing of a program."""
        for word in words:
            self.assertIn(word, text)
        for trace in ("Traceback", "Error:", "Exception", "0x", 'File "'):
            self.assertNotIn(trace, text)


@tagged("post_install", "-at_install")
class TestHostileAnswers(HostileCommon):
    """What an agent sees where an answer is made to hurt: a sentence that names the
    order, never an error of a program, and never an amount that nobody told."""

    @contextlib.contextmanager
    def tried(self, name):
        """A case of its own, with nothing left of it afterwards."""
        with self.subTest(name), self.assertRaises(self.Over):
            with self.env.cr.savepoint():
                yield
                raise self.Over
        self.env.invalidate_all()
        # the record of what was sent within is not rolled back
        self.live()
        self.simulator.reset(
            processing_seconds=0,
            finance_delay_seconds=0,
            quotas=False,
            gzip_reports=False,
        )
        self.simulator.clear_faults()

    class Over(Exception):
        """Of a case: all of it is taken back."""

    def refund(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        return action

    # === REPORTS === #

    def test_a_hostile_report_leaves_the_outcome_unknown_in_words(self):
        for name, report in REPORTS.items():
            with self.tried(name):
                self.simulator.change(gzip_reports=False)
                action = self.refund()
                raw = report if isinstance(report, bytes) else report.encode()
                self.says("downloadDocument", raw)
                self.run_jobs("_job_poll")
                self.run_jobs("_job_apply_report")
                self.run_jobs("_job_move_actions")
                self.assertEqual(action.state, "unknown")
                self.assert_words(
                    action.feed_id.state_message, "report about the feed", "cannot be"
                )
                self.assert_words(action.state_message, "unknown")
                self.assertNotIn("root:", action.state_message)

    def test_an_address_that_leads_inside_is_asked_for_nothing(self):
        for url in INSIDE:
            with self.tried(url):
                action = self.refund()
                self.says("getFeedDocument", {"feedDocumentId": "x", "url": url})
                self.run_jobs("_job_poll")
                self.run_jobs("_job_move_actions")
                self.assertFalse(action.feed_id.report_file_id)
                self.assertEqual(action.state, "unknown")
                self.assert_words(action.feed_id.state_message, "there is no report")

    def test_an_upload_address_that_leads_inside_sends_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        for url in INSIDE:
            self.says(
                "createFeedDocument",
                {"feedDocumentId": "x", "url": url},
                times=1,
            )
            self.run_jobs("_job_dispatch")
            self.assertNotIn(action.state, ("submitted", "unknown"))
        self.assertFalse(self.simulator.ledger()["feeds"])

    # === ORDERS === #

    def test_an_order_that_cannot_be_trusted_is_not_recorded_and_said_in_words(self):
        sale_order = self.create_sale_order(SHIPPED)
        order = sale_order.amazon_order_id
        before = order.refundable
        good = self.order_json(SHIPPED)

        def changed(change):
            copy = json.loads(json.dumps(good))
            change(copy["orderItems"][0])
            return {"order": copy}

        def price(amount):
            return changed(
                lambda item: item["proceeds"]["breakdowns"][0]["subtotal"].update(
                    amount=amount
                )
            )

        deep = b'{"order": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
        bodies = {
            "deep": deep,
            "1e999999999": price("1e999999999"),
            "1e400": json.dumps(price(12345.0)).replace("12345.0", "1e400").encode(),
            "NaN": json.dumps(price(float("nan"))).encode(),
            "twice": json.dumps({"order": good})
            .replace('"orderItems"', '"orderItems": [], "orderItems"')
            .encode(),
            "latin-1": '{"order": "ä"}'.encode("latin-1"),
            "another order": {"order": {**good, "orderId": THREE_UNITS}},
            "units": changed(lambda item: item.update(quantityOrdered=10**12)),
            "long id": changed(lambda item: item.update(orderItemId="1" * 10_000)),
            "HTML": b"<html></html>",
            "time": {"order": {**good, "createdTime": "0001-01-01T00:00:00+23:59"}},
        }
        for name, body in bodies.items():
            with self.subTest(name):
                self.simulator.clear_faults()
                self.says("getOrder", body)
                order._request_read()
                self.run_jobs("_job_read")
                self.assertEqual(order.read_state, "failed")
                self.assert_words(order.read_message, SHIPPED)
                self.assertEqual(order.refundable, before)
                self.assertEqual(len(order.line_ids), 1)
        self.simulator.clear_faults()
        order._request_read()
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "read")

    def test_texts_that_no_database_keeps_do_not_stop_an_order(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        said = self.order_json(SHIPPED)
        said["orderItems"][0]["product"]["title"] = "A\0B \ud800 \u202eC " + "x" * 5000
        said["lastUpdatedTime"] = "2999-01-01T00:00:00Z"
        self.says("getOrder", {"order": said})
        order._request_read()
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "read")
        title = order.line_ids.title
        self.assertTrue(title.startswith("A\ufffdB \ufffd C xxx"), title[:20])
        self.assertLessEqual(len(title), 500)

    def test_finances_that_cannot_be_trusted_count_nothing_and_say_so(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        money = {"CurrencyCode": "EUR", "CurrencyAmount": "-1e99999999"}
        row = {
            "PostedDate": "2026-11-03T08:00:00Z",
            "ShipmentItemAdjustmentList": [
                {
                    "SellerSKU": order.line_ids.sku,
                    "ItemChargeAdjustmentList": [
                        {"ChargeType": "Principal", "ChargeAmount": money}
                    ],
                }
            ],
        }
        for events in ({"RefundEventList": [row]}, {"RefundEventList": 5}, "x"):
            with self.subTest(str(events)[:30]):
                self.simulator.clear_faults()
                self.says(
                    "listFinancialEventsByOrderId",
                    {"payload": {"FinancialEvents": events}},
                )
                order._request_read()
                self.run_jobs("_job_read")
                self.assertEqual(order.finances_state, "failed")
                self.assert_words(order.finances_message, SHIPPED)
                self.assertFalse(order.refund_ids)

    # === LISTS === #

    def test_a_list_that_cannot_be_read_is_told_and_leaves_the_orders_as_they_are(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        before = order.refundable
        for operation, body in (
            ("searchOrders", {"orders": [5]}),
            ("searchOrders", {"orders": [], "pagination": {"nextToken": {"a": 1}}}),
            ("listTransactions", {"payload": {"transactions": [[]]}}),
        ):
            with self.subTest(operation, body=body):
                self.simulator.clear_faults()
                self.account.sudo().watermark_ids.unlink()
                self.says(operation, body)
                self.env["amazon.range.reading"]._read_ranges(self.account)
                self.env.invalidate_all()
                marks = self.account.sudo().watermark_ids
                failed = marks.filtered("message")
                self.assertTrue(failed)
                self.assert_words(failed[0].message)
                self.assertEqual(order.refundable, before)

    # === ANSWERS TO WHAT IS SENT === #

    def test_a_hostile_answer_to_create_feed_is_unknown_and_never_sent_again(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.says("createFeed", b"[" * 1_000_000, times=1, status=202)
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_move_actions")
        self.assertEqual(action.state, "unknown")
        self.assert_words(action.state_message, "unknown")

    def test_an_error_of_amazon_with_markup_is_shown_as_text(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        said = "<script>alert(1)</script>\u202e\x1b[31m" + "?" * 100_000
        errors = [{"code": "<b>x</b>", "message": said}]
        self.says("getOrder", {"errors": errors}, status=400)
        order._request_read()
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "refused")
        self.assertLess(len(order.read_message), 5000)
        self.assertNotIn("\u202e", order.read_message)
        self.assertNotIn("\x1b", order.read_message)

    def test_an_error_names_no_secret(self):
        self.says(
            "getOrder",
            {"errors": [{"code": "x", "message": "client_secret=abc Atza|token"}]},
            status=400,
        )
        with self.account._client() as client, self.assertRaises(SpApiError) as caught:
            client.get_order(SHIPPED)
        self.assertNotIn("abc", str(caught.exception))
        self.assertNotIn("token", caught.exception.message.replace("client_", ""))
