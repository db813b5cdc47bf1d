"""Databases that live twice: put back from a dump, and copied."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.chaos_trouble import Pace
from benchmarks.chaos_world import DATABASE, World
from dev.console import Problem, say

COPY = "amazon_helpdesk_copy"
#: Seconds for which a copy lives, its host's start among them.
COPY_SECONDS = 75

#: Seconds for which a moment is waited for at which actions of all these states are
#: there: what a dump holds is what may be sent again.
MOMENT_SECONDS = 60
WANTED_STATES = ("queued", "sending", "submitted", "unknown", "to_approve")
LOOK_EVERY = 0.5
#: Seconds within which the database must notice by itself that it lived before.
NOTICE_SECONDS = 120

STATES = "SELECT state, count(*) AS count FROM amazon_action GROUP BY state"
ACTIONS = """
    SELECT action.id, action.name, action.kind, action.state, action.nonce,
        action.state_message, action.needs_person, feed.payload_digest AS digest,
        feed.processing_status AS feed_status, orders.amazon_order_ref AS order_ref,
        (SELECT coalesce(json_agg(item), '[]') FROM (
            SELECT array_agg(line.id) AS lines,
                coalesce(bool_or(line.is_rejected), false) AS is_rejected
            FROM amazon_action_line AS line WHERE line.action_id = action.id
            GROUP BY line.order_line_id) AS item) AS items
    FROM amazon_action AS action
    JOIN amazon_order AS orders ON orders.id = action.order_id
    LEFT JOIN amazon_feed AS feed ON feed.id = action.feed_id
"""
#: The envelopes that Amazon may have.
PAYLOADS = """
    SELECT feed.payload_digest AS digest, convert_from(file.content, 'UTF8') AS text
    FROM amazon_feed AS feed
    JOIN amazon_file AS file ON file.id = feed.payload_file_id
"""


#: The accounts have stopped themselves, and an administrator has not decided yet.
NOTICED = """
    SELECT id FROM amazon_stop WHERE needs_decision AND ended_at IS NULL
"""
#: What the administrator does in the dialog.
DECIDE = """
from odoo.service.model import retrying
admin = env.ref("base.user_admin")
env = env(user=admin, context={"allowed_company_ids": admin.company_ids.ids})
domain = [("needs_decision", "=", True), ("ended_at", "=", False)]
def decide():
    for stop in env["amazon.stop"].search(domain):
        dialog = env["amazon.life.decision"].browse(stop.action_decide()["res_id"])
        dialog.write({"decision": "restored", "reason": "Put back from a dump"})
        dialog.action_decide()
