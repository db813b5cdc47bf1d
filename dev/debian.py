"""What Debian gives: Odoo 19 unpacked from unstable, and the system's own packages.

Odoo 19 is not on the Python package index; Debian unstable packages it. Its packages
are unpacked into the checkout, never installed: their dependencies would pull
unstable's Python and libc into a stable system. apt does this with a configuration of
its own, so the system's lists, cache and sources stay as they are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev.console import Problem, clean_environment, say, step
from dev.processes import run

WAYS_OUT = (
    "check the network and run it again, or use an Odoo 19 that is already there by "
    "`make demo ODOO_HOME=/path/to/odoo`"
)

#: Odoo, and the packages whose files Debian links into Odoo's static folders.
FROM_UNSTABLE = (
    "odoo-19",
    "fonts-glyphicons-halflings",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)

#: Taken from the machine's own release: unstable's Font Awesome has other file names.
FROM_OWN_RELEASE = ("fonts-font-awesome", "fonts-inconsolata")

#: Files that Odoo's manifests name and Debian leaves out. Their absence puts an error
#: on the browser's console, which fails every tour. (Background blur of video calls.)
LEFT_OUT = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

#: Links that may stay broken: fonts of documents that nobody here prints.
HARMLESS_BROKEN_LINKS = {"l10n_ch/static/src/font/ocrb.otf"}


def unpack_odoo(target: Path, work: Path, logs: Path) -> None:
    """Download Odoo 19 and what it links to, and unpack them into one tree.

    :param target: folder to make; it exists only when everything succeeded
    :param work: folder for apt's lists and the packages, removed afterwards
    :raise Problem: when there is no apt, no Debian mirror or no Odoo 19
    """
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Problem(
                f"{tool} is missing, so Odoo 19 cannot be fetched from Debian here: "
                "point ODOO_HOME to an Odoo 19 that is already there."
            )
    shutil.rmtree(work, ignore_errors=True)
    packages = _download(work, logs)
    half_done = work / "root"
    for package in packages:
        run(
            ["dpkg-deb", "-x", package, half_done],
            log=logs / "dpkg-deb.log",
            otherwise=f"{package.name} cannot be unpacked: delete .dev and try again",
        )
    _mend(half_done)
    shutil.rmtree(target, ignore_errors=True)
    half_done.rename(target)
    shutil.rmtree(work)


def _download(work: Path, logs: Path) -> list[Path]:
    """Fetch the packages with a private apt configuration, return their files."""
    release, stanzas = _private_sources(_own_sources())
    packages = work / "packages"
    for folder in (packages, work / "lists/partial", work / "cache/archives/partial"):
        folder.mkdir(parents=True, exist_ok=True)
    (work / "debian.sources").write_text(stanzas)
    config = work / "apt.conf"
    config.write_text(
        f'Dir::Etc::sourcelist "{work}/debian.sources";\n'
        'Dir::Etc::sourceparts "/dev/null";\n'
        f'Dir::State::Lists "{work}/lists";\n'
        f'Dir::Cache "{work}/cache";\n'
        'Acquire::Languages "none";\n'
        'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";\n'
        # apt's own user cannot write below a private folder
        'APT::Sandbox::User "";\n'
    )
    env = clean_environment(APT_CONFIG=str(config), LC_ALL="C.UTF-8")
    wanted = [*FROM_UNSTABLE, *(f"{name}/{release}" for name in FROM_OWN_RELEASE)]
    for command in (["apt-get", "update"], ["apt-get", "download", *wanted]):
        run(
            command,
            log=logs / f"apt-{command[1]}.log",
            otherwise=f"Debian unstable's odoo-19 could not be fetched: {WAYS_OUT}",
            env=env,
            cwd=packages,
        )
    return sorted(packages.glob("*.deb"))


def _own_sources() -> list[tuple[str, str, str]]:
    """Return (address, release, component) of the machine's binary package sources."""
    listing = subprocess.run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI) $(RELEASE) $(COMPONENT)",
            "Created-By: Packages",
        ],
        capture_output=True,
        text=True,
    ).stdout
    rows = (line.split() for line in listing.splitlines())
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]


def _private_sources(own: Sequence[tuple[str, str, str]]) -> tuple[str, str]:
    """Return the machine's release and apt sources for it and for unstable.

    The mirror is the machine's own: the first source with component ``main`` whose
    release is a plain name, since ``bookworm-security`` lies in another archive.
    """
    for address, release, component in own:
        if component == "main" and release.isalnum():
            stanza = "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\n"
            if DEBIAN_KEYRING.exists():
                stanza += f"Signed-By: {DEBIAN_KEYRING}\n"
            suites = [release, "sid"] if release != "sid" else ["sid"]
            return release, "\n".join(stanza.format(address, s) for s in suites)
    raise Problem(
        "this machine's apt sources name no Debian mirror to fetch Odoo 19 from: point "
        "ODOO_HOME to an Odoo 19 that is already there."
    )


def _mend(root: Path) -> None:
    """Supply what Debian leaves out, and say what is broken still."""
    packages = root / "usr/lib/python3/dist-packages"
    # A second, partial copy of the addons: no views, no static files
    shutil.rmtree(packages / "addons", ignore_errors=True)
    addons = packages / "odoo/addons"
    for name in LEFT_OUT:
        path = addons / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("// Left out of Debian's package.\n")
    for name in sorted(_broken_links(addons) - HARMLESS_BROKEN_LINKS):
        say(f"  warning: {name} is a link into a Debian package that is not unpacked")


def _broken_links(folder: Path) -> set[str]:
    broken = set()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink() and not path.exists():
                broken.add(str(path.relative_to(folder)))
    return broken


def is_root() -> bool:
    """Say whether Debian's packages can be installed here."""
    return os.geteuid() == 0


def install(package: str, *, purpose: str, log: Path) -> None:
    """Install a package of the system's own release.

    :param purpose: what it is needed for, as in "for the tests in a browser"
    :raise Problem: when we are not root, there is no apt, or it fails
    """
    if not is_root() or not shutil.which("apt-get"):
        raise Problem(
            f"{package} is missing, which is needed {purpose}: install it, on Debian "
            f"by `sudo apt-get install {package}`."
        )
    command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
    env = clean_environment(DEBIAN_FRONTEND="noninteractive", LC_ALL="C.UTF-8")
    otherwise = f"apt-get could not install {package}, needed {purpose}: install it"
    with step(f"Debian: install {package}"):
        known = subprocess.run([*command, "--simulate"], capture_output=True, env=env)
        if known.returncode:
            run(["apt-get", "update"], log=log, otherwise=otherwise, env=env)
        run(command, log=log, otherwise=otherwise, env=env)
