from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import (
    FBA_SHIPPED,
    GIFT_WRAPPED,
    PARTIALLY_SHIPPED,
    PROMOTION,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

MODELS = "odoo.addons.amazon_order_actions.models"

THREE = "302-2222222-1111111"  # three units, two other items, shipping
TWO_PROMOTIONS = "305-4402178-6613095"
US_GIFT = "112-8840127-3305918"  # tax apart on item, shipping and gift wrap
JP_GIFT = "250-7731906-4482015"  # three of one item, gift wrap, 300 yen off


class RefundCommon(AmazonOrderCommon):
    """The refund dialog as an agent fills it in, and what comes of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for seller, token, region, marketplace in (
            ("ADEMOSELLER02", "us", "na", "ATVPDKIKX0DER"),
            ("ADEMOSELLER03", "jp", "fe", "A1VC38T7YXB528"),
        ):
            cls._create_account(
                name=seller,
                seller_id=seller,
                region=region,
                lwa_refresh_token=f"Atzr|demo-refresh-token-{token}",
                participation_ids=[Command.create({"marketplace": marketplace})],
            )

    def request(self, ref):
        return self.open_request(self.create_sale_order(ref), "refund")

    def form(self, ref, mode=None, **values):
        """Open the dialog, choose a mode and type into it."""
        form = Form(self.request(ref))
        form.reason = "GeneralAdjustment"
        for name, value in {"mode": mode or "full", **values}.items():
            setattr(form, name, value)
        return form

    def row(self, form, index, **values):
        with form.line_ids.edit(index) as line:
            for name, value in values.items():
                setattr(line, name, value)

    def totals(self, form):
        return [line["total"] for line in form.line_ids._records]

    def confirm(self, form):
        """Click the button, and return the action that was asked for."""
        form.save().action_refund()
        return self.last_action()

    def components(self, action):
        return {
            (line.order_line_id.sku, line.component): line.amount
            for line in action.line_ids
        }

    def add_three(self):
        self.simulator.add_order(
            {
                "id": THREE,
                "marketplace": "DE",
                "status": "shipped",
                "purchased": "6 days ago",
                "shipped": "5 days ago",
                "items": [
                    {
                        "id": f"14764542030000{number}",
                        "sku": sku,
                        "asin": "B0BX4K7Q2M",
                        "title": sku,
                        "quantity": quantity,
                        "price": price,
                        **more,
                    }
                    for number, (sku, quantity, price, more) in enumerate(
                        [
                            ("CUP", 3, 29.98, {"shipping": 4.99}),
                            ("POT", 1, 9.99, {}),
                            ("LID", 1, 9.99, {}),
                        ]
                    )
                ],
            }
        )
        return THREE


@tagged("post_install", "-at_install")
class TestRefundDialog(RefundCommon):
    """What the dialog works out while it is typed, mode by mode."""

    # === FULL === #

    def test_full_refund_is_one_click_where_the_account_has_a_usual_reason(self):
        self.account.refund_reason = "CustomerReturn"
        request = self.request(GIFT_WRAPPED)
        self.assertEqual((request.mode, request.total), ("full", 78.24))
        request.action_refund()
        self.assertEqual(self.last_action().amount, 78.24)
        self.assertEqual(self.last_action().reason, "CustomerReturn")

    def test_full_refund_leaves_nothing_and_says_so_while_typing(self):
        form = self.form(SHIPPED)
        self.assertEqual((form.total, form.remaining), (44.94, 0))
        self.assertFalse(form.problems)

    # === ITEMS === #

    def test_units_of_an_item_without_shipping(self):
        form = self.form(self.add_three(), "items")
        self.assertEqual(form.total, 0)
        self.assertIn("above zero", form.problems)
        self.row(form, 0, quantity=1)
        self.assertEqual(self.totals(form), [9.99, 0, 0])
        self.assertFalse(form.problems)
        self.row(form, 1, quantity=1)
        self.assertEqual(form.total, 19.98)
        self.assertEqual(
            self.components(self.confirm(form)),
            {("CUP", "Principal"): 9.99, ("POT", "Principal"): 9.99},
        )

    def test_units_with_their_share_of_the_shipping(self):
        form = self.form(self.add_three(), "items", with_shipping=True)
        self.row(form, 0, quantity=3)
        self.assertEqual(form.total, 34.97)
        action = self.confirm(form)
        self.assertEqual(self.components(action)["CUP", "Shipping"], 4.99)

    def test_only_item_is_chosen_with_all_its_units(self):
        self.assertEqual(self.form(SHIPPED, "items").total, 39.95)

    def test_more_units_than_shipped_are_refused_while_typing_and_on_the_click(self):
        for quantity in (4, -1):
            form = self.form(self.add_three(), "items")
            self.row(form, 0, quantity=quantity)
            self.assertIn("3 are shipped", form.problems)
            with self.assertRaisesRegex(UserError, "3 are shipped"):
                self.confirm(form)

    def test_unit_that_was_partly_refunded_is_capped_and_said(self):
        ref = self.add_three()
        self.ask_refund(self.create_sale_order(ref), amounts={"POT": 4})
        form = self.form(ref, "items")
        self.row(form, 1, quantity=1)
        form.is_second_meant = True
        self.assertEqual(form.total, 5.99)
        self.assertIn("only", form.notices)
        self.assertEqual(self.confirm(form).amount, 5.99)

    # === PERCENTAGE === #

    def test_twenty_percent_off_one_of_three_items(self):
        form = self.form(self.add_three(), "percent")
        self.row(form, 1, percentage=20)
        self.assertEqual(self.totals(form), [0, 2.0, 0])
        self.assertEqual(
            self.components(self.confirm(form)), {("POT", "Principal"): 2.0}
        )

    def test_twenty_percent_off_one_of_three_units(self):
        form = self.form(self.add_three(), "percent")
        self.row(form, 0, percentage=20, quantity=1)
        self.assertEqual(form.total, 2.0)

    def test_percentage_of_all_adds_up_to_the_percentage_of_the_sum(self):
        form = self.form(self.add_three(), "percent", percentage=20)
        # 20 % of 29.98 + 9.99 + 9.99 = 9.992, and not 6.00 + 2.00 + 2.00
        self.assertEqual(form.total, 9.99)
        self.assertEqual(sum(self.totals(form)), form.total)
        self.assertEqual(form.remaining, 44.96)

    def test_percentage_out_of_range_is_refused(self):
        for percentage in (101, -5):
            form = self.form(SHIPPED, "percent", percentage=percentage)
            self.assertIn("between 0 and 100", form.problems)
            with self.assertRaisesRegex(UserError, "between 0 and 100"):
                self.confirm(form)

    def test_percentage_of_a_discounted_price(self):
        form = self.form(PROMOTION, "percent", percentage=50)
        self.assertEqual(form.total, 22.5)  # of 49.99 - 5.00

    # === AMOUNT === #

    def test_amount_is_spread_over_the_items_and_rows_can_be_changed(self):
        form = self.form(self.add_three(), "amount", amount=10)
        self.assertEqual(form.total, 10)
        self.row(form, 2, amount=0)
        self.row(form, 1, amount=0)
        self.row(form, 0, amount=3)
        self.assertEqual(form.total, 3)
        self.assertEqual(
            self.components(self.confirm(form)), {("CUP", "Principal"): 3.0}
        )

    def test_nothing_is_offered_before_an_amount_is_typed(self):
        self.assertEqual(self.form(SHIPPED, "amount").total, 0)

    def test_too_much_is_shown_as_typed_and_refused(self):
        form = self.form(SHIPPED, "amount", amount=44.95)
        self.assertEqual(form.total, 44.95)
        self.assertIn("at most", form.problems)
        with self.assertRaisesRegex(UserError, "at most"):
            self.confirm(form)

    def test_negative_amount_is_refused(self):
        form = self.form(SHIPPED, "amount", amount=-1)
        self.assertIn("below zero", form.problems)

    # === SHIPPING, GOODWILL, COMPONENTS === #

    def test_shipping_alone(self):
        form = self.form(GIFT_WRAPPED, "shipping")
        action = self.confirm(form)
        self.assertEqual({line.component for line in action.line_ids}, {"Shipping"})
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_shipping_alone_of_an_order_without_shipping_is_refused(self):
        form = self.form(TWO_PROMOTIONS, "shipping")  # free by a promotion
        self.assertIn("above zero", form.problems)

    def test_goodwill_takes_nothing_from_the_items_but_from_the_order(self):
        form = self.form(SHIPPED, "goodwill", amount=5)
        self.assertEqual((form.total, form.remaining), (5, 39.94))
        action = self.confirm(form)
        self.assertEqual(
            self.components(action), {("NW-KESSEL-12-SW", "Goodwill"): 5.0}
        )
        self.settle()
        self.assertEqual(action.state, "confirmed")
        order = action.order_id
        self.assertAlmostEqual(order.refundable, 39.94)
        self.assertEqual(self.request(SHIPPED).total, 39.94)

    def test_goodwill_beyond_what_is_left_is_refused(self):
        form = self.form(SHIPPED, "goodwill", amount=45)
        with self.assertRaisesRegex(UserError, "at most"):
            self.confirm(form)

    def test_goodwill_that_is_on_its_way_is_not_offered_again(self):
        self.confirm(self.form(SHIPPED, "goodwill", amount=40))
        self.env.invalidate_all()
        self.assertAlmostEqual(self.request(SHIPPED).total, 4.94)

    def test_components_are_typed_one_by_one(self):
        form = self.form(GIFT_WRAPPED, "components")
        for index in range(len(form.line_ids)):
            self.row(form, index, principal=0, shipping=0, gift_wrap=0)
        self.row(form, 0, gift_wrap=2)
        self.assertEqual(form.total, 2)
        action = self.confirm(form)
        self.assertEqual(action.line_ids.mapped("component"), ["GiftWrap"])

    def test_component_beyond_what_is_left_of_it_is_refused(self):
        form = self.form(SHIPPED, "components")
        self.row(form, 0, principal=1, shipping=5)
        self.assertIn("of Shipping", form.problems)
        with self.assertRaisesRegex(UserError, "4.99"):
            self.confirm(form)

    # === RESTOCKING FEE === #

    def test_restocking_fee_is_kept_back_and_frees_nothing(self):
        form = self.form(SHIPPED, restocking_fee=5)
        self.assertEqual((form.total, form.remaining), (39.94, 0))
        action = self.confirm(form)
        self.assertEqual(
            self.components(action),
            {
                ("NW-KESSEL-12-SW", "Principal"): 39.95,
                ("NW-KESSEL-12-SW", "Shipping"): 4.99,
                ("NW-KESSEL-12-SW", "RestockingFee"): -5.0,
            },
        )
        self.assertEqual(
            (action.order_id.reserved, action.order_id.refundable), (39.94, 0)
        )
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.order_id.refundable, 0)

    def test_restocking_fee_of_a_part_leaves_the_other_parts(self):
        form = self.form(SHIPPED, "items", restocking_fee=10)
        self.assertEqual((form.total, form.remaining), (29.95, 4.99))
        self.confirm(form)
        self.env.invalidate_all()
        self.assertEqual(self.request(SHIPPED).order_id.refundable, 4.99)

    def test_restocking_fee_that_leaves_nothing_is_refused(self):
        for fee, words in (
            (44.94, "leaves nothing"),
            (50, "leaves nothing"),
            (-1, "fee"),
        ):
            form = self.form(SHIPPED, restocking_fee=fee)
            self.assertIn(words, form.problems)
            with self.assertRaisesRegex(UserError, words):
                self.confirm(form)

    def test_restocking_fee_of_several_items_is_spread_over_them(self):
        form = self.form(self.add_three(), restocking_fee=5)
        action = self.confirm(form)
        fees = action.line_ids.filtered(lambda line: line.amount < 0)
        self.assertEqual(len(fees), 3)
        self.assertAlmostEqual(sum(fees.mapped("amount")), -5)

    def test_unknown_outcome_of_a_refund_with_a_fee_is_found(self):
        action = self.confirm(self.form(PROMOTION, restocking_fee=4))
        self.simulator.fault("cut_after", "createFeed", times=1)
        with mute_logger(f"{MODELS}.sending.dispatch"):
            self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "unknown")
        self.assertAlmostEqual(action.order_id.reserved, 44.48)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(len(self.simulator.ledger()["refunds"]), 1)

    def test_goodwill_is_not_sent_where_all_was_refunded_meanwhile(self):
        action = self.confirm(self.form(SHIPPED, "goodwill", amount=10))
        order = action.order_id
        item = order.line_ids.amazon_item_ref
        self.refund_elsewhere(SHIPPED, item, "39.95")
        self.settle()
        self.assertEqual(action.state, "blocked")
        self.assertIn("Nothing was sent", action.state_message)
        self.assertEqual(order.reserved, 0)

    def test_two_dialogs_cannot_promise_the_same_goodwill(self):
        first = self.form(SHIPPED, "goodwill", amount=40)
        second = self.form(SHIPPED, "amount", amount=40)
        self.confirm(first)
        self.env.invalidate_all()
        request = second.save()
        request.is_second_meant = True
        with self.assertRaisesRegex(UserError, "at most"):
            request.action_refund()

    # === WARNINGS === #

    def test_second_refund_of_an_item_must_be_meant(self):
        self.confirm(self.form(SHIPPED, "amount", amount=5))
        form = self.form(SHIPPED, "amount", amount=5)
        self.assertTrue(form.is_second)
        with self.assertRaisesRegex(UserError, "second refund is meant"):
            self.confirm(form)
        form.is_second_meant = True
        self.assertEqual(self.confirm(form).amount, 5)

    def test_refund_of_another_item_is_no_second_one(self):
        ref = self.add_three()
        self.ask_refund(self.create_sale_order(ref), amounts={"POT": 4})
        form = self.form(ref, "percent")
        self.row(form, 2, percentage=10)
        self.assertFalse(form.is_second)

    def test_refund_that_was_withdrawn_is_no_first_one(self):
        action = self.confirm(self.form(SHIPPED, "amount", amount=5))
        action.with_user(self.agent).action_withdraw()
        self.assertFalse(self.form(SHIPPED, "amount", amount=5).is_second)

    def test_partial_refund_hints_at_refund_at_first_scan(self):
        self.assertNotIn("First Scan", self.form(SHIPPED).hints)
        self.assertIn("First Scan", self.form(SHIPPED, "amount", amount=5).hints)

    def test_refund_hints_at_the_lost_safe_t_claim(self):
        self.assertIn("SAFE-T", self.form(SHIPPED).hints)

    def test_blocked_order_gets_no_hints(self):
        request = self.request(UNSHIPPED)
        self.assertFalse(request.hints or request.problems)

    def test_what_changed_since_it_was_shown_is_refused_not_lowered(self):
        form = self.form(self.add_three(), "percent", percentage=100)
        self.assertEqual(form.total, 49.96)
        self.ask_refund(self.create_sale_order(THREE), amounts={"POT": 9.99})
        self.env.invalidate_all()
        request = form.save()
        request.is_second_meant = True
        with self.assertRaisesRegex(UserError, "For POT at most 0.00"):
            request.action_refund()
        self.assertEqual(request.order_id.reserved, 9.99)

    # === REASONS === #

    def test_reasons_that_fit_come_first(self):
        form = self.form(SHIPPED)
        self.assertTrue(form.fitting_reasons.startswith("CustomerReturn,"))
        form.mode = "goodwill"
        self.assertTrue(form.fitting_reasons.startswith("GeneralAdjustment,"))

    # === TAXES AND CURRENCIES === #

    def test_tax_that_is_charged_apart_is_refunded_in_proportion(self):
        form = self.form(US_GIFT, "percent", percentage=50)
        form.with_shipping = True
        action = self.confirm(form)
        parts = self.components(action)
        self.assertEqual(parts["NW-KETTLE-US-12", "Principal"], 44.99)
        self.assertEqual(parts["NW-KETTLE-US-12", "Tax"], 3.71)
        self.assertEqual(parts["NW-KETTLE-US-12", "ShippingTax"], 0.37)
        self.settle()
        self.assertEqual(action.state, "confirmed")

    def test_tax_alone_is_refused(self):
        form = self.form(US_GIFT, "components")
        for index in range(2):
            self.row(form, index, principal=0, shipping=0, gift_wrap=0, shipping_tax=0)
            self.row(form, index, gift_wrap_tax=0)
        self.assertIn("Tax alone", form.problems)
        with self.assertRaisesRegex(UserError, "Tax alone"):
            self.confirm(form)

    def test_where_prices_include_tax_no_tax_is_named(self):
        action = self.confirm(self.form("202-1735509-6648827"))
        self.assertFalse(
            {"Tax", "ShippingTax"} & set(action.line_ids.mapped("component"))
        )

    def test_yen_have_no_decimals(self):
        form = self.form(JP_GIFT, "percent", percentage=7)
        # 7 % of 5940 - 300 + 330 = 417.9
        self.assertEqual(form.total, 418)
        action = self.confirm(form)
        self.assertTrue(
            all(line.amount == int(line.amount) for line in action.line_ids)
        )
        self.settle()
        self.assertEqual(action.state, "confirmed")

    # === PROMOTIONS === #

    def test_promotion_is_taken_back_with_the_refund_to_the_cent(self):
        ref = TWO_PROMOTIONS
        amounts = []
        for _time in range(3):
            form = self.form(ref, "items")
            self.row(form, 0, quantity=1)
            if form.is_second:
                form.is_second_meant = True
            amounts.append(self.confirm(form))
            self.settle()
        self.assertEqual([action.state for action in amounts], ["confirmed"] * 3)
        rest = self.form(ref)
        if rest.total:
            rest.is_second_meant = True
            amounts.append(self.confirm(rest))
            self.settle()
        lines = self.env["amazon.action.line"].browse(
            [line.id for action in amounts for line in action.line_ids]
        )
        self.assertAlmostEqual(sum(lines.mapped("amount")), 80.86)
        self.assertAlmostEqual(sum(lines.mapped("discount")), 8.99)
        self.assertEqual(amounts[0].order_id.refundable, 0)

    def test_promotion_is_named_where_there_is_one(self):
        action = self.confirm(self.form(PROMOTION))
        (item,) = action._kind()._build_message(action).items
        (promotion,) = item.promotions
        self.assertEqual(promotion.promotion_id, "NORDLICHT-AUTUMN-5")
        self.assertEqual(str(promotion.amount), "-5.00")
        self.assertEqual(str(dict(item.components)["Principal"]), "49.99")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        (refund,) = self.simulator.ledger()["refunds"]
        self.assertEqual(refund["amount"], "48.48")

    # === WHAT AMAZON SHIPS === #

    def test_part_that_is_not_shipped_is_not_refundable(self):
        request = self.request(PARTIALLY_SHIPPED)
        self.assertLess(request.total, request.order_id.charged)

    def test_fba_percentage_is_recorded_by_hand(self):
        form = self.form(FBA_SHIPPED, "percent", percentage=10, note="By hand")
        self.assertFalse(form.hints)
        action = self.confirm(form)
        self.assertEqual(action.state, "assisted")


@tagged("post_install", "-at_install")
class TestFbaRefund(RefundCommon):
    """FBA orders: by feed where the account says so, else by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.fba_refund_by_feed = True

    def test_switched_on_it_is_sent_and_a_rejection_falls_back_to_recording(self):
        form = self.form(FBA_SHIPPED, "percent", percentage=10)
        self.assertFalse(form.is_assisted)
        self.assertIn("may reject", form.hints)
        action = self.confirm(form)
        self.assertEqual(action.state, "queued")
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertIn("record here", action.state_message)
        order = action.order_id
        self.assertEqual(order.reserved, 0)
        (row,) = self.panel_of(order, self.agent)["actions"]
        self.assertTrue(row["can_record"])

        opened = action.with_user(self.agent).action_record_by_hand()
        request = (
            self.env[opened["res_model"]].with_user(self.agent).browse(opened["res_id"])
        )
        self.assertTrue(request.is_assisted)
        self.assertEqual(request.total, action.amount)
        request.note = "Refunded 4.19 in Seller Central"
        request.action_refund()
        self.assertEqual(self.last_action().state, "assisted")
        self.assertEqual(self.last_action().amount, action.amount)

    def test_rejected_fee_is_recorded_with_the_fee(self):
        action = self.confirm(self.form(FBA_SHIPPED, restocking_fee=3))
        self.settle()
        opened = action.with_user(self.agent).action_record_by_hand()
        request = self.env[opened["res_model"]].browse(opened["res_id"])
        self.assertEqual(request.total, action.amount)

    def test_nothing_to_record_where_it_was_not_rejected(self):
        action = self.confirm(self.form(FBA_SHIPPED))
        self.assertFalse(
            self.panel_of(action.order_id, self.agent)["actions"][0]["can_record"]
        )
        with self.assertRaisesRegex(UserError, "not to be refunded"):
            action.with_user(self.agent).action_record_by_hand()

    def test_rejected_refund_of_the_sellers_own_order_is_not_recorded(self):
        action = self.confirm(self.form(SHIPPED))
        self.simulator.fault("report_error", order_id=SHIPPED, code="1", text="No")
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertIn("ask again", action.state_message)
        with self.assertRaisesRegex(UserError, "not to be refunded"):
            action.with_user(self.agent).action_record_by_hand()
        self.assertFalse(self.request(SHIPPED).is_assisted)

    def test_switch_is_journaled(self):
        self.account.fba_refund_by_feed = False
        entry = self.env["amazon.audit.entry"].sudo().search([], order="id desc")[:1]
        self.assertIn("FBA", entry.message)
