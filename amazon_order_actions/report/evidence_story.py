"""What the pages of the evidence pack say, from the facts of one order."""

from odoo.tools import LazyTranslate

from ..models.action.kind import ANSWER_HOURS
from ..spapi.marketplaces import MARKETPLACES
from . import evidence_words as said
from .evidence_fonts import missing
from .evidence_layout import Cell, Pages
from .evidence_text import cut

_lt = LazyTranslate(__name__)

#: Lines of the timeline; whoever has more is told so.
MAX_EVENTS = 400
#: Characters of all messages together; the ZIP has them whole.
MAX_CHARACTERS = 120_000
#: Entries of the journal whose digests are listed; the ZIP has all of them.
MAX_ENTRIES = 100

_ENTRY_NAMES = (
    _lt("Number"),
    _lt("Journal entry (UTC)"),
    _lt("Digest of the entry (SHA-256)"),
)
_ENTRIES_ELSEWHERE = _lt(
    "The entries themselves can be had from whoever at the seller may read the journal."
)


def to_pdf(facts, words):
    """Return the PDF of an order.

    :param Facts facts: what is known
    :param Words words: the language that it is told in
    :rtype: bytes
    """
    return Story(facts, words).to_pdf()


def list_entries(facts, words):
    """Return the digests of the journal's entries on an order, as a text of lines with
    tabs between the values.

    :param Facts facts: what is known
    :param Words words: the language that it is told in
    :rtype: str
    """
    names = [words(name) for name in _ENTRY_NAMES]
    rows = [
        [str(entry.number or "–"), f"{entry.at} {entry.event}", entry.digest]
        for entry in facts.entries
    ]
    lines = [words(_ENTRIES_ELSEWHERE), "", *map("\t".join, [names, *rows])]
    return "\n".join(lines) + "\n"


