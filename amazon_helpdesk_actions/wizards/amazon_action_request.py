from odoo import fields, models


class AmazonActionRequest(models.AbstractModel):
    _inherit = "amazon.action.request"

    close_document = fields.Boolean("Then Close the Ticket")
