"""What goes to Amazon by a direct call, not by a feed: confirmations of shipments, and
changes and cancellations of fulfillment orders. Who wants them, what goes wrong with
them, and what Amazon's ledger has of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from benchmarks.chaos_people import Intent
from benchmarks.chaos_trouble import AT_LEAST, LONG_SECONDS, REQUEST_FAULTS, Event

KINDS = ("ship", "mcf_update", "mcf_cancel")
OPERATIONS = ("confirmShipment", "updateFulfillmentOrder", "cancelFulfillmentOrder")
READING = "getFulfillmentOrder"

#: Of what is asked for, how much goes by a direct call; of that, how much are shipments
#: and cancellations of fulfillment orders. The rest changes them.
SHARE, SHIP_SHARE, CANCEL_SHARE = 0.2, 0.6, 0.15
#: Of the shipments of several units, how many are of one package with one of them, and
#: another one with the rest.
PACKAGES_SHARE = 0.4
#: Of the shipments of a whole order, about how many somebody else cancels the order at
#: the same moment: one of them gets it.
RACE_SHARE = 0.1
#: Real seconds between two faults of direct calls, on average.
FAULT_EVERY = 3
#: Of the workers that are killed while they send, how many in a direct call.
KILL_SHARE = 0.4


def count_of(actions: int) -> tuple[int, int]:
    """Return how many shipments are asked for, and how much of fulfillment orders.

    :param actions: wishes of the whole run that can be granted
    """
    calls = round(actions * SHARE)
    shipments = round(calls * SHIP_SHARE)
    return shipments, calls - shipments


def wishes(
    chance: random.Random, unshipped: list[dict], fulfillment: list[dict]
) -> list[list[Intent]]:
    """Decide who wants what: groups of wishes that are asked for at the same moment.

    :param unshipped: orders, each of which is shipped
    :param fulfillment: fulfillment orders, each of which is changed or cancelled
    """
    groups = []
    for order in unshipped:
        groups += _shipments(chance, order)
    for order in fulfillment:
        kind = "mcf_cancel" if chance.random() < CANCEL_SHARE else "mcf_update"
        groups.append([Intent(kind, order["id"], mark=f"MARK-{order['id']}")])
    return groups


def _shipments(chance: random.Random, order: dict) -> Iterator[list[Intent]]:
    """Yield the wishes to ship an order, in one package or in two."""
    whole = Intent("ship", order["id"], mark=_tracking(order, 1))
    units = sum(item["quantity"] for item in order["items"])
    if units > 1 and chance.random() < PACKAGES_SHARE:
        yield [replace(whole, unit=True)]
        # what is left of it by then
        yield [replace(whole, mark=_tracking(order, 2))]
        return
    group = [whole]
    drawn = chance.random()
    if drawn < RACE_SHARE:
        group.append(Intent("cancel", order["id"], rival=True))
    elif drawn < 2 * RACE_SHARE:
        group.append(replace(whole, rival=True, mark=_tracking(order, 2)))
    yield group


def _tracking(order: dict, number: int) -> str:
    """Return a tracking number that is in no other package."""
    return f"{order['id'].replace('-', '')}P{number}"


def mix(
    chance: random.Random, others: list[Intent], groups: list[list[Intent]]
) -> list[Intent]:
    """Put groups of wishes among others, whose order stays."""
    together: list[list[Intent]] = []
    for wish in others:
        if wish.rival and together:
            together[-1].append(wish)
        else:
            together.append([wish])
    for group in groups:
        together.insert(chance.randint(0, len(together)), group)
    return [wish for group in together for wish in group]


def meet(chance: random.Random, events: list[Event], seconds: float) -> list[Event]:
    """Return what goes wrong with direct calls as well: some of the workers that are
    killed while they send are killed in one, and their requests fail in every way."""
    found = []
    for event in events:
        options = event.options
        if options.get("target") == "dispatching" and chance.random() < KILL_SHARE:
            options = options | {"during": chance.choice(OPERATIONS)}
            event = replace(event, options=options)
        found.append(event)
    least = AT_LEAST if seconds >= LONG_SECONDS else 0
    kinds = [row for row in REQUEST_FAULTS for _time in range(least)]
    while len(kinds) < seconds / FAULT_EVERY:
        kinds.append(chance.choice(REQUEST_FAULTS))
    found += [_fault(chance, row, seconds) for row in kinds]
    return sorted(found, key=lambda event: event.at)


def _fault(chance: random.Random, row: tuple, seconds: float) -> Event:
    kind, _weight, hold = row
    operation = chance.choice((*OPERATIONS, *OPERATIONS, READING))
    options = {"kind": kind, "operation": operation, "times": chance.randint(1, 2)}
    if hold:
        options["seconds"] = round(chance.uniform(*hold), 2)
    return Event(chance.uniform(0, seconds), "fault", options)


# === WHAT AMAZON'S LEDGER HAS === #


def executions(
    asked: Iterable[Intent], actions: Iterable[dict], ledger: dict
) -> tuple[Counter, set[str]]:
    """Return how often the action of each direct call was executed, and which of them
    Amazon was sent more than once, whatever it made of it.

    Each wish has a mark of its own that Amazon keeps: the tracking number of the
    package, the comment on the packing slip. A cancellation is known by its order. What
    nobody has wished for counts for the action ``?``.

    :param actions: rows of Odoo, also those that a restore took
    """
    marks = {wish.nonce: wish.mark for wish in asked if wish.kind in KINDS}
    of_calls = [row for row in actions if row["kind"] in KINDS]
    by_mark = {
        marks[row["nonce"]]: row["name"] for row in of_calls if row["nonce"] in marks
    }
    cancelled_by = {
        row["order_ref"]: row["name"]
        for row in sorted(of_calls, key=lambda row: row["state"] == "confirmed")
        if row["kind"] == "mcf_cancel"
    }
    times: Counter = Counter()
    sent: Counter = Counter()
    for row in ledger.get("shipments", ()):
        name = by_mark.get(row["tracking_number"], "?")
        sent[name] += 1
        # the same package once more charges nobody again
        times[name] += not row["update"]
    for row in ledger.get("mcf_updates", ()):
        name = by_mark.get(row["changes"].get("displayableOrderComment"), "?")
        sent[name] += 1
        times[name] += 1
    for row in ledger.get("mcf_cancellations", ()):
        name = cancelled_by.get(row["seller_fulfillment_order_id"], "?")
        sent[name] += 1
        times[name] += row["state"] == "executed"
    return +times, {name for name, count in sent.items() if count > 1}
