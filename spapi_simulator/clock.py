"""The simulated clock. Everything that Amazon does in time is measured by it."""

import time
from datetime import datetime, timedelta, timezone

UTC = timezone.utc


class SimulatedClock:
    """A clock that starts at the real time and may run faster than it.

    It goes forward only, until it is restarted.

    :param float factor: simulated seconds per real second
    """

    def __init__(self, factor=1.0):
        self.restart(factor)

    def __getstate__(self):
        """Return what it shows and how fast it runs, for `state.py`."""
        return {"now": self.now(), "factor": self._factor}

    def __setstate__(self, state):
        """Go on from there, or from the real time, whichever is later."""
        self.restart(state["factor"])
        self._base = max(self._base, state["now"])

    @property
    def factor(self):
        """Simulated seconds per real second."""
        return self._factor

    def now(self):
        """Return the simulated time as an aware datetime in UTC."""
        elapsed = time.monotonic() - self._base_monotonic
        return self._base + timedelta(seconds=elapsed * self._factor)

    def advance(self, seconds):
        """Jump forward.

        :param float seconds: simulated seconds, not negative
        :raise ValueError: when asked to go back
        """
        if seconds < 0:
            raise ValueError("The clock cannot go back.")
        self._base += timedelta(seconds=seconds)

    def restart(self, factor):
        """Go back to the real time, and run on at this speed.

        :param float factor: simulated seconds per real second
        """
        self._base = datetime.now(UTC)
        self._base_monotonic = time.monotonic()
        self._factor = float(factor)


def iso(moment, milliseconds=False):
    """Write a time as the Selling Partner API does (ISO 8601, UTC, `Z`)."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    text = moment.isoformat(timespec="milliseconds" if milliseconds else "seconds")
    return text + "Z"


def parse_iso(text):
    """Read an ISO 8601 date-time.

    :param str text: a date and time with its offset from UTC
    :return: an aware datetime in UTC
    :raise ValueError: when it is no date-time or has no offset
    """
    if "T" not in text:
        raise ValueError("not a date-time")
    # Python 3.10 does not read the final Z
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError("no offset from UTC")
    return moment.astimezone(UTC)
