from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.approval.test_approval import (
    ApprovalCommon,
)


@tagged("post_install", "-at_install")
class TestHoldWhileItWaits(ApprovalCommon):
    """What a cancellation that waits for a second person does to the deliveries."""

    def test_cancellation_holds_the_delivery_while_it_waits(self):
        picking = self.cancellation().picking_ids
        self.assertEqual(picking.amazon_hold_ids, self.action)
        with self.assertRaisesRegex(UserError, "on hold"):
            picking.button_validate()
        self.deciding(self.approver).action_approve()
        self.assertEqual(picking.amazon_hold_ids, self.action)
        self.settle()
        self.assertEqual(self.action.state, "confirmed")
        self.assertEqual(picking.state, "cancel")

    def test_refused_or_expired_cancellation_lets_the_delivery_go(self):
        picking = self.cancellation().picking_ids
        self.deciding(self.approver).action_refuse("It is packed already")
        self.assertFalse(picking.amazon_hold_ids)
        self.assertNotEqual(picking.state, "cancel")

    def test_expired_cancellation_lets_the_delivery_go(self):
        picking = self.cancellation().picking_ids
        self.approval.expires_at = fields.Datetime.now()
        self.run_cron()
        self.assertEqual(self.action.state, "expired")
        self.assertFalse(picking.amazon_hold_ids)

    def test_release_by_hand_is_refused_while_it_waits(self):
        picking = self.cancellation().picking_ids
        self.assertIn("is not known yet", picking._release_blocker())
