from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestDependencies(TransactionCase):
    """What is installed with the addon, and what is not."""

    def module(self, name):
        return self.env["ir.module.module"].search([("name", "=", name)])

    def test_no_inventory_is_installed_with_it(self):
        beneath = self.module("amazon_order_actions").upstream_dependencies(
            exclude_states=("none",)
        )
        self.assertIn("sale", beneath.mapped("name"))
        self.assertNotIn("stock", beneath.mapped("name"))

    def test_what_needs_inventory_is_there_where_inventory_is(self):
        for name, beside in (
            ("amazon_order_stock", "sale_stock"),
            ("amazon_order_delivery", "stock_delivery"),
        ):
            with self.subTest(name):
                self.assertEqual(self.module(name).state, self.module(beside).state)

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
