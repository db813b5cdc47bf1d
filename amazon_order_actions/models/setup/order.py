import re

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date, formatLang

from ...spapi import orders as spapi_orders
from ...spapi.errors import IncompleteCredentials, SpApiError
from ...spapi.marketplaces import MARKETPLACES
from ..account.setup import IN_ORDER, TO_DO, SetupCheck
from ..base.background import in_own_transaction
from ..order.order import ORDER_REF

_lt = LazyTranslate(__name__)


class AmazonSetupStepOrder(models.AbstractModel):
    """The first order, read from Amazon while somebody waits."""

    _name = "amazon.setup.step.order"
    _inherit = "amazon.setup.step"
    _description = "Amazon Set-Up: First Order"

    _place = 90
    _label = _lt("First order")
    _looks_at = ("setup_order_answer",)

    @api.model
    def _checks(self, account):
        """Override: what was read, and what to do with it."""
        title = self.env._("First order")
        if not account.setup_order_answer:
            sentence = self.env._(
                "Enter the number of an order of this account and click Read It. It is "
                "only looked at, nothing is changed or kept."
            )
            return [SetupCheck(TO_DO, title, sentence)]
        return [
            SetupCheck(IN_ORDER, title, account.setup_order_answer),
            SetupCheck(IN_ORDER, self.env._("What comes next"), self._next()),
        ]

    @api.model
    def _next(self):
        """Hook: say where the order is worked on."""
        return self.env._(
            "Enter the number in a sale order, under Amazon Order. It shows the order "
            "then, with the buttons that the rights of the person give."
        )

    @api.model
    def _try(self, account):
        """Override: read the order from Amazon, and show what it says. Only reads, so
        that Odoo may run it twice; no document and no order is made of it.

        :raise UserError: when it cannot be read, with the reason
        """
        ref = (account.setup_order_ref or "").strip()
        if not re.fullmatch(ORDER_REF, ref):
            raise UserError(
                self.env._(
                    "Enter an order number of Amazon, such as 302-1234567-1234567."
                )
            )
        problem = account._connection_problem()
        if problem:
            raise UserError(problem)
        try:
            with account._client() as client:
                order = spapi_orders.parse_order(client.get_order(ref))
        except (SpApiError, IncompleteCredentials) as error:
            raise UserError(account._describe_error(error, ref)) from None
        # the access token was written in the account's row meanwhile
        in_own_transaction(
            account, "write", {"setup_order_answer": self._order_sentence(order)}
        )
        account.invalidate_recordset()

    def _order_sentence(self, order):
        """Return what an order is, without anything of its buyer.

        :param OrderReading order: as parsed
        :rtype: str
        """
        market = MARKETPLACES.get(order.marketplace_id)
        total = sum(sum(line.charges.values()) for line in order.lines)
        return self.env._(
            "%(ref)s (%(market)s), ordered on %(date)s: %(status)s, %(channel)s, "
            "items: %(count)s, %(total)s %(currency)s. Read from Amazon just now.",
            ref=order.order_id,
            market=market.name if market else self.env._("not at Amazon"),
            date=format_date(self.env, order.purchase_date),
            status=self._order_label("fulfillment_status", order.status),
            channel=self._order_label("channel", order.channel),
            count=len(order.lines),
            total=formatLang(self.env, float(total), digits=2),
            currency=order.currency,
        )

    def _order_label(self, name, value):
        field = self.env["amazon.order"]._fields[name]
        return dict(field._description_selection(self.env)).get(value, value)
