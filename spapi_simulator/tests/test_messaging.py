"""Messaging v1: what an order allows, what a text may hold, what was sent."""

import pytest
import requests

from ..messaging import MAX_LENGTH
from ..operations import MESSAGE_OPERATIONS
from . import models
from .amazon import DE, FR, JP, SHIPPED, UNSHIPPED, Amazon

TEXT = "Ihr Paket wurde beschädigt, wir erstatten den Betrag. Nordlicht Wohnen"


def test_actions_follow_from_the_status_of_the_order(simulator, amazon):
    assert amazon.actions(UNSHIPPED) == [
        "confirmOrderDetails",
        "confirmDeliveryDetails",
        "unexpectedProblem",
    ]
    simulator.happen(UNSHIPPED, "ship")
    assert amazon.actions(UNSHIPPED) == [
        "confirmDeliveryDetails",
        "unexpectedProblem",
        "sendInvoice",
    ]
    assert amazon.actions("302-9057741-6620389") == []
    assert amazon.actions("305-6608213-9947150") == []


def test_actions_are_links(amazon):
    answer = amazon.get(f"/messaging/v1/orders/{SHIPPED}", marketplaceIds=DE)
    assert answer.headers["Content-Type"] == "application/hal+json"
    row = answer.json()["_links"]["actions"][0]
    assert row["href"] == (
        f"/messaging/v1/orders/{SHIPPED}/messages/{row['name']}?marketplaceIds={DE}"
    )


def test_language_is_the_marketplaces_or_the_buyers_own(simulator, amazon):
    path = f"/messaging/v1/orders/{SHIPPED}/attributes"
    answer = amazon.get(path, marketplaceIds=DE)
    assert answer.json() == {"buyer": {"locale": "de-DE"}}
    japanese = Amazon(simulator.url, "ADEMOSELLER03", "Atzr|demo-refresh-token-jp")
    path = "/messaging/v1/orders/250-6184470-7729031/attributes"
    answer = japanese.get(path, marketplaceIds=JP)
    assert answer.json() == {"buyer": {"locale": "ja-JP"}}


@models.needs_models
@pytest.mark.parametrize("message_type", sorted(MAX_LENGTH))
def test_every_type_can_be_sent_where_the_order_allows_it(
    simulator, amazon, message_type
):
    simulator.happen(SHIPPED, "message_types", types=[message_type])
    answer = amazon.message(SHIPPED, message_type, TEXT)
    assert answer.status_code == 201
    models.check_answer(MESSAGE_OPERATIONS[message_type], answer)
    (row,) = simulator.ledger()["messages"]
    assert (row["order_id"], row["message_type"]) == (SHIPPED, message_type)
    assert row["text"] == TEXT
    assert row["request_id"] == answer.headers["x-amzn-RequestId"]


@models.needs_models
def test_type_that_the_order_does_not_allow(simulator, amazon):
    answer = amazon.message(SHIPPED, "confirmOrderDetails", TEXT)
    assert answer.status_code == 403
    models.check_answer("createConfirmOrderDetails", answer)
    error = answer.json()["errors"][0]
    assert error["message"] == "Invalid amazonOrderId and template combination."
    assert simulator.ledger()["messages"] == []


def test_a_type_is_used_up(simulator, amazon):
    simulator.change(messages_per_type=2)
    for _ in range(2):
        assert amazon.message(SHIPPED, "unexpectedProblem", TEXT).status_code == 201
    assert "unexpectedProblem" not in amazon.actions(SHIPPED)
    assert amazon.message(SHIPPED, "unexpectedProblem", TEXT).status_code == 403
    assert simulator.ledger()["executed"]["messages"] == 2


@models.needs_models
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "characters"),
        ("x" * 2001, "characters"),
        ("Hallo <b>Welt</b>", "HTML"),
        ("Hallo<br/>Welt", "HTML"),
        ("Preis &euro; 5", "HTML"),
        ("Schreiben Sie an shop@example.com", "email"),
        ("Siehe https://example.com/x", "link"),
        ("Siehe www.example.com", "link"),
        ("Siehe example.com/track", "link"),
        (None, "invalid type"),
    ],
)
def test_text_that_amazon_would_refuse(simulator, amazon, text, words):
    answer = amazon.message(SHIPPED, "unexpectedProblem", text)
    assert answer.status_code == 400
    models.check_answer("createUnexpectedProblem", answer)
    assert words in answer.json()["errors"][0]["message"]
    assert simulator.ledger()["messages"] == []


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2000,
        "ü" * 2000,
        "Betrag: 5,00 EUR (< 10 %) & Versand. Ihre Bestellung bei Amazon.de",
        "Zeile 1\nZeile 2: 3 > 2, a/b",
    ],
)
def test_text_that_is_fine(amazon, text):
    assert amazon.message(SHIPPED, "unexpectedProblem", text).status_code == 201


def test_body_and_query_are_the_models(simulator, amazon):
    assert amazon.message(SHIPPED, "unexpectedProblem", TEXT, x=1).status_code == 400
    path = f"/messaging/v1/orders/{SHIPPED}/messages/unexpectedProblem"
    query = {"marketplaceIds": DE}
    assert amazon.call("POST", path, params=query, json={}).status_code == 400
    assert amazon.call("POST", path, json={"text": TEXT}).status_code == 400
    other = amazon.message(SHIPPED, "unexpectedProblem", TEXT, marketplace=FR)
    assert other.status_code == 400
    two = amazon.message(SHIPPED, "unexpectedProblem", TEXT, marketplace=f"{DE},{FR}")
    assert two.status_code == 400
    assert simulator.ledger()["messages"] == []


def test_unknown_orders(amazon):
    assert amazon.message("x", "unexpectedProblem", TEXT).status_code == 400
    other = amazon.message("302-0000000-0000000", "unexpectedProblem", TEXT)
    assert other.status_code == 404


def test_application_without_the_role_is_refused(simulator):
    simulator.add_authorisation(
        {
            "seller_id": "ANOROLE",
            "client_id": "amzn1.application-oa2-client.demo",
            "client_secret": "demo-secret",
            "refresh_token": "Atzr|no-role",
            "region": "eu",
            "marketplaces": ["DE"],
            "missing_roles": ["Buyer Communication"],
        }
    )
    client = Amazon(simulator.url, "ANOROLE", "Atzr|no-role")
    answer = client.get(f"/messaging/v1/orders/{SHIPPED}", marketplaceIds=DE)
    assert answer.status_code == 403
    assert client.get("/sellers/v1/marketplaceParticipations").status_code == 200


@pytest.mark.parametrize(
    ("kind", "executed"),
    [("cut_before", 0), ("cut_after", 1), ("timeout_after", 1)],
)
def test_a_lost_answer(simulator, amazon, kind, executed):
    seconds = {"seconds": 0.2} if kind.startswith("timeout") else {}
    simulator.fault(kind, "createUnexpectedProblem", **seconds)
    with pytest.raises(requests.ConnectionError):
        amazon.message(SHIPPED, "unexpectedProblem", TEXT)
    assert simulator.ledger()["executed"]["messages"] == executed


@pytest.mark.parametrize(
    ("kind", "status"), [("throttle", 429), ("html_503", 503), ("forbidden_plain", 403)]
)
def test_refusals_send_nothing(simulator, amazon, kind, status):
    simulator.fault(kind, "createUnexpectedProblem")
    answer = amazon.message(SHIPPED, "unexpectedProblem", TEXT)
    assert answer.status_code == status
    assert simulator.ledger()["messages"] == []
