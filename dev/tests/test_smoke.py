"""The smoke complains about everything that is not exactly what was asked for."""

import json

import pytest

from dev import smoke
from dev.demo import CANCEL_ORDER, REFUND_ORDER

LEDGER = {
    "refunds": [{"order_id": REFUND_ORDER, "amount": smoke.REFUND_AMOUNT}],
    "cancellations": [{"order_id": CANCEL_ORDER}],
    "feeds": [{"input_digest": "d1"}, {"input_digest": "d2"}],
}


def entries(ref, digest, states=("queued", "sending", "submitted", "accepted")):
    """Return what the journal says about an action that went well."""
    common = {"amazon_order_ref": ref, "user_id": [7, "Anna Agent"]}
    asked = {**common, "event": "asked", "state_to": False, "payload_digest": False}
    steps = [
        {**common, "event": "state", "state_to": state, "payload_digest": digest}
        for state in states
    ]
    return [asked, *steps]


JOURNAL = [*entries(REFUND_ORDER, "d1"), *entries(CANCEL_ORDER, "d2")]


def test_nothing_is_said_when_all_is_well():
    assert not smoke.check_ledger(LEDGER)
    assert not smoke.check_journal(JOURNAL, LEDGER)
    assert not smoke.check_har(json.dumps({"log": {"entries": [{}]}}))


@pytest.mark.parametrize(
    "change",
    [
        {"refunds": []},
        {"refunds": LEDGER["refunds"] * 2},
        {"refunds": [{"order_id": REFUND_ORDER, "amount": "44.93"}]},
        {"refunds": [{"order_id": CANCEL_ORDER, "amount": smoke.REFUND_AMOUNT}]},
        {"cancellations": []},
        {"cancellations": LEDGER["cancellations"] * 2},
        {"feeds": LEDGER["feeds"][:1]},
    ],
)
def test_anything_else_in_the_ledger_is_said(change):
    assert len(smoke.check_ledger({**LEDGER, **change})) == 1


@pytest.mark.parametrize(
    "journal",
    [
        JOURNAL[1:],
        JOURNAL[:-1],
        [*entries(REFUND_ORDER, "d1"), *entries(CANCEL_ORDER, "d3")],
        [*entries(REFUND_ORDER, False), *entries(CANCEL_ORDER, "d2")],
    ],
    ids=["who asked", "last state", "another envelope", "no envelope"],
)
def test_what_the_journal_lacks_is_said(journal):
    assert len(smoke.check_journal(journal, LEDGER)) == 1


def test_empty_traffic_and_secrets_in_it_are_said():
    assert smoke.check_har(json.dumps({"log": {"entries": []}}))
    for secret in smoke.SECRETS:
        assert smoke.check_har(json.dumps({"log": {"entries": [secret]}}))


@pytest.mark.parametrize("outcome", ["rejected", "unknown", "blocked"])
def test_other_outcomes_are_failures(outcome):
    seen = {"refund": {"outcome": outcome}, "cancel": {"outcome": "confirmed"}}
    assert smoke.check_outcomes(seen) == [f"The refund ended as {outcome}."]


def test_last_line_has_the_slower_of_both_actions():
    action = {"outcome": "accepted", "seconds_to_return": 0.5, "seconds_to_outcome": 40}
    slow = {**action, "seconds_to_return": 0.254, "seconds_to_outcome": 41.239}
    assert smoke.summary({"refund": action, "cancel": slow}, "folder") == {
        "refund": "accepted",
        "cancel": "accepted",
        "seconds_click_to_return": 0.5,
        "seconds_click_to_outcome": 41.24,
        "artifacts": "folder",
    }
