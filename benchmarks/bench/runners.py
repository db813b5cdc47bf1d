"""One host's job runner against two.

The same refunds, asked for in four marketplaces (four lanes), wait when Odoo starts;
timed is how long it takes until all are accepted. One host: four Odoo workers, two jobs
at a time. Two hosts: two such Odoos on one database, behind a balancer that gives them
the jobs in turn (queue_job elects one runner; it asks for each job over HTTP, and the
balancer's address is what it asks), four jobs at a time. Both with Amazon's real quotas
and with none, at the simulator and in the addon's own buckets. The simulator processes
feeds at once. All of it runs on this one machine, so the second host brings no
processor of its own.

The limit: with real quotas, the last two minutes that Amazon leaves out of its ranges,
and single orders at one in two seconds before that; with none, the processors.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time

from dev.ports import HOST, free_port

from . import measure
from .burst import count_states, wait_until_known
from .office import WORKERS, log_in, prefork

ACTIONS = 400
MARKETPLACES = ("DE", "FR", "GB", "ES")


def run(office) -> None:
    """Print how long each way takes."""
    count = measure.amount(ACTIONS)
    stack, inside, simulator, tickets = office.shop(count, marketplaces=MARKETPLACES)
    measure.note(f"asking for {count} refunds ...")
    inside.do("ask_for_refunds", tickets=tickets)
    inside.close()
    seconds: dict[tuple, float] = {}
    for quotas, hosts in itertools.product((False, True), (1, 2)):
        simulator.reset(quotas=quotas, processing_seconds=0)
        case = office.stack(f"_{'real' if quotas else 'off'}_{hosts}")
        office.workshop.databases.copy(stack.database, case.database)
        case.connect_to(simulator)
        if not quotas:
            lift_quotas(case)
        seconds[quotas, hosts] = settle(case, hosts)
        measure.note(
            f"quotas {quotas}, {hosts} host(s): {seconds[quotas, hosts]:.0f} s"
        )
        case.stop()
    for quotas, name in ((False, "no_quotas"), (True, "real_quotas")):
        measure.report(
            f"runners.{name}.two_hosts",
            count / seconds[quotas, 2],
            "actions/s",
            baseline=count / seconds[quotas, 1],
            n=count,
            seconds=[round(seconds[quotas, hosts], 1) for hosts in (1, 2)],
        )
    measure.report(
        "runners.one_host",
        seconds[True, 1],
        "s",
        baseline=seconds[False, 1],
        n=count,
        goal="limited by quotas, not by us: slower with real quotas than without",
        met=seconds[True, 1] > seconds[False, 1],
    )


def lift_quotas(stack) -> None:
    """Fill the addon's own buckets for ever."""
    stack.sql("DELETE FROM amazon_quota")
    stack.sql(
        """
        INSERT INTO amazon_quota
               (account_id, operation, tokens, refilled_at, rate, burst)
        SELECT account.id, operation, 1000000, now() AT TIME ZONE 'UTC', 1000, 1000000
          FROM amazon_seller_account AS account
         CROSS JOIN unnest(ARRAY['createFeed', 'createFeedDocument', 'getFeed',
                'getFeeds', 'getFeedDocument', 'getOrder', 'searchOrders',
                'listTransactions', 'listFinancialEventsByOrderId']) AS operation
        """
    )


def settle(stack, hosts: int) -> float:
    """Start Odoo on so many hosts; return the seconds until all is accepted."""
    ports = [free_port() for _host in range(hosts)]
    with Balancer(ports) as balancer:
        env = {
            "ODOO_QUEUE_JOB_HOST": HOST,
            "ODOO_QUEUE_JOB_PORT": str(balancer.port),
            "ODOO_QUEUE_JOB_CHANNELS": f"root:{2 * hosts}",
        }
        stack.sql("UPDATE queue_job SET eta = now() + interval '1 day'")
        for number, port in enumerate(ports):
            odoo = stack.start_odoo(port, *prefork(), env=env, leads=not number)
            for _worker in range(2 * WORKERS):
                # whoever serves a request loads the registry
                log_in(odoo.url, stack.database)
        # the start of Odoo is not what is measured
        started = time.monotonic()
        stack.sql("UPDATE queue_job SET eta = NULL")
        states = wait_until_known(stack, pause=1)
        seconds = time.monotonic() - started
    if set(states) - {"accepted", "confirmed"}:
        measure.note(f"not accepted: {count_states(stack)}")
    return seconds


class Balancer:
    """Hands each connection to the next of some ports. Use it as a context manager.

    :param ports: where the servers listen
    """

    def __init__(self, ports: list[int]):
        self._next = itertools.cycle(ports)
        self._server = socket.create_server((HOST, 0))
        self.port = self._server.getsockname()[1]

    def __enter__(self) -> Balancer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc_info) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._server.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, next(self._next)))
        except OSError:
            client.close()  # that host is not up yet: the runner asks again
            return
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what arrives until its end."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        target.close()
