from odoo import fields, models


class AmazonAuthorityCheck(models.TransientModel):
    _inherit = "amazon.authority.check"

    team_id = fields.Many2one(
        "helpdesk.ticket.team", check_company=True, help="Empty: any."
    )
