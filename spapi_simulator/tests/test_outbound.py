"""Multi-Channel Fulfillment: read, cancel, change; the status moves by the clock."""

import pytest
import requests

from . import models
from .conftest import PROCESSING_SECONDS

HELD, PLANNED, PICKED, COMPLETE = (f"SHOP-{number}" for number in range(1001, 1005))
ADDRESS = {
    "name": "Max Muster",
    "addressLine1": "Neuer Weg 3",
    "city": "Bremen",
    "postalCode": "28195",
    "countryCode": "DE",
}


def message_of(answer):
    """Return Amazon's message of a refusal."""
    assert answer.status_code == 400, answer.text
    return answer.json()["errors"][0]["message"]


def test_complete_order_shows_its_package(amazon):
    order = amazon.fulfillment_order(COMPLETE)
    (shipment,) = order["fulfillmentShipments"]
    assert shipment["fulfillmentShipmentStatus"] == "SHIPPED"
    (package,) = shipment["fulfillmentShipmentPackage"]
    assert package["carrierCode"] == "Amazon Logistics"
    assert package["trackingNumber"] == "DE4400218837"


def test_order_on_hold_has_no_shipment(amazon):
    order = amazon.fulfillment_order(HELD)
    assert order["fulfillmentOrder"]["fulfillmentAction"] == "Hold"
    assert order["fulfillmentOrder"]["fulfillmentOrderStatus"] == "Received"
    assert order["fulfillmentShipments"] == []


def test_unknown_and_too_long_numbers(amazon):
    path = "/fba/outbound/2020-07-01/fulfillmentOrders/"
    assert amazon.get(path + "SHOP-9999").status_code == 404
    assert amazon.get(path + "X" * 41).status_code == 400


# === CANCEL === #


@models.needs_models
@pytest.mark.parametrize("order_id", [HELD, PLANNED])
def test_cancellation_is_accepted_and_done_a_while_later(simulator, amazon, order_id):
    answer = amazon.cancel_fulfillment(order_id)
    assert (answer.status_code, answer.json()) == (200, {})
    models.check_answer("cancelFulfillmentOrder", answer)
    assert amazon.fulfillment_status(order_id) != "Cancelled"
    assert simulator.ledger()["executed"]["mcf_cancellations"] == 0
    simulator.advance(PROCESSING_SECONDS)
    order = amazon.fulfillment_order(order_id)
    assert order["fulfillmentOrder"]["fulfillmentOrderStatus"] == "Cancelled"
    for item in order["fulfillmentOrderItems"]:
        assert item["cancelledQuantity"] == item["quantity"]
    (row,) = simulator.ledger()["mcf_cancellations"]
    assert row["seller_fulfillment_order_id"] == order_id
    assert row["state"] == "executed"
    assert row["request_id"] == answer.headers["x-amzn-RequestId"]
    assert simulator.ledger()["executed"]["mcf_cancellations"] == 1


@pytest.mark.parametrize(
    ("order_id", "word"), [(PICKED, "Processing"), (COMPLETE, "Complete")]
)
def test_too_late_to_cancel(simulator, amazon, order_id, word):
    assert f"status is {word}" in message_of(amazon.cancel_fulfillment(order_id))
    assert simulator.ledger()["mcf_cancellations"] == []


def test_cancelled_once_only(simulator, amazon):
    amazon.cancel_fulfillment(HELD)
    assert "already" in message_of(amazon.cancel_fulfillment(HELD))
    simulator.advance(PROCESSING_SECONDS)
    assert "Cancelled" in message_of(amazon.cancel_fulfillment(HELD))
    assert len(simulator.ledger()["mcf_cancellations"]) == 1


def test_picking_that_began_meanwhile_wins(simulator, amazon):
    amazon.cancel_fulfillment(PLANNED)
    simulator.happen(PLANNED, "mcf_status", status="PROCESSING")
    simulator.advance(PROCESSING_SECONDS)
    assert amazon.fulfillment_status(PLANNED) == "Processing"
    assert simulator.ledger()["mcf_cancellations"][0]["state"] == "failed"


@pytest.mark.parametrize(("kind", "executed"), [("cut_before", 0), ("cut_after", 1)])
def test_a_lost_answer(simulator, amazon, kind, executed):
    simulator.fault(kind, "cancelFulfillmentOrder")
    with pytest.raises(requests.ConnectionError):
        amazon.cancel_fulfillment(HELD)
    simulator.advance(PROCESSING_SECONDS)
    assert simulator.ledger()["executed"]["mcf_cancellations"] == executed


# === UPDATE === #


