"""Reports that are made to hurt: each is refused in words, at little cost."""

import time
import tracemalloc
from pathlib import Path

import pytest
from spapi.errors import UnreadableReport
from spapi.reports import (
    ACCEPTED,
    MAX_CODE,
    MAX_MARKS,
    MAX_TEXT,
    REJECTED,
    UNKNOWN,
    count_processed,
    parse_report,
)
from test_strict_reports import report, result

#: Generous for one document on a slow machine; a bomb takes minutes or all memory.
SECONDS = 2.0
MEMORY = 300 * 1024 * 1024

BODY = report(1, 1, 0).decode().partition("?>")[2]
LAUGHS = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">'
    for n in range(10)
)


def within(doctype, body=BODY, use=""):
    """A report with a DTD before it, and an entity used as a text."""
    text = body.replace("<StatusCode>Complete", f"<StatusCode>{use}Complete")
    return f"<?xml version='1.0'?>{doctype}{text}".encode()


BOMBS = {
    "billion laughs": within(f"<!DOCTYPE A [{LAUGHS}]>", use="&l9;"),
    "billion laughs in an attribute": within(
        f"<!DOCTYPE A [{LAUGHS}]>",
        BODY.replace("<AmazonEnvelope>", '<AmazonEnvelope x="&l9;">'),
    ),
    "quadratic blow-up": within(
        f'<!DOCTYPE A [<!ENTITY a "{"a" * 100_000}">]>', use="&a;" * 10_000
    ),
    "entities of itself": within(
        '<!DOCTYPE A [<!ENTITY a "&b;"><!ENTITY b "&a;">]>', use="&a;"
    ),
    "parameter entities": within(
        "<!DOCTYPE A [<!ENTITY % a '<!ENTITY b \"c\">'> %a;]>", use="&b;"
    ),
    "external DTD": within('<!DOCTYPE A SYSTEM "http://169.254.169.254/latest">'),
    "DTD behind a comment": within("<!-- <AmazonEnvelope> --><!DOCTYPE A>"),
    "entity of a file": within(
        '<!DOCTYPE A [<!ENTITY f SYSTEM "file:///etc/hostname">]>', use="&f;"
    ),
    "entity of the inside": within(
        '<!DOCTYPE A [<!ENTITY f SYSTEM "http://127.0.0.1:1/">]>', use="&f;"
    ),
}


@pytest.fixture
def bounded():
    """Fail a test that takes long or much."""
    tracemalloc.start()
    started = time.thread_time()
    yield
    seconds = time.thread_time() - started
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS
    assert most < MEMORY


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("data", BOMBS.values(), ids=list(BOMBS))
def test_a_report_with_a_dtd_is_refused_before_it_is_parsed(data):
    for read in (lambda: parse_report(data, [1]), lambda: count_processed(data)):
        with pytest.raises(UnreadableReport, match="has a DTD"):
            read()


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_dtd_cannot_hide_in_another_character_set(charset):
    for data in (BOMBS["billion laughs"], report(1, 1, 0)):
        with pytest.raises(UnreadableReport, match="character set"):
            parse_report(data.decode().encode(charset), [1])


@pytest.mark.parametrize(
    "declared", ["UTF-7", "UTF-16", "EBCDIC-US", "cp037", "ISO-2022-JP", "x" * 50, ""]
)
def test_a_declared_character_set_that_is_not_like_ascii_is_refused(declared):
    head = f"<?xml version='1.0' encoding='{declared}'?>"
    data = f"{head}+ADwAIQ-DOCTYPE A+AD4-{BODY}".encode()
    with pytest.raises(UnreadableReport, match="character set"):
        parse_report(data, [1])


def test_a_report_in_latin_1_that_says_utf_8_is_refused():
    data = report(1, 0, 1, result(1, text="Bestellung geprüft"))
    with pytest.raises(UnreadableReport, match="no XML"):
        parse_report(data.decode().encode("latin-1"), [1])


def test_a_report_in_latin_1_that_says_so_is_read():
    data = report(1, 0, 1, result(1, text="geprüft")).decode()
    data = data.replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert parse_report(data, [1])[1].text == "geprüft"


@pytest.mark.parametrize(
    "element",
    [
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" '
        'href="file:///etc/hostname"/>',
        '<?xml-stylesheet href="file:///etc/hostname"?>',
        '<x xsi:schemaLocation="http://127.0.0.1:1/ http://127.0.0.1:1/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>',
    ],
)
def test_nothing_is_fetched_for_a_report(element):
    data = report(1, 0, 1, result(1, text=f"Sorry.{element}")).decode().encode()
    outcome = parse_report(data, [1])[1]
    assert (outcome.status, outcome.text) == (REJECTED, "Sorry.")
    assert Path("/etc/hostname").read_text().strip() not in outcome.text


@pytest.mark.usefixtures("bounded")
def test_a_report_of_millions_of_elements_is_refused_before_it_is_parsed():
    data = report(1, 1, 0).replace(b"</AmazonEnvelope>", b"<a/>" * MAX_MARKS)
    with pytest.raises(UnreadableReport, match="more elements"):
        parse_report(data, [1])


@pytest.mark.usefixtures("bounded")
def test_a_report_that_is_nested_without_end_is_refused():
    data = report(1, 1, 0).replace(b"<Header>", b"<Header>" + b"<a>" * 100_000)
    with pytest.raises(UnreadableReport, match="no XML"):
        parse_report(data, [1])


@pytest.mark.usefixtures("bounded")
def test_a_text_of_megabytes_is_cut_and_costs_no_time():
    """Looking for secrets in it once took time by the square of its length."""
    for text in ("?" * 5_000_000, "?a=" * 2_000_000, "client_secret " * 300_000):
        outcome = parse_report(report(1, 0, 1, result(1, text=text)), [1])[1]
        assert outcome.status == REJECTED
        assert len(outcome.text) <= MAX_TEXT


def test_a_code_of_megabytes_is_cut():
    outcome = parse_report(report(1, 0, 1, result(1, number="9" * 10**6)), [1])[1]
    assert outcome.code == "9" * MAX_CODE


@pytest.mark.parametrize("number", ["9" * 10, "9" * 5000, "١", "1e3", "-1", "1_0"])
def test_a_number_that_is_none_leaves_the_outcome_unknown(number):
    """5,000 digits are more than Python turns into a number."""
    for data in (report(number, 1, 0), report(1, number, 0), report(1, 1, number)):
        assert parse_report(data, [1])[1].status == UNKNOWN


def test_an_error_without_a_usable_number_of_its_message_accepts_nothing():
    data = report(1, 1, 0, result("9" * 5000))
    assert parse_report(data, [1])[1].status != ACCEPTED


def test_what_turns_a_text_around_is_left_out_of_it():
    text = "Refund of 10 \u202eRUE 0001\u202c not found\u200b."
    outcome = parse_report(report(1, 0, 1, result(1, text=text)), [1])[1]
    assert outcome.text == "Refund of 10 RUE 0001 not found."


@pytest.mark.parametrize("character", ["\0", "\x01", "\x1f", "\ufffe"])
def test_characters_that_no_xml_has_make_a_report_unreadable(character):
    with pytest.raises(UnreadableReport):
        parse_report(report(1, 0, 1, result(1, text=f"a{character}b")), [1])
