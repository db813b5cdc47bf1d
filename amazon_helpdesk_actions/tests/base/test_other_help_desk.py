from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestOtherHelpDesk(TransactionCase):
    """Another addon that defines the ticket is not installed beside this one."""

    def module(self, name):
        return self.env["ir.module.module"].search([("name", "=", name)])

    def other_help_desk(self, state):
        """Return Enterprise's Helpdesk, which Odoo lists whether it is there or not."""
        other = self.module("helpdesk")
        other = other or other.create({"name": "helpdesk", "shortdesc": "Helpdesk"})
        other.state = state
        return other

    def test_other_definition_of_the_ticket_is_not_installed_beside_it(self):
        other = self.other_help_desk("uninstalled")
        with self.assertRaisesRegex(UserError, "Actions.*Helpdesk.*incompatible"):
            other.button_install()

    def test_it_is_not_installed_beside_another_definition_of_the_ticket(self):
        self.other_help_desk("installed")
        ours = self.module("amazon_helpdesk_actions")
        ours.state = "uninstalled"
        with self.assertRaisesRegex(UserError, "Actions.*Helpdesk.*incompatible"):
            ours.button_install()
