import logging
from unittest.mock import patch

from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.models.evidence import evidence
from odoo.addons.base.models.ir_model import IrModelAccess

from ..permission_table import FIELDS, METHODS, MODELS, OWN, ROUTES, SHARED
from ..permission_world import DIALOGS, KINDS, PermissionWorld

_logger = logging.getLogger(__name__)

OF_MODEL = ("create", "write", "unlink", "onchange", "export_data", "default_get")

# Which record of a company stands for a model.
RECORDS = {
    "amazon.seller.account": lambda side: side.spare_account,
    "amazon.seller.participation": lambda side: side.spare_account.participation_ids[0],
    "amazon.seller.capability": lambda side: side.capability,
    "amazon.account.kind": lambda side: side.spare_account.kind_ids[0],
    "amazon.order": lambda side: side.busy,
    "amazon.order.line": lambda side: side.busy.line_ids,
    "amazon.order.charge": lambda side: side.busy.charge_ids,
    "amazon.order.refund": lambda side: side.refund,
    "amazon.action": lambda side: side.queued_refund,
    "amazon.action.line": lambda side: side.queued_refund.line_ids,
    "amazon.approval": lambda side: side.approval,
    "amazon.feed": lambda side: side.feed,
    "amazon.call": lambda side: side.call,
    "amazon.file": lambda side: side.file,
    "amazon.foreign.feed": lambda side: side.foreign_feed,
    # no reply to a buyer: those are written by nobody (test_recipient.py)
    "mail.message": lambda side: side.note,
    "amazon.audit.entry": lambda side: side.entry,
    "amazon.alarm": lambda side: side.alarm,
    "amazon.authority": lambda side: side.authority,
    "amazon.careful.limit": lambda side: side.careful_limit,
    "amazon.delegation": lambda side: side.delegation,
    "amazon.audit.check": lambda side: side.check,
    "amazon.stop": lambda side: side.stop,
    "amazon.life": lambda side: side.life,
    "amazon.sending": lambda side: side.sending,
    "amazon.audit.link": lambda side: side.link,
    "amazon.audit.anchor": lambda side: side.anchor,
    "amazon.quota": lambda side: side.quota,
    "amazon.failure": lambda side: side.failure,
    "amazon.watermark": lambda side: side.watermark,
    "amazon.reply": lambda side: side.reply,
    "amazon.reply.template": lambda side: side.template,
    "amazon.host.clock": lambda side: side.host_clock,
    "mail.mail": lambda side: side.mail,
    "queue.job": lambda side: side.job,
    "helpdesk.ticket": lambda side: side.ticket_shipped,
    "sale.order": lambda side: side.sale_shipped,
    "helpdesk.ticket.team": lambda side: side.team,
    "stock.picking": lambda side: side.picking,
    "account.move": lambda side: side.move,
    "res.users": lambda side: side.user,
    "res.groups": lambda side: side.group,
    "res.company": lambda side: side.company,
    "ir.module.module": lambda side: side.module,
    "base.module.uninstall": lambda side: side.uninstall,
}

# Where a method needs another record than its model's usual one.
TARGETS = {
    "action_amazon_cancel": "unshipped",
    "action_amazon_edit": "unshipped",
    "action_amazon_ship": "unshipped",
    "action_amazon_order_number": "unshipped",
    "action_amazon_fulfillment": "mcf",
    "action_record_by_hand": "rejected",
    "action_cancel_feed_question": "in_feed",
    "action_cancel_feed": "in_feed",
    "action_decide_unknown": "unknown",
    "action_withdraw": "queued",
    "action_decide_approval": "waiting",
    "message_update": "bare",
}
# Records of which there can be only one.
ROOM = (
    "amazon.reply.template",
    "amazon.refund.request.line",
    "amazon.cancel.request.line",
    "amazon.ship.request.line",
    "amazon.fulfillment.request.line",
)
# Methods that are about no record of one company: Odoo's administrator administers all,
# and what is about the journal is about the companies at hand.
OF_NO_COMPANY = (
    "res.groups.",
    "res.users.",
    "res.company.",
    "ir.module.module.",
    "base.module.uninstall.",
    "amazon.audit.entry.action_",
    "amazon.audit.anchor.action_",
    "amazon.audit.settings.action_open",
    "amazon.health.settings.action_open",
)
DOCUMENTS = {"helpdesk.ticket": "ticket", "sale.order": "sale"}


