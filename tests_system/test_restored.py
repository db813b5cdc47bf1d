"""A backup that is put back, with real processes: what it holds is not sent again."""

import subprocess

import pytest

from dev.console import clean_environment
from dev.postgres import find_programs

from .conftest import wait_for

BEFORE = "302-4481516-2342108"
WAITING = "304-8830155-1274690"
LOST = "202-5540973-4417536"
AFTER = "202-1735509-6648827"

DECIDE = """
from odoo.service.model import retrying
def decide():
    for stop in env["amazon.stop"].search([("needs_decision", "=", True)]):
        reason = "The system test has put a backup back"
        env["amazon.life.decide"]._decide(stop, "restored", reason)
retrying(decide, env)
env.cr.commit()
"""


def run(stack, program, *arguments):
    """Run a program of PostgreSQL on the cluster of the stack."""
    folder = find_programs()[0][1]
    subprocess.run(
        [str(folder / program), *arguments],
        env=clean_environment(**stack.cluster.environment()),
        check=True,
    )


def refunds(simulator, ref):
    return [row for row in simulator.ledger()["refunds"] if row["order_id"] == ref]


def name_of(agent, action):
    return agent.call("amazon.action", "read", [action], ["name"])[0]["name"]


@pytest.fixture
def time_to_undo(stack):
    """Let a refund wait long enough for a dump."""
    stack.sql("UPDATE amazon_account_kind SET undo_seconds = 20 WHERE kind = 'refund'")


def test_backup_with_a_queued_refund_is_put_back(
    simulator, odoo, agent, stack, tmp_path, time_to_undo
):
    first = agent.refund(BEFORE)
    agent.wait_for_state(first, "accepted", "confirmed")
    waiting = agent.refund(WAITING)
    archive = str(tmp_path / "backup.dump")
    run(stack, "pg_dump", "-Fc", "-Z0", "-f", archive, stack.database)
    assert agent.state_of(waiting) == "queued"
    agent.wait_for_state(waiting, "accepted", "confirmed")
    lost = name_of(agent, agent.refund(LOST))
    odoo.kill()

    stack.cluster.sql(f'DROP DATABASE "{stack.database}" WITH (FORCE)')
    stack.cluster.sql(f'CREATE DATABASE "{stack.database}"')
    run(stack, "pg_restore", "--no-owner", "-d", stack.database, archive)
    again = stack.start_odoo()
    agent.connect(again.url)
    wait_for(
        lambda: stack.sql("SELECT reason FROM amazon_stop WHERE needs_decision"),
        "the database finds that it was put back",
    )
    assert agent.state_of(waiting) == "queued"
    stack.shell(DECIDE)
    # Amazon's finances show what the lost life has sent
    agent.wait_for_state(waiting, "confirmed")
    assert len(refunds(simulator, WAITING)) == 1
    assert name_of(agent, agent.refund(AFTER)) != lost
    again.stop()
