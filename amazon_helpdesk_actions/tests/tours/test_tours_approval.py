from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.approval.test_approval import ApprovalCommon

from ..common import SHIPPED
from .test_tours import ToursCommon


@tagged("post_install", "-at_install")
class TestToursApproval(ApprovalCommon, ToursCommon):
    """What the one who asks and the second person do in a browser."""

    def waiting(self):
        """Override: from a ticket."""
        self.ticket = self.create_ticket(SHIPPED)
        self.action = self.ask_refund(self.ticket)
        self.assertEqual(self.action.state, "to_approve")

    def test_asker_sees_who_is_waited_for_and_takes_it_back(self):
        self.run_tour(self.create_ticket(SHIPPED), "amazon_approval_asked")
        self.assertEqual(self.last_action().state, "withdrawn")
        self.assertFalse(self.executed("feeds"))

    def test_approver_approves_in_the_ticket(self):
        self.approver.group_ids = [
            Command.link(self.env.ref("helpdesk_mgmt.group_helpdesk_user").id)
        ]
        first_job = self._last_job_id() + 1
        self.waiting()
        self.run_tour(
            self.ticket, "amazon_approval_in_ticket", self.approver, first_job=first_job
        )
        self.assertEqual(self.action.state, "confirmed")
        self.assertEqual(self.approval.decided_by_id, self.approver)
        self.assertEqual([row["amount"] for row in self.executed("refunds")], ["44.94"])

    def test_approver_without_tickets_refuses_in_the_list(self):
        self.waiting()
        self.start_tour(
            "/odoo/amazon-approvals",
            "amazon_approval_in_list",
            login=self.approver.login,
        )
        self.env.invalidate_all()
        self.assertEqual(self.action.state, "refused")
        self.assertEqual(self.approval.refusal_reason, "The buyer keeps the kettle")
        self.assertFalse(self.executed("feeds"))

    def test_approver_says_who_stands_in(self):
        lead = self._create_user("Lena Lead", "helpdesk_mgmt.group_helpdesk_user")
        self.start_tour(
            "/odoo/action-amazon_order_actions.amazon_delegation_action",
            "amazon_approval_delegated",
            login=self.approver.login,
        )
        delegation = self.env["amazon.delegation"].search([])
        self.assertEqual(delegation.user_id, self.approver)
        self.assertEqual(delegation.delegate_id, lead)
