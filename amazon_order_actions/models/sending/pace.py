"""How long and how often: what several parts of sending go by."""

# Seconds that a dispatch may spend on reading single orders, so that createFeed is over
# well before Odoo ends a request that takes too long (limit_time_real, 120 by default):
# a worker killed in createFeed leaves an unknown outcome.
VERIFY_SECONDS = 40

# Seconds between two looks at the same thing: half of its age, within these bounds.
# getFeed allows 2 calls a second, financial events of one order 0.5 a second
# (amzn/selling-partner-api-models, rate tables of the operations).
POLL_MIN_SECONDS, POLL_MAX_SECONDS = 3, 600
