from datetime import datetime, timedelta
from unittest.mock import patch

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import tagged
from odoo.tests.common import new_test_user
from odoo.tools import SQL, formatLang, html2plaintext, mute_logger

from ...models.control.authority_usage import Asked
from ..common import (
    FBA_SHIPPED,
    GIFT_WRAPPED,
    SHIPPED,
    THREE_UNITS,
    UNSHIPPED,
    AmazonOrderCommon,
)

GROUP = "amazon_order_actions.group_{}".format


class AuthorityCommon(AmazonOrderCommon):
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
        document = values.pop("document", None) or self.create_sale_order(ref)
        sku = document.amazon_order_id.line_ids[0].sku
        return self.ask_refund(document, amounts={sku: amount}, **values)

    def assert_waits(self, action, *parts):
        """Assert that it waits for a second person, and that it is said why."""
        self.assertEqual(action.state, "to_approve")
        for part in parts:
            self.assertIn(part, action.approval_id.why.replace("\xa0", " "))


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
        sale_order = self.create_sale_order(SHIPPED)
        colleague = self._create_user(
            "amazon_colleague",
            "sales_team.group_sale_salesman_all_leads",
            GROUP("refund"),
        )
        self.refund(20, document=sale_order, user=colleague)
        action = self.refund(11, document=sale_order)
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

    def test_what_waits_for_approval_counts(self):
        self.give(limit_person_day=30)
        self.assert_waits(self.refund(31))
        action = self.refund(5, GIFT_WRAPPED)
        self.assert_waits(action, "31.00 € is used", "0.00 € left")

    def test_what_did_not_happen_does_not_count(self):
        self.give(limit_person_day=30, limit_order=30)
        sale_order = self.create_sale_order(SHIPPED)
        for state in ("withdrawn", "refused", "expired", "blocked", "rejected"):
            action = self.refund(30, document=sale_order)
            self.assertEqual(action.state, "queued", state)
            action.state = state

    def test_yesterday_does_not_count(self):
        self.give(limit_person_day=30)
        self.refund(30).asked_at -= timedelta(days=1)
        self.assertEqual(self.refund(30, GIFT_WRAPPED).state, "queued")

    def today(self):
        """Return when the day begins and ends of what is asked for now."""
        asked = Asked("refund", self.company.id, False, False, 0)
        return self.env["amazon.authority"]._day_of(asked)

    def test_day_begins_at_midnight_in_the_time_zone_of_the_limits(self):
        self.company.amazon_tz = "Pacific/Auckland"
        with self.everything_at("2026-11-22 10:30:00"):  # 23:30 in Auckland
            self.assertEqual(
                self.today(), (datetime(2026, 11, 21, 11), datetime(2026, 11, 22, 11))
            )
        with self.everything_at("2026-11-22 11:30:00"):  # 0:30 in Auckland
            self.assertEqual(self.today()[0], datetime(2026, 11, 22, 11))

    def test_day_of_25_hours_in_autumn(self):
        self.company.amazon_tz = "Europe/Berlin"
        with self.everything_at("2026-10-25 10:00:00"):
            begins, ends = self.today()
        self.assertEqual(ends - begins, timedelta(hours=25))

    def test_who_edits_contacts_does_not_let_a_new_day_begin(self):
        self.company.amazon_tz = "UTC"
        self.give(limit_person_day=30)
        self.agent.group_ids += self.env.ref("base.group_partner_manager")
        with self.everything_at("2026-11-22 10:30:00"):
            self.refund(30)
        contact = self.company.partner_id.with_user(self.agent)
        contact.tz = "Pacific/Auckland"
        with self.everything_at("2026-11-22 11:30:00"):  # 0:30 in Auckland
            self.assert_waits(self.refund(30, GIFT_WRAPPED), "30.00 € is used")

    def test_company_of_before_keeps_the_time_zone_that_its_limits_had(self):
        other = self._create_company(name="Other")
        self.company.partner_id.tz = "Europe/Paris"
        other.partner_id.tz = False
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE res_company ALTER amazon_tz DROP NOT NULL")
        self.env.cr.execute("UPDATE res_company SET amazon_tz = NULL")
        self.env["res.company"]._init_column("amazon_tz")
        self.env.invalidate_all()
        self.assertEqual(self.company.amazon_tz, "Europe/Paris")
        self.assertEqual(other.amazon_tz, "UTC")

    def test_limit_of_the_group_counts_all_its_members(self):
        lead = self.env["res.groups"].create(
            {
                "name": "Refund leads",
                "implied_ids": [Command.link(self.env.ref(GROUP("refund")).id)],
            }
        )
        colleague = self._create_user(
            "amazon_lead", "sales_team.group_sale_salesman_all_leads"
        )
        colleague.group_ids += lead
        self.give(limit_group_day=30)
        self.refund(20, user=colleague)
        action = self.refund(11, GIFT_WRAPPED)
        self.assert_waits(action, "group", "20.00 € is used", "10.00 € left")

    def test_limit_of_a_person_says_nothing_of_another(self):
        colleague = self._create_user(
            "amazon_colleague",
            "sales_team.group_sale_salesman_all_leads",
            GROUP("refund"),
        )
        self.give(limit_person_day=30)
        self.refund(30, user=colleague)
        self.assertEqual(self.refund(30, GIFT_WRAPPED).state, "queued")

    def test_limits_of_another_right_are_not_used(self):
        self.give(limit_person_day=30)
        self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.assertEqual(self.refund(30).state, "queued")

    # === rows add up === #

    def test_one_row_that_allows_it_is_enough(self):
        self.give(limit_action=5)
        self.give(user_id=self.agent.id, limit_action=30)
        self.assertEqual(self.refund(30).state, "queued")

    def test_the_row_that_leaves_most_is_named(self):
        self.give(limit_action=5)
        self.give(user_id=self.agent.id, limit_person_day=20)
        self.assert_waits(self.refund(30), "person and day", "20.00 €")

    def test_row_for_another_person_does_not_cover(self):
        self.give(user_id=self.trainee.id)
        with self.assertRaises(AccessError):
            self.refund(5)

    def test_always_with_a_second_person_whatever_the_amount(self):
        self.give(mode="always")
        self.assert_waits(self.refund(1), "always")

    def test_row_that_allows_it_alone_wins_over_one_that_never_does(self):
        self.give(mode="always")
        self.give(limit_action=30)
        self.assertEqual(self.refund(30).state, "queued")

    # === where === #

    def test_row_covers_its_account_and_marketplace_only(self):
        other = self._create_account(seller_id="A2OTHER", name="Other account")
        for elsewhere in ({"account_id": other.id}, {"marketplace": "A1F83G8C2ARO7P"}):
            row = self.give(**elsewhere)
            with self.assertRaises(AccessError, msg=str(elsewhere)) as caught:
                self.refund(5)
            for part in ("Nordlicht Wohnen", "Germany", self.admin.name):
                self.assertIn(part, str(caught.exception))
            row.unlink()
        self.give(account_id=self.account.id, marketplace="A1PA6795UKMFR9")
        self.assertEqual(self.refund(5).state, "queued")

    # === what was done in Seller Central === #

    def test_record_of_what_is_done_counts_and_is_never_refused(self):
        self.give(limit_person_day=1, marketplace="A1F83G8C2ARO7P")
        fba = self.create_sale_order(FBA_SHIPPED)
        record = self.ask_refund(fba, note="Refunded in Seller Central at noon")
        self.assertEqual(record.state, "assisted")
        self.assertTrue(record.amount_company)
        self.give(limit_person_day=30)
        used = formatLang(
            self.env, record.amount_company, currency_obj=self.company.currency_id
        )
        self.assert_waits(self.refund(29), used.replace("\xa0", " "))

    # === kinds without an amount === #

    def test_limits_say_nothing_of_what_has_no_amount(self):
        self.give("edit", limit_action=1, limit_person_day=1, limit_group_day=1)
        action = self.ask_ship(self.create_sale_order(UNSHIPPED))
        self.assertEqual(action.amount_company, 0)
        self.assertEqual(action.state, "queued")

    def test_place_and_mode_count_for_what_has_no_amount(self):
        row = self.give("edit", mode="always")
        sale_order = self.create_sale_order(UNSHIPPED)
        self.assert_waits(self.ask_ship(sale_order), "always")
        row.unlink()
        self.give("edit", marketplace="A1F83G8C2ARO7P")
        with self.assertRaises(AccessError):
            self.ask_ship(self.create_sale_order(THREE_UNITS))

    # === currencies === #

    def set_rate(self, name, rate):
        self.env["res.currency.rate"].create(
            {
                "name": "2026-01-01",
                "currency_id": self.env.ref(f"base.{name}").id,
                "rate": rate,
                "company_id": self.company.id,
            }
        )

    def use_pounds(self):
        """Let the company have pounds, where nobody has entered a rate."""
        self.env["res.currency.rate"].search([]).unlink()
        self.company.currency_id = self.env.ref("base.GBP")

    def test_limits_are_in_the_currency_of_the_company(self):
        self.use_pounds()
        self.set_rate("EUR", 2)
        self.give(limit_action=15)
        self.assertEqual(self.refund(30).amount_company, 15)
        action = self.refund(30.02, GIFT_WRAPPED)
        self.assert_waits(action, "30.02 € (£ 15.01)", "limit of one action, £ 15.00")

    def test_rate_of_one_is_a_rate(self):
        self.use_pounds()
        self.set_rate("EUR", 1)
        self.give(limit_action=30)
        self.assertEqual(self.refund(30).state, "queued")

    def test_without_a_rate_a_second_person_decides(self):
        self.use_pounds()
        row = self.give(limit_action=1000)
        action = self.refund(5)
        self.assert_waits(action, "no rate")
        self.assertTrue(action.is_rate_missing)
        self.assertEqual(action.amount_company, 0)
        row.limit_action = 0
        self.assertEqual(self.refund(5, GIFT_WRAPPED).state, "queued")

    def test_without_a_rate_only_an_approver_without_a_limit_may_approve(self):
        self.use_pounds()
        self.give(limit_action=1000)
        row = self.give("approve", limit_action=1000)
        action = self.refund(5).sudo()
        self.assertIn("no rate", self.may_approve(action))
        row.limit_action = 0
        self.assertFalse(self.may_approve(action))

    # === before the click === #

    def test_dialog_says_that_no_row_covers_it(self):
        self.give(marketplace="A1F83G8C2ARO7P")
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        self.assertIn("no row of the matrix", request.blockers)

    def test_dialog_says_that_it_will_wait_for_a_second_person(self):
        self.give(limit_action=30)
        self.give("cancel", limit_action=30)
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        request.write({"mode": "amount", "amount": 30})
        self.assertFalse(request.notices)
        request.amount = 31
        self.assertIn("second person must approve", request.notices)
        request = self.open_request(self.create_sale_order(UNSHIPPED), "cancel")
        self.assertIn("second person must approve", request.warnings)

    def test_dialog_says_once_that_it_always_waits(self):
        self.give(mode="always")
        request = self.open_request(self.create_sale_order(SHIPPED), "refund")
        self.assertIn("second person must approve", request.warnings)
        self.assertFalse(request.notices)

    # === mails === #

    def test_mail_is_written_only_where_a_row_lets_its_author_alone(self):
        sale_order = self.create_sale_order(SHIPPED)
        row = self.give("message", marketplace="A1F83G8C2ARO7P")
        with self.assertRaises(AccessError):
            sale_order._check_mail_authority(self.agent)
        row.marketplace = False
        sale_order._check_mail_authority(self.agent)
        row.mode = "always"
        with self.assertRaises(UserError) as caught:
            sale_order._check_mail_authority(self.agent)
        self.assertIn("mail cannot wait", str(caught.exception))

    # === the click === #

    def queries(self, ref):
        """Return the queries that the matrix adds to a click."""
        counts = []

        def counting(method):
            def counted(model, *args):
                before = model.env.cr.sql_log_count
                result = method(model, *args)
                counts.append(model.env.cr.sql_log_count - before)
                return result

            return counted

        authority = type(self.env["amazon.authority"])
        sale_order = self.create_sale_order(ref)
        # what the process knows, as long as no right or user is changed
        self.agent._get_group_ids()
        with (
            patch.object(authority, "_weigh", counting(authority._weigh)),
            patch.object(authority, "_judge", counting(authority._judge)),
        ):
            self.assertEqual(self.refund(5, document=sale_order).state, "queued")
        return sum(counts)

    def test_matrix_costs_a_click_one_query_where_no_day_limit_is(self):
        self.give(limit_action=30)
        self.assertEqual(self.queries(GIFT_WRAPPED), 1)

    def test_careful_limit_costs_a_click_few_queries(self):
        # that there are no rows, the limit, a lock, and two for the sum of the day; the
        # time zone where nobody had it read
        self.assertLessEqual(self.queries(SHIPPED), 6)

    def test_foreign_currency_costs_a_click_its_rate_and_its_rounding(self):
        self.use_pounds()
        self.set_rate("EUR", 2)
        self.give()
        # and the person, whose time zone says which day it is, where nobody had it read
        self.assertLessEqual(self.queries(SHIPPED), 4)

    def test_day_limits_cost_a_click_few_queries(self):
        self.give(limit_person_day=300, limit_group_day=300)
        # the rows, two locks, the time zone, and two for each sum
        self.assertLessEqual(self.queries(SHIPPED), 8)

    def test_sum_of_a_day_is_read_by_its_index(self):
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        authority = self.env["amazon.authority"]
        self.give(limit_person_day=30, limit_group_day=30)
        [row] = authority._rows(self.company.id, "refund")
        asked = self.refund(5).sudo()._asked("refund")
        actions = self.env["amazon.action"].sudo()
        for name in ("limit_person_day", "limit_group_day"):
            domain = authority._day_domain(name, row, asked, self.agent)
            query = actions._search(domain)
            self.env.cr.execute(SQL("EXPLAIN %s", query.select()))
            plan = "\n".join(line for (line,) in self.env.cr.fetchall())
            self.assertIn("amazon_action_day_idx", plan, name)
            self.assertRegex(plan, r"Index Cond: \(\(company_id = \d+\) AND \(asked_at")

    # === the rows === #

    def test_row_counts_at_once_when_given_changed_and_removed(self):
        sale_order = self.create_sale_order(SHIPPED)
        self.refund(1, document=sale_order)
        row = self.give(limit_action=1)
        self.assert_waits(self.refund(2, document=sale_order))
        row.limit_action = 2
        self.assertEqual(self.refund(2, document=sale_order).state, "queued")
        row.write({"limit_action": 1})
        self.assert_waits(self.refund(2, document=sale_order))
        row.active = False
        self.assertEqual(self.refund(2, document=sale_order).state, "queued")
        row.active = True
        self.assert_waits(self.refund(2, document=sale_order))
        row.unlink()
        self.assertEqual(self.refund(2, document=sale_order).state, "queued")

    def test_archived_row_gives_nothing_to_whoever_searches_for_archived_records(self):
        self.give(limit_action=1)
        self.give(limit_action=500).active = False
        sale_order = self.create_sale_order(SHIPPED)
        request = self.open_request(sale_order, "refund")
        request.write({"reason": "CustomerReturn", "is_second_meant": True})
        request.with_context(active_test=False).action_refund()
        self.assert_waits(self.last_action())

    @mute_logger("odoo.sql_db")
    def test_row_is_for_a_group_or_a_person(self):
        for holder in (
            {"group_id": False},
            {"group_id": self.env.ref(GROUP("refund")).id, "user_id": self.agent.id},
        ):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.give(**holder)

    @mute_logger("odoo.sql_db")
    def test_limits_that_mean_nothing_are_refused(self):
        for right, values in (
            ("refund", {"limit_action": -1}),
            ("refund", {"user_id": self.agent.id, "limit_group_day": 5}),
            ("approve", {"limit_order": 5}),
            ("approve", {"mode": "always"}),
        ):
            with self.assertRaises(CheckViolation), self.env.cr.savepoint():
                self.give(right, **values)

    def test_row_stays_in_its_company(self):
        row = self.give()
        row.company_id = row.company_id
        other = self._create_company(name="Elsewhere")
        self.admin.company_ids += other
        with self.assertRaises(UserError):
            row.company_id = other

    def test_row_that_changes_nothing_says_so(self):
        wide = self.give(limit_action=50, limit_person_day=500)
        same = self.give(limit_action=50, limit_person_day=500)
        narrow = self.give(limit_action=20, marketplace="A1F83G8C2ARO7P")
        always = self.give(mode="always", user_id=self.agent.id)
        more = self.give(limit_action=60, user_id=self.agent.id)
        for row in (same, always):
            self.assertIn("No effect", row.remark, row.display_name)
        for row in (wide, narrow, more):
            self.assertFalse(row.remark, row.display_name)

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
        action = self.ask_cancel(self.create_sale_order(UNSHIPPED))
        self.assertEqual(action.amount, 0)
        self.assertTrue(action.amount_company)
        self.assertEqual(action.amount_company, action.order_id.charged)

    def test_cancellation_of_units_counts_their_share(self):
        sale_order = self.create_sale_order(THREE_UNITS)
        line = sale_order.amazon_order_id.line_ids[0]
        action = self.ask_cancel_items(sale_order, {line.sku: 1})
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

    def test_right_given_by_a_caller_who_claims_that_the_addon_is_being_removed(self):
        groups = self.refunds
        self.person.with_context(_force_unlink=True).group_ids += groups
        self.assertEqual(self.changes(), [("", "Refund")])

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


