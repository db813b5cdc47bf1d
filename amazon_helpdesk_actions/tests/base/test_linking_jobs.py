from odoo.tests import tagged

from odoo.addons.amazon_order_actions.models.watch.queue_job import CONNECTION_LOST
from odoo.addons.queue_job.job import Job

from ..common import AmazonCommon


@tagged("post_install", "-at_install")
class TestLinkingJobs(AmazonCommon):
    """Jobs that link the order that a mail named."""

    def fail(self, job, error):
        """Let queue_job say that it failed, as it does with an exception."""
        job = Job.load(self.env, job.uuid)
        job.set_failed(exc_name=error, exc_message="gone", exc_info="gone")
        job.store()
        return job.db_record()

    def test_order_that_a_mail_names_is_linked_all_the_same(self):
        job = self.create_ticket().with_delay()._job_link_mailed()
        self.assertEqual(self.fail(job, CONNECTION_LOST[0]).state, "pending")
