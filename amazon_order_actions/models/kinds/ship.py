from datetime import datetime, timedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools.translate import LazyTranslate

from ..action.kind import NOT_EXECUTED_MINUTES
from ..action.states import RESERVING_STATES
from ..action.units import left_to_ship
from ..order.carriers import OTHER_CARRIER

_lt = LazyTranslate(__name__)

# Statuses in which the seller may ship.
TO_SHIP = ("UNSHIPPED", "PARTIALLY_SHIPPED")

# How Amazon takes the date of shipping, in UTC.
SHIP_DATE = "%Y-%m-%dT%H:%M:%SZ"


class AmazonActionShip(models.AbstractModel):
    """Confirmation that one package of an order left, with its tracking number.

    A call of its own: confirmShipment of Orders v0, which is not deprecated with the
    rest of v0. Amazon then charges the buyer, credits the seller and tells the buyer
    (Seller Central help 200197960). It cannot be taken back.

    One action is one package, with a number of its own (packageReferenceId).
    Cash on delivery in Japan (codCollectionMethod) is not supported.
    """

    _name = "amazon.action.kind.ship"
    _inherit = "amazon.action.kind"
    _description = "Amazon Shipment Confirmation"

    _label = _lt("Shipment Confirmation")
    _sequence = 30
    _group = "amazon_order_actions.group_edit"
    _answered_state = "accepted"
    _sentences = {
        "queued": _lt(
            "%(user)s asks to confirm the shipment of %(items)s of %(order)s (package "
            "%(package)s, %(carrier)s %(tracking)s). Nothing is sent to Amazon yet."
        ),
        "sending": _lt(
            "The shipment confirmation of %(order)s (package %(package)s) is being "
            "sent to Amazon."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the shipment confirmation of %(order)s "
            "(package %(package)s). It is not sent again. Look at the order in Seller "
            "Central."
        ),
        "accepted": _lt(
            "Amazon has accepted the shipment confirmation of %(order)s (package "
            "%(package)s, %(carrier)s %(tracking)s; request %(request)s). The order "
            "does not show it yet."
        ),
        "confirmed": _lt(
            "Amazon shows %(items)s of %(order)s as shipped (package %(package)s, "
            "%(carrier)s %(tracking)s)."
        ),
        "rejected": _lt(
            "Amazon has rejected the shipment confirmation of %(order)s (package "
            "%(package)s): %(text)s (code %(code)s). Correct it and ask again, or "
            "confirm it in Seller Central."
        ),
        "withdrawn": _lt(
            "The shipment confirmation of %(order)s (package %(package)s) was "
            "withdrawn. Nothing was sent to Amazon."
        ),
    }

    # === WHO AND WHEN === #

    def _refusal(self):
        return self.env._(
            "You may not edit Amazon orders. An administrator can grant it to you "
            "(Amazon orders: Edits)."
        )

    def _blockers(self, order):
        blockers = [
            self._not_read_blocker(order)
            or self._channel_blocker(order)
            or self._status_blocker(order)
            or self._cancellation_blocker(order)
            or self._units_blocker(order)
        ]
        return [sentence for sentence in blockers if sentence]

    def _channel_blocker(self, order):
        return order.channel != "fbm" and self.env._(
            "Amazon ships this order and confirms the shipment itself."
        )

    def _status_blocker(self, order):
        if order.fulfillment_status in TO_SHIP:
            return not order.marketplace and self.env._(
                "This order is from a marketplace that is not supported. Confirm the "
                "shipment in Seller Central."
            )
        return {
            "SHIPPED": self.env._(
                "All of this order is shipped already. A tracking number can be "
                "corrected in Seller Central (Edit shipment)."
            ),
            "PENDING": self.env._(
                "Amazon is still checking the payment of this order. Do not ship it "
                "before Amazon shows it as unshipped."
            ),
            "CANCELLED": self.env._(
                "This order is cancelled at Amazon, so its shipment cannot be "
                "confirmed. Stop the parcel if it is on its way."
            ),
        }.get(
            order.fulfillment_status,
            self.env._(
                "The shipment of an order in this status cannot be confirmed from "
                "here. Look at it in Seller Central."
            ),
        )

    def _cancellation_blocker(self, order):
        # sudo: what is asked for counts, whoever looks
        asked = order.sudo().action_ids.filtered(
            lambda action: action.kind == "cancel" and action.state in RESERVING_STATES
        )
        return asked and self.env._(
            "The cancellation of this order is asked for: %(action)s, %(state)s "
            "Withdraw it first, if that is still possible.",
            action=asked[0].name,
            state=asked[0].state_message,
        )

    def _units_blocker(self, order):
        return not any(left_to_ship(line) for line in order.line_ids) and self.env._(
            "Nothing is left to ship: what Amazon still expects is asked for in other "
            "actions already. See below the order what they wait for."
        )

    def _warnings(self, order):
        warnings = super()._warnings(order)
        if order.cancel_requested:
            warnings.append(
                self.env._(
                    "The buyer asks in Your Orders to cancel this order. Confirm the "
                    "shipment only if the parcel has left already; else cancel the "
                    "order."
                )
            )
        return warnings

    def _settle(self, order, request):
        """Override: the number of the package, and what was shipped by now."""
        details = request.details or {}
        reference = {"packageReferenceId": self._next_reference(order)}
        return request._replace(
            details={
                **details,
                "package": {**reference, **(details.get("package") or {})},
                "references": order.package_references or [],
                "fulfilled": {
                    line.amazon_item_ref: line.quantity_fulfilled
                    for line in order.line_ids
                },
            }
        )

    def _check_filled_in(self, order, request):
        """Override to check what Amazon asks for of a package."""
        result = super()._check_filled_in(order, request)
        package = (request.details or {}).get("package") or {}
        problem = self._carrier_problem(package) or self._date_problem(order, package)
        if problem:
            raise UserError(problem)
        return result

    def _carrier_problem(self, package):
        carrier = package.get("carrierCode")
        if not carrier:
            return self.env._("Choose the carrier first.")
        if carrier == OTHER_CARRIER and not package.get("carrierName"):
            return self.env._("Type the name of the carrier.")
        tracking = package.get("trackingNumber")
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

    def _date_problem(self, order, package):
        """Refuse what Amazon's rules do not allow: to confirm before the parcel left
        (policy "Charge When Ship" of Seller Central). That a date before the purchase
        is refused is an assumption."""
        if not package.get("shipDate"):
            return self.env._("Say when the parcel left.")
        shipped = datetime.strptime(package["shipDate"], SHIP_DATE)
        if shipped > fields.Datetime.now():
            return self.env._(
                "The date of shipping is in the future. Amazon charges the buyer when "
                "you confirm, so confirm it when the parcel has left."
            )
        if order.purchased_at and shipped < order.purchased_at:
            return self.env._(
                "The date of shipping is before the purchase. Correct the date."
            )
        return False

    def _check_quantities(self, order, quantities):
        if not quantities:
            raise UserError(
                self.env._("Say how many units of which item are in the package.")
            )
        for line, quantity in quantities.items():
            left = left_to_ship(line)
            if line.order_id != order or not 0 < quantity <= left:
                raise UserError(
                    self.env._(
                        "Of %(item)s, %(left)s can still be shipped, not %(quantity)s. "
                        "Correct the number.",
                        item=line.title,
                        left=left,
                        quantity=quantity,
                    )
                )

    def _late_blocker(self, action):
        order = action.order_id
        return (
            self._channel_blocker(order)
            or self._status_blocker(order)
            or self._cancellation_blocker(order)
            or self._late_units_blocker(action)
            or self._reference_blocker(action)
        )

    def _late_units_blocker(self, action):
        for line in action.line_ids:
            left = left_to_ship(line.order_line_id, before=action)
            if line.quantity > left:
                return self.env._(
                    "Of %(item)s, Amazon now expects %(left)s units only. Nothing was "
                    "sent. Ask for it again.",
                    item=line.order_line_id.title,
                    left=left,
                )
        return False

    def _reference_blocker(self, action):
        reference = self._package(action)["packageReferenceId"]
        known = action.order_id.package_references or []
        return reference in known and self.env._(
            "Somebody else has told Amazon of a package %s of this order. Nothing was "
            "sent. Ask for it again.",
            reference,
        )

    # === WHAT IS SENT === #

    def _package(self, action):
        """Return the packageDetail that was asked for, without the items."""
        # sudo: whoever may read the action may know of the package
        return (action.sudo().details or {}).get("package") or {}

    def _next_reference(self, order):
        """Return a number that no package of an order has, here or at Amazon.

        Amazon wants a positive number that is unique within the order (ordersV0, model
        of PackageReferenceId). It stays with the action, so that whatever is told twice
        is about the same package.

        :param amazon.order order: the order, in sudo mode
        :rtype: str
        """
        asked = order.action_ids.filtered(lambda action: action.kind == "ship")
        used = [*(order.package_references or [])]
        used += [self._package(action)["packageReferenceId"] for action in asked]
        return str(1 + max((int(ref) for ref in used if ref.isdecimal()), default=0))

    def _call_operation(self, action):
        return "confirmShipment"

    def _build_call(self, action):
        items = [
            {
                "orderItemId": line.order_line_id.amazon_item_ref,
                "quantity": line.quantity,
            }
            for line in action.line_ids
        ]
        order = action.order_id
        package = {**self._package(action), "orderItems": items}
        return "confirm_shipment", (order.amazon_order_ref, order.marketplace, package)

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        """Amazon shows the package, by its number or tracking number; or it expects
        nothing more of these items, whoever has told it."""
        asked, others = self._package(action), self._other_references(action)
        if any(
            package["reference"] == asked["packageReferenceId"]
            or (
                package["tracking_number"] == asked["trackingNumber"]
                and package["reference"] not in others
            )
            for package in action.order_id.packages or []
        ):
            return True
        return all(
            line.quantity_fulfilled and not line.quantity_open
            for line in action.line_ids.order_line_id
        )

    def _other_references(self, action):
        """Return the numbers of packages that are others for sure, though one parcel,
        with one tracking number, may be told of in several steps."""
        shipments = action.order_id.action_ids.filtered(
            lambda other: other.kind == "ship" and other != action
        )
        known = (action.details or {}).get("references") or []
        return {*known, *(self._package(o)["packageReferenceId"] for o in shipments)}

    def _disproof(self, action):
        """Half an hour later Amazon shows neither the package nor any unit of these
        items more as shipped. That Amazon shows a shipment within that time is an
        assumption."""
        order = action.order_id
        known, sent = order.known_until, action._left_by()
        wait = timedelta(minutes=NOT_EXECUTED_MINUTES)
        if not (known and sent and known >= sent + wait):
            return False
        fulfilled = (action.details or {}).get("fulfilled") or {}
        for line in action.line_ids.order_line_id:
            if line.quantity_fulfilled != fulfilled.get(line.amazon_item_ref):
                return False
        return self.env._(
            "the order, as known up to %s UTC, shows nothing of this package",
            fields.Datetime.to_string(known),
        )

    # === WHAT IS SAID === #

    def _sentence_values(self, action):
        package = self._package(action)
        return {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "package": package.get("packageReferenceId", ""),
            "carrier": package.get("carrierName") or package.get("carrierCode", ""),
            "tracking": package.get("trackingNumber", ""),
            "items": self._items_label(action),
            "request": action.request_ref or "-",
            "code": action.amazon_code or "-",
            "text": action.amazon_text or "",
        }

    def _items_label(self, action):
        """Return what is in the package, for people: "2 x Kettle, 1 x Cup"."""
        return ", ".join(
            f"{line.quantity} x {line.order_line_id.title}" for line in action.line_ids
        )
