import json
from datetime import timedelta

from odoo import SUPERUSER_ID, Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import CANCEL_REQUESTED, SHIPPED, UNSHIPPED, AmazonOrderCommon

# What a buyer wrote as a reason in Your Orders.
REASON = "Wegen der Scheidung von Kranich"
CUSTOMERS = ("Familie Specht", "Gerlinde Bussard")
SECRETS = ("Specht", "Kranich", "Bussard")
EXPORT = "base.group_allow_export"
OWN_SALES = "sales_team.group_sale_salesman"
# With it, the customer stands in the name of a sale order.
SHOWN = {"sale_show_partner_name": True}


def amazon(*names):
    return [f"amazon_order_actions.group_{name}" for name in names]


class ReadersCase(AmazonOrderCommon):
    """Two documents that few may read, and what was asked from each.

    Around them are people who read Amazon orders of the company: agents and salesmen of
    other documents, and who decides on actions or accounts for them.
    """

    # groups of who reads own documents such as the first, and of who changes them all
    OWN_FIRST = OWN_SALES
    MANAGES_FIRST = "sales_team.group_sale_manager"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plain = {
            "agent": cls._create_user(
                "r_agent", EXPORT, cls.OWN_FIRST, *amazon("refund")
            ),
            "salesman": cls._create_user(
                "r_sales", EXPORT, OWN_SALES, *amazon("refund")
            ),
        }
        cls.accountable = {
            "approver": cls._create_user("r_approver", EXPORT, *amazon("approve")),
            "auditor": cls.auditor,
            "both": cls._create_user("r_both", EXPORT, cls.OWN_FIRST, *amazon("admin")),
        }
        company = cls._create_company(name="Elsewhere")
        cls.strangers = {
            "elsewhere": new_test_user(
                cls.env,
                login="r_elsewhere",
                groups=f"{cls.MANAGES_FIRST},{OWN_SALES},"
                + ",".join(amazon("refund", "approve", "journal", "admin")),
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
            ),
            "portal": new_test_user(
                cls.env,
                login="r_portal",
                groups="base.group_portal",
                company_id=cls.company.id,
                company_ids=[Command.set(cls.company.ids)],
            ),
        }
        cls.auditor.group_ids += cls.env.ref(EXPORT)
        cls.agent.group_ids += cls.env.ref(EXPORT)
        cls.everybody = {**cls.plain, **cls.accountable, **cls.strangers}

    def create_first(self):
        """Create the document that the refund is asked from."""
        return self.create_sold(SHIPPED, CUSTOMERS[0])

    def create_sold(self, ref, customer):
        """Create a sale order of the agent's."""
        partner = self.env["res.partner"].create({"name": customer})
        return self.create_sale_order(ref, partner_id=partner.id, user_id=self.agent.id)

    def setUp(self):
        super().setUp()
        self.first = self.create_first()
        self.second = self.create_sold(UNSHIPPED, CUSTOMERS[1])
        self.refund = self.ask_refund(self.first, note="She told me all")
        self.cancel = self.ask_cancel(self.second)
        self.both = self.refund + self.cancel

    def rpc(self, user, model, method, *args, context=None, **kwargs):
        """Call a method as that person does over RPC."""
        self.env.flush_all()
        self.env.invalidate_all()
        env = self.env(user=user, su=False, context={})
        context = {"allowed_company_ids": user.company_ids.ids, **(context or {})}
        return call_kw(env[model], method, list(args), {**kwargs, "context": context})

    def tried(self, *args, **kwargs):
        """Return what a call answers, or that it is refused, as text."""
        try:
            answer = self.rpc(*args, **kwargs)
        except (AccessError, UserError, ValueError) as refusal:
            answer = str(refusal)
        return json.dumps(answer, default=str, ensure_ascii=False)

    def assert_tells_nothing(self, text):
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def assert_refused(self, *args, **kwargs):
        try:
            answer = self.rpc(*args, **kwargs)
        except (AccessError, ValueError, UserError):
            return
        self.fail(f"Not refused: {args[1:]} answered {answer}")


