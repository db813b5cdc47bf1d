import json
import logging
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.queue_job.job import CANCELLED
from odoo.addons.queue_job.jobrunner.runner import PG_ADVISORY_LOCK_ID

from ...const import CONFIRM_ALERT_DAYS, OPEN_STATES, URGENT_RESERVE
from ...spapi.credentials import IncompleteCredentials
from ...spapi.errors import Refused
from ..account.seller_account import is_access_refused
from ..action.lane import Lane
from ..base.background import in_background
from ..order.reading import AWAITED_STATES
from ..sending.dispatch import BEHIND_UNKNOWN, BETTER_KNOWN
from ..sending.foreign_feed import DOUBTFUL
from ..watch.alarm import PANEL_KINDS, Finding

_logger = logging.getLogger(__name__)

# In this order: the last one names what none of the others explains.
CHECKS = (
    "future",
    "clock",
    "runner",
    "job_failed",
    "life",
    "life_record",
    "breaker",
    "breaker_blocked",
    "stopped",
    "stalled",
    "call_lost",
    "abandoned",
    "unfollowed",
    "unasked",
    "undone",
    "feed_slow",
    "unknown",
    "unconfirmed",
    "follower",
    "set_aside",
    "secrets",
    "secret_due",
    "secret_near",
    "secret_over",
    "seller_id",
    "access",
    "unrecorded",
    "anchor",
    "work_failed",
    "watermark",
    "quota",
    "foreign",
    "waiting",
)

# What explains why actions wait.
EXPLAINING = (
    "runner",
    "stalled",
    "watermark",
    "quota",
    "secrets",
    "seller_id",
    "access",
)

# A working runner starts a due job within seconds; the watch itself looks this often.
RUNNER_DELAY = timedelta(minutes=5)
# Odoo ends a request, and so a job, after limit_time_real (120 s by default); a job
# that is under way for longer has lost its process, and no runner has noticed.
JOB_LONGEST = timedelta(minutes=15)
# The next dispatch of a lane is enqueued by the one before it, at most a minute ahead,
# or for when Amazon's quota allows it; a lane without any for longer was lost.
STALLED_AFTER = timedelta(minutes=10)
# createFeed is given up after 100 seconds, and what came of it is recorded for two
# minutes more.
ABANDONED_AFTER = timedelta(minutes=5)
UNFOLLOWED_AFTER = timedelta(minutes=5)
# What a feed waits for has its job from the moment that it waits.
UNASKED_AFTER = timedelta(minutes=10)
# Amazon processes feeds in minutes to hours. Below an hour nothing is slow; above it,
# what takes twice as long as nine in ten of the last feeds.
FEED_SLOW_AFTER = timedelta(hours=1)
FEED_SLOW_FACTOR = 2
USUAL_FEEDS = 50
# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents).
UNCONFIRMED_AFTER = timedelta(days=3)
# A single refusal may be a hiccup at Amazon; the next reading that works ends it.
ACCESS_AFTER = timedelta(minutes=5)
# Ranges are read every five minutes while there is something to do, and nothing is sent
# for an order that is not known up to now.
WATERMARK_AFTER = timedelta(hours=1)
# createFeed allows one call in two minutes, and an envelope takes thousands: nothing
# that can be sent waits so long.
WAITING_AFTER = timedelta(minutes=30)

# Records that one run enqueues a job for; the rest follows in the next ones.
UNDONE_PER_RUN = 200
# Jobs that the alarm names, of each kind one.
JOBS_NAMED = 5
# Failed jobs that one run cancels; the rest follows in the next ones.
TWINS_PER_RUN = 500
# Notes posted in one run, so that a run stays short; the rest follows in the next ones.
NOTES_PER_RUN = 200


