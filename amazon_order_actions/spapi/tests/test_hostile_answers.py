"""Answers that are made to hurt: whatever Amazon, or who sits in between, answers, only
the layer's own kinds of failure come out of it, or a reading that is true."""

import gzip
import json
import time
import zlib

import pytest
from calls import (
    EVENTS,
    FEED,
    FEEDS,
    FULFILLMENT_ORDER,
    MESSAGING,
    ORDER,
    ORDER_ID,
    ORDERS,
    PARTICIPATIONS,
    READS,
    SINCE,
    TRANSACTIONS,
    WRITES,
    create_feed,
)
from fake_amazon import TOKEN_PATH, Answer, error
from spapi import transport
from spapi.errors import MalformedAnswer, NotSent, OutcomeUnknown, Refused, SpApiError
from spapi.strict_json import MAX_DEPTH, loads

DEEP = b"[" * 100_000 + b"]" * 100_000

#: Bodies of a success that are no answer.
BODIES = {
    "nested without end": b'{"order": ' + DEEP + b"}",
    "nested a little too deeply": b'{"order": ' + b"[" * 70 + b"]" * 70 + b"}",
    "never closed": b"[" * 1_000_000,
    "NaN": b'{"order": {"orderId": "x", "amount": NaN}}',
    "Infinity": b'{"order": {"amount": -Infinity}}',
    "1e400": b'{"order": {"amount": 1e400}}',
    "more digits than a number has": b'{"order": {"n": %s}}' % (b"9" * 4000),
    "more digits than Python reads": b'{"order": {"n": %s}}' % (b"9" * 5000),
    "a key twice": b'{"order": {"amount": "1.00", "amount": "9.00"}}',
    "latin-1": '{"order": {"title": "Kännchen"}}'.encode("latin-1"),
    "UTF-16": '{"order": {}}'.encode("utf-16"),
    "UTF-16 without a mark": '{"order": {}}'.encode("utf-16-le"),
    "half of a pair, in UTF-8": b'{"order": {"title": "\xed\xa0\x80"}}',
    "NUL": b'{"order": {"title": "a\0b"}}',
    "HTML": b"<html><script>alert(1)</script></html>",
    "a list": b"[]",
    "a text": b'"order"',
    "two answers": b'{"order": {}}{"order": {}}',
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_answer_is_one_for_no_read(amazon, client, body):
    amazon.script("GET", ORDER, Answer(200, body))
    started = time.thread_time()
    with pytest.raises((OutcomeUnknown, MalformedAnswer)):
        client.get_order(ORDER_ID)
    assert time.thread_time() - started < 5


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_body_that_is_no_answer_leaves_a_write_unknown(amazon, client, body):
    amazon.script("POST", FEEDS, Answer(202, body))
    with pytest.raises(OutcomeUnknown):
        create_feed(client)
    assert len(amazon.calls("POST", FEEDS)) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500])
@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_an_error_keeps_its_kind_whatever_its_body(amazon, client, status, body):
    amazon.script("POST", FEEDS, Answer(status, body))
    with pytest.raises(SpApiError) as caught:
        create_feed(client)
    assert isinstance(caught.value, OutcomeUnknown) == (status == 500)
    assert caught.value.http_status == status


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_a_token_service_that_talks_nonsense_sends_nothing(amazon, client, body):
    amazon.script("POST", TOKEN_PATH, Answer(200, body))
    with pytest.raises(NotSent):
        create_feed(client)
    assert not amazon.calls("POST", FEEDS)


def test_an_access_token_of_megabytes_is_none(amazon, client):
    amazon.script(
        "POST",
        TOKEN_PATH,
        Answer(200, {"access_token": "Atza|" + "x" * 10**6, "expires_in": 3600}),
    )
    with pytest.raises(NotSent):
        create_feed(client)
    assert not amazon.calls("POST", FEEDS)


