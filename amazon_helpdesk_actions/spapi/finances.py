"""Read Amazon's financial events of an order (Finances v0): what was given back.

Shape: Amazon's model financesV0. ``CurrencyAmount`` is a number seen from the seller,
so what goes to the buyer is negative there; here it is positive.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .errors import MalformedAnswer
from .values import amount_of, objects_of, text_of, time_of

_OPERATION = "listFinancialEventsByOrderId"

#: Names of charges in Finances v0 and of components in the refund feed differ.
CHARGE_TO_COMPONENT = {
    "Principal": "Principal",
    "Tax": "Tax",
    "ShippingCharge": "Shipping",
    "ShippingTax": "ShippingTax",
    "Giftwrap": "GiftWrap",
    "GiftWrap": "GiftWrap",
    "GiftwrapTax": "GiftWrapTax",
    "GiftWrapTax": "GiftWrapTax",
    "CODItemCharge": "COD",
    "CODItemTaxCharge": "CODTax",
}

#: Where prices include the tax, a refund names gross amounts; Finances may split them.
TAX_TO_GROSS = {
    "Tax": "Principal",
    "ShippingTax": "Shipping",
    "GiftWrapTax": "GiftWrap",
    "CODTax": "COD",
}

#: Component of a row that takes a promotion back: its amount is negative, since the
#: buyer had not paid that part.
PROMOTION = "Promotion"


@dataclass(frozen=True)
class RefundEvent:
    """One amount that Amazon posted as given back to the buyer.

    :param datetime posted_date: aware, UTC
    :param str sku: the seller's SKU, empty when Amazon names none
    :param str order_adjustment_item_id: Amazon's id of the adjustment; has nothing to
        do with the order item id nor with our own adjustment id
    :param str component: name as in the refund feed, `PROMOTION`, or Amazon's name of
        the charge where the feed has none
    :param Decimal amount: positive: to the buyer
    :param str currency: ISO 4217
    """

    posted_date: datetime
    sku: str
    order_adjustment_item_id: str
    component: str
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class FinancialReading:
    """What the financial events of an order say.

    :param tuple refunds: `RefundEvent` rows
    :param bool claim_found: Amazon posted an A-to-z guarantee claim
    :param bool chargeback_found: Amazon posted a chargeback
    """

    refunds: tuple
    claim_found: bool
    chargeback_found: bool


def parse_events(events, order_id, prices_include_tax):
    """Read the ``FinancialEvents`` of an order.

    An empty answer means "not known yet": orders of the last 48 hours and deferred
    events may be missing.

    :param dict events: what `SellerClient.list_financial_events` returned
    :param str order_id: events of other orders are ignored
    :param bool prices_include_tax: adds refunded tax to the component it is part of,
        see `Marketplace.prices_include_tax`
    :rtype: FinancialReading
    :raises MalformedAnswer: a part is missing; names it
    """
    rows = []
    for event in _events(events, "RefundEventList", order_id):
        posted = time_of(_OPERATION, event.get("PostedDate"), "PostedDate")
        for item in objects_of(_OPERATION, event, "ShipmentItemAdjustmentList"):
            rows += _rows(item, posted, prices_include_tax)
    return FinancialReading(
        refunds=tuple(rows),
        claim_found=bool(_events(events, "GuaranteeClaimEventList", order_id)),
        chargeback_found=bool(_events(events, "ChargebackEventList", order_id)),
    )


def _rows(item, posted, prices_include_tax):
    for component, money in _charges(item):
        if component.startswith("MarketplaceFacilitatorTax"):
            continue  # withheld from the seller, not given to the buyer
        if prices_include_tax:
            component = TAX_TO_GROSS.get(component, component)
        amount, currency = amount_of(
            _OPERATION,
            money,
            f"amount of {component}",
            amount_key="CurrencyAmount",
            currency_key="CurrencyCode",
        )
        if amount:
            yield RefundEvent(
                posted_date=posted,
                sku=text_of(_OPERATION, item, "SellerSKU"),
                order_adjustment_item_id=text_of(
                    _OPERATION, item, "OrderAdjustmentItemId"
                ),
                component=component,
                amount=-amount,
                currency=currency,
            )


def _charges(item):
    """Give pairs of component and Amazon's money object."""
    for charge in objects_of(_OPERATION, item, "ItemChargeAdjustmentList"):
        name = text_of(_OPERATION, charge, "ChargeType")
        if not name:
            raise MalformedAnswer(_OPERATION, "A refunded charge has no ChargeType.")
        yield CHARGE_TO_COMPONENT.get(name, name), charge.get("ChargeAmount")
    for promotion in objects_of(_OPERATION, item, "PromotionAdjustmentList"):
        yield PROMOTION, promotion.get("PromotionAmount")


def _events(events, name, order_id):
    """Return the events of one list that belong to the order.

    An event without an order id counts: the question was for this order only.
    """
    return [
        event
        for event in objects_of(_OPERATION, events, name)
        if event.get("AmazonOrderId") in (None, "", order_id)
    ]
