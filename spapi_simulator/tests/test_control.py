"""Control endpoints, command line and process."""

import json
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import yaml

from .. import generate
from ..clock import parse_iso
from ..ledger import LISTS
from ..process import SimulatorFailed, SimulatorProcess
from .amazon import REFUND, SHIPPED, SHIPPED_ITEM, Amazon, refund

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "spapi_simulator" / "demo_orders.yaml"
ONE_EURO = refund(SHIPPED, SHIPPED_ITEM, Principal="1.00")


def start(*options):
    """Run the command line until it ends; return (exit status, stderr)."""
    done = subprocess.run(
        [sys.executable, "-m", "spapi_simulator", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


# === CLOCK === #


@pytest.mark.parametrize(
    "path", ["/orders/2026-01-01/orders", "/auth/o2/token", "/documents/x", "/nothing"]
)
def test_every_answer_carries_the_simulated_time(simulator, amazon, path):
    simulator.advance(10 * 24 * 3600)
    earliest = parse_iso(simulator.now()).replace(microsecond=0)
    told = parsedate_to_datetime(amazon.get(path).headers["Date"])
    assert earliest <= told <= parse_iso(simulator.now())


def test_a_fault_carries_the_simulated_time_too(simulator, amazon):
    simulator.advance(10 * 24 * 3600)
    earliest = parse_iso(simulator.now()).replace(microsecond=0)
    simulator.fault("html_503", "getOrder")
    answer = amazon.get(f"/orders/2026-01-01/orders/{SHIPPED}")
    assert answer.status_code == 503
    assert earliest <= parsedate_to_datetime(answer.headers["Date"])


# === STATE === #


def test_reset_brings_back_the_start(simulator, amazon, run):
    run(REFUND, ONE_EURO)
    simulator.fault("throttle", "getOrder", times=None)
    order = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["orders"][0]
    simulator.add_order(order | {"id": "302-1234567-7654321"})
    simulator.reset()
    ledger = simulator.ledger()
    assert {name: rows for name, rows in ledger.items() if rows and any(rows)} == {
        "executed": dict.fromkeys(LISTS, 0)
    }
    added = amazon.get("/orders/2026-01-01/orders/302-1234567-7654321")
    assert added.status_code == 404
    assert amazon.order(SHIPPED)["orderId"] == SHIPPED
    simulator.reset(processing_seconds=60)
    assert run(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="39.95")) == (1, {})


def test_feed_ids_do_not_repeat_after_a_reset(simulator, amazon):
    first = amazon.submit(REFUND, ONE_EURO)
    simulator.reset()
    assert amazon.submit(REFUND, ONE_EURO) != first


def test_ledger_counts_every_call_by_operation(simulator, amazon):
    amazon.order(SHIPPED)
    amazon.order(SHIPPED)
    simulator.fault("cut_before", "getOrder")
    with pytest.raises(Exception, match="[Cc]onnection"):
        amazon.order(SHIPPED)
    amazon.submit(REFUND, ONE_EURO)
    assert simulator.ledger()["calls"] == {
        "token": 1,
        "getOrder": 3,
        "createFeedDocument": 1,
        "uploadDocument": 1,
        "createFeed": 1,
    }


def test_order_can_be_replaced(simulator, amazon):
    order = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["orders"][1]
    simulator.add_order(order | {"status": "shipped"})
    assert amazon.status(order["id"]) == "SHIPPED"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "1-2-3"}, "3-7-7"),
        ({"status": "sent"}, "status"),
        ({"marketplace": "XX"}, "marketplace"),
        ({"seller": "NOBODY"}, "NOBODY"),
        ({"purchased": "recently"}, "recently"),
        ({"colour": "red"}, "colour"),
        ({"items": [{"id": "1"}]}, "digits"),
        ({"items": [{"id": "111111111111111"}]}, "price"),
        ({"refunded": [{"when": "now", "items": {"9": {"Principal": 1}}}]}, "no item"),
    ],
)
def test_order_that_makes_no_sense_is_refused_and_changes_nothing(
    simulator, amazon, changes, words
):
    order = yaml.safe_load(DEMO.read_text(encoding="utf-8"))["orders"][0] | changes
    with pytest.raises(SimulatorFailed, match=words):
        simulator.add_order(order)
    assert amazon.order(SHIPPED)["orderItems"][0]["orderItemId"] == SHIPPED_ITEM


@pytest.mark.parametrize(
    ("kind", "operation", "options"),
    [
        ("explode", "getOrder", {}),
        ("throttle", "getOrders", {}),
        ("throttle", None, {}),
        ("throttle", "getOrder", {"times": 0}),
        ("throttle", "getOrder", {"skip": -1}),
        ("throttle", "getOrder", {"seconds": 1}),
        ("slow", "getOrder", {}),
        ("report_error", None, {}),
        ("fatal", "makeFeed", {}),
    ],
)
def test_fault_that_makes_no_sense_is_refused(simulator, kind, operation, options):
    with pytest.raises(SimulatorFailed):
        simulator.fault(kind, operation, **options)


@pytest.mark.parametrize(
    "settings",
    [
        {"clock_factor": 0},
        {"processing_seconds": -1},
        {"quotas": 1},
        {"finance_delay_seconds": "long"},
        {"speed": 1},
        {"fba_refunds": "yes"},
        {"rest_cancellation": True},
        {"mcf_step_seconds": -1},
        {"messages_per_type": 1.5},
    ],
)
def test_setting_that_makes_no_sense_is_refused(simulator, settings):
    with pytest.raises(SimulatorFailed, match=next(iter(settings))):
        simulator.reset(**settings)


