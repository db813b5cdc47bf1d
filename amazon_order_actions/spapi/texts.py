"""Make a text of Amazon's fit to be kept and shown.

Titles and SKUs are typed by sellers, reasons by buyers: no key of theirs may break
what keeps them, or show a reader something else than what is there.
"""

import re

#: No database keeps NUL or half of a surrogate pair, no XML the other control
#: characters (XML 1.0, Char; U+0085 and the like are of no use to anybody).
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"  # noqa: PLE2510, PLE2513
)

#: Characters that cannot be seen and turn what stands beside them around, or make two
#: different texts look the same: overrides, embeddings and isolates (Unicode Standard
#: Annex 9; "Trojan Source", CVE-2021-42574), zero-width blanks, tags. The joiners and
#: the marks of direction stay: Arabic, Hindi and emoji need them.
_DECEIVING = re.compile(
    "[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


def fit(text):
    """Return a text without what cannot be kept or deceives the reader.

    :param str text: as Amazon gave it
    :return: the same where nothing is wrong with it; what cannot be kept is replaced
        by U+FFFD, what deceives is left out
    :rtype: str
    """
    if text.isascii() and text.isprintable():
        return text
    return _DECEIVING.sub("", _UNFIT.sub("\ufffd", text))


def cut(text, limit):
    """Return a text of at most `limit` characters; an ellipsis tells that it was cut.

    :rtype: str
    """
    return text if len(text) <= limit else text[: limit - 1] + "…"
