from contextlib import closing, contextmanager
from datetime import timedelta
from unittest.mock import Mock, patch

import psycopg2

from odoo import fields
from odoo.sql_db import db_connect
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from ...models.action.kind import NOT_EXECUTED_MINUTES
from ...models.sending.action import CALL_NO_TRACE_HOURS
from ...spapi.errors import InvalidMessage, OutcomeUnknown
from ...spapi.operations import OPERATIONS
from ..common import NOWHERE, UNSHIPPED, AmazonOrderCommon

CALL = "odoo.addons.amazon_order_actions.models.sending.call"
ACTION = "odoo.addons.amazon_order_actions.models.sending.action"
READING = "odoo.addons.amazon_order_actions.models.order.reading"


def fail(error):
    """Return a method that raises the error."""

    def method(*args):
        raise error

    return method


class CallCase(AmazonOrderCommon):
    """Shipment confirmations stand for all calls of their own."""

    def shipments(self, ref=UNSHIPPED):
        rows = self.simulator.ledger()["shipments"]
        return [row for row in rows if row["order_id"] == ref]

    def calls(self, operation="confirmShipment"):
        return self.simulator.ledger()["calls"].get(operation, 0)

    def ask(self, **values):
        self.sale_order = self.create_sale_order(UNSHIPPED)
        return self.ask_ship(self.sale_order, **values)

    def ask_unknown(self, fault="cut_after"):
        """A call whose answer nobody got."""
        action = self.ask()
        self.simulator.fault(fault, "confirmShipment", times=1)
        with mute_logger(CALL):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        return action

    def ask_interrupted(self):
        """A call whose sender died between its two commits."""
        action = self.ask()
        action.order_id._read_from_amazon()
        action._begin_call("the dead one", True)
        self.env.flush_all()
        self.assertEqual(action.state, "sending")
        return action

    def age(self, action, **span):
        """Let the call be so old, as far as it knows."""
        action.call_id.sending_at -= timedelta(**span)
        action.order_id.complete_at -= timedelta(**span)
        self.env.flush_all()

    def run_job(self, action, method):
        """Run a job, and keep what it has committed where it wants to be run again.

        :return: why it wants to be run again, or None
        """
        self.env.flush_all()
        try:
            getattr(action, method)()
        except RetryableJobError as error:
            return str(error)
        finally:
            self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestCall(CallCase):
    """One call, once, whatever answers or does not."""

    # === the good way === #

    def test_call_is_made_once_and_accepted(self):
        action = self.ask()
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.shipments(), [])
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")
        self.assertTrue(action.request_ref)
        call = action.call_ids
        self.assertEqual(call, action.call_id)
        self.assertEqual((call.state, call.operation), ("answered", "confirmShipment"))
        self.assertTrue(call.sending_at)
        self.assertEqual(len(call.digest), 64)
        self.assertEqual(len(self.shipments()), 1)
        self.assertEqual(
            self.journal(action),
            [(False, "queued"), ("queued", "sending"), ("sending", "accepted")],
        )

    def test_job_that_runs_twice_calls_once(self):
        action = self.ask()
        action._enqueue_call()
        self.run_jobs("_job_call")
        action._job_call()
        self.assertEqual(self.calls(), 1)
        self.assertEqual(action.state, "accepted")

    def test_order_is_asked_for_after_the_click(self):
        self.ask()
        read = self.calls("getOrder")
        self.run_jobs("_job_call")
        self.assertEqual(self.calls("getOrder"), read + 1)

    # === proven not to have left, or not executed === #

    def test_quota_of_amazon_postpones_it(self):
        action = self.ask()
        self.simulator.fault("throttle", "confirmShipment", times=1)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertIn("tried again by itself", action.state_message)
        self.assertGreater(action.due_at, fields.Datetime.now())
        action.due_at = fields.Datetime.now()
        self.env["amazon.quota"].search([]).unlink()
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")
        self.assertEqual(len(self.shipments()), 1)

    def test_own_quota_postpones_it_without_a_trace(self):
        action = self.ask()
        quota = self.account._quota()
        for _token in range(OPERATIONS["confirmShipment"].burst):
            quota.prepay(OPERATIONS["confirmShipment"], 1)
        postponed = self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertIn("quota", postponed[0])
        self.assertEqual(self.calls(), 0)

    def test_token_of_the_quota_that_was_not_used_is_given_back(self):
        action = self.ask()
        self.stop(self.account, "A test")
        quota = self.account._quota()
        operation = OPERATIONS["confirmShipment"]
        with patch.object(type(action), "_is_call_due", lambda action: True):
            self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 0)
        self.assertFalse(quota.wait(operation, operation.burst))

    def test_refusal_rejects_it_with_amazons_words(self):
        action = self.ask()
        package = {**action._kind()._package(action), "carrierCode": "Brieftaube"}
        action.details = {**action.details, "package": package}
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "rejected")
        self.assertIn("Brieftaube is not a carrier code", action.amazon_text)
        self.assertEqual(action.amazon_code, "InvalidInput")
        self.assertTrue(action.request_ref)
        self.assertEqual(self.shipments(), [])

    def test_call_is_made_without_a_look_at_the_database(self):
        # as its job, whose transaction is older than the row of the sending
        calls = self.env["amazon.call"]
        client = Mock()
        client.confirm.return_value = "r-1"
        with mute_logger(CALL), self.assertQueryCount(0):
            made = calls._make(client, "confirm", (), "AMZ-1")
            client.confirm.side_effect = OutcomeUnknown("confirm", "cut")
            state, *_rest = calls._make(client, "confirm", (), "AMZ-1")
        self.assertEqual(made, ("answered", "r-1"))
        self.assertEqual(state, "unknown")

    def test_refusal_counts_where_the_kind_cannot_say_what_may_be_kept(self):
        action = self.ask()
        package = {**action._kind()._package(action), "carrierCode": "Brieftaube"}
        action.details = {**action.details, "package": package}
        with (
            patch.object(type(action._kind()), "_kept_refusal", fail(ValueError("x"))),
            mute_logger("odoo.addons.amazon_order_actions.models.base.containment"),
        ):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "rejected")
        self.assertEqual(action.amazon_code, "InvalidInput")
        self.assertNotIn("Brieftaube", f"{action.amazon_text}{action.state_message}")

    def test_refused_access_blocks_it_and_asks_for_an_administrator(self):
        action = self.ask()
        self.simulator.fault("forbidden", "confirmShipment", times=1)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertIn("administrator", action.state_message)
        self.assertEqual(self.shipments(), [])

    def test_refused_credentials_block_it_before_it_leaves(self):
        action = self.ask()
        action.order_id._read_from_amazon()
        self.account.lwa_client_secret = "wrong"
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertNotIn(("queued", "sending"), self.journal(action))

    def test_token_service_that_does_not_answer_postpones_it(self):
        action = self.ask()
        action.order_id._read_from_amazon()
        self.account.access_token_sealed = False
        self.simulator.fault("html_503", "token", times=5)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertNotIn(("queued", "sending"), self.journal(action))
        self.simulator.clear_faults()
        self.assertFalse(self.run_jobs("_job_call"))
        self.assertEqual(action.state, "accepted")

    def test_order_that_amazon_does_not_show_blocks_it(self):
        action = self.ask()
        action.order_id.amazon_order_ref = NOWHERE
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertEqual(self.calls(), 0)

    def test_order_that_cannot_be_read_makes_it_wait(self):
        action = self.ask()
        self.simulator.fault("html_503", "getOrder", times=9)
        with mute_logger(READING):
            self.assertIn("could not be read", self.run_job(action, "_job_call"))
        self.assertEqual(action.state, "queued")
        self.assertIn("must be read first", action.state_message)
        self.assertEqual(self.calls(), 0)
        self.simulator.clear_faults()
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")

    def test_order_that_took_long_to_read_is_called_for_by_another_run(self):
        action = self.ask()
        with patch(f"{ACTION}.VERIFY_SECONDS", -1):
            postponed = self.run_jobs("_job_call")
        self.assertIn("took long", postponed[0])
        self.assertEqual(self.calls(), 0)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")

    def test_message_that_cannot_be_expressed_is_blocked_in_words(self):
        action = self.ask()
        error = InvalidMessage("The order has no item.")
        with patch.object(type(action._kind()), "_build_call", fail(error)):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertIn("has no item", action.state_message)

    # === nobody knows === #

    def test_cut_before_amazon_has_it_leaves_it_unknown(self):
        self.ask_unknown("cut_before")
        self.assertEqual(self.calls(), 1)
        self.assertEqual(self.shipments(), [])

    def test_cut_after_amazon_has_it_leaves_it_unknown(self):
        self.ask_unknown("cut_after")
        self.assertEqual(len(self.shipments()), 1)

    def test_server_error_is_unknown(self):
        action = self.ask()
        self.simulator.fault("html_503", "confirmShipment", times=1)
        with mute_logger(CALL):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(self.calls(), 1)

    def test_unknown_keeps_amazons_id_of_the_request(self):
        action = self.ask()
        client = type(self.account._client())
        error = OutcomeUnknown("confirmShipment", "No answer.", request_id="r-1")
        with mute_logger(CALL), patch.object(client, "confirm_shipment", fail(error)):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        self.assertEqual(action.request_ref, "r-1")

    def test_surprise_in_our_own_code_is_unknown(self):
        action = self.ask()
        client = type(self.account._client())
        error = KeyError("surprise")
        with mute_logger(CALL), patch.object(client, "confirm_shipment", fail(error)):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")

    def test_unknown_that_amazon_shows_is_confirmed_and_not_sent_again(self):
        action = self.ask_unknown("cut_after")
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.calls(), 1)

    def test_unknown_is_not_confirmed_by_an_earlier_package_of_the_same_parcel(self):
        first = self.ask(units={"NW-LED-E27-3ER": 1})
        self.settle()
        self.assertEqual(first.state, "confirmed")
        second = self.ask_ship(self.sale_order, units={"NW-LED-E27-3ER": 1})
        self.assertEqual(
            *(
                action._kind()._package(action)["trackingNumber"]
                for action in (first, second)
            )
        )
        self.simulator.fault("cut_before", "confirmShipment", times=1)
        with mute_logger(CALL):
            self.run_jobs("_job_call")
        self.assertTrue(self.run_jobs("_job_look"))
        self.assertEqual(second.state, "unknown")
        self.assertEqual(len(self.shipments()), 1)

    def test_unknown_is_looked_for_until_the_data_disprove_it(self):
        action = self.ask_unknown("cut_before")
        self.assertTrue(self.run_jobs("_job_look"))
        self.assertEqual(action.state, "unknown")
        self.age(action, minutes=NOT_EXECUTED_MINUTES + 1)
        self.assertFalse(self.run_jobs("_job_look"))
        self.assertEqual(action.state, "rejected")
        self.assertIn("shows nothing of this package", action.amazon_text)
        self.assertFalse(self.pending_jobs("_job_look", "_job_call"))
        self.assertEqual(self.calls(), 1)

    def test_old_reading_disproves_nothing(self):
        action = self.ask_unknown("cut_after")
        self.age(action, minutes=NOT_EXECUTED_MINUTES + 1)
        self.simulator.fault("html_503", "getOrder", times=9)
        with mute_logger(READING):
            self.assertTrue(self.run_jobs("_job_look"))
        self.assertEqual(action.state, "unknown")
        self.simulator.clear_faults()
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "confirmed")

    def test_unknown_without_a_trace_goes_to_a_person_who_may_have_it_sent_again(self):
        action = self.ask_unknown("cut_before")
        with patch.object(type(action._kind()), "_disproof", lambda *args: False):
            self.run_job(action, "_job_look")
            self.assertFalse(action.needs_person)
            self.age(action, hours=CALL_NO_TRACE_HOURS + 1)
            self.run_job(action, "_job_look")
        self.assertTrue(action.needs_person)
        self.decide(action).action_send_again()
        self.assertEqual(action.state, "queued")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")
        self.assertEqual(len(self.shipments()), 1)

    def decide(self, action):
        window = (
            action.with_user(self.agent)
            .with_context(allowed_company_ids=self.company.ids)
            .action_decide_unknown()
        )
        decision = self.env[window["res_model"]].with_user(self.agent)
        decision = decision.browse(window["res_id"])
        decision.note = "Looked at it in Seller Central just now"
        return decision

    def test_person_records_what_seller_central_shows(self):
        action = self.ask_unknown("cut_before")
        self.decide(action).action_executed()
        self.assertEqual(action.state, "assisted")
        self.assertEqual(self.calls(), 1)

    def test_dialog_of_the_decision_shows_the_call_instead_of_a_feed(self):
        action = self.ask_unknown("cut_before")
        action.call_id.request_ref = "abc-123"
        with Form(self.decide(action)) as form:
            self.assertEqual(form.operation, "confirmShipment")
            self.assertEqual(form.request_ref, "abc-123")
            self.assertTrue(form.sending_at)
            self.assertEqual(form.payload_digest, action.call_id.digest)
            self.assertFalse(form.feed_type)
            self.assertEqual(len(form.line_ids), 2)

    def test_unknown_that_amazon_never_shows_goes_to_a_person_at_once(self):
        action = self.ask()
        with patch.object(type(action._kind()), "_is_shown_by_amazon", False):
            self.simulator.fault("cut_after", "confirmShipment", times=1)
            with mute_logger(CALL):
                self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        self.assertTrue(action.needs_person)
        self.assertFalse(self.pending_jobs("_job_look"))

    # === what if we die === #

    def test_death_between_the_commits_is_unknown_and_found_by_reading(self):
        action = self.ask_interrupted()
        # Amazon has got it
        with self.account._client() as client:
            method, args = action._kind()._build_call(action)
            getattr(client, method)(*args)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "confirmed")
        self.assertEqual(self.calls(), 1)

    def test_death_between_the_commits_is_not_repeated(self):
        action = self.ask_interrupted()
        self.run_jobs("_job_call")
        self.age(action, minutes=NOT_EXECUTED_MINUTES + 1)
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "rejected")
        self.assertEqual(self.calls(), 0)

    def test_commit_whose_answer_was_lost_does_not_lose_the_call(self):
        action = self.ask()
        begin = type(action)._begin_call

        def lose(record, token, is_read):
            """As `in_own_transaction` does where PostgreSQL was restarted."""
            begin(record, token, True)
            record.env.flush_all()
            return begin(record, token, True)

        with patch.object(type(action), "_begin_call", lose):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")
        self.assertEqual(self.calls(), 1)
        self.assertEqual(action.call_ids.mapped("state"), ["answered"])

    def test_host_that_stood_still_does_not_send_what_was_called_unknown(self):
        action = self.ask()
        begin = type(action)._begin_call

        def overtaken(record, token, is_read):
            call = begin(record, token, True)
            record.call_id._record("unknown", None, "its sender is silent")
            return call

        with patch.object(type(action), "_begin_call", overtaken):
            self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 0)
        self.assertEqual(action.state, "queued", "it is proven not to have left")
        action.due_at = fields.Datetime.now()
        self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 1)

    def test_host_that_stood_still_does_not_meddle_with_a_later_sending(self):
        action = self.ask()
        begin = type(action)._begin_call

        def overtaken(record, token, is_read):
            """Called unknown, decided by a person, and being sent by another host."""
            call = begin(record, token, True)
            record.call_id._record("unknown", None, "its sender is silent")
            record._set_back_to_queued("a person says so")
            begin(record, "another host", True)
            return call

        with mute_logger(CALL), patch.object(type(action), "_begin_call", overtaken):
            self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 0)
        self.assertEqual(action.state, "sending", "the other host sends it")
        self.assertEqual(action.call_id.token, "another host")
        self.assertEqual(action.call_ids.mapped("state"), ["sending", "not_sent"])

    def test_sending_that_a_restored_database_has_lost_touches_no_other_row(self):
        action = self.ask()
        begin = type(action)._begin_call

        def restored(record, token, is_read):
            leaving = begin(record, token, True)
            record.env.flush_all()
            record.env.cr.execute(
                "UPDATE amazon_call SET token = 'of another life' WHERE id = %s",
                [record.call_id.id],
            )
            record.env.invalidate_all()
            return leaving

        with (
            mute_logger("odoo.addons.amazon_order_actions.models.sending.action"),
            patch.object(type(action), "_begin_call", restored),
        ):
            self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 0)
        self.assertEqual(action.call_ids.mapped("state"), ["sending"])

    def test_late_success_keeps_what_waits_again_from_being_sent_again(self):
        action = self.ask_interrupted()
        action.call_id._record("unknown", None, "Nobody knows.")
        action._set_back_to_queued("Somebody saw that Amazon does not have it.")
        action.call_id._record("answered", "r-1")
        self.assertEqual(action.state, "accepted")
        self.settle()
        self.assertEqual(self.calls(), 0)

    def test_late_success_ends_the_wait_for_a_second_person(self):
        action = self.ask_interrupted()
        action.call_id._record("unknown", None, "Nobody knows.")
        action._ask_to_send_again("above the limit")
        self.assertEqual(action.state, "to_approve")
        with mute_logger(CALL):
            action.call_id._record("not_sent", "r-1", "late", None)
            action.call_id._record("unknown", "r-1", "?")
        self.assertEqual(action.state, "to_approve", "no news lets it leave")
        action.call_id._record("answered", "r-1")
        self.assertEqual(action.state, "accepted")
        self.settle()
        self.assertEqual(self.calls(), 0)

    def test_late_failure_does_not_undo_that_it_is_sent_again(self):
        action = self.ask_interrupted()
        action.call_id._record("unknown", None, "Nobody knows.")
        action._set_sent_again("Somebody saw that Amazon does not have it.")
        with mute_logger(CALL):
            action.call_id._record("unknown", "r-1", "?")
        self.assertEqual(action.state, "queued")

    def test_late_success_counts_even_after_a_later_sending(self):
        action = self.ask_unknown("cut_after")
        action._set_back_to_queued("a person says so")
        first = action.call_id
        with mute_logger(CALL):
            first._record("refused", "r-1", "No", "InvalidInput", 400)
            self.assertEqual(action.state, "queued")
        action._begin_call("a later one", True)
        with mute_logger(CALL):
            first._record("answered", "r-1")
        self.assertEqual(action.state, "accepted")

    def test_later_refusal_does_not_undo_what_an_earlier_call_is_known_to_have_done(
        self,
    ):
        action = self.ask_unknown("cut_after")
        first = action.call_id
        action._set_back_to_queued("a person says so")
        action._begin_call("a later one", True)
        later = action.call_id
        with mute_logger(CALL):
            first._record("answered", "r-1")
            self.assertEqual(action.call_id, first, "the one that is known to count")
            self.assertFalse(later._may_leave())
            later._record("refused", "r-2", "No", "InvalidInput", 400)
        self.assertEqual(action.state, "accepted")
        self.assertEqual((action.call_id, action.request_ref), (first, "r-1"))
        self.assertEqual((first.state, later.state), ("answered", "refused"))

    # === each sending is a row of its own ===

    def test_two_open_calls_of_one_action_are_refused_by_postgresql(self):
        action = self.ask_interrupted()
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            action.call_id.copy({"token": "another one", "state": "sending"})
            self.env.flush_all()
        self.assertEqual(len(action.call_ids), 1)

    def test_second_sending_is_a_second_row_and_the_first_keeps_its_outcome(self):
        action = self.ask_unknown("cut_before")
        first = action.call_id
        action._set_back_to_queued("a person says so")
        self.run_jobs("_job_call")
        action._enqueue_call()
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")
        self.assertEqual(action.call_ids - first, action.call_id)
        self.assertEqual((first.state, action.call_id.state), ("unknown", "answered"))
        self.assertNotEqual(first.token, action.call_id.token)

    def test_lost_sender_leaves_its_row_unknown(self):
        action = self.ask_interrupted()
        self.run_jobs("_job_call")
        self.assertEqual(action.call_ids.mapped("state"), ["unknown"])

    def test_database_that_fails_before_the_call_sends_nothing(self):
        action = self.ask()
        with (
            patch.object(
                type(self.account._client()),
                "prepare_write",
                side_effect=psycopg2.OperationalError("gone"),
            ),
            self.assertRaises(psycopg2.OperationalError),
        ):
            action._job_call()
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.calls(), 0)

    # === what changes while it waits === #

    def test_stop_holds_it_and_resuming_sends_it(self):
        action = self.ask()
        self.stop(self.account, "A test")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertFalse(self.pending_jobs("_job_call"))
        self.resume(self.account, "The test is over")
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")

    def test_panel_says_that_sending_is_stopped(self):
        action = self.ask()
        self.assertNotIn("stop_message", self.panel_of(action.order_id)["actions"][0])
        self.stop(self.account, "A test")
        self.assertTrue(self.panel_of(action.order_id)["actions"][0]["stop_message"])

    def test_stop_while_the_order_is_read_holds_it(self):
        action = self.ask()
        read = type(action)._read_order

        def switch_off(record):
            known = read(record)
            self.stop(self.account, "A test")
            self.env.flush_all()
            return known

        with patch.object(type(action), "_read_order", switch_off):
            self.run_jobs("_job_call")
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.calls(), 0)

    def test_withdrawal_wins_before_it_leaves(self):
        action = self.ask()
        action.with_user(self.agent).action_withdraw()
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "withdrawn")
        self.assertEqual(self.calls(), 0)

    def test_action_that_somebody_holds_is_called_later(self):
        action = self.ask()
        action.order_id._read_from_amazon()
        with patch.object(
            type(action), "try_lock_for_update", lambda record, **kw: record.browse()
        ):
            self.assertTrue(self.run_jobs("_job_call"))
        self.assertEqual(action.state, "queued")
        self.assertTrue(self.pending_jobs("_job_call"))

    def test_order_of_another_account_by_now_is_not_sent_with_this_one(self):
        action = self.ask()
        action.order_id._read_from_amazon()
        action.order_id.account_id = self._create_account(
            name="Zweitkonto", seller_id="A2OTHERSELLER"
        )
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "blocked")
        self.assertIn("Zweitkonto", action.state_message)
        self.assertEqual(self.calls(), 0)

    def test_time_to_take_it_back_is_waited_for(self):
        self.set_undo("ship", 60)
        action = self.ask()
        self.assertIn("taken back", self.run_jobs("_job_call")[0])
        self.assertEqual(action.state, "queued")

    def test_second_job_waits_for_the_first(self):
        action = self.ask()
        with closing(db_connect(self.env.cr.dbname).cursor()) as cr:
            cr.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                [f"amazon_order_actions/call/{action.id}"],
            )
            self.assertEqual(self.run_jobs("_job_call"), ["This call is being made."])
        self.assertEqual(self.calls(), 0)
        self.run_jobs("_job_call")
        self.assertEqual(self.calls(), 1)


