"""What it costs to write an envelope of 10,000 refunds.

Messages a second of the addon's writer, which checks each message, against lxml alone
writing the same bytes in the fastest way that was found: the tree of each message,
``etree.tostring``, ``write``. The two take turns in one process. And how much more
memory a process of its own needs at the peak of writing one than before it (VmHWM and
VmRSS of Linux). Messages come from a generator.

The limit: lxml's own speed. No step of it waits for anything.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from lxml import etree
from spapi.envelopes import (
    RefundItem,
    RefundMessage,
    write_order_adjustment,
)

from . import measure

MESSAGES = 10_000
ROUNDS = 7
SELLER = "ADEMOSELLER01"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: Above what 10,000 messages take: the limit is not what is measured here.
MAX_BYTES = 100 * 2**20


def run(_office) -> None:
    """Print speed and memory."""
    count = measure.amount(MESSAGES)
    ours, alone = [], []
    measure.interleaved(
        measure.amount(ROUNDS),
        lambda _number: ours.append(_seconds(write, count)),
        lambda _number: alone.append(_seconds(write_alone, count)),
    )
    if written(write, count) != written(write_alone, count):
        raise AssertionError("The two do not write the same bytes.")
    speeds = [count / measure.median(values) for values in (ours, alone)]
    measure.report(
        "envelope.speed",
        speeds[0],
        "messages/s",
        baseline=speeds[1],
        n=len(ours),
        goal="at least 0.5 of lxml alone",
        met=speeds[0] >= speeds[1] / 2,
        messages=count,
        bytes=len(written(write, count)),
    )
    grown = memory(count)
    measure.report(
        "envelope.memory",
        grown,
        "MB",
        n=1,
        goal="under 50 MB",
        met=grown < 50,
        messages=count,
    )


def messages(count: int) -> Iterator[RefundMessage]:
    """Yield refunds of one item with two components, as most refunds are."""
    for number in range(1, count + 1):
        item = RefundItem(
            f"{147645420374961 + number}",
            f"AMZ-{number:06d}-1",
            "CustomerReturn",
            (("Principal", Decimal("39.95")), ("Shipping", Decimal("4.99"))),
        )
        yield RefundMessage(number, f"302-4481516-{number:07d}", "EUR", (item,))


def write(file, count: int) -> None:
    """Write the envelope with the addon's writer."""
    done = write_order_adjustment(file, SELLER, messages(count), MAX_BYTES)
    if done != count:
        raise AssertionError(f"Only {done} messages were written.")


def write_alone(file, count: int) -> None:
    """Write the same bytes with lxml alone: nothing is checked."""
    root = etree.Element("AmazonEnvelope", nsmap={"xsi": XSI})
    root.set(f"{{{XSI}}}noNamespaceSchemaLocation", "amzn-envelope.xsd")
    header = etree.SubElement(root, "Header")
    etree.SubElement(header, "DocumentVersion").text = "1.01"
    etree.SubElement(header, "MerchantIdentifier").text = SELLER
    etree.SubElement(root, "MessageType").text = "OrderAdjustment"
    head = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    tail = b"</AmazonEnvelope>"
    file.write(head.removesuffix(tail))
    for message in messages(count):
        file.write(etree.tostring(_element(message), encoding="UTF-8"))
    file.write(tail)


def _element(message: RefundMessage):
    root = etree.Element("Message")
    etree.SubElement(root, "MessageID").text = str(message.message_id)
    order = etree.SubElement(root, "OrderAdjustment")
    etree.SubElement(order, "AmazonOrderID").text = message.amazon_order_id
    etree.SubElement(order, "ActionType").text = "Refund"
    for item in message.items:
        node = etree.SubElement(order, "AdjustedItem")
        etree.SubElement(node, "AmazonOrderItemCode").text = item.order_item_id
        adjustment_id = etree.SubElement(node, "MerchantAdjustmentItemID")
        adjustment_id.text = item.merchant_adjustment_item_id
        etree.SubElement(node, "AdjustmentReason").text = item.reason
        prices = etree.SubElement(node, "ItemPriceAdjustments")
        for name, value in item.components:
            component = etree.SubElement(prices, "Component")
            etree.SubElement(component, "Type").text = name
            text = etree.SubElement(component, "Amount", currency=message.currency)
            text.text = f"{value:.2f}"
    return root


def written(writer, count: int) -> bytes:
    """Return what a writer writes."""
    file = io.BytesIO()
    writer(file, count)
    return file.getvalue()


def _seconds(writer, count: int) -> float:
    with tempfile.TemporaryFile() as file:
        started = time.perf_counter()
        writer(file, count)
        return time.perf_counter() - started


def memory(count: int) -> float:
    """Return by how many MB a process grows that writes one envelope into a file."""
    command = [sys.executable, "-m", __name__, str(count)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)


def _grow(count: int) -> None:
    """Print it. One message comes first: the modules it needs are no growth."""
    with tempfile.TemporaryFile() as file:
        write(file, 1)
    # proc(5): resets the peak to what is used now
    Path("/proc/self/clear_refs").write_text("5")
    before = _kilobytes("VmRSS")
    with tempfile.TemporaryFile() as file:
        write(file, count)
    print(json.dumps((_kilobytes("VmHWM") - before) / 1024))


def _kilobytes(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1])


if __name__ == "__main__":
    _grow(int(sys.argv[1]))
