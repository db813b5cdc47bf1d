"""The table of marketplaces."""

import pytest
from spapi.enums import CURRENCY_DECIMALS
from spapi.marketplaces import (
    MARKETPLACES,
    by_country,
    by_relay_address,
    seller_central_order_url,
)


def test_the_table_agrees_with_the_library():
    from sp_api.base.marketplaces import Marketplaces

    theirs = {
        market.marketplace_id: (
            market.name.replace("UK", "GB"),
            market.endpoint.split("-")[-1].split(".")[0],
        )
        for market in Marketplaces
    }
    ours = {
        market.id: (market.country_code, market.region)
        for market in MARKETPLACES.values()
    }
    assert ours == theirs


def test_tax_is_on_top_in_the_united_states_and_canada_only():
    on_top = {m.country_code for m in MARKETPLACES.values() if not m.prices_include_tax}
    assert on_top == {"US", "CA"}


def test_refunds_by_feed_are_possible_in_all_currencies_but_one():
    missing = {m.currency for m in MARKETPLACES.values()} - set(CURRENCY_DECIMALS)
    assert missing == {"ZAR"}


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("abc+1@marketplace.amazon.de", "DE"),
        ("ABC@Marketplace.Amazon.CO.UK", "GB"),
        ("abc@marketplace.amazon.com", "US"),
        ("abc@marketplace.amazon.co.jp", "JP"),
    ],
)
def test_a_relay_address_names_its_marketplace(address, country):
    assert by_relay_address(address).country_code == country


@pytest.mark.parametrize(
    "address",
    [
        "",
        "abc",
        "marketplace.amazon.de",
        "abc@amazon.de",
        "abc@marketplace.amazon.de.evil.example",
        "abc@evil-marketplace.amazon.de",
        "abc@marketplace.amazon.xx",
        '"abc@evil.example"@marketplace.amazon.de',
        "abc%evil.example@marketplace.amazon.de",
        "@marketplace.amazon.de",
    ],
)
def test_any_other_address_is_none(address):
    assert by_relay_address(address) is None


def test_countries_are_found_by_code():
    assert by_country("de").currency == "EUR"
    assert by_country("UK") is by_country("GB")
    assert by_country("ZZ") is None


def test_the_page_of_an_order_in_seller_central():
    assert (
        seller_central_order_url("A1F83G8C2ARO7P", "302-1234567-1234567")
        == "https://sellercentral.amazon.co.uk/orders-v3/order/302-1234567-1234567"
    )
    assert seller_central_order_url("unknown", "302-1234567-1234567") is None
    assert "%2F..%3F" in seller_central_order_url("A1F83G8C2ARO7P", "/..?")
