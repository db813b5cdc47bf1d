from odoo import fields
from odoo.tests import Form, tagged

from .. import common
from ..common import (
    GIFT_WRAPPED,
    NOWHERE,
    PARTIALLY_SHIPPED,
    PARTLY_REFUNDED,
    SHIPPED,
    AmazonOrderCommon,
)

AMOUNTS = ("charged", "refunded", "reserved", "refundable")

# All orders of the simulator's seed that the tests know by name.
SEED = [
    value
    for name, value in sorted(vars(common).items())
    if name.isupper()
    and isinstance(value, str)
    and value != NOWHERE
    and not name.startswith("FEED")
]


class OrderPanelCommon(AmazonOrderCommon):
    """What is shown of an order in a document, and counts what that costs."""

    def create_document(self, ref):
        return self.create_sale_order(ref)

    def panel(self, document, user=None):
        return document.with_user(user or self.agent).amazon_order_panel["order"]

    def create_alarm(self):
        now = fields.Datetime.now()
        return self.env["amazon.alarm"].create(
            {
                "company_id": self.company.id,
                "account_id": self.account.id,
                "kind": "waiting",
                "since": now,
                "last_seen": now,
                "message": "Nothing moves.",
            }
        )

    def count_queries(self, read):
        """Return the queries of a reading with empty caches, after a first one."""
        counts = []
        for _time in range(2):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            read()
            counts.append(self.env.cr.sql_log_count - before)
        return counts[-1]

    def create_busy(self):
        """Create a document about an order of ten items, with 20 past actions."""
        document = self.create_document(GIFT_WRAPPED)
        item = document.amazon_order_id.line_ids[0]
        for number in range(8):
            name = f"more-{number}"
            copied = item.copy({"amazon_item_ref": name, "sku": name})
            item.charge_ids[0].copy({"line_id": copied.id})
        for _number in range(20):
            action = self.ask_refund(document, amounts={item.sku: 0.5})
            action.with_user(self.agent).action_withdraw()
        self.assertEqual(len(self.panel(document)["lines"]), 10)
        self.assertEqual(len(self.panel(document)["actions"]), 20)
        return document

    def without_amazon(self, specification):
        return {k: v for k, v in specification.items() if "amazon" not in k}


