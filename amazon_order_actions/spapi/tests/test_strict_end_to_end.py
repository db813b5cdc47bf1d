"""The whole way over HTTP against the project's simulator, in a process of its own.

Its ledger says what was really executed.
"""

import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from conftest import REPOSITORY
from spapi import enums
from spapi.client import SellerClient
from spapi.credentials import Credentials, Endpoint
from spapi.envelopes import (
    CancelItem,
    CancelMessage,
    RefundItem,
    RefundMessage,
    order_acknowledgement,
    order_adjustment,
    write_order_adjustment,
)
from spapi.errors import NotSent, OutcomeUnknown, Refused, Throttled
from spapi.finances import parse_events
from spapi.marketplaces import MARKETPLACES, by_country
from spapi.orders import parse_order
from spapi.reports import parse_report

if not (REPOSITORY / "spapi_simulator").is_dir():
    pytest.skip(
        "The simulator is not beside the addon (spapi_simulator)",
        allow_module_level=True,
    )

sys.path.append(str(REPOSITORY))
from spapi_simulator import generate  # noqa: E402
from spapi_simulator.process import SimulatorProcess  # noqa: E402

DE = by_country("DE").id
SHIPPED, SHIPPED_ITEM = "302-4481516-2342108", "147645420374961"
UNSHIPPED = "303-7719024-5588321"
PENDING = "302-9057741-6620389"


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


def refund(order_id=SHIPPED, item_id=SHIPPED_ITEM, amount="10.00", message_id=1):
    item = RefundItem(
        item_id,
        f"R{message_id}",
        "CustomerReturn",
        (("Principal", Decimal(amount)),),
    )
    return RefundMessage(message_id, order_id, "EUR", (item,))


def submit(simulator, client, feed_type, payload, marketplace=DE):
    """Send a feed, let the simulator process it, return feed id and its state."""
    document_id = client.prepare_feed(payload)
    feed_id = client.create_feed(feed_type, [marketplace], document_id).feed_id
    simulator.advance(10)
    return feed_id, client.get_feed(feed_id)


def test_a_refund_from_the_order_to_the_finances(simulator, client):
    order = parse_order(client.get_order(SHIPPED))
    assert (order.channel, order.status, order.currency) == ("fbm", "SHIPPED", "EUR")
    (line,) = order.lines
    assert line.charges == {"Principal": Decimal("39.95"), "Shipping": Decimal("4.99")}

    item = RefundItem(
        line.order_item_id, "R7-1", "CustomerReturn", tuple(line.charges.items()), 1
    )
    payload = order_adjustment(
        simulator.SELLER_ID, [RefundMessage(7, SHIPPED, order.currency, (item,))]
    )
    _feed_id, feed = submit(simulator, client, enums.FEED_REFUND, payload)
    assert feed["processingStatus"] == "DONE"
    report = client.read_report(feed["resultFeedDocumentId"])
    assert parse_report(report, [7])[7].status == "accepted"

    (row,) = simulator.ledger()["refunds"]
    assert (row["amount"], row["merchant_adjustment_item_id"]) == ("44.94", "R7-1")
    simulator.advance(200)
    events = client.list_financial_events(SHIPPED)
    reading = parse_events(events, SHIPPED, prices_include_tax=True)
    assert sum(event.amount for event in reading.refunds) == Decimal("44.94")
    assert {event.component for event in reading.refunds} == {"Principal", "Shipping"}


def test_a_cancellation_from_the_order_to_its_new_status(simulator, client):
    order = parse_order(client.get_order(UNSHIPPED))
    items = tuple(
        CancelItem(line.order_item_id, "BuyerCanceled") for line in order.lines
    )
    payload = order_acknowledgement(
        simulator.SELLER_ID, [CancelMessage(1, UNSHIPPED, items)]
    )
    _feed_id, feed = submit(simulator, client, enums.FEED_CANCEL, payload)
    report = client.read_report(feed["resultFeedDocumentId"])
    assert parse_report(report, [1])[1].status == "accepted"
    order = parse_order(client.get_order(UNSHIPPED))
    assert (order.status, order.cancelled_by) == ("CANCELLED", "MERCHANT")
    assert len(simulator.ledger()["cancellations"]) == 1


