import inspect
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs

from ...models.action.states import ACTION_STATES, ACTION_TRANSITIONS
from ...models.base.containment import trace_of
from ...models.sending.feed import FEED_STATES
from ...spapi.enums import FEED_REFUND
from ...spapi.errors import InvalidMessage
from ...spapi.reports import MessageOutcome
from ..common import (
    GIFT_WRAPPED,
    PARTLY_REFUNDED,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
    AmazonOrderCommon,
)

MODELS = "odoo.addons.amazon_order_actions.models"
SALES = "sales_team.group_sale_salesman_all_leads"
LOGS = (
    f"{MODELS}.base.containment",
    f"{MODELS}.action.action",
    f"{MODELS}.sending.dispatch",
)
# What sets something of one action, and moves none.
OF_ONE = {
    "_set_call_aside",
    "_set_aside",
    "_set_aside_for_a_while",
    "_set_aside_in_own",
}
STATES = [state for state, _label in ACTION_STATES]


class Broken(Exception):
    """What the tests raise."""


class ContainmentCase(AmazonOrderCommon):
    def create_actions(self, order, count=1):
        """Create actions of every kind there is, all of one order, as the program
        itself does.

        :param int count: of each kind
        """
        actions = self.env["amazon.action"].sudo()
        charge = order.line_ids.charge_ids[:1]
        now = fields.Datetime.now()
        kinds = actions._fields["kind"].get_values(self.env)
        return actions._create_reserved(
            [
                {
                    "name": f"T-{kind}-{number}-{len(kinds) * count}",
                    "kind": kind,
                    "feed_type": FEED_REFUND,
                    "state": "queued",
                    "last_state_change": now,
                    "order_id": order.id,
                    "account_id": order.account_id.id,
                    "company_id": order.company_id.id,
                    "marketplace": order.marketplace,
                    "currency_id": order.currency_id.id,
                    "amount": 1,
                    "reason": "CustomerReturn",
                    "user_id": self.agent.id,
                    "asked_at": now,
                    "due_at": now,
                    "origin_model": "sale.order",
                    "origin_id": self.sale_order.id,
                    "nonce": f"T-{kind}-{number}-{count}",
                    "details": {"text": "Hello"},
                    "approval_ids": [
                        Command.create({"why": "Because.", "state": "approved"})
                    ],
                    "line_ids": [
                        (
                            0,
                            0,
                            {
                                "company_id": order.company_id.id,
                                "charge_id": charge.id,
                                "order_line_id": charge.line_id.id,
                                "amount": 1,
                                "quantity": 1,
                            },
                        )
                    ],
                }
                for kind in kinds
                for number in range(count)
            ]
        )

    def create_feed(self, actions=()):
        """Create a feed as it was sent, with actions or without."""
        now = fields.Datetime.now()
        feed = self.env["amazon.feed"].create(
            {
                "account_id": self.account.id,
                "marketplace": "A1PA6795UKMFR9",
                "feed_type": FEED_REFUND,
                "state": "sending",
                "state_message": "It is known.",
                "processing_status": "DONE",
                "sending_at": now,
                "submitted_at": now,
                "done_at": now,
                "drop_user_id": self.agent.id,
            }
        )
        for number, action in enumerate(actions, start=1):
            action.write({"feed_id": feed.id, "message_number": number})
        return feed

    @contextmanager
    def undone(self):
        """Undo all that is done within."""
        self.env.flush_all()
        savepoint = self.env.cr.savepoint(flush=False)
        try:
            yield
            self.env.flush_all()
        finally:
            self.env.clear()
            savepoint.close(rollback=True)
            # the record of what was sent within is not rolled back
            self.live()


