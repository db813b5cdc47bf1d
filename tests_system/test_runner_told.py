"""Each way in which the job runner can be missing, done on purpose with real processes:
whoever has clicked, and an administrator, are told soon, with the reason that applies;
and what is said ends it. The seconds from the click are printed; a minute is the goal.

All of them take a quarter of an hour, most of it waiting: those marked *long* run by
``make test T=tests_system/test_runner_told.py``.
"""

import contextlib
import os
import re
import signal
import time

import pytest

from dev.ports import HOST, free_port

from .conftest import Person, wait_for

REF = "302-4481516-2342108"
# From the click to the note, with the time to take it back (10 s). The goal is a
# minute; a busy machine gets three.
GIVE_UP_AFTER_SECONDS = 180
# A minute, in which a runner that works must not be complained of.
QUIET_SECONDS = 60
# The most that Odoo's own scheduled action takes where nothing wakes it: a minute
# between two turns, another one until its worker looks at the clock, and some seconds.
TURN_SECONDS = 150


@pytest.fixture(scope="module")
def stack(stack, simulator):
    """The same, with the order known that everything is asked of, and the usual ten
    seconds to take it back."""
    odoo = stack.start_odoo()
    Person(odoo.url, stack.database, "agent").ticket_about(REF)
    odoo.stop()
    stack.sql("UPDATE amazon_account_kind SET undo_seconds = 10")
    # an ordinary minute: what is due once a day was done
    stack.sql(
        "UPDATE ir_cron SET nextcall = nextcall + interval '1 year'"
        " WHERE interval_type != 'minutes'"
    )
    return stack


@pytest.fixture(autouse=True)
def quiet(stack):
    """Nothing waits, and nothing is told, when a test begins."""
    stack.sql("DELETE FROM queue_job")
    stack.sql("UPDATE amazon_action SET state = 'withdrawn' WHERE state = 'queued'")
    stack.sql("UPDATE amazon_alarm SET state = 'over'")


@pytest.fixture
def start(stack):
    """Start Odoo in some wrong way; it is stopped when the test is over."""
    with contextlib.ExitStack() as services:

        def start(*arguments, leads=False, **env):
            service = stack.start_odoo(0, *arguments, env=env, leads=leads)
            services.callback(service.stop)
            return service

        yield start


@pytest.fixture
def configured(stack, tmp_path):
    """Return the path of a configuration file that differs from the usual one."""

    def configured(*replacements):
        text = stack.settings.odoo_config.read_text()
        for former, new in replacements:
            assert former in text
            text = text.replace(former, new)
        path = tmp_path / "odoo.conf"
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    return configured


def open_dialog(agent):
    """Open the dialog for a refund of one unit of money, so that many are possible."""
    dialog = agent.refund_dialog(REF)
    values = {"mode": "goodwill", "amount": 1.0}
    agent.call("amazon.refund.request", "write", [dialog], values)
    return dialog


def refund(agent):
    """Ask for a refund, and return the action's id."""
    agent.confirm_refund(open_dialog(agent))
    return agent.actions_about(REF)[0]


class Told:
    """What was told of the job runner, to whom, and after how many seconds."""

    def __init__(self, odoo, stack):
        self._agent = Person(odoo.url, stack.database, "agent")
        self._admin = Person(odoo.url, stack.database, "admin")
        self._ticket = self._agent.ticket_about(REF)
        dialog = open_dialog(self._agent)
        begun = time.monotonic()
        self._agent.confirm_refund(dialog)
        self.action = self._agent.actions_about(REF)[0]
        wait_for(self._is_told, "it is told", seconds=GIVE_UP_AFTER_SECONDS)
        self.seconds = time.monotonic() - begun

    def _is_told(self):
        alarms = self._admin.call(
            "amazon.alarm",
            "search_read",
            [("kind", "=", "runner"), ("state", "=", "open"), ("is_told", "=", True)],
            ["message", "message_ids", "activity_ids"],
        )
        shown = self._agent.panel(self._ticket)["alarms"]
        if alarms and shown:
            (self.alarm,) = alarms
            (self.panel,) = (each["message"] for each in shown)
        return bool(alarms and shown)

    def is_over(self):
        """Whether nobody is told any more."""
        domain = [("kind", "=", "runner"), ("state", "=", "open")]
        return not self._admin.call("amazon.alarm", "search", domain)

    def check(self, panel, *words):
        """Check what was said, and print when."""
        print(f"\n{self.seconds:.0f} s: {self.panel}\n{self.alarm['message']}")
        assert (
            self.panel
            == f"Nothing is sent now: {panel} An administrator has been told."
        )
        for word in words:
            assert word in self.alarm["message"]
        assert self.alarm["activity_ids"]

    def leaves(self):
        """Wait until what was asked for has left, and nobody is told any more."""
        wait_for(
            lambda: self._agent.state_of(self.action) in ("accepted", "confirmed"),
            "it has left",
            lambda: f"it is {self._agent.state_of(self.action)}",
        )
        wait_for(self.is_over, "it is over", seconds=TURN_SECONDS)


@pytest.fixture
def told(stack):
    return lambda odoo: Told(odoo, stack)


NOT_RUNNING = "Odoo's job runner is not running."
OFF = "Odoo's job runner is switched off."
UNREACHABLE = "Odoo's job runner cannot reach Odoo."


