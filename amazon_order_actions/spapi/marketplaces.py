"""Amazon's marketplaces.

Sources: ids, countries and regions from "Marketplace IDs" of Amazon's Developer Guide
(also in python-amazon-sp-api, ``sp_api/base/marketplaces.py``); Seller Central
addresses from "Seller Central URLs" there; currencies are those of the countries
(``defaultCurrencyCode`` of getMarketplaceParticipations says the same for a seller).
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from .taxes import prices_include_tax


@dataclass(frozen=True)
class Marketplace:
    """One marketplace.

    :param str id: Amazon's marketplace id
    :param str country_code: ISO 3166-1 alpha-2
    :param str name: English name of the country
    :param str region: region of the SP-API endpoint: ``na``, ``eu`` or ``fe``
    :param str domain: of the shop, such as ``amazon.de``
    :param str currency: ISO 4217
    :param bool prices_include_tax: the item price that the buyer sees holds the tax, so
        a refund names the gross amount and no component for tax; see `taxes.TAX_RULES`
    """

    id: str
    country_code: str
    name: str
    region: str
    domain: str
    currency: str
    prices_include_tax: bool

    @property
    def seller_central_url(self):
        """Address of Seller Central for this marketplace."""
        return f"https://sellercentral.{self.domain}"

    @property
    def relay_domain(self):
        """Domain of the anonymised addresses of buyers.

        Evidence: ``marketplace.amazon.com`` and ``marketplace.amazon.co.uk`` in the
        examples of Amazon's Orders model; the others follow the same form.
        """
        return f"marketplace.{self.domain}"


_ROWS = (
    ("ATVPDKIKX0DER", "US", "United States", "na", "amazon.com", "USD"),
    ("A2EUQ1WTGCTBG2", "CA", "Canada", "na", "amazon.ca", "CAD"),
    ("A1AM78C64UM0Y8", "MX", "Mexico", "na", "amazon.com.mx", "MXN"),
    ("A2Q3Y263D00KWC", "BR", "Brazil", "na", "amazon.com.br", "BRL"),
    ("A1F83G8C2ARO7P", "GB", "United Kingdom", "eu", "amazon.co.uk", "GBP"),
    ("A1PA6795UKMFR9", "DE", "Germany", "eu", "amazon.de", "EUR"),
    ("A13V1IB3VIYZZH", "FR", "France", "eu", "amazon.fr", "EUR"),
    ("APJ6JRA9NG5V4", "IT", "Italy", "eu", "amazon.it", "EUR"),
    ("A1RKKUPIHCS9HS", "ES", "Spain", "eu", "amazon.es", "EUR"),
    ("A1805IZSGTT6HS", "NL", "Netherlands", "eu", "amazon.nl", "EUR"),
    ("AMEN7PMS3EDWL", "BE", "Belgium", "eu", "amazon.com.be", "EUR"),
    ("A28R8C7NBKEWEA", "IE", "Ireland", "eu", "amazon.ie", "EUR"),
    ("A2NODRKZP88ZB9", "SE", "Sweden", "eu", "amazon.se", "SEK"),
    ("A1C3SOZRARQ6R3", "PL", "Poland", "eu", "amazon.pl", "PLN"),
    ("A33AVAJ2PDY3EV", "TR", "Türkiye", "eu", "amazon.com.tr", "TRY"),
    ("A2VIGQ35RCS4UG", "AE", "United Arab Emirates", "eu", "amazon.ae", "AED"),
    ("A17E79C6D8DWNP", "SA", "Saudi Arabia", "eu", "amazon.sa", "SAR"),
    ("ARBP9OOSHTCHU", "EG", "Egypt", "eu", "amazon.eg", "EGP"),
    ("A21TJRUUN4KGV", "IN", "India", "eu", "amazon.in", "INR"),
    ("AE08WJ6YKNBMC", "ZA", "South Africa", "eu", "amazon.co.za", "ZAR"),
    ("A1VC38T7YXB528", "JP", "Japan", "fe", "amazon.co.jp", "JPY"),
    ("A39IBJ37TRP1C6", "AU", "Australia", "fe", "amazon.com.au", "AUD"),
    ("A19VAU5U5O7RUS", "SG", "Singapore", "fe", "amazon.sg", "SGD"),
)

#: All marketplaces by id.
MARKETPLACES = {
    row[0]: Marketplace(*row, prices_include_tax=prices_include_tax(row[1]))
    for row in _ROWS
}

_BY_COUNTRY = {market.country_code: market for market in MARKETPLACES.values()}
_BY_RELAY = {market.relay_domain: market for market in MARKETPLACES.values()}
# The name of a buyer's anonymised address.
_NAME = re.compile(r"[\w.+-]+", re.ASCII)
#: A buyer's anonymised address in a text in small letters, for PostgreSQL.
RELAY_PATTERN = r"""(?<![^\s<>,;:"'([])([a-z0-9_.+-]+@(?:{}))(?![a-z0-9.-])""".format(
    "|".join(map(re.escape, _BY_RELAY))
)


def by_country(country_code):
    """Return the marketplace of a country, None when there is none.

    :param str country_code: ISO 3166-1 alpha-2; Amazon's ``UK`` counts as GB
    """
    code = country_code.upper()
    return _BY_COUNTRY.get("GB" if code == "UK" else code)


def by_relay_address(address):
    """Return the marketplace of a buyer's anonymised address, None for any other.

    Amazon makes them of letters, digits and plain signs. A quoted name may hold another
    address (``"a@b.example"@marketplace.amazon.de``), which mail programs find in it.

    :param str address: a bare mail address, such as ``abc@marketplace.amazon.de``
    """
    name, _at, domain = address.rpartition("@")
    return _BY_RELAY.get(domain.strip().lower()) if _NAME.fullmatch(name) else None


def seller_central_order_url(marketplace_id, order_id):
    """Return the page of an order in Seller Central, None for an unknown marketplace.

    :param str marketplace_id: Amazon's marketplace id
    :param str order_id: in the form 3-7-7
    """
    market = MARKETPLACES.get(marketplace_id)
    if market is None:
        return None
    return f"{market.seller_central_url}/orders-v3/order/{quote(order_id, safe='')}"
