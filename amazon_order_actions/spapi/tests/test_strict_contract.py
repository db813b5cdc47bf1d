"""What we send, and the table of operations, against Amazon's own models."""

import json
import re

import pytest
from calls import READS, WRITES, accept_documents
from spapi.operations import OPERATIONS

MODELS = (
    "feeds_2021-06-30",
    "finances_2024-06-19",
    "financesV0",
    "fulfillmentOutbound_2020-07-01",
    "messaging",
    "ordersV0",
    "orders_2026-01-01",
    "sellers",
)


#: cancelOrder as the orders model had it in its commit c5f589c, which was withdrawn.
WITHDRAWN = (
    "PUT",
    "/orders/2026-01-01/orders/{orderId}/cancellation",
    {
        "description": "\n| 1 | 5 |",
        "parameters": [
            {"name": "orderId", "in": "path", "required": True},
            {
                "name": "payload",
                "in": "body",
                "schema": {"$ref": "#/definitions/CancelOrderRequest"},
            },
        ],
        "responses": {"202": {"description": "Accepted"}},
    },
    {
        "CancelOrderRequest": {
            "required": ["cancelReasonCode"],
            "properties": {"cancelReasonCode": {"type": "string"}},
        }
    },
)


@pytest.fixture
def model(contract):
    """Operations of Amazon's models: name -> (method, path, operation, definitions).

    Orders v0 and 2026-01-01 both have some names; that of 2026-01-01 counts.
    """
    found = {"cancelOrder": WITHDRAWN}
    for name in MODELS:
        document = json.loads((contract / f"{name}.json").read_text())
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if method in ("get", "post", "put", "delete", "patch"):
                    found[operation["operationId"]] = (
                        method.upper(),
                        path,
                        operation,
                        document["definitions"],
                    )
    return found


def _parameters(operation, place):
    return {
        parameter["name"]: parameter
        for parameter in operation.get("parameters", [])
        if parameter["in"] == place
    }


def _body_schema(operation, definitions):
    (body,) = _parameters(operation, "body").values()
    return definitions[body["schema"]["$ref"].rsplit("/", 1)[1]]


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_table_of_operations_is_that_of_amazons_models(model, name):
    ours = OPERATIONS[name]
    method, path, theirs, definitions = model[name]
    assert (ours.method, ours.path) == (method, path)
    unused = {"enableContentEncodingUrlHeader"}
    assert ours.query == set(_parameters(theirs, "query")) - unused
    if _parameters(theirs, "body"):
        assert ours.body == set(_body_schema(theirs, definitions)["properties"])
    else:
        assert not ours.body
    (plan,) = re.findall(
        r"^\|\s*([0-9.]+)\s*\|\s*([0-9]+)\s*\|", theirs["description"], re.M
    )
    assert (ours.rate, ours.burst) == (float(plan[0]), int(plan[1]))
    success = [code for code in theirs["responses"] if code.startswith("2")]
    assert ours.answers == any(
        _says_more_than_errors(theirs["responses"][code], definitions)
        for code in success
    )


def _says_more_than_errors(response, definitions):
    if "schema" not in response:
        return False
    answer = definitions[response["schema"]["$ref"].rsplit("/", 1)[1]]
    return set(answer["properties"]) != {"errors"}


def _check_request(request, model):
    (found,) = (
        row
        for row in model.values()
        if row[0] == request.method
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", row[1]), request.path)
    )
    _method, _path, operation, definitions = found
    known = _parameters(operation, "query")
    for name, (value,) in request.query.items():
        _check_parameter(known[name], value)
    for name, parameter in known.items():
        assert not parameter.get("required") or name in request.query
    if _parameters(operation, "body"):
        schema = _body_schema(operation, definitions)
        assert set(request.json) <= set(schema["properties"])
        assert set(schema.get("required", ())) <= set(request.json)
    else:
        assert request.body == b""


def _check_parameter(parameter, value):
    values = value.split(",") if parameter["type"] == "array" else [value]
    kinds = parameter.get("items", parameter)
    for entry in values:
        assert entry
        assert entry in kinds.get("enum", [entry])
        if kinds["type"] == "integer":
            assert int(entry) <= parameter.get("maximum", 10**9)
        if parameter.get("format") == "date-time":
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry)
    assert len(values) <= parameter.get("maxItems", len(values))


def test_every_request_that_we_send_is_one_of_amazons_models(amazon, client, model):
    accept_documents(amazon)
    for call, method, path, good in [*READS.values(), *WRITES.values()]:
        amazon.script(method, path, good)
        call(client)
    client.prepare_feed(b"<x/>")
    client.read_report("amzn1.tortuga.4.eu.doc")
    requests = [
        request
        for request in amazon.calls()
        if not request.path.startswith("/documents/")
    ]
    assert len(requests) == len(OPERATIONS)
    for request in requests:
        _check_request(request, model)
