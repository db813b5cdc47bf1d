from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.action.reservation import ActionRequest
from ..common import MCF, SHIPPED, AmazonOrderCommon

CALLS = "odoo.addons.amazon_order_actions.models.sending.call"

# Fulfillment orders of the simulator's seed (spapi_simulator/demo_orders.yaml).
ON_HOLD = "SHOP-1001"  # two items: 2 kettles, 1 blanket
PLANNING = "SHOP-1002"
PROCESSING = "SHOP-1003"
COMPLETE = "SHOP-1004"  # one package

# Of the address at Amazon, and of the new one.
OLD_ADDRESS = ("Erika Beispiel", "Musterweg 12", "Hamburg", "20095", "0000000")
# None of it can stand in a digest or a time by chance.
NEW_ADDRESS = ("Frieda Neumann", "Lindenallee 77", "Lübeck", "HL-23552", "555-0199")


class McfCommon(AmazonOrderCommon):
    """Fulfillment orders at the simulator, and how an agent acts on them."""

    def create_mcf_sale_order(self, ref=ON_HOLD, **values):
        return self.create_sale_order(amazon_fulfillment_ref=ref, **values)

    def ask_change(self, document, user=None, quantities=None, **values):
        """Ask for a change as an agent does, and return the action.

        :param dict quantities: new units by SKU
        """
        request = self.open_request(document, "fulfillment", user)
        request.write(values)
        for line in request.line_ids:
            line.new_units = (quantities or {}).get(line.sku, line.new_units)
        request.action_change()
        return self.last_action()

    def ask_mcf_cancel(self, document, user=None):
        """Ask for the cancellation as an agent does, and return the action."""
        self.open_request(document, "cancel", user).action_cancel_order()
        return self.last_action()

    def new_address(self):
        """Return the values of the dialog with a new address."""
        name, line, city, postal_code, phone = NEW_ADDRESS
        return {
            "with_address": True,
            "address_name": name,
            "address_line1": line,
            "address_city": city,
            "address_postal_code": postal_code,
            "address_country_id": self.env.ref("base.de").id,
            "address_phone": phone,
        }

    def send(self, action):
        """Let an action have been asked a while ago, and make its call."""
        action.order_id.complete_at -= timedelta(seconds=10)
        action.asked_at -= timedelta(seconds=5)
        with mute_logger(CALLS):
            return self.run_jobs("_job_call")

    def look(self):
        """Look once for the outcome of each call."""
        return self.run_jobs("_job_look")

    def age(self, action, **span):
        """Let the call of an action have been made so long ago."""
        action.call_id.sending_at -= timedelta(**span)

    def add_order(self, ref="TEST-1", **seed):
        """Add a fulfillment order to the simulator, or take its place."""
        self.simulator.add_fulfillment_order(
            {
                "id": ref,
                "marketplace": "DE",
                "status": "received",
                "address": {
                    "name": "F. Neumann",
                    "addressLine1": "Lindenallee 77",
                    "city": "Luebeck",
                    "postalCode": "23552",
                    "countryCode": "DE",
                },
                **seed,
                "items": [{"quantity": 2, **item} for item in seed["items"]],
            }
        )

    def calls(self, operation):
        return self.simulator.ledger()["calls"].get(operation, 0)


