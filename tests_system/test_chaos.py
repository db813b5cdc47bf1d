"""A small run of `make chaos`, and that its judge would find what it looks for."""

from dataclasses import replace

import pytest

from benchmarks import chaos_judge
from benchmarks.chaos import Options, run
from benchmarks.chaos_people import Intent
from dev.settings import Settings

SEED = 20261121


def test_a_small_run_executes_everything_once_or_says_why_not(monkeypatch):
    # `make test` keeps job runners off; here they are what is tested.
    monkeypatch.delenv("ODOO_QUEUE_JOB_CHANNELS", raising=False)
    options = Options(seed=SEED, actions=30, kills=4, clock_factor=120)
    result = run(Settings.from_environment(), replace(options, quiet_seconds=60))
    print(result)
    assert result["requested"] >= 30
    assert {name: result[name] for name in chaos_judge.FORBIDDEN} == dict.fromkeys(
        chaos_judge.FORBIDDEN, 0
    ), f"SEED={SEED}"


# === THE JUDGE === #


def action(state, name="AA1", kind="refund", **vals):
    return {
        "id": 1,
        "name": name,
        "kind": kind,
        "state": state,
        "nonce": name,
        "state_message": "Because.",
        "needs_person": False,
        "order_ref": "701-0000000-0000001",
        **vals,
    }


def refund(item="AA1-7", amount="10.00", order="701-0000000-0000001"):
    return {"merchant_adjustment_item_id": item, "amount": amount, "order_id": order}


def outcome(row, refunds=(), cancelled=(), wishes=()):
    ledger = {
        "refunds": list(refunds),
        "cancellations": [{"order_id": order} for order in cancelled],
    }
    counts = chaos_judge.outcomes(list(wishes), [row] if row else [], ledger)
    told = {"states", "reasons", "without_outcome_percent"}
    return {name for name, count in counts.items() if count and name not in told}


@pytest.mark.parametrize(
    ("state", "refunds", "expected"),
    [
        ("confirmed", [refund()], {"executed_once"}),
        # two items of one refund are one execution
        ("accepted", [refund(), refund("AA1-8")], {"executed_once"}),
        ("confirmed", [refund(), refund()], {"executed_twice", "names"}),
        ("blocked", [], {"not_executed_with_reason"}),
        ("blocked", [refund()], {"executed_once", "executed_but_said_not"}),
        ("withdrawn", [refund()], {"executed_once", "executed_but_said_not"}),
        ("queued", [refund()], {"executed_once", "executed_but_said_not"}),
        ("accepted", [], {"called_done_wrongly"}),
        ("confirmed", [], {"called_done_wrongly"}),
        ("sending", [], {"lost", "names"}),
        ("submitted", [refund()], {"executed_once"}),
        ("unknown", [], {"still_unknown"}),
        ("unknown", [refund()], {"still_unknown", "executed_once"}),
    ],
)
def test_judge_counts_what_became_of_a_refund(state, refunds, expected):
    found = outcome(action(state), refunds) - {"requested", "not_at_its_end"}
    assert found == expected


def test_judge_finds_an_action_that_was_handed_to_a_person():
    row = action("unknown", needs_person=True)
    assert "needing_person" in outcome(row)


def test_judge_finds_an_action_that_ended_without_a_reason():
    assert "lost" in outcome(action("rejected", state_message=False))


def test_judge_finds_an_action_that_a_person_was_told_of_and_that_is_gone():
    told = Intent("refund", "701-0000000-0000001", action="AA1")
    assert "lost" in outcome(None, wishes=[told])


def test_judge_finds_two_actions_of_one_dialog():
    rows = [action("queued"), action("queued", "AA2", nonce="AA1")]
    counts = chaos_judge.outcomes([], rows, {"refunds": [], "cancellations": []})
    assert counts["executed_twice"] == 1


def test_judge_knows_a_cancellation_by_its_order():
    row = action("confirmed", kind="cancel")
    done = outcome(row, cancelled=[row["order_ref"]])
    assert done == {"requested", "executed_once"}
    assert "called_done_wrongly" in outcome(row)


def test_judge_finds_a_buyer_who_got_more_than_he_paid():
    item = {"price": "15.00", "shipping": "1.00", "discount": {"item": "1.00"}}
    order = {"id": "701-0000000-0000001", "items": [item]}
    assert not chaos_judge.over_refunded([order], {"refunds": [refund("a", "15.00")]})
    ledger = {"refunds": [refund("a", "10.00"), refund("b", "5.01")]}
    assert chaos_judge.over_refunded([order], ledger) == [order["id"]]


def test_judge_finds_a_journal_that_does_not_lead_to_the_state():
    asked = {"action_id": 1, "event": "asked", "state_from": None, "state_to": "queued"}
    moved = {"action_id": 1, "event": "state", "state_from": "queued"}
    row = action("sending")
    assert not chaos_judge.journal_differs(
        [row], [asked, moved | {"state_to": "sending"}]
    )
    assert chaos_judge.journal_differs([row], [asked])
    assert chaos_judge.journal_differs([row], [moved | {"state_to": "sending"}])


class FakeWorld:
    """What `sent_twice` asks of a world."""

    def __init__(self, payloads):
        self.payloads = payloads

    def sql(self, _query):
        rows = (f'{{"digest": "{name}", "file": "{name}"}}' for name in self.payloads)
        return f"[{', '.join(rows)}]"

    def file(self, name):
        return self.payloads[name]


@pytest.mark.parametrize(("status", "expected"), [("DONE", ["A1-7"]), ("FATAL", [])])
def test_judge_finds_a_message_that_amazon_got_twice(status, expected):
    element = "MerchantAdjustmentItemID"
    payload = f"<{element}>A1-7</{element}>".encode()
    feeds = [
        {"status": "DONE", "input_digest": "a"},
        {"status": status, "input_digest": "b"},
    ]
    world = FakeWorld({"a": payload, "b": payload})
    assert chaos_judge.sent_twice(world, {"feeds": feeds}) == expected
