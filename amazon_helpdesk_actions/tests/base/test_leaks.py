import json
import re
import xmlrpc.client
from types import SimpleNamespace
from unittest.mock import patch

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tests.common import JsonRpcException
from odoo.tools import SQL

from ..permission_table import ROUTES
from ..permission_world import DIALOGS, PermissionWorld

# Who may open each dialog.
OPENERS = {
    "amazon.refund.request": "refund",
    "amazon.cancel.request": "cancel",
    "amazon.edit.request": "edit",
    "amazon.ship.request": "edit",
    "amazon.order_number.request": "edit",
    "amazon.fulfillment.cancel.request": "cancel",
    "amazon.fulfillment.request": "edit",
    "amazon.reply.request": "message",
    "amazon.evidence.request": "refund",
}

# What an administrator may write into a server action of tickets.
REFUND_BY_CODE = """
opened = record.action_amazon_refund()
request = env["amazon.refund.request"].browse(opened["res_id"])
request.write({"reason": "CustomerReturn", "is_second_meant": True})
request.action_refund()
"""


class LeakCase(PermissionWorld):
    def rpc(self, persona, model, method, *args, **context):
        """Call a method as a person of the first company does over RPC."""
        self.env.invalidate_all()
        context = {"allowed_company_ids": self.company.ids, **context}
        env = self.env(user=self.single[persona], su=False, context={})
        return call_kw(env[model], method, list(args), {"context": context})

    def assert_tells_nothing(self, *call, **context):
        """Check that a call is refused, or answers without a word of the other
        company."""
        try:
            answer = self.rpc(*call, **context)
        except (AccessError, UserError) as refusal:
            answer = str(refusal)
        self.assertFalse(self.leaks(answer), call)


def origin_of(document):
    """Return the values of a dialog that is opened from a document."""
    return {"origin_model": document._name, "origin_id": document.id}


