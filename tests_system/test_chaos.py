"""A small run of `make chaos`, and that its judge would find what it looks for."""

import json
import os
import random
import secrets
from collections import Counter

import pytest

from benchmarks import (
    chaos_calls,
    chaos_faults,
    chaos_judge,
    chaos_people,
    chaos_seeds,
    chaos_trouble,
    odoo_surprises,
)
from benchmarks.chaos import Options, run
from benchmarks.chaos_lives import Lives, marks_of
from benchmarks.chaos_people import Intent
from dev.console import Problem
from dev.settings import Settings
from spapi_simulator import generate

#: About five minutes in which every kind of trouble happens at least twice.
ACTIONS, KILLS = 240, 40


def test_a_run_executes_everything_once_or_says_why_not(monkeypatch):
    # `make test` keeps job runners off; here they are what is tested.
    monkeypatch.delenv("ODOO_QUEUE_JOB_CHANNELS", raising=False)
    settings = Settings.from_environment()
    # `make test` draws a new one each time
    seed = int(os.environ.get("SEED") or secrets.randbelow(10**6))
    # searches take longer than a test should; what they leave unknown is not judged
    how = {"quiet_seconds": 60, "waits_for_searches": False}
    options = Options(seed=seed, actions=ACTIONS, kills=KILLS, **how)
    result = run(settings, options)
    report = settings.artifacts / f"chaos/{seed}.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(result))
    print(result)
    # Some are refused on the screen, such as the click that meets a restore.
    assert result["requested"] + result["refused_on_screen"] > 0.9 * ACTIONS
    # Shares and waiting times are those of a busy machine: reported, not judged. A
    # reference that came twice moves no money; `make chaos` judges it.
    judged = set(chaos_judge.FORBIDDEN) - {"names_repeated"}
    found = {name: result[name] for name in judged}
    assert found == dict.fromkeys(judged, 0), str(options)


# === THE JUDGE === #

ORDER = "701-0000000-0000001"


def action(state, name="AA1", kind="refund", **vals):
    return {
        "id": 1,
        "name": name,
        "kind": kind,
        "state": state,
        "nonce": name,
        "state_message": "Because.",
        "needs_person": False,
        "order_ref": ORDER,
        "digest": None,
        "feed_status": None,
        "items": [],
        **vals,
    }


def refund(item="AA1-7", amount="10.00", order=ORDER):
    return {"merchant_adjustment_item_id": item, "amount": amount, "order_id": order}


def ledger_of(refunds=(), cancelled=(), feeds=(), units=()):
    return {
        "refunds": list(refunds),
        "cancellations": [{"order_id": order, "feed_id": "1"} for order in cancelled],
        "quantity_cancellations": list(units),
        "feeds": list(feeds),
    }


def counts_of(rows, refunds=(), cancelled=(), wishes=(), lives=None, feeds=()):
    ledger = ledger_of(refunds, cancelled, feeds)
    return chaos_judge.outcomes(list(wishes), rows, ledger, lives)


def outcome(row, *args, **kwargs):
    counts = counts_of([row] if row else [], *args, **kwargs)
    return {
        name
        for name, count in counts.items()
        if count and name not in ("states", "reasons")
    } - {name for name in counts if name.endswith(("_percent", "_because"))}


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
        ("to_approve", [], {"waiting_for_approval"}),
        (
            "to_approve",
            [refund()],
            {"waiting_for_approval", "executed_once", "executed_but_said_not"},
        ),
        ("expired", [refund()], {"executed_once", "executed_but_said_not"}),
        ("unknown", [], {"still_unknown"}),
        ("unknown", [refund()], {"still_unknown", "executed_once"}),
    ],
)
def test_judge_counts_what_became_of_a_refund(state, refunds, expected):
    found = outcome(action(state), refunds) - {"requested", "not_at_its_end", "names"}
    assert found == expected - {"names"}


