"""An Odoo 19 in an environment of its own, with nothing of this checkout around it."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from dev.console import Problem, clean_environment, show_tail, step
from dev.ports import HOST
from dev.postgres import USER
from dev.processes import run
from dev.stack import Workshop
from dev.venv import make_environment

CONFIG = """\
[options]
addons_path = {addons_path}
data_dir = {data_dir}
db_host = {db_host}
db_port = {db_port}
db_user = {db_user}
db_password = {db_password}
http_interface = {db_host}
list_db = False
smtp_server = 127.0.0.1
smtp_port = 9
limit_time_real = {limit_time_real}
"""

#: Seconds for a request: to install all that Sales needs takes minutes on a busy
#: machine, and after the usual 120 Odoo would restart itself.
REQUEST_SECONDS = 1200

#: What pip knows of a source checkout of Odoo after `pip install -e`.
METADATA = "Metadata-Version: 2.1\nName: odoo\nVersion: 19.0\n"


class BareOdoo:
    """Odoo, its own Python packages and a configuration file, as a company has them.

    :param workshop: the set-up: whose Odoo, and whose PostgreSQL
    :param folder: made anew by `make`; commands run in it, so that Python finds nothing
        of the checkout by chance
    """

    def __init__(self, workshop: Workshop, folder: Path):
        self.folder = folder
        self.python = folder / "venv/bin/python"
        self.config = folder / "odoo.conf"
        self.data_dir = folder / "data"
        self._workshop = workshop
        self._root = workshop.settings.root

    def make(self) -> None:
        """Make the environment anew, with what Odoo itself needs and no more.

        :raise Problem: when Python's venv or pip fails
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with step("Python: an environment that has only Odoo"):
            make_environment(self.folder / "venv", self.folder)
            requirements = self._root / "requirements-odoo.txt"
            self.pip("install", "--requirement", requirements)
        self._tell_of_odoo()
        self._write_config()

    def pip(self, *arguments: str | Path) -> None:
        """Run pip in the environment, with the versions that are tested here.

        :raise Problem: when it fails
        """
        constraints = self._root / "constraints.txt"
        command = [self.python, "-m", "pip", *arguments, "--constraint", constraints]
        run(
            command,
            log=self.folder / "pip.log",
            otherwise=f"`pip {' '.join(map(str, arguments))}` failed",
            env=self.environment(),
            cwd=self.folder,
        )

    def odoo(self, database: str, *arguments: str, log: str = "odoo") -> str:
        """Run Odoo on a database until it stops, and return its log.

        :raise Problem: when it fails, or logs an error
        """
        command = [self.python, "-m", "odoo", "--config", self.config]
        command += ["--database", database, *arguments, "--stop-after-init"]
        file = self.folder / f"{log}.log"
        otherwise = f"Odoo failed with {' '.join(arguments)}"
        said = run(
            command,
            log=file,
            otherwise=otherwise,
            env=self.environment(),
            cwd=self.folder,
        )
        if re.search(r"^\S+ \S+ \d+ (ERROR|CRITICAL) ", said, re.M):
            show_tail(file, lines=60)
            raise Problem(f"{otherwise}: it logged errors, see {file}.")
        return said

    def environment(self) -> dict[str, str]:
        """Return the environment variables that its commands run with."""
        path = os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")])
        return clean_environment(PATH=path, PYTHONUNBUFFERED="1")

    @property
    def site_packages(self) -> Path:
        """The folder into which pip installs."""
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.folder / "venv/lib" / version / "site-packages"

    def _tell_of_odoo(self) -> None:
        """Let Python and pip find the Odoo of the set-up."""
        path = self._workshop.odoo.tree.python_path
        (self.site_packages / "odoo-19.pth").write_text(f"{path}\n")
        if not any(path.glob("odoo-*.egg-info")):
            known = self.site_packages / "odoo-19.0.dist-info/METADATA"
            known.parent.mkdir()
            known.write_text(METADATA)

    def _write_config(self) -> None:
        tree, cluster = self._workshop.odoo.tree, self._workshop.cluster
        self.config.touch(mode=0o600)
        self.config.write_text(
            CONFIG.format(
                addons_path=",".join(str(path) for path in tree.addons_paths),
                data_dir=self.data_dir,
                db_host=HOST,
                db_port=cluster.port,
                db_user=USER,
                db_password=cluster.password,
                limit_time_real=REQUEST_SECONDS,
            )
        )
