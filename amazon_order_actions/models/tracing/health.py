from odoo import models
from odoo.tools import SQL

from ..base.clock import database_now
from ..watch.health import Metric, Sample, seconds

# What is asked for and not over: few rows, however many there have been.
STAGES = ("to_approve", "queued", "sending", "submitted", "unknown", "accepted")


class AmazonHealthAction(models.AbstractModel):
    """Measures how many actions are where on their way, and for how long."""

    _name = "amazon.health.action"
    _inherit = "amazon.health"
    _description = "Amazon Health of Actions"

    _metrics = (
        Metric("actions", "Actions that are not over, by stage."),
        Metric("stage_seconds", "Seconds since the oldest of a stage reached it."),
        Metric("queued_seconds", "Seconds since the oldest queued action may leave."),
        Metric("undecided", "Unknown outcomes that wait for a person."),
    )

    def _measure(self, accounts):
        """Override."""
        now = database_now(self.env)
        found = {(row[0], row[1]): row[2:] for row in self._stages(accounts)}
        undecided = dict(self._undecided(accounts))
        for account in accounts:
            of_account = [key for key in found if key[0] == account.id]
            if not account.active and not of_account:
                continue
            labels = {"account": account.name}
            for stage in STAGES:
                count, since, due_at = found.get((account.id, stage), (0, None, None))
                of_stage = {**labels, "stage": stage}
                yield Sample("actions", count, of_stage)
                yield Sample("stage_seconds", seconds(since, now), of_stage)
                if stage == "queued":
                    yield Sample("queued_seconds", seconds(due_at, now), labels)
            yield Sample("undecided", undecided.get(account.id, 0), labels)

    def _stages(self, accounts):
        """Return account, stage, how many, and since when of each stage."""
        self.env["amazon.action"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT account_id, state, COUNT(*), MIN(last_state_change),
                       MIN(GREATEST(due_at, asked_at))
                  FROM amazon_action
                 WHERE account_id = ANY(%s) AND state = ANY(%s)
                 GROUP BY account_id, state
                """,
                accounts.ids,
                list(STAGES),
            )
        )

    def _undecided(self, accounts):
        """Return the accounts with outcomes that a person must decide on."""
        return self.env.execute_query(
            SQL(
                """
                SELECT account_id, COUNT(*) FROM amazon_action
                 WHERE needs_person AND company_id = %s AND account_id = ANY(%s)
                 GROUP BY account_id
                """,
                self.env.company.id,
                accounts.ids,
            )
        )
