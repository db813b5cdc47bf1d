"""Orders made by the thousand, and feeds about them."""

from collections import Counter

import pytest

from .. import generate
from ..orders import SHIPPED, STATUSES, UNSHIPPED
from .amazon import CANCEL, DE, FR, REFUND, cancel, refund

THOUSANDS = 3000


def ids(orders):
    """The numbers of orders as they stand in the file."""
    return [order["id"] for order in orders]


def test_the_same_arguments_give_the_same_orders():
    first = generate.orders(20, seed=7)
    assert first == generate.orders(20, seed=7)
    assert first[:10] == generate.orders(10, seed=7)


def test_numbers_of_orders_and_items_never_repeat():
    made = [
        *generate.orders(50, seed=7),
        *generate.orders(50, seed=8),
        *generate.orders(50, seed=7, status=UNSHIPPED),
    ]
    items = [item["id"] for order in made for item in order["items"]]
    assert len(set(ids(made))) == 150
    assert len(set(items)) == len(items)


@pytest.mark.parametrize("status", STATUSES)
def test_orders_of_each_status_can_be_loaded(simulator, amazon, status):
    made = generate.orders(10, status=status, marketplaces=("DE", "FR"), vat_rate=19)
    simulator.add_orders(made)
    assert {amazon.status(order_id) for order_id in ids(made)} == {status}
    shops = Counter(
        amazon.order(order_id)["salesChannel"]["marketplaceId"]
        for order_id in ids(made)
    )
    assert shops == {DE: 5, FR: 5}


def test_orders_of_another_seller_can_be_made(simulator):
    made = generate.orders(5, marketplaces=("US",), seller="ADEMOSELLER02")
    simulator.add_orders(made)
    yen = generate.orders(5, marketplaces=("JP",), seller="ADEMOSELLER03")
    simulator.add_orders(yen)


def test_thousands_are_refunded_and_cancelled_by_one_feed_each(simulator, amazon, run):
    shipped = generate.orders(THOUSANDS)
    unshipped = generate.orders(THOUSANDS, status=UNSHIPPED)
    simulator.add_orders(shipped + unshipped)
    refunds = [
        refund(order["id"], order["items"][0]["id"], adjustment_id=f"R{n}", Principal=1)
        for n, order in enumerate(shipped)
    ]
    assert run(REFUND, *refunds) == (THOUSANDS, {})
    cancels = [
        cancel(order["id"], *(item["id"] for item in order["items"]))
        for order in unshipped
    ]
    assert run(CANCEL, *cancels) == (THOUSANDS, {})
    ledger = simulator.ledger()
    assert [row["order_id"] for row in ledger["refunds"]] == ids(shipped)
    assert [row["order_id"] for row in ledger["cancellations"]] == ids(unshipped)
    assert [row["messages"] for row in ledger["feeds"]] == [THOUSANDS, THOUSANDS]


def test_pages_give_each_of_thousands_of_orders_once(simulator, amazon):
    simulator.reset(quotas=False)
    made = generate.orders(THOUSANDS, marketplaces=("FR",))
    simulator.add_orders(made)
    path = "/orders/2026-01-01/orders"
    query = {"lastUpdatedAfter": "2000-01-01T00:00:00Z", "fulfillmentStatuses": SHIPPED}
    found, page = [], {"pagination": {}}
    while "pagination" in page:
        token = page["pagination"].get("nextToken")
        page = amazon.get(path, **query, paginationToken=token).json()
        found += [order["orderId"] for order in page["orders"]]
    assert len(found) == len(set(found))
    assert set(ids(made)) <= set(found)


def test_pages_give_each_of_thousands_of_transactions_once(simulator, amazon):
    simulator.reset(quotas=False)
    made = generate.orders(THOUSANDS)
    simulator.add_orders(made)
    path = "/finances/2024-06-19/transactions"
    found, payload = Counter(), {"nextToken": None}
    while "nextToken" in payload:
        answer = amazon.get(
            path,
            postedAfter="2000-01-01T00:00:00Z",
            nextToken=payload["nextToken"],
        )
        payload = answer.json()["payload"]
        found.update(row["transactionId"] for row in payload["transactions"])
    assert set(found.values()) == {1}
    assert {f"{order_id}-1" for order_id in ids(made)} <= set(found)


def test_fulfillment_orders_can_be_made(simulator, amazon):
    made = generate.fulfillment_orders(20, seed=3)
    assert made == generate.fulfillment_orders(20, seed=3)
    simulator.add_fulfillment_orders(made)
    assert {amazon.fulfillment_status(order_id) for order_id in ids(made)} == {
        "Planning"
    }
