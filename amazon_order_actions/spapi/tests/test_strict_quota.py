"""What the layer asks of the quota before a request, and tells it after."""

import logging
from datetime import datetime, timedelta, timezone

import pytest
from calls import (
    DOCUMENT,
    FEEDS,
    ORDER,
    ORDER_ID,
    READS,
    WRITES,
    accept_documents,
    create_feed,
)
from fake_amazon import TOKEN_PATH, Answer, error, html
from spapi.errors import OutcomeUnknown, Refused, Throttled
from spapi.operations import OPERATIONS

DATE = "Sun, 01 Nov 2026 12:30:15 GMT"
MOMENT = datetime(2026, 11, 1, 12, 30, 15, tzinfo=timezone.utc)


class Quota:
    """Gives `waits` one after the other, then 0.0; writes down what it is told."""

    def __init__(self, *waits):
        self.waits = list(waits)
        self.taken, self.learned, self.emptied = [], [], []

    def take(self, operation):
        self.taken.append(operation.name)
        return self.waits.pop(0) if self.waits else 0.0

    def learn(self, operation, rate):
        self.learned.append((operation.name, rate))

    def exhausted(self, operation, wait):
        self.emptied.append((operation.name, wait))


@pytest.fixture
def quota():
    """A quota with tokens."""
    return Quota()


# === BEFORE === #


@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_each_request_takes_one_token_of_its_operation(
    amazon, make_client, quota, name
):
    call, method, path, answer = {**READS, **WRITES}[name]
    amazon.script(method, path, answer)
    call(make_client(quota=quota))
    assert quota.taken == [name]


@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_without_a_token_nothing_is_sent_and_nobody_waits(amazon, make_client, name):
    call, method, path, answer = {**READS, **WRITES}[name]
    amazon.script(method, path, answer)
    quota = Quota(7.5)
    with pytest.raises(Throttled) as caught:
        call(make_client(quota=quota))
    assert (caught.value.operation, caught.value.wait) == (name, 7.5)
    assert caught.value.local
    assert quota.taken == [name]
    assert not amazon.calls()


def test_a_repeated_read_takes_a_token_each_time(amazon, make_client, quota):
    amazon.script("GET", ORDER, html(503), html(503), READS["getOrder"][3])
    make_client(quota=quota).get_order(ORDER_ID)
    assert quota.taken == ["getOrder"] * 3


def test_a_read_is_not_repeated_when_the_tokens_end(amazon, make_client):
    amazon.script("GET", ORDER, html(503))
    with pytest.raises(Throttled) as caught:
        make_client(quota=Quota(0.0, 3.0)).get_order(ORDER_ID)
    assert caught.value.local
    assert len(amazon.calls()) == 1


def test_documents_and_access_tokens_cost_no_quota_of_their_own(
    amazon, make_client, quota
):
    accept_documents(amazon)
    client = make_client(quota=quota)
    client.prepare_feed(b"<x/>")
    client.read_report(DOCUMENT.rsplit("/", 1)[1])
    assert quota.taken == ["createFeedDocument", "getFeedDocument"]
    assert len(amazon.calls()) == 4
    assert len(amazon.token_calls) == 1


def test_no_token_is_taken_for_a_request_that_cannot_leave(amazon, make_client, quota):
    amazon.script("POST", TOKEN_PATH, Answer(400, {"error": "invalid_grant"}))
    with pytest.raises(Refused):
        create_feed(make_client(quota=quota))
    assert not quota.taken


def test_a_quota_that_fails_lets_nothing_leave(amazon, make_client, quota):
    failure = RuntimeError("could not serialize access")

    def take(operation):
        raise failure

    quota.take = take
    for call in (create_feed, lambda client: client.get_order(ORDER_ID)):
        with pytest.raises(RuntimeError) as caught:
            call(make_client(quota=quota))
        assert caught.value is failure
    assert not amazon.calls()


# === AFTER === #


