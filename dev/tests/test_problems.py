"""What goes wrong ends with one sentence that says what to do, and no traceback."""

import errno
import os
import shutil
import subprocess
import sys

import pytest

from dev import commands, debian, postgres, processes
from dev.browser import find_browser, provide_driver_library
from dev.console import Problem
from dev.odoo_tree import find_odoo
from dev.settings import ROOT, Settings
from dev.stack import check_disk


@pytest.fixture
def nothing_installed(monkeypatch, tmp_path):
    """An ordinary user on a machine without any of the programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(postgres, "find_programs", lambda: [])


def run_command(monkeypatch, capsys, failing):
    """Run ``make demo`` with a failing demo; return its exit code and error output."""
    monkeypatch.setitem(commands.COMMANDS, "demo", failing)
    monkeypatch.setattr(commands, "stop_on_signals", lambda: None)
    exit_code = commands.main(["demo"])
    return exit_code, capsys.readouterr().err


def test_problem_is_shown_as_one_line(monkeypatch, capsys):
    def failing(_settings):
        raise Problem("the thing is missing: install it.")

    exit_code, error = run_command(monkeypatch, capsys, failing)
    assert exit_code == 1
    assert error == "error: the thing is missing: install it.\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EACCES, "no right to write"),
        (errno.EROFS, "no right to write"),
    ],
)
def test_operating_system_error_is_one_sentence(monkeypatch, capsys, number, words):
    def failing(_settings):
        raise OSError(number, os.strerror(number), "/some/file")

    exit_code, error = run_command(monkeypatch, capsys, failing)
    assert exit_code == 1
    assert words in error
    assert "/some/file" in error
    assert error.count("\n") == 1


def test_unforeseen_operating_system_error_keeps_its_traceback(monkeypatch, capsys):
    def failing(_settings):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    with pytest.raises(OSError, match="Bad file descriptor"):
        run_command(monkeypatch, capsys, failing)


@pytest.mark.parametrize(
    ("printed", "words"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Temporary failure resolving 'deb.example.org'", "cannot be reached"),
        ("NewConnectionError: Network is unreachable", "cannot be reached"),
        ("E: Could not open lock file - open (13: Permission denied)", "as the owner"),
        ("ERROR: No matching distribution found", "pip failed"),
    ],
)
def test_failing_command_is_explained_by_what_it_printed(tmp_path, printed, words):
    script = f"import sys; print({printed!r}); sys.exit(3)"
    log = tmp_path / "command.log"
    with pytest.raises(Problem, match=words) as problem:
        processes.run([sys.executable, "-c", script], log=log, otherwise="pip failed")
    assert str(log) in str(problem.value)
    assert printed in log.read_text()


def test_full_disk_is_noticed_before_anything_is_downloaded(monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(Problem, match=r"only 1\.0 GB are free.*free some space"):
        check_disk(Settings(root=tmp_path))


def test_missing_postgresql_names_the_package(nothing_installed, tmp_path):
    with pytest.raises(Problem, match="sudo apt-get install postgresql"):
        postgres.provide_programs(Settings(root=tmp_path))


def test_missing_browser_is_an_error(nothing_installed, tmp_path):
    with pytest.raises(Problem, match="sudo apt-get install chromium"):
        find_browser(Settings(root=tmp_path))


def test_missing_library_of_the_browsers_driver_is_an_error(
    nothing_installed, monkeypatch, tmp_path
):
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    with pytest.raises(Problem, match="sudo apt-get install libatomic1"):
        provide_driver_library(Settings(root=tmp_path))


def test_machine_without_apt_is_told_about_odoo_home(nothing_installed, tmp_path):
    with pytest.raises(Problem, match="point ODOO_HOME"):
        debian.unpack_odoo(tmp_path / "odoo", tmp_path / "apt", tmp_path)


def test_machine_without_debian_mirror_is_told_about_odoo_home():
    with pytest.raises(Problem, match="point ODOO_HOME"):
        debian._private_sources([("http://example.org/x", "stable-security", "main")])


def test_odoo_home_without_odoo_is_refused(tmp_path):
    with pytest.raises(Problem, match="there is no Odoo in"):
        find_odoo(tmp_path)


def test_odoo_home_of_another_version_is_refused(tmp_path):
    (tmp_path / "odoo").mkdir()
    release = tmp_path / "odoo/release.py"
    release.write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    with pytest.raises(Problem, match=r"is Odoo 18\.0, this addon is for Odoo 19\.0"):
        find_odoo(tmp_path)


@pytest.mark.parametrize("version", ["(3, 9)", "(3, 14)"])
def test_wrong_python_is_refused_before_anything_is_imported(version):
    script = (
        f"import sys; sys.version_info = {version}; import runpy; "
        "runpy.run_module('dev', run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "Odoo 19 runs on Python 3.10 to 3.13" in result.stderr
    assert "Traceback" not in result.stderr
