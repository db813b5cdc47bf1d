"""PostgreSQL's clock: the one that all hosts share."""


def database_now(env):
    """Return the time by PostgreSQL's clock, at this very moment.

    The clock of a host may be wrong, and what one host wrote down is compared by the
    others. Whatever says *known up to then* or *asked since then* is told by this one.

    :param Environment env: whose database is asked
    :return: UTC, without a time zone, in whole seconds, as Odoo keeps it
    :rtype: datetime
    """
    env.cr.execute("SELECT date_trunc('second', clock_timestamp() AT TIME ZONE 'UTC')")
    return env.cr.fetchone()[0]
