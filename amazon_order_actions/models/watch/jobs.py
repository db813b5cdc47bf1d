from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from odoo.addons.queue_job.job import CANCELLED
from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

from .check import Check, Finding

_lt = LazyTranslate(__name__)

# A working runner starts a due job within seconds; the watch itself looks this often.
RUNNER_DELAY = timedelta(minutes=5)
# Odoo ends a request, and so a job, after limit_time_real (120 s by default); a job
# that is under way for longer has lost its process, and no runner has noticed.
JOB_LONGEST = timedelta(minutes=15)
# Jobs that the alarm names, of each kind one.
JOBS_NAMED = 5
# Failed jobs that one run cancels; the rest follows in the next ones.
TWINS_PER_RUN = 500


class AmazonCheckJobs(models.AbstractModel):
    """Finds that the jobs in the background do not run, or fail."""

    _name = "amazon.check.jobs"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Jobs"

    _checks = (
        Check(
            "runner",
            _lt("Job runner not working"),
            on_panel=True,
            explains_waiting=True,
        ),
        Check("job_failed", _lt("Job failed")),
    )

    def _find_runner(self, accounts):
        """Jobs are due, and nobody starts any."""
        now = fields.Datetime.now()
        due = now - RUNNER_DELAY
        channels = self._channels()
        overdue = Domain("channel", "in", channels) & Domain(
            [
                ("company_id", "=", self.env.company.id),
                *["|", "&", "&"],
                ("state", "=", "pending"),
                ("date_created", "<", due),
                *["|", ("eta", "=", False), ("eta", "<", due)],
                *["&", ("state", "in", ("enqueued", "started"))],
                ("date_enqueued", "<", now - JOB_LONGEST),
            ]
        )
        count = self.env["queue.job"].search_count(overdue)
        if not count or self._is_any_started(channels, due):
            return []
        if self._is_runner_connected():
            message = self.env._(
                "Nothing is sent to Amazon at the moment: jobs are due (%s), and the "
                "job runner starts none. Check the capacity of the channel "
                "root.amazon, and that the runner reaches Odoo by HTTP.",
                count,
            )
        else:
            message = self.env._(
                "Nothing is sent to Amazon at the moment: jobs are due (%s), and no "
                "job runner is connected to this database. Check that queue_job is "
                "among the server-wide modules, and that its Odoo process runs.",
                count,
            )
        return [Finding(accounts.browse(), count, message)]

    def _channels(self):
        """Return the channels that our jobs run in, wherever they were moved to."""
        functions = self.env["queue.job.function"].search(
            [("model_id.model", "=like", "amazon.%")]
        )
        return list(set(functions.mapped("channel")))

    def _is_any_started(self, channels, since):
        """Whether a runner works: a job of these channels was started, of whatever
        company."""
        jobs = self.env["queue.job"]
        in_channels = Domain("channel", "in", channels)
        return bool(
            jobs.search_count(in_channels & Domain("date_done", ">=", since), limit=1)
            or jobs.search_count(
                in_channels
                & Domain([("state", "=", "started"), ("date_started", ">=", since)]),
                limit=1,
            )
        )

    def _is_runner_connected(self):
        """Whether a runner holds the lock that makes it the only one of this database
        (queue_job, jobrunner/runner.py)."""
        self.env.cr.execute(
            """
            SELECT 1 FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND objsubid = 1
               AND database = (SELECT oid FROM pg_database
                                WHERE datname = current_database())
               AND ((classid::bigint << 32) | objid::bigint) = %s
            """,
            [PG_ADVISORY_LOCK_ID],
        )
        return bool(self.env.cr.fetchone())

    def _find_job_failed(self, accounts):
        """A job ended with an error in the program. Of jobs that do the same, the
        newest is kept; what they left undone is enqueued by the other checks."""
        self._drop_failed_twins()
        failed = self.env["queue.job"].search(
            [
                ("state", "=", "failed"),
                ("model_name", "=like", "amazon.%"),
                ("company_id", "=", self.env.company.id),
            ],
            order="id desc",
        )
        if not failed:
            return []
        kinds = failed.grouped(lambda job: (job.model_name, job.method_name))
        message = self.env._(
            "Jobs fail with an error in the program: %(jobs)s. The newest of each is "
            "kept under Job Queue and shows the error. What is still needed is tried "
            "again by itself; it is safe to set them to pending, too.",
            jobs=", ".join(jobs[0].name for jobs in list(kinds.values())[:JOBS_NAMED]),
        )
        return [Finding(accounts.browse(), len(kinds), message)]

    def _drop_failed_twins(self):
        """Cancel the failed jobs of the company that a newer one did the same as and
        failed, too."""
        twins = self.env["queue.job"]._failed_twins(self.env.company, TWINS_PER_RUN)
        twins._change_job_state(
            CANCELLED, self.env._("The same job failed again; the newest is kept.")
        )
