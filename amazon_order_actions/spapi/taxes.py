"""Whether the prices of a marketplace include the tax: what a refund has to name.

Where they do, a refund names the gross amount as Principal, Shipping or GiftWrap and no
component for tax. Where the tax is charged beside the price, it is refunded beside it,
in proportion, as Tax, ShippingTax or GiftWrapTax.

This is the one table of it. A marketplace that is not listed counts as including the
tax: then no tax is added, and the amounts are rather too small than too big.
"""

from dataclasses import dataclass

#: How well a row is founded. SHOWN: an outcome at Amazon was reported. LAW: consumer
#: prices must be shown with the tax there. ASSUMED: from how the shop shows its prices.
SHOWN, LAW, ASSUMED = "shown", "law", "assumed"


@dataclass(frozen=True)
class TaxRule:
    """What holds for the prices of one marketplace.

    :param bool prices_include_tax: the item price that the buyer sees holds the tax
    :param str evidence: `SHOWN`, `LAW` or `ASSUMED`
    :param str source: where it is from
    """

    prices_include_tax: bool
    evidence: str
    source: str


_EU = TaxRule(
    True, LAW, "Directive 98/6/EC, article 2 (a): the selling price includes VAT"
)
_SHOP = TaxRule(True, ASSUMED, "the shop shows prices with tax")

#: Rule by country of the marketplace (ISO 3166-1 alpha-2).
TAX_RULES = {
    "US": TaxRule(
        False,
        SHOWN,
        "a refund with the component Tax was accepted: seller-forum.com/t/18974",
    ),
    "CA": TaxRule(False, ASSUMED, "the shop shows prices without GST, HST, PST"),
    "MX": _SHOP,
    "BR": _SHOP,
    "GB": TaxRule(True, LAW, "Price Marking Order 2004: the selling price with VAT"),
    "DE": _EU,
    "FR": _EU,
    "IT": _EU,
    "ES": _EU,
    "NL": _EU,
    "BE": _EU,
    "IE": _EU,
    "SE": _EU,
    "PL": _EU,
    "TR": _SHOP,
    "AE": _SHOP,
    "SA": _SHOP,
    "EG": _SHOP,
    "IN": _SHOP,
    "ZA": _SHOP,
    "JP": TaxRule(
        True,
        SHOWN,
        "Principal 999 and Tax 100 were rejected, Principal 1099 was accepted: "
        "amzn/selling-partner-api-models#1372",
    ),
    "AU": _SHOP,
    "SG": _SHOP,
}


def prices_include_tax(country_code):
    """Tell whether the prices of a marketplace include the tax.

    :param str country_code: ISO 3166-1 alpha-2
    """
    rule = TAX_RULES.get(country_code)
    return rule is None or rule.prices_include_tax
