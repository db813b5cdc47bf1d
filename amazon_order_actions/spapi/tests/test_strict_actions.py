"""The writes besides feeds: what they send, and what is known after them."""

import json

import pytest
from calls import (
    CANCELLATION,
    DE,
    FULFILLMENT_ORDER,
    MESSAGING,
    ORDER_ID,
    PACKAGE,
    READS,
    SHIPMENT,
    WRITES,
)
from fake_amazon import LATE, Answer, error, html, token
from spapi.enums import CANCEL_ORDER_REASONS, MESSAGE_LIMITS
from spapi.errors import MalformedAnswer, OutcomeUnknown, Refused, Throttled
from spapi.operations import MESSAGE_OPERATIONS, OPERATIONS

#: Writes that give the id of their request.
ACTIONS = {
    name: row
    for name, row in WRITES.items()
    if name not in ("createFeed", "cancelFeed")
}

TEXT = "Guten Tag, Ihr Artikel " + "ist leider zerbrochen."  # in no line of a traceback
ADDRESS = {
    "name": "Erika " + "Mustermann",
    "addressLine1": "Heidestr. 17",
    "city": "Köln",
    "postalCode": "51147",
    "countryCode": "DE",
}


# === WHAT IS SENT === #


def test_a_cancellation_names_the_order_and_the_reason(amazon, client):
    amazon.script("PUT", CANCELLATION, Answer(202))
    for reason in CANCEL_ORDER_REASONS:
        client.cancel_order(ORDER_ID, reason)
    assert [request.json for request in amazon.calls()] == [
        {"cancelReasonCode": reason} for reason in CANCEL_ORDER_REASONS
    ]
    assert not any(request.query for request in amazon.calls())


@pytest.mark.parametrize("method", [None, "DirectPayment"])
def test_a_shipment_is_confirmed_with_its_package(amazon, client, method):
    amazon.script("POST", SHIPMENT, Answer(204))
    client.confirm_shipment(ORDER_ID, DE, PACKAGE, method)
    (request,) = amazon.calls()
    expected = {"marketplaceId": DE, "packageDetail": PACKAGE}
    if method:
        expected["codCollectionMethod"] = method
    assert (request.json, request.query) == (expected, {})


def test_an_update_of_a_fulfillment_order_sends_what_changes(amazon, client):
    amazon.script("PUT", FULFILLMENT_ORDER, Answer(200, {}))
    body = {
        "displayableOrderComment": "Danke!",
        "destinationAddress": ADDRESS,
        "fulfillmentAction": "Hold",
        "items": [{"sellerFulfillmentOrderItemId": "1", "quantity": 2}],
    }
    client.update_fulfillment_order("WEB-1001", body)
    (request,) = amazon.calls()
    assert (request.json, request.query) == (body, {})


def test_the_cancellation_of_a_fulfillment_order_has_no_body(amazon, client):
    amazon.script("PUT", f"{FULFILLMENT_ORDER}/cancel", Answer(200, {}))
    client.cancel_fulfillment_order("WEB-1001")
    (request,) = amazon.calls()
    assert (request.body, request.query) == (b"", {})


def test_the_sellers_own_id_of_a_fulfillment_order_is_quoted(amazon, client):
    for call in (client.get_fulfillment_order, client.cancel_fulfillment_order):
        with pytest.raises(Refused):
            call("WEB/10 01#?")
    targets = [request.target for request in amazon.calls()]
    assert all("/fulfillmentOrders/WEB%2F10%2001%23%3F" in each for each in targets)
    assert len(targets) == 2


@pytest.mark.parametrize("message_type", MESSAGE_LIMITS)
def test_a_message_has_its_text_and_the_marketplace_of_the_order(
    amazon, client, message_type
):
    path = f"{MESSAGING}/messages/{message_type}"
    amazon.script("POST", path, Answer(201, {}))
    text = "ü" * MESSAGE_LIMITS[message_type]
    client.send_message(ORDER_ID, DE, message_type, text)
    (request,) = amazon.calls()
    assert request.json == {"text": text}
    assert request.query == {"marketplaceIds": [DE]}


