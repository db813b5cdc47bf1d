"""Requests for the same units of an order at the same time, each over its own
connection: they meet where the order is taken, and units are promised once."""

import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

from .conftest import Person

# FR, one of two items is shipped
ONE_LEFT = "404-6612388-0457172"
# DE, two items, not shipped
TWO_ITEMS = "303-7719024-5588321"


def cancel_dialog(person, ref, quantity=None):
    """Open the dialog to cancel an order, or so many units of its first item."""
    ticket = person.ticket_about(ref)
    dialog = person.call("helpdesk.ticket", "action_amazon_cancel", [ticket])["res_id"]
    if not quantity:
        values = {"scope": "order", "reason": "NoInventory"}
    else:
        model = "amazon.cancel.request.line"
        lines = person.call(model, "search", [("request_id", "=", dialog)])
        values = {
            "scope": "items",
            "items_reason": "NoInventory",
            "line_ids": [(1, lines[0], {"quantity": quantity})],
        }
    person.call("amazon.cancel.request", "write", [dialog], values)
    return dialog


def click_at_once(odoo, stack, dialogs):
    """Click the button of each dialog at the same time, each over its own connection.

    :return: what was refused, in words
    """
    people = [Person(odoo.url, stack.database, "agent") for _dialog in dialogs]

    def click(person, dialog):
        try:
            person.call("amazon.cancel.request", "action_cancel_order", [dialog])
        except xmlrpc.client.Fault as fault:
            return fault.faultString
        return None

    with ThreadPoolExecutor(len(dialogs)) as pool:
        return [*filter(None, pool.map(click, people, dialogs))]


def test_units_at_once_are_promised_once(odoo, stack, simulator, agent):
    dialogs = [cancel_dialog(agent, ONE_LEFT, 1) for _click in range(4)]
    refused = click_at_once(odoo, stack, dialogs)
    (action,) = agent.actions_about(ONE_LEFT)
    assert len(refused) == 3
    for words in refused:
        assert "Nothing is left" in words or "could not serialize" in words
    agent.wait_for_state(action, "confirmed")


def test_units_and_whole_order_at_once_meet(odoo, stack, simulator, agent):
    dialogs = [
        cancel_dialog(agent, TWO_ITEMS, quantity) for quantity in (1, None, 1, None)
    ]
    refused = click_at_once(odoo, stack, dialogs)
    assert len(agent.actions_about(TWO_ITEMS)) == 1
    assert len(refused) == 3
