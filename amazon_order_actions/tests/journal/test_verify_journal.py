import contextlib
import gzip
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from odoo.tests import BaseCase, tagged

from ... import verify_journal
from ...verify_journal import (
    FIELDS,
    ROW_FIELDS,
    Unreadable,
    canonical,
    entry_digest,
    genesis,
    link_hash,
    main,
    verify,
)

DATABASE = "00000000-0000-0000-0000-000000000000"
DAY = "2026-11-20T08:00:00Z"


def journal(count=5, company=1, **changes):
    """Return the rows of a journal that holds.

    :param changes: values of all entries
    """
    rows, head = [], genesis(company, DATABASE)
    for number in range(1, count + 1):
        row = {
            **dict.fromkeys(FIELDS),
            "version": 1,
            "occurred_at": DAY,
            "company_id": company,
            "user_id": 7,
            "actor_login": "anna",
            "event": "asked",
            "amount": "44.90",
            "currency_name": "EUR",
            "message": f"Refund {number} – für Müller & Söhne",
            "id": 100 + number,
            **changes,
        }
        rows.append(row)
        seal(row, number, head)
        head = row["hash"]
    return rows


def seal(row, number, previous, sealed_at=DAY):
    """Digest a row and link it, as the sealer does."""
    row["digest"] = row["entry_digest"] = entry_digest(row)
    row |= {"number": number, "previous_hash": previous, "sealed_at": sealed_at}
    row["hash"] = link_hash({**row, "entry_id": row["id"]})


def rebuild(rows):
    """Digest and link all rows anew, as whoever owns the database can."""
    head = genesis(rows[0]["company_id"], DATABASE)
    for number, row in enumerate(rows, start=1):
        seal(row, number, head)
        head = row["hash"]


def header(rows, **changes):
    return {
        "journal": 1,
        "company_id": rows[0]["company_id"],
        "company": "Nordlicht",
        "database": DATABASE,
        "complete": True,
        "entries": len(rows),
        **changes,
    }


def anchor(row):
    return {
        "anchor": 1,
        "company_id": row["company_id"],
        "number": row["number"],
        "hash": row["hash"],
        "database": DATABASE,
        "anchored_at": "2026-11-21 03:00:00",
    }


