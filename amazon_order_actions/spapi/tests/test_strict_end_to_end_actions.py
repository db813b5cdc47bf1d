"""Every action against the project's simulator; its ledger says what was executed."""

import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from conftest import REPOSITORY
from spapi import enums
from spapi.client import SellerClient
from spapi.credentials import Credentials, Endpoint
from spapi.envelopes import (
    CancelQuantityItem,
    CancelQuantityMessage,
    OrderNumberMessage,
    PromotionAdjustment,
    RefundItem,
    RefundMessage,
    order_acknowledgement,
    order_adjustment,
)
from spapi.errors import OutcomeUnknown, Refused, Throttled
from spapi.finances import parse_events
from spapi.fulfillment import parse_fulfillment_order
from spapi.marketplaces import by_country
from spapi.orders import parse_order
from spapi.reports import parse_report
from spapi.transactions import parse_transactions

if not (REPOSITORY / "spapi_simulator").is_dir():
    pytest.skip(
        "The simulator is not beside the addon (spapi_simulator)",
        allow_module_level=True,
    )

sys.path.append(str(REPOSITORY))
from spapi_simulator.process import SimulatorProcess  # noqa: E402

DE = by_country("DE").id
UNSHIPPED = "303-5519402-7740128"  # three of one item
PROMOTED = "305-4402178-6613095"  # 89.85 and 4.99, 8.99 and all of the shipping off
ON_HOLD, PICKED = "SHOP-1001", "SHOP-1003"


@pytest.fixture(scope="module")
def process():
    with SimulatorProcess(
        processing_seconds=4, finance_delay_seconds=0, no_quotas=True
    ) as running:
        yield running


@pytest.fixture
def simulator(process):
    """The simulator as at its start."""
    process.clear_faults()
    process.reset()
    return process


@pytest.fixture
def client(simulator):
    credentials = Credentials(
        simulator.CLIENT_ID, simulator.CLIENT_SECRET, simulator.REFRESH_TOKEN
    )
    endpoint = Endpoint.simulator(simulator.url)
    with SellerClient(credentials, endpoint, max_retry_wait=0.01) as one:
        yield one


def read(client, order_id):
    return parse_order(client.get_order(order_id))


def executed(simulator, client, feed_type, payload):
    """Send a feed with the one message 1, and return what became of it."""
    document_id = client.prepare_feed(payload)
    feed_id = client.create_feed(feed_type, [DE], document_id).feed_id
    simulator.advance(10)
    report = client.read_report(client.get_feed(feed_id)["resultFeedDocumentId"])
    return parse_report(report, [1])[1]


def package(order, quantity, reference="1", tracking="T-1"):
    return {
        "packageReferenceId": reference,
        "carrierCode": "DHL",
        "trackingNumber": tracking,
        "shipDate": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "orderItems": [
            {"orderItemId": order.lines[0].order_item_id, "quantity": quantity}
        ],
    }


# === FEEDS === #


def test_a_refund_with_promotions_and_a_fee_is_found_net_in_both_finances(
    simulator, client
):
    order = read(client, PROMOTED)
    (line,) = order.lines
    assert line.charges == {"Principal": Decimal("80.86")}
    assert line.discounts == {
        "Principal": Decimal("8.99"),
        "Shipping": Decimal("4.99"),
    }
    assert line.promotion_ids == ("NORDLICHT-HERBST-10", "DE-FREE-SHIPPING")
    first, second = line.promotion_ids
    item = RefundItem(
        line.order_item_id,
        "R1",
        "CustomerReturn",
        (
            ("Principal", line.charges["Principal"] + line.discounts["Principal"]),
            ("Shipping", line.discounts["Shipping"]),
            ("RestockingFee", Decimal("-5")),
        ),
        promotions=(
            PromotionAdjustment("Principal", -line.discounts["Principal"], first),
            PromotionAdjustment("Shipping", -line.discounts["Shipping"], second),
        ),
    )
    message = RefundMessage(1, PROMOTED, "EUR", (item,))
    payload = order_adjustment(simulator.SELLER_ID, [message])
    assert executed(simulator, client, enums.FEED_REFUND, payload).status == "accepted"
    (row,) = simulator.ledger()["refunds"]
    assert row["amount"] == "75.86"

    simulator.advance(200)
    net = {"Principal": Decimal("80.86"), "RestockingFee": Decimal("-5")}
    events = parse_events(client.list_financial_events(PROMOTED), PROMOTED, True)
    assert {row.component: row.amount for row in events.refunds} == net
    page = client.list_transactions(order_id=PROMOTED)
    found = [row for row in parse_transactions(page.items) if row.kind == "refund"]
    assert all(row.is_readable for row in found)
    amounts = [(row.component, row.amount) for one in found for row in one.refunds]
    assert sorted(amounts) == sorted(net.items())