@tagged("post_install", "-at_install")
class TestOrderPanel(OrderPanelCommon):
    """What the panel shows of an order, and what showing it costs."""

    # === BEFORE THERE IS AN ORDER === #

    def test_number_that_is_being_typed_is_not_said_to_be_without_account(self):
        with Form(self.create_sale_order()) as form:
            form.amazon_order_ref = SHIPPED
            self.assertFalse(any(form.amazon_order_panel.values()))

    def test_saved_number_without_account_is_said_in_a_sentence(self):
        self.account.active = False
        sale_order = self.create_sale_order(SHIPPED)
        self.assertFalse(sale_order.amazon_order_panel["order"])
        self.assertIn("No Amazon account", sale_order.amazon_order_panel["notice"])

    # === AMOUNTS === #

    def assert_same_amounts(self, order):
        """Compare what the panel reads in bulk with the fields that checks go by."""
        panel = self.panel_of(order)
        records = [(panel["totals"], order)]
        self.assertEqual(len(panel["lines"]), len(order.line_ids))
        records += zip(panel["lines"], order.line_ids, strict=True)
        for shown, record in records:
            for name in AMOUNTS:
                with self.subTest(order=order.amazon_order_ref, record=record):
                    self.assertAlmostEqual(shown[name], record[name], msg=name)

    def test_amounts_are_those_that_the_checks_go_by_for_every_order(self):
        self.assertGreater(len(SEED), 12)
        for ref in SEED:
            self.assert_same_amounts(self.create_sale_order(ref).amazon_order_id)

    def test_amounts_are_those_that_the_checks_go_by_after_refunds(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        order = sale_order.amazon_order_id
        self.ask_refund(sale_order, amounts={order.line_ids[0].sku: 3.33})
        self.assert_same_amounts(order)
        item = order.line_ids[1]
        self.refund_elsewhere(GIFT_WRAPPED, item.amazon_item_ref, "7.77")
        order._read_from_amazon()
        self.assertTrue(order.refunded)
        self.assert_same_amounts(order)

    def test_amounts_of_a_part_of_an_item_are_rounded_alike(self):
        order = self.create_sale_order(PARTIALLY_SHIPPED).amazon_order_id
        order.line_ids.write({"quantity_ordered": 3, "quantity_fulfilled": 1})
        self.assert_same_amounts(order)

    def test_refund_that_fits_no_item_lowers_what_is_left_of_the_order(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        self.env["amazon.order.refund"].create(
            {"order_id": order.id, "amount": 40, "event_key": "goodwill"}
        )
        self.assert_same_amounts(order)
        self.assertAlmostEqual(self.panel_of(order)["totals"]["refundable"], 4.94)

    def test_refund_that_nobody_asked_for_here_is_shown_apart(self):
        sale_order = self.create_sale_order(PARTLY_REFUNDED)
        panel = self.panel(sale_order)
        self.assertAlmostEqual(panel["refunded_elsewhere"], 59.50)
        self.assertTrue(fields.Datetime.to_datetime(panel["refunded_elsewhere_at"]))

    def test_refund_that_was_asked_for_here_is_not_shown_as_another(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order)
        self.settle()
        sale_order.invalidate_recordset()
        panel = self.panel(sale_order)
        self.assertEqual(panel["actions"][0]["state"], "confirmed")
        self.assertFalse(panel["refunded_elsewhere"])
        self.assertFalse(panel["refunded_elsewhere_at"])

    def test_order_that_is_not_read_yet_has_no_amounts(self):
        panel = self.panel(self.create_sale_order(SHIPPED, read=False))
        self.assertFalse(panel["currency"])
        self.assertFalse(panel["lines"])

    def test_currency_that_is_not_active_is_named(self):
        sale_order = self.create_sale_order(SHIPPED)
        currency = sale_order.amazon_order_id.currency_id
        self.env.cr.execute(
            "UPDATE res_currency SET active = FALSE WHERE id = %s", [currency.id]
        )
        self.env.registry.clear_cache("stable")
        self.env.invalidate_all()
        self.assertEqual(self.panel(sale_order)["currency"]["name"], "EUR")

    # === WHAT NEEDS ATTENTION === #

    def test_alarms_of_the_account_are_shown(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.assertEqual(self.panel(sale_order)["alarms"], [])
        self.create_alarm()
        self.env.invalidate_all()
        (alarm,) = self.panel(sale_order)["alarms"]
        self.assertEqual(alarm["message"], "Nothing moves.")

    def test_unknown_outcome_that_waits_for_a_person_can_be_decided(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        action._set_sending()
        action._set_unknown("Nobody knows.")
        self.env.invalidate_all()
        self.assertFalse(self.panel(sale_order)["actions"][0]["can_decide"])
        action._hand_to_person("Nobody can find out.")
        self.env.invalidate_all()
        self.assertTrue(self.panel(sale_order)["actions"][0]["can_decide"])
        self.env.invalidate_all()
        seen = self.panel(sale_order, self.trainee)["actions"][0]
        self.assertFalse(seen["can_decide"])

    # === WHAT IT COSTS === #

    def test_form_costs_at_most_four_queries_more(self):
        sale_order = self.create_busy().with_user(self.agent)
        self.create_alarm()
        specification = Form(sale_order)._view["fields_spec"]
        self.assertIn("amazon_order_panel", specification)
        bare = self.without_amazon(specification)
        more = self.count_queries(
            lambda: sale_order.web_read(specification)
        ) - self.count_queries(lambda: sale_order.web_read(bare))
        self.assertLessEqual(more, 4)

    def test_form_costs_the_same_however_much_was_asked(self):
        quiet = self.create_sale_order(SHIPPED).with_user(self.agent)
        busy = self.create_busy().with_user(self.agent)
        specification = {"amazon_order_panel": {}}
        self.assertEqual(
            self.count_queries(lambda: busy.web_read(specification)),
            self.count_queries(lambda: quiet.web_read(specification)),
        )
