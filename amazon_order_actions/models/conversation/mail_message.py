from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# What of a reply stays as it was written.
KEPT_OF_REPLY = {
    *("subject", "body", "author_id", "email_from", "outgoing_email_to", "date"),
    *("model", "res_id", "is_internal", "subtype_id", "message_type"),
}


class MailMessage(models.Model):
    """Notes on documents of Amazon orders are for colleagues alone.

    `mail` keeps notes from customers in every search, and a *comment* from being read
    by its id. Notes that a program writes are no comments for it: a customer who
    guesses ids could read what was refunded, by whom, and what the buyer was told.

    Neither does it keep them from a search of documents by their messages: a customer
    could guess them letter by letter, with ``message_ids.body`` of the own document.

    And what a buyer was written stays as it was written.
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

    # === WHAT A BUYER WAS WRITTEN === #

    def write(self, vals):
        """Override to keep what a buyer was written: evidence tells it as it left. Who
        must remove it, deletes it."""
        if KEPT_OF_REPLY & set(vals) and self.env.uid != SUPERUSER_ID:
            self._check_no_reply()
        return super().write(vals)

    def _check_no_reply(self):
        """Refuse to change a reply to a buyer.

        :raise UserError: when there is one among these
        """
        # sudo: what it is does not depend on who asks
        asked_sudo = self.sudo()
        mixin = self.pool["amazon.order.mixin"]
        replies_sudo = asked_sudo.filtered(
            lambda message: (
                message.outgoing_email_to
                and issubclass(self.pool.get(message.model, object), mixin)
            )
        )
        texts = [("text_message_id", "in", self.ids)]
        if replies_sudo or asked_sudo.env["amazon.action"].search_count(texts, limit=1):
            raise UserError(
                self.env._(
                    "What the buyer was written cannot be changed afterwards. Write "
                    "again with Reply."
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_waiting_reply(self):
        """Keep a reply to a buyer until it has left: whoever may write its document
        could delete it, and everybody would take the buyer for written to."""
        waiting = [
            ("mail_message_id", "in", self.ids),
            ("state", "=", "outgoing"),
            ("amazon_reply_digest", "!=", False),
        ]
        if self.env["mail.mail"].sudo().search_count(waiting, limit=1):
            raise UserError(
                self.env._(
                    "A reply to the buyer waits in Odoo's mail queue, and cannot be "
                    "deleted before it has left."
                )
            )
