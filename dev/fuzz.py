"""``make fuzz``: fuzz what reads the answers of Amazon, and the dialogs in Odoo.

Standard output carries nothing but the results, one JSON object a line; what goes on
meanwhile goes to standard error.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys

from dev.console import Problem, say, step
from dev.processes import run_to_end
from dev.settings import Settings
from dev.stack import Workshop, prepared

DATABASE = "amazon_helpdesk_fuzz"
SECONDS = 60.0  # for each target

#: Tests in Odoo that go on for longer when FUZZ_SECONDS says so.
IN_ODOO = "*/tests/**/test_hostile_amounts.py"


def fuzz(settings: Settings) -> int:
    """Fuzz each target for SECONDS by SEED, and return 1 when one of them failed.

    :raise Problem: when the set-up fails, or a variable cannot be used
    """
    seed, seconds = read_variables(os.environ)
    with contextlib.ExitStack() as stack:
        with contextlib.redirect_stdout(sys.stderr):
            say(f"SEED={seed} SECONDS={seconds:g}")
            workshop = stack.enter_context(prepared(settings, tests=True))
        command = [workshop.venv.python, "-m", "fuzzing", str(seed), str(seconds)]
        env = workshop.odoo.environment()
        failed = run_to_end(command, cwd=settings.root, env=env)
        return int(bool(_fuzz_dialogs(settings, workshop, seed, seconds) or failed))


def read_variables(environ) -> tuple[int, float]:
    """Return SEED, drawn where there is none, and SECONDS.

    :raise Problem: when one of them is no number
    """
    try:
        seed = int(environ.get("SEED") or random.SystemRandom().randrange(10**6))
        seconds = float(environ.get("SECONDS") or SECONDS)
    except ValueError:
        raise Problem("SEED and SECONDS must be numbers.") from None
    if seed < 0 or not 0 < seconds < 86_400:
        raise Problem("SEED is 0 or more, SECONDS above 0 and less than a day.")
    return seed, seconds


def _fuzz_dialogs(
    settings: Settings, workshop: Workshop, seed: int, seconds: float
) -> int:
    report = settings.artifacts / "fuzz.jsonl"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    with contextlib.redirect_stdout(sys.stderr):
        template = workshop.databases.provide_templates()
        with step(f"Database: fresh copy for fuzzing ({DATABASE})"):
            workshop.databases.copy(template, DATABASE)
    command = [str(workshop.venv.python), "-m", "pytest", "-q"]
    command += [f"--odoo-config={settings.odoo_config}", f"--odoo-database={DATABASE}"]
    command.append("--odoo-log-level=critical")
    command += [str(path) for path in sorted(settings.root.glob(IN_ODOO))]
    env = workshop.odoo.environment(
        ODOO_QUEUE_JOB_CHANNELS="root:0",
        FUZZ_SEED=str(seed),
        FUZZ_SECONDS=str(seconds),
        FUZZ_REPORT=str(report),
    )
    exit_code = run_to_end(command, cwd=settings.root, env=env, stdout=sys.stderr)
    if report.exists():
        print(report.read_text(), end="", flush=True)
    return exit_code
