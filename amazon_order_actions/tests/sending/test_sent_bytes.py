from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.account.reasons import CANCEL_REASONS, REFUND_REASONS
from ...models.conversation.message import MESSAGE_TYPES
from ..common import (
    CANCEL_REQUESTED,
    CANCELLED,
    FBA_SHIPPED,
    FULLY_REFUNDED,
    GIFT_WRAPPED,
    MCF,
    PARTIALLY_SHIPPED,
    PARTLY_REFUNDED,
    PENDING,
    PROMOTION,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
)
from .wire import FOLDER, SentCommon

SENDING = "odoo.addons.amazon_order_actions.models.sending"

# Further orders of the simulator's seed (spapi_simulator/demo_orders.yaml).
TAX_APART = "202-1735509-6648827"  # GB
TWO_PROMOTIONS = "305-4402178-6613095"  # DE, three units
US_GIFT = "112-8840127-3305918"  # tax apart on item, shipping and gift wrap
JP_COD = "250-6184470-7729031"  # a fee for cash on delivery
JP_GIFT = "250-7731906-4482015"  # three units, gift wrap, 300 yen off
ON_HOLD = "SHOP-1001"  # a fulfillment order: 2 kettles, 1 blanket
PLANNING = "SHOP-1002"

KETTLE, MUGS, STRAINER = "NW-KESSEL-12-SW", "NW-BECHER-STEIN-BL", "NW-TEESIEB-FEIN"
LAMP, BULBS, HOOKS = "NW-LEUCHTE-TISCH-01", "NW-LED-E27-3ER", "NW-HAKEN-MESSING-4"

SENDER = "amazon@nordlicht.example"
BUYER = "8x2k1f0q9v3m7tz@marketplace.amazon.de"


@tagged("post_install", "-at_install")
class TestRecords(SentCommon):
    """The records themselves."""

    def test_each_record_belongs_to_a_test(self):
        tests = {
            name.removeprefix("test_")
            for case in (TestRefundBytes, TestCancelBytes, TestOtherBytes)
            for name in dir(case)
            if name.startswith("test_")
        }
        self.assertLessEqual({file.stem for file in FOLDER.glob("*")}, tests)


