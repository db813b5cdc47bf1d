"""What a reply to a buyer may say: its languages, its placeholders.

Plain functions on plain values. Nothing of a text is ever run: a placeholder is a name
from a fixed list, replaced by a value. What Amazon forbids is in `reply_content`.
"""

import re

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency

from ...spapi.marketplaces import MARKETPLACES

#: The languages that replies are written in, each under its own name.
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
]
# Country of the marketplace -> language of its buyers; English for all others.
_LANGUAGE_OF = {"DE": "de", "FR": "fr", "BE": "fr", "ES": "es", "MX": "es"}

#: What is known of an action when a reply is written.
STAGES = [
    ("none", "Nothing asked of Amazon"),
    ("asked", "Asked for here"),
    ("submitted", "Passed on to Amazon"),
    ("accepted", "Accepted by Amazon"),
    ("confirmed", "Confirmed by Amazon's data"),
    ("correction", "Correction of an earlier reply"),
]
# State of an action -> what a reply may say of it. Who recorded something as done in
# Seller Central asked Amazon for it; more is not known before Amazon's data shows it.
STAGE_OF_STATE = {
    # Nothing is promised before the second person has approved it.
    "to_approve": "none",
    "queued": "asked",
    "sending": "asked",
    "unknown": "asked",
    "submitted": "submitted",
    "assisted": "submitted",
    "accepted": "accepted",
    "confirmed": "confirmed",
    "rejected": "correction",
    "blocked": "correction",
    "withdrawn": "correction",
    "refused": "correction",
    "expired": "correction",
}
#: States in which it is certain that nothing was, or will be, done.
FAILED_STATES = ("rejected", "blocked", "withdrawn", "refused", "expired")

#: What replies are about: kinds of action, and what needs none.
ASK_OFFICIAL_CANCEL = "ask_official_cancel"
SITUATIONS = [
    ("refund", "Refund"),
    ("cancel", "Cancellation"),
    ("cancel_items", "Cancellation of items"),
    ("ship", "Shipment"),
    (ASK_OFFICIAL_CANCEL, "How to cancel in Your Orders"),
]

_ALWAYS = {"order", "shop"}
_ASKED = {
    "refund": {"amount", "items"},
    "cancel": {"items"},
    "cancel_items": {"items"},
    "ship": {"items"},
}
_ACCEPTED = {"confirmation", "feed"}
_OF_REFUND = {"accepted": {"transaction"}, "confirmed": {"transaction", "refund_id"}}

# What Amazon may not have told yet: a line with one of these is left out then.
_OPTIONAL = _ACCEPTED | {"transaction", "refund_id"}

PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


def language_of(marketplace):
    """Return the language of the buyers of a marketplace.

    :param str marketplace: Amazon's id of the marketplace, or False
    :rtype: str
    """
    market = MARKETPLACES.get(marketplace)
    return _LANGUAGE_OF.get(market.country_code, "en") if market else "en"


def money(amount, currency, language, marketplace):
    """Return an amount as the buyer writes it.

    :param float amount: in ``currency``
    :param str currency: ISO 4217
    :param str language: one of `LANGUAGES`
    :param str marketplace: Amazon's id of the marketplace, or False
    :rtype: str
    """
    market = MARKETPLACES.get(marketplace)
    country = market.country_code if market else "GB"
    try:
        locale = Locale.parse(f"{language}_{country}")
    except UnknownLocaleError:
        locale = Locale.parse(language)
    # Messages are plain text: blanks that are not plain ones are no help there.
    return re.sub(r"\s", " ", format_currency(amount, currency, locale=locale))


def known_placeholders(situation, stage):
    """Return the names that a text may use: what is known by then, and nothing else.

    :param str situation: one of `SITUATIONS`
    :param str stage: one of `STAGES`
    :rtype: set[str]
    """
    names = _ALWAYS | _ASKED.get(situation, set())
    if stage in ("accepted", "confirmed"):
        names = names | _ACCEPTED
        if situation == "refund":
            names = names | _OF_REFUND[stage]
    return names


def placeholders(text):
    """Return the names of the placeholders in a text, in their order.

    :rtype: list[str]
    """
    return list(dict.fromkeys(PLACEHOLDER.findall(text or "")))


def render(text, values):
    """Put values in the place of placeholders, once: what a value holds is not looked
    at again. A line that names a number which Amazon has not told is left out; any
    other placeholder without a value stays, so that the text is not sent.

    :param str text: with placeholders such as ``${order}``
    :param dict values: text by name
    :rtype: str
    """
    lines = [
        PLACEHOLDER.sub(lambda match: values.get(match[1]) or match[0], line)
        for line in (text or "").split("\n")
        if all(values.get(name) for name in _OPTIONAL.intersection(placeholders(line)))
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
