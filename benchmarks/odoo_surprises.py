"""Exceptions at random inside of our addons, in the processes of a host of chaos.

The addons know nothing of it: their methods that put things into words, write notes,
let something follow from a state, or work record by record are wrapped before the
models are built. Whether they raise is said by a file, so that it ends without a
restart.
"""

import functools
import os
import random
import re
import sys
from pathlib import Path

#: Variable with the folder that the files below are in.
FOLDER = "CHAOS_SURPRISES"
#: Holds the probability of each call; there while exceptions are raised.
SWITCH = "on"
#: Gets a line for each exception.
RAISED = "raised"

#: What every exception says, so that it is told from real ones.
MARK = "chaos raised this"

#: Our addons: the folders at the top of the repository with a manifest.
ADDONS = {
    manifest.parent.name
    for manifest in Path(__file__).resolve().parents[1].glob("*/__manifest__.py")
}
#: Models, as a pattern, and their methods.
PLACES = (
    (
        r"amazon\.action",
        (
            "_sentence",
            "_post",
            "_log_notes",
            "_not_sent_sentence",
            "_asked_message",
            "_late_blocker",
        ),
    ),
    (
        r"amazon\.action\.kind\..*",
        ("_sentence", "_late_blocker", "_build_message", "_disproof", "_is_confirmed"),
    ),
    (r"amazon\.action\.follower\..*", ("_follow",)),
)


class Surprise(Exception):
    """Raised for no reason."""


def prepare(folder):
    """Have the methods of each addon wrapped as soon as Odoo loads it."""
    from odoo.modules import loading, module

    load = module.load_openerp_module

    def load_and_wrap(name):
        load(name)
        if name in ADDONS:
            wrap(name, folder)

    module.load_openerp_module = loading.load_openerp_module = load_and_wrap


def wrap(addon, folder):
    """Wrap the methods of all classes of an addon that define or extend the models."""
    dice = Dice(folder)
    for pattern, names in PLACES:
        for cls in _classes(addon, pattern):
            for name in names:
                if name in vars(cls):
                    setattr(cls, name, dice.before(vars(cls)[name], name))


def _classes(addon, pattern):
    """Yield the classes of an addon that define or extend models of these names."""
    for name, module in list(sys.modules.items()):
        if name.startswith(f"odoo.addons.{addon}.models."):
            for cls in vars(module).values():
                if isinstance(cls, type) and cls.__module__ == name:
                    if any(re.fullmatch(pattern, one) for one in _models_of(cls)):
                        yield cls


def _models_of(cls):
    """Return the names of the models that a class defines or extends."""
    name = vars(cls).get("_name")
    if name:
        return [name]
    inherit = vars(cls).get("_inherit") or []
    return [inherit] if isinstance(inherit, str) else list(inherit)


class Dice:
    """Decides for each call whether it raises.

    :param str folder: with the files that switch it on and count
    """

    def __init__(self, folder):
        self._switch = os.path.join(folder, SWITCH)
        self._raised = os.path.join(folder, RAISED)
        self._chance = random.Random()
        self._pid = None

    def before(self, method, what):
        """Return the method, with a surprise before it now and then."""

        @functools.wraps(method)
        def surprising(*args, **kwargs):
            self.roll(what)
            return method(*args, **kwargs)

        surprising.before_surprises = method
        return surprising

    def roll(self, what):
        """Raise, or do not.

        :raise Surprise: as often as the file says
        """
        try:
            with open(self._switch) as switch:
                probability, seed = switch.read().split()
        except (OSError, ValueError):
            return
        if self._pid != os.getpid():
            # workers are forks, and each would raise as the others do
            self._pid = os.getpid()
            self._chance.seed(f"{seed} {self._pid}")
        if self._chance.random() < float(probability):
            with open(self._raised, "a") as raised:
                raised.write(f"{what}\n")
            raise Surprise(f"{MARK} in {what}")
