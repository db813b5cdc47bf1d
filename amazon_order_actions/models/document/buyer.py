from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, email_normalize

from ...spapi.marketplaces import by_relay_address
from ..action.states import RESERVING_STATES

# How far back earlier refunds of a buyer are looked at.
BUYER_DAYS = 365
# A contact of more Amazon orders than this stands for many buyers: some companies keep
# one contact for all of Amazon.
BUYER_ORDERS = 50


class AmazonBuyerHistory(models.AbstractModel):
    """What was refunded before to the buyer of an order, as far as Odoo knows.

    Amazon's orders name no buyer here. Their documents do: the same contact, or the
    same address that Amazon made for the buyer. That Amazon makes the same address
    for later orders of a buyer at the same seller is ASSUMED: it is not documented, and
    where it does not, refunds are missed here, and none is shown of another buyer.
    """

    _name = "amazon.buyer.history"
    _description = "Earlier Refunds of the Buyer of an Amazon Order"

    @api.model
    def _of(self, order):
        """Return the refunds of the last year to the same buyer on other orders.

        :param amazon.order order: one order
        :return: the refunds that Amazon shows, and a sentence
        :rtype: tuple[amazon.order.refund, str]
        """
        order.ensure_one()
        order_sudo = order.sudo()
        history_sudo = self.with_env(order_sudo.env)
        none = order_sudo.env["amazon.order.refund"]
        partners, addresses = history_sudo._buyer_names(order_sudo)
        if not partners and not addresses:
            return none, self.env._(
                "No document of this order names the buyer, so earlier refunds cannot "
                "be told."
            )
        orders = history_sudo._orders_of(order_sudo, partners, addresses)
        if len(orders) > BUYER_ORDERS:
            return none, self.env._(
                "The contact of this order stands for more than %s Amazon orders, so "
                "earlier refunds of this buyer cannot be told apart.",
                BUYER_ORDERS,
            )
        since = fields.Datetime.now() - timedelta(days=BUYER_DAYS)
        refunds = none.search(
            [("order_id", "in", orders.ids), ("posted_at", ">=", since)],
            order="posted_at desc, id desc",
        )
        sentence = history_sudo._buyer_sentence(order_sudo, orders, refunds, since)
        return refunds, sentence

    def _buyer_names(self, order):
        """Return what names the buyer of an order in Odoo.

        :param amazon.order order: the order
        :return: contacts, and addresses at Amazon's relay
        :rtype: tuple[res.partner, set[str]]
        """
        about_it = [
            ("amazon_order_id", "=", order.id),
            ("company_id", "=", order.company_id.id),
        ]
        partners, texts = self.env["res.partner"], []
        for model in self.env["amazon.document"]._document_models():
            documents = model.search(about_it)
            partners |= documents.partner_id
            texts += documents._written_from()
        # a colleague who wrote the document is no buyer
        partners -= partners.filtered("user_ids")
        texts += partners.mapped("email")
        addresses = {email_normalize(text) for text in texts if text}
        return partners, {
            address for address in addresses if address and by_relay_address(address)
        }

    def _orders_of(self, order, partners, addresses):
        """Return the orders beside this one that documents of a buyer are about; a few
        more than `BUYER_ORDERS` at most."""
        models_of_documents = self.env["amazon.document"]._document_models()
        for model in (*models_of_documents, self.env["res.partner"]):
            model.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT amazon_order_id
                  FROM (%(documents)s) AS document
                 WHERE company_id = %(company)s AND amazon_order_id != %(order)s
                 GROUP BY amazon_order_id
                 LIMIT %(limit)s
                """,
                documents=SQL(" UNION ALL ").join(
                    model._select_of_buyer(partners, addresses)
                    for model in models_of_documents
                ),
                company=order.company_id.id,
                order=order.id,
                limit=BUYER_ORDERS + 1,
            )
        )
        return order.browse(order_id for (order_id,) in rows)

    def _buyer_sentence(self, order, orders, refunds, since):
        """Say what was refunded to the buyer on other orders.

        :param amazon.order order: the order at hand
        :param amazon.order orders: the other orders of the buyer
        :param amazon.order.refund refunds: what Amazon shows of them
        :param datetime since: how far back
        """
        asked = self.env["amazon.action"].search(
            [
                ("order_id", "in", orders.ids),
                ("state", "in", RESERVING_STATES),
                ("asked_at", ">=", since),
                ("amount", ">", 0),
            ]
        )
        parts = []
        if refunds:
            single = {
                (row.order_id, row.adjustment_ref or row.posted_at) for row in refunds
            }
            parts.append(
                self.env._(
                    "In the last 12 months: %(amount)s refunded to this buyer on "
                    "other orders (refunds: %(count)s, orders: %(orders)s).",
                    count=len(single),
                    orders=len(refunds.order_id),
                    amount=self._sum_up(order.company_id, refunds, "posted_at"),
                )
            )
        else:
            parts.append(
                self.env._(
                    "No refund to this buyer on another order is known of the last 12 "
                    "months (other orders known here: %s).",
                    len(orders),
                )
            )
        if asked:
            parts.append(
                self.env._(
                    "Asked for besides, and not seen at Amazon yet: %s.",
                    self._sum_up(order.company_id, asked, "asked_at"),
                )
            )
        return " ".join(parts)

    def _sum_up(self, company, rows, moment):
        """Return the sum of amounts in the company's currency, as a person reads it.

        :param res.company company: the company
        :param rows: records with an amount and its currency
        :param str moment: the field of the day whose rate counts
        """
        currency = company.currency_id
        total = sum(
            row.currency_id._convert(row.amount, currency, company, row[moment].date())
            for row in rows
        )
        return self.env["amazon.action.kind"]._money(total, currency)
