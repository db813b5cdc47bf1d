from odoo import models


class AmazonOrderMixin(models.AbstractModel):
    """Who is offered as a recipient of what is written on a document.

    `mail` answers that also to who is not logged in and has the link of a mail
    (/mail/data): names and addresses of all that wrote, among them the buyer's.
    """

    _inherit = "amazon.order.mixin"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _message_get_suggested_recipients(self, *args, **kwargs):
        """Override of `mail` to offer nobody to people from outside."""
        if not self.env.user._is_internal():
            return []
        return super()._message_get_suggested_recipients(*args, **kwargs)
