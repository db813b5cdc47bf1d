from datetime import timedelta

from odoo import api, fields, models

from ..watch.alarm import Check, Finding, tally

# What is to be done has its job from the moment that it waits.
UNDONE_AFTER = timedelta(minutes=10)
# Records that one run enqueues a job for; the rest follows in the next ones.
UNDONE_PER_RUN = 200


class AmazonAlarm(models.Model):
    """Finds orders that are not read or cannot be recorded, and what else beside the
    feeds waits for a job that is lost."""

    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    kind = fields.Selection(
        selection_add=[
            ("undone", "Work without a job"),
            ("unrecorded", "Orders cannot be recorded"),
        ],
        ondelete={"undone": "cascade", "unrecorded": "cascade"},
    )

    @api.model
    def _checks(self):
        """Override to look for orders that are not read or cannot be recorded."""
        return [
            *super()._checks(),
            Check("undone", is_mended=True),
            Check("unrecorded"),
        ]

    def _find_undone(self, accounts):
        """Something beside the feeds waits for a job that is lost. Enqueues it."""
        found = {}
        before = fields.Datetime.now() - UNDONE_AFTER
        for model, method, domain, enqueue in self._needed_jobs_beside(before):
            records = self.env[model].search(
                [("account_id", "in", accounts.ids), *domain], limit=UNDONE_PER_RUN
            )
            jobs = self.env["queue.job"]._under_way(model, method) if records else ()
            with_job = {job.record_id for job in jobs}
            for record in records:
                if record.id not in with_job:
                    enqueue(record)
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

    def _needed_jobs_beside(self, before):
        """Hook: return what else must not be without a job: the model, the job's
        method, a domain of the records, and what enqueues it. Others add their own.

        :param datetime before: it waits since before then
        """
        return [
            (
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
