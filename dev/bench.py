"""``make bench``: the benchmarks, in the environment of Odoo.

Standard output carries nothing but their results, one JSON object a line; what goes on
meanwhile goes to standard error, so that ``make bench >> results.jsonl`` works.
"""

from __future__ import annotations

import contextlib
import os
import sys

from dev.processes import run_to_end
from dev.settings import Settings
from dev.stack import prepared


def bench(settings: Settings) -> int:
    """Run the benchmarks that ONLY names, or all, and return their exit code.

    :raise Problem: when the set-up fails
    """
    with contextlib.ExitStack() as stack:
        with contextlib.redirect_stdout(sys.stderr):
            workshop = stack.enter_context(prepared(settings, tests=True))
            workshop.databases.provide_templates()
            if os.environ.get("PLOTS"):
                workshop.venv.provide_plotting()
        command = [workshop.venv.python, "-m", "benchmarks.bench"]
        env = workshop.odoo.environment()
        return run_to_end(command, cwd=settings.root, env=env)
