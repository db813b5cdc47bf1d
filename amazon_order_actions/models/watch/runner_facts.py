"""What can be known of queue_job's runner from outside of it: how this Odoo is set up,
who holds the place of the runner, and whether Odoo answers where the runner calls it.

Nothing here decides anything; `runner.py` makes a finding of it. All of it is about
queue_job 19.0, `jobrunner/` (read there: nothing of it is documented). What it calls
its own parts is asked for when it is needed: another version may call them otherwise,
and only this check fails then.
"""

import os
import socket
from configparser import ConfigParser
from configparser import Error as ConfigError
from datetime import datetime, timezone
from typing import NamedTuple

import psutil
import requests

from odoo.tools import SQL, config

from odoo.addons.queue_job import jobrunner
from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

MODULE = "queue_job"
# Jobs at a time where the configuration does not say how many.
LEAST = 1
# What a job is called that does not exist: queue_job answers it with nothing.
NO_JOB = "amazon-watch"
# Odoo takes a job up in milliseconds; the runner itself waits for a second.
PROBE_SECONDS = 3


# === HOW THIS ODOO IS SET UP === #


def server_wide_modules():
    """Return the server-wide modules that this process was started with.

    :rtype: list[str]
    """
    return list(config["server_wide_modules"])


def config_file():
    """Return the path of the configuration file, or False where there is none."""
    return config["config"]


def is_loaded():
    """Whether this process was told to load queue_job with the server. Loaded later,
    with a database, it finds the server made already and starts no runner."""
    return MODULE in server_wide_modules()


def is_written():
    """Whether the configuration file says so by now.

    :rtype: bool
    """
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(config_file() or ())
        modules = parser.get("options", "server_wide_modules", fallback="")
    except (ConfigError, UnicodeDecodeError):
        return False
    return MODULE in [name.strip() for name in modules.split(",")]


def is_enabled():
    """Whether the capacity of the root channel lets a runner start at all."""
    return jobrunner._is_runner_enabled()


def channels():
    """Return the configuration of the channels, as queue_job reads it."""
    return jobrunner._channels()


class Channels:
    """The capacities of the channels, as they are configured."""

    def __init__(self, text):
        self._configured = {_full_name(each["name"]): each for each in _parse(text)}

    def paused(self, channel):
        """Return the first channel on the way from the root that is paused, or None.

        :param str channel: full name of a channel
        """
        for level in levels(channel):
            if self._configured.get(level, {}).get("paused"):
                return level
        return None

    def capacity(self, level):
        """Return how many jobs of a channel and of those below it run at a time, None
        where nothing limits it. Zero limits nothing but the start of the runner.

        :param str level: full name of a channel
        """
        default = {"capacity": LEAST} if level == "root" else {"capacity": None}
        return self._configured.get(level, default).get("capacity", LEAST) or None

    def with_room(self, channel, least):
        """Return the same configuration with room for a channel.

        :param str channel: its full name
        :param int least: jobs that must run at a time, there and in the root
        :rtype: str
        """
        configured = {name: dict(each) for name, each in self._configured.items()}
        for level in levels(channel):
            own = configured.setdefault(level, {"capacity": 0})
            own["capacity"] = max(least, own.get("capacity", LEAST))
            own.pop("paused", None)
        return ",".join(_written(name, each) for name, each in configured.items())


class Lines:
    """Lines of configuration that end a trouble, each where it takes effect: what the
    environment sets goes before the file."""

    def __init__(self):
        self.options = []
        self.queue_job = []
        self.environment = []

    def load(self):
        """Let the server load queue_job when it starts."""
        modules = dict.fromkeys([*server_wide_modules(), MODULE])
        self.options.append(f"server_wide_modules = {','.join(modules)}")

    def set(self, name, value):
        """Set an option of queue_job.

        :param str name: its name in the file
        """
        variable = f"ODOO_QUEUE_JOB_{name.upper()}"
        if variable in os.environ:
            self.environment.append(f"{variable}={value}")
        else:
            self.queue_job.append(f"{name} = {value}")

    def call_this_server(self):
        """Let the runner call this server itself."""
        host = config["http_interface"]
        if host in ("", "0.0.0.0", "::"):  # noqa: S104 - asked for, not listened at
            host = "localhost"
        self.set("scheme", "http")
        self.set("host", host)
        self.set("port", config["http_port"])

    def of_file(self):
        """Return what must stand in the file.

        :rtype: list[str]
        """
        lines = []
        if self.options:
            lines += ["[options]", *self.options, ""]
        if self.queue_job:
            lines += ["[queue_job]", *self.queue_job]
        return lines


def _parse(text):
    return jobrunner.channels.ChannelManager.parse_simple_config(text)


def _written(name, configured):
    """Return the configuration of a channel as it is written."""
    options = {k: v for k, v in configured.items() if k not in ("name", "capacity")}
    parts = [name, str(configured.get("capacity", LEAST))]
    parts += [k if v is True else f"{k}={v}" for k, v in options.items()]
    return ":".join(parts)


def _full_name(name):
    return name if name.split(".")[0] == "root" else f"root.{name}"


