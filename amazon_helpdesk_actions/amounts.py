"""How much of an order can still be refunded: the rules, in one place.

The computed fields, which every check asks, and the panel, which is read in bulk, both
go by them.
"""


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


def paid(charged, share, currency):
    """Return what the buyer has paid of a charge.

    :param float charged: what the whole of it costs
    :param float share: see :func:`paid_share`
    :param res.currency currency: rounds the part of a charge
    :rtype: float
    """
    if share in (0.0, 1.0):
        return charged * share
    return currency.round(charged * share)


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


def order_refundable(of_charges, paid, refunded, reserved):
    """Return how much of an order can still be refunded.

    A goodwill refund takes nothing from a charge, but from the order.

    :param float of_charges: the sum of what is refundable of its charges
    :param float paid: of the whole order, as the following
    :param float refunded: also what fits none of the items
    :param float reserved: asked for here
    :rtype: float
    """
    return max(min(of_charges, paid - refunded - reserved), 0.0)
