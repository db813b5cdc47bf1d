from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError

from ...models.control.stop import DECISIONS, REASON_HELP, REASON_SIZE
from ..control.stop_request import _count_queued, _show_stops


class AmazonLifeDecision(models.TransientModel):
    """What an administrator says of a database that was found to be restored, copied or
    moved, for one seller account."""

    _name = "amazon.life.decision"
    _description = "Decision on a Database That Sent Before"

    stop_id = fields.Many2one("amazon.stop", required=True, readonly=True)
    # Required where they are read: the dialog opens without.
    decision = fields.Selection(DECISIONS, "What It Is")
    reason = fields.Char("Why", size=REASON_SIZE, help=REASON_HELP)
    stop_message = fields.Text("What Was Found", compute="_compute_waiting")
    waiting = fields.Integer(
        "Waiting Actions",
        compute="_compute_waiting",
        help="Actions of this account that are queued now.",
    )

    # === COMPUTE METHODS === #

    def _compute_waiting(self):
        for decision in self:
            stop = decision.stop_id._origin._filtered_access("read")
            decision.stop_message = stop._sentences()
            decision.waiting = stop and _count_queued(stop.account_id, False)

    # === CONSTRAINT METHODS === #

    @api.constrains("stop_id")
    def _check_right(self):
        """Refuse stops that the user may not read: the dialog shows them.

        Odoo checks constraints in sudo mode; this one is about the user.
        """
        if self.env.uid != SUPERUSER_ID:
            self.sudo(False).stop_id.check_access("read")

    # === ACTION METHODS === #

    def action_decide(self):
        """Let the account go on, verify what waits, or stop it for good.

        :raise AccessError: when the user does not administer the company
        :raise UserError: when something is missing, or nothing is to be decided
        """
        self.ensure_one()
        if not self.decision:
            raise UserError(self.env._("Say what this database is."))
        self.stop_id.check_access("read")
        self.env["amazon.life.decide"]._decide(self.stop_id, self.decision, self.reason)
        return _show_stops(self)
