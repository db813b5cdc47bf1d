from odoo import api, models

from ...spapi.credentials import IncompleteCredentials
from ...spapi.enums import MESSAGE_LIMITS
from ...spapi.errors import Refused, SpApiError


class AmazonMessaging(models.AbstractModel):
    """What Amazon's Messaging API allows for an order."""

    _name = "amazon.messaging"
    _description = "What May Be Sent to the Buyer of an Amazon Order"

    @api.model
    def _read(self, order):
        """Ask Amazon which messages its buyer may be sent now, and the buyer's
        language. Reads only.

        :param amazon.order order: in sudo mode
        :return: ``types``: names of types that can be sent from here; ``locale``, such
            as ``en-GB``; ``problem``: the sentence that says why it is not known, or
            False; ``is_final``: whether asking again would not help
        :rtype: dict
        """
        order.ensure_one()
        account = order.account_id
        answer = {"types": [], "locale": "", "problem": False, "is_final": True}
        try:
            with account._client() as client:
                names = client.get_messaging_actions(
                    order.amazon_order_ref, order.marketplace
                )
                answer["types"] = [name for name in names if name in MESSAGE_LIMITS]
                answer["locale"] = client.get_buyer_locale(
                    order.amazon_order_ref, order.marketplace
                )
        except (SpApiError, IncompleteCredentials) as error:
            # Without the language it can be done; without the types it cannot.
            if not answer["types"]:
                answer["problem"] = account._describe_error(
                    error, order.amazon_order_ref
                )
                answer["is_final"] = isinstance(error, Refused | IncompleteCredentials)
        return answer
