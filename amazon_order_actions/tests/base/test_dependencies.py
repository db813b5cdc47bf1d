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
