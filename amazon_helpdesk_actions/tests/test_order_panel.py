from odoo.tests import Form, tagged

from .common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestOrderPanel(AmazonCommon):
    def test_number_that_is_being_typed_is_not_said_to_be_without_account(self):
        with Form(self.create_ticket()) as form:
            form.amazon_order_ref = SHIPPED
            self.assertEqual(form.amazon_order_panel, {"notice": False, "order": False})

    def test_saved_number_without_account_is_said_in_a_sentence(self):
        self.account.active = False
        ticket = self.create_ticket(SHIPPED)
        self.assertFalse(ticket.amazon_order_panel["order"])
        self.assertIn("No Amazon account", ticket.amazon_order_panel["notice"])