def test_messages_have_the_limits_of_amazons_model(contract):
    model = json.loads((contract / "messaging.json").read_text())
    definitions = model["definitions"]
    assert set(MESSAGE_OPERATIONS) == set(MESSAGE_LIMITS)
    for message_type, limit in MESSAGE_LIMITS.items():
        path = "/messaging/v1/orders/{amazonOrderId}/messages/" + message_type
        operation = model["paths"][path]["post"]
        assert operation["operationId"] == MESSAGE_OPERATIONS[message_type]
        (schema,) = (
            parameter["schema"]["$ref"].rsplit("/", 1)[1]
            for parameter in operation["parameters"]
            if parameter["in"] == "body"
        )
        assert definitions[schema]["properties"]["text"]["maxLength"] == limit


def test_answers_are_accepted_in_the_form_of_each_model(amazon, client):
    amazon.script("GET", MESSAGING, READS["getMessagingActionsForOrder"][3])
    client.get_messaging_actions(ORDER_ID, DE)
    (request,) = amazon.calls()
    assert "application/hal+json" in request.headers["accept"]
    assert "application/json" in request.headers["accept"]


# === WHAT IS READ === #


def test_the_messages_that_an_order_allows_are_named(amazon, client):
    actions = [
        {"href": "/x", "name": "unexpectedProblem"},
        {"href": "/nameless"},
        {"href": "/y", "name": "negativeFeedbackRemoval"},
    ]
    amazon.script("GET", MESSAGING, Answer(200, {"_links": {"actions": actions}}))
    assert client.get_messaging_actions(ORDER_ID, DE) == [
        "unexpectedProblem",
        "negativeFeedbackRemoval",
    ]


@pytest.mark.parametrize(
    "answer",
    [{}, {"_links": {}}, {"_links": {"actions": {}}}, {"_links": {"actions": ["x"]}}]
    + [{"_links": {"actions": [{"name": 1}]}}],
)
def test_an_answer_without_the_list_of_messages_is_malformed(amazon, client, answer):
    amazon.script("GET", MESSAGING, Answer(200, answer))
    with pytest.raises(MalformedAnswer):
        client.get_messaging_actions(ORDER_ID, DE)


@pytest.mark.parametrize(
    ("answer", "locale"),
    [({"buyer": {"locale": "fr-FR"}}, "fr-FR"), ({"buyer": {}}, ""), ({}, "")],
)
def test_the_language_of_the_buyer_may_be_unknown(amazon, client, answer, locale):
    amazon.script("GET", f"{MESSAGING}/attributes", Answer(200, answer))
    assert client.get_buyer_locale(ORDER_ID, DE) == locale


@pytest.mark.parametrize("buyer", ["x", [], {"locale": 1}])
def test_a_language_that_is_none_is_malformed(amazon, client, buyer):
    amazon.script("GET", f"{MESSAGING}/attributes", Answer(200, {"buyer": buyer}))
    with pytest.raises(MalformedAnswer):
        client.get_buyer_locale(ORDER_ID, DE)


def test_a_fulfillment_order_is_given_as_amazon_sends_it(amazon, client):
    payload = {"fulfillmentOrder": {"sellerFulfillmentOrderId": "WEB-1001"}}
    amazon.script("GET", FULFILLMENT_ORDER, Answer(200, {"payload": payload}))
    assert client.get_fulfillment_order("WEB-1001") == payload


# === WHAT IS KNOWN AFTERWARDS === #


@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_gives_amazons_id_of_its_request(amazon, client, name):
    call, method, path, good = ACTIONS[name]
    named = Answer(good.status, good.body, {"x-amzn-RequestId": "r-1"})
    amazon.script(method, path, named, good)
    assert call(client) == "r-1"
    assert call(client) == ""


UNKNOWN_ENDINGS = {
    "500": error(500, "InternalFailure"),
    "503 html": html(503),
    "cut": Answer(fault="cut"),
    "reset": Answer(fault="reset"),
    "read timeout": LATE,
    "redirect": Answer(302, "", {"Location": "/elsewhere"}),
    "request timeout": Answer(408),
    "success of a stranger": Answer(200, "<html>Please log in</html>"),
    "success with a list": Answer(200, []),
    "success with errors": error(200, "InternalFailure"),
}


