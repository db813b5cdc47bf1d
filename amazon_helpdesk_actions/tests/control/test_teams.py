from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import html2plaintext, mute_logger

from odoo.addons.amazon_order_actions.tests.control.test_authority import (
    GROUP,
    AuthorityCommon,
)

from ..common import GIFT_WRAPPED, SHIPPED, AmazonCommon

MODULES = "odoo.addons.base.models.ir_module"


@tagged("post_install", "-at_install")
class TestTeams(AuthorityCommon, AmazonCommon):
    """Rows for the teams of the help desk."""

    def refund(self, amount, ref=SHIPPED, ticket=None, **values):
        """Override: from a ticket."""
        ticket = ticket or self.create_ticket(ref)
        return super().refund(amount, document=ticket, **values)

    def create_team(self, *members):
        return self.env["helpdesk.ticket.team"].create(
            {
                "name": "VIP",
                "company_id": self.company.id,
                "user_ids": [Command.set([user.id for user in members])],
            }
        )

    def check(self, user=None, **values):
        check = (
            self.env["amazon.authority.check"]
            .with_user(self.admin)
            .create({"user_id": (user or self.agent).id, **values})
        )
        return html2plaintext(check.answer).replace("\xa0", " ")

    def test_row_covers_its_account_team_and_marketplace_only(self):
        other = self._create_account(seller_id="A2OTHER", name="Other account")
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Other team", "company_id": self.company.id}
        )
        for elsewhere in (
            {"account_id": other.id},
            {"team_id": team.id},
            {"marketplace": "A1F83G8C2ARO7P"},
        ):
            row = self.give(**elsewhere)
            with self.assertRaises(AccessError, msg=str(elsewhere)) as caught:
                self.refund(5)
            for part in ("Nordlicht Wohnen", "Amazon", "Germany", self.admin.name):
                self.assertIn(part, str(caught.exception))
            row.unlink()
        self.team.user_ids += self.agent
        self.give(
            account_id=self.account.id,
            team_id=self.team.id,
            marketplace="A1PA6795UKMFR9",
        )
        self.assertEqual(self.refund(5).state, "queued")

    def test_row_of_a_team_is_for_its_members_whoever_moves_the_ticket(self):
        vip = self.create_team(self.trainee)
        self.give(limit_action=5)
        self.give(team_id=vip.id, limit_action=500)
        ticket = self.create_ticket(SHIPPED)
        ticket.with_user(self.agent).team_id = vip
        self.assert_waits(self.refund(10, ticket=ticket), "5.00 €")
        vip.user_ids += self.agent
        self.assertEqual(self.refund(10, ticket=ticket).state, "queued")
        # nor is the row of a member's team about tickets of another one
        self.assert_waits(self.refund(10, GIFT_WRAPPED), "5.00 €")

    def test_row_for_a_person_with_a_team_is_for_a_member_too(self):
        vip = self.create_team()
        self.give(user_id=self.agent.id, team_id=vip.id)
        ticket = self.create_ticket(SHIPPED, team_id=vip.id)
        with self.assertRaisesRegex(AccessError, "members of that team"):
            self.refund(5, ticket=ticket)
        vip.user_ids += self.agent
        self.assertEqual(self.refund(5, ticket=ticket).state, "queued")

    def test_row_of_a_team_lets_only_its_members_approve(self):
        vip = self.create_team(self.agent)
        self.give(mode="always")
        self.give("approve", team_id=vip.id)
        action = self.refund(5, ticket=self.create_ticket(SHIPPED, team_id=vip.id))
        may_approve = self.env["amazon.authority"]._may_approve
        sentence = may_approve(action.sudo(), self.approver)
        self.assertIn("members of that team", sentence)
        vip.user_ids += self.approver
        self.assertFalse(may_approve(action.sudo(), self.approver))

    def test_team_by_which_it_was_judged_is_journaled(self):
        ticket = self.create_ticket(SHIPPED)
        action = self.refund(5, ticket=ticket)
        ticket.team_id = self.create_team()
        entry = (
            self.env["amazon.audit.entry"]
            .sudo()
            .search([("action_id", "=", action.id), ("event", "=", "asked")])
        )
        self.assertIn(f"in the team Amazon ({self.team.id})", entry.message)

    def test_row_of_a_team_is_not_left_to_everybody_without_the_help_desk(self):
        """The matrix stays when the help desk goes, and the column of teams does not:
        such a row would be for all of its group, everywhere."""
        row = self.give(team_id=self.team.id, limit_action=500)
        for name in ("amazon_helpdesk_actions", "helpdesk_mgmt"):
            module = self.env["ir.module.module"].search([("name", "=", name)])
            # archived, it can be taken back
            for active in (True, False):
                row.active = active
                with (
                    self.subTest(name=name, active=active),
                    self.assertRaisesRegex(UserError, "for everybody in the group"),
                ):
                    module.button_uninstall()
        # it is not for everybody to know which teams there are
        with self.assertRaises(AccessDenied), mute_logger(MODULES):
            module.with_user(self.admin).button_uninstall()
        self.env["amazon.authority"].with_context(active_test=False).search(
            [("team_id", "!=", False)]
        ).unlink()
        module.button_uninstall()
        self.assertEqual(module.state, "to remove")

    def test_sale_order_is_of_no_helpdesk_team(self):
        self.give(team_id=self.team.id)
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaises(AccessError) as caught:
            self.ask_refund(sale_order)
        self.assertIn("sale order", str(caught.exception))
        self.give()
        self.assertEqual(self.ask_refund(sale_order).state, "queued")

    def test_limit_of_a_row_counts_only_what_is_in_its_place(self):
        other = self.env["helpdesk.ticket.team"].create(
            {"name": "Other team", "company_id": self.company.id}
        )
        (self.team | other).user_ids += self.agent
        self.give(team_id=self.team.id, limit_person_day=30)
        self.give(team_id=other.id)
        moved = self.create_ticket(GIFT_WRAPPED, team_id=other.id)
        self.refund(30, ticket=moved)
        # the team counts that it had when it was asked for
        moved.team_id = self.team
        self.assertEqual(self.refund(30).state, "queued")

    def test_row_names_no_team_of_another_company(self):
        elsewhere = self._create_company(name="Elsewhere")
        team = self.env["helpdesk.ticket.team"].create(
            {"name": "Elsewhere", "company_id": elsewhere.id}
        )
        with self.assertRaises(UserError):
            self.env["amazon.authority"].create(
                {
                    "right": "refund",
                    "company_id": self.company.id,
                    "group_id": self.env.ref(GROUP("refund")).id,
                    "team_id": team.id,
                }
            )

    def test_check_says_what_a_person_may_do_and_has_used_today(self):
        self.give(limit_action=30, limit_person_day=100, limit_group_day=1000)
        self.give("cancel", mode="always")
        self.team.user_ids += self.agent
        self.give("message", team_id=self.team.id)
        self.refund(20)
        said = self.check()
        for part in (
            "up to 30.00 € for one action; 100.00 € a day (20.00 € used today); "
            "1,000.00 € a day for the whole group (20.00 € used today)",
            "always with a second person",
            "*Edit*: without limits",
            "*Approve*: not in the group",
        ):
            self.assertIn(part, said)

    def test_check_looks_at_the_place_that_is_chosen(self):
        self.give(team_id=self.team.id)
        other = self.env["helpdesk.ticket.team"].create(
            {"name": "Other team", "company_id": self.company.id}
        )
        self.assertIn("members of that team", self.check(team_id=self.team.id))
        self.team.user_ids += self.agent
        self.assertIn("Amazon: without limits", self.check(team_id=self.team.id))
        self.assertIn("no row", self.check(team_id=other.id))
