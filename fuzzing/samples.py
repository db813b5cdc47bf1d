"""Answers of Amazon as they are, to be changed by the fuzzers: one of each kind."""

ORDER_ID = "302-1234567-1234567"
DE = "A1PA6795UKMFR9"


def _money(amount):
    return {"amount": amount, "currencyCode": "EUR"}


ORDER = {
    "orderId": ORDER_ID,
    "orderAliases": [{"aliasType": "SELLER_ORDER_ID", "aliasId": "WEB-7"}],
    "createdTime": "2026-11-01T10:00:00Z",
    "lastUpdatedTime": "2026-11-02T11:30:15.123Z",
    "salesChannel": {"channelName": "AMAZON", "marketplaceId": DE},
    "fulfillment": {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"},
    "packages": [
        {
            "packageReferenceId": "1",
            "carrier": "DHL",
            "trackingNumber": "00340434161094",
            "shipTime": "2026-11-02T08:00:00Z",
            "packageStatus": {"status": "DELIVERED"},
        }
    ],
    "orderItems": [
        {
            "orderItemId": "123456789012345",
            "quantityOrdered": 3,
            "product": {"asin": "B0", "title": "Kettle", "sellerSku": "SKU-1"},
            "proceeds": {
                "proceedsTotal": _money("34.00"),
                "breakdowns": [
                    {"type": "ITEM", "subtotal": _money("30.00")},
                    {"type": "SHIPPING", "subtotal": _money("4.99")},
                    {"type": "GIFT_WRAP", "subtotal": _money("1.01")},
                    {
                        "type": "DISCOUNT",
                        "subtotal": _money("2.00"),
                        "detailedBreakdowns": [
                            {"subtype": "SHIPPING", "value": _money("1.00")}
                        ],
                    },
                    {
                        "type": "TAX",
                        "subtotal": _money("5.43"),
                        "detailedBreakdowns": [
                            {"subtype": "ITEM", "value": _money("4.79")},
                            {"subtype": "DISCOUNT", "value": _money("0.16")},
                        ],
                    },
                ],
            },
            "promotion": {"breakdowns": [{"promotionId": "FREE-SHIPPING"}]},
            "tax": {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR"}]},
            "cancellation": {
                "cancellationRequest": {"requester": "BUYER", "cancelReason": "x"}
            },
            "fulfillment": {"quantityFulfilled": 2, "quantityUnfulfilled": 1},
        }
    ],
}


def _charge(kind, amount):
    return {
        "ChargeType": kind,
        "ChargeAmount": {"CurrencyCode": "EUR", "CurrencyAmount": amount},
    }


EVENTS = {
    "RefundEventList": [
        {
            "AmazonOrderId": ORDER_ID,
            "PostedDate": "2026-11-03T08:00:00Z",
            "ShipmentItemAdjustmentList": [
                {
                    "SellerSKU": "SKU-1",
                    "OrderAdjustmentItemId": "adj-1",
                    "ItemChargeAdjustmentList": [
                        _charge("Principal", -25.21),
                        _charge("Tax", -4.79),
                        _charge("ShippingCharge", -4.99),
                        _charge("MarketplaceFacilitatorTax-Principal", 1.0),
                    ],
                    "PromotionAdjustmentList": [
                        {
                            "PromotionType": "PromotionMetaDataDefinitionValue",
                            "PromotionId": "DE Core Free Shipping",
                            "PromotionAmount": {
                                "CurrencyCode": "EUR",
                                "CurrencyAmount": 4.99,
                            },
                        }
                    ],
                }
            ],
        }
    ],
    "GuaranteeClaimEventList": [],
    "ChargebackEventList": [],
}


def _part(kind, amount, *parts):
    return {
        "breakdownType": kind,
        "breakdownAmount": {"currencyCode": "EUR", "currencyAmount": amount},
        "breakdowns": list(parts) or None,
    }


TRANSACTIONS = [
    {
        "transactionType": "Refund",
        "transactionId": "t-1",
        "transactionStatus": "Released",
        "description": "Refund Order",
        "postedDate": "2026-11-03T08:00:00Z",
        "marketplaceDetails": {"marketplaceId": DE},
        "relatedIdentifiers": [
            {"relatedIdentifierName": "ORDER_ID", "relatedIdentifierValue": ORDER_ID}
        ],
        "items": [
            {
                "totalAmount": {"currencyCode": "EUR", "currencyAmount": -27.0},
                "breakdowns": [
                    _part(
                        "ProductCharges",
                        -30.0,
                        _part("OurPricePrincipal", -25.21),
                        _part("OurPriceTax", -4.79),
                    ),
                    _part("AmazonFees", 3.0, _part("Commission", 3.0)),
                ],
                "contexts": [{"contextType": "ProductContext", "sku": "SKU-1"}],
                "relatedIdentifiers": [
                    {
                        "itemRelatedIdentifierName": "ORDER_ADJUSTMENT_ITEM_ID",
                        "itemRelatedIdentifierValue": "adj-1",
                    }
                ],
            }
        ],
    }
]

FULFILLMENT = {
    "fulfillmentOrder": {
        "sellerFulfillmentOrderId": "WEB-1001",
        "marketplaceId": DE,
        "displayableOrderId": "1001",
        "displayableOrderDate": "2026-11-20T09:00:00Z",
        "displayableOrderComment": "Thank you!",
        "shippingSpeedCategory": "Standard",
        "destinationAddress": {"name": "A", "city": "B", "countryCode": "DE"},
        "fulfillmentAction": "Hold",
        "fulfillmentPolicy": "FillOrKill",
        "receivedDate": "2026-11-20T09:00:05Z",
        "fulfillmentOrderStatus": "Received",
        "statusUpdatedDate": "2026-11-20T09:01:00.5Z",
    },
    "fulfillmentOrderItems": [
        {
            "sellerFulfillmentOrderItemId": "1",
            "sellerSku": "SKU-1",
            "quantity": 3,
            "cancelledQuantity": 1,
            "unfulfillableQuantity": 0,
        }
    ],
    "fulfillmentShipments": [
        {
            "fulfillmentShipmentStatus": "SHIPPED",
            "fulfillmentShipmentPackage": [
                {"packageNumber": 1, "carrierCode": "DHL", "trackingNumber": "T1"}
            ],
        }
    ],
}

ERROR = {"errors": [{"code": "InvalidInput", "message": "No.", "details": "Why"}]}

REPORT = b"""<?xml version="1.0" encoding="UTF-8"?>
<AmazonEnvelope><Header><DocumentVersion>1.02</DocumentVersion></Header>
<MessageType>ProcessingReport</MessageType><Message><MessageID>1</MessageID>
<ProcessingReport><DocumentTransactionID>82</DocumentTransactionID>
<StatusCode>Complete</StatusCode><ProcessingSummary>
<MessagesProcessed>3</MessagesProcessed><MessagesSuccessful>2</MessagesSuccessful>
<MessagesWithError>1</MessagesWithError><MessagesWithWarning>0</MessagesWithWarning>
</ProcessingSummary><Result><MessageID>2</MessageID><ResultCode>Error</ResultCode>
<ResultMessageCode>18028</ResultMessageCode><ResultDescription>Not found.
</ResultDescription></Result></ProcessingReport></Message></AmazonEnvelope>"""
