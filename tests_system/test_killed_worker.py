"""What a SIGKILL of Odoo leaves behind, at each place of the pipeline.

Real processes, real kills, real restarts; the simulator's ledger says what Amazon has
really executed.
"""

import pytest

from .conftest import wait_for

# A held connection outlives the killed process by far.
HOLD_SECONDS = 300


@pytest.fixture(autouse=True)
def no_faults(simulator):
    yield
    simulator.clear_faults()


def refunds(simulator, ref):
    return [row for row in simulator.ledger()["refunds"] if row["order_id"] == ref]


def calls(simulator, operation):
    return simulator.ledger()["calls"].get(operation, 0)


def kill_during(operation, kind, ref, simulator, odoo, agent):
    """Ask for a refund, and kill Odoo while it waits for that operation."""
    agent.ticket_about(ref)
    before = calls(simulator, operation)
    simulator.fault(kind, operation, times=1, seconds=HOLD_SECONDS)
    action = agent.refund(ref)
    wait_for(lambda: calls(simulator, operation) > before, f"{operation} is called")
    odoo.kill()
    simulator.clear_faults()
    return action


def restart(stack, agent):
    """Start Odoo again, a minute after the kill as far as the job runner knows: it
    leaves jobs alone that were started in the last ten seconds."""
    stack.sql(
        "UPDATE queue_job SET date_enqueued = date_enqueued - interval '1 minute'"
        " WHERE state IN ('enqueued', 'started')"
    )
    again = stack.start_odoo()
    agent.connect(again.url)
    return again


def test_kill_before_amazon_has_it_leads_to_unknown(simulator, odoo, agent, stack):
    ref = "302-4481516-2342108"
    action = kill_during("createFeed", "timeout_before", ref, simulator, odoo, agent)
    sent = calls(simulator, "createFeed")
    again = restart(stack, agent)
    agent.wait_for_state(action, "unknown")
    assert refunds(simulator, ref) == []
    assert calls(simulator, "createFeed") == sent, "it was not sent again"
    again.stop()


def test_kill_after_amazon_has_it_is_found_at_amazon_and_is_one_refund(
    simulator, odoo, agent, stack
):
    ref = "304-8830155-1274690"
    action = kill_during("createFeed", "timeout_after", ref, simulator, odoo, agent)
    again = restart(stack, agent)
    agent.wait_for_state(action, "accepted", "confirmed")
    components = [row["components"] for row in refunds(simulator, ref)]
    assert components == [{"Principal": "59.50", "Shipping": "4.99"}]
    again.stop()


def test_kill_before_the_first_commit_loses_and_repeats_nothing(
    simulator, odoo, agent, stack
):
    ref = "202-5540973-4417536"
    action = kill_during(
        "createFeedDocument", "timeout_before", ref, simulator, odoo, agent
    )
    again = restart(stack, agent)
    agent.wait_for_state(action, "accepted", "confirmed")
    assert len(refunds(simulator, ref)) == 1
    again.stop()


def test_kill_while_amazon_processes_it_loses_and_repeats_nothing(
    simulator, odoo, agent, stack
):
    ref = "202-1735509-6648827"
    action = kill_during("getFeed", "timeout_before", ref, simulator, odoo, agent)
    again = restart(stack, agent)
    agent.wait_for_state(action, "accepted", "confirmed")
    assert len(refunds(simulator, ref)) == 1
    again.stop()
