"""Variables have defaults, are checked, and other people's do not leak in."""

import socket
from configparser import ConfigParser
from types import SimpleNamespace

import pytest

from dev.console import Problem, clean_environment
from dev.databases import BESIDE, Databases
from dev.odoo_command import OdooCommand
from dev.ports import check_free, free_port, is_free
from dev.settings import Settings, find_addons


def test_defaults_are_used_when_nothing_is_set():
    settings = Settings.from_environment({})
    assert (settings.odoo_port, settings.simulator_port) == (28069, 28070)
    assert settings.demo_database == "amazon_helpdesk_demo"
    assert settings.odoo_home is None


def test_empty_variable_counts_as_unset():
    assert Settings.from_environment({"ODOO_PORT": "", "ODOO_HOME": ""}) == Settings()


@pytest.mark.parametrize("name", ["ODOO_PORT", "SIMULATOR_PORT", "PG_PORT"])
@pytest.mark.parametrize("text", ["abc", "80", "65536", "-1"])
def test_unusable_port_is_refused_by_name(name, text):
    with pytest.raises(Problem, match=f"{name}={text} is not a port"):
        Settings.from_environment({name: text})


@pytest.mark.parametrize("name", ["DEMO_DB", "TEST_DB"])
@pytest.mark.parametrize("text", ["Demo", "a b", 'x"; DROP', "9lives", "a" * 51])
def test_unusable_database_name_is_refused(name, text):
    with pytest.raises(Problem, match=f"^{name}="):
        Settings.from_environment({name: text})


def test_seed_is_a_number_or_left_to_chance():
    assert Settings.from_environment({}).seed is None
    assert Settings.from_environment({"SEED": "0"}).seed == 0
    with pytest.raises(Problem, match="SEED=x is no number"):
        Settings.from_environment({"SEED": "x"})


def test_keep_is_a_switch():
    assert not Settings.from_environment({}).keep
    assert not Settings.from_environment({"KEEP": "0"}).keep
    assert Settings.from_environment({"KEEP": "1"}).keep
    with pytest.raises(Problem, match="KEEP=yes is no switch"):
        Settings.from_environment({"KEEP": "yes"})


def test_taken_port_is_refused_and_another_one_suggested():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(Problem, match=f"port {port} is taken.*ODOO_PORT="):
            check_free(port, "ODOO_PORT")


def test_free_port_is_accepted():
    check_free(free_port(), "ODOO_PORT")


def test_children_do_not_inherit_other_databases_or_configurations(monkeypatch):
    foreign = ("PGHOST", "PGDATABASE", "ODOO_RC", "PYTHONPATH", "AMAZON_ORDER_KEYS")
    for name in foreign:
        monkeypatch.setenv(name, "somebody-elses")
    monkeypatch.setenv("no_proxy", "example.org")
    environment = clean_environment(PGPORT="1234")
    assert "somebody-elses" not in environment.values()
    assert environment["PGPORT"] == "1234"
    assert environment["no_proxy"] == "127.0.0.1,localhost,example.org"


def test_key_for_secrets_is_made_once_and_is_for_its_owner_alone(tmp_path):
    settings = Settings(root=tmp_path)
    settings.dev.mkdir()
    tree = SimpleNamespace(addons_paths=())
    venv = SimpleNamespace(python=None, oca_addons=tmp_path)
    cluster = SimpleNamespace(port=1, password="x")
    keys = []
    for _time in range(2):
        OdooCommand(settings, tree, venv).write_config(cluster)
        config = ConfigParser(interpolation=None)
        config.read(settings.odoo_config)
        keys.append(config["amazon_order_actions"]["keys"])
    assert keys[0] == keys[1] and len(keys[0]) == 44
    assert {path.name for path in settings.dev.iterdir()} == {"odoo.conf", "odoo.key"}
    for path in settings.dev.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_addons_are_the_folders_at_the_top_with_a_manifest(tmp_path):
    for name in ("b_addon", "a_addon", "docs"):
        (tmp_path / name).mkdir()
    for name in ("a_addon", "b_addon"):
        (tmp_path / name / "__manifest__.py").write_text("{}")
    (tmp_path / "docs/inside").mkdir()
    (tmp_path / "docs/inside/__manifest__.py").write_text("{}")
    assert find_addons(tmp_path) == ("a_addon", "b_addon")
    addons = Settings(root=tmp_path).addons
    assert addons == (tmp_path / "a_addon", tmp_path / "b_addon")


def test_base_holds_what_addons_need_of_others_and_nothing_of_ours(tmp_path):
    for name, depends in (("ours", ["sale"]), ("glue", ["ours", "stock"])):
        (tmp_path / name).mkdir()
        manifest = tmp_path / name / "__manifest__.py"
        manifest.write_text(repr({"depends": depends}))
    databases = Databases(Settings(root=tmp_path), cluster=None, odoo=None)
    assert databases.dependencies() == sorted({"sale", "stock", *BESIDE})