@pytest.mark.parametrize(
    ("state", "is_rejected", "wrong"),
    [
        ("confirmed", True, set()),
        # the second item was not executed, and nobody says so
        ("confirmed", False, {"called_done_wrongly"}),
        ("unknown", False, set()),
    ],
)
def test_judge_looks_at_each_item_of_a_refund(state, is_rejected, wrong):
    items = [
        {"lines": [7, 8], "is_rejected": False},
        {"lines": [9], "is_rejected": is_rejected},
    ]
    found = outcome(action(state, items=items), [refund("AA1-7")])
    assert found & set(chaos_judge.FORBIDDEN) == wrong


def test_judge_finds_an_item_that_was_executed_and_is_said_to_be_rejected():
    items = [{"lines": [7], "is_rejected": True}, {"lines": [9], "is_rejected": False}]
    row = action("unknown", items=items)
    assert "executed_but_said_not" in outcome(row, [refund("AA1-7")])


def test_judge_finds_an_action_that_was_handed_to_a_person():
    row = action("unknown", needs_person=True)
    assert "needing_person" in outcome(row)


def test_judge_finds_an_action_that_ended_without_a_reason():
    assert "lost" in outcome(action("rejected", state_message=False))


def test_judge_finds_an_action_that_a_person_was_told_of_and_that_is_gone():
    told = Intent("refund", ORDER, action="AA1")
    assert "lost" in outcome(None, wishes=[told])


def test_judge_finds_two_actions_of_one_dialog():
    rows = [action("queued"), action("queued", "AA2", nonce="AA1")]
    counts = counts_of(rows)
    assert counts["executed_twice"] == 1


def test_judge_knows_a_cancellation_by_its_order():
    row = action("confirmed", kind="cancel")
    done = outcome(row, cancelled=[row["order_ref"]])
    assert done == {"requested", "executed_once"}
    assert "called_done_wrongly" in outcome(row)


def test_judge_finds_a_unit_that_was_cancelled_twice():
    ledger = ledger_of(units=[{"merchant_adjustment_item_id": "AA1-7"}] * 2)
    row = action("confirmed", kind="cancel_items")
    assert chaos_judge.outcomes([], [row], ledger)["executed_twice"] == 1


def test_judge_finds_a_buyer_who_got_more_than_he_paid():
    item = {"price": "15.00", "shipping": "1.00", "discount": {"item": "1.00"}}
    order = {"id": ORDER, "items": [item]}
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
    decided = moved | {"event": "decided", "state_to": "sending"}
    assert not chaos_judge.journal_differs(
        [row], [asked, moved | {"state_to": "sending"}, decided]
    )
    assert chaos_judge.journal_differs([row], [asked])
    assert chaos_judge.journal_differs([row], [moved | {"state_to": "sending"}])


def envelope(*marks, element="MerchantAdjustmentItemID"):
    return "".join(f"<{element}>{mark}</{element}>" for mark in marks)


def feed(digest, status="DONE", **vals):
    return {"status": status, "input_digest": digest, "feed_id": "1", **vals}


@pytest.mark.parametrize(("status", "expected"), [("DONE", {"A1"}), ("FATAL", set())])
def test_judge_finds_a_message_that_amazon_got_twice(status, expected):
    marks = {
        "a": marks_of(envelope("A1-7", "A2-8")),
        "b": marks_of(envelope("A1-7")),
    }
    ledger = ledger_of(feeds=[feed("a"), feed("b", status)])
    assert chaos_judge.sent_twice(ledger, marks) == expected


def test_judge_knows_messages_of_cancellations_by_their_order():
    marks = {"a": marks_of(envelope(ORDER, element="AmazonOrderID"))}
    ledger = ledger_of(feeds=[feed("a"), feed("a")])
    assert chaos_judge.sent_twice(ledger, marks) == {ORDER}


def test_judge_leaves_out_what_another_program_sent():
    ledger = ledger_of(feeds=[feed("theirs", foreign=True)] * 2)
    assert not chaos_judge.sent_twice(ledger, {})


