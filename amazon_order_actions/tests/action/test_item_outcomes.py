from odoo.tests import tagged
from odoo.tools import mute_logger

from ...spapi.reports import ItemError, MessageOutcome
from ..common import GIFT_WRAPPED, SHIPPED, THREE_UNITS, UNSHIPPED, AmazonOrderCommon

ACTION = "odoo.addons.amazon_order_actions.models.action.action"
CUPS, SIEVE = "NW-BECHER-STEIN-BL", "NW-TEESIEB-FEIN"
LAMP, BULBS = "NW-LEUCHTE-TISCH-01", "NW-LED-E27-3ER"
SIEVE_ITEM, CUPS_ITEM = "147645420375121", "147645420375120"


class ItemOutcomesCommon(AmazonOrderCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id = cls.env.ref("base.EUR")

    def ask_both(self, **values):
        """Ask to refund 20.00 of the cups and 5.00 of the sieve."""
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        return self.ask_refund(
            sale_order, amounts={CUPS: 20, SIEVE: 5}, mode="amount", **values
        )

    def item_error(self, ref, **options):
        """Have Amazon reject one item of the next message about an order."""
        self.simulator.fault(
            "item_error",
            order_id=ref,
            code="13057",
            text="Not eligible",
            **{"others_executed": True, **options},
        )

    def line(self, action, sku):
        return action.line_ids.filtered(lambda line: line.order_line_id.sku == sku)

    def reject(self, action, *errors):
        """Apply a report whose errors name items: (number, SKU)."""
        outcome = MessageOutcome(
            "rejected",
            "1",
            "No",
            tuple(ItemError(number, sku, "1", "No") for number, sku in errors),
        )
        action.feed_id._apply_outcome(action, outcome)


@tagged("post_install", "-at_install")
class TestItemOutcomes(ItemOutcomesCommon):
    """An error of Amazon's report that names one item of a message with several."""

    def sent(self):
        """Return a refund of two items that Amazon has received, not processed."""
        self.simulator.reset(processing_seconds=3600, quotas=False)
        action = self.ask_both()
        self.run_jobs("_job_dispatch")
        self.assertEqual(action.state, "submitted")
        return action

    # === WHAT IS REJECTED === #

    def test_named_item_is_rejected_and_the_rest_unknown(self):
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM, others_executed=False)
        action = self.ask_both()
        sieve, cups = self.line(action, SIEVE), self.line(action, CUPS)
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertEqual(sieve.mapped("is_rejected"), [True])
        self.assertEqual(sieve.amazon_code, "13057")
        self.assertEqual(sieve.amazon_text, "Not eligible")
        self.assertFalse(cups.filtered("is_rejected"))
        self.assertIn("Teesieb", action.state_message)
        self.assertIn("Not eligible", action.state_message)
        self.assertIn("rest is not known", action.state_message)
        self.assertNotIn("Becher", action.state_message)
        self.assertEqual(self.journal(action)[-1], ("submitted", "unknown"))

    def test_headroom_of_the_named_item_is_free_and_of_no_other(self):
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM, others_executed=False)
        action = self.ask_both()
        order = action.order_id
        free = order.refundable
        self.settle()
        items = {line.sku: line for line in order.line_ids}
        self.assertEqual(items[SIEVE].reserved, 0)
        self.assertEqual(items[SIEVE].refundable, 11.49)
        self.assertEqual(items[CUPS].reserved, 20)
        self.assertEqual(order.reserved, 20)
        self.assertEqual(order.refundable, free + 5)
        panel = self.panel_of(order, self.agent)
        self.assertEqual(panel["totals"]["reserved"], 20)

    def test_rest_is_confirmed_by_the_finances(self):
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM, others_executed=True)
        action = self.ask_both()
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(action.amount, 20)
        self.assertIn("20.00", action.state_message)
        self.assertIn("Amazon has rejected", action.state_message)
        self.assertIn("Teesieb", action.state_message)
        self.assertEqual(action.order_id.refunded, 20)
        self.assertEqual(action.order_id.reserved, 0)

    def test_rejected_item_can_be_asked_for_again(self):
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM, others_executed=True)
        first = self.ask_both()
        self.settle()
        self.simulator.clear_faults()
        again = self.ask_refund(first._get_origin(), amounts={SIEVE: 5}, mode="amount")
        self.settle()
        self.assertEqual((first.state, again.state), ("confirmed", "confirmed"))
        self.assertEqual(again.order_id.refunded, 25)

    def test_all_items_named_reject_the_action(self):
        action = self.sent()
        self.reject(action, (SIEVE_ITEM, ""), ("", CUPS))
        self.assertEqual(action.state, "rejected")
        self.assertEqual(action.amount, 25)
        self.assertEqual(action.order_id.reserved, 0)

    def test_error_without_an_item_rejects_the_action(self):
        action = self.sent()
        action.feed_id._apply_outcome(action, MessageOutcome("rejected", "1", "No"))
        self.assertEqual(action.state, "rejected")
        self.assertFalse(action.line_ids.filtered("is_rejected"))

    def test_error_of_the_only_item_rejects_the_action(self):
        self.item_error(SHIPPED)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        self.assertEqual(action.state, "rejected")
        self.assertEqual(action.order_id.refundable, 44.94)

    def test_error_of_an_item_that_is_not_ours_leaves_all_unknown(self):
        for errors in (
            [("999", "")],
            [("", "NW-FREMD")],
            [(SIEVE_ITEM, ""), ("999", "")],
            # the number counts, not the SKU beside it
            [("999", SIEVE)],
        ):
            with self.subTest(errors=errors):
                action = self.sent()
                self.reject(action, *errors)
                self.assertEqual(action.state, "unknown")
                self.assertFalse(action.line_ids.filtered("is_rejected"))
                self.assertEqual(action.order_id.reserved, 25)
                self.assertIn("was not in it", action.state_message)
                action._set_rejected("1", "over")

    def test_same_report_twice_changes_nothing(self):
        action = self.sent()
        self.reject(action, (SIEVE_ITEM, ""))
        before = (action.amount, action.state_message, self.journal(action))
        self.reject(action, (SIEVE_ITEM, ""))
        after = (action.amount, action.state_message, self.journal(action))
        self.assertEqual(after, before)

    def test_report_of_what_was_unknown_names_the_item(self):
        action = self.sent()
        action._set_unknown("No report yet.")
        self.reject(action, (SIEVE_ITEM, ""))
        self.assertEqual(action.state, "unknown")
        self.assertTrue(self.line(action, SIEVE).is_rejected)
        self.assertIn("Teesieb", action.state_message)

    @mute_logger(ACTION)
    def test_report_after_the_finances_have_shown_all_changes_nothing(self):
        action = self.sent()
        action._set_confirmed()
        self.reject(action, (SIEVE_ITEM, ""))
        self.assertEqual((action.state, action.amount), ("confirmed", 25))
        self.assertFalse(action.line_ids.filtered("is_rejected"))

    def test_several_actions_of_one_outcome_each_get_their_own(self):
        both = self.sent()
        alone = self.ask_refund(self.create_sale_order(SHIPPED))
        self.run_jobs("_job_dispatch")
        outcome = MessageOutcome(
            "rejected", "1", "No", (ItemError(SIEVE_ITEM, "", "1", "No"),)
        )
        both.feed_id._apply_outcome(both | alone, outcome)
        self.assertTrue(self.line(both, SIEVE).is_rejected)
        self.assertEqual(both.state, "unknown")
        self.assertEqual(alone.state, "unknown", "the item is none of its own")
        both.feed_id._apply_outcome(both.browse(), outcome)

    # === WHAT FOLLOWS === #

    def test_rest_counts_against_the_limits_and_the_rejected_does_not(self):
        action = self.sent()
        self.assertEqual(action.amount_company, 25)
        self.reject(action, (SIEVE_ITEM, ""))
        self.assertEqual(action.amount_company, 20)

    def test_only_the_rest_is_sent_again(self):
        self.simulator.reset(
            processing_seconds=0, finance_delay_seconds=0, quotas=False
        )
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM, others_executed=False)
        action = self.ask_both()
        self.settle()
        self.simulator.clear_faults()
        action._hand_to_person("Nobody knows.")
        self.assertIn("Amazon has rejected", action.state_message)
        self.assertIn("Nobody knows.", action.state_message)
        action.order_id._read_from_amazon()
        action.with_user(self.agent)._decide_absent("Not in Seller Central")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        refunds = self.simulator.ledger()["refunds"]
        self.assertEqual({row["order_item_id"] for row in refunds}, {CUPS_ITEM})
        self.assertEqual(action.order_id.refunded, 20)

    def test_buyer_who_was_told_the_whole_amount_is_corrected(self):
        action = self.sent()
        self.env["amazon.reply"].create(
            {
                "action_id": action.id,
                "awaited_state": "submitted",
                "lang": "en",
                "state": "sent",
                "sent_at": action.submitted_at,
            }
        )
        self.reject(action, (SIEVE_ITEM, ""))
        self.assertEqual(action.reply_ids.state, "correcting")
        action._set_confirmed()
        self.assertEqual(action.reply_ids.state, "correcting", "it still does not hold")

    def test_credit_note_is_about_the_rest(self):
        self.env["account.chart.template"].try_loading(
            "generic_coa", company=self.company, install_demo=False
        )
        self.account.credit_note_on = "accepted"
        sale_order = self.create_sale_order(GIFT_WRAPPED)
        self.item_error(GIFT_WRAPPED, order_item_id=SIEVE_ITEM)
        action = self.ask_refund(
            sale_order, amounts={CUPS: 20, SIEVE: 5}, mode="amount"
        )
        self.settle()
        self.assertEqual(action.state, "confirmed")
        note = action.sudo().credit_note_ids
        self.assertEqual(len(note), 1)
        self.assertEqual(note.amount_total, 20)

    def test_evidence_says_which_item_was_rejected(self):
        action = self.sent()
        self.reject(action, (SIEVE_ITEM, ""))
        facts = self.env["amazon.evidence"]._request(action)
        rejected = {row[0]: row[4] for row in facts.lines}
        self.assertEqual(sorted(rejected.values()), [False, True])


