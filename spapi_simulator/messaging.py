"""Messaging v1: what a seller may write to a buyer about an order, sent and kept.

Which types an order allows is told by getMessagingActionsForOrder alone, and by no
document; here it follows from the status of the order, or stands in the orders file.
"""

import re

from .bodies import Keys, Many, Text
from .errors import ApiError, invalid_input, not_found
from .orders import CANCELLED, ORDER_ID, PARTIALLY_SHIPPED, SHIPPED, UNSHIPPED

# Type -> most characters (the maxLength of the model's requests)
MAX_LENGTH = {
    "confirmCustomizationDetails": 800,
    "confirmDeliveryDetails": 2000,
    "confirmOrderDetails": 2000,
    "confirmServiceDetails": 2000,
    "unexpectedProblem": 2000,
}
# Allowed types that carry no text and are not served here.
_UNSERVED = frozenset({"sendInvoice"})
TYPES = (*MAX_LENGTH, *_UNSERVED)
_ALLOWED = {
    UNSHIPPED: ("confirmOrderDetails", "confirmDeliveryDetails", "unexpectedProblem"),
    PARTIALLY_SHIPPED: ("confirmDeliveryDetails", "unexpectedProblem"),
    SHIPPED: ("confirmDeliveryDetails", "unexpectedProblem", "sendInvoice"),
    CANCELLED: ("unexpectedProblem",),
}
# "Do not include HTML or email addresses", "only links related to …" (model): every
# link is refused here, since nobody can tell what it is related to.
_FORBIDDEN = (
    (re.compile(r"</?[a-zA-Z!][^>]*>|&(#\d+|[a-z]+);"), "HTML"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "an email address"),
    (re.compile(r"https?://|\bwww\.|\b[\w-]+\.[a-z]{2,}/\w", re.I), "a link"),
)


def get_messaging_actions(simulator, call):
    """Answer getMessagingActionsForOrder."""
    order = _find(simulator, call)
    path = f"/messaging/v1/orders/{order.id}"
    query = f"?marketplaceIds={order.marketplace.id}"
    links, embedded = [], []
    for name in allowed_types(simulator, order):
        action = {"href": f"{path}/messages/{name}{query}", "name": name}
        schema = {"href": f"{path}/messages/{name}/schema", "name": name}
        links.append(action)
        embedded.append(
            {
                "_links": {"self": action, "schema": schema},
                "_embedded": {
                    "schema": {"_links": {"self": schema}, "payload": _schema(name)}
                },
                "payload": {"name": name},
            }
        )
    return 200, {
        "_links": {"self": {"href": path + query}, "actions": links},
        "_embedded": {"actions": embedded},
    }


def _schema(name):
    text = {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH.get(name, 0)}
    return {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "name": name,
        "properties": {"text": text} if name in MAX_LENGTH else {},
    }


def allowed_types(simulator, order):
    """Return the types that the buyer of an order may be sent now."""
    if order.message_types is not None:
        types = order.message_types
    elif order.channel == "FBM":
        types = _ALLOWED.get(order.status, ())
    else:
        types = ()  # Amazon looks after the buyers of what it ships
    limit = simulator.settings.messages_per_type
    sent = [
        row["message_type"]
        for row in simulator.ledger.messages
        if row["order_id"] == order.id
    ]
    return [name for name in types if sent.count(name) < limit]


def get_attributes(simulator, call):
    """Answer GetAttributes: the language of the buyer."""
    order = _find(simulator, call)
    locale = order.buyer_locale or order.marketplace.language.replace("_", "-")
    return 200, {"buyer": {"locale": locale}}


def sender(message_type):
    """Return the handler that sends one type of message."""
    optional = {}
    if message_type == "confirmCustomizationDetails":
        attachment = Keys(required={"uploadDestinationId": Text(), "fileName": Text()})
        optional["attachments"] = Many(attachment, most=5)
    body = Keys({"text": Text(most=MAX_LENGTH[message_type])}, optional)

    def send(simulator, call):
        return _send(simulator, call, message_type, call.read_body(body))

    return send


def _send(simulator, call, message_type, body):
    order = _find(simulator, call)
    for pattern, what in _FORBIDDEN:
        if pattern.search(body["text"]):
            raise invalid_input(f"The text must not contain {what}.")
    if body.get("attachments"):
        raise invalid_input("The attachments were never uploaded.")
    if message_type not in allowed_types(simulator, order):
        # Amazon's words, quoted in selling-partner-api-models#39.
        raise ApiError(
            403, "Unauthorized", "Invalid amazonOrderId and template combination."
        )
    simulator.ledger.messages.append(
        {
            "order_id": order.id,
            "message_type": message_type,
            "text": body["text"],
            **call.trace(simulator),
        }
    )
    return 201, {}


def _find(simulator, call):
    order_id = call.path["amazonOrderId"]
    if not ORDER_ID.match(order_id):
        raise invalid_input("Invalid Input")
    order = simulator.orders.get((call.seller.seller_id, order_id))
    if order is None:
        raise not_found(f"Order {order_id} not found.")
    if call.query["marketplaceIds"] != [order.marketplace.id]:
        raise invalid_input("marketplaceIds is not the marketplace of the order.")
    return order
