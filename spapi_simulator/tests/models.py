"""Amazon's models (Swagger 2.0) as JSON schemas."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "contract"
FILES = {
    "searchOrders": "orders_2026-01-01.json",
    "getOrder": "orders_2026-01-01.json",
    "createFeedDocument": "feeds_2021-06-30.json",
    "createFeed": "feeds_2021-06-30.json",
    "getFeed": "feeds_2021-06-30.json",
    "getFeeds": "feeds_2021-06-30.json",
    "cancelFeed": "feeds_2021-06-30.json",
    "getFeedDocument": "feeds_2021-06-30.json",
    "listFinancialEventsByOrderId": "financesV0.json",
    "listTransactions": "finances_2024-06-19.json",
    "getMarketplaceParticipations": "sellers.json",
    "confirmShipment": "ordersV0.json",
    "getFulfillmentOrder": "fulfillmentOutbound_2020-07-01.json",
    "updateFulfillmentOrder": "fulfillmentOutbound_2020-07-01.json",
    "cancelFulfillmentOrder": "fulfillmentOutbound_2020-07-01.json",
    "getMessagingActionsForOrder": "messaging.json",
    "GetAttributes": "messaging.json",
    "confirmCustomizationDetails": "messaging.json",
    "createConfirmDeliveryDetails": "messaging.json",
    "createConfirmOrderDetails": "messaging.json",
    "createConfirmServiceDetails": "messaging.json",
    "createUnexpectedProblem": "messaging.json",
}

needs_models = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"Amazon's models are not present in {FOLDER}"
)

_formats = FormatChecker(formats=[])


@_formats.checks("date-time")
def _is_date_time(value):
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(value, str) or bool(re.fullmatch(pattern, value))


@cache
def load(file_name):
    """Return a model whose objects allow declared properties only."""
    model = json.loads((FOLDER / file_name).read_text(encoding="utf-8"))
    definitions = model["definitions"]
    combined = {
        part["$ref"].split("/")[-1]
        for schema in definitions.values()
        for part in schema.get("allOf", ())
        if "$ref" in part
    }
    for name, schema in definitions.items():
        if "allOf" in schema:
            schema["unevaluatedProperties"] = False
        elif "properties" in schema and name not in combined:
            schema["additionalProperties"] = False
    return model


def operation(name):
    """Return (path, method, operation object) of an operation."""
    for path, methods in load(FILES[name])["paths"].items():
        for method, data in methods.items():
            if isinstance(data, dict) and data.get("operationId") == name:
                return path, method.upper(), data
    raise LookupError(name)


def definition(file_name, name):
    """Return a definition of a model, with those that it refers to."""
    definitions = load(file_name)["definitions"]
    return definitions[name] | {"definitions": definitions}


def check_answer(name, response):
    """Check status, headers and body of an answer against the operation's model."""
    answers = operation(name)[2]["responses"]
    status = str(response.status_code)
    assert status in answers, f"{name} never answers {status}"
    assert response.headers["x-amzn-RequestId"]
    schema = answers[status].get("schema")
    if status == "204":
        assert response.content == b""
        return
    if schema is None:
        assert response.json() == {}
        return
    definitions = load(FILES[name])["definitions"]
    validator = Draft202012Validator(
        schema | {"definitions": definitions}, format_checker=_formats
    )
    errors = [error.message for error in validator.iter_errors(response.json())]
    assert not errors, f"{name} {status}: {errors}"
