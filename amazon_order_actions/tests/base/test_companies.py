from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tests.common import HttpCase, JsonRpcException, new_test_user

from ...models.action.reservation import ActionRequest
from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

# An order of the other company's seller (spapi_simulator/demo_orders.yaml).
AMERICAN = "112-3957204-8816273"
SENDER = "amazon@nordlicht.example"
OTHER_SENDER = "amazon@southlight.example"
RELAY = "buyer123@marketplace.amazon.de"


class CompaniesCommon(AmazonOrderCommon):
    """Two companies, each connected to a seller of its own; agents of the first alone,
    of both, and people of the second."""

    # groups of who changes any document of an order
    MANAGES_DOCUMENTS = ("sales_team.group_sale_manager",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_company(name="Southlight Test")
        cls.env.user.company_ids += cls.other
        both = cls.company + cls.other
        cls.env = cls.env(context=dict(cls.env.context, allowed_company_ids=both.ids))
        cls.account = cls.account.with_env(cls.env)
        cls.account.approved_sender = SENDER
        cls.other_account = cls._create_account(
            name="Southlight",
            company_id=cls.other.id,
            seller_id="ADEMOSELLER02",
            region="na",
            lwa_refresh_token="Atzr|demo-refresh-token-us",
            approved_sender=OTHER_SENDER,
        )
        groups = (
            "base.group_user",
            *cls.MANAGES_DOCUMENTS,
            "amazon_order_actions.group_refund",
            "amazon_order_actions.group_message",
            "amazon_order_actions.group_admin",
        )
        cls.single, cls.double = (
            new_test_user(
                cls.env,
                login=login,
                password=login,
                groups=",".join(groups),
                company_id=cls.company.id,
                company_ids=[Command.set(companies.ids)],
            )
            for login, companies in (("single", cls.company), ("double", both))
        )

    def setUp(self):
        super().setUp()
        self.start = self.env["amazon.audit.entry"].search([], limit=1).id

    def entries(self, company):
        """Return what the journal of a company has of moves since the test began."""
        return self.env["amazon.audit.entry"].search(
            [
                ("id", ">", self.start),
                ("company_id", "=", company.id),
                ("event", "=", "company"),
            ]
        )

    def as_user(self, user, record, companies=None):
        """Return a record as a user sees it who has these companies active."""
        companies = companies or user.company_ids
        return record.with_user(user).with_context(allowed_company_ids=companies.ids)

    def assert_refused(self, call, error=UserError, words=""):
        """Check that a call is refused in a sentence. Not by `assertRaises`, which
        would undo what the refusal writes into the journals."""
        try:
            call()
        except error as refusal:
            self.assertIn(words, str(refusal))
            self.env.invalidate_all()
            return
        self.fail("nothing was refused")

    def assert_both_journals_tell(self, record, message, user):
        for company in (self.company, self.other):
            entry = self.entries(company)
            self.assertEqual(len(entry), 1, company.name)
            self.assertEqual(entry.user_id, user)
            self.assertEqual(entry.origin_model, record._name)
            self.assertEqual(entry.origin_id, record.id)
            self.assertIn(message, entry.message)

    def buyer(self, email):
        return self.env["res.partner"].create({"name": "A buyer", "email": email})

    def other_orders(self):
        return self.env["amazon.order"].search([("company_id", "=", self.other.id)])

    def by_rule(self, user, record, code, companies=None):
        """Run a server action as an automation rule does: in sudo mode, for a user."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "By a rule",
                "model_id": self.env["ir.model"]._get_id(record._name),
                "state": "code",
                "code": code,
            }
        )
        context = {
            "active_model": record._name,
            "active_id": record.id,
            "active_ids": record.ids,
            "allowed_company_ids": (companies or self.company).ids,
        }
        return action.with_user(user).sudo().with_context(**context).run()


@tagged("post_install", "-at_install")
class TestCompanies(CompaniesCommon):
    """Nothing that an agent of one company does reaches into another."""

    # === RUNNING WORK STAYS === #

    def test_document_with_an_amazon_order_stays_whoever_moves_it(self):
        document = self.create_sale_order(SHIPPED)
        for user in (self.single, self.double):
            with self.subTest(user=user.login):
                self.assert_refused(
                    lambda user=user: self.as_user(user, document).write(
                        {"company_id": self.other.id}
                    ),
                    words=f"about the Amazon order {SHIPPED} of Nordlicht Test",
                )
                self.assertEqual(document.company_id, self.company)
        self.assertFalse(self.other_orders())

    def test_document_something_was_asked_from_stays_without_its_number(self):
        document = self.create_sale_order(SHIPPED)
        action = self.ask_refund(document, self.double, {"NW-KESSEL-12-SW": 1})
        action._set_withdrawn()
        document.amazon_order_ref = False
        self.assert_refused(
            lambda: self.as_user(self.double, document).write(
                {"company_id": self.other.id}
            ),
            words="what was asked of Amazon from it",
        )

    def test_document_of_a_pack_stays(self):
        sale_order = self.create_sale_order(SHIPPED)
        evidence = self.as_user(self.double, self.env["amazon.evidence"])
        evidence._make(self.as_user(self.double, sale_order))
        sale_order.amazon_order_ref = False
        self.assert_refused(
            lambda: sale_order.write({"company_id": self.other.id}),
            words="proven with it",
        )

    def test_document_the_buyer_was_written_to_from_stays(self):
        sale_order = self.create_sale_order(SHIPPED, partner_id=self.buyer(RELAY).id)
        author = self.as_user(self.double, self.double)
        with patch.object(
            type(sale_order), "_actual_sender", lambda self, sender: sender
        ):
            self.as_user(self.double, sale_order)._send_reply_mail(
                f"Order {SHIPPED}", "We are on it.", author
            )
        sale_order.amazon_order_ref = False
        self.assert_refused(
            lambda: sale_order.write({"company_id": self.other.id}),
            words="sent to its buyer",
        )

    def test_document_moves_once_its_number_is_out_and_both_journals_tell(self):
        sale_order = self.create_sale_order(SHIPPED)
        own = self.as_user(self.double, sale_order)
        own.amazon_order_ref = False
        own.write({"company_id": self.other.id, "amazon_order_ref": AMERICAN})
        self.assertEqual(sale_order.amazon_order_id.company_id, self.other)
        self.assertEqual(sale_order.amazon_order_id.account_id, self.other_account)
        self.assert_both_journals_tell(sale_order, "was moved", self.double)
        entry = self.entries(self.company)
        self.assertEqual(entry.value_before, self.company.name)
        self.assertEqual(entry.value_after, self.other.name)

    def test_document_without_anything_of_amazon_is_none_of_our_business(self):
        sale_order = self.create_sale_order(read=False)
        self.as_user(self.double, sale_order).company_id = self.other
        self.assertEqual(sale_order.company_id, self.other)
        self.assertFalse(self.entries(self.company) | self.entries(self.other))

    def test_what_went_astray_before_can_return(self):
        """Here by SQL, as it could be done by hand once."""
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order, self.double, {"NW-KESSEL-12-SW": 1})
        for table, record in (
            ("sale_order", sale_order),
            ("amazon_seller_account", self.account),
        ):
            self.env.flush_all()
            self.env.cr.execute(
                f"UPDATE {table} SET company_id = %s WHERE id = %s",  # noqa: S608
                [self.other.id, record.id],
            )
        self.env.invalidate_all()
        third = self._create_company(name="Third")
        self.env.user.company_ids += third
        sale_order.amazon_order_ref = False
        for record in (sale_order, self.account):
            with self.subTest(model=record._name):
                self.assert_refused(lambda r=record: r.write({"company_id": third.id}))
                self.as_user(self.double, record).company_id = self.company
                self.assertEqual(record.company_id, self.company)

    def test_one_that_stays_keeps_the_others_of_a_batch(self):
        sale_orders = self.create_sale_order(read=False) | self.create_sale_order(
            SHIPPED
        )
        self.assert_refused(lambda: sale_orders.write({"company_id": self.other.id}))
        self.assertEqual(sale_orders.company_id, self.company)

    def test_writing_the_same_company_again_is_no_move(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.ask_refund(sale_order, self.double)
        self.as_user(self.double, sale_order).company_id = self.company
        self.assertFalse(self.entries(self.company))

    def test_company_cannot_be_taken_out(self):
        document = self.create_sale_order(SHIPPED)
        self.assert_refused(lambda: document.write({"company_id": False}))

    def test_branch_is_another_company(self):
        """Odoo lets a branch use what its parent has."""
        branch = self.env["res.company"].create(
            {"name": "Branch", "parent_id": self.company.id}
        )
        self.double.company_ids += branch
        sale_order = self.create_sale_order(SHIPPED)
        companies = self.company | branch
        own = self.as_user(self.double, sale_order, companies)
        self.assert_refused(lambda: own.write({"company_id": branch.id}))
        own.amazon_order_ref = False
        own.write({"company_id": branch.id, "amazon_order_ref": SHIPPED})
        self.assertFalse(sale_order.amazon_order_id, "the branch has no account")
        self.assertIn("No Amazon account", own.amazon_order_panel["notice"])

    # === THE REAL USER'S COMPANIES === #

    def test_number_reaches_no_company_that_its_user_is_not_in(self):
        """With one write: Odoo checks the rules before it, and not after."""
        vals = {"company_id": self.other.id, "amazon_order_ref": AMERICAN}
        document = self.create_sale_order(read=False)
        self.assert_refused(
            lambda: self.as_user(self.single, document).write(vals),
            AccessError,
            "not working in",
        )
        self.assertEqual(document.company_id, self.company)
        self.assertFalse(self.other_orders())
        self.assertFalse(self.pending_jobs("_job_read"))

    def test_refusal_is_told_by_both_journals_without_a_name_of_the_other(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.assert_refused(
            lambda: self.as_user(self.single, sale_order).write(
                {"company_id": self.other.id}
            )
        )
        self.assert_both_journals_tell(sale_order, "refused", self.single)
        own, other = self.entries(self.company), self.entries(self.other)
        self.assertEqual(own.value_before, self.company.name)
        self.assertEqual(own.value_after, "another company")
        self.assertEqual(other.value_before, "another company")
        self.assertFalse(other.origin_name)
        self.assertFalse(own.amazon_order_ref or other.amazon_order_ref)

    def test_who_may_not_write_a_document_is_told_nothing_of_it(self):
        sale_order = self.create_sale_order(
            read=False,
            client_order_ref="Secret of theirs",
            company_id=self.other.id,
        )
        sale_order.amazon_order_ref = AMERICAN
        self.assert_refused(
            lambda: self.as_user(self.single, sale_order).write(
                {"company_id": self.company.id}
            ),
            AccessError,
        )
        self.assertFalse(self.entries(self.company) | self.entries(self.other))

    def test_company_that_is_not_active_is_not_worked_in(self):
        """Also in sudo mode, and of who belongs to both."""
        for user, active in ((self.single, self.company), (self.double, self.company)):
            for record, code in (
                (
                    self.create_sale_order(read=False),
                    "record.write({'company_id': %d, 'amazon_order_ref': '%s'})",
                ),
                (
                    self.create_sale_order(read=False),
                    "env['sale.order'].create({'partner_id': env.user.partner_id.id,"
                    " 'company_id': %d, 'amazon_order_ref': '%s'})",
                ),
            ):
                with self.subTest(user=user.login, code=code):
                    self.assert_refused(
                        lambda record=record, code=code, user=user, active=active: (
                            self.by_rule(
                                user, record, code % (self.other.id, AMERICAN), active
                            )
                        ),
                        AccessError,
                    )
        self.assertFalse(self.other_orders())

    def test_forged_context_opens_no_company(self):
        """A server action may name any company in the context of sudo mode."""
        code = (
            "record.with_context(allowed_company_ids=[%d]).write("
            "{'company_id': %d, 'amazon_order_ref': '%s'})"
        )
        values = (self.other.id, self.other.id, AMERICAN)
        self.assert_refused(
            lambda: self.by_rule(
                self.single, self.create_sale_order(read=False), code % values
            ),
            AccessError,
        )
        code = code.replace(
            "with_context(allowed_company_ids=[%d])", "with_company(%d)"
        )
        self.assert_refused(
            lambda: self.by_rule(
                self.single, self.create_sale_order(read=False), code % values
            ),
            AccessError,
        )
        self.assertFalse(self.other_orders())

    def test_nothing_is_asked_for_in_a_company_that_is_not_active(self):
        """By a rule in sudo mode, on a document that is there."""
        sale_order = self.create_sale_order(AMERICAN, company_id=self.other.id)
        self.assertEqual(sale_order.amazon_order_id.read_state, "read")
        code = """
opened = record.action_amazon_refund()
request = env["amazon.refund.request"].browse(opened["res_id"])
request.write({"reason": "CustomerReturn", "is_second_meant": True})
request.action_refund()
"""
        count = self.env["amazon.action"].search_count([])
        for user in (self.single, self.double):
            with self.subTest(user=user.login):
                self.assert_refused(
                    lambda user=user: self.by_rule(user, sale_order, code), AccessError
                )
                record = self.as_user(user, sale_order, self.company).sudo()
                order = record.amazon_order_id
                request = ActionRequest("refund", record, f"nonce {user.id}")
                self.assert_refused(
                    lambda order=order, request=request: self.reserve_on(
                        order, request
                    ),
                    AccessError,
                    "not working in",
                )
        self.assertEqual(self.env["amazon.action"].search_count([]), count)
        self.by_rule(self.double, sale_order, code, self.company | self.other)
        self.assertEqual(self.last_action().company_id, self.other)

    def test_nobody_writes_to_a_buyer_of_a_company_that_is_not_active(self):
        sale_order = self.create_sale_order(
            AMERICAN,
            company_id=self.other.id,
            partner_id=self.buyer("buyer123@marketplace.amazon.com").id,
        )
        record = self.as_user(self.double, sale_order, self.company).sudo()
        self.assert_refused(
            lambda: record._send_reply_mail(
                f"Order {AMERICAN}", "We are on it.", self.double
            ),
            AccessError,
            "not working in",
        )

    def test_scheduled_actions_and_jobs_work_for_every_company(self):
        bot = self.env.ref("base.user_root")
        sale_order = self.create_sale_order(read=False, company_id=self.other.id)
        sale_order.with_user(bot).with_context(
            allowed_company_ids=self.company.ids
        ).sudo().amazon_order_ref = AMERICAN
        self.assertEqual(sale_order.amazon_order_id.company_id, self.other)

    # === WHAT IS SENT IS JUDGED BY THE ACTION'S ORDER === #

    def waiting_reply(self):
        sale_order = self.create_sale_order(SHIPPED, partner_id=self.buyer(RELAY).id)
        action = self.ask_refund(sale_order, self.double, {"NW-KESSEL-12-SW": 1})
        self.env["amazon.reply"]._ask_for(
            action,
            {
                "awaited_state": "accepted",
                "lang": "de",
                "recipient": sale_order._recipient(),
            },
        )
        self.assertEqual(action.reply_ids.state, "waiting")
        return sale_order, action

    def reply(self, action):
        """Let Amazon accept it, and run what writes to the buyer."""
        self.env["mail.mail"].search([]).unlink()
        actual = patch.object(
            type(self.env["sale.order"]), "_actual_sender", lambda self, to: to
        )
        with actual:
            action._set_sending()
            action._set_submitted()
            action._set_accepted()
            self.run_jobs("_job_reply")
        return self.env["mail.mail"].search([("email_to", "=", RELAY)])

    def test_waiting_reply_leaves_from_the_sender_of_the_actions_company(self):
        _sale_order, action = self.waiting_reply()
        self.assertIn(SENDER, self.reply(action).email_from)

    def test_waiting_reply_of_a_document_that_came_to_another_company_is_not_sent(self):
        """However that came about: here by SQL."""
        sale_order, action = self.waiting_reply()
        theirs = self.create_sale_order(AMERICAN, company_id=self.other.id)
        self.env.cr.execute(
            "UPDATE sale_order SET company_id = %s, amazon_order_id = %s WHERE id = %s",
            [self.other.id, theirs.amazon_order_id.id, sale_order.id],
        )
        self.env.invalidate_all()
        self.assertFalse(self.reply(action))
        self.assertEqual(action.reply_ids.state, "failed")
        self.assertIn("is not about the Amazon order", self.notes(sale_order)[0])

    def test_waiting_reply_of_a_document_about_another_order_is_not_sent(self):
        sale_order, action = self.waiting_reply()
        sale_order.amazon_order_ref = GIFT_WRAPPED
        self.assertFalse(self.reply(action))
        self.assertEqual(action.reply_ids.state, "failed")

    # === ACCOUNTS === #

    def test_account_with_orders_stays(self):
        self.create_sale_order(SHIPPED)
        for user in (self.single, self.double):
            with self.subTest(user=user.login):
                self.assert_refused(
                    lambda user=user: self.as_user(user, self.account).write(
                        {"company_id": self.other.id}
                    ),
                    words="cannot move to another company",
                )
        self.assertEqual(self.account.company_id, self.company)

    def test_account_that_a_stop_or_a_row_names_stays(self):
        stopped = self._create_account(name="Stopped", seller_id="ASTOPPED1")
        self.env["amazon.stop"].with_user(self.single).sudo()._start(
            self.company, "A reason", stopped, "refund"
        )
        named = self._create_account(name="Named", seller_id="ANAMED1")
        self.env["amazon.authority"].create(
            {
                "right": "refund",
                "company_id": self.company.id,
                "account_id": named.id,
                "user_id": self.single.id,
                "active": False,
            }
        )
        for account in (stopped, named):
            with self.subTest(account=account.name):
                self.assert_refused(
                    lambda account=account: account.write({"company_id": self.other.id})
                )

    def test_account_without_anything_moves_with_who_is_in_both(self):
        account = self._create_account(name="Spare", seller_id="ASPARE1")
        self.assert_refused(
            lambda: self.as_user(self.single, account).write(
                {"company_id": self.other.id}
            ),
            AccessError,
        )
        self.assertEqual(len(self.entries(self.other)), 1)
        self.start = self.entries(self.other).id
        self.as_user(self.double, account).company_id = self.other
        self.assertEqual(account.company_id, self.other)
        self.assert_both_journals_tell(account, "was moved", self.double)

    def test_archived_account_stays_as_well(self):
        self.create_sale_order(SHIPPED)
        self.account.active = False
        self.assert_refused(lambda: self.account.write({"company_id": self.other.id}))

    # === LINKS === #

    def test_document_is_linked_to_no_order_of_another_company(self):
        """Not even by the program; a client's word is not taken at all."""
        theirs = self.create_sale_order(
            AMERICAN, company_id=self.other.id
        ).amazon_order_id
        document = self.create_sale_order(SHIPPED)
        own = document.amazon_order_id
        self.as_user(self.single, document).write({"amazon_order_id": theirs.id})
        self.assertEqual(document.amazon_order_id, own)
        with self.assertRaises(UserError):
            document.sudo().amazon_order_id = theirs

    def test_amounts_of_another_company_are_shown_in_no_dialog(self):
        order = self.create_sale_order(
            AMERICAN, company_id=self.other.id
        ).amazon_order_id
        item = order.line_ids[:1]
        self.assertTrue(item.charged)
        asked = {"order_line_id": {}, "charged": {}}
        dialogs = self.as_user(self.single, self.env["amazon.refund.request"])
        lines = dialogs.line_ids
        named = {"order_line_id": item.id}
        defaults = self.as_user(self.single, self.env["ir.default"])
        for ask in (
            lambda: lines.onchange(named, ["order_line_id"], asked),
            lambda: lines.onchange(
                {"order_line_id": {"id": item.id}}, ["order_line_id"], asked
            ),
            lambda: dialogs.onchange(
                {"line_ids": [[0, "virtual_1", named]]},
                ["line_ids"],
                {"line_ids": {"fields": asked}},
            ),
            lambda: lines.with_context(default_order_line_id=item.id).onchange(
                {}, [], asked
            ),
            lambda: (
                defaults.set(lines._name, "order_line_id", item.id, True)
                and lines.onchange({}, [], asked)
            ),
        ):
            self.env.flush_all()
            self.env.invalidate_all()
            number = ask.__code__.co_firstlineno
            with self.subTest(line=number), self.assertRaises(AccessError):
                with self.env.cr.savepoint():
                    ask()
        own = self.create_sale_order(SHIPPED).amazon_order_id.line_ids[:1]
        shown = lines.onchange({"order_line_id": own.id}, ["order_line_id"], asked)
        self.assertEqual(shown["value"]["charged"], own.charged)

    def test_matrix_names_no_account_of_another_company(self):
        rows = self.as_user(self.single, self.env["amazon.authority"])
        for account in (self.account, self.other_account):
            self.env.invalidate_all()
            shown = rows.onchange(
                {"account_id": account.id}, ["account_id"], {"display_name": {}}
            )
            is_told = account.name in str(shown)
            self.assertEqual(is_told, account == self.account)

    def test_same_number_is_an_order_of_its_own_in_each_company(self):
        sale_order = self.create_sale_order(UNSHIPPED)
        theirs = self.create_sale_order(UNSHIPPED, company_id=self.other.id)
        self.assertNotEqual(sale_order.amazon_order_id, theirs.amazon_order_id)
        self.assertEqual(theirs.amazon_order_id.read_state, "refused")


class CompaniesHttpCommon(CompaniesCommon, HttpCase):
    """Requests of a person of the first company alone."""

    def call(self, model, method, *args, **context):
        self.authenticate("single", "single")
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {
                "model": model,
                "method": method,
                "args": list(args),
                "kwargs": {"context": context} if context else {},
            },
        )

    def assert_answer(self, error, *call, **context):
        with self.assertRaises(JsonRpcException) as refusal:
            self.call(*call, **context)
        self.assertIn(error, str(refusal.exception))

    def assert_stays(self, document):
        """Check that no request moves a document with an order, or gives one to a copy
        of it in the other company."""
        model, moved = document._name, self.moved
        plain = document.copy({"amazon_order_ref": False})
        ids, free = document.ids, plain.ids
        only_company = {"company_id": self.other.id}
        self.assert_answer("UserError", model, "write", ids, moved)
        self.assert_answer("UserError", model, "web_save", ids, only_company, {})
        self.assert_answer("AccessError", model, "write", free, moved)
        self.assert_answer("AccessError", model, "web_save", free, moved, {})
        context = {"allowed_company_ids": self.other.ids}
        self.assert_answer("AccessError", model, "write", free, moved, **context)
        self.assertEqual((document | plain).company_id, self.company)

    @property
    def moved(self):
        """Return what a client writes to reach into the other company."""
        return {"company_id": self.other.id, "amazon_order_ref": AMERICAN}

    def assert_nothing_reached_the_other_company(self):
        self.assertFalse(self.other_orders())
        self.assertFalse(self.simulator.ledger()["calls"].get("getOrder", 0) > 2)


@tagged("post_install", "-at_install")
class TestCompaniesOverHttp(CompaniesHttpCommon):
    """The same as a person of the first company alone does it, over the wire."""

    def test_nothing_reaches_the_other_company(self):
        self.assert_stays(self.create_sale_order(SHIPPED))
        mine = {"partner_id": self.buyer(RELAY).id, "amazon_order_ref": AMERICAN}
        self.assert_answer(
            "AccessError", "sale.order", "create", [{**mine, **self.moved}]
        )
        self.assert_answer(
            "AccessError",
            "sale.order",
            "create",
            [mine],
            default_company_id=self.other.id,
        )
        names = ["partner_id/.id", "company_id/.id", "amazon_order_ref"]
        row = [str(mine["partner_id"]), str(self.other.id), AMERICAN]
        self.assertFalse(self.call("sale.order", "load", names, [row])["ids"])
        self.assert_answer(
            "UserError",
            "amazon.seller.account",
            "write",
            self.account.ids,
            {"company_id": self.other.id},
        )
        self.assert_nothing_reached_the_other_company()