def test_units_are_cut_from_an_order_that_is_not_shipped(simulator, client):
    (line,) = read(client, UNSHIPPED).lines
    item = CancelQuantityItem(line.order_item_id, "C1", "NoInventory", 1)
    message = CancelQuantityMessage(1, UNSHIPPED, (item,))
    payload = order_adjustment(simulator.SELLER_ID, [message])
    assert executed(simulator, client, enums.FEED_REFUND, payload).status == "accepted"
    (row,) = simulator.ledger()["quantity_cancellations"]
    assert (row["quantity"], row["merchant_adjustment_item_id"]) == (1, "C1")
    assert not simulator.ledger()["refunds"]
    (line,) = read(client, UNSHIPPED).lines
    assert (line.quantity_fulfilled, line.quantity_unfulfilled) == (0, 2)


def test_a_sellers_order_number_is_kept_by_amazon(simulator, client):
    message = OrderNumberMessage(1, UNSHIPPED, "S00042")
    payload = order_acknowledgement(simulator.SELLER_ID, [message])
    assert executed(simulator, client, enums.FEED_CANCEL, payload).status == "accepted"
    (row,) = simulator.ledger()["order_numbers"]
    assert (row["order_id"], row["merchant_order_id"]) == (UNSHIPPED, "S00042")
    assert read(client, UNSHIPPED).status == "UNSHIPPED"


# === CALLS === #


def test_cancel_order_is_refused_where_amazon_does_not_offer_it(simulator, client):
    for switch, status in (("forbidden", 403), ("not_found", 404)):
        simulator.change(rest_cancellation=switch)
        with pytest.raises(Refused) as caught:
            client.cancel_order(UNSHIPPED, "BUYER_CANCELLED")
        assert caught.value.http_status == status
    assert not simulator.ledger()["rest_cancellations"]


def test_cancel_order_is_seen_in_the_order_some_time_later(simulator, client):
    simulator.change(rest_cancellation="on")
    assert client.cancel_order(UNSHIPPED, "BUYER_CANCELLED")
    assert read(client, UNSHIPPED).status == "UNSHIPPED"
    simulator.advance(10)
    order = read(client, UNSHIPPED)
    assert (order.status, order.cancelled_by) == ("CANCELLED", "MERCHANT")


def test_packages_are_confirmed_and_shown_by_the_order(simulator, client):
    order = read(client, UNSHIPPED)
    assert client.confirm_shipment(UNSHIPPED, DE, package(order, 1))
    assert client.confirm_shipment(UNSHIPPED, DE, package(order, 2, "2", "T-2"))
    order = read(client, UNSHIPPED)
    assert order.status == "SHIPPED"
    assert [entry.tracking_number for entry in order.packages] == ["T-1", "T-2"]
    assert all(entry.carrier and entry.ship_date for entry in order.packages)
    assert order.package_references == ("1", "2")
    assert len(simulator.ledger()["shipments"]) == 2


