from collections import Counter

from odoo import fields, models
from odoo.tools import hmac

from ...spapi.fulfillment import parse_fulfillment_order
from ...spapi.marketplaces import MARKETPLACES
from ..base.clock import naive_utc

# Source of all four: amzn/selling-partner-api-models, models/
# fulfillment-outbound-api-model/fulfillmentOutbound_2020-07-01.json; the statuses as
# spapi.fulfillment spells them.
MCF_STATUSES = [
    ("NEW", "New"),
    ("RECEIVED", "Received"),
    ("PLANNING", "Planning"),
    ("PROCESSING", "Processing"),
    ("CANCELLED", "Cancelled"),
    ("COMPLETE", "Complete"),
    ("COMPLETE_PARTIALLED", "Partially complete"),
    ("UNFULFILLABLE", "Unfulfillable"),
    ("INVALID", "Invalid"),
    # whatever Amazon may add: nothing is offered for it
    ("OTHER", "Other"),
]
MCF_SPEEDS = [
    ("Standard", "Standard"),
    ("Expedited", "Expedited"),
    ("Priority", "Priority"),
    ("ScheduledDelivery", "Scheduled delivery"),
]
MCF_ACTIONS = [("Ship", "Ship"), ("Hold", "On hold")]
MCF_POLICIES = [
    ("FillOrKill", "All or nothing"),
    ("FillAll", "Ship all, wait for what is missing"),
    ("FillAllAvailable", "Ship what is there, cancel the rest"),
]

# Statuses in which no unit is picked yet: "The seller can cancel a fulfillment order
# that has a status of" Received or Planning (model, FulfillmentOrderStatus).
MCF_OPEN = ("NEW", "RECEIVED", "PLANNING")

# Keys of Amazon's Address that say where a parcel goes.
PLACE = (
    "name",
    "addressLine1",
    "addressLine2",
    "addressLine3",
    "city",
    "districtOrCounty",
    "stateOrRegion",
    "postalCode",
    "countryCode",
)


