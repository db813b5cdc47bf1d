"""Compares what people were told, Odoo's rows, its journal, and Amazon's ledger."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from benchmarks import chaos_calls
from benchmarks.chaos_lives import ACTIONS, Lives, envelopes
from benchmarks.chaos_people import Intent
from benchmarks.chaos_world import World

#: States in which an action has not come to an end.
OPEN_STATES = ("queued", "sending", "submitted")
GOOD_STATES = ("accepted", "confirmed")
REFUSED_STATES = ("blocked", "rejected", "withdrawn", "refused", "expired")
#: States that say that nothing has left yet.
WAITING_STATES = ("queued", "to_approve")

#: What may never be above zero.
FORBIDDEN = (
    "executed_twice",
    "lost",
    "called_done_wrongly",
    "executed_but_said_not",
    "over_refunded_orders",
    "sent_twice",
    "journal_differs",
    "names_repeated",
)

#: What the journal writes of actions that begin, and that move.
FIRST_EVENTS = ("asked", "recorded")
MOVING_EVENTS = (*FIRST_EVENTS, "state")

#: What a copy of the database may do, and is counted apart then.
EXCUSED = ("twice", "wrongly done", "wrongly not done")
#: Verdicts whose actions are named in the report.
SHOWN = ("twice", "lost", "wrongly done", "wrongly not done", "open", "person")

JOURNAL = """
    SELECT action_id, event, state_from, state_to FROM amazon_audit_entry
    WHERE action_id IS NOT NULL ORDER BY id
"""
ENVELOPES = """
    SELECT state, message_count > 1 AS several, count(*) AS count FROM amazon_feed
    GROUP BY state, several
"""
FAILED_JOBS = """
    SELECT method_name, exc_name, count(*) AS count FROM queue_job
    WHERE state = 'failed' GROUP BY method_name, exc_name
