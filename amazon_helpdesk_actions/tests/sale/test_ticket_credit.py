from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.sale.test_credit_note import (
    SKU,
    CreditNoteCommon,
)

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestTicketCredit(CreditNoteCommon, AmazonCommon):
    """A refund that was asked from a ticket, in Odoo's books."""

    def setUp(self):
        super().setUp()
        self.account.credit_note_on = "accepted"

    def test_it_is_drafted_for_the_sale_order_of_the_same_order(self):
        sale_order = self.create_sold()
        for cents in (1, 4493):
            action = self.refund({SKU: cents / 100}, self.create_ticket(SHIPPED))
            move = self.drafts(action)
            self.assertEqual(move.state, "draft", "it is never posted by itself")
            self.assertEqual(move.partner_id, sale_order.partner_invoice_id)
            self.assertEqual(move.invoice_origin, sale_order.name)
            self.assertAlmostEqual(move.amount_total, cents / 100)

    def test_without_a_sale_order_the_ticket_says_that_there_is_none(self):
        ticket = self.create_ticket(SHIPPED)
        self.assertFalse(self.drafts(self.refund(document=ticket)))
        notes = [note for note in self.notes(ticket) if "no sale order" in note]
        self.assertEqual(len(notes), 1)
