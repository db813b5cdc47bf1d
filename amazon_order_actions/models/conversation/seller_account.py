from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize


class AmazonSellerAccount(models.Model):
    """Who the shop is to its buyers."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    approved_sender = fields.Char(
        help="The address that replies to buyers come from. It must be among the "
        "approved senders in Seller Central (Messaging Permissions): Amazon refuses "
        "mails from any other.",
    )
    shop_name = fields.Char(
        help="The name that buyers know the shop by. It stands below replies; the name "
        "of this account where it is empty.",
    )

    @api.constrains("approved_sender")
    def _check_approved_sender(self):
        for account in self.filtered("approved_sender"):
            if not email_normalize(account.approved_sender):
                raise ValidationError(
                    self.env._(
                        "%(sender)s, the approved sender of the account %(account)s, "
                        "is not a mail address. Enter a single address, such as "
                        "amazon@example.com.",
                        sender=account.approved_sender,
                        account=account.name,
                    )
                )

    def _shop_name(self):
        """Return the name that buyers know the shop by, in one line: it stands in the
        header of mails."""
        return " ".join((self.shop_name or self.name).split())

    def _resume_sending(self, kind=False):
        """Override to write to the buyers whose replies were held."""
        result = super()._resume_sending(kind)
        if kind in (False, "message"):
            held = (
                self.env["amazon.reply"]
                .sudo()
                .search([("account_id", "in", self.ids), ("state", "=", "waiting")])
                .action_id
            )
            held.env["amazon.action.follower.reply"]._follow_contained(held)
        return result
