import json

from odoo.tests import tagged

from ..verify_journal import ROW_FIELDS, entry_digest, verify
from .common import SHIPPED, UNSHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestJournalChain(AmazonCommon):
    """Entries carry their digest at once, and are sealed into a chain afterwards."""

    def entries(self):
        return (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("company_id", "=", self.company.id)], order="id")
        )

    def seal(self):
        self.env.flush_all()
        self.env["amazon.audit.link"]._seal(self.company)
        self.env.invalidate_all()

    def rows(self):
        return list(self.entries()._export_rows())

    def test_digest_matches_what_postgresql_shows(self):
        action = self.ask_refund(self.create_ticket(SHIPPED))
        self.ask_cancel(self.create_ticket(UNSHIPPED))
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))
        self.account.with_user(self.admin).active = False
        rows = self.rows()
        self.assertGreater(len(rows), 5)
        for row in rows:
            self.assertEqual(set(row), set(ROW_FIELDS))
            self.assertEqual(row["digest"], entry_digest(row), row)

    def test_chain_of_sealed_entries_holds(self):
        self.ask_refund(self.create_ticket(SHIPPED))
        self.settle()
        self.seal()
        lines = list(self.entries()._export_lines())
        report = verify(lines)
        self.assertTrue(report.holds, report.text())
        self.assertEqual(report.entries, len(self.entries()))
        numbers = [json.loads(line).get("number") for line in lines[1:]]
        self.assertEqual(numbers, list(range(1, len(lines))))

    def test_sealing_again_adds_nothing(self):
        self.ask_refund(self.create_ticket(SHIPPED))
        self.seal()
        before = self.rows()
        self.seal()
        self.assertEqual(self.rows(), before)