@tagged("post_install", "-at_install")
class TestReadersOfActions(ReadersCase):
    """What was asked from a document is for who may read the document, and for who
    asked, decides or accounts for it."""

    def found(self, user, model="amazon.action"):
        about = "id" if model == "amazon.action" else "action_id"
        return self.rpc(user, model, "search", [(about, "in", self.both.ids)])

    def create_replies(self):
        self.env["amazon.reply"].create(
            [
                {"action_id": action.id, "awaited_state": "confirmed", "lang": "en"}
                for action in self.both
            ]
        )

    def test_who_may_read_no_document_finds_no_action(self):
        self.create_replies()
        for name, user in self.plain.items():
            for model in ("amazon.action", "amazon.action.line", "amazon.reply"):
                with self.subTest(name=name, model=model):
                    self.assertFalse(self.found(user, model))
                    count = self.rpc(user, model, "search_count", [])
                    self.assertEqual(count, 0)
            for action in self.both:
                for method in ("read", "web_read", "export_data"):
                    spec = {"name": {}} if method == "web_read" else ["name"]
                    with self.subTest(name=name, method=method):
                        self.assert_refused(
                            user, "amazon.action", method, action.ids, spec
                        )

    def test_who_may_read_the_document_finds_what_was_asked_from_it(self):
        self.create_replies()
        self.first.user_id = self.plain["agent"]
        self.second.user_id = self.plain["salesman"]
        for name, action in (("agent", self.refund), ("salesman", self.cancel)):
            user = self.plain[name]
            with self.subTest(name=name):
                self.assertEqual(self.found(user), action.ids)
                lines = self.found(user, "amazon.action.line")
                self.assertEqual(lines, action.line_ids.ids)
                replies = self.found(user, "amazon.reply")
                self.assertEqual(replies, action.reply_ids.ids)
                (row,) = self.rpc(user, "amazon.action", "read", action.ids, ["name"])
                self.assertEqual(row["name"], action.name)

    def test_what_is_decided_on_an_action_is_read_by_who_may_read_that(self):
        self.let_wait(self.both)
        approvals, model = self.both.approval_id, "amazon.approval"
        for name, user in self.plain.items():
            with self.subTest(name=name):
                self.assertFalse(self.found(user, model))
                self.assertEqual(self.rpc(user, model, "search_count", []), 0)
                for approval in approvals:
                    self.assert_refused(user, model, "read", approval.ids, ["why"])
        for name, user in self.strangers.items():
            with self.subTest(name=name):
                text = self.tried(user, model, "search_read", [], ["why"])
                self.assertNotIn("Too much", text)
        self.first.user_id = self.plain["agent"]
        found = self.found(self.plain["agent"], model)
        self.assertEqual(found, self.refund.approval_id.ids)
        for name in ("approver", "auditor", "both"):
            with self.subTest(name=name):
                found = self.found(self.accountable[name], model)
                self.assertEqual(set(found), set(approvals.ids))

    def test_one_that_may_not_be_read_beside_one_that_may_is_refused(self):
        user = self.plain["agent"]
        self.first.user_id = user
        self.assert_refused(user, "amazon.action", "read", self.both.ids, ["name"])

    def test_who_asked_sees_it_when_the_document_went_to_somebody_else(self):
        user = self.plain["agent"]
        self.env.cr.execute(
            "UPDATE amazon_action SET user_id = %s WHERE id = %s",
            [user.id, self.refund.id],
        )
        self.assertEqual(self.found(user), self.refund.ids)
        text = self.tried(
            user,
            "amazon.action",
            "web_read",
            self.refund.ids,
            {"origin_name": {}, "origin_id": {"fields": {"display_name": {}}}},
        )
        self.assertIn(self.first.name, text)
        self.assert_tells_nothing(text)

    def test_who_decides_or_accounts_sees_all_of_the_company(self):
        for name in ("approver", "auditor", "both"):
            with self.subTest(name=name):
                found = self.found(self.accountable[name])
                self.assertEqual(set(found), set(self.both.ids))

    def test_stand_in_sees_them_for_as_long_as_it_lasts(self):
        user = self.plain["agent"]
        now = fields.Datetime.now()
        delegation = self.env["amazon.delegation"].create(
            {
                "user_id": self.accountable["approver"].id,
                "delegate_id": user.id,
                "company_id": self.company.id,
                "date_from": now - timedelta(hours=1),
                "date_to": now + timedelta(hours=1),
            }
        )
        self.assertEqual(set(self.found(user)), set(self.both.ids))
        delegation.action_end()
        self.assertFalse(self.found(user))

    def test_people_of_elsewhere_find_nothing(self):
        for name, user in self.strangers.items():
            with self.subTest(name=name):
                text = self.tried(user, "amazon.action", "search_read", [], ["name"])
                self.assertNotIn(self.refund.name, text)

    def test_activities_and_messages_of_an_action_follow_it(self):
        self.assert_thread_follows(self.refund)

    def test_activities_and_messages_of_an_approval_follow_its_action(self):
        self.let_wait(self.refund)
        self.assert_thread_follows(self.refund.approval_id)

    def assert_thread_follows(self, record):
        record.message_post(body="A note of ours")
        record.activity_schedule(
            "mail.mail_activity_data_todo", summary="Look", user_id=self.agent.id
        )
        on_it = [("res_id", "=", record.id), ("model", "=", record._name)]
        task = [("res_id", "=", record.id), ("res_model", "=", record._name)]
        for name, user in self.plain.items():
            with self.subTest(name=name):
                read = (user, "mail.message", "search_read", on_it, ["body"])
                self.assertFalse(self.rpc(*read))
                read = (user, "mail.activity", "search_read", task, ["summary"])
                self.assertFalse(self.rpc(*read))


