"""An error in the report that names one item of a message: the fault `item_error`."""

import pytest
from lxml import etree

from ..process import SimulatorFailed
from .amazon import (
    CANCEL,
    REFUND,
    SHIPPED,
    SHIPPED_ITEM,
    UNSHIPPED,
    UNSHIPPED_ITEMS,
    adjustment,
    cancel,
    components,
    cut,
    refund,
)

SEVERAL = "305-2260917-9913547"
FIRST, SECOND = "147645420375120", "147645420375121"
ONE_EURO = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")


def one_euro_each(order_id, *item_ids):
    """Return the payload that refunds one euro of each item."""
    return adjustment(
        order_id,
        *(
            f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
            "<AdjustmentReason>CustomerReturn</AdjustmentReason>"
            f"<ItemPriceAdjustments>{components(Principal='1')}</ItemPriceAdjustments>"
            for item_id in item_ids
        ),
    )


TWO_ITEMS = one_euro_each(SEVERAL, FIRST, SECOND)


@pytest.fixture
def report(simulator, amazon):
    """Submit refunds, process them, return (processed, {message id: (code, text)})
    and what each result names, [{tag: text}]."""

    def submit(*messages, feed_type=REFUND):
        feed_id = amazon.submit(feed_type, *messages)
        simulator.advance(60)
        data = amazon.download(amazon.feed(feed_id)["resultFeedDocumentId"])
        names = [
            {child.tag: child.text for child in row.iterfind("AdditionalInfo/*")}
            for row in etree.fromstring(data).iter("Result")
        ]
        return amazon.report(feed_id), names

    return submit


@pytest.mark.parametrize("others_executed", [True, False])
def test_error_of_one_item_names_it_and_the_others_are_done_or_not(
    simulator, amazon, report, others_executed
):
    simulator.fault(
        "item_error",
        order_id=SEVERAL,
        others_executed=others_executed,
        code="13057",
        text="Not this one",
    )
    told, (named,) = report(TWO_ITEMS, ONE_EURO)
    assert told == (2, {1: ("13057", "Not this one")})
    sku = amazon.order(SEVERAL)["orderItems"][0]["product"]["sellerSku"]
    # in the order of Amazon's schema
    assert list(named.items()) == [
        ("SKU", sku),
        ("AmazonOrderID", SEVERAL),
        ("AmazonOrderItemCode", FIRST),
    ]
    done = {row["order_item_id"] for row in simulator.ledger()["refunds"]}
    assert done == {SHIPPED_ITEM} | ({SECOND} if others_executed else set())


def test_error_of_an_item_may_name_any_item_of_the_message(simulator, report):
    simulator.fault(
        "item_error", order_id=SEVERAL, order_item_id=SECOND, others_executed=True
    )
    _, (named,) = report(TWO_ITEMS)
    assert named["AmazonOrderItemCode"] == SECOND
    (row,) = simulator.ledger()["refunds"]
    assert row["order_item_id"] == FIRST


def test_error_of_an_item_waits_for_a_message_that_has_the_item(simulator, report):
    simulator.fault(
        "item_error", order_id=SEVERAL, order_item_id=SECOND, others_executed=True
    )
    other = refund(SEVERAL, FIRST, Principal="1.00")
    assert report(other) == ((1, {}), [])
    assert list(report(TWO_ITEMS)[0][1]) == [1]


def test_error_of_an_item_names_it_where_other_errors_name_nothing(simulator, report):
    simulator.change(reports_name_orders=False)
    simulator.fault("item_error", order_id=SHIPPED, others_executed=False)
    _, (named,) = report(ONE_EURO)
    assert set(named) == {"SKU", "AmazonOrderID", "AmazonOrderItemCode"}


def test_error_of_the_only_item_leaves_nothing_to_do(simulator, report):
    simulator.fault("item_error", order_id=SHIPPED, others_executed=True)
    assert list(report(ONE_EURO)[0][1]) == [1]
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize("others_executed", [True, False])
def test_cancellation_with_an_error_of_one_item_leaves_the_item_open(
    simulator, amazon, report, others_executed
):
    simulator.fault("item_error", order_id=UNSHIPPED, others_executed=others_executed)
    told, _ = report(cancel(UNSHIPPED, *UNSHIPPED_ITEMS), feed_type=CANCEL)
    assert list(told[1]) == [1]
    ledger = simulator.ledger()
    assert ledger["cancellations"] == []
    cut = {row["order_item_id"]: row for row in ledger["quantity_cancellations"]}
    assert set(cut) == ({UNSHIPPED_ITEMS[1]} if others_executed else set())
    order = amazon.order(UNSHIPPED)
    assert order["fulfillment"]["fulfillmentStatus"] == "UNSHIPPED"
    left = [row["fulfillment"]["quantityUnfulfilled"] for row in order["orderItems"]]
    assert left[0] and bool(left[1]) != others_executed


def test_cut_with_an_error_of_one_item_takes_the_others(simulator, report):
    simulator.fault("item_error", order_id=UNSHIPPED, others_executed=True)
    payload = cut(UNSHIPPED, dict.fromkeys(UNSHIPPED_ITEMS, 1))
    report(payload)
    (row,) = simulator.ledger()["quantity_cancellations"]
    assert row["order_item_id"] == UNSHIPPED_ITEMS[1]


def test_others_that_amazon_would_refuse_are_refused_too(simulator, report):
    simulator.fault("item_error", order_id=SHIPPED, others_executed=True)
    lost = "147645420379999"
    _, named = report(one_euro_each(SHIPPED, SHIPPED_ITEM, lost))
    assert [row["AmazonOrderItemCode"] for row in named] == [SHIPPED_ITEM, lost]
    assert simulator.ledger()["refunds"] == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"others_executed": True}, "order_id"),
        ({"order_id": SHIPPED}, "others_executed"),
        ({"order_id": SHIPPED, "others_executed": "no"}, "true or false"),
        ({"order_id": SHIPPED, "others_executed": True, "item": FIRST}, "item"),
    ],
)
def test_error_of_an_item_that_makes_no_sense_is_refused(simulator, options, words):
    with pytest.raises(SimulatorFailed, match=words):
        simulator.fault("item_error", **options)
