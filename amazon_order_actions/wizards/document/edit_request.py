from odoo import api, fields, models
from odoo.exceptions import AccessError

# What can be edited of an order: a field each, with the kinds of action it leads to.
CHOICES = {
    "ship_problem": ("ship",),
    "order_number_problem": ("order_number",),
    "cancel_problem": ("cancel", "cancel_items"),
    "fulfillment_problem": ("mcf_update",),
}


class AmazonEditRequest(models.TransientModel):
    """What can be edited of an Amazon order now, and why the rest cannot. Only leads to
    the dialogs that ask for it."""

    _name = "amazon.edit.request"
    _inherit = "amazon.action.request"
    _description = "Choice of an Edit of an Amazon Order"

    ship_problem = fields.Text(compute="_compute_sentences")
    order_number_problem = fields.Text(compute="_compute_sentences")
    cancel_problem = fields.Text(compute="_compute_sentences")
    fulfillment_problem = fields.Text(compute="_compute_sentences")

    # === COMPUTE METHODS === #

    @api.depends("order_id")
    def _compute_sentences(self):
        """Override: say of each edit what keeps it from being possible, or nothing."""
        for request in self:
            request.blockers = request.warnings = False
            for name, kinds in CHOICES.items():
                request[name] = request._problem(kinds)

    def _compute_is_assisted(self):
        """Override: nothing is asked for from here."""
        self.is_assisted = False

    def _problem(self, kinds):
        """Return why none of these kinds of action is possible, or nothing."""
        names = [f"amazon.action.kind.{kind}" for kind in kinds]
        problems = [self._kind_problem(self.env[n]) for n in names if n in self.env]
        return "" if "" in problems else problems[0]

    def _kind_problem(self, handler):
        try:
            handler._check_right()
        except AccessError as refusal:
            return str(refusal)
        return "\n".join(handler._blockers(self.order_id))

    # === ACTION METHODS === #

    def action_ship(self):
        """Open the dialog that confirms a shipment."""
        return self._document().action_amazon_ship()

    def action_order_number(self):
        """Open the dialog for the seller order number."""
        return self._document().action_amazon_order_number()

    def action_cancel_items(self):
        """Open the dialog that cancels the order or a part of it."""
        return self._document().action_amazon_cancel()

    def action_fulfillment(self):
        """Open the dialog that changes an order of Multi-Channel Fulfillment."""
        return self._document().action_amazon_fulfillment()

    # === BUSINESS METHODS === #

    def _title(self):
        return self.env._("Edit %s", self.amazon_order_ref)

    def _document(self):
        """Return where it was opened from."""
        self.ensure_one()
        return self._asked_from()
