import time
from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError

from ...spapi.errors import IncompleteCredentials, SpApiError
from ..account.moments import LOST_TIME_HOURS
from ..action.lane import Lane
from ..action.states import BEFORE_SENDING
from ..base.background import CHUNK, in_background, in_own_transaction
from ..base.clock import (
    CLOCK_TOLERANCE_MINUTES,
    as_utc,
    database_now,
)
from ..base.private_log import private_logger
from ..control.stop import REASON_SIZE
from ..sending.dispatch import BETTER_KNOWN
from ..sending.pace import VERIFY_SECONDS
from ..tracing.foreign_feed import LISTING_TOLERANCE_SECONDS, readable
from ..tracing.reconcile import (
    ABSENT_ALONE_HOURS,
    ABSENT_MINUTES,
    ABSENT_RETRY_SECONDS,
    RECONCILE_MAX_SECONDS,
    RECONCILE_MIN_SECONDS,
    SINGLE_READS,
)

_logger = private_logger(__name__)

# Days for which Amazon lists a feed (getFeeds: createdSince at most 90 days ago).
LISTED_DAYS = 89

# Processing statuses of a feed whose outcome is still to come (Feeds 2021-06-30).
ON_ITS_WAY = ("IN_QUEUE", "IN_PROGRESS")


class LostTime(NamedTuple):
    """What Amazon's list of feeds says of the time that a restored database lost.

    :param list strays: feeds of the lane that nobody here accounts for
    :param datetime since: by Amazon's clock: what was created before is not listed
    :param bool is_caught_up: whether the list shows all of that time by now
    :param datetime known_at: by our clock: an order that was read since then tells, too
    :param datetime amazon_now: by Amazon's clock, when the list was read
    :param timedelta ahead: how far Amazon's clock is ahead of ours
    """

    strays: list
    since: object
    is_caught_up: bool
    known_at: object
    amazon_now: object
    ahead: timedelta


class AmazonLifeDecide(models.AbstractModel):
    """What follows from what an administrator says of a database that was found to be
    restored, copied or moved (`amazon.life`)."""

    _name = "amazon.life.decide"
    _description = "Amazon Decisions on a Database"

    def _decide(self, stop, decision, reason):
        """Say what this database is, for the current user, an administrator.

        :param amazon.stop stop: that waits for it
        :param str decision: one of `DECISIONS`
        :param str reason: why, at most 500 characters
        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is no reason, or nothing to decide
        """
        stop.ensure_one()
        stop_sudo = stop.sudo()
        stop._check_admin(stop_sudo.company_id)
        reason = stop._check_reason(reason)
        stop_sudo._check_undecided()
        if stop_sudo.decision == "restored":
            raise UserError(
                self.env._("It was decided already: what waits is being verified.")
            )
        labels = dict(stop._fields["decision"]._description_selection(self.env))
        reason = f"{labels[decision]}. {reason}"[:REASON_SIZE]
        stop_sudo.write(
            {"decision": decision, "ended_by_id": self.env.uid, "end_reason": reason}
        )
        getattr(self, f"_decide_{decision}")(stop_sudo)

    def _decide_moved(self, stop):
        """Nothing else sends: it goes on."""
        stop._finish(stop.end_reason)

    def _decide_restored(self, stop):
        """Another life has sent some of what waits: verify that before it goes on."""
        stop._journal("stopped", "verifying", stop.end_reason)
        account = stop.account_id
        account.restored_at = account.life_found_at
        self.env["amazon.lost.time"]._enqueue_verify(account)

    def _decide_copy(self, stop):
        """Another database sends: this one never does."""
        stop._journal("stopped", "stopped", stop.end_reason)
        account = stop.account_id
        account._forget_credentials()
        waiting = account.env["amazon.action"].search(
            [("account_id", "=", account.id), ("state", "in", BEFORE_SENDING)]
        )
        waiting._set_blocked(
            self.env._(
                "%s said that this database is a copy, so this is not sent from here. "
                "Look in the original whether it is sent.",
                self.env.user.name,
            )
        )


