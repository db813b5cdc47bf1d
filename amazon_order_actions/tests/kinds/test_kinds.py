from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.translate import code_translations

from ...models.action.states import ACTION_STATES
from ..base.test_containment import ContainmentCase
from ..common import SHIPPED, UNSHIPPED, AmazonOrderCommon

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
        self.sale_order = self.create_sale_order(SHIPPED)
        self.actions = self.create_actions(self.sale_order.amazon_order_id)

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
        panel = self.panel_of(action.order_id, self.agent)
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


@tagged("post_install", "-at_install")
class TestUndoSettings(AmazonOrderCommon):
    """How long each kind of action can be taken back, for each account."""

    def setting(self, kind, account=None):
        rows = (account or self.account).kind_ids
        return rows.filtered(lambda row: row.kind == kind)

    def test_new_account_has_a_row_for_each_kind_with_a_setting(self):
        account = self.env["amazon.seller.account"].create(
            {"name": "New", "seller_id": "NEW"}
        )
        self.assertEqual(
            account.kind_ids.mapped("kind"),
            [kind for kind, _label in KINDS if kind != "cancel_items"],
        )
        self.assertEqual(set(account.kind_ids.mapped("undo_seconds")), {10})

    def test_accounts_get_a_row_for_a_kind_that_comes_later(self):
        self.setting("ship").unlink()
        with patch.object(type(self.registry), "post_init", lambda _self, func: func()):
            self.env["amazon.action.kind.ship"].init()
        self.account.invalidate_recordset(["kind_ids"])
        self.assertEqual(self.setting("ship").undo_seconds, 10)

    def test_default_counts_where_there_is_no_row(self):
        self.setting("ship").unlink()
        self.assertEqual(self.account._undo_seconds("ship"), 10)

    def test_change_counts_at_once_and_is_journaled(self):
        self.assertEqual(self.account._undo_seconds("ship"), 0)
        self.account.with_user(self.admin).kind_ids = [
            Command.update(self.setting("ship").id, {"undo_seconds": 90})
        ]
        self.assertEqual(self.account._undo_seconds("ship"), 90)
        entry = self.env["amazon.audit.entry"].search([], order="id desc", limit=1)
        self.assertEqual(
            (entry.event, entry.user_id, entry.account_id, entry.company_id),
            ("account", self.admin, self.account, self.company),
        )
        self.assertEqual((entry.value_before, entry.value_after), ("0", "90"))
        self.assertEqual(
            entry.message, "Time to Take Back (Shipment Confirmation) changed: 90"
        )

    def test_cancellation_of_items_is_taken_back_as_long_as_one_of_the_order(self):
        self.set_undo("cancel", 70)
        order = self.create_sale_order(UNSHIPPED).amazon_order_id.sudo()
        for kind in ("cancel", "cancel_items"):
            handler = self.env["amazon.action.kind"]._named(kind)
            self.assertEqual(handler._undo_seconds(order), 70)

    @mute_logger("odoo.sql_db")
    def test_seconds_that_cannot_be_meant_are_refused(self):
        for seconds in (-1, 3601):
            with (
                self.subTest(seconds),
                self.assertRaises(CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.setting("ship").undo_seconds = seconds
                self.env.flush_all()

    def test_row_stays_with_its_account_and_kind(self):
        row = self.setting("ship")
        for vals in ({"kind": "refund"}, {"account_id": 0}):
            with self.subTest(vals), self.assertRaises(UserError):
                row.write(vals)


# What each state is said by where it is not the kind's own sentence.
BY_THE_APPROVAL = {"to_approve", "refused", "expired"}
ALWAYS_WITH_A_REASON = {"blocked"}


@tagged("post_install", "-at_install")
class TestSentences(ContainmentCase):
    """Each kind has words for each state that it can reach, and for no other."""

    def setUp(self):
        super().setUp()
        self.sale_order = self.create_sale_order(SHIPPED)
        self.order = self.sale_order.amazon_order_id
        self.actions = self.create_actions(self.order)

    def is_ever_assisted(self, handler):
        """Whether it is recorded by hand for orders of some channel."""
        for channel in self.order._fields["channel"].get_values(self.env):
            self.order.channel = channel
            if handler._is_assisted(self.order):
                return True
        return False

    def reachable(self, handler):
        """Return the states that actions of a kind can come to."""
        answers = {handler._answered_state}
        if handler._feed_type:
            answers |= {"submitted", "accepted"}
        return {
            *("queued", "sending", "unknown", "rejected", "withdrawn"),
            *(answers - {None}),
            *(["confirmed"] if handler._is_shown_by_amazon else []),
            *(["assisted"] if self.is_ever_assisted(handler) else []),
        }

    def handlers(self):
        kinds = self.env["amazon.action.kind"]
        return [kinds._named(kind) for kind in kinds._names()]

    def test_every_state_has_a_sentence_in_every_kind_that_can_reach_it(self):
        reached = BY_THE_APPROVAL | ALWAYS_WITH_A_REASON
        for handler in self.handlers():
            with self.subTest(handler._name):
                states = self.reachable(handler)
                reached |= states
                self.assertLessEqual(states, set(handler._sentences))
                more = set(handler._sentences) - states
                # a variant is named after its state, and no sentence is never said
                self.assertTrue(
                    all(
                        case.startswith(tuple(f"{s}_" for s in states)) for case in more
                    )
                )
        self.assertEqual(reached, set(dict(ACTION_STATES)))

    def test_every_sentence_can_be_said_in_every_language(self):
        for code in ("en_US", "de", "es", "fr"):
            for action in self.actions:
                handler = action._kind()
                values = handler._sentence_values(action)
                for case, sentence in handler._sentences.items():
                    with self.subTest(code, kind=action.kind, case=case):
                        said = sentence._translate(code) % values
                        self.assertNotIn("%(", said)

    def test_every_state_is_said_of_every_kind(self):
        for action in self.actions:
            for state in self.reachable(action._kind()):
                with self.subTest(action.kind, state=state):
                    self.assertTrue(action._kind()._sentence(action, state))

    def test_spoilt_translation_is_said_in_english(self):
        self.env["res.lang"]._activate_lang("de_DE")
        action = self.one("ship").with_context(lang="de_DE")
        spoilt = action._kind()._sentences["sending"]._source
        with (
            patch.object(
                type(code_translations),
                "get_python_translations",
                lambda _self, module, lang: {spoilt: "%(nobody)s schickt es."},
            ),
            mute_logger("odoo.addons.amazon_order_actions.models.action.kind"),
        ):
            said = action._kind()._sentence(action, "sending")
        self.assertIn("is being sent to Amazon", said)

    def one(self, kind):
        return self.actions.filtered(lambda action: action.kind == kind)
