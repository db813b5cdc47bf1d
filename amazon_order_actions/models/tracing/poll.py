import hashlib

from odoo import api, fields, models

from ...spapi.enums import FEED_FINAL_STATUSES
from ...spapi.errors import IncompleteCredentials, Refused, SpApiError, UnreadableReport
from ...spapi.reports import count_processed, named_orders, parse_report
from ..account.connection import is_access_refused
from ..action.states import ACTION_TRANSITIONS, OPEN_STATES
from ..base.background import CHUNK, in_background
from ..base.clock import database_now
from ..base.containment import contained
from ..base.private_log import private_logger
from ..base.set_aside import contained_job
from ..order.reading import is_not_found
from ..sending.pace import POLL_MAX_SECONDS, POLL_MIN_SECONDS

_logger = private_logger(__name__)

# A report that is missing is asked for every so many seconds during the first hours,
# then daily, until Amazon deletes it (result documents are kept for 28 days: model of
# getFeeds).
LATE_REPORT_SECONDS, LATE_REPORT_HOURS, REPORT_DAYS = 300, 6, 28

# Seconds between two looks at a feed that Amazon has had for more than a day.
POLL_STUCK_SECONDS = 3600

# Days after which a feed that Amazon does not know any more is given up.
FEED_GONE_DAYS = 1

DAY = 24 * 3600
# States in which an action still waits for what becomes of its feed.
UNKNOWN = [("state", "=", "unknown")]


