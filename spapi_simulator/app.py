"""The WSGI application: from a request to its answer.

The way of every request: fault before, token, role, quota, model, handler, fault
after. Nothing is done to the state before the first of them that refuses.
"""

import json
import time
import uuid
from datetime import datetime, timezone
from functools import partial

from werkzeug.wrappers import Request, Response

from . import control, documents, faults, har, operations
from .api import HANDLERS, Call
from .errors import ApiError, invalid_input, not_found, unauthorized
from .sellers import TokenError

TOKEN_PATH = "/auth/o2/token"
MAX_USER_AGENT = 500


class Cut(Exception):
    """The connection is to be cut, after holding it for some real seconds."""

    def __init__(self, hold_seconds=0.0):
        super().__init__()
        self.hold_seconds = hold_seconds


class Application:
    """Serves one Simulator.

    :param Simulator simulator: the state
    :param connections: knows how to hold and cut the connection of a request
    :param HarFile recorder: where the traffic is recorded, or None
    :param hosts: accepted values of the Host header, None for any
    """

    def __init__(self, simulator, connections, recorder=None, hosts=None):
        self.simulator = simulator
        self.connections = connections
        self.recorder = recorder
        self.hosts = hosts

    def __call__(self, environ, start_response):
        """Answer one request (WSGI)."""
        request = Request(environ)
        # Read it all: the connection is kept and must be free of this body.
        body = request.get_data(cache=True)
        if request.path.startswith(control.PREFIX):
            response = self._dated(self._control(request, body))
            return response(environ, start_response)
        started, clock = datetime.now(timezone.utc), time.monotonic()
        response, cut, note = self._exchange(request, body)
        if response:
            self._dated(response)
        if cut:
            self.connections.hold(environ, cut.hold_seconds)
        if self.recorder:
            seconds = time.monotonic() - clock
            seen = None if cut else response
            row = har.entry(request, body, seen, started, seconds, note)
            self.recorder.add(row)
        if cut:
            self.connections.cut(environ)
        return response(environ, start_response)

    def _dated(self, response):
        """Put the simulated time on an answer; a client may go by Amazon's clock."""
        response.date = self.simulator.clock.now()
        return response

    def _exchange(self, request, body):
        """Return (response, Cut or None, what was done to the request)."""
        name, serve = self._route(request, body)
        with self.simulator.lock:
            self.simulator.settle()
            self.simulator.calls[name] += 1
            fault = self.simulator.faults.for_request(name)
        kind = fault.kind if fault else ""
        note = f"fault {kind}" if fault else ""
        seconds = fault.options.get("seconds") if fault else None
        hold = faults.DEFAULT_HOLD_SECONDS if seconds is None else seconds
        if kind in ("timeout_before", "cut_before"):
            return None, Cut(hold if kind == "timeout_before" else 0.0), note
        refusal = faults.refusal(fault)
        if refusal:
            return _response(*refusal), None, note
        if kind == "slow":
            time.sleep(seconds)
        response = serve()
        if kind in ("timeout_after", "cut_after"):
            return response, Cut(hold if kind == "timeout_after" else 0.0), note
        return response, None, note

    def _route(self, request, body):
        """Return the name of the operation and a function that answers it."""
        if request.path == TOKEN_PATH:
            return operations.TOKEN, partial(self._token, request, body)
        if request.path.startswith(documents.PREFIX):
            upload = request.method == "PUT"
            name = operations.UPLOAD if upload else operations.DOWNLOAD
            return name, partial(self._document, request)
        operation, path = operations.find(request.method, request.path)
        name = operation.name if operation else "unknown"
        return name, partial(self._api, request, body, operation, path)

    # === TOKEN AND DOCUMENTS === #

    def _token(self, request, body):
        try:
            if request.method != "POST" or request.mimetype != (
                "application/x-www-form-urlencoded"
            ):
                raise TokenError(400, "invalid_request", "Malformed request")
            with self.simulator.lock:
                sellers = list(self.simulator.sellers.values())
                answer = self.simulator.tokens.grant(request.form, sellers)
        except TokenError as error:
            return _response(error.status, "application/json", error.body())
        response = _response(200, "application/json", answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    def _document(self, request):
        with self.simulator.lock:
            self.simulator.settle()
            return documents.serve(self.simulator, request)

    # === SELLING PARTNER API === #

    def _api(self, request, body, operation, path):
        request_id = str(uuid.uuid4())
        headers = {"x-amzn-RequestId": request_id}
        media_type = operation.produces if operation else "application/json"
        try:
            self._check_host(request)
            if operation is None:
                raise not_found(f"There is no {request.method} {request.path}.")
            with self.simulator.lock:
                self.simulator.settle()
                seller = self._admit(request, operation)
                # Told from here on: not with 401, 403 and 429 (usage plans guide).
                rate = self.simulator.quotas.told_rate(operation)
                headers["x-amzn-RateLimit-Limit"] = f"{rate:.6g}"
                call = Call(
                    seller=seller,
                    path=path,
                    query=operation.read_query(request.args),
                    body=body,
                    content_type=request.content_type or "",
                    base_url=request.host_url.rstrip("/"),
                    request_id=request_id,
                )
                status, answer = HANDLERS[operation.name](self.simulator, call)
        except ApiError as error:
            status, answer = error.status, error.body()
            if status == 403:
                headers.pop("x-amzn-RateLimit-Limit", None)
        return _response(status, media_type, answer, headers)

    def _check_host(self, request):
        """Refuse a request that was not addressed to this server.

        Amazon's front would not route it; a client with a broken Host header would
        go unnoticed here.
        """
        if self.hosts and request.headers.get("Host") not in self.hosts:
            raise invalid_input("The Host header does not name this server.")

    def _admit(self, request, operation):
        """Return the seller of the token, if role and quota allow the call."""
        agent = request.headers.get("User-Agent", "")
        if not agent or len(agent) > MAX_USER_AGENT:
            raise invalid_input("The User-Agent header is missing or too long.")
        token = request.headers.get("x-amz-access-token")
        holder = self.simulator.tokens.holder(token)
        seller = self.simulator.sellers.get(holder.seller_id)
        if seller is None:
            raise unauthorized("The seller revoked the authorization.")
        if not seller.may_use(operation.area):
            raise unauthorized(
                "The application does not have the role that the operation needs."
            )
        self.simulator.quotas.take(seller.client_id, seller.seller_id, operation)
        return seller

    # === CONTROL === #

    def _control(self, request, body):
        with self.simulator.lock:
            self.simulator.settle()
            try:
                answer = control.serve(
                    self.simulator, request.method, request.path, body
                )
                return _response(200, "application/json", answer)
            except control.ControlError as error:
                return _response(
                    error.status, "application/json", {"error": str(error)}
                )


def _response(status, content_type, body, headers=None):
    if body is None:
        return Response(status=status, headers=headers or {})
    data = json.dumps(body) if isinstance(body, dict) else body
    return Response(
        data, status=status, content_type=content_type, headers=headers or {}
    )
