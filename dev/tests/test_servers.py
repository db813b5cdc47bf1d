"""Servers that are started are stopped, whatever happens; real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev.console import Problem
from dev.postgres import Cluster, find_programs
from dev.processes import Service
from dev.settings import ROOT, Settings

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
#: A parent whose child would survive it
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEPER!r}])
print("child", child.pid, flush=True)
child.wait()
"""


def start(tmp_path: Path, script: str) -> Service:
    return Service(
        "the server",
        [sys.executable, "-c", script],
        log=tmp_path / "server.log",
        env=dict(os.environ),
        cwd=tmp_path,
    )


def exists(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition) -> bool:
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_service_is_stopped_with_its_children(tmp_path):
    service = start(tmp_path, PARENT)
    service.wait_until(lambda: "up" in service.output(), "it was up")
    child = int(service.output().split("child")[1].split()[0])
    service.stop()
    assert not service.alive()
    assert wait_for(lambda: not exists(child))


def test_service_that_ignores_the_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("dev.processes.STOP_SECONDS", 0.2)
    service = start(tmp_path, STUBBORN)
    service.wait_until(lambda: "up" in service.output(), "it was up")
    service.stop()
    assert not service.alive()


def test_service_that_ends_early_is_a_problem_with_its_log(tmp_path, capfd):
    service = start(tmp_path, "print('port is gone'); raise SystemExit(1)")
    with pytest.raises(Problem, match="the server ended before it was up.*server.log"):
        service.wait_until(lambda: "up" in service.output(), "it was up")
    assert "port is gone" in capfd.readouterr().err


def test_service_ends_when_its_starter_is_killed(tmp_path):
    starter = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from dev.tests.test_servers import SLEEPER, start
service = start(Path({str(tmp_path)!r}), SLEEPER)
service.wait_until(lambda: "up" in service.output(), "it was up")
print(service.pid, flush=True)
time.sleep(600)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True
    )
    pid = int(process.stdout.readline())
    assert exists(pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert wait_for(lambda: not exists(pid))


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_command_can_clean_up_once(tmp_path, signum):
    """As pytest does, which has to stop the servers that its tests started."""
    command = """
import pathlib, sys, time
try:
    print("up", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.5)
    pathlib.Path("cleaned-up").touch()
"""
    runner = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from dev.console import stop_on_signals
from dev.processes import run_to_end
stop_on_signals()
run_to_end([sys.executable, "-c", {command!r}])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", runner],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signum)
    process.communicate()
    assert (tmp_path / "cleaned-up").exists()


@pytest.fixture
def settings(tmp_path):
    """A checkout in a folder that only its owner can enter, as /root is."""
    assert find_programs(), "PostgreSQL is part of the set-up that runs these tests"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(root=closed)
    settings.logs.mkdir(parents=True)
    return settings


def test_cluster_runs_while_used_and_its_last_user_stops_it(settings):
    with Cluster(settings).running() as first:
        pid = first.pid()
        assert first.sql("SELECT 6 * 7") == "42"
        with Cluster(settings).running() as second:
            assert second.pid() == pid
        assert first.pid() == pid, "another one still uses it"
    assert Cluster(settings).pid() is None
    assert not exists(pid)


def test_cluster_started_by_hand_is_left_running(settings):
    cluster = Cluster(settings)
    with cluster.running():
        settings.dev.joinpath("pg-started-here").unlink()
    assert cluster.pid()
    cluster.stop()
    assert cluster.pid() is None


def test_cluster_asks_for_its_password_and_hides_it(settings):
    with Cluster(settings).running() as cluster:
        password = settings.dev / "pg/password"
        assert password.stat().st_mode & 0o077 == 0
        password.write_text("wrong")
        with pytest.raises(Problem, match="password authentication failed"):
            cluster.sql("SELECT 1")


def test_statement_that_fails_is_a_problem(settings):
    with Cluster(settings).running() as cluster:
        with pytest.raises(Problem, match='relation "nothing" does not exist'):
            cluster.sql("SELECT * FROM nothing")


def test_taken_port_of_the_cluster_is_refused_by_name(settings):
    with Cluster(settings).running() as cluster:
        other = Settings(root=settings.root / "other", postgres_port=cluster.port)
        other.logs.mkdir(parents=True)
        with pytest.raises(Problem, match=f"port {cluster.port} is taken.*PG_PORT="):
            with Cluster(other).running():
                pass
