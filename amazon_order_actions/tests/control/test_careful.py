from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL, html2plaintext, mute_logger

from ..common import GIFT_WRAPPED, SHIPPED, UNSHIPPED, AmazonOrderCommon

# Of the simulator's orders.
SHIPPED_TOTAL = 44.94


@tagged("post_install", "-at_install")
class TestCareful(AmazonOrderCommon):
    """Limits before freedom: what a person may refund while the matrix is empty."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.eur = cls.env.ref("base.EUR")
        cls.approver = cls._create_user(
            "amazon_approver", "amazon_order_actions.group_approve"
        )

    def setUp(self):
        super().setUp()
        # by SQL, as they came
        self.env.cr.execute("DELETE FROM amazon_careful_limit")
        self.env.invalidate_all()

    def limit(self, action, day=1000, currency=None):
        """Set the careful limit of the account."""
        return (
            self.env["amazon.careful.limit"]
            .with_user(self.admin)
            .create(
                {
                    "account_id": self.account.id,
                    "currency_id": (currency or self.eur).id,
                    "limit_action": action,
                    "limit_person_day": day,
                }
            )
        )

    def give(self, **values):
        """Add a row of the matrix for refunds."""
        return self.env["amazon.authority"].create(
            {
                "company_id": self.company.id,
                "right": "refund",
                "group_id": self.env.ref("amazon_order_actions.group_refund").id,
                **values,
            }
        )

    def ask(self, ref=SHIPPED, **values):
        return self.ask_refund(self.create_sale_order(ref), **values)

    # === WHAT IS DECIDED === #

    def test_refund_within_the_limits_goes_alone(self):
        self.assertEqual(self.ask().state, "queued")

    def test_refund_above_the_limit_needs_a_second_person(self):
        self.limit(44.93)
        action = self.ask()
        self.assertEqual(action.state, "to_approve")
        self.assertIn("above the careful limit of one refund", action.approval_id.why)
        self.assertIn("44.93", action.approval_id.why)

    def test_refund_of_exactly_the_limit_goes_alone(self):
        self.limit(SHIPPED_TOTAL, SHIPPED_TOTAL)
        self.assertEqual(self.ask().state, "queued")

    def test_second_person_can_approve_it(self):
        self.limit(10)
        action = self.ask()
        action.approval_id.with_user(self.approver).action_approve()
        self.assertEqual(action.state, "queued")

    def test_day_counts_what_the_person_asked_for_on_all_orders(self):
        self.limit(100, 110)
        self.assertEqual(self.ask().state, "queued")
        action = self.ask(GIFT_WRAPPED)
        self.assertEqual(action.state, "to_approve")
        self.assertIn("of one person and day", action.approval_id.why)

    def test_day_of_another_person_counts_nothing(self):
        self.limit(100, 110)
        self.ask()
        other = self._create_user(
            "amazon_other",
            *self.WORKS_WITH_DOCUMENTS,
            "amazon_order_actions.group_refund",
        )
        self.assertEqual(self.ask(GIFT_WRAPPED, user=other).state, "queued")

    def test_what_did_not_happen_does_not_count(self):
        self.limit(100, 60)
        action = self.ask()
        action.with_user(self.agent).action_withdraw()
        self.assertEqual(self.ask().state, "queued")

    def test_proposed_limit_counts_where_nobody_has_set_one(self):
        self.assertFalse(self.account.careful_limit_ids)
        limits = self.env["amazon.careful.limit"]
        self.assertEqual(tuple(limits._of(self.account.id, self.eur)), (100, 500))

    def test_currency_without_a_limit_needs_a_second_person(self):
        chf = self.env.ref("base.CHF")
        self.assertEqual(
            tuple(self.env["amazon.careful.limit"]._of(self.account.id, chf)), (0, 0)
        )
        sale_order = self.create_sale_order(SHIPPED)
        sale_order.amazon_order_id.currency_id = chf
        asked = self.env["amazon.authority"]._weigh(
            self.env["amazon.action.kind.refund"],
            sale_order.amazon_order_id.sudo(),
            sale_order.sudo(),
            1.0,
        )
        authority = self.env["amazon.authority"].with_user(self.agent)
        self.assertIn(
            "CHF nothing is refunded alone", authority._judge_carefully(asked)
        )

    def test_limit_is_judged_without_a_rate(self):
        """The company of the tests is in another currency, or has no rate."""
        self.company.currency_id = self.env.ref("base.CHF")
        self.env["res.currency.rate"].search([]).unlink()
        self.limit(50, 1000)
        action = self.ask()
        self.assertTrue(action.is_rate_missing)
        self.assertEqual(action.state, "queued")
        self.assertEqual(self.ask(GIFT_WRAPPED).state, "to_approve")

    def test_limit_of_another_currency_counts_nothing(self):
        self.limit(1, 1, self.env.ref("base.GBP"))
        self.assertEqual(self.ask().state, "queued")

    def test_limit_of_another_account_counts_nothing(self):
        other = self._create_account(seller_id="OTHER")
        for row in other.careful_limit_ids:
            row.write({"limit_action": 1, "limit_person_day": 1})
        self.assertEqual(self.ask().state, "queued")

    def test_cancellation_moves_no_money_and_is_not_limited(self):
        self.limit(1, 1)
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.assertEqual(action.state, "queued")

    def test_row_of_the_matrix_counts_instead(self):
        self.limit(1, 1)
        self.give()
        self.assertEqual(self.ask().state, "queued")

    def test_row_of_another_right_leaves_the_limits(self):
        self.limit(1, 1)
        self.give(
            right="cancel",
            group_id=self.env.ref("amazon_order_actions.group_cancel").id,
        )
        self.assertEqual(self.ask().state, "to_approve")

    def test_archived_row_leaves_the_limits(self):
        self.limit(1, 1)
        self.give(active=False)
        self.assertEqual(self.ask().state, "to_approve")

    def test_row_of_another_company_leaves_the_limits(self):
        self.limit(1, 1)
        self.give(company_id=self.env.ref("base.main_company").id)
        self.assertEqual(self.ask().state, "to_approve")

    def test_what_is_sent_again_is_judged_by_the_limit_of_then(self):
        self.simulator.fault("timeout_before", "createFeed", times=1)
        action = self.ask()
        self.limit(1, 1)
        self.assertIn(
            "careful limit",
            action.with_user(self.agent)._why_not_again_alone(),
        )

    def test_who_works_alone_gives_a_row_and_refunds(self):
        self.limit(1, 1)
        self.assertEqual(self.ask().state, "to_approve")
        self.agent.group_ids = [
            Command.link(self.env.ref("amazon_order_actions.group_admin").id)
        ]
        self.env["amazon.authority"].with_user(self.agent).create(
            {
                "company_id": self.company.id,
                "right": "refund",
                "user_id": self.agent.id,
            }
        )
        self.assertEqual(self.ask(GIFT_WRAPPED).state, "queued")

    def test_sum_of_a_day_is_read_by_its_index(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        asked = self.ask().sudo()._asked("refund")
        authority = self.env["amazon.authority"]
        domain = authority._careful_day_domain(asked, self.eur, self.agent)
        query = self.env["amazon.action"].sudo()._search(domain)
        self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
        plan = "\n".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("amazon_action_careful_day_idx", plan)

    # === WHAT IS SAID BEFORE === #

    def dialog(self, ref=SHIPPED):
        return self.open_request(self.create_sale_order(ref), "refund")

    def test_dialog_says_that_it_is_above_the_limit(self):
        self.limit(10)
        notices = self.dialog().notices
        self.assertIn("A second person must approve it", notices)
        self.assertIn("above the careful limit of one refund", notices)

    def test_dialog_says_which_limit_is_near(self):
        self.limit(50)
        self.assertIn("Near a careful limit", self.dialog().notices)
        self.assertIn("50.00", self.dialog().notices)

    def test_dialog_says_that_the_day_is_nearly_used_up(self):
        self.ask()
        self.limit(100, 100)
        notices = self.dialog(GIFT_WRAPPED).notices
        self.assertIn("44.94", notices)

    def test_dialog_says_nothing_far_from_the_limit(self):
        self.limit(500)
        self.assertFalse(self.dialog().notices)

    def test_dialog_says_nothing_of_careful_limits_beside_the_matrix(self):
        self.limit(50)
        self.give()
        self.assertFalse(self.dialog().notices)

    def test_check_of_a_person_says_the_same(self):
        self.limit(50, 200)
        self.ask()
        check = (
            self.env["amazon.authority.check"]
            .with_user(self.admin)
            .create({"company_id": self.company.id, "user_id": self.agent.id})
        )
        answer = html2plaintext(check.answer)
        self.assertIn("within the careful limits", answer)
        for amount in ("50.00", "200.00", "44.94"):
            self.assertIn(amount, answer)

    # === WHO SETS THEM === #

    def test_agent_can_neither_read_nor_set_them(self):
        row = self.limit(50)
        for method, args in (
            ("read", ([],)),
            ("write", ({"limit_action": 1000},)),
            ("unlink", ()),
        ):
            with self.assertRaises(AccessError):
                getattr(row.with_user(self.agent), method)(*args)

    def test_change_is_journaled(self):
        row = self.limit(50)
        row.limit_action = 70
        entry = (
            self.env["amazon.audit.entry"].sudo().search([], order="id desc", limit=1)
        )
        self.assertEqual((entry.event, entry.user_id), ("authority", self.admin))
        self.assertIn("One Refund: 50", entry.value_before)
        self.assertIn("One Refund: 70", entry.value_after)

    def test_removal_is_journaled(self):
        self.limit(50).unlink()
        entry = (
            self.env["amazon.audit.entry"].sudo().search([], order="id desc", limit=1)
        )
        self.assertIn("removed: EUR", entry.message)

    @mute_logger("odoo.sql_db")
    def test_limit_cannot_be_lifted(self):
        for values in ({"action": 0}, {"action": 1, "day": 0}):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.limit(**values)

    def test_limit_stays_with_its_currency(self):
        with self.assertRaises(UserError):
            self.limit(50).currency_id = self.env.ref("base.GBP")

    def test_limits_are_proposed_in_the_currencies_of_the_marketplaces_and_orders(self):
        order = self.create_sale_order(SHIPPED).amazon_order_id
        order.currency_id = self.env.ref("base.SEK")
        self.limit(7)
        self.env["amazon.authority"].with_user(self.admin)._propose_careful_limits(
            self.account.with_user(self.admin)
        )
        self.assertEqual(
            {
                row.currency_id.name: row.limit_action
                for row in self.account.careful_limit_ids
            },
            # what was set stays
            {"EUR": 7, "GBP": 100, "SEK": 1000},
        )
