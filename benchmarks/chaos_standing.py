"""What stands still although its own waiting time is over."""

from __future__ import annotations

import contextlib

from benchmarks.chaos_trouble import Pace
from benchmarks.chaos_world import World
from dev.console import Problem

#: Seconds between two looks; and for which something may be late.
LOOK_EVERY, LATE_SECONDS = 10, 60

#: Actions that are due, not stopped and not set aside, and that no job will send.
WITHOUT_JOB = f"""
    SELECT action.name FROM amazon_action AS action
    WHERE action.state = 'queued' AND action.feed_type IS NOT NULL
    AND action.set_aside_at IS NULL
    AND action.due_at < (now() AT TIME ZONE 'UTC') - interval '{LATE_SECONDS} s'
    AND NOT EXISTS (
        SELECT FROM amazon_stop AS stop WHERE stop.ended_at IS NULL
        AND stop.company_id = action.company_id
        AND coalesce(stop.account_id, action.account_id) = action.account_id
        AND coalesce(stop.kind, action.kind) = action.kind)
    AND NOT EXISTS (
        SELECT FROM queue_job AS job
        WHERE job.state IN ('pending', 'enqueued', 'started', 'wait_dependencies')
        AND starts_with(job.identity_key, concat_ws('_', 'amazon_dispatch',
            action.account_id, action.marketplace, action.feed_type)))
"""
#: Jobs that nobody runs although their time has come, and for how many seconds.
LATE_JOBS = f"""
    SELECT method_name, round(extract(epoch FROM late))::int AS seconds FROM (
        SELECT method_name, (now() AT TIME ZONE 'UTC')
            - greatest(date_created, coalesce(eta, date_created)) AS late
        FROM queue_job WHERE model_name LIKE 'amazon.%'
        AND state IN ('pending', 'enqueued')) AS waiting
    WHERE late > interval '{LATE_SECONDS} s'
"""


class Standing:
    """Looks at the database now and then while all that is healed settles."""

    def __init__(self, world: World):
        self._world = world
        self._pace = Pace(LOOK_EVERY)
        self._without_job: set[str] = set()
        self._latest: dict[str, int] = {}

    def look(self) -> None:
        """Look, where it is time to."""
        if not self._pace.is_due():
            return
        with contextlib.suppress(Problem):
            self._without_job |= {row["name"] for row in self._world.rows(WITHOUT_JOB)}
            for row in self._world.rows(LATE_JOBS):
                name, seconds = row["method_name"], row["seconds"]
                self._latest[name] = max(self._latest.get(name, 0), seconds)

    def counts(self) -> dict:
        """Return what stood still for more than a minute after the healing."""
        return {
            "stood_still": len(self._without_job),
            "jobs_late_by_seconds": self._latest,
        }
