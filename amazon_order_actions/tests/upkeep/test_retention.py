from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ...models.upkeep.retention import BUYER_DAYS, RETENTION_LEAST_DAYS
from ...verify_journal import verify
from ..common import CANCEL_REQUESTED, MCF, SHIPPED, UNSHIPPED
from ..journal.test_journal_chain import JournalCommon

RETENTION = "odoo.addons.amazon_order_actions.models.upkeep.retention"
SKU = "NW-KESSEL-12-SW"


@tagged("post_install", "-at_install")
class TestRetention(JournalCommon):
    """What may name a buyer goes in time, and the journal holds without it."""

    def erase(self):
        self.env.flush_all()
        with patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_, **__: 60
        ):
            self.env["amazon.retention"]._cron_erase()
        self.env.invalidate_all()

    def age(self, record, field, days):
        record.flush_recordset()
        self.env.cr.execute(
            f"UPDATE {record._table} SET {field} = %s WHERE id = ANY(%s)",
            [fields.Datetime.now() - timedelta(days=days), record.ids],
        )
        record.invalidate_recordset()

    def erased(self):
        return self.entries().filtered(lambda entry: entry.event == "erased")

    # === ACTIONS === #

    def test_words_of_an_action_that_is_over_go_after_30_days(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note="For Erika M.")
        self.settle()
        self.assertEqual(action.state, "confirmed")
        self.age(action, "last_state_change", BUYER_DAYS - 1)
        self.erase()
        self.assertEqual(action.note, "For Erika M.")
        self.age(action, "last_state_change", BUYER_DAYS + 1)
        self.erase()
        self.assertFalse(action.note)
        self.assertTrue(action.erased_at)
        self.assertIn("44.94", action.state_message)
        (entry,) = self.erased()
        self.assertIn("1", entry.message)
        self.assertEqual(entry.user_id, self.env.ref("base.user_root"))
        self.erase()
        self.assertEqual(len(self.erased()), 1)

    def test_words_that_are_still_needed_stay(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note="For Erika M.")
        self.age(action, "last_state_change", 400)
        self.erase()
        self.assertEqual(action.note, "For Erika M.")

    def test_words_of_a_later_decision_have_their_own_time(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note="For Erika M.")
        action._set_sending()
        action._set_unknown("Nobody knows.")
        self.age(action, "last_state_change", BUYER_DAYS + 1)
        self.erase()
        self.assertTrue(action.erased_at)
        action.decision_note = "Erika M. has it"
        action._set_assisted("seen")
        self.assertFalse(action.erased_at)
        self.age(action, "last_state_change", BUYER_DAYS + 1)
        self.erase()
        self.assertFalse(action.decision_note)

    def test_what_names_the_buyer_of_a_fulfillment_order_goes_and_digests_stay(self):
        sale_order = self.create_sale_order(MCF)
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action.write(
            {
                "kind": "mcf_update",
                "details": {
                    "address": {"name": "Erika"},
                    "address_digest": "ab",
                    "comment": "For Erika",
                    "speed": "Priority",
                },
                "amazon_code": "InvalidInput",
                "amazon_text": "The address of Erika Mustermann is not valid",
                "state_message": "The address of Erika Mustermann is not valid",
                "state": "rejected",
            }
        )
        self.age(action, "last_state_change", BUYER_DAYS + 1)
        self.erase()
        self.assertEqual(
            set(action.details), {"address_digest", "comment_digest", "speed"}
        )
        self.assertEqual(action.details["address_digest"], "ab")
        self.assertNotIn("Erika", str(action.details))
        self.assertFalse(action.amazon_text)
        self.assertNotIn("Erika", action.state_message)
        self.assertIn("InvalidInput", action.state_message)
        self.assertTrue(sale_order)

    def test_what_is_not_kept_is_not_sent_again(self):
        sale_order = self.create_sale_order(SHIPPED)
        for kind, details, is_refused in (
            ("message", {"text": "Dear Erika"}, True),
            ("mcf_update", {"address": {"name": "E"}, "address_digest": "a"}, True),
            ("mcf_update", {"speed": "Expedited"}, False),
        ):
            with self.subTest(kind, details=details):
                action = self.ask_refund(sale_order, note="Erika", amounts={SKU: 1})
                action._set_sending()
                action._set_unknown("Nobody knows.")
                action.write({"kind": kind, "details": details, "needs_person": True})
                self.age(action, "last_state_change", BUYER_DAYS + 1)
                self.erase()
                self.assertTrue(action.erased_at)
                action.order_id._read_from_amazon()
                decide = action.with_user(self.agent)._decide_absent
                if is_refused:
                    with self.assertRaisesRegex(UserError, "Ask for it again"):
                        decide("Not there")
                    self.assertEqual(action.state, "unknown")
                else:
                    decide("Not there")
                    self.assertEqual(action.state, "queued")

    def test_words_of_amazon_that_may_name_a_buyer_are_not_journaled(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED))
        action._set_sending()
        action.kind = "mcf_update"
        action.details = {"speed": "Expedited"}
        action._set_rejected("InvalidInput", "Erika Mustermann is not valid")
        self.assertIn("Erika", action.state_message)
        entry = self.entries()[-1]
        self.assertEqual(entry.state_to, "rejected")
        self.assertNotIn("Erika", entry.message)
        self.assertIn("InvalidInput", entry.message)

    # === ORDERS === #

    def test_buyers_words_on_orders_that_left_go_after_30_days(self):
        order = self.create_sale_order(CANCEL_REQUESTED).amazon_order_id
        self.assertTrue(order.cancel_request_reason)
        order.line_ids[0].cancel_request_reason = "for Erika"
        order.write({"mcf_comment": "Dear Erika", "destination_digest": "ab"})
        self.age(order, "last_update_at", 400)
        self.erase()
        self.assertTrue(order.cancel_request_reason, "it has not left")
        order.fulfillment_status = "CANCELLED"
        self.assertEqual(order.left_at, order.last_update_at)
        self.erase()
        self.assertFalse(order.cancel_request_reason)
        self.assertFalse(order.mcf_comment)
        self.assertFalse(order.destination_digest)
        self.assertFalse(any(order.line_ids.mapped("cancel_request_reason")))
        self.assertEqual(len(self.erased()), 1)

    def test_order_keeps_the_time_when_it_was_first_seen_as_left(self):
        order = self.create_sale_order(UNSHIPPED).amazon_order_id
        self.assertFalse(order.left_at)
        order.fulfillment_status = "SHIPPED"
        left_at = order.left_at
        order.last_update_at += timedelta(days=20)
        order.fulfillment_status = "SHIPPED"
        self.assertEqual(order.left_at, left_at)

    # === DOCUMENTS === #

    def test_documents_go_when_the_administrator_says_and_digests_stay(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        feed = self.env["amazon.feed"].search([], limit=1)
        documents = feed.payload_file_id | feed.report_file_id
        self.assertEqual(len(documents), 2)
        digests = feed.payload_digest, feed.report_digest
        self.company.amazon_retention_days = 200
        self.age(feed, "sending_at", 199)
        self.erase()
        self.assertTrue(documents.exists())
        self.age(feed, "sending_at", 201)
        self.erase()
        self.assertFalse(documents.exists())
        self.assertEqual((feed.payload_digest, feed.report_digest), digests)
        (entry,) = self.erased()
        self.assertIn("2", entry.message)

    def test_evidence_packs_go_when_documents_do(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        evidence = self.env["amazon.evidence"].with_user(self.auditor)
        # also one that is kept with the journal
        packs = evidence._make(order, "en") + evidence._make(
            order, "en", with_journal=True
        )
        self.company.amazon_retention_days = 200
        self.age(packs, "create_date", 199)
        self.erase()
        self.assertEqual(len(packs.exists()), 4)
        self.age(packs, "create_date", 201)
        self.erase()
        self.assertFalse(packs.exists())
        self.assertIn("Evidence packs", self.erased()[0].message)

    def test_no_setting_removes_documents_too_early(self):
        self.ask_refund(self.create_sale_order(SHIPPED))
        self.settle()
        feed = self.env["amazon.feed"].search([], limit=1)
        self.company.amazon_retention_days = 0
        self.age(feed, "sending_at", RETENTION_LEAST_DAYS - 1)
        self.erase()
        self.assertTrue(feed.payload_file_id)

    # === AND THE JOURNAL === #

    def test_chain_holds_when_all_was_removed(self):
        action = self.ask_refund(self.create_sale_order(SHIPPED), note="For Erika M.")
        self.settle()
        self.seal()
        self.age(action, "last_state_change", 400)
        feed = action.feed_id
        self.age(feed, "sending_at", 600)
        self.erase()
        self.assertFalse(action.note)
        self.assertFalse(feed.payload_file_id)
        self.assertEqual(self.verify().state, "holds")
        report = verify(self.entries()._export_lines())
        self.assertTrue(report.holds, report.text())

    def test_it_goes_chunk_by_chunk(self):
        actions = self.env["amazon.action"]
        for ref in (SHIPPED, UNSHIPPED):
            sale_order = self.create_sale_order(ref)
            ask = self.ask_refund if ref == SHIPPED else self.ask_cancel
            action = ask(sale_order, note="For Erika M.")
            action.with_user(self.agent).action_withdraw()
            actions |= action
        self.age(actions, "last_state_change", 400)
        with patch(f"{RETENTION}.CHUNK", 1):
            self.erase()
        self.assertFalse(any(actions.mapped("note")))
        self.assertEqual(len(self.erased()), 2)
