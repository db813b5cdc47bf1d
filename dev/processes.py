"""Processes that we start, and that never outlive us.

Each one gets a session of its own: Ctrl-C in a terminal reaches only us, and we pass it
on once, so that nobody's cleaning up is interrupted by a second signal. When we are
killed without a chance to do so, the kernel ends them.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from dev.console import DISK_FULL, Problem, known_cause, show_tail, uninterrupted

READY_SECONDS = 120
STOP_SECONDS = 15

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: IO | int | None = None,
    stderr: IO | int | None = None,
) -> subprocess.Popen:
    """Start a command in a session of its own, without input."""

    def end_with_us() -> None:
        # prctl(2): the signal that the kernel sends when the parent dies
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=env,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=end_with_us,
    )


def run_to_end(command: Sequence[str | Path], **how) -> int:
    """Run a command and return its exit code; see ``start`` for the arguments.

    When we are interrupted meanwhile, so is the command, and it gets the time to clean
    up what it started itself.
    """
    process = start(command, **how)
    try:
        return process.wait()
    except BaseException:
        with uninterrupted():
            end(process, signal.SIGINT)
        raise


def end(process: subprocess.Popen, signum: int) -> None:
    """Ask a process to end by a signal, and kill what is left of its group."""
    if process.poll() is None:
        process.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    otherwise: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command quietly and return what it printed.

    :param log: file that receives the output, overwritten
    :param otherwise: the sentence to show when it fails for no known cause
    :raise Problem: when the command fails
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        how = {"stdout": output, "stderr": subprocess.STDOUT}
        exit_code = run_to_end(command, env=env, cwd=cwd, **how)
    text = log.read_text(errors="replace")
    if exit_code:
        # On a full disk the reason could not even be written into the log
        full = shutil.disk_usage(log.parent).free < 10**6
        cause = DISK_FULL if full else known_cause(text) or otherwise
        raise Problem(f"{cause}; its output is in {log}.")
    return text


class Service:
    """A server process, with its output in a file.

    :param name: how it is called in messages
    :param log: file for its output
    """

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, env: dict, cwd: Path
    ):
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            how = {"stdout": output, "stderr": subprocess.STDOUT}
            self._process = start(command, env=env, cwd=cwd, **how)
        self.pid = self._process.pid
        self.url = ""

    def output(self) -> str:
        """Return what it has printed so far."""
        return self.log.read_text(errors="replace")

    def alive(self) -> bool:
        """Say whether the process runs."""
        return self._process.poll() is None

    def wait_until(
        self, condition: Callable[[], bool], what: str, seconds: float = READY_SECONDS
    ) -> None:
        """Wait for a condition while the process lives.

        :param seconds: for so long at most
        :raise Problem: when the process ends, or it takes longer
        """
        end = time.monotonic() + seconds
        while not condition():
            late = time.monotonic() > end
            if late or not self.alive():
                show_tail(self.log)
                how = "took too long" if late else "ended"
                raise Problem(
                    f"{self.name} {how} before {what}: the reason is in {self.log}."
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask the process to end, and kill what is left of its group."""
        end(self._process, signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process and its children at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
