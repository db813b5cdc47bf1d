"""The states of an action, how they follow each other, and what they mean."""

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

# An action in one of these states may be confirmed by what Amazon's data shows.
AWAITED_STATES = ("submitted", "unknown", "accepted", "assisted")

# What a second person decides on, or has not in time.
APPROVAL_STATES = ("to_approve", "refused", "expired")

# Nothing has left yet: whoever may ask for it can take it back.
BEFORE_SENDING = ("to_approve", "queued")

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

# An action in one of these states may move money or has moved it, and counts against
# the limits of who asked for it.
COUNTED_STATES = (*RESERVING_STATES, "confirmed")

# States in which an action still waits for what becomes of its feed.
OPEN_STATES = ("sending", "submitted", "unknown")
