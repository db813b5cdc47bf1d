from odoo import fields, models


class AmazonAuditEntry(models.Model):
    """What the journal tells of the conversation."""

    _inherit = "amazon.audit.entry"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    event = fields.Selection(
        selection_add=[
            ("template", "Reply template changed"),
            ("replied", "Buyer was written to"),
        ],
        ondelete={"template": "cascade", "replied": "cascade"},
    )
