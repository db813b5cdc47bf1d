"""Compares what people were told, Odoo's rows, its journal, and Amazon's ledger."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from decimal import Decimal

from benchmarks.chaos_people import Intent
from benchmarks.chaos_world import World

#: States in which an action has not come to an end.
OPEN_STATES = ("queued", "sending", "submitted")
GOOD_STATES = ("accepted", "confirmed")
REFUSED_STATES = ("blocked", "rejected", "withdrawn")

#: What may never be above zero.
FORBIDDEN = (
    "executed_twice",
    "lost",
    "called_done_wrongly",
    "executed_but_said_not",
    "over_refunded_orders",
    "sent_twice",
    "journal_differs",
)

ACTIONS = """
    SELECT coalesce(json_agg(row), '[]') FROM (
        SELECT action.id, action.name, action.kind, action.state, action.nonce,
            action.state_message, action.needs_person,
            orders.amazon_order_ref AS order_ref
        FROM amazon_action AS action
        JOIN amazon_order AS orders ON orders.id = action.order_id
    ) AS row
"""
JOURNAL = """
    SELECT coalesce(json_agg(row), '[]') FROM (
        SELECT action_id, event, state_from, state_to FROM amazon_audit_entry
        WHERE action_id IS NOT NULL ORDER BY id
    ) AS row
"""
#: The envelopes that Amazon may have.
PAYLOADS = """
    SELECT coalesce(json_agg(row), '[]') FROM (
        SELECT feed.payload_digest AS digest, attachment.store_fname AS file
        FROM amazon_feed AS feed
        JOIN ir_attachment AS attachment ON attachment.id = feed.payload_attachment_id
    ) AS row
"""


def rows(world: World, query: str) -> list[dict]:
    """Return what a query selects as JSON."""
    return json.loads(world.sql(query))


def judge(world: World, wishes: list[Intent], orders: Iterable[dict]) -> dict:
    """Return the counts that the run is about.

    :param orders: as they were given to the simulator
    """
    ledger = world.simulator.ledger()
    actions = rows(world, ACTIONS)
    return {
        **outcomes(wishes, actions, ledger),
        "over_refunded_orders": len(over_refunded(orders, ledger)),
        "sent_twice": len(sent_twice(world, ledger)),
        "journal_differs": len(journal_differs(actions, rows(world, JOURNAL))),
        "feeds": Counter(row["status"] for row in ledger["feeds"]),
        "calls": ledger["calls"],
    }


def outcomes(wishes: list[Intent], actions: list[dict], ledger: dict) -> dict:
    """Count what became of what was asked for.

    :param actions: rows of Odoo
    :param ledger: what Amazon has really executed
    """
    times = executions(actions, ledger)
    known = {row["name"] for row in actions}
    told = [wish.action for wish in wishes if wish.action]
    by_nonce = Counter(row["nonce"] for row in actions)
    found = defaultdict(list)
    for row in actions:
        for name in _judge_one(row, times[row["name"]]):
            found[name].append(row["name"])
    vanished = [name for name in told if name not in known]
    twice = [nonce for nonce, count in by_nonce.items() if count > 1]
    return {
        "requested": len(known | set(told)),
        "executed_once": len(found["once"]),
        "executed_twice": len(found["twice"]) + len(twice),
        "not_executed_with_reason": len(found["reason"]),
        "lost": len(found["lost"]) + len(vanished),
        "still_unknown": len(found["unknown"]),
        "needing_person": len(found["person"]),
        "without_outcome_percent": round(
            100 * (len(found["person"]) + len(found["unknown"])) / max(len(actions), 1),
            2,
        ),
        "called_done_wrongly": len(found["wrongly done"]),
        "executed_but_said_not": len(found["wrongly not done"]),
        "not_at_its_end": len(found["open"]),
        "refused_on_screen": sum(1 for wish in wishes if wish.refusal),
        "nobody_was_told": sum(1 for wish in wishes if wish.gave_up),
        "told_withdrawn": sum(1 for wish in wishes if wish.withdrawn),
        "states": Counter(row["state"] for row in actions),
        "reasons": Counter(
            _without_numbers(row["state_message"])
            for row in actions
            if row["state"] in ("blocked", "rejected", "unknown")
        ),
        "names": {
            name: found[name][:20]
            for name in ("twice", "lost", "person")
            if found[name]
        },
    }


def _without_numbers(sentence: str | None) -> str:
    return re.sub(r"[\d.,-]*\d", "#", sentence or "-")


def executions(actions: list[dict], ledger: dict) -> Counter:
    """Return how often each action was executed at Amazon.

    A refund carries the action's name in each of its items; a cancellation is known
    by its order, which Amazon can cancel only once.
    """
    items = Counter(
        row["merchant_adjustment_item_id"] or "?" for row in ledger["refunds"]
    )
    times: Counter = Counter()
    for item, count in items.items():
        name = item.rsplit("-", 1)[0]
        times[name] = max(times[name], count)
    cancelled = Counter(row["order_id"] for row in ledger["cancellations"])
    by_order = defaultdict(list)
    for row in actions:
        if row["kind"] == "cancel":
            by_order[row["order_ref"]].append(row)
    for order, count in cancelled.items():
        times[_canceller(by_order[order])] += count
    return times


def _canceller(actions: list[dict]) -> str:
    """Return the action on an order that its cancellation is due to: one that did not
    end without it, where there is one."""
    best = [row for row in actions if row["state"] not in REFUSED_STATES] or actions
    return best[-1]["name"] if best else "?"


def _judge_one(row: dict, times: int) -> list[str]:
    """Return what is to be said of one action."""
    state, said = row["state"], []
    if state == "unknown":
        said.append("person" if row["needs_person"] else "unknown")
    if state in OPEN_STATES:
        said.append("open")
    if times:
        said.append("once" if times == 1 else "twice")
        if state in (*REFUSED_STATES, "queued"):
            said.append("wrongly not done")
    elif state in REFUSED_STATES:
        said.append("reason" if row["state_message"] else "lost")
    elif state in GOOD_STATES:
        said.append("wrongly done")
    elif state in OPEN_STATES:
        said.append("lost")
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


def sent_twice(world: World, ledger: dict) -> list[str]:
    """Return the messages that Amazon got in two feeds which it processed.

    Amazon would refuse most second ones; they may not be there at all.
    """
    files = {row["digest"]: row["file"] for row in rows(world, PAYLOADS)}
    seen: Counter = Counter()
    for feed in ledger["feeds"]:
        if feed["status"] == "DONE":
            seen.update(_marks(world.file(files[feed["input_digest"]])))
    return [mark for mark, count in seen.items() if count > 1]


def _marks(payload: bytes) -> set[str]:
    """Return what names the messages of an envelope: of a refund the seller's number
    of each item, of a cancellation the order."""
    text = payload.decode()
    element = "MerchantAdjustmentItemID"
    if element not in text:
        element = "AmazonOrderID"
    return {part.split("<")[0] for part in text.split(f"<{element}>")[1:]}


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
    if not entries or entries[0]["event"] not in ("asked", "recorded"):
        return False
    moves = [entry for entry in entries if entry["state_to"]]
    unbroken = all(
        before["state_to"] == after["state_from"]
        for before, after in zip(moves, moves[1:], strict=False)
    )
    return unbroken and moves[-1]["state_to"] == state
