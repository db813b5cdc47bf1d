"""How amounts are split so that the parts add up: largest remainder, no cent lost."""

from decimal import Decimal
from fractions import Fraction

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

    :param Decimal amount: what the buyer shall get, not below zero
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
        shares.update(spread(part, left, unit))
        rest -= part
    if rest > 0:
        raise ValueError(f"{rest} more than is refundable")
    return {name: share for name, share in shares.items() if share > 0}


def spread(amount, weights, unit):
    """Split an amount in proportion to weights.

    No part passes its weight as long as the amount does not pass their sum, where the
    weights are whole units.

    :param Decimal amount: a whole number of units, not below zero
    :param dict weights: key -> Decimal, not below zero
    :param Decimal unit: the smallest amount of the currency
    :return: key -> Decimal; the sum is ``amount``, or zero where all weights are zero
    :rtype: dict
    """
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, Decimal(0))
    exact = {
        key: Fraction(amount) * Fraction(weight) / Fraction(total)
        for key, weight in weights.items()
    }
    return round_parts(exact, unit)


def share_of(charged, shares, unit):
    """Return the share of each charge; the parts add up to the rounded whole.

    :param dict charged: key -> Decimal, whole units, not below zero
    :param dict shares: key -> Fraction from 0 to 1
    :param Decimal unit: the smallest amount of the currency
    :return: key -> Decimal, none of them above what was charged
    :rtype: dict
    """
    return round_parts(
        {key: Fraction(amount) * shares[key] for key, amount in charged.items()}, unit
    )


def round_parts(exact, unit):
    """Round parts to whole units so that they add up to their rounded sum.

    By largest remainder: all are rounded down, and the units that are missing go to the
    parts that lost most; where they lost the same, to the first. So no part passes the
    next whole unit above it.

    :param dict exact: key -> Fraction, not below zero
    :param Decimal unit: the smallest amount of the currency
    :return: key -> Decimal
    :rtype: dict
    """
    in_units = {key: part / Fraction(unit) for key, part in exact.items()}
    # half up: Python's round goes to the even one
    whole = int(sum(in_units.values(), Fraction(1, 2)))
    units = {key: int(part) for key, part in in_units.items()}
    by_loss = sorted(in_units, key=lambda key: units[key] - in_units[key])
    for key in by_loss[: whole - sum(units.values())]:
        units[key] += 1
    return {key: number * unit for key, number in units.items()}