@tagged("post_install", "-at_install")
class TestLostCall(CallCase):
    """Calls whose job is gone are found by the watch."""

    def lose_jobs(self, action):
        self.pending_jobs("_job_call", "_job_look").unlink()
        action.last_state_change -= timedelta(hours=1)
        self.env.flush_all()

    def watch(self):
        checks = self.env["amazon.check.sending"].with_company(self.company)
        return checks._find_call_lost(self.account)

    def test_queued_call_without_a_job_gets_one(self):
        action = self.ask()
        self.lose_jobs(action)
        self.assertEqual(self.watch()[0].count, 1)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "accepted")

    def test_interrupted_call_without_a_job_becomes_unknown(self):
        action = self.ask_interrupted()
        self.lose_jobs(action)
        self.assertEqual(self.watch()[0].count, 1)
        self.run_jobs("_job_call")
        self.assertEqual(action.state, "unknown")

    def test_unknown_call_without_a_job_is_looked_for(self):
        action = self.ask_unknown("cut_after")
        self.lose_jobs(action)
        self.assertEqual(self.watch()[0].count, 1)
        self.run_jobs("_job_look")
        self.assertEqual(action.state, "confirmed")

    def test_call_with_a_job_is_not_lost(self):
        action = self.ask()
        action.last_state_change -= timedelta(hours=1)
        self.env.flush_all()
        self.assertEqual(self.watch(), [])

    def test_job_of_an_earlier_look_does_not_make_a_call(self):
        action = self.ask_unknown("cut_before")
        action._set_back_to_queued("a person says so")
        self.pending_jobs("_job_call").unlink()
        action.last_state_change -= timedelta(hours=1)
        self.env.flush_all()
        self.assertTrue(self.pending_jobs("_job_look"))
        self.assertEqual(self.watch()[0].count, 1)
        self.assertTrue(self.pending_jobs("_job_call"))

    def test_call_that_is_stopped_is_not_lost(self):
        action = self.ask()
        self.lose_jobs(action)
        self.stop(self.account, "A test")
        self.assertEqual(self.watch(), [])
        self.assertFalse(self.pending_jobs("_job_call"))

    def test_call_that_waited_for_a_month_is_lost_all_the_same(self):
        action = self.ask()
        self.lose_jobs(action)
        action.last_state_change -= timedelta(days=30)
        self.env.flush_all()
        self.assertEqual(self.watch()[0].count, 1)

    def test_what_waits_for_a_person_is_not_lost(self):
        action = self.ask_unknown("cut_before")
        action._hand_to_person("Nobody knows.")
        self.lose_jobs(action)
        self.assertEqual(self.watch(), [])


