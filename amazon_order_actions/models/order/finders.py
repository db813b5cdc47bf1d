from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..watch.check import Check, Finding, NeededJob, tally

_lt = LazyTranslate(__name__)

# What is to be done has its job from the moment that it waits.
UNDONE_AFTER = timedelta(minutes=10)
# Records that one run enqueues a job for; the rest follows in the next ones.
UNDONE_PER_RUN = 200


class AmazonCheckOrders(models.AbstractModel):
    """Finds orders that are not read or cannot be recorded, and what else beside the
    feeds waits for a job that is lost."""

    _name = "amazon.check.orders"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Orders"

    _checks = (
        Check("undone", _lt("Work without a job"), is_mended=True),
        Check("unrecorded", _lt("Orders cannot be recorded")),
    )

    def _find_undone(self, accounts):
        """Something beside the feeds waits for a job that is lost. Enqueues it."""
        found = {}
        before = fields.Datetime.now() - UNDONE_AFTER
        registered = self.env["amazon.check"]._registered()
        for needed in (job for of in registered for job in of._needed_jobs(before)):
            for record in self._without_job(needed, accounts):
                needed.enqueue(record)
                tally(found, record.account_id, 1, record.write_date)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Orders to be read, replies and cancellations to be followed that "
                    "waited without a job: %s. A new job was enqueued.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _without_job(self, needed, accounts):
        """Return what waits for a job that is not there.

        :param NeededJob needed: the job
        :param amazon.seller.account accounts: whose
        """
        records = self.env[needed.model].search(
            [("account_id", "in", accounts.ids), *needed.domain], limit=UNDONE_PER_RUN
        )
        under_way = self.env["queue.job"]._under_way
        jobs = under_way(needed.model, needed.method) if records else ()
        with_job = {job.record_id for job in jobs}
        return records.filtered(lambda record: record.id not in with_job)

    @api.model
    def _needed_jobs(self, before):
        """Override: orders that are to be read."""
        return [
            NeededJob(
                "amazon.order",
                "_job_read",
                [("read_state", "=", "requested"), ("write_date", "<", before)],
                lambda order: order._request_read(),
            )
        ]

    def _find_unrecorded(self, accounts):
        """What Amazon says of orders cannot be recorded."""
        orders = self.env["amazon.order"].search(
            [("account_id", "in", accounts.ids), ("unrecorded_count", ">", 0)]
        )
        return [
            Finding(
                account,
                len(of_account),
                self.env._(
                    "Orders that Amazon tells of and that cannot be recorded, because "
                    "of an error in the program: %(orders)s. What is asked for them "
                    "waits; everything else goes on. The server's log has the errors.",
                    orders=", ".join(of_account[:5].mapped("amazon_order_ref")),
                ),
            )
            for account, of_account in orders.grouped("account_id").items()
        ]
