"""What the click costs: confirming the dialog of a refund.

One agent, over the web client's own RPC (a session, a connection that stays open). For
each of 200 tickets the dialog is opened and filled in, and then three things take turns
on that ticket: the dialog is confirmed; a message is posted; a message is sent to the
buyer, whose mail is handed over to a port that takes none. The time is Odoo's own of
the request, from its log (from reading the request to sending the answer, the commit
included). The job runner is off, since jobs do not belong to the click. The matrix has
a row that limits what goes alone; none of the clicks is above it.

The limit: what Odoo itself needs to post a message, since each action posts one note.
"""

from __future__ import annotations

from . import measure
from .office import NO_JOBS, log_in
from .rpc import Agent, served

CLICKS = 220
#: Not counted: the first requests load views, translations and rules.
WARM_UP = 20

CONFIRM = "amazon.refund.request/action_refund"
POST = "helpdesk.ticket/message_post"

#: What was aimed at: times a message, at the median and at the 95th percentile, and
#: queries.
TIMES_A_MESSAGE = 1.5
QUERIES = 26

#: Of a refund that goes alone; the orders are below it.
LIMIT = 100_000


def run(office) -> None:
    """Print median and 95th percentile of the click."""
    count = max(measure.amount(CLICKS), WARM_UP + 5)
    stack, inside, _simulator, tickets = office.shop(count)
    inside.do("limit_refunds", amount=LIMIT)
    odoo = stack.start_odoo(env=NO_JOBS)
    (agent,) = log_in(odoo.url, stack.database)
    dialogs = [open_dialog(agent, ticket) for ticket in tickets]
    read = agent.call("helpdesk.ticket", "read", tickets, ["partner_id"])
    buyers = {row["id"]: row["partner_id"][0] for row in read}
    buyers = [buyers[ticket] for ticket in tickets]
    measure.interleaved(
        count,
        lambda n: agent.call("amazon.refund.request", "action_refund", [dialogs[n]]),
        lambda n: post(agent, tickets[n]),
        lambda n: post(agent, tickets[n], buyers[n]),
    )
    rows = served(odoo)
    confirmed = [row for row in rows if row.call == CONFIRM][WARM_UP:]
    posted = [row for row in rows if row.call == POST]
    messages, mails = split(posted, count)
    report(confirmed, messages[WARM_UP:], mails[WARM_UP:])


def open_dialog(agent: Agent, ticket: int) -> int:
    """Open the dialog for a full refund, filled in, and return its id."""
    dialog = agent.call("helpdesk.ticket", "action_amazon_refund", [ticket])["res_id"]
    values = {"reason": "CustomerReturn"}
    agent.call("amazon.refund.request", "write", [dialog], values)
    return dialog


def post(agent: Agent, ticket: int, *recipients: int) -> None:
    """Post a message on a ticket."""
    agent.call(
        "helpdesk.ticket",
        "message_post",
        [ticket],
        body="Thank you for your message. We look into it.",
        message_type="comment",
        subtype_xmlid="mail.mt_comment",
        partner_ids=recipients,
    )


def split(posted: list, count: int) -> tuple[list, list]:
    """Tell the messages from the mails: in every third round the mail comes first."""
    messages, mails = [], []
    for number in range(count):
        pair = posted[2 * number : 2 * number + 2]
        if number % 3 == 2:
            pair.reverse()
        messages.append(pair[0])
        mails.append(pair[1])
    return messages, mails


def report(confirmed: list, messages: list, mails: list) -> None:
    """Print how the click compares with a message and with a mail."""
    for percent in (50, 95):
        values = [
            measure.percentile([row.milliseconds for row in rows], percent)
            for rows in (confirmed, messages, mails)
        ]
        measure.report(
            f"click.p{percent}",
            values[0],
            "ms",
            baseline=values[1],
            n=len(confirmed),
            goal=f"at most {TIMES_A_MESSAGE} times a message",
            met=values[0] <= TIMES_A_MESSAGE * values[1],
            mail_ms=values[2],
            seed=measure.SEED,
        )
    queries = [
        measure.median([row.queries for row in rows])
        for rows in (confirmed, messages, mails)
    ]
    measure.report(
        "click.queries",
        queries[0],
        "queries",
        baseline=queries[1],
        n=len(confirmed),
        goal=f"at most {QUERIES}",
        met=queries[0] <= QUERIES,
        mail_queries=queries[2],
    )
    measure.keep(
        "click",
        {"click": confirmed, "message": messages, "mail": mails},
    )
