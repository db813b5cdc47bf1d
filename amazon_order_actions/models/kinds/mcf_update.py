import re

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import hmac
from odoo.tools.translate import LazyTranslate

from ..order.fulfillment_order import PLACE

_lt = LazyTranslate(__name__)

# Keys of Amazon's Address that a person fills in, with those that Amazon requires
# (model fulfillmentOutbound_2020-07-01, Address).
ADDRESS_KEYS = (*PLACE, "phone")
REQUIRED_KEYS = ("name", "addressLine1", "postalCode", "countryCode")
# "This property is required in all countries except Japan. It should not be used in
# Japan." (the same model, Address.city)
WITHOUT_CITY = "JP"

# Characters of a displayableOrderComment (the same model).
COMMENT_LIMIT = 750
# Units of one item: an int32 in the model, a typing error long before. That none is
# not possible is assumed: the model says nothing of it.
QUANTITY_LIMIT = 9999

# Shorter parts of an address say nothing of a buyer, and are part of many words.
TELLING_LENGTH = 3


class AmazonActionMcfUpdate(models.AbstractModel):
    """Change of a fulfillment order: address, units, speed, comment, hold or ship.

    PUT updateFulfillmentOrder with what changes alone: no key of its body is required
    by the model, and what is left out is assumed to stay. Where units change, all items
    are listed, so that nothing depends on what Amazon does with one that is not.

    The details of the action hold ``speed``, ``action``, ``comment``, ``quantities`` by
    item and ``address``, each only where it changes. The address is the buyer's: it is
    dropped when the action is over, and a keyed digest of it stays.
    """

    _name = "amazon.action.kind.mcf_update"
    _inherit = "amazon.action.kind.mcf"
    _description = "Amazon Change of a Fulfillment Order"

    _label = _lt("Change of a Fulfillment Order")
    _sequence = 70
    _dialog = "amazon.fulfillment.request"
    _group = "amazon_order_actions.group_edit"
    _excludes = ("mcf_cancel", "mcf_update")
    _sentences = {
        "queued": _lt(
            "%(user)s asks to change the fulfillment order %(order)s: %(changes)s. "
            "Nothing is sent to Amazon yet."
        ),
        "sending": _lt(
            "The change of the fulfillment order %(order)s is being sent to Amazon."
        ),
        "submitted": _lt(
            "Amazon has received the change of the fulfillment order %(order)s: "
            "%(changes)s. The order does not show it yet."
        ),
        "unknown": _lt(
            "It is unknown whether Amazon has the change of the fulfillment order "
            "%(order)s. The order is looked at until it shows."
        ),
        "confirmed": _lt(
            "Amazon shows the fulfillment order %(order)s as changed: %(changes)s."
        ),
        "confirmed_with_other_address": _lt(
            "Amazon shows the fulfillment order %(order)s as changed: %(changes)s. Its "
            "delivery address is a new one, but is not spelled as it was entered: "
            "compare it in Seller Central."
        ),
        "rejected": _lt(
            "Amazon has not changed the fulfillment order %(order)s: %(text)s (code "
            "%(code)s)."
        ),
        "withdrawn": _lt(
            "The change of the fulfillment order %(order)s was withdrawn. Nothing was "
            "sent to Amazon."
        ),
    }

    def _refusal(self):
        return self.env._(
            "You may not edit Amazon orders. An administrator can grant it to you "
            "(Amazon orders: Edits)."
        )

    def _warnings(self, order):
        warnings = super()._warnings(order)
        if order.mcf_action != "Hold":
            warnings.append(
                self.env._(
                    "This order is not on hold. Amazon describes changes for orders "
                    "on hold, so it may refuse them, or pick the order first."
                )
            )
        return warnings

    # === WHAT MAY BE ASKED FOR === #

    def _check_details(self, order, details):
        problems = [
            self._nothing_problem(details),
            self._hold_problem(order, details),
            self._comment_problem(details),
            self._quantity_problem(order, details),
            self._address_problem(details),
        ]
        if any(problems):
            raise UserError("\n".join(filter(None, problems)))

    def _nothing_problem(self, details):
        return not details and self.env._("Change something first.")

    def _hold_problem(self, order, details):
        # "Hold is not a valid fulfillmentAction value when the shippingSpeedCategory
        # value is ScheduledDelivery." (model, ShippingSpeedCategory)
        speed = details.get("speed") or order.mcf_speed
        is_hold = details.get("action") == "Hold"
        return (
            is_hold
            and speed == "ScheduledDelivery"
            and self.env._("A scheduled delivery cannot be put on hold.")
        )

    def _comment_problem(self, details):
        is_long = len(details.get("comment") or "") > COMMENT_LIMIT
        return is_long and self.env._(
            "The comment may have %s characters at most.", COMMENT_LIMIT
        )

    def _quantity_problem(self, order, details):
        quantities = details.get("quantities")
        if not quantities:
            return False
        refs = set(order.line_ids.mapped("amazon_item_ref"))
        wrong = any(not 1 <= units <= QUANTITY_LIMIT for units in quantities.values())
        return (wrong or not refs.issuperset(quantities)) and self.env._(
            "The units of an item must be between 1 and %s. An item cannot be taken "
            "out: cancel the order where nothing of it is wanted any more.",
            QUANTITY_LIMIT,
        )

    def _address_problem(self, details):
        address = details.get("address")
        if address is None:
            return False
        missing = [key for key in REQUIRED_KEYS if not address.get(key)]
        if missing or not self._is_city_right(address):
            return self.env._(
                "The new address needs a name, a first line, a postal code, a country "
                "and a city (in Japan no city)."
            )
        return False

    def _is_city_right(self, address):
        return bool(address.get("city")) == (address["countryCode"] != WITHOUT_CITY)

    def _units(self, order, details):
        """Return the units of each item as they shall be, by its id."""
        now = {line.amazon_item_ref: line._units_left() for line in order.line_ids}
        return {ref: units for ref, units in now.items() if units} | details[
            "quantities"
        ]

    # === WHAT IS SENT === #

    def _call_operation(self, action):
        return "updateFulfillmentOrder"

    def _build_call(self, action):
        details = action.details
        body = {
            "shippingSpeedCategory": details.get("speed"),
            "fulfillmentAction": details.get("action"),
            "displayableOrderComment": details.get("comment"),
            "destinationAddress": details.get("address"),
            "items": details.get("quantities")
            and [
                {"sellerFulfillmentOrderItemId": ref, "quantity": units}
                for ref, units in self._units(action.order_id, details).items()
            ],
        }
        changes = {key: value for key, value in body.items() if value}
        return "update_fulfillment_order", (action.order_id.amazon_order_ref, changes)

    def _kept_refusal(self, action, text):
        """Override: Amazon's text may repeat the address that it refuses."""
        address = (action.details or {}).get("address") or {}
        for part in sorted(address.values(), key=len, reverse=True):
            if len(part) >= TELLING_LENGTH:
                text = re.sub(re.escape(part), "***", text, flags=re.IGNORECASE)
        return text

    def _kept_details(self, details):
        """Override: the address and the comment may name the buyer; digests of both
        stay, so that they can still be compared."""
        kept = {k: v for k, v in details.items() if k not in ("address", "comment")}
        if details.get("comment"):
            kept["comment_digest"] = self._comment_digest(details["comment"])
        return kept

    def _comment_digest(self, comment):
        return hmac(
            self.env(su=True),
            "amazon_fulfillment_comment",
            " ".join((comment or "").split()),
        )

    def _is_complete(self, details):
        return "address" in details or "address_digest" not in details

    # === HOW IT IS CONFIRMED === #

    def _is_confirmed(self, action):
        return not self._missing(action)

    def _missing(self, action):
        """Return what of the change the order, as just read, does not show.

        An address counts as shown where it is another one since the call, too: Amazon
        may spell it in a way of its own. The sentence says so.

        :rtype: set[str]
        """
        details = action.details or {}
        shown = self._shown(action)
        missing = {key for key in shown if details[key] != shown[key]}
        if "address_digest" in details and not (
            self._is_address_shown(action) or self._is_address_changed(action)
        ):
            missing.add("address")
        if not self._is_kept_comment_shown(action):
            missing.add("comment")
        return missing

    def _shown(self, action):
        """Return what the order shows of the details that can be compared."""
        order, details = action.order_id, action.details or {}
        shown = {
            "speed": order.mcf_speed,
            "action": order.mcf_action,
            "comment": " ".join((order.mcf_comment or "").split()),
            "quantities": {
                line.amazon_item_ref: line._units_left()
                for line in order.line_ids
                if line.amazon_item_ref in details.get("quantities", {})
            },
        }
        return {key: value for key, value in shown.items() if key in details}

    def _is_kept_comment_shown(self, action):
        kept = (action.details or {}).get("comment_digest")
        return not kept or kept == self._comment_digest(action.order_id.mcf_comment)

    def _is_address_shown(self, action):
        return action.details["address_digest"] == action.order_id.destination_digest

    def _is_address_changed(self, action):
        changed, sent = action.order_id.destination_changed_at, action._left_from()
        return bool(changed and sent and changed >= sent)

    def _disproof(self, action):
        """An order that is over, or that long after the call shows something else.

        What Amazon does not show at all proves nothing: the model does not promise
        ``fulfillmentAction``.
        """
        order = action.order_id
        is_closed = self._status_blocker(order)
        if not self._is_read_since(action) or not (is_closed or self._is_late(action)):
            return False
        shown = self._shown(action)
        missing = {
            key for key in self._missing(action) if shown.get(key, True) is not False
        }
        return missing and self.env._(
            "the order (status at Amazon: %(status)s) does not show: %(missing)s",
            status=self._status_label(order),
            missing=self._words(action, missing),
        )

    # === WHAT IS SAID === #

    def _words(self, action, keys):
        """Return in words what changes; of comment and address only that they do.

        :param keys: of the details
        """
        details = action.details or {}
        words = {
            "speed": lambda: self.env._(
                "shipping speed %s", self._label_of("mcf_speed", details["speed"])
            ),
            "action": lambda: (
                self.env._("put on hold")
                if details["action"] == "Hold"
                else self.env._("release from hold")
            ),
            "quantities": lambda: ", ".join(self._quantity_words(action)),
            "comment": lambda: self.env._("comment on the packing slip"),
            "address": lambda: self.env._("delivery address"),
        }
        # where the comment itself is forgotten
        words["comment_digest"] = words["comment"]
        return ", ".join(word() for key, word in words.items() if key in keys)

    def _label_of(self, field, value):
        """Return the label of a selection of the order, in the user's language."""
        selection = self.env["amazon.order"]._fields[field]
        return dict(selection._description_selection(self.env)).get(value, value)

    def _quantity_words(self, action):
        titles = {line.amazon_item_ref: line.title for line in action.order_id.line_ids}
        return [
            self.env._("%(units)s × %(item)s", units=units, item=titles.get(ref, ref))
            for ref, units in action.details["quantities"].items()
        ]

    def _sentence_values(self, action):
        return {
            "order": action.order_id.amazon_order_ref,
            "user": action.user_id.name,
            "changes": self._words(action, action.details or {}),
            "code": action.amazon_code or self.env._("none"),
            "text": action.amazon_text or "",
        }

    def _case(self, action, state):
        is_other = (
            state == "confirmed"
            and "address_digest" in (action.details or {})
            and not self._is_address_shown(action)
        )
        return "confirmed_with_other_address" if is_other else state
