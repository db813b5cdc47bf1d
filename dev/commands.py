"""The commands of the Makefile."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable

from dev.console import (
    Problem,
    Stopped,
    say,
    sentence_for,
    stop_on_signals,
)
from dev.postgres import Cluster
from dev.processes import run_to_end
from dev.settings import Settings


def setup(settings: Settings) -> int:
    """Provide everything that the other commands need, and build the databases."""
    from dev.browser import find_browser, provide_driver_library
    from dev.stack import prepared

    find_browser(settings)
    provide_driver_library(settings)
    with prepared(settings, tests=True) as workshop:
        workshop.databases.provide_templates()
    say("Everything is set up in .dev.")
    return 0


def demo(settings: Settings) -> int:
    """Serve Odoo with the addon, demo data and a simulator of Amazon."""
    from dev.demo import demo

    return demo(settings)


def simulator(settings: Settings) -> int:
    """Serve the simulator of Amazon alone, for an Odoo of your own."""
    from dev.simulator import simulator

    return simulator(settings)


def test(settings: Settings) -> int:
    """Run all tests. ARGS="-k name" adds arguments of pytest, T=path runs a part."""
    from dev.testing import test

    return test(settings)


def lint(settings: Settings) -> int:
    """Run ruff, pylint-odoo's mandatory rules, Odoo's own test_lint and pip-audit."""
    from dev.lint import lint

    return lint(settings)


def smoke(settings: Settings) -> int:
    """Refund and cancel one order in a real browser, and check what happened."""
    from dev.smoke import smoke

    return smoke(settings)


def chaos(settings: Settings) -> int:
    """Ask for ACTIONS under KILLS, faults and crashes, and count what came of them."""
    from benchmarks.chaos import chaos

    return chaos(settings)


def bench(settings: Settings) -> int:
    """Measure the addon: one JSON object a line. ONLY=name runs one benchmark."""
    from dev.bench import bench

    return bench(settings)


def fuzz(settings: Settings) -> int:
    """Fuzz what comes from outside, each target for SECONDS by SEED."""
    from dev.fuzz import fuzz

    return fuzz(settings)


def readmes(settings: Settings) -> int:
    """Write each addon's README.md and page in Odoo anew from its fragments."""
    from dev.stack import set_up

    odoo, venv = set_up(settings, tests=True)
    command = [venv.python, "-m", "dev.readmes"]
    return run_to_end(command, cwd=settings.root, env=odoo.environment())


def wheels(settings: Settings) -> int:
    """Build a package of each addon, and install them where there is only Odoo."""
    from dev.wheels import wheels

    return wheels(settings)


def transcript(settings: Settings) -> int:
    """Do the README's steps literally on a bare Odoo 19, up to a refund."""
    from dev.transcript import transcript

    return transcript(settings)


def stop(settings: Settings) -> int:
    """Stop a PostgreSQL that a killed command left running."""
    from benchmarks.chaos_world import ChaosSettings

    for each in (settings, ChaosSettings.beside(settings)):
        Cluster(each).stop()
    return 0


def clean(settings: Settings) -> int:
    """Stop PostgreSQL and delete everything that the set-up made (.dev)."""
    stop(settings)
    if settings.dev.exists():
        shutil.rmtree(settings.dev)
    return 0


COMMANDS: dict[str, Callable[[Settings], int]] = {
    command.__name__: command
    for command in (
        setup,
        demo,
        simulator,
        test,
        lint,
        smoke,
        chaos,
        bench,
        fuzz,
        readmes,
        wheels,
        transcript,
        stop,
        clean,
    )
}

VARIABLES = """
Variables, by environment or after the command (make demo ODOO_PORT=28169):
  ODOO_HOME        use this Odoo 19 instead of downloading one
  PYTHON           the Python that makes the environment (python3)
  ODOO_PORT        port of the demo's Odoo (28069)
  SIMULATOR_PORT   port of the demo's simulator of Amazon (28070)
  PG_PORT          port of the private PostgreSQL (28071, or any if that is taken)
  DEMO_DB          database of the demo (amazon_helpdesk_demo), new at each start
  TEST_DB          database of the tests (amazon_helpdesk_test), new at each start
  KEEP             1: demo and simulator go on where they were stopped
  T                run the tests in this file or folder only
  ARGS             further arguments of pytest
  SEED             what chaos decides by, also in test, and fuzz begins with (any; it
                   is printed), and what bench draws orders and clicks by (19)
  SECONDS          for how long each target is fuzzed (60)
  ACTIONS, KILLS   how much chaos asks for and kills (2000, 200); ACTIONS makes the
                   benchmarks smaller, for trying them out
  FAULTS           what chaos adds to kills and faults of requests and feeds: foreign,
                   restore, copy, clock, reaction, item, or none (all but copy)
  REPORT           file that gets chaos's JSON object, too
  ONLY             run these benchmarks only, such as click,history
  PLOTS            draw the benchmarks' plots into this folder, such as docs
"""


def usage() -> str:
    """Return the help text: one line a command."""
    lines = ["Usage: make <command>", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:<10} {(command.__doc__ or '').splitlines()[0]}")
    return "\n".join(lines) + "\n" + VARIABLES


def main(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        say(usage())
        return 0 if arguments in ([], ["help"]) else 2
    stop_on_signals()
    try:
        return COMMANDS[arguments[0]](Settings.from_environment())
    except Problem as problem:
        return _fail(str(problem))
    except OSError as error:
        sentence = sentence_for(error)
        if not sentence:
            raise
        return _fail(sentence)
    except KeyboardInterrupt:
        return 130
    except Stopped as stopped:
        return stopped.exit_code


def _fail(sentence: str) -> int:
    # The reader of a pipe may be gone, for example `make test | head`
    with contextlib.suppress(BrokenPipeError):
        print(f"error: {sentence}", file=sys.stderr, flush=True)
    return 1
