from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ...models.action.states import ACTION_STATES, ACTION_TRANSITIONS
from ..common import SHIPPED, AmazonOrderCommon

ACTION = "odoo.addons.amazon_order_actions.models.action.action"


@tagged("post_install", "-at_install")
class TestActionStates(AmazonOrderCommon):
    """Every move between states that is legal happens; every other one does not."""

    def setUp(self):
        super().setUp()
        self.action = self.ask_refund(self.create_sale_order(SHIPPED))

    def _force(self, state):
        self.action.flush_recordset()
        self.env.cr.execute(
            "UPDATE amazon_action SET state = %s WHERE id = %s",
            [state, self.action.id],
        )
        self.action.invalidate_recordset()

    def test_every_pair_of_states_follows_the_table(self):
        states = [state for state, _label in ACTION_STATES]
        for target, sources in ACTION_TRANSITIONS.items():
            for source in states:
                with self.subTest(f"{source} -> {target}"), mute_logger(ACTION):
                    self._force(source)
                    moved = self.action._update_state(target, "because")
                    legal = source in sources
                    self.assertEqual(bool(moved), legal)
                    self.assertEqual(self.action.state, target if legal else source)

    def test_no_state_leads_back_into_sending_but_queued(self):
        self.assertEqual(ACTION_TRANSITIONS["sending"], ("queued",))

    def test_unknown_can_be_rescued_by_late_good_news(self):
        for target in ("submitted", "accepted"):
            self._force("unknown")
            self.assertTrue(self.action._update_state(target))

    def test_illegal_news_is_logged_and_changes_nothing(self):
        self._force("confirmed")
        with self.assertLogs(ACTION, "WARNING"):
            self.action._set_rejected("1", "too late")
        self.assertEqual(self.action.state, "confirmed")
        self.assertFalse(self.action.amazon_code)

    def test_older_news_after_better_ones_is_no_contradiction(self):
        self._force("confirmed")
        with self.assertNoLogs(ACTION, "WARNING"):
            self.action._set_accepted()
        self.assertEqual(self.action.state, "confirmed")

    def test_repeated_news_changes_nothing(self):
        self._force("submitted")
        before = self.action.last_state_change
        self.assertFalse(self.action._set_submitted())
        self.assertEqual(self.action.last_state_change, before)

    def test_every_move_leaves_one_journal_entry(self):
        self.action._set_sending()
        self.action._set_submitted()
        self.action._set_accepted()
        self.action._set_confirmed()
        self.assertEqual(
            [to for _source, to in self.journal(self.action)],
            ["queued", "sending", "submitted", "accepted", "confirmed"],
        )

    def test_only_states_that_may_have_moved_money_keep_it_reserved(self):
        reserving = set()
        for state, _label in ACTION_STATES:
            self._force(state)
            self.env.invalidate_all()
            if self.action.order_id.reserved:
                reserving.add(state)
        self.assertEqual(
            reserving,
            {
                "to_approve",
                "queued",
                "sending",
                "submitted",
                "unknown",
                "accepted",
                "assisted",
            },
        )

    def test_actions_cannot_be_deleted(self):
        with self.assertRaises(UserError):
            self.action.unlink()
        with self.assertRaises(AccessError):
            self.action.with_user(self.agent).unlink()

    def test_sale_order_with_an_action_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, "something was asked of Amazon"):
            self.action._get_origin().unlink()
        self.create_sale_order(SHIPPED).unlink()

    def test_action_goes_on_whose_document_went_with_its_addon(self):
        """What was asked stays when the addon of the document is uninstalled."""
        action = self.action
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE amazon_action SET origin_model = 'gone.document' WHERE id = %s",
            [action.id],
        )
        action.invalidate_recordset()
        self.assertFalse(action._get_origin())
        self.env["amazon.reply"]._ask_person(
            action, "Write to the buyer", "Nobody else does."
        )
        self.assertEqual(action.activity_ids.user_id, action.user_id)
        entry = self.env["amazon.audit.entry"]._append(
            [action._prepare_journal_entry("state")]
        )
        self.assertEqual(entry.origin_model, "gone.document")
        self.assertEqual(entry.origin_id, action.origin_id)
        for record in (action, entry):
            form = Form(record.with_user(self.auditor))
            self.assertEqual(form.origin_name, action.origin_name)

    def test_document_is_deleted_with_its_order_taken(self):
        """No key in the database holds it: who asks from it at the same moment must
        meet the deletion, and the later one sees what the earlier one did."""
        order = self.action.order_id
        document = self.create_sale_order(SHIPPED)
        before = order.take_count
        document.unlink()
        order.invalidate_recordset(["take_count"])
        self.assertGreater(order.take_count, before)
        # nothing is taken for what is about no order
        self.create_sale_order().unlink()
