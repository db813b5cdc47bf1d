"""Fixtures: one real simulator process for all tests, reset before each."""

import pytest

from ..process import SimulatorProcess
from .amazon import Amazon

PROCESSING_SECONDS = 60
FINANCE_DELAY_SECONDS = 600


@pytest.fixture(scope="session")
def simulator_process():
    """A simulator that runs for the whole session."""
    with SimulatorProcess() as process:
        yield process


@pytest.fixture
def simulator(simulator_process):
    """The simulator as at its start. Feeds take a minute of its clock."""
    simulator_process.reset(
        processing_seconds=PROCESSING_SECONDS,
        finance_delay_seconds=FINANCE_DELAY_SECONDS,
    )
    return simulator_process


@pytest.fixture
def amazon(simulator):
    """The demo seller's client."""
    return Amazon(simulator.url)


@pytest.fixture
def run(simulator, amazon):
    """Submit payloads, let the feed be processed, return its report."""

    def submit_and_wait(feed_type, *messages, client=amazon, **options):
        feed_id = client.submit(feed_type, *messages, **options)
        simulator.advance(PROCESSING_SECONDS)
        return client.report(feed_id)

    return submit_and_wait
