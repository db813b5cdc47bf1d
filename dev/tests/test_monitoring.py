"""The dashboard, the alert rules and the handbook know the metrics that there are."""

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PREFIX = "amazon_orders_"
DASHBOARD = DOCS / "grafana-dashboard.json"
ALERTS = DOCS / "prometheus-alerts.yml"
SCRAPE = DOCS / "prometheus-scrape.yml"
HANDBOOK = DOCS / "operations.md"


def metrics():
    """Return the names of all metrics, with the prefix: each is a `Metric` of a model.

    That the endpoint gives exactly these is tested inside of Odoo (test_health.py).
    """
    return {
        PREFIX + node.args[0].value
        for path in (ROOT / "amazon_order_actions/models").rglob("health.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Metric"
    }


def labels():
    """Return the names of all labels: each sample has them in a literal."""
    found = {"company"}
    for path in (ROOT / "amazon_order_actions/models").rglob("health.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Dict):
                found |= {
                    key.value for key in node.keys if isinstance(key, ast.Constant)
                }
    return found


def named(text):
    """Return the names of our metrics in a text; an alert's are written otherwise."""
    return set(re.findall(rf"\b{PREFIX}[a-z_]+", text))


def dashboard():
    return json.loads(DASHBOARD.read_text())


def rules():
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    return group["rules"]


def test_there_are_metrics():
    assert len(metrics()) > 15


def test_dashboard_shows_metrics_that_there_are():
    queries = [
        target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]
    ]
    queries += [
        each["definition"]
        for each in dashboard()["templating"]["list"]
        if each["type"] == "query"
    ]
    assert named(" ".join(queries)) <= metrics()
    assert metrics() <= named(" ".join(queries)), "each is worth a look"


def test_dashboard_uses_labels_that_there_are():
    text = json.dumps(dashboard()["panels"])
    used = set(re.findall(r"\{\{(\w+)\}\}", text))
    used |= set(re.findall(r"(\w+)=~", text))
    assert used <= labels()


def test_dashboard_is_one_that_grafana_imports():
    board = dashboard()
    assert board["title"]
    assert board["schemaVersion"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {each["name"] for each in board["templating"]["list"]}
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert panel["type"] in ("stat", "timeseries")
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(panel)))
        assert used <= variables, panel["title"]


def test_alerts_look_at_metrics_that_there_are():
    for rule in rules():
        known = named(rule["expr"])
        assert known <= metrics(), rule["alert"]
        assert known or 'up{job="amazon-orders"}' in rule["expr"], rule["alert"]
        used = re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))
        assert set(used) <= labels(), rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_scrape_asks_where_the_endpoint_is_and_keeps_the_token_in_a_file():
    (job,) = yaml.safe_load(SCRAPE.read_text())["scrape_configs"]
    controller = ROOT / "amazon_order_actions/controllers/health.py"
    assert f'"{job["metrics_path"]}"' in controller.read_text()
    assert job["authorization"]["type"] == "Bearer"
    assert "credentials" not in job["authorization"]
    assert any(f'job="{job["job_name"]}"' in rule["expr"] for rule in rules())


def test_handbook_explains_each_metric_and_no_other():
    assert named(HANDBOOK.read_text()) == metrics()


@pytest.mark.parametrize("path", [DASHBOARD, ALERTS, SCRAPE])
def test_handbook_names_the_file(path):
    assert f"({path.name})" in HANDBOOK.read_text()
