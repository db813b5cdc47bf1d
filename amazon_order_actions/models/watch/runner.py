"""Whether queue_job's runner starts our jobs; where not, why, and what to do."""

from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL, LazyTranslate

from ..base.words import translated
from . import runner_facts
from .check import Check, Finding

_lt = LazyTranslate(__name__)

# A working runner starts a due job within a second or two; Odoo needs a few more to
# take it up where it is busy.
DUE_FOR = timedelta(seconds=15)
# A server that was started is given so long: it loads its addons, and its runner begins
# five seconds after that.
STARTING_FOR = timedelta(seconds=45)
# Odoo ends a request, and so a job, after limit_time_real (120 s by default); a job
# that is under way for longer has lost its process, and no runner has noticed.
JOB_LONGEST = timedelta(minutes=15)
# The runner says something to PostgreSQL each minute, whatever happens.
SILENT_FOR = timedelta(seconds=90)
# Jobs of others that are named, each kind once.
JOBS_NAMED = 3

# What came instead of Odoo's answer at the runner's address.
PROBLEMS = {
    "refused": _lt("nobody takes the connection"),
    "silent": _lt("no answer within %s seconds", runner_facts.PROBE_SECONDS),
    "insecure": _lt("no HTTPS, or a certificate that is not trusted"),
    "invalid": _lt("not a valid address"),
    "stranger": _lt("another program answers"),
}


class Queue(NamedTuple):
    """How the queue stands, as far as our jobs go.

    :param int waiting: jobs of the company that are due and not started
    :param since: since when the oldest is due
    :param bool is_started: whether one of ours was started or done a moment ago
    :param bool is_taken_up: whether the runner asks Odoo to run jobs that do not start
    """

    waiting: int
    since: object
    is_started: bool
    is_taken_up: bool


class Trouble(NamedTuple):
    """Why no job is started.

    :param str sentence: for administrators, with what to do
    :param str panel: for whoever waits, in a few words
    """

    sentence: str
    panel: str


