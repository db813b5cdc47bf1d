"""Databases with their filestores, and the two templates they are copied from.

``base`` holds the addons that ours depend on, with demo data: a minute's work, redone
only when Odoo or those addons change. ``addon`` is a copy of it with our addons
installed: some seconds' work, redone when their source changes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from dev.console import Problem, show_tail, step
from dev.odoo_command import OdooCommand
from dev.postgres import Cluster
from dev.processes import run
from dev.settings import Settings, read_manifest
from dev.stamps import digest, digest_tree, exclusive

#: Beside what our addons depend on: the sales menus for looking at orders; and
#: automation rules, which companies have and which must not get past our addons.
BESIDE = ("sale_management", "base_automation")

BASE_TEMPLATE = "amazon_helpdesk_base"
ADDON_TEMPLATE = "amazon_helpdesk_addon"

#: Bundles of the login page, and that of the web client, which holds our addons' code.
LOGIN_BUNDLES = (
    "web.assets_frontend_minimal",
    "web.assets_frontend",
    "web.assets_frontend_lazy",
)
CLIENT_BUNDLES = ("web.assets_web",)

#: Compiles bundles as the first visitor would, who then would have to wait for it.
COMPILE = """
for name in {bundles!r}:
    bundle = env["ir.qweb"]._get_asset_bundle(name)
    bundle.js()
    bundle.css()
env.cr.commit()
"""


class Databases:
    """Makes, copies and drops databases of the private cluster."""

    def __init__(self, settings: Settings, cluster: Cluster, odoo: OdooCommand):
        self._settings = settings
        self._cluster = cluster
        self._odoo = odoo

    def drop(self, name: str) -> None:
        """Drop a database, its filestore and the record of what it has sent, if they
        exist: the next one of this name is another database."""
        self._cluster.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(self._filestore(name), ignore_errors=True)
        records = self._settings.data_dir / "amazon_order_actions"
        (records / f"{name}.json").unlink(missing_ok=True)

    def exists(self, name: str) -> bool:
        """Say whether there is a database of that name."""
        found = f"SELECT datname FROM pg_database WHERE datname = '{name}'"
        return bool(self._cluster.sql(found))

    def copy(self, source: str, target: str) -> None:
        """Make ``target`` a fresh copy of ``source``, replacing what it was.

        The copy of the filestore is made of hard links: Odoo never changes a file in
        it, since their names are hashes of their content.
        """
        self.drop(target)
        self._cluster.sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
        if self._filestore(source).is_dir():
            shutil.copytree(
                self._filestore(source), self._filestore(target), copy_function=os.link
            )

    def provide_templates(self) -> str:
        """Build what is missing or out of date, and return the name of the template
        with our addons installed.

        :raise Problem: when an addon cannot be installed
        """
        lock = self._settings.dev / "templates.lock"
        with exclusive(lock, "the database templates that another command builds"):
            base_key = digest(
                self._odoo.tree.identity,
                self._settings.root / "requirements-oca.txt",
                *self.dependencies(),
                *LOGIN_BUNDLES,
            )
            self._provide(BASE_TEMPLATE, base_key, self._build_base)
            # Tests are not loaded when an addon is installed
            sources = [
                part
                for addon in self._settings.addons
                for part in (addon.name, digest_tree(addon, skip=("tests", "readme")))
            ]
            addon_key = digest(base_key, *sources, *CLIENT_BUNDLES)
            self._provide(ADDON_TEMPLATE, addon_key, self._build_addon)
        return ADDON_TEMPLATE

    def _provide(self, name: str, key: str, build: Callable[[str], None]) -> None:
        """Build a template under another name, so that half a template never counts."""
        comment = self._cluster.sql(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            f"WHERE datname = '{name}'"
        )
        if comment == key:
            return
        building = f"{name}_building"
        self.drop(building)
        build(building)
        self.drop(name)
        self._cluster.sql(f'ALTER DATABASE "{building}" RENAME TO "{name}"')
        if self._filestore(building).is_dir():
            self._filestore(building).rename(self._filestore(name))
        self._cluster.sql(f"COMMENT ON DATABASE \"{name}\" IS '{key}'")

    def _build_base(self, name: str) -> None:
        with step("Database: Odoo with helpdesk, sales and demo data (about a minute)"):
            self._install(name, *self.dependencies())
            self._odoo.shell(name, COMPILE.format(bundles=LOGIN_BUNDLES))

    def _build_addon(self, name: str) -> None:
        addons = [addon.name for addon in self._settings.addons]
        with step(f"Database: {', '.join(addons)} with demo data"):
            self.copy(BASE_TEMPLATE, name)
            self._install(name, *addons)
            self._odoo.shell(name, COMPILE.format(bundles=CLIENT_BUNDLES))

    def dependencies(self) -> list[str]:
        """Return the addons of others that are installed beneath ours."""
        addons = self._settings.addons
        needed = {name for addon in addons for name in read_manifest(addon)["depends"]}
        ours = {addon.name for addon in addons}
        return sorted(needed.difference(ours).union(BESIDE))

    def _install(self, database: str, *addons: str) -> None:
        """Install addons with demo data, refusing what Odoo only logs as an error."""
        log = self._settings.logs / f"install-{addons[0]}.log"
        otherwise = f"Odoo could not install {', '.join(addons)}"
        command = self._odoo(
            "--database", database, "--init", ",".join(addons), "--with-demo"
        )
        command += ["--stop-after-init", "--no-http"]
        try:
            output = run(
                command, log=log, otherwise=otherwise, env=self._odoo.environment()
            )
        except Problem:
            show_tail(log)
            raise
        # Demo data that fails is logged and left out, and Odoo's exit code is still 0
        if re.search(r"^\S+ \S+ \d+ (ERROR|CRITICAL) ", output, re.M):
            show_tail(log, lines=60)
            raise Problem(f"{otherwise} without errors; they are in {log}.")
        # A name that Odoo does not find is only a warning to it
        states = self._cluster.sql("SELECT name, state FROM ir_module_module", database)
        missing = [a for a in addons if f"{a}|installed" not in states.splitlines()]
        if missing:
            raise Problem(
                f"Odoo did not find or install {', '.join(missing)}: look into {log}."
            )

    def _filestore(self, name: str) -> Path:
        return self._settings.data_dir / "filestore" / name
