from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tests.common import new_test_user

from odoo.addons.amazon_order_actions.models.order.mail_reading import MAIL_READING
from odoo.addons.amazon_order_actions.spapi.operations import OPERATIONS

from ..common import (
    FULLY_REFUNDED,
    GIFT_WRAPPED,
    NOWHERE,
    PARTLY_REFUNDED,
    SHIPPED,
    UNSHIPPED,
    AmazonCommon,
)

GET_ORDER = OPERATIONS["getOrder"]
AMERICAN = "112-3957204-8816273"
# More readings than the budget of mails ever has at once.
FLOOD = 60


class MailBudgetCommon(AmazonCommon):
    """A company with three accounts, as one that sells around the world."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._open_mailbox()
        cls.american = cls._create_account(
            name="Nordlicht US",
            sequence=20,
            seller_id="ADEMOSELLER02",
            region="na",
            lwa_refresh_token="Atzr|demo-refresh-token-us",
            participation_ids=[(0, 0, {"marketplace": "ATVPDKIKX0DER"})],
        )
        cls.japanese = cls._create_account(
            name="Nordlicht JP",
            sequence=30,
            seller_id="ADEMOSELLER03",
            region="fe",
            lwa_refresh_token="Atzr|demo-refresh-token-jp",
            participation_ids=[(0, 0, {"marketplace": "A1VC38T7YXB528"})],
        )
        cls.accounts = cls.account | cls.american | cls.japanese
        cls.number = 0

    def receive(self, ref, sender=None, subject="Where is my parcel?", to="orders"):
        """Hand a mail to Odoo's gateway, as a mail server does."""
        cls = type(self)
        cls.number += 1
        # each from another address: Odoo stops a sender of many
        sender = sender or f"stranger{self.number}@flood.example"
        raw = (
            f"From: A buyer <{sender}>\n"
            f"To: {to}@shop.example\n"
            f"Message-ID: <{self.number}@flood.example>\n"
            f"Subject: {subject} {ref}\n"
            "Content-Type: text/plain; charset=utf-8\n\n"
            "Please help.\n"
        )
        ticket_id = self.env["mail.thread"].message_process(False, raw.encode())
        return self.env["helpdesk.ticket"].browse(ticket_id)

    def flood(self, count=FLOOD):
        return self.env["helpdesk.ticket"].union(
            *(self.receive(f"999-{number:07}-7654321") for number in range(count))
        )

    def let_pass(self, seconds):
        """Let time pass for the buckets."""
        self.env.cr.execute(
            "UPDATE amazon_quota"
            " SET refilled_at = refilled_at - make_interval(secs => %s)",
            [seconds],
        )

    def read_on(self, rounds=1):
        """Run the jobs that read what waits in line."""
        for _round in range(rounds):
            if self.run_jobs("_job_read_mailed"):
                return

    def tokens(self, account):
        """Return how many calls of getOrder Amazon allows at this moment."""
        wait = account._quota_wait("getOrder", GET_ORDER.burst)
        return GET_ORDER.burst - wait * GET_ORDER.rate

    def calls(self):
        return self.simulator.ledger()["calls"].get("getOrder", 0)

    def waiting(self):
        return self.env["amazon.order"].search([("read_state", "=", "waiting")])


