from odoo import fields, models
from odoo.exceptions import AccessError

from .amazon_seller_participation import marketplace_selection


class AmazonAuthority(models.Model):
    """A row of the matrix: what the members of a group may do, where, and up to how
    much without a second person.

    Rows add up: what one allows, no other takes away. A company without a row for a
    right leaves it to the group of that right alone, without limits.
    """

    _name = "amazon.authority"
    _description = "Amazon Authority"
    _order = "right, group_id, id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    active = fields.Boolean(default=True)
    right = fields.Selection(
        [
            ("refund", "Refund"),
            ("cancel", "Cancel"),
            ("edit", "Edit"),
            ("message", "Message buyers"),
            ("approve", "Approve"),
        ],
        required=True,
    )
    group_id = fields.Many2one("res.groups", required=True, ondelete="restrict")
    account_id = fields.Many2one(
        "amazon.seller.account", ondelete="restrict", check_company=True
    )
    team_id = fields.Many2one("helpdesk.ticket.team", ondelete="restrict")
    marketplace = fields.Selection(marketplace_selection)
    currency_id = fields.Many2one(related="company_id.currency_id")
    limit_action = fields.Monetary(
        "Limit per Action", help="In the company's currency; 0: no limit."
    )

    def _judge(self, handler, order, origin, amount):
        """Judge whether the current user may ask for something alone.

        :param handler: the kind of action
        :param amazon.order order: the order, taken for this transaction, in sudo mode
        :param origin: the ticket or sale order that it is asked from, in sudo mode
        :param float amount: what counts against limits, in the order's currency
        :return: the sentence that says why a second person is needed, or False
        :raise AccessError: when no row of the matrix covers it
        """
        company = order.company_id
        rows = self.sudo().search(
            [("company_id", "=", company.id), ("right", "=", handler._right())]
        )
        if not rows:
            return False
        rows = rows.filtered(lambda row: row.group_id in self.env.user.all_group_ids)
        if not rows:
            raise AccessError(handler._refusal())
        counted = order.currency_id._convert(
            amount, company.currency_id, company, fields.Date.context_today(self)
        )
        limits = [row.limit_action for row in rows]
        if not all(limits) or counted <= max(limits):
            return False
        return self.env._(
            "It is above the limit of one action, %s.",
            handler._money(max(limits), company.currency_id),
        )
