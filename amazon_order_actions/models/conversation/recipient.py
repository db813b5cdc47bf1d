import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize_all

from ...spapi.marketplaces import RELAY_PATTERN, by_relay_address

# Characters of an address that tell it from another one.
CHARACTERS_SHOWN = 3
# Buyers of one order that are looked at; two are one too many.
ADDRESSES_SHOWN = 200
# What of a mail may not change between the click and its sending.
MAIL_FIELDS = ("subject", "body_html", "email_from", "reply_to", "email_to", "email_cc")


def relay_addresses(text):
    """Return the buyers' addresses at Amazon that a text of addresses names.

    :param str text: as in the header or field of a mail; may be False
    :rtype: list[str]
    """
    return [
        address
        for address in email_normalize_all(text or "")
        if by_relay_address(address)
    ]


def buyer_of(address):
    """Return the part of a buyer's address that stands for the buyer.

    Amazon gives each buyer one address for each seller, which stays (Seller Central
    help G200383320: "remains the same for all future contact with the same buyer"). So
    two of them for one order are two buyers. ASSUMED: what follows a plus names a
    conversation, as everywhere in mail.

    :param str address: normalized
    :rtype: str
    """
    name, _at, domain = address.partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def masked(address):
    """Return an address so that a person can tell it from another one, and no more."""
    name, _at, domain = address.partition("@")
    return f"{name[:CHARACTERS_SHOWN]}…@{domain}"


def recipient_digest(order_ref, address):
    """Return what the journal keeps of an address: whoever holds the address can prove
    with it where a reply went.

    Without a key, so that nobody needs one for that, today or in ten years. The name
    in Amazon's addresses is made at random (15 letters and digits), so trying finds
    none; with the order's number, the same buyer's orders cannot be joined by it.

    :param str order_ref: Amazon's number of the order
    :param str address: normalized
    :rtype: str
    """
    return hashlib.sha256(f"{order_ref}\n{address}".encode()).hexdigest()


