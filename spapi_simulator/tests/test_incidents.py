"""What happens to an order outside of the API, and where it shows."""

import pytest

from ..process import SimulatorFailed
from .amazon import SHIPPED, SHIPPED_ITEM, UNSHIPPED, UNSHIPPED_ITEMS
from .test_orders import ids, search

FIVE = {SHIPPED_ITEM: {"Principal": 5}}


def changed(simulator, amazon, since):
    """Return the orders changed since then, as a search tells two minutes later."""
    simulator.advance(130)
    return ids(search(amazon, lastUpdatedAfter=since))


def test_a_buyers_request_shows_and_changes_the_order(simulator, amazon):
    since = simulator.now()
    simulator.happen(UNSHIPPED, "cancel_request", reason="CHANGED_MIND")
    order = amazon.order(UNSHIPPED)
    for item in order["orderItems"]:
        assert item["cancellation"]["cancellationRequest"] == {
            "requester": "BUYER",
            "cancelReason": "CHANGED_MIND",
        }
    assert amazon.status(UNSHIPPED) == "UNSHIPPED"
    assert changed(simulator, amazon, since) == [UNSHIPPED]


@pytest.mark.parametrize("party", ["BUYER", "MERCHANT", "AMAZON"])
def test_anybody_may_cancel(simulator, amazon, party):
    since = simulator.now()
    simulator.happen(UNSHIPPED, "cancel", by=party)
    order = amazon.order(UNSHIPPED)
    execution = order["orderItems"][0]["cancellation"]["cancellationExecution"]
    assert execution["cancelledBy"] == party
    assert amazon.status(UNSHIPPED) == "CANCELLED"
    assert changed(simulator, amazon, since) == [UNSHIPPED]
    assert simulator.ledger()["cancellations"] == []


def test_a_shipment_changes_the_order_and_moves_money(simulator, amazon):
    since = simulator.now()
    simulator.happen(UNSHIPPED, "ship")
    assert amazon.status(UNSHIPPED) == "SHIPPED"
    assert changed(simulator, amazon, since) == [UNSHIPPED]
    simulator.advance(600)
    (event,) = amazon.events(UNSHIPPED, "ShipmentEventList")
    assert {item["OrderItemId"] for item in event["ShipmentItemList"]} == set(
        UNSHIPPED_ITEMS
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("refund", "RefundEventList"),
        ("claim", "GuaranteeClaimEventList"),
        ("chargeback", "ChargebackEventList"),
    ],
)
def test_money_given_back_shows_in_the_finances_and_not_in_the_order(
    simulator, amazon, kind, name
):
    since, before = simulator.now(), amazon.order(SHIPPED)
    simulator.happen(SHIPPED, kind, items=FIVE)
    assert changed(simulator, amazon, since) == []
    assert amazon.events(SHIPPED, name) == []
    simulator.advance(600)
    assert len(amazon.events(SHIPPED, name)) == 1
    assert amazon.order(SHIPPED) == before
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize(
    ("order_id", "kind", "details"),
    [
        ("302-0000000-0000000", "ship", {}),
        (SHIPPED, "explode", {}),
        (SHIPPED, "ship", {}),
        (SHIPPED, "cancel", {}),
        (UNSHIPPED, "ship", {"by": "BUYER"}),
        (SHIPPED, "refund", {}),
        (SHIPPED, "refund", {"items": {}}),
        (SHIPPED, "refund", {"items": {"1": {"Principal": 5}}}),
        (SHIPPED, "refund", {"items": {SHIPPED_ITEM: {"Principal": "x"}}}),
        (SHIPPED, "refund", {"items": {SHIPPED_ITEM: 5}}),
        (SHIPPED, "refund", {"items": "x"}),
    ],
)
def test_what_cannot_happen_is_refused_with_a_sentence(
    simulator, order_id, kind, details
):
    with pytest.raises(SimulatorFailed, match=r"\.$"):
        simulator.happen(order_id, kind, **details)
