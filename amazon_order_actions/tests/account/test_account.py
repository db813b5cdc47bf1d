from psycopg2.errors import UniqueViolation

from odoo import models
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged
from odoo.tools import file_open, mute_logger

from ...models.account.seller_account import JOURNALED
from ..common import SHIPPED, AmazonOrderCommon

SECRETS = ("lwa_client_id", "lwa_client_secret", "lwa_refresh_token")


@tagged("post_install", "-at_install")
class TestAccount(AmazonOrderCommon):
    """Credentials, connection test, token, and the copy that must not send."""

    def capabilities(self):
        return {row.capability: row for row in self.account.capability_ids}

    # === CREDENTIALS === #

    def test_nobody_else_reads_credentials(self):
        for user in (self.agent, self.trainee, self.auditor):
            for name in SECRETS:
                with self.subTest(f"{user.login} {name}"):
                    with self.assertRaises(AccessError):
                        self.account.with_user(user).read([name])
                    with self.assertRaises(AccessError):
                        self.account.with_user(user).search([(name, "=", "x")])

    def test_user_who_may_export_does_not_export_credentials(self):
        self.agent.write(
            {"group_ids": [(4, self.env.ref("base.group_allow_export").id)]}
        )
        for name in SECRETS:
            with self.assertRaises(AccessError):
                self.account.with_user(self.agent).export_data([name])

    def test_nobody_reads_the_access_token(self):
        self.create_sale_order(SHIPPED)
        self.assertTrue(self.account._secret("access_token"))
        for user in (self.agent, self.auditor, self.admin):
            with self.assertRaises(AccessError):
                self.account.with_user(user).read(["access_token_sealed"])

    def test_copy_has_no_credentials(self):
        copy = self.account.copy({"seller_id": "OTHER"})
        self.assertFalse(copy.lwa_client_id)
        self.assertFalse(any(copy._secret(name) for name in SECRETS[1:]))

    # === TOKEN === #

    def test_token_is_kept_for_all_workers(self):
        self.create_sale_order(SHIPPED)
        sale_order = self.create_sale_order("305-2260917-9913547")
        self.assertEqual(sale_order.amazon_order_id.read_state, "read")
        self.assertEqual(self.simulator.ledger()["calls"]["token"], 1)

    def test_new_credentials_forget_the_token(self):
        self.create_sale_order(SHIPPED)
        self.account.lwa_refresh_token = "Atzr|another"
        self.assertFalse(self.account.access_token_sealed)

    def test_other_region_or_seller_forgets_the_token(self):
        for values in ({"seller_id": "OTHER"}, {"region": "fe"}):
            self.account.access_token_sealed = "sealed"
            self.account.write(values)
            self.assertFalse(self.account.access_token_sealed)

    def test_change_of_credentials_is_journaled_without_them(self):
        self.account.with_user(self.admin).lwa_client_secret = "very-secret"
        entry = (
            self.env["amazon.audit.entry"].sudo().search([], order="id desc", limit=1)
        )
        self.assertEqual(entry.user_id, self.admin)
        self.assertIn("LWA Client Secret", entry.message)
        self.assertNotIn("very-secret", entry.message)

    def last_entry(self):
        return (
            self.env["amazon.audit.entry"].sudo().search([], order="id desc", limit=1)
        )

    def test_connecting_an_account_is_journaled_without_secrets(self):
        secrets = dict.fromkeys(SECRETS, "very-secret")
        account = self._create_account(
            seller_id="ANOTHER", shop_name="Nordlicht", **secrets
        )
        entry = self.last_entry()
        self.assertEqual((entry.event, entry.company_id), ("account", self.company))
        self.assertEqual(entry.seller_ref, "ANOTHER")
        self.assertIn(f"{account.name} was connected", entry.message)
        for words in (
            "Shop Name: Nordlicht",
            "Time to Take Back (Shipment Confirmation): 10",
            "LWA Client Secret: ***",
            "LWA Refresh Token: ***",
        ):
            self.assertIn(words, entry.value_after.splitlines())
        self.assertNotIn("very-secret", str(entry.read()))

    def test_deleting_an_account_is_journaled(self):
        account = self._create_account(seller_id="ANOTHER")
        account_name = account.name
        account.with_user(self.admin).unlink()
        entry = self.last_entry()
        self.assertEqual((entry.event, entry.user_id), ("account", self.admin))
        self.assertEqual((entry.seller_ref, entry.account_id.id), ("ANOTHER", False))
        self.assertIn(f"{account_name} was deleted", entry.message)
        self.assertIn("Seller ID: ANOTHER", entry.value_before)
        self.assertIn("LWA Client Secret: ***", entry.value_before)

    def test_every_setting_is_journaled(self):
        """What is not, is in this list, with a reason."""
        others = {
            "sequence",  # the order in which accounts are shown
            "access_token_expires_at",  # of a token that renews itself
            "participation_ids",  # as Amazon says it
            "kind_ids",  # by its rows
            "careful_limit_ids",  # the same
            "setup_order_ref",  # what somebody looks at, which changes nothing
            "company_id",  # in both journals, as for all that stays in its company
        }
        settings = {
            name
            for name, field in self.account._fields.items()
            if name not in models.MAGIC_COLUMNS
            and not field.readonly
            and not name.endswith("_sealed")
        }
        self.assertEqual(settings - others, JOURNALED)

    def test_change_of_a_setting_is_journaled_with_its_value(self):
        self.account.with_user(self.admin).approved_sender = "new@example.com"
        entry = self.last_entry()
        self.assertEqual((entry.event, entry.user_id), ("account", self.admin))
        self.assertEqual(entry.account_id, self.account)
        self.assertEqual(entry.value_after, "new@example.com")

    def test_seller_can_be_connected_once(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self._create_account()
            self.env.flush_all()

    # === WHERE IT IS === #

    def test_environments_have_amazons_addresses(self):
        self.account.environment = "production"
        endpoint = self.account._endpoint()
        self.assertEqual(endpoint.api_url, "https://sellingpartnerapi-eu.amazon.com")
        self.account.environment = "sandbox"
        self.assertIn("sandbox.", self.account._endpoint().api_url)

    def test_simulator_needs_an_address(self):
        for url in (False, "nowhere", "ftp://127.0.0.1"):
            with self.assertRaisesRegex(ValidationError, "enter its address"):
                self.account.simulator_url = url

    # === NEUTRALIZED COPY === #

    def test_neutralized_copy_cannot_call_amazon(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        before = self.simulator.ledger()["calls"]
        self.env.flush_all()
        with file_open("amazon_order_actions/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        account = self.account.sudo()
        for name in ("lwa_client_secret", "lwa_refresh_token", "access_token"):
            self.assertFalse(account[f"{name}_sealed"])
        sale_order.amazon_order_id._job_read()
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertEqual(self.simulator.ledger()["calls"], before)

    def test_neutralized_copy_that_is_connected_again_does_not_send_the_old_queue(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.env.flush_all()
        with file_open("amazon_order_actions/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.account.write(
            {
                "lwa_client_secret": "demo-secret",
                "lwa_refresh_token": "Atzr|demo-refresh-token",
            }
        )
        self.assertFalse(self.account._may_send())
        stops = self.env["amazon.stop"].search([("company_id", "=", self.company.id)])
        stops.with_user(self.admin)._end("It is meant")
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])
