import atexit
import contextlib
import functools
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import psutil
from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command
from odoo.tests import common
from odoo.tests.common import new_test_user
from odoo.tools import html2plaintext

from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job

from ..models.life import life_record
from ..spapi.enums import FEED_CANCEL, FEED_REFUND
from ..spapi.envelopes import (
    CancelItem,
    CancelMessage,
    RefundItem,
    RefundMessage,
    order_acknowledgement,
    order_adjustment,
)
from ..spapi.marketplaces import MARKETPLACES

# The simulator lives beside the addon; nothing but the tests knows of it.
sys.path.append(str(Path(__file__).resolve().parents[2]))
from spapi_simulator.process import SimulatorProcess  # noqa: E402

# Orders of the simulator's seed (spapi_simulator/demo_orders.yaml).
SHIPPED = "302-4481516-2342108"  # DE, one item: 39.95 and shipping 4.99
UNSHIPPED = "303-7719024-5588321"  # DE, two items
GIFT_WRAPPED = "305-2260917-9913547"  # DE, two items, shipping, gift wrap
PARTLY_REFUNDED = "304-8830155-1274690"  # DE, 59.50 of 123.99 is refunded
PENDING = "302-9057741-6620389"
CANCEL_REQUESTED = "303-1146280-7735914"  # the buyer asks to cancel, in Your Orders
THREE_UNITS = "303-5519402-7740128"  # DE, unshipped, the buyer asks to cancel
PARTIALLY_SHIPPED = "404-6612388-0457172"
FULLY_REFUNDED = "402-3378105-8841269"
PROMOTION = "202-5540973-4417536"  # GB
CLAIMED = "203-9981462-3306718"  # GB, an A-to-z claim is paid
CANCELLED = "408-2294871-5503946"
FBA_SHIPPED = "406-7753190-2268415"
FBA_UNSHIPPED = "305-6608213-9947150"
MCF = "S02-4417308-1920563"
NOWHERE = "999-9999999-9999999"


@functools.cache
def shared_simulator():
    """Return the simulator of this run of the tests, which the first who needs it
    starts: a process takes longer to start than most tests to run."""
    simulator = SimulatorProcess()
    atexit.register(simulator.stop)
    # Odoo ends what a test class leaves running.
    children = psutil.Process.children

    def others(process, recursive=False):
        return [
            child
            for child in children(process, recursive)
            if child.pid != simulator.pid
        ]

    psutil.Process.children = others
    return simulator


