"""Upload and download of documents by presigned URLs."""

import gzip
import io
import re
import struct
import tempfile
import zlib

import pytest
from calls import DOCUMENT, DOCUMENTS, accept_documents
from fake_amazon import LATE, Answer
from spapi import documents
from spapi.credentials import S3_HOSTS, Endpoint
from spapi.errors import NotSent, OutcomeUnknown, Refused

DOCUMENT_ID = "amzn1.tortuga.4.eu.doc"
REPORT = b"<AmazonEnvelope/>" * 100


@pytest.fixture
def store(amazon):
    """Documents of `amazon`, without the calls of SP-API around them."""
    return documents.Documents(Endpoint.simulator(amazon.url), 5.0, 5.0)


@pytest.fixture
def hasty_store(amazon):
    """The same, without patience."""
    return documents.Documents(Endpoint.simulator(amazon.url), 5.0, 0.3)


def test_an_upload_has_the_content_type_of_the_creation_and_no_token(amazon, client):
    accept_documents(amazon)
    client.prepare_feed(b"<x/>")
    (upload,) = amazon.calls("PUT")
    created = amazon.calls("POST", DOCUMENTS)[0].json["contentType"]
    assert upload.headers["Content-Type"] == created
    assert upload.query["X-Amz-Signature"] == ["up-secret"]
    for header in ("Authorization", "x-amz-access-token", "Cookie"):
        assert header not in upload.headers


def test_a_file_is_uploaded_from_its_start_and_with_its_length(amazon, client):
    accept_documents(amazon)
    payload = b"<x>" + b"y" * 200_000 + b"</x>"
    with tempfile.TemporaryFile() as file:
        file.write(payload)
        client.prepare_feed(file)
    (upload,) = amazon.calls("PUT")
    assert upload.body == payload
    assert upload.headers["Content-Length"] == str(len(payload))
    assert "Transfer-Encoding" not in upload.headers


def test_a_repeated_upload_sends_the_whole_file_again(amazon, client):
    accept_documents(amazon)
    amazon.script("PUT", "/documents/up", Answer(503), Answer(fault="cut"), Answer(200))
    client.prepare_feed(io.BytesIO(b"<x/>"))
    assert [upload.body for upload in amazon.calls("PUT")] == [b"<x/>"] * 3


@pytest.mark.parametrize("payload", [b"", "<x/>", None, io.BytesIO(), io.StringIO("x")])
def test_what_is_no_document_is_not_sent(amazon, client, payload):
    with pytest.raises(ValueError, match="must be bytes"):
        client.prepare_feed(payload)
    assert not amazon.requests


