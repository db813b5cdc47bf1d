"""What Amazon does not allow in a text to a buyer: links, addresses, telephone numbers.

Plain functions on plain values.

Sources of the rules: amzn/selling-partner-api-models, models/messaging-api-model ("Do
not include HTML or email addresses", "only links related to order completion"; no
program can tell what a link is related to, so none is let through), and Amazon's
Communication Guidelines (no links, no telephone numbers, the number of the order).
"""

import itertools
import re
import unicodedata

from ...spapi.marketplaces import MARKETPLACES

#: Characters of a text to a buyer, many times what a message may have.
MAX_TEXT = 20_000

# Each repetition has a bound, so that no text takes longer than its length.
_HTML = re.compile(r"</?[a-zA-Z!][^>]{0,500}>|&(#\d{1,9}|[a-zA-Z]{1,40});")
_ADDRESS = re.compile(
    r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63}){1,9}"
    # a name at a messenger or network
    r"|(?<![\w.@-])@[a-zA-Z]\w{2,63}"
)
# What cannot be seen: it turns around what stands beside it (see `spapi.texts`), or
# parts a word that a rule would know. Not U+FE0F, which some signs have.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# Signs that look like a dot or like a Latin letter, where compatibility decomposition
# (NFKC) does not say so; after Unicode's confusables, those of Cyrillic and Greek.
_LOOK_ALIKE = str.maketrans(
    "。۔܁܂ꓸ‧∙⋅" + "аеорсухіјѕԁһԛԝАВЕКМНОРСТУХІЈЅ" + "οανικρυχτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "ıɑɡ",
    "." * 8 + "aeopcyxijsdhqwABEKMHOPCTYXIJS" + "oavikpuxtABEZHIKMNOPTYX" + "iag",
)

# --- Links ---
# Endings of hosts. No list of all 1,400: many are words, or endings of files. Those
# that are words, too, may begin a sentence that lacks its blank ("geliefert.In").
_ENDINGS = set(
    "com org biz xyz icu vip dev edu gov int mobi asia wiki info co uk gb fr nl eu pl"
    " pt ch cz dk fi gr hu ie ro ru sk ua lu lv lt ee bg hr rs tr ca mx br ar cl jp"
    " cn au nz za ae eg sg hk tw kr th vn ph pk io tv cc ws gg ly sh fm gl gd gs vc"
    " tk cf ga gq ml kg tl mc".split()
)
_ENDINGS_AND_WORDS = set(
    "de es it at be no is so to me my us am as by la do ai id im in va ma ne ci al"
    " ad se si il et su li na sa vi um re".split()
)
_NAMES_AND_WORDS = set(
    "net shop store online site app live pro link click page website web tech cloud"
    " digital agency blog news email club top one work world life today fun space"
    " center group support help chat sale deals zone company video name gift".split()
)
_ABBREVIATIONS = {"co.kg", "art.no", "item.no", "order.no", "ref.no", "cust.no"}
# The name of Amazon itself may stand there, and no page of it.
_AMAZON = re.compile(
    r"(?<![\w.@/-])(?i:{})(?![\w/-]|\.[a-z\d])".format(
        "|".join(
            re.escape(market.domain)
            # the longest first: amazon.com.mx before amazon.com
            for market in sorted(
                MARKETPLACES.values(), key=lambda market: -len(market.domain)
            )
        )
    )
)
_HOST = re.compile(
    r"(?<![\w-])(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{1,59}|[^\W\d_]{2,24})(?![\w-])"
)
# Endings in other scripts, as they are typed or as they are sent.
_FOREIGN = re.compile("xn--|[\u0370-\u06ff\u0900-\u0dff\u0e00-\u0eff\u3040-\ud7af]")
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_LINK = re.compile(
    r"\w\s{0,2}:\s{0,2}//"
    r"|(?i:\b(?:javascript|vbscript|mailto|h(?:tt|xx)ps?|ftp)\s{0,2}:\s{0,2}\S)"
    r"|(?i:\b(?:tel|sms|whatsapp|tg|skype|callto):\+?[\d/])"
    r"|(?i:\bdata:\w{1,30}/)"
    r"|(?i:\bwww\.|\b[\w-]{1,63}\.[a-z]{2,24}/\w|\blocalhost\b)"
    # shop [dot] com, shop .com
    r"|(?i:[\[({<]\s?(?:dot|punkt|point|punto|at|ät)\s?[\])}>])"
    r"|(?i:\w(?:\s{1,3}\.\s{0,3}|\.\s{1,3}|\s{1,3}dot\s{1,3})com\b)"
    # addresses of the internet protocol
    rf"|(?<![\d.,])(?:{_BYTE}\.){{3}}{_BYTE}(?![\d]|[.,]\d)"
    r"|\[[\da-fA-F]{0,4}:[\da-fA-F:.]{1,40}\]"
    r"|(?<![\w:])(?:[\da-fA-F]{1,4}:){1,7}:[\da-fA-F]{1,4}"
)

