from dataclasses import replace
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.account.reasons import CANCEL_ITEMS_REASONS
from ...models.action.reservation import ActionRequest
from ...spapi import enums
from ...spapi.envelopes import order_adjustment
from ..common import (
    CANCEL_REQUESTED,
    FBA_UNSHIPPED,
    PARTIALLY_SHIPPED,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
    AmazonOrderCommon,
)

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
LAMP, BULBS = "NW-LEUCHTE-TISCH-01", "NW-LED-E27-3ER"
HOOKS = "NW-HAKEN-MESSING-4"
KNIFE = "NW-COUTEAU-OFFICE"


@tagged("post_install", "-at_install")
class TestCancelItems(AmazonOrderCommon):
    """Cancelling single items or units, from the dialog to Amazon's order."""

    def cut(self):
        """Return what the simulator has really cut: (item, units, reason)."""
        return [
            (row["order_item_id"], row["quantity"], row["reason"])
            for row in self.simulator.ledger()["quantity_cancellations"]
        ]

    def line(self, order, sku):
        return order.line_ids.filtered(lambda line: line.sku == sku)

    def item(self, line):
        """Return an item as Amazon shows it now."""
        with self.account._client() as client:
            order = line.order_id._ask_client(client)
        return next(
            item for item in order.lines if item.order_item_id == line.amazon_item_ref
        )

    # === ALLOWED === #

    def test_units_are_cancelled_once_and_confirmed_by_the_order(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_cancel_items(sale_order, {BULBS: 1})
        line = self.line(action.order_id, BULBS)
        self.assertEqual(self.units_to_cancel(line), (1, 1))
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.cut(), [(line.amazon_item_ref, 1, "NoInventory")])
        self.assertEqual(line.quantity_open, 1)
        self.assertEqual(line.quantity_cancelled, 1)
        self.assertEqual(self.units_to_cancel(line), (1, 0))
        self.assertEqual(action.order_id.fulfillment_status, "UNSHIPPED")
        self.assertEqual(action.feed_id.feed_type, enums.FEED_REFUND)
        self.assertIn("1 × LED-Leuchtmittel", action.state_message)

    def test_units_that_are_told_as_shipped_cannot_be_cancelled_as_well(self):
        self.set_undo("ship", 600)
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_ship(sale_order, units={LAMP: 1, BULBS: 1})
        with self.assertRaisesRegex(UserError, "at most 1 can still be cancelled"):
            self.ask_cancel_items(sale_order, {BULBS: 2})
        self.ask_cancel_items(sale_order, {BULBS: 1})

    def test_whole_item_is_cancelled_and_the_other_stays(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {LAMP: 1})
        self.settle()
        self.assertEqual(action.state, "confirmed")
        lamp, bulbs = action.order_id.line_ids
        self.assertEqual((lamp.quantity_open, bulbs.quantity_open), (0, 2))
        self.assertEqual(lamp.cancelled_by, "MERCHANT")

    def test_rest_of_an_order_that_is_shipped_in_part_is_cancelled(self):
        sale_order = self.create_sale_order(PARTIALLY_SHIPPED)
        request = self.open_request(sale_order, "cancel")
        self.assertEqual(request.scope, "items")
        self.assertEqual(request.line_ids.mapped("sku"), [KNIFE])
        action = self.ask_cancel_items(sale_order, {KNIFE: 1})
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.fulfillment_status, "SHIPPED")

    def test_it_leaves_before_ordinary_refunds(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.assertTrue(action._is_urgent())

    def test_it_shares_an_envelope_with_a_refund(self):
        refund = self.ask_refund(self.create_sale_order(SHIPPED))
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.settle()
        self.assertEqual(refund.feed_id, action.feed_id)
        self.assertEqual((refund.state, action.state), ("confirmed", "confirmed"))

    # === SOMEBODY ELSE HAS DONE IT === #

    def cut_elsewhere(self, action):
        """Cancel the same units past Odoo."""
        message = action._kind()._build_message(action)
        self._send_elsewhere(
            enums.FEED_REFUND,
            order_adjustment(self.account.seller_id, [replace(message, message_id=1)]),
        )

    def test_units_that_were_cut_since_the_click_go_to_a_person(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.cut_elsewhere(action)
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        self.assertEqual(len(self.cut()), 1)
        action.order_id._read_from_amazon()
        self.assertEqual((action.state, action.needs_person), ("unknown", True))
        action.with_user(self.agent)._decide_absent("They want one more cancelled.")
        self.settle()
        self.assertEqual((action.state, len(self.cut())), ("confirmed", 2))

    def test_person_who_says_that_it_is_the_same_ends_it(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.cut_elsewhere(action)
        self.run_jobs("_job_dispatch")
        action.with_user(self.agent)._decide_executed("It is the same.")
        action.order_id._read_from_amazon()
        self.assertEqual((action.state, len(self.cut())), ("confirmed", 1))

    def test_units_that_were_cut_before_the_click_hold_nothing(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        first = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.settle()
        second = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.settle()
        self.assertEqual((first.state, second.state), ("confirmed", "confirmed"))
        self.assertEqual(len(self.cut()), 2)

    def test_units_that_were_cut_before_the_click_do_not_keep_it_from_approval(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        first = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.cut_elsewhere(first)
        first.with_user(self.agent).action_withdraw()
        sale_order.amazon_order_id._read_from_amazon()
        action = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.let_wait(action)
        action._kind()._note_state(action)
        self.assertFalse(action.approval_id._blocker())
        self.cut_elsewhere(action)
        sale_order.amazon_order_id._read_from_amazon()
        self.assertIn("may be the same", action.approval_id._blocker())

    def test_units_that_show_late_are_not_cut_again(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.cut_elsewhere(action)
        action.write({"first_sending_at": action.asked_at})
        self.run_jobs("_job_dispatch")
        self.assertEqual((action.state, len(self.cut())), ("unknown", 1))
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")

    # === THE SAME UNITS ONLY ONCE === #

    def test_units_that_are_asked_for_cannot_be_asked_for_again(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        self.ask_cancel_items(sale_order, {HOOKS: 2})
        with self.assertRaisesRegex(UserError, "at most 1 can still be cancelled"):
            self.ask_cancel_items(sale_order, {HOOKS: 2})

    def test_two_cancellations_of_one_item_are_each_confirmed_by_their_own_units(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        first = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.settle()
        second = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.assertEqual(second.line_ids.quantity_before, 0)
        second.order_id._let_follow()
        self.assertEqual((first.state, second.state), ("confirmed", "queued"))
        self.settle()
        self.assertEqual(second.state, "confirmed")
        self.assertEqual(sum(units for _item, units, _reason in self.cut()), 2)

    def test_what_was_cancelled_elsewhere_is_no_evidence(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        order = sale_order.amazon_order_id
        # as if Seller Central had taken one unit off before
        order.line_ids.write({"quantity_at_first": 4, "quantity_cancelled": 1})
        action = self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.assertEqual(action.line_ids.quantity_before, 1)
        action._set_sending()
        action._set_submitted()
        order._let_follow()
        self.assertEqual(action.state, "submitted")

    def test_amazon_may_keep_what_was_ordered_and_only_want_less(self):
        action = self.ask_cancel_items(self.create_sale_order(THREE_UNITS), {HOOKS: 1})
        action._set_sending()
        action._set_submitted()
        line = action.order_id.line_ids
        item = replace(self.item(line), quantity_ordered=3, quantity_unfulfilled=2)
        action.order_id._record_items([item])
        action.order_id._let_follow()
        self.assertEqual(action.state, "confirmed")

    def test_one_dialog_asks_once(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        request = self.open_request(sale_order, "cancel")
        request.write({"scope": "items"})
        request.line_ids.quantity = 1
        request.action_cancel_order()
        request.action_cancel_order()
        self.assertEqual(len(sale_order.amazon_action_ids), 1)

    # === BLOCKED === #

    def test_all_units_are_the_whole_order(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with self.assertRaisesRegex(UserError, "Choose the whole order instead"):
            self.ask_cancel_items(sale_order, {LAMP: 1, BULBS: 2})

    def test_last_units_after_others_are_the_whole_order(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_cancel_items(sale_order, {LAMP: 1})
        with self.assertRaisesRegex(UserError, "Choose the whole order instead"):
            self.ask_cancel_items(sale_order, {BULBS: 2})

    def test_no_units_are_asked_for(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with self.assertRaisesRegex(UserError, "how many units"):
            self.ask_cancel_items(sale_order, {})
        with self.assertRaisesRegex(UserError, "how many units"):
            self.ask_cancel_items(sale_order, {BULBS: -1})

    def test_more_units_than_ordered_are_refused(self):
        with self.assertRaisesRegex(UserError, "at most 2"):
            self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 3})

    def test_reason_is_needed(self):
        with self.assertRaisesRegex(UserError, "Choose the reason"):
            self.ask_cancel_items(
                self.create_sale_order(UNSHIPPED), {BULBS: 1}, items_reason=False
            )

    def test_shipped_order_says_refund_instead(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "cancel")
        request.scope = "items"
        self.assertIn("Refund it instead", request.blockers)
        self.assertTrue(request.can_refund)
        dialog = request.action_refund_instead()
        self.assertEqual(dialog["res_model"], "amazon.refund.request")

    def test_order_that_amazon_ships_is_cancelled_only_as_a_whole(self):
        request = self.open_request(self.create_sale_order(FBA_UNSHIPPED), "cancel")
        self.assertFalse(request.can_choose_scope)
        request.scope = "items"
        self.assertIn("Choose the whole order instead", request.blockers)

    def test_whole_order_that_is_asked_for_blocks_its_items(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        whole = self.ask_cancel(sale_order)
        with self.assertRaisesRegex(UserError, whole.name):
            self.ask_cancel_items(sale_order, {BULBS: 1})

    def test_items_on_their_way_block_the_whole_order_until_they_are_through(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        part = self.ask_cancel_items(sale_order, {BULBS: 1})
        with self.assertRaisesRegex(UserError, part.name):
            self.ask_cancel(sale_order)
        self.settle()
        whole = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual((part.state, whole.state), ("confirmed", "confirmed"))

    def test_units_that_are_shipped_meanwhile_block_it(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        self.simulator.happen(UNSHIPPED, "ship")
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("shipped", action.state_message)
        self.assertEqual(self.cut(), [])

    def test_units_that_are_cancelled_elsewhere_meanwhile_block_it(self):
        action = self.ask_cancel_items(self.create_sale_order(THREE_UNITS), {HOOKS: 2})
        action.order_id.line_ids.quantity_open = 1
        self.assertIn("only 1 of", action._kind()._late_blocker(action))

    def test_item_of_another_order_is_refused(self):
        other = self.create_sale_order(THREE_UNITS).amazon_order_id.line_ids
        request = self.open_request(self.create_sale_order(UNSHIPPED), "cancel")
        with self.assertRaises(ValidationError):
            request.line_ids[0].order_line_id = other
        with self.assertRaisesRegex(UserError, "another order"):
            self.env["amazon.action.kind.cancel_items"]._check_quantities(
                request.order_id.sudo(), {other.sudo(): 1}
            )

    # === REJECTED, UNKNOWN, UNDONE === #

    def test_rejected_units_can_be_asked_for_again(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        first = self.ask_cancel_items(sale_order, {HOOKS: 2})
        self.simulator.fault("report_error", order_id=THREE_UNITS, code="1", text="No")
        self.settle()
        self.assertEqual(first.state, "rejected")
        self.assertEqual(self.units_to_cancel(first.order_id.line_ids)[0], 3)
        second = self.ask_cancel_items(sale_order, {HOOKS: 2})
        self.settle()
        self.assertEqual(second.state, "confirmed")

    def test_unknown_units_stay_reserved_and_are_confirmed_by_the_order(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        action = self.ask_cancel_items(sale_order, {HOOKS: 2})
        self.simulator.fault("cut_after", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.units_to_cancel(action.order_id.line_ids)[0], 1)
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")
        self.settle()
        self.assertEqual(len(self.cut()), 1)

    def test_order_that_shows_nothing_disproves_nothing(self):
        action = self.ask_cancel_items(self.create_sale_order(THREE_UNITS), {HOOKS: 2})
        self.simulator.fault("report_gone")
        self.settle(rounds=3)
        action.feed_id.done_at -= timedelta(days=2)
        action.order_id.complete_at = fields.Datetime.now()
        self.assertFalse(action._kind()._disproof(action))

    def test_withdrawn_units_are_free_again(self):
        action = self.ask_cancel_items(self.create_sale_order(THREE_UNITS), {HOOKS: 2})
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertEqual(self.units_to_cancel(action.order_id.line_ids)[0], 3)
        self.settle()
        self.assertEqual(self.cut(), [])

    # === REASONS === #

    def test_reasons_are_amazons_and_those_that_fit_come_first(self):
        codes = [code for code, _label in CANCEL_ITEMS_REASONS]
        self.assertEqual(set(codes), set(enums.ADJUSTMENT_REASONS))
        self.assertEqual(codes[:2], ["CustomerCancel", "NoInventory"])

    def test_official_request_preselects_reason_and_units(self):
        request = self.open_request(self.create_sale_order(THREE_UNITS), "cancel")
        self.assertEqual(request.scope, "order")
        self.assertEqual(request.reason, "BuyerCanceled")
        self.assertEqual(request.items_reason, "CustomerCancel")
        self.assertEqual(request.line_ids.quantity, 3)

    def test_official_request_of_one_of_two_items_preselects_that_item(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        order = sale_order.amazon_order_id
        self.line(order, BULBS).cancel_requested = True
        order.cancel_requested = True
        request = self.open_request(sale_order, "cancel")
        self.assertEqual(request.scope, "items")
        self.assertEqual(request.line_ids.mapped("quantity"), [0, 2])

    def test_default_reason_is_the_accounts_where_the_buyer_asked_for_nothing(self):
        self.account.with_user(self.admin).write(
            {"cancel_reason": "NoInventory", "cancel_items_reason": "CouldNotShip"}
        )
        request = self.open_request(self.create_sale_order(UNSHIPPED), "cancel")
        self.assertEqual(request.reason, "NoInventory")
        self.assertEqual(request.items_reason, "CouldNotShip")
        request = self.open_request(self.create_sale_order(CANCEL_REQUESTED), "cancel")
        self.assertEqual(request.reason, "BuyerCanceled")

    def test_default_reason_is_set_by_administrators_only(self):
        with self.assertRaises(AccessError):
            self.account.with_user(self.agent).cancel_reason = "NoInventory"

    # === WHO DID IT === #

    def test_confirmation_says_who_else_cancelled(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        action._set_sending()
        action._set_submitted()
        self.simulator.happen(UNSHIPPED, "cancel", by="BUYER", reason="Mistake")
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")
        self.assertIn("says that the buyer did it", action.state_message)

    def test_confirmation_names_the_seller(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertIn("as cancelled by the seller", action.state_message)

    def test_confirmed_units_say_who_else_cancelled(self):
        action = self.ask_cancel_items(self.create_sale_order(UNSHIPPED), {BULBS: 1})
        action._set_sending()
        action._set_submitted()
        self.simulator.happen(UNSHIPPED, "cancel", by="AMAZON", reason="Other")
        action.order_id._read_from_amazon()
        self.assertIn("Amazon itself did it", action.state_message)

    # === THE OFFICIAL WAY === #

    def test_reply_is_offered_only_where_it_exists_and_the_buyer_did_not_ask(self):
        request = self.open_request(self.create_sale_order(UNSHIPPED), "cancel")
        self.assertEqual(request.can_reply, "amazon.reply.request" in self.env)
        request = self.open_request(self.create_sale_order(CANCEL_REQUESTED), "cancel")
        self.assertFalse(request.can_reply)

    # === RIGHTS AND COMPANIES === #

    def test_user_without_the_right_is_refused(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with self.assertRaisesRegex(AccessError, "administrator can grant"):
            self.open_request(sale_order, "cancel", self.trainee)
        with self.assertRaisesRegex(AccessError, "administrator can grant"):
            self.reserve_on(
                sale_order.amazon_order_id.with_user(self.trainee),
                ActionRequest(
                    "cancel_items",
                    sale_order,
                    "x",
                    "NoInventory",
                    quantities={sale_order.amazon_order_id.line_ids[0]: 1},
                ),
            )

    def test_user_of_another_company_is_refused(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        company = self._create_company(name="Strangers")
        stranger = self._create_user(
            "stranger_items",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_cancel",
        )
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "cancel", stranger)
        order = sale_order.amazon_order_id.with_user(stranger).with_context(
            allowed_company_ids=company.ids
        )
        with self.assertRaises(AccessError):
            self.reserve_on(
                order,
                ActionRequest(
                    "cancel_items", sale_order.with_env(order.env), "x", "Other"
                ),
            )
