"""Real Odoo processes on a database of their own, and the simulator beside them."""

import os
import time
import xmlrpc.client

import pytest
import requests

from dev.settings import Settings
from dev.stack import prepared
from spapi_simulator.process import SimulatorProcess

OUTCOME_SECONDS = 90
PANEL = "amazon_order_panel"


class Person:
    """Somebody who works with Odoo over RPC, as the web client does."""

    def __init__(self, url, database, login):
        self._login = (database, login, login)
        self.connect(url)

    def connect(self, url):
        """Log in, also again after a restart."""
        database, login, password = self._login
        common = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common")
        uid = common.authenticate(database, login, password, {})
        assert uid, f"{login} cannot log in"
        self._key = (database, uid, password)
        self._jsonrpc = f"{url}/jsonrpc"
        self._object = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object")

    def call(self, model, method, *args, **kwargs):
        """Call a method of a model."""
        return self._object.execute_kw(*self._key, model, method, args, kwargs)

    def panel(self, ticket):
        """Return what the panel of a ticket shows; XML-RPC knows no empty values."""
        read = [*self._key, "helpdesk.ticket", "read", [[ticket], [PANEL]]]
        call = {"service": "object", "method": "execute_kw", "args": read}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                self._jsonrpc,
                json={"jsonrpc": "2.0", "method": "call", "params": call},
                timeout=OUTCOME_SECONDS,
            )
        (values,) = answer.json()["result"]
        return values[PANEL]["order"]

    def ticket_about(self, ref):
        """Return the id of the demo's ticket about an Amazon order, once it is read."""

        def found():
            order = self.call(
                "amazon.order",
                "search_read",
                [("amazon_order_ref", "=", ref)],
                fields=["read_at"],
            )
            return order and order[0]["read_at"]

        wait_for(found, f"the order {ref} is read")
        return self.call("helpdesk.ticket", "search", [("amazon_order_ref", "=", ref)])[
            0
        ]

    def refund_dialog(self, ref):
        """Open the dialog for a full refund, filled in, and return its id."""
        ticket = self.ticket_about(ref)
        dialog = self.call("helpdesk.ticket", "action_amazon_refund", [ticket])
        values = {"reason": "CustomerReturn", "is_second_meant": True}
        self.call("amazon.refund.request", "write", [dialog["res_id"]], values)
        return dialog["res_id"]

    def confirm_refund(self, dialog):
        """Click the button of the dialog."""
        self.call("amazon.refund.request", "action_refund", [dialog])

    def actions_about(self, ref):
        """Return the ids of the actions on an order, the newest first."""
        domain = [("order_id.amazon_order_ref", "=", ref)]
        return self.call("amazon.action", "search", domain, order="id desc")

    def refund(self, ref):
        """Ask for a full refund from the ticket and return the action's id."""
        self.confirm_refund(self.refund_dialog(ref))
        return self.actions_about(ref)[0]

    def state_of(self, action):
        """Return the state of an action."""
        return self.call("amazon.action", "read", [action], ["state"])[0]["state"]

    def wait_for_state(self, action, *states):
        """Wait until the action is in one of the states."""
        wait_for(
            lambda: self.state_of(action) in states,
            f"the action is {' or '.join(states)}",
            lambda: f"it is {self.state_of(action)}",
        )


def wait_for(
    condition, what, otherwise=lambda: "it did not happen", seconds=OUTCOME_SECONDS
):
    """Wait for something that other processes bring about.

    :raise AssertionError: when it does not happen in time
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"Waited for: {what}; {otherwise()}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def stack():
    # `make test` keeps job runners off; here they are what is tested.
    os.environ.pop("ODOO_QUEUE_JOB_CHANNELS", None)
    with prepared(Settings.from_environment(), tests=True) as workshop:
        with workshop.stack("amazon_helpdesk_system") as stack:
            # what is tested here begins when the time to take it back is over
            stack.sql("UPDATE amazon_account_kind SET undo_seconds = 0")
            yield stack


@pytest.fixture(scope="module")
def simulator(stack):
    with SimulatorProcess(processing_seconds=1, finance_delay_seconds=1) as process:
        process.reset(quotas=False)
        stack.connect_to(process)
        yield process


@pytest.fixture
def odoo(stack):
    """A running Odoo with its job runner."""
    service = stack.start_odoo()
    yield service
    service.stop()


@pytest.fixture
def agent(odoo, stack):
    return Person(odoo.url, stack.database, "agent")