def test_judge_leaves_out_of_the_unknown_what_amazon_ended_fatal():
    row = action("unknown", feed_status="FATAL")
    counts = counts_of([row])
    assert (counts["still_unknown"], counts["unknown_after_fatal"]) == (0, 1)


def test_judge_counts_by_reason_what_persons_look_at():
    rows = [
        action("unknown", name, needs_person=True, state_message=f"Feed {name} is bad.")
        for name in ("AA1", "AA2")
    ]
    assert counts_of(rows)["needing_person_because"] == {"unknown: Feed AA# is bad.": 2}


# === A DATABASE THAT LIVES TWICE === #


def told(name):
    return Intent("refund", ORDER, action=name)


def test_judge_does_not_call_lost_what_a_restore_took():
    lives = Lives(gone=[action("confirmed", "AA2")], names={"AA1", "AA2"})
    counts = counts_of(
        [], [refund("AA2-1")], wishes=[told("AA2"), told("AA3")], lives=lives
    )
    assert counts["gone_with_restore"] == counts["gone_and_executed"] == 1
    assert counts["names"]["lost"] == ["AA3"]


def test_judge_finds_an_action_that_was_executed_in_both_lives():
    lives = Lives(names={"AA1"}, in_dump={"AA1"})
    counts = counts_of([action("confirmed")], [refund(), refund()], lives=lives)
    assert counts["executed_twice"] == 1
    lost = Lives(gone=[action("confirmed")], names={"AA1"})
    assert counts_of([], [refund(), refund()], lives=lost)["executed_twice"] == 1


def test_judge_finds_what_was_executed_in_the_lost_time_and_is_said_not_to_be():
    lives = Lives(names={"AA1"}, in_dump={"AA1"})
    counts = counts_of([action("queued")], [refund()], lives=lives)
    assert counts["executed_but_said_not"] == 1


def test_judge_finds_a_name_that_both_lives_gave():
    lives = Lives(names={"AA1", "AA2"}, in_dump={"AA1"})
    rows = [action("queued"), action("queued", "AA2"), action("queued", "AA3")]
    assert counts_of(rows, lives=lives)["names_repeated"] == 1


def test_judge_finds_an_execution_that_no_action_asked_for():
    assert counts_of([], [refund("AA9-1")])["names"]["lost"] == ["AA9"]


def test_judge_knows_by_the_envelope_which_life_has_cancelled():
    gone = action("submitted", "AA1", kind="cancel", digest="first")
    row = action("blocked", "AA2", kind="cancel")
    lives = Lives(gone=[gone], names={"AA1"})
    counts = counts_of([row], cancelled=[ORDER], lives=lives, feeds=[feed("first")])
    assert not counts["executed_but_said_not"]
    assert counts["gone_and_executed"] == 1


@pytest.mark.parametrize(
    ("waiting", "twice", "by_copy"), [({"AA1"}, 0, 1), (set(), 1, 0)]
)
def test_judge_counts_apart_what_a_copy_sent_of_what_waited(waiting, twice, by_copy):
    lives = Lives(waiting=waiting)
    counts = counts_of([action("confirmed")], [refund(), refund()], lives=lives)
    assert counts["executed_twice"] == twice
    assert counts["by_a_copy"].get("twice, by a copy", 0) == by_copy


# === WHAT IS ASKED OF IT === #


def test_a_kind_of_trouble_that_does_not_exist_is_refused():
    assert Options.from_environment({"FAULTS": "restore,clock"}).faults == (
        "restore",
        "clock",
    )
    assert Options.from_environment({"FAULTS": "none"}).faults == ()
    assert "copy" not in Options.from_environment({}).faults
    with pytest.raises(Problem, match="typo"):
        Options.from_environment({"FAULTS": "restore,typo"})


