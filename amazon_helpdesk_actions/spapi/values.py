"""Read times and amounts out of Amazon's answers."""

import contextlib
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation

from .errors import MalformedAnswer


def time_of(operation, text, name):
    """Return an aware time in UTC from ISO 8601.

    :raises MalformedAnswer: missing, or no time with a zone
    """
    time = None
    if isinstance(text, str):
        # Python 3.10 has no ISO parser for "Z" nor for any number of decimals.
        with contextlib.suppress(ValueError):
            time = datetime.strptime(_whole_seconds(text), "%Y-%m-%dT%H:%M:%S%z")
    if time is None:
        raise MalformedAnswer(operation, f"{name} is missing or no time.")
    return time.astimezone(timezone.utc)


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
    try:
        # By way of text: a JSON number is a float by now, whose shortest text is what
        # Amazon wrote.
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = None
    usable = amount is not None and amount.is_finite() and not isinstance(value, bool)
    if not usable or not isinstance(currency, str) or not currency:
        raise MalformedAnswer(operation, f"The {name} is missing or no amount.")
    return amount, currency


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


def text_of(operation, node, name):
    """Return a text within an object, an empty one where it is absent.

    :raises MalformedAnswer: it is something else
    """
    part = node.get(name)
    if part is None:
        return ""
    if not isinstance(part, str):
        raise MalformedAnswer(operation, f"{name} is not a text.")
    return part
