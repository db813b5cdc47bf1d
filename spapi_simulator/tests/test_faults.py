"""Faults by rule: each kind does what it says, as often as it says."""

import base64

import pytest
import requests
from lxml import etree

from .amazon import (
    CANCEL,
    DE,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
    read_report,
    refund,
)

ORDER = f"/orders/2026-01-01/orders/{SHIPPED}"
ONE_EURO = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")
TWO_ORDERS = (ONE_EURO, refund("305-2260917-9913547", "147645420375120", Principal="2"))


@pytest.fixture
def prepared(amazon):
    """Id of an uploaded document that refunds one euro."""
    return amazon.upload(amazon.envelope(REFUND, ONE_EURO))


# === REQUESTS === #


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [("throttle", 429, "QuotaExceeded"), ("forbidden", 403, "Unauthorized")],
)
def test_refusal_in_amazons_form(simulator, amazon, prepared, kind, status, code):
    simulator.fault(kind, "createFeed")
    answer = amazon.create_feed(REFUND, prepared)
    assert answer.status_code == status
    assert answer.json()["errors"][0]["code"] == code
    assert "Retry-After" not in answer.headers
    assert simulator.ledger()["feeds"] == []


def test_unavailable_answers_in_html(simulator, amazon):
    simulator.fault("html_503", "getOrder")
    answer = amazon.get(ORDER)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<html>")


def test_plain_forbidden_has_no_error_list(simulator, amazon):
    simulator.fault("forbidden_plain", "getOrder")
    answer = amazon.get(ORDER)
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("kind", "executed"),
    [
        ("cut_before", False),
        ("cut_after", True),
        ("timeout_before", False),
        ("timeout_after", True),
    ],
)
def test_connection_is_cut_before_or_after_the_feed_was_accepted(
    simulator, amazon, prepared, kind, executed
):
    seconds = {"seconds": 0.2} if kind.startswith("timeout") else {}
    simulator.fault(kind, "createFeed", **seconds)
    with pytest.raises(requests.ConnectionError):
        amazon.create_feed(REFUND, prepared)
    assert len(simulator.ledger()["feeds"]) == executed
    simulator.advance(60)
    assert len(simulator.ledger()["refunds"]) == executed
    assert amazon.create_feed(REFUND, prepared).status_code == 202


