from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...models.order.carriers import CARRIERS, OTHER_CARRIER


class AmazonShipRequest(models.TransientModel):
    """One package that left."""

    _name = "amazon.ship.request"
    _inherit = "amazon.action.request"
    _description = "Request of an Amazon Shipment Confirmation"

    _kind = "ship"
    _needs_reason = False

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
        lines = [(line, line._left_to_ship()) for line in order_sudo.line_ids]
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

    def _check_filled_in(self):
        """Override to check what Amazon asks for of a package."""
        result = super()._check_filled_in()
        problem = self._carrier_problem() or self._date_problem()
        if problem:
            raise UserError(problem)
        return result

    def _carrier_problem(self):
        if not self.carrier_code:
            return self.env._("Choose the carrier first.")
        if self.carrier_code == OTHER_CARRIER and not (self.carrier_name or "").strip():
            return self.env._("Type the name of the carrier.")
        tracking = self._tracking_number()
        if not tracking:
            return self.env._(
                "Type the tracking number. Amazon takes no shipment without one."
            )
        if any(mark in tracking for mark in ",;"):
            return self.env._(
                "A package has one tracking number. Ask for one package after the "
                "other, each with its own number."
            )
        return False

    def _date_problem(self):
        """Refuse what Amazon's rules do not allow: to confirm before the parcel left
        (policy "Charge When Ship" of Seller Central). That a date before the purchase
        is refused is an assumption."""
        if not self.ship_date:
            return self.env._("Say when the parcel left.")
        if self.ship_date > fields.Datetime.now():
            return self.env._(
                "The date of shipping is in the future. Amazon charges the buyer when "
                "you confirm, so confirm it when the parcel has left."
            )
        purchased = self.order_id.purchased_at
        if purchased and self.ship_date < purchased:
            return self.env._(
                "The date of shipping is before the purchase. Correct the date."
            )
        return False

    def _tracking_number(self):
        """Return the tracking number as the carrier knows it, without blanks."""
        return "".join((self.tracking_number or "").split())

    def _details(self):
        """Override: the package as Amazon takes it, and what was shipped by now."""
        order_sudo = self.order_id.sudo()
        package = {
            "packageReferenceId": self._handler()._next_reference(order_sudo),
            "carrierCode": self.carrier_code,
            "trackingNumber": self._tracking_number(),
            "shipDate": self.ship_date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if self.carrier_code == OTHER_CARRIER:
            package["carrierName"] = self.carrier_name.strip()
        if (self.shipping_method or "").strip():
            package["shippingMethod"] = self.shipping_method.strip()
        return {
            "package": package,
            "references": order_sudo.package_references or [],
            "fulfilled": {
                line.amazon_item_ref: line.quantity_fulfilled
                for line in order_sudo.line_ids
            },
        }


class AmazonShipRequestLine(models.TransientModel):
    _name = "amazon.ship.request.line"
    _inherit = "amazon.typed.numbers"
    _description = "Item of an Amazon Shipment Confirmation"

    request_id = fields.Many2one(
        "amazon.ship.request", required=True, ondelete="cascade", index=True
    )
    order_line_id = fields.Many2one("amazon.order.line", required=True, readonly=True)
    title = fields.Char(related="order_line_id.title", related_sudo=False)
    sku = fields.Char(related="order_line_id.sku", related_sudo=False)
    quantity_ordered = fields.Integer(
        related="order_line_id.quantity_ordered", related_sudo=False
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
