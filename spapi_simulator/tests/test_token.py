"""Login with Amazon, access tokens, authorisations and roles."""

import pytest
import requests

from ..process import SimulatorProcess
from .amazon import SHIPPED, Amazon

ORDER = f"/orders/2026-01-01/orders/{SHIPPED}"


def test_refresh_token_gives_an_access_token(amazon):
    answer = amazon.login()
    assert answer.status_code == 200
    token = answer.json()
    assert token["access_token"].startswith("Atza|")
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 3600
    assert token["refresh_token"] == SimulatorProcess.REFRESH_TOKEN


def test_token_seconds_keep_a_token_alive_on_a_fast_clock(simulator, amazon):
    simulator.reset(clock_factor=60, token_seconds=60 * 3600)
    assert amazon.login().json()["expires_in"] == 3600


def test_client_credentials_give_a_grantless_token_that_reads_no_order(amazon):
    answer = amazon.login(
        grant_type="client_credentials", scope="sellingpartnerapi::notifications"
    )
    assert answer.status_code == 200
    assert "refresh_token" not in answer.json()
    amazon.access_token = answer.json()["access_token"]
    assert amazon.get(ORDER).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_id": "amzn1.application-oa2-client.other"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"refresh_token": "Atzr|wrong"}, 400, "invalid_grant"),
        ({"refresh_token": None}, 400, "invalid_request"),
        ({"client_secret": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "scope": "all"}, 400, "invalid_scope"),
    ],
)
def test_refusals_are_those_of_lwa(amazon, changes, status, error):
    answer = amazon.login(**changes)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert answer.json()["error_description"]
    assert "wrong" not in answer.text


def test_token_request_must_be_a_form(simulator):
    url = f"{simulator.url}/auth/o2/token"
    answer = requests.post(url, json={"grant_type": "refresh_token"}, timeout=30)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("token", ["", "Atza|made-up"])
def test_missing_and_unknown_tokens_are_refused(amazon, token):
    amazon.access_token = token
    answer = amazon.get(ORDER)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "Unauthorized"
    assert "x-amzn-RateLimit-Limit" not in answer.headers


def test_token_expires_after_an_hour_of_the_clock(simulator, amazon):
    simulator.advance(3590)
    assert amazon.get(ORDER).status_code == 200
    simulator.advance(20)
    answer = amazon.get(ORDER)
    assert answer.status_code == 403
    assert "expired" in answer.json()["errors"][0]["details"]


def test_lifetime_is_told_in_the_callers_seconds(simulator, amazon):
    simulator.reset(clock_factor=60)
    assert amazon.login().json()["expires_in"] == 60


def test_token_survives_a_reset_and_lives_an_hour_from_it(simulator, amazon):
    simulator.advance(5000)
    amazon.access_token = amazon.login().json()["access_token"]
    simulator.reset()
    assert amazon.get(ORDER).status_code == 200
    simulator.advance(3610)
    assert amazon.get(ORDER).status_code == 403


def test_missing_role_refuses_its_operations_and_no_other(simulator, amazon):
    simulator.add_authorisation(
        {
            "seller_id": amazon.seller_id,
            "client_id": SimulatorProcess.CLIENT_ID,
            "client_secret": SimulatorProcess.CLIENT_SECRET,
            "refresh_token": SimulatorProcess.REFRESH_TOKEN,
            "region": "eu",
            "marketplaces": ["DE"],
            "missing_roles": ["Finance and Accounting"],
        }
    )
    events = amazon.get(f"/finances/v0/orders/{SHIPPED}/financialEvents")
    assert events.status_code == 403
    assert events.json()["errors"][0]["code"] == "Unauthorized"
    assert amazon.get(ORDER).status_code == 200


def test_a_seller_sees_no_order_and_no_feed_of_another(simulator, amazon):
    other = Amazon(simulator.url, "ADEMOSELLER02", "Atzr|demo-refresh-token-us")
    assert other.get(ORDER).status_code == 404
    document_id = amazon.upload(b"x")
    answer = other.create_feed(
        "POST_PAYMENT_ADJUSTMENT_DATA", document_id, ["ATVPDKIKX0DER"]
    )
    assert answer.status_code == 400
    feed = amazon.create_feed("POST_PAYMENT_ADJUSTMENT_DATA", document_id).json()
    assert other.get(f"/feeds/2021-06-30/feeds/{feed['feedId']}").status_code == 404


def test_each_seller_sees_its_own_marketplaces(simulator, amazon):
    answer = amazon.get("/sellers/v1/marketplaceParticipations")
    countries = {row["marketplace"]["countryCode"] for row in answer.json()["payload"]}
    assert countries == {"DE", "FR", "GB", "ES"}


def test_host_header_must_name_the_server(amazon):
    host = amazon.url.removeprefix("http://")[1:]
    answer = amazon.call("GET", ORDER, headers={"Host": host})
    assert answer.status_code == 400
    assert "Host" in answer.json()["errors"][0]["message"]


def test_user_agent_is_required(amazon):
    answer = amazon.call("GET", ORDER, headers={"User-Agent": ""})
    assert answer.status_code == 400
