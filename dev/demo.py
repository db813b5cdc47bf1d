"""``make demo``: everything a person needs to try the addon, until Ctrl-C."""

from __future__ import annotations

import time

from dev.console import Problem, say, step
from dev.ports import check_free
from dev.settings import Settings
from dev.stack import Stack, prepared

WELCOME = """
Odoo with the Amazon helpdesk is ready: {url}

  login     password  is
  agent     agent     a helpdesk agent who may refund and cancel
  trainee   trainee   a helpdesk agent who may not
  admin     admin     the administrator

What to click: log in as agent, open Helpdesk, then a ticket of a buyer. It shows the
Amazon order; "Refund" or "Cancel order" sends the request, and within a minute the
answer comes back into the open ticket. Amazon is a simulator; what it really executed
is on {simulator}/_simulator/ledger. Every start begins anew, with a fresh database.

Logs are in {logs}. Ctrl-C stops everything.
"""


def demo(settings: Settings) -> int:
    """Serve until Ctrl-C.

    :raise Problem: when something cannot be started, or stops by itself
    """
    check_free(settings.odoo_port, "ODOO_PORT")
    check_free(settings.simulator_port, "SIMULATOR_PORT")
    with prepared(settings) as workshop:
        with workshop.stack(settings.demo_database) as stack:
            try:
                _serve(settings, stack)
            except KeyboardInterrupt:  # Ctrl-C is the way to end it
                say("\nStopping.")
    return 0


def _serve(settings: Settings, stack: Stack) -> None:
    with step("Start: simulator of Amazon and Odoo"):
        simulator = stack.start_simulator(settings.simulator_port)
        stack.connect_to(simulator)
        odoo = stack.start_odoo(settings.odoo_port)
    logs = odoo.log.parent.relative_to(settings.root)
    say(WELCOME.format(url=odoo.url, simulator=simulator.url, logs=logs))
    while not (dead := stack.dead()):
        time.sleep(0.5)
    raise Problem(f"{dead.name} ended by itself: the reason is in {dead.log}.")
