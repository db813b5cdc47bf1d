from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...models.account.reasons import CANCEL_REASONS, REFUND_REASONS
from ...models.action.reservation import ActionRequest
from ...spapi import enums
from ..common import (
    CANCEL_REQUESTED,
    CANCELLED,
    CLAIMED,
    FBA_SHIPPED,
    FBA_UNSHIPPED,
    FULLY_REFUNDED,
    GIFT_WRAPPED,
    MCF,
    PARTIALLY_SHIPPED,
    PARTLY_REFUNDED,
    PENDING,
    PROMOTION,
    SHIPPED,
    UNSHIPPED,
    AmazonOrderCommon,
)


@tagged("post_install", "-at_install")
class TestRefundRequest(AmazonOrderCommon):
    """What the refund dialog offers, warns of and blocks."""

    def refund_request(self, ref):
        return self.open_request(self.create_sale_order(ref), "refund")

    def assert_blocked(self, ref, words):
        request = self.refund_request(ref)
        self.assertIn(words, request.blockers)
        request.reason = "Other"
        with self.assertRaisesRegex(UserError, words):
            request.action_refund()
        self.assertFalse(request._asked_from().amazon_action_ids)

    def test_offers_all_that_is_refundable(self):
        request = self.refund_request(GIFT_WRAPPED)
        self.assertEqual(request.total, 78.24)
        self.assertEqual(request.remaining, 0)
        self.assertFalse(request.blockers)
        self.assertEqual(request.currency_id.name, "EUR")

    def test_recalculates_what_remains(self):
        request = self.refund_request(SHIPPED)
        request.line_ids.amount = 10
        self.assertEqual(request.total, 10)
        self.assertAlmostEqual(request.remaining, 34.94)

    def test_earlier_refund_lowers_what_is_offered_and_warns(self):
        request = self.refund_request(PARTLY_REFUNDED)
        self.assertAlmostEqual(request.total, 64.49)
        self.assertIn("earlier refund of", request.warnings)

    def test_promotion_lowers_what_is_offered(self):
        self.assertAlmostEqual(self.refund_request(PROMOTION).total, 48.48)

    def test_fully_refunded_order_is_blocked(self):
        self.assert_blocked(FULLY_REFUNDED, "Nothing is left to refund")

    def test_unshipped_order_says_cancel_instead(self):
        self.assert_blocked(UNSHIPPED, "Cancel it instead")

    def test_pending_order_is_blocked(self):
        self.assert_blocked(PENDING, "checking the payment")

    def test_cancelled_order_is_blocked(self):
        self.assert_blocked(CANCELLED, "nothing to refund")

    def test_paid_claim_is_blocked(self):
        self.assert_blocked(CLAIMED, "A-to-z claim")

    def test_order_from_elsewhere_is_blocked(self):
        self.assert_blocked(MCF, "Refund it where the buyer paid")

    def test_order_that_was_never_read_is_blocked(self):
        sale_order = self.create_sale_order(SHIPPED, read=False)
        self.assertIn("not been read", self.open_request(sale_order, "refund").blockers)

    def test_sale_order_without_order_gets_a_sentence(self):
        with self.assertRaisesRegex(UserError, "Type the Amazon order number"):
            self.open_request(self.create_sale_order(), "refund")

    def test_reason_is_required(self):
        with self.assertRaisesRegex(UserError, "reason"):
            self.refund_request(SHIPPED).action_refund()

    def test_more_than_refundable_is_refused_and_nothing_is_asked(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaisesRegex(UserError, "at most 44.94"):
            self.ask_refund(sale_order, amounts={"NW-KESSEL-12-SW": 44.95})
        self.assertFalse(sale_order.amazon_action_ids)

    def test_zero_and_negative_amounts_are_refused(self):
        sale_order = self.create_sale_order(SHIPPED)
        for amount, words in ((0, "above zero"), (-1, "below zero")):
            with self.assertRaisesRegex(UserError, words):
                self.ask_refund(sale_order, amounts={"NW-KESSEL-12-SW": amount})

    def test_partial_amount_takes_the_item_price_first_then_shipping(self):
        action = self.ask_refund(
            self.create_sale_order(SHIPPED), amounts={"NW-KESSEL-12-SW": 42.0}
        )
        self.assertEqual(
            {line.component: line.amount for line in action.line_ids},
            {"Principal": 39.95, "Shipping": 2.05},
        )

    def test_warns_when_finances_are_unknown(self):
        self.simulator.fault("forbidden", "listFinancialEventsByOrderId", times=1)
        request = self.refund_request(SHIPPED)
        self.assertIn("refunded on this order is not known", request.warnings)
        self.assertFalse(request.blockers)

    def test_warns_when_sending_is_stopped(self):
        self.stop(self.account, "A test")
        self.assertIn("is stopped", self.refund_request(SHIPPED).warnings)

    def test_reasons_are_amazons(self):
        self.assertEqual(
            {code for code, _label in REFUND_REASONS}, set(enums.ADJUSTMENT_REASONS)
        )

    def test_dialog_of_another_document_is_refused(self):
        request = self.refund_request(SHIPPED)
        request.sudo().origin_id = self.create_sale_order(GIFT_WRAPPED).id
        request.reason = "Other"
        with self.assertRaisesRegex(UserError, "is not about the Amazon order"):
            request.action_refund()

    def test_amount_of_another_order_is_refused(self):
        sale_order = self.create_sale_order(SHIPPED)
        other = self.create_sale_order(GIFT_WRAPPED).amazon_order_id
        with self.assertRaisesRegex(UserError, "another order"):
            self.reserve_on(
                sale_order.amazon_order_id.with_user(self.agent),
                ActionRequest(
                    "refund",
                    sale_order.with_user(self.agent),
                    "nonce",
                    "Other",
                    amounts={other.charge_ids[0]: 1.0},
                ),
            )

    # === THE ASSISTED WAY === #

    def test_fba_refund_is_recorded_not_sent(self):
        sale_order = self.create_sale_order(FBA_SHIPPED)
        request = self.open_request(sale_order, "refund")
        self.assertTrue(request.is_assisted)
        self.assertIn(
            f"sellercentral.amazon.es/orders-v3/order/{FBA_SHIPPED}",
            request.seller_central_url,
        )
        request.reason = "CustomerReturn"
        with self.assertRaisesRegex(UserError, "what you did in Seller Central"):
            request.action_refund()
        request.note = "Refunded 41.90 at 10:15"
        request.action_refund()
        action = self.last_action()
        self.assertEqual(action.state, "assisted")
        self.settle(rounds=2)
        self.assertEqual(action.state, "assisted", "Amazon does not show it")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])
        self.assertIn("Refunded 41.90 at 10:15", self.notes(sale_order)[0])
        self.assertEqual(self.journal(action), [(False, "assisted")])


