"""The log of a real Odoo with its job runner names no order and no buyer, whatever
happens; it is what people copy into tickets and send to others."""

import re

import yaml

from .conftest import wait_for
from .test_killed_call import UNSHIPPED, ship
from .test_killed_worker import no_faults  # noqa: F401

REFUNDED = "304-8830155-1274690"
UNKNOWN = "202-5540973-4417536"
NOBODYS = "305-1111111-1111111"
NUMBER = re.compile(r"\w{3}-\d{7}-\d{7}")
SEED = "spapi_simulator/demo_orders.yaml"
BUYER, TITLE = "zxNameOfTheBuyerxz", "zxTitleOfTheTicketxz"


def create_ticket(agent, ref):
    values = {
        "name": TITLE,
        "description": TITLE,
        "amazon_order_ref": ref,
        "partner_name": BUYER,
        "partner_email": f"{BUYER}@marketplace.amazon.de",
    }
    return agent.call("helpdesk.ticket", "create", values)


def words_of_the_demo(stack):
    """Return what the demo's buyers are called, where they live, and the numbers that
    the shop gave their orders."""
    seed = yaml.safe_load((stack.settings.root / SEED).read_text())
    orders = seed["fulfillment_orders"]
    address = orders[0]["address"]
    numbers = [order["id"] for order in orders]
    return [*numbers, address["name"], address["addressLine1"]]


def test_log_names_no_order_and_no_buyer(simulator, odoo, agent, stack):
    refund = agent.refund(REFUNDED)
    agent.wait_for_state(refund, "accepted", "confirmed")
    agent.ticket_about(UNSHIPPED)
    shipment = ship(agent, UNSHIPPED)
    agent.wait_for_state(shipment, "accepted", "confirmed")
    create_ticket(agent, NOBODYS)
    agent.ticket_about(UNKNOWN)
    simulator.fault("cut_after", "createFeed", times=1)
    lost = agent.refund(UNKNOWN)
    agent.wait_for_state(lost, "unknown", "accepted", "confirmed")
    read = "SELECT read_state FROM amazon_order WHERE amazon_order_ref = '%s'"
    wait_for(
        lambda: stack.sql(read % NOBODYS).strip() == "refused",
        "Amazon does not know it",
        lambda: stack.sql(read % NOBODYS),
    )
    printed = odoo.output()
    assert "HTTP Request: GET" in printed, "its HTTP client has spoken"
    assert "asking Odoo to run job" in printed, "and its job runner"
    assert [line for line in printed.splitlines() if NUMBER.search(line)] == []
    for word in (BUYER, TITLE, *words_of_the_demo(stack)):
        assert word not in printed