class AmazonFeedPoll(models.AbstractModel):
    """How Amazon's answer to a feed is waited for, kept and applied."""

    _name = "amazon.feed.poll"
    _description = "Amazon Answers to Feeds"

    # === BUSINESS METHODS - POLLING === #

    def _enqueue_poll(self, wait):
        in_background(self, self.company_id).with_delay(
            priority=10,
            eta=wait,
            max_retries=0,
            description=f"Ask Amazon about the feed {self.feed_ref}",
        )._job_poll()

    @contained_job
    def _job_poll(self):
        """Ask Amazon whether the feed is processed. Job.

        :raise RetryableJobError: as long as it is not
        """
        self.ensure_one()
        if self.state != "submitted":
            return
        try:
            status = self._ask_for_report()
        except (SpApiError, IncompleteCredentials) as error:
            if is_not_found(error) and self._age(self.submitted_at) > (
                FEED_GONE_DAYS * DAY
            ):
                self._lose()
                return
            raise self._poll_later(str(error), getattr(error, "wait", 0)) from None
        if status not in FEED_FINAL_STATUSES:
            # not in this transaction, which is rolled back
            self._in_own_transaction("_record_status", self.id, status)
            raise self._poll_later(status)
        self._settle(status)

    def _ask_for_report(self):
        """Ask Amazon how far it is, and keep the report where there is one.

        :return: Amazon's processing status
        :rtype: str
        """
        with self.account_id._client() as client:
            answer = client.get_feed(self.feed_ref)
            status = answer["processingStatus"]
            report_ref = answer.get("resultFeedDocumentId")
            if status in FEED_FINAL_STATUSES and report_ref:
                self._keep_report(client, report_ref)
        return status

    @api.model
    def _record_status(self, feed_id, status):
        """Keep what Amazon said last of a feed that it has not processed yet."""
        self.browse(feed_id).write(
            {"processing_status": status, "polled_at": fields.Datetime.now()}
        )

    def _poll_later(self, reason, at_least=0):
        """Half of the time that has passed since Amazon took it, within bounds."""
        age = self._age(self.submitted_at)
        longest = POLL_STUCK_SECONDS if age > DAY else POLL_MAX_SECONDS
        wait = min(max(age / 2, POLL_MIN_SECONDS), longest)
        return self._later(reason, max(wait, at_least))

    def _age(self, moment):
        """Return the seconds that have passed since then."""
        return (database_now(self.env) - moment).total_seconds()

    def _lose(self):
        """Amazon does not know the feed any more that it had taken."""
        self._end_without_outcome(
            "fatal",
            self.env._(
                "Amazon does not know the feed %s any more, so the outcome is unknown. "
                "Amazon's own data of the order is watched.",
                self.feed_ref,
            ),
        )

    # === BUSINESS METHODS - THE REPORT === #

    def _keep_report(self, client, report_ref):
        """Read the report and keep it: Amazon lets it be read once in 45 seconds.

        Amazon deletes it after 28 days; one that cannot be had is no report.
        """
        try:
            report = client.read_report(report_ref)
        except Refused as error:
            if is_access_refused(error):
                raise
            _logger.info("There is no report of the feed %s", self.feed_ref)
            return
        self.report_digest = hashlib.sha256(report).hexdigest()
        self.report_file_id = self._keep_file("report", report)

    def _settle(self, status):
        """Record the end of the feed's processing at Amazon."""
        now = database_now(self.env)
        self.write({"done_at": now, "polled_at": now, "processing_status": status})
        if status == "CANCELLED" and self.is_adopted:
            self._end_without_outcome(
                "cancelled",
                self.env._(
                    "Amazon cancelled the feed %s, which was found in its list and "
                    "taken for this one. It may be another program's, so the outcome "
                    "is unknown. Amazon's own data of the order is watched.",
                    self.feed_ref,
                ),
            )
            return
        if status == "CANCELLED":
            self.write(
                {
                    "state": "cancelled",
                    "state_message": self.env._(
                        "Amazon cancelled the feed before it processed anything"
                    ),
                }
            )
            self._enqueue_move("rejected")
            return
        state = "done" if status == "DONE" else "fatal"
        if self.report_file_id:
            self.state = state
            self._enqueue_apply_report()
            return
        self._end_without_outcome(
            state,
            self.env._(
                "Amazon has processed the feed %(feed)s (%(status)s), but there is no "
                "report of it yet, so the outcome is unknown. The report is asked for "
                "again, and Amazon's own data of the order is watched.",
                feed=self.feed_ref,
                status=status,
            ),
        )
        self._enqueue_late_report()

    def _end_without_outcome(self, state, reason):
        """The feed is over, and nothing says what became of its messages."""
        self.write(
            {
                "state": state,
                "state_message": reason,
                "done_at": self.done_at or database_now(self.env),
            }
        )
        self._enqueue_move("unknown")
        self._enqueue_look_at_orders()

    def _enqueue_late_report(self):
        in_background(self, self.company_id).with_delay(
            priority=20,
            eta=LATE_REPORT_SECONDS,
            max_retries=0,
            description=f"Ask Amazon for the report of the feed {self.feed_ref}",
        )._job_late_report()

    @contained_job
    def _job_late_report(self):
        """Ask again for a report that was missing: it still settles what is unknown.
        Job.

        :raise RetryableJobError: as long as it is missing and Amazon may have it
        """
        self.ensure_one()
        age = self._age(self.done_at)
        if self.report_file_id or age > REPORT_DAYS * DAY:
            return
        if not self._actions_in(OPEN_STATES, limit=1):
            # Amazon's own data has settled all of it
            return
        soon = age < LATE_REPORT_HOURS * 3600
        pause = LATE_REPORT_SECONDS if soon else DAY
        try:
            status = self._ask_for_report()
        except (SpApiError, IncompleteCredentials) as error:
            wait = max(pause, getattr(error, "wait", 0))
            raise self._later(str(error), wait) from None
        if not self.report_file_id:
            raise self._later(status, pause)
        self.state_message = False
        self._enqueue_apply_report()

    def _enqueue_apply_report(self, after=0):
        # in a transaction of its own, so that the report stays kept
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Apply Amazon's report of the feed {self.feed_ref}",
        )._job_apply_report(after)

    @contained_job
    def _job_apply_report(self, after=0):
        """Give the actions the outcome that Amazon's report says. Job; many actions
        are told in several jobs.

        :param int after: number of the message after which to go on
        """
        self.ensure_one()
        try:
            report = self._kept_report()
            if self.is_adopted and not after and not self._fits_report(report):
                return
            outcomes = parse_report(report, self.action_ids.mapped("message_number"))
            named = named_orders(report) if self.is_adopted else {}
        except UnreadableReport as error:
            self._end_without_outcome(
                self.state,
                self.env._(
                    "Amazon's report about the feed %(feed)s cannot be read "
                    "(%(error)s), so the outcome is unknown. Amazon's own data of the "
                    "order is watched.",
                    feed=self.feed_ref,
                    error=error,
                ),
            )
            return
        actions = self.env["amazon.action"].search(
            [
                ("feed_id", "=", self.id),
                ("message_number", ">", after),
                *self.env["amazon.action"]._goes_on_domain(),
            ],
            order="message_number",
            limit=CHUNK,
        )
        # Amazon may be faster than the recording of what it took
        actions.filtered(lambda action: action.state == "sending")._set_submitted()
        by_outcome = actions.grouped(lambda action: outcomes[action.message_number])
        for outcome, told in by_outcome.items():
            contained(
                told,
                lambda some, outcome=outcome: self._apply_told(some, outcome, named),
                lambda action, error: action._set_aside(error),
            )
        if len(actions) == CHUNK:
            self._enqueue_apply_report(actions[-1].message_number)
        elif self._actions_in(["unknown"], limit=1):
            self._enqueue_look_at_orders()

    def _kept_report(self):
        """Return the report as Amazon sent it, empty where there is none.

        :rtype: bytes
        :raise UnreadableReport: it is not what Amazon sent any more
        """
        if not self.report_file_id:
            return b""
        report = self.report_file_id._bytes()
        if hashlib.sha256(report).hexdigest() != self.report_digest:
            raise UnreadableReport(
                "The report that is kept does not match the digest of what Amazon sent."
            )
        return report

    def _fits_report(self, report):
        """Refuse the report of a feed that was taken for ours and is not.

        :return: whether it fits
        :rtype: bool
        :raise UnreadableReport: nothing is known from it
        """
        misfit = self._misfit(report)
        if misfit:
            self._disown(
                self.env._(
                    "The feed %(feed)s at Amazon was taken for this one, but "
                    "%(misfit)s. So it is unknown again whether Amazon has it. Look at "
                    "the order in Seller Central and decide.",
                    feed=self.feed_ref,
                    misfit=misfit,
                )
            )
            return False
        self.is_proven = self._is_named_in(report)
        return True

    def _misfit(self, report):
        """Return what in a report says that its feed is not this one, or False.

        :raise UnreadableReport: nothing is known from it
        """
        processed = count_processed(report)
        count = self.message_count or len(self.action_ids)
        # Amazon may have given up in the middle
        gave_up = self.state == "fatal" and processed is not None and processed < count
        if processed is None and not gave_up:
            return self.env._(
                "its report does not say how many messages were processed"
            )
        if processed != count and not gave_up:
            return self.env._(
                "Amazon processed %(processed)s messages in it, and this one has "
                "%(count)s",
                processed=processed,
                count=count,
            )
        ours = set(self.action_ids.order_id.mapped("amazon_order_ref"))
        others = set().union(*named_orders(report).values()) - ours
        if others:
            return self.env._(
                "its report names the order %s, which is not in this one",
                min(others),
            )
        return False

    def _is_named_in(self, report):
        """Whether the report of a feed at Amazon names an order that this one carries,
        and nothing in it speaks against this one.

        :param bytes report: the report, False where there is none
        :rtype: bool
        """
        try:
            named = named_orders(report or b"")
            return not self._misfit(report) and any(
                action._is_named_in(named) for action in self.action_ids
            )
        except UnreadableReport:
            return False

    def _apply_told(self, actions, outcome, named):
        """Give actions the outcome that a report says, as far as it is surely theirs.

        :param dict named: orders by message, see ``spapi.reports.named_orders``
        """
        surely = actions
        if self.is_adopted:
            surely = actions._refused_by_name(outcome, named)
        if surely:
            self._apply_outcome(surely, outcome)
        if actions - surely:
            self._apply_doubtful(actions - surely, outcome)

    def _apply_outcome(self, actions, outcome):
        if outcome.status == "accepted":
            actions._set_accepted(outcome.code, outcome.text)._enqueue_confirm()
        elif outcome.status == "rejected":
            actions._apply_rejection(outcome)
        else:
            actions._set_unknown(
                self.env._(
                    "Amazon's report about the feed %s does not say what became of "
                    "this. Amazon's own data of the order is watched.",
                    self.feed_ref,
                )
            )

    def _apply_doubtful(self, actions, outcome):
        """Keep what the report of a feed says that may be another program's: neither
        does it free money, nor is the buyer told.

        :param amazon.action actions: actions whose orders the report does not name
        :param MessageOutcome outcome: what it says of their messages
        """
        if outcome.status == "accepted":
            said = self.env._("its report lists no error for this message")
        elif outcome.status == "rejected":
            said = self.env._(
                "its report refuses this message without naming an order (%s)",
                outcome.text or outcome.code or "",
            )
        else:
            said = self.env._("its report does not say what became of this message")
        actions._set_doubtful(
            self.env._(
                "The feed %(feed)s was found in Amazon's list and taken for this one, "
                "and %(said)s. It may be another program's, so the outcome is unknown "
                "until Amazon's own data shows it.",
                feed=self.feed_ref,
                said=said,
            )
        )
        if outcome.status == "accepted":
            actions._enqueue_confirm()

    # === BUSINESS METHODS - MOVING ACTIONS === #

    def _actions_in(self, states, limit=None, domain=()):
        """Return actions of this feed in some states, by their number."""
        return self.env["amazon.action"].search(
            [("feed_id", "=", self.id), ("state", "in", list(states)), *domain],
            order="message_number, id",
            limit=limit,
        )

    def _enqueue_move(self, target):
        """Tell the actions how the feed, or the search for it, has ended; in a job,
        since they are many.

        :param str target: "rejected", "unknown" or "person"
        """
        in_background(self, self.company_id).with_delay(
            priority=10,
            max_retries=0,
            description=f"Tell the actions of the feed {self.feed_ref or self.id}",
        )._job_move_actions(target)

    @contained_job
    def _job_move_actions(self, target):
        """Move the actions, so many at a time, with the sentence of the feed. Job.

        :param str target: "rejected", "unknown" or "person"
        """
        self.ensure_one()
        if target == "person" and self.state != "unknown":
            # Its sender was alive and has told meanwhile: the search is not over.
            return
        if target == "rejected" and self.is_adopted:
            target = "unknown"
        actions = self._to_move(target)
        contained(
            actions,
            lambda some: self._move_to(some, target),
            lambda action, error: action._set_aside(error),
        )
        if len(actions) == CHUNK:
            self._enqueue_move(target)

    def _move_to(self, actions, target):
        reason = self.state_message
        if target == "person":
            (actions - actions.filtered_domain(UNKNOWN))._set_unknown(reason)
            actions._hand_to_person(reason)
        elif target == "rejected":
            actions._set_rejected(self.processing_status, reason)
        else:
            actions._set_unknown(reason)

    def _to_move(self, target):
        goes_on = self.env["amazon.action"]._goes_on_domain()
        if target == "person":
            unhanded = [("needs_person", "=", False)]
            return self._actions_in(OPEN_STATES, CHUNK, [*unhanded, *goes_on])
        return self._actions_in(ACTION_TRANSITIONS[target], CHUNK, goes_on)
