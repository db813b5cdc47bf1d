"""What a processing report says of each message, and what it does not say."""

import pytest
from conftest import REPOSITORY
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from spapi.errors import UnreadableReport
from spapi.reports import named_orders, parse_report

SEED = 20261121  # of all generated examples below


def result(message_id, code="Error", number="18028", text="Not found."):
    """One Result element."""
    return (
        f"<Result><MessageID>{message_id}</MessageID><ResultCode>{code}</ResultCode>"
        f"<ResultMessageCode>{number}</ResultMessageCode>"
        f"<ResultDescription>{text}</ResultDescription></Result>"
    )


def report(processed, good, bad, *results, status="Complete", warned=0):
    """A whole report."""
    numbers = {
        "MessagesProcessed": processed,
        "MessagesSuccessful": good,
        "MessagesWithError": bad,
        "MessagesWithWarning": warned,
    }
    summary = "".join(
        f"<{name}>{number}</{name}>"
        for name, number in numbers.items()
        if number is not None
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><AmazonEnvelope><Header>"
        "<DocumentVersion>1.02</DocumentVersion>"
        "<MerchantIdentifier>A1</MerchantIdentifier></Header>"
        "<MessageType>ProcessingReport</MessageType>"
        "<Message><MessageID>1</MessageID><ProcessingReport>"
        "<DocumentTransactionID>8252984128</DocumentTransactionID>"
        f"<StatusCode>{status}</StatusCode>"
        f"<ProcessingSummary>{summary}</ProcessingSummary>"
        f"{''.join(results)}</ProcessingReport></Message></AmazonEnvelope>"
    ).encode()


def statuses(data, ids=(1, 2, 3)):
    """The status of each message, as initials."""
    outcomes = parse_report(data, ids)
    assert list(outcomes) == list(ids)
    return "".join(outcomes[message_id].status[0] for message_id in ids)


def complaint(message_id, order, code="Error"):
    """A Result element that names an order."""
    return result(message_id, code).replace(
        "</Result>",
        "<AdditionalInfo><SKU>NW-1</SKU>"
        f"<AmazonOrderID>{order}</AmazonOrderID></AdditionalInfo></Result>",
    )


@pytest.mark.parametrize(
    ("results", "named"),
    [
        ([], {}),
        ([result(2)], {}),
        ([complaint(2, " ")], {}),
        ([complaint(2, "305-1-1")], {2: {"305-1-1"}}),
        ([complaint(2, "305-1-1", "Warning")], {2: {"305-1-1"}}),
        (
            [complaint(1, "305-1-1"), complaint(2, "305-2-2"), complaint(2, "305-3-3")],
            {1: {"305-1-1"}, 2: {"305-2-2", "305-3-3"}},
        ),
        ([complaint(0, "305-1-1")], {0: {"305-1-1"}}),
        ([complaint("none", "305-1-1")], {0: {"305-1-1"}}),
        ([complaint(2, "3" * 999)], {2: {"3" * 50}}),
    ],
)
def test_report_names_the_orders_that_it_complains_about(results, named):
    assert named_orders(report(3, 2, 1, *results)) == named


@pytest.mark.parametrize("data", [b"", b"<x/>", b"no XML"])
def test_what_is_no_report_names_no_orders(data):
    with pytest.raises(UnreadableReport):
        named_orders(data)


ALL_ZERO = result(0, text="XML is malformed", number="5000")
WARNING = result(2, code="Warning", number="1", text="Careful.")

