"""Read an order of Amazon (Orders 2026-01-01) into what the addon needs.

Shape: Amazon's model orders_2026-01-01; which number of the old API stands where:
Amazon's migration data (selling-partner-api-samples, orders-api-migration-data.json).
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from .errors import MalformedAnswer
from .marketplaces import MARKETPLACES
from .values import (
    MAX_NAME,
    MAX_READ,
    amount_of,
    object_of,
    objects_of,
    read_of,
    text_of,
    time_of,
    units_of,
)

_OPERATION = "getOrder"
_ZERO = Decimal(0)

FBM, FBA, MCF = "fbm", "fba", "mcf"

#: Assumed: no order has more items. Amazon's model names no limit.
MAX_ITEMS = 1000

#: Type of a breakdown of proceeds, component of the refund feed, component of its tax.
_COMPONENTS = (
    ("ITEM", "Principal", "Tax"),
    ("SHIPPING", "Shipping", "ShippingTax"),
    ("GIFT_WRAP", "GiftWrap", "GiftWrapTax"),
)


#: Components whose discounts a refund can take back by themselves.
_DISCOUNTED = ("Principal", "Shipping")


class Package(NamedTuple):
    """One package of an order of the seller's own fulfilment.

    :param str reference: the seller's id of it, unique within the order
    :param str carrier: its name, as Amazon shows it
    :param str tracking_number: empty where Amazon shows none
    :param datetime ship_date: aware, UTC; None while it has not left
    """

    reference: str
    carrier: str
    tracking_number: str
    ship_date: datetime | None


@dataclass(frozen=True)
class OrderLineReading:
    """One item of an order as Amazon shows it.

    :param str order_item_id: Amazon's id
    :param str sku: the seller's SKU
    :param str asin: Amazon's product id
    :param str title: of the product
    :param int quantity_ordered: units
    :param int quantity_fulfilled: units already shipped
    :param dict charges: Decimal by component of the refund feed, for the whole line and
        net of discounts: Principal, Shipping, GiftWrap; with Tax, ShippingTax,
        GiftWrapTax only where prices do not include the tax. Zero amounts are left out.
        Empty while Amazon shows no prices (pending orders)
    :param bool tax_by_amazon: Amazon collects the tax itself (marketplace facilitator)
    :param bool cancel_requested: the buyer asked for cancellation of this item
    :param str cancel_reason: the buyer's reason, or that of the cancellation
    :param str cancelled_by: ``BUYER``, ``MERCHANT``, ``AMAZON``, empty if not cancelled
    :param int quantity_unfulfilled: units still to be shipped, None where Amazon does
        not tell. The model has no number of cancelled units
    :param dict discounts: positive Decimal by component, Principal and Shipping: what
        promotions took off. `charges` with these added are the prices before
    :param tuple promotion_ids: Amazon's ids of the promotions; it does not tell which
        of them took off what
    """

    order_item_id: str
    sku: str
    asin: str
    title: str
    quantity_ordered: int
    quantity_fulfilled: int
    charges: dict = field(default_factory=dict)
    tax_by_amazon: bool = False
    cancel_requested: bool = False
    cancel_reason: str = ""
    cancelled_by: str = ""
    quantity_unfulfilled: int | None = None
    discounts: dict = field(default_factory=dict)
    promotion_ids: tuple = ()


@dataclass(frozen=True)
class OrderReading:
    """An order as Amazon shows it; holds nothing about the buyer.

    :param str order_id: Amazon's order number
    :param str marketplace_id: empty for an order from outside of Amazon that names none
    :param str status: Amazon's ``fulfillmentStatus``, kept as it is when unknown
    :param str channel: ``fbm``, ``fba`` or ``mcf``
    :param str currency: ISO 4217; of the marketplace while no amount is shown
    :param datetime purchase_date: aware, UTC
    :param datetime last_update: aware, UTC
    :param tuple lines: `OrderLineReading`
    :param tuple packages: `Package`, those that are not cancelled
    :param tuple package_references: the seller's ids of all packages, which must be
        unique within the order
    :param str seller_order_id: the seller's own number of the order, empty where Amazon
        shows none
    """

    order_id: str
    marketplace_id: str
    status: str
    channel: str
    currency: str
    purchase_date: datetime
    last_update: datetime
    lines: tuple
    packages: tuple = ()
    package_references: tuple = ()
    seller_order_id: str = ""

    @property
    def cancel_requested(self):
        """True when the buyer asked for cancellation of at least one item."""
        return any(line.cancel_requested for line in self.lines)

    @property
    def cancelled_by(self):
        """Who cancelled: ``BUYER``, ``MERCHANT``, ``AMAZON``; empty unless one alone.

        Items of one order may be cancelled by different parties; see `lines` then.
        """
        parties = {line.cancelled_by for line in self.lines}
        return parties.pop() if len(parties) == 1 else ""


def parse_order(order):
    """Read Amazon's ``order`` object.

    :param dict order: what `SellerClient.get_order` returned, with PROCEEDS,
        CANCELLATION and FULFILLMENT among the included data; discounts have their
        names only with PROMOTION, packages are there only with PACKAGES
    :rtype: OrderReading
    :raises MalformedAnswer: a part that is needed is missing; names it
    """
    channel = _object(order, "salesChannel")
    marketplace_id = text_of(_OPERATION, channel, "marketplaceId")
    outside = channel.get("channelName") == "NON_AMAZON"
    if not marketplace_id and not outside:
        raise _missing("salesChannel.marketplaceId")
    market = MARKETPLACES.get(marketplace_id)
    items = objects_of(_OPERATION, order, "orderItems")
    if not 0 < len(items) <= MAX_ITEMS:
        raise _missing("orderItems")
    currency = _currency(order, items) or (market.currency if market else "")
    # A marketplace that is not in our table: as in most, prices include the tax; then
    # no tax is added, and the amounts are rather too small than too big.
    gross = market.prices_include_tax if market else True
    fulfillment = _object(order, "fulfillment")
    packages = objects_of(_OPERATION, order, "packages")
    return OrderReading(
        order_id=_string(order, "orderId"),
        marketplace_id=marketplace_id,
        status=_string(fulfillment, "fulfillmentStatus", "fulfillment."),
        channel=_channel(fulfillment, outside),
        currency=currency,
        purchase_date=time_of(_OPERATION, order.get("createdTime"), "createdTime"),
        last_update=time_of(
            _OPERATION, order.get("lastUpdatedTime"), "lastUpdatedTime"
        ),
        lines=tuple(_line(item, gross) for item in items),
        packages=tuple(_package(row) for row in packages if not _is_cancelled(row)),
        package_references=tuple(
            _string(row, "packageReferenceId", "packages.") for row in packages
        ),
        seller_order_id=_seller_order_id(order),
    )


def _seller_order_id(order):
    """Return the seller's own number of an order, from its aliases."""
    for alias in objects_of(_OPERATION, order, "orderAliases"):
        if alias.get("aliasType") == "SELLER_ORDER_ID":
            return text_of(_OPERATION, alias, "aliasId")
    return ""


