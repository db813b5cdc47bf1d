from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common import (
    CANCELLED,
    FBA_SHIPPED,
    GIFT_WRAPPED,
    MCF,
    PENDING,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)

FEED = "odoo.addons.amazon_order_actions.models.sending.dispatch"


@tagged("post_install", "-at_install")
class TestOrderNumber(AmazonOrderCommon):
    """Amazon keeps the seller's own number of an order."""

    def ask_number(self, document, number=None, user=None):
        request = self.open_request(document, "order_number", user)
        if number is not None:
            request.merchant_order_id = number
        request.action_send_number()
        return self.last_action()

    def numbers(self):
        rows = self.simulator.ledger()["order_numbers"]
        return [(row["order_id"], row["merchant_order_id"]) for row in rows]

    def test_number_of_the_sale_order_is_offered_sent_and_confirmed(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        with Form(self.open_request(sale_order, "order_number")) as form:
            self.assertEqual(form.merchant_order_id, sale_order.name)
        action = self.ask_number(sale_order)
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.numbers(), [(UNSHIPPED, sale_order.name)])
        self.assertEqual(action.order_id.seller_order_ref, sale_order.name)

    def test_accepted_is_not_confirmed_before_amazon_shows_it(self):
        action = self.ask_number(self.create_sale_order(SHIPPED), "S-1")
        self.run_jobs("_job_dispatch")
        self.run_jobs("_job_poll")
        self.run_jobs("_job_apply_report")
        self.assertEqual(action.state, "accepted")
        self.assertIn("does not show it yet", action.state_message)

    def test_number_and_cancellation_share_an_envelope(self):
        number = self.ask_number(self.create_sale_order(SHIPPED), "S-1")
        cancel = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertEqual(number.feed_id, cancel.feed_id)
        self.assertEqual((number | cancel).mapped("state"), ["confirmed"] * 2)

    def test_rejected_number_is_said_in_amazons_words(self):
        action = self.ask_number(self.create_sale_order(SHIPPED), "S-1")
        self.simulator.fault(
            "report_error", order_id=SHIPPED, code="25", text="Number refused"
        )
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertIn("Number refused", self.notes(action._get_origin())[0])
        self.assertEqual(self.numbers(), [])

    def test_unknown_number_is_found_at_amazon(self):
        action = self.ask_number(self.create_sale_order(SHIPPED), "S-1")
        self.simulator.fault("cut_after", "createFeed", times=1)
        with mute_logger(FEED):
            self.run_jobs("_job_dispatch")
            self.run_jobs("_job_follow")
        self.assertEqual(action.state, "unknown")
        action.order_id._read_from_amazon()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.numbers(), [(SHIPPED, "S-1")])

    def test_undone_number_is_not_sent(self):
        action = self.ask_number(self.create_sale_order(SHIPPED), "S-1")
        action.with_user(self.agent).action_withdraw()
        self.settle()
        self.assertEqual(self.numbers(), [])

    def test_blocked_in_words(self):
        for ref, words in (
            (FBA_SHIPPED, "Amazon ships"),
            (PENDING, "payment is checked"),
            (CANCELLED, "not cancelled"),
        ):
            with self.subTest(ref):
                sale_order = self.create_sale_order(ref)
                request = self.open_request(sale_order, "order_number")
                self.assertIn(words, request.blockers.replace("\n", " "))
                with self.assertRaises(UserError):
                    self.ask_number(sale_order, "S-1")

    def test_cancellation_on_its_way_blocks_a_number(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        cancel = self.ask_cancel(sale_order)
        request = self.open_request(sale_order, "order_number")
        self.assertIn(cancel.name, request.blockers)

    def test_numbers_that_amazon_cannot_take_are_refused_in_words(self):
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        for number in ("", "Auftrag Müller", "1" * 51):
            with self.subTest(number), self.assertRaises(UserError):
                self.ask_number(sale_order, number)
        self.ask_number(sale_order, "S-1")
        self.settle()
        with self.assertRaisesRegex(UserError, "already"):
            self.ask_number(sale_order, "S-1")

    def test_trainee_may_not_ask(self):
        with self.assertRaises(AccessError):
            self.ask_number(self.create_sale_order(SHIPPED), "S-1", self.trainee)

    def test_other_company_learns_no_number(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        company = self._create_company(name="Strangers")
        self.agent.write(
            {"company_ids": [Command.set(company.ids)], "company_id": company.id}
        )
        requests = (
            self.env["amazon.order_number.request"]
            .with_user(self.agent)
            .with_context(allowed_company_ids=company.ids)
        )
        values = {"order_id": sale_order.amazon_order_id.id}
        with self.assertRaises(AccessError):
            requests.onchange(values, ["order_id"], {"merchant_order_id": {}})
        with self.assertRaises(AccessError):
            requests.create(values)


@tagged("post_install", "-at_install")
class TestEditChoice(AmazonOrderCommon):
    """One button leads to what can be edited now."""

    def test_unshipped_order_offers_all_that_exists(self):
        choice = self.open_request(self.create_sale_order(UNSHIPPED), "edit")
        self.assertFalse(choice.ship_problem)
        self.assertFalse(choice.order_number_problem)
        self.assertFalse(choice.cancel_problem)
        for method, model in (
            ("action_ship", "amazon.ship.request"),
            ("action_order_number", "amazon.order_number.request"),
            ("action_cancel_items", "amazon.cancel.request"),
        ):
            self.assertEqual(getattr(choice, method)()["res_model"], model)

    def test_impossible_edits_say_why(self):
        choice = self.open_request(self.create_sale_order(FBA_SHIPPED), "edit")
        self.assertIn("Amazon ships", choice.ship_problem)
        self.assertIn("Amazon ships", choice.order_number_problem)
        self.assertIn("shipped", choice.cancel_problem)

    def test_agent_without_the_right_reads_who_grants_it(self):
        self.agent.group_ids -= self.env.ref("amazon_order_actions.group_edit")
        choice = self.open_request(self.create_sale_order(UNSHIPPED), "edit")
        self.assertIn("administrator", choice.ship_problem)
        self.assertFalse(choice.cancel_problem)

    def test_trainee_may_not_open_it(self):
        with self.assertRaises(AccessError):
            self.open_request(self.create_sale_order(UNSHIPPED), "edit", self.trainee)

    def test_sale_order_without_an_order_says_so(self):
        with self.assertRaisesRegex(UserError, "Amazon order number"):
            self.open_request(self.create_sale_order(), "edit")

    def test_order_from_elsewhere_leads_to_its_fulfillment(self):
        choice = self.open_request(self.create_sale_order(MCF), "edit")
        self.assertEqual(choice.channel, "mcf")
        self.assertTrue(choice.fulfillment_problem or choice.action_fulfillment())

    def test_other_company_learns_nothing_of_an_order(self):
        order = self.create_sale_order(UNSHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        self.agent.write(
            {"company_ids": [Command.set(company.ids)], "company_id": company.id}
        )
        requests = (
            self.env["amazon.edit.request"]
            .with_user(self.agent)
            .with_context(allowed_company_ids=company.ids)
        )
        spec = {"ship_problem": {}, "cancel_problem": {}}
        with self.assertRaises(AccessError):
            requests.onchange({"order_id": order.id}, ["order_id"], spec)
