"""confirmShipment: units are shipped and charged once, packages are shown."""

from datetime import datetime, timedelta, timezone

import pytest
import requests

from . import models
from .amazon import (
    FR,
    JP,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    Amazon,
    refund,
)
from .conftest import FINANCE_DELAY_SECONDS

LAMP, BULBS = UNSHIPPED_ITEMS  # 1 and 2 units, 54.90 and 25.98
ALL = {LAMP: 1, BULBS: 2}


def message_of(answer):
    """Return Amazon's message of a refusal."""
    assert answer.status_code == 400, answer.text
    # what is refused, and in which words, is so without Amazon's models, too
    if models.FOLDER.is_dir():
        models.check_answer("confirmShipment", answer)
    (error,) = answer.json()["errors"]
    assert error["code"] == "InvalidInput"
    return error["message"]


def open_units(amazon):
    """Return {item id: (fulfilled, unfulfilled)} of the unshipped demo order."""
    return {
        item["orderItemId"]: (
            item["fulfillment"]["quantityFulfilled"],
            item["fulfillment"]["quantityUnfulfilled"],
        )
        for item in amazon.order(UNSHIPPED)["orderItems"]
    }


@models.needs_models
def test_shipped_order_shows_its_package_and_the_buyer_is_charged(simulator, amazon):
    answer = amazon.confirm(UNSHIPPED, ALL, shippingMethod="DHL Paket")
    assert answer.status_code == 204
    models.check_answer("confirmShipment", answer)
    order = amazon.order(UNSHIPPED, "FULFILLMENT,PACKAGES")
    assert order["fulfillment"]["fulfillmentStatus"] == "SHIPPED"
    (package,) = order["packages"]
    assert package["packageReferenceId"] == "1"
    assert package["carrier"] == "DHL"
    assert package["shippingService"] == "DHL Paket"
    assert package["trackingNumber"] == "JJD000390012345"
    assert package["packageItems"] == [
        {"orderItemId": LAMP, "quantity": 1},
        {"orderItemId": BULBS, "quantity": 2},
    ]
    (row,) = simulator.ledger()["shipments"]
    assert (row["amount"], row["update"], row["items"]) == ("80.88", False, ALL)
    assert row["request_id"] == answer.headers["x-amzn-RequestId"]
    assert simulator.ledger()["executed"]["shipments"] == 1
    assert amazon.events(UNSHIPPED, "ShipmentEventList") == []
    simulator.advance(FINANCE_DELAY_SECONDS)
    assert len(amazon.events(UNSHIPPED, "ShipmentEventList")) == 1


def test_parts_of_an_order_are_charged_one_by_one_and_add_up(simulator, amazon):
    assert amazon.confirm(UNSHIPPED, {BULBS: 1}).status_code == 204
    assert amazon.status(UNSHIPPED) == "PARTIALLY_SHIPPED"
    assert open_units(amazon) == {LAMP: (0, 1), BULBS: (1, 1)}
    assert amazon.confirm(UNSHIPPED, {BULBS: 1, LAMP: 1}, "2").status_code == 204
    assert amazon.status(UNSHIPPED) == "SHIPPED"
    packages = amazon.order(UNSHIPPED, "PACKAGES")["packages"]
    assert [row["packageReferenceId"] for row in packages] == ["1", "2"]
    rows = simulator.ledger()["shipments"]
    assert [row["amount"] for row in rows] == ["12.99", "67.89"]


def test_shipped_units_can_be_refunded_and_open_ones_not(simulator, amazon, run):
    amazon.confirm(UNSHIPPED, {BULBS: 1})
    over = refund(UNSHIPPED, BULBS, Principal="13.00")
    other = refund(UNSHIPPED, LAMP, Principal="1.00")
    good = refund(UNSHIPPED, BULBS, Principal="12.99")
    assert sorted(run(REFUND, over, other, good)[1]) == [1, 2]


def test_the_same_package_again_changes_it_and_charges_nobody(simulator, amazon):
    amazon.confirm(UNSHIPPED, ALL)
    again = amazon.confirm(UNSHIPPED, ALL, carrierCode="UPS", trackingNumber="1Z999")
    assert again.status_code == 204
    (package,) = amazon.order(UNSHIPPED, "PACKAGES")["packages"]
    assert (package["carrier"], package["trackingNumber"]) == ("UPS", "1Z999")
    rows = simulator.ledger()["shipments"]
    assert [(row["update"], row["amount"]) for row in rows] == [
        (False, "80.88"),
        (True, None),
    ]
    assert simulator.ledger()["executed"]["shipments"] == 1
    simulator.advance(FINANCE_DELAY_SECONDS)
    assert len(amazon.events(UNSHIPPED, "ShipmentEventList")) == 1


def test_tracking_of_a_shipped_order_can_be_corrected(amazon):
    answer = amazon.confirm(SHIPPED, {SHIPPED_ITEM: 1}, trackingNumber="NEW-1")
    assert answer.status_code == 204
    (package,) = amazon.order(SHIPPED, "PACKAGES")["packages"]
    assert package["trackingNumber"] == "NEW-1"


def test_reference_of_another_package_is_refused(simulator, amazon):
    amazon.confirm(UNSHIPPED, {BULBS: 1})
    assert "already used" in message_of(amazon.confirm(UNSHIPPED, {BULBS: 2}))
    assert "already used" in message_of(amazon.confirm(UNSHIPPED, {LAMP: 1}))
    assert len(simulator.ledger()["shipments"]) == 1


