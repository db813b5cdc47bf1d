import re
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw, get_public_method
from odoo.tests import tagged
from odoo.tests.common import new_test_user
from odoo.tools import file_open

from ...models.control.stop import REASON_SIZE
from ...spapi.enums import FEED_CANCEL
from ..common import SHIPPED, THREE_UNITS, UNSHIPPED, AmazonOrderCommon
from ..conversation.test_reply import ReplyCommon

ADMIN = "amazon_order_actions.group_admin"


class StopCommon(AmazonOrderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls._create_company(name="Elsewhere")
        cls.elsewhere_account = cls._create_account(
            company_id=cls.elsewhere.id, seller_id="AELSEWHERE"
        )
        cls.stranger = new_test_user(
            cls.env,
            login="stop_stranger",
            groups=f"base.group_user,{ADMIN}",
            company_id=cls.elsewhere.id,
            company_ids=[Command.set(cls.elsewhere.ids)],
        )

    def stop_as(self, user, button="action_stop", **values):
        """Stop something in the dialog, as a user."""
        user_companies = user.company_ids.ids
        requests = (
            self.env["amazon.stop.request"]
            .with_user(user)
            .with_context(allowed_company_ids=user_companies)
        )
        getattr(requests.create({"reason": "A test", **values}), button)()
        return self.stops()

    def resume_as(self, user, stops, reason="The test is over"):
        """Resume in the dialog, as a user."""
        dialog = stops.with_user(user).action_resume()
        request = self.env[dialog["res_model"]].with_user(user).browse(dialog["res_id"])
        request.reason = reason
        request.action_resume()

    def stops(self):
        return self.env["amazon.stop"].sudo().search([("ended_at", "=", False)])

    def stop_entries(self):
        entries = self.env["amazon.audit.entry"].sudo()
        return entries.search([("event", "=", "stop")], order="id")

    def feeds(self):
        return self.simulator.ledger()["calls"].get("createFeed", 0)


@tagged("post_install", "-at_install")
class TestStop(StopCommon):
    """What an administrator stops does not leave, and nothing else waits for it."""

    # === WHAT IS HELD === #

    def test_stop_of_one_kind_holds_it_and_lets_the_others_of_its_lane_leave(self):
        refund = self.ask_refund(self.create_sale_order(SHIPPED))
        sale_order = self.create_sale_order(THREE_UNITS)
        sku = sale_order.amazon_order_id.line_ids.sku
        units = self.ask_cancel_items(sale_order, {sku: 1})
        self.assertEqual(units.feed_type, refund.feed_type)
        self.assertEqual(units.marketplace, refund.marketplace)
        self.stop_as(self.admin, kind="refund")
        self.settle()
        self.assertEqual(refund.state, "queued")
        self.assertNotEqual(units.state, "queued")

    def test_stop_of_one_kind_lets_other_lanes_leave(self):
        refund = self.ask_refund(self.create_sale_order(SHIPPED))
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.stop_as(self.admin, kind="refund")
        self.settle()
        self.assertEqual(refund.state, "queued")
        self.assertIn(cancel.state, ("accepted", "confirmed"))

    def test_stop_of_everything_holds_feeds_and_calls(self):
        refund = self.ask_refund(self.create_sale_order(SHIPPED))
        ship = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.stop_as(self.admin, "action_stop_everything")
        self.settle()
        self.assertEqual((refund.state, ship.state), ("queued", "queued"))
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])
        self.assertNotIn("confirmShipment", self.simulator.ledger()["calls"])

    def test_stop_of_the_company_holds_each_account(self):
        self.stop_as(self.admin)
        self.assertFalse(self.account._may_send())
        self.assertFalse(self.account._may_send("refund"))
        self.assertTrue(self.elsewhere_account._may_send())

    def test_stop_of_one_account_lets_the_other_one_send(self):
        other = self._create_account(seller_id="ANOTHER")
        self.stop_as(self.admin, account_id=self.account.id)
        self.assertFalse(self.account._may_send("refund"))
        self.assertTrue(other._may_send("refund"))

    def test_stop_of_a_kind_is_no_stop_of_all(self):
        self.stop(self.account, "A test", "refund")
        self.assertTrue(self.account._may_send())
        self.assertTrue(self.account._may_send("cancel"))
        self.assertFalse(self.account._may_send("refund"))

    def test_everything_is_stopped_in_all_companies_of_the_administrator(self):
        self.admin.company_ids += self.elsewhere
        self.stop(self.account, "Stopped before")
        self.stop_as(self.admin, "action_stop_everything")
        self.assertFalse(self.account._may_send())
        self.assertFalse(self.elsewhere_account._may_send())
        # again: what is stopped stays so, and nothing is in the way
        self.stop_as(self.admin, "action_stop_everything")

    def test_reading_goes_on_and_queued_is_taken_back(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        self.stop_as(self.admin, "action_stop_everything")
        sale_order.amazon_order_id._read_from_amazon()
        self.assertEqual(sale_order.amazon_order_id.read_message, False)
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")

    def test_amazon_is_still_asked_to_drop_what_it_has(self):
        self.simulator.reset(processing_seconds=999999, quotas=False)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        action.feed_id.processing_status = "IN_QUEUE"
        self.stop_as(self.admin, "action_stop_everything")
        action.with_user(self.agent).action_cancel_feed()
        self.run_jobs("_job_drop")
        self.assertIn("cancelFeed", self.simulator.ledger()["calls"])

    # === THE LAST MOMENT === #

    def stopped_while(self, method):
        """Have everything stopped right after a step of the dispatch."""
        feeds = type(self.env["amazon.feed"])
        step, account = getattr(feeds, method), self.account

        def stop_after(model, *args):
            result = step(model, *args)
            if account._may_send():
                self.stop(account, "Stopped meanwhile")
            return result

        return patch.object(feeds, method, stop_after)

    def test_stop_while_orders_are_read_holds_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with self.stopped_while("_verify_orders"):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.feeds())

    def test_stop_after_the_document_was_uploaded_holds_it(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with self.stopped_while("_prepare"):
            self.run_jobs("_job_dispatch")
        self.assertFalse(self.feeds())
        self.assertEqual(action.state, "queued")
        self.assertIn("Nothing was sent.", action.state_message)
        self.assertIn("Stopped meanwhile", action.state_message)
        self.resume(self.account, "It may go")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.feeds(), 1)

    def test_stop_of_another_kind_does_not_hold_what_is_ready(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.stop(self.account, "A test", "message")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_stop_right_before_a_call_holds_it(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        actions = type(self.env["amazon.action"])
        begin, account = actions._begin_call, self.account

        def stop_after(model, *args):
            call = begin(model, *args)
            self.stop(account, "Stopped meanwhile", "ship")
            return call

        with patch.object(actions, "_begin_call", stop_after):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertIn("Stopped meanwhile", action.state_message)
        self.assertNotIn("confirmShipment", self.simulator.ledger()["calls"])

    # === RESUMING === #

    def test_resuming_sends_what_has_waited(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        stop = self.stop_as(self.admin, kind="refund")
        self.settle()
        self.resume_as(self.admin, stop)
        self.assertEqual(stop.ended_by_id, self.admin)
        self.assertEqual(stop.end_reason, "The test is over")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_resuming_one_kind_enqueues_that_kind_alone(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.ask_cancel(self.create_sale_order(UNSHIPPED))
        stop = self.stop(self.account, "A test", "refund")
        self.settle()
        self.pending_jobs().write({"state": "done"})
        stop.with_user(self.admin)._end("Over")
        lanes = {job.args[2] for job in self.pending_jobs("_job_dispatch")}
        self.assertEqual(len(lanes), 1)
        self.assertNotIn(FEED_CANCEL, lanes)

    def test_what_another_stop_holds_still_waits(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.stop(self.account, "All of it")
        stop = self.stop(self.account, "Refunds", "refund")
        stop._end("Over")
        self.settle()
        self.assertEqual(action.state, "queued")

    def test_account_resumes_its_own_stops_alone(self):
        self.stop_as(self.admin)
        self.stop(self.account, "A test", "refund")
        self.resume(self.account, "Over")
        self.assertEqual(len(self.stops()), 1)
        self.assertFalse(self.stops().account_id)

    def test_what_has_ended_is_not_ended_again(self):
        stop = self.stop(self.account, "A test")
        stop.with_user(self.admin)._end("Over")
        with self.assertRaisesRegex(UserError, "not stopped any more"):
            stop.with_user(self.admin).action_resume()
        stop.with_user(self.admin)._end("Twice")
        self.assertEqual(stop.end_reason, "Over")

    # === WHO, WHY === #

    def test_stop_and_resume_are_journaled_with_who_and_why(self):
        stop = self.stop_as(self.admin, kind="refund", reason="Wrong amounts")
        self.resume_as(self.admin, stop, "Amounts checked")
        stopped, resumed = self.stop_entries()
        self.assertEqual((stopped | resumed).user_id, self.admin)
        self.assertEqual(stopped.company_id, self.company)
        self.assertEqual(stopped.action_kind, "refund")
        self.assertEqual((stopped.state_from, stopped.state_to), (False, "stopped"))
        self.assertEqual((resumed.state_from, resumed.state_to), ("stopped", "resumed"))
        self.assertIn("Wrong amounts", stopped.message)
        self.assertIn("Amounts checked", resumed.message)

    def test_stop_needs_a_reason(self):
        for reason in (False, "  "):
            with self.assertRaisesRegex(UserError, "Say why"):
                self.stop(self.account, reason)
        stop = self.stop(self.account, "x" * 2 * REASON_SIZE)
        self.assertEqual(len(stop.reason), REASON_SIZE)
        with self.assertRaisesRegex(UserError, "Say why"):
            stop._end(" ")

    def test_second_stop_of_the_same_says_who_has_stopped_it(self):
        self.stop_as(self.admin, kind="refund")
        by_whom = re.escape(f"by {self.admin.name}: “A test”")
        with self.assertRaisesRegex(UserError, by_whom):
            self.stop_as(self.admin, kind="refund")

    def test_stops_are_never_deleted(self):
        stop = self.stop(self.account, "A test")
        with self.assertRaisesRegex(UserError, "stays on record"):
            stop.sudo().unlink()

    # === WHO MAY === #

    def test_only_administrators_stop_and_resume(self):
        stop = self.stop(self.account, "A test", "refund")
        for user in (self.agent, self.trainee, self.auditor):
            with self.assertRaises(AccessError):
                self.stop_as(user)
            with self.assertRaises(AccessError):
                self.stop(self.account.with_user(user), "No")
            with self.assertRaises(AccessError):
                self.stop(self.account.with_user(user).sudo(), "No")
            with self.assertRaises(AccessError):
                stop.with_user(user).sudo()._end("No")
            with self.assertRaises(AccessError):
                stop.with_user(user).action_resume()
            with self.assertRaises(AccessError):
                self.account.with_user(user).action_resume()
        self.assertEqual(self.stops(), stop)

    def test_nobody_else_stops_or_resumes_by_rpc(self):
        stop = self.stop(self.account, "A test", "refund")
        for model, method, *args in (
            ("amazon.stop.request", "create", [{"reason": "By RPC"}]),
            ("amazon.stop.end.request", "create", [{"stop_ids": stop.ids}]),
            ("amazon.stop", "action_resume", stop.ids),
            ("amazon.stop", "web_save", stop.ids, {"ended_at": "2020-01-01"}, {}),
            ("amazon.seller.account", "action_resume", self.account.ids),
        ):
            records = self.env[model].with_user(self.agent)
            with self.subTest(model=model, method=method):
                with self.assertRaises(AccessError):
                    call_kw(records, method, args, {})
        for name in ("_start", "_start_everything", "_open", "_end"):
            with self.assertRaises(AccessError):
                get_public_method(self.env["amazon.stop"], name)
        with self.assertRaises(AccessError):
            get_public_method(self.env["amazon.seller.account"], "_resume_sending")
        stops = self.env["amazon.stop"].with_user(self.agent)
        self.assertFalse(stops.load(["reason"], [["By import"]])["ids"])
        self.assertEqual(self.stops(), stop)

    def test_nobody_writes_stops_directly(self):
        stop = self.stop(self.account, "A test")
        for user in (self.admin, self.agent):
            stops = self.env["amazon.stop"].with_user(user)
            with self.assertRaises(AccessError):
                stops.create({"company_id": self.company.id, "reason": "By import"})
            with self.assertRaises(AccessError):
                stop.with_user(user).write({"reason": "Another"})
            with self.assertRaises(AccessError):
                stop.with_user(user).unlink()
        for user in (self.agent, self.trainee):
            with self.assertRaises(AccessError):
                stop.with_user(user).read(["reason"])
        self.assertTrue(stop.with_user(self.auditor).read(["reason"]))

    def test_administrator_of_another_company_is_refused(self):
        stop = self.stop(self.account, "A test")
        with self.assertRaises(AccessError):
            self.stop_as(self.stranger, company_id=self.company.id)
        with self.assertRaises(AccessError):
            stop.with_user(self.stranger)._end("No")
        with self.assertRaises(AccessError):
            stop.with_user(self.stranger).action_resume()
        with self.assertRaises(AccessError):
            stop.with_user(self.stranger).read(["reason"])
        requests = self.env["amazon.stop.end.request"].with_user(self.stranger)
        request = requests.sudo().create({"stop_ids": stop.ids, "reason": "No"})
        with self.assertRaises(AccessError):
            request.with_user(self.stranger).action_resume()
        self.assertEqual(self.stops(), stop)

    def test_stop_of_another_company_is_no_matter_here(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.stop_as(self.stranger, "action_stop_everything")
        self.settle()
        self.assertEqual(action.state, "confirmed")

    # === WHAT IS SAID === #

    def test_account_says_what_is_stopped(self):
        self.assertFalse(self.account.is_stopped)
        self.stop_as(self.admin, kind="refund")
        self.env.invalidate_all()
        account = self.account.with_user(self.agent)
        self.assertTrue(account.is_stopped)
        self.assertIn(f"by {self.admin.name}: “A test”", account.stop_message)
        self.assertIn(
            self.account,
            self.env["amazon.seller.account"].search([("is_stopped", "=", True)]),
        )

    def test_dialog_warns_of_the_stop_of_its_kind_alone(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.stop(self.account, "Wrong amounts", "refund")
        self.assertIn("Wrong amounts", self.open_request(sale_order, "refund").warnings)
        other = self.create_sale_order(UNSHIPPED)
        self.assertNotIn(
            "Wrong amounts", self.open_request(other, "cancel").warnings or ""
        )

    def test_panel_says_why_it_waits(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.stop(self.account, "Wrong amounts", "refund")
        shown = self.panel_of(action.order_id)["actions"][0]
        self.assertIn("Wrong amounts", shown["stop_message"])

    # === A NEUTRALIZED COPY === #

    def test_neutralized_copy_is_stopped_however_often_it_is_neutralized(self):
        with file_open("amazon_order_actions/data/neutralize.sql") as script:
            statements = script.read()
        for _time in range(2):
            self.env.flush_all()
            self.env.cr.execute(statements)
            self.env.invalidate_all()
        companies = self.env["res.company"].search([])
        self.assertEqual(self.stops().company_id, companies)
        self.assertEqual(len(self.stops()), len(companies))
        self.assertIn("the program", self.stops()[0]._sentence())


@tagged("post_install", "-at_install")
class TestStopOfReplies(ReplyCommon):
    """Who stops messages means mails to buyers, too."""

    def test_stop_of_messages_holds_the_reply_until_it_is_resumed(self):
        self.stop(self.account, "Wrong texts", "message")
        action = self.refund_with_reply(self.create_sale_order(SHIPPED))
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.reply_ids.state, "waiting")
        self.assertFalse(self.mails())
        self.resume(self.account, "Mended")
        self.settle()
        self.assertEqual(action.reply_ids.state, "sent")
        self.assertEqual(len(self.mails()), 1)

    def test_stop_of_messages_refuses_a_mail_by_hand_in_words(self):
        request = self.open_reply(self.create_sale_order(SHIPPED))
        request.write({"subject": SHIPPED, "text": f"About {SHIPPED}."})
        self.stop(self.account, "Wrong texts", "message")
        self.assertEqual(request.way, "mail")
        with self.assertRaisesRegex(UserError, "Wrong texts"):
            request.action_send()
        self.assertFalse(self.mails())

    def test_stop_of_refunds_does_not_hold_replies(self):
        action = self.refund_with_reply(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.stop(self.account, "A test", "refund")
        self.settle()
        self.assertEqual(action.reply_ids.state, "sent")