class AmazonOrderFulfillment(models.AbstractModel):
    """A fulfillment order of Multi-Channel Fulfillment: sold elsewhere, shipped by
    Amazon (Fulfillment Outbound 2020-07-01).

    It has no prices and no refunds at Amazon, and stands in none of Amazon's lists that
    are read by range: what is known of it is known by its own reading. Where it goes is
    the buyer's data and is not kept; a keyed digest tells whether it changed.

    A part of `amazon.order`, which alone inherits it.
    """

    _name = "amazon.order.fulfillment"
    _inherit = "amazon.order.mail.reading"
    _description = "Fulfillment Orders of Multi-Channel Fulfillment"

    is_fulfillment_order = fields.Boolean(
        readonly=True,
        help="Known by the seller's fulfillment order id, not by a number of Amazon's.",
    )
    mcf_status = fields.Selection(MCF_STATUSES, "Fulfillment Status", readonly=True)
    mcf_speed = fields.Selection(MCF_SPEEDS, "Shipping Speed", readonly=True)
    mcf_action = fields.Selection(
        MCF_ACTIONS,
        "Ship or Hold",
        readonly=True,
        help="Amazon cancels an order that has been on hold for 14 days.",
    )
    mcf_policy = fields.Selection(MCF_POLICIES, "Fulfillment Policy", readonly=True)
    mcf_displayed_ref = fields.Char(
        "Order Number for the Buyer", readonly=True, help="As on the packing slip."
    )
    mcf_comment = fields.Text(
        "Packing Slip Comment", readonly=True, help="As on the packing slip."
    )
    mcf_received_at = fields.Datetime("Received by Amazon", readonly=True)
    mcf_status_at = fields.Datetime("Status Since", readonly=True)
    mcf_packages = fields.Json(readonly=True)
    destination_digest = fields.Char(readonly=True, groups=fields.NO_ACCESS)
    destination_changed_at = fields.Datetime(readonly=True, groups=fields.NO_ACCESS)

    def _known_until(self, cover):
        """Override: Amazon's lists do not tell of fulfillment orders."""
        if self.is_fulfillment_order:
            return self.complete_at
        return super()._known_until(cover)

    # === ASKING === #

    def _ask_client(self, client):
        """Override to ask for the fulfillment order."""
        if not self.is_fulfillment_order:
            return super()._ask_client(client)
        return parse_fulfillment_order(
            client.get_fulfillment_order(self.amazon_order_ref)
        )

    def _ask_for_finances(self, account, order):
        """Override: the buyer paid elsewhere, so there is nothing to ask."""
        if self.is_fulfillment_order:
            return None, None
        return super()._ask_for_finances(account, order)

    def _note_access(self, answers):
        """Override: the fulfillment is a role of its own; without it all else works."""
        return None if self.is_fulfillment_order else super()._note_access(answers)

    # === RECORDING === #

    def _record_answer(self, answers):
        """Override to record a fulfillment order."""
        if not self.is_fulfillment_order:
            return super()._record_answer(answers)
        if not self.complete_at or answers.asked_at >= self.complete_at:
            # else somebody asked later, and was faster
            self._record_fulfillment(answers.order)
            self._record_fulfillment_items(answers.order.items)
            self.complete_at = answers.asked_at
        return None

    def _record_fulfillment(self, order):
        """Record what Amazon says of the fulfillment order as a whole.

        :param spapi.fulfillment.FulfillmentOrderReading order: as parsed
        """
        digest = self._address_digest(order.destination_address)
        vals = {
            "channel": "mcf",
            "marketplace": order.marketplace_id in MARKETPLACES
            and order.marketplace_id,
            "purchased_at": naive_utc(order.displayable_order_date),
            "mcf_status": order.status,
            "mcf_speed": self._known("mcf_speed", order.shipping_speed_category),
            "mcf_action": self._known("mcf_action", order.fulfillment_action),
            "mcf_policy": self._known("mcf_policy", order.fulfillment_policy),
            "mcf_displayed_ref": order.displayable_order_id,
            "mcf_comment": order.displayable_order_comment,
            "mcf_received_at": naive_utc(order.received_date),
            "mcf_status_at": naive_utc(order.status_updated_date),
            "mcf_packages": [package._asdict() for package in order.packages],
        }
        if digest != self.destination_digest:
            vals["destination_digest"] = digest
            vals["destination_changed_at"] = (
                self.destination_digest and fields.Datetime.now()
            )
        self.write(vals)

    def _record_fulfillment_items(self, items):
        """Record the items; of what Amazon does not list any more there are no units.

        :param items: `spapi.fulfillment.FulfillmentItemReading` rows
        """
        names = self._product_names({item.seller_sku for item in items})
        known = {line.amazon_item_ref: line for line in self.line_ids}
        for item in items:
            ref = item.seller_fulfillment_order_item_id
            vals = {
                "sku": item.seller_sku,
                "title": names.get(item.seller_sku) or item.seller_sku or ref,
                "quantity_ordered": item.quantity,
                "quantity_cancelled": item.cancelled_quantity,
                "quantity_unfulfillable": item.unfulfillable_quantity,
            }
            line = known.pop(ref, None)
            if line:
                line.write(vals)
            else:
                self.env["amazon.order.line"].create(
                    {**vals, "order_id": self.id, "amazon_item_ref": ref}
                )
        for line in known.values():
            line.quantity_ordered = 0

    def _product_names(self, skus):
        """Return the names of the products here that have these SKUs, where only one
        has it: Amazon shows no titles of fulfillment orders.

        :rtype: dict
        """
        products = self.env["product.product"].search(
            [
                ("default_code", "in", list(skus)),
                ("company_id", "in", (False, self.company_id.id)),
            ]
        )
        counts = Counter(products.mapped("default_code"))
        return {
            product.default_code: product.name
            for product in products
            if counts[product.default_code] == 1
        }

    def _address_digest(self, address):
        """Return a digest of where a parcel goes, that nobody without the secret of
        this database can guess the address from. Upper case, blanks and punctuation
        make no difference.

        :param dict address: with Amazon's keys
        :rtype: str
        """
        place = [
            "".join(filter(str.isalnum, (address.get(key) or "").casefold()))
            for key in PLACE
        ]
        return hmac(self.env(su=True), "amazon_fulfillment_address", place)