@tagged("post_install", "-at_install")
class TestItemOutcomesOfCancellations(ItemOutcomesCommon):
    """The same of units, and of whole orders, whose message names all items."""

    def test_named_units_are_free_and_the_others_confirmed(self):
        self.item_error(UNSHIPPED, order_item_id="147645420375012")
        sale_order = self.create_sale_order(UNSHIPPED)
        lamp, bulbs = sale_order.amazon_order_id.line_ids.sorted("amazon_item_ref")
        sale_order.amazon_order_id.line_ids.invalidate_recordset()
        action = self.ask_cancel_items(sale_order, {BULBS: 1, LAMP: 1})
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.line(action, LAMP).is_rejected, True)
        self.assertIn("1 × LED", action.state_message)
        self.assertIn("Amazon has rejected 1 × Nordlicht", action.state_message)
        self.assertEqual(self.units_to_cancel(lamp), (1, 0))
        self.assertEqual(bulbs.quantity_cancelled, 1)

    def test_units_that_are_not_rejected_stay_reserved(self):
        self.item_error(
            UNSHIPPED, order_item_id="147645420375012", others_executed=False
        )
        sale_order = self.create_sale_order(UNSHIPPED)
        action = self.ask_cancel_items(sale_order, {BULBS: 1, LAMP: 1})
        self.settle()
        self.assertEqual(action.state, "unknown")
        lamp, bulbs = sale_order.amazon_order_id.line_ids.sorted("amazon_item_ref")
        self.assertEqual(self.units_to_cancel(lamp), (1, 0))
        self.assertEqual(self.units_to_cancel(bulbs), (1, 1))
        share = bulbs.charged / bulbs.quantity_ordered
        self.assertAlmostEqual(action.amount_company, share, 2)

    def test_whole_order_with_one_named_item_is_unknown(self):
        self.item_error(UNSHIPPED, others_executed=False)
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.settle()
        self.assertEqual(action.state, "unknown")
        self.assertIn("Not eligible", action.state_message)

    def test_whole_order_is_confirmed_where_amazon_shows_it_cancelled(self):
        self.simulator.reset(processing_seconds=3600, quotas=False)
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.run_jobs("_job_dispatch")
        item = action.order_id.line_ids[0].amazon_item_ref
        self.reject(action, (item, ""))
        self.assertEqual(action.state, "unknown")
        action.order_id.fulfillment_status = "CANCELLED"
        action.order_id._let_follow()
        self.assertEqual(action.state, "confirmed")

    def test_whole_order_of_one_item_is_rejected(self):
        self.item_error(THREE_UNITS)
        action = self.ask_cancel(self.create_sale_order(THREE_UNITS))
        self.settle()
        self.assertEqual(action.state, "rejected")
