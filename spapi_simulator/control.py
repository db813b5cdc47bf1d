"""The control endpoints below /_simulator: for tests, not part of Amazon's API."""

import json
from dataclasses import asdict

from . import foreign
from .clock import iso
from .errors import SeedError
from .faults import Fault
from .incidents import happen
from .simulator import SEED_KEYS

PREFIX = "/_simulator/"


class ControlError(Exception):
    """A control request that cannot be done, with the HTTP status and a sentence."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


def serve(simulator, method, path, body):
    """Answer a control request.

    :param Simulator simulator: locked and settled
    :return: the JSON answer
    :raise ControlError: with a sentence for the caller
    """
    name = path.removeprefix(PREFIX)
    handler = _ROUTES.get((method, name))
    if handler is None:
        known = ", ".join(f"{verb} {PREFIX}{tail}" for verb, tail in _ROUTES)
        raise ControlError(f"No such control; there are {known}.", status=404)
    try:
        data = json.loads(body) if body else {}
        if not isinstance(data, dict):
            raise ValueError("The body is not a JSON object.")
        return handler(simulator, data)
    except (ValueError, SeedError) as error:
        raise ControlError(str(error)) from error


def _ledger(simulator, data):
    return simulator.ledger_json()


def _list_faults(simulator, data):
    return {"faults": [fault.to_json() for fault in simulator.faults.rules]}


def _add_fault(simulator, data):
    fault = Fault.from_json(data)
    simulator.faults.add(fault)
    return fault.to_json()


def _clear_faults(simulator, data):
    simulator.faults.clear()
    return {}


def _reset(simulator, data):
    simulator.reset(data)
    return {}


def _settings(simulator, data):
    simulator.change(data)
    return asdict(simulator.settings)


def _orders(simulator, data):
    """Add or replace; a single order may stand alone as the body."""
    seed = data if set(data) & SEED_KEYS else {"orders": [data]}
    return {"orders": simulator.load(seed)}


def _happen(simulator, data):
    missing = {"order_id", "kind"} - set(data)
    if missing:
        raise ValueError(f"{', '.join(sorted(missing))} is missing.")
    happen(simulator, **data)
    return {}


def _foreign_feed(simulator, data):
    return {"feed_id": foreign.send(simulator, data).id}


def _clock(simulator, data):
    return {"now": iso(simulator.clock.now(), milliseconds=True)}


def _advance(simulator, data):
    seconds = data.get("advance_seconds")
    if not isinstance(seconds, int | float) or set(data) != {"advance_seconds"}:
        raise ValueError('Expected {"advance_seconds": number}.')
    simulator.clock.advance(seconds)
    simulator.settle()
    return _clock(simulator, data)


_ROUTES = {
    ("GET", "ledger"): _ledger,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("POST", "settings"): _settings,
    ("POST", "orders"): _orders,
    ("POST", "incidents"): _happen,
    ("POST", "foreign_feeds"): _foreign_feed,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _advance,
}
