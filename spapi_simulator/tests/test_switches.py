"""What nobody knows of Amazon is a setting: here each of them, on and off."""

import pytest
from lxml import etree

from ..clock import parse_iso
from ..process import SimulatorFailed
from .amazon import (
    CANCEL,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    cancel,
    cut,
    refund,
)

FIVE_EUROS = refund(SHIPPED, SHIPPED_ITEM, Principal="5.00")
FIRST, SECOND = UNSHIPPED_ITEMS
SHOWN = 700  # seconds from the feed to the money in the finances, and some


@pytest.mark.parametrize(
    "settings",
    [
        {"lists_foreign_feeds": "yes"},
        {"reports_name_orders": 1},
        {"adjustment_ids_differ": None},
        {"posted_date_moves_seconds": -1},
        {"posted_date_moves_seconds": True},
        {"cut_units_keep_proceeds": 0},
        {"unshipped_refunds_wait": "no"},
    ],
)
def test_value_that_makes_no_sense_is_refused(simulator, settings):
    with pytest.raises(SimulatorFailed, match=f"{next(iter(settings))}: .* possible"):
        simulator.change(**settings)


# === REPORTS === #


def named(amazon, feed_id):
    """Return what the only error of a report names, {tag: text}."""
    data = amazon.download(amazon.feed(feed_id)["resultFeedDocumentId"])
    (row,) = etree.fromstring(data).iter("Result")
    return {child.tag: child.text for child in row.iterfind("AdditionalInfo/*")}


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("executed", [True, False])
def test_report_error_names_its_order(simulator, amazon, names, executed):
    simulator.change(reports_name_orders=names)
    simulator.fault("report_error", order_id=SHIPPED, executed=executed)
    feed_id = amazon.submit(REFUND, FIVE_EUROS)
    simulator.advance(60)
    assert named(amazon, feed_id) == ({"AmazonOrderID": SHIPPED} if names else {})


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize(
    ("feed_type", "payload", "expected"),
    [
        (
            REFUND,
            refund(SHIPPED, SHIPPED_ITEM, Principal="5000"),
            {"AmazonOrderID": SHIPPED, "AmazonOrderItemCode": SHIPPED_ITEM},
        ),
        (
            REFUND,
            refund(SHIPPED, FIRST, Principal="5"),
            {"AmazonOrderID": SHIPPED, "AmazonOrderItemCode": FIRST},
        ),
        (
            REFUND,
            refund("302-1111111-2222222", FIRST, Principal="5"),
            {"AmazonOrderID": "302-1111111-2222222"},
        ),
        (CANCEL, cancel(SHIPPED, SHIPPED_ITEM), {"AmazonOrderID": SHIPPED}),
        (
            CANCEL,
            cancel(UNSHIPPED, SHIPPED_ITEM),
            {"AmazonOrderID": UNSHIPPED, "AmazonOrderItemCode": SHIPPED_ITEM},
        ),
    ],
)
def test_refusal_names_its_order_and_the_item_that_it_is_about(
    simulator, amazon, names, feed_type, payload, expected
):
    simulator.change(reports_name_orders=names)
    feed_id = amazon.submit(feed_type, payload)
    simulator.advance(60)
    assert named(amazon, feed_id) == (expected if names else {})


# === FINANCES === #


def adjustments(amazon):
    """Return the adjustment id of the refund's item in both Finances APIs."""
    (event,) = amazon.events(SHIPPED, "RefundEventList")
    (transaction,) = refunds(amazon)
    (item,) = transaction["items"]
    return (
        event["ShipmentItemAdjustmentList"][0]["OrderAdjustmentItemId"],
        item["relatedIdentifiers"][0]["itemRelatedIdentifierValue"],
    )