def _package(row):
    shipped = row.get("shipTime")
    return Package(
        reference=_string(row, "packageReferenceId", "packages."),
        carrier=text_of(_OPERATION, row, "carrier"),
        tracking_number=text_of(_OPERATION, row, "trackingNumber"),
        ship_date=time_of(_OPERATION, shipped, "shipTime") if shipped else None,
    )


def _is_cancelled(row):
    status = object_of(_OPERATION, row, "packageStatus")
    return status.get("status") == "CANCELLED"


def _channel(fulfillment, outside):
    """Return who fulfils.

    Multi-Channel Fulfillment is what Amazon ships for orders from outside: the model
    has ``channelName`` NON_AMAZON, and says of UNFULFILLABLE that it "only applies to
    Amazon-fulfilled orders that were not placed on Amazon's retail website".
    """
    if outside:
        return MCF
    party = fulfillment.get("fulfilledBy")
    if party not in ("MERCHANT", "AMAZON"):
        raise _missing("fulfillment.fulfilledBy")
    return FBM if party == "MERCHANT" else FBA


def _line(item, prices_include_tax):
    product = _object(item, "product")
    cancellation = object_of(_OPERATION, item, "cancellation")
    request = object_of(_OPERATION, cancellation, "cancellationRequest")
    execution = object_of(_OPERATION, cancellation, "cancellationExecution")
    tax = object_of(_OPERATION, item, "tax")
    fulfillment = object_of(_OPERATION, item, "fulfillment")
    charges, discounts = _charges(item, prices_include_tax)
    return OrderLineReading(
        order_item_id=_string(item, "orderItemId", "orderItems."),
        sku=text_of(_OPERATION, product, "sellerSku"),
        asin=text_of(_OPERATION, product, "asin"),
        title=read_of(_OPERATION, product, "title"),
        quantity_ordered=_count(item, "quantityOrdered"),
        quantity_fulfilled=_count(fulfillment, "quantityFulfilled", default=0),
        charges=charges,
        tax_by_amazon=any(
            entry.get("model") == "MARKETPLACE_FACILITATOR"
            for entry in objects_of(_OPERATION, tax, "taxCollections")
        ),
        cancel_requested=request.get("requester") == "BUYER",
        cancel_reason=read_of(_OPERATION, request or execution, "cancelReason"),
        cancelled_by=text_of(_OPERATION, execution, "cancelledBy"),
        quantity_unfulfilled=(
            _count(fulfillment, "quantityUnfulfilled")
            if "quantityUnfulfilled" in fulfillment
            else None
        ),
        discounts=discounts,
        promotion_ids=_promotion_ids(item),
    )