@tagged("post_install", "-at_install")
class TestNamesOfDocuments(ReadersCase):
    """Customers of sale orders, by whatever way."""

    # of what a person may see of an action, each way to the name of its document
    WAYS = (
        ("search_read", [[], ["origin_name", "origin_model", "origin_id"]]),
        (
            "web_search_read",
            [[], {"origin_name": {}, "origin_id": {"fields": {"display_name": {}}}}],
        ),
        ("formatted_read_group", [[], ["origin_name"], ["__count"]]),
        ("formatted_read_group", [[], ["origin_id"], ["__count"]]),
        ("formatted_read_group", [[], ["origin_id.name"], ["__count"]]),
        ("formatted_read_group", [[], ["origin_id.partner_id"], ["__count"]]),
        ("web_read_group", [[], ["origin_name"]]),
        ("web_read_group", [[], ["origin_id"]]),
        ("name_search", [""]),
    )

    def test_no_way_leads_from_an_action_to_a_customer(self):
        for name, user in self.everybody.items():
            for method, args in self.WAYS:
                with self.subTest(name=name, method=method, args=args):
                    self.assert_tells_nothing(
                        self.tried(user, "amazon.action", method, *args, context=SHOWN)
                    )
            paths = ["origin_id", "origin_id/name", "origin_id/display_name"]
            for action in self.both:
                call = (user, "amazon.action", "export_data", action.ids)
                for path in [*paths, "origin_id/partner_id/name", "origin_name"]:
                    with self.subTest(name=name, path=path):
                        text = self.tried(*call, [path], context=SHOWN)
                        self.assert_tells_nothing(text)

    def test_number_stands_for_the_name(self):
        for name in ("auditor", "both"):
            text = self.tried(
                self.accountable[name],
                "amazon.action",
                "search_read",
                [("id", "in", self.both.ids)],
                ["origin_name"],
            )
            with self.subTest(name=name):
                self.assertIn(self.first.name, text)
                self.assertIn(self.second.name, text)

    def test_who_may_read_it_sees_the_customer(self):
        text = self.tried(
            self.agent,
            "amazon.action",
            "web_search_read",
            [("id", "in", self.both.ids)],
            {"origin_id": {"fields": {"display_name": {}}}},
            context=SHOWN,
        )
        for customer in CUSTOMERS:
            self.assertIn(customer, text)
        by_the_program = self.first.with_user(SUPERUSER_ID).with_context(**SHOWN)
        self.assertIn(CUSTOMERS[0], by_the_program.display_name)

    def test_who_may_read_the_document_opens_it_from_the_action(self):
        action = (self.agent, "amazon.action", "action_open_origin", self.refund.ids)
        opened = self.rpc(*action)
        self.assertEqual(opened["res_model"], self.first._name)
        self.assertEqual(opened["res_id"], self.first.id)
        auditor = self.accountable["auditor"]
        with self.assertRaises(AccessError):
            self.rpc(auditor, *action[1:])

    def test_customers_are_not_guessed_letter_by_letter(self):
        for condition in (
            ("origin_name", "ilike", "Specht"),
            ("origin_id", "ilike", "Specht"),
            ("origin_id.partner_id.name", "=like", "Familie%"),
            ("origin_id", "any", [("partner_id.name", "=like", "Familie%")]),
            ("origin_id.partner_id.name", "ilike", "Bussard"),
            ("line_ids.action_id.origin_name", "=like", "Familie%"),
            ("order_id.action_ids.origin_id.partner_id.name", "=like", "Familie%"),
        ):
            for name, user in {**self.everybody, "agent": self.agent}.items():
                with self.subTest(name=name, condition=condition):
                    try:
                        call = (user, "amazon.action", "search_count", [condition])
                        self.assertEqual(self.rpc(*call), 0)
                    except (AccessError, ValueError, TypeError):
                        continue

    def test_made_up_id_shows_a_number(self):
        """By an onchange of any model that points to documents."""
        asked = {"fields": {"display_name": {}}}
        of_sale = {"origin_model": self.first._name}
        for name, user in self.plain.items():
            for model, field, value, others in (
                ("amazon.action", "origin_id", self.first.id, of_sale),
                ("amazon.action", "origin_id", self.second.id, of_sale),
            ):
                text = self.tried(
                    user,
                    model,
                    "onchange",
                    [],
                    {field: value, **others},
                    [field],
                    {field: asked, **dict.fromkeys(others, {})},
                    context=SHOWN,
                )
                with self.subTest(name=name, model=model, field=field):
                    self.assert_tells_nothing(text)

    def test_name_that_one_person_may_see_is_not_kept_for_another(self):
        context = {"allowed_company_ids": self.company.ids, **SHOWN}
        sale_order = self.first.with_context(**context)
        seen = sale_order.with_user(self.agent).sudo()
        hidden = sale_order.with_user(self.plain["agent"]).sudo()
        self.assertIn(CUSTOMERS[0], seen.display_name)
        self.assertEqual(hidden.display_name, self.first.name)
        self.assertIn(CUSTOMERS[0], seen.display_name)
        self.assertIn(CUSTOMERS[0], sale_order.with_user(SUPERUSER_ID).display_name)
        # none, and several
        self.assertFalse(sale_order.browse().with_user(self.agent).sudo().display_name)
        other = self.create_sold(False, "Another")
        other.user_id = self.plain["agent"]
        both = (sale_order + other).with_user(self.plain["agent"]).sudo()
        names = both.mapped("display_name")
        self.assertEqual(names, [sale_order.name, f"{other.name} - Another"])

    def test_journal_names_a_document_by_its_number(self):
        rows = self.rpc(
            self.auditor, "amazon.audit.entry", "search_read", [], ["origin_name"]
        )
        names = {row["origin_name"] for row in rows}
        self.assertLessEqual({self.first.name, self.second.name}, names)
        everything = self.tried(
            self.auditor, "amazon.audit.entry", "search_read", [], None
        )
        self.assert_tells_nothing(everything)

    def test_many_names_cost_the_same_number_of_queries(self):
        auditor = self.auditor
        sale_orders = self.first

        def cost(sale_orders):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            of_auditor = sale_orders.with_user(auditor).sudo()
            of_auditor.with_context(**SHOWN).mapped("display_name")
            return self.env.cr.sql_log_count - before

        cost(sale_orders)
        of_one = cost(sale_orders)
        for _number in range(5):
            sale_orders += self.create_sold(False, CUSTOMERS[0])
        self.assertEqual(cost(sale_orders), of_one)


