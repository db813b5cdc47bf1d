from math import ceil

from odoo import api, models

from odoo.addons.queue_job.exception import RetryableJobError

from ...spapi.operations import OPERATIONS, Operation
from ..base.background import in_background
from .reading import PER_ORDER, is_not_found

# Whoever knows an alias can send any number of mails. So mails have orders read within
# a budget of their own, for each account: six at once, then one in 20 seconds, a tenth
# of what Amazon allows (getOrder: one in two seconds, 30 at once).
MAIL_READING = Operation("getOrder for mails", "GET", "", rate=1 / 20, burst=6)

# Of the calls that Amazon allows at once, these are left to the people who work here.
LEFT_TO_PEOPLE = 2 / 3


class AmazonOrderMailReading(models.AbstractModel):
    """How orders are read that nobody but a mail has named yet: in line, each once, and
    at the likeliest account alone. Whoever opens the document has it read at once.

    A part of `amazon.order`, which alone inherits it.
    """

    _name = "amazon.order.mail.reading"
    _inherit = "amazon.order.reading"
    _description = "Reading of Amazon Orders That a Mail Named"

    _waiting_idx = models.Index("(account_id, id) WHERE read_state = 'waiting'")

    def _request_first_read(self):
        """Override to let those wait in line that a mail has named."""
        if not self.env.context.get("amazon_by_mail"):
            return super()._request_first_read()
        self.read_state = "waiting"
        return self.env["amazon.mail.reading"]._enqueue(self.account_id)

    def _accounts_to_ask(self):
        """Override: a mail has the likeliest account asked, and no others. Numbers that
        a stranger made up would cost a call of each."""
        accounts = super()._accounts_to_ask()
        if self.env.context.get("amazon_by_mail"):
            return accounts & self.account_id
        return accounts

    def _describe_failure(self, answers):
        """Override to say that not all accounts were asked."""
        others = super()._accounts_to_ask() - answers.account
        if (
            self.env.context.get("amazon_by_mail")
            and is_not_found(answers.order_error)
            and others
        ):
            return self.env._(
                "The account %(account)s does not have the order %(order)s. Refresh "
                "asks the other accounts of this company, too.",
                account=answers.account.name,
                order=self.amazon_order_ref,
            )
        return super()._describe_failure(answers)

    def _read_sentence(self):
        """Override to say of what waits in line that nobody has forgotten it."""
        if self.read_state != "waiting":
            return super()._read_sentence()
        return self.env._(
            "A mail named this order. We'll read it from Amazon when it is its turn; "
            "Refresh reads it now."
        )


class AmazonMailReading(models.AbstractModel):
    """The line of the orders that mails have named, one for each account."""

    _name = "amazon.mail.reading"
    _description = "Amazon Reading of Orders That Mails Name"

    @api.model
    def _enqueue(self, accounts):
        """Have the orders read that mails have named, behind all other work.

        :param amazon.seller.account accounts: whose orders
        """
        for account in accounts:
            in_background(self, account.company_id).with_delay(
                priority=30,
                max_retries=0,
                description=f"Read an order that a mail named, for {account.name}",
                identity_key=f"amazon_read_mailed_{account.id}",
            )._job_read_mailed(account.id)

    @api.model
    def _job_read_mailed(self, account_id):
        """Read the order that has waited longest, and go on with the next one. Job.

        One job for all that wait: a flood of mails is a long line of rows, and never
        one of jobs.

        :param int account_id: id of the account
        :raise RetryableJobError: until the budget of mails allows a reading
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        order = account.active and self._next_mailed(account)
        if not order:
            return
        wait = self._mail_wait(account)
        if wait:
            raise RetryableJobError(
                "Mails have had as many orders read as they may for now.",
                seconds=ceil(wait),
                ignore_retry=True,
            )
        answers = order.with_context(amazon_by_mail=True)._read_from_amazon()
        if answers.order_error and answers.is_throttled():
            # somebody else used the quota up: not lost, and not tried again by itself
            order.read_state = "waiting"
        order._notify_forms()
        self._enqueue(account)

    def _next_mailed(self, account):
        return self.env["amazon.order"].search(
            [("account_id", "=", account.id), ("read_state", "=", "waiting")],
            order="id",
            limit=1,
        )

    def _mail_wait(self, account):
        """Take one reading out of the budget of mails.

        :return: 0.0 when it was taken, else seconds after which to ask again
        :rtype: float
        """
        left = max(
            account._quota_wait(name, 1 + OPERATIONS[name].burst * LEFT_TO_PEOPLE)
            for name in PER_ORDER
        )
        return left or account._quota().take(MAIL_READING)

    def _keep_read(self, account):
        """Read on what waits, also where its job was lost."""
        if self._next_mailed(account):
            self._enqueue(account)
