from odoo import fields, models

from ...spapi.errors import (
    IncompleteCredentials,
    NotSent,
    Refused,
    SpApiError,
    Throttled,
)
from ..action.states import OPEN_STATES
from ..base.background import in_background
from ..base.clock import database_now
from ..base.containment import contained
from ..base.private_log import private_logger
from ..base.set_aside import contained_job

_logger = private_logger(__name__)

# Actions that one job takes back, and the seconds until it looks for those that have
# not followed their feed yet.
DROPPED_AT_ONCE = 500
FOLLOW_SECONDS = 30


class AmazonFeedDrop(models.AbstractModel):
    """How Amazon is asked not to process a feed, and what follows where it hears."""

    _name = "amazon.feed.drop"
    _description = "Amazon Feeds Taken Back"

    drop_asked_at = fields.Datetime(
        "Drop Asked",
        readonly=True,
        help="When Amazon was to be asked not to process it.",
    )
    drop_told_at = fields.Datetime(
        readonly=True, help="When Amazon was asked, or would not hear of it."
    )
    drop_message = fields.Char("Drop", readonly=True)
    drop_user_id = fields.Many2one(
        "res.users", "Drop Asked by", readonly=True, ondelete="restrict"
    )

    # === CRUD METHODS === #

    def write(self, vals):
        """Override to tell the forms when Amazon can be asked to drop it, and when it
        cannot any more."""
        if "processing_status" not in vals:
            return super().write(vals)
        queued = {feed: feed._is_in_queue() for feed in self}
        result = super().write(vals)
        for feed in self:
            if feed._is_in_queue() != queued[feed]:
                feed.action_ids.order_id._notify_forms()
        return result

    # === BUSINESS METHODS - DROPPING === #

    def _is_in_queue(self):
        """Whether Amazon last said that it has the feed and has not begun with it.

        Only such a feed can be cancelled (cancelFeed, Feeds API 2021-06-30).
        """
        return self.state == "submitted" and self.processing_status == "IN_QUEUE"

    def _enqueue_drop(self):
        in_background(self, self.company_id).with_delay(
            priority=1,
            max_retries=0,
            description=f"Ask Amazon to drop the feed {self.feed_ref}",
        )._job_drop()

    @contained_job
    def _job_drop(self):
        """Ask Amazon to cancel the feed. Job; asking twice does no harm.

        :raise RetryableJobError: when Amazon could not be asked yet
        """
        self.ensure_one()
        if self.is_adopted:
            self._tell_not_dropped(self.env._("it may be another program's"))
            return
        if not self._is_in_queue():
            self._tell_not_dropped(self.env._("it is not in Amazon's queue any more"))
            return
        try:
            with self.account_id._client() as client:
                client.cancel_feed(self.feed_ref)
        except (NotSent, Throttled) as error:
            raise self._later(str(error), getattr(error, "wait", None)) from None
        except (Refused, IncompleteCredentials) as error:
            self._tell_not_dropped(self.account_id._describe_error(error))
        except SpApiError as error:
            # Amazon may have heard it or not: polling tells.
            _logger.warning("cancelFeed of %s: %s", self.feed_ref, error)
        self.drop_told_at = fields.Datetime.now()

    def _tell_not_dropped(self, problem):
        """Say why Amazon was not asked, or what it said. What becomes of the feed is
        not known by that: a job that runs twice is refused although it was heard.

        :param str problem: why Amazon would not drop it
        """
        if self.state != "submitted":
            return
        self.drop_message = self.env._(
            "Amazon may not drop the feed %(feed)s: %(problem)s. What becomes of it is "
            "seen when Amazon is asked the next time.",
            feed=self.feed_ref,
            problem=problem.rstrip("."),
        )
        self.action_ids.order_id._notify_forms()

    # === BUSINESS METHODS - DROPPED === #

    def _settle(self, status):
        """Override: a feed that Amazon has cancelled because a person asked for it was
        taken back, not refused."""
        if status != "CANCELLED" or not self.drop_asked_at or self.is_adopted:
            return super()._settle(status)
        now = database_now(self.env)
        self.write(
            {
                "done_at": now,
                "polled_at": now,
                "processing_status": status,
                "state": "cancelled",
                "state_message": self.env._(
                    "%(user)s took it back: Amazon has dropped the feed %(feed)s "
                    "before processing it. Nothing was executed.",
                    user=self.drop_user_id.name,
                    feed=self.feed_ref,
                ),
            }
        )
        self._enqueue_withdrawal()

    def _enqueue_withdrawal(self, wait=0):
        in_background(self, self.company_id).with_delay(
            priority=5,
            eta=wait,
            max_retries=0,
            description=f"Take back what the feed {self.feed_ref} carried",
        )._job_withdraw_dropped()

    @contained_job
    def _job_withdraw_dropped(self):
        """Withdraw the actions of a feed that Amazon has dropped. Job; so many at a
        time, and again for those that have not followed the feed yet."""
        self.ensure_one()
        actions = self.env["amazon.action"].search(
            [
                ("feed_id", "=", self.id),
                ("state", "in", OPEN_STATES),
                *self.env["amazon.action"]._goes_on_domain(),
            ],
            order="state DESC, id",
            limit=DROPPED_AT_ONCE,
        )
        dropped = contained(
            actions.filtered(lambda action: action.state != "sending"),
            self._withdraw_dropped,
            lambda action, error: action._set_aside(error),
        )
        if actions:
            self._enqueue_withdrawal(0 if dropped else FOLLOW_SECONDS)

    def _withdraw_dropped(self, actions):
        # It was called unknown, and then found at Amazon.
        actions.filtered(lambda action: action.state == "unknown")._set_submitted()
        actions._set_withdrawn(self.state_message)
