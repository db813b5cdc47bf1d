import os
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from unittest.mock import MagicMock, patch

import requests

from odoo import fields
from odoo.tests import BaseCase, tagged

from ...models.watch import look_soon, queue_job, runner_facts
from ...models.watch.runner_facts import Channels, Holder, Lines, Probe
from ..common import GIFT_WRAPPED, SHIPPED, AmazonOrderCommon

ADMIN_TOLD = "An administrator has been told."
NOT_RUNNING = f"Nothing is sent now: Odoo's job runner is not running. {ADMIN_TOLD}"
OFF = f"Nothing is sent now: Odoo's job runner is switched off. {ADMIN_TOLD}"
UNREACHABLE = f"Nothing is sent now: Odoo's job runner cannot reach Odoo. {ADMIN_TOLD}"


@tagged("post_install", "-at_install")
class TestRunner(AmazonOrderCommon):
    """Where the job runner starts nothing, whoever waits and the administrators are
    told why."""

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        # a server as it should be, on which no runner works
        self.holder = None
        self.facts = {
            "is_loaded": True,
            "is_written": True,
            "is_enabled": True,
            "channels": "root:2,root.amazon:2",
            "config_file": "/etc/odoo/odoo.conf",
            "server_wide_modules": ["base", "web"],
            "server_started_at": fields.Datetime.now() - timedelta(days=1),
            "host_name": "shop",
            "served_databases": [],
            "probe": Probe("http://shop:8069", None),
        }
        self.running = []
        self.startPatcher(patch.dict(os.environ))
        os.environ.pop("ODOO_QUEUE_JOB_CHANNELS", None)

    # === HELPERS === #

    def look(self):
        """Run the scheduled action as Odoo does, on such a server."""
        with ExitStack() as patches:
            for name, value in self.facts.items():
                fact = patch.object(runner_facts, name, lambda *_, value=value: value)
                patches.enter_context(fact)
            found = patch.object(runner_facts, "find_holder", lambda _env: self.holder)
            patches.enter_context(found)
            checks = type(self.env["amazon.check.runner"])
            running = patch.object(checks, "_running", lambda _self: self.running)
            patches.enter_context(running)
            self.env["amazon.watch"]._cron_watch_runner()
        self.env.flush_all()
        self.env.invalidate_all()

    def ask(self, **delta):
        """Ask for a refund that should have left 30 seconds ago, and look."""
        action = self.ask_refund(self.sale_order)
        self.age(self.pending_jobs(), **(delta or {"seconds": 50}))
        # what the order needed was done long ago
        done = self.env["queue.job"].search([("state", "=", "done")])
        self.age(done, "date_started", "date_done", hours=1)
        return action

    def age(self, jobs, *names, **delta):
        self.env.flush_all()
        for name in names or ("date_created", "eta"):
            self.env.cr.execute(
                f"UPDATE queue_job SET {name} = {name} - %s WHERE id = ANY(%s)",
                [timedelta(**delta), jobs.ids],
            )
        self.env.invalidate_all()

    def alarm(self):
        return self.env["amazon.alarm"].search(
            [
                ("company_id", "=", self.company.id),
                ("kind", "=", "runner"),
                ("state", "=", "open"),
            ]
        )

    def shown(self):
        """Return what the panel shows the agent."""
        order = self.sale_order._get_amazon_order().with_user(self.agent)
        return [
            alarm["message"] for alarm in self.env["amazon.order.panel"]._alarms(order)
        ]

    def held_by(self, place="here", **values):
        """Let somebody hold the place of the runner."""
        now = fields.Datetime.now()
        values = {"since": now, "heard_at": now, "address": "10.0.0.7", **values}
        holder = MagicMock(process_id=77, **values)
        holder.is_of_this_server.return_value = place == "here"
        holder.is_left_over.return_value = place == "left over"
        holder.runs_here.return_value = place in ("here", "left over", "beside")
        self.holder = holder

    def take_up(self):
        """Let the runner have asked for the jobs, and no job be started."""
        self.pending_jobs().date_enqueued = fields.Datetime.now()

    def assert_told(self, panel, *words):
        self.look()
        self.assertEqual(self.shown(), [panel])
        self.assertTrue(self.alarm().is_told)
        for word in words:
            self.assertIn(word, self.alarm().message)

    # === WHEN IT IS TOLD === #

    def test_it_is_told_half_a_minute_after_it_should_have_left(self):
        action = self.ask()
        self.look()
        self.assertEqual(self.shown(), [NOT_RUNNING])
        self.assertFalse(self.alarm().account_id)
        activity = self.alarm().activity_ids
        self.assertEqual(activity.user_id, self.admin)
        self.assertEqual(action.state, "queued")

    def test_it_is_over_once_jobs_are_started(self):
        self.ask()
        self.look()
        alarm = self.alarm()
        self.settle()
        self.look()
        self.assertEqual(alarm.state, "over")
        self.assertEqual(self.shown(), [])

    def test_what_was_due_a_moment_ago_is_no_trouble(self):
        self.ask(seconds=10)
        self.look()
        self.assertFalse(self.alarm())

    def test_what_waits_for_its_time_is_no_trouble(self):
        self.ask_refund(self.sale_order)
        self.age(self.pending_jobs(), "date_created", hours=1)
        self.look()
        self.assertFalse(self.alarm())

    def test_runner_that_started_another_job_a_moment_ago_works(self):
        self.ask()
        self.create_sale_order(GIFT_WRAPPED)
        self.look()
        self.assertFalse(self.alarm())

    def test_runner_whose_room_our_own_jobs_take_works(self):
        self.ask()
        self.held_by()
        self.running = [("root.amazon", "Send", True)] * 2
        self.look()
        self.assertFalse(self.alarm())

    def test_server_that_was_started_a_moment_ago_is_given_time(self):
        self.ask()
        self.facts["server_started_at"] = fields.Datetime.now() - timedelta(seconds=30)
        self.look()
        self.assertFalse(self.alarm())

    def test_job_whose_process_died_is_told_once_no_request_can_last_so_long(self):
        self.ask()
        job = self.pending_jobs("_job_dispatch")[0]
        (self.pending_jobs() - job).unlink()
        now = fields.Datetime.now()
        job.write({"state": "started", "date_enqueued": now})
        self.look()
        self.assertFalse(self.alarm())
        self.age(job, "date_enqueued", minutes=16)
        self.look()
        self.assertTrue(self.alarm())

    def test_jobs_of_another_company_are_its_own_trouble(self):
        self.ask()
        self.pending_jobs().company_id = self._create_company(name="Elsewhere")
        self.look()
        self.assertFalse(self.alarm())

    def test_whoever_waits_is_not_told_that_an_administrator_knows_where_none_is(self):
        self.ask()
        alarms = type(self.env["amazon.alarm"])
        nobody = patch.object(
            alarms, "_administrators", lambda alarm: alarm.env["res.users"]
        )
        with nobody:
            self.look()
        (sentence,) = self.shown()
        self.assertIn("Tell an administrator.", sentence)
        self.assertFalse(self.alarm().is_told)
        self.assertFalse(self.alarm().message_ids.notification_ids)
        # and whoever becomes one hears of it
        self.look()
        self.assertEqual(self.shown(), [NOT_RUNNING])

    def test_open_forms_show_it_at_once(self):
        action = self.ask()
        with patch.object(
            type(action.order_id), "_notify_forms", autospec=True
        ) as told:
            self.look()
            self.assertIn(action.order_id, [call.args[0] for call in told.mock_calls])
            told.reset_mock()
            self.look()
            self.assertFalse(told.mock_calls)

    # === WHY === #

    def test_queue_job_that_the_server_does_not_load(self):
        self.ask()
        self.facts.update(is_loaded=False, is_written=False)
        self.assert_told(
            NOT_RUNNING,
            "Set in /etc/odoo/odoo.conf:\n\n"
            "[options]\nserver_wide_modules = base,web,queue_job\n\n"
            "[queue_job]\nchannels = root:2,root.amazon:2\n\n"
            "Restart Odoo",
        )

    def test_queue_job_that_was_written_down_since_the_server_was_started(self):
        self.ask()
        self.facts.update(is_loaded=False)
        self.assert_told(NOT_RUNNING, "was started before that", "Restart Odoo")
        self.assertNotIn("Set in", self.alarm().message)

    def test_queue_job_that_was_installed_since_the_server_was_started(self):
        self.ask()
        self.assert_told(NOT_RUNNING, "installed after the server", "Restart Odoo")

    def test_runner_of_other_databases_alone(self):
        self.ask()
        self.facts.update(served_databases=["shop_test"])
        self.assert_told(NOT_RUNNING, "shop_test", self.env.cr.dbname, "Restart Odoo")

    def test_channels_without_capacity(self):
        self.ask()
        self.facts.update(is_enabled=False, channels="root:0")
        self.assert_told(OFF, "(root:0)", "channels = root:2,root.amazon:2\n")

    def test_what_the_environment_sets_is_to_be_set_there(self):
        self.ask()
        self.facts.update(is_enabled=False, channels="root:0")
        os.environ["ODOO_QUEUE_JOB_CHANNELS"] = "root:0"
        line = "ODOO_QUEUE_JOB_CHANNELS=root:2,root.amazon:2"
        self.assert_told(OFF, f"goes before the file:\n\n{line}\n")

    def test_channel_that_is_paused(self):
        self.ask()
        self.held_by()
        self.facts.update(channels="root:4,root.amazon:2:paused")
        panel = f"Nothing is sent now: Odoo's job queue is switched off. {ADMIN_TOLD}"
        self.assert_told(panel, "root.amazon is paused", "root:4,root.amazon:2")

    def test_address_at_which_odoo_is_not(self):
        self.ask()
        self.held_by()
        self.take_up()
        problems = {
            "refused": "nobody takes the connection",
            "silent": "no answer within 3 seconds",
            "insecure": "no HTTPS",
            "invalid": "not a valid address",
            "stranger": "another program answers",
            404: "HTTP status 404",
        }
        for problem, words in problems.items():
            with self.subTest(problem):
                self.facts.update(probe=Probe("http://nowhere:1", problem))
                self.assert_told(UNREACHABLE, "http://nowhere:1", words, "port = ")

    def test_odoo_that_answers_and_takes_up_no_job(self):
        self.ask()
        self.held_by()
        self.take_up()
        self.assert_told(UNREACHABLE, "takes up none")

    def test_runner_that_a_killed_server_left_over(self):
        self.ask()
        self.held_by("left over")
        self.assert_told(NOT_RUNNING, "left over when its server was killed", "kill 77")
        self.take_up()
        self.assert_told(UNREACHABLE, "kill 77")

    def test_runner_of_another_server_of_this_host(self):
        self.ask()
        self.held_by("beside")
        self.assert_told(NOT_RUNNING, "another server", "kill 77")

    def test_runner_of_another_host(self):
        self.ask()
        self.held_by("elsewhere")
        self.assert_told(NOT_RUNNING, "10.0.0.7", "process 77")
        self.assertNotIn("kill", self.alarm().message)

    def test_queue_that_is_full_of_other_work(self):
        self.ask()
        self.held_by()
        self.running = [("root", "Count the stock", False)] * 2
        panel = (
            f"Nothing is sent now: other work of Odoo fills the job queue. {ADMIN_TOLD}"
        )
        self.assert_told(panel, "Count the stock", "channels = root:4,root.amazon:4")

    def test_other_work_in_a_channel_of_its_own_is_not_in_the_way(self):
        self.ask()
        self.held_by()
        self.facts.update(channels="root:4,root.stock:2,root.amazon:2")
        self.running = [("root.stock", "Count the stock", False)] * 2
        self.assert_told(NOT_RUNNING, "starts no job")

    def test_runner_that_hangs(self):
        self.ask()
        self.held_by(heard_at=fields.Datetime.now() - timedelta(minutes=3))
        self.assert_told(NOT_RUNNING, "process 77", "it hangs", "Restart Odoo")

    # === READING THE QUEUE === #

    def test_job_that_a_process_holds_runs_and_one_that_nobody_holds_is_dead(self):
        self.ask()
        job = self.pending_jobs("_job_dispatch")[0]
        job.state = "started"
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO queue_job_lock (id, queue_job_id) VALUES (%s, %s)",
            [job.id, job.id],
        )
        names = [name for _channel, name, _is_ours in self.checks()._running()]
        self.assertNotIn(job.name, names)
        # without a row to hold, nobody knows: it is given its time
        self.env.cr.execute("DELETE FROM queue_job_lock WHERE id = %s", [job.id])
        running = [each for each in self.checks()._running() if each[1] == job.name]
        self.assertEqual(running, [("root.amazon", job.name, True)])

    def checks(self):
        return self.env["amazon.check.runner"]

    def test_nobody_holds_the_place_of_a_runner_that_is_not_there(self):
        self.assertIsNone(runner_facts.find_holder(self.env))

    def test_place_of_the_runner_is_that_of_its_lock(self):
        # as queue_job's runner takes it; this process is then the runner
        self.env.cr.execute("SELECT pg_advisory_xact_lock(2293787760715711918)")
        holder = runner_facts.find_holder(self.env)
        self.assertEqual(holder.process_id, os.getpid())
        self.assertTrue(holder.is_on_this_host)
        self.assertTrue(holder.is_of_this_server())
        self.assertLess(fields.Datetime.now() - holder.since, timedelta(days=1))
        self.assertNotIn(self.env.cr.dbname, runner_facts.served_databases(self.env))


