"""What is known after each way in which a request can end."""

import contextlib
import socket
import threading

import pytest
from calls import DOCUMENTS, FEEDS, ORDER, ORDER_ID, READS, WRITES, create_feed
from fake_amazon import LATE, TOKEN_PATH, Answer, error, html, token
from spapi.client import SellerClient
from spapi.credentials import Endpoint
from spapi.errors import (
    MalformedAnswer,
    NotSent,
    OutcomeUnknown,
    Refused,
    SpApiError,
    Throttled,
)

FORBIDDEN = Answer(403, {"message": "Forbidden"})

UNKNOWN_ENDINGS = {
    "500": error(500, "InternalFailure"),
    "503 html": html(503),
    "502 empty": Answer(502),
    "504 json": error(504, "GatewayTimeout"),
    "cut": Answer(fault="cut"),
    "reset": Answer(fault="reset"),
    "read timeout": LATE,
    "half a body": Answer(200, {"feedId": "77" * 50}, fault="half"),
    "redirect": Answer(302, "", {"Location": "/elsewhere"}),
    "permanent redirect": Answer(308, "", {"Location": "/elsewhere"}),
    "not modified": Answer(304),
    "request timeout": Answer(408),
    "success without JSON": Answer(202, "<html>fine</html>"),
    "success without body": Answer(202),
    "success with a list": Answer(202, [{"feedId": "77"}]),
    "success with errors": error(202, "InternalFailure"),
    "damaged gzip": Answer(202, b"no gzip", {"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("ending", UNKNOWN_ENDINGS)
def test_create_feed_is_sent_once_and_its_outcome_unknown_after(
    amazon, hasty_client, ending
):
    amazon.script("POST", FEEDS, UNKNOWN_ENDINGS[ending])
    with pytest.raises(OutcomeUnknown):
        create_feed(hasty_client)
    assert len(amazon.calls()) == 1


@pytest.mark.parametrize("ending", UNKNOWN_ENDINGS)
def test_a_read_is_repeated_a_few_times_after(amazon, hasty_client, ending):
    amazon.script("GET", ORDER, UNKNOWN_ENDINGS[ending])
    with pytest.raises(OutcomeUnknown):
        hasty_client.get_order(ORDER_ID)
    assert len(amazon.calls()) == 3


def test_a_read_that_succeeds_at_last_gives_its_answer(amazon, client):
    answer = READS["getOrder"][3]
    amazon.script("GET", ORDER, html(503), Answer(fault="cut"), answer)
    assert client.get_order(ORDER_ID) == {"orderId": ORDER_ID}


def test_create_feed_without_a_feed_id_is_unknown(amazon, client):
    amazon.script("POST", FEEDS, Answer(202, {"feedId": ""}))
    with pytest.raises(OutcomeUnknown):
        create_feed(client)
    assert len(amazon.calls()) == 1


def test_an_answer_that_trickles_in_for_ever_ends(amazon, hasty_client):
    amazon.script("POST", FEEDS, Answer(202, {"feedId": "7" * 100}, fault="trickle"))
    with pytest.raises(OutcomeUnknown):
        create_feed(hasty_client)
    assert len(amazon.calls()) == 1
    assert not amazon.trickled_to_the_end


def test_an_answer_without_end_in_size_is_unknown(amazon, client, monkeypatch):
    monkeypatch.setattr("spapi.transport.MAX_ANSWER_BYTES", 1000)
    amazon.script("POST", FEEDS, Answer(202, {"feedId": "7" * 2000}))
    with pytest.raises(OutcomeUnknown):
        create_feed(client)


@pytest.mark.parametrize("name", [*READS, *WRITES])
@pytest.mark.parametrize("answer", ["503", "403"])
def test_no_failure_is_taken_for_a_success(amazon, client, name, answer):
    """Trap 1: the library returns an empty success for both."""
    call, method, path, _good = {**READS, **WRITES}[name]
    amazon.script(method, path, html(503) if answer == "503" else FORBIDDEN)
    kind = OutcomeUnknown if answer == "503" else Refused
    with pytest.raises(kind) as caught:
        call(client)
    assert caught.value.operation == name
    assert caught.value.http_status == int(answer)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 451])
def test_any_other_4xx_is_a_final_no_in_amazons_words(amazon, client, status):
    answer = error(
        status, "InvalidInput", "Wrong.", "Really.", {"x-amzn-RequestId": "r-1"}
    )
    amazon.script("POST", FEEDS, answer)
    amazon.script("GET", ORDER, answer)
    for call in (create_feed, lambda client: client.get_order(ORDER_ID)):
        with pytest.raises(Refused) as caught:
            call(client)
        refusal = caught.value
        assert refusal.code == "InvalidInput"
        assert refusal.message == "Wrong. Really."
        assert (refusal.http_status, refusal.request_id) == (status, "r-1")
        assert not refusal.may_be_repeated
    assert len(amazon.calls()) == 2


def test_a_plain_forbidden_keeps_the_words_of_the_gateway(amazon, client):
    amazon.script("POST", FEEDS, FORBIDDEN)
    with pytest.raises(Refused, match="Forbidden"):
        create_feed(client)


def test_a_missing_role_is_an_authorisation_problem(amazon, client):
    amazon.script("POST", FEEDS, error(403, "Unauthorized", "Access is denied."))
    with pytest.raises(Refused) as caught:
        create_feed(client)
    assert caught.value.is_authorisation_problem
    assert not caught.value.may_be_repeated


@pytest.mark.parametrize(
    ("name", "header", "wait"),
    [
        ("createFeed", None, 1 / 0.0083),
        ("createFeed", "0.1", 10.0),
        ("createFeed", "nonsense", 1 / 0.0083),
        ("createFeed", "nan", 1 / 0.0083),
        ("createFeed", "-1", 1 / 0.0083),
        ("createFeed", "0", 1 / 0.0083),
        ("createFeed", "0.0001", 900.0),
        # Far from the plan: not believed
        ("createFeed", "0.0000001", 1 / 0.0083),
        ("createFeed", "1e300", 1 / 0.0083),
        ("getFeed", "1000", 1.0),
        ("searchOrders", None, 1 / 0.0056),
        ("getOrder", None, 2.0),
    ],
)
def test_throttling_is_raised_with_the_wait_and_never_slept_on(
    amazon, client, name, header, wait
):
    call, method, path, _good = {**READS, **WRITES}[name]
    headers = {"x-amzn-RateLimit-Limit": header} if header else {}
    amazon.script(method, path, error(429, "QuotaExceeded", headers=headers))
    with pytest.raises(Throttled) as caught:
        call(client)
    assert caught.value.wait == pytest.approx(wait)
    assert caught.value.code == "QuotaExceeded"
    assert len(amazon.calls()) == 1


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid"])
def test_what_cannot_be_reached_was_not_sent(amazon, credentials, host):
    endpoint = Endpoint(
        api_url=f"http://{host}:{_free_port()}",
        token_url=amazon.url + TOKEN_PATH,
        document_hosts=(),
        is_simulator=True,
    )
    with SellerClient(credentials, endpoint, max_retry_wait=0.01) as client:
        with pytest.raises(NotSent):
            create_feed(client)
        with pytest.raises(NotSent):
            client.get_order(ORDER_ID)


def test_a_connection_that_nobody_accepts_was_not_sent(amazon, credentials):
    """Somebody would accept it later: without a timeout the feed would be created."""
    answer = b'HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{"feedId": "77"}'
    stop = threading.Event()

    def accept_late(listening):
        stop.wait(5)
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _address = listening.accept()
                connection.sendall(answer)
                connection.close()

    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.settimeout(0.2)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _turn in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        thread = threading.Thread(target=accept_late, args=(full,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(stop.set)
        endpoint = Endpoint(
            api_url=f"http://127.0.0.1:{port}",
            token_url=amazon.url + TOKEN_PATH,
            document_hosts=(),
            is_simulator=True,
        )
        client = SellerClient(credentials, endpoint, connect_timeout=0.5)
        stack.callback(client.close)
        with pytest.raises(NotSent, match="ConnectTimeout"):
            create_feed(client)


@pytest.mark.parametrize(
    "trouble",
    [
        html(503),
        error(500, "x"),
        Answer(fault="cut"),
        LATE,
        Answer(200, "<html>"),
        Answer(200, {"token_type": "bearer"}),
        Answer(200, {"access_token": "", "expires_in": 3600}),
        Answer(200, {"access_token": "Atza|a\r\nx: y", "expires_in": 3600}),
        Answer(200, {"access_token": "Atza|a", "expires_in": True}),
        Answer(200, {"access_token": "Atza|a"}),
        Answer(302, "", {"Location": "/elsewhere"}),
    ],
)
def test_without_a_token_nothing_was_sent(amazon, make_client, trouble):
    client = make_client(read_timeout=0.3)
    amazon.script("POST", TOKEN_PATH, trouble)
    with pytest.raises(NotSent) as caught:
        create_feed(client)
    assert caught.value.operation == "createFeed"
    assert not amazon.calls()
    assert len(amazon.token_calls) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "invalid_grant"), (401, "invalid_client"), (400, "unauthorized_client")],
)
def test_refused_credentials_are_an_authorisation_problem(amazon, client, status, code):
    answer = Answer(status, {"error": code, "error_description": "Not this one."})
    amazon.script("POST", TOKEN_PATH, answer)
    for call in (create_feed, lambda client: client.get_order(ORDER_ID)):
        with pytest.raises(Refused) as caught:
            call(client)
        assert caught.value.code == code
        assert "Not this one." in caught.value.message
        assert caught.value.is_authorisation_problem
        assert not caught.value.may_be_repeated
    assert not amazon.calls()
    assert len(amazon.token_calls) == 2


