"""Cut a feed, or Amazon's report of it, to the messages of one order.

An envelope carries the orders of many buyers. Whoever is shown what was sent for one of
them must not learn of the others.
"""

import io
import re

from lxml import etree

from .errors import UnreadableReport
from .reports import check_harmless

# As in `envelopes`: Amazon's number of an order, wherever it stands in a text.
_ORDER_REF = re.compile(r"(?<![\w-])[0-9A-Z][0-9]{2}-[0-9]{7}-[0-9]{7}(?![\w-])")
#: Stands where Amazon's words named another order.
OTHER_ORDER = "[another order]"
#: Stands where Amazon's words were about a whole feed that held other orders.
WHOLE_FEED = "[left out: said of the whole feed, which held other orders, too]"
# What is kept of a result about such a feed: it can hold nothing of an order.
_NAMELESS = ("ResultCode", "ResultMessageCode")


def cut_envelope(data, order_ref, message_ids):
    """Return a feed with the messages of one order only.

    :param bytes data: the feed as it was sent
    :param str order_ref: Amazon's number of the order
    :param message_ids: numbers of the messages of this order
    :return: the feed, byte by byte as it was sent where it holds nothing else; and how
        many messages were left out
    :rtype: tuple[bytes, int]
    :raises UnreadableReport: it is no envelope
    """
    kept = set(message_ids)
    return _cut(
        data,
        order_ref,
        "Message",
        lambda node: (
            _number(node) in kept
            and {ref.text for ref in node.iter("AmazonOrderID")} <= {order_ref}
        ),
    )


def cut_report(data, order_ref, message_ids, is_shared=True):
    """Return a processing report with the results of one order, and those of the whole
    document, only.

    Of a result that names no message, sort and code are kept; its words may tell of any
    order that was in the feed.

    :param bytes data: the report as Amazon gave it
    :param str order_ref: Amazon's number of the order
    :param message_ids: numbers of the messages of this order
    :param bool is_shared: whether other orders were in the feed
    :return: as for `cut_envelope`, with the number of results that were left out
    :rtype: tuple[bytes, int]
    :raises UnreadableReport: it is no report
    """
    own = set(message_ids)
    return _cut(
        data,
        order_ref,
        "Result",
        lambda node: _number(node) in {*own, 0, None},
        lambda node: is_shared and _number(node) not in own and _strip(node),
    )


def mask_orders(text, order_ref):
    """Return a text of Amazon's without the numbers of other orders.

    :param str text: what Amazon said
    :param str order_ref: Amazon's number of the order that may be named
    """
    return _ORDER_REF.sub(
        lambda match: match[0] if match[0] == order_ref else OTHER_ORDER, text
    )


def _cut(data, order_ref, tag, is_kept, trim=lambda node: False):
    check_harmless(data)
    parser = etree.iterparse(
        io.BytesIO(data),
        events=("end",),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
    )
    left_out, is_masked = 0, False
    try:
        for _event, node in parser:
            if node.tag != tag or node.getparent() is None:
                continue
            # a report stands inside the one message of its envelope
            if is_kept(node):
                is_masked |= trim(node)
                is_masked |= _mask(node, order_ref)
            else:
                left_out += 1
                node.getparent().remove(node)
    except etree.XMLSyntaxError as error:
        raise UnreadableReport("The document is no XML.") from error
    root = parser.root
    if root is None or root.tag != "AmazonEnvelope":
        raise UnreadableReport("The document is no envelope of Amazon.")
    if not left_out and not is_masked:
        return data, 0
    root.insert(0, etree.Comment(" Excerpt: what concerns other orders is left out. "))
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), left_out


def _strip(node):
    """Leave nothing in a result that may tell of an order, and return True."""
    for part in list(node):
        if part.tag == "ResultDescription":
            part.clear(keep_tail=True)
            part.text = WHOLE_FEED
        elif part.tag not in _NAMELESS or len(part):
            node.remove(part)
        else:
            part.attrib.clear()
            part.tail = None
    node.attrib.clear()
    node.text = None
    return True


def _mask(node, order_ref):
    """Take the numbers of other orders out of the texts of an element."""
    is_masked = False
    for part in node.iter():
        for name in ("text", "tail"):
            text = getattr(part, name)
            masked = text and mask_orders(text, order_ref)
            if masked != text:
                setattr(part, name, masked)
                is_masked = True
    return is_masked


def _number(node):
    """Return the number of the message that an element is, or is about."""
    text = (node.findtext("MessageID") or "").strip()
    return int(text) if text.isascii() and text.isdigit() else None
