import socket

from odoo import api, models
from odoo.tools import LazyTranslate, config, email_normalize

from ..account.setup import IN_ORDER, LOOK, TO_DO, WRONG, SetupCheck

_lt = LazyTranslate(__name__)

# Odoo's own default, at which nobody listens on most servers.
LOCAL = ("localhost", "127.0.0.1")


class AmazonSetupStepMail(models.AbstractModel):
    """How buyers are written to, and where their mails arrive."""

    _name = "amazon.setup.step.mail"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: Mail"

    _place = 60
    _label = _lt("Mail")
    _looks_at = ("approved_sender", "participation_ids")

    @api.model
    def _checks(self, account):
        """Override: the approved sender, the server that mails leave by, and where
        Amazon's mail arrives as far as an addon has documents for it."""
        return [
            self._check_sender(account),
            self._check_server(account),
            *self._arrival_checks(account),
        ]

    @api.model
    def _arrival_checks(self, account):
        """Hook: look whether the mails of buyers arrive where people work on them. An
        addon whose documents are made of mails says how theirs do.

        :rtype: list[SetupCheck]
        """
        return []

    @api.model
    def _check_sender(self, account):
        title = self.env._("Approved sender")
        if not account.approved_sender:
            return SetupCheck(
                TO_DO,
                title,
                self.env._(
                    "Buyers cannot be written to by mail yet. Enter an address of "
                    "yours that is among the approved senders in Seller Central "
                    "(Messaging Permissions); Amazon refuses mails from any other."
                ),
            )
        return SetupCheck(
            LOOK,
            title,
            self.env._(
                "Replies come from %s. Amazon does not tell whether it is approved: "
                "see that it stands in Seller Central under Messaging Permissions.",
                account.approved_sender,
            ),
        )

    @api.model
    def _check_server(self, account):
        """Look by which server a mail would leave, and as whose."""
        title = self.env._("Outgoing mail")
        server, actual = self._outgoing(account)
        if not server and not self._is_configured():
            return SetupCheck(
                WRONG,
                title,
                self.env._(
                    "Odoo has no outgoing mail server, so no mail leaves. Add one "
                    "under Settings > Technical > Email > Outgoing Mail Servers "
                    "(Technical is there in developer mode), with the approved sender "
                    "as its FROM Filtering."
                ),
            )
        name = server.name if server else config["smtp_server"]
        sender = email_normalize(account.approved_sender or "")
        if sender and email_normalize(actual or "") != sender:
            return SetupCheck(
                WRONG,
                title,
                self.env._(
                    "The server %(server)s would send it from %(actual)s, and Amazon "
                    "refuses that. Enter %(sender)s as FROM Filtering of the outgoing "
                    "mail server.",
                    server=name,
                    actual=actual or self.env._("another address"),
                    sender=sender,
                ),
            )
        return SetupCheck(
            IN_ORDER, title, self.env._("Mails leave by the server %s.", name)
        )

    @api.model
    def _is_configured(self):
        """Whether the configuration file of Odoo names a server that mails leave by.
        Its default is the machine itself: there somebody has to listen."""
        host = config["smtp_server"]
        if host not in LOCAL:
            return bool(host)
        try:
            socket.create_connection((host, config["smtp_port"]), timeout=1).close()
        except OSError:
            return False
        return True

    @api.model
    def _outgoing(self, account):
        """Return the server by which a mail to a buyer would leave, and the address
        that it would come from. A server of odoo.conf is an empty record."""
        servers_sudo = self.env["ir.mail_server"].sudo()
        domain_sudo = account.company_id.sudo().alias_domain_id
        found, actual = servers_sudo.with_context(
            domain_notifications_email=domain_sudo.default_from_email,
            domain_bounce_address=domain_sudo.bounce_email,
        )._find_mail_server(account.approved_sender or False)
        return found or servers_sudo, actual
