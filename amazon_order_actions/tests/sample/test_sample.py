"""Trying it out: a sample account at the simulator, which goes without a trace."""

from pathlib import Path
from unittest.mock import patch

import yaml
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.amazon_order_actions.hooks import uninstall_hook
from odoo.addons.amazon_order_actions.models.life import life_record
from odoo.addons.amazon_order_actions.wizards.setup import sample_request

from ..common import PARTLY_REFUNDED, SHIPPED, UNSHIPPED, AmazonOrderCommon
from ..repository import FOLDER

REMOVAL = "odoo.addons.amazon_order_actions.models.sample.removal"


class SampleCommon(AmazonOrderCommon):
    """A company with an account of its own at another seller, and no sample yet."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The sample is this seller; a seller is connected once.
        cls.account.environment = "sandbox"
        cls.env.flush_all()

    def connect(self, user=None, **values):
        request = (
            self.env["amazon.sample.request"]
            .with_user(user or self.admin)
            .create({"simulator_url": self.simulator.url, **values})
        )
        action = request.action_connect()
        sample = self.env["amazon.seller.account"].browse(action["res_id"])
        self.env.cr.execute(
            "UPDATE amazon_account_kind SET undo_seconds = 0 WHERE account_id = %s",
            [sample.id],
        )
        sample.kind_ids.invalidate_recordset(["undo_seconds"])
        return sample

    def sale_order_about(self, ref):
        return self.env["sale.order"].search(
            [("amazon_order_ref", "=", ref), ("company_id", "=", self.company.id)]
        )

    def refund_sample(self):
        self.run_jobs("_job_read")
        action = self.ask_refund(self.sale_order_about(SHIPPED))
        self.settle()
        return action

    def remove(self, sample, user=None):
        with mute_logger(REMOVAL):
            sample.with_user(user or self.admin).action_remove_sample()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestSample(SampleCommon):
    def counts(self):
        """Return how many rows each table has that a sample may leave something in."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r'"
            " AND (relname LIKE 'amazon\\_%' OR relname LIKE 'mail\\_%' OR relname IN"
            " ('sale_order', 'sale_order_line', 'product_product', 'product_template',"
            "  'res_partner', 'queue_job', 'ir_model_data',"
            "  'ir_attachment', 'account_move'))"
        )
        counts = {}
        for (table,) in self.env.cr.fetchall():
            self.env.cr.execute(f'SELECT count(*) FROM "{table}"')
            counts[table] = self.env.cr.fetchone()[0]
        # Dialogs; Odoo clears them by itself
        return {
            table: number
            for table, number in counts.items()
            if not table.endswith(("_request", "_request_line"))
        }

    def test_orders_of_the_sample_can_be_refunded_and_cancelled(self):
        sample = self.connect()
        self.assertEqual((sample.environment, sample.is_sample), ("simulator", True))
        self.assertIn("A1PA6795UKMFR9", sample.participation_ids.mapped("marketplace"))
        refund = self.refund_sample()
        self.assertEqual((refund.state, refund.account_id), ("confirmed", sample))
        cancel = self.ask_cancel(self.sale_order_about(UNSHIPPED))
        self.settle()
        self.assertEqual(cancel.state, "confirmed")

    def test_nothing_of_a_sample_is_left_when_it_is_removed(self):
        before = self.counts()
        sample = self.connect()
        self.refund_sample()
        self.ask_cancel(self.sale_order_about(UNSHIPPED))
        self.sale_order_about(SHIPPED).with_user(self.admin).sudo().message_post(
            body="Seen"
        )
        document = self.sale_order_about(SHIPPED).with_user(self.agent)
        self.env["amazon.evidence"].with_user(self.agent)._make(document)
        self.assertTrue(self.env["amazon.file"].search([("kind", "=", "pack")]))
        self.remove(sample)
        self.assertEqual(self.counts(), before)

    def test_what_is_real_stays_as_it_is(self):
        self.account.environment = "simulator"
        self.account.seller_id = "ADEMOSELLER02"
        self.account.region = "na"
        sample = self.connect()
        self.refund_sample()
        kept = self.env["amazon.order"].create(
            {
                "account_id": self.account.id,
                "company_id": self.company.id,
                "amazon_order_ref": PARTLY_REFUNDED,
            }
        )
        self.remove(sample)
        self.assertFalse(sample.exists())
        self.assertTrue(kept.exists() and self.account.exists())

    def test_orders_of_the_company_are_not_looked_for_at_the_sample(self):
        sample = self.connect()
        accounts = self.env["amazon.seller.account"]
        self.assertEqual(accounts._candidates(self.company), self.account)
        self.account.active = False
        self.assertEqual(accounts._candidates(self.company), sample)

    def test_journal_tells_nothing_of_a_sample(self):
        before = self.env["amazon.audit.entry"].search_count([])
        sample = self.connect()
        self.refund_sample()
        sample.with_user(self.admin).name = "Another name"
        self.assertEqual(self.env["amazon.audit.entry"].search_count([]), before)

    def test_record_of_this_database_tells_nothing_of_a_sample(self):
        database = self.env.cr.dbname
        before = life_record.read(database)
        self.connect()
        self.refund_sample()
        self.env.cr.postcommit.run()
        self.assertEqual(life_record.read(database), before)
        self.assertFalse(self.env["amazon.sending"].search([]))

    def test_database_is_not_taken_for_a_restored_one_after_the_removal(self):
        sample = self.connect()
        self.refund_sample()
        self.env.cr.postcommit.run()
        self.remove(sample)
        self.assertTrue(self.env["amazon.life"]._check())

    def test_uninstalling_removes_samples_first(self):
        sample = self.connect()
        with (
            patch("odoo.addons.amazon_order_actions.hooks.leave_nothing"),
            mute_logger(REMOVAL),
        ):
            uninstall_hook(self.env)
        self.assertFalse(sample.exists())
        self.assertFalse(self.sale_order_about(SHIPPED))

    # === REFUSED === #

    def test_only_administrators_connect_and_remove(self):
        sample = self.connect()
        for user in (self.agent, self.auditor):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.connect(user)
            with self.subTest(user.login), self.assertRaises(AccessError):
                sample.with_user(user).action_remove_sample()
        self.assertTrue(sample.exists())

    def test_no_account_is_made_where_no_simulator_answers(self):
        before = self.env["amazon.seller.account"].search_count([])
        for address in ("http://127.0.0.1:9", "nonsense"):
            with self.subTest(address), self.assertRaisesRegex(UserError, "simulator"):
                self.connect(simulator_url=address)
        self.assertEqual(self.env["amazon.seller.account"].search_count([]), before)

    def test_simulator_is_connected_once(self):
        self.connect()
        with self.assertRaisesRegex(UserError, "connected already"):
            self.connect()

    def test_sample_never_becomes_another_account(self):
        sample = self.connect().with_user(self.admin)
        for values in (
            {"environment": "production"},
            {"seller_id": "A2EXAMPLE1234"},
            {"is_sample": False},
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, "stays at"):
                sample.write(values)

    def test_no_other_account_becomes_a_sample(self):
        with self.assertRaisesRegex(UserError, "stays at"):
            self.account.with_user(self.admin).write({"is_sample": True})
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(IntegrityError),
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(
                "UPDATE amazon_seller_account SET is_sample = true WHERE id = %s",
                [self.account.id],
            )

    def test_account_that_is_no_sample_is_not_removed(self):
        with self.assertRaisesRegex(UserError, "no sample"):
            self.account.with_user(self.admin).action_remove_sample()

    def test_sample_is_not_removed_while_a_job_works_on_it(self):
        sample = self.connect()
        jobs = self.pending_jobs("_job_read")
        self.assertTrue(jobs)
        jobs.write({"state": "started"})
        with self.assertRaisesRegex(UserError, "at this moment"):
            sample.with_user(self.admin).action_remove_sample()

    def test_dialog_knows_the_shop_of_the_simulator(self):
        seed = yaml.safe_load(
            Path(FOLDER, "spapi_simulator/demo_orders.yaml").read_text()
        )
        shop = seed["authorisations"][0]
        self.assertEqual(
            (
                shop["seller_id"],
                shop["region"],
                shop["client_id"],
                shop["client_secret"],
                shop["refresh_token"],
            ),
            (
                sample_request.SELLER_ID,
                sample_request.REGION,
                sample_request.CLIENT_ID,
                sample_request.CLIENT_SECRET,
                sample_request.REFRESH_TOKEN,
            ),
        )
        orders = {str(order["id"]): order["status"] for order in seed["orders"]}
        self.assertEqual(orders[sample_request.SHIPPED], "shipped")
        self.assertEqual(orders[sample_request.UNSHIPPED], "unshipped")
