import threading
from unittest.mock import patch

from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tests.common import TransactionCase
from odoo.tools import mute_logger

from ...models.account.quota import QuotaStore
from ...spapi.errors import Throttled
from ...spapi.operations import OPERATIONS
from ..common import SHIPPED, AmazonOrderCommon

CREATE_FEED = OPERATIONS["createFeed"]
GET_FEED = OPERATIONS["getFeed"]


@tagged("post_install", "-at_install")
class TestQuota(AmazonOrderCommon):
    """The token buckets, on PostgreSQL's clock."""

    def setUp(self):
        super().setUp()
        self.quota = self.account._quota()

    def let_pass(self, seconds):
        """Let time pass for the buckets."""
        self.env.cr.execute(
            "UPDATE amazon_quota"
            " SET refilled_at = refilled_at - make_interval(secs => %s)",
            [seconds],
        )

    def test_burst_is_allowed_at_once_and_not_one_more(self):
        waits = [self.quota.take(CREATE_FEED) for _call in range(16)]
        self.assertEqual(waits[:15], [0.0] * 15)
        self.assertAlmostEqual(waits[15], 1 / 0.0083, delta=5)

    def test_empty_bucket_fills_with_the_rate(self):
        for _call in range(15):
            self.quota.take(CREATE_FEED)
        self.let_pass(60)
        self.assertGreater(self.quota.take(CREATE_FEED), 50)
        self.let_pass(61)
        self.assertEqual(self.quota.take(CREATE_FEED), 0.0)
        self.assertGreater(self.quota.take(CREATE_FEED), 100)

    def test_full_bucket_does_not_overflow(self):
        self.quota.take(CREATE_FEED)
        self.let_pass(10**6)
        waits = [self.quota.take(CREATE_FEED) for _call in range(16)]
        self.assertEqual([bool(wait) for wait in waits], [False] * 15 + [True])

    def test_each_operation_has_a_bucket_of_its_own(self):
        for _call in range(15):
            self.quota.take(CREATE_FEED)
        self.assertTrue(self.quota.take(CREATE_FEED))
        self.assertFalse(self.quota.take(GET_FEED))

    def test_each_account_has_buckets_of_its_own(self):
        other = self._create_account(name="Other", seller_id="AOTHER")
        for _call in range(15):
            self.quota.take(CREATE_FEED)
        self.assertFalse(other._quota().take(CREATE_FEED))

    def test_rate_that_amazon_names_is_taken_over(self):
        self.quota.learn(CREATE_FEED, 1.0)
        for _call in range(15):
            self.quota.take(CREATE_FEED)
        self.assertLessEqual(self.quota.take(CREATE_FEED), 1.0)

    def test_throttled_answer_empties_the_bucket(self):
        self.quota.exhausted(CREATE_FEED, 120)
        self.assertAlmostEqual(self.quota.take(CREATE_FEED), 1 / 0.0083, delta=2)
        self.let_pass(122)
        self.assertFalse(self.quota.take(CREATE_FEED))

    def test_prepaid_call_needs_no_database(self):
        self.assertFalse(self.quota.prepay(CREATE_FEED, 1))
        with patch.object(QuotaStore, "_once", side_effect=AssertionError):
            self.assertFalse(self.quota.take(CREATE_FEED))

    def test_reserve_is_left_for_others(self):
        for _call in range(13):
            self.quota.take(CREATE_FEED)
        self.assertTrue(self.quota.prepay(CREATE_FEED, 4))
        self.assertFalse(self.quota.prepay(CREATE_FEED, 1))

    def test_unused_prepaid_token_is_given_back(self):
        self.quota.prepay(CREATE_FEED, 1)
        self.quota.give_back(CREATE_FEED)
        self.quota.give_back(CREATE_FEED)
        waits = [self.quota.take(CREATE_FEED) for _call in range(16)]
        self.assertEqual([bool(wait) for wait in waits], [False] * 15 + [True])

    def test_empty_bucket_stops_a_call_before_it_leaves(self):
        for _call in range(30):
            self.quota.take(OPERATIONS["getOrder"])
        before = self.simulator.ledger()["calls"].get("getOrder", 0)
        with self.account._client() as client, self.assertRaises(Throttled) as caught:
            client.get_order(SHIPPED)
        self.assertTrue(caught.exception.local)
        self.assertEqual(self.simulator.ledger()["calls"].get("getOrder", 0), before)


@tagged("post_install", "-at_install")
class TestQuotaAtOnce(TransactionCase):
    """Workers that take at the same moment, on connections of their own."""

    def setUp(self):
        super().setUp()
        self.connection = db_connect(self.env.cr.dbname)
        self.account_id = self._execute(
            "SELECT id FROM amazon_seller_account ORDER BY id LIMIT 1"
        )[0][0]
        self._forget()
        self.addCleanup(self._forget)

    def _execute(self, query, *params):
        with self.connection.cursor() as cr:
            cr.execute("SET LOCAL lock_timeout = '10s'")
            cr.execute(query, params)
            return cr.fetchall() if cr.description else None

    def _forget(self):
        self._execute("DELETE FROM amazon_quota WHERE account_id = %s", self.account_id)

    @mute_logger("odoo.sql_db")
    def test_two_at_once_never_take_the_same_token(self):
        taken = []

        def take():
            store = QuotaStore(self.connection, self.account_id)
            taken.extend(store.take(CREATE_FEED) == 0.0 for _call in range(5))

        threads = [threading.Thread(target=take) for _worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(len(taken), 40)
        self.assertEqual(sum(taken), 15)
