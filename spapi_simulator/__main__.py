"""Command line of the simulator: `python -m spapi_simulator`."""

import argparse
import json
import signal
import sys
from pathlib import Path

import yaml

from . import state
from .errors import SeedError
from .server import SimulatorServer
from .simulator import REST_CANCELLATION, Settings, Simulator

DEMO_ORDERS = Path(__file__).with_name("demo_orders.yaml")


def main(arguments=None):
    """Run the simulator until SIGTERM or Ctrl-C.

    :return: exit status
    """
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _run(options)
    except KeyboardInterrupt:
        return 0


def _run(options):
    try:
        simulator = (options.state and state.load(options.state)) or Simulator(
            _read_seed(options.orders), _settings(options)
        )
        server = SimulatorServer(simulator, options.host, options.port, options.har)
    except (SeedError, ValueError, OSError, yaml.YAMLError) as error:
        print(f"The simulator cannot start: {error}", file=sys.stderr)
        return 1
    print(f"simulator ready on http://{options.host}:{server.port}", flush=True)
    try:
        server.serve()
    finally:
        if options.state:
            state.save(simulator, options.state)
    return 0


def _stop(signum, frame):
    raise KeyboardInterrupt


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="spapi_simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=8090, help="port to listen on, 0 for a free one")
    add("--orders", type=Path, default=DEMO_ORDERS, help="orders file (YAML or JSON)")
    add(
        "--clock-factor",
        type=float,
        default=Settings.clock_factor,
        help="simulated seconds per real second",
    )
    add(
        "--processing-seconds",
        type=float,
        default=Settings.processing_seconds,
        help="simulated seconds from createFeed to DONE",
    )
    add(
        "--finance-delay-seconds",
        type=float,
        default=Settings.finance_delay_seconds,
        help="simulated seconds until the finances show a refund",
    )
    add(
        "--token-seconds",
        type=float,
        default=Settings.token_seconds,
        help="simulated seconds that an access token lives",
    )
    add(
        "--mcf-step-seconds",
        type=float,
        default=Settings.mcf_step_seconds,
        help="simulated seconds that a fulfillment order stays in each status,"
        " 0: for ever",
    )
    add(
        "--rest-cancellation",
        choices=REST_CANCELLATION,
        default=Settings.rest_cancellation,
        help="whether cancelOrder exists",
    )
    add("--fba-refunds", action="store_true", help="take refunds of FBA orders")
    add("--har", type=Path, help="record the traffic in this file (HAR 1.2)")
    add("--state", type=Path, help="keep all that is known in this file when stopped")
    add("--no-quotas", action="store_true", help="never answer 429 by quota")
    return parser.parse_args(arguments)


def _settings(options):
    return Settings().changed(
        {
            "clock_factor": options.clock_factor,
            "processing_seconds": options.processing_seconds,
            "finance_delay_seconds": options.finance_delay_seconds,
            "token_seconds": options.token_seconds,
            "quotas": not options.no_quotas,
            "mcf_step_seconds": options.mcf_step_seconds,
            "rest_cancellation": options.rest_cancellation,
            "fba_refunds": options.fba_refunds,
        }
    )


def _read_seed(path):
    with open(path, encoding="utf-8") as file:
        if path.suffix == ".json":
            return json.load(file)  # much faster, for thousands of orders
        return yaml.safe_load(file)


if __name__ == "__main__":
    sys.exit(main())
