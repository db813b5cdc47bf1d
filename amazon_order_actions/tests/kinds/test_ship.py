from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import (
    CANCEL_REQUESTED,
    CANCELLED,
    FBA_UNSHIPPED,
    MCF,
    PARTIALLY_SHIPPED,
    PENDING,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

LAMP, BULBS = "NW-LEUCHTE-TISCH-01", "NW-LED-E27-3ER"


class ShipCase(AmazonOrderCommon):
    def shipments(self, ref=UNSHIPPED):
        rows = self.simulator.ledger()["shipments"]
        return [row for row in rows if row["order_id"] == ref]


@tagged("post_install", "-at_install")
class TestShip(ShipCase):
    """An agent tells Amazon of the package that left."""

    # === the good way === #

    def test_shipment_is_confirmed_and_the_buyer_charged_once(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_ship(sale_order, shipping_method="Paket")
        self.assertIn("00340434161094", self.notes(sale_order)[0])
        self.settle()
        self.assertEqual(action.state, "confirmed")
        (row,) = self.shipments()
        self.assertEqual(row["items"], {"147645420375012": 1, "147645420375013": 2})
        self.assertEqual(row["carrier_code"], "DHL")
        self.assertEqual(row["shipping_method"], "Paket")
        self.assertEqual(row["tracking_number"], "00340434161094")
        self.assertEqual(row["amount"], "80.88")
        self.assertIn("as shipped", self.notes(sale_order)[0])
        self.assertEqual(action.order_id.fulfillment_status, "SHIPPED")

    def test_several_packages_are_an_action_each_with_a_number_of_its_own(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        first = self.ask_ship(sale_order, units={LAMP: 1, BULBS: 1})
        request = self.open_request(sale_order, "ship")
        self.assertEqual(
            {line.sku: line.quantity for line in request.line_ids}, {BULBS: 1}
        )
        second = self.ask_ship(sale_order, tracking_number="00340434161095")
        self.settle()
        self.assertEqual((first | second).mapped("state"), ["confirmed"] * 2)
        self.assertEqual(
            [row["package_reference_id"] for row in self.shipments()], ["1", "2"]
        )

    def test_dialog_opens_again_for_another_package(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        request = self.open_request(sale_order, "ship")
        request.write({"carrier_code": "DPD", "tracking_number": "1"})
        request.line_ids[0].quantity = 0
        window = request.action_ship_and_next()
        self.assertNotEqual(window["res_id"], request.id)
        self.assertEqual(window["res_model"], request._name)

    def test_number_of_a_package_that_amazon_has_is_not_used_again(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_ship(sale_order, units={BULBS: 1})
        self.ship_elsewhere(action, reference="5")
        action.with_user(self.agent).action_withdraw()
        action.order_id._read_from_amazon()
        again = self.ask_ship(sale_order)
        self.assertEqual(again._kind()._package(again)["packageReferenceId"], "6")
        self.settle()
        self.assertEqual(again.state, "confirmed")

    def test_rest_of_a_partly_shipped_order_can_be_shipped(self):
        action = self.ask_ship(self.create_sale_order(PARTIALLY_SHIPPED))
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(
            self.shipments(PARTIALLY_SHIPPED)[0]["items"], {"147645420376102": 1}
        )

    def test_carrier_that_amazon_does_not_list_goes_by_its_name(self):
        self.ask_ship(
            self.create_sale_order(UNSHIPPED),
            carrier_code="Other",
            carrier_name="Fahrradkurier Elbe",
        )
        self.settle()
        self.assertEqual(self.shipments()[0]["carrier_name"], "Fahrradkurier Elbe")

    def test_blanks_in_a_tracking_number_are_left_out(self):
        action = self.ask_ship(
            self.create_sale_order(UNSHIPPED), tracking_number=" 0034 0434 16 "
        )
        self.assertEqual(
            action._kind()._package(action)["trackingNumber"], "0034043416"
        )

    def test_double_click_asks_once(self):
        request = self.open_request(self.create_sale_order(UNSHIPPED), "ship")
        request.write({"carrier_code": "DHL", "tracking_number": "1"})
        request.action_ship()
        request.action_ship()
        self.assertEqual(len(request.order_id.sudo().action_ids), 1)

    def test_asking_from_the_sale_order_works_as_well(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertEqual(action.state, "confirmed")

    # === blocked === #

    def test_orders_that_the_seller_does_not_ship_are_blocked_in_words(self):
        for ref, words in (
            (FBA_UNSHIPPED, "Amazon ships this order"),
            (MCF, "Amazon ships this order"),
            (PENDING, "checking the payment"),
            (CANCELLED, "is cancelled"),
            (SHIPPED, "shipped already"),
        ):
            with self.subTest(ref):
                sale_order = self.create_sale_order(ref)
                self.assertIn(words, self.open_request(sale_order, "ship").blockers)
                with self.assertRaisesRegex(UserError, words):
                    self.ask_ship(sale_order)

    def test_order_that_is_not_read_is_blocked(self):
        sale_order = self.create_sale_order(UNSHIPPED, read=False)
        self.assertIn("not been read", self.open_request(sale_order, "ship").blockers)

    def test_asked_for_cancellation_blocks_it(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        cancellation = self.ask_cancel(sale_order)
        self.assertIn(cancellation.name, self.open_request(sale_order, "ship").blockers)

    def test_units_that_are_all_asked_for_block_another_package(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_ship(sale_order)
        self.assertIn("Nothing is left", self.open_request(sale_order, "ship").blockers)

    def test_buyers_wish_to_cancel_is_a_warning(self):
        request = self.open_request(self.create_sale_order(CANCEL_REQUESTED), "ship")
        self.assertFalse(request.blockers)
        self.assertIn("asks in Your Orders to cancel", request.warnings)

    def test_what_is_not_filled_in_is_said(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        order = sale_order.amazon_order_id
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        for values, words in (
            ({"carrier_code": False}, "Choose the carrier"),
            ({"carrier_code": "Other"}, "name of the carrier"),
            ({"tracking_number": " "}, "tracking number"),
            ({"tracking_number": "A1, A2"}, "one tracking number"),
            ({"ship_date": False}, "when the parcel left"),
            ({"ship_date": tomorrow}, "in the future"),
            (
                {"ship_date": order.purchased_at - timedelta(hours=1)},
                "before the purchase",
            ),
            ({"units": {}}, "how many units"),
            ({"units": {BULBS: 3}}, "2 can still be shipped, not 3"),
        ):
            with self.subTest(words), self.assertRaisesRegex(UserError, words):
                self.ask_ship(sale_order, **values)
        self.assertFalse(order.action_ids)

    # === while it waits === #

    def test_units_that_somebody_else_shipped_meanwhile_block_it(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.ship_elsewhere(action, reference="7")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertIn("shipped already", action.state_message)
        self.assertEqual(len(self.shipments()), 1)

    def test_number_that_somebody_else_used_meanwhile_blocks_it(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_ship(sale_order, units={BULBS: 1})
        self.ship_elsewhere(action, reference="1")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertIn("Somebody else", action.state_message)

    def test_cancellation_at_amazon_meanwhile_blocks_it(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.cancel_elsewhere(action.order_id)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertEqual(self.shipments(), [])

    def ship_elsewhere(self, action, reference):
        method, (ref, market, package) = action._kind()._build_call(action)
        package = {**package, "packageReferenceId": reference, "trackingNumber": "X"}
        with self.account._client() as client:
            getattr(client, method)(ref, market, package)

    def test_undone_shipment_leaves_the_units_to_others(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_ship(sale_order)
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertFalse(self.open_request(sale_order, "ship").blockers)
        self.settle()
        self.assertEqual(self.shipments(), [])

    def test_rejected_shipment_leaves_the_units_to_another_try(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_ship(sale_order)
        package = {**action._kind()._package(action), "carrierCode": "Brieftaube"}
        action.details = {**action.details, "package": package}
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertIn("Brieftaube", self.notes(sale_order)[0])
        again = self.ask_ship(sale_order)
        self.settle()
        self.assertEqual(again.state, "confirmed")

    # === who may === #

    def test_trainee_may_not_ask(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "ship", self.trainee)

    def test_other_company_does_nothing(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        company = self._create_company(name="Strangers")
        self.agent.write(
            {"company_ids": [Command.set(company.ids)], "company_id": company.id}
        )
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "ship")
        with self.assertRaises(AccessError):
            self.env["amazon.ship.request"].with_user(self.agent).with_context(
                allowed_company_ids=company.ids
            ).create(
                {
                    "order_id": sale_order.amazon_order_id.id,
                    "origin_model": sale_order._name,
                    "origin_id": sale_order.id,
                }
            )

    def test_details_are_for_the_program_alone(self):
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        with self.assertRaises(AccessError):
            action.with_user(self.agent).read(["details"])
