from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...spapi.client import SellerClient
from ...spapi.errors import ACCESS_TOKEN_REJECTED, Refused
from ..common import (
    GIFT_WRAPPED,
    PARTLY_REFUNDED,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
MODULE = "amazon_order_actions"
ACTION = "odoo.addons.amazon_order_actions.models.action.action"


@tagged("post_install", "-at_install")
class TestPipeline(AmazonOrderCommon):
    """From the click to Amazon's own data, over HTTP to the simulator."""

    def refunds(self, ref=SHIPPED):
        return [r for r in self.simulator.ledger()["refunds"] if r["order_id"] == ref]

    # === THE GOOD WAY === #

    def test_full_refund_is_confirmed_and_executed_once(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.refunds(), [])
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)
        self.assertEqual(self.refunds()[0]["amount"], "44.94")
        self.assertEqual(
            self.refunds()[0]["components"], {"Principal": "39.95", "Shipping": "4.99"}
        )
        self.assertEqual(
            self.journal(action),
            [
                (False, "queued"),
                ("queued", "sending"),
                ("sending", "submitted"),
                ("submitted", "accepted"),
                ("accepted", "confirmed"),
            ],
        )
        self.assertEqual(action.order_id.refunded, 44.94)
        self.assertEqual(action.order_id.reserved, 0)
        self.assertEqual(action.order_id.refundable, 0)

    def test_partial_refund_moves_just_that_amount(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        action = self.ask_refund(sale_order, amounts={"NW-TEESIEB-FEIN": 5.0})
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual([r["amount"] for r in self.refunds(GIFT_WRAPPED)], ["5.00"])
        self.assertEqual(action.order_id.refundable, 78.24 - 5)

    def test_refund_of_two_items_is_one_message_and_confirmed(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        action = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        refunds = self.refunds(GIFT_WRAPPED)
        self.assertEqual(len(refunds), 2)
        self.assertEqual({r["message_id"] for r in refunds}, {1})
        self.assertEqual(sum(float(r["amount"]) for r in refunds), 78.24)

    def test_cancellation_is_confirmed_and_executed_once(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.fulfillment_status, "CANCELLED")
        cancellations = self.simulator.ledger()["cancellations"]
        self.assertEqual([row["order_id"] for row in cancellations], [UNSHIPPED])

    def test_actions_that_wait_together_travel_in_one_feed(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.settle()
        self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 1)
        self.assertEqual(len(self.refunds()), 1)
        self.assertEqual(len(self.refunds(GIFT_WRAPPED)), 2)

    def test_accepted_is_not_called_confirmed_before_finances_show_it(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=3600, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.run_jobs("_job_confirm")
        self.assertEqual(action.state, "accepted")
        self.assertEqual(action.order_id.reserved, 44.94)
        self.simulator.advance(3601)
        action.order_id._job_read()
        self.assertEqual(action.state, "confirmed")

    def test_earlier_refund_at_amazon_does_not_confirm_a_new_one(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=3600, quotas=False
        )
        sale_order = self.create_sale_order(PARTLY_REFUNDED)
        self.assertEqual(sale_order.amazon_order_id.refunded, 59.5)
        action = self.ask_refund(sale_order, amounts={"NW-DECKE-MERINO-GR": 59.5})
        self.settle(rounds=5)
        self.assertEqual(action.state, "accepted")

    def test_every_job_of_the_addon_has_its_channel(self):
        names = [name for name in self.env.registry if name.startswith("amazon.")]
        # a part of a model has no jobs of its own
        models = [
            self.env[name]
            for name in names
            if not self.env[name]._abstract or not self.is_part(name)
        ]
        jobs = {
            (model._name, method)
            for model in models
            for method in dir(type(model))
            # queue_job itself adds some to every model
            if method.startswith("_job_") and not hasattr(self.env["base"], method)
        }
        functions = self.env["queue.job.function"].search(
            [("channel_id", "=", self.env.ref(f"{MODULE}.channel_amazon").id)]
        )
        known = {(row.model_id.model, row.method) for row in functions}
        self.assertEqual(jobs - known, set())

    def is_part(self, name):
        inheriting = self.env.registry.descendants([name], "_inherit")
        return any(not self.env[other]._abstract for other in inheriting)

    # === NOTES === #

    def test_notes_tell_every_step_on_each_document_of_the_order(self):
        other = self.create_sale_order(SHIPPED)
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        self.settle()
        for document in (sale_order, other):
            notes = "\n".join(self.notes(document))
            for words in (
                "asks to refund",
                "has received the refund",
                "has accepted the refund",
                "finances show the refund",
            ):
                self.assertIn(words, notes)

    def test_what_amazon_says_is_journaled_and_posted_as_odoobot(self):
        first = self.ask_refund(self.create_sale_order(SHIPPED))
        # another agent's click may carry it
        self.pending_jobs("_job_dispatch").state = "cancelled"
        second = self._create_user(
            "second",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        self.ask_refund(self.create_sale_order(GIFT_WRAPPED), user=second)
        self.settle()
        entries = self.env["amazon.audit.entry"].sudo()
        entries = entries.search([("action_id", "=", first.id)], order="id")
        root = self.env.ref("base.user_root")
        self.assertEqual(entries[0].user_id, self.agent)
        self.assertEqual(entries[1:].user_id, root)
        notes = first._get_origin().message_ids.filtered("body").sorted("id")
        authors = notes.filtered(lambda note: first.name in note.body).author_id
        self.assertEqual(authors, self.agent.partner_id | root.partner_id)

    def test_notes_never_go_to_the_buyer(self):
        buyer = self.env["res.partner"].create(
            {"name": "Buyer", "email": "b1@marketplace.amazon.de"}
        )
        sale_order = self.create_sale_order(SHIPPED, partner_id=buyer.id)
        sale_order.message_subscribe(buyer.ids)
        self.ask_refund(sale_order)
        self.settle()
        notified = sale_order.message_ids.notification_ids.res_partner_id
        self.assertNotIn(buyer, notified)

    def test_note_that_fails_undoes_nothing_and_stops_nobody(self):
        bad = self.ask_refund(self.create_sale_order(SHIPPED))
        good = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        sale_orders = type(bad._get_origin())
        post = sale_orders.message_post

        def fail(sale_order, **values):
            if sale_order == bad._get_origin():
                raise ValueError("somebody else's code")
            return post(sale_order, **values)

        with patch.object(sale_orders, "message_post", fail), mute_logger(ACTION):
            self.settle()
        self.assertEqual((bad | good).mapped("state"), ["confirmed", "confirmed"])
        self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 1)

    # === EXACTLY ONCE === #

    def test_one_dialog_asks_only_once(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        request = self.open_request(sale_order, "refund")
        request.reason = "CustomerReturn"
        request.line_ids.write({"amount": 1})
        request.action_refund()
        request.action_refund()
        self.assertEqual(len(sale_order.amazon_action_ids), 1)

    def test_two_dialogs_cannot_promise_the_same_money(self):
        sale_order = self.create_sale_order(SHIPPED)
        first = self.open_request(sale_order, "refund")
        second = self.open_request(sale_order, "refund")
        (first | second).reason = "CustomerReturn"
        first.action_refund()
        self.env.invalidate_all()  # the second click is a request of its own
        with self.assertRaisesRegex(UserError, "left to refund"):
            second.action_refund()
        self.settle()
        self.assertEqual(len(self.refunds()), 1)

    def test_second_equal_partial_refund_is_meant_and_done(self):
        sale_order = self.create_sale_order(SHIPPED)
        for _time in range(2):
            self.ask_refund(sale_order, amounts={"NW-KESSEL-12-SW": 10})
            self.settle()
        self.assertEqual([r["amount"] for r in self.refunds()], ["10.00", "10.00"])
        self.assertEqual(
            sale_order.amazon_action_ids.mapped("state"), ["confirmed", "confirmed"]
        )

    def test_dispatch_that_runs_twice_sends_once(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self._dispatch(action)
        self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 1)

    @mute_logger(FEED)
    def test_no_answer_before_amazon_has_it_is_unknown_and_not_resent(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(action.feed_id.state, "unknown")
        self.assertEqual(self.refunds(), [])

    @mute_logger(FEED)
    def test_no_answer_after_amazon_has_it_is_unknown_then_found_and_not_resent(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_after", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(len(self.refunds()), 1, "Amazon has executed it")
        self.assertIn(
            "unknown whether Amazon has it", self.notes(action._get_origin())[0]
        )
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)

    @mute_logger(FEED)
    def test_server_error_on_create_feed_is_unknown(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("html_503", "createFeed", times=1)
        self.settle()
        self.assertEqual(action.state, "unknown")

    @mute_logger(FEED)
    def test_time_out_of_create_feed_is_unknown(self):
        for kind in ("timeout_before", "timeout_after"):
            with self.subTest(kind):
                self.simulator.reset(
                    processing_seconds=0, finance_delay_seconds=0, quotas=False
                )
                sale_order = self.create_sale_order(
                    SHIPPED if kind == "timeout_before" else GIFT_WRAPPED
                )
                action = self.ask_refund(sale_order)
                self.simulator.fault(kind, "createFeed", times=1, seconds=1)
                with patch.object(
                    type(self.account), "_client", _impatient(type(self.account))
                ):
                    self.run_jobs("_job_dispatch")
                self.assertEqual(action.state, "unknown")
                self.settle()
                self.assertEqual(self.simulator.ledger()["calls"]["createFeed"], 1)

    @mute_logger(FEED)
    def test_surprise_in_the_irreversible_call_is_unknown(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with patch.object(SellerClient, "create_feed", side_effect=RuntimeError("?")):
            self.settle()
        self.assertEqual(action.state, "unknown")

    def test_feed_without_sender_becomes_unknown_and_is_not_sent(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self._prepare_only(action)
        self.assertEqual(action.state, "sending")
        self._dispatch(action)
        self.assertEqual(action.state, "unknown")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])

    def test_answer_that_comes_after_unknown_is_taken(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self._prepare_only(action)
        feed = action.feed_id
        self._dispatch(action)
        self.assertEqual(action.state, "unknown")
        feed._record_submitted(feed.id, "4711", "r-1")
        self.env.flush_all()
        feed._job_follow()
        self.env.invalidate_all()
        self.assertEqual(action.state, "submitted")
        self.assertEqual(action.feed_ref, "4711")

    def _prepare_only(self, action):
        """Do all that comes before the irreversible call, and die."""
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_create_feed", side_effect=KeyboardInterrupt):
            try:
                self._dispatch(action)
            except KeyboardInterrupt:
                # not assertRaises: it would roll back what must survive
                self.env.invalidate_all()

    def _dispatch(self, action):
        """Dispatch the lane of an action, without a job."""
        self.env.flush_all()
        self.env["amazon.feed"]._job_dispatch(
            action.account_id.id, action.marketplace, action._kind()._feed_type
        )
        self.env.invalidate_all()

    # === PROVEN NOT SENT === #

    def test_throttled_feed_goes_back_to_the_queue_and_is_sent_later(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("throttle", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertFalse(action.feed_id)
        self._let_quota_recover()
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)

    def test_throttled_lane_is_left_alone_and_its_jobs_do_not_multiply(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("throttle", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        calls = self.simulator.ledger()["calls"]
        for ref in (GIFT_WRAPPED, PARTLY_REFUNDED):
            self.ask_refund(self.create_sale_order(ref))
        before = self.simulator.ledger()["calls"]
        jobs = len(self.pending_jobs("_job_dispatch"))
        for _time in range(3):
            self.run_jobs("_job_dispatch")
            self.assertLessEqual(len(self.pending_jobs("_job_dispatch")), jobs)
        after = self.simulator.ledger()["calls"]
        self.assertEqual(after["createFeed"], calls["createFeed"])
        self.assertEqual(after["getOrder"], before["getOrder"])
        self._let_quota_recover()
        self.settle()
        self.assertEqual(
            after["createFeed"] + 1, self.simulator.ledger()["calls"]["createFeed"]
        )
        states = self.env["amazon.action"].search(
            [("account_id", "=", self.account.id)]
        )
        self.assertEqual(set(states.mapped("state")), {"confirmed"})

    def _let_quota_recover(self):
        """Let the time pass that Amazon asked for."""
        self.env.cr.execute("UPDATE amazon_quota SET tokens = burst")

    def test_upload_that_fails_is_tried_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("html_503", "createFeedDocument", times=3)
        self.assertTrue(self.run_jobs("_job_dispatch"), "the job wants to come again")
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_account_without_the_role_for_feeds_blocks_with_the_reason(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("forbidden", "createFeedDocument", times=1)
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("roles", action.state_message)

    def test_create_feed_that_is_refused_blocks_with_the_reason(self):
        for kind in ("forbidden", "forbidden_plain"):
            with self.subTest(kind):
                sale_order = self.create_sale_order(
                    SHIPPED if kind == "forbidden" else GIFT_WRAPPED
                )
                action = self.ask_refund(sale_order)
                self.simulator.fault(kind, "createFeed", times=1)
                self.settle()
                self.assertEqual(action.state, "blocked")
                self.assertIn("Nothing was executed", action.state_message)
                self.assertEqual(action.feed_id.state, "refused")

    # === AMAZON'S REPORT === #

    def test_report_error_rejects_that_action_alone(self):
        bad = self.ask_refund(self.create_sale_order(SHIPPED))
        good = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.simulator.fault(
            "report_error", order_id=SHIPPED, code="13057", text="Not eligible"
        )
        self.settle()
        self.assertEqual(bad.state, "rejected")
        self.assertEqual(bad.amazon_code, "13057")
        self.assertEqual(bad.amazon_text, "Not eligible")
        self.assertIn("Not eligible", self.notes(bad._get_origin())[0])
        self.assertEqual(good.state, "confirmed")
        self.assertEqual(bad.order_id.refundable, 44.94, "it can be asked for again")

    def test_message_that_the_report_misses_is_unknown_until_the_finances_show_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_missing", order_id=SHIPPED)
        self.settle()
        self.assertIn(("submitted", "unknown"), self.journal(action))
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)

    def test_report_that_cannot_be_read_is_unknown_until_the_finances_show_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_bad_xml")
        self.settle()
        self.assertIn(("submitted", "unknown"), self.journal(action))
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)

    def test_report_that_is_gone_is_unknown_until_the_finances_show_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("report_gone")
        with mute_logger(FEED):
            self.settle()
        self.assertIn(("submitted", "unknown"), self.journal(action))
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)
        notes = " ".join(self.notes(action._get_origin()))
        self.assertIn("there is no report of it", notes)

    def test_fatal_feed_without_report_is_unknown(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("fatal")
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(action.feed_id.state, "fatal")

    def test_fatal_feed_that_did_a_part_is_never_called_accepted_blindly(self):
        actions = self.ask_refund(self.create_sale_order(SHIPPED))
        actions |= self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.simulator.fault("fatal_partial")
        self.settle()
        executed = {row["order_id"] for row in self.simulator.ledger()["refunds"]}
        for action in actions:
            if action.state in ("accepted", "confirmed"):
                self.assertIn(action.order_id.amazon_order_ref, executed)
            else:
                self.assertEqual(action.state, "unknown")

    def test_feed_cancelled_by_amazon_is_rejected(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cancelled")
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertEqual(self.refunds(), [])

    def test_stuck_feed_stays_submitted_and_is_asked_about_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("stuck")
        self.run_jobs("_job_dispatch")
        for _time in range(3):
            self.assertEqual(self.run_jobs("_job_poll"), ["IN_PROGRESS"])
        self.assertEqual(action.state, "submitted")
        self.assertNotIn("confirmed", " ".join(self.notes(action._get_origin())))

    def test_throttled_poll_comes_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.simulator.fault("throttle", "getFeed", times=1)
        self.assertTrue(self.run_jobs("_job_poll"))
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_report_is_kept_with_its_digest_in_the_journal(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        feed = action.feed_id
        self.assertIn(b"ProcessingReport", feed.report_file_id._bytes())
        self.assertIn(SHIPPED.encode(), feed.payload_file_id._bytes())
        sent = self.simulator.ledger()["feeds"][0]["input_digest"]
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id), ("state_to", "=", "accepted")])
        )
        self.assertEqual(entry.payload_digest, sent)
        self.assertEqual(entry.answer_digest, feed.report_digest)
        self.assertRegex(entry.request_ref, r"[0-9a-f-]{36}")

    # === CHECKED AGAIN BEFORE IT IS SENT === #

    def test_refund_made_elsewhere_meanwhile_blocks(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        item = action.order_id.line_ids.amazon_item_ref
        self.refund_elsewhere(SHIPPED, item, "39.95")
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("more than was paid", action.state_message)
        self.assertEqual(len(self.refunds()), 1)

    def test_order_cancelled_meanwhile_blocks_the_cancellation(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.cancel_elsewhere(action.order_id)
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("cancelled at Amazon already", action.state_message)

    def test_order_that_amazon_does_not_show_any_more_blocks_in_spite_of_refresh(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("forbidden", "getOrder", times=1)
        feeds = type(self.env["amazon.feed"])
        verify = feeds._verify_orders

        def verify_and_refresh(feed, lane):
            verified = verify(feed, lane)
            action.order_id.with_env(feed.env).action_refresh()
            feed.env.flush_all()
            return verified

        with patch.object(feeds, "_verify_orders", verify_and_refresh):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "blocked")
        self.assertIn("must check the roles", action.state_message)

    def test_refused_access_token_is_no_final_answer(self):
        def refuse(operation):
            error = Refused(
                operation, "The token was refused", code=ACCESS_TOKEN_REJECTED
            )
            return lambda *args, **kwargs: _raise(error)

        action = self.ask_refund(self.create_sale_order(SHIPPED))
        for method in ("get_order", "list_financial_events", "prepare_feed"):
            with self.subTest(method):
                with patch.object(SellerClient, method, refuse(method)):
                    self.run_jobs("_job_dispatch")
                self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_order_that_cannot_be_recorded_does_not_stop_the_lane(self):
        bad = self.ask_refund(self.create_sale_order(SHIPPED))
        good = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        orders = type(bad.order_id)
        record = orders._record

        def fail(order, answers):
            if order == bad.order_id:
                raise ZeroDivisionError
            return record(order, answers)

        with patch.object(orders, "_record", fail), mute_logger(FEED):
            self.run_jobs("_job_dispatch")
        self.assertEqual(bad.state, "queued")
        self.assertEqual(good.state, "submitted")

    def test_lost_answer_to_the_commit_before_sending_becomes_unknown(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = type(self.env["amazon.feed"])
        prepare = feeds._prepare

        def prepare_and_lose(feed, *args):
            prepare(feed, *args)
            return None

        with patch.object(feeds, "_prepare", prepare_and_lose):
            self._dispatch(action)
        self.assertEqual(action.state, "unknown")

    def test_order_that_cannot_be_read_keeps_the_action_waiting(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("html_503", "getOrder", times=3)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertIn("must be read first", action.state_message)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    # === THE SWITCH AND THE WAY BACK === #

    def test_nothing_is_sent_while_sending_is_stopped(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.stop(self.account, "A test")
        self.settle()
        self.assertEqual(action.state, "queued")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])
        self.resume(self.account, "The test is over")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_archived_account_sends_nothing_until_it_is_back(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.account.active = False
        self.settle()
        self.assertEqual(action.state, "queued")
        self.account.active = True
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_queued_action_can_be_withdrawn_and_is_not_sent(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.settle()
        self.assertEqual(self.refunds(), [])
        self.assertEqual(action.order_id.refundable, 44.94)

    def test_submitted_action_cannot_be_withdrawn(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        with (
            mute_logger(ACTION),
            self.assertRaisesRegex(UserError, "not queued any more"),
        ):
            action.with_user(self.agent).action_withdraw()


def _raise(error):
    raise error


def _impatient(account_class):
    """Return an `_client` whose client waits a third of a second for an answer."""
    client = account_class._client

    def _client(self, *args):
        ready = client(self, *args)
        ready._session._http._client.timeout = 0.3
        return ready

    return _client
