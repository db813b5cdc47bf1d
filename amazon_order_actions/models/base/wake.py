import atexit
import contextlib
import os
import threading
import time

import psycopg2

from odoo import models
from odoo.sql_db import db_connect
from odoo.tools import SQL
from odoo.tools.misc import OrderedSet

from odoo.addons.bus.models.bus import ODOO_NOTIFY_FUNCTION, get_notify_payloads

from .private_log import private_logger

_logger = private_logger(__name__)

# The database whose connections are told of what the bus has.
BUS_DATABASE = "postgres"

# Seconds for which a connection is kept without being used, as Odoo's own pool does:
# one that a firewall has forgotten would keep whoever uses it waiting for long.
KEPT_SECONDS = 600


class _Waker:
    """Wakes who listens to the bus, by a connection that stays open.

    Odoo opens one each time and closes it, which takes longer than all that a click
    reads: its pool keeps none to this database. One for each process.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._cursor = None
        # of other processes: to let go of them would close them there
        self._inherited = []
        self._process = os.getpid()
        self._used_at = 0.0

    def wake(self, payloads):
        """Notify PostgreSQL's listeners; never fails.

        What was sent is committed: who is not woken finds it with the next news.

        :param list payloads: see `get_notify_payloads`
        """
        with self._lock:
            try:
                try:
                    self._notify(payloads)
                except (psycopg2.OperationalError, psycopg2.InterfaceError):
                    # the server has been restarted meanwhile
                    self.close()
                    self._notify(payloads)
            except psycopg2.Error:
                self.close()
                _logger.exception("Open forms could not be woken")

    def close(self):
        """Give the connection back, dead or alive."""
        self._leave_to_parent()
        cursor, self._cursor = self._cursor, None
        if cursor:
            with contextlib.suppress(psycopg2.Error):
                cursor.close()

    def _leave_to_parent(self):
        """Begin anew in a process that was forked meanwhile."""
        if self._process != os.getpid():
            self._inherited.append(self._cursor)
            self._cursor, self._process = None, os.getpid()

    def _notify(self, payloads):
        self._leave_to_parent()
        if time.monotonic() > self._used_at + KEPT_SECONDS:
            self.close()
        if not self._cursor:
            self._cursor = db_connect(BUS_DATABASE).cursor()
        for payload in payloads:
            self._cursor.execute(
                SQL(
                    "SELECT %s('imbus', %s)",
                    SQL.identifier(ODOO_NOTIFY_FUNCTION),
                    payload,
                )
            )
        self._cursor.commit()
        self._used_at = time.monotonic()


waker = _Waker()
atexit.register(waker.close)


class BusBus(models.Model):
    _inherit = "bus.bus"

    def _ensure_hooks(self):
        """Override of `bus`: where the context says so, those who listen are woken by
        the connection that stays open, once for all that the transaction has sent."""
        data = self.env.cr.postcommit.data
        if self.env.context.get("amazon_short_wake") and "bus.bus.channels" not in data:
            data["bus.bus.channels"] = OrderedSet()

            @self.env.cr.postcommit.add
            def wake():
                waker.wake(get_notify_payloads(list(data.pop("bus.bus.channels"))))

        return super()._ensure_hooks()