def test_what_a_write_needs_can_be_had_before_it(amazon, client):
    client.prepare_write("createFeed")
    assert len(amazon.token_calls) == 1
    assert not amazon.calls()
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    create_feed(client)
    assert len(amazon.token_calls) == 1, "the token is at hand"


def test_a_throttled_token_service_is_throttling(amazon, client):
    amazon.script("POST", TOKEN_PATH, Answer(429))
    with pytest.raises(Throttled) as caught:
        create_feed(client)
    assert caught.value.wait > 0
    assert not amazon.calls()


EXPIRED = error(
    403,
    "Unauthorized",
    "Access to requested resource is denied.",
    "The access token you provided has expired.",
)
REVOKED = error(
    401,
    "Unauthorized",
    "Access to requested resource is denied.",
    "The access token you provided is revoked, malformed or invalid.",
)


@pytest.mark.parametrize("answer", [EXPIRED, REVOKED], ids=["expired", "revoked"])
def test_a_read_with_a_refused_token_is_repeated_once_with_a_new_one(
    amazon, client, answer
):
    amazon.script("POST", TOKEN_PATH, token("Atza|old"), token("Atza|new"))
    amazon.script("GET", ORDER, answer, READS["getOrder"][3])
    assert client.get_order(ORDER_ID) == {"orderId": ORDER_ID}
    used = [request.headers["x-amz-access-token"] for request in amazon.calls()]
    assert used == ["Atza|old", "Atza|new"]