class AmazonOrderBuyers(models.AbstractModel):
    """Who the buyer of an order may be, by the addresses that are known of it."""

    _name = "amazon.order.buyers"
    _description = "Buyers of an Amazon Order by Their Addresses"

    @api.model
    def _named(self, order):
        """Return the buyers' addresses that the documents and mails of an order name,
        each with the document that named it first.

        What is archived counts, too: who may write a document may archive another one.

        :param amazon.order order: one order
        :rtype: dict[str, models.Model]
        """
        order.ensure_one()
        named = {}
        for model, document_id, text in self._texts_of_addresses(order):
            for address in relay_addresses(text):
                document = self.env[model].sudo().browse(document_id)
                named.setdefault(address, document)
        return named

    def _texts_of_addresses(self, order):
        """Return what may name the buyer, with its document, the oldest first.

        In one query, since forms show what comes of it; each buyer once, so that
        whoever floods an order with mails hides nobody.

        :return: model, id and address
        :rtype: list[tuple[str, int, str]]
        """
        documents = self.env["amazon.document"]._document_models()
        for model in (*documents, self.env["res.partner"], self.env["mail.message"]):
            model.flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT model, min(id) AS first_id, min(found[1])
                  FROM (%(texts)s) AS named
                 CROSS JOIN LATERAL
                       regexp_matches(lower(text), %(pattern)s, 'g') AS found
                 WHERE text ILIKE '%%@marketplace.amazon.%%'
                 -- as `buyer_of` tells them apart
                 GROUP BY model, regexp_replace(found[1], '[+][^@]*', '')
                 ORDER BY model, first_id
                 LIMIT %(limit)s
                """,
                texts=SQL(" UNION ALL ").join(
                    model._select_buyer_texts(order) for model in documents
                ),
                pattern=RELAY_PATTERN,
                limit=ADDRESSES_SHOWN,
            )
        )

    @api.model
    def _other_than(self, address, order):
        """Return an address of an order that is another buyer's, and its document.

        :param str address: normalized
        :param amazon.order order: one order
        :return: an empty text and None where there is none
        :rtype: tuple[str, models.Model]
        """
        for other, document in self._named(order).items():
            if buyer_of(other) != buyer_of(address):
                return other, document
        return "", None


class AmazonReplyRecipient(models.AbstractModel):
    """Where a reply from a document goes, and whether that is the buyer.

    The address is fixed with the click: what is written later, by whomever, stops the
    reply and moves it nowhere. A part of what each document of an order can do, see
    mail.py.
    """

    _name = "amazon.reply.recipient"
    _description = "Recipient of Replies From a Document"

    @api.model
    def _select_buyer_texts(self, order):
        """Hook: select what may name the buyer in documents of an order: model, id and
        text.

        :param amazon.order order: what they are about
        :rtype: SQL
        """
        return SQL(
            """
            SELECT %(model)s AS model, document.id AS id, partner.email AS text
              FROM %(table)s AS document
              JOIN res_partner AS partner ON partner.id = document.partner_id
             WHERE document.amazon_order_id = %(order)s
               AND document.company_id = %(company)s
            """,
            model=self._name,
            table=SQL.identifier(self._table),
            order=order.id,
            company=order.company_id.id,
        )

    def _recipient(self):
        """Return the digest of where a mail to the buyer would go now, or False.

        :rtype: str | bool
        """
        address = self._buyer_address() if self else ""
        ref = self._get_amazon_order().amazon_order_ref if self else ""
        return bool(address) and recipient_digest(ref, address)

    def _check_recipient(self, recipient):
        """Refuse a mail that would not go where it was meant to go.

        :param recipient: what :meth:`_recipient` returned when it was asked for
        :raise UserError: with the sentence that says so
        """
        if not recipient or recipient != self._recipient():
            raise UserError(
                self.env._(
                    "The buyer's address on %(document)s has changed since this reply "
                    "was asked for, so the reply went to nobody. Check whose address "
                    "it is now, then write with Reply.",
                    document=self.display_name,
                )
            )

    def _recipient_doubt(self):
        """Return the sentence that says why the address may not be the buyer's, or
        False.

        :rtype: str | bool
        """
        address = self._buyer_address() if self else ""
        if not address:
            return False
        buyers = self.env["amazon.order.buyers"]
        other, document = buyers._other_than(address, self._get_amazon_order())
        return bool(other) and self.env._(
            "This reply goes to %(address)s, and %(document)s has %(other)s for the "
            "same order. Amazon gives each buyer one address, so one of them may not "
            "be the buyer's.",
            address=masked(address),
            document=self._describe_other(document),
            other=masked(other),
        )

    def _describe_other(self, document):
        """Name another document, as far as the user may read it."""
        if document == self.sudo():
            return self.env._("this document also")
        is_readable = document.sudo(False).has_access("read")
        return document.display_name if is_readable else self.env._("another document")

    def _amazon_stranger(self):
        """Hook: say in a sentence that whoever wrote may not be the buyer, or False."""
        return False


class MailMail(models.Model):
    _inherit = "mail.mail"

    amazon_reply_digest = fields.Char(
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
        help="Of a reply to a buyer: the digest of what was to be sent, and to whom.",
    )

    def _amazon_digest(self):
        """Return the digest of all that is sent, and of where it goes."""
        self.ensure_one()
        content = [self[name] or "" for name in MAIL_FIELDS]
        content += [self.headers or "", self.recipient_ids.ids, self.attachment_ids.ids]
        # the server says which sender Amazon sees
        content += [self.mail_server_id.id, self.record_alias_domain_id.id]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _send(self, *args, **kwargs):
        """Override of `mail` to hold replies to buyers that somebody has changed: the
        subject, the server and the attachments of a mail that waits can be, by whoever
        may write its document."""
        changed = self.browse()
        for mail in self.sudo():
            digest = mail.state == "outgoing" and mail.amazon_reply_digest
            if digest and digest != mail._amazon_digest():
                mail._hold_amazon_reply()
                changed += mail
        return super(MailMail, self - changed)._send(*args, **kwargs)

    def _hold_amazon_reply(self):
        """Do not send a reply, and have its author look at it."""
        reason = self.env._(
            "The reply to the buyer was changed after it had been checked, so it was "
            "not sent. Write it again with Reply."
        )
        self.write({"state": "exception", "failure_reason": reason})
        self._postprocess_sent_message([], [], reason, "unknown")
        message = self.mail_message_id
        document = self.env[message.model].browse(message.res_id)
        document._message_log(body=reason)
        document.activity_schedule(
            "amazon_order_actions.mail_activity_type_reply",
            summary=self.env._("Reply to the buyer"),
            note=reason,
            user_id=message.author_id.main_user_id.id or self.env.uid,
        )
