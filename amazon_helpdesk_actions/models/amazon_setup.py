from odoo import api, models

from odoo.addons.amazon_order_actions.models.account.setup import (
    IN_ORDER,
    TO_DO,
    WRONG,
    SetupCheck,
)


class AmazonSetupStepMail(models.AbstractModel):
    """The mails of buyers become tickets of a team."""

    _inherit = "amazon.setup.step.mail"

    @api.model
    def _arrival_checks(self, account):
        """Override: a team of the company with an address, and somebody who fetches the
        mails of it."""
        return [
            *super()._arrival_checks(account),
            self._check_alias(account),
            self._check_incoming(),
        ]

    @api.model
    def _check_alias(self, account):
        """Look for a team whose address makes tickets of mails."""
        title = self.env._("Address of a team")
        addresses = self._team_addresses(account)
        if not addresses and not account.company_id.sudo().alias_domain_id:
            return SetupCheck(
                WRONG,
                title,
                self.env._(
                    "The company %s has no mail domain, so no team has an address. "
                    "Enter one under Settings > General Settings > Alias Domain.",
                    account.company_id.name,
                ),
            )
        if not addresses:
            return SetupCheck(
                TO_DO,
                title,
                self.env._(
                    "No team of this company has an address. Enter one under Helpdesk "
                    "> Configuration > Teams."
                ),
            )
        return SetupCheck(
            IN_ORDER,
            title,
            self.env._(
                "Mails to %s become tickets. Enter the one for Amazon in Seller "
                "Central under Notification Preferences, Messaging.",
                ", ".join(addresses),
            ),
        )

    @api.model
    def _team_addresses(self, account):
        """Return the addresses of the teams of the account's company."""
        # sudo: who connects an account need not work in the help desk
        teams = (
            self.env["helpdesk.ticket.team"]
            .sudo()
            .search([("company_id", "in", (False, account.company_id.id))])
        )
        names = filter(None, teams.mapped("alias_id.alias_full_name"))
        # without a domain it is no address
        return [name for name in names if "@" in name]

    @api.model
    def _check_incoming(self):
        """Look whether somebody fetches the mails."""
        title = self.env._("Incoming mail")
        servers = self.env["fetchmail.server"].sudo().search([("state", "=", "done")])
        if not servers:
            return SetupCheck(
                TO_DO,
                title,
                self.env._(
                    "Odoo fetches no mail. Add a server under Settings > Technical > "
                    "Email > Incoming Mail Servers (Technical is there in developer "
                    "mode) and confirm it, unless your mail server hands the mails to "
                    "Odoo itself."
                ),
            )
        return SetupCheck(
            IN_ORDER,
            title,
            self.env._("Mails are fetched from %s.", ", ".join(servers.mapped("name"))),
        )


class AmazonSetupStepOrder(models.AbstractModel):
    """Tickets are where an agent works on orders."""

    _inherit = "amazon.setup.step.order"

    @api.model
    def _next(self):
        """Override: in a ticket."""
        return self.env._(
            "Open a ticket and enter the number under Amazon Order. It shows the order "
            "then, with the buttons that the rights of the person give: Refund, for "
            "one."
        )
