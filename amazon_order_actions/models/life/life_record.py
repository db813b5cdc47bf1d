"""The record of how far a database has come, which no restored backup brings back.

One small file for each database, beside the filestores in Odoo's data directory, or in
the folder that ``life_dir`` names (configuration file of the server, section
``[amazon_order_actions]``). It is no part of a dump, and not in the folder of the
database's files, which a backup contains. It holds the token of the database's life and
the last sending number of each seller account.

Hosts that share the folder share the record; a host with a folder of its own has its
own. Numbers only grow: who writes keeps the greater one.
"""

import fcntl
import functools
import json
import os
import tempfile
import time
from configparser import ConfigParser
from contextlib import contextmanager, suppress
from typing import NamedTuple
from urllib.parse import quote

from odoo.tools import config

from ..secrets.sealing import CONFIG_SECTION

CONFIG_OPTION = "life_dir"
# Seconds for which a process waits for another one that writes.
LOCK_SECONDS = 10
# Bytes: more than a record has.
PROBE_BYTES = 64 * 1024


class RecordUnusable(Exception):
    """The record cannot be read or written on this host; its text says why."""


class Record(NamedTuple):
    """What stands in the record.

    :param str token: of the life that the database lived
    :param dict numbers: the last sending number of each seller, by its key
    :param int asked: id of the newest action that was asked for
    """

    token: str
    numbers: dict
    asked: int = 0

    def last_number(self):
        """Return the greatest sending number of all sellers, 0 where there is none."""
        return max(self.numbers.values(), default=0)


def read(database):
    """Return what stands in the record.

    :param str database: name of the database
    :return: None where there is no record that makes sense
    :rtype: Record | None
    :raise RecordUnusable: where there may be one, and it cannot be read
    """
    try:
        with open(_path(database), encoding="utf-8") as file:
            content = json.load(file)
        numbers = {key: int(number) for key, number in content["numbers"].items()}
        asked = int(content.get("asked", 0))
        return Record(str(content["token"]), numbers, asked)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordUnusable(str(error)) from error
    except (ValueError, TypeError, KeyError, AttributeError):
        # It is written in one piece, so somebody else has written this.
        return None


def note(database, key, number):
    """Write down a sending number, where there is a record.

    :param str database: name of the database
    :param str key: names the seller account
    :param int number: of the sending that is about to leave
    :return: what stood in the record before
    :rtype: Record | None
    :raise RecordUnusable: where it cannot be written
    """
    with _held(database):
        record = read(database)
        if record and record.numbers.get(key, 0) < number:
            numbers = {**record.numbers, key: number}
            _write(database, record._replace(numbers=numbers))
        return record


def note_asked(database, newest):
    """Write down how far people have asked, where there is a record. Not forced to the
    disk, since nothing leaves by that and a click waits for it.

    :param str database: name of the database
    :param int newest: id of the newest action, which is committed
    :raise RecordUnusable: where it cannot be written
    """
    with _held(database):
        record = read(database)
        if record and record.asked < newest:
            _write(database, record._replace(asked=newest), is_forced=False)


def start(database, token):
    """Make the record of a database that has sent nothing yet. What another one that
    had its name has left there is no news of this one.

    :param str database: name of the database
    :param str token: of its first life
    :raise RecordUnusable: where it cannot be written
    """
    with _held(database):
        _write(database, Record(token, {}))


def begin(database, token, numbers):
    """Make the record of a new life. Numbers that stand there stay, unless these are
    greater.

    :param str database: name of the database
    :param str token: of the life
    :param dict numbers: the last sending number of each seller, by its key
    :raise RecordUnusable: where it cannot be written
    """
    with _held(database):
        record = read(database)
        kept = dict(record.numbers) if record else {}
        for key, number in numbers.items():
            kept[key] = max(number, kept.get(key, 0))
        _write(database, Record(token, kept))


def forget(database):
    """Remove the record of a database that has no use for it any more, from this host.

    :param str database: name of the database
    """
    path = _path(database)
    for name in (path, f"{path}.new", f"{path}.lock"):
        with suppress(OSError):
            os.remove(name)
    if not _configured_folder(config["config"]):
        with suppress(OSError):
            # Not empty: other databases have records
            os.rmdir(os.path.dirname(path))


def check(database):
    """Make sure that the record can be written on this host.

    :param str database: name of the database
    :raise RecordUnusable: where it cannot
    """
    with _held(database):
        folder = os.path.dirname(_path(database))
        try:
            # of a full disk nothing but writing tells
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(bytes(PROBE_BYTES))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            raise RecordUnusable(f"{folder}: {error.strerror}") from error


def folder():
    """Return the folder of the records on this host."""
    path = _configured_folder(config["config"])
    return path or os.path.join(config["data_dir"], "amazon_order_actions")


@functools.cache
def _configured_folder(path):
    parser = ConfigParser(interpolation=None)
    parser.read(path or [])
    return parser.get(CONFIG_SECTION, CONFIG_OPTION, fallback="").strip()


def _path(database):
    # PostgreSQL allows any character in a name
    return os.path.join(folder(), f"{quote(database, safe=' ')}.json")


@contextmanager
def _held(database):
    """Keep the other processes of all hosts that share the folder from writing.

    :raise RecordUnusable: where the folder cannot be written
    """
    path = _path(database)
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(f"{path}.lock", "a", encoding="utf-8") as lock:
            _lock(lock)
            yield
    except OSError as error:
        raise RecordUnusable(str(error)) from error


def _lock(file):
    """Wait a moment for who holds it, not for ever: all that is sent waits for this.

    :raise OSError: where somebody holds it for long
    """
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def _write(database, record, is_forced=True):
    """Put the record in place at once and, where forced, for good: a host that loses
    power has the former one or this one."""
    path = _path(database)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(record._asdict(), file, indent=1, sort_keys=True)
        file.flush()
        if is_forced:
            os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    if not is_forced:
        return
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
