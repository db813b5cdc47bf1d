"""What an evidence pack tells, before any word of it is chosen."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """Something that happened.

    :param datetime at: in UTC, without a time zone
    :param str what: a state of a request, or one of `evidence_words.EVENTS`
    :param str who: a person's name, or a key of `evidence_words.WHO`
    :param request: the `Request` that it is about, or None
    :param dict values: of the sentence
    :param tuple references: pairs of a name (``feed``, ``request`` …) and a number
    :param int rank: puts what happened in the same second into its order
    """

    at: datetime
    what: str
    who: str
    request: object = None
    values: dict = field(default_factory=dict)
    references: tuple = ()
    rank: int = 0

    def is_answer(self):
        """Whether something is known to have left for the buyer."""
        if self.request:
            return self.request.kind == "message" and self.what == "accepted"
        return self.what in ("answered", "left")


@dataclass
class Request:
    """Something that was asked of Amazon, and what became of it.

    Amounts are in the order's currency, times in UTC.
    """

    name: str
    kind: str
    state: str
    since: datetime
    amount: float
    reason: str
    asked_by: str
    asked_at: datetime
    approved_by: str = ""
    lines: list = field(default_factory=list)
    feed_ref: str = ""
    request_ref: str = ""
    message_number: int = 0
    amazon_code: str = ""
    amazon_text: str = ""
    refund_refs: list = field(default_factory=list)
    adjustment_refs: list = field(default_factory=list)
    payload_digest: str = ""
    report_digest: str = ""


@dataclass
class Amount:
    """What was charged for one component of an item, and what came back."""

    component: str
    charged: float
    refunded: float
    reserved: float
    remaining: float


@dataclass
class Item:
    """One item of the order."""

    title: str
    sku: str
    asin: str
    ref: str
    quantity: int
    shipped: int
    total: Amount
    amounts: list = field(default_factory=list)


@dataclass
class Posting:
    """A refund in Amazon's financial records."""

    at: datetime
    amount: float
    ref: str
    request: str


@dataclass
class Package:
    """A parcel: as Amazon shows it, or as it left the seller's warehouse."""

    source: str
    ref: str
    carrier: str
    tracking: str
    at: datetime = None


@dataclass
class Message:
    """What was written, as plain text.

    :param str who: ``buyer``, ``seller``, ``note`` or ``request``
    :param str author: the person of the seller who wrote it
    """

    at: datetime
    who: str
    author: str
    text: str


@dataclass
class Document:
    """A file of the ZIP.

    :param bytes content: None where it is not kept any more, or cannot be read
    :param str whole_digest: of the whole file, as recorded when it was sent or read
    :param bool is_excerpt: whether what concerns other orders was left out
    :param bool is_changed: whether the whole file does not match its digest any more
    """

    name: str
    content: bytes | None = None
    whole_digest: str = ""
    is_excerpt: bool = False
    is_changed: bool = False

    @property
    def digest(self):
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Entry:
    """One entry of the journal.

    :param int number: its place in the company's chain, None while it has none
    :param str at: as in the canonical form
    """

    number: int
    at: str
    event: str
    digest: str


@dataclass
class Facts:
    """All that a pack tells of one order."""

    order_ref: str
    case: str
    marketplace: str
    seller: str
    seller_id: str
    channel: str
    status: str
    read_at: datetime
    purchased_at: datetime
    currency: str
    charged: float
    refunded: float
    reserved: float
    remaining: float
    finances_known: bool
    claim_found: bool
    chargeback_found: bool
    made_by: str
    made_at: datetime
    zone: str
    events: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    items: list = field(default_factory=list)
    postings: list = field(default_factory=list)
    packages: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    left_out: int = 0
    with_messages: bool = False
    with_notes: bool = False
    with_journal: bool = False
    documents: list = field(default_factory=list)
    entries: list = field(default_factory=list)
    chain_number: int = 0
    chain_head: str = ""
    # whether the entries on this order fit their digests and their seals
    entries_hold: bool = False
    # of the last check of the company's whole journal: holds, broken, or nothing
    check_state: str = ""
    check_at: datetime = None
    check_number: int = 0

    def first(self, *whats):
        """Return the time of the first event of these sorts, or None."""
        return min((e.at for e in self.events if e.what in whats), default=None)

    def first_answer(self):
        """Return the first answer after the buyer's first message, or None where there
        is none of either.

        :rtype: Event | None
        """
        asked = self.first("received")
        answers = (
            event
            for event in self.events
            if asked and event.at >= asked and event.is_answer()
        )
        return min(answers, key=lambda event: event.at, default=None)

    def answer_seconds(self):
        """Return the seconds from the buyer's first message to the first answer after
        it, or None where there is none of either.

        :rtype: float | None
        """
        answer = self.first_answer()
        return answer and (answer.at - self.first("received")).total_seconds()