def test_nesting_is_read_as_deep_as_amazon_nests():
    deep = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert loads(deep)
    with pytest.raises(ValueError, match="nested"):
        loads(b"[%s]" % (b'{"a":' * MAX_DEPTH + b"[1]" + b"}" * MAX_DEPTH))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (r"half \ud800 of a pair", "half \ufffd of a pair"),
        (r"both \ud83d\ude00 halves", "both 😀 halves"),
        (r"NUL \u0000 inside", "NUL \ufffd inside"),
        (r"escape \u001b[31m", "escape \ufffd[31m"),
        (r"right \u202e to left", "right  to left"),
        (r"iso\u2066late\u2069", "isolate"),
        (r"zero\u200bwidth\ufeff", "zerowidth"),
        (r"tag\udb40\udc41", "tag"),
        (r"joined \ud83d\udc69\u200d\ud83d\udcbb", "joined 👩\u200d💻"),
        (r"line\nand tab\t", "line\nand tab\t"),
        ("Kännchen <b>“=1+1”</b>", "Kännchen <b>“=1+1”</b>"),
    ],
)
def test_texts_are_fit_to_be_kept_and_shown(said, kept):
    (text,) = loads(f'["{said}"]'.encode())
    assert text == kept
    text.encode()


# === PACKED ANSWERS === #


def packed(body, coding="gzip"):
    return Answer(200, body, {"Content-Encoding": coding})


ANSWER = json.dumps({"order": {"orderId": ORDER_ID}}).encode()


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP "])
def test_a_packed_answer_is_read(amazon, client, coding):
    amazon.script("GET", ORDER, packed(gzip.compress(ANSWER), coding))
    assert client.get_order(ORDER_ID) == {"orderId": ORDER_ID}
    assert amazon.calls("GET", ORDER)[0].headers["Accept-Encoding"] == "gzip"


HOSTILE_PACKING = {
    "bomb": packed(gzip.compress(b" " * 21_000_000 + ANSWER)),
    "packed twice": packed(gzip.compress(gzip.compress(ANSWER)), "gzip, gzip"),
    "packed twice, once told": packed(gzip.compress(gzip.compress(ANSWER))),
    "bomb in a bomb": packed(
        gzip.compress(gzip.compress(b" " * 10_000_000)), "gzip, gzip"
    ),
    "cut": packed(gzip.compress(ANSWER)[:-5]),
    "not packed": packed(ANSWER),
    "zlib": packed(zlib.compress(ANSWER), "deflate"),
    "brotli": packed(ANSWER, "br"),
    "unknown": packed(ANSWER, "rot13"),
    "many members": packed(gzip.compress(b"") * 2000 + gzip.compress(ANSWER)),
}


@pytest.mark.parametrize("answer", HOSTILE_PACKING.values(), ids=list(HOSTILE_PACKING))
def test_an_answer_packed_to_hurt_is_none(amazon, client, answer):
    amazon.script("GET", ORDER, answer)
    amazon.script("POST", FEEDS, answer)
    for call in (lambda: client.get_order(ORDER_ID), lambda: create_feed(client)):
        started = time.thread_time()
        with pytest.raises(OutcomeUnknown):
            call()
        assert time.thread_time() - started < 5
    assert len(amazon.calls("POST", FEEDS)) == 1


def test_an_endless_answer_is_given_up(amazon, client, monkeypatch):
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 1000)
    amazon.script("GET", ORDER, Answer(200, b" " * 2000 + ANSWER))
    with pytest.raises(OutcomeUnknown):
        client.get_order(ORDER_ID)


def test_an_answer_that_drips_is_given_up(amazon, hasty_client):
    amazon.script("GET", ORDER, Answer(200, b" " * 200 + ANSWER, fault="trickle"))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        hasty_client.get_order(ORDER_ID)
    assert time.monotonic() - started < 10
    assert not amazon.trickled_to_the_end


# === ANSWERS TO ANOTHER QUESTION === #


