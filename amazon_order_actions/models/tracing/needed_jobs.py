from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..action.action import CONFIRM_ALERT_DAYS
from ..action.states import OPEN_STATES
from ..sending.dispatch import BEHIND_UNKNOWN, BETTER_KNOWN
from .foreign_feed import DOUBTFUL


class AmazonFeedJobs(models.AbstractModel):
    """Which job each feed needs, by what is known of it: where that job is lost, the
    watch enqueues it again, and so does whoever tries again what was set aside."""

    _name = "amazon.feed.jobs"
    _description = "Amazon Jobs of Feeds"

    @api.model
    def _needed_jobs(self):
        """Return what must not be without a job. Each comes to an end, so that it is
        not needed for ever.

        :return: the job's method, a domain of the feeds, and what enqueues it
        :rtype: list[tuple]
        """
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
                self._sought_domain() & Domain("action_ids.state", "in", OPEN_STATES),
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


def _carries(*states):
    """Return the condition that a feed carries actions in these states that are not set
    aside."""
    return "action_ids", "any", [("state", "in", states), ("set_aside_at", "=", False)]