@pytest.mark.parametrize(
    ("header", "learned"),
    [
        ("0.5", [("createFeed", 0.5)]),
        ("1000", [("createFeed", 1000.0)]),
        ("1001", []),
        (None, []),
        ("soon", []),
        ("0", []),
        ("-1", []),
        ("nan", []),
        ("inf", []),
    ],
)
def test_a_told_rate_is_learned_if_it_is_one(
    amazon, make_client, quota, header, learned
):
    headers = {"x-amzn-RateLimit-Limit": header} if header else {}
    amazon.script("POST", FEEDS, Answer(202, {"feedId": "77"}, headers))
    create_feed(make_client(quota=quota))
    assert (quota.learned, quota.emptied) == (learned, [])


def test_a_rate_is_learned_from_a_refusal_too(amazon, make_client, quota):
    headers = {"x-amzn-RateLimit-Limit": "2"}
    amazon.script("GET", ORDER, error(404, "NotFound", headers=headers))
    with pytest.raises(Refused):
        make_client(quota=quota).get_order(ORDER_ID)
    assert quota.learned == [("getOrder", 2.0)]


@pytest.mark.parametrize(
    ("header", "wait"), [("0.1", 10.0), (None, 1 / OPERATIONS["createFeed"].rate)]
)
def test_amazons_429_is_told_with_its_wait(amazon, make_client, quota, header, wait):
    headers = {"x-amzn-RateLimit-Limit": header} if header else {}
    amazon.script("POST", FEEDS, error(429, "QuotaExceeded", headers=headers))
    with pytest.raises(Throttled) as caught:
        create_feed(make_client(quota=quota))
    assert not caught.value.local
    assert quota.emptied == [("createFeed", pytest.approx(wait))]
    assert caught.value.wait == pytest.approx(wait)


def test_a_throttled_token_service_says_nothing_of_the_operation(
    amazon, make_client, quota
):
    amazon.script("POST", TOKEN_PATH, Answer(429, {"error": "slow_down"}))
    with pytest.raises(Throttled) as caught:
        create_feed(make_client(quota=quota))
    assert not caught.value.local
    assert (quota.taken, quota.emptied) == ([], [])


@pytest.mark.parametrize("method", ["learn", "exhausted"])
def test_what_cannot_be_kept_of_the_quota_costs_no_answer(
    amazon, make_client, quota, method, caplog
):
    """The answer may be the id of a feed that must not be lost."""

    def fail(*args):
        raise RuntimeError("the database is gone")

    setattr(quota, method, fail)
    headers = {"x-amzn-RateLimit-Limit": "2"}
    amazon.script(
        "POST",
        FEEDS,
        Answer(202, {"feedId": "77"}, headers),
        error(429, "QuotaExceeded", headers=headers),
    )
    client = make_client(quota=quota)
    with caplog.at_level(logging.ERROR):
        assert create_feed(client) == "77"
        with pytest.raises(Throttled):
            create_feed(client)
    assert "could not be kept" in caplog.text


# === AMAZON'S CLOCK === #


def test_amazons_time_is_unknown_before_its_first_answer(client):
    assert client.amazon_now() is None


@pytest.mark.parametrize(
    "date", [DATE, "Sun, 01 Nov 2026 12:30:15 -0000", "1 Nov 2026 13:30:15 +0100"]
)
def test_amazons_time_comes_from_its_last_answer(amazon, client, date):
    amazon.script("POST", FEEDS, Answer(202, {"feedId": "77"}, {"Date": date}))
    create_feed(client)
    now = client.amazon_now()
    assert now.utcoffset() == timedelta(0)
    assert MOMENT <= now < MOMENT + timedelta(minutes=1)
    assert client.amazon_now() >= now


def test_any_answer_tells_the_time_even_an_error(amazon, client):
    failure = html(503)
    failure.headers["Date"] = DATE
    amazon.script("POST", FEEDS, failure)
    with pytest.raises(OutcomeUnknown):
        create_feed(client)
    assert client.amazon_now() - MOMENT < timedelta(minutes=1)


@pytest.mark.parametrize("date", ["", "soon", "99 Foo 2026", "Sun, 01 Nov 99999999"])
def test_an_answer_without_a_time_leaves_the_last_one(amazon, client, date):
    amazon.script(
        "POST",
        FEEDS,
        Answer(202, {"feedId": "77"}, {"Date": DATE}),
        Answer(202, {"feedId": "78"}, {"Date": date}),
    )
    assert (create_feed(client), create_feed(client)) == ("77", "78")
    assert MOMENT <= client.amazon_now() < MOMENT + timedelta(minutes=1)
