from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.kinds.refund_plan import (
    CHARGED,
    FEE_MODES,
    SHARED_MODES,
    ItemToPlan,
    PlannedItem,
    RefundPlan,
    RefundToPlan,
)

CENT = Decimal("0.01")
MODES = ("full", "items", "percent", "amount", "shipping", "goodwill", "components")

cents = st.integers(0, 10**6).map(lambda number: number * CENT)
checked = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    # a busy machine draws slowly
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def items(draw):
    """Draw an item of which a part is refunded already, with anything typed for it."""
    paid = draw(st.dictionaries(st.sampled_from(CHARGED), cents, min_size=1))
    limits = {name: min(draw(cents), amount) for name, amount in paid.items()}
    left = sum(limits.values())
    return ItemToPlan(
        shipped=draw(st.integers(0, 9)),
        limits=limits,
        paid=paid,
        left=left,
        offered=left,
        units=draw(st.integers(-1, 12)),
        percentage=draw(st.floats(-10, 110, allow_nan=False)),
        amount=draw(cents),
    )


@st.composite
def refunds(draw, modes=MODES):
    of_items = dict(enumerate(draw(st.lists(items(), min_size=1, max_size=4))))
    left = sum(item.left for item in of_items.values())
    return RefundToPlan(
        mode=draw(st.sampled_from(modes)),
        items=of_items,
        left=min(draw(cents), left),
        unit=CENT,
        amount=draw(cents),
        fee=draw(cents),
        with_shipping=draw(st.booleans()),
    )


def item(units=1, percentage=100.0, amount="0", left=None, **limits):
    paid = {name: Decimal(value) for name, value in limits.items()}
    whole = sum(paid.values()) if left is None else Decimal(left)
    return ItemToPlan(
        2, paid, paid, whole, whole, False, units, percentage, Decimal(amount)
    )


def refund(mode, *of_items, left="1000", **typed):
    typed = {
        name: value if isinstance(value, bool) else Decimal(value)
        for name, value in typed.items()
    }
    return RefundToPlan(mode, dict(enumerate(of_items)), Decimal(left), CENT, **typed)


