"""``make chaos``: money orders asked for under kills, crashes and faults.

Persons ask for refunds and cancellations while Odoo's processes and hosts are killed,
PostgreSQL crashes and Amazon misbehaves. Then everything is healed, and what people
were told, Odoo's rows, its journal and Amazon's ledger are compared.
"""

from __future__ import annotations

import json
import os
import queue
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos_judge import FORBIDDEN, judge
from benchmarks.chaos_people import Person, Session, plan
from benchmarks.chaos_trouble import (
    KILL_EVERY,
    Event,
    Trouble,
    message_faults,
    schedule,
)
from benchmarks.chaos_world import DATABASE, World, world
from dev.console import Problem, say, step
from dev.settings import Settings
from spapi_simulator.generate import orders as generate_orders
from spapi_simulator.process import SimulatorFailed

PEOPLE = 8
CLOCK_FACTOR = 60
SECONDS_PER_ACTION = 0.3
#: At the latest so long after the healing all is judged; and when nothing has moved.
SETTLE_SECONDS = 900
QUIET_SECONDS = 240

#: What is still on its way, and how much has moved so far.
PROGRESS = """
    SELECT (SELECT count(*) FROM amazon_action
            WHERE state IN ('queued', 'sending', 'submitted')
            OR (state = 'unknown' AND needs_person IS NOT TRUE)),
        (SELECT count(*) FROM amazon_audit_entry)
"""

PREPARE = """
import time
from odoo import Command

agent = env.ref("amazon_helpdesk_actions.demo_user_agent")
for number in range({people}):
    name = f"person{{number}}"
    agent.copy({{"name": name, "login": name, "password": name,
                 "email": f"{{name}}@example.com"}})
tickets = env["helpdesk.ticket"].with_context(
    tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
).create([
    {{"name": f"Order {{ref}}", "description": "-", "amazon_order_ref": ref,
      "team_id": env.ref("amazon_helpdesk_actions.demo_team_amazon").id}}
    for ref in {refs!r}
])
# The orders are read here and now, not by jobs
env.cr.execute("DELETE FROM queue_job")
env.cr.commit()
end = time.monotonic() + 600
for number, order in enumerate(tickets.amazon_order_id):
    while order.read_state != "read" or order.finances_state != "read":
        assert time.monotonic() < end, order.read_message
        order._read_from_amazon()
        if order.read_state != "read" or order.finances_state != "read":
            env.cr.commit()
            time.sleep(0.1)
    if number % 50 == 0:
        env.cr.commit()
        env.invalidate_all()
env.cr.execute("DELETE FROM queue_job")
env.cr.commit()
"""


@dataclass(frozen=True)
class Options:
    """What ``make chaos`` is told.

    :param seed: what is decided by chance is decided by it
    :param actions: how many wishes that can be granted
    :param kills: how many processes or hosts are killed
    :param clock_factor: seconds at Amazon for each real one
    :param report: file for the JSON object
    """

    seed: int
    actions: int = 2000
    kills: int = 200
    clock_factor: float = CLOCK_FACTOR
    report: Path | None = None
    quiet_seconds: float = QUIET_SECONDS

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Options:
        """Read the variables.

        :raise Problem: when one of them is no number
        """
        report = environ.get("REPORT")
        return cls(
            seed=_number(environ, "SEED", secrets.randbelow(10**6)),
            actions=_number(environ, "ACTIONS", cls.actions),
            kills=_number(environ, "KILLS", cls.kills),
            report=Path(report) if report else None,
        )

    @property
    def seconds(self) -> float:
        """How long people ask and things go wrong."""
        return max(self.actions * SECONDS_PER_ACTION, self.kills * KILL_EVERY, 15)


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal():
        raise Problem(f"{name}={text} is no number: give one from 0.")
    return int(text)


def chaos(settings: Settings) -> int:
    """Run it; the last line printed is one JSON object.

    :return: 1 when something happened that may never happen
    :raise Problem: when something cannot be started
    """
    options = Options.from_environment()
    result = run(settings, options)
    text = json.dumps(result)
    if options.report:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(f"{text}\n")
    say(text)
    return int(any(result[name] for name in FORBIDDEN))


def run(settings: Settings, options: Options) -> dict:
    """Run it and return what came of it."""
    say(f"SEED={options.seed} ACTIONS={options.actions} KILLS={options.kills}")
    with world(settings, options.clock_factor) as made:
        return Run(made, options).run()


