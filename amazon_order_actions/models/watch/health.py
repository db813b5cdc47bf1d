"""What a monitoring system reads of a company: numbers, no buyer and no order."""

from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from ..base.clock import database_now
from ..base.private_log import private_logger
from . import runner_facts

_logger = private_logger(__name__)

PREFIX = "amazon_orders_"
# The watch looks every five minutes; without a word for so long it stands still.
WATCH_SECONDS = 900
# Scheduled actions whose last run is told, by what they look at.
CRONS = {
    "all": "amazon_order_actions.ir_cron_watch",
    "runner": "amazon_order_actions.ir_cron_watch_runner",
}


class Metric(NamedTuple):
    """A number that is measured, for each of some labels.

    :param str name: as monitoring systems know it, without the prefix
    :param str help: what it says, in English as all names of metrics are
    """

    name: str
    help: str


class Sample(NamedTuple):
    """One value of a metric.

    :param str name: of the metric, without the prefix
    :param value: a number
    :param dict labels: names and values of its labels
    """

    name: str
    value: float
    labels: dict


class AmazonHealth(models.AbstractModel):
    """What is measured. Each room that knows of something has a model
    ``amazon.health.<subject>`` beside it, which inherits from this one and is found in
    the registry.

    Read often, so each measures in a few queries that an index answers, however many
    actions there have been.
    """

    _name = "amazon.health"
    _description = "Amazon Health"

    # What is measured, by `_measure`.
    _metrics = ()

    @api.model
    def _registered(self):
        """Return the models that measure, in the order in which they were loaded.

        :rtype: list
        """
        names = self.env.registry.descendants(["amazon.health"], "_inherit")
        return [self.env[name] for name in names]

    @api.model
    def _measure(self, accounts):
        """Hook: return what is so now in the current company.

        :param amazon.seller.account accounts: of the company, also archived ones
        :rtype: list[Sample]
        """
        return []

    @api.model
    def _all_metrics(self):
        """Return all that is measured.

        :rtype: list[Metric]
        """
        return [metric for of in self._registered() for metric in of._metrics]

    @api.model
    def _read_all(self):
        """Return what is so now in the current company. What cannot be measured is left
        out, and counted.

        :rtype: list[Sample]
        """
        accounts = self.env["amazon.seller.account"].with_context(active_test=False)
        accounts = accounts.search([("company_id", "=", self.env.company.id)])
        samples, failed = [], 0
        for subject in self._registered():
            try:
                with self.env.cr.savepoint(flush=False):
                    samples += subject._measure(accounts)
            except Exception:
                # Of any kind: what is well is told even so, and this one is counted
                _logger.exception("%s could not be measured", subject._name)
                failed += 1
        return [*samples, Sample("failed", failed, {})]

    @api.model
    def _is_well(self, samples):
        """Whether nothing needs a person: no alarm is open, all was measured, and the
        watch that would raise alarms has looked.

        :param list[Sample] samples: what was measured
        :rtype: bool
        """
        ages = [each.value for each in samples if each.name == "watch_seconds"]
        troubles = [each.value for each in samples if each.name in ("alarms", "failed")]
        return not any(troubles) and bool(ages) and max(ages) < WATCH_SECONDS

    # === FORMATS === #

    @api.model
    def _as_json(self):
        """Return all that is measured as plain values.

        :rtype: dict
        """
        samples = self._read_all()
        values = {}
        for name, value, labels in samples:
            values.setdefault(PREFIX + name, []).append({**labels, "value": value})
        return {
            "company": self.env.company.name,
            "status": "ok" if self._is_well(samples) else "alarm",
            "time": fields.Datetime.to_string(database_now(self.env)),
            "metrics": values,
        }

    @api.model
    def _as_text(self):
        """Return all that is measured in Prometheus's text format, version 0.0.4.

        :rtype: str
        """
        samples = self._read_all()
        lines = []
        for metric in self._all_metrics():
            of_metric = [each for each in samples if each.name == metric.name]
            if of_metric:
                name = PREFIX + metric.name
                lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
                lines += [self._as_line(each) for each in of_metric]
        return "".join(f"{line}\n" for line in lines)

    def _as_line(self, sample):
        labels = {"company": self.env.company.name, **sample.labels}
        text = ",".join(f'{name}="{_escaped(v)}"' for name, v in labels.items())
        return f"{PREFIX}{sample.name}{{{text}}} {sample.value:g}"


