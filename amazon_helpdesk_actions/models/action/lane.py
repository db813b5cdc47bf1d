from typing import NamedTuple


class Lane(NamedTuple):
    """What one envelope can carry: one account, one marketplace, one feed type."""

    account_id: int
    marketplace: str
    feed_type: str

    def domain(self):
        return [(name, "=", value) for name, value in self._asdict().items()]
