"""Jobs whose connection to PostgreSQL ended in the middle."""

from datetime import timedelta

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.job import Job

from ...models.base.clock import database_now
from ...models.watch.queue_job import (
    AGAIN_MAX_SECONDS,
    AGAIN_MIN_SECONDS,
    AGAIN_TIMES,
    CONNECTION_LOST,
)
from ..common import SHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestLostConnection(AmazonOrderCommon):
    def setUp(self):
        super().setUp()
        self.order = self.create_sale_order(SHIPPED).amazon_order_id

    def enqueue(self):
        return self.order.with_delay()._job_read()

    def fail(self, job, error):
        """Let queue_job say that it failed, as it does with an exception."""
        job = Job.load(self.env, job.uuid)
        job.set_failed(exc_name=error, exc_message="gone", exc_info="gone")
        job.store()
        return job.db_record()

    def test_job_that_lost_its_connection_starts_again(self):
        for error in CONNECTION_LOST:
            with self.subTest(error):
                job = self.fail(self.enqueue(), error)
                self.assertEqual(job.state, "pending")
                wait = (job.eta - database_now(self.env)).total_seconds()
                self.assertAlmostEqual(wait, AGAIN_MIN_SECONDS, delta=2)

    def test_job_that_keeps_losing_its_connection_starts_later_each_time(self):
        for age, expected in ((100, 50), (86400, AGAIN_MAX_SECONDS)):
            job = self.enqueue().db_record()
            self.env.cr.execute(
                "UPDATE queue_job SET date_created = %s WHERE id = %s",
                (database_now(self.env) - timedelta(seconds=age), job.id),
            )
            job.invalidate_recordset()
            job = self.fail(job, CONNECTION_LOST[0])
            wait = (job.eta - database_now(self.env)).total_seconds()
            self.assertAlmostEqual(wait, expected, delta=2)

    @mute_logger("odoo.addons.queue_job")
    def test_job_that_loses_its_connection_each_time_fails_in_the_end(self):
        """The error is in the program, and the watch tells of failed jobs alone."""
        job = Job.load(self.env, self.enqueue().uuid)
        for tried, state in ((AGAIN_TIMES - 1, "pending"), (AGAIN_TIMES, "failed")):
            job.retry = tried
            job.store()
            self.assertEqual(self.fail(job, CONNECTION_LOST[0]).state, state)

    @mute_logger("odoo.addons.queue_job")
    def test_job_that_failed_for_another_reason_has_failed(self):
        for error in ("builtins.ValueError", "psycopg2.errors.DiskFull"):
            job = self.fail(self.enqueue(), error)
            self.assertEqual((job.state, job.eta), ("failed", False))

    def test_jobs_of_others_fail_as_they_always_did(self):
        job = self.env["queue.job"].with_delay()._test_job()
        self.assertEqual(self.fail(job, CONNECTION_LOST[0]).state, "failed")

    def test_job_that_is_done_stays_done(self):
        job = Job.load(self.env, self.enqueue().uuid)
        job.set_done()
        job.store()
        self.assertEqual(job.db_record().state, "done")


@tagged("post_install", "-at_install")
class TestUnderWay(AmazonOrderCommon):
    """What jobs are for, whichever way queue_job has kept that."""

    def under_way(self, *methods):
        self.env.flush_all()
        return self.env["queue.job"]._under_way("amazon.feed", *methods)

    def test_none_one_and_several_are_named_once_each(self):
        feeds = self.env["amazon.feed"]
        methods = ("_job_dispatch", "_job_follow", "_job_move_actions")
        # whatever else waits in this database
        self.env.cr.execute("DELETE FROM queue_job")
        self.assertEqual(self.under_way(*methods), [])
        feed = feeds.browse(7)
        for wait in (10, 20):
            feeds.with_delay(eta=wait)._job_dispatch(3, "DE", "REFUND", is_sweep=True)
        feed.with_delay()._job_follow()
        for target in ("rejected", "unknown"):
            feed.with_delay()._job_move_actions(target)
        dispatches = self.under_way("_job_dispatch")
        self.assertEqual(dispatches, [("_job_dispatch", None, [3, "DE", "REFUND"])])
        self.assertEqual(self.under_way("_job_follow"), [("_job_follow", 7, [])])
        several = self.under_way(*methods)
        self.assertEqual(len(several), 4)
        moves = [job.args for job in several if job.method == "_job_move_actions"]
        self.assertCountEqual(moves, [["rejected"], ["unknown"]])

    def test_json_in_a_string_of_json_is_read_as_well(self):
        job = (
            self.env["amazon.feed"].browse(7).with_delay()._job_move_actions("unknown")
        )
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE queue_job
               SET records = (records #>> '{}')::jsonb, args = (args #>> '{}')::jsonb
             WHERE uuid = %s
         RETURNING jsonb_typeof(records), jsonb_typeof(args)
            """,
            [job.uuid],
        )
        self.assertEqual(self.env.cr.fetchone(), ("object", "array"))
        found = self.under_way("_job_move_actions")
        self.env.cr.execute(
            """
            UPDATE queue_job
               SET records = to_jsonb(records::text), args = to_jsonb(args::text)
             WHERE uuid = %s
            """,
            [job.uuid],
        )
        self.assertEqual(found, [("_job_move_actions", 7, ["unknown"])])
        self.assertEqual(self.under_way("_job_move_actions"), found)

    def test_what_is_over_is_not_under_way(self):
        job = self.env["amazon.feed"].browse(7).with_delay()._job_follow()
        for state in ("done", "failed", "cancelled"):
            self.env["queue.job"].search([("uuid", "=", job.uuid)]).state = state
            self.assertEqual(self.under_way("_job_follow"), [])
