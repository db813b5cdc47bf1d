"""The only import of python-amazon-sp-api, and the one choke point over it.

The library describes the operations (paths, versions, parameters). Everything that
decides about money is replaced: each of its API classes is used through
`StrictRequests`, whose ``_request`` hands the request to our `Session`. So the
library's credential look-ups, token cache, HTTP client, response parsing and debug
logs are never reached.
"""

import contextlib
import logging
import os

#: Read by the library while it is imported; a value that it does not know
#: (``AWS_ENV=staging``) makes the import fail, a known one changes all addresses.
_IMPORT_TIME_VARIABLES = (
    "AWS_ENV",
    "SP_API_DEFAULT_MARKETPLACE",
    "SP_API_AUTH_CACHE_SIZE",
    "SP_API_AUTH_CACHE_TTL",
)


@contextlib.contextmanager
def _without_variables(names):
    """Hide environment variables for the time of an import."""
    hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


with _without_variables(_IMPORT_TIME_VARIABLES):
    from sp_api.api.feeds.feeds_2021_06_30 import FeedsV20210630
    from sp_api.api.finances.finances_2024_06_19 import FinancesV20240619
    from sp_api.api.finances.finances_v0 import FinancesV0
    from sp_api.api.fulfillment_outbound.fulfillment_outbound import (
        FulfillmentOutbound,
    )
    from sp_api.api.messaging.messaging import Messaging
    from sp_api.api.orders.orders_2026_01_01 import OrdersV20260101
    from sp_api.api.orders.orders_v0 import OrdersV0
    from sp_api.api.sellers.sellers import Sellers
    from sp_api.base import ApiResponse, fill_query_params, sp_endpoint

# The library sets the level of its logger to INFO on import, over whatever the
# administrator configured; take that back.
logging.getLogger("sp_api.base.client").setLevel(logging.NOTSET)


class StrictRequests:
    """Mixin before an API class of the library: every request takes our way.

    :param Session session: sends the requests; may be shared by many API objects
    """

    def __init__(self, session):
        # Not `super().__init__()`: it reads SP_API_DEFAULT_MARKETPLACE, looks for
        # credentials in the environment, at AWS and in ~/.config, and opens HTTP
        # clients that nobody closes.
        self._session = session

    def _request(self, path, *, data=None, params=None, **_library_options):
        """Override of `sp_api` to send only what Amazon's model allows.

        The options it drops (``add_marketplace``, ``headers``, ``bulk`` ...) are those
        with which the library adds stray keys and parses answers loosely.

        :raises SpApiError: see `Session.send`
        """
        params, data = dict(params or {}), dict(data or {})
        data_method = data.pop("method", "GET")
        method = params.pop("method", data_method)
        payload, headers = self._session.send(method, path, params, data)
        return ApiResponse(payload=payload, headers=headers)


class StrictOrders(StrictRequests, OrdersV20260101):
    """Orders 2026-01-01, with the cancellation that the library does not have."""

    @sp_endpoint("/orders/2026-01-01/orders/{}/cancellation", method="PUT")
    def cancel_order(self, order_id, **kwargs):
        """Cancel a whole order."""
        path = fill_query_params(kwargs.pop("path"), order_id)
        return self._request(path, data=kwargs)


class StrictOrdersV0(StrictRequests, OrdersV0):
    """Orders v0, which alone confirms shipments."""


class StrictFulfillmentOutbound(StrictRequests, FulfillmentOutbound):
    """Fulfillment Outbound 2020-07-01."""


class StrictMessaging(StrictRequests, Messaging):
    """Messaging v1, with the marketplace of the order in each message."""

    @sp_endpoint("/messaging/v1/orders/{}/messages/{}", method="POST")
    def send_message(self, order_id, message_type, marketplace_id, text, **kwargs):
        """Send a message that is a text.

        The library's own methods take the marketplace of the API object for that of
        every order.
        """
        path = fill_query_params(kwargs.pop("path"), order_id, message_type)
        params = {"marketplaceIds": [marketplace_id], "method": kwargs["method"]}
        return self._request(path, params=params, data={"text": text})


class StrictFinancesV0(StrictRequests, FinancesV0):
    """Finances v0."""


class StrictFinances(StrictRequests, FinancesV20240619):
    """Finances 2024-06-19."""


class StrictSellers(StrictRequests, Sellers):
    """Sellers v1."""


class StrictFeeds(StrictRequests, FeedsV20210630):
    """Feeds 2021-06-30, without the library's own up- and downloads."""

    @sp_endpoint("/feeds/2021-06-30/documents/{}", method="GET")
    def describe_feed_document(self, feed_document_id, **kwargs):
        """Return address and compression of a document.

        The library's `get_feed_document` downloads as well, without timeouts, and
        gives the text of whatever it got.
        """
        path = fill_query_params(kwargs.pop("path"), feed_document_id)
        return self._request(path, params=kwargs)

    def get_feed_document(self, *args, **kwargs):
        """Closed: see `describe_feed_document`."""
        raise NotImplementedError("Use SellerClient.read_report.")

    get_feed_result_document = get_feed_document

    def submit_feed(self, *args, **kwargs):
        """Closed: it leaves no moment to record the intent before createFeed."""
        raise NotImplementedError("Use SellerClient.prepare_feed and create_feed.")
