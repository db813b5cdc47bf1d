"""Limits of a day, and clicks on several orders at the same time: each click is alone
in its transaction, and none sees what the others are about to do."""

import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import Person

# Shipped orders of the simulator's seed; two more people may refund them.
REFS = (
    "302-4481516-2342108",
    "305-2260917-9913547",
    "304-8830155-1274690",
    "112-3957204-8816273",
)
AMOUNT = 3


@pytest.fixture
def admin(odoo, stack):
    return Person(odoo.url, stack.database, "admin")


@pytest.fixture
def limit(admin, agent):
    """Return a function that gives a row with one limit of the day: enough for one of
    the clicks, and for no second one."""
    given = []

    def give(name):
        group = admin.call(
            "ir.model.data",
            "search_read",
            [("module", "=", "amazon_order_actions"), ("name", "=", "group_refund")],
            fields=["res_id"],
        )[0]["res_id"]
        used = used_today(admin)
        values = {"right": "refund", "group_id": group, name: used + 1.5 * AMOUNT}
        given.append(admin.call("amazon.authority", "create", values))

    yield give
    admin.call("amazon.authority", "unlink", given)


def used_today(admin):
    counted = admin.call(
        "amazon.action",
        "search_read",
        [("state", "not in", ["withdrawn", "blocked", "rejected", "expired"])],
        fields=["amount_company"],
    )
    return sum(action["amount_company"] for action in counted)


def ask_at_once(odoo, stack, agent, logins):
    """Refund a little of each order at the same time, each over its own connection.

    :return: the states that the actions have gone to first
    """
    known = agent.call("amazon.action", "search", [], order="id desc", limit=1)
    dialogs = []
    for ref, login in zip(REFS, logins, strict=True):
        person = Person(odoo.url, stack.database, login)
        dialog = person.refund_dialog(ref)
        values = {"mode": "amount", "amount": AMOUNT}
        person.call("amazon.refund.request", "write", [dialog], values)
        dialogs.append((person, dialog))

    def click(person, dialog):
        try:
            person.confirm_refund(dialog)
        except xmlrpc.client.Fault as fault:
            return fault.faultString
        return None

    with ThreadPoolExecutor(len(dialogs)) as pool:
        refused = [*filter(None, pool.map(lambda pair: click(*pair), dialogs))]
    assert not refused, refused[0]
    asked = agent.call(
        "amazon.action",
        "search_read",
        [("id", ">", known[0] if known else 0)],
        fields=["approval_ids"],
    )
    assert len(asked) == len(REFS)
    return sorted(bool(action["approval_ids"]) for action in asked)


def test_one_person_at_once_stays_within_the_day(odoo, stack, simulator, agent, limit):
    limit("limit_person_day")
    waits = ask_at_once(odoo, stack, agent, ["agent"] * len(REFS))
    assert waits == [False, True, True, True]


def test_one_group_at_once_stays_within_the_day(odoo, stack, simulator, agent, limit):
    limit("limit_group_day")
    waits = ask_at_once(odoo, stack, agent, ["agent", "admin"] * 2)
    assert waits == [False, True, True, True]
