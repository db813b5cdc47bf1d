"""Uninstalling, with real processes: nothing is left, and nothing is complained of.

Those marked *long* run by ``make test T=tests_system/test_uninstall.py``.
"""

import re
import subprocess
from types import SimpleNamespace

import pytest

from dev.databases import BASE_TEMPLATE
from dev.settings import ADDONS, Settings
from dev.stack import prepared
from spapi_simulator.process import SimulatorProcess

from .conftest import Person, wait_for

REFUNDED = "302-4481516-2342108"
CANCELLED = "303-7719024-5588321"
CORE = "amazon_order_actions"
HELP_DESK = "amazon_helpdesk_actions"

#: What there is in a database besides rows.
STRUCTURE = {
    "functions": "SELECT proname FROM pg_proc"
    " WHERE pronamespace = 'public'::regnamespace",
    "tables, indexes and sequences": "SELECT relkind, relname FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace",
    "columns": "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = 'public'",
    "constraints": "SELECT conrelid::regclass, conname FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
    "triggers": "SELECT tgrelid::regclass, tgname FROM pg_trigger"
    " WHERE NOT tgisinternal",
    "external ids": "SELECT module, model, name FROM ir_model_data",
    "parameters": "SELECT key FROM ir_config_parameter",
    "attachments": "SELECT id, name, res_model FROM ir_attachment"
    # The journal's export stays, so that it can be shown when the addon is gone
    " WHERE description IS DISTINCT FROM"
    " 'amazon_order_actions: journal exported before uninstalling'"
    " AND url IS NULL",
    "jobs": "SELECT model_name, method_name FROM queue_job",
    "messages": "SELECT model FROM mail_message WHERE model LIKE 'amazon.%'",
    "followers": "SELECT res_model FROM mail_followers WHERE res_model LIKE 'amazon.%'",
    "activities": "SELECT activity_type_id FROM mail_activity"
    " WHERE res_model LIKE 'amazon.%' OR summary LIKE 'Test of uninstalling%'",
}
#: Tables of Odoo of which each row is one thing that an addon may have set up.
ROWS = (
    "SELECT table_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND column_name = 'id'"
    " AND (table_name ~ '^(ir_|res_groups|mail_activity_type|mail_template"
    "|mail_message_subtype|queue_job_)')"
)
#: Of these, rows come and go by themselves; or they are compared by name above.
NOT_BY_ROWS = {
    "ir_attachment",
    "ir_cron_progress",
    "ir_cron_trigger",
    "ir_logging",
    "ir_model_data",
    "ir_profile",
}


@pytest.fixture(scope="module")
def workshop():
    with prepared(Settings.from_environment(), tests=True) as workshop:
        workshop.databases.provide_templates()
        yield workshop


@pytest.fixture
def stack(workshop):
    """A database in which none of our addons is installed, and its servers."""
    with workshop.stack("amazon_helpdesk_uninstall", BASE_TEMPLATE) as stack:
        # As a company has it: no demo data of ours beside what it has already
        stack.sql("UPDATE ir_module_module SET demo = false")
        yield stack


