"""Pages of a list, by opaque tokens."""

import secrets
from datetime import timedelta

from .errors import invalid_input

# Orders 2026-01-01: "Token handling with 24-hour expiration" (migration guide)
TOKEN_LIFETIME = timedelta(hours=24)


class Pager:
    """Cuts lists into pages and remembers the rest under a token.

    :param SimulatedClock clock: the clock by which tokens expire
    """

    def __init__(self, clock):
        self.clock = clock
        self._rests = {}

    def first(self, owner, rows, size):
        """Return the first page.

        :param tuple owner: what the token is good for (seller, operation, arguments)
        :return: (rows of the page, token or None)
        """
        return self._cut(owner, rows, 0, size)

    def _cut(self, owner, rows, start, size):
        end = start + size
        if end >= len(rows):
            return rows[start:], None
        self._forget_expired()
        token = secrets.token_urlsafe(24)
        expires = self.clock.now() + TOKEN_LIFETIME
        # All tokens of a list share its rows.
        self._rests[token] = owner, rows, end, size, expires
        return rows[start:end], token

    def _forget_expired(self):
        """Drop the oldest tokens; they were made in the order of their expiry."""
        now = self.clock.now()
        while self._rests:
            token = next(iter(self._rests))
            if self._rests[token][-1] > now:
                return
            del self._rests[token]

    def next(self, owner, token):
        """Return the page that a token stands for.

        :raise ApiError: 400 when the token is unknown, expired or of another request
        """
        known = self._rests.get(token)
        if known is None or known[-1] <= self.clock.now():
            raise invalid_input("The pagination token is invalid or has expired.")
        if known[0] != owner:
            raise invalid_input(
                "The pagination token belongs to a request with other parameters."
            )
        return self._cut(*known[:-1])
