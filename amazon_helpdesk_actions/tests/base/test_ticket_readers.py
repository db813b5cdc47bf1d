import json

from odoo import SUPERUSER_ID, Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.amazon_order_actions.tests.base.test_document_readers import (
    REASON,
    ReadersCase,
    ReadersHttpCase,
)

from ..common import CANCEL_REQUESTED, SHIPPED, AmazonCommon

# What a buyer wrote into the subject of a mail.
TITLE = "Rohrbruch bei Familie Specht"
CUSTOMER = "Gerlinde Bussard"


class TicketReadersCase(AmazonCommon, ReadersCase):
    """A ticket and a sale order that few may read, with something asked from each."""

    OWN_FIRST = "helpdesk_mgmt.group_helpdesk_user_own"
    MANAGES_FIRST = "helpdesk_mgmt.group_helpdesk_manager"

    def create_first(self):
        """Override: a ticket."""
        self.ticket = self.create_ticket(
            SHIPPED, name=TITLE, user_id=self.agent.id, partner_name=CUSTOMER
        )
        return self.ticket

    @property
    def sale(self):
        """Return the document that the cancellation was asked from."""
        return self.second


@tagged("post_install", "-at_install")
class TestReadersOfTickets(TicketReadersCase):
    """What was asked from a ticket is for who may read the ticket."""

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
        self.ticket.user_id = self.plain["agent"]
        self.sale.user_id = self.plain["salesman"]
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

    def test_who_asked_sees_it_when_the_ticket_went_to_somebody_else(self):
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
        self.assertIn(self.ticket.number, text)
        self.assert_tells_nothing(text)


