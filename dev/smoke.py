"""``make smoke``: one refund and one cancellation in a real browser, and what they left
in the journal and at Amazon's stand-in."""

from __future__ import annotations

import json
import shutil
import urllib.request
import xmlrpc.client
from collections.abc import Mapping, Sequence
from typing import Any

from dev.browser import find_browser, provide_driver_library
from dev.console import Problem, say, step
from dev.demo import CANCEL_ORDER, REFUND_ORDER
from dev.processes import run
from dev.settings import Settings
from dev.stack import Service, Stack, Workshop, prepared

DATABASE = "amazon_helpdesk_smoke"

#: All that the buyer paid for it, in EUR (spapi_simulator/demo_orders.yaml).
REFUND_AMOUNT = "44.94"

#: Of the demo's seller account: they may not show up in what the smoke leaves behind.
SECRETS = ("demo-secret", "Atzr|demo-refresh-token")

#: States in which Amazon has said yes.
GOOD = ("accepted", "confirmed")


def smoke(settings: Settings) -> int:
    """Run the smoke; its last line is one JSON object.

    :raise Problem: when something cannot be started or is not as it should be
    """
    browser = find_browser(settings)
    provide_driver_library(settings)
    artifacts = settings.artifacts / "smoke"
    shutil.rmtree(artifacts, ignore_errors=True)
    artifacts.mkdir(parents=True)
    har = artifacts / "traffic.har"
    with prepared(settings, tests=True) as workshop:
        with workshop.stack(DATABASE) as stack:
            with step("Start: simulator of Amazon and Odoo"):
                simulator = stack.start_simulator(0, "--har", str(har))
                stack.connect_to(simulator)
                odoo = stack.start_odoo()
            with step("Browser: refund one order and cancel another"):
                seen = _drive(workshop, browser, odoo)
            with step("Check: ledger of the simulator and journal"):
                ledger = _get(f"{simulator.url}/_simulator/ledger")
                complaints = check_outcomes(seen)
                complaints += check_ledger(ledger)
                complaints += check_journal(_journal(stack, odoo), ledger)
    complaints += check_har(har.read_text())
    if complaints:
        raise Problem(f"the smoke found: {' '.join(complaints)} Look into {artifacts}.")
    say(json.dumps(summary(seen, str(artifacts.relative_to(settings.root)))))
    return 0


def _drive(
    workshop: Workshop, browser: str, odoo: Service
) -> Mapping[str, Mapping[str, Any]]:
    """Run ``dev.smoke_browser`` in the environment that has Playwright."""
    artifacts = workshop.settings.artifacts / "smoke"
    report = artifacts / "seen.json"
    command = [workshop.venv.python, "-m", "dev.smoke_browser"]
    command += ["--url", odoo.url, "--browser", browser, "--report", report]
    command += ["--refund", REFUND_ORDER, "--cancel", CANCEL_ORDER]
    run(
        command,
        log=workshop.settings.logs / DATABASE / "browser.log",
        otherwise=f"the browser did not get through: what it saw is in {artifacts}",
        cwd=workshop.settings.root,
        env=workshop.odoo.environment(),
    )
    return json.loads(report.read_text())


def _get(url: str) -> Any:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=30) as response:
        return json.load(response)


def _journal(stack: Stack, odoo: Service) -> list[dict[str, Any]]:
    """Read the journal over RPC as the demo's auditor, who may read it."""
    login = password = "auditor"  # noqa: S105 - of the demo
    common = xmlrpc.client.ServerProxy(f"{odoo.url}/xmlrpc/2/common")
    uid = common.authenticate(stack.database, login, password, {})
    models = xmlrpc.client.ServerProxy(f"{odoo.url}/xmlrpc/2/object", allow_none=True)
    return models.execute_kw(
        stack.database,
        uid,
        password,
        "amazon.audit.entry",
        "search_read",
        [[("amazon_order_ref", "in", [REFUND_ORDER, CANCEL_ORDER])]],
        {
            "fields": [
                "amazon_order_ref",
                "user_id",
                "event",
                "action_kind",
                "state_from",
                "state_to",
                "payload_digest",
            ],
            "order": "id",
        },
    )


def check_outcomes(seen: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Say what the agent saw that is not a success."""
    return [
        f"The {kind} ended as {action['outcome']}."
        for kind, action in seen.items()
        if action["outcome"] not in GOOD
    ]


def check_ledger(ledger: Mapping[str, Any]) -> list[str]:
    """Say what was executed at Amazon other than exactly the two things asked for."""
    refunds = [(row["order_id"], row["amount"]) for row in ledger["refunds"]]
    cancellations = [row["order_id"] for row in ledger["cancellations"]]
    complaints = []
    if refunds != [(REFUND_ORDER, REFUND_AMOUNT)]:
        complaints.append(f"The ledger has the refunds {refunds}.")
    if cancellations != [CANCEL_ORDER]:
        complaints.append(f"The ledger has the cancellations {cancellations}.")
    if len(ledger["feeds"]) != 2:
        complaints.append(f"The ledger has {len(ledger['feeds'])} feeds, not 2.")
    return complaints


def check_journal(
    entries: Sequence[Mapping[str, Any]], ledger: Mapping[str, Any]
) -> list[str]:
    """Say what the journal lacks: who asked, each step up to Amazon's answer, and the
    digest of exactly the envelope that Amazon got."""
    sent = {row["input_digest"] for row in ledger["feeds"]}
    complaints = []
    for ref in (REFUND_ORDER, CANCEL_ORDER):
        own = [entry for entry in entries if entry["amazon_order_ref"] == ref]
        asked = [entry["user_id"][1] for entry in own if entry["event"] == "asked"]
        states = [entry["state_to"] for entry in own if entry["state_to"]]
        digests = {entry["payload_digest"] for entry in own} - {False}
        if asked != ["Anna Agent"]:
            complaints.append(f"The journal says {asked} asked for {ref}.")
        missing = {"queued", "sending", "submitted", "accepted"} - set(states)
        if missing:
            complaints.append(f"The journal lacks {sorted(missing)} for {ref}.")
        if len(digests) != 1 or not digests <= sent:
            complaints.append(
                f"The journal has another envelope than Amazon for {ref}."
            )
    return complaints


def check_har(text: str) -> list[str]:
    """Say when the recorded traffic is empty or holds a secret."""
    complaints = [f"traffic.har holds {s!r}." for s in SECRETS if s in text]
    if not json.loads(text)["log"]["entries"]:
        complaints.append("traffic.har has no entries.")
    return complaints


def summary(seen: Mapping[str, Mapping[str, Any]], artifacts: str) -> dict[str, Any]:
    """Return the last line: outcomes, and the slower of both in seconds."""

    def slowest(name: str) -> float:
        return round(max(action[name] for action in seen.values()), 2)

    return {
        "refund": seen["refund"]["outcome"],
        "cancel": seen["cancel"]["outcome"],
        "seconds_click_to_return": slowest("seconds_to_return"),
        "seconds_click_to_outcome": slowest("seconds_to_outcome"),
        "artifacts": artifacts,
    }