def test_a_netrc_of_the_machine_does_not_add_a_password(
    amazon, client, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    accept_documents(amazon)
    # As in production, where the settings of the machine count:
    monkeypatch.setattr(client._documents, "_check_host", lambda *args: None)
    object.__setattr__(client._documents._endpoint, "is_simulator", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client.prepare_feed(b"<x/>")
    assert "Authorization" not in amazon.calls("PUT")[0].headers


def test_a_report_comes_as_it_is(amazon, client):
    accept_documents(amazon, report=REPORT)
    assert client.read_report(DOCUMENT_ID) == REPORT


def test_a_packed_report_comes_unpacked(amazon, client):
    accept_documents(amazon, "GZIP", gzip.compress(REPORT))
    assert client.read_report(DOCUMENT_ID) == REPORT


def test_a_report_of_several_gzip_members_comes_whole(amazon, client):
    packed = gzip.compress(REPORT) + gzip.compress(b"more")
    accept_documents(amazon, "GZIP", packed)
    assert client.read_report(DOCUMENT_ID) == REPORT + b"more"


def test_a_content_encoding_header_does_not_unpack_twice(amazon, client):
    accept_documents(amazon, "GZIP")
    answer = Answer(200, gzip.compress(REPORT), {"Content-Encoding": "gzip"})
    amazon.script("GET", "/documents/down", answer)
    assert client.read_report(DOCUMENT_ID) == REPORT


@pytest.mark.parametrize(
    "packed",
    [
        REPORT,
        gzip.compress(REPORT)[:-9],
        gzip.compress(REPORT)[:-1] + b"\x01",
        gzip.compress(REPORT) + b"rubbish",
        zlib.compress(REPORT),
    ],
    ids=["plain", "cut", "wrong length", "rubbish behind", "zlib"],
)
def test_a_damaged_report_is_never_taken_for_a_report(amazon, client, packed):
    """The library gives the damaged bytes as text."""
    accept_documents(amazon, "GZIP", packed)
    with pytest.raises(OutcomeUnknown) as caught:
        client.read_report(DOCUMENT_ID)
    assert caught.value.code == "DocumentDamaged"


def test_an_unknown_compression_is_refused(amazon, client):
    accept_documents(amazon, "BROTLI")
    with pytest.raises(Refused):
        client.read_report(DOCUMENT_ID)
    assert not amazon.calls("GET", "/documents/down")


def test_a_report_that_is_too_big_on_the_wire_is_refused(amazon, client, monkeypatch):
    monkeypatch.setattr(documents, "MAX_REPORT_BYTES", 1000)
    accept_documents(amazon, report=b"x" * 1001)
    with pytest.raises(Refused) as caught:
        client.read_report(DOCUMENT_ID)
    assert caught.value.code == "DocumentTooBig"


def test_a_report_that_is_too_big_when_unpacked_is_refused(amazon, client, monkeypatch):
    monkeypatch.setattr(documents, "MAX_REPORT_BYTES", 1000)
    accept_documents(amazon, "GZIP", gzip.compress(b"x" * 10_000_000))
    with pytest.raises(Refused) as caught:
        client.read_report(DOCUMENT_ID)
    assert caught.value.code == "DocumentTooBig"


def test_a_gzip_bomb_of_many_members_is_refused(monkeypatch):
    monkeypatch.setattr(documents, "MAX_REPORT_BYTES", 1000)
    with pytest.raises(Refused):
        documents._unpack(gzip.compress(b"x" * 400) * 3)
    assert len(documents._unpack(gzip.compress(b"x" * 500) * 2)) == 1000


def test_a_gzip_that_lies_about_its_size_is_damaged():
    packed = gzip.compress(REPORT)
    lying = packed[:-4] + struct.pack("<I", 1)
    with pytest.raises(OutcomeUnknown):
        documents._unpack(lying)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(fault="cut"),
        Answer(fault="reset"),
        LATE,
        Answer(200, REPORT, fault="half"),
        Answer(200, REPORT[:100], fault="trickle"),
        Answer(500),
        Answer(503, "<Error><Code>SlowDown</Code></Error>"),
        Answer(429),
        Answer(302, "", {"Location": "/documents/other"}),
    ],
    ids=lambda answer: answer.fault or str(answer.status),
)
def test_a_download_without_a_whole_answer_may_be_repeated(amazon, hasty_store, answer):
    amazon.script("GET", "/documents/down", answer)
    with pytest.raises(OutcomeUnknown):
        hasty_store.download(f"{amazon.url}/documents/down?signature=s", None)
    assert [request.path for request in amazon.requests] == ["/documents/down"]
    assert not amazon.trickled_to_the_end


def test_a_download_is_repeated_without_asking_for_the_address_again(amazon, client):
    """getFeedDocument allows one call in 45 seconds."""
    accept_documents(amazon)
    amazon.script("GET", "/documents/down", Answer(500), Answer(200, REPORT))
    assert client.read_report(DOCUMENT_ID) == REPORT
    assert len(amazon.calls("GET", DOCUMENT)) == 1


S3_ERROR = (
    "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature</Message>"
    "<AWSAccessKeyId>AKIASECRET</AWSAccessKeyId>"
    "<SignatureProvided>s3cr3t</SignatureProvided></Error>"
)


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_has_the_code_of_the_store_and_nothing_else_of_its_body(
    amazon, store, status
):
    amazon.script("PUT", "/documents/up", Answer(status, S3_ERROR))
    with pytest.raises(Refused) as caught:
        store.upload(f"{amazon.url}/documents/up?signature=s", b"x", "text/xml")
    refusal = caught.value
    assert (refusal.code, refusal.http_status) == ("SignatureDoesNotMatch", status)
    for secret in ("AKIA", "s3cr3t", "signature=", amazon.netloc):
        assert secret not in str(refusal) and secret not in repr(refusal)


def test_an_upload_to_an_expired_address_was_not_sent(amazon, store):
    expired = "<Error><Code>AccessDenied</Code><Message>Expired</Message></Error>"
    amazon.script("PUT", "/documents/up", Answer(403, expired))
    with pytest.raises(NotSent):
        store.upload(f"{amazon.url}/documents/up?signature=s", b"x", "text/xml")


