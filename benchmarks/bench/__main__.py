"""Run the benchmarks: ``python -m benchmarks.bench`` in the environment of Odoo.

``ONLY=name`` runs one of them, ``ACTIONS=n`` makes them smaller, ``SEED=n`` draws other
orders and clicks, ``PLOTS=docs`` draws the plots of the last runs into that folder.
"""

import contextlib
import importlib
import os
import sys

from dev.commands import stop_on_signals
from dev.console import Problem
from dev.settings import Settings
from dev.stack import prepared

from . import measure
from .office import Office

#: The short ones first: what is broken shows soon.
BENCHMARKS = (
    "envelope",
    "opening",
    "click",
    "appends",
    "history",
    "runners",
    "burst",
)


def main() -> int:
    """Run what was asked for and return the exit code."""
    names = chosen(os.environ.get("ONLY", ""))
    with prepared(Settings.from_environment(), tests=True) as workshop:
        for name in names:
            measure.note(f"{name} (seed {measure.SEED})")
            benchmark = importlib.import_module(f".{name}", __package__)
            with Office(workshop, name) as office:
                benchmark.run(office)
    if os.environ.get("PLOTS"):
        from .plots import draw

        draw(os.environ["PLOTS"])
    return 0


def chosen(only: str) -> tuple[str, ...]:
    """Return the names of the benchmarks to run.

    :raise Problem: when there is none of that name
    """
    names = tuple(only.replace(",", " ").split()) or BENCHMARKS
    unknown = set(names) - set(BENCHMARKS) - {"none"}
    if unknown:
        raise Problem(
            f"ONLY={only} is no benchmark: name some of {', '.join(BENCHMARKS)}."
        )
    return tuple(name for name in names if name != "none")


if __name__ == "__main__":
    stop_on_signals()
    # Standard output is for the results alone, one JSON object a line
    with contextlib.redirect_stdout(sys.stderr):
        try:
            code = main()
        except Problem as problem:
            print(f"error: {problem}", file=sys.stderr)
            code = 1
    sys.exit(code)
