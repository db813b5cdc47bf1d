"""TCP ports on the loopback address."""

from __future__ import annotations

import socket

from dev.console import Problem

HOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Say whether a server could listen on the port."""
    with socket.socket() as probe:
        # Without this, connections that closed a minute ago would count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def check_free(port: int, variable: str) -> None:
    """Refuse a port that another program has.

    :param variable: name of the setting by which another port can be chosen
    :raise Problem: when the port is taken
    """
    if not is_free(port):
        raise Problem(
            f"port {port} is taken by another program: stop that one, or choose "
            f"another port, for example {variable}={free_port()}."
        )
