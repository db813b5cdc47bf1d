"""``make wheels``: a package of each addon, installed where there is only Odoo.

The packages are OCA's: ``odoo-addon-<name>``, built by whool from the manifest. Each is
installed by pip into an environment that has Odoo 19 and nothing of this checkout; what
it asks for comes along from the package index. Then Odoo installs the addons from there
into an empty database, and runs their tests, of which each addon says in one sentence
that they need the repository.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from dev.bare import BareOdoo
from dev.console import Problem, say, step
from dev.processes import run
from dev.settings import ADDONS, Settings, read_manifest
from dev.stack import Workshop, prepared

DATABASE = "amazon_helpdesk_wheels"


def wheels(settings: Settings) -> int:
    """Build the packages, install them, and check what came of it.

    :raise Problem: when one cannot be built or installed, or Odoo does not take it
    """
    with prepared(settings) as workshop:
        files = build(workshop, settings.artifacts / "wheels")
        bare = BareOdoo(workshop, settings.dev / "wheels")
        bare.make()
        with step("Python: the packages, and what they ask for"):
            oca = settings.root / "requirements-oca.txt"
            bare.pip("install", *files, "--constraint", oca)
        workshop.databases.drop(DATABASE)
        workshop.cluster.sql(f'CREATE DATABASE "{DATABASE}"')
        with step(f"Odoo: {', '.join(ADDONS)} from the packages"):
            bare.odoo(DATABASE, "--init", ",".join(ADDONS), "--no-http")
        _check_places(workshop, bare)
        with step("Odoo: their tests, which need the repository"):
            said = bare.odoo(
                DATABASE,
                "--test-tags",
                ",".join(f"/{addon}" for addon in ADDONS),
                "--no-http",
                log="tests",
            )
        for line in _skipped(said):
            say(f"    {line}")
    say()
    for file in files:
        say(f"{file.relative_to(settings.root)}")
    return 0


def build(workshop: Workshop, folder: Path) -> list[Path]:
    """Build a wheel of each addon, of what git knows of it, and return the files.

    :param folder: made anew
    :raise Problem: when one cannot be built, or has another name than OCA's
    """
    settings = workshop.settings
    workshop.venv.provide_building()
    shutil.rmtree(folder, ignore_errors=True)
    for addon in settings.addons:
        with step(f"Package of {addon.name}"):
            command = [workshop.venv.python, "-m", "pip", "wheel", "--no-deps"]
            command += ["--no-build-isolation", "--wheel-dir", folder, addon]
            # The version of the manifest, not a later one by the number of commits
            env = workshop.odoo.environment(WHOOL_POST_VERSION_STRATEGY_OVERRIDE="none")
            run(
                command,
                log=settings.logs / f"wheel-{addon.name}.log",
                otherwise=f"the package of {addon.name} could not be built",
                env=env,
                cwd=settings.root,
            )
    files = [folder / name_of(addon) for addon in settings.addons]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise Problem(f"whool built other packages than {', '.join(missing)}.")
    return files


def name_of(addon: Path) -> str:
    """Return the name of the file that holds the package of an addon."""
    version = read_manifest(addon)["version"]
    return f"odoo_addon_{addon.name}-{version}-py3-none-any.whl"


def _check_places(workshop: Workshop, bare: BareOdoo) -> None:
    """Make sure that Odoo has installed the addons of the packages, and no others."""
    states = workshop.cluster.sql("SELECT name, state FROM ir_module_module", DATABASE)
    for addon in ADDONS:
        if f"{addon}|installed" not in states.splitlines():
            raise Problem(f"Odoo did not install {addon} from its package.")
        folder = bare.site_packages / "odoo/addons" / addon
        if not (folder / "static/description/index.html").is_file():
            raise Problem(f"the package of {addon} lacks what Odoo shows of it.")


def _skipped(said: str) -> list[str]:
    """Return the sentences by which the tests of each addon were skipped.

    :raise Problem: when an addon ran a test, or said nothing
    """
    lines = re.findall(r"skipped \S*Test\S* \(?.*? ?: (.+)", said)
    if len(lines) != len(ADDONS):
        raise Problem(
            f"{len(lines)} of {len(ADDONS)} addons said that their tests need the "
            "repository: see tests.log in .dev/wheels."
        )
    return lines
