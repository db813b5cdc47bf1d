import threading
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, fields
from odoo.tests import HttpCase, tagged
from odoo.tests.common import ChromeBrowser, JsonRpcException

from odoo.addons.amazon_order_actions.spapi.enums import FEED_REFUND
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job

from ..common import FBA_SHIPPED, SHIPPED, UNSHIPPED, AmazonCommon

# What the jobs do between two looks of the agent, stage by stage.
STAGES = (
    ("_job_dispatch",),
    ("_job_poll", "_job_apply_report"),
    ("_job_confirm",),
)


# Seconds of Amazon's time until its finances show a refund: later than its report.
FINANCE_DELAY = 3600


class JobRunner(threading.Thread):
    """Runs jobs beside a tour, as the runner of queue_job does beside a browser.

    It uses cursors of its own, which take turns with those of the browser's requests.
    Readings of the order run at once. The other jobs run stage by stage, the next one
    whenever the order was read: so the tour decides how long a state is to be seen.
    """

    def __init__(self, registry, first_job, simulator, at_once=(), stages=STAGES):
        super().__init__(name="job runner of a tour", daemon=True)
        self.registry = registry
        self.first_job = first_job
        self.simulator = simulator
        self.open_methods = ["_job_read", *at_once]
        self.stages = iter(stages)
        self.error = None
        self.stopping = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, exc_type, exc, traceback):
        self.stopping.set()
        self.join()
        if self.error:
            raise self.error

    def run(self):
        while not self.stopping.wait(0.1):
            try:
                with self.registry.cursor() as cr:
                    self._run_one(api.Environment(cr, SUPERUSER_ID, {}))
            except Exception as error:
                self.error = error
                return

    def _run_one(self, env):
        record = env["queue.job"].search(
            [
                ("state", "=", "pending"),
                ("id", ">=", self.first_job),
                ("method_name", "in", self.open_methods),
            ],
            order="id",
            limit=1,
        )
        if not record:
            return
        job = Job.load(env, record.uuid)
        try:
            with env.cr.savepoint():
                job.perform()
        except RetryableJobError:
            return
        job.set_done()
        job.store()
        if job.method_name == "_job_read":
            stage = next(self.stages, ())
            self.open_methods.extend(stage)
            if "_job_confirm" in stage:
                self.simulator.advance(FINANCE_DELAY + 1)


class ToursCommon(AmazonCommon, HttpCase):
    """A browser, with the jobs running beside it and Odoo's bus telling the open
    form."""

    def setUp(self):
        super().setUp()
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=FINANCE_DELAY, quotas=False
        )

    def run_tour(self, document, tour, user=None, first_job=None, **jobs):
        """Walk a tour on the form of a document, with the jobs beside it.

        :param int first_job: the first job to run, of those that wait already
        :param jobs: which jobs run at once, and which ones stage by stage
        """
        first_job = first_job or self._last_job_id() + 1
        runner = JobRunner(self.registry, first_job, self.simulator, **jobs)
        wait_for_end = ChromeBrowser._wait_code_ok

        def run_jobs_meanwhile(*args, **kwargs):
            # Only here the test itself leaves its cursor to others.
            with runner:
                return wait_for_end(*args, **kwargs)

        with patch.object(ChromeBrowser, "_wait_code_ok", run_jobs_meanwhile):
            self.start_tour(
                f"/odoo/{document._name}/{document.id}",
                tour,
                login=(user or self.agent).login,
            )
        self.env.invalidate_all()

    def executed(self, what):
        return self.simulator.ledger()[what]


