"""Feeds of another program of the same seller, sent through the control."""

import pytest
from lxml import etree

from ..ledger import LISTS
from ..process import SimulatorFailed
from .amazon import CANCEL, DE, FR, REFUND, SHIPPED, SHIPPED_ITEM, US, Amazon, refund

FEEDS = "/feeds/2021-06-30/feeds"
ONE_EURO = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")


def send(simulator, outcome="done", **changes):
    """Let another program send two refunds for Germany."""
    options = {"feed_type": REFUND, "marketplace_ids": [DE], "messages": 2}
    return simulator.foreign_feed(**(options | {"outcome": outcome} | changes))


def listed(amazon, **query):
    """Return the feeds of getFeeds by id."""
    answer = amazon.get(FEEDS, **({"feedTypes": f"{REFUND},{CANCEL}"} | query))
    assert answer.status_code == 200, answer.text
    return {feed["feedId"]: feed for feed in answer.json()["feeds"]}


def named(amazon, feed_id):
    """Return the orders that a report names."""
    data = amazon.download(amazon.feed(feed_id)["resultFeedDocumentId"])
    path = "Message/ProcessingReport/Result/AdditionalInfo/AmazonOrderID"
    return [node.text for node in etree.fromstring(data).iterfind(path)]


def test_foreign_feed_is_processed_like_any_other(simulator, amazon):
    feed_id = send(simulator)
    assert amazon.feed(feed_id)["processingStatus"] == "IN_QUEUE"
    simulator.advance(20)
    assert amazon.feed(feed_id)["processingStatus"] == "IN_PROGRESS"
    simulator.advance(40)
    assert amazon.feed(feed_id)["processingStatus"] == "DONE"
    assert amazon.report(feed_id) == (2, {})


@pytest.mark.parametrize("outcome", ["done", "error", "cancelled", "fatal"])
def test_foreign_feed_executes_nothing_and_is_marked_in_the_ledger(
    simulator, amazon, outcome
):
    ours = amazon.submit(REFUND, ONE_EURO)
    foreign = send(simulator, outcome, order_id=SHIPPED)
    simulator.advance(60)
    ledger = simulator.ledger()
    assert ledger["executed"] == dict.fromkeys(LISTS, 0) | {"refunds": 1}
    assert {row["feed_id"]: row["foreign"] for row in ledger["feeds"]} == {
        ours: False,
        foreign: True,
    }
    assert [row["feed_id"] for row in ledger["refunds"]] == [ours]
    assert ledger["calls"]["createFeed"] == 1
    assert ledger["calls"]["createFeedDocument"] == 1


@pytest.mark.parametrize("order_id", [SHIPPED, "303-1111111-2222222"])
def test_failed_foreign_feed_names_the_order_in_its_report(simulator, amazon, order_id):
    feed_id = send(simulator, "error", order_id=order_id)
    simulator.advance(60)
    processed, results = amazon.report(feed_id)
    assert (processed, list(results)) == (2, [1, 2])
    assert named(amazon, feed_id) == [order_id, order_id]


def test_failed_foreign_feed_names_orders_of_nobody_by_itself(simulator, amazon):
    feed_id = send(simulator, "error")
    simulator.advance(60)
    orders = named(amazon, feed_id)
    assert len(set(orders)) == 2
    for order_id in orders:
        answer = amazon.get(f"/orders/2026-01-01/orders/{order_id}")
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("outcome", "status"), [("cancelled", "CANCELLED"), ("fatal", "FATAL")]
)
def test_foreign_feed_may_end_without_a_report(simulator, amazon, outcome, status):
    feed_id = send(simulator, outcome)
    simulator.advance(60)
    feed = amazon.feed(feed_id)
    assert feed["processingStatus"] == status
    assert "resultFeedDocumentId" not in feed


def test_list_shows_foreign_feeds_only_while_it_is_said_to(simulator, amazon):
    ours = amazon.submit(REFUND, ONE_EURO)
    foreign = send(simulator)
    assert set(listed(amazon)) == {ours, foreign}
    simulator.change(lists_foreign_feeds=False)
    assert set(listed(amazon)) == {ours}
    assert amazon.feed(foreign)["feedId"] == foreign
    simulator.change(lists_foreign_feeds=True)
    assert set(listed(amazon)) == {ours, foreign}


def test_list_tells_the_type_and_the_marketplaces_that_amazon_tells(simulator, amazon):
    one = send(simulator, feed_type=CANCEL)
    both = send(simulator, marketplace_ids=[DE, FR])
    none = send(simulator, marketplace_ids=[])
    feeds = listed(amazon)
    assert feeds[one]["feedType"] == CANCEL
    assert feeds[one]["marketplaceIds"] == [DE]
    assert feeds[both]["marketplaceIds"] == [DE, FR]
    assert "marketplaceIds" not in feeds[none]
    assert set(listed(amazon, marketplaceIds=FR)) == {both}


def test_foreign_feed_leaves_the_rules_to_our_next_feed(simulator, amazon):
    simulator.fault("fatal")
    foreign, ours = send(simulator), amazon.submit(REFUND, ONE_EURO)
    simulator.advance(60)
    assert amazon.feed(foreign)["processingStatus"] == "DONE"
    assert amazon.feed(ours)["processingStatus"] == "FATAL"


def test_another_seller_does_not_see_it(simulator, amazon):
    foreign = send(simulator, seller_id="ADEMOSELLER02", marketplace_ids=[US])
    other = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    assert set(listed(other)) == {foreign}
    assert listed(amazon) == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"feed_type": "POST_PRODUCT_DATA"}, "feed_type .* is none of"),
        ({"feed_type": []}, "feed_type .* is none of"),
        ({"marketplace_ids": DE}, "marketplace_ids is a list of"),
        ({"marketplace_ids": [US]}, "marketplace_ids is a list of"),
        ({"messages": 0}, "messages is a number from 1"),
        ({"messages": True}, "messages is a number from 1"),
        ({"outcome": "lost"}, "outcome 'lost' is none of done, error"),
        ({"outcome": None}, "outcome None is none of"),
        ({"order_id": "1-2-3"}, "3-7-7"),
        ({"seller_id": "NOBODY"}, "NOBODY"),
        ({"seller_id": ["NOBODY"]}, "NOBODY"),
        ({"colour": "red"}, "unknown .*colour"),
    ],
)
def test_foreign_feed_that_makes_no_sense_is_refused(simulator, changes, words):
    with pytest.raises(SimulatorFailed, match=words):
        send(simulator, **changes)
    assert simulator.ledger()["feeds"] == []


@pytest.mark.parametrize(
    "name", ["feed_type", "marketplace_ids", "messages", "outcome"]
)
def test_foreign_feed_needs_what_it_is(simulator, name):
    options = {"feed_type": REFUND, "marketplace_ids": [DE], "messages": 1}
    options |= {"outcome": "done"}
    del options[name]
    with pytest.raises(SimulatorFailed, match=f"missing .*{name}"):
        simulator.foreign_feed(**options)
