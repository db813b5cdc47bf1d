"""Send one request to Amazon and say exactly what is known afterwards."""

import functools
import json
import logging
import math
import platform
import re
import threading
import time
from datetime import date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import httpx

from .errors import (
    ACCESS_TOKEN_REJECTED,
    NotSent,
    OutcomeUnknown,
    Refused,
    SpApiError,
    Throttled,
)
from .operations import operation_for
from .packed import Damaged, TooBig, unpack
from .redact import LOGGERS, protect, redact
from .strict_json import loads
from .texts import fit

_logger = logging.getLogger(__name__)
protect(__name__, *LOGGERS)

#: Amazon asks for a User-Agent of at most 500 characters (Developer Guide, "Include a
#: User-Agent header in all requests").
USER_AGENT = f"amazon_order_actions/19.0 (Language=Python/{platform.python_version()})"

#: The Messaging model produces the second, all others the first.
ACCEPT = "application/json, application/hal+json"

CONNECT_TIMEOUT = 10.0  # seconds
READ_TIMEOUT = 30.0  # seconds, between two pieces of an answer
MAX_ANSWER_BYTES = 20 * 1024 * 1024
MAX_MESSAGE = 1000  # characters of Amazon's text that are kept
MAX_REQUEST_ID = 100  # characters; it is a UUID
MAX_TOKEN = 8192  # characters; Amazon's have 2,048 at most (LWA documentation)

#: Asked for, so that an answer is packed once or not at all: packed in itself, it would
#: unpack to a thousand times a thousand times its size.
ACCEPT_ENCODING = "gzip"

#: Seconds an access token must still be valid: for a request that may be repeated, and
#: for one that may not, which should not be refused for its age on the way.
TOKEN_VALIDITY_TO_READ = 60
TOKEN_VALIDITY_TO_WRITE = 300

#: Seconds to wait when the token service itself throttles; Amazon names no rate.
TOKEN_THROTTLED_WAIT = 30.0

#: Bounds of the wait after a 429, in seconds: the header could hold anything.
MIN_WAIT, MAX_WAIT = 1.0, 900.0

#: What Amazon can mean where it tells another rate than that of the plan: at least a
#: part of the plan's, and at most so many calls a second. Amazon grants more to some
#: sellers; how much, it does not tell, so this is assumed.
LOWEST_OF_PLAN, MOST_PER_SECOND = 1 / 100, 1000.0

#: Failures of httpx that are over before the first byte of the request has left:
#: name resolution, refused connections, TLS, proxies and waiting for a connection.
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

#: 408 and 499 speak of a request that was cut on its way; the rest of 4xx is a no.
_AMBIGUOUS_4XX = frozenset({408, 499})

#: "The access token you provided has expired." or "... is revoked, malformed or
#: invalid", in `details` of a 401 or 403 whose code is the general `Unauthorized`.
_TOKEN_TROUBLE = re.compile(
    r"(?i)access token.{0,40}(expired|revoked|malformed|invalid)"
    r"|(expired|invalid|malformed)[ _]?(access[ _]?)?token"
)


class MemoryTokenStore:
    """Keeps one access token in memory, for one `SellerClient`.

    Any object with these three methods can take its place, such as one that keeps the
    token in the row of the account. ``expires_at`` is a time in seconds since 1970
    (UTC), as `time.time` gives it.
    """

    def __init__(self):
        self._token = None

    def load(self):
        """Return ``(access_token, expires_at)``, or None when there is none."""
        return self._token

    def save(self, access_token, expires_at):
        """Keep an access token and the time of its expiry."""
        self._token = (access_token, expires_at)

    def clear(self):
        """Forget the access token: Amazon does not accept it any more."""
        self._token = None


@functools.cache
def _tls_context(trust_env):
    """Return what checks certificates, made once: reading the authorities takes longer
    than a request to Amazon.

    :param bool trust_env: whether the machine's own settings count
    """
    return httpx.create_ssl_context(trust_env=trust_env)


