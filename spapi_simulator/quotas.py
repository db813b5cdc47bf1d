"""Amazon's usage plans: one token bucket per application, seller and operation.

Source: "Usage plans and rate limits in the SP-API".
"""

from .errors import quota_exceeded

# Told when no call is ever refused, so that nobody holds back either.
UNLIMITED = 1000.0


class Quotas:
    """The buckets, filled by the simulated clock.

    :param SimulatedClock clock: the clock that fills them
    :param bool enabled: whether a call can be refused at all
    """

    def __init__(self, clock, enabled=True):
        self.clock = clock
        self.enabled = enabled
        self._buckets = {}

    def told_rate(self, operation):
        """Return the rate for `x-amzn-RateLimit-Limit`, per real second of the caller.

        The bucket is filled by the simulated clock, the caller counts by his own.
        """
        if not self.enabled:
            return UNLIMITED
        return operation.rate * self.clock.factor

    def take(self, client_id, seller_id, operation):
        """Take one token.

        :raise ApiError: 429 when the bucket is empty; the call is then not charged
        """
        if not self.enabled:
            return
        key = client_id, seller_id, operation.name
        now = self.clock.now()
        tokens, since = self._buckets.get(key, (float(operation.burst), now))
        gained = (now - since).total_seconds() * operation.rate
        tokens = min(float(operation.burst), tokens + gained)
        if tokens < 1:
            self._buckets[key] = tokens, now
            raise quota_exceeded()
        self._buckets[key] = tokens - 1, now