@tagged("post_install", "-at_install")
class TestBuyersReason(ReadersCase):
    """Why the buyer wants to cancel, for who may read a document of the order."""

    def setUp(self):
        super().setUp()
        self.asked = self.create_sale_order(CANCEL_REQUESTED, user_id=self.agent.id)
        self.order = self.asked.amazon_order_id
        self.order.cancel_request_reason = REASON
        self.order.line_ids.cancel_request_reason = REASON

    def test_stored_words_are_for_the_program_alone(self):
        field = "cancel_request_reason"
        like = [(field, "=like", "Wegen%")]
        for model, records in (
            ("amazon.order", self.order),
            ("amazon.order.line", self.order.line_ids),
        ):
            for name, user in {**self.everybody, "reader": self.agent}.items():
                for method, args in (
                    ("read", [records.ids, [field]]),
                    ("search_read", [[], [field]]),
                    ("web_search_read", [[], {field: {}}]),
                    ("search_count", [like]),
                    ("formatted_read_group", [[], [field], ["__count"]]),
                    ("formatted_read_group", [[], [], [f"{field}:max"]]),
                    ("web_read_group", [[], [field]]),
                    ("export_data", [records.ids, [field]]),
                    ("search_read", [[], ["id"], 0, None, field]),
                ):
                    with self.subTest(name=name, model=model, method=method):
                        self.assert_refused(user, model, method, *args)
                # all that there is
                text = self.tried(user, model, "search_read", [], None)
                if name not in ("both", "reader"):
                    with self.subTest(name=name, model=model):
                        self.assert_tells_nothing(text)

    def test_by_way_of_another_model_neither(self):
        for model, path in (
            ("amazon.action", "order_id.cancel_request_reason"),
            ("sale.order", "amazon_order_id.cancel_request_reason"),
            ("amazon.order", "line_ids.cancel_request_reason"),
            ("amazon.order.charge", "line_id.cancel_request_reason"),
        ):
            for name, user in self.everybody.items():
                with self.subTest(name=name, model=model):
                    call = (user, model, "search_count", [(path, "=like", "W%")])
                    self.assert_refused(*call)

    def test_field_that_people_see_is_no_oracle(self):
        field = "shown_cancel_reason"
        for name, user in {**self.everybody, "reader": self.agent}.items():
            for method, args in (
                ("search_count", [[(field, "=like", "W%")]]),
                ("formatted_read_group", [[], [field], ["__count"]]),
                ("formatted_read_group", [[], [], [f"{field}:max"]]),
                ("search_read", [[], ["id"], 0, None, field]),
            ):
                with self.subTest(name=name, method=method, args=args):
                    self.assert_refused(user, "amazon.order", method, *args)

    def shown(self, user):
        call = (user, "amazon.order", "read", self.order.ids, ["shown_cancel_reason"])
        return self.rpc(*call)[0]["shown_cancel_reason"]

    def test_who_may_read_no_document_of_the_order_sees_none(self):
        for name in ("agent", "salesman"):
            with self.subTest(name=name):
                self.assertFalse(self.shown(self.plain[name]))
        for name in ("approver", "auditor"):
            with self.subTest(name=name):
                self.assertFalse(self.shown(self.accountable[name]))

    def test_any_document_of_the_order_will_do(self):
        self.assertEqual(self.shown(self.agent), REASON)
        self.create_sale_order(CANCEL_REQUESTED, user_id=self.plain["agent"].id)
        self.assertEqual(self.shown(self.plain["agent"]), REASON)
        self.assertFalse(self.shown(self.plain["salesman"]))
        self.create_sale_order(CANCEL_REQUESTED, user_id=self.plain["salesman"].id)
        self.assertEqual(self.shown(self.plain["salesman"]), REASON)

    def test_administrator_who_sees_orders_sees_it(self):
        self.assertEqual(self.shown(self.accountable["both"]), REASON)

    def test_one_persons_view_is_not_kept_for_another(self):
        order = self.order.with_context(allowed_company_ids=self.company.ids)
        seen, hidden = (order.with_user(u) for u in (self.agent, self.plain["agent"]))
        self.assertEqual(seen.shown_cancel_reason, REASON)
        self.assertFalse(hidden.shown_cancel_reason)
        self.assertEqual(hidden.sudo().shown_cancel_reason, REASON)
        self.assertFalse(hidden.shown_cancel_reason)

    def test_dialog_and_panel_show_it_to_who_opened_them(self):
        dialog = self.open_request(self.asked, "cancel")
        self.assertEqual(dialog.cancel_request_reason, REASON)
        asked = (self.asked.ids, ["amazon_order_panel"])
        (row,) = self.rpc(self.agent, "sale.order", "read", *asked)
        order = row["amazon_order_panel"]["order"]
        self.assertEqual(order["cancel_request_reason"], REASON)
        for user in self.plain.values():
            self.assert_refused(user, "sale.order", "read", *asked)