@tagged("post_install", "-at_install")
class TestFulfillmentOrder(McfCommon):
    """A fulfillment order is found by its id and read by itself."""

    def test_documents_know_their_fulfillment_order(self):
        sale_order = self.create_sale_order(amazon_fulfillment_ref=f" {ON_HOLD} ")
        self.assertEqual(sale_order.amazon_fulfillment_ref, ON_HOLD)
        order = self.create_mcf_sale_order().amazon_order_id
        self.assertEqual(sale_order.amazon_order_id, order)
        self.assertEqual(order.channel, "mcf")
        self.assertTrue(order.is_fulfillment_order)
        self.assertEqual(order.read_state, "read")
        self.assertEqual(order.marketplace, "A1PA6795UKMFR9")
        self.assertEqual(order.mcf_status, "RECEIVED")
        self.assertEqual(order.mcf_speed, "Standard")
        self.assertEqual(order.mcf_action, "Hold")
        self.assertEqual(order.mcf_policy, "FillAll")
        self.assertIn("Vielen Dank", order.mcf_comment)
        self.assertEqual(
            [(line.amazon_item_ref, line.quantity_ordered) for line in order.line_ids],
            [("SHOP-1001-1", 2), ("SHOP-1001-2", 1)],
        )
        self.assertEqual(self.calls("getOrder"), 0)
        self.assertEqual(self.calls("listFinancialEventsByOrderId"), 0)

    def test_amazons_number_counts_where_both_are_there(self):
        sale_order = self.create_sale_order(SHIPPED, amazon_fulfillment_ref=ON_HOLD)
        self.assertEqual(sale_order.amazon_order_id.amazon_order_ref, SHIPPED)
        sale_order.amazon_order_ref = False
        self.assertEqual(sale_order.amazon_order_id.amazon_order_ref, ON_HOLD)
        sale_order.amazon_fulfillment_ref = False
        self.assertFalse(sale_order.amazon_order_id)

    def test_orders_api_order_with_channel_mcf_stays_as_it_is(self):
        order = self.create_sale_order(MCF).amazon_order_id
        self.assertEqual(order.channel, "mcf")
        self.assertFalse(order.is_fulfillment_order)
        self.assertEqual(self.calls("getFulfillmentOrder"), 0)

    def test_id_that_cannot_be_one_is_refused_in_words(self):
        for ref, problem in ((SHIPPED, "Amazon's"), ("X" * 41, "at most 40")):
            with (
                self.subTest(ref),
                self.assertRaisesRegex(ValidationError, problem),
            ):
                self.create_sale_order(amazon_fulfillment_ref=ref)

    def test_unknown_id_is_said_in_words(self):
        order = self.create_mcf_sale_order("SHOP-NOWHERE").amazon_order_id
        self.assertEqual(order.read_state, "refused")
        self.assertIn("does not know the order SHOP-NOWHERE", order.read_message)

    def test_missing_role_is_said_and_does_not_close_the_account(self):
        self.simulator.fault("forbidden", "getFulfillmentOrder")
        order = self.create_mcf_sale_order().amazon_order_id
        self.assertEqual(order.read_state, "refused")
        self.assertIn("roles", order.read_message)
        self.assertFalse(self.account.access_refused_at)

    def test_packages_are_shown_with_tracking(self):
        sale_order = self.create_mcf_sale_order(COMPLETE)
        panel = sale_order.with_user(self.agent).amazon_order_panel["order"]
        self.assertEqual(panel["status_label"], "Complete")
        (package,) = panel["fulfillment"]["packages"]
        self.assertEqual(package["carrier_code"], "Amazon Logistics")
        self.assertEqual(package["tracking_number"], "DE4400218837")

    def test_panel_shows_fulfillment_and_no_money(self):
        sale_order = self.create_mcf_sale_order()
        panel = sale_order.with_user(self.agent).amazon_order_panel["order"]
        self.assertEqual(panel["status_label"], "Received")
        self.assertFalse(panel["currency"])
        self.assertTrue(panel["fulfillment"]["is_on_hold"])
        self.assertEqual(panel["fulfillment"]["speed"], "Standard")
        self.assertFalse(panel["seller_central_url"])
        self.assertFalse(
            self.create_sale_order(SHIPPED)
            .with_user(self.agent)
            .amazon_order_panel["order"]["fulfillment"]
        )

    def test_item_has_the_name_of_its_product(self):
        self.add_order(items=[{"id": "1", "sku": "T-1"}, {"id": "2", "sku": "T-2"}])
        products = [("Kettle", "T-1"), ("Mug", "T-2"), ("Mug, blue", "T-2")]
        for name, sku in products:
            self.env["product.product"].create({"name": name, "default_code": sku})
        order = self.create_mcf_sale_order("TEST-1").amazon_order_id
        self.assertEqual(order.line_ids.mapped("title"), ["Kettle", "T-2"])

    def test_what_is_known_is_known_by_its_own_reading(self):
        order = self.create_mcf_sale_order().amazon_order_id
        self.env["amazon.range.reading"]._read_ranges(self.account)
        order.invalidate_recordset()
        self.assertEqual(order.known_until, order.complete_at)
        self.assertFalse(order._is_stale())
        order.complete_at -= timedelta(hours=1)
        self.assertTrue(order._is_stale())
        order.with_user(self.agent).refresh_if_stale()
        self.run_jobs("_job_read")
        self.assertFalse(order._is_stale())

    def test_late_answer_does_not_undo_a_later_one(self):
        order = self.create_mcf_sale_order().amazon_order_id
        answers = order._ask_amazon()
        order.write({"mcf_speed": "Priority", "complete_at": fields.Datetime.now()})
        order._record(
            answers._replace(asked_at=answers.asked_at - timedelta(minutes=1))
        )
        self.assertEqual(order.mcf_speed, "Priority")

    def test_address_is_not_kept(self):
        sale_order = self.create_mcf_sale_order()
        order = sale_order.amazon_order_id
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(o)::text FROM amazon_order o WHERE id = %s", [order.id]
        )
        stored = self.env.cr.fetchone()[0]
        panel = str(sale_order.with_user(self.agent).amazon_order_panel)
        for part in OLD_ADDRESS:
            self.assertNotIn(part, stored)
            self.assertNotIn(part, panel)


