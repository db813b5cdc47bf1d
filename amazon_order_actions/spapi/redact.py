"""Keep secrets out of texts and logs, and orders and buyers out of logs.

What counts as secret: LWA access tokens (``Atza|``), refresh tokens (``Atzr|``) and
authorisation codes, client secrets, and the query of a presigned document URL, which
alone is enough to read or write the document.
"""

import logging
import re
import traceback

HIDDEN = "***"

_RULES = (
    # Tokens of Login with Amazon; the separator may be percent-encoded.
    (re.compile(r"\bAt[a-z]{2}(?:\||%7[Cc])[^\s\"'&,;<>)\]}]*"), HIDDEN),
    # Client secrets of LWA, as issued since 2023.
    (re.compile(r"\bamzn1\.oa2-cs\.[A-Za-z0-9.]+"), HIDDEN),
    # Form, JSON or header notation: client_secret=..., "refresh_token": "...".
    (
        re.compile(
            r"(?i)(client_secret|refresh_token|access_token|x-amz-access-token"
            r"|spapi_oauth_code)(\\?[\"']?\s*[:=,]\s*(?:b?\\?[\"'])?)"
            r"[^\s\"'&,;<>)\]}\\]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
)

#: The query of an address, and what makes it a secret: then it goes as a whole. Two
#: steps, so that a text full of question marks takes no more time than any other.
_QUERY = re.compile(r"\?[^\s\"'<>]*")
_SIGNED = re.compile(r"(?i)(?:x-amz-[a-z-]{1,40}|signature|awsaccesskeyid)=")

#: Where a value stands in a message of `logging`.
_PLACEHOLDER = re.compile(r"%[sdr]")

#: What an address names after its host, in a whole one and in a request's first line:
#: Amazon's and the seller's numbers of orders. And the number of an order elsewhere.
_PATH = re.compile(r"(https?://[^\s\"'/<>]+)/[^\s\"'<>]*")
_REQUEST = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) /[^\s\"'<>]*")
_ORDER = re.compile(r"(?<![\w-])(?:\d{3}|S\d{2})-\d{7}-\d{7}(?![\d-])")

#: Loggers that may print an address, a header or a body of ours. A filter works only
#: for the logger it is attached to, not for its children, so each is named.
LOGGERS = (
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpx",
    "requests",
    "sp_api.auth.access_token_client",
    "sp_api.base.client",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.util.retry",
)


def redact(text):
    """Return `text` without the secrets that are recognised by their form."""
    # Addresses first: another rule might leave the second half of one.
    text = _QUERY.sub(_without_signature, text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _without_signature(match):
    return f"?{HIDDEN}" if _SIGNED.search(match[0]) else match[0]


def anonymous(text):
    """Return `text` without secrets, and without what names an order or a buyer by its
    form: paths of addresses, numbers of orders.
    """
    text = _REQUEST.sub(rf"\1 /{HIDDEN}", _PATH.sub(rf"\1/{HIDDEN}", redact(text)))
    return _ORDER.sub(HIDDEN, text)


class RedactingFilter(logging.Filter):
    """Rewrite a log record, its traceback included, without secrets, orders and buyers.

    Of what sp_api prints there is only what it is about: its values are whole requests,
    with everything that a buyer is called and where he lives.
    """

    def filter(self, record):
        """Redact `record` in place; never drops it."""
        if record.name.startswith("sp_api.") and record.args:
            record.msg, record.args = _PLACEHOLDER.sub(HIDDEN, str(record.msg)), ()
        record.msg = anonymous(record.getMessage())
        record.args = ()
        if record.exc_info and not record.exc_text:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info))
        if record.exc_text:
            record.exc_text = anonymous(record.exc_text.rstrip("\n"))
        return True


_FILTER = RedactingFilter()


def protect(*names):
    """Put the filter on the loggers `names`; doing it twice changes nothing."""
    for name in names:
        logging.getLogger(name).addFilter(_FILTER)
