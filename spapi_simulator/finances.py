"""What the two Finances APIs say about the money of an order.

Neither API carries the seller's own adjustment id, and the item ids of the refund
events are Amazon's own, as in reality. Fees are plausible, not exact: 15 % commission,
of which Amazon keeps a fifth when a refund is made.
"""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from .charges import CHARGE_OF, PROMOTION
from .clock import iso
from .errors import invalid_input
from .orders import decimal_text

ZERO = Decimal(0)
TRANSACTIONS_PER_PAGE = 100
EVENTS_PER_PAGE = 100
V0, TRANSACTIONS = "v0", "2024-06-19"
# "more than two minutes before the time of the request" (both Finances models)
SETTLING_TIME = timedelta(minutes=2)
MAX_RANGE = timedelta(days=180)

# Component of the refund feed -> charge type of Finances v0
V0_CHARGES = {
    "Shipping": "ShippingCharge",
    "GiftWrap": "Giftwrap",
    "GiftWrapTax": "GiftwrapTax",
    "COD": "CODItemCharge",
    "CODTax": "CODItemTaxCharge",
}
# How Finances v0 calls a seller's promotions, as sellers report.
PROMOTION_TYPE = "PromotionMetaDataDefinitionValue"
# Component of the refund feed -> (group, breakdown type) of Finances 2024-06-19, as
# seen in published responses
BREAKDOWNS = {
    "Principal": ("ProductCharges", "OurPricePrincipal"),
    "Shipping": ("Shipping", "ShippingPrincipal"),
    "GiftWrap": ("Giftwrap", "GiftwrapPrincipal"),
    "Tax": ("Tax", "OurPriceTax"),
    "ShippingTax": ("Tax", "ShippingTax"),
    "GiftWrapTax": ("Tax", "GiftwrapTax"),
    "Goodwill": ("Goodwill", "GoodwillPrincipal"),
    "RestockingFee": ("RestockingDeduction", "RestockingDeductionPrincipal"),
    "RestockingFeeTax": ("Tax", "RestockingDeductionTax"),
    "PromotionPrincipal": ("PromoRebates", "OurPriceDiscount"),
    "PromotionShipping": ("PromoRebates", "ShippingDiscount"),
    "PromotionGiftWrap": ("PromoRebates", "GiftwrapDiscount"),
}
_SOLD = ("Principal", "PromotionPrincipal")
TAX_OF_COMPONENT = {
    "Principal": "Tax",
    "Shipping": "ShippingTax",
    "GiftWrap": "GiftWrapTax",
}
EVENT_LISTS = {
    "shipment": "ShipmentEventList",
    "refund": "RefundEventList",
    "claim": "GuaranteeClaimEventList",
    "chargeback": "ChargebackEventList",
}
TRANSACTION_TYPES = {
    "shipment": ("Shipment", "Order Payment"),
    "refund": ("Refund", "Refund Order"),
    "claim": ("GuaranteeClaim", "A-to-z Guarantee Claim"),
    "chargeback": ("Chargeback", "Chargeback"),
}


def _money_lines(order, event):
    """Yield what an event moved, seen from the seller.

    :return: (item, {component: amount; what the seller loses is negative})
    """
    for item_id, components in event.lines.items():
        item = order.item(item_id)
        sign = 1 if event.kind == "shipment" else -1
        amounts = {kind: sign * amount for kind, amount in components.items()}
        yield item, _split_vat(order, amounts)


def _split_vat(order, amounts):
    """Show net amounts and the tax beside them, for an order with a VAT rate."""
    if order.vat_rate is None:
        return amounts
    split = {}
    for kind, amount in amounts.items():
        tax = TAX_OF_COMPONENT.get(kind)
        if tax is None:
            split[kind] = split.get(kind, ZERO) + amount
            continue
        net = _round(amount * 100 / (100 + order.vat_rate))
        split[kind] = split.get(kind, ZERO) + net
        split[tax] = split.get(tax, ZERO) + amount - net
    return split


def _fees(event, amounts):
    """Return the fees of one item by name."""
    sold = sum((amounts.get(kind, ZERO) for kind in _SOLD), ZERO)
    commission = _round(sold * Decimal("-0.15"))
    if event.kind == "shipment":
        return {"Commission": commission}
    return {
        "Commission": commission,
        "RefundCommission": _round(-commission * Decimal("0.2")),
    }


def _round(amount):
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _number(amount, currency):
    """Return an amount as the JSON number that both models ask for."""
    return float(decimal_text(amount, currency))


# === FINANCES V0 === #


def financial_events(order, now, settings):
    """Return the events of one order that the finances show by now.

    A deferred event is missing here until it is released. An order that nobody
    knows (None) has no events; Amazon gives no error either.

    :param Settings settings: how the finances behave
    :return: list of (name of the list, model `ShipmentEvent`), oldest first
    """
    known = order.events if order else []
    rows = [
        (_posted(event, V0, now, settings), event)
        for event in known
        if event.released_at <= now
    ]
    rows.sort(key=lambda row: row[0])
    for _, event in rows:
        event.told_by.add(V0)
    return [
        (EVENT_LISTS[event.kind], _event_to_v0(order, event, posted))
        for posted, event in rows
    ]