def test_a_fulfillment_order_is_changed_and_cancelled(simulator, client):
    before = parse_fulfillment_order(client.get_fulfillment_order(ON_HOLD))
    assert (before.status, before.fulfillment_action) == ("RECEIVED", "Hold")
    address = {**before.destination_address, "addressLine1": "Neuer Weg 3"}
    first, second = before.items
    body = {
        "destinationAddress": address,
        "shippingSpeedCategory": "Expedited",
        "displayableOrderComment": "Danke!",
        "items": [
            {
                "sellerFulfillmentOrderItemId": (
                    first.seller_fulfillment_order_item_id
                ),
                "quantity": 1,
            },
            {
                "sellerFulfillmentOrderItemId": (
                    second.seller_fulfillment_order_item_id
                ),
                "quantity": second.quantity,
            },
        ],
    }
    assert client.update_fulfillment_order(ON_HOLD, body)
    after = parse_fulfillment_order(client.get_fulfillment_order(ON_HOLD))
    assert after.destination_address == address
    assert after.shipping_speed_category == "Expedited"
    assert after.displayable_order_comment == "Danke!"
    assert [item.quantity for item in after.items] == [1, 1]
    assert after.status_updated_date >= before.status_updated_date

    assert client.cancel_fulfillment_order(ON_HOLD)
    simulator.advance(600)
    gone = parse_fulfillment_order(client.get_fulfillment_order(ON_HOLD))
    assert gone.status == "CANCELLED"


def test_what_is_being_picked_is_not_cancelled(simulator, client):
    with pytest.raises(Refused):
        client.cancel_fulfillment_order(PICKED)
    order = parse_fulfillment_order(client.get_fulfillment_order(PICKED))
    assert order.status == "PROCESSING"


def test_a_message_that_is_allowed_reaches_the_buyer(simulator, client):
    assert client.get_buyer_locale(UNSHIPPED, DE) == "de-DE"
    allowed = client.get_messaging_actions(UNSHIPPED, DE)
    assert "unexpectedProblem" in allowed and "confirmServiceDetails" not in allowed
    assert client.send_message(UNSHIPPED, DE, "unexpectedProblem", "Guten Tag!")
    with pytest.raises(Refused):
        client.send_message(UNSHIPPED, DE, "confirmServiceDetails", "Guten Tag!")
    (row,) = simulator.ledger()["messages"]
    assert row["order_id"] == UNSHIPPED


# === FAULTS === #

CALLS = {
    "cancelOrder": (
        lambda client, order: client.cancel_order(UNSHIPPED, "NO_INVENTORY"),
        "rest_cancellations",
    ),
    "confirmShipment": (
        lambda client, order: client.confirm_shipment(UNSHIPPED, DE, package(order, 3)),
        "shipments",
    ),
    "cancelFulfillmentOrder": (
        lambda client, order: client.cancel_fulfillment_order(ON_HOLD),
        "mcf_cancellations",
    ),
    "updateFulfillmentOrder": (
        lambda client, order: client.update_fulfillment_order(
            ON_HOLD, {"fulfillmentAction": "Ship"}
        ),
        "mcf_updates",
    ),
    "createUnexpectedProblem": (
        lambda client, order: client.send_message(
            UNSHIPPED, DE, "unexpectedProblem", "Guten Tag!"
        ),
        "messages",
    ),
}


@pytest.mark.parametrize(
    ("fault", "kind", "count"),
    [
        ("throttle", Throttled, 0),
        ("forbidden", Refused, 0),
        ("html_503", OutcomeUnknown, 0),
        ("cut_before", OutcomeUnknown, 0),
        ("cut_after", OutcomeUnknown, 1),
    ],
)
@pytest.mark.parametrize("name", CALLS)
def test_a_fault_of_a_call_is_named_and_not_repeated(
    simulator, client, name, fault, kind, count
):
    simulator.change(rest_cancellation="on")
    order = read(client, UNSHIPPED)
    call, rows = CALLS[name]
    simulator.fault(fault, name, times=3)
    with pytest.raises(kind):
        call(client, order)
    ledger = simulator.ledger()
    assert ledger["calls"][name] == 1
    assert len(ledger[rows]) == count


def test_a_range_shows_the_packages_of_its_orders(simulator, client):
    since = datetime.now(timezone.utc) - timedelta(days=30)
    rows = client.search_orders(last_updated_after=since).items
    packages = [entry for row in rows for entry in parse_order(row).packages]
    assert packages and all(entry.tracking_number for entry in packages)