class Story:
    """Writes the sections, one after the other."""

    def __init__(self, facts, words):
        self.facts = facts
        self.words = words
        market = MARKETPLACES.get(facts.marketplace)
        self.title = words(
            _lt("Evidence for Amazon order %(order)s"), order=facts.order_ref
        )
        self.pages = Pages(
            head=self.title,
            foot=words(
                _lt("Made on %(time)s by %(person)s, %(seller)s"),
                time=words.utc(facts.made_at),
                person=facts.made_by,
                seller=facts.seller,
            ),
            numbering=words(_lt("Page %(page)s of %(pages)s")),
            country=market and market.country_code,
        )

    def to_pdf(self):
        self._opening()
        self._glance()
        self._timeline()
        self._requests()
        self._amounts()
        self._parcels()
        self._conversation()
        self._proof()
        self._meanings()
        return self.pages.to_pdf(self.title, self.facts.seller, self.words.language)

    # === SECTIONS === #

    def _opening(self):
        facts, words = self.facts, self.words
        self.pages.add("title", self.title)
        self.pages.add("subtitle", f"{facts.seller} · {words.shop()}")
        self.pages.add(
            "text",
            words(
                _lt(
                    "This document was made from the records of the seller "
                    "%(seller)s. It tells, in this order: what happened and when, what "
                    "the seller asked of Amazon and what Amazon answered, what was "
                    "charged and refunded, how the order was shipped, and how each of "
                    "these statements can be checked."
                ),
                seller=facts.seller,
            ),
        )
        if facts.zone == "UTC":
            self.pages.add("text", words(_lt("All times are in UTC.")))
        else:
            self.pages.add(
                "text",
                words(
                    _lt("Times are those of the seller (%(zone)s), with UTC below."),
                    zone=facts.zone,
                ),
            )

    def _glance(self):
        facts, words = self.facts, self.words
        self.pages.heading(words(_lt("At a glance")))
        self.pages.pairs(
            [
                (
                    words(_lt("Order number at Amazon")),
                    Cell(("strong", facts.order_ref)),
                ),
                (words(_lt("Marketplace")), words.shop()),
                (
                    words(_lt("Seller")),
                    words(
                        _lt("%(name)s (Amazon's seller number: %(number)s)"),
                        name=facts.seller,
                        number=facts.seller_id,
                    ),
                ),
                (words(_lt("Case at the seller")), facts.case),
                (words(_lt("Ordered")), self._moment(facts.purchased_at)),
                (words(_lt("Shipped by")), self._term(said.CHANNELS, facts.channel)),
                (words(_lt("Status at Amazon")), self._status()),
                (
                    words(_lt("Buyer's first message")),
                    self._moment(facts.first("received")),
                ),
                (words(_lt("Time to the first answer")), self._response()),
                *self._sums(),
            ]
        )
        for request in facts.requests:
            self.pages.pairs([(self._name(request), self._outcome(request))])

    def _sums(self):
        """Return the rows on money; whoever bought elsewhere paid Amazon nothing."""
        facts, words = self.facts, self.words
        if facts.channel == "mcf":
            return []
        return [
            (words(_lt("Charged")), self._money(facts.charged)),
            (words(_lt("Refunded, as Amazon shows")), self._refunded()),
            (words(_lt("Requested, not shown yet")), self._reserved()),
            (words(_lt("Remaining")), self._money(facts.remaining)),
            (words(_lt("A-to-z claim")), self._claim(facts.claim_found)),
            (words(_lt("Chargeback")), self._claim(facts.chargeback_found)),
        ]

    def _timeline(self):
        facts, words = self.facts, self.words
        self.pages.heading(words(_lt("What happened, in its order")))
        if not facts.events:
            self.pages.add("text", words(_lt("Nothing is recorded.")))
            return
        self.pages.table(
            [words(_lt("Time")), words(_lt("What happened")), words(_lt("By"))],
            [
                [
                    self._moment(event.at),
                    self._happened(event),
                    self._who(event.who),
                ]
                for event in facts.events[:MAX_EVENTS]
            ],
            (0.25, 0.55, 0.2),
        )
        if len(facts.events) > MAX_EVENTS:
            self.pages.add(
                "soft",
                words(
                    _lt("%(count)s later events are not listed here."),
                    count=len(facts.events) - MAX_EVENTS,
                ),
            )

    def _requests(self):
        if not self.facts.requests:
            return
        words = self.words
        self.pages.heading(words(_lt("What was asked of Amazon, and its answers")))
        for request in self.facts.requests:
            self._request(request)

    def _request(self, request):
        words = self.words
        self.pages.subheading(f"{request.name}: {self._name(request)}")
        self.pages.pairs(
            [
                (words(_lt("Outcome")), self._outcome(request)),
                (
                    words(_lt("Requested")),
                    self._moment(request.asked_at, request.asked_by),
                ),
                (words(_lt("Approved by")), request.approved_by),
                (words(_lt("Reason given to Amazon")), request.reason),
                (words(_lt("Of which")), self._lines(request)),
                (words(_lt("Amazon's answer")), self._answer(request)),
                (words(_lt("Amazon's feed number")), request.feed_ref),
                (
                    words(_lt("Message in the feed")),
                    str(request.message_number or ""),
                ),
                (words(_lt("Amazon's request number")), request.request_ref),
                (
                    words(_lt("Seller's refund number")),
                    ", ".join(request.refund_refs),
                ),
                (
                    words(_lt("Amazon's refund number")),
                    ", ".join(request.adjustment_refs),
                ),
                (
                    words(_lt("SHA-256 of what was sent")),
                    request.payload_digest and Cell(("mono", request.payload_digest)),
                ),
                (
                    words(_lt("SHA-256 of the answer")),
                    request.report_digest and Cell(("mono", request.report_digest)),
                ),
            ]
        )

    def _amounts(self):
        facts, words = self.facts, self.words
        if not facts.items or facts.channel == "mcf":
            return
        self.pages.heading(words(_lt("Amounts")))
        self.pages.add(
            "text",
            words(
                _lt(
                    "As Amazon last told the seller, after deduction of promotions. "
                    "“Requested” has been asked of Amazon and is not among Amazon's "
                    "refunds yet. “Remaining” could still be refunded: it counts what "
                    "was shipped, and nothing that a claim has returned to the buyer."
                )
            ),
        )
        rows, sums = [], []
        for item in facts.items:
            sums.append(len(rows))
            rows.append(self._item_row(item))
            rows += [self._amount_row(amount) for amount in item.amounts]
        sums.append(len(rows))
        rows.append(
            [
                words(_lt("Whole order")),
                *self._money_cells(facts),
            ]
        )
        self.pages.table(
            [
                words(_lt("Item")),
                words(_lt("Charged")),
                words(_lt("Refunded")),
                words(_lt("Requested")),
                words(_lt("Remaining")),
            ],
            rows,
            (0.4, 0.15, 0.15, 0.15, 0.15),
            numbers=(1, 2, 3, 4),
            strong=sums,
        )
        self._postings()

    def _postings(self):
        facts, words = self.facts, self.words
        self.pages.subheading(words(_lt("Refunds in Amazon's financial records")))
        if not facts.postings:
            self.pages.add(
                "text",
                words(_lt("None were found."))
                if facts.finances_known
                else words(_lt("Not known: they could not be read.")),
            )
            return
        elsewhere = words(_lt("Not from here (for instance Seller Central)"))
        self.pages.table(
            [
                words(_lt("Posted")),
                words(_lt("Amount")),
                words(_lt("Amazon's number")),
                words(_lt("Requested as")),
            ],
            [
                [
                    self._moment(posting.at),
                    self._money(posting.amount),
                    posting.ref or "–",
                    posting.request or elsewhere,
                ]
                for posting in facts.postings
            ],
            (0.27, 0.15, 0.33, 0.25),
            numbers=(1,),
        )

    def _parcels(self):
        facts, words = self.facts, self.words
        if not facts.packages:
            return
        self.pages.heading(words(_lt("Shipping and tracking")))
        sources = {
            "amazon": words(_lt("Amazon's order data")),
            "seller": words(_lt("Seller's warehouse")),
        }
        self.pages.table(
            [
                words(_lt("Recorded in")),
                words(_lt("Parcel")),
                words(_lt("Carrier")),
                words(_lt("Tracking number")),
                words(_lt("Left on")),
            ],
            [
                [
                    sources[package.source],
                    package.ref or "–",
                    package.carrier or "–",
                    package.tracking or "–",
                    self._moment(package.at) or "–",
                ]
                for package in facts.packages
            ],
            (0.2, 0.16, 0.14, 0.25, 0.25),
        )

    def _conversation(self):
        facts, words = self.facts, self.words
        if not facts.with_messages and not facts.with_notes:
            return
        self.pages.heading(words(_lt("Conversation")))
        if not facts.messages:
            self.pages.add("text", words(_lt("No message is recorded.")))
        room, shown = MAX_CHARACTERS, 0
        for message in facts.messages:
            text, left_out = cut(message.text)
            room -= len(text)
            if room < 0:
                break
            shown += 1
            remark = self._remark(text, left_out)
            self.pages.message(self._writer(message), text, remark)
        self._left_out(len(facts.messages) - shown)

    def _left_out(self, in_zip):
        """Tell how many messages stand in the ZIP only, or nowhere."""
        words = self.words
        if in_zip:
            self.pages.add(
                "soft",
                words(
                    _lt(
                        "%(count)s later messages are in the file messages.txt of the "
                        "ZIP only."
                    ),
                    count=in_zip,
                ),
            )
        if self.facts.left_out:
            self.pages.add(
                "soft",
                words(
                    _lt("%(count)s later messages are not part of this document."),
                    count=self.facts.left_out,
                ),
            )

    def _proof(self):
        facts, words = self.facts, self.words
        self.pages.heading(words(_lt("How this can be checked")))
        if not facts.entries:
            self.pages.add("text", words(_lt("Nothing is recorded.")))
            return
        self.pages.add(
            "text",
            words(
                _lt(
                    "Each step was written into a journal when it happened. "
                    "Entries are only added; the database refuses to change or delete "
                    "them, and each is linked to the one before by a digest, so that a "
                    "check of the whole journal notices a later change."
                )
            ),
        )
        self.pages.add("text", self._zip())
        self.pages.pairs(
            [
                (words(_lt("Entries on this order")), self._verdict()),
                (words(_lt("Whole journal")), self._whole_check()),
                (words(_lt("Last link of the whole journal")), self._chain_head()),
            ]
        )
        self._entries()
        if not facts.documents:
            return
        self.pages.add(
            "text",
            words(
                _lt(
                    "A digest (SHA-256) is a fingerprint of a file: whoever has the "
                    "same file gets the same digest. Where a file also held the orders "
                    "of other buyers, only the part on this order is in the ZIP file; "
                    "the digest of the whole file is given as well."
                )
            ),
        )
        self.pages.table(
            [words(_lt("File in the ZIP")), "SHA-256"],
            [[document.name, self._digests(document)] for document in facts.documents],
            (0.4, 0.6),
        )

    def _entries(self):
        facts, words = self.facts, self.words
        if not facts.entries:
            return
        self.pages.table(
            [words(name) for name in _ENTRY_NAMES],
            [
                [
                    str(entry.number or "–"),
                    Cell(("small", f"{entry.at} {entry.event}")),
                    Cell(("mono", entry.digest)),
                ]
                for entry in facts.entries[:MAX_ENTRIES]
            ],
            (0.1, 0.32, 0.58),
        )
        if len(facts.entries) > MAX_ENTRIES:
            self.pages.add(
                "soft",
                words(
                    _lt("%(count)s more entries are in the ZIP file only."),
                    count=len(facts.entries) - MAX_ENTRIES,
                ),
            )

    def _meanings(self):
        facts, words = self.facts, self.words
        if not facts.requests:
            return
        self.pages.heading(words(_lt("What the words mean")))
        used = {request.state for request in facts.requests}
        used |= {event.what for event in facts.events if event.request}
        rows = [
            (words(term), words(said.STATE_MEANINGS[state]))
            for state, term in said.STATE_NAMES.items()
            if state in used
        ]
        rows += [
            (
                words(_lt("Feed")),
                words(
                    _lt(
                        "The file by which a seller's program hands requests to "
                        "Amazon. Amazon processes it later and answers with a report "
                        "for each request in it."
                    )
                ),
            ),
            (
                "Seller Central",
                words(_lt("Amazon's website on which sellers manage their orders.")),
            ),
        ]
        self.pages.pairs(rows)

    # === PARTS === #

    def _moment(self, moment, person=""):
        """Return a time with the same in UTC below it, or nothing."""
        if not moment:
            return None
        utc = self.words.utc(moment)
        if self.facts.zone == "UTC":
            parts = [("cell", utc)]
        else:
            parts = [("cell", self.words.time(moment)), ("small", utc)]
        return Cell(*parts, ("cell", person))

    def _money(self, amount):
        return self.words.money(amount, self.facts.currency)

    def _term(self, terms, key, default=""):
        return self.words(terms[key]) if key in terms else (key or default)

    def _name(self, request):
        term = said.KINDS.get(request.kind, said.OTHER_KIND)
        if request.kind == "refund":
            return self.words(term, amount=self._money(request.amount))
        return self.words(term)

    def _status(self):
        status = self._term(said.STATUSES, self.facts.status)
        if not status or not self.facts.read_at:
            return status or self.words(_lt("Not read from Amazon yet"))
        return Cell(
            ("cell", status),
            (
                "small",
                self.words(
                    _lt("as read from Amazon on %(time)s"),
                    time=self.words.utc(self.facts.read_at),
                ),
            ),
        )

    def _response(self):
        seconds = self.facts.answer_seconds()
        words = self.words
        if seconds is None:
            if not self.facts.first("received"):
                return None
            return words(_lt("No answer is known to have left."))
        within = seconds <= ANSWER_HOURS * 3600
        sentence = words(
            _lt("%(duration)s (within the %(hours)s hours that Amazon asks for)")
            if within
            else _lt("%(duration)s (Amazon asks for an answer within %(hours)s hours)"),
            duration=words.duration(seconds),
            hours=ANSWER_HOURS,
        )
        if self.facts.first_answer().request:
            return sentence
        by_mail = _lt(
            "Until the mail was written. It has left since; the time at which it left "
            "is not kept."
        )
        return Cell(("cell", sentence), ("small", words(by_mail)))

    def _refunded(self):
        if not self.facts.finances_known:
            return self.words(
                _lt("%(amount)s (Amazon's financial records could not be read last)"),
                amount=self._money(self.facts.refunded),
            )
        return self._money(self.facts.refunded)

    def _reserved(self):
        return self._money(self.facts.reserved) if self.facts.reserved else None

    def _claim(self, is_found):
        words = self.words
        if is_found:
            return words(_lt("Found in Amazon's financial records"))
        if not self.facts.finances_known:
            return words(_lt("Not known: Amazon's financial records were not read"))
        return words(_lt("None found in Amazon's financial records"))

    def _outcome(self, request):
        return Cell(
            ("strong", self._term(said.STATE_NAMES, request.state)),
            ("cell", self._sentence(request, request.state)),
            ("small", self._since(request)),
        )

    def _since(self, request):
        return self.words(_lt("since %(time)s"), time=self.words.utc(request.since))

    def _sentence(self, request, what):
        """Return what is known when a request has reached a state."""
        words = self.words
        special = {
            ("message", "accepted"): said.MESSAGE_ACCEPTED,
            ("refund", "confirmed"): said.REFUND_CONFIRMED,
        }
        terms = {
            **said.STATES,
            "approved": said.APPROVED,
            "queued_again": said.QUEUED_AGAIN,
            "handed": said.HANDED,
            "decided": said.DECIDED,
            "asked_again": said.ASKED_AGAIN,
            "not_again": said.NOT_AGAIN,
            "drop": said.DROP,
        }
        term = special.get((request.kind, what)) or terms.get(what)
        return words(term) if term else what

    def _happened(self, event):
        words = self.words
        if event.request:
            request = event.request
            title = f"{self._name(request)} ({request.name})"
            said_of_it = self._sentence(request, event.what)
            amazon = ""
            if event.what == "rejected" == request.state:
                amazon = self._answer(request)
            return Cell(
                ("strong", title),
                ("cell", said_of_it),
                ("cell", amazon),
                ("small", self._references(event)),
            )
        values = dict(event.values)
        if "amount" in values:
            values["amount"] = self._money(values["amount"])
        return Cell(
            ("cell", words(said.EVENTS[event.what], **values)),
            ("small", self._references(event)),
        )

    def _references(self, event):
        words = self.words
        names = {
            "feed": _lt("Amazon's feed number"),
            "request": _lt("Amazon's request number"),
            "refund": _lt("Amazon's refund number"),
            "tracking": _lt("Tracking number"),
        }
        return " · ".join(
            f"{words(names[name])}: {value}" for name, value in event.references
        )

    def _who(self, who):
        return self._term(said.WHO, who)

    def _lines(self, request):
        parts = []
        for label, component, amount, quantity, is_rejected in request.lines:
            if component:
                what = (
                    f"{self._term(said.COMPONENTS, component)}: {self._money(amount)}"
                )
            else:
                what = f"{quantity} ×"
            parts.append(("cell", f"{what} – {label}"))
            if is_rejected:
                parts.append(("small", self.words(_lt("rejected by Amazon"))))
        return Cell(*parts) if parts else None

    def _answer(self, request):
        if not request.amazon_code and not request.amazon_text:
            return ""
        return " ".join(
            filter(
                None,
                (
                    request.amazon_code
                    and self.words(_lt("Code %(code)s:"), code=request.amazon_code),
                    request.amazon_text,
                ),
            )
        )

    def _item_row(self, item):
        numbers = " · ".join(filter(None, (item.sku, item.asin, item.ref)))
        units = self.words(
            _lt("%(ordered)s ordered, %(shipped)s shipped"),
            ordered=item.quantity,
            shipped=item.shipped,
        )
        return [
            Cell(("strong", item.title), ("small", numbers), ("small", units)),
            *self._money_cells(item.total),
        ]

    def _amount_row(self, amount):
        return [
            self._term(said.COMPONENTS, amount.component),
            *self._money_cells(amount),
        ]

    def _money_cells(self, amount):
        """Return the cells of what has these four amounts."""
        names = ("charged", "refunded", "reserved", "remaining")
        return [self._money(getattr(amount, name)) for name in names]

    def _writer(self, message):
        words = self.words
        who = {
            "buyer": _lt("Buyer"),
            "seller": _lt("Seller"),
            "unsent": _lt("Seller, on the case (not known to have left for the buyer)"),
            "other": _lt("Another sender"),
            "note": _lt("Internal note of the seller"),
            "request": _lt("Request, as recorded when the case was opened"),
        }[message.who]
        name = f"{words(who)} ({message.author})" if message.author else words(who)
        time = words.utc(message.at)
        if self.facts.zone != "UTC":
            time = f"{words.time(message.at)} / {time}"
        return f"{name}, {time}"

    def _remark(self, text, left_out):
        words = self.words
        remarks = []
        if left_out:
            remarks.append(
                words(
                    _lt(
                        "Cut here: %(count)s more characters are in the file "
                        "messages.txt of the ZIP."
                    ),
                    count=left_out,
                )
            )
        unknown = missing(text)
        if unknown:
            remarks.append(
                words(
                    _lt(
                        "%(count)s signs cannot be shown here; the file messages.txt "
                        "of the ZIP has them."
                    ),
                    count=unknown,
                )
            )
        return " ".join(remarks)

    def _zip(self):
        """Return what the ZIP holds of the journal."""
        words, count = self.words, len(self.facts.entries)
        if self.facts.with_journal:
            return words(
                _lt(
                    "The ZIP file that was made with this document holds the journal's "
                    "%(count)s entries on this order, the result of checking them, "
                    "what was sent to Amazon and what Amazon answered."
                ),
                count=count,
            )
        sentence = words(
            _lt(
                "The ZIP file that was made with this document holds number, time and "
                "digest of the journal's %(count)s entries on this order, the result "
                "of checking them, what was sent to Amazon and what Amazon answered."
            ),
            count=count,
        )
        return f"{sentence} {words(_ENTRIES_ELSEWHERE)}"

    def _verdict(self):
        if not self.facts.entries:
            return None
        words = self.words
        if not self.facts.entries_hold:
            return words(
                _lt("The check found a problem; the file verification.txt says which.")
            )
        if self.facts.check_state != "holds":
            # what the check of the whole has found counts for these, too
            return None
        waiting = sum(not entry.number for entry in self.facts.entries)
        return Cell(
            (
                "cell",
                words(
                    _lt(
                        "Each entry on this order fits its digest, and its seal in the "
                        "chain. What this cannot show, the check of the whole journal "
                        "shows."
                    )
                ),
            ),
            (
                "small",
                waiting
                and words(
                    _lt("%(count)s of them are not linked into the chain yet."),
                    count=waiting,
                ),
            ),
        )

    def _whole_check(self):
        """Return what the last check of the company's whole journal has shown."""
        facts, words = self.facts, self.words
        if not facts.check_state:
            return words(
                _lt(
                    "The whole journal has not been checked yet. So nothing shows that "
                    "no entry was changed, left out or put in."
                )
            )
        values = {"time": words.utc(facts.check_at), "number": facts.check_number}
        if facts.check_state != "holds":
            return Cell(
                (
                    "strong",
                    words(
                        _lt(
                            "The last check of the whole journal, on %(time)s and up "
                            "to number %(number)s, found problems. Until they are "
                            "explained, nothing shows that no entry was changed, left "
                            "out or put in."
                        ),
                        **values,
                    ),
                )
            )
        later = sum(
            not entry.number or entry.number > facts.check_number
            for entry in facts.entries
        )
        return Cell(
            (
                "cell",
                words(
                    _lt(
                        "The last check of the whole journal, on %(time)s and up to "
                        "number %(number)s, found no entry changed, left out or put "
                        "in."
                    ),
                    **values,
                ),
            ),
            (
                "small",
                later
                and words(
                    _lt("%(count)s of the entries on this order are later than that."),
                    count=later,
                ),
            ),
        )

    def _chain_head(self):
        if not self.facts.chain_head:
            return None
        return Cell(
            ("cell", str(self.facts.chain_number)), ("mono", self.facts.chain_head)
        )

    def _digests(self, document):
        words = self.words
        if document.content is None:
            gone = words(
                _lt("Not in the ZIP: it is not kept any more, or cannot be read.")
            )
            return Cell(("small", gone), ("mono", document.whole_digest))
        changed = words(
            _lt("It does not match the digest any more that was recorded at the time!")
        )
        parts = [("mono", document.digest)]
        if document.is_excerpt:
            parts = [
                ("small", words(_lt("This excerpt:"))),
                *parts,
                ("small", words(_lt("The whole file:"))),
                ("mono", document.whole_digest),
            ]
        return Cell(*parts, ("strong", changed if document.is_changed else ""))
