"""``make transcript``: the README's steps, done literally on a bare Odoo 19.

A company's Odoo is made first: an environment of its own, a configuration file and an
empty database. Then the lines of README.md are run, in their order, by one shell; of
the block with the names of one's own the values are replaced, and nothing else. What
the README does in the browser is done by the requests that the browser would send
(``/web/dataset/call_kw``), each at the place of the words that tell of it: when the
README no longer has those words, the transcript fails. It ends with a refund that the
simulator of Amazon has accepted, and with the sample gone.
"""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path

from dev.bare import REQUEST_SECONDS, BareOdoo
from dev.console import Problem, clean_environment, say, step
from dev.ports import HOST, free_port
from dev.processes import Service, end
from dev.settings import Settings
from dev.stack import Workshop, answers, prepared

DATABASE = "amazon_helpdesk_transcript"
HEADINGS = (
    "## Install it into your Odoo 19",
    "## Try it with the simulator in your own Odoo",
)
SERVED_SECONDS = OUTCOME_SECONDS = 600
#: The line that serves until Ctrl-C; it runs beside the others.
SERVES = "make simulator"


@dataclass(frozen=True)
class Block:
    """Lines of a shell that stand in the README."""

    place: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Click:
    """Words of the README that tell of a step in the browser, and who does it."""

    place: int
    words: str
    do: Callable[[Transcript], None]


def transcript(settings: Settings) -> int:
    """Run all steps, print them, and keep what was printed.

    :raise Problem: when a line fails, or a step has not the outcome it should have
    """
    text = (settings.root / "README.md").read_text()
    steps = steps_of(text)
    with prepared(settings) as workshop:
        bare = BareOdoo(workshop, settings.dev / "transcript")
        bare.make()
        with Transcript(workshop, bare) as run:
            run.provide_company()
            for one in steps:
                run.do(one)
    say("\nThe README leads from a bare Odoo 19 to a refund on the simulator.")
    return 0


def steps_of(readme: str) -> list[Block | Click]:
    """Return the steps of the README in their order.

    :raise Problem: when it has no longer the words of a step in the browser
    """
    steps: list[Block | Click] = []
    for heading in HEADINGS:
        if f"{heading}\n" not in readme:
            raise Problem(f"README.md has no heading {heading!r} any more.")
        begin = readme.index(f"{heading}\n")
        section = readme[begin:].split("\n## ", 1)[0]
        for found in re.finditer(r"^ *```sh\n(.*?)^ *```$", section, re.M | re.S):
            lines = tuple(
                line.strip() for line in found[1].splitlines() if line.strip()
            )
            steps.append(Block(begin + found.start(), lines))
    for words, do in CLICKS.items():
        place = readme.find(words)
        if place < 0:
            raise Problem(f"README.md does not say {words!r} any more.")
        steps.append(Click(place, words, do))
    return sorted(steps, key=lambda one: one.place)


def with_own_names(lines: tuple[str, ...], names: dict[str, str]) -> tuple[str, ...]:
    """Return the lines of the block of names with one's own values.

    :raise Problem: when the README has other names than these
    """
    found = [line.split("=", 1)[0] for line in lines]
    if sorted(found) != sorted(names):
        raise Problem(f"README.md has the names {found}, known are {sorted(names)}.")
    return tuple(f"{name}={shlex.quote(names[name])}" for name in found)


class Shell:
    """One shell that runs the README's lines, one after the other."""

    def __init__(self, cwd: Path):
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=clean_environment(),
            start_new_session=True,
        )

    def run(self, line: str) -> str:
        """Run a line and return what it printed.

        :raise Problem: when it fails
        """
        marker = "--- done with"
        process = self._process
        process.stdin.write(f'{line}\nprintf "\\n{marker} %s\\n" $?\n')
        process.stdin.flush()
        said = []
        for text in process.stdout:
            if text.startswith(marker):
                code = text.removeprefix(marker).strip()
                if code != "0":
                    say("".join(said[-30:]))
                    raise Problem(f"exit code {code} of the README's line: {line}")
                return "".join(said).strip()
            said.append(text)
        raise Problem(f"the shell ended in the README's line: {line}")

    def close(self) -> None:
        """End the shell, with what it may have left running."""
        end(self._process, signal.SIGTERM)