def levels(channel):
    """Return the channels on the way from the root to one, and itself.

    :param str channel: its full name
    :rtype: list[str]
    """
    names = channel.split(".")
    return [".".join(names[: count + 1]) for count in range(len(names))]


def _server_pid():
    """Return the process that was started as the server: of several workers, their
    parent."""
    return os.getppid() if config["workers"] else os.getpid()


def server_started_at():
    """Return when this server was started, by this host's clock.

    :rtype: datetime
    """
    try:
        started = psutil.Process(_server_pid()).create_time()
    except psutil.Error:
        started = psutil.Process().create_time()
    return datetime.fromtimestamp(started, timezone.utc).replace(tzinfo=None)


def host_name():
    """Return what this host is called."""
    return socket.gethostname()


# === WHO HOLDS THE PLACE OF THE RUNNER === #


class Holder(NamedTuple):
    """The connection that makes its process the only working runner of a database.

    :param process_id: its number on its host, None where it does not say so
    :param address: from where it is connected, None for PostgreSQL's own host
    :param since: when it connected
    :param heard_at: when it said something last; a runner does each minute
    :param is_on_this_host: whether it connects from where this process does
    """

    process_id: int | None
    address: str | None
    since: datetime | None
    heard_at: datetime | None
    is_on_this_host: bool

    def is_of_this_server(self):
        """Whether the runner belongs to the server that this process belongs to."""
        if not self.is_on_this_host or not self.process_id:
            return False
        server = _server_pid()
        return server in (self.process_id, _parent(self.process_id))

    def is_left_over(self):
        """Whether the server that it belonged to has ended without it: the others of
        its process group are its children, and the leader is gone."""
        if not self.is_on_this_host or not self.process_id:
            return False
        try:
            leader = os.getpgid(self.process_id)
        except OSError:
            return False
        return leader != self.process_id and not _lives(leader)

    def runs_here(self):
        """Whether a process of that number runs on this host."""
        return bool(
            self.is_on_this_host and self.process_id and _lives(self.process_id)
        )


def _lives(process_id):
    """Whether a process runs; one that is dead may still be waited for by another."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _parent(process_id):
    try:
        return psutil.Process(process_id).ppid()
    except psutil.Error:
        return None


def find_holder(env):
    """Return who holds the advisory lock of queue_job's runner on this database, None
    where nobody does.

    :rtype: Holder | None
    """
    rows = env.execute_query(
        SQL(
            """
            SELECT (regexp_match(holder.application_name, '^odoo-(\\d+)$'))[1]::int,
                   host(holder.client_addr),
                   holder.backend_start AT TIME ZONE 'UTC',
                   holder.state_change AT TIME ZONE 'UTC',
                   holder.client_addr IS NOT DISTINCT FROM own.client_addr
              FROM pg_locks held
              LEFT JOIN pg_stat_activity holder ON holder.pid = held.pid
              LEFT JOIN pg_stat_activity own ON own.pid = pg_backend_pid()
             WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
               AND held.database = (SELECT oid FROM pg_database
                                     WHERE datname = current_database())
               AND ((held.classid::bigint << 32) | held.objid::bigint) = %s
            """,
            PG_ADVISORY_LOCK_ID,
        )
    )
    return Holder(*rows[0]) if rows else None


def served_databases(env):
    """Return the other databases of this PostgreSQL on which a runner works.

    :rtype: list[str]
    """
    rows = env.execute_query(
        SQL(
            """
            SELECT DISTINCT pg_database.datname
              FROM pg_locks held JOIN pg_database ON pg_database.oid = held.database
             WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 1
               AND ((held.classid::bigint << 32) | held.objid::bigint) = %s
               AND pg_database.datname != current_database()
             ORDER BY 1
            """,
            PG_ADVISORY_LOCK_ID,
        )
    )
    return [name for (name,) in rows]


# === WHETHER ODOO ANSWERS WHERE THE RUNNER CALLS IT === #


class Probe(NamedTuple):
    """What came of calling Odoo as the runner does.

    :param str url: what it calls, without what is secret in it
    :param problem: what came instead of Odoo's answer: *refused*, *silent*, *insecure*,
        *invalid*, *stranger* or a status of HTTP; None where Odoo answered
    """

    url: str
    problem: str | int | None


def probe(database):
    """Ask Odoo for a job that does not exist, as the runner asks for one: at the same
    address, by the same library. Only the database's own Odoo answers it with nothing.

    :param str database: name of the database
    :rtype: Probe
    """
    runner = jobrunner.runner.QueueJobRunner.from_environ_or_config()
    url = f"{runner.scheme}://{runner.host}:{runner.port}"
    try:
        answer = requests.get(
            f"{url}/queue_job/runjob",
            params={"job_uuid": NO_JOB},
            headers={"X-Odoo-Database": database},
            auth=(runner.user, runner.password) if runner.user else None,
            timeout=PROBE_SECONDS,
        )
    except requests.Timeout:
        return Probe(url, "silent")
    except requests.exceptions.SSLError:
        return Probe(url, "insecure")
    except requests.ConnectionError:
        return Probe(url, "refused")
    except (requests.RequestException, ValueError):
        return Probe(url, "invalid")
    if answer.status_code != 200:
        return Probe(url, answer.status_code)
    return Probe(url, "stranger" if answer.text else None)
