"""A plain client of the Selling Partner API for the tests: no retries, no rules."""

import gzip
from datetime import datetime, timezone
from xml.sax.saxutils import escape

import requests
from lxml import etree

from ..process import SimulatorProcess

DE, FR, GB, ES = "A1PA6795UKMFR9", "A13V1IB3VIYZZH", "A1F83G8C2ARO7P", "A1RKKUPIHCS9HS"
US, JP = "ATVPDKIKX0DER", "A1VC38T7YXB528"
REFUND = "POST_PAYMENT_ADJUSTMENT_DATA"
CANCEL = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
OUTBOUND = "/fba/outbound/2020-07-01/fulfillmentOrders"
XML = "text/xml; charset=UTF-8"

# Orders of the demo file
SHIPPED, SHIPPED_ITEM = "302-4481516-2342108", "147645420374961"
UNSHIPPED = "303-7719024-5588321"
UNSHIPPED_ITEMS = ("147645420375012", "147645420375013")


class Amazon:
    """Calls the simulator as one seller."""

    def __init__(
        self,
        url,
        seller_id=SimulatorProcess.SELLER_ID,
        refresh_token=SimulatorProcess.REFRESH_TOKEN,
    ):
        self.url = url
        self.seller_id = seller_id
        self.refresh_token = refresh_token
        self.access_token = self.login().json()["access_token"]

    def login(self, **changes):
        """Ask for an access token."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": SimulatorProcess.CLIENT_ID,
            "client_secret": SimulatorProcess.CLIENT_SECRET,
        } | changes
        form = {name: value for name, value in form.items() if value is not None}
        return requests.post(f"{self.url}/auth/o2/token", data=form, timeout=30)

    def call(self, method, path, **options):
        """Send one request with the access token."""
        headers = {"x-amz-access-token": self.access_token}
        headers |= options.pop("headers", {})
        options.setdefault("timeout", 30)
        # with a timeout, see above
        return requests.request(  # noqa: S113
            method, self.url + path, headers=headers, **options
        )

    def get(self, path, **query):
        """Send one GET."""
        return self.call("GET", path, params=query)

    # === ORDERS AND FINANCES === #

    def order(self, order_id, included="PROCEEDS,FULFILLMENT,CANCELLATION"):
        """Return one order."""
        path = f"/orders/2026-01-01/orders/{order_id}"
        answer = self.get(path, includedData=included)
        assert answer.status_code == 200, answer.text
        return answer.json()["order"]

    def status(self, order_id):
        """Return the status of one order."""
        return self.order(order_id)["fulfillment"]["fulfillmentStatus"]

    def events(self, order_id, name):
        """Return one list of the order's events in Finances v0."""
        answer = self.get(f"/finances/v0/orders/{order_id}/financialEvents")
        assert answer.status_code == 200, answer.text
        return answer.json()["payload"]["FinancialEvents"][name]

    def transactions(self, **query):
        """Return the transactions of a query."""
        answer = self.get("/finances/2024-06-19/transactions", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["payload"]["transactions"]

    # === WRITES WITHOUT A FEED === #

    def confirm(self, order_id, items, reference="1", marketplace=DE, **changes):
        """Call confirmShipment; `items`: {item id: units}."""
        detail = {
            "packageReferenceId": reference,
            "carrierCode": "DHL",
            "trackingNumber": "JJD000390012345",
            "shipDate": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "orderItems": [
                {"orderItemId": item_id, "quantity": quantity}
                for item_id, quantity in items.items()
            ],
        } | changes
        detail = {key: value for key, value in detail.items() if value is not None}
        body = {"marketplaceId": marketplace, "packageDetail": detail}
        path = f"/orders/v0/orders/{order_id}/shipmentConfirmation"
        return self.call("POST", path, json=body)

    def cancel_order(self, order_id, reason="NO_INVENTORY"):
        """Call cancelOrder."""
        path = f"/orders/2026-01-01/orders/{order_id}/cancellation"
        return self.call("PUT", path, json={"cancelReasonCode": reason})

    def fulfillment_order(self, order_id):
        """Return one fulfillment order."""
        answer = self.get(f"{OUTBOUND}/{order_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()["payload"]

    def fulfillment_status(self, order_id):
        """Return the status of one fulfillment order."""
        order = self.fulfillment_order(order_id)["fulfillmentOrder"]
        return order["fulfillmentOrderStatus"]

    def cancel_fulfillment(self, order_id):
        """Call cancelFulfillmentOrder."""
        return self.call("PUT", f"{OUTBOUND}/{order_id}/cancel")

    def update_fulfillment(self, order_id, **body):
        """Call updateFulfillmentOrder."""
        return self.call("PUT", f"{OUTBOUND}/{order_id}", json=body)

    def actions(self, order_id, marketplace=DE):
        """Return the names of the message types that an order allows."""
        path = f"/messaging/v1/orders/{order_id}"
        answer = self.get(path, marketplaceIds=marketplace)
        assert answer.status_code == 200, answer.text
        return [row["name"] for row in answer.json()["_links"]["actions"]]

    def message(self, order_id, message_type, text, marketplace=DE, **body):
        """Send a message to a buyer."""
        path = f"/messaging/v1/orders/{order_id}/messages/{message_type}"
        query = {"marketplaceIds": marketplace}
        return self.call("POST", path, params=query, json={"text": text} | body)

    # === FEEDS === #

    def create_document(self, content_type=XML):
        """Call createFeedDocument."""
        body = {"contentType": content_type}
        return self.call("POST", "/feeds/2021-06-30/documents", json=body)

    def upload(self, data, content_type=XML):
        """Create a document, upload into it, return its id."""
        document = self.create_document(content_type).json()
        headers = {"Content-Type": content_type}
        answer = requests.put(document["url"], data, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return document["feedDocumentId"]

    def create_feed(self, feed_type, document_id, marketplaces=(DE,), **options):
        """Call createFeed."""
        body = {
            "feedType": feed_type,
            "marketplaceIds": list(marketplaces),
            "inputFeedDocumentId": document_id,
        }
        return self.call("POST", "/feeds/2021-06-30/feeds", json=body, **options)

    def submit(self, feed_type, *messages, marketplaces=(DE,)):
        """Send an envelope with these payloads; return the feed id."""
        document_id = self.upload(self.envelope(feed_type, *messages))
        answer = self.create_feed(feed_type, document_id, marketplaces)
        assert answer.status_code == 202, answer.text
        return answer.json()["feedId"]

    def envelope(self, feed_type, *messages):
        """Return an envelope with these payloads, numbered from 1."""
        return envelope(
            "".join(
                f"<Message><MessageID>{number}</MessageID>{payload}</Message>"
                for number, payload in enumerate(messages, 1)
            ),
            feed_type,
            self.seller_id,
        )

    def feed(self, feed_id):
        """Return one feed."""
        answer = self.get(f"/feeds/2021-06-30/feeds/{feed_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def report(self, feed_id):
        """Return the report of a feed: (processed, {message id: (code, text)})."""
        document_id = self.feed(feed_id)["resultFeedDocumentId"]
        return read_report(self.download(document_id))

    def download(self, document_id):
        """Return the unpacked content of a document."""
        path = f"/feeds/2021-06-30/documents/{document_id}"
        document = self.get(path).json()
        data = requests.get(document["url"], timeout=30).content
        if document.get("compressionAlgorithm") == "GZIP":
            return gzip.decompress(data)
        return data


def read_report(data):
    """Read a processing report."""
    report = etree.fromstring(data).find("Message/ProcessingReport")
    processed = int(report.findtext("ProcessingSummary/MessagesProcessed"))
    results = {
        int(row.findtext("MessageID")): (
            row.findtext("ResultMessageCode"),
            row.findtext("ResultDescription"),
        )
        for row in report.findall("Result")
    }
    return processed, results


def envelope(messages, feed_type=REFUND, seller_id=SimulatorProcess.SELLER_ID):
    """Return an envelope around the XML of its messages."""
    kind = {REFUND: "OrderAdjustment", CANCEL: "OrderAcknowledgement"}[feed_type]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<AmazonEnvelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        ' xsi:noNamespaceSchemaLocation="amzn-envelope.xsd">'
        "<Header><DocumentVersion>1.01</DocumentVersion>"
        f"<MerchantIdentifier>{seller_id}</MerchantIdentifier></Header>"
        f"<MessageType>{kind}</MessageType>{messages}</AmazonEnvelope>"
    ).encode()


def components(currency="EUR", **amounts):
    """Return the components of a refund."""
    return "".join(
        f"<Component><Type>{kind}</Type>"
        f'<Amount currency="{currency}">{amount}</Amount></Component>'
        for kind, amount in amounts.items()
    )


def refund(order_id, item_id, currency="EUR", adjustment_id="t1", **amounts):
    """Return the payload that refunds amounts of one item."""
    prices = components(currency, **amounts)
    return adjustment(
        order_id,
        f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
        f"<MerchantAdjustmentItemID>{escape(adjustment_id)}</MerchantAdjustmentItemID>"
        "<AdjustmentReason>CustomerReturn</AdjustmentReason>"
        f"<ItemPriceAdjustments>{prices}</ItemPriceAdjustments>",
    )


def adjustment(order_id, *items):
    """Return an OrderAdjustment around the XML of its items."""
    inner = "".join(f"<AdjustedItem>{item}</AdjustedItem>" for item in items)
    return (
        f"<OrderAdjustment><AmazonOrderID>{order_id}</AmazonOrderID>{inner}"
        "</OrderAdjustment>"
    )


def cancel(order_id, *item_ids, reason="BuyerCanceled"):
    """Return the payload that cancels an order."""
    items = "".join(
        f"<Item><AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
        f"<CancelReason>{reason}</CancelReason></Item>"
        for item_id in item_ids
    )
    return (
        f"<OrderAcknowledgement><AmazonOrderID>{order_id}</AmazonOrderID>"
        f"<StatusCode>Failure</StatusCode>{items}</OrderAcknowledgement>"
    )


def cut(order_id, quantities, reason="NoInventory", adjustment_id="c1"):
    """Return the payload that cancels units; `quantities`: {item id: units}."""
    return adjustment(
        order_id,
        *(
            f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
            f"<MerchantAdjustmentItemID>{adjustment_id}</MerchantAdjustmentItemID>"
            f"<AdjustmentReason>{reason}</AdjustmentReason>"
            f"<QuantityCancelled>{quantity}</QuantityCancelled>"
            for item_id, quantity in quantities.items()
        ),
    )


def refund_with_promotions(order_id, item_id, currency, amounts, promotions):
    """Return the payload of a refund that takes promotions back."""
    return adjustment(
        order_id,
        f"<AmazonOrderItemCode>{item_id}</AmazonOrderItemCode>"
        "<AdjustmentReason>CustomerReturn</AdjustmentReason>"
        f"<ItemPriceAdjustments>{components(currency, **amounts)}"
        "</ItemPriceAdjustments>"
        f"<PromotionAdjustments>{components(currency, **promotions)}"
        "</PromotionAdjustments>",
    )


def order_number(order_id, number):
    """Return the payload that tells Amazon the seller's number of an order."""
    return (
        f"<OrderAcknowledgement><AmazonOrderID>{order_id}</AmazonOrderID>"
        f"<MerchantOrderID>{escape(number)}</MerchantOrderID>"
        "<StatusCode>Success</StatusCode></OrderAcknowledgement>"
    )
