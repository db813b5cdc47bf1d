"""The operations served: path, quota, role and the exact parameters of each.

Source of every row: Amazon's models (selling-partner-api-models), whose usage plan
tables give rate (requests per second) and burst.

The check is stricter than Amazon is known to be: a query parameter that the model
does not name is refused with 400. It protects against clients that send stray keys
(python-amazon-sp-api adds `MarketplaceIds` and others to every GET).
"""

import re
from dataclasses import dataclass
from functools import cached_property

from .clock import parse_iso
from .errors import invalid_input

ORDERS = "orders"
FEEDS = "feeds"
FINANCES = "finances"
OUTBOUND = "outbound"
MESSAGING = "messaging"

# Any of an area's roles opens it. Source: the "order" feed types and the role pages
# of Amazon's developer documentation.
AREA_ROLES = {
    ORDERS: {"Inventory and Order Tracking", "Direct-to-Consumer Shipping"},
    FEEDS: {"Inventory and Order Tracking", "Direct-to-Consumer Shipping"},
    FINANCES: {"Finance and Accounting"},
    OUTBOUND: {"Amazon Fulfillment"},
    MESSAGING: {"Buyer Communication"},
}
ALL_ROLES = frozenset().union(*AREA_ROLES.values())


@dataclass(frozen=True)
class Param:
    """One query parameter as its model describes it.

    `many`: a list, comma separated (Swagger's default collection format).
    """

    name: str
    kind: str = "string"
    many: bool = False
    choices: tuple = ()
    minimum: int | None = None
    maximum: int | None = None
    max_items: int | None = None
    required: bool = False

    def read(self, text):
        """Return the value of `text` in Python's type.

        :raise ApiError: 400 when the text does not fit the model
        """
        if not self.many:
            return self._read_one(text)
        values = [self._read_one(part) for part in text.split(",")]
        if self.max_items and len(values) > self.max_items:
            raise invalid_input(
                f"{self.name} takes at most {self.max_items} values, not {len(values)}."
            )
        return values

    def _read_one(self, text):
        try:
            value = _READERS[self.kind](text)
        except ValueError:
            raise invalid_input(
                f"{self.name}: {text!r} is not a valid {self.kind}."
            ) from None
        if self.choices and value not in self.choices:
            raise invalid_input(f"{self.name}: {text!r} is not one of the values.")
        too_small = self.minimum is not None and value < self.minimum
        too_big = self.maximum is not None and value > self.maximum
        if too_small or too_big:
            raise invalid_input(
                f"{self.name} must be between {self.minimum} and {self.maximum}."
            )
        return value


def _read_string(text):
    if not text:
        raise ValueError("empty")
    return text


def _read_boolean(text):
    if text not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text == "true"


_READERS = {
    "string": _read_string,
    "integer": int,
    "boolean": _read_boolean,
    "date-time": parse_iso,
}


