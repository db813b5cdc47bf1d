from decimal import Decimal

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from odoo.tests import tagged

from ...spapi.enums import CURRENCY_DECIMALS
from ...spapi.envelopes import check_message
from ...spapi.marketplaces import MARKETPLACES
from ..common import SHIPPED, AmazonOrderCommon

TAXES = {"Tax", "ShippingTax", "GiftWrapTax"}
PRICES = ("Principal", "Shipping", "GiftWrap")

prices = st.integers(0, 99999)  # in the smallest unit of the currency
items = st.lists(
    st.fixed_dictionaries(
        {
            "quantity": st.integers(1, 7),
            "prices": st.tuples(st.integers(1, 99999), prices, prices),
            "discounts": st.tuples(prices, prices),
            "tax": st.integers(0, 25),
        }
    ),
    min_size=1,
    max_size=3,
)
# what an agent may type, in turn, into dialogs of the same order
typed = st.lists(
    st.fixed_dictionaries(
        {
            "mode": st.sampled_from(
                ["full", "items", "percent", "amount", "shipping", "goodwill"]
            ),
            "percentage": st.sampled_from([0, 1, 7, 12.5, 20, 33.33, 50, 99, 100]),
            "part": st.integers(0, 100),
            "fee": st.sampled_from([0, 0, 1, 10]),
            "with_shipping": st.booleans(),
            "quantities": st.lists(st.integers(0, 7), min_size=4, max_size=4),
        }
    ),
    min_size=1,
    max_size=3,
)


def examined(examples):
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        # An example costs much here, and a shrunk one is not worth thousands of them.
        phases=(Phase.generate,),
    )


