from typing import NamedTuple

# Seconds until a dispatcher that found its lane taken looks again.
LANE_BUSY_SECONDS = 5


class Lane(NamedTuple):
    """What one envelope can carry: one account, one marketplace, one feed type."""

    account_id: int
    marketplace: str
    feed_type: str

    def domain(self):
        return [(name, "=", value) for name, value in self._asdict().items()]
