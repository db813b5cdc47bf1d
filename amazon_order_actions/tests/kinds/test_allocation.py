from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.kinds.allocation import (
    COMPONENT_GROUPS,
    allocate,
)

CENT = Decimal("0.01")
COMPONENTS = [name for group in COMPONENT_GROUPS for name in group]
amounts = st.decimals(min_value=0, max_value=100000, places=2)


@tagged("post_install", "-at_install")
class TestAllocation(BaseCase):
    """An amount for an item, split over what was charged for it."""

    def test_item_price_comes_first(self):
        left = {"Principal": Decimal("39.95"), "Shipping": Decimal("4.99")}
        self.assertEqual(
            allocate(Decimal("42"), left, CENT),
            {"Principal": Decimal("39.95"), "Shipping": Decimal("2.05")},
        )

    def test_tax_goes_with_its_price_in_proportion(self):
        left = {"Principal": Decimal("100"), "Tax": Decimal("8.25")}
        self.assertEqual(
            allocate(Decimal("54.13"), left, CENT),
            {"Principal": Decimal("50.00"), "Tax": Decimal("4.13")},
        )

    def test_currency_without_decimals_stays_whole(self):
        left = {"Principal": Decimal("999"), "Tax": Decimal("100")}
        shares = allocate(Decimal("500"), left, Decimal("1"))
        self.assertEqual(sum(shares.values()), 500)
        self.assertTrue(all(share == int(share) for share in shares.values()))

    def test_more_than_refundable_is_refused(self):
        with self.assertRaises(ValueError):
            allocate(Decimal("1.01"), {"Principal": Decimal("1")}, CENT)

    def test_other_components_are_never_chosen(self):
        with self.assertRaises(ValueError):
            allocate(Decimal("1"), {"Goodwill": Decimal("5")}, CENT)

    @settings(max_examples=300, derandomize=True, deadline=None)
    @given(st.fixed_dictionaries({name: amounts for name in COMPONENTS}), st.data())
    def test_parts_add_up_and_stay_within_what_is_left(self, left, data):
        most = sum(left.values())
        amount = data.draw(st.decimals(min_value=0, max_value=most, places=2))
        shares = allocate(amount, left, CENT)
        self.assertEqual(sum(shares.values()), amount)
        for name, share in shares.items():
            self.assertTrue(0 < share <= left[name])
            self.assertEqual(share, share.quantize(CENT))
