"""Amazon's enumerations that this layer checks, each with its source."""

#: Feed types (Developer Guide, "Feed type values": order feeds). The first refunds,
#: the second cancels whole orders of the seller's own fulfilment.
FEED_REFUND = "POST_PAYMENT_ADJUSTMENT_DATA"
FEED_CANCEL = "POST_ORDER_ACKNOWLEDGEMENT_DATA"

#: ``processingStatus`` of a feed (Feeds model 2021-06-30). DONE says nothing of
#: success; after FATAL some of the messages may have been executed.
FEED_OPEN_STATUSES = ("IN_QUEUE", "IN_PROGRESS")
FEED_FINAL_STATUSES = ("DONE", "CANCELLED", "FATAL")

#: ``AdjustmentReason`` of OrderAdjustment (Amazon's schema, revision 12, release 4.1).
ADJUSTMENT_REASONS = (
    "NoInventory",
    "CustomerReturn",
    "GeneralAdjustment",
    "CouldNotShip",
    "DifferentItem",
    "Abandoned",
    "CustomerCancel",
    "PriceError",
    "ProductOutofStock",
    "CustomerAddressIncorrect",
    "Exchange",
    "Other",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "TransactionRecord",
    "Undeliverable",
    "RefusedDelivery",
)

#: ``CancelReason`` of OrderAcknowledgement (revision 7, release 4.1). Other spellings
#: than those of a refund: BuyerCanceled here, CustomerCancel there.
CANCEL_REASONS = (
    "NoInventory",
    "ShippingAddressUndeliverable",
    "CustomerExchange",
    "BuyerCanceled",
    "GeneralAdjustment",
    "CarrierCreditDecision",
    "RiskAssessmentInformationNotValid",
    "CarrierCoverageFailure",
    "CustomerReturn",
    "MerchandiseNotReceived",
    "CannotVerifyInformation",
    "PricingError",
    "RejectOrder",
    "WeatherDelay",
)

#: ``cancelReasonCode`` of the operation cancelOrder of Orders 2026-01-01, which
#: Amazon's model showed three times in 2026 (commits adc5701, dff2711, c5f589c). Again
#: other spellings, and fewer of them.
CANCEL_ORDER_REASONS = (
    "NO_INVENTORY",
    "BUYER_CANCELLED",
    "SHIPPING_ADDRESS_UNDELIVERABLE",
    "CUSTOMER_EXCHANGE",
    "PRICING_ERROR",
)

#: ``Type`` of a component of ItemPriceAdjustments (revision 12, release 4.1).
#: ReturnShipping was seen to be ignored by Amazon (seller-forum.com/t/18974, 2024).
ADJUSTMENT_COMPONENTS = (
    "Principal",
    "Shipping",
    "Tax",
    "ShippingTax",
    "RestockingFee",
    "RestockingFeeTax",
    "GiftWrap",
    "GiftWrapTax",
    "Surcharge",
    "ReturnShipping",
    "Goodwill",
    "ExportCharge",
    "COD",
    "CODTax",
    "Other",
    "FreeReplacementReturnShipping",
)

#: Components that keep money back from the buyer: negative, all others positive
#: (Seller Central, help on the adjustment file, item 661).
KEPT_BACK_COMPONENTS = ("RestockingFee", "RestockingFeeTax")

#: ``Type`` of a component of PromotionAdjustments (revision 12, release 4.1).
PROMOTION_COMPONENTS = ("Principal", "Shipping")

#: Currencies of an amount in a feed (BaseCurrencyCode, release 4.1) with the decimals
#: of ISO 4217. ZAR is not among them: no refund by feed in South Africa.
CURRENCY_DECIMALS = {
    "USD": 2,
    "GBP": 2,
    "EUR": 2,
    "JPY": 0,
    "CAD": 2,
    "CNY": 2,
    "INR": 2,
    "MXN": 2,
    "BRL": 2,
    "AUD": 2,
    "TRY": 2,
    "SGD": 2,
    "SEK": 2,
    "PLN": 2,
    "AED": 2,
    "SAR": 2,
    "EGP": 2,
}

#: ``fulfillmentStatus`` of an order (Orders model 2026-01-01). INVOICE_UNCONFIRMED
#: stands only in Amazon's migration data (Brazil).
ORDER_STATUSES = (
    "PENDING_AVAILABILITY",
    "PENDING",
    "UNSHIPPED",
    "PARTIALLY_SHIPPED",
    "SHIPPED",
    "CANCELLED",
    "UNFULFILLABLE",
    "INVOICE_UNCONFIRMED",
)

#: Types of messages to a buyer that are a text, with the most characters of it
#: (Messaging model, ``maxLength``).
MESSAGE_LIMITS = {
    "confirmOrderDetails": 2000,
    "confirmDeliveryDetails": 2000,
    "confirmServiceDetails": 2000,
    "confirmCustomizationDetails": 800,
    "unexpectedProblem": 2000,
}

#: ``fulfillmentOrderStatus`` of Fulfillment Outbound 2020-07-01, in upper case.
FULFILLMENT_STATUSES = (
    "NEW",
    "RECEIVED",
    "PLANNING",
    "PROCESSING",
    "CANCELLED",
    "COMPLETE",
    "COMPLETE_PARTIALLED",
    "UNFULFILLABLE",
    "INVALID",
)

#: ``shippingSpeedCategory``, ``fulfillmentAction`` and ``fulfillmentPolicy`` of
#: Fulfillment Outbound 2020-07-01.
SHIPPING_SPEEDS = ("Standard", "Expedited", "Priority", "ScheduledDelivery")
FULFILLMENT_ACTIONS = ("Ship", "Hold")
FULFILLMENT_POLICIES = ("FillOrKill", "FillAll", "FillAllAvailable")
