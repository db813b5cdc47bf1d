from odoo import fields, models

from .cancel import CANCEL_REASONS
from .cancel_items import CANCEL_ITEMS_REASONS
from .refund import REFUND_REASONS


class AmazonSellerAccount(models.Model):
    """What an account has set for what its people ask for."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

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
