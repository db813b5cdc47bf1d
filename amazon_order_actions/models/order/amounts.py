"""How much of an order can still be refunded: the rules, in one place.

The computed fields, which every check asks, and the panel, which is read in bulk, both
work them out here; the panel reads what they are made of with everything else.
"""

from typing import NamedTuple


def paid_share(ordered, fulfilled, is_taken_back):
    """Return the share of an item that the buyer has paid and that is still with the
    seller, from 0 to 1.

    The buyer is charged for what is shipped (Seller Central help RXAS2XTAYEF77BG).

    :param int ordered: units ordered
    :param int fulfilled: units shipped
    :param bool is_taken_back: whether a claim or a chargeback took the money back
    :rtype: float
    """
    if is_taken_back or not ordered:
        return 0.0
    return min(fulfilled / ordered, 1.0)


def paid(charged, share, rounded):
    """Return what the buyer has paid of a charge.

    :param float charged: what the whole of it costs
    :param float share: see :func:`paid_share`
    :param rounded: function that rounds the part of a charge in its currency
    :rtype: float
    """
    if share in (0.0, 1.0):
        return charged * share
    return rounded(charged * share)


def refundable(paid, refunded, reserved):
    """Return how much of a charge can still be refunded.

    Never below zero: refunds seen and still reserved overlap until the action is
    confirmed, and Amazon may refund beyond what was charged. Never more than was paid:
    a fee that Amazon kept back is no charge.

    :param float paid: see :func:`paid`
    :param float refunded: what Amazon's finances show
    :param float reserved: asked for here, and not yet seen there
    :rtype: float
    """
    return max(min(paid - refunded - reserved, paid), 0.0)


def total_refundable(of_parts, paid, refunded, reserved):
    """Return how much of an item or of an order can still be refunded.

    What is refunded of no charge takes nothing from the charges, but from the item and
    the order: goodwill, and what fits none of the items. A restocking fee that was kept
    back gives nothing back to a charge: what it was kept back from is spent.

    :param float of_parts: the sum of what is refundable of its charges or items
    :param float paid: of the whole, as the following
    :param float refunded: also what fits none of the parts
    :param float reserved: asked for here
    :rtype: float
    """
    return max(min(of_parts, paid - refunded - reserved), 0.0)


class Amounts(NamedTuple):
    """What is known of the money of a charge, an item or an order, in its currency.

    :param float charged: what it costs
    :param float paid: what of it the buyer was charged for
    :param float refunded: what Amazon's finances show
    :param float reserved: asked for here, and not yet seen there
    :param float refundable: what can still be refunded
    """

    charged: float = 0.0
    paid: float = 0.0
    refunded: float = 0.0
    reserved: float = 0.0
    refundable: float = 0.0

    @classmethod
    def of_charge(cls, charged, share, refunded, reserved, rounded):
        """Return those of a charge.

        :param float charged: what the whole of it costs
        :param float share: see :func:`paid_share`
        :param float refunded: what Amazon's finances show of it
        :param float reserved: asked for here
        :param rounded: function that rounds in the order's currency
        """
        is_paid = paid(charged, share, rounded)
        left = refundable(is_paid, refunded, reserved)
        return cls(*map(rounded, (charged, is_paid, refunded, reserved, left)))

    @classmethod
    def of_whole(cls, parts, rounded, refunded=None):
        """Return those of an item by its charges, or of an order by its items.

        :param list parts: the amounts of each
        :param rounded: function that rounds in the order's currency
        :param float refunded: where it is not the sum of the parts, since something
            was refunded that fits none
        """
        charged, is_paid, of_parts, reserved, left = map(
            sum, zip(*parts, strict=True) if parts else [()] * len(cls._fields)
        )
        refunded = of_parts if refunded is None else refunded
        left = total_refundable(left, is_paid, refunded, reserved)
        return cls(*map(rounded, (charged, is_paid, refunded, reserved, left)))

    @classmethod
    def of_record(cls, record):
        """Return what the fields of a charge, an item or an order say."""
        return cls(*(record[name] for name in cls._fields))

    def put(self, record):
        """Let the fields of a record have them, which are computed.

        Not by assignment, which looks up the currency for each to round it once more: a
        click works out some forty of them.
        """
        for name, amount in zip(self._fields, self, strict=True):
            field = record._fields[name]
            if field.compute:
                field._update_cache(record, amount)


def rounding(currency):
    """Return the function that rounds in a currency.

    :param res.currency currency: empty where it is not known
    """
    return currency.round if currency else float


def is_overdrawn(record):
    """Whether more is refunded and asked for than was paid.

    :param record: a charge, an item or an order
    :rtype: bool
    """
    given = record.refunded + record.reserved
    return record.currency_id.compare_amounts(record.paid, given) < 0
