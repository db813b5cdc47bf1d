from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.models.action.reservation import ActionRequest
from odoo.addons.amazon_order_actions.models.kinds.refund_plan import (
    PlannedItem,
    RefundPlan,
)

from ..common import GIFT_WRAPPED, SHIPPED, THREE_UNITS, UNSHIPPED, AmazonCommon

HOOKS, LAMP = "NW-HAKEN-MESSING-4", "NW-LEUCHTE-TISCH-01"


@tagged("post_install", "-at_install")
class TestReservation(AmazonCommon):
    """The one door by which money and units of an order are promised."""

    def reserve(self, ticket, kind, nonce="x", user=None, **parts):
        user = user or self.agent
        origin = ticket.with_user(user).with_context(
            allowed_company_ids=self.company.ids
        )
        parts = {"reason": "Other", **parts}
        request = ActionRequest(kind, origin, nonce, **parts)
        return self.reserve_on(origin.amazon_order_id, request)

    def units(self, ticket, sku, quantity):
        line = ticket.amazon_order_id.line_ids.filtered(lambda line: line.sku == sku)
        return {line: quantity}

    def price(self, ticket, amount):
        charge = ticket.amazon_order_id.charge_ids.filtered(
            lambda charge: charge.component == "Principal"
        )
        return {charge[:1]: amount}

    # === THE DOOR === #

    def test_actions_are_created_in_no_other_way(self):
        action = self.ask_refund(self.create_ticket(SHIPPED))
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
        ticket = self.create_ticket(SHIPPED)
        action = self.reserve(ticket, "refund", amounts=self.price(ticket, 5))
        self.assertNotIn("amazon_door", action.env.context)
        with self.assertRaises(AccessError):
            action.sudo().create({"name": "Another"})

    # === ONE REQUEST === #

    def test_same_nonce_is_one_action_and_nothing_is_worked_out_again(self):
        ticket = self.create_ticket(SHIPPED)
        first = self.reserve(ticket, "refund", amounts=self.price(ticket, 5))

        handler = type(self.env["amazon.action.kind.refund"])
        with patch.object(handler, "_settle", side_effect=AssertionError("again")):
            again = self.reserve(ticket, "refund")
        self.assertEqual(again, first)
        self.assertEqual(again.env.user, self.agent)

    def test_request_is_a_plain_value(self):
        """A plan is read with the order taken, whatever it says."""
        ticket, other = self.create_ticket(SHIPPED), self.create_ticket(UNSHIPPED)
        item = ticket.amazon_order_id.line_ids[:1]
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
                self.reserve(ticket, "refund", plan=of_plan)
        action = self.reserve(ticket, "refund", plan=plan(item))
        self.assertEqual(action.sudo().line_ids.order_line_id, item)
        self.assertEqual(action.amount, 5)
        with self.assertRaisesRegex(UserError, "refunded before"):
            self.reserve(ticket, "refund", nonce="another", plan=plan(item))

    def test_order_of_another_document_is_refused(self):
        ticket, other = self.create_ticket(SHIPPED), self.create_ticket(GIFT_WRAPPED)
        request = ActionRequest("refund", other.with_user(self.agent), "x", "Other")
        with self.assertRaisesRegex(UserError, "is not about the Amazon order"):
            self.reserve_on(ticket.amazon_order_id.with_user(self.agent), request)

    def test_who_has_no_right_reserves_nothing(self):
        ticket = self.create_ticket(SHIPPED)
        with self.assertRaisesRegex(AccessError, "administrator can grant"):
            self.reserve(
                ticket, "refund", user=self.trainee, amounts=self.price(ticket, 5)
            )
        self.assertFalse(ticket.amazon_order_id.action_ids)

    def test_it_is_about_one_order(self):
        ticket, other = self.create_ticket(SHIPPED), self.create_ticket(GIFT_WRAPPED)
        both = ticket.amazon_order_id | other.amazon_order_id
        request = ActionRequest("refund", ticket.with_user(self.agent), "x", "Other")
        for orders in (both, both.browse()):
            with self.assertRaises(ValueError):
                self.reserve_on(orders.with_user(self.agent), request)

    # === THE SAME MONEY AND UNITS === #

    def test_money_is_promised_once(self):
        ticket = self.create_ticket(SHIPPED)
        self.reserve(ticket, "refund", "1", amounts=self.price(ticket, 30))
        with self.assertRaisesRegex(UserError, "can still be refunded"):
            self.reserve(ticket, "refund", "2", amounts=self.price(ticket, 30))
        self.reserve(ticket, "refund", "3", amounts=self.price(ticket, 9.95))

    def test_units_are_promised_once(self):
        ticket = self.create_ticket(THREE_UNITS)
        self.reserve(
            ticket, "cancel_items", "1", quantities=self.units(ticket, HOOKS, 2)
        )
        with self.assertRaisesRegex(UserError, "at most 1 can still be cancelled"):
            self.reserve(
                ticket, "cancel_items", "2", quantities=self.units(ticket, HOOKS, 2)
            )

    def test_units_and_the_whole_order_exclude_each_other(self):
        ticket = self.create_ticket(UNSHIPPED)
        self.reserve(
            ticket, "cancel_items", "1", quantities=self.units(ticket, LAMP, 1)
        )
        with self.assertRaisesRegex(UserError, "single items is on its way"):
            self.reserve(ticket, "cancel", "2", reason="NoInventory")
        other = self.create_ticket(THREE_UNITS)
        self.reserve(other, "cancel", "3", reason="NoInventory")
        with self.assertRaisesRegex(UserError, "is asked for already"):
            self.reserve(
                other, "cancel_items", "4", quantities=self.units(other, HOOKS, 1)
            )
