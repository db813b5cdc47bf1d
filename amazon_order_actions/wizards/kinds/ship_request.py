from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from ...models.action.units import left_to_ship
from ...models.kinds.ship import SHIP_DATE
from ...models.order.carriers import CARRIERS, OTHER_CARRIER


class AmazonShipRequest(models.TransientModel):
    """One package that left."""

    _name = "amazon.ship.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Shipment Confirmation"

    _kind = "ship"

    carrier_code = fields.Selection(CARRIERS, "Carrier")
    carrier_name = fields.Char("Name of the Carrier")
    shipping_method = fields.Char()
    tracking_number = fields.Char()
    ship_date = fields.Datetime("Shipped", default=fields.Datetime.now)
    line_ids = fields.One2many("amazon.ship.request.line", "request_id")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to fill in what Odoo knows of the next package."""
        requests = super().create(vals_list)
        for request in requests:
            request._fill_in()
        return requests

    def _fill_in(self):
        """Hook: fill in the next package. All that is left is in it, unless somebody
        knows better."""
        order_sudo = self.order_id.sudo()
        lines = [(line, left_to_ship(line)) for line in order_sudo.line_ids]
        self.line_ids = [
            Command.create({"order_line_id": line.id, "left": left, "quantity": left})
            for line, left in lines
            if left
        ]

    # === ACTION METHODS === #

    def action_ship(self):
        """Ask to confirm the shipment. Nothing is sent here."""
        self.ensure_one()
        self._ask()
        return {"type": "ir.actions.act_window_close"}

    def action_ship_and_next(self):
        """Ask to confirm the shipment, and open the dialog of the next package."""
        self.ensure_one()
        self._ask()
        return self._open(self.order_id, self._asked_from())

    # === BUSINESS METHODS === #

    def _title(self):
        return self.env._("Confirm Shipment of %s", self.amazon_order_ref)

    def _collect_quantities(self):
        """Override to return the units in the package."""
        return {
            line.order_line_id.sudo(): line.quantity
            for line in self.line_ids
            if line.quantity
        }

    def _details(self):
        """Override: the package as Amazon takes it, but for its number."""
        date = self.ship_date
        package = {
            "carrierCode": self.carrier_code,
            # as the carrier knows it, without blanks
            "trackingNumber": "".join((self.tracking_number or "").split()),
            "shipDate": date and date.strftime(SHIP_DATE),
        }
        if self.carrier_code == OTHER_CARRIER:
            package["carrierName"] = (self.carrier_name or "").strip()
        if (self.shipping_method or "").strip():
            package["shippingMethod"] = self.shipping_method.strip()
        return {"package": package}


class AmazonShipRequestLine(models.TransientModel):
    _name = "amazon.ship.request.line"
    _inherit = ["amazon.typed.numbers", "amazon.item.shown"]
    _description = "Item of an Amazon Shipment Confirmation"

    request_id = fields.Many2one(
        "amazon.ship.request", required=True, ondelete="cascade", index=True
    )
    left = fields.Integer("Left to Ship", readonly=True)
    quantity = fields.Integer("In This Package")

    _item_uniq = models.Constraint(
        "unique(request_id, order_line_id)",
        "Each item stands only once in a package.",
    )
    _quantity_not_negative = models.Constraint(
        "CHECK(quantity >= 0)", "The number of units cannot be below zero."
    )

    @api.constrains("request_id", "order_line_id")
    def _check_same_order(self):
        """Refuse an item that the package is not about."""
        for line in self:
            if line.order_line_id.order_id != line.request_id.order_id:
                raise ValidationError(
                    self.env._("An item belongs to another order than the package.")
                )
