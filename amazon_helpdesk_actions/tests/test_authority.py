from odoo.exceptions import AccessError
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
