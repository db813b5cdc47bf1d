import fcntl
import json
import os
import resource
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.tests.common import BaseCommon

from ...models.life import life_record
from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED
from ..control.test_stop import StopCommon

LIFE = "odoo.addons.amazon_order_actions.models.life.life"


class LifeCommon(StopCommon):
    """A database that has sent, and its record."""

    def setUp(self):
        super().setUp()
        self.database = self.env.cr.dbname
        self.key = self.env["amazon.life"]._seller_key(self.account)
        self.enterContext(mute_logger(LIFE))

    # === WHAT HAPPENS TO A DATABASE === #

    def check(self):
        self.env.flush_all()
        in_order = self.env["amazon.life"]._check()
        self.env.invalidate_all()
        return in_order

    def send(self, ref=SHIPPED):
        action = self.ask_refund(self.create_sale_order(ref))
        self.run_jobs("_job_dispatch")
        return action

    def restore(self, lost=5, token=None, seller=None):
        """Let the record be ahead, as it is after a backup was restored."""
        record = life_record.read(self.database)
        # a sequence is not rolled back with the tests before
        key = self.env["amazon.life"]._seller_key(seller or self.account)
        self.env.cr.execute("SELECT last_value FROM amazon_sending_id_seq")
        numbers = {key: self.env.cr.fetchone()[0] + lost}
        life_record.begin(self.database, token or record.token, numbers)

    def lose_record(self):
        Path(life_record._path(self.database)).unlink()

    # === WHAT IS SEEN === #

    def found(self):
        """Return what was found and not decided on yet, by account."""
        stops = self.stops().filtered("needs_decision")
        return {stop.account_id: self.life().finding for stop in stops}

    def life(self):
        """Return the life that the database lives."""
        return self.env["amazon.life"].search([], limit=1)

    def created_feeds(self):
        return self.simulator.ledger()["calls"].get("createFeed", 0)