@tagged("post_install", "-at_install")
class TestRefundPlan(BaseCase):
    """What is typed in the dialog, and what each component of each item gets of it."""

    # === WHAT IS TYPED FOR THE ORDER === #

    def test_full_refund_offers_all_that_is_left_of_the_order(self):
        two = item(Principal="30"), item(Principal="20")
        self.assertEqual(refund("full", *two).amounts(), {0: 30, 1: 20})
        self.assertEqual(refund("full", *two, left="35").amounts(), {0: 30, 1: 5})

    def test_what_was_done_by_hand_is_offered_whatever_is_left(self):
        done = item(Principal="30", left="30")._replace(is_done=True)
        self.assertEqual(refund("full", done, left="0").amounts(), {0: 30})

    def test_amount_is_spread_in_proportion_to_what_is_left(self):
        two = item(Principal="30"), item(Principal="10")
        spread = refund("amount", *two, amount="10").amounts()
        self.assertEqual(spread, {0: Decimal("7.50"), 1: Decimal("2.50")})

    def test_amount_that_fits_nowhere_is_shown_with_the_first_item(self):
        two = item(Principal="0"), item(Principal="0")
        self.assertEqual(refund("amount", *two, amount="10").amounts(), {0: 10, 1: 0})
        self.assertEqual(refund("amount", *two, amount="-1").amounts(), {0: -1, 1: 0})

    def test_other_modes_say_no_amount_of_an_item(self):
        for mode in set(MODES) - {"full", "amount", "goodwill"}:
            self.assertEqual(refund(mode, item(Principal="30")).amounts(), {}, mode)

    # === WHAT EACH COMPONENT GETS === #

    def test_units_and_percentage_are_taken_together(self):
        half = item(units=1, percentage=10, Principal="40", Shipping="4")
        parts = refund("percent", half).parts()
        self.assertEqual(parts, {0: {"Principal": Decimal(2)}})
        parts = refund("percent", half, with_shipping=True).parts()
        self.assertEqual(parts[0]["Shipping"], Decimal("0.20"))
        # by units, the percentage is none that was typed
        self.assertEqual(refund("items", half).parts(), {0: {"Principal": 20}})

    def test_percentage_of_several_items_is_that_of_their_sum(self):
        three = [item(units=2, percentage=20, Principal="0.33") for _number in range(3)]
        parts = refund("percent", *three).parts()
        self.assertEqual(
            sum(of_item["Principal"] for of_item in parts.values()), Decimal("0.20")
        )

    def test_share_stops_at_what_is_left(self):
        spent = item(units=2, Principal="40")._replace(limits={"Principal": Decimal(5)})
        whole = refund("items", spent)
        self.assertEqual(whole.parts(), {0: {"Principal": 5}})
        self.assertEqual(whole.shares(), {0: {"Principal": 40}})

    def test_amount_beyond_what_is_left_stays_with_the_price(self):
        parts = refund("amount", item(amount="50", Principal="30", Tax="3")).parts()
        self.assertEqual(parts, {0: {"Principal": 47, "Tax": 3}})

    def test_shipping_alone_and_goodwill_touch_nothing_else(self):
        one = item(amount="7", Principal="30", Shipping="4", ShippingTax="1")
        self.assertEqual(
            refund("shipping", one).parts(), {0: {"Shipping": 4, "ShippingTax": 1}}
        )
        self.assertEqual(refund("goodwill", one).parts(), {0: {"Goodwill": 7}})

    @checked
    @given(refunds(SHARED_MODES))
    def test_no_share_passes_what_is_left_or_was_paid(self, planned):
        for key, parts in planned.parts().items():
            for name, part in parts.items():
                self.assertTrue(0 <= part <= planned.items[key].limits[name])
                self.assertEqual(part, part.quantize(CENT))
        for key, shares in planned.shares().items():
            for name, part in shares.items():
                self.assertTrue(0 <= part <= planned.items[key].paid[name])

    @checked
    @given(refunds(("amount", "full")))
    def test_no_cent_is_lost_or_made(self, planned):
        amounts = planned.amounts()
        left = {key: item.left for key, item in planned.items.items()}
        if planned.mode == "full":
            self.assertLessEqual(sum(amounts.values()), planned.left)
        else:
            self.assertEqual(sum(amounts.values()), planned.amount)
        if sum(amounts.values()) <= sum(left.values()) and any(left.values()):
            self.assertTrue(all(amounts[key] <= left[key] for key in left))
        filled_in = {
            key: item._replace(amount=amounts[key])
            for key, item in planned.items.items()
        }
        for key, parts in planned._replace(items=filled_in).parts().items():
            self.assertEqual(sum(parts.values()), amounts[key])

    # === WHAT IS KEPT BACK === #

    def test_fee_is_spread_over_what_the_items_get(self):
        two = item(Principal="30"), item(Principal="10")
        gross = {0: Decimal(30), 1: Decimal(10)}
        self.assertEqual(refund("full", *two, fee="4").fees(gross), {0: 3, 1: 1})

    @checked
    @given(refunds(), st.data())
    def test_fee_is_kept_back_whole_or_not_at_all(self, planned, data):
        gross = {key: data.draw(cents) for key in planned.items}
        fees = planned.fees(gross)
        keeps = planned.mode in FEE_MODES and any(gross.values())
        self.assertEqual(sum(fees.values()), planned.fee if keeps else 0)

    # === WHAT IS ASKED FOR === #

    def test_plan_leaves_out_what_is_none_in_the_currency(self):
        plan = RefundPlan(
            (
                PlannedItem(1, {"Principal": 5.0, "Tax": 0.001}),
                PlannedItem(2, {"Principal": 0.004}),
            )
        )

        def is_zero(amount):
            return not round(amount, 2)

        self.assertEqual(plan.amounts(is_zero), {(1, "Principal"): 5.0})
        self.assertEqual(plan.refunded_items(is_zero), {1})
