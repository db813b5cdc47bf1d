"""Exceptions at random in reactions, notes, words and hooks of the hosts."""

from __future__ import annotations

import shutil
from collections import Counter

from benchmarks import odoo_surprises
from benchmarks.chaos_world import World
from dev.console import say

#: Of each call.
PROBABILITY = 0.01

#: What waits for an administrator.
SET_ASIDE = """
    SELECT 'amazon.action' AS model, id, set_aside_trace AS trace FROM amazon_action
    WHERE set_aside_at IS NOT NULL
    UNION ALL
    SELECT 'amazon.feed', id, set_aside_trace FROM amazon_feed
    WHERE set_aside_at IS NOT NULL
"""
# As a request does it: run again where a job wrote the same row.
TRY_AGAIN = """
from odoo.service.model import retrying
admin = env.ref("base.user_admin")
env = env(user=admin, context={{"allowed_company_ids": admin.company_ids.ids}})
for model, ids in {models!r}.items():
    for record in env[model].browse(ids):
        retrying(record.action_try_again, env)
        env.cr.commit()
"""


class Surprises:
    """Switches them on and off, and afterwards is the administrator who presses *Try
    Again*.

    :param is_on: False: only the administrator
    """

    def __init__(self, world: World, seed: int, is_on: bool):
        self._world = world
        self._folder = world.folder / "surprises"
        self._tried: Counter = Counter()
        self._real: Counter = Counter()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        if is_on:
            switch = self._folder / odoo_surprises.SWITCH
            switch.write_text(f"{PROBABILITY} {seed}")
            for host in world.hosts:
                host.variables[odoo_surprises.FOLDER] = str(self._folder)

    def tick(self) -> None:
        """Nothing is to be done by the clock."""

    def heal(self) -> None:
        """Raise nothing any more."""
        (self._folder / odoo_surprises.SWITCH).unlink(missing_ok=True)

    def try_again(self) -> None:
        """Press the button on everything that was set aside."""
        rows = self._world.rows(SET_ASIDE)
        models: dict[str, list[int]] = {}
        for row in rows:
            models.setdefault(row["model"], []).append(row["id"])
            self._tried[row["model"]] += 1
            if odoo_surprises.MARK not in (row["trace"] or ""):
                self._real[(row["trace"] or "-").strip().splitlines()[-1][:200]] += 1
        if rows:
            say(f"    Try Again on {len(rows)} that were set aside")
            self._world.shell(TRY_AGAIN.format(models=models))

    def counts(self) -> dict:
        """Return how many were raised where, and what was set aside because of it."""
        raised = self._folder / odoo_surprises.RAISED
        lines = raised.read_text().split() if raised.exists() else []
        return {
            "raised": len(lines),
            "places": Counter(lines),
            "set_aside": self._tried,
            # those that nobody put there are defects
            "set_aside_by_real_errors": self._real,
            "set_aside_at_the_end": len(self._world.rows(SET_ASIDE)),
        }
