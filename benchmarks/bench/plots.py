"""Draws the last runs as SVG: what they kept is in .dev/artifacts.

Uses matplotlib, which only ``make bench PLOTS=docs`` installs (requirements-bench.txt).
"""

from __future__ import annotations

import json
from pathlib import Path

from . import measure

#: The figures of `make chaos REPORT=.dev/artifacts/chaos.json`.
CHAOS_OUTCOMES = {
    "executed_once": "executed once",
    "not_executed_with_reason": "not executed,\nwith the reason",
    "needing_person": "needing\na person",
    "still_unknown": "still\nunknown",
    "executed_twice": "executed\ntwice",
    "lost": "lost",
}


def draw(folder: str) -> None:
    """Draw every plot whose measurements are there."""
    import matplotlib

    matplotlib.use("svg")
    # text as text, and the same file from the same measurements
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "bench"}
    for name, plot in (
        ("burst", draw_burst),
        ("history", draw_history),
        ("chaos", draw_chaos),
    ):
        file = source(name)
        if not file.exists():
            measure.note(f"no plot of {name}: {file} is not there")
            continue
        figure = plot(json.loads(file.read_text()))
        target = Path(folder) / f"{name}.svg"
        figure.savefig(target, bbox_inches="tight", metadata={"Date": None})
        measure.note(f"{target}: {target.stat().st_size // 1000} kB")


def source(name: str) -> Path:
    """Return where the measurements of a plot are kept."""
    if name == "chaos":
        return measure.artifacts().parent / "chaos.json"
    return measure.artifacts() / f"{name}.json"


def draw_burst(data: dict):
    """Draw how many refunds were asked for, sent and accepted over time."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    labels = ("asked for", "at Amazon", "accepted by Amazon")
    for position, label in enumerate(labels):
        moments = sorted(
            row[position] for row in data["timeline"] if row[position] is not None
        )
        x, y = steps(moments)
        axes.plot(x, y, label=label, drawstyle="steps-post")
    axes.set_xlabel("seconds after the first click")
    axes.set_ylabel("refunds")
    axes.set_title(f"{len(data['timeline']):,} refunds asked for by 20 agents")
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    return figure


def steps(moments: list[float]) -> tuple[list[float], list[int]]:
    """Return the corners of a running total: one point for each second that counts."""
    totals: dict[float, int] = {0.0: 0}
    for number, moment in enumerate(moments, start=1):
        totals[float(round(moment))] = number
    return list(totals), list(totals.values())


def draw_history(data: dict):
    """Draw what an action costs with few and with many past ones."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    names = ("few", "many")
    axes.boxplot(
        [[row["total"] for row in data[name]] for name in names],
        tick_labels=[f"{data['past'][name]:,} past actions" for name in names],
        showfliers=False,
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("ms from the click to accepted,\nwithout Amazon's time")
    axes.set_title("What one action costs (middle half, median, range)")
    axes.grid(axis="y", alpha=0.3)
    return figure


def draw_chaos(data: dict):
    """Draw what became of the actions while Odoo was killed again and again."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 4))
    known = [name for name in CHAOS_OUTCOMES if name in data]
    bars = axes.bar(
        [CHAOS_OUTCOMES[name] for name in known], [data[name] for name in known]
    )
    axes.bar_label(bars)
    axes.set_ylabel("actions")
    axes.set_title(
        f"{data['requested']:,} actions asked for under kills and faults"
        f" (seed {data['seed']})"
    )
    return figure