class AmazonOrderCommon(BaseCommon):
    """A company with a seller account at the simulator, and a person for each role.

    Feeds are processed at once and quotas are off, unless a test says otherwise.
    """

    # groups of who works with the documents of orders
    WORKS_WITH_DOCUMENTS = ("sales_team.group_sale_salesman_all_leads",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What a test sends is rolled back, and its record is not: each has its own.
        cls.life_dir = cls.enterClassContext(TemporaryDirectory())
        cls.startClassPatcher(patch.object(life_record, "folder", lambda: cls.life_dir))
        cls.registry._amazon_life_checked = True
        cls.simulator = shared_simulator()
        # whatever the class before has changed: orders, settings, faults, its clock
        cls.simulator.reset()
        cls.company = cls._create_company(name="Nordlicht Test")
        cls.env.user.write({"company_ids": [Command.link(cls.company.id)]})
        cls.env = cls.env(
            context=dict(cls.env.context, allowed_company_ids=cls.company.ids)
        )
        # The demo data is connected to the same seller, who can be connected once.
        for account in cls.env["amazon.seller.account"].sudo().search([]):
            account.seller_id += "DEMO"
        cls.env.flush_all()
        cls.account = cls._create_account()
        cls.agent = cls._create_user(
            "amazon_agent",
            *cls.WORKS_WITH_DOCUMENTS,
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_cancel",
            "amazon_order_actions.group_edit",
            "amazon_order_actions.group_message",
        )
        cls.trainee = cls._create_user(
            "amazon_trainee",
            *cls.WORKS_WITH_DOCUMENTS,
        )
        cls.auditor = cls._create_user(
            "amazon_auditor", "amazon_order_actions.group_journal"
        )
        cls.admin = cls._create_user("amazon_admin", "amazon_order_actions.group_admin")
        cls.first_job = cls._last_job_id() + 1

    @classmethod
    def _create_user(cls, login, *groups):
        return new_test_user(
            cls.env,
            login=login,
            groups=",".join(["base.group_user", *groups]),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _create_own_agent(cls):
        """Return an agent who may refund, and reads own documents alone."""
        return cls._create_user(
            "amazon_own",
            "sales_team.group_sale_salesman",
            "amazon_order_actions.group_refund",
        )

    @classmethod
    def _create_account(cls, **values):
        account = cls.env["amazon.seller.account"].create(
            {
                "name": "Nordlicht Wohnen",
                "company_id": cls.company.id,
                "seller_id": SimulatorProcess.SELLER_ID,
                "region": "eu",
                "environment": "simulator",
                "simulator_url": cls.simulator.url,
                "lwa_client_id": SimulatorProcess.CLIENT_ID,
                "lwa_client_secret": SimulatorProcess.CLIENT_SECRET,
                "lwa_refresh_token": SimulatorProcess.REFRESH_TOKEN,
                "participation_ids": [
                    Command.create({"marketplace": marketplace})
                    for marketplace in (
                        "A1PA6795UKMFR9",
                        "A13V1IB3VIYZZH",
                        "A1F83G8C2ARO7P",
                        "A1RKKUPIHCS9HS",
                    )
                ],
                **values,
            }
        )
        # by SQL: what is journaled of an account keeps it from being deleted
        cls.env.cr.execute(
            "UPDATE amazon_account_kind SET undo_seconds = 0 WHERE account_id = %s",
            [account.id],
        )
        account.kind_ids.invalidate_recordset(["undo_seconds"])
        cls._lift_careful_limits(account)
        return account

    @classmethod
    def _lift_careful_limits(cls, account):
        """Let everybody refund alone, as most tests are about something else."""
        # by SQL, as above
        cls.env.cr.execute(
            """
            INSERT INTO amazon_careful_limit
                        (account_id, company_id, currency_id,
                         limit_action, limit_person_day)
                 SELECT %s, %s, id, 1e9, 1e9 FROM res_currency WHERE name = ANY(%s)
            """,
            [
                account.id,
                account.company_id.id,
                [market.currency for market in MARKETPLACES.values()],
            ],
        )

    def set_undo(self, kind, seconds):
        """Let actions of a kind stay for some seconds, so that they can be taken back.

        :param str kind: that has the setting
        :param int seconds: for which they stay
        """
        rows = self.account.kind_ids.filtered(lambda row: row.kind == kind)
        rows.undo_seconds = seconds

    @classmethod
    def _last_job_id(cls):
        return cls.env["queue.job"].search([], order="id desc", limit=1).id

    @classmethod
    def _request_handler(cls, session, request, /, **options):
        """Override to let requests through to the simulator, and to it alone.

        Odoo's own handler lets local requests pass, too, but fails on a timeout that
        is a pair (to connect, to read).
        """
        if request.url.startswith(f"{cls.simulator.url}/"):
            return common._super_send(session, request, **options)
        return super()._request_handler(session, request, **options)

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        if not self._registry_patched:
            # the pipeline commits in cursors of its own
            self.registry_enter_test_mode()
        self.live()

    def live(self):
        """Give this database a life in order: a record that it is not behind."""
        folder = self.enterContext(TemporaryDirectory())
        self.enterContext(patch.object(life_record, "folder", lambda: folder))
        # what a test before found was rolled back
        self.registry._amazon_life_token = None
        life = self.env["amazon.life"]._create_life(False)
        life_record.begin(self.env.cr.dbname, life.token, {})

    # === CLOCKS === #

    @contextlib.contextmanager
    def host_ahead(self, **delta):
        """Let this host's clock be ahead of the database's.

        :param delta: by how much, as for a timedelta
        """
        ahead = timedelta(**delta)
        now, seconds = fields.Datetime.now, time.time
        with (
            patch.object(fields.Datetime, "now", lambda: now() + ahead),
            patch.object(time, "time", lambda: seconds() + ahead.total_seconds()),
        ):
            yield

    @contextlib.contextmanager
    def database_ahead(self, **delta):
        """Let PostgreSQL's clock be ahead of this host's, until the end of the test at
        the latest.

        PostgreSQL looks for functions in its own schema first, unless told otherwise.

        :param delta: by how much, as for a timedelta
        """
        self.env.cr.execute(
            """
            CREATE SCHEMA IF NOT EXISTS moved_clock;
            CREATE OR REPLACE FUNCTION moved_clock.clock_timestamp()
                RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
                SELECT pg_catalog.clock_timestamp()
                       + current_setting('amazon.ahead')::interval $$;
            SELECT set_config('amazon.ahead', %s, true);
            SET LOCAL search_path = moved_clock, pg_catalog, public
            """,
            [f"{timedelta(**delta).total_seconds()} seconds"],
        )
        try:
            yield
        finally:
            self.env.cr.execute("SET LOCAL search_path = DEFAULT")

    @contextlib.contextmanager
    def everything_at(self, moment):
        """Let this host and PostgreSQL have a time, at which the host stands still.

        :param str moment: UTC
        """
        ahead = fields.Datetime.to_datetime(moment) - fields.Datetime.now()
        with (
            self.database_ahead(seconds=ahead.total_seconds()),
            freeze_time(moment),
        ):
            yield

    # === RECORDS === #

    def create_sale_order(self, ref=False, read=True, **values):
        """Create a sale order of an Amazon order, with the order read."""
        sale_order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "A buyer"}).id,
                "company_id": self.company.id,
                "amazon_order_ref": ref,
                **values,
            }
        )
        if read:
            self.run_jobs("_job_read")
        return sale_order

    def tamper(self, file, content):
        """Change the content of a file past Odoo, which refuses that to everybody."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_file SET content = %s, size = %s WHERE id = %s",
            [content, len(content), file.id],
        )
        self.env.invalidate_all()

    def open_request(self, document, kind, user=None):
        """Click a button as a user and return the dialog that opens."""
        user = user or self.agent
        document = document.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )
        action = getattr(document, f"action_amazon_{kind}")()
        return document.env[action["res_model"]].browse(action["res_id"])

    def ask_refund(self, document, user=None, amounts=None, **values):
        """Ask for a refund as an agent does, and return the action.

        :param dict amounts: amount by SKU; all that is refundable where None
        """
        request = self.open_request(document, "refund", user)
        request.write({"reason": "CustomerReturn", "is_second_meant": True, **values})
        for line in request.line_ids if amounts is not None else []:
            line.amount = amounts.get(line.sku, 0)
        request.action_refund()
        return self.last_action()

    def ask_cancel(self, document, user=None, **values):
        """Ask for a cancellation as an agent does, and return the action."""
        request = self.open_request(document, "cancel", user)
        request.write({"reason": "NoInventory", **values})
        request.action_cancel_order()
        return self.last_action()

    def ask_ship(self, document, user=None, units=None, **values):
        """Ask to confirm a shipment as an agent does, and return the action.

        :param dict units: units by SKU; all that is left where None
        """
        request = self.open_request(document, "ship", user)
        request.write(
            {"carrier_code": "DHL", "tracking_number": "00340434161094", **values}
        )
        for line in request.line_ids if units is not None else []:
            line.quantity = units.get(line.sku, 0)
        request.action_ship()
        return self.last_action()

    def ask_cancel_items(self, document, quantities, user=None, **values):
        """Ask for the cancellation of some units as an agent does.

        :param dict quantities: units by SKU; none of the others
        """
        request = self.open_request(document, "cancel", user)
        request.write({"scope": "items", "items_reason": "NoInventory", **values})
        for line in request.line_ids:
            line.quantity = quantities.get(line.sku, 0)
        request.action_cancel_order()
        return self.last_action()

    def reserve_on(self, order, request):
        """Ask for something on an order, as whoever the order is given by."""
        return order.env["amazon.reservation"]._reserve(order, request)

    def panel_of(self, order, user=None):
        """Return what the panel shows of an order, to somebody else where said."""
        if user:
            order = order.with_user(user)
        return order.env["amazon.order.panel"]._of(order)

    def units_to_cancel(self, line):
        """Return how many units of an item can be cancelled, and how many are being
        cancelled."""
        kind = self.env["amazon.action.kind.cancel_items"]
        return kind._cancellable(line), kind._reserved(line)

    def last_action(self):
        return self.env["amazon.action"].search([], order="id desc", limit=1)

    # === ELSEWHERE === #

    def refund_elsewhere(self, ref, item, amount):
        """Refund an order past Odoo, as a person in Seller Central does.

        :param str item: Amazon's id of the item
        :param str amount: of its price, in EUR
        """
        price = (("Principal", Decimal(amount)),)
        refund = RefundItem(item, "elsewhere", "Other", price, None)
        message = RefundMessage(1, ref, "EUR", (refund,))
        self._send_elsewhere(
            FEED_REFUND, order_adjustment(self.account.seller_id, [message])
        )

    def cancel_elsewhere(self, order):
        """Cancel an order past Odoo.

        :param amazon.order order: as it was read
        """
        items = tuple(
            CancelItem(line.amazon_item_ref, "NoInventory") for line in order.line_ids
        )
        message = CancelMessage(1, order.amazon_order_ref, items)
        self._send_elsewhere(
            FEED_CANCEL, order_acknowledgement(self.account.seller_id, [message])
        )

    def _send_elsewhere(self, feed_type, payload):
        with self.account._client() as client:
            document = client.prepare_feed(payload)
            feed = client.create_feed(feed_type, ["A1PA6795UKMFR9"], document).feed_id
            self.assertEqual(client.get_feed(feed)["processingStatus"], "DONE")

    # === JOBS === #

    def pending_jobs(self, *methods):
        """Return the jobs of this test that wait, the oldest first."""
        domain = [("state", "=", "pending"), ("id", ">=", self.first_job)]
        if methods:
            domain.append(("method_name", "in", methods))
        return self.env["queue.job"].search(domain, order="id")

    def run_jobs(self, *methods):
        """Run once each job that waits, as the runner would, whatever its time.

        Of several that do the same, the first.

        :param str methods: names of job methods; all where none is given
        :return: the messages of the jobs that want to be run again later
        :rtype: list[str]
        """
        postponed = []
        done = []
        for record in self.pending_jobs(*methods):
            job = Job.load(self.env, record.uuid)
            what = (job.recordset, job.method_name, job.args)
            if what in done:
                continue
            done.append(what)
            job.set_started()
            job.store()
            self.env.flush_all()
            try:
                with self.env.cr.savepoint():
                    job.perform()
            except RetryableJobError as error:
                postponed.append(str(error))
                job.set_pending(reset_retry=False)
            else:
                job.set_done()
            job.store()
            self.env.flush_all()
            self.env.invalidate_all()
        return postponed

    def settle(self, rounds=12):
        """Run the jobs until none waits, or for so many rounds."""
        for _round in range(rounds):
            if not self.pending_jobs():
                return
            self.run_jobs()

    def stop(self, account, reason, kind=False):
        """Stop what is sent for an account, as its user; see `amazon.stop._start`."""
        company = account.sudo().company_id
        return account.env["amazon.stop"]._start(company, reason, account, kind)

    def resume(self, account, reason):
        """End the stops of an account alone, as its user."""
        stops = account.env["amazon.stop"]._open_of(account).filtered("account_id")
        stops.with_env(account.env)._end(reason)

    def let_wait(self, actions, **values):
        """Let actions wait for a second person, whatever they are."""
        later = fields.Datetime.now() + timedelta(hours=1)
        approval = {"why": "Too much.", "expires_at": later, **values}
        for action in actions:
            action.write(
                {"state": "to_approve", "approval_ids": [Command.create(approval)]}
            )

    # === WHAT IS SEEN === #

    def notes(self, document):
        """Return the texts of the notes on a document, the newest first."""
        return [html2plaintext(message.body) for message in document.message_ids]

    def journal(self, action):
        """Return the moves that the journal has of an action, as (from, to)."""
        entries = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id)], order="id")
        )
        return [(entry.state_from, entry.state_to) for entry in entries]
