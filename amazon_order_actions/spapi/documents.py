"""Upload and download of feed documents by presigned URLs.

A presigned URL is a secret: whoever has it may use it. So it stands in no message and
no log, and goes to no host that is not on the list. No token of ours goes with it.
"""

import re
import time
from urllib.parse import urlsplit

import requests
import urllib3

from .errors import NotSent, OutcomeUnknown, Refused
from .packed import Damaged, TooBig, unpack
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

#: Presigned URLs have about 2,000 characters.
_ADDRESS = re.compile(r"[\x21-\x7e]{1,8192}")

_CHUNK = 64 * 1024
#: Of an error's body, which names its code at the beginning.
_ERROR_BYTES = 4096
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
        if not self._is_allowed(url):
            raise Refused(
                operation,
                "The address of the document is not one of Amazon's document stores; "
                "nothing was sent.",
                code="DocumentHostNotAllowed",
            )

    def _is_allowed(self, url):
        # Visible ASCII only: of anything else, two programs may read two hosts.
        if not isinstance(url, str) or not _ADDRESS.fullmatch(url):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        schemes = ("https", "http") if self._endpoint.is_simulator else ("https",)
        host = parts.netloc.lower()
        return parts.scheme in schemes and any(
            re.fullmatch(pattern, host) for pattern in self._endpoint.document_hosts
        )

    def _run(self, operation, method, url, read, headers=None, payload=None):
        """Make one request and give its answer to `read`."""
        error = None
        try:
            with (
                requests.Session() as session,
                self._open(session, method, url, headers, payload) as response,
            ):
                if 200 <= response.status_code < 300:
                    return read(response)
                error = self._failure(operation, response)
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
        content = self._read_up_to(response, MAX_REPORT_BYTES)
        if len(content) > MAX_REPORT_BYTES:
            raise _too_big()
        expected = response.headers.get("Content-Length")
        if expected and expected.isdigit() and int(expected) != len(content):
            raise requests.exceptions.ChunkedEncodingError("the document was cut")
        return content

    def _read_up_to(self, response, limit):
        """Return the body, or a beginning of it that is longer than the limit.

        :raises ReadTimeout: it comes too slowly
        """
        deadline = time.monotonic() + self._total_timeout
        content = bytearray()
        # read1 gives what is there, so that the deadline is looked at in time; urllib3
        # has it since 2.0, before that `read` waits for a whole chunk.
        read = getattr(response.raw, "read1", response.raw.read)
        while chunk := read(_CHUNK, decode_content=False):
            content += chunk
            if len(content) > limit:
                break
            if time.monotonic() > deadline:
                raise requests.exceptions.ReadTimeout("the whole document is late")
        return bytes(content)

    def _failure(self, operation, response):
        """Return the exception for an answer that is no success."""
        status = response.status_code
        facts = {"code": self._s3_code(response), "http_status": status}
        if operation == _UPLOAD and status == 403 and facts["code"] == "AccessDenied":
            # S3's answer to an address that has expired: a second try gets a new one
            return NotSent(
                operation, "The address of the document has expired.", **facts
            )
        if 400 <= status < 500 and status not in (408, 429):
            return Refused(
                operation, "Amazon's document store refused the request.", **facts
            )
        return OutcomeUnknown(
            operation, "Amazon's document store did not do the request.", **facts
        )

    def _s3_code(self, response):
        """Return the error code of S3; the rest of its body repeats the signature."""
        try:
            body = self._read_up_to(response, _ERROR_BYTES)
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError):
            # The status says what is known, the code only more of it.
            return None
        found = re.search(rb"<Code>(\w{1,64})</Code>", body[:_ERROR_BYTES])
        return found.group(1).decode() if found else None


def _unpack(packed):
    """Unpack a report.

    :raises OutcomeUnknown: cut or damaged
    :raises Refused: more than `MAX_REPORT_BYTES` when unpacked
    """
    try:
        return unpack(packed, MAX_REPORT_BYTES)
    except TooBig:
        error = _too_big()
    except Damaged:
        error = OutcomeUnknown(
            _DOWNLOAD, "The document arrived damaged.", code="DocumentDamaged"
        )
    raise error


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
