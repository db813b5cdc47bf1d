"""Feeds that another program of the same seller sends: for tests, by the control."""

from dataclasses import dataclass
from itertools import count

from .envelope import FEED_MESSAGE_TYPES
from .orders import ORDER_ID

DONE, ERROR = "done", "error"
OUTCOMES = (DONE, ERROR, "cancelled", "fatal")
KEYS = ("feed_type", "marketplace_ids", "messages", "outcome", "order_id", "seller_id")
REQUIRED = ("feed_type", "marketplace_ids", "messages", "outcome")


@dataclass(frozen=True)
class ForeignFeed:
    """What is known of another program's feed. It never touches an order.

    `order_id`: the order that its report names when it fails; nobody's when None.
    """

    messages: int
    outcome: str
    order_id: str | None = None

    def named_order(self, feed_id, number, known):
        """Return the order that the report names for one message.

        :param int number: the message, from 1
        :param known: numbers of all orders, that nobody's number is none of
        """
        if self.order_id:
            return self.order_id
        middle = int(feed_id) % 10**7
        numbers = (f"990-{middle:07d}-{tail:07d}" for tail in count(number))
        return next(made_up for made_up in numbers if made_up not in known)


def send(simulator, data):
    """Let another program send a feed now.

    :param Simulator simulator: locked and settled
    :param dict data: `feed_type`, `marketplace_ids` (none: Amazon tells none),
        `messages` (their number), `outcome`, `order_id` that the outcome `error` names,
        `seller_id` (the first of the orders file)
    :return: the Feed
    :raise ValueError: when it makes no sense, with a sentence
    """
    unknown = sorted(set(data) - set(KEYS))
    missing = [name for name in REQUIRED if name not in data]
    if unknown or missing:
        raise ValueError(f"A foreign feed: unknown {unknown}, missing {missing}.")
    seller = _seller(simulator, data.get("seller_id"))
    _check(data, seller)
    work = ForeignFeed(data["messages"], data["outcome"], data.get("order_id"))
    return simulator.feeds.add_foreign_feed(
        seller, data["feed_type"], data["marketplace_ids"], work
    )


def _seller(simulator, seller_id):
    if seller_id is None:
        return next(iter(simulator.sellers.values()))
    seller = simulator.sellers.get(str(seller_id))
    if seller is None:
        raise ValueError(f"seller_id: no authorisation has {seller_id!r}.")
    return seller


def _check(data, seller):
    if data["feed_type"] not in list(FEED_MESSAGE_TYPES):
        known = ", ".join(FEED_MESSAGE_TYPES)
        raise ValueError(f"feed_type {data['feed_type']!r} is none of {known}.")
    markets = [marketplace.id for marketplace in seller.marketplaces]
    asked = data["marketplace_ids"]
    if not isinstance(asked, list) or not all(market in markets for market in asked):
        raise ValueError(f"marketplace_ids is a list of {', '.join(markets)}.")
    if type(data["messages"]) is not int or data["messages"] < 1:
        raise ValueError("messages is a number from 1.")
    if data["outcome"] not in OUTCOMES:
        raise ValueError(
            f"outcome {data['outcome']!r} is none of {', '.join(OUTCOMES)}."
        )
    order_id = data.get("order_id")
    if order_id is not None and not ORDER_ID.match(str(order_id)):
        raise ValueError(f"order_id {order_id!r} is not in 3-7-7 format.")
