"""confirmShipment of Orders v0: units of an order are shipped, the buyer is charged.

Where public reports show Amazon's words for a refusal they are used; the others say
what is wrong in words of our own.
"""

from datetime import timedelta

from .bodies import Keys, Many, Moment, Text, Whole
from .clock import iso
from .errors import invalid_input, not_found
from .orders import CANCELLED, ORDER_ID, PENDING, SHIPPED, Package, decimal_text

# Names that sellers use as `carrierCode`, in any case. Amazon's own list is longer and
# differs by marketplace; anything else here needs `Other` and a `carrierName`.
_CARRIERS = """
    4PX; AFL/Fedex; Amazon Shipping; AMZL; An Post; APC Overnight; Aramex; Asendia;
    Australia Post; Bartolini; Bluedart; bpost; BRT; Canada Post; Canpar; Celeritas;
    China Post; Chronopost; Chukou1; City Link; CNE Express; Coliposte; Colis Prive;
    Colissimo; Correos; Correos Express; Couriers Please; CTTExpress; Delhivery;
    Deutsche Post; DHL; DHL eCommerce; DHL Express; DHL Freight; DHL Global Mail;
    DHL Home Delivery; DHL Kargo; DHL Paket; DHLPL; DPD; DPD Local; DSV; DTDC; DX;
    Emirates Post; Envialia; Estafeta; Estes; Evri; Fastway; FedEx; FedEx Freight;
    FedEx SmartPost; FedEx_JP; First Flight; GEODIS; GLS; GO!; Hermes;
    Hermes Einrichtungsservice; Hermes Logistik Gruppe; Hermes UK; Hongkong Post;
    India Post; InPost; Interlink; iParcel; Japan Post; JapanPost; JP_EXPRESS; La Poste;
    Landmark; LaserShip; Lettre suivie; Loomis; Milkman; Mondial Relay; MRW; Nacex;
    Newgistics; Nexive; Ninja Van; NipponExpress; NITTSU; Old Dominion; OnTrac;
    One World Express; OSM; Palletways; Parcel2go; Parcelforce; Parcelnet; PIN Mail AG;
    Poczta Polska; Polish Post; Poste Italiane; Post NL; PostNL; PostNord; PTT Kargo;
    Purolator; Rhenus; Rieck; Royal Mail; Sagawa; SagawaExpress; Saia; SDA; SEINO;
    SEINO TRANSPORTATION; Self Delivery; Sending; SEUR; SF Express; SFC; Singpost;
    Smart Delivery; Spring GDS; StarTrack; Sunyou; Swiss Post; TForce; Tipsa;
    TNT; Toll Global Express; trans-o-flex; Tuffnells; UBI; UK MAIL; UPS; UPS Freight;
    UPS Mail Innovations; UPSMI; Urban Express; USPS; WanbExpress; Whistl; WINIT; XDP;
    Xpressbees; XPO; Yamato Transport; YamatoTransport; Yanwen; Yellow Freight; Yodel;
    Yun Express; YunExpress; Yurtici Kargo; YTO; ZTO
"""
CARRIERS = frozenset(" ".join(name.split()).casefold() for name in _CARRIERS.split(";"))
OTHER = "Other"
# How far ahead of Amazon's clock a shipping date may be.
MAX_AHEAD = timedelta(days=1)

BODY = Keys(
    required={
        "marketplaceId": Text(),
        "packageDetail": Keys(
            required={
                "packageReferenceId": Text(),
                "carrierCode": Text(),
                "trackingNumber": Text(),
                "shipDate": Moment(),
                "orderItems": Many(
                    Keys(
                        required={"orderItemId": Text(), "quantity": Whole()},
                        optional={"transparencyCodes": Many(Text())},
                    ),
                    least=1,
                ),
            },
            optional={
                "carrierName": Text(),
                "shippingMethod": Text(),
                "shipFromSupplySourceId": Text(),
            },
        ),
    },
    optional={"codCollectionMethod": Text(choices=("DirectPayment",))},
)


