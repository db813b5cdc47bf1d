"""What is done inside Odoo for the benchmarks, see inside.py.

These prepare what is measured, past the screens where those would take hours, but by
the addon's own methods. Those that are measured themselves say so.
"""

from lxml import etree

from odoo.fields import Command

#: What an agent who may refund and cancel has. The addon's groups are missing in a
#: database without it.
GROUPS = (
    "base.group_user",
    "helpdesk_mgmt.group_helpdesk_user",
    "sales_team.group_sale_salesman_all_leads",
    "amazon_helpdesk_actions.group_refund",
    "amazon_helpdesk_actions.group_cancel",
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


def open_tickets(env, refs):
    """Create a ticket about each order and read the order. Quotas must be off.

    :return: the ids of the tickets
    """
    tickets = create_tickets(env, refs)
    orders = env["amazon.order"].search([("amazon_order_ref", "in", refs)])
    for number, order in enumerate(orders):
        if number % READ_AT_ONCE == 0:
            fill_quotas(env)
        order._read_from_amazon()
        if order.read_state != "read":
            raise RuntimeError(f"{order.amazon_order_ref}: {order.read_message}")
        env.cr.commit()
        env.invalidate_all()
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
