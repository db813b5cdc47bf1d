"""What may be sent: one row per SP-API operation this addon uses.

The choke point sends an operation only when it stands here, and of its parameters
only those named here. Source of paths, query parameters, body keys and of the rates:
Amazon's models (github.com/amzn/selling-partner-api-models, commit 34dc93fe of
2026-08-05), whose descriptions hold the default usage plans. Rates are requests per
second, for each pair of application and selling partner; Amazon may grant more.
"""

import re
from dataclasses import dataclass

from .bodies import UPDATE_KEYS


@dataclass(frozen=True)
class Operation:
    """One operation of Amazon's model.

    :param str name: ``operationId`` of the model
    :param str method: HTTP method
    :param str path: path template of the model
    :param float rate: requests per second that refill the quota
    :param int burst: size of the quota
    :param frozenset query: query parameters that the model knows
    :param frozenset body: keys of the JSON body that the model knows
    :param bool repeatable: True when sending it twice has no effect at Amazon beyond
        sending it once; only such an operation is ever retried by this layer
    :param bool answers: the success says more than that it is one; the body of any
        other success may be missing
    """

    name: str
    method: str
    path: str
    rate: float
    burst: int
    query: frozenset = frozenset()
    body: frozenset = frozenset()
    repeatable: bool = True
    answers: bool = True

    def matches(self, method, path):
        """Tell whether a request line is one of this operation."""
        pattern = re.sub(r"\\?\{[^}]*\}", "[^/?#]+", re.escape(self.path))
        return method == self.method and re.fullmatch(pattern, path) is not None


#: Type of a message to a buyer, as `getMessagingActionsForOrder` names it, and the
#: operation that sends it (Messaging model). Those that need no attachment.
MESSAGE_OPERATIONS = {
    "confirmOrderDetails": "createConfirmOrderDetails",
    "confirmDeliveryDetails": "createConfirmDeliveryDetails",
    "confirmServiceDetails": "createConfirmServiceDetails",
    "confirmCustomizationDetails": "confirmCustomizationDetails",
    "unexpectedProblem": "createUnexpectedProblem",
}


def _message_operation(message_type, name):
    body = {"text"}
    if message_type == "confirmCustomizationDetails":
        body.add("attachments")
    return Operation(
        name,
        "POST",
        f"/messaging/v1/orders/{{amazonOrderId}}/messages/{message_type}",
        rate=1,
        burst=5,
        query=frozenset({"marketplaceIds"}),
        body=frozenset(body),
        repeatable=False,
        answers=False,
    )


