"""Clocks that are wrong: noticed, told, and what they wrote down put right.

A clock that was ahead for a moment leaves times in the future. As long as they are,
they count as unknown (`clock.latest_credible`); once they have come, they would look
like any other. So the watch, which looks every five minutes, takes them away before.
"""

import logging
import socket
import time
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain

from ..base.background import CHUNK, in_own_transaction
from ..base.clock import (
    CLOCK_SECONDS,
    DATABASE_NOW,
    any_ahead,
    bring_back,
    database_now,
    latest_credible,
)
from ..sending.feed import SENT_BEFORE
from ..watch.alarm import FIRST, Check, Finding

_logger = logging.getLogger(__name__)

# Seconds. The longest time to take an action back, which the accounts' constraints
# allow, and the longest wait after a 429 (spapi.transport, MAX_WAIT): nothing is due
# later by a right clock.
DUE_AHEAD_SECONDS = 3600 + 900

# What a host has noted of its clock stays true without a word for so long, and is
# forgotten then: the host may be gone.
NOTED_AGAIN, FORGOTTEN = timedelta(hours=1), timedelta(days=1)
# The longest wait of a job that is none for something due: a day, for a late report.
JOB_AHEAD = timedelta(days=1, seconds=DUE_AHEAD_SECONDS)
# Jobs that send what is due.
SENDING_JOBS = ("_job_dispatch", "_job_call")


class AmazonHostClock(models.Model):
    """A host whose clock differs from PostgreSQL's by more than a few seconds.

    Noted by the host itself, where it works: the scheduled actions may run elsewhere. A
    host whose clock is right has no row.
    """

    _name = "amazon.host.clock"
    _inherit = "amazon.own.defaults"
    _description = "Wrong Clock of a Host"
    _rec_name = "host"
    _order = "host"
    _log_access = False

    host = fields.Char(required=True, readonly=True)
    ahead_seconds = fields.Integer(
        "Ahead by Seconds", readonly=True, help="Less than zero where it is behind."
    )
    noted_at = fields.Datetime(required=True, readonly=True)

    _host_uniq = models.Constraint("unique(host)", "There is one row for each host.")

    @api.model
    def _compare(self):
        """Compare this host's clock with PostgreSQL's, and note where it differs or
        does no more. In a transaction of its own; never raises."""
        try:
            with self.env.registry.cursor() as cr:
                self.with_env(self.env(cr=cr))._note(socket.gethostname())
        except psycopg2.Error as error:
            # another process of this host notes the same
            _logger.info("The clock could not be compared: %s", error)

    def _note(self, host):
        ahead = self._seconds_ahead()
        cr = self.env.cr
        cr.execute(
            f"""
            SELECT ahead_seconds, {DATABASE_NOW} - noted_at FROM amazon_host_clock
             WHERE host = %s
            """,  # noqa: S608 - of a constant alone
            [host],
        )
        noted, age = cr.fetchone() or (0, timedelta())
        if abs(ahead - noted) <= CLOCK_SECONDS and age < NOTED_AGAIN:
            return
        _logger.warning("The clock of %s is %s seconds ahead", host, ahead)
        if ahead:
            cr.execute(
                f"""
                INSERT INTO amazon_host_clock (host, ahead_seconds, noted_at)
                VALUES (%s, %s, {DATABASE_NOW})
                    ON CONFLICT (host) DO UPDATE
                   SET ahead_seconds = EXCLUDED.ahead_seconds,
                       noted_at = EXCLUDED.noted_at
                """,  # noqa: S608 - of a constant alone
                [host, ahead],
            )
        else:
            cr.execute("DELETE FROM amazon_host_clock WHERE host = %s", [host])

    def _seconds_ahead(self):
        """Return by how many seconds this host's clock is ahead, zero where that is
        within what the question itself may have taken, and a few seconds."""
        before = time.time()
        self.env.cr.execute("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8")
        (right,) = self.env.cr.fetchone()
        after = time.time()
        ahead = (before + after) / 2 - right
        doubt = abs(after - before) / 2 + CLOCK_SECONDS
        return round(ahead) if abs(ahead) > doubt else 0

    @api.model
    def _wrong(self):
        """Return the hosts whose clock is wrong; forget those that are gone.

        :rtype: amazon.host.clock
        """
        oldest = database_now(self.env) - FORGOTTEN
        self.search([("noted_at", "<", oldest)]).unlink()
        return self.search([])

    def _sentence(self):
        self.ensure_one()
        if self.ahead_seconds > 0:
            return self.env._(
                "The clock of the host %(host)s is %(seconds)s seconds ahead of the "
                "database's.",
                host=self.host,
                seconds=self.ahead_seconds,
            )
        return self.env._(
            "The clock of the host %(host)s is %(seconds)s seconds behind the "
            "database's.",
            host=self.host,
            seconds=-self.ahead_seconds,
        )


class AmazonAlarm(models.Model):
    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    kind = fields.Selection(
        selection_add=[
            ("future", "Times in the future"),
            ("clock", "Wrong clock of a host"),
        ],
        ondelete={"future": "cascade", "clock": "cascade"},
    )

    @api.model
    def _checks(self):
        """Override to look for clocks that are wrong, or were."""
        return [
            *super()._checks(),
            # the other checks go by these times
            Check("future", turn=FIRST),
            Check("clock"),
        ]

    @api.model
    def _before_watch(self):
        """Override to have this host say how its clock is."""
        result = super()._before_watch()
        self.env["amazon.host.clock"]._compare()
        return result

    def _find_clock(self, accounts):
        """Hosts have another time than the database."""
        wrong = self.env["amazon.host.clock"]._wrong()
        if not wrong:
            return []
        sentences = " ".join(host._sentence() for host in wrong)
        message = self.env._(
            "%(hosts)s What is sent goes by the database's clock, but jobs may start "
            "early or late. Set the clocks by NTP.",
            hosts=sentences,
        )
        return [Finding(accounts.browse(), len(wrong), message)]

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
            "amazon.action",
            "queue.job",
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


class AmazonAction(models.Model):
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    @api.model
    def _mend_future(self, account_ids, limit):
        """It was decided on now, and is due as soon as it can surely be taken back."""
        now = database_now(self.env)
        times = (
            *("first_sending_at", "sending_at", "last_state_change"),
            *("asked_at", "approved_at", "sent_again_at", "restored_at"),
        )
        of_accounts = Domain("account_id", "in", account_ids)
        ahead = any_ahead(times, now)
        too_late = Domain("due_at", ">", now + timedelta(seconds=DUE_AHEAD_SECONDS))
        # one search for each index of what is under way
        found = self.union(
            *(
                self.search(
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
            action._begin_waiting(now)
        mended.filtered(lambda action: action.state == "queued")._enqueue_dispatch()
        return len(mended)

    def _begin_waiting(self, now):
        """Let what has not left yet wait as if it had been asked for now.

        :param datetime now: by PostgreSQL's clock
        """
        if self.state == "to_approve":
            self.write(self._prepare_approval(self.order_id, self.why_approval, now))
        elif self.state == "queued" and self.due_at:
            undo = timedelta(seconds=self._kind()._undo_seconds(self.order_id))
            self.due_at = min(self.due_at, now + undo)


class QueueJob(models.Model):
    _inherit = "queue.job"

    @api.model
    def _mend_future(self, account_ids, limit):
        """Ours start now that were enqueued by a clock that was ahead; all of them are
        safe to run at any time."""
        now = database_now(self.env)
        due = now + timedelta(seconds=DUE_AHEAD_SECONDS)
        accounts = self.env["amazon.seller.account"].browse(account_ids)
        jobs = self.search(
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