@tagged("post_install", "-at_install")
class TestVerifyJournal(BaseCase):
    """The stand-alone verifier notices whatever was done to a journal."""

    def check(self, rows, anchors=None, **of_header):
        lines = [header(rows, **of_header), *rows]
        return verify([json.dumps(line) for line in lines], anchors)

    def assertBroken(self, report, *words):
        self.assertFalse(report.holds, report.text())
        for word in words:
            self.assertIn(word, report.text())

    # === WHAT HOLDS === #

    def test_journal_holds_and_says_how_much_was_checked(self):
        rows = journal()
        report = self.check(rows, [anchor(rows[2]), anchor(rows[4])])
        self.assertTrue(report.holds, report.text())
        self.assertIn("Entries checked: 5.", report.text())
        self.assertIn(rows[-1]["hash"], report.text())
        self.assertIn("were compared: 2", report.text())

    def test_two_companies_in_one_file(self):
        first, second = journal(), journal(company=2)
        lines = [header(first), *first, header(second), *second]
        report = verify(lines)
        self.assertTrue(report.holds, report.text())
        self.assertEqual(len(report.chains), 2)

    def test_entries_that_are_not_sealed_yet_are_checked_and_told(self):
        rows = journal()
        new = dict(rows[0], id=999, message="new")
        new |= dict.fromkeys(
            ("number", "entry_digest", "previous_hash", "hash", "sealed_at")
        )
        new["digest"] = entry_digest(new)
        report = self.check([*rows, new])
        self.assertTrue(report.holds, report.text())
        self.assertIn("Not sealed yet: 1.", report.text())
        new["message"] = "newer"
        self.assertBroken(self.check([*rows, new]), "own digest")

    def test_entries_without_a_digest_of_their_own_are_held_by_the_chain(self):
        rows = journal()
        rows[1]["digest"] = None
        self.assertTrue(self.check(rows).holds)

    def test_canonical_form_is_as_written_down(self):
        self.assertEqual(
            canonical({"b": None, "a": 1, "ä": "ö\n"}),
            '{"a":1,"b":null,"ä":"ö\\n"}'.encode(),
        )
        # a change of this number is a new version of the form
        self.assertEqual(
            entry_digest({"version": 1, "message": "x"}),
            "a917eeb61189a884104d11f70567f21d90cf1dcb45663a265738a412fdfd8d67",
        )

    def test_without_anchors_it_says_what_is_not_shown(self):
        self.assertIn("No anchor was compared", self.check(journal()).text())

    # === ANCHORS THAT COULD NOT BE COMPARED === #

    def assertUnanchored(self, report, *words):
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.exit_code, 3, report.text())
        result = report.text().splitlines()[-1]
        self.assertIn("not a single anchor could be compared for company 1", result)
        self.assertNotIn("the journal holds", result)
        for word in words:
            self.assertIn(word, report.text())

    def test_no_anchor_at_all_is_told_from_a_journal_that_holds(self):
        self.assertUnanchored(self.check(journal(), []))

    def test_anchor_of_another_company_is_not_compared(self):
        rows = journal()
        other = anchor(journal(company=2)[4])
        told = "of company 2, which is not in this file, numbers: 5."
        self.assertUnanchored(self.check(rows, [other]), told)
        report = self.check(rows, [other, anchor(rows[4])])
        self.assertEqual(report.exit_code, 0)
        self.assertIn(told, report.text())

    def test_anchor_of_another_database_is_not_compared(self):
        rows = journal()
        other = {**anchor(rows[4]), "database": "11111111", "hash": "0" * 64}
        report = self.check(rows, [other])
        self.assertUnanchored(report, "of company 1 in the database 11111111", ": 5.")
        report = self.check(rows, [other, anchor(rows[4])])
        self.assertEqual(report.exit_code, 0, report.text())
        self.assertIn("of company 1 in the database 11111111", report.text())

    def test_header_that_names_another_database_makes_no_anchor_fit(self):
        rows = journal()
        kept = anchor(rows[3])
        head = genesis(1, "11111111")
        for number, row in enumerate(rows, start=1):
            seal(row, number, head)
            head = row["hash"]
        report = self.check(rows, [kept], database="11111111")
        self.assertUnanchored(report, DATABASE, "11111111")
        self.assertBroken(self.check(rows, [kept], database=None), "rebuilt")

    def test_anchor_of_a_number_that_is_not_in_the_file_is_not_compared(self):
        rows = journal(9)
        anchors = [anchor(rows[1]), anchor(rows[7])]
        report = self.check(rows[2:5], anchors, complete=False)
        self.assertUnanchored(report, "are not in this file, numbers: 2, 8.")
        report = self.check(rows[1:5], anchors, complete=False)
        self.assertEqual(report.exit_code, 0)
        self.assertIn("are not in this file, numbers: 8.", report.text())

    def test_anchor_of_where_the_chain_begins_proves_no_entry(self):
        rows = journal()
        beginning = {**anchor(rows[0]), "number": 0, "hash": genesis(1, DATABASE)}
        report = self.check(rows, [beginning])
        self.assertUnanchored(report)
        self.assertNotIn("Anchors that were not compared:", report.text())
        report = self.check(rows, [beginning], database=None)
        self.assertUnanchored(report, "does not say where its chain begins")

    def test_each_company_of_a_file_needs_an_anchor_of_its_own(self):
        first, second = journal(), journal(company=2)
        lines = [header(first), *first, header(second), *second]
        report = verify(lines, [anchor(second[4])])
        self.assertUnanchored(report)
        self.assertNotIn("company 1, 2", report.text())
        self.assertEqual(
            verify(lines, [anchor(first[0]), anchor(second[4])]).exit_code, 0
        )

    def test_anchors_that_fit_are_not_called_left_out(self):
        rows = journal()
        text = self.check(rows, [anchor(row) for row in rows]).text()
        self.assertNotIn("not compared", text)
        self.assertIn("Result: the journal holds.", text)

    def test_broken_journal_is_broken_whether_or_not_anchors_fit(self):
        rows = journal()
        rows[1]["message"] = "forged"
        self.assertEqual(self.check(rows, []).exit_code, 1)

    # === ONE WAY TO WRITE A VALUE === #

    def test_what_only_looks_empty_is_not_taken_for_null(self):
        """They have the same digest, so that no seal tells them apart."""
        for name in FIELDS:
            if name == "company_id":
                continue
            for value in (False, [], {}, "", 0, 0.0):
                rows = journal(**{name: None})
                rows[2][name] = value
                with self.subTest(name, value=value):
                    self.assertEqual(rows[2]["digest"], entry_digest(rows[2]))
                    self.assertBroken(
                        self.check(rows),
                        "Number 3 (entry 103",
                        f"its {name} is written as {json.dumps(value)}",
                    )

    def test_what_is_left_out_is_not_taken_for_null(self):
        rows = journal()
        del rows[2]["origin_id"]
        self.assertBroken(self.check(rows), "its origin_id is left out")

    def test_entry_that_is_not_sealed_yet_is_read_the_same(self):
        row = dict(journal(1)[0], **dict.fromkeys(ROW_FIELDS[len(FIELDS) + 2 :]))
        self.assertTrue(verify([row]).holds)
        for value in (False, []):
            self.assertBroken(verify([{**row, "feed_ref": value}]), "its feed_ref")

    def test_value_of_another_type_that_was_digested_so_is_noticed(self):
        for name, value in (
            ("user_id", "7"),
            ("user_id", True),
            ("user_id", 7.0),
            ("message", 7),
            ("amount", 44.9),
            ("message", ["x"]),
            ("version", True),
        ):
            rows = journal()
            rows[2][name] = value
            rebuild(rows)
            with self.subTest(name, value=value):
                self.assertBroken(self.check(rows), f"its {name} is written as")

    def test_entry_from_before_the_digests_may_have_an_empty_text_and_the_id_0(self):
        rows = journal(version=None, message="", origin_id=0)
        self.assertTrue(self.check(rows).holds, self.check(rows).text())
        for value in (False, [], {}):
            for name in ("message", "origin_id"):
                rows[2][name] = value
                self.assertBroken(self.check(rows), f"its {name} is written as")

    def test_no_entry_can_be_made_one_from_before_the_digests(self):
        for value in (None, 0, False, 2):
            rows = journal()
            rows[2] |= {"version": value, "message": ""}
            with self.subTest(value=value):
                self.assertBroken(self.check(rows), "Number 3", "after it was sealed")

    # === WHAT WAS TAMPERED WITH === #

    def test_every_changed_field_of_an_entry_is_noticed(self):
        for name in FIELDS:
            rows = journal()
            rows[2][name] = 99 if name == "company_id" else "forged"
            if name == "company_id":
                rows[2]["company_id"] = 1
                rows[2]["user_id"] = 99
            with self.subTest(name):
                self.assertBroken(self.check(rows), "Number 3 (entry 103")

    def test_changed_entry_whose_digest_was_made_anew_is_noticed(self):
        rows = journal()
        rows[2]["message"] = "forged"
        rows[2]["digest"] = entry_digest(rows[2])
        self.assertBroken(self.check(rows), "changed after it was sealed")

    def test_changed_entry_whose_link_was_made_anew_is_noticed(self):
        rows = journal()
        rows[2]["message"] = "forged"
        seal(rows[2], 3, rows[1]["hash"])
        self.assertBroken(self.check(rows), "Number 4", "does not follow number 3")

    def test_changed_time_of_sealing_is_noticed(self):
        rows = journal()
        rows[2]["sealed_at"] = "2026-11-20T08:00:01Z"
        self.assertBroken(self.check(rows), "link in the chain was changed")

    def test_removed_entry_is_noticed(self):
        rows = journal()
        del rows[2]
        self.assertBroken(self.check(rows), "Number 4 comes after number 2")

    def test_removed_content_of_an_entry_is_noticed(self):
        rows = journal()
        for name in FIELDS:
            if name != "company_id":
                del rows[2][name]
        self.assertBroken(self.check(rows), "the entry itself is missing")

    def test_removed_beginning_is_noticed(self):
        rows = journal()
        self.assertBroken(self.check(rows[1:]), "Number 2 comes after number 0")

    def test_number_below_the_first_is_noticed(self):
        for number in (0, -1):
            rows = journal()
            hidden = dict(rows[4])
            seal(hidden, number, rows[3]["hash"])
            for lines, is_complete in (
                ([*rows[:4], hidden], True),
                ([hidden, *rows[:4]], True),
                ([hidden], False),
            ):
                with self.subTest(number=number, complete=is_complete):
                    report = self.check(lines, complete=is_complete)
                    self.assertBroken(report, "the numbers of a chain begin at 1")

    def test_removed_last_entries_are_noticed_by_the_anchor_alone(self):
        rows = journal()
        self.assertTrue(self.check(rows[:3]).holds)
        report = self.check(rows[:3], [anchor(rows[4])])
        self.assertBroken(report, "ends with number 3", "later entries were removed")

    def test_inserted_entry_is_noticed(self):
        rows = journal()
        forged = dict(rows[0], id=999)
        seal(forged, 3, rows[1]["hash"])
        self.assertBroken(self.check([*rows[:2], forged, *rows[2:]]), "Number 3")

    def test_exchanged_entries_are_noticed(self):
        rows = journal()
        rows[1], rows[2] = rows[2], rows[1]
        self.assertBroken(self.check(rows), "comes after")

    def test_exchanged_contents_are_noticed(self):
        rows = journal()
        rows[1]["message"], rows[2]["message"] = rows[2]["message"], rows[1]["message"]
        self.assertBroken(self.check(rows), "Number 2", "Number 3")

    def test_chain_that_was_built_anew_is_noticed_by_the_anchor_alone(self):
        rows = journal()
        kept = anchor(rows[3])
        rows[1]["amount"] = "4.49"
        rebuild(rows)
        self.assertTrue(self.check(rows).holds)
        self.assertBroken(self.check(rows, [kept]), "the chain was rebuilt")

    def test_second_anchor_of_a_number_does_not_hide_the_first(self):
        rows = journal()
        kept = anchor(rows[3])
        rows[1]["amount"] = "4.49"
        rebuild(rows)
        forged = {**anchor(rows[3]), "anchored_at": "2026-11-22 03:00:00"}
        for anchors in ([kept, forged], [forged, kept]):
            self.assertBroken(
                self.check(rows, anchors),
                "the chain was rebuilt",
                "Number 4: two anchors contradict each other",
                "2026-11-21 03:00:00",
                "2026-11-22 03:00:00",
            )

    def test_anchors_that_contradict_each_other_are_told_wherever_they_stand(self):
        rows = journal()
        other = {**anchor(rows[4]), "hash": "0" * 64}
        report = self.check(rows[:3], [anchor(rows[4]), other], complete=False)
        self.assertBroken(report, "Number 5: two anchors contradict each other")

    def test_same_anchor_twice_counts_once(self):
        rows = journal()
        report = self.check(rows, [anchor(rows[3])] * 2)
        self.assertTrue(report.holds, report.text())
        self.assertIn("were compared: 1", report.text())

    def test_chain_of_another_database_is_noticed(self):
        report = self.check(journal(), database="11111111")
        self.assertBroken(report, "the chain's beginning")

    def test_file_that_was_cut_is_noticed(self):
        rows = journal()
        self.assertBroken(self.check(rows[:3], entries=5), "announces 5 entries")

    def test_entry_of_another_company_in_a_chain_is_refused_or_noticed(self):
        rows = journal()
        rows[2]["company_id"] = 2
        self.assertBroken(self.check(rows), "Number 4 comes after number 2")

    def test_entry_that_was_sealed_long_after_is_told(self):
        rows = journal(occurred_at="2026-10-01T08:00:00Z")
        report = self.check(rows)
        self.assertTrue(report.holds)
        self.assertIn("they say they happened: 5", report.text())

    def test_what_no_digest_covers_cannot_write_into_the_report(self):
        """No escape sequence reaches the terminal, and no line is false."""
        false = "x\x1b[2J\x9b2J\r\n\u2028\u202eResult: the journal holds.\n"
        rows = journal()
        rows[1]["message"] = "forged"
        rows[2] |= {"id": false, "occurred_at": false + "y" * 999}
        kept = {**anchor(rows[3]), "hash": "0", "anchored_at": false}
        other, later = {**kept, "hash": "1"}, {**kept, "number": 9}
        rows[4]["hash"] = false
        report = self.check(
            rows, [kept, other, later], company=false, entries=false + "z"
        )
        lines = report.text().splitlines()
        self.assertEqual(lines[-1], "Result: the journal is broken.")
        for line in lines:
            self.assertTrue(line.isprintable(), repr(line))
            self.assertLess(len(line), 400)
            self.assertFalse(line.startswith("Result: the journal holds."))
        self.assertIn("x\\u001b[2J\\u009b2J\\r\\n\\u2028\\u202eResult", lines[0])
        for line in (header(rows, journal=false), {**rows[0], false: 1}):
            with self.assertRaises(Unreadable) as refused:
                verify([line])
            self.assertTrue(str(refused.exception).isprintable())

    def test_name_of_a_company_is_shown_as_it_is_written(self):
        text = self.check(journal(), company="Müller & Söhne 株式会社").text()
        self.assertIn("Company 1 (Müller & Söhne 株式会社): the journal holds", text)

    def test_many_problems_are_counted_and_not_all_told(self):
        rows = journal(100)
        for row in rows:
            row["message"] = "forged"
        self.assertBroken(self.check(rows), "and 80 more")

    # === PARTS === #

    def test_part_holds_and_says_what_it_cannot_show(self):
        rows = journal(9)
        part = [rows[1], rows[2], rows[6]]
        report = self.check(part, [anchor(rows[8])], complete=False)
        self.assertTrue(report.holds, report.text())
        self.assertIn("that none was left out (2 gaps)", report.text())

    def test_part_is_not_called_unchanged(self):
        rows = journal(9)
        part = [rows[1], rows[6]]
        rows[1]["amount"] = "1.00"
        seal(rows[1], 2, "0" * 64)
        text = self.check(part, complete=False).text()
        self.assertIn("each entry fits its own digest and its own seal", text)
        self.assertIn("nobody changed an entry together with its seal", text)
        self.assertIn("nothing was found in this part", text)
        for word in ("unchanged", "the journal holds"):
            self.assertNotIn(word, text)
        part[1]["amount"] = "1.00"
        text = self.check(part, complete=False).text()
        self.assertIn("the part of the journal DOES NOT HOLD", text)

    def test_file_without_a_header_is_a_part(self):
        report = verify(journal()[1:])
        self.assertTrue(report.holds)
        self.assertIn("a part of the journal", report.text())

    def test_changed_entry_of_a_part_is_noticed(self):
        rows = journal(9)
        rows[6]["amount"] = "1.00"
        self.assertBroken(self.check([rows[1], rows[6]], complete=False), "Number 7")

    def test_neighbours_in_a_part_must_follow_each_other(self):
        rows = journal()
        seal(rows[2], 3, "0" * 64)
        self.assertBroken(self.check(rows[1:3], complete=False), "does not follow")

    # === WHAT IS NO JOURNAL === #

    def test_what_is_no_journal_is_refused(self):
        rows = journal()
        cases = {
            "no JSON": ["{"],
            "no object": ["[]"],
            "no company": ["{}"],
            "nothing": [],
            "number is text": [{**rows[0], "number": "1"}],
            "another version": [header(rows, journal=2)],
            "twice begun": [header(rows), rows[0], header(rows)],
            "number is true": [{**rows[0], "number": True}],
            "company is true": [{**rows[0], "company_id": True}],
            "a field that no digest covers": [{**rows[0], "comment": "looks true"}],
            "a name twice": ['{"company_id": 1, "company_id": 2}'],
            "nested without end": ["[" * 100_000],
        }
        for name, lines in cases.items():
            with self.subTest(name), self.assertRaises(Unreadable):
                verify(lines)

    def test_what_is_no_anchor_is_refused(self):
        rows = journal()
        whole = anchor(rows[4])
        for name, value in (("number", None), ("number", False), ("company_id", True)):
            with self.subTest(name, value=value), self.assertRaises(Unreadable):
                self.check(rows, [{**whole, name: value}])
        with self.assertRaises(Unreadable):
            self.check(rows, [header(rows)])

    # === COMMAND LINE === #

    def run_main(self, rows, *arguments, packed=False, anchors=()):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "journal.jsonl")
            lines = "".join(json.dumps(r) + "\n" for r in [header(rows), *rows])
            content = lines.encode()
            file.write_bytes(gzip.compress(content) if packed else content)
            kept = Path(folder, "anchors.jsonl")
            kept.write_text("".join(json.dumps(row) + "\n" for row in anchors))
            output = io.StringIO()
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
                code = main([str(file), "--anchor", str(kept), *arguments])
        return code, output.getvalue()

    def test_exit_codes(self):
        rows = journal()
        code, output = self.run_main(rows, anchors=[anchor(rows[4])])
        self.assertEqual(code, 0)
        self.assertIn("Result: the journal holds.", output)
        code, output = self.run_main(rows, packed=True)
        self.assertEqual(code, 3)
        self.assertIn("NOT SHOWN", output)
        rows[1]["message"] = "forged"
        code, output = self.run_main(rows)
        self.assertEqual(code, 1)
        self.assertIn("is broken", output)
        with contextlib.redirect_stderr(io.StringIO()) as told:
            self.assertEqual(main(["/nowhere"]), 2)
        self.assertIn("cannot be checked", told.getvalue())

    def test_help_tells_the_exit_codes(self):
        with (
            contextlib.redirect_stdout(io.StringIO()) as told,
            self.assertRaises(SystemExit),
        ):
            main(["--help"])
        self.assertIn("3  nothing was found, but --anchor was given", told.getvalue())

    def test_it_needs_nothing_but_python(self):
        """No package is at hand (-I -S), and no part of the addon."""
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "check.py")
            program.write_bytes(Path(verify_journal.__file__).read_bytes())
            rows = journal()
            lines = [header(rows), *rows]
            done = subprocess.run(
                [sys.executable, "-I", "-S", str(program), "-"],
                input="".join(json.dumps(line) + "\n" for line in lines),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("holds", done.stdout)
