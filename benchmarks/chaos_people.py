"""The persons who ask for refunds and cancellations, through Odoo's dialogs.

They call what the web client calls, each with a session of her own. A person whose
connection was cut clicks the button of the same dialog again, as people do, until
Odoo has answered: yes, or no with a sentence.
"""

from __future__ import annotations

import http.client
import json
import queue
import random
import threading
import time
from dataclasses import dataclass
from typing import Any

# A person gives up after this long without any answer.
PATIENCE_SECONDS = 300
ANSWER_SECONDS = 60
AGAIN_SECONDS = 0.5

#: What Odoo says when it refuses in words. Everything else is a breakdown.
REFUSALS = ("UserError", "ValidationError", "AccessError")


class Refused(Exception):
    """Odoo said no, with a sentence."""


class GaveUp(Exception):
    """Odoo gave no answer for too long."""


@dataclass
class Intent:
    """What one person wants of one order.

    :param share: of the order's money, None for all that is refundable
    :param rival: somebody else wants the same at the same time; one of them gets it
    :param withdraw: take it back right afterwards
    """

    kind: str
    order: str
    share: float | None = None
    rival: bool = False
    withdraw: bool = False
    # What came of it, as the person was told
    nonce: str = ""
    action: str = ""
    refusal: str = ""
    withdrawn: bool = False
    gave_up: bool = False


def plan(
    chance: random.Random, count: int, shipped: list[str], unshipped: list[str]
) -> list[Intent]:
    """Decide who wants what: ``count`` wishes that can be granted, and some rivals.

    :param shipped: numbers of orders that can be refunded, more than enough
    :param unshipped: numbers of orders that can be cancelled, more than enough
    """
    cancellations = count // 4
    groups = [
        [Intent("cancel", order, withdraw=chance.random() < 0.03)]
        for order in unshipped[:cancellations]
    ]
    refunds = count - cancellations
    for order in shipped:
        if not refunds:
            break
        if chance.random() < 0.3:
            groups.append([Intent("refund", order, withdraw=chance.random() < 0.03)])
            refunds -= 1
            continue
        parts = min(chance.randint(1, 3), refunds)
        refunds -= parts
        for _part in range(parts):
            share = chance.uniform(0.1, 0.3)
            groups.append(
                [Intent("refund", order, share, withdraw=chance.random() < 0.03)]
            )
    for group in groups:
        wish = group[0]
        if wish.share is None and not wish.withdraw and chance.random() < 0.1:
            group.append(Intent(wish.kind, wish.order, rival=True))
    chance.shuffle(groups)
    return [wish for group in groups for wish in group]


class Session:
    """A browser's connection to Odoo, at whichever host answers.

    :param ports: of the hosts
    :param login: of the person, who has the same password
    """

    def __init__(self, ports: list[int], database: str, login: str, seed: str):
        self._ports = ports
        self._database = database
        self._login = login
        self._chance = random.Random(seed)
        self._cookie = ""

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a model, again and again until Odoo has answered.

        :raise Refused: when Odoo says no in words
        :raise GaveUp: when there was no answer for minutes
        """
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if not self._cookie:
                    self._log_in()
                return self._post("/web/dataset/call_kw", params)
            except (OSError, http.client.HTTPException, ValueError, _Broken):
                time.sleep(AGAIN_SECONDS * self._chance.uniform(0.5, 1.5))
        raise GaveUp(f"{model}.{method}")

    def _log_in(self) -> None:
        params = {
            "db": self._database,
            "login": self._login,
            "password": self._login,
        }
        self._post("/web/session/authenticate", params)

    def _post(self, path: str, params: dict) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        headers = {"Content-Type": "application/json", "Cookie": self._cookie}
        connection = http.client.HTTPConnection(
            "127.0.0.1", self._chance.choice(self._ports), timeout=ANSWER_SECONDS
        )
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        for cookie in response.msg.get_all("Set-Cookie", []):
            if cookie.startswith("session_id="):
                self._cookie = cookie.split(";")[0]
        if "error" in answer:
            self._raise(answer["error"].get("data") or {})
        return answer.get("result")

    def _raise(self, error: dict) -> None:
        name = error.get("name", "").rsplit(".", 1)[-1]
        if name in REFUSALS:
            raise Refused(error.get("message", ""))
        if name == "SessionExpiredException":
            self._cookie = ""
        raise _Broken(name)


class _Broken(Exception):
    """Odoo answered that something broke inside of it."""


class Person(threading.Thread):
    """Takes one wish after the other and asks for it.

    :param wishes: what is still to be asked for, with the second to begin at
    :param tickets: id of the ticket by order number
    """

    def __init__(self, session: Session, wishes: queue.Queue, tickets: dict, name: str):
        super().__init__(name=name, daemon=True)
        self._session = session
        self._wishes = wishes
        self._tickets = tickets
        self.error: Exception | None = None

    def run(self) -> None:
        """Ask until nothing is left."""
        try:
            while True:
                begin, wish = self._wishes.get_nowait()
                time.sleep(max(begin - time.monotonic(), 0))
                self._ask(wish)
        except queue.Empty:
            return
        except Exception as error:
            self.error = error

    def _ask(self, wish: Intent) -> None:
        try:
            self._click_through(wish)
        except Refused as refusal:
            wish.refusal = str(refusal)
        except GaveUp:
            wish.gave_up = True

    def _click_through(self, wish: Intent) -> None:
        call, model = self._session.call, f"amazon.{wish.kind}.request"
        opened = call(
            "helpdesk.ticket",
            f"action_amazon_{wish.kind}",
            [self._tickets[wish.order]],
        )
        dialog = opened["res_id"]
        wish.nonce = call(model, "read", [dialog], ["nonce"])[0]["nonce"]
        call(model, "write", [dialog], self._filled_in(wish, dialog))
        click = "action_refund" if wish.kind == "refund" else "action_cancel_order"
        call(model, click, [dialog])
        domain = [("nonce", "=", wish.nonce)]
        found = call("amazon.action", "search_read", domain, fields=["name"])
        wish.action = found[0]["name"] if found else "?"
        if wish.withdraw and found:
            self._withdraw(wish, found[0]["id"])

    def _filled_in(self, wish: Intent, dialog: int) -> dict:
        if wish.kind == "cancel":
            return {"reason": "NoInventory"}
        # chaos refunds the same item more than once, and means it
        values: dict[str, Any] = {"reason": "CustomerReturn", "is_second_meant": True}
        if wish.share:
            lines = self._session.call(
                "amazon.refund.request.line",
                "search_read",
                [("request_id", "=", dialog)],
                fields=["charged"],
            )
            values["line_ids"] = [
                [1, line["id"], {"amount": round(line["charged"] * wish.share, 2)}]
                for line in lines
            ]
        return values

    def _withdraw(self, wish: Intent, action: int) -> None:
        try:
            self._session.call("amazon.action", "action_withdraw", [action])
            wish.withdrawn = True
        except Refused:
            pass  # it is on its way already
