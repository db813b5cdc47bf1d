import json
import re
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import file_open, mute_logger

from ...models.watch import runner_facts
from ...models.watch.health import PREFIX
from ..common import SHIPPED, AmazonOrderCommon

HEALTH = "/amazon_order_actions/health"
METRICS = "/amazon_order_actions/metrics"
# Queries of one answer, with one account: a few of each subject.
QUERIES = 50


class HealthCommon(AmazonOrderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.company._make_health_token()

    def ask_health(self, path=HEALTH, token=None, **headers):
        """Return the answer to a request with a token."""
        headers = {"Authorization": f"Bearer {token or self.token}", **headers}
        # without the session of another test
        self.opener.cookies.clear()
        return self.url_open(path, headers=headers)


@tagged("post_install", "-at_install")
class TestHealthAnswers(HealthCommon, HttpCase):
    """Who has the token is answered, and nobody else learns anything."""

    def test_token_opens_both_formats(self):
        answer = self.ask_health()
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.json()["company"], self.company.name)
        text = self.ask_health(METRICS)
        self.assertIn("version=0.0.4", text.headers["Content-Type"])
        self.assertIn(f"# TYPE {PREFIX}queued_seconds gauge", text.text)
        for each in (answer, text):
            self.assertEqual(each.headers["Cache-Control"], "no-store")
            self.assertNotIn("Set-Cookie", each.headers)

    def test_anything_else_is_refused_without_a_word(self):
        wrong = (
            {},
            {"Authorization": ""},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer wrong"},
            {"Authorization": f"Basic {self.token}"},
            {"Authorization": self.token},
            {"Authorization": f"Bearer {self.company.sudo().amazon_health_digest}"},
        )
        for headers in wrong:
            for path in (HEALTH, METRICS):
                with self.subTest(headers=headers, path=path):
                    answer = self.url_open(path, headers=headers)
                    self.assertEqual(answer.status_code, 401)
                    self.assertEqual(answer.text, "")
                    self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_token_in_the_address_opens_nothing(self):
        for name in ("token", "access_token", "authorization"):
            answer = self.url_open(f"{HEALTH}?{name}={self.token}")
            self.assertEqual(answer.status_code, 401)

    def test_session_of_an_administrator_opens_nothing(self):
        self.admin.password = "amazon_admin"
        self.authenticate(self.admin.login, "amazon_admin")
        self.assertEqual(self.url_open(HEALTH).status_code, 401)

    def test_nothing_is_changed_by_it(self):
        self.assertEqual(self.url_open(HEALTH, data={"a": "b"}).status_code, 405)

    def test_former_token_is_of_no_use(self):
        former = self.token
        token = self.company._make_health_token()
        self.assertEqual(self.ask_health(token=former).status_code, 401)
        self.assertEqual(self.ask_health(token=token).status_code, 200)
        self.company._set_health_digest(False)
        self.assertEqual(self.ask_health(token=token).status_code, 401)

    def test_token_of_a_company_opens_that_one_alone(self):
        other = self._create_company(name="Elsewhere")
        token = other._make_health_token()
        self.ask_refund(self.create_sale_order(SHIPPED))
        text = self.ask_health(token=token).text
        self.assertIn("Elsewhere", text)
        self.assertNotIn(self.account.name, text)
        self.assertNotIn(self.company.name, text)


