from odoo.tests import tagged

from .test_tours import ToursCommon

ACCOUNTS = "/odoo/action-amazon_order_actions.amazon_seller_account_action"


@tagged("post_install", "-at_install")
class TestToursSetup(ToursCommon):
    """How an administrator connects a seller account in a browser."""

    def test_set_up_is_left_and_resumed_until_the_first_order(self):
        # the seller of the tour can be connected once
        self.account.seller_id = "ANOTHER"
        self.env["ir.default"].set(
            "amazon.seller.account", "simulator_url", self.simulator.url
        )
        self.start_tour(ACCOUNTS, "amazon_setup_begun", login=self.admin.login)
        self.env.invalidate_all()
        accounts = self.env["amazon.seller.account"]
        account = accounts.search([("name", "=", "Tour")])
        self.assertEqual(account.setup_step, "connection")
        self.assertFalse(account.is_set_up)
        self.start_tour(ACCOUNTS, "amazon_setup_resumed", login=self.admin.login)
        self.env.invalidate_all()
        self.assertTrue(account.is_set_up)
        self.assertEqual(account.environment, "simulator")
        self.assertEqual(len(account.participation_ids), 4)
        self.assertTrue(account.careful_limit_ids)
