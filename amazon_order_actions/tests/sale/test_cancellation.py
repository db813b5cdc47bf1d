from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import FBA_UNSHIPPED, THREE_UNITS, UNSHIPPED, AmazonOrderCommon

ACTION = "odoo.addons.amazon_order_actions.models.action.action"
HOOKS = "NW-HAKEN-MESSING-4"


@tagged("post_install", "-at_install")
class TestCancellationInOdoo(AmazonOrderCommon):
    """What a cancellation at Amazon does to sale orders without a delivery."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.salesperson = cls._create_user(
            "salesperson", "sales_team.group_sale_salesman_all_leads"
        )
        cls.service = cls.env["product.product"].create(
            {"name": "Engraving", "type": "service"}
        )

    def create_confirmed(self, ref=UNSHIPPED):
        sale_order = self.create_sale_order(ref, user_id=self.salesperson.id)
        sale_order.order_line = [Command.create({"product_id": self.service.id})]
        sale_order.action_confirm()
        return sale_order

    def test_cancelled_order_is_cancelled_in_odoo_with_a_note(self):
        sale_order = self.create_confirmed()
        action = self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertTrue(action.is_followed)
        self.assertEqual(sale_order.state, "cancel")
        self.assertIn(
            f"Cancelled in Odoo, too: {sale_order.name} ({action.name})",
            "".join(self.notes(sale_order)),
        )
        self.assertFalse(sale_order.activity_ids)

    def test_account_may_only_have_the_salesperson_told(self):
        self.account.cancel_in_odoo = "tell"
        sale_order = self.create_confirmed()
        self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        self.assertEqual(sale_order.activity_ids.user_id, self.salesperson)
        self.assertIn(f"Cancel {sale_order.name}.", sale_order.activity_ids.note)

    def test_locked_sale_order_is_left_to_the_salesperson(self):
        sale_order = self.create_confirmed()
        sale_order.action_lock()
        self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        self.assertIn("locked", sale_order.activity_ids.note)

    def test_cancelled_units_are_taken_out_by_a_person(self):
        sale_order = self.create_confirmed(THREE_UNITS)
        self.ask_cancel_items(sale_order, {HOOKS: 1})
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        self.assertIn("Take 1 × Wandhaken", sale_order.activity_ids.note)

    def test_rejected_cancellation_leaves_the_sale_order(self):
        sale_order = self.create_confirmed()
        self.ask_cancel(sale_order)
        self.simulator.fault("report_error", order_id=UNSHIPPED, code="1", text="No")
        self.settle()
        self.assertEqual(sale_order.state, "sale")
        self.assertFalse(sale_order.activity_ids)

    def test_order_that_amazon_ships_is_left(self):
        sale_order = self.create_confirmed(FBA_UNSHIPPED)
        self.ask_cancel(sale_order, note="Case 1234")
        self.settle()
        self.assertEqual(sale_order.state, "sale")

    def test_what_fails_is_told(self):
        sale_order = self.create_confirmed()

        def fail(*args):
            raise RuntimeError("No")

        self.patch(type(sale_order), "action_cancel", fail)
        action = self.ask_cancel(sale_order)
        with mute_logger(ACTION):
            self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertIn("could not follow", "".join(self.notes(sale_order)))
