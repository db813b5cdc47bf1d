from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.amazon_order_actions.tests.common import (
    FBA_UNSHIPPED,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
    AmazonOrderCommon,
)

ACTION = "odoo.addons.amazon_order_actions.models.action.action"
FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"
BULBS, HOOKS = "NW-LED-E27-3ER", "NW-HAKEN-MESSING-4"


@tagged("post_install", "-at_install")
class TestWarehouse(AmazonOrderCommon):
    """What a cancellation at Amazon does to deliveries and sale orders in Odoo."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env["product.product"].create(
            {"name": "Lamp", "type": "consu", "is_storable": False}
        )
        cls.worker = cls._create_user("stock_worker", "stock.group_stock_user")
        cls.salesperson = cls._create_user(
            "salesperson", "sales_team.group_sale_salesman_all_leads"
        )

    def create_delivery(self, ref=UNSHIPPED, quantity=2, confirm=True):
        """Create a sale order of an Amazon order with an open delivery."""
        sale_order = self.create_sale_order(ref)
        sale_order.write(
            {
                "user_id": self.salesperson.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": self.product.id,
                            "product_uom_qty": quantity,
                        }
                    )
                ],
            }
        )
        if confirm:
            sale_order.action_confirm()
        return sale_order

    def ship(self, picking, user=None):
        picking = picking.with_user(user or self.worker)
        picking.move_ids.quantity = picking.move_ids.product_uom_qty
        picking.move_ids.picked = True
        return picking.with_context(skip_backorder=True).button_validate()

    def assert_held(self, picking, action):
        self.assertTrue(picking.amazon_is_held)
        with self.assertRaisesRegex(UserError, f"on hold.*{action.name}"):
            self.ship(picking)
        self.assertNotEqual(picking.state, "done")

    # === ON THE CLICK === #

    def test_click_puts_the_deliveries_on_hold_with_a_mark_and_a_note(self):
        sale_order = self.create_delivery()
        picking = sale_order.picking_ids
        other = self.create_sale_order(UNSHIPPED)
        action = self.ask_cancel(other)
        self.assert_held(picking, action)
        self.assertIn(action.name, picking.amazon_hold_message)
        self.assertIn("Do not ship it", self.notes(picking)[0])
        self.assertIn(picking.name, self.notes(other)[0])
        found = picking.with_user(self.worker).search([("amazon_is_held", "=", True)])
        self.assertEqual(found, picking)
        rest = picking.with_user(self.worker).search([("amazon_is_held", "=", False)])
        self.assertNotIn(picking, rest)

    def test_delivery_on_hold_is_not_done_by_itself_either(self):
        picking = self.create_delivery().picking_ids
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        with self.assertRaisesRegex(UserError, action.name):
            picking._action_done()
        with self.assertRaisesRegex(UserError, action.name):
            picking.move_ids._action_done()

    def test_other_deliveries_are_not_touched(self):
        other = self.create_delivery(THREE_UNITS).picking_ids
        self.create_delivery()
        self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.ship(other)
        self.assertEqual(other.state, "done")

    def test_delivery_that_is_made_later_is_on_hold_from_the_start(self):
        sale_order = self.create_delivery(confirm=False)
        action = self.ask_cancel(sale_order)
        sale_order.action_confirm()
        self.assert_held(sale_order.picking_ids, action)

    def test_sale_order_that_is_linked_later_is_on_hold(self):
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        sale_order = self.create_delivery(ref=False)
        self.assertFalse(sale_order.picking_ids.amazon_is_held)
        sale_order.amazon_order_ref = UNSHIPPED
        self.assert_held(sale_order.picking_ids, action)

    def test_order_that_amazon_ships_holds_nothing(self):
        picking = self.create_delivery(FBA_UNSHIPPED).picking_ids
        self.ask_cancel(self.create_sale_order(FBA_UNSHIPPED), note="Case 1234")
        self.assertFalse(picking.amazon_is_held)

    def test_hold_that_fails_is_told_and_does_not_stop_the_cancellation(self):
        picking = self.create_delivery().picking_ids
        other = self.create_sale_order(UNSHIPPED)

        def fail(*args):
            raise RuntimeError("No")

        self.patch(type(picking), "_change_holds", fail)
        with mute_logger(ACTION):
            action = self.ask_cancel(other)
        self.assertEqual(action.state, "queued")
        self.assertIn("could not be put on hold", self.notes(other)[0])

    # === BY THE OUTCOME === #

    def test_confirmed_cancellation_cancels_delivery_and_sale_order(self):
        sale_order = self.create_delivery()
        picking = sale_order.picking_ids
        action = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual((sale_order.state, picking.state), ("cancel", "cancel"))
        self.assertFalse(picking.amazon_is_held)
        self.assertIn("Cancelled in Odoo, too", self.notes(picking)[0])
        self.assertFalse(sale_order.activity_ids)

    def test_accepted_cancellation_cancels_before_the_order_shows_it(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action._set_sending()
        action._set_submitted()
        self.run_jobs("_job_follow_in_odoo")
        self.assertEqual(sale_order.state, "sale")
        action._set_accepted()
        self.run_jobs("_job_follow_in_odoo")
        self.assertEqual(sale_order.state, "cancel")

    def test_quotation_is_cancelled_too(self):
        sale_order = self.create_delivery(confirm=False)
        self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(sale_order.state, "cancel")

    def test_account_may_only_have_the_salesperson_told(self):
        self.account.cancel_in_odoo = "tell"
        sale_order = self.create_delivery()
        picking = sale_order.picking_ids
        action = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        activity = sale_order.activity_ids
        self.assertEqual(len(activity), 1)
        self.assertEqual(activity.user_id, self.salesperson)
        self.assertIn(UNSHIPPED, activity.note)
        self.assert_held(picking, action)

    def test_locked_sale_order_is_left_to_the_salesperson(self):
        sale_order = self.create_delivery()
        sale_order.action_lock()
        self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        self.assertIn("locked", sale_order.activity_ids.note)
        self.assertTrue(sale_order.picking_ids.amazon_is_held)

    def test_follow_up_that_fails_is_told_and_the_hold_stays(self):
        sale_order = self.create_delivery()

        def fail(*args):
            raise RuntimeError("No")

        self.patch(type(sale_order), "action_cancel", fail)
        action = self.ask_cancel(sale_order)
        with mute_logger(ACTION):
            self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(sale_order.state, "sale")
        self.assertTrue(sale_order.picking_ids.amazon_is_held)
        self.assertTrue(
            any("could not follow" in note for note in self.notes(sale_order))
        )

    def test_rejected_cancellation_lets_the_delivery_go(self):
        sale_order = self.create_delivery()
        picking = sale_order.picking_ids
        action = self.ask_cancel(sale_order)
        self.simulator.fault("report_error", order_id=UNSHIPPED, code="1", text="No")
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertFalse(picking.amazon_is_held)
        self.assertIn("Not on hold any more", self.notes(picking)[0])
        self.ship(picking)
        self.assertEqual(picking.state, "done")

    def test_withdrawn_cancellation_lets_the_delivery_go(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action.with_user(self.agent).action_withdraw()
        self.assertFalse(sale_order.picking_ids.amazon_is_held)

    def test_blocked_cancellation_lets_the_delivery_go(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action._set_blocked("No.")
        self.assertFalse(sale_order.picking_ids.amazon_is_held)

    def test_unknown_cancellation_keeps_the_hold(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        self.simulator.fault("cut_before", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.assertEqual(action.state, "unknown")
        self.assert_held(sale_order.picking_ids, action)

    def test_unknown_cancellation_that_a_person_saw_done_cancels_it(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action._set_sending()
        action._set_unknown("?")
        action._set_assisted("Seen in Seller Central.")
        self.run_jobs("_job_follow_in_odoo")
        self.assertEqual(sale_order.state, "cancel")

    def test_acceptance_that_comes_after_a_rejection_stops_it_again(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action._set_sending()
        action._set_submitted()
        action._set_rejected("1", "No")
        self.assertFalse(sale_order.picking_ids.amazon_is_held)
        action._set_accepted()
        self.run_jobs("_job_follow_in_odoo")
        self.assertEqual(sale_order.picking_ids.state, "cancel")

    def test_call_that_goes_by_feed_instead_keeps_the_hold(self):
        self.account.cancel_by_rest = True
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        self.run_jobs("_job_call")
        self.assertEqual((action.state, bool(action.feed_type)), ("queued", True))
        self.assert_held(sale_order.picking_ids, action)

    def test_order_that_somebody_else_cancelled_does_not_go(self):
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        self.simulator.happen(UNSHIPPED, "cancel", by="BUYER", reason="Mistake")
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertEqual(sale_order.state, "cancel")

    def test_hold_of_another_cancellation_stays(self):
        sale_order = self.create_delivery(THREE_UNITS)
        picking = sale_order.picking_ids
        first = self.ask_cancel_items(sale_order, {HOOKS: 1})
        second = self.ask_cancel_items(sale_order, {HOOKS: 1})
        first.with_user(self.agent).action_withdraw()
        self.assert_held(picking, second)

    # === SINGLE ITEMS === #

    def test_cancelled_units_are_told_and_the_delivery_is_released_by_hand(self):
        sale_order = self.create_delivery(THREE_UNITS, quantity=3)
        picking = sale_order.picking_ids
        action = self.ask_cancel_items(sale_order, {HOOKS: 1})
        with self.assertRaisesRegex(UserError, "not known yet"):
            picking.with_user(self.worker).action_amazon_release()
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(sale_order.state, "sale")
        self.assertIn("1 × Wandhaken", sale_order.activity_ids.note)
        self.assert_held(picking, action)
        self.assertTrue(picking.amazon_may_release)
        sale_order.order_line.product_uom_qty = 2
        picking.with_user(self.worker).action_amazon_release()
        self.assertFalse(picking.amazon_is_held)
        self.ship(picking)
        self.assertEqual(picking.state, "done")

    def test_title_with_a_link_is_a_text_in_what_the_salesperson_is_told(self):
        sale_order = self.create_delivery(THREE_UNITS, quantity=3)
        action = self.ask_cancel_items(sale_order, {HOOKS: 1})
        link = '<a href="https://evil.example">Hooks</a>'
        action.line_ids.order_line_id.title = link
        action._set_sending()
        action._set_accepted()
        self.run_jobs("_job_follow_in_odoo")
        self.assertIn("evil.example", sale_order.activity_ids.note)
        for html in (
            sale_order.activity_ids.note,
            *sale_order.message_ids.mapped("body"),
        ):
            self.assertNotIn('<a href="https://evil', html)

    def test_delivery_of_a_cancelled_order_is_not_released(self):
        self.account.cancel_in_odoo = "tell"
        sale_order = self.create_delivery()
        self.ask_cancel(sale_order)
        self.settle()
        picking = sale_order.picking_ids
        self.assertFalse(picking.amazon_may_release)
        with self.assertRaisesRegex(UserError, "does not pay"):
            picking.with_user(self.worker).action_amazon_release()
        picking.with_user(self.worker).action_cancel()
        self.assertFalse(picking.amazon_is_held)

    def test_delivery_is_not_released_before_the_order_had_time_to_show_it(self):
        self.account.cancel_in_odoo = "tell"
        sale_order = self.create_delivery()
        action = self.ask_cancel(sale_order)
        action._set_sending()
        action._set_submitted()
        action._set_accepted()
        picking = sale_order.picking_ids.with_user(self.worker)
        self.assertFalse(picking.amazon_may_release)
        with self.assertRaisesRegex(UserError, "does not show it yet"):
            picking.action_amazon_release()
        action.accepted_at -= timedelta(hours=1)
        picking.action_amazon_release()
        self.assertFalse(picking.amazon_is_held)

    def test_release_needs_the_right_to_change_the_delivery(self):
        sale_order = self.create_delivery(THREE_UNITS)
        self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.settle()
        with self.assertRaises(AccessError):
            sale_order.picking_ids.with_user(self.trainee).action_amazon_release()

    # === WHAT HAS LEFT === #

    def test_delivery_that_is_done_turns_it_into_a_refund(self):
        sale_order = self.create_delivery()
        self.ship(sale_order.picking_ids)
        request = self.open_request(sale_order, "cancel")
        self.assertIn("have left already: 2 × Lamp", request.blockers)
        self.assertTrue(request.can_refund)
        with self.assertRaisesRegex(UserError, "have left already"):
            self.ask_cancel(sale_order)
        refund = request.action_refund_instead()
        self.assertEqual(refund["res_model"], "amazon.refund.request")
        self.assertIn(
            "Confirm the shipment",
            self.env[refund["res_model"]].browse(refund["res_id"]).blockers,
        )

    def test_goods_that_came_back_can_be_cancelled(self):
        sale_order = self.create_delivery()
        picking = sale_order.picking_ids
        self.ship(picking)
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        wizard.product_return_moves.quantity = 2
        back = wizard._create_return()
        self.ship(back)
        self.assertEqual(back.state, "done")
        self.assertFalse(self.open_request(sale_order, "cancel").blockers)

    def test_items_beside_what_has_left_are_warned_of(self):
        sale_order = self.create_delivery(THREE_UNITS, quantity=3)
        picking = sale_order.picking_ids
        picking.move_ids.quantity = 1
        picking.move_ids.picked = True
        picking.with_context(cancel_backorder=False)._action_done()
        request = self.open_request(sale_order, "cancel")
        self.assertIn("have left already", request.blockers)
        request.scope = "items"
        self.assertFalse(request.blockers)
        self.assertIn("1 × Lamp", request.warnings)

    def test_order_that_was_shipped_says_refund_as_before(self):
        self.assertIn(
            "Refund it instead",
            self.open_request(self.create_sale_order(SHIPPED), "cancel").blockers,
        )

    # === PEOPLE AND COMPANIES === #

    def test_agent_without_rights_in_the_warehouse_stops_it_all_the_same(self):
        picking = self.create_delivery().picking_ids
        self.assertFalse(self.agent.has_group("stock.group_stock_user"))
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.assert_held(picking, action)

    def test_worker_without_rights_at_amazon_sees_why(self):
        picking = self.create_delivery().picking_ids
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        picking = picking.with_user(self.worker)
        self.env.invalidate_all()
        shown = picking.read(["amazon_is_held", "amazon_hold_message"])[0]
        self.assertIn(action.name, shown["amazon_hold_message"])
        with self.assertRaises(AccessError):
            picking.read(["amazon_hold_ids"])

    def test_delivery_of_another_company_is_not_touched(self):
        company = self._create_company(name="Sister")
        self.env.user.company_ids |= company
        sister = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                {
                    "partner_id": self.env["res.partner"].create({"name": "B"}).id,
                    "company_id": company.id,
                    "order_line": [
                        Command.create(
                            {"product_id": self.product.id, "product_uom_qty": 1}
                        )
                    ],
                }
            )
        )
        other = self.create_sale_order(UNSHIPPED)
        # as if the number were linked across companies
        sister.sudo().with_context(allowed_company_ids=company.ids).action_confirm()
        self.env.cr.execute(
            "UPDATE sale_order SET amazon_order_id = %s WHERE id = %s",
            [other.amazon_order_id.id, sister.id],
        )
        sister.invalidate_recordset()
        self.ask_cancel(other)
        self.assertFalse(sister.picking_ids.amazon_is_held)
        self.settle()
        self.assertEqual(sister.state, "sale")
