"""``make test``: every suite, each in a pytest of its own, and one summary."""

from __future__ import annotations

import contextlib
import secrets
import shlex
import signal
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from dev.browser import find_browser
from dev.console import Problem, say, step
from dev.processes import end, run_to_end, start
from dev.settings import ADDONS, ROOT, Settings
from dev.stack import Workshop, prepared

NO_TESTS_COLLECTED = 5  # pytest.ExitCode

#: Files of the addons' tests that drive a browser.
TOURS = "test_tours*.py"


def of_addons(folder: str) -> tuple[str, ...]:
    """Return the paths of a folder in those of our addons that have it."""
    paths = (f"{name}/{folder}" for name in ADDONS)
    return tuple(path for path in paths if (ROOT / path).is_dir())


@dataclass(frozen=True)
class Suite:
    """Tests that run in one pytest.

    :param name: how it is called in the summary, and its report in .dev/artifacts
    :param paths: its folders
    :param only: a pattern of the folders' files that it consists of
    :param without: a pattern of the folders' files that are in another suite
    :param in_odoo: runs inside Odoo, on a fresh database, with a server and a browser
    :param beside: runs beside those that are not, since it takes as long as they do
    :param optional: may be missing
    :param seeded: decides by a seed, which is new each time
    """

    name: str
    paths: tuple[str, ...]
    only: str = ""
    without: str = ""
    in_odoo: bool = False
    beside: bool = False
    optional: bool = False
    seeded: bool = False

    def contains(self, path: str) -> bool:
        """Say whether a file, folder or test id (``file::name``) is in this suite."""
        file = Path(path.split("::")[0])
        if not any(file.is_relative_to(folder) for folder in self.paths):
            return False
        if file.suffix != ".py":
            return True
        taken = not self.only or fnmatch(file.name, self.only)
        return taken and not (self.without and fnmatch(file.name, self.without))

    def arguments(self, root: Path, wanted: str = "") -> list[str]:
        """Return pytest's arguments for the suite, or for what is wanted of it."""
        if ".py" in wanted:
            return [wanted]
        folders = [wanted] if wanted else self.paths
        if self.only:
            files = [f for path in folders for f in (root / path).rglob(self.only)]
            return sorted(str(file.relative_to(root)) for file in files)
        ignored = [f"--ignore-glob=*/{self.without}"] if self.without else []
        # What takes very long runs when it is asked for
        if not wanted:
            ignored += ["-m", "not long"]
        return [*folders, *ignored]