@tagged("post_install", "-at_install")
class TestNobodyRefundsTwiceForNotSeeing(ReadersCase):
    """What may not be read still counts, and everybody sees that it is there."""

    def setUp(self):
        super().setUp()
        self.user = self.plain["agent"]
        self.mine = self.create_sale_order(SHIPPED, user_id=self.user.id)

    def panel(self, user, document):
        call = (user, document._name, "read", document.ids, ["amazon_order_panel"])
        return self.rpc(*call)[0]["amazon_order_panel"]["order"]

    def test_panel_shows_what_a_colleague_asked_for_elsewhere(self):
        (action,) = self.panel(self.user, self.mine)["actions"]
        self.assertEqual(action["amount"], self.refund.amount)
        self.assertEqual(action["state"], self.refund.state)
        self.assertIn(self.agent.name, action["message"])
        self.assertIn(self.refund.state_message, action["message"])
        self.assert_tells_nothing(json.dumps(action))
        self.assertNotIn("She told me all", json.dumps(action))
        buttons = [name for name in action if name.startswith("can_")]
        self.assertTrue(buttons)
        self.assertFalse([name for name in buttons if action[name]])

    def test_panel_is_the_same_as_ever_for_who_may_read_the_document(self):
        (action,) = self.panel(self.agent, self.mine)["actions"]
        self.assertEqual(action["message"], self.refund.state_message)
        self.assertTrue(action["can_withdraw"])

    def test_amounts_count_what_the_user_may_not_read(self):
        order = self.first.amazon_order_id
        totals = self.panel(self.user, self.mine)["totals"]
        self.assertAlmostEqual(totals["reserved"], self.refund.amount)
        for model, records in (
            ("amazon.order", order),
            ("amazon.order.line", order.line_ids),
            ("amazon.order.charge", order.line_ids.charge_ids),
        ):
            rows = self.rpc(self.user, model, "read", records.ids, ["reserved"])
            with self.subTest(model=model):
                total = sum(row["reserved"] for row in rows)
                self.assertAlmostEqual(total, self.refund.amount)

    def test_what_is_reserved_is_not_refunded_again(self):
        self.env.invalidate_all()
        env = self.env(user=self.user, context={})
        env = env(context={"allowed_company_ids": self.company.ids})
        # as a client that looks at the order first, in the same transaction
        order = env["amazon.order"].browse(self.first.amazon_order_id.id)
        self.assertFalse(order.action_ids)
        self.assertEqual(order.refundable, 0)
        dialog = self.open_request(self.mine, "refund", self.user)
        self.assertTrue(dialog.blockers)
        self.assertFalse(sum(dialog.line_ids.mapped("refundable")))

    def test_what_may_not_be_read_is_not_taken_back(self):
        self.assert_refused(
            self.user, "amazon.action", "action_withdraw", self.refund.ids
        )
        self.assertNotEqual(self.refund.state, "withdrawn")

    def test_panel_costs_no_query_for_each_that_may_not_be_read(self):
        def cost():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            document.read(["amazon_order_panel"])
            return self.env.cr.sql_log_count - before

        document = self.mine.with_user(self.user)
        cost()
        of_one = cost()
        for _number in range(4):
            self.refund.with_user(self.agent).action_withdraw()
            self.refund = self.ask_refund(self.first)
        self.env.invalidate_all()
        self.assertEqual(len(document.amazon_order_panel["order"]["actions"]), 5)
        self.assertEqual(cost(), of_one)


