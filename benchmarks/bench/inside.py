"""An Odoo process without a server that does tasks one by one.

The benchmark decides when: ``Inside(...).do("task", argument=1)`` calls the function
of that name in tasks.py with an ``env`` of OdooBot, commits, and returns its answer.
Two of them on two databases can take turns, so that both see the same machine.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys

from dev.console import Problem, show_tail
from dev.processes import end


class Inside:
    """The process, seen from the benchmark. Use it as a context manager.

    :param workshop: the set-up
    :param str database: the database to work on
    """

    def __init__(self, workshop, database: str):
        self._log = workshop.settings.logs / database / "inside.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [workshop.odoo.python, "-m", "benchmarks.bench.inside"]
        command += [workshop.settings.odoo_config, database]
        with self._log.open("wb") as log:
            # In a session of its own, so that Ctrl-C reaches us alone. It ends by
            # itself when we do: nobody asks any more.
            self._process = subprocess.Popen(
                [str(part) for part in command],
                env=workshop.odoo.environment(),
                cwd=workshop.settings.root,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Inside:
        return self

    def __exit__(self, *_exc_info) -> None:
        self.close()

    def close(self) -> None:
        """End the process; it lets go of its database."""
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(15)
        end(self._process, signal.SIGTERM)
        self._process.stdout.close()

    def do(self, task: str, **arguments):
        """Do a task and return its answer.

        :raise Problem: when it failed; the traceback is shown
        """
        try:
            request = json.dumps([task, arguments])
            print(request, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            show_tail(self._log, lines=40)
            raise Problem(f"the task {task} failed; the reason is in {self._log}.")
        return json.loads(line)


def main(config: str, database: str) -> None:
    """Serve tasks until nobody asks any more."""
    # What Odoo prints must not get between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import odoo.api
    from odoo.modules.registry import Registry
    from odoo.tools import config as settings

    arguments = ["--config", config, "--database", database]
    settings.parse_config([*arguments, "--log-level=warn"], setup_logging=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    registry = Registry(database)
    from . import tasks

    for line in sys.stdin:
        name, arguments = json.loads(line)
        with registry.cursor() as cr:
            env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
            answer = getattr(tasks, name)(env, **arguments)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
