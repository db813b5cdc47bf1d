"""What is fuzzed: how inputs are made, and what must hold of what comes out."""

import gzip
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from dev.settings import STRICT_LAYER

# As the strict layer's own tests do: importing the addon would import Odoo.
sys.path.append(str(STRICT_LAYER))

from spapi.errors import MalformedAnswer, SpApiError, UnreadableReport  # noqa: E402
from spapi.finances import parse_events  # noqa: E402
from spapi.fulfillment import parse_fulfillment_order  # noqa: E402
from spapi.operations import OPERATIONS  # noqa: E402
from spapi.orders import parse_order  # noqa: E402
from spapi.packed import Damaged, TooBig, unpack  # noqa: E402
from spapi.redact import redact  # noqa: E402
from spapi.reports import ACCEPTED, REJECTED, UNKNOWN, parse_report  # noqa: E402
from spapi.strict_json import loads  # noqa: E402
from spapi.transactions import parse_transactions  # noqa: E402
from spapi.transport import MAX_MESSAGE, _failure, _Raw  # noqa: E402

from fuzzing import samples  # noqa: E402
from fuzzing.strategies import any_json, bytes_of, damaged, mutated  # noqa: E402

#: Seconds that one input may take; all of them are small.
SECONDS = 2.0

IDS = (1, 2, 3)


@dataclass(frozen=True)
class Target:
    """Something that reads what comes from outside.

    :param str name: as `make fuzz` prints it
    :param inputs: strategy of the inputs
    :param check: takes one input; raises where something does not hold
    """

    name: str
    inputs: st.SearchStrategy
    check: Callable

    def run(self, given):
        """Check one input, its time included."""
        started = time.thread_time()
        self.check(given)
        seconds = time.thread_time() - started
        assert seconds < SECONDS, f"took {seconds:.1f} s"


def _json(content):
    """Return what a body says, None where it is refused."""
    try:
        value = loads(content)
    except ValueError:
        return None
    return value


def _all_money(node):
    """Return the sum of all that could be an amount in a document, without its sign:
    no reading of it can have more."""
    if isinstance(node, dict):
        return sum(map(_all_money, node.values()), Decimal(0))
    if isinstance(node, list):
        return sum(map(_all_money, node), Decimal(0))
    if not isinstance(node, int | float | str) or node != node or len(str(node)) > 40:
        return Decimal(0)
    try:
        number = abs(Decimal(str(node)))
        return number if number < 10**13 else Decimal(0)
    except ArithmeticError:
        # no number, or one that Decimal itself cannot bear
        return Decimal(0)


def _check_money(amounts, said):
    assert all(isinstance(a, Decimal) and a.is_finite() for a in amounts)
    # A rounding of the 28th digit is none of a cent.
    assert sum(map(abs, amounts), Decimal(0)) <= _all_money(said) + Decimal("0.0001")


def _check_texts(reading, said):
    """Every text can be kept, by a database, in UTF-8, in XML, and little that was said
    does not become much."""
    text = repr(reading)
    text.encode()
    assert "\\x00" not in text and "\\ud8" not in text
    assert len(text) < 10_000 + 10 * len(repr(said)), "little became much"


def check_json(content):
    value = _json(content)
    if value is not None:
        json.dumps(value, allow_nan=False)
        assert loads(json.dumps(value, ensure_ascii=True).encode()) == value


def check_order(content):
    said = _json(content)
    if not isinstance(said, dict):
        return
    try:
        order = parse_order(said)
    except MalformedAnswer as error:
        assert len(str(error)) < 1000
        return
    _check_texts(order, said)
    for line in order.lines:
        assert 0 <= line.quantity_fulfilled and 0 <= line.quantity_ordered < 2**31
        assert all(amount > 0 for amount in line.charges.values())
        _check_money(line.charges.values(), said)


def check_events(content):
    said = _json(content)
    if not isinstance(said, dict):
        return
    for gross in (True, False):
        try:
            reading = parse_events(said, samples.ORDER_ID, gross)
        except MalformedAnswer as error:
            assert len(str(error)) < 1000
            return
        _check_texts(reading, said)
        _check_money([refund.amount for refund in reading.refunds], said)


def check_transactions(content):
    said = _json(content)
    if not isinstance(said, list):
        return
    try:
        rows = list(parse_transactions(said))
    except MalformedAnswer:
        assert not all(isinstance(row, dict) for row in said)
        return
    assert len(rows) == len(said)
    for row, of_row in zip(rows, said, strict=True):
        _check_texts(row, of_row)
        _check_money([refund.amount for refund in row.refunds], of_row)
        assert row.is_readable or not row.refunds


def check_fulfillment(content):
    said = _json(content)
    if not isinstance(said, dict):
        return
    try:
        order = parse_fulfillment_order(said)
    except MalformedAnswer as error:
        assert len(str(error)) < 1000
        return
    _check_texts(order.items, said)
    assert all(0 <= item.quantity < 2**31 for item in order.items)


