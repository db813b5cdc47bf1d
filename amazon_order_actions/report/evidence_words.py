"""The words of the evidence pack, in the language of the marketplace.

The terms are in the addon's own translations (i18n/de.po, es.po, fr.po), which are read
whether the language is installed in the database or not.
"""

import re
from math import ceil
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.numbers import format_currency

from odoo.tools import LazyTranslate

from ..models.conversation.reply_rules import language_of
from ..spapi.marketplaces import MARKETPLACES

_lt = LazyTranslate(__name__)

#: Language of the pack -> the code of Odoo's translations. English is the source.
_ODOO_LANG = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES"}

# Countries of marketplaces that write times and amounts in English.
_ENGLISH = ("US", "CA", "GB", "IE", "IN", "ZA", "AU", "SG")

# What was asked of Amazon. In every language a name without a verb, so that it can
# stand before any of the sentences on a state.
KINDS = {
    "refund": _lt("Refund of %(amount)s"),
    "cancel": _lt("Cancellation of the order"),
    "cancel_items": _lt("Cancellation of items"),
    "ship": _lt("Shipment confirmation"),
    "message": _lt("Message to the buyer"),
    "order_number": _lt("Seller's own order number"),
    "mcf_cancel": _lt("Cancellation of a fulfillment order"),
    "mcf_update": _lt("Change of a fulfillment order"),
}
OTHER_KIND = _lt("Request to Amazon")

# What is known when a request reaches a state: sentences for people outside.
STATES = {
    "to_approve": _lt("Requested. It waits until a second person approves it."),
    "queued": _lt("Requested. It waits here to be sent; Amazon has nothing yet."),
    "sending": _lt("The seller's software began to send it to Amazon."),
    "submitted": _lt("Amazon has received it and has not processed it yet."),
    "unknown": _lt(
        "It is not known whether Amazon has executed it. It is not sent again by "
        "itself."
    ),
    "accepted": _lt("Amazon has processed it and reported no error."),
    "confirmed": _lt("Amazon's own records show that it was executed."),
    "rejected": _lt("Amazon has rejected it. It was not executed."),
    "blocked": _lt("It was stopped here before anything was executed at Amazon."),
    "withdrawn": _lt("It was taken back. Amazon has executed nothing of it."),
    "refused": _lt("A second person refused it. Nothing was sent to Amazon."),
    "expired": _lt("Nobody approved it in time. Nothing was sent to Amazon."),
    "assisted": _lt(
        "Recorded by an employee as done in Seller Central, Amazon's website for "
        "sellers. Amazon's own records have not been seen to show it yet."
    ),
}
# A message is never shown by Amazon afterwards.
MESSAGE_ACCEPTED = _lt(
    "Amazon has taken the message to pass it on. Amazon does not tell whether the "
    "buyer has read it."
)
REFUND_CONFIRMED = _lt("Amazon's own financial records show this refund.")
APPROVED = _lt("A second person approved it. It waits here to be sent.")
QUEUED_AGAIN = _lt(
    "It is proven that Amazon did not get it this time. It waits to be sent again."
)
HANDED = _lt("A person was asked to find out whether Amazon has executed it.")
DECIDED = _lt(
    "A person has checked that Amazon does not have it, and had it sent again."
)
ASKED_AGAIN = _lt(
    "A person has checked that Amazon does not have it, and asked to send it again. It "
    "waits until a second person approves that."
)
NOT_AGAIN = _lt(
    "No second person approved that it is sent again, so it is not. It is unknown "
    "whether Amazon has executed it."
)
DROP = _lt("Amazon was asked to drop it before processing it.")

# One word for each state, and what it means.
STATE_NAMES = {
    "to_approve": _lt("Waits for approval"),
    "queued": _lt("Waiting"),
    "sending": _lt("Being sent"),
    "submitted": _lt("Submitted"),
    "unknown": _lt("Unknown"),
    "accepted": _lt("Accepted"),
    "confirmed": _lt("Confirmed"),
    "rejected": _lt("Rejected"),
    "blocked": _lt("Stopped"),
    "withdrawn": _lt("Withdrawn"),
    "refused": _lt("Refused"),
    "expired": _lt("Expired"),
    "assisted": _lt("Recorded by hand"),
}
STATE_MEANINGS = {
    "to_approve": _lt("The request waits for a second person at the seller."),
    "queued": _lt("The request has not left the seller yet."),
    "sending": _lt("The request is on its way to Amazon."),
    "submitted": _lt(
        "Amazon has the request (see the feed or request number) and has not said what "
        "became of it."
    ),
    "unknown": _lt(
        "Amazon's answer was lost or unclear. Whether Amazon has executed the request "
        "has to be looked up; it is not sent a second time."
    ),
    "accepted": _lt(
        "Amazon's answer lists no error for the request. This is not yet a proof that "
        "it was executed."
    ),
    "confirmed": _lt(
        "The result was seen in Amazon's own records: for a refund in Amazon's "
        "financial data, otherwise in the order itself."
    ),
    "rejected": _lt("Amazon's answer lists an error for the request."),
    "blocked": _lt(
        "The request was not possible any more, so that nothing was executed."
    ),
    "withdrawn": _lt("The seller took the request back before Amazon executed it."),
    "refused": _lt("A second person at the seller decided against the request."),
    "expired": _lt("No second person at the seller decided in time."),
    "assisted": _lt(
        "A person did it by hand in Seller Central and wrote that down; no program "
        "sent it."
    ),
}

