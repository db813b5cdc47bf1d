"""What wrong clocks wrote down, put right.

A clock that was ahead for a moment leaves times in the future. As long as they are,
they count as unknown (`clock.latest_credible`); once they have come, they would look
like any other. So the watch, which looks every five minutes, takes them away before.
"""

from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..base.background import CHUNK, in_own_transaction
from ..base.clock import any_ahead, bring_back, database_now, latest_credible
from ..base.private_log import private_logger
from ..sending.feed import SENT_BEFORE
from ..watch.check import FIRST, Check, Finding

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# Seconds. The longest time to take an action back, which the accounts' constraints
# allow, and the longest wait after a 429 (spapi.transport, MAX_WAIT): nothing is due
# later by a right clock.
DUE_AHEAD_SECONDS = 3600 + 900
# The longest wait of a job that is none for something due: a day, for a late report.
JOB_AHEAD = timedelta(days=1, seconds=DUE_AHEAD_SECONDS)
# Jobs that send what is due.
SENDING_JOBS = ("_job_dispatch", "_job_call")


class AmazonCheckFuture(models.AbstractModel):
    """Finds what a clock that was ahead wrote down: the others go by these times."""

    _name = "amazon.check.future"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Times"

    _checks = (Check("future", _lt("Times in the future"), turn=FIRST),)

    def _find_future(self, accounts):
        """Something was written down by a clock that was ahead. Puts it right."""
        mended = sum(self._mend_table(name, accounts) for name in self._mended())
        if not mended:
            return []
        message = self.env._(
            "A clock was ahead for a moment: times in the future were found and put "
            "right (%s). What was known up to then counts as unknown and is read "
            "again; what was due then is due now. Check the clocks of the database "
            "and of the hosts.",
            mended,
        )
        return [Finding(accounts.browse(), mended, message)]

    @api.model
    def _mended(self):
        """Hook: return the models whose times are put right, in this order: what sends
        comes last. Each has a method `_mend_future(account_ids, limit)`, which puts
        right at most so many rows of these accounts whose times lie ahead of
        PostgreSQL's clock, and returns how many.

        :rtype: list[str]
        """
        return [
            "amazon.seller.account",
            "amazon.order",
            "amazon.watermark",
            "amazon.quota",
            "amazon.stop",
            "amazon.feed",
            "amazon.call",
            "amazon.approval",
            "amazon.mend.action",
            "amazon.mend.job",
        ]

    def _mend_table(self, name, accounts):
        """Put right the times of one table, so many at a time, each time in a
        transaction of its own: what is mended stays so, whoever fails after that.

        :return: how many rows were put right
        :rtype: int
        """
        count, mended = 0, CHUNK
        while mended == CHUNK:
            try:
                mended = in_own_transaction(
                    self.env[name], "_mend_future", accounts.ids, CHUNK
                )
            except Exception:
                # One table that fails must not keep the others.
                _logger.exception("Times of %s could not be put right", name)
                return count
            count += mended
        return count


# These two have times that several rooms write down.


class AmazonMendAction(models.AbstractModel):
    """Puts right the times of actions."""

    _name = "amazon.mend.action"
    _description = "Amazon Times of Actions"

    @api.model
    def _mend_future(self, account_ids, limit):
        """It was decided on now, and is due as soon as it can surely be taken back."""
        now = database_now(self.env)
        times = (
            *("first_sending_at", "last_state_change", "asked_at"),
            *("sent_again_at", "restored_at"),
        )
        of_accounts = Domain("account_id", "in", account_ids)
        ahead = any_ahead(times, now)
        too_late = Domain("due_at", ">", now + timedelta(seconds=DUE_AHEAD_SECONDS))
        # one search for each index of what is under way
        found = self.env["amazon.action"].union(
            *(
                self.env["amazon.action"].search(
                    of_accounts & Domain("state", "in", states) & domain, limit=limit
                )
                for states, domain in (
                    (["queued"], ahead | too_late),
                    (["to_approve"], ahead),
                    (["sending", "submitted", "unknown"], ahead),
                )
            )
        )
        mended = found[:limit]
        bring_back(mended, times[1:], now)
        bring_back(mended, times[:1], now, SENT_BEFORE)
        for action in mended:
            self._begin_waiting(action, now)
        mended.filtered(lambda action: action.state == "queued")._enqueue_dispatch()
        return len(mended)

    def _begin_waiting(self, action, now):
        """Let what has not left yet wait as if it had been asked for now.

        :param amazon.action action: what waits
        :param datetime now: by PostgreSQL's clock
        """
        if action.state == "to_approve":
            action.approval_id._restart(now)
        elif action.state == "queued" and action.due_at:
            undo = timedelta(seconds=action._kind()._undo_seconds(action.order_id))
            action.due_at = min(action.due_at, now + undo)


class AmazonMendJob(models.AbstractModel):
    """Puts right when jobs of ours start."""

    _name = "amazon.mend.job"
    _description = "Amazon Times of Jobs"

    @api.model
    def _mend_future(self, account_ids, limit):
        """Ours start now that were enqueued by a clock that was ahead; all of them are
        safe to run at any time."""
        now = database_now(self.env)
        due = now + timedelta(seconds=DUE_AHEAD_SECONDS)
        accounts = self.env["amazon.seller.account"].browse(account_ids)
        jobs = self.env["queue.job"].search(
            Domain("state", "=", "pending")
            & Domain("model_name", "=like", "amazon.%")
            & Domain("company_id", "in", accounts.company_id.ids)
            & Domain("eta", ">", latest_credible(now))
            & (
                Domain("date_created", ">", latest_credible(now))
                | Domain("eta", ">", now + JOB_AHEAD)
                | (Domain("method_name", "in", SENDING_JOBS) & Domain("eta", ">", due))
            ),
            limit=limit,
        )
        jobs.eta = now
        return len(jobs)
