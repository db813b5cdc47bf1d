"""Seals secrets with a key that is not in the database.

The keys come from the environment of the server (``AMAZON_ORDER_KEYS``) or else from
its configuration file (``keys`` in the section ``[amazon_order_actions]``; Odoo
leaves sections that it does not know alone). They are a list, separated by commas or
white space: the first one seals, each of them opens. A process reads them once.

A sealed text is a Fernet token (AES-128-CBC with HMAC-SHA256). Fernet cannot
authenticate anything beside the text, so the place that a secret belongs to is sealed
with it: it opens there alone.
"""

import functools
import json
import os
from configparser import ConfigParser
from datetime import datetime, timezone

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from odoo.tools import config

KEYS_VARIABLE = "AMAZON_ORDER_KEYS"
CONFIG_SECTION = "amazon_order_actions"
CONFIG_OPTION = "keys"

#: Prints a new key.
MAKE_KEY = (
    'python3 -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())"'
)


class KeyMissing(Exception):
    """This server has no key."""


class KeyUnusable(Exception):
    """One of the keys is none; its text is its number in the list, from 1."""


class Unsealable(Exception):
    """No key of this server opens it, or it was sealed for another place."""


def seal(place, value):
    """Return a secret sealed with the first key.

    :param list place: what it belongs to, of what JSON can hold
    :param str value: the secret
    :rtype: str
    :raise KeyMissing, KeyUnusable: by this server's settings
    """
    content = json.dumps([*place, value])
    return _ring(_configured_keys()).encrypt(content.encode()).decode()


def unseal(place, sealed):
    """Return the secret that was sealed for the same place.

    :rtype: str
    :raise KeyMissing, KeyUnusable: by this server's settings
    :raise Unsealable: when it cannot be opened, or belongs elsewhere
    """
    try:
        content = _ring(_configured_keys()).decrypt(sealed.encode())
    except InvalidToken:
        raise Unsealable from None
    *sealed_for, value = json.loads(content)
    if sealed_for != [*place]:
        raise Unsealable
    return value


def is_under_first_key(sealed):
    """Tell whether the first key opens it, so that the others are not needed for it.

    :raise KeyMissing, KeyUnusable, Unsealable: see `unseal`
    """
    return _signature(sealed)[0] == 0


def sealed_at(sealed):
    """Return when a secret was sealed, in UTC without a zone, as Odoo's times are.

    :rtype: datetime
    :raise KeyMissing, KeyUnusable, Unsealable: see `unseal`
    """
    moment = datetime.fromtimestamp(_signature(sealed)[1], timezone.utc)
    return moment.replace(tzinfo=None)


def reseal(sealed):
    """Return the same, sealed with the first key; the day it was sealed on is kept.

    :raise KeyMissing, KeyUnusable: by this server's settings
    :raise Unsealable: when it cannot be opened
    """
    try:
        return _ring(_configured_keys()).rotate(sealed.encode()).decode()
    except InvalidToken:
        raise Unsealable from None


def check_keys():
    """Make sure that this server can seal.

    :raise KeyMissing, KeyUnusable: when it cannot
    """
    _fernets(_configured_keys())


def _signature(sealed):
    """Return the position of the key that sealed it, and when, in seconds since 1970.

    (MultiFernet tells neither in the releases of cryptography that Odoo 19 asks for.)
    """
    for position, fernet in enumerate(_fernets(_configured_keys())):
        try:
            return position, fernet.extract_timestamp(sealed.encode())
        except InvalidToken:
            continue
    raise Unsealable


def _configured_keys():
    return os.environ.get(KEYS_VARIABLE) or _keys_in_file(config["config"])


@functools.cache
def _keys_in_file(path):
    parser = ConfigParser(interpolation=None)
    parser.read(path or [])
    return parser.get(CONFIG_SECTION, CONFIG_OPTION, fallback="")


def _ring(text):
    return MultiFernet(_fernets(text))


@functools.lru_cache(maxsize=4)
def _fernets(text):
    keys = text.replace(",", " ").split()
    if not keys:
        raise KeyMissing
    return [_fernet(number, key) for number, key in enumerate(keys, 1)]


def _fernet(number, key):
    try:
        return Fernet(key)
    except ValueError:
        # without the cause, which might quote the key
        raise KeyUnusable(number) from None
