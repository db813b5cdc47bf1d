"""What is done inside Odoo for the benchmarks, see inside.py.

These prepare what is measured, past the screens where those would take hours, but by
the addon's own methods. Those that are measured themselves say so.
"""

import threading
import time
from collections import Counter
from datetime import datetime, timezone

import httpx
import requests
from lxml import etree

from odoo.fields import Command

from odoo.addons.queue_job.controllers.main import RunJobController

#: What an agent who may refund and cancel has. The addon's groups are missing in a
#: database without it.
GROUPS = (
    "base.group_user",
    "helpdesk_mgmt.group_helpdesk_user",
    "sales_team.group_sale_salesman_all_leads",
    "amazon_order_actions.group_refund",
    "amazon_order_actions.group_cancel",
)

#: Orders that are read before Amazon's quota is forgotten again.
READ_AT_ONCE = 10


def hire(env, count):
    """Create agents ``bench_agent_0`` and so on; the password is the login."""
    groups = filter(None, (env.ref(name, raise_if_not_found=False) for name in GROUPS))
    env["res.users"].create(
        [
            {
                "name": f"Agent {number}",
                "login": f"bench_agent_{number}",
                "password": f"bench_agent_{number}",
                "email": f"agent{number}@example.com",
                "notification_type": "inbox",
                "group_ids": [Command.set([group.id for group in groups])],
            }
            for number, groups in enumerate([list(groups)] * count)
        ]
    )


def limit_refunds(env, amount):
    """Let everybody refund alone up to an amount each time, by a row of the matrix."""
    group = env.ref("amazon_order_actions.group_refund")
    env["amazon.authority"].create(
        [
            {
                "company_id": company.id,
                "right": "refund",
                "group_id": group.id,
                "limit_action": amount,
            }
            for company in env["amazon.seller.account"].search([]).company_id
        ]
    )


def open_tickets(env, refs):
    """Create a ticket about each order and read the order. Quotas must be off.

    :return: the ids of the tickets
    """
    tickets = create_tickets(env, refs)
    orders = env["amazon.order"].search([("amazon_order_ref", "in", refs)])
    env.cr.commit()
    # As in a shop that has been at work for a while: what changes from now on is seen
    # in Amazon's lists
    orders.env["amazon.range.reading"]._read_ranges(orders.account_id)
    for number, order in enumerate(orders):
        if number % READ_AT_ONCE == 0:
            fill_quotas(env)
        order._read_from_amazon()
        if order.read_state != "read":
            raise RuntimeError(f"{order.amazon_order_ref}: {order.read_message}")
        env.cr.commit()
        env.invalidate_all()
    fill_quotas(env)
    return tickets.ids


def create_tickets(env, refs):
    """Create tickets of a team, each by a buyer, assigned to an agent.

    :param refs: Amazon order numbers, or False where the addon is missing
    """
    team = env["helpdesk.ticket.team"].search([], limit=1)
    agents = env["res.users"].search([("login", "like", "bench_agent_")])
    buyers = env["res.partner"].create(
        [
            {"name": f"Buyer {number}", "email": f"buyer{number}@example.com"}
            for number, _ref in enumerate(refs)
        ]
    )
    has_addon = "amazon_order_ref" in env["helpdesk.ticket"]._fields
    return env["helpdesk.ticket"].create(
        [
            {
                "name": f"Where is my parcel? ({number})",
                "description": "<p>It has not arrived. Please help.</p>",
                "team_id": team.id,
                "partner_id": buyer.id,
                "partner_name": buyer.name,
                "partner_email": buyer.email,
                "user_id": agents[number % len(agents)].id,
                **({"amazon_order_ref": ref} if has_addon and ref else {}),
            }
            for number, (ref, buyer) in enumerate(zip(refs, buyers, strict=True))
        ]
    )


def fill_quotas(env):
    """Forget what was called: every bucket of Amazon's quotas is full again."""
    if "amazon.quota" in env:
        env.cr.commit()
        env.cr.execute("DELETE FROM amazon_quota")
        env.cr.commit()


def open_dialogs(env, tickets, agents):
    """Open the dialog for a full refund of each ticket's order, filled in.

    :param tickets: ids; the first is the first agent's, the second the second's ...
    :return: the ids of the dialogs, in the order of the tickets
    """
    users = _agents(env, agents)
    dialogs = []
    for number, ticket_id in enumerate(tickets):
        user = users[number % agents]
        ticket = env["helpdesk.ticket"].with_user(user).browse(ticket_id)
        action = ticket.action_amazon_refund()
        dialog = ticket.env[action["res_model"]].browse(action["res_id"])
        dialog.reason = "CustomerReturn"
        dialogs.append(dialog.id)
        if number % 100 == 99:
            env.cr.commit()
            env.invalidate_all()
    return dialogs


