"""Clocks of hosts that are wrong: noticed, and told."""

import socket
import time
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ..base.clock import CLOCK_SECONDS, DATABASE_NOW, database_now
from ..base.private_log import private_logger
from .check import Check, Finding

_lt = LazyTranslate(__name__)

_logger = private_logger(__name__)

# What a host has noted of its clock stays true without a word for so long, and is
# forgotten then: the host may be gone.
NOTED_AGAIN, FORGOTTEN = timedelta(hours=1), timedelta(days=1)


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


class AmazonCheckClock(models.AbstractModel):
    """Finds clocks that are wrong."""

    _name = "amazon.check.clock"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Clocks"

    _checks = (Check("clock", _lt("Wrong clock of a host")),)

    @api.model
    def _before_watch(self):
        """Override: this host says how its clock is."""
        self.env["amazon.host.clock"]._compare()

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
