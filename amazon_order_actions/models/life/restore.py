import time
from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...spapi.errors import IncompleteCredentials, SpApiError
from ..action.lane import Lane
from ..action.states import BEFORE_SENDING
from ..base.background import CHUNK, in_background, in_own_transaction
from ..base.clock import (
    CLOCK_TOLERANCE_MINUTES,
    any_ahead,
    as_utc,
    bring_back,
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

# Hours after which Amazon's data shows, at the latest, what a database had sent before
# it was restored from a backup: orders from the last 48 hours might be missing
# (listFinancialEvents), and a day more for what is deferred.
LOST_TIME_HOURS = 72

# Days for which Amazon lists a feed (getFeeds: createdSince at most 90 days ago).
LISTED_DAYS = 89

# What a person can say of a database that is not the one that sent last.
DECISIONS = [
    ("moved", "Moved or renamed: nothing else sends for this account"),
    ("restored", "Restored from a backup: verify all that waits"),
    ("copy", "A copy: never send from here"),
]

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


class AmazonStop(models.Model):
    """What an administrator decides where the database was found to be restored, copied
    or moved (`amazon.life`)."""

    _inherit = "amazon.stop"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    decision = fields.Selection(
        DECISIONS, readonly=True, help="What an administrator said that it is."
    )

    # === ACTION METHODS === #

    def action_decide(self):
        """Open the dialog in which an administrator says whether this database was
        moved, restored, or is a copy. Changes nothing.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is nothing to decide
        """
        self.ensure_one()
        self.check_access("read")
        self._check_admin(self.company_id)
        if not self.life_id or self.ended_at:
            raise UserError(self.env._("There is nothing to decide here any more."))
        decision = self.env["amazon.life.decision"].create({"stop_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Is This Database?"),
            "res_model": decision._name,
            "res_id": decision.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    # === BUSINESS METHODS === #

    def _decide(self, decision, reason):
        """Say what this database is, for the current user, an administrator.

        :param str decision: one of `DECISIONS`
        :param str reason: why, at most 500 characters
        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is no reason, or nothing to decide
        """
        self.ensure_one()
        stop_sudo = self.sudo()
        self._check_admin(stop_sudo.company_id)
        reason = self._check_reason(reason)
        if not stop_sudo.life_id or stop_sudo.ended_at:
            raise UserError(self.env._("There is nothing to decide here any more."))
        if stop_sudo.decision == "restored":
            raise UserError(
                self.env._("It was decided already: what waits is being verified.")
            )
        labels = dict(self._fields["decision"]._description_selection(self.env))
        reason = f"{labels[decision]}. {reason}"[:REASON_SIZE]
        stop_sudo.write(
            {"decision": decision, "ended_by_id": self.env.uid, "end_reason": reason}
        )
        getattr(stop_sudo, f"_decide_{decision}")()

    def _decide_moved(self):
        """Nothing else sends: it goes on."""
        self._finish(self.end_reason)

    def _decide_restored(self):
        """Another life has sent some of what waits: verify that before it goes on."""
        self._journal("stopped", "verifying", self.end_reason)
        account = self.account_id
        account.restored_at = account.life_found_at
        account._enqueue_verify_restored()

    def _decide_copy(self):
        """Another database sends: this one never does."""
        self._journal("stopped", "stopped", self.end_reason)
        account = self.account_id
        account._forget_credentials()
        waiting = self.env["amazon.action"].search(
            [("account_id", "=", account.id), ("state", "in", BEFORE_SENDING)]
        )
        waiting._set_blocked(
            self.env._(
                "%s said that this database is a copy, so this is not sent from here. "
                "Look in the original whether it is sent.",
                self.env.user.name,
            )
        )

    def _finish_verified(self):
        """End the stop of a restored backup: nothing of before waits any more."""
        open_stops = self.filtered(lambda stop: not stop.ended_at)
        for stop in open_stops:
            stop.with_user(stop.ended_by_id).sudo()._finish(stop.end_reason)


class AmazonSellerAccount(models.Model):
    _inherit = "amazon.seller.account"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    has_life_stop = fields.Boolean(
        "Waits for a Decision",
        compute="_compute_has_life_stop",
        compute_sudo=True,
        help="The database was found to be restored, copied or moved.",
    )
    restored_at = fields.Datetime(
        "Backup Restored",
        readonly=True,
        copy=False,
        help="When it was found that this database was restored from a backup: what "
        "was asked for before may have been sent in the time that it lost.",
    )
    life_listed_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="By Amazon's clock: when its list of feeds was first read after this "
        "database was found to be restored, copied or moved.",
    )
    life_known_at = fields.Datetime(
        readonly=True,
        copy=False,
        help="When that list surely showed all that had been sent before.",
    )

    # === COMPUTE METHODS === #

    def _compute_has_life_stop(self):
        stopped = self._open_stops().filtered("life_id").account_id
        for account in self:
            account.has_life_stop = account in stopped

    # === ACTION METHODS === #

    def action_decide_life(self):
        """Open the dialog that decides what this database is. Changes nothing.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when there is nothing to decide
        """
        self.ensure_one()
        self.check_access("read")
        stops = self._open_stops().with_env(self.env)
        stop = stops.filtered("life_id")[:1]
        stops._check_admin(self.sudo().company_id)
        if not stop:
            raise UserError(self.env._("There is nothing to decide here any more."))
        return stop.action_decide()

    # === BUSINESS METHODS === #

    def _forget_credentials(self):
        """Forget what Amazon lets this account in by."""
        self.sudo().write(
            {
                "lwa_client_secret_sealed": False,
                "lwa_refresh_token_sealed": False,
                "access_token_sealed": False,
                "access_token_expires_at": False,
            }
        )

    def _enqueue_verify_restored(self):
        for account in self:
            in_background(account, account.company_id).with_delay(
                priority=1,
                max_retries=0,
                description=f"Verify what waits of {account.name} after a restore",
                identity_key=f"amazon_verify_restored_{account.id}",
            )._job_verify_restored()

    def _job_verify_restored(self):
        """Have all that waits verified, then let the account go on. Job; safe to run
        twice."""
        self.ensure_one()
        # What the dump knew already may make more of it wait.
        for feed_id in in_own_transaction(self, "_feeds_of_the_dump"):
            self.env["amazon.feed"]._follow(feed_id)
        after = 0
        while after is not None:
            after = in_own_transaction(self, "_doubt_some_of_lost_time", after)
        in_own_transaction(self, "_go_on_after_restore")

    def _feeds_of_the_dump(self):
        """Return the ids of feeds that know more than their actions."""
        feeds = self.env["amazon.feed"].search(
            [
                ("account_id", "=", self.id),
                ("state", "in", BETTER_KNOWN),
                ("action_ids.state", "in", ("sending", "unknown")),
            ]
        )
        return feeds.ids

    def _doubt_some_of_lost_time(self, after):
        """Doubt what waits and was asked for before the restore. What cannot be doubted
        is when it is about to leave.

        :param int after: id of the action after which to go on
        :return: the same for the next call, None at the end
        :rtype: int | None
        """
        actions = self.env["amazon.action"].search(
            [
                ("account_id", "=", self.id),
                ("state", "in", BEFORE_SENDING),
                ("asked_at", "<=", self.restored_at),
                *["|", ("restored_at", "=", False)],
                ("restored_at", "<", self.restored_at),
                ("id", ">", after),
            ],
            order="id",
            limit=CHUNK,
        )
        actions._doubt_lost_time()
        return actions[-1].id if len(actions) == CHUNK else None

    def _go_on_after_restore(self):
        stops = self._open_stops().filtered(
            lambda stop: stop.account_id == self and stop.decision == "restored"
        )
        stops._finish_verified()

    def _note_listed(self, amazon_now):
        """Keep when Amazon's list was first read after the finding.

        :param datetime amazon_now: Amazon's time after that
        """
        if self.life_found_at and not self.life_listed_at:
            self.life_listed_at = amazon_now.replace(microsecond=0)

    def _is_restored_lately(self):
        """Whether Amazon may not show yet all that was sent before a restore.

        :rtype: bool
        """
        self.ensure_one()
        restored_at = self.sudo().restored_at
        since = database_now(self.env) - timedelta(hours=LOST_TIME_HOURS)
        return bool(restored_at) and restored_at > since

    def _mend_verification(self):
        """Enqueue what a lost job would have verified."""
        restored = self.filtered("restored_at")
        if not restored:
            return
        stops = restored._open_stops().filtered(lambda s: s.decision == "restored")
        stops.account_id._enqueue_verify_restored()
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
            self.env["amazon.feed"]._enqueue_verify_lane(lane)

    # === BUSINESS METHODS - CLOCKS === #

    @api.model
    def _mend_future(self, account_ids, limit):
        """The database was found restored by now: what is read from now on counts."""
        now = database_now(self.env)
        times = ("life_found_at", "restored_at")
        accounts = self.browse(account_ids)
        ahead = accounts.filtered_domain(any_ahead(times, now))[:limit]
        bring_back(ahead, times, now)
        return len(ahead)


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
            self.env["amazon.feed"]._enqueue_verify_lane(lane)

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


class AmazonFeed(models.Model):
    """How what waits in the lanes of a restored backup is looked for at Amazon."""

    _inherit = "amazon.feed"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    # === BUSINESS METHODS === #

    def _absent_from(self):
        """Return Amazon's time from which on its list must show this feed: where the
        database was restored, another life may have sent it again until then.

        :rtype: datetime
        """
        return max(self._window_start(), self.account_id.life_listed_at or datetime.min)

    def _enqueue_verify_lane(self, lane):
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
        oldest = self._in_own_transaction("_oldest_of_lost_time", lane)
        if not oldest:
            return
        account = self.env["amazon.seller.account"].browse(account_id)
        since = oldest - timedelta(minutes=CLOCK_TOLERANCE_MINUTES)
        since = max(since, database_now(self.env) - timedelta(days=LISTED_DAYS))
        problem, wait = None, 0
        try:
            rows, amazon_now = account._list_feeds(since)
        except (SpApiError, IncompleteCredentials) as error:
            problem, wait = str(error), getattr(error, "wait", None) or 0
            lost = LostTime([], since, False, None, None, timedelta())
        else:
            lost = self._compare_lost_time(lane, rows, since, amazon_now)
        self._read_orders_of_lost_time(lane, lost)
        for action_id in self._in_own_transaction("_of_lost_time", lane):
            action = self.env["amazon.action"].browse(action_id)
            # One that cannot be judged keeps none of the others.
            self.env["amazon.failure"]._run_apart(
                "verify",
                in_background(action, account.company_id),
                "_judge_lost_time",
                lost,
            )
        if self._in_own_transaction("_of_lost_time", lane):
            pause = RECONCILE_MAX_SECONDS
            if problem or lost.is_caught_up:
                pause = max(ABSENT_RETRY_SECONDS, wait)
            raise self._later(problem or "Amazon does not say yet", pause)

    def _compare_lost_time(self, lane, rows, since, amazon_now):
        """Compare what Amazon lists with what is known here.

        :param list[dict] rows: Amazon's feed objects
        :return: see `_lost_time`
        :rtype: LostTime
        """
        account = self.env["amazon.seller.account"].browse(lane.account_id)
        listed = readable(rows)
        in_own_transaction(account, "_compare_feeds", listed, amazon_now)
        lost = self._in_own_transaction("_lost_time", lane, listed, since, amazon_now)
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
        known = self._known_refs(account, listed, surely=True)
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
        unread = self._in_own_transaction("_unread_of_lost_time", lane, lost.known_at)
        if len(unread) > SINGLE_READS:
            account = self.env["amazon.seller.account"].browse(lane.account_id)
            account._read_ranges()
            unread = self._in_own_transaction(
                "_unread_of_lost_time", lane, lost.known_at
            )
        end = time.monotonic() + VERIFY_SECONDS
        for order_id in unread:
            try:
                self._in_own_transaction("_read_order", order_id)
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


class AmazonActionRefund(models.AbstractModel):
    _inherit = "amazon.action.kind.refund"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _warnings(self, order):
        """Override: what was refunded in the lost time is not known here."""
        warnings = super()._warnings(order)
        if order.account_id._is_restored_lately():
            warnings.append(
                self.env._(
                    "This database was restored from a backup. Refunds that were asked "
                    "for in the time that it lost may not show at Amazon yet. Look at "
                    "the order in Seller Central before you refund."
                )
            )
        return warnings


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
