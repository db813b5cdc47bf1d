"""The traps of python-amazon-sp-api 2.1, each closed.

The numbers are those of the project's list of traps. Trap 1 (an error without Amazon's
JSON counts as success) is closed by test_strict_outcomes, trap 2 (documents) by
test_strict_documents as well.
"""

import json
import logging
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from calls import (
    DE,
    DOCUMENTS,
    EVENTS,
    FEED,
    FEED_TYPE,
    FEEDS,
    FR,
    ORDER,
    ORDER_ID,
    READS,
    WRITES,
    accept_documents,
    create_feed,
)
from conftest import ADDON, SECRETS
from fake_amazon import LATE, TOKEN_PATH, Answer, token
from spapi.client import SellerClient
from spapi.credentials import Credentials, Endpoint
from spapi.errors import IncompleteCredentials, OutcomeUnknown, Refused
from spapi.library import StrictFeeds
from spapi.operations import OPERATIONS
from spapi.quota import NoQuota
from spapi.transport import MemoryTokenStore, Session


def _run(script, **environment):
    """Run Python in a process of its own with a clean import of the library."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ADDON), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# === 2: documents === #


def test_2_a_feed_is_uploaded_byte_for_byte_as_utf8(amazon, client):
    accept_documents(amazon)
    payload = '<?xml version="1.0" encoding="UTF-8"?><x>Größe é 円</x>'.encode()
    client.prepare_feed(payload)
    assert amazon.calls("PUT")[0].body == payload


@pytest.mark.parametrize("payload", ["<x/>", b"", None])
def test_2_a_feed_that_is_no_bytes_is_refused(amazon, client, payload):
    with pytest.raises(ValueError):
        client.prepare_feed(payload)
    assert not amazon.requests


# === 3 and 4: exactly the keys of the model === #


def test_3_create_feed_sends_exactly_the_keys_of_the_model(amazon, client):
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    client.create_feed(FEED_TYPE, [DE, FR], "doc-1")
    (request,) = amazon.calls()
    assert request.json == {
        "feedType": FEED_TYPE,
        "marketplaceIds": [DE, FR],
        "inputFeedDocumentId": "doc-1",
    }
    assert request.query == {}
    assert request.headers["Content-Type"] == "application/json"


def test_3_create_feed_document_sends_exactly_the_keys_of_the_model(amazon, client):
    accept_documents(amazon)
    client.prepare_feed(b"<x/>")
    (request,) = amazon.calls("POST", DOCUMENTS)
    assert request.json == {"contentType": "text/xml; charset=UTF-8"}
    assert request.query == {}


def test_3_cancel_feed_sends_no_body(amazon, client):
    amazon.script("DELETE", FEED, Answer(200))
    assert client.cancel_feed("77") is None
    (request,) = amazon.calls()
    assert (request.body, request.query) == (b"", {})


EXPECTED_QUERIES = {
    "getOrder": {
        "includedData": "PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX"
    },
    "searchOrders": {
        "lastUpdatedAfter": "2026-11-01T12:30:15Z",
        "marketplaceIds": f"{DE},{FR}",
        "includedData": "PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX",
        "maxResultsPerPage": "100",
    },
    "listFinancialEventsByOrderId": {"MaxResultsPerPage": "100"},
    "listTransactions": {
        "relatedIdentifierName": "ORDER_ID",
        "relatedIdentifierValue": ORDER_ID,
        "postedAfter": "2026-11-01T12:30:15Z",
    },
    "getMarketplaceParticipations": {},
    "getFeed": {},
    "getFeeds": {
        "feedTypes": f"{FEED_TYPE},POST_PRODUCT_DATA",
        "createdSince": "2026-11-01T12:30:15Z",
        "pageSize": "100",
    },
    "getFulfillmentOrder": {},
    "getMessagingActionsForOrder": {"marketplaceIds": DE},
    "GetAttributes": {"marketplaceIds": DE},
}


@pytest.mark.parametrize("name", READS)
def test_4_a_read_sends_exactly_the_parameters_it_means(amazon, client, name):
    call, method, path, good = READS[name]
    amazon.script(method, path, good)
    call(client)
    (request,) = amazon.calls()
    assert request.query == {
        key: [value] for key, value in EXPECTED_QUERIES[name].items()
    }
    assert request.body == b""


@pytest.mark.parametrize("name", OPERATIONS)
def test_4_what_the_model_does_not_know_is_dropped(amazon, credentials, name):
    operation = OPERATIONS[name]
    path = re.sub(r"\{\w+\}", "x", operation.path)
    amazon.script(operation.method, path, Answer(200, {"feedId": "1"}))
    stray = {"MarketplaceIds": ["X"], "path": path, "method": "GET", "secret": "no"}
    endpoint, store = Endpoint.simulator(amazon.url), MemoryTokenStore()
    session = Session(endpoint, credentials, store, NoQuota(), 1, 1)
    session.send(operation.method, path, dict(stray), dict(stray))
    session.close()
    (request,) = amazon.calls()
    assert (request.query, request.body) == ({}, b"")


def test_4_what_is_no_operation_of_ours_is_not_sent(amazon, credentials):
    endpoint, store = Endpoint.simulator(amazon.url), MemoryTokenStore()
    session = Session(endpoint, credentials, store, NoQuota(), 1, 1)
    for method, path in (
        ("PUT", FEEDS),
        ("POST", "/feeds/2021-06-30/feeds/"),
        ("DELETE", "/feeds/2021-06-30/feeds/1/2"),
        ("GET", "/orders/v0/orders"),
    ):
        with pytest.raises(LookupError):
            session.send(method, path, {}, {})
    session.close()
    assert not amazon.requests


def test_4_an_empty_list_is_no_parameter(amazon, client):
    amazon.script("GET", ORDER, READS["getOrder"][3])
    client.get_order(ORDER_ID, included_data=())
    assert amazon.calls()[0].query == {}


# === 5: Host === #


def test_5_the_host_header_is_that_of_the_address(amazon, client):
    amazon.script("GET", ORDER, READS["getOrder"][3])
    client.get_order(ORDER_ID)
    assert [request.headers["Host"] for request in amazon.requests] == [
        amazon.netloc,
        amazon.netloc,
    ]


def test_5_no_header_is_sent_twice_and_ours_says_who_calls(amazon, client):
    amazon.script("GET", ORDER, READS["getOrder"][3])
    client.get_order(ORDER_ID)
    headers = amazon.calls()[0].headers
    assert len(headers.keys()) == len({name.lower() for name in headers.keys()})
    assert headers["User-Agent"].startswith("amazon_order_actions/")
    assert len(headers["User-Agent"]) <= 500
    assert "Authorization" not in headers


# === 6: environment decides about addresses === #


@pytest.mark.parametrize("value", ["JP", "nonsense"])
def test_6_a_default_marketplace_in_the_environment_changes_nothing(
    amazon, make_client, monkeypatch, value
):
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", value)
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    create_feed(make_client())
    assert amazon.calls()[0].json["marketplaceIds"] == [DE]


@pytest.mark.parametrize("value", ["SANDBOX", "staging"])
def test_6_aws_env_changes_no_address_and_breaks_no_import(value):
    script = (
        "import os, spapi.client, sp_api.base.marketplaces as m;"
        "from spapi.credentials import Endpoint;"
        "print(Endpoint.for_region('eu').api_url, m.BASE_URL, os.environ['AWS_ENV'])"
    )
    said = _run(script, AWS_ENV=value, SP_API_DEFAULT_MARKETPLACE="nonsense")
    production = "https://sellingpartnerapi"
    assert said == f"{production}-eu.amazon.com {production} {value}"


# === 7: credentials from elsewhere === #


@pytest.fixture
def foreign_credentials(monkeypatch, tmp_path):
    """Credentials of somebody else in every place where the library looks."""
    for name in ("SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET"):
        monkeypatch.setenv(name, "foreign")
        monkeypatch.setenv(f"{name}_default", "foreign")
    monkeypatch.setenv("SP_API_AWS_SECRET_ID", "foreign")
    folder = tmp_path / ".config" / "python-sp-api"
    folder.mkdir(parents=True)
    (folder / "credentials.yml").write_text(
        "default:\n  refresh_token: foreign\n  lwa_app_id: foreign\n"
        "  lwa_client_secret: foreign\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))


@pytest.mark.parametrize("part", SECRETS)
@pytest.mark.parametrize("value", ["", None, " ", 7, "with space", "line\n", "é"])
def test_7_incomplete_credentials_are_refused_by_name(foreign_credentials, part, value):
    with pytest.raises(IncompleteCredentials, match=part) as caught:
        Credentials(**{**SECRETS, part: value})
    if value:
        assert repr(value) not in str(caught.value)


def test_7_only_the_given_credentials_are_used(
    foreign_credentials, amazon, make_client
):
    amazon.script("GET", ORDER, READS["getOrder"][3])
    make_client().get_order(ORDER_ID)
    assert amazon.token_calls[0].form == {"grant_type": "refresh_token", **SECRETS}


def test_7_nothing_in_a_client_knows_the_librarys_credentials(make_client):
    feeds = StrictFeeds(session=None)
    for name in ("credentials", "_auth", "_transport", "endpoint"):
        assert name not in vars(feeds)


# === 8: the cache of access tokens === #


def test_8_accounts_with_one_refresh_token_do_not_share_an_access_token(
    amazon, make_client
):
    amazon.script("POST", TOKEN_PATH, token("Atza|one"), token("Atza|two"))
    amazon.script("GET", ORDER, READS["getOrder"][3])
    other = Credentials(**{**SECRETS, "client_id": "amzn1.other"})
    make_client().get_order(ORDER_ID)
    make_client(credentials=other).get_order(ORDER_ID)
    used = [request.headers["x-amz-access-token"] for request in amazon.calls()]
    assert used == ["Atza|one", "Atza|two"]


def test_8_the_librarys_global_cache_stays_empty(amazon, client):
    from sp_api.auth import access_token_client

    amazon.script("GET", ORDER, READS["getOrder"][3])
    client.get_order(ORDER_ID)
    assert not access_token_client.cache
    assert not access_token_client.grantless_cache


def test_8_clients_with_one_store_share_its_token(amazon, make_client):
    store = MemoryTokenStore()
    amazon.script("GET", ORDER, READS["getOrder"][3])
    make_client(store).get_order(ORDER_ID)
    make_client(store).get_order(ORDER_ID)
    assert len(amazon.token_calls) == 1


def test_8_many_threads_ask_for_one_token(amazon, client):
    amazon.script("GET", ORDER, READS["getOrder"][3])
    _in_threads(8, lambda number: client.get_order(ORDER_ID))
    assert len(amazon.token_calls) == 1


# === 9: state shared between threads === #


def _in_threads(count, function):
    failures = []

    def run(number):
        try:
            function(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_9_one_client_serves_many_threads_without_mixing_answers(amazon, client):
    def echo_order(request):
        return Answer(200, {"order": {"orderId": request.path.rsplit("/", 1)[1]}})

    orders = [f"302-1234567-{number:07}" for number in range(8)]
    for number, order in enumerate(orders):
        amazon.script("GET", f"/orders/2026-01-01/orders/{order}", echo_order)
        amazon.script("DELETE", f"{FEEDS}/{number}", Answer(200))
    amazon.script(
        "POST",
        FEEDS,
        lambda request: Answer(202, {"feedId": request.json["inputFeedDocumentId"]}),
    )

    def work(number):
        for _turn in range(5):
            assert client.get_order(orders[number]) == {"orderId": orders[number]}
            created = client.create_feed(FEED_TYPE, [DE], f"d{number}")
            assert created.feed_id == f"d{number}"
            client.cancel_feed(str(number))

    _in_threads(8, work)
    assert len(amazon.calls("POST", FEEDS)) == 40


def test_9_the_api_objects_keep_no_state_of_a_request(amazon, client):
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    create_feed(client)
    assert set(vars(client._feeds)) == {"_session"}


# === 10: logs === #


def test_10_the_library_does_not_set_the_level_of_its_logger():
    script = (
        "import spapi.client, logging;"
        "print(logging.getLogger('sp_api.base.client').level)"
    )
    assert _run(script) == str(logging.NOTSET)


def test_10_nothing_of_the_library_logs_a_request(amazon, client, caplog):
    caplog.set_level(logging.DEBUG)
    amazon.script("GET", ORDER, READS["getOrder"][3])
    client.get_order(ORDER_ID)
    assert not [row for row in caplog.records if row.name.startswith("sp_api")]


# === 11 and 12: methods that are broken or not crash-safe === #


def test_11_what_the_library_downloads_by_itself_is_closed():
    feeds = StrictFeeds(session=None)
    with pytest.raises(NotImplementedError):
        feeds.get_feed_document("x")
    with pytest.raises(NotImplementedError):
        feeds.get_feed_result_document("x")


def test_12_submit_feed_is_closed():
    with pytest.raises(NotImplementedError):
        StrictFeeds(session=None).submit_feed(FEED_TYPE, None)


def test_12_preparing_a_feed_creates_no_feed(amazon, client):
    accept_documents(amazon)
    client.prepare_feed(b"<x/>")
    assert not amazon.calls("POST", FEEDS)


# === beyond the list === #


def test_connections_are_closed_and_the_client_is_of_no_use_then(amazon, make_client):
    client = make_client()
    with client:
        amazon.script("GET", ORDER, READS["getOrder"][3])
        client.get_order(ORDER_ID)
    with pytest.raises(RuntimeError):
        client.get_order(ORDER_ID)


def test_a_client_that_is_closed_leaves_no_open_socket(amazon, make_client):
    """Counted in the files of the process."""
    accept_documents(amazon)
    amazon.script("GET", ORDER, READS["getOrder"][3])
    warm = make_client()
    warm.get_order(ORDER_ID)
    warm.close()
    before = len(os.listdir("/proc/self/fd"))
    for _turn in range(5):
        with make_client() as client:
            client.get_order(ORDER_ID)
            client.prepare_feed(b"<x/>")
            client.read_report("amzn1.tortuga.4.eu.doc")
    # The stand-in for Amazon is in this process, too, and may be a moment late to close
    # its ends of the last connections.
    end = time.monotonic() + 10
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < end:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_every_request_has_a_connection_of_its_own(amazon, client):
    """One that Amazon closed while idle would make the outcome of a write unknown."""
    seen = set()

    def remember(request):
        seen.add(request.headers["Connection"])
        return WRITES["createFeed"][3]

    amazon.script("POST", FEEDS, remember)
    create_feed(client)
    create_feed(client)
    pool = client._session._http._client._transport._pool
    assert not pool.connections


def test_the_proxies_of_the_machine_do_not_count_for_the_simulator(
    amazon, make_client, monkeypatch
):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    accept_documents(amazon)
    assert make_client().prepare_feed(b"<x/>") == "doc-1"


def test_timeouts_hold_for_the_token_service_too(amazon, make_client):
    amazon.script("POST", TOKEN_PATH, LATE)
    client = make_client(read_timeout=0.1)
    with pytest.raises(Exception) as caught:
        create_feed(client)
    assert type(caught.value).__name__ == "NotSent"
    assert len(amazon.token_calls) == 1


def test_a_token_near_its_end_is_renewed_before_a_write_but_good_for_a_read(
    amazon, make_client
):
    import time

    store = MemoryTokenStore()
    store.save("Atza|aging", time.time() + 200)
    amazon.script("GET", ORDER, READS["getOrder"][3])
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    client = make_client(store)
    client.get_order(ORDER_ID)
    create_feed(client)
    used = [request.headers["x-amz-access-token"] for request in amazon.calls()]
    assert used == ["Atza|aging", "Atza|first"]
    assert store.load()[0] == "Atza|first"
    assert store.load()[1] > time.time() + 3000


@pytest.mark.parametrize("kept", [("", 9e12), ("Atza|a\r\nx: y", 9e12), ("é", 9e12)])
def test_a_kept_token_that_cannot_be_one_is_replaced(amazon, make_client, kept):
    store = MemoryTokenStore()
    store.save(*kept)
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    assert create_feed(make_client(store)) == "77"


def test_a_newer_token_of_another_process_is_not_thrown_away(amazon, make_client):
    import time

    store = MemoryTokenStore()

    def refuse(request):
        store.save("Atza|newer", time.time() + 3600)
        return Answer(
            401,
            {
                "errors": [
                    {
                        "code": "Unauthorized",
                        "message": "Access denied.",
                        "details": "The access token you provided has expired.",
                    }
                ]
            },
        )

    amazon.script("POST", FEEDS, refuse)
    with pytest.raises(Refused):
        create_feed(make_client(store))
    assert store.load()[0] == "Atza|newer"


def test_what_a_token_store_raises_passes_through_and_nothing_was_sent(
    amazon, make_client
):
    class BrokenStore(MemoryTokenStore):
        def save(self, access_token, expires_at):
            raise RuntimeError("database gone")

    with pytest.raises(RuntimeError, match="database gone"):
        create_feed(make_client(BrokenStore()))
    assert not amazon.calls()


def test_all_pages_of_financial_events_are_merged(amazon, client):
    def page(request):
        number = int(request.query.get("NextToken", ["0"])[0])
        events = {"RefundEventList": [{"n": number}], "ShipmentEventList": None}
        payload = {"FinancialEvents": events, "NextToken": str(number + 1)}
        if number == 2:
            payload["NextToken"] = ""
        return Answer(200, {"payload": payload})

    amazon.script("GET", EVENTS, page)
    events = client.list_financial_events(ORDER_ID)
    assert events["RefundEventList"] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert events["ShipmentEventList"] == []


def test_a_list_without_end_is_an_error_and_not_cut(amazon, client):
    endless = Answer(200, {"feeds": [], "nextToken": "again"})
    amazon.script("GET", FEEDS, endless)
    with pytest.raises(Exception, match="more pages"):
        client.get_feeds([FEED_TYPE], None)


def test_the_next_page_of_feeds_is_asked_for_by_its_token_alone(amazon, client):
    amazon.script(
        "GET",
        FEEDS,
        Answer(200, {"feeds": [{"feedId": "1"}], "nextToken": "t"}),
        Answer(200, {"feeds": [{"feedId": "2"}]}),
    )
    feeds = client.get_feeds([FEED_TYPE], None)
    assert [feed["feedId"] for feed in feeds] == ["1", "2"]
    assert amazon.calls()[1].query == {"nextToken": ["t"]}


def test_one_page_of_orders_names_the_next(amazon, client):
    answer = {"orders": [{}], "pagination": {"nextToken": "t"}}
    amazon.script("GET", "/orders/2026-01-01/orders", Answer(200, answer))
    page = client.search_orders(created_after=None, next_token="s")
    assert (page.items, page.next_token) == ([{}], "t")
    assert amazon.calls()[0].query["paginationToken"] == ["s"]


def test_a_page_of_transactions_may_be_empty_while_more_follow(amazon, client):
    answer = {"payload": {"nextToken": "t"}}
    amazon.script("GET", "/finances/2024-06-19/transactions", Answer(200, answer))
    page = client.list_transactions(order_id=ORDER_ID)
    assert (page.items, page.next_token) == ([], "t")


def test_an_interrupted_write_is_not_sent_again(amazon, client, monkeypatch):
    """As when the worker is told to stop while it waits for the answer."""

    def stop(request):
        raise KeyboardInterrupt

    original = client._session._http._exchange

    def exchange(method, url, request):
        original(method, url, request)
        raise KeyboardInterrupt

    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    client._session._tokens.get("createFeed", 300)
    monkeypatch.setattr(client._session._http, "_exchange", exchange)
    with pytest.raises(KeyboardInterrupt):
        create_feed(client)
    assert len(amazon.calls()) == 1


def test_credentials_show_nothing_of_themselves(credentials):
    for text in (repr(credentials), str(credentials), f"{credentials}"):
        for secret in SECRETS.values():
            assert secret not in text


@pytest.mark.parametrize("region", ["na", "eu", "fe"])
def test_the_addresses_of_amazon_are_https_and_its_own(region):
    production = Endpoint.for_region(region)
    sandbox = Endpoint.for_region(region, sandbox=True)
    assert production.api_url == f"https://sellingpartnerapi-{region}.amazon.com"
    assert sandbox.api_url == f"https://sandbox.sellingpartnerapi-{region}.amazon.com"
    assert production.token_url == "https://api.amazon.com/auth/o2/token"
    assert not production.is_simulator and not sandbox.is_simulator


@pytest.mark.parametrize(
    "arguments",
    [
        ("http://sellingpartnerapi-eu.amazon.com", "https://api.amazon.com/auth", ()),
        ("https://sellingpartnerapi-eu.amazon.com", "http://api.amazon.com/auth", ()),
        ("https://user@amazon.com", "https://api.amazon.com/auth", ()),
        ("https://amazon.com/path", "https://api.amazon.com/auth", ()),
        ("amazon.com", "https://api.amazon.com/auth", ()),
    ],
)
def test_other_addresses_are_refused(arguments):
    with pytest.raises(ValueError):
        Endpoint(*arguments)


def test_an_unknown_region_is_refused():
    with pytest.raises(ValueError, match="mars"):
        Endpoint.for_region("mars")


def test_production_and_simulator_never_mix_their_hosts(credentials):
    with SellerClient(credentials, Endpoint.for_region("eu")) as client:
        check = client._documents._check_host
        with pytest.raises(Refused):
            check("uploadFeedDocument", "http://127.0.0.1:8099/documents/x")


def test_the_body_of_a_write_is_json_of_ascii(amazon, client):
    amazon.script("POST", FEEDS, WRITES["createFeed"][3])
    client.create_feed(FEED_TYPE, [DE], "döc")
    body = amazon.calls()[0].body
    assert body.isascii()
    assert json.loads(body)["inputFeedDocumentId"] == "döc"


def test_an_unclear_answer_of_cancel_feed_is_not_repeated(amazon, client):
    amazon.script("DELETE", FEED, Answer(fault="cut"))
    with pytest.raises(OutcomeUnknown):
        client.cancel_feed("77")
    assert len(amazon.calls()) == 1