class AmazonCheckRunner(models.AbstractModel):
    """Finds that the job runner starts no jobs of ours.

    Looked for by a scheduled action of its own, each minute and shortly after a click
    (`look_soon.py`): whoever asks for something should not wait longer to hear of it.
    """

    _name = "amazon.check.runner"
    _inherit = "amazon.check"
    _description = "Amazon Checks of the Job Runner"

    _checks = (
        Check(
            "runner",
            _lt("Job runner not working"),
            on_panel=True,
            explains_waiting=True,
            turn=None,
        ),
    )

    @api.model
    def _companies(self):
        """Return the companies that have jobs of ours waiting, or an alarm about it.

        :rtype: res.company
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT company_id FROM queue_job WHERE %s AND %s",
                self._ours_sql(),
                self._waits_sql(),
            )
        )
        alarms = self.env["amazon.alarm"].search(
            [("kind", "=", "runner"), ("state", "=", "open")]
        )
        waiting = self.env["res.company"].browse(row[0] for row in rows if row[0])
        return waiting | alarms.company_id

    @api.model
    def _is_too_early(self):
        """Whether this server was started a moment ago, so that its runner may still
        be about to begin."""
        running = fields.Datetime.now() - runner_facts.server_started_at()
        return running < STARTING_FOR

    def _find_runner(self, accounts):
        """Jobs are due, and nobody starts any."""
        queue = self._queue()
        if not queue.waiting:
            return []
        trouble = self._trouble(queue)
        if not trouble:
            return []
        message = self.env._(
            "Nothing is sent to Amazon at the moment. Jobs that wait: %(count)s. "
            "%(why)s",
            count=queue.waiting,
            why=trouble.sentence,
        )
        return [
            Finding(
                accounts.browse(), queue.waiting, message, queue.since, trouble.panel
            )
        ]

    # === THE QUEUE === #

    def _ours_sql(self):
        """Return the condition of jobs in the channels that ours run in, wherever they
        were moved to."""
        return SQL("channel = ANY(%s)", self._channel_names())

    def _channel_names(self):
        """Return those channels.

        :rtype: list[str]
        """
        functions = self.env["queue.job.function"].search(
            [("model_id.model", "=like", "amazon.%")]
        )
        return sorted(set(functions.mapped("channel")))

    def _waits_sql(self):
        """Return the condition of jobs that should have been started by now."""
        now = fields.Datetime.now()
        return SQL(
            """(
            (state = 'pending' AND date_created < %(due)s
                               AND (eta IS NULL OR eta < %(due)s))
            OR (state = 'enqueued' AND date_enqueued < %(due)s)
            OR (state = 'started' AND date_enqueued < %(longest)s))""",
            due=now - DUE_FOR,
            longest=now - JOB_LONGEST,
        )

    def _queue(self):
        """Return how the queue stands for the current company.

        :rtype: Queue
        """
        self.env["queue.job"].flush_model()
        recent = fields.Datetime.now() - DUE_FOR
        ours, waits = self._ours_sql(), self._waits_sql()
        ((waiting, since, is_started, is_taken_up),) = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(*) FILTER (WHERE %(mine)s),
                       MIN(GREATEST(date_created, eta)) FILTER (WHERE %(mine)s),
                       COALESCE(BOOL_OR(%(ours)s AND date_started >= %(recent)s), FALSE)
                       OR EXISTS (SELECT 1 FROM queue_job
                                   WHERE %(ours)s AND date_done >= %(recent)s),
                       COALESCE(BOOL_OR(%(waits)s AND date_enqueued IS NOT NULL
                                        AND date_started IS NULL), FALSE)
                  FROM queue_job
                 WHERE state IN ('pending', 'enqueued', 'started')
                """,
                mine=SQL(
                    "%s AND %s AND company_id = %s", ours, waits, self.env.company.id
                ),
                ours=ours,
                waits=waits,
                recent=recent,
            )
        )
        return Queue(waiting, since, is_started, is_taken_up)

    def _running(self):
        """Return the jobs of everybody that run: their process holds them.

        :return: channel, model and method, and whether it is ours, of each
        :rtype: list[tuple]
        """
        savepoint = self.env.cr.savepoint()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id, channel, name, COALESCE(%s, FALSE) FROM queue_job
                 WHERE state = 'started' ORDER BY id
                """,
                self._ours_sql(),
            )
        )
        # What can be locked is held by nobody. As the runner itself finds the dead;
        # let go at once.
        dead = self.env.execute_query(
            SQL(
                """
                SELECT queue_job_id FROM queue_job_lock
                 WHERE queue_job_id = ANY(%s) FOR SHARE SKIP LOCKED
                """,
                [row[0] for row in rows],
            )
        )
        savepoint.close(rollback=True)
        gone = {row[0] for row in dead}
        return [row[1:] for row in rows if row[0] not in gone]

    # === WHY === #

    def _trouble(self, queue):
        """Return why no job is started, None where jobs are.

        :param Queue queue: how the queue stands
        :rtype: Trouble | None
        """
        holder = runner_facts.find_holder(self.env)
        if queue.is_started:
            return None
        if holder is None:
            return self._nobody_works()
        running = self._running()
        if any(is_ours for *_what, is_ours in running):
            return None
        if queue.is_taken_up:
            return self._is_not_heard(holder)
        return (
            self._is_paused(holder)
            or self._is_full(running)
            or self._is_somebody_else(holder)
            or self._stands_still(holder)
        )

    def _trouble_now(self):
        """Return why no job of ours would be started now, also where none waits; None
        where nothing is known to be wrong. The set-up of an account asks.

        :rtype: Trouble | None
        """
        holder = runner_facts.find_holder(self.env)
        if holder is None:
            return self._nobody_works()
        queue = self._queue()
        return self._trouble(queue) if queue.waiting else self._is_paused(holder)

    def _nobody_works(self):
        """Say why no runner has connected itself to this database."""
        facts = runner_facts
        if not facts.is_enabled():
            sentence = self.env._(
                "The capacity of all job channels is 0 on the host %(host)s "
                "(%(channels)s), so no job runner is started.",
                host=facts.host_name(),
                channels=facts.channels(),
            )
            panel = self.env._(
                "Nothing is sent now: Odoo's job runner is switched off."
            )
            return self._to_be_set(sentence, panel, self._room())
        panel = self.env._("Nothing is sent now: Odoo's job runner is not running.")
        if not facts.is_loaded() and not facts.is_written():
            sentence = self.env._(
                "No job runner is started: queue_job is installed, but the server on "
                "the host %s does not load it when it starts.",
                facts.host_name(),
            )
            lines = self._room()
            lines.load()
            return self._to_be_set(sentence, panel, lines)
        return Trouble(f"{self._why_not_running()} {self._restart()}", panel)

    def _why_not_running(self):
        facts = runner_facts
        if not facts.is_loaded():
            return self.env._(
                "The configuration names queue_job among the server-wide modules, but "
                "the server on the host %(host)s was started before that (%(since)s "
                "UTC), so it runs no job runner.",
                host=facts.host_name(),
                since=fields.Datetime.to_string(facts.server_started_at()),
            )
        served = facts.served_databases(self.env)
        if served:
            return self.env._(
                "A job runner works, but on other databases alone (%(others)s). It "
                "looks for databases when it starts, and only for those of db_name "
                "where that is set: is %(own)s among them?",
                others=", ".join(served),
                own=self.env.cr.dbname,
            )
        return self.env._(
            "No job runner is connected to this database. Either queue_job was "
            "installed after the server had been started, or the runner has ended: "
            "the log of the host %s says so.",
            facts.host_name(),
        )

    def _is_not_heard(self, holder):
        """Say why Odoo does not hear what the runner asks it to run."""
        panel = self.env._("Nothing is sent now: Odoo's job runner cannot reach Odoo.")
        if not holder.is_of_this_server():
            return Trouble(self._somebody_else(holder), panel)
        probed = runner_facts.probe(self.env.cr.dbname)
        if probed.problem is None:
            sentence = self.env._(
                "The job runner asks Odoo at %s to run jobs, and Odoo answers there, "
                "but takes up none: are all its workers busy? The log says why.",
                probed.url,
            )
            return Trouble(sentence, panel)
        sentence = self.env._(
            "The job runner asks Odoo at %(url)s to run jobs, and Odoo is not there: "
            "%(problem)s. Let it call the address at which Odoo listens itself, past "
            "any proxy.",
            url=probed.url,
            problem=self._problem(probed.problem),
        )
        lines = runner_facts.Lines()
        lines.call_this_server()
        return self._to_be_set(sentence, panel, lines)

    def _problem(self, problem):
        if isinstance(problem, int):
            return self.env._("HTTP status %s", problem)
        return translated(self.env, PROBLEMS[problem])

    def _is_paused(self, holder):
        if not holder.is_of_this_server():
            return None
        paused = self._channels().paused(self._channel())
        if not paused:
            return None
        sentence = self.env._(
            "The job channel %(channel)s is paused on the host %(host)s "
            "(%(channels)s).",
            channel=paused,
            host=runner_facts.host_name(),
            channels=runner_facts.channels(),
        )
        panel = self.env._("Nothing is sent now: Odoo's job queue is switched off.")
        return self._to_be_set(sentence, panel, self._room())

    def _is_full(self, running):
        """Say that jobs of others take all the room there is."""
        channels = self._channels()
        for level in runner_facts.levels(self._channel()):
            within = [
                name
                for channel, name, _is_ours in running
                if channel == level or channel.startswith(f"{level}.")
            ]
            capacity = channels.capacity(level)
            if capacity and len(within) >= capacity:
                return self._full(level, capacity, within)
        return None

    def _full(self, level, capacity, within):
        names = list(dict.fromkeys(within))[:JOBS_NAMED]
        sentence = self.env._(
            "Other jobs take all the room of the job channel %(channel)s (capacity "
            "%(capacity)s): %(jobs)s. They are waited for. Give the channels more "
            "room, or move those jobs to a channel of their own (Job Queue → Job "
            "Functions).",
            channel=level,
            capacity=capacity,
            jobs=", ".join(names),
        )
        panel = self.env._(
            "Nothing is sent now: other work of Odoo fills the job queue."
        )
        return self._to_be_set(sentence, panel, self._room(2 * capacity))

    def _is_somebody_else(self, holder):
        if holder.is_of_this_server():
            return None
        panel = self.env._("Nothing is sent now: Odoo's job runner is not running.")
        return Trouble(self._somebody_else(holder), panel)

    def _somebody_else(self, holder):
        """Say that the place of the runner is held by another server than this one."""
        since = fields.Datetime.to_string(holder.since) or "?"
        if holder.is_left_over():
            return self.env._(
                "The place of the job runner is held by the process %(process)s on the "
                "host %(host)s, which was left over when its server was killed "
                "(connected since %(since)s UTC). End it: kill %(process)s. The job "
                "runner of the server that runs takes over within ten seconds.",
                process=holder.process_id,
                host=runner_facts.host_name(),
                since=since,
            )
        if holder.runs_here():
            return self.env._(
                "The place of the job runner is held by the process %(process)s on the "
                "host %(host)s, which belongs to another server than the one that "
                "looks for it (connected since %(since)s UTC). It starts no job, or "
                "calls an address where Odoo is not. Is it meant to run? Otherwise end "
                "it: kill %(process)s.",
                process=holder.process_id,
                host=runner_facts.host_name(),
                since=since,
            )
        return self.env._(
            "The place of the job runner is held by a process of another host "
            "(%(address)s, process %(process)s, connected since %(since)s UTC). It "
            "starts no job, or calls an address where Odoo is not. Look at channels, "
            "host and port under [queue_job] there, and at its log; if that server is "
            "not meant to run, end it.",
            address=holder.address or "?",
            process=holder.process_id or "?",
            since=since,
        )

    def _stands_still(self, holder):
        panel = self.env._("Nothing is sent now: Odoo's job runner is not running.")
        heard_at = holder.heard_at
        if heard_at and fields.Datetime.now() - heard_at > SILENT_FOR:
            sentence = self.env._(
                "The job runner (process %(process)s on the host %(host)s) holds its "
                "connection to the database, and has said nothing since %(since)s UTC: "
                "it hangs.",
                process=holder.process_id or "?",
                host=runner_facts.host_name(),
                since=fields.Datetime.to_string(heard_at),
            )
        else:
            sentence = self.env._(
                "The job runner (process %(process)s on the host %(host)s) is "
                "connected to the database and starts no job. Its log says why.",
                process=holder.process_id or "?",
                host=runner_facts.host_name(),
            )
        return Trouble(f"{sentence} {self._restart()}", panel)

    # === WHAT TO DO === #

    def _channel(self):
        """Return the channel of what sends."""
        xmlid = "amazon_order_actions.job_function_feed_dispatch"
        function = self.env.ref(xmlid, raise_if_not_found=False)
        return function and function.channel or "root"

    def _channels(self):
        return runner_facts.Channels(runner_facts.channels())

    def _restart(self):
        return self.env._(
            "Restart Odoo: the whole server; an update of the addons does not do it."
        )

    def _room(self, least=2):
        """Return the lines that give our jobs room.

        :param int least: jobs at a time
        :rtype: Lines
        """
        lines = runner_facts.Lines()
        lines.set("channels", self._channels().with_room(self._channel(), least))
        return lines

    def _to_be_set(self, sentence, panel, lines):
        """Return the trouble with the lines that end it.

        :param str sentence: what is wrong
        :param str panel: the same for whoever waits
        :param Lines lines: of the configuration
        :rtype: Trouble
        """
        parts = [sentence]
        if lines.of_file():
            file = runner_facts.config_file()
            where = (
                self.env._("Set in %s:", file)
                if file
                else self.env._("Set in Odoo's configuration file:")
            )
            parts += [where, "\n".join(lines.of_file())]
        if lines.environment:
            where = self.env._(
                "Set in the environment of the server, which goes before the file:"
            )
            parts += [where, "\n".join(lines.environment)]
        return Trouble("\n\n".join([*parts, self._restart()]), panel)