def test_one_message_is_refused_and_the_other_accepted(simulator, client):
    messages = [refund(), refund(amount="1000.00", message_id=2, order_id=PENDING)]
    payload = order_adjustment(simulator.SELLER_ID, messages)
    _feed_id, feed = submit(simulator, client, enums.FEED_REFUND, payload)
    outcomes = parse_report(client.read_report(feed["resultFeedDocumentId"]), [1, 2])
    assert [outcomes[1].status, outcomes[2].status] == ["accepted", "rejected"]
    assert outcomes[2].code and outcomes[2].text
    assert len(simulator.ledger()["refunds"]) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "feeds"),
    [
        ("throttle", Throttled, 0),
        ("forbidden", Refused, 0),
        ("forbidden_plain", Refused, 0),
        ("html_503", OutcomeUnknown, 0),
        ("cut_before", OutcomeUnknown, 0),
        ("cut_after", OutcomeUnknown, 1),
    ],
)
def test_a_fault_of_create_feed_is_named_and_not_repeated(
    simulator, client, fault, kind, feeds
):
    document_id = client.prepare_feed(order_adjustment(simulator.SELLER_ID, [refund()]))
    simulator.fault(fault, "createFeed", times=3)
    started = datetime.now(timezone.utc) - timedelta(minutes=1)
    with pytest.raises(kind):
        client.create_feed(enums.FEED_REFUND, [DE], document_id)
    ledger = simulator.ledger()
    assert ledger["calls"]["createFeed"] == 1
    assert len(ledger["feeds"]) == feeds
    found = client.get_feeds([enums.FEED_REFUND], started, marketplace_ids=[DE])
    assert len(found) == feeds


def test_a_timeout_after_acceptance_is_unknown_and_the_feed_can_be_found(
    simulator,
):
    credentials = Credentials(
        simulator.CLIENT_ID, simulator.CLIENT_SECRET, simulator.REFRESH_TOKEN
    )
    endpoint = Endpoint.simulator(simulator.url)
    with SellerClient(credentials, endpoint, read_timeout=2) as client:
        payload = order_adjustment(simulator.SELLER_ID, [refund()])
        document_id = client.prepare_feed(payload)
        simulator.fault("timeout_after", "createFeed", seconds=4)
        with pytest.raises(OutcomeUnknown):
            client.create_feed(enums.FEED_REFUND, [DE], document_id)
        since = datetime.now(timezone.utc) - timedelta(minutes=1)
        deadline = time.monotonic() + 10
        while not client.get_feeds([enums.FEED_REFUND], since):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert simulator.ledger()["calls"]["createFeed"] == 1


@pytest.mark.parametrize(
    "operation",
    [
        "token",
        "getOrder",
        "createFeedDocument",
        "uploadDocument",
        "getFeedDocument",
        "downloadDocument",
    ],
)
@pytest.mark.parametrize("fault", ["html_503", "cut_before", "cut_after"])
def test_what_may_be_repeated_gets_over_a_fault(simulator, client, operation, fault):
    simulator.fault(fault, operation)
    assert client.get_order(SHIPPED)["orderId"] == SHIPPED
    payload = order_adjustment(simulator.SELLER_ID, [refund()])
    _feed_id, feed = submit(simulator, client, enums.FEED_REFUND, payload)
    report = client.read_report(feed["resultFeedDocumentId"])
    assert parse_report(report, [1])[1].status == "accepted"
    assert len(simulator.ledger()["refunds"]) == 1


def test_a_token_that_has_aged_is_renewed_for_a_read(simulator, client):
    client.get_order(SHIPPED)
    simulator.advance(7200)
    assert client.get_order(SHIPPED)["orderId"] == SHIPPED


def test_create_feed_with_an_aged_token_may_be_queued_again(simulator, client):
    document_id = client.prepare_feed(order_adjustment(simulator.SELLER_ID, [refund()]))
    simulator.advance(7200)
    with pytest.raises(Refused) as caught:
        client.create_feed(enums.FEED_REFUND, [DE], document_id)
    assert caught.value.may_be_repeated
    assert client.create_feed(enums.FEED_REFUND, [DE], document_id)


def test_wrong_credentials_are_an_authorisation_problem(simulator):
    wrong = Credentials(simulator.CLIENT_ID, "wrong", simulator.REFRESH_TOKEN)
    with (
        SellerClient(wrong, Endpoint.simulator(simulator.url)) as client,
        pytest.raises(Refused) as caught,
    ):
        client.get_marketplace_participations()
    assert caught.value.is_authorisation_problem


def test_an_order_that_is_not_there_is_refused(client):
    with pytest.raises(Refused) as caught:
        client.get_order("999-0000000-0000000")
    assert caught.value.http_status == 404


def test_a_feed_can_be_cancelled_while_it_waits(simulator, client):
    document_id = client.prepare_feed(order_adjustment(simulator.SELLER_ID, [refund()]))
    feed_id = client.create_feed(enums.FEED_REFUND, [DE], document_id).feed_id
    client.cancel_feed(feed_id)
    simulator.advance(10)
    assert client.get_feed(feed_id)["processingStatus"] == "CANCELLED"
    assert not simulator.ledger()["refunds"]


def test_orders_and_money_can_be_read_by_range(simulator, client):
    simulator.advance(600)
    since = datetime.now(timezone.utc) - timedelta(days=60)
    page = client.search_orders(last_updated_after=since, marketplace_ids=[DE])
    orders = [parse_order(order) for order in page.items]
    assert SHIPPED in {order.order_id for order in orders}
    assert {order.marketplace_id for order in orders} == {DE}
    page = client.list_transactions(posted_after=since)
    assert page.items


