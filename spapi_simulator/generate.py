"""Makes any number of orders, shaped as in the orders file, for measurements."""

import random

from .orders import PARTIALLY_SHIPPED, PENDING, SHIPPED, STATUSES

_PRODUCTS = (
    ("NW-KESSEL", "Wasserkessel Edelstahl", 3995),
    ("NW-LEUCHTE", "Tischleuchte Eiche", 5490),
    ("NW-LED-E27", "LED-Leuchtmittel E27", 1199),
    ("NW-DECKE", "Wolldecke", 7900),
    ("NW-BECHER", "Becher Steinzeug", 1450),
)
_SHIPPING = (0, 0, 299, 499)  # in cents
_QUANTITIES = (1, 1, 1, 2, 3)
_ITEMS_OF_AN_ORDER = (1, 1, 1, 2, 3)


def orders(count, seed=0, status=SHIPPED, marketplaces=("DE",), **common):
    """Make orders that differ in items, amounts, discounts and shipping.

    The same arguments give the same orders. Orders of another seed (of 10,000) or
    status have other numbers, so that both can be loaded.

    :param int count: how many, up to ten millions
    :param int seed: of the choices
    :param str status: one of `orders.STATUSES`
    :param marketplaces: country codes, taken in turn
    :param common: other keys of the orders file, the same for each order, e.g.
        `seller`, `vat_rate`, `deferral`
    :return: list of dicts for `SimulatorProcess.add_orders`
    """
    chance = random.Random(f"{seed} {status}")
    first = f"{700 + STATUSES.index(status)}-{seed % 10_000:04d}"
    return [
        _order(
            chance,
            f"{first}{number // 10_000:03d}-{number:07d}",
            status,
            marketplaces[number % len(marketplaces)],
        )
        | common
        for number in range(count)
    ]


def fulfillment_orders(count, seed=0, status="planning", marketplace="DE", **common):
    """Make fulfillment orders (Multi-Channel Fulfillment), see `orders`.

    :param str status: as in the orders file
    :param common: other keys of the orders file, the same for each order
    :return: list of dicts for `SimulatorProcess.add_fulfillment_orders`
    """
    chance = random.Random(f"{seed} {status}")
    return [
        _fulfillment_order(chance, f"GEN{seed}-{number:07d}", status, marketplace)
        | common
        for number in range(count)
    ]


def _fulfillment_order(chance, order_id, status, marketplace):
    return {
        "id": order_id,
        "marketplace": marketplace,
        "status": status,
        "received": f"{chance.randint(1, 47)} hours ago",
        "address": {
            "name": "Erika Beispiel",
            "addressLine1": f"Musterweg {chance.randint(1, 99)}",
            "city": "Hamburg",
            "postalCode": "20095",
            "countryCode": "DE",
        },
        "items": [
            {
                "id": f"{order_id}-{position}",
                "sku": f"{chance.choice(_PRODUCTS)[0]}-FBA",
                "quantity": chance.choice(_QUANTITIES),
            }
            for position in range(1, chance.choice(_ITEMS_OF_AN_ORDER) + 1)
        ],
    }


def _order(chance, order_id, status, marketplace):
    order = {
        "id": order_id,
        "marketplace": marketplace,
        "status": status.lower(),
        "purchased": f"{chance.randint(3, 47)} hours ago",
        "items": [
            _item(chance, order_id, position, status, marketplace)
            for position in range(1, chance.choice(_ITEMS_OF_AN_ORDER) + 1)
        ],
    }
    if status in (SHIPPED, PARTIALLY_SHIPPED):
        order["purchased"] = f"{chance.randint(3, 25)} days ago"
        order["shipped"] = f"{chance.randint(3, 70)} hours ago"
    return order


def _item(chance, order_id, position, status, marketplace):
    sku, title, cents = chance.choice(_PRODUCTS)
    quantity = chance.choice(_QUANTITIES)
    price = (cents + chance.randrange(0, 500)) * quantity
    shipping = chance.choice(_SHIPPING)
    item = {
        "id": f"2{order_id[2]}{order_id[4:8]}{order_id[12:]}{position:02d}",
        "sku": f"{sku}-{chance.randrange(100):02d}",
        "asin": f"B0{chance.randrange(10**8):08d}",
        "title": title,
        "quantity": quantity,
        "price": _amount(price, marketplace),
    }
    if shipping:
        item["shipping"] = _amount(shipping, marketplace)
    if chance.random() < 0.1:
        item["gift_wrap"] = _amount(350, marketplace)
    if chance.random() < 0.2:
        item["discount"] = {"item": _amount(price // 10, marketplace)}
        item["promotion"] = "HERBST10"
    if marketplace == "US":
        item["tax"] = {"item": _amount(price // 12, marketplace)}
    if status == PARTIALLY_SHIPPED:
        item["quantity_shipped"] = quantity if position == 1 else 0
    if status == PENDING:
        item.pop("promotion", None)
    return item


def _amount(cents, marketplace):
    return str(cents) if marketplace == "JP" else f"{cents // 100}.{cents % 100:02d}"
