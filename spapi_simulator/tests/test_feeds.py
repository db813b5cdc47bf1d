"""Documents, and the life of a feed."""

import gzip

import pytest
import requests

from .amazon import (
    CANCEL,
    DE,
    FR,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    US,
    XML,
    Amazon,
    refund,
)

FEEDS = "/feeds/2021-06-30/feeds"
ONE_EURO = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")


def put(url, data=b"x", content_type=XML, **headers):
    """Upload to a presigned URL."""
    headers["Content-Type"] = content_type
    return requests.put(url, data, headers=headers, timeout=30)


# === DOCUMENTS === #


@pytest.mark.parametrize(
    ("content_type", "status"),
    [(XML, 200), ("text/xml", 403), ("text/xml; charset=utf-8", 403), ("", 403)],
)
def test_upload_needs_the_content_type_of_the_document(amazon, content_type, status):
    url = amazon.create_document().json()["url"]
    answer = put(url, content_type=content_type)
    assert answer.status_code == status
    if status == 403:
        assert b"SignatureDoesNotMatch" in answer.content


def test_url_is_valid_for_five_minutes(simulator, amazon):
    document = amazon.create_document().json()
    simulator.advance(301)
    answer = put(document["url"])
    assert answer.status_code == 403
    assert b"Request has expired" in answer.content
    assert put(amazon.create_document().json()["url"]).status_code == 200


def test_url_with_another_signature_is_refused(amazon):
    url = amazon.create_document().json()["url"]
    assert put(url[:-1] + ("0" if url[-1] != "0" else "1")).status_code == 403
    other = amazon.create_document().json()["url"]
    mixed = url.split("?")[0] + "?" + other.split("?")[1]
    assert put(mixed).status_code == 403
    assert requests.get(url, timeout=30).status_code == 403


@pytest.mark.parametrize("name", ["x-amz-access-token", "Authorization"])
def test_url_refuses_a_client_that_shows_its_token(amazon, name):
    url = amazon.create_document().json()["url"]
    assert put(url, **{name: amazon.access_token}).status_code in (400, 403)


@pytest.mark.parametrize("body", [{"contentType": ""}, {"contentType": 1}, {}, []])
def test_document_needs_a_content_type(amazon, body):
    answer = amazon.call("POST", "/feeds/2021-06-30/documents", json=body)
    assert answer.status_code == 400


def test_body_must_be_declared_as_json(amazon):
    answer = amazon.call("POST", FEEDS, data="{}", headers={"Content-Type": "text/x"})
    assert answer.status_code == 415


# === CREATE === #


@pytest.mark.parametrize(
    "changes",
    [
        {"feedType": "POST_PRODUCT_DATA"},
        {"feedType": None},
        {"marketplaceIds": []},
        {"marketplaceIds": DE},
        {"marketplaceIds": [US]},
        {"marketplaceIds": [DE] * 26},
        {"inputFeedDocumentId": "amzn1.tortuga.4.eu.unknown"},
        {"feedOptions": {"a": 1}},
        {"feedOptions": []},
    ],
)
def test_create_feed_refuses_what_does_not_hold(simulator, amazon, changes):
    body = {
        "feedType": REFUND,
        "marketplaceIds": [DE],
        "inputFeedDocumentId": amazon.upload(amazon.envelope(REFUND, ONE_EURO)),
    }
    answer = amazon.call("POST", FEEDS, json=body | changes)
    assert answer.status_code == 400
    assert simulator.ledger()["feeds"] == []
    assert amazon.call("POST", FEEDS, json=body).status_code == 202


def test_create_feed_needs_an_upload(amazon):
    document_id = amazon.create_document().json()["feedDocumentId"]
    assert amazon.create_feed(REFUND, document_id).status_code == 400


def test_document_is_usable_for_two_days(simulator, amazon):
    document_id = amazon.upload(amazon.envelope(REFUND, ONE_EURO))
    simulator.advance(2 * 24 * 3600 + 1)
    amazon.access_token = amazon.login().json()["access_token"]
    assert amazon.create_feed(REFUND, document_id).status_code == 400


# === PROCESSING === #


def test_feed_is_executed_at_its_own_time_even_if_nobody_asks(simulator, amazon):
    feed_id = amazon.submit(REFUND, ONE_EURO)
    simulator.advance(50)
    assert simulator.ledger()["refunds"] == []
    simulator.advance(5000)
    (row,) = simulator.ledger()["refunds"]
    amazon.access_token = amazon.login().json()["access_token"]
    feed = amazon.feed(feed_id)
    assert row["executed_at"] == feed["processingEndTime"]
    assert feed["processingEndTime"] < simulator.now()


def test_feed_shows_its_times_as_they_come(simulator, amazon):
    feed_id = amazon.submit(REFUND, ONE_EURO)
    feed = amazon.feed(feed_id)
    assert feed["processingStatus"] == "IN_QUEUE"
    assert not {"processingStartTime", "resultFeedDocumentId"} & set(feed)
    assert "inputFeedDocumentId" not in feed
    simulator.advance(20)
    feed = amazon.feed(feed_id)
    assert feed["processingStatus"] == "IN_PROGRESS"
    assert "processingStartTime" in feed and "processingEndTime" not in feed
    simulator.advance(60)
    feed = amazon.feed(feed_id)
    assert feed["processingStatus"] == "DONE"
    assert feed["processingStartTime"] < feed["processingEndTime"]


def test_reading_a_feed_again_does_not_execute_it_again(simulator, amazon, run):
    run(REFUND, ONE_EURO)
    for _ in range(5):
        simulator.advance(100)
        assert len(simulator.ledger()["refunds"]) == 1


