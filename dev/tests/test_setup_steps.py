"""Steps of the set-up: done once, redone when their inputs change, never by half."""

from pathlib import Path

import pytest

from dev import debian
from dev.console import Problem
from dev.odoo_tree import find_odoo
from dev.stamps import Stamps, digest, digest_tree


def make_odoo(folder: Path, *, addons: str) -> Path:
    """Make what looks like an Odoo 19, with its web addon in the folder ``addons``."""
    for path in ("odoo/addons/base", f"{addons}/web/static"):
        (folder / path).mkdir(parents=True)
    (folder / "odoo/addons/base/__manifest__.py").write_text("{}")
    (folder / "odoo/release.py").write_text("version_info = (19, 0, 0, FINAL, 0, '')\n")
    return folder


def test_step_is_done_for_the_same_inputs_only(tmp_path):
    stamps = Stamps(tmp_path / "stamps")
    assert not stamps.done("pip", "a")
    stamps.write("pip", "a")
    assert stamps.done("pip", "a")
    assert not stamps.done("pip", "b")
    stamps.remove("pip")
    assert not stamps.done("pip", "a")


def test_digest_changes_with_content_name_and_order(tmp_path):
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("odoo==19.0")
    before = digest(requirements)
    requirements.write_text("odoo==19.1")
    assert digest(requirements) != before
    assert digest("ab", "c") != digest("a", "bc")


def test_digest_of_the_addon_ignores_tests_and_compiled_files(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/order.py").write_text("a = 1")
    before = digest_tree(tmp_path, skip=("tests",))
    for ignored in ("tests", "models/__pycache__", "spapi/tests"):
        (tmp_path / ignored).mkdir(parents=True)
        (tmp_path / ignored / "test_order.py").write_text("b = 2")
    assert digest_tree(tmp_path, skip=("tests",)) == before
    (tmp_path / "models/order.py").write_text("a = 2")
    assert digest_tree(tmp_path, skip=("tests",)) != before


def test_own_mirror_is_used_for_unstable_and_security_is_not_taken_for_it():
    release, stanzas = debian._private_sources(
        [
            ("http://one.example/security/", "bookworm-security", "main"),
            ("http://two.example/debian/", "bookworm", "contrib"),
            ("http://three.example/debian/", "bookworm", "main"),
        ]
    )
    assert release == "bookworm"
    assert stanzas.count("http://three.example/debian/") == 2
    assert "Suites: sid" in stanzas
    assert "one.example" not in stanzas


def test_files_that_debian_leaves_out_are_supplied_and_the_partial_copy_is_removed(
    tmp_path,
):
    packages = tmp_path / "usr/lib/python3/dist-packages"
    (packages / "addons/web").mkdir(parents=True)
    (packages / "odoo/addons").mkdir(parents=True)
    debian._mend(tmp_path)
    assert not (packages / "addons").exists()
    for name in debian.LEFT_OUT:
        assert (packages / "odoo/addons" / name).read_text().startswith("//")


def test_broken_link_is_reported(tmp_path, capsys):
    addons = tmp_path / "usr/lib/python3/dist-packages/odoo/addons"
    (addons / "web/static").mkdir(parents=True)
    (addons / "web/static/font.woff").symlink_to("../../nowhere/font.woff")
    debian._mend(tmp_path)
    assert "web/static/font.woff is a link" in capsys.readouterr().out


def test_source_checkout_is_found_by_its_folder_and_by_odoo_bin(tmp_path):
    home = make_odoo(tmp_path, addons="addons")
    tree = find_odoo(home)
    assert tree.python_path == home
    assert tree.addons_paths == (home / "odoo/addons", home / "addons")
    assert find_odoo(home / "odoo-bin") == tree


def test_unpacked_debian_package_is_found(tmp_path):
    packages = make_odoo(
        tmp_path / "usr/lib/python3/dist-packages", addons="odoo/addons"
    )
    tree = find_odoo(tmp_path)
    assert tree.python_path == packages
    assert tree.addons_paths == (packages / "odoo/addons",)


def test_odoo_without_its_web_client_is_refused(tmp_path):
    make_odoo(tmp_path, addons="elsewhere")
    with pytest.raises(Problem, match="no addon `web`"):
        find_odoo(tmp_path)