@tagged("post_install", "-at_install")
class TestLeaks(LeakCase):
    """What a person could learn or do by a way that is none of the buttons."""

    # === FORGED VALUES === #

    def test_dialog_shows_no_document_that_its_user_may_not_read(self):
        """Odoo names what a many2one points to in sudo mode, whatever its id."""
        for model, persona in OPENERS.items():
            order, _values = DIALOGS.get(model, ("shipped", {}))
            forged = {
                "order_id": {"order_id": self.other[order].id},
                "ticket": origin_of(self.other[f"ticket_{order}"]),
                "sale": origin_of(self.other[f"sale_{order}"]),
            }
            for name, values in forged.items():
                asked = {field: {"fields": {"display_name": {}}} for field in values}
                for changed in ([], list(values)):
                    with (
                        self.subTest(model=model, field=name),
                        self.assertRaises(AccessError),
                    ):
                        call = (persona, model, "onchange", [], values, changed)
                        self.rpc(*call, asked)
                with (
                    self.subTest(model=model, default=name),
                    self.assertRaises(AccessError),
                ):
                    default = {f"default_{key}": val for key, val in values.items()}
                    self.rpc(persona, model, "onchange", [], {}, [], asked, **default)

    def test_dialog_tells_nothing_of_a_document_that_is_named_in_two_halves(self):
        """One half by the client, and the other one by a default in the context."""
        order_id = {"order_id": self.own.shipped.id}
        shown = ("origin_model", "origin_id", "blockers", "recipient_doubt")
        asked = {name: {} for name in shown}
        for persona, model in (
            ("refund", "amazon.refund.request"),
            ("message", "amazon.reply.request"),
        ):
            for document in (self.other.ticket_shipped, self.other.sale_shipped):
                names = origin_of(document)
                for given, default in (
                    ("origin_model", "origin_id"),
                    ("origin_id", "origin_model"),
                ):
                    values = {**order_id, given: names[given]}
                    with (
                        self.subTest(model=model, given=given),
                        self.assertRaises(AccessError),
                    ):
                        self.rpc(
                            *(persona, model, "onchange", [], values, [], asked),
                            **{f"default_{default}": names[default]},
                        )

    def test_evidence_dialog_names_nothing_that_its_user_may_not_read(self):
        """Whichever of the three it is, beside one that the user may read."""
        model, own = "amazon.evidence.request", self.own.ticket_shipped
        forged = {
            "order_id": {"order_id": self.other.shipped.id},
            "ticket": origin_of(self.other.ticket_shipped),
            "sale": origin_of(self.other.sale_shipped),
        }
        readable = {**origin_of(own), "language": "de"}
        for name, values in forged.items():
            asked = {field: {"fields": {"display_name": {}}} for field in values}
            with self.subTest(create=name), self.assertRaises(AccessError):
                self.rpc("refund", model, "create", {**readable, **values})
            default = {f"default_{key}": val for key, val in values.items()}
            with self.subTest(default=name), self.assertRaises(AccessError):
                given = readable if name == "order_id" else {"language": "de"}
                self.rpc("refund", model, "create", given, **default)
            dialog = self.rpc("refund", model, "create", readable)
            with self.subTest(write=name), self.assertRaises(AccessError):
                self.rpc("refund", model, "write", [dialog], values)
            with self.subTest(onchange=name), self.assertRaises(AccessError):
                call = (model, "onchange", [dialog], {**readable, **values})
                self.rpc("refund", *call, list(values), asked)
            # what could be read then, and cannot be any more
            self.env.flush_all()
            for field, value in values.items():
                self.env.cr.execute(
                    SQL(
                        "UPDATE amazon_evidence_request SET %s = %s WHERE id = %s",
                        SQL.identifier(field),
                        value,
                        dialog,
                    )
                )
            with self.subTest(make=name), self.assertRaises(AccessError):
                self.rpc("refund", model, "action_pdf", [dialog])

    def test_name_of_another_company_is_a_number(self):
        """By an onchange of any model that points to ours."""
        other = self.other
        for persona, model, name, record in (
            ("refund", "amazon.refund.request.line", "order_line_id", "line"),
            ("refund", "helpdesk.ticket", "amazon_order_id", other.shipped),
            ("sales", "sale.order", "amazon_order_id", other.shipped),
            ("refund", "amazon.unknown.decision", "action_id", other.unknown_refund),
            ("admin", "amazon.authority", "account_id", other.account),
            ("admin", "amazon.stop.request", "account_id", other.account),
            ("books", "account.move", "amazon_action_id", other.queued_refund),
        ):
            record = other.shipped.line_ids if record == "line" else record
            asked = {name: {"fields": {"display_name": {}}}}
            with self.subTest(model=model):
                values = {name: record.id}
                self.assert_tells_nothing(
                    persona, model, "onchange", [], values, [], asked
                )

    def test_item_of_another_company_is_refused_in_a_dialog(self):
        for model in ("amazon.refund.request", "amazon.cancel.request"):
            order, _values = DIALOGS[model]
            line = {"order_line_id": self.other[order].line_ids.id, "quantity": 1}
            values = {"order_id": self.own[order].id, "line_ids": [(0, 0, line)]}
            with self.subTest(model=model), self.assertRaises(UserError):
                self.rpc(OPENERS[model], model, "create", values)

    def test_document_keeps_the_order_of_its_own_number(self):
        """Whatever a client or an import writes beside it."""
        for persona, model, record in (
            ("manager", "helpdesk.ticket", self.own.ticket_shipped),
            ("sales", "sale.order", self.own.sale_shipped),
        ):
            forged = {"amazon_order_id": self.other.shipped.id}
            with self.subTest(model=model):
                self.rpc(persona, model, "write", [record.id], forged)
                self.assertEqual(record.amazon_order_id, self.own.shipped)
            asked = {"amazon_action_ids": [(4, self.other.queued_refund.id)]}
            with self.subTest(model=model), self.assertRaises(AccessError):
                self.rpc(persona, model, "write", [record.id], asked)

    def test_panel_shows_nothing_where_document_and_order_are_of_two_companies(self):
        """However that came about."""
        ticket = self.own.ticket_shipped
        self.env.cr.execute(
            "UPDATE helpdesk_ticket SET amazon_order_id = %s WHERE id = %s",
            [self.other.shipped.id, ticket.id],
        )
        asked = ["amazon_order_panel", "amazon_order_id"]
        (row,) = self.rpc("manager", "helpdesk.ticket", "read", [ticket.id], asked)
        self.assertFalse(row["amazon_order_panel"]["order"])
        self.assertFalse(self.leaks(row))

    def test_companies_of_others_cannot_be_chosen(self):
        company = {"allowed_company_ids": self.other_company.ids}
        for persona in ("refund", "journal", "admin", "system", "portal"):
            for model in ("amazon.order", "amazon.audit.entry", "helpdesk.ticket"):
                with (
                    self.subTest(persona=persona, model=model),
                    self.assertRaises(AccessError),
                ):
                    call = (persona, model, "search_read", [], ["display_name"])
                    self.rpc(*call, **company)

    # === IMPORT AND COPY === #

    def test_nothing_is_imported_that_could_not_be_created(self):
        for persona, model, names, row in (
            ("refund", "amazon.action", ["name", "kind"], ["A", "refund"]),
            ("refund", "amazon.order", ["amazon_order_ref"], ["1"]),
            ("admin", "amazon.audit.entry", ["event"], ["asked"]),
            ("journal", "amazon.audit.entry", ["event"], ["asked"]),
            ("manager", "amazon.refund.request", ["order_id/.id"], ["1"]),
        ):
            with self.subTest(model=model, persona=persona):
                try:
                    answer = self.rpc(persona, model, "load", names, [row])
                except AccessError:
                    continue
                self.assertFalse(answer["ids"])
                self.assertTrue(answer["messages"])

    def test_import_of_an_action_into_a_ticket_is_refused(self):
        names = ["name", "description", "amazon_action_ids/kind"]
        row = ["A", "B", "refund"]
        try:
            answer = self.rpc("refund", "helpdesk.ticket", "load", names, [row])
        except AccessError:
            return
        self.assertFalse(answer["ids"])

    def test_copies_carry_no_order_and_no_secret(self):
        (copied,) = self.rpc(
            "admin", "amazon.seller.account", "copy_data", [self.own.spare_account.id]
        )
        self.assertFalse([name for name in copied if "lwa" in name or "token" in name])
        ticket = self.own.ticket_shipped
        (copied,) = self.rpc("refund", "helpdesk.ticket", "copy_data", [ticket.id])
        self.assertFalse([name for name in copied if "amazon" in name])

    def test_action_is_not_copied(self):
        action = self.own.queued_refund
        with self.assertRaises(AccessError):
            self.rpc("refund", "amazon.action", "copy", [action.id])

    # === ORACLES === #

    def test_what_may_not_be_read_cannot_be_searched_for(self):
        hidden = {
            "sale.order": [
                ("amazon_order_id.line_ids.title", "ilike", "x"),
                ("amazon_action_ids.amount", ">", 1),
            ],
            "account.move": [("amazon_action_id.note", "ilike", "a")],
            "amazon.order": [("action_ids.feed_id.feed_ref", "ilike", "a")],
            "amazon.seller.account": [("lwa_client_id", "ilike", "a")],
            "amazon.action": [("note", "ilike", "a"), ("details", "!=", False)],
        }
        blind = ["public", "portal", "staff", "books", "own"]
        if self.with_stock():
            hidden["stock.picking"] = [("amazon_hold_ids.note", "ilike", "a")]
            blind.append("stock")
        for model, conditions in hidden.items():
            for condition in conditions:
                for persona in blind:
                    with self.subTest(condition=condition, persona=persona):
                        with self.assertRaises(AccessError):
                            self.rpc(persona, model, "search_count", [condition])

    def test_relations_do_not_reach_into_another_company(self):
        for model, condition in (
            ("helpdesk.ticket", ("amazon_order_id.line_ids.title", "ilike", "Zaun")),
            ("amazon.action", ("order_id.line_ids.title", "ilike", "Zaun")),
            ("amazon.order", ("action_ids.note", "ilike", "Zaun")),
        ):
            with self.subTest(model=model):
                found = self.rpc("refund", model, "search_count", [condition])
                self.assertEqual(found, 0)

    def test_whoever_reads_all_of_a_document_is_not_stopped_by_our_fields(self):
        """An accountant reads sale orders and no action of Amazon."""
        order = self.own.sale_busy
        (row,) = self.rpc("books", "sale.order", "read", [order.id])
        self.assertNotIn("amazon_action_ids", row)
        self.assertNotIn("amazon_order_panel", row)

    # === BY THE PROGRAM === #

    def server_action(self, code):
        return self.env["ir.actions.server"].create(
            {
                "name": "By a rule",
                "model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "state": "code",
                "code": code,
            }
        )

    def run_action(self, action, user, ticket):
        """Run a server action as an automation rule does: in sudo mode, for a user."""
        context = {
            "active_model": ticket._name,
            "active_id": ticket.id,
            "active_ids": ticket.ids,
            "allowed_company_ids": self.company.ids,
        }
        return action.with_user(user).sudo().with_context(**context).run()

    def test_automation_rule_refunds_for_nobody_but_who_may(self):
        """Of Odoo's automation rules, when a ticket is changed and by the clock."""
        rule = self.env["base.automation"].create(
            {
                "name": "Refund what is renamed",
                "model_id": self.env["ir.model"]._get_id("helpdesk.ticket"),
                "trigger": "on_write",
                "trigger_field_ids": [
                    Command.link(
                        self.env["ir.model.fields"]._get("helpdesk.ticket", "name").id
                    )
                ],
                "action_server_ids": [
                    Command.link(self.server_action(REFUND_BY_CODE).id)
                ],
            }
        )
        ticket = self.own.ticket_shipped
        named, count = ticket.name, self.env["amazon.action"].search_count([])
        with self.assertRaises(AccessError):
            self.rpc("manager", "helpdesk.ticket", "write", ticket.ids, {"name": "A"})
        bot = self.env.ref("base.user_root")
        with self.assertRaises(AccessError):
            rule.with_user(bot)._process(ticket.with_user(bot))
        self.assertEqual(ticket.name, named)
        self.assertEqual(self.env["amazon.action"].search_count([]), count)
        self.rpc("refund", "helpdesk.ticket", "write", ticket.ids, {"name": "B"})
        asked = self.env["amazon.action"].search([], limit=1)
        self.assertEqual(asked.user_id, self.single["refund"])
        self.assertEqual(self.env["amazon.action"].search_count([]), count + 1)

    def test_rule_acts_with_the_rights_of_who_sets_it_off(self):
        """Sudo mode opens nothing: the real user is asked."""
        action = self.server_action(REFUND_BY_CODE)
        ticket = self.own.ticket_shipped
        count = self.env["amazon.action"].search_count([])
        for persona in self.single:
            if persona == "refund":
                continue
            with self.subTest(persona=persona), self.assertRaises(AccessError):
                self.run_action(action, self.single[persona], ticket)
        self.assertEqual(self.env["amazon.action"].search_count([]), count)
        self.run_action(action, self.single["refund"], ticket)
        asked = self.env["amazon.action"].search([], limit=1)
        self.assertEqual(asked.user_id, self.single["refund"])

    def test_odoobot_asks_for_nothing(self):
        """A scheduled action works as OdooBot, who is in no group of ours."""
        bot = self.env.ref("base.user_root")
        action = self.server_action("record.action_amazon_refund()")
        with self.assertRaises(AccessError):
            self.run_action(action, bot, self.own.ticket_shipped)
        self.assertEqual(bot.id, SUPERUSER_ID)

    def test_rule_reaches_no_other_company(self):
        action = self.server_action("record.action_amazon_refund()")
        user = self.single["refund"]
        with self.assertRaises(AccessError):
            self.run_action(action.sudo(False), user, self.other.ticket_shipped)

    def our_server_actions(self):
        ours = self.env["ir.model.data"].search(
            [
                ("module", "=", "amazon_order_actions"),
                ("model", "in", ("ir.actions.server", "ir.cron")),
            ]
        )
        actions = [self.env[data.model].browse(data.res_id) for data in ours]
        return self.env["ir.actions.server"].union(
            *(
                action.ir_actions_server_id if action._name == "ir.cron" else action
                for action in actions
            )
        )

    def test_our_server_actions_are_refused_without_their_group(self):
        """Also those of scheduled actions, which anybody can name over RPC."""
        actions = self.our_server_actions()
        self.assertGreater(len(actions), 10)
        ticket = self.own.ticket_shipped
        context = {"active_model": ticket._name, "active_id": ticket.id}
        for action in actions:
            self.assertTrue(action.group_ids, action.name)
            for persona in ("portal", "staff", "manager"):
                with (
                    self.subTest(action=action.name, persona=persona),
                    self.assertRaises(AccessError),
                ):
                    call = (persona, "ir.actions.server", "run", [action.id])
                    self.rpc(*call, **context)

    def test_scheduled_actions_run_as_somebody_who_may(self):
        crons = self.env["ir.cron"].search([("cron_name", "=like", "Amazon: %")])
        self.assertTrue(crons)
        for cron in crons:
            groups = cron.ir_actions_server_id.group_ids
            self.assertTrue(groups & cron.user_id.all_group_ids, cron.name)

    # === CHATTER === #

    def test_followers_outside_see_no_note(self):
        """What is told of an action is internal: no customer reads it, and nobody of
        another company, though they follow the ticket."""
        for side, action in (
            (self.own, "queued_refund"),
            (self.other, "queued_refund"),
        ):
            side[action]._post_sentence("A note that a customer must not see")
        for persona in ("portal", "sales"):
            for side in (self.own, self.other):
                found = self.rpc(
                    persona,
                    "mail.message",
                    "search_read",
                    [
                        ("model", "=", "helpdesk.ticket"),
                        ("res_id", "=", side.ticket_busy.id),
                    ],
                    ["body"],
                )
                with self.subTest(persona=persona, side=side.word):
                    self.assertNotIn("must not see", json.dumps(found))
        found = self.rpc(
            "manager",
            "mail.message",
            "search_read",
            [("model", "=", "helpdesk.ticket")],
            ["body"],
        )
        self.assertIn("must not see", json.dumps(found))
        self.assertFalse(self.leaks(found))

    def test_notes_are_internal_and_notify_nobody(self):
        self.own.queued_refund._post_sentence()
        note = self.own.ticket_busy.message_ids[0]
        self.assertTrue(note.is_internal)
        self.assertEqual(note.subtype_id, self.env.ref("mail.mt_note"))
        self.assertFalse(note.notified_partner_ids)

    def test_posting_on_a_ticket_writes_to_no_buyer(self):
        """The way to the buyer is the reply dialog, with its group."""
        with self.assertRaises(AccessError):
            self.rpc(
                "manager",
                "helpdesk.ticket",
                "action_amazon_reply",
                [self.own.ticket_shipped.id],
            )

    # === FILES === #

    def test_documents_of_feeds_are_for_auditors_of_the_company(self):
        calls = {
            "read": (["name"],),
            "action_download": (),
            "write": ({"name": "A"},),
            "unlink": (),
            "copy": ({"res_model": "helpdesk.ticket"},),
        }
        for side in (self.own, self.other):
            file = side.feed.payload_file_id
            for persona in self.single:
                auditor = persona.startswith("journal") and side is self.own
                for method, args in calls.items():
                    if auditor and method in ("read", "action_download"):
                        self.rpc(persona, "amazon.file", method, [file.id], *args)
                        continue
                    with self.subTest(persona=persona, side=side.word, way=method):
                        with self.assertRaises(AccessError):
                            self.rpc(persona, "amazon.file", method, [file.id], *args)

    def test_nobody_hangs_a_document_on_a_feed_or_a_file(self):
        for record in (self.own.feed, self.own.file):
            values = {"name": "A", "res_model": record._name, "res_id": record.id}
            for persona in ("refund", "journal", "admin", "system"):
                for model in ("ir.attachment", "amazon.file"):
                    with self.subTest(persona=persona), self.assertRaises(AccessError):
                        self.rpc(persona, model, "create", values)

    # === THE BUS === #

    def channels(self, user, names):
        env = self.env(user=user, su=False, context={})
        fake = SimpleNamespace(session=SimpleNamespace(uid=user.id))
        with patch("odoo.addons.bus.models.ir_websocket.request", fake):
            channels = env["ir.websocket"]._build_bus_channel_list(names)
        return [channel for channel in channels if "amazon" in repr(channel)]

    def test_only_who_may_read_an_order_hears_of_it(self):
        for persona, user in self.single.items():
            allowed = bool(self.env["amazon.order"].with_user(user).has_access("read"))
            names = [
                f"amazon_order_{side.shipped.id}" for side in (self.own, self.other)
            ]
            heard = self.channels(user, [*names, f"amazon.order_{self.own.shipped.id}"])
            orders = [c for c in heard if not isinstance(c, str)]
            with self.subTest(persona=persona):
                self.assertEqual(orders, [self.own.shipped] if allowed else [])

    def test_bus_tells_no_more_than_that_something_changed(self):
        with patch.object(type(self.env["bus.bus"]), "_sendone") as send:
            self.other.shipped._notify_forms()
        ((channel, kind, payload),) = [call.args for call in send.call_args_list]
        self.assertEqual(channel, self.other.shipped)
        self.assertEqual(payload, {"id": self.other.shipped.id})
        self.assertFalse(self.leaks((kind, payload)))


