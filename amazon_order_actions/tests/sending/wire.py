"""What leaves for Amazon, request by request, and what left when it was recorded."""

import difflib
import json
import re
from pathlib import Path
from unittest.mock import patch

import httpx
from requests.adapters import HTTPAdapter

from ...spapi.operations import operation_for
from ..common import AmazonOrderCommon

#: One file for each test, named after it.
FOLDER = Path(__file__).resolve().parents[1] / "data" / "sent"

#: All that is not compared as it is: ids and times, which are new each time, and the
#: version of Python. The same one has the same placeholder, so that what must be equal
#: stays equal. An adjustment has the reference of its action and the id of a row.
PLACEHOLDERS = {
    "row": r"(?<=AMZ-\d{4}-\d{6}-)\d+",
    "action": r"AMZ-\d{4}-\d{6}",
    "document": r"amzn1\.tortuga\.[0-9a-z.]+\.[0-9a-f-]{36}",
    # in the line of a request, and as Amazon's reference in a mail
    "feed": r"(?<=/feeds/)\d{8,}|(?<=Referenz bei Amazon: )\d{8,}",
    "version": r"(?<=Language=Python/)[0-9.]+",
}

#: Two that are asked for in the same second have the same time.
TIME = r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

#: Headers that say where to, how long, and on whose behalf.
NOT_COMPARED = {"host", "content-length", "connection", "x-amz-access-token"}

#: Where a body is broken into lines, so that a difference can be read: between two
#: elements, and behind a value. Put together again, the lines are the body.
BREAKS = re.compile(r'(?<=>)(?=<)|(?<=\n)|(?<=, )(?=["{])')


class SentCommon(AmazonOrderCommon):
    """Notes each request that writes, right before it goes into the network.

    Noted are its line, its headers and its body: of requests to the SP-API, and of the
    documents of feeds. Not noted is what reads, and what asks the token service.
    """

    def setUp(self):
        super().setUp()
        self.sent = []
        self.last_mail = self.env["mail.mail"].search([], order="id desc", limit=1).id
        call, upload = httpx.HTTPTransport.handle_request, HTTPAdapter.send

        def note_call(transport, request):
            target = request.url.raw_path.decode()
            if request.method != "GET" and not target.startswith("/auth/"):
                name = operation_for(request.method, request.url.path).name
                self.note(name, target, request, request.read())
            return call(transport, request)

        def note_upload(adapter, request, **options):
            if request.method != "GET":
                # the address is a secret that Amazon gives
                self.note("uploadFeedDocument", "…", request, _content(request.body))
            return upload(adapter, request, **options)

        self.startPatcher(
            patch.object(httpx.HTTPTransport, "handle_request", note_call)
        )
        self.startPatcher(patch.object(HTTPAdapter, "send", note_upload))

    def note(self, operation, target, request, body):
        """Note a request.

        :param str operation: Amazon's name of it
        :param str target: path and query
        :param request: of httpx or requests
        :param bytes body: as it leaves
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.sent.append(
            {
                "operation": operation,
                "line": f"{request.method} {target}",
                "headers": {
                    name: headers[name] for name in sorted({*headers} - NOT_COMPARED)
                },
                "body": BREAKS.split(body.decode()),
            }
        )

    def note_mails(self):
        """Note the mails to buyers that wait in Odoo's queue since the test began."""
        mails = self.env["mail.mail"].search(
            [("id", ">", self.last_mail), ("email_to", "like", "@marketplace.amazon.")],
            order="id",
        )
        for mail in mails:
            self.sent.append(
                {
                    "operation": "mail",
                    "from": mail.email_from,
                    "to": mail.email_to,
                    "subject": mail.subject,
                    "body": BREAKS.split(mail.body_html),
                }
            )

    def operations(self):
        """Return the names of what was sent, in its order."""
        return [request["operation"] for request in self.sent]

    def assert_sent_as_recorded(self):
        """Compare what this test has sent with its file.

        To renew a file on purpose, delete it and run its test, which writes it anew and
        fails once. `git diff` then shows what changes for Amazon.
        """
        self.assertTrue(self.sent, "nothing was sent")
        file = FOLDER / f"{self._testMethodName.removeprefix('test_')}.json"
        sent = _with_placeholders(
            json.dumps(self.sent, indent=1, ensure_ascii=False) + "\n"
        )
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(sent, encoding="utf-8")
            self.fail(
                f"Nothing was recorded of this test. What it sends now is in {file}: "
                "read it, and keep it if that is what Amazon shall get."
            )
        recorded = file.read_text(encoding="utf-8")
        if sent != recorded:
            lines = difflib.unified_diff(
                recorded.splitlines(), sent.splitlines(), "recorded", "now", lineterm=""
            )
            self.fail(
                "Amazon would get something else than what was recorded. If that is "
                f"meant, delete {file}, run this test, and read what it has written.\n"
                + "\n".join(lines)
            )


def _content(body):
    """Return what a request of `requests` sends, which may be a file."""
    if body is None or isinstance(body, bytes):
        return body or b""
    place = body.tell()
    content = body.read()
    body.seek(place)
    return content


def _with_placeholders(text):
    """Return a text with what differs each time replaced, see `PLACEHOLDERS`."""
    for name, pattern in PLACEHOLDERS.items():
        text = _numbered(name, pattern, text)
    return re.sub(TIME, "<time>", text)


def _numbered(name, pattern, text):
    """Return a text with what a pattern finds numbered, in the order of appearance."""
    found = dict.fromkeys(re.findall(pattern, text))
    places = {value: f"<{name} {place}>" for place, value in enumerate(found, 1)}
    return re.sub(pattern, lambda match: places[match.group()], text)
