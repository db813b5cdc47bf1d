"""Another program of the same seller, which sends feeds of its own."""

from __future__ import annotations

import contextlib
import time
from collections import Counter

from benchmarks.chaos_trouble import Pace
from benchmarks.chaos_world import World
from dev.console import Problem
from spapi_simulator.process import SimulatorFailed

#: Seconds for which a feed of ours is waited for, to send another one beside it; and
#: between two looks.
BESIDE_SECONDS, LOOK_EVERY = 30, 0.3

#: Amazon's ids of the marketplaces that chaos sells in.
MARKETPLACES = {"DE": "A1PA6795UKMFR9"}

NEWEST = """
    SELECT id, feed_type, message_count FROM amazon_feed ORDER BY id DESC LIMIT 1
"""


class Foreign:
    """Sends feeds that look like ours, most often right after one of ours whose answer
    is lost.

    :param fault: switches a fault of the simulator on
    """

    def __init__(self, world: World, fault):
        self._world = world
        self._fault = fault
        self._sent: Counter = Counter()
        self._beside: Counter = Counter()
        self._waiting: list[dict] = []
        self._pace = Pace(LOOK_EVERY)

    def happen(self, outcome: str, cut: str | None, lag: int) -> bool:
        """Lose the answer to our next feed, and send another program's after it; or
        just send one."""
        newest = self._newest()
        if cut:
            hold = {"seconds": 2} if cut == "timeout_after" else {}
            self._fault({"kind": cut, "operation": "createFeed", **hold})
        if lag:
            self._fault({"kind": "getfeeds_lag", "seconds": lag})
        self._waiting.append(
            {
                "outcome": outcome,
                "after": newest.get("id", 0),
                "until": time.monotonic() + (BESIDE_SECONDS if cut else 0),
            }
        )
        return True

    def tick(self) -> None:
        """Send what waits for a feed of ours, once that is there."""
        if not self._waiting or not self._pace.is_due():
            return
        with contextlib.suppress(Problem, OSError, SimulatorFailed):
            newest = self._newest()
            for one in list(self._waiting):
                is_beside = newest.get("id", 0) > one["after"]
                if is_beside or time.monotonic() > one["until"]:
                    self._send(one["outcome"], newest, is_beside)
                    self._waiting.remove(one)

    def heal(self) -> None:
        """Send nothing any more."""
        self._waiting.clear()

    def counts(self) -> dict:
        """Return how many feeds ended how, and how many came right after ours."""
        return {
            "feeds": self._sent.total(),
            "outcomes": self._sent,
            "beside_ours": self._beside,
        }

    def _newest(self) -> dict:
        return next(iter(self._world.rows(NEWEST)), {})

    def _send(self, outcome: str, newest: dict, is_beside: bool) -> None:
        self._world.simulator.foreign_feed(
            feed_type=newest.get("feed_type", "POST_PAYMENT_ADJUSTMENT_DATA"),
            marketplace_ids=list(MARKETPLACES.values()),
            messages=newest.get("message_count", 1),
            outcome=outcome,
        )
        self._sent[outcome] += 1
        if is_beside:
            self._beside[outcome] += 1
