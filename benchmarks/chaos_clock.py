"""The clock of one host, which is wrong for a while, by libfaketime."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from benchmarks.chaos_world import World
from dev import debian
from dev.console import Problem, say
from dev.settings import Settings

PACKAGE = "faketime"


def provide(settings: Settings) -> Path | None:
    """Return libfaketime, installed where it is missing; say so where it cannot be."""
    try:
        found = _find()
        if not found:
            log = settings.logs / "apt-install-faketime.log"
            debian.install(PACKAGE, purpose="for wrong clocks of hosts", log=log)
            found = _find()
    except Problem as problem:
        say(f"  warning: NO CLOCK IS EVER WRONG in this run, since {problem}")
    return found


def _find() -> Path | None:
    return next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Clocks:
    """Moves the clock of one host, chosen by the seed, ahead and back.

    :param library: libfaketime
    """

    def __init__(self, world: World, chance: random.Random, library: Path):
        self._host = chance.choice(world.hosts)
        self._offset = world.folder / "clock"
        self._right_at: float | None = None
        self._wrong: Counter = Counter()
        self._most = 0
        self._set(0)
        self._host.variables |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            # or the file is read only now and then
            "FAKETIME_NO_CACHE": "1",
            # threads wait by it
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def happen(self, ahead: int, seconds: float) -> bool:
        """Move the clock by some seconds, for some real seconds.

        :return: False while it is wrong already
        """
        if self._right_at:
            return False
        self._set(ahead)
        self._right_at = time.monotonic() + seconds
        self._wrong["ahead" if ahead > 0 else "back"] += 1
        self._most = max(self._most, abs(ahead))
        return True

    def tick(self) -> None:
        """Put it right when the time has come."""
        if self._right_at and time.monotonic() > self._right_at:
            self.heal()

    def heal(self) -> None:
        """Put it right."""
        self._set(0)
        self._right_at = None

    def counts(self) -> dict:
        """Return how often it was wrong."""
        return {
            "steps": self._wrong.total(),
            "directions": self._wrong,
            "most_seconds": self._most,
            "host": self._host.name,
        }

    def _set(self, ahead: int) -> None:
        # at once: every look at the clock reads it
        written = self._offset.with_suffix(".new")
        written.write_text(f"{ahead:+d}\n")
        written.replace(self._offset)