class AmazonClock:
    """Amazon's time: that of its last answer, and what has passed here since.

    Never ahead of Amazon's clock, but behind it by the way of the answer and by up to
    a second, which the ``Date`` header does not tell.
    """

    def __init__(self):
        self._seen = None

    def see(self, headers):
        """Note the time of an answer, if it tells one (RFC 9110, ``Date``)."""
        try:
            moment = parsedate_to_datetime(headers.get("date", ""))
            if moment.tzinfo is None:  # "-0000": in UTC, says RFC 5322
                moment = moment.replace(tzinfo=timezone.utc)
            moment = moment.astimezone(timezone.utc)
        except (ValueError, OverflowError):
            return
        self._seen = moment, time.monotonic()

    def now(self):
        """Return Amazon's time, aware and in UTC; None before any answer."""
        if self._seen is None:
            return None
        moment, since = self._seen
        return moment + timedelta(seconds=time.monotonic() - since)


def request_id_of(headers):
    """Return Amazon's id of a request, None where the answer has none."""
    return _clean(headers.get("x-amzn-requestid"))[:MAX_REQUEST_ID] or None


class _Raw:
    """Status, headers and bytes of an answer."""

    def __init__(self, status, headers, content):
        self.status = status
        self.headers = headers
        self.content = content

    @property
    def request_id(self):
        """Amazon's id of the request, for support cases."""
        return request_id_of(self.headers)

    def json(self):
        """Return the parsed body; None when it is no JSON, see `strict_json.loads`."""
        try:
            return loads(self.content)
        except ValueError:
            return None


class Http:
    """An httpx client with explicit limits; knows whether a request left.

    :param Endpoint endpoint: decides whether the machine's proxy settings count
    :param float connect_timeout: seconds
    :param float read_timeout: seconds between two pieces of an answer; an answer as a
        whole may take three times as long
    """

    def __init__(self, endpoint, connect_timeout, read_timeout):
        self.clock = AmazonClock()
        self._total_timeout = 3 * read_timeout
        self._client = httpx.Client(
            verify=_tls_context(not endpoint.is_simulator),
            timeout=httpx.Timeout(
                connect=connect_timeout,
                read=read_timeout,
                write=read_timeout,
                pool=connect_timeout,
            ),
            # A new connection for each request: one that Amazon closed while it was
            # idle would make the outcome of a write unknown for no reason.
            limits=httpx.Limits(max_keepalive_connections=0),
            follow_redirects=False,
            trust_env=not endpoint.is_simulator,
            headers={
                "user-agent": USER_AGENT,
                "accept": ACCEPT,
                "accept-encoding": ACCEPT_ENCODING,
            },
        )

    def exchange(self, operation, method, url, **request):
        """Send one HTTP request, once, and return the `_Raw` answer.

        :raises NotSent: the request did not leave
        :raises OutcomeUnknown: it may have arrived, but no whole answer came
        """
        error = None
        try:
            return self._exchange(method, url, request)
        except _BEFORE_SENDING as failure:
            error = NotSent(
                operation,
                f"Amazon could not be reached ({type(failure).__name__}); the request "
                "was not sent.",
            )
        except (httpx.HTTPError, Damaged, TooBig) as failure:
            error = OutcomeUnknown(
                operation,
                f"The answer of Amazon did not arrive ({type(failure).__name__}); the "
                "request may have been executed.",
            )
        # Raised here, outside of the handler, so that no exception of httpx, which
        # holds the request with its headers, hangs on to ours.
        raise error

    def _exchange(self, method, url, request):
        deadline = time.monotonic() + self._total_timeout
        with self._client.stream(method, url, **request) as response:
            self.clock.see(response.headers)
            content = bytearray()
            # As it is on the wire: httpx would unpack without a limit.
            for chunk in response.iter_raw():
                content += chunk
                if len(content) > MAX_ANSWER_BYTES:
                    raise TooBig
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the whole answer took too long")
        content = _unpacked(response.headers, bytes(content))
        return _Raw(response.status_code, response.headers, content)

    def close(self):
        """Close the connections; the object cannot be used afterwards."""
        self._client.close()