def test_a_refused_upload_is_not_repeated(amazon, client):
    accept_documents(amazon)
    amazon.script("PUT", "/documents/up", Answer(403, S3_ERROR))
    with pytest.raises(Refused):
        client.prepare_feed(b"<x/>")
    assert len(amazon.calls("PUT")) == 1


@pytest.mark.parametrize("fault", ["cut", "reset", "hang"])
def test_no_message_and_no_cause_holds_the_presigned_url(amazon, hasty_store, fault):
    amazon.script("PUT", "/documents/up", Answer(fault=fault))
    url = f"{amazon.url}/documents/up?X-Amz-Signature=s3cr3t"
    with pytest.raises(OutcomeUnknown) as caught:
        hasty_store.upload(url, b"x" * 100, "text/xml")
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert "s3cr3t" not in str(caught.value)


BAD_ADDRESSES = [
    "http://tortuga-prod-eu.s3-eu-west-1.amazonaws.com/x?signature=s",
    "https://evil.example/x?signature=s",
    "https://tortuga-prod-eu.s3.amazonaws.com.evil.example/x",
    "https://evil.example/tortuga-prod-eu.s3.amazonaws.com",
    "https://tortuga-prod-eu.s3.amazonaws.com@evil.example/x",
    "https://user@tortuga-prod-eu.s3.amazonaws.com/x",
    "https://tortuga-prod-eu.s3.amazonaws.com:8443/x",
    "https://s3.amazonaws.com/x",
    "https://ec2.amazonaws.com/x",
    "https://169.254.169.254/latest/meta-data",
    "ftp://tortuga-prod-eu.s3.amazonaws.com/x",
    "file:///etc/passwd",
    "",
    None,
]


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_in_production_no_other_host_gets_or_gives_a_document(url, monkeypatch):
    monkeypatch.setattr("requests.Session.request", lambda *a, **k: pytest.fail("sent"))
    production = documents.Documents(Endpoint.for_region("eu"), 1, 1)
    for call in (
        lambda: production.upload(url, b"x", "text/xml"),
        lambda: production.download(url, None),
    ):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == "DocumentHostNotAllowed"


@pytest.mark.parametrize(
    "host",
    [
        "tortuga-prod-na.s3.amazonaws.com",
        "tortuga-prod-na.s3-external-1.amazonaws.com",
        "tortuga-prod-eu.s3-eu-west-1.amazonaws.com",
        "tortuga-prod-eu.s3.eu-west-1.amazonaws.com",
        "tortuga-prod-fe.s3-us-west-2.amazonaws.com",
        "tortuga-prod-fe.s3.dualstack.us-west-2.amazonaws.com",
    ],
)
def test_the_hosts_that_amazon_is_known_to_use_are_allowed(host):
    assert re.fullmatch(S3_HOSTS, host)
    production = documents.Documents(Endpoint.for_region("eu"), 1, 1)
    production._check_host("uploadFeedDocument", f"https://{host}/x?signature=s")


def test_the_simulator_gets_documents_for_itself_only(amazon, client):
    url = "http://127.0.0.1:9/documents/up?signature=s"
    amazon.script(
        "POST", DOCUMENTS, Answer(201, {"feedDocumentId": "doc-1", "url": url})
    )
    with pytest.raises(Refused) as caught:
        client.prepare_feed(b"<x/>")
    assert caught.value.code == "DocumentHostNotAllowed"


def test_a_host_that_is_down_was_not_reached(store, amazon):
    url = f"{amazon.url}/documents/up?signature=s"
    amazon.stop()
    with pytest.raises((NotSent, OutcomeUnknown)):
        store.upload(url, b"x", "text/xml")
    amazon.stop = lambda: None


def test_a_feed_bigger_than_amazon_advises_is_refused(amazon, client):
    with pytest.raises(ValueError, match="10 MiB"):
        client.prepare_feed(b"x" * (10 * 1024 * 1024 + 1))
    with tempfile.TemporaryFile() as file, pytest.raises(ValueError, match="10 MiB"):
        file.truncate(10 * 1024 * 1024 + 1)
        client.prepare_feed(file)
    assert not amazon.requests


def test_a_report_in_chunks_comes_whole(amazon, client):
    accept_documents(amazon)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(REPORT), REPORT) for _ in range(3))
    answer = Answer(200, chunks + b"0\r\n\r\n", {"Transfer-Encoding": "chunked"})
    amazon.script("GET", "/documents/down", answer)
    assert client.read_report(DOCUMENT_ID) == REPORT * 3
