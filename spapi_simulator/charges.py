"""What a buyer is charged for an item, in the components of the OrderAdjustment feed.

Three kinds of components stand for three kinds of amounts of a line: charges, the taxes
on them where they are told apart, and the promotions that take a part off. The feed
names a promotion by the component that it belongs to, in an element of its own; here it
has a name of its own, `PromotionPrincipal`, and a negative amount.
"""

from decimal import ROUND_DOWN, Decimal

ZERO = Decimal(0)
PROMOTION = "Promotion"

# Component of the feed -> the charge it gives back, and its tax component.
CHARGE_OF = {
    "Principal": "ITEM",
    "Shipping": "SHIPPING",
    "GiftWrap": "GIFT_WRAP",
    "COD": "COD_FEE",
}
TAX_CHARGE_OF = {
    "Tax": "ITEM",
    "ShippingTax": "SHIPPING",
    "GiftWrapTax": "GIFT_WRAP",
    "CODTax": "COD_FEE",
}
_TAX_OF_CHARGE = {charge: component for component, charge in TAX_CHARGE_OF.items()}


def promotion_of(component):
    """Return the name of the promotion on a component, e.g. `PromotionPrincipal`."""
    return PROMOTION + component


def step(currency):
    """Return the smallest amount of a currency (yen have no decimals)."""
    return Decimal(1) if currency == "JPY" else Decimal("0.01")


def _stores(item):
    """Yield (component, dict of the item, its key, sign) for each amount of a line."""
    for component, charge in CHARGE_OF.items():
        yield component, item.charges, charge, 1
        yield promotion_of(component), item.discounts, charge, -1
    for component, charge in TAX_CHARGE_OF.items():
        yield component, item.taxes, charge, 1


def charge(item, quantity, currency):
    """Charge the buyer for open units of an item in proportion, the last for the rest.

    :return: {component: amount}, promotions negative
    """
    amounts = {}
    for component, store, key, sign in _stores(item):
        if key in store:
            rest = sign * store[key] - item.charged.get(component, ZERO)
            amounts[component] = _part(rest, quantity, item.quantity_open, currency)
    for component, amount in amounts.items():
        item.charged[component] = item.charged.get(component, ZERO) + amount
    return amounts


def cut(item, quantity, currency):
    """Take open units off an item: what was not charged yet becomes less."""
    left = item.quantity_open - quantity
    for component, store, key, sign in _stores(item):
        if key in store:
            charged = sign * item.charged.get(component, ZERO)
            rest = store[key] - charged
            store[key] = charged + _part(rest, left, item.quantity_open, currency)
    item.quantity -= quantity


def _part(amount, quantity, total, currency):
    if quantity == total:
        return amount
    return (amount * quantity / total).quantize(step(currency), ROUND_DOWN)


def refundable(order, item):
    """Return what was charged for an item, by component, promotions negative.

    Where prices include tax, the tax belongs to the gross amount.

    :return: {component: Decimal}
    """
    charged = dict(item.charged)
    if order.marketplace.prices_include_tax:
        for component, charge_type in CHARGE_OF.items():
            tax = charged.pop(_TAX_OF_CHARGE[charge_type], ZERO)
            if tax:
                charged[component] = charged.get(component, ZERO) + tax
    return charged
