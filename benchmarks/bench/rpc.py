"""Agents who work with Odoo as the web client does, and what Odoo's log says of it."""

from __future__ import annotations

import http.client
import json
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from dev.processes import Service

SECONDS = 120


class Refusal(Exception):
    """Odoo answered with an error; its message is the sentence a person would see."""


class Agent:
    """Somebody who is logged in, with a connection that stays open.

    :param url: of Odoo
    :param database: to log in to
    :param login: who; the password is the same
    """

    def __init__(self, url: str, database: str, login: str):
        self._address = urlsplit(url).netloc
        self._cookie = ""
        self._connection: http.client.HTTPConnection | None = None
        session = self._post(
            "/web/session/authenticate",
            {"db": database, "login": login, "password": login},
        )
        self.uid = session["uid"]
        # sent with every call, as the web client does: language, time zone, companies
        companies = [session["user_companies"]["current_company"]]
        self._context = session["user_context"] | {"allowed_company_ids": companies}

    def call(self, model: str, method: str, *args, **kwargs):
        """Call a method of a model, in the context that the web client sends.

        :raise Refusal: when Odoo answers with an error
        """
        return self._post(
            f"/web/dataset/call_kw/{model}/{method}",
            {
                "model": model,
                "method": method,
                "args": args,
                "kwargs": {"context": self._context, **kwargs},
            },
        )

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _post(self, path: str, params: dict):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        answer = self._exchange(path, body, headers)
        if "error" in answer:
            error = answer["error"]
            raise Refusal(error.get("data", {}).get("message") or error["message"])
        return answer["result"]

    def _exchange(self, path: str, body: str, headers: dict) -> dict:
        if not self._connection:
            self._connection = http.client.HTTPConnection(
                self._address, timeout=SECONDS
            )
        self._connection.request("POST", path, body, headers)
        response = self._connection.getresponse()
        cookie = re.match(r"session_id=[^;]+", response.headers["Set-Cookie"] or "")
        if cookie:
            self._cookie = cookie[0]
        answer = json.load(response)
        if response.will_close:
            self.close()
        return answer


class Served(NamedTuple):
    """What Odoo's log says of one request: its own count and clock."""

    call: str
    queries: int
    milliseconds: float


#: `"POST /web/dataset/call_kw/model/method#… HTTP/1.1" 200 - queries sql-s python-s`
_LINE = re.compile(
    r'"POST /web/dataset/call_kw/([\w./]+)\S* HTTP/[\d.]+" 200'
    r" - (\d+) ([\d.]+) ([\d.]+)"
)


def served(odoo: Service, call: str = "") -> list[Served]:
    """Return the RPCs that a server has served, in their order.

    The server's time has a resolution of a millisecond. It is all from reading the
    request to sending the answer, the commit included.

    :param call: only those of ``model/method``
    """
    found = [
        Served(path, int(queries), 1000 * (float(sql) + float(rest)))
        for path, queries, sql, rest in _LINE.findall(odoo.output())
    ]
    return [row for row in found if call in ("", row.call)]
