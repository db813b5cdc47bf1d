from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import email_normalize

from .reasons import CANCEL_ITEMS_REASONS, CANCEL_REASONS, REFUND_REASONS

# Hours after which nobody approves any more what waits for approval, unless the account
# says otherwise.
APPROVAL_HOURS, APPROVAL_HOURS_MAX = 24, 720


class AmazonSellerSettings(models.AbstractModel):
    """What an account has set. The rooms that go by it read it here."""

    _name = "amazon.seller.settings"
    _description = "Amazon Settings of a Seller Account"

    company_id = fields.Many2one("res.company")
    company_currency_id = fields.Many2one(related="company_id.currency_id")

    careful_limit_ids = fields.One2many(
        "amazon.careful.limit",
        "account_id",
        "Careful Limits",
        groups="amazon_order_actions.group_admin,amazon_order_actions.group_journal",
    )

    # === FIELDS - BEFORE SOMETHING LEAVES === #

    approval_hours = fields.Integer(
        "Approval Within",
        default=APPROVAL_HOURS,
        required=True,
        help="Hours in which a second person can approve what somebody may not have "
        "sent alone. After half of them the approvers are reminded; after all of them "
        "it expires, and nothing is sent.",
    )
    breaker_amount = fields.Monetary(
        "Most Refunds in an Hour",
        currency_field="company_currency_id",
        help="The most money that may be sent to Amazon in refunds of this account "
        "within 60 minutes, in the company's currency; 0: no maximum. When it is "
        "reached, refunds of this account are stopped until an administrator resumes "
        "them; the hour is then counted anew. A refund that is above it alone, or "
        "whose currency has no rate, is not sent at all.",
    )

    # === FIELDS - REFUNDS AND CANCELLATIONS === #

    refund_reason = fields.Selection(
        REFUND_REASONS,
        "Usual Reason for a Refund",
        help="Filled in when the refund dialog opens.",
    )
    fba_refund_by_feed = fields.Boolean(
        "Refund FBA Orders by Feed",
        help="Amazon does not document that it takes refunds of orders that it ships "
        "itself. Where it rejects one, that order is refunded in Seller Central and "
        "recorded here, as all are while this is off.",
    )
    cancel_reason = fields.Selection(
        CANCEL_REASONS,
        "Usual Reason for a Cancellation",
        help="Filled in when the dialog opens. Where the buyer asked for it in Your "
        "Orders, that is the reason.",
    )
    cancel_by_rest = fields.Boolean(
        "Cancel by REST",
        help="Cancel whole orders by Amazon's operation cancelOrder. Amazon published "
        "and withdrew it several times in 2026; where Amazon does not offer it to this "
        "account, the feed is used by itself.",
    )
    cancel_items_reason = fields.Selection(
        CANCEL_ITEMS_REASONS,
        "Usual Reason for Items",
        help="Filled in when single items are cancelled.",
    )

    # === FIELDS - REPLIES TO BUYERS === #

    approved_sender = fields.Char(
        help="The address that replies to buyers come from. It must be among the "
        "approved senders in Seller Central (Messaging Permissions): Amazon refuses "
        "mails from any other.",
    )
    shop_name = fields.Char(
        help="The name that buyers know the shop by. It stands below replies; the name "
        "of this account where it is empty.",
    )
    messaging_enabled = fields.Boolean(
        "Messages Through Amazon's API",
        help="Buyers can be written to through Amazon's Messaging API as well. The "
        "application needs Amazon's role Buyer Communication for it.",
    )

    # === FIELDS - IN ODOO AFTERWARDS === #

    # Cancelling is the safer default: the buyer of a cancelled order pays nothing, so
    # goods that leave are lost, while a sale order can be set back to a quotation.
    cancel_in_odoo = fields.Selection(
        [
            ("cancel", "Cancel the sale order"),
            ("tell", "Only tell the salesperson"),
        ],
        "After a Cancellation",
        default="cancel",
        required=True,
        help="What happens in Odoo when Amazon has accepted the cancellation of a "
        "whole order.",
    )
    credit_note_on = fields.Selection(
        [
            ("accepted", "When Amazon has accepted a refund"),
            ("confirmed", "When Amazon's finances show a refund"),
        ],
        "Draft Credit Notes",
        help="A draft credit note for what was refunded. It is never posted by itself. "
        "Empty: none is made.",
    )

    _approval_hours = models.Constraint(
        f"CHECK(approval_hours BETWEEN 1 AND {APPROVAL_HOURS_MAX})",
        "An approval must be possible for 1 to 720 hours.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("breaker_amount")
    def _check_breaker_amount(self):
        for account in self:
            currency = account.company_currency_id
            if currency.compare_amounts(account.breaker_amount, 0) < 0:
                raise ValidationError(
                    self.env._(
                        "The most refunds in an hour of the account %s cannot be below "
                        "zero. 0 means that there is no maximum.",
                        account.name,
                    )
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

    # === GETTERS === #

    def _shop_name(self):
        """Return the name that buyers know the shop by, in one line: it stands in the
        header of mails.

        :rtype: str
        """
        return " ".join((self.shop_name or self.name).split())
