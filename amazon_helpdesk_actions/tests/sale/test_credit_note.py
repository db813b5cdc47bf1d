from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from ..common import GIFT_WRAPPED, SHIPPED, AmazonCommon

SKU = "NW-KESSEL-12-SW"


@tagged("post_install", "-at_install")
class TestCreditNote(AmazonCommon):
    """A refund in Odoo's books: a draft, only where an administrator wants it."""

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

    def refund(self, amounts=None, ref=SHIPPED, sale_order=True, **values):
        """Ask for a refund from a ticket whose order Odoo has sold, and settle it."""
        if sale_order:
            self.sale_order = self.create_sale_order(ref)
            self.sale_order.order_line = [
                Command.create({"product_id": self.product.id, "price_unit": 33.57})
            ]
        action = self.ask_refund(self.create_ticket(ref), amounts=amounts, **values)
        self.settle()
        return action

    def drafts(self, action):
        return action.sudo().credit_note_ids

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

    def test_the_total_is_the_refund_to_the_cent_for_any_amount(self):
        self.account.credit_note_on = "accepted"
        for cents in (1, 3, 333, 1001, 1999):
            action = self.refund({SKU: cents / 100}, sale_order=cents == 1)
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
        action = self.refund(ref=GIFT_WRAPPED, sale_order=False)
        self.assertEqual(self.drafts(action).reversed_entry_id, invoice)

    def test_without_a_sale_order_the_ticket_says_that_there_is_none(self):
        self.account.credit_note_on = "accepted"
        action = self.refund(sale_order=False)
        self.assertFalse(self.drafts(action))
        notes = [n for n in self.notes(action._get_origin()) if "no sale order" in n]
        self.assertEqual(len(notes), 1)

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
