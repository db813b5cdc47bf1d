"""What a SIGKILL of Odoo leaves behind while it makes a call of its own."""

from .conftest import wait_for
from .test_killed_worker import HOLD_SECONDS, calls, no_faults, restart  # noqa: F401

UNSHIPPED = "303-7719024-5588321"
CANCEL_REQUESTED = "303-1146280-7735914"


def shipments(simulator, ref):
    return [row for row in simulator.ledger()["shipments"] if row["order_id"] == ref]


def ship(agent, ref):
    """Ask from the ticket to confirm the shipment, and return the action's id."""
    ticket = agent.ticket_about(ref)
    dialog = agent.call("helpdesk.ticket", "action_amazon_ship", [ticket])["res_id"]
    values = {"carrier_code": "DHL", "tracking_number": "00340434161094"}
    agent.call("amazon.ship.request", "write", [dialog], values)
    agent.call("amazon.ship.request", "action_ship", [dialog])
    return agent.actions_about(ref)[0]


def kill_during_call(fault, ref, simulator, odoo, agent):
    agent.ticket_about(ref)
    before = calls(simulator, "confirmShipment")
    simulator.fault(fault, "confirmShipment", times=1, seconds=HOLD_SECONDS)
    action = ship(agent, ref)
    wait_for(
        lambda: calls(simulator, "confirmShipment") > before, "the call is on its way"
    )
    odoo.kill()
    simulator.clear_faults()
    return action


def test_kill_before_amazon_has_the_call_leads_to_unknown(
    simulator, odoo, agent, stack
):
    action = kill_during_call(
        "timeout_before", CANCEL_REQUESTED, simulator, odoo, agent
    )
    sent = calls(simulator, "confirmShipment")
    again = restart(stack, agent)
    agent.wait_for_state(action, "unknown")
    assert shipments(simulator, CANCEL_REQUESTED) == []
    assert calls(simulator, "confirmShipment") == sent, "it was not sent again"
    again.stop()


def test_kill_after_amazon_has_the_call_is_found_and_is_one_shipment(
    simulator, odoo, agent, stack
):
    action = kill_during_call("timeout_after", UNSHIPPED, simulator, odoo, agent)
    again = restart(stack, agent)
    agent.wait_for_state(action, "confirmed")
    assert len(shipments(simulator, UNSHIPPED)) == 1
    assert calls(simulator, "confirmShipment") == 2, "one for each order of this file"
    again.stop()
