"""The calendar day of a place, also where its clocks are changed at midnight."""

from bisect import bisect_left
from datetime import datetime, time, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytz


def day_at(moment, zone):
    """Return the date that a calendar shows somewhere.

    :param datetime moment: UTC, without a time zone
    :param str zone: name of the time zone
    :rtype: date
    """
    return _local(moment, _zone(zone)).date()


def day_bounds(day, zone):
    """Return when a day begins and ends somewhere, so that no moment at which the
    calendar shows that day is left out.

    Where the clock goes back over midnight (America/Havana at 1:00, to 0:00), there are
    two midnights: a day begins with the earlier one, and the day before ends with the
    later one. Where it goes forward over midnight (Asia/Beirut at 0:00, to 1:00), there
    is none, and the day begins when the clock is changed.

    :param date day: by the calendar there
    :param str zone: name of the time zone
    :return: the first moment, and the first one after the last; UTC, without a time
        zone
    :rtype: tuple[datetime, datetime]
    """
    begins, _later = _midnights(day, _zone(zone))
    _earlier, ends = _midnights(day + timedelta(days=1), _zone(zone))
    return begins, ends


def _midnights(day, zone):
    """Return the earlier and the later moment at which a day begins, most often one."""
    wall = datetime.combine(day, time.min, zone)
    first, second = (_utc(wall.replace(fold=fold)) for fold in (0, 1))
    if first <= second:
        return first, second
    # No clock there shows this midnight (PEP 495: fold 0 counts on with the offset from
    # before the change, fold 1 back with the one after it); the change is between them.
    seconds = range(int((first - second).total_seconds()))
    passed = bisect_left(
        seconds,
        True,
        key=lambda after: _local(second + timedelta(seconds=after), zone).date() >= day,
    )
    change = second + timedelta(seconds=passed)
    return change, change


def _utc(moment):
    return moment.astimezone(timezone.utc).replace(tzinfo=None)


def _local(moment, zone):
    return moment.replace(tzinfo=timezone.utc).astimezone(zone)


@lru_cache(maxsize=64)
def _zone(name):
    """Return a time zone out of pytz's data, whose names Odoo offers to people: a host
    may lack some of them."""
    with pytz.open_resource(name) as data:
        return ZoneInfo.from_file(data, key=name)
