from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import new_test_user
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job

from ..common import CANCEL_REQUESTED, GIFT_WRAPPED, PROMOTION, SHIPPED, UNSHIPPED
from ..kinds.test_mcf import ON_HOLD
from .test_life import LifeCommon

FOREIGN = "odoo.addons.amazon_order_actions.models.tracing.foreign_feed"
CONTAINMENT = "odoo.addons.amazon_order_actions.models.base.containment"
FAILURE = "odoo.addons.amazon_order_actions.models.watch.failure"
HOUR = 3600
SKU = "NW-KESSEL-12-SW"
LOST = "restored from a backup"


class RestoreCommon(LifeCommon):
    """A database that was found not to be the one that sent last."""

    def setUp(self):
        super().setUp()
        # Nothing shows by Amazon's finances unless a test waits for it.
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=30 * 24 * HOUR, quotas=False
        )

    def find(self):
        """Let the database find that it was restored; return the stop."""
        self.restore()
        self.check()
        return self.stops().filtered("needs_decision")

    def decide(self, decision, user=None, stop=None, reason="A test"):
        """Decide in the dialog, as a user."""
        user = user or self.admin
        stop = stop or self.stops().filtered("needs_decision")
        dialog = stop.with_user(user).action_decide()
        request = self.env[dialog["res_model"]].with_user(user).browse(dialog["res_id"])
        request.write({"decision": decision, "reason": reason})
        request.action_decide()

    def decide_on(self, stop, decision, reason):
        """Decide without the dialog, as the user of the stop."""
        stop.env["amazon.life.decide"]._decide(stop, decision, reason)

    def decide_restored(self):
        """Find, decide, and let what waits be doubted."""
        self.find()
        self.decide("restored")
        self.run_jobs("_job_verify_restored")

    def verify(self):
        """Look for what waits once more; return who wants to come again."""
        return self.run_and_keep("_job_verify_lane", "_job_look")

    def run_and_keep(self, *methods):
        """Run jobs once as `run_jobs` does, and keep what those did in transactions of
        their own that want to come again: here they are part of the test's."""
        postponed = []
        for record in self.pending_jobs(*methods):
            job = Job.load(self.env, record.uuid)
            self.env.flush_all()
            try:
                job.perform()
            except RetryableJobError as error:
                postponed.append(str(error))
            else:
                job.set_done()
                job.store()
            self.env.flush_all()
            self.env.invalidate_all()
        return postponed

    def catch_up(self, hours=5):
        """Let Amazon's list show all of the lost time, by Amazon's clock, and orders be
        asked for again."""
        self.verify()
        self.simulator.advance(hours * HOUR)
        # hours later at Amazon may be the same second here
        for order in self.env["amazon.order"].search([("complete_at", "!=", False)]):
            order.complete_at -= timedelta(seconds=2)

    def send_in_the_lost_life(self, action):
        """Let Amazon have what this database, as it was restored, does not know of."""
        feed_type, order = action.feed_type, action.order_id
        if action.kind == "refund":
            line = action.line_ids[0]
            self.refund_elsewhere(
                order.amazon_order_ref,
                line.order_line_id.amazon_item_ref,
                f"{line.amount:.2f}",
            )
        else:
            self.cancel_elsewhere(order)
        self.assertTrue(feed_type)


