from dataclasses import replace

from odoo import models


class AmazonEvidence(models.AbstractModel):
    _inherit = "amazon.evidence"

    def _package_of(self, picking):
        """Override to tell who carries the parcel, and its tracking number."""
        return replace(
            super()._package_of(picking),
            carrier=picking.carrier_id.name or "",
            tracking=picking.carrier_tracking_ref or "",
        )
