"""Read the transactions of Finances 2024-06-19: what was given back, by range.

Shape: Amazon's model finances_2024-06-19. It leaves the names of transactions and of
amounts open ("The type of charge."); those below were seen in published answers of
sellers, such as issues 4274 and 4993 of github.com/amzn/selling-partner-api-models.

A refund is read only when every amount in it has a known name and all of them add up to
the total that Amazon tells. Any other is given as unreadable, never left out: the
events of its order (`finances.parse_events`) say more, and cost a request.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .enums import ADJUSTMENT_COMPONENTS
from .errors import MalformedAnswer
from .finances import RefundEvent, net
from .marketplaces import MARKETPLACES
from .values import (
    MAX_NAME,
    MAX_READ,
    amount_of,
    object_of,
    objects_of,
    text_of,
    time_of,
)

_OPERATION = "listTransactions"
_ZERO = Decimal(0)

REFUND, CLAIM, CHARGEBACK = "refund", "claim", "chargeback"
SHIPMENT, OTHER = "shipment", "other"

#: Names of amounts that the buyer gets, and of groups where they have no parts.
_COMPONENTS = {
    **{name: name for name in ADJUSTMENT_COMPONENTS},
    "OurPricePrincipal": "Principal",
    "OurPriceTax": "Tax",
    "ProductCharges": "Principal",
    "ShippingPrincipal": "Shipping",
    "Giftwrap": "GiftWrap",
    "GiftwrapPrincipal": "GiftWrap",
    "GiftwrapTax": "GiftWrapTax",
    "GoodwillPrincipal": "Goodwill",
    "RestockingDeductionPrincipal": "RestockingFee",
    "RestockingDeductionTax": "RestockingFeeTax",
    # Promotions that were taken back: negative, as the buyer had not paid that part.
    "OurPriceDiscount": "Principal",
    "OurPriceTaxDiscount": "Tax",
    "TaxDiscount": "Tax",
    "ShippingDiscount": "Shipping",
    "ShippingTaxDiscount": "ShippingTax",
    "GiftwrapDiscount": "GiftWrap",
    "GiftwrapTaxDiscount": "GiftWrapTax",
}

#: Names of promotions that do not tell what they belong to.
_PROMOTIONS = frozenset({"Promo", "PromoRebates"})

#: Names, or their beginnings, of amounts between Amazon and the seller alone: fees, and
#: taxes that Amazon pays itself.
_FEES = frozenset(
    {
        "AmazonFees",
        "FBAFees",
        "Commission",
        "RefundCommission",
        "DigitalServicesFee",
        "FixedClosingFee",
        "VariableClosingFee",
        # What Amazon keeps of shipping and gift wrap when it ships itself.
        "ShippingChargeback",
        "GiftwrapChargeback",
    }
)
_WITHHELD = ("MarketplaceFacilitator", "LowValueGoods")


class _Unreadable(Exception):
    """A transaction says something that is not known here."""


@dataclass(frozen=True)
class Transaction:
    """One transaction.

    :param str order_id: Amazon's order number, empty where none is named
    :param str transaction_id: Amazon's id, empty where none is told
    :param str status: ``DEFERRED``, ``RELEASED``, ``DEFERRED_RELEASED``, in upper case
    :param str kind: ``refund``, ``claim``, ``chargeback``, ``shipment``, ``other``.
        Sellers report chargebacks that Amazon shows as refunds (issue 4274), and only
        the events of the order tell them apart
    :param datetime posted_date: aware, UTC; None where unreadable. By Amazon's model a
        transaction may be missing for 48 hours and appear then with its old date
    :param str releases: id of the deferred transaction whose money this one lets go.
        It is the same money again, so its kind is ``other``, and it has no refunds
    :param bool is_readable: False when a part is not understood; then a refund has no
        `refunds`, and one must ask for the events of the order
    :param tuple refunds: of a readable refund, `finances.RefundEvent` rows, the same as
        `finances.parse_events` gives
    """

    order_id: str
    transaction_id: str
    status: str
    kind: str
    posted_date: datetime | None
    releases: str = ""
    is_readable: bool = True
    refunds: tuple = ()


def parse_transactions(rows):
    """Read the rows of `SellerClient.list_transactions`.

    :param rows: Amazon's transactions, of any orders and marketplaces
    :return: one `Transaction` for each row, in their order
    :rtype: Iterator[Transaction]
    :raises MalformedAnswer: a row is no object
    """
    for row in rows:
        if not isinstance(row, dict):
            raise MalformedAnswer(_OPERATION, "A transaction is not an object.")
        yield _transaction(row)


def _transaction(row):
    related = _related(row, "relatedIdentifier")
    releases = related.get("DEFERRED_TRANSACTION_ID", "")
    kind = OTHER if releases else _kind(row)
    posted, refunds, is_readable = None, (), True
    try:
        posted = time_of(_OPERATION, row.get("postedDate"), "postedDate")
        if kind == REFUND:
            refunds = tuple(_refunds(row, posted))
    except (MalformedAnswer, _Unreadable):
        is_readable = False
    is_readable = is_readable and (kind == OTHER or "ORDER_ID" in related)
    return Transaction(
        order_id=related.get("ORDER_ID", ""),
        transaction_id=_text(row.get("transactionId")),
        status=_text(row.get("transactionStatus")).upper(),
        kind=kind,
        posted_date=posted,
        releases=releases,
        is_readable=is_readable,
        refunds=refunds if is_readable else (),
    )


def _kind(row):
    """Return the kind of a transaction by its names, which Amazon's model leaves open.

    Money given back by force comes first: Amazon's own name for a claim may contain
    "refund" ("A-to-z Guarantee Refund").
    """
    names = " ".join(
        name[:MAX_READ]
        for name in (row.get("transactionType"), row.get("description"))
        if isinstance(name, str)
    )
    names = names.lower().replace("-", "").replace(" ", "")
    for word, kind in (
        ("retrocharge", OTHER),  # a correction of taxes
        ("chargeback", CHARGEBACK),
        ("guarantee", CLAIM),
        ("atoz", CLAIM),
        ("refund", REFUND),
        ("shipment", SHIPMENT),
    ):
        if word in names:
            return kind
    return OTHER


def _refunds(row, posted):
    """Give the rows of a refund.

    :raises _Unreadable: a part is not known here
    """
    items = objects_of(_OPERATION, row, "items")
    if not items:
        raise _Unreadable
    market = _marketplace(row)
    for item in items:
        sku, adjustment_id = _sku(item), _adjustment_id(item)
        charges, promotions = _components(item)
        if market is None and any(name.endswith("Tax") for name, _, _ in charges):
            # Whether the tax belongs to the gross amount, nobody can say.
            raise _Unreadable
        gross = market is not None and market.prices_include_tax
        for component, amount, currency in net(charges, promotions, gross):
            yield RefundEvent(
                posted_date=posted,
                sku=sku,
                order_adjustment_item_id=adjustment_id,
                component=component,
                amount=amount,
                currency=currency,
            )


def _components(item):
    """Return the charges that an item's buyer got back, and promotions taken back.

    :return: two lists, as `finances.net` takes them
    :rtype: tuple
    :raises _Unreadable: an amount has an unknown name, or they miss the item's total
    """
    found, others = [], []
    _walk(item, found, others)
    total, currency = _money(item, "totalAmount")
    known = sum((amount for _name, amount, _currency in found), _ZERO)
    if known + sum(others, _ZERO) != total:
        raise _Unreadable
    if any(row[2] != currency for row in found):
        raise _Unreadable
    # Amazon's amounts are seen from the seller.
    charges = [
        (_COMPONENTS[name], -amount, currency)
        for name, amount, currency in found
        if name in _COMPONENTS
    ]
    promotions = [
        ("", -amount, currency)
        for name, amount, currency in found
        if name in _PROMOTIONS
    ]
    return charges, promotions


def _walk(node, found, others):
    """Collect the amounts below a node: those of the buyer, and the others.

    Amazon nests them at will; a named amount with parts counts once, by its parts,
    unless it is a fee.
    """
    for part in objects_of(_OPERATION, node, "breakdowns"):
        name = text_of(_OPERATION, part, "breakdownType")
        if name in _FEES or name.startswith(_WITHHELD):
            others.append(_money(part, "breakdownAmount")[0])
        elif part.get("breakdowns"):
            _walk(part, found, others)
        else:
            amount, currency = _money(part, "breakdownAmount")
            if name in _COMPONENTS or name in _PROMOTIONS:
                found.append((name, amount, currency))
            elif amount:
                raise _Unreadable


def _money(node, name):
    return amount_of(
        _OPERATION,
        node.get(name),
        name,
        amount_key="currencyAmount",
        currency_key="currencyCode",
    )


def _marketplace(row):
    """Return the row of our table for a transaction's marketplace, None if unknown."""
    for place in ("marketplaceDetails", "sellingPartnerMetadata"):
        market_id = text_of(
            _OPERATION, object_of(_OPERATION, row, place), "marketplaceId"
        )
        if market_id in MARKETPLACES:
            return MARKETPLACES[market_id]
    return None


def _sku(item):
    for context in objects_of(_OPERATION, item, "contexts"):
        if context.get("contextType") == "ProductContext":
            return text_of(_OPERATION, context, "sku")
    return ""


def _adjustment_id(item):
    """Return Amazon's id of the adjustment, by which v0 knows it, too.

    :raises _Unreadable: there is none, so that the same money could count twice
    """
    found = _related(item, "itemRelatedIdentifier").get("ORDER_ADJUSTMENT_ITEM_ID")
    if not found:
        raise _Unreadable
    return found


def _related(node, prefix):
    """Return the related identifiers of a transaction or an item by name.

    Leaves out what has no usable form, so that a transaction keeps its order id.
    """
    rows = node.get("relatedIdentifiers")
    rows = rows if isinstance(rows, list) else []
    return {
        row.get(f"{prefix}Name"): row.get(f"{prefix}Value")
        for row in rows
        if isinstance(row, dict)
        and _text(row.get(f"{prefix}Name"))
        and _text(row.get(f"{prefix}Value"))
    }


def _text(value):
    """Return what can be a name, else an empty text."""
    return value if isinstance(value, str) and len(value) <= MAX_NAME else ""
