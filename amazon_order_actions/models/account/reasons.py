"""The reasons that Amazon's forms know, as people choose them: of what is asked for,
and of an account, which has its usual ones."""

# AdjustmentReason of the Order Adjustment, as in spapi.enums; those that fit most
# documents first.
REFUND_REASONS = [
    ("CustomerReturn", "Customer return"),
    ("GeneralAdjustment", "General adjustment"),
    ("DifferentItem", "Different item"),
    ("CouldNotShip", "Could not ship"),
    ("NoInventory", "No inventory"),
    ("ProductOutofStock", "Product out of stock"),
    ("CustomerCancel", "Cancelled by the customer"),
    ("PriceError", "Pricing error"),
    ("Undeliverable", "Undeliverable"),
    ("RefusedDelivery", "Delivery refused"),
    ("CustomerAddressIncorrect", "Customer address incorrect"),
    ("Exchange", "Exchange"),
    ("Abandoned", "Abandoned"),
    ("CarrierCreditDecision", "Carrier credit decision"),
    ("CarrierCoverageFailure", "Carrier coverage failure"),
    ("RiskAssessmentInformationNotValid", "Risk assessment information not valid"),
    ("TransactionRecord", "Transaction record"),
    ("Other", "Other"),
]

# CancelReason of the Order Acknowledgement, as in spapi.enums; those that fit most
# documents first.
CANCEL_REASONS = [
    ("BuyerCanceled", "Cancelled by the buyer"),
    ("NoInventory", "No inventory"),
    ("ShippingAddressUndeliverable", "Shipping address undeliverable"),
    ("CustomerExchange", "Customer exchange"),
    ("PricingError", "Pricing error"),
    ("GeneralAdjustment", "General adjustment"),
    ("CarrierCreditDecision", "Carrier credit decision"),
    ("RiskAssessmentInformationNotValid", "Risk assessment information not valid"),
    ("CarrierCoverageFailure", "Carrier coverage failure"),
    ("CustomerReturn", "Customer return"),
    ("MerchandiseNotReceived", "Merchandise not received"),
    ("CannotVerifyInformation", "Cannot verify information"),
    ("RejectOrder", "Order rejected"),
    ("WeatherDelay", "Weather delay"),
]

# Reasons of the Order Adjustment that fit units which were not shipped, the likeliest
# first (Amazon's help names NoInventory and CustomerCancel, 200198080); the others of
# the same enumeration follow them.
_FITTING = (
    "CustomerCancel",
    "NoInventory",
    "ProductOutofStock",
    "CouldNotShip",
    "CustomerAddressIncorrect",
    "PriceError",
    "GeneralAdjustment",
)
CANCEL_ITEMS_REASONS = sorted(
    REFUND_REASONS,
    key=lambda reason: (
        _FITTING.index(reason[0]) if reason[0] in _FITTING else len(_FITTING)
    ),
)