def _posted(event, api, now, settings):
    """Return when an event was posted, as one of the APIs tells it now.

    A refund's date may move later, once, when the API has told it before. It never
    lies in the future.
    """
    moved = event.posted + timedelta(seconds=settings.posted_date_moves_seconds)
    moves = event.kind == "refund" and api in event.told_by and moved <= now
    return moved if moves else event.posted


def events_payload(rows, token):
    """Return the model `ListFinancialEventsPayload`."""
    lists = {name: [] for name in EVENT_LISTS.values()}
    for name, event in rows:
        lists[name].append(event)
    payload = {"FinancialEvents": lists}
    if token:
        payload["NextToken"] = token
    return payload


def _event_to_v0(order, event, posted):
    data = {
        "AmazonOrderId": order.id,
        "SellerOrderId": order.seller_order_id or order.id,
        "MarketplaceName": order.marketplace.name,
        "PostedDate": iso(posted),
    }
    items = [
        _item_to_v0(order, event, position, item, amounts)
        for position, (item, amounts) in enumerate(_money_lines(order, event), 1)
    ]
    adjusted = event.kind != "shipment"
    data["ShipmentItemAdjustmentList" if adjusted else "ShipmentItemList"] = items
    return data


def _item_to_v0(order, event, position, item, amounts):
    shipped = event.quantities.get(item.id, item.quantity_shipped)
    data = {"SellerSKU": item.sku, "QuantityShipped": shipped}
    infix = ""
    if event.kind == "shipment":
        data["OrderItemId"] = item.id
    else:
        data["OrderAdjustmentItemId"] = _adjustment_id(order, event, position)
        infix = "Adjustment"
    data[f"ItemCharge{infix}List"] = [
        {
            "ChargeType": V0_CHARGES.get(kind, kind),
            "ChargeAmount": _v0_money(order, amount),
        }
        for kind, amount in amounts.items()
        if not kind.startswith(PROMOTION)
    ]
    promotions = [
        {
            "PromotionType": PROMOTION_TYPE,
            "PromotionId": item.promotion_on(CHARGE_OF[kind.removeprefix(PROMOTION)]),
            "PromotionAmount": _v0_money(order, amount),
        }
        for kind, amount in amounts.items()
        if kind.startswith(PROMOTION)
    ]
    if promotions:
        data[f"Promotion{infix}List"] = promotions
    data[f"ItemFee{infix}List"] = [
        {"FeeType": kind, "FeeAmount": _v0_money(order, amount)}
        for kind, amount in _fees(event, amounts).items()
    ]
    return data


def _v0_money(order, amount):
    return {
        "CurrencyCode": order.currency,
        "CurrencyAmount": _number(amount, order.currency),
    }


def _adjustment_id(order, event, position):
    """Return an id of Amazon's own, the same on every reading."""
    digits = order.id.replace("-", "")
    return f"{digits}{event.number:02d}{position:02d}"


# === FINANCES 2024-06-19 === #


def check_transactions_query(query, now):
    """Check what the model says about the parameters together.

    :raise ApiError: 400 as Amazon refuses
    """
    by_name = "relatedIdentifierName" in query
    if by_name != ("relatedIdentifierValue" in query):
        raise invalid_input(
            "relatedIdentifierName and relatedIdentifierValue go together."
        )
    if not by_name and "postedAfter" not in query:
        raise invalid_input("Start date cannot be null", "Start date cannot be null")
    latest = now - SETTLING_TIME
    after = query.get("postedAfter")
    before = query.get("postedBefore")
    if after and after > latest:
        raise invalid_input("postedAfter must be more than two minutes ago.")
    if before and before > latest:
        raise invalid_input("postedBefore must be more than two minutes ago.")
    if after and before and before <= after:
        raise invalid_input("postedBefore must be later than postedAfter.")


def transactions(orders, query, now, settings):
    """Find the transactions of a listTransactions query, oldest first.

    :param orders: the orders of the seller
    :param dict query: checked parameters
    :param Settings settings: how the finances behave
    Deferred money is listed twice: when it was posted, and when it was released, as
    sellers report.

    :return: list of (order, event, whether it is the release, when it was posted), for
        `transaction`
    """
    by_order = query.get("relatedIdentifierName") == "ORDER_ID"
    if "relatedIdentifierName" in query and not by_order:
        return []
    after = query.get("postedAfter")
    before = query.get("postedBefore")
    if after and before and before - after > MAX_RANGE:
        return []
    if after and not before:
        before = now - SETTLING_TIME
    rows = [
        (order, event, is_release, posted)
        for order in orders
        if not by_order or order.id == query["relatedIdentifierValue"]
        if _in_marketplace(order, query.get("marketplaceId"))
        for event in order.events
        for posted, is_release in _postings(order, event, now, settings)
        if (not after or posted >= after)
        and (not before or posted < before)
        and query.get("transactionStatus")
        in (None, _status(order, event, is_release, now))
    ]
    rows.sort(key=lambda row: (row[3], row[0].id, row[1].number))
    for _, event, _, _ in rows:
        event.told_by.add(TRANSACTIONS)
    return rows