def _promotion_ids(item):
    promotion = object_of(_OPERATION, item, "promotion")
    rows = objects_of(_OPERATION, promotion, "breakdowns")
    names = (text_of(_OPERATION, row, "promotionId", MAX_READ) for row in rows)
    return tuple(dict.fromkeys(name for name in names if name))


def _charges(item, prices_include_tax):
    """Return what the buyer was charged for a line, and what discounts took off it.

    :return: two dicts by component of the refund feed, without zeros
    :rtype: tuple
    """
    proceeds = object_of(_OPERATION, item, "proceeds")
    totals, details = _breakdowns(proceeds)
    discounts = _discounts(totals, details)
    taxes = _taxes(details)
    add_tax = not prices_include_tax or _tax_is_on_top(proceeds, totals)
    charges, taken_off = {}, {}
    for kind, component, tax_component in _COMPONENTS:
        price, discount = totals.get(kind, _ZERO), discounts.get(kind, _ZERO)
        net = price - discount
        tax = taxes.get(kind, _ZERO) if add_tax else _ZERO
        if prices_include_tax:
            # Gross: the feed of such a marketplace takes no component for tax.
            net, tax = net + tax, _ZERO
        charges[component] = net
        charges[tax_component] = tax
        if component in _DISCOUNTED:
            # A discount takes off no more than there is.
            taken_off[component] = min(discount, discount + net)
    return _above_zero(charges), _above_zero(taken_off)


def _above_zero(amounts):
    return {name: amount for name, amount in amounts.items() if amount > 0}


def _breakdowns(proceeds):
    """Return subtotals by type, and details by type and subtype; discounts positive."""
    totals, details = {}, {}
    for row in objects_of(_OPERATION, proceeds, "breakdowns"):
        kind = text_of(_OPERATION, row, "type")
        subtotal, _currency_code = amount_of(
            _OPERATION, row.get("subtotal"), f"subtotal of {kind}"
        )
        if kind == "DISCOUNT":
            subtotal = abs(subtotal)  # Amazon's model does not tell its sign
        totals[kind] = totals.get(kind, _ZERO) + subtotal
        for detail in objects_of(_OPERATION, row, "detailedBreakdowns"):
            key = (kind, text_of(_OPERATION, detail, "subtype"))
            value, _currency_code = amount_of(
                _OPERATION, detail.get("value"), f"detail of {kind}"
            )
            if "DISCOUNT" in key:
                value = abs(value)
            details[key] = details.get(key, _ZERO) + value
    return totals, details


def _discounts(totals, details):
    """Return discounts by type of charge; what has no detail belongs to the item."""
    named = {
        subtype: value
        for (kind, subtype), value in details.items()
        if kind == "DISCOUNT"
    }
    rest = totals.get("DISCOUNT", _ZERO) - sum(named.values(), _ZERO)
    named["ITEM"] = named.get("ITEM", _ZERO) + max(rest, _ZERO)
    return named


def _taxes(details):
    """Return taxes by type of charge, that of the item net of the discount's tax."""
    taxes = {
        subtype: value for (kind, subtype), value in details.items() if kind == "TAX"
    }
    taxes["ITEM"] = taxes.get("ITEM", _ZERO) - taxes.pop("DISCOUNT", _ZERO)
    return taxes


def _tax_is_on_top(proceeds, totals):
    """Tell whether the line's total proves that the tax is not within the prices.

    In Amazon's own example for the United Kingdom the total of a line is the sum of
    item, shipping and tax.
    """
    if not totals.get("TAX") or not proceeds.get("proceedsTotal"):
        return False
    total, _currency_code = amount_of(
        _OPERATION, proceeds["proceedsTotal"], "proceedsTotal"
    )
    parts = sum(totals.values(), _ZERO) - 2 * totals.get("DISCOUNT", _ZERO)
    return total == parts


def _currency(order, items):
    """Return the one currency of an order, empty while no amount is shown."""
    found = set()
    for node in (order, *items):
        proceeds = object_of(_OPERATION, node, "proceeds")
        moneys = [proceeds.get("grandTotal"), proceeds.get("proceedsTotal")]
        rows = objects_of(_OPERATION, proceeds, "breakdowns")
        moneys += [row.get("subtotal") for row in rows]
        found |= {
            amount_of(_OPERATION, money, "amount of proceeds")[1]
            for money in moneys
            if money
        }
    if len(found) > 1:
        raise MalformedAnswer(
            _OPERATION, f"The order has more than one currency: {sorted(found)}."
        )
    return found.pop() if found else ""


def _object(node, name):
    part = node.get(name)
    if not isinstance(part, dict):
        raise _missing(name)
    return part


def _string(node, name, prefix=""):
    part = node.get(name)
    if not isinstance(part, str) or not 0 < len(part) <= MAX_NAME:
        raise _missing(prefix + name)
    return part


def _count(node, name, default=None):
    units = units_of(node, name, default)
    if units is None:
        raise _missing(f"orderItems.{name}")
    return units


def _missing(name):
    return MalformedAnswer(_OPERATION, f"The order has no usable {name}.")
