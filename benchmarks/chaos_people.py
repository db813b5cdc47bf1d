"""The persons who ask for refunds, cancellations and the rest, through Odoo's dialogs.

They call what the web client calls, each with a session of her own. A person whose
connection was cut clicks the button of the same dialog again, as people do, until
Odoo has answered: yes, or no with a sentence.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# A person gives up after this long without any answer.
PATIENCE_SECONDS = 300
ANSWER_SECONDS = 60
AGAIN_SECONDS = 0.5

#: Wishes that follow each other, and how many of these groups come at one moment.
BURST, BURST_SHARE = 12, 0.5

#: Of the cancellations of orders of several units, how many are of one of them.
UNIT_SHARE = 0.4

#: Seconds between two looks of the approver. She decides on what she sees for the
#: third time, and refuses what she could not approve until the eighth.
APPROVE_EVERY, APPROVE_FROM, APPROVE_UNTIL = 5, 3, 8

#: What Odoo says when it refuses in words. Everything else is a breakdown.
REFUSALS = ("UserError", "ValidationError", "AccessError")


#: By what is wanted: the button of the ticket, the model of its dialog, and what is
#: clicked there.
DIALOGS = {
    "refund": ("refund", "amazon.refund.request", "action_refund"),
    "cancel": ("cancel", "amazon.cancel.request", "action_cancel_order"),
    "ship": ("ship", "amazon.ship.request", "action_ship"),
    "mcf_update": ("fulfillment", "amazon.fulfillment.request", "action_change"),
    "mcf_cancel": (
        "cancel",
        "amazon.fulfillment.cancel.request",
        "action_cancel_order",
    ),
}


class Refused(Exception):
    """Odoo said no, with a sentence."""


class GaveUp(Exception):
    """Odoo gave no answer for too long."""


@dataclass
class Intent:
    """What one person wants of one order.

    :param share: of the order's money, None for all that is refundable
    :param unit: of a cancellation or a package: one unit, not the whole order
    :param rival: somebody else wants the same at the same time; one of them gets it
    :param withdraw: take it back right afterwards
    :param mark: of a direct call: what Amazon keeps of it, and of no other
    """

    kind: str
    order: str
    share: float | None = None
    unit: bool = False
    rival: bool = False
    withdraw: bool = False
    mark: str = ""
    # What came of it, as the person was told
    nonce: str = ""
    action: str = ""
    refusal: str = ""
    withdrawn: bool = False
    gave_up: bool = False


def plan(
    chance: random.Random, count: int, shipped: list[dict], unshipped: list[dict]
) -> list[Intent]:
    """Decide who wants what: ``count`` wishes that can be granted, and some rivals.

    :param shipped: orders that can be refunded, more than enough, as they are given to
        the simulator
    :param unshipped: orders that can be cancelled, more than enough
    """
    cancellations = count // 4
    groups = [[_cancellation(chance, order)] for order in unshipped[:cancellations]]
    refunds = count - cancellations
    for order in (order["id"] for order in shipped):
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
        whole = wish.share is None and not wish.unit
        if whole and not wish.withdraw and chance.random() < 0.1:
            group.append(Intent(wish.kind, wish.order, rival=True))
    chance.shuffle(groups)
    return [wish for group in groups for wish in group]


def _cancellation(chance: random.Random, order: dict) -> Intent:
    """Return a wish to cancel an order, or one unit of several."""
    units = sum(item["quantity"] for item in order["items"])
    is_unit = units > 1 and chance.random() < UNIT_SHARE
    withdraw = chance.random() < 0.03
    return Intent("cancel", order["id"], unit=is_unit, withdraw=withdraw)


def moments(
    chance: random.Random, wishes: list[Intent], seconds: float
) -> list[tuple[float, Intent]]:
    """Decide when each wish is asked for: some of them many at once, so that several
    share an envelope, the others one after the other.

    :param seconds: within which all are asked for
    """
    pace = seconds / len(wishes)
    planned: list[tuple[float, Intent]] = []
    is_burst = False
    for number, wish in enumerate(wishes):
        if number % BURST == 0:
            is_burst = chance.random() < BURST_SHARE
        at = (number - number % BURST if is_burst else number) * pace
        if wish.rival:
            # at the same moment as those before them
            at = planned[-1][0]
        planned.append((at, wish))
    return planned


class Gate:
    """What people go through before they click, so that they can be kept out."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._is_open = True
        self.inside = 0

    @contextlib.contextmanager
    def passing(self) -> Iterator[None]:
        """Wait until it is open, and be inside."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_open)
            self.inside += 1
        try:
            yield
        finally:
            with self._condition:
                self.inside -= 1

    def close(self) -> None:
        """Let nobody in any more."""
        self._is_open = False

    def open(self) -> None:
        """Let everybody in again."""
        with self._condition:
            self._is_open = True
            self._condition.notify_all()


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

    def __init__(
        self,
        session: Session,
        wishes: queue.Queue,
        tickets: dict,
        name: str,
        gate: Gate,
    ):
        super().__init__(name=name, daemon=True)
        self._gate = gate
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
                with self._gate.passing():
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
        call = self._session.call
        button, model, click = DIALOGS[wish.kind]
        ticket = self._tickets[wish.order]
        opened = call("helpdesk.ticket", f"action_amazon_{button}", [ticket])
        dialog = opened["res_id"]
        wish.nonce = call(model, "read", [dialog], ["nonce"])[0]["nonce"]
        call(model, "write", [dialog], self._filled_in(wish, dialog))
        call(model, click, [dialog])
        domain = [("nonce", "=", wish.nonce)]
        found = call("amazon.action", "search_read", domain, fields=["name"])
        wish.action = found[0]["name"] if found else "?"
        if wish.withdraw and found:
            self._withdraw(wish, found[0]["id"])

    def _filled_in(self, wish: Intent, dialog: int) -> dict:
        if wish.kind == "ship":
            return self._package(wish, dialog)
        if wish.kind == "mcf_update":
            return {"new_comment": wish.mark}
        if wish.kind == "mcf_cancel":
            return {}
        if wish.unit:
            line = self._lines(wish, dialog)[0]["id"]
            values = {"scope": "items", "items_reason": "NoInventory"}
            return values | {"line_ids": [[1, line, {"quantity": 1}]]}
        if wish.kind == "cancel":
            return {"reason": "NoInventory"}
        # chaos refunds the same item more than once, and means it
        values: dict[str, Any] = {"reason": "CustomerReturn", "is_second_meant": True}
        if wish.share:
            values["line_ids"] = [
                [1, line["id"], {"amount": round(line["charged"] * wish.share, 2)}]
                for line in self._lines(wish, dialog, "charged")
            ]
        return values

    def _package(self, wish: Intent, dialog: int) -> dict:
        """Return a package with all that is left of the order, or with one unit."""
        values: dict[str, Any] = {"carrier_code": "DHL", "tracking_number": wish.mark}
        if wish.unit:
            first, *others = (line["id"] for line in self._lines(wish, dialog))
            values["line_ids"] = [
                [1, first, {"quantity": 1}],
                *([1, other, {"quantity": 0}] for other in others),
            ]
        return values

    def _lines(self, wish: Intent, dialog: int, *fields: str) -> list[dict]:
        model = f"amazon.{wish.kind}.request.line"
        domain = [("request_id", "=", dialog)]
        return self._session.call(model, "search_read", domain, fields=list(fields))

    def _withdraw(self, wish: Intent, action: int) -> None:
        try:
            self._session.call("amazon.action", "action_withdraw", [action])
            wish.withdrawn = True
        except Refused:
            pass  # it is on its way already


class Approver(threading.Thread):
    """The second person, who approves all that waits for her."""

    def __init__(self, session: Session, gate: Gate):
        super().__init__(name="approver", daemon=True)
        self._session = session
        self._gate = gate
        self._is_over = threading.Event()
        self._tries: Counter = Counter()
        self.approved = 0

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Let her work meanwhile."""
        self.start()
        try:
            yield
        finally:
            self._is_over.set()

    def run(self) -> None:
        """Look again and again."""
        while not self._is_over.wait(APPROVE_EVERY):
            with self._gate.passing(), contextlib.suppress(GaveUp, Refused):
                self._look()

    def _look(self) -> None:
        domain = [("state", "=", "waiting")]
        waiting = self._session.call("amazon.approval", "search", domain)
        for approval in waiting:
            self._tries[approval] += 1
            if self._tries[approval] >= APPROVE_FROM:
                self._decide(approval)

    def _decide(self, approval: int) -> None:
        """Approve it; refuse what could not be approved again and again."""
        call = self._session.call
        try:
            call("amazon.approval", "action_approve", [approval])
            self.approved += 1
        except Refused as refusal:
            if self._tries[approval] >= APPROVE_UNTIL:
                reason = str(refusal)[:400]
                call("amazon.approval", "action_refuse", [approval], reason)
