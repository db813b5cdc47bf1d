"""The HTTP server, and how a connection is held and cut for the faults."""

import os
import select
import socket
import struct
import time

from werkzeug.serving import WSGIRequestHandler, make_server

from .app import Application
from .har import HarFile

# SO_LINGER on, zero seconds: closing sends a reset instead of a proper end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_POLL_SECONDS = 0.05


class CutConnection(ConnectionError):
    """Ends the handling of a request whose connection was cut on purpose."""


class Handler(WSGIRequestHandler):
    """Serves without a log (URLs carry signatures) and accepts cut connections."""

    def log(self, *args, **kwargs):
        """Write nothing: presigned URLs and tokens must not get into a log."""

    def send_response(self, code, message=None):
        """Begin an answer, without the real date: the application tells its own."""
        self.send_response_only(code, message)
        self.send_header("Server", self.version_string())

    def connection_dropped(self, error, environ=None):
        """Stop serving this connection."""
        self.close_connection = True


class Connections:
    """Holds and cuts the connections of Werkzeug's server."""

    def hold(self, environ, seconds):
        """Keep the client waiting, until it goes away.

        :param float seconds: real seconds, at most
        """
        connection = environ["werkzeug.socket"]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                readable, _, _ = select.select([connection], [], [], _POLL_SECONDS)
                if readable and not connection.recv(1, socket.MSG_PEEK):
                    return
            except OSError:
                return
            if readable:
                time.sleep(_POLL_SECONDS)

    def cut(self, environ):
        """Reset the connection: the client gets no byte of an answer.

        :raise CutConnection: always, to end the handling of the request
        """
        connection = environ["werkzeug.socket"]
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            # The handler's files keep the socket open; the descriptor is closed
            # under them.
            os.close(connection.detach())
        except OSError:
            pass  # the client was faster
        raise CutConnection("cut on purpose")


class SimulatorServer:
    """A Simulator behind an HTTP server.

    :param Simulator simulator: the state
    :param str host: address to listen on
    :param int port: port to listen on, 0 for a free one
    :param har_path: file to record the traffic in, or None
    """

    def __init__(self, simulator, host="127.0.0.1", port=0, har_path=None):
        self.simulator = simulator
        self._recorder = HarFile(har_path) if har_path else None
        self._application = Application(simulator, Connections(), self._recorder)
        self._server = make_server(
            host, port, self._application, threaded=True, request_handler=Handler
        )
        self._server.daemon_threads = True
        self.port = self._server.server_port
        if host not in ("0.0.0.0", "::"):  # noqa: S104 - compares
            names = {host, "127.0.0.1", "localhost"}
            self._application.hosts = {f"{name}:{self.port}" for name in names}

    def serve(self):
        """Serve until somebody interrupts."""
        try:
            self._server.serve_forever()
        finally:
            self._server.server_close()
            if self._recorder:
                self._recorder.close()
