import json
import threading
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, file_open, mute_logger

from ...models.base.background import in_own_transaction
from ...models.journal.link import SEAL_LOCK
from ...verify_journal import ROW_FIELDS, entry_digest, genesis, link_hash, verify
from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon

LINK = "odoo.addons.amazon_order_actions.models.journal.link"
CHECK = "odoo.addons.amazon_order_actions.models.journal.check"
TABLES = ("amazon_audit_entry", "amazon_audit_link", "amazon_audit_anchor")


class JournalCommon(AmazonOrderCommon):
    """A journal that a test can fill, seal, check and tamper with; it begins empty."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # That rights were given to the people of the tests is journaled, too.
        cls.env.cr.execute(
            "ALTER TABLE amazon_audit_entry DISABLE TRIGGER USER;"
            "DELETE FROM amazon_audit_entry WHERE company_id = %s;"
            "ALTER TABLE amazon_audit_entry ENABLE TRIGGER USER;"
            "ALTER TABLE amazon_audit_entry ENABLE ALWAYS TRIGGER amazon_append_only;"
            "ALTER TABLE amazon_audit_entry ENABLE ALWAYS TRIGGER amazon_no_truncate",
            [cls.company.id],
        )

    def fill(self, count=5, **vals):
        """Append entries, each in a chunk of its own."""
        return self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "account",
                    "company_id": self.company.id,
                    "message": f"Entry {number}",
                    **vals,
                }
                for number in range(count)
            ]
        )

    def seal(self, **how):
        self.env.flush_all()
        self.env["amazon.audit.link"]._seal(self.company, **how)
        self.env.invalidate_all()

    def verify(self):
        """Check the journal as a click does, and return the check."""
        action = self.env["amazon.audit.entry"].with_user(self.auditor).action_verify()
        self.env.invalidate_all()
        return self.env["amazon.audit.check"].browse(action["res_id"])

    def entries(self):
        return (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("company_id", "=", self.company.id)], order="id")
        )

    def links(self):
        return (
            self.env["amazon.audit.link"]
            .sudo()
            .search([("company_id", "=", self.company.id)], order="number")
        )

    def rows(self):
        return list(self.entries()._canonical_rows())

    def tamper(self, query, *params):
        """Do what only the owner of the table can: drop the guard first."""
        self.env.flush_all()
        for table in TABLES:
            self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self.env.cr.execute(query, params)
        for table in TABLES:
            self.env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestJournalChain(JournalCommon):
    """Entries carry their digest at once, and are sealed into a chain afterwards."""

    def test_digest_matches_what_postgresql_shows(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.account.with_user(self.admin).active = False
        self.fill(1, value_before="", value_after="ä\r\n'\"\\ \u2028", message=None)
        yen = self.env.ref("base.JPY")
        self.fill(1, amount=1234.4, currency_id=yen.id)
        self.fill(1, amount=7)
        rows = self.rows()
        self.assertGreater(len(rows), 8)
        for row in rows:
            self.assertEqual(set(row), set(ROW_FIELDS))
            self.assertEqual(row["digest"], entry_digest(row), row)
        self.assertEqual(rows[-2]["amount"], "1234")
        self.assertIsNone(rows[-1]["amount"])

    def test_entry_keeps_what_a_reader_needs_as_text(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        row = self.rows()[-1]
        self.assertEqual(row["actor_login"], "amazon_agent")
        self.assertEqual(row["actor_name"], self.agent.name)
        self.assertEqual(row["action_name"], action.name)
        self.assertEqual(row["seller_ref"], self.account.seller_id)
        self.assertEqual((row["amount"], row["currency_name"]), ("44.94", "EUR"))
        self.agent.sudo().name = "Somebody else"
        self.assertEqual(self.rows()[-1]["digest"], entry_digest(self.rows()[-1]))

    def test_digest_costs_no_query_of_the_click(self):
        sale_order = self.create_sale_order(SHIPPED)
        journal = type(self.env["amazon.audit.entry"])
        completed, counts = journal._completed, []

        def counted(entries, vals, now):
            before = entries.env.cr.sql_log_count
            values = completed(entries, vals, now)
            counts.append(entries.env.cr.sql_log_count - before)
            return values

        self.env.flush_all()
        self.env.invalidate_all()
        with patch.object(journal, "_completed", counted):
            self.ask_refund(sale_order)
        self.assertEqual(counts, [0])

    def test_context_of_a_caller_puts_nothing_into_an_entry(self):
        journal = self.env["amazon.audit.entry"].with_context(
            default_message="forged",
            default_request_ref="forged",
            default_value_after="forged",
            default_digest="forged",
        )
        entry = journal._append([{"event": "account", "company_id": self.company.id}])
        (row,) = entry._canonical_rows()
        self.assertNotIn("forged", row.values())
        self.assertEqual(row["digest"], entry_digest(row))

    def test_chain_of_sealed_entries_holds(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.seal()
        lines = list(self.entries()._export_lines())
        report = verify(lines)
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.entries, len(self.entries()))
        numbers = [json.loads(line).get("number") for line in lines[1:]]
        self.assertEqual(numbers, list(range(1, len(lines))))

    def test_sealing_again_adds_nothing(self):
        self.fill()
        self.seal()
        before = self.rows()
        self.seal()
        self.seal(of_all_time=True)
        self.assertEqual(self.rows(), before)

    def test_sealing_goes_on_where_it_ended_in_chunks(self):
        with patch(f"{LINK}.SEAL_CHUNK", 3):
            self.fill(8)
            self.seal()
            self.fill(3)
            self.seal()
        self.assertEqual(self.links().mapped("number"), list(range(1, 12)))
        self.assertTrue(verify(self.entries()._export_lines()).holds)

    def test_each_company_has_a_chain_of_its_own(self):
        other = self._create_company(name="Other")
        self.fill(2)
        self.fill(2, company_id=other.id)
        self.seal()
        self.env["amazon.audit.link"]._seal(other)
        self.assertEqual(self.links().mapped("number"), [1, 2])
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        first = self.links()[0]
        self.assertEqual(first.previous_hash, genesis(self.company.id, uuid))
        self.assertNotEqual(first.previous_hash, genesis(other.id, uuid))

    def test_entry_that_was_long_under_way_is_sealed_by_the_daily_check(self):
        entry = self.fill(1)
        self.fill(2)
        self.tamper(
            "UPDATE amazon_audit_entry SET occurred_at = occurred_at - interval '9d',"
            " digest = NULL WHERE id = %s",
            entry.id,
        )
        self.env["amazon.audit.link"]._insert([])
        with patch.object(
            type(self.env["amazon.audit.link"]),
            "_look_since",
            lambda *_args: self.env.cr.now().replace(hour=0, minute=0),
        ):
            self.seal()
        self.assertFalse(entry.number)
        self.seal()
        self.assertFalse(entry.number)
        self.seal(of_all_time=True)
        self.assertEqual(entry.number, 3)
        self.assertTrue(verify(self.entries()._export_lines()).holds)

    def test_entry_that_is_older_than_the_digests_is_sealed_by_its_content(self):
        entry = self.fill(1)
        self.tamper(
            "UPDATE amazon_audit_entry SET digest = NULL, version = NULL,"
            " actor_login = NULL, origin_id = 0, feed_ref = '' WHERE id = %s",
            entry.id,
        )
        self.seal()
        self.assertTrue(verify(self.entries()._export_lines()).holds)
        self.tamper("UPDATE amazon_audit_entry SET message = 'forged'")
        self.assertFalse(verify(self.entries()._export_lines()).holds)

    def test_entry_shows_its_place_in_the_chain(self):
        entries = self.fill(2).with_user(self.auditor)
        self.assertFalse(entries[0].number)
        self.seal()
        self.assertEqual(entries.mapped("number"), [1, 2])
        self.assertEqual(entries[1].previous_hash, entries[0].hash)
        found = entries.search([("number", "=", 2), ("id", "in", entries.ids)])
        self.assertEqual(found, entries[1])


@tagged("post_install", "-at_install")
class TestJournalGuard(JournalCommon):
    """Nobody changes the journal: not by the ORM, not by RPC, not by SQL."""

    def setUp(self):
        super().setUp()
        self.fill(3)
        self.seal()
        self.env["amazon.audit.anchor"]._make(self.company, "")
        self.env.flush_all()

    def test_orm_refuses_everybody(self):
        root = self.env.ref("base.user_root")
        for name in ("amazon.audit.entry", "amazon.audit.link", "amazon.audit.anchor"):
            row = self.env[name].sudo().search([], limit=1)
            for user in (self.auditor, self.admin, self.agent, root):
                for rows in (row.with_user(user), row.with_user(user).sudo()):
                    with self.assertRaises(AccessError):
                        rows.create({"company_id": self.company.id})
                    with self.assertRaises(AccessError):
                        rows.write({"company_id": self.company.id})
                    with self.assertRaises(AccessError):
                        rows.unlink()

    def test_postgresql_refuses_the_role_of_the_application(self):
        """Also where the role is no superuser, as it should be."""
        cr = self.env.cr
        cr.execute("CREATE ROLE amazon_test_app")
        cr.execute(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO amazon_test_app;"
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO amazon_test_app"
        )
        for table in TABLES:
            for query in (
                f"UPDATE {table} SET company_id = company_id",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                for role in ("amazon_test_app", None):
                    with self.subTest(query=query, role=role):
                        self.assertRefused(query, role)

    def test_postgresql_refuses_where_ordinary_triggers_are_off(self):
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        for table in TABLES:
            self.assertRefused(f"DELETE FROM {table}")
        self.env.cr.execute("SET LOCAL session_replication_role = origin")

    def test_application_can_append_and_not_drop_the_guard_of_another_owner(self):
        """The script of the handbook takes the tables away from its role."""
        cr = self.env.cr
        cr.execute("CREATE ROLE amazon_test_app")
        cr.execute(
            SQL(
                "ALTER DATABASE %s OWNER TO amazon_test_app",
                SQL.identifier(cr.dbname),
            )
        )
        cr.execute(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO amazon_test_app;"
            "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO amazon_test_app"
        )
        for table in TABLES:
            cr.execute(f"REVOKE ALL ON {table} FROM amazon_test_app")
        cr.execute(file_open("amazon_order_actions/data/journal_owner.sql").read())
        cr.execute("SET LOCAL ROLE amazon_test_app")
        self.fill(1)
        self.seal()
        self.assertTrue(verify(self.entries()._export_lines()).holds)
        self.env["amazon.audit.entry"].init()
        for query in (
            "ALTER TABLE amazon_audit_entry DISABLE TRIGGER ALL",
            "DROP TRIGGER amazon_append_only ON amazon_audit_entry",
            "CREATE OR REPLACE FUNCTION amazon_audit_refuse() RETURNS trigger"
            " AS 'BEGIN RETURN OLD; END' LANGUAGE plpgsql",
            "UPDATE amazon_audit_entry SET message = 'forged'",
            "DELETE FROM amazon_audit_link",
            "TRUNCATE amazon_audit_anchor",
            "DROP TABLE amazon_audit_link",
            "DROP TABLE amazon_audit_entry CASCADE",
            "DROP FUNCTION amazon_audit_refuse() CASCADE",
            "DROP SCHEMA public CASCADE",
            "ALTER SCHEMA public RENAME TO elsewhere",
        ):
            with (
                self.subTest(query),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.InsufficientPrivilege),
                cr.savepoint(),
            ):
                cr.execute(query)
        addon = self.env["ir.module.module"].search(
            [("name", "=", "amazon_order_actions")]
        )
        with self.assertRaisesRegex(UserError, "role amazon_journal_owner"):
            addon.button_uninstall()
        # as an installation or an update does
        cr.execute(
            "CREATE TABLE amazon_test_table (id int);"
            "ALTER TABLE amazon_test_table ADD COLUMN name varchar;"
            "DROP TABLE amazon_test_table"
        )
        cr.execute("RESET ROLE")

    def test_owner_script_warns_of_a_role_from_which_nothing_can_be_kept(self):
        cr = self.env.cr
        cr.execute("CREATE ROLE amazon_test_app CREATEROLE")
        cr.execute(
            SQL(
                "ALTER DATABASE %s OWNER TO amazon_test_app",
                SQL.identifier(cr.dbname),
            )
        )
        notices = cr.connection.notices
        notices.clear()
        cr.execute(file_open("amazon_order_actions/data/journal_owner.sql").read())
        self.assertIn("nothing is kept from it", "".join(notices))

    def assertRefused(self, query, role=None):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.InsufficientPrivilege) as refused,
            self.env.cr.savepoint(),
        ):
            if role:
                self.env.cr.execute(f"SET LOCAL ROLE {role}")
            self.env.cr.execute(query)
        self.assertIn("append-only", str(refused.exception))

    def test_guard_is_set_up_where_it_is_missing_and_left_where_it_is_there(self):
        self.env.cr.execute("DROP TRIGGER amazon_append_only ON amazon_audit_entry")
        journal = self.env["amazon.audit.entry"]
        self.assertFalse(journal._is_guarded())
        journal.init()
        self.assertTrue(journal._is_guarded())
        with self.assertQueryCount(1):
            journal.init()

    def test_who_reads_chain_and_anchors(self):
        for name in ("amazon.audit.link", "amazon.audit.anchor", "amazon.audit.check"):
            self.env[name].with_user(self.auditor).search([]).read([])
            for user in (self.agent, self.trainee, self.admin):
                with self.assertRaises(AccessError):
                    self.env[name].with_user(user).search([])

    def test_auditor_of_another_company_reads_nothing(self):
        other = self._create_company(name="Other")
        auditor = self.auditor.copy({"login": "other_auditor"})
        auditor.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        for name in ("amazon.audit.entry", "amazon.audit.link", "amazon.audit.anchor"):
            rows = self.env[name].with_user(auditor).with_company(other)
            rows = rows.with_context(allowed_company_ids=other.ids)
            self.assertNotIn(self.company, rows.search([]).company_id)
            some = (
                self.env[name]
                .sudo()
                .search([("company_id", "=", self.company.id)], limit=1)
            )
            with self.assertRaises(AccessError):
                rows.browse(some.id).read([])


@tagged("post_install", "-at_install")
class TestJournalTampering(JournalCommon):
    """Whoever owns the database can drop the guard; the check shows what was done."""

    def setUp(self):
        super().setUp()
        self.fill(6)
        self.seal()

    def assertBroken(self, *words):
        check = self.verify()
        self.assertEqual(check.state, "broken", check.details)
        for word in words:
            self.assertIn(word, check.details)
        return check

    def test_untouched_journal_holds(self):
        check = self.verify()
        self.assertEqual(check.state, "holds")
        self.assertIn("6 entries were checked", check.summary)
        self.assertIn(check.hash, check.summary)

    def test_changed_entry(self):
        entry = self.entries()[2]
        self.tamper(
            "UPDATE amazon_audit_entry SET message = 'forged' WHERE id = %s", entry.id
        )
        check = self.assertBroken("Number 3", f"entry {entry.id}", "was changed")
        self.assertIn("Number 3", check.summary)

    def test_value_that_the_digest_takes_for_null(self):
        """Nobody but who owns the database can write it: the journal writes null."""
        entry = self.entries()[2]
        for name, value in (("feed_ref", ""), ("value_after", ""), ("origin_id", 0)):
            with self.subTest(name):
                self.tamper(
                    f"UPDATE amazon_audit_entry SET {name} = %s WHERE id = %s",
                    value,
                    entry.id,
                )
                (row,) = entry._canonical_rows()
                self.assertEqual(row["digest"], entry_digest(row))
                self.assertBroken("Number 3", f"its {name} is written as")
                self.tamper(
                    f"UPDATE amazon_audit_entry SET {name} = NULL WHERE id = %s",
                    entry.id,
                )

    def test_changed_amount_and_digest(self):
        entry = self.entries()[2]
        eur = self.env.ref("base.EUR")
        self.tamper(
            "UPDATE amazon_audit_entry SET amount = 1, currency_id = %s WHERE id = %s",
            eur.id,
            entry.id,
        )
        (row,) = entry._canonical_rows()
        self.tamper(
            "UPDATE amazon_audit_entry SET digest = %s WHERE id = %s",
            entry_digest(row),
            entry.id,
        )
        self.assertBroken("Number 3", "changed after it was sealed")

    def test_removed_entry_and_link(self):
        link = self.links()[2]
        self.tamper(
            "DELETE FROM amazon_audit_link WHERE id = %s;"
            "DELETE FROM amazon_audit_entry WHERE id = %s",
            link.id,
            link.entry_id.id,
        )
        self.assertBroken("Number 4 comes after number 2")

    def test_removed_entry_alone(self):
        entry = self.entries()[2]
        self.env.cr.execute(
            "ALTER TABLE amazon_audit_link"
            " DROP CONSTRAINT amazon_audit_link_entry_id_fkey"
        )
        self.tamper("DELETE FROM amazon_audit_entry WHERE id = %s", entry.id)
        self.assertBroken("Number 3", "the entry itself is missing")

    def test_removed_last_entries_are_noticed_by_the_anchor(self):
        self.env["amazon.audit.anchor"]._make(self.company, "")
        last = self.links()[-2:]
        self.tamper(
            "DELETE FROM amazon_audit_link WHERE id = ANY(%s);"
            "DELETE FROM amazon_audit_entry WHERE id = ANY(%s)",
            last.ids,
            last.entry_id.ids,
        )
        self.assertBroken("ends with number 4", "later entries were removed")

    def test_link_below_the_first_number_is_refused(self):
        entry = self.fill(1)
        for number in (0, -1):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.hide(entry, number)

    def test_entry_that_is_hidden_from_the_chain_is_noticed(self):
        other = self._create_company(name="Other")
        for number, company in ((0, self.company), (-1, self.company), (1, other)):
            with (
                self.subTest(number=number, company=company.name),
                self.env.cr.savepoint() as savepoint,
            ):
                self.env.cr.execute(
                    "ALTER TABLE amazon_audit_link"
                    " DROP CONSTRAINT IF EXISTS amazon_audit_link_number_positive"
                )
                self.hide(self.fill(1), number, company)
                self.assertBroken("7 entries have a link, but 6 stand in the chain")
                savepoint.rollback()

    def hide(self, entry, number, company=None):
        """Link an entry where nobody who checks looks."""
        self.tamper(
            "INSERT INTO amazon_audit_link (company_id, number, entry_id, entry_digest,"
            " previous_hash, hash, sealed_at) VALUES (%s, %s, %s, '', '', '', now())",
            (company or self.company).id,
            number,
            entry.id,
        )

    def test_exchanged_entries(self):
        first, second = self.links()[1:3]
        self.tamper(
            "UPDATE amazon_audit_link SET number = 99 WHERE id = %s;"
            "UPDATE amazon_audit_link SET number = 2 WHERE id = %s;"
            "UPDATE amazon_audit_link SET number = 3 WHERE id = %s",
            first.id,
            second.id,
            first.id,
        )
        self.assertBroken("Number 2", "Number 3", "link in the chain was changed")

    def test_forged_entry_at_the_end_without_a_digest_of_its_own(self):
        self.tamper(
            "INSERT INTO amazon_audit_entry (company_id, user_id, event, occurred_at,"
            " version, digest) VALUES (%s, %s, 'asked', now(), 1, repeat('0', 64))",
            self.company.id,
            self.agent.id,
        )
        self.assertBroken("Number 7", "changed after it was sealed")

    def test_chain_that_was_built_anew_is_noticed_by_the_anchor(self):
        self.env["amazon.audit.anchor"]._make(self.company, "")
        self.tamper("UPDATE amazon_audit_entry SET message = 'forged'")
        self.tamper(
            "UPDATE amazon_audit_entry SET digest = NULL;"
            "DELETE FROM amazon_audit_link WHERE company_id = %s",
            self.company.id,
        )
        self.seal(of_all_time=True)
        self.assertTrue(verify(self.entries()._export_lines()).holds)
        self.assertBroken("the chain was rebuilt")

    def test_second_anchor_of_a_number_does_not_hide_the_first(self):
        anchors = self.env["amazon.audit.anchor"]
        anchors._make(self.company, "")
        self.tamper(
            "INSERT INTO amazon_audit_anchor (company_id, number, hash, database_uuid,"
            " anchored_at) SELECT company_id, number, repeat('0', 64), database_uuid,"
            " anchored_at FROM amazon_audit_anchor"
            " WHERE company_id = %s AND number > 0",
            self.company.id,
        )
        self.assertBroken("Number 6: two anchors contradict each other")

    def test_break_raises_an_alarm_that_administrators_and_auditors_get(self):
        self.tamper("UPDATE amazon_audit_entry SET message = 'forged'")
        self.assertBroken()
        alarm = self.env["amazon.alarm"].search(
            [("kind", "=", "journal"), ("company_id", "=", self.company.id)]
        )
        self.assertEqual(alarm.state, "open")
        self.assertIn("does not hold", alarm.message)
        told = alarm.activity_ids.user_id
        self.assertIn(self.admin, told)
        self.assertIn(self.auditor, told)
        self.assertIn(self.auditor.partner_id, alarm.message_ids.partner_ids)

    def test_check_is_journaled(self):
        self.verify()
        entry = self.entries()[-1]
        self.assertEqual((entry.event, entry.state_to), ("journal", "holds"))
        self.assertEqual(entry.user_id, self.auditor)

    def test_long_check_is_done_in_the_background_from_where_it_stopped(self):
        with (
            patch(f"{CHECK}.READ_CHUNK", 2),
            patch(f"{CHECK}.CLICK_SECONDS", 0),
            patch(
                "odoo.addons.amazon_order_actions.models.journal.export.READ_CHUNK",
                2,
            ),
        ):
            check = self.verify()
            self.assertEqual(check.state, "running")
            check._run(0)
            rounds = 0
            with patch(f"{CHECK}.time.monotonic", side_effect=range(1000)):
                while check.state == "running":
                    check._run(2)
                    rounds += 1
        self.assertGreater(rounds, 2)
        self.assertEqual(check.state, "holds", check.details)
        self.assertEqual(check.entries, 6)

    def test_only_auditors_may_check(self):
        for user in (self.agent, self.admin, self.trainee):
            with self.assertRaises(AccessError):
                self.env["amazon.audit.entry"].with_user(user).action_verify()


@tagged("post_install", "-at_install")
class TestSealingAtOnce(TransactionCase):
    """Real transactions: those who append do not wait, the sealer misses nothing."""

    def setUp(self):
        super().setUp()
        # Rows that are really committed must be removed, past the guard.
        self.addCleanup(self.remove_committed)
        with self.cursor() as cr:
            cr.execute(
                """
                INSERT INTO res_company
                SELECT (jsonb_populate_record(NULL::res_company, to_jsonb(company)
                       || jsonb_build_object('id', nextval('res_company_id_seq'),
                                             'name', 'Sealed at once ' || now()))).*
                  FROM res_company AS company ORDER BY id LIMIT 1
                RETURNING id
                """
            )
            self.company_id = cr.fetchone()[0]

    def cursor(self):
        return self.registry.cursor()

    def remove_committed(self):
        with self.cursor() as cr:
            for name in ("link", "anchor", "entry"):
                table = f"amazon_audit_{name}"
                cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cr.execute(
                    f"DELETE FROM {table} WHERE company_id = %s", [self.company_id]
                )
                cr.execute(
                    f"ALTER TABLE {table} ENABLE TRIGGER USER;"
                    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER amazon_append_only;"
                    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER amazon_no_truncate"
                )
            cr.execute("DELETE FROM res_company WHERE id = %s", [self.company_id])

    def env_of(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})

    def append(self, cr, count=1):
        vals = {"event": "account", "company_id": self.company_id}
        return self.env_of(cr)["amazon.audit.entry"]._append([vals] * count).ids

    def seal(self):
        with self.cursor() as cr:
            env = self.env_of(cr)
            env["amazon.audit.link"]._seal(env["res.company"].browse(self.company_id))

    def chain(self):
        """Return the ids of the entries in the order of the chain; it must hold."""
        with self.cursor() as cr:
            env = self.env_of(cr)
            company = env["res.company"].browse(self.company_id)
            report = verify(env["amazon.audit.entry"]._all_lines(company))
            self.assertTrue(report.holds, report.text())
            links = env["amazon.audit.link"].search(
                [("company_id", "=", self.company_id)], order="number"
            )
            self.assertEqual(links.mapped("number"), list(range(1, len(links) + 1)))
            return links.entry_id.ids

    def test_entry_that_is_committed_late_comes_later(self):
        with self.cursor() as slow:
            (late,) = self.append(slow)
            with self.cursor() as quick:
                (early,) = self.append(quick)
            self.assertLess(late, early)
            self.seal()
            self.assertEqual(self.chain(), [early])
        self.seal()
        self.assertEqual(self.chain(), [early, late])

    def test_nobody_who_appends_waits_for_a_sealer(self):
        with self.cursor() as sealer:
            sealer.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SEAL_LOCK, self.company_id]
            )
            with self.cursor() as agent, self.cursor() as other:
                agent.execute("SET LOCAL lock_timeout = '1s'")
                other.execute("SET LOCAL lock_timeout = '1s'")
                self.append(agent)
                self.append(other)

    def test_sealer_that_waited_sees_what_the_one_before_sealed(self):
        with self.cursor() as cr:
            self.append(cr, 3)
        with self.cursor() as lock:
            lock.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)", [SEAL_LOCK, self.company_id]
            )
            second = threading.Thread(target=self.seal)
            second.start()
            second.join(0.5)
            self.assertTrue(second.is_alive())
            links = self.env_of(lock)["amazon.audit.link"]
            in_own_transaction(links, "_seal_chunk", self.company_id, True, False, 0)
            with self.cursor() as cr:
                self.append(cr, 2)
        second.join(30)
        self.assertEqual(len(self.chain()), 5)

    def test_two_sealers_at_once_make_one_chain(self):
        with patch(f"{LINK}.SEAL_CHUNK", 7):
            threads = [threading.Thread(target=self.seal) for _number in range(2)]
            with self.cursor() as cr:
                ids = self.append(cr, 50)
            for thread in threads:
                thread.start()
            with self.cursor() as cr:
                ids += self.append(cr, 20)
            for thread in threads:
                thread.join(60)
            self.seal()
        self.assertEqual(sorted(self.chain()), sorted(ids))

    def test_hash_binds_number_entry_and_time(self):
        with self.cursor() as cr:
            self.append(cr, 2)
        self.seal()
        with self.cursor() as cr:
            rows = list(
                self.env_of(cr)["amazon.audit.entry"]._chain_rows(self.company_id, 0)
            )
        link = {**rows[1], "entry_id": rows[1]["id"]}
        self.assertEqual(link_hash(link), rows[1]["hash"])
        for name in ("number", "entry_id", "sealed_at", "previous_hash"):
            self.assertNotEqual(link_hash({**link, name: "1"}), rows[1]["hash"])
