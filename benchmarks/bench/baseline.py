"""One feed for each refund through the bare library, as a script would do it.

``submit_feed`` of python-amazon-sp-api (document, upload, createFeed in one call) under
the library's own ``throttle_retry``, one refund after the other, against the simulator
with Amazon's quotas. Its clock runs faster, and the library's waiting is made as much
shorter, so that an hour of Amazon's passes in half a minute. What the bare library gets
wrong and the simulator refuses (stray keys in bodies, a Host header without its first
letter) is mended on the way; Amazon may ignore it.
"""

from __future__ import annotations

import importlib
import io
import json
import time
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import urlsplit

from cachetools import TTLCache
from sp_api.api.feeds.feeds_2021_06_30 import FeedsV20210630
from sp_api.auth import AccessTokenClient, access_token_client
from spapi.envelopes import (
    RefundItem,
    RefundMessage,
    order_adjustment,
)

from spapi_simulator.marketplaces import lookup
from spapi_simulator.process import SimulatorProcess

#: Amazon's seconds in one of ours.
CLOCK_FACTOR = 120

#: Keys that the library adds to every body and Amazon's model does not name.
STRAY = ("path", "MarketplaceIds")

FEED_TYPE = "POST_PAYMENT_ADJUSTMENT_DATA"


class Mended:
    """The library's transport, with what the simulator would refuse taken out."""

    def __init__(self, transport, host: str):
        self._transport = transport
        self._host = host

    def request(self, method, url, *, content=None, headers=None, **how):
        body = json.loads(content) if content else {}
        for key in STRAY:
            body.pop(key, None)
        if "documents" in url:
            body.pop("marketplaceIds", None)
        return self._transport.request(
            method,
            url,
            content=json.dumps(body) if content else None,
            headers={**headers, "host": self._host},
            **how,
        )


def seconds_for(simulator: SimulatorProcess, seeds: list[dict]) -> list[float]:
    """Refund orders one by one; return when each was taken, by Amazon's clock.

    :param simulator: with quotas and CLOCK_FACTOR
    :param seeds: the orders, as the simulator was told of them
    :return: seconds from the beginning, for each order
    """
    # the package offers the function of that name, not the module
    retry = importlib.import_module("sp_api.util.retry")
    feeds = library(simulator.url)

    @retry.throttle_retry()
    def refund(seed):
        # a new file each time: the library reads it to its end
        return feeds.submit_feed(
            FEED_TYPE,
            io.BytesIO(envelope(seed)),
            "text/xml",
            marketplaceIds=[lookup(seed["marketplace"]).id],
        )

    real = retry.time
    retry.time = SimpleNamespace(sleep=lambda s: time.sleep(s / CLOCK_FACTOR))
    begin, taken = _now(simulator), []
    try:
        for seed in seeds:
            refund(seed)
            taken.append(_now(simulator) - begin)
    finally:
        retry.time = real
    return taken


def library(url: str):
    """Return the bare library's feeds, pointed at a simulator."""
    # It keeps a token for 3,200 of its own seconds; Amazon's run faster here
    access_token_client.cache = TTLCache(10, 3200 / CLOCK_FACTOR)
    address = urlsplit(url)

    class Token(AccessTokenClient):
        scheme = f"{address.scheme}://"
        host = address.netloc

    feeds = FeedsV20210630(
        marketplace=SimpleNamespace(
            endpoint=url, marketplace_id="A1PA6795UKMFR9", region="eu-west-1"
        ),
        credentials={
            "refresh_token": SimulatorProcess.REFRESH_TOKEN,
            "lwa_app_id": SimulatorProcess.CLIENT_ID,
            "lwa_client_secret": SimulatorProcess.CLIENT_SECRET,
        },
        auth_token_client_class=Token,
    )
    feeds._transport = Mended(feeds._transport, address.netloc)
    return feeds


def envelope(seed: dict) -> bytes:
    """Return a feed that refunds a cent of the first item of an order."""
    item = RefundItem(
        seed["items"][0]["id"],
        seed["id"],
        "CustomerReturn",
        (("Principal", Decimal("0.01")),),
    )
    currency = lookup(seed["marketplace"]).currency
    message = RefundMessage(1, seed["id"], currency, (item,))
    return order_adjustment(SimulatorProcess.SELLER_ID, [message])


def _now(simulator: SimulatorProcess) -> float:
    return datetime.fromisoformat(simulator.now().replace("Z", "+00:00")).timestamp()