STATUSES = {
    "PENDING_AVAILABILITY": _lt("Pending (pre-order)"),
    "PENDING": _lt("Pending: Amazon checks the payment"),
    "UNSHIPPED": _lt("Not shipped"),
    "PARTIALLY_SHIPPED": _lt("Partially shipped"),
    "SHIPPED": _lt("Shipped"),
    "CANCELLED": _lt("Cancelled"),
    "UNFULFILLABLE": _lt("Cannot be fulfilled"),
    "INVOICE_UNCONFIRMED": _lt("Invoice not confirmed"),
}
CHANNELS = {
    "fbm": _lt("The seller"),
    "fba": _lt("Amazon (Fulfillment by Amazon)"),
    "mcf": _lt("Amazon, for an order from elsewhere (Multi-Channel Fulfillment)"),
}
# Amazon's names of what an amount is for.
COMPONENTS = {
    "Principal": _lt("Item price"),
    "Shipping": _lt("Shipping"),
    "Tax": _lt("Tax"),
    "ShippingTax": _lt("Tax on shipping"),
    "RestockingFee": _lt("Restocking fee (kept back)"),
    "RestockingFeeTax": _lt("Tax on the restocking fee (kept back)"),
    "GiftWrap": _lt("Gift wrap"),
    "GiftWrapTax": _lt("Tax on gift wrap"),
    "ReturnShipping": _lt("Return shipping"),
    "Goodwill": _lt("Goodwill"),
    "COD": _lt("Cash on delivery fee"),
    "CODTax": _lt("Tax on the cash on delivery fee"),
}

# What happened besides requests.
EVENTS = {
    "purchased": _lt("The order was placed at Amazon."),
    "opened": _lt("The case was opened at the seller (case %(case)s)."),
    "received": _lt("A message from the buyer was received."),
    "answered": _lt("The seller answered the buyer."),
    "written": _lt("The seller's answer to the buyer was handed to the mail system."),
    "left": _lt(
        "The seller's answer to the buyer was handed to the mail system. It has left "
        "since."
    ),
    "posted": _lt("Amazon's financial records show a refund of %(amount)s."),
    "shipped": _lt("A delivery left the seller's warehouse (%(delivery)s)."),
}
WHO = {
    "buyer": _lt("Buyer"),
    "amazon": _lt("Amazon"),
    "software": _lt("Seller's software"),
    "seller": _lt("Seller"),
}


class Words:
    """Says things in one language, and writes times and amounts as is usual there.

    :param str language: one of `reply_rules.LANGUAGES`
    :param str marketplace: Amazon's id of the marketplace, or False
    :param str zone: name of the time zone that times are told in, besides UTC
    """

    def __init__(self, language, marketplace, zone):
        self.language = language
        self.marketplace = marketplace
        self.zone = zone
        self._lang = _ODOO_LANG[language]
        self._locale = _locale(language, marketplace)

    def __call__(self, term, **values):
        """Return a term in this language.

        :param term: one that was marked for translation
        :param values: of its placeholders
        :rtype: str
        """
        text = term._translate(self._lang)
        return text % values if values else text

    def money(self, amount, currency):
        """Return an amount as it is written in this language."""
        return _plain(format_currency(amount, currency, locale=self._locale))

    def time(self, moment):
        """Return a time in the seller's zone.

        :param datetime moment: in UTC, without a time zone
        """
        return self._format(moment, self.zone)

    def utc(self, moment):
        """Return the same time in UTC."""
        return f"{self._format(moment, 'UTC')} UTC"

    def duration(self, seconds):
        """Return a length of time in days, hours and minutes."""
        # rounded up: a time to answer is never told shorter than it was
        minutes = ceil(seconds / 60)
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        if days:
            return self(
                _lt("%(days)s d %(hours)s h %(minutes)s min"),
                days=days,
                hours=hours,
                minutes=minutes,
            )
        if hours:
            return self(
                _lt("%(hours)s h %(minutes)s min"), hours=hours, minutes=minutes
            )
        return self(_lt("%(minutes)s min"), minutes=minutes)

    def shop(self):
        """Return the name of the marketplace with its country."""
        market = MARKETPLACES.get(self.marketplace)
        if not market:
            return "–"
        country = self._locale.territories.get(market.country_code, market.name)
        return f"{market.domain.capitalize()} ({country})"

    def _format(self, moment, zone):
        moment = moment.replace(tzinfo=ZoneInfo("UTC"))
        text = format_datetime(
            moment, "medium", tzinfo=ZoneInfo(zone), locale=self._locale
        )
        return _plain(text)


def _plain(text):
    """Blanks that are not plain ones are lost when a PDF is read by a program."""
    return re.sub(r"\s", " ", text)


def _locale(language, marketplace):
    """Return how the marketplace writes times and amounts in a language, where it is
    one of its own."""
    market = MARKETPLACES.get(marketplace)
    if language == "en":
        country = market and market.country_code
        return Locale("en", country if country in _ENGLISH else "GB")
    if market and language_of(marketplace) == language:
        return Locale(language, market.country_code)
    return Locale(language, language.upper())
