from odoo import models

# What the chatter asks for that is no more than a portal page shows.
SHOWN = ("attachments", "display_name")


class MailThread(models.AbstractModel):
    """What of a document of Amazon's is shown to people from outside.

    `mail` answers whoever has the link of a mail, without a login, in sudo mode
    (/mail/data): with names and addresses of all that wrote, among them the buyer's, of
    who follows, with what colleagues have planned and not sent yet, and with the files
    of their notes.

    Here, and not in `amazon.order.mixin`: that comes behind `mail.thread` in each of
    its documents, whose methods call no others.
    """

    _inherit = "mail.thread"

    def _is_amazon_outsider(self):
        """Whether it is a document of Amazon's, and the real user none that works here
        and may read it: the link of a mail opens it to anybody."""
        is_colleague = self.env.user._is_internal() and self.sudo(False).has_access(
            "read"
        )
        mixin = self.env.registry["amazon.order.mixin"]
        return isinstance(self, mixin) and not is_colleague

    def _message_get_suggested_recipients(self, *args, **kwargs):
        """Override of `mail` to offer nobody to people from outside."""
        if self._is_amazon_outsider():
            return []
        return super()._message_get_suggested_recipients(*args, **kwargs)

    def _thread_to_store(self, store, fields, *, request_list=None):
        """Override of `mail` to tell people from outside what their page shows."""
        if request_list and self._is_amazon_outsider():
            request_list = [name for name in request_list if name in SHOWN]
        return super()._thread_to_store(store, fields, request_list=request_list)

    def _get_mail_thread_data_attachments(self):
        """Override of `mail` to keep the files of notes from people from outside."""
        files = super()._get_mail_thread_data_attachments()
        if self._is_amazon_outsider():
            return files - self._files_of_notes(files)
        return files

    def _files_of_notes(self, files):
        """Return those files that hang on messages alone that customers are not shown.

        :param ir.attachment files: of this document
        :rtype: ir.attachment
        """
        messages_sudo = self.env["mail.message"].sudo()
        messages_sudo = messages_sudo.search([("attachment_ids", "in", files.ids)])
        shown_sudo = messages_sudo.filtered_domain(
            messages_sudo._get_search_domain_share()
        )
        return messages_sudo.attachment_ids - shown_sudo.attachment_ids