def refunds(amazon, **query):
    """Return the order's refunds in listTransactions."""
    if not query:
        query = {
            "relatedIdentifierName": "ORDER_ID",
            "relatedIdentifierValue": SHIPPED,
        }
    rows = amazon.transactions(**query)
    return [row for row in rows if row["transactionType"] == "Refund"]


@pytest.mark.parametrize("differ", [True, False])
def test_ids_of_an_adjustment_differ_between_the_finances_or_not(
    simulator, amazon, run, differ
):
    simulator.change(adjustment_ids_differ=differ)
    run(REFUND, FIVE_EUROS)
    simulator.advance(SHOWN)
    old, new = adjustments(amazon)
    assert (old != new) == differ
    assert adjustments(amazon) == (old, new)


@pytest.fixture
def dates(amazon):
    """Read when the refund was posted: (old API, new API), aware datetimes."""

    def read():
        (event,) = amazon.events(SHIPPED, "RefundEventList")
        (transaction,) = refunds(amazon)
        return parse_iso(event["PostedDate"]), parse_iso(transaction["postedDate"])

    return read


@pytest.mark.parametrize("seconds", [0, 90])
def test_posted_date_moves_later_between_two_readings_and_once(
    simulator, run, dates, seconds
):
    simulator.change(posted_date_moves_seconds=seconds)
    run(REFUND, FIVE_EUROS)
    simulator.advance(SHOWN)
    first, second, third = dates(), dates(), dates()
    assert first[0] == first[1]
    assert second[0] == second[1]
    assert (second[0] - first[0]).total_seconds() == seconds
    assert third == second


def test_moved_date_is_the_one_that_ranges_go_by(simulator, amazon, run, dates):
    simulator.change(posted_date_moves_seconds=300)
    run(REFUND, FIVE_EUROS)
    simulator.advance(SHOWN)
    posted, _ = dates()
    after = posted.replace(microsecond=0).isoformat()
    found = [refunds(amazon, postedAfter=after), refunds(amazon, postedAfter=after)]
    assert [len(rows) for rows in found] == [1, 1]
    (row,) = found[1]
    assert (parse_iso(row["postedDate"]) - posted).total_seconds() == 300


def test_posted_date_never_moves_into_the_future(simulator, run, dates):
    simulator.change(posted_date_moves_seconds=1500)
    run(REFUND, FIVE_EUROS)
    simulator.advance(SHOWN)
    first = dates()
    assert dates() == first
    simulator.advance(1000)
    assert (dates()[0] - first[0]).total_seconds() == 1500


def test_dates_of_shipments_do_not_move(simulator, amazon):
    simulator.change(posted_date_moves_seconds=90)
    dates = {
        amazon.events(SHIPPED, "ShipmentEventList")[0]["PostedDate"] for _ in "abc"
    }
    assert len(dates) == 1


# === CUT UNITS === #


def proceeds(order):
    """Return the total of the order, and those of its items."""
    return order["proceeds"]["grandTotal"]["amount"], [
        item["proceeds"]["proceedsTotal"]["amount"] for item in order["orderItems"]
    ]


@pytest.mark.parametrize("keep", [True, False])
def test_cut_units_lower_the_proceeds_or_not(simulator, amazon, run, keep):
    simulator.change(cut_units_keep_proceeds=keep)
    before = amazon.order(UNSHIPPED)
    run(REFUND, cut(UNSHIPPED, {SECOND: 1}))
    after = amazon.order(UNSHIPPED)
    assert after["orderItems"][1]["quantityOrdered"] == 1
    assert (proceeds(after) == proceeds(before)) == keep
    assert proceeds(before) == ("80.88", ["54.90", "25.98"])
    run(REFUND, cut(UNSHIPPED, {SECOND: 1}))
    after = amazon.order(UNSHIPPED)
    assert after["orderItems"][1]["quantityOrdered"] == 0
    assert proceeds(after) == (
        ("80.88", ["54.90", "25.98"]) if keep else ("54.90", ["54.90", "0.00"])
    )