def _escaped(value):
    """Return the value of a label as Prometheus's text format wants it."""
    value = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return value.replace("\n", "\\n")


def seconds(since, now):
    """Return the seconds since a time, none where it is not over yet or not known.

    :rtype: float
    """
    return max((now - since).total_seconds(), 0.0) if since else 0.0


class AmazonHealthWatch(models.AbstractModel):
    """Measures the watch, its alarms and the job runner."""

    _name = "amazon.health.watch"
    _inherit = "amazon.health"
    _description = "Amazon Health of the Watch"

    _metrics = (
        Metric("watch_seconds", "Seconds since the watch has looked."),
        Metric("alarms", "Open alarms."),
        Metric("runner_connected", "1 where a job runner holds its lock, 0 elsewhere."),
        Metric("runner_idle_seconds", "Seconds since a job was done."),
        Metric("jobs_waiting", "Jobs that are due and were not started."),
        Metric("jobs_waiting_seconds", "Seconds since the oldest of them is due."),
        Metric("host_clock_seconds", "Seconds by which a host's clock is ahead."),
        Metric("failed", "Subjects that could not be measured."),
    )

    def _measure(self, accounts):
        """Override."""
        now = database_now(self.env)
        return [
            *self._measure_watch(now),
            *self._measure_alarms(),
            *self._measure_runner(now),
            *self._measure_clocks(),
        ]

    def _measure_watch(self, now):
        for watch, xmlid in CRONS.items():
            cron = self.env.ref(xmlid, raise_if_not_found=False)
            looked_at = cron and (cron.lastcall or cron.create_date)
            if looked_at:
                age = seconds(looked_at, now)
                yield Sample("watch_seconds", age, {"watch": watch})

    def _measure_alarms(self):
        groups = self.env["amazon.alarm"]._read_group(
            [("company_id", "=", self.env.company.id), ("state", "=", "open")],
            ["account_id", "kind"],
            ["__count"],
        )
        for account, kind, count in groups:
            yield Sample("alarms", count, {"account": account.name or "", "kind": kind})
        if not groups:
            yield Sample("alarms", 0, {"account": "", "kind": ""})

    def _measure_runner(self, now):
        holder = runner_facts.find_holder(self.env)
        yield Sample("runner_connected", int(holder is not None), {})
        done_at = self._last_job_at()
        if done_at:
            yield Sample("runner_idle_seconds", seconds(done_at, now), {})
        queue = self.env["amazon.check.runner"]._queue()
        yield Sample("jobs_waiting", queue.waiting, {})
        yield Sample("jobs_waiting_seconds", seconds(queue.since, now), {})

    def _last_job_at(self):
        """Return when a job of ours was done last, by queue_job's own index."""
        channels = self.env["amazon.check.runner"]._channel_names()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT MAX(last.date_done)
                  FROM unnest(%s) AS ours (channel),
                       LATERAL (SELECT date_done FROM queue_job
                                 WHERE queue_job.channel = ours.channel
                                   AND date_done IS NOT NULL
                                 ORDER BY date_done DESC LIMIT 1) AS last
                """,
                channels,
            )
        )
        return rows[0][0]

    def _measure_clocks(self):
        for clock in self.env["amazon.host.clock"].search([]):
            labels = {"host": clock.host}
            yield Sample("host_clock_seconds", clock.ahead_seconds, labels)