@pytest.mark.parametrize("ending", UNKNOWN_ENDINGS)
@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_is_sent_once_and_its_outcome_unknown_after(
    amazon, hasty_client, name, ending
):
    call, method, path, _good = ACTIONS[name]
    amazon.script(method, path, UNKNOWN_ENDINGS[ending])
    with pytest.raises(OutcomeUnknown) as caught:
        call(hasty_client)
    assert caught.value.operation == name
    assert len(amazon.calls()) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("name", ACTIONS)
def test_a_success_needs_no_body(amazon, client, name, status):
    call, method, path, _good = ACTIONS[name]
    amazon.script(method, path, Answer(status))
    assert call(client) == ""


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_that_amazon_refuses_is_over(amazon, client, name, status):
    call, method, path, _good = ACTIONS[name]
    amazon.script(method, path, error(status, "InvalidInput", "No."))
    with pytest.raises(Refused, match="No.") as caught:
        call(client)
    assert (caught.value.http_status, caught.value.code) == (status, "InvalidInput")
    assert not caught.value.may_be_repeated
    assert len(amazon.calls()) == 1


@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_is_not_repeated_when_its_token_is_refused(amazon, client, name):
    call, method, path, good = ACTIONS[name]
    amazon.script("POST", "/auth/o2/token", token("Atza|old"), token("Atza|new"))
    expired = error(403, "Unauthorized", "Denied.", "The access token has expired.")
    amazon.script(method, path, expired, good)
    with pytest.raises(Refused) as caught:
        call(client)
    assert caught.value.may_be_repeated
    assert len(amazon.calls()) == 1
    call(client)
    assert amazon.calls()[-1].headers["x-amz-access-token"] == "Atza|new"


@pytest.mark.parametrize("name", ACTIONS)
def test_a_write_that_amazon_throttles_tells_how_long_to_wait(amazon, client, name):
    call, method, path, _good = ACTIONS[name]
    amazon.script(method, path, error(429, "QuotaExceeded"))
    with pytest.raises(Throttled) as caught:
        call(client)
    assert caught.value.wait == max(1 / OPERATIONS[name].rate, 1)
    assert len(amazon.calls()) == 1


# === WHAT COSTS NO REQUEST === #


@pytest.mark.parametrize("order_id", ["", None, "123", "../x", f"{ORDER_ID} "])
def test_what_is_no_order_number_costs_no_request(amazon, client, order_id):
    for call in (
        lambda: client.cancel_order(order_id, "NO_INVENTORY"),
        lambda: client.confirm_shipment(order_id, DE, PACKAGE),
        lambda: client.send_message(order_id, DE, "unexpectedProblem", TEXT),
        lambda: client.get_messaging_actions(order_id, DE),
        lambda: client.get_buyer_locale(order_id, DE),
    ):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code == "InvalidInput"
    assert not amazon.requests


@pytest.mark.parametrize("missing", ["", None, ".", 7])
def test_without_a_marketplace_or_an_id_nothing_is_sent(amazon, client, missing):
    for call in (
        lambda: client.confirm_shipment(ORDER_ID, missing, PACKAGE),
        lambda: client.send_message(ORDER_ID, missing, "unexpectedProblem", TEXT),
        lambda: client.get_messaging_actions(ORDER_ID, missing),
        lambda: client.get_buyer_locale(ORDER_ID, missing),
        lambda: client.get_fulfillment_order(missing),
        lambda: client.cancel_fulfillment_order(missing),
        lambda: client.update_fulfillment_order(missing, {"fulfillmentAction": "Ship"}),
    ):
        with pytest.raises(Refused):
            call()
    assert not amazon.requests


@pytest.mark.parametrize("reason", ["", None, "BuyerCanceled", "no_inventory", []])
def test_a_reason_of_another_operation_is_refused(amazon, client, reason):
    with pytest.raises(Refused, match="cancel reason"):
        client.cancel_order(ORDER_ID, reason)
    assert not amazon.requests


def test_a_way_of_collection_that_amazon_does_not_know_is_refused(amazon, client):
    with pytest.raises(Refused, match="DirectPayment"):
        client.confirm_shipment(ORDER_ID, DE, PACKAGE, "Cash")
    assert not amazon.requests


BAD_MESSAGES = {
    "another type": ("legalDisclosure", TEXT),
    "no type": (None, TEXT),
    "a path": ("../confirmOrderDetails", TEXT),
    "no text": ("unexpectedProblem", ""),
    "blank": ("unexpectedProblem", " \n"),
    "bytes": ("unexpectedProblem", b"x"),
    "nothing": ("unexpectedProblem", None),
    "too long": ("unexpectedProblem", TEXT + "x" * 2000),
    "too long for its type": ("confirmCustomizationDetails", TEXT + "x" * 800),
}


