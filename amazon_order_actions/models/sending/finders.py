from datetime import timedelta

from odoo import fields, models
from odoo.tools import LazyTranslate

from ..action.finders import STALLED_AFTER, by_account, waiting, waiting_lanes
from ..action.lane import Lane
from ..watch.check import LAST, Check, Finding, tally
from .dispatch import URGENT_RESERVE

_lt = LazyTranslate(__name__)

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
# Ranges are read every five minutes while there is something to do, and nothing is sent
# for an order that is not known up to now.
WATERMARK_AFTER = timedelta(hours=1)
# createFeed allows one call in two minutes, and an envelope takes thousands: nothing
# that can be sent waits so long.
WAITING_AFTER = timedelta(minutes=30)


class AmazonCheckSending(models.AbstractModel):
    """Finds what should be sent and is not, and feeds that nobody follows."""

    _name = "amazon.check.sending"
    _inherit = "amazon.check"
    _description = "Amazon Checks of Sending"

    _checks = (
        Check(
            "stalled",
            _lt("Actions without a job"),
            is_mended=True,
            on_panel=True,
            explains_waiting=True,
        ),
        Check("call_lost", _lt("Calls without a job"), is_mended=True),
        Check(
            "abandoned", _lt("Sending was interrupted"), is_mended=True, on_panel=True
        ),
        Check("unfollowed", _lt("Actions behind their feed"), is_mended=True),
        Check("unasked", _lt("Feeds without a job"), is_mended=True),
        Check("feed_slow", _lt("Amazon is slow"), on_panel=True),
        Check(
            "watermark", _lt("Reading is behind"), on_panel=True, explains_waiting=True
        ),
        Check(
            "quota", _lt("Amazon's quota used up"), on_panel=True, explains_waiting=True
        ),
        # what none of the others explains
        Check("waiting", _lt("Actions wait"), on_panel=True, turn=LAST),
    )

    def _find_stalled(self, accounts):
        """Actions wait in a lane that no job will look at. Enqueues one."""
        with_job = self._lanes_with_job()
        # What the account itself holds up is told by another check.
        accounts = accounts.filtered(lambda account: not account._sending_problem())
        due = waiting_lanes(accounts, STALLED_AFTER, ~accounts._held_domain())
        lost = {
            lane: numbers
            for lane, numbers in due.items()
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
            for account, (count, since) in by_account(accounts, lost).items()
        ]

    def _find_call_lost(self, accounts):
        """A call of its own that nobody makes or looks for. Enqueues that."""
        lost = self.env["amazon.action"]._lost_calls(
            accounts, fields.Datetime.now() - STALLED_AFTER
        )
        lost._mend_call()
        found = {}
        for action in lost:
            tally(found, action.account_id, 1, action.last_state_change)
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
        """Return the lanes that a dispatch is enqueued for or runs in."""
        dispatches = self.env["queue.job"]._under_way("amazon.feed", "_job_dispatch")
        return {Lane(*job.args) for job in dispatches}

    def _feeds_with_job(self, method):
        """Return the ids of the feeds that a job of this method is there for."""
        jobs = self.env["queue.job"]._under_way("amazon.feed", method)
        return {job.record_id for job in jobs}

    def _find_watermark(self, accounts):
        """What changed at Amazon is not read, so what waits cannot be checked."""
        limit = fields.Datetime.now() - WATERMARK_AFTER
        counted = waiting(accounts, STALLED_AFTER, ~accounts._held_domain())
        behind = self.env["amazon.watermark"].search(
            [
                ("account_id", "in", [account.id for account in counted]),
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
                    count=counted[account][0],
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
            for account, (count, since) in waiting(
                accounts, WAITING_AFTER, ~accounts._held_domain()
            ).items()
            # as many as what is not urgent needs
            if account._quota_wait("createFeed", 1 + URGENT_RESERVE)
        ]

    def _find_waiting(self, accounts):
        """Actions wait for long, nobody stopped them, and no other alarm says why."""
        explaining = self.env["amazon.check"]._kinds_that("explains_waiting")
        explained = self.env["amazon.alarm"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("kind", "in", explaining),
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
            for account, (count, since) in waiting(
                accounts - explained.account_id,
                WAITING_AFTER,
                ~accounts._held_domain(),
            ).items()
        ]

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
            for account, (count, since) in by_account(accounts, lanes).items()
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
        found, with_job = {}, self._feeds_with_job("_job_follow")
        for feed, count, since in groups:
            if feed.id not in with_job:
                feed._enqueue_follow()
            tally(found, feed.account_id, count, since)
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
        for method, domain, enqueue in lost._needed_jobs():
            feeds = lost.search(
                [
                    ("account_id", "in", accounts.ids),
                    ("write_date", "<", fields.Datetime.now() - UNASKED_AFTER),
                    ("set_aside_at", "=", False),
                    *domain,
                ]
            )
            with_job = self._feeds_with_job(method) if feeds else ()
            for feed in feeds.filtered(lambda feed, ids=with_job: feed.id not in ids):
                enqueue(feed)
                lost |= feed
        found = {}
        for feed in lost:
            tally(found, feed.account_id, 1, feed.write_date)
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
                tally(found, account, count, since)
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


def _minutes(delay):
    return int(delay.total_seconds() // 60)
