"""Check the JSON bodies of writes against Amazon's models, before they cost a request.

Keys, required keys, lengths and enumerations: models ordersV0 (ConfirmShipmentRequest)
and fulfillmentOutbound_2020-07-01 (UpdateFulfillmentOrderRequest). A problem is told
by the name of the key and never by its value, which may be a buyer's address.
"""

import re
from dataclasses import dataclass

from .enums import (
    FULFILLMENT_ACTIONS,
    FULFILLMENT_POLICIES,
    SHIPPING_SPEEDS,
)

#: "Only positive numeric values are supported." (model of PackageReferenceId)
_REFERENCE = re.compile(r"0*[1-9][0-9]{0,17}")
#: ISO 8601 date and time with a zone.
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII
)


@dataclass(frozen=True)
class _Text:
    """A text with these limits, each of which may be missing."""

    limit: int | None = None
    choices: tuple = ()
    pattern: re.Pattern | None = None

    def problem(self, name, value):
        if not isinstance(value, str) or not value.strip():
            return f"{name} must be a text."
        if self.limit and len(value) > self.limit:
            return f"{name} may have {self.limit} characters at most."
        if self.choices and value not in self.choices:
            return f"{name} must be one of {', '.join(self.choices)}."
        if self.pattern and not self.pattern.fullmatch(value):
            return f"{name} does not have the form that Amazon asks for."
        return None


class _MayBeEmpty(_Text):
    """A text that may be empty; assumed: that takes it away."""

    def problem(self, name, value):
        return None if value == "" else super().problem(name, value)


@dataclass(frozen=True)
class _Whole:
    """A whole number, `least` at least."""

    least: int

    def problem(self, name, value):
        if isinstance(value, bool) or not isinstance(value, int) or value < self.least:
            return f"{name} must be a whole number, {self.least} or more."
        return None


@dataclass(frozen=True)
class _List:
    """A list with at least one entry."""

    entry: object

    def problem(self, name, value):
        if not isinstance(value, list | tuple) or not value:
            return f"{name} must list something."
        problems = (self.entry.problem(name, entry) for entry in value)
        return next(filter(None, problems), None)


@dataclass(frozen=True)
class _Object:
    """An object with these keys and no others."""

    keys: dict
    required: tuple = ()

    def problem(self, name, value):
        if not isinstance(value, dict) or not value:
            return f"{name} must be an object."
        for key in value:
            if key not in self.keys:
                return f"{name} has the key {key!r}, which Amazon does not know."
        for key in self.required:
            if key not in value:
                return f"{name} lacks {key}."
        problems = (self.keys[key].problem(key, part) for key, part in value.items())
        return next(filter(None, problems), None)


_PACKAGE = _Object(
    {
        "packageReferenceId": _Text(pattern=_REFERENCE),
        "carrierCode": _Text(),
        "carrierName": _Text(),
        "shippingMethod": _Text(),
        "trackingNumber": _Text(),
        "shipDate": _Text(pattern=_TIME),
        "shipFromSupplySourceId": _Text(),
        "orderItems": _List(
            _Object(
                {
                    "orderItemId": _Text(),
                    "quantity": _Whole(1),
                    "transparencyCodes": _List(_Text()),
                },
                required=("orderItemId", "quantity"),
            )
        ),
    },
    required=(
        "packageReferenceId",
        "carrierCode",
        "trackingNumber",
        "shipDate",
        "orderItems",
    ),
)

_MONEY = _Object(
    {"currencyCode": _Text(), "value": _Text()}, required=("currencyCode", "value")
)

_ADDRESS = _Object(
    {
        "name": _Text(),
        "addressLine1": _Text(),
        "addressLine2": _MayBeEmpty(),
        "addressLine3": _MayBeEmpty(),
        "city": _MayBeEmpty(),
        "districtOrCounty": _MayBeEmpty(),
        "stateOrRegion": _MayBeEmpty(),
        "postalCode": _Text(),
        "countryCode": _Text(pattern=re.compile(r"[A-Z]{2}")),
        "phone": _MayBeEmpty(),
    },
    required=("name", "addressLine1", "postalCode", "countryCode"),
)

_UPDATE = _Object(
    {
        "marketplaceId": _Text(),
        "displayableOrderId": _Text(limit=40),
        "displayableOrderDate": _Text(pattern=_TIME),
        "displayableOrderComment": _Text(limit=750),
        "shippingSpeedCategory": _Text(choices=SHIPPING_SPEEDS),
        "destinationAddress": _ADDRESS,
        "fulfillmentAction": _Text(choices=FULFILLMENT_ACTIONS),
        "fulfillmentPolicy": _Text(choices=FULFILLMENT_POLICIES),
        "shipFromCountryCode": _Text(pattern=re.compile(r"[A-Z]{2}")),
        "notificationEmails": _List(_Text(limit=64)),
        "featureConstraints": _List(
            _Object({"featureName": _Text(), "featureFulfillmentPolicy": _Text()})
        ),
        "items": _List(
            _Object(
                {
                    "sellerSku": _Text(),
                    "sellerFulfillmentOrderItemId": _Text(limit=50),
                    # What none would do, the model does not tell.
                    "quantity": _Whole(1),
                    "giftMessage": _MayBeEmpty(limit=512),
                    "displayableComment": _MayBeEmpty(limit=250),
                    "fulfillmentNetworkSku": _Text(),
                    "orderItemDisposition": _Text(),
                    "perUnitDeclaredValue": _MONEY,
                    "perUnitPrice": _MONEY,
                    "perUnitTax": _MONEY,
                },
                required=("sellerFulfillmentOrderItemId", "quantity"),
            )
        ),
    }
)

#: Keys of the body of updateFulfillmentOrder.
UPDATE_KEYS = frozenset(_UPDATE.keys)


def package_problem(package_detail):
    """Return what is wrong with a ``packageDetail`` of confirmShipment, if anything.

    :param dict package_detail: as in Amazon's model
    :rtype: str | None
    """
    problem = _PACKAGE.problem("packageDetail", package_detail)
    if problem:
        return problem
    if package_detail["carrierCode"] == "Other" and not package_detail.get(
        "carrierName"
    ):
        return "carrierName is needed where carrierCode is Other."
    ids = [item["orderItemId"] for item in package_detail["orderItems"]]
    if len(set(ids)) < len(ids):
        return "orderItems lists an item twice."
    return None


def update_problem(body):
    """Return what is wrong with a body of updateFulfillmentOrder, if anything.

    :param dict body: as in Amazon's model
    :rtype: str | None
    """
    return _UPDATE.problem("The update", body)
