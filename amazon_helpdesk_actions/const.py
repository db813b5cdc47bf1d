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
    ("queued", "Queued"),
    ("sending", "Sending"),
    ("submitted", "Submitted"),
    ("unknown", "Unknown"),
    ("accepted", "Accepted"),
    ("confirmed", "Confirmed"),
    ("rejected", "Rejected"),
    ("blocked", "Blocked"),
    ("withdrawn", "Withdrawn"),
    ("assisted", "Done in Seller Central"),
]

# The one table of legal moves: target state -> states it may be reached from.
# ``rejected -> accepted`` and ``unknown -> ...`` are late news, taken on evidence.
ACTION_TRANSITIONS = {
    "sending": ("queued",),
    "submitted": ("sending", "unknown"),
    "unknown": ("sending", "submitted"),
    "accepted": ("submitted", "unknown", "rejected"),
    "confirmed": ("submitted", "unknown", "accepted", "assisted"),
    "rejected": ("submitted", "unknown"),
    # back to the queue only where it is proven that nothing reached Amazon
    "queued": ("sending", "unknown"),
    "blocked": ("queued", "sending", "unknown"),
    "withdrawn": ("queued",),
    # a person saw it in Seller Central
    "assisted": ("unknown",),
}

# News that come after better ones, and are no contradiction: Amazon's data may show
# the outcome before its report is read.
SURPASSED = {"confirmed": ("submitted", "accepted")}

# An action in one of these states may still move (or has just moved) money that
# Amazon's finances do not show yet, so its amount is not offered a second time.
RESERVING_STATES = (
    "queued",
    "sending",
    "submitted",
    "unknown",
    "accepted",
    "assisted",
)

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

# Actions in one envelope. The order of each is read right before it is sent, and
# getOrder and listFinancialEventsByOrderId both allow 30 calls at once, then one in two
# seconds (rate tables of amzn/selling-partner-api-models).
MAX_ACTIONS_PER_FEED = 30
# Seconds after which the next of them can be read.
NEXT_FEED_SECONDS = 60
# Seconds that a dispatch may spend on reading orders, so that createFeed is over well
# before Odoo ends a request that takes too long (limit_time_real, 120 by default): a
# worker killed in createFeed leaves an unknown outcome.
VERIFY_SECONDS = 40

# Seconds between two looks at the same thing: half of its age, within these bounds.
# getFeed allows 2 calls a second, financial events of one order 0.5 a second
# (amzn/selling-partner-api-models, rate tables of the operations).
POLL_MIN_SECONDS, POLL_MAX_SECONDS = 3, 600
CONFIRM_MIN_SECONDS, CONFIRM_MAX_SECONDS = 10, 6 * 3600

# Amazon's clock and ours may differ by this many minutes when a refund is matched to
# the feed that asked for it.
CLOCK_TOLERANCE_MINUTES = 15

# Days after which an accepted action that Amazon's own data does not show is reported.
# Amazon: "Orders from the last 48 hours might not be included" (listFinancialEvents);
# deferred money appears when it is released.
CONFIRM_ALERT_DAYS = 14

# Seconds to wait before a dispatch that could not be done is tried again, where
# Amazon did not say how long.
DISPATCH_RETRY_SECONDS = 30
# Seconds until a dispatcher that found its lane taken looks again.
LANE_BUSY_SECONDS = 5

# Seconds between two looks for a feed in Amazon's list: half of the time that has
# passed since it was sent, within these bounds. getFeeds allows 10 calls at once, then
# one in 45 seconds.
RECONCILE_MIN_SECONDS, RECONCILE_MAX_SECONDS = 10, 900
# Seconds. The list is read from so long before the sending, so that a feed that lies
# before its window is seen, too.
LISTING_TOLERANCE_SECONDS = 120
# Seconds after the sending in which Amazon must have created our feed. We wait at most
# 40 seconds for its answer (spapi.transport); what is created much later is not ours.
ADOPT_SECONDS = 300
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

# Actions that are moved in one transaction.
MOVE_CHUNK = 200