@tagged("post_install", "-at_install")
class TestRefundBytes(SentCommon):
    """Refunds leave as they were recorded."""

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

    def send(self, action):
        """Send what waits, and compare it."""
        self.run_jobs("_job_dispatch")
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "submitted")

    def refund(self, ref, **values):
        """Refund an order."""
        self.send(self.ask_refund(self.create_sale_order(ref), **values))

    def refund_by_items(self, ref, by_sku, **values):
        """Refund what is typed for each item.

        :param dict by_sku: values of the dialog's rows
        """
        request = self.open_request(self.create_sale_order(ref), "refund")
        request.write({"reason": "GeneralAdjustment", **values})
        for line in request.line_ids:
            line.write(by_sku.get(line.sku, {}))
        request.action_refund()
        self.send(self.last_action())

    # === HOW IT IS TYPED === #

    def test_full_refund(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "confirmed")

    def test_full_refund_with_gift_wrap_and_tax(self):
        self.refund(GIFT_WRAPPED)

    def test_amount_of_one_item(self):
        self.refund(GIFT_WRAPPED, amounts={STRAINER: 5})

    def test_amount_of_the_order(self):
        self.refund(GIFT_WRAPPED, mode="amount", amount=33.33)

    def test_units(self):
        self.refund_by_items(GIFT_WRAPPED, {MUGS: {"quantity": 3}}, mode="items")

    def test_units_with_shipping(self):
        self.refund_by_items(
            GIFT_WRAPPED, {MUGS: {"quantity": 1}}, mode="items", with_shipping=True
        )

    def test_percentage(self):
        self.refund(GIFT_WRAPPED, mode="percent", percentage=12.5)

    def test_percentage_with_shipping(self):
        self.refund(SHIPPED, mode="percent", percentage=20, with_shipping=True)

    def test_shipping_alone(self):
        self.refund(GIFT_WRAPPED, mode="shipping")

    def test_goodwill(self):
        self.refund(SHIPPED, mode="goodwill", amount=2.5)

    def test_components(self):
        parts = {"principal": 10, "shipping": 1.5, "gift_wrap": 2.25, "goodwill": 0.01}
        self.refund_by_items(GIFT_WRAPPED, {MUGS: parts}, mode="components")

    def test_restocking_fee(self):
        self.refund(GIFT_WRAPPED, restocking_fee=7)

    def test_rest_of_what_is_partly_refunded(self):
        self.refund(PARTLY_REFUNDED)

    def test_each_reason(self):
        sale_order = self.create_sale_order(SHIPPED)
        for reason, _label in REFUND_REASONS:
            self.ask_refund(sale_order, amounts={KETTLE: 1}, reason=reason)
        self.run_jobs("_job_dispatch")
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assertEqual(len(sale_order.amazon_action_ids), len(REFUND_REASONS))
        self.assert_sent_as_recorded()

    # === PROMOTIONS, TAXES, CURRENCIES === #

    def test_promotion_in_pounds(self):
        self.refund(PROMOTION)

    def test_part_of_a_promotion_in_pounds(self):
        self.refund(PROMOTION, mode="percent", percentage=50)

    def test_two_promotions(self):
        self.refund(TWO_PROMOTIONS)

    def test_tax_apart_in_pounds(self):
        self.refund(TAX_APART)

    def test_tax_apart_in_dollars(self):
        self.refund(US_GIFT)

    def test_part_of_a_tax_in_dollars(self):
        self.refund(US_GIFT, mode="percent", percentage=33)

    def test_yen_with_gift_wrap_and_promotion(self):
        self.refund(JP_GIFT)

    def test_part_in_yen(self):
        self.refund(JP_GIFT, mode="percent", percentage=33)

    def test_yen_with_cash_on_delivery(self):
        self.refund(JP_COD)

    def test_order_that_amazon_ships(self):
        self.account.fba_refund_by_feed = True
        self.simulator.change(fba_refunds=True)
        self.refund(FBA_SHIPPED)

    # === SEVERAL === #

    def test_three_orders_in_an_envelope(self):
        for ref in (SHIPPED, GIFT_WRAPPED, PARTLY_REFUNDED):
            self.ask_refund(self.create_sale_order(ref))
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assert_sent_as_recorded()

    def test_two_refunds_of_an_order_in_an_envelope(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        self.ask_refund(sale_order, amounts={MUGS: 5})
        self.ask_refund(sale_order, amounts={MUGS: 6, STRAINER: 1})
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assert_sent_as_recorded()

    def test_one_refund_after_the_other(self):
        sale_order = self.create_sale_order(SHIPPED)
        for amount in (10, 11):
            self.ask_refund(sale_order, amounts={KETTLE: amount})
            self.settle()
        self.assertEqual(self.operations().count("createFeed"), 2)
        self.assert_sent_as_recorded()

    def test_each_marketplace_has_an_envelope(self):
        for ref in (SHIPPED, PROMOTION, US_GIFT, JP_GIFT):
            self.ask_refund(self.create_sale_order(ref))
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 4)
        self.assert_sent_as_recorded()

    def test_cancelled_units_and_a_refund_in_an_envelope(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.ask_cancel_items(self.create_sale_order(THREE_UNITS), {HOOKS: 2})
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assert_sent_as_recorded()

    # === WHERE SOMETHING GOES WRONG === #

    def test_rejected_refund_asked_for_again(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.simulator.fault("report_error", order_id=SHIPPED, code="18028", text="No")
        first = self.ask_refund(sale_order)
        self.settle()
        second = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual((first.state, second.state), ("rejected", "confirmed"))
        self.assert_sent_as_recorded()

    def test_item_that_amazon_rejects_is_asked_for_again(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        self.simulator.fault(
            "item_error",
            order_id=GIFT_WRAPPED,
            order_item_id="147645420375121",
            others_executed=True,
        )
        self.ask_refund(sale_order)
        self.settle()
        again = self.ask_refund(sale_order)
        self.settle()
        self.assertEqual(again.state, "confirmed")
        self.assert_sent_as_recorded()

    def test_throttled_feed_is_sent_later(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("throttle", "createFeed", times=1)
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "queued")
        self.env.flush_all()
        self.env.cr.execute("UPDATE amazon_quota SET tokens = burst")
        self.env.invalidate_all()
        self.settle()
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "confirmed")

    def test_feed_without_an_answer_is_not_sent_again(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.simulator.fault("cut_before", "createFeed", times=1)
        with mute_logger(f"{SENDING}.dispatch"):
            self.settle()
        self.assertEqual(action.state, "unknown")
        self.assert_sent_as_recorded()

    def test_feed_that_is_dropped(self):
        self.simulator.reset(processing_seconds=60, quotas=False)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        action.feed_id.processing_status = "IN_QUEUE"
        action.with_user(self.agent).action_cancel_feed()
        self.settle()
        self.assertEqual(action.state, "withdrawn")
        self.assert_sent_as_recorded()

    def test_nothing_leaves_of_what_is_refused_withdrawn_or_recorded(self):
        for ref in (CANCELLED, FULLY_REFUNDED, UNSHIPPED, PENDING, MCF):
            with self.subTest(ref), self.assertRaises(UserError):
                self.ask_refund(self.create_sale_order(ref))
        self.ask_refund(self.create_sale_order(FBA_SHIPPED), note="Case 1234")
        withdrawn = self.ask_refund(self.create_sale_order(SHIPPED))
        withdrawn.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(self.sent, [])


@tagged("post_install", "-at_install")
class TestCancelBytes(SentCommon):
    """Cancellations leave as they were recorded."""

    def cancel(self, ref, **values):
        action = self.ask_cancel(self.create_sale_order(ref), **values)
        self.settle()
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "confirmed")

    def cancel_units(self, ref, units, **values):
        action = self.ask_cancel_items(self.create_sale_order(ref), units, **values)
        self.settle()
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "confirmed")

    def test_cancelled_order(self):
        self.cancel(UNSHIPPED)

    def test_order_that_the_buyer_asked_to_cancel(self):
        self.cancel(CANCEL_REQUESTED, reason="BuyerCanceled")

    def test_each_reason_to_cancel(self):
        for number, (reason, _label) in enumerate(CANCEL_REASONS):
            ref = f"302-0000000-{number:07}"
            self.simulator.add_order(
                {
                    "id": ref,
                    "marketplace": "DE",
                    "status": "unshipped",
                    "purchased": "5 hours ago",
                    "items": [
                        {
                            "id": f"{147645420390000 + number}",
                            "sku": "NW-TEESIEB-FEIN",
                            "asin": "B09Y2QH6XR",
                            "title": "Teesieb",
                            "price": 11.49,
                        }
                    ],
                }
            )
            self.ask_cancel(self.create_sale_order(ref), reason=reason)
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assert_sent_as_recorded()

    def test_cancellation_by_a_call(self):
        self.account.cancel_by_rest = True
        self.simulator.change(rest_cancellation="on")
        self.cancel(UNSHIPPED)

    def test_cancellation_by_feed_where_the_call_is_forbidden(self):
        self.account.cancel_by_rest = True
        self.simulator.change(rest_cancellation="forbidden")
        with mute_logger(f"{SENDING}.call"):
            self.cancel(UNSHIPPED)

    def test_cancellation_by_feed_where_the_call_is_not_found(self):
        self.account.cancel_by_rest = True
        self.simulator.change(rest_cancellation="not_found")
        with mute_logger(f"{SENDING}.call"):
            self.cancel(UNSHIPPED)

    def test_cancelled_units(self):
        self.cancel_units(THREE_UNITS, {HOOKS: 2}, items_reason="CustomerCancel")

    def test_cancelled_units_of_two_items(self):
        self.cancel_units(UNSHIPPED, {LAMP: 1, BULBS: 1})

    def test_rest_of_what_is_partly_shipped_is_cancelled(self):
        self.cancel_units(PARTIALLY_SHIPPED, {"NW-COUTEAU-OFFICE": 1})

    def test_two_orders_and_a_number_in_an_envelope(self):
        self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.ask_cancel(self.create_sale_order(THREE_UNITS))
        request = self.open_request(self.create_sale_order(SHIPPED), "order_number")
        request.merchant_order_id = "S-1"
        request.action_send_number()
        self.settle()
        self.assertEqual(self.operations().count("createFeed"), 1)
        self.assert_sent_as_recorded()

    def test_nothing_leaves_of_what_cannot_be_cancelled(self):
        for ref in (CANCELLED, SHIPPED):
            with self.subTest(ref), self.assertRaises(UserError):
                self.ask_cancel(self.create_sale_order(ref))
        shipped_meanwhile = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.simulator.happen(UNSHIPPED, "ship")
        self.settle()
        self.assertEqual(shipped_meanwhile.state, "blocked")
        self.assertEqual(self.sent, [])


@tagged("post_install", "-at_install")
class TestOtherBytes(SentCommon):
    """Shipments, numbers, changes and messages leave as they were recorded."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account.write(
            {
                "messaging_enabled": True,
                "approved_sender": SENDER,
                "shop_name": "Nordlicht Wohnen",
            }
        )
        # no server replaces the sender
        cls.env["ir.mail_server"].search([]).active = False
        cls.buyer = cls.env["res.partner"].create({"name": "A buyer", "email": BUYER})

    def confirm(self, action):
        self.settle()
        self.assert_sent_as_recorded()
        self.assertEqual(action.state, "confirmed")

    # === SHIPMENTS === #

    def test_shipment(self):
        self.confirm(self.ask_ship(self.create_sale_order(UNSHIPPED)))

    def test_shipment_with_a_method(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.confirm(self.ask_ship(sale_order, shipping_method=" Päckchen "))

    def test_shipment_by_another_carrier(self):
        self.confirm(
            self.ask_ship(
                self.create_sale_order(UNSHIPPED),
                carrier_code="Other",
                carrier_name="Fahrradkurier Elbe",
                tracking_number=" 0034 0434 16 ",
            )
        )

    def test_two_packages(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_ship(sale_order, units={LAMP: 1, BULBS: 1})
        self.confirm(self.ask_ship(sale_order, tracking_number="00340434161095"))

    def test_rest_of_what_is_partly_shipped(self):
        self.confirm(self.ask_ship(self.create_sale_order(PARTIALLY_SHIPPED)))

    # === NUMBERS === #

    def test_order_number(self):
        request = self.open_request(self.create_sale_order(UNSHIPPED), "order_number")
        request.merchant_order_id = "WEB 2026/17-a"
        request.action_send_number()
        self.confirm(self.last_action())

    # === FULFILLMENT ORDERS === #

    def change(self, units=None, **values):
        """Change a fulfillment order.

        :param dict units: new units by SKU
        """
        sale_order = self.create_sale_order(amazon_fulfillment_ref=ON_HOLD)
        request = self.open_request(sale_order, "fulfillment")
        request.write(values)
        for line in request.line_ids:
            line.new_units = (units or {}).get(line.sku, line.new_units)
        request.action_change()
        self.confirm(self.last_action())

    def test_change_of_everything(self):
        self.change(
            units={"NW-KESSEL-12-SW-FBA": 1},
            new_speed="Priority",
            new_action="Ship",
            new_comment="Viel  Freude damit, Größe L",
            with_address=True,
            address_name="Frieda Neumann",
            address_line1="Lindenallee 77",
            address_line2="Hinterhaus",
            address_city="Lübeck",
            address_postal_code="23552",
            address_country_id=self.env.ref("base.de").id,
            address_phone="555-0199",
        )

    def test_change_of_the_speed(self):
        self.change(new_speed="Expedited")

    def test_change_of_the_units(self):
        self.change(units={"NW-KESSEL-12-SW-FBA": 1})

    def test_release(self):
        self.change(new_action="Ship")

    def test_cancelled_fulfillment_order(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=PLANNING)
        self.open_request(sale_order, "cancel").action_cancel_order()
        self.confirm(self.last_action())

    # === WHAT BUYERS READ === #

    def reply(self, ref, **values):
        sale_order = self.create_sale_order(ref, partner_id=self.buyer.id)
        request = self.open_request(sale_order, "reply")
        request.write(values)
        request.action_send()
        return self.last_action()

    def test_message_of_each_type(self):
        types = [name for name, _label in MESSAGE_TYPES]
        self.simulator.happen(SHIPPED, "message_types", types=types)
        for name in types:
            action = self.reply(
                SHIPPED,
                way="message",
                message_type=name,
                text="Der Karton war beschädigt.\nWir packen neu: „heute“.",
            )
            self.settle()
            self.assertEqual(action.state, "accepted", name)
        self.assert_sent_as_recorded()

    def test_mail(self):
        self.reply(
            UNSHIPPED,
            way="mail",
            subject=f"Ihre Bestellung {UNSHIPPED}",
            text=f"Guten Tag,\n\nIhre Bestellung {UNSHIPPED} verlässt uns heute.\n",
        )
        self.note_mails()
        self.assert_sent_as_recorded()

    def test_refund_with_a_reply(self):
        sale_order = self.create_sale_order(SHIPPED, partner_id=self.buyer.id)
        action = self.ask_refund(sale_order, reply_state="accepted")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.note_mails()
        self.assert_sent_as_recorded()

    def test_nothing_leaves_of_what_cannot_be_shipped_or_numbered(self):
        for ref in (CANCELLED, PENDING, FBA_SHIPPED):
            sale_order = self.create_sale_order(ref)
            number = self.open_request(sale_order, "order_number")
            number.merchant_order_id = "S-1"
            with self.subTest(ref):
                with self.assertRaises(UserError):
                    self.ask_ship(sale_order)
                with self.assertRaises(UserError):
                    number.action_send_number()
        self.settle()
        self.assertEqual(self.sent, [])