@pytest.mark.parametrize(
    ("items", "changes", "words"),
    [
        ({BULBS: 3}, {}, "larger than could be fulfilled (2)"),
        ({SHIPPED_ITEM: 1}, {}, "is not in the order"),
        ({}, {}, "orderItems has 0 entries"),
        ({BULBS: 0}, {}, "at least 1"),
        ({BULBS: "1"}, {}, "invalid type"),
        (ALL, {"carrierCode": "Pigeon"}, "CarrierCode"),
        (ALL, {"carrierCode": "Other"}, "CarrierName"),
        (ALL, {"carrierCode": None}, "carrierCode is missing"),
        (ALL, {"trackingNumber": None}, "trackingNumber is missing"),
        (ALL, {"trackingNumber": ""}, "trackingNumber"),
        (ALL, {"packageReferenceId": "A1"}, "must be a positive numeric value"),
        (ALL, {"packageReferenceId": "0"}, "must be a positive numeric value"),
        (ALL, {"packageReferenceId": 1}, "[packageDetail.packageReferenceId]"),
        (ALL, {"shipDate": "02/21/2022"}, "shipDate"),
        (ALL, {"shipDate": "2020-01-01T00:00:00Z"}, "ShipDate"),
        (ALL, {"color": "red"}, "color is not a key"),
        (ALL, {"marketplace": FR}, "MarketplaceId"),
    ],
)
def test_shipment_that_amazon_would_refuse(simulator, amazon, items, changes, words):
    assert words in message_of(amazon.confirm(UNSHIPPED, items, **changes))
    assert simulator.ledger()["shipments"] == []
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"


def test_shipment_from_the_future_is_refused(amazon):
    future = datetime.now(timezone.utc) + timedelta(days=3)
    answer = amazon.confirm(UNSHIPPED, ALL, shipDate=future.isoformat())
    assert "ShipDate" in message_of(answer)


@pytest.mark.parametrize(
    ("order_id", "item_id", "words"),
    [
        ("302-9057741-6620389", "147645420375344", "Pending"),
        ("305-6608213-9947150", "147645420375566", "by Amazon"),
        (SHIPPED, SHIPPED_ITEM, "PackageToUpdateNotFound"),
    ],
)
def test_order_that_cannot_be_shipped(simulator, amazon, order_id, item_id, words):
    answer = amazon.confirm(order_id, {item_id: 1}, reference="7")
    assert words in message_of(answer)
    assert simulator.ledger()["shipments"] == []


@pytest.mark.parametrize("order_id", ["302-0000000-0000000", "S02-4417308-1920563"])
def test_unknown_order(amazon, order_id):
    assert amazon.confirm(order_id, {LAMP: 1}).status_code == 404


def test_other_carrier_needs_a_name(amazon):
    answer = amazon.confirm(
        UNSHIPPED, ALL, carrierCode="Other", carrierName="Fahrradkurier Nord"
    )
    assert answer.status_code == 204
    (package,) = amazon.order(UNSHIPPED, "PACKAGES")["packages"]
    assert package["carrier"] == "Fahrradkurier Nord"


def test_cash_on_delivery_is_for_japan(simulator, amazon):
    path = f"/orders/v0/orders/{UNSHIPPED}/shipmentConfirmation"
    detail = {
        "packageReferenceId": "1",
        "carrierCode": "DHL",
        "trackingNumber": "1",
        "shipDate": simulator.now(),
        "orderItems": [{"orderItemId": LAMP, "quantity": 1}],
    }
    body = {"packageDetail": detail, "codCollectionMethod": "DirectPayment"}
    german = body | {"marketplaceId": "A1PA6795UKMFR9"}
    assert "JP" in message_of(amazon.call("POST", path, json=german))
    japanese = Amazon(simulator.url, "ADEMOSELLER03", "Atzr|demo-refresh-token-jp")
    order = {
        "id": "250-1111111-1111111",
        "seller": "ADEMOSELLER03",
        "marketplace": "JP",
        "status": "unshipped",
        "items": [
            {"id": LAMP, "sku": "s", "asin": "B000000000", "title": "t", "price": 900}
        ],
    }
    simulator.add_order(order)
    path = f"/orders/v0/orders/{order['id']}/shipmentConfirmation"
    answer = japanese.call("POST", path, json=body | {"marketplaceId": JP})
    assert answer.status_code == 204
    (row,) = simulator.ledger()["shipments"]
    assert (row["amount"], row["cod_collection_method"]) == ("900", "DirectPayment")


@pytest.mark.parametrize(
    ("kind", "executed"),
    [("timeout_before", 0), ("timeout_after", 1), ("cut_after", 1)],
)
def test_a_lost_answer_ships_once_or_not_at_all(simulator, amazon, kind, executed):
    seconds = {"seconds": 0.2} if kind.startswith("timeout") else {}
    simulator.fault(kind, "confirmShipment", **seconds)
    with pytest.raises(requests.ConnectionError):
        amazon.confirm(UNSHIPPED, ALL)
    assert simulator.ledger()["executed"]["shipments"] == executed
    assert amazon.confirm(UNSHIPPED, ALL).status_code == 204
    assert simulator.ledger()["executed"]["shipments"] == 1