@tagged("post_install", "-at_install")
class TestCancelRequest(AmazonOrderCommon):
    """What the cancellation dialog offers, warns of and blocks."""

    def cancel_request(self, ref):
        return self.open_request(self.create_sale_order(ref), "cancel")

    def assert_blocked(self, ref, words):
        request = self.cancel_request(ref)
        self.assertIn(words, request.blockers)
        request.reason = "NoInventory"
        with self.assertRaisesRegex(UserError, words):
            request.action_cancel_order()
        self.assertFalse(request._asked_from().amazon_action_ids)

    def test_shipped_order_says_refund_instead(self):
        self.assert_blocked(SHIPPED, "Refund it instead")

    def test_partially_shipped_order_is_blocked(self):
        request = self.cancel_request(PARTIALLY_SHIPPED)
        request.scope = "order"
        self.assertIn("cannot be cancelled as a whole", request.blockers)

    def test_pending_order_is_blocked(self):
        self.assert_blocked(PENDING, "only the buyer can cancel it")

    def test_cancelled_order_is_blocked(self):
        self.assert_blocked(CANCELLED, "cancelled at Amazon already")

    def test_second_cancellation_is_blocked_and_names_the_first(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        first = self.ask_cancel(sale_order)
        with self.assertRaisesRegex(UserError, first.name):
            self.ask_cancel(sale_order)

    def test_rejected_cancellation_can_be_asked_for_again(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        self.ask_cancel(sale_order)
        self.simulator.fault("report_error", order_id=UNSHIPPED, code="1", text="No")
        self.settle()
        self.ask_cancel(sale_order)
        self.settle()
        self.assertEqual(
            sorted(sale_order.amazon_action_ids.mapped("state")),
            ["confirmed", "rejected"],
        )

    def test_official_request_preselects_the_reason_and_does_not_warn(self):
        request = self.cancel_request(CANCEL_REQUESTED)
        self.assertEqual(request.reason, "BuyerCanceled")
        self.assertFalse(request.warnings)
        self.assertTrue(request.cancel_request_reason)

    def test_request_by_message_only_warns_of_the_cancellation_rate(self):
        request = self.cancel_request(UNSHIPPED)
        self.assertFalse(request.reason)
        self.assertIn("cancellation rate", request.warnings)

    def test_orders_that_amazon_ships_take_the_assisted_way(self):
        sale_order = self.create_sale_order(FBA_UNSHIPPED)
        self.assertTrue(self.open_request(sale_order, "cancel").is_assisted)
        action = self.ask_cancel(sale_order, note="Asked Seller Support, case 1234")
        self.assertEqual(action.state, "assisted")
        self.assertNotIn("createFeed", self.simulator.ledger()["calls"])

    def test_reasons_are_amazons(self):
        self.assertEqual(
            {code for code, _label in CANCEL_REASONS}, set(enums.CANCEL_REASONS)
        )


@tagged("post_install", "-at_install")
class TestRights(AmazonOrderCommon):
    """Beside each permission, the refusal: for buttons, dialogs and the model."""

    def test_user_without_the_right_is_refused_at_the_button(self):
        for ref, kind in ((SHIPPED, "refund"), (UNSHIPPED, "cancel")):
            sale_order = self.create_sale_order(ref)
            with self.assertRaisesRegex(AccessError, "administrator can grant"):
                self.open_request(sale_order, kind, self.trainee)

    def test_user_without_the_right_is_refused_by_the_server_action(self):
        sale_order = self.create_sale_order(SHIPPED)
        for name in ("sale_order_refund", "sale_order_cancel"):
            action = self.env.ref(f"amazon_order_actions.action_server_{name}")
            with self.assertRaises(AccessError):
                action.with_user(self.trainee).with_context(
                    active_model="sale.order", active_id=sale_order.id
                ).run()

    def test_user_with_the_right_gets_the_dialog_from_the_server_action(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.env.ref("amazon_order_actions.action_server_sale_order_refund")
        result = (
            action.with_user(self.agent)
            .with_context(
                active_model="sale.order",
                active_id=sale_order.id,
                active_ids=sale_order.ids,
            )
            .run()
        )
        self.assertEqual(result["res_model"], "amazon.refund.request")

    def test_user_without_the_right_cannot_make_the_dialog_by_rpc(self):
        sale_order = self.create_sale_order(SHIPPED)
        values = {
            "order_id": sale_order.amazon_order_id.id,
            "origin_model": sale_order._name,
            "origin_id": sale_order.id,
        }
        for model in ("amazon.refund.request", "amazon.cancel.request"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.trainee).create(values)

    def test_sudo_of_a_caller_does_not_open_the_right(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaises(AccessError):
            sale_order.with_user(self.trainee).sudo().action_amazon_refund()

    def test_superuser_without_the_right_is_refused(self):
        sale_order = self.create_sale_order(SHIPPED)
        with self.assertRaises(AccessError):
            sale_order.sudo().action_amazon_refund()

    def test_right_to_refund_is_no_right_to_cancel(self):
        refunder = self._create_user(
            "refunder",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        with self.assertRaises(AccessError):
            self.open_request(self.create_sale_order(UNSHIPPED), "cancel", refunder)

    def test_right_that_is_lost_while_the_dialog_is_open_is_refused(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        request.reason = "Other"
        self.agent.write(
            {"group_ids": [(3, self.env.ref("amazon_order_actions.group_refund").id)]}
        )
        with self.assertRaises(AccessError):
            request.action_refund()

    def test_user_without_the_right_cannot_withdraw(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        with self.assertRaises(AccessError):
            action.with_user(self.trainee).action_withdraw()

    def test_nobody_can_write_orders_actions_or_feeds_by_rpc(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        for user in (self.agent, self.trainee, self.auditor, self.admin):
            for record in (action, action.order_id, action.line_ids, action.feed_id):
                for call in (
                    lambda record: record.write({"display_name": "x"}),
                    lambda record: record.create({}),
                ):
                    with self.subTest(f"{user.login} {record._name}"):
                        with self.assertRaises(AccessError):
                            call(record.with_user(user))

    def test_no_group_holds_anybody_by_default(self):
        demo = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("model", "=", "res.users"),
                    ("module", "=", "amazon_order_actions"),
                ]
            )
        )
        demo_users = self.env["res.users"].sudo().browse(demo.mapped("res_id"))
        mine = self.agent | self.trainee | self.auditor | self.admin
        known = demo_users | mine | self.env.ref("base.user_admin")
        for name in ("refund", "cancel", "journal", "admin"):
            group = self.env.ref(f"amazon_order_actions.group_{name}")
            self.assertFalse(group.sudo().all_user_ids - known)
            self.assertFalse(group.implied_by_ids)

    def test_stranger_cannot_read_an_order_through_a_dialog(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        stranger = self._create_user(
            "stranger2",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_cancel",
        )
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        env = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        for model in ("amazon.refund.request", "amazon.cancel.request"):
            with self.assertRaises(AccessError):
                env[model].create({"order_id": order.id})
        account = self._create_account(company_id=company.id, seller_id="STRANGER")
        own_order = order.copy({"company_id": company.id, "account_id": account.id})
        own = env["amazon.refund.request"].create({"order_id": own_order.id})
        with self.assertRaises(ValidationError):
            own.write({"line_ids": [(0, 0, {"order_line_id": order.line_ids.id})]})

    def test_stranger_cannot_read_an_order_while_filling_in_a_form(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        stranger = self._create_user(
            "stranger4",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
        )
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        env = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        values = {"amazon_order_id": order.id, "company_id": self.company.id}
        spec = {"amazon_order_panel": {}, "amazon_order_id": {}}
        answer = env["sale.order"].onchange(values, ["amazon_order_id"], spec)
        panel = answer["value"].get("amazon_order_panel")
        self.assertFalse(panel and panel["order"])
        for model, field, record in (
            ("amazon.refund.request", "order_id", order),
            ("amazon.refund.request.line", "order_line_id", order.line_ids),
        ):
            fields = ("amazon_order_ref", "channel", "title", "sku", "charged")
            spec = {name: {} for name in fields if name in env[model]._fields}
            with self.assertRaises(AccessError):
                env[model].onchange({field: record.id}, [field], spec)

    def test_item_of_another_order_does_not_fit_into_a_dialog(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        other = self.create_sale_order(GIFT_WRAPPED).amazon_order_id.line_ids[0]
        with self.assertRaises(ValidationError):
            request.write({"line_ids": [(0, 0, {"order_line_id": other.id})]})

    def test_item_stands_once_in_a_dialog(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        item = request.line_ids.order_line_id.id
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation):
            request.write({"line_ids": [(0, 0, {"order_line_id": item, "amount": 5})]})

    def test_client_does_not_choose_the_nonce(self):
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        nonce = request.nonce
        request.write({"nonce": "mine"})
        self.assertEqual(request.nonce, nonce)
        values = {
            "order_id": request.order_id.id,
            "origin_model": request.origin_model,
            "origin_id": request.origin_id,
        }
        for model in (request, request.with_context(default_nonce="mine")):
            self.assertNotEqual(model.create({**values, "nonce": "mine"}).nonce, "mine")

    def test_order_of_another_company_cannot_be_written_into_a_sale_order(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        company = self._create_company(name="Strangers")
        stranger = self._create_user(
            "stranger3", "sales_team.group_sale_salesman_all_leads"
        )
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        sale_orders = self.env["sale.order"].with_env(
            self.env(user=stranger, context={"allowed_company_ids": company.ids})
        )
        partner = self.env["res.partner"].create({"name": "x"})
        values = {"partner_id": partner.id, "company_id": company.id}
        for sale_order in (
            sale_orders.create({**values, "amazon_order_id": order.id}),
            sale_orders.with_context(default_amazon_order_id=order.id).create(values),
        ):
            self.assertFalse(sale_order.amazon_order_panel["order"])
            sale_order.write({"amazon_order_id": order.id})
            self.assertFalse(sale_order.amazon_order_panel["order"])
            self.assertFalse(sale_order.sudo().amazon_order_id)

    def test_notes_of_actions_are_for_those_who_act_or_audit(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note="private")
        self.assertEqual(action.with_user(self.agent).note, "private")
        self.assertEqual(action.with_user(self.auditor).note, "private")
        with self.assertRaises(AccessError):
            action.with_user(self.trainee).read(["note"])

    def test_auditor_opens_action_and_order(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED)).with_user(
            self.auditor
        )
        self.assertTrue(action.line_ids.read(["component", "amount"]))
        self.assertTrue(action.order_id.line_ids.read(["title", "refundable"]))

    def test_other_company_sees_and_does_nothing(self):
        sale_order = self.create_sale_order(SHIPPED)
        action = self.ask_refund(sale_order)
        stranger = self._create_user(
            "stranger",
            "sales_team.group_sale_salesman_all_leads",
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_journal",
            "amazon_order_actions.group_admin",
        )
        company = self._create_company(name="Strangers")
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        env = self.env(user=stranger, context={"allowed_company_ids": company.ids})
        for record in (action, action.order_id, action.account_id, sale_order):
            self.assertFalse(env[record._name].search([("id", "=", record.id)]))
            with self.assertRaises(AccessError):
                record.with_env(env).read(["display_name"])
        self.assertFalse(
            env["amazon.audit.entry"].search([("action_id", "=", action.id)])
        )
        with self.assertRaises(AccessError):
            sale_order.with_env(env).action_amazon_refund()
        with self.assertRaises(AccessError):
            action.with_env(env).action_withdraw()
        with self.assertRaises(AccessError):
            action.order_id.with_env(env).action_refresh()

    def test_sale_order_of_one_company_cannot_act_on_an_order_of_another(self):
        company = self._create_company(name="Second")
        self.env.user.write({"company_ids": [(4, company.id)]})
        order = self.create_sale_order(SHIPPED).amazon_order_id
        sale_order = self.create_sale_order(company_id=company.id)
        # however that came about
        self.env.cr.execute(
            "UPDATE sale_order SET amazon_order_id = %s WHERE id = %s",
            [order.id, sale_order.id],
        )
        sale_order.invalidate_recordset()
        both = self.agent
        both.write({"company_ids": [(4, company.id)]})
        with self.assertRaisesRegex(UserError, "no Amazon order here"):
            self.open_request(sale_order, "refund", both)