@tagged("post_install", "-at_install")
class TestAuthoritySecurity(AuthorityCommon):
    """The matrix is for administrators of the company, and holds for every way in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls._create_company(name="Elsewhere")
        cls.other_admin = new_test_user(
            cls.env,
            login="amazon_other_admin",
            groups=f"base.group_user,{GROUP('admin')}",
            company_id=cls.other.id,
            company_ids=[Command.set(cls.other.ids)],
        )

    def as_user(self, user, model="amazon.authority"):
        return (
            self.env[model]
            .with_user(user)
            .with_context(allowed_company_ids=user.company_ids.ids)
        )

    # === the rows === #

    def test_only_administrators_change_rows(self):
        row = self.give(limit_action=1)
        portal = new_test_user(self.env, "amazon_portal", groups="base.group_portal")
        public = self.env.ref("base.public_user")
        values = {"right": "refund", "user_id": self.agent.id}
        for user in (self.agent, self.approver, self.auditor, portal, public):
            rows = self.as_user(user)
            for attempt in (
                lambda rows=rows: rows.create(values),
                lambda rows=rows: rows.browse(row.id).write({"limit_action": 0}),
                lambda rows=rows: rows.browse(row.id).unlink(),
                lambda rows=rows: rows.load(
                    ["right", "user_id/.id"], [["Refund", str(self.agent.id)]]
                ),
            ):
                try:
                    with self.env.cr.savepoint():
                        result = attempt()
                except AccessError:
                    continue
                # an import says it in its answer
                self.assertFalse(result["ids"], user.login)
                self.assertTrue(result["messages"], user.login)
        self.assertEqual(row.limit_action, 1)

    def test_only_administrators_change_the_time_zone_of_the_limits(self):
        self.company.amazon_tz = "UTC"
        manager = self._create_user("amazon_manager", "base.group_erp_manager")
        for company in (
            self.company.with_user(self.agent),
            self.company.with_user(manager),
            # a server action that uses sudo
            self.company.with_user(manager).sudo(),
        ):
            with self.assertRaises(AccessError):
                company.amazon_tz = "Pacific/Auckland"
        self.assertEqual(self.company.amazon_tz, "UTC")

    def test_change_of_the_time_zone_of_the_limits_is_journaled_once(self):
        self.company.amazon_tz = "UTC"
        settings = self.as_user(self.admin, "amazon.audit.settings")
        entries = self.env["amazon.audit.entry"].sudo()
        before = entries.search([])
        for _time in range(2):
            dialog = settings.browse(settings.action_open()["res_id"])
            dialog.tz = "Pacific/Auckland"
            dialog.action_save()
        self.assertEqual(self.company.amazon_tz, "Pacific/Auckland")
        entry = entries.search([]) - before
        self.assertEqual((entry.event, entry.user_id), ("authority", self.admin))
        self.assertEqual(entry.company_id, self.company)
        self.assertEqual(entry.value_before, "UTC")
        self.assertEqual(entry.value_after, "Pacific/Auckland")

    def test_only_administrators_and_auditors_read_rows(self):
        row = self.give()
        for user in (self.agent, self.approver):
            with self.assertRaises(AccessError):
                self.as_user(user).browse(row.id).read(["right"])
        for user in (self.admin, self.auditor):
            self.assertTrue(self.as_user(user).browse(row.id).read(["right"]))

    def test_administrator_of_another_company_sees_and_changes_none(self):
        row = self.give()
        rows = self.as_user(self.other_admin)
        self.assertFalse(rows.search([("id", "=", row.id)]))
        for attempt in (
            lambda: rows.browse(row.id).read(["right"]),
            lambda: rows.browse(row.id).write({"active": False}),
            lambda: rows.browse(row.id).unlink(),
            lambda: rows.create(
                {
                    "right": "refund",
                    "company_id": self.company.id,
                    "group_id": row.group_id.id,
                }
            ),
        ):
            with self.assertRaises(AccessError):
                attempt()

    def test_row_names_nothing_of_another_company(self):
        account = self._create_account(
            seller_id="A2OTHER", company_id=self.other.id, name="Elsewhere"
        )
        for values in ({"account_id": account.id}, {"user_id": self.other_admin.id}):
            with self.assertRaises(UserError):
                self.env["amazon.authority"].create(
                    {
                        "right": "refund",
                        "company_id": self.company.id,
                        **({} if "user_id" in values else {"group_id": 1}),
                        **values,
                    }
                )

    def test_rows_of_another_company_never_count(self):
        self.env["amazon.authority"].create(
            {
                "right": "refund",
                "company_id": self.other.id,
                "user_id": self.other_admin.id,
                "limit_action": 1,
            }
        )
        self.assertEqual(self.refund(30).state, "queued")

    # === ways in === #

    def test_forged_dialog_is_judged_the_same(self):
        self.give(limit_action=5)
        sale_order = self.create_sale_order(SHIPPED)
        # as a client does that makes the dialog itself, and fills in what it likes
        request = self.as_user(self.agent, "amazon.refund.request").create(
            {
                "order_id": sale_order.amazon_order_id.id,
                "origin_model": sale_order._name,
                "origin_id": sale_order.id,
                "reason": "CustomerReturn",
                "nonce": "forged",
                "typed": 1,
                "is_second_meant": True,
                "is_assisted": True,
                "note": "It is done already",
            }
        )
        request.action_refund()
        self.assert_waits(self.last_action(), "limit of one action")

    def test_forged_dialog_of_what_is_not_covered_is_refused(self):
        other = self._create_account(seller_id="A2OTHER", name="Other account")
        self.give(account_id=other.id)
        sale_order = self.create_sale_order(SHIPPED)
        request = self.as_user(self.agent, "amazon.refund.request").create(
            {
                "order_id": sale_order.amazon_order_id.id,
                "origin_model": "sale.order",
                "origin_id": sale_order.id,
                "reason": "CustomerReturn",
            }
        )
        with self.assertRaises(AccessError):
            request.action_refund()

    def test_state_and_sum_of_an_action_cannot_be_written(self):
        self.give(limit_action=5)
        action = self.refund(30).with_user(self.agent)
        for values in ({"state": "queued"}, {"amount_company": 0}):
            with self.assertRaises(AccessError):
                action.write(values)

    def test_what_decides_cannot_be_called_from_outside(self):
        for method in ("_ask", "_judge", "_may_approve", "_rows"):
            self.assertTrue(method.startswith("_"))
            model = "amazon.action" if method == "_ask" else "amazon.authority"
            with self.assertRaises(AccessError):
                call_kw(self.as_user(self.admin, model), method, [], {})

    def test_server_action_of_an_agent_is_judged_the_same(self):
        self.give(limit_action=5)
        sale_order = self.create_sale_order(SHIPPED)
        request = self.open_request(sale_order, "refund")
        request.reason = "CustomerReturn"
        server_action = self.env["ir.actions.server"].create(
            {
                "name": "Refund at once",
                "model_id": self.env["ir.model"]._get_id(request._name),
                "state": "code",
                "code": "records.sudo().action_refund()",
            }
        )
        server_action.with_user(self.agent).with_context(
            active_model=request._name,
            active_ids=request.ids,
            active_id=request.id,
            allowed_company_ids=self.company.ids,
        ).run()
        self.assert_waits(self.last_action(), "limit of one action")

    # === what may this person do? === #

    def check(self, user=None, **values):
        check = self.as_user(self.admin, "amazon.authority.check").create(
            {"user_id": (user or self.agent).id, **values}
        )
        return html2plaintext(check.answer).replace("\xa0", " ")

    def test_check_says_what_a_person_may_do_and_has_used_today(self):
        self.give(limit_action=30, limit_person_day=100, limit_group_day=1000)
        self.give("cancel", mode="always")
        self.refund(20)
        said = self.check()
        for part in (
            "up to 30.00 € for one action; 100.00 € a day (20.00 € used today); "
            "1,000.00 € a day for the whole group (20.00 € used today)",
            "always with a second person",
            "*Edit*: without limits",
            "*Approve*: not in the group",
        ):
            self.assertIn(part, said)

    def test_check_looks_at_the_place_that_is_chosen(self):
        other = self._create_account(seller_id="A2OTHER", name="Other account")
        self.give(account_id=self.account.id)
        said = self.check(account_id=self.account.id)
        self.assertIn("Nordlicht Wohnen: without limits", said)
        self.assertIn("no row", self.check(account_id=other.id))

    def test_check_knows_who_does_not_work_here(self):
        self.assertIn("does not work", self.check(user=self.other_admin))

    def test_check_is_for_administrators_of_the_company(self):
        for user in (self.agent, self.auditor):
            with self.assertRaises(AccessError):
                self.as_user(user, "amazon.authority.check").create({})
        check = self.as_user(self.other_admin, "amazon.authority.check").create(
            {"user_id": self.agent.id}
        )
        with self.assertRaises(AccessError):
            check.write({"company_id": self.company.id})
            check.read(["answer"])