@tagged("post_install", "-at_install")
class TestFulfillmentCancel(McfCommon):
    """Cancellation of a fulfillment order."""

    def test_cancellation_is_confirmed_when_the_order_says_so(self):
        self.simulator.reset(processing_seconds=60, quotas=False)
        sale_order = self.create_mcf_sale_order(PLANNING)
        action = self.ask_mcf_cancel(sale_order)
        self.assertEqual((action.kind, action.state), ("mcf_cancel", "queued"))
        self.send(action)
        self.assertEqual(action.state, "submitted")
        self.assertTrue(action.request_ref)
        self.assertIn("may still be shipped", action.state_message)
        self.assertEqual(self.look(), ["Amazon does not show it yet."])
        self.simulator.advance(61)
        self.look()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(sale_order.amazon_order_id.mcf_status, "CANCELLED")
        self.assertIn("as cancelled", self.notes(sale_order)[0])
        self.assertEqual(self.calls("cancelFulfillmentOrder"), 1)

    def test_order_that_is_picked_or_over_cannot_be_cancelled(self):
        for ref, reason in ((PROCESSING, "picking"), (COMPLETE, "has shipped")):
            with self.subTest(ref):
                sale_order = self.create_mcf_sale_order(ref)
                request = self.open_request(sale_order, "cancel")
                self.assertIn(reason, request.blockers)
                with self.assertRaisesRegex(UserError, reason):
                    request.action_cancel_order()
        self.assertFalse(self.env["amazon.action"].search([]))

    def test_second_cancellation_waits_for_the_first(self):
        sale_order = self.create_mcf_sale_order()
        self.ask_mcf_cancel(sale_order)
        with self.assertRaisesRegex(UserError, "asked for this order already"):
            self.ask_mcf_cancel(sale_order)

    def test_order_picked_before_it_leaves_is_blocked(self):
        action = self.ask_mcf_cancel(self.create_mcf_sale_order(PLANNING))
        self.simulator.change(mcf_step_seconds=10)
        self.simulator.advance(3600)
        self.send(action)
        self.assertEqual(action.state, "blocked")
        self.assertEqual(self.calls("cancelFulfillmentOrder"), 0)

    def test_order_picked_after_the_request_is_rejected(self):
        self.simulator.reset(processing_seconds=7200, quotas=False)
        action = self.ask_mcf_cancel(self.create_mcf_sale_order(PLANNING))
        self.send(action)
        self.simulator.change(mcf_step_seconds=3600)
        self.simulator.advance(3700)
        self.age(action, seconds=5)
        self.look()
        self.assertEqual(action.state, "rejected")
        self.assertIn("Processing", action.state_message)

    def test_refused_access_is_shown_in_amazons_words(self):
        sale_order = self.create_mcf_sale_order(PLANNING)
        action = self.ask_mcf_cancel(sale_order)
        self.simulator.fault("forbidden", "cancelFulfillmentOrder")
        self.send(action)
        self.assertEqual(action.state, "blocked")
        self.assertIn("resource is denied", action.state_message)
        self.assertIn("Tell an administrator", action.state_message)

    def test_unanswered_request_that_amazon_has_is_confirmed(self):
        self.simulator.reset(processing_seconds=60, quotas=False)
        action = self.ask_mcf_cancel(self.create_mcf_sale_order())
        self.simulator.fault("cut_after", "cancelFulfillmentOrder")
        self.send(action)
        self.assertEqual(action.state, "unknown")
        self.look()
        self.assertEqual(action.state, "unknown")
        self.simulator.advance(61)
        self.look()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.calls("cancelFulfillmentOrder"), 1)

    def test_unanswered_request_without_a_trace_is_rejected_and_not_sent_again(self):
        sale_order = self.create_mcf_sale_order()
        action = self.ask_mcf_cancel(sale_order)
        self.simulator.fault("cut_before", "cancelFulfillmentOrder")
        self.send(action)
        self.assertEqual(action.state, "unknown")
        self.age(action, minutes=31)
        self.look()
        self.assertEqual(action.state, "rejected")
        self.assertIn("Received", action.state_message)
        self.assertEqual(self.calls("cancelFulfillmentOrder"), 1)
        again = self.ask_mcf_cancel(sale_order)
        self.assertEqual(again.state, "queued")

    def test_it_can_be_taken_back_before_it_is_sent(self):
        action = self.ask_mcf_cancel(self.create_mcf_sale_order())
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.send(action)
        self.assertEqual(self.calls("cancelFulfillmentOrder"), 0)

    def test_undo_seconds_of_the_account_count(self):
        self.set_undo("mcf_cancel", 600)
        action = self.ask_mcf_cancel(self.create_mcf_sale_order())
        self.assertEqual(self.send(action), ["It can still be taken back."])
        self.assertEqual(action.state, "queued")

    def test_without_the_right_it_is_refused(self):
        sale_order = self.create_mcf_sale_order()
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "cancel", self.trainee)
        with self.assertRaises(AccessError):
            self.reserve_on(
                sale_order.amazon_order_id.with_user(self.trainee),
                ActionRequest("mcf_cancel", sale_order, "x"),
            )

    def test_refund_says_where_the_buyer_paid(self):
        request = self.open_request(self.create_mcf_sale_order(), "refund")
        self.assertIn("Refund it where the buyer paid", request.blockers)

    def test_cancellation_kind_of_amazon_orders_does_not_take_it(self):
        order = self.create_mcf_sale_order().amazon_order_id
        self.assertTrue(self.env["amazon.action.kind.cancel"]._blockers(order))


