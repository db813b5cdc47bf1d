"""No order and no buyer in the server's log.

Logs are kept longer, copied further and read by more people than the database. What an
entry is about is told by the number of a record here, which only who may read the
record can resolve.

- Our own loggers (`private_logger`) say nothing that an exception says: where it came
  from and its type, no words.
- Loggers of others through which something of ours may pass (`OTHERS`) lose what is
  known by its form: Amazon's order numbers and the relay addresses of buyers; and the
  words of exceptions that passed through our program, and the values of failed queries.
- Loggers of HTTP clients lose paths, too (`spapi/redact.py`).

A filter works for the logger that it is attached to, not for those below it, so each
is named. What a developer switches on to see everything (`--log-sql`, `--log-web` at
DEBUG) shows everything: it is what is in the database.
"""

import logging
import re
import traceback

from ...spapi.errors import SpApiError

HIDDEN = "***"
# What comes from Odoo, queue_job and werkzeug with something of ours in it.
OTHERS = (
    "odoo.addons.base.models.ir_actions",
    "odoo.addons.base.models.ir_cron",
    "odoo.addons.base.models.ir_mail_server",
    "odoo.addons.bus.models.bus",
    "odoo.addons.bus.websocket",
    "odoo.addons.mail.models.fetchmail",
    "odoo.addons.mail.models.mail_mail",
    "odoo.addons.mail.models.mail_thread",
    "odoo.addons.queue_job.controllers.main",
    "odoo.addons.queue_job.delay",
    "odoo.addons.queue_job.job",
    "odoo.addons.queue_job.jobrunner.runner",
    "odoo.addons.rpc.controllers.jsonrpc",
    "odoo.addons.rpc.controllers.xmlrpc",
    "odoo.http",
    "odoo.service.model",
    "odoo.sql_db",
    "werkzeug",
)
SQL_LOGGER = "odoo.sql_db"
# Folders of our addons, as they stand in a traceback.
OURS = re.compile(r"/amazon_\w+/(?:models|wizards|controllers|spapi)/")

_ORDER = re.compile(r"(?<![\w-])(?:\d{3}|S\d{2})-\d{7}-\d{7}(?![\d-])")
# What stands before the @ names the buyer to Amazon; which shop it is helps.
_RELAY = re.compile(r"[^\s@<>\"',;:()]+@(?=marketplace\.amazon\.)", re.IGNORECASE)
# A string in a query, and the part of PostgreSQL's error that repeats values.
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_DETAIL = re.compile(r"^(?:DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)
# Where a traceback begins in a text, and what stands between two of them.
_BEGINNING = "Traceback (most recent call last):"
_BETWEEN = ("During handling of the above", "The above exception was the direct cause")
_TYPE = re.compile(r"[A-Za-z_][\w.]*")


def hide(text):
    """Return a text without the order numbers and relay addresses in it.

    :param str text: any text
    :rtype: str
    """
    return _RELAY.sub(f"{HIDDEN}@", _ORDER.sub(HIDDEN, text))


def wordless(text):
    """Return a text without what the exceptions say of which it has tracebacks.

    :param str text: with tracebacks, as Python prints them
    :rtype: str
    """
    kept, is_frame, is_words = [], False, False
    for line in text.splitlines():
        if line.strip() == _BEGINNING:
            is_frame, is_words = True, False
        elif line.startswith(_BETWEEN):
            is_frame, is_words = False, False
        elif is_frame and line and not line[0].isspace():
            # the exception itself; what follows belongs to its words
            is_frame, is_words = False, True
            found = _TYPE.match(line)
            kept.append(found[0] if found else HIDDEN)
        if not is_words:
            kept.append(line)
    return hide("\n".join(kept))


def trace_of(error):
    """Return where an exception was raised, for a person who mends the program.

    Only places in the program and the names of types: the words of an exception may
    hold what a buyer wrote, or a secret.

    :param Exception error: the exception, with its traceback
    :rtype: str
    """
    parts = []
    while error:
        frames = traceback.extract_tb(error.__traceback__)
        parts.append(
            "\n".join(
                [
                    *(f"{f.filename}:{f.lineno} in {f.name}" for f in frames),
                    f"{type(error).__module__}.{type(error).__qualname__}",
                ]
            )
        )
        error = error.__cause__ or (
            None if error.__suppress_context__ else error.__context__
        )
    return "\n\n".join(reversed(parts))


def described(error):
    """Return what may be said of an exception: its type, and of an answer of Amazon's
    the facts without Amazon's words, which may repeat what a buyer wrote.

    :param Exception error: any
    :rtype: str
    """
    if isinstance(error, SpApiError):
        facts = (error.operation, error.code, error.http_status, error.request_id)
        return " ".join([type(error).__name__, *(str(f) for f in facts if f)])
    code = getattr(error, "pgcode", None)
    return f"{type(error).__qualname__} {code}" if code else type(error).__qualname__


class OwnFilter(logging.Filter):
    """For our own loggers: nothing that an exception says, and no order's number."""

    def filter(self, record):
        """Rewrite the record in place; never drops it."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                described(each) if isinstance(each, BaseException) else each
                for each in record.args
            )
        if record.exc_info and record.exc_info[1]:
            record.exc_text = trace_of(record.exc_info[1])
        record.exc_info = None
        record.msg, record.args = hide(record.getMessage()), ()
        return True


class OthersFilter(logging.Filter):
    """For loggers of others: as much as can be told by its form."""

    def filter(self, record):
        """Rewrite the record in place; never drops it."""
        text = record.getMessage()
        if record.name == SQL_LOGGER and record.levelno >= logging.WARNING:
            text = _without_values(text)
        elif _BEGINNING in text and OURS.search(text):
            text = wordless(text)
        record.msg, record.args = hide(text), ()
        if record.exc_info and record.exc_info[1]:
            trace = record.exc_text or logging.Formatter().formatException(
                record.exc_info
            )
            is_ours = OURS.search(trace)
            record.exc_text = wordless(trace) if is_ours else hide(trace)
            record.exc_info = None
        return True


def _without_values(text):
    """Return what is logged of a failed query, without its values where it is about a
    table of ours."""
    if "amazon_" not in text:
        return text
    return _DETAIL.sub("", _LITERAL.sub(f"'{HIDDEN}'", text))


_OWN, _OTHERS = OwnFilter(), OthersFilter()


def private_logger(name):
    """Return the logger of a module of ours.

    :param str name: its `__name__`
    :rtype: logging.Logger
    """
    logger = logging.getLogger(name)
    logger.addFilter(_OWN)
    return logger


for _name in OTHERS:
    logging.getLogger(_name).addFilter(_OTHERS)
