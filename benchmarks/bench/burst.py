"""2,000 refunds asked for by 20 agents in a minute.

Four Odoo workers, two jobs at a time, real quotas, Amazon's clock as fast as ours
(``CLOCK=n`` makes it faster). The dialogs are open beforehand; in the measured minute
each agent confirms one of them every 0.6 seconds, give or take, over the web client's
RPC. Counted by the simulator: calls of createFeed, and refunds that were executed.
Timed from the first click to the moment when the last action is known to be accepted.
Amazon takes PROCESSING seconds for each feed, as in the example of its own guide.

Compared with one feed for each refund, see baseline.py: its first SAMPLE refunds are
measured, the rest is extrapolated by the pace of those that came after the burst; the
time that its feeds are processed and their reports read is not even counted.

The limit: createFeed, 15 at once and one in two minutes; before that, Amazon shows a
range of orders two minutes late, so no order is known to be unchanged any sooner.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from itertools import pairwise

from spapi_simulator.generate import orders

from . import measure
from .baseline import CLOCK_FACTOR, seconds_for
from .office import log_in, prefork
from .rpc import Refusal

REFUNDS = 2_000
AGENTS = 20
MINUTE = 60
SAMPLE = 45
BURST = 15  # of createFeed

#: 83 seconds from creation to DONE (Amazon's Feeds guide, example of getFeed).
PROCESSING = 83
#: How long to wait for the last outcome.
PATIENCE = 30 * 60
#: States in which nothing more is waited for.
KNOWN = ("accepted", "confirmed", "rejected", "blocked", "withdrawn", "unknown")


def run(office) -> None:
    """Print calls of createFeed and the time until the last refund is accepted."""
    count = measure.amount(REFUNDS)
    factor = float(os.environ.get("CLOCK") or 1)
    stack, inside, simulator, tickets = office.shop(count, AGENTS)
    measure.note("opening the dialogs ...")
    dialogs = inside.do("open_dialogs", tickets=tickets, agents=AGENTS)
    odoo = stack.start_odoo(0, *prefork())
    agents = log_in(odoo.url, stack.database, AGENTS)
    simulator.reset(clock_factor=factor, processing_seconds=PROCESSING, quotas=True)
    inside.do("fill_quotas")
    measure.note(f"{AGENTS} agents ask for {count} refunds ...")
    clicks = click_all(agents, dialogs, MINUTE * count / REFUNDS)
    states = wait_until_known(stack)
    report(stack, simulator, clicks, states, count, factor)
    compare(office, stack, count, factor)


def click_all(agents, dialogs: list[int], seconds: float) -> list[dict]:
    """Let the agents confirm their dialogs within so many seconds, or as soon as the
    server lets them.

    :return: for each click when it was due, how long it took, and what was refused
    """
    clicks: list[dict] = []
    begin = time.monotonic() + 1

    def work(number: int) -> None:
        chance = random.Random(measure.SEED * 1000 + number)
        own = dialogs[number :: len(agents)]
        for position, dialog in enumerate(own):
            due = begin + seconds * (position + chance.random()) / len(own)
            time.sleep(max(due - time.monotonic(), 0))
            started = time.monotonic()
            refused = confirm(agents[number], dialog)
            ended = time.monotonic()
            clicks.append(
                {
                    "due": due - begin,
                    "started": started - begin,
                    "seconds": ended - started,
                    "refused": refused,
                }
            )

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(agents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return clicks


def confirm(agent, dialog: int) -> str:
    """Click the button of a dialog; return why it was refused."""
    try:
        agent.call("amazon.refund.request", "action_refund", [dialog])
    except Refusal as refusal:
        return str(refusal)
    return ""


def wait_until_known(stack, pause: float = 10) -> dict[str, int]:
    """Wait until every action has an outcome; return how many are in which state."""
    end = time.monotonic() + PATIENCE
    before: dict[str, int] = {}
    while True:
        states = count_states(stack)
        if not set(states) - set(KNOWN) or time.monotonic() > end:
            return states
        if states != before:
            measure.note(", ".join(f"{state} {n}" for state, n in states.items()))
            before = states
        time.sleep(pause)


def count_states(stack) -> dict[str, int]:
    """Return how many actions are in which state."""
    rows = stack.sql("SELECT state, count(*) FROM amazon_action GROUP BY 1 ORDER BY 1")
    return {state: int(n) for state, n in (row.split("|") for row in rows.splitlines())}


def timeline(stack) -> list[list[float]]:
    """Return for each action when it was asked for, sent and accepted, in seconds
    after the first was asked for."""
    rows = stack.sql(
        """
        SELECT extract(epoch FROM asked_at - min(asked_at) OVER ()),
               extract(epoch FROM submitted_at - min(asked_at) OVER ()),
               extract(epoch FROM accepted_at - min(asked_at) OVER ())
          FROM amazon_action ORDER BY id
        """
    )
    return [
        [float(value) if value else None for value in row.split("|")]
        for row in rows.splitlines()
    ]


def report(stack, simulator, clicks, states, count: int, factor: float) -> None:
    """Print what the burst cost, and keep its timeline."""
    ledger = simulator.ledger()
    asked = max(click["started"] + click["seconds"] for click in clicks)
    latency = [click["seconds"] * 1000 for click in clicks]
    # the ledger has a row for each item
    executed = Counter(
        (row["order_id"], row["order_item_id"]) for row in ledger["refunds"]
    )
    orders_done = len({order for order, _item in executed})
    twice = sum(times > 1 for times in executed.values())
    times = timeline(stack)
    measure.keep("burst", {"timeline": times, "clicks": clicks, "factor": factor})
    calls = ledger["calls"].get("createFeed", 0)
    common = {"n": count, "seed": measure.SEED, "clock_factor": factor}
    measure.report(
        "burst.create_feed_calls",
        calls,
        "calls",
        baseline=count,
        goal="at most 20",
        met=calls <= 20,
        calls=ledger["calls"],
        **common,
    )
    measure.report(
        "burst.executed",
        orders_done,
        "refunds",
        executed_twice=twice,
        refused_clicks=sum(bool(click["refused"]) for click in clicks),
        states=states,
        goal="each once",
        met=orders_done == count and not twice,
        **common,
    )
    measure.report("burst.asking", asked, "s", **common)
    for percent in (50, 95):
        value = measure.percentile(latency, percent)
        measure.report(f"burst.click_p{percent}", value, "ms", **common)


def compare(office, stack, count: int, factor: float) -> None:
    """Print the time until the last is accepted, against the bare library's."""
    seeds = orders(SAMPLE, measure.SEED + 1)
    simulator = office.simulator(seeds, clock_factor=CLOCK_FACTOR, processing_seconds=0)
    measure.note(f"{SAMPLE} refunds by the bare library ...")
    taken = seconds_for(simulator, seeds)
    measure.keep("burst-baseline", taken)
    pace = (taken[-1] - taken[BURST]) / (SAMPLE - 1 - BURST)
    bare = taken[-1] + max(count - SAMPLE, 0) * pace
    accepted = [row[2] for row in timeline(stack) if row[2] is not None]
    ours = max(accepted) * factor if len(accepted) == count else None
    measure.report(
        "burst.seconds_until_accepted",
        ours,
        "s",
        baseline=bare,
        ratio=ours and bare / ours,
        n=count,
        goal="500 times sooner",
        met=bool(ours) and bare >= 500 * ours,
        baseline_how=f"{SAMPLE} measured, the rest extrapolated by their pace",
        baseline_pace=measure.rounded(pace),
        baseline_longest_gap=max(after - before for before, after in pairwise(taken)),
        seed=measure.SEED,
        clock_factor=factor,
    )
