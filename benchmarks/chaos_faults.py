"""The kinds of trouble that can be left out, and when each of them happens."""

from __future__ import annotations

import random
from collections.abc import Collection

from benchmarks.chaos_trouble import AT_LEAST, LONG_SECONDS, Event
from dev.console import Problem

#: In the order in which the report counts them.
KINDS = ("foreign", "restore", "copy", "clock", "reaction", "item")
#: A copy of the database is a second payer. That the two pay twice for what waited at
#: that moment is known, so it is judged by itself.
USUAL = tuple(kind for kind in KINDS if kind != "copy")

#: Real seconds between two of them, on average.
FOREIGN_EVERY = 15
CLOCK_EVERY = 40
#: How a foreign feed ends, in turn, and what happens to the answer to ours.
FOREIGN_OUTCOMES = ("error", "done", "cancelled")
CUTS = ("cut_after", "timeout_after")
#: Seconds by which a host's clock is wrong, either way, and for how long it is.
WRONG_BY, WRONG_FOR = (120, 3600), (4, 15)
#: Parts of the time: from when the dump is wanted, and when it is put back.
DUMP_AT, RESTORE_AT = (0.2, 0.3), (0.6, 0.7)
COPY_AT, COPY_FOR = (0.2, 0.6), 30
#: Percent of the refunded orders of several items about one of which Amazon's report
#: says no; two orders at least.
ITEM_PERCENT = 3
#: The simulator's switches, each with what is drawn. What is nobody's knowledge of
#: Amazon must hold either way.
VARIANTS = {
    "lists_foreign_feeds": (True, True, False),
    "adjustment_ids_differ": (False, True),
    "posted_date_moves_seconds": (0, 0, 90, 1800),
    "cut_units_keep_proceeds": (False, True),
    "unshipped_refunds_wait": (False, True),
}


def parse(text: str | None) -> tuple[str, ...]:
    """Return the kinds that a variable names, the usual ones where it is not given;
    ``none`` for none.

    :raise Problem: when it names something else
    """
    if not text:
        return USUAL
    wanted = set(text.split(",")) - {"none", ""}
    wrong = sorted(wanted - set(KINDS))
    if wrong:
        raise Problem(f"FAULTS: {', '.join(wrong)} is none of {', '.join(KINDS)}.")
    return tuple(kind for kind in KINDS if kind in wanted)


def variants(chance: random.Random) -> dict:
    """Decide how Amazon behaves where nobody knows."""
    return {name: chance.choice(values) for name, values in VARIANTS.items()}


def schedule(
    chance: random.Random, kinds: Collection[str], seconds: float
) -> list[Event]:
    """Decide when what of these kinds happens.

    Each kind draws from a source of its own, so that leaving one out changes nothing in
    the others.
    """
    seed = chance.random()
    events = []
    for kind, make in _MAKERS.items():
        own = random.Random(f"{seed} {kind}")
        if kind in kinds:
            events += make(own, seconds)
    return sorted(events, key=lambda event: event.at)


def _foreign(chance: random.Random, seconds: float) -> list[Event]:
    least = AT_LEAST * len(FOREIGN_OUTCOMES) if seconds >= LONG_SECONDS else AT_LEAST
    count = max(int(seconds / FOREIGN_EVERY), least)
    return [
        Event(
            chance.uniform(0.1, 0.85) * seconds,
            "foreign",
            {
                "outcome": FOREIGN_OUTCOMES[number % len(FOREIGN_OUTCOMES)],
                # most of them beside a feed of ours whose answer is lost
                "cut": chance.choice((*CUTS, *CUTS, *CUTS, None)),
                "lag": chance.choice((0, 600, 1800)),
            },
        )
        for number in range(count)
    ]


def _clock(chance: random.Random, seconds: float) -> list[Event]:
    events = []
    for number in range(max(int(seconds / CLOCK_EVERY), AT_LEAST)):
        at = chance.uniform(0, 0.9) * seconds
        ahead = round(chance.uniform(*WRONG_BY)) * (-1) ** number
        options = {"ahead": ahead, "seconds": chance.uniform(*WRONG_FOR)}
        events.append(Event(at, "clock", options))
    return events


def _restore(chance: random.Random, seconds: float) -> list[Event]:
    return [
        Event(chance.uniform(*DUMP_AT) * seconds, "restore", {"step": "dump"}),
        Event(chance.uniform(*RESTORE_AT) * seconds, "restore", {"step": "put back"}),
    ]


def _copy(chance: random.Random, seconds: float) -> list[Event]:
    return [
        Event(
            chance.uniform(*COPY_AT) * seconds,
            "copy",
            {"with_files": with_files, "seconds": min(COPY_FOR, seconds / 4)},
        )
        for with_files in (False, True)
    ]


_MAKERS = {"foreign": _foreign, "clock": _clock, "restore": _restore, "copy": _copy}


def item_faults(
    chance: random.Random, orders: list[dict], refunded: Collection[str]
) -> list[dict]:
    """Decide about which orders Amazon's report names one item of several.

    :param orders: as they are given to the simulator
    :param refunded: numbers of the orders that somebody wants to refund
    """
    several = [
        order["id"]
        for order in orders
        if order["id"] in refunded and len(order["items"]) > 1
    ]
    count = max(round(len(several) * ITEM_PERCENT / 100), AT_LEAST)
    return [
        {
            "kind": "item_error",
            "order_id": order,
            "others_executed": bool(number % 2),
        }
        for number, order in enumerate(chance.sample(several, min(count, len(several))))
    ]
