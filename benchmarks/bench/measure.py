"""How results are counted, compared and printed."""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from dev.settings import Settings

#: The numbers that the seeds of orders and of the agents' clicks are made of.
SEED = int(os.environ.get("SEED") or 19)

#: The process' own standard output: everything else is sent to standard error.
OUTPUT = sys.stdout


def amount(default: int) -> int:
    """Return how many of its things a benchmark shall do.

    ``ACTIONS=n`` makes every benchmark smaller, for trying it out.
    """
    wanted = int(os.environ.get("ACTIONS") or default)
    return max(2, min(wanted, default))


def note(text: str) -> None:
    """Tell the person at the keyboard what goes on; not a part of the results."""
    print(f"  {text}", file=sys.stderr, flush=True)


def report(
    name: str,
    value: float | None,
    unit: str,
    *,
    n: int,
    baseline: float | None = None,
    ratio: float | None = None,
    goal: str = "",
    met: bool | None = None,
    **more,
) -> None:
    """Print a result as one JSON object in a line.

    :param name: benchmark and figure, such as ``click.p95``
    :param value: what was measured; None where it did not come about
    :param unit: of value and baseline
    :param n: how many measurements it is made of
    :param baseline: the same of what it is compared with
    :param ratio: how the two compare; value to baseline where it is left out
    :param goal: what was aimed at, in words
    :param met: whether that was reached
    :param more: further facts, such as the seed
    """
    if ratio is None and baseline and value is not None:
        ratio = value / baseline
    row = {
        "name": name,
        "value": rounded(value),
        "unit": unit,
        "baseline": rounded(baseline),
        "ratio": rounded(ratio),
        "n": n,
    }
    if goal:
        row |= {"goal": goal, "met": met}
    row |= {k: rounded(v) if isinstance(v, float) else v for k, v in more.items()}
    print(json.dumps(row), file=OUTPUT, flush=True)


def rounded(number: float | None, digits: int = 4) -> float | None:
    """Round to significant digits: more of them would be noise."""
    if not number or not math.isfinite(number):
        return number
    places = digits - 1 - math.floor(math.log10(abs(number)))
    return round(number, max(places, 0))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def median(values: Sequence[float]) -> float:
    """Return the middle of the values."""
    return statistics.median(values)


def interleaved(n: int, *turns: Callable[[int], None]) -> None:
    """Do two or more things ``n`` times each, one after the other.

    Who begins changes with each round, so that what a round leaves behind (a warm
    cache, a dirty page) falls on both alike.
    """
    for number in range(n):
        start = number % len(turns)
        for turn in turns[start:] + turns[:start]:
            turn(number)


def keep(name: str, data: object) -> Path:
    """Keep the single measurements of a benchmark, for the plots and for looking."""
    path = artifacts() / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1))
    return path


def artifacts() -> Path:
    """Return the folder for what a run leaves behind."""
    return Settings.from_environment().artifacts / "bench"