@tagged("post_install", "-at_install")
class TestEveryPair(ContainmentCase):
    """Every state of a feed with every state and kind of its actions, with none, one
    and several of them: no exception, no illegal move."""

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        order = self.sale_order.amazon_order_id
        singles = self.create_actions(order)
        several = self.create_actions(order, 2)
        self.feeds = {
            "none": self.create_feed(),
            "mixed": self.create_feed(several),
            **{action.kind: self.create_feed(action) for action in singles},
        }
        self.actions = singles | several
        # the words of the notes are made, only their rows are not: they take the time
        self.startPatcher(
            patch.object(type(self.actions), "_log_notes", lambda *args: None)
        )
        self.moves = []
        append = type(self.env["amazon.audit.entry"])._append

        def note(journal, entries):
            self.moves += [
                (entry["state_from"], entry["state_to"])
                for entry in entries
                if entry["event"] == "state"
                # what becomes known of the same state is no move
                and entry["state_from"] != entry["state_to"]
            ]
            return append(journal, entries)

        self.startPatcher(
            patch.object(type(self.env["amazon.audit.entry"]), "_append", note)
        )
        self.env.flush_all()

    def force(self, feed_state, action_state):
        self.env.cr.execute(
            "UPDATE amazon_feed SET state = %s WHERE id IN %s",
            [feed_state, tuple(feed.id for feed in self.feeds.values())],
        )
        self.env.cr.execute(
            "UPDATE amazon_action SET state = %s WHERE id IN %s",
            [action_state, tuple(self.actions.ids)],
        )
        self.env.invalidate_all()

    def try_all(self, what, feed_states, action_states, moves):
        """Try something with every feed, in every pair of states."""
        for feed_state in feed_states:
            for action_state in action_states:
                self.moves.clear()
                with (
                    self.subTest(what, feed=feed_state, action=action_state),
                    # a kind has no words for states that it does not reach
                    mute_logger(*LOGS),
                    trap_jobs(),
                    self.undone(),
                ):
                    self.force(feed_state, action_state)
                    for feed in self.feeds.values():
                        moves(feed)
                    aside = self.actions.filtered("set_aside_at")
                    self.assertFalse(aside.mapped("set_aside_trace"))
                    failed = self.actions.filtered("follower_failed_at")
                    self.assertFalse(failed.mapped("follower_trace"))
                    for source, target in set(self.moves):
                        self.assertIn(source, ACTION_TRANSITIONS[target])

    def test_actions_follow_their_feed(self):
        self.try_all(
            "follow",
            [state for state, _label in FEED_STATES],
            STATES,
            lambda feed: feed._follow(feed.id),
        )

    def test_actions_move_with_the_end_of_their_feed(self):
        for target in ("rejected", "unknown", "person"):
            self.try_all(
                target,
                [state for state, _label in FEED_STATES],
                # the others are not looked at
                [*ACTION_TRANSITIONS[target]] if target in STATES else ["unknown"],
                lambda feed, target=target: feed._job_move_actions(target),
            )

    def test_actions_take_the_outcome_of_a_report(self):
        for status in ("accepted", "rejected", "unknown"):
            outcome = MessageOutcome(status, "8026", "Amazon's words")
            self.try_all(
                status,
                ["done"],
                STATES,
                lambda feed, outcome=outcome: feed._apply_outcome(
                    feed.action_ids, outcome
                ),
            )

    def test_actions_are_withdrawn_with_a_dropped_feed(self):
        self.try_all(
            "withdraw",
            ["cancelled", "submitted"],
            STATES,
            lambda feed: feed._job_withdraw_dropped(),
        )

    def test_every_setter_takes_none_one_and_several(self):
        model = type(self.env["amazon.action"])
        setters = {
            name
            for name, _function in inspect.getmembers(model, inspect.isfunction)
            if name.startswith("_set_") and name not in OF_ONE
        }
        self.assertLessEqual({"_set_sending", "_set_withdrawn"}, setters)
        given = {"code": "1", "text": "No", "reason": "Because."}
        for name in sorted(setters):
            wanted = inspect.signature(getattr(model, name)).parameters
            args = {key: value for key, value in given.items() if key in wanted}
            self.try_all(
                name,
                ["submitted"],
                STATES,
                lambda feed, name=name, args=args: getattr(feed.action_ids, name)(
                    **args
                ),
            )