def _postings(order, event, now, settings):
    """Yield when an event was posted, and whether that was its release."""
    if event.visible_from <= now:
        yield _posted(event, TRANSACTIONS, now, settings), False
    if order.deferral and event.released_at <= now:
        yield event.released_at, True


def _in_marketplace(order, marketplace_id):
    """Tell whether a query for this marketplace finds the order.

    "If you want to retrieve MFN orders in the US store, do not supply the
    marketplaceId parameter" (model): with it, they are missing.
    """
    if marketplace_id is None:
        return True
    us_merchant = order.marketplace.country == "US" and order.channel == "FBM"
    return order.marketplace.id == marketplace_id and not us_merchant


def _status(order, event, is_release, now):
    if not order.deferral or is_release:
        return "RELEASED"
    return "DEFERRED" if now < event.released_at else "DEFERRED_RELEASED"


def transaction(order, event, is_release, posted, now, settings):
    """Return the model `Transaction` as it stands now."""
    kind, description = TRANSACTION_TYPES[event.kind]
    items = [
        _transaction_item(order, event, position, item, amounts, settings)
        for position, (item, amounts) in enumerate(_money_lines(order, event), 1)
    ]
    total = sum(Decimal(str(row["totalAmount"]["currencyAmount"])) for row in items)
    related = [("ORDER_ID", order.id)]
    if event.kind == "shipment":
        related.append(("SHIPMENT_ID", f"S{_adjustment_id(order, event, 0)}"))
    if event.kind == "refund":
        related.append(("REFUND_ID", f"amzn1:crow:{_adjustment_id(order, event, 0)}"))
    own_id = _transaction_id(order, event, is_release)
    if order.deferral and event.released_at <= now:
        name = "DEFERRED" if is_release else "RELEASE"
        other_id = _transaction_id(order, event, not is_release)
        related.append((f"{name}_TRANSACTION_ID", other_id))
    context = {"contextType": "AmazonPayContext", "channel": _network(order)}
    if order.deferral:
        context = {
            "contextType": "DeferredContext",
            "deferralReason": "DD7",
            "maturityDate": iso(event.released_at),
        }
    return {
        "sellingPartnerMetadata": {
            "sellingPartnerId": order.seller_id,
            "accountType": "Standard Orders",
            "marketplaceId": order.marketplace.id,
        },
        "relatedIdentifiers": [
            {"relatedIdentifierName": name, "relatedIdentifierValue": value}
            for name, value in related
        ],
        "transactionType": kind,
        "transactionId": own_id,
        "transactionStatus": _status(order, event, is_release, now),
        "description": description,
        "postedDate": iso(posted),
        "totalAmount": _currency(order, total),
        "marketplaceDetails": {
            "marketplaceId": order.marketplace.id,
            "marketplaceName": order.marketplace.name,
        },
        "items": items,
        "contexts": [context],
        "breakdowns": [
            _breakdown(order, "Expenses" if total < 0 else "Sales", total),
        ],
    }


def _transaction_id(order, event, is_release):
    return f"{order.id}-{event.number}" + ("-release" if is_release else "")


def _network(order):
    return "MFN" if order.channel == "FBM" else "AFN"


def _transaction_item(order, event, position, item, amounts, settings):
    groups = {}
    for kind, amount in amounts.items():
        group, leaf = BREAKDOWNS.get(kind, (kind, kind))
        groups.setdefault(group, {})[leaf] = amount
    groups["AmazonFees"] = _fees(event, amounts)
    total = sum(sum(leaves.values(), ZERO) for leaves in groups.values())
    data = {
        "description": item.title,
        "totalAmount": _currency(order, total),
        "breakdowns": [
            _breakdown(order, group, sum(leaves.values(), ZERO), leaves)
            for group, leaves in groups.items()
        ],
        "contexts": [
            {
                "contextType": "ProductContext",
                "asin": item.asin,
                "sku": item.sku,
                "quantityShipped": event.quantities.get(item.id, item.quantity_shipped),
                "fulfillmentNetwork": _network(order),
            }
        ],
    }
    if event.kind != "shipment":
        adjustment_id = _adjustment_id(order, event, position)
        if settings.adjustment_ids_differ:
            adjustment_id = f"8{adjustment_id}"
        data["relatedIdentifiers"] = [
            {
                "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                "itemRelatedIdentifierValue": adjustment_id,
            }
        ]
    return data


def _breakdown(order, kind, amount, leaves=None):
    return {
        "breakdownType": kind,
        "breakdownAmount": _currency(order, amount),
        "breakdowns": [
            _breakdown(order, leaf, value) for leaf, value in (leaves or {}).items()
        ],
    }


def _currency(order, amount):
    return {
        "currencyCode": order.currency,
        "currencyAmount": _number(amount, order.currency),
    }
