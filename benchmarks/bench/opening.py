"""What opening the form and the list of tickets costs, with and without the addon.

Two databases of one Odoo process: one with helpdesk, sales and queue_job as they come,
one with the addon as well. Both have the same tickets; with the addon each is about an
Amazon order that was read. One agent opens the same tickets in turns, over RPC, with
what the web client asks for: `web_read` with all fields of the form, `web_search_read`
with the columns of the list and a page of 80, and what the addon's panel asks besides
when it opens (nothing, where the order was read in the last ten minutes). SQL queries
and time are Odoo's own count and clock, from its log; the first openings are left out.
What the chatter loads is not changed by the addon and not counted. The simulator counts
the calls to Amazon.

The limit: the order and its actions must be read, a query each.
"""

from __future__ import annotations

from dev.databases import BASE_TEMPLATE
from dev.stack import Stack

from . import measure
from .office import NO_JOBS, log_in
from .rpc import served

TICKETS = 80
OPENINGS = 110
WARM_UP = 10


def run(office) -> None:
    """Print queries and time of both views, with and without the addon."""
    stack, inside, simulator, tickets = office.shop(TICKETS)
    plain, plain_inside, plain_tickets = without_addon(office)
    asked = {
        stack.database: inside.do("view_specifications"),
        plain.database: plain_inside.do("view_specifications"),
    }
    before = sum(simulator.ledger()["calls"].values())
    both = f"{stack.database},{plain.database}"
    odoo = stack.start_odoo(0, "--database", both, env=NO_JOBS)
    for name in ("form", "list"):
        rows = {}
        turns = []
        for database, ids in (
            (stack.database, tickets),
            (plain.database, plain_tickets),
        ):
            (agent,) = log_in(odoo.url, database)
            rows[database] = []
            opener = {"form": open_form, "list": open_list}[name]
            turns.append(
                counted(odoo, rows[database], opener, agent, asked[database][name], ids)
            )
        measure.interleaved(measure.amount(OPENINGS), *turns)
        report(name, rows[stack.database], rows[plain.database])
    calls = sum(simulator.ledger()["calls"].values()) - before
    measure.report(
        "opening.amazon_calls",
        calls,
        "calls",
        n=2 * measure.amount(OPENINGS),
        goal="none",
        met=not calls,
    )


def without_addon(office) -> tuple[Stack, object, list[int]]:
    """Return the same tickets in a database that has not got the addon."""
    stack = office.stack("_plain")
    office.workshop.databases.copy(BASE_TEMPLATE, stack.database)
    stack.sql("DELETE FROM queue_job")
    inside = office.inside(stack.database)
    inside.do("hire", count=1)
    tickets = inside.do("open_plain_tickets", count=TICKETS)
    stack.sql("VACUUM ANALYZE")
    return stack, inside, tickets


def counted(odoo, rows: list, opener, agent, specification: dict, ids: list[int]):
    """Return a turn that opens a view and keeps what the server says of it."""

    def turn(number: int) -> None:
        before = len(served(odoo))
        opener(agent, specification, ids, number)
        rows.append(served(odoo)[before:])

    return turn


def open_form(agent, specification: dict, ids: list[int], number: int) -> None:
    """Open a ticket's form."""
    ticket = ids[number % len(ids)]
    (record,) = agent.call(
        "helpdesk.ticket", "web_read", [ticket], specification=specification
    )
    order = (record.get("amazon_order_panel") or {}).get("order")
    if order and order["is_stale"]:
        agent.call("amazon.order", "refresh_if_stale", [order["id"]])


def open_list(agent, specification: dict, ids: list[int], _number: int) -> None:
    """Open the list of the tickets."""
    agent.call(
        "helpdesk.ticket",
        "web_search_read",
        domain=[("id", "in", ids)],
        specification=specification,
        offset=0,
        order="",
        limit=80,
        count_limit=10001,
    )


def report(name: str, with_addon: list, without: list) -> None:
    """Print how many queries more there are, and the times."""
    allowed = {"form": 4, "list": 1}[name]
    queries, times = [], []
    for rows in (with_addon[WARM_UP:], without[WARM_UP:]):
        queries.append(measure.median([sum(r.queries for r in row) for row in rows]))
        times.append(measure.median([sum(r.milliseconds for r in row) for row in rows]))
    more = queries[0] - queries[1]
    last = {row.call: row.queries for row in with_addon[-1]}
    measure.report(
        f"opening.{name}.queries",
        queries[0],
        "queries",
        baseline=queries[1],
        n=len(with_addon) - WARM_UP,
        goal=f"at most {allowed} more",
        met=more <= allowed,
        more=more,
        by_call=last,
    )
    measure.report(
        f"opening.{name}.time",
        times[0],
        "ms",
        baseline=times[1],
        n=len(with_addon) - WARM_UP,
    )
