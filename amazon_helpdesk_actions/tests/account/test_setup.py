from odoo.tests import tagged
from odoo.tools import html2plaintext, mute_logger

from ..common import SHIPPED, AmazonCommon


@tagged("post_install", "-at_install")
class TestSetupOfHelpdesk(AmazonCommon):
    """What the help desk adds to the set-up of an account."""

    def look(self, step):
        account = self.account.with_user(self.admin)
        with mute_logger("odoo.addons.base.models.ir_mail_server"):
            account.action_setup_go(step)
            return " ".join(html2plaintext(account.setup_checks).split())

    def test_company_without_a_mail_domain_is_told_where_to_enter_one(self):
        self.assertIn(
            "has no mail domain, so no team has an address", self.look("mail")
        )

    def test_team_without_an_address_is_told(self):
        self._open_mailbox()
        self.team.alias_name = False
        said = self.look("mail")
        self.assertIn("No team of this company has an address", said)

    def test_address_of_the_team_is_what_amazon_is_to_be_given(self):
        self._open_mailbox()
        said = self.look("mail")
        self.assertIn("Mails to orders@shop.example become tickets", said)
        self.assertIn("Notification Preferences", said)

    def test_team_of_another_company_does_not_count(self):
        self._open_mailbox()
        self.team.company_id = self._create_company(name="Far")
        self.assertNotIn("orders@shop.example", self.look("mail"))

    def test_mail_that_nobody_fetches_is_said(self):
        self.env["fetchmail.server"].search([]).state = "draft"
        self.assertIn("Odoo fetches no mail", self.look("mail"))

    def test_server_that_fetches_mail_is_named(self):
        self.env["fetchmail.server"].create(
            {"name": "Our inbox", "state": "done", "server": "imap.example"}
        )
        self.assertIn("Mails are fetched from Our inbox.", self.look("mail"))

    def test_first_order_leads_to_a_ticket(self):
        account = self.account.with_user(self.admin)
        account.write({"setup_step": "order", "setup_order_ref": SHIPPED})
        account.action_setup_try()
        self.assertIn("Open a ticket and enter the number", self.look("order"))