SUITES = (
    Suite("scripts", ("dev/tests",)),
    Suite("strict layer", of_addons("spapi/tests")),
    Suite("simulator", ("spapi_simulator/tests",)),
    Suite("fuzzing", ("fuzzing/tests",)),
    Suite("browser", of_addons("tests"), only=TOURS, in_odoo=True),
    Suite("system", ("tests_system",), optional=True, seeded=True),
    Suite("addons", of_addons("tests"), without=TOURS, in_odoo=True, beside=True),
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
    how_again = ""
    if any(suite.seeded for suite in suites):
        if settings.seed is None:
            settings = replace(settings, seed=secrets.randbelow(10**6))
        how_again = f"chaos: SEED={settings.seed} (again by make test SEED=...)"
        say(how_again)
    if any(suite.in_odoo for suite in suites):
        find_browser(settings)
    with prepared(settings, tests=True) as workshop:
        started = time.monotonic()
        results = _run(settings, workshop, suites)
        seconds = time.monotonic() - started
    filtered = bool(settings.pytest_args)
    if filtered:
        results = [r for r in results if r.exit_code != NO_TESTS_COLLECTED]
    text = summary(results, seconds, how_again)
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
            paths = dict.fromkeys(path for suite in SUITES for path in suite.paths)
            folders = ", ".join(paths)
            raise Problem(f"T={wanted} is no test here: name one below {folders}.")
        return suites
    suites = []
    for suite in SUITES:
        missing = [path for path in suite.paths if not (settings.root / path).is_dir()]
        if not missing:
            suites.append(suite)
        elif not suite.optional:
            raise Problem(f"the tests in {missing[0]} are missing: restore them.")
    return suites


def _run(
    settings: Settings, workshop: Workshop, suites: Sequence[Suite]
) -> list[Result]:
    """Run suites in their order, after those that run beside them were started."""
    with contextlib.ExitStack() as stack:
        beside = {}
        for suite in suites:
            if suite.beside and len(suites) > 1:
                beside[suite] = _start(settings, workshop, suite)
                stack.callback(end, beside[suite], signal.SIGINT)
        results = []
        for suite in suites:
            if suite in beside:
                exit_code = _join(settings, suite, beside[suite])
            else:
                exit_code = run_to_end(**_command(settings, workshop, suite))
            results.append(read_result(suite, exit_code, _report(settings, suite)))
        return results


def _start(
    settings: Settings, workshop: Workshop, suite: Suite
) -> subprocess.Popen[bytes]:
    """Start a suite that writes into a file what it has to say."""
    how = _command(settings, workshop, suite)
    with _report(settings, suite).with_suffix(".log").open("wb") as output:
        say(f"... beside the others; what it prints is in {output.name}")
        return start(**how, stdout=output, stderr=subprocess.STDOUT)


def _join(settings: Settings, suite: Suite, process: subprocess.Popen[bytes]) -> int:
    """Wait for a suite that was started, show what it printed, return its exit code."""
    say(f"\n=== {suite.name}, which was started first")
    exit_code = process.wait()
    log = _report(settings, suite).with_suffix(".log")
    say(log.read_text(errors="replace"))
    return exit_code


def _command(settings: Settings, workshop: Workshop, suite: Suite) -> dict:
    """Say how pytest is started for a suite: the arguments of `start`."""
    report = _report(settings, suite)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [str(workshop.venv.python), "-m", "pytest", "-ra", f"--junitxml={report}"]
    tests = suite.arguments(settings.root, settings.test_path)
    say(f"\n=== {suite.name}: {' '.join(tests)}")
    if suite.in_odoo:
        command += _odoo_arguments(settings, workshop, suite)
    else:
        command += ["-p", "no:odoo"]
    command += [*shlex.split(settings.pytest_args), *tests]
    # Inside Odoo, jobs run only when a test runs them: no runner beside the tests
    variables = {"ODOO_QUEUE_JOB_CHANNELS": "root:0"} if suite.in_odoo else {}
    if suite.seeded:
        variables["SEED"] = str(settings.seed)
    env = workshop.odoo.environment(**variables)
    return {"command": command, "cwd": settings.root, "env": env}


def _report(settings: Settings, suite: Suite) -> Path:
    return settings.artifacts / f"tests/{suite.name.replace(' ', '-')}.xml"


def _odoo_arguments(
    settings: Settings, workshop: Workshop, suite: Suite
) -> Sequence[str]:
    database = settings.test_database
    if suite.only:
        database = f"{database}_{suite.name}"
    template = workshop.databases.provide_templates()
    with step(f"Database: fresh copy for the tests ({database})"):
        workshop.databases.copy(template, database)
    return (
        f"--odoo-config={settings.odoo_config}",
        f"--odoo-database={database}",
        "--odoo-http",
        "--odoo-log-level=warn",
        f"--odoo-extra=screenshots={_report(settings, suite).parent}",
    )


def read_result(suite: Suite, exit_code: int, report: Path) -> Result:
    """Read from a JUnit report how many tests passed, failed and were skipped, and how
    long all of them took; nothing where pytest died without a report."""
    result = Result(suite, exit_code, 0, {"passed": 0, "failed": 0, "skipped": 0})
    if not report.exists():
        return result
    # pytest has just written it
    root = ElementTree.parse(report).getroot()  # noqa: S314
    result.seconds = sum(float(one.get("time", 0)) for one in root.iter("testsuite"))
    # The totals in the report count each subtest, pytest's closing line does not
    for case in root.iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            result.counts["failed"] += 1
        elif "skipped" in outcomes:
            result.counts["skipped"] += 1
        else:
            result.counts["passed"] += 1
    return result


def summary(results: Sequence[Result], seconds: float, how_again: str = "") -> str:
    """Return a line for each suite and, last, the sum as pytest would write it.

    :param seconds: that all of them took together, some beside each other
    :param how_again: the line that says by which seed it was decided
    """
    lines = [""]
    for result in results:
        counts = ", ".join(f"{n} {word}" for word, n in result.counts.items() if n)
        complaint = f"   <- {result.complaint}" if result.complaint else ""
        name = result.suite.name
        lines.append(f"{name:<14} {counts or '-'} in {result.seconds:.0f} s{complaint}")
    if how_again:
        lines.append(how_again)
    total = {
        word: sum(result.counts[word] for result in results)
        for word in ("failed", "passed", "skipped")
    }
    words = ", ".join(f"{n} {word}" for word, n in total.items() if n)
    lines.append(f" {words or 'no tests ran'} in {seconds:.2f}s ".center(80, "="))
    return "\n".join(lines)
