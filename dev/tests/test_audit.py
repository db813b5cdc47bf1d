"""What the audit of packages says, and that silence is no good news."""

import json
import subprocess
from types import SimpleNamespace

import pytest

from dev import audit as module
from dev.audit import audit, read
from dev.console import Problem
from dev.settings import Settings

VULNERABLE = {
    "name": "requests",
    "version": "2.19.0",
    "vulns": [{"id": "CVE-2018-18074", "fix_versions": ["2.20.0"]}],
}
SOUND = {"name": "tenacity", "version": "9.2.1", "vulns": []}
UNKNOWN = {"name": "lxml", "skip_reason": "Dependency not found on PyPI"}


def workshop(provide=lambda: None):
    return SimpleNamespace(venv=SimpleNamespace(provide_audit=provide, python="python"))


def answering(monkeypatch, *rows, said=None):
    text = json.dumps({"dependencies": list(rows)}) if said is None else said
    monkeypatch.setattr(module, "_ask", lambda *args: text)


def test_a_vulnerability_fails_and_is_named(monkeypatch, capsys):
    answering(monkeypatch, SOUND, VULNERABLE)
    assert audit(Settings(), workshop())
    out = capsys.readouterr().out
    assert "requests 2.19.0: CVE-2018-18074, mended in 2.20.0" in out
    assert "NOT CHECKED" not in out


def test_sound_packages_pass(monkeypatch, capsys):
    answering(monkeypatch, SOUND)
    assert not audit(Settings(), workshop())
    assert "1 packages asked for, 0 vulnerabilities" in capsys.readouterr().out


def test_packages_that_nobody_knows_are_named(monkeypatch, capsys):
    answering(monkeypatch, SOUND, UNKNOWN)
    assert not audit(Settings(), workshop())
    assert "NOT ASKED for 1: lxml" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "said"),
    [([UNKNOWN], None), ([], None), ([], ""), ([], "[]"), ([], "{}")],
)
def test_an_index_without_advisories_is_said_loudly(monkeypatch, capsys, rows, said):
    """pip-audit itself says "No known vulnerabilities found" then, and succeeds."""
    answering(monkeypatch, *rows, said=said)
    assert not audit(Settings(), workshop())
    assert "NOT CHECKED" in capsys.readouterr().out


def test_a_tool_that_cannot_be_had_or_does_not_end_is_said_loudly(monkeypatch, capsys):
    def fail():
        raise Problem("pip failed")

    assert not audit(Settings(), workshop(fail))
    assert "NOT CHECKED" in capsys.readouterr().out

    def late(*args):
        raise subprocess.TimeoutExpired("pip-audit", 1)

    monkeypatch.setattr(module, "_ask", late)
    assert not audit(Settings(), workshop())
    assert "NOT CHECKED" in capsys.readouterr().out


def test_only_what_pip_audit_prints_is_a_result():
    assert read(json.dumps({"dependencies": [SOUND, UNKNOWN]})).asked == 1
    with pytest.raises(ValueError):
        read("No known vulnerabilities found")
