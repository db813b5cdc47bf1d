"""Upload and download of feed documents by presigned URLs.

A presigned URL is a secret: whoever has it may use it. So it stands in no message and
no log, and goes to no host that is not on the list. No token of ours goes with it.
"""

import re
import time
import zlib
from urllib.parse import urlsplit

import requests
import urllib3

from .errors import NotSent, OutcomeUnknown, Refused
from .redact import protect
from .transport import USER_AGENT

protect(__name__)

#: Content type of XML feeds; the upload must repeat the one given at creation, which is
#: part of the signature (Feeds API use case guide, step 2).
FEED_CONTENT_TYPE = "text/xml; charset=UTF-8"

#: Amazon advises feeds of less than 10 MiB (Feeds API best practices, 2022).
MAX_FEED_BYTES = 10 * 1024 * 1024

#: A report has a few hundred bytes for each message; limit on the wire and unpacked.
MAX_REPORT_BYTES = 20 * 1024 * 1024

_CHUNK = 64 * 1024
_UPLOAD, _DOWNLOAD = "uploadFeedDocument", "downloadFeedDocument"


class Documents:
    """Moves documents; each method makes one HTTP request and may be repeated.

    :param Endpoint endpoint: names the hosts that are allowed
    :param float connect_timeout: seconds
    :param float read_timeout: seconds between two pieces; a whole document may take
        three times as long
    """

    def __init__(self, endpoint, connect_timeout, read_timeout):
        self._endpoint = endpoint
        self._timeout = (connect_timeout, read_timeout)
        self._total_timeout = 3 * read_timeout

    def upload(self, url, payload, content_type):
        """Put `payload` to a presigned URL.

        :param str url: as createFeedDocument gave it
        :param payload: the feed: bytes, or a binary file, sent from its start
        :param str content_type: exactly as given to createFeedDocument
        :raises NotSent: the host could not be reached
        :raises Refused: the host is not on the list, or refuses the document
        :raises OutcomeUnknown: no clear answer came
        """
        self._check_host(_UPLOAD, url)
        headers = {"Content-Type": content_type}
        if not isinstance(payload, bytes):
            payload.seek(0)  # perhaps sent before, up to anywhere
        self._run(_UPLOAD, "PUT", url, lambda response: None, headers, payload)

    def download(self, url, compression):
        """Get the document behind a presigned URL, unpacked.

        :param str url: as getFeedDocument gave it
        :param compression: ``compressionAlgorithm`` of getFeedDocument, or None
        :rtype: bytes
        :raises NotSent: the host could not be reached
        :raises Refused: the host is not on the list or has no such document, or the
            document is too big or packed in an unknown way
        :raises OutcomeUnknown: no whole document came; a second try may succeed
        """
        self._check_host(_DOWNLOAD, url)
        if compression not in (None, "GZIP"):
            raise Refused(
                _DOWNLOAD,
                "The document is packed in a way that is not known here.",
                code="DocumentCompressionUnknown",
            )
        packed = self._run(_DOWNLOAD, "GET", url, self._read)
        return _unpack(packed) if compression else packed

    def _check_host(self, operation, url):
        """Refuse an address that is not one of Amazon's document stores.

        :raises Refused: wrong scheme, host or port
        """
        parts = urlsplit(url if isinstance(url, str) else "")
        schemes = ("https", "http") if self._endpoint.is_simulator else ("https",)
        host = parts.netloc.lower()
        allowed = parts.scheme in schemes and any(
            re.fullmatch(pattern, host) for pattern in self._endpoint.document_hosts
        )
        if not allowed:
            raise Refused(
                operation,
                "The address of the document is not one of Amazon's document stores; "
                "nothing was sent.",
                code="DocumentHostNotAllowed",
            )

    def _run(self, operation, method, url, read, headers=None, payload=None):
        """Make one request and give its answer to `read`."""
        error = None
        try:
            with (
                requests.Session() as session,
                self._open(session, method, url, headers, payload) as response,
            ):
                error = _failure(operation, response)
                if error is None:
                    return read(response)
        except (
            requests.exceptions.ConnectTimeout,
            requests.exceptions.InvalidURL,
            requests.exceptions.ProxyError,
            requests.exceptions.SSLError,
        ) as failure:
            error = NotSent(operation, _unreachable(failure))
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
        ) as failure:
            # requests has one ConnectionError for "refused" and for "cut on the way";
            # a transfer has no effect of its own, so the difference decides nothing.
            error = OutcomeUnknown(operation, _unreachable(failure))
        # Outside of the handler: what requests raises holds the presigned URL.
        raise error

    def _open(self, session, method, url, headers, payload):
        session.trust_env = not self._endpoint.is_simulator
        return session.request(
            method,
            url,
            data=payload,
            headers={
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "identity",
                **(headers or {}),
            },
            # Not None: then requests would send what ~/.netrc has for the host.
            auth=lambda request: request,
            timeout=self._timeout,
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response):
        """Return the bytes as they are on the wire, within the limits."""
        deadline = time.monotonic() + self._total_timeout
        content = bytearray()
        # read1 gives what is there, so that the deadline is looked at in time; urllib3
        # has it since 2.0, before that `read` waits for a whole chunk.
        read = getattr(response.raw, "read1", response.raw.read)
        while chunk := read(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > MAX_REPORT_BYTES:
                raise _too_big()
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the whole document is late")
        expected = response.headers.get("Content-Length")
        if expected and expected.isdigit() and int(expected) != len(content):
            raise requests.exceptions.ChunkedEncodingError("the document was cut")
        return bytes(content)


def _unpack(packed):
    """Unpack gzip, of which there may be several members, within the limit.

    :raises OutcomeUnknown: cut or damaged
    :raises Refused: more than `MAX_REPORT_BYTES` when unpacked
    """
    plain = bytearray()
    rest = packed
    while rest:
        member = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        damaged = False
        try:
            plain += member.decompress(rest, MAX_REPORT_BYTES + 1 - len(plain))
        except zlib.error:
            damaged = True
        if len(plain) > MAX_REPORT_BYTES:
            raise _too_big()
        if damaged or not member.eof:
            raise OutcomeUnknown(
                _DOWNLOAD,
                "The document arrived damaged.",
                code="DocumentDamaged",
            )
        rest = member.unused_data
    return bytes(plain)


def _too_big():
    return Refused(
        _DOWNLOAD,
        f"The document is bigger than {MAX_REPORT_BYTES // 1024 // 1024} MiB.",
        code="DocumentTooBig",
    )


def _unreachable(failure):
    return (
        "Amazon's document store gave no whole answer "
        f"({type(failure).__name__.lstrip('_')})."
    )


def _failure(operation, response):
    """Return the exception for an answer that is no success, None for a success."""
    status = response.status_code
    if 200 <= status < 300:
        return None
    facts = {"code": _s3_code(response), "http_status": status}
    if operation == _UPLOAD and status == 403 and facts["code"] == "AccessDenied":
        # S3's answer to an address that has expired: a second try gets a new one
        return NotSent(operation, "The address of the document has expired.", **facts)
    if 400 <= status < 500 and status not in (408, 429):
        return Refused(
            operation, "Amazon's document store refused the request.", **facts
        )
    return OutcomeUnknown(
        operation, "Amazon's document store did not do the request.", **facts
    )


def _s3_code(response):
    """Return the error code of S3; the rest of its body repeats the signature."""
    body = response.raw.read(4096, decode_content=False) or b""
    found = re.search(rb"<Code>(\w{1,64})</Code>", body)
    return found.group(1).decode() if found else None