def _unpacked(headers, content):
    """Return a body without its content coding.

    :raises Damaged: packed in a way that was not asked for, or cut
    :raises TooBig: more than `MAX_ANSWER_BYTES`
    """
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding == "identity" or not content:
        return content
    if coding not in ("gzip", "x-gzip"):
        raise Damaged
    return unpack(content, MAX_ANSWER_BYTES)


class AccessTokens:
    """Gives access tokens of one authorisation, kept in its own store.

    :param Http http: sends the requests to the token service
    :param Credentials credentials: LWA credentials
    :param str token_url: address of the token service
    :param store: see `MemoryTokenStore`; what it raises passes through unchanged, and
        then nothing was sent
    """

    def __init__(self, http, credentials, token_url, store):
        self._http = http
        self._credentials = credentials
        self._token_url = token_url
        self._store = store
        self._lock = threading.Lock()

    def get(self, operation, valid_for):
        """Return an access token that is valid for `valid_for` more seconds.

        :param str operation: the operation that needs it, for error messages
        :raises NotSent: the token service could not be used; the operation was not sent
        :raises Throttled: the token service asks for patience
        :raises Refused: the token service does not accept the credentials
        """
        with self._lock:
            kept = self._store.load()
            if kept and _is_token(kept[0]) and kept[1] - time.time() >= valid_for:
                return kept[0]
            token, expires_in = self._request(operation)
            self._store.save(token, time.time() + expires_in)
            return token

    def forget(self, token):
        """Clear the store, unless somebody has already put a newer token there."""
        with self._lock:
            kept = self._store.load()
            if kept and kept[0] == token:
                self._store.clear()

    def _request(self, operation):
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.refresh_token,
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        error = None
        try:
            raw = self._http.exchange(operation, "POST", self._token_url, data=form)
        except SpApiError as failure:
            error = NotSent(
                operation,
                "The token service of Amazon did not answer; the request was not sent.",
                code=failure.code,
            )
        if error:
            raise error
        if raw.status != 200:
            raise self._refusal(operation, raw)
        return self._parse(operation, raw)

    @staticmethod
    def _refusal(operation, raw):
        answer = raw.json()
        answer = answer if isinstance(answer, dict) else {}
        facts = {"http_status": raw.status, "request_id": raw.request_id}
        if raw.status == 429:
            return Throttled(
                operation,
                "The token service of Amazon asks to wait; the request was not sent.",
                wait=TOKEN_THROTTLED_WAIT,
                **facts,
            )
        if not 400 <= raw.status < 500 or raw.status in _AMBIGUOUS_4XX:
            return NotSent(
                operation,
                "The token service of Amazon is not available; the request was not "
                "sent.",
                **facts,
            )
        said = _clean(answer.get("error_description"))
        return Refused(
            operation,
            "Amazon does not accept the authorisation of this seller account"
            + (f": {said}" if said else "."),
            code=_clean(answer.get("error")) or f"token_http_{raw.status}",
            **facts,
        )

    @staticmethod
    def _parse(operation, raw):
        """Return the token and its validity in seconds."""
        answer = raw.json()
        answer = answer if isinstance(answer, dict) else {}
        token, expires_in = answer.get("access_token"), answer.get("expires_in")
        if not _is_token(token) or not _is_positive(expires_in):
            raise NotSent(
                operation,
                "The token service of Amazon gave no usable access token; the request "
                "was not sent.",
                http_status=raw.status,
            )
        return token, float(expires_in)