@tagged("post_install", "-at_install")
class TestMailBudget(MailBudgetCommon):
    """Who floods the alias does not starve the agents' own reads."""

    def test_sixty_mails_leave_amazons_quota_to_the_agents(self):
        self.flood()
        self.assertEqual(len(self.waiting()), FLOOD)
        self.read_on(FLOOD)
        self.assertEqual(self.calls(), MAIL_READING.burst)
        for account in self.accounts:
            self.assertGreaterEqual(self.tokens(account), 20, account.name)
        ticket = self.create_ticket(read=False).with_user(self.agent)
        ticket.amazon_order_ref = SHIPPED
        self.run_jobs("_job_read")
        self.assertEqual(ticket.sudo().amazon_order_id.read_state, "read")

    def test_what_waits_is_read_over_time_and_none_is_lost(self):
        tickets = self.flood(20)
        tickets |= self.receive(SHIPPED)
        for _minute in range(20):
            self.read_on(FLOOD)
            self.let_pass(60)
        self.assertFalse(self.waiting())
        self.assertFalse(self.pending_jobs("_job_read_mailed"))
        orders = tickets.amazon_order_id
        self.assertEqual(len(orders), 21)
        self.assertEqual(tickets[-1].amazon_order_id.read_state, "read")
        self.assertEqual(set(orders[:-1].mapped("read_state")), {"refused"})

    def test_an_hour_of_mails_costs_a_tenth_of_what_amazon_allows(self):
        with patch.object(
            type(self.env["amazon.order"]), "_read_from_amazon", self.read_nothing
        ):
            self.flood(10)
            self.read_on(FLOOD)
            before = len(self.waiting())
            self.let_pass(60)
            self.read_on(FLOOD)
            self.assertEqual(before - len(self.waiting()), 3)
        self.assertLessEqual(MAIL_READING.rate, GET_ORDER.rate / 10)

    @staticmethod
    def read_nothing(order):
        order.read_state = "failed"
        return order._note_unrecorded(ValueError("not asked"))

    def test_number_that_a_stranger_made_up_is_asked_of_one_account(self):
        ticket = self.receive(NOWHERE)
        self.read_on()
        self.assertEqual(self.calls(), 1)
        order = ticket.amazon_order_id
        self.assertEqual(order.read_state, "refused")
        self.assertIn("Nordlicht Wohnen does not have the order", order.read_message)
        self.assertIn("Refresh asks the other accounts", order.read_message)

    def test_likeliest_account_is_the_one_of_the_buyers_marketplace(self):
        ticket = self.receive(AMERICAN, "abc123@marketplace.amazon.com")
        self.read_on()
        self.assertEqual(self.calls(), 1)
        self.assertEqual(ticket.amazon_order_id.account_id, self.american)
        self.assertEqual(ticket.amazon_order_id.read_state, "read")

    def test_each_account_has_a_budget_of_its_own(self):
        self.flood(10)
        ticket = self.receive(AMERICAN, "abc123@marketplace.amazon.com")
        self.read_on(FLOOD)
        self.assertEqual(ticket.amazon_order_id.read_state, "read")

    # === WHOEVER WORKS HERE === #

    def test_who_opens_the_ticket_has_it_read_at_once(self):
        """And at all accounts, behind however many that wait."""
        self.flood(20)
        ticket = self.receive(AMERICAN)
        order = ticket.amazon_order_id
        self.read_on(FLOOD)
        self.assertEqual(order.read_state, "waiting")
        panel = ticket.with_user(self.agent).amazon_order_panel["order"]
        self.assertTrue(panel["is_stale"])
        order.with_user(self.agent).refresh_if_stale()
        self.assertEqual(order.read_state, "requested")
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "read")
        self.assertEqual(order.account_id, self.american)

    def test_what_waits_is_told_in_the_panel(self):
        ticket = self.receive(SHIPPED)
        panel = ticket.with_user(self.trainee).amazon_order_panel["order"]
        self.assertEqual(panel["read_state"], "waiting")
        self.assertIn("We'll read it from Amazon when it is its turn", str(panel))
        self.read_on()
        panel = ticket.with_user(self.trainee).amazon_order_panel["order"]
        self.assertFalse(panel["read_message"])

    def test_refresh_reads_at_once(self):
        order = self.receive(SHIPPED).amazon_order_id
        order.with_user(self.trainee).action_refresh()
        self.run_jobs("_job_read")
        self.assertEqual(order.read_state, "read")
        before = self.calls()
        self.read_on()
        self.assertEqual(self.calls(), before, "nothing waits any more")

    def test_number_that_an_agent_types_does_not_wait(self):
        """Also where a mail has named it before."""
        mailed = self.receive(SHIPPED)
        ticket = self.create_ticket(read=False).with_user(self.agent)
        ticket.amazon_order_ref = SHIPPED
        self.assertEqual(mailed.amazon_order_id.read_state, "requested")
        self.assertTrue(self.pending_jobs("_job_read"))

    def test_later_mail_that_is_the_first_to_name_the_order_waits_as_well(self):
        ticket = self.receive("")
        ticket.message_update({"subject": f"Order {SHIPPED}", "body": "", "to": ""})
        self.assertEqual(ticket.amazon_order_id.read_state, "waiting")

    def test_order_that_is_known_is_not_read_again_for_a_mail(self):
        self.create_ticket(SHIPPED)
        before = self.calls()
        ticket = self.receive(SHIPPED)
        self.read_on()
        self.assertEqual(ticket.amazon_order_id.read_state, "read")
        self.assertEqual(self.calls(), before)

    # === IN LINE === #

    def test_many_mails_about_one_order_are_one_reading(self):
        for _mail in range(5):
            self.receive(SHIPPED)
        self.assertEqual(len(self.pending_jobs("_job_read_mailed")), 1)
        self.read_on(FLOOD)
        self.assertEqual(self.calls(), 1)

    def test_flood_is_a_line_of_rows_and_not_of_jobs(self):
        self.flood(20)
        self.assertEqual(len(self.pending_jobs()), 1)
        self.assertGreater(self.pending_jobs().priority, 20)

    def test_line_waits_while_people_use_the_quota(self):
        quota = self.account._quota()
        for _call in range(15):
            quota.take(GET_ORDER)
        self.receive(SHIPPED)
        self.assertTrue(self.run_jobs("_job_read_mailed"))
        self.assertEqual(self.calls(), 0)
        self.let_pass(30)
        self.read_on()
        self.assertFalse(self.waiting())

    def test_reading_that_amazon_throttles_goes_back_into_the_line(self):
        order = self.receive(SHIPPED).amazon_order_id
        self.simulator.fault("throttle", "getOrder", times=1)
        self.read_on()
        self.assertEqual(order.read_state, "waiting")
        self.let_pass(120)
        self.read_on()
        self.assertEqual(order.read_state, "read")

    def test_one_that_cannot_be_recorded_does_not_hold_the_line(self):
        orders = self.env["amazon.order"].union(
            *(
                self.receive(ref).amazon_order_id
                for ref in (UNSHIPPED, GIFT_WRAPPED, SHIPPED)
            )
        )
        self.simulator.fault("html_503", "getOrder", times=3)
        self.read_on(FLOOD)
        self.assertEqual(orders.mapped("read_state"), ["failed", "read", "read"])

    def test_line_whose_job_is_lost_goes_on_by_itself(self):
        order = self.receive(SHIPPED).amazon_order_id
        self.pending_jobs().unlink()
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.read_on()
        self.assertEqual(order.read_state, "read")

    def test_archived_account_is_not_asked_and_nothing_is_lost(self):
        order = self.receive(SHIPPED).amazon_order_id
        self.account.active = False
        self.read_on()
        self.assertEqual((self.calls(), order.read_state), (0, "waiting"))
        self.account.active = True
        self.env["amazon.range.reading"]._cron_read_ranges()
        self.read_on()
        self.assertEqual(order.read_state, "read")

    # === WHOM A MAIL CLAIMS TO BE FROM === #

    def test_sender_of_a_mail_is_no_user(self):
        """Odoo takes it for the user whose address it is. The order is that of the
        company whose alias it came to, and nobody's mail is lost for it."""
        other = self._create_company(name="Elsewhere")
        stranger = new_test_user(
            self.env,
            login="elsewhere",
            email="agent@elsewhere.example",
            groups="base.group_user,helpdesk_mgmt.group_helpdesk_user",
            company_id=other.id,
            company_ids=[(6, 0, other.ids)],
        )
        ticket = self.receive(SHIPPED, stranger.email)
        order = ticket.amazon_order_id
        self.assertEqual(order.company_id, self.company)
        self.assertEqual(order.read_state, "waiting")
        self.assertNotEqual(order.create_uid, stranger)

    def test_mail_of_an_agent_has_no_more_than_a_strangers(self):
        self.agent.email = "agent@shop.example"
        order = self.receive(FULLY_REFUNDED, self.agent.email).amazon_order_id
        self.assertEqual(order.read_state, "waiting")

    def test_mail_whose_order_is_recorded_at_the_moment_waits_as_well(self):
        orders = type(self.env["amazon.order"])
        with patch.object(orders, "_get_or_create", side_effect=ConcurrencyError):
            ticket = self.receive(PARTLY_REFUNDED, "abc123@marketplace.amazon.de")
        self.run_jobs("_job_link_mailed")
        order = ticket.amazon_order_id
        self.assertEqual(order.read_state, "waiting")
        self.assertEqual(order.marketplace, "A1PA6795UKMFR9")
