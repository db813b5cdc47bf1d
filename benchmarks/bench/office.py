"""What a benchmark works with: databases, Odoo, a simulator of Amazon, agents."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import yaml

from dev.ports import free_port
from dev.stack import Stack, Workshop
from spapi_simulator.__main__ import DEMO_ORDERS
from spapi_simulator.generate import orders
from spapi_simulator.process import SimulatorProcess

from . import measure
from .inside import Inside
from .rpc import Agent

#: The login of the only agent, where one is enough.
AGENT = "bench_agent_0"

#: Processes that serve people and jobs, beside that of the job runner: two jobs may run
#: at a time, so two are left for people. Odoo's limits are its defaults.
WORKERS = 4

#: For ``start_odoo``: no job starts by itself.
NO_JOBS = {"ODOO_QUEUE_JOB_CHANNELS": "root:0"}


class Office:
    """Starts what a benchmark asks for and stops it all at the end.

    :param workshop: the set-up
    :param name: of the benchmark; its databases are named after it
    """

    def __init__(self, workshop: Workshop, name: str):
        self.workshop = workshop
        self.name = name
        self._stop = contextlib.ExitStack()

    def __enter__(self) -> Office:
        return self

    def __exit__(self, *exc_info) -> None:
        self._stop.__exit__(*exc_info)

    def stack(self, suffix: str = "") -> Stack:
        """Return a fresh database with the addon, without the demo's own jobs."""
        name = f"amazon_helpdesk_bench_{self.name}{suffix}"
        self._stop.callback(self.workshop.databases.drop, name)
        stack = self._stop.enter_context(self.workshop.stack(name))
        stack.sql("DELETE FROM queue_job")
        return stack

    def inside(self, database: str) -> Inside:
        """Return an Odoo process that does tasks on a database."""
        return self._stop.enter_context(Inside(self.workshop, database))

    def simulator(self, seeds: list[dict], **options) -> SimulatorProcess:
        """Return a simulator of Amazon that has these orders, also after a reset."""
        demo = yaml.safe_load(Path(DEMO_ORDERS).read_text(encoding="utf-8"))
        file = measure.artifacts() / f"{self.name}-orders.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {"authorisations": demo["authorisations"], "orders": seeds}
        file.write_text(json.dumps(content))
        process = SimulatorProcess(orders=file, **options)
        return self._stop.enter_context(process)

    def shop(
        self, count: int, agents: int = 1, suffix: str = "", **of_orders
    ) -> tuple[Stack, Inside, SimulatorProcess, list[int]]:
        """Return a database with agents, and with tickets about orders that were read.

        :param count: of orders, each with a ticket
        :param of_orders: further arguments of `spapi_simulator.generate.orders`
        :return: database, process inside of it, simulator without quotas, ids of the
            tickets
        """
        measure.note(f"{count} orders, tickets, {agents} agents ...")
        seeds = orders(count, measure.SEED, **of_orders)
        simulator = self.simulator(seeds, no_quotas=True, processing_seconds=0)
        stack = self.stack(suffix)
        stack.connect_to(simulator)
        inside = self.inside(stack.database)
        inside.do("hire", count=agents)
        tickets = inside.do("open_tickets", refs=[seed["id"] for seed in seeds])
        stack.sql("DELETE FROM queue_job")
        stack.sql("VACUUM ANALYZE")
        return stack, inside, simulator, tickets


def log_in(url: str, database: str, count: int = 1) -> list[Agent]:
    """Return agents that were hired by the task of that name, logged in."""
    return [Agent(url, database, f"bench_agent_{n}") for n in range(count)]


def prefork() -> tuple[str, ...]:
    """Return Odoo's options for several processes, as in production."""
    return ("--workers", str(WORKERS), "--gevent-port", str(free_port()))
