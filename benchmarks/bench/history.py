"""What one action costs with 1,000 and with 1,000,000 past actions.

Two databases that differ in nothing else: 1,000 or 1,000,000 confirmed refunds, each of
an order of its own with its item, charges, refund at Amazon and four journal entries
(copies, made by SQL, of one refund that was really done; `ANALYZE` after it), 50
actions to a feed. An Odoo process inside of each does one refund after the other, in
turns: the click (the dialog is opened before), then every job until it is accepted,
each as queue_job's own controller runs it, with its commits and an empty cache. The
time that HTTP requests to the simulator take is taken out of the total; it would only
hide a difference. Also timed: reading the panel of the ticket, what a monitoring system
reads, and the search for what a lane has to send.

The limit: an index of PostgreSQL is one or two pages deeper with 1,000 times the rows.
"""

from __future__ import annotations

from . import measure

FEW, MANY = 1_000, 1_000_000
ACTIONS = 130
WARM_UP = 10


def run(office) -> None:
    """Print the cost of each part with many past actions, against few."""
    count = max(measure.amount(ACTIONS), WARM_UP + 3)
    past = {"few": FEW, "many": max(measure.amount(MANY), FEW)}
    stack, inside, simulator, tickets = office.shop(2 * count + 1, suffix="_few")
    inside.do("refund", ticket=tickets[0])
    inside.close()
    many = office.stack("_many")
    office.workshop.databases.copy(stack.database, many.database)
    workers = {}
    for name, database in (("few", stack.database), ("many", many.database)):
        measure.note(f"{past[name]:,} past actions ...")
        workers[name] = office.inside(database)
        workers[name].do("repeat_the_past", count=past[name])
        office.workshop.cluster.sql("VACUUM ANALYZE", database)
    measure.note(f"{count} actions in each ...")
    rows: dict[str, list[dict]] = {"few": [], "many": []}

    def turn(name: str, own: list[int]):
        # Amazon's orders are the same: each database refunds others
        return lambda n: rows[name].append(workers[name].do("refund", ticket=own[n]))

    measure.interleaved(
        count, turn("few", tickets[1 : count + 1]), turn("many", tickets[count + 1 :])
    )
    measure.keep("history", {"past": past, **rows})
    report(rows, past, stack, many)


def report(rows: dict[str, list[dict]], past: dict[str, int], stack, many) -> None:
    """Print the total, which has a goal, and its parts."""
    few, many_rows = (rows[name][WARM_UP:] for name in ("few", "many"))
    for part in ("total", "ask", "jobs", "panel", "health", "queue"):
        values = [measure.median([row[part] for row in of]) for of in (many_rows, few)]
        goal = {}
        if part == "total":
            goal = {"goal": "at most 1.2", "met": values[0] <= 1.2 * values[1]}
        measure.report(
            f"history.{part}",
            values[0],
            "ms",
            baseline=values[1],
            n=len(few),
            past=list(past.values()),
            **goal,
        )
    measure.report(
        "history.queries",
        measure.median([row["queries"] for row in many_rows]),
        "queries",
        baseline=measure.median([row["queries"] for row in few]),
        n=len(few),
        journal_rows=[
            int(each.sql("SELECT count(*) FROM amazon_audit_entry"))
            for each in (stack, many)
        ],
    )
