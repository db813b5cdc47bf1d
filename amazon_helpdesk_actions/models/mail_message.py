from odoo import api, models
from odoo.fields import Domain


class MailMessage(models.Model):
    """Notes on tickets and sale orders are for colleagues alone.

    `mail` keeps notes from customers in every search, and a *comment* from being read
    by its id. Notes that a program writes are no comments for it: a customer who
    guesses ids could read what was refunded, by whom, and what the buyer was told.

    Neither does it keep them from a search of documents by their messages: a customer
    could guess them letter by letter, with ``message_ids.body`` of the own ticket.
    """

    _inherit = "mail.message"

    @api.model
    def _search(self, domain, *args, bypass_access=False, **kwargs):
        """Override of `mail` to search by nothing that customers are not shown."""
        if bypass_access and not self.env.su and not self.env.user._is_internal():
            domain = Domain(domain) & self._get_search_domain_share()
        return super()._search(domain, *args, bypass_access=bypass_access, **kwargs)

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
