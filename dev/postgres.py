"""The private PostgreSQL cluster of the checkout, in ``.dev/pg``.

PostgreSQL refuses to run as root, and an ordinary user may not be able to walk into the
folder of a checkout of root's. So the server gets its folder as an open file descriptor
and reaches it as ``/proc/self/fd/N``, which needs no right on the folders above.

It listens on the loopback address only and asks for the password in
``.dev/pg/password``; there is no socket file, whose path could become too long.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from dev import debian
from dev.console import (
    Problem,
    clean_environment,
    known_cause,
    step,
    uninterrupted,
)
from dev.ports import HOST, check_free, free_port, is_free
from dev.settings import Settings
from dev.stamps import exclusive

USER = "odoo"
USUAL_PORT = 28071

#: Odoo 19 needs at least this one (odoo/release.py: MIN_PG_VERSION).
OLDEST = 13

#: A cluster that can be made anew at any time need not survive a power failure.
SERVER_SETTINGS = f"""
listen_addresses = '{HOST}'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 256MB
fsync = off
full_page_writes = off
synchronous_commit = off
"""


def find_programs() -> list[tuple[int, Path]]:
    """Return (major version, folder) of PostgreSQL's server programs, newest first."""
    folders = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")}
    in_path = shutil.which("initdb")
    if in_path:
        folders.add(Path(in_path).resolve().parent)
    found = []
    for folder in folders:
        text = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True
        ).stdout
        version = re.search(r"(\d+)", text)
        if version and int(version[1]) >= OLDEST:
            found.append((int(version[1]), folder))
    return sorted(found, reverse=True)


def provide_programs(settings: Settings) -> None:
    """Install PostgreSQL where it is missing.

    :raise Problem: when it is missing and cannot be installed
    """
    if find_programs():
        return
    with _no_system_cluster():
        debian.install(
            "postgresql",
            purpose="for the private database (PostgreSQL 13 or newer)",
            log=settings.logs / "apt-install-postgresql.log",
        )


@contextlib.contextmanager
def _no_system_cluster() -> Iterator[None]:
    """Keep Debian's package from creating and starting a cluster on port 5432."""
    folder = Path("/etc/postgresql-common/createcluster.d")
    if not debian.is_root() or folder.exists():
        yield
        return
    folder.mkdir(parents=True)
    setting = folder / "amazon-helpdesk-actions.conf"
    setting.write_text("create_main_cluster = false\n")
    try:
        yield
    finally:
        setting.unlink()


