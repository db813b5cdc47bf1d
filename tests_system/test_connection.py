"""The administrator's first look at a new account, with the real transactions."""

from spapi_simulator.process import SimulatorProcess

from .conftest import Person


def test_connection_of_a_new_account_is_tested_without_an_error(simulator, odoo, stack):
    # the seller of the demo is connected already, and can be connected once
    stack.sql("UPDATE amazon_seller_account SET seller_id = seller_id || 'DEMO'")
    admin = Person(odoo.url, stack.database, "admin")
    account = admin.call(
        "amazon.seller.account",
        "create",
        {
            "name": "New",
            "seller_id": SimulatorProcess.SELLER_ID,
            "region": "eu",
            "environment": "simulator",
            "simulator_url": simulator.url,
            "lwa_client_id": SimulatorProcess.CLIENT_ID,
            "lwa_client_secret": SimulatorProcess.CLIENT_SECRET,
            "lwa_refresh_token": SimulatorProcess.REFRESH_TOKEN,
        },
    )
    before = len(odoo.output())
    admin.call("amazon.seller.account", "action_test_connection", [account])
    printed = odoo.output()[before:].splitlines()
    assert [line for line in printed if " ERROR " in line] == []
    fields = ["capability_ids", "participation_ids"]
    (found,) = admin.call("amazon.seller.account", "read", [account], fields)
    assert len(found["capability_ids"]) == 4
    assert found["participation_ids"]