def test_server_that_does_not_load_queue_job(start, configured, told):
    path = configured(("= base,web,queue_job", "= base,web"))
    odoo = start("--config", str(path))
    told(odoo).check(
        NOT_RUNNING,
        f"Set in {path}:",
        "[options]\nserver_wide_modules = base,web,queue_job\n",
        "Restart Odoo",
    )


@pytest.mark.long
def test_server_that_was_not_restarted_since_it_should_load_it(start, configured, told):
    path = configured(("= base,web,queue_job", "= base,web"))
    odoo = start("--config", str(path))
    path.write_text(path.read_text().replace("= base,web", "= base,web,queue_job"))
    said = told(odoo)
    said.check(NOT_RUNNING, "was started before that", "Restart Odoo")
    assert "Set in" not in said.alarm["message"]


@pytest.mark.long
def test_runner_that_was_there_before_queue_job_was_installed(start, told, stack):
    """It looks for its databases when it starts, and never again."""
    stack.sql("ALTER TRIGGER queue_job_notify ON queue_job RENAME TO not_yet")
    try:
        odoo = start()
        wait_for(lambda: "database connections ready" in odoo.output(), "it has looked")
    finally:
        stack.sql("ALTER TRIGGER not_yet ON queue_job RENAME TO queue_job_notify")
    told(odoo).check(
        NOT_RUNNING, "installed after the server had been started", "Restart Odoo"
    )


@pytest.mark.long
def test_channels_without_capacity(start, told):
    odoo = start(ODOO_QUEUE_JOB_CHANNELS="root:0")
    told(odoo).check(
        OFF,
        "(root:0)",
        "which goes before the file:\n\nODOO_QUEUE_JOB_CHANNELS=root:2,root.amazon:2\n",
    )


@pytest.mark.long
def test_channel_that_is_paused(start, told):
    odoo = start(ODOO_QUEUE_JOB_CHANNELS="root:2,root.amazon:1:paused", leads=True)
    told(odoo).check(
        "Odoo's job queue is switched off.",
        "root.amazon is paused",
        "ODOO_QUEUE_JOB_CHANNELS=root:2,root.amazon:2\n",
    )


@pytest.mark.long
def test_no_capacity_of_a_channel_below_the_root_is_no_limit_to_queue_job(
    start, stack, told
):
    odoo = start(ODOO_QUEUE_JOB_CHANNELS="root:2,root.amazon:0", leads=True)
    agent = Person(odoo.url, stack.database, "agent")
    agent.wait_for_state(refund(agent), "accepted", "confirmed")


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("PORT", None, "nobody takes the connection"),
        ("SCHEME", "https", "no HTTPS"),
        ("HOST", "nowhere.invalid", "nobody takes the connection"),
    ],
)
@pytest.mark.long
def test_address_at_which_odoo_is_not(start, told, variable, value, problem):
    name = f"ODOO_QUEUE_JOB_{variable}"
    odoo = start(leads=True, **{name: value or str(free_port())})
    port = odoo.url.rsplit(":", 1)[1]
    own = {"PORT": port, "SCHEME": "http", "HOST": HOST}[variable]
    told(odoo).check(UNREACHABLE, problem, f"{name}={own}")


@pytest.mark.long
def test_queue_that_is_full_of_other_work(start, told, stack):
    odoo = start(ODOO_QUEUE_JOB_CHANNELS="root:1", leads=True)
    stack.shell(
        "env['queue.job'].with_delay(description='Count the stock')"
        "._test_job(job_duration=90); env.cr.commit()"
    )
    running = "SELECT count(*) FROM queue_job WHERE state = 'started'"
    wait_for(lambda: stack.sql(running).strip() == "1", "the other job runs")
    said = told(odoo)
    said.check(
        "other work of Odoo fills the job queue.",
        "capacity 1",
        "Count the stock",
        "ODOO_QUEUE_JOB_CHANNELS=root:2",
    )
    # once that is over, it goes on by itself
    said.leaves()


def test_orphan_of_a_killed_server_and_what_is_said_ends_it(start, told, stack):
    killed = start("--workers=2", "--gevent-port", str(free_port()), leads=True)
    os.kill(killed.pid, signal.SIGKILL)
    odoo = start("--workers=2", "--gevent-port", str(free_port()))
    said = told(odoo)
    said.check(UNREACHABLE, "was left over when its server was killed")
    (process,) = re.findall(r"kill (\d+)", said.alarm["message"])
    assert int(process) != killed.pid
    os.kill(int(process), signal.SIGTERM)
    said.leaves()


def test_runner_that_hangs(start, told, stack):
    odoo = start("--workers=2", "--gevent-port", str(free_port()), leads=True)
    (runner,) = re.findall(r"Worker WorkerJobRunner \((\d+)\) alive", odoo.output())
    os.kill(int(runner), signal.SIGSTOP)
    try:
        said = told(odoo)
        said.check(NOT_RUNNING, f"process {runner}", "starts no job", "Restart Odoo")
    finally:
        os.kill(int(runner), signal.SIGCONT)
    said.leaves()


@pytest.mark.long
def test_runner_that_works_is_no_alarm(start, stack):
    odoo = start(leads=True)
    agent = Person(odoo.url, stack.database, "agent")
    agent.wait_for_state(refund(agent), "accepted", "confirmed")
    time.sleep(QUIET_SECONDS)
    told = "SELECT count(*) FROM amazon_alarm WHERE kind = 'runner' AND state = 'open'"
    assert stack.sql(told).strip() == "0"
