from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.translate import code_translations

from ..base.test_containment import ContainmentCase
from ..common import SHIPPED

KINDS = [
    ("refund", "Refund"),
    ("cancel", "Cancellation"),
    ("ship", "Shipment Confirmation"),
    ("order_number", "Seller Order Number"),
    ("cancel_items", "Cancellation of Items"),
    ("mcf_cancel", "Cancellation of a Fulfillment Order"),
    ("mcf_update", "Change of a Fulfillment Order"),
    ("message", "Message to the Buyer"),
]


@tagged("post_install", "-at_install")
class TestKinds(ContainmentCase):
    """The kinds of action are the models that say that they are one."""

    def setUp(self):
        super().setUp()
        self.ticket = self.create_ticket(SHIPPED)
        self.actions = self.create_actions(self.ticket.amazon_order_id)

    def one(self, kind):
        return self.actions.filtered(lambda action: action.kind == kind)

    # === THE SELECTION === #

    def test_all_are_offered_in_order_wherever_a_kind_is_chosen(self):
        for model in ("amazon.action", "amazon.stop", "amazon.stop.request"):
            with self.subTest(model):
                field = self.env[model].fields_get(["kind"])["kind"]
                self.assertEqual(field["selection"], KINDS)

    def test_labels_are_translated(self):
        self.env["res.lang"]._activate_lang("de_DE")
        german = self.env["amazon.action"].with_context(lang="de_DE")
        with patch.object(
            type(code_translations),
            "get_python_translations",
            lambda _self, module, lang: {"Refund": "Erstattung"},
        ):
            selection = german.fields_get(["kind"])["kind"]["selection"]
        self.assertEqual(selection[0], ("refund", "Erstattung"))

    def test_export_says_the_label_and_import_is_refused(self):
        action = self.one("ship")
        self.assertEqual(
            action.export_data(["kind"])["datas"], [["Shipment Confirmation"]]
        )
        result = self.env["amazon.action"].load(
            ["kind", "name"], [["Shipment Confirmation", "A"]]
        )
        self.assertFalse(result["ids"])

    def test_search_and_group_by(self):
        actions = self.env["amazon.action"]
        mine = [("id", "in", self.actions.ids)]
        self.assertEqual(
            actions.search([*mine, ("kind", "=", "ship")]), self.one("ship")
        )
        groups = actions.formatted_read_group(mine, ["kind"], ["__count"])
        self.assertEqual(
            {group["kind"]: group["__count"] for group in groups},
            dict.fromkeys(dict(KINDS), 1),
        )

    # === AN ADDON THAT IS GONE === #

    def gone(self):
        """Return an action whose kind no addon brings any more."""
        action = self.one("ship")
        self.env.cr.execute(
            "UPDATE amazon_action SET kind = 'exchange' WHERE id = %s", [action.id]
        )
        action.invalidate_recordset(["kind"])
        return action

    def test_action_of_a_kind_that_is_gone_is_shown(self):
        action = self.gone()
        self.assertEqual(action.export_data(["kind"])["datas"], [["exchange"]])
        panel = action.order_id.with_user(self.agent)._panel_data()
        rows = {row["id"]: row for row in panel["actions"]}
        self.assertEqual(rows[action.id]["kind_label"], "exchange")
        self.assertFalse(rows[action.id]["can_withdraw"])

    def test_action_of_a_kind_that_is_gone_is_not_sent(self):
        action = self.gone()
        self.assertIn("not installed", action._late_blocker())
        action._set_blocked(action._late_blocker())
        self.assertEqual(action.state, "blocked")

    def test_action_of_a_kind_that_is_gone_is_taken_back_by_an_approver(self):
        action = self.gone()
        with self.assertRaisesRegex(AccessError, "not installed"):
            action.with_user(self.agent).action_withdraw()
        approver = self._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )
        action.with_user(approver).action_withdraw()
        self.assertEqual(action.state, "withdrawn")
        self.assertIn("not installed", action.state_message)