@tagged("post_install", "-at_install")
class TestWhoIsTold(ReadersCase):
    """Who may not read a document is told of the action: mails and tasks name it."""

    def test_asker_who_lost_the_document_is_told_in_the_action(self):
        user = self.plain["agent"]
        mine = self.create_sale_order(CANCEL_REQUESTED, user_id=user.id)
        record = self.refund._record_for(user)
        self.assertEqual(record, self.refund)
        mine.amazon_order_ref = SHIPPED
        self.first.user_id = user
        self.assertEqual(self.refund._record_for(user), self.first)

    def test_task_to_write_to_the_buyer_names_no_customer(self):
        self.env.cr.execute(
            "UPDATE amazon_action SET user_id = %s WHERE id = %s",
            [self.plain["agent"].id, self.refund.id],
        )
        self.env.invalidate_all()
        self.env["amazon.reply"]._ask_person(
            self.refund, "Reply to the buyer", "It failed."
        )
        call = (self.plain["agent"], "mail.activity", "search_read", [], None)
        rows = self.rpc(*call)
        self.assertEqual([row["res_model"] for row in rows], ["amazon.action"])
        self.assert_tells_nothing(json.dumps(rows, default=str))
        self.env["amazon.reply"]._drop_activity(self.refund)
        self.assertFalse(self.rpc(*call))

    def test_task_stays_on_the_document_of_who_may_read_it(self):
        self.env["amazon.reply"]._ask_person(
            self.refund, "Reply to the buyer", "It failed."
        )
        activity = self.first.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.env["amazon.reply"]._drop_activity(self.refund)
        self.assertFalse(self.first.activity_ids)

    def test_note_stays_on_the_document_where_it_was_written(self):
        sale = self.create_sale_order(SHIPPED, user_id=self.plain["salesman"].id)
        self.refund.with_user(self.agent).action_withdraw()
        action = self.ask_refund(self.first, note="Her brother told me")
        bodies = {
            document: "".join(document.message_ids.mapped("body"))
            for document in (self.first, sale)
        }
        self.assertIn("Her brother told me", bodies[self.first])
        self.assertNotIn("Her brother told me", bodies[sale])
        self.assertIn(action.name, bodies[sale])

    def test_mails_to_approvers_name_no_customer(self):
        self.let_wait(self.refund)
        approval = self.refund.approval_id
        approval._notify_users(self.accountable["approver"], "Waits")
        text = " ".join(
            str(value)
            for message in approval.message_ids
            for value in (message.subject, message.body, message.record_name)
        )
        self.assert_tells_nothing(text)