def test_the_same_document_in_two_feeds_is_executed_twice(simulator, amazon):
    document_id = amazon.upload(amazon.envelope(REFUND, ONE_EURO))
    feed_ids = [amazon.create_feed(REFUND, document_id).json()["feedId"] for _ in "ab"]
    simulator.advance(60)
    ledger = simulator.ledger()
    assert [row["feed_id"] for row in ledger["refunds"]] == feed_ids
    digests = {feed["input_digest"] for feed in ledger["feeds"]}
    assert len(digests) == 1 and len(ledger["feeds"]) == 2


def test_report_is_packed_and_readable_in_every_way(simulator, amazon, run):
    run(REFUND, ONE_EURO)
    feed_id = simulator.ledger()["feeds"][0]["feed_id"]
    path = f"/feeds/2021-06-30/documents/{amazon.feed(feed_id)['resultFeedDocumentId']}"
    document = amazon.get(path).json()
    assert document["compressionAlgorithm"] == "GZIP"
    packed = requests.get(document["url"], timeout=30).content
    assert gzip.decompress(packed).startswith(b"<?xml")
    encoded = amazon.get(path, enableContentEncodingUrlHeader="true").json()
    assert requests.get(encoded["url"], timeout=30).content.startswith(b"<?xml")


def test_report_can_be_plain(simulator, amazon):
    simulator.reset(gzip_reports=False, processing_seconds=1)
    feed_id = amazon.submit(REFUND, ONE_EURO)
    simulator.advance(1)
    path = f"/feeds/2021-06-30/documents/{amazon.feed(feed_id)['resultFeedDocumentId']}"
    document = amazon.get(path).json()
    assert "compressionAlgorithm" not in document
    assert requests.get(document["url"], timeout=30).content.startswith(b"<?xml")


def test_report_is_kept_for_28_days(simulator, amazon, run):
    run(REFUND, ONE_EURO)
    feed_id = simulator.ledger()["feeds"][0]["feed_id"]
    result = amazon.feed(feed_id)["resultFeedDocumentId"]
    simulator.advance(29 * 24 * 3600)
    amazon.access_token = amazon.login().json()["access_token"]
    assert amazon.get(f"/feeds/2021-06-30/documents/{result}").status_code == 404
    assert amazon.feed(feed_id)["processingStatus"] == "DONE"


# === CANCEL === #


def test_feed_in_the_queue_can_be_cancelled_and_does_nothing(simulator, amazon):
    feed_id = amazon.submit(REFUND, ONE_EURO)
    assert amazon.call("DELETE", f"{FEEDS}/{feed_id}").status_code == 200
    simulator.advance(100)
    assert amazon.feed(feed_id)["processingStatus"] == "CANCELLED"
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize("seconds", [20, 100])
def test_feed_that_left_the_queue_cannot_be_cancelled(simulator, amazon, seconds):
    feed_id = amazon.submit(REFUND, ONE_EURO)
    simulator.advance(seconds)
    assert amazon.call("DELETE", f"{FEEDS}/{feed_id}").status_code == 400
    simulator.advance(100)
    assert len(simulator.ledger()["refunds"]) == 1


# === LIST === #


def listed(amazon, **query):
    """Return the feed ids of getFeeds."""
    answer = amazon.get(FEEDS, **query)
    assert answer.status_code == 200, answer.text
    return [feed["feedId"] for feed in answer.json()["feeds"]]


def test_get_feeds_filters_and_shows_the_newest_first(simulator, amazon):
    first = amazon.submit(REFUND, ONE_EURO)
    simulator.advance(100)
    middle = simulator.now()
    second = amazon.submit(REFUND, ONE_EURO, marketplaces=(FR,))
    other = amazon.submit(CANCEL, "<OrderAcknowledgement/>")
    assert listed(amazon, feedTypes=REFUND) == [second, first]
    assert listed(amazon, feedTypes=f"{REFUND},{CANCEL}") == [other, second, first]
    assert listed(amazon, feedTypes=REFUND, createdSince=middle) == [second]
    assert listed(amazon, feedTypes=REFUND, createdUntil=middle) == [first]
    assert listed(amazon, feedTypes=REFUND, marketplaceIds=DE) == [first]
    assert listed(amazon, feedTypes=REFUND, processingStatuses="DONE") == [first]
    simulator.advance(100)
    amazon = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    assert listed(amazon, feedTypes=REFUND) == []


def test_get_feeds_pages_by_token_alone(simulator, amazon):
    feed_ids = [amazon.submit(REFUND, ONE_EURO) for _ in range(5)]
    answer = amazon.get(FEEDS, feedTypes=REFUND, pageSize=2).json()
    found = [feed["feedId"] for feed in answer["feeds"]]
    refused = amazon.get(FEEDS, feedTypes=REFUND, nextToken=answer["nextToken"])
    assert refused.status_code == 400
    while "nextToken" in answer:
        answer = amazon.get(FEEDS, nextToken=answer["nextToken"]).json()
        found += [feed["feedId"] for feed in answer["feeds"]]
    assert found == feed_ids[::-1]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"processingStatuses": "DONE"},
        {"feedTypes": REFUND, "processingStatuses": "READY"},
        {"feedTypes": REFUND, "pageSize": 101},
        {"feedTypes": ",".join([REFUND] * 11)},
        {"nextToken": "made-up"},
    ],
)
def test_get_feeds_refuses_what_the_model_forbids(amazon, query):
    assert amazon.get(FEEDS, **query).status_code == 400


@pytest.mark.parametrize(("feed_id", "status"), [("abc", 400), ("99", 404)])
def test_bad_and_unknown_feed_ids(amazon, feed_id, status):
    assert amazon.get(f"{FEEDS}/{feed_id}").status_code == status
    assert amazon.call("DELETE", f"{FEEDS}/{feed_id}").status_code == status
