from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import html2plaintext

from odoo.addons.amazon_order_actions.models.account.seller_account import (
    EnvironmentMissing,
)

from ..common import SHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestConnection(AmazonOrderCommon):
    """Test Connection: each wrong thing, and the sentence that says what to do."""

    def setUp(self):
        super().setUp()
        self.account = self.account.with_user(self.admin)

    def capabilities(self):
        return {row.capability: row for row in self.account.capability_ids}

    def answer(self):
        """Return what the account shows at its top, as a person reads it."""
        return " ".join(html2plaintext(self.account.connection_answer).split())

    def calls(self):
        return self.simulator.ledger()["calls"]

    # === WHAT AMAZON SAYS === #

    def test_account_that_nobody_has_tested_says_so(self):
        self.assertIn("Not tested yet. Test Connection asks Amazon", self.answer())

    def test_working_account_is_said_to_work(self):
        self.account.action_test_connection()
        states = {name: row.state for name, row in self.capabilities().items()}
        self.assertEqual(
            states,
            {"sellers": "works", "orders": "works", "feeds": "works"}
            | {"finances": "works"},
        )
        self.assertEqual(len(self.account.participation_ids), 4)
        self.assertIn("everything works. Tested on", self.answer())
        self.assertIn("alert-success", self.account.connection_answer)

    def test_missing_role_is_said_of_that_capability_alone(self):
        self.simulator.fault("forbidden", "getFeeds", times=1)
        self.account.action_test_connection()
        rows = self.capabilities()
        self.assertEqual(rows["feeds"].state, "refused")
        self.assertEqual(rows["orders"].state, "works")
        answer = self.answer()
        self.assertIn("lets this account in, but not everything works", answer)
        self.assertIn("*Reading orders (Orders)*: works", answer)
        self.assertIn("needs the role Inventory and Order Tracking", answer)
        self.assertIn("authorise the application again", answer)

    def test_missing_finance_role_says_what_it_means_for_refunds(self):
        self.simulator.fault("forbidden", "listFinancialEventsByOrderId", times=1)
        self.account.action_test_connection()
        answer = self.answer()
        self.assertIn("needs the role Finance and Accounting", answer)
        self.assertIn("every refund needs a second person", answer)

    def test_amazon_down_is_said(self):
        self.simulator.fault("html_503", "getOrder", times=3)
        self.account.environment = "simulator"
        self.account.action_test_connection()
        self.assertEqual(self.capabilities()["orders"].state, "unreachable")

    def test_used_up_quota_is_no_fault_of_the_account(self):
        self.simulator.fault("throttle", "getFeeds", times=5)
        self.account.action_test_connection()
        self.assertIn("nothing is wrong with the account", self.answer())

    def test_wrong_secret_is_said_once_and_asked_once(self):
        self.account.lwa_client_secret = "wrong"
        before = self.calls().get("token", 0)
        self.account.action_test_connection()
        rows = self.capabilities()
        self.assertEqual(len(rows), 4)
        self.assertEqual({row.state for row in rows.values()}, {"refused"})
        answer = self.answer()
        self.assertIn("Amazon does not let this account in", answer)
        self.assertEqual(answer.count("this client ID with this client secret"), 1)
        self.assertLessEqual(self.calls().get("token", 0), before + 1)

    def test_wrong_refresh_token_says_to_authorise_again(self):
        self.account.lwa_refresh_token = "Atzr|of-another"
        self.account.action_test_connection()
        answer = self.answer()
        self.assertIn("does not accept the refresh token", answer)
        self.assertIn("Authorize", answer)

    def test_simulator_that_is_not_there_is_said(self):
        nowhere = "http://127.0.0.1:9"
        self.account.simulator_url = nowhere
        with patch.object(self.simulator, "url", nowhere):
            self.account.action_test_connection()
        answer = self.answer()
        self.assertIn("Nobody answered, so nothing is known yet", answer)
        self.assertIn("Nothing answers at http://127.0.0.1:9. Start the", answer)

    def test_no_sentence_names_a_button_that_is_not_there(self):
        for fault, operation in (
            ("throttle", "getFeeds"),
            ("html_503", "getOrder"),
            ("forbidden", "getFeeds"),
        ):
            self.simulator.fault(fault, operation, times=5)
            self.account.action_test_connection()
            self.assertNotIn("Refresh", self.answer().replace("Refresh Token", ""))

    def test_other_credentials_forget_the_answer(self):
        self.account.action_test_connection()
        self.account.lwa_client_secret = "another"
        self.assertFalse(self.account.capability_ids)
        self.assertIn("Not tested yet", self.answer())

    def test_other_settings_keep_the_answer(self):
        self.account.action_test_connection()
        self.account.shop_name = "Another"
        self.assertTrue(self.account.capability_ids)

    def test_agent_cannot_test_the_connection(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.agent).action_test_connection()

    def test_testing_does_not_write_the_row_that_tokens_are_written_in(self):
        before = self.account.write_date
        with self.everything_at("2031-01-01 12:00:00"):
            self.account._record_tested(
                {"orders": ("works", False)}, [{"marketplace": "A1PA6795UKMFR9"}]
            )
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.account.write_date, before)
        self.assertEqual(len(self.account.capability_ids), 1)
        self.assertEqual(len(self.account.participation_ids), 1)

    # === WHAT IS MISSING HERE === #

    def test_missing_credentials_are_named(self):
        self.account.lwa_refresh_token = False
        with self.assertRaisesRegex(UserError, "Not entered yet: LWA Refresh Token."):
            self.account.action_test_connection()
        self.assertIn("Not entered yet: LWA Refresh Token.", self.answer())

    def test_account_without_an_environment_calls_nobody(self):
        for values in ({"environment": False}, {"environment": "production"}):
            self.account.write({"region": False, **values})
            before = self.calls()
            with self.assertRaisesRegex(UserError, "no region or no environment yet"):
                self.account.action_test_connection()
            with self.assertRaises(EnvironmentMissing):
                self.account._client()
            self.assertEqual(self.calls(), before)
            self.assertIn("Production for the real shop", self.answer())

    def test_new_account_has_no_environment(self):
        account = self.env["amazon.seller.account"].create(
            {"name": "New", "seller_id": "NEW", "company_id": self.company.id}
        )
        self.assertFalse(account.environment or account.region)

    def test_reading_an_order_without_an_environment_says_what_to_choose(self):
        self.account.environment = False
        order = self.create_sale_order(SHIPPED).amazon_order_id
        self.assertNotIn("getOrder", self.calls())
        self.assertIn("no region or no environment yet", order.read_message)
        self.assertFalse(self.account.access_refused_at)

    def test_what_waits_leaves_when_the_environment_is_chosen(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.account.environment = False
        self.settle()
        self.assertEqual(action.state, "queued")
        self.assertNotIn("createFeed", self.calls())
        self.account.write(
            {
                "environment": "simulator",
                "lwa_client_secret": self.simulator.CLIENT_SECRET,
                "lwa_refresh_token": self.simulator.REFRESH_TOKEN,
            }
        )
        self.settle()
        self.assertIn(action.state, ("accepted", "confirmed"))

    # === ANOTHER ENVIRONMENT === #

    def notice(self, **values):
        """Return what the form says before other values are saved."""
        with Form(self.account) as form:
            for name, value in values.items():
                form[name] = value
            notice = form.environment_notice
            for name in values:
                form[name] = self.account[name]
        return notice

    def test_form_says_what_is_forgotten_before_it_is_saved(self):
        self.account.action_test_connection()
        notice = self.notice(environment="production")
        self.assertIn("client secret and the refresh token are forgotten", notice)
        self.assertIn("last test of the connection", notice)
        self.assertNotIn("under way", notice)
        self.assertTrue(self.account.sudo().lwa_client_secret_sealed)

    def test_form_says_that_actions_are_under_way(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        notice = self.notice(environment="production")
        self.assertIn("Actions that are under way (1)", notice)

    def test_form_says_that_lists_are_read_anew(self):
        self.env["amazon.range.reading"].sudo()._read_ranges(self.account.sudo())
        self.assertTrue(self.account.watermark_ids)
        notice = self.notice(seller_id="ANOTHER")
        self.assertIn("how far Amazon's lists were read", notice)
        self.assertNotIn("refresh token are forgotten", notice)

    def test_form_says_nothing_where_nothing_is_forgotten(self):
        self.assertFalse(self.account.environment_notice)
        self.assertFalse(self.notice(shop_name="Another"))

    def test_form_says_that_without_an_environment_nothing_is_called(self):
        self.assertIn("Nothing is asked of Amazon", self.notice(environment=False))
