"""Documents and their addresses that are made to hurt."""

import gzip
import time

import pytest
from calls import DOCUMENT, accept_documents
from fake_amazon import Answer, FakeAmazon
from spapi import documents
from spapi.credentials import Endpoint
from spapi.errors import OutcomeUnknown, Refused
from spapi.packed import MAX_MEMBERS, Damaged, TooBig, unpack
from spapi.reports import parse_report

DOCUMENT_ID = "amzn1.tortuga.4.eu.doc"
GOOD = "tortuga-prod-eu.s3.eu-west-1.amazonaws.com"

#: Addresses that lead inside, or are read differently by two programs.
ADDRESSES = [
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "https://169.254.169.254/x",
    "https://[fd00:ec2::254]/latest",
    "https://[::1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://localhost/",
    "https://localhost.s3.amazonaws.com.localhost/",
    "https://127.0.0.1:8069/web",
    "https://metadata.google.internal/",
    "https://sellingpartnerapi-eu.amazon.com/x",
    "https://sellingpartnerapi-eu.amazon.com@evil.example/",
    f"https://{GOOD}@169.254.169.254/",
    f"https://{GOOD}:443@evil.example/",
    f"https://{GOOD}%40evil.example/",
    f"https://{GOOD}%2eevil.example/",
    f"https://{GOOD}\\@evil.example/",
    f"https://{GOOD}\\.evil.example/",
    f"https://{GOOD}\t.evil.example/",
    f"https://{GOOD}\n.evil.example/",
    f"https://{GOOD}\0.evil.example/",
    f"https://{GOOD} .evil.example/",
    f"https://evil.example#{GOOD}/",
    f"https://evil.example?{GOOD}/",
    f"https://evil.example/{GOOD}",
    f"https://{GOOD}:80/",
    f"https://{GOOD}:443/",
    f"https://{GOOD}:/",
    f"https://{GOOD}./",
    f"https:{GOOD}/",
    f"https:/{GOOD}/",
    f"https:///{GOOD}/",
    f"//{GOOD}/",
    f"http://{GOOD}/",
    f"ftp://{GOOD}/",
    f"gopher://{GOOD}/",
    f" https://{GOOD}/",
    f"https\n://{GOOD}/",
    "https://tortuga.s3.ämazonaws.com/",
    "https://tortuga.s3.amazonaws.ⅽom/",
    "https://tortuga.s3.amazonaws。com/",
    "https://tortuga.s3.xn--mazonaws-0ya.com/",
    "https://.s3.amazonaws.com/",
    "https://-.s3.amazonaws.com/",
    "https://s3.amazonaws.com/tortuga/",
    "https://ec2.eu-west-1.amazonaws.com/",
    "https://tortuga.s3.amazonaws.com.evil.example/",
    "https://[bad/",
    "https://[::1/",
    "https://℀.s3.amazonaws.com/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "data:text/xml,<x/>",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    f"https://{GOOD}/" + "x" * 10_000,
    "",
    None,
    5,
    ["https://x"],
    {"url": "https://x"},
]


@pytest.mark.parametrize("url", ADDRESSES, ids=lambda url: repr(url)[:60])
def test_no_address_leads_anywhere_but_to_amazons_stores(url, monkeypatch):
    monkeypatch.setattr("requests.Session.request", lambda *a, **k: pytest.fail("sent"))
    production = documents.Documents(Endpoint.for_region("eu"), 1, 1)
    for call in (
        lambda: production.upload(url, b"x", "text/xml"),
        lambda: production.download(url, None),
    ):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == "DocumentHostNotAllowed"
        assert "not one of Amazon's document stores" in str(caught.value)