class AmazonAlarm(models.Model):
    """The watch: finds rows that nobody moves, and says so.

    Independent of the job runner, by a scheduled action. Nothing depends on it: the
    state rows decide what may be sent. It mends only by enqueueing a job that is safe
    to run at any time. Each check counts; none walks through the rows it counts.
    """

    _inherit = "amazon.alarm"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    @api.model
    def _cron_watch(self):
        """Look at all companies. Scheduled action, every five minutes."""
        self.env["amazon.life"]._check_in_watch()
        self.env["amazon.host.clock"]._compare()
        accounts = self._accounts_to_watch()
        open_alarms = self.search([("state", "=", "open")])
        failures = self.env["amazon.failure"]
        noted = failures.search([])
        companies = accounts.company_id | open_alarms.company_id | noted.company_id
        for company in companies:
            of_company = accounts.filtered_domain([("company_id", "=", company.id)])
            failures._run_apart(
                "watch", in_background(self, company), "_watch", of_company
            )

    def _accounts_to_watch(self):
        """Return the active accounts, and the archived ones that left something on its
        way."""
        accounts = self.env["amazon.seller.account"]
        on_the_way = self.env["amazon.action"]._read_group(
            [("state", "in", ("queued", "sending", "submitted", "unknown"))],
            ["account_id"],
        )
        return accounts.search([]).union(*(account for (account,) in on_the_way))

    def _watch(self, accounts):
        """Run the checks for the current company.

        :param amazon.seller.account accounts: those of the company
        """
        accounts = accounts.with_env(self.env)
        alarms = self.search(
            [("company_id", "=", self.env.company.id), ("state", "=", "open")]
        )
        alarmed = set(alarms.mapped("kind"))
        failed = [
            kind for kind in CHECKS if not self._check(kind, accounts, kind in alarmed)
        ]
        if failed or "check_failed" in alarmed:
            self._try_to_tell(
                lambda: self._report("check_failed", self._failed_checks(failed))
            )

    def _check(self, kind, accounts, is_alarmed):
        """Look for one kind of trouble and report it.

        :param str kind: one of `CHECKS`
        :param amazon.seller.account accounts: those of the company
        :param bool is_alarmed: whether an alarm of this kind is open, and may be over
        :return: whether that worked: one check that fails must not silence the others
        :rtype: bool
        """
        try:
            with self.env.cr.savepoint():
                findings = getattr(self, f"_find_{kind}")(accounts)
            # Apart: telling that fails must not undo what the check has mended.
            if findings or is_alarmed:
                with self.env.cr.savepoint():
                    self._report(kind, findings)
        except OperationalError:
            # The watch of this company is run again.
            raise
        except Exception:
            _logger.exception("The check %s failed", kind)
            return False
        return True

    def _failed_checks(self, kinds):
        """Return the finding that says which checks failed."""
        if not kinds:
            return []
        labels = dict(self._fields["kind"]._description_selection(self.env))
        message = self.env._(
            "The watch could not look for everything, because of an error in the "
            "program: %(checks)s. An alarm of that kind may be missing or out of date. "
            "The server's log has the errors.",
            checks=", ".join(labels[kind] for kind in kinds),
        )
        return [Finding(self.env["amazon.seller.account"], len(kinds), message)]

    # === JOBS === #

    def _find_runner(self, accounts):
        """Jobs are due, and nobody starts any."""
        now = fields.Datetime.now()
        due = now - RUNNER_DELAY
        channels = self._channels()
        overdue = Domain("channel", "in", channels) & Domain(
            [
                ("company_id", "=", self.env.company.id),
                *["|", "&", "&"],
                ("state", "=", "pending"),
                ("date_created", "<", due),
                *["|", ("eta", "=", False), ("eta", "<", due)],
                *["&", ("state", "in", ("enqueued", "started"))],
                ("date_enqueued", "<", now - JOB_LONGEST),
            ]
        )
        count = self.env["queue.job"].search_count(overdue)
        if not count or self._is_any_started(channels, due):
            return []
        if self._is_runner_connected():
            message = self.env._(
                "Nothing is sent to Amazon at the moment: jobs are due (%s), and the "
                "job runner starts none. Check the capacity of the channel "
                "root.amazon, and that the runner reaches Odoo by HTTP.",
                count,
            )
        else:
            message = self.env._(
                "Nothing is sent to Amazon at the moment: jobs are due (%s), and no "
                "job runner is connected to this database. Check that queue_job is "
                "among the server-wide modules, and that its Odoo process runs.",
                count,
            )
        return [Finding(self.env["amazon.seller.account"], count, message)]

    def _channels(self):
        """Return the channels that our jobs run in, wherever they were moved to."""
        functions = self.env["queue.job.function"].search(
            [("model_id.model", "=like", "amazon.%")]
        )
        return list(set(functions.mapped("channel")))

    def _is_any_started(self, channels, since):
        """Whether a runner works: a job of these channels was started, of whatever
        company."""
        jobs = self.env["queue.job"]
        in_channels = Domain("channel", "in", channels)
        return bool(
            jobs.search_count(in_channels & Domain("date_done", ">=", since), limit=1)
            or jobs.search_count(
                in_channels
                & Domain([("state", "=", "started"), ("date_started", ">=", since)]),
                limit=1,
            )
        )

    def _is_runner_connected(self):
        """Whether a runner holds the lock that makes it the only one of this database
        (queue_job, jobrunner/runner.py)."""
        self.env.cr.execute(
            """
            SELECT 1 FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND objsubid = 1
               AND database = (SELECT oid FROM pg_database
                                WHERE datname = current_database())
               AND ((classid::bigint << 32) | objid::bigint) = %s
            """,
            [PG_ADVISORY_LOCK_ID],
        )
        return bool(self.env.cr.fetchone())

    def _find_job_failed(self, accounts):
        """A job ended with an error in the program. Of jobs that do the same, the
        newest is kept; what they left undone is enqueued by the other checks."""
        self._drop_failed_twins()
        failed = self.env["queue.job"].search(
            [
                ("state", "=", "failed"),
                ("model_name", "=like", "amazon.%"),
                ("company_id", "=", self.env.company.id),
            ],
            order="id desc",
        )
        if not failed:
            return []
        kinds = failed.grouped(lambda job: (job.model_name, job.method_name))
        message = self.env._(
            "Jobs fail with an error in the program: %(jobs)s. The newest of each is "
            "kept under Job Queue and shows the error. What is still needed is tried "
            "again by itself; it is safe to set them to pending, too.",
            jobs=", ".join(jobs[0].name for jobs in list(kinds.values())[:JOBS_NAMED]),
        )
        return [Finding(self.env["amazon.seller.account"], len(kinds), message)]

    def _drop_failed_twins(self):
        """Cancel the failed jobs of the company that a newer one did the same as and
        failed, too."""
        self.env["queue.job"].flush_model()
        # whatever the options: a dispatch of a lane is one
        self.env.cr.execute(
            """
            SELECT id
              FROM (SELECT id, row_number() OVER (
                               PARTITION BY model_name, method_name,
                                            (records #>> '{}')::jsonb -> 'ids',
                                            args #>> '{}'
                                   ORDER BY id DESC) AS place
                      FROM queue_job
                     WHERE state = 'failed' AND model_name LIKE 'amazon.%%'
                       AND company_id = %s) AS failed
             WHERE place > 1
             ORDER BY id
             LIMIT %s
            """,
            [self.env.company.id, TWINS_PER_RUN],
        )
        twins = self.env["queue.job"].browse(row[0] for row in self.env.cr.fetchall())
        twins._change_job_state(
            CANCELLED, self.env._("The same job failed again; the newest is kept.")
        )

    # === QUEUED ACTIONS === #

    def _find_stopped(self, accounts):
        """Actions wait because somebody stopped them, or archived the account. What
        the program alone has stopped has an alarm of its own."""
        by_people = accounts.filtered(
            lambda account: (
                not account.active
                or not all(
                    stop.is_automatic or stop.life_id for stop in account._open_stops()
                )
            )
        )
        held = self._waiting(by_people, STALLED_AFTER, by_people._held_domain())
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions of %(account)s that are stopped: %(count)s. %(why)s",
                    account=account.name,
                    count=count,
                    why=self._why_stopped(account),
                ),
                since,
            )
            for account, (count, since) in held.items()
        ]

    def _why_stopped(self, account):
        if not account.active:
            return self.env._("The account is archived.")
        return account._open_stops()._sentences()

    def _find_stalled(self, accounts):
        """Actions wait in a lane that no job will look at. Enqueues one."""
        with_job = self._lanes_with_job()
        # What the account itself holds up is told by another check.
        accounts = accounts.filtered(lambda account: not account._sending_problem())
        waiting = self._waiting_lanes(accounts, STALLED_AFTER, ~accounts._held_domain())
        lost = {
            lane: numbers
            for lane, numbers in waiting.items()
            if lane.feed_type and lane not in with_job
        }
        for lane in lost:
            self.env["amazon.feed"]._enqueue_return(lane, 0)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that waited for more than %(minutes)s minutes without a "
                    "job to send them: %(count)s. A new job was enqueued.",
                    minutes=_minutes(STALLED_AFTER),
                    count=count,
                ),
                since,
            )
            for account, (count, since) in self._by_account(lost).items()
        ]

    def _find_call_lost(self, accounts):
        """A call of its own that nobody makes or looks for. Enqueues that."""
        lost = self.env["amazon.action"]._lost_calls(
            accounts, fields.Datetime.now() - STALLED_AFTER
        )
        lost._mend_call()
        found = {}
        for action in lost:
            _add(found, action.account_id, 1, action.last_state_change)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that waited without a job: %s. A new job was enqueued.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _lanes_with_job(self):
        """Return the lanes that a dispatch is enqueued for or runs in.

        queue_job keeps the arguments as JSON or as JSON in a string of JSON.
        """
        self.env["queue.job"].flush_model()
        self.env.cr.execute(
            """
            SELECT DISTINCT args #>> '{}' FROM queue_job
             WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started')
               AND model_name = 'amazon.feed' AND method_name = '_job_dispatch'
            """
        )
        return {Lane(*json.loads(args)) for (args,) in self.env.cr.fetchall()}

    def _find_watermark(self, accounts):
        """What changed at Amazon is not read, so what waits cannot be checked."""
        limit = fields.Datetime.now() - WATERMARK_AFTER
        waiting = self._waiting(accounts, STALLED_AFTER, ~accounts._held_domain())
        behind = self.env["amazon.watermark"].search(
            [
                ("account_id", "in", [account.id for account in waiting]),
                ("subject", "in", ("orders", "transactions")),
                # Without the role for finances nothing waits for them.
                ("is_refused", "=", False),
                *["|", ("known_until", "<", limit)],
                *["&", ("known_until", "=", False), ("known_since", "<", limit)],
            ]
        )
        return [
            Finding(
                account,
                len(marks),
                self.env._(
                    "What changed at Amazon was not read for more than an hour, and "
                    "actions wait for it: %(count)s. %(problem)s",
                    count=waiting[account][0],
                    problem=marks.filtered("message")[:1].message or "",
                ),
                min(mark.known_until or mark.known_since for mark in marks),
            )
            for account, marks in behind.grouped("account_id").items()
        ]

    def _find_quota(self, accounts):
        """Amazon's quota for feeds is used up for long."""
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Amazon's quota for sending is used up, and actions wait for more "
                    "than %(minutes)s minutes: %(count)s. They leave as the quota "
                    "allows. Find out which other program sends feeds for this seller.",
                    minutes=_minutes(WAITING_AFTER),
                    count=count,
                ),
                since,
            )
            for account, (count, since) in self._waiting(
                accounts, WAITING_AFTER, ~accounts._held_domain()
            ).items()
            # as many as what is not urgent needs
            if account._quota_wait("createFeed", 1 + URGENT_RESERVE)
        ]

    def _find_foreign(self, accounts):
        """Another program sends feeds for an account. They stop nothing."""
        lately = self.env["amazon.foreign.feed"]._lately(accounts)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "%(sentence)s If Amazon's answer to a sending of ours is lost, a "
                    "person will often have to look for the outcome. Find out which "
                    "program it is, and keep it from refunding and cancelling.",
                    sentence=account._foreign_sentence(count, last),
                ),
            )
            for account, (count, last) in lately.items()
        ]

    def _find_waiting(self, accounts):
        """Actions wait for long, nobody stopped them, and no other alarm says why."""
        explained = self.search(
            [
                ("company_id", "=", self.env.company.id),
                ("kind", "in", EXPLAINING),
                ("state", "=", "open"),
            ]
        )
        if any(not alarm.account_id for alarm in explained):
            return []
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that are due for more than %(minutes)s minutes and not "
                    "sent: %(count)s. See under Amazon > Actions what each waits for.",
                    minutes=_minutes(WAITING_AFTER),
                    count=count,
                ),
                since,
            )
            for account, (count, since) in self._waiting(
                accounts - explained.account_id,
                WAITING_AFTER,
                ~accounts._held_domain(),
            ).items()
        ]

    def _waiting(self, accounts, at_least, which):
        """Count the actions of each account that are due for so long.

        :param timedelta at_least: due for longer
        :param Domain which: those of these
        :return: for each account with such actions, how many, and the oldest time
        :rtype: dict
        """
        return self._by_account(self._waiting_lanes(accounts, at_least, which))

    def _waiting_lanes(self, accounts, at_least, which):
        limit = fields.Datetime.now() - at_least
        groups = self.env["amazon.action"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                ("state", "=", "queued"),
                ("last_state_change", "<", limit),
                *["|", ("due_at", "=", False), ("due_at", "<", limit)],
                *self.env["amazon.action"]._goes_on_domain(),
                *which,
            ],
            ["account_id", "marketplace", "feed_type"],
            ["__count", "last_state_change:min"],
        )
        lanes = {}
        for account, marketplace, feed_type, count, since in groups:
            _add(lanes, Lane(account.id, marketplace, feed_type), count, since)
        return lanes

    def _by_account(self, lanes):
        accounts = {}
        for lane, (count, since) in lanes.items():
            account = self.env["amazon.seller.account"].browse(lane.account_id)
            _add(accounts, account, count, since)
        return accounts

    # === FEEDS === #

    def _find_abandoned(self, accounts):
        """A sender died. Enqueues a dispatch, which says so of the feed."""
        groups = self.env["amazon.feed"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                ("state", "=", "sending"),
                ("sending_at", "<", fields.Datetime.now() - ABANDONED_AFTER),
                ("set_aside_at", "=", False),
            ],
            ["account_id", "marketplace", "feed_type"],
            ["__count", "sending_at:min"],
        )
        lanes = {
            Lane(account.id, marketplace, feed_type): (count, since)
            for account, marketplace, feed_type, count, since in groups
        }
        for lane in lanes:
            self.env["amazon.feed"]._enqueue_return(lane, 0)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Feeds whose sending was interrupted: %s. A job was enqueued that "
                    "settles what became of them; they are not sent again.",
                    count,
                ),
                since,
            )
            for account, (count, since) in self._by_account(lanes).items()
        ]

    def _find_unfollowed(self, accounts):
        """More is known of a feed than its actions say. Enqueues what tells them."""
        groups = self.env["amazon.action"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                ("state", "=", "sending"),
                ("last_state_change", "<", fields.Datetime.now() - UNFOLLOWED_AFTER),
                ("feed_id", "!=", False),
                ("feed_id.state", "!=", "sending"),
                ("feed_id.set_aside_at", "=", False),
                ("set_aside_at", "=", False),
            ],
            ["feed_id"],
            ["__count", "last_state_change:min"],
        )
        found, with_job = {}, self._ids_with_job("amazon.feed", "_job_follow")
        for feed, count, since in groups:
            if feed.id not in with_job:
                feed._enqueue_follow()
            _add(found, feed.account_id, count, since)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that do not show yet what is known of their feed: %s. A "
                    "job was enqueued that tells them.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _find_unasked(self, accounts):
        """A feed waits for something, and the job that would bring it is lost.
        Enqueues it."""
        lost = self.env["amazon.feed"]
        for method, domain, enqueue in self._needed_jobs():
            feeds = lost.search(
                [
                    ("account_id", "in", accounts.ids),
                    ("write_date", "<", fields.Datetime.now() - UNASKED_AFTER),
                    ("set_aside_at", "=", False),
                    *domain,
                ]
            )
            with_job = self._ids_with_job("amazon.feed", method) if feeds else ()
            for feed in feeds.filtered(lambda feed, ids=with_job: feed.id not in ids):
                enqueue(feed)
                lost |= feed
        found = {}
        for feed in lost:
            _add(found, feed.account_id, 1, feed.write_date)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Feeds that waited without a job: %s. A new job was enqueued.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _needed_jobs(self):
        """Return what must not be without a job: the job's method, the feeds, and what
        enqueues it. Each comes to an end, so that it is not needed for ever."""
        watched_since = fields.Datetime.now() - timedelta(days=CONFIRM_ALERT_DAYS)
        processed = ("state", "in", ("done", "fatal"))
        cancelled = [
            ("state", "=", "cancelled"),
            ("is_adopted", "=", False),
            _carries("submitted", "unknown"),
        ]
        adopted_cancelled = Domain("state", "=", "cancelled") & DOUBTFUL
        undecided = [
            ("state", "=", "unknown"),
            ("needs_person", "=", False),
            ("set_aside_at", "=", False),
        ]
        return [
            (
                "_job_poll",
                [("state", "=", "submitted")],
                lambda feed: feed._enqueue_poll(0),
            ),
            (
                "_job_apply_report",
                [
                    processed,
                    ("report_file_id", "!=", False),
                    _carries("submitted"),
                ],
                lambda feed: feed._enqueue_apply_report(),
            ),
            (
                "_job_late_report",
                [
                    processed,
                    ("report_file_id", "=", False),
                    ("done_at", ">", watched_since),
                    _carries("submitted", "unknown"),
                ],
                lambda feed: feed._enqueue_late_report(),
            ),
            (
                "_job_look_at_orders",
                (Domain([processed]) | adopted_cancelled)
                & Domain([("done_at", ">", watched_since), _carries("unknown")]),
                lambda feed: feed._enqueue_look_at_orders(),
            ),
            (
                "_job_reconcile",
                self.env["amazon.feed"]._sought_domain()
                & Domain("action_ids.state", "in", OPEN_STATES),
                lambda feed: feed._enqueue_reconcile(),
            ),
            (
                "_job_move_actions",
                [
                    ("state", "=", "unknown"),
                    ("handed_at", "!=", False),
                    ("action_ids", "any", undecided),
                ],
                lambda feed: feed._enqueue_move("person"),
            ),
            (
                "_job_follow",
                [
                    ("state", "in", BETTER_KNOWN),
                    (
                        "action_ids",
                        "any",
                        [*BEHIND_UNKNOWN, ("set_aside_at", "=", False)],
                    ),
                ],
                lambda feed: feed._enqueue_follow(),
            ),
            (
                "_job_move_actions",
                [*cancelled, ("drop_asked_at", "=", False)],
                lambda feed: feed._enqueue_move("rejected"),
            ),
            (
                "_job_move_actions",
                adopted_cancelled & Domain("action_ids.state", "=", "submitted"),
                lambda feed: feed._enqueue_move("unknown"),
            ),
            (
                "_job_withdraw_dropped",
                [*cancelled, ("drop_asked_at", "!=", False)],
                lambda feed: feed._enqueue_withdrawal(),
            ),
            (
                "_job_drop",
                [
                    ("state", "=", "submitted"),
                    ("processing_status", "=", "IN_QUEUE"),
                    ("drop_asked_at", "!=", False),
                    ("drop_told_at", "=", False),
                ],
                lambda feed: feed._enqueue_drop(),
            ),
        ]

    def _find_undone(self, accounts):
        """Something beside the feeds waits for a job that is lost. Enqueues it."""
        found = {}
        before = fields.Datetime.now() - UNASKED_AFTER
        for model, method, domain, enqueue in self._needed_jobs_beside(before):
            records = self.env[model].search(
                [("account_id", "in", accounts.ids), *domain], limit=UNDONE_PER_RUN
            )
            with_job = self._ids_with_job(model, method) if records else ()
            for record in records:
                if record.id not in with_job:
                    enqueue(record)
                    _add(found, record.account_id, 1, record.write_date)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Orders to be read, replies and cancellations to be followed that "
                    "waited without a job: %s. A new job was enqueued.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _needed_jobs_beside(self, before):
        """Return what else must not be without a job: the model, the job's method, a
        domain of the records, and what enqueues it. Others add their own.

        :param datetime before: it waits since before then
        """
        return [
            (
                "amazon.order",
                "_job_read",
                [("read_state", "=", "requested"), ("write_date", "<", before)],
                lambda order: order._request_read(),
            )
        ]

    def _ids_with_job(self, model, method):
        """Return the ids of the records that a job of this method is there for."""
        self.env["queue.job"].flush_model()
        self.env.cr.execute(
            """
            SELECT ((records #>> '{}')::jsonb -> 'ids' ->> 0)::integer
              FROM queue_job
             WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started')
               AND model_name = %s AND method_name = %s
            """,
            [model, method],
        )
        return {record_id for (record_id,) in self.env.cr.fetchall()}

    def _find_feed_slow(self, accounts):
        """Amazon takes longer over a feed than usual."""
        now = fields.Datetime.now()
        found = {}
        for account, feed_type in self._slow_candidates(accounts, now):
            usual = self._usual_processing(account, feed_type)
            limit = now - max(FEED_SLOW_AFTER, FEED_SLOW_FACTOR * usual)
            count, since = self.env["amazon.feed"]._read_group(
                [
                    ("account_id", "=", account.id),
                    ("feed_type", "=", feed_type),
                    ("state", "=", "submitted"),
                    ("submitted_at", "<", limit),
                ],
                [],
                ["__count", "submitted_at:min"],
            )[0]
            if count:
                _add(found, account, count, since)
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Amazon takes longer than usual over what it was sent. Feeds that "
                    "wait for its answer: %s. Nothing is lost; do not do it a second "
                    "time in Seller Central.",
                    count,
                ),
                since,
            )
            for account, (count, since) in found.items()
        ]

    def _slow_candidates(self, accounts, now):
        return self.env["amazon.feed"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                ("state", "=", "submitted"),
                ("submitted_at", "<", now - FEED_SLOW_AFTER),
            ],
            ["account_id", "feed_type"],
        )

    def _usual_processing(self, account, feed_type):
        """Return the time within which nine in ten of the last feeds were processed."""
        self.env["amazon.feed"].flush_model()
        self.env.cr.execute(
            """
            SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY done_at - submitted_at)
              FROM (SELECT done_at, submitted_at FROM amazon_feed
                     WHERE account_id = %s AND feed_type = %s
                       AND done_at IS NOT NULL AND submitted_at IS NOT NULL
                     ORDER BY done_at DESC LIMIT %s) AS latest
            """,
            [account.id, feed_type, USUAL_FEEDS],
        )
        return self.env.cr.fetchone()[0] or timedelta()

    # === OUTCOMES === #

    def _find_unknown(self, accounts):
        """The search at Amazon ended without an outcome: a person must look."""
        groups = self.env["amazon.action"]._read_group(
            [
                ("company_id", "=", self.env.company.id),
                ("account_id", "in", accounts.ids),
                ("needs_person", "=", True),
            ],
            ["account_id"],
            ["__count", "last_state_change:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions whose outcome nobody knows, and that wait for a decision: "
                    "%s. They are not sent again. Look at their orders in Seller "
                    "Central.",
                    count,
                ),
                since,
            )
            for account, count, since in groups
        ]

    def _find_unconfirmed(self, accounts):
        """Amazon accepted it, and its own data does not show it. After a time, the
        tickets are told, too."""
        self._note_unconfirmed(accounts)
        limit = fields.Datetime.now() - UNCONFIRMED_AFTER
        groups = self.env["amazon.action"]._read_group(
            [
                ("account_id", "in", accounts.ids),
                *["|", ("state", "=", "accepted")],
                *["&", ("state", "=", "submitted"), ("feed_id", "=", False)],
                ("kind", "in", self.env["amazon.action"]._kinds_shown()),
                ("last_state_change", "<", limit),
            ],
            ["account_id"],
            ["__count", "last_state_change:min"],
        )
        return [
            Finding(
                account,
                count,
                self.env._(
                    "Actions that Amazon accepted more than %(days)s days ago, and "
                    "that its own data does not show: %(count)s. Look at their orders "
                    "in Seller Central.",
                    days=UNCONFIRMED_AFTER.days,
                    count=count,
                ),
                since,
            )
            for account, count, since in groups
        ]

    def _note_unconfirmed(self, accounts):
        """Say once on the ticket of each action that Amazon's data does not show it."""
        limit = fields.Datetime.now() - timedelta(days=CONFIRM_ALERT_DAYS)
        overdue = self.env["amazon.action"].search(
            [
                ("account_id", "in", accounts.ids),
                ("state", "in", AWAITED_STATES),
                ("kind", "in", self.env["amazon.action"]._kinds_shown()),
                ("last_state_change", "<", limit),
                ("unconfirmed_noted_at", "=", False),
            ],
            limit=NOTES_PER_RUN,
        )
        overdue._note_unconfirmed()

    def _find_unrecorded(self, accounts):
        """What Amazon says of orders cannot be recorded."""
        orders = self.env["amazon.order"].search(
            [("account_id", "in", accounts.ids), ("unrecorded_count", ">", 0)]
        )
        return [
            Finding(
                account,
                len(of_account),
                self.env._(
                    "Orders that Amazon tells of and that cannot be recorded, because "
                    "of an error in the program: %(orders)s. What is asked for them "
                    "waits; everything else goes on. The server's log has the errors.",
                    orders=", ".join(of_account[:5].mapped("amazon_order_ref")),
                ),
            )
            for account, of_account in orders.grouped("account_id").items()
        ]

    def _find_seller_id(self, accounts):
        """Amazon's form does not take the seller id, which an old version let in."""
        return [
            Finding(account, 1, account._sending_problem())
            for account in accounts
            if account._sending_problem()
        ]

    def _find_access(self, accounts):
        """Amazon refuses who we are."""
        limit = fields.Datetime.now() - ACCESS_AFTER
        return [
            Finding(
                account,
                1,
                self.env._(
                    "Amazon refuses access to the account %s, or its credentials are "
                    "incomplete. Nothing is read or sent. An administrator must check "
                    "the credentials and authorise the application again, then test "
                    "the connection.",
                    account.name,
                ),
                account.access_refused_at,
            )
            for account in accounts
            if account.access_refused_at and account.access_refused_at < limit
        ]


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    access_refused_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="Since when Amazon refuses who we are; empty where it lets us in.",
    )

    def action_test_connection(self):
        """Override to let what the administrator has just mended count at once."""
        result = super().action_test_connection()
        orders = self.capability_ids.filtered(lambda row: row.capability == "orders")
        if orders.state == "works":
            self._set_access_refused(False)
        return result

    def _note_access(self, error):
        """Keep in mind whether Amazon lets this account in, as a call has just shown.

        :param Exception error: what the strict layer raised; None where the call worked
        """
        if error is None:
            self._set_access_refused(False)
        elif isinstance(error, IncompleteCredentials):
            self._set_access_refused(True)
        elif isinstance(error, Refused):
            # any other refusal shows that Amazon knows who asks
            self._set_access_refused(is_access_refused(error))

    def _set_access_refused(self, refused):
        """Write it where it changes, in a cursor of its own, as AccessTokenStore does:
        the row of an account must not make its readers wait for each other."""
        if bool(self.access_refused_at) == refused:
            return
        with self.env.registry.cursor() as cr:
            account_sudo = self.sudo().with_env(self.env(cr=cr, su=True))
            locked = account_sudo.try_lock_for_update(allow_referencing=True)
            locked.access_refused_at = refused and fields.Datetime.now()
        self.invalidate_recordset(["access_refused_at"])


