"""A tiny HTTP server that answers as a test says and remembers every request."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

TOKEN_PATH = "/auth/o2/token"
HANG_SECONDS = 10


class Request:
    """One request as it arrived."""

    def __init__(self, method, target, headers, body):
        parts = urlsplit(target)
        self.method = method
        self.target = target
        self.path = parts.path
        self.query = parse_qs(parts.query, keep_blank_values=True)
        self.headers = headers
        self.body = body

    @property
    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self):
        """The body as a form, one value for each name."""
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


class Answer:
    """What to answer.

    :param body: dict or list (as JSON), str or bytes
    :param str fault: ``cut`` (close without an answer), ``reset`` (the same, rudely),
        ``hang`` (answer far too late: a caller without a timeout is seen to succeed),
        ``half`` (close in the middle of the body), ``trickle`` (a byte at a time)
    """

    def __init__(self, status=200, body=None, headers=None, fault=None):
        self.status = status
        self.headers = dict(headers or {})
        self.fault = fault
        if isinstance(body, dict | list):
            self.headers.setdefault("Content-Type", "application/json")
            body = json.dumps(body)
        self.body = body.encode() if isinstance(body, str) else body or b""


#: Far too late, what every operation and the token service would take for a success.
LATE = Answer(
    200,
    {
        "feedId": "77",
        "processingStatus": "DONE",
        "order": {"orderId": "302-1234567-1234567"},
        "access_token": "Atza|late",
        "expires_in": 3600,
    },
    fault="hang",
)


def html(status):
    """What a proxy before Amazon answers."""
    page = "<html><body><h1>Service Unavailable</h1></body></html>"
    return Answer(status, page, {"Content-Type": "text/html"})


def error(status, code, message="Amazon said no.", details="", headers=None):
    """What Amazon answers."""
    entry = {"code": code, "message": message, "details": details}
    return Answer(status, {"errors": [entry]}, headers)


def token(access_token="Atza|first", expires_in=3600):
    """What the token service answers."""
    return Answer(
        200,
        {
            "access_token": access_token,
            "token_type": "bearer",
            "expires_in": expires_in,
            "refresh_token": "Atzr|given-back",
        },
    )


class FakeAmazon:
    """The server; `script` says what it answers.

    An answer is an `Answer`, a function of the `Request` that returns one, or a list of
    them to be given one after the other, the last one again and again.
    """

    def __init__(self):
        self.requests = []
        #: Answers with the fault ``trickle`` of which the caller waited for the end.
        self.trickled_to_the_end = 0
        self._answers = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def _handle(self):
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, self.path, self.headers, self.rfile.read(length)
                )
                outer._serve(self, request)

            do_GET = do_POST = do_PUT = do_DELETE = _handle

            def log_message(self, *args):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.netloc}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.script("POST", TOKEN_PATH, token())

    def script(self, method, path, *answers):
        """Answer `method` on `path` with `answers`, one after the other."""
        self._answers[method, path] = list(answers)

    def calls(self, method=None, path=None):
        """The requests that came, without those for tokens unless asked for."""
        return [
            request
            for request in self.requests
            if (request.path == path if path else request.path != TOKEN_PATH)
            and (method is None or request.method == method)
        ]

    @property
    def token_calls(self):
        """The requests that came to the token service."""
        return self.calls("POST", TOKEN_PATH)

    def stop(self):
        """Stop serving."""
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get((request.method, request.path))
            if not answers:
                return error(404, "NotFound", "No such thing.")
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(request) if callable(answer) else answer

    def _serve(self, handler, request):
        answer = self._next(request)
        if answer.fault == "hang":
            self._stopping.wait(HANG_SECONDS)
        if answer.fault == "cut":
            handler.close_connection = True
            return
        if answer.fault == "reset":
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.connection.close()
            handler.close_connection = True
            return
        handler.send_response_only(answer.status)
        if "Date" not in answer.headers:
            handler.send_header("Date", handler.date_time_string())
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.status != 204 and "Transfer-Encoding" not in answer.headers:
            handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        body = answer.body
        if answer.fault == "half":
            body = body[: len(body) // 2]
            handler.close_connection = True
        if answer.fault == "trickle":
            self._trickle(handler, body)
            return
        handler.wfile.write(body)

    def _trickle(self, handler, body):
        handler.close_connection = True
        for position in range(len(body)):
            if self._stopping.wait(0.05):
                return
            if position == len(body) - 1:
                self.trickled_to_the_end += 1
            handler.wfile.write(body[position : position + 1])
            handler.wfile.flush()
