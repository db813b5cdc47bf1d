"""Cutting a feed and its report to one order."""

from decimal import Decimal

import pytest
from lxml import etree
from spapi.envelopes import RefundItem, RefundMessage, order_adjustment
from spapi.errors import UnreadableReport
from spapi.excerpts import (
    OTHER_ORDER,
    WHOLE_FEED,
    cut_envelope,
    cut_report,
    mask_orders,
)
from spapi.reports import parse_report

MINE, OTHER = "302-4481516-2342108", "305-2260917-9913547"

REPORT = f"""<?xml version="1.0" encoding="UTF-8"?>
<AmazonEnvelope><Header><DocumentVersion>1.02</DocumentVersion></Header>
<MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID>
<ProcessingReport><StatusCode>Complete</StatusCode>
<ProcessingSummary><MessagesProcessed>2</MessagesProcessed>
<MessagesSuccessful>1</MessagesSuccessful><MessagesWithError>1</MessagesWithError>
<MessagesWithWarning>0</MessagesWithWarning></ProcessingSummary>
<Result><MessageID>2</MessageID><ResultCode>Error</ResultCode>
<ResultMessageCode>13057</ResultMessageCode>
<ResultDescription>{OTHER} is wrong</ResultDescription></Result>
</ProcessingReport></Message></AmazonEnvelope>""".encode()


def envelope(*orders):
    messages = [
        RefundMessage(
            number,
            order,
            "EUR",
            (
                RefundItem(
                    "147645420374961",
                    f"AMZ-{number}",
                    "Other",
                    (("Principal", Decimal("1.00")),),
                ),
            ),
        )
        for number, order in enumerate(orders, start=1)
    ]
    return order_adjustment("ADEMOSELLER01", messages)


def test_envelope_of_one_order_stays_byte_by_byte():
    data = envelope(MINE)
    assert cut_envelope(data, MINE, [1]) == (data, 0)


def test_envelope_keeps_only_the_messages_of_the_order():
    content, left_out = cut_envelope(envelope(OTHER, MINE, OTHER), MINE, [2])
    assert left_out == 2
    assert OTHER.encode() not in content
    assert content.count(b"<Message>") == 1
    assert etree.fromstring(content).findtext(".//AmazonOrderID") == MINE
    assert b"AMZ-1" not in content and b"AMZ-3" not in content


def test_message_with_our_number_and_another_order_is_left_out():
    content, left_out = cut_envelope(envelope(OTHER, MINE), MINE, [1, 2])
    assert left_out == 1
    assert OTHER.encode() not in content


def test_report_keeps_what_is_about_the_order_or_the_whole():
    content, left_out = cut_report(REPORT, MINE, [1])
    assert left_out == 1
    assert OTHER.encode() not in content and b"13057" not in content
    assert b"<MessagesProcessed>2</MessagesProcessed>" in content
    same, left_out = cut_report(REPORT, OTHER, [2])
    assert (same, left_out) == (REPORT, 0)


def test_number_of_another_order_in_a_text_is_masked():
    content, left_out = cut_report(REPORT, MINE, [2])
    assert left_out == 0
    assert OTHER.encode() not in content
    assert OTHER_ORDER.encode() in content
    # what Amazon said stays readable
    assert parse_report(content, [2])[2].code == "13057"
    assert mask_orders(f"{MINE} and {OTHER}.", MINE) == f"{MINE} and {OTHER_ORDER}."


@pytest.mark.parametrize(
    "number",
    ["", "<MessageID/>", *(f"<MessageID>{n}</MessageID>" for n in ("0", "SKU-4711"))],
)
def test_words_about_the_whole_of_a_shared_feed_are_left_out(number):
    hidden = (
        f'<Result sku="SKU-4711">SKU-4711{number}SKU-4711'
        "<ResultCode>Error</ResultCode>SKU-4711"
        '<ResultMessageCode sku="SKU-4711">90057</ResultMessageCode>'
        '<ResultDescription sku="SKU-4711">SKU-4711 <b>SKU-4711</b> failed'
        "</ResultDescription><AdditionalInfo><SKU>SKU-4711</SKU></AdditionalInfo>"
        "</Result></ProcessingReport>"
    )
    report = REPORT.replace(b"</ProcessingReport>", hidden.encode())
    content, left_out = cut_report(report, MINE, [1])
    assert left_out == 1
    assert b"SKU-4711" not in content
    assert content.count(WHOLE_FEED.encode()) == 1
    # sort and code are Amazon's own, and stay
    whole = etree.fromstring(content).find(".//Result")
    assert whole.findtext("ResultCode") == "Error"
    assert whole.findtext("ResultMessageCode") == "90057"
    # as it was where no other order was in the feed
    alone = report.replace(OTHER.encode(), MINE.encode())
    assert cut_report(alone, MINE, [1, 2], is_shared=False) == (alone, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<html/>",
        b"<Message/>",
        b"<Result><MessageID>9</MessageID></Result>",
        b"<AmazonEnvelope><Message>",
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        b"<AmazonEnvelope><Message>&e;</Message></AmazonEnvelope>",
    ],
)
def test_what_is_no_envelope_is_refused(data):
    for cut in (cut_envelope, cut_report):
        with pytest.raises(UnreadableReport):
            cut(data, MINE, [1])


def test_bomb_of_entities_is_refused():
    entities = b'<!ENTITY a0 "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10)
    )
    data = b"<!DOCTYPE x [" + entities + b"]><AmazonEnvelope>&a9;</AmazonEnvelope>"
    with pytest.raises(UnreadableReport):
        cut_envelope(data, MINE, [1])


def test_large_feed_is_cut_to_its_one_message():
    content, left_out = cut_envelope(envelope(*[OTHER] * 4000, MINE), MINE, [4001])
    assert left_out == 4000
    assert content.count(b"<Message>") == 1
