"""Clicks that happen at the same time, against a real server with real transactions."""

import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

from .conftest import Person

CLICKS = 6


def click_at_once(odoo, stack, dialogs):
    """Click the button of each dialog at the same time, each over its own connection.

    :return: what was refused, in words
    """
    people = [Person(odoo.url, stack.database, "agent") for _dialog in dialogs]

    def click(person, dialog):
        try:
            person.confirm_refund(dialog)
        except xmlrpc.client.Fault as fault:
            return fault.faultString
        return None

    with ThreadPoolExecutor(len(dialogs)) as pool:
        answers = list(pool.map(click, people, dialogs))
    return [answer for answer in answers if answer]


def test_dialogs_at_once_promise_the_same_money_once(odoo, stack, simulator, agent):
    ref = "112-3957204-8816273"
    dialogs = [agent.refund_dialog(ref) for _click in range(CLICKS)]
    refused = click_at_once(odoo, stack, dialogs)
    assert len(agent.actions_about(ref)) == 1
    assert len(refused) == CLICKS - 1
    for words in refused:
        assert "left" in words or "could not serialize" in words


def test_one_dialog_clicked_at_once_asks_once(odoo, stack, simulator, agent):
    ref = "250-6184470-7729031"
    dialog = agent.refund_dialog(ref)
    click_at_once(odoo, stack, [dialog] * CLICKS)
    assert len(agent.actions_about(ref)) == 1


def test_refreshes_at_once_lose_no_job(odoo, stack, simulator, agent):
    refs = ["202-1735509-6648827", "305-2260917-9913547"]
    actions = [agent.refund(ref) for ref in refs]
    domain = [("amazon_order_ref", "in", refs)]
    orders = agent.call("amazon.order", "search", domain)

    def refresh(_number):
        person = Person(odoo.url, stack.database, "agent")
        for _time in range(10):
            for order in orders:
                try:
                    person.call("amazon.order", "action_refresh", [order])
                except xmlrpc.client.Fault as fault:
                    # Odoo has tried five times; a person would click again
                    assert "serialize" in fault.faultString

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(refresh, range(3)))
    for action in actions:
        agent.wait_for_state(action, "confirmed")
    assert not stack.sql(
        "SELECT method_name, exc_info FROM queue_job WHERE state = 'failed'"
    )
