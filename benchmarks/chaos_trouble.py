"""What goes wrong, and when: decided by the seed beforehand, done by the clock."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos_world import Host, World
from dev.console import Problem

#: Real seconds between two kills, on average; a host takes some to come back.
KILL_EVERY = 3.3
FAULT_EVERY = 2.5
KILLS_PER_POSTGRES_CRASH = 40
#: A run of at least so many seconds meets every kind of trouble at least so often.
LONG_SECONDS = 60
AT_LEAST = 2
# After which a service manager starts again what ended by itself.
RESTART_SECONDS = 1

#: Share of the kills: processes of a host, and a host as a whole. Most workers are hit
#: while they dispatch; the others wherever they are.
TARGETS = {
    "dispatching": 40,
    "WorkerHTTP": 35,
    "WorkerJobRunner": 8,
    "WorkerCron": 7,
    "host": 10,
}
POSTGRES_CRASHES = ("fast", "immediate", "backend")

SENDING = ("createFeedDocument", "uploadDocument", "createFeed")
READING = (
    "token",
    "getFeed",
    "getFeeds",
    "getFeedDocument",
    "downloadDocument",
    "getOrder",
    "searchOrders",
    "listFinancialEventsByOrderId",
    "listTransactions",
)

# Faults of requests: kind, weight, and how long it holds the connection (seconds)
REQUEST_FAULTS = (
    ("throttle", 3, None),
    ("html_503", 3, None),
    ("slow", 4, (0.5, 4.0)),
    ("cut_before", 2, None),
    ("cut_after", 3, None),
    ("timeout_before", 2, (2.0, 8.0)),
    ("timeout_after", 3, (2.0, 8.0)),
)
# Faults of a whole feed: kind, weight, options. Seconds are Amazon's.
FEED_FAULTS = (
    ("cancelled", 2, {}),
    ("report_gone", 2, {}),
    ("report_bad_xml", 1, {}),
    ("report_late", 2, {"seconds": 1200}),
    ("slow_processing", 2, {"seconds": 1200}),
    ("getfeeds_lag", 3, {"seconds": 1800}),
)
# After these nobody but a person in Seller Central can tell of a refund whether it was
# executed, so they are as rare as at Amazon: each once in so many actions, but as often
# as every other kind. `stuck` with nothing executed is left out for the same reason.
ACTIONS_PER_FATAL = 2000
FATAL_FAULTS = ({"kind": "fatal"}, {"kind": "fatal_partial", "executed": 2})
# Percent of the orders about whose message Amazon's report says no; says nothing,
# though it was executed; says nothing, and it was not. Each for two orders at least.
MESSAGE_FAULTS = {
    ("report_error", False): 1.5,
    ("report_missing", True): 0.8,
    ("report_missing", False): 0.2,
}


@dataclass(frozen=True)
class Event:
    """Something that goes wrong, some seconds after the start."""

    at: float
    what: str
    options: dict = field(default_factory=dict)


class Pace:
    """Keeps what is done by the clock from being done too often.

    :param seconds: between two times
    """

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._next = 0.0

    def is_due(self) -> bool:
        """Say whether it is time again."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def schedule(
    chance: random.Random, actions: int, kills: int, seconds: float
) -> list[Event]:
    """Decide what goes wrong within so many seconds.

    :param actions: how much is asked for meanwhile
    :param kills: how many processes or hosts are killed
    """
    events = []
    least = AT_LEAST if seconds >= LONG_SECONDS else 0
    for target in _targets(chance, kills, least):
        options = {"target": target, "delay": chance.uniform(0, 1.5)}
        options["down"] = chance.uniform(0, 6)
        options["during"] = chance.choice(SENDING)
        events.append(Event(chance.uniform(0, seconds), "kill", options))
    crashes = max(kills // KILLS_PER_POSTGRES_CRASH, 1, least * len(POSTGRES_CRASHES))
    for number in range(crashes):
        mode = POSTGRES_CRASHES[number % len(POSTGRES_CRASHES)]
        at = chance.uniform(0.1, 0.9) * seconds
        events.append(Event(at, "postgres", {"mode": mode}))
    for fault in FATAL_FAULTS * max(round(actions / ACTIONS_PER_FATAL), least):
        events.append(Event(chance.uniform(0, seconds), "fault", fault))
    for fault in _faults(chance, int(seconds / FAULT_EVERY), least):
        events.append(Event(chance.uniform(0, seconds), "fault", fault))
    for _number in range(int(seconds / FAULT_EVERY / 8)):
        events.append(Event(chance.uniform(0, seconds), "faults off"))
    return sorted(events, key=lambda event: event.at)


def _targets(chance: random.Random, kills: int, least: int) -> list[str]:
    """Return what is killed: each target so often at least, as far as kills reach."""
    sure = (list(TARGETS) * least)[:kills]
    weights = list(TARGETS.values())
    return sure + chance.choices(list(TARGETS), weights, k=kills - len(sure))


def _faults(chance: random.Random, count: int, least: int) -> list[dict]:
    """Return the faults that are switched on: each kind so often at least."""
    faults = [
        make(chance, row)
        for make, rows in ((_request_fault, REQUEST_FAULTS), (_feed_fault, FEED_FAULTS))
        for row in rows * least
    ]
    while len(faults) < count:
        if chance.random() < 0.2:
            faults.append(_feed_fault(chance, _weighted(chance, FEED_FAULTS)))
        else:
            faults.append(_request_fault(chance, _weighted(chance, REQUEST_FAULTS)))
    return faults


def message_faults(chance: random.Random, orders: list[str]) -> list[dict]:
    """Decide about which orders Amazon's report says no, or says nothing."""
    left = chance.sample(orders, len(orders))
    faults = []
    for (kind, executed), percent in MESSAGE_FAULTS.items():
        count = max(round(len(orders) * percent / 100), AT_LEAST)
        # what the report denies was not done: Amazon does not lie here
        faults += [
            {"kind": kind, "order_id": left.pop(), "executed": executed}
            for _number in range(min(count, len(left)))
        ]
    return faults


def _feed_fault(_chance: random.Random, row: tuple) -> dict:
    kind, _weight, options = row
    return {"kind": kind, **options}


def _request_fault(chance: random.Random, row: tuple) -> dict:
    kind, _weight, hold = row
    operations = SENDING if chance.random() < 0.5 else READING
    fault = {
        "kind": kind,
        "operation": chance.choice(operations),
        "times": chance.randint(1, 4),
    }
    if hold:
        fault["seconds"] = round(chance.uniform(*hold), 2)
    return fault


def _weighted(chance: random.Random, rows: tuple) -> tuple:
    return chance.choices(rows, [row[1] for row in rows])[0]


class Trouble:
    """Makes the events happen.

    :param chance: for what depends on the moment, such as which worker is hit
    """

    def __init__(self, world: World, chance: random.Random):
        self.kills: Counter = Counter()
        self.crashes: Counter = Counter()
        self.faults: Counter = Counter()
        self._world = world
        self._chance = chance
        self._due_back: list[tuple[float, Host]] = []
        self._of_messages: list[dict] = []

    def counts(self) -> dict:
        """Return what has gone wrong so far."""
        return {
            "kills": self.kills.total(),
            "kills_by_target": self.kills,
            "crashes": self.crashes,
            "faults_switched_on": self.faults,
        }

    def happen(self, what: str, options: dict) -> bool:
        """Let something happen now.

        :return: whether it could: there may be nothing to kill at this moment
        """
        if what == "kill":
            return self._kill(**options)
        if what == "postgres":
            self._crash_postgres(**options)
        elif what == "fault":
            self.fault(options)
        else:
            self._end_faults()
        return True

    def _end_faults(self) -> None:
        """Switch all faults off but those of messages, which are what Amazon says."""
        self._world.simulator.clear_faults()
        for options in self._of_messages:
            self._world.simulator.fault(**options)

    def fault_messages(self, faults: list[dict]) -> None:
        """Switch faults of single messages on, which stay to the end."""
        self._of_messages = faults
        for options in faults:
            self.fault(options)

    def fault(self, options: dict) -> None:
        """Switch a fault on."""
        self._world.simulator.fault(**options)
        self.faults[options["kind"]] += 1

    def revive(self) -> None:
        """Start the hosts again whose time has come, and as a service manager does,
        those that ended by themselves: Odoo does so where it starts without database.
        """
        now = time.monotonic()
        down = [host for _moment, host in self._due_back]
        for host in self._world.hosts:
            if host not in down and not host.alive():
                self.crashes["odoo by itself"] += 1
                self._due_back.append((now + RESTART_SECONDS, host))
        for due in [due for due in self._due_back if due[0] <= now]:
            self._due_back.remove(due)
            due[1].start()

    def heal(self) -> None:
        """End all trouble: no faults, every host is up again."""
        self._end_faults()
        self.start_all()

    def start_all(self) -> None:
        """Start every host that is down, and wait until all of them serve.

        :raise Problem: when one of them does not
        """
        self._due_back.clear()
        for host in self._world.hosts:
            if not host.alive():
                host.start()
        for host in self._world.hosts:
            host.wait_until_ready()

    # === KILLS === #

    def _kill(self, target: str, delay: float, down: float, during: str) -> bool:
        if target == "host":
            return self._kill_host(down)
        if target == "dispatching":
            # Amazon takes its time, so that the next dispatch is met in the middle
            self.fault({"kind": "slow", "operation": during, "seconds": 1.5})
            pid = self._dispatching()
            if pid and self._kill_process(pid, target, delay):
                return True
            target = "WorkerHTTP"
        return any(self._kill_process(pid, target) for pid in self._pids(target))

    def _kill_process(self, pid: int, target: str, delay: float = 0) -> bool:
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills[target] += 1
            return True
        return False

    def _kill_host(self, down: float) -> bool:
        hosts = [host for host in self._world.hosts if host.alive()]
        if not hosts:
            return False
        host = self._chance.choice(hosts)
        host.kill()
        self.kills["host"] += 1
        self._due_back.append((time.monotonic() + down, host))
        return True

    def _pids(self, kind: str) -> list[int]:
        """Return the processes of a kind, on all hosts, in any order."""
        pids = [
            pid
            for host in self._world.hosts
            for pid, found in host.processes().items()
            if found == kind
        ]
        return self._chance.sample(pids, len(pids))

    def _dispatching(self) -> int | None:
        """Return the worker that holds a lane at this moment, if there is one. A host
        of one process is not killed so."""
        workers = self._pids("WorkerHTTP")
        end = time.monotonic() + 2
        while time.monotonic() < end:
            with contextlib.suppress(Problem, OSError):
                rows = self._world.sql(
                    "SELECT DISTINCT client_port FROM pg_locks "
                    "JOIN pg_stat_activity USING (pid) "
                    "WHERE locktype = 'advisory' AND granted"
                )
                for port in map(int, rows.split()):
                    pid = owner_of_port(port, workers)
                    if pid:
                        return pid
            time.sleep(0.05)
        return None

    # === POSTGRESQL === #

    def _crash_postgres(self, mode: str) -> None:
        if mode == "fast":
            self._world.cluster.restart(signal.SIGINT)
        elif mode == "immediate":
            self._world.cluster.restart(signal.SIGQUIT)
        else:
            self._world.crash_connection()
        self.crashes[f"postgres {mode}"] += 1


def owner_of_port(port: int, pids: list[int]) -> int | None:
    """Return which of the processes has the connection that leaves from a port.

    Odoo's workers share the name that they give to PostgreSQL.
    """
    sockets = {
        f"socket:[{line.split()[9]}]"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if int(line.split()[1].split(":")[1], 16) == port
    }
    for pid in pids:
        with contextlib.suppress(OSError):
            files = Path(f"/proc/{pid}/fd").iterdir()
            if any(os.readlink(file) in sockets for file in files):
                return pid
    return None
