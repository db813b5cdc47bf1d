"""The virtual environment of the checkout, at the pinned versions."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from dev import debian
from dev.console import Problem, clean_environment, step
from dev.odoo_tree import OdooTree
from dev.processes import run
from dev.settings import Settings
from dev.stamps import Stamps, digest


class Venv:
    """``.dev/venv``: Odoo's requirements, ours, and the OCA addons."""

    def __init__(self, settings: Settings, stamps: Stamps):
        self._settings = settings
        self._stamps = stamps
        self.folder = settings.dev / "venv"
        self.python = self.folder / "bin/python"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        self._site_packages = self.folder / "lib" / version / "site-packages"

    @property
    def oca_addons(self) -> Path:
        """The folder into which pip unpacks OCA's addons."""
        return self._site_packages / "odoo/addons"

    def tool(self, name: str) -> Path:
        """Return the path of a command that a package installed."""
        return self.folder / "bin" / name

    def provide(self, odoo: OdooTree, *, tests: bool) -> None:
        """Create or update the environment.

        :param odoo: the Odoo that ``import odoo`` shall find
        :param tests: also install what tests, lint and smoke need
        :raise Problem: when Python's venv is missing or pip fails
        """
        self._create()
        self._install("demo", "requirements-odoo", "requirements", "requirements-demo")
        self._install("oca", "requirements-oca", arguments=("--no-deps",))
        if tests:
            self._install("test", "requirements-test")
        self._point_to(odoo)

    def provide_plotting(self) -> None:
        """Install what draws the plots of ``make bench``.

        :raise Problem: when pip fails
        """
        self._install("bench", "requirements-bench")

    def provide_audit(self) -> None:
        """Install what asks for known vulnerabilities.

        :raise Problem: when pip fails
        """
        self._install("audit", "requirements-audit")

    def provide_building(self) -> None:
        """Install what builds the addons' packages.

        :raise Problem: when pip fails
        """
        self._install("build", "requirements-build")

    def _create(self) -> None:
        # An environment knows its own path and its Python: neither can be changed
        key = digest(sys.version, sysconfig.get_platform(), str(self.folder))
        if self.python.exists() and self._stamps.done("venv", key):
            return
        for stamp in (
            "venv",
            "pip-demo",
            "pip-oca",
            "pip-test",
            "pip-bench",
            "pip-audit",
            "pip-build",
        ):
            self._stamps.remove(stamp)
        with step("Python: virtual environment"):
            make_environment(self.folder, self._settings.logs)
        self._stamps.write("venv", key)

    def _install(self, name: str, *files: str, arguments: tuple[str, ...] = ()) -> None:
        requirements = [self._settings.root / f"{file}.txt" for file in files]
        constraints = self._settings.root / "constraints.txt"
        key = digest(*requirements, constraints)
        if self._stamps.done(f"pip-{name}", key):
            return
        command = [self.python, "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--constraint", constraints, *arguments]
        for file in requirements:
            command += ["--requirement", file]
        with step(
            f"Python: packages of {', '.join(file.name for file in requirements)}"
        ):
            run(
                command,
                log=self._settings.logs / f"pip-{name}.log",
                otherwise="pip could not install the Python packages",
                env=clean_environment(),
            )
        self._stamps.write(f"pip-{name}", key)

    def _point_to(self, odoo: OdooTree) -> None:
        """Make ``import odoo`` work, for Odoo itself, pytest and pylint alike."""
        pth = self._site_packages / "odoo-19.pth"
        line = f"{odoo.python_path}\n"
        if not pth.exists() or pth.read_text() != line:
            pth.write_text(line)


def make_environment(folder: Path, logs: Path) -> None:
    """Make an empty virtual environment anew.

    :raise Problem: when Python's venv is missing or fails
    """
    if subprocess.run(
        [sys.executable, "-c", "import ensurepip, venv"], capture_output=True
    ).returncode:
        _install_venv(logs)
    shutil.rmtree(folder, ignore_errors=True)
    run(
        [sys.executable, "-m", "venv", folder],
        log=logs / "venv.log",
        otherwise=f"the virtual environment {folder} could not be made",
        env=clean_environment(),
    )


def _install_venv(logs: Path) -> None:
    if not Path(sys.executable).resolve().is_relative_to("/usr/bin"):
        raise Problem(
            f"{sys.executable} has no modules venv and ensurepip: use another "
            "Python, for example `make demo PYTHON=/usr/bin/python3`."
        )
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    debian.install(
        f"python{version}-venv",
        purpose="for Python's virtual environment",
        log=logs / "apt-install-venv.log",
    )
