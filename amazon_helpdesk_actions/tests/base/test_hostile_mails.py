from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.base.test_hostile_texts import (
    FORMULA,
    IMAGE,
    SCRIPT,
    ExportCommon,
    HostileTexts,
)

from ..common import AmazonCommon


@tagged("post_install", "-at_install")
class TestHostileMails(HostileTexts, AmazonCommon):
    """What a buyer writes is a text in the ticket, too."""

    def test_a_buyers_mail_may_name_any_number_of_orders(self):
        refs = [f"302-{number:07}-1234567" for number in range(5000)]
        ticket = self.env["helpdesk.ticket"].message_new(
            {
                "subject": f"{SCRIPT} {refs[0]}",
                "body": " ".join(refs),
                "from": f'"{IMAGE}" <buyer@marketplace.amazon.de>',
                "email_from": f'"{IMAGE}" <buyer@marketplace.amazon.de>',
                "to": "amazon@example.com",
            },
            {"company_id": self.company.id, "team_id": self.team.id},
        )
        self.assertEqual(ticket.amazon_order_ref, refs[0])
        self.assertLess(max(len(note) for note in self.notes(ticket)), 2000)
        for body in ticket.message_ids.mapped("body"):
            self.assert_escaped(body)


@tagged("post_install", "-at_install")
class TestHostileExports(AmazonCommon, ExportCommon):
    """The title of a ticket, as Odoo exports it."""

    def test_no_export_of_odoo_holds_a_formula(self):
        ticket = self.create_ticket(name=FORMULA)
        self.assert_no_formula("helpdesk.ticket", ["name"], ticket.ids)
