"""Remember which steps are done, so that a second run is quick."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev.console import say


class Stamps:
    """A step is done when its stamp holds the key of its present inputs."""

    def __init__(self, folder: Path):
        self.folder = folder

    def done(self, name: str, key: str) -> bool:
        """Say whether the step was completed with the same inputs."""
        stamp = self.folder / name
        return stamp.is_file() and stamp.read_text() == key

    def write(self, name: str, key: str) -> None:
        """Record that the step was completed with these inputs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(key)

    def remove(self, name: str) -> None:
        """Forget the step, before its result is taken apart."""
        (self.folder / name).unlink(missing_ok=True)


def digest(*parts: str | Path) -> str:
    """Return a short hash of texts and of the content of files."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:16]


def digest_tree(folder: Path, skip: Iterable[str] = ()) -> str:
    """Return a short hash of the names and contents below a folder.

    :param skip: names of folders that do not count, at any depth
    """
    skipped = {"__pycache__", *skip}
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not skipped & set(path.relative_to(folder).parts[:-1])
    )
    return digest(*(part for f in files for part in (str(f.relative_to(folder)), f)))


@contextmanager
def exclusive(lock: Path, waiting_for: str) -> Iterator[None]:
    """Hold a lock between processes; say what is waited for when it is taken."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for {waiting_for} ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