class AmazonLostTime(models.AbstractModel):
    """What became of actions that waited in a restored backup: each may have been sent
    in the time that it lost."""

    _name = "amazon.lost.time"
    _description = "Amazon Lost Time"

    def _doubt(self, actions):
        """Actions may have been sent in the time that was lost: verify it.

        :param amazon.action actions: which
        """
        moved = actions._set_unknown(
            self.env._(
                "This database was restored from a backup, and this may have been sent "
                "in the time that it lost. Amazon's data is searched for it; it is not "
                "simply sent."
            )
        )
        # What did not move is set aside, and doubted when it is tried again.
        for action in moved:
            action.write(
                {
                    "first_sending_at": action.first_sending_at or action.asked_at,
                    "restored_at": action.account_id.restored_at,
                }
            )
        self._enqueue(moved)

    def _enqueue(self, actions):
        """Have actions looked for at Amazon, by lane or each by itself; hand over what
        Amazon cannot show."""
        calls = actions.filtered(lambda action: not action.feed_type)
        shown = calls.filtered(lambda action: action._kind()._is_shown_by_amazon)
        shown._enqueue_look()
        (calls - shown)._hand_to_person(
            self.env._(
                "This database was restored from a backup, and this may have been sent "
                "in the time that it lost. Amazon offers no way to find out by "
                "program. Look in Seller Central and decide."
            )
        )
        for lane in {_lane_of(action) for action in actions - calls}:
            self._enqueue_verify_lane(lane)

    def _let_wait_again(self, actions, reason):
        """They were not sent in the time that was lost: let them wait as before, for a
        second person where nobody has approved them yet.

        :param amazon.action actions: which
        :param str reason: the sentence that says what was found
        """
        for action in actions:
            approval, account = action.approval_id, action.order_id.account_id
            if not approval or approval.state == "approved":
                action._set_sent_again(reason)._enqueue_dispatch()
                continue
            action._note_sending_again()
            now = database_now(self.env)
            vals = action._prepare_approval(account, approval.why, now)
            action._update_state("to_approve", reason, vals)._ask_approval()

    def _judge_by_id(self, action_id, lost):
        """The same as `_judge`, in a transaction of its own.

        :param int action_id: the action
        :param LostTime lost: what Amazon's list says
        """
        self._judge(self.env["amazon.action"].browse(action_id), lost)

    def _judge(self, action, lost):
        """Say what became of an action in the time that was lost, where that is known,
        unless somebody else has moved it meanwhile.

        What Amazon's data shows was confirmed when its order was read.

        :param amazon.action action: one
        :param LostTime lost: what Amazon's list says
        """
        if not action._is_of_lost_time() or action.needs_person:
            return
        tolerance = timedelta(seconds=LISTING_TOLERANCE_SECONDS)
        # whichever clock is behind
        asked = min(action.asked_at, action.asked_at + lost.ahead) - tolerance
        # nor need the clock have been right then
        since = asked - timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        strays = [row for row in lost.strays if row.created >= since]
        known = action.order_id.known_until
        is_read = lost.known_at and known and known >= lost.known_at
        if lost.is_caught_up and is_read and asked < lost.since:
            action._hand_to_person(
                self.env._(
                    "This database was restored from a backup, and this was asked for "
                    "before the time that Amazon's list of feeds still shows. Look at "
                    "the order in Seller Central and decide."
                )
            )
        elif lost.is_caught_up and is_read and not strays:
            self._let_wait_again(
                action,
                self.env._(
                    "This database was restored from a backup, and this was not sent "
                    "in the time that it lost: Amazon's list of feeds, read on "
                    "%(now)s, shows none of this kind since it was asked for that "
                    "nobody here accounts for, and the order shows nothing of it. It "
                    "waits again.",
                    now=as_utc(lost.amazon_now),
                ),
            )
        elif lost.is_caught_up and is_read and not _are_on_their_way(strays):
            action._hand_to_person(
                self.env._(
                    "This database was restored from a backup, and this may have been "
                    "sent in the time that it lost: Amazon's list shows feeds that "
                    "nobody here accounts for (%(feeds)s), and the order shows nothing "
                    "of it yet. Look at the order in Seller Central and decide.",
                    feeds="; ".join(map(str, strays[:5])),
                )
            )
        elif _is_lost_for_long(action):
            action._hand_to_person(
                self.env._(
                    "This database was restored from a backup, and Amazon's data has "
                    "not said within %s hours whether this was sent in the time that "
                    "it lost. Look at the order in Seller Central and decide.",
                    LOST_TIME_HOURS,
                )
            )

    # === BUSINESS METHODS - ACCOUNTS === #

    @api.model
    def _enqueue_verify(self, accounts):
        """Have all verified that waits for accounts.

        :param amazon.seller.account accounts: of a restored backup
        """
        for account in accounts:
            in_background(self, account.company_id).with_delay(
                priority=1,
                max_retries=0,
                description=f"Verify what waits of {account.name} after a restore",
                identity_key=f"amazon_verify_restored_{account.id}",
            )._job_verify_restored(account.id)

    @api.model
    def _job_verify_restored(self, account_id):
        """Have all that waits verified, then let the account go on. Job; safe to run
        twice.

        :param int account_id: id of the account
        """
        # What the dump knew already may make more of it wait.
        for feed_id in in_own_transaction(self, "_feeds_of_the_dump", account_id):
            self.env["amazon.feed"]._follow(feed_id)
        after = 0
        while after is not None:
            after = in_own_transaction(self, "_doubt_some", account_id, after)
        in_own_transaction(self, "_go_on_after_restore", account_id)

    def _feeds_of_the_dump(self, account_id):
        """Return the ids of feeds that know more than their actions."""
        feeds = self.env["amazon.feed"].search(
            [
                ("account_id", "=", account_id),
                ("state", "in", BETTER_KNOWN),
                ("action_ids.state", "in", ("sending", "unknown")),
            ]
        )
        return feeds.ids

    def _doubt_some(self, account_id, after):
        """Doubt what waits and was asked for before the restore. What cannot be doubted
        is when it is about to leave.

        :param int account_id: id of the account
        :param int after: id of the action after which to go on
        :return: the same for the next call, None at the end
        :rtype: int | None
        """
        account = self.env["amazon.seller.account"].browse(account_id)
        actions = self.env["amazon.action"].search(
            [
                ("account_id", "=", account.id),
                ("state", "in", BEFORE_SENDING),
                ("asked_at", "<=", account.restored_at),
                *["|", ("restored_at", "=", False)],
                ("restored_at", "<", account.restored_at),
                ("id", ">", after),
            ],
            order="id",
            limit=CHUNK,
        )
        self.env["amazon.lost.time"]._doubt(actions)
        return actions[-1].id if len(actions) == CHUNK else None

    def _go_on_after_restore(self, account_id):
        """End the stop of a restored backup: nothing of before waits any more."""
        account = self.env["amazon.seller.account"].browse(account_id)
        for stop in self._restored_stops(account):
            stop.with_user(stop.ended_by_id).sudo()._finish(stop.end_reason)

    def _restored_stops(self, accounts):
        """Return the open stops of accounts of which what waits is being verified.

        :rtype: amazon.stop
        """
        stops = self.env["amazon.stop"]._open_of(accounts)
        return stops.filtered(lambda stop: stop.decision == "restored")

    @api.model
    def _mend(self, accounts):
        """Enqueue what a lost job would have verified.

        :param amazon.seller.account accounts: all of them that are watched
        """
        restored = accounts.filtered("restored_at")
        if not restored:
            return
        self._enqueue_verify(self._restored_stops(restored).account_id)
        groups = self.env["amazon.action"]._read_group(
            [
                ("account_id", "in", restored.ids),
                ("state", "=", "unknown"),
                ("restored_at", "!=", False),
                ("needs_person", "=", False),
                ("feed_id", "=", False),
                ("feed_type", "!=", False),
            ],
            ["account_id", "marketplace", "feed_type"],
        )
        for account, marketplace, feed_type in groups:
            lane = Lane(account.id, marketplace, feed_type)
            self._enqueue_verify_lane(lane)

    # === BUSINESS METHODS - LANES === #

    def _enqueue_verify_lane(self, lane):
        """Look at Amazon for what waited in a lane before a restore."""
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        in_background(self, account.company_id).with_delay(
            priority=10,
            eta=RECONCILE_MIN_SECONDS,
            max_retries=0,
            description=f"Verify the {lane.feed_type} that waited before a restore",
            identity_key="amazon_verify_{}_{}_{}".format(*lane),
        )._job_verify_lane(*lane)

    @api.model
    def _job_verify_lane(self, account_id, marketplace, feed_type):
        """Look for what waited in a lane before a restore. Job; safe to run twice.

        :raise RetryableJobError: as long as something of it is not known
        """
        lane = Lane(account_id, marketplace, feed_type)
        oldest = in_own_transaction(self, "_oldest_of_lost_time", lane)
        if not oldest:
            return
        account = self.env["amazon.seller.account"].browse(account_id)
        since = oldest - timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        since = max(since, database_now(self.env) - timedelta(days=LISTED_DAYS))
        problem, wait = None, 0
        try:
            rows, amazon_now = self.env["amazon.feed.list"]._read(account, since)
        except (SpApiError, IncompleteCredentials) as error:
            problem, wait = str(error), getattr(error, "wait", None) or 0
            lost = LostTime([], since, False, None, None, timedelta())
        else:
            lost = self._compare_lost_time(lane, rows, since, amazon_now)
        self._read_orders_of_lost_time(lane, lost)
        for action_id in in_own_transaction(self, "_of_lost_time", lane):
            action = self.env["amazon.action"].browse(action_id)
            # One that cannot be judged keeps none of the others.
            self.env["amazon.failure"]._run_apart(
                "verify",
                in_background(self, account.company_id),
                "_judge_by_id",
                action_id,
                lost,
                subject=action,
            )
        if in_own_transaction(self, "_of_lost_time", lane):
            pause = RECONCILE_MAX_SECONDS
            if problem or lost.is_caught_up:
                pause = max(ABSENT_RETRY_SECONDS, wait)
            reason = problem or "Amazon does not say yet"
            raise self.env["amazon.feed"]._later(reason, pause)

    def _compare_lost_time(self, lane, rows, since, amazon_now):
        """Compare what Amazon lists with what is known here.

        :param list[dict] rows: Amazon's feed objects
        :return: see `_lost_time`
        :rtype: LostTime
        """
        lists, listed = self.env["amazon.feed.list"], readable(rows)
        in_own_transaction(lists, "_compare", lane.account_id, listed, amazon_now)
        lost = in_own_transaction(self, "_lost_time", lane, listed, since, amazon_now)
        if len(listed) < len(rows):
            # One that cannot be read may be the one.
            lost = lost._replace(is_caught_up=False)
        return lost

    def _lost_time_domain(self, lane):
        return [
            ("account_id", "=", lane.account_id),
            ("marketplace", "=", lane.marketplace),
            ("feed_type", "=", lane.feed_type),
            ("state", "=", "unknown"),
            ("restored_at", "!=", False),
            ("feed_id", "=", False),
            ("needs_person", "=", False),
        ]

    def _of_lost_time(self, lane):
        """Return the ids of the actions of a lane that are still looked for."""
        actions = self.env["amazon.action"].search(
            self._lost_time_domain(lane), order="id"
        )
        return actions.ids

    def _oldest_of_lost_time(self, lane):
        """Return when the oldest of them was asked for, None where there is none."""
        ((oldest,),) = self.env["amazon.action"]._read_group(
            self._lost_time_domain(lane), aggregates=["asked_at:min"]
        )
        return oldest or None

    def _lost_time(self, lane, listed, since, amazon_now):
        """Say what Amazon's list tells of the time that was lost.

        :param Lane lane: the lane
        :param list[Listed] listed: all feeds of our types
        :param datetime since: from when on they are listed
        :param datetime amazon_now: Amazon's time after that
        :rtype: LostTime
        """
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        account._note_listed(amazon_now)
        now = database_now(self.env)
        known = self.env["amazon.feed"]._known_refs(account, listed, surely=True)
        start = account.life_listed_at
        is_shown_later = any(row.ref in known and row.created > start for row in listed)
        enough = timedelta(minutes=ABSENT_MINUTES)
        if not is_shown_later:
            enough = timedelta(hours=ABSENT_ALONE_HOURS)
        is_caught_up = amazon_now - start >= enough
        if is_caught_up and not account.life_known_at:
            account.life_known_at = now
        strays = [
            row
            for row in listed
            if row.feed_type == lane.feed_type
            and row.ref not in known
            and row.may_be_of(lane.marketplace)
        ]
        return LostTime(
            strays,
            since,
            is_caught_up,
            account.life_known_at,
            amazon_now,
            amazon_now - now,
        )

    def _read_orders_of_lost_time(self, lane, lost):
        """Read the orders, as far as quota and time allow: at first as of after the
        restore, for what they show by then, and once the list tells as of after that.

        :param LostTime lost: what Amazon's list says
        """
        unread = in_own_transaction(self, "_unread_of_lost_time", lane, lost.known_at)
        if len(unread) > SINGLE_READS:
            account = self.env["amazon.seller.account"].browse(lane.account_id)
            self.env["amazon.range.reading"]._read_ranges(account)
            unread = in_own_transaction(
                self, "_unread_of_lost_time", lane, lost.known_at
            )
        end = time.monotonic() + VERIFY_SECONDS
        feeds = self.env["amazon.feed"]
        for order_id in unread:
            try:
                in_own_transaction(feeds, "_read_order", order_id)
            except Exception:
                # One order that cannot be recorded must not keep the others.
                _logger.exception("The order %s could not be recorded", order_id)
            if time.monotonic() > end:
                return

    def _unread_of_lost_time(self, lane, known_at):
        """Return the ids of the orders that were not read since then."""
        actions = self.env["amazon.action"].browse(self._of_lost_time(lane))
        # in whole seconds: what was read in the second of the finding was not after it
        since = known_at or actions[:1].account_id.restored_at + timedelta(seconds=1)
        return [
            order.id
            for order in actions.order_id
            if not order.known_until or order.known_until < since
        ]


def _are_on_their_way(rows):
    """Whether Amazon still processes one of these feeds."""
    return any(row.status in ON_ITS_WAY for row in rows)


def _lane_of(action):
    """Return the lane that an action waits in.

    :rtype: Lane
    """
    return Lane(action.account_id.id, action.marketplace, action.feed_type)


def _is_lost_for_long(action):
    passed = database_now(action.env) - action.restored_at
    return passed > timedelta(hours=LOST_TIME_HOURS)
