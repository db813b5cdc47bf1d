"""Odoo, its database and the simulator of Amazon as one thing that starts and stops.

Used by ``make demo``, ``make smoke`` and the system tests::

    with prepared(Settings.from_environment()) as workshop:
        with workshop.stack("my_database") as stack:
            simulator = stack.start_simulator()
            stack.connect_to(simulator)
            odoo = stack.start_odoo()
            ...
            odoo.kill()
"""

from __future__ import annotations

import contextlib
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dev.console import Problem, uninterrupted
from dev.databases import Databases
from dev.odoo_command import OdooCommand
from dev.odoo_tree import provide_odoo
from dev.ports import HOST, free_port
from dev.postgres import Cluster, provide_programs
from dev.processes import Service
from dev.settings import Settings
from dev.stamps import Stamps, exclusive
from dev.venv import Venv

#: What .dev takes, with some room for logs and databases.
NEEDED_GIGABYTES = 3


class Stack:
    """A database, and the servers started on it."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        databases: Databases,
        odoo: OdooCommand,
        database: str,
    ):
        self.database = database
        self.cluster = cluster
        self.settings = settings
        self._databases = databases
        self._odoo = odoo
        self._services: list[Service] = []

    def start_simulator(self, port: int = 0, *arguments: str) -> Service:
        """Start the simulator of Amazon and wait until it serves.

        :param port: 0 for a free one
        :param arguments: further arguments of ``python -m spapi_simulator``
        """
        command = [str(self._odoo.python), "-m", "spapi_simulator", "--host", HOST]
        command += ["--port", str(port), *arguments]
        service = self._start("the simulator of Amazon", "simulator", command)
        marker = "simulator ready on "
        service.wait_until(lambda: marker in service.output(), "it was ready")
        service.url = service.output().split(marker, 1)[1].split()[0]
        return service

    def start_odoo(
        self,
        port: int = 0,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        leads: bool = True,
    ) -> Service:
        """Start Odoo on the database; wait until it serves and its job runner works.

        :param port: 0 for a free one
        :param arguments: further options of Odoo's server
        :param env: further variables of its environment
        :param leads: whether its job runner is the one that works, so that it is waited
            for; of several Odoo processes on one database, one is
        """
        port = port or free_port()
        command = self._odoo("--database", self.database, "--http-port", str(port))
        service = self._start("Odoo", "odoo", [*command, *arguments], env)
        service.url = f"http://{HOST}:{port}"
        health = f"{service.url}/web/health"
        service.wait_until(lambda: answers(health), "it served")
        if leads and (env or {}).get("ODOO_QUEUE_JOB_CHANNELS") != "root:0":
            marker = "queue job runner ready for db"
            what = "its job runner worked"
            service.wait_until(lambda: marker in service.output(), what)
        return service

    def connect_to(self, simulator: Service) -> None:
        """Point the demo's seller accounts at a simulator."""
        self.sql(
            f"UPDATE amazon_seller_account SET simulator_url = '{simulator.url}' "
            "WHERE environment = 'simulator'"
        )

    def sql(self, statement: str) -> str:
        """Run a statement in the database, see ``Cluster.sql``."""
        return self.cluster.sql(statement, self.database)

    def shell(self, script: str) -> str:
        """Run Python in Odoo's shell on the database, see ``OdooCommand.shell``."""
        return self._odoo.shell(self.database, script)

    def dead(self) -> Service | None:
        """Return a server that ended without being asked to, if there is one."""
        return next((s for s in self._services if not s.alive()), None)

    def stop(self) -> None:
        """Stop what was started, the last first."""
        with uninterrupted():
            while self._services:
                self._services[-1].stop()
                self._services.pop()

    def _start(
        self,
        name: str,
        log: str,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
    ) -> Service:
        number = sum(service.log.name.startswith(log) for service in self._services)
        file = f"{log}{number + 1 if number else ''}.log"
        service = Service(
            name,
            command,
            log=self.settings.logs / self.database / file,
            env=self._odoo.environment(**(env or {})),
            cwd=self.settings.root,
        )
        self._services.append(service)
        return service


def answers(url: str) -> bool:
    """Say whether a server gives a good answer to a GET."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=10) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Workshop:
    """The set-up, with the cluster running."""

    settings: Settings
    cluster: Cluster
    databases: Databases
    odoo: OdooCommand
    venv: Venv

    @contextlib.contextmanager
    def stack(
        self, database: str, template: str = "", *, keep: bool = False
    ) -> Iterator[Stack]:
        """Yield a stack on a fresh database with the addon and its demo data.

        The database stays afterwards, for looking into what happened.

        :param template: copy this database instead
        :param keep: use the database as it was left, where it is there
        """
        if not (keep and self.databases.exists(database)):
            template = template or self.databases.provide_templates()
            self.databases.copy(template, database)
        stack = Stack(self.settings, self.cluster, self.databases, self.odoo, database)
        try:
            yield stack
        finally:
            stack.stop()


def check_disk(settings: Settings) -> None:
    """Refuse to begin a set-up that would fill the disk.

    :raise Problem: when there is not enough space for what is not there yet
    """
    free = shutil.disk_usage(settings.root).free / 10**9
    if not settings.dev.exists() and free < NEEDED_GIGABYTES:
        raise Problem(
            f"only {free:.1f} GB are free in {settings.root}, the set-up takes "
            f"{NEEDED_GIGABYTES} GB: free some space."
        )


def set_up(settings: Settings, *, tests: bool) -> tuple[OdooCommand, Venv]:
    """Provide PostgreSQL, Odoo and the Python packages.

    :param tests: also what tests, lint and smoke need
    :raise Problem: when something is missing that cannot be provided
    """
    check_disk(settings)
    settings.dev.mkdir(exist_ok=True)
    stamps = Stamps(settings.dev / "stamps")
    with exclusive(settings.dev / "setup.lock", "the set-up that another command does"):
        provide_programs(settings)
        tree = provide_odoo(settings, stamps)
        venv = Venv(settings, stamps)
        venv.provide(tree, tests=tests)
    return OdooCommand(settings, tree, venv), venv


@contextlib.contextmanager
def prepared(settings: Settings, *, tests: bool = False) -> Iterator[Workshop]:
    """Do the set-up where it is not done, and keep the cluster up meanwhile.

    :param tests: also provide what tests, lint and smoke need
    :raise Problem: when something is missing that cannot be provided
    """
    odoo, venv = set_up(settings, tests=tests)
    with Cluster(settings).running() as cluster:
        odoo.write_config(cluster)
        yield Workshop(
            settings, cluster, Databases(settings, cluster, odoo), odoo, venv
        )