#: a = accepted, r = rejected, u = unknown
CASES = {
    "all well": (report(3, 3, 0), "aaa"),
    "one error": (report(3, 2, 1, result(2)), "ara"),
    "all errors": (report(3, 0, 3, *map(result, (1, 2, 3))), "rrr"),
    "two errors for one message": (report(3, 2, 1, result(2), result(2)), "ara"),
    "a warning": (report(3, 3, 0, WARNING, warned=1), "aaa"),
    "a warning that is counted apart": (report(3, 2, 0, WARNING, warned=1), "aaa"),
    "an error and a warning": (report(3, 2, 1, result(2), WARNING, warned=1), "ara"),
    "a warning for all": (report(3, 3, 0, result(0, code="Warning")), "aaa"),
    "more processed than ours": (report(5, 5, 0), "aaa"),
    "fewer processed": (report(2, 2, 0), "uuu"),
    "fewer processed, one error": (report(2, 1, 1, result(2)), "uru"),
    "none processed": (report(0, 0, 0), "uuu"),
    "an error without its result": (report(3, 2, 1), "uuu"),
    "two errors, one result": (report(3, 1, 2, result(2)), "uru"),
    "numbers that do not add up": (report(3, 2, 0), "uuu"),
    "an error that the summary denies": (report(3, 3, 0, result(2)), "uuu"),
    "an error of a stranger": (report(3, 2, 1, result(9)), "uuu"),
    "an error of a stranger, counted": (report(4, 3, 1, result(9)), "aaa"),
    "no summary": (report(None, None, None), "uuu"),
    "no summary, one error": (report(None, None, None, result(2)), "uuu"),
    "no number of successes": (report(3, None, 0), "uuu"),
    "numbers that are none": (report("x", "-1", "1e3"), "uuu"),
    "processing": (report(3, 3, 0, status="Processing"), "uuu"),
    "processing, one error": (report(3, 2, 1, result(2), status="Processing"), "uuu"),
    "no status": (report(3, 3, 0, status=""), "uuu"),
    "unknown status": (report(3, 3, 0, status="Done"), "uuu"),
    "lower case status": (report(3, 3, 0, status="complete"), "uuu"),
    "rejected without results": (report(3, 0, 0, status="Rejected"), "uuu"),
    "rejected as a whole": (report(0, 0, 1, ALL_ZERO, status="Rejected"), "rrr"),
    "rejected, one error": (report(3, 0, 1, result(2), status="Rejected"), "uru"),
    "whole document, nothing done": (report(3, 0, 3, ALL_ZERO), "rrr"),
    "whole document, something done": (report(3, 1, 2, ALL_ZERO), "uuu"),
    "whole document, one own error": (report(3, 1, 2, ALL_ZERO, result(2)), "uru"),
    "whole document, no number": (report(3, None, 3, ALL_ZERO), "uuu"),
    "whole document while processing": (
        report(3, 0, 3, ALL_ZERO, status="Processing"),
        "uuu",
    ),
    "a result without a message": (
        report(3, 3, 0, "<Result><ResultCode>Error</ResultCode></Result>"),
        "uuu",
    ),
    "a kind of result that nobody knows": (
        report(3, 2, 1, result(2, code="Fatal")),
        "ara",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_message_gets_what_the_report_proves(case):
    data, expected = CASES[case]
    assert statuses(data) == expected


def test_the_words_of_an_error_are_kept_verbatim():
    text = "The requested refund amount &lt;b&gt; for Größe is not eligible"
    outcome = parse_report(report(1, 0, 1, result(1, text=text)), [1])[1]
    assert outcome.code == "18028"
    assert outcome.text == "The requested refund amount <b> for Größe is not eligible"


def test_all_errors_of_a_message_are_kept():
    results = [result(1, text="First."), result(1, text="Second.", number="2")]
    outcome = parse_report(report(1, 0, 1, *results), [1])[1]
    assert (outcome.code, outcome.text) == ("18028", "First.\nSecond.")


def test_the_words_of_a_warning_are_kept_with_the_acceptance():
    outcomes = parse_report(report(3, 3, 0, WARNING, warned=1), [1, 2, 3])
    assert (outcomes[2].status, outcomes[2].text) == ("accepted", "Careful.")
    assert outcomes[1].text == ""


def test_long_words_are_cut():
    outcome = parse_report(report(1, 0, 1, result(1, text="x" * 9000)), [1])[1]
    assert len(outcome.text) == 2000


def test_every_unknown_outcome_says_why():
    for data, expected in CASES.values():
        outcomes = parse_report(data, (1, 2, 3)).values()
        for outcome, letter in zip(outcomes, expected, strict=True):
            assert outcome.text or letter != "u"


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("fewer processed", "processed 2 of 3 messages"),
        ("processing", "status Processing"),
        ("whole document, something done", "XML is malformed"),
        ("no summary", "incomplete"),
        ("an error without its result", "do not add up"),
    ],
)
def test_the_reason_of_a_doubt_is_told(case, reason):
    assert reason in parse_report(CASES[case][0], (1, 2, 3))[1].text


