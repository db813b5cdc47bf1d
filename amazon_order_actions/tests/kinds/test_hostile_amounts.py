import contextlib
import json
import math
import os
import sys
import time
from pathlib import Path

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import GIFT_WRAPPED, THREE_UNITS, AmazonOrderCommon

SEED = int(os.environ.get("FUZZ_SEED") or 20261122)
#: Of `make fuzz`; without it, a fixed number of cases.
SECONDS = float(os.environ.get("FUZZ_SECONDS") or 0)
CASES = 60

HOSTILE_FLOATS = [
    math.nan,
    math.inf,
    -math.inf,
    1e308,
    -1e308,
    5e-324,
    1e16 + 0.01,
    0.1 + 0.2,
    -0.0,
    0.004999999,
    0.005,
    2**53 + 1,
]
amounts = st.one_of(
    st.sampled_from(HOSTILE_FLOATS),
    st.floats(),
    st.floats(-1, 200),
    st.integers(-(10**6), 10**6),
    st.integers(),
    st.sampled_from(["", "abc", "1e400", "NaN", "12,50", "12.50", "١٢", "0x10", "1_0"]),
    st.sampled_from([None, True, False]),
)
units = st.one_of(
    st.integers(-3, 9),
    st.sampled_from([2**31 - 1, 2**31, -(2**31) - 1, 2**63, 10**30]),
    st.sampled_from(["2", "abc", "", 1.5, True, None, math.nan, math.inf]),
)
written = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(
            "full items percent amount shipping goodwill components".split()
        )
    },
    optional={
        "amount": amounts,
        "percentage": amounts,
        "restocking_fee": amounts,
        "with_shipping": st.booleans(),
        "typed": st.one_of(st.integers(0, 5), units),
    },
)
of_lines = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "quantity": units,
            "percentage": amounts,
            "amount": amounts,
            "principal": amounts,
            "shipping": amounts,
            "tax": amounts,
            "goodwill": amounts,
            "restocking_fee": amounts,
        },
    ),
    max_size=2,
)


class Over(Exception):
    """Of a case: all of it is taken back."""


@tagged("post_install", "-at_install")
class TestHostileAmounts(AmazonOrderCommon):
    """Whatever is written into the dialogs by RPC: a sentence for a person, or no more
    than was paid, in whole cents. Never an error of a program, never NaN."""

    def tried(self, case, *args):
        """Try a case, and leave nothing of it.

        :return: what came of it: "asked" or "refused"
        """
        with contextlib.suppress(Over), self.env.cr.savepoint():
            try:
                case(*args)
                self.env.flush_all()
                result = "asked"
            except UserError as error:
                # ValidationError, too
                self.assertTrue(str(error).strip())
                result = "refused"
            raise Over
        self.env.invalidate_all()
        return result

    def fuzz(self, name, check, *strategies):
        """Run bounded in the tests, long in ``make fuzz``; tell how many cases."""
        counts = {"cases": 0, "asked": 0, "refused": 0}

        def counted(drawn):
            counts["cases"] += 1
            counts[self.tried(check, *drawn)] += 1

        started = time.monotonic()
        number = 0
        while not number or time.monotonic() - started < SECONDS:
            run = settings(
                max_examples=CASES,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink),
            )(given(st.tuples(*strategies))(counted))
            seed(SEED + number)(run)()
            number += 1
        seconds = round(time.monotonic() - started, 1)
        told = {"target": name, "seed": SEED, **counts, "seconds": seconds}
        sys.stdout.write(f"{json.dumps(told)}\n")
        if report := os.environ.get("FUZZ_REPORT"):
            with Path(report).open("a") as file:
                line = {"target": name, **counts, "seconds": seconds, "failures": []}
                file.write(json.dumps(line) + "\n")

    def check_refund(self, sale_order):
        action = self.last_action()
        order = sale_order.amazon_order_id
        self.env.flush_all()
        self.env.invalidate_all()
        compare = order.currency_id.compare_amounts
        for line in action.line_ids:
            self.assertTrue(math.isfinite(line.amount))
            self.assertFalse(
                compare(line.amount, order.currency_id.round(line.amount)),
                "in whole cents",
            )
        self.assertGreater(compare(action.amount, 0), 0)
        self.assertLessEqual(compare(action.amount, order.charged), 0)
        self.assertGreaterEqual(compare(order.refundable, 0), 0)
        for item, lines in action.line_ids.grouped("order_line_id").items():
            self.assertLessEqual(compare(sum(lines.mapped("amount")), item.paid), 0)
        json.dumps(self.panel_of(order), allow_nan=False, default=str)

    def test_whatever_is_written_into_the_refund_dialog(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)

        def check(values, lines):
            request = self.open_request(sale_order, "refund")
            request.write({"reason": "Other", "is_second_meant": True, **values})
            for line, entered in zip(request.line_ids, lines, strict=False):
                line.write(entered)
            # What a form reads while it is filled in.
            request.read(["total", "remaining", "problems", "notices"])
            request.action_refund()
            self.check_refund(sale_order)

        self.fuzz("refund dialog", check, written, of_lines)

    def test_whatever_is_written_into_the_cancel_dialog(self):
        sale_order = self.create_sale_order(THREE_UNITS)

        def check(quantity):
            request = self.open_request(sale_order, "cancel")
            request.write({"scope": "items", "items_reason": "NoInventory"})
            request.line_ids.write({"quantity": quantity})
            request.action_cancel_order()
            lines = self.last_action().line_ids
            for line in lines:
                self.assertLessEqual(line.quantity, line.order_line_id.quantity_ordered)
                self.assertGreater(line.quantity, 0)

        self.fuzz("cancel dialog", check, units)

    def test_whatever_is_written_into_the_ship_dialog(self):
        sale_order = self.create_sale_order(THREE_UNITS)

        def check(quantity):
            request = self.open_request(sale_order, "ship")
            request.write({"carrier_code": "DHL", "tracking_number": "0034043416"})
            request.line_ids.write({"quantity": quantity})
            request.action_ship()
            for line in self.last_action().line_ids:
                self.assertLessEqual(line.quantity, line.order_line_id.quantity_ordered)
                self.assertGreater(line.quantity, 0)

        self.fuzz("ship dialog", check, units)
