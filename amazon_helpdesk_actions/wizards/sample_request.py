from odoo import models

from odoo.addons.amazon_order_actions.wizards.setup.sample_request import (
    SHIPPED,
    UNSHIPPED,
)


class AmazonSampleRequest(models.TransientModel):
    _inherit = "amazon.sample.request"  # pylint: disable=unknown-option-value,consider-merging-classes-inherited

    def _make_documents(self, account):
        """Override to make a ticket about each order, too."""
        result = super()._make_documents(account)
        wishes = {
            SHIPPED: self.env._("Sample: the kettle leaks"),
            UNSHIPPED: self.env._("Sample: please cancel my order"),
        }
        for ref, wish in wishes.items():
            values = {
                "name": wish,
                "description": wish,
                "company_id": account.company_id.id,
                "amazon_order_ref": ref,
            }
            self._keep(account, self.env["helpdesk.ticket"].create(values))
        return result
