"""Read the processing report of a feed: what became of each message.

Structure: Amazon's feed schemas, release 4.1 (ProcessingReport). A success leaves no
trace of its own in a report, only a number in its summary; so a message counts as
accepted only when everything else in the report agrees.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from lxml import etree

from .errors import UnreadableReport
from .redact import redact
from .texts import fit

ACCEPTED, REJECTED, UNKNOWN = "accepted", "rejected", "unknown"

MAX_TEXT = 2000  # characters of Amazon's text that are kept
MAX_CODE = 50  # characters of a ResultMessageCode; Amazon's have up to 6 digits
MAX_NAME = 100  # characters of an item's number or SKU; the schema allows up to 40
MAX_ORDER_ID = 50  # characters of an order number; Amazon's have 19
MAX_NUMBER = 9  # digits of a number; a feed has some thousand messages

#: Marks of elements in a report: each costs far more memory than its bytes. A feed of
#: 10 MiB has 20,000 messages, and a result some 14 marks.
MAX_MARKS = 1_000_000

#: Character sets of a report, all with ASCII as it is, so that a DTD can be seen before
#: anything is parsed. UTF-8 is what Amazon writes.
CHARSETS = (b"utf-8", b"us-ascii", b"iso-8859-1", b"windows-1252")
_DECLARED = re.compile(
    rb"""^<\?xml[^>]{0,200}\sencoding\s*=\s*["']([^"'<>]{1,40})["']"""
)
_WHOLE_DOCUMENT = 0  # MessageID of a result that is about no single message


@dataclass(frozen=True)
class ItemError:
    """An error that names the item it is about (AdditionalInfo of a Result).

    :param str order_item_id: Amazon's AmazonOrderItemCode, empty when there is none
    :param str sku: empty when there is none; one of both is there
    :param code: Amazon's ResultMessageCode, None when there is none
    :param str text: Amazon's words
    """

    order_item_id: str
    sku: str
    code: str | None
    text: str


@dataclass(frozen=True)
class MessageOutcome:
    """What a report says of one message.

    :param str status: ``accepted``, ``rejected`` or ``unknown``
    :param code: Amazon's ResultMessageCode, None when there is none
    :param str text: Amazon's words verbatim (of an error, or of warnings), cut to
        `MAX_TEXT`; for ``unknown`` without such, a sentence of ours; else empty
    :param tuple item_errors: `ItemError` rows of a rejected message, where each of its
        errors names an item. What Amazon did with the other items of the message is
        then not known. Empty: the errors are about the message as a whole.
    """

    status: str
    code: str | None = None
    text: str = ""
    item_errors: tuple = ()


@dataclass(frozen=True)
class _Result:
    message_id: int
    is_error: bool
    code: str | None
    text: str
    order_item_id: str = ""
    sku: str = ""


@dataclass(frozen=True)
class _Report:
    status_code: str
    processed: int | None
    successful: int | None
    with_error: int | None
    with_warning: int | None
    results: tuple

    def errors_of(self, message_id):
        """Return the errors for one message."""
        return [r for r in self._by_message.get(message_id, ()) if r.is_error]

    def warnings_of(self, message_id):
        """Return the warnings for one message and for the whole document."""
        told = dict.fromkeys((message_id, _WHOLE_DOCUMENT))
        return [
            result
            for about in told
            for result in self._by_message.get(about, ())
            if not result.is_error
        ]

    @cached_property
    def _by_message(self):
        # Asked for each message of a feed, which has thousands.
        by_message = {}
        for result in self.results:
            by_message.setdefault(result.message_id, []).append(result)
        return by_message

    @cached_property
    def failed_ids(self):
        """Return the ids of all messages with an error of their own."""
        return {result.message_id for result in self.results if result.is_error} - {
            _WHOLE_DOCUMENT
        }


def parse_report(data, message_ids):
    """Tell what became of each message of a feed.

    :param bytes data: the document, unpacked
    :param message_ids: ids of all messages of the feed
    :return: `MessageOutcome` for each of `message_ids`
    :rtype: dict
    :raises UnreadableReport: no processing report; nothing is known from it
    """
    message_ids = tuple(message_ids)
    report = _read(data)
    doubt = _doubt(report, set(message_ids))
    return {
        message_id: _outcome(report, message_id, doubt) for message_id in message_ids
    }


def count_processed(data):
    """Tell how many messages a report says were processed.

    :param bytes data: the document, unpacked
    :rtype: int | None
    :raises UnreadableReport: no processing report; nothing is known from it
    """
    return _read(data).processed


def named_orders(data):
    """Tell which orders a report names, in its errors and warnings.

    A report names the order of a message that it complains about
    (``AdditionalInfo/AmazonOrderID``); of a success it says nothing.

    :param bytes data: the document, unpacked
    :return: the order numbers by message id; 0 is the whole document
    :rtype: dict[int, set[str]]
    :raises UnreadableReport: no processing report; nothing is known from it
    """
    named = {}
    for node in _processing_report(data).findall("Result"):
        order_id = _text(node, "AdditionalInfo/AmazonOrderID")
        if order_id:
            message_id = _number(node, "MessageID") or _WHOLE_DOCUMENT
            named.setdefault(message_id, set()).add(fit(order_id)[:MAX_ORDER_ID])
    return named


def _outcome(report, message_id, doubt):
    own, whole = report.errors_of(message_id), report.errors_of(_WHOLE_DOCUMENT)
    if own and _errors_count(report):
        return replace(_spoken(REJECTED, own), item_errors=_item_errors(own))
    if whole and report.successful == 0 and _is_final(report):
        return _spoken(REJECTED, own or whole)
    if doubt:
        # Also with an error of its own: the report contradicts itself, and a message
        # called rejected would be sent again.
        said = _spoken(UNKNOWN, own or whole)
        return MessageOutcome(UNKNOWN, said.code, said.text or doubt)
    return _spoken(ACCEPTED, report.warnings_of(message_id))


def _item_errors(errors):
    """Return what the errors of a message say of its items, nothing where one of them
    is about the message as a whole."""
    if not all(error.order_item_id or error.sku for error in errors):
        return ()
    return tuple(
        ItemError(error.order_item_id, error.sku, error.code, error.text[:MAX_TEXT])
        for error in errors
    )


def _is_final(report):
    return report.status_code in ("Complete", "Rejected")


def _errors_count(report):
    """Tell whether the summary leaves room for the errors that the report lists.

    A report that is final, and whose number of successes does not claim those messages
    too, means its errors.
    """
    if not _is_final(report) or None in (report.processed, report.successful):
        return False
    return report.successful + len(report.failed_ids) <= report.processed


def _doubt(report, ours):
    """Return why no message may be called accepted, None when there is no reason.

    :param set ours: ids of all messages of the feed
    """
    processed, successful = report.processed, report.successful
    failed = report.failed_ids
    if report.status_code != "Complete":
        return f"The report has the status {report.status_code or 'none'}."
    if report.errors_of(_WHOLE_DOCUMENT):
        return "The report has an error for the whole document."
    if None in (processed, successful, report.with_error):
        return "The summary of the report is incomplete."
    if processed < len(ours):
        return f"Amazon processed {processed} of {len(ours)} messages."
    # Whether a message with a warning also counts as successful differs.
    warned = report.with_warning or 0
    counts = {
        successes
        for successes in (successful, successful + warned)
        if processed == successes + report.with_error
    }
    # Every message without an error must be among the successes.
    enough = any(successes >= len(ours - failed) for successes in counts)
    if not enough or report.with_error != len(failed):
        return "The numbers of the report do not add up."
    return None


def _spoken(status, results):
    """Return an outcome with the words of `results`."""
    code = next((result.code for result in results if result.code), None)
    text = "\n".join(dict.fromkeys(result.text for result in results if result.text))
    return MessageOutcome(status, code, text[:MAX_TEXT])


def _read(data):
    node = _processing_report(data)
    summary = node.find("ProcessingSummary")
    return _Report(
        status_code=_text(node, "StatusCode"),
        processed=_number(summary, "MessagesProcessed"),
        successful=_number(summary, "MessagesSuccessful"),
        with_error=_number(summary, "MessagesWithError"),
        with_warning=_number(summary, "MessagesWithWarning"),
        results=tuple(_result(child) for child in node.findall("Result")),
    )


def _processing_report(data):
    check_harmless(data)
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableReport("The report is no XML.") from error
    if root.getroottree().docinfo.doctype:
        raise UnreadableReport("The report has a DTD, which Amazon's reports have not.")
    nodes = root.findall("Message/ProcessingReport")
    if root.tag != "AmazonEnvelope" or len(nodes) != 1:
        raise UnreadableReport("The document is no processing report of Amazon.")
    return nodes[0]


def check_harmless(data):
    """Refuse what could cost more than a report, before it is parsed.

    :param bytes data: the document, unpacked
    :raises UnreadableReport: empty, too many elements, a DTD (which alone can declare
        entities), or a character set that would hide one
    """
    if not data or not data.strip():
        raise UnreadableReport("The report is empty.")
    if data.count(b"<") > MAX_MARKS:
        raise UnreadableReport("The report has more elements than any feed has.")
    if b"\0" in data or _charset(data) not in CHARSETS:
        raise UnreadableReport("The character set of the report is not known here.")
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise UnreadableReport("The report has a DTD, which Amazon's reports have not.")


def _charset(data):
    """Return the character set that a document says it has, in small letters."""
    head = data.removeprefix(b"\xef\xbb\xbf").partition(b"?>")[0]
    if not head.startswith(b"<?xml") or b"encoding" not in head:
        return b"utf-8"
    declared = _DECLARED.match(head)
    return declared[1].lower() if declared else None


def _result(node):
    message_id = _number(node, "MessageID")
    return _Result(
        # A result that names no message is about the document.
        message_id=_WHOLE_DOCUMENT if message_id is None else message_id,
        # Whatever is no warning counts as an error.
        is_error=_text(node, "ResultCode") != "Warning",
        code=fit(_text(node, "ResultMessageCode"))[:MAX_CODE] or None,
        # Cut first: what is cut off costs no time.
        text=redact(fit(_text(node, "ResultDescription")[: 2 * MAX_TEXT])),
        order_item_id=_text(node, "AdditionalInfo/AmazonOrderItemCode")[:MAX_NAME],
        sku=_text(node, "AdditionalInfo/SKU")[:MAX_NAME],
    )


def _text(node, name):
    return (node.findtext(name) or "").strip()


def _number(node, name):
    text = _text(node, name) if node is not None else ""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER
    return int(text) if is_number else None