def test_a_read_is_not_repeated_again_when_the_new_token_is_refused_too(amazon, client):
    amazon.script("GET", ORDER, EXPIRED)
    with pytest.raises(Refused):
        client.get_order(ORDER_ID)
    assert len(amazon.calls()) == 2


@pytest.mark.parametrize("answer", [EXPIRED, REVOKED], ids=["expired", "revoked"])
def test_create_feed_with_a_refused_token_is_a_no_that_may_be_queued_again(
    amazon, client, answer
):
    amazon.script("POST", TOKEN_PATH, token("Atza|old"), token("Atza|new"))
    amazon.script("POST", FEEDS, answer, WRITES["createFeed"][3])
    with pytest.raises(Refused) as caught:
        create_feed(client)
    assert caught.value.may_be_repeated
    assert not caught.value.is_authorisation_problem
    assert len(amazon.calls()) == 1
    # The next call, which is the caller's decision, uses a new token.
    assert create_feed(client) == "77"
    assert amazon.calls()[-1].headers["x-amz-access-token"] == "Atza|new"


def test_redirects_are_not_followed(amazon, client):
    amazon.script("POST", FEEDS, Answer(307, "", {"Location": "/elsewhere"}))
    amazon.script("POST", "/elsewhere", WRITES["createFeed"][3])
    with pytest.raises(OutcomeUnknown):
        create_feed(client)
    assert not amazon.calls(path="/elsewhere")