def test_the_address_of_a_store_is_taken_as_it_is():
    production = documents.Documents(Endpoint.for_region("eu"), 1, 1)
    for url in (
        f"https://{GOOD}/x?X-Amz-Signature=a",
        f"https://{GOOD.upper()}/x",
        f"https://{GOOD}/" + "x" * 4000,
    ):
        production._check_host("downloadFeedDocument", url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(amazon, client, status):
    inside = FakeAmazon()
    try:
        accept_documents(amazon)
        location = {"Location": f"{inside.url}/latest/meta-data"}
        amazon.script("GET", "/documents/down", Answer(status, b"", location))
        amazon.script("PUT", "/documents/up", Answer(status, b"", location))
        with pytest.raises(OutcomeUnknown):
            client.read_report(DOCUMENT_ID)
        with pytest.raises(OutcomeUnknown):
            client.prepare_feed(b"<x/>")
        assert not inside.requests
    finally:
        inside.stop()


def test_no_redirect_of_the_api_is_followed(amazon, client):
    inside = FakeAmazon()
    try:
        location = {"Location": f"{inside.url}/x"}
        amazon.script("GET", DOCUMENT, Answer(307, b"", location))
        with pytest.raises(OutcomeUnknown):
            client.read_report(DOCUMENT_ID)
        assert not inside.requests
    finally:
        inside.stop()


# === SLOW AND ENDLESS === #


@pytest.fixture
def hasty_store(amazon):
    """Documents of `amazon`, without patience."""
    return documents.Documents(Endpoint.simulator(amazon.url), 5.0, 0.3)


@pytest.mark.parametrize("status", [200, 400, 403, 500])
def test_a_document_or_an_error_that_drips_is_given_up(amazon, hasty_store, status):
    """The body of an error was once waited for as long as it dripped."""
    error = b"<Error><Code>SlowDown</Code>" + b" " * 300
    amazon.script("GET", "/documents/down", Answer(status, error, fault="trickle"))
    started = time.monotonic()
    with pytest.raises((Refused, OutcomeUnknown)) as caught:
        hasty_store.download(f"{amazon.url}/documents/down?signature=s", None)
    assert time.monotonic() - started < 5
    assert not amazon.trickled_to_the_end
    assert isinstance(caught.value, Refused) == (status in (400, 403))


def test_an_error_without_end_is_not_read_to_its_end(amazon, hasty_store):
    body = b"<Error><Code>NoSuchKey</Code>" + b"x" * 30_000_000
    amazon.script("GET", "/documents/down", Answer(404, body))
    with pytest.raises(Refused) as caught:
        hasty_store.download(f"{amazon.url}/documents/down?signature=s", None)
    assert caught.value.code == "NoSuchKey"


# === PACKED === #


def test_what_is_packed_twice_is_unpacked_once(amazon, client):
    inner = gzip.compress(b"x" * 10_000_000)
    accept_documents(amazon, "GZIP", gzip.compress(inner))
    document = client.read_report(DOCUMENT_ID)
    assert document == inner
    with pytest.raises(ValueError, match="character set"):
        parse_report(document, [1])


def test_a_bomb_takes_no_more_than_the_limit(amazon, client):
    """20 GB in 20 MB: it is given up after the first 20 MB."""
    accept_documents(amazon, "GZIP", gzip.compress(b"\0" * 200_000_000, 9))
    started = time.thread_time()
    with pytest.raises(Refused) as caught:
        client.read_report(DOCUMENT_ID)
    assert caught.value.code == "DocumentTooBig"
    assert time.thread_time() - started < 10


def test_a_document_in_a_million_pieces_is_damaged():
    started = time.thread_time()
    with pytest.raises(Damaged):
        unpack(gzip.compress(b"") * 500_000, 1000)
    assert time.thread_time() - started < 5
    assert unpack(gzip.compress(b"a") * MAX_MEMBERS, MAX_MEMBERS) == b"a" * MAX_MEMBERS


def test_pieces_across_the_pieces_that_are_read_come_whole():
    parts = [bytes([n]) * 70_000 for n in range(20)]
    packed = b"".join(gzip.compress(part, 0) for part in parts)
    assert unpack(packed, 2_000_000) == b"".join(parts)
    with pytest.raises(TooBig):
        unpack(packed, 1_399_999)
    for end in range(len(packed) - 20, len(packed)):
        with pytest.raises(Damaged):
            unpack(packed[:end], 2_000_000)
    assert unpack(b"", 10) == b""


@pytest.mark.parametrize(
    "compression", ["gzip", "DEFLATE", "GZIP,GZIP", 5, ["GZIP"], {}]
)
def test_a_packing_that_is_not_known_is_refused(amazon, client, compression):
    accept_documents(amazon)
    description = {
        "feedDocumentId": DOCUMENT_ID,
        "url": f"{amazon.url}/documents/down?signature=s",
        "compressionAlgorithm": compression,
    }
    amazon.script("GET", DOCUMENT, Answer(200, description))
    if not compression:
        assert client.read_report(DOCUMENT_ID)  # as if Amazon named none
        return
    with pytest.raises(Refused):
        client.read_report(DOCUMENT_ID)
    assert not amazon.calls("GET", "/documents/down")