def test_buyer_is_not_charged_for_cut_units_that_the_proceeds_show(
    simulator, amazon, run
):
    simulator.change(cut_units_keep_proceeds=True)
    run(REFUND, cut(UNSHIPPED, {SECOND: 1}))
    assert amazon.confirm(UNSHIPPED, {FIRST: 1, SECOND: 1}).status_code == 204
    (row,) = simulator.ledger()["shipments"]
    assert row["amount"] == "67.89"


# === REFUNDS OF UNSHIPPED ORDERS === #

EARLY = refund(UNSHIPPED, FIRST, Principal="5.00")


@pytest.fixture
def waiting(simulator):
    """Read the states of the refunds that wait or waited."""
    return lambda: [row["state"] for row in simulator.ledger()["waiting_refunds"]]


def test_refund_of_an_unshipped_order_is_an_error_at_first(simulator, run, waiting):
    processed, results = run(REFUND, EARLY)
    assert (processed, list(results)) == (1, [1])
    simulator.happen(UNSHIPPED, "ship")
    assert simulator.ledger()["refunds"] == []
    assert waiting() == []


def test_refund_of_an_unshipped_order_waits_until_it_is_shipped(
    simulator, amazon, run, waiting
):
    simulator.change(unshipped_refunds_wait=True)
    assert run(REFUND, EARLY) == (1, {})
    simulator.advance(SHOWN)
    assert simulator.ledger()["refunds"] == []
    assert amazon.events(UNSHIPPED, "RefundEventList") == []
    assert waiting() == ["waiting"]
    simulator.happen(UNSHIPPED, "ship")
    (row,) = simulator.ledger()["refunds"]
    assert (row["order_item_id"], row["amount"]) == (FIRST, "5.00")
    assert waiting() == ["executed"]
    simulator.advance(SHOWN)
    (event,) = amazon.events(UNSHIPPED, "RefundEventList")
    posted, done = parse_iso(event["PostedDate"]), parse_iso(row["executed_at"])
    assert abs((posted - done).total_seconds()) < 1
    assert len(simulator.ledger()["refunds"]) == 1


def test_refund_waits_for_its_own_items(simulator, amazon, run, waiting):
    simulator.change(unshipped_refunds_wait=True)
    run(REFUND, EARLY)
    assert amazon.confirm(UNSHIPPED, {SECOND: 1}).status_code == 204
    assert waiting() == ["waiting"]
    assert amazon.confirm(UNSHIPPED, {FIRST: 1}, reference="2").status_code == 204
    assert waiting() == ["executed"]


def test_refund_of_an_order_that_is_cancelled_is_dropped(simulator, run, waiting):
    simulator.change(unshipped_refunds_wait=True)
    run(REFUND, EARLY)
    simulator.happen(UNSHIPPED, "cancel")
    assert waiting() == ["dropped"]
    assert simulator.ledger()["refunds"] == []


def test_waiting_refund_above_what_was_charged_comes_to_nothing(
    simulator, run, waiting
):
    simulator.change(unshipped_refunds_wait=True)
    assert run(REFUND, refund(UNSHIPPED, FIRST, Principal="500")) == (1, {})
    simulator.happen(UNSHIPPED, "ship")
    assert waiting() == ["refused"]
    assert simulator.ledger()["refunds"] == []


def test_refund_of_an_unknown_item_does_not_wait(simulator, run, waiting):
    simulator.change(unshipped_refunds_wait=True)
    processed, results = run(REFUND, refund(UNSHIPPED, SHIPPED_ITEM, Principal="5"))
    assert (processed, list(results)) == (1, [1])
    assert waiting() == []


def test_refund_of_a_shipped_order_does_not_wait(simulator, run, waiting):
    simulator.change(unshipped_refunds_wait=True)
    run(REFUND, FIVE_EUROS)
    assert len(simulator.ledger()["refunds"]) == 1
    assert waiting() == []