retrying(decide, env)
env.cr.commit()
"""


@dataclass
class Lives:
    """What the judge must know that the database does not any more.

    :ivar gone: rows of actions that were asked for in the time that was lost
    :ivar names: of the actions that the first life had, when it ended
    :ivar marks: by digest, what names the messages of envelopes
    :ivar waiting: names of the actions that waited when a copy was made
    :ivar in_dump: names of the actions that the dump has
    """

    gone: list[dict] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    in_dump: set[str] = field(default_factory=set)
    marks: dict[str, set[str]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)


def marks_of(text: str) -> set[str]:
    """Return what names the messages of an envelope: of a refund the seller's number
    of each item, of a cancellation the order."""
    element = "MerchantAdjustmentItemID"
    if element not in text:
        element = "AmazonOrderID"
    return {part.split("<")[0] for part in text.split(f"<{element}>")[1:]}


def envelopes(world: World, database: str = DATABASE) -> dict[str, set[str]]:
    """Return by digest what names the messages of each envelope of a database."""
    return {
        row["digest"]: marks_of(row["text"]) for row in world.rows(PAYLOADS, database)
    }


class Restore:
    """A dump in the middle, and later the database is what the dump says.

    :param quiet: context in which no person is in the middle of a click
    :param start_all: starts all hosts and waits for them
    :param fault: switches a fault of the simulator on
    """

    def __init__(
        self,
        world: World,
        lives: Lives,
        quiet: Callable,
        start_all: Callable,
        fault: Callable,
    ):
        self._world = world
        self._lives = lives
        self._quiet = quiet
        self._start_all = start_all
        self._fault = fault
        self._archive = world.folder / "restore.dump"
        self._wanted_until = 0.0
        self._deciding_until = 0.0
        self._slow_sending = Pace(MOMENT_SECONDS / 2)
        self._pace = Pace(LOOK_EVERY)
        self._counts: dict = {}

    def happen(self, step: str) -> bool:
        """Want a dump, or put the database back.

        :return: False where there is no dump yet
        """
        if step == "dump":
            self._wanted_until = time.monotonic() + MOMENT_SECONDS
            self._fault({"kind": "cut_after", "operation": "createFeed"})
            return True
        if self._wanted_until:
            return False
        self._put_back()
        return True

    def tick(self) -> None:
        """Make the dump at a good moment, and be the administrator afterwards."""
        is_busy = self._wanted_until or self._deciding_until
        if not is_busy or not self._pace.is_due():
            return
        with contextlib.suppress(Problem, OSError):
            if self._wanted_until:
                self._dump_at_a_good_moment()
            else:
                self._decide()

    def heal(self) -> None:
        """Decide now what is still to be decided.

        :raise Problem: when the accounts are not stopped by now
        """
        while self._deciding_until:
            self._decide()
            time.sleep(1)

    def counts(self) -> dict:
        """Return what the dump had, and how much was lost."""
        return self._counts

    # --- the dump --- #

    def _dump_at_a_good_moment(self) -> None:
        states = {row["state"]: row["count"] for row in self._world.rows(STATES)}
        missing = set(WANTED_STATES) - set(states)
        if missing == {"sending"} and self._slow_sending.is_due():
            # it lasts a moment only
            self._fault({"kind": "slow", "operation": "createFeed", "seconds": 3})
        if missing and time.monotonic() < self._wanted_until:
            return
        self._world.dump(self._archive)
        self._wanted_until = 0.0
        dumped = {state: states.get(state, 0) for state in WANTED_STATES}
        self._counts = {"dumped_at": time.monotonic(), "waiting_at_dump": dumped}
        say(f"    dump: {dumped}")

    # --- the way back --- #

    def _put_back(self) -> None:
        with self._quiet():
            self._world.end_hosts()
            before = self._world.rows(ACTIONS)
            self._lives.marks |= envelopes(self._world)
            self._world.restore(self._archive)
            self._archive.unlink()
            kept = {row["name"] for row in self._world.rows(ACTIONS)}
            self._lives.names = {row["name"] for row in before}
            self._lives.in_dump = kept
            self._lives.gone = [row for row in before if row["name"] not in kept]
            lost = time.monotonic() - self._counts.pop("dumped_at")
            self._counts |= {
                "times": 1,
                "seconds_lost": round(lost),
                "actions_lost": len(self._lives.gone),
            }
            say(f"    restored: {len(self._lives.gone)} actions are gone")
            self._start_all()
        self._deciding_until = time.monotonic() + NOTICE_SECONDS

    def _decide(self) -> None:
        """Decide as an administrator, once the database has noticed.

        :raise Problem: when that takes too long
        """
        begun = self._deciding_until - NOTICE_SECONDS
        if self._world.rows(NOTICED):
            self._counts["noticed_after_seconds"] = round(time.monotonic() - begun)
            self._world.shell(DECIDE)
            self._deciding_until = 0.0
        elif time.monotonic() > self._deciding_until:
            self._counts["noticed_after_seconds"] = None
            self._deciding_until = 0.0
            say("    THE DATABASE DID NOT NOTICE that it was put back")


class Copies:
    """A second database with a host of its own on the same seller, for a while."""

    def __init__(self, world: World, lives: Lives):
        self._world = world
        self._lives = lives
        self._data = world.copied_data_dir
        self._host = None
        self._ends_at = 0.0
        self._made: Counter = Counter()
        self._waiting = 0
        self._stopped = 0

    def happen(self, with_files: bool) -> bool:
        """Copy the database and let the copy live.

        :param with_files: with Odoo's whole data directory, as a machine that is cloned
        :return: False while another copy lives
        """
        if self._host:
            return False
        archive = self._world.folder / "copy.dump"
        # a clone is of one moment: its record must not know more than its database
        record = self._record(self._world.data_dir, DATABASE)
        known = record.read_bytes() if with_files and record.exists() else None
        self._world.dump(archive)
        self._world.restore(archive, COPY)
        archive.unlink()
        self._copy_files(with_files)
        if known:
            self._record(self._data, COPY).write_bytes(known)
        waiting = {
            row["name"]
            for row in self._world.rows(ACTIONS, COPY)
            if row["state"] in WANTED_STATES
        }
        self._lives.waiting |= waiting
        self._waiting += len(waiting)
        name = f"copy-{self._made.total() + 1}"
        self._host = self._world.copied_host(COPY, name)
        self._host.start()
        self._ends_at = time.monotonic() + COPY_SECONDS
        self._made["with its files" if with_files else "database alone"] += 1
        return True

    def tick(self) -> None:
        """End the copy when its time is over."""
        if self._host and time.monotonic() > self._ends_at:
            self._end()

    def heal(self) -> None:
        """Wait until the time of the copy is over."""
        while self._host:
            time.sleep(1)
            self.tick()

    def _end(self) -> None:
        """End the copy, and keep what it sent for the judge."""
        self._host.kill()
        self._host = None
        self._stopped += bool(self._world.rows(NOTICED, COPY))
        self._lives.marks |= envelopes(self._world, COPY)

    def counts(self) -> dict:
        """Return how many copies lived, and how much waited when they were made."""
        return {
            "made": self._made,
            "waiting_at_copy": self._waiting,
            "stopped_by_themselves": self._stopped,
        }

    def _copy_files(self, with_files: bool) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        source, store = self._world.data_dir, self._data / "filestore"
        if with_files:
            shutil.copytree(source, self._data, copy_function=_link)
            # on a cloned machine the database has the same name
            (store / DATABASE).rename(store / COPY)
        else:
            store.mkdir(parents=True)
            shutil.copytree(
                source / "filestore" / DATABASE, store / COPY, copy_function=_link
            )

    def _record(self, data_dir: Path, database: str) -> Path:
        """Return the addon's record outside of the dump, of a database."""
        return data_dir / "amazon_order_actions" / f"{database}.json"


def _link(source: str, target: str) -> None:
    """Link a file of the filestore, whose name is a hash of its content; copy others.
    What is gone meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError):
        if "filestore" in Path(source).parts:
            os.link(source, target)
        else:
            shutil.copy2(source, target)
