"""``make chaos``: money orders asked for under kills, crashes and faults.

Persons ask for refunds and cancellations while Odoo's processes and hosts are killed,
PostgreSQL crashes and Amazon misbehaves. Then everything is healed, and what people
were told, Odoo's rows, its journal and Amazon's ledger are compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import chaos_calls, chaos_clock, chaos_faults
from benchmarks.chaos_foreign import Foreign
from benchmarks.chaos_judge import FORBIDDEN, judge
from benchmarks.chaos_lives import Copies, Lives, Restore
from benchmarks.chaos_people import Approver, Gate, Person, Session, moments, plan
from benchmarks.chaos_standing import Standing
from benchmarks.chaos_surprises import Surprises
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
from spapi_simulator.generate import fulfillment_orders as generate_fulfillment_orders
from spapi_simulator.generate import orders as generate_orders
from spapi_simulator.process import SimulatorFailed

PEOPLE = 8
#: Refunds of more than that need a second person; some of ten.
ALONE = 60
CLOCK_FACTOR = 60
SECONDS_PER_ACTION = 0.3
#: At the latest so long after the healing all is judged; and when nothing has moved.
SETTLE_SECONDS = 1800
QUIET_SECONDS = 240
#: A part of that after which the administrator tries again what was set aside.
TRIES_AGAIN = 4

#: What has lost its job moves again when the watch has found it, which looks every five
#: minutes for what has waited for ten.
WATCH_SECONDS = 960

#: What is still on its way, what is searched for, and how much has moved so far.
PROGRESS = """
    SELECT (SELECT count(*) FROM amazon_action
            WHERE state IN ('to_approve', 'queued', 'sending', 'submitted')),
        (SELECT count(*) FROM amazon_action
            WHERE state = 'unknown' AND needs_person IS NOT TRUE),
        (SELECT count(*) FROM amazon_audit_entry)
"""

#: What is unknown is still searched for, at growing intervals: not quiet yet.
SEARCHING = """
    SELECT EXISTS (SELECT FROM queue_job
        WHERE state IN ('pending', 'enqueued', 'started')
        AND method_name IN ('_job_reconcile', '_job_verify_lane'))
"""

PREPARE = """
import time
from odoo import Command

agent = env.ref("amazon_order_actions.demo_user_agent")
for number in range({people}):
    name = f"person{{number}}"
    agent.copy({{"name": name, "login": name, "password": name,
                 "email": f"{{name}}@example.com"}})
