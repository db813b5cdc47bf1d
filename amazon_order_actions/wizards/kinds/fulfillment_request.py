from odoo import Command, api, fields, models
from odoo.exceptions import ValidationError

from ...models.kinds.mcf_update import COMMENT_LIMIT
from ...models.order.fulfillment_order import MCF_SPEEDS

# Field of the dialog for each key of Amazon's Address that is a text.
ADDRESS_FIELDS = {
    "name": "address_name",
    "addressLine1": "address_line1",
    "addressLine2": "address_line2",
    "addressLine3": "address_line3",
    "postalCode": "address_postal_code",
    "city": "address_city",
    "stateOrRegion": "address_state",
    "phone": "address_phone",
}


class AmazonFulfillmentRequest(models.TransientModel):
    """The dialog that changes a fulfillment order: what is left empty stays.

    The address at Amazon is the buyer's and is not shown; a new one is entered as a
    whole, and does not stay here once it is asked for. A dialog that was given up is
    deleted by Odoo within hours, as all transient records are.
    """

    _name = "amazon.fulfillment.request"
    _inherit = "amazon.action.request"
    _description = "Request to Change a Fulfillment Order"

    _kind = "mcf_update"

    mcf_status = fields.Selection(related="order_id.mcf_status", related_sudo=False)
    mcf_speed = fields.Selection(
        related="order_id.mcf_speed", related_sudo=False, string="Speed Now"
    )
    mcf_action = fields.Selection(
        related="order_id.mcf_action", related_sudo=False, string="Ship or Hold Now"
    )
    mcf_comment = fields.Text(
        related="order_id.mcf_comment", related_sudo=False, string="Comment Now"
    )
    # A scheduled delivery needs a window, which cannot be given in a change.
    new_speed = fields.Selection(
        [row for row in MCF_SPEEDS if row[0] != "ScheduledDelivery"]
    )
    new_action = fields.Selection(
        [("Hold", "Put on hold"), ("Ship", "Release: ship it")], "Ship or Hold"
    )
    new_comment = fields.Char(size=COMMENT_LIMIT)
    line_ids = fields.One2many("amazon.fulfillment.request.line", "request_id")
    with_address = fields.Boolean("New Delivery Address")
    address_name = fields.Char("Name")
    address_line1 = fields.Char("Street and Number")
    address_line2 = fields.Char("Second Line")
    address_line3 = fields.Char("Third Line")
    address_postal_code = fields.Char("Postal Code")
    address_city = fields.Char("City")
    address_state = fields.Char("State or Region")
    address_country_id = fields.Many2one("res.country", "Country")
    address_phone = fields.Char("Phone")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Override to list the items of the order with their units."""
        requests = super().create(vals_list)
        for request in requests:
            request.line_ids = [
                Command.create(
                    {
                        "order_line_id": line.id,
                        "units": line._units_left(),
                        "new_units": line._units_left(),
                    }
                )
                for line in request.order_id.line_ids
                if line._units_left()
            ]
        return requests

    # === ACTION METHODS === #

    def action_change(self):
        """Ask for the change. Nothing is sent here."""
        self.ensure_one()
        self._ask()
        self._forget_address()
        return {"type": "ir.actions.act_window_close"}

    # === BUSINESS METHODS === #

    def _title(self):
        return self.env._("Change %s", self.amazon_order_ref)

    def _details(self):
        """Override to return what changes, see the kind."""
        details = {
            "speed": self.new_speed,
            "action": self.new_action,
            "comment": " ".join((self.new_comment or "").split()),
            "quantities": {
                line.order_line_id.amazon_item_ref: line.new_units
                for line in self.line_ids
                if line.new_units != line.units
            },
        }
        details = {key: value for key, value in details.items() if value}
        if self.with_address:
            address = self._address()
            details["address"] = address
            details["address_digest"] = self.order_id._address_digest(address)
        return details

    def _address(self):
        """Return the new address with Amazon's keys, without what is empty."""
        address = {key: self[field] for key, field in ADDRESS_FIELDS.items()}
        address["countryCode"] = self.address_country_id.code
        return {key: text.strip() for key, text in address.items() if text}

    def _forget_address(self):
        self.write(dict.fromkeys([*ADDRESS_FIELDS.values(), "address_country_id"]))


class AmazonFulfillmentRequestLine(models.TransientModel):
    _name = "amazon.fulfillment.request.line"
    _inherit = ["amazon.typed.numbers", "amazon.item.shown"]
    _description = "Item of a Request to Change a Fulfillment Order"

    request_id = fields.Many2one(
        "amazon.fulfillment.request", required=True, ondelete="cascade", index=True
    )
    # As shown: only what a person changed is asked for, whatever it is by now.
    units = fields.Integer("Units Now", readonly=True)
    new_units = fields.Integer()

    _item_uniq = models.Constraint(
        "unique(request_id, order_line_id)",
        "Each item stands only once in a change.",
    )

    @api.constrains("request_id", "order_line_id")
    def _check_same_order(self):
        """Refuse an item that the change is not about: its title would be shown."""
        for line in self:
            if line.order_line_id.order_id != line.request_id.order_id:
                raise ValidationError(
                    self.env._("An item belongs to another order than the change.")
                )
