"""``make lint``: ruff, pylint-odoo's mandatory rules, Odoo's own test_lint, and known
vulnerabilities of the pinned packages."""

from __future__ import annotations

from pathlib import Path

from dev.audit import audit
from dev.console import say, step
from dev.processes import run_to_end
from dev.settings import ADDONS, Settings
from dev.stack import Workshop, prepared

DATABASE = "amazon_helpdesk_lint"

#: Nobody translates what tests write; pylint-odoo knows that of one folder alone.
TESTS = "^amazon_[a-z_]+/tests/.*"

#: eslint needs Node.js and looks at JavaScript only; test_checkers tests the checkers.
NOT_FOR_US = ("test_eslint.py", "test_checkers.py")


def lint(settings: Settings) -> int:
    """Run all checks and return 1 when one of them complains.

    :raise Problem: when the set-up fails
    """
    with prepared(settings, tests=True) as workshop:
        checks = {
            "ruff check": _ruff(workshop, "check"),
            "ruff format": _ruff(workshop, "format", "--check"),
            "pylint-odoo": _pylint(settings, workshop, f"--ignore-paths={TESTS}"),
            "pylint-odoo of tests": _pylint(
                settings, workshop, "--disable=translation-required", of="tests"
            ),
            "Odoo's test_lint": _test_lint(settings, workshop),
        }
        complaints = []
        for name, command in checks.items():
            say(f"\n=== {name}")
            env = workshop.odoo.environment(ODOO_QUEUE_JOB_CHANNELS="root:0")
            if run_to_end(command, cwd=settings.root, env=env):
                complaints.append(name)
        say("\n=== pip-audit")
        if audit(settings, workshop):
            complaints.append("pip-audit")
    say()
    say(
        f"lint: {', '.join(complaints)} failed" if complaints else "lint: no complaints"
    )
    return int(bool(complaints))


def _ruff(workshop: Workshop, *arguments: str) -> list[str]:
    return [str(workshop.venv.tool("ruff")), *arguments, "."]


def _pylint(
    settings: Settings, workshop: Workshop, *arguments: str, of: str = ""
) -> list[str]:
    """Return the command that runs pylint on our addons, or on a folder of each."""
    config = settings.root / ".pylintrc-mandatory"
    folders = (settings.root / name / of for name in ADDONS)
    paths = [str(path.relative_to(settings.root)) for path in folders if path.is_dir()]
    return [str(workshop.venv.tool("pylint")), f"--rcfile={config}", *arguments, *paths]


def _test_lint(settings: Settings, workshop: Workshop) -> list[str]:
    """Return the command that runs Odoo's lint tests, narrowed by ``dev.odoo_lint``."""
    template = workshop.databases.provide_templates()
    with step("Database: fresh copy for Odoo's test_lint"):
        workshop.databases.copy(template, DATABASE)
    tests = _find_test_lint(workshop) / "tests"
    command = [str(workshop.venv.python), "-m", "pytest", "-p", "dev.odoo_lint"]
    command += [f"--odoo-config={settings.odoo_config}", f"--odoo-database={DATABASE}"]
    # Without this, pytest puts the folder of all addons before the standard library,
    # where Odoo's addon "calendar" hides Python's
    command += ["-o", "consider_namespace_packages=true"]
    command += ["--odoo-log-level=warn", "-o", "addopts="]
    command += [f"--ignore={tests / name}" for name in NOT_FOR_US]
    return [*command, str(tests)]


def _find_test_lint(workshop: Workshop) -> Path:
    folders = (path / "test_lint" for path in workshop.odoo.tree.addons_paths)
    return next(folder for folder in folders if folder.is_dir())