UNREADABLE = {
    "empty": b"",
    "white space": b" \n",
    "html": b"<html><body>Service Unavailable</body></html>",
    "html that is no xml": b"<!DOCTYPE html><html><br></html>",
    "cut": report(3, 3, 0)[:-30],
    "text": b"Feed Processing Summary:\n\tNumber of records processed\t\t1\n",
    "json": b'{"header": {}}',
    "other envelope": b"<AmazonEnvelope><MessageType>X</MessageType></AmazonEnvelope>",
    "two reports": report(3, 3, 0).replace(
        b"</AmazonEnvelope>",
        b"<Message><ProcessingReport/></Message></AmazonEnvelope>",
    ),
    "null bytes": b"\0" * 100,
    "wrong encoding": report(1, 0, 1, result(1)).replace(b"Not", b"\xff\xfe"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_report_is_said_to_be_unreadable(kind):
    with pytest.raises(UnreadableReport):
        parse_report(UNREADABLE[kind], [1])


def _with_dtd(dtd, text):
    data = report(1, 0, 1, result(1, text=text)).decode()
    return data.replace("?><", f"?>{dtd}<", 1).encode()


def test_entities_and_dtds_are_refused_and_no_file_is_read(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("s3cr3t")
    for dtd in (
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>',
        '<!DOCTYPE x [<!ENTITY e "text">]>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY e "&a;&a;&a;&a;">]>',
        f'<!DOCTYPE x SYSTEM "file://{secret}">',
    ):
        with pytest.raises(UnreadableReport) as caught:
            parse_report(_with_dtd(dtd, "&e;" if "ENTITY" in dtd else "x"), [1])
        assert "s3cr3t" not in str(caught.value)


def test_a_dtd_on_the_network_is_not_asked_for(amazon):
    dtd = f'<!DOCTYPE x SYSTEM "{amazon.url}/x.dtd">'
    with pytest.raises(UnreadableReport):
        parse_report(_with_dtd(dtd, "x"), [1])
    assert not amazon.requests


def test_amazons_published_sample_is_an_acceptance():
    path = REPOSITORY.parent / "shared" / "samples" / "feeds" / "pr_success.xml"
    if not path.is_file():
        pytest.skip("Amazon's samples are not beside this repository (shared/samples)")
    assert statuses(path.read_bytes(), (1,)) == "a"


def test_a_report_in_latin1_is_read():
    data = report(1, 0, 1, result(1, text="Größe")).decode()
    data = data.replace("UTF-8", "ISO-8859-1").encode("latin-1")
    assert parse_report(data, [1])[1].text == "Größe"


numbers = st.none() | st.integers(0, 6)
results = st.lists(
    st.builds(
        result,
        st.integers(0, 4),
        st.sampled_from(["Error", "Warning"]),
        text=st.just("t"),
    ),
    max_size=4,
)


@seed(SEED)
@settings(max_examples=400, deadline=None, database=None)
@given(
    numbers,
    numbers,
    numbers,
    numbers,
    results,
    st.sampled_from(["Complete", "Rejected"]),
)
def test_no_report_calls_a_message_accepted_against_its_own_numbers(
    processed, good, bad, warned, rows, status
):
    data = report(processed, good, bad, *rows, status=status, warned=warned)
    outcomes = parse_report(data, (1, 2, 3))
    accepted = [key for key, value in outcomes.items() if value.status == "accepted"]
    rejected = [key for key, value in outcomes.items() if value.status == "rejected"]
    for key in accepted:
        assert status == "Complete" and processed >= 3
        assert result(key, "Error", text="t") not in rows
        assert result(0, "Error", text="t") not in rows
    if accepted:
        # With what counts as a warning, the summary covers all that we call accepted.
        assert len(accepted) <= good + (warned or 0)
        assert len(accepted) + len(rejected) == 3
    for key in rejected:
        own = result(key, "Error", text="t") in rows
        assert own or (result(0, "Error", text="t") in rows and good == 0)


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail_in_another_way(data):
    try:
        parse_report(data, [1])
    except UnreadableReport:
        pass


# === ERRORS THAT NAME AN ITEM === #


def about(message_id, info, code="Error", number="13057", text="No."):
    """One Result element with an AdditionalInfo."""
    return result(message_id, code, number, text).replace(
        "</Result>", f"<AdditionalInfo>{info}</AdditionalInfo></Result>"
    )


def named(*results, good=2, bad=1):
    """The items that the errors of message 2 name, as (number, SKU, code)."""
    outcome = parse_report(report(3, good, bad, *results), (1, 2, 3))[2]
    return [(e.order_item_id, e.sku, e.code) for e in outcome.item_errors]


ITEM = "<AmazonOrderItemCode>147645420375120</AmazonOrderItemCode>"


def test_error_that_names_an_item_tells_which():
    both = about(2, f"<SKU>NW-1</SKU><AmazonOrderID>305-1-1</AmazonOrderID>{ITEM}")
    assert named(both) == [("147645420375120", "NW-1", "13057")]
    assert named(about(2, "<SKU>NW-1</SKU>")) == [("", "NW-1", "13057")]


def test_each_error_of_a_message_names_its_own_item():
    errors = (about(2, ITEM), about(2, "<SKU>NW-1</SKU>", number="1", text="Why."))
    assert named(*errors) == [("147645420375120", "", "13057"), ("", "NW-1", "1")]
    outcome = parse_report(report(3, 2, 1, *errors), (2,))[2]
    assert outcome.text == "No.\nWhy."


@pytest.mark.parametrize(
    "errors",
    [
        [result(2)],
        [about(2, "<AmazonOrderID>305-1-1</AmazonOrderID>")],
        [about(2, "<AmazonOrderItemCode> </AmazonOrderItemCode>")],
        # one of them is about the message as a whole
        [about(2, ITEM), result(2)],
        # about others
        [about(1, ITEM), result(2)],
        [result(2), about(2, ITEM, code="Warning")],
    ],
)
def test_message_is_refused_as_a_whole_where_an_error_names_no_item(errors):
    assert named(*errors) == []


def test_document_error_and_warnings_name_no_item():
    whole = report(3, 0, 3, about(0, ITEM))
    outcome = parse_report(whole, (1,))[1]
    assert (outcome.status, outcome.item_errors) == ("rejected", ())
    warned = report(3, 3, 0, about(2, ITEM, code="Warning"), warned=1)
    outcome = parse_report(warned, (2,))[2]
    assert (outcome.status, outcome.item_errors) == ("accepted", ())


def test_item_of_an_error_that_the_summary_denies_is_not_told():
    outcome = parse_report(report(3, 3, 0, about(2, ITEM)), (2,))[2]
    assert (outcome.status, outcome.item_errors) == ("unknown", ())


def test_name_of_an_item_is_cut_to_a_length():
    long = about(2, f"<SKU>{'x' * 5000}</SKU>")
    ((_number, sku, _code),) = named(long)
    assert len(sku) == 100
