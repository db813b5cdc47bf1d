"""Enumerations and limits of the addon, each with its source."""

# Fulfillment statuses of Orders 2026-01-01 (``order.fulfillment.fulfillmentStatus``).
# Source: amzn/selling-partner-api-models, models/orders-api-model/
# orders_2026-01-01.json.
FULFILLMENT_STATUSES = [
    ("PENDING_AVAILABILITY", "Pending availability"),
    ("PENDING", "Pending"),
    ("UNSHIPPED", "Unshipped"),
    ("PARTIALLY_SHIPPED", "Partially shipped"),
    ("SHIPPED", "Shipped"),
    ("CANCELLED", "Cancelled"),
    ("UNFULFILLABLE", "Unfulfillable"),
    # only in Amazon's migration data (Brazil)
    ("INVOICE_UNCONFIRMED", "Invoice unconfirmed"),
    # Whatever Amazon may add: shown as it came, and no action is offered.
    ("OTHER", "Other"),
]

# States of an action: each names what is known at Amazon.
ACTION_STATES = [
    ("to_approve", "Waits for Approval"),
    ("queued", "Queued"),
    ("sending", "Sending"),
    ("submitted", "Submitted"),
    ("unknown", "Unknown"),
    ("accepted", "Accepted"),
    ("confirmed", "Confirmed"),
    ("rejected", "Rejected"),
    ("blocked", "Blocked"),
    ("withdrawn", "Withdrawn"),
    ("refused", "Refused by the Approver"),
    ("expired", "Approval Expired"),
    ("assisted", "Done in Seller Central"),
]

# What a second person decides on, or has not in time.
APPROVAL_STATES = ("to_approve", "refused", "expired")
# Nothing has left yet: whoever may ask for it can take it back.
BEFORE_SENDING = ("to_approve", "queued")

# Hours after which nobody approves any more what waits for approval, unless the account
# says otherwise; and characters of the reason of a refusal, which the journal keeps.
APPROVAL_HOURS, APPROVAL_HOURS_MAX, REFUSAL_LENGTH = 24, 720, 500

# The one table of legal moves: target state -> states it may be reached from.
# ``rejected -> accepted`` and ``unknown -> ...`` are late news, taken on evidence.
# ``submitted -> withdrawn``: Amazon dropped the feed, as it was asked to, before it
# processed anything.
ACTION_TRANSITIONS = {
    # a person says that Amazon does not have it, and a second one must agree
    "to_approve": ("unknown",),
    "sending": ("queued",),
    "submitted": ("sending", "unknown"),
    # from the queue: what is to be sent again may be at Amazon after all
    # not approved: it is not sent again, and what became of the first time is unknown
    "unknown": ("sending", "submitted", "queued", "to_approve"),
    # from sending: the answer to a call of its own says so at once
    "accepted": ("sending", "submitted", "unknown", "rejected"),
    "confirmed": ("submitted", "unknown", "accepted", "assisted"),
    "rejected": ("sending", "submitted", "unknown"),
    # approved; or back to the queue: only where nothing reached Amazon, as is proven
    "queued": ("to_approve", "sending", "unknown"),
    "refused": ("to_approve",),
    "expired": ("to_approve",),
    # to be approved: where it turns out that this database is a copy
    "blocked": ("to_approve", "queued", "sending", "unknown"),
    # before it was sent; or Amazon dropped the feed because a person asked for it
    "withdrawn": ("to_approve", "queued", "submitted"),
    # a person saw it in Seller Central
    "assisted": ("unknown",),
}

# News that come after better ones, and are no contradiction: Amazon's data may show
# the outcome before its report is read.
SURPASSED = {"confirmed": ("submitted", "accepted")}

# An action in one of these states may still move (or has just moved) money that
# Amazon's finances do not show yet, so its amount is not offered a second time.
RESERVING_STATES = (
    "to_approve",
    "queued",
    "sending",
    "submitted",
    "unknown",
    "accepted",
    "assisted",
)

# An action in one of these states may move money or has moved it, and counts against
# the limits of who asked for it.
COUNTED_STATES = (*RESERVING_STATES, "confirmed")

# States in which an action still waits for what becomes of its feed.
OPEN_STATES = ("sending", "submitted", "unknown")

FEED_STATES = [
    ("sending", "Sending"),
    ("not_sent", "Not sent"),
    ("submitted", "Submitted"),
    ("unknown", "Unknown"),
    ("absent", "Not at Amazon"),
    ("refused", "Refused"),
    ("done", "Processed"),
    ("cancelled", "Cancelled by Amazon"),
    ("fatal", "Failed at Amazon"),
]