def ask_for_refunds(env, tickets):
    """Ask for a full refund of each ticket's order. Nothing is sent here."""
    dialogs = open_dialogs(env, tickets, 1)
    for dialog in _as_agent(env)["amazon.refund.request"].browse(dialogs):
        dialog.action_refund()
        env.cr.commit()


def _agents(env, count):
    by_login = {
        user.login: user
        for user in env["res.users"].search([("login", "like", "bench_agent_")])
    }
    return [by_login[f"bench_agent_{number}"] for number in range(count)]


def view_specifications(env):
    """Return what the web client reads for the form and for the list of tickets.

    :return: the specifications of ``web_read`` and ``web_search_read``
    :rtype: dict
    """
    (agent,) = _agents(env, 1)
    tickets = env["helpdesk.ticket"].with_user(agent)
    return {
        kind: _specification(
            tickets, etree.fromstring(tickets.get_view(None, kind)["arch"])
        )
        for kind in ("form", "list")
    }


def _specification(model, view):
    """As the web client makes it from a view (relational_model/utils.js)."""
    level = view.xpath("count(ancestor::field)")
    nodes = view.xpath(f".//field[count(ancestor::field) = {level}]")
    return {
        node.get("name"): _field_specification(model, node)
        for node in nodes
        if node.get("column_invisible") not in ("1", "True")
    }


def _field_specification(model, node):
    field = model._fields[node.get("name")]
    if field.type in ("many2one", "reference"):
        return {"fields": {"display_name": {}}}
    if field.type not in ("one2many", "many2many"):
        return {}
    views = [child for child in node if child.tag in ("list", "kanban")]
    if views:
        return {"fields": _specification(model.env[field.comodel_name], views[0])}
    return {"fields": {"display_name": {}}}


def open_plain_tickets(env, count):
    """Create tickets in a database without the addon, and return their ids."""
    return create_tickets(env, [False] * count).ids


# === THE JOURNAL === #


def append(env, count, way, start_at):
    """Append entries as clicks do, one in each transaction.

    :param str way: ``journal``: as the addon does; ``plain``: an INSERT of the same
        values without names, digest and chain
    :param float start_at: when to begin, in seconds since 1970
    :return: seconds of all, and milliseconds of each append with its commit
    :rtype: dict
    """
    action = env["amazon.action"].search([], limit=1)
    vals = action._prepare_journal_entry("asked", state_to="queued")
    vals |= {"user_id": action.user_id.id}
    ids = action.user_id.id, action.account_id.id, action.id, action.currency_id.id
    env.cr.commit()
    time.sleep(max(start_at - time.time(), 0))
    began, each = time.perf_counter(), []
    for _number in range(count):
        with env.registry.cursor() as cr:
            own = env(cr=cr)
            _know(own, *ids)
            before = time.perf_counter()
            if way == "journal":
                own["amazon.audit.entry"]._append([dict(vals)])
            else:
                _insert(cr, vals)
            cr.commit()
            each.append(1000 * (time.perf_counter() - before))
    return {"seconds": time.perf_counter() - began, "each": each}


def append_at_once(env, count):
    """Append many entries in one transaction."""
    action = env["amazon.action"].search([], limit=1)
    vals = action._prepare_journal_entry("asked", state_to="queued")
    env["amazon.audit.entry"]._append([vals] * count)


def _know(env, user, account, action, currency):
    """Read what a click has read before it appends anything."""
    env["res.users"].browse(user).mapped("name")
    env["amazon.seller.account"].browse(account).mapped("seller_id")
    env["amazon.action"].browse(action).mapped("name")
    env["res.currency"].browse(currency).mapped("name")


def _insert(cr, vals):
    columns = {**vals, "occurred_at": datetime.now(timezone.utc).replace(tzinfo=None)}
    names = ", ".join(columns)
    places = ", ".join(["%s"] * len(columns))
    cr.execute(
        f"INSERT INTO amazon_audit_entry ({names}) VALUES ({places}) RETURNING id",
        [value or None for value in columns.values()],
    )


def seal(env):
    """Seal what waits in all companies.

    :return: the seconds
    """
    began = time.perf_counter()
    env["amazon.audit.link"]._cron_seal()
    return time.perf_counter() - began


