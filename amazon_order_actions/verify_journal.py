#!/usr/bin/env python3
"""Check an exported Amazon journal, without Odoo and without its database.

    python3 verify_journal.py journal.jsonl [--anchor anchors.jsonl ...]

Needs Python 3.10 or later and nothing else. Exit code:

    0  the journal holds; with --anchor, at least one anchor of each company in it
       was compared
    1  it does not hold
    2  it cannot be checked: a file cannot be read, or is none of this kind
    3  nothing was found, but --anchor was given and of a company in it not a single
       anchor could be compared

A part of a journal shows less than the whole: 0 is then that nothing was found in it.

The canonical form is written down in docs/journal.md. The addon takes it from here, so
that what writes digests and what checks them cannot drift apart.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

#: Version of the canonical form; it is a part of what is digested.
VERSION = 1

#: What the digest of an entry covers: all of its content.
FIELDS = (
    "version",
    "occurred_at",
    "company_id",
    "user_id",
    "actor_login",
    "actor_name",
    "event",
    "account_id",
    "seller_ref",
    "amazon_order_ref",
    "action_id",
    "action_name",
    "action_kind",
    "origin_model",
    "origin_id",
    "origin_name",
    "state_from",
    "state_to",
    "value_before",
    "value_after",
    "amount",
    "currency_name",
    "message",
    "feed_ref",
    "request_ref",
    "payload_digest",
    "answer_digest",
)

#: The fields that are whole numbers; all others are text.
NUMBERS = (
    "version",
    "company_id",
    "user_id",
    "account_id",
    "action_id",
    "origin_id",
)

#: What the hash of a link covers beside the version. ``entry_id`` and ``entry_digest``
#: bind the entry, ``previous_hash`` all that was sealed before.
LINK_FIELDS = (
    "company_id",
    "number",
    "entry_id",
    "entry_digest",
    "previous_hash",
    "sealed_at",
)

#: The keys of an entry's line: the entry, then its link (null while not sealed).
ROW_FIELDS = (
    *FIELDS,
    "id",
    "digest",
    "number",
    "entry_digest",
    "previous_hash",
    "hash",
    "sealed_at",
)

#: Sealing follows within minutes; what was sealed so much later deserves a look.
LATE = timedelta(days=1)

#: Problems that are told one by one; the others are counted.
SHOWN = 20

#: Characters of a value that are shown.
LONGEST = 100

TIME = "%Y-%m-%dT%H:%M:%SZ"


class Unreadable(Exception):
    """This is no journal, or not one that can be checked."""


# === THE CANONICAL FORM === #


def canonical(values: dict) -> bytes:
    """Return the one way in which values are written before they are digested.

    JSON with sorted keys, without spaces, in UTF-8, nothing escaped that need not be.

    :param values: text, whole numbers and None; amounts are text
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def digest(values: dict) -> str:
    """Return the SHA-256 of values in the canonical form, in hexadecimal digits."""
    return hashlib.sha256(canonical(values)).hexdigest()


def entry_digest(row: dict) -> str:
    """Return the digest of an entry.

    What is empty (no text, the id 0) is null. What else Python takes for empty would
    be so, too: see ``strange_fields``.

    :param row: with FIELDS; others do not count
    """
    return digest({name: row.get(name) or None for name in FIELDS})


def strange_fields(row: dict) -> list[str]:
    """Return the fields of an entry that are not written the one way that a value has.

    Their digest would be that of another value: of null for ``false``, ``[]``, ``""``
    and 0. The journal writes null for all that is empty. Entries without a version are
    older than that, and may have an empty text or the id 0.

    :param row: with FIELDS
    """
    return [name for name in FIELDS if name not in row or _is_strange(row, name)]


def _is_strange(row: dict, name: str) -> bool:
    value = row[name]
    if value is None:
        return False
    # not isinstance: true is an int, too
    is_known = type(value) is (int if name in NUMBERS else str)
    may_be_empty = name != "version" and row.get("version") is None
    return not is_known or not (value or may_be_empty)