class Session:
    """The choke point: every request to SP-API goes through `send`.

    :param Endpoint endpoint: where to
    :param Credentials credentials: on whose behalf
    :param token_store: see `MemoryTokenStore`
    :param quota: see `quota.NoQuota`
    :param float connect_timeout: seconds
    :param float read_timeout: seconds
    """

    def __init__(
        self, endpoint, credentials, token_store, quota, connect_timeout, read_timeout
    ):
        self._endpoint = endpoint
        self._quota = quota
        self._http = Http(endpoint, connect_timeout, read_timeout)
        self._tokens = AccessTokens(
            self._http, credentials, endpoint.token_url, token_store
        )

    def send(self, method, path, params, data):
        """Send one operation; return its parsed body and its headers.

        An operation that must not be repeated causes at most one HTTP request to
        SP-API. Any other is sent once more when Amazon refused the access token.

        :param str method: HTTP method
        :param str path: path, with its parts percent-encoded
        :param dict params: query parameters; those unknown to the model are dropped
        :param dict data: body; keys unknown to the model are dropped
        :rtype: tuple
        :raises LookupError: not an operation of this layer
        :raises NotSent: not executed, may be sent again
        :raises Throttled: not executed, may be sent again after `wait` seconds; where
            it is `local`, not even sent
        :raises Refused: not executed, and would be refused again
        :raises OutcomeUnknown: may have been executed
        """
        operation = operation_for(method, path)
        request = self._build(operation, path, params, data)
        if not operation.repeatable:
            return self._send_once(operation, request, TOKEN_VALIDITY_TO_WRITE)
        try:
            return self._send_once(operation, request, TOKEN_VALIDITY_TO_READ)
        except Refused as refusal:
            if not refusal.may_be_repeated:
                raise
        return self._send_once(operation, request, TOKEN_VALIDITY_TO_READ)

    def prepare_write(self, operation):
        """Have an access token at hand that is good for one write.

        :param str operation: Amazon's name of what is to be written
        :raises NotSent, Throttled, Refused: by the token service; nothing was sent
        """
        self._tokens.get(operation, TOKEN_VALIDITY_TO_WRITE)

    def amazon_now(self):
        """Return Amazon's time, see `AmazonClock`."""
        return self._http.clock.now()

    def close(self):
        """Close the connections; the object cannot be used afterwards."""
        self._http.close()

    def _build(self, operation, path, params, data):
        request = {"url": self._endpoint.api_url + path}
        request["params"] = {
            key: _text(value)
            for key, value in params.items()
            if key in operation.query and value not in (None, [])
        }
        body = {
            key: value
            for key, value in data.items()
            if key in operation.body and value is not None
        }
        if body:
            request["content"] = json.dumps(body).encode()
        return request

    def _send_once(self, operation, request, token_validity):
        token = self._tokens.get(operation.name, token_validity)
        headers = {"x-amz-access-token": token}
        if "content" in request:
            headers["content-type"] = "application/json"
        # Last of all, so that a token is taken only for a request that leaves.
        self._take_quota(operation)
        raw = self._http.exchange(
            operation.name, operation.method, headers=headers, **request
        )
        _logger.debug("%s: HTTP %s, %s", operation.name, raw.status, raw.request_id)
        self._tell_quota(operation, raw)
        if 200 <= raw.status < 300:
            return self._parse(operation, raw), dict(raw.headers)
        error = _failure(operation, raw)
        if isinstance(error, Refused) and error.may_be_repeated:
            self._tokens.forget(token)
        raise error

    def _take_quota(self, operation):
        """Take a token of the operation's quota.

        :raises Throttled: there is none; nothing was sent
        """
        wait = self._quota.take(operation)
        if wait > 0:
            raise Throttled(
                operation.name,
                "The quota that Amazon gives for this is used up at the moment; "
                "nothing was sent.",
                wait=wait,
                local=True,
            )

    def _tell_quota(self, operation, raw):
        """Tell the quota what Amazon said of it."""
        try:
            rate = _told_rate(operation, raw.headers)
            if rate:
                self._quota.learn(operation, rate)
            if raw.status == 429:
                self._quota.exhausted(operation, _wait(operation, raw.headers))
        except Exception:
            # Amazon has answered, perhaps with the id of a feed: the answer counts.
            _logger.exception("What Amazon said of its quota could not be kept")

    @staticmethod
    def _parse(operation, raw):
        """Return the body of a success.

        :raises OutcomeUnknown: the body is not what the model says, or tells of errors
        """
        if not operation.answers and not raw.content.strip():
            return {}
        body = raw.json()
        if isinstance(body, dict) and not body.get("errors"):
            return body
        code, message = _said(body)
        raise OutcomeUnknown(
            operation.name,
            message or "Amazon answered with success, but not in the form it promises.",
            code=code,
            http_status=raw.status,
            request_id=raw.request_id,
        )


