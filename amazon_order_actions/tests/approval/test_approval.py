from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, LockError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tests.common import HttpCase, JsonRpcException, new_test_user
from odoo.tools import mute_logger

from ..common import FBA_SHIPPED, GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

HOUR = timedelta(hours=1)
RELAY = "k3x9@marketplace.amazon.de"
SET_ASIDE = "odoo.addons.amazon_order_actions.models.base.containment"


class ApprovalCommon(AmazonOrderCommon):
    """A company in which refunds and cancellations above a limit need a second
    person."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # that of the orders: no limit depends on a rate
        cls.company.currency_id = cls.env.ref("base.EUR")
        cls.approver = cls._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )
        cls.second_approver = cls._create_user(
            "amazon_approver_2", "amazon_order_actions.group_approve"
        )
        for right in ("refund", "cancel", "message"):
            cls._limit(right)

    @classmethod
    def _limit(cls, right, amount=20):
        return cls.env["amazon.authority"].create(
            {
                "company_id": cls.company.id,
                "right": right,
                "group_id": cls.env.ref(f"amazon_order_actions.group_{right}").id,
                "limit_action": amount,
            }
        )

    def by(self, user, record=None):
        """Return the action (or another record) as a user has it."""
        record = self.action if record is None else record
        return record.with_user(user).with_context(
            allowed_company_ids=user.company_ids.ids
        )

    @property
    def approval(self):
        """What was asked of a second person about the action, the last time."""
        return self.action.approval_id

    def deciding(self, user):
        """Return it as a user has it."""
        return self.by(user, self.approval)

    def waiting(self, ref=SHIPPED, **values):
        """Ask for a refund above the limit, from a sale order."""
        self.sale_order = self.create_sale_order(ref, **values)
        self.action = self.ask_refund(self.sale_order)
        self.assertEqual(self.action.state, "to_approve")
        return self.action

    def cancellation(self):
        """Ask for a cancellation above the limit, from a sale order."""
        kinds = type(self.env["amazon.action.kind.cancel"])
        product = self.env["product.product"].create({"name": "Lamp", "type": "consu"})
        sale_order = self.create_sale_order(UNSHIPPED)
        sale_order.order_line = [Command.create({"product_id": product.id})]
        sale_order.action_confirm()
        with patch.object(kinds, "_authority_amount", lambda *args: 99.0):
            self.action = self.ask_cancel(sale_order)
        self.assertEqual(self.action.state, "to_approve")
        return sale_order

    def delegate(self, lender, delegate, **values):
        now = fields.Datetime.now()
        return (
            self.env["amazon.delegation"]
            .with_user(lender)
            .create(
                {
                    "user_id": lender.id,
                    "delegate_id": delegate.id,
                    "company_id": self.company.id,
                    "date_from": now - HOUR,
                    "date_to": now + HOUR,
                    **values,
                }
            )
        )

    def entries(self, event):
        return (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("event", "=", event), ("company_id", "=", self.company.id)])
        )

    def activities(self):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", "amazon.approval"),
                ("res_id", "in", self.action.approval_ids.ids),
            ]
        )

    def notified(self, user):
        """Return the messages that a user was sent, the newest first."""
        return self.env["mail.message"].search(
            [
                ("message_type", "=", "user_notification"),
                ("notified_partner_ids", "in", user.partner_id.ids),
            ]
        )

    def refunds(self):
        return self.simulator.ledger()["refunds"]

    def run_cron(self):
        self.env.flush_all()
        self.env["amazon.approval"]._cron_approvals()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestApproval(ApprovalCommon):
    """What a second person decides on, and who that may be."""

    # === ASKING === #

    def test_what_waits_is_not_sent_and_keeps_its_money(self):
        action = self.waiting()
        self.assertFalse(self.pending_jobs("_job_dispatch"))
        self.settle()
        self.assertEqual(action.state, "to_approve")
        self.assertFalse(self.refunds())
        order = action.order_id
        self.assertEqual(order.reserved, action.amount)
        self.assertEqual(order.refundable, 0)

    def test_sentence_says_who_asks_what_until_when_and_why(self):
        action = self.waiting()
        self.assertIn("amazon_agent", action.state_message)
        self.assertIn("44.94", action.state_message)
        self.assertIn("Nothing is sent to Amazon yet", action.state_message)
        until = self.approval.expires_at.strftime("%Y-%m-%d %H:%M")
        self.assertIn(f"by {until} UTC", action.state_message)
        self.assertIn(self.approval.why, action.state_message)
        self.assertIn(action.state_message, self.notes(self.sale_order)[0])

    def test_what_is_within_the_limit_needs_nobody(self):
        sale_order = self.create_sale_order(SHIPPED)
        sku = sale_order.amazon_order_id.line_ids.sku
        action = self.ask_refund(sale_order, amounts={sku: 5})
        self.assertEqual(action.state, "queued")
        self.assertFalse(action.approval_ids)

    # === APPROVING === #

    def test_approved_refund_is_executed_once(self):
        action = self.waiting()
        self.deciding(self.approver).action_approve()
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.approval.decided_by_id, self.approver)
        self.assertIn("amazon_approver", action.state_message)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual([row["amount"] for row in self.refunds()], ["44.94"])
        moves = [move for move in self.journal(action) if move[0] == "to_approve"]
        self.assertEqual(moves, [("to_approve", "queued")] * 2)
        decided = self.entries("decided")
        self.assertEqual(decided.user_id, self.approver)
        self.assertEqual(decided.action_id, action)

    def test_approval_that_cannot_be_recorded_changes_nothing(self):
        action = self.waiting()
        with (
            patch.object(type(action), "_move", side_effect=ZeroDivisionError),
            mute_logger(SET_ASIDE),
            self.assertRaises(UserError) as caught,
        ):
            self.deciding(self.approver).action_approve()
        self.assertIn("could not be recorded", str(caught.exception))
        self.assertEqual(action.state, "to_approve")
        self.assertFalse(self.approval.decided_at)
        self.assertFalse(action.set_aside_at)
        self.assertFalse(self.entries("decided"))

    def test_approval_is_harmless_when_it_is_lost(self):
        """The row decides what is sent; the watch finds what has no job."""
        action = self.waiting()
        self.deciding(self.approver).action_approve()
        self.pending_jobs().unlink()
        action.due_at -= HOUR
        action.last_state_change -= HOUR
        with mute_logger("odoo.addons.amazon_order_actions.models.watch.watch"):
            self.env["amazon.watch"]._cron_watch()
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.refunds()), 1)

    def test_approved_action_can_be_taken_back_in_a_time_of_its_own(self):
        self.set_undo("refund", 60)
        action = self.waiting()
        action.asked_at -= 5 * HOUR
        action.due_at -= 5 * HOUR
        self.deciding(self.approver).action_approve()
        left = (action.due_at - fields.Datetime.now()).total_seconds()
        self.assertTrue(50 < left <= 60, left)
        self.by(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.settle()
        self.assertFalse(self.refunds())

    def test_order_must_be_known_as_of_after_the_approval(self):
        """What Amazon said between the click and the approval is too old."""
        action = self.waiting()
        action.asked_at -= 2 * HOUR
        now = fields.Datetime.now()
        action.order_id.complete_at = now - timedelta(minutes=1)
        action.order_id.invalidate_recordset(["known_until"])
        self.assertTrue(action._is_verified())
        self.deciding(self.approver).action_approve()
        self.assertFalse(action._is_verified())
        self.refund_elsewhere(
            SHIPPED, action.order_id.line_ids.amazon_item_ref, "39.95"
        )
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertEqual(len(self.refunds()), 1)

    def test_approving_again_is_harmless_for_the_one_who_did(self):
        action = self.waiting()
        self.deciding(self.approver).action_approve()
        self.deciding(self.approver).action_approve()
        self.assertEqual(len(self.entries("decided")), 1)
        self.assertEqual(len(self.pending_jobs("_job_dispatch")), 1)
        self.assertEqual(action.state, "queued")

    def test_second_approver_is_told_that_it_is_decided(self):
        self.waiting()
        self.deciding(self.approver).action_approve()
        for call in (
            self.deciding(self.second_approver).action_approve,
            lambda: self.deciding(self.second_approver).action_refuse("Too late"),
            self.deciding(self.second_approver).action_decide,
        ):
            with self.assertRaisesRegex(UserError, "amazon_approver .*approved it"):
                call()
        self.assertEqual(self.approval.decided_by_id, self.approver)

    def test_of_two_decisions_at_once_one_counts(self):
        """The other one decides after the first was let in, before it has the order:
        what a transaction sees that is run again."""
        action = self.waiting()
        orders = type(action.order_id)
        take, others = orders._take, [self.second_approver]

        def slow(order):
            if others:
                self.deciding(others.pop()).action_refuse("The buyer keeps it")
            return take(order)

        with (
            patch.object(orders, "_take", slow),
            self.assertRaisesRegex(UserError, "amazon_approver_2.* refused it"),
        ):
            self.deciding(self.approver).action_approve()
        # the savepoint of the assertion has taken back what the first one saw
        self.assertFalse(self.refunds())

    def test_decision_waits_for_whoever_changes_the_action(self):
        self.waiting()
        locked = "You do not have"
        actions = type(self.action)
        with (
            patch.object(actions, "lock_for_update", side_effect=LockError(locked)),
            self.assertRaisesRegex(UserError, "at this moment"),
        ):
            self.deciding(self.approver).action_approve()

    def test_what_is_not_possible_any_more_is_not_approved(self):
        action = self.waiting()
        self.refund_elsewhere(
            SHIPPED, action.order_id.line_ids.amazon_item_ref, "39.95"
        )
        action.order_id._read_from_amazon()
        with self.assertRaisesRegex(UserError, "more than was paid"):
            self.deciding(self.approver).action_approve()
        self.assertEqual(action.state, "to_approve")
        self.deciding(self.approver).action_refuse("Refunded in Seller Central")
        self.assertEqual(action.state, "refused")

    def test_many_are_not_approved_at_once(self):
        actions = self.waiting() | self.waiting(GIFT_WRAPPED)
        for call in (
            self.by(self.approver, actions.approval_ids).action_approve,
            lambda: self.by(self.approver, actions.approval_ids).action_refuse("No"),
            self.by(self.approver, actions.approval_ids).action_decide,
            self.by(self.approver, actions).action_decide_approval,
        ):
            with self.assertRaisesRegex(UserError, "one action at a time"):
                call()
        self.assertEqual(set(actions.mapped("state")), {"to_approve"})

    # === REFUSING === #

    def test_refusal_frees_the_money_and_tells_the_asker_why(self):
        action = self.waiting()
        self.deciding(self.approver).action_refuse("  The buyer keeps it.  ")
        self.assertEqual(action.state, "refused")
        self.assertEqual(self.approval.decided_by_id, self.approver)
        self.assertEqual(self.approval.refusal_reason, "The buyer keeps it.")
        self.assertEqual(action.order_id.reserved, 0)
        self.settle()
        self.assertFalse(self.refunds())
        self.assertIn("The buyer keeps it.", self.notes(self.sale_order)[0])
        told = self.notified(self.agent)
        self.assertEqual(
            (told.model, told.res_id), (self.sale_order._name, self.sale_order.id)
        )
        self.assertIn("The buyer keeps it.", told.body)
        self.assertIn("The buyer keeps it.", self.entries("decided").message)
        # and it can be asked for again
        self.assertEqual(self.ask_refund(self.sale_order).state, "to_approve")

    def test_refusal_needs_a_reason_of_a_certain_length(self):
        action = self.waiting()
        for reason in (False, "", "  ", "x" * 501, ["No"]):
            with self.subTest(reason=reason), self.assertRaises(UserError):
                self.deciding(self.approver).action_refuse(reason)
        self.assertEqual(action.state, "to_approve")
        self.deciding(self.approver).action_refuse("x" * 500)
        self.deciding(self.approver).action_refuse("again")
        self.assertEqual(self.approval.refusal_reason, "x" * 500)
        self.assertEqual(len(self.entries("decided")), 1)

    def test_refused_action_is_never_approved(self):
        self.waiting()
        self.deciding(self.approver).action_refuse("No")
        with self.assertRaisesRegex(UserError, "refused it"):
            self.deciding(self.second_approver).action_approve()

    def test_refusal_that_cannot_be_recorded_changes_nothing(self):
        action = self.waiting()
        with (
            patch.object(type(action), "_move", side_effect=ZeroDivisionError),
            mute_logger(SET_ASIDE),
            self.assertRaises(UserError) as caught,
        ):
            self.deciding(self.approver).action_refuse("No")
        self.assertIn("could not be recorded", str(caught.exception))
        self.assertEqual((action.state, self.approval.state), ("to_approve", "waiting"))
        self.assertFalse(self.entries("decided"))

    # === ON RECORD === #

    def test_decision_stays_on_record(self):
        self.waiting()
        self.deciding(self.approver).action_refuse("No")
        with self.assertRaises(UserError):
            self.approval.sudo().unlink()
        for user in (self.approver, self.admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.deciding(user).unlink()

    def test_action_never_waits_for_two_decisions_at_once(self):
        action = self.waiting()
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self.let_wait(action)
            self.env.flush_all()

    def test_what_is_blocked_while_it_waits_needs_no_decision_any_more(self):
        action = self.waiting()
        action._set_blocked("This is a copy.")
        self.assertEqual(self.approval.state, "over")
        self.assertFalse(self.activities())
        with self.assertRaisesRegex(UserError, "does not wait .* This is a copy"):
            self.deciding(self.approver).action_approve()

    # === WITHDRAWING === #

    def test_asker_takes_back_what_waits(self):
        action = self.waiting()
        self.by(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertEqual(self.approval.state, "withdrawn")
        self.assertEqual(action.order_id.reserved, 0)
        self.assertFalse(self.activities())
        with self.assertRaisesRegex(UserError, "was withdrawn"):
            self.deciding(self.approver).action_approve()
        with self.assertRaisesRegex(UserError, "was withdrawn"):
            self.deciding(self.approver).action_refuse("No")

    # === WHO === #

    def both_calls(self, user):
        approval = self.deciding(user)
        return {
            "approve": approval.action_approve,
            "refuse": lambda: approval.action_refuse("No"),
            "open": approval.action_decide,
            "open from the action": self.by(user).action_decide_approval,
            "sudo": approval.sudo().action_approve,
            "dialog": lambda: approval.env["amazon.approval.decision"].create(
                {"approval_id": approval.id}
            ),
            "dialog, not saved": lambda: (
                approval.env["amazon.approval.decision"]
                .new({"approval_id": approval.id})
                .buyer_sentence
            ),
        }

    def assert_refused(self, user, sentence=None):
        for name, call in self.both_calls(user).items():
            with (
                self.subTest(user=user.login, call=name),
                self.assertRaisesRegex(AccessError, sentence or ""),
            ):
                call()
        self.assertEqual(self.action.state, "to_approve")

    def test_nobody_approves_what_was_asked_by_oneself(self):
        self.agent.group_ids = [
            Command.link(self.env.ref("amazon_order_actions.group_approve").id)
        ]
        self.waiting()
        self.assert_refused(self.agent, "yourself")
        self.assertFalse(self.deciding(self.agent).can_approve)
        self.assertNotIn(self.agent, self.approval._approvers())

    def test_who_may_not_approve_is_refused(self):
        self.waiting()
        for user in (self.trainee, self.auditor, self.admin):
            self.assert_refused(user)
            if user != self.admin:
                self.assertFalse(self.deciding(user).can_approve)

    def test_who_lost_the_right_is_refused(self):
        self.waiting()
        self.approver.group_ids = [
            Command.unlink(self.env.ref("amazon_order_actions.group_approve").id)
        ]
        self.assert_refused(self.approver)

    def test_approver_of_another_company_is_refused(self):
        elsewhere = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="amazon_stranger",
            groups="base.group_user,amazon_order_actions.group_approve",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        self.waiting()
        self.assert_refused(stranger)
        self.assertNotIn(stranger, self.approval._approvers())
        with self.assertRaisesRegex(AccessError, "Nordlicht Test"):
            self.deciding(stranger).sudo().action_approve()

    def test_portal_user_is_refused(self):
        self.waiting()
        portal = new_test_user(
            self.env,
            login="amazon_portal",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assert_refused(portal)

    def test_superuser_is_no_second_person(self):
        self.waiting()
        with self.assertRaises(AccessError):
            self.approval.sudo().action_approve()
        self.assertEqual(self.action.state, "to_approve")

    def test_state_cannot_be_written_by_the_approver(self):
        self.waiting()
        with self.assertRaises(AccessError):
            self.by(self.approver).write({"state": "queued"})
        for user in (self.approver, self.trainee, self.admin):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.deciding(user).write({"state": "approved"})
        with self.assertRaises(AccessError):
            self.deciding(self.trainee).message_post(body="Approved!")

    # === TIME === #

    def test_what_nobody_decides_on_expires_and_is_told(self):
        action = self.waiting()
        self.approval.expires_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual((action.state, self.approval.state), ("expired", "expired"))
        self.assertEqual(action.order_id.reserved, 0)
        self.assertFalse(self.activities())
        self.assertIn("expired", self.notes(self.sale_order)[0])
        self.assertIn("expired", self.notified(self.agent).body)
        with self.assertRaisesRegex(UserError, "does not wait"):
            self.deciding(self.approver).action_approve()
        self.settle()
        self.assertFalse(self.refunds())

    def test_too_late_is_too_late_before_the_cron_comes(self):
        action = self.waiting()
        self.approval.expires_at = fields.Datetime.now()
        for call in (
            self.deciding(self.approver).action_approve,
            lambda: self.deciding(self.approver).action_refuse("No"),
        ):
            with self.assertRaisesRegex(UserError, "has expired"):
                call()
        self.assertEqual(action.state, "to_approve")

    def test_time_is_the_accounts(self):
        self.account.approval_hours = 3
        action = self.waiting()
        self.assertEqual(self.approval.expires_at, action.asked_at + 3 * HOUR)
        self.assertEqual(self.approval.remind_at, action.asked_at + 1.5 * HOUR)

    def test_cron_leaves_what_has_time(self):
        action = self.waiting()
        self.run_cron()
        self.assertEqual(action.state, "to_approve")
        self.assertEqual(len(self.notified(self.approver)), 1)

    def test_approvers_are_reminded_once(self):
        self.waiting()
        self.approval.remind_at = fields.Datetime.now()
        self.activities().filtered(
            lambda activity: activity.user_id == self.approver
        ).unlink()
        for _turn in range(2):
            self.run_cron()
        messages = self.notified(self.approver)
        self.assertEqual(len(messages), 2)
        self.assertIn("Still waits", messages[0].subject)
        self.assertEqual(
            self.activities().user_id, self.approver | self.second_approver
        )
        self.assertEqual(len(self.activities()), 2)

    # === WHAT APPROVERS SEE === #

    def test_approvers_are_told_and_the_asker_is_not(self):
        self.waiting()
        self.assertEqual(
            self.activities().user_id, self.approver | self.second_approver
        )
        message = self.notified(self.approver)
        self.assertEqual(
            (message.model, message.res_id), ("amazon.approval", self.approval.id)
        )
        for text in ("44.94", SHIPPED):
            self.assertIn(text, message.subject)
        self.assertIn("amazon_agent", message.body)
        self.assertFalse(self.notified(self.agent))
        self.deciding(self.approver).action_approve()
        self.assertFalse(self.activities())
        self.assertIn("approved it", self.notified(self.agent).body)

    def test_mail_names_no_buyer_and_its_link_needs_a_login(self):
        self.approver.notification_type = "email"
        buyer = self.env["res.partner"].create(
            {"name": "Bea Buyer", "email": RELAY, "street": "Seestr. 1"}
        )
        self.waiting(partner_id=buyer.id, note="<p>Bea Buyer wants her money</p>")
        mail = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.approver.partner_id.ids)]
        )
        self.assertEqual(len(mail), 1)
        for text in ("Bea", RELAY, "Seestr", "wants her money"):
            self.assertNotIn(text, f"{mail.subject} {mail.body_html}")
        self.assertIn("/mail/view?model=amazon.approval", mail.body_html)
        self.assertIn("Look at It", mail.body_html)
        self.assertIn("decides nothing", mail.body_html)

    def test_approver_opens_the_activity_and_sees_the_whole_picture(self):
        """Without any right on sale orders."""
        self.waiting(GIFT_WRAPPED)
        with self.assertRaises(AccessError):
            self.by(self.approver, self.sale_order).read(["name"])
        window = self.deciding(self.approver).action_decide()
        decision = self.by(
            self.approver, self.env[window["res_model"]].browse(window["res_id"])
        )
        self.action.sudo().note = "She sent a photo."
        decision.invalidate_recordset()
        with Form(decision) as form:
            self.assertEqual(form.amount, self.action.amount)
            self.assertEqual(form.note, "She sent a photo.")
            self.assertEqual(form.origin, self.sale_order.name)
            self.assertEqual(form.fulfillment_status, "SHIPPED")
            self.assertEqual(len(form.line_ids), len(self.action.line_ids))
            self.assertEqual(len(form.item_ids), 2)
            self.assertFalse(form.obstacles)
            form.refusal_reason = "Not without the parcel back"
        shown = decision.web_read(
            {"item_ids": {"fields": {"charged": {}, "reserved": {}, "refundable": {}}}}
        )[0]["item_ids"]
        self.assertEqual(sum(item["refundable"] for item in shown), 0)
        self.assertTrue(all(item["reserved"] for item in shown))
        decision.action_refuse()
        self.assertEqual(self.action.state, "refused")

    def test_dialog_approves(self):
        self.waiting()
        window = self.deciding(self.approver).action_decide()
        decision = self.by(
            self.approver, self.env[window["res_model"]].browse(window["res_id"])
        )
        decision.action_approve()
        decision.action_approve()
        self.assertEqual(self.action.state, "queued")

    def test_dialog_tells_where_the_asker_has_lost_the_right(self):
        self.waiting()
        window = self.deciding(self.approver).action_decide()
        decision = self.env[window["res_model"]].browse(window["res_id"])
        decision = self.by(self.approver, decision)
        self.assertFalse(decision.warnings)
        self.agent.active = False
        decision.invalidate_recordset()
        self.assertIn("has left", decision.warnings)

    def test_dialog_tells_of_a_stop_and_what_is_approved_waits(self):
        self.waiting()
        self.stop(self.account, "Audit")
        window = self.deciding(self.approver).action_decide()
        decision = self.env[window["res_model"]].browse(window["res_id"])
        decision = self.by(self.approver, decision)
        self.assertIn("until an administrator resumes", decision.warnings)
        decision.action_approve()
        self.settle(rounds=3)
        self.assertEqual(self.action.state, "queued")
        self.assertFalse(self.refunds())

    def test_activity_that_is_marked_as_done_decides_nothing(self):
        self.waiting()
        activities = self.by(self.approver, self.activities())
        activities.filtered(
            lambda activity: activity.user_id == self.approver
        ).action_feedback("Seen")
        self.assertEqual(self.activities().user_id, self.second_approver)
        self.assertEqual(self.action.state, "to_approve")

    def test_asking_many_approvers_stays_cheap(self):
        for number in range(10):
            self._create_user(
                f"approver_{number}", "amazon_order_actions.group_approve"
            )
        self.env.flush_all()
        with self.assertQueryCount(__system__=400):
            self.waiting()

    def test_dialog_without_an_action_shows_nothing(self):
        decision = self.env["amazon.approval.decision"].with_user(self.trainee).new()
        self.assertFalse(decision.buyer_sentence)
        self.assertFalse(decision.obstacles)

    def test_dialog_of_another_person_is_not_readable(self):
        self.waiting()
        window = self.deciding(self.approver).action_decide()
        decision = self.env[window["res_model"]].browse(window["res_id"])
        with self.assertRaises(AccessError):
            self.by(self.second_approver, decision).read(["buyer_sentence"])

    def test_dialog_names_what_is_in_the_way(self):
        self.waiting()
        self.refund_elsewhere(
            SHIPPED, self.action.order_id.line_ids.amazon_item_ref, "39.95"
        )
        window = self.deciding(self.approver).action_decide()
        self.action.order_id._read_from_amazon()
        decision = self.by(
            self.approver, self.env[window["res_model"]].browse(window["res_id"])
        )
        self.assertIn("more than was paid", decision.obstacles)
        self.assertEqual(len(decision.refund_ids), 1)

    def test_where_nobody_may_approve_the_administrators_are_told(self):
        (self.approver | self.second_approver).active = False
        self.waiting()
        self.assertIn("Nobody but the person who asked", self.notes(self.sale_order)[0])
        self.assertIn("Nobody may approve", self.notified(self.admin).subject)

    def test_failing_mail_does_not_undo_the_asking(self):
        approvals = type(self.env["amazon.approval"])
        logger = "odoo.addons.amazon_order_actions.models.action.action"
        with (
            mute_logger(logger),
            patch.object(approvals, "message_notify", side_effect=ValueError("mail")),
        ):
            self.waiting()
        self.assertIn("could not be told", self.notes(self.sale_order)[0])

    # === EARLIER REFUNDS OF THE BUYER === #

    def buyer_of(self, **values):
        self.waiting(GIFT_WRAPPED, **values)
        return self.env["amazon.buyer.history"]._of(self.action.order_id)

    def refunded_before(self, **values):
        """A sale order of another order, of which 10.00 was refunded."""
        sale_order = self.create_sale_order(SHIPPED, **values)
        sku = sale_order.amazon_order_id.line_ids.sku
        self.ask_refund(sale_order, amounts={sku: 10})
        self.settle()
        return sale_order

    def test_earlier_refunds_are_found_by_the_contact(self):
        buyer = self.env["res.partner"].create({"name": "A buyer"})
        self.refunded_before(partner_id=buyer.id)
        refunds, sentence = self.buyer_of(partner_id=buyer.id)
        self.assertEqual(refunds.order_id.amazon_order_ref, SHIPPED)
        self.assertEqual(sum(refunds.mapped("amount")), 10)
        self.assertIn("refunds: 1, orders: 1", sentence)

    def test_contact_of_very_many_orders_is_no_buyer(self):
        buyer = self.env["res.partner"].create({"name": "Amazon"})
        self.refunded_before(partner_id=buyer.id)
        path = "odoo.addons.amazon_order_actions.models.document.buyer"
        with patch(f"{path}.BUYER_ORDERS", 0):
            refunds, sentence = self.buyer_of(partner_id=buyer.id)
        self.assertFalse(refunds)
        self.assertIn("cannot be told apart", sentence)

    def test_buyers_of_another_company_are_not_told(self):
        buyer = self.env["res.partner"].create({"name": "A buyer"})
        sale_order = self.refunded_before(partner_id=buyer.id)
        elsewhere = self._create_company(name="Elsewhere")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order SET company_id = %s WHERE id = %s",
            [elsewhere.id, sale_order.id],
        )
        self.env.invalidate_all()
        refunds, sentence = self.buyer_of(partner_id=buyer.id)
        self.assertFalse(refunds)
        self.assertIn("known here: 0", sentence)

    def test_old_refunds_of_the_buyer_do_not_count(self):
        buyer = self.env["res.partner"].create({"name": "A buyer"})
        self.refunded_before(partner_id=buyer.id)
        self.env["amazon.order.refund"].search([]).posted_at -= timedelta(days=366)
        refunds, sentence = self.buyer_of(partner_id=buyer.id)
        self.assertFalse(refunds)
        self.assertIn("No refund to this buyer", sentence)

    # === THE PANEL === #

    def panel_action(self, user):
        panel = self.by(user, self.sale_order).amazon_order_panel
        return panel["order"]["actions"][0]

    def test_panel_offers_each_what_he_or_she_may(self):
        self.waiting()
        asker = self.panel_action(self.agent)
        self.assertEqual((asker["can_withdraw"], asker["can_approve"]), (True, False))
        self.assertEqual(
            asker["approval_until"],
            fields.Datetime.to_string(self.approval.expires_at),
        )
        self.approver.group_ids = [
            Command.link(self.env.ref("sales_team.group_sale_salesman_all_leads").id)
        ]
        second = self.panel_action(self.approver)
        self.assertEqual((second["can_withdraw"], second["can_approve"]), (False, True))
        other = self.panel_action(self.trainee)
        self.assertEqual((other["can_withdraw"], other["can_approve"]), (False, False))

    # === WHAT FOLLOWS === #

    def test_second_cancellation_is_blocked_while_one_waits(self):
        self.cancellation()
        order = self.action.order_id
        blockers = self.env["amazon.action.kind.cancel"]._blockers(order)
        self.assertIn(self.action.name, blockers[0])

    def test_recorded_refund_of_fba_needs_no_approval(self):
        """It is done already, by the person who records it."""
        sale_order = self.create_sale_order(FBA_SHIPPED)
        action = self.ask_refund(sale_order, note="Refunded today")
        self.assertEqual(action.state, "assisted")

    def test_reply_is_dropped_when_it_is_refused(self):
        action = self.waiting()
        self.env["amazon.reply"]._ask_for(
            action, {"awaited_state": "submitted", "lang": "de"}
        )
        self.assertEqual(action.reply_ids.state, "waiting")
        self.assertEqual(self.env["amazon.reply"]._stage_of(action), "none")
        self.assertFalse(self.pending_jobs("_job_reply"))
        self.deciding(self.approver).action_refuse("No")
        self.assertEqual(action.reply_ids.state, "dropped")

    def test_form_of_a_sale_order_costs_nothing_more_where_nothing_waits(self):
        sale_order = self.create_sale_order(SHIPPED)
        approvals = type(self.env["amazon.approval"])
        with patch.object(approvals, "_whose_right") as asked:
            self.assertTrue(self.by(self.agent, sale_order).amazon_order_panel["order"])
        asked.assert_not_called()


@tagged("post_install", "-at_install")
class TestDelegation(ApprovalCommon):
    """Who decides while an approver is away."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.lead = cls._create_user(
            "team_lead", "sales_team.group_sale_salesman_all_leads"
        )

    def assert_refused(self, user):
        with self.assertRaises(AccessError):
            self.deciding(user).action_approve()
        self.assertFalse(self.deciding(user).can_approve)
        self.assertEqual(self.action.state, "to_approve")

    def test_delegate_decides_in_the_place_of_the_approver(self):
        self.delegate(self.approver, self.lead)
        action = self.waiting()
        self.assertTrue(self.deciding(self.lead).can_approve)
        self.assertIn(self.lead, self.activities().user_id)
        self.deciding(self.lead).action_approve()
        self.assertEqual(self.approval.decided_by_id, self.lead)
        self.assertEqual(self.approval.lender_id, self.approver)
        self.assertRegex(
            action.state_message, "team_lead .*standing in for amazon_approver"
        )
        self.assertIn("standing in for", self.entries("decided").message)

    def test_delegate_refuses_in_the_place_of_the_approver(self):
        self.delegate(self.approver, self.lead)
        self.waiting()
        self.deciding(self.lead).action_refuse("No")
        self.assertEqual(self.approval.lender_id, self.approver)

    def test_without_delegation_there_is_no_right(self):
        self.waiting()
        self.assert_refused(self.lead)

    def test_delegation_counts_in_its_time_alone(self):
        now = fields.Datetime.now()
        self.delegate(self.approver, self.lead, date_to=now - timedelta(minutes=1))
        self.delegate(
            self.approver, self.lead, date_from=now + HOUR, date_to=now + 2 * HOUR
        )
        self.waiting()
        self.assert_refused(self.lead)

    def test_ended_delegation_gives_nothing(self):
        delegation = self.delegate(self.approver, self.lead)
        self.waiting()
        self.by(self.approver, delegation).action_end()
        self.assertEqual(delegation.state, "over")
        self.assert_refused(self.lead)

    def test_delegate_does_not_decide_on_own_requests(self):
        self.delegate(self.approver, self.agent)
        self.waiting()
        self.assert_refused(self.agent)

    def test_delegate_does_not_decide_on_what_the_away_one_asked(self):
        self.agent.group_ids = [
            Command.link(self.env.ref("amazon_order_actions.group_approve").id)
        ]
        self.delegate(self.agent, self.lead)
        self.waiting()
        self.assert_refused(self.lead)

    def test_what_is_lent_is_not_lent_on(self):
        third = self._create_user("third", "sales_team.group_sale_salesman_all_leads")
        self.delegate(self.approver, self.lead)
        with self.assertRaises(AccessError):
            self.delegate(self.lead, third)
        with self.assertRaisesRegex(ValidationError, "may not approve"):
            self.delegate(self.admin, third, user_id=self.lead.id)
        self.waiting()
        self.assert_refused(third)

    def test_delegation_of_who_lost_the_right_gives_nothing(self):
        self.delegate(self.approver, self.lead)
        self.waiting()
        self.approver.group_ids = [
            Command.unlink(self.env.ref("amazon_order_actions.group_approve").id)
        ]
        self.assert_refused(self.lead)

    def test_delegation_of_who_left_gives_nothing(self):
        self.delegate(self.approver, self.lead)
        self.waiting()
        self.approver.active = False
        self.assert_refused(self.lead)

    def test_delegation_is_of_one_company(self):
        elsewhere = self._create_company(name="Elsewhere")
        people = self.approver | self.lead
        people.company_ids = [Command.link(elsewhere.id)]
        self.env["amazon.delegation"].with_context(
            allowed_company_ids=elsewhere.ids
        ).create(
            {
                "user_id": self.approver.id,
                "delegate_id": self.lead.id,
                "company_id": elsewhere.id,
                "date_to": fields.Datetime.now() + HOUR,
            }
        )
        self.waiting()
        self.assert_refused(self.lead)

    def test_overlapping_delegations_are_no_harm(self):
        for _turn in range(2):
            self.delegate(self.approver, self.lead)
        self.delegate(self.second_approver, self.lead)
        self.waiting()
        self.deciding(self.lead).action_approve()
        self.assertEqual(self.action.state, "queued")

    def test_approver_delegates_only_own_right_and_administrator_any(self):
        with self.assertRaises(AccessError):
            self.delegate(self.approver, self.lead, user_id=self.second_approver.id)
        with self.assertRaises(AccessError):
            self.env["amazon.delegation"].with_user(self.lead).sudo().create(
                {
                    "user_id": self.approver.id,
                    "delegate_id": self.lead.id,
                    "company_id": self.company.id,
                    "date_to": fields.Datetime.now() + HOUR,
                }
            )
        delegation = self.delegate(self.admin, self.lead, user_id=self.approver.id)
        self.assertEqual(delegation.user_id, self.approver)

    def test_delegation_is_changed_by_its_owner_alone(self):
        delegation = self.delegate(self.approver, self.lead)
        later = fields.Datetime.now() + 5 * HOUR
        for user in (self.lead, self.second_approver):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.by(user, delegation).write({"date_to": later})
        self.by(self.approver, delegation).write({"date_to": later})
        with self.assertRaises(UserError):
            self.by(self.approver, delegation).write({"delegate_id": self.agent.id})
        with self.assertRaises(AccessError):
            self.by(self.admin, delegation).unlink()
        with self.assertRaises(UserError):
            delegation.sudo().unlink()

    def test_delegations_are_seen_by_whom_they_concern(self):
        delegation = self.delegate(self.approver, self.lead)
        delegations = self.env["amazon.delegation"]
        for user in (self.approver, self.lead, self.admin, self.auditor):
            self.assertEqual(self.by(user, delegations).search([]), delegation)
        for user in (self.second_approver, self.agent):
            self.assertFalse(self.by(user, delegations).search([]))

    def test_delegation_is_journaled(self):
        delegation = self.delegate(self.approver, self.lead, note="Holiday")
        self.by(self.approver, delegation).action_end()
        ended, made = self.entries("authority")[:2]
        self.assertEqual(made.user_id, self.approver)
        self.assertFalse(made.value_before)
        self.assertRegex(made.value_after, "team_lead .*stands in for amazon_approver")
        self.assertEqual(ended.value_before, made.value_after)
        self.assertNotEqual(ended.value_after, made.value_after)
        self.assertNotIn("Holiday", made.value_after)

    def test_only_colleagues_who_see_amazon_orders_stand_in(self):
        portal = new_test_user(
            self.env,
            login="amazon_portal",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        elsewhere = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="amazon_stranger",
            groups="base.group_user,amazon_order_actions.group_approve",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        blind = self._create_user("blind")
        for user in (portal, stranger, blind, self.approver):
            with self.subTest(user=user.login), self.assertRaises(ValidationError):
                self.delegate(self.approver, user)

    def test_dialog_says_for_whom(self):
        self.delegate(self.approver, self.lead)
        self.waiting()
        window = self.deciding(self.lead).action_decide()
        decision = self.by(
            self.lead, self.env[window["res_model"]].browse(window["res_id"])
        )
        self.assertIn("amazon_approver", decision.standing_in_for)


@tagged("post_install", "-at_install")
class TestApprovalOverHttp(ApprovalCommon, HttpCase):
    """What reaches the server from outside."""

    def call(self, method, *args):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/amazon.approval/{method}",
            {"model": "amazon.approval", "method": method, "args": args, "kwargs": {}},
        )

    def test_rpc_refuses_who_asked_and_who_may_not(self):
        self.waiting()
        for user in (self.agent, self.trainee, self.auditor):
            self.authenticate(user.login, user.login)
            for method, args in (
                ("action_approve", ()),
                ("action_refuse", ("No",)),
                ("action_decide", ()),
            ):
                with (
                    self.subTest(user=user.login, method=method),
                    self.assertRaisesRegex(JsonRpcException, "AccessError"),
                ):
                    self.call(method, self.approval.ids, *args)
        self.assertEqual(self.action.state, "to_approve")

    def test_rpc_lets_the_approver_decide(self):
        self.waiting()
        self.authenticate(self.approver.login, self.approver.login)
        self.call("action_approve", self.approval.ids)
        self.env.invalidate_all()
        self.assertEqual(self.action.state, "queued")

    def test_link_of_the_mail_decides_nothing(self):
        self.waiting()
        link = f"/mail/view?model=amazon.approval&res_id={self.approval.id}"
        answer = self.url_open(link, allow_redirects=False)
        self.assertIn("/web/login", answer.headers["Location"])
        self.authenticate(self.approver.login, self.approver.login)
        answer = self.url_open(link, allow_redirects=False)
        self.assertIn("amazon.approval", answer.headers["Location"])
        self.env.invalidate_all()
        self.assertEqual(self.action.state, "to_approve")