def confirm_shipment(simulator, call):
    """Answer confirmShipment.

    A package that is known by its reference, with the same units of the same items, is
    changed (carrier, tracking, date); it charges nobody again.
    """
    order = _order(simulator, call)
    body = call.read_body(BODY)
    detail = body["packageDetail"]
    _check_request(order, body, simulator.clock.now())
    quantities = _quantities(order, detail["orderItems"])
    known = order.package(detail["packageReferenceId"])
    if known and known.items != quantities:
        raise invalid_input(
            f"PackageReferenceId: {known.reference_id} is already used for a package"
            " with other items of this order."
        )
    now = simulator.clock.now()
    amount = None
    if not known:
        _check_open(order, quantities)
        amount = order.ship(quantities, now, simulator.finance_delay)
        known = Package(detail["packageReferenceId"], "", "", now, now, quantities)
        order.packages.append(known)
    _describe(known, detail)
    order.updated = now
    _write_row(simulator, call, order, body, amount)
    return 204, None


def _order(simulator, call):
    order_id = call.path["orderId"]
    if not ORDER_ID.match(order_id):
        raise invalid_input(
            f"OrderId: {order_id} is invalid, should be in 3-7-7 format."
        )
    order = simulator.orders.get((call.seller.seller_id, order_id))
    if order is None or order.channel == "MCF":
        raise not_found(f"Order {order_id} not found.")
    return order


def _check_request(order, body, now):
    detail = body["packageDetail"]
    reference = detail["packageReferenceId"]
    if not (reference.isascii() and reference.isdigit() and int(reference)):
        # Amazon's words, quoted in jlevers/selling-partner-api#489.
        raise invalid_input(
            "PackageReferenceId: is invalid, must be a positive numeric value."
        )
    if body["marketplaceId"] != order.marketplace.id:
        raise invalid_input("MarketplaceId: is not the marketplace of the order.")
    if "codCollectionMethod" in body and order.marketplace.country != "JP":
        raise invalid_input("CodCollectionMethod: is only supported in JP.")
    code = detail["carrierCode"]
    if code == OTHER and "carrierName" not in detail:
        raise invalid_input("CarrierName: is required when the carrierCode is Other.")
    if code != OTHER and code.casefold() not in CARRIERS:
        raise invalid_input(f"CarrierCode: {code} is not a carrier code.")
    if not order.created <= detail["shipDate"] <= now + MAX_AHEAD:
        raise invalid_input(
            "ShipDate: must not be before the purchase, nor in the future."
        )


def _quantities(order, rows):
    quantities = {}
    for row in rows:
        item_id = row["orderItemId"]
        if order.item(item_id) is None:
            raise invalid_input(f"OrderItemId: {item_id} is not in the order.")
        quantities[item_id] = quantities.get(item_id, 0) + row["quantity"]
    return quantities


def _check_open(order, quantities):
    if order.channel != "FBM":
        raise invalid_input("Orders fulfilled by Amazon are shipped by Amazon.")
    if order.status == PENDING:
        raise invalid_input("The order is Pending: it must not be shipped yet.")
    if order.status == CANCELLED:
        raise invalid_input("The order is cancelled.")
    if order.status == SHIPPED:
        # Amazon's words, quoted in selling-partner-api-models#5037.
        raise invalid_input(
            "Failed to create package due to not finding a matching package or order"
            " already fulfilled. ErrorMessage(errorCode=GeneralError,"
            " errorDescription=Unable to find package to update for order (),"
            " errorMetric=PackageToUpdateNotFound, packageIndex=null)"
        )
    for item_id, quantity in quantities.items():
        left = order.item(item_id).quantity_open
        if quantity > left:
            raise invalid_input(
                f"Quantity: {quantity} of order item {item_id} is larger than could be"
                f" fulfilled ({left}). Take into account the units that are already"
                " cancelled or fulfilled."
            )


def _describe(package, detail):
    package.carrier = detail.get("carrierName") or detail["carrierCode"]
    package.tracking_number = detail["trackingNumber"]
    package.ship_time = detail["shipDate"]
    package.shipping_service = detail.get("shippingMethod")


def _write_row(simulator, call, order, body, amount):
    detail = body["packageDetail"]
    row = {
        "order_id": order.id,
        "package_reference_id": detail["packageReferenceId"],
        "carrier_code": detail["carrierCode"],
        "carrier_name": detail.get("carrierName"),
        "shipping_method": detail.get("shippingMethod"),
        "tracking_number": detail["trackingNumber"],
        "ship_date": iso(detail["shipDate"]),
        "items": _quantities(order, detail["orderItems"]),
        "cod_collection_method": body.get("codCollectionMethod"),
        "update": amount is None,
        "amount": None if amount is None else decimal_text(amount, order.currency),
    }
    simulator.ledger.shipments.append(row | call.trace(simulator))
