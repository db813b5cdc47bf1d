"""Has the job runner looked at shortly after somebody asked for something.

Odoo's scheduled actions cannot do that alone: their workers look at the clock once a
minute, and do what else is due first. Whoever has asked would learn too late that
nothing leaves. So the process that took the click looks itself, in a thread. It costs
the click no query; where the process ends meanwhile, the scheduled action finds it at
its next turn.
"""

import threading
import time

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

from ..base.private_log import private_logger
from .runner import DUE_FOR

_logger = private_logger(__name__)

# Seconds after the moment at which a job should start: one more than what it may take.
LOOK_AFTER = DUE_FOR.total_seconds() + 1
# Seconds between looks as long as something waits; the scheduled action runs so often,
# that a few are enough.
AGAIN_AFTER, LOOKS = 10, 3
# A job that is due later than that concerns no click.
SOON = 120

# Where queue_job has its jobs run.
RUNJOB = "/queue_job/runjob"

_lock = threading.Lock()
# By database: until when (monotonic clock) somebody will have to look.
_until = {}


def look_later(database, seconds):
    """Look at the job runner after some seconds, in a thread of its own; one for each
    database is enough.

    :param str database: its name
    :param float seconds: from now
    """
    moment = time.monotonic() + seconds
    with _lock:
        is_looked_after = database in _until
        _until[database] = max(_until.get(database, 0), moment)
    if not is_looked_after:
        thread = threading.Thread(
            target=_look_after, args=(database, seconds), name="amazon.look_soon"
        )
        thread.daemon = True
        thread.dbname = database
        thread.start()


def _look_after(database, seconds):
    """Look once the seconds are over, and again for whatever was asked meanwhile."""
    looks = 0
    while seconds is not None:
        time.sleep(seconds)
        looks = looks + 1 if _look(database) else 0
        seconds = _seconds_left(database, 0 < looks < LOOKS)


def _seconds_left(database, is_waiting):
    """Return the seconds until the next look; forget the database where none is due."""
    with _lock:
        left = _until[database] - time.monotonic()
        if left <= 0:
            left = AGAIN_AFTER if is_waiting else None
        if left is None:
            del _until[database]
        return left


def _look(database):
    """Look at the job runner now.

    :return: whether jobs wait
    :rtype: bool
    """
    try:
        with Registry(database).cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env["amazon.watch"]._cron_watch_runner()
    except Exception:
        # The scheduled action looks each minute anyway.
        _logger.warning("The job runner could not be looked at", exc_info=True)
        return False
