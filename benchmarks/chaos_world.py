"""The world that chaos happens in: a cluster, a database, Odoo hosts, and Amazon.

Everything lies in ``.dev/chaos``, so that a restart of PostgreSQL hits nobody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from dev.console import Problem, clean_environment, step, uninterrupted
from dev.odoo_command import OdooCommand
from dev.ports import HOST, is_free
from dev.postgres import Cluster, find_programs
from dev.processes import Service
from dev.settings import Settings
from dev.stack import Workshop, answers, prepared
from spapi_simulator.process import SimulatorProcess

DATABASE = "amazon_helpdesk_chaos"

# Below the ports that the kernel gives to outgoing connections: a server that is
# started again must find its port free.
FIRST_PORT = 28200

#: What starts Odoo on a host.
LAUNCHER = Path(__file__).with_name("odoo_host.py")

#: queue_job's way to run no job runner.
NO_JOBS = {"ODOO_QUEUE_JOB_CHANNELS": "root:0"}

#: Simulated seconds. Amazon takes minutes for a feed.
PROCESSING_SECONDS = 120
FINANCE_DELAY_SECONDS = 120


@dataclass(frozen=True)
class ChaosSettings(Settings):
    """The settings, with a folder of its own for cluster, files and logs."""

    @classmethod
    def beside(cls, settings: Settings) -> ChaosSettings:
        """Return the same settings, with that folder and a port that stays."""
        values = {field.name: getattr(settings, field.name) for field in fields(cls)}
        return cls(**values | {"postgres_port": PORTS.take()})

    @property
    def dev(self) -> Path:
        return self.root / ".dev/chaos"


class Ports:
    """Gives out ports, each once."""

    def __init__(self, first: int):
        self._next = first

    def take(self) -> int:
        """Return the next port that nobody listens on."""
        port = self._next
        while not is_free(port):
            port += 1
        self._next = port + 1
        return port


PORTS = Ports(FIRST_PORT)


class Host:
    """A machine that runs Odoo, with a port of its own, and a job runner where it has
    worker processes.

    :param name: how it is called in the logs' names
    :param workers: processes for requests, 0 for a single process with threads
    :param database: the database that it serves
    :param options: further options of Odoo's command line
    :ivar variables: of its environment, for those who mean it harm
    """

    def __init__(
        self,
        name: str,
        workers: int,
        settings: Settings,
        odoo: OdooCommand,
        database: str = DATABASE,
        options: Sequence[str] = (),
    ):
        self.name = name
        self.workers = workers
        self.variables: dict[str, str] = {} if workers else dict(NO_JOBS)
        self._database = database
        self._options = options
        self.port = PORTS.take()
        self.url = f"http://{HOST}:{self.port}"
        self._gevent_port = PORTS.take()
        self._settings = settings
        self._odoo = odoo
        self._starts = 0
        self._service: Service | None = None

    def start(self) -> None:
        """Start it, and do not wait until it serves."""
        self.kill()  # what a host that ended by itself may have left
        self._starts += 1
        database = ("--database", self._database, *self._options)
        command = self._odoo(*database, "--http-port", str(self.port))
        command += ["--workers", str(self.workers), "--max-cron-threads", "1"]
        command += ["--gevent-port", str(self._gevent_port), "--log-level", "warn"]
        command += ["--log-handler", "odoo.service.server:INFO"]
        self._service = Service(
            f"Odoo on host {self.name}",
            [str(self._odoo.python), str(LAUNCHER), *command[3:]],
            log=self._settings.logs / f"odoo-{self.name}-{self._starts}.log",
            env=self._odoo.environment(**self.variables),
            cwd=self._settings.root,
        )

    def wait_until_ready(self) -> None:
        """Wait until it serves.

        :raise Problem: when it does not
        """
        self._service.wait_until(lambda: answers(f"{self.url}/web/health"), "it served")

    def alive(self) -> bool:
        """Say whether it runs; it may not serve yet."""
        return bool(self._service) and self._service.alive()

    def kill(self) -> None:
        """Let the machine die: every process at once."""
        if self._service:
            self._service.kill()

    def processes(self) -> dict[int, str]:
        """Return process id and kind of its workers that live: WorkerHTTP, WorkerCron,
        WorkerJobRunner. A host of one process has none."""
        if not self.alive():
            return {}
        found = {}
        for line in self._service.output().splitlines():
            if line.endswith(" alive ") and ": Worker " in line:
                kind, pid = line.split(": Worker ")[1].split()[:2]
                found[int(pid.strip("()"))] = kind
        return {
            pid: kind
            for pid, kind in found.items()
            if _parent(pid) == self._service.pid
        }


def _parent(pid: int) -> int | None:
    """Return the parent of a process that lives."""
    try:
        state, parent = (
            Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:2]
        )
    except OSError:
        return None
    return None if state == "Z" else int(parent)


class World:
    """A database that persons, hosts and Amazon meet in.

    :param clock_factor: seconds at Amazon for each real one
    """

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        odoo: OdooCommand,
        simulator: SimulatorProcess,
        clock_factor: float,
    ):
        self.cluster = cluster
        self.simulator = simulator
        self.clock_factor = clock_factor
        self.data_dir = settings.data_dir
        self.copied_data_dir = settings.dev / "copy-data"
        self.folder = settings.dev
        self._settings = settings
        self._odoo = odoo
        # two as in a bigger company, and one as in a small one
        self.hosts = [
            Host("a", 3, settings, odoo),
            Host("b", 3, settings, odoo),
            Host("c", 0, settings, odoo),
        ]

    def end_hosts(self) -> None:
        """Let every host end at once: what it has not committed never was."""
        for host in self.hosts:
            host.kill()

    def sql(self, statement: str, database: str = DATABASE) -> str:
        """Run a statement in the database, see ``Cluster.sql``."""
        return self.cluster.sql(statement, database)

    def rows(self, query: str, database: str = DATABASE) -> list[dict]:
        """Return what a query selects, as objects."""
        text = f"SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"
        return json.loads(self.sql(text, database))

    def shell(self, script: str) -> str:
        """Run Python in Odoo's shell on the database, see ``OdooCommand.shell``."""
        return self._odoo.shell(DATABASE, script)

    def dump(self, archive: Path) -> None:
        """Write the database, as of now, into a file."""
        _run("pg_dump", self.cluster, "-Fc", "-Z0", "-f", str(archive), DATABASE)

    def restore(self, archive: Path, database: str = DATABASE) -> None:
        """Make a database what a file says. Nobody may be connected to it but those who
        then lose their connection."""
        _fill(self.cluster, database, archive)

    def copied_host(self, database: str, name: str) -> Host:
        """Return a machine with a job runner on another database, with files of its
        own, that is not started yet.

        :param name: as in the names of the logs
        """
        options = ("--data-dir", str(self.copied_data_dir))
        return Host(name, 2, self._settings, self._odoo, database, options)

    def crash_connection(self) -> None:
        """Kill a server process of PostgreSQL: it then cuts every connection and
        recovers, without giving up its port."""
        pid = self.sql(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid != pg_backend_pid() LIMIT 1"
        )
        if pid:
            os.kill(int(pid), signal.SIGKILL)


