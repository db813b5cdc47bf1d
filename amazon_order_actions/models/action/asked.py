from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL

from ..base.containment import contained
from .states import AWAITED_STATES, RESERVING_STATES


class AmazonOrderAskedAction(models.AbstractModel):
    """The actions of an order, as its amounts and its readings go by them."""

    _name = "amazon.order.asked.action"
    _inherit = "amazon.order.asked"
    _description = "Actions Asked of Amazon Orders"

    # === HOOKS === #

    def _reserved(self, charges):
        self.env["amazon.action.line"].flush_model()
        self.env["amazon.action"].flush_model(["state"])
        return SQL(
            """
            SELECT asked.charge_id, SUM(asked.amount)
              FROM amazon_action_line asked
              JOIN amazon_action action ON action.id = asked.action_id
             WHERE asked.charge_id = ANY(%s)
               AND asked.is_rejected IS NOT TRUE
               AND action.state IN %s
             GROUP BY asked.charge_id
            """,
            charges.ids,
            RESERVING_STATES,
        )

    def _awaits(self, charge, amount):
        compare = charge.currency_id.compare_amounts
        waiting = charge.action_line_ids._standing().filtered(
            lambda line: line.action_id._may_show() and not compare(line.amount, amount)
        )
        seen = charge.refund_ids.filtered(
            lambda refund: not refund.action_id and not compare(refund.amount, amount)
        )
        return len(waiting) > len(seen)

    def _follow(self, order):
        """Confirm the actions whose outcome Amazon's data shows.

        At once, so that a refund does not count as refunded and as reserved.
        """

        def confirm(actions):
            for action in actions:
                if action._kind()._is_confirmed(action):
                    action._set_confirmed()

        contained(
            order.action_ids.filtered(lambda a: a.state in AWAITED_STATES).sorted("id"),
            confirm,
            lambda action, error: action._set_aside(error),
        )

    def _awaited_since(self, account):
        latest = self.env["amazon.action"].search(
            Domain("account_id", "=", account.id) & self._awaited_domain(),
            order="last_state_change desc",
            limit=1,
        )
        return latest.last_state_change

    def _awaiting(self):
        return Domain("action_ids", "any", self._awaited_domain())

    def _awaited_domain(self):
        """Return the domain of the actions that Amazon's data may still confirm."""
        kinds = self.env["amazon.action"]._kinds_shown()
        return Domain("state", "in", AWAITED_STATES) & Domain("kind", "in", kinds)
