"""What PostgreSQL's end of every connection leaves behind, such as its restart.

The job that waits for Amazon meanwhile cannot finish: its transaction is gone.
"""

import pytest

from .conftest import wait_for
from .test_killed_worker import calls, no_faults, refunds  # noqa: F401

HOLD_SECONDS = 4


def cut_during(operation, ref, simulator, agent, stack):
    """Ask for a refund, and end all connections to the database while Odoo waits for
    that operation, which Amazon executes."""
    agent.ticket_about(ref)
    before = calls(simulator, operation)
    simulator.fault("slow", operation, times=1, seconds=HOLD_SECONDS)
    action = agent.refund(ref)
    wait_for(lambda: calls(simulator, operation) > before, f"{operation} is called")
    stack.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid != pg_backend_pid()"
    )
    return action


@pytest.mark.parametrize(
    ("operation", "ref"),
    [
        ("createFeed", "304-8830155-1274690"),
        ("getFeed", "202-5540973-4417536"),
    ],
)
def test_a_lost_connection_delays_a_refund_by_seconds(
    operation, ref, simulator, odoo, agent, stack
):
    action = cut_during(operation, ref, simulator, agent, stack)
    agent.wait_for_state(action, "accepted", "confirmed")
    assert len(refunds(simulator, ref)) == 1