def test_a_range_tells_the_same_of_an_order_as_its_own_reading(simulator, client):
    made = generate.orders(60, marketplaces=("DE", "FR"))
    simulator.add_orders(made)
    simulator.advance(600)
    since = datetime.now(timezone.utc) - timedelta(days=365)
    rows, page = [], client.search_orders(last_updated_after=since, page_size=25)
    complete_until = page.last_updated_before
    while True:
        rows += page.items
        assert page.last_updated_before == complete_until
        if not page.next_token:
            break
        page = client.search_orders(
            last_updated_after=since, page_size=25, next_token=page.next_token
        )
    orders = [parse_order(row) for row in rows]
    assert {order["id"] for order in made} <= {order.order_id for order in orders}
    for order in orders:
        assert order == parse_order(client.get_order(order.order_id))


def test_a_range_ends_where_the_caller_wants(simulator, client):
    simulator.happen(UNSHIPPED, "cancel_request")
    changed = datetime.fromisoformat(simulator.now().replace("Z", "+00:00"))
    simulator.advance(600)
    after, minute = changed - timedelta(minutes=1), timedelta(minutes=1)
    page = client.search_orders(
        last_updated_after=after, last_updated_before=changed + minute
    )
    (order,) = map(parse_order, page.items)
    assert (order.order_id, order.cancel_requested) == (UNSHIPPED, True)
    page = client.search_orders(
        last_updated_after=after, last_updated_before=changed - minute / 2
    )
    assert page.items == []


def test_all_feeds_are_listed_over_the_pages(simulator, client):
    started = datetime.now(timezone.utc) - timedelta(minutes=1)
    document_id = client.prepare_feed(order_adjustment(simulator.SELLER_ID, [refund()]))
    made = {
        client.create_feed(enums.FEED_REFUND, [market], document_id).feed_id
        for market in [DE, by_country("FR").id] * 60
    }
    feeds = client.get_feeds([enums.FEED_REFUND], started)
    assert {feed["feedId"] for feed in feeds} == made
    assert sum(feed["marketplaceIds"] == [DE] for feed in feeds) == 60
    german = client.get_feeds([enums.FEED_REFUND], started, marketplace_ids=[DE])
    assert len(german) == 60
    assert simulator.ledger()["calls"]["getFeeds"] == 3


def test_amazons_time_is_that_of_the_simulator(simulator, client):
    client.get_order(SHIPPED)
    simulator.advance(3000)
    client.get_order(SHIPPED)
    now = datetime.fromisoformat(simulator.now().replace("Z", "+00:00"))
    assert abs(now - client.amazon_now()) < timedelta(minutes=5)
    assert client.amazon_now() - datetime.now(timezone.utc) > timedelta(minutes=45)


def test_a_streamed_envelope_is_executed_message_by_message(simulator, client):
    made = generate.orders(300)
    simulator.add_orders(made)
    messages = (
        refund(order["id"], order["items"][0]["id"], "1.00", number)
        for number, order in enumerate(made, 1)
    )
    with tempfile.TemporaryFile() as file:
        count = write_order_adjustment(file, simulator.SELLER_ID, messages, 100_000)
        document_id = client.prepare_feed(file)
    assert 100 < count < 300
    client.create_feed(enums.FEED_REFUND, [DE], document_id)
    simulator.advance(10)
    done = [row["order_id"] for row in simulator.ledger()["refunds"]]
    assert done == [order["id"] for order in made[:count]]


def test_every_order_of_the_demo_can_be_read(simulator, client):
    """With its money, whatever its channel, state and currency."""
    simulator.advance(600)
    since = datetime.now(timezone.utc) - timedelta(days=365)
    page = client.search_orders(created_after=since)
    assert len(page.items) >= 10
    for raw in page.items:
        order = parse_order(client.get_order(raw["orderId"]))
        market = MARKETPLACES.get(order.marketplace_id)
        reading = parse_events(
            client.list_financial_events(order.order_id),
            order.order_id,
            market.prices_include_tax if market else True,
        )
        charged = sum(sum(line.charges.values()) for line in order.lines)
        refunded = sum(event.amount for event in reading.refunds)
        assert refunded <= charged or order.channel == "mcf"
    assert {m["marketplace"]["id"] for m in client.get_marketplace_participations()}


def test_nobody_there_is_not_sent(simulator):
    credentials = Credentials(simulator.CLIENT_ID, "x", "y")
    with (
        SellerClient(
            credentials, Endpoint.simulator("http://127.0.0.1:1"), max_retry_wait=0.01
        ) as client,
        pytest.raises(NotSent),
    ):
        client.create_feed(enums.FEED_REFUND, [DE], "doc")