# Seconds. What Amazon said of an order may be this old when an action of it is sent.
# By range it can be known 120 seconds late (searchOrders and listTransactions leave the
# last two minutes out), and searchOrders allows one call in 178 seconds.
ORDER_FRESH_SECONDS = 600

# Seconds. An order that was read longer ago is read again in the background when
# somebody opens a form that shows it. getOrder allows 0.5 calls a second.
ORDER_STALE_AFTER = 600

# Actions in one envelope: what one dispatch works off in reasonable time. Amazon
# advises at most 10 MiB (feeds guide), which hold more messages than this.
MAX_ACTIONS_PER_FEED = 5000

# createFeed allows 15 calls at once, then one in 120 seconds, for all feed types of an
# account together. So many tokens are kept for what cannot wait: cancellations that
# race the warehouse, and tickets near the end of their answer time.
URGENT_RESERVE = 3

# Hours in which Amazon wants a buyer's message answered (Seller Central, Contact
# Response Time), and how long before its end an action from the ticket goes first.
ANSWER_HOURS = 24
ANSWER_RESERVE_HOURS = 2

# Seconds until a range that is read by last update or posting date shows what happened
# now: Amazon leaves the last 120 seconds out (searchOrders, listTransactions).
RANGE_LAG_SECONDS = 130
# Seconds that an action which could leave waits at most for others that Amazon will
# soon show, where they are more, or where it would take the last token of createFeed.
COLLECT_SECONDS = 240
# Bounds of the wait for it, in seconds.
NEXT_FEED_MIN_SECONDS, NEXT_FEED_MAX_SECONDS = 15, 60

# Seconds that a dispatch may spend on reading single orders, so that createFeed is over
# well before Odoo ends a request that takes too long (limit_time_real, 120 by default):
# a worker killed in createFeed leaves an unknown outcome.
VERIFY_SECONDS = 40

# Actions that are changed in one transaction where many are: a chunk that fails to
# serialize is done again, so it should be short.
CHUNK = 200

# Seconds: clicks within so many seconds share a dispatch job.
DISPATCH_SLOT_SECONDS = 2
# Another job, at least this much later, finds what a click committed only after that
# one had looked.
DISPATCH_SWEEP_SECONDS = 60

# Seconds in which an action can be taken back, unless the account says otherwise.
UNDO_SECONDS = 10

# Seconds between two looks at the same thing: half of its age, within these bounds.
# getFeed allows 2 calls a second, financial events of one order 0.5 a second
# (amzn/selling-partner-api-models, rate tables of the operations).
POLL_MIN_SECONDS, POLL_MAX_SECONDS = 3, 600

# Seconds until the first look for the outcome of an action in Amazon's data; orders
# that are then read by themselves, where more were accepted at once their lists do.
CONFIRM_MIN_SECONDS = 10
CONFIRM_SINGLE_ORDERS = 10

# Amazon's clock and ours may differ by this many minutes when a refund is matched to
# the feed that asked for it.
CLOCK_TOLERANCE_MINUTES = 15

# Seconds by which a time may be ahead of PostgreSQL's clock, or a host's clock differ
# from it, before it counts as wrong. A clock that is kept by NTP is right to a fraction
# of one; times are kept in whole seconds, and a question to the database may take a
# moment where the machine is busy.
CLOCK_SECONDS = 5
# Seconds. The longest time to take an action back, which the accounts' constraints
# allow, and the longest wait after a 429 (spapi.transport, MAX_WAIT): nothing is due
# later by a right clock.
DUE_AHEAD_SECONDS = 3600 + 900

# Days after which an accepted action that Amazon's own data does not show is reported.
# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents);
# deferred money appears when it is released.
CONFIRM_ALERT_DAYS = 14

# Seconds to wait before a dispatch that could not be done is tried again, where
# Amazon did not say how long.
DISPATCH_RETRY_SECONDS = 30
# Seconds until a dispatcher that found its lane taken looks again.
LANE_BUSY_SECONDS = 5

# === READING BY RANGE === #

# Seconds. Both ranges are read again this far back, for what Amazon shows a little
# later than its time says.
RANGE_OVERLAP_SECONDS = 300
# Hours. A longer gap is not caught up (searchOrders gives 100 orders in 178 seconds):
# the cover begins anew, and each order must be read once by itself.
RANGE_GAP_HOURS = 24
# Seconds between two questions about the same range where half of the quota is used up;
# with more than half of it at hand there is no need to wait.
RANGE_EVERY_SECONDS = 240
# Seconds that one run may take; what is left is for the next one.
RANGE_RUN_SECONDS = 40
# Seconds until a run that failed, or found somebody else at it, looks again.
RANGE_RETRY_SECONDS, RANGE_BUSY_SECONDS = 60, 5
# listTransactions leaves out the last two minutes before the request; the rest is for
# the way there.
TRANSACTIONS_LAG_SECONDS = 125
# "Financial events might not include orders from the last 48 hours" (both Finances
# models): so far back transactions are listed again, once in so many seconds.
LATE_HOURS, LATE_EVERY_SECONDS = 48, 3600
# Seconds: requests to read within so many seconds share a job.
RANGE_SLOT_SECONDS = 10
# Days. The ranges of an account are read while an order of it was read so lately.
RANGE_IDLE_DAYS = 60
# Orders that a run has read by themselves where Amazon's lists have not confirmed their
# actions for a day, as may be after a gap.
RANGE_LEFTOVERS = 10