def run(workshop, stack, *arguments, script=None):
    """Run Odoo until it stops.

    :param script: Python for Odoo's shell
    :return: its exit code, what it logged, and its warnings and errors
    """
    shell = ["shell"] if script else []
    command = workshop.odoo(*shell, "--database", stack.database, "--no-http")
    stop = [] if script else ["--stop-after-init"]
    result = subprocess.run(
        [*command, *arguments, *stop],
        input=script or "",
        env=workshop.odoo.environment(ODOO_QUEUE_JOB_CHANNELS="root:0"),
        capture_output=True,
        text=True,
    )
    log = result.stdout + result.stderr
    complaints = re.findall(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", log, re.M)
    if "Traceback" in log:
        complaints.append(log[log.index("Traceback") :])
    # Of Python's own, about packages
    complaints = [line for line in complaints if "py.warnings" not in line]
    return SimpleNamespace(code=result.returncode, log=log, complaints=complaints)


def install(workshop, stack, *addons):
    result = run(workshop, stack, "--init", ",".join(addons), "--skip-auto-install")
    assert result.code == 0
    assert not result.complaints


def uninstall(workshop, stack, addon):
    """Uninstall an addon and what needs it, as an administrator does in Odoo: after
    the journal is exported, where that goes, too."""
    script = f"""
addon = env["ir.module.module"].search([("name", "=", {addon!r})])
dialog = env["base.module.uninstall"].create({{"module_ids": [(6, 0, addon.ids)]}})
if dialog.amazon_journal_missing:
    dialog.action_export_amazon_journal()
env.cr.commit()
dialog.action_uninstall()
dialog.unlink()
env.cr.commit()
print("UNINSTALLED")
"""
    result = run(workshop, stack, script=script)
    assert not result.complaints
    assert "UNINSTALLED" in result.log


def snapshot(stack):
    """Return what there is in the database."""
    found = {what: rows(stack, query) for what, query in STRUCTURE.items()}
    for table in sorted(rows(stack, ROWS) - NOT_BY_ROWS):
        found[table] = rows(stack, f'SELECT id FROM "{table}"')  # noqa: S608
    return found


def rows(stack, query):
    return set(stack.sql(query).splitlines())


def assert_same(before, after):
    """Compare two snapshots. What is missing counts, too."""
    left = {what: after[what] - before.get(what, set()) for what in after}
    missing = {what: before[what] - after.get(what, set()) for what in before}
    assert {what: found for what, found in left.items() if found} == {}
    assert {what: found for what, found in missing.items() if found} == {}


def record_of(workshop, stack):
    folder = workshop.settings.data_dir / "amazon_order_actions"
    return sorted(path.name for path in folder.glob(f"{stack.database}.*"))


class User:
    """Who uses all that is installed, before it is uninstalled."""

    def __init__(self, stack, simulator):
        self.stack = stack
        odoo = stack.start_odoo()
        self.call = Person(odoo.url, stack.database, "admin").call
        self.connect(simulator)

    def connect(self, simulator):
        groups = self.call(
            "ir.model.data",
            "search_read",
            [("model", "=", "res.groups"), ("module", "=", CORE)],
            ["res_id"],
        )
        me = self.call("res.users", "search", [("login", "=", "admin")])
        links = [(4, group["res_id"]) for group in groups]
        self.call("res.users", "write", me, {"group_ids": links})
        self.account = self.call(
            "amazon.seller.account",
            "create",
            {
                "name": "Shop",
                "seller_id": simulator.SELLER_ID,
                "region": "eu",
                "environment": "simulator",
                "simulator_url": simulator.url,
                "lwa_client_id": simulator.CLIENT_ID,
                "lwa_client_secret": simulator.CLIENT_SECRET,
                "lwa_refresh_token": simulator.REFRESH_TOKEN,
                "participation_ids": [(0, 0, {"marketplace": "A1PA6795UKMFR9"})],
            },
        )
        self.stack.sql("UPDATE amazon_account_kind SET undo_seconds = 0")

    def use(self):
        """Refund one order and cancel another, with all that comes of it, and leave
        something that waits."""
        refunded = self.document(REFUNDED)
        refund = self.ask("refund", refunded, REFUNDED)
        cancel = self.ask("cancel", self.sale_order(CANCELLED), CANCELLED)
        for action in (refund, cancel):
            wait_for(lambda a=action: self.is_done(a), "Amazon has accepted it")
        dialog = self.call(refunded[0], "action_amazon_evidence", [refunded[1]])
        self.call("amazon.evidence.request", "action_pdf", [dialog["res_id"]])
        self.leave_activity(refunded)
        self.stack.stop()
        self.stack.sql(
            "UPDATE queue_job SET state = 'pending', eta = now() + interval '9 days'"
            " WHERE id = (SELECT max(id) FROM queue_job)"
        )

    def document(self, ref):
        """Return model and id of a document of an order: a ticket, where there are."""
        installed = self.stack.sql(
            "SELECT name FROM ir_module_module WHERE state = 'installed'"
        )
        if HELP_DESK not in installed.split():
            return self.sale_order(ref)
        values = {"name": "Kettle", "description": "It leaks", "amazon_order_ref": ref}
        return ("helpdesk.ticket", self.call("helpdesk.ticket", "create", values))

    def sale_order(self, ref):
        order = self.call("sale.order", "search", [("state", "=", "sale")], limit=1)
        copied = self.call("sale.order", "copy", order)
        copied = copied if isinstance(copied, list) else [copied]
        self.call("sale.order", "write", copied, {"amazon_order_ref": ref})
        self.call("sale.order", "action_confirm", copied)
        return ("sale.order", *copied)

    def ask(self, kind, document, ref):
        """Ask for an action and return its id."""

        def is_read():
            domain = [("amazon_order_ref", "=", ref), ("read_at", "!=", False)]
            return self.call("amazon.order", "search_count", domain)

        wait_for(is_read, f"the order {ref} is read")
        opened = self.call(document[0], f"action_amazon_{kind}", [document[1]])
        model, dialog = opened["res_model"], opened["res_id"]
        reason = {"refund": "CustomerReturn", "cancel": "BuyerCanceled"}[kind]
        self.call(model, "write", [dialog], {"reason": reason})
        button = {"refund": "action_refund", "cancel": "action_cancel_order"}[kind]
        self.call(model, button, [dialog])
        domain = [("order_id.amazon_order_ref", "=", ref)]
        return self.call("amazon.action", "search", domain, order="id desc", limit=1)[0]

    def is_done(self, action):
        state = self.call("amazon.action", "read", [action], ["state"])[0]["state"]
        assert state not in ("rejected", "blocked", "unknown"), state
        return state in ("accepted", "confirmed")

    def leave_activity(self, document):
        """Give a document of Odoo's own an activity of a type of ours."""
        data = self.call(
            "ir.model.data",
            "search_read",
            [("name", "=", "mail_activity_type_alarm"), ("module", "=", CORE)],
            ["res_id"],
        )
        model = self.call("ir.model", "search", [("model", "=", document[0])])
        self.call(
            "mail.activity",
            "create",
            {
                "activity_type_id": data[0]["res_id"],
                "res_model_id": model[0],
                "res_id": document[1],
                "summary": "Test of uninstalling",
            },
        )


@pytest.mark.long
def test_each_addon_leaves_nothing_when_it_is_uninstalled_alone(workshop, stack):
    order = [CORE, "amazon_order_stock", "amazon_order_delivery", HELP_DESK]
    assert sorted(order) == sorted(ADDONS)
    before = []
    for addon in order:
        before.append(snapshot(stack))
        install(workshop, stack, addon)
    for addon in reversed(order):
        uninstall(workshop, stack, addon)
        assert_same(before.pop(), snapshot(stack))


@pytest.mark.parametrize(
    "addons",
    [
        pytest.param([CORE], marks=pytest.mark.long, id="core"),
        pytest.param(ADDONS, id="all"),
    ],
)
def test_nothing_is_left_after_use(workshop, stack, addons):
    before = snapshot(stack)
    install(workshop, stack, *addons)
    with SimulatorProcess(processing_seconds=1, finance_delay_seconds=1) as simulator:
        simulator.reset(quotas=False)
        User(stack, simulator).use()
    assert record_of(workshop, stack)
    uninstall(workshop, stack, CORE)
    assert_same(before, snapshot(stack))
    assert not record_of(workshop, stack)


def test_help_desk_is_refused_beside_another_definition_of_the_ticket(
    workshop, tmp_path
):
    addon = tmp_path / "helpdesk"
    (addon / "models").mkdir(parents=True)
    (addon / "__init__.py").write_text("from . import models\n")
    (addon / "__manifest__.py").write_text(
        "{'name': 'Helpdesk', 'license': 'LGPL-3', 'depends': ['mail']}\n"
    )
    (addon / "models/__init__.py").write_text(
        "from odoo import fields, models\n\n\n"
        "class HelpdeskTicket(models.Model):\n"
        "    _name = 'helpdesk.ticket'\n"
        "    _description = 'Ticket'\n"
        "    name = fields.Char()\n"
    )
    database = "amazon_helpdesk_beside"
    workshop.databases.drop(database)
    workshop.cluster.sql(f'CREATE DATABASE "{database}"')
    stack = SimpleNamespace(database=database)
    folders = re.search(
        r"^addons_path = (.+)$", workshop.settings.odoo_config.read_text(), re.M
    )[1]
    path = f"--addons-path={folders},{tmp_path}"
    assert run(workshop, stack, path, "--init", "helpdesk").code == 0
    result = run(workshop, stack, path, "--init", HELP_DESK)
    sentence = 'Modules "Amazon Helpdesk Actions" and "Helpdesk" are incompatible.'
    assert result.code != 0
    assert sentence in result.log
    installed = workshop.cluster.sql(
        "SELECT name FROM ir_module_module WHERE state != 'uninstalled'"
        " AND name ~ '^(amazon|helpdesk|sale$)'",
        database,
    )
    assert installed.split() == ["helpdesk"]
