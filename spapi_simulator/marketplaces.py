"""The marketplaces that the simulator knows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marketplace:
    """One Amazon store.

    `prices_include_tax`: item prices contain VAT or consumption tax, so a refund
    names the gross amount and no tax component.
    """

    id: str
    country: str
    name: str
    domain: str
    currency: str
    language: str
    prices_include_tax: bool


# Ids: https://developer-docs.amazon.com/sp-api/docs/marketplace-ids
_TABLE = (
    ("ATVPDKIKX0DER", "US", "Amazon.com", "USD", "en_US", False),
    ("A2EUQ1WTGCTBG2", "CA", "Amazon.ca", "CAD", "en_CA", False),
    ("A1AM78C64UM0Y8", "MX", "Amazon.com.mx", "MXN", "es_MX", True),
    ("A2Q3Y263D00KWC", "BR", "Amazon.com.br", "BRL", "pt_BR", True),
    ("A1F83G8C2ARO7P", "GB", "Amazon.co.uk", "GBP", "en_GB", True),
    ("A1PA6795UKMFR9", "DE", "Amazon.de", "EUR", "de_DE", True),
    ("A13V1IB3VIYZZH", "FR", "Amazon.fr", "EUR", "fr_FR", True),
    ("APJ6JRA9NG5V4", "IT", "Amazon.it", "EUR", "it_IT", True),
    ("A1RKKUPIHCS9HS", "ES", "Amazon.es", "EUR", "es_ES", True),
    ("A1805IZSGTT6HS", "NL", "Amazon.nl", "EUR", "nl_NL", True),
    ("AMEN7PMS3EDWL", "BE", "Amazon.com.be", "EUR", "fr_BE", True),
    ("A28R8C7NBKEWEA", "IE", "Amazon.ie", "EUR", "en_IE", True),
    ("A2NODRKZP88ZB9", "SE", "Amazon.se", "SEK", "sv_SE", True),
    ("A1C3SOZRARQ6R3", "PL", "Amazon.pl", "PLN", "pl_PL", True),
    ("A33AVAJ2PDY3EV", "TR", "Amazon.com.tr", "TRY", "tr_TR", True),
    ("A2VIGQ35RCS4UG", "AE", "Amazon.ae", "AED", "en_AE", True),
    ("A17E79C6D8DWNP", "SA", "Amazon.sa", "SAR", "ar_SA", True),
    ("ARBP9OOSHTCHU", "EG", "Amazon.eg", "EGP", "ar_EG", True),
    ("A21TJRUUN4KGV", "IN", "Amazon.in", "INR", "en_IN", True),
    ("AE08WJ6YKNBMC", "ZA", "Amazon.co.za", "ZAR", "en_ZA", True),
    ("A1VC38T7YXB528", "JP", "Amazon.co.jp", "JPY", "ja_JP", True),
    ("A39IBJ37TRP1C6", "AU", "Amazon.com.au", "AUD", "en_AU", True),
    ("A19VAU5U5O7RUS", "SG", "Amazon.sg", "SGD", "en_SG", True),
)

BY_COUNTRY = {
    country: Marketplace(
        id=marketplace_id,
        country=country,
        name=name,
        domain=f"www.{name.lower()}",
        currency=currency,
        language=language,
        prices_include_tax=include_tax,
    )
    for marketplace_id, country, name, currency, language, include_tax in _TABLE
}
BY_ID = {marketplace.id: marketplace for marketplace in BY_COUNTRY.values()}


def lookup(key):
    """Find a marketplace by its country code or its id.

    :raise ValueError: when the simulator does not know it
    """
    marketplace = BY_COUNTRY.get(key) or BY_ID.get(key)
    if not marketplace:
        known = ", ".join(sorted(BY_COUNTRY))
        raise ValueError(f"unknown marketplace {key!r}; known are {known}")
    return marketplace
