"""How an amount for an item is split over what was charged for it."""

from decimal import ROUND_HALF_UP, Decimal

# A component and its tax are refunded together, in proportion; the item itself first.
# Components that this table does not name are never chosen here.
COMPONENT_GROUPS = (
    ("Principal", "Tax"),
    ("Shipping", "ShippingTax"),
    ("GiftWrap", "GiftWrapTax"),
)


def allocate(amount, refundable, unit):
    """Split an amount over components: item price first, then shipping, gift wrap.

    A component and its tax share what falls to them in proportion to what is
    refundable of each, so that the tax refunded matches the price refunded.

    :param Decimal amount: what the buyer shall get, above zero
    :param dict refundable: component -> Decimal, at most this much of each
    :param Decimal unit: the smallest amount of the currency, such as 0.01
    :return: component -> Decimal; no zero amounts; the sum is ``amount``
    :rtype: dict
    :raise ValueError: when more is asked for than is refundable
    """
    shares = {}
    rest = amount
    for group in COMPONENT_GROUPS:
        left = {name: refundable.get(name, Decimal(0)) for name in group}
        part = min(rest, sum(left.values()))
        shares.update(_in_proportion(part, left, unit))
        rest -= part
    if rest > 0:
        raise ValueError(f"{rest} more than is refundable")
    return {name: share for name, share in shares.items() if share > 0}


def _in_proportion(part, left, unit):
    """Split ``part`` over a component and its tax; the component takes the rounding."""
    main, tax = left
    total = left[main] + left[tax]
    if not total:
        return {}
    tax_share = (part * left[tax] / total / unit).quantize(
        Decimal(1), rounding=ROUND_HALF_UP
    ) * unit
    # Rounding must push neither of the two beyond what is left of it.
    tax_share = max(min(tax_share, left[tax]), part - left[main])
    return {main: part - tax_share, tax: tax_share}