class AmazonAction(models.Model):
    _inherit = "amazon.action"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    unconfirmed_noted_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When it was noted that Amazon's own data does not show it.",
    )

    def _note_unconfirmed(self):
        """Note on the documents that Amazon's data has not shown these actions."""
        self._post(
            lambda action: action.env._(
                "%(action)s: Amazon's own data has not shown it within %(days)s days. "
                "Check the order in Seller Central.",
                action=action.name,
                days=CONFIRM_ALERT_DAYS,
            )
        )
        self.unconfirmed_noted_at = fields.Datetime.now()


class AmazonFeed(models.Model):
    _inherit = "amazon.feed"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    _submitted_idx = models.Index(
        "(account_id, feed_type, submitted_at) WHERE state = 'submitted'"
    )
    _answered_idx = models.Index(
        "(account_id, feed_type, done_at) WHERE done_at IS NOT NULL"
    )


class AmazonOrder(models.Model):
    _inherit = "amazon.order"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    _requested_idx = models.Index("(account_id) WHERE read_state = 'requested'")

    def _alarms_for_panel(self):
        """Return what everybody should know who is about to act on this order.

        :return: dicts with kind, message, and since when (UTC)
        :rtype: list[dict]
        """
        self.ensure_one()
        order_sudo = self.sudo()
        alarms_sudo = (
            self.env["amazon.alarm"]
            .sudo()
            .search_fetch(
                [
                    ("company_id", "=", order_sudo.company_id.id),
                    ("account_id", "in", (False, order_sudo.account_id.id)),
                    ("kind", "in", PANEL_KINDS),
                    ("state", "=", "open"),
                ],
                ["kind", "message", "since"],
            )
        )
        return [
            {
                "kind": alarm.kind,
                "message": alarm.message,
                "since": fields.Datetime.to_string(alarm.since),
            }
            for alarm in alarms_sudo
        ]


def _carries(*states):
    """Return the condition that a feed carries actions in these states that are not set
    aside."""
    return "action_ids", "any", [("state", "in", states), ("set_aside_at", "=", False)]


def _add(numbers, key, count, since):
    """Add a count to those of a key, and keep the oldest time."""
    former = numbers.get(key, (0, since))
    numbers[key] = (former[0] + count, min(former[1], since))


def _minutes(delay):
    return int(delay.total_seconds() // 60)
