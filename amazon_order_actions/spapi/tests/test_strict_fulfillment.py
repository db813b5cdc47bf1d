"""Reading an order of Multi-Channel Fulfillment."""

import copy
import json
from datetime import datetime, timezone

import pytest
from spapi.enums import (
    FULFILLMENT_ACTIONS,
    FULFILLMENT_POLICIES,
    FULFILLMENT_STATUSES,
    SHIPPING_SPEEDS,
)
from spapi.errors import MalformedAnswer
from spapi.fulfillment import parse_fulfillment_order

ADDRESS = {
    "name": "Erika Mustermann",
    "addressLine1": "Heidestr. 17",
    "postalCode": "51147",
    "countryCode": "DE",
}


def package(number, tracking="TBA1", **parts):
    return {
        "packageNumber": number,
        "carrierCode": "Amazon Logistics",
        "trackingNumber": tracking,
        **parts,
    }


def shipment(*packages, status="SHIPPED"):
    return {
        "amazonShipmentId": "s-1",
        "fulfillmentCenterId": "LEJ1",
        "fulfillmentShipmentStatus": status,
        "fulfillmentShipmentItem": [],
        "fulfillmentShipmentPackage": list(packages),
    }


def payload(*shipments, **parts):
    return {
        "fulfillmentOrder": {
            "sellerFulfillmentOrderId": "WEB-1001",
            "marketplaceId": "A1PA6795UKMFR9",
            "displayableOrderId": "1001",
            "displayableOrderDate": "2026-11-20T09:00:00Z",
            "displayableOrderComment": "Danke, Erika!",
            "shippingSpeedCategory": "Standard",
            "destinationAddress": ADDRESS,
            "fulfillmentAction": "Hold",
            "fulfillmentPolicy": "FillOrKill",
            "receivedDate": "2026-11-20T09:00:05Z",
            "fulfillmentOrderStatus": "Received",
            "statusUpdatedDate": "2026-11-20T09:01:00.5Z",
            **parts,
        },
        "fulfillmentOrderItems": [
            {
                "sellerSku": "SKU-1",
                "sellerFulfillmentOrderItemId": "1",
                "quantity": 3,
                "cancelledQuantity": 1,
                "unfulfillableQuantity": 0,
            }
        ],
        "fulfillmentShipments": list(shipments),
        "returnItems": [],
        "returnAuthorizations": [],
    }


def test_a_fulfillment_order_is_read():
    read = parse_fulfillment_order(payload(shipment(package(1), package(2, "TBA2"))))
    assert read.seller_fulfillment_order_id == "WEB-1001"
    assert (read.marketplace_id, read.displayable_order_id) == (
        "A1PA6795UKMFR9",
        "1001",
    )
    assert read.displayable_order_comment == "Danke, Erika!"
    assert (read.status, read.shipping_speed_category) == ("RECEIVED", "Standard")
    assert (read.fulfillment_action, read.fulfillment_policy) == ("Hold", "FillOrKill")
    hour = {"tzinfo": timezone.utc, "hour": 9}
    assert read.displayable_order_date == datetime(2026, 11, 20, **hour)
    assert read.received_date == datetime(2026, 11, 20, second=5, **hour)
    assert read.status_updated_date == datetime(2026, 11, 20, minute=1, **hour)
    assert read.destination_address == ADDRESS
    (line,) = read.items
    assert (line.seller_fulfillment_order_item_id, line.seller_sku) == ("1", "SKU-1")
    assert (line.quantity, line.cancelled_quantity, line.unfulfillable_quantity) == (
        3,
        1,
        0,
    )
    assert read.packages == (
        ("Amazon Logistics", "TBA1", 1),
        ("Amazon Logistics", "TBA2", 2),
    )


