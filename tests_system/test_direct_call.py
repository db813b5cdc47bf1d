"""A call of its own on an ordinary day, by real processes: the row of a sending is made
in another transaction than that of the job which makes the call."""

from .test_killed_call import UNSHIPPED, ship, shipments
from .test_killed_worker import no_faults  # noqa: F401


def test_answered_call_is_recorded_by_its_own_sender(simulator, odoo, agent, stack):
    agent.ticket_about(UNSHIPPED)
    action = ship(agent, UNSHIPPED)
    agent.wait_for_state(action, "accepted", "confirmed")
    assert len(shipments(simulator, UNSHIPPED)) == 1
    calls = "FROM amazon_call WHERE action_id"
    states = stack.sql(f"SELECT string_agg(state, ' ') {calls} = {action}")
    assert states.strip() == "answered"
    unnamed = stack.sql(f"SELECT count(*) {calls} = {action} AND request_ref IS NULL")
    assert unnamed.strip() == "0"
    entries = "FROM amazon_audit_entry WHERE state_to = 'unknown' AND action_id"
    assert stack.sql(f"SELECT count(*) {entries} = {action}").strip() == "0"
