from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..base.background import in_own_transaction
from ..base.private_log import private_logger
from .check import Check, Finding

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# What runs daily at the slowest has been tried again by then; an older failure is of
# something that is not tried any more.
SHOWN = timedelta(hours=26)


class AmazonFailure(models.Model):
    """What work in the background could not do for one company, account or record.

    Each loop over them does its work through here, so that one of them ends neither the
    loop nor the work on the others. A row stays until the same work has succeeded; the
    watch tells the administrators of it. The traceback is in the server's log.
    """

    _name = "amazon.failure"
    _inherit = "amazon.own.defaults"
    _description = "Amazon Failure in the Background"
    _order = "id desc"
    _rec_name = "subject"

    task = fields.Selection(
        [
            ("ranges", "Reading what changed at Amazon"),
            ("approvals", "Ending and reminding of approvals"),
            ("watch", "Looking for what nobody moves"),
            ("seal", "Sealing the journal"),
            ("check", "Checking and anchoring the journal"),
            ("erase", "Removing old data"),
            ("verify", "Verifying what waited in a restored backup"),
        ],
        required=True,
        readonly=True,
    )
    subject = fields.Char(
        required=True, readonly=True, help="What it failed for, as model,id."
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="cascade", index=True
    )
    account_id = fields.Many2one(
        "amazon.seller.account",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    count = fields.Integer("Times", readonly=True, help="How often in a row.")
    since = fields.Datetime(readonly=True, required=True)
    last_at = fields.Datetime("Last", readonly=True, required=True)

    _subject_uniq = models.UniqueIndex("(task, subject)")

    # === BUSINESS METHODS - CONTAINING === #

    @api.model
    def _run_apart(self, task, records, method, *args, subject=None):
        """Call a method in a transaction of its own; where it fails, note that and
        raise nothing.

        :param str task: what is done, a value of `task`
        :param records: whose method it is, as :func:`in_background` returns them
        :param str method: its name
        :param subject: the record that it is done for; None: what the method is of
        :return: what the method returns, None where it failed
        """
        subject = subject or records or records.env.company
        # what is not written yet would not be seen
        self.env.flush_all()
        try:
            result = in_own_transaction(records, method, *args)
        except Exception:
            self._note(task, subject)
            result = None
        else:
            self._forget(task, subject)
        # and what was read before may be different by now
        self.env.invalidate_all()
        return result

    def _note(self, task, subject):
        """Note that it has failed, whatever becomes of the caller's transaction. Called
        where the exception is at hand."""
        _logger.exception("%s failed for %s", task, subject)
        subject = subject[:1]
        try:
            company = subject if subject._name == "res.company" else subject.company_id
            account = subject.env["amazon.seller.account"]
            if subject._name == account._name:
                account = subject
            elif "account_id" in subject._fields:
                account = subject.account_id
            in_own_transaction(
                self.sudo(),
                "_count_failure",
                task,
                f"{subject._name},{subject.id}",
                company.id,
                account.id or None,
            )
        except Exception:
            # It stands in the log; the loop must go on.
            _logger.exception("A failure could not be noted")

    @api.model
    def _count_failure(self, task, subject, company_id, account_id):
        now = fields.Datetime.now()
        self.env.cr.execute(
            """
            INSERT INTO amazon_failure
                        (task, subject, company_id, account_id, count, since, last_at)
                 VALUES (%s, %s, %s, %s, 1, %s, %s)
            ON CONFLICT (task, subject)
              DO UPDATE SET count = amazon_failure.count + 1,
                            last_at = EXCLUDED.last_at
            """,
            [task, subject, company_id, account_id, now, now],
        )

    def _forget(self, task, subject):
        """It has worked: an earlier failure is over."""
        name = f"{subject._name},{subject[:1].id}"
        failed = self.sudo().search([("task", "=", task), ("subject", "=", name)])
        if failed:
            in_own_transaction(failed, "unlink")


class AmazonCheckFailure(models.AbstractModel):
    """Finds work in the background that fails."""

    _name = "amazon.check.failure"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Work in the Background"

    _checks = (Check("work_failed", _lt("Work in the background failed")),)

    def _find_work_failed(self, accounts):
        """Something failed for one company, account or record, and waits to be tried
        again."""
        noted = self.env["amazon.failure"].search(
            [("company_id", "=", self.env.company.id)]
        )
        failures = noted.filtered_domain(
            [("last_at", ">", fields.Datetime.now() - SHOWN)]
        )
        (noted - failures).unlink()
        labels = dict(failures._fields["task"]._description_selection(self.env))
        return [
            Finding(
                account,
                len(of_account),
                self.env._(
                    "Work in the background fails with an error in the program: "
                    "%(tasks)s. It is tried again by itself, and everything else goes "
                    "on. The server's log has the errors.",
                    tasks=", ".join(
                        f"{labels[task]} ({len(of_task)})"
                        for task, of_task in of_account.grouped("task").items()
                    ),
                ),
                min(of_account.mapped("since")),
            )
            for account, of_account in failures.grouped("account_id").items()
        ]