@tagged("post_install", "-at_install")
class TestLifeRecord(BaseCommon):
    """The file that says how far a database has come."""

    def setUp(self):
        super().setUp()
        self.folder = self.enterContext(TemporaryDirectory())
        path = f"{self.folder}/made/by the program"
        self.enterContext(patch.object(life_record, "folder", lambda: path))

    def test_there_is_none_at_first(self):
        self.assertIsNone(life_record.read("db"))
        self.assertIsNone(life_record.note("db", "A", 1))
        self.assertIsNone(life_record.read("db"))

    def test_numbers_only_grow(self):
        life_record.begin("db", "T1", {"A": 4})
        self.assertEqual(life_record.note("db", "A", 3), ("T1", {"A": 4}, 0))
        life_record.note("db", "A", 5)
        life_record.note("db", "B", 2)
        self.assertEqual(life_record.read("db"), ("T1", {"A": 5, "B": 2}, 0))
        life_record.begin("db", "T2", {"A": 1, "C": 9})
        self.assertEqual(life_record.read("db"), ("T2", {"A": 5, "B": 2, "C": 9}, 0))
        self.assertEqual(life_record.read("db").last_number(), 9)

    def test_what_was_asked_for_only_grows_until_a_new_life(self):
        life_record.note_asked("db", 7)
        self.assertIsNone(life_record.read("db"), "where there is a record")
        life_record.begin("db", "T1", {"A": 4})
        for newest in (7, 6):
            life_record.note_asked("db", newest)
            self.assertEqual(life_record.read("db"), ("T1", {"A": 4}, 7))
        life_record.note("db", "A", 5)
        self.assertEqual(life_record.read("db"), ("T1", {"A": 5}, 7))
        life_record.begin("db", "T2", {})
        self.assertEqual(life_record.read("db"), ("T2", {"A": 5}, 0))

    def test_nothing_is_left_of_a_database_that_is_forgotten(self):
        life_record.begin("db", "T1", {"A": 4})
        life_record.begin("other", "T2", {"A": 5})
        life_record.forget("db")
        self.assertIsNone(life_record.read("db"))
        self.assertEqual(life_record.read("other").token, "T2")
        self.assertFalse([*Path(life_record.folder()).glob("db.*")])
        life_record.forget("other")
        self.assertFalse(Path(life_record.folder()).exists())
        life_record.forget("other")

    def test_folder_that_an_administrator_named_stays(self):
        configured = patch.object(life_record, "_configured_folder", lambda _path: "x")
        life_record.begin("db", "T1", {"A": 4})
        with configured:
            life_record.forget("db")
        self.assertTrue(Path(life_record.folder()).is_dir())

    def test_each_database_has_its_own_whatever_its_name(self):
        names = ["db", "../db", "a/b", "ü %41", "db.json", ".."]
        for number, name in enumerate(names, 1):
            life_record.begin(name, "T", {"A": number})
        for number, name in enumerate(names, 1):
            self.assertEqual(life_record.read(name).last_number(), number, name)
        inside = os.path.realpath(life_record.folder())
        for name in names:
            path = os.path.realpath(life_record._path(name))
            self.assertEqual(os.path.dirname(path), inside)

    def test_what_makes_no_sense_is_none(self):
        life_record.begin("db", "T", {"A": 1})
        for text in ("", "[]", "{}", '{"token": "T", "numbers": {"A": "x"}}', "\0"):
            Path(life_record._path("db")).write_text(text)
            self.assertIsNone(life_record.read("db"), text)

    def test_folder_that_cannot_be_made_is_told(self):
        Path(self.folder, "made").write_text("a file")
        for use in (
            lambda: life_record.read("db"),
            lambda: life_record.note("db", "A", 1),
            lambda: life_record.begin("db", "T", {}),
            lambda: life_record.check("db"),
        ):
            with self.assertRaises(life_record.RecordUnusable):
                use()

    def test_nobody_waits_for_ever_for_the_one_who_holds_it(self):
        life_record.begin("db", "T", {"A": 1})
        self.enterContext(patch.object(life_record, "LOCK_SECONDS", 0.1))
        with open(f"{life_record._path('db')}.lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for use in (
                lambda: life_record.note("db", "A", 2),
                lambda: life_record.check("db"),
            ):
                with self.assertRaises(life_record.RecordUnusable):
                    use()
        life_record.check("db")

    def test_disk_without_room_is_found(self):
        life_record.begin("db", "T", {"A": 1})
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        # PostgreSQL's and the log's files are written by others, or end below it
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
        try:
            with self.assertRaises(life_record.RecordUnusable):
                life_record.check("db")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        life_record.check("db")

    def test_it_holds_neither_secrets_nor_buyers(self):
        life_record.begin("db", "T", {"A": 1})
        content = json.loads(Path(life_record._path("db")).read_text())
        self.assertEqual(content, {"token": "T", "numbers": {"A": 1}, "asked": 0})

    def test_folder_may_be_named_in_the_configuration_file(self):
        self.assertEqual(life_record._configured_folder(None), "")
        path = Path(self.folder, "odoo.conf")
        path.write_text("[options]\n[amazon_order_actions]\nlife_dir = /srv/life\n")
        self.assertEqual(life_record._configured_folder(str(path)), "/srv/life")


