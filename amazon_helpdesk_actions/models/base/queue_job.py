from datetime import timedelta

from odoo import models

from .clock import database_now

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


class QueueJob(models.Model):
    _inherit = "queue.job"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

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

    def _lost_their_connection(self, vals):
        return (
            vals.get("state") == "failed"
            and vals.get("exc_name") in CONNECTION_LOST
            and all(job.model_name.startswith("amazon.") for job in self)
        )

    def _again_at(self):
        now = database_now(self.env)
        wait = (now - self.date_created).total_seconds() / 2
        wait = min(max(wait, AGAIN_MIN_SECONDS), AGAIN_MAX_SECONDS)
        return now + timedelta(seconds=wait)