def check_report(data):
    try:
        outcomes = parse_report(data, IDS)
    except UnreadableReport as error:
        assert 0 < len(str(error)) < 300
        return
    assert list(outcomes) == list(IDS)
    for outcome in outcomes.values():
        assert outcome.status in (ACCEPTED, REJECTED, UNKNOWN)
        assert len(outcome.text) <= 2000
        outcome.text.encode()
    if b"AmazonEnvelope" not in data:
        raise AssertionError("an outcome out of nothing")


def check_report_truth(drawn):
    """Against the report as it was drawn: accepted is only what nothing speaks of."""
    numbers, results = drawn
    names = "Processed Successful WithError WithWarning".split()
    summary = "".join(
        f"<Messages{name}>{number}</Messages{name}>"
        for name, number in zip(names, numbers, strict=True)
    )
    listed = "".join(
        f"<Result><MessageID>{about}</MessageID><ResultCode>{code}</ResultCode>"
        "<ResultDescription>x</ResultDescription></Result>"
        for about, code in results
    )
    head, _, tail = samples.REPORT.partition(b"<MessagesProcessed>")
    tail = tail.partition(b"</ProcessingReport>")[2]
    data = f"{summary}</ProcessingSummary>{listed}</ProcessingReport>".encode()
    outcomes = parse_report(head + data + tail, IDS)
    failed = {about for about, code in results if code != "Warning"}
    for message_id, outcome in outcomes.items():
        if outcome.status == ACCEPTED:
            assert message_id not in failed and 0 not in failed
            assert numbers[0] >= len(IDS)
        if outcome.status == REJECTED:
            assert failed & {message_id, 0}


def check_packed(packed):
    limit = 10_000
    try:
        plain = unpack(packed, limit)
    except (Damaged, TooBig):
        return
    assert len(plain) <= limit
    assert not packed or plain == gzip.decompress(packed)


def check_error(drawn):
    status, content, headers = drawn
    operation = OPERATIONS["createFeed"]
    error = _failure(operation, _Raw(status, headers, content))
    assert isinstance(error, SpApiError)
    assert len(str(error)) < 3 * MAX_MESSAGE
    str(error).encode()


def check_redact(text):
    secret = "Atza|" + "s3cr3t" * 3
    assert "s3cr3t" not in redact(f"{text} {secret} {text}")
    signed = redact(f"{text} https://x/y?a=b&X-Amz-Signature=s3cr3t {text}")
    assert "s3cr3t" not in signed


_sample_json = st.one_of(
    bytes_of(
        st.sampled_from(
            [samples.ORDER, samples.EVENTS, samples.TRANSACTIONS, samples.ERROR]
        )
    ),
    bytes_of(any_json),
    st.binary(max_size=200),
)
_packings = st.one_of(
    st.binary(max_size=300),
    st.lists(st.binary(max_size=2000), min_size=1, max_size=4).flatmap(
        lambda parts: st.one_of(
            st.just(b"".join(map(gzip.compress, parts))),
            damaged(b"".join(map(gzip.compress, parts))),
        )
    ),
    st.integers(0, 10**6).map(lambda size: gzip.compress(b"\0" * size)),
)
_texts = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from(
            "? & = Atza| https:// x-amz- signature= client_secret : \" ' \\".split()
        ),
        max_size=300,
    ).map("".join),
)

TARGETS = (
    Target("json", _sample_json, check_json),
    Target("order", bytes_of(mutated(samples.ORDER)), check_order),
    Target("finances", bytes_of(mutated(samples.EVENTS)), check_events),
    Target("transactions", bytes_of(mutated(samples.TRANSACTIONS)), check_transactions),
    Target("fulfillment", bytes_of(mutated(samples.FULFILLMENT)), check_fulfillment),
    Target(
        "report",
        st.one_of(damaged(samples.REPORT), st.binary(max_size=200)),
        check_report,
    ),
    Target(
        "report's truth",
        st.tuples(
            st.tuples(*[st.integers(0, 5)] * 4),
            st.lists(
                st.tuples(
                    st.integers(0, 5), st.sampled_from(["Error", "Warning", "?"])
                ),
                max_size=4,
            ),
        ),
        check_report_truth,
    ),
    Target("packed document", _packings, check_packed),
    Target(
        "error",
        st.tuples(
            st.integers(300, 599),
            st.one_of(_sample_json, bytes_of(mutated(samples.ERROR))),
            st.dictionaries(
                st.sampled_from(["x-amzn-requestid", "x-amzn-ratelimit-limit"]),
                st.text(max_size=200),
            ),
        ),
        check_error,
    ),
    Target("secrets in texts", _texts, check_redact),
)
