from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.base.test_companies import (
    AMERICAN,
    RELAY,
    CompaniesCommon,
    CompaniesHttpCommon,
)

from ..common import SHIPPED, AmazonCommon


class TicketCompaniesCommon(AmazonCommon, CompaniesCommon):
    """The two companies, each with a team."""

    MANAGES_DOCUMENTS = (
        "helpdesk_mgmt.group_helpdesk_manager",
        *CompaniesCommon.MANAGES_DOCUMENTS,
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_team = cls.env["helpdesk.ticket.team"].create(
            {"name": "Amazon", "company_id": cls.other.id}
        )

    def create_their_ticket(self, ref=False, **values):
        """Create a ticket of the other company."""
        places = {"company_id": self.other.id, "team_id": self.other_team.id}
        return self.create_ticket(ref, **places, **values)


@tagged("post_install", "-at_install")
class TestTicketCompanies(TicketCompaniesCommon):
    """No ticket and no team reaches into another company."""

    def test_ticket_with_an_amazon_order_stays_whoever_moves_it(self):
        ticket = self.create_ticket(SHIPPED)
        for user in (self.single, self.double):
            with self.subTest(user=user.login):
                self.assert_refused(
                    lambda user=user: self.as_user(user, ticket).write(
                        {"company_id": self.other.id}
                    ),
                    words=f"about the Amazon order {SHIPPED} of Nordlicht Test",
                )
                self.assertEqual(ticket.company_id, self.company)
        self.assertFalse(self.other_orders())

    def test_ticket_something_was_asked_from_stays_without_its_number(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.ask_refund(ticket, self.double, {"NW-KESSEL-12-SW": 1})
        action._set_withdrawn()
        ticket.amazon_order_ref = False
        self.assert_refused(
            lambda: self.as_user(self.double, ticket).write(
                {"company_id": self.other.id}
            ),
            words="what was asked of Amazon from it",
        )

    def test_ticket_the_buyer_was_written_to_from_stays(self):
        ticket = self.create_ticket(SHIPPED, partner_email=RELAY)
        author = self.as_user(self.double, self.double)
        with patch.object(type(ticket), "_actual_sender", lambda self, sender: sender):
            self.as_user(self.double, ticket)._send_reply_mail(
                f"Order {SHIPPED}", "We are on it.", author
            )
        ticket.amazon_order_ref = False
        self.assert_refused(
            lambda: ticket.write({"company_id": self.other.id}),
            words="sent to its buyer",
        )

    def test_company_cannot_be_taken_out(self):
        ticket = self.create_ticket(SHIPPED)
        self.assert_refused(lambda: ticket.write({"company_id": False}))

    def test_number_reaches_no_company_that_its_user_is_not_in(self):
        """With one write: Odoo checks the rules before it, and not after."""
        vals = {"company_id": self.other.id, "amazon_order_ref": AMERICAN}
        ticket = self.create_ticket(read=False)
        self.assert_refused(
            lambda: self.as_user(self.single, ticket).write(vals),
            AccessError,
            "not working in",
        )
        self.assertEqual(ticket.company_id, self.company)
        self.assertFalse(self.other_orders())
        self.assertFalse(self.pending_jobs("_job_read"))

    def test_who_may_not_write_a_ticket_is_told_nothing_of_it(self):
        ticket = self.create_their_ticket(read=False, name="Secret of theirs")
        ticket.amazon_order_ref = AMERICAN
        self.assert_refused(
            lambda: self.as_user(self.single, ticket).write(
                {"company_id": self.company.id}
            ),
            AccessError,
        )
        self.assertFalse(self.entries(self.company) | self.entries(self.other))

    def test_company_that_is_not_active_is_not_worked_in(self):
        """Also in sudo mode, and of who belongs to both."""
        for user, active in ((self.single, self.company), (self.double, self.company)):
            for record, code in (
                (
                    self.create_ticket(read=False),
                    "record.write({'company_id': %d, 'amazon_order_ref': '%s'})",
                ),
                (
                    self.create_ticket(read=False),
                    "env['helpdesk.ticket'].create({'name': 'A', 'description': 'A',"
                    " 'company_id': %d, 'amazon_order_ref': '%s'})",
                ),
            ):
                with self.subTest(user=user.login, code=code):
                    self.assert_refused(
                        lambda record=record, code=code, user=user, active=active: (
                            self.by_rule(
                                user, record, code % (self.other.id, AMERICAN), active
                            )
                        ),
                        AccessError,
                    )
        self.assertFalse(self.other_orders())

    def test_ticket_is_linked_to_no_order_of_another_company(self):
        """Not even by the program; a client's word is not taken at all."""
        theirs = self.create_their_ticket(AMERICAN).amazon_order_id
        ticket = self.create_ticket(SHIPPED)
        own = ticket.amazon_order_id
        self.as_user(self.single, ticket).write({"amazon_order_id": theirs.id})
        self.assertEqual(ticket.amazon_order_id, own)
        with self.assertRaises(UserError):
            ticket.sudo().amazon_order_id = theirs

    def test_team_moves_only_with_who_is_in_both(self):
        """Mails to it become tickets of its company, which looks up their orders."""
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Spare", "company_id": self.company.id}
        )
        self.assert_refused(
            lambda: self.as_user(self.single, team).write(
                {"company_id": self.other.id}
            ),
            AccessError,
        )
        self.assertEqual(team.company_id, self.company)
        self.as_user(self.double, team).company_id = self.other
        self.assertEqual(team.company_id, self.other)

    def test_team_that_a_row_names_stays(self):
        self.env["amazon.authority"].create(
            {
                "right": "refund",
                "company_id": self.company.id,
                "team_id": self.team.id,
                "user_id": self.single.id,
            }
        )
        self.assert_refused(
            lambda: self.team.write({"company_id": self.other.id}), words="names it"
        )


@tagged("post_install", "-at_install")
class TestTicketCompaniesOverHttp(TicketCompaniesCommon, CompaniesHttpCommon):
    """The same as a person of the first company alone does it, over the wire."""

    def test_nothing_reaches_the_other_company(self):
        self.assert_stays(self.create_ticket(SHIPPED))
        model = "helpdesk.ticket"
        texts = {"name": "A", "description": "A"}
        mine = {**texts, "amazon_order_ref": AMERICAN}
        self.assert_answer("AccessError", model, "create", [{**mine, **self.moved}])
        self.assert_answer(
            "AccessError", model, "create", [mine], default_company_id=self.other.id
        )
        places = {"company_id": self.company.id, "team_id": self.other_team.id}
        self.assert_answer("AccessError", model, "create", [{**mine, **places}])
        names = [*texts, "company_id/.id", "amazon_order_ref"]
        row = ["A", "A", str(self.other.id), AMERICAN]
        self.assertFalse(self.call(model, "load", names, [row])["ids"])
        self.assert_nothing_reached_the_other_company()
