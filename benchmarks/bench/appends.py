"""What the journal costs: appends, with one agent and with eight at once.

Each agent is an Odoo process with a connection of its own; each transaction appends
what a click appends, one entry, after it has read what a click has read by then.
Against it: a plain INSERT of the same values, without the names as they are then, the
digest and the chain. While agents append, a further process seals, once a second. Both
take turns in short rounds, so that a noisy machine hits both.

The limit: eight agents on few processors share these; what must not happen is that they
wait for each other, or for the sealer.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from . import measure
from .inside import Inside

AGENTS = 8
APPENDS = 500
ROUNDS = 4
#: Entries that the sealer and the check find, at least.
BACKLOG = 20_000
#: Seconds until a round begins at the same time everywhere.
HEAD_START = 0.5


def run(office) -> None:
    """Print appends a second, and how fast the sealer and the check are."""
    stack, inside, _simulator, tickets = office.shop(2)
    inside.do("ask_for_refunds", tickets=tickets)
    agents = [office.inside(stack.database) for _number in range(AGENTS)]
    count = measure.amount(APPENDS)
    for agent in agents:
        agent.do("append", count=20, way="journal", start_at=0)
        agent.do("append", count=20, way="plain", start_at=0)
    for name, some in (("one_agent", agents[:1]), ("eight_agents", agents)):
        with Sealer(inside):
            report(name, *measured(some, count))
    seal_and_check(stack, inside)


def measured(agents: list[Inside], count: int) -> tuple[list, list]:
    """Append in rounds; return the results of both ways, a list for each round."""
    results: dict[str, list] = {"journal": [], "plain": []}
    each = max(count // ROUNDS, 1)
    measure.interleaved(
        ROUNDS,
        *(
            lambda _number, way=way: results[way].append(at_once(agents, each, way))
            for way in results
        ),
    )
    return results["journal"], results["plain"]


def at_once(agents: list[Inside], count: int, way: str) -> list[dict]:
    """Let all agents append at the same time; return what each one says."""
    start_at = time.time() + HEAD_START
    with ThreadPoolExecutor(len(agents)) as pool:
        asked = [
            pool.submit(agent.do, "append", count=count, way=way, start_at=start_at)
            for agent in agents
        ]
        return [future.result() for future in asked]


def report(name: str, journal: list, plain: list) -> None:
    """Print how both ways compare."""
    rates = [
        sum(len(r["each"]) for rows in rounds for r in rows)
        / sum(max(r["seconds"] for r in rows) for rows in rounds)
        for rounds in (journal, plain)
    ]
    single = [
        measure.median([ms for rows in rounds for r in rows for ms in r["each"]])
        for rounds in (journal, plain)
    ]
    measure.report(
        f"appends.{name}",
        rates[0],
        "entries/s",
        baseline=rates[1],
        n=sum(len(r["each"]) for rows in journal for r in rows),
    )
    measure.report(
        f"appends.{name}.time",
        single[0],
        "ms",
        baseline=single[1],
        n=sum(len(r["each"]) for rows in journal for r in rows),
    )


class Sealer:
    """Seals once a second while others append. Use it as a context manager.

    :param inside: the process that seals
    """

    def __init__(self, inside: Inside):
        self._inside = inside
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Sealer:
        self._thread.start()
        return self

    def __exit__(self, *_exc_info) -> None:
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.wait(1):
            self._inside.do("seal")


def seal_and_check(stack, inside: Inside) -> None:
    """Print how fast a backlog is sealed, and a journal checked."""
    inside.do("seal")
    backlog = measure.amount(BACKLOG)
    inside.do("append_at_once", count=backlog)
    stack.sql("VACUUM ANALYZE")
    seconds = inside.do("seal")
    measure.report("appends.sealer", backlog / seconds, "entries/s", n=backlog)
    entries, seconds = inside.do("check_journal")
    measure.report("appends.check", entries / seconds, "entries/s", n=entries)
