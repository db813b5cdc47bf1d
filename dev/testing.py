"""``make test``: every suite, each in a pytest of its own, and one summary."""

from __future__ import annotations

import shlex
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev.browser import find_browser
from dev.console import Problem, say, step
from dev.processes import run_to_end
from dev.settings import ADDON, Settings
from dev.stack import Workshop, prepared

NO_TESTS_COLLECTED = 5  # pytest.ExitCode


@dataclass(frozen=True)
class Suite:
    """Tests that run in one pytest.

    :param name: how it is called in the summary, and its report in .dev/artifacts
    :param path: its folder
    :param in_odoo: runs inside Odoo, on a fresh database, with a server and a browser
    :param optional: may be missing
    """

    name: str
    path: str
    in_odoo: bool = False
    optional: bool = False

    def contains(self, path: str) -> bool:
        """Say whether a file, folder or test id (``file::name``) is in this suite."""
        return Path(path.split("::")[0]).is_relative_to(self.path)


SUITES = (
    Suite("scripts", "dev/tests"),
    Suite("strict layer", f"{ADDON}/spapi/tests"),
    Suite("simulator", "spapi_simulator/tests"),
    Suite("fuzzing", "fuzzing/tests"),
    Suite("addon", f"{ADDON}/tests", in_odoo=True),
    Suite("system", "tests_system", optional=True),
)


@dataclass
class Result:
    """What a suite's pytest reported."""

    suite: Suite
    exit_code: int
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def complaint(self) -> str:
        """Say in words why the suite counts as failed, or nothing."""
        if self.exit_code == NO_TESTS_COLLECTED:
            return "no tests found"
        if self.exit_code:
            return "failed"
        # Odoo skips a browser test when the browser does not answer
        if self.suite.in_odoo and self.counts["skipped"]:
            return "skipped tests count as failed here, see the reasons above"
        return ""


def test(settings: Settings) -> int:
    """Run the suites and return 1 when one of them failed.

    :raise Problem: when the set-up fails, or T names nothing
    """
    suites = select(settings)
    if any(suite.in_odoo for suite in suites):
        find_browser(settings)
    with prepared(settings, tests=True) as workshop:
        results = [_run(settings, workshop, suite) for suite in suites]
    filtered = bool(settings.pytest_args)
    if filtered:
        results = [r for r in results if r.exit_code != NO_TESTS_COLLECTED]
    text = summary(results)
    say(text)
    (settings.artifacts / "tests/summary.txt").write_text(f"{text.strip()}\n")
    return int(not results or any(result.complaint for result in results))


def select(settings: Settings) -> list[Suite]:
    """Return the suites to run.

    :raise Problem: when T is in none of them, or a suite is missing
    """
    wanted = settings.test_path
    if wanted:
        path = Path(wanted.split("::")[0])
        if path.is_absolute():
            raise Problem(f"T={wanted} must be a path below {settings.root}.")
        suites = [suite for suite in SUITES if suite.contains(wanted)]
        if not suites or not (settings.root / path).exists():
            folders = ", ".join(suite.path for suite in SUITES)
            raise Problem(f"T={wanted} is no test here: name one below {folders}.")
        return suites
    suites = []
    for suite in SUITES:
        if (settings.root / suite.path).is_dir():
            suites.append(suite)
        elif not suite.optional:
            raise Problem(f"the tests in {suite.path} are missing: restore them.")
    return suites


def _run(settings: Settings, workshop: Workshop, suite: Suite) -> Result:
    reports = settings.artifacts / "tests"
    reports.mkdir(parents=True, exist_ok=True)
    report = reports / f"{suite.name.replace(' ', '-')}.xml"
    report.unlink(missing_ok=True)
    command = [str(workshop.venv.python), "-m", "pytest", "-ra", f"--junitxml={report}"]
    if suite.in_odoo:
        command += _odoo_arguments(settings, workshop, reports)
    else:
        command += ["-p", "no:odoo"]
    command += [*shlex.split(settings.pytest_args), settings.test_path or suite.path]
    say(f"\n=== {suite.name}: {command[-1]}")
    started = time.monotonic()
    # Inside Odoo, jobs run only when a test runs them: no runner beside the tests
    channels = {"ODOO_QUEUE_JOB_CHANNELS": "root:0"} if suite.in_odoo else {}
    env = workshop.odoo.environment(**channels)
    exit_code = run_to_end(command, cwd=settings.root, env=env)
    seconds = time.monotonic() - started
    return Result(suite, exit_code, seconds, read_counts(report))


def _odoo_arguments(
    settings: Settings, workshop: Workshop, reports: Path
) -> Sequence[str]:
    database = settings.test_database
    template = workshop.databases.provide_templates()
    with step(f"Database: fresh copy for the tests ({database})"):
        workshop.databases.copy(template, database)
    return (
        f"--odoo-config={settings.odoo_config}",
        f"--odoo-database={database}",
        "--odoo-http",
        "--odoo-log-level=warn",
        f"--odoo-extra=screenshots={reports}",
    )


def read_counts(report: Path) -> dict[str, int]:
    """Return how many tests passed, failed and were skipped, from a JUnit report."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not report.exists():
        return counts
    # The totals in the report count each subtest, pytest's closing line does not
    # pytest has just written it
    for case in ElementTree.parse(report).getroot().iter("testcase"):  # noqa: S314
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            counts["failed"] += 1
        elif "skipped" in outcomes:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
    return counts


def summary(results: Sequence[Result]) -> str:
    """Return a line for each suite and, last, the sum as pytest would write it."""
    lines = [""]
    for result in results:
        counts = ", ".join(f"{n} {word}" for word, n in result.counts.items() if n)
        complaint = f"   <- {result.complaint}" if result.complaint else ""
        name = result.suite.name
        lines.append(f"{name:<14} {counts or '-'} in {result.seconds:.0f} s{complaint}")
    total = {
        word: sum(result.counts[word] for result in results)
        for word in ("failed", "passed", "skipped")
    }
    words = ", ".join(f"{n} {word}" for word, n in total.items() if n)
    seconds = sum(result.seconds for result in results)
    lines.append(f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "="))
    return "\n".join(lines)
