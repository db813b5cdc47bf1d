"""Amazon's usage plans: one token bucket per application, seller and operation.

Source: "Usage plans and rate limits in the SP-API".
"""

from .errors import quota_exceeded


class Quotas:
    """The buckets, filled by the simulated clock.

    :param SimulatedClock clock: the clock that fills them
    :param bool enabled: whether a call can be refused at all
    """

    def __init__(self, clock, enabled=True):
        self.clock = clock
        self.enabled = enabled
        self._buckets = {}

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
