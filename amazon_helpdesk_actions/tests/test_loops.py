from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..spapi.enums import FEED_REFUND
from .common import (
    GIFT_WRAPPED,
    PARTIALLY_SHIPPED,
    SHIPPED,
    AmazonCommon,
)

MODELS = "odoo.addons.amazon_helpdesk_actions.models"
READING = f"{MODELS}.amazon_order_reading"


class LoopsCommon(AmazonCommon):
    """What the tests of contained failures share."""

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
        self.env.ref("amazon_helpdesk_actions.ir_cron_watch").method_direct_trigger()
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
        """Return a ticket about an order whose marketplace is not among ours."""
        ticket = self.create_ticket(ref)
        ticket.amazon_order_id.marketplace = False
        return ticket

    def queue_without_marketplace(self, ticket, ask):
        """Have an action queued as before the marketplace was asked for."""
        action = ask(ticket)
        for table, record in (
            ("amazon_order", action.order_id),
            ("amazon_action", action),
        ):
            self.corrupt(table, record.id, marketplace=None)
        self.pending_jobs("_job_dispatch").unlink()
        action._enqueue_dispatch()
        return action

    def test_units_of_a_partly_shipped_order_are_refused_in_the_dialog(self):
        ticket = self.unlisted(PARTIALLY_SHIPPED)
        request = self.open_request(ticket, "cancel")
        request.scope = "items"
        self.assertIn("marketplace that is not supported", request.blockers)
        self.assertIn("Seller Central", request.blockers)

    def test_units_of_a_partly_shipped_order_are_refused_at_the_click(self):
        ticket = self.create_ticket(PARTIALLY_SHIPPED)
        sku = ticket.amazon_order_id.line_ids.filtered("quantity_cancellable")[:1].sku
        ticket.amazon_order_id.marketplace = False
        with self.assertRaisesRegex(UserError, "marketplace that is not supported"):
            self.ask_cancel_items(ticket, {sku: 1})

    def test_every_kind_that_goes_by_feed_is_refused_at_the_click(self):
        """Whatever the kind itself looks at, also one that is new."""
        ticket = self.unlisted(SHIPPED).with_user(self.agent)
        order = ticket._get_amazon_order().sudo(False)
        handlers = [
            self.env[f"amazon.action.kind.{kind}"]
            for kind, _label in self.env["amazon.action"]._fields["kind"].selection
        ]
        by_feed = [handler for handler in handlers if handler._feed_type]
        self.assertGreaterEqual(len(by_feed), 4)
        for handler in by_feed:
            with self.subTest(handler._name), ExitStack() as stack:
                for name, answer in (
                    ("_check_right", None),
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
                    self.env["amazon.action"].with_user(self.agent)._ask(
                        handler._name.removeprefix("amazon.action.kind."),
                        order,
                        handler._name,
                        ticket,
                        "Other",
                    )

    def test_what_waits_already_leaves_the_queue_and_holds_up_nobody(self):
        ticket = self.create_ticket(PARTIALLY_SHIPPED)
        sku = ticket.amazon_order_id.line_ids.filtered("quantity_cancellable")[:1].sku
        action = self.queue_without_marketplace(
            ticket, lambda t: self.ask_cancel_items(t, {sku: 1})
        )
        with patch.object(type(ticket.amazon_order_id), "_is_newer_than", lambda *_: 1):
            # or else the reading before the sending names the marketplace again
            self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("marketplace", action.state_message)

    def test_what_waits_already_is_blocked_also_where_amazon_names_it_by_now(self):
        action = self.queue_without_marketplace(
            self.create_ticket(SHIPPED), self.ask_refund
        )
        other = self.ask_refund(self.create_ticket(GIFT_WRAPPED))
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("Ask for it again", action.state_message)
        self.assertEqual(other.state, "confirmed")
        self.ask_refund(action.ticket_id)
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
        actions = self.ask_refund(self.create_ticket(SHIPPED))
        actions |= self.ask_refund(self.create_ticket(GIFT_WRAPPED))
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
        action = self.ask_refund(self.create_ticket(SHIPPED))
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
        self.create_ticket(SHIPPED)
        with self.assertRaisesRegex(UserError, "Nordlicht Test"):
            self.account.company_id = self.elsewhere
        # the same one again is no move
        self.account.company_id = self.company

    def test_account_with_actions_does_not_whoever_asks(self):
        self.ask_refund(self.create_ticket(SHIPPED))
        self.admin.company_ids += self.elsewhere
        account = self.account.with_user(self.admin).with_context(
            allowed_company_ids=self.elsewhere.ids
        )
        with self.assertRaisesRegex(UserError, self.account.name):
            account.sudo().write({"company_id": self.elsewhere.id})

    def test_one_of_several_that_has_orders_keeps_all(self):
        other = self._create_account(name="Other", seller_id="A9OTHER")
        self.create_ticket(SHIPPED)
        with self.assertRaises(UserError):
            (other | self.account).write({"company_id": self.elsewhere.id})

    def test_order_of_an_account_that_was_moved_is_not_read_with_its_secrets(self):
        order = self.create_ticket(SHIPPED).amazon_order_id
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
        order = self.create_ticket(SHIPPED).amazon_order_id
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
        order = self.create_ticket(SHIPPED).amazon_order_id
        with self.raising_for(order, "_ask_client", READING):
            answers = order._read_from_amazon()
        self.assertFalse(answers.is_complete())
        self.assertEqual(order.read_state, "failed")

    def test_one_action_that_cannot_be_confirmed_keeps_the_reading_and_the_others(self):
        ticket = self.create_ticket(GIFT_WRAPPED)
        skus = ticket.amazon_order_id.line_ids.mapped("sku")
        broken = self.ask_refund(ticket, amounts={skus[0]: 1})
        sound = self.ask_refund(ticket, amounts={skus[1]: 2})
        self.simulator.change(finance_delay_seconds=0)
        self.run_jobs("_job_dispatch")
        kind = type(self.env["amazon.action.kind.refund"])
        original = kind._is_confirmed

        def fail(this, action):
            if action == broken:
                raise ValueError("put in by a test")
            return original(this, action)

        with patch.object(kind, "_is_confirmed", fail), mute_logger(READING):
            ticket.amazon_order_id._read_from_amazon()
        self.assertEqual(ticket.amazon_order_id.read_state, "read")
        self.assertEqual((broken.state, sound.state), ("submitted", "confirmed"))
        ticket.amazon_order_id._read_from_amazon()
        self.assertEqual(broken.state, "confirmed")

    def test_order_that_cannot_be_recorded_holds_up_no_other_of_the_lane(self):
        actions = self.ask_refund(self.create_ticket(SHIPPED))
        actions |= self.ask_refund(self.create_ticket(GIFT_WRAPPED))
        broken = actions[0].order_id
        with self.raising_for(broken, "_record_finances", READING):
            self.run_jobs("_job_dispatch")
        self.assertEqual(actions.mapped("state"), ["queued", "submitted"])
        self.assertIn("administrator", actions[0].state_message)
        self.assertTrue(self.pending_jobs("_job_dispatch"), "it is tried again")
        self.assertEqual(actions[1].feed_id.feed_type, FEED_REFUND)
