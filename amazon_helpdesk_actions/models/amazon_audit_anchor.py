from odoo import fields, models


class AmazonAuditAnchor(models.Model):
    """Where a company's chain stood at a moment, to be kept outside of the database.

    Whoever owns the database can build the whole chain anew; the anchors that have left
    it before then show that.
    """

    _name = "amazon.audit.anchor"
    _inherit = "amazon.audit.append_only"
    _description = "Amazon Journal Anchor"
    _order = "id desc"
    _rec_name = "anchored_at"
    _log_access = False

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict"
    )
    number = fields.Integer(
        required=True,
        readonly=True,
        aggregator=None,
        help="So many entries were sealed; 0 where the chain begins.",
    )
    hash = fields.Char(required=True, readonly=True)
    database_uuid = fields.Char("Database", required=True, readonly=True)
    anchored_at = fields.Datetime("When", required=True, readonly=True)

    _company_idx = models.Index("(company_id, number)")