@dataclass(frozen=True)
class Operation:
    """One operation of the Selling Partner API.

    `rate` is in requests per second, `burst` the size of the bucket. `produces`: media
    type of its answers.
    """

    name: str
    method: str
    path: str
    rate: float
    burst: int
    area: str | None = None
    params: tuple = ()
    produces: str = "application/json"

    @cached_property
    def pattern(self):
        """The path as a regular expression with named groups."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path) + "$")

    def read_query(self, args):
        """Check the query against the model and convert its values.

        :param args: Werkzeug's MultiDict of the query
        :raise ApiError: 400 on an unknown, repeated, invalid or missing parameter
        """
        known = {param.name: param for param in self.params}
        values = {}
        for name, texts in args.lists():
            if name not in known:
                raise invalid_input(f"{name} is not a parameter of {self.name}.")
            if len(texts) > 1:
                raise invalid_input(f"{name} is given {len(texts)} times.")
            values[name] = known[name].read(texts[0])
        for name, param in known.items():
            if param.required and name not in values:
                raise invalid_input(f"{name} is missing.")
        return values


FULFILLMENT_STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
)
INCLUDED_DATA = (
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
)
PROCESSING_STATUSES = ("CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE")

_INCLUDED = Param("includedData", many=True, choices=INCLUDED_DATA)
_FEEDS_PATH = "/feeds/2021-06-30/feeds"
_DOCUMENTS_PATH = "/feeds/2021-06-30/documents"
_OUTBOUND_PATH = "/fba/outbound/2020-07-01/fulfillmentOrders/{sellerFulfillmentOrderId}"
_MESSAGING_PATH = "/messaging/v1/orders/{amazonOrderId}"
# Type of message -> operation
MESSAGE_OPERATIONS = {
    "confirmCustomizationDetails": "confirmCustomizationDetails",
    "confirmDeliveryDetails": "createConfirmDeliveryDetails",
    "confirmOrderDetails": "createConfirmOrderDetails",
    "confirmServiceDetails": "createConfirmServiceDetails",
    "unexpectedProblem": "createUnexpectedProblem",
}


def _messaging(name, method, tail=""):
    return Operation(
        name,
        method,
        _MESSAGING_PATH + tail,
        rate=1,
        burst=5,
        area=MESSAGING,
        params=(Param("marketplaceIds", many=True, max_items=1, required=True),),
        produces="application/hal+json",
    )


OPERATIONS = (
    Operation(
        "searchOrders",
        "GET",
        "/orders/2026-01-01/orders",
        rate=0.0056,
        burst=20,
        area=ORDERS,
        params=(
            Param("createdAfter", "date-time"),
            Param("createdBefore", "date-time"),
            Param("lastUpdatedAfter", "date-time"),
            Param("lastUpdatedBefore", "date-time"),
            Param("fulfillmentStatuses", many=True, choices=FULFILLMENT_STATUSES),
            Param("marketplaceIds", many=True, max_items=50),
            Param("fulfilledBy", many=True, choices=("MERCHANT", "AMAZON")),
            Param("maxResultsPerPage", "integer", minimum=1, maximum=100),
            Param("paginationToken"),
            _INCLUDED,
        ),
    ),
    Operation(
        "getOrder",
        "GET",
        "/orders/2026-01-01/orders/{orderId}",
        rate=0.5,
        burst=30,
        area=ORDERS,
        params=(_INCLUDED,),
    ),
    Operation(
        "getFeeds",
        "GET",
        _FEEDS_PATH,
        rate=0.0222,
        burst=10,
        area=FEEDS,
        params=(
            Param("feedTypes", many=True, max_items=10),
            Param("marketplaceIds", many=True, max_items=10),
            Param("pageSize", "integer", minimum=1, maximum=100),
            Param("processingStatuses", many=True, choices=PROCESSING_STATUSES),
            Param("createdSince", "date-time"),
            Param("createdUntil", "date-time"),
            Param("nextToken"),
        ),
    ),
    Operation("createFeed", "POST", _FEEDS_PATH, rate=0.0083, burst=15, area=FEEDS),
    Operation("getFeed", "GET", _FEEDS_PATH + "/{feedId}", 2, 15, area=FEEDS),
    Operation("cancelFeed", "DELETE", _FEEDS_PATH + "/{feedId}", 2, 15, area=FEEDS),
    Operation("createFeedDocument", "POST", _DOCUMENTS_PATH, 0.5, 15, area=FEEDS),
    Operation(
        "getFeedDocument",
        "GET",
        _DOCUMENTS_PATH + "/{feedDocumentId}",
        rate=0.0222,
        burst=10,
        area=FEEDS,
        params=(Param("enableContentEncodingUrlHeader", "boolean"),),
    ),
    Operation(
        "listFinancialEventsByOrderId",
        "GET",
        "/finances/v0/orders/{orderId}/financialEvents",
        rate=0.5,
        burst=30,
        area=FINANCES,
        params=(
            Param("MaxResultsPerPage", "integer", minimum=1, maximum=100),
            Param("NextToken"),
        ),
    ),
    Operation(
        "listTransactions",
        "GET",
        "/finances/2024-06-19/transactions",
        rate=0.5,
        burst=10,
        area=FINANCES,
        params=(
            Param("postedAfter", "date-time"),
            Param("postedBefore", "date-time"),
            Param("marketplaceId"),
            Param(
                "transactionStatus",
                choices=("DEFERRED", "RELEASED", "DEFERRED_RELEASED"),
            ),
            Param(
                "relatedIdentifierName",
                choices=("FINANCIAL_EVENT_GROUP_ID", "ORDER_ID"),
            ),
            Param("relatedIdentifierValue"),
            Param("nextToken"),
        ),
    ),
    Operation(
        "getMarketplaceParticipations",
        "GET",
        "/sellers/v1/marketplaceParticipations",
        rate=0.016,
        burst=15,
    ),
    Operation(
        "confirmShipment",
        "POST",
        "/orders/v0/orders/{orderId}/shipmentConfirmation",
        rate=2,
        burst=10,
        area=ORDERS,
    ),
    # Withdrawn from the models: see `rest_cancellation`.
    Operation(
        "cancelOrder",
        "PUT",
        "/orders/2026-01-01/orders/{orderId}/cancellation",
        rate=1,
        burst=5,
        area=ORDERS,
    ),
    Operation("getFulfillmentOrder", "GET", _OUTBOUND_PATH, 2, 30, area=OUTBOUND),
    Operation("updateFulfillmentOrder", "PUT", _OUTBOUND_PATH, 2, 30, area=OUTBOUND),
    Operation(
        "cancelFulfillmentOrder",
        "PUT",
        _OUTBOUND_PATH + "/cancel",
        rate=2,
        burst=30,
        area=OUTBOUND,
    ),
    _messaging("getMessagingActionsForOrder", "GET"),
    _messaging("GetAttributes", "GET", "/attributes"),
    *(
        _messaging(name, "POST", f"/messages/{message_type}")
        for message_type, name in MESSAGE_OPERATIONS.items()
    ),
)

# Not operations of the API, but requests that a fault can be set on.
TOKEN = "token"
UPLOAD = "uploadDocument"
DOWNLOAD = "downloadDocument"
NAMES = frozenset({op.name for op in OPERATIONS} | {TOKEN, UPLOAD, DOWNLOAD})


def find(method, path):
    """Return the operation at this method and path, and the values of its path.

    :return: (Operation, dict), or (None, {}) when there is none
    """
    for operation in OPERATIONS:
        if operation.method == method and (match := operation.pattern.match(path)):
            return operation, match.groupdict()
    return None, {}