@tagged("post_install", "-at_install")
class TestTitlesOfTickets(TicketReadersCase):
    """Titles of tickets, by whatever way."""

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

    def test_no_way_leads_from_an_action_to_a_title(self):
        context = {"sale_show_partner_name": True}
        for name, user in self.everybody.items():
            for method, args in self.WAYS:
                with self.subTest(name=name, method=method, args=args):
                    self.assert_tells_nothing(
                        self.tried(
                            user, "amazon.action", method, *args, context=context
                        )
                    )
            paths = ["origin_id", "origin_id/name", "origin_id/display_name"]
            for action in self.both:
                call = (user, "amazon.action", "export_data", action.ids)
                for path in [*paths, "origin_id/partner_id/name", "origin_name"]:
                    with self.subTest(name=name, path=path):
                        text = self.tried(*call, [path], context=context)
                        self.assert_tells_nothing(text)

    def test_number_stands_for_the_title(self):
        for name in ("auditor", "both"):
            text = self.tried(
                self.accountable[name],
                "amazon.action",
                "search_read",
                [("id", "in", self.both.ids)],
                ["origin_name"],
            )
            with self.subTest(name=name):
                self.assertIn(self.ticket.number, text)
                self.assertIn(self.sale.name, text)

    def test_who_may_read_it_sees_the_title(self):
        context = {"sale_show_partner_name": True}
        text = self.tried(
            self.agent,
            "amazon.action",
            "web_search_read",
            [("id", "in", self.both.ids)],
            {"origin_id": {"fields": {"display_name": {}}}},
            context=context,
        )
        self.assertIn(TITLE, text)
        self.assertIn(CUSTOMER, text)
        self.assertIn(TITLE, self.ticket.with_user(SUPERUSER_ID).display_name)

    def test_who_may_read_the_document_opens_it_from_the_action(self):
        action = (self.agent, "amazon.action", "action_open_origin", self.refund.ids)
        opened = self.rpc(*action)
        self.assertEqual(opened["res_model"], self.ticket._name)
        self.assertEqual(opened["res_id"], self.ticket.id)
        auditor = self.accountable["auditor"]
        with self.assertRaises(AccessError):
            self.rpc(auditor, *action[1:])

    def test_titles_are_not_guessed_letter_by_letter(self):
        for condition in (
            ("origin_name", "ilike", "Specht"),
            ("origin_id", "ilike", "Specht"),
            ("origin_id.name", "=like", "Rohr%"),
            ("origin_id", "any", [("name", "=like", "Rohr%")]),
            ("origin_id.partner_id.name", "ilike", "Bussard"),
            ("line_ids.action_id.origin_name", "=like", "Rohr%"),
            ("order_id.action_ids.origin_id.name", "=like", "Rohr%"),
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
        of_ticket = {"origin_model": self.ticket._name}
        of_sale = {"origin_model": self.sale._name}
        for name, user in self.plain.items():
            for model, field, value, others in (
                ("amazon.action", "origin_id", self.ticket.id, of_ticket),
                ("amazon.action", "origin_id", self.sale.id, of_sale),
                ("sale.order", "ticket_ids", [Command.link(self.ticket.id)], {}),
            ):
                text = self.tried(
                    user,
                    model,
                    "onchange",
                    [],
                    {field: value, **others},
                    [field],
                    {field: asked, **dict.fromkeys(others, {})},
                    context={"sale_show_partner_name": True},
                )
                with self.subTest(name=name, model=model, field=field):
                    self.assert_tells_nothing(text)

    def test_name_that_one_person_may_see_is_not_kept_for_another(self):
        ticket = self.ticket.with_context(allowed_company_ids=self.company.ids)
        seen = ticket.with_user(self.agent).sudo()
        hidden = ticket.with_user(self.plain["agent"]).sudo()
        self.assertIn(TITLE, seen.display_name)
        self.assertEqual(hidden.display_name, self.ticket.number)
        self.assertIn(TITLE, seen.display_name)
        self.assertIn(TITLE, ticket.with_user(SUPERUSER_ID).display_name)
        # none, and several
        self.assertFalse(ticket.browse().with_user(self.agent).sudo().display_name)
        other = self.create_ticket(name="Another", user_id=self.plain["agent"].id)
        both = (ticket + other).with_user(self.plain["agent"]).sudo()
        names = both.mapped("display_name")
        self.assertEqual(names, [ticket.number, f"{other.number} - Another"])

    def test_journal_names_a_document_by_its_number(self):
        rows = self.rpc(
            self.auditor, "amazon.audit.entry", "search_read", [], ["origin_name"]
        )
        names = {row["origin_name"] for row in rows}
        self.assertLessEqual({self.ticket.number, self.sale.name}, names)
        everything = self.tried(
            self.auditor, "amazon.audit.entry", "search_read", [], None
        )
        self.assert_tells_nothing(everything)

    def test_many_names_cost_the_same_number_of_queries(self):
        auditor = self.auditor
        tickets = self.ticket

        def cost(tickets):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            tickets.with_user(auditor).sudo().mapped("display_name")
            return self.env.cr.sql_log_count - before

        cost(tickets)
        of_one = cost(tickets)
        for _number in range(5):
            tickets += self.create_ticket(name=TITLE, user_id=self.agent.id)
        self.assertEqual(cost(tickets), of_one)


@tagged("post_install", "-at_install")
class TestBuyersReason(TicketReadersCase):
    """Why the buyer wants to cancel, for who may read a ticket of the order."""

    def setUp(self):
        super().setUp()
        self.asked = self.create_ticket(CANCEL_REQUESTED, user_id=self.agent.id)
        self.order = self.asked.amazon_order_id
        self.order.cancel_request_reason = REASON
        self.order.line_ids.cancel_request_reason = REASON

    def shown(self, user):
        call = (user, "amazon.order", "read", self.order.ids, ["shown_cancel_reason"])
        return self.rpc(*call)[0]["shown_cancel_reason"]

    def test_any_document_of_the_order_will_do(self):
        self.assertEqual(self.shown(self.agent), REASON)
        self.create_ticket(CANCEL_REQUESTED, user_id=self.plain["agent"].id)
        self.assertEqual(self.shown(self.plain["agent"]), REASON)
        self.assertFalse(self.shown(self.plain["salesman"]))
        self.create_sale_order(CANCEL_REQUESTED, user_id=self.plain["salesman"].id)
        self.assertEqual(self.shown(self.plain["salesman"]), REASON)

    def test_dialog_and_panel_show_it_to_who_opened_them(self):
        dialog = self.open_request(self.asked, "cancel")
        self.assertEqual(dialog.cancel_request_reason, REASON)
        asked = (self.asked.ids, ["amazon_order_panel"])
        (row,) = self.rpc(self.agent, "helpdesk.ticket", "read", *asked)
        order = row["amazon_order_panel"]["order"]
        self.assertEqual(order["cancel_request_reason"], REASON)
        for user in self.plain.values():
            self.assert_refused(user, "helpdesk.ticket", "read", *asked)

    def test_by_way_of_tickets_it_is_not_found(self):
        path = "amazon_order_id.cancel_request_reason"
        for name, user in self.everybody.items():
            with self.subTest(name=name):
                call = (
                    user,
                    "helpdesk.ticket",
                    "search_count",
                    [(path, "=like", "W%")],
                )
                self.assert_refused(*call)


@tagged("post_install", "-at_install")
class TestWhoIsTold(TicketReadersCase):
    """Who may not read a ticket is told of the action, without the title."""

    def test_panel_shows_what_a_colleague_asked_for_elsewhere(self):
        user = self.plain["agent"]
        mine = self.create_ticket(SHIPPED, user_id=user.id, name="Mine")
        call = (user, mine._name, "read", mine.ids, ["amazon_order_panel"])
        (action,) = self.rpc(*call)[0]["amazon_order_panel"]["order"]["actions"]
        self.assertEqual(action["amount"], self.refund.amount)
        self.assertIn(self.agent.name, action["message"])
        self.assert_tells_nothing(json.dumps(action))

    def test_asker_who_lost_the_ticket_is_told_without_its_title(self):
        user = self.plain["agent"]
        mine = self.create_ticket(CANCEL_REQUESTED, user_id=user.id, name=TITLE)
        record = self.refund._record_for(user)
        self.assertEqual(record, self.refund)
        mine.amazon_order_ref = SHIPPED
        self.ticket.user_id = user
        self.assertEqual(self.refund._record_for(user), self.ticket)

    def test_task_to_write_to_the_buyer_names_no_title(self):
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

    def test_task_stays_on_the_ticket_of_who_may_read_it(self):
        self.env["amazon.reply"]._ask_person(
            self.refund, "Reply to the buyer", "It failed."
        )
        activity = self.ticket.activity_ids
        self.assertEqual(activity.user_id, self.agent)
        self.env["amazon.reply"]._drop_activity(self.refund)
        self.assertFalse(self.ticket.activity_ids)

    def test_note_stays_on_the_document_where_it_was_written(self):
        sale = self.create_sale_order(SHIPPED, user_id=self.plain["salesman"].id)
        self.refund.with_user(self.agent).action_withdraw()
        action = self.ask_refund(self.ticket, note="Her brother told me")
        bodies = {
            document: "".join(document.message_ids.mapped("body"))
            for document in (self.ticket, sale)
        }
        self.assertIn("Her brother told me", bodies[self.ticket])
        self.assertNotIn("Her brother told me", bodies[sale])
        self.assertIn(action.name, bodies[sale])

    def test_mails_to_approvers_name_no_title(self):
        self.let_wait(self.refund)
        approval = self.refund.approval_id
        approval._notify_users(self.accountable["approver"], "Waits")
        text = " ".join(
            str(value)
            for message in approval.message_ids
            for value in (message.subject, message.body, message.record_name)
        )
        self.assert_tells_nothing(text)


@tagged("post_install", "-at_install")
class TestReadersOverHttp(TicketReadersCase, ReadersHttpCase):
    """The same as the web client's requests."""

    def test_title_and_reason_do_not_cross_the_wire(self):
        self.ticket.amazon_order_id.cancel_request_reason = REASON
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
                    self.assert_tells_nothing(self.call(user, *call))
        self.assertIn(
            TITLE, self.call(self.agent, "amazon.action", "web_search_read", [], wanted)
        )
