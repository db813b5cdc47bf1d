from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.approval.test_approval import (
    RELAY,
    ApprovalCommon,
)

from ..common import GIFT_WRAPPED, SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestBuyer(ApprovalCommon, AmazonCommon):
    """What a second person is told of the buyer of a ticket, and what is not told."""

    def buyer_of(self, **values):
        self.action = self.ask_refund(self.create_ticket(GIFT_WRAPPED, **values))
        self.assertEqual(self.action.state, "to_approve")
        return self.env["amazon.buyer.history"]._of(self.action.order_id)

    def refunded_before(self, **values):
        """Refund 10.00 on a ticket about another order."""
        ticket = self.create_ticket(SHIPPED, **values)
        sku = ticket.amazon_order_id.line_ids.sku
        self.ask_refund(ticket, amounts={sku: 10})
        self.settle()

    def test_earlier_refunds_are_found_by_the_address_at_amazon(self):
        self.refunded_before(partner_email=f"Bea <{RELAY.upper()}>")
        refunds, _sentence = self.buyer_of(partner_email=RELAY)
        self.assertEqual(sum(refunds.mapped("amount")), 10)

    def test_earlier_refunds_are_found_by_the_sale_order(self):
        buyer = self.env["res.partner"].create({"name": "A buyer"})
        self.create_sale_order(SHIPPED, partner_id=buyer.id)
        self.refunded_before()
        refunds, _sentence = self.buyer_of(partner_id=buyer.id)
        self.assertEqual(sum(refunds.mapped("amount")), 10)

    def test_other_addresses_tell_no_buyers_apart(self):
        self.refunded_before(partner_email="no-reply@example.com")
        refunds, sentence = self.buyer_of(partner_email="no-reply@example.com")
        self.assertFalse(refunds)
        self.assertIn("cannot be told", sentence)

    def test_mail_has_nothing_that_the_buyer_wrote(self):
        self.approver.notification_type = "email"
        ticket = self.create_ticket(
            SHIPPED,
            partner_email=f"Bea Buyer <{RELAY}>",
            name="Bea Buyer wants her money",
            description="<p>Bea Buyer, Seestr. 1</p>",
        )
        self.ask_refund(ticket)
        mail = self.env["mail.mail"].search(
            [("recipient_ids", "in", self.approver.partner_id.ids)]
        )
        self.assertEqual(len(mail), 1)
        for text in ("Bea", RELAY, "Seestr", "wants her money"):
            self.assertNotIn(text, f"{mail.subject} {mail.body_html}")