"""


def judge(
    world: World, wishes: list[Intent], orders: Iterable[dict], lives: Lives
) -> dict:
    """Return the counts that the run is about.

    :param orders: as they were given to the simulator
    :param lives: what the database may have forgotten
    """
    ledger = world.simulator.ledger()
    actions = world.rows(ACTIONS)
    marks = lives.marks | envelopes(world)
    known = [*lives.gone, *actions]
    _times, called_twice = chaos_calls.executions(wishes, known, ledger)
    twice = sent_twice(ledger, marks) | called_twice
    excused = excuse(lives, actions)
    return {
        **outcomes(wishes, actions, ledger, lives, marks),
        "over_refunded_orders": len(over_refunded(orders, ledger)),
        "sent_twice": len(twice - excused),
        "sent_twice_by_copy": len(twice & excused),
        "journal_differs": len(journal_differs(actions, world.rows(JOURNAL))),
        "feeds": Counter(row["status"] for row in ledger["feeds"]),
        "envelopes": _table(world.rows(ENVELOPES), "several", "state"),
        "failed_jobs": _table(world.rows(FAILED_JOBS), "method_name", "exc_name"),
        "calls": ledger["calls"],
    }


def _table(found: list[dict], *names: str) -> dict[str, int]:
    """Return counts by several values."""
    return {
        " ".join(f"{name}={row[name]}" for name in names): row["count"] for row in found
    }


def excuse(lives: Lives, actions: list[dict]) -> set[str]:
    """Return what names the messages that a copy may have sent as well: those of what
    waited when it was made. Refunds by the action, cancellations by the order."""
    waited = [row for row in actions if row["name"] in lives.waiting]
    return {
        row["order_ref"] if row["kind"] == "cancel" else row["name"] for row in waited
    }


def outcomes(
    wishes: list[Intent],
    actions: list[dict],
    ledger: dict,
    lives: Lives | None = None,
    marks: Mapping[str, set[str]] | None = None,
) -> dict:
    """Count what became of what was asked for.

    :param actions: rows of Odoo
    :param ledger: what Amazon has really executed
    :param marks: of the envelopes that are known, by digest
    """
    lives = lives or Lives()
    times = executions(actions, lives.gone, ledger, marks or {})
    times += chaos_calls.executions(wishes, [*lives.gone, *actions], ledger)[0]
    items = {row["merchant_adjustment_item_id"] for row in ledger["refunds"]}
    known = {row["name"] for row in actions}
    gone = {row["name"] for row in lives.gone}
    told = [wish.action for wish in wishes if wish.action]
    by_nonce = Counter(row["nonce"] for row in actions)
    found = defaultdict(list)
    for row in actions:
        verdicts = _judge_one(row, times[row["name"]]) | _judge_items(row, items)
        for verdict in verdicts:
            if row["name"] in lives.waiting and verdict in EXCUSED:
                verdict = f"{verdict}, by a copy"
            found[verdict].append(row["name"])
    found["twice"] += [name for name in gone - known if times[name] > 1]
    found["lost"] += [name for name in told if name not in known | gone]
    found["lost"] += [name for name in times if name not in known | gone]
    found["twice"] += [nonce for nonce, count in by_nonce.items() if count > 1]
    return {
        "requested": len(known | gone | set(told)),
        "executed_once": len(found["once"]),
        "executed_twice": len(found["twice"]),
        "not_executed_with_reason": len(found["reason"]),
        "lost": len(found["lost"]),
        "still_unknown": len(found["unknown"]),
        "still_unknown_percent": _percent(found["unknown"], actions),
        "unknown_after_fatal": len(found["unknown after FATAL"]),
        "needing_person": len(found["person"]),
        "needing_person_percent": _percent(found["person"], actions),
        "needing_person_because": _reasons(
            row for row in actions if row["name"] in found["person"]
        ),
        "waiting_for_approval": len(found["approval"]),
        "called_done_wrongly": len(found["wrongly done"]),
        "executed_but_said_not": len(found["wrongly not done"]),
        "names_repeated": len((known - lives.in_dump) & lives.names),
        "gone_with_restore": len(gone),
        "gone_and_executed": sum(1 for name in gone if times[name]),
        "not_at_its_end": len(found["open"]),
        "not_at_its_end_because": _reasons(
            row for row in actions if row["name"] in found["open"]
        ),
        "by_a_copy": {
            name: len(names) for name, names in found.items() if "copy" in name
        },
        "refused_on_screen": sum(1 for wish in wishes if wish.refusal),
        "nobody_was_told": sum(1 for wish in wishes if wish.gave_up),
        "told_withdrawn": sum(1 for wish in wishes if wish.withdrawn),
        "states": Counter(row["state"] for row in actions),
        "reasons": _reasons(
            row for row in actions if row["state"] in ("blocked", "rejected", "unknown")
        ),
        "names": {name: found[name][:20] for name in SHOWN if found[name]},
    }


def _percent(some: list, actions: list) -> float:
    return round(100 * len(some) / max(len(actions), 1), 2)


def _reasons(actions: Iterable[dict]) -> Counter:
    return Counter(
        f"{row['state']}: {_without_numbers(row['state_message'])}" for row in actions
    )


def _without_numbers(sentence: str | None) -> str:
    return re.sub(r"[\d.,-]*\d", "#", sentence or "-")


def executions(
    actions: list[dict],
    gone: list[dict],
    ledger: dict,
    marks: Mapping[str, set[str]],
) -> Counter:
    """Return how often each action was executed at Amazon.

    A refund or a cancellation of units carries the action's name in each of its items;
    a cancellation is known by its order, which Amazon can cancel only once.

    :param gone: actions that the database does not have any more
    :param marks: of the envelopes that are known, by digest
    """
    of_items = [*ledger["refunds"], *ledger["quantity_cancellations"]]
    items = Counter(row["merchant_adjustment_item_id"] or "?" for row in of_items)
    times: Counter = Counter()
    for item, count in items.items():
        name = item.rsplit("-", 1)[0]
        times[name] = max(times[name], count)
    digests = {row["feed_id"]: row["input_digest"] for row in ledger["feeds"]}
    by_order: dict = defaultdict(list)
    for row in [*gone, *actions]:
        if row["kind"] == "cancel":
            by_order[row["order_ref"]].append(row)
    for row in ledger["cancellations"]:
        digest = digests.get(row.get("feed_id"))
        times[_canceller(by_order[row["order_id"]], digest)] += 1
    return times


def _canceller(actions: list[dict], digest: str | None) -> str:
    """Return the action on an order that its cancellation is due to: one that left in
    that envelope, or else one that did not end without it, where there is one."""
    best = [row for row in actions if digest and row.get("digest") == digest]
    best = best or [row for row in actions if row["state"] not in REFUSED_STATES]
    return (best or actions)[-1]["name"] if actions else "?"


def _judge_one(row: dict, times: int) -> set[str]:
    """Return what is to be said of one action.

    :param times: how often it was executed
    """
    state, said = row["state"], set()
    if state == "unknown" and row["needs_person"]:
        said.add("person")
    elif state == "unknown":
        is_fatal = row["feed_status"] == "FATAL"
        said.add("unknown after FATAL" if is_fatal else "unknown")
    if state in OPEN_STATES:
        said.add("open")
    if state == "to_approve":
        said.add("approval")
    if times:
        said.add("once" if times == 1 else "twice")
        if state in (*REFUSED_STATES, *WAITING_STATES):
            said.add("wrongly not done")
    elif state in REFUSED_STATES:
        said.add("reason" if row["state_message"] else "lost")
    elif state in GOOD_STATES:
        said.add("wrongly done")
    elif state in OPEN_STATES:
        said.add("lost")
    return said


def _judge_items(row: dict, executed: set[str]) -> set[str]:
    """Return what is to be said of the items of a refund, which Amazon may have
    executed without the others.

    :param executed: the seller's numbers of the items that were
    """
    said = set()
    for item in row["items"] if row["kind"] == "refund" else ():
        is_done = any(f"{row['name']}-{line}" in executed for line in item["lines"])
        if is_done and item["is_rejected"]:
            said.add("wrongly not done")
        if not is_done and not item["is_rejected"] and row["state"] in GOOD_STATES:
            said.add("wrongly done")
    return said


def over_refunded(orders: Iterable[dict], ledger: dict) -> list[str]:
    """Return the orders whose buyers got more back than they had paid."""
    given: dict = defaultdict(Decimal)
    for row in ledger["refunds"]:
        given[row["order_id"]] += Decimal(row["amount"])
    return [order["id"] for order in orders if given[order["id"]] > charged(order)]


def charged(order: dict) -> Decimal:
    """Return what the buyer paid for an order whose prices include tax."""
    total = Decimal(0)
    for item in order["items"]:
        for part in ("price", "shipping", "gift_wrap"):
            total += Decimal(str(item.get(part, 0)))
        total -= sum(map(Decimal, item.get("discount", {}).values()), Decimal(0))
    return total


def sent_twice(ledger: dict, marks: Mapping[str, set[str]]) -> set[str]:
    """Return the messages that Amazon got in two feeds which it processed; of a refund
    by its action, of a cancellation by its order.

    Amazon would refuse most second ones; they may not be there at all.

    :param marks: of the envelopes that are known, by digest
    """
    seen: Counter = Counter()
    for feed in ledger["feeds"]:
        if feed["status"] == "DONE" and not feed.get("foreign"):
            seen.update(marks[feed["input_digest"]])
    return {_action_of(mark) for mark, count in seen.items() if count > 1}


def _action_of(mark: str) -> str:
    """Return the action of an item's number; the number of an order as it is."""
    return mark if re.fullmatch(r"\d{3}-\d{7}-\d{7}", mark) else mark.rsplit("-", 1)[0]


def journal_differs(actions: list[dict], journal: list[dict]) -> list[str]:
    """Return the actions whose journal does not lead to the state of the row."""
    entries = defaultdict(list)
    for entry in journal:
        entries[entry["action_id"]].append(entry)
    return [
        row["name"]
        for row in actions
        if not _leads_to(entries[row["id"]], row["state"])
    ]


def _leads_to(entries: list[dict], state: str) -> bool:
    if not entries or entries[0]["event"] not in FIRST_EVENTS:
        return False
    # a decision names the move once more that it leads to
    moves = [entry for entry in entries if entry["event"] in MOVING_EVENTS]
    unbroken = all(
        before["state_to"] == after["state_from"]
        for before, after in zip(moves, moves[1:], strict=False)
    )
    return unbroken and moves[-1]["state_to"] == state