@tagged("post_install", "-at_install")
class TestForgetting(CallCase):
    """What only the call needed is forgotten when it is over."""

    def test_details_are_kept_as_long_as_something_is_to_come(self):
        action = self.ask_unknown("cut_after")
        self.assertTrue(action.sudo().details)

    def test_details_that_name_the_buyer_go_when_it_is_over(self):
        action = self.ask()
        kind = type(action._kind())
        with patch.object(kind, "_kept_details", lambda handler, details: False):
            action.with_user(self.agent).action_withdraw()
        self.assertFalse(action.sudo().details)

    def test_what_amazon_never_shows_is_over_when_it_is_accepted(self):
        action = self.ask()
        with self.never_shown(action):
            self.run_jobs("_job_call")
            self.assertEqual(action.state, "accepted")
        self.assertFalse(action.sudo().details)

    def test_what_amazon_never_shows_is_over_when_a_person_saw_it(self):
        action = self.ask_unknown()
        with self.never_shown(action):
            action._set_assisted("Seen in Seller Central.")
        self.assertFalse(action.sudo().details)

    @contextmanager
    def never_shown(self, action):
        kind = type(action._kind())
        with (
            patch.object(kind, "_is_shown_by_amazon", False),
            patch.object(kind, "_kept_details", lambda handler, details: False),
        ):
            yield