@pytest.mark.parametrize("problem", BAD_MESSAGES)
def test_a_message_that_cannot_be_sent_costs_no_request(amazon, client, problem):
    with pytest.raises(Refused) as caught:
        client.send_message(ORDER_ID, DE, *BAD_MESSAGES[problem])
    assert caught.value.code == "InvalidInput"
    assert TEXT not in str(caught.value) + repr(caught.value)
    assert not amazon.requests


def _package(**changes):
    return {**PACKAGE, **changes}


BAD_PACKAGES = {
    "none": (None, "packageDetail"),
    "empty": ({}, "packageDetail"),
    "stray key": (_package(carrier="DHL"), "'carrier'"),
    "reference not numeric": (_package(packageReferenceId="P1"), "packageReferenceId"),
    "reference zero": (_package(packageReferenceId="0"), "packageReferenceId"),
    "reference a number": (_package(packageReferenceId=1), "packageReferenceId"),
    "no carrier": (_package(carrierCode=" "), "carrierCode"),
    "other carrier without a name": (_package(carrierCode="Other"), "carrierName"),
    "no date": (_package(shipDate="21.11.2026"), "shipDate"),
    "date without a zone": (_package(shipDate="2026-11-21T10:00:00"), "shipDate"),
    "no items": (_package(orderItems=[]), "orderItems"),
    "item without quantity": (_package(orderItems=[{"orderItemId": "1"}]), "quantity"),
    "item twice": (_package(orderItems=PACKAGE["orderItems"] * 2), "twice"),
    **{
        f"quantity {quantity!r}": (
            _package(orderItems=[{"orderItemId": "1", "quantity": quantity}]),
            "quantity",
        )
        for quantity in (0, -1, True, 1.0, "1", None)
    },
    **{
        f"without {key}": (
            {name: value for name, value in PACKAGE.items() if name != key},
            key,
        )
        for key in PACKAGE
    },
}


@pytest.mark.parametrize("problem", BAD_PACKAGES)
def test_a_package_that_cannot_be_right_costs_no_request(amazon, client, problem):
    package, named = BAD_PACKAGES[problem]
    with pytest.raises(Refused, match=named) as caught:
        client.confirm_shipment(ORDER_ID, DE, package)
    assert caught.value.message.endswith(".")
    assert not amazon.requests


@pytest.mark.parametrize(
    "changes",
    [
        {"carrierCode": "Other", "carrierName": "Radkurier"},
        {"shippingMethod": "Paket", "shipFromSupplySourceId": "s-1"},
        {"shipDate": "2026-11-21T10:00:00.123+01:00"},
        {
            "orderItems": [
                {"orderItemId": "1", "quantity": 1, "transparencyCodes": ["AZ:1"]},
                {"orderItemId": "2", "quantity": 3},
            ]
        },
    ],
)
def test_a_package_may_have_all_that_the_model_has(amazon, client, changes):
    amazon.script("POST", SHIPMENT, Answer(204))
    client.confirm_shipment(ORDER_ID, DE, _package(**changes))
    assert amazon.calls()[0].json["packageDetail"] == _package(**changes)