def _failure(operation, raw):
    """Return the exception for an answer that is no success."""
    code, message = _said(raw.json())
    facts = {
        "code": code,
        "http_status": raw.status,
        "request_id": raw.request_id,
    }
    if raw.status == 429:
        return Throttled(
            operation.name,
            message or "Amazon's quota for this operation is used up.",
            wait=_wait(operation, raw.headers),
            **facts,
        )
    if not 400 <= raw.status < 500 or raw.status in _AMBIGUOUS_4XX:
        return OutcomeUnknown(
            operation.name,
            message or "Amazon answered with an error that does not tell the outcome.",
            **facts,
        )
    if raw.status in (401, 403) and _TOKEN_TROUBLE.search(_details(raw.json())):
        facts["code"] = ACCESS_TOKEN_REJECTED
    return Refused(operation.name, message or "Amazon refused the request.", **facts)


def _errors(body):
    """Return the first entry of Amazon's error list, or an empty dict."""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else errors
    return first if isinstance(first, dict) else {}


def _said(body):
    """Return code and message of an error body of Amazon, None where it has none."""
    first = _errors(body)
    if not first and isinstance(body, dict):
        # The gateway before SP-API answers {"message": "Forbidden"}.
        return None, _clean(body.get("message") or body.get("Message")) or None
    message = _clean(first.get("message"))
    details = _clean(first.get("details"))
    if details and details != message:
        message = f"{message} {details}".strip()
    return _clean(first.get("code")) or None, message or None


def _details(body):
    """Return all texts of an error body in one."""
    first = _errors(body)
    said = [first.get(key) for key in ("code", "message", "details")]
    if isinstance(body, dict):
        said.append(body.get("message"))
    return " ".join(text[:MAX_MESSAGE] for text in said if isinstance(text, str))


def _clean(text):
    """Return a text of Amazon without secrets and control characters, cut to size."""
    if not isinstance(text, str):
        return ""
    # Cut before it is looked through, too: what is cut off costs no time.
    text = redact(fit(text[: 10 * MAX_MESSAGE]))
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text).strip()[:MAX_MESSAGE]


def _told_rate(operation, headers):
    """Return the rate that Amazon tells in an answer, None where it tells none.

    In requests per second; "best effort", and not to be expected with 401, 403 and 429
    (usage plans guide). A rate that is far from the plan is none: it would stop the
    operation for good, or lift its limit.
    """
    try:
        rate = float(headers.get("x-amzn-ratelimit-limit", ""))
    except ValueError:
        return None
    lowest = operation.rate * LOWEST_OF_PLAN
    return rate if lowest <= rate <= MOST_PER_SECOND else None


def _wait(operation, headers):
    """Return seconds until one more request is due, from Amazon's rate or the table."""
    rate = _told_rate(operation, headers) or operation.rate
    return min(max(1 / rate, MIN_WAIT), MAX_WAIT)


def _is_token(text):
    """Tell whether a text can be an access token, that is: stand in a header."""
    if not isinstance(text, str) or len(text) > MAX_TOKEN:
        return False
    return re.fullmatch(r"[\x21-\x7e]+", text) is not None


def _is_positive(number):
    """Tell whether a number can be a rate or a duration; True is no number here."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return math.isfinite(number) and number > 0


def _text(value):
    """Return a query parameter as Amazon's models want it.

    Lists are comma-separated (Swagger 2.0 default ``collectionFormat: csv``), times
    ISO 8601 in UTC. A time without a zone counts as UTC, as Odoo keeps them.
    """
    if isinstance(value, datetime):
        if value.tzinfo is None:
            value = value.replace(tzinfo=timezone.utc)
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_text(entry) for entry in value)
    return str(value)
