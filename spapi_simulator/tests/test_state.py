"""With a state file the simulator goes on where it was stopped."""

import pytest

from ..process import SimulatorFailed, SimulatorProcess
from .amazon import REFUND, SHIPPED, SHIPPED_ITEM, Amazon, refund


def test_what_was_executed_and_what_waits_is_known_after_a_restart(tmp_path):
    path = tmp_path / "state"
    with SimulatorProcess(state=path, processing_seconds=60, no_quotas=True) as first:
        amazon = Amazon(first.url)
        done = amazon.submit(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="5.00"))
        first.advance(120)
        before = first.ledger()
        assert len(before["refunds"]) == 1
        waiting = amazon.submit(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="7.00"))
        moment = first.now()
    assert path.stat().st_mode & 0o777 == 0o600
    with SimulatorProcess(state=path, processing_seconds=60, no_quotas=True) as second:
        assert second.now() >= moment
        assert second.ledger()["refunds"] == before["refunds"]
        # The access token is as good as before
        amazon.url = second.url
        assert amazon.feed(done)["processingStatus"] == "DONE"
        assert amazon.feed(waiting)["processingStatus"] != "DONE"
        second.advance(120)
        amounts = [row["amount"] for row in second.ledger()["refunds"]]
        assert amounts == ["5.00", "7.00"]


def test_without_a_state_file_everything_begins_anew(tmp_path):
    with SimulatorProcess() as first:
        Amazon(first.url).order(SHIPPED)
        assert first.ledger()["calls"]
    with SimulatorProcess() as second:
        assert not second.ledger()["calls"]


def test_file_that_is_no_state_is_refused(tmp_path, capfd):
    path = tmp_path / "state"
    path.write_text("nonsense")
    with pytest.raises(SimulatorFailed):
        SimulatorProcess(state=path)
    assert f"{path} is not a state" in capfd.readouterr().err
    assert path.read_text() == "nonsense"
