"""getOrder and searchOrders."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from .amazon import CANCEL, DE, GB, SHIPPED, UNSHIPPED, UNSHIPPED_ITEMS, cancel

SEARCH = "/orders/2026-01-01/orders"


def ago(**delta):
    """Return a time of the past as the API writes it."""
    moment = datetime.now(timezone.utc) - timedelta(**delta)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def search(amazon, **query):
    """Return the orders of a search."""
    answer = amazon.get(SEARCH, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(answer):
    """Return the order ids of an answer."""
    return [order["orderId"] for order in answer["orders"]]


def amount(money):
    """Return the decimal of the model Money."""
    return Decimal(money["amount"])


def test_order_without_included_data_has_no_money_and_no_status(amazon):
    order = amazon.get(f"{SEARCH}/{SHIPPED}").json()["order"]
    assert not {"proceeds", "fulfillment", "buyer"} & set(order)
    assert order["orderItems"][0]["product"]["sellerSku"] == "NW-KESSEL-12-SW"


def test_proceeds_add_up_in_every_order(amazon):
    answer = search(amazon, createdAfter=ago(days=700), includedData="PROCEEDS")
    with_money = [order for order in answer["orders"] if "proceeds" in order]
    assert len(with_money) > 8
    for order in with_money:
        total = amount(order["proceeds"]["grandTotal"])
        parts = order["proceeds"]["breakdowns"]
        assert sum(amount(row["subtotal"]) for row in parts) == total
        items = [item["proceeds"] for item in order["orderItems"]]
        assert sum(amount(item["proceedsTotal"]) for item in items) == total
        for item in items:
            for row in item["breakdowns"]:
                details = row.get("detailedBreakdowns")
                assert (details is not None) == (row["type"] in ("TAX", "DISCOUNT"))
                if details:
                    inner = sum(amount(part["value"]) for part in details)
                    assert inner == amount(row["subtotal"])


@pytest.mark.parametrize(
    ("order_id", "why"),
    [
        ("302-9057741-6620389", "pending"),
        ("408-2294871-5503946", "cancelled"),
        ("S02-4417308-1920563", "not sold on Amazon"),
    ],
)
def test_no_prices_of_orders_without_a_charge(amazon, order_id, why):
    order = amazon.order(order_id)
    assert "proceeds" not in order, why
    assert all("price" not in item["product"] for item in order["orderItems"])


def test_multi_channel_order_names_no_marketplace(amazon):
    order = amazon.order("S02-4417308-1920563")
    assert order["salesChannel"]["channelName"] == "NON_AMAZON"
    assert "marketplaceId" not in order["salesChannel"]
    assert order["fulfillment"]["fulfilledBy"] == "AMAZON"


def test_buyers_request_and_execution_of_a_cancellation_are_told_apart(amazon):
    asked = amazon.order("303-1146280-7735914")["orderItems"][0]["cancellation"]
    assert asked["cancellationRequest"]["requester"] == "BUYER"
    assert "cancellationExecution" not in asked
    done = amazon.order("408-2294871-5503946")["orderItems"][0]["cancellation"]
    assert done["cancellationExecution"]["cancelledBy"] == "BUYER"


@pytest.mark.parametrize(
    ("order_id", "status", "code"),
    [
        ("123", 400, "InvalidInput"),
        ("302-4481516-234210", 400, "InvalidInput"),
        ("302-0000000-0000000", 404, "NotFound"),
    ],
)
def test_bad_and_unknown_order_numbers(amazon, order_id, status, code):
    answer = amazon.get(f"{SEARCH}/{order_id}")
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    assert order_id in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        {"includedData": "PRICES"},
        {"includedData": ""},
        {"MarketplaceId": DE},
        {"marketplaceIds": DE},
    ],
)
def test_get_order_takes_the_parameters_of_the_model_only(amazon, query):
    answer = amazon.get(f"{SEARCH}/{SHIPPED}", **query)
    assert answer.status_code == 400


def test_repeated_parameter_is_refused(amazon):
    query = [("includedData", "PROCEEDS"), ("includedData", "BUYER")]
    answer = amazon.call("GET", f"{SEARCH}/{SHIPPED}", params=query)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"createdAfter": ago(days=9), "lastUpdatedAfter": ago(days=9)},
        {"createdAfter": ago(days=9), "lastUpdatedBefore": ago(days=1)},
        {"lastUpdatedAfter": ago(days=9), "createdBefore": ago(days=1)},
        {"createdAfter": ago(days=1), "createdBefore": ago(days=9)},
        {"createdAfter": "yesterday"},
        {"createdAfter": "2026-01-01"},
        {"createdAfter": "2026-01-01T00:00:00"},
        {"createdAfter": ago(days=9), "maxResultsPerPage": 0},
        {"createdAfter": ago(days=9), "maxResultsPerPage": 101},
        {"createdAfter": ago(days=9), "fulfilledBy": "SELLER"},
        {"createdAfter": ago(days=9), "fulfillmentStatuses": "Shipped"},
        {"createdAfter": ago(days=9), "marketplaceIds": ",".join(["X"] * 51)},
    ],
)
def test_search_refuses_what_the_model_forbids(amazon, query):
    answer = amazon.get(SEARCH, **query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["code"] == "InvalidInput"


def test_search_refuses_what_ends_less_than_two_minutes_ago(amazon):
    # the time is that of the test, not of when the tests were collected
    answer = amazon.get(SEARCH, createdAfter=ago(days=1), createdBefore=ago(seconds=30))
    assert answer.status_code == 400, answer.text


def test_search_filters(amazon):
    everything = search(amazon, createdAfter=ago(days=700))
    assert len(everything["orders"]) == 17
    british = search(amazon, createdAfter=ago(days=700), marketplaceIds=GB)
    assert len(british["orders"]) == 3
    two = search(amazon, createdAfter=ago(days=700), marketplaceIds=f"{GB},{DE}")
    assert len(two["orders"]) == 12
    open_orders = search(
        amazon,
        createdAfter=ago(days=700),
        fulfillmentStatuses="UNSHIPPED",
        fulfilledBy="MERCHANT",
    )
    assert set(ids(open_orders)) == {
        UNSHIPPED,
        "303-1146280-7735914",
        "303-5519402-7740128",
    }
    recent = search(amazon, createdAfter=ago(days=1))
    assert SHIPPED not in ids(recent) and UNSHIPPED in ids(recent)


def test_pages_hold_every_order_once(simulator, amazon):
    simulator.reset(quotas=False)
    query = {"createdAfter": ago(days=700), "maxResultsPerPage": 4}
    page = search(amazon, **query)
    found = ids(page)
    while "pagination" in page:
        assert len(page["orders"]) == 4
        token = page["pagination"]["nextToken"]
        page = search(amazon, paginationToken=token, **query)
        found += ids(page)
    assert len(found) == len(set(found)) == 17


def test_later_pages_end_where_the_first_one_ended(simulator, amazon):
    query = {"lastUpdatedAfter": ago(days=700), "maxResultsPerPage": 4}
    first = search(amazon, **query)
    simulator.advance(1000)
    token = first["pagination"]["nextToken"]
    second = search(amazon, paginationToken=token, **query)
    assert second["lastUpdatedBefore"] == first["lastUpdatedBefore"]
    assert search(amazon, **query)["lastUpdatedBefore"] > first["lastUpdatedBefore"]


def test_page_token_goes_with_its_own_search_only(amazon):
    first = search(amazon, createdAfter=ago(days=700), maxResultsPerPage=2)
    token = first["pagination"]["nextToken"]
    for query in ({"createdAfter": ago(days=600)}, {"createdAfter": ago(days=700)}):
        answer = amazon.get(SEARCH, paginationToken=token, **query)
        assert answer.status_code == 400


def test_change_is_found_by_its_time_after_two_minutes(simulator, amazon, run):
    before = simulator.now()
    run(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS))
    assert ids(search(amazon, lastUpdatedAfter=before)) == []
    simulator.advance(180)
    assert ids(search(amazon, lastUpdatedAfter=before)) == [UNSHIPPED]