def test_its_text_tells_nothing_of_the_buyer():
    text = repr(parse_fulfillment_order(payload()))
    assert "Erika" not in text and "Heidestr" not in text
    assert "WEB-1001" in text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("New", "NEW"),
        ("Received", "RECEIVED"),
        ("Planning", "PLANNING"),
        ("Processing", "PROCESSING"),
        ("Cancelled", "CANCELLED"),
        ("Complete", "COMPLETE"),
        ("CompletePartialled", "COMPLETE_PARTIALLED"),
        ("COMPLETE_PARTIALLED", "COMPLETE_PARTIALLED"),
        ("Unfulfillable", "UNFULFILLABLE"),
        ("Invalid", "INVALID"),
        ("PROCESSING", "PROCESSING"),
        ("Teleported", "OTHER"),
    ],
)
def test_a_status_has_one_spelling(theirs, ours):
    read = parse_fulfillment_order(payload(fulfillmentOrderStatus=theirs))
    assert read.status == ours


def test_enumerations_are_those_of_amazons_model(contract):
    model = json.loads((contract / "fulfillmentOutbound_2020-07-01.json").read_text())
    definitions = model["definitions"]
    assert tuple(definitions["ShippingSpeedCategory"]["enum"]) == SHIPPING_SPEEDS
    assert tuple(definitions["FulfillmentAction"]["enum"]) == FULFILLMENT_ACTIONS
    assert tuple(definitions["FulfillmentPolicy"]["enum"]) == FULFILLMENT_POLICIES
    read = [
        parse_fulfillment_order(payload(fulfillmentOrderStatus=status)).status
        for status in definitions["FulfillmentOrderStatus"]["enum"]
    ]
    assert tuple(read) == FULFILLMENT_STATUSES


@pytest.mark.parametrize("action", [None, "", "Wait"])
def test_an_action_that_is_not_known_is_none(action):
    read = parse_fulfillment_order(payload(fulfillmentAction=action))
    assert read.fulfillment_action == ""


@pytest.mark.parametrize("status", ["CANCELLED_BY_FULFILLER", "CANCELLED_BY_SELLER"])
def test_packages_of_a_cancelled_shipment_do_not_count(status):
    gone = shipment(package(1), status=status)
    pending = shipment(package(2, trackingNumber=None), status="PENDING")
    read = parse_fulfillment_order(payload(gone, pending))
    assert read.packages == (("Amazon Logistics", "", 2),)


@pytest.mark.parametrize(
    "shipments", [None, [], [{"fulfillmentShipmentPackage": None}]]
)
def test_there_may_be_no_packages(shipments):
    found = payload()
    found["fulfillmentShipments"] = shipments
    assert parse_fulfillment_order(found).packages == ()


@pytest.mark.parametrize(
    "name",
    [
        "sellerFulfillmentOrderId",
        "fulfillmentOrderStatus",
        "displayableOrderDate",
        "receivedDate",
        "statusUpdatedDate",
    ],
)
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_missing_part_is_named(name, value):
    with pytest.raises(MalformedAnswer, match=name):
        parse_fulfillment_order(payload(**{name: value}))


@pytest.mark.parametrize("place", ["quantity", "cancelledQuantity", "packageNumber"])
@pytest.mark.parametrize("value", [None, -1, True, 1.5, "1"])
def test_a_number_that_is_none_is_malformed(place, value):
    found = copy.deepcopy(payload(shipment(package(1))))
    row = found["fulfillmentOrderItems"][0]
    if place == "packageNumber":
        row = found["fulfillmentShipments"][0]["fulfillmentShipmentPackage"][0]
    row[place] = value
    with pytest.raises(MalformedAnswer, match=place):
        parse_fulfillment_order(found)


@pytest.mark.parametrize(
    "damage",
    [
        {"fulfillmentOrder": None},
        {"fulfillmentOrder": []},
        {"fulfillmentOrderItems": {}},
        {"fulfillmentOrderItems": ["x"]},
        {"fulfillmentShipments": "x"},
    ],
)
def test_an_answer_of_another_form_is_malformed(damage):
    with pytest.raises(MalformedAnswer):
        parse_fulfillment_order({**payload(), **damage})