# === UNKNOWN OUTCOMES === #

# Seconds between two looks for a feed in Amazon's list: half of the time that has
# passed since it was sent, within these bounds. getFeeds allows 10 calls at once, then
# one in 45 seconds.
RECONCILE_MIN_SECONDS, RECONCILE_MAX_SECONDS = 10, 900
# Seconds. The list is read from so long before the sending, so that a feed that lies
# before its window is seen, too.
LISTING_TOLERANCE_SECONDS = 120
# Seconds after the sending in which Amazon must have created our feed. We wait at most
# 100 seconds for its answer (spapi.transport); what is created much later is not ours.
ADOPT_SECONDS = 300
# Each listing of an account's feeds begins so long before the one before ended, in
# minutes: feeds are listed late. After a pause it begins so many hours ago at most:
# getFeeds shows 100 feeds a page.
LOOK_OVERLAP_MINUTES, LOOK_BACK_HOURS = 60, 72
# Seconds for which a list serves where the quota of getFeeds is used up.
LOOK_FRESH_SECONDS = 60
# Days for which an account is said to have another program that sends feeds, since the
# last one; and days for which such feeds are kept (Amazon lists 90 days).
FOREIGN_DAYS, FOREIGN_KEPT_DAYS = 30, 90
# Amazon's list may lag. A feed that it does not show is called absent after so many
# minutes where a later feed of ours is shown, and after so many hours in any case.
ABSENT_MINUTES, ABSENT_ALONE_HOURS = 60, 4
# Seconds until the orders are asked again where an absence cannot be declared yet.
ABSENT_RETRY_SECONDS = 60

# A report that is missing is asked for every so many seconds during the first hours,
# then daily, until Amazon deletes it (result documents are kept for 28 days: model of
# getFeeds).
LATE_REPORT_SECONDS, LATE_REPORT_HOURS, REPORT_DAYS = 300, 6, 28

# Minutes after the end of a feed from which on an order that is not cancelled proves
# that its cancellation was not executed.
NOT_CANCELLED_MINUTES = 30
# Hours between two looks at the orders of actions whose outcome is unknown, and after
# which a person is asked. Amazon: "Orders from the last 48 hours might not be included"
# (listFinancialEvents).
ORDER_LOOK_HOURS, NO_TRACE_HOURS = 6, 72

# Seconds between two looks at a feed that Amazon has had for more than a day.
POLL_STUCK_SECONDS = 3600
# Days after which a feed that Amazon does not know any more is given up.
FEED_GONE_DAYS = 1

# Hours after which Amazon's data shows, at the latest, what a database had sent before
# it was restored from a backup: orders from the last 48 hours might be missing
# (listFinancialEvents), and a day more for what is deferred.
LOST_TIME_HOURS = 72
# Days for which Amazon lists a feed (getFeeds: createdSince at most 90 days ago).
LISTED_DAYS = 89

# Orders that are read one by one; where they are more, Amazon's lists are read first.
SINGLE_READS = 30

# === CALLS OF THEIR OWN === #

# Seconds until a call is tried again that was proven not to have left, where Amazon did
# not say how long: half of the time since it was asked for, within these bounds.
CALL_RETRY_SECONDS, CALL_RETRY_MAX_SECONDS = 30, 300
# Seconds between two looks for the outcome of a call at Amazon: half of the time that
# has passed, within these bounds.
LOOK_MIN_SECONDS, LOOK_MAX_SECONDS = 30, 3600
# Minutes after a call without an answer from which on what Amazon's data does not show
# was not executed, where a kind can tell; and hours after which a person is asked.
NOT_EXECUTED_MINUTES, CALL_NO_TRACE_HOURS = 30, 24

# === CREDENTIALS === #

# Days for which Amazon accepts the client secret of an application, and days before its
# end at which administrators are told, the second time urgently. Source: "Rotate your
# Application's LWA Credentials",
# https://developer-docs.amazon.com/sp-api/docs/rotating-your-apps-lwa-credentials
SECRET_DAYS = 180
SECRET_DUE_DAYS, SECRET_NEAR_DAYS = 30, 7