def check_journal(env):
    """Check the longest journal of all companies, whole.

    :return: entries checked, and the seconds
    """
    links = env["amazon.audit.link"]
    [[company]] = links._read_group([], ["company_id"], order="__count DESC", limit=1)
    check = env["amazon.audit.check"]._start(company)
    began = time.perf_counter()
    check._run(3600)
    if check.state != "holds":
        raise RuntimeError(check.details)
    return check.entries, time.perf_counter() - began


# === ONE ACTION, AND A PAST OF MANY === #


def refund(env, ticket):
    """Refund the order of a ticket, from the click until it is accepted.

    :return: milliseconds of the click (``ask``), of all ``jobs``, of each job by its
        method, of reading the ``panel``, of what monitoring reads (``health``) and of
        the dispatcher's search (``queue``), without HTTP; the ``total`` of click and
        jobs, and its SQL ``queries``
    :rtype: dict
    """
    fill_quotas(env)
    (dialog,) = open_dialogs(env, [ticket], 1)
    env.cr.commit()
    database = env.registry
    result = {"by_job": Counter()}
    with Stopwatch() as watch, database.cursor() as cr:
        agent = _as_agent(env(cr=cr))
        agent["amazon.refund.request"].browse(dialog).action_refund()
    result["ask"], queries = watch.milliseconds, watch.queries
    # nobody takes it back
    env.cr.rollback()
    env.cr.execute("UPDATE amazon_action SET due_at = asked_at WHERE state = 'queued'")
    env.cr.commit()
    with Stopwatch() as watch, database.cursor() as cr:
        lanes = _waiting_lanes(env(cr=cr))
    result["queue"] = watch.milliseconds
    result["lanes"] = len(lanes)
    order = env["helpdesk.ticket"].browse(ticket).amazon_order_id
    while True:
        env.cr.rollback()
        env.invalidate_all()
        job = _next_job(env, order)
        if not job:
            break
        with Stopwatch() as watch:
            _run_job(env, job.uuid)
        result["by_job"][job.method_name] += watch.milliseconds
        queries += watch.queries
    with Stopwatch() as watch, database.cursor() as cr:
        agent = _as_agent(env(cr=cr))
        agent["helpdesk.ticket"].browse(ticket).read(["amazon_order_panel"])
    result["panel"] = watch.milliseconds
    with Stopwatch() as watch, database.cursor() as cr:
        health = env(cr=cr)["amazon.health"].with_company(order.company_id)
        health._as_text()
    result["health"] = watch.milliseconds
    result["jobs"] = sum(result["by_job"].values())
    result["total"] = result["ask"] + result["jobs"]
    result["queries"] = queries
    return result


class Stopwatch:
    """Wall time and SQL queries, without the time that HTTP requests take."""

    _elsewhere = 0.0

    def __enter__(self):
        type(self)._elsewhere = 0.0
        threading.current_thread().query_count = 0
        threading.current_thread().query_time = 0
        self._started = time.perf_counter()
        return self

    def __exit__(self, *exc_info):
        seconds = time.perf_counter() - self._started - self._elsewhere
        self.milliseconds = 1000 * seconds
        self.queries = threading.current_thread().query_count

    @classmethod
    def take_out(cls, send):
        """Wrap a method that sends a request, so that its time does not count."""

        def timed(*args, **kwargs):
            started = time.perf_counter()
            try:
                return send(*args, **kwargs)
            finally:
                cls._elsewhere += time.perf_counter() - started

        return timed


for session in (requests.Session, httpx.Client):
    session.send = Stopwatch.take_out(session.send)


def _as_agent(env):
    (user,) = _agents(env, 1)
    context = {"lang": "en_US", "allowed_company_ids": user.company_ids.ids}
    return env(user=user.id, context=context)


def _waiting_lanes(env):
    """Search what a dispatcher would send now, as it does."""
    from odoo.addons.amazon_order_actions.models.action.lane import Lane

    account = env.ref("amazon_order_actions.demo_account_eu")
    lane = Lane(account.id, "A1PA6795UKMFR9", "POST_PAYMENT_ADJUSTMENT_DATA")
    return env["amazon.feed"]._due(lane)