@tagged("post_install", "-at_install")
class TestLife(LifeCommon):
    """A database that is not the one that sent last finds that, and stops."""

    # === IN ORDER === #

    def test_each_sending_is_in_the_record_before_it_leaves(self):
        seen = []
        feeds = type(self.env["amazon.feed"])
        create_feed = feeds._create_feed

        def look(records, client, sending):
            seen.append(life_record.read(self.database).numbers)
            return create_feed(records, client, sending)

        with patch.object(feeds, "_create_feed", look):
            self.send()
        newest = self.env["amazon.sending"].search([], limit=1)
        self.assertEqual(newest.seller_key, self.key)
        self.assertEqual(seen, [{self.key: newest.id}])

    def test_each_call_is_in_the_record_before_it_leaves(self):
        seen = []
        calls = type(self.env["amazon.call"])
        make = calls._make

        def look(records, client, *call):
            seen.append(life_record.read(self.database).numbers)
            return make(records, client, *call)

        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        with patch.object(calls, "_make", look):
            self.run_jobs("_job_call")
        newest = self.env["amazon.sending"].search([], limit=1)
        self.assertEqual(seen, [{self.key: newest.id}])
        self.assertNotEqual(action.state, "queued")

    def test_database_that_sends_goes_on(self):
        for ref in (SHIPPED, "305-2260917-9913547"):
            action = self.send(ref)
            self.assertIn(action.state, ("submitted", "accepted"))
            self.assertTrue(self.check())
        self.assertFalse(self.found())

    def test_first_record_is_simply_made_and_kept(self):
        self.lose_record()
        self.assertTrue(self.check())
        record = life_record.read(self.database)
        self.assertEqual(record.numbers, {})
        self.assertTrue(self.check())
        self.assertEqual(life_record.read(self.database), record)
        self.assertFalse(self.found())

    def test_copy_without_history_is_not_flagged(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.lose_record()
        self.assertTrue(self.check())
        self.run_jobs("_job_dispatch")
        self.assertEqual(self.created_feeds(), 1)

    def test_new_database_with_a_former_name_and_other_sellers_begins_anew(self):
        life_record.begin(self.database, "OLDX", {"SOMEBODY eu production": 10**9})
        for _time in range(2):
            self.assertTrue(self.check())
            self.assertEqual(life_record.read(self.database).numbers, {})
        self.assertFalse(self.found())

    # === FOUND === #

    def test_restored_backup_stops_before_it_sends(self):
        self.send()
        action = self.ask_refund(self.create_sale_order("305-2260917-9913547"))
        self.restore()
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.created_feeds(), 1)
        self.assertEqual(self.found(), {self.account: "behind"})

    def test_restored_backup_stops_though_nothing_was_sent_since(self):
        action = self.send()
        waits = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.check()
        newest = self.last_action().id
        self.assertEqual(life_record.read(self.database).asked, newest)
        # somebody asked for one more, which the backup does not have
        life_record.note_asked(self.database, newest + 1)
        prefix = self.env.ref("amazon_order_actions.sequence_amazon_action").prefix
        self.run_jobs("_job_dispatch")
        self.assertEqual(self.found(), {self.account: "behind"})
        self.assertEqual(waits.state, "queued")
        self.assertEqual(self.created_feeds(), 1)
        after = self.env.ref("amazon_order_actions.sequence_amazon_action").prefix
        self.assertNotEqual(after, prefix)
        self.assertNotEqual(action, waits)
        # the same is found once
        life = self.env["amazon.life"].search([])
        self.check()
        self.assertEqual(self.env["amazon.life"].search([]), life)

    def test_what_was_asked_for_is_written_down_once_it_is_committed(self):
        self.send()
        self.env.cr.postcommit.clear()
        action = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        life_record.begin(self.database, life_record.read(self.database).token, {})
        self.env.cr.postcommit.run()
        self.assertEqual(life_record.read(self.database).asked, action.id)

    def test_restored_backup_of_before_the_first_sending_stops(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.restore()
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, self.created_feeds()), ("queued", 0))
        self.assertEqual(self.found(), {self.account: "behind"})

    def test_restored_backup_stops_calls(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.restore()
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertNotIn("confirmShipment", self.simulator.ledger()["calls"])
        self.assertEqual(self.found(), {self.account: "behind"})

    def test_record_that_gets_ahead_between_commit_and_call_holds_it(self):
        feed = self.ask_refund(self.create_sale_order(SHIPPED))
        call = self.ask_ship(self.create_sale_order(UNSHIPPED))
        lives = type(self.env["amazon.life"])
        let_leave = lives._let_leave

        def late(records, account):
            self.restore(lost=50)
            return let_leave(records, account)

        for action, job in ((feed, "_job_dispatch"), (call, "_job_call")):
            with self.subTest(job), patch.object(lives, "_let_leave", late):
                self.run_jobs(job)
                self.assertEqual(action.state, "queued")
                self.assertIn("restored from a backup", action.state_message)
            self.stops().filtered("needs_decision")._finish("for the next one")
        self.assertEqual(self.created_feeds(), 0)
        self.assertNotIn("confirmShipment", self.simulator.ledger()["calls"])

    def test_copy_under_another_name_stops(self):
        self.send()
        path = Path(life_record._path(self.database))
        path.rename(path.with_name("the_original.json"))
        action = self.ask_refund(self.create_sale_order("305-2260917-9913547"))
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.found(), {self.account: "no_record"})

    def test_record_that_vanishes_before_the_call_holds_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        lives = type(self.env["amazon.life"])
        let_leave = lives._let_leave

        def late(records, account):
            self.lose_record()
            return let_leave(records, account)

        with patch.object(lives, "_let_leave", late):
            self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, self.created_feeds()), ("queued", 0))

    def test_record_of_a_life_that_is_unknown_here_stops(self):
        self.send()
        self.restore(lost=0, token="ZZZZ")
        self.assertFalse(self.check())
        self.assertEqual(self.found(), {self.account: "other_life"})

    def test_record_of_a_former_life_of_this_database_is_in_order(self):
        """A host with a folder of its own, which was off meanwhile."""
        self.send()
        former = life_record.read(self.database)
        self.restore()
        self.assertFalse(self.check())
        self.stops()._finish("decided")
        self.lose_record()
        life_record.begin(self.database, former.token, former.numbers)
        self.assertTrue(self.check())

    def test_watch_finds_it_where_nothing_is_sent(self):
        self.send()
        self.restore()
        self.env["amazon.watch"]._cron_watch()
        self.assertEqual(self.found(), {self.account: "behind"})
        self.env["amazon.watch"]._cron_watch()
        alarm = self.env["amazon.alarm"].search(
            [("kind", "=", "life"), ("state", "=", "open")]
        )
        self.assertEqual(alarm.account_id, self.account)
        self.assertIn("restored from a backup", alarm.message)

    def test_administrators_are_told_at_once(self):
        self.send()
        self.restore()
        self.check()
        self.run_jobs("_job_tell_life")
        alarm = self.env["amazon.alarm"].search([("kind", "=", "life")])
        self.assertTrue(alarm.is_told)
        self.assertEqual(alarm.account_id, self.account)

    def test_the_same_is_found_once(self):
        self.send()
        self.restore()
        self.assertFalse(self.check())
        stops = self.stops()
        self.assertTrue(self.check())
        self.assertEqual(self.stops(), stops)
        self.assertTrue(self.found())

    def test_it_is_found_again_after_a_second_restore(self):
        self.send()
        self.restore()
        self.check()
        first = self.stops()
        self.restore()
        self.assertFalse(self.check())
        self.assertTrue(first.ended_at)
        self.assertEqual(self.found(), {self.account: "behind"})

    def test_stop_by_an_administrator_stays_beside_it(self):
        self.send()
        by_hand = self.stop_as(self.admin, account_id=self.account.id)
        self.restore()
        self.check()
        self.assertEqual(len(self.stops()), 2)
        self.resume_as(self.admin, by_hand)
        self.assertFalse(self.account._may_send())
        self.stop_as(self.admin, account_id=self.account.id)
        self.assertEqual(len(self.stops()), 2)

    def test_all_accounts_with_a_history_stop_and_no_others(self):
        self.send()
        spare = self._create_account(seller_id="SPARE")
        archived = self._create_account(seller_id="ARCHIVED", active=False)
        self.env["amazon.sending"].create(
            {"seller_key": self.env["amazon.life"]._seller_key(archived)}
        )
        by_record = self.elsewhere_account
        self.restore(seller=by_record)
        self.assertFalse(self.check())
        self.assertEqual(
            self.found(),
            dict.fromkeys((self.account, archived, by_record), "behind"),
        )
        self.assertTrue(spare._may_send())
        self.assertEqual(self.stops().company_id, self.company | self.elsewhere)

    def test_account_whose_first_action_waits_stops_with_the_others(self):
        """It may have been sent by the other life, which this host knows nothing of."""
        self.send()
        waiting = self.ask_refund(self.create_sale_order("305-2260917-9913547"))
        other = self._create_account(seller_id="NEW")
        waiting.order_id.account_id = other
        waiting.account_id = other
        self.lose_record()
        self.assertFalse(self.check())
        self.assertEqual(
            self.found(), dict.fromkeys((self.account, other), "no_record")
        )

    def test_number_that_another_database_has_taken_too_holds_it(self):
        """A copy that shares the record, and sends at the same moment."""
        self.send()
        action = self.ask_refund(self.create_sale_order("305-2260917-9913547"))
        note = life_record.note

        def late(database, key, number):
            note(database, key, number)
            return note(database, key, number)

        with patch.object(life_record, "note", late):
            self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, self.created_feeds()), ("queued", 1))
        self.assertEqual(self.found(), {self.account: "behind"})

    def test_numbers_go_on_above_those_of_the_lost_time(self):
        self.send()
        self.restore(lost=40)
        ahead = life_record.read(self.database).last_number()
        self.check()
        self.assertGreater(self.env["amazon.sending"].search([], limit=1).id, ahead)

    def test_stop_says_what_was_found_and_who_found_it(self):
        self.send()
        self.restore()
        self.check()
        stop = self.stops()
        self.assertEqual(stop.author, "the program")
        self.assertIn("restored from a backup", stop.reason)
        self.assertIn(self.life().token, stop.reason)
        entry = self.stop_entries()[-1]
        self.assertEqual(entry.account_id, self.account)
        self.assertIn("restored from a backup", entry.message)

    def test_what_was_known_before_it_was_found_is_too_old(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.restore()
        self.check()
        self.assertEqual(action._decided_at(), self.account.life_found_at)

    # === REFERENCES === #

    def prefix(self):
        sequence = self.env.ref("amazon_order_actions.sequence_amazon_action")
        return sequence.prefix

    def test_references_of_a_new_life_are_no_former_ones(self):
        former = self.send().name
        for _time in range(2):
            self.restore()
            self.check()
            token = self.life().token
            self.assertEqual(self.prefix(), f"AMZ-{token}-%(year)s-")
        action = self.ask_refund(self.create_sale_order("305-2260917-9913547"))
        year = fields.Date.today().year
        self.assertTrue(action.name.startswith(f"AMZ-{token}-{year}-"))
        self.assertNotEqual(action.name, former)
        line = action.line_ids[0]
        ref = action._kind()._build_message(action).items[0]
        self.assertEqual(ref.merchant_adjustment_item_id, f"{action.name}-{line.id}")
        self.assertLessEqual(len(ref.merchant_adjustment_item_id), 50)

    def test_prefix_of_an_administrator_is_kept(self):
        sequence = self.env.ref("amazon_order_actions.sequence_amazon_action")
        for prefix, wanted in (
            ("REF/%(y)s/%(month)s/", "REF/{}-%(y)s/%(month)s/"),
            ("X", "X{}-"),
            (False, "{}-"),
        ):
            with self.subTest(prefix):
                sequence.prefix = prefix
                self.send_number()
                self.restore()
                self.check()
                token = self.life().token
                self.assertEqual(sequence.prefix, wanted.format(token))

    def send_number(self):
        self.env["amazon.sending"].create({"seller_key": self.key})

    def test_first_click_after_a_restore_makes_no_reference_of_before(self):
        self.send()
        sale_order = self.create_sale_order("305-2260917-9913547")
        self.restore()
        count = self.env["amazon.action"].search_count([])
        self.registry._amazon_life_checked = False
        self.addCleanup(setattr, self.registry, "_amazon_life_checked", True)
        with self.assertRaisesRegex(UserError, "restored, copied or moved"):
            self.ask_refund(sale_order)
        self.assertEqual(self.env["amazon.action"].search_count([]), count)
        action = self.ask_refund(sale_order)
        self.assertIn(self.life().token, action.name)

    def test_no_click_makes_a_reference_while_somebody_else_begins_a_new_life(self):
        self.send()
        sale_order = self.create_sale_order("305-2260917-9913547")
        self.restore()
        self.registry._amazon_life_checked = False
        self.addCleanup(setattr, self.registry, "_amazon_life_checked", True)
        busy = patch.object(
            type(self.env["amazon.life"]), "_alone", lambda self: nullcontext(False)
        )
        with busy:
            for _click in range(2):
                with self.assertRaisesRegex(UserError, "Ask again"):
                    self.ask_refund(sale_order)
        self.assertFalse(self.check())
        self.assertIn(self.life().token, self.ask_refund(sale_order).name)

    def test_click_that_began_before_a_new_life_is_run_again(self):
        self.send()
        sale_order = self.create_sale_order("305-2260917-9913547")
        self.restore()
        self.assertFalse(self.check())
        self.registry._amazon_life_checked = False
        self.addCleanup(setattr, self.registry, "_amazon_life_checked", True)
        lives = type(self.env["amazon.life"])
        search_count = lives.search_count

        def older(model, domain, *args, **kwargs):
            """As a transaction sees it that began before the new life."""
            if model.env.cr is self.env.cr and "finding" not in str(domain):
                return 0
            return search_count(model, domain, *args, **kwargs)

        with (
            patch.object(lives, "search_count", older),
            self.assertRaises(ConcurrencyError),
        ):
            self.ask_refund(sale_order)
        self.assertFalse(self.registry._amazon_life_checked)
        self.assertIn(self.life().token, self.ask_refund(sale_order).name)

    # === A RECORD THAT CANNOT BE WRITTEN === #

    def break_folder(self):
        path = Path(life_record.folder(), "a file")
        path.write_text("")
        broken = patch.object(life_record, "folder", lambda: str(path / "folder"))
        self.enterContext(broken)
        return broken

    def test_nothing_is_sent_that_cannot_be_written_down(self):
        feed = self.ask_refund(self.create_sale_order(SHIPPED))
        call = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.break_folder()
        postponed = self.run_jobs("_job_dispatch", "_job_call")
        self.assertEqual(len(postponed), 2)
        for action in (feed, call):
            self.assertEqual(action.state, "queued")
        self.assertEqual(self.created_feeds(), 0)
        self.assertFalse(self.found())

    def test_nothing_leaves_where_the_folder_breaks_at_the_last_moment(self):
        feed = self.ask_refund(self.create_sale_order(SHIPPED))
        call = self.ask_ship(self.create_sale_order(UNSHIPPED))
        lives = type(self.env["amazon.life"])
        let_leave = lives._let_leave

        def late(records, account):
            self.break_folder()
            return let_leave(records, account)

        folder = life_record.folder
        for action, job in ((feed, "_job_dispatch"), (call, "_job_call")):
            with self.subTest(job), patch.object(lives, "_let_leave", late):
                self.run_jobs(job)
                self.assertEqual(action.state, "queued")
                self.assertIn("cannot write down", action.state_message)
            self.enterContext(patch.object(life_record, "folder", folder))
        self.assertEqual(self.created_feeds(), 0)

    def test_folder_that_breaks_raises_an_alarm_that_ends_with_it(self):
        alarms = self.env["amazon.alarm"].with_company(self.company)
        watch = self.env["amazon.watch"].with_company(self.company)
        folder = life_record.folder
        self.break_folder()
        watch._cron_watch()
        alarm = alarms.search(
            [("kind", "=", "life_record"), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(alarm.state, "open")
        self.assertIn("cannot write down", alarm.message)
        self.enterContext(patch.object(life_record, "folder", folder))
        watch._cron_watch()
        self.assertEqual(alarm.state, "over")

    # === NEUTRALIZED === #

    def test_neutralized_copy_stays_stopped_twice(self):
        self.send()
        self.lose_record()
        self.stop_as(self.admin, "action_stop_everything")
        self.check()
        self.assertEqual(len(self.stops().filtered("needs_decision")), 1)
        self.assertFalse(self.account._may_send())
