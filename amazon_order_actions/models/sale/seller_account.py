from odoo import fields, models


class AmazonSellerAccount(models.Model):
    """What the account wants done in Odoo after what Amazon did."""

    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

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
