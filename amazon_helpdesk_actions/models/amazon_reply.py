from odoo import fields, models


class AmazonReply(models.Model):
    """After a reply, a ticket is what is closed."""

    _inherit = "amazon.reply"

    close_document = fields.Boolean("Then Close the Ticket")
