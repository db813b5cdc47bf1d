"""The recorded traffic: valid HAR 1.2, without secrets and buyers' data."""

import json
import signal
import subprocess

import pytest
import requests

from ..process import SimulatorProcess
from .amazon import REFUND, SHIPPED, SHIPPED_ITEM, XML, Amazon, refund


@pytest.fixture
def recorded(tmp_path):
    """A simulator that records, and its file."""
    path = tmp_path / "traffic.har"
    with SimulatorProcess(har=path, processing_seconds=1) as process:
        yield process, path


def read(path):
    """Return the entries of a HAR file, checked for the keys that HAR 1.2 requires."""
    log = json.loads(path.read_text(encoding="utf-8"))["log"]
    assert log["version"] == "1.2"
    assert set(log["creator"]) == {"name", "version"}
    for row in log["entries"]:
        assert {"startedDateTime", "time", "cache"} <= set(row)
        request, response = row["request"], row["response"]
        assert set(row["timings"]) == {"send", "wait", "receive"}
        common = {"cookies", "headers", "headersSize", "bodySize", "httpVersion"}
        assert common | {"method", "url", "queryString"} <= set(request)
        keys = common | {"status", "statusText", "content", "redirectURL"}
        assert keys <= set(response)
        assert {"size", "mimeType"} <= set(response["content"])
        for header in request["headers"] + response["headers"]:
            assert set(header) == {"name", "value"}
    return log["entries"]


def test_file_is_complete_after_every_request(recorded):
    process, path = recorded
    assert read(path) == []
    amazon = Amazon(process.url)
    assert len(read(path)) == 1
    amazon.order(SHIPPED)
    entries = read(path)
    assert len(entries) == 2
    assert entries[1]["response"]["status"] == 200
    content = json.loads(entries[1]["response"]["content"]["text"])
    assert content["order"]["orderId"] == SHIPPED


def test_no_secret_no_token_no_signature_and_no_buyer_is_recorded(recorded):
    process, path = recorded
    amazon = Amazon(process.url)
    document = amazon.create_document().json()
    requests.put(document["url"], b"x", headers={"Content-Type": XML}, timeout=30)
    feed_id = amazon.submit(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="1.00"))
    process.advance(1)
    amazon.report(feed_id)
    order = amazon.order(SHIPPED, included="BUYER,PROCEEDS")
    entries = read(path)
    names = [row["request"]["url"].split("?")[0] for row in entries]
    assert f"{process.url}/auth/o2/token" in names
    assert f"{process.url}/documents/{document['feedDocumentId']}" in names
    text = path.read_text(encoding="utf-8")
    for secret in (
        amazon.access_token,
        process.CLIENT_SECRET,
        process.CLIENT_ID,
        process.REFRESH_TOKEN,
        document["url"].split("signature=")[1],
        order["buyer"]["buyerEmail"],
        "Atza|",
        "Atzr|",
    ):
        assert secret not in text
    assert "OrderAdjustment" in text


def test_nothing_written_to_a_buyer_and_no_address_is_recorded(recorded):
    process, path = recorded
    amazon = Amazon(process.url)
    text = "Guten Tag Frau Beispiel"
    assert amazon.message(SHIPPED, "unexpectedProblem", text).status_code == 201
    amazon.update_fulfillment("SHOP-1001", displayableOrderComment=text)
    shown = amazon.fulfillment_order("SHOP-1001")["fulfillmentOrder"]
    recorded_text = path.read_text(encoding="utf-8")
    for secret in (text, "Musterweg", *shown["notificationEmails"]):
        assert secret not in recorded_text
    assert "SHOP-1001-1" in recorded_text


def test_cut_connection_is_recorded_without_an_answer(recorded):
    process, path = recorded
    amazon = Amazon(process.url)
    process.fault("cut_after", "getOrder")
    with pytest.raises(requests.ConnectionError):
        amazon.order(SHIPPED)
    last = read(path)[-1]
    assert last["response"]["status"] == 0
    assert last["comment"] == "fault cut_after"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_any_end_of_the_process_leaves_a_valid_file(tmp_path, number):
    path = tmp_path / "traffic.har"
    process = SimulatorProcess(har=path)
    Amazon(process.url).order(SHIPPED)
    subprocess.run(["kill", f"-{number.value}", str(process.pid)], check=True)
    process.stop()
    assert len(read(path)) == 2


def test_control_requests_are_not_recorded(recorded):
    process, path = recorded
    process.ledger()
    process.reset()
    assert read(path) == []
