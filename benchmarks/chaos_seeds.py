"""The table of all seeds ever run: ``python -m benchmarks.chaos_seeds REPORT.json``
appends what a run of chaos came to."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.chaos_judge import FORBIDDEN

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs/chaos-seeds.md"


def row(report: dict, commit: str, day: str) -> str:
    """Return the line of the table for a run.

    :param report: the JSON object of the run
    :param commit: what was run
    :param day: when, as YYYY-MM-DD
    """
    options = dict(part.split("=", 1) for part in report["options"].split())
    # in the order of the table's head
    forbidden = [str(report[name]) for name in FORBIDDEN]
    cells = [
        day,
        commit,
        options["SEED"],
        options["ACTIONS"],
        options["KILLS"],
        options["FAULTS"].replace(",", " "),
        *forbidden,
        str(report["still_unknown_percent"]),
        str(report["needing_person"]),
        str(report["seconds"]),
    ]
    return f"| {' | '.join(cells)} | |"


def main(arguments: list[str]) -> int:
    """Append a line for each report that is named."""
    if not arguments:
        print(__doc__)
        return 2
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    for name in arguments:
        report = json.loads(Path(name).read_text())
        line = row(report, commit.strip(), time.strftime("%Y-%m-%d", time.gmtime()))
        with TABLE.open("a") as table:
            table.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