@contextlib.contextmanager
def world(settings: Settings, clock_factor: float) -> Iterator[World]:
    """Yield a world on a fresh database with the addon and its demo data.

    The database stays afterwards, for looking into what happened.

    :raise Problem: when something cannot be provided or started
    """
    own = ChaosSettings.beside(settings)
    shutil.rmtree(own.logs, ignore_errors=True)
    own.logs.mkdir(parents=True)
    with prepared(settings, tests=True) as workshop, Cluster(own).running() as cluster:
        with step("Database: a copy in a cluster of its own"):
            _copy_database(workshop, own, cluster)
        odoo = OdooCommand(own, workshop.odoo.tree, workshop.venv)
        odoo.write_config(cluster)
        with SimulatorProcess(
            str(workshop.venv.python),
            clock_factor=clock_factor,
            processing_seconds=PROCESSING_SECONDS,
            finance_delay_seconds=FINANCE_DELAY_SECONDS,
            # An hour of ours: clients ask for a new one minutes before its end
            token_seconds=3600 * clock_factor,
        ) as simulator:
            made = World(own, cluster, odoo, simulator, clock_factor)
            try:
                yield made
            finally:
                with uninterrupted():
                    made.end_hosts()


def _copy_database(workshop: Workshop, own: Settings, cluster: Cluster) -> None:
    """Copy the template with its files into the cluster. Commits there survive a
    crash of PostgreSQL, as in a company's cluster (not one of the whole machine)."""
    template = workshop.databases.provide_templates()
    archive = own.dev / "template.dump"
    _run("pg_dump", workshop.cluster, "-Fc", "-Z0", "-f", str(archive), template)
    _fill(cluster, DATABASE, archive)
    archive.unlink()
    files = own.data_dir / "filestore" / DATABASE
    shutil.rmtree(files, ignore_errors=True)
    source = workshop.settings.data_dir / "filestore" / template
    if source.is_dir():
        shutil.copytree(source, files, copy_function=os.link)


def _fill(cluster: Cluster, database: str, archive: Path) -> None:
    cluster.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
    cluster.sql(f'CREATE DATABASE "{database}"')
    _run("pg_restore", cluster, "-j2", "--no-owner", "-d", database, str(archive))
    cluster.sql(f'ALTER DATABASE "{database}" SET synchronous_commit = on')


def _run(program: str, cluster: Cluster, *arguments: str) -> None:
    folder = find_programs()[0][1]
    result = subprocess.run(
        [str(folder / program), *arguments],
        env=clean_environment(**cluster.environment()),
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise Problem(f"{program} failed: {result.stderr.strip()}")
