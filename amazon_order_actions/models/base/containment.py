"""How a failure stays as small as what failed."""

from contextvars import ContextVar

import psycopg2

from odoo.exceptions import ConcurrencyError

from odoo.addons.queue_job.exception import RetryableJobError

from .private_log import private_logger, trace_of

_logger = private_logger(__name__)

# What is no failure of the records: the whole transaction is run again, or the job
# comes back later.
PASSED_ON = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    ConcurrencyError,
    RetryableJobError,
)


# Whether a savepoint is open that undoes all, see `worked_together`.
_together = ContextVar("amazon_together", default=False)


def worked_together(records, method):
    """Call a method with records in one savepoint, instead of one for each part that is
    contained in it; where any part fails, undo all of it.

    Two queries for each savepoint are too many where a person waits, and mostly nothing
    fails. Where something does, call the method once more, and each part is contained.

    :param method: function of records
    :return: whether nothing failed
    :rtype: bool
    """
    token = _together.set(True)
    try:
        return _failure_in_savepoint(records, method) is None
    finally:
        _together.reset(token)


def failure_of(records, method):
    """Call a method with records; where it fails, undo what it did.

    :param method: function of records
    :return: the exception, None where there was none
    """
    if _together.get():
        method(records)
        return None
    return _failure_in_savepoint(records, method)


def _failure_in_savepoint(records, method):
    try:
        with records.env.cr.savepoint():
            method(records)
    except PASSED_ON:
        raise
    except Exception as error:
        return error
    return None


def contained(records, method, on_error):
    """Call a method with all of the records; where that fails, with each of them, so
    that the others do not suffer from one.

    :param records: what it is done with; with none of them nothing happens
    :param method: function of records; what it did before it failed is undone
    :param on_error: function of the one record that failed, and of the exception
    :return: the records that it worked for
    """
    if not records:
        return records
    error = failure_of(records, method)
    if error is None:
        return records
    if len(records) == 1:
        on_error(records, error)
        return records.browse()
    done = records.browse()
    for record in records:
        done |= contained(record, method, on_error)
    return done


def log_failure(records, what, error):
    """Log that something failed for records, without what the exception says.

    :param str what: what failed, in a few words
    """
    _logger.error("%s: %s\n%s", records, what, trace_of(error))
