from odoo.tests import tagged

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestNotes(AmazonCommon):
    """Notes on tickets."""

    def test_notes_tell_every_step_on_ticket_and_sale_order(self):
        sale_order = self.create_sale_order(SHIPPED)
        ticket = self.create_ticket(SHIPPED)
        self.ask_refund(ticket)
        self.settle()
        for document in (ticket, sale_order):
            notes = "\n".join(self.notes(document))
            for words in (
                "asks to refund",
                "has received the refund",
                "has accepted the refund",
                "finances show the refund",
            ):
                self.assertIn(words, notes)
