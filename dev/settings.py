"""Where things lie, and what can be changed by environment or Make variables."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.console import Problem

ROOT = Path(__file__).resolve().parent.parent


def find_addons(root: Path) -> tuple[str, ...]:
    """Return the names of our addons: the folders at the top with a manifest."""
    return tuple(sorted(path.parent.name for path in root.glob("*/__manifest__.py")))


def read_manifest(addon: Path) -> dict:
    """Return what the manifest of an addon says."""
    return ast.literal_eval((addon / "__manifest__.py").read_text())


#: All that is here is installed, tested and linted together.
ADDONS = find_addons(ROOT)

#: The folder that holds the strict layer, which is imported as `spapi` outside of Odoo:
#: an addon's own package can only be imported inside.
STRICT_LAYER = next(ROOT.glob("*/spapi/__init__.py")).parents[1]


@dataclass(frozen=True)
class Settings:
    """The variables of ``make``; every one has a default that clashes with nothing
    common.

    :param odoo_home: an Odoo 19 that is already there (ODOO_HOME), or None
    :param odoo_port: port of the demo's Odoo (ODOO_PORT)
    :param simulator_port: port of the demo's simulator of Amazon (SIMULATOR_PORT)
    :param postgres_port: port of the private PostgreSQL (PG_PORT), None for any
    :param demo_database: database of ``make demo`` (DEMO_DB), made anew at each start
    :param test_database: database of ``make test`` (TEST_DB), made anew at each start
    :param pytest_args: further arguments for pytest (ARGS)
    :param test_path: run only this file or folder of tests (T)
    :param keep: whether ``make demo`` and ``make simulator`` go on where they were
        stopped (KEEP=1)
    :param seed: what chance is decided by in ``make test`` (SEED), None for any
    """

    root: Path = ROOT
    odoo_home: Path | None = None
    odoo_port: int = 28069
    simulator_port: int = 28070
    postgres_port: int | None = None
    demo_database: str = "amazon_helpdesk_demo"
    test_database: str = "amazon_helpdesk_test"
    pytest_args: str = ""
    test_path: str = ""
    keep: bool = False
    seed: int | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables.

        :raise Problem: when one of them cannot be used
        """
        home = environ.get("ODOO_HOME")
        return cls(
            odoo_home=Path(home).expanduser().resolve() if home else None,
            odoo_port=_port(environ, "ODOO_PORT") or cls.odoo_port,
            simulator_port=_port(environ, "SIMULATOR_PORT") or cls.simulator_port,
            postgres_port=_port(environ, "PG_PORT"),
            demo_database=_database(environ, "DEMO_DB", cls.demo_database),
            test_database=_database(environ, "TEST_DB", cls.test_database),
            pytest_args=environ.get("ARGS", ""),
            test_path=environ.get("T", ""),
            keep=_switch(environ, "KEEP"),
            seed=_seed(environ),
        )

    @property
    def dev(self) -> Path:
        """The git-ignored folder that holds everything the set-up makes."""
        return self.root / ".dev"

    @property
    def logs(self) -> Path:
        return self.dev / "logs"

    @property
    def artifacts(self) -> Path:
        return self.dev / "artifacts"

    @property
    def odoo_config(self) -> Path:
        return self.dev / "odoo.conf"

    @property
    def key_file(self) -> Path:
        """The key that seller accounts' secrets are encrypted with. One for the whole
        checkout: databases are copied from one cluster to another."""
        return self.root / ".dev/odoo.key"

    @property
    def data_dir(self) -> Path:
        """Odoo's filestore and sessions."""
        return self.dev / "data"

    @property
    def addons(self) -> tuple[Path, ...]:
        """The folders of our addons."""
        return tuple(self.root / name for name in find_addons(self.root))


def _port(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise Problem(f"{name}={text} is not a port: give a number from 1024 to 65535.")
    return int(text)


def _switch(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name) or "0"
    if text not in ("0", "1"):
        raise Problem(f"{name}={text} is no switch: give 1, or 0.")
    return text == "1"


def _seed(environ: Mapping[str, str]) -> int | None:
    text = environ.get("SEED")
    if not text:
        return None
    if not text.isdecimal():
        raise Problem(f"SEED={text} is no number: give one from 0.")
    return int(text)


def _database(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name) or default
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", text):
        raise Problem(
            f"{name}={text} cannot be the name of a database here: use up to 50 small "
            "letters, digits and underscores, a letter first."
        )
    return text