def test_settings_change_while_everything_goes_on(simulator, amazon):
    feed_id = amazon.submit(REFUND, ONE_EURO)
    settings = simulator.change(fba_refunds=True, processing_seconds=1)
    assert settings["fba_refunds"] is True
    assert amazon.feed(feed_id)["feedId"] == feed_id
    second = amazon.submit(REFUND, ONE_EURO)
    simulator.advance(1)
    assert amazon.feed(second)["processingStatus"] == "DONE"
    simulator.reset()
    assert simulator.change()["fba_refunds"] is False


@pytest.mark.parametrize("name", ["clock_factor", "token_seconds", "quotas"])
def test_what_the_clock_depends_on_changes_with_a_reset_only(simulator, name):
    with pytest.raises(SimulatorFailed, match="only a reset"):
        simulator.change(**{name: 1})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "sent"}, "status"),
        ({"marketplace": "XX"}, "marketplace"),
        ({"colour": "red"}, "colour"),
        ({"speed": "Fast"}, "shippingSpeedCategory"),
        ({"address": {"name": "Max"}}, "addressLine1"),
        ({"items": [{"id": "1"}]}, "sku"),
        ({"id": "X" * 41}, "40"),
    ],
)
def test_fulfillment_order_that_makes_no_sense_is_refused(simulator, changes, words):
    (order,) = generate.fulfillment_orders(1)
    with pytest.raises(SimulatorFailed, match=words):
        simulator.add_fulfillment_order(order | changes)


@pytest.mark.parametrize(
    ("order_id", "kind", "details"),
    [
        ("SHOP-1001", "mcf_status", {"status": "lost"}),
        ("SHOP-9999", "mcf_status", {"status": "planning"}),
        (SHIPPED, "mcf_status", {"status": "planning"}),
        (SHIPPED, "message_types", {"types": ["love"]}),
        ("SHOP-1001", "ship", {}),
    ],
)
def test_incident_that_makes_no_sense_is_refused(simulator, order_id, kind, details):
    with pytest.raises(SimulatorFailed):
        simulator.happen(order_id, kind, **details)


def test_clock_does_not_go_back(simulator):
    with pytest.raises(SimulatorFailed):
        simulator.advance(-1)


def test_clock_runs_by_its_factor(simulator, amazon):
    simulator.reset(clock_factor=600, processing_seconds=60)
    feed_id = amazon.submit(REFUND, ONE_EURO)
    while amazon.feed(feed_id)["processingStatus"] != "DONE":
        pass
    assert len(simulator.ledger()["refunds"]) == 1


def test_two_hundred_feeds_at_once_are_each_executed_once(simulator, amazon):
    simulator.reset(quotas=False, processing_seconds=1)
    document_id = amazon.upload(
        amazon.envelope(REFUND, refund(SHIPPED, SHIPPED_ITEM, Principal="0.01"))
    )
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: amazon.create_feed(REFUND, document_id), range(200))
        )
    feed_ids = {answer.json()["feedId"] for answer in answers}
    assert len(feed_ids) == 200
    simulator.advance(1)
    rows = simulator.ledger()["refunds"]
    assert {row["feed_id"] for row in rows} == feed_ids
    assert len(rows) == 200


# === COMMAND LINE === #


def test_ready_line_names_the_address_and_a_stop_at_once_is_clean():
    process = SimulatorProcess()
    process.stop()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", process.url)
    assert process._process.returncode == 0


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_orders_file_may_be_yaml_or_json(tmp_path, suffix):
    seed = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    seed["orders"] = seed["orders"][:1]
    path = tmp_path / f"orders.{suffix}"
    path.write_text(json.dumps(seed) if suffix == "json" else yaml.safe_dump(seed))
    with SimulatorProcess(orders=path) as process:
        assert Amazon(process.url).order(SHIPPED)["orderId"] == SHIPPED


def test_switches_of_the_command_line_are_the_settings():
    options = {"rest_cancellation": "on", "fba_refunds": True, "mcf_step_seconds": 5}
    with SimulatorProcess(**options) as process:
        settings = process.change()
    assert {name: settings[name] for name in options} == options


def test_options_of_the_command_line_are_the_settings():
    with SimulatorProcess(no_quotas=True, processing_seconds=7) as process:
        amazon = Amazon(process.url)
        statuses = {amazon.get("/feeds/2021-06-30/feeds").status_code for _ in "x" * 20}
        assert statuses == {400}
        feed_id = amazon.submit(REFUND, ONE_EURO)
        process.advance(6)
        assert amazon.feed(feed_id)["processingStatus"] == "IN_PROGRESS"
        process.advance(1)
        assert amazon.feed(feed_id)["processingStatus"] == "DONE"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("orders: []", "no authorisation"),
        ("[]", "authorisations"),
        ("orders: [", "expected"),
    ],
)
def test_bad_orders_file_stops_the_start_with_a_sentence(tmp_path, content, words):
    path = tmp_path / "orders.yaml"
    path.write_text(content)
    status, message = start("--orders", str(path))
    assert status == 1
    assert message.startswith("The simulator cannot start: ")
    assert words in message and "Traceback" not in message


def test_missing_file_stops_the_start_with_a_sentence():
    status, message = start("--orders", "nowhere.yaml")
    assert status == 1 and "nowhere.yaml" in message and "Traceback" not in message


def test_taken_port_stops_the_start_with_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        status, message = start("--port", port)
    assert status == 1
    assert port in message and "Traceback" not in message


def test_sigterm_ends_it_cleanly():
    process = SimulatorProcess()
    Amazon(process.url).order(SHIPPED)
    process.stop()
    assert process._process.returncode == 0