def new_values(model, side):
    """Return values of a new record: what somebody would send to create one."""
    account = {"account_id": side.spare_account.id}
    of_model = {
        "amazon.seller.account": {
            "name": "New",
            "company_id": side.company.id,
            "seller_id": "NEW",
            "region": "na",
        },
        "amazon.seller.participation": {**account, "marketplace": "A33AVAJ2PDY3EV"},
        "amazon.careful.limit": {
            **account,
            "currency_id": side.company.env.ref("base.CHF").id,
            "limit_action": 10,
            "limit_person_day": 10,
        },
        # the one kind of which no account has a row
        "amazon.account.kind": {**account, "kind": "cancel_items"},
        "amazon.seller.capability": {
            **account,
            "capability": "feeds",
            "state": "works",
            "checked_at": "2026-01-01",
        },
        "amazon.host.clock": {"host": "new", "noted_at": "2026-01-01"},
        "amazon.authority": {
            "company_id": side.company.id,
            "right": "refund",
            "group_id": 1,
        },
        "amazon.reply": {
            "action_id": side.queued_refund.id,
            "awaited_state": "accepted",
            "lang": "en",
        },
        "amazon.reply.template": {
            "company_id": side.company.id,
            "situation": side.template.situation,
            "stage": side.template.stage,
            "lang": side.template.lang,
            "subject": "New",
            "body": "Text",
        },
        "helpdesk.ticket": {
            "name": "New",
            "description": "Text",
            "company_id": side.company.id,
            "team_id": side.team.id,
            "amazon_order_ref": side.shipped.amazon_order_ref,
        },
        "sale.order": {
            "partner_id": side.partner.id,
            "company_id": side.company.id,
            "amazon_order_ref": side.shipped.amazon_order_ref,
        },
        "amazon.delegation": {
            "user_id": side.lender.id,
            "delegate_id": side.stand_in.id,
            "company_id": side.company.id,
            "date_to": "2100-01-01",
        },
        "res.groups": {"name": "New"},
        "res.users": {
            "name": "New",
            "login": "new",
            "company_id": side.company.id,
            "company_ids": [Command.set(side.company.ids)],
        },
    }
    return of_model.get(model, {})


def plain_field(record):
    """Return the name of a field that is stored as it is, and protected by nothing;
    of money only where there is no other."""
    types = ("char", "text", "boolean", "selection", "integer", "date", "monetary")
    return next(
        name
        for name, field in sorted(
            record._fields.items(), key=lambda item: item[1].type == "monetary"
        )
        if field.store
        and field.type in types
        and not (field.compute or field.related or field.groups)
        and name not in ("id", "nonce", "origin_model")
    )


def _remembered_refusals():
    """Return a patch that words each refusal of a model only once for each person: the
    words are looked up in three queries, and nearly every cell is a refusal."""
    original = IrModelAccess._make_access_error

    def remembered(access, model, mode):
        key = (access.env.uid, model, mode)
        if key not in words:
            words[key] = str(original(access, model, mode))
        return AccessError(words[key])

    words = {}
    return patch.object(IrModelAccess, "_make_access_error", remembered)


class Done(Exception):
    """A call went through; raised so that what it did is undone."""