@tagged("post_install", "-at_install")
class TestHealthToken(HealthCommon):
    """An administrator makes the token, which is stored nowhere."""

    def settings(self, user=None):
        dialogs = self.env["amazon.health.settings"].with_user(user or self.admin)
        return dialogs.with_company(self.company).create({})

    def test_token_is_shown_once_and_only_its_digest_is_stored(self):
        shown = self.settings().action_make()
        token = shown["context"]["default_token"]
        self.assertEqual(self.env["res.company"]._of_health_token(token), self.company)
        self.env.flush_all()
        for table in ("res_company", "amazon_health_settings", "amazon_audit_entry"):
            self.env.cr.execute(f"SELECT to_jsonb({table})::text FROM {table}")
            rows = "".join(row[0] for row in self.env.cr.fetchall())
            self.assertNotIn(token, rows)
        again = self.settings()
        self.assertFalse(again.token)
        self.assertTrue(again.made_at)

    def test_making_and_removing_it_are_journaled(self):
        self.settings().action_make()
        self.settings().action_remove()
        entries = self.env["amazon.audit.entry"].search(
            [("company_id", "=", self.company.id), ("event", "=", "company")],
            order="id desc",
            limit=2,
        )
        self.assertEqual(
            entries.mapped("message"),
            [
                "The token for monitoring was removed.",
                "A token for monitoring was made.",
            ],
        )
        self.assertFalse(self.company.sudo().amazon_health_digest)

    def test_only_an_administrator_of_the_company_makes_one(self):
        with self.assertRaises(AccessError):
            self.env["amazon.health.settings"].with_user(self.agent).action_open()
        settings = self.settings()
        elsewhere = self._create_company(name="Elsewhere")
        settings.sudo().company_id = elsewhere
        for method in ("action_make", "action_remove"):
            with self.assertRaises(AccessError):
                getattr(settings.sudo(), method)()
        self.assertFalse(elsewhere.sudo().amazon_health_digest)

    def test_neutralized_copy_has_no_token(self):
        self.env.flush_all()
        with file_open("amazon_order_actions/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertFalse(self.env["res.company"]._of_health_token(self.token))

    def test_nobody_reads_the_digest(self):
        with self.assertRaises(AccessError):
            self.company.with_user(self.admin).read(["amazon_health_digest"])


@tagged("post_install", "-at_install")
class TestHealthMeasured(HealthCommon):
    """What is measured is so."""

    def measured(self):
        """Return what is measured in the company, as a request has it."""
        self.env.flush_all()
        self.env.invalidate_all()
        health = self.env["amazon.health"].with_company(self.company).sudo()
        return json.loads(json.dumps(health._as_json()))

    def value(self, name, **labels):
        """Return the one value of a metric with these labels."""
        samples = self.measured()["metrics"][PREFIX + name]
        (sample,) = [
            each
            for each in samples
            if all(each[label] == value for label, value in labels.items())
        ]
        return sample["value"]

    def age(self, record, *names, **delta):
        self.env.flush_all()
        for name in names:
            self.env.cr.execute(
                f"UPDATE {record._table} SET {name} = {name} - %s WHERE id = ANY(%s)",
                [timedelta(**delta), record.ids],
            )
        self.env.invalidate_all()

    def of_account(self, **labels):
        return {"account": self.account.name, **labels}

    def test_oldest_queued_action_counts_from_when_it_may_leave(self):
        self.assertEqual(self.value("queued_seconds", **self.of_account()), 0)
        self.account.kind_ids.undo_seconds = 60
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.assertEqual(self.value("queued_seconds", **self.of_account()), 0)
        self.age(action, "asked_at", "due_at", "last_state_change", seconds=100)
        seconds = self.value("queued_seconds", **self.of_account())
        self.assertGreaterEqual(seconds, 40)
        self.assertLess(seconds, 70)

    def test_each_stage_has_its_count_and_its_age(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.age(action, "last_state_change", seconds=100)
        queued = self.of_account(stage="queued")
        self.assertEqual(self.value("actions", **queued), 1)
        self.assertGreaterEqual(self.value("stage_seconds", **queued), 100)
        self.settle()
        self.assertEqual(self.value("actions", **queued), 0)
        self.assertEqual(self.value("stage_seconds", **queued), 0)

    def test_unknown_outcome_that_waits_for_a_person_is_counted(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.assertEqual(self.value("undecided", **self.of_account()), 0)
        action.needs_person = True
        self.assertEqual(self.value("undecided", **self.of_account()), 1)

    def test_stop_in_force_is_counted_until_it_ends(self):
        self.assertEqual(self.value("stops"), 0)
        self.env["amazon.stop"]._start(self.company, "A test", self.account)
        self.assertEqual(self.value("stops", **self.of_account(kind="")), 1)
        self.env["amazon.stop"]._open_of(self.account)._end("The test is over")
        self.assertEqual(self.value("stops"), 0)

    def test_open_alarm_is_counted_and_changes_the_status(self):
        self.env.ref(
            "amazon_order_actions.ir_cron_watch"
        ).lastcall = fields.Datetime.now()
        self.env.ref(
            "amazon_order_actions.ir_cron_watch_runner"
        ).lastcall = fields.Datetime.now()
        self.assertEqual(self.measured()["status"], "ok")
        alarm = self.env["amazon.alarm"].create(
            {
                "company_id": self.company.id,
                "account_id": self.account.id,
                "kind": "stopped",
                "since": fields.Datetime.now(),
                "last_seen": fields.Datetime.now(),
                "message": "A test",
            }
        )
        self.assertEqual(self.value("alarms", kind="stopped", **self.of_account()), 1)
        self.assertEqual(self.measured()["status"], "alarm")
        alarm.state = "over"
        self.assertEqual(self.measured()["status"], "ok")

    def test_watch_that_does_not_look_changes_the_status(self):
        cron = self.env.ref("amazon_order_actions.ir_cron_watch")
        cron.lastcall = fields.Datetime.now() - timedelta(hours=1)
        self.assertGreaterEqual(self.value("watch_seconds", watch="all"), 3600)
        self.assertEqual(self.measured()["status"], "alarm")

    def test_runner_is_seen_by_its_lock_and_by_what_it_has_done(self):
        self.assertEqual(self.value("runner_connected"), 0)
        self.env.cr.execute("SELECT pg_advisory_xact_lock(2293787760715711918)")
        self.assertEqual(self.value("runner_connected"), 1)
        self.create_sale_order(SHIPPED)
        self.assertLess(self.value("runner_idle_seconds"), 60)

    def test_jobs_that_nobody_starts_are_counted(self):
        self.assertEqual(self.value("jobs_waiting"), 0)
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.age(self.pending_jobs(), "date_created", "eta", minutes=3)
        self.assertEqual(self.value("jobs_waiting"), len(self.pending_jobs()))
        self.assertGreater(self.value("jobs_waiting_seconds"), 100)

    def test_quota_is_what_is_left_of_it_now(self):
        self.create_sale_order(SHIPPED)
        quota = self.env["amazon.quota"].search(
            [("account_id", "=", self.account.id), ("operation", "=", "getOrder")]
        )
        quota.write({"tokens": 3, "rate": 0.0, "burst": 30})
        labels = self.of_account(operation="getOrder")
        self.assertEqual(self.value("quota_left", **labels), 3)
        self.assertEqual(self.value("quota_burst", **labels), 30)

    def test_clocks_and_reading_are_told(self):
        now = fields.Datetime.now()
        self.env["amazon.watermark"].create(
            {
                "account_id": self.account.id,
                "subject": "orders",
                "position": now,
                "known_since": now - timedelta(days=1),
                "known_until": now - timedelta(minutes=10),
                "mark_at": now,
                "mark_seen_at": now + timedelta(seconds=7),
            }
        )
        self.env["amazon.host.clock"].create(
            {"host": "shop", "ahead_seconds": -9, "noted_at": now}
        )
        labels = self.of_account(subject="orders")
        self.assertEqual(self.value("amazon_clock_seconds", **labels), 7)
        self.assertGreaterEqual(self.value("read_seconds", **labels), 600)
        self.assertEqual(self.value("host_clock_seconds", host="shop"), -9)

    def test_archived_account_is_measured_as_long_as_something_is_on_its_way(self):
        self.account.active = False
        self.assertNotIn(self.account.name, json.dumps(self.measured()))
        self.account.active = True
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.account.active = False
        self.assertEqual(self.value("actions", **self.of_account(stage="queued")), 1)

    def test_what_cannot_be_measured_is_counted_and_hides_nothing_else(self):
        stops = type(self.env["amazon.health.stop"])
        broken = patch.object(stops, "_measure", side_effect=ValueError("broken"))
        with (
            broken,
            mute_logger("odoo.addons.amazon_order_actions.models.watch.health"),
        ):
            measured = self.measured()
        self.assertEqual(measured["metrics"][f"{PREFIX}failed"], [{"value": 1}])
        self.assertEqual(measured["status"], "alarm")
        self.assertIn(f"{PREFIX}actions", measured["metrics"])
        self.assertNotIn(f"{PREFIX}stops", measured["metrics"])

    def test_all_that_is_measured_is_named_and_explained_once(self):
        metrics = self.env["amazon.health"]._all_metrics()
        names = [metric.name for metric in metrics]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(all(metric.help for metric in metrics))
        measured = {name.removeprefix(PREFIX) for name in self.measured()["metrics"]}
        self.assertLessEqual(measured, set(names))

    def test_prometheus_reads_the_text(self):
        self.account.name = 'Nordlicht "DE"\\\nzwei'
        self.ask_refund(self.create_sale_order(SHIPPED))
        health = self.env["amazon.health"].with_company(self.company).sudo()
        text = health._as_text()
        line = re.compile(
            r'amazon_orders_[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+\} '
            r"-?[0-9.e+-]+"
        )
        lines = [each for each in text.splitlines() if not each.startswith("# ")]
        self.assertEqual([each for each in lines if not line.fullmatch(each)], [])
        self.assertIn('account="Nordlicht \\"DE\\"\\\\\\nzwei"', text)
        for name in {each.partition("{")[0] for each in lines}:
            self.assertEqual(text.count(f"# TYPE {name} gauge\n"), 1)

    def test_no_order_and_no_buyer_is_in_it(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        said = json.dumps(self.measured())
        action = self.last_action()
        for secret in (SHIPPED, action.name, sale_order.name, self.agent.name):
            self.assertNotIn(secret, said)
        self.assertNotRegex(said, r"\d{3}-\d{7}-\d{7}")

    def test_it_costs_few_queries(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.measured()
        self.env.flush_all()
        health = self.env["amazon.health"].with_company(self.company).sudo()
        health._as_json()
        with self.assertQueryCount(QUERIES):
            health._as_json()

    def test_it_is_answered_while_no_runner_works(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        with patch.object(runner_facts, "find_holder", lambda _env: None):
            self.assertEqual(self.value("runner_connected"), 0)
