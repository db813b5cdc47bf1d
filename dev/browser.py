"""Chromium, which the browser tests and the smoke need."""

from __future__ import annotations

import ctypes.util
import shutil

from dev import debian
from dev.console import Problem
from dev.settings import Settings

#: In the order in which Odoo's HttpCase looks for one (odoo/tests/common.py).
NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")


def find_browser(settings: Settings) -> str:
    """Return the path of Chromium; as root, install Debian's package when missing.

    Odoo skips browser tests where there is no browser: a run without one would be
    green without having opened a page.

    :raise Problem: when there is none and it cannot be installed
    """
    if not _installed():
        debian.install(
            "chromium",
            purpose="for the tests in a browser",
            log=settings.logs / "apt-install-chromium.log",
        )
    browser = _installed()
    if not browser:
        raise Problem(
            "apt-get installed Chromium, but none is in PATH: look into PATH."
        )
    return browser


def provide_driver_library(settings: Settings) -> None:
    """Install what Playwright's driver is linked to and its package does not bring.

    :raise Problem: when it is missing and cannot be installed
    """
    if not ctypes.util.find_library("atomic"):
        debian.install(
            "libatomic1",
            purpose="for Playwright, which drives the browser of the smoke",
            log=settings.logs / "apt-install-libatomic1.log",
        )


def _installed() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
