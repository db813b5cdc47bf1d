from odoo import models


class QueueJob(models.Model):
    _inherit = "queue.job"

    def _is_of_amazon(self):
        """Override: also the linking of an order that a mail has named."""
        linking = ("helpdesk.ticket", "_job_link_mailed")
        is_linking = (self.model_name, self.method_name) == linking
        return is_linking or super()._is_of_amazon()