@tagged("post_install", "-at_install")
class TestLeaksOverHttp(HttpCase, LeakCase):
    """The same over the wire: what Odoo's controllers make of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = {}
        for persona in ("portal", "manager", "refund", "journal", "system"):
            user = cls.single[persona]
            user.password = user.login
            keys = cls.env["res.users.apikeys"].with_user(user).sudo()
            cls.keys[persona] = keys._generate("rpc", "matrix", None)
        cls.env.flush_all()

    def by_json_rpc(self, persona, model, method, args):
        self.authenticate(self.single[persona].login, self.single[persona].login)
        answer = self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": {}},
        )
        return answer

    def by_xml_rpc(self, persona, model, method, args):
        user = self.single[persona]
        return self.xmlrpc_object.execute_kw(
            self.env.cr.dbname, user.id, user.login, model, method, args
        )

    def by_json_2(self, persona, model, method, ids, **kwargs):
        return self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps({"ids": ids, **kwargs}),
            headers={
                "Authorization": f"bearer {self.keys[persona]}",
                "Content-Type": "application/json",
            },
        )

    def test_refusals_and_permissions_are_the_same_over_every_protocol(self):
        ticket = self.own.ticket_shipped
        foreign = self.other.ticket_shipped
        button = ("helpdesk.ticket", "action_amazon_refund")
        for persona, record, allowed in (
            ("refund", ticket, True),
            ("refund", foreign, False),
            ("manager", ticket, False),
            ("portal", ticket, False),
            ("system", ticket, False),
        ):
            with self.subTest(persona=persona, record=record.name):
                status = self.by_json_2(persona, *button, record.ids).status_code
                self.assertEqual(status, 200 if allowed else 403)
                if allowed:
                    for call in (self.by_json_rpc, self.by_xml_rpc):
                        opened = call(persona, *button, [record.ids])
                        self.assertEqual(opened["res_model"], "amazon.refund.request")
                    continue
                with self.assertRaises(JsonRpcException) as error:
                    self.by_json_rpc(persona, *button, [record.ids])
                self.assertIn("AccessError", str(error.exception))
                with self.assertRaises(xmlrpc.client.Fault):
                    self.by_xml_rpc(persona, *button, [record.ids])

    def test_private_methods_are_not_called_over_any_protocol(self):
        call = ("amazon.action", "_ask")
        self.assertEqual(self.by_json_2("refund", *call, []).status_code, 403)
        with self.assertRaises(JsonRpcException):
            self.by_json_rpc("refund", *call, [[]])
        with self.assertRaises(xmlrpc.client.Fault):
            self.by_xml_rpc("refund", *call, [[]])

    def test_document_of_a_feed_is_sent_to_auditors_of_the_company_alone(self):
        for side, persona, status in (
            (self.own, "journal", 200),
            (self.other, "journal", 404),
            (self.own, "refund", 404),
            (self.own, "system", 404),
            (self.own, "portal", 404),
        ):
            self.authenticate(self.single[persona].login, self.single[persona].login)
            answer = self.url_open(side.feed.payload_file_id._url())
            with self.subTest(persona=persona, side=side.word):
                self.assertEqual(answer.status_code, status)
                self.assertEqual(side.word in answer.text, status == 200)

    def test_routes_send_files_as_the_table_says(self):
        for route, cells in ROUTES.items():
            for persona in ("portal", "manager", "refund", "journal", "system"):
                user = self.single[persona]
                export = self.env["amazon.audit.export"].create(
                    {"company_id": self.company.id, "scope": "part", "domain": []}
                )
                self._hand_over({"export": export}, user)
                self.authenticate(user.login, user.login)
                url = route.replace("<int:export_id>", str(export.id))
                url = url.replace("<int:file_id>", str(self.own.file.id))
                with self.subTest(route=route, persona=persona):
                    answer = self.url_open(url)
                    sent = "attachment" in answer.headers.get("Content-Disposition", "")
                    self.assertEqual(sent, cells[persona] == "+")
                    self.assertFalse(self.leaks(answer.text))

    def test_journal_of_another_company_is_not_sent(self):
        user = self.single["journal"]
        export = self.env["amazon.audit.export"].create(
            {"company_id": self.other_company.id}
        )
        self._hand_over({"export": export}, user)
        self.authenticate(user.login, user.login)
        answer = self.url_open(f"/amazon_order_actions/journal/{export.id}")
        self.assertFalse(answer.ok)

    def test_who_is_not_logged_in_gets_no_file(self):
        for route in ROUTES:
            answer = self.url_open(re.sub("<.*>", "1", route), allow_redirects=False)
            self.assertIn(answer.status_code, (303, 401, 403, 404))
