from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from .common import GIFT_WRAPPED, SHIPPED, THREE_UNITS, UNSHIPPED, AmazonCommon

GROUP = "amazon_helpdesk_actions.group_{}".format


class AuthorityCommon(AmazonCommon):
    """Rows of the matrix, in a company whose orders are in its own currency."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.currency_id = cls.env.ref("base.EUR")
        cls.approver = cls._create_user("amazon_approver", GROUP("approve"))

    def give(self, right="refund", **values):
        """Add a row for all who have the right, unless the values say otherwise."""
        holder = {"user_id", "group_id"} & set(values)
        return (
            self.env["amazon.authority"]
            .with_user(self.admin)
            .create(
                {
                    "right": right,
                    **({} if holder else {"group_id": self.env.ref(GROUP(right)).id}),
                    **values,
                }
            )
        )

    def refund(self, amount, ref=SHIPPED, **values):
        """Ask to refund so much of the first item of an order."""
        ticket = values.pop("ticket", None) or self.create_ticket(ref)
        sku = ticket.amazon_order_id.line_ids[0].sku
        return self.ask_refund(ticket, amounts={sku: amount}, **values)

    def assert_waits(self, action, *parts):
        """Assert that it waits for a second person, and that it is said why."""
        self.assertEqual(action.state, "to_approve")
        for part in parts:
            self.assertIn(part, action.why_approval.replace("\xa0", " "))


@tagged("post_install", "-at_install")
class TestAuthority(AuthorityCommon):
    """Who may do what, where, and up to how much without a second person."""

    # === no rows === #

    def test_without_a_row_the_group_alone_decides(self):
        self.assertEqual(self.refund(30).state, "queued")

    def test_row_for_another_right_says_nothing(self):
        self.give("cancel", limit_action=1)
        self.assertEqual(self.refund(30).state, "queued")

    def test_row_never_widens_the_right(self):
        self.give(group_id=self.env.ref("base.group_user").id)
        with self.assertRaises(AccessError):
            self.refund(5, user=self.trainee)

    # === limits === #

    def test_within_the_limit_of_an_action_it_goes_alone(self):
        self.give(limit_action=30)
        self.assertEqual(self.refund(30).state, "queued")

    def test_above_the_limit_of_an_action_a_second_person_decides(self):
        self.give(limit_action=30)
        action = self.refund(30.01)
        self.assert_waits(action, "30.01", "limit of one action", "30.00")
        self.assertFalse(self.pending_jobs("_job_dispatch"))

    def test_limit_of_an_order_counts_what_anybody_asked_for(self):
        self.give(limit_order=30)
        ticket = self.create_ticket(SHIPPED)
        colleague = self._create_user(
            "amazon_colleague", "helpdesk_mgmt.group_helpdesk_user", GROUP("refund")
        )
        self.refund(20, ticket=ticket, user=colleague)
        action = self.refund(11, ticket=ticket)
        self.assert_waits(action, "20.00 € is used", "10.00 € left")

    def test_limit_of_an_order_says_nothing_of_another(self):
        self.give(limit_order=30)
        self.refund(30)
        self.assertEqual(self.refund(20, GIFT_WRAPPED).state, "queued")

    def test_limit_of_the_day_counts_all_orders(self):
        self.give(limit_person_day=30)
        self.assertEqual(self.refund(20).state, "queued")
        action = self.refund(11, GIFT_WRAPPED)
        self.assert_waits(action, "person and day", "20.00 € is used", "10.00 € left")

    # === approving === #

    def waiting(self):
        self.give(limit_action=1)
        return self.refund(30).sudo()

    def may_approve(self, action, user=None):
        return self.env["amazon.authority"]._may_approve(action, user or self.approver)

    def test_without_rows_who_has_the_right_may_approve(self):
        self.assertFalse(self.may_approve(self.waiting()))

    def test_without_the_right_nobody_may_approve(self):
        self.give("approve", user_id=self.agent.id)
        self.assertIn("may not approve", self.may_approve(self.waiting(), self.agent))

    def test_approver_may_up_to_the_limit_of_the_row(self):
        row = self.give("approve", limit_action=30)
        action = self.waiting()
        self.assertFalse(self.may_approve(action))
        row.limit_action = 29.99
        self.assertIn("up to", self.may_approve(action))

    def test_approver_may_not_where_no_row_is(self):
        other = self._create_account(seller_id="A2OTHER")
        self.give("approve", account_id=other.id)
        self.assertIn("no row", self.may_approve(self.waiting()))

    # === what counts === #

    def test_refund_counts_its_amount(self):
        self.assertEqual(self.refund(30).amount_company, 30)

    def test_cancellation_counts_what_was_charged(self):
        action = self.ask_cancel(self.create_ticket(UNSHIPPED))
        self.assertEqual(action.amount, 0)
        self.assertTrue(action.amount_company)
        self.assertEqual(action.amount_company, action.order_id.charged)

    def test_cancellation_of_units_counts_their_share(self):
        ticket = self.create_ticket(THREE_UNITS)
        line = ticket.amazon_order_id.line_ids[0]
        action = self.ask_cancel_items(ticket, {line.sku: 1})
        self.assertEqual(
            action.amount_company,
            action.currency_id.round(line.charged / line.quantity_ordered),
        )


@tagged("post_install", "-at_install")
class TestRightsJournal(AuthorityCommon):
    """Whoever gains or loses a right of the addon is in the journal."""

    def setUp(self):
        super().setUp()
        self.person = self._create_user("amazon_person")
        self.refunds = self.env.ref(GROUP("refund"))
        self.start = self.entries()[:1].id

    def entries(self, company=None):
        return (
            self.env["amazon.audit.entry"]
            .sudo()
            .search(
                [
                    ("event", "=", "authority"),
                    ("company_id", "=", (company or self.company).id),
                ]
            )
        )

    def changes(self, company=None):
        """Return (before, after) of what was journaled in this test, in its order."""
        entries = self.entries(company).filtered(lambda entry: entry.id > self.start)
        return [(e.value_before or "", e.value_after or "") for e in reversed(entries)]

    def test_right_given_on_the_form_of_the_user(self):
        self.person.group_ids += self.refunds
        self.assertEqual(self.changes(), [("", "Refund")])
        entry = self.entries()[0]
        self.assertIn(f"({self.person.id})", entry.message)
        self.assertEqual(entry.user_id, self.env.user)

    def test_right_taken_on_the_form_of_the_user(self):
        self.agent.group_ids -= self.refunds
        before, after = self.changes()[0]
        self.assertEqual(before, "Refund, Cancel, Edit, Message buyers")
        self.assertEqual(after, "Cancel, Edit, Message buyers")

    def test_user_made_with_a_right(self):
        self._create_user("amazon_new", GROUP("admin"))
        self.assertEqual(self.changes(), [("", "Administrator")])

    def test_right_given_on_the_form_of_the_group(self):
        self.refunds.user_ids = [Command.link(self.person.id)]
        self.assertEqual(self.changes(), [("", "Refund")])

    def test_right_given_through_another_group(self):
        group = self.env["res.groups"].create({"name": "Refunders"})
        self.person.group_ids += group
        self.assertFalse(self.changes())
        group.implied_ids = [Command.link(self.refunds.id)]
        self.assertEqual(self.changes(), [("", "Refund")])
        group.unlink()
        self.assertEqual(self.changes()[1:], [("Refund", "")])

    def test_right_taken_by_archiving(self):
        self.person.group_ids += self.refunds
        self.person.active = False
        self.person.active = True
        self.assertEqual(
            self.changes(), [("", "Refund"), ("Refund", ""), ("", "Refund")]
        )

    def test_right_that_comes_with_a_company(self):
        self.person.group_ids += self.refunds
        other = self._create_company(name="Elsewhere")
        other.user_ids = [Command.link(self.person.id)]
        self.assertIn(("", "Refund"), self.changes(other))
        self.person.company_ids -= other
        self.assertEqual(self.changes(other)[-1], ("Refund", ""))

    def test_other_changes_of_a_user_are_not_journaled(self):
        self.person.group_ids += self.env.ref("base.group_partner_manager")
        self.person.name = "Another Name"
        self._create_user("amazon_plain")
        self.assertFalse(self.changes())

    def test_deleted_user_is_journaled(self):
        self.person.group_ids += self.refunds
        self.person.unlink()
        self.assertEqual(self.changes()[-1], ("Refund", ""))

    # === rows === #

    def test_row_is_journaled_when_given_changed_archived_and_removed(self):
        row = self.give(limit_action=30)
        row.limit_action = 40
        row.active = False
        row.unlink()
        given, changed, archived, removed = self.changes()
        self.assertEqual(given[0], "")
        self.assertIn("Per Action: 30.00", given[1].replace("\xa0", " "))
        self.assertEqual(changed[0], given[1])
        self.assertIn("Per Action: 40.00", changed[1])
        self.assertIn("Active: False", archived[1])
        self.assertEqual(removed, (archived[1], ""))
        self.assertEqual(self.entries()[3].user_id, self.admin)