class Run:
    """One run of chaos in a world."""

    def __init__(self, made: World, options: Options):
        self._world = made
        self._options = options
        self._trouble = Trouble(made, self._chance("trouble"))
        self._shipped = generate_orders(options.actions, options.seed, "SHIPPED")
        self._unshipped = generate_orders(
            options.actions // 4, options.seed, "UNSHIPPED"
        )
        self._wishes = plan(
            self._chance("wishes"),
            options.actions,
            [order["id"] for order in self._shipped],
            [order["id"] for order in self._unshipped],
        )
        wanted = {wish.order for wish in self._wishes}
        self._orders = [
            order for order in self._shipped + self._unshipped if order["id"] in wanted
        ]

    def _chance(self, what: str) -> random.Random:
        """Return a source of chance of its own, so that one part that takes more of it
        changes nothing in the others."""
        return random.Random(f"{self._options.seed} {what}")

    def run(self) -> dict:
        """Prepare, let it happen, heal, wait, and judge."""
        started = time.monotonic()
        with step(
            f"Prepare: {len(self._orders)} orders with tickets, read from Amazon"
        ):
            tickets = self._prepare()
        with step(f"Start: {len(self._world.hosts)} Odoo hosts"):
            for host in self._world.hosts:
                host.start()
            for host in self._world.hosts:
                host.wait_until_ready()
        with step(f"Chaos: about {self._options.seconds:.0f} s"):
            self._let_it_happen(tickets)
        with step("Heal and settle"):
            self._trouble.heal()
            seconds = self._settle()
            # Nothing may move while it is compared
            self._world.end_hosts()
        result = judge(self._world, self._wishes, self._orders)
        return {
            **result,
            "seconds_to_settle": round(seconds, 1),
            "seconds": round(time.monotonic() - started),
            "seed": self._options.seed,
            "clock_factor": self._options.clock_factor,
            **self._trouble.counts(),
        }

    def _prepare(self) -> dict[str, int]:
        """Make persons, orders and tickets, and return the ticket of each order."""
        simulator = self._world.simulator
        simulator.add_orders(self._orders)
        self._world.sql(
            f"UPDATE amazon_seller_account SET simulator_url = '{simulator.url}'"
        )
        refs = [order["id"] for order in self._orders]
        self._world.shell(PREPARE.format(people=PEOPLE, refs=refs))
        faults = message_faults(self._chance("messages"), refs)
        self._trouble.fault_messages(faults)
        rows = self._world.sql(
            "SELECT amazon_order_ref, id FROM helpdesk_ticket "
            "WHERE amazon_order_ref IS NOT NULL"
        )
        pairs = (row.split("|") for row in rows.splitlines())
        return {ref: int(ticket) for ref, ticket in pairs}

    def _let_it_happen(self, tickets: dict[str, int]) -> None:
        seconds, begin = self._options.seconds, time.monotonic()
        wishes: queue.Queue = queue.Queue()
        pace = 0.9 * seconds / len(self._wishes)
        for number, wish in enumerate(self._wishes):
            # rivals ask at the same moment as those before them
            wishes.put((begin + (number - wish.rival) * pace, wish))
        ports = [host.port for host in self._world.hosts]
        people = []
        for number in range(PEOPLE):
            name = f"person{number}"
            session = Session(ports, DATABASE, name, f"{self._options.seed} {name}")
            people.append(Person(session, wishes, tickets, name))
        for person in people:
            person.start()
        chance = self._chance("schedule")
        options = self._options
        for event in schedule(chance, options.actions, options.kills, seconds):
            self._wait_until(begin + event.at)
            while not self._happen(event):
                self._wait_until(time.monotonic() + 1)
        while any(person.is_alive() for person in people):
            self._wait_until(time.monotonic() + 0.5)
        for person in people:
            if person.error:
                raise person.error

    def _happen(self, event: Event) -> bool:
        """Let an event happen; say so where it cannot happen at this moment."""
        try:
            return self._trouble.happen(event)
        except (Problem, OSError, SimulatorFailed) as error:
            say(f"    {event.what}: {error}")
            return False

    def _wait_until(self, moment: float) -> None:
        self._trouble.revive()
        while time.monotonic() < moment:
            time.sleep(0.05)
            self._trouble.revive()

    def _settle(self) -> float:
        """Wait until every action has come to an end, or nothing moves any more.

        :return: seconds until the last thing moved
        """
        begin = moved = time.monotonic()
        last = ""
        while time.monotonic() - begin < SETTLE_SECONDS:
            self._trouble.revive()
            now = self._world.sql(PROGRESS)
            if now != last:
                last, moved = now, time.monotonic()
            if now.startswith("0|"):
                break
            if time.monotonic() - moved > self._options.quiet_seconds:
                break
            time.sleep(1)
        return moved - begin
