"""Records the traffic as HAR 1.2, without secrets and without buyers' data.

The file is complete JSON after every entry, so that a kill leaves a valid file.
"""

import json
import threading
from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

REDACTED = "[redacted]"
SECRET_HEADERS = frozenset(
    {"x-amz-access-token", "authorization", "proxy-authorization", "cookie"}
    | {"set-cookie"}
)
SECRET_KEYS = frozenset(
    "access_token refresh_token client_secret client_id signature".split()
)
# What names a buyer, or was written by or for one.
BUYER_KEYS = frozenset(
    "buyer recipient BuyerInfo ShippingAddress destinationAddress notificationEmails"
    " displayableOrderComment displayableComment giftMessage text".split()
)
JSON_TYPES = ("application/json", "application/hal+json")
MAX_TEXT = 1024 * 1024

_HEAD = (
    '{"log": {"version": "1.2", "creator": {"name": "spapi_simulator",'
    ' "version": "1.0"}, "entries": ['
)
_TAIL = "\n]}}\n"


class HarFile:
    """A HAR file that grows with the traffic.

    :param path: file to write; an old one is replaced
    """

    def __init__(self, path):
        self._lock = threading.Lock()
        self._file = open(path, "w+", encoding="utf-8")  # noqa: SIM115 closed below
        self._file.write(_HEAD)
        self._end = self._file.tell()
        self._empty = True
        self._file.write(_TAIL)
        self._file.flush()

    def add(self, entry):
        """Write one entry of the log."""
        text = json.dumps(entry, ensure_ascii=True)
        with self._lock:
            if self._file.closed:
                return
            self._file.seek(self._end)
            self._file.write(("\n" if self._empty else ",\n") + text)
            self._end = self._file.tell()
            self._file.write(_TAIL)
            self._file.truncate()
            self._file.flush()
            self._empty = False

    def close(self):
        """Close the file. Later traffic is not recorded."""
        with self._lock:
            self._file.close()


def entry(request, body, response, started, seconds, note=""):
    """Build one entry of the log, redacted.

    :param request: Werkzeug's request
    :param bytes body: its body
    :param response: Werkzeug's response, None when the connection was cut
    :param datetime started: real time at which the request came in
    :param float seconds: real seconds until it was answered or cut
    :param str note: what the simulator did to it, e.g. a fault
    """
    is_token_call = request.path == "/auth/o2/token"
    milliseconds = round(seconds * 1000, 3)
    row = {
        "startedDateTime": started.isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": {
            "method": request.method,
            "url": _redact_url(request.url),
            "httpVersion": request.environ.get("SERVER_PROTOCOL", "HTTP/1.1"),
            "cookies": [],
            "headers": _headers(request.headers),
            "queryString": [
                {"name": name, "value": REDACTED if name in SECRET_KEYS else value}
                for name, value in request.args.items(multi=True)
            ],
            "headersSize": -1,
            "bodySize": len(body),
        },
        "response": _response(response, is_token_call),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }
    if body:
        row["request"]["postData"] = {
            "mimeType": request.content_type or "",
            "text": REDACTED if is_token_call else _text(body, request.content_type),
        }
    if note:
        row["comment"] = note
    return row


def _response(response, is_token_call):
    """Return the log's response; status 0 means that there was none."""
    if response is None:
        return {
            "status": 0,
            "statusText": "",
            "httpVersion": "",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": ""},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        }
    data = response.get_data()
    mime = response.content_type or ""
    content = {"size": len(data), "mimeType": mime}
    if data:
        content["text"] = REDACTED if is_token_call else _text(data, mime)
    return {
        "status": response.status_code,
        "statusText": HTTPStatus(response.status_code).phrase,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(response.headers),
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(data),
    }


def _headers(headers):
    return [
        {
            "name": name,
            "value": REDACTED if name.lower() in SECRET_HEADERS else value,
        }
        for name, value in headers.items()
    ]


def _text(data, mime):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return f"[{len(data)} bytes]"
    if mime and mime.split(";")[0].strip() in JSON_TYPES:
        try:
            return json.dumps(_redact(json.loads(text)))
        except ValueError:
            pass
    return text[:MAX_TEXT]


def _redact(value):
    """Return JSON without secrets, signatures and buyers' data."""
    if isinstance(value, dict):
        return {
            key: REDACTED if key in SECRET_KEYS | BUYER_KEYS else _redact_member(key, x)
            for key, x in value.items()
        }
    if isinstance(value, list):
        return [_redact(x) for x in value]
    return value


def _redact_member(key, value):
    if key == "url" and isinstance(value, str):
        return _redact_url(value)
    return _redact(value)


def _redact_url(url):
    parts = urlsplit(url)
    pairs = [
        (name, REDACTED if name in SECRET_KEYS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    return urlunsplit(parts._replace(query=urlencode(pairs)))
