from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models, modules
from odoo.http import request
from odoo.tools import SQL

from ..base.clock import database_now
from .look_soon import LOOK_AFTER, RUNJOB, SOON, look_later

# The connection to PostgreSQL ended in the middle of a job, which thereby did nothing.
# The first is what queue_job meets in place of the others, when it rolls back.
CONNECTION_LOST = (
    "psycopg2.InterfaceError",
    "psycopg2.OperationalError",
    "psycopg2.errors.AdminShutdown",
    "psycopg2.errors.CannotConnectNow",
    "psycopg2.errors.CrashShutdown",
)
# It starts again after half of the time since it was enqueued, within these bounds: it
# may be the job that brings PostgreSQL down.
AGAIN_MIN_SECONDS, AGAIN_MAX_SECONDS = 10, 900
# So often at most, which is about a day: a job that loses it each time has an error of
# its own, such as a cursor that it has closed itself. It fails, and the watch tells.
AGAIN_TIMES = 100

# What a job is about. Queue_job keeps both as JSON, or as JSON in a string of JSON.
RECORD_IDS = SQL("(records #>> '{}')::jsonb -> 'ids'")
ARGUMENTS = SQL("(args #>> '{}')::jsonb")


class UnderWay(NamedTuple):
    """What a job is for that is not over yet."""

    method: str
    record_id: int | None
    args: list


class QueueJob(models.Model):
    _inherit = "queue.job"

    @api.model_create_multi
    def create(self, vals_list):
        """Look soon whether what somebody has just asked for is on its way.

        Jobs that a job enqueues need no look: a runner has started that one.
        """
        jobs = super().create(vals_list)
        is_of_a_job = request and request.httprequest.path == RUNJOB
        if not is_of_a_job and not self._is_tested():
            jobs._look_soon()
        return jobs

    def write(self, vals):
        """Let jobs of ours start again that lost their connection to PostgreSQL.

        Queue_job calls them failed, and nobody would move what they move until the
        watch finds it, after a quarter of an hour.
        """
        if not self._lost_their_connection(vals):
            return super().write(vals)
        for job in self:
            again = {"state": "pending", "eta": job._again_at()}
            super(QueueJob, job).write({**vals, **again})
        return True

    @api.model
    def _is_tested(self):
        """Whether a test runs, whose threads would outlive it."""
        return bool(modules.module.current_test)

    def _look_soon(self):
        """Have the job runner looked at once these jobs should have been started."""
        now = fields.Datetime.now()
        due = [
            max((job.eta - now).total_seconds(), 0) if job.eta else 0
            for job in self
            if job._is_of_amazon()
        ]
        soon = [seconds for seconds in due if seconds <= SOON]
        if soon:
            seconds, database = max(soon) + LOOK_AFTER, self.env.cr.dbname
            self.env.cr.postcommit.add(lambda: look_later(database, seconds))

    def _lost_their_connection(self, vals):
        return (
            vals.get("state") == "failed"
            and vals.get("exc_name") in CONNECTION_LOST
            and vals.get("retry", 0) < AGAIN_TIMES
            and all(job._is_of_amazon() for job in self)
        )

    def _is_of_amazon(self):
        """Hook: whether it is a job of ours, which may run at any time, and twice."""
        return self.model_name.startswith("amazon.")

    def _again_at(self):
        now = database_now(self.env)
        wait = (now - self.date_created).total_seconds() / 2
        wait = min(max(wait, AGAIN_MIN_SECONDS), AGAIN_MAX_SECONDS)
        return now + timedelta(seconds=wait)

    @api.model
    def _under_way(self, model, *methods):
        """Return what these methods of a model will do: each that waits for its turn,
        or runs. Of a job for several records it names the first.

        :param str model: name of the model
        :param str methods: names of its methods
        :rtype: list[UnderWay]
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT method_name, (%s ->> 0)::integer, %s
                  FROM queue_job
                 WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started')
                   AND model_name = %s AND method_name IN %s
                """,
                RECORD_IDS,
                ARGUMENTS,
                model,
                methods,
            )
        )
        return [UnderWay(*row) for row in rows]

    @api.model
    def _failed_twins(self, company, limit):
        """Return failed jobs of ours that a newer one did the same as and failed, too,
        whatever the options: the oldest.

        :param res.company company: whose jobs
        :param int limit: at most so many
        :rtype: queue.job
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM (SELECT id, row_number() OVER (
                                   PARTITION BY model_name, method_name, %s, %s
                                       ORDER BY id DESC) AS place
                          FROM queue_job
                         WHERE state = 'failed' AND model_name LIKE 'amazon.%%'
                           AND company_id = %s) AS failed
                 WHERE place > 1
                 ORDER BY id
                 LIMIT %s
                """,
                RECORD_IDS,
                ARGUMENTS,
                company.id,
                limit,
            )
        )
        return self.browse(row[0] for row in rows)
