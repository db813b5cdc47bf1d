"""A step of ``make lint``: are there known vulnerabilities of the pinned packages?

pip-audit asks the index of Python packages. Where that cannot be asked (no network, a
mirror without advisories), the step says so loudly and fails nothing: nobody should be
kept from working by a service that does not answer, and nobody told that all is well.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from dev.console import Problem, say
from dev.settings import Settings
from dev.stack import Workshop

#: All that any command here installs, at the version that it installs.
PINS = "constraints.txt"

SECONDS = 240  # for all packages together
SECONDS_EACH = 5


@dataclass(frozen=True)
class Audit:
    """What came of it.

    :param int asked: packages that the service knew
    :param tuple skipped: names of those that it did not know
    :param tuple found: a line for each vulnerability
    """

    asked: int
    skipped: tuple
    found: tuple


def audit(settings: Settings, workshop: Workshop) -> bool:
    """Ask, and say what came of it.

    :return: whether a vulnerability is known
    """
    try:
        workshop.venv.provide_audit()
        said = _ask(settings, workshop)
    except Problem as problem:
        return _say_unasked(str(problem))
    except (OSError, subprocess.SubprocessError) as error:
        return _say_unasked(type(error).__name__)
    try:
        result = read(said)
    except ValueError:
        return _say_unasked("pip-audit gave no result")
    for line in result.found:
        say(line)
    if not result.asked:
        return _say_unasked("the index has no advisories")
    if result.skipped:
        say(f"NOT ASKED for {len(result.skipped)}: {', '.join(result.skipped)}")
    say(f"{result.asked} packages asked for, {len(result.found)} vulnerabilities")
    return bool(result.found)


def _ask(settings: Settings, workshop: Workshop) -> str:
    command = [workshop.venv.python, "-m", "pip_audit", "--format=json"]
    command += ["--no-deps", "--disable-pip", "--progress-spinner=off"]
    command += [f"--timeout={SECONDS_EACH}", "-r", settings.root / PINS]
    return subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    ).stdout


def read(said: str) -> Audit:
    """Read what pip-audit printed.

    :raise ValueError: it is no result
    """
    try:
        rows = json.loads(said)["dependencies"]
        skipped = tuple(row["name"] for row in rows if "skip_reason" in row)
        found = tuple(
            f"{row['name']} {row['version']}: {entry['id']}, mended in "
            f"{', '.join(entry['fix_versions']) or 'no version'}"
            for row in rows
            for entry in row.get("vulns", ())
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no result") from error
    return Audit(len(rows) - len(skipped), skipped, found)


def _say_unasked(reason: str) -> bool:
    say("!" * 78)
    say(f"NOT CHECKED: vulnerabilities of the packages in {PINS}: {reason}.")
    say("The advisories could not be asked for. This says nothing about the packages.")
    say("!" * 78)
    return False