@pytest.mark.parametrize(
    ("path", "call", "answer"),
    [
        (
            ORDER,
            lambda client: client.get_order(ORDER_ID),
            {"order": {"orderId": "302-7654321-7654321"}},
        ),
        (
            FEED,
            lambda client: client.get_feed("77"),
            {"feedId": "78", "processingStatus": "DONE"},
        ),
        (
            FULFILLMENT_ORDER,
            lambda client: client.get_fulfillment_order("WEB-1001"),
            {"payload": {"fulfillmentOrder": {"sellerFulfillmentOrderId": "WEB-2"}}},
        ),
    ],
)
def test_an_answer_about_something_else_is_not_taken(
    amazon, client, path, call, answer
):
    amazon.script("GET", path, Answer(200, answer))
    with pytest.raises(MalformedAnswer, match="about another"):
        call(client)


@pytest.mark.parametrize("rows", [5, "abc", [5], [[]], ["x"], {"a": 1}, True])
@pytest.mark.parametrize(
    ("path", "call", "body"),
    [
        (
            ORDERS,
            lambda client: client.search_orders(last_updated_after=SINCE),
            lambda rows: {"orders": rows},
        ),
        (
            EVENTS,
            lambda client: client.list_financial_events(ORDER_ID),
            lambda rows: {"payload": {"FinancialEvents": {"RefundEventList": rows}}},
        ),
        (
            TRANSACTIONS,
            lambda client: client.list_transactions(posted_after=SINCE),
            lambda rows: {"payload": {"transactions": rows}},
        ),
        (
            PARTICIPATIONS,
            lambda client: client.get_marketplace_participations(),
            lambda rows: {"payload": rows},
        ),
        (
            FEEDS,
            lambda client: client.get_feeds(["A"], SINCE),
            lambda rows: {"feeds": rows},
        ),
        (
            MESSAGING,
            lambda client: client.get_messaging_actions(ORDER_ID, "A1"),
            lambda rows: {"_links": {"actions": rows}},
        ),
    ],
)
def test_a_list_of_anything_else_is_malformed(amazon, client, path, call, body, rows):
    amazon.script("GET", path, Answer(200, body(rows)))
    with pytest.raises(MalformedAnswer):
        call(client)


@pytest.mark.parametrize("token", [5, ["x"], {"a": 1}, True, "x" * 10_000])
@pytest.mark.parametrize(
    ("path", "call", "body"),
    [
        (
            ORDERS,
            lambda client: client.search_orders(last_updated_after=SINCE),
            lambda token: {"orders": [], "pagination": {"nextToken": token}},
        ),
        (
            EVENTS,
            lambda client: client.list_financial_events(ORDER_ID),
            lambda token: {"payload": {"NextToken": token}},
        ),
        (
            TRANSACTIONS,
            lambda client: client.list_transactions(posted_after=SINCE),
            lambda token: {"payload": {"nextToken": token}},
        ),
        (
            FEEDS,
            lambda client: client.get_feeds(["A"], SINCE),
            lambda token: {"feeds": [], "nextToken": token},
        ),
    ],
)
def test_a_page_token_that_is_none_is_malformed(
    amazon, client, path, call, body, token
):
    amazon.script("GET", path, Answer(200, body(token)))
    with pytest.raises(MalformedAnswer):
        call(client)
    assert len(amazon.calls("GET", path)) == 1


# === HEADERS === #


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Mon, 01 Jan 99999999 00:00:00 GMT",
        "x" * 10_000,
        "",
    ],
)
def test_a_date_without_sense_is_no_time(amazon, client, date):
    amazon.script(
        "POST", FEEDS, Answer(202, {"feedId": "77"}, {"Date": date, "X": "y"})
    )
    assert create_feed(client) == "77"


def test_an_id_of_the_request_is_cut_and_visible(amazon, client):
    amazon.script(
        "POST",
        FEEDS,
        error(400, "Bad", headers={"x-amzn-RequestId": "\x1b[31m" + "x" * 5000}),
    )
    with pytest.raises(Refused) as caught:
        create_feed(client)
    assert len(caught.value.request_id) <= 100
    assert caught.value.request_id.isprintable()


