"""How Odoo is called: its configuration file and its command line."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.console import Problem, clean_environment
from dev.odoo_tree import OdooTree
from dev.ports import HOST
from dev.postgres import USER, Cluster
from dev.settings import Settings
from dev.venv import Venv

#: One process with threads, jobs by queue_job's runner inside of it. Two jobs at a
#: time, so that jobs of two accounts do not wait for each other. No mail leaves: the
#: demo's buyers have addresses at Amazon's real domains, and port 9 takes no mail.
CONFIG = """\
[options]
addons_path = {addons_path}
data_dir = {data_dir}
db_host = {db_host}
db_port = {db_port}
db_user = {db_user}
db_password = {db_password}
http_interface = {http_interface}
list_db = False
server_wide_modules = base,web,queue_job
smtp_server = 127.0.0.1
smtp_port = 9
workers = 0

[queue_job]
channels = root:2
host = {http_interface}

[amazon_order_actions]
keys = {key}
"""


class OdooCommand:
    """Calls Odoo in our environment, on our cluster, with our addons."""

    def __init__(self, settings: Settings, tree: OdooTree, venv: Venv):
        self.tree = tree
        self.python = venv.python
        self._settings = settings
        self._venv = venv

    def __call__(self, *arguments: str) -> list[str]:
        """Return the command line that calls Odoo with arguments.

        A subcommand such as ``shell`` comes first; the configuration is added.
        """
        subcommand: Sequence[str] = ()
        if arguments and not arguments[0].startswith("-"):
            subcommand, arguments = arguments[:1], arguments[1:]
        config = ["--config", str(self._settings.odoo_config)]
        return [str(self.python), "-m", "odoo", *subcommand, *config, *arguments]

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment in which Odoo runs."""
        path = os.pathsep.join([str(self._venv.tool("")), os.environ.get("PATH", "")])
        return clean_environment(PATH=path, PYTHONUNBUFFERED="1", **extra)

    def shell(self, database: str, script: str) -> str:
        """Run Python in ``odoo shell`` (``env`` is there) and return what it printed.

        :param script: must commit by itself what shall stay
        :raise Problem: when the script fails
        """
        command = self("shell", "--database", database, "--no-http")
        result = subprocess.run(
            [*command, "--log-level", "error"],
            input=script,
            env=self.environment(),
            cwd=self._settings.root,
            capture_output=True,
            text=True,
        )
        # The shell goes on after a statement that raised, and ends with 0
        if result.returncode or "Traceback (most recent call last)" in result.stderr:
            print(result.stderr, file=sys.stderr)
            raise Problem("the script in Odoo's shell failed with the traceback above.")
        return result.stdout

    def write_config(self, cluster: Cluster) -> None:
        """Write the configuration file, readable by its owner only."""
        addons = (*self.tree.addons_paths, self._venv.oca_addons, self._settings.root)
        text = CONFIG.format(
            addons_path=",".join(str(path) for path in addons),
            data_dir=self._settings.data_dir,
            db_host=HOST,
            db_port=cluster.port,
            db_user=USER,
            db_password=cluster.password,
            http_interface=HOST,
            key=self._provide_key(),
        )
        # At once: an Odoo that is running may read its keys at any time
        written = _write_private(self._settings.odoo_config, text)
        written.replace(self._settings.odoo_config)

    def _provide_key(self) -> str:
        """Return the key for secrets, made once: databases hold what it encrypts."""
        path = self._settings.key_file
        if not path.exists():
            key = base64.urlsafe_b64encode(os.urandom(32)).decode()
            written = _write_private(path, key)
            with contextlib.suppress(FileExistsError):
                path.hardlink_to(written)
            written.unlink()
        return path.read_text()


def _write_private(path: Path, text: str) -> Path:
    """Write a file beside another one, readable by its owner only, and return it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.touch(mode=0o600)
    beside.write_text(text)
    return beside