_ALL = (
    Operation(
        "searchOrders",
        "GET",
        "/orders/2026-01-01/orders",
        rate=0.0056,
        burst=20,
        query=frozenset(
            {
                "createdAfter",
                "createdBefore",
                "lastUpdatedAfter",
                "lastUpdatedBefore",
                "fulfillmentStatuses",
                "marketplaceIds",
                "fulfilledBy",
                "maxResultsPerPage",
                "paginationToken",
                "includedData",
            }
        ),
    ),
    Operation(
        "getOrder",
        "GET",
        "/orders/2026-01-01/orders/{orderId}",
        rate=0.5,
        burst=30,
        query=frozenset({"includedData"}),
    ),
    Operation(
        "listFinancialEventsByOrderId",
        "GET",
        "/finances/v0/orders/{orderId}/financialEvents",
        rate=0.5,
        burst=30,
        query=frozenset({"MaxResultsPerPage", "NextToken"}),
    ),
    Operation(
        "listTransactions",
        "GET",
        "/finances/2024-06-19/transactions",
        rate=0.5,
        burst=10,
        query=frozenset(
            {
                "postedAfter",
                "postedBefore",
                "marketplaceId",
                "transactionStatus",
                "relatedIdentifierName",
                "relatedIdentifierValue",
                "nextToken",
            }
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
        # Only reserves an address for an upload; an unused document has no effect.
        "createFeedDocument",
        "POST",
        "/feeds/2021-06-30/documents",
        rate=0.5,
        burst=15,
        body=frozenset({"contentType"}),
    ),
    Operation(
        # The irreversible one: it has no idempotency key.
        "createFeed",
        "POST",
        "/feeds/2021-06-30/feeds",
        rate=0.0083,
        burst=15,
        body=frozenset(
            {"feedType", "marketplaceIds", "inputFeedDocumentId", "feedOptions"}
        ),
        repeatable=False,
    ),
    Operation("getFeed", "GET", "/feeds/2021-06-30/feeds/{feedId}", rate=2, burst=15),
    Operation(
        "getFeeds",
        "GET",
        "/feeds/2021-06-30/feeds",
        rate=0.0222,
        burst=10,
        query=frozenset(
            {
                "feedTypes",
                "marketplaceIds",
                "pageSize",
                "processingStatuses",
                "createdSince",
                "createdUntil",
                "nextToken",
            }
        ),
    ),
    Operation(
        "cancelFeed",
        "DELETE",
        "/feeds/2021-06-30/feeds/{feedId}",
        rate=2,
        burst=15,
        repeatable=False,
        answers=False,
    ),
    Operation(
        "getFeedDocument",
        "GET",
        "/feeds/2021-06-30/documents/{feedDocumentId}",
        rate=0.0222,
        burst=10,
    ),
    Operation(
        # Not in the model at this commit: published and withdrawn three times in 2026
        # (commits adc5701, dff2711, c5f589c of the same repository), from which path,
        # body and rate are.
        "cancelOrder",
        "PUT",
        "/orders/2026-01-01/orders/{orderId}/cancellation",
        rate=1,
        burst=5,
        body=frozenset({"cancelReasonCode"}),
        repeatable=False,
        answers=False,
    ),
    Operation(
        # Only in v0; charges the buyer.
        "confirmShipment",
        "POST",
        "/orders/v0/orders/{orderId}/shipmentConfirmation",
        rate=2,
        burst=10,
        body=frozenset({"marketplaceId", "packageDetail", "codCollectionMethod"}),
        repeatable=False,
        answers=False,
    ),
    Operation(
        "getFulfillmentOrder",
        "GET",
        "/fba/outbound/2020-07-01/fulfillmentOrders/{sellerFulfillmentOrderId}",
        rate=2,
        burst=30,
    ),
    Operation(
        "updateFulfillmentOrder",
        "PUT",
        "/fba/outbound/2020-07-01/fulfillmentOrders/{sellerFulfillmentOrderId}",
        rate=2,
        burst=30,
        body=UPDATE_KEYS,
        repeatable=False,
        answers=False,
    ),
    Operation(
        "cancelFulfillmentOrder",
        "PUT",
        "/fba/outbound/2020-07-01/fulfillmentOrders/{sellerFulfillmentOrderId}/cancel",
        rate=2,
        burst=30,
        repeatable=False,
        answers=False,
    ),
    Operation(
        "getMessagingActionsForOrder",
        "GET",
        "/messaging/v1/orders/{amazonOrderId}",
        rate=1,
        burst=5,
        query=frozenset({"marketplaceIds"}),
    ),
    Operation(
        "GetAttributes",
        "GET",
        "/messaging/v1/orders/{amazonOrderId}/attributes",
        rate=1,
        burst=5,
        query=frozenset({"marketplaceIds"}),
    ),
    *(_message_operation(*row) for row in MESSAGE_OPERATIONS.items()),
)

#: By name: ``OPERATIONS["createFeed"].rate``; the one table of rates.
OPERATIONS = {operation.name: operation for operation in _ALL}


def operation_for(method, path):
    """Return the operation of a request line.

    :raises LookupError: this layer does not send such requests
    """
    for operation in _ALL:
        if operation.matches(method, path):
            return operation
    raise LookupError(f"{method} {path} is not an operation that this layer sends.")