@tagged("post_install", "-at_install")
class TestContainment(ContainmentCase):
    """What raises for one action or feed keeps no other."""

    def ask_three(self):
        """Ask for three refunds that leave together."""
        actions = self.ask_refund(self.create_sale_order(SHIPPED))
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        for sku in sale_order.amazon_order_id.line_ids.mapped("sku"):
            actions |= self.ask_refund(sale_order, amounts={sku: 5})
        self.assertEqual(len(actions), 3)
        return actions

    def ask_three_calls(self):
        actions = self.ask_ship(self.create_sale_order(UNSHIPPED))
        sale_order = self.create_sale_order(THREE_UNITS)
        sku = sale_order.amazon_order_id.line_ids.sku
        for _time in range(2):
            actions |= self.ask_ship(sale_order, units={sku: 1})
        return actions

    @contextmanager
    def broken(self, model, method, victims, reached=None, is_broken=True):
        """Let a method raise where it is about one of the victims.

        :param set reached: takes the names of the methods that were
        """
        owner = type(self.env[model])
        original = getattr(owner, method)

        def run(records, *args, **kwargs):
            about = records if records._name == "amazon.action" else args[0]
            if about & victims:
                if reached is not None:
                    reached.add(method)
                if is_broken:
                    raise Broken("a buyer's secret words")
            return original(records, *args, **kwargs)

        with patch.object(owner, method, run), mute_logger(*LOGS):
            yield

    def hooks(self):
        """Return the names of the hooks of a kind that take one action."""
        model = type(self.env["amazon.action.kind"])
        return [
            name
            for name, function in inspect.getmembers(model, inspect.isfunction)
            if list(inspect.signature(function).parameters)[1:2] == ["action"]
        ]

    # === feeds of several === #

    def test_feed_of_several_cancellations_that_was_not_sent_is_sent_again(self):
        actions = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        sale_order = self.create_sale_order(THREE_UNITS)
        sku = sale_order.amazon_order_id.line_ids.sku
        for _time in range(2):
            actions |= self.ask_cancel_items(sale_order, {sku: 1})
        not_sent = "_record_not_sent", "Amazon could not be reached", None
        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_create_feed", lambda *args: not_sent):
            self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"queued"})
        self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"submitted"})

    # === followers === #

    def test_followers_follow_in_the_order_that_the_page_tells(self):
        followers = self.env["amazon.action.follower"]._in_order()
        names = [follower._name.rpartition(".")[2] for follower in followers]
        if "hold" not in names:
            # the warehouse is an addon of its own
            names[3:3] = ["hold", "lift"]
        self.assertEqual(
            names,
            [
                "note",
                "approvers",
                "forget",
                "hold",
                "lift",
                "cancellation",
                "credit_note",
                "reply",
                "forms",
            ],
        )
        places = [follower._place for follower in followers]
        self.assertEqual(len(set(places)), len(places))

    def test_follower_that_raises_for_one_keeps_no_other(self):
        actions = self.ask_three()
        first, victim, last = actions
        for follower in self.env["amazon.action.follower"]._in_order():
            with self.subTest(follower._name), self.undone():
                with self.broken(follower._name, "_follow", victim):
                    actions._set_sending()
                    actions._set_submitted()
                self.assertEqual(set(actions.mapped("state")), {"submitted"})
                self.assertEqual(actions.filtered("follower_failed_at"), victim)
                self.assertNotIn("buyer", victim.follower_trace)
                self.assertIn(follower._failed(), str(self.notes(victim._get_origin())))
                self.assertIn("submitted", [to for _from, to in self.journal(first)])
                found = self.env["amazon.check.follower"]._find_follower(self.account)
                self.assertIn(victim.name, found[0].message)

    def test_follower_that_raises_runs_for_the_others(self):
        actions = self.ask_three()
        with self.broken("amazon.action.follower.note", "_follow", actions[1]):
            actions._set_sending()
            actions._set_submitted()
        for action in (actions[0], actions[2]):
            self.assertIn("has received", self.notes(action._get_origin())[0])

    def test_what_followed_before_one_failed_is_done_once(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        before = self.notes(action._get_origin())
        jobs = self.env["queue.job"].search([])
        with self.broken("amazon.action.follower.forms", "_follow", action):
            action._set_sending()
            action._set_submitted()
        notes = self.notes(action._get_origin())[: -len(before)]
        self.assertEqual(len([note for note in notes if "has received" in note]), 1)
        new = self.env["queue.job"].search([]) - jobs
        keys = new.mapped("identity_key")
        self.assertEqual(len(keys), len(set(keys)))

    def test_ordinary_day_needs_a_savepoint_for_all_followers(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        asked = []
        execute = Cursor.execute

        def count(cr, query, *args, **kwargs):
            asked.append(str(getattr(query, "code", query)))
            return execute(cr, query, *args, **kwargs)

        with patch.object(Cursor, "execute", count):
            action._let_follow()
        # one for all, and one that guards the documents' notes
        savepoints = [query for query in asked if query.startswith("SAVEPOINT")]
        self.assertLessEqual(len(savepoints), 2)

    def test_note_that_a_document_refuses_undoes_nothing_else_of_a_click(self):
        sale_order = self.create_sale_order(SHIPPED)
        with (
            patch.object(type(sale_order), "_message_log_batch", side_effect=Broken),
            mute_logger(*LOGS),
        ):
            action = self.ask_refund(sale_order)
        self.assertEqual(action.state, "queued")
        self.assertIn("Nothing is sent", action.state_message)
        self.assertEqual([to for _from, to in self.journal(action)], ["queued"])

    def test_database_that_could_not_serialize_is_no_failure_of_a_follower(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))

        def raise_it(*args):
            raise psycopg2.errors.SerializationFailure

        with (
            patch.object(
                type(self.env["amazon.action.follower.reply"]), "_follow", raise_it
            ),
            self.assertRaises(psycopg2.OperationalError),
        ):
            action._set_sending()

    def test_bus_that_raises_does_not_stop_a_click(self):
        order_type = type(self.env["amazon.order"])
        sale_order = self.create_sale_order(SHIPPED)
        with (
            patch.object(order_type, "_notify_forms", side_effect=Broken),
            mute_logger(*LOGS),
        ):
            action = self.ask_refund(sale_order)
        self.assertEqual(action.state, "queued")

    # === hooks === #

    def try_hooks(self, kind, actions, ends):
        """Let each hook raise for one of three, and see that the others move.

        :param str kind: kind of the actions
        :param amazon.action actions: the three, before they left
        :param ends: states in which the others end
        :return: the hooks that were reached
        :rtype: set
        """
        victim = actions[1]
        reached = set()
        model = f"amazon.action.kind.{kind}"
        with ExitStack() as stack:
            stack.enter_context(self.undone())
            for hook in self.hooks():
                seen = self.broken(model, hook, victim, reached, is_broken=False)
                stack.enter_context(seen)
            self.settle(4)
        for hook in sorted(reached):
            with self.subTest(hook), self.undone():
                self.simulator.reset(
                    processing_seconds=0, finance_delay_seconds=0, quotas=False
                )
                with self.broken(model, hook, victim):
                    self.settle(6)
                self.assertLessEqual(set((actions - victim).mapped("state")), ends)
                moved = victim.state in ends
                self.assertTrue(moved or victim.set_aside_message)
                self.assertNotIn("secret", victim.set_aside_trace or "")
                self.assertFalse(
                    self.env["queue.job"].search_count(
                        [("state", "=", "failed"), ("id", ">=", self.first_job)]
                    )
                )
                later = self.ask_refund(self.create_sale_order(PARTLY_REFUNDED))
                self.run_jobs("_job_dispatch")
                self.assertIn(later.state, ("submitted", "accepted", "confirmed"))
        return reached

    def test_every_hook_that_raises_for_one_keeps_no_other(self):
        """Of what goes by feed and by call; each hook is reached in one of the ways."""
        actions = self.ask_three()
        # so that it is asked whether the first sending is at Amazon after all
        actions.first_sending_at = fields.Datetime.now()
        with self.undone():
            reached = self.try_hooks("refund", actions, {"confirmed"})
        actions.with_user(self.agent).action_withdraw()
        with self.undone():
            calls = self.ask_three_calls()
            reached |= self.try_hooks("ship", calls, {"accepted", "confirmed"})
        elsewhere = {
            "_disproof",
            "_message_items",
            # of a refused call, and of a person's click
            "_kept_refusal",
            "_open_record_by_hand",
        }
        self.assertEqual(reached | elsewhere, set(self.hooks()))

    def test_items_that_cannot_be_told_apart_keep_no_other(self):
        actions = self.ask_three()
        for action in actions:
            self.simulator.fault(
                "item_error",
                order_id=action.order_id.amazon_order_ref,
                others_executed=False,
            )
        self.run_jobs("_job_dispatch")
        with self.broken("amazon.action.kind.refund", "_message_items", actions[1]):
            self.run_jobs("_job_poll")
            self.run_jobs("_job_apply_report")
        self.assertEqual(actions.filtered("set_aside_at"), actions[1])
        self.assertEqual(actions[1].state, "submitted")
        self.assertFalse({"submitted"} & set((actions - actions[1]).mapped("state")))

    def test_outcome_that_cannot_be_looked_for_keeps_no_other(self):
        actions = self.ask_three()
        actions._set_sending()
        feed = self.create_feed(actions)
        feed.write({"state": "done", "done_at": "2026-01-01 00:00:00"})
        actions._set_unknown("Nobody knows.")
        with self.broken("amazon.action.kind.refund", "_disproof", actions[1]):
            feed._judge_orders(feed.id, 0)
        self.assertEqual(actions.filtered("needs_person"), actions[0] | actions[2])
        self.assertEqual(actions.filtered("set_aside_at"), actions[1])
        self.assertEqual(actions[1].state, "unknown")

    # === journal === #

    def break_journal(self, victim):
        journal = type(self.env["amazon.audit.entry"])
        append = journal._append

        def run(entries, vals_list):
            if any(vals.get("action_id") == victim.id for vals in vals_list):
                raise Broken
            return append(entries, vals_list)

        return patch.object(journal, "_append", run)

    def test_action_without_a_journal_does_not_move_and_the_others_do(self):
        actions = self.ask_three()
        actions._set_sending()
        with self.break_journal(actions[1]), mute_logger(*LOGS):
            moved = actions._set_submitted()
        self.assertEqual(moved, actions[0] | actions[2])
        self.assertEqual(actions.mapped("state"), ["submitted", "sending", "submitted"])
        self.assertTrue(actions[1].set_aside_at)
        self.assertEqual(self.journal(actions[1])[-1], ("queued", "sending"))

    def test_refund_of_an_action_that_could_not_be_confirmed_confirms_it_later(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        with self.break_journal(action), mute_logger(*LOGS):
            action.order_id._read_from_amazon()
        self.assertTrue(action.order_id.refund_ids)
        self.assertTrue(action.set_aside_at)
        self.assertNotEqual(action.state, "confirmed")
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.refund_ids.action_id, action)

    def test_action_that_cannot_be_marked_leaves_in_no_envelope(self):
        actions = self.ask_three()
        with self.break_journal(actions[1]), mute_logger(*LOGS):
            self.run_jobs("_job_dispatch")
            self.assertEqual(self.simulator.ledger()["calls"].get("createFeed", 0), 0)
            self.run_jobs("_job_dispatch")
        self.assertEqual(actions.mapped("state"), ["submitted", "queued", "submitted"])
        self.assertFalse(actions[1].feed_id)
        rows = {row["message_id"] for row in self.simulator.ledger()["refunds"]}
        self.assertEqual(len(rows), 2)

    # === what lies with the lane === #

    def test_form_that_takes_nothing_keeps_the_lane_waiting_and_says_so(self):
        actions = self.ask_three()
        keepers = type(self.env["amazon.gatekeeper.breaker"])
        wrong = InvalidMessage("Amazon's form does not take this seller id.")
        with patch.object(keepers, "_let_pass", side_effect=wrong):
            self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"queued"})
        self.assertIn("seller id", actions[0].set_aside_message)
        self.assertTrue(all(actions.mapped("set_aside_until")))
        self.assertTrue(self.pending_jobs("_job_dispatch"))
        found = self.env["amazon.check.aside"]._find_set_aside(self.account)
        self.assertEqual(found[0].count, 3)
        self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"queued"}, "not before")
        actions.set_aside_until = fields.Datetime.now()
        self.run_jobs("_job_dispatch")
        self.assertEqual(set(actions.mapped("state")), {"submitted"})
        self.assertFalse(any(actions.mapped("set_aside_at")))

    def test_lane_that_raises_comes_back_later_each_time_within_bounds(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        feeds = type(self.env["amazon.feed"])
        waits = []
        with patch.object(feeds, "_prepare", side_effect=Broken), mute_logger(*LOGS):
            for age in (0, 600, 86400):
                action.set_aside_until = False
                if age:
                    action.set_aside_at -= timedelta(seconds=age)
                    action.set_aside_until = fields.Datetime.now()
                self.run_jobs("_job_dispatch")
                left = action.set_aside_until - fields.Datetime.now()
                waits.append(round(left.total_seconds(), -1))
        self.assertEqual(waits, [30, 300, 1800])

    def test_message_that_alone_cannot_be_written_does_not_keep_the_others(self):
        actions = self.ask_three()
        victim = actions[1]
        write = type(self.env["amazon.feed"])._write_payload

        def run(feeds, payload, feed_type, some):
            if victim in some:
                raise Broken
            return write(feeds, payload, feed_type, some)

        feeds = type(self.env["amazon.feed"])
        with patch.object(feeds, "_write_payload", run), mute_logger(*LOGS):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_dispatch")
        self.assertEqual(actions.mapped("state"), ["submitted", "queued", "submitted"])
        self.assertFalse(victim.set_aside_until)

    # === feeds === #

    def two_abandoned(self):
        actions = self.ask_three()[:2]
        actions._set_sending()
        return actions, [self.create_feed(action) for action in actions]

    def test_feed_that_cannot_be_settled_keeps_no_other_feed(self):
        (first, second), (bad, good) = self.two_abandoned()
        owner = type(bad)
        record = owner._record_unknown

        def run(feeds, feed_id, reason):
            if feed_id == bad.id:
                raise Broken
            return record(feeds, feed_id, reason)

        with patch.object(owner, "_record_unknown", run), mute_logger(*LOGS):
            self.run_jobs("_job_dispatch")
        self.assertEqual((bad.state, first.state), ("sending", "sending"))
        self.assertEqual((good.state, second.state), ("unknown", "unknown"))
        self.assertTrue(bad.set_aside_at)
        self.assertFalse(good.set_aside_at)
        self.assertEqual(self.last_action().state, "submitted")

    def test_feed_that_cannot_be_followed_keeps_no_other_feed(self):
        (first, second), (bad, good) = self.two_abandoned()
        (bad | good).state = "submitted"
        owner = type(bad)
        follow = owner._follow_chunk

        def run(feeds, feed_id):
            if feed_id == bad.id:
                raise Broken
            return follow(feeds, feed_id)

        with patch.object(owner, "_follow_chunk", run), mute_logger(*LOGS):
            self.run_jobs("_job_dispatch")
        self.assertEqual((first.state, second.state), ("sending", "submitted"))
        self.assertTrue(bad.set_aside_at)
        self.run_jobs("_job_dispatch")
        self.assertEqual(first.state, "sending", "it is left alone")

    def test_job_of_a_feed_that_raises_sets_it_aside_instead_of_failing(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        feed = action.feed_id
        with patch.object(type(feed), "_settle", side_effect=Broken):
            with mute_logger(*LOGS):
                self.assertFalse(self.run_jobs("_job_poll"))
        self.assertTrue(feed.set_aside_at)
        self.assertEqual((feed.state, action.state), ("submitted", "submitted"))
        self.assertIn("may have", action.feed_set_aside_message)
        panel = self.panel_of(action.order_id, self.agent)
        self.assertIn("may have it", panel["actions"][0]["message"])
        self.env["amazon.watch"].with_company(self.company)._watch(self.account)
        self.assertFalse(self.pending_jobs("_job_poll"), "the watch leaves it alone")
        feed.sudo()._try_again()
        self.settle()
        self.assertEqual(action.state, "confirmed")

    # === trying again === #

    def set_aside(self):
        actions = self.ask_three()
        with self.broken("amazon.action.kind.refund", "_build_message", actions[1]):
            self.settle(4)
        self.assertTrue(actions[1].set_aside_at)
        return actions[1]

    def test_administrator_has_it_tried_again_and_it_is_sent_once(self):
        action = self.set_aside()
        entries = len(self.journal(action))
        admin = self.admin
        admin.write({"group_ids": [(4, self.env.ref(SALES).id)]})
        action.with_user(admin).action_try_again()
        self.assertFalse(action.set_aside_at)
        self.assertEqual(self.journal(action)[entries:], [("queued", "queued")])
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_agent_cannot_have_it_tried_again(self):
        action = self.set_aside()
        with self.assertRaises(AccessError):
            action.with_user(self.agent).action_try_again()
        with self.assertRaises(AccessError):
            action.with_user(self.agent).sudo().action_try_again()
        self.assertTrue(action.set_aside_at)

    def test_agent_reads_the_sentence_and_no_traceback(self):
        action = self.set_aside().with_user(self.agent)
        self.assertIn("Nothing is sent", action.set_aside_message)
        with self.assertRaises(AccessError):
            action.read(["set_aside_trace"])
        panel = self.panel_of(action.order_id)
        messages = {row["id"]: row["message"] for row in panel["actions"]}
        self.assertIn("Nothing is sent", messages[action.id])

    def test_alarm_tells_and_tries_all_of_its_account_again(self):
        action = self.set_aside()
        alarms = self.env["amazon.alarm"].with_company(self.company)
        checks = self.env["amazon.check.aside"]
        alarms._report("set_aside", checks._find_set_aside(self.account))
        alarm = alarms.search([("kind", "=", "set_aside"), ("state", "=", "open")])
        self.assertIn(action.name, alarm.message)
        with self.assertRaises(AccessError):
            alarm.with_user(self.agent).action_try_again()
        alarm.with_user(self.admin).action_try_again()
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_what_is_set_aside_can_be_withdrawn(self):
        action = self.set_aside()
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertFalse(action.set_aside_at)

    def test_what_may_have_left_is_not_sent_again_by_trying_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action._set_sending()
        feed = self.create_feed(action)
        feed.write({"state": "unknown", "handed_at": fields.Datetime.now()})
        action._set_aside(Broken())
        feed._set_aside(Broken())
        (action.sudo())._try_again()
        feed.sudo()._try_again()
        self.settle(4)
        self.assertEqual(action.state, "unknown")
        self.assertFalse(self.simulator.ledger()["refunds"])

    # === calls === #

    def test_call_that_fails_before_it_leaves_comes_back_by_itself(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        actions = type(action)
        with (
            patch.object(actions, "_call_with", side_effect=Broken),
            mute_logger(*LOGS),
        ):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertTrue(action.set_aside_until)
        action.set_aside_until -= timedelta(hours=1)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")

    # === traces === #

    def test_trace_has_places_and_no_words(self):
        trace = ""
        try:
            try:
                raise ValueError("Jane Doe, Main Street")
            except ValueError as error:
                raise Broken("token-123") from error
        except Broken as error:
            trace = trace_of(error)
        self.assertIn("test_containment.py", trace)
        self.assertIn("builtins.ValueError", trace)
        self.assertIn("Broken", trace)
        self.assertNotIn("Jane", trace)
        self.assertNotIn("token", trace)
