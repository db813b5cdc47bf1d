from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...models.action.reservation import ActionRequest
from ...models.kinds.refund_plan import PlannedItem, RefundPlan
from ..common import GIFT_WRAPPED, SHIPPED, THREE_UNITS, UNSHIPPED, AmazonOrderCommon

HOOKS, LAMP = "NW-HAKEN-MESSING-4", "NW-LEUCHTE-TISCH-01"


@tagged("post_install", "-at_install")
class TestReservation(AmazonOrderCommon):
    """The one door by which money and units of an order are promised."""

    def reserve(self, sale_order, kind, nonce="x", user=None, **parts):
        user = user or self.agent
        origin = sale_order.with_user(user).with_context(
            allowed_company_ids=self.company.ids
        )
        parts = {"reason": "Other", **parts}
        request = ActionRequest(kind, origin, nonce, **parts)
        return self.reserve_on(origin.amazon_order_id, request)

    def units(self, sale_order, sku, quantity):
        line = sale_order.amazon_order_id.line_ids.filtered(
            lambda line: line.sku == sku
        )
        return {line: quantity}

    def price(self, sale_order, amount):
        charge = sale_order.amazon_order_id.charge_ids.filtered(
            lambda charge: charge.component == "Principal"
        )
        return {charge[:1]: amount}

    # === THE DOOR === #

    def test_actions_are_created_in_no_other_way(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        (vals,) = action.copy_data({"nonce": "copied", "name": "Copied"})
        for user in (self.agent, self.admin, self.env.ref("base.user_root")):
            actions = self.env["amazon.action"].with_user(user)
            # what a context of RPC can hold
            for said in ({}, {"amazon_door": True}, {"amazon_door": "object"}):
                with self.subTest(user=user.login, context=said):
                    with self.assertRaises(AccessError):
                        actions.with_context(**said).create(vals)
                    with self.assertRaises(AccessError):
                        actions.sudo().with_context(**said).create([vals, vals])
        with self.assertRaises(AccessError):
            action.copy({"nonce": "copied"})
        with self.assertRaises(AccessError):
            action.order_id.action_ids = [Command.create(vals)]

    def test_door_closes_behind_what_comes_through(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.reserve(sale_order, "refund", amounts=self.price(sale_order, 5))
        self.assertNotIn("amazon_door", action.env.context)
        with self.assertRaises(AccessError):
            action.sudo().create({"name": "Another"})

    # === ONE REQUEST === #

    def test_same_nonce_is_one_action_and_nothing_is_worked_out_again(self):
        sale_order = self.create_sale_order(SHIPPED)
        first = self.reserve(sale_order, "refund", amounts=self.price(sale_order, 5))

        handler = type(self.env["amazon.action.kind.refund"])
        with patch.object(handler, "_settle", side_effect=AssertionError("again")):
            again = self.reserve(sale_order, "refund")
        self.assertEqual(again, first)
        self.assertEqual(again.env.user, self.agent)

    def test_request_is_a_plain_value(self):
        """A plan is read with the order taken, whatever it says."""
        sale_order, other = (
            self.create_sale_order(SHIPPED),
            self.create_sale_order(UNSHIPPED),
        )
        item = sale_order.amazon_order_id.line_ids[:1]
        foreign = other.amazon_order_id.line_ids[:1]

        def plan(item, **values):
            return RefundPlan((PlannedItem(item.id, {"Principal": 5.0}),), **values)

        refused = {
            "another order": plan(foreign),
            "below zero": plan(item, fee=-1.0),
            "cannot be refunded": RefundPlan(
                (PlannedItem(item.id, {"Principal": 5.0}, units=99),)
            ),
            "can still be refunded": RefundPlan(
                (PlannedItem(item.id, {"Principal": 10.0**9}),)
            ),
        }
        for words, of_plan in refused.items():
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.reserve(sale_order, "refund", plan=of_plan)
        action = self.reserve(sale_order, "refund", plan=plan(item))
        self.assertEqual(action.sudo().line_ids.order_line_id, item)
        self.assertEqual(action.amount, 5)
        with self.assertRaisesRegex(UserError, "refunded before"):
            self.reserve(sale_order, "refund", nonce="another", plan=plan(item))

    def test_order_of_another_document_is_refused(self):
        sale_order, other = (
            self.create_sale_order(SHIPPED),
            self.create_sale_order(GIFT_WRAPPED),
        )
        request = ActionRequest("refund", other.with_user(self.agent), "x", "Other")
        with self.assertRaisesRegex(UserError, "is not about the Amazon order"):
            self.reserve_on(sale_order.amazon_order_id.with_user(self.agent), request)

    def test_who_has_no_right_reserves_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaisesRegex(AccessError, "administrator can grant"):
            self.reserve(
                sale_order,
                "refund",
                user=self.trainee,
                amounts=self.price(sale_order, 5),
            )
        self.assertFalse(sale_order.amazon_order_id.action_ids)

    def test_it_is_about_one_order(self):
        sale_order, other = (
            self.create_sale_order(SHIPPED),
            self.create_sale_order(GIFT_WRAPPED),
        )
        both = sale_order.amazon_order_id | other.amazon_order_id
        request = ActionRequest(
            "refund", sale_order.with_user(self.agent), "x", "Other"
        )
        for orders in (both, both.browse()):
            with self.assertRaises(ValueError):
                self.reserve_on(orders.with_user(self.agent), request)

    # === THE SAME MONEY AND UNITS === #

    def test_money_is_promised_once(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.reserve(sale_order, "refund", "1", amounts=self.price(sale_order, 30))
        with self.assertRaisesRegex(UserError, "can still be refunded"):
            self.reserve(sale_order, "refund", "2", amounts=self.price(sale_order, 30))
        self.reserve(sale_order, "refund", "3", amounts=self.price(sale_order, 9.95))

    def test_units_are_promised_once(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        self.reserve(
            sale_order, "cancel_items", "1", quantities=self.units(sale_order, HOOKS, 2)
        )
        with self.assertRaisesRegex(UserError, "at most 1 can still be cancelled"):
            self.reserve(
                sale_order,
                "cancel_items",
                "2",
                quantities=self.units(sale_order, HOOKS, 2),
            )

    def test_units_and_the_whole_order_exclude_each_other(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.reserve(
            sale_order, "cancel_items", "1", quantities=self.units(sale_order, LAMP, 1)
        )
        with self.assertRaisesRegex(UserError, "single items is on its way"):
            self.reserve(sale_order, "cancel", "2", reason="NoInventory")
        other = self.create_sale_order(THREE_UNITS)
        self.reserve(other, "cancel", "3", reason="NoInventory")
        with self.assertRaisesRegex(UserError, "is asked for already"):
            self.reserve(
                other, "cancel_items", "4", quantities=self.units(other, HOOKS, 1)
            )
