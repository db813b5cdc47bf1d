"""What `make bench` prints, and how it counts."""

import io
import json

import pytest

from benchmarks.bench import measure
from benchmarks.bench.__main__ import BENCHMARKS, chosen
from benchmarks.bench.plots import steps
from dev.console import Problem


def test_all_run_unless_some_are_named():
    assert chosen("") == BENCHMARKS
    assert chosen("click, history") == ("click", "history")


def test_an_unknown_name_is_refused_and_the_known_ones_are_named():
    with pytest.raises(Problem, match="click"):
        chosen("clack")


def test_a_result_is_one_json_object_in_a_line(monkeypatch):
    monkeypatch.setattr(measure, "OUTPUT", io.StringIO())
    measure.report("click.p50", 61.4999, "ms", baseline=30, n=200, goal="2", met=False)
    row = json.loads(measure.OUTPUT.getvalue())
    assert list(row)[:6] == ["name", "value", "unit", "baseline", "ratio", "n"]
    assert row["value"] == 61.5
    assert row["ratio"] == 2.05
    assert row["met"] is False


def test_what_did_not_come_about_has_neither_value_nor_ratio(monkeypatch):
    monkeypatch.setattr(measure, "OUTPUT", io.StringIO())
    measure.report("burst.seconds", None, "s", baseline=1000, n=2)
    row = json.loads(measure.OUTPUT.getvalue())
    assert (row["value"], row["ratio"]) == (None, None)


def test_a_percentile_is_one_of_the_values():
    assert measure.percentile([4, 1, 3, 2], 50) == 2
    assert measure.percentile(range(1, 101), 95) == 95
    assert measure.percentile([7], 95) == 7


def test_turns_are_taken_in_turn_and_the_first_one_changes():
    taken = []
    measure.interleaved(2, lambda n: taken.append("a"), lambda n: taken.append("b"))
    assert taken == ["a", "b", "b", "a"]


def test_a_running_total_counts_each_moment_once():
    assert steps([0.2, 0.9, 1.1, 5.0]) == ([0.0, 1.0, 5.0], [1, 3, 4])
