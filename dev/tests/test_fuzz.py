"""The variables of ``make fuzz``."""

import pytest

from dev.console import Problem
from dev.fuzz import SECONDS, read_variables


def test_a_seed_is_drawn_where_none_is_given():
    assert len({read_variables({})[0] for _ in range(20)}) > 1
    assert read_variables({"SEED": "", "SECONDS": ""})[1] == SECONDS


def test_seed_and_seconds_are_taken_from_the_environment():
    assert read_variables({"SEED": "7", "SECONDS": "1.5"}) == (7, 1.5)


@pytest.mark.parametrize(
    "environ",
    [{"SEED": "x"}, {"SECONDS": "x"}, {"SEED": "-1"}, {"SECONDS": "0"}]
    + [{"SECONDS": "nan"}, {"SECONDS": "90000"}],
)
def test_what_cannot_be_used_is_refused(environ):
    with pytest.raises(Problem, match="SEED"):
        read_variables(environ)