@tagged("post_install", "-at_install")
class TestFulfillmentUpdate(McfCommon):
    """Change of a fulfillment order."""

    def shown(self, ref=ON_HOLD):
        """Return the order as Amazon has it."""
        with self.account._client() as client:
            return client.get_fulfillment_order(ref)["fulfillmentOrder"]

    def test_everything_is_changed_at_once_and_confirmed(self):
        sale_order = self.create_mcf_sale_order()
        action = self.ask_change(
            sale_order,
            quantities={"NW-KESSEL-12-SW-FBA": 1},
            new_speed="Priority",
            new_action="Ship",
            new_comment="Viel Freude damit",
            **self.new_address(),
        )
        self.assertEqual((action.kind, action.state), ("mcf_update", "queued"))
        self.assertIn("shipping speed Priority", action.state_message)
        self.assertIn("delivery address", action.state_message)
        self.send(action)
        self.assertEqual(action.state, "submitted")
        self.look()
        self.assertEqual(action.state, "confirmed")
        order = sale_order.amazon_order_id
        self.assertNotIn("Freude", str(action.sudo().details))
        self.assertEqual(order.mcf_speed, "Priority")
        self.assertEqual(order.mcf_action, "Ship")
        self.assertEqual(order.line_ids.mapped("quantity_ordered"), [1, 1])
        shown = self.shown()
        self.assertEqual(shown["destinationAddress"]["name"], NEW_ADDRESS[0])
        self.assertEqual(shown["displayableOrderComment"], "Viel Freude damit")
        (update,) = self.simulator.ledger()["mcf_updates"]
        self.assertEqual(len(update["changes"]["items"]), 2)
        self.assertEqual(
            self.journal(action),
            [
                (False, "queued"),
                ("queued", "sending"),
                ("sending", "submitted"),
                ("submitted", "confirmed"),
            ],
        )

    def test_comment_that_was_forgotten_is_still_compared(self):
        sale_order = self.create_mcf_sale_order()
        order = sale_order.amazon_order_id
        action = self.ask_change(sale_order, new_comment="Viel  Freude damit").sudo()
        kind = action._kind()
        kept = kind._kept_details(action.details)
        self.assertEqual(set(kept), {"comment_digest"})
        self.assertEqual(kind._kept_details(kept), kept)
        self.assertEqual(kind._words(action, kept), "comment on the packing slip")
        action.details = kept
        order.mcf_comment = "another"
        self.assertFalse(kind._is_confirmed(action))
        order.mcf_comment = "Viel Freude damit"
        self.assertTrue(kind._is_confirmed(action))

    def test_only_what_is_changed_is_sent(self):
        action = self.ask_change(self.create_mcf_sale_order(), new_speed="Expedited")
        self.send(action)
        (update,) = self.simulator.ledger()["mcf_updates"]
        self.assertEqual(update["changes"], {"shippingSpeedCategory": "Expedited"})
        self.assertEqual(
            self.shown()["destinationAddress"]["addressLine1"], OLD_ADDRESS[1]
        )

    def test_what_somebody_else_changed_meanwhile_is_not_changed_back(self):
        sale_order = self.create_mcf_sale_order()
        request = self.open_request(sale_order, "fulfillment")
        sale_order.amazon_order_id.line_ids[0].quantity_ordered = 5
        sale_order.amazon_order_id.mcf_speed = "Priority"
        request.new_action = "Ship"
        request.action_change()
        self.assertEqual(self.last_action().sudo().details, {"action": "Ship"})

    def test_what_cannot_be_is_refused_in_words(self):
        sale_order = self.create_mcf_sale_order()
        cases = [
            ({}, "Change something"),
            ({"quantities": {"NW-KESSEL-12-SW-FBA": 0}}, "between 1 and"),
            ({"quantities": {"NW-KESSEL-12-SW-FBA": 100000}}, "between 1 and"),
            ({"with_address": True}, "needs a name"),
            ({**self.new_address(), "address_city": False}, "needs a name"),
            ({**self.new_address(), "address_postal_code": " "}, "needs a name"),
        ]
        for values, problem in cases:
            with self.subTest(problem), self.assertRaisesRegex(UserError, problem):
                self.ask_change(sale_order, **values)
        self.assertFalse(self.env["amazon.action"].search([]))

    def test_order_that_is_picked_or_over_cannot_be_changed(self):
        for ref, reason in ((PROCESSING, "picking"), (COMPLETE, "has shipped")):
            with self.subTest(ref):
                request = self.open_request(
                    self.create_mcf_sale_order(ref), "fulfillment"
                )
                self.assertIn(reason, request.blockers)
                request.new_speed = "Priority"
                with self.assertRaisesRegex(UserError, reason):
                    request.action_change()

    def test_amazon_order_is_no_fulfillment_order(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "fulfillment")
        self.assertIn("is no fulfillment order", request.blockers)
        request = self.open_request(self.create_sale_order(MCF), "fulfillment")
        self.assertIn("is no fulfillment order", request.blockers)

    def test_order_that_is_not_on_hold_warns(self):
        self.assertIn(
            "not on hold",
            self.open_request(
                self.create_mcf_sale_order(PLANNING), "fulfillment"
            ).warnings,
        )
        self.assertFalse(
            self.open_request(self.create_mcf_sale_order(), "fulfillment").warnings
        )

    def test_change_waits_for_the_one_before_and_for_a_cancellation(self):
        sale_order = self.create_mcf_sale_order()
        self.ask_change(sale_order, new_speed="Priority")
        with self.assertRaisesRegex(UserError, "asked for this order already"):
            self.ask_change(sale_order, new_speed="Expedited")
        # but a cancellation waits for no change
        self.assertEqual(self.ask_mcf_cancel(sale_order).state, "queued")

    def test_refusal_is_shown_in_amazons_words(self):
        sale_order = self.create_mcf_sale_order(PLANNING)
        action = self.ask_change(sale_order, new_action="Hold")
        self.send(action)
        self.assertEqual(action.state, "rejected")
        self.assertIn("cannot be held", action.state_message)

    def test_change_that_amazon_does_not_show_is_rejected_later(self):
        action = self.ask_change(self.create_mcf_sale_order(), new_speed="Priority")
        self.simulator.fault("cut_before", "updateFulfillmentOrder")
        self.send(action)
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.look(), ["Amazon does not show it yet."])
        self.age(action, minutes=31)
        self.look()
        self.assertEqual(action.state, "rejected")
        self.assertIn("does not show: shipping speed Priority", action.state_message)
        self.assertEqual(self.calls("updateFulfillmentOrder"), 1)

    def test_unanswered_change_that_amazon_has_is_confirmed(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        self.simulator.fault("cut_after", "updateFulfillmentOrder")
        self.send(action)
        self.assertEqual(action.state, "unknown")
        self.look()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.calls("updateFulfillmentOrder"), 1)

    def test_change_of_an_order_that_is_cancelled_is_rejected(self):
        sale_order = self.create_mcf_sale_order()
        action = self.ask_change(sale_order, new_speed="Priority")
        self.simulator.fault("cut_before", "updateFulfillmentOrder")
        self.send(action)
        with self.account._client() as client:
            client.cancel_fulfillment_order(ON_HOLD)
        self.age(action, seconds=5)
        self.look()
        self.assertEqual(action.state, "rejected")
        self.assertIn("Cancelled", action.state_message)

    def test_address_that_amazon_spells_in_its_own_way_is_said_so(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        self.send(action)
        self.add_order(ON_HOLD, items=[{"id": "SHOP-1001-1", "sku": "X"}])
        self.look()
        self.assertEqual(action.state, "confirmed")
        self.assertIn("compare it in Seller Central", action.state_message)

    def test_blanks_and_small_letters_make_no_other_address(self):
        order = self.env["amazon.order"]
        address = {"name": "Ann Lee", "addressLine1": "High St. 1", "city": "York"}
        same = {"name": "ANN  LEE", "addressLine1": "high st 1", "city": "York"}
        self.assertEqual(order._address_digest(address), order._address_digest(same))
        other = {**address, "addressLine2": "Flat 2"}
        self.assertNotEqual(
            order._address_digest(address), order._address_digest(other)
        )

    def test_what_amazon_does_not_show_proves_nothing(self):
        sale_order = self.create_mcf_sale_order(PLANNING)
        action = self.ask_change(sale_order, new_action="Ship", new_speed="Priority")
        self.send(action)
        sale_order.amazon_order_id.write({"mcf_action": False, "mcf_speed": "Priority"})
        self.age(action, minutes=31)
        kind = self.env["amazon.action.kind.mcf_update"]
        self.assertFalse(kind._is_confirmed(action))
        self.assertFalse(kind._disproof(action))
        sale_order.amazon_order_id.mcf_speed = "Standard"
        self.assertIn("speed Priority", kind._disproof(action))
        sale_order.amazon_order_id.complete_at = action.call_id.sending_at
        self.assertFalse(kind._disproof(action))

    def test_scheduled_delivery_cannot_be_put_on_hold(self):
        sale_order = self.create_mcf_sale_order()
        sale_order.amazon_order_id.mcf_speed = "ScheduledDelivery"
        with self.assertRaisesRegex(UserError, "scheduled delivery"):
            self.ask_change(sale_order, new_action="Hold")

    def test_order_picked_before_it_leaves_is_blocked(self):
        sale_order = self.create_mcf_sale_order(PLANNING)
        action = self.ask_change(sale_order, **self.new_address())
        self.simulator.change(mcf_step_seconds=10)
        self.simulator.advance(3600)
        self.send(action)
        self.assertEqual(action.state, "blocked")
        self.assertNotIn("address", action.sudo().details)
        self.assertEqual(self.calls("updateFulfillmentOrder"), 0)

    def test_undo_seconds_of_the_account_count(self):
        self.set_undo("mcf_update", 600)
        action = self.ask_change(self.create_mcf_sale_order(), new_speed="Priority")
        self.assertEqual(self.send(action), ["It can still be taken back."])

    def test_it_can_be_taken_back_before_it_is_sent(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertNotIn("address", action.sudo().details)
        self.send(action)
        self.assertEqual(self.calls("updateFulfillmentOrder"), 0)

    def test_double_click_asks_once(self):
        request = self.open_request(self.create_mcf_sale_order(), "fulfillment")
        request.write(self.new_address())
        request.action_change()
        request.action_change()
        self.assertEqual(self.env["amazon.action"].search_count([]), 1)

    def test_without_the_right_it_is_refused(self):
        sale_order = self.create_mcf_sale_order()
        with self.assertRaises(AccessError):
            self.open_request(sale_order, "fulfillment", self.trainee)
        with self.assertRaises(AccessError):
            self.reserve_on(
                sale_order.amazon_order_id.with_user(self.trainee),
                ActionRequest(
                    "mcf_update", sale_order, "x", details={"speed": "Priority"}
                ),
            )
        with self.assertRaises(AccessError):
            self.env["amazon.fulfillment.request"].with_user(self.trainee).create(
                {
                    "order_id": sale_order.amazon_order_id.id,
                    "origin_model": sale_order._name,
                    "origin_id": sale_order.id,
                }
            )

    def test_dialog_of_another_person_cannot_be_read(self):
        request = self.open_request(self.create_mcf_sale_order(), "fulfillment")
        request.write(self.new_address())
        colleague = self._create_user(
            "amazon_colleague",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_edit",
        )
        with self.assertRaises(AccessError):
            request.with_user(colleague).read(["address_name"])

    # === THE BUYER'S DATA === #

    def everything_kept(self):
        """Return as one text what the tables that keep anything hold."""
        self.env.flush_all()
        texts = []
        for table in (
            "amazon_action",
            "amazon_audit_entry",
            "amazon_fulfillment_request",
            "amazon_order",
            "mail_message",
            "mail_tracking_value",
            "queue_job",
        ):
            self.env.cr.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            texts += [row[0] for row in self.env.cr.fetchall()]
        return "\n".join(texts)

    def test_new_address_is_kept_no_longer_than_it_is_needed(self):
        sale_order = self.create_mcf_sale_order()
        with self.assertLogs(level="DEBUG") as logs:
            action = self.ask_change(sale_order, **self.new_address())
            address = action.sudo().details["address"]
            self.send(action)
            self.look()
        self.assertEqual(address["name"], NEW_ADDRESS[0])
        self.assertEqual(action.state, "confirmed")
        kept = self.everything_kept()
        for part in NEW_ADDRESS:
            self.assertNotIn(part, kept)
            self.assertNotIn(part, "\n".join(logs.output))

    def test_address_is_nowhere_but_in_the_details_while_it_is_under_way(self):
        sale_order = self.create_mcf_sale_order()
        action = self.ask_change(sale_order, **self.new_address())
        address = action.sudo().details
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_action SET details = NULL WHERE id = %s", [action.id]
        )
        kept = self.everything_kept()
        self.assertTrue(address["address"])
        for part in NEW_ADDRESS:
            self.assertNotIn(part, kept)

    def test_details_are_for_the_program_alone(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        for user in (self.agent, self.admin, self.auditor):
            with self.subTest(user.login), self.assertRaises(AccessError):
                action.with_user(user).read(["details"])

    def test_amazons_refusal_does_not_repeat_the_address(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        action.order_id._read_from_amazon()
        action._begin_call("the call", True)
        action.call_id._record(
            "refused",
            None,
            "postalCode HL-23552 does not fit LINDENALLEE 77",
            "InvalidInput",
            400,
        )
        self.assertIn("postalCode *** does not fit ***", action.state_message)
        kept = self.everything_kept()
        for part in NEW_ADDRESS:
            self.assertNotIn(part, kept)

    def test_address_is_dropped_when_a_person_has_decided(self):
        action = self.ask_change(self.create_mcf_sale_order(), **self.new_address())
        self.simulator.fault("cut_before", "updateFulfillmentOrder")
        self.send(action)
        action.with_user(self.agent)._decide_executed("Seen today at 10")
        self.assertEqual(action.state, "assisted")
        self.assertNotIn("address", action.sudo().details)

    # === COMPANIES === #

    def test_two_companies_do_not_see_each_others_orders(self):
        order = self.create_mcf_sale_order().amazon_order_id
        other = self._create_company(name="Other")
        agent = self._create_user(
            "amazon_other", "sales_team.group_sale_salesman_all_leads"
        )
        agent.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            order.with_user(agent).with_context(
                allowed_company_ids=other.ids
            ).refresh_if_stale()
        self._create_account(
            name="Other",
            company_id=other.id,
            seller_id="AOTHERSELLER",
            participation_ids=[],
        )
        sale_order = (
            self.env["sale.order"]
            .with_context(allowed_company_ids=other.ids)
            .create(
                {
                    "partner_id": self.env["res.partner"].create({"name": "Mine"}).id,
                    "company_id": other.id,
                    "amazon_fulfillment_ref": ON_HOLD,
                }
            )
        )
        self.assertTrue(sale_order.amazon_order_id)
        self.assertNotEqual(sale_order.amazon_order_id, order)
        self.assertEqual(sale_order.amazon_order_id.company_id, other)