@tagged("post_install", "-at_install")
class TestPermissionMatrix(PermissionWorld):
    """Each cell of the table, tried the way an RPC does it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own_dialogs = cls._create_dialogs(cls.own)
        cls.other_dialogs = cls._create_dialogs(cls.other)
        cls.foreign_dialogs = cls._create_dialogs(cls.own)
        cls._hand_over(cls.foreign_dialogs, cls.colleague)
        cls.startClassPatcher(_remembered_refusals())
        # who may have a PDF made is the question, not what it looks like
        cls.startClassPatcher(
            patch.object(evidence, "to_pdf", return_value=b"%PDF-1.4")
        )
        # no server replaces the sender of a reply
        cls.env["ir.mail_server"].search([]).active = False
        cls.methods = cls.rows_here(METHODS)
        cls.fields = cls.rows_here(FIELDS)

    @classmethod
    def rows_here(cls, rows):
        """Return the rows of models that are there: an addon beside may be missing."""
        return {
            row: cells
            for row, cells in rows.items()
            if row.rpartition(".")[0] in cls.env.registry
        }

    def setUp(self):
        super().setUp()
        self.cells = self.tried = 0
        self.wrong = []
        self.refusals = []

    # === RECORDS === #

    def dialog_values(self, model, side, dialogs):
        """Return values of a new dialog, or of a new line in one of these dialogs."""
        if not model.endswith(".line"):
            return self._dialog_values(side, model)
        request = model.removesuffix(".line")
        order, _values = DIALOGS[request]
        return {
            "request_id": dialogs[request].id,
            "order_line_id": side[order].line_ids.id,
        }

    def target(self, model, method, side, dialogs):
        """Return the record of a company that a method is tried on."""
        if model in dialogs:
            return dialogs[model]
        method, _bracket, kind = method.rstrip("]").partition("[")
        name = TARGETS.get(method)
        if kind:
            return side[f"{name}_{kind}"]
        if model == "amazon.seller.account" and method == "action_resume":
            return side.account
        if method == "action_remove_sample":
            return side.sample
        if method == "action_decide_life":
            return side.found_account
        if model == "amazon.stop" and method == "action_decide":
            return side.life_stop
        if model in DOCUMENTS:
            return side[f"{DOCUMENTS[model]}_{name or 'shipped'}"]
        return RECORDS[model](side)

    def arguments(self, model, method, side, record):
        """Return what a method is called with."""
        if method == "create":
            return ([new_values(model, side)],)
        if model == "mail.message":
            return ([record.id], {"body": "<p>Another</p>"})
        if method == "write" and model not in DOCUMENTS:
            return ([record.id], {"name": "Another"})
        if method == "write":
            return ([record.id], {"amazon_order_ref": side.unshipped.amazon_order_ref})
        mail = {
            "subject": side.shipped.amazon_order_ref,
            "body": "<p>Text</p>",
            "from": "a@example.com",
        }
        if method == "message_new":
            return (mail, {"company_id": side.company.id, "team_id": side.team.id})
        if method == "message_update":
            return ([record.id], mail)
        if method == "action_setup_go":
            return ([record.id], "mail")
        if method == "action_refuse" and model == "amazon.approval":
            return ([record.id], "A reason")
        if method in ("init", "action_open"):
            return ()
        return ([record.id],)

    # === TRYING === #

    def rpc(self, user, companies, model, method, *args, **kwargs):
        """Call a method as Odoo's RPC controllers do."""
        # nothing that the test itself has read
        self.env[model].invalidate_model()
        context = {"allowed_company_ids": companies.ids}
        env = self.env(user=user, su=False, context=context)
        return call_kw(env[model], method, list(args), kwargs)

    def attempt(self, *call, before=None):
        """Return what becomes of a call; what it did is undone.

        :param before: function that makes room for it
        :return: "+" it went through, "-" refused for want of a right, "!" refused with
            a sentence that says why it is not possible
        :rtype: str
        """
        self.tried += 1
        try:
            with self.env.cr.savepoint():
                if before:
                    before()
                self.rpc(*call)
                self.env.flush_all()
                raise Done
        except Done:
            return "+"
        except (AccessDenied, AccessError) as refusal:
            self.refusals.append(refusal)
            return "-"
        except UserError as refusal:
            self.refusals.append(refusal)
            return "!"

    def reads(self, who, record):
        """Return the letter of reading, or a dot; all ways of reading must agree.

        :param who: user and active companies
        :rtype: str
        """
        model, itself = record._name, [("id", "=", record.id)]
        ways = {
            "read": ("read", [record.id], ["display_name"]),
            "web_read": ("web_read", [record.id], {"display_name": {}}),
            "search_read": ("search_read", itself, ["display_name"]),
            "name_search": ("name_search", "", itself),
            "group": ("formatted_read_group", itself, [], ["__count"]),
            "export": ("export_data", [record.id], [plain_field(record)]),
        }
        shown = []
        for name, call in ways.items():
            self.tried += 1
            try:
                answer = self.rpc(*who, model, *call)
            except (AccessError, UserError) as refusal:
                self.refusals.append(refusal)
                continue
            if answer[0]["__count"] if name == "group" else answer:
                shown.append(name)
        if len(shown) not in (0, len(ways)):
            return f"only by {shown}"
        return "r" if shown else ""

    def changes(self, who, record, vals):
        """Return the letters of what a person may change of a record.

        :param dict vals: of a new record of the same model
        :rtype: str
        """
        model, name = record._name, plain_field(record)
        calls = {
            "w": ("write", [record.id], {name: record.sudo()[name]}),
            "c": ("create", vals),
            "d": ("unlink", [record.id]),
        }
        letters = ""
        for letter, call in calls.items():
            before = record.unlink if letter == "c" and model in ROOM else None
            outcome = self.attempt(*who, model, *call, before=before)
            letters += letter if outcome == "+" else ""
        return letters

    def field_reads(self, who, record, name):
        """Return the letter of reading a field, or a dot; all ways that show it or let
        it be guessed must agree.

        :rtype: str
        """
        model, field = record._name, record._fields[name]
        itself = [("id", "=", record.id)]
        ways = {
            "read": ("read", [record.id], [name]),
            "web_read": ("web_read", [record.id], {name: {}}),
            "search_read": ("search_read", itself, [name]),
        }
        if not field.relational:
            # of what it points to, the name is exported, which is another right
            ways["export"] = ("export_data", [record.id], [name])
        if field.store and field.column_type:
            ways["domain"] = ("search", [*itself, (name, "!=", False)])
            ways["order"] = ("search", itself, 0, None, name)
        if field.store and field.type in ("char", "many2one"):
            ways["group"] = ("formatted_read_group", itself, [name], ["__count"])
        try:
            if not self.rpc(*who, model, "search", itself):
                return "."
        except AccessError:
            return "."
        opened = []
        for way, call in ways.items():
            self.tried += 1
            try:
                self.rpc(*who, model, *call)
            except (AccessError, UserError):
                continue
            opened.append(way)
        if len(opened) not in (0, len(ways)):
            return f"only by {opened}"
        return "r" if opened else "."

    # === THE TABLE === #

    def test_rights_are_as_the_table_says(self):
        """Every cell of the table, in the person's company and in the other one."""
        for persona in self.single:
            for dialogs in (self.own_dialogs, self.other_dialogs):
                self._hand_over(dialogs, self.double[persona])
            self.try_double(persona)
            for dialogs in (self.own_dialogs, self.other_dialogs):
                self._hand_over(dialogs, self.single[persona])
            self.try_single(persona)
        _logger.info("%s cells, %s calls", self.cells, self.tried)
        self.assertFalse(self.wrong, "\n".join(["", *self.wrong]))

    def try_single(self, persona):
        """Try what a person may do who has access to one company."""
        who = (self.single[persona], self.company)
        for row, cells in MODELS.items():
            self.expect(cells, row, persona, "own", self.crud(who, row, self.own))
            self.expect(".", row, persona, "other", self.crud(who, row, self.other))
        for row, cells in SHARED.items():
            self.expect(cells, row, persona, "own", self.crud(who, row, self.own))
        for row, cells in OWN.items():
            outcome = self.crud(who, row, self.own, self.own_dialogs)
            self.expect(cells, row, persona, "own", outcome)
            outcome = self.crud(who, row, self.own, self.foreign_dialogs)
            self.expect(".", row, persona, "colleague's", outcome.replace("c", ""))
            outcome = self.create_dialog(who, row)
            self.expect(".", row, persona, "other", outcome)
        for row, cells in self.methods.items():
            outcome = self.method(who, row, self.own, self.own_dialogs)
            self.expect(cells, row, persona, "own", outcome)
            if not row.startswith(OF_NO_COMPANY):
                outcome = self.method(who, row, self.other, self.other_dialogs)
                self.expect(".", row, persona, "other", outcome)
        for row, cells in self.fields.items():
            self.expect(cells, row, persona, "own", self.field(who, row, self.own))
            self.expect(".", row, persona, "other", self.field(who, row, self.other))

    def try_double(self, persona):
        """Try what a person may do who has access to both companies: where the second
        one is not active nothing, and else what is allowed in the first."""
        user = self.double[persona]
        for active in (self.company, self.company + self.other_company):
            both = len(active) > 1
            scope = "both active" if both else "not active"
            who = (user, active)
            for rows, call in (
                (MODELS, self.crud),
                (self.methods, self.method),
                (self.fields, self.field),
            ):
                for row, cells in rows.items():
                    if cells[persona] == "." or row.startswith(OF_NO_COMPANY):
                        continue
                    extra = [self.other_dialogs] if rows is self.methods else []
                    outcome = call(who, row, self.other, *extra)
                    wanted = cells if both else "."
                    self.expect(wanted, row, persona, scope, outcome)

    def expect(self, wanted, row, persona, scope, outcome):
        """Note an outcome that is not the one of the table, or that tells too much."""
        wanted = wanted if wanted == "." else wanted[persona]
        outcome = outcome or "."
        elsewhere = scope in ("other", "not active")
        if elsewhere and outcome == "!":
            outcome = "."
        self.cells += 1
        if outcome != wanted:
            self.wrong.append(
                f"{row}, {persona}, {scope}: wanted {wanted}, but it is {outcome}"
            )
        if elsewhere:
            told = self.leaks([str(refusal) for refusal in self.refusals])
            if told:
                self.wrong.append(f"{row}, {persona}, {scope}: refusal tells {told}")
        self.refusals.clear()

    def crud(self, who, model, side, dialogs=None):
        """Return the letters of what a person may do with a record of a model."""
        if dialogs:
            record, vals = dialogs[model], self.dialog_values(model, side, dialogs)
        else:
            record, vals = RECORDS[model](side), new_values(model, side)
        return self.reads(who, record) + self.changes(who, record, vals)

    def create_dialog(self, who, model):
        """Return "c" where a person may open a dialog on an order of the other company,
        or have an item of it in a dialog of the own company."""
        vals = self.dialog_values(model, self.other, self.own_dialogs)
        return "c" if self.attempt(*who, model, "create", vals) == "+" else "."

    def method(self, who, row, side, dialogs):
        """Return what becomes of a public method."""
        model, _dot, name = row.rpartition(".")
        record = self.target(model, name, side, dialogs)
        name = name.partition("[")[0]
        outcome = self.attempt(
            *who, model, name, *self.arguments(model, name, side, record)
        )
        return "." if outcome == "-" else outcome

    def field(self, who, row, side):
        """Return the letter of what a person may know of a field."""
        model, _dot, name = row.rpartition(".")
        return self.field_reads(who, RECORDS[model](side), name)

    # === THE TABLE IS COMPLETE === #

    def addon_models(self):
        """Return the classes of the models that our addons made or extend, by name."""
        return {
            name: model
            for name, model in self.env.registry.items()
            if any(base.__module__.startswith(self.code) for base in model.mro())
        }

    def test_every_model_has_a_row(self):
        ours = {
            name
            for name, model in self.addon_models().items()
            if model._original_module in self.addons and not model._abstract
        }
        self.assertEqual(ours, {*MODELS, *SHARED, *OWN})
        dialogs = {name for name in ours if self.env[name]._transient}
        self.assertEqual(dialogs, set(OWN))

    def test_every_public_method_has_a_row(self):
        found = set()
        for name, model in self.addon_models().items():
            if model._abstract:
                continue
            of_addon = model._original_module in self.addons
            for base in model.mro():
                if base.__module__.startswith(self.code):
                    found |= {
                        f"{name}.{method}"
                        for method, function in vars(base).items()
                        if callable(function)
                        and not method.startswith("_")
                        # the rows of the models say who may read, create, write, delete
                        and not (of_addon and method in OF_MODEL)
                    }
        self.assertEqual(found, {row.partition("[")[0] for row in self.methods})

    def test_every_kind_of_action_has_a_row(self):
        kinds = self.env["amazon.action.kind"]._names()
        self.assertEqual(set(kinds), set(KINDS))
        for method in ("action_withdraw", "action_decide_unknown"):
            rows = {f"amazon.action.{method}[{kind}]" for kind in KINDS}
            self.assertLessEqual(rows, set(METHODS))

    def test_every_protected_field_has_a_row(self):
        found = {
            f"{name}.{field.name}"
            for name, model in self.addon_models().items()
            if not model._abstract
            for field in model._fields.values()
            if field.groups and field._module in self.addons
        }
        self.assertEqual(found, set(self.fields))

    def test_no_route_is_without_a_row(self):
        """All else goes through Odoo's RPC."""
        self.assertEqual(self.routes(), set(ROUTES))

    def test_abstract_models_answer_nobody(self):
        """What has no records cannot be read or made, and its methods reach none."""
        abstract = [
            name
            for name, model in self.addon_models().items()
            if model._abstract and model._original_module in self.addons
        ]
        self.assertIn("amazon.action.kind.refund", abstract)
        for persona in ("public", "portal", "refund", "admin", "system"):
            who = (self.single[persona], self.company)
            for model in abstract:
                for call in (
                    ("search_read", []),
                    ("read", [1]),
                    ("create", {}),
                    ("write", [1], {}),
                    ("unlink", [1]),
                ):
                    with (
                        self.subTest(persona=persona, model=model, call=call[0]),
                        self.assertRaises(AccessError),
                    ):
                        self.rpc(*who, model, *call)
