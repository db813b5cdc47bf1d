"""Runs the simulator as a process of its own, for other test suites.

Only the standard library is used here.
"""

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path

START_TIMEOUT = 30.0
STOP_TIMEOUT = 10.0
# The simulator answers nobody else while it reads them.
_ORDERS_PER_REQUEST = 1000
_READY = "simulator ready on "


class SimulatorFailed(Exception):
    """The simulator did not start, or refused a control request."""


class SimulatorProcess:
    """The simulator on a free port. Use it as a context manager.

    :param options: command line options, e.g. `clock_factor=60`, `no_quotas=True`,
        `har="traffic.har"`
    :raise SimulatorFailed: when it does not start
    """

    # What the demo seed accepts
    CLIENT_ID = "amzn1.application-oa2-client.demo"
    CLIENT_SECRET = "demo-secret"
    REFRESH_TOKEN = "Atzr|demo-refresh-token"
    SELLER_ID = "ADEMOSELLER01"

    def __init__(self, python=sys.executable, **options):
        command = [python, "-u", "-m", "spapi_simulator", "--port", "0"]
        for name, value in options.items():
            flag = f"--{name.replace('_', '-')}"
            if value is True:
                command.append(flag)
            elif value is not None and value is not False:
                command += [flag, str(value)]
        root = str(Path(__file__).resolve().parent.parent)
        paths = [root, os.environ.get("PYTHONPATH", "")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True
        )
        self.url = self._wait_until_ready()

    def _wait_until_ready(self):
        timer = threading.Timer(START_TIMEOUT, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not line.startswith(_READY):
            self.stop()
            raise SimulatorFailed("The simulator did not start; see its messages.")
        return line.removeprefix(_READY).strip()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.stop()

    @property
    def pid(self):
        """Process id, for measurements."""
        return self._process.pid

    def stop(self):
        """Stop it and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ledger(self):
        """Return what was really executed, see README."""
        return self._control("GET", "ledger")

    def fault(self, kind, operation=None, **options):
        """Switch a fault on, e.g. `fault("throttle", "createFeed", times=2)`."""
        body = {"kind": kind, **options}
        if operation:
            body["operation"] = operation
        return self._control("POST", "faults", body)

    def clear_faults(self):
        """Switch every fault off."""
        self._control("DELETE", "faults")

    def reset(self, **settings):
        """Go back to the state at the start, with these settings changed."""
        self._control("POST", "reset", settings)

    def change(self, **settings):
        """Change settings while everything goes on, e.g. `fba_refunds=True`.

        :return: all settings
        """
        return self._control("POST", "settings", settings)

    def advance(self, seconds):
        """Move the simulated clock forward.

        :param float seconds: simulated seconds
        """
        self._control("POST", "clock", {"advance_seconds": seconds})

    def now(self):
        """Return the simulated time (ISO 8601)."""
        return self._control("GET", "clock")["now"]

    def add_order(self, order):
        """Add or replace an order, shaped as in the orders file."""
        self._control("POST", "orders", {"orders": [order]})

    def add_orders(self, orders):
        """Add or replace many orders, e.g. those of `generate.orders`."""
        for start in range(0, len(orders), _ORDERS_PER_REQUEST):
            part = orders[start : start + _ORDERS_PER_REQUEST]
            self._control("POST", "orders", {"orders": part})

    def happen(self, order_id, kind, **details):
        """Let something happen to an order outside of the API, see `incidents`.

        E.g. `happen("302-…", "refund", items={"1476…": {"Principal": 5}})`, `"ship"`,
        `"cancel"`, `"cancel_request"`, `"claim"`, `"chargeback"`, `"message_types"`;
        of a fulfillment order `"mcf_status"`, e.g.
        `happen("SHOP-1001", "mcf_status", status="PROCESSING")`.
        """
        body = {"order_id": order_id, "kind": kind, **details}
        self._control("POST", "incidents", body)

    def foreign_feed(self, **options):
        """Let another program of the same seller send a feed, see README.

        E.g. `foreign_feed(feed_type="POST_PAYMENT_ADJUSTMENT_DATA",
        marketplace_ids=["A1PA6795UKMFR9"], messages=2, outcome="done")`.

        :return: Amazon's id of the feed
        """
        return self._control("POST", "foreign_feeds", options)["feed_id"]

    def add_fulfillment_order(self, order):
        """Add or replace a fulfillment order, shaped as in the orders file."""
        self.add_fulfillment_orders([order])

    def add_fulfillment_orders(self, orders):
        """Add or replace many, e.g. those of `generate.fulfillment_orders`."""
        self._control("POST", "orders", {"fulfillment_orders": orders})

    def add_authorisation(self, authorisation):
        """Add or replace a seller authorisation, shaped as in the orders file."""
        self._control("POST", "orders", {"authorisations": [authorisation]})

    def _control(self, method, name, body=None):
        # the address of the process that was started here
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/_simulator/{name}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            message = json.load(error)["error"]
            raise SimulatorFailed(f"{method} {name}: {message}") from error