def _next_job(env, order):
    """Return the next job on the way to *accepted*; nothing when it is there."""
    action = env["amazon.action"].search([("order_id", "=", order.id)], limit=1)
    if action.state not in ("queued", "sending", "submitted"):
        if action.state not in ("accepted", "confirmed"):
            raise RuntimeError(f"{action.state}: {action.state_message}")
        env.cr.execute("DELETE FROM queue_job")
        env.cr.commit()
        return None
    job = env["queue.job"].search([("state", "=", "pending")], order="id", limit=1)
    if not job:
        raise RuntimeError(f"No job for {action.state}: {action.state_message}")
    return job


def _run_job(env, uuid):
    """Run a job now, as the HTTP controller of queue_job does."""
    with env.registry.cursor() as cr:
        own = env(cr=cr)
        cr.execute(
            "UPDATE queue_job SET state = 'enqueued', eta = NULL WHERE uuid = %s",
            [uuid],
        )
        cr.commit()
        job = RunJobController._acquire_job(own, uuid)
        RunJobController._runjob(own, job)


def repeat_the_past(env, count):
    """Copy the only action there is, with its order and journal, so many times.

    The rows are PostgreSQL's own copies: all columns alike, but for those that name
    another row or must be unique.
    """
    # the checks of foreign keys would take most of the time
    env.cr.execute("SET LOCAL session_replication_role = replica")
    past = Past(env.cr, count)
    past.copy("amazon_order", amazon_order_ref="to_char(n, 'FM000-0000000') || '-past'")
    past.copy("amazon_order_line", order_id="amazon_order")
    past.copy(
        "amazon_order_charge", order_id="amazon_order", line_id="amazon_order_line"
    )
    past.copy("amazon_feed", one_in=50)
    past.copy(
        "amazon_action",
        order_id="amazon_order",
        feed_id="amazon_feed",
        name="'PAST-' || n",
        nonce="'past-' || n",
        state="'confirmed'",
    )
    past.copy(
        "amazon_action_line",
        action_id="amazon_action",
        charge_id="amazon_order_charge",
    )
    past.copy(
        "amazon_audit_entry",
        action_id="amazon_action",
        amazon_order_ref="to_char(n, 'FM000-0000000') || '-past'",
    )


class Past:
    """Copies rows; row n of a table belongs to row n of the others.

    :param cr: the cursor
    :param int count: how many copies
    """

    def __init__(self, cr, count):
        self._cr = cr
        self._count = count
        self._tables = {}

    def copy(self, table, one_in=1, **changed):
        """Copy the rows of a table, those of one order each time.

        :param int one_in: so many rows of other tables belong to one of this
        :param changed: SQL for a column, with ``n`` as the number of the copy; the name
            of a table that was copied before stands for the id of its copy
        """
        cr = self._cr
        cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE"
            " table_schema = 'public' AND table_name = %s AND column_name <> 'id'",
            [table],
        )
        columns = [name for (name,) in cr.fetchall()]
        cr.execute(f"SELECT array_agg(id ORDER BY id), max(id) FROM {table}")
        ids, last = cr.fetchone()
        if table in ("amazon_order", "amazon_order_line", "amazon_order_charge"):
            ids = self._of_the_action(table)
        self._tables[table] = ids, last, one_in
        rows = len(ids)
        values = [self._value(name, changed.get(name)) for name in columns]
        cr.execute(
            f"""
            INSERT INTO {table} (id, {", ".join(f'"{name}"' for name in columns)})
            SELECT {last} + (n - 1) * {rows} + place, {", ".join(values)}
              FROM generate_series(1, {max(self._count // one_in, 1)}) AS n
             CROSS JOIN unnest(%s::int[]) WITH ORDINALITY AS source (of, place)
              JOIN {table} AS row ON row.id = source.of
            """,
            [ids],
        )
        cr.execute(
            "SELECT setval(pg_get_serial_sequence(%s, 'id'),"
            f" (SELECT max(id) FROM {table}))",
            [table],
        )

    def _value(self, column, changed):
        if changed is None:
            return f'row."{column}"'
        if changed not in self._tables:
            return changed
        ids, last, one_in = self._tables[changed]
        place = f'array_position(ARRAY{ids}, row."{column}")'
        copy = f"(n - 1) / {one_in}" if one_in > 1 else "n - 1"
        return f"{last} + ({copy}) * {len(ids)} + {place}"

    def _of_the_action(self, table):
        """Return the ids of the rows of the order that was refunded."""
        column = "id" if table == "amazon_order" else "order_id"
        self._cr.execute(
            f"SELECT array_agg(id ORDER BY id) FROM {table}"
            f" WHERE {column} IN (SELECT order_id FROM amazon_action)"
        )
        return self._cr.fetchone()[0]
