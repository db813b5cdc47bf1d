"""The fuzzers for a moment each, with a fixed seed: `make fuzz` goes on for longer."""

import json

import pytest
from hypothesis import strategies as st

from fuzzing.runner import fuzz
from fuzzing.strategies import HOSTILE, leaves
from fuzzing.targets import SECONDS, TARGETS, Target

SEED = 20261122
CASES = 200


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_comes_in_only_what_is_promised_comes_out(target):
    result = fuzz(target, SEED, cases=CASES)
    print(json.dumps(result))  # shown with -rP
    assert not result["failures"]
    assert result["cases"] >= CASES / 2


def test_a_failure_is_found_and_told_with_its_input_and_seed():
    def check(number):
        assert number < 1000

    result = fuzz(Target("numbers", st.integers(), check), SEED, cases=CASES)
    (failure,) = result["failures"]
    assert "1000" in failure["input"]
    assert failure["seed"] == SEED


def test_changing_a_document_does_not_change_what_is_drawn_next():
    def change(drawn):
        if isinstance(drawn, dict | list):
            drawn.clear()

    before = repr(HOSTILE)
    fuzz(Target("leaves", leaves, change), SEED, cases=1000)
    assert repr(HOSTILE) == before


def test_what_takes_too_long_is_a_failure(monkeypatch):
    ticks = iter(range(0, 1000, 10))
    monkeypatch.setattr("fuzzing.targets.time.thread_time", lambda: next(ticks))
    with pytest.raises(AssertionError, match="took"):
        Target("slow", st.none(), lambda given: None).run(None)
    assert SECONDS < 10