class Cluster:
    """The cluster, and who uses it: the last user on the way out stops it."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._folder = settings.dev / "pg"
        self._data = self._folder / "data"
        self._log = settings.logs / "postgres.log"
        # Present when these scripts started the server; a server that somebody
        # started by hand is left running
        self._started_here = settings.dev / "pg-started-here"
        self._server: subprocess.Popen | None = None

    # === What others need === #

    @contextlib.contextmanager
    def running(self) -> Iterator[Cluster]:
        """Keep the cluster up; create it and start it when needed.

        :raise Problem: when it cannot be created or started
        """
        users = (self._settings.dev / "pg-users.lock").open("w")
        change = self._settings.dev / "pg-change.lock"
        with users:
            try:
                with exclusive(change, "the start of PostgreSQL by another command"):
                    fcntl.flock(users, fcntl.LOCK_SH)
                    if not self.pid():
                        self._start()
                yield self
            finally:
                with uninterrupted(), exclusive(change, "PostgreSQL's other users"):
                    with contextlib.suppress(BlockingIOError):
                        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        if self._started_here.exists():
                            self.stop()

    @property
    def port(self) -> int:
        """The port that the running server listens on."""
        return int(self._pid_file_lines()[3])

    @property
    def password(self) -> str:
        """The password of the user ``odoo``, who owns every database."""
        return (self._folder / "password").read_text()

    def environment(self) -> dict[str, str]:
        """Return the variables with which libpq's programs find the cluster."""
        return {
            "PGHOST": HOST,
            "PGPORT": str(self.port),
            "PGUSER": USER,
            "PGPASSWORD": self.password,
        }

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement and return its rows, one a line, columns separated by ``|``.

        :raise Problem: when PostgreSQL refuses it
        """
        command = [self._program("psql"), "--no-psqlrc", "--tuples-only", "--no-align"]
        command += ["--set", "ON_ERROR_STOP=1", "--dbname", database]
        command += ["--command", statement]
        result = subprocess.run(
            [str(part) for part in command],
            env=clean_environment(**self.environment()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            error = result.stderr.strip()
            raise Problem(
                known_cause(error) or f"PostgreSQL refused a command: {error}"
            )
        return result.stdout.strip()

    def pid(self) -> int | None:
        """Return the process id of this cluster's server when it runs.

        The pid file may be left over: the process must work in our data folder.
        """
        try:
            pid = int(self._pid_file_lines()[0])
            return pid if Path(f"/proc/{pid}/cwd").samefile(self._data) else None
        except (OSError, ValueError, IndexError):
            return None

    def restart(self, signum: int) -> None:
        """Stop the server by a signal and start it again on the same port.

        :param signum: SIGINT cuts the connections; SIGQUIT is a crash, after which the
            server recovers from its log
        """
        port = self.port
        self.stop(signum)
        self._start(port)

    def stop(self, signum: int = signal.SIGINT) -> None:
        """Stop the server, cutting connections that are still open.

        :param signum: see ``restart``
        """
        pid = self.pid()
        if pid:
            os.kill(pid, signum)
            self._wait_until(lambda: not self.pid(), "stop")
        if self._server:
            self._server.wait()
            self._server = None
        self._started_here.unlink(missing_ok=True)

    # === Creating and starting === #

    def _start(self, port: int = 0) -> None:
        self._match_version()
        if not (self._data / "PG_VERSION").exists():
            with step("PostgreSQL: create the private cluster"):
                self._create()
        port = port or self._choose_port()
        self._started_here.touch()
        with self._as_owner() as (base, how):
            log = self._log.open("ab")
            self._server = subprocess.Popen(
                [self._program("postgres"), "-D", f"{base}/data", "-p", str(port)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **how,
            )
            log.close()
        self._wait_until(self._answers, "start")

    def _choose_port(self) -> int:
        """Return PG_PORT, or without it the usual port or else any: nobody types it."""
        if self._settings.postgres_port:
            check_free(self._settings.postgres_port, "PG_PORT")
            return self._settings.postgres_port
        return USUAL_PORT if is_free(USUAL_PORT) else free_port()

    def _create(self) -> None:
        """Run initdb, and let nobody in without the password."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._data.mkdir(parents=True)
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        owner = self._owner()
        for path in (self._folder, self._data, password):
            if owner:
                os.chown(path, owner.pw_uid, owner.pw_gid)
        for folder in (self._folder, self._data):
            folder.chmod(0o700)
        command = [self._program("initdb"), "--username", USER, "--no-sync"]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8"]
        command += ["--locale", "C.UTF-8"]
        with self._as_owner() as (base, how), self._log.open("wb") as log:
            command += ["--pgdata", f"{base}/data", "--pwfile", f"{base}/password"]
            failed = subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, **how
            ).returncode
        if failed:
            shutil.rmtree(self._folder, ignore_errors=True)
            output = self._log.read_text(errors="replace")
            cause = known_cause(output) or "PostgreSQL's cluster could not be created"
            raise Problem(f"{cause}; the reason is in {self._log}.")
        with (self._data / "postgresql.conf").open("a") as config:
            config.write(SERVER_SETTINGS)

    def _match_version(self) -> None:
        """Drop a cluster whose version of PostgreSQL is not installed any more."""
        marker = self._data / "PG_VERSION"
        versions = [str(version) for version, _ in find_programs()]
        if marker.exists() and marker.read_text().strip() not in versions:
            shutil.rmtree(self._folder)

    def _program(self, name: str) -> str:
        """Return a program of the version that made the cluster, or the newest."""
        programs = find_programs()
        if not programs:
            raise Problem(
                "PostgreSQL 13 or newer is missing: install it, on Debian by "
                "`sudo apt-get install postgresql`."
            )
        marker = self._data / "PG_VERSION"
        wanted = marker.read_text().strip() if marker.exists() else ""
        folder = next((f for v, f in programs if str(v) == wanted), programs[0][1])
        return str(folder / name)

    def _owner(self) -> pwd.struct_passwd | None:
        """Return the ordinary user who runs the server when we are root, else None."""
        if not debian.is_root():
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                return pwd.getpwnam(name)
        raise Problem("root may not run PostgreSQL: add an ordinary user `postgres`.")

    @contextlib.contextmanager
    def _as_owner(self) -> Iterator[tuple[str, dict]]:
        """Yield the cluster's folder, and how to start a program as its owner."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        how: dict = {
            "stdin": subprocess.DEVNULL,
            "cwd": "/",
            "pass_fds": (folder,),
            "env": clean_environment(LC_ALL="C.UTF-8"),
        }
        owner = self._owner()
        if owner:
            how |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        try:
            yield f"/proc/self/fd/{folder}", how
        finally:
            os.close(folder)

    # === Watching === #

    def _pid_file_lines(self) -> Sequence[str]:
        return (self._data / "postmaster.pid").read_text().splitlines()

    def _answers(self) -> bool:
        if self._server and self._server.poll() is not None:
            output = self._log.read_text(errors="replace")
            cause = known_cause(output) or "PostgreSQL did not start"
            raise Problem(f"{cause}; the reason is in {self._log}.")
        if not self.pid():
            return False
        ready = [self._program("pg_isready"), "--quiet", "--timeout", "1"]
        ready += ["--host", HOST, "--port", str(self.port)]
        return subprocess.run(ready, env=clean_environment()).returncode == 0

    def _wait_until(self, condition, verb: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Problem(
                    f"PostgreSQL did not {verb} within {seconds:.0f} s: look into "
                    f"{self._log}."
                )
            time.sleep(0.05)