@models.needs_models
def test_order_is_changed_at_once(simulator, amazon):
    changes = {
        "destinationAddress": ADDRESS,
        "shippingSpeedCategory": "Priority",
        "displayableOrderComment": "Danke!",
        "fulfillmentAction": "Ship",
        "items": [{"sellerFulfillmentOrderItemId": f"{HELD}-1", "quantity": 1}],
    }
    answer = amazon.update_fulfillment(HELD, **changes)
    assert (answer.status_code, answer.json()) == (200, {})
    models.check_answer("updateFulfillmentOrder", answer)
    order = amazon.fulfillment_order(HELD)
    shown = order["fulfillmentOrder"]
    for name in set(changes) - {"items"}:
        assert shown[name] == changes[name]
    assert [item["quantity"] for item in order["fulfillmentOrderItems"]] == [1, 1]
    (row,) = simulator.ledger()["mcf_updates"]
    assert row["seller_fulfillment_order_id"] == HELD
    assert row["changes"] == changes
    assert row["request_id"] == answer.headers["x-amzn-RequestId"]


@pytest.mark.parametrize("order_id", [PICKED, COMPLETE])
def test_too_late_to_change(simulator, amazon, order_id):
    answer = amazon.update_fulfillment(order_id, shippingSpeedCategory="Priority")
    assert "cannot be updated" in message_of(answer)
    assert simulator.ledger()["mcf_updates"] == []


def test_order_that_is_being_cancelled_cannot_change(amazon):
    amazon.cancel_fulfillment(HELD)
    answer = amazon.update_fulfillment(HELD, fulfillmentAction="Ship")
    assert "being cancelled" in message_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"shippingSpeedCategory": "Fast"},
        {"shippingSpeedCategory": "ScheduledDelivery"},
        {"fulfillmentAction": "HOLD"},
        {"displayableOrderComment": "x" * 751},
        {"displayableOrderId": "x" * 41},
        {"marketplaceId": "ATVPDKIKX0DER"},
        {"destinationAddress": {"name": "Max"}},
        {"destinationAddress": ADDRESS | {"countryCode": "Germany"}},
        {"destinationAddress": {**ADDRESS, "city": ""}},
        {"destinationAddress": ADDRESS | {"email": "max@example.com"}},
        {"items": [{"sellerFulfillmentOrderItemId": "nope", "quantity": 1}]},
        {"items": [{"sellerFulfillmentOrderItemId": f"{HELD}-1", "quantity": 0}]},
        {"items": [{"sellerFulfillmentOrderItemId": f"{HELD}-1"}]},
        {"notificationEmails": ["x" * 65]},
        {"color": "red"},
    ],
)
def test_change_that_amazon_would_refuse(simulator, amazon, body):
    before = amazon.fulfillment_order(HELD)
    assert message_of(amazon.update_fulfillment(HELD, **body))
    assert amazon.fulfillment_order(HELD) == before
    assert simulator.ledger()["mcf_updates"] == []


def test_planned_order_cannot_be_held_any_more(amazon):
    answer = amazon.update_fulfillment(PLANNED, fulfillmentAction="Hold")
    assert "cannot be held" in message_of(answer)


# === STATUS === #


def test_order_moves_by_the_clock_but_not_on_hold(simulator, amazon):
    simulator.change(mcf_step_seconds=600)
    seen = []
    for _ in range(4):
        seen.append(amazon.fulfillment_status(PLANNED))
        simulator.advance(600)
    assert seen == ["Planning", "Processing", "Complete", "Complete"]
    assert amazon.fulfillment_status(HELD) == "Received"


def test_order_moves_on_when_its_hold_ends(simulator, amazon):
    simulator.change(mcf_step_seconds=600)
    simulator.advance(1800)
    amazon.update_fulfillment(HELD, fulfillmentAction="Ship")
    assert amazon.fulfillment_status(HELD) == "Received"
    simulator.advance(600)
    assert amazon.fulfillment_status(HELD) == "Planning"


def test_order_moves_by_control(simulator, amazon):
    packages = [{"carrier": "DHL", "number": "1"}]
    simulator.happen(PICKED, "mcf_status", status="complete", packages=packages)
    order = amazon.fulfillment_order(PICKED)
    assert order["fulfillmentOrder"]["fulfillmentOrderStatus"] == "Complete"
    (shipment,) = order["fulfillmentShipments"]
    assert shipment["fulfillmentShipmentPackage"][0]["trackingNumber"] == "1"


def test_orders_can_be_added(simulator, amazon):
    simulator.add_fulfillment_order(
        {
            "id": "WEB-1",
            "marketplace": "DE",
            "status": "new",
            "address": ADDRESS,
            "items": [{"id": "1", "sku": "S", "quantity": 5}],
        }
    )
    assert amazon.fulfillment_status("WEB-1") == "New"
    assert amazon.cancel_fulfillment("WEB-1").status_code == 200
