from odoo import models
from odoo.tools import LazyTranslate

from odoo.addons.queue_job.job import CANCELLED

from .check import Check, Finding

_lt = LazyTranslate(__name__)

# Jobs that the alarm names, of each kind one.
JOBS_NAMED = 5
# Failed jobs that one run cancels; the rest follows in the next ones.
TWINS_PER_RUN = 500


class AmazonCheckJobs(models.AbstractModel):
    """Finds that jobs in the background fail."""

    _name = "amazon.check.jobs"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Jobs"

    _checks = (Check("job_failed", _lt("Job failed")),)

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