def test_the_line_of_a_run_has_the_columns_of_the_table():
    options = Options(seed=1)
    report = dict.fromkeys(chaos_judge.FORBIDDEN, 0) | {
        "options": str(options),
        "still_unknown_percent": 0.5,
        "needing_person": 2,
        "seconds": 300,
    }
    line = chaos_seeds.row(report, "abc", "2026-12-01")
    lines = chaos_seeds.TABLE.read_text().splitlines()
    head = next(one for one in lines if one.startswith("|---"))
    assert line.count("|") == head.count("|")


def draw():
    return random.Random(1)  # noqa: S311 - what happens when, no secret


def test_a_long_run_meets_every_kind_of_trouble_at_least_twice():
    chance = draw()
    seconds = chaos_trouble.LONG_SECONDS
    usual = chaos_trouble.schedule(chance, 100, 20, seconds)
    faults = Counter(event.options.get("kind") for event in usual)
    kinds = {row[0] for row in chaos_trouble.REQUEST_FAULTS + chaos_trouble.FEED_FAULTS}
    kinds |= {fault["kind"] for fault in chaos_trouble.FATAL_FAULTS}
    assert min(faults[kind] for kind in kinds) >= 2
    targets = Counter(event.options.get("target") for event in usual)
    assert min(targets[target] for target in chaos_trouble.TARGETS) >= 2
    others = chaos_faults.schedule(chance, chaos_faults.KINDS, seconds)
    outcomes = Counter(event.options.get("outcome") for event in others)
    assert min(outcomes[name] for name in chaos_faults.FOREIGN_OUTCOMES) >= 2
    steps = [event.options["ahead"] for event in others if event.what == "clock"]
    assert min(steps) < 0 < max(steps)


def test_to_leave_a_kind_out_changes_nothing_in_the_others():
    def foreign(kinds):
        events = chaos_faults.schedule(draw(), kinds, 300)
        return [event for event in events if event.what == "foreign"]

    assert foreign(["foreign"]) == foreign(chaos_faults.KINDS) != []


def test_several_wishes_come_at_one_moment_and_others_by_themselves():
    wishes = [Intent("refund", ORDER) for _number in range(120)]
    planned = chaos_people.moments(draw(), wishes, 100)
    sizes = Counter(at for at, _wish in planned).values()
    assert min(sizes) == 1
    assert max(sizes) == chaos_people.BURST
    assert max(at for at, _wish in planned) <= 100


def test_surprises_come_only_while_they_are_switched_on(tmp_path):
    words = odoo_surprises.Dice(str(tmp_path)).before(lambda: "words", "_sentence")
    assert words() == "words"
    (tmp_path / odoo_surprises.SWITCH).write_text("1.0 7")
    with pytest.raises(odoo_surprises.Surprise, match=odoo_surprises.MARK):
        words()
    (tmp_path / odoo_surprises.SWITCH).unlink()
    assert words() == "words"
    assert (tmp_path / odoo_surprises.RAISED).read_text() == "_sentence\n"


# === DIRECT CALLS === #

SHOP = "GEN1-0000001"


def package(mark="T1", update=False):
    return {"tracking_number": mark, "update": update, "order_id": ORDER}


def change(mark="M1"):
    changes = {"displayableOrderComment": mark}
    return {"seller_fulfillment_order_id": SHOP, "changes": changes}


def stop(state="executed"):
    return {"seller_fulfillment_order_id": SHOP, "state": state}


