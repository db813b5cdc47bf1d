from odoo import models
from odoo.tools import SQL

from ...spapi.credentials import IncompleteCredentials
from ...spapi.enums import MESSAGE_LIMITS
from ...spapi.errors import Refused, SpApiError
from ...spapi.marketplaces import RELAY_PATTERN
from .recipient import buyer_of, relay_addresses

# Buyers of one order that are looked at; two are one too many.
ADDRESSES_SHOWN = 200


class AmazonOrder(models.Model):
    """What is said to the buyer of an order, and to whom."""

    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # === THE PANEL, AND WHAT IS KNOWN FOR A TEXT === #

    def _reply_values(self):
        """Return what is known of the order, as text for its buyer.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "order": self.amazon_order_ref,
            "shop": self.account_id.sudo()._shop_name(),
        }

    def _action_columns(self, query):
        """Override: the reply that belongs to each action."""
        replies = self.env["amazon.reply"]
        reply = query.left_join(query.table, "id", "amazon_reply", "action_id", "reply")
        return {
            **super()._action_columns(query),
            "reply_awaited": replies._field_to_sql(reply, "awaited_state", query),
            "reply_state": replies._field_to_sql(reply, "state", query),
        }

    def _panel_actions(self, rows):
        """Override to say what became of the reply to the buyer."""
        actions = super()._panel_actions(rows)
        by_id = {row["id"]: row for row in rows}
        for action in actions:
            action["reply"] = self._panel_reply(by_id[action["id"]])
        return actions

    def _panel_reply(self, row):
        """Return the sentence on the reply that belongs to an action, or False."""
        waiting = {
            "submitted": self.env._(
                "The buyer is written to as soon as Amazon has received it."
            ),
            "accepted": self.env._(
                "The buyer is written to as soon as Amazon has accepted it."
            ),
            "confirmed": self.env._(
                "The buyer is written to as soon as Amazon's data shows it."
            ),
        }
        return {
            "waiting": waiting.get(row["reply_awaited"]),
            "sent": self.env._("The buyer was written to."),
            "failed": self.env._("The reply could not be sent. Write to the buyer."),
            "dropped": self.env._("The buyer was not written to about it."),
            "corrected": self.env._("The buyer was sent a correction."),
            "correcting": self.env._(
                "The buyer was written to, and that does not hold: correct it with "
                "Reply."
            ),
        }.get(row["reply_state"], False)

    # === WHAT AMAZON ALLOWS === #

    def _read_messaging(self):
        """Ask Amazon which messages its buyer may be sent now, and the buyer's
        language. Reads only.

        :return: ``types``: names of types that can be sent from here; ``locale``, such
            as ``en-GB``; ``problem``: the sentence that says why it is not known, or
            False; ``is_final``: whether asking again would not help
        :rtype: dict
        """
        self.ensure_one()
        account = self.account_id
        answer = {"types": [], "locale": "", "problem": False, "is_final": True}
        try:
            with account._client() as client:
                names = client.get_messaging_actions(
                    self.amazon_order_ref, self.marketplace
                )
                answer["types"] = [name for name in names if name in MESSAGE_LIMITS]
                answer["locale"] = client.get_buyer_locale(
                    self.amazon_order_ref, self.marketplace
                )
        except (SpApiError, IncompleteCredentials) as error:
            # Without the language it can be done; without the types it cannot.
            if not answer["types"]:
                answer["problem"] = account._describe_error(
                    error, self.amazon_order_ref
                )
                answer["is_final"] = isinstance(error, Refused | IncompleteCredentials)
        return answer

    # === WHO THE BUYER IS === #

    def _named_buyers(self):
        """Return the buyers' addresses that the documents and mails of this order name,
        each with the document that named it first.

        What is archived counts, too: who may write a document may archive another one.

        :rtype: dict[str, models.Model]
        """
        self.ensure_one()
        named = {}
        for model, document_id, text in self._texts_of_addresses():
            for address in relay_addresses(text):
                document = self.env[model].sudo().browse(document_id)
                named.setdefault(address, document)
        return named

    def _texts_of_addresses(self):
        """Return what may name the buyer, with its document, the oldest first.

        In one query, since forms show what comes of it; each buyer once, so that
        whoever floods an order with mails hides nobody.

        :return: model, id and address
        :rtype: list[tuple[str, int, str]]
        """
        documents = self._document_models()
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
                    model._select_buyer_texts(self) for model in documents
                ),
                pattern=RELAY_PATTERN,
                limit=ADDRESSES_SHOWN,
            )
        )

    def _other_buyer(self, address):
        """Return an address of this order that is another buyer's, and its document.

        :param str address: normalized
        :return: an empty text and None where there is none
        :rtype: tuple[str, models.Model]
        """
        for other, document in self._named_buyers().items():
            if buyer_of(other) != buyer_of(address):
                return other, document
        return "", None