@tagged("post_install", "-at_install")
class TestRunnerFacts(BaseCase):
    """What is known of the runner from outside of it."""

    def test_capacity_is_that_of_queue_job(self):
        channels = Channels("root:4,amazon:2,root.stock:0\nroot.mail")
        capacities = {
            "root": 4,
            "root.amazon": 2,
            "root.stock": None,
            "root.mail": 1,
            "root.unnamed": None,
        }
        for level, capacity in capacities.items():
            self.assertEqual(channels.capacity(level), capacity, level)
        self.assertEqual(Channels("root.amazon:3").capacity("root"), 1)

    def test_channel_below_a_paused_one_is_paused(self):
        channels = Channels("root:4,root.amazon:2:paused")
        self.assertEqual(channels.paused("root.amazon.read"), "root.amazon")
        self.assertIsNone(channels.paused("root.stock"))

    def test_room_is_made_without_taking_it_from_others(self):
        channels = Channels("root:1,root.stock:2:sequential,amazon:1:paused:throttle=3")
        self.assertEqual(
            channels.with_room("root.amazon", 2),
            "root:2,root.stock:2:sequential,root.amazon:2:throttle=3",
        )
        self.assertEqual(
            Channels("root:8").with_room("root.amazon", 2), "root:8,root.amazon:2"
        )

    def test_configuration_file_is_read_as_it_is_now(self):
        with patch.object(runner_facts, "config_file", lambda: False):
            self.assertFalse(runner_facts.is_written())
        for text, is_written in (
            ("[options]\nserver_wide_modules = base, web, queue_job\n", True),
            ("[options]\nserver_wide_modules = base,web\n", False),
            ("[options]\n", False),
            ("no section\n", False),
        ):
            with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
                file.write(text)
                file.flush()
                name = patch.object(
                    runner_facts, "config_file", lambda file=file: file.name
                )
                with name:
                    self.assertEqual(runner_facts.is_written(), is_written, text)

    def test_address_is_set_where_it_takes_effect(self):
        with patch.dict(os.environ, ODOO_QUEUE_JOB_PORT="1"):
            for name in ("ODOO_QUEUE_JOB_HOST", "ODOO_QUEUE_JOB_SCHEME"):
                os.environ.pop(name, None)
            lines = Lines()
            lines.call_this_server()
        self.assertEqual(len(lines.environment), 1)
        self.assertIn("ODOO_QUEUE_JOB_PORT=", lines.environment[0])
        self.assertIn("[queue_job]", lines.of_file())

    def test_answer_that_comes_is_told_from_what_comes_instead(self):
        def answer(status=200, text=""):
            response = requests.Response()
            response.status_code = status
            response._content = text.encode()
            return response

        outcomes = [
            (answer(), None),
            (answer(text="Welcome"), "stranger"),
            (answer(status=403), 403),
            (requests.ConnectTimeout(), "silent"),
            (requests.ReadTimeout(), "silent"),
            (requests.exceptions.SSLError(), "insecure"),
            (requests.ConnectionError(), "refused"),
            (requests.exceptions.InvalidURL(), "invalid"),
        ]
        for outcome, problem in outcomes:
            with patch.object(requests, "get", side_effect=[outcome]) as get:
                probed = runner_facts.probe("shop")
            self.assertEqual(probed.problem, problem)
            self.assertEqual(get.call_args.kwargs["headers"]["X-Odoo-Database"], "shop")
            self.assertTrue(get.call_args.kwargs["timeout"])

    def test_password_of_the_runner_is_in_no_address_that_is_shown(self):
        with (
            patch.dict(
                os.environ,
                ODOO_QUEUE_JOB_HTTP_AUTH_USER="runner",
                ODOO_QUEUE_JOB_HTTP_AUTH_PASSWORD="secret",
            ),
            patch.object(requests, "get", side_effect=[requests.ConnectionError()]),
        ):
            self.assertNotIn("secret", runner_facts.probe("shop").url)

    def test_process_is_left_over_when_the_leader_of_its_group_is_gone(self):
        leader = subprocess.Popen(
            ["/bin/sh", "-c", "sleep 60 & echo $!; wait"],
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        child = int(leader.stdout.readline())
        leader.stdout.close()
        holder = Holder(child, None, None, None, True)
        try:
            self.assertFalse(holder.is_left_over())
            self.assertTrue(holder.runs_here())
            self.assertFalse(holder.is_of_this_server())
            leader.kill()
            os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
            self.assertTrue(holder.is_left_over(), "also before anybody has noticed")
            leader.wait()
            self.assertTrue(holder.is_left_over())
            self.assertFalse(holder._replace(is_on_this_host=False).is_left_over())
        finally:
            os.kill(child, signal.SIGKILL)

    def test_process_that_nobody_knows_is_nowhere(self):
        for process_id in (None, 2**22 + 1):
            holder = Holder(process_id, None, None, None, True)
            self.assertFalse(holder.is_left_over())
            self.assertFalse(holder.runs_here())
            self.assertFalse(holder.is_of_this_server())


@tagged("post_install", "-at_install")
class TestLookSoon(AmazonOrderCommon):
    """Whoever clicks has the job runner looked at in time, at no cost."""

    def setUp(self):
        super().setUp()
        self.looked = []
        self.waits = []
        self.startPatcher(patch.object(look_soon.time, "sleep", self.sleep))
        self.startPatcher(patch.object(look_soon.time, "monotonic", lambda: self.now))
        self.startPatcher(patch.object(look_soon.threading, "Thread", self.thread))
        self.startPatcher(patch.object(look_soon, "_look", self.look))
        self.now = 1000
        self.is_waiting = False
        self.threads = []
        self.meanwhile = {}

    def sleep(self, seconds):
        end = self.now + seconds
        for moment in sorted(self.meanwhile):
            if moment <= end:
                self.now = moment
                self.meanwhile.pop(moment)()
        self.now = end

    def look(self, database):
        self.looked.append((database, self.now - 1000))
        return self.is_waiting

    def thread(self, target, args, name):
        thread = MagicMock(start=lambda: self.threads.append(lambda: target(*args)))
        return thread

    def run_threads(self):
        while self.threads:
            self.threads.pop()()

    def test_one_look_after_the_time(self):
        look_soon.look_later("shop", 31)
        self.run_threads()
        self.assertEqual(self.looked, [("shop", 31)])
        self.assertFalse(look_soon._until)

    def test_clicks_meanwhile_share_a_thread_and_each_is_looked_after(self):
        self.meanwhile = {
            1005: lambda: look_soon.look_later("shop", 31),
            1030: lambda: look_soon.look_later("shop", 31),
        }
        look_soon.look_later("shop", 31)
        self.assertEqual(len(self.threads), 1)
        self.run_threads()
        self.assertEqual([moment for _name, moment in self.looked], [31, 61])

    def test_as_long_as_something_waits_it_is_looked_again_a_few_times(self):
        self.is_waiting = True
        look_soon.look_later("shop", 31)
        self.run_threads()
        self.assertEqual([moment for _name, moment in self.looked], [31, 41, 51])
        self.assertFalse(look_soon._until)

    def test_each_database_is_looked_after_by_itself(self):
        look_soon.look_later("shop", 31)
        look_soon.look_later("test", 31)
        self.run_threads()
        self.assertEqual({name for name, _moment in self.looked}, {"shop", "test"})

    def asked(self):
        """Return after how many seconds it is looked, once the click is committed."""
        with patch.object(queue_job, "look_later") as later:
            sale_order = self.create_sale_order(SHIPPED)
            self.env.cr.postcommit.clear()
            with patch.object(queue_job.QueueJob, "_is_tested", lambda self: False):
                self.ask_refund(sale_order)
            self.env.cr.postcommit.run()
        return [call.args[1] for call in later.mock_calls]

    def test_click_is_looked_after_when_it_should_have_left(self):
        self.account.kind_ids.undo_seconds = 10
        seconds = max(self.asked())
        self.assertGreater(seconds, 10 + 15)
        self.assertLess(seconds, 45)

    def test_job_enqueues_without_a_look(self):
        request = MagicMock()
        request.httprequest.path = "/queue_job/runjob"
        with patch.object(queue_job, "request", request):
            self.assertEqual(self.asked(), [])

    def test_look_says_whether_something_waits(self):
        # what the demo has left waiting
        self.env["queue.job"].search([("state", "=", "pending")]).unlink()
        watch = self.env["amazon.watch"]
        started = fields.Datetime.now() - timedelta(days=1)
        with patch.object(runner_facts, "server_started_at", lambda: started):
            self.assertFalse(watch._cron_watch_runner())
            self.ask_refund(self.create_sale_order(SHIPPED))
            self.env.cr.execute(
                "UPDATE queue_job SET date_created = date_created - interval '1 minute'"
                ", eta = eta - interval '1 minute' WHERE id = ANY(%s)",
                [self.pending_jobs().ids],
            )
            self.env.invalidate_all()
            self.assertTrue(watch._cron_watch_runner())
        # too early to say
        with patch.object(runner_facts, "server_started_at", fields.Datetime.now):
            self.assertTrue(watch._cron_watch_runner())
