"""Read a JSON body so that nothing in it can surprise what comes after.

Python's own reader takes more than JSON is (NaN, Infinity, UTF-16), lets the last of
several equal keys win, and gives texts that no database keeps. RFC 8259: a body is
UTF-8 (section 8.1), a number is finite (6), and what equal keys mean is "unpredictable"
(4); where it is about money, that is no answer.
"""

import json
import math

from .texts import fit

#: The deepest answer of Amazon's models has about 15 levels; transactions nest their
#: amounts at will.
MAX_DEPTH = 64

#: Digits of a whole number; Amazon's longest ids are texts.
MAX_DIGITS = 18


def loads(content):
    """Return what a JSON body says; its texts are fit to be kept, see `texts.fit`.

    :param bytes content: the body, unpacked
    :raises ValueError: no JSON, or one that is not trusted: another character set, a
        key twice in one object, a number out of all bounds, nested too deeply
    """
    try:
        # A byte order mark may be ignored (RFC 8259, section 8.1).
        parsed = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_no_number,
        )
        return _fit(parsed, 0)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _object(pairs):
    node = dict(pairs)
    if len(node) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return node


def _whole(text):
    if len(text) > MAX_DIGITS + 1:
        raise ValueError("a number is too long")
    return int(text)


def _fraction(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too big")
    return number


def _no_number(name):
    raise ValueError(f"{name} is no number")


def _fit(node, depth):
    if isinstance(node, str):
        return fit(node)
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(node, dict):
        return {key: _fit(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_fit(value, depth + 1) for value in node]
    return node
