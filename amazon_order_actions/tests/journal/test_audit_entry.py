import psycopg2

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import FBA_SHIPPED, SHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestAuditEntry(AmazonOrderCommon):
    """The journal can be read by its group, and written by nobody."""

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        self.action = self.ask_refund(self.sale_order)
        self.entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", self.action.id)])
        )

    def test_entry_says_who_when_where_and_what(self):
        entry = self.entry
        self.assertEqual(entry.event, "asked")
        self.assertEqual(entry.user_id, self.agent)
        self.assertEqual(entry.company_id, self.company)
        self.assertEqual(entry.amazon_order_ref, SHIPPED)
        self.assertEqual(entry.origin_model, "sale.order")
        self.assertEqual(entry.origin_id, self.sale_order.id)
        self.assertEqual(entry.state_to, "queued")
        self.assertEqual(entry.amount, 44.94)
        self.assertTrue(entry.occurred_at)

    def test_auditor_reads_the_journal(self):
        entry = self.entry.with_user(self.auditor)
        self.assertEqual(entry.amazon_order_ref, SHIPPED)

    def test_agent_and_administrator_do_not_read_the_journal(self):
        for user in (self.agent, self.trainee, self.admin):
            with self.assertRaises(AccessError):
                self.entry.with_user(user).read(["event"])

    def test_nobody_writes_the_journal_through_the_orm(self):
        users = (self.auditor, self.admin, self.agent, self.env.ref("base.user_root"))
        for user in users:
            journal = self.env["amazon.audit.entry"].with_user(user)
            for entries in (journal, journal.sudo()):
                with self.assertRaises(AccessError):
                    entries.create({"event": "asked"})
                with self.assertRaises(AccessError):
                    entries.browse(self.entry.id).write({"message": "forged"})
                with self.assertRaises(AccessError):
                    entries.browse(self.entry.id).unlink()

    def test_postgresql_refuses_to_change_or_remove_an_entry(self):
        for query in (
            "UPDATE amazon_audit_entry SET message = 'forged' WHERE id = %s",
            "DELETE FROM amazon_audit_entry WHERE id = %s",
            "TRUNCATE amazon_audit_entry CASCADE -- %s",
        ):
            with (
                self.subTest(query),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.InsufficientPrivilege),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(query, [self.entry.id])

    def test_entry_goes_with_the_change_it_tells_of(self):
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.action._set_withdrawn()
            self.env.flush_all()
            raise ZeroDivisionError
        self.env.invalidate_all()
        self.assertEqual(self.action.state, "queued")
        self.assertEqual(self.journal(self.action), [(False, "queued")])

    def test_change_of_an_account_is_journaled_with_who(self):
        self.account.with_user(self.admin).cancel_in_odoo = False
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("event", "=", "account")], order="id desc", limit=1)
        )
        self.assertEqual(entry.user_id, self.admin)
        self.assertEqual(entry.account_id, self.account)
        self.assertIn("changed: False", entry.message)
        self.assertEqual(entry.value_before, "cancel")
        self.assertEqual(entry.value_after, "False")

    def test_secret_is_not_journaled(self):
        self.account.with_user(self.admin).lwa_client_secret = "very-secret"
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("event", "=", "account")], order="id desc", limit=1)
        )
        self.assertNotIn("very-secret", str(entry.read()))
        self.assertEqual((entry.value_before, entry.value_after), ("***", "***"))

    def test_nothing_that_a_buyer_or_agent_wrote_is_journaled(self):
        buyer = self.env["res.partner"].create({"name": "Erika Mustermann"})
        sale_order = self.create_sale_order(
            FBA_SHIPPED, partner_id=buyer.id, client_order_ref="For Erika"
        )
        action = self.ask_refund(sale_order, note="Her IBAN is DE00 1234")
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id)])
        )
        self.assertEqual(entry.origin_name, sale_order.name)
        self.assertNotIn("Erika", str(entry.read()))
        self.assertNotIn("IBAN", entry.message)
        self.assertIn("IBAN", action.note)
        self.assertIn("IBAN", self.notes(sale_order)[0])
