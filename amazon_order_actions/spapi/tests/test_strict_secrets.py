"""No secret in a log, in an error, or in what describes an object."""

import gzip
import io
import logging
import traceback

import pytest
from calls import (
    DOCUMENT,
    DOCUMENTS,
    FEEDS,
    ORDER,
    ORDER_ID,
    READS,
    WRITES,
    accept_documents,
    create_feed,
)
from conftest import SECRETS
from fake_amazon import LATE, TOKEN_PATH, Answer, html, token
from spapi.errors import SpApiError
from spapi.redact import RedactingFilter, redact

ACCESS_TOKEN = "Atza|the-access-token-of-the-test"
HIDDEN = (
    ACCESS_TOKEN,
    SECRETS["client_secret"],
    SECRETS["refresh_token"],
    "Atzr|given-back",
    "up-secret",
    "down-secret",
    "X-Amz-Signature",
    "the name of " + "a buyer",
)
BUYER = HIDDEN[-1]  # put together, so that no line of this file shows it in a traceback


@pytest.fixture
def everything_logged():
    """All that any logger says at DEBUG, formatted, with tracebacks."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def _whole_flow(client):
    """Every call once; errors are logged with their traceback, as a job would."""
    calls = [
        lambda: client.get_order(ORDER_ID),
        lambda: client.prepare_feed(f"<x>{BUYER}</x>".encode()),
        lambda: create_feed(client),
        lambda: client.get_feed("77"),
        lambda: client.read_report("amzn1.tortuga.4.eu.doc"),
        lambda: client.cancel_feed("77"),
    ]
    failures = []
    for call in calls:
        try:
            call()
        except SpApiError as failure:
            logging.getLogger("job").exception("failed: %r", failure)
            failures.append(failure)
    return failures


def _serve_all(amazon, fault=None):
    amazon.script("POST", TOKEN_PATH, token(ACCESS_TOKEN))
    accept_documents(amazon, "GZIP", gzip.compress(b"<x/>"))
    for name in ("getOrder", "getFeed"):
        _call, method, path, good = READS[name]
        amazon.script(method, path, good)
    for _call, method, path, good in WRITES.values():
        amazon.script(method, path, good)
    order = {"orderId": ORDER_ID, "buyer": {"buyerName": BUYER}}
    amazon.script("GET", ORDER, Answer(200, {"order": order}))
    if fault:
        for key in [("PUT", "/documents/up"), ("GET", "/documents/down")]:
            amazon.script(*key, fault)
        amazon.script("POST", FEEDS, fault)


@pytest.mark.parametrize(
    "fault",
    [None, html(503), Answer(fault="cut"), LATE, Answer(403, "<x/>")],
    ids=["well", "503", "cut", "hang", "403"],
)
def test_no_secret_is_logged_by_a_whole_flow(
    amazon, make_client, everything_logged, fault
):
    _serve_all(amazon, fault)
    read_timeout = 0.5 if fault is LATE else 5.0
    failures = _whole_flow(make_client(read_timeout=read_timeout))
    assert bool(failures) == bool(fault)
    said = everything_logged.getvalue()
    assert "urllib3.connectionpool" in said and "httpx" in said  # they did speak
    for secret in HIDDEN:
        assert secret not in said
    for failure in failures:
        text = "".join(traceback.format_exception(failure)) + repr(vars(failure))
        for secret in HIDDEN:
            assert secret not in text


def test_amazons_words_lose_their_secrets_before_they_become_an_error(amazon, client):
    words = f"Bad token {ACCESS_TOKEN} for https://x.s3.amazonaws.com/a?Signature=s3c."
    answer = {"errors": [{"code": ACCESS_TOKEN, "message": words, "details": words}]}
    amazon.script("POST", FEEDS, Answer(400, answer))
    with pytest.raises(SpApiError) as caught:
        create_feed(client)
    assert ACCESS_TOKEN not in str(caught.value)
    assert "s3c" not in str(caught.value)


def test_words_of_the_token_service_lose_their_secrets_too(amazon, client):
    said = f"refresh_token={SECRETS['refresh_token']} is wrong"
    answer = {"error": "invalid_grant", "error_description": said}
    amazon.script("POST", TOKEN_PATH, Answer(400, answer))
    with pytest.raises(SpApiError) as caught:
        create_feed(client)
    assert SECRETS["refresh_token"] not in str(caught.value)


def test_long_words_of_amazon_are_cut_and_have_no_control_characters(amazon, client):
    answer = {"errors": [{"code": "X", "message": "a\x00\x1b[31m\r\n" + "b" * 5000}]}
    amazon.script("POST", FEEDS, Answer(400, answer))
    with pytest.raises(SpApiError) as caught:
        create_feed(client)
    assert len(caught.value.message) <= 1000
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("x-amz-access-token: Atza|abc-DEF_1.2", "Atza|abc"),
        ("{'x-amz-access-token': 'secret-value'}", "secret-value"),
        ("b'x-amz-access-token', b'secret-value'", "secret-value"),
        ('{"refresh_token": "Atzr|abc"}', "abc"),
        ('{"access_token":"opaque-value"}', "opaque-value"),
        ("grant_type=x&refresh_token=Atzr%7Cabc&client_secret=s3cr3t&a=b", "s3cr3t"),
        ("refresh_token=Atzr%7Cabc", "abc"),
        ("spapi_oauth_code=ANabc123", "ANabc123"),
        ("secret amzn1.oa2-cs.v1.abcdef", "abcdef"),
        ("PUT /a/b?X-Amz-Date=1&X-Amz-Signature=s3cr3t&x=y HTTP/1.1", "s3cr3t"),
        ("/documents/1?signature=s3cr3t", "s3cr3t"),
        ("https://b.s3.amazonaws.com/k?AWSAccessKeyId=AKIA1&Signature=x", "AKIA1"),
        ("https://b/k?x-amz-security-token=tok&z=1", "tok"),
    ],
)
def test_secrets_are_known_by_their_form(text, secret):
    assert secret in text
    assert secret not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET https://sellingpartnerapi-eu.amazon.com/orders/2026-01-01/orders?x=1",
        "Order 302-1234567-1234567 was refused: 12.30 EUR",
        "The access token you provided has expired.",
    ],
)
def test_other_text_is_left_alone(text):
    assert redact(text) == text


def test_a_traceback_in_a_log_is_redacted_too(everything_logged):
    logger = logging.getLogger("test.of.the.filter")
    redacting = RedactingFilter()
    logger.addFilter(redacting)
    try:
        raise ValueError(f"token {ACCESS_TOKEN}")
    except ValueError:
        logger.exception("failed with %s", ACCESS_TOKEN)
    logger.removeFilter(redacting)
    assert ACCESS_TOKEN not in everything_logged.getvalue()
    assert "ValueError" in everything_logged.getvalue()


def test_a_log_record_with_wrong_arguments_is_not_lost(everything_logged):
    record = logging.LogRecord("n", logging.INFO, "p", 1, "no %s here", (), None)
    assert RedactingFilter().filter(record) is True


def test_documents_are_described_without_their_address(amazon, client):
    """A document id is no secret, its URL is; neither stands in an error."""
    accept_documents(amazon)
    amazon.script("GET", DOCUMENT, Answer(200, {"url": 7}))
    amazon.script("POST", DOCUMENTS, Answer(201, {"url": "https://x/?signature=s3c"}))
    for call in (
        lambda: client.read_report("amzn1.tortuga.4.eu.doc"),
        lambda: client.prepare_feed(b"x"),
    ):
        with pytest.raises(SpApiError) as caught:
            call()
        assert "s3c" not in str(caught.value)
