from odoo import api, models


class AmazonOwnDefaults(models.AbstractModel):
    """Records that the program alone makes, out of Amazon's answers and of clicks.

    They are created in sudo mode, and what is left out means "nothing". Odoo cleans
    ``default_...`` out of the context there, but not ``ir.default``, which every user
    may write for itself: an amount, an approver, or what Amazon is to have said.
    """

    _name = "amazon.own.defaults"
    _description = "Values of the Program Alone"

    @api.model
    def default_get(self, fields):
        """Override to take the fields' own defaults alone."""
        names = super().default_get(fields)
        own = [self._fields[name] for name in names if name in self._fields]
        return {field.name: field.default(self) for field in own if field.default}
