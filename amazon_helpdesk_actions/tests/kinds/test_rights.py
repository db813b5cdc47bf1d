from odoo.exceptions import AccessError
from odoo.tests import tagged

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestRights(AmazonCommon):
    """What opens a dialog from a ticket, and to whom it is refused."""

    def test_user_without_the_right_is_refused_by_the_server_action(self):
        ticket = self.create_ticket(SHIPPED)
        for name in ("ticket_refund", "ticket_cancel"):
            action = self.env.ref(f"amazon_helpdesk_actions.action_server_{name}")
            with self.assertRaises(AccessError):
                action.with_user(self.trainee).with_context(
                    active_model="helpdesk.ticket", active_id=ticket.id
                ).run()

    def test_user_with_the_right_gets_the_dialog_from_the_server_action(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.env.ref("amazon_helpdesk_actions.action_server_ticket_refund")
        result = (
            action.with_user(self.agent)
            .with_context(
                active_model="helpdesk.ticket",
                active_id=ticket.id,
                active_ids=ticket.ids,
            )
            .run()
        )
        self.assertEqual(result["res_model"], "amazon.refund.request")

    def test_stranger_cannot_read_an_order_while_filling_in_a_ticket(self):
        order = self.create_ticket(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        stranger = self._create_user(
            "stranger",
            "helpdesk_mgmt.group_helpdesk_user",
            "amazon_order_actions.group_refund",
        )
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        env = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        values = {"amazon_order_id": order.id, "company_id": self.company.id}
        spec = {"amazon_order_panel": {}, "amazon_order_id": {}}
        answer = env["helpdesk.ticket"].onchange(values, ["amazon_order_id"], spec)
        panel = answer["value"].get("amazon_order_panel")
        self.assertFalse(panel and panel["order"])
