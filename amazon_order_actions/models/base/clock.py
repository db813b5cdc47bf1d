"""PostgreSQL's clock: the one that all hosts share."""

from datetime import timedelta

from odoo.fields import Domain

# Amazon's clock and ours may differ by this many minutes when a refund is matched to
# the feed that asked for it.
CLOCK_TOLERANCE_MINUTES = 15

# Seconds by which a time may be ahead of PostgreSQL's clock, or a host's clock differ
# from it, before it counts as wrong. A clock that is kept by NTP is right to a fraction
# of one; times are kept in whole seconds, and a question to the database may take a
# moment where the machine is busy.
CLOCK_SECONDS = 5

# As SQL, in whole seconds, as Odoo keeps times.
DATABASE_NOW = "date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC')"


def database_now(env):
    """Return the time by PostgreSQL's clock, at this very moment.

    The clock of a host may be wrong, and what one host wrote down is compared by the
    others. Whatever says *known up to then* or *asked since then* is told by this one.

    :param Environment env: whose database is asked
    :return: UTC, without a time zone, in whole seconds, as Odoo keeps it
    :rtype: datetime
    """
    env.cr.execute(f"SELECT {DATABASE_NOW}")  # noqa: S608 - of a constant alone
    return env.cr.fetchone()[0]


def latest_credible(now):
    """Return the latest time that can have been written down by a right clock. What
    claims to be later counts as unknown.

    :param datetime now: by PostgreSQL's clock
    :rtype: datetime
    """
    return now + timedelta(seconds=CLOCK_SECONDS)


def any_ahead(times, now):
    """Return the domain of what claims that one of these times is later than it can be.

    :param tuple times: names of fields
    :param datetime now: by PostgreSQL's clock
    :rtype: Domain
    """
    latest = latest_credible(now)
    return Domain.OR(Domain(name, ">", latest) for name in times)


def bring_back(records, times, now, before=timedelta()):
    """Set to now, or to a while before, what lies in the future.

    :param tuple times: names of fields
    :param datetime now: by PostgreSQL's clock
    :param timedelta before: so long before now
    """
    latest = latest_credible(now)
    for name in times:
        ahead = records.filtered(
            lambda record, name=name: record[name] and record[name] > latest
        )
        ahead.write({name: now - before})


def naive_utc(moment):
    """Return an aware datetime as Odoo keeps it: UTC, without a time zone."""
    if not moment:
        return False
    return (moment - moment.utcoffset()).replace(tzinfo=None)


def as_utc(moment):
    """Return a moment as people and journal read it, whatever their time zone."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
