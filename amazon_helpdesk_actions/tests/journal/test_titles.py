from odoo.tests import tagged

from ..common import FBA_SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestTitles(AmazonCommon):
    """The title of a ticket is what the buyer wrote."""

    def test_ticket_is_journaled_by_its_number(self):
        ticket = self.create_ticket(FBA_SHIPPED, name="Question of Erika Mustermann")
        action = self.ask_refund(ticket, note="Her IBAN is DE00 1234")
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id)])
        )
        self.assertEqual(entry.origin_model, "helpdesk.ticket")
        self.assertEqual(entry.origin_name, ticket.number)
        self.assertNotIn("Erika", str(entry.read()))
        self.assertIn("IBAN", self.notes(ticket)[0])