@tagged("post_install", "-at_install")
class TestTours(ToursCommon):
    """What people do in a browser."""

    # === THE AGENT WITH THE RIGHT === #

    def test_refund_from_ticket_shows_each_state_without_reload(self):
        ticket = self.create_ticket(SHIPPED)
        self.run_tour(ticket, "amazon_ticket_refund")
        self.assertEqual(self.last_action().state, "confirmed")
        refunds = self.executed("refunds")
        self.assertEqual([row["order_id"] for row in refunds], [SHIPPED])
        self.assertEqual([row["amount"] for row in refunds], ["44.94"])
        self.assertEqual(ticket.name, "Kettle leaks")

    def test_cancellation_from_ticket_shows_each_state_without_reload(self):
        ticket = self.create_ticket(UNSHIPPED)
        self.run_tour(ticket, "amazon_ticket_cancel")
        self.assertEqual(self.last_action().state, "confirmed")
        cancellations = self.executed("cancellations")
        self.assertEqual([row["order_id"] for row in cancellations], [UNSHIPPED])

    def test_partial_refund_from_sale_order(self):
        self.run_tour(self.create_sale_order(SHIPPED), "amazon_sale_order_refund")
        self.assertEqual(self.last_action().state, "accepted")
        self.assertEqual([row["amount"] for row in self.executed("refunds")], ["10.00"])

    def test_queued_refund_can_be_withdrawn_in_the_panel(self):
        self.run_tour(self.create_ticket(SHIPPED), "amazon_ticket_withdraw")
        self.assertEqual(self.last_action().state, "withdrawn")
        self.settle()
        self.assertFalse(self.executed("refunds"))

    def test_refund_can_be_taken_back_while_the_seconds_count_down(self):
        self.set_undo("refund", 600)
        self.run_tour(self.create_ticket(SHIPPED), "amazon_ticket_countdown")
        self.assertEqual(self.last_action().state, "withdrawn")
        self.settle()
        self.assertFalse(self.executed("refunds"))

    def test_panel_says_when_an_answer_is_expected(self):
        now = fields.Datetime.now()
        self.env["amazon.feed"].create(
            [
                {
                    "account_id": self.account.id,
                    "marketplace": "A1PA6795UKMFR9",
                    "feed_type": FEED_REFUND,
                    "state": "done",
                    "submitted_at": now - timedelta(hours=3),
                    "done_at": now - timedelta(hours=1),
                }
                for _number in range(3)
            ]
        )
        self.run_tour(self.create_ticket(SHIPPED), "amazon_ticket_expectation")

    def test_feed_in_amazons_queue_can_be_dropped_in_the_panel(self):
        self.simulator.reset(processing_seconds=9999, quotas=False)
        ticket = self.create_ticket(SHIPPED)
        first_job = self._last_job_id() + 1
        action = self.ask_refund(ticket)
        self.run_jobs("_job_dispatch")
        action.feed_id.processing_status = "IN_QUEUE"
        self.run_tour(
            ticket,
            "amazon_ticket_drop",
            first_job=first_job,
            at_once=("_job_drop", "_job_withdraw_dropped"),
            stages=(("_job_poll",),),
        )
        self.assertEqual(action.state, "withdrawn")
        self.assertFalse(self.executed("refunds"))

    def test_news_come_without_the_websocket(self):
        self.run_tour(self.create_ticket(SHIPPED), "amazon_ticket_without_websocket")
        self.assertEqual(self.last_action().state, "submitted")

    def test_typed_number_brings_the_order_into_the_open_form(self):
        self.run_tour(self.create_ticket(), "amazon_ticket_number_typed")

    def test_refund_of_fba_order_is_recorded_and_not_sent(self):
        self.run_tour(self.create_ticket(FBA_SHIPPED), "amazon_ticket_refund_assisted")
        self.assertEqual(self.last_action().state, "assisted")
        self.assertFalse(self.executed("feeds"))

    def test_refund_of_unshipped_order_is_blocked_with_the_way_out(self):
        self.run_tour(self.create_ticket(UNSHIPPED), "amazon_ticket_refund_blocked")

    # === THE AGENT WITHOUT THE RIGHT === #

    def test_agent_without_right_sees_the_order_and_no_button(self):
        self.run_tour(
            self.create_ticket(SHIPPED), "amazon_ticket_without_right", self.trainee
        )

    def call(self, model, method, *args):
        """Call a method over RPC as the browser does."""
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": {}},
        )

    def run_server_action(self, name, document):
        is_ticket = document._name == "helpdesk.ticket"
        addon = f"amazon_{'helpdesk' if is_ticket else 'order'}_actions"
        return self.make_jsonrpc_request(
            "/web/action/run",
            {
                "action_id": self.env.ref(f"{addon}.{name}").id,
                "context": {
                    "active_model": document._name,
                    "active_id": document.id,
                    "active_ids": document.ids,
                },
            },
        )

    def test_agent_without_right_is_refused_over_rpc(self):
        documents = {
            "ticket": self.create_ticket(SHIPPED),
            "sale_order": self.create_sale_order(SHIPPED),
        }
        self.authenticate(self.trainee.login, self.trainee.login)
        for kind in ("refund", "cancel"):
            for name, document in documents.items():
                with (
                    self.subTest(kind=kind, document=name, by="method"),
                    self.assertRaisesRegex(JsonRpcException, "AccessError"),
                ):
                    self.call(document._name, f"action_amazon_{kind}", document.ids)
                with (
                    self.subTest(kind=kind, document=name, by="server action"),
                    self.assertRaisesRegex(JsonRpcException, "AccessError"),
                ):
                    self.run_server_action(f"action_server_{name}_{kind}", document)
            with (
                self.subTest(kind=kind, by="dialog"),
                self.assertRaisesRegex(JsonRpcException, "AccessError"),
            ):
                self.call(
                    f"amazon.{kind}.request",
                    "create",
                    {"order_id": documents["ticket"].amazon_order_id.id},
                )
        self.assertFalse(self.env["amazon.action"].search([]))

    def test_agent_with_right_gets_the_dialog_over_rpc(self):
        ticket = self.create_ticket(SHIPPED)
        self.authenticate(self.agent.login, self.agent.login)
        for kind in ("refund", "cancel"):
            action = self.run_server_action(f"action_server_ticket_{kind}", ticket)
            self.assertEqual(action["res_model"], f"amazon.{kind}.request")

    def test_agent_without_right_cannot_withdraw_over_rpc(self):
        action = self.ask_refund(self.create_ticket(SHIPPED))
        self.authenticate(self.trainee.login, self.trainee.login)
        with self.assertRaisesRegex(JsonRpcException, "AccessError"):
            self.call("amazon.action", "action_withdraw", action.ids)
        self.assertEqual(action.state, "queued")
