from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ..common import GIFT_WRAPPED, SHIPPED, AmazonOrderCommon

SKU = "NW-KESSEL-12-SW"


class CreditNoteCommon(AmazonOrderCommon):
    """A company that keeps books, and an item that it sells."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=cls.company, install_demo=False
        )
        cls.tax = cls.env["account.tax"].create(
            {
                "name": "19 %",
                "amount": 19,
                "company_id": cls.company.id,
                "country_id": cls.company.account_fiscal_country_id.id,
            }
        )
        cls.product = cls.env["product.product"].create(
            {
                "name": "Kettle",
                "default_code": SKU,
                "taxes_id": [Command.set(cls.tax.ids)],
            }
        )

    def create_sold(self, ref=SHIPPED):
        """Create a sale order of the item that Amazon has sold."""
        sale_order = self.create_sale_order(ref)
        sale_order.order_line = [
            Command.create({"product_id": self.product.id, "price_unit": 33.57})
        ]
        return sale_order

    def refund(self, amounts=None, document=None, **values):
        """Ask for a refund from a document, a sale order where none is given, and
        settle it."""
        self.sale_order = document or self.create_sold()
        action = self.ask_refund(self.sale_order, amounts=amounts, **values)
        self.settle()
        return action

    def drafts(self, action):
        return action.sudo().credit_note_ids


@tagged("post_install", "-at_install")
class TestCreditNote(CreditNoteCommon):
    """A refund in Odoo's books: a draft, only where an administrator wants it."""

    def test_no_credit_note_is_made_unless_the_account_says_so(self):
        action = self.refund()
        self.assertEqual(action.state, "confirmed")
        self.assertFalse(self.drafts(action))

    def test_an_accepted_refund_is_drafted_with_exactly_its_amounts(self):
        self.account.credit_note_on = "accepted"
        action = self.refund()
        move = self.drafts(action)
        self.assertEqual(move.move_type, "out_refund")
        self.assertEqual(move.state, "draft", "it is never posted by itself")
        self.assertEqual(move.partner_id, self.sale_order.partner_invoice_id)
        self.assertEqual(move.invoice_origin, self.sale_order.name)
        self.assertAlmostEqual(move.amount_total, 44.94)
        kettle = move.invoice_line_ids.filtered(lambda line: line.price_total == 39.95)
        self.assertEqual(kettle.product_id, self.product)
        self.assertEqual(kettle.tax_ids, self.tax)

    def test_refund_of_a_sale_order_is_drafted_for_its_own_customer(self):
        """Though another one of the same order is newer."""
        self.account.credit_note_on = "accepted"
        sale_order = self.create_sold()
        self.create_sold()
        move = self.drafts(self.refund(document=sale_order))
        self.assertEqual(move.partner_id, sale_order.partner_invoice_id)
        self.assertEqual(move.invoice_origin, sale_order.name)

    def test_the_total_is_the_refund_to_the_cent_for_any_amount(self):
        self.account.credit_note_on = "accepted"
        sale_order = self.create_sold()
        for cents in (1, 3, 333, 1001, 1999):
            action = self.refund({SKU: cents / 100}, sale_order)
            self.assertEqual(action.state, "confirmed")
            move = self.drafts(action)
            self.assertEqual(len(move), 1)
            self.assertEqual(
                move.currency_id.compare_amounts(move.amount_total, cents / 100), 0
            )

    def test_it_waits_for_amazons_finances_where_the_account_says_so(self):
        self.account.credit_note_on = "confirmed"
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=10**6, quotas=False
        )
        action = self.refund()
        self.assertEqual(action.state, "accepted")
        self.assertFalse(self.drafts(action))
        action._set_confirmed()
        self.assertEqual(len(self.drafts(action)), 1)

    def test_it_is_made_once_though_the_refund_goes_on(self):
        self.account.credit_note_on = "accepted"
        action = self.refund()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.drafts(action)), 1)

    def test_a_rejected_refund_is_not_drafted(self):
        self.account.credit_note_on = "accepted"
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        action = self.refund()
        self.assertEqual(action.state, "rejected")
        self.assertFalse(self.drafts(action))

    def test_a_posted_invoice_of_the_order_is_named_as_what_is_reversed(self):
        self.account.credit_note_on = "accepted"
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        self.product.invoice_policy = "order"
        sale_order.order_line = [
            Command.create({"product_id": self.product.id, "price_unit": 10})
        ]
        sale_order.action_confirm()
        invoice = sale_order._create_invoices()
        invoice.action_post()
        action = self.refund(document=sale_order)
        self.assertEqual(self.drafts(action).reversed_entry_id, invoice)

    def test_a_failure_in_the_books_changes_nothing_about_the_refund(self):
        self.account.credit_note_on = "accepted"
        failing = patch.object(
            type(self.env["account.move"]), "create", side_effect=ValueError("broken")
        )
        with failing, self.assertLogs("odoo.addons.amazon_order_actions", "ERROR"):
            action = self.refund()
        self.assertEqual(action.state, "confirmed")
        self.assertFalse(self.drafts(action))
        self.assertTrue(
            [n for n in self.notes(action._get_origin()) if "No draft credit note" in n]
        )

    def test_agents_without_accounting_do_not_read_it(self):
        self.account.credit_note_on = "accepted"
        action = self.refund().with_user(self.agent)
        self.assertNotIn("credit_note_ids", action.fields_get())