@pytest.mark.parametrize(
    ("kind", "executed"), [("timeout_before", False), ("timeout_after", True)]
)
def test_client_that_gives_up_waiting_does_not_change_the_outcome(
    simulator, amazon, prepared, kind, executed
):
    simulator.fault(kind, "createFeed", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        amazon.create_feed(REFUND, prepared, timeout=0.3)
    assert len(simulator.ledger()["feeds"]) == executed


def test_slow_answer_comes_late_and_whole(simulator, amazon, prepared):
    simulator.fault("slow", "createFeed", seconds=0.5, times=2)
    with pytest.raises(requests.ReadTimeout):
        amazon.create_feed(REFUND, prepared, timeout=0.1)
    assert amazon.create_feed(REFUND, prepared).status_code == 202
    assert len(simulator.ledger()["feeds"]) == 2


@pytest.mark.parametrize(
    "operation", ["token", "uploadDocument", "downloadDocument", "getFeed", "*"]
)
def test_every_request_can_fail(simulator, amazon, operation, run):
    run(REFUND, ONE_EURO)
    feed_id = simulator.ledger()["feeds"][0]["feed_id"]
    result = amazon.feed(feed_id)["resultFeedDocumentId"]
    upload = amazon.create_document().json()["url"]
    download = amazon.get(f"/feeds/2021-06-30/documents/{result}").json()["url"]
    requests_of = {
        "token": amazon.login,
        "uploadDocument": lambda: requests.put(upload, b"x", timeout=30),
        "downloadDocument": lambda: requests.get(download, timeout=30),
        "getFeed": lambda: amazon.get(f"/feeds/2021-06-30/feeds/{feed_id}"),
        "*": amazon.login,
    }
    simulator.fault("html_503", operation)
    assert requests_of[operation]().status_code == 503
    assert requests_of[operation]().status_code != 503


def test_an_answer_can_be_any_bytes(simulator, amazon):
    said = b"{\xff\0"
    body = base64.b64encode(said).decode()
    simulator.fault("says", "getOrder", body=body)
    simulator.fault("says", "getOrder", body=body, status=400)
    answers = [amazon.get(ORDER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 400, 200]
    assert [answer.content for answer in answers[:2]] == [said, said]


def test_times_and_skip_are_counted(simulator, amazon):
    simulator.fault("html_503", "getOrder", times=2, skip=1)
    statuses = [amazon.get(ORDER).status_code for _ in range(5)]
    assert statuses == [200, 503, 503, 200, 200]


def test_fault_without_end_lasts_until_it_is_cleared(simulator, amazon):
    simulator.fault("html_503", "getOrder", times=None)
    assert {amazon.get(ORDER).status_code for _ in range(5)} == {503}
    simulator.clear_faults()
    assert amazon.get(ORDER).status_code == 200


def test_fault_of_one_operation_leaves_the_others_alone(simulator, amazon):
    simulator.fault("throttle", "createFeed", times=None)
    assert amazon.get(ORDER).status_code == 200


def test_rules_strike_one_after_the_other(simulator, amazon):
    simulator.fault("html_503", "getOrder")
    simulator.fault("throttle", "getOrder")
    statuses = [amazon.get(ORDER).status_code for _ in range(3)]
    assert statuses == [503, 429, 200]


# === FEEDS === #


def submit(simulator, amazon, *messages):
    """Submit, process, return the feed."""
    feed_id = amazon.submit(REFUND, *messages)
    simulator.advance(60)
    return amazon.feed(feed_id)


def test_fatal_feed_did_nothing(simulator, amazon):
    simulator.fault("fatal")
    feed = submit(simulator, amazon, ONE_EURO)
    assert feed["processingStatus"] == "FATAL"
    assert "resultFeedDocumentId" not in feed
    assert simulator.ledger()["refunds"] == []


def test_partly_fatal_feed_did_its_first_messages(simulator, amazon):
    simulator.fault("fatal_partial", executed=1)
    feed = submit(simulator, amazon, *TWO_ORDERS)
    assert feed["processingStatus"] == "FATAL"
    assert [row["message_id"] for row in simulator.ledger()["refunds"]] == [1]


def test_feed_cancelled_by_amazon_did_nothing(simulator, amazon):
    simulator.fault("cancelled")
    feed = submit(simulator, amazon, ONE_EURO)
    assert feed["processingStatus"] == "CANCELLED"
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize("executed", [False, True])
def test_stuck_feed_never_ends(simulator, amazon, executed):
    simulator.fault("stuck", executed=executed)
    feed_id = submit(simulator, amazon, ONE_EURO)["feedId"]
    simulator.advance(3000)
    assert amazon.feed(feed_id)["processingStatus"] == "IN_PROGRESS"
    assert len(simulator.ledger()["refunds"]) == executed


def test_report_error_refuses_one_order_and_does_the_other(simulator, amazon):
    simulator.fault("report_error", order_id=SHIPPED, code="13057", text="Not now")
    feed = submit(simulator, amazon, *TWO_ORDERS)
    assert amazon.report(feed["feedId"]) == (2, {1: ("13057", "Not now")})
    assert [row["message_id"] for row in simulator.ledger()["refunds"]] == [2]


@pytest.mark.parametrize("executed", [True, False])
def test_report_that_misses_a_message_counts_it_not(simulator, amazon, executed):
    simulator.fault("report_missing", order_id=SHIPPED, executed=executed)
    feed = submit(simulator, amazon, *TWO_ORDERS)
    assert amazon.report(feed["feedId"]) == (1, {})
    assert len(simulator.ledger()["refunds"]) == 1 + executed


def test_bad_report_is_no_xml_although_all_was_done(simulator, amazon):
    simulator.fault("report_bad_xml")
    feed = submit(simulator, amazon, ONE_EURO)
    data = amazon.download(feed["resultFeedDocumentId"])
    with pytest.raises(etree.XMLSyntaxError):
        read_report(data)
    assert len(simulator.ledger()["refunds"]) == 1


def test_report_is_gone_although_all_was_done(simulator, amazon):
    simulator.fault("report_gone")
    feed = submit(simulator, amazon, ONE_EURO)
    path = f"/feeds/2021-06-30/documents/{feed['resultFeedDocumentId']}"
    assert amazon.get(path).status_code == 404
    assert len(simulator.ledger()["refunds"]) == 1


def test_late_report_can_be_had_in_the_end(simulator, amazon):
    simulator.fault("report_late", seconds=300)
    feed = submit(simulator, amazon, ONE_EURO)
    assert feed["processingStatus"] == "DONE"
    path = f"/feeds/2021-06-30/documents/{feed['resultFeedDocumentId']}"
    assert amazon.get(path).status_code == 404
    simulator.advance(299)
    assert amazon.get(path).status_code == 404
    simulator.advance(1)
    assert amazon.report(feed["feedId"]) == (1, {})


def test_slow_feed_takes_its_own_time(simulator, amazon):
    simulator.fault("slow_processing", seconds=1200)
    slow = submit(simulator, amazon, ONE_EURO)
    other = submit(simulator, amazon, ONE_EURO)
    assert slow["processingStatus"] == "IN_QUEUE"
    assert other["processingStatus"] == "DONE"
    simulator.advance(300)
    assert amazon.feed(slow["feedId"])["processingStatus"] == "IN_PROGRESS"
    simulator.advance(900)
    assert amazon.report(slow["feedId"]) == (1, {})
    assert len(simulator.ledger()["refunds"]) == 2


def test_get_feeds_lags_while_get_feed_knows(simulator, amazon):
    simulator.fault("getfeeds_lag", seconds=300)
    feed_id = amazon.submit(REFUND, ONE_EURO)
    path = "/feeds/2021-06-30/feeds"
    assert amazon.get(path, feedTypes=REFUND).json()["feeds"] == []
    assert amazon.feed(feed_id)["feedId"] == feed_id
    simulator.advance(300)
    (feed,) = amazon.get(path, feedTypes=REFUND).json()["feeds"]
    assert feed["feedId"] == feed_id


def test_fault_stays_with_the_feed_that_caught_it(simulator, amazon):
    simulator.fault("fatal")
    first = amazon.submit(REFUND, ONE_EURO)
    second = amazon.submit(CANCEL, cancel(UNSHIPPED, *UNSHIPPED_ITEMS))
    simulator.clear_faults()
    simulator.advance(60)
    assert amazon.feed(first)["processingStatus"] == "FATAL"
    assert amazon.feed(second)["processingStatus"] == "DONE"


def test_lost_answer_and_late_list_together(simulator, amazon, prepared):
    simulator.fault("cut_after", "createFeed")
    simulator.fault("getfeeds_lag", seconds=120)
    with pytest.raises(requests.ConnectionError):
        amazon.create_feed(REFUND, prepared, [DE])
    path = "/feeds/2021-06-30/feeds"
    assert amazon.get(path, feedTypes=REFUND).json()["feeds"] == []
    simulator.advance(120)
    assert len(amazon.get(path, feedTypes=REFUND).json()["feeds"]) == 1
    assert len(simulator.ledger()["refunds"]) == 1
