"""How the scripts speak: progress lines, and problems as one sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path


class Problem(Exception):
    """Something that the person at the keyboard can mend.

    The message is one sentence (it may have a second half after a colon) that names
    what is wrong and says what to do; it is shown without a traceback.
    """


class Stopped(BaseException):
    """SIGTERM or SIGHUP arrived: unwind as for Ctrl-C, so that everything is stopped.

    :param signum: the signal that arrived
    """

    def __init__(self, signum: int):
        super().__init__(signum)
        self.exit_code = 128 + signum


def stop_on_signals() -> None:
    """Make SIGTERM and SIGHUP unwind the stack instead of ending Python at once.

    And SIGINT also where a script started us in the background, which ignores it.
    """

    def unwind(signum, _frame):
        raise Stopped(signum)

    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, unwind)
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let cleaning up finish when Ctrl-C is pressed again."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {signum: signal.signal(signum, signal.SIG_IGN) for signum in signals}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def say(text: str = "") -> None:
    """Print a line at once, also when the output is a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Announce a step that takes seconds or minutes, and how long it took."""
    say(f"  {text} ...")
    started = time.monotonic()
    yield
    say(f"  {text}: done in {time.monotonic() - started:.0f} s")


DISK_FULL = "the disk is full: free some space and run it again"

#: What a failing command prints, and the sentence that it deserves.
KNOWN_CAUSES = (
    (
        r"No space left on device|ENOSPC|not enough free space",
        DISK_FULL,
    ),
    (
        r"Temporary failure (in name resolution|resolving)|Could not resolve"
        r"|Network is unreachable|Connection (refused|timed out|failed)"
        r"|Failed to establish a new connection|NewConnectionError|Could not connect",
        "the network or a package index cannot be reached: check the connection, the "
        "proxy, and the machine's own settings of apt and pip, then run it again",
    ),
    (
        r"Release file .* (is expired|is not valid yet)",
        "this machine's clock and the package mirror disagree by days: set the clock, "
        "or use a mirror that is up to date",
    ),
    (
        r"Permission denied|Operation not permitted|Read-only file system",
        "a file or folder may not be written: run it as the owner of this folder",
    ),
)


def known_cause(output: str) -> str | None:
    """Return the sentence for the first known cause found in a command's output."""
    for pattern, sentence in KNOWN_CAUSES:
        if re.search(pattern, output):
            return sentence
    return None


def sentence_for(error: OSError) -> str | None:
    """Translate an operating system error that a person can mend, otherwise None."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{where}: free some space and run it again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"no right to write or read{where}: run it as the owner of this folder, or "
            "remove the folder .dev if another user made it."
        )
    return None


def show_tail(log: Path, lines: int = 25) -> None:
    """Print the end of a log to stderr, for problems in the project's own code."""
    tail = log.read_text(errors="replace").splitlines()[-lines:]
    print("\n".join(["", f"--- end of {log}", *tail, "---"]), file=sys.stderr)


def clean_environment(**extra: str) -> dict[str, str]:
    """Return the environment for children: without the caller's Odoo and PostgreSQL.

    A developer's PGHOST, ODOO_RC, keys or PYTHONPATH would send our commands to another
    database, configuration or source; a proxy cannot reach servers on this machine.
    """
    foreign = re.compile(
        r"^(PG[A-Z]+|ODOO_.*|OPENERP_.*|AMAZON_ORDER_.*|PYTHONPATH|PYTHONHOME)$"
    )
    kept = {k: v for k, v in os.environ.items() if not foreign.match(k)}
    local = {name: "127.0.0.1,localhost" for name in ("NO_PROXY", "no_proxy")}
    for name in local.keys() & kept.keys():
        local[name] += f",{kept[name]}"
    return {**kept, **local, **extra}
