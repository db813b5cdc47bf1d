"""``make simulator``: the simulator of Amazon alone, until Ctrl-C.

For an Odoo that is there already. It needs neither Odoo nor PostgreSQL; its packages
are in an environment of its own.
"""

from __future__ import annotations

import sys

from dev.console import clean_environment, say, step
from dev.ports import HOST, check_free
from dev.processes import run, run_to_end
from dev.settings import Settings
from dev.stamps import Stamps, digest, exclusive
from dev.venv import make_environment

HOW_TO = """
In Odoo, as an Amazon administrator: Amazon > Configuration > Try With the Simulator,
with the address http://{host}:{port}

What it really executed: http://{host}:{port}/_simulator/ledger. Ctrl-C stops it;
{memory}
"""


#: What it knew when it was stopped.
STATE = "simulator.state"

MEMORY = {
    False: "it forgets everything then (make simulator KEEP=1 does not).",
    True: "by KEEP=1 it goes on there the next time.",
}


def simulator(settings: Settings) -> int:
    """Serve until Ctrl-C.

    :raise Problem: when the port is taken, or its environment cannot be made
    """
    check_free(settings.simulator_port, "SIMULATOR_PORT")
    settings.dev.mkdir(exist_ok=True)
    folder = settings.dev / "simulator"
    python = folder / "bin/python"
    stamps = Stamps(settings.dev / "stamps")
    with exclusive(settings.dev / "simulator.lock", "another start of the simulator"):
        requirements = settings.root / "requirements-simulator.txt"
        constraints = settings.root / "constraints.txt"
        key = digest(sys.version, str(folder), requirements, constraints)
        if not (python.exists() and stamps.done("simulator", key)):
            with step("Python: an environment for the simulator"):
                make_environment(folder, settings.logs)
                command = [python, "-m", "pip", "install", "--constraint", constraints]
                run(
                    [*command, "--requirement", requirements],
                    log=settings.logs / "pip-simulator.log",
                    otherwise="pip could not install the simulator's packages",
                    env=clean_environment(),
                )
            stamps.write("simulator", key)
    memory = MEMORY[settings.keep]
    say(HOW_TO.format(host=HOST, port=settings.simulator_port, memory=memory))
    command = [python, "-m", "spapi_simulator", "--host", HOST]
    command += ["--port", str(settings.simulator_port)]
    if settings.keep:
        command += ["--state", str(settings.dev / STATE)]
    try:
        return run_to_end(command, cwd=settings.root, env=clean_environment())
    except KeyboardInterrupt:  # Ctrl-C is the way to end it
        return 0
