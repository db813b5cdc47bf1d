from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..account.quota import FILLED

# Processed feeds that the forecast goes by: enough to be usual, few enough to follow
# Amazon's mood of the day.
USUAL_FEEDS = 20

# Seconds. Amazon is not called slow before, however fast it was lately: most feeds are
# processed within minutes, and Amazon promises nothing.
SLOW_AT_LEAST = 600

# Fewer processed feeds than this are no experience.
LEAST_EXPERIENCE = 3


class AmazonForecast(models.AbstractModel):
    """When something that was asked for is expected to leave and to be answered.

    Experience, never a promise: nothing depends on it but what people read.
    """

    _name = "amazon.forecast"
    _description = "Forecast of Amazon's Answers"

    def _for_actions(self, account, rows):
        """Return what to expect of actions that are on their way.

        :param amazon.seller.account account: whose actions they are
        :param list[dict] rows: of each action ``id``, ``kind``, ``feed_type``,
            ``state``, ``due_at`` and ``feed_submitted_at``
        :return: by action: ``leaves_at`` and ``answer_at`` (UTC as text, or False where
            nobody can tell), ``is_slow``, and where it is stopped ``stop_message``
        :rtype: dict[int, dict]
        """
        moving = [
            row
            for row in rows
            if row["state"] in ("queued", "submitted") and row["feed_type"]
        ]
        stopped = self._stopped(account, rows)
        moving = [row for row in moving if row["id"] not in stopped]
        if not moving:
            return stopped
        usual = self._usual(account, {row["feed_type"] for row in moving})
        wait = any(row["state"] == "queued" for row in moving) and self._wait(account)
        return stopped | {
            row["id"]: self._for_action(account, row, wait, usual[row["feed_type"]])
            for row in moving
        }

    def _stopped(self, account, rows):
        """Say of what waits by whom, since when and why it is stopped."""
        queued = [row for row in rows if row["state"] == "queued"]
        if not queued:
            return {}
        if not account.active:
            message = self.env._("The account %s is archived.", account.name)
            return {row["id"]: {"stop_message": message} for row in queued}
        holds = self.env["amazon.gatekeeper"]._all_holds(account)[account]
        stopped = {}
        for row in queued:
            of_row = [hold for hold in holds if hold.kind in (False, row["kind"])]
            if of_row:
                message = "\n".join(hold.tell() for hold in of_row)
                stopped[row["id"]] = {"stop_message": message}
        return stopped

    def _wait(self, account):
        """Return seconds until Amazon takes the next feed of this account.

        Read in this transaction: it is only a forecast, and a form that is read needs
        no connection more for it.
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT (1 - %s) / rate FROM amazon_quota"
                " WHERE account_id = %s AND operation = 'createFeed'",
                SQL(FILLED),
                account.id,
            )
        )
        return max(rows[0][0], 0.0) if rows else 0.0

    def _for_action(self, account, row, wait, usual):
        leaves_at = answer_at = False
        if row["state"] == "submitted":
            sent_at = row["feed_submitted_at"]
        else:
            soonest = fields.Datetime.now() + timedelta(seconds=wait)
            sent_at = leaves_at = max(soonest, row["due_at"] or soonest)
        if sent_at and usual["median"] is not None:
            answer_at = sent_at + timedelta(seconds=usual["median"])
        return {
            "leaves_at": fields.Datetime.to_string(leaves_at),
            "answer_at": fields.Datetime.to_string(answer_at),
            "is_slow": usual["is_slow"],
        }

    def _usual(self, account, feed_types):
        """Return how long Amazon took lately, and whether it takes longer now.

        :param set feed_types: feed types to look at
        :return: by feed type: ``median`` in seconds or None, ``is_slow``
        :rtype: dict[str, dict]
        """
        now = fields.Datetime.now()
        usual = {}
        for row in self._read_feeds(account, feed_types):
            known = row["known"] >= LEAST_EXPERIENCE
            patience = max(2 * row["long"] if known else 0, SLOW_AT_LEAST)
            oldest = row["oldest"]
            usual[row["feed_type"]] = {
                "median": row["median"] if known else None,
                "is_slow": bool(oldest) and (now - oldest).total_seconds() > patience,
            }
        return usual

    def _read_feeds(self, account, feed_types):
        """Return a row for each feed type: of the feeds that were processed last their
        number, the median and the 90th percentile of the seconds that they took; and
        when the oldest was submitted that is not processed yet."""
        self.env["amazon.feed"].flush_model()
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT lane.feed_type, last.*, (
                         SELECT MIN(feed.submitted_at)
                           FROM amazon_feed feed
                          WHERE feed.account_id = %(account)s
                            AND feed.feed_type = lane.feed_type
                            AND feed.state = 'submitted') AS oldest
                  FROM unnest(%(feed_types)s) AS lane (feed_type),
                       LATERAL (
                         SELECT COUNT(*) AS known,
                                percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)
                                  AS median,
                                percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)
                                  AS long
                           FROM (
                             SELECT EXTRACT(EPOCH FROM done_at - submitted_at)
                                      AS seconds
                               FROM amazon_feed feed
                              WHERE feed.account_id = %(account)s
                                AND feed.feed_type = lane.feed_type
                                AND feed.done_at IS NOT NULL
                              ORDER BY feed.done_at DESC
                              LIMIT %(usual_feeds)s) AS taken
                       ) AS last
                """,
                account=account.id,
                feed_types=sorted(feed_types),
                usual_feeds=USUAL_FEEDS,
            )
        )
