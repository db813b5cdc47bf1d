from odoo import models


class MailMessage(models.Model):
    """Notes on tickets and sale orders are for colleagues alone.

    `mail` keeps notes from customers in every search, and a *comment* from being read
    by its id. Notes that a program writes are no comments for it: a customer who
    guesses ids could read what was refunded, by whom, and what the buyer was told.
    """

    _inherit = "mail.message"

    def _get_forbidden_access(self, operation):
        """Override of `mail` to refuse by id what no search shows."""
        forbidden = super()._get_forbidden_access(operation)
        if self.env.user._is_internal():
            return forbidden
        mixin = self.pool["amazon.order.mixin"]
        # sudo: to read is what is being decided
        notes_sudo = (
            (self - forbidden)
            .sudo()
            .filtered(
                lambda message: issubclass(self.pool.get(message.model, object), mixin)
            )
        )
        # of what a search shows to customers
        shown_sudo = notes_sudo.filtered_domain(self._get_search_domain_share())
        return forbidden + (notes_sudo - shown_sudo).sudo(False)