class Web:
    """Sends the requests that the web client sends for somebody's clicks."""

    def __init__(self, url: str):
        self._url = url
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(CookieJar()),
        )
        self._post(
            "/web/session/authenticate",
            {"db": DATABASE, "login": "admin", "password": "admin"},
        )

    def call(self, model: str, method: str, *args, **kwargs):
        """Call a method as a button does.

        :raise Problem: with the sentence that Odoo shows instead
        """
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)

    def _post(self, path: str, params: dict):
        body = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params})
        request = urllib.request.Request(  # noqa: S310 - our own server
            self._url + path,
            data=body.encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as response:
                answer = json.load(response)
        except (OSError, HTTPException) as error:
            raise Problem(
                f"Odoo gave no answer to {path} ({error}): the reason is in served.log."
            ) from None
        if "error" in answer:
            told = answer["error"].get("data", {}).get("message")
            raise Problem(f"Odoo refused {path}: {told}")
        return answer["result"]


class Transcript:
    """One run: the company's Odoo, the shell, and the simulator beside them."""

    def __init__(self, workshop: Workshop, bare: BareOdoo):
        self._workshop = workshop
        self._bare = bare
        self._root = workshop.settings.root
        self._port = free_port()
        self._simulator_port = free_port()
        self._odoo: Service | None = None
        self._simulator: Service | None = None
        self._shell = Shell(self._root)
        self._is_named = False

    def __enter__(self) -> Transcript:
        return self

    def __exit__(self, *exc_info) -> None:
        for service in (self._odoo, self._simulator):
            if service:
                service.stop()
        self._shell.close()

    # === THE COMPANY === #

    def provide_company(self) -> None:
        """Make the empty database of the company, and serve it."""
        self._workshop.databases.drop(DATABASE)
        self._workshop.cluster.sql(f'CREATE DATABASE "{DATABASE}"')
        config = self._bare.config.read_text()
        own = f"db_name = {DATABASE}\nhttp_port = {self._port}\n"
        self._bare.config.write_text(config + own)
        with step("Odoo: an empty database"):
            self._bare.odoo(DATABASE, "--init", "base", "--no-http")
        self._serve()

    def _serve(self) -> None:
        if self._odoo:
            self._odoo.stop()
        bare = self._bare
        self._odoo = Service(
            "Odoo",
            [str(bare.python), "-m", "odoo", "--config", str(bare.config)],
            log=bare.folder / "served.log",
            env=bare.environment(),
            cwd=bare.folder,
        )
        self._odoo.url = f"http://{HOST}:{self._port}"
        health = f"{self._odoo.url}/web/health"
        self._odoo.wait_until(lambda: answers(health), "it served", SERVED_SECONDS)
        self.web = Web(self._odoo.url)

    # === THE STEPS === #

    def do(self, one: Block | Click) -> None:
        """Do a step of the README."""
        if isinstance(one, Click):
            say(f"\n[in the browser; here by its requests] {one.words}")
            one.do(self)
            return
        say()
        lines = one.lines if self._is_named else self._named(one.lines)
        for line in lines:
            self._run(line)

    def _named(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        self._is_named = True
        return with_own_names(
            lines,
            {
                "PYTHON": str(self._bare.python),
                "CONFIG": str(self._bare.config),
                # Of systemd's part: this program serves Odoo
                "RESTART": "true",
            },
        )

    def _run(self, line: str) -> None:
        say(f"$ {line}")
        if line == SERVES:
            self._start_simulator(line)
            return
        said = self._shell.run(line)
        for text in said.splitlines()[-3:]:
            say(f"  {text}")
        if line == "$RESTART":
            say("  (this program serves Odoo, and restarts it)")
            self._serve()

    def _start_simulator(self, line: str) -> None:
        self._simulator = Service(
            "the simulator",
            line.split(),
            log=self._bare.folder / "simulator.log",
            env=clean_environment(SIMULATOR_PORT=str(self._simulator_port)),
            cwd=self._root,
        )
        marker = "simulator ready on "
        service = self._simulator
        # Its environment is made first
        service.wait_until(
            lambda: marker in service.output(), "it was ready", SERVED_SECONDS
        )
        service.url = service.output().split(marker, 1)[1].split()[0]
        say(f"  {marker}{service.url}")

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what jobs bring about.

        :raise Problem: when it does not happen in time
        """
        late = time.monotonic() + OUTCOME_SECONDS
        while not condition():
            if time.monotonic() > late:
                raise Problem(f"waited in vain: {what}.")
            time.sleep(1)
        say(f"  {what}")

    # === WHAT IS DONE IN THE BROWSER === #

    def update_list(self) -> None:
        update = self.web.call("base.module.update", "create", {})
        self.web.call("base.module.update", "update_module", [update])
        states = self._states("amazon_%")
        say(f"  found: {', '.join(sorted(states))}")

    def install(self) -> None:
        domain = [("name", "=", "amazon_helpdesk_actions"), ("application", "=", True)]
        module = self.web.call("ir.module.module", "search", domain)
        before = self._states("%", "installed")
        self.web.call("ir.module.module", "button_immediate_install", module)
        came = sorted(set(self._states("%", "installed")) - set(before))
        say(f"  installed, with what comes along: {', '.join(came)}")

    def _states(self, name: str, *states: str) -> dict[str, str]:
        domain = [("name", "=like", name)]
        if states:
            domain.append(("state", "in", states))
        fields = ["name", "state"]
        rows = self.web.call("ir.module.module", "search_read", domain, fields)
        return {row["name"]: row["state"] for row in rows}

    def grant_rights(self) -> None:
        groups = {
            name: self._id_of("amazon_order_actions", f"group_{name}")
            for name in ("admin", "refund")
        }
        links = [(4, group) for group in groups.values()]
        me = self.web.call("res.users", "search", [("login", "=", "admin")])
        self.web.call("res.users", "write", me, {"group_ids": links})
        say(f"  admin: {', '.join(groups)}")

    def _id_of(self, module: str, name: str) -> int:
        domain = [("module", "=", module), ("name", "=", name)]
        return self.web.call("ir.model.data", "search_read", domain, ["res_id"])[0][
            "res_id"
        ]

    def connect(self) -> None:
        values = {"simulator_url": self._simulator.url}
        dialog = self.web.call("amazon.sample.request", "create", values)
        opened = self.web.call("amazon.sample.request", "action_connect", [dialog])
        self.account = opened["res_id"]
        account = self.web.call(
            "amazon.seller.account", "read", [self.account], ["name", "environment"]
        )
        say(f"  {account[0]['name']}, on the {account[0]['environment']}")

    def refund(self) -> None:
        domain = [("name", "=", "Sample: the kettle leaks")]
        ticket = self.web.call("helpdesk.ticket", "search", domain)

        def order():
            row = self.web.call("helpdesk.ticket", "read", ticket, ["amazon_order_id"])
            number = row[0]["amazon_order_id"]
            read = number and self.web.call(
                "amazon.order", "read", [number[0]], ["read_at"]
            )
            return number and read[0]["read_at"] and number

        self.wait_for(order, "the job runner has read the order")
        opened = self.web.call("helpdesk.ticket", "action_amazon_refund", ticket)
        dialog = [opened["res_id"]]
        self.web.call(
            "amazon.refund.request", "write", dialog, {"reason": "CustomerReturn"}
        )
        self.web.call("amazon.refund.request", "action_refund", dialog)
        domain = [("account_id", "=", self.account)]
        fields = ["name", "state", "amount", "state_message"]

        def action():
            return self.web.call("amazon.action", "search_read", domain, fields)[0]

        self.wait_for(
            lambda: action()["state"] in ("accepted", "confirmed"),
            "Amazon's stand-in has accepted the refund",
        )
        last = action()
        say(f"  {last['name']}: {last['amount']} {last['state']}")
        say(f"  {last['state_message']}")
        ledger = f"{self._simulator.url}/_simulator/ledger"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(ledger, timeout=30) as response:
            refunds = json.load(response)["refunds"]
        if len(refunds) != 1:
            raise Problem(f"the simulator executed {len(refunds)} refunds, not one.")
        say(f"  its ledger: {refunds[0]['amount']} {refunds[0]['currency']}, once")

    def remove(self) -> None:
        self.web.call("amazon.seller.account", "action_remove_sample", [self.account])
        left = {
            model: self.web.call(model, "search_count", domain)
            for model, domain in {
                "amazon.seller.account": [],
                "amazon.order": [],
                "amazon.action": [],
                "sale.order": [],
                "helpdesk.ticket": [("name", "like", "Sample%")],
            }.items()
        }
        if any(left.values()):
            raise Problem(f"the sample left something: {left}.")
        say("  account, orders, actions and documents are gone")


#: The README's words for what is done in the browser, in their order.
CLICKS: dict[str, Callable[[Transcript], None]] = {
    "*Apps → Update Apps List*": Transcript.update_list,
    "and *Activate* it": Transcript.install,
    "*Settings → Users → a user → Amazon orders*": Transcript.grant_rights,
    "*Amazon → Configuration → Try With the Simulator*, *Connect*": Transcript.connect,
    "*Sample: the kettle leaks*": Transcript.refund,
    "*Remove Sample* on the account": Transcript.remove,
}
