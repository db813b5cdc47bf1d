import contextlib
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...models.action.lane import Lane
from ...models.action.reservation import ActionRequest
from ...models.base.background import in_own_transaction
from ...models.order.reading import UNRECORDED_LIMIT
from ...spapi.enums import FEED_REFUND
from ..common import (
    GIFT_WRAPPED,
    PARTIALLY_SHIPPED,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

MODELS = "odoo.addons.amazon_order_actions.models"
ALARM = f"{MODELS}.watch.alarm"
FAILURE = f"{MODELS}.watch.failure"
CONTAINMENT = f"{MODELS}.base.containment"
RANGES = f"{MODELS}.order.range_reading"
READING = f"{MODELS}.order.reading"
WATCH = f"{MODELS}.watch.watch"


class LoopsCommon(AmazonOrderCommon):
    """What the tests of contained failures share."""

    def kinds(self):
        """Return the kinds of trouble that the watch looks for."""
        checks = self.env["amazon.check"]._all()
        return [k for k, (_of, check) in checks.items() if check.turn is not None]

    def corrupt(self, table, record_id, **values):
        """Write what an old version let in, past today's checks."""
        self.env.flush_all()
        names = ", ".join(f"{name} = %s" for name in values)
        self.env.cr.execute(
            f"UPDATE {table} SET {names} WHERE id = %s", [*values.values(), record_id]
        )
        self.env.invalidate_all()

    def watch(self):
        """Run the scheduled action as Odoo does."""
        self.env.ref("amazon_order_actions.ir_cron_watch").method_direct_trigger()
        self.env.flush_all()
        self.env.invalidate_all()

    def alarms(self, kind, company=None, state="open"):
        return self.env["amazon.alarm"].search(
            [
                ("company_id", "=", (company or self.company).id),
                ("kind", "=", kind),
                ("state", "=", state),
            ]
        )

    @contextmanager
    def raising_for(self, records, method, *loggers):
        """Let a method raise for some records and work for the others."""
        model = type(records)
        original = getattr(model, method)

        def fail(this, *args, **kwargs):
            if this.ids and this.id in records.ids:
                raise ValueError("put in by a test")
            return original(this, *args, **kwargs)

        with patch.object(model, method, fail), mute_logger(*loggers):
            yield


@tagged("post_install", "-at_install")
class TestUnlistedMarketplace(LoopsCommon):
    """A lane is of one marketplace, so an order of an unknown one has none: it is
    refused in words, and what waits already leaves the queue."""

    def unlisted(self, ref):
        """Return a sale order of a marketplace that is not among ours."""
        sale_order = self.create_sale_order(ref)
        sale_order.amazon_order_id.marketplace = False
        return sale_order

    def queue_without_marketplace(self, sale_order, ask):
        """Have an action queued as before the marketplace was asked for."""
        action = ask(sale_order)
        for table, record in (
            ("amazon_order", action.order_id),
            ("amazon_action", action),
        ):
            self.corrupt(table, record.id, marketplace=None)
        self.pending_jobs("_job_dispatch").unlink()
        action._enqueue_dispatch()
        return action

    def test_units_of_a_partly_shipped_order_are_refused_in_the_dialog(self):
        sale_order = self.unlisted(PARTIALLY_SHIPPED)
        request = self.open_request(sale_order, "cancel")
        request.scope = "items"
        self.assertIn("marketplace that is not supported", request.blockers)
        self.assertIn("Seller Central", request.blockers)

    def test_units_of_a_partly_shipped_order_are_refused_at_the_click(self):
        sale_order = self.create_sale_order(PARTIALLY_SHIPPED)
        sku = sale_order.amazon_order_id.line_ids.filtered("quantity_open")[:1].sku
        sale_order.amazon_order_id.marketplace = False
        with self.assertRaisesRegex(UserError, "marketplace that is not supported"):
            self.ask_cancel_items(sale_order, {sku: 1})

    def test_every_kind_that_goes_by_feed_is_refused_at_the_click(self):
        """Whatever the kind itself looks at, also one that is new."""
        sale_order = self.unlisted(SHIPPED).with_user(self.agent)
        order = sale_order._get_amazon_order().sudo(False)
        handlers = [
            self.env["amazon.action.kind"]._named(kind)
            for kind in self.env["amazon.action.kind"]._names()
        ]
        by_feed = [handler for handler in handlers if handler._feed_type]
        self.assertGreaterEqual(len(by_feed), 4)
        for handler in by_feed:
            with self.subTest(handler._name), ExitStack() as stack:
                for name, answer in (
                    ("_check_right", None),
                    ("_check_filled_in", None),
                    ("_check_possible", None),
                    ("_check_quantities", None),
                    ("_check_details", None),
                    ("_is_assisted", False),
                    ("_feed_type_for", handler._feed_type),
                ):
                    stack.enter_context(
                        patch.object(type(handler), name, return_value=answer)
                    )
                with self.assertRaisesRegex(UserError, "not supported"):
                    kind = handler._name.removeprefix("amazon.action.kind.")
                    self.reserve_on(
                        order.with_user(self.agent),
                        ActionRequest(
                            kind,
                            sale_order.with_user(self.agent),
                            nonce=handler._name,
                            reason="Other",
                        ),
                    )

    def test_what_waits_already_leaves_the_queue_and_holds_up_nobody(self):
        sale_order = self.create_sale_order(PARTIALLY_SHIPPED)
        sku = sale_order.amazon_order_id.line_ids.filtered("quantity_open")[:1].sku
        action = self.queue_without_marketplace(
            sale_order, lambda t: self.ask_cancel_items(t, {sku: 1})
        )
        with patch.object(
            type(sale_order.amazon_order_id), "_is_newer_than", lambda *_: 1
        ):
            # or else the reading before the sending names the marketplace again
            self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("marketplace", action.state_message)

    def test_what_waits_already_is_blocked_also_where_amazon_names_it_by_now(self):
        action = self.queue_without_marketplace(
            self.create_sale_order(SHIPPED), self.ask_refund
        )
        other = self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("Ask for it again", action.state_message)
        self.assertEqual(other.state, "confirmed")
        self.ask_refund(action._get_origin())
        self.settle()
        self.assertEqual(self.last_action().state, "confirmed")


@tagged("post_install", "-at_install")
class TestSellerId(LoopsCommon):
    """A seller id that Amazon's form does not take is refused when it is entered, and
    an old one makes actions wait in words."""

    def test_what_cannot_be_one_is_refused_in_a_sentence(self):
        for wrong in ("A2-OTHER", "A2 OTHER", "A2ÖTHER", "A" * 51, " "):
            with (
                self.subTest(wrong),
                self.assertRaisesRegex(ValidationError, "letters and digits"),
            ):
                self.account.seller_id = wrong

    def test_blanks_around_it_are_dropped(self):
        self.account.seller_id = "\tA2OTHER \n"
        self.assertEqual(self.account.seller_id, "A2OTHER")
        account = self._create_account(seller_id=" A3OTHER ")
        self.assertEqual(account.seller_id, "A3OTHER")

    def test_old_one_lets_actions_wait_and_says_why(self):
        actions = self.ask_refund(self.create_sale_order(SHIPPED))
        actions |= self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        former = self.account.seller_id
        self.corrupt("amazon_seller_account", self.account.id, seller_id="A-1 ")
        self.run_jobs("_job_dispatch")
        self.assertEqual(actions.mapped("state"), ["queued", "queued"])
        for action in actions:
            self.assertIn("seller ID", action.state_message)
            self.assertIn("administrator", action.state_message)
        self.watch()
        self.assertEqual(self.alarms("seller_id").account_id, self.account)
        self.assertFalse(self.alarms("stalled"))
        self.account.seller_id = former
        self.settle()
        self.assertEqual(actions.mapped("state"), ["confirmed", "confirmed"])
        self.watch()
        self.assertFalse(self.alarms("seller_id"))

    def test_old_one_of_one_account_does_not_hold_another(self):
        other = self._create_account(name="Other", seller_id="A9OTHER")
        self.corrupt("amazon_seller_account", other.id, seller_id="A-9")
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_old_one_can_still_be_edited_otherwise(self):
        self.corrupt("amazon_seller_account", self.account.id, seller_id="A-1")
        self.account.name = "Renamed"
        self.assertEqual(self.account.name, "Renamed")

    def test_old_one_without_anything_that_waits_is_told_all_the_same(self):
        self.corrupt("amazon_seller_account", self.account.id, seller_id="A-1")
        self.watch()
        self.assertIn("Nothing is sent", self.alarms("seller_id").message)


@tagged("post_install", "-at_install")
class TestCompanyOfAnAccount(LoopsCommon):
    """An account stays with the company of its orders, and what an old version moved
    is not read with the secrets of another company."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls._create_company(name="Elsewhere")
        cls.env.user.company_ids += cls.elsewhere

    def test_account_without_orders_moves(self):
        self.account.company_id = self.elsewhere
        self.assertEqual(self.account.company_id, self.elsewhere)

    def test_account_with_orders_does_not(self):
        self.create_sale_order(SHIPPED)
        with self.assertRaisesRegex(UserError, "cannot move to another company"):
            self.account.company_id = self.elsewhere
        # the same one again is no move
        self.account.company_id = self.company

    def test_account_with_actions_does_not_whoever_asks(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.admin.company_ids += self.elsewhere
        account = self.account.with_user(self.admin).with_context(
            allowed_company_ids=self.elsewhere.ids
        )
        with self.assertRaisesRegex(UserError, self.account.name):
            account.sudo().write({"company_id": self.elsewhere.id})

    def test_one_of_several_that_has_orders_keeps_all(self):
        other = self._create_account(name="Other", seller_id="A9OTHER")
        self.create_sale_order(SHIPPED)
        with self.assertRaises(UserError):
            (other | self.account).write({"company_id": self.elsewhere.id})

    def test_order_of_an_account_that_was_moved_is_not_read_with_its_secrets(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        calls = self.simulator.ledger()["calls"]["getOrder"]
        self.corrupt(
            "amazon_seller_account", self.account.id, company_id=self.elsewhere.id
        )
        order._request_read()
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "failed")
        self.assertIn("another company", order.read_message)
        self.assertEqual(self.simulator.ledger()["calls"]["getOrder"], calls)


@tagged("post_install", "-at_install")
class TestReadingThatRaises(LoopsCommon):
    """What cannot be recorded of one order is told, and ends nothing else."""

    def test_reading_that_raises_is_told_on_the_order_and_by_the_watch(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        read_at = order.read_at
        with self.raising_for(order, "_record_finances", READING):
            order._request_read()
            self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "failed")
        self.assertIn("administrator", order.read_message)
        self.assertEqual(order.read_at, read_at, "nothing of it was recorded")
        self.watch()
        alarm = self.alarms("unrecorded")
        self.assertEqual((alarm.account_id, alarm.count), (self.account, 1))
        self.assertIn(SHIPPED, alarm.message)
        order._read_from_amazon()
        self.assertEqual(order.read_state, "read")
        self.watch()
        self.assertFalse(self.alarms("unrecorded"))

    def test_question_that_raises_is_contained_too(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        with self.raising_for(order, "_ask_client", READING):
            answers = order._read_from_amazon()
        self.assertFalse(answers.is_complete())
        self.assertEqual(order.read_state, "failed")

    def test_one_action_that_cannot_be_confirmed_keeps_the_reading_and_the_others(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        skus = sale_order.amazon_order_id.line_ids.mapped("sku")
        broken = self.ask_refund(sale_order, amounts={skus[0]: 1})
        sound = self.ask_refund(sale_order, amounts={skus[1]: 2})
        self.simulator.change(finance_delay_seconds=0)
        self.run_jobs("_job_dispatch")
        kind = type(self.env["amazon.action.kind.refund"])
        original = kind._is_confirmed

        def fail(this, action):
            if action == broken:
                raise ValueError("put in by a test")
            return original(this, action)

        with patch.object(kind, "_is_confirmed", fail), mute_logger(CONTAINMENT):
            sale_order.amazon_order_id._read_from_amazon()
        self.assertEqual(sale_order.amazon_order_id.read_state, "read")
        self.assertEqual((broken.state, sound.state), ("submitted", "confirmed"))
        sale_order.amazon_order_id._read_from_amazon()
        self.assertEqual(broken.state, "confirmed")

    def test_order_that_cannot_be_recorded_holds_up_no_other_of_the_lane(self):
        actions = self.ask_refund(self.create_sale_order(SHIPPED))
        actions |= self.ask_refund(self.create_sale_order(GIFT_WRAPPED))
        broken = actions[0].order_id
        with self.raising_for(broken, "_record_finances", READING):
            self.run_jobs("_job_dispatch")
        self.assertEqual(actions.mapped("state"), ["queued", "submitted"])
        self.assertIn("administrator", actions[0].state_message)
        self.assertTrue(self.pending_jobs("_job_dispatch"), "it is tried again")
        self.assertEqual(actions[1].feed_id.feed_type, FEED_REFUND)


class Failing(Exception):
    """Put in by a test."""


@tagged("post_install", "-at_install")
class TestEveryCron(LoopsCommon):
    """Each scheduled action of the addon works for one company, account or record after
    the other, and what fails for one of them ends nothing else.

    The actions are found in the database, so a new one cannot be forgotten.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.elsewhere = cls._create_company(name="Elsewhere")
        cls.env.user.company_ids += cls.elsewhere
        cls.other = cls._create_account(
            name="Other", seller_id="A9OTHER", company_id=cls.elsewhere.id
        )

    def setUp(self):
        super().setUp()
        # something to do for each of them in both companies
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        order = action.order_id.copy(
            {"company_id": self.elsewhere.id, "account_id": self.other.id}
        )
        own = {
            "state": "to_approve",
            "approval_ids": [Command.create({"expires_at": "2020-01-01"})],
            "line_ids": False,
            "origin_model": False,
            "origin_id": False,
        }
        other = {
            "order_id": order.id,
            "account_id": self.other.id,
            "company_id": self.elsewhere.id,
        }
        for number, values in enumerate((own, {**own, **other})):
            values = {**values, "name": f"A{number}", "nonce": f"cron{number}"}
            action._create_reserved(*action.copy_data(values))
        self.env["amazon.audit.entry"]._append(
            [
                {"event": "alarm", "company_id": company.id, "message": "A test"}
                for company in self.company | self.elsewhere
            ]
        )
        now = fields.Datetime.now()
        self.env["amazon.alarm"].create(
            [
                {
                    "company_id": company.id,
                    "kind": "runner",
                    "since": now,
                    "last_seen": now,
                    "message": "A test",
                }
                for company in self.company | self.elsewhere
            ]
        )
        # however long this process has been running
        self.patch(
            self.registry["amazon.check.runner"], "_is_too_early", lambda _self: False
        )

    def crons(self):
        crons = self.env["ir.cron"].search(
            [("model_id.model", "=like", "amazon.%")], order="id"
        )
        self.assertGreaterEqual(len(crons), 6)
        return crons

    def run_cron(self, cron, fails_for=None):
        """Run a scheduled action, where all that is done for one company fails.

        :return: the companies that something was done for
        :rtype: set
        """
        done = set()

        def apart(records, method, *args):
            if records._name == "amazon.failure":
                return in_own_transaction(records, method, *args)
            company = records.env.company
            if records and "company_id" in records._fields:
                company = records.company_id
            if company == fails_for:
                raise Failing(f"{records}.{method}")
            done.add(company.id)
            return in_own_transaction(records, method, *args)

        self.env.flush_all()
        with (
            patch(f"{FAILURE}.in_own_transaction", apart),
            patch.object(
                # a test must not commit
                type(self.env["ir.cron"]),
                "_commit_progress",
                lambda *_, **__: 60,
            ),
            mute_logger(FAILURE),
        ):
            cron.method_direct_trigger()
        self.env.invalidate_all()
        return done

    def failures(self, companies):
        return self.env["amazon.failure"].search([("company_id", "in", companies.ids)])

    def test_each_works_for_every_company_apart(self):
        for cron in self.crons():
            with self.subTest(cron.code):
                done = self.run_cron(cron)
                self.assertLessEqual({self.company.id, self.elsewhere.id}, done)
                self.assertFalse(self.failures(self.company | self.elsewhere))

    def test_what_fails_for_one_company_is_done_for_the_other_and_told(self):
        for cron in self.crons():
            for fails, works in (
                (self.company, self.elsewhere),
                (self.elsewhere, self.company),
            ):
                with self.subTest(cron.code, fails=fails.name):
                    savepoint = self.env.cr.savepoint()
                    done = self.run_cron(cron, fails_for=fails)
                    self.assertIn(works.id, done)
                    self.assertNotIn(fails.id, done)
                    self.assertTrue(self.failures(fails))
                    self.assertFalse(self.failures(works))
                    self.watch()
                    if cron.code != "model._cron_watch()":
                        # which has worked again by then
                        self.assertIn("tried again", self.told(fails))
                    self.assertFalse(self.told(works))
                    self.assertTrue(self.run_cron(cron))
                    self.watch()
                    self.assertFalse(self.told(fails))
                    savepoint.close(rollback=True)

    def told(self, company):
        return "".join(self.alarms("work_failed", company).mapped("message"))

    def test_same_failure_again_is_one_row_and_one_alarm(self):
        cron = self.env.ref("amazon_order_actions.ir_cron_seal")
        for _run in range(3):
            self.run_cron(cron, fails_for=self.company)
            self.watch()
        self.assertEqual(self.failures(self.company).count, 3)
        self.assertEqual(len(self.alarms("work_failed")), 1)

    def test_failure_that_is_not_tried_again_is_forgotten(self):
        cron = self.env.ref("amazon_order_actions.ir_cron_seal")
        self.run_cron(cron, fails_for=self.company)
        self.watch()
        self.failures(self.company).last_at -= timedelta(hours=27)
        self.watch()
        self.assertFalse(self.alarms("work_failed"))
        self.assertFalse(self.failures(self.company))

    def test_one_action_that_cannot_expire_keeps_no_other(self):
        actions = self.env["amazon.action"].search([("state", "=", "to_approve")])
        values = {
            "state": "to_approve",
            "approval_ids": [Command.create({"expires_at": "2020-01-01"})],
            "name": "A9",
            "nonce": "cron9",
            "line_ids": False,
        }
        more = actions[0]._create_reserved(*actions[0].copy_data(values))
        with self.raising_for(actions[0].approval_id, "_expire", FAILURE):
            self.env["amazon.approval"]._cron_approvals()
        self.assertEqual(actions[0].state, "to_approve")
        self.assertEqual(set((actions[1:] | more).mapped("state")), {"expired"})
        failure = self.failures(actions[0].company_id)
        self.assertEqual(failure.account_id, actions[0].account_id)

    def test_one_account_that_raises_keeps_no_other_from_being_read(self):
        second = self._create_account(name="Second", seller_id="A8OTHER")
        ranges = self.env["amazon.range.reading"]
        for fails in (self.account, self.other, second):
            works = (self.account | self.other | second) - fails

            def has_business(_ranges, account, fails=fails):
                if account == fails:
                    raise ValueError("put in by a test")
                return True

            with (
                patch.object(type(ranges), "_has_business", has_business),
                patch.object(type(ranges), "_read_leftovers", lambda *_: None),
                mute_logger(FAILURE),
            ):
                self.pending_jobs("_job_read_ranges").unlink()
                ranges._cron_read_ranges()
            read = [job.args[0] for job in self.pending_jobs("_job_read_ranges")]
            self.assertLessEqual(set(works.ids), set(read))
            self.assertNotIn(fails.id, read)


@tagged("post_install", "-at_install")
class TestWatchContains(LoopsCommon):
    """The watch mends, tells, and looks for each thing apart."""

    def setUp(self):
        super().setUp()
        self.action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.corrupt(
            "amazon_action",
            self.action.id,
            last_state_change="2020-01-01",
            due_at="2020-01-01",
        )

    def lose_jobs(self):
        self.pending_jobs().unlink()

    def test_each_check_that_fails_is_told_and_silences_no_other(self):
        self.lose_jobs()
        checks = self.env["amazon.check"]._all()
        for kind in self.kinds():
            with self.subTest(kind):
                savepoint = self.env.cr.savepoint()
                name = f"_find_{kind}"
                with (
                    patch.object(type(checks[kind][0]), name, side_effect=Failing),
                    mute_logger(WATCH),
                ):
                    self.watch()
                (failed,) = self.alarms("check_failed")
                self.assertTrue(failed.is_told)
                expected = "secret_due" if kind == "stalled" else "stalled"
                self.assertEqual(bool(self.alarms("stalled")), expected == "stalled")
                self.watch()
                self.assertFalse(self.alarms("check_failed"))
                savepoint.close(rollback=True)

    def test_each_kind_of_alarm_can_be_named(self):
        field = self.env["amazon.alarm"]._fields["kind"]
        labels = dict(field._description_selection(self.env))
        told_by_others = {"check_failed", "journal", "runner"}
        self.assertEqual(set(labels), {*self.kinds(), *told_by_others})
        self.assertTrue(all(labels.values()))

    def test_mail_that_fails_does_not_undo_the_mending(self):
        alarms = type(self.env["amazon.alarm"])
        for name in ("message_post", "activity_schedule"):
            with self.subTest(name):
                savepoint = self.env.cr.savepoint()
                with (
                    patch.object(alarms, name, side_effect=Failing),
                    mute_logger(ALARM),
                ):
                    for _run in range(2):
                        self.lose_jobs()
                        self.watch()
                        self.assertTrue(self.pending_jobs("_job_dispatch"))
                (alarm,) = self.alarms("stalled")
                self.assertFalse(alarm.is_told)
                self.assertFalse(self.alarms("check_failed"))
                self.lose_jobs()
                self.watch()
                self.assertTrue(alarm.is_told, "told when it works again")
                savepoint.close(rollback=True)

    def test_alarm_that_cannot_be_reported_does_not_undo_the_mending(self):
        self.lose_jobs()
        alarms = type(self.env["amazon.alarm"])
        with (
            patch.object(alarms, "_open", side_effect=Failing),
            mute_logger(WATCH, ALARM),
        ):
            self.watch()
        self.assertTrue(self.pending_jobs("_job_dispatch"))
        self.assertFalse(self.alarms("stalled"))
        self.lose_jobs()
        self.watch()
        self.assertTrue(self.alarms("stalled"))

    def test_activity_that_cannot_be_closed_does_not_keep_the_alarm_open(self):
        self.lose_jobs()
        self.watch()
        with (
            patch.object(
                type(self.env["amazon.alarm"]), "activity_feedback", side_effect=Failing
            ),
            mute_logger(ALARM),
        ):
            self.action._set_withdrawn()
            self.watch()
        self.assertFalse(self.alarms("stalled"))


@tagged("post_install", "-at_install")
class TestFailedJobs(LoopsCommon):
    """A job that fails again and again is one row and one kind, and what it left undone
    is done by another."""

    def fail(self, jobs):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'failed' WHERE id IN %s", [tuple(jobs.ids)]
        )
        self.env.invalidate_all()

    def failed(self):
        return self.env["queue.job"].search(
            [("state", "=", "failed"), ("id", ">=", self.first_job)], order="id"
        )

    def test_same_job_failing_again_keeps_the_newest(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = self.env["amazon.feed"]
        lane = Lane(self.account.id, action.marketplace, action.feed_type)
        for number in range(5):
            feeds._enqueue_dispatch_at(lane, 10000 * number, number)
        feeds._enqueue_dispatch_at(lane, 0, "sweep", is_sweep=True)
        newest = self.pending_jobs("_job_dispatch")[-1]
        self.fail(self.pending_jobs("_job_dispatch"))
        self.watch()
        self.assertEqual(self.failed(), newest)
        alarm = self.alarms("job_failed")
        self.assertEqual(alarm.count, 1)
        self.assertIn(newest.name, alarm.message)
        twins = self.env["queue.job"].search(
            [("state", "=", "cancelled"), ("id", ">=", self.first_job)]
        )
        self.assertEqual(len(twins), 6)
        self.assertIn("newest is kept", twins[0].result)

    def test_jobs_that_do_different_things_are_all_kept(self):
        for ref in (SHIPPED, GIFT_WRAPPED):
            self.ask_refund(self.create_sale_order(ref))
        orders = self.env["amazon.order"].search([("account_id", "=", self.account.id)])
        orders._request_read()
        kept = self.pending_jobs("_job_read") | self.pending_jobs("_job_dispatch")[:1]
        self.assertEqual(len(kept), 1 + len(orders))
        self.fail(kept)
        self.watch()
        self.assertEqual(self.failed(), kept.sorted("id"))
        self.assertEqual(self.alarms("job_failed").count, 2, "kinds, not jobs")

    def test_none_that_failed_is_no_alarm(self):
        self.watch()
        self.assertFalse(self.alarms("job_failed"))

    def test_failed_jobs_of_another_company_are_left_alone(self):
        elsewhere = self._create_company(name="Elsewhere")
        lane = Lane(self.account.id, "A1PA6795UKMFR9", FEED_REFUND)
        for number in range(2):
            self.env["amazon.feed"]._enqueue_dispatch_at(lane, 0, number)
        jobs = self.pending_jobs("_job_dispatch")
        jobs.company_id = elsewhere
        self.fail(jobs)
        self.watch()
        self.assertEqual(self.failed(), jobs)
        self.assertFalse(self.alarms("job_failed"))

    def test_lane_whose_jobs_failed_is_sent_all_the_same(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.corrupt(
            "amazon_action",
            action.id,
            last_state_change="2020-01-01",
            due_at="2020-01-01",
        )
        self.fail(self.pending_jobs())
        self.watch()
        self.settle()
        self.assertEqual(action.state, "confirmed")


@tagged("post_install", "-at_install")
class TestOrderThatCannotBeRecorded(LoopsCommon):
    """An order that cannot be recorded again and again: its action goes to a person,
    and the others of the feed are judged."""

    def send(self, *refs):
        """Have refunds sent in one feed that Amazon has not got, and nobody knows."""
        actions = self.env["amazon.action"]
        for ref in refs:
            actions |= self.ask_refund(self.create_sale_order(ref))
        self.simulator.fault("cut_before", "createFeed", times=1)
        with mute_logger(f"{MODELS}.sending.dispatch"):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.assertEqual(set(actions.mapped("state")), {"unknown"})
        self.assertEqual(len(actions.feed_id), 1)
        feed = actions.feed_id
        for name in ("sending_at", "amazon_sent_after"):
            feed[name] -= timedelta(hours=5)
        # or else it is known already that the orders do not show it
        for order in actions.order_id:
            order.complete_at -= timedelta(hours=6)
        return actions

    def keep(self, job):
        """Run a job, and keep what it did in transactions of its own although it wants
        to come again: here they are part of the test's."""
        self.env.flush_all()
        with contextlib.suppress(RetryableJobError):
            job()
        self.env.invalidate_all()

    def reconcile(self, feed, times=1):
        for _time in range(times):
            self.keep(feed._job_reconcile)
        self.run_jobs("_job_follow", "_job_move_actions")

    def test_others_are_sent_again_and_its_action_goes_to_a_person(self):
        actions = self.send(SHIPPED, GIFT_WRAPPED)
        broken, sound = actions
        with self.raising_for(broken.order_id, "_record_finances", READING):
            self.reconcile(broken.feed_id, UNRECORDED_LIMIT - 1)
            self.assertEqual(broken.feed_id.state, "unknown", "it is tried again")
            self.assertFalse(broken.needs_person)
            self.reconcile(broken.feed_id)
        self.assertEqual((broken.state, sound.state), ("unknown", "queued"))
        self.assertTrue(broken.needs_person)
        self.assertIn("Seller Central", broken.state_message)
        self.assertEqual(broken.feed_id.state, "absent")
        # neither the next dispatch nor the watch sends it again
        self.run_jobs("_job_dispatch")
        self.watch()
        self.assertFalse(self.alarms("unasked") | self.alarms("unfollowed"))
        self.settle()
        self.assertEqual((broken.state, sound.state), ("unknown", "confirmed"))
        self.assertEqual(
            {row["order_id"] for row in self.simulator.ledger()["refunds"]},
            {GIFT_WRAPPED},
        )

    def assert_handed_over(self, *refs):
        actions = self.send(*refs)
        feed = actions.feed_id
        with self.raising_for(actions.order_id, "_record_finances", READING):
            self.reconcile(feed, UNRECORDED_LIMIT)
        self.assertEqual(set(actions.mapped("state")), {"unknown"})
        self.assertTrue(all(actions.mapped("needs_person")))
        self.assertEqual(feed.state, "unknown")
        self.assertTrue(feed.handed_at)

    def test_feed_of_one_such_order_is_handed_over_and_never_called_absent(self):
        self.assert_handed_over(SHIPPED)

    def test_feed_of_several_such_orders_is_handed_over_and_never_called_absent(self):
        self.assert_handed_over(SHIPPED, GIFT_WRAPPED)

    def test_order_that_is_recorded_in_between_starts_anew(self):
        action = self.send(SHIPPED)
        with self.raising_for(action.order_id, "_record_finances", READING):
            self.reconcile(action.feed_id, UNRECORDED_LIMIT - 1)
        self.assertEqual(action.order_id.unrecorded_count, UNRECORDED_LIMIT - 1)
        action.order_id._read_from_amazon()
        self.assertEqual(action.order_id.unrecorded_count, 0)
        self.reconcile(action.feed_id)
        self.assertEqual(action.state, "queued")

    def test_one_order_ends_no_look_at_the_others(self):
        actions = self.send(SHIPPED, GIFT_WRAPPED)
        broken, sound = actions
        feed = actions.feed_id
        feed.write({"state": "fatal", "done_at": feed.sending_at})
        before = sound.order_id.complete_at
        with self.raising_for(broken.order_id, "_record_finances", READING):
            for _time in range(UNRECORDED_LIMIT):
                self.keep(feed._job_look_at_orders)
        self.assertTrue(broken.needs_person)
        self.assertFalse(sound.needs_person)
        self.assertGreater(sound.order_id.complete_at, before)

    def test_one_action_that_cannot_be_judged_keeps_no_other(self):
        actions = self.send(SHIPPED, GIFT_WRAPPED)
        feed = actions.feed_id
        feed.write({"state": "fatal", "done_at": feed.sending_at})
        kind = type(self.env["amazon.action.kind.refund"])

        def disproof(this, action):
            if action == actions[0]:
                raise Failing
            return "Amazon shows that it was not executed"

        with patch.object(kind, "_disproof", disproof), mute_logger(CONTAINMENT):
            feed._judge_orders(feed.id, 0)
        self.assertEqual(actions.mapped("state"), ["unknown", "rejected"])
        self.assertEqual(actions.filtered("set_aside_at"), actions[0])

    def test_call_of_an_order_that_cannot_be_recorded_goes_to_a_person(self):
        self.simulator.fault("cut_before", "confirmShipment", times=1)
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        with mute_logger(f"{MODELS}.sending.call"):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        with self.raising_for(action.order_id, "_record_finances", READING):
            for _time in range(UNRECORDED_LIMIT):
                self.keep(action._job_look)
        self.assertTrue(action.needs_person)
        self.assertIn("recorded", action.state_message)

    def test_order_that_the_list_cannot_record_does_not_end_the_page(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        other = self.create_sale_order(GIFT_WRAPPED).amazon_order_id
        rows = type(
            "Page",
            (),
            {
                "items": [
                    {"orderId": SHIPPED},
                    {"orderId": GIFT_WRAPPED},
                ]
            },
        )
        read = []
        with (
            patch.object(
                type(order), "_record_listed", lambda o, _row: read.append(o.id)
            ),
            self.raising_for(order, "_record_listed", RANGES),
            self.raising_for(order, "_distrust", RANGES),
        ):
            self.env["amazon.range.reading"]._record_page(self.account, "orders", rows)
        self.assertEqual(read, [other.id])


# What makes up for each job of ours that is lost or fails: a check of the watch that
# enqueues it again, or a scheduled action that does the same.
MADE_UP_FOR_BY = {
    "_job_dispatch": "stalled",
    "_job_follow": "unfollowed",
    "_job_poll": "unasked",
    "_job_apply_report": "unasked",
    "_job_late_report": "unasked",
    "_job_move_actions": "unasked",
    "_job_reconcile": "unasked",
    "_job_look_at_orders": "unasked",
    "_job_drop": "unasked",
    "_job_withdraw_dropped": "unasked",
    "_job_call": "call_lost",
    "_job_look": "call_lost",
    "_job_read": "undone",
    "_job_reply": "undone",
    "_job_follow_in_odoo": "undone",
    "_job_verify_restored": "life",
    "_job_verify_lane": "life",
    # the same findings
    "_job_tell_tripped": "breaker",
    "_job_tell_life": "life",
    # the lists of the account, and single orders a day later
    "_job_confirm": "_cron_read_ranges",
    "_job_read_ranges": "_cron_read_ranges",
    "_job_read_mailed": "_cron_read_ranges",
}


@tagged("post_install", "-at_install")
class TestLostJobs(LoopsCommon):
    """Whatever job is lost, something else sees what the rows still need."""

    def lose(self, *methods):
        self.env.flush_all()
        lost = self.pending_jobs(*methods)
        self.assertTrue(lost)
        self.env.cr.execute(
            "UPDATE queue_job SET state = 'failed' WHERE id IN %s", [tuple(lost.ids)]
        )
        self.env.invalidate_all()

    def test_every_job_of_the_addon_is_made_up_for(self):
        jobs = {
            name
            for model in self.env.registry.values()
            if model._name.startswith("amazon.")
            for name in dir(model)
            if name.startswith("_job_") and not hasattr(self.env.registry["base"], name)
        }
        self.assertEqual(jobs, set(MADE_UP_FOR_BY))
        crons = "".join(
            self.env["ir.cron"]
            .search([("model_id.model", "=like", "amazon.%")])
            .mapped("code")
        )
        kinds = self.kinds()
        for job, by in MADE_UP_FOR_BY.items():
            with self.subTest(job):
                self.assertTrue(by in kinds or by in crons)

    def test_reading_that_was_lost_is_done(self):
        order = self.create_sale_order(SHIPPED, read=False).amazon_order_id
        self.lose("_job_read")
        self.watch()
        self.assertFalse(self.pending_jobs("_job_read"), "not yet")
        self.corrupt("amazon_order", order.id, write_date="2020-01-01")
        self.watch()
        self.watch()
        self.assertEqual(len(self.pending_jobs("_job_read")), 1)
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "read")

    def test_reply_that_was_lost_is_written_unless_messages_are_stopped(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.corrupt("amazon_action", action.id, last_state_change="2020-01-01")
        self.env["amazon.reply"].create(
            {"action_id": action.id, "awaited_state": "submitted", "lang": "en"}
        )
        self.stop(self.account, "A test", "message")
        self.watch()
        self.assertFalse(self.pending_jobs("_job_reply"))
        self.env["amazon.stop"]._open_of(self.account).ended_at = "2020-01-01"
        self.watch()
        self.assertEqual(len(self.pending_jobs("_job_reply")), 1)

    def test_reply_that_waits_for_more_is_left_alone(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        self.corrupt("amazon_action", action.id, last_state_change="2020-01-01")
        self.env["amazon.reply"].create(
            {"action_id": action.id, "awaited_state": "confirmed", "lang": "en"}
        )
        self.watch()
        self.assertFalse(self.pending_jobs("_job_reply"))

    def test_cancellation_that_was_not_followed_in_odoo_is_followed(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")
        self.lose("_job_follow_in_odoo")
        action.last_state_change -= timedelta(minutes=11)
        self.watch()
        self.run_jobs("_job_follow_in_odoo")
        self.assertTrue(action.is_followed)
        action.last_state_change -= timedelta(minutes=11)
        self.watch()
        self.assertFalse(self.pending_jobs("_job_follow_in_odoo"))

    def test_wish_to_drop_a_feed_that_was_lost_reaches_amazon_once(self):
        self.simulator.reset(processing_seconds=999999, quotas=False)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        feed = action.feed_id
        feed.processing_status = "IN_QUEUE"
        action.with_user(self.agent).action_cancel_feed()
        self.lose("_job_drop")
        self.corrupt("amazon_feed", feed.id, write_date="2020-01-01")
        self.watch()
        self.run_jobs("_job_drop")
        self.assertEqual(self.simulator.ledger()["calls"]["cancelFeed"], 1)
        self.corrupt("amazon_feed", feed.id, write_date="2020-01-01")
        self.watch()
        self.assertFalse(self.pending_jobs("_job_drop"))
