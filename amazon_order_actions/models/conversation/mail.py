import hashlib

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, formataddr, plaintext2html

from ...spapi.marketplaces import by_relay_address
from .reply_rules import language_of


class AmazonOrderMixin(models.AbstractModel):
    """How a buyer is written to by mail: to the address that Amazon made for the order,
    from a sender that the seller has approved at Amazon ("from any address other than
    … will be rejected", Seller Central help 201054220).

    Whoever calls these methods has checked that the user may write to buyers.
    """

    _name = "amazon.order.mixin"
    _inherit = ["amazon.order.mixin", "amazon.reply.recipient"]

    # === HOOKS OF THE DOCUMENT === #

    def _written_from(self):
        """Hook: return the addresses that the buyer wrote from, as far as these
        documents keep them.

        :rtype: list[str]
        """
        return []

    def _has_buyer_written(self):
        """Hook: whether the buyer has written here."""
        return False

    def _can_be_closed(self):
        """Hook: whether it can be closed once the buyer has the answer."""
        return False

    def _is_closed(self):
        """Hook: whether nobody looks at it any more by itself."""
        return False

    def _close_after_reply(self):
        """Hook: close it, since the buyer has the answer."""

    def _reopen_after_reply(self):
        """Hook: open it again where it is closed, since what the buyer was told does
        not hold."""

    def _person_in_charge(self):
        """Hook: return who looks after it where who asked has left.

        :rtype: res.users
        """
        return self.env["res.users"]

    def _request_text(self):
        """Hook: return what the buyer wants, as HTML, where a person typed it in."""
        return False

    # === WRITING === #

    def _buyer_address(self):
        """Return the buyer's address at Amazon, or an empty text.

        :return: a bare address at ``marketplace.amazon.<tld>``
        :rtype: str
        """
        # the address of the mail that was received first
        known = [*self._written_from(), self.partner_id.email]
        for address in filter(None, known):
            address = email_normalize(address) or ""
            if by_relay_address(address):
                return address
        return ""

    def _reply_language(self):
        """Return the language of the buyer, by the marketplace."""
        marketplace = self._get_amazon_order().marketplace
        if not marketplace:
            relay = by_relay_address(self._buyer_address())
            marketplace = relay and relay.id
        return language_of(marketplace)

    def _mail_blocker(self):
        """Return the sentence that says why the buyer cannot be written to by mail, or
        False.

        :rtype: str | bool
        """
        if not self:
            return self.env._("Open it from a document of the order.")
        order_sudo = self._get_amazon_order()
        if order_sudo.channel == "mcf":
            return self.env._(
                "Amazon only ships this order; its buyer bought elsewhere. Write to "
                "the buyer where the order came from."
            )
        if not self._buyer_address():
            return self.env._(
                "%s has no address of a buyer at Amazon (…@marketplace.amazon.…). It "
                "is the sender of the buyer's own mails.",
                self.display_name,
            )
        return self._sender_blocker(order_sudo.account_id)

    def _stopped_mail(self):
        """Return why nobody writes to buyers now, or False. Whoever stops messages
        means mails, too: they go to the buyer all the same.

        :rtype: str | bool
        """
        account_sudo = self._get_amazon_order().account_id
        held = account_sudo and account_sudo._held_sentences("message")
        return bool(held) and self.env._("%s Mails to its buyers are held, too.", held)

    def _sender_blocker(self, account):
        sender = email_normalize(account.approved_sender or "")
        if not sender:
            return self.env._(
                "The account %s has no approved sender, and Amazon refuses mails from "
                "any other. An administrator can enter it under Amazon > Seller "
                "Accounts.",
                account.name,
            )
        actual = email_normalize(self._actual_sender(sender) or "")
        if actual != sender:
            return self.env._(
                "Odoo's outgoing mail server would send it from %(actual)s, and Amazon "
                "takes mails only from the approved sender %(sender)s. An "
                "administrator can enter that address as FROM Filtering of the "
                "outgoing mail server, or approve the other one in Seller Central.",
                actual=actual or self.env._("another address"),
                sender=sender,
            )
        return False

    def _actual_sender(self, sender):
        """Return the address that a mail from ``sender`` really would come from: Odoo
        replaces it where no outgoing mail server is allowed to use it."""
        domain_sudo = self._reply_domain()
        servers_sudo = (
            self.env["ir.mail_server"]
            .sudo()
            .with_context(
                domain_notifications_email=domain_sudo.default_from_email,
                domain_bounce_address=domain_sudo.bounce_email,
            )
        )
        return servers_sudo._find_mail_server(sender)[1]

    def _reply_domain(self):
        """Return the mail domain that Odoo sends for, in sudo mode."""
        domains = self.sudo()._mail_get_alias_domains(default_company=self.company_id)
        return domains[self.id]

    def _send_reply_mail(self, subject, text, author, is_meant=False):
        """Write to the buyer by mail: exactly these words, nothing around them. Odoo's
        mail queue sends it once this transaction is committed.

        Not a message to the followers: its layout would add links and a logo, which
        Amazon does not allow.

        :param str subject: of the mail
        :param str text: plain text
        :param res.users author: who wrote it
        :param bool is_meant: a person has said that this address is the buyer's,
            though another one is known for the order
        :raise UserError: when it is not possible, or the text is not allowed
        """
        self.ensure_one()
        order_sudo = self._get_amazon_order()
        # also where a server action calls it in sudo mode
        order_sudo._check_working_in(order_sudo.company_id, self.display_name)
        blocker = self._stopped_mail() or self._mail_blocker()
        if blocker:
            raise UserError(blocker)
        account_sudo = order_sudo.account_id
        self._check_mail_authority(author)
        self._check_reply_mail(subject, text)
        document_sudo = self.sudo()
        sender = formataddr(
            (account_sudo._shop_name(), email_normalize(account_sudo.approved_sender))
        )
        address = self._buyer_address()
        body = plaintext2html(text)
        message_sudo = document_sudo._message_create(
            [
                {
                    "model": self._name,
                    "res_id": self.id,
                    "subject": subject,
                    "body": body,
                    "author_id": author.partner_id.id,
                    "email_from": sender,
                    "reply_to": sender,
                    "outgoing_email_to": address,
                    "message_type": "comment",
                    "subtype_id": self.env.ref("mail.mt_comment").id,
                    # it goes to the buyer: no other customer who follows reads it
                    "is_internal": True,
                    "email_add_signature": False,
                    "record_alias_domain_id": self._reply_domain().id,
                    "record_company_id": self.company_id.id,
                }
            ]
        )
        mail_sudo = (
            self.env["mail.mail"]
            .sudo()
            .create(
                {
                    "mail_message_id": message_sudo.id,
                    "body_html": body,
                    "email_to": address,
                    "auto_delete": True,
                }
            )
        )
        mail_sudo.amazon_reply_digest = mail_sudo._amazon_digest()
        # so that the document shows it where the mail cannot be delivered
        self.env["mail.notification"].sudo().create(
            {
                "author_id": author.partner_id.id,
                "mail_message_id": message_sudo.id,
                "mail_mail_id": mail_sudo.id,
                "mail_email_address": address,
                "notification_type": "email",
            }
        )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        self._journal_reply(text, is_meant)

    def _check_mail_authority(self, author):
        """Refuse a mail where the matrix does not let its author write alone.

        :param res.users author: who wrote it
        :raise UserError: with the sentence that says why
        """
        actions = self.env["amazon.action"].with_user(author)
        handler = actions.env["amazon.action.kind.message"]
        order_sudo = self._get_amazon_order()
        why = actions._why_no_mail(handler, order_sudo, self.sudo())
        if why:
            raise UserError(
                self.env._(
                    "A mail cannot wait for a second person. %s Ask somebody who may "
                    "write to buyers alone.",
                    why,
                )
            )

    def _check_reply_mail(self, subject, text):
        """Refuse a mail that Amazon would not pass on.

        :raise UserError: with the sentences that say why
        """
        if "".join((subject or "").splitlines()) != (subject or ""):
            # What follows a line break would be a header of its own.
            raise UserError(self.env._("The subject must be a single line."))
        self.env["amazon.reply.template"]._check_reply(text, subject)
        ref = self._get_amazon_order().amazon_order_ref
        if ref not in f"{subject or ''} {text}":
            raise UserError(
                self.env._(
                    "The number of the order, %s, must stand in the subject or in the "
                    "text: Amazon needs it to pass the mail on.",
                    ref,
                )
            )

    def _journal_reply(self, text, is_meant):
        """Append to the journal that the buyer was written to, by mail; not what, and
        of the address a digest."""
        order_sudo = self._get_amazon_order()
        sentence = self.env._("A mail to the buyer was handed to Odoo.")
        if is_meant:
            sentence = self.env._(
                "A mail to the buyer was handed to Odoo. Another buyer's address is "
                "known for the order; who wrote it said that this one is meant."
            )
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "replied",
                    "company_id": self.company_id.id,
                    "account_id": order_sudo.account_id.id,
                    "amazon_order_ref": order_sudo.amazon_order_ref,
                    "origin_model": self._name,
                    "origin_id": self.id,
                    "origin_name": self[self._rec_name],
                    "message": sentence,
                    "value_after": f"recipient sha256:{self._recipient()}",
                    "payload_digest": hashlib.sha256(text.encode()).hexdigest(),
                }
            ]
        )
