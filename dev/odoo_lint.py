"""A plugin of pytest that narrows Odoo's own test_lint to our addons.

Odoo's lint tests look at every addon on disk and at every model in the registry, so
they also complain about addons of others. Each fixture here narrows one way in which
they look; the tests themselves run as Odoo wrote them.

This module runs in the environment of the checkout, inside pytest-odoo.
"""

import contextlib
import logging

import pytest

from dev.settings import ADDONS, ROOT

#: Keys that OCA's tools read from a manifest and Odoo's list does not know.
OCA_MANIFEST_KEYS = {"development_status", "maintainers"}
#: Read by Odoo (ir.module.module.exclusion), and missing in its own list.
ODOO_MANIFEST_KEYS = {"excludes"}


@pytest.fixture(autouse=True)
def our_manifest_only(request, monkeypatch):
    """Tests that walk through files see those of our addons only."""
    from odoo.modules import Manifest

    def ours():
        return [Manifest.for_addon(name) for name in ADDONS]

    monkeypatch.setattr(Manifest, "all_addon_manifests", ours)
    if hasattr(request.module, "get_modules"):
        monkeypatch.setattr(request.module, "get_modules", lambda: list(ADDONS))
    if hasattr(request.module, "MANIFEST_KEYS"):
        keys = request.module.MANIFEST_KEYS | OCA_MANIFEST_KEYS
        keys |= ODOO_MANIFEST_KEYS
        monkeypatch.setattr(request.module, "MANIFEST_KEYS", keys)


@pytest.fixture(autouse=True)
def our_folder_only(request, monkeypatch):
    """Tests that walk through Odoo's own folders see our addons' instead."""
    from odoo.tools import config

    import odoo.addons

    folders = [str(ROOT / name) for name in ADDONS]
    if request.module.__name__.endswith("test_markers"):
        monkeypatch.setattr(odoo, "__path__", folders)
        monkeypatch.setattr(odoo.addons, "__path__", folders)
    if request.module.__name__.endswith("test_pylint"):
        monkeypatch.setattr(
            type(config), "root_path", property(lambda _self: folders[0])
        )


@pytest.fixture(autouse=True)
def our_methods_only(monkeypatch):
    """Complaints about one method count when an addon of ours defines the method."""
    from odoo.tests.case import TestCase

    original = TestCase.subTest

    @contextlib.contextmanager
    def sub_test(self, *args, **params):
        if params.get("module", ADDONS[0]) in ADDONS:
            with original(self, *args, **params):
                yield
        else:
            with contextlib.suppress(Exception):
                yield

    monkeypatch.setattr(TestCase, "subTest", sub_test)


@pytest.fixture(autouse=True)
def our_fields_only(request, monkeypatch):
    """Missing indexes count when an addon of ours defines the field."""
    if not hasattr(request.module, "BTREE_INDEX_IGNORE_FIELDS"):
        return
    from odoo.modules.registry import Registry
    from odoo.tests.common import get_db_name

    foreign = {
        str(field)
        for model in Registry(get_db_name()).values()
        for field in model._fields.values()
        if not set(ADDONS) & set(field._modules)
    }
    ignored = request.module.BTREE_INDEX_IGNORE_FIELDS | foreign
    monkeypatch.setattr(request.module, "BTREE_INDEX_IGNORE_FIELDS", ignored)


@pytest.fixture(autouse=True)
def warnings_fail(caplog):
    """Some of Odoo's lint tests only log what they find."""
    yield
    complaints = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.levelno >= logging.WARNING and ".test_lint." in record.name
    ]
    # Routes are checked of all addons; the message names the module of the class
    complaints = [text for text in complaints if any(name in text for name in ADDONS)]
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)
