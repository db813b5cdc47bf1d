from datetime import timedelta
from unittest.mock import patch
from uuid import uuid4

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import new_test_user
from odoo.tools import mute_logger
from odoo.tools.translate import code_translations

from ...models.action.action import CONFIRM_ALERT_DAYS
from ...models.watch.check import FIRST, LAST, Check
from ...spapi.client import SellerClient
from ...spapi.enums import FEED_REFUND
from ...spapi.errors import ACCESS_TOKEN_REJECTED, Refused
from ...spapi.operations import OPERATIONS
from ..common import NOWHERE, SHIPPED, AmazonOrderCommon

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
WATCH = "odoo.addons.amazon_order_actions.models.watch.watch"

# Queries of one run of the watch over the demo's companies and the test's, that finds
# nothing new: for each company some two for each check, and its savepoint.
QUERIES = 380


@tagged("post_install", "-at_install")
class TestWatch(AmazonOrderCommon):
    """What nobody moves is found without the job runner, told once, and mended where
    that is safe."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # another administrator, of another company only
        cls.elsewhere = cls._create_company(name="Elsewhere")
        cls.stranger = new_test_user(
            cls.env,
            login="amazon_admin_elsewhere",
            groups="base.group_user,amazon_order_actions.group_admin",
            company_id=cls.elsewhere.id,
            company_ids=[Command.set(cls.elsewhere.ids)],
        )

    # === HELPERS === #

    def watch(self):
        """Run the scheduled actions as Odoo does."""
        for name in ("ir_cron_watch_runner", "ir_cron_watch"):
            self.env.ref(f"amazon_order_actions.{name}").method_direct_trigger()
        self.env.flush_all()
        self.env.invalidate_all()

    def age(self, records, *names, **delta):
        """Let something have happened earlier than it did."""
        self.env.flush_all()
        delta = timedelta(**delta)
        for name in names:
            self.env.cr.execute(
                f"UPDATE {records._table} SET {name} = {name} - %s WHERE id IN %s",
                [delta, tuple(records.ids)],
            )
        self.env.invalidate_all()

    def alarms(self, kind=None, state="open"):
        domain = [("company_id", "=", self.company.id), ("state", "=", state)]
        if kind:
            domain.append(("kind", "=", kind))
        return self.env["amazon.alarm"].search(domain)

    def assert_alarms(self, *kinds):
        self.assertEqual(sorted(self.alarms().mapped("kind")), sorted(kinds))

    def activities(self, alarm, user=None):
        """Return the activities that are still to do."""
        domain = [("res_model", "=", "amazon.alarm"), ("res_id", "=", alarm.id)]
        if user:
            domain.append(("user_id", "=", user.id))
        return self.env["mail.activity"].search(domain)

    def notified(self, alarm):
        return alarm.message_ids.notification_ids.res_partner_id

    def entries(self, alarm):
        entries = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search(
                [("event", "=", "alarm"), ("company_id", "=", self.company.id)],
                order="id",
            )
        )
        return [
            (entry.state_from, entry.state_to)
            for entry in entries
            if entry.message.startswith(alarm.display_name)
        ]

    def ask_long_ago(self, ref=SHIPPED, **delta):
        action = self.ask_refund(self.create_sale_order(ref))
        self.age(action, "last_state_change", "asked_at", "due_at", **delta)
        return action

    def drop_jobs(self, *methods):
        """Lose the jobs, as a restored or damaged database does."""
        self.pending_jobs(*methods).sudo().unlink()

    def stop_runner(self):
        """Let jobs be due for six minutes, and none have been started since."""
        jobs = self.env["queue.job"].search([("model_name", "=like", "amazon.%")])
        names = ("date_created", "eta", "date_started", "date_done")
        self.age(jobs, *names, minutes=6)

    def die_while_sending(self, action):
        """Do all that comes before the irreversible call, and die."""
        lane = (action.account_id.id, action.marketplace, FEED_REFUND)
        with patch.object(SellerClient, "create_feed", side_effect=KeyboardInterrupt):
            try:
                self.env["amazon.feed"]._job_dispatch(*lane)
            except KeyboardInterrupt:
                # not assertRaises: it would roll back what must survive
                self.env.invalidate_all()
        self.assertEqual(action.state, "sending")

    def send(self, ref=SHIPPED):
        """Have a refund submitted that Amazon does not process."""
        self.simulator.reset(
            processing_seconds=999999, finance_delay_seconds=999999, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(ref))
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        return action

    # === TELLING === #

    def test_nothing_wrong_raises_no_alarm(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.watch()
        self.assert_alarms()

    def test_alarm_is_told_once_and_is_over_by_itself(self):
        action = self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarm = self.alarms("stopped")
        self.assertEqual(alarm.account_id, self.account)
        self.assertEqual(alarm.count, 1)
        self.assertEqual(alarm.since, action.last_state_change)
        self.assertEqual(len(self.activities(alarm, self.admin)), 1)
        self.assertEqual(self.notified(alarm), self.admin.partner_id)
        told = alarm.message_ids

        self.watch()
        self.assertEqual(self.alarms("stopped"), alarm)
        self.assertEqual(alarm.message_ids, told)
        self.assertEqual(len(self.activities(alarm)), 1)

        self.resume(self.account, "The test is over")
        self.settle()
        self.watch()
        self.assertEqual(alarm.state, "over")
        self.assertFalse(self.activities(alarm))
        self.assertEqual(self.entries(alarm), [(False, "open"), ("open", "over")])

    def test_administrator_hears_it_the_way_they_prefer(self):
        self.admin.notification_type = "inbox"
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        notification = self.alarms("stopped").message_ids.notification_ids
        self.assertEqual(notification.mapped("notification_type"), ["inbox"])

    def test_only_administrators_of_the_company_are_told(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarm = self.alarms("stopped")
        self.assertEqual(self.activities(alarm).user_id, self.admin)
        self.assertNotIn(self.stranger.partner_id, self.notified(alarm))

    def test_same_thing_again_is_a_new_alarm(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        former = self.alarms("stopped")
        action = self.last_action()
        action.with_user(self.agent).action_withdraw()
        self.watch()
        self.ask_long_ago(hours=1)
        self.watch()
        self.assertEqual(former.state, "over")
        self.assertNotEqual(self.alarms("stopped"), former)

    def test_only_one_alarm_of_a_kind_is_open(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.stop_runner()
        self.watch()
        for kind in ("stopped", "runner"):
            alarm = self.alarms(kind)
            with (
                self.assertRaises(UniqueViolation),
                mute_logger("odoo.sql_db"),
                self.env.cr.savepoint(),
            ):
                alarm.copy()
                self.env.flush_all()

    def test_what_waits_in_an_archived_account_is_still_told(self):
        self.ask_long_ago(hours=1)
        self.account.active = False
        self.watch()
        self.assertTrue(self.alarms("stopped"))

    def test_alarms_of_an_archived_account_are_over_when_nothing_waits(self):
        action = self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        self.account.active = False
        action._set_withdrawn()
        self.watch()
        self.assertFalse(self.alarms("stopped"))

    def test_check_that_fails_does_not_silence_the_others(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        broken = patch.object(
            type(self.env["amazon.check.jobs"]),
            "_find_job_failed",
            side_effect=ValueError("broken"),
        )
        with broken, mute_logger(WATCH):
            self.watch()
        self.assert_alarms("stopped", "check_failed")
        self.assertIn("Job failed", self.alarms("check_failed").message)
        self.assertTrue(self.alarms("check_failed").is_told)
        self.watch()
        self.assert_alarms("stopped")

    def test_times_are_put_right_first_and_what_is_left_unexplained_comes_last(self):
        """Whichever room or addon brings a check."""
        looked_for = []
        checks = self.env["amazon.check"]
        brought = (
            Check("waiting", "Waiting", turn=LAST),
            Check("told", "Told", turn=None),
            Check("failed", "Failed"),
            Check("future", "Future", turn=FIRST),
        )
        jobs = self.env["amazon.check.jobs"]
        with (
            patch.object(type(checks), "_registered", lambda _self: [jobs]),
            patch.object(type(jobs), "_checks", brought),
            patch.object(
                type(self.env["amazon.watch"]),
                "_check",
                lambda _self, _of, kind, *_: looked_for.append(kind) or True,
            ),
        ):
            self.env["amazon.watch"]._watch(self.account)
        self.assertEqual(looked_for, ["future", "failed", "waiting"])
        turns = {kind: check.turn for kind, (_of, check) in checks._all().items()}
        self.assertEqual([k for k, turn in turns.items() if turn == FIRST], ["future"])
        self.assertEqual([k for k, turn in turns.items() if turn == LAST], ["waiting"])
        self.assertEqual([*turns][0], "future")

    def test_label_of_an_alarm_is_of_the_language_of_who_reads_it(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarm = self.alarms("stopped")
        self.assertIn("Sending stopped", alarm.display_name)
        terms = {"Sending stopped": "Senden gestoppt"}
        translated = patch.object(
            code_translations, "get_python_translations", lambda *_args: terms
        )
        self.env["res.lang"]._activate_lang("de_DE")
        with translated:
            german = alarm.with_context(lang="de_DE")
            self.assertIn("Senden gestoppt", german.display_name)
            selection = dict(alarm._fields["kind"]._description_selection(german.env))
        self.assertEqual(selection["stopped"], "Senden gestoppt")

    def test_alarm_of_an_addon_that_is_gone_ends(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarm = self.alarms("stopped")
        stops = type(self.env["amazon.check.stop"])
        with patch.object(stops, "_checks", ()):
            self.watch()
        self.assertEqual(alarm.state, "over")

    # === ACCESS === #

    def test_administrator_and_auditor_read_alarms(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        for user in (self.admin, self.auditor):
            self.assertTrue(self.alarms().with_user(user).read(["message"]))

    def test_others_do_not_read_alarms(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        for user in (self.agent, self.trainee):
            with self.assertRaises(AccessError):
                self.alarms().with_user(user).read(["message"])

    def test_nobody_changes_alarms(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarm = self.alarms("stopped").with_user(self.admin)
        with self.assertRaises(AccessError):
            alarm.state = "over"
        with self.assertRaises(AccessError):
            alarm.unlink()
        with self.assertRaises(AccessError):
            alarm.copy()

    def test_administrator_of_another_company_sees_nothing(self):
        self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.watch()
        alarms = self.env["amazon.alarm"].with_user(self.stranger)
        self.assertFalse(
            alarms.with_context(allowed_company_ids=self.elsewhere.ids).search([])
        )

    def test_panel_tells_agents_what_makes_them_wait(self):
        action = self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.stop_runner()
        self.watch()
        order = action.order_id.with_user(self.agent)
        self.assertEqual(
            sorted(alarm["kind"] for alarm in self.panel_of(order)["alarms"]),
            ["runner", "stopped"],
        )
        self.resume(self.account, "The test is over")
        self.settle()
        self.watch()
        self.assertEqual(self.panel_of(order)["alarms"], [])

    def test_panel_is_silent_about_other_accounts(self):
        action = self.ask_long_ago(hours=1)
        self.stop(self.account, "A test")
        self.drop_jobs()
        self.watch()
        other = self._create_account(seller_id="ANOTHER")
        action.order_id.account_id = other
        self.assertEqual(self.panel_of(action.order_id)["alarms"], [])

    # === JOBS === #

    def test_failed_job_is_an_alarm_until_it_is_run_again(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        job = self.pending_jobs("_job_dispatch")[0]
        job.state = "failed"
        self.watch()
        self.assert_alarms("job_failed")
        self.assertEqual(self.activities(self.alarms()).user_id, self.admin)
        job.requeue()
        self.watch()
        self.assertFalse(self.alarms("job_failed"))

    # === QUEUED ACTIONS === #

    def test_action_without_a_job_gets_one_and_is_sent_once(self):
        action = self.ask_long_ago(minutes=11)
        self.drop_jobs("_job_dispatch")
        self.watch()
        self.assert_alarms("stalled")
        self.assertFalse(self.alarms().is_told, "it is mended first")
        self.assertEqual(len(self.pending_jobs("_job_dispatch")), 1)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)
        self.watch()
        self.assert_alarms()

    def test_mending_that_does_not_help_is_told(self):
        self.ask_long_ago(minutes=11)
        for _run in range(2):
            self.drop_jobs("_job_dispatch")
            self.watch()
        alarm = self.alarms("stalled")
        self.assertTrue(alarm.is_told)
        self.assertEqual(len(self.activities(alarm)), 1)

    def test_action_whose_lane_has_a_job_gets_no_other(self):
        self.ask_long_ago(minutes=11)
        jobs = self.pending_jobs("_job_dispatch")
        self.watch()
        self.assertEqual(self.pending_jobs("_job_dispatch"), jobs)
        self.assertFalse(self.alarms("stalled"))

    def test_action_that_is_not_due_yet_is_left_alone(self):
        action = self.ask_long_ago(minutes=11)
        self.drop_jobs("_job_dispatch")
        action.due_at = fields.Datetime.now() + timedelta(minutes=1)
        self.watch()
        self.assert_alarms()
        self.assertFalse(self.pending_jobs("_job_dispatch"))

    def test_stopped_account_is_not_called_stalled(self):
        self.ask_long_ago(minutes=11)
        self.drop_jobs()
        self.stop(self.account, "A test")
        self.watch()
        self.assert_alarms("stopped")
        self.assertFalse(self.pending_jobs("_job_dispatch"))

    def test_action_that_waits_for_no_known_reason_is_an_alarm(self):
        self.ask_long_ago(minutes=31)
        self.watch()
        self.assert_alarms("waiting")

    def test_action_that_waits_for_a_known_reason_is_told_once(self):
        self.ask_long_ago(minutes=31)
        self.drop_jobs()
        self.watch()
        self.assert_alarms("stalled")

    def test_reading_that_is_behind_is_an_alarm_while_actions_wait(self):
        self.ask_long_ago(minutes=11)
        self.env["amazon.range.reading"]._read_ranges(self.account)
        marks = self.env["amazon.watermark"].search(
            [("account_id", "=", self.account.id)]
        )
        self.watch()
        self.assert_alarms()
        self.age(marks, "known_until", minutes=61)
        self.watch()
        self.assert_alarms("watermark")
        self.last_action().with_user(self.agent).action_withdraw()
        self.watch()
        self.assert_alarms()

    def test_finances_that_amazon_does_not_let_us_read_hold_nobody_up(self):
        self.ask_long_ago(minutes=11)
        self.env["amazon.range.reading"]._read_ranges(self.account)
        marks = self.env["amazon.watermark"].search(
            [("account_id", "=", self.account.id), ("subject", "=", "transactions")]
        )
        marks.is_refused = True
        self.age(marks, "known_until", minutes=61)
        self.watch()
        self.assert_alarms()

    def test_quota_that_is_used_up_explains_why_actions_wait(self):
        self.ask_long_ago(minutes=31)
        quota = self.account._quota()
        for _call in range(13):
            quota.take(OPERATIONS["createFeed"])
        self.watch()
        self.assert_alarms("quota")

    # === FEEDS === #

    def test_feed_whose_sender_died_is_settled_and_never_sent_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.die_while_sending(action)
        self.drop_jobs()
        self.watch()
        self.assert_alarms()
        self.age(action.feed_id, "sending_at", minutes=6)
        self.watch()
        self.assert_alarms("abandoned")
        self.assertEqual(len(self.pending_jobs("_job_dispatch")), 1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.simulator.ledger()["calls"].get("createFeed", 0), 0)
        self.watch()
        self.assertFalse(self.alarms("abandoned"))

    def test_feed_that_takes_longer_than_usual_is_an_alarm(self):
        action = self.send()
        self.age(action.feed_id, "submitted_at", minutes=59)
        self.watch()
        self.assert_alarms()
        self.age(action.feed_id, "submitted_at", minutes=2)
        self.watch()
        self.assert_alarms("feed_slow")
        self.assertEqual(self.alarms().count, 1)

    def test_feed_that_takes_no_longer_than_usual_is_none(self):
        action = self.send()
        former = action.feed_id.copy(
            {"state": "done", "done_at": fields.Datetime.now()}
        )
        self.age(former, "submitted_at", hours=2)
        self.age(action.feed_id, "submitted_at", hours=3)
        self.watch()
        self.assert_alarms()
        self.age(action.feed_id, "submitted_at", hours=2)
        self.watch()
        self.assert_alarms("feed_slow")

    def test_lost_job_that_asks_about_a_feed_is_enqueued_again(self):
        action = self.send()
        self.drop_jobs("_job_poll")
        self.age(action.feed_id, "write_date", minutes=11)
        self.watch()
        self.assert_alarms("unasked")
        self.assertEqual(len(self.pending_jobs("_job_poll")), 1)
        self.watch()
        self.assert_alarms()
        self.assertEqual(len(self.pending_jobs("_job_poll")), 1)

    def test_lost_job_that_reads_out_a_report_is_enqueued_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_poll")
        self.drop_jobs("_job_apply_report")
        self.assertEqual(action.state, "submitted")
        self.age(action.feed_id, "write_date", minutes=11)
        self.watch()
        self.assert_alarms("unasked")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")

    def test_actions_behind_their_feed_are_told(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.die_while_sending(action)
        # what Amazon answered was recorded on the feed, and then the process died
        action.feed_id._record_submitted(action.feed_id.id, "4711", "r-1")
        self.assertEqual(action.state, "sending")
        self.watch()
        self.assert_alarms()
        self.age(action, "last_state_change", minutes=6)
        self.watch()
        self.assert_alarms("unfollowed")
        self.run_jobs("_job_follow")
        self.assertEqual(action.state, "submitted")
        self.watch()
        self.assert_alarms()

    # === OUTCOMES === #

    def lose_answer(self):
        """Have a refund whose sending Amazon did not answer."""
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        return action

    def test_unknown_outcome_is_an_alarm_when_a_person_must_decide(self):
        action = self.lose_answer()
        self.watch()
        self.assert_alarms()
        action._hand_to_person("Nobody knows.")
        self.watch()
        self.assert_alarms("unknown")
        self.assertEqual(self.alarms().count, 1)

    def test_lost_search_for_an_unknown_outcome_is_enqueued_again(self):
        action = self.lose_answer()
        self.drop_jobs("_job_reconcile")
        self.age(action.feed_id, "write_date", minutes=11)
        self.watch()
        self.assert_alarms("unasked")
        self.assertEqual(len(self.pending_jobs("_job_reconcile")), 1)

    def test_lost_handing_to_a_person_is_enqueued_again(self):
        action = self.lose_answer()
        action.feed_id._hand_over("Nobody knows.")
        self.drop_jobs("_job_move_actions")
        self.age(action.feed_id, "write_date", minutes=11)
        self.watch()
        self.assert_alarms("unasked")
        self.run_jobs("_job_move_actions")
        self.assertTrue(action.needs_person)
        self.watch()
        self.assert_alarms("unknown")

    def accept_long_ago(self, **delta):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=999999999, quotas=False
        )
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        for method in ("_job_dispatch", "_job_poll", "_job_apply_report"):
            self.run_jobs(method)
        self.assertEqual(action.state, "accepted")
        self.age(action, "last_state_change", **delta)
        return action

    def test_confirmation_that_does_not_come_is_an_alarm(self):
        action = self.accept_long_ago(days=2)
        self.watch()
        self.assert_alarms()
        self.age(action, "last_state_change", days=2)
        self.watch()
        self.assert_alarms("unconfirmed")
        self.simulator.advance(999999999)
        action.order_id._job_read()
        self.assertEqual(action.state, "confirmed")
        self.watch()
        self.assert_alarms()

    def test_document_is_told_once_that_the_confirmation_does_not_come(self):
        action = self.accept_long_ago(days=CONFIRM_ALERT_DAYS + 1)
        before = len(action._get_origin().message_ids)
        self.watch()
        self.assertEqual(len(action._get_origin().message_ids), before + 1)
        self.assertIn(
            "Amazon's own data has not shown", self.notes(action._get_origin())[0]
        )
        self.watch()
        self.assertEqual(len(action._get_origin().message_ids), before + 1)

    # === ACCESS OF THE ACCOUNT === #

    def refuse_access(self):
        return patch.object(
            SellerClient,
            "get_order",
            side_effect=Refused(
                "getOrder", "Access denied", ACCESS_TOKEN_REJECTED, http_status=403
            ),
        )

    def test_account_that_amazon_refuses_is_an_alarm_until_it_works_again(self):
        with self.refuse_access():
            order = self.create_sale_order(SHIPPED).amazon_order_id
        self.assertTrue(self.account.access_refused_at)
        self.watch()
        self.assert_alarms()
        self.age(self.account, "access_refused_at", minutes=6)
        self.watch()
        self.assert_alarms("access")
        order._job_read()
        self.watch()
        self.assert_alarms()

    def test_successful_test_of_the_connection_ends_the_alarm(self):
        self.account.access_refused_at = "2020-01-01"
        self.watch()
        self.assert_alarms("access")
        self.account.with_user(self.admin).action_test_connection()
        self.watch()
        self.assert_alarms()

    def test_account_without_credentials_is_an_alarm(self):
        self.account.lwa_refresh_token = False
        self.create_sale_order(SHIPPED)
        self.age(self.account, "access_refused_at", minutes=6)
        self.watch()
        self.assert_alarms("access")

    def test_unknown_order_says_that_access_works(self):
        self.account.access_refused_at = fields.Datetime.now()
        self.create_sale_order(NOWHERE)
        self.assertFalse(self.account.access_refused_at)

    def test_amazon_that_does_not_answer_says_nothing_about_access(self):
        refused_at = self.account.access_refused_at = fields.Datetime.now()
        self.simulator.fault("html_503", "getOrder", times=99)
        self.create_sale_order(SHIPPED)
        self.assertEqual(self.account.access_refused_at, refused_at)

    # === AT SCALE === #

    def test_watch_takes_as_many_queries_for_many_rows_as_for_one(self):
        action = self.ask_long_ago(hours=1)
        self.create_unknown(action, 1)
        self.watch()
        few = self.count_queries()
        self.create_unknown(action, 20)
        many = self.count_queries()
        self.assertEqual(self.alarms("unknown").count, 21)
        self.assertLessEqual(many, few)
        self.assertLess(many, QUERIES)

    def create_unknown(self, action, count):
        values = {
            "name": "AMZ",
            "state": "unknown",
            "needs_person": True,
            "last_state_change": "2020-01-01",
            "unconfirmed_noted_at": "2020-01-01",
        }
        for _number in range(count):
            (vals,) = action.copy_data({**values, "nonce": str(uuid4())})
            action._create_reserved(vals)

    def count_queries(self):
        """Return how many queries a run takes that finds nothing new."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["amazon.watch"]._cron_watch()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before
