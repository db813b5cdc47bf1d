from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.kinds.allocation import (
    round_parts,
    share_of,
    spread,
)
from ...models.order.amounts import (
    refundable,
    total_refundable,
)
from ...spapi.enums import CURRENCY_DECIMALS
from ...spapi.marketplaces import MARKETPLACES
from ...spapi.taxes import ASSUMED, LAW, SHOWN, TAX_RULES

CENT, YEN = Decimal("0.01"), Decimal(1)

units = st.sampled_from([CENT, YEN])
numbers = st.integers(min_value=0, max_value=10**7)
weights = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2), numbers, min_size=1
)
shares = st.fractions(min_value=0, max_value=1, max_denominator=10**4)
checked = settings(max_examples=300, derandomize=True, deadline=None)


@tagged("post_install", "-at_install")
class TestRefundAmounts(BaseCase):
    """The arithmetic of refunds: no cent is lost, and none is made."""

    # === LARGEST REMAINDER === #

    def test_cents_go_to_those_that_lost_most_and_first_to_the_first(self):
        third = dict.fromkeys("abc", Fraction(10, 3))
        self.assertEqual(
            round_parts(third, CENT),
            {"a": Decimal("3.34"), "b": Decimal("3.33"), "c": Decimal("3.33")},
        )
        self.assertEqual(
            round_parts({"a": Fraction(1, 10), "b": Fraction(9, 10)}, YEN),
            {"a": 0, "b": 1},
        )

    def test_half_a_cent_is_rounded_up(self):
        self.assertEqual(round_parts({"a": Fraction(1, 200)}, CENT)["a"], CENT)

    def test_nothing_is_spread_over_nothing(self):
        self.assertEqual(spread(Decimal(5), {"a": Decimal(0)}, CENT), {"a": 0})

    @checked
    @given(weights, st.data(), units)
    def test_spread_adds_up_and_stays_within_the_weights(self, whole, data, unit):
        limits = {key: number * unit for key, number in whole.items()}
        amount = unit * data.draw(st.integers(0, sum(whole.values())))
        parts = spread(amount, limits, unit)
        self.assertEqual(sum(parts.values()), amount if any(whole.values()) else 0)
        for key, part in parts.items():
            self.assertTrue(0 <= part <= limits[key])
            self.assertEqual(part % unit, 0)

    @checked
    @given(weights, shares, units)
    def test_percentage_of_the_parts_is_the_percentage_of_the_whole(
        self, whole, share, unit
    ):
        charged = {key: number * unit for key, number in whole.items()}
        parts = share_of(charged, dict.fromkeys(charged, share), unit)
        exact = Fraction(sum(charged.values())) * share
        self.assertLessEqual(
            abs(Fraction(sum(parts.values())) - exact), Fraction(unit) / 2
        )
        for key, part in parts.items():
            self.assertTrue(0 <= part <= charged[key])
            # and none is a whole unit away from its own share
            self.assertLess(
                abs(Fraction(part) - Fraction(charged[key]) * share), Fraction(unit)
            )

    @checked
    @given(numbers, st.integers(1, 99), st.data(), units)
    def test_units_never_come_to_more_than_what_was_paid(
        self, number, quantity, data, unit
    ):
        paid = number * unit
        refunded = data.draw(st.integers(0, quantity))
        share = Fraction(refunded, quantity)
        part = share_of({"a": paid}, {"a": share}, unit)["a"]
        self.assertLessEqual(part, paid)
        if refunded == quantity:
            self.assertEqual(part, paid)

    # === HEADROOM === #

    @checked
    @given(
        st.lists(st.tuples(*[st.integers(0, 9999)] * 3), min_size=1, max_size=6),
        st.integers(0, 9999),
        st.integers(0, 9999),
    )
    def test_fee_and_goodwill_never_make_room(self, charges, fee, goodwill):
        """What was kept back is not refundable again; goodwill takes from the item."""
        left = sum(refundable(*amounts) for amounts in charges)
        paid, refunded, reserved = (
            sum(column) for column in zip(*charges, strict=True)
        )
        plain = total_refundable(left, paid, refunded, reserved)
        with_fee = total_refundable(left, paid, refunded - fee, reserved)
        self.assertLessEqual(with_fee, left)
        self.assertLessEqual(
            total_refundable(left, paid, refunded + goodwill, reserved), plain
        )
        self.assertLessEqual(plain, max(paid - refunded - reserved, 0))

    # === TAXES === #

    def test_every_marketplace_has_its_rule_with_its_source(self):
        countries = {market.country_code for market in MARKETPLACES.values()}
        self.assertEqual(countries, set(TAX_RULES))
        for country, rule in TAX_RULES.items():
            with self.subTest(country):
                self.assertIn(rule.evidence, (SHOWN, LAW, ASSUMED))
                self.assertTrue(rule.source)

    def test_tax_is_apart_in_the_united_states_and_canada_alone(self):
        apart = {
            market.country_code
            for market in MARKETPLACES.values()
            if not market.prices_include_tax
        }
        self.assertEqual(apart, {"US", "CA"})

    def test_every_currency_of_the_feed_has_its_decimals(self):
        self.assertEqual(
            {code for code, decimals in CURRENCY_DECIMALS.items() if not decimals},
            {"JPY"},
        )
