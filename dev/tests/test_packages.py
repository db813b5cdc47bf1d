"""What is in each addon so that it can be a package of its own."""

import re
import struct

import pytest

from dev.settings import ADDONS, ROOT, read_manifest
from dev.wheels import name_of

#: Names that pip knows, of all that is installed anywhere here.
PINNED = {
    line.split("==")[0].lower().replace("_", "-")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line
}


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_is_built_by_whool(addon):
    lines = (ROOT / addon / "pyproject.toml").read_text().splitlines()
    assert lines == [
        "[build-system]",
        'requires = ["whool"]',
        'build-backend = "whool.buildapi"',
    ]


@pytest.mark.parametrize("addon", ADDONS)
def test_version_is_of_odoo_19_and_names_the_package(addon):
    version = read_manifest(ROOT / addon)["version"]
    assert re.fullmatch(r"19\.0\.\d+\.\d+\.\d+", version)
    assert name_of(ROOT / addon) == f"odoo_addon_{addon}-{version}-py3-none-any.whl"


@pytest.mark.parametrize("addon", ADDONS)
def test_what_an_addon_asks_for_is_a_package_that_pip_knows(addon):
    asked = read_manifest(ROOT / addon).get("external_dependencies", {})
    assert not asked.get("bin")
    assert {name.lower() for name in asked.get("python", [])} <= PINNED


@pytest.mark.parametrize("addon", ADDONS)
def test_addon_has_an_icon(addon):
    image = (ROOT / addon / "static/description/icon.png").read_bytes()
    assert image.startswith(b"\x89PNG")
    assert struct.unpack(">II", image[16:24]) == (140, 140)


def test_what_has_a_menu_or_is_installed_by_people_is_an_application():
    applications = {
        addon for addon in ADDONS if read_manifest(ROOT / addon).get("application")
    }
    assert applications == {"amazon_helpdesk_actions", "amazon_order_actions"}
    for addon in set(ADDONS) - applications:
        assert read_manifest(ROOT / addon)["auto_install"], "nobody looks for it"
