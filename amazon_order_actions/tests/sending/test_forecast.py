from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ...models.sending.forecast import LEAST_EXPERIENCE, SLOW_AT_LEAST
from ...spapi.enums import FEED_CANCEL, FEED_REFUND
from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestForecast(AmazonOrderCommon):
    """When what was asked for is expected to leave and to be answered."""

    def setUp(self):
        super().setUp()
        # one moment for all: what is expected is told from now
        self.now = fields.Datetime.now()
        self.patch(fields.Datetime, "now", lambda: self.now)

    def create_feeds(self, seconds, feed_type=FEED_REFUND, **values):
        """Create a processed feed for each number of seconds that Amazon took."""
        self.env["amazon.feed"].create(
            [
                {
                    "account_id": self.account.id,
                    "marketplace": "A1PA6795UKMFR9",
                    "feed_type": feed_type,
                    "state": "done",
                    "submitted_at": self.now - timedelta(days=1),
                    "done_at": self.now - timedelta(days=1, seconds=-taken),
                    **values,
                }
                for taken in seconds
            ]
        )

    def send(self, action):
        """Let an action be at Amazon, which is not done with it."""
        self.simulator.reset(processing_seconds=9999, quotas=False)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")

    def shown(self, sale_order):
        self.env.invalidate_all()
        return sale_order.with_user(self.agent).amazon_order_panel["order"]["actions"][
            0
        ]

    def text(self, seconds):
        return fields.Datetime.to_string(self.now + timedelta(seconds=seconds))

    # === LEAVING === #

    def test_leaves_when_it_is_due(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order).due_at = self.now + timedelta(seconds=30)
        self.assertEqual(self.shown(sale_order)["leaves_at"], self.text(30))
        self.assertEqual(self.shown(sale_order)["due_at"], self.text(30))

    def test_leaves_when_amazon_takes_the_next_feed(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order).due_at = self.now + timedelta(seconds=30)
        self.env["amazon.quota"].create(
            {
                "account_id": self.account.id,
                "operation": "createFeed",
                "tokens": 0,
                "refilled_at": self.now,
                "rate": 0.0001,
                "burst": 15,
            }
        )
        # a token in 10,000 seconds
        self.assertGreater(self.shown(sale_order)["leaves_at"], self.text(9000))

    def test_nothing_is_expected_to_leave_while_sending_is_stopped(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        self.create_feeds([60] * LEAST_EXPERIENCE)
        self.stop(self.account, "A test")
        shown = self.shown(sale_order)
        self.assertIn("A test", shown["stop_message"])
        self.assertNotIn("leaves_at", shown)
        self.assertNotIn("answer_at", shown)

    # === THE ANSWER === #

    def test_answer_is_expected_after_the_median_of_the_last_feeds(self):
        # 20 feeds, half of them fast; what was processed before counts no more
        self.create_feeds([1] * 9, done_at=self.now - timedelta(days=2))
        self.create_feeds([*[50] * 9, 100, 200, *[9000] * 9])
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        action.due_at = self.now
        self.assertEqual(self.shown(sale_order)["answer_at"], self.text(150))
        self.send(action)
        # PostgreSQL tells when it was sent, a moment later
        answer_at = fields.Datetime.to_datetime(self.shown(sale_order)["answer_at"])
        expected = self.now + timedelta(seconds=150)
        self.assertAlmostEqual(answer_at, expected, delta=timedelta(seconds=60))

    def test_without_experience_no_answer_is_expected(self):
        self.create_feeds([50] * (LEAST_EXPERIENCE - 1))
        self.create_feeds([50] * LEAST_EXPERIENCE, FEED_CANCEL)
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        self.assertFalse(self.shown(sale_order)["answer_at"])

    def test_what_has_ended_is_not_expected(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order).with_user(self.agent).action_withdraw()
        self.assertNotIn("answer_at", self.shown(sale_order))

    # === SLOW === #

    def test_amazon_is_slow_when_a_feed_takes_longer_than_is_usual(self):
        self.create_feeds([1000] * LEAST_EXPERIENCE)
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.send(action)
        action.feed_id.submitted_at = self.now - timedelta(seconds=1999)
        self.assertFalse(self.shown(sale_order)["is_slow"])
        action.feed_id.submitted_at = self.now - timedelta(seconds=2001)
        self.assertTrue(self.shown(sale_order)["is_slow"])

    def test_amazon_is_not_called_slow_too_soon(self):
        self.create_feeds([1] * LEAST_EXPERIENCE)
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.send(action)
        action.feed_id.submitted_at = self.now - timedelta(seconds=SLOW_AT_LEAST - 1)
        self.assertFalse(self.shown(sale_order)["is_slow"])
        action.feed_id.submitted_at = self.now - timedelta(seconds=SLOW_AT_LEAST + 1)
        self.assertTrue(self.shown(sale_order)["is_slow"])

    def test_one_kind_is_slow_and_the_other_is_not(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.send(action)
        action.feed_id.submitted_at = self.now - timedelta(hours=1)
        other = self.create_sale_order(UNSHIPPED)
        self.ask_cancel(other)
        self.assertTrue(self.shown(sale_order)["is_slow"])
        self.assertFalse(self.shown(other)["is_slow"])
