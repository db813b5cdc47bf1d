"""Where Odoo 19 is: the one that ODOO_HOME names, or the one unpacked from Debian."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dev import debian
from dev.console import Problem, step
from dev.settings import Settings
from dev.stamps import Stamps, digest


@dataclass(frozen=True)
class OdooTree:
    """An Odoo 19 on disk.

    :param python_path: the folder from which ``import odoo`` works
    :param addons_paths: folders of Odoo's addons, those of ``base`` first
    :param identity: changes when another Odoo is used
    """

    python_path: Path
    addons_paths: tuple[Path, ...]
    identity: str


def provide_odoo(settings: Settings, stamps: Stamps) -> OdooTree:
    """Find the Odoo of ODOO_HOME, or unpack Debian's once and keep it.

    :raise Problem: when neither gives an Odoo 19
    """
    if settings.odoo_home:
        return find_odoo(settings.odoo_home)
    target = settings.dev / "odoo"
    key = digest(*debian.FROM_UNSTABLE, *debian.FROM_OWN_RELEASE, *debian.LEFT_OUT)
    if not (target.is_dir() and stamps.done("odoo", key)):
        stamps.remove("odoo")
        with step("Odoo 19: download from Debian unstable (130 MB) and unpack"):
            debian.unpack_odoo(target, settings.dev / "apt", settings.logs)
        stamps.write("odoo", key)
    return find_odoo(target)


def find_odoo(home: Path) -> OdooTree:
    """Find Odoo below a source checkout, its ``odoo-bin``, or an unpacked package.

    :raise Problem: when there is none, or it is not version 19
    """
    folder = home.parent if home.name == "odoo-bin" else home
    for python_path in (folder, folder / "usr/lib/python3/dist-packages"):
        release = python_path / "odoo/release.py"
        if release.is_file():
            break
    else:
        raise Problem(
            f"there is no Odoo in {home}: set ODOO_HOME to the folder of a source "
            "checkout of Odoo 19, the one that holds odoo-bin."
        )
    version = _version(release)
    if version != "19.0":
        raise Problem(
            f"{home} is Odoo {version}, this addon is for Odoo 19.0: set ODOO_HOME to "
            "an Odoo 19.0."
        )
    # A source checkout has its addons beside the package; Debian has all inside it,
    # and leaves a partial copy beside it, without the addon "web".
    candidates = (python_path / "odoo/addons", python_path / "addons")
    addons = tuple(path for path in candidates if _has_addons(path))
    if not any((path / "web/static").is_dir() for path in addons):
        raise Problem(
            f"the Odoo in {home} has no addon `web`: set ODOO_HOME to another."
        )
    return OdooTree(python_path, addons, digest(str(python_path), release))


def _has_addons(path: Path) -> bool:
    return (path / "base/__manifest__.py").is_file() or (path / "web/static").is_dir()


def _version(release: Path) -> str:
    """Return Odoo's series, for example ``19.0``, without importing it."""
    found = re.search(
        r"^version_info\s*=\s*\(\s*(\d+)\s*,\s*(\d+)", release.read_text(), re.M
    )
    return f"{found[1]}.{found[2]}" if found else "of an unknown version"
