from odoo import models


class AmazonAlarmFollowerJournal(models.AbstractModel):
    """Alarms are journaled."""

    _name = "amazon.alarm.follower.journal"
    _inherit = "amazon.alarm.follower"
    _description = "Journal of Amazon Alarms"

    def _follow(self, alarm, state_from, state_to):
        self.env["amazon.audit.entry"]._append(
            [
                {
                    "event": "alarm",
                    "company_id": alarm.company_id.id,
                    "account_id": alarm.account_id.id,
                    "state_from": state_from,
                    "state_to": state_to,
                    "message": f"{alarm.display_name}. {alarm.message}",
                }
            ]
        )