@tagged("post_install", "-at_install")
class TestRefundProperties(AmazonOrderCommon):
    """Whatever is typed, in every marketplace: what is shown is what is asked, no more
    than was paid, in whole units, with tax only where tax is apart."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.currencies = {
            currency.name: currency
            for currency in cls.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "in", list(CURRENCY_DECIMALS))])
        }

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        self.orders = self.asked = 0

    def unit(self, market):
        return 10.0 ** -CURRENCY_DECIMALS[market.currency]

    def fill(self, market, drawn):
        """Give the sale order an order of the marketplace, with these items."""
        unit = self.unit(market)
        self.orders += 1
        order = self.sale_order.amazon_order_id.copy(
            {
                "amazon_order_ref": f"302-{self.orders:07}-0000000",
                "marketplace": market.id,
                "currency_id": self.currencies[market.currency].id,
            }
        )
        self.sale_order.sudo().amazon_order_id = order
        for position, item in enumerate(drawn):
            line = order.line_ids.create(
                {
                    "order_id": order.id,
                    "amazon_item_ref": str(10**13 + position),
                    "title": f"Item {position}",
                    "sku": f"SKU-{position}",
                    "quantity_ordered": item["quantity"],
                    "quantity_fulfilled": item["quantity"],
                    "promotion_refs": ["PROMOTION"],
                }
            )
            for name, price in zip(PRICES, item["prices"], strict=True):
                if not price:
                    continue
                charge = line._get_charge(name)
                charge.charged = price * unit
                if not market.prices_include_tax:
                    tax = "Tax" if name == "Principal" else f"{name}Tax"
                    line._get_charge(tax).charged = charge.currency_id.round(
                        price * item["tax"] / 100 * unit
                    )
            for name, discount in zip(PRICES, item["discounts"], strict=False):
                charge = line.charge_ids.filtered(lambda c, n=name: c.component == n)
                charge.discount = discount * unit
        self.env.flush_all()
        self.env.invalidate_all()
        return order

    def type(self, order, entry):
        """Open a dialog and type; return it with what it shows."""
        request = self.open_request(self.sale_order, "refund")
        currency = order.currency_id
        request.write(
            {
                "reason": "Other",
                "is_second_meant": True,
                "mode": entry["mode"],
                "percentage": entry["percentage"],
                "with_shipping": entry["with_shipping"],
                "amount": currency.round(order.refundable * entry["part"] / 100),
            }
        )
        if entry["mode"] in ("items", "percent"):
            for line, number in zip(
                request.line_ids, entry["quantities"], strict=False
            ):
                line.quantity = min(number, line.quantity_fulfilled)
        request.restocking_fee = currency.round(request.total * entry["fee"] / 100)
        return request

    def check_action(self, action, market, shown):
        currency = action.currency_id
        self.assertFalse(currency.compare_amounts(action.amount, shown))
        names = set(action.line_ids.mapped("component"))
        if market.prices_include_tax:
            self.assertFalse(names & TAXES, "no tax where prices include it")
        for line in action.line_ids:
            self.assertFalse(
                currency.compare_amounts(line.amount, currency.round(line.amount))
            )
            self.assertEqual(line.amount < 0, line.component == "RestockingFee")
        action.message_number = 1
        message = action._kind()._build_message(action)
        check_message(message)
        net = sum(
            sum(amount for _name, amount in item.components)
            + sum(promotion.amount for promotion in item.promotions)
            for item in message.items
        )
        self.assertEqual(
            net, Decimal(str(shown)).quantize(Decimal(str(self.unit(market))))
        )

    def check_order(self, order):
        compare = order.currency_id.compare_amounts
        lines = order.action_ids.filtered(lambda a: a.state == "queued").line_ids
        total = sum(lines.mapped("amount"))
        self.assertLessEqual(compare(total, order.charged), 0)
        for item, of_item in lines.grouped("order_line_id").items():
            self.assertLessEqual(compare(sum(of_item.mapped("amount")), item.paid), 0)
        for charge, of_charge in lines.grouped("charge_id").items():
            if charge.component in ("Goodwill", "RestockingFee"):
                continue
            self.assertLessEqual(
                compare(sum(of_charge.mapped("amount")), charge.charged), 0
            )
            self.assertLessEqual(
                compare(sum(of_charge.mapped("discount")), charge.discount), 0
            )
        self.assertGreaterEqual(compare(order.refundable, 0), 0)

    def walk(self, market, drawn, entries):
        order = self.fill(market, drawn)
        if not market.currency == order.currency_id.name:
            self.fail("the currency is missing")
        for entry in entries:
            request = self.type(order, entry)
            shown, remaining = request.total, request.remaining
            if request.blockers or request.problems:
                continue
            request.action_refund()
            self.asked += 1
            self.env.flush_all()
            self.env.invalidate_all()
            self.check_action(self.last_action(), market, shown)
            self.assertFalse(
                order.currency_id.compare_amounts(order.refundable, remaining),
                "what is left is what was shown",
            )
            self.check_order(order)

    def check_market(self, market):
        @examined(6)
        @given(items, typed)
        def check(drawn, entries):
            self.walk(market, drawn, entries)

        check()

    def test_in_every_marketplace(self):
        for market in MARKETPLACES.values():
            if market.currency in CURRENCY_DECIMALS:
                with self.subTest(market.country_code):
                    self.check_market(market)
        self.assertGreater(self.asked, self.orders / 2)

    def test_all_of_a_discount_goes_with_all_of_the_price(self):
        market = MARKETPLACES["A1PA6795UKMFR9"]

        @examined(25)
        @given(items, typed)
        def check(drawn, entries):
            self.walk(market, drawn, entries)
            order = self.sale_order.amazon_order_id
            full = dict(entries[0], mode="full", fee=0)
            self.walk_on(order, full)
            queued = order.action_ids.filtered(lambda a: a.state == "queued")
            for charge, lines in queued.line_ids.grouped("charge_id").items():
                spent = sum(lines.mapped("amount"))
                if not order.currency_id.compare_amounts(spent, charge.charged):
                    self.assertAlmostEqual(
                        sum(lines.mapped("discount")), charge.discount
                    )

        check()

    def walk_on(self, order, entry):
        request = self.type(order, entry)
        if not request.blockers and not request.problems:
            request.action_refund()
        self.env.flush_all()
        self.env.invalidate_all()
