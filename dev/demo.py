"""``make demo``: everything a person needs to try the addon, until Ctrl-C."""

from __future__ import annotations

import time

from dev.console import Problem, say, step
from dev.ports import check_free
from dev.settings import Settings
from dev.stack import Service, Stack, prepared

#: Orders of the guided path in spapi_simulator/demo_orders.yaml: one shipped, one not.
REFUND_ORDER = "302-4481516-2342108"
CANCEL_ORDER = "303-7719024-5588321"

WELCOME = """
Odoo with the Amazon helpdesk is ready: {url}

  login     password  is
  agent     agent     a helpdesk agent who may refund and cancel
  trainee   trainee   a helpdesk agent who may not
  admin     admin     the administrator

What to click: log in as agent, then
  - Refund         in {refund} (a leaking kettle)
  - Cancel Order   in {cancel} (a buyer asks to cancel)
Choose a reason and confirm. Within a minute Amazon's answer comes back into the open
ticket. More tickets are in Helpdesk > Tickets > All Tickets; the menu Amazon has all
requests and, for auditor (password auditor) and admin, the journal.

Amazon is a simulator; {simulator}/_simulator/ledger is what it really
executed. {memory}

Logs are in {logs}. Ctrl-C stops everything.
"""


#: What the simulator knew when it was stopped, beside the demo's database.
STATE = "demo-simulator.state"

MEMORY = {
    False: "Every start begins anew (make demo KEEP=1 goes on where it was stopped).",
    True: "It goes on where it was stopped, as long as you start it with KEEP=1.",
}


def demo(settings: Settings) -> int:
    """Serve until Ctrl-C.

    :raise Problem: when something cannot be started, or stops by itself
    """
    check_free(settings.odoo_port, "ODOO_PORT")
    check_free(settings.simulator_port, "SIMULATOR_PORT")
    with prepared(settings) as workshop:
        state = settings.dev / STATE
        is_there = workshop.databases.exists(settings.demo_database)
        if not (settings.keep and is_there):
            state.unlink(missing_ok=True)
        with workshop.stack(settings.demo_database, keep=settings.keep) as stack:
            try:
                _serve(settings, stack)
            except KeyboardInterrupt:  # Ctrl-C is the way to end it
                say("\nStopping.")
    return 0


def _serve(settings: Settings, stack: Stack) -> None:
    with step("Start: simulator of Amazon and Odoo"):
        simulator = stack.start_simulator(
            settings.simulator_port, "--state", str(settings.dev / STATE)
        )
        stack.connect_to(simulator)
        odoo = stack.start_odoo(settings.odoo_port)
    say(
        WELCOME.format(
            url=odoo.url,
            simulator=simulator.url,
            refund=_ticket(stack, odoo, REFUND_ORDER),
            cancel=_ticket(stack, odoo, CANCEL_ORDER),
            memory=MEMORY[settings.keep],
            logs=odoo.log.parent.relative_to(settings.root),
        )
    )
    while not (dead := stack.dead()):
        time.sleep(0.5)
    raise Problem(f"{dead.name} ended by itself: the reason is in {dead.log}.")


def _ticket(stack: Stack, odoo: Service, order: str) -> str:
    """Return the address of the demo's ticket about an order."""
    ticket = stack.sql(
        f"SELECT id FROM helpdesk_ticket WHERE amazon_order_ref = '{order}' LIMIT 1"
    )
    return f"{odoo.url}/odoo/helpdesk.ticket/{ticket}"
