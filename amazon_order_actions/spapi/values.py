"""Read times and amounts out of Amazon's answers."""

import contextlib
import re
from datetime import datetime, timezone
from decimal import Decimal

from .errors import MalformedAnswer
from .texts import cut

#: Characters of a text that names something. Amazon's own ids have 50 at most; what is
#: longer is none, and cut it would be another one.
MAX_NAME = 200

#: Characters that are kept of a text that a person reads.
MAX_READ = 500

#: Nothing that is sold costs as much, in whatever currency.
MAX_AMOUNT = Decimal(10) ** 12

#: More units are no number of units.
MAX_UNITS = 1_000_000

#: As JSON writes a number (RFC 8259, section 6). Python reads more: "1_000", blanks,
#: the digits of other scripts, and exponents that take all memory.
_AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")

#: Years that a time of Amazon's can have; 1970 is how it says that there is none.
_YEARS = range(1970, 3000)


def time_of(operation, text, name):
    """Return an aware time in UTC from ISO 8601.

    :raises MalformedAnswer: missing, or no time with a zone
    """
    time = None
    if isinstance(text, str) and len(text) <= MAX_NAME and text.isascii():
        # Python 3.10 has no ISO parser for "Z" nor for any number of decimals. At the
        # ends of the calendar there is no time in UTC.
        with contextlib.suppress(ValueError, OverflowError):
            time = datetime.strptime(_whole_seconds(text), "%Y-%m-%dT%H:%M:%S%z")
            time = time.astimezone(timezone.utc)
    if time is None or time.year not in _YEARS:
        raise MalformedAnswer(operation, f"{name} is missing or no time.")
    return time


def _whole_seconds(text):
    """Return an ISO time without its fraction of a second."""
    head, dot, tail = text.partition(".")
    return head + tail.lstrip("0123456789") if dot else text


def amount_of(operation, money, name, amount_key="amount", currency_key="currencyCode"):
    """Return amount (Decimal) and currency of a money object of Amazon.

    :raises MalformedAnswer: not an object, or one of its parts is missing or unusable
    """
    money = money if isinstance(money, dict) else {}
    value, currency = money.get(amount_key), money.get(currency_key)
    amount = _decimal(value)
    is_currency = isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency)
    if amount is None or not is_currency:
        raise MalformedAnswer(operation, f"The {name} is missing or no amount.")
    return amount, currency


def _decimal(value):
    """Return an amount, None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, int) and abs(value) >= MAX_AMOUNT:
        return None
    # By way of text: a JSON number is a float by now, whose shortest text is what
    # Amazon wrote.
    text = str(value)
    amount = Decimal(text) if _AMOUNT.fullmatch(text) else None
    return amount if amount is not None and abs(amount) < MAX_AMOUNT else None


def units_of(node, name, default=None):
    """Return a number of units within an object, None where it is none."""
    units = node.get(name, default)
    if isinstance(units, bool) or not isinstance(units, int):
        return None
    return units if 0 <= units <= MAX_UNITS else None


def object_of(operation, node, name):
    """Return an object within an object, an empty one where it is absent.

    :raises MalformedAnswer: it is something else
    """
    part = node.get(name)
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise MalformedAnswer(operation, f"{name} is not an object.")
    return part


def objects_of(operation, node, name):
    """Return a list of objects within an object, an empty one where it is absent.

    :raises MalformedAnswer: it is something else
    """
    part = node.get(name)
    if part is None:
        return []
    if not isinstance(part, list) or not all(isinstance(row, dict) for row in part):
        raise MalformedAnswer(operation, f"{name} is not a list of objects.")
    return part


def text_of(operation, node, name, limit=MAX_NAME):
    """Return a text within an object, an empty one where it is absent.

    :param int limit: characters
    :raises MalformedAnswer: it is something else, or longer
    """
    part = _text(operation, node, name)
    if len(part) > limit:
        raise MalformedAnswer(operation, f"{name} has more than {limit} characters.")
    return part


def read_of(operation, node, name, limit=MAX_READ):
    """Return a text within an object that a person reads, cut where it is too long.

    :param int limit: characters
    :raises MalformedAnswer: it is something else
    """
    return cut(_text(operation, node, name), limit)


def _text(operation, node, name):
    part = node.get(name)
    if part is None:
        return ""
    if not isinstance(part, str):
        raise MalformedAnswer(operation, f"{name} is not a text.")
    return part
