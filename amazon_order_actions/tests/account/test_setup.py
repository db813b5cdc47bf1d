import socket
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import config, html2plaintext, mute_logger

from ...models.secrets import sealing
from ...models.watch import runner_facts
from ..common import NOWHERE, SHIPPED, AmazonOrderCommon


@tagged("post_install", "-at_install")
class TestSetup(AmazonOrderCommon):
    """The set-up of an account: each wrong thing, and the sentence that says so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.mail_server"].search([]).active = False

    def setUp(self):
        super().setUp()
        self.account = self.account.with_user(self.admin)

    def look(self, step):
        """Go to a step and return what it says, as a person reads it."""
        self.account.action_setup_go(step)
        return " ".join(html2plaintext(self.account.setup_checks or "").split())

    def outcome(self, step):
        """Return how a step came out, as its sign beside it says."""
        self.account.invalidate_recordset()
        return {row["key"]: row["outcome"] for row in self.account.setup_steps}[step]

    # === THE WAY === #

    def test_steps_follow_each_other_and_end_at_the_account(self):
        keys = [row["key"] for row in self.account.setup_steps]
        self.assertEqual(
            keys,
            ["needs", "place", "credentials", "connection", "marketplaces"]
            + ["mail", "runner", "people", "order"],
        )
        seen = [self.account.setup_step]
        for _step in keys[1:]:
            self.assertIs(self.account.action_setup_next(), True)
            seen.append(self.account.setup_step)
        self.assertEqual(seen, keys)
        self.assertFalse(self.account.is_set_up)
        action = self.account.action_setup_next()
        self.assertTrue(self.account.is_set_up)
        self.assertEqual(action["res_id"], self.account.id)

    def test_going_back_ends_at_the_first_step(self):
        self.account.action_setup_next()
        for _time in range(2):
            self.account.action_setup_back()
            self.assertEqual(self.account.setup_step, "needs")

    def test_left_set_up_goes_on_where_it_was(self):
        self.account.action_setup_go("mail")
        action = self.account.action_open_setup()
        self.assertEqual(action["res_id"], self.account.id)
        self.assertEqual(
            action["view_id"][0],
            self.env.ref("amazon_order_actions.amazon_seller_account_view_setup").id,
        )
        self.assertEqual(self.account.setup_step, "mail")

    def test_step_that_does_not_exist_is_refused(self):
        with self.assertRaises(UserError):
            self.account.action_setup_go("nowhere")

    def test_agent_cannot_set_up(self):
        account = self.account.with_user(self.agent)
        for method, args in (
            ("action_open_setup", ()),
            ("action_setup_next", ()),
            ("action_setup_back", ()),
            ("action_setup_go", ("mail",)),
            ("action_setup_try", ()),
        ):
            with self.subTest(method), self.assertRaises(AccessError):
                getattr(account, method)(*args)
        with self.assertRaises(AccessError):
            account.read(["setup_checks"])

    def test_new_account_begins_at_the_first_step_and_calls_nobody(self):
        before = self.simulator.ledger()["calls"]
        view = "amazon_order_actions.amazon_seller_account_view_setup"
        accounts = self.env["amazon.seller.account"].with_user(self.admin)
        with Form(accounts, view) as form:
            self.assertEqual(form.setup_step, "needs")
            form.name = "New"
            form.seller_id = "NEW"
        for _step in range(3):
            form.record.action_setup_next()
        self.assertEqual(form.record.setup_step, "connection")
        self.assertEqual(self.simulator.ledger()["calls"], before)

    # === WHAT YOU NEED === #

    def test_missing_key_says_how_to_make_one_before_anything_is_entered(self):
        for missing in (self.account, self.account.browse()):
            step = self.env["amazon.setup.step.needs"].with_user(self.admin)
            with patch.object(sealing, "_configured_keys", return_value=""):
                [check] = step._checks(missing)
            self.assertEqual(check.outcome, "wrong")
            self.assertIn("Fernet.generate_key", check.sentence)
            self.assertIn("restart Odoo", check.sentence)

    def test_key_is_said_to_be_there(self):
        self.assertIn("This server has a key", self.look("needs"))

    # === WHERE === #

    def test_no_environment_says_what_to_choose(self):
        self.account.environment = False
        self.assertIn("Choose both. Until then nothing", self.look("place"))
        self.assertEqual(self.outcome("place"), "todo")

    def test_each_environment_says_what_it_means(self):
        self.assertIn("Nothing reaches Amazon", self.look("place"))
        self.account.environment = "production"
        self.assertIn("moves money", self.look("place"))
        self.account.environment = "sandbox"
        self.assertIn("fixed examples", self.look("place"))

    # === CREDENTIALS AND CONNECTION === #

    def test_missing_credentials_are_named(self):
        self.account.write({"lwa_client_id": False, "lwa_refresh_token": False})
        said = self.look("credentials")
        self.assertIn("Not entered yet: LWA Client ID, LWA Refresh Token.", said)

    def test_credentials_that_are_there_are_not_shown(self):
        said = self.look("credentials")
        self.assertIn("All three are here", said)
        self.assertNotIn(self.simulator.CLIENT_SECRET, said)

    def test_arriving_tests_the_connection_once(self):
        self.assertIn("*Reading orders (Orders)* Works.", self.look("connection"))
        calls = self.simulator.ledger()["calls"]
        self.look("connection")
        self.assertEqual(self.simulator.ledger()["calls"], calls)

    def test_wrong_secret_is_said_on_the_screen(self):
        self.account.lwa_client_secret = "wrong"
        said = self.look("connection")
        self.assertIn("does not accept this client ID with this client secret", said)
        self.assertEqual(self.outcome("connection"), "wrong")

    def test_missing_role_is_said_on_the_screen(self):
        self.simulator.fault("forbidden", "getFeeds", times=1)
        said = self.look("connection")
        self.assertIn("needs the role Inventory and Order Tracking", said)

    def test_arriving_without_credentials_asks_nobody(self):
        self.account.lwa_refresh_token = False
        before = self.simulator.ledger()["calls"]
        self.assertIn("Not entered yet: LWA Refresh Token.", self.look("connection"))
        self.assertEqual(self.simulator.ledger()["calls"], before)

    # === MARKETPLACES === #

    def test_marketplaces_are_named(self):
        self.assertIn("You sell in Germany, France", self.look("marketplaces"))

    def test_no_marketplace_says_where_they_come_from(self):
        self.account.participation_ids = [Command.clear()]
        self.assertIn("A test of the connection loads them", self.look("marketplaces"))

    def test_suspended_listings_are_said(self):
        self.account.participation_ids[0].has_suspended_listings = True
        self.assertIn("suspended listings in Germany", self.look("marketplaces"))
        self.assertEqual(self.outcome("marketplaces"), "look")

    # === MAIL === #

    @mute_logger("odoo.addons.base.models.ir_mail_server")
    def test_no_mail_server_says_where_to_add_one(self):
        # nobody listens at this port
        local = {"smtp_server": "127.0.0.1", "smtp_port": 9}
        with patch.dict(config.options, local):
            said = self.look("mail")
            self.assertEqual(self.outcome("mail"), "wrong")
        self.assertIn("Odoo has no outgoing mail server", said)
        self.assertIn("Buyers cannot be written to by mail yet", said)

    @mute_logger("odoo.addons.base.models.ir_mail_server")
    def test_mail_server_on_the_same_machine_is_one(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            local = {"smtp_server": "127.0.0.1", "smtp_port": port}
            with patch.dict(config.options, local):
                self.assertIn("Mails leave by the server 127.0.0.1.", self.look("mail"))

    def test_server_that_sends_as_somebody_else_is_said(self):
        self.account.approved_sender = "amazon@shop.example"
        self.company.alias_domain_id = self.env["mail.alias.domain"].create(
            {"name": "other.example", "default_from": "notifications"}
        )
        self.env["ir.mail_server"].create(
            {"name": "Ours", "smtp_host": "mx.example", "from_filter": "other.example"}
        )
        with mute_logger("odoo.addons.base.models.ir_mail_server"):
            said = self.look("mail")
        self.assertIn("would send it from notifications@other.example", said)
        self.assertIn("Enter amazon@shop.example as FROM Filtering", said)

    def test_server_of_the_sender_is_named(self):
        self.account.approved_sender = "amazon@shop.example"
        self.env["ir.mail_server"].create(
            {"name": "Ours", "smtp_host": "mx.example", "from_filter": "shop.example"}
        )
        said = self.look("mail")
        self.assertIn("Mails leave by the server Ours.", said)
        self.assertIn("Replies come from amazon@shop.example", said)

    # === JOB RUNNER === #

    @contextmanager
    def runner(self, holder, **facts):
        """Let the server be like this.

        :param holder: who holds the place of the runner, None for nobody
        :param facts: what functions of `runner_facts` return
        """
        facts["find_holder"] = holder
        with ExitStack() as stack:
            for name, value in facts.items():
                stack.enter_context(
                    patch.object(runner_facts, name, lambda *_, value=value: value)
                )
            yield

    def test_connected_runner_is_said(self):
        holder = runner_facts.Holder(None, None, None, None, False)
        with self.runner(holder):
            self.assertIn("A job runner is connected", self.look("runner"))
            self.assertEqual(self.outcome("runner"), "done")

    def test_missing_runner_gets_the_exact_lines_and_a_restart(self):
        with self.runner(None, is_enabled=True, is_loaded=False, is_written=False):
            said = self.look("runner")
            self.assertEqual(self.outcome("runner"), "wrong")
        self.assertIn("does not load it when it starts", said)
        self.assertRegex(said, r"server_wide_modules ?= ?[a-z_,]*queue_job")
        self.assertIn("Restart Odoo", said)

    def test_runner_that_is_loaded_and_not_connected_gets_another_sentence(self):
        with self.runner(None, is_enabled=True, is_loaded=True, served_databases=[]):
            said = self.look("runner")
        self.assertIn("No job runner is connected to this database", said)
        self.assertIn("Restart Odoo", said)
        self.assertNotIn("server_wide_modules", said)

    # === WHO MAY DO WHAT === #

    def test_nobody_may_refund_is_said(self):
        self.agent.group_ids = [
            Command.unlink(self.env.ref("amazon_order_actions.group_refund").id)
        ]
        said = self.look("people")
        self.assertIn("Nobody in this company may refund yet", said)
        self.assertEqual(self.outcome("people"), "todo")

    def test_who_works_alone_is_told_how_to_get_a_row(self):
        said = self.look("people")
        self.assertIn("These may refund: amazon_agent", said)
        self.assertIn("waits 24 hours and expires", said)
        self.assertIn("Refund and the person amazon_agent", said)

    def test_approver_who_is_the_only_refunder_is_no_second_person(self):
        self.agent.group_ids = [
            Command.link(self.env.ref("amazon_order_actions.group_approve").id)
        ]
        said = self.look("people")
        self.assertIn("nobody approves what they have asked for themselves", said)

    def test_second_person_is_named(self):
        self._create_user("amazon_approver", "amazon_order_actions.group_approve")
        self.assertIn("These may approve: amazon_approver", self.look("people"))

    def test_people_of_other_companies_do_not_count(self):
        other = self._create_user("amazon_far", "amazon_order_actions.group_approve")
        other.sudo().write(
            {
                "company_id": self.env.ref("base.main_company").id,
                "company_ids": [
                    Command.set(self.env.ref("base.main_company").ids),
                ],
            }
        )
        self.assertNotIn("amazon_far", self.look("people"))

    def test_arriving_proposes_careful_limits(self):
        self.env.cr.execute("DELETE FROM amazon_careful_limit")
        self.env.invalidate_all()
        said = self.look("people")
        self.assertEqual(
            self.account.careful_limit_ids.currency_id.mapped("name"), ["EUR", "GBP"]
        )
        self.assertIn("€ 100.00", said.replace("100.00 €", "€ 100.00"))

    def test_matrix_is_said_to_count_instead(self):
        self.env["amazon.authority"].create(
            {
                "company_id": self.company.id,
                "right": "refund",
                "group_id": self.env.ref("amazon_order_actions.group_refund").id,
            }
        )
        self.assertIn("the careful limits do not count", self.look("people"))

    # === FIRST ORDER === #

    def read_order(self, ref):
        self.account.write({"setup_step": "order", "setup_order_ref": ref})
        self.account.action_setup_try()
        return self.look("order")

    def test_order_is_read_live_and_shown(self):
        said = self.read_order(f" {SHIPPED} ")
        self.assertIn(f"{SHIPPED} (Germany), ordered on", said)
        self.assertIn("Shipped", said)
        self.assertIn("44.94 EUR", said)
        self.assertEqual(self.outcome("order"), "done")

    def test_reading_makes_no_order_and_no_document(self):
        self.read_order(SHIPPED)
        orders = self.env["amazon.order"].search([("company_id", "=", self.company.id)])
        self.assertFalse(orders)

    def test_what_is_no_number_is_refused_before_anybody_is_asked(self):
        before = self.simulator.ledger()["calls"]
        for ref in (False, "12", "302-4481516-2342108x"):
            with self.assertRaisesRegex(UserError, "such as 302-1234567-1234567"):
                self.read_order(ref)
        self.assertEqual(self.simulator.ledger()["calls"], before)

    def test_unknown_order_is_said(self):
        with self.assertRaisesRegex(UserError, "does not know the order"):
            self.read_order(NOWHERE)

    def test_order_without_an_environment_says_what_to_choose(self):
        self.account.environment = False
        with self.assertRaisesRegex(UserError, "no region or no environment"):
            self.read_order(SHIPPED)