# --- Telephones and messengers ---
_DATE = r"(?:[0-3]?\d([./-])[01]?\d\{}(?:\d{{4}}|\d\d)|\d{{4}}-[01]\d-[0-3]\d)"
_DATES = re.compile(
    rf"(?<![\d./+-]){_DATE.format(1)}(?:\s?[-–]\s?{_DATE.format(2)})?(?!\d|[./-]\d)"
)
_ORDER = re.compile(r"(?<![\w-])[\dA-Z]\d{2}-\d{7}-\d{7}(?![\w-])")
# From a plus or a zero on, as telephone numbers begin; or as in North America.
_PHONE = re.compile(
    r"(?<![\w/.-])(?:\+|\(0|0)[\d(][\d\s()/.-]{5,30}\d(?![\w-])"
    r"|(?<![\w.-])(?:\(\d{3}\)\s?|\d{3}[.-])\d{3}[.\s-]\d{4}(?![\w-])"
)
_MESSENGERS = (
    r"(?i:\b(?:whats\s?app|telegram|signal|viber|wechat|skype|threema|messenger"
    r"|instagram|facebook|snapchat|tiktok|imessage)\b)"
)
_CALLS = (
    r"(?i:\b(?:call|phone(?:\snumber|\sus|\s?:)|fax|hotline|tel|tél|telefon"
    r"|telefonnummer|téléphone|teléfono|telefono|appelez|llame|llámenos|chiamare|chiama|chiamateci|anrufen"
    r"|rufen)\b)"
)
_CALL = re.compile(
    rf"(?:{_MESSENGERS}[^\d\n]{{0,40}}|{_CALLS}[^\d\n]{{0,20}})"
    r"(?<![\d.,])\+?\d[\d\s()/.-]{4,20}\d(?![.,]?\d)"
    rf"|{_MESSENGERS}\s{{0,2}}[:=]\s{{0,2}}[@\w]"
)
# Before the number of a parcel, which may begin with zeros, too.
_PARCEL = re.compile(
    r"(?i:track|sendung|paket|parcel|shipment|suivi|colis|seguimiento|env[ií]o"
    r"|spedizion|tracciamento|pacco)"
)
# Digits of the longest telephone number (ITU-T E.164), and of the shortest number of a
# parcel that is no telephone number where the word stands before it.
_PHONE_DIGITS, _PARCEL_DIGITS = 15, 12
# Characters before a number in which that word is looked for.
_PARCEL_WINDOW = 40
# Characters of what was found, as a person is shown it.
_SHOWN = 40


def visible(text):
    """Return a text without the characters that cannot be seen.

    :rtype: str
    """
    return _INVISIBLE.sub("", text or "")


def forbidden(text):
    """Return what a text holds that Amazon does not allow.

    It stops what is pasted or typed without thinking. Who wants to get around it
    finds words for it; that is for Amazon, which reads along.

    :return: of ``empty``, ``long``, ``html``, ``link``, ``address``, ``phone``,
        ``placeholder``, ``invisible``: the piece of the text, empty where it is none
    :rtype: dict[str, str]
    """
    text = text or ""
    if len(text) > MAX_TEXT:
        return {"long": ""}
    plain = unicodedata.normalize("NFKC", visible(text)).translate(_LOOK_ALIKE)
    rest = _ADDRESS.sub(" ", plain)
    found = {
        "empty": None if visible(text).strip() else "",
        "html": _piece(_HTML.search(text)),
        "address": _piece(_ADDRESS.search(plain)),
        "link": _piece(_LINK.search(rest)) or _host(rest),
        "phone": _phone(_ORDER.sub(" ", _DATES.sub(" ", plain))),
        "placeholder": "${" if "${" in text else None,
        "invisible": "" if _INVISIBLE.search(text) else None,
    }
    return {name: piece for name, piece in found.items() if piece is not None}


def _piece(match):
    return match[0].strip()[:_SHOWN] if match else None


def _host(text):
    """Return the first name of a host in a text, or None."""
    for match in _HOST.finditer(_AMAZON.sub(" ", text)):
        labels = match[0].split(".")
        for before, label in itertools.pairwise(labels):
            if _is_ending(before, label):
                return match[0][:_SHOWN]
    return None


def _is_ending(before, label):
    """Tell the ending of a host from the beginning of a sentence without a blank.

    :param str before: what stands before the dot
    :param str label: what stands behind it
    """
    name = label.lower()
    if f"{before.lower()}.{name}" in _ABBREVIATIONS:
        return False
    if _FOREIGN.search(name):
        return True
    if name in _NAMES_AND_WORDS:
        return not (label.istitle() and before.islower())
    # "z.B.", "p.es.", "5.de": no name
    if name in _ENDINGS_AND_WORDS:
        return not label.istitle() and len(before) > 1 and not before.isdigit()
    return name in _ENDINGS and (name == "com" or len(before) > 1)


def _phone(text):
    """Return the first telephone number in a text, or None.

    :param str text: without dates and the numbers of orders
    """
    for match in _PHONE.finditer(text):
        digits = sum(character.isdigit() for character in match[0])
        window = text[max(0, match.start() - _PARCEL_WINDOW) : match.start()]
        is_parcel = digits > _PHONE_DIGITS or (
            digits >= _PARCEL_DIGITS and match[0].isdigit() and _PARCEL.search(window)
        )
        if not is_parcel:
            return _piece(match)
    return _piece(_CALL.search(text))