def link_hash(link: dict) -> str:
    """Return the hash of a link of the chain.

    :param link: with LINK_FIELDS; others do not count
    """
    values = {name: link.get(name) for name in LINK_FIELDS}
    return digest({"version": VERSION, **values})


def genesis(company_id: int, database: str) -> str:
    """Return what the first link of a company has as its previous hash.

    :param company_id: Odoo's id of the company
    :param database: Odoo's UUID of the database in which the journal began
    """
    return digest({"version": VERSION, "company_id": company_id, "database": database})


# === CHECKING === #


@dataclass
class Chain:
    """Checks the journal of one company, row by row; keeps nothing of the rows.

    :param company_id: Odoo's id of the company
    :param database: UUID of the database in which the journal began, None if not known
    :param complete: whether the rows are all of the journal, in the order of the chain
    :param number: where a check that is continued had stopped
    :param head: the hash at that place
    :param anchors: anchors of this company, see ``by_number``
    :param met: numbers of the anchors that were compared since it was (re)started
    """

    company_id: int
    database: str | None = None
    complete: bool = False
    number: int = 0
    head: str | None = None
    anchors: dict[int, list[dict]] = field(default_factory=dict)
    company: str = ""
    announced: int | None = None
    entries: int = 0
    sealed: int = 0
    gaps: int = 0
    late: int = 0
    first_late: str = ""
    compared: int = 0
    met: set[int] = field(default_factory=set)
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Compare where the chain begins with the anchors."""
        if self.database and not self.number and not self.head:
            self.head = genesis(self.company_id, self.database)
            self._compare()

    def take(self, row: dict) -> None:
        """Check one row; the sealed ones in the order of the chain.

        :param row: with ROW_FIELDS
        """
        self.entries += 1
        if row.get("number") is not None:
            self._take_link(row)
        elif row.get("digest") != entry_digest(row):
            self._problem(f"{_what(row)}: its content does not match its own digest")
        if "event" in row:
            self._check_writing(row)
        if row.get("company_id") not in (self.company_id, None):
            self._problem(f"{_what(row)}: it belongs to another company")

    def end(self) -> None:
        """Compare what is left: the end of the journal with anchors and header."""
        for number, (first, *others) in sorted(self.anchors.items()):
            if others:
                self._problem(
                    f"Number {number}: two anchors contradict each other, the one of "
                    f"{_shown(first.get('anchored_at'))} and the one of "
                    f"{_shown(others[0].get('anchored_at'))} name different hashes"
                )
            if self.complete and number > self.number:
                self._problem(
                    f"The anchor of {_shown(first.get('anchored_at'))} names number "
                    f"{number}, but the journal ends with number {self.number}: later "
                    "entries were removed"
                )
        if self.announced is not None and self.entries != self.announced:
            self._problem(
                f"The file announces {_shown(self.announced)} entries and has "
                f"{self.entries}: it was cut, or lines were removed or added"
            )

    def compare_count(self, linked: int) -> None:
        """Compare how many entries were checked in the chain with how many have a link.

        :param linked: entries of the company with a link, wherever it stands
        """
        if linked != self.sealed:
            self._problem(
                f"{linked} entries have a link, but {self.sealed} stand in the chain: "
                "entries were hidden from it or removed"
            )

    def _take_link(self, row: dict) -> None:
        number = row["number"]
        link = {**row, "company_id": self.company_id, "entry_id": row.get("id")}
        self.sealed += 1
        self._check_order(number, row)
        if "event" not in row:
            self._problem(f"{_what(row)}: the entry itself is missing")
        else:
            self._check_content(row)
        if row.get("hash") != link_hash(link):
            self._problem(f"{_what(row)}: its link in the chain was changed")
        self.number, self.head = number, row.get("hash")
        self._compare()
        self._look_at_time(row)

    def _check_order(self, number: int, row: dict) -> None:
        follows = number == self.number + 1
        if number < 1:
            self._problem(f"{_what(row)}: the numbers of a chain begin at 1")
        if not follows and self.complete:
            self._problem(f"Number {number} comes after number {self.number}")
        elif not follows and (self.number or number > 1):
            self.gaps += 1
        if follows and self.head and row.get("previous_hash") != self.head:
            before = f"number {self.number}" if self.number else "the chain's beginning"
            self._problem(
                f"{_what(row)}: it does not follow {before}; something was removed, "
                "inserted or exchanged"
            )

    def _check_content(self, row: dict) -> None:
        content = entry_digest(row)
        # entries that are older than the digests have none of their own
        if content != row.get("entry_digest"):
            self._problem(f"{_what(row)}: it was changed after it was sealed")
        elif row.get("digest") not in (None, content):
            self._problem(f"{_what(row)}: its own digest was changed")

    def _check_writing(self, row: dict) -> None:
        for name in strange_fields(row):
            written = "is left out"
            if name in row:
                written = f"is written as {_shown(row[name]) or json.dumps('')}"
            self._problem(
                f"{_what(row)}: its {name} {written}; the journal never writes so"
            )

    def _compare(self) -> None:
        for anchor in self.anchors.get(self.number, ()):
            self.met.add(self.number)
            # the one with number 0 says where the chain begins, and proves no entry
            self.compared += self.number > 0
            if anchor.get("hash") != self.head:
                self._problem(
                    f"Number {self.number}: the anchor of "
                    f"{_shown(anchor.get('anchored_at'))} names another hash; the "
                    "chain was rebuilt"
                )

    def _look_at_time(self, row: dict) -> None:
        try:
            lag = _time(row["sealed_at"]) - _time(row["occurred_at"])
        except (KeyError, TypeError, ValueError):
            return  # told already: a digest does not match
        if lag > LATE:
            self.late += 1
            self.first_late = self.first_late or _what(row)

    def _problem(self, sentence: str) -> None:
        self.problem_count += 1
        if len(self.problems) < SHOWN:
            self.problems.append(sentence + ".")

    # === WORDS === #

    def sentences(self) -> Iterator[str]:
        """Yield what the check has shown, problems first."""
        name = f"Company {self.company_id}"
        if self.company:
            name += f" ({_shown(self.company)})"
        yield f"{name}: {self._verdict()}. Entries checked: {self.entries}."
        for problem in self.problems:
            yield f"  - {problem}"
        if self.problem_count > len(self.problems):
            yield f"  - and {self.problem_count - len(self.problems)} more."
        if self.sealed:
            head = _shown(self.head)
            yield f"  The last one in the chain is number {self.number}, {head}."
        yield from self._limits()

    def _verdict(self) -> str:
        if self.problem_count:
            whole = "journal" if self.complete else "part of the journal"
            return f"the {whole} DOES NOT HOLD"
        if self.complete:
            return "the journal holds"
        return "each entry fits its own digest and its own seal"

    def _limits(self) -> Iterator[str]:
        """Yield what the check cannot show."""
        if self.entries > self.sealed:
            yield (
                f"  Not sealed yet: {self.entries - self.sealed}. Only their own "
                "digests were checked."
            )
        if self.late:
            yield (
                "  Sealed more than a day after they say they happened: "
                f"{self.late}, the first: {self.first_late}."
            )
        if not self.complete:
            yield (
                "  This is a part of the journal: each entry was compared with its own "
                "digest and its own seal, and with those next to it in the file. That "
                "nobody changed an entry together with its seal, and that none was "
                f"left out ({self.gaps} gaps), only the whole journal with its anchors "
                "shows."
            )
        elif not self.database:
            yield "  Where the chain begins is not known, and was not checked."
        if self.compared:
            yield f"  Anchors that were compared: {self.compared}."
        elif self.complete:
            yield (
                "  No anchor was compared: that the whole chain was not built anew, or "
                "cut at its end, is not shown."
            )


@dataclass
class Report:
    """What a check has shown.

    :param chains: one for each company in the file
    :param anchors: all anchors that were given; None where none was asked for
    """

    chains: list[Chain]
    anchors: list[dict] | None = None

    @property
    def holds(self) -> bool:
        """Whether nothing was found; of a part that says less, see ``text``."""
        return not any(chain.problem_count for chain in self.chains)

    @property
    def unanchored(self) -> list[Chain]:
        """The chains of which no anchor could be compared, though some were given."""
        if self.anchors is None:
            return []
        return [chain for chain in self.chains if not chain.compared]

    @property
    def exit_code(self) -> int:
        """What the program ends with, see the top of this file."""
        if not self.holds:
            return 1
        return 3 if self.unanchored else 0

    @property
    def entries(self) -> int:
        """How many entries were checked."""
        return sum(chain.entries for chain in self.chains)

    def text(self) -> str:
        """Return the report in words."""
        lines = [line for chain in self.chains for line in chain.sentences()]
        lines += self._not_compared()
        lines.append(f"Result: {self._result()}.")
        return "\n".join(lines) + "\n"

    def _not_compared(self) -> Iterator[str]:
        """Yield which anchors could not be compared, and why."""
        chains = {chain.company_id: chain for chain in self.chains}
        numbers: dict[str, set[int]] = {}
        for anchor in self.anchors or ():
            why = _why_not_compared(anchor, chains.get(anchor["company_id"]))
            if why:
                numbers.setdefault(why, set()).add(anchor["number"])
        if numbers:
            yield "Anchors that were not compared:"
        for why, of in numbers.items():
            yield f"  - {why}: {', '.join(map(_shown, sorted(of)))}."

    def _result(self) -> str:
        if not self.holds:
            return "the journal is broken"
        if self.unanchored:
            names = ", ".join(str(chain.company_id) for chain in self.unanchored)
            return (
                "nothing was found, but not a single anchor could be compared for "
                f"company {names}: that the chain was not built anew, or cut at its "
                "end, is NOT SHOWN"
            )
        if all(chain.complete for chain in self.chains):
            return "the journal holds"
        return "nothing was found in this part of the journal"


def _why_not_compared(anchor: dict, chain: Chain | None) -> str:
    """Return why an anchor was not compared; nothing where it was.

    :param chain: of its company, None where that is not in the file
    """
    company = f"company {_shown(anchor['company_id'])}"
    if chain is None:
        return f"of {company}, which is not in this file, numbers"
    if not _is_of_database(anchor, chain.database):
        return (
            f"of {company} in the database {_shown(anchor['database'])}, while this "
            f"journal began in {_shown(chain.database)}, numbers"
        )
    if anchor["number"] in chain.met:
        return ""
    if not anchor["number"]:
        return f"of {company}, whose file does not say where its chain begins, numbers"
    return f"of {company}, whose entries of these numbers are not in this file, numbers"


def verify(lines: Iterable, anchors: Iterable | None = None) -> Report:
    """Check an exported journal.

    A file that does not say in its header that it is complete is checked as a part.

    :param lines: of a JSON Lines export, as text or bytes; or its rows as dicts
    :param anchors: lines or dicts of anchors, of any company; None to check without
    :raise Unreadable: when it is no journal
    """
    given = [anchor for _line, anchor in _parsed(anchors or (), "anchor")]
    of_company: dict[int, list[dict]] = {}
    for anchor in given:
        of_company.setdefault(anchor["company_id"], []).append(anchor)
    chains: dict[int, Chain] = {}
    for line, row in _parsed(lines, "journal"):
        company = row["company_id"]
        if "journal" in row:
            if company in chains:
                raise Unreadable(f"Line {line} begins the journal of {company} again.")
            chains[company] = _announced(row, of_company.get(company, []))
            continue
        unknown = set(row) - set(ROW_FIELDS)
        if unknown:
            raise Unreadable(
                f"Line {line} has fields that no digest covers: "
                f"{_shown(', '.join(sorted(unknown)))}."
            )
        if company not in chains:
            own = by_number(of_company.get(company, []))
            chains[company] = Chain(company, anchors=own)
        chains[company].take(row)
    if not chains:
        raise Unreadable("There is no journal in it.")
    for chain in chains.values():
        chain.end()
    return Report(list(chains.values()), None if anchors is None else given)


def by_number(anchors: Iterable[dict]) -> dict[int, list[dict]]:
    """Return the anchors of one company by their number, each hash once.

    More than one for a number contradict each other; none may take another's place.

    :param anchors: of one company
    """
    found: dict[int, list[dict]] = {}
    for anchor in anchors:
        same = found.setdefault(anchor.get("number") or 0, [])
        if all(anchor.get("hash") != other.get("hash") for other in same):
            same.append(anchor)
    return found


def _is_of_database(anchor: dict, database: str | None) -> bool:
    """Whether an anchor is one of the chain that began in a database, as far as both
    say so. Elsewhere a company of the same id has a chain of its own."""
    return not (anchor.get("database") and database) or anchor["database"] == database


def _announced(header: dict, anchors: list[dict]) -> Chain:
    if header["journal"] != VERSION:
        version = _shown(header["journal"])
        raise Unreadable(f"Version {version} of the journal is not known.")
    database = header.get("database")
    chain = Chain(
        header["company_id"],
        database,
        header.get("complete") is True,
        anchors=by_number(each for each in anchors if _is_of_database(each, database)),
        company=header.get("company") or "",
        announced=header.get("entries"),
    )
    chain.begin()
    return chain


def _parsed(lines: Iterable, kind: str) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(lines, start=1):
        row = line
        if not isinstance(line, dict):
            if not line.strip():
                continue
            try:
                row = json.loads(line, object_pairs_hook=_unambiguous)
            except (ValueError, RecursionError) as error:
                raise Unreadable(f"Line {number} is no JSON: {error}.") from None
        if not isinstance(row, dict) or not _has_place(row, kind):
            raise Unreadable(f"Line {number} is no line of a file of kind {kind}.")
        yield number, row


def _has_place(row: dict, kind: str) -> bool:
    """Whether a line says of which company it is, and which number it has; without one
    is an entry that is not sealed yet."""
    # not isinstance: true is an int, too
    numbers = (int,) if kind == "anchor" else (int, type(None))
    return type(row.get("company_id")) is int and type(row.get("number")) in numbers


def _unambiguous(pairs: list[tuple]) -> dict:
    """Refuse a name that stands twice: another reader might show the other value."""
    if len({name for name, _value in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _what(row: dict) -> str:
    is_sealed = row.get("number") is not None
    place = f"Number {row['number']}" if is_sealed else "Not sealed"
    return f"{place} (entry {_shown(row.get('id'))}, {_shown(row.get('occurred_at'))})"


def _shown(value: object) -> str:
    """Return a value of a file as one harmless piece of a line.

    No digest covers it yet: an escape sequence could overwrite what stands before it in
    a terminal, the end of a line could begin a false line of the report.
    """
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    return "".join(
        char if char.isprintable() else json.dumps(char)[1:-1] for char in text
    )


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME)


# === COMMAND LINE === #


def read_lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a file, packed by gzip or not; ``-`` is standard input."""
    if path == "-":
        yield from sys.stdin.buffer
        return
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rb") as file:
        yield from file


def main(arguments: list[str] | None = None) -> int:
    """Check the file named on the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\nThe canonical form")[0],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("journal", help="export in JSON Lines, or - to read it")
    parser.add_argument(
        "--anchor",
        action="append",
        help="file with anchors; may repeat. Where none of them can be compared, the "
        "exit code is 3",
    )
    options = parser.parse_args(arguments)
    try:
        anchors = None
        if options.anchor:
            anchors = [line for path in options.anchor for line in read_lines(path)]
        report = verify(read_lines(options.journal), anchors)
    except (OSError, EOFError, zlib.error, ValueError, Unreadable) as error:
        sys.stderr.write(f"It cannot be checked. {error}\n")
        return 2
    sys.stdout.write(report.text())
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