@pytest.mark.parametrize(
    ("kind", "state", "rows", "expected"),
    [
        ("ship", "accepted", [package()], set()),
        ("ship", "unknown", [package()], set()),
        ("ship", "unknown", [], set()),
        ("ship", "confirmed", [], {"called_done_wrongly"}),
        # a tracking number that Amazon has of no action that is there
        ("ship", "rejected", [package("T2")], {"lost"}),
        ("ship", "rejected", [package()], {"executed_but_said_not"}),
        ("ship", "queued", [package()], {"executed_but_said_not"}),
        ("ship", "accepted", [package(), package()], {"executed_twice"}),
        ("mcf_update", "confirmed", [change()], set()),
        ("mcf_update", "accepted", [], {"called_done_wrongly"}),
        ("mcf_update", "confirmed", [change(), change()], {"executed_twice"}),
        ("mcf_update", "blocked", [change()], {"executed_but_said_not"}),
        ("mcf_cancel", "confirmed", [stop()], set()),
        ("mcf_cancel", "rejected", [stop("failed")], set()),
        ("mcf_cancel", "rejected", [stop()], {"executed_but_said_not"}),
        ("mcf_cancel", "confirmed", [stop("failed")], {"called_done_wrongly"}),
    ],
)
def test_judge_compares_direct_calls_with_the_ledger(kind, state, rows, expected):
    mark = "T1" if kind == "ship" else "M1"
    order = ORDER if kind == "ship" else SHOP
    wish = Intent(kind, order, mark=mark, nonce="AA1", action="AA1")
    lists = {"ship": "shipments", "mcf_update": "mcf_updates"}
    ledger = ledger_of() | {lists.get(kind, "mcf_cancellations"): rows}
    row = action(state, kind=kind, order_ref=order)
    counts = chaos_judge.outcomes([wish], [row], ledger)
    found = {name for name in chaos_judge.FORBIDDEN if counts.get(name)}
    assert found == expected


def test_judge_finds_a_package_that_amazon_was_told_of_twice():
    wish = Intent("ship", ORDER, mark="T1", nonce="AA1")
    ledger = ledger_of() | {"shipments": [package(), package(update=True)]}
    rows = [action("accepted", kind="ship")]
    times, twice = chaos_calls.executions([wish], rows, ledger)
    assert (times["AA1"], twice) == (1, {"AA1"})


def test_judge_knows_a_call_whose_action_a_restore_took():
    wish = Intent("ship", ORDER, mark="T1", nonce="AA1", action="AA1")
    lives = Lives(gone=[action("accepted", kind="ship")], names={"AA1"})
    ledger = ledger_of() | {"shipments": [package()]}
    counts = chaos_judge.outcomes([wish], [], ledger, lives)
    assert (counts["lost"], counts["gone_and_executed"]) == (0, 1)


def test_a_run_asks_for_every_kind_of_direct_call_and_meets_every_fault_of_it():
    shipments, changes = chaos_calls.count_of(300)
    unshipped = generate.orders(shipments, 1, "UNSHIPPED")
    fulfillment = generate.fulfillment_orders(changes, 1)
    groups = chaos_calls.wishes(draw(), unshipped, fulfillment)
    asked = [wish for group in groups for wish in group]
    kinds = Counter(wish.kind for wish in asked)
    assert set(kinds) == {*chaos_calls.KINDS, "cancel"}
    marks = [wish.mark for wish in asked if wish.kind != "cancel"]
    assert len(set(marks)) == len(marks)
    assert any(wish.unit for wish in asked)
    seconds = chaos_trouble.LONG_SECONDS
    usual = chaos_trouble.schedule(draw(), 100, 30, seconds)
    events = chaos_calls.meet(draw(), usual, seconds)
    faults = {
        event.options["kind"]
        for event in events
        if event.options.get("operation") in chaos_calls.OPERATIONS
    }
    assert faults == {row[0] for row in chaos_trouble.REQUEST_FAULTS}
    during = {event.options.get("during") for event in events}
    assert during & set(chaos_calls.OPERATIONS)
    assert during & set(chaos_trouble.SENDING)


def test_groups_of_wishes_stay_together_among_others_in_their_order():
    others = [Intent("refund", str(number)) for number in range(20)]
    others.insert(5, Intent("refund", "4", rival=True))
    group = [Intent("ship", ORDER), Intent("cancel", ORDER, rival=True)]
    mixed = chaos_calls.mix(draw(), others, [group])
    assert [wish for wish in mixed if wish.kind == "refund"] == others
    at = mixed.index(group[0])
    assert mixed[at + 1] == group[1]
    assert mixed[mixed.index(others[5]) - 1] == others[4]
