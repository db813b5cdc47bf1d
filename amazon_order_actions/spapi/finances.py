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
_ZERO = Decimal(0)
_WITHHELD = "MarketplaceFacilitatorTax"

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
    "RestockingFeeTax": "RestockingFee",
}


@dataclass(frozen=True)
class RefundEvent:
    """What Amazon posted as given back to the buyer: of one item, one component.

    Net of promotions that were taken back with it, since the buyer had not paid them.

    :param datetime posted_date: aware, UTC
    :param str sku: the seller's SKU, empty when Amazon names none
    :param str order_adjustment_item_id: Amazon's id of the adjustment; has nothing to
        do with the order item id nor with our own adjustment id
    :param str component: name as in the refund feed, or Amazon's name of the charge
        where the feed has none
    :param Decimal amount: positive: to the buyer; negative: kept back, as is a
        RestockingFee
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
    charges = [_charge(row) for row in _listed(item, "ItemChargeAdjustmentList")]
    promotions = [
        (
            text_of(_OPERATION, row, "PromotionId"),
            *_to_buyer(row.get("PromotionAmount"), "amount of a promotion"),
        )
        for row in _listed(item, "PromotionAdjustmentList")
    ]
    # Withheld from the seller, not given to the buyer.
    charges = [row for row in charges if not row[0].startswith(_WITHHELD)]
    for component, amount, currency in net(charges, promotions, prices_include_tax):
        yield RefundEvent(
            posted_date=posted,
            sku=text_of(_OPERATION, item, "SellerSKU"),
            order_adjustment_item_id=text_of(_OPERATION, item, "OrderAdjustmentItemId"),
            component=component,
            amount=amount,
            currency=currency,
        )


def _listed(item, name):
    return objects_of(_OPERATION, item, name)


def _charge(row):
    """Return component, amount to the buyer, and currency of a charge."""
    name = text_of(_OPERATION, row, "ChargeType")
    if not name:
        raise MalformedAnswer(_OPERATION, "A refunded charge has no ChargeType.")
    component = CHARGE_TO_COMPONENT.get(name, name)
    return component, *_to_buyer(row.get("ChargeAmount"), f"amount of {component}")


def _to_buyer(money, name):
    amount, currency = amount_of(
        _OPERATION,
        money,
        name,
        amount_key="CurrencyAmount",
        currency_key="CurrencyCode",
    )
    return -amount, currency


def net(charges, promotions, prices_include_tax):
    """Add up what the buyer of an item got back, by component, net of promotions.

    :param charges: rows of component, amount (positive: to the buyer) and currency
    :param promotions: rows of Amazon's id of the promotion, amount (negative: it was
        taken off the refund) and currency
    :param bool prices_include_tax: a tax belongs to the component that it is part of
    :return: rows like `charges`, each component once, without zeros
    :rtype: list
    """
    totals, shipping = {}, set()
    for component, amount, currency in charges:
        if prices_include_tax:
            component = TAX_TO_GROSS.get(component, component)
        if component == "Shipping":
            shipping.add(amount)
        key = component, currency
        totals[key] = totals.get(key, _ZERO) + amount
    for name, amount, currency in promotions:
        price = totals.get(("Principal", currency), _ZERO)
        postage = totals.get(("Shipping", currency), _ZERO)
        whole = -amount == postage or -amount in shipping
        component = _promoted(name, -amount, price, postage, whole)
        key = component, currency
        totals[key] = totals.get(key, _ZERO) + amount
    return [
        (component, amount, currency)
        for (component, currency), amount in totals.items()
        if amount
    ]


def _promoted(name, amount, price, postage, is_whole):
    """Return the component that a promotion belongs to, which Amazon does not tell.

    Every PromotionType is the same (amzn/selling-partner-api-models, issues 197 and
    4267). So: the item price, but the shipping where the promotion is named for it
    ("DE Core Free Shipping ..."), takes off a whole amount of it, or is more than what
    is given back of the price. The sum is right in any case.

    :param Decimal amount: what the promotion takes off
    :param Decimal price: what is given back of the item price
    :param Decimal postage: what is given back of the shipping
    :param bool is_whole: the promotion takes off all of an amount of the shipping
    """
    fits = 0 < amount <= postage
    if fits and ("shipping" in name.lower() or is_whole or amount > price):
        return "Shipping"
    return "Principal"


def _events(events, name, order_id):
    """Return the events of one list that belong to the order.

    An event without an order id counts: the question was for this order only.
    """
    return [
        event
        for event in objects_of(_OPERATION, events, name)
        if event.get("AmazonOrderId") in (None, "", order_id)
    ]