class ReadersHttpCase(HttpCase, ReadersCase):
    """Requests of the web client."""

    def call(self, user, model, method, *args, **kwargs):
        user.password = user.login
        self.env.flush_all()
        self.authenticate(user.login, user.login)
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps(
                {
                    "jsonrpc": "2.0",
                    "method": "call",
                    "params": {
                        "model": model,
                        "method": method,
                        "args": list(args),
                        "kwargs": kwargs,
                    },
                }
            ),
            headers={"Content-Type": "application/json"},
        )
        return answer.text


@tagged("post_install", "-at_install")
class TestReadersOverHttp(ReadersHttpCase):
    """The same as the web client's requests."""

    def test_customer_and_reason_do_not_cross_the_wire(self):
        self.first.amazon_order_id.cancel_request_reason = REASON
        people = {**self.plain, **self.accountable, "portal": self.strangers["portal"]}
        wanted = {"origin_id": {"fields": {"display_name": {}}}}
        for name, user in people.items():
            for call in (
                ("amazon.action", "web_search_read", [], wanted),
                ("amazon.action", "search_read", [], ["origin_name"]),
                ("amazon.action", "formatted_read_group", [], ["origin_id"], []),
                ("amazon.order", "search_read", [], ["cancel_request_reason"]),
                ("amazon.order", "web_search_read", [], {"cancel_request_reason": {}}),
            ):
                with self.subTest(name=name, call=call):
                    self.assert_tells_nothing(self.call(user, *call, context=SHOWN))
        call = ("amazon.action", "web_search_read", [], wanted)
        self.assertIn(CUSTOMERS[0], self.call(self.agent, *call, context=SHOWN))