# So that some of what is asked for waits for a second person
env["amazon.authority"].create({{
    "right": "refund", "mode": "alone", "limit_action": {alone},
    "group_id": env.ref("amazon_order_actions.group_refund").id,
}})
team = env.ref("amazon_helpdesk_actions.demo_team_amazon")
tickets = env["helpdesk.ticket"].with_context(
    tracking_disable=True, mail_create_nosubscribe=True, mail_create_nolog=True
).create([
    {{"name": f"Order {{ref}}", "description": "-", field: ref, "team_id": team.id}}
    for field, refs in {refs!r}.items() for ref in refs
])
# The orders are read here and now, not by jobs
env.cr.execute("DELETE FROM queue_job")
env.cr.commit()
end = time.monotonic() + 600
for number, order in enumerate(tickets.amazon_order_id):
    # fulfillment orders have no finances
    wanted = "mcf" if order.channel == "mcf" else "read"
    while order.read_state != "read" or wanted not in ("mcf", order.finances_state):
        assert time.monotonic() < end, order.read_message
        order._read_from_amazon()
        if order.read_state != "read" or wanted not in ("mcf", order.finances_state):
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
    :param faults: kinds of trouble that can be left out, see ``chaos_faults``
    :param quiet_seconds: the end is when nothing has moved for so long; what is on its
        way gets the time of the watch
    :param waits_for_searches: ... and nothing is searched for at Amazon any more
    """

    seed: int
    actions: int = 2000
    kills: int = 200
    faults: tuple[str, ...] = chaos_faults.USUAL
    clock_factor: float = CLOCK_FACTOR
    report: Path | None = None
    quiet_seconds: float = QUIET_SECONDS
    waits_for_searches: bool = True

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Options:
        """Read the variables.

        :raise Problem: when one of them cannot be used
        """
        report = environ.get("REPORT")
        return cls(
            seed=_number(environ, "SEED", secrets.randbelow(10**6)),
            actions=_number(environ, "ACTIONS", cls.actions),
            kills=_number(environ, "KILLS", cls.kills),
            faults=chaos_faults.parse(environ.get("FAULTS")),
            report=Path(report) if report else None,
        )

    def __str__(self) -> str:
        """Return the variables with which the run can be repeated."""
        faults = ",".join(self.faults) or "none"
        return (
            f"SEED={self.seed} ACTIONS={self.actions} KILLS={self.kills} "
            f"FAULTS={faults}"
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
    say(str(options))
    library = chaos_clock.provide(settings) if "clock" in options.faults else None
    with world(settings, options.clock_factor) as made:
        return Run(made, options, library).run()


class Run:
    """One run of chaos in a world.

    :param library: libfaketime, None: clocks are right
    """

    def __init__(self, made: World, options: Options, library: Path | None):
        self._world = made
        self._options = options
        self._trouble = Trouble(made, self._chance("trouble"))
        self._shipped = generate_orders(options.actions, options.seed, "SHIPPED")
        shipments, changes = chaos_calls.count_of(options.actions)
        cancelled = options.actions // 4
        self._unshipped = generate_orders(
            cancelled + shipments, options.seed, "UNSHIPPED"
        )
        self._fulfillment = generate_fulfillment_orders(changes, options.seed)
        by_feed = plan(
            self._chance("wishes"),
            options.actions - shipments - changes,
            self._shipped,
            self._unshipped[:cancelled],
        )
        chance = self._chance("calls")
        by_call = chaos_calls.wishes(
            chance, self._unshipped[cancelled:], self._fulfillment
        )
        self._wishes = chaos_calls.mix(chance, by_feed, by_call)
        wanted = {wish.order for wish in self._wishes}
        self._orders = [
            order for order in self._shipped + self._unshipped if order["id"] in wanted
        ]
        self._variants = chaos_faults.variants(self._chance("variants"))
        self._gate = Gate()
        self._lives = Lives()
        self._standing = Standing(made)
        is_surprising = "reaction" in options.faults
        self._surprises = Surprises(made, options.seed, is_surprising)
        self._handlers = self._make_handlers(library)

    def _make_handlers(self, library: Path | None) -> dict:
        """Return who does what by the clock; others do nothing until they are told."""
        trouble, lives = self._trouble, self._lives
        handlers = {
            "foreign": Foreign(self._world, trouble.fault),
            "restore": Restore(
                self._world, lives, self._quiet, trouble.start_all, trouble.fault
            ),
            "copy": Copies(self._world, lives),
        }
        if library:
            chance = self._chance("clock")
            handlers["clock"] = chaos_clock.Clocks(self._world, chance, library)
        return handlers

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
            self._trouble.start_all()
        approver = Approver(self._session("approver"), self._gate)
        with approver.at_work():
            with step(f"Chaos: about {self._options.seconds:.0f} s"):
                self._let_it_happen(tickets)
            with step("Heal and settle"):
                self._heal()
                seconds = self._settle()
        # Nothing may move while it is compared
        self._world.end_hosts()
        result = judge(self._world, self._wishes, self._orders, self._lives)
        return {
            **result,
            "seconds_to_settle": round(seconds, 1),
            "seconds": round(time.monotonic() - started),
            "seed": self._options.seed,
            "options": str(self._options),
            "clock_factor": self._options.clock_factor,
            "variants": self._variants,
            "approved": approver.approved,
            **self._standing.counts(),
            **self._trouble.counts(),
            **self._counts_of_kinds(),
        }

    def _counts_of_kinds(self) -> dict:
        """Return for each kind of trouble that can be left out what was switched on."""
        counts = {name: one.counts() for name, one in self._handlers.items()}
        counts["reaction"] = self._surprises.counts()
        counts["item"] = {"errors": self._trouble.faults["item_error"]}
        on = {kind: counts[kind] for kind in self._options.faults if kind in counts}
        return dict.fromkeys(chaos_faults.KINDS) | on

    def _prepare(self) -> dict[str, int]:
        """Make persons, orders and tickets, and return the ticket of each order."""
        simulator = self._world.simulator
        simulator.change(**self._variants)
        simulator.add_orders(self._orders)
        simulator.add_fulfillment_orders(self._fulfillment)
        self._world.sql(
            f"UPDATE amazon_seller_account SET simulator_url = '{simulator.url}'"
        )
        refs = [order["id"] for order in self._orders]
        numbers = {
            "amazon_order_ref": refs,
            "amazon_fulfillment_ref": [order["id"] for order in self._fulfillment],
        }
        self._world.shell(PREPARE.format(people=PEOPLE, refs=numbers, alone=ALONE))
        by_feed = {w.order for w in self._wishes if w.kind not in chaos_calls.KINDS}
        self._trouble.fault_messages(
            self._faults_of_messages([ref for ref in refs if ref in by_feed])
        )
        rows = self._world.sql(
            "SELECT coalesce(amazon_order_ref, amazon_fulfillment_ref) AS ref, id "
            "FROM helpdesk_ticket "
            "WHERE coalesce(amazon_order_ref, amazon_fulfillment_ref) IS NOT NULL"
        )
        pairs = (row.split("|") for row in rows.splitlines())
        return {ref: int(ticket) for ref, ticket in pairs}

    def _faults_of_messages(self, refs: list[str]) -> list[dict]:
        of_items = []
        if "item" in self._options.faults:
            refunded = {w.order for w in self._wishes if w.kind == "refund"}
            chance = self._chance("items")
            of_items = chaos_faults.item_faults(chance, self._orders, refunded)
        named = {fault["order_id"] for fault in of_items}
        rest = [ref for ref in refs if ref not in named]
        return of_items + message_faults(self._chance("messages"), rest)

    def _session(self, name: str) -> Session:
        ports = [host.port for host in self._world.hosts]
        return Session(ports, DATABASE, name, f"{self._options.seed} {name}")

    def _let_it_happen(self, tickets: dict[str, int]) -> None:
        seconds, begin = self._options.seconds, time.monotonic()
        wishes: queue.Queue = queue.Queue()
        for at, wish in moments(self._chance("pace"), self._wishes, 0.9 * seconds):
            wishes.put((begin + at, wish))
        people = []
        for number in range(PEOPLE):
            name = f"person{number}"
            session = self._session(name)
            people.append(Person(session, wishes, tickets, name, self._gate))
        for person in people:
            person.start()
        for event in self._schedule(seconds):
            self._wait_until(begin + event.at)
            while not self._happen(event):
                self._wait_until(time.monotonic() + 1)
        while any(person.is_alive() for person in people):
            self._wait_until(time.monotonic() + 0.5)
        for person in people:
            if person.error:
                raise person.error

    def _schedule(self, seconds: float) -> list[Event]:
        options = self._options
        usual = schedule(
            self._chance("schedule"), options.actions, options.kills, seconds
        )
        usual = chaos_calls.meet(self._chance("faults of calls"), usual, seconds)
        kinds = [kind for kind in options.faults if kind in self._handlers]
        others = chaos_faults.schedule(self._chance("others"), kinds, seconds)
        return sorted(usual + others, key=lambda event: event.at)

    def _happen(self, event: Event) -> bool:
        """Let an event happen; say so where it cannot happen at this moment."""
        try:
            if event.what in self._handlers:
                return self._handlers[event.what].happen(**event.options)
            return self._trouble.happen(event.what, event.options)
        except (Problem, OSError, SimulatorFailed) as error:
            say(f"    {event.what}: {error}")
            return False

    def _wait_until(self, moment: float) -> None:
        self._tick()
        while time.monotonic() < moment:
            time.sleep(0.05)
            self._tick()

    def _tick(self) -> None:
        self._trouble.revive()
        for handler in self._handlers.values():
            handler.tick()

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Keep people from beginning a click, and wait for those who are in one."""
        self._gate.close()
        try:
            while self._gate.inside:
                self._wait_until(time.monotonic() + 0.2)
            yield
        finally:
            self._gate.open()

    def _heal(self) -> None:
        self._surprises.heal()
        self._trouble.heal()
        for handler in self._handlers.values():
            handler.heal()
        self._surprises.try_again()

    def _settle(self) -> float:
        """Wait until every action has come to an end, or nothing moves any more.

        :return: seconds until the last thing moved
        """
        quiet = self._options.quiet_seconds
        begin = moved = tried = time.monotonic()
        last = ""
        while time.monotonic() - begin < SETTLE_SECONDS:
            self._trouble.revive()
            self._standing.look()
            now = self._world.sql(PROGRESS)
            if now != last:
                last, moved = now, time.monotonic()
            on_the_way, searched_for, _moves = map(int, now.split("|"))
            if not on_the_way and not searched_for:
                break
            enough = WATCH_SECONDS if on_the_way else quiet
            if time.monotonic() - moved > enough and not self._is_searching():
                break
            if time.monotonic() - max(moved, tried) > quiet / TRIES_AGAIN:
                self._surprises.try_again()
                tried = time.monotonic()
            time.sleep(1)
        return moved - begin

    def _is_searching(self) -> bool:
        waits = self._options.waits_for_searches
        return waits and self._world.sql(SEARCHING) == "t"