@pytest.mark.parametrize("rate", ["1e-300", "1e300", "inf", "1_000", "-5"])
def test_a_rate_far_from_the_plan_is_not_learned(amazon, make_client, rate):
    learned = []

    class Quota:
        def take(self, operation):
            return 0

        def learn(self, operation, rate):
            learned.append(rate)

        def exhausted(self, operation, wait):
            pass

    good = READS["getOrder"][3]
    amazon.script(
        "GET",
        ORDER,
        Answer(200, json.loads(good.body), {"x-amzn-RateLimit-Limit": rate}),
    )
    make_client(quota=Quota()).get_order(ORDER_ID)
    # "1_000" is a number for Python, and within a thousand times the plan
    assert learned in ([], [1000.0] if rate == "1_000" else [])


@pytest.mark.parametrize(
    "text",
    ["?" * 2_000_000, "?a=b&" * 500_000, "Atza|" * 400_000, "access_token=" * 99999],
)
def test_an_error_of_megabytes_costs_no_time(amazon, client, text):
    amazon.script("POST", FEEDS, error(400, text, text, text))
    started = time.thread_time()
    with pytest.raises(Refused) as caught:
        create_feed(client)
    assert time.thread_time() - started < 3
    assert len(caught.value.message) <= 2 * transport.MAX_MESSAGE + 1


# === PATHS === #

TRICKS = [
    "../../../orders/2026-01-01/orders",
    "a/../b",
    "a%2f..%2fb",
    "a?b=c",
    "a#b",
    "a;b=c",
    "a\\b",
    "https://evil.example/",
    "//evil.example/x",
    "@evil.example",
    "%2e%2e",
    "ä😀",
    "a b",
    "a&b=c",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_an_id_is_one_part_of_the_path_whatever_it_is(amazon, client, trick):
    for call in (
        lambda: client.get_fulfillment_order(trick),
        lambda: client.cancel_fulfillment_order(trick),
        lambda: client.cancel_feed(trick),
        lambda: client.get_feed(trick),
        lambda: client.read_report(trick),
    ):
        with pytest.raises(Refused):
            call()
    for request in amazon.calls():
        parts = request.target.split("/")
        assert "?" not in request.target and "#" not in request.target
        assert "evil.example" not in request.headers["Host"]
        assert ".." not in parts
    # The server knows none of them, and nothing else was asked of it.
    assert {len(request.target.split("/")) for request in amazon.calls()} <= {5, 6, 7}


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "...", "a\nb", "a\0b", "a\x7f", "\ud800", "x" * 201, None, 5],
)
def test_what_can_be_no_id_is_refused_before_it_costs_a_request(amazon, client, value):
    for call in (
        lambda: client.get_fulfillment_order(value),
        lambda: client.update_fulfillment_order(value, {"fulfillmentAction": "Ship"}),
        lambda: client.get_feed(value),
        lambda: client.read_report(value),
    ):
        with pytest.raises(Refused):
            call()
    assert not amazon.requests


@pytest.mark.parametrize(
    "order_id",
    [
        "302-1234567-1234567/../x",
        "302-1234567-1234567\n",
        "302-1234567-1234567?a=b",
        "３０２-1234567-1234567",
        "%",
        "302-1234567-123456%",
        "_",
    ],
)
def test_an_order_number_is_nothing_else(amazon, client, order_id):
    for name in ("getOrder", "listFinancialEventsByOrderId"):
        assert name in READS
    for call in (
        lambda: client.get_order(order_id),
        lambda: client.list_financial_events(order_id),
        lambda: client.cancel_order(order_id, "NO_INVENTORY"),
        lambda: client.send_message(order_id, "A1", "unexpectedProblem", "Hello"),
    ):
        with pytest.raises(Refused):
            call()
    assert not amazon.requests


def test_no_write_is_repeated_for_a_hostile_answer(amazon, client):
    for call, method, path, _good in WRITES.values():
        amazon.script(method, path, Answer(200, DEEP))
        before = len(amazon.calls(method, path))
        with pytest.raises(OutcomeUnknown):
            call(client)
        assert len(amazon.calls(method, path)) == before + 1