BAD_UPDATES = {
    "none": (None, "update"),
    "empty": ({}, "update"),
    "stray key": ({"shippingAddress": ADDRESS}, "'shippingAddress'"),
    "stray key of the address": (
        {"destinationAddress": {**ADDRESS, "zip": "1"}},
        "'zip'",
    ),
    "address without a name": (
        {"destinationAddress": {**ADDRESS, "name": ""}},
        "name",
    ),
    "half an address": ({"destinationAddress": {"city": "Köln"}}, "lacks"),
    "country in words": (
        {"destinationAddress": {**ADDRESS, "countryCode": "Germany"}},
        "countryCode",
    ),
    "action": ({"fulfillmentAction": "SHIP"}, "Ship, Hold"),
    "speed": ({"shippingSpeedCategory": "Fast"}, "Standard"),
    "policy": ({"fulfillmentPolicy": "All"}, "FillOrKill"),
    "long comment": ({"displayableOrderComment": "x" * 751}, "750"),
    "long order id": ({"displayableOrderId": "x" * 41}, "40"),
    "date": ({"displayableOrderDate": "today"}, "displayableOrderDate"),
    "mail": ({"notificationEmails": ["x" * 65]}, "64"),
    "no items": ({"items": []}, "items"),
    "stray key of an item": (
        {"items": [{"sellerFulfillmentOrderItemId": "1", "quantity": 1, "sku": "x"}]},
        "'sku'",
    ),
    "item without an id": ({"items": [{"quantity": 1}]}, "lacks"),
    "item with no unit": (
        {"items": [{"sellerFulfillmentOrderItemId": "1", "quantity": 0}]},
        "quantity",
    ),
    "item with half a unit": (
        {"items": [{"sellerFulfillmentOrderItemId": "1", "quantity": 0.5}]},
        "quantity",
    ),
    "null": ({"fulfillmentAction": None}, "fulfillmentAction"),
}


@pytest.mark.parametrize("problem", BAD_UPDATES)
def test_an_update_that_cannot_be_right_costs_no_request(amazon, client, problem):
    body, named = BAD_UPDATES[problem]
    with pytest.raises(Refused, match=named) as caught:
        client.update_fulfillment_order("WEB-1001", body)
    assert caught.value.code == "InvalidInput"
    said = str(caught.value) + repr(caught.value)
    assert not any(part in said for part in ADDRESS.values() if len(part) > 2)
    assert not amazon.requests


def test_parts_of_an_address_may_be_emptied(amazon, client):
    amazon.script("PUT", FULFILLMENT_ORDER, Answer(200, {}))
    body = {"destinationAddress": {**ADDRESS, "addressLine2": "", "phone": ""}}
    client.update_fulfillment_order("WEB-1001", body)
    assert amazon.calls()[0].json == body


# === WHAT THE MODELS KNOW === #


def _shape(definitions, name):
    """The keys of a definition, with those of the objects within it."""
    node = definitions[name]
    node = node.get("items", node)
    if "$ref" in node:
        return _shape(definitions, node["$ref"].rsplit("/", 1)[1])
    found = {}
    for key, part in node.get("properties", {}).items():
        reference = part.get("$ref") or part.get("items", {}).get("$ref")
        inner = _shape(definitions, reference.rsplit("/", 1)[1]) if reference else {}
        found[key] = (key in node.get("required", ()), inner)
    return found


def _ours(check):
    """The same of our table."""
    check = getattr(check, "entry", check)
    keys = getattr(check, "keys", {})
    return {key: (key in check.required, _ours(part)) for key, part in keys.items()}


@pytest.mark.parametrize(
    ("model", "definition", "table"),
    [
        ("ordersV0", "PackageDetail", "_PACKAGE"),
        (
            "fulfillmentOutbound_2020-07-01",
            "UpdateFulfillmentOrderRequest",
            "_UPDATE",
        ),
    ],
)
def test_bodies_have_the_keys_of_amazons_models(contract, model, definition, table):
    import spapi.bodies

    definitions = json.loads((contract / f"{model}.json").read_text())["definitions"]
    assert _ours(getattr(spapi.bodies, table)) == _shape(definitions, definition)


# === WHAT IS SAID === #


@pytest.mark.parametrize(
    "ending", [html(503), Answer(fault="cut"), error(400, "x"), LATE]
)
def test_no_text_and_no_address_gets_into_an_error_or_a_log(
    amazon, hasty_client, caplog, ending
):
    caplog.set_level("DEBUG")
    problem = f"{MESSAGING}/messages/unexpectedProblem"
    amazon.script("POST", problem, ending)
    amazon.script("PUT", FULFILLMENT_ORDER, ending)
    said = []
    for call in (
        lambda: hasty_client.send_message(ORDER_ID, DE, "unexpectedProblem", TEXT),
        lambda: hasty_client.update_fulfillment_order(
            "WEB-1001", {"destinationAddress": ADDRESS}
        ),
    ):
        with pytest.raises((OutcomeUnknown, Refused)) as caught:
            call()
        said += [str(caught.value), repr(vars(caught.value))]
    said = "".join(said) + caplog.text
    assert TEXT not in said
    assert ADDRESS["name"] not in said and ADDRESS["addressLine1"] not in said