@tagged("post_install", "-at_install")
class TestLifeDecision(RestoreCommon):
    """An administrator says what this database is, and nobody else."""

    def setUp(self):
        super().setUp()
        self.action = self.ask_refund(self.create_sale_order(SHIPPED), amounts={SKU: 5})
        self.stop = self.find()

    # === WHO === #

    def test_nobody_but_an_administrator_of_the_company_decides(self):
        for user in (self.agent, self.trainee, self.auditor, self.stranger):
            for decision in ("moved", "restored", "copy"):
                stop = self.stop.with_user(user)
                with self.subTest(user.login, decision=decision):
                    with self.assertRaises(AccessError):
                        self.decide_on(stop, decision, "Because")
                    with self.assertRaises(AccessError):
                        self.decide_on(stop.sudo(), decision, "Because")
                    with self.assertRaises(AccessError):
                        self.decide(decision, user)
        self.assertFalse(self.stop.decision)
        self.assertFalse(self.stop.ended_at)

    def test_dialog_of_another_one_is_out_of_reach(self):
        dialog = self.stop.with_user(self.admin).action_decide()
        other = new_test_user(
            self.env,
            login="second_admin",
            groups="base.group_user,amazon_order_actions.group_admin",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        request = self.env[dialog["res_model"]].browse(dialog["res_id"])
        with self.assertRaises(AccessError):
            request.with_user(other).write({"decision": "moved"})

    # === WHAT IS REFUSED === #

    def test_it_is_not_resumed_like_any_other_stop(self):
        with self.assertRaisesRegex(UserError, "Decide"):
            self.resume_as(self.admin, self.stop)
        with self.assertRaisesRegex(UserError, "Decide"):
            self.resume(self.account.with_user(self.admin), "Because")
        self.assertFalse(self.stop.ended_at)

    def test_resume_button_of_the_account_opens_the_decision(self):
        dialog = self.account.with_user(self.admin).action_resume()
        self.assertEqual(dialog["res_model"], "amazon.life.decision")
        self.assertTrue(self.account.has_life_stop)

    def test_resume_button_of_the_account_ends_what_an_administrator_stopped(self):
        self.stop_as(self.admin, account_id=self.account.id)
        dialog = self.account.with_user(self.admin).action_resume()
        self.assertEqual(dialog["res_model"], "amazon.stop.end.request")

    def test_decision_needs_a_choice_and_a_reason(self):
        for decision, reason in ((False, "Because"), ("moved", " "), ("moved", False)):
            with self.subTest(decision), self.assertRaises(UserError):
                self.decide(decision, reason=reason)

    def test_it_is_decided_once(self):
        self.decide("moved")
        with self.assertRaises(UserError):
            self.decide_on(self.stop.with_user(self.admin), "copy", "Because")

    def test_other_stops_are_not_decided_on(self):
        other = self.stop_as(self.admin, kind="cancel") - self.stop
        with self.assertRaises(UserError):
            other.with_user(self.admin).action_decide()

    # === MOVED === #

    def test_moved_database_sends_what_waits(self):
        self.decide("moved")
        self.assertEqual(self.stop.ended_by_id, self.admin)
        self.assertTrue(self.account._may_send())
        self.run_jobs("_job_dispatch")
        self.assertIn(self.action.state, ("submitted", "accepted"))
        self.assertTrue(self.check())

    def test_decision_is_journaled_with_who_and_why(self):
        self.decide("moved", reason="New server since tonight")
        entry = self.stop_entries()[-1]
        self.assertEqual((entry.state_to, entry.user_id), ("resumed", self.admin))
        self.assertIn("New server since tonight", entry.message)
        self.assertIn("Moved", entry.message)

    def test_one_account_goes_on_without_the_others(self):
        other = self._create_account(seller_id="OTHER")
        self.restore(seller=other)
        self.check()
        # the account here has no number of its own, and stays stopped by the first one
        stops = self.stops().filtered("needs_decision")
        self.assertEqual(stops.account_id, self.account | other)
        self.decide("moved", stop=stops.filtered(lambda s: s.account_id == other))
        self.assertTrue(other._may_send())
        self.assertFalse(self.account._may_send())

    # === COPY === #

    def test_copy_never_sends(self):
        waiting = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.let_wait(waiting)
        self.decide("copy")
        account = self.account.sudo()
        self.assertFalse(account.lwa_client_secret_sealed)
        self.assertFalse(account.lwa_refresh_token_sealed)
        for action in (self.action, waiting):
            self.assertEqual(action.state, "blocked")
            self.assertIn("copy", action.state_message)
        self.assertFalse(self.account._may_send())
        self.run_jobs("_job_dispatch")
        self.assertEqual(self.created_feeds(), 0)
        entry = self.stop_entries()[-1]
        self.assertEqual((entry.state_to, entry.user_id), ("stopped", self.admin))

    def test_who_was_wrong_about_a_copy_decides_again(self):
        self.decide("copy")
        self.decide("moved")
        self.assertTrue(self.account._may_send())

    def test_alarm_ends_with_the_decision(self):
        self.run_jobs("_job_tell_life")
        alarm = self.env["amazon.alarm"].search([("kind", "=", "life")])
        self.assertEqual(alarm.state, "open")
        self.decide("copy")
        self.env["amazon.watch"]._cron_watch()
        self.assertEqual(alarm.state, "over")


@tagged("post_install", "-at_install")
class TestRestore(RestoreCommon):
    """What waited in a restored backup does not leave before it is verified."""

    def ask(self, ref=SHIPPED, amounts=None):
        return self.ask_refund(self.create_sale_order(ref), amounts=amounts)

    # === DOUBTED === #

    def test_all_that_waits_is_doubted_before_the_account_goes_on(self):
        queued = self.ask()
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        call = self.ask_ship(self.create_sale_order(CANCEL_REQUESTED))
        waiting = self.ask(GIFT_WRAPPED)
        self.let_wait(waiting)
        self.find()
        self.decide("restored")
        self.assertFalse(self.account._may_send(), "until all of it is doubted")
        self.run_jobs("_job_verify_restored")
        for action in queued | cancel | call | waiting:
            self.assertEqual(action.state, "unknown")
            self.assertIn(LOST, action.state_message)
            self.assertEqual(action.first_sending_at, action.asked_at)
        self.assertTrue(self.account._may_send())
        entry = self.stop_entries()[-1]
        self.assertEqual((entry.state_to, entry.user_id), ("resumed", self.admin))
        self.run_jobs("_job_dispatch", "_job_call")
        self.assertEqual(self.created_feeds(), 0)

    def test_what_could_not_be_doubted_is_doubted_before_it_leaves(self):
        action = self.ask()
        journal = type(self.env["amazon.audit.entry"])
        append = journal._append

        def run(entries, vals_list):
            if any(vals.get("action_id") == action.id for vals in vals_list):
                raise ValueError
            return append(entries, vals_list)

        with patch.object(journal, "_append", run), mute_logger(CONTAINMENT):
            self.decide_restored()
        self.assertEqual(action.state, "queued")
        self.assertTrue(action.set_aside_at)
        action._try_again()
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.created_feeds(), 0)

    def test_what_is_tried_again_while_it_is_verified_is_verified_on(self):
        action = self.ask()
        self.decide_restored()
        self.pending_jobs("_job_verify_lane").unlink()
        with mute_logger(CONTAINMENT):
            action._set_aside(ValueError())
        action._try_again()
        self.assertFalse(self.pending_jobs("_job_follow"))
        self.assertTrue(self.pending_jobs("_job_verify_lane"))

    def test_nothing_waits(self):
        self.send()
        self.decide_restored()
        self.assertTrue(self.account._may_send())
        self.assertFalse(self.pending_jobs("_job_verify_lane"))

    def test_what_is_asked_for_after_the_finding_leaves_as_usual(self):
        self.ask()
        self.find()
        self.account.life_found_at -= timedelta(seconds=5)
        before = self.env["amazon.action"].search([])
        before.asked_at -= timedelta(seconds=10)
        action = self.ask(GIFT_WRAPPED)
        self.assertEqual(action.state, "queued")
        self.decide("restored")
        self.run_jobs("_job_verify_restored")
        self.assertEqual(action.state, "queued")
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))
        self.assertEqual(before.mapped("state"), ["unknown"])

    def test_what_comes_back_to_the_queue_later_is_doubted_then(self):
        """As where a feed of the dump turns out not to have left."""
        feed, call = self.ask(), self.ask_ship(self.create_sale_order(UNSHIPPED))
        (feed | call).state = "sending"
        self.decide_restored()
        (feed | call).state = "queued"
        feed._enqueue_dispatch()
        call._enqueue_dispatch()
        self.run_jobs("_job_dispatch", "_job_call")
        self.assertEqual((feed.state, call.state), ("unknown", "unknown"))
        self.assertEqual(self.created_feeds(), 0)
        self.assertTrue(self.pending_jobs("_job_verify_lane"))

    def test_what_cannot_be_doubted_is_not_sent_when_it_is_tried_again(self):
        broken, fine = self.ask(), self.ask(GIFT_WRAPPED)
        self.find()
        self.decide("restored")
        kinds = type(self.env["amazon.action.kind.refund"])
        note = kinds._note_state

        def fail(handler, action):
            if action == broken:
                raise ValueError("A test")
            return note(handler, action)

        with patch.object(kinds, "_note_state", fail), mute_logger(CONTAINMENT):
            self.run_jobs("_job_verify_restored")
        self.assertEqual((broken.state, fine.state), ("queued", "unknown"))
        self.assertTrue(broken.set_aside_at)
        self.assertTrue(self.account._may_send())
        broken.with_user(self.admin).sudo()._try_again()
        self.run_jobs("_job_dispatch")
        self.assertEqual((broken.state, self.created_feeds()), ("unknown", 0))

    def test_what_was_asked_for_by_a_clock_that_was_ahead_is_doubted_as_well(self):
        action = self.ask()
        action.asked_at += timedelta(hours=1)
        self.find()
        self.decide("restored")
        self.run_jobs("_job_verify_restored")
        self.assertEqual(action.state, "unknown")

    def test_feed_of_the_lost_time_that_is_listed_late_holds_what_waits_again(self):
        action = self.ask(amounts={SKU: 5})
        self.send_in_the_lost_life(action)
        self.decide_restored()
        lists = type(self.env["amazon.feed.list"])
        read = lists._read

        def lag(listing, account, since, client=None):
            return [], read(listing, account, since, client)[1]

        with patch.object(lists, "_read", lag):
            self.catch_up()
            self.verify()
        self.assertEqual(action.state, "queued")
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        foreign = self.simulator.ledger()["feeds"][0]["feed_id"]
        self.assertIn(foreign, action.state_message)

    def test_feed_that_is_listed_late_and_is_of_after_the_finding_holds_nothing(self):
        action = self.ask(amounts={SKU: 5})
        self.decide_restored()
        self.catch_up()
        self.verify()
        self.assertEqual(action.state, "queued")
        self.send_in_the_lost_life(action)
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))

    # === CONFIRMED === #

    def test_what_amazon_shows_is_confirmed_without_a_feed(self):
        refund = self.ask(amounts={SKU: 5})
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        for action in (refund, cancel):
            self.send_in_the_lost_life(action)
        self.decide_restored()
        self.verify()
        self.assertEqual((refund.state, cancel.state), ("confirmed", "confirmed"))
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)

    # === NOT SENT === #

    def test_what_was_not_sent_waits_again_once_amazons_list_tells(self):
        action = self.ask()
        self.decide_restored()
        self.assertEqual(len(self.verify()), 1)
        self.assertEqual(action.state, "unknown", "the list may lag")
        self.simulator.advance(2 * HOUR)
        self.verify()
        self.assertEqual(action.state, "unknown", "two hours are not enough alone")
        self.simulator.advance(3 * HOUR)
        self.verify()
        self.assertEqual(action.state, "queued")
        self.assertIn("not sent in the time that it lost", action.state_message)
        self.run_jobs("_job_dispatch")
        self.assertIn(action.state, ("submitted", "accepted"))
        self.assertEqual(self.created_feeds(), 1)

    def test_later_feed_in_the_list_proves_it_earlier(self):
        action = self.ask()
        self.decide_restored()
        self.verify()
        self.simulator.advance(60)
        self.account.restored_at -= timedelta(seconds=5)
        action.write({"restored_at": self.account.restored_at})
        action.asked_at -= timedelta(seconds=10)
        later = self.ask(GIFT_WRAPPED)
        self.run_jobs("_job_dispatch")
        self.assertIn(later.state, ("submitted", "accepted"))
        self.simulator.advance(1.5 * HOUR)
        self.verify()
        self.assertEqual(action.state, "queued")

    def test_what_nobody_had_approved_waits_for_approval_again(self):
        waiting, approved = self.ask(), self.ask(GIFT_WRAPPED)
        for action in (waiting, approved):
            self.let_wait(action)
        approved.state = "queued"
        approved.approval_id.write(
            {"state": "approved", "decided_at": approved.asked_at}
        )
        self.decide_restored()
        self.catch_up()
        self.verify()
        self.assertEqual((waiting.state, approved.state), ("to_approve", "queued"))
        self.assertGreater(
            waiting.approval_id.expires_at, fields.Datetime.now() + timedelta(hours=2)
        )

    # === A PERSON === #

    def test_feed_of_the_lost_time_that_shows_nothing_yet_goes_to_a_person(self):
        action = self.ask(amounts={SKU: 5})
        self.send_in_the_lost_life(action)
        self.decide_restored()
        self.verify()
        self.assertFalse(action.needs_person, "Amazon may show it soon")
        self.simulator.advance(5 * HOUR)
        self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        foreign = self.simulator.ledger()["feeds"][0]["feed_id"]
        self.assertIn(foreign, action.state_message)
        # and Amazon's data still confirms it by itself
        self.simulator.advance(31 * 24 * HOUR)
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")

    def test_what_may_have_been_sent_is_not_said_to_have_been(self):
        action = self.ask(amounts={SKU: 5})
        self.decide_restored()
        self.verify()
        action._hand_to_person("Look in Seller Central.")
        action.with_user(self.agent)._decide_absent("No refund there")
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertIn("It may have been sent before", action.state_message)
        self.assertNotIn("It was sent", action.state_message)

    def test_feed_counts_though_the_clock_at_the_click_was_minutes_ahead(self):
        action = self.ask(amounts={SKU: 5})
        self.send_in_the_lost_life(action)
        self.decide_restored()
        action.asked_at += timedelta(minutes=10)
        self.catch_up()
        self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_feed_that_is_being_processed_is_waited_for(self):
        action = self.ask(amounts={SKU: 5})
        self.simulator.reset(
            processing_seconds=20 * HOUR,
            finance_delay_seconds=0,
            quotas=False,
        )
        self.simulator.foreign_feed(
            feed_type=action.feed_type,
            marketplace_ids=[action.marketplace],
            messages=1,
            outcome="done",
        )
        self.decide_restored()
        self.catch_up()
        self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", False))

    def test_feed_of_another_lane_or_of_before_the_click_is_no_evidence(self):
        for options in (
            {"feed_type": "POST_ORDER_ACKNOWLEDGEMENT_DATA"},
            {"marketplace_ids": ["A13V1IB3VIYZZH"]},
        ):
            self.simulator.foreign_feed(
                **{
                    "feed_type": "POST_PAYMENT_ADJUSTMENT_DATA",
                    "marketplace_ids": ["A1PA6795UKMFR9"],
                    "messages": 1,
                    "outcome": "done",
                    **options,
                }
            )
        action = self.ask()
        self.decide_restored()
        self.catch_up()
        self.verify()
        self.assertEqual(action.state, "queued")

    def test_feed_goes_to_a_person_where_the_list_does_not_reach_back(self):
        action = self.ask()
        action.asked_at -= timedelta(days=100)
        self.decide_restored()
        self.catch_up()
        self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_what_amazon_never_says_goes_to_a_person(self):
        action = self.ask()
        self.decide_restored()
        self.simulator.fault("html_503", "getOrder", times=99)
        action.restored_at -= timedelta(hours=73)
        self.catch_up()
        self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_list_with_a_feed_that_cannot_be_read_proves_nothing(self):
        action = self.ask()
        self.decide_restored()
        self.catch_up()
        lists = type(self.env["amazon.feed.list"])
        read = lists._read

        def strange(listing, account, since, client=None):
            rows, now = read(listing, account, since, client)
            return [*rows, {"feedId": "1"}], now

        with patch.object(lists, "_read", strange), mute_logger(FOREIGN):
            self.verify()
        self.assertEqual((action.state, action.needs_person), ("unknown", False))
        self.verify()
        self.assertEqual(action.state, "queued")

    def test_action_that_cannot_be_judged_keeps_none_of_the_others(self):
        broken, fine = self.ask(), self.ask(GIFT_WRAPPED)
        self.decide_restored()
        self.catch_up()
        times = type(self.env["amazon.lost.time"])
        judge = times._judge

        def fail(time, action, lost):
            if action == broken:
                raise ValueError("A test")
            return judge(time, action, lost)

        with patch.object(times, "_judge", fail), mute_logger(FAILURE):
            self.verify()
        self.assertEqual((broken.state, fine.state), ("unknown", "queued"))
        self.assertTrue(self.env["amazon.failure"].search([("task", "=", "verify")]))
        self.verify()
        self.assertEqual(broken.state, "queued")

    def test_list_that_amazon_never_gives_ends_with_a_person(self):
        action = self.ask()
        self.decide_restored()
        self.simulator.fault("html_503", "getFeeds", times=99)
        self.assertEqual(len(self.verify()), 1)
        self.assertFalse(action.needs_person)
        action.restored_at -= timedelta(hours=73)
        self.assertEqual(self.verify(), [])
        self.assertTrue(action.needs_person)

    def test_actions_of_mixed_kinds_end_each_by_its_own_evidence(self):
        shown = self.ask(amounts={SKU: 5})
        unsent = self.ask(PROMOTION)  # another marketplace, so another lane
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        in_lane = self.ask(GIFT_WRAPPED)
        self.send_in_the_lost_life(shown)
        self.decide_restored()
        self.catch_up()
        self.simulator.advance(31 * 24 * HOUR)
        for _round in range(2):
            self.verify()
        self.assertEqual(shown.state, "confirmed")
        self.assertEqual(unsent.state, "queued")
        self.assertEqual(cancel.state, "queued")
        self.assertEqual((in_lane.state, in_lane.needs_person), ("unknown", True))

    # === CALLS === #

    def later(self, action, minutes=40):
        """Let the restore be so long ago."""
        action.restored_at -= timedelta(minutes=minutes)
        action.asked_at -= timedelta(minutes=minutes)

    def test_call_that_was_not_made_waits_again(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.decide_restored()
        self.verify()
        self.assertEqual(action.state, "unknown", "Amazon may show it late")
        self.later(action)
        self.verify()
        self.assertEqual(action.state, "queued")
        self.assertIn(LOST, action.state_message)
        self.account.restored_at -= timedelta(minutes=40)
        self.run_jobs("_job_call")
        self.assertIn(action.state, ("submitted", "accepted", "confirmed"))

    def test_call_that_was_made_is_confirmed(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        with self.account._client() as client:
            method, args = action._kind()._build_call(action)
            getattr(client, method)(*args)
        self.decide_restored()
        self.verify()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.simulator.ledger()["calls"]["confirmShipment"], 1)

    def test_cancellation_of_a_fulfillment_order_waits_again(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=ON_HOLD)
        self.open_request(sale_order, "cancel").action_cancel_order()
        action = self.last_action()
        self.assertFalse(action.feed_type)
        self.decide_restored()
        self.verify()
        self.assertEqual(action.state, "unknown")
        self.later(action)
        self.verify()
        self.assertEqual(action.state, "queued")

    # === LOST JOBS === #

    def test_watch_brings_back_a_lost_verification(self):
        action = self.ask()
        self.find()
        self.decide("restored")
        for method in ("_job_verify_restored", "_job_verify_lane"):
            jobs = self.pending_jobs(method)
            self.assertTrue(jobs, method)
            jobs.unlink()
            self.env["amazon.watch"]._cron_watch()
            self.assertTrue(self.pending_jobs(method), method)
            self.run_jobs("_job_verify_restored")
        self.assertEqual(action.state, "unknown")

    # === THE DIALOG === #

    def test_refund_dialog_warns_for_three_days(self):
        sale_order = self.create_sale_order(SHIPPED)
        order = sale_order.amazon_order_id
        refunds = self.env["amazon.action.kind.refund"]

        def is_warned():
            return any(LOST in text for text in refunds._warnings(order))

        self.send(GIFT_WRAPPED)
        self.assertFalse(is_warned())
        self.decide_restored()
        self.assertTrue(is_warned())
        self.account.restored_at -= timedelta(hours=71)
        self.assertTrue(is_warned())
        self.account.restored_at -= timedelta(hours=2)
        self.assertFalse(is_warned())

    def test_refund_dialog_does_not_warn_of_a_moved_database(self):
        self.send(GIFT_WRAPPED)
        self.find()
        self.decide("moved")
        self.assertFalse(self.account._is_restored_lately())

    # === FEEDS OF THE DUMP === #

    def test_unknown_feed_that_was_sent_again_in_the_lost_time_goes_to_a_person(self):
        action = self.ask(amounts={SKU: 5})
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        feed = action.feed_id
        feed.sending_at -= timedelta(hours=2)
        feed.amazon_sent_after -= timedelta(hours=2)
        self.send_in_the_lost_life(action)
        self.decide_restored()
        self.run_jobs("_job_reconcile", "_job_follow", "_job_move_actions")
        self.run_jobs("_job_move_actions")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))

    def test_unknown_feed_of_the_dump_is_not_absent_before_the_list_tells(self):
        action = self.ask()
        self.simulator.fault("cut_before", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        feed = action.feed_id
        feed.sending_at -= timedelta(hours=6)
        feed.amazon_sent_after -= timedelta(hours=6)
        self.decide_restored()
        self.assertEqual(len(self.run_and_keep("_job_reconcile")), 1)
        self.assertEqual(feed.state, "unknown", "the list may lag behind the restore")
        self.simulator.advance(5 * HOUR)
        self.run_and_keep("_job_reconcile")
        self.assertEqual(feed.state, "absent")