@pytest.mark.parametrize("part", ["order", "payload", "feeds", "processingStatus"])
def test_a_missing_part_is_named(amazon, client, part):
    name = {
        "order": "getOrder",
        "payload": "listFinancialEventsByOrderId",
        "feeds": "getFeeds",
        "processingStatus": "getFeed",
    }[part]
    call, method, path, _good = READS[name]
    amazon.script(method, path, Answer(200, {"feedId": "77", "other": 1}))
    with pytest.raises(MalformedAnswer, match=part):
        call(client)


@pytest.mark.parametrize(
    "row",
    [{}, "x", None, {"marketplace": {"id": "A"}}, {"marketplace": {"id": ""}}]
    + [{"marketplace": {}, "participation": {}}],
)
def test_a_participation_without_its_parts_is_malformed(amazon, client, row):
    _call, method, path, _good = READS["getMarketplaceParticipations"]
    amazon.script(method, path, Answer(200, {"payload": [row]}))
    with pytest.raises(MalformedAnswer):
        client.get_marketplace_participations()


def test_participations_are_given_as_amazon_sends_them(amazon, client):
    rows = [{"marketplace": {"id": "A"}, "participation": {"isParticipating": True}}]
    _call, method, path, _good = READS["getMarketplaceParticipations"]
    amazon.script(method, path, Answer(200, {"payload": rows}))
    assert client.get_marketplace_participations() == rows


def test_preparing_a_feed_is_repeated(amazon, client):
    upload = f"{amazon.url}/documents/up?X-Amz-Signature=s"
    document = Answer(201, {"feedDocumentId": "doc-1", "url": upload})
    amazon.script("POST", DOCUMENTS, html(503), document)
    amazon.script("PUT", "/documents/up", Answer(500), Answer(200))
    assert client.prepare_feed(b"<x/>") == "doc-1"


@pytest.mark.parametrize(
    "arguments",
    [("", ["A"], "doc"), ("TYPE", [], "doc"), ("TYPE", ["A"], "")],
)
def test_create_feed_with_an_empty_argument_sends_nothing(amazon, client, arguments):
    with pytest.raises(ValueError):
        client.create_feed(*arguments)
    assert not amazon.requests


@pytest.mark.parametrize(
    "order_id", ["", None, "123", "../feeds", "302-1234567-1234567 ", "3O2-1234567-1"]
)
def test_what_is_no_order_number_costs_no_call(amazon, client, order_id):
    for call in (client.get_order, client.list_financial_events):
        with pytest.raises(Refused) as caught:
            call(order_id)
        assert caught.value.code == "InvalidInput"
    assert not amazon.requests


@pytest.mark.parametrize("feed_id", ["", ".", "..", None])
def test_an_id_that_would_change_the_path_is_refused(amazon, client, feed_id):
    for call in (client.get_feed, client.cancel_feed, client.read_report):
        with pytest.raises(Refused):
            call(feed_id)
    assert not amazon.requests


def test_an_id_is_quoted_in_the_path(amazon, client):
    with pytest.raises(Refused):
        client.get_feed("7/../8?x=1#y")
    assert amazon.calls()[0].target.endswith("/feeds/7%2F..%2F8%3Fx%3D1%23y")


def test_all_errors_are_of_one_family():
    assert all(
        issubclass(kind, SpApiError)
        for kind in (NotSent, Throttled, Refused, OutcomeUnknown, MalformedAnswer)
    )


def test_no_exception_of_a_library_hangs_on_to_ours(amazon, client):
    """What hangs there holds the request, its token and its address."""
    for ending in (Answer(fault="cut"), html(503)):
        amazon.script("POST", FEEDS, ending)
        with pytest.raises(OutcomeUnknown) as caught:
            create_feed(client)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
